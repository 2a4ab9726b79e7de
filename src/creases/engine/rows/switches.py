"""Switches: which candidate is the largest, where on the cell.

A switch parts a cell into the convex sets on which one candidate is no less than all others. A tournament would draw
walls that are none, so candidates are compared in pairs, on rows of their own: the second less the first.
One that is below another on all of the cell is out; of two that are equal there the second is. Where two are left,
the row of the two is a true wall, and splits the cell like a neuron. Where more are left, a copy of the cell goes on
for each of them, which it claims: the copy is clipped to where it exceeds the others, one after the other, and is
left where it is nowhere ahead.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel
from creases.engine.rows.pairs import end_of_switch
from creases.engine.rows.scan import halving, note_scan, scan_row
from creases.engine.state.network_layout import (
    FIRST_ROW,
    IDS,
    ROWS,
    SECOND_ROW,
)
from creases.engine.state.record import coupled, field, mark_active, pair_at, row_at
from creases.engine.state.row_layout import (
    ACTIVE,
    CLAIMED,
    CROSSING,
    CROSSING_UNPROVED,
    FIRST_NEURON,
    INACTIVE,
    KIND,
    MOOT,
    OPEN,
    STATUS,
    UNKNOWN,
)
from creases.engine.state.slots import (
    CLAIM,
    CLIP,
    EMPTY,
    HOW_TO_SPLIT,
    NO_ROW,
    SPLIT,
    VANISHED,
    WALL,
)
from creases.engine.state.work import (
    AnyWork,
)

__all__ = ["scan_switches"]


@kernel
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
    how, best, best_row = CLAIM, -1.0, NO_ROW
    begin, pair = 0, rows
    while begin < rows:
        end = end_of_switch(work, net, layer, begin)
        claimed = NO_ROW
        for i in range(begin, end):
            claimed = i if row_ints[STATUS, i] == CLAIMED else claimed
        after = pair + (end - begin) * (end - begin - 1) // 2
        at = row_at(work, net, layer, pair)
        for r in range(pair, after):
            place = pair_at(work, net, layer, r)
            i, j = work.ints[place + FIRST_ROW], work.ints[place + SECOND_ROW]
            out = row_ints[STATUS, i] == INACTIVE or row_ints[STATUS, j] == INACTIVE
            if row_ints[STATUS, r] == OPEN:
                if out or (claimed != NO_ROW and i != claimed and j != claimed):
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
        if left == 1 or (claimed != NO_ROW and rivals(work, net, layer, pair, after) == 0):
            winner = last if claimed == NO_ROW else claimed
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
            mine = CLIP if claimed != NO_ROW else (SPLIT if left == 2 else CLAIM)
            if ahead(mine, how):
                how, best, best_row = mine, -1.0, NO_ROW
            crossing += kind == CROSSING
            if kind == CROSSING and mine == how:
                score = halving(work, r, row_at(work, net, layer, r))
                if score > best or best_row == NO_ROW:
                    best, best_row = score, r
        begin, pair = end, after
    note_scan(work, crossing, half_proved, unknown, 0, best_row)
    state[HOW_TO_SPLIT] = how
    if state[WALL] and crossing + half_proved + unknown == 0:
        state[VANISHED] = 1


@inlined
def rivals(work: AnyWork, net: int, layer: int, begin: int, end: int) -> int:
    """How many pairs of a switch, rows begin ... end - 1, are open."""
    open_pairs = 0
    for r in range(begin, end):
        open_pairs += work.row_ints[STATUS, r] == OPEN
    return open_pairs


@inlined
def ahead(mine: int, how: int) -> bool:
    """Whether one way to split comes before another: clips first, then true walls."""
    return (mine == CLIP and how != CLIP) or (mine == SPLIT and how == CLAIM)
