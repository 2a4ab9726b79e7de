"""Rows whose sign needs no arithmetic: sums in which all that is added has one sign.

On a cell of the layers below a neuron of a chain is a sum of active neurons, each of which is positive inside the cell,
times its weights, and of its bias. Where all of these that are there have one sign, that is the neuron's, and it does
not cut. So it is where a layer hands on the one below, where layers were pruned, where only few neurons are active;
there every corner that lies on a neuron's hyperplane is an exact zero, which no bound on floats can prove. Nothing is
rounded: signs of the stored weights are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.engine.kernel import kernel
from creases.engine.problem import Floats, Ints
from creases.engine.state.row_layout import ACTIVE, FIRST_NEURON, INACTIVE, OPEN, SIGNS

__all__ = ["status_of_sum", "write_signs"]


def write_signs(work: Any, weights: Sequence[Floats], biases: Sequence[Floats], constants: bool) -> Any:
    """Write the signs of a chain's weights and biases into a workspace, layer after layer but for the first.

    constants : False among directions, where biases are nothing. Returns the workspace, whose array may be another.
    """
    blocks, begin = [np.zeros(0, np.int8)], 0
    for layer, (weight, bias) in enumerate(zip(weights[1:], biases[1:], strict=True), 1):
        column = bias[:, None] if constants else np.zeros((len(bias), 1))
        blocks.append(np.sign(np.concatenate([weight, column], axis=1)).astype(np.int8).ravel())
        work.layer_ints[layer, SIGNS] = begin
        begin += blocks[-1].size
    signs = np.concatenate(blocks)
    return work._replace(signs=signs if signs.size else np.zeros(1, np.int8))


@kernel
def status_of_sum(pattern: Ints, layer_ints: Ints, signs: NDArray[np.int8], layer: int, unit: int) -> int:
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
