"""The exact corners and walls of a complex's cells in integers, computed from the weights and the domain alone.

Forms and points are in homogeneous coordinates (u, w), k = d + 1 integers; w = 0 is a direction. On `Directions`, the
last entry of each form is zero.
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
    """The value of a form at a ray."""
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
    """The float nearest to a fraction, or the largest float if the fraction exceeds it."""
    try:
        return int(above) / int(below)
    except OverflowError:
        return sys.float_info.max if (above > 0) == (below > 0) else -sys.float_info.max


def orthogonal(directions: list[Form]) -> list[Form]:
    """Orthogonal directions with the same span as the given independent ones (Gram and Schmidt)."""
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
    """The forms that bound cells, and the corners where they meet, computed for each cell when it is first needed.

    network : the network on the domain in integers.
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
        """The pattern of a cell, one byte per bit."""
        return unpacked(self._complex.patterns[cell], self.network.bits)

    def forms(self, cell: int) -> dict[int, Form]:
        """All forms that may bound a cell, by the numbers of walls: inward forms of neurons, of pairs of candidates,
        and of the domain's own walls. Raises ComputationError if no open set has the cell's pattern."""
        if self._forms[0] != cell:
            bounds = self.network.bounds(self.bits(cell))
            if bounds is None:
                raise not_right(f"no open set of the domain has the pattern of cell {cell}")
            self._forms = cell, {**dict(bounds), **self._walls}
        return self._forms[1]

    def form(self, cell: int, wall: int) -> Form:
        """The inward form of one wall of a cell. Raises ComputationError if the cell has no form of this wall."""
        own_form = self.forms(cell).get(wall)
        if own_form is None:
            raise not_right(
                f"{self._complex.wall_name(wall)} is said to bound cell {cell}, where it vanishes everywhere, or is not"
            )
        return own_form

    @cached_property
    def lines(self) -> list[Form]:
        """Orthogonal directions along which every cell contains a line, from the forms of cell 0.

        They are computed here, because floats of nearly parallel directions do not determine what is orthogonal to
        both.
        """
        d = self._complex.dimension
        gradients = [list(form[:d]) for form in self.forms(0).values()]
        null, count = fmpz_mat(gradients or [[0] * d]).nullspace()
        return orthogonal([(*(null[c, i] for c in range(d)), fmpz(0)) for i in range(count)])

    def corner(self, corner: int) -> Form:
        """The point or direction of a corner: the intersection of the walls on which it lies, with w > 0 for a point.

        For a cell that contains lines it is the point orthogonal to them. Raises ComputationError if the walls do not
        meet in one point, or meet at infinity where they should not.
        """
        if corner not in self._corners:
            self._corners[corner] = self._meeting(corner)
        return self._corners[corner]

    def vertex(self, vertex: int) -> Form:
        """The point or direction of a vertex of the complex, as for `corner`."""
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
        if far:  # for directions, the last entry is zero
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
        """A ray strictly between some corners; zero if there are none."""
        total = tuple(fmpz(0) for _ in range(self._complex.dimension + 1))
        for corner in corners:
            total = tuple(a + b for a, b in zip(total, self.corner(corner), strict=True))
        return total
