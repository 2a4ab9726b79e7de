"""Many lines through one network of one or two hidden layers: swept together, the first layer by one product.

What does not depend on the line (couplings, norms, room) is made once. A line's first layer costs two products of a
matrix with a vector; those of many lines together are one product of two matrices, several times as fast. Their bounds:
the inner product of w and x, added in any order, errs by at most gamma(n) sum |w_i| |x_i| <= gamma(n) |w| |x|
(Cauchy-Schwarz), the norms rounded up. Squares that underflow lose at most n 2^-1074 of a squared norm, which 2^-500
on the norm pays for while n < 2^70.

A line on which something is not proved is left to the ordinary way (`tally`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.blas import one_thread
from creases.engine.bounds import ROUND_UP, UNDERFLOW, UNIT, flushes_to_zero
from creases.engine.kernel import inlined, kernel
from creases.engine.sweep import sweep
from creases.engine.table import (
    CONSTANT_ERRORS,
    CONSTANTS,
    LEFT,
    LOWER,
    LOWER_ARRAYS,
    OWN_CONSTANT,
    OWN_CONSTANT_ERROR,
    RIGHT,
    SLOPE_ERRORS,
    SLOPES,
    UNPROVED_SWEEP,
    UPPER_CONSTANTS,
    ints_of_sweep,
    reals_of_sweep,
    room,
)
from creases.engine.work import Floats, Ints

__all__ = ["BLOCK", "MOST_LAYERS", "Swept", "prepared", "sweep_together"]

# Networks with more hidden layers are cut.
MOST_LAYERS = 2
# Lines that are counted together: their points fit the second-level cache, and the time is short for Ctrl-C.
BLOCK = 64

# Rows of `Swept.first_an`: of each first-layer row the bias, and the bounds of norm and |bias| times gamma.
BIAS, NORM_BOUND, BIAS_BOUND = 0, 1, 2


class Swept(NamedTuple):
    """What the lines of one network share: arrays for `sweep_lines`.

    weight : float64 (n, n_in), the first layer's. first_an : see BIAS.
    reals, ints : a table of `sweep` with the upper rows in place; it holds one line at a time.
    sizes : lower and upper rows. layers : hidden layers.
    """

    weight: Floats
    first_an: Floats
    reals: Floats
    ints: Ints
    sizes: tuple[int, int]
    layers: int


def prepared(weights: Sequence[Floats], biases: Sequence[Floats]) -> Swept:
    """What the lines of a network with one or two hidden layers share."""
    weight, bias = weights[0], biases[0]
    lows, n_in = weight.shape
    rounding = (n_in + 4) * UNIT * ROUND_UP
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        norms = np.sqrt(np.einsum("nm,nm->n", weight, weight)) * ROUND_UP + 2.0**-500
        first = np.array([bias, rounding * norms, rounding * np.abs(bias)])
        coupling, own = np.zeros((0, lows)), np.zeros(0)
        if len(weights) > 1:
            largest = np.abs(weights[1]).max(axis=1)
            # A row without couplings is constant: it cuts nothing.
            kept = largest > 0
            inverse = 1.0 / largest[kept]
            coupling, own = weights[1][kept] * inverse[:, None], biases[1][kept] * inverse
    ups = len(own)
    columns, wide = reals_of_sweep(lows, ups), room(ups)
    reals, ints = aligned(columns + lows * wide), np.zeros(ints_of_sweep(lows, ups), np.int64)
    upper = LOWER + LOWER_ARRAYS * room(lows + 3) + UPPER_CONSTANTS * wide
    reals[upper : upper + ups] = own
    reals[columns:].reshape(lows, wide)[:, :ups] = coupling.T
    reals[OWN_CONSTANT] = np.abs(own).max(initial=0.0) * ROUND_UP
    # A quotient may have underflowed; the divisor's inverse too, and then it was large.
    reals[OWN_CONSTANT_ERROR] = UNDERFLOW
    return Swept(weight, first, reals, ints, (lows, ups), len(weights))


def aligned(count: int) -> Floats:
    """Zeros that begin where a line of the processor's cache begins."""
    array = np.zeros(count + 8)
    skip = -array.ctypes.data % 64 // 8
    return array[skip : skip + count]


def sweep_together(shared: Swept, origins: Floats, directions: Floats, ends: Floats) -> NDArray[np.int64]:
    """Regions of each line after the first hidden layer and after the second, int64 (l, 2); -1 where not proved.

    origins, directions : float64 (l, n_in), the lines t -> origin + t (direction + tail), |tail| <= u |direction|
    entry by entry. ends : float64 (l, 2), the first and the last t; infinite ones too.
    """
    found = np.full((len(ends), 2), UNPROVED_SWEEP, np.int64)
    if not flushes_to_zero(2.0**-1022):  # the ordinary way says what then is to be done
        products = first_products(shared, origins, directions)
        sweep_lines(shared.reals, shared.ints, shared.first_an, *products, ends, found, shared.sizes[1])
    return found[:, : shared.layers]


def first_products(shared: Swept, origins: Floats, directions: Floats) -> tuple[Floats, Floats, Floats]:
    """Products of the first layer's weights with origins and directions, and bounds of these vectors' norms."""
    with one_thread(), np.errstate(over="ignore", invalid="ignore", under="ignore"):
        constants, slopes = origins @ shared.weight.T, directions @ shared.weight.T
        squares = np.array([np.einsum("ln,ln->l", points, points) for points in (origins, directions)])
        return constants, slopes, np.sqrt(squares) * ROUND_UP + 2.0**-500


@kernel
def sweep_lines(
    reals: Floats,
    ints: Ints,
    first_an: Floats,
    constants_ln: Floats,
    slopes_ln: Floats,
    sizes_2l: Floats,
    ends_l2: Floats,
    found_l2: Ints,
    ups: int,
) -> None:
    """Sweep line after line, with the table at the beginning of `reals`; writes the pieces of either layer.

    constants_ln, slopes_ln : products of the first layer's weights with origins and directions. sizes_2l : bounds of
    the norms of origins and directions.
    """
    lows = first_an.shape[1]
    columns = reals_of_sweep(lows, ups)
    for line in range(ends_l2.shape[0]):
        reals[LEFT], reals[RIGHT] = ends_l2[line, 0], ends_l2[line, 1]
        write_first(reals, first_an, constants_ln, slopes_ln, sizes_2l, line, lows)
        found_l2[line, 0], found_l2[line, 1] = sweep(reals, ints, 0, 0, columns, lows, ups)


@inlined
def write_first(
    reals: Floats, first_an: Floats, constants_ln: Floats, slopes_ln: Floats, sizes_2l: Floats, line: int, lows: int
) -> None:
    """The first layer's rows on one line, with their bounds."""
    slopes, constants = LOWER + SLOPES * room(lows + 3), LOWER + CONSTANTS * room(lows + 3)
    slope_errors, constant_errors = LOWER + SLOPE_ERRORS * room(lows + 3), LOWER + CONSTANT_ERRORS * room(lows + 3)
    for q in range(lows):
        reals[slopes + q] = slopes_ln[line, q]
        reals[constants + q] = constants_ln[line, q] + first_an[BIAS, q]
        reals[slope_errors + q] = first_an[NORM_BOUND, q] * sizes_2l[1, line] * ROUND_UP + UNDERFLOW
        reals[constant_errors + q] = (
            first_an[NORM_BOUND, q] * sizes_2l[0, line] + first_an[BIAS_BOUND, q]
        ) * ROUND_UP + UNDERFLOW
