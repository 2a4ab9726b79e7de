"""The inputs of an `.onnx` graph: the one input whose space is cut, and those that have fixed values.

This module decides the shape of one input. If there are several axes, the first one is the batch if its length is 1 or
not fixed; all others must have a fixed length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from creases.errors import ModelFileError, UnsupportedModelError
from creases.network import builder as build
from creases.network.builder.flows import Flow
from creases.readers.onnx.tensor import BRIEF, FLOATS, MOST_AXES, dtype_of, is_brief, kind_of
from creases.readers.onnx.values import Array, Value

__all__ = ["fixed_values", "input_of"]

PLENTY = 1 << 22  # numbers of an input that even the smallest file may have: three channels of 1,182 x 1,182


def fixed_values(
    graph: Any, tensors: Mapping[str, Any], taken: set[str], inputs: Mapping[str, Any] | None, source: str
) -> tuple[dict[str, Array], Any]:
    """The arrays of the inputs with fixed values, and the input that has none.

    taken : names of all values that the output needs. Names of initialisers are not inputs (files of IR version 3 list
        them as inputs too).
    Raises ModelFileError on a name or an array that does not fit; UnsupportedModelError unless exactly one input is
    left.
    """
    entries = {str(entry.name): entry for entry in graph.input if entry.name not in tensors}
    given = {} if inputs is None else dict(inputs)
    for name in given:
        if name not in entries:
            raise ModelFileError(f"{source} has no input {name!r} to fix; it has {', '.join(entries) or 'none'}.")
    fixed = {name: fixed_value(entries[name], values, source) for name, values in given.items()}
    free = [name for name in entries if name not in fixed and name in taken]
    if len(free) != 1:
        names = ", ".join(free) or "none that its output needs"
        remedy = ""
        if len(free) > 1:
            fix = ", ".join(f"{name!r}: array" for name in free[1:])
            remedy = (
                f" Fix all but one by value: load(..., inputs={{{fix}}}), or --fix-input "
                f"{' --fix-input '.join(f'{name}=FILE.npy' for name in free[1:])}."
            )
        raise UnsupportedModelError(f"{source} must have one input beside its weights; it has {names}.{remedy}")
    return fixed, entries[free[0]]


def fixed_value(entry: Any, values: Any, source: str) -> Array:
    """An input's array in the file's shape and number type."""
    label = f"input '{entry.name}'"
    axes, names = axes_of(entry, source)
    dtype = dtype_of(entry.type.tensor_type.elem_type, label, source)
    kind = kind_of(entry.type.tensor_type.elem_type)
    try:
        array: Array = np.asarray(values)
        numeric = array.dtype.kind in "fiub" and array.dtype.itemsize <= 8
    except (ValueError, TypeError):
        numeric = False
    if not numeric:
        raise ModelFileError(f"{source}: {label} must be fixed by an array of numbers, got a {type(values).__name__}.")
    full = tuple(side or 1 for side in axes)
    if array.shape not in (full, full[1:] if full[:1] == (1,) else full):
        raise ModelFileError(
            f"{source}: {label} has shape ({', '.join(names)}), {full} for one input, but is fixed by an array of "
            f"shape {array.shape}."
        )
    result: Array = array.reshape(full).astype(dtype)
    if not np.array_equal(result, array.reshape(full)) or (kind == BRIEF and not is_brief(result)):
        name = np.dtype(dtype).name if kind != BRIEF else BRIEF.lower()
        # NumPy has no BFLOAT16, which is the upper half of a float32: the lower half is cut off.
        way = f"array.astype({name!r})" if kind != BRIEF else "(array.astype('f4').view('u4') & 0xFFFF0000).view('f4')"
        raise ModelFileError(
            f"{source}: {label} holds numbers of type {name}, and those that fix it are not such numbers. "
            f"Round them yourself: {way}."
        )
    return result


def axes_of(entry: Any, source: str) -> tuple[list[int], list[str]]:
    """The lengths of an input's axes, 0 for an axis without a fixed length, and the texts that the file has for
    them."""
    kind = entry.type.tensor_type
    if len(kind.shape.dim) > MOST_AXES:
        raise ModelFileError(
            f"{source}: input '{entry.name}' has {len(kind.shape.dim)} axes; an array has {MOST_AXES} at most."
        )
    # An axis has a fixed length if its dim_value is positive; 0, -1 and names mean that it has none.
    axes = [max(axis.dim_value, 0) for axis in kind.shape.dim]
    return axes, [str(axis.dim_param or axis.dim_value or "?") for axis in kind.shape.dim]


def input_of(entry: Any, n_bytes: int, source: str) -> Value:
    """The input whose space is cut, in its shape at batch size 1. Raises UnsupportedModelError if its shape is not
    fixed."""
    axes, names = axes_of(entry, source)
    batched = len(axes) > 1 and axes[0] <= 1
    one = tuple(axes[1:] if batched else axes)
    if not one or not all(one):
        raise UnsupportedModelError(
            f"{source}: input '{entry.name}' has shape ({', '.join(names)}); every axis but the first (the "
            "batch) must have a fixed length. Export the model with fixed axes."
        )
    if math.prod(one) > max(n_bytes, PLENTY):
        raise ModelFileError(
            f"{source}: input '{entry.name}' has shape ({', '.join(names)}), more numbers than the file has "
            f"bytes ({n_bytes}), so that no weights can belong to them: it is damaged."
        )
    kind = kind_of(entry.type.tensor_type.elem_type)
    if kind not in FLOATS and kind != "UNDEFINED":
        raise UnsupportedModelError(
            f"{source}: input '{entry.name}' has numbers of type {kind}, which do not fill a space. Export the model "
            "with an input of floats, or fix this input by value."
        )
    flow = build.input(*one)
    # A first axis without a fixed length, or longer than 1, may be a batch; one of length 1 holds exactly one input.
    first_is_batch = len(axes) > 1 and axes[0] != 1
    return Value(Flow((1, *one) if batched else one, flow.node), 0 if first_is_batch else None)
