"""The band between two parallel lines that replaces an undecided activation."""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats
from creases.engine.proof.bounds import LARGEST_PROVED, ROUND_UP

__all__ = ["band", "bands", "relu_band"]


@kernel
def band(low: float, high: float, below: float, above: float) -> tuple[float, float, float]:
    """s, m and h with |kink(z) - s z - m| <= h for all z in [low, high]; the kink's slopes are `below` and `above`.

    kink(z) - s z has one bend, at z = 0, where it is 0; so it lies between the least and the largest of 0, (below - s)
    low and (above - s) high, as far as the ends lie on either side of zero. That holds for any s, so s may be rounded;
    of the differences, whose rounding is relative, and of the products ROUND_UP pays for the rounding, and for what
    they lose to underflow (less than 2^-1074) the UNDERFLOW in the radius. Where a bound is NaN or infinite h is
    infinite; that is looked at apart, because a maximum may lose a NaN.
    """
    slope = above if low >= 0.0 else (below if high <= 0.0 else (above * high - below * low) / (high - low))
    if not abs(slope) <= abs(below) + abs(above):
        slope = 0.0
    left = (below - slope) * min(low, 0.0)
    right = (above - slope) * max(high, 0.0)
    top, bottom = max(left, right, 0.0) * ROUND_UP, min(left, right, 0.0) * ROUND_UP
    if not (top < LARGEST_PROVED and bottom > -LARGEST_PROVED and high - low < np.inf):
        return 0.0, 0.0, np.inf  # what reaches no proof here reaches none above
    return slope, 0.5 * (top + bottom), 0.5 * (top - bottom) * ROUND_UP


@inlined
def relu_band(low: float, high: float) -> tuple[float, float, float]:
    """`band` of ReLU, for which zero is the least of the three."""
    slope = 1.0 if low >= 0.0 else (0.0 if high <= 0.0 else high / (high - low))
    if not 0.0 <= slope <= 1.0:
        slope = 0.0
    top = max(-slope * low, (1.0 - slope) * high, 0.0) * ROUND_UP
    if not (top < LARGEST_PROVED and high - low < np.inf):
        return 0.0, 0.0, np.inf
    return slope, 0.5 * top, 0.5 * top * ROUND_UP


def bands(low: Floats, high: Floats, below: Floats, above: Floats) -> tuple[Floats, Floats, Floats]:
    """`band` for arrays (n,)."""
    triples = [band(*each) for each in zip(low.tolist(), high.tolist(), below.tolist(), above.tolist(), strict=True)]
    slopes, middles, halves = np.array(triples).reshape(-1, 3).T
    return slopes, middles, halves
