"""The forms of a few units of a large network on one pattern, more precisely than the small graph of a tile has them.

A small graph's numbers were computed for all patterns on a tile, and are off by a little. Where that leaves a sign
open, the network is applied once more, on the pattern that is asked about alone: its columns are those of the
coordinates and of the constant only, which are multiplied by all slices.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.values import Columns, bent, coordinates, summed_columns
from creases.engine.graph import INPUTS, Floats
from creases.engine.problem import Ints, Problem
from creases.engine.proof.doubled import DoubledRows, in_chart_doubled

__all__ = ["PreciseForms"]

Bools = NDArray[np.bool_]

# Patterns whose forms are kept.
KEPT = 64


class PreciseForms:
    """problem : the large one. active : bool (N,), which of its units are active on all of the tile.
    layers, units : for each layer of the small graph which one of the large graph's it is a part of, and its units.
    """

    def __init__(self, problem: Problem, active: Bools, layers: Ints, units: list[Ints]) -> None:
        self._problem, self._active = problem, active
        self._layers, self._units = layers.tolist(), units
        self._kept: OrderedDict[tuple[int, bytes], DoubledRows] = OrderedDict()

    def __call__(self, layer: int, pattern: Sequence[Bools], chart: Floats) -> DoubledRows:
        """The forms of the small graph's units of a layer, in a chart, where the layers below have `pattern`."""
        key = layer, b"".join(np.asarray(pattern[below]).tobytes() for below in range(layer))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._made(layer, pattern)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return in_chart_doubled(found, chart)

    def _made(self, layer: int, pattern: Sequence[Bools]) -> DoubledRows:
        graph = self._problem.graph
        active = self._active.copy()
        for below in range(layer):
            active[graph.first_neurons[self._layers[below]] + self._units[below]] = pattern[below]
        number = graph.layers[self._layers[layer]]
        last_use = {source: user for user, level in enumerate(graph.levels, 1) for source in level.sources}
        values: dict[int, Columns] = {INPUTS: coordinates(self._problem)}
        with np.errstate(all="ignore"):
            for user, level in enumerate(graph.levels[:number], 1):
                columns = summed_columns(level, [values[source] for source in level.sources], self._problem.dimension)
                if user == number:
                    break
                if level.slopes is not None:
                    first = graph.first_neurons[graph.layer_of[user]]
                    on = active[first : first + len(level.bias)]
                    columns = bent(columns, np.where(on, level.slopes[1], level.slopes[0]))
                values[user] = columns
                for source in level.sources:
                    if last_use[source] == user:
                        del values[source]
        units = self._units[layer]
        error = np.where(columns.loose[:, units], columns.off[:, None], 0.0)
        return DoubledRows(
            *(np.ascontiguousarray(part.T) for part in (columns.hi[:, units], columns.lo[:, units], error))
        )
