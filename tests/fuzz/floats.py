"""Numbers that are hard for floats: moved by some last places, or scaled almost out of range.

What is meant is computed in rationals and rounded once, so that a row said to pass through a point misses it by
rounding only, and a nudge of a few last places is all that there is.
"""

from fractions import Fraction

import numpy as np

FACTORS = (1.0, -1.0, 2.0, -3.0, 0.5, 1 / 3, -0.7, 1e8, -1e-8)
LARGEST, SMALLEST = 2.0**1000, 2.0**-1000

# Decimal powers round every entry once more; powers of two keep exact ties exact.
SCALES = (*(2.0**e for e in (-498, -330, -100, -27, 27, 100, 330, 498)), 1e-150, 1e-17, 1e-12, 1e12, 1e17, 1e150)
DENORMAL_SCALES = (2.0**-1074, 2.0**-1071, 2.0**-1060, 2.0**-1030, 1e-308)


def one_of(rng, things):
    """One of a sequence, as it is (rng.choice would make an array of it)."""
    return things[rng.integers(len(things))]


def rounded(value):
    """The float nearest to a rational; None if it is beyond the largest."""
    try:
        return float(value) + 0.0
    except OverflowError:
        return None


def relative(rng):
    """A relative distance from 1e-12 down to 1e-17, which is below half a last place: then nothing moves."""
    return float(10.0 ** rng.uniform(-17, -12))


def nudged(rng, x, size=None):
    """The float x moved by nothing, by one last place, or by a relative 1e-12 ... 1e-17 (of `size`, where given)."""
    way = rng.integers(4)
    sign = one_of(rng, (-1.0, 1.0))
    if way == 0:
        return x
    if way == 1:
        return float(np.nextafter(x, sign * np.inf))
    return float(x + sign * relative(rng) * (abs(x) if size is None else size))


def dot(row, point):
    """The exact product of two sequences of floats or rationals."""
    return sum((Fraction(a) * Fraction(b) for a, b in zip(row, point, strict=True)), Fraction(0))
