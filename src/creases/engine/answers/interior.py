"""A point strictly inside each cell, with a proof: floats with running error bounds, and rationals if they fail."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.rebuilding import Rebuilder
from creases.engine.answers.sides import Sides
from creases.engine.problem import Floats, IntegerPolytope, Pattern, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT
from creases.engine.proof.edges import RationalEdges
from creases.engine.proof.inside import proved_by_floats
from creases.engine.proof.rational import nearest_float, rational_corners
from creases.engine.starts.tiles import nearest_forms
from creases.engine.starts.workshop import Workshop
from creases.engine.state.pattern import bits_of_bytes

__all__ = ["interior_points", "interior_points_in_space"]

CELLS_AT_ONCE = 4096


def interior_points(
    problem: Problem,
    first: NDArray[np.int64],
    corners: Floats,
    at_infinity: NDArray[np.bool_],
    edges: NDArray[np.int64],
    patterns: NDArray[np.uint8],
) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
    """A point of each cell of a `CellTable`, given by its arrays, in the domain's coordinates.

    Returns float64 (cells, d) and, for cells in which no float was found, a rational point; then the float is the
    nearest one.
    """
    bits = bits_of_bytes(patterns, sum(problem.widths))
    points = middles(first, corners, at_infinity)
    rays = np.column_stack([points, np.ones(len(points))])
    proved = np.concatenate(
        [
            proved_by_floats(problem, rays[at : at + CELLS_AT_ONCE], bits[at : at + CELLS_AT_ONCE])
            for at in range(0, len(points), CELLS_AT_ONCE)
        ]
    )
    if isinstance(problem.vertices, IntegerPolytope):
        proved &= proved_behind(problem.vertices.walls, points)
    elif problem.vertices is not None:
        proved &= proved_within(problem.vertices, points)
    exact: dict[int, tuple[Fraction, ...]] = {}
    if not proved.all():
        finder = Finder(problem)
        for i in np.flatnonzero(~proved).tolist():
            rows = slice(first[i], first[i + 1])
            point, rational = finder.find(points[i], edges[rows], at_infinity[rows], bits[i])
            points[i] = point
            if rational is not None:
                exact[i] = rational
    return points, exact


def middles(first: NDArray[np.int64], corners: Floats, at_infinity: NDArray[np.bool_]) -> Floats:
    """The mean of each cell's finite corners, moved along its directions if it is unbounded."""
    starts = first[:-1]
    with np.errstate(invalid="ignore", over="ignore"):  # if this fails, the point is found in rationals
        finite = np.add.reduceat(np.where(at_infinity[:, None], 0.0, corners), starts, axis=0)
        count = np.add.reduceat((~at_infinity).astype(np.float64), starts)
        middle = finite / np.maximum(count, 1.0)[:, None]
        far = np.add.reduceat(np.where(at_infinity[:, None], corners, 0.0), starts, axis=0)
        size = np.maximum.reduceat(np.where(at_infinity, 0.0, np.abs(corners).max(axis=1)), starts)
        return np.asarray(middle + far * np.where(size > 0, size, 1.0)[:, None])


def proved_within(vertices: Floats, points: Floats) -> NDArray[np.bool_]:
    """For each point, whether floats prove that it lies strictly inside the domain with these corners.

    On an edge p q the sign of (q - p) x (point - p) decides; each of its two products of differences has an error of at
    most 8 u.
    """
    if vertices.shape[1] == 1:
        return np.asarray((points[:, 0] > vertices.min()) & (points[:, 0] < vertices.max()))
    inside = np.ones(len(points), dtype=np.bool_)
    with np.errstate(all="ignore"):
        for p, q in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
            first = (q[0] - p[0]) * (points[:, 1] - p[1])
            second = (q[1] - p[1]) * (points[:, 0] - p[0])
            inside &= first - second > 16.0 * UNIT * (np.abs(first) + np.abs(second)) + UNDERFLOW
    return inside


def proved_behind(walls: Sequence[Any], points: Floats) -> NDArray[np.bool_]:
    """`proved_within` for exact walls, rounded with a bound; each of a form's k products has an error of at most (k +
    1) u."""
    inside = np.ones(len(points), dtype=np.bool_)
    forms, bounds = nearest_forms(walls)
    with np.errstate(all="ignore"):
        rays = np.column_stack([points, np.ones(len(points))])
        reach = np.abs(points).max(axis=1)
        for form, (error_g, error_w) in zip(forms, bounds, strict=True):
            terms = rays * form
            lost = (terms.shape[1] + 1.0) * UNIT * np.abs(terms).sum(axis=1) + error_g * reach + error_w
            inside &= terms.sum(axis=1) > lost * ROUND_UP + UNDERFLOW
    return inside


def interior_points_in_space(
    problem: Problem,
    first: NDArray[np.int64],
    corners: Floats,
    at_infinity: NDArray[np.bool_],
    sides: Sides,
    patterns: NDArray[np.uint8],
) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
    """`interior_points` of a `PolytopeTable`; for directions each point represents its direction."""
    inside = Workshop().across(problem)
    bits = bits_of_bytes(patterns, sum(problem.widths))
    points = middles(first, corners, at_infinity)
    rays = np.column_stack([points, np.full(len(points), 0.0 if problem.directions else 1.0)])
    proved = np.concatenate(
        [
            proved_by_floats(problem, rays[at : at + CELLS_AT_ONCE], bits[at : at + CELLS_AT_ONCE])
            for at in range(0, len(points), CELLS_AT_ONCE)
        ]
    )
    if isinstance(problem.vertices, IntegerPolytope):
        proved &= proved_behind(problem.vertices.walls, points)
    exact: dict[int, tuple[Fraction, ...]] = {}
    if inside is None or proved.all():
        return points, exact
    axes = [next(c for c in range(len(problem.basis)) if np.array_equal(problem.basis[c], row)) for row in inside.basis]
    finder = SpaceFinder(inside)
    for i in np.flatnonzero(~proved).tolist():
        walls = sides.walls[sides.first[i] : sides.first[i + 1]]
        point, rational = finder.find(points[i, axes], walls, bits[i])
        points[i] = 0.0
        points[i, axes] = point
        if rational is not None:
            known = dict(zip(axes, rational, strict=True))
            exact[i] = tuple(known.get(c, Fraction(0)) for c in range(len(points[i])))
    return points, exact


class SpaceFinder:
    """Finds interior points of cells that contain no lines, in rationals."""

    def __init__(self, problem: Problem) -> None:
        self._edges = RationalEdges.of(problem)
        self._rebuilder = Rebuilder(problem)
        self._directions = problem.directions

    def find(
        self, guess: Floats, walls: NDArray[np.int64], bits: NDArray[np.bool_]
    ) -> tuple[Floats, tuple[Fraction, ...] | None]:
        """A float point strictly inside the cell and None, or the nearest float and a rational point."""
        if np.isfinite(guess).all() and self.inside([Fraction(value) for value in guess.tolist()], walls, bits):
            return guess, None
        point = middle_of_rays(self._rebuilder.cone(bits, walls.tolist()).rays, self._directions)
        near = np.array([nearest_float(value) for value in point])
        if self.inside([Fraction(value) for value in near.tolist()], walls, bits):
            return near, None
        return near, tuple(point)

    def inside(self, point: list[Fraction], walls: NDArray[np.int64], bits: NDArray[np.bool_]) -> bool:
        """Whether the point is strictly on the inner side of every wall of the cell."""
        ray, pattern = [*point, Fraction(0 if self._directions else 1)], self._edges.pattern(bits)
        forms = (self._edges.edge(number, pattern) for number in walls.tolist())
        return all(sum(int(a) * b for a, b in zip(form, ray, strict=True)) > 0 for form in forms)


def middle_of_rays(rays: Sequence[Any], directions: bool) -> list[Fraction]:
    """The sum of a cell's corners, each normalised: a point strictly inside it, or a direction."""
    total = [Fraction(0)] * len(rays[0])
    for ray in rays:
        size = int(ray[-1]) if ray[-1] and not directions else max(abs(int(value)) for value in ray)
        total = [a + Fraction(int(b), size) for a, b in zip(total, ray, strict=True)]
    return total if directions else [value / total[-1] for value in total[:-1]]


class Finder:
    """Finds interior points in rationals."""

    def __init__(self, problem: Problem) -> None:
        self._edges = RationalEdges.of(problem)

    def find(
        self, guess: Floats, edges: NDArray[np.int64], at_infinity: NDArray[np.bool_], bits: NDArray[np.bool_]
    ) -> tuple[Floats, tuple[Fraction, ...] | None]:
        """A float point strictly inside the cell and None, or the nearest float and a rational point."""
        pattern = self._edges.pattern(bits)
        if np.isfinite(guess).all() and self.inside([Fraction(value) for value in guess.tolist()], edges, pattern):
            return guess, None
        point = self.middle([self._edges.edge(int(e), pattern) for e in edges], at_infinity)
        near = np.array([nearest_float(value) for value in point])
        if self.inside([Fraction(value) for value in near.tolist()], edges, pattern):
            return near, None
        return near, tuple(point)

    def inside(self, point: list[Fraction], edges: NDArray[np.int64], pattern: Pattern) -> bool:
        """Whether the point is strictly on the inner side of every edge of the cell, which are its boundary."""
        ray = [*point, Fraction(1)]
        for number in edges.tolist():
            form = self._edges.edge(number, pattern)
            if not sum(int(a) * b for a, b in zip(form, ray, strict=True)) > 0:
                return False
        return True

    def middle(self, edges: list[Any], at_infinity: NDArray[np.bool_]) -> list[Fraction]:
        """A rational point strictly inside a cell with these edges."""
        if len(edges) == 4 and edges[0] == edges[1] and edges[2] == edges[3] and len(edges[0]) == 3:
            return strip_middle(edges[2], edges[0])
        rays = rational_corners(edges)
        if len(edges[0]) == 2 and at_infinity.any():
            return ray_middle(edges, rays, at_infinity)
        total = [Fraction(0)] * (len(rays[0]))
        for ray, infinite in zip(rays, at_infinity, strict=True):
            size = max(abs(int(value)) for value in ray) if infinite else int(ray[-1])
            total = [a + Fraction(int(b), size) for a, b in zip(total, ray, strict=True)]
        return [value / total[-1] for value in total[:-1]]


def ray_middle(edges: list[Any], rays: list[Any], at_infinity: NDArray[np.bool_]) -> list[Fraction]:
    """A point strictly inside an unbounded interval: beyond its finite end, or zero if it has none."""
    if at_infinity.all():
        return [Fraction(0)]
    end = int(np.flatnonzero(~at_infinity)[0])
    size = Fraction(int(rays[end][0]), int(rays[end][1]))
    step = max(abs(size), Fraction(1))
    return [size + (step if edges[end][0] > 0 else -step)]


def strip_middle(left: Any, right: Any) -> list[Fraction]:
    """A point between two parallel lines (inward forms), or inside one of them if the other is infinity."""
    axis = 0 if left[0] != 0 or right[0] != 0 else 1
    ends = [-Fraction(int(f[2]), int(f[axis])) for f in (left, right) if f[axis] != 0]
    if len(ends) == 2:
        value = (ends[0] + ends[1]) / 2
    elif len(ends) == 1:
        inward = left if left[axis] != 0 else right
        value = ends[0] + (1 if inward[axis] > 0 else -1)
    else:
        value = Fraction(0)
    return [value, Fraction(0)] if axis == 0 else [Fraction(0), value]
