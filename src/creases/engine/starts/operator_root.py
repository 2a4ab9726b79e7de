"""The first local network of a large graph on a tile, computed operator by operator, as a small graph.

Level by level the units are columns (`columns.values`): along each coordinate, along the constant, and along each unit
below that is open on the tile. Bounds and relaxations are those of `graph_root`. Decided units are substituted at once,
so at the end only the open units are left: a small graph of the domain's coordinates, whose numbers have errors up to
its `doubts`. The loop starts from it as from any network, and no matrix is ever written out. The cost is that of a
forward pass for each column, in slices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.columns.prepared import prepared
from creases.engine.columns.values import Columns, coordinates, stretched, summed_columns, with_units
from creases.engine.graph import INPUTS, Doubts, Floats, Graph, Level, Matrix
from creases.engine.problem import Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, all_or_infinite
from creases.engine.starts.cell import RootCell
from creases.engine.starts.chart import LargeRoot
from creases.engine.starts.first_layer import in_chart
from creases.engine.starts.graph_root import (
    Decided,
    Relaxed,
    Rows,
    decide,
    decide_switches,
    doubtful,
    tied,
    vanish,
    with_sizes,
)
from creases.engine.starts.precise_forms import PreciseForms
from creases.engine.state.growth import check_room

Bools = NDArray[np.bool_]

__all__ = ["SmallGraph", "open_units", "small_graph"]


# The largest number of entries of all columns of a level, 1 GiB; their low parts take as much again, and a few levels
# are in memory at a time.
MOST_ROOT_NUMBERS = 1 << 27


class SmallGraph(NamedTuple):
    """A large problem on one tile.

    problem : of the open units, on the coordinates of the same domain.
    layers : int64 (layers,), the layer of the large graph of which each of its layers is a part.
    units : for each of its layers the open units, int64.
    active : bool (N,), which units of the large graph are active on the whole tile.
    """

    problem: Problem
    layers: Ints
    units: list[Ints]
    active: Bools


class Open(NamedTuple):
    """The open units of one layer: their numbers, their columns (c, m), and the error bounds of these (c, m).

    level : the level to which they belong.
    """

    units: Ints
    hi: Floats
    doubts: Floats
    level: Level


def small_graph(
    problem: Problem,
    cell: RootCell,
    twins: Ints,
    most_open: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> SmallGraph:
    """The small graph of the units that are open on a cell.

    twins : int64 (N,), of all units (`twins_of`). most_open : how many units may be open on it, if it matters.
    say : called with a word for each step, and with "" at the end.
    Raises LargeRoot if there are more, or if their columns would have more than MOST_ROOT_NUMBERS entries per level;
    NotEnoughMemoryError if there is not enough memory for them.
    """
    return made(problem, cell, twins, most_open, say).result()


def open_units(problem: Problem, cell: RootCell, twins: Ints) -> int:
    """The number of units that are open on a cell; the arguments are those of `small_graph`."""
    return made(problem, cell, twins, None, lambda _: None).count


def made(problem: Problem, cell: RootCell, twins: Ints, most_open: int | None, say: Callable[[str], None]) -> Making:
    """All levels on a cell, for `small_graph`."""
    graph, making = problem.graph, Making(problem, cell, twins)
    with np.errstate(all="ignore"):
        for number, level in enumerate(graph.levels, 1):
            say(f"level {number} of {len(graph.levels)}, {making.count:,} units open here")
            numbers = (making.k + making.count) * len(level.bias)
            if most_open is not None and numbers > MOST_ROOT_NUMBERS:
                raise LargeRoot(len(making.open_layers), making.count)
            # The factor, the product, and the copy with its own units: high and low parts.
            check_room(6 * numbers, [len(layer.units) for layer in making.open_layers])
            making.put(number, level)
            if most_open is not None and making.count > most_open:
                raise LargeRoot(len(making.open_layers) - 1, making.count)
            for source in graph.spent[number]:
                del making.values[source]
    say("")
    return making


class Making:
    """The levels that are computed, one after the other.

    values : the columns of each level that is used later.
    """

    def __init__(self, problem: Problem, cell: RootCell, twins: Ints) -> None:
        self.problem, self.cell, self.twins = problem, cell, twins
        self.graph, self.k = problem.graph, problem.dimension + 1
        self.values: dict[int, Columns] = {INPUTS: coordinates(problem)}
        self.relaxed: dict[int, Relaxed] = {}
        self.signs = np.zeros(sum(self.graph.widths), np.int64)
        self.open_layers: list[Open] = []

    @property
    def count(self) -> int:
        """The number of open units so far."""
        return sum(len(layer.units) for layer in self.open_layers)

    def put(self, number: int, level: Level) -> None:
        """Compute a level from its sources."""
        sources = [self.values[source] for source in level.sources]
        columns = summed_columns(level, prepared(self.graph, number), sources, self.k - 1)
        if level.slopes is None:
            self.values[number] = columns
            return
        layer = self.graph.layer_of[number]
        made = self.decide(layer, level, columns)
        self.signs[self.first(layer) : self.first(layer + 1)] = made.signs
        self.relaxed[layer] = made.band
        self.open_layers.append(Open(made.left, columns.hi[:, made.left], columns.doubts(made.left), level))
        before = self.k + self.count - len(made.left)
        dropped = made.factors == 0.0  # also for open units
        self.values[number] = with_units(stretched(columns, made.factors), before, made.left, dropped)

    def first(self, layer: int) -> int:
        """The number of a layer's first unit."""
        return self.graph.first_neurons[layer]

    def decide(self, layer: int, level: Level, columns: Columns) -> Decided:
        """The proved signs of a layer on the cell, and the open units."""
        rows = self.rows(columns)
        # A unit without nonzero columns is zero around the cell too, even if the cell lies on a wall: columns are those
        # of the domain's coordinates, and decided units below have one sign on the closed cell, and so around it.
        nothing: Bools = ~np.logical_or.reduce(columns.some, 0)
        if not self.cell.on_wall:
            nothing |= vanish(rows)
        if level.groups is None:
            return decide(level, rows, self.relaxed, {}, nothing, self.cell)
        twins = self.twins[self.first(layer) : self.first(layer + 1)]
        out = tied(level.groups, twins, self.signs, nothing)
        return decide_switches(level.groups, rows, self.relaxed, out, self.cell)

    def rows(self, columns: Columns) -> Rows:
        """Columns as rows on the cell, in its chart; their errors include the difference from hi."""
        forms = np.ascontiguousarray(columns.hi[: self.k].T)
        own = columns.part(slice(0, self.k))
        moved, errors = in_chart(forms, np.ascontiguousarray(own.doubts(slice(None)).T), self.cell.chart)
        couplings: dict[int, Matrix] = {}
        column = self.k
        for layer, below in enumerate(self.open_layers):
            end = column + len(below.units)
            if column < end <= len(columns.hi):
                couplings[layer] = columns.hi[column:end].T
                part = columns.part(slice(column, end))
                errors = errors + doubtful(part.doubts(slice(None)).T, self.relaxed[layer].sizes)
            column = end
        errors = all_or_infinite(errors * ROUND_UP)
        errors[errors > 0.0] += UNDERFLOW
        return with_sizes(moved, errors, couplings, self.relaxed, len(self.cell.infinity) - 1)

    def result(self) -> SmallGraph:
        """The small graph of the open units."""
        levels: list[Level] = []
        numbers: dict[int, int] = {}
        starts = np.cumsum([self.k, *(len(layer.units) for layer in self.open_layers)]).tolist()
        for layer, opened in enumerate(self.open_layers):
            if len(opened.units):
                levels.append(small_level(opened, layer, starts, numbers))
                numbers[layer] = len(levels)
        d = self.k - 1
        layers, units = np.array(list(numbers), np.int64), [self.open_layers[layer].units for layer in numbers]
        precise = PreciseForms(self.problem, self.signs > 0, layers, units)
        problem = self.problem._replace(
            graph=Graph(tuple(levels), precise), origin=np.zeros(d), basis=np.eye(d), basis_tail=np.zeros((d, d))
        )
        return SmallGraph(problem, layers, units, self.signs > 0)


def small_level(opened: Open, layer: int, starts: list[int], numbers: dict[int, int]) -> Level:
    """The level of the open units of a layer.

    starts : the beginnings of the columns of each layer's units. numbers : the numbers of the small graph's levels, by
        layer.
    """
    d = starts[0] - 1
    sources, parts = [INPUTS], [slice(0, d)]
    for below in range(layer):
        here = slice(starts[below], starts[below + 1])
        # A number that is zero here, but may not be, still needs its source.
        if opened.hi[here].any() or opened.doubts[here].any():
            sources.append(numbers[below])
            parts.append(here)
    matrices, doubts = (
        tuple(np.ascontiguousarray(whole[part].T) for part in parts) for whole in (opened.hi, opened.doubts)
    )
    level = opened.level
    assert level.slopes is not None
    groups = None if level.groups is None else np.unique(level.groups[opened.units], return_inverse=True)[1]
    return Level(
        tuple(sources),
        matrices,
        opened.hi[d].copy(),
        np.ascontiguousarray(level.slopes[:, opened.units]),
        groups,
        None,
        Doubts(tuple(sources), doubts, opened.doubts[d].copy()),
    )
