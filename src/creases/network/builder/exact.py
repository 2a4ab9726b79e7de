"""Numbers that are made of others, and whether float64 holds them: sums, products, the scale of a batch norm.

A number that had to be rounded does not get into a network unnoticed: what was to be added or multiplied stays apart,
or, of a batch norm's scale, a note says so.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from creases.errors import NetworkError
from creases.network.operators.operator import Floats

__all__ = ["batch_norm_numbers", "exact_product", "exact_sum"]

# Products between these are exact if their error says so: nothing underflows in working it out.
SMALLEST, LARGEST = 2.0**-400, 2.0**400
SPLITTER = 2.0**27 + 1

# Bits of a square root before it is rounded to 53; a last bit says whether there is more.
PRECISION = 128


def exact_sum(first: Floats | None, second: Floats | None) -> tuple[Floats | None, bool]:
    """The sum of two biases, float64 (n,) or None for zeros, and whether it is exact.

    Knuth's two-sum finds the error of each entry; a sum beyond float64 is not exact.
    """
    if first is None or second is None:
        return (second if first is None else first), True
    with np.errstate(over="ignore", invalid="ignore"):
        result = first + second
        other = result - first
        error = (first - (result - other)) + (second - other)
    return result, bool(np.isfinite(result).all() and (error == 0.0).all())


def exact_product(values: Floats, factor: float) -> Floats | None:
    """values * factor, float64 of the same shape, if float64 holds every product; else None.

    Dekker's product finds the error of each entry. None too where a number is so large or small that it might not.
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
    """Factors and divisors that make up weight / sqrt(variance + eps), and whether none of them had to be rounded.

    All float64 of shape (channels,). A scale that is no float is a weight divided by its root where that is a float;
    else it is the float64 nearest to it: as a rule because the root is irrational, but a rational root
    (1 + 2^-53, of variance 1 + 2^-52 and eps 2^-106) need not be a float either.
    Raises NetworkError if variance + eps is not positive, or a scale is beyond float64.
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
    """The float64 nearest to the square root of a rational number that is not negative."""
    # 4^k square >= 2^(2 PRECISION), so its root has at least PRECISION bits; what is cut off there only decides ties.
    k = max(0, PRECISION + 1 - (square.numerator.bit_length() - square.denominator.bit_length()) // 2)
    number, rest = divmod(square.numerator << (2 * k), square.denominator)
    root = math.isqrt(number)
    more = bool(rest) or root * root != number
    return float(Fraction(2 * root + more, 2 << k))
