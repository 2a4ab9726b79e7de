"""What the figures of counts through training share: a curve a label with its band, and findings on factors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from creases.paper.figure import Finding, mean_sd, within
from creases.plot import plot_band
from creases.plot.figure import COLOURS, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["draw_curves", "factor_findings", "last_of_each"]

# Curves of a sweep, from little to much: matplotlib's own, whose lightness rises evenly.
SEQUENCE = "viridis"


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


def factor_findings(
    runs: pandas.DataFrame, label: str, order: Iterable[Any], most: float, authors: str, form: str = "{}"
) -> list[Finding]:
    """For each value of the label: the largest count of a run over its first, at most `most`; and how the run ended.

    form : of the value of the label in the text.
    """
    found = []
    for name in order:
        mine = runs[runs[label] == name]
        if mine.empty:
            continue
        top = mine.groupby("seed")["factor"].max()
        end = last_of_each(mine, [label])
        accuracy = end["train_accuracy"].mean()
        said = f"{mean_sd(top)}; at the end {end['factor'].mean():.3g}, training accuracy {accuracy:.0%}"
        what = f"{form.format(name)}: largest count of a run / its first"
        found.append(Finding(what, said, authors, within(top, 1.0, most)))
    return found
