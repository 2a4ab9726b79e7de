"""Faces of every dimension, each once, with the cells that have it, and the faces on its boundary.

A face of a cell is the intersection of some of its sides, so it is determined by the corners on them. The faces of one
dimension less are the largest of these sets inside a face. Cells meet in whole faces, and each vertex has one number,
so faces of two cells are equal if and only if they have the same vertices. No coordinates are compared.

Faces at infinity are not faces here. For directions, the cells and their faces are cones; the only face of dimension 0
is the origin, which every cone has. If every cell contains lines, so does every face, and no face has a smaller
dimension.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.skeleton import NO_CELL
from creases.domain import Directions
from creases.errors import ComputationError
from creases.lists import spans
from creases.streams import stream

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Faces", "Lattice", "Lists", "incidence_of", "lattice_of", "ridges_of"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Faces(NamedTuple):
    """The faces of one dimension, each once.

    first : int64 (faces + 1,); the vertices of face i are vertices[first[i] : first[i + 1]], in ascending order.
    vertices : int64, rows of `Complex.vertices`; those at infinity are the directions in which the face is unbounded.
    cell_first : int64 (faces + 1,); the cells that have face i are cells[cell_first[i] : cell_first[i + 1]].
    cells : int64, in ascending order for each face.
    """

    first: Ints
    vertices: Ints
    cell_first: Ints
    cells: Ints

    def __len__(self) -> int:
        return len(self.first) - 1

    def __repr__(self) -> str:
        return f"Faces({len(self):,} faces)"


class Lists(NamedTuple):
    """Lists of numbers one after the other: list i is values[first[i] : first[i + 1]]."""

    first: Ints
    values: Ints


class Lattice(NamedTuple):
    """All faces.

    levels : the faces by dimension, 0 to d. boundaries : by dimension, for each face those of one dimension less on its
        boundary, in ascending order; empty lists for dimension 0.
    """

    levels: list[Faces]
    boundaries: list[Lists]


class Shapes(NamedTuple):
    """Faces by their corners in one of their cells: list i is corners[first[i] : first[i + 1]]."""

    first: Ints
    corners: Ints


class Candidates(NamedTuple):
    """Sets of corners of faces. owners : int64 (sets,), the face of each; set i has the corners `slots[first[i] :
    first[i + 1]]`, indices into the lists of the faces."""

    owners: Ints
    first: Ints
    slots: Ints


def lattice_of(complex: Complex) -> Lattice:
    """The faces of a complex.

    Raises ComputationError if two different lists of vertices have the same 128-bit key.
    """
    d, lines = complex.dimension, len(complex.lineality)
    directions = isinstance(complex.domain, Directions)
    whole = cells_as_faces(complex)
    levels, boundaries = [no_faces() for _ in range(d + 1)], [Lists(np.zeros(1, np.int64), NO_NUMBERS)] * (d + 1)
    levels[d] = whole
    if lines == d:
        return with_empty_boundaries(levels, boundaries)
    shapes, levels[d - 1], boundaries[d] = facets_as_faces(complex)
    corner_sides = sides_of_corners(complex)
    for k in range(d - 1, lines, -1):
        if directions and k == lines + 1:
            levels[k - 1], boundaries[k] = the_origin(len(levels[k]), len(complex))
            break
        candidates = within(shapes, corner_sides)
        if not directions:
            candidates = chosen(candidates, has_vertex(candidates, shapes, complex.at_infinity))
        candidates = largest(each_once(candidates))
        shapes, levels[k - 1], boundaries[k] = numbered(candidates, shapes, levels[k], complex.vertex_numbers)
    return with_empty_boundaries(levels, boundaries)


def incidence_of(lattice: Lattice, dimension: int) -> Any:
    """`Complex.incidence`."""
    from scipy.sparse import csr_array

    first, faces = lattice.boundaries[dimension]
    shape = (len(lattice.levels[dimension]), len(lattice.levels[dimension - 1]))
    found: Any = csr_array((np.ones(len(faces), np.bool_), faces, first), shape=shape)
    return found


NO_NUMBERS = np.zeros(0, np.int64)


def no_faces() -> Faces:
    """An empty list of faces of one dimension."""
    zero = np.zeros(1, np.int64)
    return Faces(zero, NO_NUMBERS, zero, NO_NUMBERS)


def with_empty_boundaries(levels: list[Faces], boundaries: list[Lists]) -> Lattice:
    """The lattice, with an empty list for each face that has no boundary."""
    full = [
        found if len(found.first) == len(level) + 1 else Lists(np.zeros(len(level) + 1, np.int64), NO_NUMBERS)
        for level, found in zip(levels, boundaries, strict=True)
    ]
    return Lattice(levels, full)


def counted(sizes: Ints) -> Ints:
    """The beginnings of consecutive lists with these sizes, and the end."""
    return np.concatenate([[0], np.cumsum(sizes)])


def listed(owners: Ints, values: Ints, count: int) -> Lists:
    """The distinct values of each of `count` owners, in ascending order."""
    width = int(values.max(initial=0)) + 1
    keys = np.sort(owners * width + values)  # np.unique uses a hash table, which is ten times as slow
    own, values = np.divmod(keys[is_new(keys)], width)
    return Lists(counted(np.bincount(own, minlength=count)), values)


def is_new(values: NDArray[Any]) -> Bools:
    """Whether each of some sorted values differs from the one before it, bool (n,)."""
    found = np.ones(len(values), np.bool_)
    found[1:] = values[1:] != values[:-1]
    return found


def cells_as_faces(complex: Complex) -> Faces:
    """The cells as faces."""
    count = len(complex)
    numbers = complex.vertex_numbers
    owners = np.repeat(np.arange(count), np.diff(complex.first))
    lists = listed(owners[numbers >= 0], numbers[numbers >= 0], count)
    return Faces(*lists, np.arange(count + 1), np.arange(count))


def facets_as_faces(complex: Complex) -> tuple[Shapes, Faces, Lists]:
    """The facets as faces, in their order, and the facets of each cell."""
    facets, sides, of_sides = complex.facets, complex.sides, complex.side_facets
    two = facets.cells != NO_CELL
    faces = Faces(facets.first, facets.vertices, counted(two.sum(axis=1)), facets.cells[two])
    owners = np.repeat(np.arange(len(complex)), np.diff(sides.first))
    return shapes_of(complex, np.arange(len(facets))), faces, listed(owners, of_sides, len(complex))


def shapes_of(complex: Complex, facets: Ints) -> Shapes:
    """Some facets, by their corners in the first of their cells."""
    sides, of_sides = complex.sides, complex.side_facets
    first_sides = np.full(len(complex.facets), len(of_sides))
    np.minimum.at(first_sides, of_sides, np.arange(len(of_sides)))
    chosen = first_sides[facets]
    sizes = np.diff(sides.corner_first)[chosen]
    return Shapes(counted(sizes), sides.corners[spans(sides.corner_first[chosen], sizes)])


def ridges_of(complex: Complex, facets: Ints) -> tuple[Lists, Ints]:
    """The ridges of some facets that are not cones, each by its corners in one cell, and the facet of each, as an index
    into `facets`. A ridge of two facets is listed twice."""
    shapes = shapes_of(complex, facets)
    found = within(shapes, sides_of_corners(complex))
    found = largest(each_once(chosen(found, has_vertex(found, shapes, complex.at_infinity))))
    return Lists(found.first, shapes.corners[found.slots]), found.owners


def the_origin(count: int, cells: int) -> tuple[Faces, Lists]:
    """The only face of dimension 0 of cones, and its incidence with all `count` faces above."""
    zeros = np.zeros(2, np.int64)
    face = Faces(zeros, NO_NUMBERS, np.array([0, cells]), np.arange(cells))
    return face, Lists(np.arange(count + 1), np.zeros(count, np.int64))


def sides_of_corners(complex: Complex) -> Lists:
    """The sides on which each corner lies."""
    sides = complex.sides
    owners = np.repeat(np.arange(len(sides.walls)), np.diff(sides.corner_first))
    order = np.argsort(sides.corners, kind="stable")
    return Lists(counted(np.bincount(sides.corners, minlength=len(complex.corners))), owners[order])


def within(shapes: Shapes, corner_sides: Lists) -> Candidates:
    """The intersections of each face with those sides of its cell that do not contain it."""
    sizes = np.diff(shapes.first)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    lengths = np.diff(corner_sides.first)[shapes.corners]
    slots = np.repeat(np.arange(len(shapes.corners)), lengths)
    sides = corner_sides.values[spans(corner_sides.first[shapes.corners], lengths)]
    width = int(sides.max(initial=0)) + 1
    keys = owners[slots] * width + sides
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    begins = np.flatnonzero(is_new(keys))
    found = Candidates(keys[begins] // width, np.append(begins, len(keys)), slots[order])
    return chosen(found, np.diff(found.first) < sizes[found.owners])


def chosen(candidates: Candidates, kept: Bools) -> Candidates:
    """Some of the sets."""
    sizes = np.diff(candidates.first)[kept]
    return Candidates(
        candidates.owners[kept], counted(sizes), candidates.slots[spans(candidates.first[:-1][kept], sizes)]
    )


def has_vertex(candidates: Candidates, shapes: Shapes, at_infinity: Bools) -> Bools:
    """Whether each set has a corner that is not at infinity."""
    near = np.concatenate([[0], np.cumsum(~at_infinity[shapes.corners[candidates.slots]])])
    return np.asarray(near[candidates.first[1:]] > near[candidates.first[:-1]])


def each_once(candidates: Candidates) -> Candidates:
    """The sets of each face without repetitions, since two sides may meet a face in the same set. The sets are sorted
    lists."""
    leaders = leaders_of(candidates.slots, candidates.first)
    return chosen(candidates, leaders == np.arange(len(leaders)))


def largest(candidates: Candidates) -> Candidates:
    """The sets of each face that are not contained in a larger one."""
    from scipy.sparse import csr_array

    sizes, count = np.diff(candidates.first), len(candidates.owners)
    if not count:
        return candidates
    holds = csr_array((np.ones(len(candidates.slots), np.int32), candidates.slots, candidates.first.copy()))
    shared = (holds @ holds.T).tocoo()
    one, other = shared.row, shared.col
    smaller = (shared.data == sizes[one]) & (sizes[one] < sizes[other])
    kept = np.ones(count, np.bool_)
    kept[one[smaller]] = False
    return chosen(candidates, kept)


def numbered(candidates: Candidates, shapes: Shapes, above: Faces, vertices: Ints) -> tuple[Shapes, Faces, Lists]:
    """The sets as faces, each once, ordered by their lowest vertices, and those on the boundary of each face above.

    vertices : the vertex of each corner.
    """
    corners = shapes.corners[candidates.slots]
    sizes = np.diff(candidates.first)
    sets, ends = np.repeat(np.arange(len(sizes)), sizes), vertices[corners]
    order = np.argsort(sets * (int(ends.max(initial=0)) + 1) + ends)
    corners, ends = corners[order], ends[order]
    leaders = leaders_of(ends, candidates.first)
    own = np.flatnonzero(leaders == np.arange(len(leaders)))
    own = own[np.argsort(ends[candidates.first[own]], kind="stable")]
    names = np.empty(len(leaders), np.int64)
    names[own] = np.arange(len(own))
    names = names[leaders]
    places = spans(candidates.first[own], sizes[own])
    lengths = np.diff(above.cell_first)[candidates.owners]
    cells = above.cells[spans(above.cell_first[candidates.owners], lengths)]
    of_cells = listed(np.repeat(names, lengths), cells, len(own))
    first = counted(sizes[own])
    faces = Faces(first, ends[places], *of_cells)
    return Shapes(first, corners[places]), faces, listed(candidates.owners, names, len(above))


def leaders_of(values: Ints, first: Ints) -> Ints:
    """For each list of numbers, the first list that is equal to it.

    Raises ComputationError if two different lists have the same 128-bit key.
    """
    random = stream("keys of faces", 0).integers(0, 2**64, (2, int(values.max(initial=-1)) + 1), np.uint64)
    keys = np.empty((len(first) - 1, 2), np.uint64)
    for h in range(2):
        with np.errstate(over="ignore"):
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(random[h, values])])
            keys[:, h] = sums[first[1:]] - sums[first[:-1]]
    order = np.argsort(keys[:, 0])
    new = is_new(keys[order, 0])
    if (is_new(keys[order, 1]) & ~new).any():  # two keys agree in one half only
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        new = is_new(keys[order, 0]) | is_new(keys[order, 1])
    leaders = np.empty(len(order), np.int64)
    begins = np.flatnonzero(new)
    lowest = np.minimum.reduceat(order, begins) if len(order) else order
    leaders[order] = np.repeat(lowest, np.diff(np.append(begins, len(order))))
    sizes = np.diff(first)
    same = np.array_equal(sizes, sizes[leaders])
    if not same or not np.array_equal(values, values[spans(first[leaders], sizes)]):
        raise ComputationError("Two faces have one key of 128 bits and are not one.")
    return leaders
