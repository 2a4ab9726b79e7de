"""A line through a network, swept from end to end: the pieces of every layer are counted without building cells.

On a piece of the line on which the layers below keep their signs, the rows of a layer (the lower one) are affine,
f_q(t) = a t + b, and those of the next, g_i = bias + sum_q w_iq relu(f_q), are affine between two successive zeros of
the lower layer. Along the line, a zero of f_q changes g by one product only: w_iq f_q is added or removed. On each part
between two zeros the upper layer is the lower one of the next pair, depth first. The zeros of the last layer are
counted without computing them: the g_i are continuous, so their signs at the zeros of the lower rows and at the piece's
two ends determine how many zeros each has in a part: one if the signs at its ends differ, else none (Hanin and Rolnick
2019, Lemma 4). q different zeros in an interval make 1 + q pieces.

This proves every sign that is used, the order of zeros (by intervals that do not overlap), and that the last layer's
zeros in one part are different. If one proof is missing, the result is UNPROVED_SWEEP, and cells are cut.

Rows above the first layer are multiplied by numbers that make the norm of their couplings at most one, so that one
bound serves all rows of a layer. With n lower rows and norms A, B, EA, EB of the vectors of |a_q|, |b_q| and of
their errors, the computed form of g_i is a sum of at most 2 n + 1 products: its bias, the rows active at the left end,
and one for each zero that was passed. Their absolute values sum up to at most 2 sum_q |w_iq| |a_q| <= 2 A for the
slope, 2 B + |bias| for the constant (Cauchy-Schwarz):

    |slope - slope*|  <=  EA + gamma(2 n + 8) 2 A  =:  SLOPE_ERROR,

and likewise for the constant; two units cover the scaling of the couplings, ROUND_UP the rounding of norms. A
product that underflows loses at most 2^-1075, a coupling that does little more times what it is multiplied by.

The comparisons, and why rounding does not reverse them: a value with its bound (`bounds.sign_threshold`), which is
rounded up; a bias or a row that overflows gives an infinite bound, or NaN as the value, and neither gives a sign. The
gap between two zeros with the sum of their errors: the gap is rounded once, by one unit of itself, and ROUND_UP covers
this and the rounding of the sum. Every error of a zero is zero or at least UNDERFLOW (`interval.zero_of`), so that no
rounding of it is lost.
"""

from __future__ import annotations

import numpy as np

from creases.engine.cells.interval import zero_of
from creases.engine.kernel import inlined, kernel, reordered
from creases.engine.lines.table import (
    ACTIVE_LIST,
    AT,
    BOUNDS,
    COLUMNS,
    CONSTANT_ERRORS,
    CONSTANTS,
    CROSSING_LIST,
    GAIN_CONSTANTS,
    GAIN_SLOPES,
    LEFT,
    LEFT_ERROR,
    LOWER,
    LOWER_ARRAYS,
    MOST_BIAS,
    NEURONS,
    NOW_SLOPES,
    ORDER,
    PASSED,
    PIECES,
    POINT_ERRORS,
    POINTS,
    RIGHT,
    RIGHT_ERROR,
    ROWS_CROSSED,
    SLOPE_ERROR,
    SLOPE_ERRORS,
    SLOPE_SIZE,
    SLOPES,
    STATUSES,
    UNPROVED_SWEEP,
    WHOLE,
    ZERO_ERRORS,
    ZEROS,
    bound_at,
    end_point,
    note_flip,
    room,
)
from creases.engine.lines.walk import pass_one, start_forms, walk
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, gamma, or_infinite, sign_threshold

__all__ = ["sweep"]

# Rows of `first_an`: for each first-layer row, the bias and the bounds of the norm and of |bias| times gamma.
BIAS, NORM_BOUND, BIAS_BOUND = 0, 1, 2

# If at most one in this many rows crosses, zeros are computed one by one.
FEW = 8


@kernel
def sweep(
    reals: Floats,
    ints: Ints,
    plan: Ints,
    first_an: Floats,
    constants_ln: Floats,
    slopes_ln: Floats,
    sizes_2l: Floats,
    ends_l2: Floats,
    found_ld: Ints,
    flips: Ints,
) -> None:
    """Sweep one line after the other; write the number of pieces of each layer if everything is proved.

    reals, ints, plan : the tables, with biases and couplings in place. first_an : see BIAS.
    constants_ln, slopes_ln : products of the first layer's weights with origins and directions. sizes_2l : bounds of
    the norms of origins and directions. ends_l2 : each line's first and last point.
    flips : output; for each fully proved line, one after the other, the rows whose signs change, in their order along
        the line (`note_flip`): one fewer than its pieces. Entries beyond its end are left out; an empty array means
        that they are not needed.
    """
    depth, top = plan.shape[0], 0
    for line in range(ends_l2.shape[0]):
        begin = top
        reals[LEFT], reals[RIGHT] = ends_l2[line, 0], ends_l2[line, 1]
        write_first(reals, first_an, constants_ln, slopes_ln, sizes_2l, line, plan[0, NEURONS])
        for layer in range(depth):
            plan[layer, PIECES], plan[layer, PASSED] = 0, UNPROVED_SWEEP
        layer = 0
        while layer >= 0:
            lows, at, whole, done = plan[layer, NEURONS], plan[layer, AT], plan[layer, WHOLE], plan[layer, PASSED]
            ups = plan[layer + 1, NEURONS] if layer + 1 < depth else 0
            if done < 0:  # the interval is new
                crossing, active, active_right = part_rows(reals, ints, at, whole, lows)
                if crossing < 0 or not are_in_order(reals, ints, at + LOWER, whole, lows, crossing):
                    break
                plan[layer, PIECES] += 1 + crossing
                plan[layer, ROWS_CROSSED] = crossing
                bound_forms(reals, at, lows)
                note_points(reals, ints, at, whole, plan[layer, COLUMNS], lows, ups, crossing)
                start_forms(reals, ints, at + LOWER, whole, plan[layer, COLUMNS], lows, ups, active)
                if layer + 2 == depth:
                    pieces = walk(reals, ints, at, whole, lows, ups, crossing, active, active_right, layer, flips, top)
                    if pieces < 0:
                        break
                    plan[layer + 1, PIECES] += pieces
                    top += pieces - 1
                elif layer + 1 == depth:  # the only layer
                    for k in range(crossing):
                        note_flip(flips, top + k, layer, ints[whole + CROSSING_LIST * room(lows + 3) + k])
                    top += crossing
            elif done < plan[layer, ROWS_CROSSED]:
                note_flip(flips, top, layer, ints[whole + CROSSING_LIST * room(lows + 3) + done])
                top += 1
                pass_one(reals, ints, at + LOWER, whole, lows, ups, done)
            if layer + 2 >= depth or done + 1 > plan[layer, ROWS_CROSSED]:
                plan[layer, PASSED] = UNPROVED_SWEEP
                layer -= 1
                continue
            plan[layer, PASSED] = done + 1
            hand_down(reals, at, plan[layer + 1, AT], lows, ups, done + 1, plan[layer, ROWS_CROSSED])
            layer += 1
        for other in range(depth):
            found_ld[line, other] = plan[other, PIECES] if layer < 0 else UNPROVED_SWEEP
        top = top if layer < 0 else begin


@inlined
def write_first(
    reals: Floats, first_an: Floats, constants_ln: Floats, slopes_ln: Floats, sizes_2l: Floats, line: int, lows: int
) -> None:
    """The first layer's rows on one line, with their bounds."""
    slopes, constants = LOWER + SLOPES * room(lows + 3), LOWER + CONSTANTS * room(lows + 3)
    slope_errors, constant_errors = LOWER + SLOPE_ERRORS * room(lows + 3), LOWER + CONSTANT_ERRORS * room(lows + 3)
    for q in range(lows):
        reals[slopes + q] = slopes_ln[line, q]
        reals[constants + q] = constants_ln[line, q] + first_an[BIAS, q]
        reals[slope_errors + q] = first_an[NORM_BOUND, q] * sizes_2l[1, line] * ROUND_UP + UNDERFLOW
        reals[constant_errors + q] = (
            first_an[NORM_BOUND, q] * sizes_2l[0, line] + first_an[BIAS_BOUND, q]
        ) * ROUND_UP + UNDERFLOW


@inlined
def hand_down(reals: Floats, at: int, child: int, lows: int, ups: int, part: int, crossing: int) -> None:
    """Make the part between two zeros, with the upper rows' current forms, the interval of the table at `child`."""
    lower, step, wide, child_step = at + LOWER, room(lows + 3), room(ups), room(ups + 3)
    points, errors = lower + POINTS * step, lower + POINT_ERRORS * step
    for end in range(2):
        k, place = part - 1 + end, LEFT + 2 * end
        inside = 0 <= k < crossing
        reals[child + place] = reals[points + k] if inside else reals[at + place]
        reals[child + place + 1] = reals[errors + k] if inside else reals[at + place + 1]
    forms = lower + LOWER_ARRAYS * step + NOW_SLOPES * wide
    for which in range(2):
        target = child + LOWER + (SLOPES + which) * child_step
        target_error = child + LOWER + (SLOPE_ERRORS + which) * child_step
        error = reals[at + SLOPE_ERROR + 2 * which]
        for i in range(ups):
            reals[target + i] = reals[forms + which * wide + i]
            reals[target_error + i] = error


@kernel
def part_rows(reals: Floats, ints: Ints, at: int, whole: int, lows: int) -> tuple[int, int, int]:
    """List the lower rows that cross the interval and those active at its left end.

    Returns their number, and the number of those active at the right end; the first is UNPROVED_SWEEP if a sign at an
    end is not proved.
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
        ints[whole + CROSSING_LIST * step + crossing] = q
        ints[whole + ACTIVE_LIST * step + active] = q
        crossing += (status ^ (status >> 1)) & 1
        active += status & 1
        active_right += status >> 1
    return crossing, active, active_right


@kernel
def are_in_order(reals: Floats, ints: Ints, lower: int, whole: int, lows: int, crossing: int) -> bool:
    """Compute the zeros of the lower rows and list the crossing ones in their ORDER; returns whether that order is
    proved.

    A zero's position is the number of zeros before it: counting them, with n^2 comparisons, takes less time than the
    sweep.
    """
    step = room(lows + 3)
    zeros, errors, points = lower + ZEROS * step, lower + ZERO_ERRORS * step, lower + POINTS * step
    listed, order = whole + CROSSING_LIST * step, whole + ORDER * step
    if FEW * crossing < lows:
        for k in range(crossing):
            place_zero(reals, lower + ints[listed + k], step)
    else:  # all of them, many at a time
        for q in range(lower, lower + lows):
            place_zero(reals, q, step)
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
    # Of two equal zeros one is overwritten. Then another row is listed twice, and the order is not increasing.
    for k in range(1, crossing):
        here, there = ints[order + k], ints[order + k - 1]
        gap = reals[zeros + here] - reals[zeros + there]
        if not gap > (reals[errors + here] + reals[errors + there]) * ROUND_UP:
            return False
    return True


@inlined
def place_zero(reals: Floats, row: int, step: int) -> None:
    """The zero of one lower row, and its error."""
    reals[row + ZEROS * step], reals[row + ZERO_ERRORS * step] = zero_of(
        reals[row + SLOPES * step],
        reals[row + CONSTANTS * step],
        reals[row + SLOPE_ERRORS * step],
        reals[row + CONSTANT_ERRORS * step],
    )


@reordered
def norm(reals: Floats, begin: int, count: int) -> float:
    """The Euclidean norm of some numbers, rounded up; the sum of squares that underflow is below 2^-1000."""
    squares = 0.0
    for i in range(count):
        squares += reals[begin + i] * reals[begin + i]
    return np.sqrt(squares + UNDERFLOW) * ROUND_UP


@inlined
def bound_forms(reals: Floats, at: int, lows: int) -> None:
    """The sizes and errors that hold for all upper rows on the whole interval (see the module's docstring)."""
    lower, step, rounding = at + LOWER, room(lows + 3), gamma(2 * lows + 8)
    for which in range(2):
        size = norm(reals, lower + (SLOPES + which) * step, lows)
        error = norm(reals, lower + (SLOPE_ERRORS + which) * step, lows)
        bias = reals[at + MOST_BIAS] if which else 0.0
        error = or_infinite((error + rounding * (2.0 * size + bias)) * ROUND_UP + UNDERFLOW * (1.0 + size))
        reals[at + SLOPE_SIZE + 2 * which] = or_infinite((size + bias + error) * ROUND_UP)
        reals[at + SLOPE_ERROR + 2 * which] = error


@inlined
def note_points(
    reals: Floats, ints: Ints, at: int, whole: int, columns: int, lows: int, ups: int, crossing: int
) -> None:
    """For each zero in order: its point and bound, and the form that is added there: w f if f increases, -w f if it
    decreases.

    To make the number of zeros a multiple of four, the last point is repeated, with a form of zero. The list of
    crossing rows is put in their order.
    """
    lower, step, order = at + LOWER, room(lows + 3), whole + ORDER * room(lows + 3)
    points, errors = lower + POINTS * step, lower + POINT_ERRORS * step
    for k in range(crossing):
        q = ints[order + k]
        slope, constant = reals[lower + SLOPES * step + q], reals[lower + CONSTANTS * step + q]
        reals[points + k] = reals[lower + ZEROS * step + q]
        reals[errors + k] = reals[lower + ZERO_ERRORS * step + q]
        reals[lower + GAIN_SLOPES * step + k] = abs(slope)
        reals[lower + GAIN_CONSTANTS * step + k] = constant if slope > 0.0 else -constant
        ints[order + k], ints[whole + CROSSING_LIST * step + k] = columns + q * room(ups), q
    for k in range(crossing):
        reals[lower + BOUNDS * step + k] = bound_at(reals, at, reals[points + k], 1.0, reals[errors + k])
    for k in range(crossing, (crossing + 3) & ~3):
        reals[points + k], reals[lower + BOUNDS * step + k] = (
            reals[points + k - 1],
            reals[lower + BOUNDS * step + k - 1],
        )
        reals[lower + GAIN_SLOPES * step + k] = reals[lower + GAIN_CONSTANTS * step + k] = 0.0
        ints[order + k] = columns
