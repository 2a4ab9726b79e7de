"""The first local network of a large graph on a tile, made operator by operator, and the small graph that it is.

Level by level the units are columns (`columns.values`): along each coordinate, along the constant, and along each unit
below that is open on the tile. Bounds and relaxations are those of `graph_root`. What is decided is substituted at
once, so that at the end only the open units are left: a small graph of the domain's coordinates, whose numbers are off
by no more than its `doubts` say. The loop starts from that as from any network, and no matrix is ever written out.

Its cost is that of a forward pass for each column, in slices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.values import Columns, bent, coordinates, summed_columns, with_units
from creases.engine.graph import INPUTS, Doubts, Floats, Graph, Level, Matrix, is_sparse
from creases.engine.problem import Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, all_or_infinite
from creases.engine.starts.cell import Cell
from creases.engine.starts.chart import LargeRoot
from creases.engine.starts.first_layer import in_chart
from creases.engine.starts.graph_root import (
    Decided,
    Relaxed,
    Rows,
    decide,
    decide_switches,
    or_infinite,
    tied,
    with_sizes,
)

Bools = NDArray[np.bool_]

__all__ = ["SmallGraph", "small_graph"]


class SmallGraph(NamedTuple):
    """A large problem on one tile.

    problem : of the open units, on the coordinates of the same domain.
    layers : int64 (layers,), which layer of the large graph each of its layers is a part of.
    units : for each of its layers the open units, int64.
    active : bool (N,), which units of the large graph are active on all of the tile.
    """

    problem: Problem
    layers: Ints
    units: list[Ints]
    active: Bools


class Open(NamedTuple):
    """The open units of one layer: their numbers, and their columns, hi (c, m), with bounds off (c,).

    exact : bool (m,), whose numbers are exact. level : the level that they are some of.
    """

    units: Ints
    hi: Floats
    off: Floats
    exact: Bools
    level: Level


def small_graph(problem: Problem, cell: Cell, twins: Ints, most_open: int | None = None) -> SmallGraph:
    """The small graph of the units that are open on a cell.

    twins : of all units (`exact_layers`). most_open : how many units may be open on it, if it matters.
    Raises LargeRoot as soon as more are.
    """
    making = Making(problem, cell, twins)
    last_use = {source: number for number, level in enumerate(problem.graph.levels, 1) for source in level.sources}
    with np.errstate(all="ignore"):
        for number, level in enumerate(problem.graph.levels, 1):
            making.put(number, level)
            if most_open is not None and making.count > most_open:
                raise LargeRoot(len(making.found) - 1, making.count)
            for source in level.sources:
                if last_use[source] == number:
                    del making.values[source]
    return making.result()


class Making:
    """The levels that are made, one after the other.

    values, exact : of each level that is used later, its columns, and which of its units' columns are exact.
    """

    def __init__(self, problem: Problem, cell: Cell, twins: Ints) -> None:
        self.problem, self.cell, self.twins = problem, cell, twins
        self.graph, self.k = problem.graph, problem.dimension + 1
        self.values: dict[int, Columns] = {INPUTS: coordinates(problem)}
        self.exact: dict[int, Bools] = {}
        self.relaxed: dict[int, Relaxed] = {}
        self.signs = np.zeros(sum(self.graph.widths), np.int64)
        self.found: list[Open] = []

    @property
    def count(self) -> int:
        """How many units are open so far."""
        return sum(len(layer.units) for layer in self.found)

    def put(self, number: int, level: Level) -> None:
        """Make a level from its sources."""
        columns = summed_columns(level, [self.values[source] for source in level.sources], self.k - 1)
        exact = copies(level, [self.exact.get(source) for source in level.sources])
        if level.slopes is None:
            self.values[number], self.exact[number] = columns, exact
            return
        layer = self.graph.layer_of[number]
        made = self.decide(layer, level, self.rows(columns, exact))
        self.signs[self.first(layer) : self.first(layer + 1)] = made.signs
        self.relaxed[layer] = made.band
        self.found.append(Open(made.left, columns.hi[:, made.left], columns.off, exact[made.left], level))
        before = self.k + self.count - len(made.left)
        self.values[number] = with_units(bent(columns, made.factors), before, made.left)
        self.exact[number] = (made.factors == 0.0) | (exact & np.isin(made.factors, (0.0, 1.0)))

    def first(self, layer: int) -> int:
        """The first unit of a layer among all."""
        return self.graph.first_neurons[layer]

    def decide(self, layer: int, level: Level, rows: Rows) -> Decided:
        """What is decided of a layer."""
        if level.groups is None:
            return decide(level, rows, self.relaxed, {}, self.cell)
        twins = self.twins[self.first(layer) : self.first(layer + 1)]
        out = tied(level.groups, rows, twins, self.signs, self.cell.on_wall)
        return decide_switches(level.groups, rows, self.relaxed, out, self.cell)

    def rows(self, columns: Columns, exact: Bools) -> Rows:
        """Columns as rows on the cell, in its chart: what is off of hi is in their errors, lo too."""
        forms = np.ascontiguousarray(columns.hi[: self.k].T)
        bounds = 2.0 * UNIT * np.abs(forms) + columns.off[: self.k]
        bounds[exact] = 0.0
        moved, errors = in_chart(forms, or_infinite(bounds), self.cell.chart)
        couplings: dict[int, Matrix] = {}
        column = self.k
        for layer, below in enumerate(self.found):
            end = column + len(below.units)
            if column < end <= len(columns.hi):
                couplings[layer] = columns.hi[column:end].T
                lost = 2.0 * UNIT * np.abs(couplings[layer]) + columns.off[column:end]
                more = or_infinite(lost @ self.relaxed[layer].sizes) * ROUND_UP
                more[exact] = 0.0
                errors = errors + more
            column = end
        errors = all_or_infinite(errors * ROUND_UP)
        errors[~exact] += UNDERFLOW
        return with_sizes(moved, errors, couplings, self.relaxed, len(self.cell.infinity) - 1)

    def result(self) -> SmallGraph:
        """The small graph of what was left open."""
        levels: list[Level] = []
        numbers: dict[int, int] = {}
        starts = np.cumsum([self.k, *(len(layer.units) for layer in self.found)]).tolist()
        for layer, found in enumerate(self.found):
            if len(found.units):
                levels.append(small_level(found, layer, starts, numbers))
                numbers[layer] = len(levels)
        d = self.k - 1
        problem = self.problem._replace(
            graph=Graph(tuple(levels)), origin=np.zeros(d), basis=np.eye(d), basis_tail=np.zeros((d, d))
        )
        units = [self.found[layer].units for layer in numbers]
        return SmallGraph(problem, np.array(list(numbers), np.int64), units, self.signs > 0)


def small_level(found: Open, layer: int, starts: list[int], numbers: dict[int, int]) -> Level:
    """The level of the open units of a layer.

    starts : where the columns of each layer's units begin. numbers : of the small graph's levels, by layer.
    """
    d = starts[0] - 1
    off = found.off + 2.0 * UNIT * np.abs(found.hi).max(axis=1)  # its low part is left out
    sources, matrices, columns = [INPUTS], [np.ascontiguousarray(found.hi[:d].T)], [off[:d]]
    for below in range(layer):
        here = slice(starts[below], starts[below + 1])
        if here.start < here.stop and found.hi[here].any():
            sources.append(numbers[below])
            matrices.append(np.ascontiguousarray(found.hi[here].T))
            columns.append(off[here])
        # Numbers that are zero here and off there would be a source too.
        elif here.start < here.stop and off[here].any():
            sources.append(numbers[below])
            matrices.append(np.zeros((len(found.units), here.stop - here.start)))
            columns.append(off[here])
    doubts = Doubts(np.where(found.exact, 0.0, 1.0), tuple(sources), tuple(columns), float(off[d]))
    level = found.level
    assert level.slopes is not None
    groups = None if level.groups is None else np.unique(level.groups[found.units], return_inverse=True)[1]
    return Level(
        tuple(sources),
        tuple(matrices),
        found.hi[d].copy(),
        np.ascontiguousarray(level.slopes[:, found.units]),
        groups,
        None,
        doubts,
    )


def copies(level: Level, exact: list[Bools | None]) -> Bools:
    """Which units of a level are no more than copies of units whose columns are exact: open ones, or zeros."""
    n = len(level.bias)
    found, count = level.bias == 0.0, np.zeros(n, np.int64)
    if level.divisors is not None:
        return np.zeros(n, np.bool_)
    for (_, matrix), known in zip(level.terms, exact, strict=True):
        if not is_sparse(matrix) or known is None:
            return np.zeros(n, np.bool_)
        nonzero = np.diff(matrix.indptr)
        entries = np.repeat(np.arange(n), nonzero)
        count += nonzero
        found = found & (np.bincount(entries, ~(known[matrix.indices] & (matrix.data == 1.0)), n) == 0)
    return found & (count <= 1)
