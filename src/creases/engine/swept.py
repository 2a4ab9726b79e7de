"""The last two layers on an interval of a larger cut: its local network as a table, then swept (`sweep`)."""

from __future__ import annotations

import numpy as np

from creases.engine.bounds import ROUND_UP, UNDERFLOW
from creases.engine.kernel import inlined, kernel
from creases.engine.last import affine_row
from creases.engine.record import field, need
from creases.engine.sweep import sweep
from creases.engine.table import (
    CONSTANT_ERRORS,
    CONSTANTS,
    LEFT,
    LEFT_ERROR,
    LOWER,
    LOWER_ARRAYS,
    OWN_CONSTANT,
    OWN_CONSTANT_ERROR,
    OWN_SLOPE,
    OWN_SLOPE_ERROR,
    SLOPE_ERRORS,
    SLOPES,
    UNPROVED_SWEEP,
    UPPER_CONSTANTS,
    UPPER_SLOPES,
    ints_of_sweep,
    reals_of_sweep,
    room,
)
from creases.engine.work import (
    ACTIVE,
    BLOCK,
    CELL,
    CORNER_ERROR,
    COUPLED,
    DONE,
    ERROR_G,
    ERROR_W,
    INT_ZERO,
    INTS_TOP,
    KEPT,
    ONE,
    OPEN,
    REALS_TOP,
    ROWS,
    STATUS,
    STRIDE,
    Work,
    X,
)

__all__ = ["make_room_to_sweep", "sweep_cell"]

# Places of the arrays among the fields of Work, for FULL_ARRAY.
REALS_FIELD = Work._fields.index("reals")
INTS_FIELD = Work._fields.index("ints")

# What stands for a row that is proved zero all over the interval: it cuts nothing.
FAR_FROM_ZERO = 1e300


@inlined
def make_room_to_sweep(work: Work, net: int, layer: int) -> int:
    """See that a table fits behind the local networks; FULL if not."""
    state = work.state
    lows, ups = work.ints[field(net, layer, ROWS)], work.ints[field(net, layer + 1, ROWS)]
    most = state[REALS_TOP] + reals_of_sweep(lows, ups) + lows * room(ups)
    if most > work.reals.size:
        return need(state, REALS_FIELD, most)
    if state[INTS_TOP] + ints_of_sweep(lows, ups) > work.ints.size:
        return need(state, INTS_FIELD, state[INTS_TOP] + ints_of_sweep(lows, ups))
    return DONE


@kernel
def sweep_cell(work: Work, net: int, layer: int) -> tuple[int, int]:
    """Pieces of the current interval after its lowest layer and after the one above, which is the last.

    The lowest layer is scanned, and its open rows cross the interval. (UNPROVED_SWEEP, 0) where a proof is missing.
    """
    lows = write_lower(work, net, layer)
    at, ups = work.state[REALS_TOP], work.ints[field(net, layer + 1, ROWS)]
    columns = at + reals_of_sweep(lows, ups)
    if not write_upper(work, net, layer, lows, columns):
        return UNPROVED_SWEEP, 0
    return sweep(work.reals, work.ints, at, work.state[INTS_TOP], columns, lows, ups)


@inlined
def write_lower(work: Work, net: int, layer: int) -> int:
    """Write the interval's ends and the rows that cross it; returns how many they are."""
    reals, at = work.reals, work.state[REALS_TOP]
    for end in range(2):
        reals[at + LEFT + 2 * end] = work.cell_reals[CELL, end, X]
        reals[at + LEFT_ERROR + 2 * end] = work.cell_reals[CELL, end, CORNER_ERROR]
    source, stride = work.ints[field(net, layer, BLOCK)], work.ints[field(net, layer, STRIDE)]
    rows, lows = work.ints[field(net, layer, ROWS)], 0
    for q in range(rows):
        lows += work.row_ints[STATUS, q] == OPEN
    step, place = room(lows + 3), at + LOWER
    for q in range(rows):
        if work.row_ints[STATUS, q] == OPEN:
            row = source + q * stride
            reals[place + SLOPES * step], reals[place + CONSTANTS * step] = reals[row + X], reals[row + ONE]
            reals[place + SLOPE_ERRORS * step] = reals[row + ERROR_G]
            reals[place + CONSTANT_ERRORS * step] = reals[row + ERROR_W]
            place += 1
    return lows


@inlined
def write_upper(work: Work, net: int, layer: int, lows: int, columns: int) -> bool:
    """Write the last layer's rows and their couplings, divided by the largest; False where that cannot be done.

    The active rows below are substituted into a row's own form (`last.affine_row`).
    """
    reals, ints, below = work.reals, work.ints, work.ints[field(net, layer, ROWS)]
    rows, active = ints[field(net, layer + 1, ROWS)], INT_ZERO
    for q in range(below):
        if work.row_ints[STATUS, q] == ACTIVE:
            work.row_ints[KEPT, active] = q
            active += 1
    row, stride = ints[field(net, layer + 1, BLOCK)], ints[field(net, layer + 1, STRIDE)]
    source, source_stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    at, wide = work.state[REALS_TOP], room(rows)
    upper = at + LOWER + LOWER_ARRAYS * room(lows + 3)
    slopes, constants = upper + UPPER_SLOPES * wide, upper + UPPER_CONSTANTS * wide
    own_slope = own_constant = own_g = own_w = 0.0
    for i in range(rows):
        slope, _, constant, error_g, error_w = affine_row(work, row, source, source_stride, active, below)
        inverse = write_couplings(work, row + COUPLED, below, columns + i, wide, max(abs(slope), abs(constant)))
        error_g, error_w = error_g * inverse * ROUND_UP, error_w * inverse * ROUND_UP
        if not error_g + error_w < np.inf:
            return False
        own_g, own_w = max(own_g, error_g), max(own_w, error_w)
        if inverse == 0.0:
            constant = FAR_FROM_ZERO if error_g == 0.0 and error_w == 0.0 else 0.0
        else:
            slope, constant = slope * inverse, constant * inverse
            own_slope, own_constant = max(own_slope, abs(slope)), max(own_constant, abs(constant))
        reals[slopes + i], reals[constants + i] = slope, constant
        row += stride
    reals[at + OWN_SLOPE], reals[at + OWN_SLOPE_ERROR] = own_slope, own_g + UNDERFLOW
    reals[at + OWN_CONSTANT], reals[at + OWN_CONSTANT_ERROR] = own_constant, own_w + UNDERFLOW
    for i in range(rows, wide):
        reals[slopes + i] = reals[constants + i] = 0.0
        for k in range(lows):
            reals[columns + k * wide + i] = 0.0
    return True


@inlined
def write_couplings(work: Work, coupling: int, below: int, place: int, wide: int, otherwise: float) -> float:
    """Write a row's couplings to the rows that cross, divided by the largest of them, `wide` numbers apart.

    Returns what they were multiplied by. If all are zero the row is divided by `otherwise`; 0.0 if that is zero, too.
    """
    reals, largest = work.reals, 0.0
    for q in range(below):
        if work.row_ints[STATUS, q] == OPEN:
            largest = max(largest, abs(reals[coupling + q]))
    if largest == 0.0:
        largest = otherwise
    inverse = 1.0 / largest if largest > 0.0 else 0.0
    for q in range(below):
        if work.row_ints[STATUS, q] == OPEN:
            reals[place] = reals[coupling + q] * inverse
            place += wide
    return inverse
