"""Cells of three dimensions, moved apart or cut open by a plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import DomainError
from creases.lists import spans
from creases.plot.figure import COLUMN, axis_names, drawing
from creases.plot.forms import walls_between
from creases.plot.polygons import Polygons, cut
from creases.plot.shades import ColorBy, Shades, shades_of
from creases.plot.space import add_faces, add_scale_beside, check_space, fit_space, look_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex

__all__ = ["cut_faces", "outer_faces", "plot_cut_away", "plot_exploded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The view angles, in degrees.
ANGLES = (24.0, -58.0)
# The view angles of the default cutting plane: it is seen from the side, so that the domain's own walls are visible
# too.
CUT_ANGLES = (22.0, -92.0)
# With more cells than this, moved apart, each is only a dot.
MOST_APART = 20_000


def plot_exploded(
    complex: Complex,
    ax: Axes | None = None,
    *,
    gap: float = 0.5,
    color_by: ColorBy = "pattern",
    width: float = COLUMN,
) -> Axes:
    """Draw the cells of a bounded complex of dimension three as solids, moved apart.

    complex : from `creases.subdivide`.
    ax : axes in three dimensions (`projection="3d"`) to draw on; None makes a new figure.
    gap : the displacement of a cell from the middle of the domain, as a fraction of its distance from there.
    color_by, width : as for `plot_complex`.
    Returns the axes. Raises DomainError if the dimension is not three, a cell is unbounded, there are more than 20,000
    cells, the gap is negative, or the axes are not three-dimensional; MissingExtraError without matplotlib.
    """
    check_solid(complex, "plot_exploded")
    if not (np.isfinite(gap) and gap >= 0):
        raise DomainError(f"gap is a share of the distance from the middle, 0 or more; got {gap!r}.")
    if len(complex) > MOST_APART:
        raise DomainError(
            f"plot_exploded shows up to {MOST_APART:,} cells, got {len(complex):,}. Draw a smaller domain, or cut this "
            "one open with plot_cut_away."
        )
    with drawing(ax, width, width, projection="3d") as (ax, own):
        check_space(ax, "plot_exploded")
        shades = shades_of(complex, color_by)
        faces = faces_of(complex)
        middles = middles_of(complex.first, complex.corners)
        middle = (complex.corners.min(axis=0) + complex.corners.max(axis=0)) / 2.0
        away = np.repeat(gap * (middles[faces.owners] - middle), np.diff(faces.first), axis=0)

        def far_first(eye: Floats) -> Ints:
            # A moved cell is about 1 + gap times as far from the middle as before.
            return hidden_first(complex, middle + (eye - middle) / (1.0 + gap))[faces.owners]

        # The coordinates of a moved cell have no meaning.
        ax.set_axis_off()
        draw_solid(ax, faces.moved(faces.corners + away), shades, own, far_first)
    return ax


def plot_cut_away(
    complex: Complex,
    ax: Axes | None = None,
    *,
    normal: ArrayLike | None = None,
    offset: float | None = None,
    color_by: ColorBy = "pattern",
    width: float = COLUMN,
) -> Axes:
    """Draw a bounded complex of dimension three cut open by a plane.

    The part {u : normal . u <= offset} remains, and the plane shows the sections of its cells.

    complex : from `creases.subdivide`.
    ax : axes in three dimensions (`projection="3d"`) to draw on; None makes a new figure.
    normal : normal of the plane, shape (3,), in slice coordinates; None means a plane that slopes towards the viewer.
    offset : offset of the plane, in the same coordinates; None means through the middle of the domain.
    color_by, width : as for `plot_complex`.
    Returns the axes. Raises DomainError if the dimension is not three, a cell is unbounded, the plane is invalid or
    removes everything, or the axes are not three-dimensional; MissingExtraError without matplotlib.
    """
    check_solid(complex, "plot_cut_away")
    across = direction(*CUT_ANGLES) if normal is None else np.asarray(normal, dtype=np.float64)
    if across.shape != (3,) or not np.isfinite(across).all() or not across.any():
        raise DomainError(f"normal is a vector of three coordinates, finite and not zero; got {normal!r}.")
    if offset is None:
        offset = float(across @ (complex.corners.min(axis=0) + complex.corners.max(axis=0)) / 2.0)
    places = complex.corners @ across
    if not np.isfinite(offset) or not (places < offset).any():
        raise DomainError(
            f"Nothing is left where normal . u <= {offset!r}: over this domain normal . u is {places.min():g} to "
            f"{places.max():g}. Give an offset between them."
        )
    with drawing(ax, width, width, projection="3d") as (ax, own):
        check_space(ax, "plot_cut_away")
        shades = shades_of(complex, color_by)
        faces = outer_faces(complex, across, offset).and_also(cut_faces(complex, across, offset))
        names = axis_names(complex.domain)
        ax.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])
        # The remaining part is convex, so no face hides another.
        draw_solid(ax, faces, shades, own, lambda eye: np.zeros(len(faces), np.int64), complex.corners)
    return ax


def check_solid(complex: Complex, name: str) -> None:
    """Raise DomainError, with the name of the function, unless this is a bounded complex of dimension three."""
    from creases.complex import Complex

    if not isinstance(complex, Complex):
        raise DomainError(
            f"{name} draws what creases.subdivide(network, domain) returns; got {type(complex).__name__}."
        )
    if complex.dimension != 3 or complex.at_infinity.any():
        raise DomainError(
            f"{name} draws bounded domains of dimension three, such as Box([-1, -1, -1], [1, 1, 1]); got "
            f"{complex.domain!r}."
        )


def direction(elevation: float, azimuth: float) -> Floats:
    """The direction with these two angles in degrees, float64 (3,)."""
    up, around = np.radians([elevation, azimuth])
    return np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])


def draw_solid(
    ax: Axes,
    faces: Polygons,
    shades: Shades,
    own: bool,
    far_first: Callable[[Floats], Ints],
    whole: Floats | None = None,
) -> None:
    """Draw faces in the colours of their cells, in true proportions, with the colour bar.

    own : whether the figure was created here. far_first : as for `add_faces`. whole : float64 (m, 3), points that the
        axes include; None means the faces, without axes.
    """
    points = faces.corners if whole is None else whole
    low, high = points.min(axis=0), points.max(axis=0)
    look_at(ax, low, high, high - low, ANGLES)
    if own:
        fit_space(ax, points, shades, named=whole is not None)
    add_faces(ax, faces, shades.colours[faces.owners], np.ones(3), far_first)
    add_scale_beside(ax, shades, own)


def hidden_first(complex: Complex, eye: Floats) -> Ints:
    """A number for each cell, int64 (cells,), larger than those of all cells that hide a part of it from the eye."""
    layers = walls_between(complex, eye)
    order = np.lexsort(layers.T[::-1]) if layers.shape[1] else np.arange(len(complex))
    rank = np.empty(len(complex), np.int64)
    rank[order] = np.arange(len(complex))
    return rank


def faces_of(complex: Complex, which: NDArray[np.bool_] | None = None) -> Polygons:
    """The sides of all cells as polygons, their corners counter-clockwise as seen from outside the cell.

    which : bool (sides,), the sides to include; None means all.
    """
    sides = complex.sides
    chosen = np.arange(len(sides.walls)) if which is None else np.flatnonzero(which)
    owners = np.repeat(np.arange(len(complex)), np.diff(sides.first))[chosen]
    sizes = np.diff(sides.corner_first)[chosen]
    corners = complex.corners[sides.corners[spans(sides.corner_first[chosen], sizes)]]
    loose = Polygons(owners, np.concatenate([[0], np.cumsum(sizes)]), corners)
    return ordered(loose, middles_of(complex.first, complex.corners)[owners])


def outer_faces(complex: Complex, normal: Floats, offset: float) -> Polygons:
    """The parts of the domain's own walls that the cut leaves, cell by cell; and sides of cells that lie in the plane
    itself."""
    sides = complex.sides
    values = offset - complex.corners @ normal
    lists = Polygons(np.arange(len(sides.walls)), sides.corner_first, sides.corners[:, None].astype(np.float64))
    at_corners = values[sides.corners]
    flush = ~lists.any_of(at_corners != 0)
    kept = np.logical_or.reduceat(values > 0, complex.first[:-1])
    faces = faces_of(complex, (sides.walls <= -2) | (flush & np.repeat(kept, np.diff(sides.first))))
    left, _ = cut(faces, offset - faces.corners @ normal)
    return left.chosen(np.diff(left.first) >= 3)


def cut_faces(complex: Complex, normal: Floats, offset: float) -> Polygons:
    """The section of each cell that extends to both sides of the plane, as a polygon."""
    values = offset - complex.corners @ normal
    both = np.logical_or.reduceat(values > 0, complex.first[:-1]) & np.logical_or.reduceat(
        values < 0, complex.first[:-1]
    )
    sides = faces_of(complex, np.repeat(both, np.diff(complex.sides.first)))
    left, new = cut(sides, offset - sides.corners @ normal)
    # A corner in the plane is kept; every corner of the section occurs twice, from two sides of the cell.
    new |= offset - left.corners @ normal == 0
    owners = np.repeat(left.owners, np.diff(left.first))[new]
    order = np.argsort(owners, kind="stable")
    cells, sizes = np.unique(owners, return_counts=True)
    points = Polygons(cells, np.concatenate([[0], np.cumsum(sizes)]), left.corners[new][order])
    points = points.chosen(sizes >= 3)
    return ordered(points, middles_of(points.first, points.corners) - normal)


def middles_of(first: Ints, corners: Floats) -> Floats:
    """The mean of the corners of each cell or polygon, float64 (number, 3)."""
    if len(first) < 2:
        return np.zeros((0, corners.shape[1]))
    return np.asarray(np.add.reduceat(corners, first[:-1], axis=0) / np.diff(first)[:, None])


def ordered(polygons: Polygons, inside: Floats) -> Polygons:
    """The same flat polygons with their corners in order, counter-clockwise as seen from outside.

    inside : float64 (polygons, 3), for each a point on the inner side of its plane.
    """
    if not len(polygons):
        return polygons
    sizes = np.diff(polygons.first)
    which = np.repeat(np.arange(len(polygons)), sizes)
    middles = middles_of(polygons.first, polygons.corners)
    arms = polygons.corners - middles[which]
    # Two well-conditioned vectors that span the plane: the longest, and the one with the largest component
    # perpendicular to it.
    first_arm = arms[largest(np.einsum("ij,ij->i", arms, arms), polygons.first)]
    crosses = np.cross(first_arm[which], arms)
    normal = crosses[largest(np.einsum("ij,ij->i", crosses, crosses), polygons.first)]
    outward = np.einsum("ij,ij->i", normal, middles - inside)
    normal = normal * np.where(outward < 0, -1.0, 1.0)[:, None]
    second_arm = np.cross(normal, first_arm)
    # The two vectors are normalised, because only the order of the angles matters.
    along = np.einsum("ij,ij->i", arms, unit(first_arm)[which])
    aside = np.einsum("ij,ij->i", arms, unit(second_arm)[which])
    order = np.lexsort((np.arctan2(aside, along), which))
    return polygons.moved(polygons.corners[order])


def largest(values: Floats, first: Ints) -> Ints:
    """The index of the largest value of each polygon."""
    most = np.repeat(np.maximum.reduceat(values, first[:-1]), np.diff(first))
    places = np.where(values == most, np.arange(len(values)), len(values))
    return np.asarray(np.minimum.reduceat(places, first[:-1]))


def unit(vectors: Floats) -> Floats:
    """The vectors, normalised; zero stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))
