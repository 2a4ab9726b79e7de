"""The point of a convex hull nearest to zero, in rationals (Wolfe 1976, Finding the nearest point in a polytope)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import mul
from typing import Any

__all__ = ["Metric", "Point", "combined", "deciding_point", "is_nearer", "plain"]

Point = list[Fraction]


class Metric:
    """Scalar products of rational vectors with respect to a Gram matrix."""

    def __init__(self, gram: Sequence[Sequence[Fraction]]) -> None:
        self._gram = gram

    def lowered(self, vector: Point) -> Point:
        """gram @ vector: its plain scalar product with another vector is the product with respect to the Gram
        matrix."""
        return [plain(row, vector) for row in self._gram]


def plain(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    """The plain scalar product of two vectors."""
    return sum(map(mul, one, other), Fraction(0))


def is_nearer(points: list[Point], metric: Metric, square: Fraction) -> bool:
    """Whether the hull of rational points contains a point with a squared length below `square`."""
    x = combined(points, *deciding_point(points, metric, square))
    return plain(x, metric.lowered(x)) < square


def deciding_point(points: list[Point], metric: Metric, square: Fraction) -> tuple[list[int], list[Fraction]]:
    """A point x of the hull of rational points, as corners and their weights, that decides whether the hull contains a
    point with a squared length below `square`: x itself is one, or all corners are so far along x that there is none.

    Wolfe's method: x is the nearest point of the hull of a few independent corners, all with positive weights. While a
    corner is below x along x, it is added, and corners whose weights become zero are removed. Each x is nearer to zero
    than the one before, so no set of corners occurs twice.
    """
    lowered = [metric.lowered(point) for point in points]
    squares = [plain(*pair) for pair in zip(points, lowered, strict=True)]
    start = min(range(len(points)), key=squares.__getitem__)
    inner, weights = [start], [Fraction(1)]
    while True:
        x = combined(points, inner, weights)
        along = [plain(x, other) for other in lowered]
        length = sum((w * along[i] for i, w in zip(inner, weights, strict=True)), Fraction(0))
        corner = min(range(len(points)), key=along.__getitem__)
        least = along[corner]
        if length < square or least >= length or (least > 0 and least * least >= square * length):
            return inner, weights
        inner, weights = taken_in(points, lowered, [*inner, corner], [*weights, Fraction(0)])


def combined(points: list[Point], inner: list[int], weights: list[Fraction]) -> Point:
    """The point with these weights."""
    columns = zip(*(points[i] for i in inner), strict=True)
    return [plain(weights, column) for column in columns]


def taken_in(
    points: list[Point], lowered: list[Point], inner: list[int], weights: list[Fraction]
) -> tuple[list[int], list[Fraction]]:
    """The corners, with positive weights, of the next nearest point: on the way from these weights to the nearest point
    of the affine hull, corners whose weights first become zero are removed."""
    while True:
        best = flat_weights(points, lowered, inner)
        if all(value > 0 for value in best):
            return inner, best
        share = min(old / (old - new) for old, new in zip(weights, best, strict=True) if new <= 0)
        moved = [old + share * (new - old) for old, new in zip(weights, best, strict=True)]
        kept = [place for place, value in enumerate(moved) if value > 0]
        inner, weights = [inner[place] for place in kept], [moved[place] for place in kept]


def flat_weights(points: list[Point], lowered: list[Point], inner: list[int]) -> list[Fraction]:
    """The weights, with sum one, of the point nearest to zero in the affine hull of independent points."""
    from flint import fmpq, fmpq_mat

    k = len(inner) + 1
    rows: list[list[Fraction]] = [[Fraction(0), *[Fraction(1)] * (k - 1)]]
    rows += [[Fraction(1), *(plain(points[i], lowered[j]) for j in inner)] for i in inner]
    matrix = fmpq_mat(k, k, [fmpq(x.numerator, x.denominator) for row in rows for x in row])
    solved: Any = matrix.solve(fmpq_mat(k, 1, [fmpq(1), *[fmpq(0)] * (k - 1)]))
    return [Fraction(int(solved[i, 0].p), int(solved[i, 0].q)) for i in range(1, k)]
