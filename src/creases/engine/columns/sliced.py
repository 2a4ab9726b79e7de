"""Products with large matrices in double-double, most of the work done by BLAS: error-free slices.

A matrix W and values x are cut into slices W = W_0 + W_1 + ..., x = x_0 + x_1 + ..., where the numbers of slice i are
multiples of one power of two and have so few bits that no sum of a product W_i x_j has more than 53: BLAS computes it
exactly, in whatever order and with whatever fused operations (Ozaki, Ogita, Oishi, Rump 2012). Products of slices
with i + j < p are added up in double-double, the others are left out.

Let w and s be the largest absolute values of W and x, m the terms of a row, b the bits a slice. Slice i is below 2^-ib
times w or s. What is left out is below (p + 1) m w s 2^-pb <= 2^-97 m w s, since p b >= 100 and p <= 7; products with a
last slice, which has all bits that are left, are rounded, relatively by m u and far below that; and each of at most 28
additions loses 2^-53 of the low part, which is below 28 * 2^-52 m w s. So a number is off by less than

    PRODUCT m w s,    PRODUCT = 2^-94.
"""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np

from creases.engine.convolution import Convolution
from creases.engine.graph import Floats
from creases.engine.kernel import kernel
from creases.engine.proof.doubled import two_sum

__all__ = ["PRODUCT", "SlicedMatrix", "sliced_matrix"]

PRODUCT = 2.0**-94

# Slices have at most so many bits, and all that are multiplied have so many together.
MOST_BITS, ALL_BITS = 24, 100
# Numbers of a sum that a float holds exactly.
MANTISSA = 2.0**53
# Magnitudes, as powers of two, within which no slice and no product of two of them underflows or overflows.
LEAST_POWER, MOST_POWER = -300, 300
# Numbers of windows that are multiplied at once: 32 MiB.
AT_ONCE = 1 << 22

matrices: WeakKeyDictionary[Convolution, SlicedMatrix] = WeakKeyDictionary()


@kernel
def cut_slices(hi_cn: Floats, lo_cn: Floats, powers_c: Floats, bits: int, slices_pcn: Floats) -> None:
    """Cut values hi + lo into slices: row c is below powers_c[c], and slice j a multiple of that / 2^((j + 1) bits).

    Adding 1.5 * 2^52 units and taking them off again rounds to a multiple of the unit; what is left is exact.
    The last slice is all that is left.
    """
    last = slices_pcn.shape[0] - 1
    for c in range(hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            high, low, unit = hi_cn[c, n], lo_cn[c, n], powers_c[c]
            for j in range(last):
                unit *= 0.5**bits
                shift = 1.5 * 2.0**52 * unit
                part, small = (high + shift) - shift, (low + shift) - shift
                high, low = high - part, low - small
                slices_pcn[j, c, n] = part + small
            slices_pcn[last, c, n] = high + low


@kernel
def add_parts(parts_gjobw: Floats, hi_bgow: Floats, lo_bgow: Floats) -> None:
    """Add the products of several slices to sums hi + lo; what rounds away of hi goes to lo."""
    for b in range(hi_bgow.shape[0]):
        for g in range(hi_bgow.shape[1]):
            for j in range(parts_gjobw.shape[1]):
                for o in range(hi_bgow.shape[2]):
                    for w in range(hi_bgow.shape[3]):
                        total, lost = two_sum(hi_bgow[b, g, o, w], parts_gjobw[g, j, o, b, w])
                        hi_bgow[b, g, o, w] = total
                        lo_bgow[b, g, o, w] += lost


@kernel
def renormalise(hi_cn: Floats, lo_cn: Floats) -> None:
    """Make lo what hi + lo differs from the float nearest to it."""
    for c in range(hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            hi_cn[c, n], lo_cn[c, n] = two_sum(hi_cn[c, n], lo_cn[c, n])


class SlicedMatrix:
    """A matrix in slices.

    weight : float64 (groups, outputs, terms). bits, parts : b and p of this module.
    """

    def __init__(self, weight: Floats) -> None:
        self.largest, self.terms = float(np.abs(weight).max(initial=0.0)), weight.shape[2]
        power = power_above(self.largest)
        self.is_in_range = LEAST_POWER <= power <= MOST_POWER or self.largest == 0.0
        rows, zeros = weight.reshape(1, -1), np.zeros((1, weight.size))
        for bits in range(MOST_BITS, 0, -1):
            parts = -(-ALL_BITS // bits)
            slices = np.empty((parts, *rows.shape))
            cut_slices(rows, zeros, np.array([2.0**power]), bits, slices)
            every = slices.reshape(parts, *weight.shape)
            # In units of a slice its rows' sums times 2^bits + 1, for a value's slice, are whole numbers of 53 bits.
            # Sums of whole numbers below 2^53 are exact, and so is the comparison: a larger sum is not rounded below.
            units = [2.0 ** -(power - (i + 1) * bits) for i in range(parts - 1)]
            widest = max(float((np.abs(every[i]) * unit).sum(axis=2).max()) for i, unit in enumerate(units))
            if widest * (2.0**bits + 1.0) < MANTISSA:
                break
        self.bits, self.parts = bits, parts
        # Slices one above the other, so that the first ones are one matrix; float32 weights have few that are not zero.
        self.count = 1 + max((i for i in range(parts) if every[i].any()), default=0)
        groups, outputs, terms = weight.shape
        self._stack = np.ascontiguousarray(np.swapaxes(every[: self.count], 0, 1)).reshape(groups, -1, terms)
        self._outputs = outputs

    def first(self, slices: int) -> Floats:
        """The first slices, one above the other: float64 (groups, slices * outputs, terms)."""
        return self._stack[:, : slices * self._outputs]


def power_above(size: float) -> int:
    """The power of two above a size: frexp rounds nothing."""
    return math.frexp(size)[1] if size > 0.0 else 0


def sliced_matrix(matrix: Convolution | Floats) -> SlicedMatrix:
    """The slices of a matrix, kept as long as a convolution is."""
    if not isinstance(matrix, Convolution):
        return SlicedMatrix(matrix[None])
    found = matrices.get(matrix)
    if found is None:
        found = matrices[matrix] = SlicedMatrix(matrix.weight)
    return found


def sliced_product(matrix: Convolution | Floats, hi_cm: Floats, lo_cm: Floats) -> tuple[Floats, Floats, Floats]:
    """Values hi + lo (c, m), row by row, times a matrix (n, m): hi + lo (c, n), and how far off each may be (c,).

    A row that is out of range is infinitely far off, or, if it is tiny, by no more than it is.
    """
    sliced = sliced_matrix(matrix)
    n, count = matrix.shape[0], len(hi_cm)
    hi, lo = np.zeros((2, count, n))
    largest = np.abs(hi_cm).max(axis=1, initial=0.0)
    powers = [power_above(size) for size in largest.tolist()]
    bound = sliced.terms * sliced.largest * largest
    off = PRODUCT * bound
    tiny = np.array([power < LEAST_POWER for power in powers])
    off[tiny] = 2.0 * bound[tiny] + 2.0**-1000
    inside = np.array([LEAST_POWER <= power <= MOST_POWER for power in powers]) & (largest > 0.0)
    off[~inside & ~tiny & (largest != 0.0)] = np.inf
    if not sliced.is_in_range:
        return hi, lo, np.where(largest > 0.0, np.inf, 0.0)
    some = np.flatnonzero(inside)
    at_once = max(1, AT_ONCE // (hi_cm.shape[1] if not isinstance(matrix, Convolution) else window_numbers(matrix)))
    for begin in range(0, len(some), at_once):
        here = some[begin : begin + at_once]
        scale = np.array([2.0 ** powers[c] for c in here])
        slices = np.empty((sliced.parts, len(here), hi_cm.shape[1]))
        cut_slices(hi_cm[here], lo_cm[here], scale, sliced.bits, slices)
        sums = products(matrix, sliced, slices)
        for total, part in zip((hi, lo), sums, strict=True):
            total[here] = part
    return hi, lo, off


def window_numbers(convolution: Convolution) -> int:
    """How many numbers the windows of one image hold."""
    groups, outputs, terms = convolution.weight.shape
    return groups * terms * (convolution.shape[0] // (groups * outputs))


def products(matrix: Convolution | Floats, sliced: SlicedMatrix, slices_pcm: Floats) -> tuple[Floats, Floats]:
    """The sums of the products of slices with slices, hi + lo (c, n)."""
    count, n = slices_pcm.shape[1], matrix.shape[0]
    groups, outputs = matrix.weight.shape[:2] if isinstance(matrix, Convolution) else (1, n)
    hi, lo = np.zeros((2, count, groups, outputs, n // (groups * outputs)))
    for j in range(sliced.parts):
        stack = sliced.first(min(sliced.parts - j, sliced.count))
        if isinstance(matrix, Convolution):
            seen = matrix.windows(slices_pcm[j])
            parts = stack @ seen.reshape(groups, seen.shape[1], -1)
        else:
            parts = stack[0] @ slices_pcm[j].T
        add_parts(parts.reshape(groups, -1, outputs, count, hi.shape[3]), hi, lo)
    renormalise(hi.reshape(count, n), lo.reshape(count, n))
    return hi.reshape(count, n), lo.reshape(count, n)
