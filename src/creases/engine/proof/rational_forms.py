"""The exact affine forms of a network's units on a slice, pattern by pattern, in whole numbers.

Float weights are dyadic rationals, so a level's forms are vectors of whole numbers over one positive number, which
signs do not see. Where levels meet, what they share is their least common multiple.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.engine.graph import COORDINATES, INPUTS, Graph, Level, Matrix, is_sparse
from creases.engine.problem import Floats, Pattern, Problem
from creases.engine.proof.rational import Form, as_integers, value_at

__all__ = ["RationalForms", "decided", "pattern_at"]

CACHED_LEVELS = 4096


class Rows(NamedTuple):
    """Forms as whole numbers over a positive one: row i is forms[i] / scale."""

    forms: list[Form]
    scale: int


class IntegerMatrix:
    """A matrix of floats as whole numbers over a power of two."""

    def __init__(self, matrix: Matrix) -> None:
        self.shape = matrix.shape
        sparse = is_sparse(matrix)
        (entries,), exponent = as_integers(matrix.data if sparse else matrix)
        if exponent < 0:  # whole numbers that were divided by a power of two
            entries = [value << -exponent for value in entries]
        self.scale = 1 << max(exponent, 0)
        self._dense = None if sparse else fmpz_mat(matrix.shape[0], matrix.shape[1], entries)
        self._rows: list[list[tuple[int, int]]] = []
        if sparse:
            ends, columns = matrix.indptr.tolist(), matrix.indices.tolist()
            self._rows = [[(columns[i], entries[i]) for i in range(a, b)] for a, b in pairwise(ends)]

    def times(self, forms: Sequence[Form]) -> list[Any]:
        """The products with forms of one length."""
        if self._dense is not None:
            table: list[Any] = (self._dense * fmpz_mat([list(form) for form in forms])).table()
            return table
        nothing = (fmpz(0),) * len(forms[0])
        some = [form if any(form) else None for form in forms]
        found = []
        for row in self._rows:
            total: Any = nothing
            for column, entry in row:
                form = some[column]
                if form is not None:
                    total = [a + entry * b for a, b in zip(total, form, strict=True)]
            found.append(total)
        return found


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
        moved = IntegerMatrix(frame)
        self._chart_scale = moved.scale
        self._chart = moved.times([tuple(fmpz(int(i == j)) for j in range(len(frame.T))) for i in range(len(frame.T))])
        self.infinity: Form = tuple(self._chart[-1])
        self._slice = (origin, basis, basis_tail)
        self._matrices: dict[int, list[tuple[int, IntegerMatrix]]] = {}
        self._biases: dict[int, tuple[list[int], int]] = {}
        self._cache: OrderedDict[tuple[int, bytes], Rows] = OrderedDict()
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
        return self._z(self.graph.layers[layer], pattern).forms

    def floats(self, layer: int) -> tuple[Floats, Floats]:
        """The forms of a layer that is affine on the whole domain, each number as the nearest float, and what it is
        off at most, float64 (n, d + 1) each."""
        rows = self._z(self.graph.layers[layer], [])
        exact = [[Fraction(int(x), rows.scale) for x in form] for form in rows.forms]
        near = np.array([[float(x) for x in form] for form in exact])
        off = [
            [abs(x - Fraction(y)) for x, y in zip(form, row, strict=True)]
            for form, row in zip(exact, near.tolist(), strict=True)
        ]
        return near, np.array([[np.nextafter(float(x), np.inf) if x else 0.0 for x in row] for row in off])

    def inputs(self) -> list[Form]:
        """For each matrix that the inputs are multiplied by the forms that its rows are, one after the other."""
        forms = self._inputs.forms
        return [tuple(row) for matrix in self.graph.input_matrices for row in IntegerMatrix(matrix).times(forms)]

    @cached_property
    def _inputs(self) -> Rows:
        (origin, head, tail), exponent = as_integers(*self._slice)
        n_in, more = len(origin), max(-exponent, 0)
        axes = [
            [(head[i * n_in + j] + tail[i * n_in + j]) << more for j in range(n_in)] for i in range(len(head) // n_in)
        ]
        axes.append([value << more for value in origin])
        moved = fmpz_mat(len(axes), n_in, [value for axis in axes for value in axis]).transpose()
        forms = (moved * fmpz_mat([list(row) for row in self._chart])).table()
        return Rows([tuple(row) for row in forms], self._chart_scale << max(exponent, 0))

    def _level(self, number: int) -> tuple[Level, list[tuple[int, IntegerMatrix]], tuple[list[int], int]]:
        level = self.graph.levels[number - 1]
        if number not in self._matrices:
            self._matrices[number] = [(source, IntegerMatrix(matrix)) for source, matrix in level.terms]
            (bias,), exponent = as_integers(level.bias)
            self._biases[number] = [value << max(-exponent, 0) for value in bias], 1 << max(exponent, 0)
        return level, self._matrices[number], self._biases[number]

    def _z(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> Rows:
        """The forms of a level's units where the layers below it have `pattern`."""
        below = range(self._layers_below[number])
        key = (number, b"".join(np.asarray(pattern[i], dtype=np.bool_).tobytes() for i in below))
        found = self._cache.get(key)
        if found is None:
            self._cache[key] = found = self._sum(number, pattern)
            if len(self._cache) > CACHED_LEVELS:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return found

    def _sum(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> Rows:
        level, matrices, (bias, bias_scale) = self._level(number)
        terms = list[tuple[list[Any], int]]()
        for source, matrix in matrices:
            values = self._values(source, pattern)
            terms.append((matrix.times(values.forms), matrix.scale * values.scale))
        one_scale = bias_scale * self._chart_scale
        scale = lcm(one_scale, *(each for _, each in terms))
        one = [scale // one_scale * value for value in self.infinity]
        forms = [[b * w for w in one] for b in bias]
        for products, each in terms:
            factor = scale // each
            forms = [
                [a + factor * b for a, b in zip(form, row, strict=True)]
                for form, row in zip(forms, products, strict=True)
            ]
        if level.divisors is not None:
            whole = lcm(*level.divisors.tolist())
            factors = [whole // divisor for divisor in level.divisors.tolist()]
            forms = [[factor * value for value in form] for factor, form in zip(factors, forms, strict=True)]
            scale *= whole
        return Rows([tuple(form) for form in forms], scale)

    def _values(self, number: int, pattern: Sequence[NDArray[np.bool_]]) -> Rows:
        """What a level hands on where the layers have `pattern`."""
        if number == INPUTS:
            return self._inputs
        if number == COORDINATES:
            return Rows([tuple(row) for row in self._chart], self._chart_scale)
        rows, slopes = self._z(number, pattern), self.graph.levels[number - 1].slopes
        if slopes is None:
            return rows
        factors = np.where(pattern[self.graph.layer_of[number]], slopes[1], slopes[0])
        (whole,), exponent = as_integers(factors)
        whole = [value << max(-exponent, 0) for value in whole]
        nothing = (fmpz(0),) * (self.dimension + 1)
        forms = [
            (form if factor == 1 else tuple(factor * value for value in form)) if factor else nothing
            for factor, form in zip(whole, rows.forms, strict=True)
        ]
        return Rows(forms, rows.scale << max(exponent, 0))


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
