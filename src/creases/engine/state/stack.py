"""The stack of cells that wait: depth first, so that memory does not grow with the number of regions.

A record holds a cell's corners and edges, the statuses of its rows, its pattern, and how far the arenas were filled
when it was put there: local networks made since then are gone when it is taken off.
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.state.cell_layout import (
    CELL,
    CELL_COLUMNS,
    CHILD,
    SLOTS,
)
from creases.engine.state.record import need
from creases.engine.state.row_layout import (
    STATUS,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    DONE,
    EMPTY,
    FACETS_TOP,
    FRESH,
    FULL,
    HAVE,
    INTS_TOP,
    NETWORK,
    REALS_TOP,
    SCANNED,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    WAITING,
    WORDS,
)
from creases.engine.state.work import (
    STACK_INTS_FIELD,
    STACK_REALS_FIELD,
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["STACK_HEADER", "copy_cell_to_child", "keep_child", "no_room", "pop", "push", "push_written", "put_slots"]

# What a record in `stack_ints` begins with: corners, where the cell's local network stands, the tops of the two arenas
# then, rows of its lowest layer, whether these have been looked at; the cell's lists follow.
RECORD_CORNERS, RECORD_NETWORK, RECORD_REALS_TOP, RECORD_INTS_TOP, RECORD_ROWS, RECORD_FRESH = 0, 1, 2, 3, 4, 5
STACK_HEADER = 6


@inlined
def reals_of_cell_in_plane(work: Work, corners: int) -> int:
    """Floats that a cell of so many corners takes on the stack."""
    return corners * CELL_COLUMNS


@inlined
def ints_of_cell_in_plane(work: Work, corners: int) -> int:
    """Integers that a cell of so many corners takes on the stack."""
    return 2 * corners


@inlined
def put_cell_in_plane(work: Work, corners: int, at: int, whole: int) -> None:
    """Write the child's corners and edges to the stack."""
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            work.stack_reals[at + v * CELL_COLUMNS + c] = work.cell_reals[CHILD, v, c]
        for c in range(2):
            work.stack_ints[whole + 2 * v + c] = work.cell_ints[CHILD, v, c]


@inlined
def take_cell_in_plane(work: Work, corners: int, at: int, whole: int) -> None:
    """Read a cell's corners and edges from the stack."""
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            work.cell_reals[CELL, v, c] = work.stack_reals[at + v * CELL_COLUMNS + c]
        for c in range(2):
            work.cell_ints[CELL, v, c] = work.stack_ints[whole + 2 * v + c]


@inlined
def copy_cell_to_child_in_plane(work: Work, corners: int) -> None:
    """Make the child a copy of the current cell."""
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            work.cell_reals[CHILD, v, c] = work.cell_reals[CELL, v, c]
        for c in range(2):
            work.cell_ints[CHILD, v, c] = work.cell_ints[CELL, v, c]


@inlined
def copy_cell_to_child_in_space(work: SpaceWork, corners: int) -> None:
    """Make the child a copy of the current cell."""
    for c in range(work.state[DIMENSION] + 1):
        for v in range(corners):
            work.points[CHILD, c, v] = work.points[CELL, c, v]
    for v in range(corners):
        work.masks[CHILD, v] = work.masks[CELL, v]


@inlined
def keep_child(work: Work, corners: int) -> None:
    """Make the child, of a line or a plane, the current cell."""
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            work.cell_reals[CELL, v, c] = work.cell_reals[CHILD, v, c]
        work.cell_ints[CELL, v, 0], work.cell_ints[CELL, v, 1] = (
            work.cell_ints[CHILD, v, 0],
            work.cell_ints[CHILD, v, 1],
        )
    work.state[CORNERS] = corners


copy_cell_to_child = by_domain(copy_cell_to_child_in_plane, copy_cell_to_child_in_space)


@inlined
def reals_of_cell_in_space(work: SpaceWork, corners: int) -> int:
    """Floats that a cell of so many corners takes on the stack."""
    return corners * (work.state[DIMENSION] + 1)


@inlined
def ints_of_cell_in_space(work: SpaceWork, corners: int) -> int:
    """Integers that a cell of so many corners takes on the stack: masks, the table of facets, how many are kept."""
    return corners + SLOTS + 1


@inlined
def put_cell_in_space(work: SpaceWork, corners: int, at: int, whole: int) -> None:
    """Write the child's corners, masks and facets to the stack."""
    d, stack, numbers = work.state[DIMENSION], work.stack_ints, work.stack_reals
    for c in range(d + 1):
        for v in range(corners):
            numbers[at + c * corners + v] = work.points[CHILD, c, v]
    for v in range(corners):
        stack[whole + v] = work.masks[CHILD, v]
    put_slots(work, whole + corners)


@inlined
def put_slots(work: SpaceWork, whole: int) -> None:
    """Write the current cell's table of facets to the stack, and how many facets are kept."""
    for place in range(SLOTS):
        work.stack_ints[whole + place] = work.slots[place]
    work.stack_ints[whole + SLOTS] = work.state[FACETS_TOP]


@inlined
def take_cell_in_space(work: SpaceWork, corners: int, at: int, whole: int) -> None:
    """Read a cell from the stack; facets kept since it was put there are gone."""
    d, stack, numbers = work.state[DIMENSION], work.stack_ints, work.stack_reals
    for c in range(d + 1):
        for v in range(corners):
            work.points[CELL, c, v] = numbers[at + c * corners + v]
    for v in range(corners):
        work.masks[CELL, v] = stack[whole + v]
    for place in range(SLOTS):
        work.slots[place] = stack[whole + corners + place]
    work.state[FACETS_TOP] = stack[whole + corners + SLOTS]


reals_of_cell = by_domain(reals_of_cell_in_plane, reals_of_cell_in_space)
ints_of_cell = by_domain(ints_of_cell_in_plane, ints_of_cell_in_space)
put_cell = by_domain(put_cell_in_plane, put_cell_in_space)
take_cell = by_domain(take_cell_in_plane, take_cell_in_space)


@inlined
def no_room(work: AnyWork, cells: int, corners: int, rows: int) -> int:
    """FULL if the stack cannot take some cells of so many corners and rows each."""
    state = work.state
    reals = state[STACK_REALS_TOP] + cells * reals_of_cell(work, corners)
    each = STACK_HEADER + ints_of_cell(work, corners) + rows + state[WORDS] + 1
    whole = state[STACK_INTS_TOP] + cells * each
    if reals > work.stack_reals.size:
        return need(state, STACK_REALS_FIELD, reals)
    if whole > work.stack_ints.size:
        return need(state, STACK_INTS_FIELD, whole)
    return DONE


@kernel
def push(work: AnyWork, corners: int, rows: int) -> int:
    """Put the child, with the current network, statuses and pattern, on the stack.

    DONE, or FULL with nothing changed.
    """
    if no_room(work, 1, corners, rows) == FULL:
        return FULL
    put_cell(work, corners, work.state[STACK_REALS_TOP], work.state[STACK_INTS_TOP] + STACK_HEADER)
    push_written(work, corners, rows)
    return DONE


@inlined
def push_written(work: AnyWork, corners: int, rows: int) -> None:
    """`push` for a cell whose corners stand on the stack already: behind STACK_HEADER numbers in `stack_ints`.

    Whoever has written them has asked for the room of all of it (`no_room`).
    """
    state, stack = work.state, work.stack_ints
    start = whole = state[STACK_INTS_TOP]
    stack[whole + RECORD_CORNERS], stack[whole + RECORD_NETWORK] = corners, state[NETWORK]
    stack[whole + RECORD_REALS_TOP], stack[whole + RECORD_INTS_TOP] = state[REALS_TOP], state[INTS_TOP]
    stack[whole + RECORD_ROWS], stack[whole + RECORD_FRESH] = rows, state[FRESH]
    whole += STACK_HEADER + ints_of_cell(work, corners)
    for i in range(rows):
        stack[whole + i] = work.row_ints[STATUS, i]
    whole += rows
    for word in range(state[WORDS]):
        stack[whole + word] = work.pattern[word]
    whole += state[WORDS]
    stack[whole] = start  # so that the cell on top can be found from the top
    state[STACK_REALS_TOP] += reals_of_cell(work, corners)
    state[STACK_INTS_TOP] = whole + 1
    state[WAITING] += 1


@inlined
def pop(work: AnyWork) -> None:
    """Make the cell on top of the stack the current one; local networks made since it was put there are gone."""
    state, stack = work.state, work.stack_ints
    start = whole = stack[state[STACK_INTS_TOP] - 1]
    corners, rows = stack[whole + RECORD_CORNERS], stack[whole + RECORD_ROWS]
    state[CORNERS], state[NETWORK] = corners, stack[whole + RECORD_NETWORK]
    state[REALS_TOP], state[INTS_TOP] = stack[whole + RECORD_REALS_TOP], stack[whole + RECORD_INTS_TOP]
    state[FRESH] = stack[whole + RECORD_FRESH]
    whole += STACK_HEADER
    at = state[STACK_REALS_TOP] - reals_of_cell(work, corners)
    take_cell(work, corners, at, whole)
    whole += ints_of_cell(work, corners)
    for i in range(rows):
        work.row_ints[STATUS, i] = stack[whole + i]
    whole += rows
    for word in range(state[WORDS]):
        work.pattern[word] = stack[whole + word]
    state[STACK_REALS_TOP], state[STACK_INTS_TOP] = at, start
    state[WAITING] -= 1
    state[HAVE], state[SCANNED], state[EMPTY] = 1, 0, 0
