"""The count during training, compared with theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from creases.errors import DomainError
from creases.plot.figure import COLOURS, COLUMN, QUIET, drawing, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Series", "plot_history"]

# The height of a picture, relative to its width.
HEIGHT = 0.66


@dataclass(frozen=True, eq=False)
class Series:
    """Counts through training on domains of one kind.

    name : label in the legend. counts : shape (moments, domains), or (moments,) for one domain.
    """

    name: str
    counts: ArrayLike


def plot_history(
    epochs: ArrayLike,
    series: Sequence[Series],
    neurons: int,
    ax: Axes | None = None,
    *,
    level: float = 0.5,
    width: float = COLUMN,
) -> Axes:
    """Plot regions / #neurons^2 against epochs: the mean over domains, with a band of one standard deviation.

    epochs : shape (moments,), increasing. series : one per curve. neurons : N, the number of hidden neurons.
    ax : matplotlib axes; None makes a new figure. width : width of a new figure, in inches.
    level : position of the horizontal reference line; 1/2 is N^2/2 of Hanin and Rolnick (2019).
    Returns the axes. Raises DomainError if a series has another number of moments, MissingExtraError without
    matplotlib.
    """
    with drawing(ax, width, HEIGHT * width) as (ax, _):
        at = np.asarray(epochs, dtype=np.float64)
        top = level
        for colour, one in zip(COLOURS * len(series), series, strict=False):
            counts = np.asarray(one.counts, dtype=np.float64)
            ratios = (counts[:, None] if counts.ndim == 1 else counts) / neurons**2
            if len(ratios) != len(at):
                raise DomainError(f"{one.name!r} has {len(ratios)} counts for {len(at)} epochs; it needs one for each.")
            mean, spread = ratios.mean(axis=1), ratios.std(axis=1)
            ax.fill_between(at, mean - spread, mean + spread, color=colour, alpha=0.18, lw=0)
            ax.plot(at, mean, "o-", ms=3.5, lw=1.5, color=colour, label=one.name)
            top = max(top, float((mean + spread).max()))
        ax.axhline(level, color=QUIET, lw=1.0, ls="--", label="N² / 2" if level == 0.5 else f"{level:g} N²")
        ax.set(xlabel="epoch", ylabel="regions / N²", ylim=(0.0, 1.15 * top))
        ax.legend(frameon=False, fontsize="small")
        tidy(ax)
    return ax
