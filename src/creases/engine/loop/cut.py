"""The loop: depth first through the cells of a domain, one stack, no recursion, nothing allocated.

A cell is scanned against the rows of the lowest open layer of its local network. If none crosses, the layer is
complete on it; if few do, the network is localised again; else the row that halves the cell best splits it: a
true wall, so nothing is counted twice. In the last layer no cells are built where a count of chords is proved.
What cannot be proved stops the loop with UNPROVED_CELL and a list of questions; it goes on with the answers.
"""

from __future__ import annotations

from creases.engine.cells.arrangement import count_pieces, place_of_infinity
from creases.engine.cells.base_locus import answer_in_base_locus
from creases.engine.cells.chords import count_chords, pieces_at_infinity
from creases.engine.cells.interval import count_zeros, halve_interval
from creases.engine.cells.last_in_plane import count_last
from creases.engine.cells.last_in_space import count_last_in_space
from creases.engine.cells.on_edge import sharpen
from creases.engine.cells.polygon import cut_polygon, halve_polygon
from creases.engine.cells.polytope import UNCUT, cut_polytope, keep_positive_side, put_negative_side
from creases.engine.kernel import by_domain, inlined, quick_first
from creases.engine.loop.claims import is_switch, split_switch, tally_switches
from creases.engine.proof.signs import NEGATIVE
from creases.engine.rows.local import localise
from creases.engine.rows.scan import ask, cell_reach, forget_answers, proved_sign, scan_neurons
from creases.engine.rows.switches import scan_switches
from creases.engine.state.cell_layout import (
    CELL,
    MOST_CHORDS,
)
from creases.engine.state.facet_masks import NO_PLACE
from creases.engine.state.network_layout import (
    IDS,
    LOWEST,
    PAIRS,
    ROWS,
)
from creases.engine.state.output import emit
from creases.engine.state.record import field, mark_active, mark_inactive, need, neuron_of, row_at
from creases.engine.state.row_layout import (
    ACTIVE,
    FIRST_NEURON,
    INACTIVE,
    KIND,
    KIND_OF_LAYER,
    NEAREST,
    OPEN,
    SLOPED_LAYER,
    STATUS,
    THRESHOLD,
    UNKNOWN,
)
from creases.engine.state.slots import (
    ASKED,
    BEST_ROW,
    BY_NEURON,
    CLIP,
    CORNERS,
    CROSSING_ROWS,
    DEPTH,
    DIMENSION,
    DONE,
    EMIT,
    EMPTY,
    FOLLOWING_ROWS,
    FRESH,
    FULL,
    HALF_PROVED_ROWS,
    HAVE,
    HOW_TO_SPLIT,
    INT_ZERO,
    MORE,
    NETWORK,
    NO_ROW,
    SCANNED,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    UNBOUNDED,
    UNKNOWN_ROWS,
    UNPROVED_CELL,
    UNPROVED_COUNT,
    VANISHED,
    VANISHING_ROW,
    WAITING,
    WALL,
)
from creases.engine.state.stack import STACK_HEADER, keep_child, no_room, pop, push, push_written
from creases.engine.state.work import (
    CORNERS_FIELD,
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["cut"]

# The network is localised again when no more than this part of the rows it was built with still cross.
CROWDED = 0.6
# With no more rows than this it is not worth it before all of them are decided.
FEW_ROWS = 4


@quick_first
def cut(work: AnyWork, budget: int) -> int:
    """Work through at most `budget` cells. Returns DONE, MORE or what stops it: UNPROVED_CELL, FULL, or VANISHING_ROW
    on a wall.

    All state is in `work`. Each turn of the loop finishes, counts, localises or splits the current cell.
    """
    state, ints = work.state, work.ints
    depth = state[DEPTH]
    for _ in range(budget):
        if state[HAVE] == 0:
            if state[WAITING] == 0:
                return DONE
            pop(work)
        net = state[NETWORK]
        layer = ints[net + LOWEST]
        last, crossing, still_open, unproved = layer + 1 == depth, 0, 0, 0
        switches = layer < depth and is_switch(work, layer)
        reach, corner_error = cell_reach(work)
        if layer < depth:
            if state[SCANNED] == 0:
                if switches:
                    scan_switches(work, net, layer, reach, corner_error)
                    if state[EMPTY]:
                        leave(work)
                        continue
                else:
                    scan_neurons(work, net, layer, reach, corner_error)
                if state[WALL] and state[VANISHED]:
                    return VANISHING_ROW
            state[SCANNED] = 0
            crossing, unproved = state[CROSSING_ROWS], state[HALF_PROVED_ROWS] + state[UNKNOWN_ROWS]
            still_open = crossing + unproved
            if state[FRESH] and state[BY_NEURON]:
                if state[UNKNOWN_ROWS]:
                    if not sharpen(work) and ask_outside(work, net, layer):
                        return UNPROVED_CELL
                    continue
                tally_neurons(work, net, layer)
            state[FRESH] = 0
        if still_open == 0 and (last or layer == depth):
            if finish(work, last) == FULL:
                return FULL
            continue
        pieces, unbounded, counted = UNPROVED_COUNT, 0, layer
        if still_open == 0:
            if layer + 2 == depth and is_counted(work, layer) and not state[EMIT] and not state[BY_NEURON]:
                pieces, unbounded = count_next(work, net, layer, reach, corner_error)
                counted = layer + 1
        elif last and unproved == 0 and still_open <= MOST_CHORDS and not state[EMIT] and not switches:
            pieces, unbounded = count_crossing(work, net, layer)
        if pieces != UNPROVED_COUNT:
            work.by_layer[layer] += 1 if counted > layer else 0
            work.by_layer[counted] += pieces
            state[UNBOUNDED] += unbounded
            leave(work)
            continue
        rows, few = ints[field(net, layer, ROWS)], 4 * MOST_CHORDS if last else FEW_ROWS
        if switches:  # only pairs are open then; and a cell that is claimed is clipped first
            rows = ints[field(net, layer, PAIRS)] if state[HOW_TO_SPLIT] != CLIP else 0
        if still_open == 0 or (rows > few and still_open + state[FOLLOWING_ROWS] <= CROWDED * rows):
            forget_answers(work)
            if localise(work, reach + corner_error, corner_error) == FULL:
                return FULL
        elif state[BEST_ROW] == NO_ROW:
            if not sharpen(work) and ask_outside(work, net, layer):
                return UNPROVED_CELL
        else:
            answer = split_switch(work, net, layer) if switches else split(work, net, layer)
            if answer != MORE:
                return answer
    return MORE if state[HAVE] or state[WAITING] else DONE


@inlined
def is_counted(work: AnyWork, layer: int) -> bool:
    """Whether the layer above this one may be counted without being cut: it has neurons, and active units below
    have slope 1."""
    return work.layer_ints[layer, KIND_OF_LAYER] != SLOPED_LAYER and not is_switch(work, layer + 1)


@inlined
def leave(work: AnyWork) -> None:
    """Have done with the current cell."""
    work.state[HAVE] = work.state[EMPTY] = 0
    forget_answers(work)


@inlined
def ask_outside(work: AnyWork, net: int, layer: int) -> bool:
    """List the signs that are not proved; is there one that a base locus does not tell?"""
    before = work.state[ASKED]
    ask(work, net, layer)
    return answer_in_base_locus(work, layer, before) > 0


@inlined
def tally_neurons(work: AnyWork, net: int, layer: int) -> None:
    """The current cell is a region of the layers below: add one for each neuron that cuts it, and each switch."""
    if is_switch(work, layer):
        tally_switches(work, net, layer)
        return
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] == OPEN and work.row_ints[KIND, i] != UNKNOWN:
            work.by_neuron[work.layer_ints[layer, FIRST_NEURON] + work.ints[work.ints[field(net, layer, IDS)] + i]] += 1


@inlined
def finish(work: AnyWork, count_last: bool) -> int:
    """The current cell is a region of the whole network: count it, and write it out if that is wanted.

    count_last : True if the last layer has just been completed (False where it was counted before).
    """
    state = work.state
    if state[EMIT]:
        answer = emit(work, is_unbounded(work))
        if answer == FULL:
            return FULL
    if count_last:
        work.by_layer[state[DEPTH] - 1] += 1
    state[UNBOUNDED] += is_unbounded(work)
    leave(work)
    return MORE


@inlined
def is_unbounded_in_plane(work: Work) -> int:
    """1 if the current cell reaches infinity."""
    if work.state[DIMENSION] == 2:
        return pieces_at_infinity(work, INT_ZERO)
    return min(work.cell_ints[CELL, 0, 1] + work.cell_ints[CELL, 1, 1], 1)


@inlined
def is_unbounded_in_space(work: SpaceWork) -> int:
    """1 if the current cell reaches infinity."""
    return 1 if place_of_infinity(work) != NO_PLACE else 0


is_unbounded = by_domain(is_unbounded_in_plane, is_unbounded_in_space)


@inlined
def count_crossing_in_plane(work: Work, net: int, layer: int) -> tuple[int, int]:
    """Pieces that the crossing rows of the last layer make of the current cell, and how many reach infinity."""
    return count_zeros(work, net, layer) if work.state[DIMENSION] == 1 else count_chords(work, net, layer)


count_crossing = by_domain(count_crossing_in_plane, count_pieces)


count_next = by_domain(count_last, count_last_in_space)


@inlined
def split_in_space(work: SpaceWork, net: int, layer: int) -> int:
    """Split the current cell by its best crossing row; the negative side waits, the other goes on."""
    state = work.state
    rows, row = work.ints[field(net, layer, ROWS)], state[BEST_ROW]
    if no_room(work, 1, work.points.shape[2], rows) == FULL:
        return FULL
    neuron = neuron_of(work, net, layer, row)
    new = cut_polytope(work, net, layer, row, neuron)
    if new < UNCUT:
        return UNCUT - new
    negative = put_negative_side(work, new, state[STACK_REALS_TOP], state[STACK_INTS_TOP] + STACK_HEADER)
    push_other_side(work, row, neuron, -1.0, negative, rows)
    keep_positive_side(work, new)
    take_side(work, row, neuron, 1.0)
    forget_answers(work)
    return MORE


@inlined
def split_in_plane(work: Work, net: int, layer: int) -> int:
    """Split the current cell by its best crossing row; one side waits, the other goes on.

    An interval goes on with the side of its corner 0, so that cells are finished in their order on the line; a
    polygon goes on with the positive side.
    """
    state = work.state
    corners, rows = state[CORNERS], work.ints[field(net, layer, ROWS)]
    if corners + 2 > work.cell_reals.shape[1]:
        return need(state, CORNERS_FIELD, 2 * (corners + 2))
    if no_room(work, 1, corners + 2, rows) == FULL:
        return FULL
    row, first = state[BEST_ROW], 1.0
    neuron = neuron_of(work, net, layer, row)
    at, ints_at = state[STACK_REALS_TOP], state[STACK_INTS_TOP] + STACK_HEADER
    if state[DIMENSION] == 1:
        if proved_sign(work, row, row_at(work, net, layer, row), INT_ZERO) == NEGATIVE:
            first = -1.0
        halve_interval(work, net, layer, row, first, at, ints_at)
        push_other_side(work, row, neuron, -first, corners, rows)
    elif work.row_reals[row, NEAREST] > work.row_reals[row, THRESHOLD]:
        child = halve_polygon(work, net, layer, row, at, ints_at)
        push_other_side(work, row, neuron, -first, corners + 4 - child, rows)
        corners = child
    else:
        child = cut_polygon(work, net, layer, row, -first)
        take_side(work, row, neuron, -first)
        push(work, child, rows)  # there is room: for two corners more than the cell's
        corners = cut_polygon(work, net, layer, row, first)
    take_side(work, row, neuron, first)
    keep_child(work, corners)
    forget_answers(work)
    return MORE


split = by_domain(split_in_plane, split_in_space)


@inlined
def push_other_side(work: AnyWork, row: int, neuron: int, side: float, corners: int, rows: int) -> None:
    """Put the side that was written to the stack there for good."""
    take_side(work, row, neuron, side)
    push_written(work, corners, rows)


@inlined
def take_side(work: AnyWork, row: int, neuron: int, side: float) -> None:
    """Note that a row is active (side 1.0) or not on one side of it."""
    if side > 0.0:
        work.row_ints[STATUS, row] = ACTIVE
        mark_active(work.pattern, neuron)
    else:
        work.row_ints[STATUS, row] = INACTIVE
        mark_inactive(work.pattern, neuron)
