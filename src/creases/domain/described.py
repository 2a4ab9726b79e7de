"""A domain as a small table in a notebook: its kind in words, its dimension, its size."""

from __future__ import annotations

from typing import Any

import numpy as np

from creases.domain.volume import volume_of

__all__ = ["rows_of"]

# The volume of the hull of many corners in many dimensions takes too long for a table.
MOST_MEASURED = 3
SIZES = {1: "length", 2: "area"}
SHOWN = 3
WORDS = {
    "Segment": "a piece of a line",
    "Polyline": "a path, one straight segment after the other",
    "Circle": "a circle, as a closed path",
    "Line": "a whole line",
    "Plane": "a whole affine plane of input space",
    "Polygon": "a convex polygon",
    "Box": "a box; sides of no width hold their input fixed",
    "Simplex": "a simplex",
    "Polytope": "a bounded convex polytope",
    "Ball": "an open ball",
    "Space": "the whole input space",
    "Subspace": "a whole affine subspace of input space",
    "Directions": "the sphere of directions",
}


def rows_of(domain: Any) -> list[tuple[str, str]]:
    """The rows of a domain's table: names and values."""
    kind = type(domain).__name__
    # A circle's slice is its plane.
    dimension = 1 if kind == "Circle" else int(getattr(domain, "dimension", 0) or domain.slice.dimension)
    rows = [("is", WORDS.get(kind, kind)), ("dimension", f"{dimension}"), ("inputs", f"{inputs_of(domain):,}")]
    if kind == "Directions":
        return rows
    if kind in ("Line", "Plane", "Space", "Subspace"):
        return [*rows, ("size", "infinite on all sides")]
    if dimension <= MOST_MEASURED or kind in ("Box", "Ball"):
        size = volume_of(domain)
        rows.append((SIZES.get(dimension, "volume"), "not held by floats" if size is None else f"{size:.6g}"))
    for name in ("lower", "upper", "start", "end", "center", "radius", "closed"):
        if hasattr(domain, name):
            rows.append((name, few(getattr(domain, name))))
    return rows


def inputs_of(domain: Any) -> int:
    """The number of coordinates of the domain's points."""
    if hasattr(domain, "slice"):
        return int(domain.slice.n_in)
    return int(domain.points.shape[1]) if hasattr(domain, "points") else int(domain.n)


def few(value: Any) -> str:
    """A number, or the first coordinates of a point."""
    if not isinstance(value, np.ndarray):
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    start = ", ".join(f"{number:.6g}" for number in value.ravel()[:SHOWN])
    return f"({start}{', ...' if value.size > SHOWN else ''})"
