"""`.safetensors` files, read without the package: a length, a JSON header, then the numbers.

Decides whether the header's claims fit the file: its own length, and for every tensor that shape, type and
offsets agree and lie inside, before an array is made. The format lists tensors in no meaningful order, so their order
is told by numbers in their names or by their shapes, else asked for (`layer_order`).
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError
from creases.network import Network
from creases.readers.answers import Answers
from creases.readers.layer_order import natural_order
from creases.readers.state_dict import check_claims, from_tensors

__all__ = ["read_safetensors"]

LENGTH_BYTES = 8
# BF16 is float32 without its lower 16 bits.
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MOST_AXES = 64  # of a NumPy array; the product of more lengths could take minutes


def read_safetensors(data: bytes, source: str, answers: Answers) -> Network:
    """The network whose tensors are in a .safetensors file.

    data : the whole file. source : its name, for messages. answers : what the caller says of weights without a graph.
    Raises ModelFileError if the file contradicts itself, UnsupportedModelError if it holds another kind of
    layer, NetworkError if its numbers make no network.
    """
    header, body = split(data, source)
    tied = tied_names(header.pop("__metadata__", None), header)
    values = {name: tensor_values(name, entry, body, source) for name, entry in header.items()}
    check_apart(header, source)
    claimed = sum(values[tied.get(name, name)].nbytes for name in (*values, *tied))
    check_claims(claimed, len(data), source)
    names = sorted([*values, *tied], key=natural_order)
    return from_tensors({name: values[tied.get(name, name)] for name in names}, source, answers, stored=False)


def tied_names(metadata: Any, header: dict[str, Any]) -> dict[str, str]:
    """The names that were left out because their tensor is stored under another, and that other name.

    safetensors.torch.save_model stores tied tensors once, and says {left out: stored} among the free words.
    """
    words = metadata if isinstance(metadata, dict) else {}
    return {name: of for name, of in words.items() if isinstance(of, str) and of in header and name not in header}


def check_apart(header: dict[str, Any], source: str) -> None:
    """Refuse tensors that share bytes, which the format forbids: a small file could claim any amount of memory."""
    places = sorted((*entry["data_offsets"], name) for name, entry in header.items())
    filled = [place for place in places if place[0] < place[1]]
    for (_begin, end, first), (begin, _end, second) in pairwise(filled):
        if begin < end:
            raise ModelFileError(
                f"{source}: tensors '{first}' and '{second}' overlap in the file, which the format forbids: it is "
                "damaged."
            )


def split(data: bytes, source: str) -> tuple[dict[str, Any], memoryview]:
    """The header's tensors and the bytes after the header."""
    if len(data) < LENGTH_BYTES:
        raise ModelFileError(f"{source} is truncated: {len(data)} bytes are no .safetensors file.")
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if length > len(data) - LENGTH_BYTES:
        raise ModelFileError(
            f"{source} declares a header of {length} bytes but has {len(data) - LENGTH_BYTES} after the "
            "length: it is truncated, or no .safetensors file."
        )
    try:
        header = json.loads(data[LENGTH_BYTES : LENGTH_BYTES + length].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{source}: the header is not JSON ({error}).") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"{source}: the header is no JSON object.")
    return header, memoryview(data)[LENGTH_BYTES + length :]


def tensor_values(name: str, entry: Any, body: memoryview, source: str) -> NDArray[np.float64]:
    """One tensor as float64."""
    entry = entry if isinstance(entry, dict) else {}
    kind, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not naturals(shape) or not naturals(offsets) or len(offsets) != 2:
        raise ModelFileError(f"{source}: the header's entry of tensor '{name}' has no valid shape and data_offsets.")
    if len(shape) > MOST_AXES:
        raise ModelFileError(f"{source}: tensor '{name}' has {len(shape)} axes; an array has {MOST_AXES} at most.")
    if name.endswith("num_batches_tracked"):  # of any type: its value is not used
        return np.zeros(())
    if not isinstance(kind, str) or kind not in TYPES:
        raise UnsupportedModelError(
            f"{source}: tensor '{name}' has type {kind}; weights must be F64, F32, F16 or BF16. Convert it first."
        )
    begin, end = offsets
    needed = math.prod(shape) * np.dtype(TYPES[kind]).itemsize
    if not begin <= end <= len(body) or end - begin != needed:
        raise ModelFileError(
            f"{source}: tensor '{name}' of type {kind} and shape {tuple(shape)} needs {needed} bytes, but "
            f"the header places it at {begin} to {end} of {len(body)}: the file is truncated or inconsistent."
        )
    values = np.frombuffer(body[begin:end], dtype=TYPES[kind])
    if kind == "BF16":
        values = (values.astype("<u4") << 16).view("<f4")
    return values.reshape(shape).astype(np.float64)


def naturals(values: Any) -> bool:
    """True for a list of integers, none negative."""
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
