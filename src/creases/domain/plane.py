"""Domains of dimension two: a whole affine plane, and convex polygons, in R^2 or inside a plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.domain.slice import Described, Slice, as_point, difference
from creases.errors import DomainError

__all__ = ["Plane", "Polygon"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Plane(Described):
    """The whole affine plane u -> origin + u_1 basis_1 + u_2 basis_2.

    origin : shape (n_in,) or the network's input shape.
    basis : two vectors of this shape; they need not be orthonormal and are kept as given.
    Raises DomainError if a coordinate is not finite, the shapes differ, or the basis vectors are parallel.

    See Also
    --------
    Plane.through : the plane of three points.
    Plane.polygon, Plane.square : bounded pieces of it.
    """

    origin: Floats
    basis: Floats
    basis_tail: Floats | None = None
    slice: Slice = field(init=False)
    vertices: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        origin = as_point(self.origin, "origin")
        rows = np.asarray(self.basis)
        if rows.ndim < 2 or len(rows) != 2:
            raise DomainError(f"The basis of a plane has two rows, got an array of shape {rows.shape}.")
        basis = [as_point(row, f"basis vector {i}") for i, row in enumerate(rows, start=1)]
        for i, vector in enumerate(basis, start=1):
            if vector.shape != origin.shape:
                raise DomainError(
                    f"Plane needs an origin and a basis of one space, got {origin.size} coordinates for the origin "
                    f"and {vector.size} for basis vector {i}."
                )
        tail = np.zeros((2, origin.size))
        if self.basis_tail is not None:
            tail = as_floats(self.basis_tail, "basis_tail", DomainError)
            if tail.shape != (2, origin.size) or not np.isfinite(tail).all():
                raise DomainError(f"basis_tail must be two rows of {origin.size} finite coordinates.")
        sliced = Slice(origin, np.array(basis), tail)
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "basis", sliced.basis)
        object.__setattr__(self, "basis_tail", sliced.basis_tail)
        object.__setattr__(self, "slice", sliced)

    @classmethod
    def through(cls, a: ArrayLike, b: ArrayLike, c: ArrayLike) -> Plane:
        """The plane through three points, exactly: u = (0, 0) at a, (1, 0) at b, (0, 1) at c.

        a, b, c : shape (n_in,) or the network's input shape.
        Raises DomainError if the points are collinear.
        """
        points = [as_point(point, name) for point, name in ((a, "a"), (b, "b"), (c, "c"))]
        if len({point.size for point in points}) > 1:
            sizes = ", ".join(str(point.size) for point in points)
            raise DomainError(f"Plane.through needs three points of one space, got {sizes} coordinates.")
        heads, tails = zip(*(difference(point, points[0]) for point in points[1:]), strict=True)
        return cls(points[0], np.array(heads), np.array(tails))

    def polygon(self, vertices: ArrayLike) -> Polygon:
        """The convex polygon with these vertices, shape (m, 2), in the plane's coordinates u."""
        return Polygon(vertices, self)  # type: ignore[arg-type]

    def square(self, half_width: float) -> Polygon:
        """The square [-half_width, half_width]^2 in the plane's coordinates u."""
        if not (isinstance(half_width, (int, float, np.number)) and np.isfinite(half_width) and half_width > 0):
            raise DomainError(f"half_width must be a finite positive number, got {half_width}.")
        h = float(half_width)
        return self.polygon([[-h, -h], [h, -h], [h, h], [-h, h]])

    def __repr__(self) -> str:
        return f"Plane(n_in={self.origin.size})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {
            "kind": "plane",
            "origin": self.origin.tolist(),
            "basis": self.basis.tolist(),
            "basis_tail": np.asarray(self.basis_tail).tolist(),
        }


def in_convex_position(vertices: Floats) -> Floats:
    """The vertices counter-clockwise. Raises DomainError unless they are those of a strictly convex polygon, in order.

    They are if every turn is to the left and the edges' directions turn by one full circle, which is checked in as many
    steps as there are vertices; a polygon that approximates a disc may have thousands.
    """
    points = on_a_grid(vertices)
    m = len(points)
    ordered = vertices if turn(*points[:3]) >= 0 else vertices[::-1]
    points = points if ordered is vertices else points[::-1]
    # Edges that point up (or right): in one full circle, the directions change once from the others to these.
    up = [(q[1], q[0]) > (p[1], p[0]) for p, q in zip(points, points[1:] + points[:1], strict=True)]
    rounds = sum(up[i] and not up[i - 1] for i in range(m))
    if rounds == 1 and all(turn(points[i - 2], points[i - 1], points[i]) > 0 for i in range(m)):
        return ordered
    for i in range(m):
        p, q = points[i], points[(i + 1) % m]
        for j in range(m):
            if j in (i, (i + 1) % m) or turn(p, q, points[j]) > 0:
                continue
            raise DomainError(
                f"The polygon is not strictly convex: vertex {ordered[j].tolist()} does not lie strictly on the "
                f"inner side of the edge {ordered[i].tolist()} - {ordered[(i + 1) % m].tolist()}. Give the corners of "
                "a convex polygon in order around it, without points in the middle of an edge."
            )
    raise AssertionError("all vertices lie on the inner side of all edges")


Place = tuple[int, int]


def on_a_grid(vertices: Floats) -> list[Place]:
    """The vertices, multiplied by a common denominator: integers."""
    parts = [[value.as_integer_ratio() for value in vertex] for vertex in vertices.tolist()]
    # All denominators are powers of two, so the largest one is a common denominator.
    factor = max(below for vertex in parts for _, below in vertex)
    x, y = ([above * (factor // below) for above, below in values] for values in zip(*parts, strict=True))
    return list(zip(x, y, strict=True))


def turn(p: Place, q: Place, r: Place) -> int:
    """The sign of the turn p -> q -> r: 1 for left, -1 for right, 0 for straight on."""
    value = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    return (value > 0) - (value < 0)


@dataclass(frozen=True, eq=False, repr=False)
class Polygon(Described):
    """A closed convex polygon, in R^2 or in the coordinates of a plane.

    vertices : shape (m, 2), m >= 3, in either order around the polygon; stored counter-clockwise.
    plane : the plane whose coordinates these are; None for a network with two inputs.
    Raises DomainError if a coordinate is not finite or the vertices are not in strictly convex position.
    """

    vertices: Floats
    plane: Plane | None = None
    slice: Slice = field(init=False)

    def __post_init__(self) -> None:
        vertices = as_floats(self.vertices, "The polygon's vertices", DomainError)
        if not (self.plane is None or isinstance(self.plane, Plane)):
            raise DomainError(f"The plane of a polygon must be a Plane or None, got {type(self.plane).__name__}.")
        if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < 3:
            raise DomainError(
                f"A polygon needs at least three vertices of two coordinates, shape (m, 2); got {vertices.shape}."
            )
        if not np.isfinite(vertices).all():
            raise DomainError("A polygon's vertex has a coordinate that is not finite.")
        vertices = np.ascontiguousarray(in_convex_position(vertices))
        vertices.setflags(write=False)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "slice", self.plane.slice if self.plane is not None else Slice.identity(2))

    def __repr__(self) -> str:
        inside = f", n_in={self.slice.n_in}" if self.plane is not None else ""
        return f"Polygon({len(self.vertices)} vertices{inside})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        plane = self.plane.to_dict() if self.plane is not None else None
        return {"kind": "polygon", "vertices": self.vertices.tolist(), "plane": plane}
