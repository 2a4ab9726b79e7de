"""The units of a level as columns: the coefficients of their values for each coordinate, and for each open unit below.

    value_n = sum over columns c of (hi + lo)_cn y_c,    y = (u_1, ..., u_d, 1, values of the open units below)

Each column has a bound on the Euclidean length of its error over all units of the level, which also bounds the error of
each single unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.prepared import Prepared
from creases.engine.columns.sliced import SlicedMatrix
from creases.engine.columns.sparse import length, scale_values
from creases.engine.graph import Floats, Level
from creases.engine.kernel import kernel
from creases.engine.problem import Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, all_or_infinite
from creases.engine.proof.doubled import DOUBLED_UNIT, add, doubled, exact_sums

Bools = NDArray[np.bool_]

__all__ = ["Columns", "bent", "coordinates", "stretched", "summed_columns", "with_units"]


class Product(NamedTuple):
    """The error of a product: its matrix times errors of length `before`, plus errors of length `lost`.

    Both are float64 (c,).
    """

    before: Floats
    lost: Floats


class Columns(NamedTuple):
    """The values of the units of a level, hi + lo.

    hi, lo : float64 (c, n). off : float64 (c,), the error bound of each column. some : bool (c, n), where numbers may
        be nonzero; elsewhere they are exactly zero. loose : bool (c, n), where they may have errors; elsewhere hi + lo
        is exact.
    product : the parts of `off`, if the columns are the product of one matrix with one source, plus a bias.
    """

    hi: Floats
    lo: Floats
    off: Floats
    some: Bools
    loose: Bools
    product: Product | None = None

    def part(self, rows: slice) -> Columns:
        """Some of the columns."""
        return Columns(self.hi[rows], self.lo[rows], self.off[rows], self.some[rows], self.loose[rows])

    def doubts(self, units: Ints | slice) -> Floats:
        """A bound on the difference between the numbers of some units and hi, float64 (c, units)."""
        distances: Floats = np.where(self.loose[:, units], self.off[:, None], 0.0) + np.abs(self.lo[:, units])
        return all_or_infinite(distances * ROUND_UP)


@kernel
def add_values(hi_cn: Floats, lo_cn: Floats, more_hi_cn: Floats, more_lo_cn: Floats) -> None:
    """Add more (m, n) to the first rows of hi + lo (c, n)."""
    for c in range(more_hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            hi_cn[c, n], lo_cn[c, n] = add(hi_cn[c, n], lo_cn[c, n], more_hi_cn[c, n], more_lo_cn[c, n])


def coordinates(problem: Problem) -> Columns:
    """The inputs as columns for the slice's coordinates and the constant: exact."""
    total, rest = exact_sums(problem.basis, problem.basis_tail)
    hi = np.vstack([total, problem.origin])
    lo, nowhere = np.vstack([rest, np.zeros_like(problem.origin)]), np.zeros(hi.shape, np.bool_)
    return Columns(hi, lo, np.zeros(len(hi)), hi != 0.0, nowhere)


def times_columns(matrix: Prepared, columns: Columns, precise: int) -> Columns:
    """A matrix (n, m) times columns of m units.

    precise : the number of columns, from the first, that are multiplied more precisely than the others.
    """
    hi, lo, lost = matrix.times(columns.hi, columns.lo, precise)
    some = matrix.spread(columns.some)
    loose = matrix.spread(columns.loose) if matrix.is_copy else some.copy()
    off = (matrix.norm * columns.off + lost) * ROUND_UP + UNDERFLOW * (columns.off > 0.0)
    if isinstance(matrix, SlicedMatrix):
        return Columns(hi, lo, all_or_infinite(off), some, loose, Product(columns.off, lost))
    if columns.product is not None and matrix.norm_after is not None:
        before, since = columns.product
        two = (matrix.norm_after * before + matrix.norm * since + lost) * ROUND_UP + UNDERFLOW * (columns.off > 0.0)
        off = np.fmin(off, two)  # both are bounds; a NaN, of zero times infinity, is none
    return Columns(hi, lo, all_or_infinite(off), some, loose)


def summed_columns(level: Level, matrices: Sequence[Prepared], sources: Sequence[Columns], constant: int) -> Columns:
    """The sums of a level's units. matrices, sources : the matrix and the columns of each of its sources.

    constant : which column is that of one; it and those before it are multiplied more precisely.
    """
    n = len(level.bias)
    parts = [times_columns(matrix, columns, constant + 1) for matrix, columns in zip(matrices, sources, strict=True)]
    parts.sort(key=lambda part: -len(part.hi))
    hi, lo, off, some, loose, product = parts[0]
    if len(parts) > 1:
        product = None
    for more in parts[1:]:
        rows = len(more.hi)
        add_values(hi, lo, more.hi, more.lo)
        loose[:rows] |= more.loose | (some[:rows] & more.some)
        some[:rows] |= more.some
        off[:rows] = (off[:rows] + more.off + lost_by(hi[:rows])) * ROUND_UP
    if level.bias.any():
        here = slice(constant, constant + 1)
        # A copy: Numba compiles once more for read-only arrays.
        add_values(hi[here], lo[here], np.array(level.bias[None]), np.zeros((1, n)))
        lost = lost_by(hi[here])
        off[here] = (off[here] + lost) * ROUND_UP
        if product is not None:
            product.lost[here] = (product.lost[here] + lost) * ROUND_UP
        loose[constant] |= some[constant] & (level.bias != 0.0)
        some[constant] |= level.bias != 0.0
    sums = Columns(hi, lo, off, some, loose, product)
    if level.divisors is not None:
        high, low, worst = doubled([Fraction(1, divisor) for divisor in level.divisors.tolist()])
        sums = scaled(sums, high, low, float(worst.max()))
        sums.loose[:] = sums.some
    return sums


def lost_by(hi: Floats) -> Floats:
    """The length of the error of one operation with the result hi + lo."""
    sizes = length(hi)
    return DOUBLED_UNIT * sizes + UNDERFLOW * (sizes > 0)


def scaled(columns: Columns, high: Floats, low: Floats, worst: float) -> Columns:
    """Each unit times its factor, high + low (n,), which has an error of at most `worst`. The columns themselves are
    changed."""
    largest = float(np.abs(high).max(initial=0.0)) * ROUND_UP
    sizes = length(columns.hi)
    scale_values(high, low, columns.hi, columns.lo)
    off = largest * columns.off + worst * (sizes + columns.off) + 2.0 * DOUBLED_UNIT * largest * sizes
    off = off * ROUND_UP + UNDERFLOW * ((sizes > 0) | (columns.off > 0))
    # The error is infinite if anything overflows, even in an intermediate result.
    off = np.where(np.isfinite(length(columns.hi)), all_or_infinite(off), np.inf)
    return columns._replace(off=off, product=None)


def stretched(columns: Columns, factors: Floats) -> Columns:
    """Each unit's values times its factor, except for factors of zero: see `with_units`. The columns may be changed."""
    if np.isin(factors, (0.0, 1.0)).all():
        return columns
    rounded = ~np.isin(factors, (0.0, 1.0, -1.0))
    columns.loose[:, rounded] = columns.some[:, rounded]
    return scaled(columns, factors, np.zeros_like(factors), 0.0)


def bent(columns: Columns, factors: Floats) -> Columns:
    """The values of decided units, each times its slope. The columns may be changed."""
    return with_units(stretched(columns, factors), len(columns.hi), np.zeros(0, np.int64), factors == 0.0)


def with_units(columns: Columns, before: int, units: Ints, dropped: Bools) -> Columns:
    """Columns with an additional one for each open unit, with a one at that unit.

    before : the number of columns before those of the units. dropped : bool (n,), units whose values are zero in all
        other columns, including the open ones.
    """
    count, n = columns.hi.shape
    assert count <= before
    shape = before + len(units), n
    hi, lo, some, loose = np.empty(shape), np.empty(shape), np.empty(shape, np.bool_), np.empty(shape, np.bool_)
    # An infinite number times zero would not be zero, so dropped units are not multiplied.
    for whole, part in ((hi, columns.hi), (lo, columns.lo)):
        copy_numbers(part, dropped, whole)
    for flags, given in ((some, columns.some), (loose, columns.loose)):
        copy_flags(given, dropped, flags)
    own = before + np.arange(len(units)), units
    hi[own], some[own] = 1.0, True
    off = np.concatenate([columns.off, np.zeros(before - count + len(units))])
    return Columns(hi, lo, off, some, loose)


@kernel
def copy_numbers(part_cn: Floats, dropped_n: Bools, whole_cn: Floats) -> None:
    """Copy rows into the first rows of a larger array, with zeros in dropped units and in all other rows."""
    for c in range(whole_cn.shape[0]):
        for n in range(whole_cn.shape[1]):
            whole_cn[c, n] = 0.0 if c >= part_cn.shape[0] or dropped_n[n] else part_cn[c, n]


@kernel
def copy_flags(part_cn: Bools, dropped_n: Bools, whole_cn: Bools) -> None:
    """`copy_numbers` for bool."""
    for c in range(whole_cn.shape[0]):
        for n in range(whole_cn.shape[1]):
            whole_cn[c, n] = c < part_cn.shape[0] and part_cn[c, n] and not dropped_n[n]
