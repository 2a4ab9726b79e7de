"""Common parts of the figures of counts during training: curves with bands, moments, findings on factors."""

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

# The colour map for the curves of a sweep, from small to large values, with evenly increasing lightness.
SEQUENCE = "viridis"
# From this training accuracy on, the examples count as memorised.
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
    """Draw one column of `runs` against another, with one curve and its band for each value of the column `label`.

    order : values of the label, in the order of the legend; values without rows are left out. sequence : colours that
        change with the order, for a label that is a number. level : the height of a dotted reference line.
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
    """The last moment of each run: the rows of `runs` with the largest epoch for each `by` and seed."""
    if runs.empty:
        return runs
    return runs.loc[runs.groupby([*by, "seed"])["epoch"].idxmax()]


def at_epoch(runs: pandas.DataFrame, epoch: float) -> pandas.DataFrame:
    """The rows at the moment of these runs that is nearest to an epoch, without runs that ended before it."""
    if runs.empty:
        return runs
    moments = runs["epoch"].unique()
    return runs[runs["epoch"] == moments[np.abs(moments - epoch).argmin()]]


def largest_mean(runs: pandas.DataFrame) -> pandas.DataFrame:
    """The rows at the moment, after the first, with the largest mean count over runs.

    The first moment is excluded, so the mean may be smaller than there. The mean of the largest counts of each run
    would increase with the number of moments; this has almost no such selection effect.
    """
    later = runs[runs["epoch"] > runs["epoch"].min()]
    if later.empty:
        return later
    return later[later["epoch"] == later.groupby("epoch")["value"].mean().idxmax()]


def factor_finding(runs: pandas.DataFrame, name: str, claim: Claim, *, learned: bool = False) -> FigureFinding:
    """The counts of the runs of one setting divided by their first counts, at the moment with the largest mean, and at
    the end.

    runs : from `Data.growth`. learned : whether the claim is about memorised examples; then it is judged only if the
        final training accuracy shows that they were, and otherwise the numbers are only noted.
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
    """For each seed that has both settings, the number for one divided by that for the other. Empty if there are
    none."""
    sides = [ends[ends[label] == name].set_index("seed")[value] for name in (over, under)]
    return (sides[0] / sides[1]).dropna()


def paired_slope(ends: pandas.DataFrame, label: str, logarithm: bool = False) -> pandas.Series[float]:
    """For each seed, the slope of log(factor) as a function of a numeric label (or of its decimal logarithm), by least
    squares.

    ends : one row per run. Runs with the same seed have the same initial weights, so the settings of a seed are not
        independent, but the slopes of different seeds are. Seeds without all values of the label are left out.
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
