"""Kinks at zero: one slope below zero and one above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.network.kinks.kink import Bools, Branch, Kink, check_length, number_or_one_a_unit, said, two
from creases.network.operators.operator import Floats

__all__ = ["Abs", "LeakyReLU", "Linear", "ReLU", "Slopes", "TwoSlopes"]


class TwoSlopes(Kink):
    """A kink at zero: the slope below it, the slope above it."""

    def bent(self, n_units: int) -> Bools:
        """Which units are neurons, bool (n_units,)."""
        below, above = self.slopes(n_units)
        return np.asarray(below != above)

    def neurons(self, n_units: int) -> int:
        """How many units have two different slopes."""
        return int(self.bent(n_units).sum())

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        below, above = self.slopes(z.shape[-1])
        return np.asarray(z * np.where(z > 0.0, above, below))

    def pattern(self, z: Floats) -> Bools:
        """Which neurons have z > 0, bool (..., neurons)."""
        bent = self.bent(z.shape[-1])
        return z > 0.0 if bent.all() else z[..., bent] > 0.0

    def branch(self, pattern: NDArray[Any], n_units: int) -> Branch:
        """The slopes of a pattern."""
        below, above = self.slopes(n_units)
        bent = np.flatnonzero(below != above)
        chosen = np.array(np.broadcast_to(above, (*np.shape(pattern)[:-1], n_units)))
        chosen[..., bent] = np.where(pattern, above[bent], below[bent])
        return Branch(None, chosen, np.zeros(n_units))


@dataclass(frozen=True)
class ReLU(TwoSlopes):
    """The rectified linear unit, max(z, 0)."""

    def slopes(self, n_units: int) -> Floats:
        """Slopes 0 below zero and 1 above, float64 (2, n_units)."""
        return two(0.0, 1.0, n_units)

    # The following methods only make ReLU faster: a chain is evaluated at every step of training.
    def bent(self, n_units: int) -> Bools:
        """All."""
        return np.ones(n_units, dtype=bool)

    def neurons(self, n_units: int) -> int:
        """All."""
        return n_units

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return np.maximum(z, 0.0)

    def pattern(self, z: Floats) -> Bools:
        """Which neurons have z > 0, bool (..., n_units)."""
        return z > 0.0

    def branch(self, pattern: NDArray[Any], n_units: int) -> Branch:
        """Slope 1 for active neurons and 0 for the others."""
        return Branch(None, np.asarray(pattern, dtype=np.float64), np.zeros(n_units))


@dataclass(frozen=True)
class Abs(TwoSlopes):
    """The absolute value, |z|."""

    def slopes(self, n_units: int) -> Floats:
        """Slopes -1 below zero and 1 above, float64 (2, n_units)."""
        return two(-1.0, 1.0, n_units)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return np.abs(z)


@dataclass(frozen=True)
class Linear(TwoSlopes):
    """The identity: the units are linear, without neurons or switches."""

    def slopes(self, n_units: int) -> Floats:
        """Slopes 1 and 1, float64 (2, n_units)."""
        return two(1.0, 1.0, n_units)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return z


@dataclass(frozen=True, eq=False, repr=False)
class LeakyReLU(TwoSlopes):
    """Leaky ReLU: z above zero, slope * z below. With one slope per unit it is a PReLU.

    slope : a number, or float64 of shape (n_units,), read-only. Slope 0 is a ReLU and -1 the absolute value; a unit of
        slope 1 is linear.
    Raises NetworkError if a slope is not finite.
    """

    slope: float | Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", number_or_one_a_unit(self.slope, "LeakyReLU: slope"))

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless there is one slope, or one per unit."""
        check_length(self.slope, "LeakyReLU: slope", n_units)

    def slopes(self, n_units: int) -> Floats:
        """Slopes `slope` below zero and 1 above, float64 (2, n_units)."""
        return two(self.slope, 1.0, n_units)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The slope, or slopes."""
        return {"slope": np.asarray(self.slope, dtype=np.float64)}

    def __repr__(self) -> str:
        return f"LeakyReLU({said(self.slope, 'slopes')})"


@dataclass(frozen=True, eq=False, repr=False)
class Slopes(TwoSlopes):
    """Two arbitrary slopes: above * z above zero, below * z below.

    below, above : numbers, or float64 of shape (n_units,), read-only. A unit whose two slopes are equal is linear.
    Raises NetworkError if a slope is not finite.
    """

    below: float | Floats
    above: float | Floats

    def __post_init__(self) -> None:
        for name in ("below", "above"):
            object.__setattr__(self, name, number_or_one_a_unit(getattr(self, name), f"Slopes: {name}"))

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless each of the two has one slope, or one per unit."""
        check_length(self.below, "Slopes: below", n_units)
        check_length(self.above, "Slopes: above", n_units)

    def slopes(self, n_units: int) -> Floats:
        """Slopes `below` and `above`, float64 (2, n_units)."""
        return two(self.below, self.above, n_units)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The slopes."""
        return {name: np.asarray(getattr(self, name), dtype=np.float64) for name in ("below", "above")}

    def __repr__(self) -> str:
        return f"Slopes({said(self.below, 'slopes')}, {said(self.above, 'slopes')})"
