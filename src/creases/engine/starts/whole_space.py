"""A whole space that the first layer does not cut into bounded cones: walls are added that are not neurons.

A network that skips levels may depend on more directions than its first layer does, and one that begins with a switch
has no neuron there at all. So a coordinate u_a becomes an additional neuron of the first layer, which no other unit
takes: a wall. A region is convex, so by Euler's relation, as in `tiles`,

    regions(space) = regions(space with the wall) - regions of the whole that meet the wall,

and the wall is a space of one dimension less, which may need further walls. Regions on a wall are counted in the
parent's coordinates: a form that vanishes on the wall but not in the parent ends the regions there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from creases.engine.graph import COORDINATES, Graph, Level, Matrix, is_sparse, relu_slopes
from creases.engine.problem import Floats, Problem
from creases.engine.starts.chart import AnyStart, RationalStart, SpaceStart
from creases.engine.starts.first_layer import FirstLayer, restricted_to
from creases.engine.starts.starting import cones, cones_of_directions
from creases.engine.starts.tiles import Tile
from creases.rationals import independent

__all__ = ["Walled", "walled"]


class Walled(NamedTuple):
    """A whole space, or one of the walls in it, with enough neurons in its first layer.

    sign : 1 or -1, the sign with which its regions count. problem : with walls as neurons. axes : the coordinates that
        are not zero. rows : independent neurons of the first layer, as many as axes. drawn : the number of walls, which
        are the last neurons of the first layer. inserted : whether they are a layer of their own, before the network's
        first.
    """

    sign: int
    problem: Problem
    axes: tuple[int, ...]
    rows: list[int]
    drawn: int
    inserted: bool

    @property
    def starts(self) -> Iterator[AnyStart | RationalStart | Tile]:
        """The starting cells, in charts of the parent's coordinates."""
        inside = restricted_to(self.problem, self.axes)
        first = FirstLayer(inside)
        cells: Iterator[Any] = (cones_of_directions if inside.directions else cones)(inside, self.rows, first.forms)
        for cell in cells:
            yield cell if len(self.axes) == self.problem.dimension else self.lifted(cell)

    def lifted(self, cell: Any) -> Any:
        """A starting cell of the wall in a chart of the parent's coordinates."""
        if isinstance(cell, RationalStart):
            return cell
        chart: Floats = np.zeros((self.problem.dimension + 1, cell.chart.shape[1]))
        chart[[*self.axes, self.problem.dimension]] = cell.chart
        return cell._replace(chart=chart, first=None) if isinstance(cell, SpaceStart) else cell._replace(chart=chart)


def walled(problem: Problem) -> Iterator[Walled]:
    """A whole space as spaces that neurons of their first layers cut into bounded cones, with their signs."""
    level = problem.graph.layer(0)
    inserted = level.groups is not None
    if inserted:
        problem = problem._replace(graph=with_layer_before(problem.graph))
    yield from parted(problem, tuple(range(problem.dimension)), 1, 0, inserted)


def parted(problem: Problem, axes: tuple[int, ...], sign: int, drawn: int, inserted: bool) -> Iterator[Walled]:
    """`walled`, starting with some walls."""
    inside = restricted_to(problem, axes)
    rows = FirstLayer(inside).rows if axes and inside.widths[0] else []
    if len(rows) == len(axes):
        yield Walled(sign, problem, axes, rows, drawn, inserted)
        return
    axis = axis_across(inside, rows, axes)
    with_wall = problem._replace(graph=with_wall_at(problem.graph, axis, problem.dimension))
    yield from parted(with_wall, axes, sign, drawn + 1, inserted)
    yield from parted(problem, tuple(a for a in axes if a != axis), -sign, drawn, inserted)


def axis_across(inside: Problem, rows: list[int], axes: tuple[int, ...]) -> int:
    """A coordinate that is independent of some independent neurons."""
    from creases.engine.starts.first_layer import rational_first

    d = len(axes)
    gradients = [row[:-1] for row in rational_first(inside, rows)] if rows else []
    units = [tuple(int(i == j) for j in range(d)) for i in range(d)]
    place = independent([*gradients, *units])[len(rows)] - len(rows)
    return axes[place]


def with_layer_before(graph: Graph) -> Graph:
    """The graph with an empty layer at the beginning, for walls."""
    moved = [
        level._replace(sources=tuple(source + 1 if source > 0 else source for source in level.sources))
        for level in graph.levels
    ]
    return Graph((Level((), (), np.zeros(0), relu_slopes(0)), *moved))


def with_wall_at(graph: Graph, axis: int, dimension: int) -> Graph:
    """The graph with an additional neuron in its first layer, the coordinate `axis`, which no level takes."""
    first = graph.layers[0]
    levels = list(graph.levels)
    level = levels[first - 1]
    n = len(level.bias)
    terms = dict(level.terms)
    if COORDINATES not in terms:
        terms[COORDINATES] = np.zeros((n, dimension + 1))
    row = np.zeros((1, dimension + 1))
    row[0, axis] = 1.0
    grown = {
        source: np.vstack([matrix, row]) if source == COORDINATES else with_zero_row(matrix)
        for source, matrix in terms.items()
    }
    assert level.slopes is not None
    slopes = np.concatenate([level.slopes, relu_slopes(1)], axis=1)
    levels[first - 1] = Level(tuple(grown), tuple(grown.values()), np.append(level.bias, 0.0), slopes)
    for number in range(first, len(levels)):
        above = levels[number]
        matrices = tuple(with_zero_column(matrix) if source == first else matrix for source, matrix in above.terms)
        levels[number] = above._replace(matrices=matrices)
    return Graph(tuple(levels))


def with_zero_row(matrix: Matrix) -> Matrix:
    """A matrix with an additional row of zeros at the bottom."""
    zeros = np.zeros((1, matrix.shape[1]))
    return csr_array(vstack([matrix, csr_array(zeros)])) if is_sparse(matrix) else np.vstack([matrix, zeros])


def with_zero_column(matrix: Matrix) -> Matrix:
    """A matrix with an additional column of zeros at the right."""
    zeros = np.zeros((matrix.shape[0], 1))
    return csr_array(hstack([matrix, csr_array(zeros)])) if is_sparse(matrix) else np.hstack([matrix, zeros])
