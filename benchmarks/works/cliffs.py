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
        kept = {}
        (ours,) = in_turns(partial(worked, cliff, network, kept), runs=settings.runs, budget=settings.budget)
        note = f"{cliff.regions:,} regions, {kept['exact']:,} cells in rationals"
        yield within(cliff.name, 1e6 * ours.median / cliff.regions, cliff.target, note=note, unit="us")


def worked(cliff, network, kept):
    """One run, checked. Raises WrongCount."""
    found = cliff.work(network, cliff.domain, threads=1, progress=False)
    regions = len(found) if hasattr(found, "facets") else found.regions
    if regions != cliff.regions or not found.certified:
        raise WrongCount(f"{cliff.name}: {found!r}, but {cliff.regions:,} is known")
    kept["exact"] = getattr(found, "exact_cells", 0)
