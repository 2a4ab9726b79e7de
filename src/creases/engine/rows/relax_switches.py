"""Bounds of switches over a cell, by a linear relaxation of the largest of their candidates."""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT
from creases.engine.rows.pairs import end_of_switch
from creases.engine.rows.relax import drop
from creases.engine.rows.substitution import form_size
from creases.engine.state.cell_layout import (
    CELL,
)
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    IDS,
    ONE,
    ROWS,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.record import coupled, field
from creases.engine.state.row_layout import (
    ACTIVE,
    FIRST_NEURON,
    INACTIVE,
    OPEN,
    OPEN_STATUS,
    RADIUS,
    RELAXED,
    RELAXED_IN_SPACE,
    START,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    WALL,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["relax_switches"]

# Stands for the candidate of a switch that is relaxed for all, where none has been looked at.
NONE_YET = -1


@kernel
def relax_switches(
    work: AnyWork, net: int, layer: int, first: int, start: int, reach: float, corner_error: float
) -> int:
    """Decide the candidates of a layer by their relaxed rows, and relax its switches; how many candidates stay open.

    Candidates come relaxed as linear rows; `start` is the place of the layer's first, `first` the lowest layer that
    they are coupled to. Of those that are zero the first one stays; what is below another candidate is out; one that is
    alone has won. Else m, the largest of them, is a + r for any one of them, a, with r between 0 and the most that
    another exceeds a by: a is chosen so that this is least. All candidates of a switch are coupled to what is above by
    the same numbers, so the switch may be relaxed in one of them, and be nothing in the others.
    """
    rows, statuses = work.ints[field(net, layer, ROWS)], work.open_ints[OPEN_STATUS]
    begin, stay = 0, 0
    while begin < rows:
        end = end_of_switch(work, net, layer, begin)
        drop_zeros(work, net, layer, first, start, begin, end)
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
        chosen, least, left = NONE_YET, np.inf, 0
        for i in range(start + begin, start + end):
            if statuses[i] != OPEN:
                continue
            worst = 0.0
            for j in range(start + begin, start + end):
                if i != j and statuses[j] == OPEN:
                    worst = max(worst, exceeds(work, j, i, reach, corner_error))
            left += 1
            if chosen == NONE_YET or worst < least:
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
def drop_zeros(work: AnyWork, net: int, layer: int, first: int, start: int, begin: int, end: int) -> None:
    """Of the candidates begin ... end - 1 of a switch that are zero on all of the cell, all but the first are out.

    So it is with ReLU below a maximum, where no bound on floats tells zero from zero. On a wall a row may vanish that
    does not in the parent: there only activations of one neuron count, which is inactive in both, and what is zero
    everywhere.
    """
    block, stride = work.ints[field(net, layer, BLOCK)], work.ints[field(net, layer, STRIDE)]
    units, ids = work.layer_ints[layer, FIRST_NEURON], work.ints[field(net, layer, IDS)]
    has_zero = False
    for i in range(begin, end):
        q = start + i
        if work.open_ints[OPEN_STATUS, q] != OPEN or work.open_reals[RELAXED + ONE, q] != 0.0:
            continue
        if work.state[WALL] and work.twins[units + work.ints[ids + i]] == 0:
            continue
        if is_zero(work, block + i * stride, work.layer_ints[first, START], start):
            if has_zero:
                work.open_ints[OPEN_STATUS, q] = INACTIVE
                drop(work, q)
            has_zero = True


@inlined
def is_zero(work: AnyWork, at: int, begin: int, end: int) -> bool:
    """Whether the row at `at`, coupled to the open rows begin ... end - 1, is zero on all of the cell, exactly.

    What hands on nothing is inactive and has the radius zero (`relax.drop`); no other row that is inactive has.
    """
    slope, constant = form_size(work, at)
    if slope != 0.0 or constant != 0.0 or work.reals[at + ERROR_G] != 0.0 or work.reals[at + ERROR_W] != 0.0:
        return False
    column = at + coupled(work) - begin
    for q in range(begin, end):
        if work.reals[column + q] != 0.0 and (
            work.open_ints[OPEN_STATUS, q] != INACTIVE or work.open_reals[RADIUS, q] != 0.0
        ):
            return False
    return True


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
    largest = most + slack
    return largest if abs(largest) < np.inf else np.inf
