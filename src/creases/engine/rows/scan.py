"""How the rows of the lowest open layer meet the current cell: which cut it, which keep one sign.

Cells are convex and the rows affine on them, so the signs at the corners decide (Hanin and Rolnick 2019,
Lemma 4). A sign counts only if the value exceeds its bound (`bounds.sign_threshold`), or if the bound is zero.

The bound holds the rounding of the value, so comparing the two is a proof; it is never a NaN, and infinite where a
value may be one.
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import is_exact, sign_threshold
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.proof.ties import exact_sign_at_corner, exact_sign_at_zero
from creases.engine.rows.rows_in_space import (
    cell_reach_in_space,
    gradient_in_space,
    scan_row_in_space,
    sign_at_in_space,
)
from creases.engine.rows.sums import status_of_sum
from creases.engine.state.cell_layout import (
    CELL,
    CORNER_ERROR,
    EDGE,
    EDGE_G,
    EDGE_W,
)
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    IDS,
    ONE,
    ROWS,
    SCRATCH,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.record import UNSETTLED, all_rows, field, mark_active, row_at, status_of_values
from creases.engine.state.row_layout import (
    ACTIVE,
    CROSSING,
    CROSSING_UNPROVED,
    FIRST_NEURON,
    FOLLOWS,
    HIGH,
    INACTIVE,
    KIND,
    KIND_OF_LAYER,
    LOW,
    NEAREST,
    NO_SIGNS,
    OPEN,
    SIGNS,
    STATUS,
    SWITCH_LAYER,
    THRESHOLD,
    UNKNOWN,
)
from creases.engine.state.slots import (
    ASKED,
    BEST_ROW,
    CORNERS,
    CROSSING_ROWS,
    DIMENSION,
    FOLLOWING_ROWS,
    HALF_PROVED_ROWS,
    HOW_TO_SPLIT,
    NO_ROW,
    SPLIT,
    UNKNOWN_ROWS,
    VANISHED,
)
from creases.engine.state.work import (
    AnyWork,
    Work,
)

__all__ = [
    "ask",
    "cell_reach",
    "follow",
    "forget_answers",
    "halving",
    "note_scan",
    "proved_sign",
    "scan_neurons",
    "scan_row",
    "sign_at",
    "status_of",
]


@inlined
def cell_reach_in_plane(work: Work) -> tuple[float, float]:
    """(largest |coordinate|, largest corner error) over the current cell's corners."""
    reach = error = 0.0
    for v in range(work.state[CORNERS]):
        reach = max(reach, abs(work.cell_reals[CELL, v, X]), abs(work.cell_reals[CELL, v, Y]))
        error = max(error, work.cell_reals[CELL, v, CORNER_ERROR])
    return reach, error


cell_reach = by_domain(cell_reach_in_plane, cell_reach_in_space)


@inlined
def threshold(reals: Floats, at: int, reach: float, corner_error: float) -> float:
    """`bounds.sign_threshold` of the row at `at`."""
    gradient = abs(reals[at + X]) + abs(reals[at + Y])
    return sign_threshold(gradient, abs(reals[at + ONE]), reals[at + ERROR_G], reals[at + ERROR_W], reach, corner_error)


@inlined
def scan_neurons(work: AnyWork, net: int, layer: int, reach: float, corner_error: float) -> None:
    """Give every open row of the lowest layer its status, or its kind if it stays open; the sums go to `state`.

    CROSSING_ROWS : rows proved to cut the cell with all signs proved. HALF_PROVED_ROWS : rows that cut with a sign
    missing. UNKNOWN_ROWS : rows not known. FOLLOWING_ROWS : rows whose line is another row's.
    BEST_ROW : the crossing row that halves the cell best, or NO_ROW. VANISHED : some row may be zero on the whole cell.
    """
    work.state[VANISHED] = 0
    ids, first_neuron = work.ints[field(net, layer, IDS)], work.layer_ints[layer, FIRST_NEURON]
    at, stride = work.ints[field(net, layer, BLOCK)], work.ints[field(net, layer, STRIDE)]
    crossing = half_proved = unknown = following = 0
    best, best_row = -1.0, NO_ROW
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] == OPEN:
            status = scan_row(work, i, at, reach, corner_error)
            twin = work.twins[first_neuron + work.ints[ids + i]]
            if status == OPEN and twin != 0:
                known = status_of(work.ints, work.row_ints[STATUS], work.pattern, first_neuron, ids, i, twin)
                status = follow(work, i, twin, known)
            if status == OPEN and work.row_ints[KIND, i] == UNKNOWN and work.layer_ints[layer, SIGNS] != NO_SIGNS:
                status = status_of_sum(work.pattern, work.layer_ints, work.signs, layer, work.ints[ids + i])
            work.row_ints[STATUS, i] = status
            if status == OPEN:
                kind = work.row_ints[KIND, i]
                half_proved += kind == CROSSING_UNPROVED
                unknown += kind == UNKNOWN
                following += kind == FOLLOWS
                if kind == CROSSING:
                    crossing += 1
                    score = halving(work, i, at)
                    if score > best or best_row == NO_ROW:
                        best, best_row = score, i
            elif status == ACTIVE:
                mark_active(work.pattern, first_neuron + work.ints[ids + i])
            elif not work.row_reals[i, LOW] < -work.row_reals[i, THRESHOLD]:
                work.state[VANISHED] = 1
        at += stride
    note_scan(work, crossing, half_proved, unknown, following, best_row)


@inlined
def status_of(ints: Ints, statuses: Ints, pattern: Ints, first_neuron: int, ids: int, before: int, twin: int) -> int:
    """Status of the row of whose neuron `twin` tells, among the rows of a layer before this one.

    statuses : of the layer's rows, in order. A neuron that is not among the rows any more has been decided, and the
    pattern says how.
    """
    neuron = abs(twin) - 1
    for i in range(before):
        if ints[ids + i] == neuron:
            return statuses[i]
    number = first_neuron + neuron
    return ACTIVE if pattern[number >> 6] >> (number & 63) & 1 else INACTIVE


@inlined
def follow(work: AnyWork, row: int, twin: int, status: int) -> int:
    """Status of a row that floats leave open, from that of the row it is a multiple of: both have one zero set.

    The opposite of an inactive row is active only if it is above zero somewhere: both may vanish on the whole cell.
    """
    if status == OPEN:
        work.row_ints[KIND, row] = FOLLOWS
        return OPEN
    if twin > 0:
        return status
    if status == ACTIVE:
        return INACTIVE
    return ACTIVE if work.row_reals[row, HIGH] > work.row_reals[row, THRESHOLD] else OPEN


@inlined
def note_scan(work: AnyWork, crossing: int, half_proved: int, unknown: int, following: int, best_row: int) -> None:
    """Keep the results of a scan; its best row splits the cell (`switches` has other ways)."""
    state = work.state
    state[HOW_TO_SPLIT] = SPLIT
    state[CROSSING_ROWS], state[HALF_PROVED_ROWS] = crossing, half_proved
    state[UNKNOWN_ROWS], state[FOLLOWING_ROWS], state[BEST_ROW] = unknown, following, best_row


@inlined
def gradient_in_plane(work: Work, at: int) -> float:
    """The sum of |x_c| of the form at `at` in `reals`."""
    return abs(work.reals[at + X]) + abs(work.reals[at + Y])


gradient = by_domain(gradient_in_plane, gradient_in_space)


@inlined
def halving(work: AnyWork, row: int, at: int) -> float:
    """How well a crossing row halves the cell: the depth on its shallower side, in units of length."""
    return min(work.row_reals[row, HIGH], -work.row_reals[row, LOW]) / gradient(work, at)


@inlined
def scan_row_in_plane(work: Work, i: int, at: int, reach: float, corner_error: float) -> int:
    """Status of the row at `at` in `reals` on the current cell; its KIND, values and bounds go to place i."""
    x, y, one = work.reals[at + X], work.reals[at + Y], work.reals[at + ONE]
    low = high = nearest = 0.0
    for v in range(work.state[CORNERS]):
        value = x * work.cell_reals[CELL, v, X] + y * work.cell_reals[CELL, v, Y] + one
        work.values_nc[i, v] = value
        low = min(value, low) if v else value
        high = max(value, high) if v else value
        nearest = min(abs(value), nearest) if v else abs(value)
    bound = threshold(work.reals, at, reach, corner_error)
    status = status_of_values(work, i, low, high, nearest, bound)
    if status != UNSETTLED:
        return status
    status, kind = look_closer(work.state, work.reals, work.cell_reals, work.values_nc, work.answers_nc, i, at, bound)
    work.row_ints[KIND, i] = kind
    return status


scan_row = by_domain(scan_row_in_plane, scan_row_in_space)


@kernel
def look_closer(
    state: Ints,
    reals: Floats,
    cell_reals: Floats,
    values_nc: Floats,
    answers_nc: Ints,
    row: int,
    at: int,
    bound: float,
) -> tuple[int, int]:
    """Status and kind of a row that the cell's common bound does not settle everywhere: corner by corner."""
    above = below = unproved = False
    for v in range(state[CORNERS]):
        value = values_nc[row, v]
        if abs(value) > bound:
            sign = POSITIVE if value > 0.0 else NEGATIVE
        else:
            sign = corner_sign(state, reals, cell_reals, values_nc, answers_nc, row, at, v)
        above = above or sign == POSITIVE
        below = below or sign == NEGATIVE
        unproved = unproved or sign == UNPROVED
    if above and below:
        return OPEN, (CROSSING_UNPROVED if unproved else CROSSING)
    if unproved:
        return OPEN, UNKNOWN
    # Signs {+, 0} keep the row active; {-, 0} and the identically zero row are inactive and cut nothing.
    return (ACTIVE if above else INACTIVE), CROSSING


@inlined
def sign_at_in_plane(work: Work, row: int, at: int, v: int) -> int:
    """The sign at corner v of a row of the lowest layer that stands at `at` and was evaluated (`scan_row`)."""
    return corner_sign(work.state, work.reals, work.cell_reals, work.values_nc, work.answers_nc, row, at, v)


sign_at = by_domain(sign_at_in_plane, sign_at_in_space)


@kernel
def corner_sign(
    state: Ints, reals: Floats, cell_reals: Floats, values_nc: Floats, answers_nc: Ints, row: int, at: int, v: int
) -> int:
    """`sign_at` with the arrays that it needs.

    A sign that was decided outside comes first; then the float's, if its own bound at this corner proves it; then,
    for an exact row, the sign of a determinant.
    """
    answer = answers_nc[row, v]
    if answer != UNPROVED:
        return answer
    x, y, corner_error = cell_reals[CELL, v, X], cell_reals[CELL, v, Y], cell_reals[CELL, v, CORNER_ERROR]
    bound = threshold(reals, at, max(abs(x), abs(y)), corner_error)
    value = values_nc[row, v]
    if value > bound:
        return POSITIVE
    if value < -bound:
        return NEGATIVE
    if value == 0.0 and bound == 0.0:
        return ZERO
    # NaN lands here too: an overflow must be unproved, never a sign.
    if is_exact(reals[at + ERROR_G], reals[at + ERROR_W]):
        return exact_sign(state, reals, cell_reals, at, v)
    return UNPROVED


@kernel
def exact_sign(state: Ints, reals: Floats, cell_reals: Floats, at: int, v: int) -> int:
    """`sign_at` for an exact row, if the edges that meet in the corner are exact too."""
    scratch, before = reals.size - SCRATCH, v - 1 if v > 0 else state[CORNERS] - 1
    flat = state[DIMENSION] == 1
    for edge in (before, v):
        exact = is_exact(cell_reals[CELL, edge, EDGE_G], cell_reals[CELL, edge, EDGE_W])
        if (edge == v or not flat) and not exact:
            return UNPROVED
    if flat:
        reals[scratch], reals[scratch + 1] = cell_reals[CELL, v, EDGE + X], cell_reals[CELL, v, EDGE + ONE]
        reals[scratch + 2], reals[scratch + 3] = reals[at + X], reals[at + ONE]
        return exact_sign_at_zero(reals, scratch)
    for c in range(3):
        reals[scratch + c] = cell_reals[CELL, before, EDGE + c]
        reals[scratch + 3 + c] = cell_reals[CELL, v, EDGE + c]
        reals[scratch + 6 + c] = reals[at + c]
    return exact_sign_at_corner(reals, scratch)


@inlined
def proved_sign(work: AnyWork, row: int, at: int, v: int) -> int:
    """`sign_at` for a row of kind CROSSING: quickly where the common bound settles all its corners."""
    if work.row_reals[row, NEAREST] > work.row_reals[row, THRESHOLD]:
        return POSITIVE if work.values_nc[row, v] > 0.0 else NEGATIVE
    return sign_at(work, row, at, v)


@kernel
def ask(work: AnyWork, net: int, layer: int) -> int:
    """List in `asks` every sign of an open row at a corner that is not proved; return how many were added."""
    asked = before = work.state[ASKED]
    first = work.ints[field(net, layer, ROWS)] if work.layer_ints[layer, KIND_OF_LAYER] == SWITCH_LAYER else 0
    for i in range(first, all_rows(work, net, layer)):
        if work.row_ints[STATUS, i] == OPEN and CROSSING < work.row_ints[KIND, i] < FOLLOWS:
            for v in range(work.state[CORNERS]):
                if sign_at(work, i, row_at(work, net, layer, i), v) == UNPROVED:
                    work.asks[asked, 0], work.asks[asked, 1] = i, v
                    asked += 1
    work.state[ASKED] = asked
    return asked - before


@inlined
def forget_answers(work: AnyWork) -> None:
    """The signs decided outside belong to one cell and one local network; leave neither behind."""
    for a in range(work.state[ASKED]):
        work.answers_nc[work.asks[a, 0], work.asks[a, 1]] = UNPROVED
    work.state[ASKED] = 0
