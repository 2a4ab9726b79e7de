"""The band between two parallel lines that replaces an undecided activation."""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import inlined
from creases.engine.proof.bounds import LARGEST_PROVED, ROUND_UP

__all__ = ["slope_and_lift"]


@inlined
def slope_and_lift(low: float, high: float) -> tuple[float, float]:
    """s in [0, 1] and t with s z <= relu(z) <= s z + t for all z in [low, high].

    t = max(-s lo, (1 - s) hi): relu(z) - s z is convex, so it is largest at an end, and smallest (0) at z = 0.
    That holds for any s in [0, 1], so s may be rounded; 1 - s, whose rounding is relative, and the products are paid
    for by ROUND_UP, and what they lose to underflow (less than 2^-1074) by the UNDERFLOW in the radius. Where a bound
    is NaN or infinite the lift is infinite; that is looked at apart, because a maximum may lose a NaN.
    """
    slope = 1.0 if low >= 0.0 else (0.0 if high <= 0.0 else high / (high - low))
    if not 0.0 <= slope <= 1.0:
        slope = 0.0
    lift = max(-slope * low, (1.0 - slope) * high, 0.0) * ROUND_UP
    if not (lift < LARGEST_PROVED and high - low < np.inf):
        slope, lift = 0.0, np.inf  # what reaches no proof here reaches none above
    return slope, lift
