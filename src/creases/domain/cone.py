"""Exact polytopes: from half-spaces or vertices to both, by the double description method in whole numbers.

A polytope is a cone of homogeneous coordinates (u, w). Its rays and walls are each other's dual, so one routine, "the
rays of the cone where these forms are not negative", does both ways (Motzkin, Raiffa, Thompson and Thrall 1953).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from creases.rationals import Vector, independent, whole

__all__ = ["Ray", "dot", "extreme_rays"]


class Ray(NamedTuple):
    """A ray of a cone: its direction, whole numbers without a common factor, and bit i if form i vanishes on it."""

    vector: Vector
    mask: int


def dot(form: Vector, vector: Vector) -> int:
    """A form's value."""
    return sum(x * y for x, y in zip(form, vector, strict=True))


def extreme_rays(forms: Sequence[Vector]) -> list[Ray] | None:
    """The extreme rays of the cone {v : form . v >= 0 for all forms}; None if the cone holds a line.

    forms : rows of k whole numbers. A cone that is nothing but the origin has no rays.
    """
    k = len(forms[0])
    first = independent(forms)
    if len(first) < k:
        return None
    rays = simplicial_rays([forms[i] for i in first], first)
    for place, form in enumerate(forms):
        if place not in first:
            rays = cut(rays, form, place, k)
    return rays


def simplicial_rays(forms: Sequence[Vector], places: Sequence[int]) -> list[Ray]:
    """The k rays of a cone of k independent forms: the columns of the inverse of their matrix."""
    k = len(forms)
    rows = [[Fraction(x) for x in form] + [Fraction(i == j) for j in range(k)] for i, form in enumerate(forms)]
    for column in range(k):
        pivot = next(i for i in range(column, k) if rows[i][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [x / rows[column][column] for x in rows[column]]
        for i in range(k):
            if i != column and rows[i][column]:
                factor = rows[i][column]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[column], strict=True)]
    mask = sum(1 << place for place in places)
    return [Ray(whole([row[k + i] for row in rows]), mask & ~(1 << place)) for i, place in enumerate(places)]


def cut(rays: list[Ray], form: Vector, place: int, k: int) -> list[Ray]:
    """The rays of the part of a cone on which a form is not negative."""
    values = [dot(form, ray.vector) for ray in rays]
    kept = [ray for ray, value in zip(rays, values, strict=True) if value > 0]
    kept += [Ray(ray.vector, ray.mask | 1 << place) for ray, value in zip(rays, values, strict=True) if value == 0]
    ups = [(ray, value) for ray, value in zip(rays, values, strict=True) if value > 0]
    downs = [(ray, value) for ray, value in zip(rays, values, strict=True) if value < 0]
    for up, high in ups:
        for down, low in downs:
            shared = up.mask & down.mask
            if shared.bit_count() < k - 2 or sum(ray.mask & shared == shared for ray in rays) > 2:
                continue  # not an edge: some other ray lies on all that the two share
            vector = [high * y - low * x for x, y in zip(up.vector, down.vector, strict=True)]
            kept.append(Ray(whole(vector), shared | 1 << place))
    return kept
