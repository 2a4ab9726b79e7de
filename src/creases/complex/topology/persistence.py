"""Persistence of the sublevel sets of an output over a bounded complex, and its critical points.

On each simplex of the triangulated cells an output is affine, so its sublevel set at any value has the homotopy type
of the simplices whose vertices are all at most at this value, and homology changes at values of vertices only
(Edelsbrunner and Harer 2010, section VI.3). The order of these values is proved: by floats with bounds, and in
rationals where the bounds overlap.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.ranges import checked_output, exact_values_at, tight_values
from creases.complex.topology.simplex_trees import filtered_tree
from creases.complex.topology.subcomplexes import closure_of, face_complex, maximal_simplices
from creases.domain import Directions
from creases.errors import DomainError

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["CriticalPoints", "Persistence", "critical_points", "exact_values", "persistence"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The death of what never dies.
NEVER = -1


class Persistence(NamedTuple):
    """Persistence diagrams of the sublevel sets of an output, one for each dimension 0 to d.

    diagrams : float64 (pairs, 2) for each dimension: the value at which a hole appears, and at which it disappears;
        infinite if never. Pairs are ordered by the birth.
    vertices : int64 (pairs, 2) for each dimension: the vertices at which that happens, rows of `Complex.vertices`; -1
        for never. `exact_values` has their values as fractions.
    """

    diagrams: tuple[Floats, ...]
    vertices: tuple[Ints, ...]

    def __repr__(self) -> str:
        numbers = ", ".join(f"{len(diagram):,}" for diagram in self.diagrams)
        return f"Persistence({numbers} pairs in dimension 0 to {len(self.diagrams) - 1})"


class CriticalPoints(NamedTuple):
    """The vertices at which the topology of the sublevel sets changes, in ascending order of their values.

    vertices : int64 (n,), rows of `Complex.vertices`.
    values : float64 (n,), the output there.
    indices : int64 (n, d + 1); entry k is the number of critical points of index k that the vertex stands for: 0 for
        minima, d for maxima, saddles between. It is the reduced Betti number k - 1 of the vertex's lower link.
    inside : bool (n,), whether the vertex lies inside the domain; others are critical for the output on the domain
        with its boundary.
    Vertices with equal values are taken in the order of their numbers, so a flat part is seen as if slightly tilted.
    """

    vertices: Ints
    values: Floats
    indices: Ints
    inside: NDArray[np.bool_]


def persistence(complex: Complex, output: int = 0, *, superlevel: bool = False) -> Persistence:
    """The persistence diagrams of an output over a bounded domain.

    output : index of the output, from 0. superlevel : whether to take the sets where it is at least a value, from high
        values to low ones, instead of those where it is at most a value.
    A value is within 1e-9 times the output's largest slope and the size of the domain of the true one, as vertices are
    (see `Complex.corners`); the order of all values, and so which pairs there are, is proved.
    Raises NetworkError if there is no such output; DomainError if the domain is not bounded, or is a Ball;
    MissingExtraError without GUDHI.

    Examples
    --------
    >>> from creases import Box, build, subdivide
    >>> x = build.input(1)
    >>> bent = build.network(build.dense(build.abs(x), [[1.0]]))  # |x| on [-1, 2]
    >>> persistence(subdivide(bent, Box([-1], [2]))).diagrams[0]
    array([[ 0., inf]])
    >>> persistence(subdivide(bent, Box([-1], [2])), superlevel=True).diagrams[0]
    array([[  2., -inf],
           [  1.,   0.]])
    """
    values, order = ordered_values(complex, output)
    pairs = pairs_of(complex, order[::-1] if superlevel else order)
    values = np.append(values, -np.inf if superlevel else np.inf)
    diagrams, vertices = [], []
    for own in pairs:
        # What is born and dies at equal values was never there.
        lasting = own[values[own[:, 0]] != values[own[:, 1]]]
        diagrams.append(values[lasting])
        vertices.append(lasting)
    return Persistence(tuple(diagrams), tuple(vertices))


def critical_points(complex: Complex, output: int = 0) -> CriticalPoints:
    """The critical points of an output over a bounded domain, in the piecewise-linear sense (Banchoff 1967).

    output : index of the output, from 0.
    Raises NetworkError if there is no such output; DomainError if the domain is not bounded, or is a Ball;
    MissingExtraError without GUDHI.
    """
    values, order = ordered_values(complex, output)
    indices = np.zeros((len(values), complex.dimension + 1), np.int64)
    for k, own in enumerate(pairs_of(complex, order)):
        indices[:, k] += np.bincount(own[:, 0], minlength=len(values))
        dying = own[own[:, 1] != NEVER, 1]
        if len(dying):
            indices[:, k + 1] += np.bincount(dying, minlength=len(values))
    chosen = order[indices[order].any(axis=1)]
    facets = complex.facets
    border = np.zeros(len(values), np.bool_)
    border[facets.vertices[np.repeat(~facets.inner, np.diff(facets.first))]] = True
    return CriticalPoints(chosen, values[chosen], indices[chosen], ~border[chosen])


def exact_values(complex: Complex, vertices: Ints, output: int = 0) -> list[Fraction]:
    """The values of an output at vertices, as fractions.

    vertices : int (n,), rows of `Complex.vertices` that are not at infinity. output : index of the output, from 0.
    """
    from creases.complex.vertex_states import VertexStates

    return exact_values_at(VertexStates(complex), np.asarray(vertices, np.int64), output)


def ordered_values(complex: Complex, output: int) -> tuple[Floats, Ints]:
    """The values of an output at the vertices, float64 (vertices,), and the vertices in ascending order, proved; of
    equal values those with lower numbers first.

    Values that are equal are equal floats too, and ascend like the true ones.
    """
    from creases.complex.vertex_states import VertexStates

    if isinstance(complex.domain, Directions) or complex.vertices_at_infinity.any() or len(complex.lineality):
        raise DomainError(
            f"Sublevel sets are followed on a bounded domain, and {complex.domain!r} is not. Take a Box or a Polytope "
            "around what is of interest."
        )
    checked_output(complex, output)
    states = VertexStates(complex)
    values, errors = tight_values(complex, states, np.arange(len(complex.vertices)), output)
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.nextafter(values - errors, -np.inf), np.nextafter(values + errors, np.inf)
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    order = np.argsort(low, kind="stable")
    # A group ends where all of its intervals lie below all that follow.
    ends = np.maximum.accumulate(high[order])[:-1] < low[order][1:]
    groups = np.split(order, np.flatnonzero(ends) + 1)
    doubtful = np.concatenate([*(group for group in groups if len(group) > 1), np.zeros(0, np.int64)])
    exact = dict(zip(doubtful.tolist(), exact_values_at(states, doubtful, output), strict=True))
    for vertex, value in exact.items():
        values[vertex] = float(value)
    ordered = [sorted(group.tolist(), key=lambda v: (exact[v], v)) if len(group) > 1 else group for group in groups]
    order = np.concatenate([np.asarray(group, np.int64) for group in ordered]) if len(values) else order
    # Rounding must not turn two values round.
    values[order] = np.maximum.accumulate(values[order])
    return values, order


def pairs_of(complex: Complex, order: Ints) -> list[Ints]:
    """The vertices at which holes of each dimension appear and disappear, if vertices enter in an order."""
    faces = face_complex(complex)
    everything = closure_of(faces, np.ones(len(complex), np.bool_), faces.dimension)
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order))
    tree = filtered_tree(maximal_simplices(faces, everything), ranks)
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    pairs = []
    for k in range(faces.dimension + 1):
        found = tree.persistence_intervals_in_dimension(k).reshape(-1, 2)
        ends = np.where(np.isfinite(found), found, 0.0).astype(np.int64)
        vertices = np.where(np.isfinite(found), order[ends], NEVER)
        pairs.append(vertices[np.argsort(found[:, 0], kind="stable")])
    return pairs
