"""Betti numbers of sets of cells, of decision regions, and of boundaries between labels.

Betti number k counts the holes of dimension k: connected components, loops that bound nothing, enclosed voids. A set
of cells is taken closed, so that cells that share a corner only are connected (unlike in `decision_regions`, which
connects across facets). Which faces there are, and how they meet, is proved; the homology of these finitely many faces
is computed over the field of two elements, without rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.decisions import classes_of
from creases.complex.topology.simplex_trees import betti_numbers
from creases.complex.topology.subcomplexes import (
    FaceComplex,
    alternating,
    closure_of,
    euler_characteristic,
    face_complex,
    maximal_simplices,
)
from creases.errors import ComputationError

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Topology", "boundary_topology", "decision_topology", "topology_of", "topology_without"]

Bools = NDArray[np.bool_]


class Topology(NamedTuple):
    """The topology of a closed set.

    betti : its Betti numbers over the field of two elements, in dimension 0 to d: connected components, independent
        loops, enclosed voids.
    euler_characteristic : their alternating sum; computed from the numbers of faces, too, and compared.
    """

    betti: tuple[int, ...]
    euler_characteristic: int


def topology_of(complex: Complex, cells: ArrayLike | None = None) -> Topology:
    """The topology of the union of some closed cells.

    cells : bool (cells,), or the numbers of cells; None for all.
    Raises ValueError if `cells` does not fit; DomainError on a Ball; MissingExtraError without GUDHI.

    Examples
    --------
    >>> from creases import Box, Network, subdivide
    >>> network = Network.from_arrays([[[1.0], [-1.0]]], [[-1.0, -1.0]], output_layer=False)
    >>> cells = subdivide(network, Box([-3], [3]))
    >>> topology_of(cells, cells.centroids[:, 0] ** 2 > 1).betti  # |x| > 1 has two parts
    (2, 0)
    """
    faces = face_complex(complex)
    return topology_of_faces(faces, closure_of(faces, mask_of(complex, cells), faces.dimension))


def mask_of(complex: Complex, cells: ArrayLike | None) -> Bools:
    """Some cells, as bool (cells,). Raises ValueError if they do not fit."""
    count = len(complex)
    if cells is None:
        return np.ones(count, np.bool_)
    some = np.asarray(cells)
    if some.dtype == np.bool_ and some.shape == (count,):
        return some
    chosen = np.zeros(count, np.bool_)
    if some.size == 0:
        return chosen
    if some.ndim != 1 or some.dtype.kind not in "iu" or some.min() < 0 or some.max() >= count:
        raise ValueError(
            f"cells must be bool of shape ({count},), or numbers of cells from 0 to {count - 1}; got shape "
            f"{some.shape} of {some.dtype}."
        )
    chosen[some] = True
    return chosen


def decision_topology(complex: Complex) -> dict[int, Topology]:
    """The topology of the set of each class of a complex of `network.with_argmax()`, by class; classes without a cell
    are left out.

    Raises NetworkError if the network does not end with a switch over its outputs; DomainError on a Ball;
    MissingExtraError without GUDHI.
    """
    classes, faces = classes_of(complex), face_complex(complex)
    return {
        int(number): topology_of_faces(faces, closure_of(faces, classes == number, faces.dimension))
        for number in np.unique(classes)
    }


def boundary_topology(complex: Complex, labels: ArrayLike) -> Topology:
    """The topology of the boundary between cells with different labels: the union of the closed facets between them.

    labels : integers, shape (cells,), such as the class of each cell, or the state of a neuron.
    Raises ValueError unless there is one label per cell; DomainError on a Ball; MissingExtraError without GUDHI.
    """
    marks = np.asarray(labels)
    if marks.shape != (len(complex),):
        raise ValueError(f"labels must be of shape ({len(complex)},), one for each cell; got {marks.shape}.")
    faces = face_complex(complex)
    if not faces.dimension:
        return Topology((0,), 0)
    facets = complex.facets
    ends = marks[facets.cells]
    differ = facets.inner & (ends[:, 0] != ends[:, 1])
    return topology_of_faces(faces, closure_of(faces, differ, faces.dimension - 1))


def topology_without(complex: Complex, excluded: Bools) -> Topology:
    """The topology of the union of all closed faces none of whose vertices and directions is excluded.

    excluded : bool (vertices,), in the order of `Complex.vertices`, directions too.
    """
    faces = face_complex(complex)
    within = []
    for level in faces.lattice.levels:
        ends = np.concatenate([[0], np.cumsum(excluded[level.vertices])])
        within.append(ends[level.first[1:]] == ends[level.first[:-1]])
    return topology_of_faces(faces, within)


def topology_of_faces(faces: FaceComplex, within: list[Bools]) -> Topology:
    """The topology of a closed set of faces.

    Raises ComputationError if the Betti numbers contradict the numbers of faces.
    """
    betti = betti_numbers(maximal_simplices(faces, within), faces.dimension)
    euler = euler_characteristic(faces, within)
    if euler != alternating(betti):
        raise ComputationError(
            f"The Betti numbers {betti} contradict the Euler characteristic {euler} of the faces. Subdivide again; if "
            "it stays, it is a bug of Creases."
        )
    return Topology(betti, euler)
