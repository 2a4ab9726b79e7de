"""How large faces are: each is parted into simplices from one of its corners, whose sizes add up.

A face is the union of what one of its corners spans with each of its own faces that does not hold that corner, and so
on down to edges (Cohen and Hickey 1979, Two algorithms for determining volumes of convex polyhedra).
"""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.corner_sets import Incidence, corners_of_cells, incidence_of, proper_subsets
from creases.domain.slice import Slice

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["cell_volumes", "sizes_of", "true_to_size"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Faces that are parted together; of one in seven dimensions there may be thousands of simplices.
FACES_AT_ONCE = 1 << 14


def true_to_size(sliced: Slice, coordinates: Floats) -> Floats:
    """Coordinates, float64 (n, d), in which lengths are those of input space, of slice coordinates (n, d)."""
    basis = sliced.basis + sliced.basis_tail
    if np.array_equal(basis @ basis.T, np.eye(len(basis))):
        return coordinates
    triangle: Any = np.linalg.qr(basis.T, mode="r")
    return np.asarray(coordinates @ triangle.T)


def cell_volumes(complex: Complex) -> Floats:
    """The d-dimensional volume of each cell in the units of input space, float64 (cells,); infinite where unbounded."""
    return sizes_of(complex, incidence_of(complex), corners_of_cells(complex), complex.dimension)


def sizes_of(complex: Complex, incidence: Incidence, sets: Any, dimension: int) -> Floats:
    """The volume of faces of one dimension in the units of input space, float64 (faces,); infinite where unbounded.

    sets : the faces as sets of corners, csr (faces, corners). Of points it is 1.
    """
    count = sets.shape[0]
    if dimension == 0:
        return np.ones(count)
    found = np.full(count, np.inf)
    if len(complex.lineality):
        return found
    far = sets @ complex.at_infinity.astype(np.int64) > 0
    chosen = np.flatnonzero(~far)
    places = true_to_size(complex.domain.slice, complex.corners)
    for begin in range(0, len(chosen), FACES_AT_ONCE):
        some = chosen[begin : begin + FACES_AT_ONCE]
        simplices, owners = simplices_of(sets[some], dimension, incidence)
        found[some] = np.bincount(owners, simplex_sizes(places[simplices]), minlength=len(some))
    return found


def simplices_of(sets: Any, dimension: int, incidence: Incidence) -> tuple[Ints, Ints]:
    """Simplices of bounded faces of one dimension: the corners of each, int64 (s, dimension + 1), and its face."""
    owners, apexes = np.arange(sets.shape[0]), np.zeros((sets.shape[0], 0), np.int64)
    for k in range(dimension, 1, -1):
        apex = sets.indices[sets.indptr[:-1]].astype(np.int64)
        subsets, parents, _ = proper_subsets(sets, incidence)
        least = subsets.indices[subsets.indptr[:-1]]
        # A subset of fewer dimensions than k - 1 is not told apart at once: on the way down it is left without corners
        # enough, at an edge at the latest, as it loses as many dimensions as the others.
        chosen = np.flatnonzero((least != apex[parents]) & (np.diff(subsets.indptr) >= k))
        sets, parents = subsets[chosen], parents[chosen]
        owners, apexes = owners[parents], np.column_stack([apexes[parents], apex[parents]])
    pairs = np.flatnonzero(np.diff(sets.indptr) == 2)
    return np.column_stack([apexes[pairs], sets[pairs].indices.reshape(-1, 2)]), owners[pairs]


def simplex_sizes(corners: Floats) -> Floats:
    """The volume of each simplex: float64 (s,) of corners (s, k + 1, d).

    Each edge from the first corner is measured across to the ones before it; with a determinant of scalar products
    half of the digits of a flat simplex would be lost.
    """
    edges = corners[:, 1:] - corners[:, :1]
    # In units of the longest coordinate: squares of lengths of 1e200 are beyond floats.
    unit = np.abs(edges).max(axis=(1, 2), initial=0.0)
    edges = edges / np.where(unit > 0.0, unit, 1.0)[:, None, None]
    size, across = np.ones(len(edges)), list[Floats]()
    for k in range(edges.shape[1]):
        edge = edges[:, k]
        for before in across:
            edge = edge - np.einsum("ij,ij->i", edge, before)[:, None] * before
        length = np.linalg.norm(edge, axis=1)
        with np.errstate(over="ignore", under="ignore"):
            size = size * length * unit
        across.append(edge / np.where(length > 0.0, length, 1.0)[:, None])
    return size / factorial(edges.shape[1])
