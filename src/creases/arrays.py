"""Arrays at the boundary: real numbers that float64 holds exactly, or an error that says which do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import CreasesError

__all__ = ["as_floats"]


def as_floats(values: ArrayLike, name: str, error: type[CreasesError]) -> NDArray[np.float64]:
    """`values` as a new float64 array, C order, without loss; -0.0 becomes 0.0, so that equal arrays hash alike.

    Raises `error`, naming `name`, if they are ragged, not real numbers, wider than float64, or integers beyond 2^53
    that float64 does not hold. Numbers that are not finite pass.
    """
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as cause:
        raise error(
            f"{name} is not an array of numbers: its rows have different lengths, or it mixes types."
        ) from cause
    if array.dtype.kind not in "fiub":
        raise error(f"{name} must hold real numbers, got dtype {array.dtype}. Convert it to float64 first.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise error(f"{name} is {array.dtype}, wider than float64. Round it first: .astype('float64').")
    result = np.array(array, dtype=np.float64, order="C") + 0.0
    # Beyond 2^53 float64 skips integers; comparing as Python integers is exact where NumPy would round.
    if array.dtype.kind in "iu" and any(int(a) != int(b) for a, b in zip(array.ravel(), result.ravel(), strict=True)):
        raise error(f"{name} holds an integer that float64 cannot represent exactly.")
    return result
