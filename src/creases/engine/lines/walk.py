"""The walk of a sweep: the signs of the upper rows, along an interval from zero to zero of the lower rows.

What is proved, and why, is in `sweep`.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel, reordered
from creases.engine.lines.table import (
    ACTIVE_LIST,
    BIASES,
    BITS,
    BOUNDS,
    CONSTANTS,
    CROSSING_LIST,
    FIRST_POINT,
    FOURTH_POINT,
    GAIN_CONSTANTS,
    GAIN_SLOPES,
    HIGHS,
    INT_ARRAYS,
    LEFT,
    LOWER,
    LOWER_ARRAYS,
    LOWS,
    NOW_CONSTANTS,
    NOW_SLOPES,
    ORDER,
    POINTS,
    RIGHT,
    SECOND_POINT,
    SLOPES,
    THIRD_POINT,
    UNPROVED_SWEEP,
    VALUES,
    bound_at,
    end_point,
    note_flip,
    room,
)
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import UNIT

__all__ = ["pass_one", "start_forms", "walk"]


@inlined
def start_forms(
    reals: Floats, ints: Ints, lower: int, whole: int, columns: int, lows: int, ups: int, active: int
) -> None:
    """The upper rows' forms left of all zeros: their biases plus the active lower rows, added four at a time."""
    actives, upper, wide = whole + ACTIVE_LIST * room(lows + 3), lower + LOWER_ARRAYS * room(lows + 3), room(ups)
    slopes, constants = upper + NOW_SLOPES * wide, upper + NOW_CONSTANTS * wide
    for i in range(wide):
        reals[slopes + i], reals[constants + i] = 0.0, reals[upper + BIASES * wide + i]
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
def pass_one(reals: Floats, ints: Ints, lower: int, whole: int, lows: int, ups: int, k: int) -> None:
    """Pass zero number k of the lower rows: the form that is added there is added to the upper rows' forms."""
    step, wide = room(lows + 3), room(ups)
    slope, constant = reals[lower + GAIN_SLOPES * step + k], reals[lower + GAIN_CONSTANTS * step + k]
    slopes, column = lower + LOWER_ARRAYS * step + NOW_SLOPES * wide, ints[whole + ORDER * step + k]
    for i in range(wide):
        reals[slopes + i] += reals[column + i] * slope
        reals[slopes + wide + i] += reals[column + i] * constant


@inlined
def walk(
    reals: Floats,
    ints: Ints,
    at: int,
    whole: int,
    lows: int,
    ups: int,
    crossing: int,
    active: int,
    active_right: int,
    layer: int,
    flips: Ints,
    top: int,
) -> int:
    """Pieces of the upper layer: from the left end over the zeros of the lower rows to the right end.

    flips : output; the rows of both layers that change their sign, in order from position `top` on, one fewer than
        pieces; empty if they are not needed. layer : the number of the lower layer.
    """
    lower, step, wide = at + LOWER, room(lows + 3), room(ups)
    upper, order = lower + LOWER_ARRAYS * step, whole + ORDER * step
    slopes, values, listed = upper + NOW_SLOPES * wide, upper + VALUES * wide, whole + INT_ARRAYS * step
    point, one, error = look_from(reals, at, LEFT, active)
    before, next_four = values, values + wide
    bound = bound_at(reals, at, point, one, error)
    if look(reals, slopes, ups, point, one, bound, before) != ups:
        return UNPROVED_SWEEP
    pieces, noting = 1 + crossing, flips.shape[0] > 0
    for k in range(0, crossing, 4):
        all_changes, proved = pass_four(reals, ints, lower + k, order + k, step, slopes, before, next_four, ups)
        if proved != ups:
            return UNPROVED_SWEEP
        for j in range(4):
            changes, after = (all_changes >> (BITS * j)) & (SECOND_POINT - 1), next_four + j * wide
            bound_after = reals[lower + BOUNDS * step + k + j]
            pieces += changes
            if changes > 1 and not are_distinct(
                reals, ints, listed, before, after, max(bound, bound_after), upper, ups, changes
            ):
                return UNPROVED_SWEEP
            if noting:
                top = note_changes(reals, ints, listed, before, after, upper, ups, changes, layer + 1, flips, top)
                if k + j < crossing:
                    note_flip(flips, top, layer, ints[whole + CROSSING_LIST * step + k + j])
                    top += 1
            before, bound = after, bound_after
        # The other four entries: those that were written last are still needed.
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
    if noting:
        note_changes(reals, ints, listed, before, next_four, upper, ups, changes, layer + 1, flips, top)
    return pieces + changes


@inlined
def look_from(reals: Floats, at: int, end: int, active: int) -> tuple[float, float, float]:
    """The point at which to evaluate the signs at an end of the interval: the end; any point if the upper rows are
    constant."""
    point, one = end_point(reals[at + end])
    if one == 0.0 and active == 0:
        return 0.0, 1.0, 0.0
    return point, one, reals[at + end + 1]


@reordered
def look(reals: Floats, slopes: int, ups: int, point: float, one: float, bound: float, after: int) -> int:
    """Write the values of all upper rows at an end of the interval; returns the number of proved signs."""
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
    """Pass four zeros of lower rows: write the upper values there, and add the forms that are added there to the upper
    forms. Returns the numbers of sign changes before each of the four, with sixteen bits each, and the number of rows
    for which all four signs are proved.
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
        changes += FIRST_POINT if (v0 < 0.0) != (reals[before + i] < 0.0) else 0
        changes += SECOND_POINT if (v1 < 0.0) != (v0 < 0.0) else 0
        changes += THIRD_POINT if (v2 < 0.0) != (v1 < 0.0) else 0
        changes += FOURTH_POINT if (v3 < 0.0) != (v2 < 0.0) else 0
        good = (abs(v0) > b0) & (abs(v1) > b1) & (abs(v2) > b2) & (abs(v3) > b3)
        proved += 1 if good else 0
        reals[after + i], reals[after + wide + i] = v0, v1
        reals[after + 2 * wide + i], reals[after + 3 * wide + i] = v2, v3
    return changes, proved


@inlined
def count_changes(reals: Floats, before: int, after: int, ups: int) -> int:
    """The number of upper rows with different signs at two points."""
    changes = 0
    for i in range(room(ups)):
        changes += (reals[before + i] < 0.0) != (reals[after + i] < 0.0)
    return changes


@kernel
def are_distinct(
    reals: Floats, ints: Ints, listed: int, before: int, after: int, bound: float, upper: int, ups: int, changes: int
) -> bool:
    """Whether the upper zeros of one piece are proved different: their intervals on the piece do not overlap.

    A row whose values at the piece's ends have the sizes a and b, each with an error up to `bound`, has its zero at the
    fraction a / (a + b) of the way, which lies between (a - bound) / (a + b) and (a + bound) / (a + b)
    (`chords.place_end`). This also holds if an end is at infinity: the value there is the slope, and a / (a + b) still
    increases along the line. The signs at both ends are proved, each by its own bound; the larger of the two is used
    for both, and if it exceeds a or b, the position is only less precise.
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


@kernel
def note_changes(
    reals: Floats,
    ints: Ints,
    listed: int,
    before: int,
    after: int,
    upper: int,
    ups: int,
    changes: int,
    layer: int,
    flips: Ints,
    top: int,
) -> int:
    """Record the upper rows that change their sign in one piece, in the order of their zeros; returns the next
    position.

    That order is the order of the intervals which `are_distinct` has just proved not to overlap.
    """
    if changes > 0:
        list_changes(reals, ints, listed, ups, before, after, changes)
    lows = upper + LOWS * room(ups)
    for k in range(changes):
        place = top
        for other in range(changes):
            place += reals[lows + other] < reals[lows + k]
        note_flip(flips, place, layer, ints[listed + k])
    return top + changes


@inlined
def list_changes(reals: Floats, ints: Ints, listed: int, ups: int, before: int, after: int, changes: int) -> None:
    """List the `changes` upper rows whose signs differ.

    Usually there are one, two or three: the first, the last, and the one whose index follows from the sum of indices.
    These are searched many at a time.
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
        count = 0
        for i in range(room(ups)):
            ints[listed + count] = i
            count += (reals[before + i] < 0.0) != (reals[after + i] < 0.0)
