"""Microseconds a region where a region has cost most, each against its target (`benchmarks.cliffs`)."""

from __future__ import annotations

from functools import partial

from benchmarks.cliffs import CLIFFS
from benchmarks.networks import WrongCount
from benchmarks.rows import missing, within
from benchmarks.timing import in_turns

# With --quick, those that take less than this many seconds at their target.
QUICK = 0.05


def rows(settings):
    """All of this theme."""
    for cliff in CLIFFS:
        if settings.quick and 1e-6 * cliff.target * cliff.regions > QUICK:
            continue
        network = cliff.make()
        if network is None:
            yield missing(cliff.name, "the limit", "its file is not beside the project")
            continue
        note = f"{cliff.regions:,} regions, {in_rationals(cliff, network):,} cells in rationals"
        (ours,) = in_turns(partial(in_rationals, cliff, network), runs=settings.runs, budget=settings.budget)
        yield within(cliff.name, 1e6 * ours.median / cliff.regions, cliff.target, note=note, unit="us")


def in_rationals(cliff, network):
    """One run, checked; how many cells went to rationals. Raises WrongCount."""
    found = cliff.work(network, cliff.domain, threads=1, progress=False)
    regions = len(found) if hasattr(found, "facets") else found.regions
    if regions != cliff.regions or not found.certified:
        raise WrongCount(f"{cliff.name}: {found!r}, but {cliff.regions:,} is known")
    return getattr(found, "exact_cells", 0)
