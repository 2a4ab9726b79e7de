"""Domains of dimension one: a segment, a path of segments, a whole line."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.domain.slice import Described, Slice, as_point, difference
from creases.errors import DomainError

__all__ = ["Line", "Polyline", "Segment"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Segment(Described):
    """The closed segment from `start` to `end`; its coordinate u runs from 0 to 1.

    start, end : shape (n_in,) or the network's input shape, in the units of the network's inputs.
    Raises DomainError if a coordinate is not finite, the shapes differ, or the points agree.

    Examples
    --------
    >>> Segment([0, 0], [3, 4])
    Segment(n_in=2, length=5)
    """

    start: Floats
    end: Floats
    slice: Slice = field(init=False)

    def __post_init__(self) -> None:
        start, end = as_point(self.start, "start"), as_point(self.end, "end")
        if start.shape != end.shape or (start == end).all():
            sizes = f"points of {start.size} and {end.size} coordinates"
            raise DomainError(
                f"Segment needs two different points of one space, got "
                f"{'the same point twice' if start.shape == end.shape else sizes}. "
                "For a single input, use network.pattern(point)."
            )
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        head, tail = difference(end, start)
        object.__setattr__(self, "slice", Slice(start, head[None, :], tail[None, :]))

    @property
    def vertices(self) -> Floats:
        """The ends in the segment's own coordinate, float64 (2, 1)."""
        return np.array([[0.0], [1.0]])

    def __repr__(self) -> str:
        return f"Segment(n_in={self.start.size}, length={np.linalg.norm(self.end - self.start):.3g})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {"kind": "segment", "start": self.start.tolist(), "end": self.end.tolist()}


@dataclass(frozen=True, eq=False, repr=False)
class Polyline(Described):
    """The path through points, one straight segment after the other.

    points : shape (m, n_in), or m points in the network's input shape; m >= 2, neighbours differ.
    closed : whether the path returns from the last point to the first, which is not repeated.
    Raises DomainError if there are fewer than two points, a coordinate is not finite, or neighbouring points agree.

    In a Count, `regions` is the number of pieces along the path (a region entered twice counts twice) and `distinct`
    the number of different regions that it meets. A closed path has no ends, so a piece that contains the first point
    is counted once.

    Examples
    --------
    >>> Polyline([[0, 0], [3, 0], [3, 4]], closed=True)
    Polyline(n_in=2, segments=3, length=12, closed)
    """

    points: Floats
    closed: bool = False
    segments: tuple[Segment, ...] = field(init=False)

    def __post_init__(self) -> None:
        try:
            given = list(self.points)
        except TypeError as error:
            raise DomainError("Polyline needs at least two points, one row each; got a single number.") from error
        rows = [as_point(point, f"point {i}") for i, point in enumerate(given)]
        if len(rows) < 2:
            raise DomainError(f"Polyline needs at least two points, got {len(rows)}.")
        if len({row.size for row in rows}) > 1:
            raise DomainError(f"Polyline needs points of one space, got {[row.size for row in rows]} coordinates.")
        for i, (before, after) in enumerate(pairwise(rows)):
            if (before == after).all():
                raise DomainError(f"Polyline: points {i} and {i + 1} are equal. Remove one of them.")
        if not isinstance(self.closed, bool):
            raise DomainError(f"Polyline: closed must be True or False, got {self.closed!r}.")
        if self.closed and (rows[0] == rows[-1]).all():
            raise DomainError("Polyline: a closed path goes back to its first point by itself. Leave out the last one.")
        points = np.array(rows)
        points.setflags(write=False)
        object.__setattr__(self, "points", points)
        around = [*rows[1:], *rows[: int(self.closed)]]
        object.__setattr__(self, "segments", tuple(map(Segment, rows, around)))

    @property
    def slice(self) -> Slice:
        """The slice of the first segment; each segment has its own."""
        return self.segments[0].slice

    def __repr__(self) -> str:
        end = ", closed" if self.closed else ""
        return f"Polyline(n_in={self.points.shape[1]}, segments={len(self.segments)}, length={self.length:.3g}{end})"

    @property
    def length(self) -> float:
        """The total length of the segments, in the units of the network's inputs."""
        points = np.concatenate([self.points, self.points[: int(self.closed)]])
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        closed = {"closed": True} if self.closed else {}  # so the dict of an open path is the same as in older files
        return {"kind": "polyline", "points": self.points.tolist(), **closed}


@dataclass(frozen=True, eq=False, repr=False)
class Line(Described):
    """The whole line through `point` along `direction`, both ends infinite: u -> point + u direction.

    point, direction : shape (n_in,) or the network's input shape; the direction need not have length one.
    Raises DomainError if a coordinate is not finite, the shapes differ, or the direction is zero.
    """

    point: Floats
    direction: Floats
    slice: Slice = field(init=False)
    vertices: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        point, direction = as_point(self.point, "point"), as_point(self.direction, "direction")
        if point.shape != direction.shape:
            raise DomainError(
                f"Line needs a point and a direction of one space, got shapes {point.shape} and {direction.shape}."
            )
        object.__setattr__(self, "point", point)
        object.__setattr__(self, "direction", direction)
        object.__setattr__(self, "slice", Slice(point, direction[None, :], np.zeros((1, point.size))))

    @classmethod
    def through(cls, a: ArrayLike, b: ArrayLike) -> Line:
        """The whole line through two points, with u = 0 at a and u = 1 at b.

        a, b : shape (n_in,) or the network's input shape. The direction b - a is rounded to float64 once.
        Raises DomainError if the points agree or do not have the same shape.
        """
        start, end = as_point(a, "a"), as_point(b, "b")
        if start.shape != end.shape:
            raise DomainError(f"Line.through needs points of one space, got shapes {start.shape} and {end.shape}.")
        return cls(start, difference(end, start)[0])

    def __repr__(self) -> str:
        return f"Line(n_in={self.point.size})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {"kind": "line", "point": self.point.tolist(), "direction": self.direction.tolist()}
