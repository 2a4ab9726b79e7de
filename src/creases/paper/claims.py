"""Claims that data can refute: for each, it is written down in advance what would refute it.

A number is measured once per run, and a claim is about its mean over runs. It *holds* if the 95 % interval of the mean
(Student) lies inside the claimed range, *differs* if the interval lies outside, and is *undecided* if the interval
contains an end of the range or there are fewer than three runs. A claim of the authors about a longer training than
ours cannot differ here: *another regime*. A theorem or an identity is a *check*: it tests the program, not the claim,
and is not a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BROKEN",
    "CHECK",
    "CONFIDENCE",
    "DIFFERS",
    "ELSEWHERE",
    "HOLDS",
    "LEAST_RUNS",
    "NOTED",
    "UNCHECKED",
    "UNDECIDED",
    "Claim",
    "FigureFinding",
    "Numbers",
    "Verdict",
    "above",
    "always",
    "below",
    "between",
    "equal_to",
    "interval",
    "judged",
    "noted",
    "summary",
]

Floats = NDArray[np.float64]

# Verdicts. NOTED: a number without a claim.
HOLDS, DIFFERS, UNDECIDED, ELSEWHERE, NOTED = "holds", "differs", "undecided", "another regime", "noted"
# Replaces the first three for a theorem or an identity, which are shown but are not verdicts on a claim.
CHECK, BROKEN, UNCHECKED = "check", "check failed", "check undecided"
# With fewer runs than this, nothing is decided.
LEAST_RUNS = 3
CONFIDENCE = 0.95


class Numbers(NamedTuple):
    """Statistics of a number over runs.

    sd : standard deviation over runs, NaN for one run. low, high : the 95 % interval of the mean (Student), infinite
        for one run. runs : their number.
    """

    mean: float
    sd: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: ArrayLike) -> Numbers:
        """The statistics of values of shape (runs,); all NaN if there are none."""
        array = np.asarray(values, dtype=np.float64)
        if array.size == 0:
            return cls(np.nan, np.nan, -inf, inf, 0)
        with np.errstate(invalid="ignore"):  # infinite numbers have no standard deviation
            mean, sd = float(array.mean()), float(array.std(ddof=1)) if array.size > 1 else np.nan
        if sd <= 1e-12 * abs(mean):  # the values are equal up to the rounding of their mean
            return cls(float(array[0]), 0.0, float(array.min()), float(array.max()), array.size)
        return cls(mean, sd, *interval(array), array.size)


class Verdict(str):
    """One of the words. rule : what is claimed of the mean. refuted : what would refute it. Both "" for NOTED.

    short : the claim is about more steps than were run, so the verdict cannot be that it differs.
    """

    rule: str
    refuted: str
    short: bool

    def __new__(cls, word: str, rule: str = "", refuted: str = "", *, short: bool = False) -> Verdict:
        """The word with its rule; equal to the word alone."""
        made = super().__new__(cls, word)
        made.rule, made.refuted, made.short = rule, refuted, short
        return made

    @property
    def counted(self) -> bool:
        """Whether it is a verdict on a claim, not a note and not a check."""
        return self not in (NOTED, CHECK, BROKEN, UNCHECKED)


@dataclass(frozen=True)
class Claim:
    """The mean of a number over runs lies in a range.

    authors : what the authors, or theory, say of it, in words.
    low, high : the ends of the range, themselves in it unless strict; infinite where there is no end.
    steps : optimiser steps of the training that the claim is about, None if it does not matter. Data with fewer steps
        can confirm the claim, but not refute it.
    why : the origin of the range, in words; "" if `authors` says it.
    check : whether it is a theorem or an identity, which only an error of the program could violate.
    """

    authors: str
    low: float = -inf
    high: float = inf
    strict: bool = False
    steps: int | None = None
    why: str = ""
    check: bool = False

    def __post_init__(self) -> None:
        empty = not self.low <= self.high or (self.strict and self.low == self.high)
        if empty or not (isfinite(self.low) or isfinite(self.high)):
            raise ValueError(f"A claim needs a range that data can be in and leave; got {self.low} to {self.high}.")

    @property
    def rule(self) -> str:
        """The range, in words."""
        if self.low == self.high:
            return f"exactly {self.low:g}"
        if self.high == inf:
            return f"{'above' if self.strict else 'at least'} {self.low:.3g}"
        if self.low == -inf:
            return f"{'below' if self.strict else 'at most'} {self.high:.3g}"
        return f"{self.low:.3g} to {self.high:.3g}"

    @property
    def refuted(self) -> str:
        """What would refute it, in words."""
        sides = []
        if isfinite(self.low):
            sides.append(f"{'at or ' if self.strict else ''}below {self.low:.3g}")
        if isfinite(self.high):
            sides.append(f"{'at or ' if self.strict else ''}above {self.high:.3g}")
        exact = self.low == self.high
        text = "one run with another number" if exact else f"a 95 % interval of the mean {' or '.join(sides)}"
        return text if self.steps is None else f"{text}, after {self.steps:,} steps or more"

    def verdict(self, values: ArrayLike, steps: float | None = None) -> Verdict:
        """The verdict of data. values : shape (runs,), one per run, independent. steps : of their training."""
        word = self._word(np.asarray(values, dtype=np.float64))
        short = self.steps is not None and (steps is None or steps < self.steps)
        if word == DIFFERS and short:
            word = ELSEWHERE
        if self.check:
            word = {HOLDS: CHECK, DIFFERS: BROKEN, UNDECIDED: UNCHECKED}.get(word, word)
        return Verdict(word, self.rule, self.refuted, short=short)

    def _word(self, array: Floats) -> str:
        if self.low == self.high and (array[~np.isnan(array)] != self.low).any():
            return DIFFERS  # one counterexample is enough
        # NaN in a run (a training that diverged) decides nothing about the mean.
        if array.size < LEAST_RUNS or not np.isfinite(array).all():
            return UNDECIDED
        _, _, left, right, _ = Numbers.of(array)
        if (self.low < left and right < self.high) if self.strict else (self.low <= left and right <= self.high):
            return HOLDS
        outside = right < self.low or left > self.high
        if self.strict:
            outside = right <= self.low or left >= self.high
        return DIFFERS if outside else UNDECIDED


def between(
    low: float, high: float, authors: str, *, steps: int | None = None, why: str = "", check: bool = False
) -> Claim:
    """The mean lies between two numbers. Raises ValueError unless both are finite: then use `above` or `below`."""
    if not (isfinite(low) and isfinite(high)):
        raise ValueError(f"between needs two numbers, got {low} and {high}.")
    return Claim(authors, low, high, steps=steps, why=why, check=check)


def above(level: float, authors: str, *, steps: int | None = None, why: str = "") -> Claim:
    """The mean lies above a number."""
    return Claim(authors, low=level, strict=True, steps=steps, why=why)


def below(level: float, authors: str, *, steps: int | None = None, why: str = "", check: bool = False) -> Claim:
    """The mean lies below a number."""
    return Claim(authors, high=level, strict=True, steps=steps, why=why, check=check)


def equal_to(value: float, authors: str, *, why: str = "", check: bool = False) -> Claim:
    """Every run has this number."""
    return Claim(authors, value, value, why=why, check=check)


def always(authors: str, *, why: str = "", check: bool = False) -> Claim:
    """A property holds in every run: values are 1 if it holds, 0 if not."""
    return equal_to(1.0, authors, why=why, check=check)


@dataclass(frozen=True)
class FigureFinding:
    """One number of the report.

    what : in words; no two of a figure have the same. measured : with its spread, in words. authors : theirs, or what
    theory says; "" if neither speaks of it. verdict : with its rule. numbers : behind `measured`; None for words.
    """

    what: str
    measured: str
    authors: str
    verdict: Verdict
    numbers: Numbers | None = None


def judged(
    what: str, values: ArrayLike, claim: Claim, *, steps: float | None = None, form: str = ".3g", more: str = ""
) -> FigureFinding:
    """A finding from a claim and its data. values, steps : as for `Claim.verdict`. form : format of the numbers.
    more : additional text.
    """
    numbers = Numbers.of(values)
    return FigureFinding(what, summary(numbers, form) + more, claim.authors, claim.verdict(values, steps), numbers)


def noted(what: str, values: ArrayLike | str, authors: str = "", *, form: str = ".3g", more: str = "") -> FigureFinding:
    """A finding without a claim: a number, or words."""
    if isinstance(values, str):
        return FigureFinding(what, values + more, authors, Verdict(NOTED))
    numbers = Numbers.of(values)
    return FigureFinding(what, summary(numbers, form) + more, authors, Verdict(NOTED), numbers)


def summary(values: ArrayLike | Numbers, form: str = ".3g") -> str:
    """Mean ± standard deviation over runs [95 % interval of the mean] (number of runs), as text."""
    found = values if isinstance(values, Numbers) else Numbers.of(values)
    if found.runs == 0:
        return "no runs"
    if found.runs == 1:
        return f"{found.mean:{form}} (1 run)"
    if found.sd == 0:
        return f"{found.mean:{form}} ± 0 ({found.runs} runs)"
    return f"{found.mean:{form}} ± {found.sd:{form}} [{found.low:{form}}, {found.high:{form}}] ({found.runs} runs)"


def interval(values: ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student's interval for the mean of independent values, shape (runs,); infinite for fewer than two."""
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    if array.size < 2:
        return (-inf, inf)
    with np.errstate(invalid="ignore"):
        reach = float(t.ppf((1 + confidence) / 2, array.size - 1)) * array.std(ddof=1) / np.sqrt(array.size)
    return (float(array.mean() - reach), float(array.mean() + reach))
