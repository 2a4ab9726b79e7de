"""The float64 numbers of a batch norm, each the nearest one, and whether they are the true ones."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from creases.errors import NetworkError
from creases.network.operators.operator import Floats

__all__ = ["batch_norm_numbers"]

# Bits of a square root before it is rounded to 53; a last bit says whether there is more.
BITS = 128


def batch_norm_numbers(
    mean: Floats, variance: Floats, weight: Floats, bias: Floats, eps: float
) -> tuple[Floats, Floats, bool]:
    """Scales weight / sqrt(variance + eps), biases bias - mean * scale, and whether none of them was rounded.

    All float64 of shape (channels,). Each number is the float64 nearest to the exact one (of the biases: with the
    rounded scale). Raises NetworkError if variance + eps is not positive, or a number is beyond float64.
    """
    if isinstance(eps, bool) or not isinstance(eps, (int, float, np.integer, np.floating)) or not math.isfinite(eps):
        raise NetworkError(f"build.batch_norm: eps must be a finite number, got {eps!r}.")
    scales, shifts, exact = np.empty(len(mean)), np.empty(len(mean)), True
    for channel in range(len(mean)):
        squared = Fraction(float(variance[channel])) + Fraction(float(eps))
        if squared <= 0:
            raise NetworkError(
                f"build.batch_norm: variance[{channel}] + eps must be positive, got {variance[channel]} + {eps}."
            )
        numerator = Fraction(float(weight[channel]))
        try:
            scale = math.copysign(nearest_root(numerator**2 / squared), numerator)
            true_shift = Fraction(float(bias[channel])) - Fraction(float(mean[channel])) * Fraction(scale)
            scales[channel], shifts[channel] = scale + 0.0, float(true_shift) + 0.0
        except OverflowError as error:
            raise NetworkError(f"build.batch_norm: channel {channel} has a scale or a bias beyond float64.") from error
        exact = (
            exact and Fraction(scale) ** 2 * squared == numerator**2 and Fraction(float(shifts[channel])) == true_shift
        )
    return scales, shifts, exact


def nearest_root(square: Fraction) -> float:
    """The float64 nearest to the square root of a rational number that is not negative."""
    # 4^k square >= 2^(2 BITS), so its root has at least BITS bits; what is cut off there only decides ties.
    k = max(0, BITS + 1 - (square.numerator.bit_length() - square.denominator.bit_length()) // 2)
    number, rest = divmod(square.numerator << (2 * k), square.denominator)
    root = math.isqrt(number)
    more = bool(rest) or root * root != number
    return float(Fraction(2 * root + more, 2 << k))
