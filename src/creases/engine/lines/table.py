"""The tables of a sweep: the positions of an interval's numbers in an array of floats and one of integers.

There is a table for each two successive layers, a lower and an upper one; the plan has the position of each.
"""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import inlined
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import sign_threshold

__all__ = ["UNPROVED_SWEEP", "bound_at", "end_point", "ints_of_sweep", "note_flip", "reals_of_sweep", "room"]

# The result if a proof is missing.
UNPROVED_SWEEP = -1

# The plan of a sweep, with a row for each layer: its number of neurons; the positions of its table (as the lower layer)
# in the floats and in the integers, and of its couplings to the layer above; how many of its rows cross the current
# interval, and how many of their zeros were passed; and the pieces counted so far.
NEURONS, AT, WHOLE, COLUMNS, ROWS_CROSSED, PASSED, PIECES = 0, 1, 2, 3, 4, 5, 6
PLAN_COLUMNS = 7

# A table begins with these numbers: the interval's ends (infinite ones too) with their errors, and the upper rows'
# largest bias. `sweep` adds what holds for all upper rows everywhere: size and error of slope and constant.
LEFT, LEFT_ERROR, RIGHT, RIGHT_ERROR, MOST_BIAS = 0, 1, 2, 3, 4
SLOPE_SIZE, SLOPE_ERROR, CONSTANT_SIZE, CONSTANT_ERROR = 5, 6, 7, 8
LOWER = 16

# Then come arrays with an entry for each lower row. Its form and errors are given, |f* - f|(t) <= slope error |t| +
# constant error; its zero and the zero's error are computed.
SLOPES, CONSTANTS, SLOPE_ERRORS, CONSTANT_ERRORS, ZEROS, ZERO_ERRORS = 0, 1, 2, 3, 4, 5
# One entry for each zero in order: its point and error, the bound that the upper values there must exceed, and the
# lower form that is added there. Before they are in order, POINTS are the zeros of the crossing rows.
POINTS, POINT_ERRORS, BOUNDS, GAIN_SLOPES, GAIN_CONSTANTS = 6, 7, 8, 9, 10
LOWER_ARRAYS = 11  # of room(lows + 3) entries: zeros are processed four at a time

# Then arrays with an entry for each upper row: its bias, its current form, its values at the first point and, twice, at
# four more points, and the positions of the zeros in one piece.
BIASES, NOW_SLOPES, NOW_CONSTANTS, VALUES, LOWS, HIGHS = 0, 1, 2, 3, 12, 13
UPPER_ARRAYS = 14
# The couplings follow all tables: for one lower row after the other, those of all upper rows.

# In `ints`, for each lower row: its signs at the ends (1 if active at the left, 2 if at the right), lists of rows that
# cross (in the order of their zeros as soon as that is known) and of those active at the left; the rows in the order of
# zeros, later the positions of their couplings; then a list of upper rows.
STATUSES, CROSSING_LIST, ACTIVE_LIST, ORDER = 0, 1, 2, 3
INT_ARRAYS = 4

# Changes of signs between four points are counted together, with sixteen bits each, so a layer with more rows than
# MOST_ROWS must not be swept (`together.lines_together`).
FIRST_POINT, SECOND_POINT, THIRD_POINT, FOURTH_POINT, BITS = 1, 1 << 16, 1 << 32, 1 << 48, 16
MOST_ROWS = 32767


@inlined
def room(rows: int) -> int:
    """The number of entries of an array with one for each row: a multiple of eight, which a processor handles at a
    time.

    Those beyond the last upper row are zeros and remain zeros: their signs do not change, and are not proved.
    """
    return (rows + 7) & ~7


@inlined
def reals_of_sweep(lows: int, ups: int) -> int:
    """The number of floats in a table, without its couplings."""
    return LOWER + LOWER_ARRAYS * room(lows + 3) + UPPER_ARRAYS * room(ups)


@inlined
def ints_of_sweep(lows: int, ups: int) -> int:
    """The number of integers in a table."""
    return INT_ARRAYS * room(lows + 3) + room(ups)


@inlined
def end_point(place: float) -> tuple[float, float]:
    """A point of the line as (t, 1), an end at infinity as (-1, 0) or (1, 0): there the slope alone decides."""
    if place == np.inf:
        return 1.0, 0.0
    if place == -np.inf:
        return -1.0, 0.0
    return place, 1.0


@inlined
def note_flip(flips: Ints, place: int, layer: int, row: int) -> None:
    """Record at a position which row of which layer changes its sign there, if there is room: layer 2^BITS + row."""
    if place < flips.shape[0]:
        flips[place] = (layer << BITS) + row


@inlined
def bound_at(reals: Floats, at: int, point: float, one: float, error: float) -> float:
    """The bound that |g_i| must exceed at a point, for all upper rows, from their sizes.

    If a size is infinite, or NaN (times zero, at infinity), so is the bound.
    """
    return sign_threshold(
        reals[at + SLOPE_SIZE],
        reals[at + CONSTANT_SIZE] * one,
        reals[at + SLOPE_ERROR],
        reals[at + CONSTANT_ERROR] * one,
        abs(point),
        error,
    )
