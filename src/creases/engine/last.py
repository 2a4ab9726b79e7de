"""The last layer on a cell that the layers below have finished: counted without building its local network.

The rows are affine there. Each is put together, looked at and dropped unless it crosses the cell; those that cross
are counted as chords (or zeros). Where anything is not proved at once the loop goes its ordinary way.
"""

from __future__ import annotations

from creases.engine.bounds import ROUND_UP, UNDERFLOW, gamma, sign_threshold
from creases.engine.chords import UNPROVED_CHORDS, pieces_of_chords, place_end
from creases.engine.kernel import inlined, kernel
from creases.engine.line import pieces_of_zeros
from creases.engine.record import field
from creases.engine.work import (
    ACTIVE,
    CELL,
    CHORD_BOUNDS,
    CHORD_FORM,
    CORNERS,
    COUPLING,
    DIMENSION,
    ERRORS,
    FORMS,
    INT_ONE,
    INT_ZERO,
    KEPT,
    MOST_CHORDS,
    ROWS,
    SIZES,
    STATUS,
    Work,
)

__all__ = ["count_last"]


@kernel
def count_last(work: Work, net: int, layer: int, reach: float, corner_error: float) -> tuple[int, int]:
    """Pieces that the last layer makes of the current cell, and how many reach infinity; or UNPROVED_CHORDS.

    layer : the layer before the last; its rows are all decided, and the last layer has no other columns.
    reach, corner_error : as `scan.cell_reach` gives them.
    """
    active = INT_ZERO
    for q in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, q] == ACTIVE:
            work.row_ints[KEPT, active] = q
            active += 1
    chords = INT_ZERO
    for i in range(work.ints[field(net, layer + 1, ROWS)]):
        f0, f1, f2, f_g, f_w = affine_row(work, net, layer, i, active)
        crosses = meet(work, chords, f0, f1, f2, f_g, f_w, reach, corner_error)
        if crosses < 0:
            return UNPROVED_CHORDS, 0
        if crosses:
            if chords + 1 == MOST_CHORDS:
                return UNPROVED_CHORDS, 0
            work.chord_reals[chords, CHORD_FORM], work.chord_reals[chords, CHORD_FORM + 1] = f0, f1
            work.chord_reals[chords, CHORD_FORM + 2] = f2
            work.chord_reals[chords, CHORD_BOUNDS], work.chord_reals[chords, CHORD_BOUNDS + 1] = f_g, f_w
            chords += 1
    if work.state[DIMENSION] == 1:
        return pieces_of_zeros(work, chords)
    return pieces_of_chords(work, chords)


@inlined
def affine_row(work: Work, net: int, layer: int, i: int, active: int) -> tuple[float, float, float, float, float]:
    """Row i of the layer above with the active rows of `layer` (in KEPT) substituted: its form and its bounds.

    Rounding as in `local.write_rows`. On a line the second number is zero.
    """
    ints, reals = work.ints, work.reals
    plane = work.state[DIMENSION] == 2
    rows, below = ints[field(net, layer + 1, ROWS)], ints[field(net, layer, ROWS)]
    form, error = ints[field(net, layer + 1, FORMS)] + i, ints[field(net, layer + 1, ERRORS)] + i
    column = ints[field(net, layer + 1, COUPLING)] + i
    forms_below, errors_below = ints[field(net, layer, FORMS)], ints[field(net, layer, ERRORS)]
    sizes_below = ints[field(net, layer, SIZES)]
    last = 2 if plane else 1
    f0, f2 = reals[form], reals[form + last * rows]
    f1 = reals[form + rows] if plane else 0.0
    f_g, f_w = reals[error], reals[error + rows]
    if active == 0:
        return f0, f1, f2, f_g, f_w
    rounding = gamma(2 + below)
    f_g += rounding * (abs(f0) + abs(f1))
    f_w += rounding * abs(f2)
    for a in range(active):
        q = work.row_ints[KEPT, a]
        factor = reals[column + q * rows]
        f0 += factor * reals[forms_below + q]
        f2 += factor * reals[forms_below + last * below + q]
        if plane:
            f1 += factor * reals[forms_below + below + q]
        error_g = reals[errors_below + q] + rounding * reals[sizes_below + q]
        error_w = reals[errors_below + below + q] + rounding * reals[sizes_below + below + q]
        # The products may have underflowed, and the factor may be large.
        if error_g > 0.0:
            f_g += abs(factor) * (error_g + UNDERFLOW) + UNDERFLOW
        if error_w > 0.0:
            f_w += abs(factor) * (error_w + UNDERFLOW) + UNDERFLOW
    return f0, f1, f2, f_g * ROUND_UP, f_w * ROUND_UP


@inlined
def meet(
    work: Work, q: int, f0: float, f1: float, f2: float, f_g: float, f_w: float, reach: float, corner_error: float
) -> int:
    """1 if a form crosses the current cell (its ends are then placed as those of chord q), 0 if not, -1 if unproved."""
    corners, plane = work.state[CORNERS], work.state[DIMENSION] == 2
    bound = sign_threshold(abs(f0) + abs(f1), abs(f2), f_g, f_w, reach, corner_error)
    low = high = nearest = before = start = 0.0
    for v in range(corners):
        value = f0 * work.cell_reals[CELL, v, 0] + f2
        if plane:
            value = f0 * work.cell_reals[CELL, v, 0] + f1 * work.cell_reals[CELL, v, 1] + f2
        work.meeting_c[v] = value
        low = min(value, low) if v else value
        high = max(value, high) if v else value
        nearest = min(abs(value), nearest) if v else abs(value)
    if (low > bound and high < 1e300) or (high < -bound and low > -1e300):
        return 0
    if not (low < -bound and high > bound and nearest > bound):
        return -1
    end = INT_ZERO
    for v in range(corners):
        after = work.meeting_c[v + 1 if v + 1 < corners else 0]
        if (work.meeting_c[v] > 0.0) != (after > 0.0) and end < 2:
            place_end(work, q, end, v, abs(work.meeting_c[v]), abs(after), bound)
            end += INT_ONE
    return 1
