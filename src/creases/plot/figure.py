"""Figures without pyplot: no global state, no windows, and no figures kept in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from creases.domain import Box, Domain, Line, Polygon, Segment, Space
from creases.errors import DomainError, ModelFileError, require_extra
from creases.files import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from creases.complex import Complex

__all__ = [
    "COLOURS",
    "COLUMN",
    "INK",
    "MARKERS",
    "QUIET",
    "STYLES",
    "add_legend",
    "axes_of",
    "axis_names",
    "check_dimension",
    "check_name",
    "check_window",
    "drawing",
    "figure_of",
    "fit_height",
    "house_style",
    "line_axis",
    "new_figure",
    "regions_drawn",
    "save_figure",
    "tidy",
    "write_figure",
]

# The colour of text and lines, and of less important elements.
INK, QUIET = "#222222", "#777777"
# Okabe and Ito (2008): distinguishable with colour-blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Styles that distinguish curves and marks if there are more than colours, and in grey print.
STYLES = ("-", (0, (5.0, 1.5)), (0, (1.2, 1.2)), (0, (5.0, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D")
# The label of the artists for the regions; legends leave out labels that begin like this.
REGIONS = "_regions"
SUFFIXES = (".png", ".pdf", ".svg")
# Inches: a column of a two-column page. Pictures have this width by default, and their font sizes are chosen for it.
COLUMN = 3.3
LEAST_WIDTH, MOST_WIDTH = 1.0, 40.0
# Inches for the tick labels and names of the axes, to the left and below.
LEFT, BELOW = 0.55, 0.42
# The smallest and largest height of axes, relative to their width.
SHAPES = (0.3, 2.5)
# Inches: an entry of a legend without its name, a character of the name, a row.
ENTRY, LETTER, ROW = 0.36, 0.058, 0.155
# Points. Eight are legible at arm's length, and journals require at least seven.
STYLE: dict[Any, Any] = {
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "figure.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.2,
    "legend.handletextpad": 0.5,
}


def new_figure(width: float, height: float) -> Figure:
    """An empty matplotlib figure of this size in inches. Raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise require_extra("matplotlib", "plot", "Drawing") from error
    return Figure(figsize=(width, height), layout="constrained")


@contextmanager
def house_style() -> Iterator[None]:
    """A context manager with font sizes and line widths for a figure as wide as a column, 3.3 inches. The user's
    settings are restored on exit.

    The plotting functions use it for new figures, but not on axes that they are given. Use it also when adding text to
    such a figure. Raises MissingExtraError without matplotlib.
    """
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise require_extra("matplotlib", "plot", "Drawing") from error
    with rc_context(STYLE):
        yield


@contextmanager
def drawing(ax: Axes | None, width: float, height: float, **options: Any) -> Iterator[tuple[Axes, bool]]:
    """A context with the given axes; or, in the house style, those of a new figure of this size in inches, and True.

    options : arguments of `Figure.add_subplot`. Raises DomainError if the width is not valid, MissingExtraError without
        matplotlib.
    """
    if ax is not None:
        yield ax, False
        return
    if not (np.isfinite(width) and LEAST_WIDTH <= width <= MOST_WIDTH):
        raise DomainError(f"width is that of the picture in inches, {LEAST_WIDTH:g} to {MOST_WIDTH:g}; got {width!r}.")
    with house_style():
        yield new_figure(width, height).add_subplot(**options), True


def fit_height(ax: Axes, shape: float, others: float = 0.0) -> None:
    """Set the height of the figure so that the height of the axes is `shape` times their width.

    others : inches of width for colour bars.
    """
    figure = figure_of(ax)
    across = figure.get_figwidth() - LEFT - others
    figure.set_figheight(across * min(max(shape, SHAPES[0]), SHAPES[1]) + BELOW)


def add_legend(ax: Axes, handles: Sequence[Any], own: bool) -> None:
    """A legend for lines and marks, in as many columns as fit.

    own : whether the figure was created here: then the legend is below the axes, and the figure becomes higher.
    """
    names = [str(handle.get_label()) for handle in handles]
    if not names:
        return
    if not own:
        ax.legend(handles=list(handles), loc="upper right", framealpha=0.85, fontsize="small").set_zorder(5)
        return
    figure = figure_of(ax)
    width = figure.get_figwidth()
    columns = most_columns(names, width)
    figure.set_figheight(figure.get_figheight() + ROW * -(-len(names) // columns) + ROW / 2)
    figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, frameon=False)


def most_columns(names: Sequence[str], width: float) -> int:
    """The number of columns in which a legend of these names fits into a width in inches; at least one. Columns are
    filled one after the other, the first with one more entry if they cannot be equal, and each is as wide as its
    longest name."""
    for columns in range(len(names), 1, -1):
        parts = np.array_split(np.array([ENTRY + LETTER * len(name) for name in names]), columns)
        if sum(part.max() for part in parts) <= width:
            return columns
    return 1


def axes_of(ax: Axes | None, width: float, height: float) -> Axes:
    """The given axes, or those of a new figure."""
    return new_figure(width, height).add_subplot() if ax is None else ax


def figure_of(drawn: Figure | Axes) -> Figure:
    """The whole figure of axes, or of a part of a figure."""
    return drawn.figure.canvas.figure


def axis_names(domain: Domain) -> list[str]:
    """The names of the axes: the inputs that vary, if they are the coordinates; otherwise u."""
    if isinstance(domain, Box):
        return [f"input {i}" for i in np.flatnonzero(domain.lower < domain.upper)]
    if isinstance(domain, Space) or (isinstance(domain, Polygon) and domain.plane is None):
        return [f"input {i}" for i in range(domain.slice.n_in)]
    d = domain.slice.dimension
    return ["$u$"] if d == 1 else [f"$u_{i}$" for i in range(1, d + 1)]


def line_axis(domain: Domain) -> tuple[float, float, str]:
    """The scale of an axis for the coordinate u of a line, in the units of the inputs: at + u * scale, and the axis's
    name.

    If only one input varies, its values; otherwise the distance from the point with u = 0.
    """
    sliced = domain.slice
    direction = sliced.basis[0] + sliced.basis_tail[0]
    varying = np.flatnonzero(direction)
    if len(varying) == 1:
        i = int(varying[0])
        return float(sliced.origin[i]), float(direction[i]), f"input {i}"
    kinds = {Segment: "the start", Line: "the line's point"}
    place = kinds.get(type(domain), "the line's origin")
    return 0.0, float(np.linalg.norm(direction)), f"distance from {place} (input units)"


def regions_drawn(ax: Axes) -> int:
    """The number of regions that `plot_complex` or `plot_line` has drawn on these axes."""
    return sum(len(drawn.get_paths()) for drawn in ax.collections if drawn.get_label() == REGIONS)


def check_window(window: ArrayLike, dimension: int) -> tuple[float, ...]:
    """The window as floats. Raises DomainError unless it is LOW, HIGH for each axis, finite and in this order."""
    ends = np.asarray(window, dtype=np.float64)
    if ends.shape != (2 * dimension,) or not np.isfinite(ends).all() or not (ends[0::2] < ends[1::2]).all():
        form = "(xmin, xmax, ymin, ymax)" if dimension == 2 else "(left, right)"
        raise DomainError(f"window must be {form}, finite and in this order; got {window!r}.")
    return tuple(ends.tolist())


def check_dimension(complex: Complex, dimension: int, name: str) -> None:
    """Raise DomainError, with the name of the function, unless the complex has this dimension."""
    from creases.complex import Complex

    if not isinstance(complex, Complex):
        raise DomainError(
            f"{name} draws what creases.subdivide(network, domain) returns; got {type(complex).__name__}."
        )
    wanted = f"{name} draws domains of dimension {['one', 'two'][dimension - 1]}"
    if not complex.is_flat:
        slices = "Segment(a, b) or Plane.through(a, b, c).square(1)"
        raise DomainError(f"{wanted}, got {complex.domain!r}; subdivide a slice, like {slices}.")
    if complex.dimension != dimension:
        other = "for a line see plot_line" if complex.dimension == 1 else "for a plane see plot_complex"
        raise DomainError(f"{wanted}, got {complex.dimension}; {other}.")


def tidy(ax: Axes) -> None:
    """Remove the unnecessary parts of the frame."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def save_figure(figure: Figure | Axes, path: str | Path, dpi: int = 200) -> Path:
    """Write a figure, or the figure of axes, as .png, .pdf or .svg, completely or not at all.

    dpi : dots per inch of a .png. Returns the path. Raises ModelFileError if the suffix is another one, SaveError if
        the file cannot be written.
    """
    path = check_name(Path(path))
    # Into memory first: on a full disk, the writers of matplotlib raise errors of other modules that do not say so.
    buffer = io.BytesIO()
    write_figure(figure_of(figure), buffer, dpi=dpi, format=path.suffix[1:].lower())
    replace_file(path, lambda partial: partial.write_bytes(buffer.getbuffer()))
    return path


def write_figure(figure: Figure, target: Any, **options: Any) -> None:
    """`figure.savefig` with text as text: in a .pdf as TrueType fonts (Type 42), which publishers require and programs
    can edit, and in a .svg as text elements, which can be searched.

    No date and no random names are written, so the same picture gives the same file. The user's settings are restored.
    """
    from matplotlib import rc_context

    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(str(options.get("format")), {})
    with rc_context({"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "creases"}):
        figure.savefig(target, **{"metadata": undated, **options})


def check_name(path: Path) -> Path:
    """The path, if its suffix is one of a picture. Raises ModelFileError otherwise."""
    if path.suffix.lower() not in SUFFIXES:
        raise ModelFileError(f"Pictures are saved as {', '.join(SUFFIXES)}; {path.name!r} needs one of these.")
    return path
