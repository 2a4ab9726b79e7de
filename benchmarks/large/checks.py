"""Large networks checked in ways that share little with the engine: patterns at many points, and other tilings."""

from __future__ import annotations

import time

import numpy as np

import creases
from benchmarks.large.networks import window
from creases.domain import Domain

__all__ = ["sampled", "tiled"]

AT_ONCE = 100  # images


def sampled(network: creases.Network, half_width: float, points: int) -> None:
    """Print how many patterns uniform points of a window have, in float64, and how many regions are counted there.

    Raises AssertionError if there are more patterns than regions.
    """
    domain = window(half_width)
    start = time.perf_counter()
    regions = creases.count(network, domain, progress=True).regions
    counted = time.perf_counter()
    rng, seen = np.random.default_rng(0), set[bytes]()
    plane = domain.plane  # its points are rounded, which moves them by far less than a region is wide
    for _ in range(points // AT_ONCE):
        inputs = plane.origin + rng.uniform(-half_width, half_width, (AT_ONCE, 2)) @ plane.basis
        levels = [np.asarray(level).reshape(AT_ONCE, -1) for level in network.pattern(inputs)]
        packed = np.packbits(np.concatenate(levels, axis=1), axis=1)
        seen.update(row.tobytes() for row in packed)
    seconds = time.perf_counter() - counted
    print(
        f"{points:,} points of a window with {regions:,} regions ({counted - start:.0f} s) have {len(seen):,} patterns "
        f"({seconds:.0f} s)"
    )
    assert len(seen) <= regions, "points have patterns that were not counted"


def tiled(network: creases.Network, domain: Domain, pieces: tuple[int, ...]) -> None:
    """Print the regions of a domain, counted whole and in pieces. Raises AssertionError if they differ."""
    whole = creases.count(network, domain, progress=True)
    print(f"whole: {whole.regions:,} regions, {whole.seconds:.0f} s")
    for number in pieces:
        found = creases.count_in_pieces(network, domain, pieces=number, progress=True)
        print(f"in {number} pieces: {found.regions:,} regions, {found.seconds:.0f} s")
        assert (found.regions, found.by_layer, found.certified) == (whole.regions, whole.by_layer, whole.certified)
