"""The stack of cells that wait: depth first, so that memory does not grow with the number of regions.

A record holds a cell's corners and edges, the statuses of its rows, its pattern, and how far the arenas were filled
when it was put there: local networks made since then are gone when it is taken off.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel
from creases.engine.record import need
from creases.engine.work import (
    CELL,
    CELL_COLUMNS,
    CHILD,
    CORNERS,
    DONE,
    FRESH,
    HAVE,
    INTS_TOP,
    NETWORK,
    REALS_TOP,
    SCANNED,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    STATUS,
    WAITING,
    WORDS,
    Work,
)

__all__ = ["STACK_HEADER", "no_room", "pop", "push", "push_written"]

# Numbers that `push` writes before a cell's lists: corners, network, tops of the two arenas, rows, fresh.
STACK_HEADER = 6

# Places of the arrays among the fields of Work, for FULL_ARRAY.
STACK_REALS_FIELD = Work._fields.index("stack_reals")
STACK_INTS_FIELD = Work._fields.index("stack_ints")


@inlined
def no_room(work: Work, corners: int, rows: int) -> int:
    """FULL if the stack cannot take a cell of so many corners and rows."""
    state = work.state
    reals = state[STACK_REALS_TOP] + corners * CELL_COLUMNS
    whole = state[STACK_INTS_TOP] + STACK_HEADER + 2 * corners + rows + state[WORDS] + 1
    if reals > work.stack_reals.size:
        return need(state, STACK_REALS_FIELD, reals)
    if whole > work.stack_ints.size:
        return need(state, STACK_INTS_FIELD, whole)
    return DONE


@kernel
def push(work: Work, corners: int, rows: int) -> None:
    """Put the child, with the current network, statuses and pattern, on the stack (room was seen to)."""
    state, stack, numbers = work.state, work.stack_ints, work.stack_reals
    at, whole = state[STACK_REALS_TOP], state[STACK_INTS_TOP] + STACK_HEADER
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            numbers[at + c] = work.cell_reals[CHILD, v, c]
        at += CELL_COLUMNS
        stack[whole], stack[whole + 1] = work.cell_ints[CHILD, v, 0], work.cell_ints[CHILD, v, 1]
        whole += 2
    push_written(work, corners, rows)


@inlined
def push_written(work: Work, corners: int, rows: int) -> None:
    """`push` for a cell whose corners stand on the stack already: behind STACK_HEADER numbers in `stack_ints`."""
    state, stack = work.state, work.stack_ints
    start = whole = state[STACK_INTS_TOP]
    stack[whole], stack[whole + 1] = corners, state[NETWORK]
    stack[whole + 2], stack[whole + 3] = state[REALS_TOP], state[INTS_TOP]
    stack[whole + 4], stack[whole + 5] = rows, state[FRESH]
    whole += STACK_HEADER + 2 * corners
    for i in range(rows):
        stack[whole + i] = work.row_ints[STATUS, i]
    whole += rows
    for word in range(state[WORDS]):
        stack[whole + word] = work.pattern[word]
    whole += state[WORDS]
    stack[whole] = start  # so that the cell on top can be found from the top
    state[STACK_REALS_TOP] += corners * CELL_COLUMNS
    state[STACK_INTS_TOP] = whole + 1
    state[WAITING] += 1


@inlined
def pop(work: Work) -> None:
    """Make the cell on top of the stack the current one; local networks made since it was put there are gone."""
    state, stack, numbers = work.state, work.stack_ints, work.stack_reals
    start = whole = stack[state[STACK_INTS_TOP] - 1]
    corners, rows = stack[whole], stack[whole + 4]
    state[CORNERS], state[NETWORK] = corners, stack[whole + 1]
    state[REALS_TOP], state[INTS_TOP] = stack[whole + 2], stack[whole + 3]
    state[FRESH] = stack[whole + 5]
    whole += STACK_HEADER
    at = state[STACK_REALS_TOP] - corners * CELL_COLUMNS
    for v in range(corners):
        for c in range(CELL_COLUMNS):
            work.cell_reals[CELL, v, c] = numbers[at + v * CELL_COLUMNS + c]
        work.cell_ints[CELL, v, 0], work.cell_ints[CELL, v, 1] = stack[whole], stack[whole + 1]
        whole += 2
    for i in range(rows):
        work.row_ints[STATUS, i] = stack[whole + i]
    whole += rows
    for word in range(state[WORDS]):
        work.pattern[word] = stack[whole + word]
    state[STACK_REALS_TOP], state[STACK_INTS_TOP] = at, start
    state[WAITING] -= 1
    state[HAVE], state[SCANNED] = 1, 0
