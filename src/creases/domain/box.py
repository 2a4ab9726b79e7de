"""An axis-parallel box of input space; a coordinate with equal bounds is fixed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.domain.slice import Described, Slice, as_point
from creases.errors import DomainError

__all__ = ["Box"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Box(Described):
    """The box of inputs with lower <= x <= upper, coordinate by coordinate.

    lower, upper : bounds, shape (n_in,) or the network's input shape. A coordinate with equal bounds is fixed, so the
        dimension of the box is the number of coordinates with lower < upper.
    Raises DomainError if a bound is not finite, the shapes differ, lower > upper for a coordinate, or all are fixed.

    Examples
    --------
    >>> Box([-1, -1, 0], [1, 1, 0])
    Box(n_in=3, dimension=2)
    """

    lower: Floats
    upper: Floats
    slice: Slice = field(init=False)

    def __post_init__(self) -> None:
        lower, upper = as_point(self.lower, "lower"), as_point(self.upper, "upper")
        if lower.shape != upper.shape:
            raise DomainError(
                f"Box needs bounds of one space, got {lower.size} coordinates for lower and {upper.size} for upper."
            )
        if (lower > upper).any():
            i = int(np.argmax(lower > upper))
            raise DomainError(f"Box has lower[{i}] = {lower[i]} > upper[{i}] = {upper[i]}. Swap them.")
        free = np.flatnonzero(lower < upper)
        if free.size == 0:
            raise DomainError("Every side of the box has lower = upper; for a single input use network.pattern(point).")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        basis = np.zeros((free.size, lower.size))
        basis[np.arange(free.size), free] = 1.0
        origin = np.where(lower < upper, 0.0, lower)
        object.__setattr__(self, "slice", Slice(origin, basis, np.zeros_like(basis)))

    @property
    def dimension(self) -> int:
        """Number of coordinates that are not fixed."""
        return self.slice.dimension

    @property
    def vertices(self) -> Floats:
        """The corners in the free coordinates, float64: shape (2, 1) for d = 1, (4, 2) counter-clockwise for d = 2."""
        free = self.lower < self.upper
        low, high = self.lower[free], self.upper[free]
        if self.dimension == 1:
            return np.array([low, high])
        if self.dimension == 2:
            return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
        raise DomainError(f"The corners of a box of dimension {self.dimension} are not listed; use lower and upper.")

    def __repr__(self) -> str:
        return f"Box(n_in={self.lower.size}, dimension={self.dimension})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {"kind": "box", "lower": self.lower.tolist(), "upper": self.upper.tolist()}
