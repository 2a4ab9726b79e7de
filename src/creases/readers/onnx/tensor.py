"""Constants of an `.onnx` file as arrays.

Decides that a tensor is whole: its numbers, in the file itself or in one beside it (`external`), are as many as
its shape declares, before any memory is taken.
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

MOST_AXES = 64  # of a NumPy array; the product of more lengths could take minutes
# Type: bytes a number in raw_data, the field that holds the numbers otherwise, and the type that holds them here.
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
# Types that hold all numbers of others, and these; DOUBLE holds all.
HELD = {"FLOAT": ("FLOAT", "FLOAT16", "BFLOAT16"), "FLOAT16": ("FLOAT16",), "BFLOAT16": ("BFLOAT16",)}
BRIEF = "BFLOAT16"  # the upper half of a float32, in which it is held here


def kind_of(number: int) -> str:
    """The name of one of ONNX's number types."""
    import onnx

    names = {value: name for name, value in onnx.TensorProto.DataType.items()}
    return str(names.get(number, number))


def dtype_of(number: int, label: str, source: str) -> type:
    """The NumPy type of one of ONNX's number types. Raises UnsupportedModelError on others than ours."""
    kind = kind_of(number)
    if kind not in KINDS:
        raise UnsupportedModelError(f"{source}: {label} has type {kind}; supported are {', '.join(KINDS)}.")
    return KINDS[kind][2]


def is_held(kind: str, wider: str) -> bool:
    """Whether a type holds all numbers of another, a float."""
    return kind == wider or wider == "DOUBLE" or kind in HELD.get(wider, ())


def is_brief(array: NDArray[Any]) -> bool:
    """Whether all numbers of a float32 array are BFLOAT16s."""
    return not (np.ascontiguousarray(array).view(np.uint32) & 0xFFFF).any()


def tensor_values(tensor: Any, label: str, source: str, beside: Beside | None) -> NDArray[Any]:
    """A tensor's numbers in the file's own type (a BFLOAT16 as float32); `label` names it in errors.

    beside : the files that may hold them. Raises ModelFileError if they are in none of these, or not as many as
    declared; UnsupportedModelError on other types.
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
    """A node's attributes as Python values; tensors and graphs stay as they are in the file."""
    import onnx

    return {str(attribute.name): onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def constant_value(node: Any, label: str, source: str, beside: Beside) -> NDArray[Any]:
    """The array that a Constant node gives, in one of its five spellings for numbers, in the type that it has there.

    Raises UnsupportedModelError on another spelling, and what `tensor_values` raises.
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
