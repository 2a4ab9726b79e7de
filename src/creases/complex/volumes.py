"""Volumes, centroids and diameters of cells, for all cells at once.

There are closed forms for intervals and polygons; cells of higher dimension are cut into simplices (`pulling`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.complex.pulling import CellSizes, polytopes, scaled
from creases.complex.skeleton import sides_of
from creases.domain.lengths import chart_of

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.engine.answers.sides import Sides

__all__ = ["bounded_cells", "diameters", "facets_per_cell", "lengths_of", "sizes_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The approximate number of entries of a block's arrays.
AT_ONCE = 1 << 22


def bounded_cells(complex: Complex) -> Bools:
    """Whether each cell is bounded, bool (cells,)."""
    return complex.is_bounded & (len(complex.lineality) == 0)


def facets_per_cell(complex: Complex) -> Ints:
    """The number of facets of each cell, int64 (cells,), without infinity."""
    return np.diff(sides_of(complex)[0].first)


def lengths_of(complex: Complex) -> Floats:
    """A matrix, float64 (d, d), such that u @ matrix has the same length as u @ basis in input space."""
    return chart_of(complex.domain.slice)


def sizes_of(complex: Complex) -> CellSizes:
    """Volumes in the units of input space, and centroids in slice coordinates.

    The volume is infinite if a cell is unbounded or its volume exceeds float64; in the first case its centroid is NaN.
    The error of a corner is at most 1e-9 of the largest coordinate (see `Complex.corners`), mostly rounding; if a cell
    is so thin that its volume is smaller than the resulting error, its centroid is the mean of its corners.
    """
    volumes, centroids = np.full(len(complex), np.inf), np.full((len(complex), complex.dimension), np.nan)
    bounded = np.flatnonzero(bounded_cells(complex))
    # Coordinates are scaled to about the lengths of input space by powers of two, so that nothing is rounded, and a
    # volume is infinite only if it is infinite in input space.
    factors, powers = np.frexp(np.diag(lengths_of(complex)))
    with np.errstate(all="ignore"):  # corners of 1e200 have volumes that overflow
        corners = np.ldexp(complex.corners, powers)
        if complex.dimension == 1 or (complex.dimension == 2 and complex.is_flat):
            measure = intervals if complex.dimension == 1 else polygons
            found = measure(complex.first, np.where(complex.at_infinity[:, None], 0.0, corners))
            volumes[bounded], centroids[bounded] = found.volumes[bounded], found.centroids[bounded]
        elif len(bounded):
            sides = sides_of(complex)[0]
            for cells in blocks(complex.first, sides, bounded, complex.dimension):
                volumes[cells], centroids[cells] = polytopes(complex.first, corners, sides, cells)
        volumes *= np.prod(factors)
        centroids = np.ldexp(centroids, -powers)
        volumes[np.isnan(volumes)] = np.inf  # corners as far as floats go
    return CellSizes(volumes, centroids)


def intervals(first: Ints, corners: Floats) -> CellSizes:
    """Lengths and midpoints of intervals. Their ends are rounded separately and may be out of order."""
    one, other = corners[first[:-1]], corners[first[1:] - 1]
    return CellSizes(np.abs(other - one)[:, 0], one + (other - one) / 2)


def polygons(first: Ints, corners: Floats) -> CellSizes:
    """Areas and centroids of polygons with their corners in order."""
    starts, counts = first[:-1], np.diff(first)
    places = corners - np.repeat(corners[starts], counts, axis=0)
    scales = scaled(places, starts, counts)
    after = np.arange(1, len(corners) + 1)
    after[first[1:] - 1] = starts
    # Triangles from the first corner, with twice their areas.
    double = places[:, 0] * places[after, 1] - places[:, 1] * places[after, 0]
    total = np.add.reduceat(double, starts)
    moments = np.add.reduceat((places + places[after]) * double[:, None], starts, axis=0)
    middles = np.add.reduceat(places, starts, axis=0) / counts[:, None]
    solid = total > 0
    centroids = np.where(solid[:, None], moments / (3.0 * np.where(solid, total, 1.0))[:, None], middles)
    return CellSizes(scales * (scales * np.maximum(total, 0.0)) / 2.0, corners[starts] + centroids * scales[:, None])


def blocks(first: Ints, sides: Sides, cells: Ints, dimension: int) -> list[Ints]:
    """Cells in blocks that are measured at once. There are about as many faces as sides times corners, and with few
    sides each face has many entries."""
    numbers = np.diff(first)[cells] * np.diff(sides.first)[cells] * math.comb(dimension, dimension // 2)
    part = np.cumsum(numbers) // AT_ONCE
    return np.split(cells, np.flatnonzero(np.diff(part)) + 1)


def diameters(complex: Complex) -> Floats:
    """The largest distance between two points of each cell, float64 (cells,), in the units of input space; infinite if
    the cell is unbounded."""
    largest = np.full(len(complex), np.inf)
    places, counts = complex.corners @ lengths_of(complex), np.diff(complex.first)
    bounded = bounded_cells(complex)
    with np.errstate(over="ignore", invalid="ignore"):
        for count in np.unique(counts[bounded]).tolist():
            cells = np.flatnonzero(bounded & (counts == count))
            size = max(1, AT_ONCE // (count * count))
            for at in range(0, len(cells), size):
                some = cells[at : at + size]
                own = places[complex.first[some][:, None] + np.arange(count)]
                largest[some] = largest_distances(own)
    largest[np.isnan(largest)] = np.inf
    return largest


def largest_distances(places: Floats) -> Floats:
    """The largest distance between two of n points, for many sets: float64 (many, n, d) -> (many,)."""
    scale = np.abs(places - places[:, :1]).max(axis=(1, 2))
    near = (places - places[:, :1]) / np.where(scale > 0, scale, 1.0)[:, None, None]
    squares = np.zeros((len(places), places.shape[1], places.shape[1]))
    for axis in range(places.shape[2]):
        squares += np.square(near[:, :, None, axis] - near[:, None, :, axis])
    return np.asarray(scale * np.sqrt(squares.max(axis=(1, 2))))
