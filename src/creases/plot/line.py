"""A network along a line: its outputs, exact between breaks, over the regions that the line meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.plot.colours import Colouring, by_pattern
from creases.plot.figure import (
    COLOURS,
    INK,
    QUIET,
    REGIONS,
    STYLES,
    axes_of,
    check_dimension,
    check_window,
    line_axis,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["plot_line"]

Floats = NDArray[np.float64]

# How much of its colour a band keeps, so that the curves stand out.
PALE = 0.45
# More outputs than this are not named one by one.
MOST_NAMED = 12
# The share of the height that a legend of so many names may take; above, letters are smaller.
MOST_NAMED_LARGE = 8
# How far past its outermost breaks an unbounded line is shown, as a share of the stretch between them.
BEYOND = 0.15


def plot_line(
    complex: Complex,
    ax: Axes | None = None,
    *,
    window: tuple[float, float] | None = None,
    colouring: Colouring = by_pattern,
) -> Axes:
    """Draw the outputs of a network along a segment or a line, and its regions as bands behind them.

    complex : of dimension one, from `creases.subdivide`.
    ax : where to draw; None makes a new figure, with the legend beside the axes.
    window : (left, right) in the units of the axis, which are those of the inputs: the values of the input where one
        alone varies along the line, else the distance from where the line's own coordinate u is 0. None shows all of a
        segment, and of a line all its breaks.
    Raises DomainError if the dimension is not one or the window none, MissingExtraError without matplotlib.
    """
    check_dimension(complex, 1, "plot_line")
    wanted = None if window is None else check_window(window, 1)
    own = ax is None
    ax = axes_of(ax, 8.0, 4.0)
    from matplotlib.collections import PolyCollection

    at, scale, name = line_axis(complex.domain)
    intervals = complex.intervals()
    shown = usual_stretch(intervals.ravel()) if wanted is None else sorted((value - at) / scale for value in wanted)
    ends = np.clip(intervals, *shown)
    seen = ends[:, 0] < ends[:, 1]
    pale = 1.0 - PALE * (1.0 - colouring(complex)[seen])
    bands = [[(a, 0.0), (b, 0.0), (b, 1.0), (a, 1.0)] for a, b in (at + scale * ends[seen]).tolist()]
    ax.add_collection(
        PolyCollection(bands, facecolors=pale, linewidths=0.0, transform=ax.get_xaxis_transform(), label=REGIONS),
        autolim=False,
    )
    u = np.unique(ends)
    outputs = complex.network.forward(complex.domain.slice.points(u[:, None]))
    plot_outputs(ax, at + scale * u, outputs, own)
    ax.axhline(0.0, color=QUIET, lw=0.6, zorder=1)
    left, right = wanted or sorted(at + scale * end for end in shown)
    ax.set(xlim=(left, right), xlabel=name, ylabel="output" if outputs.shape[1] == 1 else "outputs")
    tidy(ax)
    return ax


def plot_outputs(ax: Axes, places: Floats, outputs: Floats, own: bool) -> None:
    """A curve an output (float64, shape (m, outputs)), told apart by colour and dashes; a legend where they are few.

    own : whether the figure is ours alone, so that the legend may stand beside the axes.
    """
    number = outputs.shape[1]
    if not 1 < number <= MOST_NAMED:
        ax.plot(places, outputs, lw=1.5, color=COLOURS[0] if number == 1 else INK)
        return
    for i, values in enumerate(outputs.T):
        style = STYLES[i // len(COLOURS) % len(STYLES)]
        ax.plot(places, values, lw=1.5, color=COLOURS[i % len(COLOURS)], ls=style, label=f"output {i}")
    small = {"fontsize": "small" if number <= MOST_NAMED_LARGE else "x-small", "handlelength": 2.8}
    if own:
        ax.figure.legend(loc="outside right upper", frameon=False, **small)
    else:
        ax.legend(loc="upper right", framealpha=0.85, **small)


def usual_stretch(ends: np.ndarray) -> tuple[float, float]:
    """All finite ends, and some way beyond where the line itself goes on."""
    finite = ends[np.isfinite(ends)]
    if finite.size == 0:
        return (-1.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if finite.size == ends.size:
        return (low, high)
    beyond = BEYOND * (high - low) or 1.0
    return (low - beyond, high + beyond)
