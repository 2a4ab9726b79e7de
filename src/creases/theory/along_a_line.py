"""Why neurons rarely cut often: each neuron's pre-activation along a segment (Hanin and Rolnick 2019, section 3.2).

To cut a line k times a pre-activation must pass its own threshold k times: up and down again within its range. That
takes a total variation of many times the range, so a steep gradient, or a bias that hits a narrow band.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creases.counting import count
from creases.domain import Segment
from creases.network import Network
from creases.subdivision import subdivide_flat

__all__ = ["NeuronOnLine", "neurons_along"]


class NeuronOnLine(NamedTuple):
    """One neuron along a segment.

    layer, neuron : which, from 0. crossings : zeros of its pre-activation, proved.
    lowest, highest : range of the pre-activation without its bias, W a; it vanishes where W a = threshold.
    variation : total variation of the pre-activation. steepest : largest slope, a unit of length of input space.
    oscillations : variation / range, how many times it runs through its own range; crossings are at most that, if every
        run goes through all of it.
    """

    layer: int
    neuron: int
    crossings: int
    threshold: float
    lowest: float
    highest: float
    variation: float
    steepest: float

    @property
    def oscillations(self) -> float:
        """variation / range; 1 for a monotone pre-activation, 0 for a constant one."""
        return self.variation / (self.highest - self.lowest) if self.highest > self.lowest else 0.0

    def slope_for(self, crossings: int, length: float) -> float:
        """The mean slope that so many crossings take on this length, if each run goes through the neuron's range."""
        return max(crossings - 1, 0) * (self.highest - self.lowest) / length


def neurons_along(network: Network, segment: Segment) -> list[NeuronOnLine]:
    """Every hidden neuron along a segment, first layer first.

    Crossings are counted by the engine; the rest is read off the pre-activations at the breaks, between which they are
    linear, in floats. Raises DomainError if the segment does not lie in the network's input space.

    Examples
    --------
    >>> from creases.theory import sawtooth
    >>> [neuron.crossings for neuron in neurons_along(sawtooth(3), Segment([-1.0], [1.0]))]
    [1, 1, 0, 2, 0, 4]
    """
    counted = count(network, segment, by_neuron=True, progress=False)
    assert counted.by_neuron is not None
    cells = subdivide_flat(network, segment, progress=False)
    breaks = np.append(cells.intervals()[:, 0], cells.intervals()[-1, 1])
    length = float(np.linalg.norm(segment.slice.basis[0]))
    layers = network.pre_activations(segment.slice.points(breaks[:, None]))
    steps = np.diff(breaks) * length
    found = []
    for layer, (values, crossings) in enumerate(zip(layers, counted.by_neuron, strict=True)):
        bias = network.hidden[layer].bias
        moves = np.abs(np.diff(values, axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.where(steps[:, None] > 0, moves / steps[:, None], 0.0)
        for i in range(values.shape[1]):
            found.append(
                NeuronOnLine(
                    layer,
                    i,
                    crossings[i],
                    float(-bias[i]),
                    float(values[:, i].min() - bias[i]),
                    float(values[:, i].max() - bias[i]),
                    float(moves[:, i].sum()),
                    float(slopes[:, i].max(initial=0.0)),
                )
            )
    return found
