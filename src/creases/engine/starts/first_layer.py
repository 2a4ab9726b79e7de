"""The first layer on a domain: its forms with bounds, and which of its neurons are independent there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from creases.engine.graph import COORDINATES, INPUTS, Graph, Level, Matrix, is_sparse, times
from creases.engine.problem import Floats, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, all_or_infinite
from creases.engine.proof.edges import difference
from creases.engine.proof.exact_layers import are_powers_of_two, is_exact_product
from creases.engine.proof.rational_forms import RationalForms
from creases.engine.starts.scales import column_scales, scaled_forms
from creases.rationals import independent

__all__ = [
    "FirstLayer",
    "axes_across",
    "first_forms",
    "first_layer_forms",
    "in_chart",
    "independent_rows",
    "linear_rank",
    "parting_forms",
    "rational_first",
    "restricted",
    "restricted_to",
    "steady_product",
]

Product = Callable[[Floats, Floats], Floats]


def steady_product(matrix: Floats, vector: Floats) -> Floats:
    """matrix @ vector, added column by column: the same floats on every processor, which BLAS does not guarantee."""
    total = np.zeros(len(matrix))
    for column, factor in zip(matrix.T, vector.tolist(), strict=True):
        total += column * factor
    return total


class FirstLayer:
    """The first layer of a problem on its domain; each part is computed once, when it is first needed.

    product : the function for products of a matrix with a vector, by which the forms are computed.
    """

    def __init__(self, problem: Problem, product: Product = np.matmul) -> None:
        self.problem = problem
        self._product = product

    @cached_property
    def forms(self) -> tuple[Floats, Floats]:
        """The forms and the bounds on their entries (`first_forms`)."""
        return first_layer_forms(self.problem, self._product)

    @cached_property
    def rows(self) -> list[int]:
        """Independent neurons, as many as the layer's rank on the domain (`independent_rows`)."""
        if not self.problem.graph.layers or self.problem.graph.layer(0).groups is not None:
            return []
        return independent_rows(self.problem, self.forms)

    @cached_property
    def constants(self) -> list[bool]:
        """For each layer whether a unit of its level, or of a linear level since the layer before, may have a
        constant."""
        by_layer, some = list[bool](), bool(self.problem.origin.any())
        for level in self.problem.graph.levels:
            some |= bool(level.bias.any()) or (level.doubts is not None and bool(level.doubts.bias.any()))
            if level.slopes is not None:
                by_layer.append(some)
                some = False
        return by_layer

    @property
    def is_constant_somewhere(self) -> bool:
        """Whether the domain is a whole space, and every region contains a line in a common direction."""
        if self.problem.vertices is not None or len(self.rows) == self.problem.dimension:
            return False
        return self.problem.graph.is_chain or linear_rank(parting_forms(self.problem)) < self.problem.dimension

    @property
    def is_lacking_rows(self) -> bool:
        """Whether the domain is a whole space that the layer's neurons do not cut into bounded cones."""
        return self.problem.vertices is None and len(self.rows) < self.problem.dimension


def first_layer_forms(problem: Problem, product: Product = np.matmul) -> tuple[Floats, Floats]:
    """Forms of the first layer in the domain's coordinates and bounds on their entries, float64 (n, d + 1) each.

    If there are linear levels below it, the entries are the floats nearest to the true ones.
    """
    level = problem.graph.layer(0)
    if level.sources == (INPUTS,) and not is_sparse(level.matrices[0]):
        return first_forms(problem, level.matrices[0], level.bias, product)
    exact = composed_forms(problem, level)
    return exact if exact is not None else RationalForms.of(problem).floats(0)


def composed_forms(problem: Problem, level: Level) -> tuple[Floats, Floats] | None:
    """`first_layer_forms` of a layer on one linear level of the inputs, if nothing rounds; else None."""
    below = problem.graph.levels[level.sources[0] - 1] if len(level.sources) == 1 and level.sources[0] > 0 else None
    if below is None or below.slopes is not None or below.sources != (INPUTS,) or below.divisors is not None:
        return None
    if level.doubts is not None or below.doubts is not None or level.bias.any():
        return None
    forms, bounds = first_forms(problem, below.matrices[0], below.bias)
    matrix = level.matrices[0]
    if bounds.any() or is_sparse(matrix) or not is_exact_product(matrix, forms):
        return None
    return matrix @ forms, np.zeros((len(matrix), forms.shape[1]))


def first_forms(problem: Problem, weight: Matrix, bias: Floats, product: Product = np.matmul) -> tuple[Floats, Floats]:
    """Forms of weight @ inputs + bias in the domain's coordinates and bounds on their entries, float64 (n, d + 1) each.

    A coordinate along one input times a power of two is exact; the error of other entries is at most gamma(m + 2), for
    m products per row, in whatever order `product` adds them. An entry that overflows has an infinite bound, even if it
    would be exact.
    """
    terms = weight.shape[1]
    if is_sparse(weight):
        product, terms = times, int(np.diff(weight.indptr).max(initial=0))
    rounding = (terms + 2) * UNIT * ROUND_UP
    forms, bounds = np.zeros((2, len(bias), len(problem.basis) + 1))
    absolute = abs(weight)
    with np.errstate(over="ignore", invalid="ignore"):
        for c, (head, tail) in enumerate(zip(problem.basis, problem.basis_tail, strict=True)):
            forms[:, c] = product(weight, head)
            if not is_axis(head, tail):
                lost = rounding * product(absolute, np.abs(head)) + product(absolute, np.abs(tail))
                bounds[:, c] = lost * ROUND_UP + UNDERFLOW
        forms[:, -1] = bias
        if problem.origin.any():
            forms[:, -1] += product(weight, problem.origin)
            bounds[:, -1] = rounding * (product(absolute, np.abs(problem.origin)) + np.abs(bias)) + UNDERFLOW
        if not math.isfinite(forms.sum()):  # a sum of finite numbers may overflow too, which is harmless here
            bounds[~np.isfinite(forms)] = np.inf
        return forms, all_or_infinite(bounds)


def is_axis(head: Floats, tail: Floats) -> bool:
    """Whether a basis vector is one coordinate times a power of two of at least one: then its products are exact, and
    do not underflow. Nothing is rounded here, because frexp only splits a number.
    """
    values = head[head != 0]
    return not tail.any() and values.size == 1 and abs(values[0]) >= 1.0 and are_powers_of_two(values)


def in_chart(forms: Floats, bounds: Floats, chart: Floats) -> tuple[Floats, Floats]:
    """Forms (n, k) and the pairs (E_g, E_w) (n, 2) in a chart, with the rounding errors of the product.

    Without bounds, and where all numbers are so short that no sum of products rounds (`is_exact_product`), the pairs
    are zero. So they are where the chart only scales by powers of two, and nothing is near underflow.
    UNDERFLOW is added unless an entry is known to be exact, so no bound is zero because it underflowed. The sizes that
    decide this are rounded, but not by a factor of 2^122: a product loses bits below 2^-1022, and is taken as inexact
    below 2^-900. An infinite bound or form times a zero of the chart is NaN: that entry, and one that overflows, gets
    an infinite bound.
    """
    d, diagonal = chart.shape[1] - 1, chart.diagonal()
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if (
            chart.shape[0] == chart.shape[1]
            and np.count_nonzero(chart) == np.count_nonzero(diagonal)
            and are_powers_of_two(diagonal)
        ):
            # Products with powers of two are exact unless they underflow.
            moved, grown = forms * diagonal, bounds * np.abs(diagonal)
            lost = ((forms != 0) & (np.abs(moved) < 2.0**-900)) | (bounds != 0)
        elif not bounds.any() and is_exact_product(forms, chart):
            return forms @ chart, np.zeros((len(forms), 2))
        else:
            moved, sizes = forms @ chart, np.abs(forms) @ np.abs(chart)
            grown = (bounds @ np.abs(chart) + (len(chart) + 2) * UNIT * sizes) * ROUND_UP
            touched = (forms != 0).astype(float) @ (chart != 0) > 0
            lost = (touched & (sizes < 2.0**-900)) | ((bounds != 0).astype(float) @ (chart != 0) > 0) | (grown != 0)
        grown[lost] += UNDERFLOW
        if not math.isfinite(moved.sum()):
            grown[~np.isfinite(moved)] = np.inf
        pairs = np.empty((len(forms), 2))
        pairs[:, 0], pairs[:, 1] = grown[:, :d].sum(axis=1) * ROUND_UP, grown[:, d]
        return moved, all_or_infinite(pairs)


def rational_first(problem: Problem, rows: Sequence[int], chart: Floats | None = None) -> list[Any]:
    """The exact forms of some neurons of the first layer, in the domain's coordinates or in a chart."""
    graph, some = problem.graph, list(rows)
    number = graph.layers[0]
    level = graph.levels[number - 1]
    assert level.slopes is not None
    restricted_level = level._replace(
        matrices=tuple(matrix[some] for matrix in level.matrices), bias=level.bias[some], slopes=level.slopes[:, some]
    )
    part = Graph((*graph.levels[: number - 1], restricted_level))
    return RationalForms(part, problem.origin, problem.basis, problem.basis_tail, chart).forms(0, [])


def independent_rows(problem: Problem, first: tuple[Floats, Floats] | None = None) -> list[int]:
    """Neurons of the first layer with linear parts that are proved independent, as many as its rank on the domain.

    For d <= 2, the largest one and the one most nearly orthogonal to it, which make the best chart. For larger d,
    elimination selects those most nearly orthogonal to the previous ones. Both in coordinates in which columns have
    similar size (`scales`): rows are independent there if they are in the coordinates of the domain. They are selected
    in floats, where rounding decides between equal ones: to select the same neurons on every machine, give as `first`
    the forms and bounds computed with `steady_product`.
    """
    forms, bounds = first or first_layer_forms(problem)
    forms, bounds = scaled_forms(forms, bounds, column_scales(forms))
    with np.errstate(all="ignore"):
        if problem.dimension == 1:
            best = int(np.argmax(np.abs(forms[:, 0])))
            if abs(forms[best, 0]) > bounds[best, 0]:
                return [best]
        elif problem.dimension == 2:
            sizes = np.abs(forms[:, :2]).max(axis=1)
            a = int(np.argmax(sizes))
            turns = forms[a, 0] * forms[:, 1] - forms[a, 1] * forms[:, 0]
            b = int(np.argmax(np.nan_to_num(np.abs(turns) / sizes)))
            moved = 2.0 * (np.abs(forms[a, :2]).max() + bounds[a, :2].max()) * bounds[b, :2].max()
            moved += 2.0 * sizes[b] * bounds[a, :2].max() + 8.0 * UNIT * sizes[a] * sizes[b]
            if abs(turns[b]) > moved * ROUND_UP + UNDERFLOW:
                return [a, b]
        else:
            rows = most_square(forms[:, :-1])
            if len(rows) == problem.dimension and linear_rank(rational_first(problem, rows)) == len(rows):
                return rows
    return independent(row[:-1] for row in rational_first(problem, range(len(forms))))


def linear_rank(rows: Sequence[Any]) -> int:
    """The rank of the linear parts of exact forms."""
    return len(independent(row[:-1] for row in rows))


def most_square(gradients: Floats) -> list[int]:
    """Rows (n, d) with the largest distance, relative to their length, from the span of the previous ones (Gram and
    Schmidt)."""
    norms = np.linalg.norm(gradients, axis=1)
    left = np.nan_to_num(gradients / np.where(norms > 0, norms, 1.0)[:, None])
    rows: list[int] = []
    for _ in range(gradients.shape[1]):
        sizes = np.linalg.norm(left, axis=1)
        best = int(np.argmax(sizes))
        if not sizes[best] > 1e-12:
            break
        rows.append(best)
        unit = left[best] / sizes[best]
        left = left - np.outer(steady_product(left, unit), unit)
    return rows


def restricted(problem: Problem) -> Problem | None:
    """A whole space whose regions all contain lines, as a whole space of fewer dimensions across the lines.

    No region ends along the lines, so they are divided out. None if no dimension is left.
    """
    axes = axes_across(problem)
    return restricted_to(problem, axes) if axes else None


def restricted_to(problem: Problem, axes: Sequence[int]) -> Problem:
    """The part of a whole space that is spanned by some of its coordinates."""
    if len(axes) == problem.dimension:
        return problem
    kept, levels = [*axes, problem.dimension], problem.graph.levels
    if any(COORDINATES in level.sources for level in levels):
        on_kept = [
            level._replace(matrices=tuple(m[:, kept] if s == COORDINATES else m for s, m in level.terms))
            for level in levels
        ]
        problem = problem._replace(graph=Graph(tuple(on_kept)))
    return problem._replace(basis=problem.basis[list(axes)], basis_tail=problem.basis_tail[list(axes)])


def parting_forms(problem: Problem) -> list[Any]:
    """Exact forms, in the domain's coordinates, whose linear parts vanish exactly along the directions in which every
    region contains a line.

    For a chain these are the forms of the first layer. Otherwise they are all forms that may divide a region, for one
    pattern: those of neurons, and the differences between candidates of a switch. The choice of the pattern does not
    matter: along a direction in which the lowest of these forms vanish, their units have the same slope everywhere
    (zero for a neuron, and the same for all candidates of a switch), and so have the levels above.
    """
    graph = problem.graph
    if graph.is_chain:
        return rational_first(problem, range(problem.widths[0]))
    exact, forms = RationalForms.of(problem), []
    pattern = [np.zeros(width, np.bool_) for width in problem.widths]
    for layer in range(len(problem.widths)):
        rows, groups = exact.forms(layer, pattern), graph.layer(layer).groups
        if groups is not None:
            _, first, place = np.unique(groups, return_index=True, return_inverse=True)
            pattern[layer][first] = True
            rows = [difference(row, rows[first[i]]) for row, i in zip(rows, place.tolist(), strict=True)]
        forms += rows
        if linear_rank(forms) == problem.dimension:  # no lines remain
            break
    return forms


def axes_across(problem: Problem) -> list[int]:
    """Coordinates of a whole space, across the lines that lie in every region, on which the dividing forms are
    independent: exact."""
    rows = parting_forms(problem)
    columns = [tuple(row[c] for row in rows) for c in range(problem.dimension)]
    # Axes on which the rows are independent, first those most nearly orthogonal to the zero sets, where zeros are
    # nearest.
    order = sorted(range(problem.dimension), key=lambda c: -max(abs(value) for value in columns[c]))
    return sorted(order[place] for place in independent(columns[c] for c in order))
