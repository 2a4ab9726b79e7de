"""Rows whose sign needs no arithmetic: sums in which all that is added has one sign.

On a cell of the layers below a neuron of a chain is a sum of active neurons, each of which is positive inside the cell,
times its weights, and of its bias. Where all of these that are there have one sign, that is the neuron's, and it does
not cut. So it is where a layer hands on the one below, where layers were pruned, where only few neurons are active;
there every corner that lies on a neuron's hyperplane is an exact zero, which no bound on floats can prove. Nothing is
rounded: signs of the stored weights are looked at.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from creases.engine.graph import Graph
from creases.engine.kernel import kernel
from creases.engine.problem import Ints
from creases.engine.state.row_layout import ACTIVE, FIRST_NEURON, INACTIVE, OPEN, SIGNS
from creases.engine.state.work import Signs

__all__ = ["status_of_sum", "write_signs"]


# The signs of each chain that is in use, with biases and without.
known_signs: WeakKeyDictionary[Graph, dict[bool, Signs]] = WeakKeyDictionary()


def write_signs(work: Any, graph: Graph, constants: bool) -> Any:
    """Put the signs of a chain's weights and biases into a workspace, layer after layer but for the first.

    constants : False among directions, where biases are nothing. Returns the workspace, whose array may be another.
    """
    signs = signs_of(graph, constants)
    begin = 0
    for layer, weight in enumerate(graph.weights[1:], 1):
        work.layer_ints[layer, SIGNS] = begin
        begin += weight.shape[0] * (weight.shape[1] + 1)
    return work._replace(signs=signs)


def signs_of(graph: Graph, constants: bool) -> Signs:
    """The signs of a chain's weights, row by row with the bias behind; kept while the graph is."""
    kept = known_signs.setdefault(graph, {})
    if constants not in kept:
        blocks = [np.zeros(1, np.int8)[:0]]
        for weight, bias in zip(graph.weights[1:], graph.biases[1:], strict=True):
            block = np.zeros((weight.shape[0], weight.shape[1] + 1), np.int8)
            block[:, :-1] = weight > 0
            block[:, :-1] -= weight < 0
            if constants:
                block[:, -1] = np.sign(bias)
            blocks.append(block.ravel())
        signs = np.concatenate(blocks)
        kept[constants] = signs if signs.size else np.zeros(1, np.int8)
    return kept[constants]


@kernel
def status_of_sum(pattern: Ints, layer_ints: Ints, signs: Signs, layer: int, unit: int) -> int:
    """ACTIVE or INACTIVE for a neuron of a layer, all layers below being decided on the current cell; OPEN where terms
    have both signs, or none are there."""
    first, end = layer_ints[layer - 1, FIRST_NEURON], layer_ints[layer, FIRST_NEURON]
    at = layer_ints[layer, SIGNS] + unit * (end - first + 1)
    bias = signs[at + end - first]
    above, below = bias > 0, bias < 0
    for neuron in range(first, end):
        if pattern[neuron >> 6] >> (neuron & 63) & 1:
            sign = signs[at + neuron - first]
            above, below = above or sign > 0, below or sign < 0
            if above and below:
                return OPEN
    if above:
        return ACTIVE
    return INACTIVE if below else OPEN
