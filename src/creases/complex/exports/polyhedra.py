"""The faces of polyhedra with their corners in order, found from incidences and not from coordinates.

Two sides of a convex polyhedron share two corners if they meet in an edge, and otherwise at most one. So the edges of a
side are the pairs of corners that it shares with other sides, and they form one cycle, however the coordinates of a
thin side were rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.errors import ComputationError

if TYPE_CHECKING:
    from creases.engine.answers.sides import Sides

__all__ = ["corners_around", "turned_outward"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def corners_around(sides: Sides) -> Ints:
    """The corners of all sides of bounded three-dimensional cells, in order around each side, in either direction.

    Returns int64 like `sides.corners`, of which it is a permutation within each side.
    Raises ComputationError if the corners of a side do not form a cycle.
    """
    sizes = np.diff(sides.corner_first)
    faces = np.repeat(np.arange(len(sizes)), sizes)
    ordered = sides.corners[np.lexsort((sides.corners, faces))]
    edges = shared_edges(faces, ordered)
    # Each edge belongs to both of its sides, and can be followed in both directions.
    face = np.concatenate([edges[:, 0], edges[:, 1]] * 2)
    ends = np.concatenate([edges[:, 2:]] * 2 + [edges[:, :1:-1]] * 2)
    # An entry is a corner on a side; its index among the entries is found from both.
    width = int(ordered.max(initial=0)) + 1
    keys = faces * width + ordered
    here, there = (np.searchsorted(keys, face * width + each) for each in ends.T)
    order = np.argsort(here, kind="stable")
    if len(order) != 2 * len(keys) or (here[order] != np.repeat(np.arange(len(keys)), 2)).any():
        raise not_closed()
    return ordered[walked(there[order].reshape(-1, 2), sides.corner_first, sizes)]


def shared_edges(faces: Ints, corners: Ints) -> Ints:
    """The edges in which two sides of a cell meet: int64 (edges, 4), both sides, the lower one first, and both corners.

    faces, corners : int64 (entries,), a side and a corner on it.
    """
    order = np.lexsort((faces, corners))
    faces, corners = faces[order], corners[order]
    edges = []
    apart = 1
    # A corner has three sides, or more if more than three walls meet there: all pairs, by the distance of their
    # indices.
    while len(at := np.flatnonzero(corners[apart:] == corners[:-apart])):
        edges.append(np.column_stack([faces[at], faces[at + apart], corners[at]]))
        apart += 1
    pairs = np.concatenate(edges) if edges else np.zeros((0, 3), np.int64)
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    twice = np.flatnonzero((pairs[1:, :2] == pairs[:-1, :2]).all(axis=1))
    return np.column_stack([pairs[twice], pairs[twice + 1, 2]])


def walked(neighbours: Ints, first: Ints, sizes: Ints) -> Ints:
    """Entries in cyclic order, for all sides at a time: int64 (entries,).

    neighbours : int64 (entries, 2), the entries of the same side before and after each. first, sizes : the first entry
        of each side, and the number of its entries.
    """
    result = np.empty(len(neighbours), np.int64)
    left = np.flatnonzero(sizes)
    before, here = neighbours[first[left], 0], first[left]
    step = 0
    while len(left):
        result[first[left] + step] = here
        # One of the two neighbours leads on.
        back = neighbours[here, 0] == before
        before, here = here, np.where(back, neighbours[here, 1], neighbours[here, 0])
        step += 1
        ends = sizes[left] == step
        if (here[ends] != first[left[ends]]).any() or (here[~ends] == first[left[~ends]]).any():
            raise not_closed()
        left, before, here = left[~ends], before[~ends], here[~ends]
    return result


def not_closed() -> ComputationError:
    """The error for sides that are not polygons; sides of cells from `subdivide` always are."""
    return ComputationError("The corners on a side of a cell make no polygon: the complex is not as it was found.")


def turned_outward(around: Ints, sides: Sides, first: Ints, corners: Floats) -> Ints:
    """The corners around each side, reordered to be counter-clockwise as seen from outside; the sides of the thinnest
    cells, which have no area in floats, keep their order.

    around : as from `corners_around`. first : int64 (cells + 1,), the beginnings of the cells' corners. corners :
        float64 (corners, 3).
    """
    sizes = np.diff(sides.corner_first)
    begins = np.repeat(sides.corner_first[:-1], sizes)
    places = np.arange(len(around))
    after = places + 1
    after[sides.corner_first[1:] - 1] = sides.corner_first[:-1]
    start = corners[around[begins]]
    turns = np.cross(corners[around] - start, corners[around[after]] - start)
    normals = np.add.reduceat(turns, sides.corner_first[:-1], axis=0)
    middles = np.add.reduceat(corners[around], sides.corner_first[:-1], axis=0) / sizes[:, None]
    inside = np.add.reduceat(corners, first[:-1], axis=0) / np.diff(first)[:, None]
    owners = np.repeat(np.arange(len(first) - 1), np.diff(sides.first))
    inward = np.einsum("ij,ij->i", normals, middles - inside[owners]) < 0
    turned = np.repeat(inward, sizes)
    return np.where(turned, around[2 * begins + np.repeat(sizes, sizes) - 1 - places], around)
