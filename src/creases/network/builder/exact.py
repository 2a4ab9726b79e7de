"""Whether sums, products and the scale of a batch norm are exact in float64.

No number in a network is rounded without notice: if a sum or product is not exact, its parts are kept apart, and if a
batch norm's scale is rounded, a note says so.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from creases.errors import NetworkError
from creases.network.operators.operator import Floats

__all__ = ["batch_norm_numbers", "exact_product", "exact_sum"]

# For products between these bounds, an error of zero proves exactness: nothing underflows when the error is computed.
SMALLEST, LARGEST = 2.0**-400, 2.0**400
SPLITTER = 2.0**27 + 1

# Bits of a square root before it is rounded to 53; one more bit says whether the rest is not zero.
PRECISION = 128


def exact_sum(first: Floats | None, second: Floats | None) -> tuple[Floats | None, bool]:
    """The sum of two biases, float64 (n,) or None for zeros, and whether it is exact.

    Knuth's two-sum gives the error of each entry; a sum that overflows is not exact.
    """
    if first is None or second is None:
        return (second if first is None else first), True
    with np.errstate(over="ignore", invalid="ignore"):
        result = first + second
        other = result - first
        error = (first - (result - other)) + (second - other)
    return result, bool(np.isfinite(result).all() and (error == 0.0).all())


def exact_product(values: Floats, factor: float) -> Floats | None:
    """values * factor, float64 of the same shape, if every product is exact; otherwise None.

    Dekker's product gives the error of each entry. Also None if a number is so large or small that this might fail.
    """
    if factor in (1.0, -1.0):
        return values * factor
    if factor == 0.0:
        return np.zeros_like(values)
    sizes = np.abs(values[values != 0.0])
    if not SMALLEST <= abs(factor) <= LARGEST or (sizes.size and not SMALLEST <= sizes.min() <= sizes.max() <= LARGEST):
        return None
    result = values * factor
    high, factor_high = upper_half(values), upper_half(factor)
    low, factor_low = values - high, factor - factor_high
    error = ((high * factor_high - result) + high * factor_low + low * factor_high) + low * factor_low
    return result if not error.any() else None


def upper_half(value: Any) -> Any:
    """The upper 26 bits of a float64 (Veltkamp's splitting)."""
    large = SPLITTER * value
    return large - (large - value)


def batch_norm_numbers(variance: Floats, weight: Floats, eps: float) -> tuple[Floats, Floats, bool]:
    """Factors and divisors whose quotient is weight / sqrt(variance + eps), and whether no number was rounded.

    All are float64 of shape (channels,). If the scale is not a float, it is the weight divided by the root if the root
    is a float; otherwise it is rounded to the nearest float64. This is usually because the root is irrational, but a
    rational root (1 + 2^-53, for variance 1 + 2^-52 and eps 2^-106) may not be a float either.
    Raises NetworkError if variance + eps is not positive, or a scale overflows.
    """
    if isinstance(eps, bool) or not isinstance(eps, (int, float, np.integer, np.floating)) or not math.isfinite(eps):
        raise NetworkError(f"build.batch_norm: eps must be a finite number, got {eps!r}.")
    factors, divisors, exact = np.empty(len(variance)), np.ones(len(variance)), True
    for channel in range(len(variance)):
        squared = Fraction(float(variance[channel])) + Fraction(float(eps))
        if squared <= 0:
            raise NetworkError(
                f"build.batch_norm: variance[{channel}] + eps must be positive, got {variance[channel]} + {eps}."
            )
        numerator = Fraction(float(weight[channel]))
        try:
            scale = math.copysign(nearest_root(numerator**2 / squared), numerator)
        except OverflowError as error:
            raise NetworkError(f"build.batch_norm: channel {channel} has a scale beyond float64.") from error
        if Fraction(scale) ** 2 * squared != numerator**2:
            root = nearest_root(squared)
            if Fraction(root) ** 2 == squared:
                scale, divisors[channel] = float(numerator), root
            else:
                exact = False
        factors[channel] = scale + 0.0
    return factors, divisors, exact


def nearest_root(square: Fraction) -> float:
    """The float64 nearest to the square root of a rational number of at least zero."""
    # 4^k square >= 2^(2 PRECISION), so its root has at least PRECISION bits; the part that is cut off only decides
    # ties.
    k = max(0, PRECISION + 1 - (square.numerator.bit_length() - square.denominator.bit_length()) // 2)
    number, rest = divmod(square.numerator << (2 * k), square.denominator)
    root = math.isqrt(number)
    more = bool(rest) or root * root != number
    return float(Fraction(2 * root + more, 2 << k))
