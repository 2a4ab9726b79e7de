"""What the theory says about the number of regions: classical maximum counts, the paper's estimate, and zero biases."""

from __future__ import annotations

from creases.theory.maximum import central, hanin_rolnick_estimate, serra_upper, zaslavsky
from creases.theory.zero_bias import Pair, has_full_recession_cone, unbounded_cones, zero_bias_map

__all__ = [
    "Pair",
    "central",
    "hanin_rolnick_estimate",
    "has_full_recession_cone",
    "serra_upper",
    "unbounded_cones",
    "zaslavsky",
    "zero_bias_map",
]
