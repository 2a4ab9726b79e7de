"""A Complex with what hangs together, against its cells alone."""

from __future__ import annotations

import creases
from benchmarks.networks import checked, in_cube, on_square
from benchmarks.rows import costs
from benchmarks.timing import in_turns


def subdivided(case):
    """The cells alone."""
    return checked(case, count=creases.subdivide)


def hung_together(case):
    """The cells, all facets and vertices once each, and which cells share a facet."""
    cells = subdivided(case)
    return cells.facets, cells.adjacency()


def rows(settings):
    """All of this theme."""
    plane = on_square(128, 128, 128)
    works = [lambda: subdivided(plane), lambda: hung_together(plane)]
    alone, together = in_turns(*works, runs=settings.runs, budget=settings.budget)
    note = f"{plane.regions:,} regions; with facets, vertices and adjacency"
    name = f"subdivide {plane.name}, hung together"
    yield costs(name, "its cells alone", together.median, alone.median, at_most=2, note=note)
    if settings.quick:
        return
    cube = in_cube(3, 64, 64)
    (sample,) = in_turns(lambda: hung_together(cube), runs=settings.runs, budget=settings.budget)
    note = f"{cube.regions:,} regions"
    yield costs(f"subdivide {cube.name}, hung together", "the limit", sample.median, 5.0, at_most=1, note=note)
