"""The regions of a two-dimensional slice, drawn as they are: polygons in the slice's own coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.domain import Polyline
from creases.errors import DomainError
from creases.plot.colours import Colouring, by_pattern
from creases.plot.figure import (
    COLOURS,
    INK,
    MARKERS,
    REGIONS,
    axes_of,
    axis_names,
    check_dimension,
    check_window,
)

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
# Classes that colours and shapes tell apart.
MOST_CLASSES = len(COLOURS) * len(MARKERS)
# A .pdf or .svg with more cells than this holds them as pixels.
MOST_VECTORS = 20_000


def plot_complex(
    complex: Complex,
    ax: Axes | None = None,
    *,
    points: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    window: Window | None = None,
    colouring: Colouring = by_pattern,
) -> Axes:
    """Draw the cells of a complex of dimension two, and points on top.

    complex : from `creases.subdivide`.
    ax : where to draw; None makes a new figure (`ax.figure`, to be saved with `save_figure`).
    points : shape (m, 2), in the slice's coordinates; `complex.domain.slice.coordinates(inputs)` gives them.
    labels : the class of each point, m numbers or words: points are coloured by it, and a legend tells the classes.
    window : (xmin, xmax, ymin, ymax) in the slice's coordinates; None shows a bounded domain whole, and of an
        unbounded one where most cells lie (`window_of`).
    colouring : from the complex to one colour a cell, e.g. `by_pattern` (the default) or `by_activity`.
    Raises DomainError if the dimension is not two, points or the window have another shape, or labels are not as many
    as points or of too many classes; MissingExtraError without matplotlib.
    """
    check_dimension(complex, 2, "plot_complex")
    marks = None if points is None else as_marks(points)
    classes = None if labels is None else classes_of(labels, 0 if marks is None else len(marks))
    own = ax is None
    ax = axes_of(ax, 6.0, 6.0)
    from matplotlib.collections import PolyCollection

    shown = window_of(complex, marks) if window is None else check_window(window, 2)
    polygons = complex.polygons(window=shown)
    seen = np.array([has_area(polygon) for polygon in polygons], dtype=np.bool_)
    edge = WIDEST_EDGE * min(1.0, (CELLS_AT_WIDEST / max(int(seen.sum()), 1)) ** 0.5)
    ax.add_collection(
        PolyCollection(
            [polygon for polygon, yes in zip(polygons, seen, strict=True) if yes],
            facecolors=colouring(complex)[seen],
            edgecolors=(0.13, 0.13, 0.13, 0.75),
            linewidths=edge,
            rasterized=len(complex) > MOST_VECTORS,
            label=REGIONS,
        ),
        autolim=False,
    )
    if marks is not None:
        mark_points(ax, marks, classes, own)
    across, up = axis_names(complex.domain)
    ax.set(xlim=shown[:2], ylim=shown[2:], aspect="equal", xlabel=across, ylabel=up)
    return ax


def as_marks(points: ArrayLike) -> Floats:
    """Points in the slice's coordinates, float64 (m, 2). Raises DomainError on any other shape."""
    marks = np.asarray(points, dtype=np.float64)
    if marks.size and marks.shape[-1] != 2:
        raise DomainError(
            f"points needs two coordinates each, those of the slice, got an array of shape {marks.shape}. Of inputs "
            "complex.domain.slice.coordinates(inputs) gives them."
        )
    return marks.reshape(-1, 2)


def has_area(polygon: Floats) -> bool:
    """Whether a clipped cell is more than an edge or a corner on the window's frame."""
    if len(polygon) < 3:
        return False
    x, y = (polygon - polygon[0]).T
    return bool((x[1:-1] * y[2:] != x[2:] * y[1:-1]).any())


def classes_of(labels: ArrayLike, points: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """The name of each class, and which points are of it; numbers and words in their order."""
    given = np.asarray(labels)
    if given.shape != (points,):
        raise DomainError(
            f"labels needs one label for each of the {points} points, got an array of shape {given.shape}."
        )
    names = np.unique(given)
    if len(names) > MOST_CLASSES:
        raise DomainError(
            f"labels has {len(names)} classes, and no more than {MOST_CLASSES} can be told apart by colour and shape. "
            "Mark the points of some of them, or leave labels out."
        )
    return [(str(name), np.asarray(given == name)) for name in names]


def mark_points(ax: Axes, marks: Floats, classes: list[tuple[str, NDArray[np.bool_]]] | None, own: bool) -> None:
    """Dots on top of the cells: all dark, or one colour and shape a class with a legend.

    own : whether the figure is ours alone, so that the legend may stand beside the axes.
    """
    look: dict[str, Any] = {"s": 34, "edgecolors": "white", "linewidths": 1.2, "zorder": 3}
    if classes is None:
        ax.scatter(marks[:, 0], marks[:, 1], color=INK, **look)
        return
    for i, (name, mine) in enumerate(classes):
        shape = MARKERS[i // len(COLOURS) % len(MARKERS)]
        ax.scatter(*marks[mine].T, color=COLOURS[i % len(COLOURS)], marker=shape, label=name, **look)
    if own:
        ax.figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    else:
        ax.legend(loc="upper right", framealpha=0.85, fontsize="small").set_zorder(5)


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
