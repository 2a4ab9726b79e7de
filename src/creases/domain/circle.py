"""Circles in a plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.domain.ball import Ball
from creases.domain.plane import Plane
from creases.domain.slice import Described, Slice
from creases.errors import DomainError

__all__ = ["Circle"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Circle(Described):
    """The circle of all inputs in a plane at distance `radius` from `center`, as a closed path.

    center : shape (2,), in input space, or in the coordinates of `inside`.
    radius : a positive number, in the units of the network's inputs, also where the circle lies in a plane.
    inside : the Plane whose coordinates these are; None for a network with two inputs.
    Raises DomainError if a coordinate is not finite, the radius is not positive, or the center has not two coordinates.

    In a Count, `regions` is the number of pieces along the circle (a region entered twice counts twice) and `distinct`
    the number of different regions that it meets. A circle that only touches a wall does not leave its region there.

    Examples
    --------
    >>> Circle([0, 0], 1)
    Circle(radius=1, length=6.28)
    """

    center: Floats
    radius: float
    inside: Plane | None = None
    ball: Ball = field(init=False)

    def __post_init__(self) -> None:
        if not (self.inside is None or isinstance(self.inside, Plane)):
            raise DomainError(f"`inside` of a circle must be a Plane or None, got {type(self.inside).__name__}.")
        ball = Ball(self.center, self.radius, self.inside)
        if ball.dimension != 2:
            raise DomainError(
                f"A circle lies in a plane, and this center has {ball.dimension} coordinates. Give two, and for a "
                "network of more inputs the Plane that it is `inside`."
            )
        object.__setattr__(self, "center", ball.center)
        object.__setattr__(self, "radius", ball.radius)
        object.__setattr__(self, "ball", ball)

    @property
    def slice(self) -> Slice:
        """The slice of the plane."""
        return self.ball.slice

    @property
    def vertices(self) -> Floats:
        """The corners of a polygon around the circle in the plane's coordinates, rounded to float64 (v, 2)."""
        return self.ball.vertices

    @property
    def length(self) -> float:
        """The circumference, in the units of the network's inputs."""
        return float(2.0 * np.pi * self.radius)

    def __repr__(self) -> str:
        inside = f", n_in={self.slice.n_in}" if self.inside is not None else ""
        return f"Circle(radius={self.radius:.3g}, length={self.length:.3g}{inside})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {**self.ball.to_dict(), "kind": "circle"}
