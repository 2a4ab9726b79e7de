"""Open balls, in all of input space or inside a line, a plane or a subspace.

Distances are measured in input space: in the coordinates of a slice a ball is an ellipsoid, whose shape is given by the
Gram matrix of the basis. The domain that is cut is an exact polytope around the ball; afterwards, `complex.balls`
decides which of its regions meet the ball.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import prod
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.arrays import as_floats
from creases.domain.lengths import Gram, factored, gram_of, nearest, root_above
from creases.domain.line import Line
from creases.domain.plane import Plane
from creases.domain.polytope import Corners, corners_of_box, half_space_corners, in_order
from creases.domain.slice import Described, Slice, as_point
from creases.domain.subspace import Subspace
from creases.errors import DomainError

__all__ = ["Ball", "Gram"]

Floats = NDArray[np.float64]

# A box in the slice's coordinates is used unless its volume exceeds this multiple of that of a parallelotope around the
# ellipsoid, whose corners are longer numbers.
WIDEST = 2


@dataclass(frozen=True, eq=False, repr=False)
class Ball(Described):
    """The open ball {x : ||x - center|| < radius}. The regions on it are those that meet it.

    center : shape (d,), in input space (or in the network's input shape), or in the coordinates of `inside`.
    radius : a positive number, in the units of the network's inputs, also where the ball lies inside a slice.
    inside : a Line, Plane or Subspace; the center is then given in its coordinates, and the domain is its intersection
        with the ball in input space. None for a network with d inputs.
    Raises DomainError if a coordinate is not finite, the radius is not positive, or `inside` has another dimension.

    `subdivide` gives the regions that meet the ball as cells of a polytope around it; they are not clipped by the
    sphere.

    Examples
    --------
    >>> Ball([0, 0], 1)
    Ball(dimension=2, radius=1)
    """

    center: Floats
    radius: float
    inside: Line | Plane | Subspace | None = None
    slice: Slice = field(init=False)

    def __post_init__(self) -> None:
        center = as_point(self.center, "center")
        radius = as_floats(self.radius, "radius", DomainError)
        if radius.ndim or not (np.isfinite(radius) and radius > 0):
            raise DomainError(f"The radius of a ball must be a finite positive number, got {self.radius!r}.")
        if not (self.inside is None or isinstance(self.inside, (Line, Plane, Subspace))):
            raise DomainError(
                f"`inside` must be a Line, a Plane, a Subspace or None, got {type(self.inside).__name__}."
            )
        sliced = Slice.identity(center.size) if self.inside is None else self.inside.slice
        if center.size != sliced.dimension:
            raise DomainError(
                f"The center has {center.size} coordinates, but {self.inside!r} has {sliced.dimension}. Give it in the "
                "slice's own coordinates: inside.slice.coordinates(point)."
            )
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "radius", float(radius))
        object.__setattr__(self, "slice", sliced)

    @property
    def dimension(self) -> int:
        """d, the number of coordinates."""
        return self.slice.dimension

    @cached_property
    def gram(self) -> Gram:
        """The exact Gram matrix of the slice's basis: the step s in coordinates has the squared length s^T gram s."""
        if self.inside is None:
            return tuple(tuple(Fraction(int(i == j)) for j in range(self.dimension)) for i in range(self.dimension))
        return gram_of(self.slice)

    @cached_property
    def unit_map(self) -> Floats:
        """The linear map to the unit ball, float64 (d, d): the length of unit_map @ (u - center) is the distance of u
        from the center, in radii. Each entry is the float64 nearest to the exact one, and may be infinite.
        """
        below, pivots = factored(self.gram)
        d = self.dimension
        roots = [root_above(pivot) / Fraction(self.radius) for pivot in pivots]
        return np.array([[nearest(roots[i] * below[j][i]) if j >= i else 0.0 for j in range(d)] for i in range(d)])

    @cached_property
    def corners(self) -> Corners:
        """The exact corners of a polytope around the ball: a box in the slice's coordinates, or a parallelotope around
        the ellipsoid if that is much smaller.

        Raises DomainError if the polytope exceeds the range of float64.
        """
        from flint import fmpq, fmpq_mat

        d, square = self.dimension, Fraction(self.radius) ** 2
        matrix = fmpq_mat(d, d, [fmpq(x.numerator, x.denominator) for row in self.gram for x in row])
        found = matrix.inv()
        inverse = [[Fraction(int(found[i, j].p), int(found[i, j].q)) for j in range(d)] for i in range(d)]
        center = [Fraction(value) for value in self.center.tolist()]

        def reach(normal: list[Fraction]) -> Fraction:
            """An upper bound, close to the true value, of how far the ball reaches from its center along a normal."""
            return root_above(square * sum(map(mul, normal, (sum(map(mul, row, normal)) for row in inverse))))

        _, pivots = factored(self.gram)
        if prod(inverse[i][i] for i in range(d)) * prod(pivots) <= WIDEST**2:
            sides = [reach([Fraction(int(i == j)) for j in range(d)]) for i in range(d)]
            lower = np.array([-above(side - middle) for side, middle in zip(sides, center, strict=True)])
            upper = np.array([above(side + middle) for side, middle in zip(sides, center, strict=True)])
            self._check_finite(lower, upper)
            return corners_of_box(lower, upper)
        rows = self.unit_map
        self._check_finite(rows)
        normals = np.concatenate([rows, -rows])
        exact = [[Fraction(value) for value in row] for row in normals.tolist()]
        offsets = np.array([above(reach(normal) + sum(map(mul, normal, center))) for normal in exact])
        self._check_finite(offsets)
        return half_space_corners(normals, offsets)

    def _check_finite(self, *arrays: Floats) -> None:
        if not all(np.isfinite(array).all() for array in arrays):
            raise DomainError(f"{self!r} reaches beyond what float64 holds. Take a smaller radius.")

    @property
    def vertices(self) -> Floats:
        """The corners of the polytope around the ball, rounded to float64 (v, d); in order for d = 1 and 2."""
        corners = in_order(self.corners) if self.dimension < 3 else self.corners
        return np.array([[x / ray[-1] for x in ray[:-1]] for ray in corners.rays])

    def __repr__(self) -> str:
        inside = f", n_in={self.slice.n_in}" if self.inside is not None else ""
        return f"Ball(dimension={self.dimension}, radius={self.radius:.3g}{inside})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        inside = None if self.inside is None else self.inside.to_dict()
        return {"kind": "ball", "center": self.center.tolist(), "radius": self.radius, "inside": inside}


def above(value: Fraction) -> float:
    """The smallest float that is at least this value."""
    near = nearest(value)
    if np.isinf(near):
        return near if near > 0 else -float(np.finfo(np.float64).max)
    return near if Fraction(near) >= value else float(np.nextafter(near, np.inf))
