"""A row of the table: one work of ours against something, their ratio, and whether it meets its target."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Target:
    """What a ratio must be: at least or at most a number."""

    limit: float
    at_least: bool

    def is_met(self, ratio):
        """Whether a ratio meets the target."""
        return ratio >= self.limit if self.at_least else ratio <= self.limit

    def __str__(self):
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True)
class Row:
    """One line of the results.

    ours, theirs : numbers in `unit`, or None. ratio : None where nothing was measured; `note` says why.
    """

    work: str
    against: str
    ours: float | None
    theirs: float | None
    unit: str
    ratio: float | None
    target: Target | None = None
    note: str = ""

    @property
    def met(self):
        """True or False where there are a target and a ratio, else None."""
        return None if self.target is None or self.ratio is None else self.target.is_met(self.ratio)

    def to_dict(self):
        """Plain values for JSON."""
        return {**asdict(self), "target": self.target and str(self.target), "met": self.met}


def faster(work, against, ours, theirs, *, at_least=None, note="", unit="s"):
    """A row of a program that should be slower than ours: ratio = theirs / ours."""
    target = None if at_least is None else Target(at_least, at_least=True)
    return Row(work, against, ours, theirs, unit, theirs / ours, target, note)


def costs(work, against, ours, theirs, *, at_most=None, note="", unit="s"):
    """A row of something that ours should not exceed by much: ratio = ours / theirs."""
    target = None if at_most is None else Target(at_most, at_least=False)
    return Row(work, against, ours, theirs, unit, ours / theirs, target, note)


def within(work, ours, limit, *, note="", unit="s"):
    """A row of a fixed limit: ratio = ours / limit, at most one."""
    return costs(work, "the limit", ours, limit, at_most=1.0, note=note, unit=unit)


def missing(work, against, note):
    """A row of what could not be measured here, and why."""
    return Row(work, against, None, None, "", None, None, note)
