"""Checks of a complex on a Ball: its cells meet the open ball, no cell is missing, and the faces fit together in the
ball.

The faces that meet an open ball divide it into relatively open convex pieces, so the alternating sum of their numbers
is (-1)^d: Euler's relation for an open ball. The alternating sum over all faces of the cells has no such value, since
two cells may meet outside of the ball, around a cell that does not belong to the complex.

For some cells and facets more is verified in rationals. A cell meets the ball if its hull has a point in the ball. If a
facet has only one cell, the pattern on its other side must be that of a cell that misses the ball: there must be a
direction in which no corner of that cell is nearer to the center than the sphere. The code that found the cells
proposes such a point or direction (`nearest`); here it is verified by products.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.complex.balls import ball_of, faces_in_ball, facets_in_ball, steps_from
from creases.complex.exact_geometry import ExactGeometry
from creases.complex.faces import Lattice
from creases.complex.faults import not_right
from creases.complex.nearest import Metric, Point, combined, deciding_point, plain
from creases.domain import Ball
from creases.domain.polytope import corners_within
from creases.errors import DomainError
from creases.exact_levels import Bits
from creases.exact_network import Form

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["BallChecks", "check_faces_in_ball", "check_volumes_of_ball"]

Floats = NDArray[np.float64]

# A cell that is not in the complex is computed from all forms of its pattern, which takes a second if there are many
# more.
MOST_FORMS = 256
MOST_CHECKED_DIMENSIONS = 4


def check_faces_in_ball(complex: Complex, lattice: Lattice) -> None:
    """Check that facets that meet the ball have two cells, and that the faces that meet it satisfy Euler's relation."""
    alone = facets_in_ball(complex) & ~complex.facets.inner
    if alone.any():
        raise not_right(f"facet {int(np.argmax(alone))} meets {complex.domain!r} and has one cell")
    euler = 0
    for k, faces in enumerate(lattice.levels):
        euler += (-1) ** k * int(faces_in_ball(complex, faces.first, faces.vertices).sum())
    if euler != (-1) ** complex.dimension:
        raise not_right(
            f"the faces that meet {complex.domain!r} have the Euler characteristic {euler}, and an open ball has "
            f"{(-1) ** complex.dimension}"
        )


def check_volumes_of_ball(ball: Ball, total: float, whole: float, extents: Floats, allowed: float) -> None:
    """Check that the cells' total volume is at least the ball's and at most that of the polytope around it.

    total : the sum of the cells' volumes. whole : the volume of the polytope. Both are in slice coordinates, relative
        to a box with sides `extents`, float64 (d,). allowed : the allowed relative error.
    """
    d = ball.dimension
    logarithm = d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1) - np.log(np.diag(ball.unit_map)).sum()
    own = float(np.exp(logarithm - np.log(extents).sum()))
    if np.isfinite(own) and not own * (1.0 - allowed) <= total <= whole * (1.0 + allowed):
        raise not_right(
            f"the cells' volumes add up to {total / own:.9g} of that of {ball!r}, which they cover, and to "
            f"{total / whole:.9g} of that of the polytope around it"
        )


class BallChecks:
    """Checks of one complex in rationals; each raises ComputationError, which says what is wrong."""

    def __init__(self, complex: Complex, geometry: ExactGeometry) -> None:
        ball = ball_of(complex)
        self._complex, self._geometry, self._ball = complex, geometry, ball
        self._center = [Fraction(value) for value in ball.center.tolist()]
        self._metric, self._square = Metric(ball.gram), Fraction(ball.radius) ** 2

    def check_cell(self, cell: int) -> None:
        """Check that a cell meets the ball."""
        complex = self._complex
        if not len(complex.vertices):  # one cell, which is the whole slice
            return
        corners = range(int(complex.first[cell]), int(complex.first[cell + 1]))
        if not self.meets([self._geometry.corner(corner) for corner in corners]):
            raise not_right(f"cell {cell} does not meet {self._ball!r}")

    def check_beyond(self, facet: int, bits: Bits) -> None:
        """Check that the cell across a facet, which is not in the complex, misses the ball. bits : its pattern.

        Cells of more than four dimensions, or with more than 256 forms, are not checked.
        """
        network = self._geometry.network
        bounds = network.bounds(bits)
        if bounds is None:
            raise not_right(f"behind facet {facet} there is no open set, and the domain does not end there")
        forms = [
            *network.walls,
            *dict.fromkeys(form for _, form in bounds),
        ]  # the walls first: few corners
        if len(forms) > MOST_FORMS or network.dimension > MOST_CHECKED_DIMENSIONS:
            return
        try:
            corners = corners_within([tuple(map(int, form)) for form in forms], network.dimension)
        except DomainError as error:
            raise not_right(f"behind facet {facet} there is no open set ({error})") from error
        if self.meets(list(corners.rays)):
            raise not_right(f"facet {facet} has one cell, and the cell on its other side meets {self._ball!r}")

    def meets(self, rays: list[Form]) -> bool:
        """Whether the hull of some points meets the ball, proved by a point of the hull or by a direction."""
        points = [steps_from(self._center, ray) for ray in rays]
        inner, weights = deciding_point(points, self._metric, self._square)
        x = combined(points, inner, weights)
        lowered = self._metric.lowered(x)
        length = plain(x, lowered)
        if length < self._square and min(weights) >= 0 and sum(weights) == 1:
            return True
        if not self.is_beyond(points, lowered, length):
            raise not_right(f"whether a cell meets {self._ball!r} cannot be shown")
        return False

    def is_beyond(self, points: list[Point], lowered: Point, length: Fraction) -> bool:
        """Whether all points are at least a radius away along a direction x. lowered : gram @ x. length : x gram x, a
        squared length."""
        along = [plain(point, lowered) for point in points]
        return min(along) > 0 and min(along) ** 2 >= self._square * length
