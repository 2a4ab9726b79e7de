"""The boundary between cells with different labels, assembled from the facets between them.

The incidence of facets and the order of corners around a facet are proved; coordinates only decide which of its two
sides a whole connected surface has on the outside.
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
    """The side of the cell that is this facet, for each facet, int64 (facets,)."""
    first, second = np.full((2, len(complex.facets)), NO_SIDE)
    sides = complex.side_facets
    first[sides[::-1]] = np.arange(len(sides))[::-1]
    second[sides] = np.arange(len(sides))
    return np.where(complex.facets.cells[facets, 0] == cells, first[facets], second[facets])


def polylines(complex: Complex, facets: Ints, cells: Ints, labels: Ints) -> Polylines:
    """The facets of a complex in the plane, joined into lines. cells, labels : int64 (facets, 2), the lower label
    first."""
    sides = complex.sides
    at = sides.corner_first[sides_in(complex, facets, cells[:, 0])]
    # The corners of a cell are counter-clockwise, so each side has the cell on its left.
    begin, end = (complex.vertex_numbers[sides.corners[at + i]] for i in (0, 1))
    around = np.bincount(np.concatenate([begin, end]), minlength=len(complex.vertices))
    starting = np.full(len(complex.vertices), NO_NEXT)
    starting[begin] = np.arange(len(facets))
    # If exactly two lines meet, one ends and the other begins: both have the lower label on the left. On the boundary
    # of the domain they may separate three labels, and are two lines.
    after = np.where(around[end] == 2, starting[end], NO_NEXT)
    after = np.where((labels[after] == labels).all(axis=1), after, NO_NEXT)
    rows = rows_of(after)
    # An open row has one more point than lines.
    sizes = np.diff(rows.first) + ~rows.closed
    first = np.concatenate([[0], np.cumsum(sizes)])
    points = np.zeros(first[-1], np.int64)
    place = np.arange(len(facets)) + np.repeat(np.cumsum(~rows.closed) - ~rows.closed, np.diff(rows.first))
    points[place] = begin[rows.order]
    last = rows.order[rows.first[1:] - 1]
    points[first[1:][~rows.closed] - 1] = end[last[~rows.closed]]
    return Polylines(complex.vertices[points], first, rows.closed, labels[last])


def mesh(complex: Complex, facets: Ints, cells: Ints, labels: Ints) -> Mesh:
    """The facets of a complex in space, divided into triangles. cells, labels : as for `polylines`."""
    around, first = corners_in_order(complex, facets)
    flipped = turned(complex, around, first, cells, labels)
    # A triangle from the first corner of a facet to each of its edges, except the two at that corner.
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
    """The vertices of each facet in cyclic order, in either direction: those of facet i are around[first[i] : first[i +
    1]].

    They are followed from corner to corner along the edges that a side of a cell has in common with others.
    """
    edges, owners = ridges_of(complex, facets)
    sizes = np.bincount(owners, minlength=len(facets))
    if not np.array_equal(sizes, np.diff(complex.facets.first)[facets]) or (np.diff(edges.first) != 2).any():
        raise ComputationError("A facet in space has not as many edges as corners: these are not cells of a complex.")
    ends = edges.values.reshape(-1, 2)
    # Each edge has two directions. The next edge is the other one at its end.
    begin = ends.T.ravel()
    facet = np.tile(owners, 2)
    order = np.lexsort((begin, facet))  # the two edges that start at one corner are adjacent
    partner = np.empty(len(order), np.int64)
    partner[order] = order.reshape(-1, 2)[:, ::-1].ravel()
    back = np.concatenate([np.arange(len(ends)) + len(ends), np.arange(len(ends))])
    rows = rows_of(partner[back])
    # Each facet occurs in both directions; the first one is used.
    ways = facet[rows.order[rows.first[:-1]]]
    _, taken = np.unique(ways, return_index=True)
    found = rows.order[spans(rows.first[taken], sizes)]
    return complex.vertex_numbers[begin[found]], np.concatenate([[0], np.cumsum(sizes)])


def turned(complex: Complex, around: Ints, first: Ints, cells: Ints, labels: Ints) -> Bools:
    """Which facets have to be reversed so that all are counter-clockwise as seen from the higher label.

    Adjacent facets between the same two labels traverse their common edge in opposite directions; on the boundary of
    the domain others may meet. So one facet determines the orientation of a whole connected surface, and the sum of
    their areas decides which side is outside, so even the smallest facets are oriented correctly.
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
    """Pairs of facets that meet at an edge with no other facet, and whether both traverse it in the same direction.

    begin, end : the ends of each edge of each facet. first : the beginnings of the facets' edges.
    """
    owners = np.repeat(np.arange(len(first) - 1), np.diff(first))
    order = np.lexsort((np.maximum(begin, end), np.minimum(begin, end)))
    ends = np.sort(np.stack([begin, end]), axis=0)[:, order]
    starts = np.flatnonzero(np.append(True, (np.diff(ends, axis=1) != 0).any(axis=0)))
    pairs = starts[np.diff(np.append(starts, len(order))) == 2]
    one, two = order[pairs], order[pairs + 1]
    return owners[one], owners[two], begin[one] == begin[two]


def alternating(one: Ints, two: Ints, turns: Bools, count: int) -> tuple[Bools, Ints]:
    """Which elements to reverse, so that of each pair both or neither are reversed, or exactly one if it `turns`; and
    the connected component of each element, int64 (count,) from 0.

    Each element is represented twice, as it is and reversed; the representative that is connected to the first element
    of a component decides.
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
    """For each facet, the part of its area that, in its present orientation, faces the cell with the higher label."""
    places = complex.vertices[around]
    sizes = np.diff(first)
    middles = np.add.reduceat(places, first[:-1], axis=0) / sizes[:, None]
    arms = places - np.repeat(middles, sizes, axis=0)
    normals = np.add.reduceat(np.cross(arms, arms[after]), first[:-1], axis=0) / 2.0
    # A point inside each cell, or near it. It need not be proved, because large facets dominate the sum.
    weights = (~complex.at_infinity).astype(np.float64)
    within = np.add.reduceat(complex.corners * weights[:, None], complex.first[:-1], axis=0)
    within /= np.maximum(np.add.reduceat(weights, complex.first[:-1]), 1.0)[:, None]
    within += np.add.reduceat(complex.corners * (1.0 - weights)[:, None], complex.first[:-1], axis=0)
    across = within[cells[:, 1]] - within[cells[:, 0]]
    lengths = np.linalg.norm(across, axis=1)
    return np.asarray(np.einsum("ij,ij->i", normals, across) / np.where(lengths > 0.0, lengths, 1.0))
