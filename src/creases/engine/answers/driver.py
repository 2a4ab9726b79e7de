"""Cut every starting cell of a problem, of any kind, and collect the results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from creases.engine.answers.crew import Crew
from creases.engine.lines.blas import one_thread
from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper, run
from creases.engine.problem import Problem
from creases.engine.proof.twins import twins_of
from creases.engine.starts.bounded import root_tile
from creases.engine.starts.cell import cell_of, point_cell
from creases.engine.starts.chart import AnyStart, LargeRoot, RationalStart
from creases.engine.starts.starting import starts
from creases.engine.starts.tiles import Tile, start_of, tile_of_cone
from creases.engine.starts.walls import Parts, halved, sides_of_wall
from creases.engine.starts.workshop import Workshop
from creases.engine.state.work import (
    AnyWork,
)
from creases.errors import ComputationError

if TYPE_CHECKING:
    from creases.engine.starts.operator_root import SmallGraph
    from creases.engine.starts.whole_space import Walled

__all__ = ["Collector", "StartingCell", "collect", "cut_domain"]

# The largest number of units of a graph that are open on a starting cell without halving it, and the largest number of
# halvings.
MOST_OPEN, MOST_HALVINGS = 3000, 30
# The largest number of units of a large network that are known to bend on a starting cell without halving it: as many
# as fit into the memory of a small machine, and as bounds can separate from others. On a line, where the number of
# regions does not depend on the halves, fewer columns at a time are faster.
MOST_SEEN, MOST_SEEN_ON_LINE = 1400, 350
# A halving that leaves nearly as many of them open counts as several: if very many hyperplanes coincide, or pass
# through one point, halving would otherwise not end.
FEWER_OPEN, STALLED = 0.9, 5

# All kinds of starting cells: with a chart in floats, in rationals, or a tile.
StartingCell = AnyStart | RationalStart | Tile


class Counted(NamedTuple):
    """A wall, or a part of one, and the collector of its results."""

    tile: Tile
    into: Collector


class Collector(Protocol):
    """Combines the results while cells are cut."""

    def begin(self, start: AnyStart) -> Callable[[], CellKeeper] | None:
        """Called before a starting cell is cut. Returns a function that makes a `CellKeeper` for a thread, or None if
        finished cells are only counted."""

    def add(self, work: AnyWork, blocks: list[Any]) -> None:
        """Add a finished workspace's sums, and the blocks that its `CellKeeper` made, in the order of cells."""

    def take_large(self) -> None:
        """Called if the network's matrices are not written out. Raises ComputationError if the collector does not
        support this."""

    def add_small(self, small: SmallGraph, work: AnyWork | None, whole: int) -> None:
        """Add the sums of a workspace in which the small graph of a starting cell was cut; None if nothing cuts it.

        whole : the number of regions of the layers below the small graph's that are not added yet, one or none.
        """

    def add_rational(self, start: RationalStart) -> None:
        """Add a starting cell that is not representable in floats."""

    def add_point(self, tile: Tile) -> None:
        """Add a starting cell of dimension zero: the directions of a line are two points."""

    def on_wall(self) -> Collector | None:
        """A collector for the wall that halves a starting cell; None if results cannot be added over halves."""

    def take_off(self, wall: Any) -> None:
        """Subtract the results on a wall, which are in a collector from `on_wall`."""

    def add_walled(self, part: Walled, cut: Callable[[Problem, Iterable[StartingCell], Any], None]) -> None:
        """Add a whole space, or a wall of one, whose first layer has additional walls among its neurons. cut :
        `collect`, with the common arguments filled in."""


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
    """Cut the whole domain of a problem, and return the collector with its results; None if no neuron cuts it.

    collector : a function that makes the collector for the problem, reduced by the lines that lie in every region.
    threads, by_neuron, report, workshop : as for `tally.tally`.
    Raises ComputationError if a cell can be cut neither in floats nor in rationals, and the errors of the collector.
    """
    if problem.graph.is_large and problem.vertices is None:
        raise ComputationError(
            "The network is too large for its matrices to be written out, and is cut on bounded domains only, by the "
            "neurons that are not decided there. Cut a Segment, a Polygon or a Box."
        )
    inside = workshop.across(problem)
    if inside is None:
        report(1)
        return None
    into = collector(inside)
    options: Any = {"threads": threads, "by_neuron": by_neuron, "report": report, "workshop": workshop}
    if problem.graph.is_large:
        into.take_large()
        twins_of(problem.graph)  # which is cached, and computed before there are several threads
        crew = Crew(problem.graph, threads or os.cpu_count() or 1, most_seen(problem), report, workshop.say)
        with one_thread():
            collect(inside, starts(inside, workshop), into, **{**options, "report": crew.report, "crew": crew})
        return into
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
    deep: int = 0,
    above: LargeRoot | None = None,
    walls: Sequence[Counted] = (),
    **options: Any,
) -> None:
    """Cut these starting cells of a problem completely, in this order.

    deep : the number of times they have been halved already. above : the error that caused the halving. walls : for a
        large network, parts of the boundary of the single cell, which are cut with it. options : as for `cut_domain`,
        and the crew that cuts a large network, if there is one.
    """
    for cell in cells:
        if isinstance(cell, RationalStart):
            into.add_rational(cell)
        elif isinstance(cell, Tile) and cell.dimension == 0:
            into.add_point(cell)
        else:
            cut_cell(problem, cell, into, deep, above, options, walls)


def cut_cell(
    problem: Problem,
    cell: AnyStart | Tile,
    into: Collector,
    deep: int,
    above: LargeRoot | None,
    options: dict[str, Any],
    walls: Sequence[Counted] = (),
) -> None:
    """Cut a starting cell completely; if very many units of a graph are open on it, cut its halves, and subtract the
    results on the wall between them (Euler's relation).

    walls : see `collect`.
    """
    start = start_of(cell) if isinstance(cell, Tile) else cell
    wall_into = into.on_wall() if deep < MOST_HALVINGS else None
    most_open = None if wall_into is None else MOST_OPEN
    threads, by_neuron, report, workshop = (options[name] for name in ("threads", "by_neuron", "report", "workshop"))
    try:
        if problem.graph.is_large:
            cut_large(problem, start, into, most_open, options, walls)
        else:
            for work, blocks in run(problem, start, threads, by_neuron, into.begin(start), report, workshop, most_open):
                into.add(work, blocks)
    except LargeRoot as large:
        assert wall_into is not None
        parts = halves_of(problem, cell)
        if parts is None:
            collect(problem, [cell], into, deep=MOST_HALVINGS, walls=walls, **options)
            return
        lower, upper, wall = parts
        deep += 1 if large.is_less_than(above, FEWER_OPEN) else STALLED
        if problem.graph.is_large:
            cut_halves(problem, parts, into, Counted(wall, wall_into), walls, deep=deep, above=large, **options)
        else:
            collect(problem, [lower, upper], into, deep=deep, above=large, **options)
            collect(problem, [wall], wall_into, deep=deep, above=large, **{**options, "report": lambda _: report(0)})
        into.take_off(wall_into)


def cut_halves(
    problem: Problem, parts: Parts, into: Collector, wall: Counted, walls: Sequence[Counted], **options: Any
) -> None:
    """Cut the halves of a starting cell of a large network, and the wall between them together with the lower half:
    creating its small graph takes nearly all of the time, and the small graph of a cell serves for everything on its
    boundary.

    walls : parts of the boundary of the whole cell, which the wall may divide.
    """
    lower, upper, _ = parts
    below, above = [wall], list[Counted]()
    for part, part_into in walls:
        sides = sides_of_wall(part, upper)
        if sides is None:
            cut_walls(problem, [Counted(part, part_into)], options)
            continue
        if sides.between is not None:
            point_into = part_into.on_wall()
            assert point_into is not None  # results on walls add up
            cut_walls(problem, [Counted(sides.between, point_into)], options)
            part_into.take_off(point_into)
        below += [Counted(sides.below, part_into)] if sides.below is not None else []
        above += [Counted(sides.above, part_into)] if sides.above is not None else []
    one = partial(collect, problem, [lower], into, walls=below, **options)
    other = partial(collect, problem, [upper], into, walls=above, **options)
    crew = options.get("crew")
    if crew is None:
        one()
        other()
    else:
        crew.side_by_side(one, other)


def cut_walls(problem: Problem, walls: Sequence[Counted], options: dict[str, Any]) -> None:
    """Cut walls, each on its own; their regions are not reported as progress."""
    report = options["report"]
    for wall, into in walls:
        collect(problem, [wall], into, **{**options, "report": lambda _: report(0)})


def cut_large(
    problem: Problem,
    start: AnyStart,
    into: Collector,
    most_open: int | None,
    options: dict[str, Any],
    walls: Sequence[Counted],
) -> None:
    """Cut a starting cell of a network whose matrices are not written out, by the units that are open on it.

    walls : parts of its boundary, which are cut by the same units.
    Raises LargeRoot if more than `most_open` are open, or more than MOST_SEEN are known to bend.
    """
    from creases.engine.columns.sampling import bending_at_least
    from creases.engine.starts.operator_root import small_graph  # imports SciPy, which chains do not need

    cell = cell_of(problem, start)
    if most_open is not None and (seen := bending_at_least(problem, cell.samples)) > most_seen(problem):
        raise LargeRoot(problem.depth, seen, is_seen=True)
    crew = options.get("crew")
    say = options["workshop"].say if crew is None else crew.say
    small = small_graph(problem, cell, twins_of(problem.graph), most_open, say)
    report = options["report"]
    cut_small(small, start, into, options)
    silent = {**options, "report": lambda _: report(0)}
    for wall, wall_into in walls:
        if wall.dimension == 0 and has_one_sign(small, wall):
            wall_into.add_small(small, None, 1)
            continue
        if wall.dimension == 0:
            collect(problem, [wall], wall_into, **silent)
        else:
            cut_small(small, start_of(wall), wall_into, silent)


def has_one_sign(small: SmallGraph, point: Tile) -> bool:
    """Whether every open unit of a cell has a sign at a point of its boundary, which then is proved to be in one
    region."""
    from creases.engine.starts.graph_root import are_decided_at

    return are_decided_at(small.problem, point_cell(small.problem, point.chart), twins_of(small.problem.graph))


def most_seen(problem: Problem) -> int:
    """How many units of a large network may be known to bend on a starting cell."""
    return MOST_SEEN_ON_LINE if problem.dimension == 1 else MOST_SEEN


def cut_small(small: SmallGraph, start: AnyStart, into: Collector, options: dict[str, Any]) -> None:
    """Cut a starting cell by the small graph of this cell, or of one that contains it."""
    threads, by_neuron, report, workshop = (options[name] for name in ("threads", "by_neuron", "report", "workshop"))
    if not small.problem.graph.layers:
        into.add_small(small, None, 1)
        report(1)
        return
    if (crew := options.get("crew")) is not None:
        threads = crew.threads
    # Several threads share the cells of one workspace, and only that one has the layers below the first open one.
    for place, (work, _) in enumerate(run(small.problem, start, threads, by_neuron, None, report, workshop)):
        into.add_small(small, work, int(place == 0))


def halves_of(problem: Problem, cell: AnyStart | Tile) -> Parts | None:
    """The halves of a starting cell and the wall between them; None if it cannot be halved."""
    if isinstance(cell, Tile):
        tile = cell
    elif problem.vertices is not None:
        tile = root_tile(problem.vertices)
    else:
        cone_tile = tile_of_cone(problem, cell) if cell.chart.shape[0] == cell.chart.shape[1] else None
        if cone_tile is None:
            return None
        tile = cone_tile
    return halved(tile)
