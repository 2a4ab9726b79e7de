"""Cut a domain and keep its cells: corners, edges and patterns, in an order that does not depend on the number of
threads.

On a line the cells are in the order of the line. Corners are given in the domain's own coordinates, with errors up to
`sharp.SHARP`; a corner at infinity is a direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.blocks import Block, CornerKeeper
from creases.engine.answers.driver import StartingCell, cut_domain
from creases.engine.answers.merging import Cells, merged
from creases.engine.answers.sharp import SHARP
from creases.engine.answers.tally import Tally, WrittenTotals, tally_constant
from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper
from creases.engine.problem import FIRST_WALL, INFINITY, Floats, IntegerPolytope, Ints, Problem
from creases.engine.proof.edges import RationalEdges
from creases.engine.proof.rational import nearest_float
from creases.engine.proof.rational_forms import pattern_at
from creases.engine.starts.chart import AnyStart, Start
from creases.engine.starts.first_layer import parting_forms
from creases.engine.starts.workshop import Workshop
from creases.engine.state.pattern import bits_of_bytes, bytes_of_bits, bytes_of_words
from creases.engine.state.work import (
    AnyWork,
)

if TYPE_CHECKING:
    from creases.engine.starts.whole_space import Walled

__all__ = ["CellTable", "cut_into_cells"]


class CellTable(NamedTuple):
    """Cells as flat arrays; the corners of cell i are rows first[i] to first[i + 1].

    corners : float64 (corners, d). at_infinity : bool (corners,), True where the corner is a direction.
    edges : int64 (corners,), the edge from a corner to the next (d = 1: at the corner): a neuron's number,
        -1 for infinity, -2 - i for edge i of a bounded domain, or that of two candidates (`edges.RationalEdges`).
    patterns : uint8 (cells, ceil(N / 8)), neuron i is bit i % 8 of byte i // 8.
    tally : the result of `tally.tally`.
    """

    first: Ints
    corners: Floats
    at_infinity: NDArray[np.bool_]
    edges: Ints
    patterns: NDArray[np.uint8]
    tally: Tally


def cut_into_cells(
    problem: Problem, *, threads: int | None, report: Report, workshop: Workshop | None = None
) -> CellTable:
    """All cells of a problem of one or two dimensions, every sign proved.

    Raises ComputationError if a cone has no chart in floats.

    workshop : cached results of earlier cuts of the same network, or of the same domain.
    """
    collected = cut_domain(
        problem, TabledCells, threads=threads, by_neuron=False, report=report, workshop=workshop or Workshop()
    )
    if collected is None:
        return table_of_constant(problem)
    inside = collected.problem
    if collected.walled is None:
        table = CellTable(*collected.cells(), collected.result(problem))
    else:
        part, parted = collected.walled
        cells = merged(parted.cells(), part, inside)
        collected.unbounded = int(np.logical_or.reduceat(cells.at_infinity, cells.first[:-1]).sum())
        tally = collected.result(problem)
        assert len(cells.patterns) == tally.by_layer[-1]
        table = CellTable(*cells, tally)
    return strips(problem, inside, table) if inside.dimension < problem.dimension else table


class TabledCells(WrittenTotals):
    """Collects finished cells with their corners, and the counts of `Totals`. blocks : a list for each starting
    cell."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.starts: list[AnyStart] = []
        self.blocks: list[list[Block]] = []
        self.walled: tuple[Walled, TabledCells] | None = None

    def begin(self, start: AnyStart) -> Callable[[], CellKeeper]:
        """Corners are collected together with the chart in which they are given."""
        assert isinstance(start, Start)  # lines and planes start from a Start
        self.starts.append(start)
        self.blocks.append([])
        return partial(CornerKeeper, self.problem, start)

    def add(self, work: AnyWork, blocks: list[Block]) -> None:
        """Add the counts and the written cells of a finished workspace."""
        super().add(work, blocks)
        self.blocks[-1] += blocks

    def add_walled(self, part: Walled, cut: Callable[[Problem, Iterable[StartingCell], Any], None]) -> None:
        """Add a space that additional walls cut: for the whole space its cells, for a wall its count, with its sign."""
        if len(part.axes) < part.problem.dimension:
            super().add_walled(part, cut)
            return
        parted = TabledCells(part.problem)
        cut(part.problem, part.starts, parted)
        self.walled = part, parted
        self.by_layer += part.sign * parted.by_layer[int(part.inserted) :]
        self.exact_cells += parted.exact_cells

    def cells(self) -> Cells:
        """All cells. The blocks are released: `join_blocks` is the last to hold them."""
        by_start, self.blocks = self.blocks, []
        if self.problem.dimension == 1:
            by_start = [in_line_order(blocks, start) for blocks, start in zip(by_start, self.starts, strict=True)]
            # The first of the two rays of a line is the one from minus infinity.
            by_start.sort(key=lambda blocks: not blocks[0].at_infinity[0])
        cells = join_blocks(by_start, sum(self.problem.widths))
        switched = any(level.groups is not None for level in self.problem.graph.levels)
        # The loop goes from left to right, except where candidates claim their parts of an interval.
        return sorted_on_line(self.problem, cells) if switched and self.problem.dimension == 1 else cells


def in_line_order(blocks: list[Block], start: AnyStart) -> list[Block]:
    """The intervals of one starting cell from left to right; the chart of a ray may run from its end."""
    if start.chart[0, 0] * start.chart[1, 1] - start.chart[0, 1] * start.chart[1, 0] > 0:
        return blocks
    # An interval has two corners: reversing the flat arrays reverses the cells and their corners alike.
    return [
        block._replace(
            corners=block.corners[::-1],
            at_infinity=block.at_infinity[::-1],
            edges=block.edges[::-1],
            patterns=block.patterns[::-1],
        )
        for block in reversed(blocks)
    ]


def join_blocks(by_start: list[list[Block]], neurons: int) -> Cells:
    """The cells of all blocks. The lists are emptied, so that the blocks of a field are released when it is joined."""
    blocks = [block for blocks in by_start for block in blocks]
    offsets = np.cumsum([0, *(block.first[-1] for block in blocks)]).tolist()
    firsts, corners, marks, edges, words = (list(field) for field in zip(*blocks, strict=True))
    for emptied in (blocks, *by_start):
        emptied.clear()
    first = np.concatenate([[0], *(first[1:] + at for first, at in zip(firsts, offsets, strict=False))])
    return Cells(
        first=first,
        corners=run_together(corners),
        at_infinity=run_together(marks),
        edges=run_together(edges),
        patterns=run_together([bytes_of_words(part, neurons) for part in words], words),
    )


def sorted_on_line(problem: Problem, cells: Cells) -> Cells:
    """The intervals in the order of the line: by their left ends in floats, and in rationals if those are close."""
    far = cells.at_infinity[0::2]
    ends = np.where(far, -np.inf, cells.corners[0::2, 0])
    order = np.argsort(ends, kind="stable")
    ends = ends[order]
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.diff(ends) <= 4.0 * SHARP * np.maximum(problem.size, np.maximum(np.abs(ends[1:]), np.abs(ends[:-1])))
    near &= np.isfinite(ends[:-1])
    exact = RationalEdges.of(problem)
    bits = bits_of_bytes(cells.patterns, sum(problem.widths))

    def end(cell: int) -> Fraction:
        slope, constant = exact.edge(int(cells.edges[2 * cell]), exact.pattern(bits[cell]))
        return -Fraction(int(constant), int(slope))

    for run in np.split(np.arange(len(order)), np.flatnonzero(~near) + 1):
        if len(run) > 1:
            order[run] = sorted(order[run].tolist(), key=end)
    corners = np.column_stack([2 * order, 2 * order + 1]).ravel()
    return Cells(
        cells.first, cells.corners[corners], cells.at_infinity[corners], cells.edges[corners], cells.patterns[order]
    )


def run_together(*lists: list[NDArray[Any]]) -> NDArray[Any]:
    """The arrays of the first list, concatenated; all lists are emptied, so that their memory is released."""
    result = np.ascontiguousarray(np.concatenate(lists[0]))
    for arrays in lists:
        arrays.clear()
    return result


def table_of_constant(problem: Problem) -> CellTable:
    """The table of a network that is constant, or has no layer: one cell, the whole domain. The corners of a whole
    space are the directions of the axes."""
    tally = tally_constant(problem)
    if problem.vertices is not None:
        cell = domain_cell(problem.vertices)
        pattern = bytes_of_bits(pattern_at(problem, np.append(cell[0], 1.0))[None])
        far = np.zeros(len(cell), np.bool_)
        return CellTable(np.array([0, len(cell)]), cell, far, FIRST_WALL - np.arange(len(cell)), pattern, tally)
    axes = np.vstack([np.eye(problem.dimension), -np.eye(problem.dimension)])
    corners = axes if problem.dimension == 2 else axes[::-1]
    return CellTable(
        first=np.array([0, len(corners)]),
        corners=corners,
        at_infinity=np.ones(len(corners), np.bool_),
        edges=np.full(len(corners), INFINITY),
        patterns=bytes_of_bits(pattern_at(problem, np.eye(problem.dimension + 1)[-1])[None]),
        tally=tally,
    )


def domain_cell(vertices: Floats | IntegerPolytope) -> Floats:
    """The corners of a bounded domain of one or two dimensions, in order, rounded to the nearest floats."""
    if not isinstance(vertices, IntegerPolytope):
        return vertices.copy()
    return np.array([[nearest_float(Fraction(x, ray[-1])) for x in ray[:-1]] for ray in vertices.rays])


def strips(problem: Problem, across: Problem, table: CellTable) -> CellTable:
    """Convert the intervals of the transversal line into strips of a plane, which contain lines in its other direction.

    A strip has no corners; the four that are given are a point on each side (a direction if that side is missing) and
    the two directions of the strip.
    """
    row = next(form for form in parting_forms(problem) if form[0] != 0 or form[1] != 0)
    size = max(abs(value) for value in row[:2])
    f = np.array([float(int(value) / int(size)) for value in row[:2]])
    axis = np.array([1.0, 0.0]) if np.array_equal(across.basis[0], problem.basis[0]) else np.array([0.0, 1.0])
    along = np.array([-f[1], f[0]]) / np.hypot(*f)
    if axis[0] * along[1] - axis[1] * along[0] < 0:
        along = -along
    cells = len(table.first) - 1
    left, right = table.corners[0::2, 0], table.corners[1::2, 0]
    corners = np.empty((cells, 4, 2))
    corners[:, 0], corners[:, 2] = -along, along
    corners[:, 1], corners[:, 3] = right[:, None] * axis, left[:, None] * axis
    at_infinity = np.ones((cells, 4), np.bool_)
    at_infinity[:, 1], at_infinity[:, 3] = table.at_infinity[1::2], table.at_infinity[0::2]
    edges = np.empty((cells, 4), np.int64)
    edges[:, 0] = edges[:, 1] = table.edges[1::2]
    edges[:, 2] = edges[:, 3] = table.edges[0::2]
    first = 4 * np.arange(cells + 1)
    return CellTable(first, corners.reshape(-1, 2), at_infinity.ravel(), edges.ravel(), table.patterns, table.tally)
