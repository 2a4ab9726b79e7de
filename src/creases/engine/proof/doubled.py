"""Double-double arithmetic: the second opinion, about 31 digits, between floats and rationals.

A number is an unevaluated sum hi + lo of two floats (Dekker 1971). Products of two floats are exact as such a sum
(Veltkamp's splitting), so weights enter without loss. Each result carries a bound on its own error, and a sign
counts only beyond it; what is still not proved, true zeros among it, is for `rational`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.graph import COORDINATES, INPUTS, Matrix, is_sparse
from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, or_infinite
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED

__all__ = [
    "DoubledForms",
    "DoubledRows",
    "add_product",
    "doubled",
    "edge_sign",
    "exact_sums",
    "in_chart_doubled",
    "nothing",
    "scale_rows",
    "sign_at_corner",
]


CACHED_LEVELS = 256
SPLITTER = 2.0**27 + 1.0

# One double-double addition of the accurate kind errs by less than 2^-104 of its result's size, a product by less
# than 2^-102 of its own (Joldes, Muller, Popescu 2017, theorems 3.1 and 5.1); 2^-100 an operation covers both,
# intermediate sizes being bounded by the sum of absolute values. Those sums, and the bounds made of them, are rounded
# themselves, each term by less than 2^24 units, which ROUND_UP covers; so a sign that exceeds its bound is true.
DOUBLED_UNIT = 2.0**-100


@inlined
def two_sum(a: float, b: float) -> tuple[float, float]:
    """a + b exactly, as hi + lo (Knuth)."""
    hi = a + b
    back = hi - a
    return hi, (a - (hi - back)) + (b - back)


@inlined
def two_product(a: float, b: float) -> tuple[float, float]:
    """a b exactly, as hi + lo (Dekker), unless something over- or underflows.

    The factors' halves have 26 bits, so that lo is exact if |a b| >= 2^-968, below which its bits reach under 2^-1074;
    it is then off by less than 2^-1070, which UNDERFLOW pays for. A factor of 2^996 or more, or a product that is
    rounded to infinity, leaves infinity or NaN in lo: no sign comes of it (`add` makes NaN of it).
    """
    hi = a * b
    t = SPLITTER * a
    a_hi = t - (t - a)
    a_lo = a - a_hi
    t = SPLITTER * b
    b_hi = t - (t - b)
    b_lo = b - b_hi
    return hi, ((a_hi * b_hi - hi) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo


@inlined
def add(a: float, a_lo: float, b: float, b_lo: float) -> tuple[float, float]:
    """(a + a_lo) + (b + b_lo), accurately."""
    s, s_lo = two_sum(a, b)
    t, t_lo = two_sum(a_lo, b_lo)
    s, s_lo = two_sum(s, s_lo + t)
    return two_sum(s, s_lo + t_lo)


@inlined
def multiply(a: float, a_lo: float, b: float, b_lo: float) -> tuple[float, float]:
    """(a + a_lo) (b + b_lo)."""
    p, p_lo = two_product(a, b)
    return two_sum(p, p_lo + (a * b_lo + a_lo * b))


@inlined
def add_term(
    total: float, total_lo: float, size: float, error: float, w: float, hi: float, lo: float, error_of: float
) -> tuple[float, float, float, float]:
    """One term w (hi + lo) of a product of rows, added to the sum, to its size and to its bound so far.

    error_of : the bound of hi + lo. What is exactly zero adds nothing.
    """
    if w == 0.0 or (hi == 0.0 and error_of == 0.0):
        return total, total_lo, size, error
    p, p_lo = multiply(w, 0.0, hi, lo)
    total, total_lo = add(total, total_lo, p, p_lo)
    return total, total_lo, size + abs(p), error + (abs(w) * error_of + UNDERFLOW)


@kernel
def multiply_rows(
    weight_nm: Floats, hi_mk: Floats, lo_mk: Floats, error_mk: Floats, hi_nk: Floats, lo_nk: Floats, error_nk: Floats
) -> None:
    """weight @ (hi + lo), added to what hi_nk + lo_nk hold, with bounds: m products and m sums a result.

    error_nk, on entry the bounds of what is there, becomes the bound of the result.
    """
    terms = 2.0 * weight_nm.shape[1] + 2.0
    for n in range(weight_nm.shape[0]):
        for k in range(hi_mk.shape[1]):
            total, total_lo = hi_nk[n, k], lo_nk[n, k]
            size, error = abs(total), error_nk[n, k]
            for m in range(weight_nm.shape[1]):
                total, total_lo, size, error = add_term(
                    total, total_lo, size, error, weight_nm[n, m], hi_mk[m, k], lo_mk[m, k], error_mk[m, k]
                )
            hi_nk[n, k], lo_nk[n, k] = total, total_lo
            error_nk[n, k] = or_infinite((error + terms * DOUBLED_UNIT * size) * ROUND_UP)


@kernel
def multiply_sparse(
    ends: Ints,
    columns: Ints,
    entries: Floats,
    hi_mk: Floats,
    lo_mk: Floats,
    error_mk: Floats,
    hi_nk: Floats,
    lo_nk: Floats,
    error_nk: Floats,
) -> None:
    """`multiply_rows` for a matrix of which row n has the entries ends[n] ... ends[n + 1] - 1 in these columns."""
    for n in range(ends.size - 1):
        terms = 2.0 * (ends[n + 1] - ends[n]) + 2.0
        for k in range(hi_mk.shape[1]):
            total, total_lo = hi_nk[n, k], lo_nk[n, k]
            size, error = abs(total), error_nk[n, k]
            for i in range(ends[n], ends[n + 1]):
                m = columns[i]
                total, total_lo, size, error = add_term(
                    total, total_lo, size, error, entries[i], hi_mk[m, k], lo_mk[m, k], error_mk[m, k]
                )
            hi_nk[n, k], lo_nk[n, k] = total, total_lo
            error_nk[n, k] = or_infinite((error + terms * DOUBLED_UNIT * size) * ROUND_UP)


@kernel
def scale_rows(
    factors_hi: Floats, factors_lo: Floats, factors_error: Floats, hi_nk: Floats, lo_nk: Floats, error_nk: Floats
) -> None:
    """Multiply each row by its factor, hi + lo up to its error; the bounds become those of the products.

    |f z - f' z'| <= |f'| e + e_f (|z'| + e), and one product loses DOUBLED_UNIT of its size. |f'| is at most |hi| +
    |lo|. An exact zero stays one.
    """
    for n in range(hi_nk.shape[0]):
        factor = abs(factors_hi[n]) + abs(factors_lo[n])
        for k in range(hi_nk.shape[1]):
            if hi_nk[n, k] == 0.0 and error_nk[n, k] == 0.0:
                continue
            size, error = abs(hi_nk[n, k]) + abs(lo_nk[n, k]), error_nk[n, k]
            lost = factor * error + factors_error[n] * (size + error) + 2.0 * DOUBLED_UNIT * factor * size
            hi_nk[n, k], lo_nk[n, k] = multiply(factors_hi[n], factors_lo[n], hi_nk[n, k], lo_nk[n, k])
            error_nk[n, k] = or_infinite(lost * ROUND_UP + UNDERFLOW)


@kernel
def sign_at_corner(hi_3k: Floats, lo_3k: Floats, error_3k: Floats) -> int:
    """Sign of the third form at the corner between the first two (k = 3), or at the zero of the first (k = 2).

    The forms are rows of hi + lo with bounds of their entries. In the plane the sign is that of the 3 x 3
    determinant, the first two forms being inward ones in counter-clockwise order; on a line it is that of the
    2 x 2 determinant of the second row there and the first, times the sign of the first's slope.
    Rounding: fewer than 16 operations, each of at most the size of the permanent of the absolute values; an entry's
    error moves the determinant by its cofactor, bounded by the same permanent with that row's errors put in.
    What overflows makes the sum or its bound NaN or infinite, and the comparison says no.
    """
    if hi_3k.shape[1] == 2:
        return sign_at_zero(hi_3k, lo_3k, error_3k)
    total = total_lo = size = moved = 0.0
    for c in range(3):
        i, j = (c + 1) % 3, (c + 2) % 3
        p, p_lo = multiply(hi_3k[0, i], lo_3k[0, i], hi_3k[1, j], lo_3k[1, j])
        q, q_lo = multiply(hi_3k[0, j], lo_3k[0, j], hi_3k[1, i], lo_3k[1, i])
        minor, minor_lo = add(p, p_lo, -q, -q_lo)
        r, r_lo = multiply(minor, minor_lo, hi_3k[2, c], lo_3k[2, c])
        total, total_lo = add(total, total_lo, r, r_lo)
        for first, second in ((i, j), (j, i)):
            f, g, h = abs(hi_3k[0, first]), abs(hi_3k[1, second]), abs(hi_3k[2, c])
            f_most, g_most = f + error_3k[0, first], g + error_3k[1, second]
            size += f * g * h
            moved += f_most * g_most * error_3k[2, c] + (f_most * error_3k[1, second] + error_3k[0, first] * g) * h
            # A minor's products may have underflowed before they were multiplied by h.
            moved += UNDERFLOW * (h + error_3k[2, c])
    bound = (moved + 16.0 * DOUBLED_UNIT * size) * ROUND_UP * ROUND_UP + UNDERFLOW
    return POSITIVE if total > bound else NEGATIVE if total < -bound else UNPROVED


@kernel
def sign_at_zero(hi_2k: Floats, lo_2k: Floats, error_2k: Floats) -> int:
    """`sign_at_corner` on a line: rows are the form f whose zero is the corner, and the form asked about, h.

    The slope's own sign: a float that exceeds a sum rounded once exceeds the sum, as rounding is monotone.
    """
    if not abs(hi_2k[0, 0]) > error_2k[0, 0] + abs(lo_2k[0, 0]):
        return UNPROVED
    p, p_lo = multiply(hi_2k[1, 1], lo_2k[1, 1], hi_2k[0, 0], lo_2k[0, 0])
    q, q_lo = multiply(hi_2k[1, 0], lo_2k[1, 0], hi_2k[0, 1], lo_2k[0, 1])
    total, _ = add(p, p_lo, -q, -q_lo)
    size = moved = 0.0
    for c in range(2):
        f, h = abs(hi_2k[0, c]), abs(hi_2k[1, 1 - c])
        size += f * h
        moved += (f + error_2k[0, c]) * error_2k[1, 1 - c] + error_2k[0, c] * h
    bound = (moved + 16.0 * DOUBLED_UNIT * size) * ROUND_UP * ROUND_UP + UNDERFLOW
    if not abs(total) > bound:
        return UNPROVED
    return POSITIVE if (total > 0.0) == (hi_2k[0, 0] > 0.0) else NEGATIVE


class DoubledRows(NamedTuple):
    """Forms as hi + lo with bounds, float64 (n, k) each."""

    hi: Floats
    lo: Floats
    error: Floats

    def row(self, index: int, sign: float = 1.0) -> tuple[Floats, Floats, Floats]:
        """One form, or its opposite."""
        return sign * self.hi[index], sign * self.lo[index], self.error[index]

    def is_zero(self, index: int, less: int | None) -> bool:
        """Whether a form is zero, or of two the first is the second, exactly: no error, and no difference of floats."""
        if less is None:
            return not any(part[index].any() for part in self)
        same = all(np.array_equal(part[index], part[less]) for part in (self.hi, self.lo))
        return same and not (self.error[index].any() or self.error[less].any())

    def difference(self, index: int, less: int, sign: float = 1.0) -> tuple[Floats, Floats, Floats]:
        """What one form exceeds another by, or its opposite."""
        total = DoubledRows(*(part[[index]].copy() for part in self))
        add_product(np.array([[-1.0]]), DoubledRows(*(part[[less]] for part in self)), total)
        return total.row(0, sign)


def doubled(values: Sequence[Fraction]) -> tuple[Floats, Floats, Floats]:
    """Rational numbers as hi + lo with a bound on what is lost."""
    hi = np.array([float(value) for value in values])
    rest = [value - Fraction(near) for value, near in zip(values, hi.tolist(), strict=True)]
    lo = np.array([float(value) for value in rest])
    lost = [abs(value - Fraction(near)) for value, near in zip(rest, lo.tolist(), strict=True)]
    return hi, lo, np.array([float(value) * ROUND_UP + (UNDERFLOW if value else 0.0) for value in lost])


def doubled_wall(wall: Any) -> tuple[Floats, Floats, Floats]:
    """An edge that is not a neuron, exact integers, in double-double and of size one."""
    values = [int(value) for value in wall]
    size = max(abs(value) for value in values)
    return doubled([Fraction(value, size) for value in values])


class DoubledForms:
    """The forms of a problem's units on a slice, pattern by pattern, in double-double; cf. `RationalForms`."""

    def __init__(self, problem: Problem, chart: Floats) -> None:
        self._problem, self._graph, self._chart = problem, problem.graph, chart
        self._cache: OrderedDict[tuple[int, bytes], DoubledRows] = OrderedDict()
        layers = self._graph.layers
        self._layers_below = [sum(layer < level for layer in layers) for level in range(len(self._graph.levels) + 1)]

    def forms(self, layer: int, pattern: Sequence[NDArray[np.bool_]]) -> DoubledRows:
        """The forms of the units of `layer` where the layers below have `pattern` (one bool array a layer)."""
        return self._z(self._graph.layers[layer], pattern)

    @cached_property
    def _inputs(self) -> DoubledRows:
        problem = self._problem
        # Input coordinates of the chart's axes: slice times chart, basis = head + tail without error.
        total, rest = exact_sums(problem.basis, problem.basis_tail)
        hi = np.vstack([total, problem.origin])
        axes = DoubledRows(hi, np.vstack([rest, np.zeros_like(problem.origin)]), np.zeros_like(hi))
        moved = nothing(len(self._chart.T), hi.shape[1])
        add_product(np.ascontiguousarray(self._chart.T), axes, moved)
        return DoubledRows(*(np.ascontiguousarray(part.T) for part in moved))

    def _z(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> DoubledRows:
        """The forms of a level's units where the layers below it have `pattern`."""
        key = (number, b"".join(pattern[i].tobytes() for i in range(self._layers_below[number])))
        rows = self._cache.get(key)
        if rows is None:
            self._cache[key] = rows = self._sum(number, pattern)
            if len(self._cache) > CACHED_LEVELS:
                self._cache.popitem(last=False)
        return rows

    def _sum(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> DoubledRows:
        level, constant = self._graph.levels[number - 1], self._chart[-1]
        hi = np.ascontiguousarray(level.bias[:, None] * constant[None, :])
        exact = np.isin(constant, (0.0, 1.0, -1.0))
        total = DoubledRows(hi, np.zeros_like(hi), np.where(exact, 0.0, np.abs(hi) * UNIT + UNDERFLOW))
        doubts = level.doubts
        if doubts is not None:
            off = np.outer(doubts.bias, np.abs(constant))
            total.error[:] = (total.error + off + UNDERFLOW * np.outer(doubts.bias != 0.0, constant != 0.0)) * ROUND_UP
        for source, matrix in level.terms:
            values = self._values(source, pattern)
            add_product(matrix, values, total)
            if doubts is not None:
                sizes = np.abs(values.hi) * (1.0 + 2.0 * UNIT) + values.error
                each = doubts.of(source)
                met = (each != 0.0).astype(np.float64) @ (sizes != 0.0) > 0.0  # a product of the two may underflow
                total.error[:] = (total.error + each @ sizes + UNDERFLOW * met) * ROUND_UP
        if level.divisors is not None:
            parts = doubled([Fraction(1, divisor) for divisor in level.divisors.tolist()])
            scale_rows(*parts, *total)
        return total

    def _values(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> DoubledRows:
        """The activations of a level where the layers have `pattern`."""
        if number == INPUTS:
            return self._inputs
        if number == COORDINATES:
            return DoubledRows(np.array(self._chart), *(np.zeros_like(self._chart) for _ in range(2)))
        rows, slopes = self._z(number, pattern), self._graph.levels[number - 1].slopes
        if slopes is None:
            return rows
        factors = np.where(pattern[self._graph.layer_of[number]], slopes[1], slopes[0])
        scaled = DoubledRows(*(np.where((factors != 0.0)[:, None], part, 0.0) for part in rows))
        if not np.isin(factors, (0.0, 1.0)).all():
            scale_rows(factors, np.zeros_like(factors), np.zeros_like(factors), *scaled)
        return scaled


def exact_sums(heads: Floats, tails: Floats) -> tuple[Floats, Floats]:
    """heads + tails exactly, as hi + lo (`two_sum`): a tail may be as long as its head."""
    total = heads + tails
    back = total - heads
    return total, (heads - (total - back)) + (tails - back)


def in_chart_doubled(rows: DoubledRows, chart: Floats) -> DoubledRows:
    """Forms of the domain's homogeneous coordinates (n, d + 1) in a chart (d + 1, k)."""
    across = DoubledRows(*(np.ascontiguousarray(part.T) for part in rows))
    moved = nothing(chart.shape[1], len(rows.hi))
    add_product(np.ascontiguousarray(chart.T), across, moved)
    return DoubledRows(*(np.ascontiguousarray(part.T) for part in moved))


def nothing(rows: int, columns: int) -> DoubledRows:
    """Forms that are zero, exactly."""
    return DoubledRows(*(np.zeros((rows, columns)) for _ in range(3)))


def add_product(matrix: Matrix, rows: DoubledRows, total: DoubledRows) -> None:
    """Add matrix @ rows to what stands in `total`."""
    if is_sparse(matrix):
        ends, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
        multiply_sparse(ends, columns, np.array(matrix.data), *rows, *total)
    else:
        # A copy, because Numba compiles once more for read-only arrays.
        multiply_rows(np.array(matrix, order="C"), *rows, *total)


def edge_sign(edges: Sequence[tuple[Any, Any, Any]], row: tuple[Any, Any, Any]) -> int:
    """Sign of a form at the corner between edges (d = 2), or at the zero of the one edge given (d = 1)."""
    stacked = [np.ascontiguousarray(np.vstack(part)) for part in zip(*edges, row, strict=True)]
    return int(sign_at_corner(*stacked))
