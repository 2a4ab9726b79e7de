"""Lengths in input space from the coordinates of a slice: the Gram matrix of its basis, and its square roots.

If basis vectors are nearly parallel, scalar products in floats lose the digits in which the vectors differ: det(B B^T)
loses half of the digits that an orthogonal factorisation keeps, and the factorisation loses as many digits as the angle
is small. Then the computation is exact.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt, lcm
from operator import mul

import numpy as np
from numpy.typing import NDArray

from creases.domain.slice import Slice

__all__ = ["Gram", "chart_of", "directions_of", "factored", "gram_of", "nearest", "root_above"]

Floats = NDArray[np.float64]
Gram = tuple[tuple[Fraction, ...], ...]

# Square roots are computed to this many bits.
PRECISION = 80
# Floats are precise enough if the distance of each vector from the span of the others is at least this part of the
# longest vector.
UPRIGHT = 1e-2


def exact_basis(sliced: Slice) -> list[list[Fraction]]:
    """The basis vectors of a slice, each the exact sum of head and tail."""
    pairs = zip(sliced.basis.tolist(), sliced.basis_tail.tolist(), strict=True)
    return [[Fraction(x) + Fraction(y) for x, y in zip(head, tail, strict=True)] for head, tail in pairs]


def gram_of(sliced: Slice) -> Gram:
    """The exact Gram matrix of a slice's basis: a step s in coordinates has the squared length s gram s^T."""
    rows = exact_basis(sliced)
    below = lcm(*(value.denominator for row in rows for value in row))
    # In integers, because a Fraction divides out common factors at each step.
    whole = [[value.numerator * (below // value.denominator) for value in row] for row in rows]
    common = gcd(*(value for row in whole for value in row))
    short = [[value // common for value in row] for row in whole]
    scale = Fraction(common, below) ** 2
    return tuple(tuple(scale * sum(map(mul, p, q)) for q in short) for p in short)


def chart_of(sliced: Slice) -> Floats:
    """A lower triangular matrix, float64 (d, d), such that u @ chart has the same length as u @ basis in input space.
    It multiplies d-volumes by the product of its diagonal."""
    with np.errstate(all="ignore"):
        chart = np.linalg.qr(sliced.basis.T)[1].T
    if is_upright(chart):
        return np.asarray(chart * np.sign(np.diag(chart)))
    below, pivots = factored(gram_of(sliced))
    roots, d = [root_above(pivot) for pivot in pivots], sliced.dimension
    return np.array([[nearest(below[i][j] * roots[j]) if j <= i else 0.0 for j in range(d)] for i in range(d)])


def directions_of(sliced: Slice) -> Floats:
    """An orthonormal basis of the span of a slice: float64 (d, n_in)."""
    with np.errstate(all="ignore"):
        axes, chart = np.linalg.qr(sliced.basis.T)
    if is_upright(chart):
        return np.ascontiguousarray(axes.T)
    below, pivots = factored(gram_of(sliced))
    across: list[list[Fraction]] = []
    for shares, row in zip(below, exact_basis(sliced), strict=True):
        for share, before in zip(shares, across, strict=False):
            row = [x - share * y for x, y in zip(row, before, strict=True)]
        across.append(row)
    roots = map(root_above, pivots)
    return np.array([[nearest(x / root) for x in row] for row, root in zip(across, roots, strict=True)])


def is_upright(chart: Floats) -> bool:
    """Whether floats are precise enough for a basis with this triangular matrix."""
    sides = np.abs(np.diag(chart))
    return bool(sides.min() > UPRIGHT * sides.max() and np.isfinite(chart).all())


def factored(gram: Gram) -> tuple[list[list[Fraction]], list[Fraction]]:
    """L and D with L D L^T equal to a positive definite matrix; L is lower triangular with ones on its diagonal."""
    d = len(gram)
    left = [list(row) for row in gram]
    below, pivots = [[Fraction(int(i == j)) for j in range(d)] for i in range(d)], []
    for k in range(d):
        pivots.append(left[k][k])
        for i in range(k + 1, d):
            below[i][k] = left[i][k] / pivots[k]
            for j in range(k + 1, d):
                left[i][j] -= below[i][k] * left[k][j]
    return below, pivots


def root_above(value: Fraction) -> Fraction:
    """An upper bound on the square root of a rational that is not negative, with a relative error below
    2^-PRECISION."""
    # sqrt(p / q) = sqrt(p q) / q, where p q is first scaled to twice the number of bits.
    product = value.numerator * value.denominator
    shift = max(0, 2 * PRECISION - product.bit_length() + 1) // 2 + 1
    root = isqrt(product << 2 * shift)
    if root * root < product << 2 * shift:
        root += 1
    return Fraction(root, value.denominator << shift)


def nearest(value: Fraction) -> float:
    """The nearest float; infinite beyond the range of floats."""
    try:
        return float(value)
    except OverflowError:
        return float(np.copysign(np.inf, 1 if value > 0 else -1))
