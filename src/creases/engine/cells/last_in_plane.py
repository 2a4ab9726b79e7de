"""The last layer on a cell that the layers below have finished: counted without building its local network.

The rows are affine there. Each is put together, looked at and dropped unless it crosses the cell; those that cross
are counted as chords (or zeros). Where anything is not proved at once the loop goes its ordinary way.
"""

from __future__ import annotations

from creases.engine.cells.chords import note_chord, pieces_at_infinity, pieces_of_chords, place_end
from creases.engine.cells.interval import pieces_of_zeros
from creases.engine.cells.polygon import form
from creases.engine.kernel import inlined
from creases.engine.proof.bounds import LARGEST_PROVED, PROOFS, ROUND_UP, UNDERFLOW, gamma, or_infinite, sign_threshold
from creases.engine.state.cell_layout import (
    CELL,
    MOST_CHORDS,
)
from creases.engine.state.network_layout import (
    BLOCK,
    COUPLED,
    ERROR_G,
    ERROR_W,
    IDS,
    ONE,
    ROWS,
    SIZE_G,
    SIZE_W,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.record import field
from creases.engine.state.row_layout import (
    ACTIVE,
    EXACT,
    FIRST_NEURON,
    KEPT,
    STATUS,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    INT_ONE,
    INT_ZERO,
    UNPROVED_COUNT,
    WALL,
)
from creases.engine.state.work import (
    Work,
)

__all__ = ["count_last"]


@inlined
def count_last(work: Work, net: int, layer: int, reach: float, corner_error: float) -> tuple[int, int]:
    """Pieces that the last layer makes of the current cell, and how many reach infinity; or UNPROVED_COUNT.

    layer : the layer before the last; its rows are all decided, and the last layer has no other columns.
    reach, corner_error : as `scan.cell_reach` gives them.
    """
    active, below = INT_ZERO, work.ints[field(net, layer, ROWS)]
    for q in range(below):
        if work.row_ints[STATUS, q] == ACTIVE:
            work.row_ints[KEPT, active] = q
            active += 1
    chords = INT_ZERO
    block, stride = work.ints[field(net, layer + 1, BLOCK)], work.ints[field(net, layer + 1, STRIDE)]
    source, source_stride = work.ints[field(net, layer, BLOCK)], work.ints[field(net, layer, STRIDE)]
    ids, neurons = work.ints[field(net, layer + 1, IDS)], work.layer_ints[layer + 1, FIRST_NEURON]
    rounding = 0.0 if work.layer_ints[layer + 1, EXACT] else gamma(2 + below)
    for i in range(work.ints[field(net, layer + 1, ROWS)]):
        if work.twins[neurons + work.ints[ids + i]] != 0:
            continue  # its line, if it has one here, is another row's
        f0, f1, f2, f_g, f_w = affine_row(work, block + i * stride, source, source_stride, active, rounding)
        crosses = keep_if_crossing(work, chords, f0, f1, f2, f_g, f_w, reach, corner_error)
        if crosses == UNPROVED_COUNT and work.state[WALL] == 0 and vanishes(work, block + i * stride, active):
            crosses = 0
        if crosses == UNPROVED_COUNT or chords + crosses > MOST_CHORDS:
            return UNPROVED_COUNT, 0
        chords += crosses
    if work.state[DIMENSION] == 1:
        return pieces_of_zeros(work, chords)
    pieces = 1 + chords if chords < 2 else pieces_of_chords(work.chord_ints, work.chord_reals, chords)
    return pieces, pieces_at_infinity(work, chords)


@inlined
def affine_row(
    work: Work, at: int, source: int, source_stride: int, active: int, rounding: float
) -> tuple[float, float, float, float, float]:
    """The row at `at` with the active rows of the layer below (in KEPT) substituted: its form and its bounds.

    source, source_stride : where the rows of the layer below stand. rounding : as in `substitution`, zero if exact.

    A row that comes in adds nothing to a bound only if its own is zero and so is its rounding, or its size. An infinite
    bound times a factor of zero is a NaN: the row's bound is infinite then.
    """
    reals = work.reals
    f0, f1, f2, f_g, f_w = form(work, at)
    if active == 0:
        return f0, f1, f2, f_g, f_w
    f_g += rounding * (abs(f0) + abs(f1))
    f_w += rounding * abs(f2)
    for a in range(active):
        q = work.row_ints[KEPT, a]
        factor, row = reals[at + COUPLED + q], source + q * source_stride
        f0 += factor * reals[row + X]
        f1 += factor * reals[row + Y]
        f2 += factor * reals[row + ONE]
        if not PROOFS:
            continue
        error_g = reals[row + ERROR_G] + rounding * reals[row + SIZE_G]
        error_w = reals[row + ERROR_W] + rounding * reals[row + SIZE_W]
        # The products may have underflowed, and the factor may be large.
        if not (error_g == 0.0 and (rounding == 0.0 or reals[row + SIZE_G] == 0.0)):
            f_g += abs(factor) * (error_g + UNDERFLOW) + UNDERFLOW
        if not (error_w == 0.0 and (rounding == 0.0 or reals[row + SIZE_W] == 0.0)):
            f_w += abs(factor) * (error_w + UNDERFLOW) + UNDERFLOW
    return f0, f1, f2, or_infinite(f_g * ROUND_UP), or_infinite(f_w * ROUND_UP)


@inlined
def vanishes(work: Work, at: int, active: int) -> bool:
    """Whether nothing is in the row at `at`, and no active row (in KEPT) comes in: it cuts nothing."""
    reals = work.reals
    for c in (X, Y, ONE, ERROR_G, ERROR_W):
        if reals[at + c] != 0.0:  # NaN is something
            return False
    a = INT_ZERO
    while a < active and reals[at + COUPLED + work.row_ints[KEPT, a]] == 0.0:
        a += 1
    return a == active


@inlined
def keep_if_crossing(
    work: Work, q: int, f0: float, f1: float, f2: float, f_g: float, f_w: float, reach: float, corner_error: float
) -> int:
    """1 if a form crosses the current cell (it is then kept as chord q), 0 if not, UNPROVED_COUNT if that is open.

    Where the bound is finite no value is a NaN (`bounds.sign_threshold`), which `min` and `max` might drop.
    """
    corners, values = work.state[CORNERS], work.values_nc
    low = high = nearest = 0.0
    for v in range(corners):
        value = f0 * work.cell_reals[CELL, v, X] + f1 * work.cell_reals[CELL, v, Y] + f2
        values[0, v] = value
        low = min(value, low) if v else value
        high = max(value, high) if v else value
        nearest = min(abs(value), nearest) if v else abs(value)
    bound = sign_threshold(abs(f0) + abs(f1), abs(f2), f_g, f_w, reach, corner_error)
    if (low > bound and high < LARGEST_PROVED) or (high < -bound and low > -LARGEST_PROVED):
        return 0
    if q == MOST_CHORDS or not (low < -bound and high > bound and nearest > bound):
        return UNPROVED_COUNT
    note_chord(work, q, f0, f1, f2, f_g, f_w)
    end = INT_ZERO
    for v in range(corners):
        here, there = values[0, v], values[0, v + 1 if v + 1 < corners else 0]
        if (here > 0.0) != (there > 0.0) and end < 2:
            place_end(work, q, end, v, abs(here), abs(there), bound)
            end += INT_ONE
    return 1
