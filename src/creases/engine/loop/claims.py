"""Which side of a wall a cell is on, and which candidate of a switch claims it."""

from __future__ import annotations

from creases.engine.cells.interval import cut_interval
from creases.engine.cells.polygon import cut_polygon
from creases.engine.cells.polytope import UNCUT, cut_polytope, keep_positive_side, put_negative_side
from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.rows.pairs import end_of_switch
from creases.engine.rows.scan import forget_answers
from creases.engine.state.network_layout import (
    FIRST_ROW,
    IDS,
    ROWS,
    SECOND_ROW,
)
from creases.engine.state.record import all_rows, field, mark_active, mark_inactive, name_of_row, need, pair_at
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
    CLAIM,
    CLIP,
    CORNERS,
    DIMENSION,
    FULL,
    HOW_TO_SPLIT,
    MORE,
    NO_ROW,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
)
from creases.engine.state.stack import (
    STACK_HEADER,
    copy_cell_to_child,
    keep_child,
    no_room,
    push,
    push_written,
)
from creases.engine.state.work import (
    CORNERS_FIELD,
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["is_switch", "split_switch", "tally_switches"]


@inlined
def is_switch(work: AnyWork, layer: int) -> bool:
    """Whether a layer's rows are candidates of switches."""
    return work.layer_ints[layer, KIND_OF_LAYER] == SWITCH_LAYER


@inlined
def take_side_of_pair(work: AnyWork, net: int, layer: int, row: int, side: float) -> None:
    """Note which of a pair is the larger one on one side of its row: the second where that is positive (1.0)."""
    first, ids = work.layer_ints[layer, FIRST_NEURON], work.ints[field(net, layer, IDS)]
    work.row_ints[STATUS, row] = ACTIVE if side > 0.0 else INACTIVE
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


@kernel
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
    before = NO_ROW
    for i in range(begin, end):
        if work.row_ints[STATUS, i] == INACTIVE:
            continue
        if before != NO_ROW:
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


@kernel
def split_pair_in_space(work: SpaceWork, net: int, layer: int) -> int:
    """Split the current cell by its best pair, of which the first's side waits; or clip it to where one claims it."""
    state, row, side = work.state, work.state[BEST_ROW], 1.0
    rows, clips = all_rows(work, net, layer), work.state[HOW_TO_SPLIT] == CLIP
    if no_room(work, 1, work.points.shape[2], rows) == FULL:
        return FULL
    new = cut_polytope(work, net, layer, row, name_of_row(work, net, layer, row))
    if new < UNCUT:
        return UNCUT - new
    if clips:
        side = claimed_side(work, net, layer, row)
        if side < 0.0:  # keep the other side
            for v in range(state[CORNERS]):
                work.sides[v] = -work.sides[v]
    else:
        negative = put_negative_side(work, new, state[STACK_REALS_TOP], state[STACK_INTS_TOP] + STACK_HEADER)
        take_side_of_pair(work, net, layer, row, -1.0)
        push_written(work, negative, rows)
    keep_positive_side(work, new)
    take_side_of_pair(work, net, layer, row, side)
    forget_answers(work)
    return MORE


@kernel
def split_pair_in_plane(work: Work, net: int, layer: int) -> int:
    """Split the current cell by its best pair, of which the first's side waits; or clip it to where one claims it."""
    state, row, side = work.state, work.state[BEST_ROW], 1.0
    corners, rows = state[CORNERS], all_rows(work, net, layer)
    if corners + 2 > work.cell_reals.shape[1]:
        return need(state, CORNERS_FIELD, 2 * (corners + 2))
    if no_room(work, 1, corners + 2, rows) == FULL:
        return FULL
    if state[HOW_TO_SPLIT] == CLIP:
        side = claimed_side(work, net, layer, row)
    else:
        child = cut_child(work, net, layer, row, -side)
        take_side_of_pair(work, net, layer, row, -side)
        push(work, child, rows)  # there is room: for two corners more than the cell's
    corners = cut_child(work, net, layer, row, side)
    take_side_of_pair(work, net, layer, row, side)
    keep_child(work, corners)
    forget_answers(work)
    return MORE


@inlined
def cut_child(work: Work, net: int, layer: int, row: int, side: float) -> int:
    """Write the part of the current cell on one side of a row into the child; its corners."""
    if work.state[DIMENSION] == 1:
        return cut_interval(work, net, layer, row, side)
    return cut_polygon(work, net, layer, row, side)


split_pair = by_domain(split_pair_in_plane, split_pair_in_space)


@inlined
def split_switch(work: AnyWork, net: int, layer: int) -> int:
    """Split the current cell by a switch: by a pair, or into copies that are claimed."""
    if work.state[HOW_TO_SPLIT] == CLAIM:
        return claim(work, net, layer)
    return split_pair(work, net, layer)


@kernel
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
