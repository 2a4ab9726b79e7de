"""Clip unbounded cells to a window for drawing, in homogeneous coordinates (Sutherland and Hodgman 1974)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clip_to_window", "usual_window"]

Floats = NDArray[np.float64]


def usual_window(corners: Floats) -> tuple[float, float, float, float]:
    """A square window (xmin, xmax, ymin, ymax) around the middle 96 % of finite corners, with a margin."""
    if len(corners) == 0:
        return -1.0, 1.0, -1.0, 1.0
    low, high = np.quantile(corners, [0.02, 0.98], axis=0)
    middle, half = (low + high) / 2, 0.65 * float((high - low).max())
    half = half or 1.0
    return middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half


def clip_to_window(corners: Floats, at_infinity: NDArray[np.bool_], window: Floats) -> Floats:
    """The part of a convex cell inside a window, counter-clockwise corners; an empty array if there is none.

    corners, at_infinity : the cell's corners, and whether each is a direction in which it is unbounded. window : (xmin,
        xmax, ymin, ymax).
    """
    xmin, xmax, ymin, ymax = window
    if at_infinity.all():  # the whole plane
        return np.array([[xmin, ymin], [xmax, ymin], [xmax, ymax], [xmin, ymax]])
    if at_infinity[0] and at_infinity[2 % len(corners)] and np.array_equal(corners[0], -corners[2 % len(corners)]):
        corners = closed_strip(corners, at_infinity, window)
        at_infinity = np.zeros(4, dtype=np.bool_)
    rays = np.column_stack([corners, np.where(at_infinity, 0.0, 1.0)])
    for form in ([1.0, 0.0, -xmin], [-1.0, 0.0, xmax], [0.0, 1.0, -ymin], [0.0, -1.0, ymax]):
        values = rays @ np.array(form)
        if (values >= 0).all():
            continue
        kept = []
        for i, (ray, value) in enumerate(zip(rays, values, strict=True)):
            after, next_ray = values[(i + 1) % len(values)], rays[(i + 1) % len(values)]
            if value >= 0:
                kept.append(ray)
            if (value > 0 > after) or (value < 0 < after):
                kept.append((ray * abs(after) + next_ray * abs(value)) / (abs(after) + abs(value)))
        if not kept:
            return np.zeros((0, 2))
        rays = np.array(kept)
    finite = rays[:, 2] > 0
    return np.asarray(rays[finite, :2] / rays[finite, 2:])


def closed_strip(corners: Floats, at_infinity: NDArray[np.bool_], window: Floats) -> Floats:
    """A strip, given by its two directions and a point on each side, as a polygon that extends beyond the window.

    corners : (direction, right point, opposite direction, left point); a missing side is a direction too.
    """
    xmin, xmax, ymin, ymax = window
    middle = np.array([xmin + xmax, ymin + ymax]) / 2
    along = corners[2]
    across = np.array([along[1], -along[0]])  # from the left side to the right one
    reach = float(np.hypot(xmax - xmin, ymax - ymin))
    sides = []
    for side, outward in ((3, -1.0), (1, 1.0)):
        offset = outward * reach if at_infinity[side] else float((corners[side] - middle) @ across)
        sides.append(middle + np.clip(offset, -reach, reach) * across)
    left, right = sides
    return np.array([left - reach * along, right - reach * along, right + reach * along, left + reach * along])
