"""A training as an animation: the regions on one plane, one frame per network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from creases.domain import Domain
from creases.errors import DomainError, MissingExtraError, ModelFileError, need_modules
from creases.files import replace_file
from creases.network import Network
from creases.plot.columns import Column, column_of
from creases.plot.figure import COLUMN, check_dimension, drawing, figure_of, house_style
from creases.plot.regions import OWN_MARK, Look, add_all, as_marks, compose, look_of
from creases.plot.shades import Shades, scale_of, shades_of
from creases.plot.window import Window, window_of

if TYPE_CHECKING:
    from matplotlib.animation import AbstractMovieWriter
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["animate"]

SUFFIXES = (".gif", ".mp4")
SNAPSHOT = re.compile(r"step_(\d+)\.npz")
MOST_FRAMES_A_SECOND = 60


def animate(
    networks: str | PathLike[str] | Sequence[Network | str | PathLike[str]],
    domain: Domain,
    path: str | PathLike[str],
    *,
    titles: Sequence[str] | None = None,
    color_by: str | Callable[[Complex], Any] = "pattern",
    kinks: bool = False,
    boundary: bool = False,
    points: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    window: Window | None = None,
    frames_per_second: float = 8.0,
    dpi: int = 200,
    width: float = COLUMN,
    threads: int | None = None,
) -> Path:
    """Write an animation of the regions on a plane domain through training as .gif or .mp4, one frame per network.

    All frames have the same window and the same colour scale; with "pattern" a region keeps its colour as long as its
    pattern exists.

    networks : Networks, or files that `creases.load` reads, in order; or the folder of a training's snapshots
        (`step_000100.npz` ...).
    domain : a domain of dimension two, in the input space of every network.
    path : the file to write; .mp4 needs the program ffmpeg.
    titles : one title per frame; None gives the step of a snapshot and the number of regions.
    color_by : a string as for `plot_complex`, or a function from the complex to its colours.
    kinks, boundary, points, labels, window, width : as for `plot_complex`; an unbounded domain uses the window of the
        last frame for all frames.
    frames_per_second : a positive number. dpi : dots per inch. threads : as for `creases.subdivide`.
    Returns the path. Raises DomainError if there is no network or an argument is invalid, ModelFileError if the suffix
    is another one or a file is not a network, MissingExtraError without matplotlib or ffmpeg, SaveError if the file
    cannot be written.
    """
    target = check_target(Path(path), frames_per_second, dpi)
    files = [Path(one) if isinstance(one, (str, PathLike)) else one for one in listed(networks)]
    if titles is not None and len(titles) != len(files):
        raise DomainError(f"titles needs one for each of the {len(files)} frames, got {len(titles)}.")
    if not (callable(color_by) or isinstance(color_by, str)):
        raise DomainError(
            "color_by of a moving picture is a word or a function from the complex to its colours: numbers are those "
            f"of one complex. Got {type(color_by).__name__}."
        )
    if window is None:
        last = flat_cells(network_of(files[-1]), domain, threads)
        window = window_of(last, None if points is None else as_marks(points))

    def frames() -> Iterator[Complex]:
        return (flat_cells(network_of(one), domain, threads) for one in files)

    scale = common_scale(frames(), color_by)

    def write(partial: Path) -> None:
        ax: Axes | None = None
        writer = writer_for(target, frames_per_second)
        with house_style():
            for number, complex in enumerate(frames()):
                title = said(files[number], complex) if titles is None else titles[number]
                shades = shades_of(complex, color_by, like=scale)
                look = look_of(complex, color_by, kinks, boundary, points, labels, window)
                if ax is None:
                    ax = first_frame(complex, shades, look, title, width)
                    writer.setup(figure_of(ax), partial, dpi=dpi)
                else:
                    next_frame(ax, complex, shades, look, title)
                writer.grab_frame()
        writer.finish()

    replace_file(target, write)
    return target


def check_target(path: Path, frames_per_second: float, dpi: int) -> Path:
    """The path, if an animation can be written there. Raises the errors of `animate`."""
    if path.suffix.lower() not in SUFFIXES:
        raise ModelFileError(f"Moving pictures are saved as {' or '.join(SUFFIXES)}; {path.name!r} needs one of these.")
    if not (np.isfinite(frames_per_second) and 0 < frames_per_second <= MOST_FRAMES_A_SECOND):
        raise DomainError(
            f"frames_per_second is above 0 and at most {MOST_FRAMES_A_SECOND}; got {frames_per_second!r}."
        )
    if isinstance(dpi, bool) or not isinstance(dpi, (int, np.integer)) or dpi < 1:
        raise DomainError(f"dpi is a whole number of dots an inch, 1 or more; got {dpi!r}.")
    need_modules("plot", "Drawing", "matplotlib")
    writer_for(path, frames_per_second)
    return path


def writer_for(path: Path, frames_per_second: float) -> AbstractMovieWriter:
    """The writer of the frames. Raises MissingExtraError if it needs a program that is missing."""
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if path.suffix.lower() == ".gif":
        return PillowWriter(fps=frames_per_second)  # type: ignore[arg-type]
    if not FFMpegWriter.isAvailable():
        raise MissingExtraError(
            "Writing .mp4 needs the program ffmpeg, and there is none on the PATH. Install it, or write a .gif."
        )
    # Players require this pixel format, which requires even numbers of pixels.
    even = ["-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"]
    return FFMpegWriter(fps=frames_per_second, extra_args=even)  # type: ignore[arg-type]


def listed(networks: Any) -> list[Any]:
    """The networks or files one by one; those of a folder are in the order of their steps."""
    if isinstance(networks, (str, PathLike)):
        folder = Path(networks)
        if not folder.is_dir():
            raise ModelFileError(f"There is no folder {folder}. Give the folder of a training, or a list of networks.")
        steps = {int(match[1]): file for file in folder.iterdir() if (match := SNAPSHOT.fullmatch(file.name))}
        if not steps:
            raise ModelFileError(f"{folder} holds no snapshots of a training (step_000100.npz ...).")
        return [steps[step] for step in sorted(steps)]
    if isinstance(networks, Network) or not isinstance(networks, Sequence):
        raise DomainError(
            f"networks is a list of Networks or of files, or the folder of a training; got {type(networks).__name__}."
        )
    if not len(networks):
        raise DomainError("networks is empty; a moving picture needs a network for each frame.")
    for one in networks:
        if not isinstance(one, (Network, str, PathLike)):
            raise DomainError(f"networks holds Networks and names of files; got a {type(one).__name__}.")
    return list(networks)


def network_of(one: Network | Path) -> Network:
    """The network, which is loaded if it is in a file."""
    if isinstance(one, Network):
        return one
    from creases.readers import load

    return load(one)


def flat_cells(network: Network, domain: Domain, threads: int | None) -> Complex:
    """The regions of one frame. Raises DomainError unless the domain has two dimensions."""
    from creases.subdivision import subdivide_flat

    complex = subdivide_flat(network, domain, threads=threads, progress=False)
    check_dimension(complex, 2, "animate")
    return complex


def said(one: Network | Path, complex: Complex) -> str:
    """A title: the step, if the name of the file contains it, and the number of regions."""
    step = SNAPSHOT.fullmatch(one.name) if isinstance(one, Path) else None
    return f"{f'step {int(step[1]):,}: ' if step else ''}{len(complex):,} regions"


def common_scale(frames: Iterator[Complex], color_by: str | Callable[[Complex], Any]) -> Shades | None:
    """A scale of colours for all frames; None if colours do not represent numbers."""
    if callable(color_by) or color_by == "pattern":
        return None
    columns = [column_of(complex, color_by) for complex in frames]
    values = np.concatenate([column.numbers for column in columns])
    most = max((column.most for column in columns if column.most is not None), default=None)
    joined = Column(values, columns[0].label, columns[0].unit, columns[0].kind, most)
    return Shades(np.zeros((0, 3)), joined, *scale_of(joined))


def first_frame(complex: Complex, shades: Shades, look: Look, title: str, width: float) -> Axes:
    """Draw the first frame; its layout is that of all frames."""
    with drawing(None, width, width) as (ax, own):
        compose(ax, complex, shades, look, own)
        ax.set_title(title)
        figure = figure_of(ax)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return ax


def next_frame(ax: Axes, complex: Complex, shades: Shades, look: Look, title: str) -> None:
    """Replace the cells of the last frame by the next."""
    for drawn in list(ax.collections):
        drawn.remove()
    add_all(ax, complex, shades, look, OWN_MARK)
    ax.set_title(title)
