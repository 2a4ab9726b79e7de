"""Cones and polytopes cut by a form, in integers: the double description method.

A cone is given by its rays, integers of Python-Flint in homogeneous coordinates, and for each ray a mask of the forms
that vanish on it (Motzkin, Raiffa, Thompson and Thrall 1953; Fukuda and Prodon 1996). Both the domains and the engine
use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flint import fmpz

__all__ = ["Vector", "bits_of", "dot", "part", "primitive"]

Vector = tuple[Any, ...]  # of fmpz


def dot(form: Sequence[Any], ray: Sequence[Any]) -> Any:
    """The value of a form at a ray, both of k integers. Raises ValueError if their lengths differ."""
    return sum((x * y for x, y in zip(form, ray, strict=True)), fmpz(0))


def primitive(ray: Vector) -> Vector:
    """The same ray, divided by the common factor of its coordinates, so that integers stay short."""
    divisor = fmpz(0)
    for value in ray:
        divisor = value.gcd(divisor) if isinstance(value, fmpz) else fmpz(value).gcd(divisor)
    return ray if divisor in (0, 1) else tuple(value // divisor for value in ray)


def part(
    rays: Sequence[Vector], masks: Sequence[int], values: Sequence[Any], bit: int
) -> tuple[list[Vector], list[int]]:
    """The rays, with their masks, of the part of a pointed cone on which a form is not negative.

    rays : n rows of k integers (fmpz). masks, values : n each; the values are those of the form at the rays.
    bit : the bit of the form in the masks, set if it vanishes. Existing rays come first, then the new ones.
    """
    kept, their_masks = [], []
    for ray, mask, value in zip(rays, masks, values, strict=True):
        if value >= 0:
            kept.append(ray)
            their_masks.append(mask | bit if value == 0 else mask)
    for u, v in pairs(len(rays[0]) if rays else 0, masks, values):
        shared = masks[u] & masks[v]
        # The two rays span an edge, unless another ray lies on all of their common forms.
        if sum(mask & shared == shared for mask in masks) == 2:
            pair = zip(rays[u], rays[v], strict=True)
            kept.append(primitive(tuple(values[u] * y - values[v] * x for x, y in pair)))
            their_masks.append(shared | bit)
    return kept, their_masks


def pairs(k: int, masks: Sequence[int], values: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Pairs of a positive and a negative ray that lie on at least as many common forms as the ends of an edge in
    R^k."""
    below = [v for v, value in enumerate(values) if value < 0]
    above = [u for u, value in enumerate(values) if value > 0]
    if k != 3:
        for u in above:
            yield from ((u, v) for v in below if (masks[u] & masks[v]).bit_count() >= k - 2)
        return
    # A polygon may have thousands of corners, each on two sides, so pairs are found by sides.
    on: dict[int, list[int]] = {}
    for v in below:
        for place in bits_of(masks[v]):
            on.setdefault(place, []).append(v)
    for u in above:
        yield from ((u, v) for v in sorted({v for place in bits_of(masks[u]) for v in on.get(place, ())}))


def bits_of(mask: int) -> Iterator[int]:
    """The indices of the set bits, lowest first."""
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1
