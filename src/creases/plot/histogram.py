"""Histograms of a column over the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import DomainError
from creases.plot.columns import Column, column_of
from creases.plot.figure import COLOURS, COLUMN, drawing, tidy
from creases.plot.shades import are_whole, spans_decades, steps_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["bins_of", "plot_histogram"]

Floats = NDArray[np.float64]

# The default number of bins; in a column's width each is about six points wide.
BINS = 30
MOST_BINS = 10_000
HEIGHT = 0.62


def plot_histogram(
    complex: Complex,
    column: str | Column | ArrayLike,
    ax: Axes | None = None,
    *,
    bins: int = BINS,
    width: float = COLUMN,
) -> Axes:
    """Plot a histogram of a column over the cells of a complex.

    complex : from `creases.subdivide`, of any dimension.
    column : a string, a `Column`, or one number per cell, as `color_by` of `plot_complex`. Layers, classes and small
        sets of integers have one bar each. Other numbers are binned, with equal steps of the logarithm if they span
        more than two decades. Numbers that the axis cannot show (zero on a logarithmic one, infinity, NaN) are counted
        in a line of text.
    ax : matplotlib axes; None makes a new figure. bins : number of bins. width : width of a new figure, in inches.
    Returns the axes. Raises DomainError if the column does not have one number per cell, or bins is invalid;
    MissingExtraError without matplotlib.
    """
    from creases.complex import Complex

    if not isinstance(complex, Complex):
        raise DomainError(f"plot_histogram takes what creases.subdivide returns; got {type(complex).__name__}.")
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)) or not 1 <= bins <= MOST_BINS:
        raise DomainError(f"bins is a whole number, 1 to {MOST_BINS:,}; got {bins!r}.")
    one = column_of(complex, column, "column")
    with drawing(ax, width, HEIGHT * width) as (ax, _):
        if one.kind == "amount":
            add_bins(ax, one.numbers, int(bins))
        else:
            from matplotlib.ticker import MaxNLocator

            steps = steps_of(one)
            ax.bar(steps, [int((one.numbers == step).sum()) for step in steps], width=0.8, color=COLOURS[0])
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel=one.title, ylabel="regions")
        tidy(ax)
    return ax


def add_bins(ax: Axes, numbers: NDArray[np.generic], bins: int) -> None:
    """Bars for a column of amounts, and a line of text about the numbers without a bar."""
    from matplotlib.ticker import MaxNLocator

    edges, logarithmic = bins_of(np.asarray(numbers, dtype=np.float64), bins)
    counts, _ = np.histogram(numbers, edges)
    ax.stairs(counts, edges, fill=True, color=COLOURS[0])
    if not logarithmic and are_whole(edges - 0.5):
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if logarithmic:
        ax.set_xscale("log")
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
    left_out = []
    for what, which in (("zero", numbers == 0 if logarithmic else None), ("not finite", ~np.isfinite(numbers))):
        if which is not None and (number := int(which.sum())):
            left_out.append(f"{number:,} {what}")
    if left_out:
        ax.set_title(f"not shown: {', '.join(left_out)}", loc="right")


def bins_of(numbers: Floats, bins: int) -> tuple[Floats, bool]:
    """The edges of bins, float64 (bins + 1,), and whether they are equal steps of the logarithm.

    Integers with a range smaller than the number of bins have one bin each. All finite numbers lie in the bins; with a
    logarithm, all that are above zero.
    """
    finite = numbers[np.isfinite(numbers)]
    if spans_decades(finite):
        positive = finite[finite > 0]
        edges = np.geomspace(positive.min(), positive.max(), bins + 1)
        # Rounding must not exclude a number.
        edges[0], edges[-1] = positive.min(), positive.max()
        return edges, True
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if finite.size and are_whole(finite) and high - low < bins:
        return np.arange(low, high + 2.0) - 0.5, False
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1), False
