"""A convolution as the engine knows it where its matrix is too large to be written out.

values (b, n_in)  ->  windows (groups, terms, b, w)  ->  weight (groups, outputs, terms) @ windows
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Convolution"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Convolution:
    """The matrix (n_out, n_in) of a convolution, which is applied and not written out.

    kernel : float64 (groups, outputs, inputs, *taps), of one group each.
    stride : one whole number a side.
    shape : (n_out, n_in).
    windows : what the windows see of values (b, n_in), in the order of the kernel's inputs and taps: float64
        (groups, inputs * taps, b, w), exact copies and zeros.
    """

    kernel: Floats
    stride: tuple[int, ...]
    shape: tuple[int, int]
    windows: Callable[[Floats], Floats]

    @cached_property
    def weight(self) -> Floats:
        """The kernel as one matrix a group, float64 (groups, outputs, terms)."""
        groups, outputs = self.kernel.shape[:2]
        return np.ascontiguousarray(self.kernel.reshape(groups, outputs, -1))

    @property
    def terms(self) -> int:
        """How many products a number of the result is the sum of, at most."""
        return int(self.weight.shape[2])

    @cached_property
    def overlap(self) -> int:
        """How many windows a value stands in, at most."""
        return math.prod(-(-taps // step) for taps, step in zip(self.kernel.shape[3:], self.stride, strict=True))
