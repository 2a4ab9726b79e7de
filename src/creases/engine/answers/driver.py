"""One way in: every starting cell of a problem, whatever its kind, is cut, and what that makes is collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper, run
from creases.engine.problem import Problem
from creases.engine.starts.chart import AnyStart, RationalStart
from creases.engine.starts.tiles import CrowdedStart, Tile, start_of
from creases.engine.starts.workshop import Workshop
from creases.engine.state.work import AnyWork

__all__ = ["Collector", "StartingCell", "collect"]

StartingCell = AnyStart | CrowdedStart | RationalStart | Tile


class Collector(Protocol):
    """What an answer is made of, as cells are cut."""

    def begin(self, start: AnyStart | CrowdedStart) -> Callable[[], CellKeeper] | None:
        """A starting cell is cut next. Returns what makes a keeper of its finished cells for each thread, or None."""

    def add(self, work: AnyWork, blocks: list[Any]) -> None:
        """A workspace with its sums, and what its keeper took, in order."""

    def add_rational(self, start: RationalStart) -> None:
        """A starting cell that floats cannot hold."""

    def add_point(self, tile: Tile) -> None:
        """A starting cell of no dimension: the directions of a line are two points."""


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
    """Cut these starting cells of a problem to the end. The other arguments are those of `tally.tally`."""
    for cell in cells:
        if isinstance(cell, RationalStart):
            into.add_rational(cell)
        elif isinstance(cell, Tile) and cell.dimension == 0:
            into.add_point(cell)
        else:
            start = start_of(cell) if isinstance(cell, Tile) else cell
            for work, blocks in run(problem, start, threads, by_neuron, into.begin(start), report, workshop):
                into.add(work, blocks)
