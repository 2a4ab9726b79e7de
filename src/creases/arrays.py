"""Conversion of arguments to arrays: real numbers that are exactly float64, or an error that names the others."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import CreasesError

__all__ = ["as_floats", "first_not_finite"]


def as_floats(values: ArrayLike, name: str, error: type[CreasesError]) -> NDArray[np.float64]:
    """`values` as a new float64 array, C order, without loss; -0.0 becomes 0.0, so that equal arrays have equal hashes.

    A torch tensor may require gradients, be on any device and of any float type. Raises `error`, with `name`, if the
    values are ragged, not real numbers, wider than float64, or integers beyond 2^53 that are not float64. Infinite
    values and NaN are accepted.
    """
    try:
        array = np.asarray(without_gradient(values))
    except (ValueError, TypeError) as cause:
        raise error(
            f"{name} is not an array of numbers: its rows have different lengths, or it mixes types."
        ) from cause
    except RuntimeError as cause:  # torch raises this for a list of tensors that require gradients
        raise error(f"{name} is no array ({cause}). Give one tensor, or arrays: tensor.detach().numpy().") from cause
    if array.dtype.kind not in "fiub":
        raise error(f"{name} must hold real numbers, got dtype {array.dtype}. Convert it to float64 first.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise error(f"{name} is {array.dtype}, wider than float64. Round it first: .astype('float64').")
    result = np.array(array, dtype=np.float64, order="C") + 0.0
    # Beyond 2^53 not every integer is a float64. Python compares integers exactly, where NumPy would round.
    if array.dtype.kind in "iu" and any(int(a) != int(b) for a, b in zip(array.ravel(), result.ravel(), strict=True)):
        raise error(f"{name} holds an integer that float64 cannot represent exactly.")
    return result


def first_not_finite(array: NDArray[np.float64], name: str) -> str:
    """The first number that is not finite, with its position, "weight[2, 0] is nan", for an error; "" if all are
    finite."""
    wrong = ~np.isfinite(array)
    if not wrong.any():
        return ""
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{name}{list(where) if where else ''} is {array[where]}"


def without_gradient(values: Any) -> Any:
    """A torch tensor as an array; anything else unchanged. torch is not imported to find out."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(values, getattr(torch, "Tensor", ())):
        return values
    tensor: Any = values
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16; all of torch's floats are float64 without loss.
    return (tensor.double() if tensor.is_floating_point() else tensor).numpy()
