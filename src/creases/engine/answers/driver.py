"""Cuts every starting cell of a problem, of whatever kind, and collects the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper, run
from creases.engine.problem import Problem
from creases.engine.starts.chart import AnyStart, RationalStart
from creases.engine.starts.starting import starts
from creases.engine.starts.tiles import CrowdedStart, Tile, start_of
from creases.engine.starts.workshop import Workshop
from creases.engine.state.work import (
    AnyWork,
)

if TYPE_CHECKING:
    from creases.engine.starts.whole_space import Walled

__all__ = ["Collector", "StartingCell", "collect", "cut_domain"]

# Every kind of starting cell: with a chart in floats, with too many facets, in rationals, or a tile.
StartingCell = AnyStart | CrowdedStart | RationalStart | Tile


class Collector(Protocol):
    """What an answer is made of, as cells are cut."""

    def begin(self, start: AnyStart | CrowdedStart) -> Callable[[], CellKeeper] | None:
        """A starting cell is cut next. Returns what makes a keeper of its finished cells for each thread, or None."""

    def add(self, work: AnyWork, blocks: list[Any]) -> None:
        """Add a finished workspace's sums, and the blocks that its keeper returned, in the order of cells."""

    def add_rational(self, start: RationalStart) -> None:
        """A starting cell that floats cannot hold."""

    def add_point(self, tile: Tile) -> None:
        """A starting cell of no dimension: the directions of a line are two points."""

    def add_walled(self, part: Walled, cut: Callable[[Problem, Iterable[StartingCell], Any], None]) -> None:
        """A whole space, or a wall of one, whose first layer has walls among its neurons. cut : `collect`, but for what
        is the same for all."""


C = TypeVar("C", bound=Collector)


def cut_domain(
    problem: Problem,
    collector: Callable[[Problem], C],
    *,
    threads: int | None,
    by_neuron: bool,
    report: Report,
    workshop: Workshop,
) -> C | None:
    """Cut all of a problem's domain, and return what was collected; None where the network is constant on it.

    collector : makes the collector for the problem without directions along which the network is constant.
    threads, by_neuron, report, workshop : as for `tally.tally`.
    Raises ComputationError where a cell can be neither cut in floats nor parted, and what the collector raises.
    """
    inside = workshop.across(problem)
    if inside is None:
        report(1)
        return None
    into = collector(inside)
    options: Any = {"threads": threads, "by_neuron": by_neuron, "report": report, "workshop": workshop}
    if workshop.first_layer(inside).is_lacking_rows:
        from creases.engine.starts.whole_space import walled

        for part in walled(inside):
            into.add_walled(part, partial(collect, **options))
    else:
        collect(inside, starts(inside, workshop), into, **options)
    return into


def collect(
    problem: Problem,
    cells: Iterable[StartingCell],
    into: Collector,
    *,
    threads: int | None,
    by_neuron: bool,
    report: Report,
    workshop: Workshop,
) -> None:
    """Cut these starting cells of a problem to the end, in this order. The rest is as for `cut_domain`."""
    for cell in cells:
        if isinstance(cell, RationalStart):
            into.add_rational(cell)
        elif isinstance(cell, Tile) and cell.dimension == 0:
            into.add_point(cell)
        else:
            start = start_of(cell) if isinstance(cell, Tile) else cell
            for work, blocks in run(problem, start, threads, by_neuron, into.begin(start), report, workshop):
                into.add(work, blocks)
