"""Finished cells as the loop writes them out, and how they are read.

Of a line or a plane a cell's numbers in `out_ints` are how many corners it has, for each the id of the edge behind it
and a mark if it is at infinity, and its pattern's words; in `out_reals`, corner after corner, d coordinates in the
starting cell's chart and a bound on their error. In space they are a mark if it reaches infinity and the pattern's
words, and the mean of the corners.
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

__all__ = ["WrittenCells", "emit", "take_cells", "take_means"]


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
    """Write the current cell out: the mean of its corners to out_reals; whether it reaches infinity, and the pattern's
    words, to out_ints."""
    state, d, corners = work.state, work.state[DIMENSION], work.state[CORNERS]
    at, whole = state[OUT_REALS_TOP], state[OUT_INTS_TOP]
    if at + d > work.out_reals.size:
        return need(state, SPACE_OUT_REALS_FIELD, at + d)
    if whole + 1 + state[WORDS] > work.out_ints.size:
        return need(state, SPACE_OUT_INTS_FIELD, whole + 1 + state[WORDS])
    for c in range(d):
        total = 0.0
        for v in range(corners):
            total += work.points[CELL, c, v]
        work.out_reals[at + c] = total / corners
    work.out_ints[whole] = far
    for word in range(state[WORDS]):
        work.out_ints[whole + 1 + word] = work.pattern[word]
    state[OUT_REALS_TOP], state[OUT_INTS_TOP] = at + d, whole + 1 + state[WORDS]
    return DONE


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


def take_means(work: SpaceWork) -> tuple[Ints, Floats, Ints]:
    """Patterns, int64 (cells, words), the means of the corners in the chart, float64 (cells, d): a view, and which
    cells reach infinity, int64 (cells,).

    Of the cells of space that the loop has written since the last time; the output is then empty again.
    """
    ints, reals = work.out_ints[: int(work.state[OUT_INTS_TOP])], work.out_reals[: int(work.state[OUT_REALS_TOP])]
    work.state[OUT_REALS_TOP] = work.state[OUT_INTS_TOP] = 0
    cells = ints.reshape(-1, 1 + int(work.state[WORDS])).copy()
    return cells[:, 1:], reals.reshape(-1, int(work.state[DIMENSION])), cells[:, 0]
