"""The regions of a network by six definitions (Stargalla, Hertrich and Reichman 2025, section 3).

They are counted on the closed domain, and each number is at most the one before it:

1. activation patterns: the patterns of all points, including boundaries, where a neuron that vanishes is inactive and
   the first of equal candidates wins;
2. activation regions: the patterns of open sets, which are the cells of the complex;
3. convex regions: the smallest number of polyhedra of a polyhedral complex on each of which the network is affine;
4. open connected regions: the maximal connected open sets on which the network is affine, which are the linear regions;
5. closed connected regions: the maximal connected closed sets with non-empty interior on which the network is affine.
   Two linear regions with the same map may be connected by a corner, or by other points at which the network agrees
   with the map;
6. affine regions: the affine maps.

The third number is hard to compute exactly, and it is not feasible to try all complexes, so it is bounded from both
sides. If all linear regions are convex and form a complex, it is their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.complex.closed import closed_connected
from creases.complex.convex import convex_bounds
from creases.complex.faces import Faces
from creases.complex.faults import refuse_ball
from creases.complex.vertex_states import VertexStates
from creases.domain import Directions
from creases.network import Max

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Definitions", "definitions_of"]

Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

# The largest number of vertices of faces in one batch.
AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Definitions:
    """The numbers of regions of a network on a domain by six definitions (Stargalla, Hertrich and Reichman 2025).

    activation_patterns : patterns of all points of the closed domain, including lower-dimensional sets.
    activation_regions : patterns of open sets, as `creases.count` counts them.
    convex_at_least, convex_at_most : bounds on the minimal number of polyhedra of a polyhedral complex on each of which
        the network is affine.
    open_connected : linear regions, as `creases.count_linear_regions` counts them.
    closed_connected : maximal connected closed sets with non-empty interior on which the network is affine.
    affine : affine maps.
    certified : as for the complex.
    """

    activation_patterns: int
    activation_regions: int
    convex_at_least: int
    convex_at_most: int
    open_connected: int
    closed_connected: int
    affine: int
    certified: bool

    @property
    def convex(self) -> int | None:
        """The minimal number of polyhedra if the bounds agree, else None."""
        return self.convex_at_least if self.convex_at_least == self.convex_at_most else None

    @property
    def numbers(self) -> tuple[int, int, int | None, int, int, int]:
        """The six numbers in order."""
        return (
            self.activation_patterns,
            self.activation_regions,
            self.convex,
            self.open_connected,
            self.closed_connected,
            self.affine,
        )


def definitions_of(complex: Complex) -> Definitions:
    """The six numbers of a complex."""
    refuse_ball(complex.domain, "Six definitions of regions")
    states = VertexStates(complex)
    least, most = convex_bounds(complex, states.geometry)
    return Definitions(
        activation_patterns=len(all_patterns(complex, states)),
        activation_regions=len(complex),
        convex_at_least=least,
        convex_at_most=most,
        open_connected=int(complex.linear_regions.max()) + 1,
        closed_connected=closed_connected(complex, states),
        affine=int(complex.affine_maps.max()) + 1,
        certified=complex.certified,
    )


def all_patterns(complex: Complex, states: VertexStates) -> Bytes:
    """The different patterns of all faces, uint8 (patterns, bytes).

    For directions, the origin is not a point. If a face of cones is a whole line, no neuron is active on it.
    """
    d, patterns = complex.dimension, [complex.patterns]
    least = 1 if isinstance(complex.domain, Directions) else 0
    for k in range(least, d):
        faces = complex.faces(k)
        if len(faces):
            patterns.append(patterns_of(complex, faces, states.states))
    return np.unique(np.concatenate(patterns), axis=0)


def patterns_of(complex: Complex, faces: Faces, states: Bools) -> Bytes:
    """The pattern in the relative interior of each face, uint8 (faces, bytes).

    In the interior of a face, a neuron is positive if it is positive at one of the face's vertices, because it has one
    sign on the whole face; a candidate is the largest if it is the largest at all vertices.
    """
    switched, members = switches_of(complex)
    active = np.zeros((len(faces), complex.network.bits), np.bool_)
    active[:, switched] = True
    sizes = np.diff(faces.first)
    begins = [0, *np.searchsorted(faces.first, np.arange(AT_ONCE, int(faces.first[-1]), AT_ONCE)).tolist(), len(faces)]
    for begin, end in pairwise(begins):
        some = begin + np.flatnonzero(sizes[begin:end])
        if not len(some):
            continue
        mine = states[faces.vertices[faces.first[begin] : faces.first[end]]]
        starts = faces.first[some] - faces.first[begin]
        active[some] = np.where(switched, np.logical_and.reduceat(mine, starts), np.logical_or.reduceat(mine, starts))
    for first, size in members:
        one = active[:, first : first + size]
        winners = one.argmax(axis=1)
        one[:] = winners[:, None] == np.arange(size)
    return np.packbits(active, axis=1, bitorder="little")


def switches_of(complex: Complex) -> tuple[Bools, list[tuple[int, int]]]:
    """Which bits of a pattern are candidates, bool (bits,); and for each switch, its first bit and number of bits."""
    network = complex.network
    switched, members, at = np.zeros(network.bits, np.bool_), [], 0
    for number, places in zip(network.layers, network.places, strict=True):
        if isinstance(network.levels[number - 1].kink, Max):
            for size in places.tolist():
                members.append((at, size))
                switched[at : at + size] = True
                at += size
        else:
            at += int(places.sum())
    return switched, members
