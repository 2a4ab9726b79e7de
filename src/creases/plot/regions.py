"""Pictures of the regions of a two-dimensional slice: polygons in the slice's own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import DomainError
from creases.plot.boundary import add_boundary, classes_of_cells, with_boundary
from creases.plot.figure import (
    COLOURS,
    COLUMN,
    INK,
    MARKERS,
    REGIONS,
    add_legend,
    check_dimension,
    check_window,
    drawing,
    fit_height,
)
from creases.plot.kinks import add_kinks
from creases.plot.polygons import polygons_in
from creases.plot.shades import CLASSES, ColorBy, Shades, add_scale, room_of_scale, shades_of
from creases.plot.window import Window, frame, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection

    from creases.complex import Complex

__all__ = ["OWN_MARK", "add_all", "compose", "look_of", "plot_complex"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Widths of edges in points, as large as possible without hiding the cells, for at most this many cells.
WIDEST_EDGE, CELLS_AT_WIDEST = 0.5, 200
EDGE_COLOUR = (0.13, 0.13, 0.13, 0.75)
# The number of classes that colours and shapes can distinguish.
MOST_CLASSES = len(COLOURS) * len(MARKERS)
# A .pdf or .svg with more cells than this contains them as pixels.
MOST_VECTORS = 20_000
# Sizes of the marks of points, in square points: in a picture of a column's width, and on given axes.
OWN_MARK, MARK = 16.0, 34.0


def plot_complex(
    complex: Complex,
    ax: Axes | None = None,
    *,
    color_by: ColorBy = "pattern",
    kinks: bool = False,
    boundary: bool = False,
    points: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    window: Window | None = None,
    width: float = COLUMN,
) -> Axes:
    """Draw the cells of a complex of dimension two, optionally with kinks, the decision boundary and points.

    complex : from `creases.subdivide`.
    ax : matplotlib axes; None makes a new figure (`ax.figure`, to be saved with `save_figure`) with text of eight
        points and the colour bar and legend beside the axes.
    color_by : "pattern" (default; a region has the same colour in every window and throughout training), "layer" (layer
        of birth, the highest layer whose neuron bounds the cell), "gradient" (`Complex.gradient_norms`, in units of
        outputs per unit of inputs), "class" (the largest output at the cell's interior point), "activity" (number of
        active neurons), or another column of `Complex.table`: "volume", "facets", "vertices", "bounded"; a `Column` or
        an array with one number per cell, shape (cells,); or a function from the complex to colours, such as
        `by_pattern`. Numbers, layers and classes have a colour bar.
    kinks : draw the facets between cells, coloured by the layer of their neuron (`plot_kinks`).
    boundary : draw the decision boundary (`plot_boundary`); the colours of "class" then change there too.
    points : shape (m, 2), in slice coordinates; `complex.domain.slice.coordinates(inputs)` gives them.
    labels : the class of each point, m numbers or strings, shown by colours with a legend.
    window : (xmin, xmax, ymin, ymax) in slice coordinates; None shows all of a bounded domain, and the part of an
        unbounded one where most cells lie (`window_of`).
    width : width of a new figure, in inches.
    Returns the axes. Raises DomainError if the dimension is not two, points, window or `color_by` have a wrong shape,
    or labels are not as many as points or have too many classes; MissingExtraError without matplotlib.
    """
    check_dimension(complex, 2, "plot_complex")
    look = look_of(complex, color_by, kinks, boundary, points, labels, window)
    with drawing(ax, width, width) as (ax, own):
        compose(ax, complex, shades_of(complex, color_by), look, own)
    return ax


@dataclass(frozen=True, eq=False)
class Look:
    """The content of a picture of a complex, checked.

    window : in slice coordinates. kinks, boundary : whether they are drawn. cut_classes : whether colours change at the
        boundary, rather than only between cells. marks : float64 (m, 2). classes : the name of each class, and its
        marks.
    """

    window: tuple[float, ...]
    kinks: bool
    boundary: bool
    cut_classes: bool
    marks: Floats | None
    classes: list[tuple[str, Bools]] | None


def look_of(
    complex: Complex,
    color_by: ColorBy,
    kinks: bool,
    boundary: bool,
    points: ArrayLike | None,
    labels: ArrayLike | None,
    window: ArrayLike | None,
) -> Look:
    """The content for the arguments of `plot_complex`. Raises DomainError as it does."""
    marks = None if points is None else as_marks(points)
    classes = None if labels is None else classes_of(labels, 0 if marks is None else len(marks))
    shown = window_of(complex, marks) if window is None else check_window(window, 2)
    cut_classes = boundary and isinstance(color_by, str) and color_by == "class"
    return Look(shown, kinks, boundary, cut_classes, marks, classes)


def compose(ax: Axes, complex: Complex, shades: Shades, look: Look, own: bool) -> None:
    """Draw everything, with legends and scales. own : whether the figure was created here."""
    left, right, low, high = look.window
    if own:
        fit_height(ax, (high - low) / (right - left), room_of_scale(shades))
    handles = add_all(ax, complex, shades, look, OWN_MARK if own else MARK)
    add_scale(ax, shades)
    add_legend(ax, handles, own)
    frame(ax, complex, look.window, own)


def add_all(ax: Axes, complex: Complex, shades: Shades, look: Look, size: float) -> list[Any]:
    """Draw the cells and everything on them. Returns the handles for the legend. size : of marks, in points²."""
    handles: list[Any] = []
    finer = with_boundary(complex) if look.boundary else None
    if finer is not None and look.cut_classes and shades.norm is not None and shades.colormap is not None:
        exact = Shades(shades.colormap(shades.norm(classes_of_cells(finer)))[:, :3])
        add_regions(ax, finer, exact, look.window, edges=False).set_label("_classes")
        add_regions(ax, complex, shades, look.window, edges=not look.kinks).set_facecolor("none")
    else:
        add_regions(ax, complex, shades, look.window, edges=not look.kinks)
    if look.kinks:
        handles += add_kinks(ax, complex, look.window)
    if finer is not None:
        handles += add_boundary(ax, finer, look.window)
    if look.marks is not None:
        of_classes = shades.column is not None and shades.column.kind == "class"
        handles += mark_points(ax, look.marks, look.classes, size, of_classes)
    return handles


def add_regions(
    ax: Axes, complex: Complex, shades: Shades, window: tuple[float, ...], edges: bool = True
) -> PolyCollection:
    """Draw the cells in a window in their colours, with or without thin edges."""
    from matplotlib.collections import PolyCollection

    seen = polygons_in(complex, window)
    many = len(seen) > MOST_VECTORS
    colours = shades.colours[seen.owners]
    thin = WIDEST_EDGE * min(1.0, (CELLS_AT_WIDEST / max(len(seen), 1)) ** 0.5)
    polygons: Any = seen.as_array() if many else seen.as_list()
    drawn = PolyCollection(
        polygons,
        facecolors=colours,
        # Without an edge in its own colour, the background would be visible between adjacent cells.
        edgecolors=EDGE_COLOUR if edges else "face",
        linewidths=thin if edges else 0.3,
        rasterized=many,
        label=REGIONS,
    )
    ax.add_collection(drawn, autolim=False)
    return drawn


def as_marks(points: ArrayLike) -> Floats:
    """Points in the slice's coordinates, float64 (m, 2). Raises DomainError on any other shape."""
    marks = np.asarray(points, dtype=np.float64)
    if marks.size and marks.shape[-1] != 2:
        raise DomainError(
            f"points needs two coordinates each, those of the slice, got an array of shape {marks.shape}. Of inputs "
            "complex.domain.slice.coordinates(inputs) gives them."
        )
    return marks.reshape(-1, 2)


def classes_of(labels: ArrayLike, points: int) -> list[tuple[str, Bools]]:
    """The name of each class, in numerical or alphabetical order, and which points belong to it."""
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


def mark_points(
    ax: Axes, marks: Floats, classes: list[tuple[str, Bools]] | None, size: float, of_classes: bool = False
) -> list[Any]:
    """Dots on top of the cells, with a white outline: all dark, or one colour and shape per class. Returns the handles
    for the legend.

    size : in square points. of_classes : whether the cells are coloured by class; if labels are numbers, points then
        have the colours of the cells of their class.
    """
    look: dict[str, Any] = {"s": size, "edgecolors": "white", "linewidths": 0.2 * size**0.5, "zorder": 4}
    if classes is None:
        ax.scatter(marks[:, 0], marks[:, 1], color=INK, **look)
        return []
    numbered = of_classes and all(name.isdecimal() for name, _ in classes)
    colours = CLASSES if numbered else COLOURS
    handles = []
    for i, (name, mine) in enumerate(classes):
        number = int(name) if numbered else i
        shape, colour = MARKERS[number // len(colours) % len(MARKERS)], colours[number % len(colours)]
        handles.append(ax.scatter(*marks[mine].T, color=colour, marker=shape, label=name, **look))
    return handles
