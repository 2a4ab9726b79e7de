"""Pictures with matplotlib: the regions of a slice, the network along a line, the count through training.

Every function draws on an `Axes` that is given to it, or on a new `Figure` of its own; none touches pyplot,
so nothing here opens a window or keeps a figure alive.
"""

from __future__ import annotations

from creases.plot.bands import epoch_axis, plot_band
from creases.plot.colours import Colouring, by_activity, by_pattern
from creases.plot.figure import new_figure, regions_drawn, save_figure
from creases.plot.history import Series, plot_history
from creases.plot.line import plot_line
from creases.plot.regions import plot_complex, window_of

__all__ = [
    "Colouring",
    "Series",
    "by_activity",
    "by_pattern",
    "epoch_axis",
    "new_figure",
    "plot_band",
    "plot_complex",
    "plot_history",
    "plot_line",
    "regions_drawn",
    "save_figure",
    "window_of",
]
