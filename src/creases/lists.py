"""Consecutive lists in one array, the form of all tables of cells, sides and faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["spans"]

Ints = NDArray[np.int64]


def spans(begins: Ints, sizes: Ints) -> Ints:
    """begins[0], begins[0] + 1, ... (sizes[0] numbers), then the same for begins[1], and so on: int64 (sum of
    sizes,)."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(begins - (ends - sizes), sizes))
