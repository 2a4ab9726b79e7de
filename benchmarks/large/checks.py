"""Large networks checked in ways that share little with the engine: patterns at many points, and other tilings."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

import creases
from benchmarks.large.networks import window
from creases import lowering, packing
from creases.domain import Domain, Polygon

__all__ = ["sampled", "tiled"]

AT_ONCE = 100  # images


def sampled(network: creases.Network, half_width: float, points: int) -> None:
    """Print how many patterns uniform points of a window have, in float64, and how many regions are counted there by
    operators; the network is small enough to be subdivided with its matrices written out, too.

    Raises AssertionError if the two differ, or a point has a pattern that is no region's.
    """
    domain = window(half_width)
    cells = creases.subdivide(network, domain)
    known = {row.tobytes() for row in cells.patterns}
    before, lowering.MOST_ENTRIES = lowering.MOST_ENTRIES, -1
    packing.graphs.pop(network, None)
    start = time.perf_counter()
    regions = creases.count(network, domain, progress=True).regions
    counted = time.perf_counter()
    lowering.MOST_ENTRIES = before
    assert packing.graphs[network].is_large
    assert regions == len(known)
    seen = set[bytes]()
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        jobs = [(network, domain, half_width, points // workers, seed) for seed in range(workers)]
        for some in pool.map(patterns_of, *zip(*jobs, strict=True)):
            seen |= some
    seconds = time.perf_counter() - counted
    print(
        f"{points:,} points of a window with {regions:,} regions ({counted - start:.0f} s) have {len(seen):,} patterns "
        f"({seconds:.0f} s)"
    )
    assert seen <= known, "a point has a pattern that no region has"


def patterns_of(network: creases.Network, domain: Polygon, half_width: float, points: int, seed: int) -> set[bytes]:
    """The patterns of uniform points of a square, packed."""
    rng, seen = np.random.default_rng(seed), set[bytes]()
    plane = domain.plane  # its points are rounded, which moves them by far less than a region is wide
    with threadpool_limits(1, user_api="blas"):
        for _ in range(points // AT_ONCE):
            inputs = plane.origin + rng.uniform(-half_width, half_width, (AT_ONCE, 2)) @ plane.basis
            levels = [np.asarray(level).reshape(AT_ONCE, -1) for level in network.pattern(inputs)]
            packed = np.packbits(np.concatenate(levels, axis=1), axis=1, bitorder="little")
            seen.update(row.tobytes() for row in packed)
    return seen


def tiled(network: creases.Network, domain: Domain, pieces: tuple[int, ...]) -> None:
    """Print the regions of a domain, counted whole and in pieces. Raises AssertionError if they differ."""
    whole = creases.count(network, domain, progress=True)
    print(f"whole: {whole.regions:,} regions, {whole.seconds:.0f} s")
    for number in pieces:
        found = creases.count_in_pieces(network, domain, pieces=number, progress=True)
        print(f"in {number} pieces: {found.regions:,} regions, {found.seconds:.0f} s")
        assert (found.regions, found.by_layer, found.certified) == (whole.regions, whole.by_layer, whole.certified)
