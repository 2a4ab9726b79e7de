"""Colours of regions: neighbours can be told apart, by colour-blind eyes and in grey print too.

Where two regions share a facet, exactly one neuron differs in a generic network, so the parity of the
number of active neurons is a proper colouring with two colours: it sets the lightness. (A switch counts as the place of
its winner, so that most of its walls are seen too.) The hue drifts with
the pattern: each neuron pulls it in a direction of its own, so far-apart regions differ much and neighbours
little, and the large folds of the early layers stay visible. Colours are made in OKLab (Ottosson 2020), where
equal steps look equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from creases.complex import Complex

__all__ = ["Colouring", "by_activity", "by_pattern", "oklab_to_rgb"]

Floats = NDArray[np.float64]
# From a complex to one colour a cell: float64, shape (cells, 3), red, green and blue in [0, 1].
Colouring: TypeAlias = "Callable[[Complex], Floats]"

LIGHTNESS = (0.74, 0.90)
CHROMA = 0.09
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
# Cells whose bits are unpacked at one time.
CELLS_AT_ONCE = 1 << 15


def by_pattern(complex: Complex) -> Floats:
    """Hue from the activation pattern, lightness from the parity of its active neurons."""
    bits = complex.patterns.shape[1] * 8
    odd = np.zeros(bits, np.uint8)
    odd[: complex.network.bits] = np.concatenate([np.zeros(0, np.uint8), *map(oddness, complex.network.places)])
    angles = 2.0 * np.pi * GOLDEN * np.arange(bits)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    hues, parities = [], []
    for start in range(0, len(complex), CELLS_AT_ONCE):
        active = np.unpackbits(complex.patterns[start : start + CELLS_AT_ONCE], axis=1, bitorder="little")
        hues.append(active.astype(np.float64) @ directions)
        parities.append((active * odd).sum(axis=1) % 2)
    pull = np.concatenate(hues)
    pull -= pull.mean(axis=0)
    spread = np.sqrt((pull**2).sum(axis=1).mean()) or 1.0
    reach = np.linalg.norm(pull, axis=1, keepdims=True)
    # Saturate: no region runs out of the colours that a screen has.
    pull *= CHROMA * np.tanh(reach / spread) / np.maximum(reach, 1e-300)
    lightness = np.where(np.concatenate(parities) == 0, *LIGHTNESS)
    return oklab_to_rgb(np.column_stack([lightness, pull]))


def oddness(places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """For each bit of a layer whether it counts: that of a neuron, and of a switch those of every other candidate.

    places : how many bits each neuron or switch has.
    """
    if (places == 1).all():
        return np.ones(len(places), np.uint8)
    starts = np.repeat(np.cumsum(places) - places, places)
    return ((np.arange(int(places.sum())) - starts) % 2).astype(np.uint8)


def by_activity(complex: Complex) -> Floats:
    """From dark blue to yellow as more neurons are active; dead stretches of the domain show dark."""
    active = np.concatenate(
        [
            np.unpackbits(complex.patterns[start : start + CELLS_AT_ONCE], axis=1).sum(axis=1)
            for start in range(0, len(complex), CELLS_AT_ONCE)
        ]
    ).astype(np.float64)
    low, high = active.min(), active.max()
    from matplotlib import colormaps

    return np.asarray(colormaps["cividis"]((active - low) / max(high - low, 1.0))[:, :3])


def oklab_to_rgb(lab: Floats) -> Floats:
    """sRGB in [0, 1] of OKLab colours, both of shape (..., 3); clipped where a screen has no such colour."""
    to_lms = np.array(
        [
            [1.0, 0.3963377774, 0.2158037573],
            [1.0, -0.1055613458, -0.0638541728],
            [1.0, -0.0894841775, -1.2914855480],
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((lab @ to_lms.T) ** 3 @ to_linear.T, 0.0, 1.0)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))
