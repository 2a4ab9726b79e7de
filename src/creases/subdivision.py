"""List the activation regions of a network on a domain: the front door to the Complex."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.complex import Complex, RegionList
from creases.domain import Directions, Domain, Polyline
from creases.errors import DomainError
from creases.network import Network
from creases.packing import as_problem, check_fit, check_threads

if TYPE_CHECKING:
    from creases.engine.tally import Tally

__all__ = ["subdivide", "subdivide_flat"]


def subdivide(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Complex | RegionList:
    """All activation regions of `network` on `domain`, with proved patterns.

    On a domain of one or two dimensions with their corners and edges, as a Complex; on a larger one, and on
    `Directions`, with one ray through the inside of each, as a RegionList.

    The arguments are those of `creases.count`. Memory grows with the number of regions (about 200 bytes each in
    a plane, plus the pattern); `creases.count` needs none of it.
    Raises DomainError if the domain does not fit the network, has more than eight dimensions, or is a Polyline.

    Examples
    --------
    >>> from creases import Network, Segment
    >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[-1.0, -1.0], [0.0]])
    >>> subdivide(network, Segment([-2.0], [2.0])).intervals()
    array([[0.  , 0.25],
           [0.25, 0.75],
           [0.75, 1.  ]])
    """
    check_threads(threads)
    check_fit(network, domain)
    if domain.slice.dimension > 2 or isinstance(domain, Directions):
        return listed(network, domain, threads, progress)
    return subdivide_flat(network, domain, threads=threads, progress=progress)


def subdivide_flat(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Complex:
    """`subdivide` for a domain of one or two dimensions, to be drawn or measured.

    Raises DomainError as `subdivide` does, and if the domain has more dimensions.
    """
    check_threads(threads)
    check_fit(network, domain)
    if isinstance(domain, Polyline):
        raise DomainError("A Polyline is subdivided segment by segment: subdivide(network, path.segments[i]).")
    if domain.slice.dimension > 2 or isinstance(domain, Directions):
        raise DomainError(
            f"{domain!r} has more than two dimensions, or is no part of a plane: its regions are listed without "
            "corners and edges. Use count or subdivide, or take a slice."
        )
    from creases.compilation import say_if_compiling
    from creases.engine.cells import cut_into_cells
    from creases.progress import following

    say_if_compiling(progress)
    start = time.perf_counter()
    with following(progress, 1) as follower:
        table = cut_into_cells(as_problem(network, domain), threads=threads, report=follower.found)
    return Complex(
        network=network,
        domain=domain,
        first=table.first,
        corners=table.corners,
        at_infinity=table.at_infinity,
        edges=table.edges,
        patterns=table.patterns,
        **facts(table.tally, start),
    )


def listed(
    network: Network, domain: Domain, threads: int | None, progress: bool | Callable[[int], None] | None
) -> RegionList:
    """The regions without their facets."""
    from creases.compilation import say_if_compiling
    from creases.engine.listing import list_cells
    from creases.progress import following

    say_if_compiling(progress)
    start = time.perf_counter()
    with following(progress, 1) as follower:
        found = list_cells(as_problem(network, domain), threads=threads, report=follower.found)
    return RegionList(
        network=network,
        domain=domain,
        patterns=np.packbits(found.patterns, axis=1, bitorder="little"),
        rays=found.rays,
        inside=found.inside,
        **facts(found.tally, start),
    )


def facts(tally: Tally, start: float) -> dict[str, Any]:
    """What both kinds of result say beside their regions; `start` is when the cut began."""
    return {
        "by_layer": tuple(tally.by_layer),
        "certified": tally.certified,
        "exact_cells": tally.exact_cells,
        "seconds": time.perf_counter() - start,
    }
