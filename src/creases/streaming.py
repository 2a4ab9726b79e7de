"""Cells are passed on as they are found: a subdivision of any size in the memory of some thousand cells.

A single thread cuts, and passes on the finished cells before it continues. So the cells have the same order and numbers
as in `subdivide`, and if the receiver is slow, the cut waits. Cells that are complete only at the end are not streamed:
cells divided by walls that are not neurons, and the pieces of a line that are found in another order than along the
line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.complex.blocks import CellBlock
from creases.complex.skeleton import lineality_of_flat
from creases.domain import Ball, Directions, Domain, Polyline
from creases.errors import DomainError
from creases.memory import enough_memory
from creases.network import Network
from creases.packing import as_problem, check_fit, check_size
from creases.result import Count

if TYPE_CHECKING:
    from creases.engine.answers.sides import Sides
    from creases.engine.answers.tally import Tally
    from creases.engine.loop.drive import Report
    from creases.engine.problem import Problem

__all__ = ["OnCells", "stream_cells", "subdivide_to_parquet"]

OnCells = Callable[[CellBlock], object]
Progress = bool | Callable[[int], None] | None

KEEP = "Keep all of them in memory instead: subdivide(network, domain), or the command without --stream."


def subdivide_to_parquet(
    network: Network,
    domain: Domain,
    path: str | Path,
    *,
    progress: Progress = None,
) -> Count:
    """Write all activation regions of `network` on `domain` to a Parquet file as they are found, in bounded memory.

    path : the file, with the columns of `Complex.to_parquet` except `neighbours`; written completely or not at all.
    progress : as for `creases.count`.
    Returns the `Count` of the regions.
    Raises the errors of `subdivide` with `on_cells`; MissingExtraError without pyarrow; SaveError if the file cannot be
    written.
    """
    from creases.complex.exports.facts import check_form, result_of
    from creases.complex.exports.parquet import CellFile
    from creases.files import replace_file

    check(network, domain)
    check_form(Path(path), ".parquet")
    counts: list[Count] = []

    def write(partial: Path) -> None:
        with CellFile(partial, network, domain, neighbours=False) as file:
            counts.append(stream_cells(network, domain, file.write, progress=progress))
            file.finish(result_of(counts[0]))

    replace_file(Path(path), write)
    return counts[0]


def check(network: Network, domain: Domain) -> None:
    """Raise DomainError unless the cells of the domain can be streamed."""
    check_fit(network, domain)
    check_size(network, domain, listed=True)
    if isinstance(domain, Polyline):
        raise DomainError("A Polyline is subdivided segment by segment: subdivide(network, path.segments[i]).")
    if isinstance(domain, Ball):
        raise DomainError(
            f"{domain!r}: which regions meet a ball is decided when all around it have been found. {KEEP} Or take a "
            "Box around the ball."
        )


def stream_cells(network: Network, domain: Domain, on_cells: OnCells, *, progress: Progress = None) -> Count:
    """`subdivide` with `on_cells`."""
    from creases.compilation import say_if_compiling
    from creases.progress import following

    check(network, domain)
    say_if_compiling(progress)
    start = time.perf_counter()
    less = "Hand the cells on and keep none, or cut a smaller domain."
    with enough_memory("A stream of cells", less), following(progress, 1, doing="subdividing") as follower:
        tally = cut_and_hand_on(as_problem(network, domain), isinstance(domain, Directions), on_cells, follower.found)
    return Count.of_tally(network, domain, tally, time.perf_counter() - start)


def cut_and_hand_on(problem: Problem, sphere: bool, on_cells: OnCells, report: Report) -> Tally:
    """Cut a problem with one thread. sphere : whether it is of directions. Returns its tally."""
    from creases.engine.answers.cell_table import TabledCells
    from creases.engine.answers.driver import cut_domain
    from creases.engine.answers.polytope_table import PolytopeCells, lines_of
    from creases.engine.starts.workshop import Workshop

    flat = problem.dimension <= 2 and not sphere

    def collector(inside: Problem) -> Stream:
        if flat:
            return FlatStream(TabledCells(inside), on_cells)
        axes, lineality = (None, None) if inside is problem else lines_of(problem, inside)
        return SpaceStream(PolytopeCells(inside), on_cells, axes, lineality)

    stream = cut_domain(problem, collector, threads=1, by_neuron=False, report=report, workshop=Workshop())
    found: Tally = whole_domain(problem, flat, on_cells) if stream is None else stream.sums.result(problem)
    return found


def whole_domain(problem: Problem, flat: bool, on_cells: OnCells) -> Tally:
    """Stream the single cell of a constant network. Returns its tally."""
    from creases.engine.answers.cell_table import cut_into_cells
    from creases.engine.answers.polytope_table import cut_into_polytopes

    table: Any = (cut_into_cells if flat else cut_into_polytopes)(problem, threads=1, report=lambda _: None)
    sides = sides_of_flat(table) if flat else table.sides
    lines = lineality_of_flat(table.first, table.corners, table.at_infinity) if flat else table.lineality
    on_cells(as_block(0, table, table.corners, sides, table.patterns, lines))
    found: Tally = table.tally
    return found


def as_block(start: int, cells: Any, corners: Any, sides: Sides, patterns: Any, lineality: Any) -> CellBlock:
    """A `CellBlock` from cells of the engine."""
    return CellBlock(
        start=start,
        first=cells.first,
        corners=corners,
        at_infinity=cells.at_infinity,
        side_first=sides.first,
        walls=sides.walls,
        corner_first=sides.corner_first,
        side_corners=sides.corners,
        patterns=np.ascontiguousarray(patterns),
        lineality=lineality,
    )


def sides_of_flat(cells: Any) -> Sides:
    """The sides of intervals or polygons."""
    from creases.engine.answers.sides import sides_in_plane, sides_on_line

    return (sides_on_line if cells.corners.shape[1] == 1 else sides_in_plane)(cells.first, cells.edges)


class Stream:
    """A collector (`engine.answers.driver.Collector`) that passes blocks of cells to a function, and keeps the sums in
    another collector.

    sums : the collector of `subdivide`, which gets no cells.
    """

    def __init__(self, sums: Any, on_cells: OnCells) -> None:
        self.sums, self._on_cells, self._found = sums, on_cells, 0
        # The same cells and networks are refused here: cells with corners that are not floats, and networks too large
        # to be written out.
        self.add_rational, self.add_small, self.take_large = sums.add_rational, sums.add_small, sums.take_large

    def begin(self, start: Any) -> Callable[[], HandingOn]:
        """Begin a starting cell. Raises DomainError if its cells cannot be streamed."""
        self.check_start(start)
        make = self.sums.begin(start)
        return lambda: HandingOn(make(), self.hand_on)

    def check_start(self, start: Any) -> None:
        """Raise DomainError if the cells of a starting cell cannot be streamed."""

    def add(self, work: Any, blocks: list[Any]) -> None:
        """Add a workspace's sums; its cells have been passed on already."""
        self.sums.add(work, [])

    def hand_on(self, block: Any) -> None:
        """Pass on cells that the loop has written."""
        cells = self.as_cells(block, self._found)
        self._found += len(cells)
        self._on_cells(cells)

    def as_cells(self, block: Any, start: int) -> CellBlock:
        """A `CellBlock` from a block of the engine."""
        raise NotImplementedError

    def add_point(self, tile: Any) -> None:
        """Add a starting cell of dimension zero."""
        self.sums.add_point(tile)
        self.hand_on(self.sums.blocks.pop())

    def on_wall(self) -> None:
        """None, because cells cannot be added up over halves."""
        return None

    def take_off(self, wall: Any) -> None:
        """Not used, because there are no walls."""

    def add_walled(self, part: Any, cut: Any) -> None:
        """Raises DomainError, because parts between additional walls can be joined only at the end."""
        raise parted()


class HandingOn:
    """A keeper of finished cells that passes them on as soon as the loop has written them."""

    def __init__(self, keeper: Any, hand_on: Callable[[Any], None]) -> None:
        self._keeper, self._hand_on = keeper, hand_on

    def take(self, work: Any) -> None:
        """Pass on the cells since the last call."""
        self._hand_on(self._keeper.take(work))


class FlatStream(Stream):
    """The cells of a line or a plane."""

    def check_start(self, start: Any) -> None:
        """The pieces of a line must be found in the line's order."""
        problem = self.sums.problem
        switched = any(level.groups is not None for level in problem.graph.levels)
        if problem.dimension == 1 and (problem.vertices is None or switched):
            what = "Pieces of a network with switches" if switched else "Pieces that have no end"
            raise DomainError(f"{what} are put in the line's order when all are found. {KEEP}")

    def as_cells(self, block: Any, start: int) -> CellBlock:
        """Sides go from corner to corner; patterns come in words."""
        from creases.engine.state.pattern import bytes_of_words

        patterns = bytes_of_words(block.patterns, sum(self.sums.problem.widths))
        lines = np.zeros((0, block.corners.shape[1]))
        return as_block(start, block, block.corners, sides_of_flat(block), patterns, lines)


class SpaceStream(Stream):
    """The cells of three dimensions or more, and of directions.

    axes, lineality : where lines lie in every region, the axes that are cut, and the directions of the lines.
    """

    def __init__(self, sums: Any, on_cells: OnCells, axes: list[int] | None, lineality: Any) -> None:
        super().__init__(sums, on_cells)
        self._axes, self._lineality = axes, lineality

    def as_cells(self, block: Any, start: int) -> CellBlock:
        """Corners are those of the whole space where lines lie in every region."""
        corners, lineality = block.corners, self._lineality
        if lineality is None:
            lineality = np.zeros((0, corners.shape[1]))
        else:
            corners = np.zeros((len(corners), lineality.shape[1]))
            corners[:, self._axes] = block.corners
        return as_block(start, block, corners, block.sides, block.patterns, lineality)


def parted() -> DomainError:
    """The error for cells that are complete only at the end."""
    return DomainError(
        "Some cells of this domain are cut in parts, by walls that are no neurons, and put together when all are "
        f"there, so they cannot be handed over as they are found. {KEEP}"
    )
