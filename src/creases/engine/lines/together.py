"""Many lines through one network, swept together, with one product for the first layer.

Everything that does not depend on the line (couplings, norms, memory) is prepared once. The first layer on a line takes
two products of a matrix with a vector; for many lines together these are one product of two matrices, which is several
times as fast. Their bounds: the error of the inner product of w and x, added in any order, is at most gamma(n) sum
|w_i| |x_i| <= gamma(n) |w| |x| (Cauchy-Schwarz), the norms rounded up. Squares that underflow lose at most n 2^-1074 of
a squared norm, which 2^-500 on the norm covers for n < 2^70. A line on which something is not proved is counted by
cutting cells (`tally`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.lines.blas import one_thread
from creases.engine.lines.sweep import sweep
from creases.engine.lines.table import (
    AT,
    BIASES,
    COLUMNS,
    LOWER,
    LOWER_ARRAYS,
    MOST_BIAS,
    MOST_ROWS,
    NEURONS,
    PASSED,
    PLAN_COLUMNS,
    UNPROVED_SWEEP,
    WHOLE,
    ints_of_sweep,
    reals_of_sweep,
    room,
)
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import PROOFS, ROUND_UP, UNIT, flushes_to_zero

__all__ = ["Swept", "lines_together", "prepared", "sweep_together"]

# Means that no list of flips is needed.
NO_FLIPS = np.empty(0, np.int64)
# Less than the exponent of any float.
LEAST_EXPONENT = -(2**40)
# The largest number of lines counted together, whose points fit into the second-level cache.
MOST_TOGETHER = 64
# The approximate number of multiplications in a block of lines, which takes some tenths of a second, after which Ctrl-C
# is handled. A line that takes more than the second number is cut instead, which can be interrupted and distributed.
BLOCK_WORK, LINE_WORK = 10**9, 10**10


class Swept(NamedTuple):
    """The common data of all lines of one network: arrays for `sweep`.

    weight : float64 (n, n_in), the first layer's. first_an : see BIAS.
    reals, ints, plan : the tables of `sweep`, with biases and couplings in place, for one line at a time.
    rows : for each layer, the neurons that are swept (`scaled_layers`).
    """

    weight: Floats
    first_an: Floats
    reals: Floats
    ints: Ints
    plan: Ints
    rows: list[Ints]


def prepared(weights: Sequence[Floats], biases: Sequence[Floats]) -> Swept:
    """The common data of the lines of a network."""
    layers = list(scaled_layers(weights, biases))
    rows = [len(bias) for _, bias, _ in layers]
    plan = np.zeros((len(rows), PLAN_COLUMNS), np.int64)
    at = whole = 0
    for layer, (lows, ups) in enumerate(zip(rows, [*rows[1:], 0], strict=True)):
        plan[layer, [NEURONS, AT, WHOLE, PASSED]] = lows, at, whole, UNPROVED_SWEEP
        at, whole = at + reals_of_sweep(lows, ups), whole + ints_of_sweep(lows, ups)
    for layer, (lows, ups) in enumerate(pairwise(rows)):
        plan[layer, COLUMNS] = at
        at += lows * room(ups)
    reals, ints = aligned(at), np.zeros(whole, np.int64)
    for (lows, place, _, columns), (weight, bias, _) in zip(plan[:-1, :4].tolist(), layers[1:], strict=True):
        ups, wide = len(bias), room(len(bias))
        upper = place + LOWER + LOWER_ARRAYS * room(lows + 3) + BIASES * wide
        reals[upper : upper + ups] = bias
        reals[place + MOST_BIAS] = np.abs(bias).max(initial=0.0)
        reals[columns : columns + lows * wide].reshape(lows, wide)[:, :ups] = weight.T
    weight, bias, _ = layers[0]
    with np.errstate(over="ignore", under="ignore"):
        rounding = (weight.shape[1] + 4) * UNIT * ROUND_UP
        norms = np.sqrt(np.einsum("nm,nm->n", weight, weight)) * ROUND_UP + 2.0**-500
        first = np.array([bias, rounding * norms, rounding * np.abs(bias)])
    return Swept(weight, first, reals, ints, plan, [kept for _, _, kept in layers])


def scaled_layers(weights: Sequence[Floats], biases: Sequence[Floats]) -> Iterator[tuple[Floats, Floats, Ints]]:
    """The layers, with rows above the first layer multiplied so that the norm of their couplings is at most one;
    columns are divided accordingly.

    A multiplier is a power of two, which is exact, times a factor near one, which adds an error of at most two units to
    a coupling (from its row and its column) and one to a bias. Rows that are never active and cut nothing are left out:
    those without couplings whose bias is not positive, or which have no layer above. The third item is the list of kept
    rows.
    """
    columns = np.arange(weights[0].shape[1])
    exponents, factors = np.zeros(len(columns), np.int64), np.ones(len(columns))
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        weight = weight[:, columns]
        coupled = np.asarray(weight.any(axis=1))
        kept = coupled | ((bias > 0) & (layer + 1 < len(weights)))
        weight, bias, coupled, columns = weight[kept], bias[kept], coupled[kept], np.flatnonzero(kept)
        below, divisors = exponents, factors
        exponents, factors = np.zeros(len(bias), np.int64), np.ones(len(bias))
        if layer:
            sizes = np.where(weight != 0, np.frexp(weight)[1] - below, LEAST_EXPONENT)
            exponents[coupled] = -sizes.max(axis=1, initial=LEAST_EXPONENT)[coupled]
            with np.errstate(over="ignore", under="ignore"):
                weight, bias = np.ldexp(weight, exponents[:, None] - below) / divisors, np.ldexp(bias, exponents)
                # A row's largest entry is now near one: the norm is computed without underflow, and the factor is at
                # most two.
                factors[coupled] = 1.0 / (np.linalg.norm(weight[coupled], axis=1) * ROUND_UP)
                # A bias near the largest float may become infinite; then so does its bound, and the line is cut.
                weight, bias = weight * factors[:, None], bias * factors
        yield weight, bias, columns


def lines_together(widths: Sequence[int]) -> int:
    """The number of lines to sweep together through a network with these hidden widths; 0 if none may be swept.

    A single line may be too expensive: on each piece of the layers below a pair, about one per neuron, the upper rows
    are computed once. A layer may have more rows than a sweep can count changes for. And if proofs are switched off,
    for a benchmark, nothing may be called certified, so lines are cut.
    """
    work, pieces = 0, 1
    for lows, ups in pairwise(widths):
        work += pieces * lows * ups
        pieces += lows
    if work > LINE_WORK or max(widths) > MOST_ROWS or not PROOFS:
        return 0
    return max(1, min(MOST_TOGETHER, BLOCK_WORK // max(work, 1)))


def aligned(count: int) -> Floats:
    """Zeros that begin at a boundary of the processor's cache lines."""
    array = np.zeros(count + 8)
    skip = -array.ctypes.data % 64 // 8
    return array[skip : skip + count]


def sweep_together(
    shared: Swept, origins: Floats, directions: Floats, ends: Floats, flips: Ints = NO_FLIPS
) -> NDArray[np.int64]:
    """The regions of each line after each hidden layer, int64 (l, depth); UNPROVED_SWEEP if they are not proved.

    origins, directions : float64 (l, n_in), the lines t -> origin + t (direction + tail), |tail| <= u |direction|
    entry by entry. ends : float64 (l, 2), the first and the last t, which may be infinite. flips : as for `sweep`.
    """
    regions = np.full((len(ends), len(shared.plan)), UNPROVED_SWEEP, np.int64)
    if not flushes_to_zero(2.0**-1022):  # cutting cells raises the error that says what to do
        products = first_products(shared, origins, directions)
        sweep(shared.reals, shared.ints, shared.plan, shared.first_an, *products, ends, regions, flips)
    return regions


def first_products(shared: Swept, origins: Floats, directions: Floats) -> tuple[Floats, Floats, Floats]:
    """Products of the first layer's weights with origins and directions, and bounds of these vectors' norms."""
    with one_thread(), np.errstate(over="ignore", invalid="ignore", under="ignore"):
        constants, slopes = origins @ shared.weight.T, directions @ shared.weight.T
        squares = np.array([np.einsum("ln,ln->l", points, points) for points in (origins, directions)])
        return constants, slopes, np.sqrt(squares) * ROUND_UP + 2.0**-500
