"""Lengths of input space in the coordinates of a slice: the Gram matrix of its basis, and its roots.

Where basis vectors are nearly parallel, floats of scalar products lose the digits that tell them apart: of det(B B^T)
half of what an orthogonal factorisation keeps, and that too loses what the angle is small by. Then it is done exactly.
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

# Square roots are known to so many bits.
PRECISION = 80
# Floats are as good as they need to be where no vector is nearer to the others than this, as a part of the longest.
UPRIGHT = 1e-2


def exact_basis(sliced: Slice) -> list[list[Fraction]]:
    """The basis vectors of a slice, head and tail together."""
    pairs = zip(sliced.basis.tolist(), sliced.basis_tail.tolist(), strict=True)
    return [[Fraction(x) + Fraction(y) for x, y in zip(head, tail, strict=True)] for head, tail in pairs]


def gram_of(sliced: Slice) -> Gram:
    """The Gram matrix of a slice's basis, exactly: a step s of coordinates has the squared length s gram s."""
    rows = exact_basis(sliced)
    below = lcm(*(value.denominator for row in rows for value in row))
    # Whole numbers: a Fraction divides out common factors at each step.
    whole = [[value.numerator * (below // value.denominator) for value in row] for row in rows]
    common = gcd(*(value for row in whole for value in row))
    short = [[value // common for value in row] for row in whole]
    scale = Fraction(common, below) ** 2
    return tuple(tuple(scale * sum(map(mul, p, q)) for q in short) for p in short)


def chart_of(sliced: Slice) -> Floats:
    """A lower triangular matrix that coordinates are multiplied by to have the lengths of input space: float64 (d, d),
    so that u @ chart is as long as u @ basis. d-volumes are larger there by the product of its diagonal."""
    with np.errstate(all="ignore"):
        chart = np.linalg.qr(sliced.basis.T)[1].T
    if is_upright(chart):
        return np.asarray(chart * np.sign(np.diag(chart)))
    below, pivots = factored(gram_of(sliced))
    roots, d = [root_above(pivot) for pivot in pivots], sliced.dimension
    return np.array([[nearest(below[i][j] * roots[j]) if j <= i else 0.0 for j in range(d)] for i in range(d)])


def directions_of(sliced: Slice) -> Floats:
    """Directions of length one at right angles to one another that span a slice: float64 (d, n_in)."""
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
    """Whether floats are good enough of a basis with this triangular matrix."""
    sides = np.abs(np.diag(chart))
    return bool(sides.min() > UPRIGHT * sides.max() and np.isfinite(chart).all())


def factored(gram: Gram) -> tuple[list[list[Fraction]], list[Fraction]]:
    """L and D of a positive definite matrix L D L^T: L has ones on its diagonal and nothing above it."""
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
    """At least the square root of a rational that is not negative, and more by less than a part in 2^PRECISION."""
    # sqrt(p / q) = sqrt(p q) / q, and p q is brought to twice the bits first.
    product = value.numerator * value.denominator
    shift = max(0, 2 * PRECISION - product.bit_length() + 1) // 2 + 1
    root = isqrt(product << 2 * shift)
    if root * root < product << 2 * shift:
        root += 1
    return Fraction(root, value.denominator << shift)


def nearest(value: Fraction) -> float:
    """The nearest float; infinite beyond them."""
    try:
        return float(value)
    except OverflowError:
        return float(np.copysign(np.inf, 1 if value > 0 else -1))
