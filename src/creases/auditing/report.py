"""The result of an audit: what was checked, what is wrong, and what follows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from creases.auditing.corners import TOLERANCE
from creases.domain import Domain
from creases.version import __version__

__all__ = ["Audit", "Finding"]

CONFIDENCE = 0.99


@dataclass(frozen=True)
class Finding:
    """One check of an audit that failed.

    check : name of the check, one word. text : description of the failure. cell : number of the stored cell, or None.
    """

    check: str
    text: str
    cell: int | None = None

    def __str__(self) -> str:
        return f"{self.check}: {self.text}" if self.cell is None else f"{self.check}: cell {self.cell}: {self.text}"


@dataclass(frozen=True, repr=False)
class Audit:
    """The result of `creases.audit`: what was checked in a saved result, and which checks failed.

    kind : "subdivision" or "count". regions : number of regions according to the result.
    complete : whether the audit covers every region, so that the number is proved if there are no findings.
    recounted : number of regions from an independent count in rational arithmetic, crossing facets from cell to cell;
        None if it was not made.
    cells : number of regions whose exact cell was built. corners : number of stored corners compared with exact ones.
    worst_corner : the largest deviation of an accepted corner, relative to the size of the domain.
    neighbours : number of facets whose other side was looked up. walls : number of facets on the boundary of the
        domain.
    points : number of random points whose region was looked up. whole : the checks of the whole table, in words.
    findings : the failed checks, in order.
    seconds, seed, domain, network, version : of the audit; network is the sha256 of the network that was used.
    notes : assumptions and roundings of the readers of both networks, the stored one and the given one.
    """

    kind: str
    regions: int
    complete: bool
    recounted: int | None
    cells: int
    corners: int
    worst_corner: float
    neighbours: int
    walls: int
    points: int
    whole: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float
    seed: int
    domain: Domain
    network: str
    version: str = __version__
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """True if no check failed."""
        return not self.findings

    def __repr__(self) -> str:
        verdict = "agrees" if self.agrees else f"{len(self.findings)} findings, the first: {self.findings[0]}"
        extent = "complete" if self.complete else f"{self.cells:,} of them"
        return f"Audit({self.kind} of {self.regions:,} regions, {extent}, {verdict}, {self.seconds:.3g} s)"

    def checked(self) -> list[tuple[str, str]]:
        """The checks that were made, as pairs (name, sentence)."""
        rows = []
        if self.cells:
            wrong = self.wrong("empty", "pattern")
            rows.append(("cells", f"{self.cells:,} built from the weights alone, {wrong} empty or of another pattern"))
        if self.corners:
            off = f"the worst {self.worst_corner:.2g} off ({TOLERANCE:g} allowed)"
            rows.append(("corners", f"{self.corners:,} compared, {off}; wrong in {self.wrong('corners')} of the cells"))
        if self.neighbours or self.walls:
            lost = f"{self.wrong('neighbour')} missing" if self.recounted is None else "until none was new"
            rows.append(
                ("facets", f"{self.walls:,} on the domain's edge, {self.neighbours:,} crossed to a neighbour, {lost}")
            )
        if self.points:
            rows.append(("points", f"{self.points:,} random points, {self.wrong('point')} in a region that is missing"))
        return [*rows, *(("table" if i == 0 else "", text) for i, text in enumerate(self.whole))]

    def wrong(self, *checks: str) -> str:
        """The number of findings of these checks, in words."""
        count = sum(finding.check in checks for finding in self.findings)
        return f"{count:,}" if count else "none"

    def verdict(self) -> str:
        """The conclusion of the audit, in words: what is proved, and what is not."""
        if all(finding.check == "digest" for finding in self.findings) and self.findings:
            return (
                "The file is not as it was saved. What was checked agrees with the network, so what was changed is "
                "something else in it, like its time, or a part that this audit has not seen. Count again."
            )
        if not self.agrees:
            return "The result does not agree with the network."
        if self.recounted is not None:
            return (
                f"Complete: the {self.regions:,} regions were counted anew, from each across all its facets until none "
                "was new. The domain is connected, so there are no others: the number is proved."
            )
        if self.complete:
            return (
                f"Complete: each of the {self.regions:,} regions is there and counted once, and no neighbour of any "
                "is missing. The domain is connected, so there are no others: the number is proved."
            )
        share = 1 - (1 - CONFIDENCE) ** (1 / self.cells)
        return (
            f"A sample: the {self.cells:,} cells are regions, and none of their neighbours is missing. Of the other "
            f"{self.regions - self.cells:,} it proves nothing; had more than {100 * share:.2g} % of the cells been "
            f"wrong or next to a missing one, this would have been seen with probability {CONFIDENCE}. For a proof "
            "check all cells."
        )

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain numbers, lists and text, for JSON."""
        numbers = {
            name: value for name, value in vars(self).items() if name not in ("domain", "findings", "whole", "notes")
        }
        return {
            "agrees": self.agrees,
            **numbers,
            "domain": self.domain.to_dict(),
            "whole": list(self.whole),
            "notes": list(self.notes),
            "findings": [vars(finding) for finding in self.findings],
            "verdict": self.verdict(),
        }

    def to_json(self) -> str:
        """The audit as JSON text."""
        return json.dumps(self.to_dict(), indent=2)
