"""Dimension two: a convex polygon is cut by a line, and the pieces of the last layer are counted by its chords.

A polygon's corners run counter-clockwise; edge i, with its inward form, runs from corner i to corner i + 1. A
new corner is where an edge's line meets the cutting line (`bounds.meeting_point`): its error depends on these two
forms only and has no memory of the cuts before.
"""

from __future__ import annotations

from creases.engine.bounds import ROUND_UP, UNIT, meeting_point, sign_threshold
from creases.engine.kernel import inlined, kernel
from creases.engine.record import field
from creases.engine.scan import proved_sign
from creases.engine.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.work import (
    CELL,
    CHILD,
    CHORD_END,
    CHORD_HIGH,
    CHORD_LOW,
    CHORD_ROW,
    CORNERS,
    ERRORS,
    FIRST_NEURON,
    FORMS,
    IDS,
    INT_ONE,
    INT_ZERO,
    NEAREST,
    OPEN,
    ROWS,
    STATUS,
    THRESHOLD,
    Work,
)

__all__ = ["INFINITY_WALL", "UNPROVED_CHORDS", "count_chords", "cut_polygon", "pieces_at_infinity"]

# Columns of cell_reals for d = 2.
X, Y, ERROR, EDGE, EDGE_G, EDGE_W = 0, 1, 2, 3, 6, 7

# The edge at infinity of a whole plane is wall number 0: its id is -1.
INFINITY_WALL = -1

# What `count_chords` answers where a proof is missing.
UNPROVED_CHORDS = -1


@inlined
def cut_polygon(work: Work, net: int, layer: int, row: int, side: float) -> int:
    """Write the part of the current cell on one side of a crossing row into the child; return its corners.

    side : +1.0 or -1.0. All signs of the row at the corners are proved.
    """
    ints, reals, corners = work.ints, work.reals, work.state[CORNERS]
    rows = ints[field(net, layer, ROWS)]
    forms, errors = ints[field(net, layer, FORMS)] + row, ints[field(net, layer, ERRORS)] + row
    h0, h1, h2 = side * reals[forms], side * reals[forms + rows], side * reals[forms + 2 * rows]
    h_g, h_w = reals[errors], reals[errors + rows]
    neuron = work.layer_ints[layer, FIRST_NEURON] + ints[ints[field(net, layer, IDS)] + row]
    wanted = POSITIVE if side > 0.0 else NEGATIVE
    cell, child = work.cell_reals[CELL], work.cell_reals[CHILD]
    n = INT_ZERO
    before = proved_sign(work, row, corners - 1)
    sign = proved_sign(work, row, INT_ZERO)
    for v in range(corners):
        after = proved_sign(work, row, (v + 1) % corners)
        f0, f1, f2 = cell[v, EDGE], cell[v, EDGE + 1], cell[v, EDGE + 2]
        f_g, f_w = cell[v, EDGE_G], cell[v, EDGE_W]
        if sign == wanted or (sign == ZERO and (after == wanted or before == wanted)):
            for c in range(cell.shape[1]):
                child[n, c] = cell[v, c]
            work.cell_ints[CHILD, n, 0], work.cell_ints[CHILD, n, 1] = (
                work.cell_ints[CELL, v, 0],
                work.cell_ints[CELL, v, 1],
            )
            if sign == ZERO and after != wanted:
                set_edge(work, n, h0, h1, h2, h_g, h_w, neuron)
            n += 1
        if sign * after == -1:
            if sign == wanted:
                x, y, error = meeting_point(f0, f1, f2, f_g, f_w, h0, h1, h2, h_g, h_w)
                set_edge(work, n, h0, h1, h2, h_g, h_w, neuron)
            else:
                x, y, error = meeting_point(h0, h1, h2, h_g, h_w, f0, f1, f2, f_g, f_w)
                set_edge(work, n, f0, f1, f2, f_g, f_w, work.cell_ints[CELL, v, 0])
            child[n, X], child[n, Y], child[n, ERROR] = x, y, error
            work.cell_ints[CHILD, n, 1] = work.cell_ints[CELL, v, 0] == INFINITY_WALL
            n += 1
        before, sign = sign, after
    return n


@inlined
def set_edge(work: Work, v: int, f0: float, f1: float, f2: float, f_g: float, f_w: float, edge_id: int) -> None:
    """Give the child's corner v its edge."""
    child = work.cell_reals[CHILD]
    child[v, EDGE], child[v, EDGE + 1], child[v, EDGE + 2] = f0, f1, f2
    child[v, EDGE_G], child[v, EDGE_W] = f_g, f_w
    work.cell_ints[CHILD, v, 0] = edge_id


@kernel
def count_chords(work: Work, net: int, layer: int) -> tuple[int, int]:
    """Pieces into which the open rows of the last layer (at most MOST_CHORDS) cut the current polygon.

    No piece is built. Every open row crosses the cell with proved signs.

    A convex polygon cut by q chords, no three through one point, has 1 + q + (crossings inside) pieces, and two
    chords cross inside iff their ends alternate around the boundary. Proved here: the order of two ends on one
    edge (their places t are kept as intervals), and that no three chords that cross pairwise share a point.
    Returns the pieces and how many of them reach infinity; UNPROVED_CHORDS where a proof is missing.
    """
    chords = INT_ZERO
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] != OPEN:
            continue
        if not work.row_reals[NEAREST, i] > work.row_reals[THRESHOLD, i]:
            return UNPROVED_CHORDS, 0  # a corner lies on the line, or only just not
        work.chord_ints[chords, CHORD_ROW] = i
        place_ends(work, i, chords)
        chords += 1
    crossings = 0
    for a in range(chords):
        for b in range(a):
            answer = do_cross(work, a, b)
            if answer == UNPROVED:
                return UNPROVED_CHORDS, 0
            crossings += answer
            for c in range(b if answer == 1 else 0):
                concurrent = do_cross(work, a, c) == 1 and do_cross(work, b, c) == 1
                if concurrent and not proved_apart(work, net, layer, a, b, c):
                    return UNPROVED_CHORDS, 0
    return 1 + chords + crossings, pieces_at_infinity(work, chords)


@inlined
def place_ends(work: Work, row: int, q: int) -> None:
    """The two edges that a row crosses, in order, and where: t in [low, high] from corner to corner.

    With a = |h(v)| and b = |h(v')| of opposite signs, both known up to e, t = a / (a + b) grows with a and falls
    with b: it lies between (a - e) / (a + b) and (a + e) / (a + b); 8 u pay for rounding.
    """
    corners, e = work.state[CORNERS], work.row_reals[THRESHOLD, row]
    end = 0
    for v in range(corners):
        here = work.values_cn[v, row]
        there = work.values_cn[(v + 1) % corners, row]
        if (here > 0.0) == (there > 0.0):
            continue
        a, b = abs(here), abs(there)
        work.chord_ints[q, CHORD_END + end] = v
        work.chord_reals[q, CHORD_LOW + end] = (a - e) / (a + b) * (1.0 - 8.0 * UNIT)
        work.chord_reals[q, CHORD_HIGH + end] = (a + e) / (a + b) * (1.0 + 8.0 * UNIT)
        end += 1


@inlined
def is_beyond(work: Work, a: int, end_a: int, b: int, end_b: int) -> int:
    """1 if end_b of chord b comes after end_a of chord a around the boundary, 0 if before, UNPROVED if not known."""
    edge_a, edge_b = work.chord_ints[a, CHORD_END + end_a], work.chord_ints[b, CHORD_END + end_b]
    if edge_a != edge_b:
        return 1 if edge_b > edge_a else 0
    if work.chord_reals[b, CHORD_LOW + end_b] > work.chord_reals[a, CHORD_HIGH + end_a]:
        return 1
    if work.chord_reals[b, CHORD_HIGH + end_b] < work.chord_reals[a, CHORD_LOW + end_a]:
        return 0
    return UNPROVED


@inlined
def do_cross(work: Work, a: int, b: int) -> int:
    """1 if chords a and b cross inside the cell, 0 if not, UNPROVED if the order of two ends is not proved."""
    inside = 0
    for end in range(2):
        after_first = is_beyond(work, a, INT_ZERO, b, end)
        after_second = is_beyond(work, a, INT_ONE, b, end)
        if after_first == UNPROVED or after_second == UNPROVED:
            return UNPROVED
        inside += after_first == 1 and after_second == 0
    return 1 if inside == 1 else 0


@inlined
def proved_apart(work: Work, net: int, layer: int, a: int, b: int, c: int) -> bool:
    """True if it is proved that chord c does not pass through the point where chords a and b meet in the cell."""
    ints, reals = work.ints, work.reals
    i, j, k = work.chord_ints[a, CHORD_ROW], work.chord_ints[b, CHORD_ROW], work.chord_ints[c, CHORD_ROW]
    rows = ints[field(net, layer, ROWS)]
    forms, errors = ints[field(net, layer, FORMS)], ints[field(net, layer, ERRORS)]
    f0, f1, f2 = reals[forms + i], reals[forms + rows + i], reals[forms + 2 * rows + i]
    g0, g1, g2 = reals[forms + j], reals[forms + rows + j], reals[forms + 2 * rows + j]
    h0, h1, h2 = reals[forms + k], reals[forms + rows + k], reals[forms + 2 * rows + k]
    if f0 * g1 - f1 * g0 < 0.0:  # meeting_point wants the forms in the order that makes this positive
        g0, g1, g2 = -g0, -g1, -g2
    x, y, error = meeting_point(
        f0,
        f1,
        f2,
        reals[errors + i],
        reals[errors + rows + i],
        g0,
        g1,
        g2,
        reals[errors + j],
        reals[errors + rows + j],
    )
    reach = max(abs(x), abs(y))
    bound = sign_threshold(abs(h0) + abs(h1), abs(h2), reals[errors + k], reals[errors + rows + k], reach, error)
    return abs(h0 * x + h1 * y + h2) > bound * ROUND_UP


@inlined
def pieces_at_infinity(work: Work, chords: int) -> int:
    """How many of a cell's pieces reach infinity: none, one, or one more than the chords that end on its far edge."""
    infinite = 0
    for v in range(work.state[CORNERS]):
        if work.cell_ints[CELL, v, 0] == INFINITY_WALL:
            infinite = 1
            for q in range(chords):
                infinite += (work.chord_ints[q, CHORD_END] == v) + (work.chord_ints[q, CHORD_END + 1] == v)
            return infinite
        # One point at infinity without an edge there: parallel sides. No chord passes through a corner.
        infinite = max(infinite, work.cell_ints[CELL, v, 1])
    return infinite
