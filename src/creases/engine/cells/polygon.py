"""Dimension two: a convex polygon is cut by a line.

A polygon's corners run counter-clockwise; edge i, with its inward form, runs from corner i to corner i + 1. A
new corner is where an edge's line meets the cutting line (`bounds.meeting_point`): its error depends on these two
forms only and has no memory of the cuts before. Where floats know no corner (forms that are nearly parallel, or not
finite) its error is infinite, nothing is proved by it, and the oracle goes by the edges' names.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import INFINITY
from creases.engine.proof.bounds import meeting_point
from creases.engine.proof.signs import NEGATIVE, POSITIVE, ZERO
from creases.engine.rows.scan import proved_sign
from creases.engine.state.cell_layout import (
    CELL,
    CELL_COLUMNS,
    CHILD,
    CORNER_ERROR,
    EDGE,
    EDGE_G,
    EDGE_W,
)
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    ONE,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.record import field, name_of_row, neuron_of, row_at
from creases.engine.state.slots import (
    CORNERS,
    INT_ZERO,
)
from creases.engine.state.work import (
    Work,
)

__all__ = ["cut_polygon", "form", "halve_polygon"]


@inlined
def halve_polygon(work: Work, net: int, layer: int, row: int, at: int, ints_at: int) -> int:
    """Cut the current cell by a neuron's row that touches no corner: one side is the child, the other on the stack.

    at, ints_at : the place for the negative side's corners in `stack_reals` and `stack_ints`.
    The child is the positive side. Returns its number of corners; the negative side has corners + 4 less that number.
    Both sides share the two new corners: the negative side's form is the opposite one, and all that is computed
    with it is the same but for its sign.
    """
    corners = work.state[CORNERS]
    source = work.ints[field(net, layer, BLOCK)] + row * work.ints[field(net, layer, STRIDE)]
    h0, h1, h2, h_g, h_w = form(work, source)
    neuron = neuron_of(work, net, layer, row)
    up = down = INT_ZERO  # the first positive corner after a negative one, and the reverse
    before = work.values_nc[row, corners - 1] > 0.0
    for v in range(corners):
        now = work.values_nc[row, v] > 0.0
        if now != before:
            if now:
                up = v
            else:
                down = v
        before = now
    positive = down - up if down > up else down - up + corners
    last_up = up - 1 if up > 0 else corners - 1  # the edges that the line crosses begin at these corners
    last_down = down - 1 if down > 0 else corners - 1
    cell, child, stack, stack_ints = work.cell_reals[CELL], work.cell_reals[CHILD], work.stack_reals, work.stack_ints
    v = up
    for i in range(positive):
        for c in range(CELL_COLUMNS):
            child[i, c] = cell[v, c]
        for c in range(2):
            work.cell_ints[CHILD, i, c] = work.cell_ints[CELL, v, c]
        v = v + 1 if v + 1 < corners else 0
    negative = corners - positive
    for i in range(negative):
        for c in range(CELL_COLUMNS):
            stack[at + CELL_COLUMNS * i + c] = cell[v, c]
        for c in range(2):
            stack_ints[ints_at + 2 * i + c] = work.cell_ints[CELL, v, c]
        v = v + 1 if v + 1 < corners else 0
    f0, f1, f2 = cell[last_down, EDGE], cell[last_down, EDGE + 1], cell[last_down, EDGE + 2]
    f_g, f_w = cell[last_down, EDGE_G], cell[last_down, EDGE_W]
    x, y, error = meeting_point(f0, f1, f2, f_g, f_w, h0, h1, h2, h_g, h_w)
    name = work.cell_ints[CELL, last_down, 0]
    far = 1 if name == INFINITY else 0
    child[positive, X], child[positive, Y], child[positive, CORNER_ERROR] = x, y, error
    child[positive, EDGE], child[positive, EDGE + 1], child[positive, EDGE + 2] = h0, h1, h2
    child[positive, EDGE_G], child[positive, EDGE_W] = h_g, h_w
    work.cell_ints[CHILD, positive, 0], work.cell_ints[CHILD, positive, 1] = neuron, far
    place = at + CELL_COLUMNS * (negative + 1)
    stack[place + X], stack[place + Y], stack[place + CORNER_ERROR] = x, y, error
    stack[place + EDGE], stack[place + EDGE + 1], stack[place + EDGE + 2] = f0, f1, f2
    stack[place + EDGE_G], stack[place + EDGE_W] = f_g, f_w
    stack_ints[ints_at + 2 * negative + 2], stack_ints[ints_at + 2 * negative + 3] = name, far
    f0, f1, f2 = cell[last_up, EDGE], cell[last_up, EDGE + 1], cell[last_up, EDGE + 2]
    f_g, f_w = cell[last_up, EDGE_G], cell[last_up, EDGE_W]
    x, y, error = meeting_point(h0, h1, h2, h_g, h_w, f0, f1, f2, f_g, f_w)
    name = work.cell_ints[CELL, last_up, 0]
    far = 1 if name == INFINITY else 0
    child[positive + 1, X], child[positive + 1, Y], child[positive + 1, CORNER_ERROR] = x, y, error
    child[positive + 1, EDGE], child[positive + 1, EDGE + 1], child[positive + 1, EDGE + 2] = f0, f1, f2
    child[positive + 1, EDGE_G], child[positive + 1, EDGE_W] = f_g, f_w
    work.cell_ints[CHILD, positive + 1, 0], work.cell_ints[CHILD, positive + 1, 1] = name, far
    place = at + CELL_COLUMNS * negative
    stack[place + X], stack[place + Y], stack[place + CORNER_ERROR] = x, y, error
    stack[place + EDGE], stack[place + EDGE + 1], stack[place + EDGE + 2] = -h0, -h1, -h2
    stack[place + EDGE_G], stack[place + EDGE_W] = h_g, h_w
    stack_ints[ints_at + 2 * negative], stack_ints[ints_at + 2 * negative + 1] = neuron, far
    return positive + 2


@kernel
def cut_polygon(work: Work, net: int, layer: int, row: int, side: float) -> int:
    """Write the part of the current cell on one side of a crossing row into the child; return its corners.

    side : +1.0 or -1.0. All signs of the row at the corners are proved.
    """
    corners = work.state[CORNERS]
    source = row_at(work, net, layer, row)
    h0, h1, h2, h_g, h_w = form(work, source)
    h0, h1, h2 = side * h0, side * h1, side * h2
    neuron = name_of_row(work, net, layer, row)
    wanted = POSITIVE if side > 0.0 else NEGATIVE
    cell, child = work.cell_reals[CELL], work.cell_reals[CHILD]
    n = INT_ZERO
    before = proved_sign(work, row, source, corners - 1)
    sign = proved_sign(work, row, source, INT_ZERO)
    for v in range(corners):
        after = proved_sign(work, row, source, (v + 1) % corners)
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
            child[n, X], child[n, Y], child[n, CORNER_ERROR] = x, y, error
            work.cell_ints[CHILD, n, 1] = work.cell_ints[CELL, v, 0] == INFINITY
            n += 1
        before, sign = sign, after
    return n


@inlined
def form(work: Work, at: int) -> tuple[float, float, float, float, float]:
    """The form and the bounds of the row at `at` in `reals`."""
    reals = work.reals
    return reals[at + X], reals[at + Y], reals[at + ONE], reals[at + ERROR_G], reals[at + ERROR_W]


@inlined
def set_edge(work: Work, v: int, f0: float, f1: float, f2: float, f_g: float, f_w: float, edge_id: int) -> None:
    """Give the child's corner v its edge."""
    child = work.cell_reals[CHILD]
    child[v, EDGE], child[v, EDGE + 1], child[v, EDGE + 2] = f0, f1, f2
    child[v, EDGE_G], child[v, EDGE_W] = f_g, f_w
    work.cell_ints[CHILD, v, 0] = edge_id
