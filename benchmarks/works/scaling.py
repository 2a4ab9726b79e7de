"""How the time of a region grows: with width, depth, an infinite domain, a real network; and how rare rationals are."""

from __future__ import annotations

from benchmarks.networks import acasxu, checked, degenerate, on_plane, on_square
from benchmarks.rows import costs, missing, within
from benchmarks.timing import in_turns

ONE_IN = 100_000


def against(case, other, at_most, settings):
    """A row: nanoseconds a region of one case over those of another, measured in turns."""
    ours, theirs = in_turns(lambda: checked(case), lambda: checked(other), runs=settings.runs, budget=settings.budget)
    each, of_other = 1e9 * ours.median / case.regions, 1e9 * theirs.median / other.regions
    return costs(f"a region of {case.name}", other.name, each, of_other, at_most=at_most, note=ours.few, unit="ns")


def rows(settings):
    """All of this theme."""
    small, middle = on_square(32, 32, 32), on_square(64, 64, 64)
    yield against(on_square(512, 512, 512), middle, 1.5, settings)
    if not settings.quick:
        yield against(on_square(1024, 1024, 1024), middle, 2.5, settings)
    yield against(on_square(*[32] * 10), small, 4, settings)
    yield against(on_square(*[32] * 20), small, 8, settings)
    yield against(on_plane(64, 64, 64), middle, 1.5, settings)
    yield real(settings)
    yield from degenerates(settings, small)
    yield rational_share(settings)


def real(settings):
    """A plane of acasxu_1_1."""
    case, other = acasxu(), on_square(*[64] * 5)
    if case is None:
        return missing("a region of acasxu_1_1", other.name, "not measured: ../shared/networks is absent")
    return against(case, other, 3, settings)


def degenerates(settings, generic):
    """Networks with ties, against the generic one of the same size."""
    for name, at_most in (
        ("zero bias", 10),
        ("twins and opposites", 10),
        ("a quarter dead", 10),
        ("integer weights", 50),
    ):
        yield against(degenerate(name), generic, at_most, settings)


def rational_share(settings):
    """Cells of generic networks, up to 512 x 3, that needed rational arithmetic."""
    sizes = (64, 128, 256) if settings.quick else (64, 128, 256, 512)
    found = [checked(on_square(n, n, n)) for n in sizes]
    cells, exact = sum(count.regions for count in found), sum(count.exact_cells for count in found)
    note = f"{exact} of {cells:,} regions, n = {', '.join(map(str, sizes))}"
    return within("share of cells that needed rationals", exact / cells, 1 / ONE_IN, note=note, unit="")
