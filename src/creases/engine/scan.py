"""How the rows of the lowest open layer meet the current cell: which cut it, which keep one sign.

Cells are convex and the rows affine on them, so the signs at the corners decide (Hanin and Rolnick 2019,
Lemma 4). A sign counts only if the value exceeds its bound (`bounds.sign_threshold`), or if the bound is zero.
"""

from __future__ import annotations

from creases.engine.bounds import sign_threshold
from creases.engine.kernel import inlined, kernel
from creases.engine.record import field, mark_active
from creases.engine.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.work import (
    ACTIVE,
    ASKED,
    CELL,
    CORNERS,
    DIMENSION,
    ERRORS,
    FIRST_NEURON,
    FORMS,
    HIGH,
    IDS,
    INACTIVE,
    KIND,
    LOW,
    LOWEST,
    NEAREST,
    NETWORK,
    OPEN,
    ROWS,
    STATUS,
    THRESHOLD,
    Work,
)

__all__ = [
    "CROSSING",
    "CROSSING_UNPROVED",
    "UNKNOWN",
    "ask",
    "cell_reach",
    "forget_answers",
    "proved_sign",
    "scan",
    "sign_at",
]

# KIND: how an open row meets the cell.
CROSSING = 0  # cuts it, and its sign at every corner is proved
CROSSING_UNPROVED = 1  # cuts it, but some corner's sign is not proved
UNKNOWN = 2  # not proved either way


@inlined
def cell_reach(work: Work) -> tuple[float, float]:
    """(largest |coordinate|, largest corner error) over the current cell's corners."""
    d = work.state[DIMENSION]
    reach = error = 0.0
    for v in range(work.state[CORNERS]):
        for c in range(d):
            reach = max(reach, abs(work.cell_reals[CELL, v, c]))
        error = max(error, work.cell_reals[CELL, v, d])
    return reach, error


@inlined
def evaluate(work: Work, net: int, layer: int) -> None:
    """Values of all rows at all corners, with the least, greatest and nearest to zero of each row."""
    reals, d, corners = work.reals, work.state[DIMENSION], work.state[CORNERS]
    rows, forms = work.ints[field(net, layer, ROWS)], work.ints[field(net, layer, FORMS)]
    first, second = reals[forms : forms + rows], reals[forms + rows : forms + 2 * rows]
    constant = reals[forms + d * rows : forms + (d + 1) * rows]
    low_n, high_n, nearest_n = work.row_reals[LOW], work.row_reals[HIGH], work.row_reals[NEAREST]
    for v in range(corners):
        values = work.values_cn[v]
        x = work.cell_reals[CELL, v, 0]
        if d == 2:
            y = work.cell_reals[CELL, v, 1]
            for i in range(rows):
                values[i] = first[i] * x + second[i] * y + constant[i]
        else:
            for i in range(rows):
                values[i] = first[i] * x + constant[i]
        if v == 0:
            for i in range(rows):
                low_n[i] = high_n[i] = values[i]
                nearest_n[i] = abs(values[i])
        else:
            for i in range(rows):
                low_n[i] = min(low_n[i], values[i])
                high_n[i] = max(high_n[i], values[i])
                nearest_n[i] = min(nearest_n[i], abs(values[i]))


@inlined
def threshold(work: Work, net: int, layer: int, row: int, reach: float, corner_error: float) -> float:
    """`bounds.sign_threshold` of one row."""
    reals, d, rows = work.reals, work.state[DIMENSION], work.ints[field(net, layer, ROWS)]
    forms, errors = work.ints[field(net, layer, FORMS)], work.ints[field(net, layer, ERRORS)]
    gradient = 0.0
    for c in range(d):
        gradient += abs(reals[forms + c * rows + row])
    constant = abs(reals[forms + d * rows + row])
    return sign_threshold(gradient, constant, reals[errors + row], reals[errors + rows + row], reach, corner_error)


@inlined
def sign_at(work: Work, row: int, v: int) -> int:
    """The sign of a row of the lowest layer at corner v of the current cell, after `evaluate`.

    A sign that was decided outside comes first; then the float's, if its own bound at this corner proves it.
    """
    answer = work.answers_cn[v, row]
    if answer != UNPROVED:
        return answer
    net, d = work.state[NETWORK], work.state[DIMENSION]
    reach = abs(work.cell_reals[CELL, v, 0])
    if d == 2:
        reach = max(reach, abs(work.cell_reals[CELL, v, 1]))
    bound = threshold(work, net, work.ints[net + LOWEST], row, reach, work.cell_reals[CELL, v, d])
    value = work.values_cn[v, row]
    if value > bound:
        return POSITIVE
    if value < -bound:
        return NEGATIVE
    if value == 0.0 and bound == 0.0:
        return ZERO
    return UNPROVED  # NaN lands here too: an overflow must be unproved, never a sign


@inlined
def proved_sign(work: Work, row: int, v: int) -> int:
    """`sign_at` for a row of kind CROSSING: quickly where the common bound settles all its corners."""
    if work.row_reals[NEAREST, row] > work.row_reals[THRESHOLD, row]:
        return POSITIVE if work.values_cn[v, row] > 0.0 else NEGATIVE
    return sign_at(work, row, v)


@kernel
def look_closer(work: Work, row: int) -> tuple[int, int]:
    """Status and kind of a row that the cell's common bound does not settle: corner by corner."""
    above = below = unproved = False
    for v in range(work.state[CORNERS]):
        sign = sign_at(work, row, v)
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
def scan(work: Work, net: int, layer: int, reach: float, corner_error: float) -> tuple[int, int, int]:
    """Give every open row of the lowest layer its status, or its kind if it stays open.

    Returns (rows proved to cut the cell with all signs proved, rows that cut with a sign missing, rows not known).
    """
    evaluate(work, net, layer)
    rows = work.ints[field(net, layer, ROWS)]
    ids = work.ints[field(net, layer, IDS)]
    crossing = half_proved = unknown = 0
    for i in range(rows):
        if work.row_ints[STATUS, i] != OPEN:
            continue
        bound = threshold(work, net, layer, i, reach, corner_error)
        work.row_reals[THRESHOLD, i] = bound
        low, high = work.row_reals[LOW, i], work.row_reals[HIGH, i]
        status, kind = OPEN, CROSSING
        if low > bound and high < 1e300:
            status = ACTIVE
        elif high < -bound and low > -1e300:
            status = INACTIVE
        elif not (low < -bound and high > bound and work.row_reals[NEAREST, i] > bound):
            status, kind = look_closer(work, i)
        work.row_ints[STATUS, i], work.row_ints[KIND, i] = status, kind
        if status == ACTIVE:
            mark_active(work.pattern, work.layer_ints[layer, FIRST_NEURON] + work.ints[ids + i])
        elif status == OPEN:
            crossing += kind == CROSSING
            half_proved += kind == CROSSING_UNPROVED
            unknown += kind == UNKNOWN
    return crossing, half_proved, unknown


@kernel
def ask(work: Work, net: int, layer: int) -> int:
    """List in `asks` every sign of an open row at a corner that is not proved; return how many were added."""
    asked = before = work.state[ASKED]
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] == OPEN and work.row_ints[KIND, i] != CROSSING:
            for v in range(work.state[CORNERS]):
                if sign_at(work, i, v) == UNPROVED:
                    work.asks[asked, 0], work.asks[asked, 1] = i, v
                    asked += 1
    work.state[ASKED] = asked
    return asked - before


@inlined
def forget_answers(work: Work) -> None:
    """The signs decided outside belong to one cell and one local network; leave neither behind."""
    for a in range(work.state[ASKED]):
        work.answers_cn[work.asks[a, 1], work.asks[a, 0]] = UNPROVED
    work.state[ASKED] = 0
