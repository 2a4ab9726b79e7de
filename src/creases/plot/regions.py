"""The regions of a two-dimensional slice, drawn as they are: polygons in the slice's own coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.domain import Polyline
from creases.errors import DomainError
from creases.plot.colours import Colouring, by_pattern
from creases.plot.figure import INK, axes_of, axis_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["Window", "plot_complex", "window_of"]

Window = tuple[float, float, float, float]
Floats = NDArray[np.float64]

# Edges are as wide as they can be without hiding the cells: points, for this many cells and fewer.
WIDEST_EDGE, CELLS_AT_WIDEST = 0.6, 400
# Room around the points in a window that was widened for them.
MARGIN = 0.1
# A .pdf or .svg with more cells than this holds them as pixels.
MOST_VECTORS = 20_000


def plot_complex(
    complex: Complex,
    ax: Axes | None = None,
    *,
    points: ArrayLike | None = None,
    window: Window | None = None,
    colouring: Colouring = by_pattern,
) -> Axes:
    """Draw the cells of a complex of dimension two, and points on top.

    complex : from `creases.subdivide`.
    ax : where to draw; None makes a new figure (`ax.figure`, to be saved with `save_figure`).
    points : shape (m, 2), in the slice's coordinates; `complex.domain.slice.coordinates(inputs)` gives them.
    window : (xmin, xmax, ymin, ymax) in the slice's coordinates; None shows a bounded domain whole, and of an
        unbounded one where most cells lie (`window_of`).
    colouring : from the complex to one colour a cell, e.g. `by_pattern` (the default) or `by_activity`.
    Raises DomainError if the dimension is not two, MissingExtraError without matplotlib.
    """
    if complex.dimension != 2:
        raise DomainError(
            f"plot_complex draws domains of dimension two, got {complex.dimension}; for a line see plot_line."
        )
    ax = axes_of(ax, 6.0, 6.0)
    from matplotlib.collections import PolyCollection

    marks = None if points is None else np.asarray(points, dtype=np.float64).reshape(-1, 2)
    shown = window_of(complex, marks) if window is None else window
    polygons = complex.polygons(window=shown)
    seen = np.array([len(polygon) > 2 for polygon in polygons], dtype=np.bool_)
    edge = WIDEST_EDGE * min(1.0, (CELLS_AT_WIDEST / max(int(seen.sum()), 1)) ** 0.5)
    ax.add_collection(
        PolyCollection(
            [polygon for polygon in polygons if len(polygon) > 2],
            facecolors=colouring(complex)[seen],
            edgecolors=(0.13, 0.13, 0.13, 0.75),
            linewidths=edge,
            rasterized=len(complex) > MOST_VECTORS,
        ),
        autolim=False,
    )
    if marks is not None:
        ax.scatter(marks[:, 0], marks[:, 1], s=34, c=INK, edgecolors="white", linewidths=1.2, zorder=3)
    across, up = axis_names(complex.domain)
    ax.set(xlim=shown[:2], ylim=shown[2:], aspect="equal", xlabel=across, ylabel=up)
    return ax


def window_of(complex: Complex, points: Floats | None = None) -> Window:
    """What to show of a complex: a bounded domain whole, else most of its corners, and all of `points`."""
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
    # Still a square, with the outermost point off the frame.
    middle, half = (low + high) / 2.0, 0.5 * float((high - low).max()) * (1.0 + MARGIN)
    return (
        float(middle[0] - half),
        float(middle[0] + half),
        float(middle[1] - half),
        float(middle[1] + half),
    )
