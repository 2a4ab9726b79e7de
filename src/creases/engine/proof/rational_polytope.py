"""Cones of three dimensions and more in rational arithmetic: for whole spaces that floats hold no chart of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flint import fmpz

from creases.double_description import dot, part
from creases.engine.proof.rational import meeting_ray, scaled

__all__ = ["RationalPolytope", "rational_cone", "rational_directions"]


class RationalPolytope(NamedTuple):
    """A convex cell as a pointed cone: rays in homogeneous coordinates, their masks, and the next free bit."""

    rays: list[Any]
    masks: list[int]
    walls: int

    def part(self, form: Any, values: list[Any], sign: int) -> RationalPolytope:
        """The part on which a form has this sign or is zero; `values` are its values at the rays."""
        rays, masks = part(self.rays, self.masks, [sign * value for value in values], 1 << self.walls)
        return RationalPolytope(rays, masks, self.walls + 1)


def rational_cone(independent: Sequence[Any], signs: Sequence[bool]) -> RationalPolytope:
    """The cone of R^d on which d independent forms have these signs: its apex and d far rays."""
    d = len(independent)
    inward = [scaled(form, 1 if on else -1) for form, on in zip(independent, signs, strict=True)]
    infinity = (*(fmpz(0),) * d, fmpz(1))
    rays = [meeting_ray(inward)]
    for i, form in enumerate(inward):
        ray = meeting_ray([infinity, *inward[:i], *inward[i + 1 :]])
        rays.append(ray if dot(form, ray) > 0 else scaled(ray, -1))
    whole = (1 << (d + 1)) - 1
    return RationalPolytope(rays, [whole & ~1, *(whole & ~(2 << i) for i in range(d))], d + 1)


def rational_directions(independent: Sequence[Any], signs: Sequence[bool]) -> RationalPolytope:
    """The directions of R^d in which d independent forms grow or fall as these signs say."""
    inward = [scaled(form[:-1], 1 if on else -1) for form, on in zip(independent, signs, strict=True)]
    rays = []
    for i, form in enumerate(inward):
        ray = meeting_ray([*inward[:i], *inward[i + 1 :]]) if len(inward) > 1 else (fmpz(1),)
        rays.append(ray if dot(form, ray) > 0 else scaled(ray, -1))
    whole = (1 << len(inward)) - 1
    return RationalPolytope(rays, [whole & ~(1 << i) for i in range(len(inward))], len(inward))
