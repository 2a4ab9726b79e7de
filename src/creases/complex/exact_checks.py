"""Check cells and facets of a complex in integers, with arithmetic of its own (`creases.exact_network`).

A cell is correct if its corners are the intersections of the walls on which they are said to lie; if no neuron and no
pair of candidates has a sign there that the cell's pattern forbids; if a corner lies on no other sides than it is said
to; and if at the interior point all signs are strictly those of the pattern. The forms of a pattern are computed level
by level, so a point at which all of them have the signs of the pattern has this pattern.

A facet is correct if an infinitesimal step from a point inside it leads into each of its cells: the network, evaluated
there, has their patterns. So these differ only in the neurons that vanish on the facet.
"""

from __future__ import annotations

from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from creases.complex.ball_checks import BallChecks
from creases.complex.exact_geometry import ExactGeometry, nearest, value
from creases.complex.faults import CORNER_TOLERANCE, not_right, size_of
from creases.complex.skeleton import NO_CELL, NO_VERTEX
from creases.domain import Ball
from creases.exact_network import Form
from creases.rationals import whole

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["ExactChecks"]

Floats = NDArray[np.float64]

# Bounds the error of a direction of length one whose entries are rounded to the nearest float, and of its length.
ROUNDED = 2.0**-50


class ExactChecks:
    """Checks of one complex; each raises ComputationError, which says what is wrong."""

    def __init__(self, complex: Complex) -> None:
        self._complex = complex
        self._geometry = ExactGeometry(complex)
        self._size = size_of(complex.domain)
        self._ball = BallChecks(complex, self._geometry) if isinstance(complex.domain, Ball) else None
        stored, true = len(complex.lineality), len(self._geometry.lines)
        if stored != true:
            raise not_right(f"lines in {stored} directions are said to lie in its cells, and there are {true}")
        lines = np.array([nearest(line) for line in self._geometry.lines]).reshape(true, complex.dimension)
        self._lines = lines.T
        along = complex.lineality - complex.lineality @ self._lines @ self._lines.T
        if (np.abs(along) > CORNER_TOLERANCE).any():
            raise not_right("the lines in its cells have other directions than those that are stored")

    def check_cell(self, cell: int) -> float:
        """Check one cell; returns the largest error of its corners, relative to the size of the domain."""
        complex, geometry = self._complex, self._geometry
        forms = geometry.forms(cell)
        numbers = np.arange(complex.first[cell], complex.first[cell + 1])
        worst = 0.0
        for corner in numbers[complex.vertex_numbers[numbers] != NO_VERTEX].tolist():
            ray = geometry.corner(corner)
            values = {wall: value(form, ray) for wall, form in forms.items()}
            for wall, there in values.items():
                if there < 0:
                    raise not_right(f"corner {corner} of cell {cell} lies beyond {complex.wall_name(wall)}")
            on = set(geometry.sides_of(corner))
            for side in range(int(complex.sides.first[cell]), int(complex.sides.first[cell + 1])):
                if (values[int(complex.sides.walls[side])] == 0) != (side in on):
                    said = "" if side in on else "not "
                    name = complex.wall_name(int(complex.sides.walls[side]))
                    raise not_right(f"corner {corner} of cell {cell} is said {said}to lie on {name}")
            worst = max(worst, self.distance(corner, ray))
        self.check_point(cell)
        if self._ball is not None:
            self._ball.check_cell(cell)
        return worst

    def distance(self, corner: int, ray: Form) -> float:
        """The distance of a stored corner from the true one; zero if it is the nearest float."""
        stored, true = self._complex.corners[corner], nearest(ray)
        if np.array_equal(stored, true):
            return 0.0
        with np.errstate(all="ignore"):
            off = stored - true
            size = 1.0
            if not self._complex.at_infinity[corner]:
                own = float(np.abs([true, stored] if len(self._lines.T) else true).max())
                size = self._size if np.isfinite(self._size) else own
            elif len(self._lines.T):
                off = self.off_lines(stored, ray)
            distance = float(np.abs(off - self._lines @ (self._lines.T @ off)).max()) / size
        if not distance <= CORNER_TOLERANCE:
            raise not_right(
                f"corner {corner} is stored as {stored.tolist()}, and the walls on which it lies meet in "
                f"{true.tolist()}"
            )
        return distance

    def off_lines(self, stored: Floats, ray: Form) -> Floats:
        """The error of a stored direction up to a component along the lineality directions, relative to its component
        perpendicular to them. That component may be small, so errors of the size of rounding to floats are accepted."""
        rest = [Fraction(x) for x in stored.tolist()]
        for direction in (ray, *self._geometry.lines):  # orthogonal to one another
            numbers = [int(x) for x in direction[:-1]]
            share = sum(map(mul, rest, numbers), Fraction(0)) / sum(x * x for x in numbers)
            if direction is ray:
                across = abs(share) * max(map(abs, numbers))
                if share <= 0:
                    return np.full(len(stored), np.inf)
            rest = [x - share * y for x, y in zip(rest, numbers, strict=True)]
        largest = max(map(abs, rest))
        return np.array([float(x if largest <= ROUNDED else x / across) for x in rest])

    def check_point(self, cell: int) -> None:
        """Check that the interior point of a cell lies strictly inside."""
        complex = self._complex
        point = complex.exact_interior_points.get(cell, complex.interior_points[cell].tolist())
        weight = 0 if self._geometry.is_cone else 1
        ray = tuple(map(fmpz, whole([*map(Fraction, point), weight])))
        for wall, form in self._geometry.forms(cell).items():
            if value(form, ray) <= 0:
                raise not_right(f"the point inside cell {cell} is not on the inner side of {complex.wall_name(wall)}")

    def check_facet(self, facet: int) -> None:
        """Check the patterns on both sides of one facet."""
        complex, geometry = self._complex, self._geometry
        wall = int(complex.facets.walls[facet])
        one, other = complex.facets.cells[facet].tolist()
        sides = np.arange(complex.sides.first[one], complex.sides.first[one + 1])
        side = int(sides[np.argmax(complex.side_facets[sides] == facet)])
        if complex.side_facets[side] != facet:
            raise not_right(f"facet {facet} is no side of its cell {one}")
        on = complex.sides.corners[complex.sides.corner_first[side] : complex.sides.corner_first[side + 1]]
        point = geometry.middle(on.tolist())
        form = geometry.form(one, wall)
        if value(form, point):
            raise not_right(f"facet {facet} does not lie on {complex.wall_name(wall)}")
        inward = (*form[:-1], fmpz(0))
        outward = tuple(-x for x in inward)
        patterns = geometry.network.patterns([(point, inward), (point, outward)])
        for cell, pattern in zip((one, other), patterns, strict=True):
            if cell != NO_CELL and pattern != geometry.bits(cell):
                raise not_right(f"beside facet {facet} the network has another pattern than its cell {cell}")
        if self._ball is not None and other == NO_CELL and wall >= 0:
            self._ball.check_beyond(facet, patterns[1])
