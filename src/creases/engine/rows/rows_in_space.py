"""The rows of a local network over a cell of three dimensions or more: what `scan`, `relax` and `substitution` do to
the coordinates of a form, written as loops. The same for two coordinates, in registers, stands in those rooms.

Sums over d coordinates and the constant have d + 1 products: `units` of rounding pay for them where two dimensions
need four.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel, reordered
from creases.engine.problem import Floats
from creases.engine.proof.bounds import LARGEST_PROVED, ROUND_UP, UNDERFLOW, UNIT, gamma, is_exact, sign_threshold
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.rows.exact_zeros import is_exact_zero
from creases.engine.rows.slopes import band_of, is_dropped, slope_of
from creases.engine.state.cell_layout import (
    CELL,
)
from creases.engine.state.network_layout import (
    ERROR_G,
    ERROR_W,
    FORM,
    ONE,
    SIZE_G,
    SIZE_W,
)
from creases.engine.state.record import UNSETTLED, status_of_values
from creases.engine.state.row_layout import (
    ACTIVE,
    ACTIVE_ERRORS,
    ACTIVE_FORM,
    ACTIVE_IN_SPACE,
    ACTIVE_ROW,
    ACTIVE_SIZES,
    CROSSING,
    CROSSING_UNPROVED,
    INACTIVE,
    KIND,
    OPEN,
    RADIUS,
    RELAXED,
    RELAXED_IN_SPACE,
    UNKNOWN,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    PLAIN_CHAIN,
)
from creases.engine.state.work import (
    SpaceWork,
)

__all__ = [
    "add_forms_in_space",
    "along",
    "cell_reach_in_space",
    "copy_form_in_space",
    "drop_in_space",
    "evaluate",
    "form_size_in_space",
    "gradient_in_space",
    "list_form_in_space",
    "relax_affine_in_space",
    "relax_row_in_space",
    "scan_row_in_space",
    "sign_at_in_space",
    "sizes_along",
]


@inlined
def cell_reach_in_space(work: SpaceWork) -> tuple[float, float]:
    """(largest |coordinate|, largest corner error) over the current cell's corners."""
    points, d, corners = work.points[CELL], work.state[DIMENSION], work.state[CORNERS]
    reach = error = 0.0
    for c in range(d):
        for v in range(corners):
            reach = max(reach, abs(points[c, v]))
    for v in range(corners):
        error = max(error, points[d, v])
    return reach, error


@inlined
def gradient_in_space(work: SpaceWork, at: int) -> float:
    """The sum of |x_c| of the form at `at` in `reals`."""
    total = 0.0
    for c in range(work.state[DIMENSION]):
        total += abs(work.reals[at + FORM + c])
    return total


@inlined
def threshold_in_space(work: SpaceWork, at: int, reach: float, corner_error: float) -> float:
    """`bounds.sign_threshold` of the row at `at`."""
    reals = work.reals
    return sign_threshold(
        gradient_in_space(work, at),
        abs(reals[at + ONE]),
        reals[at + ERROR_G],
        reals[at + ERROR_W],
        reach,
        corner_error,
        work.state[DIMENSION] + 3.0,
    )


@inlined
def scan_row_in_space(work: SpaceWork, i: int, at: int, reach: float, corner_error: float) -> int:
    """Status of the row at `at` in `reals` on the current cell; its KIND, values and bounds go to place i."""
    reals, corners, values = work.reals, work.state[CORNERS], work.values_nc[i]
    one = reals[at + ONE]
    evaluate(reals, at + FORM, one, work.points[CELL], work.state[DIMENSION], corners, values)
    low, high, nearest = values[0], values[0], abs(values[0])
    for v in range(1, corners):
        low, high, nearest = min(values[v], low), max(values[v], high), min(abs(values[v]), nearest)
    bound = threshold_in_space(work, at, reach, corner_error)
    status = status_of_values(work, i, low, high, nearest, bound)
    if status != UNSETTLED:
        return status
    return look_closer_in_space(work, i, at)


@inlined
def evaluate(reals: Floats, at: int, one: float, points: Floats, d: int, corners: int, values: Floats) -> None:
    """Values of one form at all corners; its constant is added last."""
    for v in range(corners):
        values[v] = reals[at] * points[0, v]
    for c in range(1, d):
        factor = reals[at + c]
        for v in range(corners):
            values[v] += factor * points[c, v]
    for v in range(corners):
        values[v] += one


@kernel
def look_closer_in_space(work: SpaceWork, row: int, at: int) -> int:
    """Status of a row that the cell's common bound does not settle, corner by corner; its kind goes to row_ints."""
    above = below = unproved = False
    for v in range(work.state[CORNERS]):
        sign = sign_at_in_space(work, row, at, v)
        above = above or sign == POSITIVE
        below = below or sign == NEGATIVE
        unproved = unproved or sign == UNPROVED
    if above and below:
        work.row_ints[KIND, row] = CROSSING_UNPROVED if unproved else CROSSING
        return OPEN
    work.row_ints[KIND, row] = UNKNOWN if unproved else CROSSING
    if unproved:
        return OPEN
    return ACTIVE if above else INACTIVE


@inlined
def sign_at_in_space(work: SpaceWork, row: int, at: int, v: int) -> int:
    """The sign at corner v of a row of the lowest layer that stands at `at` and was evaluated."""
    answer = work.answers_nc[row, v]
    if answer != UNPROVED:
        return answer
    d, points = work.state[DIMENSION], work.points[CELL]
    reach = 0.0
    for c in range(d):
        reach = max(reach, abs(points[c, v]))
    bound = threshold_in_space(work, at, reach, points[d, v])
    value = work.values_nc[row, v]
    if value > bound:
        return POSITIVE
    if value < -bound:
        return NEGATIVE
    # NaN lands in the last case: an overflow must be unproved, never a sign.
    if value == 0.0 and bound == 0.0:
        return ZERO
    exact = is_exact(work.reals[at + ERROR_G], work.reals[at + ERROR_W])
    return ZERO if exact and is_exact_zero(work, at, v) else UNPROVED


# Relaxation.


@inlined
def drop_in_space(work: SpaceWork, q: int) -> None:
    """Row q hands on nothing on the cell."""
    for c in range(work.state[DIMENSION]):
        work.open_forms[RELAXED_IN_SPACE, c, q] = 0.0
    work.open_reals[RELAXED + ONE, q] = work.open_reals[RADIUS, q] = 0.0


@inlined
def relax_affine_in_space(
    work: SpaceWork, q: int, neuron: int, status: int, at: int, low: float, high: float, reach: float
) -> None:
    """The relaxation of a row that is affine on the cell and was scanned: its form, up to its bounds."""
    reals = work.reals
    for c in range(work.state[DIMENSION]):
        work.sums[c] = reals[at + FORM + c]
    radius = (reals[at + ERROR_G] * reach + reals[at + ERROR_W]) * ROUND_UP
    set_relaxed_in_space(work, q, neuron, status, reals[at + ONE], radius, low, high, reach, 0)


@inlined
def set_relaxed_in_space(
    work: SpaceWork,
    q: int,
    neuron: int,
    status: int,
    one: float,
    radius: float,
    low: float,
    high: float,
    reach: float,
    terms: int,
) -> None:
    """`relax.set_relaxed` of the linear part in `sums`."""
    middle = half = 0.0
    if status == OPEN:
        slope, middle, half = band_of(work, neuron, low, high)
    else:
        slope = 1.0 if work.state[PLAIN_CHAIN] else slope_of(work, neuron, status)
    relaxed, gradient = work.open_forms[RELAXED_IN_SPACE], 0.0
    for c in range(work.state[DIMENSION]):
        value = slope * work.sums[c]
        gradient += abs(value)
        relaxed[c, q] = value
    one = slope * one
    size = gradient * reach + abs(one)
    rounding = gamma(work.open_reals.shape[1] + terms + 8)
    work.open_reals[RELAXED + ONE, q] = one + middle
    radius = (abs(slope) * radius + half + rounding * (size + abs(middle) + half)) * ROUND_UP + UNDERFLOW
    work.open_reals[RADIUS, q] = radius


@inlined
def relax_row_in_space(
    work: SpaceWork,
    at: int,
    begin: int,
    start: int,
    i: int,
    neuron: int,
    candidate: bool,
    reach: float,
    corner_error: float,
) -> int:
    """Status of row i of a layer, at `at`, over the current cell; its relaxation, unless it hands on nothing."""
    reals, d, corners = work.reals, work.state[DIMENSION], work.state[CORNERS]
    own = gradient_in_space(work, at) * reach + abs(reals[at + ONE])
    rounding = gamma(start - begin + 4)
    radius = reals[at + ERROR_G] * reach + reals[at + ERROR_W] + rounding * own
    shift = at + FORM + d
    gradient = 0.0
    for c in range(d):
        value = reals[at + FORM + c] + along(reals, shift, work.open_forms[RELAXED_IN_SPACE, c], begin, start)
        work.sums[c] = value
        gradient += abs(value)
    one = reals[at + ONE] + along(reals, shift, work.open_reals[RELAXED + ONE], begin, start)
    radius = (radius + sizes_along(reals, shift, work.open_reals[RADIUS], begin, start)) * ROUND_UP + UNDERFLOW
    values = work.row_values
    evaluate(work.sums, 0, one, work.points[CELL], d, corners, values)
    low = high = values[0]
    for v in range(1, corners):
        low, high = min(values[v], low), max(values[v], high)
    size = gradient * reach + abs(one)
    slack = (radius + gradient * corner_error + 2.0 * (d + 3.0) * UNIT * size) * ROUND_UP + UNDERFLOW
    low, high = low - slack, high + slack
    # A NaN or an infinity proves nothing: such a row stays open.
    if candidate or (low > 0.0 and high < LARGEST_PROVED):  # a candidate is relaxed as a linear row, which is active
        status = ACTIVE
    elif high < 0.0 and low > -LARGEST_PROVED:
        status = INACTIVE
    else:
        status = OPEN
    if is_dropped(work, work.state[PLAIN_CHAIN], neuron, status):
        drop_in_space(work, start + i)
    else:
        set_relaxed_in_space(work, start + i, neuron, status, one, radius, low, high, reach, start - begin)
    return OPEN if candidate else status


@reordered
def along(reals: Floats, at: int, numbers: Floats, begin: int, end: int) -> float:
    """Sum over q = begin ... end - 1 of coupling (at + q - begin) times number q."""
    total = 0.0
    for q in range(begin, end):
        total += reals[at - begin + q] * numbers[q]
    return total


@reordered
def sizes_along(reals: Floats, at: int, numbers: Floats, begin: int, end: int) -> float:
    """Sum over q = begin ... end - 1 of |coupling (at + q - begin)| times number q."""
    total = 0.0
    for q in range(begin, end):
        total += abs(reals[at - begin + q]) * numbers[q]
    return total


# Substitution.


@inlined
def list_form_in_space(work: SpaceWork, place: int, at: int) -> None:
    """List the form, bounds and sizes of a row to substitute, that stands at `at`."""
    reals, listed = work.reals, work.open_reals
    for c in range(work.state[DIMENSION]):
        work.open_forms[ACTIVE_IN_SPACE, c, place] = reals[at + FORM + c]
    listed[ACTIVE_FORM + ONE, place] = reals[at + ONE]
    listed[ACTIVE_ERRORS, place], listed[ACTIVE_ERRORS + 1, place] = reals[at + ERROR_G], reals[at + ERROR_W]
    listed[ACTIVE_SIZES, place], listed[ACTIVE_SIZES + 1, place] = reals[at + SIZE_G], reals[at + SIZE_W]


@inlined
def form_size_in_space(work: SpaceWork, at: int) -> tuple[float, float]:
    """Sum of |x_c| and |constant| of the form at `at`."""
    return gradient_in_space(work, at), abs(work.reals[at + ONE])


@inlined
def copy_form_in_space(work: SpaceWork, source: int, at: int) -> None:
    """Copy the form at `source` to `at`."""
    reals = work.reals
    reals[at + ONE] = reals[source + ONE]
    for c in range(work.state[DIMENSION]):
        reals[at + FORM + c] = reals[source + FORM + c]


@inlined
def add_forms_in_space(
    work: SpaceWork, source: int, at: int, column: int, begin: int, end: int
) -> tuple[float, float, float, float]:
    """Write to `at` the form at `source` with the rows to substitute added; returns what their errors (2) and
    sizes (2) add."""
    reals, listed, factors = work.reals, work.open_reals, work.factors
    for j in range(begin, end):
        factors[j - begin] = reals[column + work.open_ints[ACTIVE_ROW, j]]
    for c in range(work.state[DIMENSION]):
        reals[at + FORM + c] = reals[source + FORM + c] + along(
            factors, 0, work.open_forms[ACTIVE_IN_SPACE, c], begin, end
        )
    reals[at + ONE] = reals[source + ONE] + along(factors, 0, listed[ACTIVE_FORM + ONE], begin, end)
    return (
        sizes_along(factors, 0, listed[ACTIVE_ERRORS], begin, end),
        sizes_along(factors, 0, listed[ACTIVE_ERRORS + 1], begin, end),
        sizes_along(factors, 0, listed[ACTIVE_SIZES], begin, end),
        sizes_along(factors, 0, listed[ACTIVE_SIZES + 1], begin, end),
    )
