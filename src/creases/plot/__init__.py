"""Plots with matplotlib: regions in two and three dimensions, functions on lines and planes, training.

Every function draws on given `Axes` or on a new `Figure`. pyplot is not used, so no windows are opened and no figures
are kept in memory. New figures are as wide as a column of a page, 3.3 inches, with text of eight points.
"""

from __future__ import annotations

from creases.plot.animation import animate
from creases.plot.bands import epoch_axis, plot_band
from creases.plot.boundary import plot_boundary
from creases.plot.colours import Colouring, by_activity, by_pattern
from creases.plot.columns import Column
from creases.plot.figure import house_style, new_figure, regions_drawn, save_figure
from creases.plot.histogram import plot_histogram
from creases.plot.history import Series, plot_history
from creases.plot.kinks import plot_kinks
from creases.plot.line import plot_line
from creases.plot.regions import plot_complex
from creases.plot.shades import Shades, shades_of
from creases.plot.solid import plot_cut_away, plot_exploded
from creases.plot.surface import plot_surface
from creases.plot.window import window_of

__all__ = [
    "Colouring",
    "Column",
    "Series",
    "Shades",
    "animate",
    "by_activity",
    "by_pattern",
    "epoch_axis",
    "house_style",
    "new_figure",
    "plot_band",
    "plot_boundary",
    "plot_complex",
    "plot_cut_away",
    "plot_exploded",
    "plot_histogram",
    "plot_history",
    "plot_kinks",
    "plot_line",
    "plot_surface",
    "regions_drawn",
    "save_figure",
    "shades_of",
    "window_of",
]
