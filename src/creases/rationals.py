"""Vectors of integers, for exact computations in the domains and the engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import islice
from math import gcd, lcm
from typing import Any

__all__ = ["Vector", "independent", "whole"]

Vector = tuple[int, ...]

# The number of rows in one step of the elimination.
TOGETHER = 64


def whole(row: Sequence[Fraction | float | int]) -> Vector:
    """A row of rationals times a positive number, so that it has integers without a common factor."""
    values = [Fraction(value) for value in row]
    factor = lcm(*(value.denominator for value in values))
    numbers = [int(value * factor) for value in values]
    divisor = gcd(*numbers) or 1
    return tuple(number // divisor for number in numbers)


def independent(rows: Iterable[Sequence[Any]]) -> list[int]:
    """The indices of the first linearly independent rows of integers, as many as possible.

    They are the pivots of an elimination, which takes some rows at a time and stops at full rank.
    """
    from flint import fmpz, fmpz_mat

    chosen: list[int] = []
    kept: list[list[Any]] = []
    places = enumerate(rows)
    while block := list(islice(places, TOGETHER)):
        both = kept + [[x if isinstance(x, fmpz) else int(x) for x in row] for _, row in block]
        width = len(both[0])
        echelon, _, rank = fmpz_mat(both).transpose().rref()
        pivots = [next(c for c in range(len(both)) if echelon[r, c]) for r in range(rank)]
        chosen += [block[pivot - len(kept)][0] for pivot in pivots[len(kept) :]]
        kept = [both[pivot] for pivot in pivots]
        if len(kept) == width:
            break
    return chosen
