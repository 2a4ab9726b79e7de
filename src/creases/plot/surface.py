"""The function over a plane as a shaded surface: a flat polygon over each region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.errors import DomainError
from creases.plot.figure import COLUMN, axis_names, check_dimension, check_window, drawing
from creases.plot.polygons import polygons_in
from creases.plot.shades import ColorBy, shades_of
from creases.plot.space import add_faces, add_scale_beside, check_space, fit_space, look_at
from creases.plot.window import Window, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["plot_surface"]

# The view angles, in degrees.
ANGLES = (35.0, -60.0)
# The height of the box around the surface, relative to its sides.
FLAT = 0.6
POINTS_AT_ONCE = 4096


def plot_surface(
    complex: Complex,
    ax: Axes | None = None,
    *,
    output: int = 0,
    color_by: ColorBy = "pattern",
    window: Window | None = None,
    width: float = COLUMN,
) -> Axes:
    """Draw one output of a network over a complex of dimension two as a shaded surface, with a flat polygon over each
    cell.

    complex : from `creases.subdivide`.
    ax : axes in three dimensions (`projection="3d"`) to draw on; None makes a new figure.
    output : index of the output that is the height, from 0.
    color_by, window, width : as for `plot_complex`.
    Returns the axes. Raises DomainError if the dimension is not two, there is no such output, the axes are not
    three-dimensional, or the window is invalid; MissingExtraError without matplotlib.
    """
    check_dimension(complex, 2, "plot_surface")
    n_out = complex.network.n_out
    if isinstance(output, bool) or not isinstance(output, (int, np.integer)) or not 0 <= output < n_out:
        raise DomainError(f"output is one of the network's, 0 to {n_out - 1}; got {output!r}.")
    shown = window_of(complex) if window is None else check_window(window, 2)
    with drawing(ax, width, width, projection="3d") as (ax, own):
        check_space(ax, "plot_surface")
        shades = shades_of(complex, color_by)
        flat = polygons_in(complex, shown)
        heights = heights_of(complex, flat.corners, output)
        lifted = flat.moved(np.column_stack([flat.corners, heights]))
        bottom, top = (heights.min(), heights.max()) if len(heights) else (0.0, 1.0)
        if bottom == top:
            bottom, top = bottom - 0.5, top + 0.5
        low, high = np.array([shown[0], shown[2], bottom]), np.array([shown[1], shown[3], top])
        across, up = axis_names(complex.domain)
        ax.set(xlabel=across, ylabel=up, zlabel="output" if n_out == 1 else f"output {output}")
        sides = np.array([1.0, 1.0, FLAT])
        look_at(ax, low, high, sides, ANGLES)
        if own:
            fit_space(ax, np.concatenate([lifted.corners, back_of(low, high)]), shades)
        add_faces(ax, lifted, shades.colours[lifted.owners], sides / (high - low))
        add_scale_beside(ax, shades, own)
    return ax


def heights_of(complex: Complex, places: np.ndarray, output: int) -> np.ndarray:
    """One output at points of the slice, float64 (m, 2): float64 (m,); equal points are evaluated once.

    Memory does not grow with the widths of the network's layers.
    """
    # Complex numbers are ordered like pairs of coordinates, and sorted much faster than rows.
    once, where = np.unique(np.ascontiguousarray(places).view(np.complex128)[:, 0], return_inverse=True)
    points = complex.domain.slice.points(np.column_stack([once.real, once.imag]))
    parts = (points[at : at + POINTS_AT_ONCE] for at in range(0, len(points), POINTS_AT_ONCE))
    return np.concatenate([np.zeros(0), *(complex.network.forward(part)[:, output] for part in parts)])[where]


def back_of(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Corners at the top of the box's two walls behind the surface, float64 (3, 3)."""
    return np.array([[low[0], low[1], high[2]], [low[0], high[1], high[2]], [high[0], high[1], high[2]]])
