"""The tables of a sweep: where the numbers of an interval stand in an array of floats and one of integers.

There is a table for each two neighbouring layers, a lower and an upper one; the plan says where each stands.
"""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import inlined
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import sign_threshold

__all__ = ["UNPROVED_SWEEP", "bound_at", "end_point", "ints_of_sweep", "note_flip", "reals_of_sweep", "room"]

# What is answered where a proof is missing.
UNPROVED_SWEEP = -1

# The plan of a sweep, a row for each layer: how many neurons it has, where its table as the lower layer stands in the
# floats, in the integers, and its couplings to the layer above; how many of its rows cross the current interval, how
# many of their zeros are behind; and the pieces counted so far.
NEURONS, AT, WHOLE, COLUMNS, ROWS_CROSSED, PASSED, PIECES = 0, 1, 2, 3, 4, 5, 6
PLAN_COLUMNS = 7

# A table begins with these numbers: the interval's ends (infinite ones too) with their errors, and the upper rows'
# largest bias. `sweep` adds what holds for all upper rows everywhere: size and error of slope and constant.
LEFT, LEFT_ERROR, RIGHT, RIGHT_ERROR, MOST_BIAS = 0, 1, 2, 3, 4
SLOPE_SIZE, SLOPE_ERROR, CONSTANT_SIZE, CONSTANT_ERROR = 5, 6, 7, 8
LOWER = 16

# Then come arrays with a place for each lower row. Given are its form and errors, |f* - f|(t) <= slope error |t| +
# constant error; its zero and the zero's error are computed.
SLOPES, CONSTANTS, SLOPE_ERRORS, CONSTANT_ERRORS, ZEROS, ZERO_ERRORS = 0, 1, 2, 3, 4, 5
# One entry for each zero in its order: where it is and its error, what the upper values there must exceed, and the
# lower form that comes in there. Before they are in order, POINTS are the zeros of the crossing rows.
POINTS, POINT_ERRORS, BOUNDS, GAIN_SLOPES, GAIN_CONSTANTS = 6, 7, 8, 9, 10
LOWER_ARRAYS = 11  # of room(lows + 3) places: zeros are taken four at a time

# Then arrays with a place for each upper row: its bias, its current form, its values at the first point and, twice, at
# four points more, and where the zeros in one piece lie.
BIASES, NOW_SLOPES, NOW_CONSTANTS, VALUES, LOWS, HIGHS = 0, 1, 2, 3, 12, 13
UPPER_ARRAYS = 14
# The couplings stand behind all tables, all upper rows to one lower row after the other.

# In `ints`, for each lower row: its signs at the ends (1 if active at the left, 2 if at the right), lists of rows that
# cross (once these are in order, in the order of their zeros) and of those active at the left; in the order of zeros
# the rows, later where their couplings stand; then a list of upper rows.
STATUSES, CROSSING_LIST, ACTIVE_LIST, ORDER = 0, 1, 2, 3
INT_ARRAYS = 4

# Changes of signs on the way to four points are counted together, sixteen bits each: a layer with more rows than
# MOST_ROWS must not be swept (`together.lines_together`).
FIRST_POINT, SECOND_POINT, THIRD_POINT, FOURTH_POINT, BITS = 1, 1 << 16, 1 << 32, 1 << 48, 16
MOST_ROWS = 32767


@inlined
def room(rows: int) -> int:
    """How many places an array with one for each row has: a multiple of eight, which a processor takes at a time.

    Those beyond the last upper row are zeros and stay zeros: no sign of theirs changes, none is proved.
    """
    return (rows + 7) & ~7


@inlined
def reals_of_sweep(lows: int, ups: int) -> int:
    """How many floats a table takes without its couplings."""
    return LOWER + LOWER_ARRAYS * room(lows + 3) + UPPER_ARRAYS * room(ups)


@inlined
def ints_of_sweep(lows: int, ups: int) -> int:
    """How many integers a sweep takes."""
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
    """Note at a place which row of which layer changes its sign there, if there is room: layer 2^BITS + row."""
    if place < flips.shape[0]:
        flips[place] = (layer << BITS) + row


@inlined
def bound_at(reals: Floats, at: int, point: float, one: float, error: float) -> float:
    """What |g_i| must exceed at a point, for all upper rows; sizes stand for slopes and constants. Where a size is
    infinite, or NaN (times zero, at infinity), so is what must be exceeded."""
    return sign_threshold(
        reals[at + SLOPE_SIZE],
        reals[at + CONSTANT_SIZE] * one,
        reals[at + SLOPE_ERROR],
        reals[at + CONSTANT_ERROR] * one,
        abs(point),
        error,
    )
