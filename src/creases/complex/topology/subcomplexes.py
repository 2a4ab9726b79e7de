"""Sets of faces that are closed, and the simplices that they are made of.

A set of cells of a whole space reaches infinity. Its bounded faces alone have the same homotopy type: every face of a
complex without lines has a vertex, the bounded faces of one such convex polyhedron are contractible like itself
(Ziegler 1995, section 8), and the set is glued from its faces in the same way as the bounded faces are glued (the
nerve theorem for the covering by faces). So faces at infinity are never needed. Where lines lie in every cell, they
lie in every face, and faces are taken modulo these lines. The cones of `Directions` are faces of the sphere, one
dimension lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.faces import Lattice
from creases.complex.faults import refuse_ball
from creases.complex.triangulation import Simplices, simplices_of
from creases.domain import Directions
from creases.errors import DomainError
from creases.lists import spans

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["FaceComplex", "alternating", "closure_of", "euler_characteristic", "face_complex", "maximal_simplices"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class FaceComplex(NamedTuple):
    """The faces of a complex as a topologist needs them.

    lattice : faces by dimension, 0 first; modulo the lines in every cell, and as faces of the sphere for `Directions`.
    bounded : bool (faces,) for each dimension; all True for `Directions`.
    """

    lattice: Lattice
    bounded: list[Bools]

    @property
    def dimension(self) -> int:
        """The dimension of the cells."""
        return len(self.lattice.levels) - 1


def face_complex(complex: Complex) -> FaceComplex:
    """The faces of a complex.

    Raises DomainError on a Ball, and on `Directions` if the network is constant along a line.
    """
    refuse_ball(complex.domain, "Betti numbers")
    on_sphere = isinstance(complex.domain, Directions)
    lines = len(complex.lineality)
    if on_sphere and lines:
        raise DomainError(
            f"The network is constant along {lines} direction{'s' if lines > 1 else ''} of {complex.domain!r}, so its "
            "cells on the sphere are not contractible. Take Directions of a subspace at right angles to them."
        )
    lattice, lowest = complex._lattice, 1 if on_sphere else lines
    shifted = Lattice(lattice.levels[lowest:], lattice.boundaries[lowest:])
    far = complex.vertices_at_infinity
    bounded = []
    for level in shifted.levels:
        if on_sphere or not len(level.vertices):
            bounded.append(np.ones(len(level), np.bool_))
            continue
        ends = np.concatenate([[0], np.cumsum(far[level.vertices])])
        bounded.append(ends[level.first[1:]] == ends[level.first[:-1]])
    return FaceComplex(shifted, bounded)


def closure_of(faces: FaceComplex, chosen: Bools, dimension: int) -> list[Bools]:
    """Some faces of one dimension with all faces on their boundaries: bool (faces,) for each dimension."""
    levels = faces.lattice.levels
    within = [np.zeros(len(level), np.bool_) for level in levels]
    within[dimension] = chosen
    for k in range(dimension, 0, -1):
        within[k - 1] |= below(faces, within[k], k)
    return within


def below(faces: FaceComplex, chosen: Bools, dimension: int) -> Bools:
    """The faces of one dimension less on the boundaries of some."""
    boundary = faces.lattice.boundaries[dimension]
    some = np.flatnonzero(chosen)
    found = np.zeros(len(faces.lattice.levels[dimension - 1]), np.bool_)
    found[boundary.values[spans(boundary.first[some], np.diff(boundary.first)[some])]] = True
    return found


def euler_characteristic(faces: FaceComplex, within: list[Bools]) -> int:
    """The alternating sum of the numbers of bounded faces of a closed set of faces."""
    numbers = [int((own & whole).sum()) for own, whole in zip(within, faces.bounded, strict=True)]
    return alternating(numbers)


def alternating(numbers: Sequence[int]) -> int:
    """The first number minus the second plus the third, and so on."""
    return sum((-1) ** k * number for k, number in enumerate(numbers))


def maximal_simplices(faces: FaceComplex, within: list[Bools]) -> list[Ints]:
    """The simplices of a closed set of faces that may be in no larger one of it, int64 (simplices, k + 1) for each k,
    by the numbers of vertices."""
    if not len(faces.lattice.levels[0].vertices):  # one face, which has no vertex: it is all of the space
        return [np.zeros((int(within[0].any()), 1), np.int64)]
    parts: list[Simplices] = list(simplices_of(faces.lattice, faces.bounded))
    found, covered = [], np.zeros(len(faces.lattice.levels[-1]), np.bool_)
    for k in range(faces.dimension, -1, -1):
        own = within[k] & faces.bounded[k]
        found.append(parts[k].vertices[(own & ~covered)[parts[k].owners]])
        if k:
            covered = below(faces, own, k)
    return found[::-1]
