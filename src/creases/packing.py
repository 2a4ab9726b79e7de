"""A network and a domain are checked against each other and converted to the arrays of the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from creases.domain import (
    Ball,
    Box,
    Circle,
    Directions,
    Domain,
    Line,
    Plane,
    Polygon,
    Polyline,
    Polytope,
    Segment,
    Simplex,
    Space,
    Subspace,
)
from creases.domain.polytope import Corners, corners_of_box, in_order
from creases.domain.slice import MOST_DIMENSIONS
from creases.errors import ComputationError, DomainError
from creases.network import Network

if TYPE_CHECKING:
    from creases.engine.graph import Graph
    from creases.engine.problem import Problem

__all__ = ["as_lines", "as_problem", "by_unit", "check_fit", "check_size", "check_threads", "graph_of", "is_line"]

# The graph of each network, as long as the network exists.
graphs: WeakKeyDictionary[Network, Graph] = WeakKeyDictionary()

MOST_FLOAT = int(np.finfo(np.float64).max)

WHOLE = np.array([[-np.inf], [np.inf]])

# Bounded domains, which may be parts of unbounded ones.
PARTS: dict[type, str] = {
    Line: "Take a Segment of it, as in Segment(line.point, line.point + line.direction).",
    Plane: "Take a part of it, as in plane.square(1.0).",
    Subspace: "Take a part of it, as in Simplex(np.eye(d + 1, d), inside=subspace) for its d dimensions.",
    Space: "Take a Box, as in Box([-1.0] * n, [1.0] * n).",
    Directions: "A Box around zero has them all, as in count(network.without_biases(), Box([-1.0] * n, [1.0] * n)); "
    "what is zero at zero is not proved there.",
}


def check_fit(network: Network, domain: Domain, *, circles: bool = False) -> None:
    """Raise DomainError unless the domain lies in the network's input space and has dimensions that can be cut.

    circles : whether it may be a Circle.
    """
    if not isinstance(network, Network):
        swapped = isinstance(network, Domain)
        remedy = "Give the network first." if swapped else "Open a model with creases.load(path_or_module)."
        raise DomainError(f"Cutting needs a Network, got {type(network).__name__}. {remedy}")
    if not isinstance(domain, Domain):
        raise DomainError(
            f"Cutting needs a domain, got {type(domain).__name__}. Domains are Segment, Polyline, Circle, Line, "
            "Polygon, Plane, Box, Simplex, Polytope, Ball, Space, Subspace and Directions."
        )
    if isinstance(domain, Circle) and not circles:
        raise DomainError(
            f"{domain!r} is only counted along, with creases.count. For the regions of its disc take `circle.ball`."
        )
    dimension, n_in = domain.slice.basis.shape
    if n_in != network.n_in:
        raise DomainError(f"{domain!r} lies in a space of {n_in} inputs, but {network!r} takes {network.n_in}.")
    sphere = isinstance(domain, Directions)
    cut = domain.dimension if isinstance(domain, Directions) else dimension
    if cut > MOST_DIMENSIONS:
        remedy = (
            "Count network.without_biases() on a Subspace through zero instead, whose regions are the cones of its "
            "directions."
            if sphere
            else "Cut a slice instead: Segment, Line, Plane.through(a, b, c), Subspace(origin, basis), or a Box that "
            "holds all but a few inputs fixed."
        )
        raise DomainError(
            f"{domain!r} {'is a sphere of' if sphere else 'has'} {cut} dimensions; domains of up to {MOST_DIMENSIONS} "
            f"are cut, because regions grow as (#neurons)^dimensions: about "
            f"{expected_regions(network.neurons, cut, sphere)} here (Hanin and Rolnick 2019). {remedy}"
        )


def check_size(network: Network, domain: Domain, *, listed: bool = False) -> None:
    """Raise ComputationError if a network is too large for its matrices to be written out, and the request needs them:
    patterns of all its units, or an unbounded cell.

    listed : whether regions are to be listed, and not only counted.
    """
    if not graph_of(network).is_large:
        return
    large = f"the matrices of {network!r} are too large to be written out, and"
    if type(domain) in PARTS:
        raise ComputationError(
            f"{domain!r} has no bounds: {large} it is cut on bounded domains only, by the neurons that are not decided "
            f"there. {PARTS[type(domain)]}"
        )
    if isinstance(domain, (Ball, Circle)):
        raise ComputationError(
            f"{domain!r} is round, and what meets it is found among regions that are listed: {large} its regions are "
            "counted, not listed. Count a domain with flat sides, as in plane.square(radius) or a Box around it."
        )
    if isinstance(domain, Polyline):
        raise ComputationError(
            f"{domain!r} is counted, or cut, by the patterns along it: {large} its regions are counted, not listed. "
            "Count its segments each by itself, creases.count_many(network, path.segments)."
        )
    if listed:
        raise ComputationError(
            f"{domain!r} cannot be subdivided: {large} its regions are counted, not listed. Use creases.count(network, "
            "domain)."
        )


def expected_regions(neurons: int, dimension: int, sphere: bool) -> str:
    """The number of regions of N hyperplanes in general position (on a sphere, of N central ones), as readable text."""
    # Schläfli's number for the sphere is twice the number for the space with one hyperplane less.
    lines = max(neurons - 1, 0) if sphere else neurons
    regions = (1 + sphere) * sum(math.comb(lines, k) for k in range(min(lines, dimension) + 1))
    digits = str(regions)
    return digits if len(digits) < 7 else f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def check_threads(threads: int | None) -> None:
    """Raise DomainError unless `threads` is None or an integer of at least one."""
    whole = isinstance(threads, int) and not isinstance(threads, bool)
    if threads is not None and not (whole and threads >= 1):
        raise DomainError(f"threads must be a whole number of at least 1, or None for all cores; got {threads!r}.")


def as_problem(network: Network, domain: Domain) -> Problem:
    """The arrays for the engine."""
    from creases.engine.problem import Problem

    sliced = domain.slice
    return Problem(
        graph=graph_of(network),
        origin=sliced.origin,
        basis=sliced.basis,
        basis_tail=sliced.basis_tail,
        vertices=None if isinstance(domain, (Polyline, Circle)) else engine_vertices(domain),
        directions=isinstance(domain, Directions),
    )


def graph_of(network: Network) -> Graph:
    """A network's levels in the form of the engine; cached per network."""
    from creases.engine.graph import Graph
    from creases.lowering import lowered

    graph = graphs.get(network)
    if graph is None:
        if network.is_chain:
            graph = Graph.chain([layer.weight for layer in network.hidden], [layer.bias for layer in network.hidden])
        else:
            graph = lowered(network.levels)
        graphs[network] = graph
    return graph


def by_unit(network: Network, by_neuron: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The engine's counts per unit of a layer as counts per neuron and switch; that of a switch is at its first
    candidate.
    """
    groups = [graph_of(network).layer(layer).groups for layer in range(len(by_neuron))]
    counts = []
    for row, switches in zip(by_neuron, groups, strict=True):
        firsts = range(len(row)) if switches is None else np.unique(switches, return_index=True)[1].tolist()
        counts.append(tuple(row[first] for first in firsts))
    return tuple(counts)


def engine_vertices(
    domain: Segment | Line | Polygon | Plane | Box | Simplex | Polytope | Ball | Space | Subspace | Directions,
) -> Any:
    """A bounded domain's corners in the form of the engine, floats or a Polytope; None for a whole space. For a ball
    those of the polytope around it.
    """
    from creases.engine.problem import IntegerPolytope

    if isinstance(domain, Box) and domain.dimension > 2:
        free = domain.lower < domain.upper
        return IntegerPolytope(*corners_of_box(domain.lower[free], domain.upper[free]))
    if isinstance(domain, (Simplex, Polytope, Ball)):
        if any(abs(x) > MOST_FLOAT * ray[-1] for ray in domain.corners.rays for x in ray[:-1]):
            raise DomainError(f"{domain!r} has a corner that is too far away for float64. Cut a part of it.")
        if domain.dimension > 2:
            return IntegerPolytope(*domain.corners)
        corners = in_order(domain.corners)
        held = floats_of(corners)
        return IntegerPolytope(*corners) if held is None else held
    return domain.vertices


def floats_of(corners: Corners) -> NDArray[np.float64] | None:
    """The corners of a polytope, float64 (v, d); None if they are not representable."""
    points = [[Fraction(x, ray[-1]) for x in ray[:-1]] for ray in corners.rays]
    vertices = np.array([[float(x) for x in point] for point in points])
    return vertices if [[Fraction(x) for x in near] for near in vertices.tolist()] == points else None


def is_line(domain: Domain) -> bool:
    """Whether a domain is one whole line, or one interval whose ends are floats."""
    if isinstance(domain, (Polyline, Ball, Directions)) or domain.slice.dimension != 1:
        return False
    return not isinstance(domain, (Simplex, Polytope)) or floats_of(domain.corners) is not None


def as_lines(
    domains: Sequence[Domain], room: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Origins and directions, float64 (l, n_in), and ends, float64 (l, 2), of domains of one dimension.

    room : float64 (2, at least l, n_in), where the first two are put: fresh memory for each block costs as much time as
    the copy.
    """
    slices = [domain.slice for domain in domains]
    vertices = [None if isinstance(domain, (Polyline, Circle)) else engine_vertices(domain) for domain in domains]
    origins, directions = room[:, : len(slices)]
    np.concatenate([sliced.origin for sliced in slices], out=origins.reshape(-1))
    np.concatenate([sliced.basis for sliced in slices], out=directions)
    ends = np.concatenate([WHOLE if corners is None else corners for corners in vertices])
    return origins, directions, ends.reshape(-1, 2)
