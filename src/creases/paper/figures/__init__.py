"""One module per figure of the two Hanin-Rolnick papers, and of new ones. `FIGURES` lists them all."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from creases.errors import DomainError
from creases.paper.figure import Figure
from creases.paper.figures import (
    counts,
    distances,
    fluctuations,
    growth,
    initialisations,
    lines,
    memorization,
    partition,
    patterns,
    points,
    rates,
    sawtooth,
    slices,
    spaces,
    theory,
    windows,
    zero_bias,
)

__all__ = ["FIGURES", "figures_named"]

# In the order of the report: the NeurIPS paper, the companion paper, and new figures.
MODULES = (
    partition,
    counts,
    memorization,
    points,
    rates,
    zero_bias,
    slices,
    windows,
    lines,
    distances,
    sawtooth,
    growth,
    fluctuations,
    spaces,
    initialisations,
    theory,
    patterns,
)
FIGURES: dict[str, Figure] = {module.FIGURE.name: module.FIGURE for module in MODULES}


def figures_named(names: Sequence[str]) -> list[Figure]:
    """The figures with these names; all of them if there are none. Raises DomainError, with the nearest name, on an
    unknown name."""
    for name in names:
        if name not in FIGURES:
            near = difflib.get_close_matches(name, FIGURES, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DomainError(f"There is no figure {name!r}.{hint} There are: {', '.join(FIGURES)}.")
    return [FIGURES[name] for name in dict.fromkeys(names or FIGURES)]
