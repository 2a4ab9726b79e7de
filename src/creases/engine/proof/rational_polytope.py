"""Cones of three dimensions and more in rational arithmetic: for whole spaces that floats hold no chart of.

The double description method on whole numbers (Motzkin, Raiffa, Thompson and Thrall 1953): a cell is its rays, and for
each a mask of the forms that vanish on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from flint import fmpz

from creases.engine.proof.rational import dot, meeting_ray, primitive, scaled

__all__ = ["RationalPolytope", "bits_of", "rational_cone", "rational_directions"]


class RationalPolytope(NamedTuple):
    """A convex cell as a pointed cone: rays in homogeneous coordinates, their masks, and the next free bit."""

    rays: list[Any]
    masks: list[int]
    walls: int

    def part(self, form: Any, values: list[Any], sign: int) -> RationalPolytope:
        """The part on which a form has this sign or is zero; `values` are its values at the rays."""
        bit = 1 << self.walls
        values = [sign * value for value in values]
        rays, masks = [], []
        for ray, mask, value in zip(self.rays, self.masks, values, strict=True):
            if value >= 0:
                rays.append(ray)
                masks.append(mask | bit if value == 0 else mask)
        for u, v in self.pairs(values):
            shared = self.masks[u] & self.masks[v]
            if sum(mask & shared == shared for mask in self.masks) == 2:
                pair = zip(self.rays[u], self.rays[v], strict=True)
                rays.append(primitive(tuple(values[u] * y - values[v] * x for x, y in pair)))
                masks.append(shared | bit)
        return RationalPolytope(rays, masks, self.walls + 1)

    def pairs(self, values: list[Any]) -> Iterator[tuple[int, int]]:
        """A positive and a negative ray each that lie on as many common walls as the ends of an edge do."""
        k = len(self.rays[0])
        below = [v for v, value in enumerate(values) if value < 0]
        if k != 3:
            for u in (u for u, value in enumerate(values) if value > 0):
                yield from ((u, v) for v in below if (self.masks[u] & self.masks[v]).bit_count() >= k - 2)
            return
        # A polygon may have thousands of corners, and each has two sides: pairs are found by these.
        on: dict[int, list[int]] = {}
        for v in below:
            for place in bits_of(self.masks[v]):
                on.setdefault(place, []).append(v)
        for u in (u for u, value in enumerate(values) if value > 0):
            yield from ((u, v) for v in {v for place in bits_of(self.masks[u]) for v in on.get(place, ())})


def bits_of(mask: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


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
