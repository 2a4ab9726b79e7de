"""The corners and the walls of a complex's cells in whole numbers, from the weights and the domain alone.

Forms and points are in homogeneous coordinates (u, w), k = d + 1 whole numbers; w = 0 is a direction. Of directions
the last number of each form is zero.
"""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.complex.faults import not_right
from creases.domain import Directions
from creases.exact_levels import Bits
from creases.exact_network import ExactNetwork, Form, unpacked

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["ExactGeometry", "nearest", "value"]


def value(form: Form, ray: Form) -> Any:
    """A form's value at a ray."""
    return sum((x * y for x, y in zip(form, ray, strict=True)), fmpz(0))


def nearest(ray: Form) -> NDArray[np.float64]:
    """A point rounded to floats, or a direction of length one."""
    *u, w = ray
    if w:
        return np.array([quotient(x, w) for x in u])
    longest = max(abs(x) for x in u)
    direction = np.array([quotient(x, longest) for x in u])
    return np.asarray(direction / np.linalg.norm(direction))


def quotient(above: Any, below: Any) -> float:
    """The float nearest to a fraction; the largest one beyond."""
    try:
        return int(above) / int(below)
    except OverflowError:
        return sys.float_info.max if (above > 0) == (below > 0) else -sys.float_info.max


def orthogonal(directions: list[Form]) -> list[Form]:
    """Directions at right angles to one another that span the same as independent ones (Gram and Schmidt)."""
    across: list[Form] = []
    for direction in directions:
        for line in across:
            along, square = value(line, direction), value(line, line)
            direction = tuple(square * x - along * y for x, y in zip(direction, line, strict=True))
        common = fmpz(0)
        for x in direction:
            common = common.gcd(x)
        across.append(tuple(x // common for x in direction))
    return across


class ExactGeometry:
    """The forms that bound cells, and the corners where they meet. Each cell's are made when it is first asked for.

    network : the network on the domain in whole numbers.
    """

    def __init__(self, complex: Complex) -> None:
        self._complex = complex
        self.network = ExactNetwork(complex.network, complex.domain)
        d = complex.dimension
        self.is_cone = isinstance(complex.domain, Directions)
        self._infinity: Form = tuple(fmpz(int(i == d)) for i in range(d + 1))
        self._walls = {-2 - i: wall for i, wall in enumerate(self.network.walls)}
        self._forms: tuple[int, dict[int, Form]] = (-1, {})
        self._corners: dict[int, Form] = {}

    def bits(self, cell: int) -> Bits:
        """The pattern of a cell, a byte a bit."""
        return unpacked(self._complex.patterns[cell], self.network.bits)

    def forms(self, cell: int) -> dict[int, Form]:
        """All that may bound a cell, by the numbers of walls: inward forms of neurons, pairs of candidates, and the
        domain's own walls. Raises ComputationError if no open set has its pattern."""
        if self._forms[0] != cell:
            bounds = self.network.bounds(self.bits(cell))
            if bounds is None:
                raise not_right(f"no open set of the domain has the pattern of cell {cell}")
            self._forms = cell, {**dict(bounds), **self._walls}
        return self._forms[1]

    def form(self, cell: int, wall: int) -> Form:
        """The inward form of one wall of a cell. Raises ComputationError if it does not vanish anywhere near it."""
        own_form = self.forms(cell).get(wall)
        if own_form is None:
            raise not_right(
                f"{self._complex.wall_name(wall)} is said to bound cell {cell}, where it vanishes everywhere, or is not"
            )
        return own_form

    @cached_property
    def lines(self) -> list[Form]:
        """Directions along which a line lies in every cell, at right angles to one another, from the forms of cell 0.

        They are made so here: floats of some that are nearly parallel would not tell what is at right angles to both.
        """
        d = self._complex.dimension
        gradients = [list(form[:d]) for form in self.forms(0).values()]
        null, count = fmpz_mat(gradients or [[0] * d]).nullspace()
        return orthogonal([(*(null[c, i] for c in range(d)), fmpz(0)) for i in range(count)])

    def corner(self, corner: int) -> Form:
        """The point or direction of a corner: where the walls meet on which it lies. w > 0 of a point.

        Of a cell with lines in it that is the one at right angles to them. Raises ComputationError if the walls do not
        meet in one point, or at infinity where they should not.
        """
        if corner not in self._corners:
            self._corners[corner] = self._meeting(corner)
        return self._corners[corner]

    def vertex(self, vertex: int) -> Form:
        """A vertex of the complex, as `corner` has one of its corners."""
        return self.corner(int(self._corners_of_vertices[vertex]))

    @cached_property
    def _corners_of_vertices(self) -> NDArray[np.int64]:
        numbers = self._complex.vertex_numbers
        own = np.flatnonzero(numbers >= 0)[::-1]
        found = np.zeros(len(self._complex.vertices), np.int64)
        found[numbers[own]] = own
        return found

    def _meeting(self, corner: int) -> Form:
        complex = self._complex
        cell = int(np.searchsorted(complex.first, corner, side="right")) - 1
        sides = complex.sides
        forms = [self.form(cell, int(sides.walls[side])) for side in self.sides_of(corner)]
        far = bool(complex.at_infinity[corner])
        if far:  # of directions, that the last number is zero
            forms.append(self._infinity)
        rows = [list(form) for form in (*forms, *self.lines)]
        null, count = fmpz_mat(rows or [[0] * (complex.dimension + 1)]).nullspace()
        if count != 1:
            raise not_right(f"the walls on which corner {corner} of cell {cell} lies do not meet in one point")
        ray = tuple(null[c, 0] for c in range(complex.dimension + 1))
        if bool(ray[-1] == 0) != far:
            raise not_right(f"corner {corner} of cell {cell} is {'no' if far else 'a'} point at infinity")
        turned = ray[-1] < 0 if not far else float(nearest(ray) @ complex.corners[corner]) < 0.0
        return tuple(-x for x in ray) if turned else ray

    @cached_property
    def _sides_of_corners(self) -> Any:
        from creases.complex.faces import sides_of_corners

        return sides_of_corners(self._complex)

    def sides_of(self, corner: int) -> list[int]:
        """The sides on which a corner lies."""
        first, sides = self._sides_of_corners
        found: list[int] = sides[first[corner] : first[corner + 1]].tolist()
        return found

    def middle(self, corners: list[int]) -> Form:
        """A ray strictly between some corners; zero for none."""
        total = tuple(fmpz(0) for _ in range(self._complex.dimension + 1))
        for corner in corners:
            total = tuple(a + b for a, b in zip(total, self.corner(corner), strict=True))
        return total
