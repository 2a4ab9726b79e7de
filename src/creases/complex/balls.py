"""Which cells meet an open ball.

A region is convex and open, so it meets an open ball if and only if its closure has a point in the ball, because the
region has points near that point too. So the distance from the ball's center to the closed cell, the hull of its
corners, decides; a cell that only touches the sphere does not meet the ball. Lengths are in units of the radius: a
corner u becomes y = M (u - center), with M of `Ball.unit_map`, and the ball is |y| < 1.

* A point of the hull with a norm below 1 proves that the cell meets the ball: a corner, a point reached by Gilbert's
  steps towards the nearest point (Gilbert 1966), or the nearest point itself, by non-negative least squares.
* A direction x along which no corner is nearer than 1 proves that the cell does not: x . y >= |x| at all corners.
* If floats prove neither, the cell is computed in rationals, and its nearest point is found exactly (Wolfe 1976).

Rounding errors: every coordinate of a stored corner is within e of the true one, where e is 1e-9 of the largest
coordinate of the domain, so y is within e |M| 1. The d products of M (u - center), each with rounded factors, add (d +
5) u |M| |u - center|. A Gilbert step adds 8 u times the largest |y|, and the final comparison (d + 4) u times it.
`Hulls.slack` is about twice the sum over the whole domain, so that its own rounding does not matter.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.nearest import Metric, is_nearer
from creases.complex.skeleton import Given
from creases.domain import Ball
from creases.network import Network
from creases.packing import as_problem

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["ball_of", "faces_in_ball", "facets_in_ball", "regions_by_layer", "within_ball"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MISSES, UNDECIDED, MEETS = -1, 0, 1
UNIT = 2.0**-53
# The accuracy of stored corners (`Complex.corners`).
ACCURACY = 1e-9
DESCENT_STEPS = 24
# Entries of M outside this range may have lost digits by underflow, or overflow when they are squared.
SMALLEST, LARGEST = 1e-140, 1e140


class Hulls(NamedTuple):
    """Cells as hulls of points: those of cell i are rows first[i] to first[i + 1].

    points : float64 (points, d), relative to the center and in units of the radius. first : int64 (cells + 1,). slack :
        a bound on the error of lengths, infinite if floats are of no use.
    """

    points: Floats
    first: Ints
    slack: float

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def sizes(self) -> Ints:
        """The number of points of each hull."""
        return np.diff(self.first)

    def some(self, chosen: Ints) -> Hulls:
        """The hulls of some cells."""
        rows = rows_of(self.first, chosen)
        return Hulls(self.points[rows], starts(self.sizes[chosen]), self.slack)


def within_ball(complex: Complex) -> Complex:
    """The cells of a complex on a Ball that meet the ball; the argument has all cells of the polytope around it."""
    began = time.perf_counter()
    answers = by_floats(hulls_of(ball_of(complex), complex.corners, complex.first))
    open_cells = np.flatnonzero(answers == UNDECIDED)
    if len(complex) > 1 and len(open_cells):
        decider = ExactBall(complex)
        for cell in open_cells.tolist():
            answers[cell] = MEETS if decider.meets(cell) else MISSES
    kept = np.flatnonzero(answers != MISSES)
    return replace(
        some_cells(complex, kept),
        by_layer=regions_by_layer(complex.network, complex.patterns[kept]),
        exact_cells=complex.exact_cells + len(open_cells),
        seconds=complex.seconds + time.perf_counter() - began,
    )


def facets_in_ball(complex: Complex) -> Bools:
    """Which facets of a complex on a Ball meet the open ball, bool (facets,), proved. The cells on their two sides are
    connected inside the ball; cells that share another facet are connected outside of it."""
    return faces_in_ball(complex, complex.facets.first, complex.facets.vertices)


def faces_in_ball(complex: Complex, first: Ints, vertices: Ints) -> Bools:
    """Which faces of a complex on a Ball meet the open ball, bool (faces,), proved.

    first : int64 (faces + 1,). vertices : int64, rows of `Complex.vertices`; those of face i are vertices[first[i] :
        first[i + 1]].
    """
    from creases.complex.exact_geometry import ExactGeometry

    ball = ball_of(complex)
    if len(first) < 2:
        return np.zeros(0, np.bool_)
    answers = by_floats(hulls_of(ball, complex.vertices[vertices], first))
    open_faces = np.flatnonzero(answers == UNDECIDED)
    if len(open_faces):
        geometry, center = ExactGeometry(complex), [Fraction(value) for value in ball.center.tolist()]
        metric, square = Metric(ball.gram), Fraction(ball.radius) ** 2
        for face in open_faces.tolist():
            rays = map(geometry.vertex, vertices[first[face] : first[face + 1]].tolist())
            steps = [steps_from(center, ray) for ray in rays]
            answers[face] = MEETS if is_nearer(steps, metric, square) else MISSES
    return np.asarray(answers == MEETS)


def regions_by_layer(network: Network, patterns: NDArray[np.uint8]) -> tuple[int, ...]:
    """The number of different patterns up to each layer. A region of the first layers meets a domain if and only if one
    of the cells into which the layers above cut it does."""
    counts, end = [], 0
    for places in network.places:
        end += int(places.sum())
        part = patterns[:, : (end + 7) // 8].copy()
        if end % 8:
            part[:, -1] &= (1 << end % 8) - 1
        # Rows as bytes, which is ten times as fast as sorting them.
        counts.append(
            len(set(part.view(f"V{part.shape[1]}").ravel().tolist())) if end < network.bits else len(patterns)
        )
    return tuple(counts)


def some_cells(complex: Complex, chosen: Ints) -> Complex:
    """The complex of some of the cells, in their order."""
    first, rows = complex.first, rows_of(complex.first, chosen)
    given = complex.given
    if given is not None:
        sides = given.sides
        mine = rows_of(sides.first, chosen)
        moved = np.full(len(complex.corners), -1)
        moved[rows] = np.arange(len(rows))
        on = moved[sides.corners[rows_of(sides.corner_first, mine)]]
        ends = starts(np.diff(sides.corner_first)[mine])
        side_first = starts(np.diff(sides.first)[chosen])
        given = Given(type(sides)(side_first, sides.walls[mine], ends, on), given.lineality)
    return replace(
        complex,
        first=starts(np.diff(first)[chosen]),
        corners=complex.corners[rows],
        at_infinity=complex.at_infinity[rows],
        edges=complex.edges[rows] if given is None else complex.edges,
        patterns=complex.patterns[chosen],
        given=given,
    )


def rows_of(first: Ints, chosen: Ints) -> Ints:
    """The rows of some of the lists that begin at `first`, list after list."""
    sizes = np.diff(first)[chosen]
    ends = np.cumsum(sizes)
    return np.asarray(np.arange(ends[-1] if len(ends) else 0) + np.repeat(first[chosen] - (ends - sizes), sizes))


def starts(sizes: Ints) -> Ints:
    """The beginnings of lists with these sizes, and the end."""
    return np.concatenate([[0], np.cumsum(sizes)])


# In floats.


def hulls_of(ball: Ball, corners: Floats, first: Ints) -> Hulls:
    """Cells or faces of a complex on a ball, given by their corners, as hulls relative to its center and in units of
    its radius."""
    d, matrix, outer = ball.dimension, ball.unit_map, ball.vertices
    with np.errstate(all="ignore"):
        points = np.einsum("vc,ec->ve", corners - ball.center, matrix)
        off = (d + 5.0) * UNIT * np.abs(matrix) @ np.abs(outer - ball.center).max(axis=0)
        moved = ACCURACY * np.abs(outer).max() * np.abs(matrix).sum(axis=1)
        far = lengths_of((outer - ball.center) @ matrix.T).max()
        slack = float(2.0 * np.linalg.norm(off + moved) + (20.0 * DESCENT_STEPS + 8.0 * d) * UNIT * far)
    if not (np.diag(matrix).min() > SMALLEST and np.abs(matrix).max() < LARGEST and np.isfinite(slack)):
        slack = np.inf
    return Hulls(points, first, slack)


def by_floats(hulls: Hulls) -> NDArray[np.int8]:
    """For each hull: MEETS the open unit ball around zero, MISSES it, or floats do not prove either."""
    answers = np.zeros(len(hulls), np.int8)
    if not hulls.slack < 1.0:
        return answers
    with np.errstate(all="ignore"):  # NaN proves nothing
        nearest = np.minimum.reduceat(lengths_of(hulls.points), hulls.first[:-1])
        answers[nearest + hulls.slack < 1.0] = MEETS
        by_steps(hulls, answers)
        for cell in np.flatnonzero(answers == UNDECIDED).tolist():
            answers[cell] = by_least_squares(hulls.points[hulls.first[cell] : hulls.first[cell + 1]], hulls.slack)
    return answers


def lengths_of(rows: Floats) -> Floats:
    """The Euclidean length of each row."""
    return np.asarray(np.sqrt(np.einsum("vd,vd->v", rows, rows)))


def by_steps(hulls: Hulls, answers: NDArray[np.int8]) -> None:
    """Decide the hulls that Gilbert's steps decide: from a point x of the hull, step towards the corner that is least
    along x, as long as the step leads nearer to zero."""
    left = np.flatnonzero(answers == UNDECIDED)
    some = hulls.some(left)
    at = None
    for _ in range(DESCENT_STEPS):
        if not len(left):
            return
        owners = np.repeat(np.arange(len(some)), some.sizes)
        if at is None:
            at = some.points[first_least(lengths_of(some.points), some.first, owners)]
        along = np.einsum("vd,vd->v", some.points, at[owners])
        corner = first_least(along, some.first, owners)
        lengths, least = lengths_of(at), along[corner]
        meets, misses = lengths + some.slack < 1.0, is_beyond(least, lengths, some.slack)
        answers[left[meets]] = MEETS
        answers[left[misses]] = MISSES
        steps = some.points[corner] - at
        share = -np.einsum("cd,cd->c", steps, at) / np.einsum("cd,cd->c", steps, steps)
        at = at + np.clip(np.nan_to_num(share), 0.0, 1.0)[:, None] * steps
        open_cells = np.flatnonzero(~(meets | misses))
        left, some, at = left[open_cells], some.some(open_cells), at[open_cells]


def is_beyond(least: Any, lengths: Any, slack: Any) -> Any:
    """Whether directions of these lengths, along which no corner is below `least`, prove that a hull is at a distance
    of at least one. Zero is not a direction."""
    return (lengths > 0.0) & (least >= lengths * (1.0 + slack))


def first_least(values: Floats, first: Ints, owners: Ints) -> Ints:
    """The index of the smallest value of each list, the first one if several are equal."""
    least = np.minimum.reduceat(values, first[:-1])
    places = np.where(values <= least[owners], np.arange(len(values)), len(values))
    # In a list with a NaN, no value is the smallest.
    return np.minimum(np.minimum.reduceat(places, first[:-1]), len(values) - 1)


def by_least_squares(points: Floats, slack: float) -> int:
    """Decide one hull by its nearest point to zero.

    The weights w >= 0 that minimise |sum w y|^2 + (sum w - 1)^2 are a multiple of those of the nearest point: for w = s
    v with sum v = 1, the minimum over s is |sum v y|^2 / (1 + |sum v y|^2), which increases with |sum v y|.
    """
    from scipy.optimize import nnls

    count, d = points.shape
    try:
        weights, _ = nnls(np.vstack([points.T, np.ones(count)]), np.append(np.zeros(d), 1.0))
    except RuntimeError:  # too many steps
        return UNDECIDED
    at = weights / weights.sum() @ points
    length = float(np.linalg.norm(at))
    slack += 8.0 * count * UNIT * float(lengths_of(points).max())
    if length + slack < 1.0:
        return MEETS
    return MISSES if is_beyond((points @ at).min(), length, slack) else UNDECIDED


# In rationals.


class ExactBall:
    """Decides cells of one complex, in rationals."""

    def __init__(self, complex: Complex) -> None:
        from creases.engine.answers.rebuilding import Rebuilder

        ball = ball_of(complex)
        self._complex = complex
        self._rebuilder = Rebuilder(as_problem(complex.network, complex.domain))
        self._center = [Fraction(value) for value in ball.center.tolist()]
        self._metric = Metric(ball.gram)
        self._square = Fraction(ball.radius) ** 2

    def meets(self, cell: int) -> bool:
        """Whether a cell meets the ball."""
        complex = self._complex
        given, row = complex.given, complex.patterns[cell]
        if given is None:
            walls = complex.edges[complex.first[cell] : complex.first[cell + 1]]
        else:
            walls = given.sides.walls[given.sides.first[cell] : given.sides.first[cell + 1]]
        bits = np.unpackbits(row, count=complex.network.bits, bitorder="little").astype(np.bool_)
        rays = self._rebuilder.cone(bits, walls.tolist()).rays
        return is_nearer([steps_from(self._center, ray) for ray in rays], self._metric, self._square)


def steps_from(center: list[Fraction], ray: Sequence[Any]) -> list[Fraction]:
    """The step from a center to a point given by a ray, integers (u, w) with w > 0."""
    return [Fraction(int(x), int(ray[-1])) - c for x, c in zip(ray[:-1], center, strict=True)]


def ball_of(complex: Complex) -> Ball:
    """The ball on which a complex was computed."""
    assert isinstance(complex.domain, Ball)
    return complex.domain
