"""The boundary between cells that are labelled differently, put together from the facets between them.

Which facets meet where is proved, and so is the order of corners around a facet; coordinates decide only which of its
two sides a whole connected surface turns outward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.chains import NO_NEXT, rows_of
from creases.complex.faces import ridges_of
from creases.complex.faults import refuse_ball
from creases.complex.surfaces import Mesh, Polylines
from creases.domain import Directions
from creases.errors import ComputationError, DomainError
from creases.lists import spans

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["boundary_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_SIDE = -1


def boundary_of(complex: Complex, labels: ArrayLike) -> Polylines | Mesh:
    """The boundary between cells with different labels: Polylines in two dimensions, a Mesh in three.

    labels : integers, shape (cells,), such as the class of each cell, or the state of a neuron.
    Each vertex is listed once, so the boundary of a set of cells inside the domain is closed.
    Raises ValueError unless there is one label per cell; DomainError if the domain does not have two or three
    dimensions or is a Ball, or if the boundary reaches infinity.

    Examples
    --------
    >>> from creases import Box, Network, subdivide
    >>> network = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    >>> cells = subdivide(network, Box([-1, -1], [1, 1]))
    >>> boundary_of(cells, [cells.pattern(i)[0].all() for i in range(len(cells))])
    Polylines(1 line, 0 closed, length=2)
    """
    marks = np.asarray(labels)
    if marks.shape != (len(complex),) or marks.dtype.kind not in "iub":
        raise ValueError(
            f"labels must be whole numbers, one for each of {len(complex)} cells; got shape {marks.shape} of "
            f"{marks.dtype}."
        )
    if complex.dimension not in (2, 3) or isinstance(complex.domain, Directions):
        raise DomainError(
            f"A boundary is drawn in two or three dimensions, and {complex.domain!r} has others. Subdivide a slice, "
            "like Plane.through(a, b, c).square(1) or a Box that holds all but three inputs fixed."
        )
    refuse_ball(complex.domain, "Boundaries between cells")
    marks = marks.astype(np.int64)
    facets = complex.facets
    inner = np.flatnonzero(facets.inner)
    ends = marks[facets.cells[inner]]
    chosen, ends = inner[ends[:, 0] != ends[:, 1]], ends[ends[:, 0] != ends[:, 1]]
    cells = np.where((ends[:, 0] < ends[:, 1])[:, None], facets.cells[chosen], facets.cells[chosen, ::-1])
    check_bounded(complex, chosen)
    make = polylines if complex.dimension == 2 else mesh
    return make(complex, chosen, cells, np.sort(ends, axis=1))


def check_bounded(complex: Complex, facets: Ints) -> None:
    """Raise DomainError if one of these facets reaches infinity."""
    if not len(facets):
        return
    ends = complex.facets
    far = np.logical_or.reduceat(complex.vertices_at_infinity[ends.vertices], ends.first[:-1])[facets]
    if len(complex.lineality) or far.any():
        raise DomainError(
            f"The boundary reaches infinity on {complex.domain!r}. Cut a bounded domain, like Box or Plane.square."
        )


def sides_in(complex: Complex, facets: Ints, cells: Ints) -> Ints:
    """The side by which each facet bounds a cell, int64 (facets,)."""
    first, second = np.full((2, len(complex.facets)), NO_SIDE)
    sides = complex.side_facets
    first[sides[::-1]] = np.arange(len(sides))[::-1]
    second[sides] = np.arange(len(sides))
    return np.where(complex.facets.cells[facets, 0] == cells, first[facets], second[facets])


def polylines(complex: Complex, facets: Ints, cells: Ints, labels: Ints) -> Polylines:
    """The facets of a complex in the plane, joined. cells, labels : int64 (facets, 2), of lower and higher label."""
    sides = complex.sides
    at = sides.corner_first[sides_in(complex, facets, cells[:, 0])]
    # A cell's corners go round it counter-clockwise: so does each side, with the cell on its left.
    begin, end = (complex.vertex_numbers[sides.corners[at + i]] for i in (0, 1))
    around = np.bincount(np.concatenate([begin, end]), minlength=len(complex.vertices))
    starting = np.full(len(complex.vertices), NO_NEXT)
    starting[begin] = np.arange(len(facets))
    # Where two lines meet, and no more, one comes and the other goes: the lower label is left of both. On the border of
    # the domain they may part three labels, and are two lines.
    after = np.where(around[end] == 2, starting[end], NO_NEXT)
    after = np.where((labels[after] == labels).all(axis=1), after, NO_NEXT)
    rows = rows_of(after)
    # A row that is open has one point more than lines.
    sizes = np.diff(rows.first) + ~rows.closed
    first = np.concatenate([[0], np.cumsum(sizes)])
    points = np.zeros(first[-1], np.int64)
    place = np.arange(len(facets)) + np.repeat(np.cumsum(~rows.closed) - ~rows.closed, np.diff(rows.first))
    points[place] = begin[rows.order]
    last = rows.order[rows.first[1:] - 1]
    points[first[1:][~rows.closed] - 1] = end[last[~rows.closed]]
    return Polylines(complex.vertices[points], first, rows.closed, labels[last])


def mesh(complex: Complex, facets: Ints, cells: Ints, labels: Ints) -> Mesh:
    """The facets of a complex in space, parted into triangles. cells, labels : as for `polylines`."""
    around, first = corners_in_order(complex, facets)
    flipped = turned(complex, around, first, cells, labels)
    # From the first corner of a facet a triangle to each side but the two that it lies on.
    sizes = np.diff(first)
    owners = np.repeat(np.arange(len(facets)), sizes - 2)
    begin = np.cumsum(sizes - 2) - (sizes - 2)
    at = first[owners] + 1 + np.arange(len(owners)) - begin[owners]
    apex, left, right = around[first[owners]], around[at], around[at + 1]
    back = flipped[owners]
    triangles = np.column_stack([apex, np.where(back, right, left), np.where(back, left, right)])
    used, rows = np.unique(triangles, return_inverse=True)
    return Mesh(complex.vertices[used], rows.reshape(-1, 3), labels[owners], facets[owners])


def corners_in_order(complex: Complex, facets: Ints) -> tuple[Ints, Ints]:
    """The vertices of each facet in order around it, one way or the other: of facet i around[first[i] : first[i + 1]].

    From corner to corner by the edges that each side of a cell has in common with others.
    """
    edges, owners = ridges_of(complex, facets)
    sizes = np.bincount(owners, minlength=len(facets))
    if not np.array_equal(sizes, np.diff(complex.facets.first)[facets]) or (np.diff(edges.first) != 2).any():
        raise ComputationError("A facet in space has not as many edges as corners: these are not cells of a complex.")
    ends = edges.values.reshape(-1, 2)
    # Each edge can be gone along both ways. Behind one comes the other edge at its end.
    begin = ends.T.ravel()
    facet = np.tile(owners, 2)
    order = np.lexsort((begin, facet))  # the two edges that start at one corner stand side by side
    partner = np.empty(len(order), np.int64)
    partner[order] = order.reshape(-1, 2)[:, ::-1].ravel()
    back = np.concatenate([np.arange(len(ends)) + len(ends), np.arange(len(ends))])
    rows = rows_of(partner[back])
    # Both ways round each facet: the first one is taken.
    ways = facet[rows.order[rows.first[:-1]]]
    _, taken = np.unique(ways, return_index=True)
    found = rows.order[spans(rows.first[taken], sizes)]
    return complex.vertex_numbers[begin[found]], np.concatenate([[0], np.cumsum(sizes)])


def turned(complex: Complex, around: Ints, first: Ints, cells: Ints, labels: Ints) -> Bools:
    """Which facets are to be gone round the other way, so that seen from the higher label all are counter-clockwise.

    Neighbours that part the same two labels go along their common edge in opposite ways; on the border of the domain
    others may meet. So one facet decides for all of a connected surface, and all together say which way is outward, by
    their areas: no facet is too small to be turned rightly.
    """
    if len(first) < 2:
        return np.zeros(0, np.bool_)
    after = np.arange(1, len(around) + 1)
    after[first[1:] - 1] = first[:-1]
    one, two, turns = neighbours(around, around[after], first)
    same = (labels[one] == labels[two]).all(axis=1)
    flips, surfaces = alternating(one[same], two[same], turns[same], len(first) - 1)
    outward = outward_areas(complex, around, first, after, cells)
    votes = np.bincount(surfaces, np.where(flips, -outward, outward))
    return np.asarray(flips ^ (votes[surfaces] < 0.0))


def neighbours(begin: Ints, end: Ints, first: Ints) -> tuple[Ints, Ints, Bools]:
    """Facets that meet at an edge, two by two, where no more than two do; and whether both go along it in one way.

    begin, end : the ends of each edge of each facet. first : where the edges of each facet begin.
    """
    owners = np.repeat(np.arange(len(first) - 1), np.diff(first))
    order = np.lexsort((np.maximum(begin, end), np.minimum(begin, end)))
    ends = np.sort(np.stack([begin, end]), axis=0)[:, order]
    starts = np.flatnonzero(np.append(True, (np.diff(ends, axis=1) != 0).any(axis=0)))
    pairs = starts[np.diff(np.append(starts, len(order))) == 2]
    one, two = order[pairs], order[pairs + 1]
    return owners[one], owners[two], begin[one] == begin[two]


def alternating(one: Ints, two: Ints, turns: Bools, count: int) -> tuple[Bools, Ints]:
    """Which of several things to turn, so that of each pair both are turned or neither, or one of them if it `turns`;
    and which of them hang together, int64 (count,) from 0.

    Each thing is there twice, as it is and turned; what is then joined to the first of them is to be turned or not.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    other = np.where(turns, count, 0)
    pairs = (np.concatenate([one, one + count]), np.concatenate([two + other, two + count - other]))
    graph = coo_array((np.ones(2 * len(one), np.bool_), pairs), shape=(2 * count, 2 * count))
    labels = connected_components(graph, directed=False)[1].reshape(2, count)
    if (labels[0] == labels[1]).any():
        raise ComputationError("A boundary has only one side: these are not the cells of a network.")
    lower = labels.min(axis=0)
    return labels[0] != lower, np.unique(lower, return_inverse=True)[1]


def outward_areas(complex: Complex, around: Ints, first: Ints, after: Ints, cells: Ints) -> Floats:
    """For each facet how much of its area, as it is gone round, faces the cell of the higher label."""
    places = complex.vertices[around]
    sizes = np.diff(first)
    middles = np.add.reduceat(places, first[:-1], axis=0) / sizes[:, None]
    arms = places - np.repeat(middles, sizes, axis=0)
    normals = np.add.reduceat(np.cross(arms, arms[after]), first[:-1], axis=0) / 2.0
    # A point inside each cell, or near it: it need not be proved, as the large facets outvote the small ones.
    weights = (~complex.at_infinity).astype(np.float64)
    within = np.add.reduceat(complex.corners * weights[:, None], complex.first[:-1], axis=0)
    within /= np.maximum(np.add.reduceat(weights, complex.first[:-1]), 1.0)[:, None]
    within += np.add.reduceat(complex.corners * (1.0 - weights)[:, None], complex.first[:-1], axis=0)
    across = within[cells[:, 1]] - within[cells[:, 0]]
    lengths = np.linalg.norm(across, axis=1)
    return np.asarray(np.einsum("ij,ij->i", normals, across) / np.where(lengths > 0.0, lengths, 1.0))
