"""The float64 numbers that a batch norm multiplies and divides by, and whether they are the true ones."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from creases.errors import NetworkError
from creases.network.operators.operator import Floats

__all__ = ["batch_norm_numbers"]

# Bits of a square root before it is rounded to 53; a last bit says whether there is more.
BITS = 128


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
    # 4^k square >= 2^(2 BITS), so its root has at least BITS bits; what is cut off there only decides ties.
    k = max(0, BITS + 1 - (square.numerator.bit_length() - square.denominator.bit_length()) // 2)
    number, rest = divmod(square.numerator << (2 * k), square.denominator)
    root = math.isqrt(number)
    more = bool(rest) or root * root != number
    return float(Fraction(2 * root + more, 2 << k))
