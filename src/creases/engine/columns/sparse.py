"""Products with sparse matrices, and with factors one a unit, in double-double, row by row of values.

One addition or product in double-double loses 2^-100 of its size at most (`doubled`), so a sum of m products loses
(2 m + 2) 2^-100 times the sum of their sizes, and the length of all of them is what Schur's bound says of the
matrix of absolute values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.engine.graph import Floats, Matrix
from creases.engine.kernel import kernel
from creases.engine.problem import Ints
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW
from creases.engine.proof.doubled import DOUBLED_UNIT, add, multiply

__all__ = ["is_copy", "length", "scale_values", "sparse_product", "spread"]

Bools = NDArray[np.bool_]


@kernel
def multiply_values(
    ends: Ints, columns: Ints, entries: Floats, hi_cm: Floats, lo_cm: Floats, hi_cn: Floats, lo_cn: Floats
) -> None:
    """Row n of the matrix has the entries ends[n] ... ends[n + 1] - 1 in these columns."""
    for c in range(hi_cm.shape[0]):
        for n in range(ends.size - 1):
            total = total_lo = 0.0
            for i in range(ends[n], ends[n + 1]):
                high = hi_cm[c, columns[i]]
                if high != 0.0:
                    p, p_lo = multiply(entries[i], 0.0, high, lo_cm[c, columns[i]])
                    total, total_lo = add(total, total_lo, p, p_lo)
            hi_cn[c, n], lo_cn[c, n] = total, total_lo


@kernel
def spread_values(ends: Ints, columns: Ints, some_cm: Bools, some_cn: Bools) -> None:
    """Where a row of the matrix meets any number that may not be zero."""
    for c in range(some_cm.shape[0]):
        for n in range(ends.size - 1):
            found = False
            for i in range(ends[n], ends[n + 1]):
                found |= some_cm[c, columns[i]]
            some_cn[c, n] = found


@kernel
def scale_values(hi_n: Floats, lo_n: Floats, hi_cn: Floats, lo_cn: Floats) -> None:
    """Multiply each unit's values by its factor, hi + lo."""
    for c in range(hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            if hi_cn[c, n] != 0.0:
                hi_cn[c, n], lo_cn[c, n] = multiply(hi_n[n], lo_n[n], hi_cn[c, n], lo_cn[c, n])


def sparse_product(matrix: Matrix, norm: float, hi_cm: Floats, lo_cm: Floats) -> tuple[Floats, Floats, Floats]:
    """Values hi + lo (c, m) times a csr_array (n, m): hi + lo (c, n), and the length of what is lost of each (c,).

    norm : Schur's bound of the matrix. A copy of values, up to their signs, loses nothing.
    """
    ends, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    hi, lo = np.empty((2, len(hi_cm), matrix.shape[0]))
    multiply_values(ends, columns, np.array(matrix.data), hi_cm, lo_cm, hi, lo)
    terms = int(np.diff(ends).max(initial=0))
    if is_copy(matrix):
        return hi, lo, np.zeros(len(hi))
    return (
        hi,
        lo,
        (2.0 * terms + 2.0) * DOUBLED_UNIT * norm * length(hi_cm) * ROUND_UP + UNDERFLOW * (length(hi_cm) > 0),
    )


@kernel
def squares(hi_cn: Floats, largest_c: Floats, found_c: Floats) -> None:
    """The sums of squares in units of the largest number of each row, which is found too."""
    for c in range(hi_cn.shape[0]):
        largest = 0.0
        for n in range(hi_cn.shape[1]):
            # A NaN stays, and makes the length one.
            largest = max(largest, abs(hi_cn[c, n])) if hi_cn[c, n] == hi_cn[c, n] else np.inf
        total = 0.0
        if largest > 0.0:
            for n in range(hi_cn.shape[1]):
                total += (hi_cn[c, n] / largest) ** 2
        largest_c[c], found_c[c] = largest, total


def is_copy(matrix: Matrix) -> bool:
    """Whether a csr_array times values is a copy of some of them, up to their signs."""
    return int(np.diff(matrix.indptr).max(initial=0)) <= 1 and bool((np.abs(matrix.data) == 1.0).all())


def spread(matrix: Matrix, some_cm: Bools) -> Bools:
    """Where the product of a csr_array with values may have numbers that are not zero, bool (c, n)."""
    found = np.empty((len(some_cm), matrix.shape[0]), np.bool_)
    spread_values(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), some_cm, found)
    return found


def length(hi_cn: Floats) -> Floats:
    """Bounds on the Euclidean lengths of hi + lo, float64 (c,): |lo| is below 2^-52 of |hi|.

    A sum of n < 2^32 squares, none negative, is right up to n u < ROUND_UP - 1; infinite, or a NaN, where a number is.
    """
    largest, found = np.empty((2, len(hi_cn)))
    squares(hi_cn, largest, found)
    lengths = np.sqrt(found) * largest * ROUND_UP
    return np.where(np.isnan(lengths), np.inf, lengths)
