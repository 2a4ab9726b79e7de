"""Bounded domains of any dimension: simplices and convex polytopes, in all of input space or inside a subspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.domain.cone import extreme_rays
from creases.domain.slice import MOST_DIMENSIONS, Described, Slice
from creases.domain.subspace import Subspace
from creases.errors import DomainError
from creases.rationals import independent, whole

__all__ = ["Corners", "Polytope", "Simplex", "corners_of_box", "corners_within", "in_order"]

Floats = NDArray[np.float64]


def check_dimensions(d: int, name: str) -> None:
    """Raise DomainError if d is too large for a polytope to be cut.

    This is checked here rather than at the count, because the exact corners and walls, which are computed first, take
    seconds for a cube of eleven dimensions and minutes for a simplex of a hundred.
    """
    if d > MOST_DIMENSIONS:
        raise DomainError(
            f"A {name} of {d} dimensions cannot be cut, only one of up to {MOST_DIMENSIONS}: regions grow as "
            "(#neurons)^dimensions. Give it inside a Subspace of few dimensions, or use a Box that holds all but a few "
            "inputs fixed."
        )


class Corners(NamedTuple):
    """An exact bounded polytope.

    Rays (the corners as (u, w), w > 0) and inward walls, both in integers; for each corner a mask with bit i if it lies
    on wall i.
    """

    rays: tuple[tuple[int, ...], ...]
    walls: tuple[tuple[int, ...], ...]
    masks: tuple[int, ...]


def corners_of_box(lower: Floats, upper: Floats) -> Corners:
    """The corners and walls of the box lower <= u <= upper in R^d."""
    d = len(lower)
    walls = []
    for i, (low, high) in enumerate(zip(lower.tolist(), upper.tolist(), strict=True)):
        for sign, bound in ((1, -Fraction(low)), (-1, Fraction(high))):
            walls.append(whole([*(sign if j == i else 0 for j in range(d)), bound]))
    rays, masks = [], []
    for number in range(1 << d):
        point = [(upper if number >> i & 1 else lower)[i] for i in range(d)]
        rays.append(whole([*map(Fraction, map(float, point)), 1]))
        masks.append(sum(1 << (2 * i + (number >> i & 1)) for i in range(d)))
    return Corners(tuple(rays), tuple(walls), tuple(masks))


def hull(vertices: Floats, name: str) -> Corners:
    """The corners and walls of the convex hull of points, float64 (v, d). Raises DomainError if the hull is flat."""
    rays = [whole([*map(Fraction, point), 1]) for point in vertices.tolist()]
    if len(independent(rays)) < len(rays[0]):
        raise DomainError(
            f"The {name} is flat: its {len(rays)} vertices lie in one hyperplane of R^{vertices.shape[1]}. Give "
            "vertices that span the space, or give the polytope inside a Subspace of its own dimension."
        )
    walls = extreme_rays(rays)
    assert walls is not None  # the vertices span the space, so the dual cone contains no line
    masks = [sum(1 << w for w, wall in enumerate(walls) if wall.mask >> v & 1) for v in range(len(rays))]
    # A point in the interior of the hull or of a face is not a corner: it lies on fewer walls than a corner of that
    # face.
    kept = [v for v, mask in enumerate(masks) if mask and not is_hidden(v, masks)]
    return Corners(tuple(rays[v] for v in kept), tuple(wall.vector for wall in walls), tuple(masks[v] for v in kept))


def is_hidden(v: int, masks: list[int]) -> bool:
    """Whether another point lies on all walls on which point v lies; among equal points the first is not hidden."""
    mine = masks[v]
    return any(u != v and mine & other == mine and (mine != other or u < v) for u, other in enumerate(masks))


def half_space_corners(normals: Floats, offsets: Floats) -> Corners:
    """The corners and walls of {u : normals @ u <= offsets}. Raises DomainError if it is empty, flat or unbounded."""
    rows = zip(normals.tolist(), offsets.tolist(), strict=True)
    return corners_within([whole([*(-Fraction(x) for x in row), Fraction(b)]) for row, b in rows], normals.shape[1])


def corners_within(walls: list[tuple[int, ...]], d: int) -> Corners:
    """The corners and walls of the intersection of half-spaces in R^d, given by inward walls; errors as for
    `half_space_corners`."""
    # With w >= 0 as an additional wall, the last one.
    rays = extreme_rays([*walls, (*(0,) * d, 1)])
    if rays is None:
        raise DomainError(
            f"The half-spaces leave a whole line unbounded: their normals do not span R^{d}. Add some on all sides."
        )
    finite = [ray for ray in rays if ray.vector[-1] > 0]
    if not finite:
        raise DomainError("The half-spaces have no point in common: the polytope is empty.")
    if len(finite) < len(rays):
        far = next(ray.vector[:-1] for ray in rays if ray.vector[-1] == 0)
        raise DomainError(
            f"The polytope is unbounded in the direction {[float(x) for x in far]}. Add half-spaces on that side, or "
            "cut a whole Space or Subspace."
        )
    vectors = [ray.vector for ray in finite]
    if len(independent(vectors)) < d + 1:
        raise DomainError(
            "The polytope is flat: its half-spaces meet in a set without inside. Give it inside a Subspace instead."
        )
    masks = [ray.mask & ((1 << len(walls)) - 1) for ray in finite]
    # A wall that contains no corner, or too few to span a facet, is redundant.
    on_wall = [[v for v, mask in zip(vectors, masks, strict=True) if mask >> w & 1] for w in range(len(walls))]
    facets = [w for w, on in enumerate(on_wall) if on and len(independent(on)) == d and walls[w] not in walls[:w]]
    compact = tuple(sum(1 << i for i, w in enumerate(facets) if mask >> w & 1) for mask in masks)
    return Corners(tuple(vectors), tuple(walls[w] for w in facets), compact)


def in_order(corners: Corners) -> Corners:
    """The same polytope, of one or two dimensions, with its corners in order, computed in integers.

    On a line the order is from low to high, with wall i vanishing at corner i; in a plane it is counter-clockwise, with
    wall i from corner i to the next.
    """
    rays, walls = corners.rays, corners.walls
    if len(rays[0]) == 2:
        order = sorted(range(2), key=lambda v: Fraction(rays[v][0], rays[v][1]))
        sides = [corners.masks[v].bit_length() - 1 for v in order]
        return Corners(tuple(rays[v] for v in order), tuple(walls[i] for i in sides), (1, 2))
    on: list[list[int]] = [[] for _ in walls]
    for v, mask in enumerate(corners.masks):
        while mask:
            on[(mask & -mask).bit_length() - 1].append(v)
            mask &= mask - 1
    after: dict[int, tuple[int, int]] = {}
    for i, (p, q) in enumerate(on):
        (a, b, c), (d, e, f) = rays[p], rays[q]
        inward = b * f - c * e, c * d - a * f, a * e - b * d
        first, second = (p, q) if sum(x * y for x, y in zip(inward, walls[i], strict=True)) > 0 else (q, p)
        after[first] = i, second
    order, sides, v = [], [], 0
    for _ in rays:
        order.append(v)
        side, v = after[v]
        sides.append(side)
    count = len(rays)
    masks = tuple(1 << v | 1 << (v - 1) % count for v in range(count))
    return Corners(tuple(rays[v] for v in order), tuple(walls[i] for i in sides), masks)


def inner_slice(inside: Subspace | None, d: int) -> Slice:
    """The slice of a polytope of R^d, which may lie inside a subspace of d dimensions."""
    if inside is None:
        return Slice.identity(d)
    if not isinstance(inside, Subspace):
        raise DomainError(f"`inside` must be a Subspace or None, got {type(inside).__name__}.")
    if inside.dimension != d:
        raise DomainError(f"The vertices have {d} coordinates, but the subspace has {inside.dimension} dimensions.")
    return inside.slice


def as_vertices(values: ArrayLike, name: str) -> Floats:
    """Vertices as a read-only float64 array (v, d). Raises DomainError if the shape is another one, one is not finite,
    or d is too large."""
    vertices = as_floats(values, f"The {name}'s vertices", DomainError)
    if vertices.ndim != 2 or vertices.shape[1] < 1:
        raise DomainError(f"A {name} needs vertices of shape (v, d), got {vertices.shape}.")
    check_dimensions(vertices.shape[1], name)
    if not np.isfinite(vertices).all():
        raise DomainError(f"A {name}'s vertex has a coordinate that is not finite.")
    vertices = np.ascontiguousarray(vertices)
    vertices.setflags(write=False)
    return vertices


@dataclass(frozen=True, eq=False, repr=False)
class Simplex(Described):
    """The simplex of d + 1 affinely independent vertices.

    vertices : shape (d + 1, d), in input space or in the coordinates of `inside`.
    inside : the subspace whose coordinates these are; None for a network with d inputs.
    Raises DomainError if there are not d + 1 vertices, a coordinate is not finite, they lie in one hyperplane, or d is
    above 8.

    Examples
    --------
    >>> Simplex([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    Simplex(dimension=3)
    """

    vertices: Floats
    inside: Subspace | None = None
    slice: Slice = field(init=False)
    corners: Corners = field(init=False)

    def __post_init__(self) -> None:
        vertices = as_vertices(self.vertices, "simplex")
        if len(vertices) != vertices.shape[1] + 1:
            raise DomainError(
                f"A simplex of {vertices.shape[1]} coordinates has {vertices.shape[1] + 1} vertices, got "
                f"{len(vertices)}. For other polytopes use Polytope."
            )
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "slice", inner_slice(self.inside, vertices.shape[1]))
        object.__setattr__(self, "corners", hull(vertices, "simplex"))

    @property
    def dimension(self) -> int:
        """d, the number of coordinates."""
        return self.slice.dimension

    def __repr__(self) -> str:
        return f"Simplex(dimension={self.dimension})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        inside = None if self.inside is None else self.inside.to_dict()
        return {"kind": "simplex", "vertices": self.vertices.tolist(), "inside": inside}


@dataclass(frozen=True, eq=False, repr=False)
class Polytope(Described):
    """A bounded convex polytope with non-empty interior: the convex hull of points, or an intersection of half-spaces.

    points : shape (v, d); points that are not corners of the hull are dropped.
    inside : the subspace whose coordinates these are; None for a network with d inputs.
    Raises DomainError if the polytope has an empty interior or more than eight dimensions.

    See Also
    --------
    Polytope.where : the polytope {u : normals @ u <= offsets}.
    """

    points: Floats | None
    inside: Subspace | None = None
    normals: Floats | None = None
    offsets: Floats | None = None
    slice: Slice = field(init=False)
    corners: Corners = field(init=False)

    def __post_init__(self) -> None:
        if self.points is not None:
            points = as_vertices(self.points, "polytope")
            object.__setattr__(self, "points", points)
            object.__setattr__(self, "corners", hull(points, "polytope"))
            object.__setattr__(self, "slice", inner_slice(self.inside, points.shape[1]))
            return
        normals = as_floats(np.asarray(self.normals), "The normals", DomainError)
        offsets = as_floats(np.asarray(self.offsets), "The offsets", DomainError)
        if normals.ndim != 2 or offsets.shape != (len(normals),) or normals.shape[1] < 1:
            raise DomainError(
                f"A polytope needs normals of shape (m, d) and m offsets, got {normals.shape} and {offsets.shape}."
            )
        check_dimensions(normals.shape[1], "polytope")
        if not (np.isfinite(normals).all() and np.isfinite(offsets).all()):
            raise DomainError("A half-space has a number that is not finite.")
        object.__setattr__(self, "normals", normals)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "corners", half_space_corners(normals, offsets))
        object.__setattr__(self, "slice", inner_slice(self.inside, normals.shape[1]))

    @property
    def vertices(self) -> Floats:
        """The corners, float64 (v, d), in order for d = 1 and 2; rounded if they are not representable."""
        corners = in_order(self.corners) if self.dimension < 3 else self.corners
        return np.array([[x / ray[-1] for x in ray[:-1]] for ray in corners.rays])

    @classmethod
    def where(cls, normals: ArrayLike, offsets: ArrayLike, inside: Subspace | None = None) -> Polytope:
        """The polytope {u : normals @ u <= offsets}.

        normals, offsets : shapes (m, d) and (m,). inside : as for the class.
        Raises DomainError if it is empty, has an empty interior, is unbounded, or has more than eight dimensions.
        """
        return cls(None, inside, normals, offsets)  # type: ignore[arg-type]

    @property
    def dimension(self) -> int:
        """d, the number of coordinates."""
        return self.slice.dimension

    def __repr__(self) -> str:
        return (
            f"Polytope(dimension={self.dimension}, {len(self.corners.rays)} corners, {len(self.corners.walls)} walls)"
        )

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {
            "kind": "polytope",
            "points": None if self.points is None else self.points.tolist(),
            "inside": None if self.inside is None else self.inside.to_dict(),
            "normals": None if self.normals is None else self.normals.tolist(),
            "offsets": None if self.offsets is None else self.offsets.tolist(),
        }
