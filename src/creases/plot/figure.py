"""Figures without pyplot: no global state, no window, nothing kept alive."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from creases.domain import Box, Domain, Polygon, Space
from creases.errors import ModelFileError, require_extra
from creases.files import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "INK",
    "QUIET",
    "axes_of",
    "axis_names",
    "check_name",
    "figure_of",
    "new_figure",
    "save_figure",
    "tidy",
]

# Text and lines; and what must not draw the eye.
INK, QUIET = "#222222", "#777777"
# Okabe and Ito (2008): told apart by colour-blind eyes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SUFFIXES = (".png", ".pdf", ".svg")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches. Raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise require_extra("matplotlib", "plot", "Drawing") from error
    return Figure(figsize=(width, height), layout="constrained")


def axes_of(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes that were given, or those of a new figure."""
    return new_figure(width, height).add_subplot() if ax is None else ax


def figure_of(ax: Axes) -> Figure:
    """The whole figure that the axes stand on."""
    return ax.figure.canvas.figure


def axis_names(domain: Domain) -> list[str]:
    """What to write at the axes: the inputs that vary, where they are the coordinates; else u."""
    if isinstance(domain, Box):
        return [f"input {i}" for i in np.flatnonzero(domain.lower < domain.upper)]
    if isinstance(domain, Space) or (isinstance(domain, Polygon) and domain.plane is None):
        return [f"input {i}" for i in range(domain.slice.n_in)]
    return ["$u$"] if domain.slice.dimension == 1 else ["$u_1$", "$u_2$"]


def tidy(ax: Axes) -> None:
    """Take away the frame that says nothing."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def save_figure(figure: Figure, path: str | Path, dpi: int = 200) -> Path:
    """Write a figure as .png, .pdf or .svg, whole or not at all.

    Raises ModelFileError on any other suffix, SaveError if it cannot be written.
    """
    path = check_name(Path(path))
    # Into memory first: on a full disk the writers of matplotlib have errors of other modules, which say nothing.
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=dpi, format=path.suffix[1:].lower())
    replace_file(path, lambda partial: partial.write_bytes(buffer.getbuffer()))
    return path


def check_name(path: Path) -> Path:
    """The path, if its suffix is one that pictures are saved as; else ModelFileError."""
    if path.suffix.lower() not in SUFFIXES:
        raise ModelFileError(f"Pictures are saved as {', '.join(SUFFIXES)}; {path.name!r} needs one of these.")
    return path
