"""The table of a sweep: where the numbers of one interval stand in an array of floats and one of integers.

A table may stand anywhere in the arena of local networks; `lines` keeps one of its own.
"""

from __future__ import annotations

import numpy as np

from creases.engine.bounds import sign_threshold
from creases.engine.kernel import inlined
from creases.engine.work import Floats

__all__ = ["UNPROVED_SWEEP", "bound_at", "end_point", "ints_of_sweep", "reals_of_sweep", "room"]

# What is answered where a proof is missing.
UNPROVED_SWEEP = -1

# A table begins with these numbers: the interval's ends (infinite ones too) with their errors, and the largest size
# and error of the upper rows' own forms, divided as their couplings are.
LEFT, LEFT_ERROR, RIGHT, RIGHT_ERROR = 0, 1, 2, 3
OWN_SLOPE, OWN_SLOPE_ERROR, OWN_CONSTANT, OWN_CONSTANT_ERROR = 4, 5, 6, 7
# `sweep` adds the bounds that hold for all upper rows everywhere: size and error of slope and constant.
SLOPE_SIZE, SLOPE_ERROR, CONSTANT_SIZE, CONSTANT_ERROR = 8, 9, 10, 11
LOWER = 16

# Then come arrays with a place for each lower row. Given are its form and errors, |f* - f|(t) <= slope error |t| +
# constant error; found are its zero with its error.
SLOPES, CONSTANTS, SLOPE_ERRORS, CONSTANT_ERRORS, ZEROS, ZERO_ERRORS = 0, 1, 2, 3, 4, 5
# One entry for each zero in its order: where it is, what the upper values there must exceed, and the lower form that
# comes in there. Before they are in order, POINTS are the zeros of the crossing rows.
POINTS, BOUNDS, GAIN_SLOPES, GAIN_CONSTANTS = 6, 7, 8, 9
LOWER_ARRAYS = 10  # of room(lows + 3) places: zeros are taken four at a time

# Then arrays with a place for each upper row: its own form, the current form, its values at the first point and, twice,
# at four points more, and where the zeros in one piece lie.
UPPER_SLOPES, UPPER_CONSTANTS, NOW_SLOPES, NOW_CONSTANTS, VALUES, LOWS, HIGHS = 0, 1, 2, 3, 4, 13, 14
UPPER_ARRAYS = 15
# At last the couplings, all upper rows to one lower row after the other (or they stand elsewhere: `columns`).

# In `ints`, for each lower row: its signs at the ends (1 if active at the left, 2 if at the right), lists of rows that
# cross and of those active at the left, the rows in the order of their zeros; then a list of upper rows.
STATUSES, CROSSING, ACTIVES, ORDER = 0, 1, 2, 3
INT_ARRAYS = 4

# Changes of signs on the way to four points are counted together.
FIRST, SECOND, THIRD, FOURTH, BITS = 1, 1 << 16, 1 << 32, 1 << 48, 16
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
def bound_at(reals: Floats, at: int, point: float, one: float, error: float) -> float:
    """What |g_i| must exceed at a point, for all upper rows."""
    return sign_threshold(
        reals[at + SLOPE_SIZE],
        reals[at + CONSTANT_SIZE] * one,
        reals[at + SLOPE_ERROR],
        reals[at + CONSTANT_ERROR] * one,
        abs(point),
        error,
    )
