"""Bounds of switches over a cell, by a linear relaxation of the largest of their candidates."""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import by_domain, inlined
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT
from creases.engine.rows.pairs import end_of_switch
from creases.engine.rows.relax import drop
from creases.engine.state.record import field
from creases.engine.state.work import (
    ACTIVE,
    CELL,
    CORNERS,
    DIMENSION,
    INACTIVE,
    ONE,
    OPEN,
    OPEN_STATUS,
    RADIUS,
    RELAXED,
    RELAXED_IN_SPACE,
    ROWS,
    AnyWork,
    SpaceWork,
    Work,
    X,
    Y,
)

__all__ = ["relax_switches"]


@inlined
def relax_switches(work: AnyWork, net: int, layer: int, start: int, reach: float, corner_error: float) -> int:
    """Decide what the relaxed candidates of a layer decide, and relax its switches; how many candidates stay open.

    Candidates come relaxed as linear rows; `start` is the place of the layer's first. What is below another candidate
    is out; one that is alone has won. Else m, the largest of them, is a + r for any one of them, a, with r between 0
    and the most that another exceeds a by: a is chosen so that this is least. All candidates of a switch are coupled
    to what is above by the same numbers, so the switch may be relaxed in one of them, and be nothing in the others.
    """
    rows, statuses = work.ints[field(net, layer, ROWS)], work.open_ints[OPEN_STATUS]
    begin, stay = 0, 0
    while begin < rows:
        end = end_of_switch(work, net, layer, begin)
        for i in range(start + begin, start + end):
            for j in range(start + begin, start + end):
                if (
                    i != j
                    and statuses[i] == OPEN
                    and statuses[j] == OPEN
                    and exceeds(work, j, i, reach, corner_error) < 0.0
                ):
                    statuses[j] = INACTIVE
                    drop(work, j)
        chosen, least, left = -1, np.inf, 0
        for i in range(start + begin, start + end):
            if statuses[i] != OPEN:
                continue
            worst = 0.0
            for j in range(start + begin, start + end):
                if i != j and statuses[j] == OPEN:
                    worst = max(worst, exceeds(work, j, i, reach, corner_error))
            left += 1
            if chosen < 0 or worst < least:
                chosen, least = i, worst
        if left == 1:
            for i in range(start + begin, start + end):
                if statuses[i] == OPEN:
                    statuses[i] = ACTIVE
        elif left > 1:
            stay += left
            for i in range(start + begin, start + end):
                if statuses[i] == OPEN and i != chosen:
                    drop(work, i)
            one = work.open_reals[RELAXED + ONE, chosen]
            half = 0.5 * least * ROUND_UP
            more = half + 2.0 * UNIT * (abs(one) + half) + UNDERFLOW
            work.open_reals[RELAXED + ONE, chosen] = one + half if half < np.inf else one
            work.open_reals[RADIUS, chosen] = (work.open_reals[RADIUS, chosen] + more) * ROUND_UP
        begin = end
    return stay


@inlined
def exceeds_in_plane(work: Work, j: int, i: int, reach: float, corner_error: float) -> float:
    """What one relaxed row exceeds another by at most on the cell; negative if it is below it."""
    relaxed = work.open_reals
    x, y = relaxed[RELAXED, j] - relaxed[RELAXED, i], relaxed[RELAXED + 1, j] - relaxed[RELAXED + 1, i]
    one = relaxed[RELAXED + ONE, j] - relaxed[RELAXED + ONE, i]
    most = -np.inf
    for v in range(work.state[CORNERS]):
        most = max(most, x * work.cell_reals[CELL, v, X] + y * work.cell_reals[CELL, v, Y] + one)
    gradient = abs(x) + abs(y)
    return widened(work, j, i, most, gradient, gradient * reach + abs(one), corner_error, 4)


@inlined
def exceeds_in_space(work: SpaceWork, j: int, i: int, reach: float, corner_error: float) -> float:
    """What one relaxed row exceeds another by at most on the cell; negative if it is below it."""
    forms, d, corners = work.open_forms[RELAXED_IN_SPACE], work.state[DIMENSION], work.state[CORNERS]
    one = work.open_reals[RELAXED + ONE, j] - work.open_reals[RELAXED + ONE, i]
    values, gradient = work.row_values, 0.0
    for v in range(corners):
        values[v] = one
    for c in range(d):
        factor = forms[c, j] - forms[c, i]
        gradient += abs(factor)
        for v in range(corners):
            values[v] += factor * work.points[CELL, c, v]
    most = -np.inf
    for v in range(corners):
        most = max(most, values[v])
    return widened(work, j, i, most, gradient, gradient * reach + abs(one), corner_error, d + 3)


exceeds = by_domain(exceeds_in_plane, exceeds_in_space)


@inlined
def widened(
    work: AnyWork, j: int, i: int, most: float, gradient: float, size: float, corner_error: float, units: int
) -> float:
    """The largest value of a difference of relaxed rows, rounding and radii included; infinity where it is no number.

    A difference's own numbers are rounded once each, u of themselves; values at corners lose `units` u of the size.
    """
    radii = work.open_reals[RADIUS, j] + work.open_reals[RADIUS, i]
    slack = (radii + gradient * corner_error + 2.0 * (units + 1.0) * UNIT * size) * ROUND_UP + UNDERFLOW
    found = most + slack
    return found if abs(found) < np.inf else np.inf
