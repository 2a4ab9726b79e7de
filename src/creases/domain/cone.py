"""Exact polytopes: from half-spaces or vertices, both are computed by the double description method, in integers.

A polytope is a cone in homogeneous coordinates (u, w). Its rays and its walls are dual to each other, so one routine,
"the rays of the cone where these forms are not negative", computes either from the other (`double_description`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from creases.rationals import Vector, independent

__all__ = ["Ray", "dot", "extreme_rays"]


class Ray(NamedTuple):
    """A ray of a cone: its direction, as integers without a common factor, and a mask with bit i if form i vanishes on
    it."""

    vector: Vector
    mask: int


def dot(form: Vector, vector: Vector) -> int:
    """The value of a form at a vector."""
    return sum(x * y for x, y in zip(form, vector, strict=True))


def extreme_rays(forms: Sequence[Vector]) -> list[Ray] | None:
    """The extreme rays of the cone {v : form . v >= 0 for all forms}; None if the cone holds a line.

    forms : rows of k integers. The cone that contains only the origin has no rays.
    """
    from flint import fmpz, fmpz_mat

    from creases.double_description import dot, part, primitive

    k, first = len(forms[0]), independent(forms)
    if len(first) < k:
        return None
    # The rays of a cone given by k independent forms are the columns of the inverse of their matrix.
    inverse: Any = fmpz_mat([forms[i] for i in first]).inv()
    columns, _ = inverse.numer_denom()
    every = sum(1 << place for place in first)
    rays = [primitive(tuple(columns[i, j] for i in range(k))) for j in range(k)]
    masks = [every & ~(1 << place) for place in first]
    for place, form in enumerate(forms):
        if place not in first:
            exact = [fmpz(x) for x in form]
            rays, masks = part(rays, masks, [dot(exact, ray) for ray in rays], 1 << place)
    return [Ray(tuple(map(int, ray)), mask) for ray, mask in zip(rays, masks, strict=True)]
