"""`last_in_plane` for three dimensions or more: the last layer on a cell that the layers below have finished.

Each row is put together, looked at, and forgotten unless it crosses the cell; `arrangement` counts those that cross.
Where anything is not proved at once the loop goes its ordinary way.
"""

from __future__ import annotations

from creases.engine.cells.arrangement import (
    LARGEST_VALUE,
    SMALLEST_VALUE,
    has_easy_facets,
    infinity_bit,
    pieces_and_far,
)
from creases.engine.kernel import inlined
from creases.engine.proof.bounds import PROOFS, ROUND_UP, UNDERFLOW, gamma, or_infinite, sign_threshold
from creases.engine.rows.rows_in_space import along, evaluate, gradient_in_space, list_form_in_space, sizes_along
from creases.engine.state.cell_layout import (
    CELL,
    MOST_CHORDS,
    SECTION_BOUNDS,
    SECTION_MASKS,
)
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    FORM,
    IDS,
    ONE,
    ROWS,
    STRIDE,
)
from creases.engine.state.record import field
from creases.engine.state.row_layout import (
    ACTIVE,
    ACTIVE_ERRORS,
    ACTIVE_FORM,
    ACTIVE_IN_SPACE,
    ACTIVE_ROW,
    ACTIVE_SIZES,
    EXACT,
    FIRST_NEURON,
    STATUS,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    UNPROVED_COUNT,
    WALL,
)
from creases.engine.state.work import (
    SpaceWork,
)

__all__ = ["count_last_in_space"]


@inlined
def count_last_in_space(work: SpaceWork, net: int, layer: int, reach: float, corner_error: float) -> tuple[int, int]:
    """Pieces that the last layer makes of the current cell, and how many reach infinity; or UNPROVED_COUNT.

    layer : the layer before the last; its rows are all decided, and the last layer has no other columns.
    reach, corner_error : as `scan.cell_reach` gives them.

    Where the bound is finite no value is a NaN (`bounds.sign_threshold`), which `min` and `max` might drop.
    """
    if not has_easy_facets(work):
        return UNPROVED_COUNT, 0
    d, corners = work.state[DIMENSION], work.state[CORNERS]
    rounding = 0.0 if work.layer_ints[layer + 1, EXACT] else gamma(2 + work.ints[field(net, layer, ROWS)])
    active = list_active(work, net, layer, rounding)
    block, stride = work.ints[field(net, layer + 1, BLOCK)], work.ints[field(net, layer + 1, STRIDE)]
    ids, neurons, crossing = work.ints[field(net, layer + 1, IDS)], work.layer_ints[layer + 1, FIRST_NEURON], 0
    for i in range(work.ints[field(net, layer + 1, ROWS)]):
        if work.twins[neurons + work.ints[ids + i]] != 0:
            continue  # its zero set, if it has one here, is another row's
        if crossing == MOST_CHORDS:
            return UNPROVED_COUNT, 0
        bound = put_together(work, block + i * stride, active, rounding, reach, corner_error)
        values = work.section_reals[0, crossing]
        evaluate(work.sums, 0, work.sums[d], work.points[CELL], d, corners, values)
        low, high, nearest = values[0], values[0], abs(values[0])
        for v in range(1, corners):
            low, high, nearest = min(values[v], low), max(values[v], high), min(abs(values[v]), nearest)
        if (low > bound and high < LARGEST_VALUE) or (high < -bound and low > -LARGEST_VALUE):
            continue
        if not (low < -bound and high > bound and nearest > bound and nearest > SMALLEST_VALUE):
            # NaN lands here too. A row in which nothing is cuts nothing.
            if work.state[WALL] == 0 and is_nothing(work, bound):
                continue
            return UNPROVED_COUNT, 0
        if not (high < LARGEST_VALUE and -low < LARGEST_VALUE):
            return UNPROVED_COUNT, 0
        work.section_reals[0, SECTION_BOUNDS, crossing] = bound
        crossing += 1
    for v in range(corners):
        work.section_ints[0, SECTION_MASKS, v] = work.masks[CELL, 0, v]
    return pieces_and_far(work.section_reals, work.section_ints, d, crossing, corners, infinity_bit(work))


@inlined
def list_active(work: SpaceWork, net: int, layer: int, rounding: float) -> int:
    """List the active rows of the layer below the last, with what each of them may add to a bound; how many."""
    active, below = 0, work.ints[field(net, layer, ROWS)]
    source, stride = work.ints[field(net, layer, BLOCK)], work.ints[field(net, layer, STRIDE)]
    errors, sizes = work.open_reals[ACTIVE_ERRORS:], work.open_reals[ACTIVE_SIZES:]
    for q in range(below):
        if work.row_ints[STATUS, q] == ACTIVE:
            work.open_ints[ACTIVE_ROW, active] = q
            list_form_in_space(work, active, source + q * stride)
            for c in range(2):
                total = errors[c, active] + rounding * sizes[c, active]
                # Products may underflow, and the factor they come in with may be large.
                untouched = errors[c, active] == 0.0 and (rounding == 0.0 or sizes[c, active] == 0.0)
                errors[c, active] = 0.0 if untouched else or_infinite(total + UNDERFLOW)
            active += 1
    return active


@inlined
def put_together(work: SpaceWork, at: int, active: int, rounding: float, reach: float, corner_error: float) -> float:
    """The form of the row at `at` with the active rows substituted, to `sums`; returns the bound of its signs."""
    reals, sums, d = work.reals, work.sums, work.state[DIMENSION]
    for a in range(active):
        work.factors[a] = reals[at + FORM + d + work.open_ints[ACTIVE_ROW, a]]
    size = 0.0
    for c in range(d):
        value = reals[at + FORM + c] + along(work.factors, 0, work.open_forms[ACTIVE_IN_SPACE, c], 0, active)
        sums[c] = value
        size += abs(value)
    sums[d] = reals[at + ONE] + along(work.factors, 0, work.open_reals[ACTIVE_FORM + ONE], 0, active)
    if not PROOFS:
        return 0.0
    more_g = sizes_along(work.factors, 0, work.open_reals[ACTIVE_ERRORS], 0, active)
    more_w = sizes_along(work.factors, 0, work.open_reals[ACTIVE_ERRORS + 1], 0, active)
    error_g, error_w = reals[at + ERROR_G], reals[at + ERROR_W]
    if active > 0:
        error_g += rounding * gradient_in_space(work, at) + more_g
        error_w += rounding * abs(reals[at + ONE]) + more_w
    # An infinite bound times a factor of zero is a NaN here, of which `sign_threshold` makes infinity.
    # Products that come in, and those of their bounds, may have underflowed to zero: what is touched is never exact.
    error_g = error_g * ROUND_UP + (UNDERFLOW if comes_in(work, ACTIVE_ERRORS, active) else 0.0)
    error_w = error_w * ROUND_UP + (UNDERFLOW if comes_in(work, ACTIVE_ERRORS + 1, active) else 0.0)
    return sign_threshold(size, abs(sums[d]), error_g, error_w, reach, corner_error, d + 3.0)


@inlined
def comes_in(work: SpaceWork, errors: int, active: int) -> bool:
    """Whether an active row comes in of which something is not exact."""
    inexact = False
    for a in range(active):
        inexact = inexact or (work.factors[a] != 0.0 and work.open_reals[errors, a] != 0.0)
    return inexact


@inlined
def is_nothing(work: SpaceWork, bound: float) -> bool:
    """Whether the form in `sums` is zero, exactly."""
    nothing = bound == 0.0
    for c in range(work.state[DIMENSION] + 1):
        nothing = nothing and work.sums[c] == 0.0
    return nothing
