"""Laws that every piece of a count, and their sum, obey: a result that violates one is wrong.

Layer l cuts each region of the layers below it, which is convex, by one hyperplane per neuron, and one per pair of
candidates of a switch: into at least one piece, and at most sum C(n, k), k <= d, in d dimensions (Zaslavsky 1975).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

from creases.engine.answers.pieces import Piece

__all__ = ["LARGEST_COUNT", "check_layers", "check_sum"]

# The largest count of the engine, whose numbers are int64.
LARGEST_COUNT = 2**63 - 1


def check_layers(by_layer: Sequence[int], piece: Piece, hyperplanes: Sequence[int], dimension: int) -> None:
    """Raise ValueError if a piece cannot have these numbers of regions after each layer.

    hyperplanes : number per layer. dimension : that of the domain; a wall has a smaller one, by one for each wall in
        which it lies.
    """
    walls = piece.path.count("0")
    before = 1
    for layer, (regions, width) in enumerate(zip(by_layer, hyperplanes, strict=True), start=1):
        most = min(before * most_pieces(width, dimension - walls), LARGEST_COUNT)
        if regions > most:
            raise ValueError(f"by_layer has {regions:,} regions after layer {layer}, where there are {most:,} at most")
        # On a wall the number may decrease: if a neuron vanishes there but not around it, no open region meets the wall
        # there.
        if regions < before and not walls:
            raise ValueError(f"by_layer decreases to {regions:,} regions after layer {layer}, and no layer joins any")
        before = regions


def check_sum(by_layer: Sequence[int], unbounded: int | None) -> None:
    """Raise ValueError if the sums of the pieces' numbers, each with its sign, cannot be those of a count."""
    if by_layer[0] < 1 or any(below > above for below, above in itertools.pairwise(by_layer)):
        raise ValueError(f"their sum after each layer is {', '.join(f'{value:,}' for value in by_layer)}")
    if unbounded is not None and not 0 <= unbounded <= by_layer[-1]:
        raise ValueError(f"of {by_layer[-1]:,} regions in sum {unbounded:,} are unbounded")


@lru_cache(maxsize=4096)
def most_pieces(hyperplanes: int, dimension: int) -> int:
    """The largest number of pieces into which this many hyperplanes cut a convex set of this dimension."""
    return sum(math.comb(hyperplanes, k) for k in range(dimension + 1))
