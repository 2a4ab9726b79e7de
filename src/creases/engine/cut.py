"""The loop: depth first through the cells of a domain, one stack, no recursion, nothing allocated.

A cell is scanned against the rows of the lowest open layer of its local network. If none crosses, the layer is
complete on it; if few do, the network is localised again; else the row that halves the cell best splits it: a
true wall, so nothing is counted twice. In the last layer no cells are built where a count of chords is proved.
What cannot be proved stops the loop with UNPROVED_CELL and a list of questions; it goes on with the answers.
"""

from __future__ import annotations

from creases.engine.chords import UNPROVED_CHORDS, count_chords, pieces_at_infinity
from creases.engine.kernel import inlined, kernel
from creases.engine.last import count_last
from creases.engine.line import count_zeros, halve_interval
from creases.engine.local import localise
from creases.engine.plane import cut_polygon, halve_polygon
from creases.engine.record import field, mark_active, need
from creases.engine.scan import UNKNOWN, ask, cell_reach, forget_answers, proved_sign, row_at, scan
from creases.engine.signs import NEGATIVE
from creases.engine.stack import STACK_HEADER, no_room, pop, push, push_written
from creases.engine.work import (
    ACTIVE,
    BEST_ROW,
    BY_NEURON,
    CELL,
    CELL_COLUMNS,
    CHILD,
    CORNER_ERROR,
    CORNERS,
    CROSSING_ROWS,
    DEPTH,
    DIMENSION,
    DONE,
    EMIT,
    FIRST_NEURON,
    FRESH,
    FULL,
    HALF_PROVED_ROWS,
    HAVE,
    IDS,
    INACTIVE,
    INT_ZERO,
    KIND,
    LOWEST,
    MORE,
    MOST_CHORDS,
    NEAREST,
    NETWORK,
    NO,
    OPEN,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    ROWS,
    SCANNED,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    STATUS,
    THRESHOLD,
    UNBOUNDED,
    UNKNOWN_ROWS,
    UNPROVED_CELL,
    WAITING,
    WORDS,
    YES,
    Work,
)

__all__ = ["cut"]

# The network is localised again when no more than this part of the rows it was built with still cross.
CROWDED = 0.6
# With no more rows than this it is not worth it before all of them are decided.
FEW_ROWS = 4

# Places of the arrays among the fields of Work, for FULL_ARRAY.
CORNERS_FIELD = Work._fields.index("cell_reals")
OUT_REALS_FIELD = Work._fields.index("out_reals")
OUT_INTS_FIELD = Work._fields.index("out_ints")


@kernel
def cut(work: Work, budget: int) -> int:
    """Work through at most `budget` cells. Returns DONE, MORE, UNPROVED_CELL or FULL, with all state in `work`."""
    state = work.state
    for _ in range(budget):
        if state[HAVE] == 0:
            if state[WAITING] == 0:
                return DONE
            pop(work)
        answer = advance(work)
        if answer != MORE:
            return answer
    return MORE if state[HAVE] or state[WAITING] else DONE


@inlined
def advance(work: Work) -> int:
    """One step with the current cell: finish, count, localise or split it. MORE if the loop may go on."""
    state, ints = work.state, work.ints
    net = state[NETWORK]
    layer = ints[net + LOWEST]
    last = layer + 1 == state[DEPTH]
    if layer == state[DEPTH]:
        return finish(work, NO)
    reach, corner_error = cell_reach(work)
    if state[SCANNED] == 0:
        scan(work, net, layer, reach, corner_error)
    state[SCANNED] = 0
    crossing, unproved = state[CROSSING_ROWS], state[HALF_PROVED_ROWS] + state[UNKNOWN_ROWS]
    if state[FRESH]:
        if state[BY_NEURON]:
            if state[UNKNOWN_ROWS]:
                ask(work, net, layer)
                return UNPROVED_CELL
            tally_neurons(work, net, layer)
        state[FRESH] = 0
    still_open = crossing + unproved
    if still_open == 0:
        if last:
            return finish(work, YES)
        if layer + 2 == state[DEPTH] and not state[EMIT] and not state[BY_NEURON]:
            pieces, unbounded = count_last(work, net, layer, reach, corner_error)
            if pieces != UNPROVED_CHORDS:
                work.by_layer[layer] += 1
                return counted(work, layer + 1, pieces, unbounded)
    rows = ints[field(net, layer, ROWS)]
    if still_open <= CROWDED * rows and (still_open == 0 or rows > (4 * MOST_CHORDS if last else FEW_ROWS)):
        forget_answers(work)
        answer = localise(work, reach + corner_error, corner_error)
        return FULL if answer == FULL else MORE
    if last and unproved == 0 and still_open <= MOST_CHORDS and not state[EMIT]:
        pieces, unbounded = count_zeros(work, net, layer) if state[DIMENSION] == 1 else count_chords(work, net, layer)
        if pieces != UNPROVED_CHORDS:
            return counted(work, layer, pieces, unbounded)
    if crossing == 0:
        ask(work, net, layer)
        return UNPROVED_CELL
    return split(work, net, layer)


@inlined
def counted(work: Work, layer: int, pieces: int, unbounded: int) -> int:
    """Note the pieces of the current cell and be done with it."""
    work.by_layer[layer] += pieces
    work.state[UNBOUNDED] += unbounded
    work.state[HAVE] = 0
    forget_answers(work)
    return MORE


@inlined
def tally_neurons(work: Work, net: int, layer: int) -> None:
    """The current cell is a region of the layers below: add one for each neuron that cuts it."""
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] == OPEN and work.row_ints[KIND, i] != UNKNOWN:
            work.by_neuron[work.layer_ints[layer, FIRST_NEURON] + work.ints[work.ints[field(net, layer, IDS)] + i]] += 1


@inlined
def finish(work: Work, count_last: bool) -> int:
    """The current cell is a region of the whole network: count it, and write it out if that is wanted.

    count_last : True if the last layer has just been completed (False where `enter` has counted it already).
    """
    state = work.state
    if state[EMIT]:
        answer = emit(work)
        if answer == FULL:
            return FULL
    if count_last:
        work.by_layer[state[DEPTH] - 1] += 1
    if state[DIMENSION] == 2:
        state[UNBOUNDED] += pieces_at_infinity(work, INT_ZERO)
    else:
        state[UNBOUNDED] += min(work.cell_ints[CELL, 0, 1] + work.cell_ints[CELL, 1, 1], 1)
    state[HAVE] = 0
    forget_answers(work)
    return MORE


@kernel
def emit(work: Work) -> int:
    """Write the current cell out: corners (d coordinates and the error) to out_reals; corner count, edge ids and
    marks of infinity, and the pattern's words to out_ints."""
    state, d = work.state, work.state[DIMENSION]
    corners, words = state[CORNERS], state[WORDS]
    at, whole = state[OUT_REALS_TOP], state[OUT_INTS_TOP]
    if at + corners * (d + 1) > work.out_reals.size:
        return need(state, OUT_REALS_FIELD, at + corners * (d + 1))
    if whole + 1 + 2 * corners + words > work.out_ints.size:
        return need(state, OUT_INTS_FIELD, whole + 1 + 2 * corners + words)
    work.out_ints[whole] = corners
    for v in range(corners):
        for c in range(d):
            work.out_reals[at + v * (d + 1) + c] = work.cell_reals[CELL, v, c]
        work.out_reals[at + v * (d + 1) + d] = work.cell_reals[CELL, v, CORNER_ERROR]
        work.out_ints[whole + 1 + 2 * v] = work.cell_ints[CELL, v, 0]
        work.out_ints[whole + 2 + 2 * v] = work.cell_ints[CELL, v, 1]
    for word in range(words):
        work.out_ints[whole + 1 + 2 * corners + word] = work.pattern[word]
    state[OUT_REALS_TOP], state[OUT_INTS_TOP] = at + corners * (d + 1), whole + 1 + 2 * corners + words
    return DONE


@inlined
def split(work: Work, net: int, layer: int) -> int:
    """Split the current cell by its best crossing row; one side waits, the other goes on.

    An interval goes on with the side of its corner 0, so that cells are finished in their order on the line; a
    polygon goes on with the positive side.
    """
    state = work.state
    corners, rows = state[CORNERS], work.ints[field(net, layer, ROWS)]
    if corners + 2 > work.cell_reals.shape[1]:
        return need(state, CORNERS_FIELD, 2 * (corners + 2))
    if no_room(work, corners + 2, rows) == FULL:
        return FULL
    row = state[BEST_ROW]
    neuron = work.layer_ints[layer, FIRST_NEURON] + work.ints[work.ints[field(net, layer, IDS)] + row]
    first = 1.0
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
        push(work, child, rows)
        corners = cut_polygon(work, net, layer, row, first)
    take_side(work, row, neuron, first)
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            work.cell_reals[CELL, v, c] = work.cell_reals[CHILD, v, c]
        work.cell_ints[CELL, v, 0], work.cell_ints[CELL, v, 1] = (
            work.cell_ints[CHILD, v, 0],
            work.cell_ints[CHILD, v, 1],
        )
    state[CORNERS] = corners
    forget_answers(work)
    return MORE


@inlined
def push_other_side(work: Work, row: int, neuron: int, side: float, corners: int, rows: int) -> None:
    """Put the side that was written to the stack there for good."""
    take_side(work, row, neuron, side)
    push_written(work, corners, rows)


@inlined
def take_side(work: Work, row: int, neuron: int, side: float) -> None:
    """Note that a row is active (side 1.0) or not on one side of it."""
    if side > 0.0:
        work.row_ints[STATUS, row] = ACTIVE
        mark_active(work.pattern, neuron)
    else:
        work.row_ints[STATUS, row] = INACTIVE
        work.pattern[neuron >> 6] &= ~(1 << (neuron & 63))
