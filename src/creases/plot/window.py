"""The window of a picture: which part of a plane it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.domain import Polyline
from creases.plot.figure import axis_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["Window", "frame", "window_of"]

Window = tuple[float, float, float, float]
Floats = NDArray[np.float64]

# The margin around the points in a window that was widened for them.
MARGIN = 0.1
# The largest number of steps between the ticks of an axis.
MOST_MARKS = 5


def window_of(complex: Complex, points: Floats | None = None) -> Window:
    """The default window of a complex: all of a bounded domain, or a window around most corners of an unbounded one;
    and all of `points`.

    points : float64 (m, 2) in slice coordinates, or None. Returns (xmin, xmax, ymin, ymax).
    """
    from creases.complex.clip import usual_window

    domain = complex.domain
    outline = None if isinstance(domain, Polyline) else domain.vertices
    if outline is not None:
        low, high = outline.min(axis=0), outline.max(axis=0)
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])
    shown = usual_window(complex.corners[~complex.at_infinity])
    if points is None or len(points) == 0:
        return shown
    low = np.minimum(points.min(axis=0), (shown[0], shown[2]))
    high = np.maximum(points.max(axis=0), (shown[1], shown[3]))
    # Still a square, with a margin at the outermost point.
    middle, half = (low + high) / 2.0, 0.5 * float((high - low).max()) * (1.0 + MARGIN)
    return (
        float(middle[0] - half),
        float(middle[0] + half),
        float(middle[1] - half),
        float(middle[1] + half),
    )


def frame(ax: Axes, complex: Complex, window: tuple[float, ...], own: bool) -> None:
    """Show the window, with the names of its coordinates; axes created here have few ticks, which fit into a column."""
    across, up = axis_names(complex.domain)
    ax.set(xlim=window[:2], ylim=window[2:], aspect="equal", xlabel=across, ylabel=up)
    if own:
        ax.locator_params(nbins=MOST_MARKS)
