"""Dimension one: an interval is cut at a zero, and the pieces of the last layer are counted by their zeros.

A cell is an interval with two corners, whose second coordinate is zero; edge i is the form that vanishes at corner
i, with its inward sign.
"""

from __future__ import annotations

import numpy as np

from creases.engine.cells.chords import place_end
from creases.engine.cells.polygon import form
from creases.engine.kernel import inlined, kernel
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT
from creases.engine.proof.signs import POSITIVE
from creases.engine.rows.scan import proved_sign
from creases.engine.state.cell_layout import (
    CELL,
    CELL_COLUMNS,
    CHILD,
    CHORD_HIGH,
    CHORD_LOW,
    CORNER_ERROR,
    EDGE,
    EDGE_G,
    EDGE_W,
)
from creases.engine.state.network_layout import (
    ROWS,
    X,
    Y,
)
from creases.engine.state.record import field, name_of_row, row_at
from creases.engine.state.row_layout import (
    FOLLOWS,
    KIND,
    NEAREST,
    OPEN,
    STATUS,
    THRESHOLD,
)
from creases.engine.state.slots import (
    INT_ZERO,
    UNPROVED_COUNT,
)
from creases.engine.state.work import (
    Work,
)

__all__ = ["count_zeros", "cut_interval", "halve_interval", "pieces_of_zeros", "zero_of"]

# What `count_zeros` answers where a proof is missing.


@kernel
def zero_of(f0: float, f1: float, f_g: float, f_w: float) -> tuple[float, float]:
    """The zero (x, error) of f0 x + f1 with |x - x*| <= error; error = inf if unproved.

    |f0 (x - x*)| <= |f(x)| + E_g |x*| + E_w, and |x*| <= |x| + error, so error <= A / (|f0| - E_g) with
    A = |f(x)| + E_g |x| + E_w, the residual with its rounding (4 u as in `bounds.sign_threshold`).
    |f0| is compared with E_g rounded up, and their difference is rounded once, a unit of itself; so the divisor is at
    most |f0| - E_g, but for that unit, which ROUND_UP pays for as it does for A.
    """
    if not abs(f0) > f_g * ROUND_UP:
        return 0.0, np.inf
    x = -f1 / f0
    above = abs(f0 * x + f1) + 4.0 * UNIT * (abs(f0 * x) + abs(f1)) + f_g * abs(x) + f_w
    if x != 0.0:
        above += UNDERFLOW
    error = above / (abs(f0) - f_g * ROUND_UP) * ROUND_UP
    if not error < np.inf:
        return 0.0, np.inf
    if above > 0.0:
        error += UNDERFLOW
    return x, error


@kernel
def cut_interval(work: Work, net: int, layer: int, row: int, side: float) -> int:
    """Write the part of the current interval on one side (+1.0 or -1.0) of a crossing row into the child.

    Returns the child's number of corners, 2.
    """
    source = row_at(work, net, layer, row)
    f0, _, f1, f_g, f_w = form(work, source)
    neuron = name_of_row(work, net, layer, row)
    first_is_positive = proved_sign(work, row, source, INT_ZERO) == POSITIVE
    new = 1 if first_is_positive == (side > 0.0) else 0  # the corner that the zero replaces
    child = work.cell_reals[CHILD]
    for c in range(CELL_COLUMNS):
        child[1 - new, c] = work.cell_reals[CELL, 1 - new, c]
    work.cell_ints[CHILD, 1 - new, 0], work.cell_ints[CHILD, 1 - new, 1] = (
        work.cell_ints[CELL, 1 - new, 0],
        work.cell_ints[CELL, 1 - new, 1],
    )
    child[new, X], child[new, CORNER_ERROR] = zero_of(f0, f1, f_g, f_w)
    child[new, Y] = 0.0
    child[new, EDGE], child[new, EDGE + 1], child[new, EDGE + 2] = side * f0, 0.0, side * f1
    child[new, EDGE_G], child[new, EDGE_W] = f_g, f_w
    work.cell_ints[CHILD, new, 0], work.cell_ints[CHILD, new, 1] = neuron, 0
    return 2


@kernel
def halve_interval(work: Work, net: int, layer: int, row: int, first: float, at: int, ints_at: int) -> None:
    """Cut the current interval: the row's side `first` (+1.0 or -1.0) goes to the child, the other to the stack."""
    cut_interval(work, net, layer, row, -first)
    for v in range(2):
        for c in range(CELL_COLUMNS):
            work.stack_reals[at + v * CELL_COLUMNS + c] = work.cell_reals[CHILD, v, c]
        for c in range(2):
            work.stack_ints[ints_at + 2 * v + c] = work.cell_ints[CHILD, v, c]
    cut_interval(work, net, layer, row, first)


@kernel
def count_zeros(work: Work, net: int, layer: int) -> tuple[int, int]:
    """Pieces into which the open rows of the last layer cut the current interval, none built.

    q different zeros make 1 + q pieces; that they differ is proved by intervals that do not overlap (where on
    the interval, as in `chords.place_end`). Returns the pieces and how many of them reach infinity.
    """
    zeros = INT_ZERO
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] != OPEN or work.row_ints[KIND, i] == FOLLOWS:
            continue
        if not work.row_reals[i, NEAREST] > work.row_reals[i, THRESHOLD]:
            return UNPROVED_COUNT, 0
        a, b = abs(work.values_nc[i, 0]), abs(work.values_nc[i, 1])
        place_end(work, zeros, INT_ZERO, INT_ZERO, a, b, work.row_reals[i, THRESHOLD])
        zeros += 1
    return pieces_of_zeros(work, zeros)


@inlined
def pieces_of_zeros(work: Work, zeros: int) -> tuple[int, int]:
    """Pieces of the current interval, and how many reach infinity, from the places of its zeros."""
    for a in range(zeros):
        low, high = work.chord_reals[a, CHORD_LOW], work.chord_reals[a, CHORD_HIGH]
        for b in range(a):
            if not (low > work.chord_reals[b, CHORD_HIGH] or high < work.chord_reals[b, CHORD_LOW]):
                return UNPROVED_COUNT, 0
    ends = work.cell_ints[CELL, 0, 1] + work.cell_ints[CELL, 1, 1]
    # One piece at each end; with no zero the one piece has both.
    return 1 + zeros, min(ends, 1 + zeros)
