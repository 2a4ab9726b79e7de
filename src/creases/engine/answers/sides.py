"""The sides of the cells of a table: for each cell its sides, and for each side the corners on it.

Infinity is not a side: an unbounded cell has fewer sides. If there are lines in the cells, every cell contains them: a
cell is then the hull of its corners plus all these lines, and a corner represents all points that differ from it by
them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creases.engine.problem import INFINITY, Ints

__all__ = ["Sides", "sides_in_plane", "sides_of_strips", "sides_on_line"]


class Sides(NamedTuple):
    """The sides of cell i are first[i] to first[i + 1]; the corners of side j are
    corners[corner_first[j] : corner_first[j + 1]], rows of the table's own.

    first : int64 (cells + 1,). walls : int64 (s,), the wall of each side, numbered as in `cell_table.CellTable.edges`.
    corner_first : int64 (s + 1,). corners : int64.
    """

    first: Ints
    walls: Ints
    corner_first: Ints
    corners: Ints


def sides_on_line(first: Ints, edges: Ints) -> Sides:
    """The sides of intervals: their finite ends."""
    ends = np.flatnonzero(edges != INFINITY)
    return Sides(counted(edges != INFINITY, first), edges[ends], np.arange(len(ends) + 1), ends)


def sides_in_plane(first: Ints, edges: Ints) -> Sides:
    """The sides of polygons that contain no lines: each from a corner to the next."""
    after = np.arange(1, len(edges) + 1)
    after[first[1:] - 1] = first[:-1]
    own = edges != INFINITY
    ends = np.empty((int(own.sum()), 2), np.int64)
    ends[:, 0], ends[:, 1] = np.flatnonzero(own), after[own]
    return Sides(counted(own, first), edges[own], 2 * np.arange(len(ends) + 1), ends.ravel())


def sides_of_strips(first: Ints, edges: Ints) -> Sides:
    """The sides of strips: corners 1 and 3 of each, if they are not at infinity, with the line through them."""
    ends = np.arange(len(edges)).reshape(-1, 4)[:, [1, 3]].ravel()
    own = edges[ends] != INFINITY
    walls = edges[ends[own]]
    return Sides(counted(own, 2 * np.arange(len(first))), walls, np.arange(len(walls) + 1), ends[own])


def counted(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]], first: Ints) -> Ints:
    """The number of chosen entries before each cell: the offsets `first` of the chosen ones."""
    return np.concatenate([[0], np.cumsum(chosen)])[first]
