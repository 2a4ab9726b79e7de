"""Bounds of all open neurons over a cell, by a linear relaxation: the first step of localising.

Layer by layer, each neuron gets a linear form Z and a radius R with |z* - Z| <= R on the cell, z* being its true
pre-activation; what keeps one sign by that is stable. An undecided neuron below is replaced by the band between two
parallel lines, as neural-network verifiers do (Wong and Kolter 2018; Singh et al. 2018).
"""

from __future__ import annotations

import numpy as np

from creases.engine.bounds import ROUND_UP, UNDERFLOW, UNIT, gamma
from creases.engine.kernel import inlined
from creases.engine.record import field
from creases.engine.work import (
    ACTIVE,
    CELL,
    CORNERS,
    COUPLING,
    DEPTH,
    DIMENSION,
    ERRORS,
    FIRST,
    FORMS,
    HIGH,
    INACTIVE,
    INT_ZERO,
    LOW,
    LOWEST,
    OPEN,
    OPEN_STATUS,
    ROWS,
    START,
    STATUS,
    THRESHOLD,
    Work,
)

__all__ = ["relax"]

# A layer of more than this many rows of which more than STUBBORN stay open says that the cell is still large:
# the layers above are not looked at. Sound, only looser.
FEW_ROWS = 8
STUBBORN = 0.9


@inlined
def relax(work: Work, net: int, reach: float, corner_error: float) -> int:
    """Bound all open neurons over the current cell, layer by layer; return the first layer not looked at.

    A neuron z with lo <= z <= hi, lo < 0 < hi, has s z <= relu(z) <= s z + t for any s in [0, 1] and
    t = max(-s lo, (1 - s) hi): relu(z) - s z is convex, so it is largest at an end, and smallest (0) at z = 0.
    So relu(z) = s Z + t / 2 up to s R + t / 2, where z = Z up to R. The last coordinate is 1 all over the cell.
    """
    state, ints = work.state, work.ints
    lowest, depth = ints[net + LOWEST], state[DEPTH]
    layers = work.layer_ints
    layers[lowest, START] = 0
    for layer in range(lowest, depth):
        layers[layer + 1, START] = layers[layer, START] + ints[field(net, layer, ROWS)]
    relax_lowest(work, net, lowest, reach)
    for layer in range(lowest + 1, depth):
        start, rows = layers[layer, START], ints[field(net, layer, ROWS)]
        terms = combine(work, net, layer, reach)
        stay = bound_rows(work, start, rows, reach, corner_error, terms)
        if rows > FEW_ROWS and stay > STUBBORN * rows:
            work.open_ints[OPEN_STATUS, start : layers[depth, START]] = OPEN
            return layer
    return depth


@inlined
def relax_lowest(work: Work, net: int, lowest: int, reach: float) -> None:
    """The rows of the lowest layer are affine on the cell: their forms, and the statuses of the scan."""
    ints, reals, d = work.ints, work.reals, work.state[DIMENSION]
    rows = ints[field(net, lowest, ROWS)]
    forms, errors = ints[field(net, lowest, FORMS)], ints[field(net, lowest, ERRORS)]
    for i in range(rows):
        status = work.row_ints[STATUS, i]
        work.open_ints[OPEN_STATUS, i] = status
        if status == INACTIVE:
            continue
        for c in range(d + 1):
            work.relaxed_km[c, i] = reals[forms + c * rows + i]
        radius = (reals[errors + i] * reach + reals[errors + rows + i]) * ROUND_UP
        low = work.row_reals[LOW, i] - work.row_reals[THRESHOLD, i]
        high = work.row_reals[HIGH, i] + work.row_reals[THRESHOLD, i]
        set_relaxed(work, i, status, low, high, radius, reach, INT_ZERO)


@inlined
def combine(work: Work, net: int, layer: int, reach: float) -> int:
    """Linear part and radius of the rows of a layer from those of the layers below; returns how many terms.

    The radius takes up |coupling| times the radii below, the row's own bounds, and the rounding of the sums.
    """
    ints, reals, d = work.ints, work.reals, work.state[DIMENSION]
    rows, start = ints[field(net, layer, ROWS)], work.layer_ints[layer, START]
    first = max(ints[field(net, layer, FIRST)], ints[net + LOWEST])
    forms, errors = ints[field(net, layer, FORMS)], ints[field(net, layer, ERRORS)]
    coupling = ints[field(net, layer, COUPLING)]
    begin, end = work.layer_ints[first, START], start
    terms = end - begin
    rounding = gamma(terms + 4)
    radius = work.relaxed_km[d + 1, start : start + rows]
    radius[:] = 0.0
    for c in range(d + 1):
        given = reals[forms + c * rows : forms + (c + 1) * rows]
        linear = work.relaxed_km[c, start : start + rows]
        largest = reach if c < d else 1.0
        for i in range(rows):
            linear[i] = given[i]
            radius[i] += rounding * largest * abs(given[i])
    for q in range(begin, end):
        if work.open_ints[OPEN_STATUS, q] == INACTIVE:
            continue
        column = reals[coupling + (q - begin) * rows : coupling + (q - begin + 1) * rows]
        for c in range(d + 1):
            factor = work.relaxed_km[c, q]
            linear = work.relaxed_km[c, start : start + rows]
            for i in range(rows):
                linear[i] += column[i] * factor
        below = work.relaxed_km[d + 1, q]
        for i in range(rows):
            radius[i] += abs(column[i]) * below
    for i in range(rows):
        radius[i] = (radius[i] + reals[errors + i] * reach + reals[errors + rows + i]) * ROUND_UP + UNDERFLOW
    return terms


@inlined
def bound_rows(work: Work, start: int, rows: int, reach: float, corner_error: float, terms: int) -> int:
    """Lower and upper bounds of a layer's rows over the cell, their statuses, their relaxation; count the open.

    The linear part is evaluated at the computed corners; corner errors and the rounding of the evaluation
    (4 u of the sizes, as in `bounds.sign_threshold`; 8 u to cover the rounding of the bounds) widen the radius.
    """
    d, corners = work.state[DIMENSION], work.state[CORNERS]
    low_n, high_n = work.row_reals[LOW], work.row_reals[HIGH]
    for v in range(corners):
        x = work.cell_reals[CELL, v, 0]
        y = work.cell_reals[CELL, v, d - 1]
        for i in range(rows):
            value = work.relaxed_km[0, start + i] * x + work.relaxed_km[d, start + i]
            if d == 2:
                value += work.relaxed_km[1, start + i] * y
            low_n[i] = min(value, low_n[i]) if v else value
            high_n[i] = max(value, high_n[i]) if v else value
    stay = 0
    for i in range(rows):
        gradient = 0.0
        for c in range(d):
            gradient += abs(work.relaxed_km[c, start + i])
        size = gradient * reach + abs(work.relaxed_km[d, start + i])
        radius = work.relaxed_km[d + 1, start + i]
        slack = (radius + gradient * corner_error + 8.0 * UNIT * size) * ROUND_UP + UNDERFLOW
        low, high = low_n[i] - slack, high_n[i] + slack
        # A NaN or an infinity proves nothing: such a row stays open.
        if low > 0.0 and high < 1e300:
            status = ACTIVE
        elif high < 0.0 and low > -1e300:
            status = INACTIVE
        else:
            status = OPEN
            stay += 1
        work.open_ints[OPEN_STATUS, start + i] = status
        if status != INACTIVE:
            set_relaxed(work, start + i, status, low, high, radius, reach, terms)
    return stay


@inlined
def set_relaxed(
    work: Work, q: int, status: int, low: float, high: float, radius: float, reach: float, terms: int
) -> None:
    """Turn the linear part Z and radius R of neuron q into those of relu(q), rounding included.

    The factor s and the products s Z are rounded, a relative 2 u at most of s |Z|; gamma(terms + 6) also pays for
    the sums of the layer above, which see the result as a factor (`combine`).
    """
    d = work.state[DIMENSION]
    slope, lift = 1.0, 0.0
    if status == OPEN:
        slope = 1.0 if low >= 0.0 else (0.0 if high <= 0.0 else high / (high - low))
        if not 0.0 <= slope <= 1.0:
            slope = 0.0
        lift = max(-slope * low, (1.0 - slope) * high, 0.0) * ROUND_UP
        if not lift < 1e300:
            slope, lift = 0.0, np.inf  # what reaches no proof here reaches none above
    size = 0.0
    for c in range(d + 1):
        value = slope * work.relaxed_km[c, q]
        work.relaxed_km[c, q] = value
        size += abs(value) * (reach if c < d else 1.0)
    work.relaxed_km[d, q] += 0.5 * lift
    rounding = gamma(work.relaxed_km.shape[1] + terms + 8)
    work.relaxed_km[d + 1, q] = (slope * radius + 0.5 * lift + rounding * (size + lift)) * ROUND_UP + UNDERFLOW
