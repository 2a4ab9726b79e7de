"""Constants of an `.onnx` file as arrays.

Before memory is allocated, this module checks that a tensor is complete: the file itself, or a file beside it
(`external`), must have as many numbers as the tensor's shape declares.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError
from creases.readers.onnx.external import REMEDY, Beside, is_outside

__all__ = [
    "BRIEF",
    "FLOATS",
    "KINDS",
    "MOST_AXES",
    "attributes_of",
    "constant_value",
    "dtype_of",
    "is_brief",
    "is_held",
    "kind_of",
    "tensor_values",
]

MOST_AXES = 64  # of a NumPy array; to multiply more lengths could take minutes
# For each type: bytes per number in raw_data, the field that holds the numbers otherwise, and the NumPy type used here.
KINDS: dict[str, tuple[int, str, type]] = {
    "FLOAT": (4, "float_data", np.float32),
    "DOUBLE": (8, "double_data", np.float64),
    "FLOAT16": (2, "int32_data", np.float16),
    "BFLOAT16": (2, "int32_data", np.float32),
    "INT32": (4, "int32_data", np.int32),
    "INT64": (8, "int64_data", np.int64),
    "BOOL": (1, "int32_data", np.bool_),
}
FLOATS = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")
# For each type, the other types whose numbers it can hold; DOUBLE can hold all.
HELD = {"FLOAT": ("FLOAT", "FLOAT16", "BFLOAT16"), "FLOAT16": ("FLOAT16",), "BFLOAT16": ("BFLOAT16",)}
BRIEF = "BFLOAT16"  # the upper half of a float32; stored as float32 here


def kind_of(number: int) -> str:
    """The name of one of ONNX's number types."""
    import onnx

    names = {value: name for name, value in onnx.TensorProto.DataType.items()}
    return str(names.get(number, number))


def dtype_of(number: int, label: str, source: str) -> type:
    """The NumPy type of one of ONNX's number types. Raises UnsupportedModelError on a type that is not supported."""
    kind = kind_of(number)
    if kind not in KINDS:
        raise UnsupportedModelError(f"{source}: {label} has type {kind}; supported are {', '.join(KINDS)}.")
    return KINDS[kind][2]


def is_held(kind: str, wider: str) -> bool:
    """Whether a type can hold all numbers of another one, which is a float type."""
    return kind == wider or wider == "DOUBLE" or kind in HELD.get(wider, ())


def is_brief(array: NDArray[Any]) -> bool:
    """Whether all numbers of a float32 array are BFLOAT16s."""
    return not (np.ascontiguousarray(array).view(np.uint32) & 0xFFFF).any()


def tensor_values(tensor: Any, label: str, source: str, beside: Beside | None) -> NDArray[Any]:
    """A tensor's numbers in the file's own type (BFLOAT16 as float32); `label` is its name in errors.

    beside : the files that may hold the numbers. Raises ModelFileError if the numbers are missing or fewer or more than
        declared; UnsupportedModelError on a type that is not supported.
    """
    import onnx

    kind, dtype = kind_of(tensor.data_type), dtype_of(tensor.data_type, label, source)
    if tensor.HasField("segment"):
        raise UnsupportedModelError(f"{source}: {label} is in segments, which are not read.")
    width, field, _ = KINDS[kind]
    dims = list(tensor.dims)
    if len(dims) > MOST_AXES:
        raise ModelFileError(f"{source}: {label} has {len(dims)} axes; an array has {MOST_AXES} at most.")
    count = math.prod(dims)
    if is_outside(tensor) and min(dims, default=0) >= 0:
        if beside is None:
            raise ModelFileError(f"{source}: {label} keeps its numbers in another file. {REMEDY}")
        tensor = beside.filled(tensor, count * width, label)
    raw = tensor.HasField("raw_data")
    present = len(tensor.raw_data) / width if raw else len(getattr(tensor, field))
    if min(dims, default=0) < 0 or present != count:
        raise ModelFileError(
            f"{source}: {label} declares shape {tuple(dims)}, {count} numbers, but the file holds "
            f"{present:g} of them: it is truncated or damaged."
        )
    try:
        values = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise ModelFileError(f"{source}: {label} cannot be read: {error}") from error
    return np.asarray(values.astype(dtype))


def attributes_of(node: Any) -> dict[str, Any]:
    """A node's attributes as Python values; tensors and graphs are returned as the file has them."""
    import onnx

    return {str(attribute.name): onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def constant_value(node: Any, label: str, source: str, beside: Beside) -> NDArray[Any]:
    """The array of a Constant node, in its own type; five of the node's attributes may hold numbers.

    Raises UnsupportedModelError on any other attribute, and the exceptions of `tensor_values`.
    """
    attributes = attributes_of(node)
    if len(attributes) == 1:
        ((name, value),) = attributes.items()
        if name == "value" and hasattr(value, "dims"):
            return tensor_values(value, label, source, beside)
        if name in ("value_float", "value_floats"):
            return np.array(value, dtype=np.float32)
        if name in ("value_int", "value_ints"):
            return np.array(value, dtype=np.int64)
    raise UnsupportedModelError(
        f"{source}: {label} gives no plain tensor but {', '.join(attributes) or 'nothing'}; supported are "
        "value, value_float, value_floats, value_int and value_ints."
    )
