"""Cut a domain of any dimension and list its cells: the pattern of each, and one ray through its inside.

The ray is the mean of the cell's corners, in the domain's homogeneous coordinates: a point (u, 1), or a direction
(u, 0) of the sphere. Whether it lies inside is proved afterwards, from the pattern alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.driver import StartingCell, cut_domain
from creases.engine.answers.merging import without_drawn
from creases.engine.answers.tally import Tally, WrittenTotals, tally_constant
from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import CellKeeper
from creases.engine.problem import Floats, IntegerPolytope, Problem
from creases.engine.proof.inside import proved_by_floats
from creases.engine.proof.rational import nearest_float, value_at
from creases.engine.proof.rational_forms import RationalForms, pattern_at
from creases.engine.starts.chart import AnyStart
from creases.engine.starts.tiles import CrowdedStart, Tile
from creases.engine.starts.workshop import Workshop
from creases.engine.state.output import take_cells, take_means
from creases.engine.state.pattern import bits_of_bytes, bytes_of_bits, bytes_of_words
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
)

if TYPE_CHECKING:
    from creases.engine.starts.whole_space import Walled

__all__ = ["CellList", "list_cells"]

Bools = NDArray[np.bool_]

# Cells whose rays are looked at together.
TOGETHER = 4096


class CellList(NamedTuple):
    """All cells of a problem.

    patterns : uint8 (cells, ceil(N / 8)), neuron i is bit i % 8 of byte i // 8.
    rays : float64 (cells, d + 1), the last number 1, or 0 for directions.
    inside : bool (cells,), True where the ray is proved to lie inside the cell. tally : what `tally` would count.
    """

    patterns: NDArray[np.uint8]
    rays: Floats
    inside: Bools
    tally: Tally


class MeanKeeper:
    """Takes the pattern and the mean of the corners of each cell that the loop has written out."""

    def __init__(self, chart: Floats) -> None:
        self._chart = chart

    def take(self, work: AnyWork) -> tuple[NDArray[np.int64], Floats, Bools]:
        """Patterns, int64 (cells, words), rays, float64 (cells, d + 1), and which cells reach infinity, since the last
        time."""
        if isinstance(work, SpaceWork):
            patterns, means, marks = take_means(work)
            far = marks != 0
        else:
            cells = take_cells(work)
            counts = np.diff(cells.first)[:, None]
            means = np.add.reduceat(cells.corners[:, :-1], cells.first[:-1], axis=0) / counts
            patterns, far = cells.patterns, np.logical_or.reduceat(cells.at_infinity, cells.first[:-1])
        return patterns, np.column_stack([means, np.ones(len(means))]) @ self._chart.T, far


def list_cells(problem: Problem, *, threads: int | None, report: Report) -> CellList:
    """All cells of a problem. threads, report : as for `tally.tally`.

    Raises ComputationError where floats hold no chart of a cone.
    """
    workshop = Workshop()
    cells = cut_domain(problem, ListedCells, threads=threads, by_neuron=False, report=report, workshop=workshop)
    if cells is None:
        return list_constant(problem)
    inside = cells.problem
    points = np.concatenate(cells.rays)
    cells.rays.clear()
    if not problem.directions:
        with np.errstate(all="ignore"):  # a point too far for floats is not finite, and so not proved to be inside
            np.divide(points, points[:, -1:].copy(), out=points)
    patterns = np.concatenate(cells.patterns)
    cells.patterns.clear()
    found = once_each(CellList(patterns, points, np.zeros(0, np.bool_), cells.result(problem)))
    # Some at a time: the forward pass takes some fifty bytes a neuron of a layer and cell, the result one.
    proved = [proved_inside(inside, some_of(found, begin)) for begin in range(0, len(found.rays), TOGETHER)]
    found = found._replace(inside=np.concatenate(proved))
    return found if inside is problem else along_all_axes(found, inside, problem)


class ListedCells(WrittenTotals):
    """Collects the pattern of each finished cell and the mean of its corners, and what `Totals` counts."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.patterns: list[NDArray[np.uint8]] = []
        self.rays: list[Floats] = []
        self.far: list[Bools] = []

    def begin(self, start: AnyStart | CrowdedStart) -> Callable[[], CellKeeper]:
        """Means are moved to the domain's coordinates."""
        return partial(MeanKeeper, start.chart)

    def add(self, work: AnyWork, blocks: list[tuple[NDArray[np.int64], Floats, Bools]]) -> None:
        """Add what a finished workspace counted and wrote."""
        super().add(work, blocks)
        self.patterns += [bytes_of_words(words, len(self.by_neuron)) for words, _, _ in blocks]
        self.rays += [means for _, means, _ in blocks]
        self.far += [far for _, _, far in blocks]

    def add_point(self, tile: Tile) -> None:
        """The point is its own mean."""
        super().add_point(tile)
        ray = tile.chart.sum(axis=1)
        self.rays.append(ray[None])
        self.far.append(np.ones(1, np.bool_))
        self.patterns.append(bytes_of_bits(pattern_at(self.problem, ray)[None]))

    def add_walled(self, part: Walled, cut: Callable[[Problem, Iterable[StartingCell], Any], None]) -> None:
        """Add what a space has that is cut by walls too: of the whole one the parts of cells, of a wall what it takes
        off. `once_each` makes one of the parts."""
        if len(part.axes) < part.problem.dimension:
            super().add_walled(part, cut)
            return
        parted = ListedCells(part.problem)
        cut(part.problem, part.starts, parted)
        self.patterns += [without_drawn(patterns, part) for patterns in parted.patterns]
        self.rays += parted.rays
        self.by_layer += part.sign * parted.by_layer[int(part.inserted) :]
        self.exact_cells += parted.exact_cells
        # Euler's relation does not tell: of a region with a line in it both parts reach infinity, its wall may not.
        far = [patterns[far] for patterns, far in zip(self.patterns, parted.far, strict=True)]
        self.unbounded += len(np.unique(np.concatenate(far), axis=0))


def some_of(cells: CellList, begin: int) -> CellList:
    """The patterns and rays of `TOGETHER` cells."""
    chosen = slice(begin, begin + TOGETHER)
    return cells._replace(patterns=cells.patterns[chosen], rays=cells.rays[chosen])


def once_each(cells: CellList) -> CellList:
    """The cells without those that are listed again: regions that a wall has parted because a cell had too many facets,
    or a space too few neurons in its first layer.

    A region is convex, so those of one pattern are one. A point inside any part of it is inside.
    """
    if len(cells.patterns) == cells.tally.by_layer[-1]:
        return cells
    _, first = np.unique(cells.patterns, axis=0, return_index=True)
    kept = np.sort(first)
    return cells._replace(patterns=cells.patterns[kept], rays=cells.rays[kept])


def list_constant(problem: Problem) -> CellList:
    """The one cell of a network that is constant, or has no layer, with any ray."""
    d = problem.dimension
    ray = np.eye(d + 1)[0 if problem.directions else d]
    inside = True
    if problem.vertices is not None:
        assert isinstance(problem.vertices, IntegerPolytope)  # of three dimensions or more
        corners = [[Fraction(x, corner[-1]) for x in corner] for corner in problem.vertices.rays]
        mean = [nearest_float(sum(column, Fraction(0)) / len(corners)) for column in zip(*corners, strict=True)]
        ray = np.array(mean)
        inside = all(value_at(wall, [Fraction(x) for x in mean]) > 0 for wall in problem.vertices.walls)
    pattern = bytes_of_bits(pattern_at(problem, ray)[None])
    return CellList(pattern, ray[None], np.array([inside]), tally_constant(problem))


def along_all_axes(cells: CellList, inside: Problem, whole: Problem) -> CellList:
    """The cells with rays of the whole space: zero on the axes that were divided out."""
    d = whole.dimension
    axes = [next(c for c in range(d) if np.array_equal(whole.basis[c], row)) for row in inside.basis]
    rays = np.zeros((len(cells.rays), d + 1))
    rays[:, [*axes, d]] = cells.rays
    return cells._replace(rays=rays)


def proved_inside(problem: Problem, cells: CellList) -> Bools:
    """Whether each ray lies strictly inside its cell: in floats with bounds, in rationals where these do not tell."""
    patterns = bits_of_bytes(cells.patterns, sum(problem.widths))
    proved = proved_by_floats(problem, cells.rays, patterns)
    exact = RationalForms.of(problem)
    for cell in np.flatnonzero(~proved & np.isfinite(cells.rays).all(axis=1)).tolist():
        proved[cell] = is_inside(exact, patterns[cell], cells.rays[cell])
    return proved


def is_inside(forms: RationalForms, bits: Bools, ray: Floats) -> bool:
    """`proved_inside` for one cell, in rationals.

    No neuron is zero at the ray but one that vanishes on the cell, and no two candidates are equal there but where they
    are on the cell.
    """
    pattern, exact = np.split(bits, forms.graph.first_neurons[1:-1]), [Fraction(x) for x in ray.tolist()]
    for layer, on in enumerate(pattern):
        rows = forms.forms(layer, pattern)
        rows = rows if exact[-1] else [(*row[:-1], 0) for row in rows]
        values = [value_at(row, exact) for row in rows]
        groups = forms.graph.layer(layer).groups
        if groups is None:
            if any(
                any(row) and (value == 0 or (value > 0) != active)
                for row, value, active in zip(rows, values, on, strict=True)
            ):
                return False
            continue
        winner = {switch: i for i, switch in enumerate(groups.tolist()) if on[i]}
        for i, switch in enumerate(groups.tolist()):
            best = winner[switch]
            equal = values[i] == values[best]
            if values[i] > values[best] or (equal and i != best and (rows[i] != rows[best] or i < best)):
                return False
    return True
