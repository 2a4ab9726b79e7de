"""An interval of the line, two layers at once: what the upper layer makes of the lower one's pieces, no cell built.

The lower rows f_q(t) = a t + b are affine on the interval, the upper ones g_i = (own form) + sum_q w_iq relu(f_q)
affine between two neighbouring zeros of the lower. Along the line a zero of f_q changes g by one product only: w_iq f_q
comes in or goes out. The g_i are continuous, so their signs at the zeros of the lower rows and at the two ends say
how many zeros each has in a piece: one if the signs at the piece's ends differ, else none (Hanin and Rolnick 2019,
Lemma 4). q different zeros in an interval make 1 + q pieces.

Proved here: every sign that is looked at, the order of the lower zeros (by intervals that do not overlap), and that
the upper zeros of one piece differ. Where one proof is missing the answer is UNPROVED_SWEEP, and cells are cut.

The upper rows are divided by their largest coupling, so that one bound serves all of them. With n lower rows,
|w_iq| <= 1 and sums A, B, EA, EB over q of |a_q|, |b_q| and of their errors, the computed form of g_i anywhere is a sum
of at most 2 n + 1 products: its own form, the rows active at the left end, and one more for each zero that was passed.
Their absolute values sum up to at most 2 A + |own slope| for the slope, 2 B + |own constant| for the constant. Hence

    |slope - slope*|  <=  EA + gamma(2 n + 8) (2 A + |own slope|) + own error  =:  SLOPE_ERROR,

and likewise the constant; the other units pay for the division and for the rounding of A and B. A product that
underflows loses at most 2^-1075, a coupling that does at most 2^-1074 times what it is multiplied by.
"""

from __future__ import annotations

import numpy as np

from creases.engine.bounds import ROUND_UP, UNDERFLOW, UNIT, gamma, sign_threshold
from creases.engine.kernel import inlined, kernel, reordered
from creases.engine.line import zero_of
from creases.engine.work import Floats, Ints

__all__ = [
    "CONSTANTS",
    "CONSTANT_ERRORS",
    "LEFT",
    "LEFT_ERROR",
    "LOWER",
    "LOWER_ARRAYS",
    "OWN_CONSTANT",
    "OWN_CONSTANT_ERROR",
    "OWN_SLOPE",
    "OWN_SLOPE_ERROR",
    "RIGHT",
    "RIGHT_ERROR",
    "SLOPES",
    "SLOPE_ERRORS",
    "UNPROVED_SWEEP",
    "UPPER_CONSTANTS",
    "UPPER_SLOPES",
    "ints_of_sweep",
    "reals_of_sweep",
    "room",
    "sweep",
]

# What `sweep` answers where a proof is missing.
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


@kernel
def sweep(reals: Floats, ints: Ints, at: int, whole: int, columns: int, lows: int, ups: int) -> tuple[int, int]:
    """Pieces of the interval after the lower layer and after the upper one; (UNPROVED_SWEEP, 0) without a proof.

    at, whole : where the table stands in `reals`, and room in `ints`. columns : where the couplings stand in `reals`.
    lows, ups : rows of the lower layer and of the upper one.
    """
    lower = at + LOWER
    crossing, active, active_right = part_rows(reals, ints, at, whole, lows)
    if ups > MOST_ROWS or crossing < 0 or not are_in_order(reals, ints, lower, whole, lows, crossing):
        return UNPROVED_SWEEP, 0
    bound_forms(reals, at, lows)
    note_points(reals, ints, at, whole, columns, lows, ups, crossing)
    start_forms(reals, ints, lower, whole, columns, lows, ups, active)
    pieces = walk(reals, ints, at, whole, lows, ups, crossing, active, active_right)
    return (UNPROVED_SWEEP, 0) if pieces < 0 else (1 + crossing, pieces)


@inlined
def end_point(place: float) -> tuple[float, float]:
    """A point of the line as (t, 1), an end at infinity as (-1, 0) or (1, 0): there the slope alone decides."""
    if place == np.inf:
        return 1.0, 0.0
    if place == -np.inf:
        return -1.0, 0.0
    return place, 1.0


@kernel
def part_rows(reals: Floats, ints: Ints, at: int, whole: int, lows: int) -> tuple[int, int, int]:
    """List the lower rows that cross the interval and those active at its left end.

    Returns how many they are, and how many are active at the right; the first is UNPROVED_SWEEP if a sign at an end
    is not proved.
    """
    left, left_one = end_point(reals[at + LEFT])
    right, right_one = end_point(reals[at + RIGHT])
    left_error, right_error = reals[at + LEFT_ERROR], reals[at + RIGHT_ERROR]
    if left_one == 1.0 and right_one == 1.0 and not left < right:
        return UNPROVED_SWEEP, 0, 0
    lower, step, proved = at + LOWER, room(lows + 3), 0
    for q in range(lows):
        a, b = reals[lower + SLOPES * step + q], reals[lower + CONSTANTS * step + q]
        a_error, b_error = reals[lower + SLOPE_ERRORS * step + q], reals[lower + CONSTANT_ERRORS * step + q]
        at_left, at_right = a * left + b * left_one, a * right + b * right_one
        size, b_size = abs(a), abs(b)
        bound_left = sign_threshold(size, b_size * left_one, a_error, b_error * left_one, abs(left), left_error)
        bound_right = sign_threshold(size, b_size * right_one, a_error, b_error * right_one, abs(right), right_error)
        proved += (abs(at_left) > bound_left) & (abs(at_right) > bound_right)
        ints[whole + STATUSES * step + q] = (1 if at_left > 0.0 else 0) + (2 if at_right > 0.0 else 0)
    if proved != lows:
        return UNPROVED_SWEEP, 0, 0
    crossing, active, active_right = 0, 0, 0
    for q in range(lows):
        status = ints[whole + STATUSES * step + q]
        ints[whole + CROSSING * step + crossing] = q
        ints[whole + ACTIVES * step + active] = q
        crossing += (status ^ (status >> 1)) & 1
        active += status & 1
        active_right += status >> 1
    return crossing, active, active_right


@kernel
def are_in_order(reals: Floats, ints: Ints, lower: int, whole: int, lows: int, crossing: int) -> bool:
    """Find the zeros of the lower rows and list the crossing ones in their ORDER; whether that order is proved.

    A zero's place is the number of zeros before it: counting them all, n^2 comparisons, is less than the sweep.
    """
    step = room(lows + 3)
    zeros, errors, points = lower + ZEROS * step, lower + ZERO_ERRORS * step, lower + POINTS * step
    listed, order = whole + CROSSING * step, whole + ORDER * step
    for q in range(lower, lower + lows):
        reals[q + ZEROS * step], reals[q + ZERO_ERRORS * step] = zero_of(
            reals[q + SLOPES * step],
            reals[q + CONSTANTS * step],
            reals[q + SLOPE_ERRORS * step],
            reals[q + CONSTANT_ERRORS * step],
        )
    first = ints[listed]
    for k in range(crossing):
        reals[points + k] = reals[zeros + ints[listed + k]]
        ints[order + k] = first
    for k in range(crossing, crossing + 3):
        reals[points + k] = np.inf
    for k in range(0, crossing, 4):
        z0, z1, z2, z3 = reals[points + k], reals[points + k + 1], reals[points + k + 2], reals[points + k + 3]
        n0 = n1 = n2 = n3 = 0
        for other in range(crossing):
            zero = reals[points + other]
            n0 += zero < z0
            n1 += zero < z1
            n2 += zero < z2
            n3 += zero < z3
        ints[order + n0], ints[order + n1] = ints[listed + k], ints[listed + k + 1]
        ints[order + n2], ints[order + n3] = ints[listed + k + 2], ints[listed + k + 3]
    # Of two equal zeros one is overwritten. Then some other row stands there twice, and no order increases.
    for k in range(1, crossing):
        here, there = ints[order + k], ints[order + k - 1]
        gap = reals[zeros + here] - reals[zeros + there]
        if not gap > (reals[errors + here] + reals[errors + there]) * ROUND_UP:
            return False
    return True


@reordered
def total(reals: Floats, begin: int, count: int) -> float:
    """Sum of some absolute values, rounded up."""
    value = 0.0
    for i in range(count):
        value += abs(reals[begin + i])
    return value * ROUND_UP


@inlined
def bound_forms(reals: Floats, at: int, lows: int) -> None:
    """The sizes and errors that hold for all upper rows everywhere on the interval (the module's first lines)."""
    lower, step, rounding = at + LOWER, room(lows + 3), gamma(2 * lows + 8)
    for which in range(2):
        size = total(reals, lower + (SLOPES + which) * step, lows)
        error = total(reals, lower + (SLOPE_ERRORS + which) * step, lows)
        own, own_error = reals[at + OWN_SLOPE + 2 * which], reals[at + OWN_SLOPE_ERROR + 2 * which]
        error = (error + rounding * (2.0 * size + own) + own_error) * ROUND_UP + UNDERFLOW * (1.0 + size)
        reals[at + SLOPE_SIZE + 2 * which] = (size + own + error) * ROUND_UP
        reals[at + SLOPE_ERROR + 2 * which] = error


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


@inlined
def note_points(
    reals: Floats, ints: Ints, at: int, whole: int, columns: int, lows: int, ups: int, crossing: int
) -> None:
    """For each zero in order: its point and bound, and what comes in there: w f if f rises, -w f if it falls.

    To make the zeros a multiple of four the last point is repeated, where then nothing happens.
    """
    lower, step, order = at + LOWER, room(lows + 3), whole + ORDER * room(lows + 3)
    points, errors = lower + POINTS * step, lower + ZERO_ERRORS * step
    for k in range(crossing):
        q = ints[order + k]
        slope, constant = reals[lower + SLOPES * step + q], reals[lower + CONSTANTS * step + q]
        reals[points + k], reals[lower + BOUNDS * step + k] = reals[lower + ZEROS * step + q], reals[errors + q]
        reals[lower + GAIN_SLOPES * step + k] = abs(slope)
        reals[lower + GAIN_CONSTANTS * step + k] = constant if slope > 0.0 else -constant
        ints[order + k] = columns + q * room(ups)
    for k in range(crossing):
        error = reals[lower + BOUNDS * step + k]
        reals[lower + BOUNDS * step + k] = bound_at(reals, at, reals[points + k], 1.0, error)
    for k in range(crossing, (crossing + 3) & ~3):
        reals[points + k], reals[lower + BOUNDS * step + k] = reals[points + k - 1], reals[lower + BOUNDS * step + k - 1]
        reals[lower + GAIN_SLOPES * step + k] = reals[lower + GAIN_CONSTANTS * step + k] = 0.0
        ints[order + k] = columns


@inlined
def start_forms(
    reals: Floats, ints: Ints, lower: int, whole: int, columns: int, lows: int, ups: int, active: int
) -> None:
    """The upper rows' forms left of all zeros: their own, and the active lower rows, four at a time."""
    actives, upper, wide = whole + ACTIVES * room(lows + 3), lower + LOWER_ARRAYS * room(lows + 3), room(ups)
    slopes, constants = upper + NOW_SLOPES * wide, upper + NOW_CONSTANTS * wide
    for i in range(2 * wide):
        reals[slopes + i] = reals[upper + UPPER_SLOPES * wide + i]
    fours = active & ~3
    for k in range(0, fours, 4):
        add_four(reals, ints, lower, actives + k, columns, room(lows + 3), ups, slopes)
    for k in range(fours, active):
        q = lower + ints[actives + k]
        a, b = reals[q + SLOPES * room(lows + 3)], reals[q + CONSTANTS * room(lows + 3)]
        column = columns + (q - lower) * wide
        for i in range(room(ups)):
            reals[slopes + i] += reals[column + i] * a
            reals[constants + i] += reals[column + i] * b


@reordered
def add_four(
    reals: Floats, ints: Ints, lower: int, listed: int, columns: int, step: int, ups: int, slopes: int
) -> None:
    """Add four lower rows to the current forms of all upper rows."""
    q0, q1, q2, q3 = ints[listed], ints[listed + 1], ints[listed + 2], ints[listed + 3]
    wide = room(ups)
    w0, w1, w2, w3 = columns + q0 * wide, columns + q1 * wide, columns + q2 * wide, columns + q3 * wide
    a, b = lower + SLOPES * step, lower + CONSTANTS * step
    a0, a1, a2, a3 = reals[a + q0], reals[a + q1], reals[a + q2], reals[a + q3]
    b0, b1, b2, b3 = reals[b + q0], reals[b + q1], reals[b + q2], reals[b + q3]
    constants = slopes + wide
    for i in range(room(ups)):
        v0, v1, v2, v3 = reals[w0 + i], reals[w1 + i], reals[w2 + i], reals[w3 + i]
        reals[slopes + i] += (v0 * a0 + v1 * a1) + (v2 * a2 + v3 * a3)
        reals[constants + i] += (v0 * b0 + v1 * b1) + (v2 * b2 + v3 * b3)


@inlined
def walk(
    reals: Floats, ints: Ints, at: int, whole: int, lows: int, ups: int, crossing: int, active: int, active_right: int
) -> int:
    """Pieces of the upper layer: from the left end over the zeros of the lower rows to the right end."""
    lower, step, wide = at + LOWER, room(lows + 3), room(ups)
    upper, order = lower + LOWER_ARRAYS * step, whole + ORDER * step
    slopes, values, listed = upper + NOW_SLOPES * wide, upper + VALUES * wide, whole + INT_ARRAYS * step
    point, one, error = look_from(reals, at, LEFT, active)
    before, next_four = values, values + wide
    bound = bound_at(reals, at, point, one, error)
    if look(reals, slopes, ups, point, one, bound, before) != ups:
        return UNPROVED_SWEEP
    pieces = 1 + crossing
    for k in range(0, crossing, 4):
        all_changes, proved = pass_four(reals, ints, lower + k, order + k, step, slopes, before, next_four, ups)
        if proved != ups:
            return UNPROVED_SWEEP
        for j in range(4):
            changes, after = (all_changes >> (BITS * j)) & (SECOND - 1), next_four + j * wide
            bound_after = reals[lower + BOUNDS * step + k + j]
            pieces += changes
            if changes > 1 and not are_distinct(
                reals, ints, listed, before, after, max(bound, bound_after), upper, ups, changes
            ):
                return UNPROVED_SWEEP
            before, bound = after, bound_after
        # The other four places: those that were written last are still wanted.
        next_four = values + wide if next_four > values + wide else values + 5 * wide
    point, one, error = look_from(reals, at, RIGHT, active_right)
    bound_after = bound_at(reals, at, point, one, error)
    if look(reals, slopes, ups, point, one, bound_after, next_four) != ups:
        return UNPROVED_SWEEP
    changes = count_changes(reals, before, next_four, ups)
    if changes > 1 and not are_distinct(
        reals, ints, listed, before, next_four, max(bound, bound_after), upper, ups, changes
    ):
        return UNPROVED_SWEEP
    return pieces + changes


@inlined
def look_from(reals: Floats, at: int, end: int, active: int) -> tuple[float, float, float]:
    """Where to look for the signs at an end of the interval: there; anywhere if the upper rows are constant."""
    point, one = end_point(reals[at + end])
    if one == 0.0 and active == 0 and reals[at + OWN_SLOPE] == 0.0 and reals[at + OWN_SLOPE_ERROR] == 0.0:
        return 0.0, 1.0, 0.0
    return point, one, reals[at + end + 1]


@reordered
def look(reals: Floats, slopes: int, ups: int, point: float, one: float, bound: float, after: int) -> int:
    """Write the values of all upper rows at an end of the interval; returns how many signs are proved."""
    proved, constants = 0, slopes + room(ups)
    for i in range(room(ups)):
        value = reals[slopes + i] * point + reals[constants + i] * one
        proved += abs(value) > bound
        reals[after + i] = value
    return proved


@reordered
def pass_four(
    reals: Floats, ints: Ints, lower: int, order: int, step: int, slopes: int, before: int, after: int, ups: int
) -> tuple[int, int]:
    """Pass four zeros of lower rows: write the upper values there, and what comes in there to the upper forms.

    Returns how many signs change on the way to each of the four, sixteen bits each, and for how many rows all four
    signs are proved.
    """
    wide, constants = room(ups), slopes + room(ups)
    w0, w1, w2, w3 = ints[order], ints[order + 1], ints[order + 2], ints[order + 3]
    p, b, a, d = lower + POINTS * step, lower + BOUNDS * step, lower + GAIN_SLOPES * step, lower + GAIN_CONSTANTS * step
    p0, p1, p2, p3 = reals[p], reals[p + 1], reals[p + 2], reals[p + 3]
    b0, b1, b2, b3 = reals[b], reals[b + 1], reals[b + 2], reals[b + 3]
    a0, a1, a2, a3 = reals[a], reals[a + 1], reals[a + 2], reals[a + 3]
    d0, d1, d2, d3 = reals[d], reals[d + 1], reals[d + 2], reals[d + 3]
    changes = proved = 0
    for i in range(wide):
        slope, constant = reals[slopes + i], reals[constants + i]
        v0 = slope * p0 + constant
        factor = reals[w0 + i]
        slope, constant = slope + factor * a0, constant + factor * d0
        v1 = slope * p1 + constant
        factor = reals[w1 + i]
        slope, constant = slope + factor * a1, constant + factor * d1
        v2 = slope * p2 + constant
        factor = reals[w2 + i]
        slope, constant = slope + factor * a2, constant + factor * d2
        v3 = slope * p3 + constant
        factor = reals[w3 + i]
        reals[slopes + i], reals[constants + i] = slope + factor * a3, constant + factor * d3
        changes += FIRST if (v0 < 0.0) != (reals[before + i] < 0.0) else 0
        changes += SECOND if (v1 < 0.0) != (v0 < 0.0) else 0
        changes += THIRD if (v2 < 0.0) != (v1 < 0.0) else 0
        changes += FOURTH if (v3 < 0.0) != (v2 < 0.0) else 0
        good = (abs(v0) > b0) & (abs(v1) > b1) & (abs(v2) > b2) & (abs(v3) > b3)
        proved += 1 if good else 0
        reals[after + i], reals[after + wide + i] = v0, v1
        reals[after + 2 * wide + i], reals[after + 3 * wide + i] = v2, v3
    return changes, proved


@inlined
def count_changes(reals: Floats, before: int, after: int, ups: int) -> int:
    """How many upper rows have different signs at two points."""
    changes = 0
    for i in range(room(ups)):
        changes += (reals[before + i] < 0.0) != (reals[after + i] < 0.0)
    return changes


@kernel
def are_distinct(
    reals: Floats, ints: Ints, listed: int, before: int, after: int, bound: float, upper: int, ups: int, changes: int
) -> bool:
    """Whether the upper zeros of one piece are proved different: their intervals on the piece do not overlap.

    A row whose values at the piece's ends are a and b in size, each up to `bound`, has its zero at the part a / (a + b)
    of the way, which lies between (a - bound) / (a + b) and (a + bound) / (a + b) (`chords.place_end`). That an end is
    at infinity changes nothing: the value there is the slope, and a / (a + b) still grows along the line.
    """
    list_changes(reals, ints, listed, ups, before, after, changes)
    lows, highs = upper + LOWS * room(ups), upper + HIGHS * room(ups)
    for k in range(changes):
        i = ints[listed + k]
        a, b = abs(reals[before + i]), abs(reals[after + i])
        low, high = (a - bound) / (a + b) * (1.0 - 8.0 * UNIT), (a + bound) / (a + b) * (1.0 + 8.0 * UNIT)
        for other in range(k):
            if not (low > reals[highs + other] or high < reals[lows + other]):
                return False
        reals[lows + k], reals[highs + k] = low, high
    return True


@inlined
def list_changes(reals: Floats, ints: Ints, listed: int, ups: int, before: int, after: int, changes: int) -> None:
    """List the `changes` upper rows whose signs differ.

    Two or three, as there are mostly, are the first, the last and what their sum leaves, found many at a time.
    """
    first, last, rest = ups, 0, 0
    for i in range(room(ups)):
        differs = (reals[before + i] < 0.0) != (reals[after + i] < 0.0)
        first = min(first, i if differs else ups)
        last = max(last, i if differs else 0)
        rest += i if differs else 0
    ints[listed], ints[listed + 1] = first, last
    if changes == 3:
        ints[listed + 2] = rest - first - last
    elif changes > 3:
        found = 0
        for i in range(room(ups)):
            ints[listed + found] = i
            found += (reals[before + i] < 0.0) != (reals[after + i] < 0.0)
