"""Decision regions: where a classifier gives one class, and the boundary between two classes.

`network.with_argmax()` has a switch over the outputs, so its cells are cut by the boundaries between classes, and each
has one class, the winner. A decision region is a connected component of the cells of one class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.balls import facets_in_ball
from creases.complex.outlines import boundary_of
from creases.complex.surfaces import Mesh, Polylines
from creases.domain import Ball
from creases.errors import NetworkError
from creases.network import Max

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.network import Network

__all__ = ["DecisionRegions", "classes_of", "decision_boundary", "decision_regions", "has_argmax", "last_bits"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class DecisionRegions(NamedTuple):
    """The decision regions of a complex, in the order of their first cells.

    regions : int, their number.
    cell_classes : int64 (cells,), the class of each cell. numbers : int64 (cells,), the decision region of each.
    classes : int64 (regions,), the class of each decision region.
    volumes : float64 (regions,), in the units of input space; infinite if unbounded, and NaN on a Ball, whose cells are
        not clipped by the sphere.
    cells : int64 (regions,), the number of cells of each.
    is_bounded : bool (regions,), whether each is bounded.
    """

    regions: int
    cell_classes: Ints
    numbers: Ints
    classes: Ints
    volumes: Floats
    cells: Ints
    is_bounded: NDArray[np.bool_]

    def __repr__(self) -> str:
        return (
            f"DecisionRegions({self.regions:,} of {len(np.unique(self.classes))} classes, {len(self.numbers):,} cells)"
        )


def has_argmax(network: Network) -> bool:
    """Whether the network ends with the switch of `Network.with_argmax`, so that each of its cells has one class."""
    last = network.levels[-1]
    return last.name == "argmax" and isinstance(last.kink, Max) and len(last.kink.groups) == 1


def classes_of(complex: Complex) -> Ints:
    """The class of each cell, int64 (cells,): the winner of the switch over the outputs.

    Raises NetworkError unless the network ends with one.
    """
    network = complex.network
    kink = network.levels[-1].kink
    if not isinstance(kink, Max) or len(kink.groups) != 1:
        raise NetworkError(
            f"{network!r} does not end with a switch over its outputs, so its cells have no class. Subdivide "
            "network.with_argmax()."
        )
    candidates = len(kink.groups[0])
    if candidates == 1:
        raise NetworkError(
            f"{network!r} has one class, as its network has one output. Where that is zero, its two classes meet: "
            "creases.level_set(network, domain)."
        )
    return np.asarray(last_bits(complex, candidates).argmax(axis=1), dtype=np.int64)


def last_bits(complex: Complex, count: int) -> NDArray[np.bool_]:
    """The last bits of each cell's pattern, bool (cells, count)."""
    first = complex.network.bits - count
    bits = np.unpackbits(complex.patterns[:, first // 8 :], axis=1, bitorder="little")
    return bits[:, first % 8 : first % 8 + count].astype(np.bool_)


def decision_regions(complex: Complex) -> DecisionRegions:
    """The decision regions of a complex of `network.with_argmax()`, connected across facets.

    Cells of one class that share only a corner or an edge, but no facet, are not connected. On a Ball, cells are
    connected only across facets that meet it.
    Raises NetworkError if the network does not end with a switch over its outputs.

    Examples
    --------
    >>> from creases import Box, Network, subdivide
    >>> bent = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0], [0.0, 0.0]]], [[0.0, 0.0], [-1.0, 0.0]])
    >>> found = decision_regions(subdivide(bent.with_argmax(), Box([-3], [3])))  # |x| - 1 against 0
    >>> found.classes, found.volumes
    (array([0, 1, 0]), array([2., 2., 2.]))
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    classes, count = classes_of(complex), len(complex)
    sides = complex.facets.cells[complex.facets.inner]
    is_same = classes[sides[:, 0]] == classes[sides[:, 1]]
    on_ball = isinstance(complex.domain, Ball)
    if on_ball:
        is_same &= facets_in_ball(complex)[complex.facets.inner]
    same = sides[is_same]
    graph = coo_array((np.ones(len(same), np.bool_), (same[:, 0], same[:, 1])), shape=(count, count))
    regions, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    rank = np.empty(regions, np.int64)
    rank[np.argsort(first)] = np.arange(regions)
    numbers = rank[labels]
    sizes = np.full(count, np.nan) if on_ball else complex.volumes
    unbounded = np.bincount(numbers, ~complex.is_bounded, minlength=regions) > 0
    volumes: Any = np.bincount(numbers, sizes, minlength=regions)
    cells = np.bincount(numbers, minlength=regions)
    return DecisionRegions(regions, classes, numbers, classes[np.sort(first)], volumes, cells, ~unbounded)


def decision_boundary(complex: Complex) -> Polylines | Mesh:
    """The decision boundary in a complex of `network.with_argmax()`: the facets of the switch over its outputs.

    Returns Polylines in two dimensions, a Mesh in three; their labels are the two classes.
    Raises NetworkError if the network does not end with a switch over its outputs; DomainError if the domain does not
    have two or three dimensions or is a Ball, or if the boundary reaches infinity.
    """
    return boundary_of(complex, classes_of(complex))
