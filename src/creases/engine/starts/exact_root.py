"""The first local network of a small graph without rounding: its linear levels multiplied out once, all neurons open.

`graph_root` decides on every starting cell what is decided there. For a few hundred neurons that takes longer than to
cut the cell. Where no number is rounded (`proof.exact_layers`), what a layer takes from the inputs and from the layers
below does not depend on the cell, but for the forms of the inputs:

    z_l = P_l (forms of the inputs) + bias_l + sum over layers p < l of C_lp kink(z_p).
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from creases.engine.graph import COORDINATES, INPUTS, Graph, is_sparse, times
from creases.engine.problem import Floats, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, all_or_infinite
from creases.engine.proof.exact_layers import (
    Size,
    exact_from_sizes,
    fits,
    largest,
    largest_row,
    plus,
    size_of_forms,
)
from creases.engine.proof.exact_layers import times as product
from creases.engine.starts.chart import AnyStart
from creases.engine.starts.first_layer import first_forms, in_chart
from creases.engine.starts.graph_root import GraphRoot, OpenRows, pairs

__all__ = ["exact_root"]

# With more neurons it pays to decide some of them first.
MOST_NEURONS = 300


class Composed(NamedTuple):
    """A level over the forms that come of the inputs, and over the neurons below.

    forms : float64 (n, units of levels that take from the inputs). bias : float64 (n,).
    couplings : for each layer, by its number among the layers, float64 (n, its neurons). steep : their absolute values,
    side by side.
    """

    forms: Floats
    bias: Floats
    couplings: dict[int, Floats]
    steep: Floats


class ComposedLayers(NamedTuple):
    """The layers of a graph. forms, bias : those of all layers, one after the other. sizes : of their largest rows."""

    layers: list[Composed]
    forms: Floats
    bias: Floats
    sizes: tuple[Size, Size]


# Of each graph that is in use; None for one that has none.
known: WeakKeyDictionary[Graph, ComposedLayers | None] = WeakKeyDictionary()


def exact_root(problem: Problem, start: AnyStart) -> GraphRoot | None:
    """The first local network of a problem's graph on a starting cell, all neurons open; None if it is not small, or
    something in it rounds."""
    graph, chart = problem.graph, start.chart
    if chart.shape[0] != problem.dimension + 1 or len(problem.frame.T) > chart.shape[1]:  # a wall
        return None
    if not np.isin(chart[-1], (0.0, 1.0, -1.0)).all():
        return None
    if graph not in known:
        known[graph] = composed(graph) if is_small(graph) else None
    made = known[graph]
    if made is None:
        return None
    inputs = {
        number: in_chart(*first_forms(problem, matrix, level.bias), chart)
        for number, level in enumerate(graph.levels, 1)
        for source, matrix in level.terms
        if source == INPUTS
    }
    sizes = {number: size_of_forms(*each) for number, each in inputs.items()}
    if not all(exact_from_sizes(graph, sizes)):
        return None
    size: Size = (0, 0)
    for each in sizes.values():
        assert each is not None  # or some level is not exact
        size = largest(size, each)
    factor, constant = made.sizes
    if not fits(plus(product(factor, size), constant)):
        return None
    return root_of(made, np.concatenate([forms for forms, _ in inputs.values()]), chart[-1])


def root_of(made: ComposedLayers, inputs: Floats, infinity: Floats) -> GraphRoot:
    """The first local network. inputs : the forms of the inputs. infinity : the form that is one on finite points.

    Sizes as `graph_root.with_sizes` has them, of rows without errors.
    """
    forms = made.forms @ inputs + made.bias[:, None] * infinity
    sizes = pairs(forms, len(infinity) - 1)
    errors, begin = np.zeros_like(sizes), 0
    rows, values = list[OpenRows](), dict[int, Floats]()
    for layer, level in enumerate(made.layers):
        end = begin + len(level.bias)
        own = sizes[begin:end]
        if level.couplings:
            own = own + level.steep @ np.concatenate([values[below] for below in level.couplings])
        own = all_or_infinite(own * ROUND_UP + UNDERFLOW * (own > 0))
        rows.append(OpenRows(np.arange(end - begin), forms[begin:end], errors[begin:end], own, level.couplings))
        values[layer], begin = own * ROUND_UP, end
    return GraphRoot(rows, np.zeros(len(forms), np.bool_), [True] * len(rows))


def is_small(graph: Graph) -> bool:
    """Whether a graph is one of a few neurons with ReLU, and of linear units."""
    return graph.first_neurons[-1] <= MOST_NEURONS and all(
        level.groups is None
        and level.divisors is None
        and level.doubts is None
        and COORDINATES not in level.sources
        and (level.slopes is None or (not level.slopes[0].any() and bool((level.slopes[1] == 1.0).all())))
        for level in graph.levels
    )


def composed(graph: Graph) -> ComposedLayers | None:
    """The layers of a small graph, multiplied out; None where a number may be rounded."""
    begins: dict[int, int] = {}
    columns = 0
    for number, level in enumerate(graph.levels, 1):
        if INPUTS in level.sources:
            begins[number], columns = columns, columns + len(level.bias)
    values: dict[int, Composed] = {}
    layers, sizes = list[Composed](), Sizes()
    for number, level in enumerate(graph.levels, 1):
        n = len(level.bias)
        forms, bias, couplings = np.zeros((n, columns)), level.bias.copy(), dict[int, Floats]()
        if number in begins:  # their forms have the biases
            forms[:, begins[number] : begins[number] + n], bias = np.eye(n), np.zeros(n)
        for source, matrix in level.terms:
            if source == INPUTS:
                continue
            dense = matrix.toarray() if is_sparse(matrix) else matrix
            below = values[source]
            forms, bias = forms + times(dense, below.forms), bias + times(dense, below.bias)
            for layer, coupling in below.couplings.items():
                couplings[layer] = couplings.get(layer, 0.0) + times(dense, coupling)
        if not sizes.fit_with(number, graph, bias if number in begins else level.bias, number in begins):
            return None
        couplings = {layer: coupling for layer, coupling in couplings.items() if coupling.any()}
        steep = np.concatenate([np.zeros((n, 0)), *(np.abs(coupling) for coupling in couplings.values())], axis=1)
        mine = Composed(forms, bias, couplings, steep)
        if level.slopes is not None:
            layers.append(mine)
            mine = Composed(np.zeros((n, columns)), np.zeros(n), {graph.layer_of[number]: np.eye(n)}, np.eye(n))
        values[number] = mine
    all_forms, all_biases = (np.concatenate([each[i] for each in layers]) for i in range(2))
    return ComposedLayers(layers, all_forms, all_biases, (largest_row(all_forms), largest_row(all_biases[:, None])))


class Sizes:
    """Bounds on all that is added up as levels are multiplied out: what fits has not been rounded."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Size, Size]] = {}

    def fit_with(self, number: int, graph: Graph, bias: Floats, begins: bool) -> bool:
        """Whether a level's numbers are exact, those of the levels below being so.

        Of each level the largest sums of absolute values: of forms and couplings together, and of the bias.
        """
        level = graph.levels[number - 1]
        entries: Size = (1, 0) if begins else (0, 0)
        constant = largest_row(bias[:, None])
        for source, matrix in level.terms:
            if source != INPUTS:
                factor, below = largest_row(matrix), self._known[source]
                entries, constant = plus(entries, product(factor, below[0])), plus(constant, product(factor, below[1]))
        self._known[number] = ((1, 0), (0, 0)) if level.slopes is not None else (entries, constant)
        return fits(entries) and fits(constant)
