"""Before memory is allocated, the sizes that a `.npz` file claims are compared with its bytes."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

__all__ = ["check_members", "check_npz"]

# Deflate expands one byte to at most 1032.
BLOWUP = 1032
# NumPy's own limit for the text with shape and type.
MOST_HEADER = 10_000


def check_npz(path: Path, limits: dict[str, int]) -> None:
    """Raise ValueError unless each member has exactly the bytes that its shape and type need, and can be of this size.

    limits : the largest numbers of bytes, by name of the member; other members are limited by the size of the file.
    """
    check_members(path, path.stat().st_size, limits)


def check_members(file: Path | IO[bytes], size: int, limits: dict[str, int]) -> None:
    """`check_npz` for a file that may be open. size : its number of bytes."""
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
    """The number of bytes of an array in NumPy's format, with its header. Raises ValueError if it is not an array of
    numbers.

    The length of the header is checked before the header is read, because NumPy would read up to 4 GB first.
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
    """Shape and type, read by NumPy from the header alone."""
    stream = io.BytesIO(magic + length + header)
    major, _minor = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _fortran, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds objects, and not numbers (allow_pickle=False)")
    return shape, dtype
