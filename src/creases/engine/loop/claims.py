"""Which side of a wall a cell is on, and which candidate of a switch claims it."""

from __future__ import annotations

from creases.engine.kernel import inlined
from creases.engine.rows.pairs import end_of_switch
from creases.engine.rows.scan import forget_answers
from creases.engine.state.network_layout import (
    FIRST_ROW,
    IDS,
    ROWS,
    SECOND_ROW,
)
from creases.engine.state.record import all_rows, field, mark_active, mark_inactive, pair_at
from creases.engine.state.row_layout import (
    ACTIVE,
    CLAIMED,
    FIRST_NEURON,
    INACTIVE,
    KIND_OF_LAYER,
    OPEN,
    STATUS,
    SWITCH_LAYER,
)
from creases.engine.state.slots import (
    BEST_ROW,
    CLIP,
    CORNERS,
    FULL,
    HOW_TO_SPLIT,
    MORE,
)
from creases.engine.state.stack import copy_cell_to_child, no_room, push
from creases.engine.state.work import (
    AnyWork,
)

__all__ = ["claim", "claimed_side", "is_switch", "take_side", "tally_switches"]


@inlined
def is_switch(work: AnyWork, layer: int) -> bool:
    """Whether a layer's rows are candidates of switches."""
    return work.layer_ints[layer, KIND_OF_LAYER] == SWITCH_LAYER


@inlined
def take_side(work: AnyWork, net: int, layer: int, row: int, side: float) -> None:
    """Note that a row is active (side 1.0) or not on one side of it, or which of a pair is the larger one there."""
    first, ids = work.layer_ints[layer, FIRST_NEURON], work.ints[field(net, layer, IDS)]
    work.row_ints[STATUS, row] = ACTIVE if side > 0.0 else INACTIVE
    if not is_switch(work, layer):
        mark(work, first + work.ints[ids + row], side > 0.0)
        return
    place = pair_at(work, net, layer, row)
    one, other = work.ints[place + FIRST_ROW], work.ints[place + SECOND_ROW]
    if work.state[HOW_TO_SPLIT] == CLIP:
        work.row_ints[STATUS, one if side > 0.0 else other] = INACTIVE
        return
    for i in (one, other):
        wins = (i == other) == (side > 0.0)
        work.row_ints[STATUS, i] = ACTIVE if wins else INACTIVE
        mark(work, first + work.ints[ids + i], wins)


@inlined
def mark(work: AnyWork, unit: int, active: bool) -> None:
    """Note in the pattern whether a unit is active."""
    if active:
        mark_active(work.pattern, unit)
    else:
        mark_inactive(work.pattern, unit)


@inlined
def claimed_side(work: AnyWork, net: int, layer: int, row: int) -> float:
    """The side of a pair's row on which the candidate that claims the cell is ahead: 1.0 if it is the second one."""
    second = work.ints[pair_at(work, net, layer, row) + SECOND_ROW]
    return 1.0 if work.row_ints[STATUS, second] == CLAIMED else -1.0


@inlined
def claim(work: AnyWork, net: int, layer: int) -> int:
    """Put a copy of the current cell on the stack for each candidate but one that is left of the best row's switch,
    and go on with that one; each copy is claimed by its candidate."""
    row, begin, corners = work.state[BEST_ROW], 0, work.state[CORNERS]
    first, ids = work.layer_ints[layer, FIRST_NEURON], work.ints[field(net, layer, IDS)]
    while end_of_switch(work, net, layer, begin) <= work.ints[pair_at(work, net, layer, row) + FIRST_ROW]:
        begin = end_of_switch(work, net, layer, begin)
    end = end_of_switch(work, net, layer, begin)
    if no_room(work, end - begin, corners, all_rows(work, net, layer)) == FULL:
        return FULL
    copy_cell_to_child(work, corners)
    forget_answers(work)
    before = -1
    for i in range(begin, end):
        if work.row_ints[STATUS, i] == INACTIVE:
            continue
        if before >= 0:
            unit = first + work.ints[ids + before]
            work.row_ints[STATUS, before] = CLAIMED
            mark_active(work.pattern, unit)
            push(work, corners, all_rows(work, net, layer))  # there is room
            work.row_ints[STATUS, before] = OPEN
            mark_inactive(work.pattern, unit)
        before = i
    work.row_ints[STATUS, before] = CLAIMED
    mark_active(work.pattern, first + work.ints[ids + before])
    return MORE


@inlined
def tally_switches(work: AnyWork, net: int, layer: int) -> None:
    """Add one for each switch of which more than one candidate wins on the cell, to its first candidate."""
    first, ids, begin = work.layer_ints[layer, FIRST_NEURON], work.ints[field(net, layer, IDS)], 0
    while begin < work.ints[field(net, layer, ROWS)]:
        end = end_of_switch(work, net, layer, begin)
        left = 0
        for i in range(begin, end):
            left += work.row_ints[STATUS, i] != INACTIVE
        work.by_neuron[work.switches[first + work.ints[ids + begin]]] += left > 1
        begin = end
