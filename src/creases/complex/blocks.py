"""Blocks of cells as plain arrays: `subdivide` passes them to `on_cells`, and tables are made from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.engine.answers.sides import Sides

__all__ = ["CellBlock", "blocks_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class CellBlock:
    """Consecutive cells of a complex, as passed to `on_cells` of `creases.subdivide`. Cells, corners and sides are
    numbered from 0 within the block.

    start : int, the number of the block's first cell in the complex.
    first : int64 (cells + 1,); the corners of cell i are rows first[i] to first[i + 1] of the next two.
    corners : float64 (corners, d), in slice coordinates, with the accuracy of `Complex`; polygons are
        counter-clockwise.
    at_infinity : bool (corners,); True if the corner is a direction of length one in which the cell is unbounded.
    side_first : int64 (cells + 1,); the sides of cell i are side_first[i] to side_first[i + 1].
    walls : int64 (sides,); the wall of each side, as `Complex.wall_name` reads it. Infinity is not a side.
    corner_first : int64 (sides + 1,); the corners of side j are side_corners[corner_first[j] : corner_first[j + 1]].
    side_corners : int64, rows of `corners`.
    patterns : uint8 (cells, ceil(N / 8)), as from `Network.packed_pattern`.
    lineality : float64 (lines, d); directions in which every cell contains a line, as in `Complex`.
    neighbours : int64 (sides,), the number in the complex of the cell on the other side, -1 on the boundary of the
        domain, and on a Ball if that cell does not meet it. None in blocks passed to `on_cells`, because most
        neighbours are not known yet.
    """

    start: int
    first: Ints
    corners: Floats
    at_infinity: NDArray[np.bool_]
    side_first: Ints
    walls: Ints
    corner_first: Ints
    side_corners: Ints
    patterns: NDArray[np.uint8]
    lineality: Floats
    neighbours: Ints | None = None

    def __len__(self) -> int:
        return len(self.first) - 1

    def __repr__(self) -> str:
        return f"CellBlock(cells {self.start:,} to {self.start + len(self) - 1:,})"

    @property
    def is_bounded(self) -> NDArray[np.bool_]:
        """Whether each cell is bounded, bool (cells,)."""
        return ~np.logical_or.reduceat(self.at_infinity, self.first[:-1]) & (not len(self.lineality))


def blocks_of(complex: Complex, cells: int, *, neighbours: bool) -> Iterator[CellBlock]:
    """A complex as an iterator over blocks of cells.

    neighbours : whether to include the cell across each side, for which all facets are computed. Raises the errors of
        that computation.
    """
    from creases.complex.skeleton import sides_of

    sides = complex.sides if neighbours else sides_of(complex)[0]
    behind = neighbours_of(complex) if neighbours else None
    for begin in range(0, len(complex), cells):
        yield some_cells(complex, sides, behind, begin, min(begin + cells, len(complex)))


def neighbours_of(complex: Complex) -> Ints:
    """The cell across each of the `sides`, int64 (sides,); -1 on the boundary of the domain."""
    owners = np.repeat(np.arange(len(complex)), np.diff(complex.sides.first))
    one, other = complex.facets.cells[complex.side_facets].T
    return np.asarray(np.where(one == owners, other, one))


def some_cells(complex: Complex, sides: Sides, neighbours: Ints | None, begin: int, end: int) -> CellBlock:
    """The block of cells `begin` to `end` - 1."""
    corners = slice(int(complex.first[begin]), int(complex.first[end]))
    mine = slice(int(sides.first[begin]), int(sides.first[end]))
    on = slice(int(sides.corner_first[mine.start]), int(sides.corner_first[mine.stop]))
    return CellBlock(
        start=begin,
        first=complex.first[begin : end + 1] - corners.start,
        corners=complex.corners[corners],
        at_infinity=complex.at_infinity[corners],
        side_first=sides.first[begin : end + 1] - mine.start,
        walls=sides.walls[mine],
        corner_first=sides.corner_first[mine.start : mine.stop + 1] - on.start,
        side_corners=sides.corners[on] - corners.start,
        patterns=complex.patterns[begin:end],
        lineality=complex.lineality,
        neighbours=None if neighbours is None else neighbours[mine],
    )
