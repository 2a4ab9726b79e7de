"""The units of a level as columns: what each is along every coordinate, and for every open unit below it.

    value_n = sum over columns c of (hi + lo)_cn y_c,    y = (u_1, ..., u_d, 1, values of the open units below)

Each column has a bound on the Euclidean length of its error, over all units of the level; so no single unit is further
off than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.norms import norm_of
from creases.engine.columns.sliced import sliced_product
from creases.engine.columns.sparse import is_copy, length, scale_values, sparse_product, spread
from creases.engine.convolution import Convolution
from creases.engine.graph import Floats, Level, Matrix
from creases.engine.kernel import kernel
from creases.engine.problem import Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW
from creases.engine.proof.doubled import DOUBLED_UNIT, add, doubled

Bools = NDArray[np.bool_]

# Columns whose images are looked at together.
TOGETHER = 64

__all__ = ["Columns", "bent", "coordinates", "summed_columns", "with_units"]


class Columns(NamedTuple):
    """hi, lo : float64 (c, n). off : float64 (c,), of each column. some : bool (c, n), where numbers may not be zero;
    elsewhere they are, exactly. loose : bool (c, n), where they may be off; elsewhere hi + lo is exact."""

    hi: Floats
    lo: Floats
    off: Floats
    some: Bools
    loose: Bools

    def part(self, rows: slice) -> Columns:
        """Some of the columns."""
        return Columns(*(part[rows] for part in self))  # type: ignore[arg-type]

    def doubts(self, units: Ints | slice) -> Floats:
        """How far the numbers of some units may be from hi, float64 (c, units)."""
        found: Floats = np.where(self.loose[:, units], self.off[:, None], 0.0) + np.abs(self.lo[:, units])
        return or_infinite(found * ROUND_UP)


@kernel
def add_values(hi_cn: Floats, lo_cn: Floats, more_hi_cn: Floats, more_lo_cn: Floats) -> None:
    """Add more to the first rows of hi + lo."""
    for c in range(more_hi_cn.shape[0]):
        for n in range(hi_cn.shape[1]):
            hi_cn[c, n], lo_cn[c, n] = add(hi_cn[c, n], lo_cn[c, n], more_hi_cn[c, n], more_lo_cn[c, n])


def coordinates(problem: Problem) -> Columns:
    """The inputs as columns of the slice's coordinates and of one: exact."""
    head, tail = problem.basis, problem.basis_tail
    total = head + tail
    back = total - head
    rest = (head - (total - back)) + (tail - back)
    hi = np.vstack([total, problem.origin])
    return Columns(
        hi, np.vstack([rest, np.zeros_like(problem.origin)]), np.zeros(len(hi)), hi != 0.0, np.zeros(hi.shape, np.bool_)
    )


def times_columns(matrix: Matrix, columns: Columns, precise: int) -> Columns:
    """A matrix times columns. precise : how many of them, the first ones, are not multiplied by small numbers."""
    norm = norm_of(matrix)
    if isinstance(matrix, (Convolution, np.ndarray)):
        hi, lo, lost = sliced_product(matrix, columns.hi, columns.lo, precise)
        some = spread_dense(matrix, columns.some)
        loose = some.copy()
    else:
        hi, lo, lost = sparse_product(matrix, norm, columns.hi, columns.lo)
        some = spread(matrix, columns.some)
        loose = spread(matrix, columns.loose) if is_copy(matrix) else some.copy()
    off = (norm * columns.off + lost) * ROUND_UP + UNDERFLOW * (columns.off > 0.0)
    return Columns(hi, lo, or_infinite(off), some, loose)


def spread_dense(matrix: Convolution | Floats, some: Bools) -> Bools:
    """Where a product with values may have numbers that are not zero, bool (c, n)."""
    if isinstance(matrix, Convolution):
        found = [matrix.spread(some[begin : begin + TOGETHER]) for begin in range(0, len(some), TOGETHER)]
        return np.concatenate(found)
    return np.broadcast_to(np.logical_or.reduce(some, 1)[:, None], (len(some), len(matrix))).copy()


def or_infinite(bounds: Floats) -> Floats:
    """Infinity in place of a NaN."""
    return np.where(np.isnan(bounds), np.inf, bounds)


def summed_columns(level: Level, sources: Sequence[Columns], constant: int) -> Columns:
    """The sums of a level. sources : the columns of each source. constant : which column is that of one."""
    n = len(level.bias)
    parts = [
        times_columns(matrix, columns, constant + 1) for (_, matrix), columns in zip(level.terms, sources, strict=True)
    ]
    parts.sort(key=lambda part: -len(part.hi))
    hi, lo, off, some, loose = parts[0]
    for more in parts[1:]:
        rows = len(more.hi)
        add_values(hi, lo, more.hi, more.lo)
        loose[:rows] |= more.loose | (some[:rows] & more.some)
        some[:rows] |= more.some
        off[:rows] = (off[:rows] + more.off + lost_by(hi[:rows])) * ROUND_UP
    if level.bias.any():
        here = slice(constant, constant + 1)
        add_values(hi[here], lo[here], level.bias[None], np.zeros((1, n)))
        off[here] = (off[here] + lost_by(hi[here])) * ROUND_UP
        loose[constant] |= some[constant] & (level.bias != 0.0)
        some[constant] |= level.bias != 0.0
    found = Columns(hi, lo, off, some, loose)
    if level.divisors is not None:
        high, low, worst = doubled([Fraction(1, divisor) for divisor in level.divisors.tolist()])
        found = scaled(found, high, low, float(worst.max()))
        found.loose[:] = found.some
    return found


def lost_by(hi: Floats) -> Floats:
    """The length of what one operation loses of hi + lo, its result."""
    sizes = length(hi)
    return DOUBLED_UNIT * sizes + UNDERFLOW * (sizes > 0)


def scaled(columns: Columns, high: Floats, low: Floats, worst: float) -> Columns:
    """Each unit times its factor, high + low, which is off by `worst` at most."""
    largest = float(np.abs(high).max(initial=0.0)) * ROUND_UP
    sizes = length(columns.hi)
    scale_values(high, low, columns.hi, columns.lo)
    off = largest * columns.off + worst * (sizes + columns.off) + 2.0 * DOUBLED_UNIT * largest * sizes
    return columns._replace(off=or_infinite(off * ROUND_UP + UNDERFLOW * ((sizes > 0) | (columns.off > 0))))


def bent(columns: Columns, factors: Floats) -> Columns:
    """What a level hands on of the units that are decided, each times its slope. The columns themselves change."""
    nothing = factors == 0.0
    columns.hi[:, nothing] = columns.lo[:, nothing] = 0.0
    columns.some[:, nothing] = columns.loose[:, nothing] = False
    if not np.isin(factors, (0.0, 1.0)).all():
        columns.loose[:, ~np.isin(factors, (0.0, 1.0, -1.0))] = True
        return scaled(columns, factors, np.zeros_like(factors), 0.0)
    return columns


def with_units(columns: Columns, before: int, units: Ints) -> Columns:
    """Columns with one more for each open unit, which is nothing but that unit.

    before : how many columns there are below the units' own.
    """
    count, n = len(columns.hi), columns.hi.shape[1]
    assert count <= before
    hi, lo = np.zeros((2, before + len(units), n))
    some, loose = np.zeros((2, *hi.shape), np.bool_)
    for whole, part in zip((hi, lo, some, loose), (columns.hi, columns.lo, columns.some, columns.loose), strict=True):
        whole[:count] = part
        whole[:, units] = 0
    own = before + np.arange(len(units)), units
    hi[own], some[own] = 1.0, True
    off = np.concatenate([columns.off, np.zeros(before - count + len(units))])
    return Columns(hi, lo, off, some, loose)
