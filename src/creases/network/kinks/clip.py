"""Clips: two neurons on one sum, clip(z) = low + relu(z - low) - relu(z - high)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import NetworkError
from creases.network.kinks.kink import Bools, Branch, Kink, check_length, number_or_one_a_unit, said, two
from creases.network.operators.operator import Floats

__all__ = ["Clip"]


@dataclass(frozen=True, eq=False, repr=False)
class Clip(Kink):
    """Clipping, min(max(z, low), high). Each unit has two neurons, z > low and z > high.

    low, high : numbers, or float64 of shape (n_units,), read-only; finite, with low < high in every unit.
    Raises NetworkError otherwise.
    """

    low: float | Floats
    high: float | Floats

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, number_or_one_a_unit(getattr(self, name), f"Clip: {name}"))
        low, high = np.asarray(self.low), np.asarray(self.high)
        if low.ndim and high.ndim and low.shape != high.shape:
            raise NetworkError(f"Clip: low has {len(low)} numbers and high {len(high)}; give one a unit of each.")
        if not (low < high).all():
            raise NetworkError(f"Clip needs low < high in every unit, got low={self.low} and high={self.high}.")

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless each bound is one number, or one per unit."""
        check_length(self.low, "Clip: low", n_units)
        check_length(self.high, "Clip: high", n_units)

    def neurons(self, n_units: int) -> int:
        """Number of neurons: two per unit."""
        return 2 * n_units

    def bounds(self, n_units: int) -> Floats:
        """The bounds low and high of each unit, float64 (2, n_units)."""
        return two(self.low, self.high, n_units)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return np.asarray(np.clip(z, self.low, self.high))

    def pattern(self, z: Floats) -> Bools:
        """The pattern, bool (..., 2 n_units): z > low for every unit, then z > high for every unit."""
        return np.concatenate((z > self.low, z > self.high), axis=-1)

    def branch(self, pattern: NDArray[Any], n_units: int) -> Branch:
        """Slope 1 between the bounds; slope 0 and the bound as value outside."""
        low, high = self.bounds(n_units)
        above = np.asarray(pattern, dtype=bool)
        above_low, above_high = above[..., :n_units], above[..., n_units:]
        offsets = np.where(above_high, high, np.where(above_low, 0.0, low))
        return Branch(None, (above_low & ~above_high).astype(np.float64), offsets)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays low and high."""
        return {name: np.asarray(getattr(self, name), dtype=np.float64) for name in ("low", "high")}

    def __repr__(self) -> str:
        return f"Clip({said(self.low, 'numbers')}, {said(self.high, 'numbers')})"
