"""Numbers for a flow: one for all values, one per channel, or one per value, broadcast to all values."""

from __future__ import annotations

from typing import Any

import numpy as np

from creases.errors import NetworkError
from creases.network.operators.operator import Floats, as_finite

__all__ = ["spread"]


def spread(values: Any, shape: tuple[int, ...], name: str) -> Floats:
    """Numbers as float64 (n,), n the product of `shape`: given as one number, one per channel (the first axis), or an
    array of `shape`. Raises NetworkError otherwise."""
    array = as_finite(values, name)
    if array.shape == shape:
        return array.reshape(-1)
    if array.ndim == 0:
        return np.full(shape, float(array)).reshape(-1)
    if array.shape == shape[:1]:
        return np.broadcast_to(array.reshape(-1, *[1] * (len(shape) - 1)), shape).reshape(-1)
    raise NetworkError(
        f"{name} must be one number, {shape[0]} (one a channel), or have shape {shape}; got shape {array.shape}."
    )
