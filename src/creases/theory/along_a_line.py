"""Why neurons rarely cut often: each neuron's pre-activation along a segment (Hanin and Rolnick 2019, section 3.2).

To cut a line k times, a pre-activation must cross its own threshold k times, up and down within its range. That
requires a total variation of many times the range, that is, a steep gradient, or a bias in a narrow band.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex import Complex
from creases.counting import count
from creases.domain import Segment
from creases.errors import DomainError
from creases.network import Clip, Level, Network
from creases.subdivision import subdivide_flat
from creases.theory.arguments import positive, whole
from creases.theory.forms import bent, unpacked
from creases.theory.graphs import has_switches

__all__ = ["NeuronOnLine", "SwitchOnLine", "neurons_along", "switches_along"]


class NeuronOnLine(NamedTuple):
    """One neuron along a segment.

    layer, neuron : indices, from 0. crossings : number of zeros of its pre-activation, proved.
    lowest, highest : range of the pre-activation without its bias, W a; the pre-activation is zero where W a =
        threshold.
    variation : total variation of the pre-activation. steepest : its largest slope, per unit of length of input space.
    turns : values of W a at both ends of the segment and at its local extrema, in order.
    oscillations : variation / range, the mean number of crossings over all thresholds within the range (Banach's
        indicatrix). Many crossings need a variation of many times the range, or a threshold in a narrow band: see
        `slope_for` and `thresholds_for`.
    """

    layer: int
    neuron: int
    crossings: int
    threshold: float
    lowest: float
    highest: float
    variation: float
    steepest: float
    turns: tuple[float, ...]

    @property
    def oscillations(self) -> float:
        """variation / range; 1 for a monotone pre-activation, 0 for a constant one."""
        return self.variation / (self.highest - self.lowest) if self.highest > self.lowest else 0.0

    def slope_for(self, crossings: int, length: float) -> float:
        """The mean slope needed for this number of crossings on this length, if each monotone piece covers the neuron's
        range.

        Raises NetworkError unless crossings is an integer of at least 0 and length is finite and above 0.
        """
        return max(whole(crossings, "crossings", 0) - 1, 0) * (self.highest - self.lowest) / positive(length, "length")

    def thresholds_for(self, crossings: int) -> list[tuple[float, float]]:
        """The thresholds with at least this number of crossings, as a list of disjoint open intervals.

        The intervals may contain local extrema, single values that do not belong to the set.
        Raises NetworkError unless crossings is an integer of at least 1.
        """
        least, ends = whole(crossings, "crossings", 1), np.array([self.turns[:-1], self.turns[1:]])
        levels = np.unique(ends)
        lows, highs = np.sort(ends.min(axis=0)), np.sort(ends.max(axis=0))
        often = np.searchsorted(lows, levels, "right") - np.searchsorted(highs, levels, "right") >= least
        intervals: list[tuple[float, float]] = []
        for i in np.flatnonzero(often):
            low, high = float(levels[i]), float(levels[i + 1])
            if intervals and intervals[-1][1] == low:
                low = intervals.pop()[0]
            intervals.append((low, high))
        return intervals


class SwitchOnLine(NamedTuple):
    """One switch along a segment.

    layer, switch : indices, from 0.
    winners : positions in its group of the winning candidates from the start of the segment to its end, without
        repetitions of the same winner in a row. The winner on each region is proved; the order of the regions is that
        of their ends in float64.
    """

    layer: int
    switch: int
    winners: tuple[int, ...]

    @property
    def changes(self) -> int:
        """Number of changes of the winner."""
        return len(self.winners) - 1


def neurons_along(network: Network, segment: Segment) -> list[NeuronOnLine]:
    """The pre-activations of all hidden neurons along a segment, first layer first, as a list of `NeuronOnLine`.

    network : any network, a chain or a graph. The two neurons of a clipped unit are ordered as in the pattern, those of
        the low bounds of a layer first; linear units are left out. For switches see `switches_along`.
    Crossings are counted with proof. The other values are computed in float64 from the pre-activations at the
    breakpoints, between which they are linear.
    Raises DomainError if the domain is not a Segment, or not in the network's input space.

    Examples
    --------
    >>> from creases.theory import sawtooth
    >>> [neuron.crossings for neuron in neurons_along(sawtooth(3), Segment([-1.0], [1.0]))]
    [1, 1, 0, 2, 0, 4]
    """
    check_segment(segment)
    counted = count(network, segment, by_neuron=True, progress=False)
    assert counted.by_neuron is not None
    cells = subdivide_flat(network, segment, progress=False)
    breaks = in_order(cells)[1]
    length = float(np.linalg.norm(segment.slice.basis[0]))
    layers = network.pre_activations(segment.slice.points(breaks[:, None]))
    levels = [network.levels[number - 1] for number in network.layers]
    steps = np.diff(breaks) * length
    neurons = []
    for layer, (level, z, crossings) in enumerate(zip(levels, layers, counted.by_neuron, strict=True)):
        if level.switches:
            continue
        units, thresholds = neurons_of(level)
        values = z - level.bias
        moves = np.abs(np.diff(z, axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.where(steps[:, None] > 0, moves / steps[:, None], 0.0)
        for i, (unit, threshold) in enumerate(zip(units.tolist(), thresholds.tolist(), strict=True)):
            neurons.append(
                NeuronOnLine(
                    layer,
                    i,
                    crossings[i],
                    threshold,
                    float(values[:, unit].min()),
                    float(values[:, unit].max()),
                    float(moves[:, unit].sum()),
                    float(slopes[:, unit].max(initial=0.0)),
                    turning(values[:, unit]),
                )
            )
    return neurons


def switches_along(network: Network, segment: Segment) -> list[SwitchOnLine]:
    """The winners of all switches along a segment, first layer first, as a list of `SwitchOnLine`.

    network : any network; a chain has no switches. Raises DomainError as `neurons_along` does.

    Examples
    --------
    >>> from creases.network import Dense, Level, Max
    >>> largest = Network.from_levels([Level({0: Dense([[-1.0], [0.0], [1.0]])}, None, Max([[0, 1, 2]]))])
    >>> switches_along(largest, Segment([-1.0], [1.0]))  # max(-x, 0, x): the 0 wins nowhere
    [SwitchOnLine(layer=0, switch=0, winners=(0, 2))]
    """
    check_segment(segment)
    cells = subdivide_flat(network, segment, progress=False)
    switches = []
    patterns = unpacked(network, cells.patterns[in_order(cells)[0]])
    for layer, (number, pattern) in enumerate(zip(network.layers, patterns, strict=True)):
        for switch, winners in enumerate(pattern.T.tolist() if network.levels[number - 1].switches else []):
            switches.append(SwitchOnLine(layer, switch, tuple(winner for winner, _ in groupby(winners))))
    return switches


def in_order(cells: Complex) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The cells from the start of the segment to its end, and their cells + 1 ends.

    The cells of a switch's winners are cut out one after the other, so they may be stored in another order.
    """
    ends = cells.corners[:, 0].reshape(-1, 2)
    order = np.argsort(ends.sum(axis=1), kind="stable") if has_switches(cells.network) else np.arange(len(ends))
    ends = np.maximum.accumulate(ends[order].ravel())
    return order, np.append(ends[::2], ends[-1])


def check_segment(segment: Segment) -> None:
    """Raise DomainError unless it is a Segment."""
    if not isinstance(segment, Segment):
        raise DomainError(f"Neurons are followed along a Segment, from one point to another; got {segment!r}.")


def neurons_of(level: Level) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each neuron of a level without switches, its unit and the value of z - bias at which it bends."""
    if isinstance(level.kink, Clip):
        places = np.arange(level.n_units)
        return np.tile(places, 2), (level.kink.bounds(level.n_units) - level.bias).ravel()
    units = bent(level)
    return units, -level.bias[units]


def turning(values: NDArray[np.float64]) -> tuple[float, ...]:
    """The first and last value of a sequence, and its local extrema."""
    moving = np.append(values[:1], values[1:][np.diff(values) != 0])
    up = np.diff(moving) > 0
    keep = np.concatenate([[True], up[1:] != up[:-1], [True]]) if len(moving) > 1 else [True]
    kept = moving[keep].tolist()
    return tuple(kept if len(kept) > 1 else kept * 2)
