"""`.onnx.gz` files, as benchmarks of verification keep them: unpacked in memory, then read as `.onnx`.

Decides how much may come out of a file: weights hardly shrink, so what unpacks to hundreds of times its own size is
refused before it is unpacked whole.
"""

from __future__ import annotations

import zlib
from typing import Any

from creases.errors import ModelFileError
from creases.network import Network
from creases.readers.onnx.graph import read_onnx

__all__ = ["read_onnx_gz"]

MOST_TIMES = 200  # its own size that a file may unpack to
PLENTY = 1 << 26  # bytes that any file may
MOST_BYTES = (1 << 31) - 1  # of a file of ONNX: protobuf's own limit
GZIP = 31  # the window of zlib that means a gzip header and its check sum


def read_onnx_gz(data: bytes, source: str, *told: Any) -> Network:
    """The network in an .onnx file that gzip packed.

    data : the whole file. source : its name, for messages. told : whatever else `read_onnx` takes, in its order.
    Raises ModelFileError if it unpacks to too much, or is damaged, and what `read_onnx` raises.
    """
    return read_onnx(unpacked(data, source), source, *told)


def unpacked(data: bytes, source: str) -> bytes:
    """What gzip packed, checked against its check sum."""
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
