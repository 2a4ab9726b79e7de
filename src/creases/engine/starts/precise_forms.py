"""The forms of a few units of a large network on one pattern, more precise than in the small graph of a tile.

The numbers of a small graph were computed for all patterns on a tile, and have small errors. If these leave a sign
open, the network is applied again, only on the pattern in question: its columns are only those of the coordinates and
of the constant, which are multiplied more precisely. The patterns of adjacent cells agree in most layers, so the
computation begins at the first layer that differs from the previous pattern.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.prepared import prepared
from creases.engine.columns.values import Columns, bent, coordinates, summed_columns
from creases.engine.graph import INPUTS, Floats
from creases.engine.problem import Ints, Problem
from creases.engine.proof.doubled import DoubledRows, in_chart_doubled

__all__ = ["PreciseForms"]

Bools = NDArray[np.bool_]


class PreciseForms:
    """Forms of the large network's units on patterns of the small graph's. Threads may share one.

    problem : the large one. active : bool (N,), which of its units are active on the whole tile. layers, units : for
        each layer of the small graph, the layer of the large graph of which it is a part, and its units.
    """

    def __init__(self, problem: Problem, active: Bools, layers: Ints, units: list[Ints]) -> None:
        self._problem, self._graph = problem, problem.graph
        self._layers, self._units = layers.tolist(), units
        # For the last pattern: which units are active, the sums of the first levels, and the values of as many levels
        # or one less.
        self._active = active.copy()
        self._sums: list[Columns] = []
        self._values: list[Columns] = []
        self._lock = threading.Lock()

    def __call__(self, layer: int, pattern: Sequence[Bools], chart: Floats) -> DoubledRows:
        """The forms (n, k) of the small graph's units of a layer, in a chart (d + 1, k), for a pattern of the layers
        below.

        pattern : one bool array per layer of the small graph.
        """
        number, units = self._graph.layers[self._layers[layer]], self._units[layer]
        with self._lock, np.errstate(all="ignore"):
            self.begin_with(layer, pattern)
            while len(self._sums) < number:
                self.add_level()
            columns = self._sums[number - 1]
            error = np.where(columns.loose[:, units], columns.off[:, None], 0.0)
            parts = columns.hi[:, units], columns.lo[:, units], error
            rows = DoubledRows(*(np.ascontiguousarray(part.T) for part in parts))
        return in_chart_doubled(rows, chart)

    def begin_with(self, layer: int, pattern: Sequence[Bools]) -> None:
        """Discard the levels that depend on the layers in which this pattern, of the layers below, differs from the
        last one."""
        firsts = self._graph.first_neurons
        for below in range(layer):
            places = firsts[self._layers[below]] + self._units[below]
            if np.array_equal(self._active[places], pattern[below]):
                continue
            self._active[places] = pattern[below]
            number = self._graph.layers[self._layers[below]]  # its sums remain valid, and its values do not
            del self._sums[number:], self._values[number - 1 :]

    def add_level(self) -> None:
        """Compute the sums of the next level, from the values of those below."""
        while len(self._values) < len(self._sums):
            self._values.append(self.values_of(len(self._values) + 1))
        number = len(self._sums) + 1
        level, inputs = self._graph.levels[number - 1], coordinates(self._problem)
        sources = [inputs if source == INPUTS else self._values[source - 1] for source in level.sources]
        self._sums.append(summed_columns(level, prepared(self._graph, number), sources, self._problem.dimension))

    def values_of(self, number: int) -> Columns:
        """The values of a level."""
        level, sums = self._graph.levels[number - 1], self._sums[number - 1]
        if level.slopes is None:
            return sums
        first = self._graph.first_neurons[self._graph.layer_of[number]]
        on = self._active[first : first + len(level.bias)]
        copies = Columns(sums.hi.copy(), sums.lo.copy(), sums.off, sums.some, sums.loose.copy())
        return bent(copies, np.where(on, level.slopes[1], level.slopes[0]))
