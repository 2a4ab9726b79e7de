"""What a `.npz` claims to hold, compared with the bytes that are there before any memory is taken."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

__all__ = ["check_members", "check_npz"]

# Deflate writes no more than 1032 bytes for one.
BLOWUP = 1032
# NumPy's own limit for the text that says shape and type.
MOST_HEADER = 10_000


def check_npz(path: Path, limits: dict[str, int]) -> None:
    """Raise ValueError unless each member's shape and type take just the bytes that it has, which it can have.

    limits : bytes that a member may have at most, by name; others may have what their file can hold.
    """
    check_members(path, path.stat().st_size, limits)


def check_members(file: Path | IO[bytes], size: int, limits: dict[str, int]) -> None:
    """`check_npz` of a file that may be open. size : its bytes."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise ValueError("it names a member twice")
        if sum(member.compress_size for member in members) > size:
            raise ValueError("its members share bytes")
        for member in members:
            name, claimed = member.filename.removesuffix(".npy"), member.file_size
            if claimed > BLOWUP * member.compress_size or member.compress_size > size:
                raise ValueError(
                    f"{name} claims {claimed:,} bytes, which cannot come from {member.compress_size:,} compressed ones"
                )
            if claimed > limits.get(name, claimed):
                raise ValueError(f"{name} claims {claimed:,} bytes, and may have {limits[name]:,} at most")
            with archive.open(member) as stream:
                needed = bytes_needed(stream)
            if needed != claimed:
                raise ValueError(f"{name} declares {needed:,} bytes with its header, and has {claimed:,}")


def bytes_needed(stream: IO[bytes]) -> int:
    """How many bytes an array in NumPy's format has, its header included. Raises ValueError if it is none of numbers.

    The length of the header is looked at before it is read: NumPy reads first, up to 4 GB.
    """
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) < 8 or magic[6] not in (1, 2, 3):
        raise ValueError("a member is no array in NumPy's format")
    width, form = (2, "<H") if magic[6] == 1 else (4, "<I")
    (length,) = struct.unpack(form, stream.read(width).ljust(width, b"\0"))
    if length > MOST_HEADER:
        raise ValueError(f"the header of a member claims {length:,} bytes, and may have {MOST_HEADER:,} at most")
    header = stream.read(length)
    shape, dtype = read_header(magic, struct.pack(form, length), header)
    return len(magic) + width + int(length) + math.prod(shape) * dtype.itemsize


def read_header(magic: bytes, length: bytes, header: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type, by NumPy's own reader of the few bytes that say them."""
    stream = io.BytesIO(magic + length + header)
    major, _minor = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _fortran, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds objects, and not numbers (allow_pickle=False)")
    return shape, dtype
