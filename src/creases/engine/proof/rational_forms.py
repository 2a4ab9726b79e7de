"""The exact affine forms of a network's units on a slice, pattern by pattern, in whole numbers.

Float weights are dyadic rationals, so a level's forms are vectors of whole numbers over one positive number, which
signs do not see. Where levels meet, what they share is their least common multiple. Forms are computed when they are
asked for: of a convolution those of the units that a question sees.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.engine.graph import COORDINATES, INPUTS, Graph, Level, Matrix, is_sparse
from creases.engine.problem import Floats, Pattern, Problem
from creases.engine.proof.rational import Form, as_integers, nearest_float, value_at

__all__ = ["RationalForms", "decided", "pattern_at"]

# Forms that are kept at most, and levels with their patterns.
KEPT_FORMS = 1 << 19
KEPT_LEVELS = 4096
# A dense level of which this part of the rows is wanted is multiplied whole, as one product.
MANY = 0.25


class LevelForms:
    """A level's forms on one pattern, as far as they were asked for: form i is forms[i] / scale, whole numbers."""

    def __init__(self, units: int, scale: int) -> None:
        self.forms: list[Form | None] = [None] * units
        self.scale = scale
        self.known = 0
        # For each matrix that is dense the values of its source, as one matrix.
        self.values: dict[int, Any] = {}


class IntegerMatrix:
    """A matrix of floats as whole numbers over a power of two."""

    def __init__(self, matrix: Matrix) -> None:
        self.shape = matrix.shape
        self.is_dense = not is_sparse(matrix)
        (entries,), exponent = as_integers(matrix if self.is_dense else matrix.data)
        if exponent < 0:  # whole numbers that were divided by a power of two
            entries = [value << -exponent for value in entries]
        self.scale = 1 << max(exponent, 0)
        n, m = matrix.shape
        self._entries: list[list[int]] = [entries[i : i + m] for i in range(0, n * m, m)] if self.is_dense else []
        self._dense = fmpz_mat(n, m, entries) if self.is_dense else None
        self._rows: list[list[tuple[int, int]]] = []
        if not self.is_dense:
            ends, columns = matrix.indptr.tolist(), matrix.indices.tolist()
            self._rows = [[(columns[i], entries[i]) for i in range(a, b)] for a, b in pairwise(ends)]

    def columns(self, rows: Sequence[int]) -> Iterable[int]:
        """The columns in which some rows have entries."""
        if self.is_dense or len(rows) == self.shape[0]:
            return range(self.shape[1])
        return {column for row in rows for column, _ in self._rows[row]}

    def times_dense(self, rows: Sequence[int], values: Any) -> list[Any]:
        """The products of some rows of a dense matrix with a matrix of flint."""
        if len(rows) > MANY * self.shape[0]:
            table: list[Any] = (self._dense * values).table()
            return [table[row] for row in rows]
        some: list[Any] = (fmpz_mat([self._entries[row] for row in rows]) * values).table()
        return some

    def times(self, rows: Sequence[int], forms: Sequence[Form | None]) -> list[Any]:
        """The products of some rows with forms of one length; None for one that is zero."""
        length = next((len(form) for form in forms if form is not None), 0)
        if self.is_dense:
            nothing = [0] * length
            return self.times_dense(rows, fmpz_mat([nothing if form is None else list(form) for form in forms]))
        products = []
        for row in rows:
            total: Any = None
            for column, entry in self._rows[row]:
                form = forms[column]
                if form is not None:
                    more = [entry * b for b in form]
                    total = more if total is None else [a + b for a, b in zip(total, more, strict=True)]
            products.append(total)
        return products


class RationalForms:
    """The exact forms of a graph's units on the slice u -> origin + sum_i u_i (basis[i] + basis_tail[i]).

    origin : float64, shape (n_in,). basis, basis_tail : float64, shape (d, n_in).
    chart : float64, shape (d + 1, k), or None for the identity; its columns span a part of the slice of k - 1 <= d
        dimensions; (u, w) = chart @ homogeneous coordinates.
    """

    def __init__(
        self, graph: Graph, origin: Floats, basis: Floats, basis_tail: Floats, chart: Floats | None = None
    ) -> None:
        self.graph, self.widths = graph, graph.widths
        frame = np.eye(len(basis) + 1) if chart is None else chart
        self.dimension = frame.shape[1] - 1
        k = len(frame.T)
        units = [tuple(fmpz(int(i == j)) for j in range(k)) for i in range(k)]
        self._chart_scale, self._chart = 1, units
        if chart is not None:
            moved = IntegerMatrix(frame)
            self._chart_scale, self._chart = moved.scale, moved.times(range(len(frame)), units)
        self.infinity: Form = tuple(self._chart[-1])
        self._nothing: Form = (fmpz(0),) * k
        self._slice = (origin, basis, basis_tail)
        self._matrices: dict[int, list[tuple[int, IntegerMatrix]]] = {}
        self._biases: dict[int, tuple[list[int], int]] = {}
        self._sums: OrderedDict[tuple[int, bytes], LevelForms] = OrderedDict()
        self._kept = 0
        self._layers_below = [sum(layer < level for layer in graph.layers) for level in range(len(graph.levels) + 1)]

    @classmethod
    def of(cls, problem: Problem, chart: Floats | None = None) -> RationalForms:
        """The exact forms of a problem's units, in a chart."""
        return cls(problem.graph, problem.origin, problem.basis, problem.basis_tail, chart)

    def forms(self, layer: int, pattern: Sequence[NDArray[np.bool_]]) -> list[Form]:
        """The forms of the units of `layer` (0-based) where the layers below have `pattern`.

        pattern : one bool array a layer; only the first `layer` are read.
        Returns n_l forms of d + 1 integers, all on one positive scale.
        """
        number = self.graph.layers[layer]
        return self._z(number, pattern, range(len(self.graph.levels[number - 1].bias))).forms  # type: ignore[return-value]

    def some(self, layer: int, units: Iterable[int], pattern: Sequence[NDArray[np.bool_]]) -> list[Form | None]:
        """`forms` of some units; those of others may be missing."""
        return self._z(self.graph.layers[layer], pattern, sorted(set(units))).forms

    def floats(self, layer: int) -> tuple[Floats, Floats]:
        """The forms of a layer that is affine on the whole domain, each number as the nearest float, and what it is
        off at most, float64 (n, d + 1) each."""
        number = self.graph.layers[layer]
        rows = self._z(number, [], range(len(self.graph.levels[number - 1].bias)))
        exact = [[Fraction(int(x), rows.scale) for x in form] for form in rows.forms if form is not None]
        near = np.array([[nearest_float(x) for x in form] for form in exact])
        off = [
            [abs(x - Fraction(y)) for x, y in zip(form, row, strict=True)]
            for form, row in zip(exact, near.tolist(), strict=True)
        ]
        return near, np.array([[np.nextafter(nearest_float(x), np.inf) if x else 0.0 for x in row] for row in off])

    @cached_property
    def _inputs(self) -> tuple[list[Form], int]:
        (origin, head, tail), exponent = as_integers(*self._slice)
        n_in, more = len(origin), max(-exponent, 0)
        axes = [
            [(head[i * n_in + j] + tail[i * n_in + j]) << more for j in range(n_in)] for i in range(len(head) // n_in)
        ]
        axes.append([value << more for value in origin])
        moved = fmpz_mat(len(axes), n_in, [value for axis in axes for value in axis]).transpose()
        forms = (moved * fmpz_mat([list(row) for row in self._chart])).table()
        return [tuple(row) for row in forms], self._chart_scale << max(exponent, 0)

    def _level(self, number: int) -> tuple[Level, list[tuple[int, IntegerMatrix]], tuple[list[int], int]]:
        level = self.graph.levels[number - 1]
        if number not in self._matrices:
            self._matrices[number] = [(source, IntegerMatrix(matrix)) for source, matrix in level.terms]
            (bias,), exponent = as_integers(level.bias)
            self._biases[number] = [value << max(-exponent, 0) for value in bias], 1 << max(exponent, 0)
        return level, self._matrices[number], self._biases[number]

    def _z(self, number: int, pattern: Sequence[NDArray[np.bool_]], units: Sequence[int]) -> LevelForms:
        """The sums of a level where the layers below it have `pattern`; those of `units` are known afterwards."""
        below = pattern[: self._layers_below[number]]
        key = (number, np.packbits(np.concatenate([np.zeros(0, np.bool_), *below])).tobytes())
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = sums = LevelForms(len(self.graph.levels[number - 1].bias), self._scale(number, pattern))
        else:
            self._sums.move_to_end(key)
        missing = units if not sums.known else [unit for unit in units if sums.forms[unit] is None]
        if missing:
            self._add(number, pattern, sums, missing)
            sums.known += len(missing)
            self._kept += len(missing) if key in self._sums else 0
            while (self._kept > KEPT_FORMS and len(self._sums) > len(self.graph.levels)) or len(
                self._sums
            ) > KEPT_LEVELS:
                self._kept -= self._sums.popitem(last=False)[1].known
        return sums

    def _scale(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> int:
        """What all forms of a level are divided by on a pattern."""
        level, matrices, (_, bias_scale) = self._level(number)
        scale = lcm(
            bias_scale * self._chart_scale,
            *(matrix.scale * self._value_scale(source, pattern) for source, matrix in matrices),
        )
        return scale * lcm(*level.divisors.tolist()) if level.divisors is not None else scale

    def _value_scale(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> int:
        """What all values that a level hands on are divided by."""
        if number == INPUTS:
            return self._inputs[1]
        if number == COORDINATES:
            return self._chart_scale
        return self._z(number, pattern, []).scale << self._factors(number, pattern)[1]

    def _add(self, number: int, pattern: Sequence[NDArray[np.bool_]], sums: LevelForms, units: Sequence[int]) -> None:
        """Compute the forms of some units."""
        level, matrices, (bias, bias_scale) = self._level(number)
        divisors = [1] * len(bias) if level.divisors is None else level.divisors.tolist()
        whole = lcm(*divisors)
        scale = sums.scale // whole
        one = [scale // (bias_scale * self._chart_scale) * value for value in self.infinity]
        forms = [[bias[unit] * w for w in one] for unit in units]
        for place, (source, matrix) in enumerate(matrices):
            factor = scale // (matrix.scale * self._value_scale(source, pattern))
            if matrix.is_dense:
                values = sums.values.get(place)
                if values is None:
                    some = self._values(source, pattern, range(matrix.shape[1]))
                    values = fmpz_mat([list(self._nothing if form is None else form) for form in some])
                    sums.values[place] = values
                products = matrix.times_dense(units, values)
            else:
                products = matrix.times(units, self._values(source, pattern, matrix.columns(units)))
            for i, row in enumerate(products):
                if row is not None:
                    forms[i] = [a + factor * b for a, b in zip(forms[i], row, strict=True)]
        for unit, form in zip(units, forms, strict=True):
            more = whole // divisors[unit]
            sums.forms[unit] = tuple(form) if more == 1 else tuple(more * value for value in form)

    def _factors(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> tuple[list[int], int]:
        """The slopes of a level's units where the layers have `pattern`, as whole numbers over 2 to the second."""
        slopes = self.graph.levels[number - 1].slopes
        if slopes is None:
            return [1] * len(self.graph.levels[number - 1].bias), 0
        on = np.asarray(pattern[self.graph.layer_of[number]])
        factors = np.where(on, slopes[1], slopes[0])
        if np.array_equal(factors, on):
            return on.tolist(), 0
        (whole,), exponent = as_integers(factors)
        return [value << max(-exponent, 0) for value in whole], max(exponent, 0)

    def _values(self, number: int, pattern: Sequence[NDArray[np.bool_]], units: Iterable[int]) -> Sequence[Form | None]:
        """The activations of some units of a level where the layers have `pattern`; None where zero, and of others."""
        if number == INPUTS:
            return self._inputs[0]
        if number == COORDINATES:
            return [tuple(row) for row in self._chart]
        factors, _ = self._factors(number, pattern)
        wanted = [unit for unit in units if factors[unit]]
        sums = self._z(number, pattern, wanted)
        values: list[Form | None] = [None] * len(factors)
        for unit in wanted:
            form, factor = sums.forms[unit], factors[unit]
            assert form is not None
            values[unit] = form if factor == 1 else tuple(factor * value for value in form)
        return values


def decided(level: Level, values: Sequence[Any]) -> NDArray[np.bool_]:
    """The pattern of a layer where its units have these exact values: neurons above zero, and of each switch the first
    candidate that none exceeds."""
    if level.groups is None:
        return np.array([value > 0 for value in values], np.bool_)
    pattern = np.zeros(len(values), np.bool_)
    best: dict[int, int] = {}
    for i, switch in enumerate(level.groups.tolist()):
        if switch not in best or values[i] > values[best[switch]]:
            best[switch] = i
    pattern[list(best.values())] = True
    return pattern


def pattern_at(problem: Problem, ray: Floats) -> NDArray[np.bool_]:
    """The pattern at a ray of the domain, float64 (d + 1,), as bool (N,); a neuron that is zero there is inactive."""
    forms = RationalForms.of(problem)
    pattern: Pattern = []
    exact = [Fraction(x) for x in ray.tolist()]
    for layer in range(problem.depth):
        rows = forms.forms(layer, pattern)
        pattern.append(decided(problem.graph.layer(layer), [value_at(row, exact) for row in rows]))
    return np.concatenate([np.zeros(0, np.bool_), *pattern])
