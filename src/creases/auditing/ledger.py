"""The results of an audit so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from creases.auditing.report import Finding

__all__ = ["Ledger"]


@dataclass
class Ledger:
    """Running totals and findings; the fields are those of `Audit`."""

    cells: int = 0
    corners: int = 0
    worst_corner: float = 0.0
    neighbours: int = 0
    walls: int = 0
    points: int = 0
    recounted: int | None = None
    complete: bool = False
    whole: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def fault(self, check: str, text: str, cell: int | None = None) -> None:
        """Record a check that failed."""
        self.findings.append(Finding(check, text, cell))

    def hold(self, agrees: bool, check: str, sentence: str, fault: str) -> None:
        """Record a check of the whole table: the sentence if it passed, otherwise the fault."""
        if agrees:
            self.whole.append(sentence)
        else:
            self.fault(check, fault)

    def numbers(self) -> dict[str, Any]:
        """All fields by name, except the lists."""
        return {name: value for name, value in vars(self).items() if not isinstance(value, list)}
