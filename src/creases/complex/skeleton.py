"""How the cells of a complex are connected: each vertex once, and each facet with the two cells that it separates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.lists import spans
from creases.packing import as_problem

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.engine.answers.sides import Sides

__all__ = ["NO_CELL", "NO_VERTEX", "Facets", "Given", "Skeleton", "lineality_of_flat", "skeleton_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# For a facet without a cell on its other side; for a corner that is not a vertex.
NO_CELL = NO_VERTEX = -1


class Facets(NamedTuple):
    """The facets of all cells, each once, in the order of the cells.

    cells : int64 (facets, 2), the cells on both sides, the lower number first; -1 (NO_CELL) on the boundary of the
        domain, and on a Ball if the cell on the other side does not meet it.
    walls : int64 (facets,), the wall of each facet, numbered as in `Complex.edges`; if several neurons vanish on the
        facet, the one that bounds its first cell.
    first : int64 (facets + 1,); the vertices of facet i are vertices[first[i] : first[i + 1]], in ascending order.
    vertices : int64, rows of `Complex.vertices`.
    """

    cells: Ints
    walls: Ints
    first: Ints
    vertices: Ints

    def __len__(self) -> int:
        return len(self.walls)

    def __repr__(self) -> str:
        return f"Facets({len(self):,} facets, {int(self.inner.sum()):,} between two cells)"

    @property
    def inner(self) -> Bools:
        """Whether there are cells on both sides, bool (facets,)."""
        return np.asarray(self.cells[:, 1] != NO_CELL)


class Given(NamedTuple):
    """The walls of cells of at least three dimensions, and of directions, which are stored with them.

    sides : the sides of each cell, with the corners on each. lineality : as in `Complex`.
    """

    sides: Sides
    lineality: Floats


class Skeleton(NamedTuple):
    """The result of `skeleton_of`; the first four fields are those of `Complex`.

    sides : the sides of each cell, with the corners on each.
    """

    vertices: Floats
    vertices_at_infinity: Bools
    vertex_numbers: Ints
    facets: Facets
    side_facets: Ints
    sides: Sides


def skeleton_of(complex: Complex) -> Skeleton:
    """Connect the cells of a complex, by proof (`engine.answers.gluing`).

    Raises ComputationError if the cells do not fit together.
    """
    from creases.engine.answers.gluing import glued

    problem, lines = as_problem(complex.network, complex.domain), len(complex.lineality)
    sides, own = sides_of(complex)
    if lines == complex.dimension:  # no neuron bends: one cell without vertices
        nothing = np.zeros(0, np.int64)
        facets = Facets(nothing.reshape(0, 2), nothing, np.zeros(1, np.int64), nothing)
        numbers = np.full(len(complex.corners), NO_VERTEX)
        return Skeleton(np.zeros((0, complex.dimension)), np.zeros(0, np.bool_), numbers, facets, nothing, sides)
    if own.all():
        first, corners, far, true = complex.first, complex.corners, complex.at_infinity, sides
        glue = glued(problem, first, corners, far, complex.patterns, true, lines)
        numbers = glue.vertices
    else:
        place = np.cumsum(own) - 1  # the index of each corner among those that are vertices
        first = np.concatenate([[0], np.cumsum(own)])[complex.first]
        corners, far = complex.corners[own], complex.at_infinity[own]
        true = sides._replace(corners=place[sides.corners])
        glue = glued(problem, first, corners, far, complex.patterns, true, lines)
        numbers = np.full(len(own), NO_VERTEX)
        numbers[own] = glue.vertices
    return Skeleton(
        corners[glue.first_corners],
        far[glue.first_corners],
        numbers,
        facets_of(sides, numbers, glue.first_sides, glue.cells),
        glue.facets,
        sides,
    )


def facets_of(sides: Sides, numbers: Ints, first_sides: Ints, cells: Ints) -> Facets:
    """The facets that are these sides of their first cells. numbers : the vertex of each corner."""
    from creases.engine.answers.gluing import sort_lists

    sizes = np.diff(sides.corner_first)[first_sides]
    ends = numbers[sides.corners[spans(sides.corner_first[first_sides], sizes)]]
    first = np.concatenate([[0], np.cumsum(sizes)])
    sort_lists(first, ends)
    return Facets(cells, sides.walls[first_sides], first, ends)


def sides_of(complex: Complex) -> tuple[Sides, Bools]:
    """The sides of a complex, and which of its corners are vertices, bool (corners,)."""
    from creases.engine.answers import sides

    own = np.ones(len(complex.corners), np.bool_)
    if len(complex.lineality) == complex.dimension:
        nothing = np.zeros(0, np.int64)
        return sides.Sides(np.zeros(2, np.int64), nothing, np.zeros(1, np.int64), nothing), ~own
    if complex.given is not None:
        return complex.given.sides, own
    if complex.dimension == 1:
        return sides.sides_on_line(complex.first, complex.edges), own
    if len(complex.lineality):
        own[0::2] = False
        return sides.sides_of_strips(complex.first, complex.edges), own
    return sides.sides_in_plane(complex.first, complex.edges), own


def lineality_of_flat(first: Ints, corners: Floats, at_infinity: Bools) -> Floats:
    """Directions in which every cell contains a line, float64 (lines, d), for a complex of one or two dimensions."""
    d = corners.shape[1]
    if not len(corners) or not at_infinity[: first[1]].any():
        return np.zeros((0, d))
    mine, far = corners[: first[1]], at_infinity[: first[1]]
    if far.all() and len(first) == 2 and len(mine) == 2 * d:
        return np.eye(d)
    strips = d == 2 and len(mine) == 4 and far[0] and far[2] and np.array_equal(mine[0], -mine[2])
    return mine[2:3].copy() if strips else np.zeros((0, d))
