"""Bounds on the smallest number of convex polyhedra of a polyhedral complex on each of which the network is affine.

A connected set of cells is convex if it is convex at each of its ridges (faces of dimension d - 2), because a generic
path between two points avoids all faces of lower dimension when it is pulled straight. The facets around a ridge inside
the domain are in cyclic order; if some of them are removed, the sectors between the others are the polyhedra near the
ridge. They form a complex there if no facet is left, if two are left that lie in one hyperplane, or if three or more
are left with less than half a turn between neighbours. A sector of exactly half a turn beside others is convex, but
then a polyhedron ends in the interior of another one's facet.

Lower bound: linear regions that are not convex need at least two polyhedra each, and so do those that have others
ending in the interior of one of their facets; all others need one. If there are none of these two kinds, every facet is
a facet on both sides, so the linear regions form a complex.

Upper bound: starting from the cells, facets at which the gradient does not jump are removed one after the other,
together with all facets that must then be removed too, as long as a complex remains.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.exact_geometry import ExactGeometry, value
from creases.complex.linear import components

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.complex.faces import Faces
    from creases.complex.skeleton import Facets

__all__ = ["convex_bounds"]

Bools = NDArray[np.bool_]


class Ridge(NamedTuple):
    """The facets and the cells around a ridge: cell i lies between facet i and the next."""

    facets: list[int]
    cells: list[int]


def convex_bounds(complex: Complex, geometry: ExactGeometry) -> tuple[int, int]:
    """The lower and the upper bound."""
    regions = int(complex.linear_regions.max()) + 1
    smooth = complex.facets.inner & ~complex.jumps
    if complex.dimension - len(complex.lineality) < 2 or not smooth.any():
        return regions, regions
    ridges = Ridges(complex, geometry, smooth)
    parted = {region for place in range(len(ridges.around)) for region in ridges.parted_regions(place)}
    if not parted:
        return regions, regions
    kept = ridges.with_few_facets(np.flatnonzero(smooth).tolist())
    pairs = complex.facets.cells[complex.facets.inner & ~kept]
    return regions + len(parted), int(components(len(complex), pairs).max()) + 1


def members(faces: Faces | Facets, i: int) -> list[int]:
    """The vertices of a face."""
    found: list[int] = faces.vertices[faces.first[i] : faces.first[i + 1]].tolist()
    return found


class Ridges:
    """The ridges inside the domain that have a facet at which the gradient does not jump.

    around : the facets and cells around each ridge. vertices : the vertices of each.
    """

    def __init__(self, complex: Complex, geometry: ExactGeometry, smooth: Bools) -> None:
        self._complex, self._geometry, self._smooth = complex, geometry, smooth
        self._signs: dict[tuple[int, int, int], int] = {}
        d = complex.dimension
        of_facets = complex.incidence(d - 1)
        inside = np.ones(of_facets.shape[1], np.bool_)
        inside[of_facets[~complex.facets.inner].indices] = False
        wanted = np.zeros_like(inside)
        wanted[of_facets[smooth].indices] = True
        facets = of_facets.T.tocsr()
        numbers = np.flatnonzero(inside & wanted).tolist()
        self.vertices = [set(members(complex.faces(d - 2), r)) for r in numbers]
        self.around = [self._circle(facets.indices[facets.indptr[r] : facets.indptr[r + 1]].tolist()) for r in numbers]
        self._of_facet: dict[int, list[int]] = {}
        for place, ridge in enumerate(self.around):
            for facet in ridge.facets:
                self._of_facet.setdefault(facet, []).append(place)

    def _circle(self, facets: list[int]) -> Ridge:
        """The facets of a ridge in cyclic order."""
        cells = {facet: self._complex.facets.cells[facet].tolist() for facet in facets}
        order, between = [facets[0]], [cells[facets[0]][1]]
        left = set(facets[1:])
        while left:
            after = next(facet for facet in left if between[-1] in cells[facet])
            left.remove(after)
            order.append(after)
            between.append(sum(cells[after]) - between[-1])
        return Ridge(order, between)

    def turn(self, place: int, one: int, other: int) -> int:
        """The sign of the turn from one facet of a ridge to another: positive for less than half a turn, zero for half
        a turn. one, other : positions around the ridge."""
        ridge = self.around[place]
        key = ridge.facets[one], ridge.cells[one], ridge.facets[other]
        if key not in self._signs:
            complex, (facet, cell, end) = self._complex, key
            sides = np.arange(complex.sides.first[cell], complex.sides.first[cell + 1])
            side = int(sides[np.argmax(complex.side_facets[sides] == facet)])
            form = self._geometry.form(cell, int(complex.sides.walls[side]))
            beyond = set(members(complex.facets, end)) - self.vertices[place]
            there = value(form, self._geometry.vertex(min(beyond)))
            self._signs[key] = (there > 0) - (there < 0)
        return self._signs[key]

    def sectors(self, place: int, kept: Bools) -> list[tuple[int, int]]:
        """The positions of the remaining facets, each with the next one."""
        here = [i for i, facet in enumerate(self.around[place].facets) if kept[facet]]
        return list(zip(here, here[1:] + here[:1], strict=True))

    def parted_regions(self, place: int) -> set[int]:
        """The linear regions that are divided near a ridge in every complex: they are not convex there, or they take up
        half a turn beside other regions, so that the ridge is a face inside one of their facets."""
        cells, regions = self.around[place].cells, self._complex.linear_regions
        sectors = self.sectors(place, ~self._smooth)
        most = 1 if len(sectors) > 2 else 0
        return {int(regions[cells[one]]) for one, other in sectors if self.turn(place, one, other) < most}

    def is_whole(self, place: int, kept: Bools) -> bool:
        """Whether the remaining facets form a complex near a ridge."""
        sectors = self.sectors(place, kept)
        if len(sectors) < 2:
            return not sectors
        turns = [self.turn(place, one, other) for one, other in sectors]
        return turns == [0, 0] or (len(turns) > 2 and min(turns) > 0)

    def with_few_facets(self, smooth: list[int]) -> Bools:
        """The facets that remain when no more can be removed, bool (facets,)."""
        kept = np.ones(len(self._smooth), np.bool_)
        for facet in smooth:
            if kept[facet]:
                gone = self.removed_with(facet, kept)
                if gone is None:
                    continue
                kept = gone
        return kept

    def removed_with(self, facet: int, kept: Bools) -> Bools | None:
        """The remaining facets after one is removed, with all that must be removed too; None if no complex remains."""
        kept = kept.copy()
        kept[facet] = False
        waiting = list(self._of_facet.get(facet, []))
        while waiting:
            place = waiting.pop()
            if self.is_whole(place, kept):
                continue
            further = self.to_remove(place, kept)
            if further is None:
                return None
            kept[list(further)] = False
            waiting += [other for each in further for other in self._of_facet[each]]
        return kept

    def to_remove(self, place: int, kept: Bools) -> tuple[int, ...] | None:
        """The smallest set of facets whose removal leaves a complex near a ridge; None if there is none."""
        free = [facet for facet in self.around[place].facets if kept[facet] and self._smooth[facet]]
        for count in range(1, len(free) + 1):
            for some in combinations(free, count):
                without = kept.copy()
                without[list(some)] = False
                if self.is_whole(place, without):
                    return some
        return None
