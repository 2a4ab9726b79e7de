"""Cells computed again in rationals, from their patterns: cells divided by walls that are not neurons are merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.double_description import dot, part
from creases.engine.answers.merging import bounding
from creases.engine.problem import FIRST_WALL, INFINITY, Floats, Pattern, Problem
from creases.engine.proof.edges import RationalEdges
from creases.engine.proof.rational import meeting_ray, nearest_float, scaled
from creases.errors import ComputationError
from creases.rationals import independent

__all__ = ["Rebuilder", "Rebuilt", "nearest_corner"]

Bools = NDArray[np.bool_]


class Rebuilt(NamedTuple):
    """One cell: its corners, float64 (c, d), which of them are directions, bool (c,), and its sides: the wall of each,
    and the corners on it."""

    corners: Floats
    at_infinity: Bools
    walls: list[int]
    on: list[list[int]]


class Rebuilder:
    """Computes cells of one problem that contain no lines."""

    def __init__(self, problem: Problem) -> None:
        self._edges = RationalEdges.of(problem)
        self._directions = problem.directions
        self._k = problem.frame.shape[1]

    def rebuilt(self, bits: Bools, likely: Iterable[int]) -> Rebuilt:
        """The cell with a pattern. likely : numbers of walls that probably bound it, which are tried first."""
        cone = self.cone(bits, likely)
        far = [self._directions or ray[-1] == 0 for ray in cone.rays]
        corners = np.array([nearest_corner(ray, at) for ray, at in zip(cone.rays, far, strict=True)])
        walls, on = [], []
        for number, mine in cone.facets():
            if number != INFINITY:
                walls.append(number)
                on.append(mine)
        return Rebuilt(corners[:, : self._k if self._directions else self._k - 1], np.array(far), walls, on)

    def cone(self, bits: Bools, likely: Iterable[int]) -> GrowingCone:
        """The cell as a cone; the arguments are those of `rebuilt`. Raises ComputationError if it contains a line."""
        pattern = self._edges.pattern(bits)
        cone = GrowingCone(self._k)
        waiting = list(self.walls(pattern, likely))
        chosen = independent([form for _, form in waiting])
        if len(chosen) < self._k:
            raise ComputationError(
                "A line lies in every region, as in whole spaces that a maximum of several parts alone; such regions "
                "are counted, not kept, in three dimensions or more. Use count, or cut a Box."
            )
        cone.begin([waiting[i] for i in chosen])
        for i, (number, form) in enumerate(waiting):
            if i not in chosen:
                cone.cut(number, form)
        return cone

    def walls(self, pattern: Pattern, likely: Iterable[int]) -> Iterator[tuple[int, Any]]:
        """All forms that may bound a cell with this pattern, inward, with their numbers; the likely ones first."""
        known = sorted(number for number in set(likely) if number >= 0)
        numbers = [*known, *range(INFINITY - self._directions, FIRST_WALL - self._edges.walls, -1)]
        for number in numbers:
            yield number, self.shortened(self._edges.edge(number, pattern))
        for number, _ in bounding(self._edges, pattern):
            if number not in known:
                form = self.shortened(self._edges.edge(number, pattern))
                if any(form):
                    yield number, form

    def shortened(self, form: Any) -> Any:
        """A form in as many coordinates as cells have: for directions the last one is removed."""
        return form[: self._k]


class GrowingCone:
    """A pointed cone in k homogeneous coordinates: rays, for each a mask of the forms that vanish on it."""

    def __init__(self, k: int) -> None:
        self._k = k
        self.rays: list[Any] = []
        self._masks: list[int] = []
        self._numbers: list[int] = []

    def begin(self, walls: list[tuple[int, Any]]) -> None:
        """The cone on which k independent forms are not negative."""
        forms = [form for _, form in walls]
        for i, form in enumerate(forms):
            others = [*forms[:i], *forms[i + 1 :]]
            ray = meeting_ray(others) if others else tuple(type(form[0])(1) for _ in form)
            self.rays.append(ray if dot(form, ray) > 0 else scaled(ray, -1))
            self._masks.append(((1 << self._k) - 1) & ~(1 << i))
        self._numbers = [number for number, _ in walls]

    def cut(self, number: int, form: Any) -> None:
        """Keep the part on which one more form is not negative."""
        values = [dot(form, ray) for ray in self.rays]
        bit = 1 << len(self._numbers)
        self._numbers.append(number)
        if all(value > 0 for value in values):
            return
        self.rays, self._masks = part(self.rays, self._masks, values, bit)

    def facets(self) -> Iterator[tuple[int, list[int]]]:
        """The forms that bound the cone, by number, with the rays on each; if several lie on one facet, the first."""
        sets = [{v for v, mask in enumerate(self._masks) if mask >> i & 1} for i in range(len(self._numbers))]
        for i, mine in enumerate(sets):
            hidden = any(mine < other or (mine == other and j < i) for j, other in enumerate(sets) if j != i)
            if not hidden and (mine or self._k == 1):
                yield self._numbers[i], sorted(mine)


def nearest_corner(ray: Any, at_infinity: bool) -> Floats:
    """The floats nearest to a corner with these homogeneous coordinates; for a direction all of them, normalised."""
    if not at_infinity:
        return np.array([*(nearest_float(Fraction(int(x), int(ray[-1]))) for x in ray[:-1]), 1.0])
    longest = max(abs(int(value)) for value in ray)
    direction = np.array([int(value) / longest for value in ray])
    return np.asarray(direction / np.linalg.norm(direction))
