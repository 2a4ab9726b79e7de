"""Rounding-error bounds that prove a sign. Each constant is derived here, beside its definition.

Model of arithmetic (IEEE 754 double, round to nearest): fl(a op b) = (a op b)(1 + d) + n with |d| <= u = 2^-53,
and |n| <= 2^-1075 for a product that underflows (n = 0 for sums). A sum of m products, added in any order and
with or without fused multiply-add, differs from the true one by at most gamma(m) times the sum of the products'
absolute values, gamma(m) = m u / (1 - m u) (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).

What a bound says. A form h of the local network is k floats; the neuron's true form h* is a real linear form
on the cell. The pair (E_g, E_w) of the row holds

    |h*(x) - h(x)|  <=  E_g max_c |x_c|  +  E_w       for every true point x of the cell (last coordinate 1).

Both are zero only if the row is exact; E_w = 0 for networks without biases, which is what proves that
their lines meet in the origin exactly.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from creases.engine.kernel import inlined, kernel

__all__ = [
    "LARGEST_PROVED",
    "PROOFS",
    "ROUND_UP",
    "UNDERFLOW",
    "UNIT",
    "all_or_infinite",
    "flushes_to_zero",
    "gamma",
    "is_exact",
    "meeting_point",
    "or_infinite",
    "sign_threshold",
]

UNIT = 2.0**-53

# For one benchmark: what do proofs cost? With CREASES_PROOFS=off every bound is zero, signs are guessed as floats say
# them, and nothing is certified.
PROOFS = os.environ.get("CREASES_PROOFS") != "off"

# A bound is compared with `<` and `>` only, with infinity, with zero, or with a value whose own rounding it holds: a
# NaN, which compares false, then proves nothing. Where NaN might be read as "no error", `is_exact` or `or_infinite`
# stand in between. Each threshold below says why the rounding of what is compared with it cannot turn the answer.

# Bounds are sums of at most 2^24 non-negative terms, each correct to a few units; the sum's own rounding is
# below 2^24 * 2^-53 relatively, and a factor of 1 + 2^-20 more than makes up for it.
ROUND_UP = 1.0 + 2.0**-20

# More than 2^24 products can lose to underflow together (2^24 * 2^-1074 < 2^-1020), and normal itself, so that
# adding it is not lost to flushing.
UNDERFLOW = 2.0**-1000

# A value beyond this may be what an overflow has left, and proves no sign. It is no sharp limit: only from 2^1023 on,
# 2^26 times as far, is a value an overflow's, and no rounding spans that.
LARGEST_PROVED = 1e300


# Charts keep cells within [-1, 1]^d; a corner farther out than this is not one. Below it, what underflows in a bound
# (at most 2^-1074 an operation) stays below 2^-1000 after multiplication: 2^40 times farther out it would still.
FAR = 2.0**30

# A form with entries near the largest float proves nothing: its values, and sums of two of them, may overflow. Below it
# and FAR all values are below 2^1021: a factor of 2^3 to the overflow, where rounding takes less than 1 + 2^-20.
HUGE = 2.0**990


@inlined
def is_exact(error_g: float, error_w: float) -> bool:
    """Whether a pair of bounds says that there is no error at all: only `== 0.0` says so, which a NaN never is."""
    return error_g == 0.0 and error_w == 0.0


@inlined
def or_infinite(bound: float) -> float:
    """The bound, or infinity in place of a NaN, which 0 * inf and inf - inf leave: an overflow bounds nothing."""
    return bound if bound < np.inf else np.inf


def all_or_infinite(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """`or_infinite` of every entry of an array; the array itself, where its sum shows that all are finite."""
    return bounds if bounds.sum() < np.inf else np.where(bounds < np.inf, bounds, np.inf)


@inlined
def gamma(terms: int) -> float:
    """gamma(m) for m = terms products, rounded up: m u (1 + 2^-20) covers 1 / (1 - m u) while m < 2^32."""
    return terms * UNIT * ROUND_UP


@kernel
def flushes_to_zero(smallest: float) -> bool:
    """True if this thread's arithmetic flushes denormals to zero (then nothing can be proved).

    smallest : float, 2^-1022, passed in so that the compiler cannot fold the test.
    """
    return smallest * 0.5 == 0.0 or (smallest * 1.5 - smallest) == 0.0


@inlined
def sign_threshold(
    gradient: float,
    constant: float,
    error_g: float,
    error_w: float,
    reach: float,
    corner_error: float,
    units: float = 4.0,
) -> float:
    """What |h(v)| must exceed to prove the sign of h*(v*), v the computed and v* the true corner.

    gradient : sum of |h_c| without the last coordinate; constant : |h_last|.
    error_g, error_w : the row's pair (E_g, E_w). reach : max |v_c|. corner_error : max |v_c - v*_c|.

    h*(v*) - fl(h(v)) = [h* - h](v*) + h(v* - v) + [h(v) - fl(h(v))]. The first is at most
    E_g (reach + corner_error) + E_w, the second gradient * corner_error (the last coordinate is exactly 1),
    the third gamma(3) (gradient * reach + constant): three products, two sums, of which 4 u is an upper bound; for d
    coordinates d + 1 products and d sums, of which units = d + 3 is one.
    A zero bound stays zero: underflow is added only where a product could have underflowed; it is enough because
    charts keep reach below 2, and corners that are farther out or worse known prove nothing.

    Where the bound is finite no entry of the form is a NaN or infinite, and no value of it at the corners, so that
    `min` and `max` over them, which drop a NaN, have none to drop. An infinite error times a reach of zero is a NaN:
    the bound is infinite then.
    """
    if not PROOFS:
        return 0.0
    if not (reach + corner_error < FAR and gradient + constant < HUGE):
        return np.inf
    bound = (
        (error_g + units * UNIT * gradient) * reach
        + (error_w + units * UNIT * constant)
        + (gradient + error_g) * corner_error
    ) * ROUND_UP
    if (gradient > 0.0 or error_g > 0.0) and (reach > 0.0 or corner_error > 0.0):
        bound += UNDERFLOW
    return or_infinite(bound)


@kernel
def meeting_point(
    f0: float, f1: float, f2: float, f_g: float, f_w: float, g0: float, g1: float, g2: float, g_g: float, g_w: float
) -> tuple[float, float, float]:
    """Where two lines of the plane meet: (x, y, error) with |x - x*|, |y - y*| <= error; error = inf if unproved.

    f, g : forms with their pairs of bounds, in the order in which a counter-clockwise walk around the cell with
    inward forms meets their edges, so that f0 g1 - f1 g0 > 0 for the true forms.

    The true corner v* has f*(v*) = g*(v*) = 0, so |f(v*)| <= F = E_g m + E_w with m = max |v*_c|, and
    |f . (v - v*)| <= |f(v)| + F =: a, likewise b for g. Cramer's rule on the computed forms then gives
        |v_c - v*_c| <= (max|g| a + max|f| b) / |f0 g1 - f1 g0|.
    It does not matter how v was found: the residuals f(v) and g(v) enter with their rounding (4 u as above), so
    nothing of the corner's past is in its error. With m <= max |v_c| + error, the error stands on both sides:
    error <= (A + B error) / D, that is error <= A / (D - B).

    A NaN or an infinity in any number given or made ends in a sum or a product with the error, which is then no number
    below infinity; `max` may drop one (in y), the residuals hold it. The error is zero only if both residuals are, with
    their rounding: x = y = 0, f2 = g2 = 0 and F = G = 0, and then the true lines meet in the origin.
    """
    determinant = f0 * g1 - f1 * g0
    # Roundings of at most u each on either product, the subtraction's, and two more of this line: together no more than
    # 4 u (|f0 g1| + |f1 g0|), but for squares of u; ROUND_UP pays for these below, where D is divided by.
    trusted = determinant - 4.0 * UNIT * (abs(f0 * g1) + abs(f1 * g0)) - UNDERFLOW
    if not trusted > 0.0:
        return 0.0, 0.0, np.inf
    x = (f1 * g2 - f2 * g1) / determinant
    y = (f2 * g0 - f0 * g2) / determinant
    if not PROOFS:
        return x, y, 0.0
    size = max(abs(x), abs(y))
    if not size < np.inf:
        return 0.0, 0.0, np.inf
    f_left = abs(f0 * x + f1 * y + f2) + 4.0 * UNIT * ((abs(f0) + abs(f1)) * size + abs(f2)) + f_g * size + f_w
    g_left = abs(g0 * x + g1 * y + g2) + 4.0 * UNIT * ((abs(g0) + abs(g1)) * size + abs(g2)) + g_g * size + g_w
    if size > 0.0:
        f_left += UNDERFLOW
        g_left += UNDERFLOW
    f_most, g_most = max(abs(f0), abs(f1)), max(abs(g0), abs(g1))
    above = g_most * f_left + f_most * g_left
    if f_left > 0.0 or g_left > 0.0:
        above += UNDERFLOW
    below = trusted - (g_most * f_g + f_most * g_g) * ROUND_UP
    if not below > 0.0:
        return 0.0, 0.0, np.inf
    error = above / below * ROUND_UP
    if above > 0.0:  # the quotient may have underflowed
        error += UNDERFLOW
    if not error < np.inf:  # NaN lands here too: an overflow must be unproved
        return 0.0, 0.0, np.inf
    return x, y, error
