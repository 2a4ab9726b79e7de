"""Three dimensions and more: a polytope is cut by a hyperplane.

A cell is a table of corners and, for each corner, a mask of the facets that it lies on. Between a corner on either side
of the hyperplane there is a new one if the two share an edge: they share d - 1 facets, and no other corner lies on
all of these (Motzkin, Raiffa, Thompson and Thrall 1953; Fukuda and Prodon 1996). In a simple cell, where every
corner lies on d facets only, the first condition is enough. One zero makes a cell not simple; nothing is perturbed.

A facet is kept once, however many cells have it; a cell knows it by a place in its table, which is used again when no
corner lies on it.
"""

from __future__ import annotations

from creases.engine.cells.corner import place_corner
from creases.engine.cells.on_edge import place_on_edge
from creases.engine.kernel import inlined, kernel
from creases.engine.proof.signs import NEGATIVE, POSITIVE, ZERO
from creases.engine.rows.rows_in_space import gradient_in_space
from creases.engine.rows.scan import proved_sign
from creases.engine.state.cell_layout import (
    CELL,
    CHILD,
    FACET_TAIL,
    FACETS_A_WORD,
)
from creases.engine.state.facet_masks import count_bits, count_facets, free_place, list_facets, mask_words, number_anew
from creases.engine.state.network_layout import (
    ERROR_G,
    ERROR_W,
    FORM,
    ONE,
)
from creases.engine.state.record import need, row_at
from creases.engine.state.row_layout import (
    EXACT,
    NEAREST,
    THRESHOLD,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    EMIT,
    FACETS_TOP,
    PLACES,
    SIMPLE,
)
from creases.engine.state.stack import TABLE_SIMPLE, put_table
from creases.engine.state.work import (
    FACET_INTS_FIELD,
    FACET_REALS_FIELD,
    MASKS_FIELD,
    POINTS_FIELD,
    SpaceWork,
)

__all__ = [
    "UNCUT",
    "cut_polytope",
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
    Returns how many there are; UNCUT - FULL with nothing changed.
    """
    state, masks, points, d = work.state, work.masks, work.points, work.state[DIMENSION]
    corners, top, source = state[CORNERS], state[FACETS_TOP], row_at(work, net, layer, row)
    if (top + 1) * (d + FACET_TAIL) > work.facet_reals.size:
        return UNCUT - need(state, FACET_REALS_FIELD, (top + 1) * (d + FACET_TAIL))
    if top + 1 > work.facet_ints.size:
        return UNCUT - need(state, FACET_INTS_FIELD, top + 1)
    quick, words = work.row_reals[row, NEAREST] > work.row_reals[row, THRESHOLD], mask_words(state[PLACES])
    for v in range(corners):
        if quick:
            work.sides[v] = POSITIVE if work.values_nc[row, v] > 0.0 else NEGATIVE
        else:
            work.sides[v] = proved_sign(work, row, source, v)
    new_corners = list_cut_edges(work, corners, words, quick and state[SIMPLE] == 1)
    if new_corners == TOO_MANY_EDGES:
        return UNCUT - need(state, POINTS_FIELD, 2 * points.shape[2])
    place = free_place(masks[CELL], words, corners)
    word, bit = place // FACETS_A_WORD, 1 << place % FACETS_A_WORD
    if word == words:
        if words == masks.shape[1]:
            return UNCUT - need(state, MASKS_FIELD, words + 1)
        for v in range(corners):
            masks[CELL, word, v] = 0
        words += 1
    state[PLACES] = max(state[PLACES], place + 1)
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
    # Of three facets the corner is placed as fast; corners that are written out, or may be exact, are placed sharply.
    between = d > 3 and quick and state[SIMPLE] == 1 and state[EMIT] == 0 and not work.layer_ints[layer, EXACT]
    gradient = gradient_in_space(work, source)
    for k in range(new_corners):
        u, v = work.edges[k, 0], work.edges[k, 1]
        for w in range(words):
            masks[CHILD, w, k] = masks[CELL, w, u] & masks[CELL, w, v]
        masks[CHILD, word, k] |= bit
        if between and place_on_edge(work, row, source, gradient, u, v, k):
            continue
        facets = list_facets(work.slots, masks[CHILD], words, k, work.at_corner)
        place_corner(work.facet_reals, work.sums, points[CHILD], d, work.at_corner, facets, k)
    if not quick:
        state[SIMPLE] = 0  # until both sides are known
        for v in range(corners):
            if work.sides[v] == ZERO:
                masks[CELL, word, v] |= bit
    state[FACETS_TOP] = top + 1
    return new_corners


@inlined
def list_cut_edges(work: SpaceWork, corners: int, words: int, simple: bool) -> int:
    """List the edges between a positive and a negative corner; returns how many.

    TOO_MANY_EDGES if there is no room for their corners. There is room in a cell for all its corners and the new ones.
    """
    if not simple or words > 1:
        return list_cut_edges_of_any(work, corners, words, simple)
    listed, room, masks, edges = 0, work.edges.shape[0] - corners, work.masks[CELL, 0], work.edges
    for u in range(corners):
        if work.sides[u] != POSITIVE:
            continue
        for v in range(corners):
            if work.sides[v] != NEGATIVE:
                continue
            once = (masks[u] ^ masks[v]) & ((masks[u] ^ masks[v]) - 1)
            if once & (once - 1) == 0:
                if listed == room:
                    return TOO_MANY_EDGES
                edges[listed, 0], edges[listed, 1] = u, v
                listed += 1
    return listed


@kernel
def list_cut_edges_of_any(work: SpaceWork, corners: int, words: int, simple: bool) -> int:
    """`list_cut_edges` of a cell that is not simple, or has many facets."""
    listed, room, edges = 0, work.edges.shape[0] - corners, work.edges
    for u in range(corners):
        for v in range(corners if work.sides[u] == POSITIVE else 0):
            if work.sides[v] == NEGATIVE and share_edge(work, corners, words, simple, u, v):
                if listed == room:
                    return TOO_MANY_EDGES
                edges[listed, 0], edges[listed, 1] = u, v
                listed += 1
    return listed


@kernel
def share_edge(work: SpaceWork, corners: int, words: int, simple: bool, u: int, v: int) -> bool:
    """Whether two corners of any cell share an edge."""
    masks, facets = work.masks[CELL], 0
    for w in range(words):
        facets += count_bits(masks[w, u] & masks[w, v])
    if facets < work.state[DIMENSION] - 1:
        return False
    if simple:
        return True
    beside = 0
    for other in range(corners):
        on = True
        for w in range(words):
            shared = masks[w, u] & masks[w, v]
            on = on and masks[w, other] & shared == shared
        beside += on
    return beside == 2  # the two themselves


@inlined
def put_negative_side(work: SpaceWork, new: int, at: int, whole: int) -> int:
    """Write the negative side of the cell that `cut_polytope` has cut to the stack; returns its corners."""
    d, corners, sides = work.state[DIMENSION], work.state[CORNERS], work.sides
    words, kept = mask_words(work.state[PLACES]), 0
    for v in range(corners):
        kept += sides[v] != POSITIVE
    total, begin = kept + new, put_table(work, whole)
    for w in range(words):
        n = begin + w * total
        for v in range(corners):
            work.stack_ints[n] = work.masks[CELL, w, v]
            n += sides[v] != POSITIVE
        for k in range(new):
            work.stack_ints[n + k] = work.masks[CHILD, w, k]
    for c in range(d + 1):
        n = at + c * total
        for v in range(corners):
            work.stack_reals[n] = work.points[CELL, c, v]
            n += sides[v] != POSITIVE
        for k in range(new):
            work.stack_reals[n + k] = work.points[CHILD, c, k]
    if work.state[SIMPLE] == 0:
        work.stack_ints[whole + TABLE_SIMPLE] = is_side_simple(work, words, new, POSITIVE)
    return total


@inlined
def keep_positive_side(work: SpaceWork, new: int) -> None:
    """Make the positive side the current cell, where it stands."""
    d, corners, sides = work.state[DIMENSION], work.state[CORNERS], work.sides
    words, kept = mask_words(work.state[PLACES]), 0
    if work.state[SIMPLE] == 0:
        work.state[SIMPLE] = is_side_simple(work, words, new, NEGATIVE)
    for w in range(words):
        kept = 0
        for v in range(corners):
            work.masks[CELL, w, kept] = work.masks[CELL, w, v]
            kept += sides[v] != NEGATIVE
        for k in range(new):
            work.masks[CELL, w, kept + k] = work.masks[CHILD, w, k]
    for c in range(d + 1):
        n = 0
        for v in range(corners):
            work.points[CELL, c, n] = work.points[CELL, c, v]
            n += sides[v] != NEGATIVE
        for k in range(new):
            work.points[CELL, c, n + k] = work.points[CHILD, c, k]
    work.state[CORNERS] = kept + new
    if words > 1:
        number_anew(work)


@kernel
def is_side_simple(work: SpaceWork, words: int, new: int, other: int) -> int:
    """1 if every corner of one side of the cell that `cut_polytope` has cut lies on d facets only.

    other : the sign of the corners that the side does not have.
    """
    d = work.state[DIMENSION]
    for v in range(work.state[CORNERS]):
        if work.sides[v] != other and count_facets(work.masks[CELL], words, v) != d:
            return 0
    for v in range(new):
        if count_facets(work.masks[CHILD], words, v) != d:
            return 0
    return 1
