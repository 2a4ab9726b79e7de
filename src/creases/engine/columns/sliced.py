"""Products with large matrices in double-double, with most of the work done by BLAS on error-free slices.

A matrix W and values x are cut into slices W = W_0 + W_1 + ..., x = x_0 + x_1 + ..., where the numbers of slice i are
multiples of one power of two and have so few bits that no sum of a product W_i x_j has more than 53: BLAS computes it
exactly, in whatever order and with whatever fused operations (Ozaki, Ogita, Oishi, Rump 2012). x is cut into at most p
parts, the last of which contains the whole remainder, so that nothing is omitted. Let r_j = x_j + x_(j+1) + ... be
rounded:

    W x  =  W_0 (x_0 + ... + x_(p-2) + r_(p-1))  +  (W_1 + W_2 + ...) (x_0 + ... + x_(p-3) + r_(p-2))

All these products are added in double-double. Let b be the number of bits of a slice, w and s the largest absolute
values of W and x, m the number of terms of a row, u = 2^-53 and k the length of W x. Numbers of x_j and of r_j are
below 2 * 2^-jb s: the remainder of hi is at most half a unit, that of lo is not larger, and s may be half of the power
of two that is used as its bound. Numbers of W_i are at most 2^-ib w, and those of W_1, W_2, ... together at most 2 *
2^-b w. The error of a product, over all rows, is in the Euclidean length at most sqrt(k) m w s times the sum of the
following:

1. Products that are rounded: of W_0 with r_(p-1), 2 m u 2^-(p-1)b; of W_1, W_2, ... with r_(p-2), 4 m u 2^-(p-1)b; of
   the last slice of W, which has all bits that are left, with all of x, 4 m u 2^-(p-1)b, as it has p slices at least.
2. Each r is a sum that is rounded: 2 u 2^-(p-1)b and 4 u 2^-(p-1)b. With the above at most 16 m u 2^-(p-1)b.
3. a additions lose 2^-53 of hi each, which goes to lo, and lo 2^-53 of itself: 2 a^2 2^-106 at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.norms import norm_of
from creases.engine.convolution import Convolution
from creases.engine.graph import Floats
from creases.engine.kernel import kernel
from creases.engine.problem import Ints
from creases.engine.proof.bounds import ROUND_UP
from creases.engine.proof.doubled import two_sum

__all__ = ["SlicedMatrix"]

Bools = NDArray[np.bool_]

# The number of slices of a matrix, and the numbers of parts (p above) of precise values and of others: at least two and
# at most the number of slices.
SLICES = 5
PARTS, FEWER_PARTS = 4, 3
# The number of parts of other values on a line, where only one sign is needed per open unit. In a plane several are
# needed per region; for 33,000 regions of a ResNet-18, two parts left 600 signs open that three proved, and took 230 s
# instead of 46.
LEAST_PARTS = 2
# The largest number of bits of a slice.
MOST_SLICE_BITS = 24
# The largest integer up to which sums of integers are exact in floats.
MANTISSA = 2.0**53
# Magnitudes, as powers of two, within which no slice and no product of two of them underflows or overflows.
LEAST_POWER, MOST_POWER = -300, 300
# The largest number of entries of windows that are multiplied at once, 32 MiB; and the number of images whose boxes are
# compared.
AT_ONCE, IMAGES = 1 << 22, 64


@kernel
def cut_slices(hi_cn: Floats, lo_cn: Floats, powers_c: Floats, bits: int, slices_pcn: Floats) -> None:
    """Cut values hi + lo into slices: row c is below powers_c[c], and slice j a multiple of that / 2^((j + 1) bits).

    Adding 1.5 * 2^52 units and subtracting them again rounds to a multiple of the unit; the remainder is exact.
    The last slice but one is the whole remainder, and the last one is the remainder before the previous slice: r_(p-1)
    and r_(p-2) above, where p + 1 is the number of slices.
    """
    last = slices_pcn.shape[0] - 2
    for c in range(hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            high, low, unit = hi_cn[c, n], lo_cn[c, n], powers_c[c]
            for j in range(last):
                if j == last - 1:
                    slices_pcn[last + 1, c, n] = high + low
                unit *= 0.5**bits
                shift = 1.5 * 2.0**52 * unit
                part, small = (high + shift) - shift, (low + shift) - shift
                high, low = high - part, low - small
                slices_pcn[j, c, n] = part + small
            slices_pcn[last, c, n] = high + low


@kernel
def add_parts(parts_grbw: Floats, outputs_r: Ints, hi_bgow: Floats, lo_bgow: Floats) -> None:
    """Add products, row r of which belongs to an output, to sums hi + lo; the rounding error of hi is added to lo."""
    for b in range(hi_bgow.shape[0]):
        for g in range(hi_bgow.shape[1]):
            for r in range(outputs_r.size):
                o = outputs_r[r]
                for w in range(hi_bgow.shape[3]):
                    total, lost = two_sum(hi_bgow[b, g, o, w], parts_grbw[g, r, b, w])
                    hi_bgow[b, g, o, w] = total
                    lo_bgow[b, g, o, w] += lost


@kernel
def renormalise(hi_cn: Floats, lo_cn: Floats) -> None:
    """Set hi to the float nearest to hi + lo, and lo to the difference."""
    for c in range(hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            hi_cn[c, n], lo_cn[c, n] = two_sum(hi_cn[c, n], lo_cn[c, n])


class SlicedMatrix:
    """A matrix (n, m), an array or a Convolution, in slices, with a bound on its norm.

    norm : a bound on its norm (`norms`). bits : b above.
    """

    is_copy = False

    def __init__(self, matrix: Convolution | Floats) -> None:
        self.matrix, self.shape = matrix, matrix.shape
        self.weight = matrix[None] if isinstance(matrix, np.ndarray) else matrix.weight
        self.largest = float(np.abs(self.weight).max(initial=0.0))
        self.groups, self.outputs, self.terms = self.weight.shape
        power = power_above(self.largest)
        self.is_in_range = LEAST_POWER <= power <= MOST_POWER or self.largest == 0.0
        if not self.is_in_range:
            return
        self.bits, slices = cut_matrix(self.weight, power)
        # For float32 weights, a slice after the first two has nonzero numbers in few rows, if any.
        outputs = [np.flatnonzero(part.any(axis=(0, 2))) for part in slices]
        self._first = len(outputs[0])
        self._rows = np.concatenate(outputs)
        kept = [part[:, rows] for part, rows in zip(slices, outputs, strict=True)]
        self._stack = np.ascontiguousarray(np.concatenate(kept, axis=1))

    @cached_property
    def norm(self) -> float:
        """A bound on the norm of the matrix."""
        return norm_of(self.matrix)

    def steps(self, parts: int) -> Iterator[tuple[int, Floats, Ints]]:
        """The products to compute, one after the other.

        Yields the part of the values (`cut_slices`); the slices of the matrix by which it is multiplied, stacked,
        float64 (groups, rows, terms); and the output of each row.
        """
        first, rest = slice(0, self._first), slice(self._first, None)
        steps = [(j, slice(None)) for j in range(parts - 2)] + [(parts - 2, first), (parts - 1, first), (parts, rest)]
        for part, rows in steps:
            if len(self._rows[rows]):
                yield part, self._stack[:, rows], self._rows[rows]

    def lost(self, parts: int) -> float:
        """A bound on the length of the error of a product, for values of size one. parts : p above."""
        sums, unit = self.terms * self.largest, 2.0**-self.bits
        adds = parts * SLICES + 1
        rounded = 16.0 * self.terms * 2.0**-53 * unit ** (parts - 1) + 2.0 * adds * adds * 2.0**-106
        return math.sqrt(self.shape[0]) * sums * rounded * ROUND_UP

    def spread(self, some_cm: Bools) -> Bools:
        """Where a product with values may be nonzero, bool (c, n); some_cm : where the values may be."""
        if isinstance(self.matrix, np.ndarray):
            return np.broadcast_to(np.logical_or.reduce(some_cm, 1)[:, None], (len(some_cm), self.shape[0])).copy()
        return self.matrix.spread(some_cm)

    def times(self, hi_cm: Floats, lo_cm: Floats, precise: int) -> tuple[Floats, Floats, Floats]:
        """Values hi + lo (c, m), row by row, times the matrix: hi + lo (c, n), and a bound on the length of the error
        of each.

        precise : the number of rows, from the first, that are cut into more parts than the others: those of the
            coordinates and of the constant, so two on a line. The error of a row that is out of range or NaN is
            infinite; that of a tiny row is its own length.
        """
        hi, lo = np.zeros((2, len(hi_cm), self.shape[0]))
        largest = np.abs(hi_cm).max(axis=1, initial=0.0)
        if not self.is_in_range:
            return hi, lo, np.where(largest == 0.0, 0.0, np.inf)
        if self.largest == 0.0:
            return hi, lo, np.where(np.isfinite(largest), 0.0, np.inf)
        powers = np.array([power_above(size) for size in largest.tolist()])
        inside = (powers >= LEAST_POWER) & (powers <= MOST_POWER) & (largest > 0.0) & np.isfinite(largest)
        lost = 2.0 * self.terms * self.largest * math.sqrt(self.shape[0]) * largest + 2.0**-1000
        lost[powers >= LEAST_POWER] = np.inf
        lost[largest == 0.0] = 0.0
        fewer = LEAST_PARTS if precise <= 2 else FEWER_PARTS
        for parts, rows in ((PARTS, np.arange(precise)), (fewer, np.arange(precise, len(hi)))):
            some = rows[inside[rows]]
            if len(some):
                lost[some] = self.lost(parts) * largest[some] * ROUND_UP
                multiply = multiplied if isinstance(self.matrix, np.ndarray) else convolved
                multiply(self, parts, some, powers, hi_cm, lo_cm, hi, lo)
        renormalise(hi, lo)
        return hi, lo, lost


def cut_matrix(weight: Floats, power: int) -> tuple[int, list[Floats]]:
    """The number of bits of a slice, and the slices of a matrix whose entries are below 2^power.

    In units of a slice, the sums of its rows, times 2^bits + 1 for a slice of values, are integers. Sums of integers
    below 2^53 are exact, and so is the comparison, because a larger sum is not rounded to less.
    """
    # A copy: Numba compiles once more for read-only arrays.
    rows, zeros = np.array(weight.reshape(1, -1)), np.zeros((1, weight.size))
    for bits in range(MOST_SLICE_BITS, 0, -1):
        slices = np.empty((SLICES + 1, *rows.shape))
        cut_slices(rows, zeros, np.array([2.0**power]), bits, slices)
        every = [part.reshape(weight.shape) for part in slices[:SLICES]]
        units = [2.0 ** -(power - (i + 1) * bits) for i in range(SLICES - 1)]
        widest = max(float((np.abs(part) * unit).sum(axis=2).max()) for part, unit in zip(every, units, strict=False))
        if widest * (2.0**bits + 1.0) < MANTISSA:
            return bits, every
    raise AssertionError("one bit always fits: a row has fewer than 2^50 terms")


def power_above(size: float) -> int:
    """The exponent of the power of two above a size; frexp does not round."""
    return math.frexp(size)[1] if size > 0.0 else 0


def multiplied(
    sliced: SlicedMatrix, parts: int, rows: Ints, powers: Ints, hi_cm: Floats, lo_cm: Floats, hi: Floats, lo: Floats
) -> None:
    """Write the products of some rows of values with an array into hi + lo, not yet normalised.

    parts : p above. rows : int64, the rows. powers : int64 (c,), the power of two above each row.
    """
    sums = products(sliced, parts, powers[rows], hi_cm[rows], lo_cm[rows], lambda part: part.T[None, :, :, None])
    hi[rows], lo[rows] = (part.reshape(len(rows), -1) for part in sums)


def convolved(
    sliced: SlicedMatrix, parts: int, rows: Ints, powers: Ints, hi_cm: Floats, lo_cm: Floats, hi: Floats, lo: Floats
) -> None:
    """`multiplied` for a convolution: images whose boxes have similar sizes are multiplied at once."""
    matrix = sliced.matrix
    assert not isinstance(matrix, np.ndarray)
    counts = matrix.geometry.counts
    totals = [total.reshape(len(total), sliced.groups * sliced.outputs, *counts) for total in (hi, lo)]
    first, end = (np.zeros((len(rows), len(counts)), np.int64) for _ in range(2))
    for begin in range(0, len(rows), IMAGES):
        here = slice(begin, begin + IMAGES)
        first[here], end[here] = matrix.boxes(matrix.images(hi_cm[rows[here]]))
    order = np.argsort((end - first).prod(axis=1), kind="stable")
    numbers = sliced.groups * sliced.terms
    place = 0
    while place < len(order):
        # Boxes with the largest sides of all images in the group, which has as many images as fit.
        sides = np.maximum.accumulate((end - first)[order[place : place + IMAGES]], axis=0)
        fitting = np.cumsum(np.ones(len(sides))) * sides.prod(axis=1) * numbers <= AT_ONCE
        some = order[place : place + max(1, int(fitting.sum()))]
        wide = sides[len(some) - 1].tolist()
        place += len(some)
        at = np.minimum(first[some], np.array(counts) - wide)
        images = [matrix.cropped(matrix.images(part[rows[some]]), at, wide) for part in (hi_cm, lo_cm)]
        high, low = (part.reshape(len(some), -1) for part in images)
        sums = products(sliced, parts, powers[rows[some]], high, low, partial(seen_of, matrix, images[0].shape, wide))
        for total, part in zip(totals, sums, strict=True):
            boxes = part.reshape(len(some), total.shape[1], *wide)
            for row, box, corner in zip(rows[some].tolist(), boxes, at.tolist(), strict=True):
                total[(row, slice(None), *(slice(a, a + m) for a, m in zip(corner, wide, strict=True)))] = box


def seen_of(matrix: Convolution, shape: tuple[int, ...], counts: list[int], part: Floats) -> Floats:
    """The entries of the windows over a slice of images of this shape."""
    return matrix.windows(part.reshape(shape), counts)


def products(
    sliced: SlicedMatrix, parts: int, powers: Ints, hi_cm: Floats, lo_cm: Floats, seen_of: Callable[[Floats], Floats]
) -> tuple[Floats, Floats]:
    """The sums of the products of slices with slices, hi + lo (c, groups, outputs, w), not normalised.

    seen_of : a function that gives the entries of the windows over a slice, (groups, terms, c, w).
    """
    slices = np.empty((parts + 1, *hi_cm.shape))
    cut_slices(hi_cm, lo_cm, np.ldexp(1.0, powers), sliced.bits, slices)
    hi = lo = np.zeros(0)
    for part, stack, outputs in sliced.steps(parts):
        seen = seen_of(slices[part])
        groups, _, count, windows = seen.shape
        if not len(hi):
            hi, lo = np.zeros((2, count, groups, sliced.outputs, windows))
        product = stack @ seen.reshape(groups, seen.shape[1], count * windows)
        add_parts(product.reshape(groups, len(outputs), count, windows), outputs, hi, lo)
    return hi, lo
