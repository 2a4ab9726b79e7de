"""Finished cells as the loop writes them out, and how they are read.

Of a line or a plane a cell's numbers in `out_ints` are how many corners it has, for each the id of the edge behind it
and a mark if it is at infinity, and its pattern's words; in `out_reals`, corner after corner, d coordinates in the
starting cell's chart and a bound on their error. In space they are how many facets and corners it has, the ids of the
facets, the masks of the corners, and the pattern's words; `out_reals` is as before. A mask has bit i % 62 of word
i // 62 if the corner lies on facet i, and FAR_BIT of word 0 if it is at infinity; word 0 of all corners comes first.
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
    FACETS_A_WORD,
)
from creases.engine.state.facet_masks import NO_PLACE, is_on, mask_words, place_of_facet, words_of_places
from creases.engine.state.record import need
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    DONE,
    INT_ZERO,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    PLACES,
    SIMPLE,
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

# Beyond the bits of facets.
FAR_BIT = 1 << FACETS_A_WORD


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
    state, d, masks, out = work.state, work.state[DIMENSION], work.masks[CELL], work.out_ints
    corners, words = state[CORNERS], state[WORDS]
    at, whole = state[OUT_REALS_TOP], state[OUT_INTS_TOP]
    if at + corners * (d + 1) > work.out_reals.size:
        return need(state, SPACE_OUT_REALS_FIELD, at + corners * (d + 1))
    most = whole + 2 + state[PLACES] + mask_words(state[PLACES]) * corners + words
    if most > out.size:
        return need(state, SPACE_OUT_INTS_FIELD, most)
    for v in range(corners):
        for c in range(d + 1):
            work.out_reals[at + v * (d + 1) + c] = work.points[CELL, c, v]
    facets = 0
    for place in range(state[PLACES]):
        if is_facet(work, place):
            work.at_corner[facets] = place
            out[whole + 2 + facets] = work.facet_ints[work.slots[place]]
            facets += 1
    begin = whole + 2 + facets
    end = begin + mask_words(facets) * corners
    for i in range(begin, end):
        out[i] = 0
    for i in range(facets):
        first, bit = begin + i // FACETS_A_WORD * corners, i % FACETS_A_WORD
        for v in range(corners):
            out[first + v] |= is_on(masks, v, work.at_corner[i]) << bit
    infinite = place_of_facet(work, INT_ZERO) if far else NO_PLACE  # infinity is the first facet that is kept
    for v in range(corners if far else 0):
        out[begin + v] |= is_on(masks, v, infinite) * FAR_BIT
    for word in range(words):
        out[end + word] = work.pattern[word]
    out[whole], out[whole + 1] = facets, corners
    state[OUT_REALS_TOP], state[OUT_INTS_TOP] = at + corners * (d + 1), end + words
    return DONE


@kernel
def is_facet(work: SpaceWork, place: int) -> bool:
    """Whether a place of the current cell's table is a facet of the cell, and not free, nor one that only touches it.

    The corners on it are then on no other facet all together; of two that hold the same corners the first is taken.
    """
    masks, corners, first = work.masks[CELL], work.state[CORNERS], 0
    while first < corners and not is_on(masks, first, place):
        first += 1
    if first == corners:
        return False
    if work.state[SIMPLE] == 1:
        return True
    for other in range(work.state[PLACES]):
        if other == place or not is_on(masks, first, other):
            continue
        inside, more = True, False
        for v in range(corners):
            mine, theirs = is_on(masks, v, place), is_on(masks, v, other)
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
    masks : int64 (words, corners), bit j % 62 of word j // 62 if a corner lies on facet j of its cell, and FAR_BIT of
        word 0 if it is at infinity.
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
    cells, facets, most = count_polytopes(work.out_ints, whole, words)
    written = WrittenPolytopes(
        work.out_reals[: corners * (d + 1)].reshape(corners, d + 1),
        np.zeros((words_of_places(most), corners), np.int64),
        np.zeros(cells + 1, np.int64),
        np.zeros(cells + 1, np.int64),
        np.empty(facets, np.int64),
        np.empty((cells, words), np.int64),
    )
    read_polytopes(work.out_ints, *written[1:])
    work.state[OUT_REALS_TOP] = work.state[OUT_INTS_TOP] = 0
    return written


@kernel
def count_polytopes(out_ints: Ints, end: int, words: int) -> tuple[int, int, int]:
    """How many cells `emit_in_space` has written, how many facets they have, and how many one of them has at most."""
    at = cells = total = most = 0
    while at < end:
        facets, corners = out_ints[at], out_ints[at + 1]
        at += 2 + facets + mask_words(facets) * corners + words
        cells += 1
        total += facets
        most = max(most, facets)
    return cells, total, most


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
        for w in range(mask_words(facets)):
            for i in range(corners):
                masks[w, v + i] = out_ints[at + i]
            at += corners
        for word in range(patterns_cw.shape[1]):
            patterns_cw[cell, word] = out_ints[at + word]
        at += patterns_cw.shape[1]
        v += corners
        f += facets
        first[cell + 1], facet_first[cell + 1] = v, f
