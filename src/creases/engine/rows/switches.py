"""Switches: which candidate is the largest, where on the cell.

A switch parts a cell into the convex sets on which one candidate is no less than all others. A tournament would draw
walls that are none, so candidates are compared in pairs, on rows of their own: what the second exceeds the first by.
One that is below another on all of the cell is out; of two that are equal there the second is. Where two are left,
the row of the two is a true wall, and splits the cell like a neuron. Where more are left, a copy of the cell goes on
for each of them, which it claims: the copy is clipped to where it exceeds the others, one after the other, and is
left where it is nowhere ahead.

Pairs are written when a layer of switches is the lowest that is open: its rows are affine then.

ReLU below a maximum, as in max pooling, makes ties that need no arithmetic. Of two candidates that are activations of
one neuron each, one that is inactive is zero: below one that is active, and equal to another that is inactive. Where
both are active and both vanish, so does their difference (`base_locus`).
"""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, or_infinite
from creases.engine.proof.doubled import two_sum
from creases.engine.rows.relax import drop
from creases.engine.rows.scan import halving, note_scan, scan_neurons, scan_row
from creases.engine.state.record import coupled, field, mark_active, pair_at, row_at
from creases.engine.state.work import (
    ACTIVE,
    BLOCK,
    CELL,
    CLAIM,
    CLAIMED,
    CLIP,
    CORNERS,
    CROSSING,
    CROSSING_UNPROVED,
    DIMENSION,
    EMPTY,
    ERROR_G,
    ERROR_W,
    FIRST_NEURON,
    FIRST_ROW,
    FORM,
    HOW_TO_SPLIT,
    IDS,
    INACTIVE,
    INTS_TOP,
    KIND,
    KIND_OF_LAYER,
    MOOT,
    ONE,
    OPEN,
    OPEN_STATUS,
    PAIR_COLUMNS,
    PAIR_IDS,
    PAIRS,
    PAIRS_AT,
    RADIUS,
    REALS_TOP,
    RELAXED,
    RELAXED_IN_SPACE,
    ROWS,
    SECOND_ROW,
    SIZE_G,
    SIZE_W,
    SPLIT,
    STATUS,
    STRIDE,
    SWITCH_LAYER,
    UNKNOWN,
    VANISHED,
    WALL,
    WALL_NAME,
    AnyWork,
    SpaceWork,
    Work,
    X,
    Y,
)

__all__ = ["end_of_switch", "relax_switches", "scan", "write_pairs"]


@inlined
def scan(work: AnyWork, net: int, layer: int, reach: float, corner_error: float) -> None:
    """How the rows of the lowest layer meet the current cell (`scan_neurons`, `scan_switches`)."""
    if work.layer_ints[layer, KIND_OF_LAYER] == SWITCH_LAYER:
        scan_switches(work, net, layer, reach, corner_error)
    else:
        scan_neurons(work, net, layer, reach, corner_error)


@inlined
def end_of_switch(work: AnyWork, net: int, layer: int, row: int) -> int:
    """The first row behind those of the same switch as `row`, in a layer of a local network."""
    rows, ids, first = work.ints[field(net, layer, ROWS)], work.ints[field(net, layer, IDS)], 0
    first = work.layer_ints[layer, FIRST_NEURON]
    switch, end = work.switches[first + work.ints[ids + row]], row + 1
    while end < rows and work.switches[first + work.ints[ids + end]] == switch:
        end += 1
    return end


# Pairs.


@kernel
def write_pairs(work: AnyWork, net: int, layer: int) -> None:
    """Write the pairs of a layer of switches that is the lowest now; there is room (`local.make_room`)."""
    ints, state, wide = work.ints, work.state, coupled(work)
    rows, ids = ints[field(net, layer, ROWS)], ints[field(net, layer, IDS)]
    block, stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    first, units = work.layer_ints[layer, FIRST_NEURON], work.switches.size
    at, place = state[REALS_TOP], state[INTS_TOP]
    ints[field(net, layer, PAIRS_AT)], ints[field(net, layer, PAIR_IDS)] = at, place
    pairs = 0
    for i in range(rows):
        one = first + ints[ids + i]
        for j in range(i + 1, end_of_switch(work, net, layer, i)):
            other = first + ints[ids + j]
            subtract(work, block + j * stride, block + i * stride, at)
            ints[place + FIRST_ROW], ints[place + SECOND_ROW] = i, j
            # As `edges.wall_between` reads it; a neuron's number is less than `units`.
            ints[place + WALL_NAME] = units * (1 + other - one) + one
            work.row_ints[STATUS, rows + pairs] = status_of_activations(work, one, other)
            at += wide
            place += PAIR_COLUMNS
            pairs += 1
    ints[field(net, layer, PAIRS)] = pairs
    state[REALS_TOP], state[INTS_TOP] = at, place


@inlined
def status_of_activations(work: AnyWork, one: int, other: int) -> int:
    """Status of a pair of candidates if both are activations of neurons with ReLU of which one is inactive; else
    OPEN.
    """
    p, q = work.twins[one] - 1, work.twins[other] - 1
    if p < 0 or q < 0:
        return OPEN
    p_active, q_active = work.pattern[p >> 6] >> (p & 63) & 1, work.pattern[q >> 6] >> (q & 63) & 1
    if p_active and q_active:
        return OPEN
    return ACTIVE if q_active else INACTIVE


@inlined
def subtract_in_plane(work: Work, row: int, less: int, at: int) -> None:
    """Write to `at` the form of one row less that of another, with its bounds: what a difference loses is a float."""
    reals = work.reals
    reals[at + X], lost_x = two_sum(reals[row + X], -reals[less + X])
    reals[at + Y], lost_y = two_sum(reals[row + Y], -reals[less + Y])
    add_bounds(work, row, less, at, abs(lost_x) + abs(lost_y))


@inlined
def subtract_in_space(work: SpaceWork, row: int, less: int, at: int) -> None:
    """Write to `at` the form of one row less that of another, with its bounds: what a difference loses is a float."""
    reals, lost = work.reals, 0.0
    for c in range(FORM, FORM + work.state[DIMENSION]):
        reals[at + c], more = two_sum(reals[row + c], -reals[less + c])
        lost += abs(more)
    add_bounds(work, row, less, at, lost)


subtract = by_domain(subtract_in_plane, subtract_in_space)


@inlined
def add_bounds(work: AnyWork, row: int, less: int, at: int, lost: float) -> None:
    """The constant and the bounds of a difference; `lost` is what its coordinates have lost. Sums of nothing are
    zero.
    """
    reals = work.reals
    reals[at + ONE], more = two_sum(reals[row + ONE], -reals[less + ONE])
    reals[at + ERROR_G] = or_infinite((reals[row + ERROR_G] + reals[less + ERROR_G] + lost) * ROUND_UP)
    reals[at + ERROR_W] = or_infinite((reals[row + ERROR_W] + reals[less + ERROR_W] + abs(more)) * ROUND_UP)
    reals[at + SIZE_G] = or_infinite((reals[row + SIZE_G] + reals[less + SIZE_G]) * ROUND_UP)
    reals[at + SIZE_W] = or_infinite((reals[row + SIZE_W] + reals[less + SIZE_W]) * ROUND_UP)


# Scanning.


@inlined
def scan_switches(work: AnyWork, net: int, layer: int, reach: float, corner_error: float) -> None:
    """Give the candidates and pairs of the lowest layer their statuses, and say how to split the cell, if at all.

    EMPTY : the claimed candidate is nowhere ahead. VANISHED : on a wall, once the layer is decided, so that candidates
    that are equal there, but not in the parent, are looked at (`Oracle.answer_vanishing`).
    """
    state, row_ints = work.state, work.row_ints
    rows, wide = work.ints[field(net, layer, ROWS)], coupled(work)
    first, ids = work.layer_ints[layer, FIRST_NEURON], work.ints[field(net, layer, IDS)]
    state[VANISHED] = state[EMPTY] = 0
    crossing = half_proved = unknown = 0
    how, best, best_row = CLAIM, -1.0, -1
    begin, pair = 0, rows
    while begin < rows:
        end = end_of_switch(work, net, layer, begin)
        claimed = -1
        for i in range(begin, end):
            claimed = i if row_ints[STATUS, i] == CLAIMED else claimed
        after = pair + (end - begin) * (end - begin - 1) // 2
        at = row_at(work, net, layer, pair)
        for r in range(pair, after):
            place = pair_at(work, net, layer, r)
            i, j = work.ints[place + FIRST_ROW], work.ints[place + SECOND_ROW]
            out = row_ints[STATUS, i] == INACTIVE or row_ints[STATUS, j] == INACTIVE
            if row_ints[STATUS, r] == OPEN:
                if out or (claimed >= 0 and i != claimed and j != claimed):
                    row_ints[STATUS, r] = MOOT
                else:
                    row_ints[STATUS, r] = scan_row(work, r, at, reach, corner_error)
            if row_ints[STATUS, r] == ACTIVE or row_ints[STATUS, r] == INACTIVE:
                loser = i if row_ints[STATUS, r] == ACTIVE else j
                if loser == claimed:
                    state[EMPTY] = 1
                row_ints[STATUS, loser] = INACTIVE
            at += wide
        left, last = 0, begin
        for i in range(begin, end):
            if row_ints[STATUS, i] != INACTIVE:
                left, last = left + 1, i
        if left == 1 or (claimed >= 0 and rivals(work, net, layer, pair, after) == 0):
            winner = last if claimed < 0 else claimed
            for i in range(begin, end):
                row_ints[STATUS, i] = ACTIVE if i == winner else INACTIVE
            mark_active(work.pattern, first + work.ints[ids + winner])
        for r in range(pair, after):
            if row_ints[STATUS, r] != OPEN:
                continue
            place = pair_at(work, net, layer, r)
            i, j = work.ints[place + FIRST_ROW], work.ints[place + SECOND_ROW]
            if row_ints[STATUS, i] == INACTIVE or row_ints[STATUS, j] == INACTIVE:
                row_ints[STATUS, r] = MOOT
                continue
            kind = row_ints[KIND, r]
            half_proved += kind == CROSSING_UNPROVED
            unknown += kind == UNKNOWN
            mine = CLIP if claimed >= 0 else (SPLIT if left == 2 else CLAIM)
            if ahead(mine, how):
                how, best, best_row = mine, -1.0, -1
            crossing += kind == CROSSING
            if kind == CROSSING and mine == how:
                score = halving(work, r, row_at(work, net, layer, r))
                if score > best or best_row < 0:
                    best, best_row = score, r
        begin, pair = end, after
    note_scan(work, crossing, half_proved, unknown, 0, best_row)
    state[HOW_TO_SPLIT] = how
    if state[WALL] and crossing + half_proved + unknown == 0:
        state[VANISHED] = 1


@inlined
def rivals(work: AnyWork, net: int, layer: int, begin: int, end: int) -> int:
    """How many pairs of a switch, rows begin ... end - 1, are open."""
    found = 0
    for r in range(begin, end):
        found += work.row_ints[STATUS, r] == OPEN
    return found


@inlined
def ahead(mine: int, how: int) -> bool:
    """Whether one way to split comes before another: clips first, then true walls."""
    return (mine == CLIP and how != CLIP) or (mine == SPLIT and how == CLAIM)


# Relaxing.


@inlined
def relax_switches(work: AnyWork, net: int, layer: int, start: int, reach: float, corner_error: float) -> int:
    """Decide what the relaxed candidates of a layer decide, and relax its switches; how many candidates stay open.

    Candidates come relaxed as linear rows; `start` is the place of the layer's first. What is below another candidate
    is out; one that is alone has won. Else m, the largest of them, is a + r for any one of them, a, with r between 0
    and the most that another exceeds a by: a is chosen so that this is least. All candidates of a switch are coupled
    to what is above by the same numbers, so the switch may be relaxed in one of them, and be nothing in the others.
    """
    rows, statuses = work.ints[field(net, layer, ROWS)], work.open_ints[OPEN_STATUS]
    begin, stay = 0, 0
    while begin < rows:
        end = end_of_switch(work, net, layer, begin)
        for i in range(start + begin, start + end):
            for j in range(start + begin, start + end):
                if (
                    i != j
                    and statuses[i] == OPEN
                    and statuses[j] == OPEN
                    and exceeds(work, j, i, reach, corner_error) < 0.0
                ):
                    statuses[j] = INACTIVE
                    drop(work, j)
        chosen, least, left = -1, np.inf, 0
        for i in range(start + begin, start + end):
            if statuses[i] != OPEN:
                continue
            worst = 0.0
            for j in range(start + begin, start + end):
                if i != j and statuses[j] == OPEN:
                    worst = max(worst, exceeds(work, j, i, reach, corner_error))
            left += 1
            if chosen < 0 or worst < least:
                chosen, least = i, worst
        if left == 1:
            for i in range(start + begin, start + end):
                if statuses[i] == OPEN:
                    statuses[i] = ACTIVE
        elif left > 1:
            stay += left
            for i in range(start + begin, start + end):
                if statuses[i] == OPEN and i != chosen:
                    drop(work, i)
            one = work.open_reals[RELAXED + ONE, chosen]
            half = 0.5 * least * ROUND_UP
            more = half + 2.0 * UNIT * (abs(one) + half) + UNDERFLOW
            work.open_reals[RELAXED + ONE, chosen] = one + half if half < np.inf else one
            work.open_reals[RADIUS, chosen] = (work.open_reals[RADIUS, chosen] + more) * ROUND_UP
        begin = end
    return stay


@inlined
def exceeds_in_plane(work: Work, j: int, i: int, reach: float, corner_error: float) -> float:
    """What one relaxed row exceeds another by at most on the cell; negative if it is below it."""
    relaxed = work.open_reals
    x, y = relaxed[RELAXED, j] - relaxed[RELAXED, i], relaxed[RELAXED + 1, j] - relaxed[RELAXED + 1, i]
    one = relaxed[RELAXED + ONE, j] - relaxed[RELAXED + ONE, i]
    most = -np.inf
    for v in range(work.state[CORNERS]):
        most = max(most, x * work.cell_reals[CELL, v, X] + y * work.cell_reals[CELL, v, Y] + one)
    gradient = abs(x) + abs(y)
    return widened(work, j, i, most, gradient, gradient * reach + abs(one), corner_error, 4)


@inlined
def exceeds_in_space(work: SpaceWork, j: int, i: int, reach: float, corner_error: float) -> float:
    """What one relaxed row exceeds another by at most on the cell; negative if it is below it."""
    forms, d, corners = work.open_forms[RELAXED_IN_SPACE], work.state[DIMENSION], work.state[CORNERS]
    one = work.open_reals[RELAXED + ONE, j] - work.open_reals[RELAXED + ONE, i]
    values, gradient = work.row_values, 0.0
    for v in range(corners):
        values[v] = one
    for c in range(d):
        factor = forms[c, j] - forms[c, i]
        gradient += abs(factor)
        for v in range(corners):
            values[v] += factor * work.points[CELL, c, v]
    most = -np.inf
    for v in range(corners):
        most = max(most, values[v])
    return widened(work, j, i, most, gradient, gradient * reach + abs(one), corner_error, d + 3)


exceeds = by_domain(exceeds_in_plane, exceeds_in_space)


@inlined
def widened(
    work: AnyWork, j: int, i: int, most: float, gradient: float, size: float, corner_error: float, units: int
) -> float:
    """The largest value of a difference of relaxed rows, rounding and radii included; infinity where it is no number.

    A difference's own numbers are rounded once each, u of themselves; values at corners lose `units` u of the size.
    """
    radii = work.open_reals[RADIUS, j] + work.open_reals[RADIUS, i]
    slack = (radii + gradient * corner_error + 2.0 * (units + 1.0) * UNIT * size) * ROUND_UP + UNDERFLOW
    found = most + slack
    return found if abs(found) < np.inf else np.inf
