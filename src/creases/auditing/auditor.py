"""`audit` verifies a saved result: everything is computed again from the weights, in rational arithmetic.

The code that decides here is independent of the kernels. A subdivision contains its cells, and these are checked. A
count contains none: up to some thousands of regions it is repeated by walking from region to region; above that the
kernels compute the cells again, their numbers are compared with the saved ones, and the cells are checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.auditing.checks import check_cells, check_points, check_table, fits, numbers
from creases.auditing.errors import AuditError
from creases.auditing.forms import ExactNetwork
from creases.auditing.ledger import Ledger
from creases.auditing.recount import recount, recount_path
from creases.auditing.report import Audit
from creases.auditing.results import read_result
from creases.auditing.tables import Grouping, by_pattern, by_ring, by_run, cuts_by_neuron, regions_by_layer
from creases.domain import Ball, Circle, Directions, Domain, Polyline
from creases.errors import ComputationError, DomainError
from creases.network import Network
from creases.progress import following
from creases.streams import stream

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.counting import Count

__all__ = ["audit"]

Report = Callable[[int], None]

# A count with at most this many regions is repeated completely, even if fewer cells were asked for.
SMALL = 2000


def audit(
    result: Count | Complex | str | Path,
    network: Network | None = None,
    *,
    cells: int | None = 1000,
    seed: int = 0,
    progress: bool | Callable[[int], None] | None = None,
) -> Audit:
    """Verify a saved result independently, in rational arithmetic, from the weights and the domain only.

    result : a Count or a Complex, or its file (.json of `Count.to_json`, .npz of `Complex.save`). If the digest of a
        count's file does not match, the count is audited and this is a finding; a missing digest is mentioned.
    network : the network. It is required for a count. A subdivision contains its network, and a given network must be
        equal to it.
    cells : number of cells of a subdivision to check, drawn at random; None means all.
    seed : seed of the random choices. progress : as for `creases.count`.

    All patterns of a subdivision are compared with one another and with the saved numbers. Each selected cell is built
    exactly from the weights: it must be open and non-empty, with the stored corners and edges, and the regions across
    its facets must be stored. The regions of as many random points of the domain must be stored too.

    If all cells are checked without findings, the list is complete and the number is proved, because a domain is
    connected and no facet leads to a region that is not in the list. A sample proves only its own cells; the verdict
    says how rare an error must be to have been missed. A count of at most `cells` regions (or 2,000) is repeated by
    crossing facets from region to region, which proves it; so is every count with cells=None, at about ten milliseconds
    per region, and every count along a path. For a larger count the cells are those of `creases.subdivide`. The fields
    `exact_cells` and `seconds` of a count are not audited, because they describe how it was made.

    Returns an `Audit`. Raises AuditError if the arguments do not fit together, ModelFileError if a file is not a
    result, DomainError if the domain has more than two dimensions, or is a Ball or a Circle.

    Examples
    --------
    >>> from creases import Box, Network, count, subdivide
    >>> network = Network.he([2, 8, 8, 1])
    >>> audit(subdivide(network, Box([-1, -1], [1, 1]))).agrees
    True
    >>> audit(count(network, Box([-1, -1], [1, 1])), network).complete
    True
    """
    check_arguments(cells, seed)
    started = time.perf_counter()
    read, sealed = read_result(result) if isinstance(result, str | Path) else (result, True)
    saved, count = sorted_out(read)
    audited: Any = count if saved is None else saved
    net = network if network is not None or saved is None else saved.network
    if net is None:
        raise AuditError(
            "A count names its network by a hash only. Give the network too: audit(count, network), or "
            "creases audit RESULT MODEL."
        )
    if audited.domain.slice.dimension > 2 or isinstance(audited.domain, Directions):
        raise DomainError(
            f"{audited.domain!r} is no part of a line or a plane; an audit builds cells of these only. Of a "
            "subdivision in more dimensions Complex.check() looks at everything anew."
        )
    if isinstance(audited.domain, (Ball, Circle)):
        raise DomainError(f"{audited.domain!r} is round, and an audit builds cells with straight sides. Audit a box.")
    ledger, claimed = Ledger(), audited.network if saved is None else saved.network.sha256
    if belongs(net, claimed, audited.domain, network is not None, ledger):
        with following(progress, follow_total(audited, cells), doing="auditing") as follower:

            def report(regions: int) -> None:
                follower.found(regions)
                follower.finish_one()

            if saved is not None:
                audit_cells(saved, net, cells, seed, ledger, report)
            elif count is not None:
                audit_count(count, net, cells, seed, ledger, report)
    if sealed is False:
        ledger.fault("digest", "the file does not agree with its digest: it is not as it was saved")
    elif sealed is None:
        ledger.whole.append("no digest in the file, which may have been changed since it was saved")
    return Audit(
        kind="count" if saved is None else "subdivision",
        regions=audited.regions,
        findings=tuple(ledger.findings),
        whole=tuple(ledger.whole),
        **ledger.numbers(),
        seconds=time.perf_counter() - started,
        seed=seed,
        domain=audited.domain,
        network=net.sha256,
        notes=tuple(dict.fromkeys([*(audited.notes if saved is None else saved.network.notes), *net.notes])),
    )


def sorted_out(result: object) -> tuple[Complex | None, Count | None]:
    """The result as a pair (subdivision, None) or (None, count). Raises AuditError if it is neither."""
    from creases.complex import Complex
    from creases.counting import Count

    if isinstance(result, Complex):
        return result, None
    if isinstance(result, Count):
        return None, result
    raise AuditError(f"An audit takes a Count, a Complex, or the file of one; got a {type(result).__name__}.")


def belongs(network: Network, claimed: str, domain: Domain, given: bool, ledger: Ledger) -> bool:
    """Whether the result is of this network; if not, the other checks are meaningless. given : False if the network was
    taken from the result itself."""
    name = f"{network.sha256[:12]}..."
    if network.sha256 != claimed:
        hint = ". Was it counted with the other choice of --apply-normalisation?" if network.normalisation else ""
        ledger.fault("network", f"the result is of {claimed[:12]}..., and this is {name}{hint}")
    elif domain.slice.n_in != network.n_in:
        ledger.fault("domain", f"{domain!r} does not lie in the space of the network's {network.n_in} inputs")
    else:
        own = "which the result itself holds: no other was given to compare"
        ledger.whole.append(f"network {name}, {'the one that the result names' if given else own}")
    return not ledger.findings


def check_arguments(cells: int | None, seed: int) -> None:
    """Raise AuditError unless these are valid integers."""
    if cells is not None and not (isinstance(cells, int) and not isinstance(cells, bool) and cells >= 1):
        raise AuditError(f"cells must be a whole number of at least 1, or None for all; got {cells!r}.")
    if not (isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0):
        raise AuditError(f"seed must be a whole number of at least 0, got {seed!r}.")


def follow_total(found: Count | Complex, cells: int | None) -> int:
    """The number of cells that will be built if nothing is wrong."""
    return max(found.regions if cells is None else min(cells, found.regions), 1)


def audit_cells(
    complex: Complex, network: Network, cells: int | None, seed: int, ledger: Ledger, report: Report
) -> None:
    """Check the table of a subdivision, and as many of its cells as were asked for."""
    if not fits(complex, ledger):
        return
    exact = ExactNetwork(network, complex.domain)
    check_table(exact, complex, ledger)
    ledger.complete = cells is None or cells >= len(complex)
    if cells is None or ledger.complete:
        chosen = list(range(len(complex)))
    else:
        # In the order of the table neighbours follow one another, and share cached results of their layers.
        chosen = sorted(stream("audited cells", seed).choice(len(complex), size=cells, replace=False).tolist())
    check_cells(exact, complex, chosen, ledger, report)
    if cells is not None and not ledger.complete:
        check_points(exact, complex, cells, seed, ledger)


def audit_count(count: Count, network: Network, cells: int | None, seed: int, ledger: Ledger, report: Report) -> None:
    """Repeat the count if that is quick or asked for, otherwise compare it with cells that the kernels compute."""
    sizes = [places.tolist() for places in network.places]
    if isinstance(count.domain, Polyline):
        path = recount_path(network, count.domain, ledger, report)
        ledger.complete = True
        rows = path.patterns
        if count.domain.closed and len(rows) > 1 and (rows[0] == rows[-1]).all():
            rows = rows[:-1]  # the piece with which the path began
        compare_numbers(count, rows, sizes, None, by_ring if count.domain.closed else by_run, ledger)
        distinct = int(by_pattern(path.patterns, network.bits).max()) + 1
        compare("distinct", count.distinct, distinct, ledger)
    elif cells is None or count.regions <= max(cells, SMALL):
        walked = recount(network, count.domain, 2 * count.regions + SMALL, ledger, report)
        if not walked.closed:
            ledger.fault("regions", f"{count.regions:,} are saved, and there are more than {len(walked.patterns):,}")
            return
        ledger.complete = True
        compare_numbers(count, walked.patterns, sizes, walked.unbounded, by_pattern, ledger)
    else:
        proposed = proposal(network, count)
        infinite = np.add.reduceat(proposed.at_infinity, proposed.first[:-1], dtype=np.int64)
        unbounded = int(np.count_nonzero(infinite))
        compare_numbers(count, proposed.patterns, sizes, unbounded, by_pattern, ledger)
        audit_cells(proposed, network, cells, seed, ledger, report)
    if ledger.complete:
        ledger.recounted = ledger.cells


def proposal(network: Network, count: Count) -> Complex:
    """The cells that the kernels compute, which the audit then checks."""
    from creases.subdivision import subdivide_flat

    try:
        return subdivide_flat(network, count.domain)
    except ComputationError as error:
        raise ComputationError(
            f"The kernels propose no cells here ({error}) Count anew in rationals instead: cells=None, or --cells all."
        ) from error


def compare_numbers(
    count: Count,
    patterns: NDArray[np.uint8],
    sizes: Sequence[Sequence[int]],
    unbounded: int | None,
    group: Grouping,
    ledger: Ledger,
) -> None:
    """Compare the saved numbers with those of a table of patterns."""
    compare("regions", count.regions, len(patterns), ledger)
    compare("by_layer", tuple(count.by_layer), regions_by_layer(patterns, sizes, group), ledger)
    if not isinstance(count.domain, Polyline) and count.domain.vertices is None:
        compare("unbounded", count.unbounded, unbounded, ledger)
        compare("bounded", count.bounded, len(patterns) - (unbounded or 0), ledger)
    if count.by_neuron is not None:
        compare("by_neuron", count.by_neuron, cuts_by_neuron(patterns, sizes, group), ledger)


def compare(name: str, saved: object, ours: object, ledger: Ledger) -> None:
    """Compare one saved number, or a tuple of them, with the audit's own."""
    if name == "by_neuron":
        ledger.hold(saved == ours, name, "by_neuron as saved", "some numbers of regions cut by a neuron differ")
    else:
        ledger.hold(saved == ours, name, f"{name} {told(ours)} as saved", f"{told(saved)} saved, {told(ours)} found")


def told(value: object) -> str:
    """A number or a tuple of numbers in words."""
    if isinstance(value, tuple):
        return numbers(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
