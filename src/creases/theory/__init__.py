"""What the theory says about the number of regions: classical maximum counts, the paper's estimate, and zero biases."""

from __future__ import annotations

from creases.theory.attained import (
    arora_lower,
    montufar_2014_lower,
    one_dimensional_maximum,
    pascanu_lower,
    serra_lower,
)
from creases.theory.convolutional import xiong_one_layer
from creases.theory.maximum import (
    central,
    faces,
    hanin_rolnick_estimate,
    hinz_upper,
    maxout_upper,
    montufar_2017_upper,
    raghu_order,
    serra_upper,
    trivial,
    zaslavsky,
)
from creases.theory.zero_bias import Pair, has_full_recession_cone, unbounded_cones, zero_bias_map

__all__ = [
    "Pair",
    "arora_lower",
    "central",
    "faces",
    "hanin_rolnick_estimate",
    "has_full_recession_cone",
    "hinz_upper",
    "maxout_upper",
    "montufar_2014_lower",
    "montufar_2017_upper",
    "one_dimensional_maximum",
    "pascanu_lower",
    "raghu_order",
    "serra_lower",
    "serra_upper",
    "trivial",
    "unbounded_cones",
    "xiong_one_layer",
    "zaslavsky",
    "zero_bias_map",
]
