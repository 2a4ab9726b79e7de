"""Answers for the cells on which floats cannot prove a sign, for that cell's open questions only.

The kernel stops with UNPROVED_CELL and lists (row, corner) pairs in `asks`. The corner is where two known
forms vanish, so its sign under the row's form is that of a determinant: in double-double with a bound first, in
integers where that proves nothing. The corners' coordinates are then
set to the floats nearest to the true ones, so that most later signs on the cell need no rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, reduce
from operator import or_
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.double_description import bits_of, dot
from creases.engine.problem import Floats, Ints, Pattern, Problem
from creases.engine.proof.doubled import DoubledForms, DoubledRows, doubled_wall, edge_sign
from creases.engine.proof.edges import RationalEdges, difference
from creases.engine.proof.rational import meeting_ray, nearest_point, rational_corners
from creases.engine.proof.rational_forms import RationalForms
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.state.cell_layout import (
    CELL,
    CORNER_ERROR,
    FACETS_A_WORD,
)
from creases.engine.state.facet_masks import words_of_places
from creases.engine.state.network_layout import (
    FIELDS,
    FIRST_ROW,
    HEADER,
    IDS,
    LOWEST,
    PAIR_COLUMNS,
    PAIR_IDS,
    ROWS,
    SECOND_ROW,
)
from creases.engine.state.pattern import bits_of_words, number_of_words
from creases.engine.state.slots import (
    ASKED,
    BY_NEURON,
    CORNERS,
    EXACT_CELLS,
    HAVE,
    NETWORK,
    PLACES,
    SCANNED,
    UNPROVED_SIGNS,
    VANISHED,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["Oracle", "facets_at", "has_tie"]


Bools = NDArray[np.bool_]

# A row of the lowest layer: its neuron, or of a pair of candidates the one and the one it is compared with.
Units = tuple[int, int | None]
# What gives the forms of a layer's units on a pattern.
Forms = Callable[[int, Pattern], DoubledRows]

# Of a few hundred bytes each.
KEPT_CORNERS = 50_000


class RationalCorner(NamedTuple):
    """A corner of a cell in space.

    ray : in homogeneous coordinates, whole numbers. place : the nearest floats, and what they are off.
    """

    ray: Any
    place: tuple[float, ...]


class Oracle:
    """Decides the questions of one starting cell's workspace.

    problem : the arrays that were given. chart : the cell's chart. walls : exact forms of edges that are not
    neurons, by -2 - edge id.
    """

    def __init__(self, problem: Problem, chart: Floats, walls: list[Any]) -> None:
        self._problem, self._chart, self._walls = problem, chart, walls
        self._corners: dict[tuple[tuple[int, ...], int], RationalCorner] = {}

    @cached_property
    def _edges(self) -> RationalEdges:  # made when the first question comes: most cuts ask none
        return RationalEdges(RationalForms.of(self._problem, self._chart), self._walls)

    @cached_property
    def _doubled(self) -> DoubledForms:
        return DoubledForms(self._problem, self._chart)

    @cached_property
    def _parent(self) -> RationalForms:
        return RationalForms.of(self._problem, self._problem.frame)

    def answer_vanishing(self, work: AnyWork) -> None:
        """On a wall: leave the current cell if a row of its lowest layer vanishes on it but not in the parent, whose
        regions end there; else let the loop go on with it."""
        layer, _, pattern = self.place_of(work)
        here, parent = self._edges.forms.forms(layer, pattern), self._parent.forms(layer, pattern)
        groups = self._problem.graph.layer(layer).groups
        doubts = self._problem.graph.layer(layer).doubts
        if doubts is not None and is_doubtful(here, ~doubts.is_exact, groups, pattern[layer]):
            work.state[UNPROVED_SIGNS] += 1
        if groups is not None:
            ends = has_tie(groups.tolist(), pattern[layer].tolist(), here, parent)
        else:
            ends = any(not any(row) and any(form) for row, form in zip(here, parent, strict=True))
        if ends:
            if work.state[BY_NEURON] and groups is None:
                self.tally_on_wall(work, layer, here, parent)
            for row, corner in work.asks[: int(work.state[ASKED])].tolist():
                work.answers_nc[row, corner] = UNPROVED
            work.state[ASKED] = work.state[HAVE] = 0
        else:
            work.state[SCANNED] = 1
        work.state[VANISHED] = 0

    def tally_on_wall(self, work: AnyWork, layer: int, here: list[Any], parent: list[Any]) -> None:
        """What the loop would have tallied of the region of the layers below that the current cell is, for each neuron.

        One that cuts the parent's region right along the wall cuts neither half of it: taken off as -1, the wall makes
        up for that. All this is seen on the cell that the layers below have left, before any row of the layer cuts it.
        """
        rays, first = self.rays_of(work), self._edges.first_neuron(layer)
        for j, (row, form) in enumerate(zip(here, parent, strict=True)):
            values = [dot(row, ray) for ray in rays]
            work.by_neuron[first + j] += (min(values) < 0 < max(values)) if any(row) else -any(form)

    def rays_of(self, work: AnyWork) -> list[Any]:
        """The current cell's corners in homogeneous coordinates, whole numbers."""
        _, _, pattern = self.place_of(work)
        if isinstance(work, SpaceWork):
            return [corner.ray for corner in self.corners_of(work, pattern)]
        edge_ids = work.cell_ints[CELL, : int(work.state[CORNERS]), 0].tolist()
        return rational_corners([self._edges.edge(number, pattern) for number in edge_ids])

    @property
    def is_doubted(self) -> bool:
        """Whether the graph's numbers are near those of the network that is meant, and not they."""
        return self._problem.graph.is_doubted

    def answer(self, work: AnyWork) -> None:
        """Write the sign of every asked pair into answers_nc: in double-double where that proves it, else exactly."""
        if isinstance(work, SpaceWork):
            self.answer_in_space(work)
        else:
            self.answer_in_plane(work)

    def answer_in_space(self, work: SpaceWork) -> None:
        """`answer` for a polytope, in integers: a corner is where the facets of its mask meet."""
        state = work.state
        layer, listed, pattern = self.place_of(work)
        asked = [(row, units_of_row(work, layer, listed, row), v) for row, v in open_questions(work)]
        rows = self._edges.forms.some(layer, units_asked(asked), pattern)
        corners = self.corners_of(work, pattern)
        for row, units, v in asked:
            value = dot(form_of(rows, units), corners[v].ray)
            work.answers_nc[row, v] = POSITIVE if value > 0 else NEGATIVE if value < 0 else ZERO
        if self.is_doubted:  # the true corners are elsewhere
            known = self._doubled.forms(layer, pattern)
            state[UNPROVED_SIGNS] += sum(not known.is_zero(*units) for _, units, _ in asked)
            return
        state[EXACT_CELLS] += 1
        work.points[CELL, :, : len(corners)] = np.array([corner.place for corner in corners]).T

    def corners_of(self, work: SpaceWork, pattern: Pattern) -> list[RationalCorner]:
        """The current cell's corners: each is where the facets of its mask meet."""
        active = number_of_words(work.pattern)
        masks, ids = facets_at(work)
        return [self.corner(tuple(sorted(ids[place] for place in bits_of(mask))), active, pattern) for mask in masks]

    def corner(self, facets: tuple[int, ...], active: int, pattern: Pattern) -> RationalCorner:
        """Where facets with these ids meet, on a pattern whose bits are `active` too. Kept: cells share their corners.

        A facet's form depends on the layers below its own.
        """
        layer = max(map(self._edges.layer, facets))
        key = facets, active & ((1 << self._edges.first_neuron(layer)) - 1)
        corner = self._corners.get(key)
        if corner is None:
            ray = meeting_ray([self._edges.edge(facet, pattern) for facet in facets])
            near, worst = nearest_point(ray)
            corner = RationalCorner(ray, (*near, worst))
            if len(self._corners) == KEPT_CORNERS:
                self._corners.clear()
            self._corners[key] = corner
        return corner

    def place_of(self, work: AnyWork) -> tuple[int, int, Pattern]:
        """The current cell's lowest open layer, where its neurons are listed in `ints`, and the cell's pattern."""
        bits = bits_of_words(work.pattern)
        net = int(work.state[NETWORK])
        layer = int(work.ints[net + LOWEST])
        return layer, int(work.ints[net + HEADER + FIELDS * layer + IDS]), self._edges.pattern(bits)

    def answer_in_plane(self, work: Work) -> None:
        """`answer` for a line or a plane."""
        state = work.state
        layer, ids, pattern = self.place_of(work)
        asked = [(row, units_of_row(work, layer, ids, row), corner) for row, corner in open_questions(work)]
        edge_ids = work.cell_ints[CELL, : int(state[CORNERS]), 0].tolist()
        left = asked
        for forms in (self._doubled.forms, self.precise) if self.is_doubted else (self._doubled.forms,):
            for row, corner, sign in self.doubled_signs(left, edge_ids, layer, pattern, forms):
                work.answers_nc[row, corner] = sign
            left = [item for item in left if work.answers_nc[item[0], item[2]] == UNPROVED]
            if not left:
                return
        exact = self._edges.forms.some(layer, units_asked(left), pattern)
        corners = rational_corners([self._edges.edge(number, pattern) for number in edge_ids])
        for row, units, corner in left:
            value = dot(form_of(exact, units), corners[corner])
            work.answers_nc[row, corner] = POSITIVE if value > 0 else NEGATIVE if value < 0 else ZERO
        if self.is_doubted:  # the true corners are elsewhere
            state[UNPROVED_SIGNS] += len(left)
            return
        state[EXACT_CELLS] += 1
        self.sharpen(work, corners)

    def precise(self, layer: int, pattern: Pattern) -> DoubledRows:
        """The forms of a layer of the network that a graph of doubted numbers stands for."""
        rows: DoubledRows = self._problem.graph.precise(layer, pattern, self._chart)
        return rows

    def doubled_signs(
        self, asked: list[tuple[int, Units, int]], edge_ids: list[int], layer: int, pattern: Pattern, forms: Forms
    ) -> Iterator[tuple[int, int, int]]:
        """(row, corner, sign) of asked (row, units, corner), by double-double; the sign may be UNPROVED.

        forms : of the units of a layer on a pattern.
        """
        rows = forms(layer, pattern)
        # Those that meet where a sign is asked: a polygon may have thousands of others.
        beside_asked = {v for _, _, corner in asked for v in (corner, (corner or len(edge_ids)) - 1)}
        edges = {v: self.doubled_edge(edge_ids[v], pattern, forms) for v in beside_asked}
        for row, (unit, less), corner in asked:
            before = (corner or len(edge_ids)) - 1
            if self.is_doubted and rows.is_zero(unit, less):
                yield row, corner, ZERO
                continue
            beside = [edges[corner]] if len(rows.hi[0]) == 2 else [edges[before], edges[corner]]
            yield row, corner, edge_sign(beside, rows.row(unit) if less is None else rows.difference(unit, less))

    def doubled_edge(self, number: int, pattern: Pattern, forms: Forms) -> Any:
        """The inward form of an edge in double-double."""
        if number < 0:
            return doubled_wall(self._edges.wall(number))
        layer, unit, other = self._edges.units(number)
        rows, sign = forms(layer, pattern), 1.0 if pattern[layer][unit] else -1.0
        return rows.row(unit, sign) if other is None else rows.difference(unit, other, sign)

    def sharpen(self, work: Work, corners: list[Any]) -> None:
        """Set the current cell's corners to the floats nearest to the true ones."""
        for v, ray in enumerate(corners):
            near, worst = nearest_point(ray)
            work.cell_reals[CELL, v, : len(near)] = near
            work.cell_reals[CELL, v, CORNER_ERROR] = worst


def units_of_row(work: AnyWork, layer: int, listed: int, row: int) -> Units:
    """The neuron of a row of the lowest layer, and None; or of a pair the second candidate, and the first."""
    base = int(work.state[NETWORK]) + HEADER + FIELDS * layer
    rows = int(work.ints[base + ROWS])
    if row < rows:
        return int(work.ints[listed + row]), None
    place = int(work.ints[base + PAIR_IDS]) + PAIR_COLUMNS * (row - rows)
    one, other = (int(work.ints[place + which]) for which in (FIRST_ROW, SECOND_ROW))
    return int(work.ints[listed + other]), int(work.ints[listed + one])


def units_asked(asked: list[tuple[int, Units, int]]) -> list[int]:
    """The units whose forms decide some questions."""
    return [unit for _, units, _ in asked for unit in units if unit is not None]


def form_of(rows: list[Any], units: Units) -> Any:
    """The exact form of a row, from those of its layer's units."""
    unit, less = units
    return rows[unit] if less is None else difference(rows[unit], rows[less])


def is_doubtful(here: list[Any], loose: Bools, groups: Ints | None, on: Bools) -> bool:
    """Whether a row that is zero on a wall, or a candidate that equals its switch's winner there, is doubted.

    here : the rows on the wall. loose : which of them have doubted numbers. on : which candidates win.
    """
    if groups is None:
        return any(not any(here[i]) for i in np.flatnonzero(loose).tolist())
    winner = {switch: i for i, switch in enumerate(groups.tolist()) if on[i]}
    pairs = [(i, winner[switch]) for i, switch in enumerate(groups.tolist()) if winner[switch] != i]
    return any((loose[i] or loose[j]) and here[i] == here[j] for i, j in pairs)


def has_tie(groups: list[int], won: list[bool], here: list[Any], parent: list[Any]) -> bool:
    """Whether a candidate is equal to its switch's winner on a wall, but not in the parent, whose regions end there."""
    winner = {switch: i for i, switch in enumerate(groups) if won[i]}
    return any(
        here[i] == here[winner[switch]] and parent[i] != parent[winner[switch]] for i, switch in enumerate(groups)
    )


def open_questions(work: AnyWork) -> list[tuple[int, int]]:
    """Row and corner of the signs that were asked and are not answered: the loop answers some itself."""
    asked: list[tuple[int, int]] = work.asks[: int(work.state[ASKED])].tolist()
    return [(row, v) for row, v in asked if work.answers_nc[row, v] == UNPROVED]


def facets_at(work: SpaceWork) -> tuple[list[int], dict[int, int]]:
    """The masks of the current cell's corners, and the id of the facet that each bit of them stands for."""
    words = work.masks[CELL, : words_of_places(int(work.state[PLACES])), : int(work.state[CORNERS])].tolist()
    masks = [sum(part << FACETS_A_WORD * word for word, part in enumerate(parts)) for parts in zip(*words, strict=True)]
    # Only bits that are set: slots of others may name facets that another workspace had.
    return masks, {place: int(work.facet_ints[work.slots[place]]) for place in bits_of(reduce(or_, masks))}
