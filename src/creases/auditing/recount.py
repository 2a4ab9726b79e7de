"""A count in rational arithmetic alone: facets are crossed from region to region until no new region appears.

A domain is convex, so every region is reached; when the walk is complete, the number is proved, independently of any
other program. On a path, each segment is walked from its start to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from creases.auditing.cells import ExactCell, cell_of, just_across
from creases.auditing.forms import Bits, ExactNetwork, Form, packed
from creases.auditing.ledger import Ledger
from creases.auditing.points import corners_of, middle
from creases.domain import Domain, Polyline
from creases.network import Network

__all__ = ["Recount", "recount", "recount_path"]


class Recount(NamedTuple):
    """Every region that was reached.

    patterns : uint8 (regions, ceil(N / 8)), as in `Complex`; on a path the pieces along it.
    unbounded : the number of unbounded regions. closed : False if the walk stopped at its limit.
    """

    patterns: NDArray[np.uint8]
    unbounded: int
    closed: bool


def recount(network: Network, domain: Domain, limit: int, ledger: Ledger, report: Callable[[int], None]) -> Recount:
    """Visit all regions of a domain that is not a path, or stop soon after `limit` of them."""
    exact = ExactNetwork(network, domain)
    (start,) = exact.patterns([middle(corners_of(domain), exact.dimension)])
    waiting, seen, unbounded = [start], {packed(start): None}, 0
    while waiting and len(seen) <= limit:
        cell = open_cell(exact, waiting.pop())
        unbounded += cell.unbounded
        for pattern in neighbours(exact, cell, ledger):
            if (key := packed(pattern)) not in seen:
                seen[key] = None
                waiting.append(pattern)
        report(1)
    return Recount(as_table(list(seen)), unbounded, not waiting)


def recount_path(network: Network, path: Polyline, ledger: Ledger, report: Callable[[int], None]) -> Recount:
    """Walk along a path; successive pieces with the same pattern are one piece, also across a corner of the path."""
    pieces: list[bytes] = []
    origin: Form = (fmpz(0), fmpz(1))
    for segment in path.segments:
        exact = ExactNetwork(network, segment)
        ahead = exact.patterns([(origin, (fmpz(1), fmpz(0)))])
        while ahead:
            cell = open_cell(exact, ahead[0])
            if not pieces or pieces[-1] != packed(ahead[0]):
                pieces.append(packed(ahead[0]))
            ahead = neighbours(exact, cell._replace(facets=cell.facets[-1:]), ledger)
            report(1)
    return Recount(as_table(pieces), 0, True)


def open_cell(exact: ExactNetwork, bits: Bits) -> ExactCell:
    """The cell of a pattern that some point has, so the cell exists."""
    cell = cell_of(exact, bits)
    assert cell is not None
    return cell


def neighbours(exact: ExactNetwork, cell: ExactCell, ledger: Ledger) -> list[Bits]:
    """The patterns across a cell's facets, which are also counted in the ledger."""
    crossed = [facet for facet in cell.facets if not facet.on_the_wall]
    ledger.cells += 1
    ledger.neighbours += len(crossed)
    ledger.walls += len(cell.facets) - len(crossed)
    return exact.patterns([just_across(facet) for facet in crossed])


def as_table(keys: list[bytes]) -> NDArray[np.uint8]:
    """Packed patterns as rows."""
    return np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), len(keys[0]))
