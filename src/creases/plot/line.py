"""A network along a line: its outputs, exact between breakpoints, over the regions that the line meets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.births import layers_of_walls
from creases.errors import DomainError
from creases.plot.figure import (
    COLOURS,
    COLUMN,
    INK,
    QUIET,
    REGIONS,
    STYLES,
    add_legend,
    check_dimension,
    check_window,
    drawing,
    line_axis,
    tidy,
)
from creases.plot.shades import ColorBy, Shades, add_scale, layer_colours, shades_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from creases.complex import Complex

__all__ = ["plot_line"]

Floats = NDArray[np.float64]
# Indices of outputs, or a function of the outputs.
Function: TypeAlias = "int | Sequence[int] | Callable[[Floats], ArrayLike]"

# The saturation of a band's colour, low enough for the curves to stand out.
PALE = 0.45
# The largest number of outputs, and of layers, that are named one by one.
MOST_NAMED = 12
# The part of an unbounded line beyond its outermost breakpoints that is shown, relative to the distance between them.
BEYOND = 0.15
# The height of a picture, relative to its width.
HEIGHT = 0.62
# A function of the outputs may bend where the network does not, so it is evaluated this often in each region, and in
# total.
WITHIN, ACROSS = 8, 400


def plot_line(
    complex: Complex,
    ax: Axes | None = None,
    *,
    color_by: ColorBy = "pattern",
    function: Function | None = None,
    breaks: bool = False,
    window: tuple[float, float] | None = None,
    width: float = COLUMN,
) -> Axes:
    """Plot the outputs of a network along a line or segment, over bands that show its regions.

    complex : of dimension one, from `creases.subdivide`.
    ax : matplotlib axes; None makes a new figure, with the legend below the axes.
    color_by : the colours of the bands, as for `plot_complex`.
    function : the curves; None plots all outputs. An integer, or several, plot these outputs. A function takes the
        outputs, float64 (m, n_out), and returns float64 (m,) or (m, curves), e.g. `lambda y: y[:, 1] - y[:, 0]`.
        Outputs are straight between breakpoints; a function is evaluated at additional points between them.
    breaks : mark the breakpoints of each curve, in the colour of their layer.
    window : (left, right) in the units of the axis: the value of the input if only one input varies along the line,
        else the distance from the point with coordinate u = 0. None shows all of a segment, and all breakpoints of a
        line.
    width : width of a new figure, in inches.
    Returns the axes. Raises DomainError if the dimension is not one, the window is invalid, or the function does not
    return curves; MissingExtraError without matplotlib.
    """
    check_dimension(complex, 1, "plot_line")
    wanted = None if window is None else check_window(window, 1)
    at, scale, name = line_axis(complex.domain)
    intervals = complex.intervals()
    shown = usual_stretch(intervals.ravel()) if wanted is None else sorted((value - at) / scale for value in wanted)
    ends = np.clip(intervals, *shown)
    seen = ends[:, 0] < ends[:, 1]
    with drawing(ax, width, HEIGHT * width) as (ax, own):
        shades = shades_of(complex, color_by)
        add_bands(ax, at + scale * ends[seen], shades.colours[seen])
        add_scale(ax, pale(shades))
        curves = add_curves(ax, complex, function, ends[seen])
        handles: list[Any] = [*curves] if 1 < len(curves) <= MOST_NAMED else []
        if breaks:
            handles += mark_breaks(ax, complex, curves)
        add_legend(ax, handles, own)
        ax.axhline(0.0, color=QUIET, lw=0.6, zorder=1)
        left, right = wanted or sorted(at + scale * end for end in shown)
        ax.set(xlim=(left, right), xlabel=name, ylabel="output" if len(curves) == 1 else "outputs")
        tidy(ax)
    return ax


def pale(shades: Shades) -> Shades:
    """The same scale in the paler colours of bands."""
    if shades.colormap is None:
        return shades
    from matplotlib.colors import ListedColormap

    colours = shades.colormap(np.arange(shades.colormap.N))[:, :3]
    return shades._replace(colormap=ListedColormap(1.0 - PALE * (1.0 - colours)))


def add_bands(ax: Axes, ends: Floats, colours: Floats) -> None:
    """One band per interval, float64 (m, 2) in the units of the axis, from the bottom to the top."""
    from matplotlib.collections import PolyCollection

    bands: Any = np.zeros((len(ends), 4, 2))
    bands[:, :, 0] = ends[:, [0, 1, 1, 0]]
    bands[:, 2:, 1] = 1.0
    ax.add_collection(
        PolyCollection(
            bands,
            facecolors=1.0 - PALE * (1.0 - colours),
            linewidths=0.0,
            transform=ax.get_xaxis_transform(),
            label=REGIONS,
        ),
        autolim=False,
    )


def add_curves(ax: Axes, complex: Complex, function: Function | None, ends: Floats) -> list[Line2D]:
    """One curve per output, distinguished by colour and dashes if they are few.

    ends : float64 (m, 2), the intervals in view, in the line's own coordinate.
    """
    at, scale, _ = line_axis(complex.domain)
    u = np.unique(ends)
    if callable(function) and len(u):
        u = np.unique(
            np.concatenate([np.linspace(ends[:, 0], ends[:, 1], WITHIN).ravel(), np.linspace(u[0], u[-1], ACROSS)])
        )
    values, names = curves_of(complex, function, u)
    places, number = at + scale * u, values.shape[1]
    if not 1 < number <= MOST_NAMED:
        return ax.plot(places, values, lw=1.2, color=COLOURS[0] if number == 1 else INK)
    drawn = []
    for i, curve in enumerate(values.T):
        style = STYLES[i // len(COLOURS) % len(STYLES)]
        drawn += ax.plot(places, curve, lw=1.2, color=COLOURS[i % len(COLOURS)], ls=style, label=names[i])
    return drawn


def curves_of(complex: Complex, function: Function | None, u: Floats) -> tuple[Floats, list[str]]:
    """The curves at coordinates u of the line, float64 (m, curves), and a name for each."""
    outputs = complex.network.forward(complex.domain.slice.points(u[:, None]))
    number = outputs.shape[1]
    if callable(function):
        values = np.asarray(function(outputs), dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or len(values) != len(u):
            raise DomainError(
                f"function takes outputs of shape {outputs.shape} and gives ({len(u)},) or ({len(u)}, curves) numbers; "
                f"it gave an array of shape {values.shape}."
            )
        return values, [f"curve {i}" for i in range(values.shape[1])]
    chosen = np.arange(number) if function is None else np.atleast_1d(np.asarray(function))
    if chosen.dtype.kind not in "iu" or chosen.ndim != 1 or not ((chosen >= 0) & (chosen < number)).all():
        raise DomainError(f"function is an output of the network, 0 to {number - 1}, or several; got {function!r}.")
    return outputs[:, chosen], [f"output {i}" for i in chosen]


def mark_breaks(ax: Axes, complex: Complex, curves: Sequence[Line2D]) -> list[Any]:
    """A dot on each curve at each boundary between regions, in the colour of its layer. Returns the handles for the
    legend."""
    from matplotlib.lines import Line2D

    at, scale, _ = line_axis(complex.domain)
    places = at + scale * complex.intervals()[1:, 0]
    # If neurons of two layers vanish there, each of the two cells names one of them.
    layers = layers_of_walls(complex.network, complex.edges).reshape(-1, 2)
    layer = np.maximum(layers[1:, 0], layers[:-1, 1])
    colours = layer_colours(complex.network.depth)
    for curve in curves:
        x, y = (np.asarray(numbers, dtype=np.float64) for numbers in curve.get_data())
        order = np.argsort(x)
        heights = np.interp(places, x[order], y[order], left=np.nan, right=np.nan)
        seen = np.isfinite(heights)
        dots = {"s": 6.0, "color": colours[layer[seen] - 1], "linewidths": 0.0, "zorder": 3, "label": "_breaks"}
        ax.scatter(places[seen], heights[seen], **dots)
    if complex.network.depth > MOST_NAMED:
        return []
    return [
        Line2D([], [], color=colours[i - 1], marker="o", ms=3.0, ls="", label=f"break of layer {i}")
        for i in np.unique(layer).tolist()
    ]


def usual_stretch(ends: np.ndarray) -> tuple[float, float]:
    """An interval that contains all finite ends, and extends beyond them where the line does."""
    finite = ends[np.isfinite(ends)]
    if finite.size == 0:
        return (-1.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if finite.size == ends.size:
        return (low, high)
    beyond = BEYOND * (high - low) or 1.0
    return (low - beyond, high + beyond)
