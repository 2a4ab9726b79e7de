"""Polygons of different sizes in three plain arrays, all cut by lines or planes at once (Sutherland and Hodgman 1974).

A corner at infinity is a direction: coordinates are homogeneous, and the last one is 1 or 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.lists import spans

if TYPE_CHECKING:
    from creases.complex import Complex

__all__ = ["Polygons", "cut", "polygons_in"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Polygons are padded to the largest in one array, unless this exceeds the number of corners by more than this factor.
MOST_PADDING = 4


@dataclass(frozen=True, eq=False)
class Polygons:
    """Convex polygons, in a plane or in space.

    owners : int64 (polygons,), the cell of each. first : int64 (polygons + 1,); the corners of polygon i are
        corners[first[i] : first[i + 1]], in order around it. corners : float64 (corners, d).
    """

    owners: Ints
    first: Ints
    corners: Floats

    def __len__(self) -> int:
        return len(self.owners)

    def as_list(self) -> list[Floats]:
        """Each polygon as an array of its own, float64 (v, d)."""
        return np.split(self.corners, self.first[1:-1]) if len(self) else []

    def as_array(self) -> Floats | list[Floats]:
        """All polygons in one array, float64 (polygons, most corners, d), with the last corner of smaller ones
        repeated, which draws ten times as fast; a list if one of them is too large for this."""
        sizes = np.diff(self.first)
        most = int(sizes.max(initial=0))
        if most * len(self) > MOST_PADDING * len(self.corners):
            return self.as_list()
        rows = self.first[:-1, None] + np.minimum(np.arange(most), sizes[:, None] - 1)
        return np.asarray(self.corners[rows])

    def moved(self, corners: Floats) -> Polygons:
        """The same polygons with other corners."""
        return Polygons(self.owners, self.first, corners)

    def chosen(self, which: Bools) -> Polygons:
        """The polygons for which bool (polygons,) is True."""
        return self.taken(np.flatnonzero(which))

    def taken(self, order: Ints) -> Polygons:
        """The polygons with these numbers, in this order."""
        sizes = np.diff(self.first)[order]
        first = np.concatenate([[0], np.cumsum(sizes)])
        return Polygons(self.owners[order], first, self.corners[spans(self.first[order], sizes)])

    def and_also(self, others: Polygons) -> Polygons:
        """These polygons, followed by the others."""
        return Polygons(
            np.concatenate([self.owners, others.owners]),
            np.concatenate([self.first, self.first[-1] + others.first[1:]]),
            np.concatenate([self.corners, others.corners]),
        )

    def following(self) -> Ints:
        """For each corner, the next one around its polygon."""
        after = np.arange(1, len(self.corners) + 1)
        sizes = np.diff(self.first)
        after[self.first[1:][sizes > 0] - 1] = self.first[:-1][sizes > 0]
        return after

    def any_of(self, corners: Bools) -> Bools:
        """Whether a polygon has a corner for which bool (corners,) is True."""
        total = np.concatenate([[0], np.cumsum(corners)])[self.first]
        return np.asarray(np.diff(total) > 0)


def cut(polygons: Polygons, values: Floats) -> tuple[Polygons, Bools]:
    """The part of each polygon on which a linear form is not negative, and which of its corners are new.

    polygons : in homogeneous coordinates. values : float64 (corners,), the form at each corner.
    A polygon on which the form is negative everywhere has no corners left.
    """
    after = polygons.following()
    value, next_value = values, values[after]
    crosses = ((value > 0) & (next_value < 0)) | ((value < 0) & (next_value > 0))
    # Each corner is kept or removed, and a new one follows it if the form changes its sign before the next.
    present = np.column_stack([value >= 0, crosses]).ravel()
    made = np.repeat(polygons.corners, 2, axis=0)
    here, there = np.abs(next_value[crosses])[:, None], np.abs(value[crosses])[:, None]
    # No division, and weights below one: a corner at infinity stays a direction, and nothing overflows.
    total = here + there
    ends = polygons.corners[after[crosses]]
    made[1::2][crosses] = polygons.corners[crosses] * (here / total) + ends * (there / total)
    first = np.concatenate([[0], np.cumsum(present)])[2 * polygons.first]
    new = np.zeros(len(present), np.bool_)
    new[1::2] = True
    return Polygons(polygons.owners, first, made[present]), new[present]


def polygons_in(complex: Complex, window: tuple[float, ...]) -> Polygons:
    """The parts of the cells of a complex (d = 2) in a window (xmin, xmax, ymin, ymax) that have an area,
    counter-clockwise, in slice coordinates."""
    xmin, xmax, ymin, ymax = window
    if len(complex.lineality):  # strips, or the whole plane: they are few, and stored in another form
        parts = complex.polygons(window=window)
        sizes = np.array([len(part) for part in parts])
        first = np.concatenate([[0], np.cumsum(sizes)])
        return with_area(Polygons(np.arange(len(parts)), first, np.concatenate([np.zeros((0, 2)), *parts])))
    rays = np.column_stack([complex.corners, np.where(complex.at_infinity, 0.0, 1.0)])
    left = Polygons(np.arange(len(complex)), complex.first, rays)
    whole = None
    forms = np.array([[1.0, 0.0, -xmin], [-1.0, 0.0, xmax], [0.0, 1.0, -ymin], [0.0, -1.0, ymax]])
    values = rays @ forms.T
    # Most cells lie inside the window and need not be cut.
    inside = ~left.any_of((values < 0).any(axis=1) | complex.at_infinity)
    whole = left.chosen(inside)
    seen = np.logical_and.reduce([left.any_of(side > 0) for side in values.T])
    left = left.chosen(seen & ~inside)
    for form in forms:
        left, _ = cut(left, left.corners @ form)
    left = left.chosen(np.diff(left.first) > 0)
    flat = whole.and_also(left)
    finite = flat.corners[:, 2] > 0
    first = np.concatenate([[0], np.cumsum(finite)])[flat.first]
    corners = flat.corners[finite]
    return with_area(Polygons(flat.owners, first, corners[:, :2] / corners[:, 2:]))


def with_area(polygons: Polygons) -> Polygons:
    """The polygons with a positive area in floats; a cell that only touches the window has none."""
    polygons = polygons.chosen(np.diff(polygons.first) >= 3)
    anchors = np.repeat(polygons.first[:-1], np.diff(polygons.first))
    x, y = (polygons.corners - polygons.corners[anchors]).T
    after = polygons.following()
    return polygons.chosen(polygons.any_of(x * y[after] != x[after] * y))
