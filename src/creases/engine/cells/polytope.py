"""Three dimensions and more: a polytope is cut by a hyperplane.

A cell is a table of corners and, for each corner, a mask of the facets that it lies on. Between a corner on either side
of the hyperplane there is a new one if the two share an edge: they share d - 1 facets, and no other corner lies on
all of these (Motzkin, Raiffa, Thompson and Thrall 1953; Fukuda and Prodon 1996). In a simple cell, where every
corner lies on d facets only, the first condition is enough. One zero makes a cell not simple; nothing is perturbed.

A facet is kept once, however many cells have it; a cell knows it by a bit, which is used again when no corner has it.
"""

from __future__ import annotations

from creases.engine.cells.corner import place_corner
from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Ints
from creases.engine.proof.signs import NEGATIVE, POSITIVE, ZERO
from creases.engine.rows.scan import proved_sign
from creases.engine.state.cell_layout import (
    CELL,
    CHILD,
    FACET_TAIL,
    MOST_FACETS,
    SIMPLE,
)
from creases.engine.state.network_layout import (
    ERROR_G,
    ERROR_W,
    FORM,
    ONE,
)
from creases.engine.state.record import need, row_at
from creases.engine.state.row_layout import (
    NEAREST,
    THRESHOLD,
)
from creases.engine.state.slots import (
    CORNERS,
    CROWDED_CELL,
    DIMENSION,
    FACETS_TOP,
)
from creases.engine.state.stack import put_slots
from creases.engine.state.work import (
    FACET_INTS_FIELD,
    FACET_REALS_FIELD,
    POINTS_FIELD,
    SpaceWork,
)

__all__ = [
    "UNCUT",
    "cut_polytope",
    "facets_of",
    "keep_positive_side",
    "put_negative_side",
]

# `cut_polytope` answers with less than this where it has not cut.
UNCUT = 0
# `list_cut_edges` answers so where there is no room for the new corners.
TOO_MANY_EDGES = -1


@kernel
def cut_polytope(work: SpaceWork, net: int, layer: int, row: int, neuron: int) -> int:
    """Find the corners at which a crossing row cuts the cell's edges, and write them to the child.

    All signs of the row at the corners are proved; they go to `sides`. The row becomes a facet of the cell's table.
    Returns how many there are; UNCUT - FULL or UNCUT - CROWDED_CELL with nothing changed.
    """
    state, masks, points, d = work.state, work.masks, work.points, work.state[DIMENSION]
    corners, top, source = state[CORNERS], state[FACETS_TOP], row_at(work, net, layer, row)
    if (top + 1) * (d + FACET_TAIL) > work.facet_reals.size:
        return UNCUT - need(state, FACET_REALS_FIELD, (top + 1) * (d + FACET_TAIL))
    if top + 1 > work.facet_ints.size:
        return UNCUT - need(state, FACET_INTS_FIELD, top + 1)
    quick, used = work.row_reals[row, NEAREST] > work.row_reals[row, THRESHOLD], 0
    for v in range(corners):
        if quick:
            work.sides[v] = POSITIVE if work.values_nc[row, v] > 0.0 else NEGATIVE
        else:
            work.sides[v] = proved_sign(work, row, source, v)
        used |= masks[CELL, v]
    new_corners = list_cut_edges(work, corners, quick and work.slots[SIMPLE] == 1)
    if new_corners == TOO_MANY_EDGES:
        return UNCUT - need(state, POINTS_FIELD, 2 * points.shape[2])
    place = 0
    while used >> place & 1:
        place += 1
    if place >= MOST_FACETS:
        return UNCUT - CROWDED_CELL
    work.slots[place] = top
    at = top * (d + FACET_TAIL)
    for c in range(d):
        work.facet_reals[at + c] = work.reals[source + FORM + c]
    work.facet_reals[at + d] = work.reals[source + ONE]
    work.facet_reals[at + d + 1], work.facet_reals[at + d + 2] = (
        work.reals[source + ERROR_G],
        work.reals[source + ERROR_W],
    )
    work.facet_ints[top] = neuron
    simple = work.slots[SIMPLE] == 1
    for k in range(new_corners):
        shared = masks[CELL, work.edges[k, 0]] & masks[CELL, work.edges[k, 1]]
        masks[CHILD, k] = shared | 1 << place
        place_corner(work.slots, work.facet_reals, work.sums, points[CHILD], d, masks[CHILD, k], simple, k)
    if not quick:
        work.slots[SIMPLE] = 0  # until both sides are known
        for v in range(corners):
            if work.sides[v] == ZERO:
                masks[CELL, v] |= 1 << place
    state[FACETS_TOP] = top + 1
    return new_corners


@inlined
def list_cut_edges(work: SpaceWork, corners: int, simple: bool) -> int:
    """List the edges between a positive and a negative corner; returns how many.

    TOO_MANY_EDGES if there is no room for their corners. There is room in a cell for all its corners and the new ones.
    """
    listed, room, masks, edges = 0, work.edges.shape[0] - corners, work.masks[CELL], work.edges
    for u in range(corners):
        if work.sides[u] != POSITIVE:
            continue
        for v in range(corners):
            if work.sides[v] != NEGATIVE:
                continue
            once = (masks[u] ^ masks[v]) & ((masks[u] ^ masks[v]) - 1)
            joined = once & (once - 1) == 0 if simple else share_edge(work, corners, u, v)
            if joined:
                if listed == room:
                    return TOO_MANY_EDGES
                edges[listed, 0], edges[listed, 1] = u, v
                listed += 1
    return listed


@kernel
def share_edge(work: SpaceWork, corners: int, u: int, v: int) -> bool:
    """Whether two corners of any cell share an edge."""
    masks = work.masks[CELL]
    shared = masks[u] & masks[v]
    if facets_of(shared) < work.state[DIMENSION] - 1:
        return False
    beside = 0
    for other in range(corners):
        beside += masks[other] & shared == shared
    return beside == 2  # the two themselves


@kernel
def facets_of(mask: int) -> int:
    """How many bits of a mask are set."""
    count, rest = 0, mask
    while rest:
        rest &= rest - 1
        count += 1
    return count


@inlined
def put_negative_side(work: SpaceWork, new: int, at: int, whole: int) -> int:
    """Write the negative side of the cell that `cut_polytope` has cut to the stack; returns its corners."""
    d, corners, sides = work.state[DIMENSION], work.state[CORNERS], work.sides
    kept = 0
    for v in range(corners):
        work.stack_ints[whole + kept] = work.masks[CELL, v]
        kept += sides[v] != POSITIVE
    for k in range(new):
        work.stack_ints[whole + kept + k] = work.masks[CHILD, k]
    total = kept + new
    for c in range(d + 1):
        n = at + c * total
        for v in range(corners):
            work.stack_reals[n] = work.points[CELL, c, v]
            n += sides[v] != POSITIVE
        for k in range(new):
            work.stack_reals[n + k] = work.points[CHILD, c, k]
    put_slots(work, whole + total)
    if work.slots[SIMPLE] == 0:
        work.stack_ints[whole + total + SIMPLE] = are_simple(work.stack_ints, whole, total, d)
    return total


@inlined
def keep_positive_side(work: SpaceWork, new: int) -> None:
    """Make the positive side the current cell, where it stands."""
    d, corners, sides = work.state[DIMENSION], work.state[CORNERS], work.sides
    kept = 0
    for v in range(corners):
        work.masks[CELL, kept] = work.masks[CELL, v]
        kept += sides[v] != NEGATIVE
    for k in range(new):
        work.masks[CELL, kept + k] = work.masks[CHILD, k]
    for c in range(d + 1):
        n = 0
        for v in range(corners):
            work.points[CELL, c, n] = work.points[CELL, c, v]
            n += sides[v] != NEGATIVE
        for k in range(new):
            work.points[CELL, c, n + k] = work.points[CHILD, c, k]
    work.state[CORNERS] = kept + new
    if work.slots[SIMPLE] == 0:
        work.slots[SIMPLE] = are_simple(work.masks[CELL], 0, kept + new, d)


@kernel
def are_simple(masks: Ints, begin: int, corners: int, d: int) -> int:
    """1 if every corner lies on d facets only."""
    for v in range(begin, begin + corners):
        if facets_of(masks[v]) != d:
            return 0
    return 1
