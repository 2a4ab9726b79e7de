"""A network along a line: its outputs, exact between breaks, over the regions that the line meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.errors import DomainError
from creases.plot.colours import Colouring, by_pattern
from creases.plot.figure import COLOURS, INK, QUIET, axes_of, axis_names, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["plot_line"]

# How much of its colour a band keeps, so that the curves stand out.
PALE = 0.45
# More outputs than this are not named one by one.
MOST_NAMED = 12
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
    window : (umin, umax) in the line's own coordinate; None shows all of a segment, and of a line all its breaks.
    Raises DomainError if the dimension is not one, MissingExtraError without matplotlib.
    """
    if complex.dimension != 1:
        raise DomainError(
            f"plot_line draws domains of dimension one, got {complex.dimension}; for a plane see plot_complex."
        )
    ax = axes_of(ax, 8.0, 4.0)
    from matplotlib.collections import PolyCollection

    intervals = complex.intervals()
    low, high = usual_stretch(intervals.ravel()) if window is None else window
    ends = np.clip(intervals, low, high)
    pale = 1.0 - PALE * (1.0 - colouring(complex))
    bands = [[(a, 0.0), (b, 0.0), (b, 1.0), (a, 1.0)] for a, b in ends.tolist()]
    ax.add_collection(
        PolyCollection(bands, facecolors=pale, linewidths=0.0, transform=ax.get_xaxis_transform()),
        autolim=False,
    )
    u = np.unique(ends)
    outputs = complex.network.forward(complex.domain.slice.points(u[:, None]))
    named = outputs.shape[1] <= MOST_NAMED
    for i, values in enumerate(outputs.T):
        ax.plot(
            u, values, lw=1.5, color=COLOURS[i % len(COLOURS)] if named else INK, label=f"output {i}" if named else None
        )
    if named and outputs.shape[1] > 1:
        ax.figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    ax.axhline(0.0, color=QUIET, lw=0.6, zorder=1)
    ax.set(
        xlim=(low, high), xlabel=axis_names(complex.domain)[0], ylabel="output" if outputs.shape[1] == 1 else "outputs"
    )
    tidy(ax)
    return ax


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
