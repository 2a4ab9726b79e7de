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
)
from creases.engine.state.facet_masks import mask_words, number_anew
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
    PLACES,
    REALS_TOP,
    SCANNED,
    SIMPLE,
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

__all__ = [
    "STACK_HEADER",
    "TABLE_FACETS",
    "TABLE_HEADER",
    "TABLE_PLACES",
    "TABLE_SIMPLE",
    "copy_cell_to_child",
    "keep_child",
    "no_room",
    "pop",
    "push",
    "push_written",
    "put_table",
]

# What a record in `stack_ints` begins with: corners, where the cell's local network stands, the tops of the two arenas
# then, rows of its lowest layer, whether these have been looked at; the cell's lists follow.
RECORD_CORNERS, RECORD_NETWORK, RECORD_REALS_TOP, RECORD_INTS_TOP, RECORD_ROWS, RECORD_FRESH = 0, 1, 2, 3, 4, 5
STACK_HEADER = 6

# In space, what a cell's own integers begin with: the places of its table of facets, whether it is simple, and how many
# facets are kept. The table follows, and the corners' masks, word by word.
TABLE_PLACES, TABLE_SIMPLE, TABLE_FACETS = 0, 1, 2
TABLE_HEADER = 3


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
    for w in range(mask_words(work.state[PLACES])):
        for v in range(corners):
            work.masks[CHILD, w, v] = work.masks[CELL, w, v]


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
    """Integers that a cell of so many corners takes on the stack, if it has the current one's table of facets."""
    return TABLE_HEADER + work.state[PLACES] + mask_words(work.state[PLACES]) * corners


@inlined
def most_ints_of_cell_in_plane(work: Work, corners: int) -> int:
    """Integers that a cell which is cut off the current one takes on the stack at most."""
    return ints_of_cell_in_plane(work, corners)


@inlined
def most_ints_of_cell_in_space(work: SpaceWork, corners: int) -> int:
    """Integers that a cell which is cut off the current one takes on the stack at most: it may have a facet more."""
    places = work.state[PLACES] + 1
    return TABLE_HEADER + places + mask_words(places) * corners


@inlined
def put_cell_in_space(work: SpaceWork, corners: int, at: int, whole: int) -> None:
    """Write the child's corners, masks and facets to the stack."""
    d, stack, numbers = work.state[DIMENSION], work.stack_ints, work.stack_reals
    for c in range(d + 1):
        for v in range(corners):
            numbers[at + c * corners + v] = work.points[CHILD, c, v]
    begin = put_table(work, whole)
    for w in range(mask_words(work.state[PLACES])):
        for v in range(corners):
            stack[begin + w * corners + v] = work.masks[CHILD, w, v]


@inlined
def put_table(work: SpaceWork, whole: int) -> int:
    """Write the current cell's table of facets to the stack, and how many are kept; returns where masks begin."""
    state, stack, places = work.state, work.stack_ints, work.state[PLACES]
    stack[whole + TABLE_PLACES], stack[whole + TABLE_SIMPLE] = places, state[SIMPLE]
    stack[whole + TABLE_FACETS] = state[FACETS_TOP]
    for place in range(places):
        stack[whole + TABLE_HEADER + place] = work.slots[place]
    return whole + TABLE_HEADER + places


@inlined
def take_cell_in_space(work: SpaceWork, corners: int, at: int, whole: int) -> None:
    """Read a cell from the stack; facets kept since it was put there are gone."""
    state, stack, numbers = work.state, work.stack_ints, work.stack_reals
    for c in range(state[DIMENSION] + 1):
        for v in range(corners):
            work.points[CELL, c, v] = numbers[at + c * corners + v]
    places = stack[whole + TABLE_PLACES]
    state[PLACES], state[SIMPLE] = places, stack[whole + TABLE_SIMPLE]
    state[FACETS_TOP] = stack[whole + TABLE_FACETS]
    for place in range(places):
        work.slots[place] = stack[whole + TABLE_HEADER + place]
    begin = whole + TABLE_HEADER + places
    for w in range(mask_words(places)):
        for v in range(corners):
            work.masks[CELL, w, v] = stack[begin + w * corners + v]


@inlined
def settle_cell_in_plane(work: Work) -> None:
    """Edges of a polygon have no places."""


@inlined
def settle_cell_in_space(work: SpaceWork) -> None:
    """Number the current cell's facets anew where it has many places."""
    if mask_words(work.state[PLACES]) > 1:
        number_anew(work)


reals_of_cell = by_domain(reals_of_cell_in_plane, reals_of_cell_in_space)
ints_of_cell = by_domain(ints_of_cell_in_plane, ints_of_cell_in_space)
most_ints_of_cell = by_domain(most_ints_of_cell_in_plane, most_ints_of_cell_in_space)
settle_cell = by_domain(settle_cell_in_plane, settle_cell_in_space)
put_cell = by_domain(put_cell_in_plane, put_cell_in_space)
take_cell = by_domain(take_cell_in_plane, take_cell_in_space)


@inlined
def no_room(work: AnyWork, cells: int, corners: int, rows: int) -> int:
    """FULL if the stack cannot take some cells of so many corners and rows each, of one facet more than the current."""
    state = work.state
    reals = state[STACK_REALS_TOP] + cells * reals_of_cell(work, corners)
    each = STACK_HEADER + most_ints_of_cell(work, corners) + rows + state[WORDS] + 1
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
    settle_cell(work)
