"""Axes in three dimensions: shaded flat faces, and space for the text around them.

`ax` is matplotlib's Axes3D throughout, which has no types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import DomainError
from creases.plot.figure import REGIONS, figure_of
from creases.plot.polygons import Polygons
from creases.plot.shades import Shades, add_scale, room_of_scale

__all__ = ["add_faces", "add_scale_beside", "check_space", "fit_space", "look_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Line width in points, for at most this many faces.
WIDEST_EDGE, FACES_AT_WIDEST = 0.3, 300
EDGE_COLOUR = (0.1, 0.1, 0.1, 0.8)
# A .pdf or .svg with more faces than this contains them as pixels.
MOST_VECTORS = 20_000
# The direction of the light, in the axes' own directions, and the brightness of a face that is turned away from it.
LIGHT = np.array([-0.45, -0.55, 0.7])
DARKEST = 0.55
# Inches: the margin around a picture, and between it and a colour bar.
PAD, BESIDE = 0.04, 0.04
# The largest height of a figure, relative to its width.
HIGHEST = 1.0
# Text keeps its size while everything else is scaled, so the layout is found in a few steps.
STEPS = 4


def check_space(ax: Any, name: str) -> None:
    """Raise DomainError, with the name of the function, unless the axes have three dimensions."""
    if ax.name != "3d":
        raise DomainError(f'{name} draws on axes in three dimensions: figure.add_subplot(projection="3d").')


def look_at(ax: Any, low: Floats, high: Floats, sides: Floats, angles: tuple[float, float]) -> None:
    """Show the box between two corners, float64 (3,), with sides in these proportions, from these angles in degrees."""
    limits: dict[str, Any] = dict(zip(("xlim", "ylim", "zlim"), zip(low, high, strict=True), strict=True))
    ax.set(**limits)
    ax.set_box_aspect(sides)
    ax.view_init(elev=angles[0], azim=angles[1])


def fit_space(ax: Any, corners: Floats, shades: Shades, named: bool = True) -> None:
    """Scale a picture created here so that it and the text around it fill the figure, and trim the figure.

    corners : float64 (m, 3), of everything that will be drawn. named : whether the axes have tick labels and names. A
        colour bar is placed at the right.
    """
    figure = figure_of(ax)
    figure.set_layout_engine("none")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.pane.set_facecolor((1.0, 1.0, 1.0, 0.0))
        axis.pane.set_edgecolor((0.6, 0.6, 0.6, 1.0))
        axis._axinfo["grid"].update(linewidth=0.3, color=(0.8, 0.8, 0.8, 1.0))
        axis.labelpad = -3.0 if axis is ax.zaxis else -6.0
        axis.set_tick_params(pad=0.0 if axis is ax.zaxis else -3.0)
        axis.set_major_locator(few_ticks())
    width = figure.get_figwidth()
    bar = room_of_scale(shades) + (BESIDE if shades.column else 0.0)
    room = np.array([width - 2 * PAD - bar, HIGHEST * width - 2 * PAD])
    place, size = np.zeros(2), room.copy()  # position and size of the axes, in inches from the lower left
    figure.set_figheight(HIGHEST * width)
    for _ in range(STEPS):
        ax.set_position((*(place / (width, HIGHEST * width)), *(size / (width, HIGHEST * width))))
        low, high = extent(ax, corners, named)
        factor = float((room / (high - low)).min())
        middle = (low + high) / 2.0
        place, size = PAD + room / 2.0 + factor * (place - middle), factor * size
    low, high = extent(ax, corners, named)
    height = float(high[1] - low[1]) + 2 * PAD
    figure.set_figheight(height)
    x, y, wide, tall = (*(place - (0.0, low[1] - PAD)), *size)
    ax.set_position((x / width, y / height, wide / width, tall / height))


def extent(ax: Any, corners: Floats, named: bool) -> tuple[Floats, Floats]:
    """The lower left and the upper right of the drawing and the text around it, in inches."""
    from mpl_toolkits.mplot3d.proj3d import proj_transform

    figure = figure_of(ax)
    figure.draw_without_rendering()
    x, y, _ = proj_transform(*corners.T, ax.get_proj())
    points = ax.transData.transform(np.column_stack([x, y]))
    if named:
        points = np.concatenate([points, *(box.get_points() for box in written(ax))])
    return points.min(axis=0) / figure.dpi, points.max(axis=0) / figure.dpi


def written(ax: Any) -> list[Any]:
    """The boxes of the tick labels and names of the axes, in pixels."""
    axes = (ax.xaxis, ax.yaxis, ax.zaxis)
    return [box for axis in axes if (box := axis.get_tightbbox(None)) is not None]


def few_ticks() -> Any:
    """A few ticks per axis, and none at its ends, where they would overlap those of another axis."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4, prune="both")


def add_scale_beside(ax: Any, shades: Shades, own: bool) -> None:
    """The colour bar at the right of a picture. own : whether the figure was created here, and has space for it."""
    if shades.column is None:
        return
    if not own:
        add_scale(ax, shades, shrink=0.6, pad=0.12)
        return
    figure = figure_of(ax)
    left = 1.0 - (room_of_scale(shades) - BESIDE) / figure.get_figwidth()
    add_scale(ax, shades, cax=figure.add_axes((left, 0.2, 0.03, 0.6)))


def add_faces(
    ax: Any,
    faces: Polygons,
    colours: Floats,
    scale: Floats,
    far_first: Callable[[Floats], Ints] | None = None,
) -> None:
    """Draw flat polygons in space, each in its colour, with shading.

    faces : corners float64 (corners, 3). colours : float64 (faces, 3). scale : float64 (3,), from the coordinates to
    lengths in the picture. far_first : None for a surface, of which both sides are visible. For solids, whose corners
        are counter-clockwise as seen from outside, a function from the position of the eye, float64 (3,), to a number
        for each face, which is larger if the face is farther away; only faces that are turned towards the eye are
        drawn, in this order.
    """
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    towards = normals(faces, scale) @ (LIGHT / np.linalg.norm(LIGHT))
    shade = DARKEST + (1.0 - DARKEST) * (0.5 + 0.5 * (towards if far_first else np.abs(towards)))
    many = len(faces) > MOST_VECTORS
    thin = WIDEST_EDGE * min(1.0, (FACES_AT_WIDEST / max(len(faces), 1)) ** 0.5)
    shaded = colours * shade[:, None]
    kind = Poly3DCollection if far_first is None else solid_faces(faces, shaded, far_first)
    ax.add_collection3d(
        kind(
            faces.as_array() if many else faces.as_list(),
            facecolors=shaded,
            edgecolors=EDGE_COLOUR,
            linewidths=thin,
            rasterized=many,
            label=REGIONS,
        )
    )


def solid_faces(faces: Polygons, colours: Floats, far_first: Callable[[Floats], Ints]) -> type[Any]:
    """A Poly3DCollection that hides faces that are turned away, and draws the others in the order of `far_first`.

    With matplotlib's own order, by the mean depth of a face, small faces may appear in front of large ones that hide
    them.
    """
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection
    from mpl_toolkits.mplot3d.proj3d import proj_transform

    class SolidFaces(Poly3DCollection):  # type: ignore[misc]
        """The faces, selected and ordered whenever they are drawn."""

        def do_3d_projection(self) -> Any:
            """Called by matplotlib before it draws, with the present orientation of the axes."""
            matrix = self.axes.get_proj()
            x, y, _ = proj_transform(*faces.corners.T, matrix)
            after = faces.following()
            turned = np.add.reduceat(x * y[after] - x[after] * y, faces.first[:-1]) > 0
            # The eye is the point at which two coordinates of the picture and the depth, by which they are divided, are
            # zero.
            eye = np.linalg.lstsq(matrix[[0, 1, 3], :3], -matrix[[0, 1, 3], 3], rcond=None)[0]
            depth = far_first(eye)[turned]
            order = np.flatnonzero(turned)[np.argsort(-depth, kind="stable")]
            seen = faces.taken(order)
            self.set_verts(seen.as_array() if len(seen) > MOST_VECTORS else seen.as_list())
            self.set_facecolor(colours[order])
            self._zsortfunc = lambda depths, axis: -np.arange(len(depths))
            return super().do_3d_projection()

    return SolidFaces


def normals(faces: Polygons, scale: Floats) -> Floats:
    """The normal of each face in the picture, float64 (faces, 3), of length one; zero for a face without area.

    Newell's method: the sum of the cross products of successive corners, relative to the first.
    """
    seen = faces.corners * scale
    seen = seen - seen[np.repeat(faces.first[:-1], np.diff(faces.first))]
    crosses = np.cross(seen, seen[faces.following()])
    total = np.add.reduceat(crosses, faces.first[:-1], axis=0) if len(faces) else np.zeros((0, 3))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.where(length > 0.0, length, 1.0))
