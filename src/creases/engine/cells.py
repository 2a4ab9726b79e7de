"""Cut a domain and keep its cells: corners, edges and patterns, in an order that no number of threads changes.

On a line the cells come in the order of the line. Corners are given in the domain's own coordinates, rounded;
a corner at infinity is a direction.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.chart import ExactStart, Start
from creases.engine.driving import Report
from creases.engine.edges import ExactEdges
from creases.engine.exact import ExactForms, exact_corners, nearest_float
from creases.engine.first_layer import exact_first, independent_rows, restricted
from creases.engine.frontier import Cells, run
from creases.engine.kernel import kernel
from creases.engine.problem import Problem
from creases.engine.start import starts
from creases.engine.tally import Tally, Totals
from creases.errors import ComputationError

__all__ = ["CellTable", "cut_into_cells"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class CellTable(NamedTuple):
    """Cells as flat arrays; the corners of cell i are rows first[i] to first[i + 1].

    corners : float64 (corners, d). at_infinity : bool (corners,), True where the corner is a direction.
    edges : int64 (corners,), the edge from a corner to the next (d = 1: at the corner): a neuron's number,
        -1 for infinity, -2 - i for edge i of a bounded domain.
    patterns : uint8 (cells, ceil(N / 8)), neuron i is bit i % 8 of byte i // 8.
    tally : what `frontier.tally` would count.
    """

    first: Ints
    corners: Floats
    at_infinity: NDArray[np.bool_]
    edges: Ints
    patterns: NDArray[np.uint8]
    tally: Tally


def cut_into_cells(problem: Problem, *, threads: int | None, report: Report) -> CellTable:
    """All cells of a problem, every sign proved. Raises ComputationError where floats hold no chart of a cone."""
    if problem.vertices is None and len(independent_rows(problem)) < problem.dimension:
        return low_rank_cells(problem, threads=threads, report=report)
    total, blocks = Totals(problem.widths), []
    exact = ExactEdges.of(problem)
    for start in starts(problem):
        if isinstance(start, ExactStart):
            raise ComputationError(
                "The network's first layer has numbers so large or so small, or neurons so nearly parallel, that "
                "floats cannot hold the cells of the whole space. Cut a bounded polygon or segment, or use count, "
                "which decides in rationals."
            )
        parts = []
        for work, cells in run(problem, start, threads, False, True, report):
            if work is not None:
                total.add(work)
            if cells.ints.size:
                parts.append(unpacked(cells, problem, start, exact))
        blocks.append(in_line_order(parts, start) if problem.dimension == 1 else parts)
    # Of the two rays of a line, the one that comes from minus infinity is first.
    if problem.dimension == 1:
        blocks.sort(key=lambda block: not block[0].at_infinity[0])
    return joined([part for block in blocks for part in block], total.result(problem))


@kernel
def count_records(out_ints: Ints, words: int) -> tuple[int, int]:
    """How many cells and corners `cut.emit` wrote."""
    cells = corners = at = 0
    while at < out_ints.size:
        cells += 1
        corners += out_ints[at]
        at += 1 + 2 * out_ints[at] + words
    return cells, corners


@kernel
def unpack_records(
    out_ints: Ints, words: int, first: Ints, edges: Ints, at_infinity: NDArray[np.bool_], patterns: Ints
) -> None:
    """Sort what `cut.emit` wrote into flat arrays."""
    cell = corner = at = 0
    first[0] = 0
    while at < out_ints.size:
        corners = out_ints[at]
        for v in range(corners):
            edges[corner] = out_ints[at + 1 + 2 * v]
            at_infinity[corner] = out_ints[at + 2 + 2 * v] != 0
            corner += 1
        for word in range(words):
            patterns[cell, word] = out_ints[at + 1 + 2 * corners + word]
        at += 1 + 2 * corners + words
        cell += 1
        first[cell] = corner


class Part(NamedTuple):
    """The cells of one task; fields as in `CellTable`."""

    first: Ints
    corners: Floats
    at_infinity: NDArray[np.bool_]
    edges: Ints
    patterns: Ints


# A corner whose relative error could be larger than this is computed in rationals before it is given out.
SHARP = 1e-11


def unpacked(cells: Cells, problem: Problem, start: Start, exact: ExactEdges) -> Part:
    """What one task wrote, in the domain's coordinates."""
    d, words = problem.dimension, (sum(problem.widths) + 63) // 64
    count, corners = count_records(cells.ints, words)
    first, edges = np.zeros(count + 1, np.int64), np.zeros(corners, np.int64)
    at_infinity, patterns = np.zeros(corners, np.bool_), np.zeros((count, words), np.int64)
    unpack_records(cells.ints, words, first, edges, at_infinity, patterns)
    found = cells.reals.reshape(-1, d + 1)
    points = found[:, :d] @ start.chart[:, :d].T + start.chart[:, d]
    with np.errstate(all="ignore"):
        finite = points[:, :d] / points[:, d:]
        directions = points[:, :d] / np.linalg.norm(points[:, :d], axis=1, keepdims=True)
        # Near infinity the last coordinate is a small difference, and its error weighs.
        blurred = ~((found[:, d] + 1e-16) < SHARP * np.abs(points[:, d])) & ~at_infinity
    result = np.where(at_infinity[:, None], directions, finite)
    part = Part(first, result, at_infinity, edges, patterns)
    for corner in np.flatnonzero(blurred).tolist():
        cell = int(np.searchsorted(first, corner, side="right")) - 1
        result[corner] = exact_corner(part, cell, corner, exact)
    return part


def exact_corner(part: Part, cell: int, corner: int, exact: ExactEdges) -> Floats:
    """The float nearest to a corner of a cell, in the domain's coordinates."""
    bits = np.unpackbits(part.patterns[cell].astype("<i8").view(np.uint8), bitorder="little").astype(np.bool_)
    pattern = exact.pattern(bits)
    begin, end = int(part.first[cell]), int(part.first[cell + 1])
    edges = [exact.edge(int(number), pattern) for number in part.edges[begin:end]]
    ray = exact_corners(edges)[corner - begin]
    return np.array([nearest_float(Fraction(int(value), int(ray[-1]))) for value in ray[:-1]])


def in_line_order(parts: list[Part], start: Start) -> list[Part]:
    """The intervals of one starting cell from left to right; a chart may look at a ray from its end."""
    if start.chart[0, 0] * start.chart[1, 1] - start.chart[0, 1] * start.chart[1, 0] > 0:
        return parts
    flipped = []
    for part in reversed(parts):
        # An interval has two corners: reversing the flat arrays reverses the cells and their corners alike.
        corners, marks, edges = part.corners[::-1], part.at_infinity[::-1], part.edges[::-1]
        flipped.append(Part(part.first, corners, marks, edges, part.patterns[::-1]))
    return flipped


def joined(parts: list[Part], tally: Tally) -> CellTable:
    """One table of all parts."""
    offsets = np.cumsum([0, *(part.first[-1] for part in parts)])
    first = np.concatenate([[0], *(part.first[1:] + at for part, at in zip(parts, offsets, strict=False))])
    patterns = np.ascontiguousarray(np.concatenate([part.patterns for part in parts]))
    width = (sum(len(row) for row in tally.by_neuron) + 7) // 8
    return CellTable(
        first=first.astype(np.int64),
        corners=np.ascontiguousarray(np.concatenate([part.corners for part in parts])),
        at_infinity=np.concatenate([part.at_infinity for part in parts]),
        edges=np.concatenate([part.edges for part in parts]),
        patterns=np.ascontiguousarray(patterns.astype("<i8").view(np.uint8)[:, :width]),
        tally=tally,
    )


def low_rank_cells(problem: Problem, *, threads: int | None, report: Report) -> CellTable:
    """The cells of a whole space along some direction of which the network is constant.

    For a plane these are strips. A strip has no corners; the four that are given are a point on either side
    (a direction where that side is missing) and the two directions of the strip.
    """
    across = restricted(problem)
    neurons = sum(problem.widths)
    if across is None:
        tally = Tally([1] * len(problem.widths), [[0] * width for width in problem.widths], 1, 0, True)
        active = constant_pattern(problem)
        axes = np.vstack([np.eye(problem.dimension), -np.eye(problem.dimension)])
        corners = axes if problem.dimension == 2 else axes[::-1]
        report(1)
        return CellTable(
            first=np.array([0, len(corners)]),
            corners=corners,
            at_infinity=np.ones(len(corners), np.bool_),
            edges=np.full(len(corners), -1),
            patterns=np.packbits(active, bitorder="little")[None, : (neurons + 7) // 8],
            tally=tally,
        )
    table = cut_into_cells(across, threads=threads, report=report)
    return table if problem.dimension == 1 else strips(problem, across, table)


def constant_pattern(problem: Problem) -> NDArray[np.bool_]:
    """The pattern of a network that is constant on the domain, in rationals."""
    forms = ExactForms.of(problem)
    pattern: list[NDArray[np.bool_]] = []
    for layer in range(len(problem.widths)):
        pattern.append(np.array([form[-1] > 0 for form in forms.forms(layer, pattern)], dtype=np.bool_))
    return np.concatenate(pattern)


def strips(problem: Problem, across: Problem, table: CellTable) -> CellTable:
    """Turn the intervals of the line across into strips of the plane."""
    row = next(form for form in exact_first(problem, range(problem.widths[0])) if form[0] != 0 or form[1] != 0)
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
    tally = table.tally._replace(unbounded=cells)
    first = 4 * np.arange(cells + 1)
    return CellTable(first, corners.reshape(-1, 2), at_infinity.ravel(), edges.ravel(), table.patterns, tally)
