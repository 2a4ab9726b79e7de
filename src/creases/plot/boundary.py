"""Decision boundaries and level sets in a plane, exact: facets of the network with an additional level.

A switch over all outputs is cut where the largest one changes, and a neuron on one output where that is zero
(`Network.with_argmax`, `Network.with_level_set`). So the boundary consists of facets that are proved like all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.decisions import classes_of, has_argmax
from creases.errors import DomainError
from creases.plot.figure import COLUMN, INK, add_legend, check_dimension, check_window, drawing, fit_height
from creases.plot.kinks import facets_in
from creases.plot.window import Window, frame, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex
    from creases.network import Network

__all__ = ["add_boundary", "boundary_in", "classes_of_cells", "plot_boundary", "with_boundary"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# In points: a dark line on a white one, which is visible on every background.
LINE, GROUND = 1.3, 2.6


def plot_boundary(
    complex: Complex,
    ax: Axes | None = None,
    *,
    level: float = 0.0,
    window: Window | None = None,
    width: float = COLUMN,
) -> Axes:
    """Draw the decision boundary of a network in two dimensions, where the index of the largest output changes.

    For a network with one output it is the level set at `level`.

    complex : from `creases.subdivide`. If its network ends with an argmax (`network.with_argmax()`), the facets of the
        complex are drawn; otherwise the domain is subdivided again with the boundary.
    ax, window, width : as for `plot_complex`, which draws the boundary on the regions with `boundary=True`.
    Returns the axes. Raises DomainError if the dimension is not two, the window is invalid, or a level is given for
    several outputs; MissingExtraError without matplotlib.
    """
    check_dimension(complex, 2, "plot_boundary")
    shown = window_of(complex) if window is None else check_window(window, 2)
    with drawing(ax, width, width) as (ax, own):
        if own:
            fit_height(ax, (shown[3] - shown[2]) / (shown[1] - shown[0]))
        add_legend(ax, add_boundary(ax, with_boundary(complex, level), shown, level), own)
        frame(ax, complex, shown, own)
    return ax


def add_boundary(ax: Axes, finer: Complex, window: tuple[float, ...], level: float = 0.0) -> list[Any]:
    """Draw the boundary in a window. Returns the handles for the legend. finer : from `with_boundary`."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    on_white = [Stroke(linewidth=GROUND, foreground="white"), Normal()]
    look: dict[str, Any] = {"color": INK, "lw": LINE, "path_effects": on_white}
    pieces: Any = boundary_in(finer, window)
    ax.add_collection(
        LineCollection(
            pieces,
            colors=INK,
            linewidths=LINE,
            capstyle="round",
            path_effects=on_white,
            zorder=3,
            label="_boundary",
        ),
        autolim=False,
    )
    return [Line2D([], [], label=f"output = {level:g}" if level else "decision boundary", **look)]


def with_boundary(complex: Complex, level: float = 0.0) -> Complex:
    """The cells of the same domain, also cut by the boundary: those of the complex itself if its network already has
    the boundary (`Network.with_argmax`, and `Network.with_level_set` at zero); otherwise it is subdivided again."""
    from creases.subdivision import subdivide_flat

    if level == 0.0 and has_boundary(complex.network):
        return complex
    return subdivide_flat(network_with_boundary(complex.network, level), complex.domain, progress=False)


def has_boundary(network: Network) -> bool:
    """Whether the network's last level bends only at its decision boundary or level set."""
    last = network.levels[-1]
    return has_argmax(network) or (last.name == "level set" and last.is_layer and last.n_units == 1)


def boundary_in(finer: Complex, window: tuple[float, ...]) -> Floats:
    """The pieces of the boundary in a window, as segments: float64 (pieces, 2, 2), in slice coordinates. finer : from
    `with_boundary`."""
    return facets_in(finer, at_boundary(finer), window)[0]


def classes_of_cells(finer: Complex) -> NDArray[np.int64]:
    """The class of each cell, int64 (cells,): the winner of the last level; for a single output, 1 above the boundary.

    finer : from `with_boundary`.
    """
    if has_argmax(finer.network):
        return classes_of(finer)
    last = finer.network.bits - 1
    return (finer.patterns[:, last // 8] >> (last % 8) & 1).astype(np.int64)


def network_with_boundary(network: Network, level: float) -> Network:
    """The network with an additional level that bends only at the boundary."""
    if not np.isfinite(level) or (network.n_out > 1 and level != 0.0):
        raise DomainError(
            f"level is a finite value of a network's one output; got {level!r} and {network.n_out} outputs."
        )
    return network.with_argmax() if network.n_out > 1 else network.with_level_set(level)


def at_boundary(finer: Complex) -> Bools:
    """The facets on whose two sides the last level has different patterns, bool (facets,).

    Not the facets with a wall of the last level: several neurons may vanish on a facet, and its wall names only one of
    them.
    """
    begin = finer.network.bits - int(finer.network.places[-1].sum())
    bytes_of_last = finer.patterns[:, begin // 8 :].copy()
    bytes_of_last[:, 0] &= np.uint8((0xFF << begin % 8) & 0xFF)
    one, other = finer.facets.cells.T
    inner = finer.facets.inner
    return np.asarray(inner & (bytes_of_last[one] != bytes_of_last[np.where(inner, other, one)]).any(axis=1))
