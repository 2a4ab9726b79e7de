"""What the figures of counts through training share: curves with bands, moments, findings on factors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.paper.claims import Claim, FigureFinding, judged, noted
from creases.plot import plot_band
from creases.plot.figure import COLOURS, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = [
    "LEARNED",
    "at_epoch",
    "draw_curves",
    "factor_finding",
    "largest_mean",
    "last_of_each",
    "paired_ratio",
    "paired_slope",
]

# Curves of a sweep, from little to much: matplotlib's own, whose lightness rises evenly.
SEQUENCE = "viridis"
# From this training accuracy on, the examples are said to be learned by heart.
LEARNED = 0.95


def draw_curves(
    ax: Axes,
    runs: pandas.DataFrame,
    label: str,
    order: Iterable[Any],
    *,
    at: str = "epoch",
    value: str = "ratio",
    sequence: bool = False,
    level: float | None = None,
) -> None:
    """Draw a column of `runs` against another, a curve with its band for each value of the column `label`.

    order : values of the label, in the legend's order; those without rows are left out. sequence : colours that rise
    with the order, for a label that is a number. level : a dotted line to compare with.
    """
    from matplotlib import colormaps

    values = list(order)
    for i, name in enumerate(values):
        mine = runs[runs[label] == name].dropna(subset=[at, value])
        if mine.empty:
            continue
        colour: Any = COLOURS[i % len(COLOURS)]
        if sequence:
            colour = colormaps[SEQUENCE](0.9 * i / max(len(values) - 1, 1))
        text = f"{name:g}" if isinstance(name, float) else str(name)
        plot_band(ax, mine[at], mine[value], label=text, colour=colour)
    if level is not None:
        ax.axhline(level, color=QUIET, lw=1.0, ls=":")
    ax.set_xlabel(at.replace("_", " "))
    tidy(ax)


def last_of_each(runs: pandas.DataFrame, by: Iterable[str]) -> pandas.DataFrame:
    """The last moment of each run: rows of `runs` with the largest epoch of each `by` and seed."""
    if runs.empty:
        return runs
    return runs.loc[runs.groupby([*by, "seed"])["epoch"].idxmax()]


def at_epoch(runs: pandas.DataFrame, epoch: float) -> pandas.DataFrame:
    """The rows at the moment of these runs that lies nearest to an epoch; without runs that broke off before it."""
    if runs.empty:
        return runs
    moments = runs["epoch"].unique()
    return runs[runs["epoch"] == moments[np.abs(moments - epoch).argmin()]]


def largest_mean(runs: pandas.DataFrame) -> pandas.DataFrame:
    """The rows at that moment after the first at which the mean count over runs is largest.

    The first is left out, so the mean may lie below it. The mean of the largest counts, run by run, would
    grow with the number of moments; this is nearly free of selection.
    """
    later = runs[runs["epoch"] > runs["epoch"].min()]
    if later.empty:
        return later
    return later[later["epoch"] == later.groupby("epoch")["value"].mean().idxmax()]


def factor_finding(runs: pandas.DataFrame, name: str, claim: Claim, *, learned: bool = False) -> FigureFinding:
    """The count of the runs of one setting over their first, at the moment where its mean is largest; and the end.

    runs : as `Data.growth` gives. learned : the claim is of examples learned by heart, so it is judged only where the
    training accuracy at the end says that they are; else the numbers are noted.
    """
    top, end = largest_mean(runs), last_of_each(runs, [])
    accuracy = end["train_accuracy"].mean()
    more = f" after {top['epoch'].mean():.4g} epochs; at the end {end['factor'].mean():.3g}, training accuracy "
    more += f"{accuracy:.0%}"
    if top.empty:
        return noted(f"{name}: count where its mean is largest / the first", "no runs")
    if learned and not accuracy >= LEARNED:
        what = f"{name}, not learned by heart: count where its mean is largest / the first"
        return noted(what, top["factor"], more=more)
    what = f"{name}{', learned by heart' if learned else ''}: count where its mean is largest / the first"
    return judged(what, top["factor"], claim, more=more)


def paired_ratio(
    ends: pandas.DataFrame, label: str, over: Any, under: Any, value: str = "value"
) -> pandas.Series[float]:
    """Per seed, the number of one setting over that of another; seeds that both have. Empty if there are none."""
    sides = [ends[ends[label] == name].set_index("seed")[value] for name in (over, under)]
    return (sides[0] / sides[1]).dropna()


def paired_slope(ends: pandas.DataFrame, label: str, logarithm: bool = False) -> pandas.Series[float]:
    """Per seed, the slope of log(factor) on a label that is a number (or on its decimal logarithm), by least squares.

    ends : a row a run. Runs of one seed share their first weights, so the settings of a seed are not independent, but
    slopes of different seeds are. Seeds that have not every value of the label are left out.
    """
    import pandas

    table = ends.pivot_table(index="seed", columns=label, values="factor").dropna()
    if table.shape[1] < 2 or table.empty:
        return pandas.Series(dtype=float)
    at = np.asarray(table.columns, dtype=np.float64)
    at = np.log10(at) if logarithm else at
    deviations = at - at.mean()
    with np.errstate(divide="ignore"):
        logs = np.log(table.to_numpy(dtype=np.float64))
    return pandas.Series(logs @ deviations / (deviations @ deviations), index=table.index)
