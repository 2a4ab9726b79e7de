"""Products with sparse matrices, and with one factor per unit, in double-double, row by row of values.

The error of an addition or product in double-double is at most 2^-100 of its size (`doubled`), so that of a sum of m
products is at most (2 m + 2) 2^-100 times the sum of their sizes, and the length of all errors is bounded by Schur's
bound for the matrix of absolute values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.norms import schur
from creases.engine.graph import Floats, Matrix
from creases.engine.kernel import kernel
from creases.engine.problem import Ints
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW
from creases.engine.proof.doubled import DOUBLED_UNIT, add, multiply

__all__ = ["SparseMatrix", "length", "scale_values"]

Bools = NDArray[np.bool_]


@kernel
def multiply_values(
    ends: Ints, columns: Ints, entries: Floats, hi_cm: Floats, lo_cm: Floats, hi_cn: Floats, lo_cn: Floats
) -> None:
    """Values hi + lo (c, m) times a matrix (n, m), of which row n has the entries ends[n] ... ends[n + 1] - 1 in these
    columns: hi + lo (c, n)."""
    for c in range(hi_cm.shape[0]):
        for n in range(ends.size - 1):
            total = total_lo = 0.0
            for i in range(ends[n], ends[n + 1]):
                high = hi_cm[c, columns[i]]
                if abs(entries[i]) == 1.0 and ends[n + 1] - ends[n] == 1:  # exact for numbers of any size
                    total, total_lo = entries[i] * high, entries[i] * lo_cm[c, columns[i]]
                elif high != 0.0:
                    p, p_lo = multiply(entries[i], 0.0, high, lo_cm[c, columns[i]])
                    total, total_lo = add(total, total_lo, p, p_lo)
            hi_cn[c, n], lo_cn[c, n] = total, total_lo


@kernel
def spread_values(ends: Ints, columns: Ints, some_cm: Bools, some_cn: Bools) -> None:
    """Where a row of the matrix meets a number that may be nonzero."""
    for c in range(some_cm.shape[0]):
        for n in range(ends.size - 1):
            meets = False
            for i in range(ends[n], ends[n + 1]):
                meets |= some_cm[c, columns[i]]
            some_cn[c, n] = meets


@kernel
def scale_values(hi_n: Floats, lo_n: Floats, hi_cn: Floats, lo_cn: Floats) -> None:
    """Multiply each unit's values by its factor, hi + lo."""
    for c in range(hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            if hi_cn[c, n] != 0.0:
                hi_cn[c, n], lo_cn[c, n] = multiply(hi_n[n], lo_n[n], hi_cn[c, n], lo_cn[c, n])


@kernel
def squares(hi_cn: Floats, largest_c: Floats, found_c: Floats) -> None:
    """The sums of squares in units of the largest number of each row, which is computed too."""
    for c in range(hi_cn.shape[0]):
        largest = 0.0
        for n in range(hi_cn.shape[1]):
            # A NaN remains, and makes the length NaN.
            largest = max(largest, abs(hi_cn[c, n])) if hi_cn[c, n] == hi_cn[c, n] else np.inf
        total = 0.0
        if largest > 0.0:
            for n in range(hi_cn.shape[1]):
                total += (hi_cn[c, n] / largest) ** 2
        largest_c[c], found_c[c] = largest, total


def length(hi_cn: Floats) -> Floats:
    """Bounds on the Euclidean lengths of hi + lo, float64 (c,): |lo| is below 2^-52 of |hi|.

    The relative error of a sum of n < 2^32 squares is at most n u < ROUND_UP - 1; the result is infinite or NaN if a
    number is.
    """
    largest, sums = np.empty((2, len(hi_cn)))
    squares(hi_cn, largest, sums)
    lengths = np.sqrt(sums) * largest * ROUND_UP
    return np.where(np.isnan(lengths), np.inf, lengths)


class SparseMatrix:
    """A csr_array (n, m), with bounds on norms.

    norm : Schur's bound. is_copy : whether a product with it is a copy of some values, up to their signs.
    norm_after : a bound on the norm of its product with the single matrix of its source, if that is known (`prepared`).
    """

    norm_after: float | None = None

    def __init__(self, matrix: Matrix) -> None:
        self.shape, self.norm = matrix.shape, schur(matrix)
        self._ends, self._columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
        self._entries = np.array(matrix.data)
        self._terms = int(np.diff(self._ends).max(initial=0))
        self.is_copy = self._terms <= 1 and bool((np.abs(self._entries) == 1.0).all())

    @property
    def diagonal(self) -> Floats | None:
        """The factor of each unit, float64 (n,), if the matrix is diagonal; otherwise None."""
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self._ends))
        if self.shape[0] != self.shape[1] or self._terms > 1 or not np.array_equal(rows, self._columns):
            return None
        factors = np.zeros(self.shape[0])
        factors[rows] = self._entries
        return factors

    def spread(self, some_cm: Bools) -> Bools:
        """Where a product with values may be nonzero, bool (c, n); some_cm : where the values may be."""
        some_cn = np.empty((len(some_cm), self.shape[0]), np.bool_)
        spread_values(self._ends, self._columns, some_cm, some_cn)
        return some_cn

    def times(self, hi_cm: Floats, lo_cm: Floats, precise: int) -> tuple[Floats, Floats, Floats]:
        """Values hi + lo (c, m) times the matrix: hi + lo (c, n), and a bound on the length of the error of each (c,).

        precise : not used. Copies are exact; the error of a row that overflows is infinite.
        """
        hi, lo = np.empty((2, len(hi_cm), self.shape[0]))
        multiply_values(self._ends, self._columns, self._entries, hi_cm, lo_cm, hi, lo)
        sizes = length(hi_cm)
        lost = np.zeros(len(hi))
        if not self.is_copy:
            lost = (2.0 * self._terms + 2.0) * DOUBLED_UNIT * self.norm * sizes * ROUND_UP + UNDERFLOW * (sizes > 0)
        return hi, lo, np.where(np.isfinite(length(hi)), lost, np.inf)
