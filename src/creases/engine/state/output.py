"""Finished cells as the loop writes them out, and how they are read.

Of a line or a plane a cell's numbers in `out_ints` are how many corners it has, for each the id of the edge behind it
and a mark if it is at infinity, and its pattern's words; in `out_reals`, corner after corner, d coordinates in the
starting cell's chart and a bound on their error. In space they are how many facets and corners it has, the ids of the
facets, for each corner a mask with bit i if it lies on facet i, and FAR_BIT if it is at infinity, and the pattern's
words; `out_reals` is as before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.kernel import by_domain, kernel
from creases.engine.problem import Floats, Ints
from creases.engine.state.cell_layout import (
    CELL,
    CORNER_ERROR,
    MOST_FACETS,
    SIMPLE,
)
from creases.engine.state.record import need
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    DONE,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    WORDS,
)
from creases.engine.state.work import (
    OUT_INTS_FIELD,
    OUT_REALS_FIELD,
    SPACE_OUT_INTS_FIELD,
    SPACE_OUT_REALS_FIELD,
    SpaceWork,
    Work,
)

__all__ = ["FAR_BIT", "WrittenCells", "WrittenPolytopes", "emit", "take_cells", "take_polytopes"]

# Beyond the bits of all facets.
FAR_BIT = 1 << MOST_FACETS


@kernel
def emit_in_plane(work: Work, far: int) -> int:
    """Write the current cell out: corners (d coordinates and the error) to out_reals; corner count, edge ids and
    marks of infinity, and the pattern's words to out_ints."""
    state, d = work.state, work.state[DIMENSION]
    corners, words = state[CORNERS], state[WORDS]
    at, whole = state[OUT_REALS_TOP], state[OUT_INTS_TOP]
    if at + corners * (d + 1) > work.out_reals.size:
        return need(state, OUT_REALS_FIELD, at + corners * (d + 1))
    if whole + 1 + 2 * corners + words > work.out_ints.size:
        return need(state, OUT_INTS_FIELD, whole + 1 + 2 * corners + words)
    work.out_ints[whole] = corners
    for v in range(corners):
        for c in range(d):
            work.out_reals[at + v * (d + 1) + c] = work.cell_reals[CELL, v, c]
        work.out_reals[at + v * (d + 1) + d] = work.cell_reals[CELL, v, CORNER_ERROR]
        work.out_ints[whole + 1 + 2 * v] = work.cell_ints[CELL, v, 0]
        work.out_ints[whole + 2 + 2 * v] = work.cell_ints[CELL, v, 1]
    for word in range(words):
        work.out_ints[whole + 1 + 2 * corners + word] = work.pattern[word]
    state[OUT_REALS_TOP], state[OUT_INTS_TOP] = at + corners * (d + 1), whole + 1 + 2 * corners + words
    return DONE


@kernel
def emit_in_space(work: SpaceWork, far: int) -> int:
    """Write the current cell out: corners (d coordinates and the error) to out_reals; how many facets and corners
    there are, the facets' ids, the corners' masks, and the pattern's words to out_ints."""
    state, d, masks = work.state, work.state[DIMENSION], work.masks
    corners, words = state[CORNERS], state[WORDS]
    at, whole = state[OUT_REALS_TOP], state[OUT_INTS_TOP]
    if at + corners * (d + 1) > work.out_reals.size:
        return need(state, SPACE_OUT_REALS_FIELD, at + corners * (d + 1))
    if whole + 2 + MOST_FACETS + corners + words > work.out_ints.size:
        return need(state, SPACE_OUT_INTS_FIELD, whole + 2 + MOST_FACETS + corners + words)
    for v in range(corners):
        for c in range(d + 1):
            work.out_reals[at + v * (d + 1) + c] = work.points[CELL, c, v]
    facets, used = 0, 0
    for v in range(corners):
        used |= masks[CELL, v]
    for place in range(MOST_FACETS):
        if used >> place & 1 and (work.slots[SIMPLE] == 1 or is_facet(masks, corners, used, place)):
            work.out_ints[whole + 2 + facets] = work.facet_ints[work.slots[place]]
            facets += 1
    ids, infinite = whole + 2 + facets, 0
    if far:  # infinity is the first facet that is kept
        while not (used >> infinite & 1 and work.slots[infinite] == 0):
            infinite += 1
    for v in range(corners):
        work.out_ints[ids + v] = FAR_BIT if far and masks[CELL, v] >> infinite & 1 else 0
    bit = 0
    for place in range(MOST_FACETS):
        if used >> place & 1 and (work.slots[SIMPLE] == 1 or is_facet(masks, corners, used, place)):
            for v in range(corners):
                work.out_ints[ids + v] |= (masks[CELL, v] >> place & 1) << bit
            bit += 1
    for word in range(words):
        work.out_ints[ids + corners + word] = work.pattern[word]
    work.out_ints[whole], work.out_ints[whole + 1] = facets, corners
    state[OUT_REALS_TOP], state[OUT_INTS_TOP] = at + corners * (d + 1), ids + corners + words
    return DONE


@kernel
def is_facet(masks: Ints, corners: int, used: int, place: int) -> bool:
    """Whether a bit of the current cell's corners is a facet of the cell, and not one that only touches it.

    The corners on it are then on no other facet all together; of two that hold the same corners the first is taken.
    """
    for other in range(MOST_FACETS):
        if other == place or not used >> other & 1:
            continue
        inside, more = True, False
        for v in range(corners):
            mine, theirs = masks[CELL, v] >> place & 1, masks[CELL, v] >> other & 1
            inside = inside and (mine == 0 or theirs == 1)
            more = more or (mine == 0 and theirs == 1)
        if inside and (more or other < place):
            return False
    return True


emit = by_domain(emit_in_plane, emit_in_space)


class WrittenCells(NamedTuple):
    """Cells of a line or a plane; the corners of cell i are first[i] to first[i + 1].

    corners : float64 (corners, d + 1), coordinates in the chart and the error; a view, until the loop goes on.
    first, edges : int64. at_infinity : bool (corners,). patterns : int64 (cells, words).
    """

    corners: Floats
    first: Ints
    at_infinity: NDArray[np.bool_]
    edges: Ints
    patterns: Ints


def take_cells(work: Work) -> WrittenCells:
    """The cells of a line or a plane that the loop has written since the last time; the output is then empty again."""
    d, words = int(work.state[DIMENSION]), int(work.state[WORDS])
    corners = int(work.state[OUT_REALS_TOP]) // (d + 1)
    cells = (int(work.state[OUT_INTS_TOP]) - 2 * corners) // (1 + words)
    written = WrittenCells(
        work.out_reals[: corners * (d + 1)].reshape(corners, d + 1),
        np.empty(cells + 1, np.int64),
        np.empty(corners, np.bool_),
        np.empty(corners, np.int64),
        np.empty((cells, words), np.int64),
    )
    read_cells(work.out_ints, *written[1:])
    work.state[OUT_REALS_TOP] = work.state[OUT_INTS_TOP] = 0
    return written


@kernel
def read_cells(out_ints: Ints, first: Ints, at_infinity: NDArray[np.bool_], edges: Ints, patterns_cw: Ints) -> None:
    """Sort what `emit_in_plane` wrote to `out_ints` into the arrays of `WrittenCells`."""
    at = v = 0
    first[0] = 0
    for cell in range(patterns_cw.shape[0]):
        corners = out_ints[at]
        at += 1
        for _ in range(corners):
            edges[v], at_infinity[v] = out_ints[at], out_ints[at + 1] != 0
            at += 2
            v += 1
        for word in range(patterns_cw.shape[1]):
            patterns_cw[cell, word] = out_ints[at + word]
        at += patterns_cw.shape[1]
        first[cell + 1] = v


class WrittenPolytopes(NamedTuple):
    """Cells of space; the corners of cell i are first[i] to first[i + 1], its facets facet_first[i] to
    facet_first[i + 1].

    corners : float64 (corners, d + 1), coordinates in the chart and the error; a view, until the loop goes on.
    masks : int64 (corners,), bit j if a corner lies on facet j of its cell, and FAR_BIT if it is at infinity.
    first, facet_first : int64 (cells + 1,).
    ids : int64 (facets,). patterns : int64 (cells, words).
    """

    corners: Floats
    masks: Ints
    first: Ints
    facet_first: Ints
    ids: Ints
    patterns: Ints


def take_polytopes(work: SpaceWork) -> WrittenPolytopes:
    """The cells of space that the loop has written since the last time; the output is then empty again."""
    d, words = int(work.state[DIMENSION]), int(work.state[WORDS])
    corners = int(work.state[OUT_REALS_TOP]) // (d + 1)
    whole = int(work.state[OUT_INTS_TOP])
    cells, facets = count_polytopes(work.out_ints, whole, words)
    written = WrittenPolytopes(
        work.out_reals[: corners * (d + 1)].reshape(corners, d + 1),
        np.empty(corners, np.int64),
        np.zeros(cells + 1, np.int64),
        np.zeros(cells + 1, np.int64),
        np.empty(facets, np.int64),
        np.empty((cells, words), np.int64),
    )
    read_polytopes(work.out_ints, *written[1:])
    work.state[OUT_REALS_TOP] = work.state[OUT_INTS_TOP] = 0
    return written


@kernel
def count_polytopes(out_ints: Ints, end: int, words: int) -> tuple[int, int]:
    """How many cells `emit_in_space` has written, and how many facets they have."""
    at = cells = total = 0
    while at < end:
        facets, corners = out_ints[at], out_ints[at + 1]
        at += 2 + facets + corners + words
        cells += 1
        total += facets
    return cells, total


@kernel
def read_polytopes(out_ints: Ints, masks: Ints, first: Ints, facet_first: Ints, ids: Ints, patterns_cw: Ints) -> None:
    """Sort what `emit_in_space` wrote to `out_ints` into the arrays of `WrittenPolytopes`."""
    at = v = f = 0
    for cell in range(patterns_cw.shape[0]):
        facets, corners = out_ints[at], out_ints[at + 1]
        at += 2
        for i in range(facets):
            ids[f + i] = out_ints[at + i]
        at += facets
        for i in range(corners):
            masks[v + i] = out_ints[at + i]
        at += corners
        for word in range(patterns_cw.shape[1]):
            patterns_cw[cell, word] = out_ints[at + word]
        at += patterns_cw.shape[1]
        v += corners
        f += facets
        first[cell + 1], facet_first[cell + 1] = v, f
