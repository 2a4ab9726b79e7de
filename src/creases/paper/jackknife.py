"""The jackknife over seeds: intervals for statistics that are not means, such as exponents and relative variances.

Runs with the same seed draw some of the same random numbers, whatever their architecture. So a statistic of many
architectures varies with the seeds, and the jackknife leaves out seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from creases.paper.claims import Claim, FigureFinding, Numbers, noted

__all__ = ["as_text", "estimated", "pseudo_values"]

Floats = NDArray[np.float64]


def pseudo_values(seeds: Sequence[int], statistic: Callable[[set[int]], Floats], blocks: int | None = None) -> Floats:
    """Pseudo-values of the jackknife (Tukey 1958): shape (blocks, k), or (1, k), the statistic itself, for one block.

    seeds : all seeds. statistic : a function from the remaining seeds to k numbers. blocks : the seeds are assigned to
        this many blocks in turn, and one block at a time is left out; by default each seed is a block. If some
        architectures have few seeds, use as many blocks as these have seeds: then each block has a run of each
        architecture, and the interval is that of this many independent values.

    The mean of the pseudo-values is the estimate, without the bias of order 1 / blocks, and its interval is Student's
    interval for that mean.
    """
    ordered = sorted(seeds)
    count = min(len(ordered), blocks or len(ordered))
    whole = statistic(set(ordered))
    if count < 2:
        return whole[None, :]
    without = np.array([statistic(set(ordered) - set(ordered[i::count])) for i in range(count)])
    return np.asarray(count * whole - (count - 1) * without)


def estimated(what: str, values: Floats, claim: Claim | None, *, form: str = ".3g", more: str = "") -> FigureFinding:
    """A finding on a claim from pseudo-values of shape (blocks,); `noted` without a claim, "too little" if there are
    none."""
    text = as_text(values, form) + more
    if claim is None:
        return noted(what, text)
    return FigureFinding(what, text, claim.authors, claim.verdict(values), Numbers.of(values))


def as_text(values: Floats, form: str = ".3g", *, short: bool = False) -> str:
    """The pseudo-values of one number as an estimate with its interval, in words. short : without the method."""
    if len(values) == 0 or not np.isfinite(values).all():
        return "too few runs"
    found = Numbers.of(values)
    if found.runs == 1:
        return f"{found.mean:{form}} (1 run)"
    text = f"{found.mean:{form}} [{found.low:{form}}, {found.high:{form}}]"
    return text if short else f"{text} (jackknife over {found.runs} groups of seeds)"
