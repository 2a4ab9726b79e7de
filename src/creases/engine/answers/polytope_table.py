"""Cut a domain of at least three dimensions, or the directions of a network without biases, and keep its cells: their
corners, walls and patterns, in an order that does not depend on the number of threads.

The loop gives a corner in its cell's chart, with a bound on its error. Here it is converted to the domain's own
coordinates. If its error may then exceed `sharp.SHARP`, the same vertex may be more precise in another cell, or it is
computed in rationals. Cells that are divided by walls that are not neurons are merged in rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.double_description import dot
from creases.engine.answers.blocks import place_corners
from creases.engine.answers.driver import StartingCell, cut_domain
from creases.engine.answers.merging import DRAWN, renumbered, without_drawn
from creases.engine.answers.rebuilding import Rebuilder, Rebuilt, nearest_corner
from creases.engine.answers.sides import Sides, counted, sides_in_plane, sides_on_line
from creases.engine.answers.tally import Tally, WrittenTotals, tally_constant
from creases.engine.kernel import kernel
from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper
from creases.engine.problem import FIRST_WALL, INFINITY, Floats, IntegerPolytope, Ints, Problem
from creases.engine.proof.edges import RationalEdges
from creases.engine.proof.rational import meeting_ray, scaled
from creases.engine.proof.rational_forms import pattern_at
from creases.engine.starts.chart import AnyStart
from creases.engine.starts.first_layer import parting_forms
from creases.engine.starts.tiles import Tile
from creases.engine.starts.workshop import Workshop
from creases.engine.state.facet_masks import is_on
from creases.engine.state.output import FAR_BIT, take_cells, take_polytopes
from creases.engine.state.pattern import bits_of_bytes, bytes_of_bits, bytes_of_words
from creases.engine.state.work import AnyWork, SpaceWork

if TYPE_CHECKING:
    from creases.engine.starts.whole_space import Walled

__all__ = ["PolytopeTable", "cut_into_polytopes"]

Bools = NDArray[np.bool_]


class PolytopeTable(NamedTuple):
    """Cells as flat arrays; the corners of cell i are rows first[i] to first[i + 1].

    corners : float64 (corners, d), directions of length one where `at_infinity`, bool (corners,), is True.
    sides : of the cells, with the corners on each. patterns : uint8 (cells, ceil(N / 8)).
    lineality : float64 (lines, d), directions in which every cell contains a line. tally : the result of `tally.tally`.
    """

    first: Ints
    corners: Floats
    at_infinity: Bools
    sides: Sides
    patterns: NDArray[np.uint8]
    lineality: Floats
    tally: Tally


class PolytopeBlock(NamedTuple):
    """Cells in order, as in `PolytopeTable`; patterns are in bytes."""

    first: Ints
    corners: Floats
    at_infinity: Bools
    sides: Sides
    patterns: NDArray[np.uint8]


class PolytopeKeeper:
    """Makes blocks of the cells that the loop writes on one starting cell. Each thread has its own."""

    def __init__(self, problem: Problem, start: AnyStart) -> None:
        self._problem, self._chart, self._rational = problem, start.chart, RationalCorners(problem)

    def take(self, work: AnyWork) -> PolytopeBlock:
        """The cells that the loop has written since the last call; its output is empty afterwards."""
        directions = self._problem.directions
        if isinstance(work, SpaceWork):
            cells = take_polytopes(work)
            first, written, words, far = cells.first, cells.corners, cells.patterns, cells.masks[0] & FAR_BIT != 0
            sides = sides_of_masks(cells.first, cells.facet_first, cells.ids, cells.masks)
        else:
            flat = take_cells(work)
            first, written, words, far = flat.first, flat.corners, flat.patterns, flat.at_infinity
            on_line = written.shape[1] == 2
            sides = sides_on_line(first, flat.edges) if on_line else sides_in_plane(first, flat.edges)
        if directions:
            far = np.ones(len(far), np.bool_)
        patterns = bytes_of_words(words, sum(self._problem.widths)).copy()
        count = len(written)
        block = PolytopeBlock(first, np.empty((count, self._problem.dimension)), far, sides, patterns)
        blurred = np.empty((count, 2), np.int64)
        size = self._problem.size
        left = place_corners(written, self._chart, size, block.first, block.at_infinity, block.corners, blurred)
        self._rational.place(block, blurred[:left])
        return block


class RationalCorners:
    """Corners that are not precise enough in floats, computed in rationals and rounded. Each thread has its own,
    because exact forms are cached for one thread."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._exact: RationalEdges | None = None

    def place(self, block: PolytopeBlock, blurred: Ints) -> None:
        """Write corners of a block again. blurred : int64 (n, 2), corner and cell of each."""
        if not len(blurred):
            return
        if self._exact is None:
            self._exact = RationalEdges.of(self._problem)
        k, sides = self._problem.frame.shape[1], block.sides
        bits = bits_of_bytes(block.patterns, sum(self._problem.widths))
        for corner, cell in blurred.tolist():
            pattern = self._exact.pattern(bits[cell])
            far = bool(block.at_infinity[corner])
            forms: list[Any] = []
            others: list[Any] = []
            for side in range(int(sides.first[cell]), int(sides.first[cell + 1])):
                form = self._exact.edge(int(sides.walls[side]), pattern)[:k]
                on = corner in sides.corners[sides.corner_first[side] : sides.corner_first[side + 1]]
                (forms if on else others).append(form)
            if far and not self._problem.directions:
                forms.append(self._exact.forms.infinity)
            ray = meeting_ray(forms) if forms else (fmpz(1),)
            if any(dot(form, ray) < 0 for form in others):
                ray = scaled(ray, -1)
            place = nearest_corner(ray, far)
            block.corners[corner] = place[: self._problem.dimension]


def sides_of_masks(first: Ints, facet_first: Ints, ids: Ints, masks: Ints) -> Sides:
    """The sides of cells in space: their facets, without infinity."""
    own = ids != INFINITY
    side_first = counted(own, facet_first)
    sizes = np.zeros(len(ids), np.int64)
    count_corners(first, facet_first, masks, sizes)
    corner_first = np.concatenate([[0], np.cumsum(sizes[own])])
    corners = np.empty(corner_first[-1], np.int64)
    list_corners(first, facet_first, masks, own, corners)
    return Sides(side_first, ids[own], corner_first, corners)


@kernel
def count_corners(first: Ints, facet_first: Ints, masks: Ints, sizes: Ints) -> None:
    """The number of corners on each facet: int64 (facets,), initially zeros."""
    for cell in range(first.size - 1):
        for f in range(facet_first[cell], facet_first[cell + 1]):
            for v in range(first[cell], first[cell + 1]):
                sizes[f] += is_on(masks, v, f - facet_first[cell])


@kernel
def list_corners(first: Ints, facet_first: Ints, masks: Ints, own: Bools, corners: Ints) -> None:
    """The corners of each chosen facet, one facet after the other."""
    at = 0
    for cell in range(first.size - 1):
        for f in range(facet_first[cell], facet_first[cell + 1]):
            if not own[f]:
                continue
            for v in range(first[cell], first[cell + 1]):
                if is_on(masks, v, f - facet_first[cell]):
                    corners[at] = v
                    at += 1


def cut_into_polytopes(problem: Problem, *, threads: int | None, report: Report) -> PolytopeTable:
    """All cells of a problem of at least three dimensions, or of directions, every sign proved.

    threads, report : as for `tally.tally`. Raises ComputationError if a cone has no chart in floats.
    """
    workshop = Workshop()
    collected = cut_domain(problem, PolytopeCells, threads=threads, by_neuron=False, report=report, workshop=workshop)
    if collected is None:
        return table_of_constant(problem)
    inside = collected.problem
    cells = collected.cells()
    tally = collected.result(problem)
    assert len(cells.patterns) == tally.by_layer[-1]
    if inside is problem:
        return PolytopeTable(*cells, np.zeros((0, problem.dimension)), tally)
    axes, lineality = lines_of(problem, inside)
    corners = np.zeros((len(cells.corners), problem.dimension))
    corners[:, axes] = cells.corners
    return PolytopeTable(*cells._replace(corners=corners), lineality, tally)


class PolytopeCells(WrittenTotals):
    """Collects finished cells with their corners and sides, and the counts of `Totals`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.blocks: list[PolytopeBlock] = []
        self.is_walled = False

    def begin(self, start: AnyStart) -> Callable[[], CellKeeper]:
        """Corners are converted to the domain's coordinates."""
        return partial(PolytopeKeeper, self.problem, start)

    def add(self, work: AnyWork, blocks: list[PolytopeBlock]) -> None:
        """Add the counts and the written cells of a finished workspace."""
        super().add(work, blocks)
        self.blocks += blocks

    def add_point(self, tile: Tile) -> None:
        """The point is its own corner, and the end of its ray at zero is the only side."""
        super().add_point(tile)
        ray = tile.chart.sum(axis=1)
        sides = Sides(
            np.array([0, len(tile.ids)]), np.array(tile.ids), np.zeros(len(tile.ids) + 1, np.int64), NO_NUMBERS
        )
        pattern = bytes_of_bits(pattern_at(self.problem, ray)[None])
        corner = ray[None, :-1] / np.linalg.norm(ray)
        self.blocks.append(PolytopeBlock(np.array([0, 1]), corner, np.ones(1, np.bool_), sides, pattern))

    def add_walled(self, part: Walled, cut: Callable[[Problem, Iterable[StartingCell], Any], None]) -> None:
        """Add a space that additional walls cut: for the whole space the parts of its cells, for a wall its count, with
        its sign."""
        if len(part.axes) < part.problem.dimension:
            super().add_walled(part, cut)
            return
        parted = PolytopeCells(part.problem)
        cut(part.problem, part.starts, parted)
        for block in parted.blocks:
            walls = renumbered(block.sides.walls, part)
            patterns = without_drawn(block.patterns, part)
            self.blocks.append(block._replace(sides=block.sides._replace(walls=walls), patterns=patterns))
        self.is_walled = True
        self.by_layer += part.sign * parted.by_layer[int(part.inserted) :]
        self.exact_cells += parted.exact_cells
        # Euler's relation does not hold here: both parts of a region that contains a line are unbounded, but its wall
        # may be bounded.
        far = [block.patterns[np.logical_or.reduceat(block.at_infinity, block.first[:-1])] for block in self.blocks]
        self.unbounded += len(np.unique(np.concatenate(far), axis=0))

    def cells(self) -> PolytopeBlock:
        """All cells, each once. The blocks are released."""
        cells = joined(self.blocks)
        self.blocks = []
        return whole_cells(self.problem, cells) if self.is_walled else cells


NO_NUMBERS = np.zeros(0, np.int64)


def joined(blocks: list[PolytopeBlock]) -> PolytopeBlock:
    """The cells of all blocks in one."""
    corner_at = np.cumsum([0, *(len(block.corners) for block in blocks)])
    sides = [
        block.sides._replace(corners=block.sides.corners + at) for block, at in zip(blocks, corner_at, strict=False)
    ]
    return PolytopeBlock(
        run_on([block.first for block in blocks]),
        np.concatenate([block.corners for block in blocks]),
        np.concatenate([block.at_infinity for block in blocks]),
        Sides(
            run_on([side.first for side in sides]),
            np.concatenate([side.walls for side in sides]),
            run_on([side.corner_first for side in sides]),
            np.concatenate([side.corners for side in sides]),
        ),
        np.concatenate([block.patterns for block in blocks]),
    )


def run_on(firsts: list[Ints]) -> Ints:
    """The beginnings of the lists in all lists, concatenated."""
    ends = np.cumsum([0, *(first[-1] for first in firsts)])
    return np.concatenate([[0], *(first[1:] + at for first, at in zip(firsts, ends, strict=False))])


def whole_cells(problem: Problem, cells: PolytopeBlock) -> PolytopeBlock:
    """The cells with those made anew that a drawn wall has parted: a region is convex, so parts with one pattern are
    one. They come in the order of their first parts.
    """
    doubtful = np.zeros(len(cells.patterns), np.bool_)
    walls = cells.sides.walls
    if (walls == DRAWN).any():
        owners = np.repeat(np.arange(len(doubtful)), np.diff(cells.sides.first))
        doubtful[owners[walls == DRAWN]] = True
    if len(cells.patterns) and doubtful.any():
        known: dict[bytes, list[int]] = {}
        for cell in np.flatnonzero(doubtful).tolist():
            known.setdefault(cells.patterns[cell].tobytes(), []).append(cell)
        rebuilder, bits = Rebuilder(problem), bits_of_bytes(cells.patterns, sum(problem.widths))
        made = {}
        for parts in known.values():
            numbers = [walls[cells.sides.first[cell] : cells.sides.first[cell + 1]] for cell in parts]
            made[parts[0]] = rebuilder.rebuilt(bits[parts[0]], np.concatenate(numbers).tolist())
        gone = {cell for parts in known.values() for cell in parts[1:]}
        return joined(list(runs(cells, made, gone)))
    return cells


def runs(cells: PolytopeBlock, made: dict[int, Rebuilt], gone: set[int]) -> Iterator[PolytopeBlock]:
    """The cells in order, as blocks: unchanged, computed again, or left out."""
    begin = 0
    for cell in sorted({*made, *gone}):
        if begin < cell:
            yield some(cells, begin, cell)
        if cell in made:
            yield block_of(made[cell], cells.patterns[cell : cell + 1])
        begin = cell + 1
    if begin < len(cells.patterns):
        yield some(cells, begin, len(cells.patterns))


def some(cells: PolytopeBlock, begin: int, end: int) -> PolytopeBlock:
    """The cells `begin` to `end` - 1."""
    sides, corners = cells.sides, slice(cells.first[begin], cells.first[end])
    mine = slice(sides.first[begin], sides.first[end])
    on = slice(sides.corner_first[mine.start], sides.corner_first[mine.stop])
    return PolytopeBlock(
        cells.first[begin : end + 1] - corners.start,
        cells.corners[corners],
        cells.at_infinity[corners],
        Sides(
            sides.first[begin : end + 1] - mine.start,
            sides.walls[mine],
            sides.corner_first[mine.start : mine.stop + 1] - on.start,
            sides.corners[on] - corners.start,
        ),
        cells.patterns[begin:end],
    )


def block_of(made: Rebuilt, pattern: NDArray[np.uint8]) -> PolytopeBlock:
    """One cell as a block."""
    sizes = [len(on) for on in made.on]
    corners = np.array([v for on in made.on for v in on], np.int64)
    sides = Sides(
        np.array([0, len(sizes)]), np.array(made.walls, np.int64), np.cumsum([0, *sizes]).astype(np.int64), corners
    )
    return PolytopeBlock(np.array([0, len(made.corners)]), made.corners, made.at_infinity, sides, pattern)


def lines_of(problem: Problem, inside: Problem) -> tuple[list[int], Floats]:
    """The axes of the directions along which a network is not constant on a whole space, and directions along which it
    is constant: float64 (lines, d), independent and of length one."""
    d = problem.dimension
    axes = [next(c for c in range(d) if np.array_equal(problem.basis[c], row)) for row in inside.basis]
    null, count = fmpz_mat([list(form[:d]) for form in parting_forms(problem)]).nullspace()
    lines = np.empty((count, d))
    for i in range(count):
        column = [int(null[c, i]) for c in range(d)]
        longest = max(abs(value) for value in column)
        line = np.array([value / longest for value in column])
        lines[i] = line / np.linalg.norm(line)
    return axes, lines


def table_of_constant(problem: Problem) -> PolytopeTable:
    """The single cell of a network that is constant, or has no layer: the whole domain. For a whole space, and for all
    directions, the corners are the directions of the axes, none of which is a vertex.
    """
    d, tally = problem.dimension, tally_constant(problem)
    if problem.vertices is None:
        pattern = bytes_of_bits(pattern_at(problem, np.eye(d + 1)[0 if problem.directions else d])[None])
        sides = Sides(np.zeros(2, np.int64), NO_NUMBERS, np.zeros(1, np.int64), NO_NUMBERS)
        corners = np.vstack([np.eye(d), -np.eye(d)])
        return PolytopeTable(np.array([0, 2 * d]), corners, np.ones(2 * d, np.bool_), sides, pattern, np.eye(d), tally)
    assert isinstance(problem.vertices, IntegerPolytope)  # of three dimensions or more
    rays, masks = problem.vertices.rays, problem.vertices.masks
    corners = np.array([nearest_corner(ray, False)[:d] for ray in rays])
    on = [[v for v, mask in enumerate(masks) if mask >> i & 1] for i in range(len(problem.vertices.walls))]
    pattern = bytes_of_bits(pattern_at(problem, np.append(corners.mean(axis=0), 1.0))[None])
    made = Rebuilt(corners, np.zeros(len(rays), np.bool_), list(range(FIRST_WALL, FIRST_WALL - len(on), -1)), on)
    return PolytopeTable(*block_of(made, pattern), np.zeros((0, d)), tally)
