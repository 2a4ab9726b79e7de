"""Level sets and cross-sections: the network is subdivided again, with an additional neuron or on a plane.

A level set f = c is the bent hyperplane of an additional neuron, f - c, so the cells that it cuts, and their
connections, are proved like all others.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creases.complex import Complex, Mesh, Polylines, boundary_of
from creases.complex.faults import refuse_ball
from creases.complex.topology import Topology, topology_without
from creases.complex.vertex_states import VertexStates
from creases.domain import Box, Directions, Domain, Plane, Polygon, Polyline, Polytope, Simplex, Space
from creases.domain.polytope import corners_of_box, corners_within, in_order
from creases.errors import DomainError
from creases.network import Network
from creases.network.joining import combination_of, with_signs
from creases.packing import check_fit
from creases.rationals import whole
from creases.subdivision import subdivide

if TYPE_CHECKING:
    from creases.domain.polytope import Corners

__all__ = ["LevelTopology", "level_set", "level_topology", "sliced"]

Progress = bool | Callable[[int], None] | None


def level_set(
    network: Network,
    domain: Domain,
    level: float = 0.0,
    output: int = 0,
    *,
    threads: int | None = None,
    progress: Progress = None,
) -> Polylines | Mesh:
    """The level set of an output of a network: Polylines in two dimensions, a Mesh in three.

    It is the boundary of the set where the output is larger than `level`; that set has label 1, the rest label 0.
    Triangles are counter-clockwise as seen from label 1. A component that does not reach the boundary of the domain is
    closed.
    level : float, the value. output : index of the output, from 0. threads, progress : as for `creases.subdivide`.
    Raises DomainError if the domain does not fit the network or has not two or three dimensions, is a Ball, or if the
    level set reaches infinity; NetworkError if there is no such output; NotEnoughMemoryError as `subdivide` does.

    Examples
    --------
    >>> from creases import Box, build
    >>> x = build.input(2)
    >>> distance = build.network(build.dense(build.abs(x), [[1.0, 1.0]]))
    >>> level_set(distance, Box([-2, -2], [2, 2]), level=1.0)
    Polylines(1 line, 1 closed, length=5.65685)
    """
    check_fit(network, domain)
    if isinstance(domain, (Directions, Polyline)) or domain.slice.dimension not in (2, 3):
        raise DomainError(
            f"A level set is drawn in two or three dimensions, and {domain!r} has others. Take a slice, like "
            "Plane.through(a, b, c).square(1) or a Box that holds all but three inputs fixed."
        )
    refuse_ball(domain, "Level sets")
    cells = subdivide(network.with_level_set(level, output), domain, threads=threads, progress=progress)
    last = cells.network.bits - 1
    return boundary_of(cells, cells.patterns[:, last // 8] >> (last % 8) & 1)


class LevelTopology(NamedTuple):
    """The topology of the sets where an output is at most, at least, and exactly a value.

    sublevel, superlevel, level_set : Topology each.
    """

    sublevel: Topology
    superlevel: Topology
    level_set: Topology


def level_topology(
    network: Network,
    domain: Domain,
    level: float = 0.0,
    output: int = 0,
    *,
    threads: int | None = None,
    progress: Progress = None,
) -> LevelTopology:
    """Betti numbers of the sets where an output is at most `level`, at least `level`, and exactly `level`.

    The network is subdivided with the level set as a further bent hyperplane. On each face the output is then at most
    the level, or at least, or equal to it, and signs at vertices (and along directions, where a cell is unbounded)
    tell which: these are proved. In a whole space the sets are not cut off; see `creases.complex.topology`.
    level : float, the value. output : index of the output, from 0. threads, progress : as for `creases.subdivide`.
    Raises DomainError if the domain does not fit the network, or is a Ball; NetworkError if there is no such output;
    MissingExtraError without GUDHI; NotEnoughMemoryError as `subdivide` does.

    Examples
    --------
    >>> from creases import Space, build
    >>> x = build.input(2)
    >>> distance = build.network(build.dense(build.abs(x), [[1.0, 1.0]]))
    >>> level_topology(distance, Space(2), level=1.0).level_set  # a closed curve
    Topology(betti=(1, 1, 0), euler_characteristic=0)
    """
    check_fit(network, domain)
    refuse_ball(domain, "Betti numbers")
    network.with_level_set(level, output)  # which checks both
    row = np.arange(network.n_out) == output
    signed = with_signs(combination_of(network, row), level)
    cells = subdivide(signed, domain, threads=threads, progress=progress)
    above, below = VertexStates(cells).states[:, -2:].T
    excluded = (above, below, above | below)
    return LevelTopology(*(topology_without(cells, some) for some in excluded))


def sliced(complex: Complex, plane: Plane, *, threads: int | None = None, progress: Progress = None) -> Complex:
    """The complex of the same network on the intersection of a plane with a three-dimensional domain.

    The network is subdivided again on this intersection. The corners of a bounded intersection are rounded to float64
    once; the subdivision of the resulting polygon is proved like any other.
    complex : of a network with three inputs. plane : a Plane in input space. threads, progress : as for `subdivide`.
    Raises DomainError if the domain is not a Space, Box, Simplex or Polytope of three inputs, or if the plane misses
    it.

    Examples
    --------
    >>> from creases import Box, Network, Plane, subdivide
    >>> network = Network.from_arrays([[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    >>> cells = subdivide(network, Box([-1, -1, -1], [1, 1, 1]))
    >>> sliced(cells, Plane([0, 0, 0.5], [[1, 0, 0], [0, 1, 0]])).regions
    4
    """
    return subdivide(complex.network, section(complex.domain, plane), threads=threads, progress=progress)


def section(domain: Domain, plane: Plane) -> Plane | Polygon:
    """The intersection of a plane with a domain of three inputs."""
    if not isinstance(plane, Plane) or plane.slice.n_in != 3:
        raise DomainError(f"A complex of three inputs is sliced by a Plane in their space, got {plane!r}.")
    if isinstance(domain, Space) and domain.n == 3:
        return plane
    corners = corners_of(domain)
    if corners is None:
        raise DomainError(
            f"{domain!r} is no Space, Box, Simplex or Polytope of three inputs. Subdivide the network on a plane of "
            "its own: subdivide(network, Plane.through(a, b, c).square(1))."
        )
    sliced = plane.slice
    rows = [
        [*([Fraction(h) + Fraction(t) for h, t in zip(head, tail, strict=True)]), Fraction(0)]
        for head, tail in zip(sliced.basis.tolist(), sliced.basis_tail.tolist(), strict=True)
    ]
    rows.append([*map(Fraction, sliced.origin.tolist()), Fraction(1)])
    walls = [
        whole([sum((a * x for a, x in zip(wall, row, strict=True)), Fraction(0)) for row in rows])
        for wall in corners.walls
    ]
    try:
        cut = in_order(corners_within([wall for wall in walls if any(wall)], 2))
    except DomainError as error:
        raise DomainError(f"{plane!r} does not go through the inside of {domain!r}. Move it.") from error
    return plane.polygon(np.array([[float(Fraction(x, ray[-1])) for x in ray[:-1]] for ray in cut.rays]))


def corners_of(domain: Domain) -> Corners | None:
    """The exact walls of a bounded domain of three inputs, in input space; None for other domains."""
    if isinstance(domain, Box) and domain.dimension == domain.slice.n_in == 3:
        return corners_of_box(domain.lower, domain.upper)
    if isinstance(domain, (Simplex, Polytope)) and domain.inside is None and domain.dimension == 3:
        return domain.corners
    return None
