"""Cut faces into simplices, using only their vertices, and compute their volumes from these.

The lowest vertex of each face is joined to the simplices of those faces of one dimension less on its boundary that do
not contain it (Stanley 1980, pulling vertices one after the other).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.faces import Lattice
from creases.complex.volumes import lengths_of
from creases.lists import spans

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Simplices", "bounded_faces", "face_volumes", "simplices_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The number of simplices in one batch.
AT_ONCE = 1 << 18


class Simplices(NamedTuple):
    """The simplices of the faces of one dimension k.

    vertices : int64 (simplices, k + 1), rows of `Complex.vertices`. owners : int64 (simplices,), the face of each, in
        ascending order.
    """

    vertices: Ints
    owners: Ints


def bounded_faces(complex: Complex, lattice: Lattice) -> list[Bools]:
    """Whether each face is bounded, by dimension: it has vertices, and none of them is at infinity."""
    far = complex.vertices_at_infinity
    bounded = []
    for level in lattice.levels:
        ends = np.concatenate([[0], np.cumsum(far[level.vertices])])
        infinite = ends[level.first[1:]] > ends[level.first[:-1]]
        bounded.append(~infinite & (np.diff(level.first) > 0) & (not len(complex.lineality)))
    return bounded


def simplices_of(lattice: Lattice, bounded: list[Bools]) -> Iterator[Simplices]:
    """The simplices of the bounded faces of dimension 0, 1, ... d, one dimension at a time."""
    owners = np.flatnonzero(bounded[0])
    simplices = lattice.levels[0].vertices[:, None]
    yield Simplices(simplices, owners)
    for k in range(1, len(lattice.levels)):
        faces, boundary, below = lattice.levels[k], lattice.boundaries[k], lattice.levels[k - 1]
        whole = np.flatnonzero(bounded[k])
        many = np.diff(boundary.first)[whole]
        pairs, parts = np.repeat(whole, many), boundary.values[spans(boundary.first[whole], many)]
        lowest = faces.vertices[faces.first[pairs]]
        # Vertices are in ascending order, so the lowest vertex of a face is the first vertex of every simplex that
        # contains it.
        without = below.vertices[below.first[parts]] != lowest
        pairs, parts, lowest = pairs[without], parts[without], lowest[without]
        begins = np.searchsorted(owners, np.arange(len(below) + 1))
        sizes = np.diff(begins)[parts]
        simplices = np.column_stack([np.repeat(lowest, sizes), simplices[spans(begins[parts], sizes)]])
        owners = np.repeat(pairs, sizes)
        yield Simplices(simplices, owners)


def face_volumes(complex: Complex, lattice: Lattice) -> list[Floats]:
    """The volumes of all faces in the units of input space, by dimension k, float64 (faces,) each: 1 for points,
    lengths of edges, areas of polygons, ...; infinite if a face is unbounded or its volume exceeds float64."""
    bounded = bounded_faces(complex, lattice)
    places = complex.vertices @ lengths_of(complex)
    by_dimension = []
    for level, whole, simplices in zip(lattice.levels, bounded, simplices_of(lattice, bounded), strict=True):
        volumes = np.full(len(level), np.inf)
        each = np.zeros(len(simplices.owners))
        for begin in range(0, len(each), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            with np.errstate(all="ignore"):  # corners near the limits of floats
                each[some] = simplex_volumes(places[simplices.vertices[some]])
        each[np.isnan(each)] = np.inf
        volumes[whole] = np.bincount(simplices.owners, each, minlength=len(level))[whole]
        by_dimension.append(volumes)
    by_dimension[0][:] = 1.0
    return by_dimension


def simplex_volumes(corners: Floats) -> Floats:
    """The volume of each simplex: float64 (s,) from corners (s, k + 1, d).

    The component of each edge from the first corner that is perpendicular to the previous edges is measured; a
    determinant of scalar products would lose half of the digits of a flat simplex.
    """
    edges = corners[:, 1:] - corners[:, :1]
    # In units of the largest coordinate, because squares of lengths of 1e200 overflow.
    unit = np.abs(edges).max(axis=(1, 2), initial=0.0)
    edges = edges / np.where(unit > 0.0, unit, 1.0)[:, None, None]
    size, across = np.ones(len(edges)), list[Floats]()
    for k in range(edges.shape[1]):
        edge = edges[:, k]
        for before in across:
            edge = edge - np.einsum("ij,ij->i", edge, before)[:, None] * before
        length = np.linalg.norm(edge, axis=1)
        size = size * length * unit
        across.append(edge / np.where(length > 0.0, length, 1.0)[:, None])
    return size / factorial(edges.shape[1])
