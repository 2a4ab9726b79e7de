"""From a column of numbers to colours, and to the scale that explains them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import DomainError
from creases.plot.colours import Colouring, by_pattern
from creases.plot.columns import Column, column_of
from creases.plot.figure import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

    from creases.complex import Complex

__all__ = [
    "CLASSES",
    "ColorBy",
    "Shades",
    "add_scale",
    "are_whole",
    "class_colours",
    "layer_colours",
    "room_of_scale",
    "shades_of",
    "spans_decades",
]

Floats = NDArray[np.float64]
# A word, a column, one number per cell, a function from the complex to one colour per cell, or these colours.
ColorBy: TypeAlias = "str | Column | ArrayLike | Colouring | Shades"

# Okabe and Ito (2008) with their black and yellow, and two of Tol (2021) that can be distinguished from them. Grey
# cannot: with green-blindness it looks like the fourth of these.
CLASSES = (*COLOURS, "#F0E442", "#882255", "#000000", "#332288")
# The saturation of the colour of a class's regions, low enough for points of that class to stand out on them.
TINT = 0.5
# The colour for NaN and infinity.
GREY = (0.82, 0.82, 0.82)
# A scale is logarithmic if all but the outermost hundredths span more than this factor.
DECADES = 100.0
# The largest number of steps of a scale with a tick each.
MOST_STEPS = 10
# Inches: a colour bar with its ticks and a title of one line, and one more line; characters that fit in a line.
BAR, TITLE_LINE, LONGEST_TITLE = 0.62, 0.13, 30
# The part of the colour map that is used for layers: its last part is too pale for lines on white.
LAYERS = (0.0, 0.82)


class Shades(NamedTuple):
    """Colours of cells, with the numbers that they represent.

    colours : float64 (cells, 3), red, green and blue in [0, 1].
    column : the numbers that they represent, or None.
    norm, colormap : matplotlib's map from these numbers to colours.
    """

    colours: Floats
    column: Column | None = None
    norm: Normalize | None = None
    colormap: Colormap | None = None


def shades_of(complex: Complex, color_by: ColorBy, like: Shades | None = None) -> Shades:
    """The colours of the cells, for `color_by` as in `plot_complex`.

    like : shades of other cells, whose scale is used; None fits a scale to these cells.
    Raises DomainError if `color_by` is unknown or does not have one value per cell.
    """
    if isinstance(color_by, Shades):
        if len(color_by.colours) != len(complex):
            raise DomainError(f"color_by has {len(color_by.colours):,} colours for {len(complex):,} cells.")
        return color_by
    if isinstance(color_by, str) and color_by == "pattern":
        return Shades(by_pattern(complex))
    if callable(color_by):
        colours = np.asarray(color_by(complex), dtype=np.float64)
        if colours.shape != (len(complex), 3):
            raise DomainError(
                f"A function of colours gives an array of shape ({len(complex)}, 3), red, green and blue of each cell; "
                f"got shape {colours.shape}."
            )
        return Shades(colours)
    column = column_of(complex, color_by)
    numbers = column.numbers
    if like is not None and like.norm is not None and like.colormap is not None:
        norm, colormap = like.norm, like.colormap
    else:
        norm, colormap = scale_of(column)
    with np.errstate(invalid="ignore"):
        colours = colormap(norm(np.ma.masked_invalid(numbers)))[:, :3]
    return Shades(np.asarray(colours), column, norm, colormap)


def scale_of(column: Column) -> tuple[Normalize, Colormap]:
    """matplotlib's map from the numbers of a column to colours."""
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm, Normalize

    numbers = column.numbers
    if column.kind == "amount":
        colormap = colormaps["viridis"].with_extremes(bad=GREY)
        finite = numbers[np.isfinite(numbers)]
        if spans_decades(finite):
            positive = finite[finite > 0]
            return LogNorm(positive.min(), positive.max(), clip=True), colormap
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        if low == high:  # a single number has the colour in the middle
            low, high = low - 0.5, high + 0.5
        return Normalize(low, high), colormap
    edges = steps_of(column) - 0.5
    if column.kind == "class":
        colours = class_colours(len(edges))
    else:
        colours = np.vstack([GREY, layer_colours(int(edges[-1] + 0.5))])[-len(edges) :]
    return BoundaryNorm(np.append(edges, edges[-1] + 1.0), len(edges)), ListedColormap(colours)


def steps_of(column: Column) -> NDArray[np.int64]:
    """The layers or classes on a scale, in order; layer 0, which means none, only if it occurs."""
    numbers = column.numbers
    least = 1 if column.kind == "layer" and numbers.all() else 0
    most = max(least, int(numbers.max(initial=0)), column.most or 0)
    return np.arange(least, most + 1)


def class_colours(number: int) -> Floats:
    """Pale colours for this many classes, float64 (number, 3); after the tenth they repeat, darker."""
    from matplotlib.colors import to_rgb

    strong = np.array([to_rgb(CLASSES[i % len(CLASSES)]) for i in range(number)])
    darker = 0.75 ** (np.arange(number) // len(CLASSES))
    return np.asarray((1.0 - TINT * (1.0 - strong)) * darker[:, None])


def layer_colours(depth: int) -> Floats:
    """The colours of layers 1 to `depth`, float64 (depth, 3), from dark to light."""
    from matplotlib import colormaps

    low, high = LAYERS
    return np.asarray(colormaps["viridis"](np.linspace(low, high, max(depth, 2))[:depth])[:, :3])


def spans_decades(numbers: NDArray[Any]) -> bool:
    """Whether a logarithmic scale suits these finite numbers better: none is negative, most are above zero, and they
    span more than two decades."""
    positive = numbers[numbers > 0]
    if len(positive) < 2 or (numbers < 0).any() or 2 * len(positive) < len(numbers):
        return False
    low, high = np.quantile(positive, [0.01, 0.99])
    return bool(high > DECADES * low)


def are_whole(numbers: NDArray[Any]) -> bool:
    """Whether all numbers are integers."""
    return bool((np.isfinite(numbers) & (numbers == np.floor(numbers))).all())


def lines_of(column: Column) -> str:
    """The title of a column, with its unit on a second line if one line beside a colour bar is too short."""
    return column.title.replace(f" ({column.unit})", f"\n({column.unit})") if is_long(column) else column.title


def is_long(column: Column) -> bool:
    """Whether a title takes two lines."""
    return bool(column.unit) and len(column.title) > LONGEST_TITLE


def room_of_scale(shades: Shades) -> float:
    """The width in inches of a picture's colour bar: 0 if it has none."""
    if shades.column is None:
        return 0.0
    return BAR + (TITLE_LINE if is_long(shades.column) else 0.0)


def add_scale(ax: Axes, shades: Shades, **where: Any) -> None:
    """A colour bar beside the axes that explains the colours, with label and unit; none if they do not represent
    numbers. where : arguments of matplotlib's `colorbar`."""
    column, norm = shades.column, shades.norm
    if column is None or norm is None or shades.colormap is None:
        return
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import MaxNLocator

    # In the axes' own box it has their height, whatever their aspect.
    options = where or {"cax": ax.inset_axes((1.04, 0.0, 0.045, 1.0))}
    bar = ax.figure.colorbar(ScalarMappable(norm, shades.colormap), ax=ax, **options)
    bar.outline.set_linewidth(0.4)
    bar.set_label(lines_of(column))
    if column.kind == "amount":
        if are_whole(column.numbers) and not spans_decades(column.numbers):
            bar.locator = MaxNLocator("auto", integer=True)
        return
    steps = np.arange(int(np.ceil(norm.vmin or 0.0)), int(np.ceil(norm.vmax or 0.0)))
    some = steps[:: -(-len(steps) // MOST_STEPS)].tolist()
    bar.set_ticks(some, labels=["none" if column.kind == "layer" and step == 0 else str(step) for step in some])
    bar.ax.tick_params(length=0)
    bar.ax.minorticks_off()
