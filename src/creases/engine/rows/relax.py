"""Bounds of open neurons over a cell, by a linear relaxation.

Each neuron gets a linear form Z and a radius R with |z* - Z| <= R on the cell, z* being its true pre-activation;
what keeps one sign by that is stable. An undecided neuron below is replaced by the band between two parallel lines,
as neural-network verifiers do (Wong and Kolter 2018; Singh et al. 2018).

A radius is a sum of numbers that are not negative, so its own rounding is relative and ROUND_UP pays for it; low and
high are compared with 0 only, and a difference is rounded to a positive float only if it is positive. A row whose size
overflows has a slack that is infinite or NaN, and stays open; so does all that is coupled to it, even by zero.
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, reordered
from creases.engine.problem import Floats
from creases.engine.proof.bounds import LARGEST_PROVED, ROUND_UP, UNDERFLOW, UNIT, gamma
from creases.engine.rows.rows_in_space import drop_in_space, relax_affine_in_space, relax_row_in_space
from creases.engine.rows.slopes import band_of, is_dropped, slope_of
from creases.engine.state.cell_layout import (
    CELL,
)
from creases.engine.state.network_layout import (
    BLOCK,
    COUPLED,
    ERROR_G,
    ERROR_W,
    IDS,
    ONE,
    ROWS,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.record import field
from creases.engine.state.row_layout import (
    ACTIVE,
    FIRST_NEURON,
    INACTIVE,
    KIND_OF_LAYER,
    OPEN,
    OPEN_STATUS,
    RADIUS,
    RELAXED,
    START,
    SWITCH_LAYER,
)
from creases.engine.state.slots import (
    CORNERS,
    PLAIN_CHAIN,
)
from creases.engine.state.work import (
    AnyWork,
    Work,
)

__all__ = ["drop", "relax_affine", "relax_layer"]


@inlined
def relax_layer(work: AnyWork, net: int, layer: int, first: int, reach: float, corner_error: float) -> int:
    """Bound all rows of a layer over the current cell: their statuses and relaxations; returns how many stay open.

    Candidates of switches stay open, as linear rows (`switches.relax_switches`).
    first : the lowest layer that the rows are coupled to. The layers from there on are relaxed already.
    """
    ints, layers = work.ints, work.layer_ints
    rows, at, stride = ints[field(net, layer, ROWS)], ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    begin, start = layers[first, START], layers[layer, START]
    ids, neurons, stay = ints[field(net, layer, IDS)], layers[layer, FIRST_NEURON], 0
    candidates = layers[layer, KIND_OF_LAYER] == SWITCH_LAYER
    for i in range(rows):
        status = relax_row(work, at, begin, start, i, neurons + ints[ids + i], candidates, reach, corner_error)
        work.open_ints[OPEN_STATUS, start + i] = status
        stay += status == OPEN
        at += stride
    return stay


@inlined
def relax_row_in_plane(
    work: Work,
    at: int,
    begin: int,
    start: int,
    i: int,
    neuron: int,
    candidate: bool,
    reach: float,
    corner_error: float,
) -> int:
    """Status of row i of a layer, at `at`, over the current cell; its relaxation, unless it hands on nothing.

    begin, start : places of the layer's first column and first row in the list of open rows.
    """
    reals = work.reals
    x, y, one = reals[at + X], reals[at + Y], reals[at + ONE]
    radius = reals[at + ERROR_G] * reach + reals[at + ERROR_W]
    radius += gamma(start - begin + 4) * ((abs(x) + abs(y)) * reach + abs(one))
    more_x, more_y, more_one, more_radius = combine(reals, work.open_reals, at + COUPLED, begin, start)
    radius = (radius + more_radius) * ROUND_UP + UNDERFLOW
    x, y, one = x + more_x, y + more_y, one + more_one
    return bound(work, start + i, neuron, candidate, x, y, one, radius, reach, corner_error, start - begin)


relax_row = by_domain(relax_row_in_plane, relax_row_in_space)


@reordered
def combine(reals: Floats, open_reals: Floats, at: int, begin: int, end: int) -> tuple[float, float, float, float]:
    """Sum over open rows q = begin ... end - 1 of coupling (at + q - begin) times relaxation, |coupling| times radius.

    What the sums lose is paid for by gamma (`relax_layer`, `set_relaxed`), in whatever order they are added.
    """
    x = y = one = radius = 0.0
    for q in range(begin, end):
        factor = reals[at - begin + q]
        x += factor * open_reals[RELAXED, q]
        y += factor * open_reals[RELAXED + 1, q]
        one += factor * open_reals[RELAXED + 2, q]
        radius += abs(factor) * open_reals[RADIUS, q]
    return x, y, one, radius


@inlined
def bound(
    work: Work,
    q: int,
    neuron: int,
    candidate: bool,
    x: float,
    y: float,
    one: float,
    radius: float,
    reach: float,
    corner_error: float,
    terms: int,
) -> int:
    """Status of an open row from its linear part and radius over the cell; its relaxation, unless it hands on nothing.

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
    if candidate or (low > 0.0 and high < LARGEST_PROVED):  # a candidate is relaxed as a linear row, which is active
        status = ACTIVE
    elif high < 0.0 and low > -LARGEST_PROVED:
        status = INACTIVE
    else:
        status = OPEN
    if is_dropped(work, work.state[PLAIN_CHAIN], neuron, status):
        drop_in_plane(work, q)
    else:
        set_relaxed(work, q, neuron, status, x, y, one, radius, low, high, reach, terms)
    return OPEN if candidate else status


@inlined
def drop_in_plane(work: Work, q: int) -> None:
    """Row q hands on nothing on the cell."""
    for c in range(RELAXED, RADIUS + 1):
        work.open_reals[c, q] = 0.0


drop = by_domain(drop_in_plane, drop_in_space)


@inlined
def relax_affine_in_plane(
    work: Work, q: int, neuron: int, status: int, at: int, low: float, high: float, reach: float
) -> None:
    """The relaxation of a row that is affine on the cell and was scanned: its form, up to its bounds.

    at : where its row stands in `reals`. low, high : bounds of its values on the cell.
    """
    reals = work.reals
    radius = (reals[at + ERROR_G] * reach + reals[at + ERROR_W]) * ROUND_UP
    set_relaxed(work, q, neuron, status, reals[at + X], reals[at + Y], reals[at + ONE], radius, low, high, reach, 0)


relax_affine = by_domain(relax_affine_in_plane, relax_affine_in_space)


@inlined
def set_relaxed(
    work: Work,
    q: int,
    neuron: int,
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
    """Turn the linear part Z and radius R of neuron q into those of its activation, rounding included.

    A neuron z with lo <= z <= hi has kink(z) = s z + m up to h (`band`), so kink(z) = s Z + m up to |s| R + h, where
    z = Z up to R; one whose sign is known has m = h = 0. The last coordinate is 1 all over the cell.

    The factor s and the products s Z are rounded, a relative 2 u at most of s |Z|; gamma(terms + 8) also pays for
    the sums of the layer above, which see the result as a factor (`combine`).
    """
    middle = half = 0.0
    if status == OPEN:
        slope, middle, half = band_of(work, neuron, low, high)
    else:
        slope = 1.0 if work.state[PLAIN_CHAIN] else slope_of(work, neuron, status)
    x, y, one = slope * x, slope * y, slope * one
    size = (abs(x) + abs(y)) * reach + abs(one)
    rounding = gamma(work.open_reals.shape[1] + terms + 8)
    relaxed = work.open_reals
    relaxed[RELAXED, q], relaxed[RELAXED + 1, q], relaxed[RELAXED + 2, q] = x, y, one + middle
    relaxed[RADIUS, q] = (abs(slope) * radius + half + rounding * (size + abs(middle) + half)) * ROUND_UP + UNDERFLOW
