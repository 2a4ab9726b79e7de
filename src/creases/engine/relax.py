"""Bounds of open neurons over a cell, by a linear relaxation.

Each neuron gets a linear form Z and a radius R with |z* - Z| <= R on the cell, z* being its true pre-activation;
what keeps one sign by that is stable. An undecided neuron below is replaced by the band between two parallel lines,
as neural-network verifiers do (Wong and Kolter 2018; Singh et al. 2018).
"""

from __future__ import annotations

import numpy as np

from creases.engine.bounds import ROUND_UP, UNDERFLOW, UNIT, gamma
from creases.engine.kernel import inlined
from creases.engine.record import field
from creases.engine.work import (
    ACTIVE,
    ACTIVE_ROW,
    ACTIVE_START,
    BLOCK,
    CELL,
    CORNERS,
    COUPLED,
    ERROR_G,
    ERROR_W,
    INACTIVE,
    ONE,
    OPEN,
    OPEN_ROW,
    OPEN_START,
    OPEN_STATUS,
    ROWS,
    START,
    STRIDE,
    Work,
    X,
    Y,
)

__all__ = ["relax_affine", "relax_layer"]

# Column of relaxed_m4: the radius, behind the three numbers of the linear part.
RADIUS = 3


@inlined
def relax_layer(work: Work, net: int, layer: int, first: int, reach: float, corner_error: float) -> int:
    """Bound all rows of a layer over the current cell: their statuses and relaxations; returns how many stay open.

    first : the lowest layer that the rows are coupled to. The layers from there on are relaxed already.
    """
    ints, layers = work.ints, work.layer_ints
    rows, block, stride = ints[field(net, layer, ROWS)], ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    begin, start = layers[first, START], layers[layer, START]
    stay = 0
    for i in range(rows):
        at = block + i * stride
        x, y, one, radius = combine(work, at, begin, layer, first, reach)
        status = bound(work, start + i, x, y, one, radius, reach, corner_error, start - begin)
        work.open_ints[OPEN_STATUS, start + i] = status
        stay += status == OPEN
    return stay


@inlined
def combine(work: Work, at: int, begin: int, layer: int, first: int, reach: float) -> tuple[float, float, float, float]:
    """Linear part and radius of the row at `at` from those of the layers below.

    The radius takes up |coupling| times the radii below, the row's own bounds, and the rounding of the sums.
    """
    reals, open_ints, relaxed, layers = work.reals, work.open_ints, work.relaxed_m4, work.layer_ints
    x, y, one = reals[at + X], reals[at + Y], reals[at + ONE]
    rounding = gamma(layers[layer, START] - begin + 4)
    radius = reals[at + ERROR_G] * reach + reals[at + ERROR_W]
    radius += rounding * ((abs(x) + abs(y)) * reach + abs(one))
    column = at + COUPLED - begin
    for j in range(layers[first, OPEN_START], layers[layer, OPEN_START]):
        q = open_ints[OPEN_ROW, j]
        factor = reals[column + q]
        x += factor * relaxed[q, X]
        y += factor * relaxed[q, Y]
        one += factor * relaxed[q, ONE]
        radius += abs(factor) * relaxed[q, RADIUS]
    for j in range(layers[first, ACTIVE_START], layers[layer, ACTIVE_START]):
        q = open_ints[ACTIVE_ROW, j]
        factor = reals[column + q]
        x += factor * relaxed[q, X]
        y += factor * relaxed[q, Y]
        one += factor * relaxed[q, ONE]
        radius += abs(factor) * relaxed[q, RADIUS]
    return x, y, one, radius * ROUND_UP + UNDERFLOW


@inlined
def bound(
    work: Work,
    q: int,
    x: float,
    y: float,
    one: float,
    radius: float,
    reach: float,
    corner_error: float,
    terms: int,
) -> int:
    """Status of an open row from its linear part and radius over the cell; its relaxation, unless it is inactive.

    The linear part is evaluated at the computed corners; corner errors and the rounding of the evaluation
    (4 u of the sizes, as in `bounds.sign_threshold`; 8 u to cover the rounding of the bounds) widen the radius.
    """
    low = high = 0.0
    for v in range(work.state[CORNERS]):
        value = x * work.cell_reals[CELL, v, X] + y * work.cell_reals[CELL, v, Y] + one
        low = min(value, low) if v else value
        high = max(value, high) if v else value
    gradient = abs(x) + abs(y)
    size = gradient * reach + abs(one)
    slack = (radius + gradient * corner_error + 8.0 * UNIT * size) * ROUND_UP + UNDERFLOW
    low, high = low - slack, high + slack
    # A NaN or an infinity proves nothing: such a row stays open.
    if low > 0.0 and high < 1e300:
        status = ACTIVE
    elif high < 0.0 and low > -1e300:
        return INACTIVE
    else:
        status = OPEN
    set_relaxed(work, q, status, x, y, one, radius, low, high, reach, terms)
    return status


@inlined
def relax_affine(work: Work, q: int, status: int, at: int, low: float, high: float, reach: float, own: bool) -> None:
    """The relaxation of a row that is affine on the cell and was scanned: its form, up to its bounds.

    at : where its row stands in `reals`, or in `temporary` (own False).
    low, high : bounds of its values on the cell.
    """
    source = work.reals if own else work.temporary
    radius = (source[at + ERROR_G] * reach + source[at + ERROR_W]) * ROUND_UP
    set_relaxed(work, q, status, source[at + X], source[at + Y], source[at + ONE], radius, low, high, reach, 0)


@inlined
def set_relaxed(
    work: Work,
    q: int,
    status: int,
    x: float,
    y: float,
    one: float,
    radius: float,
    low: float,
    high: float,
    reach: float,
    terms: int,
) -> None:
    """Turn the linear part Z and radius R of neuron q into those of relu(q), rounding included.

    A neuron z with lo <= z <= hi, lo < 0 < hi, has s z <= relu(z) <= s z + t for any s in [0, 1] and
    t = max(-s lo, (1 - s) hi): relu(z) - s z is convex, so it is largest at an end, and smallest (0) at z = 0.
    So relu(z) = s Z + t / 2 up to s R + t / 2, where z = Z up to R. The last coordinate is 1 all over the cell.

    The factor s and the products s Z are rounded, a relative 2 u at most of s |Z|; gamma(terms + 6) also pays for
    the sums of the layer above, which see the result as a factor (`combine`).
    """
    slope, lift = 1.0, 0.0
    if status == OPEN:
        slope = 1.0 if low >= 0.0 else (0.0 if high <= 0.0 else high / (high - low))
        if not 0.0 <= slope <= 1.0:
            slope = 0.0
        lift = max(-slope * low, (1.0 - slope) * high, 0.0) * ROUND_UP
        if not lift < 1e300:
            slope, lift = 0.0, np.inf  # what reaches no proof here reaches none above
    x, y, one = slope * x, slope * y, slope * one
    size = (abs(x) + abs(y)) * reach + abs(one)
    rounding = gamma(work.relaxed_m4.shape[0] + terms + 8)
    relaxed = work.relaxed_m4
    relaxed[q, X], relaxed[q, Y], relaxed[q, ONE] = x, y, one + 0.5 * lift
    relaxed[q, RADIUS] = (slope * radius + 0.5 * lift + rounding * (size + lift)) * ROUND_UP + UNDERFLOW
