"""Checks of a table of cells against the network: the whole table, cell by cell, and at random points.

A cell is correct if the intersection of the domain with all open half-planes of its pattern is not empty; if its stored
corners and edges are those of the intersection; if the network, evaluated at a point in it, has its pattern; and if
across each of its facets, except those on the domain's boundary, lies a cell that is stored too.

What this proves: a domain is convex, so every region can be reached from any other by crossing facets. If every stored
cell is correct, then no crossing leads out of the table, so the table contains all regions. A sample proves only that
its own cells are correct.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from creases.auditing.cells import ExactCell, cell_of, just_across
from creases.auditing.corners import TOLERANCE, compare, on_what, size_of
from creases.auditing.forms import Bits, ExactNetwork, packed, unpacked
from creases.auditing.ledger import Ledger
from creases.auditing.points import corners_of, random_points
from creases.auditing.tables import areas, first_double, regions_by_layer, stray_bits
from creases.streams import stream

if TYPE_CHECKING:
    from creases.complex import Complex

__all__ = ["check_cells", "check_points", "check_table", "fits"]

AREA_TOLERANCE = 1e-9
BATCH = 64


def fits(complex: Complex, ledger: Ledger) -> bool:
    """Whether the table is one of this network and domain at all; if not, the other checks are meaningless."""
    depth = complex.network.depth
    if complex.dimension != complex.domain.slice.dimension:
        ledger.fault("domain", f"corners of {complex.dimension} coordinates do not lie in {complex.domain!r}")
    elif len(complex) == 0:
        ledger.fault("regions", "the table is empty, and every domain has a region")
    elif len(complex.by_layer) != depth:
        ledger.fault("by_layer", f"{len(complex.by_layer)} numbers are stored for {depth} hidden layers")
    return not ledger.findings


def check_table(network: ExactNetwork, complex: Complex, ledger: Ledger) -> None:
    """Check all cells at once: no pattern occurs twice, the numbers of regions and the sum of the areas are correct."""
    patterns, switched = complex.patterns, network.bits > complex.network.neurons
    what = f"{network.bits} neurons and candidates" if switched else f"{network.bits} neurons"
    for row in stray_bits(patterns, network.bits).tolist():
        ledger.fault("pattern", f"a bit beyond the last of {what} is set", row)
    double = first_double(patterns)
    where = "" if double is None else f"cells {double[0]} and {double[1]} have one pattern"
    ledger.hold(double is None, "doubled", f"{len(complex):,} patterns, no two alike", where)
    by_layer, stored = regions_by_layer(patterns, network.sizes), tuple(complex.by_layer)
    ledger.hold(
        by_layer == stored,
        "by_layer",
        f"regions after each layer {numbers(by_layer)}, by the patterns",
        f"the patterns make {numbers(by_layer)} regions, layer by layer, and {numbers(stored)} are stored",
    )
    vertices = corners_of(complex.domain)
    if vertices is not None:
        whole = float(areas(np.array([0, len(vertices)]), vertices)[0])
        with np.errstate(all="ignore"):
            off = abs(float(areas(complex.first, complex.corners).sum()) / whole - 1)
        what = "lengths" if complex.dimension == 1 else "areas"
        ledger.hold(
            off <= AREA_TOLERANCE,
            what,
            f"{what} add up to the domain's, {off:.1g} off ({AREA_TOLERANCE:g} allowed; in floats)",
            f"the cells' {what} do not add up to the domain's: {off:.2g} off, and {AREA_TOLERANCE:g} is allowed",
        )


def numbers(values: Iterable[int]) -> str:
    """Numbers in words."""
    return ", ".join(f"{value:,}" for value in values)


def check_cells(
    network: ExactNetwork, complex: Complex, chosen: Iterable[int], ledger: Ledger, report: Callable[[int], None]
) -> None:
    """Check the chosen cells one by one. `report` is called with 1 after each."""
    stored = {row.tobytes() for row in complex.patterns}
    for index in chosen:
        bits = unpacked(complex.patterns[index], network.bits)
        cell = cell_of(network, bits)
        ledger.cells += 1
        if cell is None:
            ledger.fault("empty", "no open set of the domain has its pattern", index)
        else:
            check_corners(complex, index, cell, network.bits, ledger)
            check_neighbours(network, stored, index, bits, cell, ledger)
        report(1)


def check_corners(complex: Complex, index: int, cell: ExactCell, bits: int, ledger: Ledger) -> None:
    """Compare the stored corners and edges of one cell. bits : the number of bits of a pattern."""
    rows = slice(complex.first[index], complex.first[index + 1])
    found = compare(
        cell,
        complex.corners[rows],
        complex.at_infinity[rows],
        complex.edges[rows],
        size_of(cell, corners_of(complex.domain)),
        bits,
    )
    ledger.corners += len(cell.corners)
    if found.wrong is not None:
        ledger.fault("corners", found.wrong, index)
    if found.deviation <= TOLERANCE:
        ledger.worst_corner = max(ledger.worst_corner, found.deviation)


def check_neighbours(
    network: ExactNetwork, stored: set[bytes], index: int, bits: Bits, cell: ExactCell, ledger: Ledger
) -> None:
    """Evaluate the network inside one cell and across its facets."""
    crossed = [facet for facet in cell.facets if not facet.on_the_wall]
    ledger.walls += len(cell.facets) - len(crossed)
    ledger.neighbours += len(crossed)
    # At a ray strictly inside the cell, only forms that are identically zero vanish, so one ray is enough.
    own, *across = network.patterns([(cell.inside,), *map(just_across, crossed)])
    if own != bits:
        ledger.fault("pattern", "a point inside it has another pattern", index)
    for facet, pattern in zip(crossed, across, strict=True):
        if packed(pattern) not in stored:
            on = on_what(facet.ids, network.bits)
            ledger.fault("neighbour", f"the region across its edge on {on} is not stored", index)


def check_points(network: ExactNetwork, complex: Complex, count: int, seed: int, ledger: Ledger) -> None:
    """Look up the regions of random points of the domain."""
    stored = {row.tobytes() for row in complex.patterns}
    rng = stream("audited points", seed)
    points = list(random_points(network, corners_of(complex.domain), count, rng))
    for at in range(0, count, BATCH):
        batch = points[at : at + BATCH]
        ledger.points += len(batch)
        for point, pattern in zip(batch, network.patterns(batch), strict=True):
            if packed(pattern) not in stored:
                *u, w = point[0]
                place = ", ".join(f"{int(value) / int(w):.6g}" for value in u)
                ledger.fault("point", f"the region of the point u = ({place}) is not stored")
