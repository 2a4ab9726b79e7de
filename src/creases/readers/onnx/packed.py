"""`.onnx.gz` files, in which benchmarks of verification store networks: unpacked in memory, then read as `.onnx`.

This module limits the unpacked size: weights hardly compress, so a file that would unpack to hundreds of times its own
size is refused before it is unpacked completely.
"""

from __future__ import annotations

import zlib
from typing import Any

from creases.errors import ModelFileError
from creases.network import Network
from creases.readers.onnx.graph import read_onnx

__all__ = ["read_onnx_gz"]

MOST_TIMES = 200  # unpacked size of a file at most, as a multiple of its own size
PLENTY = 1 << 26  # bytes to which any file may unpack
MOST_BYTES = (1 << 31) - 1  # bytes of an ONNX file: protobuf's own limit
GZIP = 31  # zlib's wbits for a gzip header and checksum


def read_onnx_gz(data: bytes, source: str, *told: Any) -> Network:
    """The network in an .onnx file that was compressed with gzip.

    data : the whole file. source : its name, for messages. told : the other arguments of `read_onnx`, in its order.
    Raises ModelFileError if the file unpacks to too many bytes or is damaged, and the exceptions of `read_onnx`.
    """
    return read_onnx(unpacked(data, source), source, *told)


def unpacked(data: bytes, source: str) -> bytes:
    """The uncompressed bytes, compared with gzip's checksum."""
    most = min(max(MOST_TIMES * len(data), PLENTY), MOST_BYTES)
    stream = zlib.decompressobj(GZIP)
    try:
        result = stream.decompress(data, most + 1)
    except zlib.error as error:
        raise ModelFileError(f"{source} is truncated or damaged, or no gzip file: {error}.") from error
    if len(result) > most:
        raise ModelFileError(
            f"{source} has {len(data):,} bytes and unpacks to more than {most:,}, which weights do not. If it is "
            "meant, unpack it yourself with gunzip, and load the .onnx file."
        )
    if not stream.eof:
        raise ModelFileError(f"{source} is truncated: gzip's end is missing.")
    if stream.unused_data:
        raise ModelFileError(f"{source} is damaged: {len(stream.unused_data):,} bytes follow gzip's end.")
    return result
