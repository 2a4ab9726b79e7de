"""The bent hyperplanes of a network: the facets between the cells of a plane, coloured by the layer of their neuron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.births import layers_of_walls
from creases.plot.figure import COLUMN, add_legend, check_dimension, check_window, drawing, fit_height
from creases.plot.window import Window, frame, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["add_kinks", "facets_in", "plot_kinks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Line widths in points: in the first layer, the ratio between successive layers, and the smallest width.
WIDEST, FADING, LEAST = 1.2, 0.75, 0.35
# With more facets than this, lines are thinner, so that the background remains visible.
FACETS_AT_WIDEST = 1_000
# A .pdf or .svg with more facets than this contains them as pixels.
MOST_VECTORS = 60_000
# The largest number of layers that a legend names one by one.
MOST_NAMED = 8


def plot_kinks(
    complex: Complex, ax: Axes | None = None, *, window: Window | None = None, width: float = COLUMN
) -> Axes:
    """Draw the facets between the cells of a complex of dimension two, each once.

    The colour and width of a line show the layer of its neuron or switch, from dark and wide (first) to light and thin
    (last); there is a legend. `plot_complex(complex, kinks=True)` draws them on the regions.

    complex : from `creases.subdivide`.
    ax, window, width : as for `plot_complex`.
    Returns the axes. Raises DomainError if the dimension is not two or the window is invalid; MissingExtraError without
    matplotlib.
    """
    check_dimension(complex, 2, "plot_kinks")
    shown = window_of(complex) if window is None else check_window(window, 2)
    with drawing(ax, width, width) as (ax, own):
        if own:
            fit_height(ax, (shown[3] - shown[2]) / (shown[1] - shown[0]))
        add_legend(ax, add_kinks(ax, complex, shown), own)
        frame(ax, complex, shown, own)
    return ax


def add_kinks(ax: Axes, complex: Complex, window: tuple[float, ...]) -> list[Any]:
    """Draw the facets in a window. Returns the handles for the legend."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    from creases.plot.shades import layer_colours

    facets = complex.facets
    segments, owners = facets_in(complex, facets.inner, window)
    layers = layers_of_walls(complex.network, facets.walls[owners])
    depth = complex.network.depth
    colours = layer_colours(depth)
    widths = np.maximum(WIDEST * FADING ** np.arange(depth), LEAST)
    thinner = min(1.0, (FACETS_AT_WIDEST / max(len(segments), 1)) ** 0.5)
    handles: list[Line2D] = []
    # The wide lines of the first layers are drawn last: they are few, and the others bend at them.
    for layer in range(depth, 0, -1):
        colour, wide = colours[layer - 1], float(widths[layer - 1])
        ax.add_collection(
            LineCollection(
                segments[layers == layer],
                colors=[colour],
                linewidths=wide * thinner,
                capstyle="round",
                rasterized=len(segments) > MOST_VECTORS,
                zorder=2,
                label=f"_layer {layer}",
            ),
            autolim=False,
        )
        handles.insert(0, Line2D([], [], color=colour, lw=max(wide, 0.6), label=f"layer {layer}"))
    if depth <= MOST_NAMED:
        return handles
    return [handles[i] for i in np.linspace(0, depth - 1, MOST_NAMED // 2).round().astype(int)]


def facets_in(complex: Complex, which: Bools, window: tuple[float, ...]) -> tuple[Floats, Ints]:
    """The parts of facets (d = 2) in a window (xmin, xmax, ymin, ymax): float64 (segments, 2, 2), in slice coordinates,
    and the facet of each, int64 (segments,).

    which : bool (facets,), the facets to consider.
    """
    xmin, xmax, ymin, ymax = window
    facets = complex.facets
    rays = np.column_stack([complex.vertices, np.where(complex.vertices_at_infinity, 0.0, 1.0)])
    begin = facets.first[:-1][which]
    owners = np.flatnonzero(which)
    if len(complex.lineality):  # facets are whole lines, each through one vertex: two half-lines
        along = np.append(complex.lineality[0], 0.0)
        starts = np.repeat(rays[facets.vertices[begin]], 2, axis=0)
        ends = np.tile([along, -along], (len(begin), 1))
        owners = np.repeat(owners, 2)
    else:
        starts, ends = rays[facets.vertices[begin]], rays[facets.vertices[begin + 1]]
    forms = np.array([[1.0, 0.0, -xmin], [-1.0, 0.0, xmax], [0.0, 1.0, -ymin], [0.0, -1.0, ymax]])
    at_start, at_end = starts @ forms.T, ends @ forms.T
    # Liang and Barsky (1984): the part of (1 - t) start + t end at which no form is negative.
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = at_start / (at_start - at_end)
    low = np.where(at_start < 0, np.where(at_end > 0, zeros, 1.0), 0.0).max(axis=1, initial=0.0)
    high = np.where(at_end < 0, np.where(at_start > 0, zeros, 0.0), 1.0).min(axis=1, initial=1.0)
    kept = low < high
    low, high, starts, ends = low[kept, None], high[kept, None], starts[kept], ends[kept]
    parts = np.stack([(1.0 - low) * starts + low * ends, (1.0 - high) * starts + high * ends], axis=1)
    return parts[:, :, :2] / parts[:, :, 2:], owners[kept]
