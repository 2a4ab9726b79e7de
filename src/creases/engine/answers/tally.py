"""Count the cells of a domain, for `creases.count`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.driver import StartingCell, cut_domain
from creases.engine.answers.rational_count import RationalTally, count_below
from creases.engine.graph import Graph
from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper
from creases.engine.loop.oracle import has_tie
from creases.engine.problem import Floats, Problem
from creases.engine.proof.bounds import PROOFS
from creases.engine.proof.rational_forms import RationalForms, decided, pattern_at
from creases.engine.proof.sharing import shared_units
from creases.engine.proof.twins import twins_of
from creases.engine.starts.cell import point_cell
from creases.engine.starts.chart import AnyStart, RationalStart
from creases.engine.starts.first_layer import rational_first
from creases.engine.starts.tiles import Tile
from creases.engine.starts.workshop import Workshop
from creases.engine.state.output import FAR_BIT, take_cells, take_polytopes
from creases.engine.state.pattern import bits_of_bytes, bytes_of_bits, bytes_of_words
from creases.engine.state.slots import (
    EXACT_CELLS,
    UNBOUNDED,
    UNPROVED_SIGNS,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
)
from creases.errors import ComputationError

if TYPE_CHECKING:
    from creases.engine.starts.operator_root import SmallGraph
    from creases.engine.starts.whole_space import Walled

__all__ = ["Tally", "Totals", "WrittenTotals", "count_point", "tally", "tally_constant"]


class Tally(NamedTuple):
    """The counts of one cut.

    by_layer : regions after each hidden layer. by_neuron : for each layer and neuron, the regions of the layer
    below that it cuts. unbounded : the number of unbounded regions, None on a bounded domain. exact_cells : the number
        of cells for which rationals were needed. certified : True if every sign was proved. unproved_signs : the number
        of signs that were not.
    """

    by_layer: list[int]
    by_neuron: list[list[int]]
    unbounded: int | None
    exact_cells: int
    certified: bool
    unproved_signs: int = 0


def tally(
    problem: Problem, *, threads: int | None, by_neuron: bool, report: Report, workshop: Workshop | None = None
) -> Tally:
    """Count the cells of a problem; every sign that decides something is proved.

    threads : the number of threads, None for one per core. report : called with the number of new regions.
    workshop : arrays and tables of earlier counts of the same network, or on the same domain.
    Raises ComputationError if a thread flushes denormals to zero.
    """
    options: Any = {"threads": threads, "report": report, "workshop": workshop or Workshop()}
    shared = None if by_neuron else shared_units(problem.graph)
    if shared is None:
        return tally_of_all(problem, by_neuron=by_neuron, **options)
    found = tally_of_all(problem._replace(graph=shared.graph), by_neuron=False, **options)
    return found._replace(
        by_layer=[found.by_layer[layers - 1] for layers in shared.layers],
        by_neuron=[[0] * width for width in problem.widths],
    )


def tally_of_all(
    problem: Problem, *, threads: int | None, by_neuron: bool, report: Report, workshop: Workshop
) -> Tally:
    """`tally` with all units of the problem's graph."""
    total = cut_domain(
        problem,
        partial(Totals, by_neuron=by_neuron),
        threads=threads,
        by_neuron=by_neuron,
        report=report,
        workshop=workshop,
    )
    if total is None:
        return tally_constant(problem)
    if problem.vertices is None and by_neuron and not total.by_patterns:
        # The cones share the first layer: a neuron cuts the whole space once, if it is not constant on it.
        rows = rational_first(problem, range(problem.widths[0]))
        total.by_neuron[: problem.widths[0]] = [any(value != 0 for value in row[:-1]) for row in rows]
    return total.result(problem)


class Totals:
    """Sums over workspaces: the collector of a count. For a large network several threads may add to it.

    problem : the problem that is cut, without the lines that lie in every region. by_neuron : whether to count by
        neuron.
    """

    def __init__(self, problem: Problem, by_neuron: bool = False) -> None:
        self.problem, self._wanted = problem, by_neuron
        self.by_patterns = False  # True if by_neuron was computed from the regions' patterns
        self.by_layer = np.zeros(len(problem.widths), dtype=np.int64)
        self.by_neuron = np.zeros(sum(problem.widths), dtype=np.int64)
        self.unbounded = self.exact_cells = self.unproved_signs = 0
        self._lock = threading.Lock()

    def begin(self, start: AnyStart) -> Callable[[], CellKeeper] | None:
        """Finished cells are only counted."""
        return None

    def add(self, work: AnyWork, blocks: list[Any]) -> None:
        """Add the counts of a finished workspace."""
        self.by_layer += work.by_layer
        self.by_neuron += work.by_neuron
        self.unbounded += int(work.state[UNBOUNDED])
        self.exact_cells += int(work.state[EXACT_CELLS])

    def take_large(self) -> None:
        """Large networks can be counted."""

    def add_small(self, small: SmallGraph, work: AnyWork | None, whole: int) -> None:
        """Add the counts of a small graph: layers and units that it does not contain do not cut there."""
        if work is None:
            with self._lock:
                self.by_layer += whole
            return
        regions = np.append(whole, work.by_layer)
        more = regions[np.searchsorted(small.layers, np.arange(len(self.by_layer)), side="right")]
        firsts = self.problem.graph.first_neurons
        places = [firsts[layer] + units for layer, units in zip(small.layers, small.units, strict=True)]
        with self._lock:
            self.by_layer += more
            self.by_neuron[np.concatenate(places)] += work.by_neuron
            self.exact_cells += int(work.state[EXACT_CELLS])
            self.unproved_signs += int(work.state[UNPROVED_SIGNS])

    def add_rational(self, start: RationalStart) -> None:
        """Cut a cell that is not representable in floats in rational arithmetic alone, and add its counts."""
        if len(start.cell.rays[0]) < len(self.problem.frame.T):
            raise ComputationError(
                "A wall of the whole space has numbers so large or so small that floats cannot hold it. Cut a bounded "
                "domain."
            )
        forms = RationalForms.of(self.problem, self.problem.frame)
        exact = RationalTally(forms.widths)
        count_below(forms, start.cell, 0, start.signs, [], exact)
        self.by_layer += np.array(exact.by_layer)
        self.by_neuron += np.array([value for row in exact.by_neuron for value in row])
        self.unbounded += exact.unbounded
        self.exact_cells += exact.by_layer[-1]

    def add_point(self, tile: Tile) -> None:
        """Add the region that meets a point."""
        if self.problem.graph.is_large:
            from creases.engine.starts.operator_root import open_units

            # An open unit may be zero there, so it is not proved whether a region meets the point.
            cell = point_cell(self.problem, tile.chart)
            unproved = open_units(self.problem, cell, twins_of(self.problem.graph))
            with self._lock:
                self.unproved_signs += unproved
                self.by_layer += 1
            return
        self.by_layer += count_point(self.problem, tile)

    def on_wall(self) -> Totals | None:
        """The sums of a wall. None if regions are counted by neuron, because a neuron that lies in the wall cuts a
        region and neither of its halves, or if more than the number of regions is kept."""
        return Totals(self.problem) if type(self) is Totals and not self._wanted else None

    def take_off(self, wall: Totals) -> None:
        """Subtract the sums of a wall that halves a starting cell."""
        with self._lock:
            self.by_layer -= wall.by_layer
            self.unbounded -= wall.unbounded
            self.exact_cells += wall.exact_cells
            self.unproved_signs += wall.unproved_signs

    def add_walled(self, part: Walled, cut: Callable[[Problem, Iterable[StartingCell], Totals], None]) -> None:
        """Add, or subtract, the counts of a space that additional walls cut."""
        whole = len(part.axes) == part.problem.dimension and (self._wanted or not part.problem.directions)
        some = WalledTotals(part, self._wanted) if whole else Totals(part.problem)
        if part.axes:
            cut(part.problem, part.starts, some)
        else:
            some.by_layer += count_origin(part.problem)
        self.by_layer += part.sign * some.by_layer[int(part.inserted) :]
        if isinstance(some, WalledTotals):
            self.unbounded += len(some.far)
            if self._wanted:
                self.by_neuron, self.by_patterns = cutting(self.problem.graph, some.patterns), True
        self.exact_cells += some.exact_cells

    def result(self, whole: Problem) -> Tally:
        """The tally of everything that was added. whole : the problem with all its directions."""
        splits = np.cumsum(whole.widths)[:-1]
        # If every region contains a line, all are unbounded.
        unbounded = self.unbounded if self.problem.dimension == whole.dimension else int(self.by_layer[-1])
        return Tally(
            by_layer=self.by_layer.tolist(),
            by_neuron=[part.tolist() for part in np.split(self.by_neuron, splits)],
            unbounded=None if whole.vertices is not None or whole.directions else unbounded,
            exact_cells=self.exact_cells,
            certified=PROOFS and not self.unproved_signs,
            unproved_signs=self.unproved_signs,
        )


class WrittenTotals(Totals):
    """Sums over workspaces whose finished cells are written out, which requires floats."""

    def take_large(self) -> None:
        """Raises ComputationError: patterns of so many units are not written."""
        raise ComputationError(
            "The network is too large for its matrices to be written out, and its regions are counted, not listed. Use "
            "count."
        )

    def add_rational(self, start: RationalStart) -> None:
        """Raises ComputationError: the cell has no chart in floats."""
        raise ComputationError(
            "The network's first layer has numbers so large or so small, or neurons so nearly parallel, that floats "
            "cannot hold the cells of the whole space. Cut a bounded domain, or use count, which decides in rationals."
        )


class WalledTotals(Totals):
    """Sums over a whole space that additional walls have cut, and patterns of its regions: of the unbounded ones, and
    of all if regions are counted by neuron.

    Euler's relation gives neither number. Both halves of a region that contains a line may be unbounded although the
    wall's part is not; and a switch may cut both halves of a region although it does not cut the wall.
    """

    def __init__(self, part: Walled, every: bool) -> None:
        super().__init__(part.problem)
        self.far: set[bytes] = set()
        self.patterns: set[bytes] = set()
        self._every = every
        first = part.problem.widths[0]
        self._neurons = [*range(first - part.drawn), *range(first, sum(part.problem.widths))]

    def begin(self, start: AnyStart) -> Callable[[], CellKeeper]:
        """Cells are written out."""
        return PatternKeeper

    def add(self, work: AnyWork, blocks: list[tuple[NDArray[np.int64], NDArray[np.bool_]]]) -> None:
        """Add the counts and the written cells of a finished workspace."""
        super().add(work, blocks)
        for words, far in blocks:
            bits = bits_of_bytes(bytes_of_words(words, len(self.by_neuron)), len(self.by_neuron))
            patterns = bytes_of_bits(bits[:, self._neurons])
            self.far |= set(map(bytes, patterns[far]))
            if self._every:
                self.patterns |= set(map(bytes, patterns))

    def add_rational(self, start: RationalStart) -> None:
        """Raises ComputationError: the cell has no chart in floats, so no patterns are written."""
        raise ComputationError(
            "The whole space needs walls that are no neurons, and the network has numbers so large or so small that "
            "floats cannot hold the cells between them. Cut a bounded domain."
        )

    def add_point(self, tile: Tile) -> None:
        """Add the region that meets a point: one of the two directions of a line."""
        super().add_point(tile)
        bits = pattern_at(self.problem, tile.chart.sum(axis=1))[self._neurons]
        self.patterns.add(bytes(bytes_of_bits(bits[None])[0]))


class PatternKeeper:
    """Keeps the patterns of cells, and which of them are unbounded."""

    def take(self, work: AnyWork) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The patterns since the last call, int64 (cells, words)."""
        if isinstance(work, SpaceWork):
            written = take_polytopes(work)
            return written.patterns, np.logical_or.reduceat(written.masks[0] & FAR_BIT != 0, written.first[:-1])
        cells = take_cells(work)
        return cells.patterns, np.logical_or.reduceat(cells.at_infinity, cells.first[:-1])


def cutting(graph: Graph, patterns: Iterable[bytes]) -> NDArray[np.int64]:
    """For each unit, the number of regions of the layers below that it cuts, from the patterns of all regions; the
    number for a switch is at its first candidate."""
    counts = np.zeros(sum(graph.widths), np.int64)
    packed = np.array([np.frombuffer(pattern, np.uint8) for pattern in patterns])
    bits = bits_of_bytes(packed, len(counts))
    for layer, first in enumerate(graph.first_neurons[:-1]):
        width, groups = graph.widths[layer], graph.layer(layer).groups
        _, region = (
            np.unique(bits[:, :first], axis=0, return_inverse=True) if first else (None, np.zeros(len(bits), int))
        )
        region = np.ravel(region)
        total, on = np.bincount(region), np.zeros((region.max() + 1, width), np.int64)
        np.add.at(on, region, bits[:, first : first + width].astype(np.int64))
        cut = (on > 0) & (on < total[:, None])
        if groups is None:
            counts[first : first + width] = cut.sum(axis=0)
            continue
        for begin in np.searchsorted(groups, np.unique(groups)).tolist():
            counts[first + begin] = cut[:, groups == groups[begin]].any(axis=1).sum()
    return counts


def tally_constant(problem: Problem) -> Tally:
    """One region, the whole domain, which no neuron cuts."""
    unbounded = None if problem.directions or problem.vertices is not None else 1
    return Tally([1] * len(problem.widths), [[0] * width for width in problem.widths], unbounded, 0, True)


def count_origin(problem: Problem) -> list[int]:
    """`count_point` at zero, where all walls of a whole space meet. On directions only the whole space contains it."""
    origin = np.zeros((problem.dimension + 1, 1))
    if not problem.directions:
        origin[-1] = 1.0
    return count_at(problem, origin)


def count_point(problem: Problem, tile: Tile) -> list[int]:
    """For each layer, 1 if a region meets the tile's single point; 0 from the first layer with a neuron that is zero
    there but not in a neighbourhood."""
    return count_at(problem, tile.chart)


def count_at(problem: Problem, chart: Floats) -> list[int]:
    """`count_point` in a chart, float64 (d + 1, 1)."""
    forms, parent = RationalForms.of(problem, chart), RationalForms.of(problem, problem.frame)
    by_layer: list[int] = [0] * len(problem.widths)
    pattern: list[NDArray[np.bool_]] = []
    for layer in range(len(by_layer)):
        here, around, level = forms.forms(layer, pattern), parent.forms(layer, pattern), problem.graph.layer(layer)
        on = decided(level, [value for (value,) in here])
        if level.groups is None:
            ends = any(value == 0 and any(form) for (value,), form in zip(here, around, strict=True))
        else:
            ends = has_tie(level.groups.tolist(), on.tolist(), here, around)
        if ends:
            break
        by_layer[layer] = 1
        pattern.append(on)
    return by_layer
