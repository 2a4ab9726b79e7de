"""Vectors of whole numbers: what the domains and the engine both need to be exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

__all__ = ["Vector", "independent", "whole"]

Vector = tuple[int, ...]


def whole(row: Sequence[Fraction | float | int]) -> Vector:
    """A row of rationals times a positive number that makes it whole, without a common factor."""
    values = [Fraction(value) for value in row]
    factor = lcm(*(value.denominator for value in values))
    numbers = [int(value * factor) for value in values]
    divisor = gcd(*numbers) or 1
    return tuple(number // divisor for number in numbers)


def independent(rows: Iterable[Sequence[Any]]) -> list[int]:
    """Places of the first rows of whole numbers that are linearly independent, as many as there are: elimination."""
    found: list[int] = []
    reduced: list[tuple[int, list[Fraction]]] = []
    for place, row in enumerate(rows):
        left = [Fraction(int(value)) for value in row]
        for pivot, other in reduced:
            if left[pivot]:
                factor = left[pivot]
                left = [x - factor * y for x, y in zip(left, other, strict=True)]
        pivot = next((c for c, value in enumerate(left) if value), -1)
        if pivot >= 0:
            reduced.append((pivot, [value / left[pivot] for value in left]))
            found.append(place)
        if len(found) == len(left):
            break
    return found
