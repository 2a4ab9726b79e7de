"""`.safetensors` files, read by the package of that name, which checks that the header agrees with the file.

The format stores tensors in no meaningful order, so the order is found from numbers in their names or from their
shapes, or else asked for (`layer_order`).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError
from creases.memory import free_memory
from creases.network import Network
from creases.readers.weights.answers import Answers
from creases.readers.weights.layer_order import natural_order
from creases.readers.weights.state_dict import check_claims, from_tensors

__all__ = ["read_safetensors"]

LENGTH_BYTES = 8
# BF16 is a float32 without its lower 16 bits.
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MOST_AXES = 64  # of a NumPy array


def read_safetensors(data: bytes, source: str, answers: Answers) -> Network:
    """The network whose tensors are in a .safetensors file.

    data : the whole file. source : its name, for messages. answers : the caller's arguments for weights without a
        graph. Raises ModelFileError if the file contradicts itself, UnsupportedModelError if it holds another kind of
        layer, NetworkError if its numbers are not a valid network, MemoryError if there is not enough memory for its
        tensors.
    """
    from safetensors import SafetensorError, deserialize

    # The package copies every tensor, and without enough memory it panics instead of raising an error.
    if (free := free_memory()) is not None and free < 2 * len(data):
        raise MemoryError
    try:
        entries = dict(deserialize(data))  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError) as error:
        reason = str(error).removeprefix("Error while deserializing: ")
        raise ModelFileError(
            f"{source} ({len(data)} bytes) is damaged, truncated or no .safetensors file: {reason}."
        ) from error
    values = {}
    for name, entry in entries.items():
        values[name] = tensor_values(name, entry, source)
        del entry["data"]
    tied = tied_names(data, entries)
    claimed = sum(values[tied.get(name, name)].nbytes for name in (*values, *tied))
    check_claims(claimed, len(data), source)
    names = sorted([*values, *tied], key=natural_order)
    tensors = {name: values[tied.get(name, name)] for name in names}
    narrow = {name for name in names if entries[tied.get(name, name)]["dtype"] != "F64"}
    return from_tensors(tensors, source, answers, stored=False, narrow=narrow)


def tied_names(data: bytes, entries: dict[str, Any]) -> dict[str, str]:
    """The names that were left out because their tensor is stored under another name, and that name.

    safetensors.torch.save_model stores tied tensors once, and writes {left out: stored} into the header's free
    metadata, which the package returns only for files on disk. The package has already read this header, so it is
    valid.
    """
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    words = json.loads(data[LENGTH_BYTES : LENGTH_BYTES + length]).get("__metadata__") or {}
    return {name: of for name, of in words.items() if of in entries and name not in entries}


def tensor_values(name: str, entry: dict[str, Any], source: str) -> NDArray[np.float64]:
    """One tensor as float64."""
    kind, shape = entry["dtype"], entry["shape"]
    if name.endswith("num_batches_tracked"):  # it may have any type, because its value is not used
        return np.zeros(())
    if kind not in TYPES:
        raise UnsupportedModelError(
            f"{source}: tensor '{name}' has type {kind}; weights must be F64, F32, F16 or BF16. Convert it first."
        )
    if len(shape) > MOST_AXES:
        raise ModelFileError(f"{source}: tensor '{name}' has {len(shape)} axes; an array has {MOST_AXES} at most.")
    values = np.frombuffer(entry["data"], dtype=TYPES[kind])
    if kind == "BF16":
        values = (values.astype("<u4") << 16).view("<f4")
    return values.reshape(shape).astype(np.float64)
