"""Colours of regions: adjacent regions can be distinguished, also by colour-blind readers and in grey print.

In a generic network, the patterns of two regions that share a facet differ in exactly one neuron, so the parity of the
number of active neurons is a proper colouring with two colours: it sets the lightness. (A switch counts as the position
of its winner, so that most of its walls are visible too.) The hue is a hash of the pattern that is similar for adjacent
regions: each neuron has an angle of its own, and the hue is the sum of the angles of the active ones. So a colour
depends on the pattern alone, and a region keeps its colour during training and in every window. Distant regions differ
much and adjacent ones little, and the folds of the early layers, whose angles are the largest, remain visible. Colours
are computed in OKLab (Ottosson 2020), in which equal steps look equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.network import Network

__all__ = ["Colouring", "active_neurons", "by_activity", "by_pattern", "colours_of_patterns", "oklab_to_rgb"]

Floats = NDArray[np.float64]
# A function from a complex to one colour per cell: float64, shape (cells, 3), red, green and blue in [0, 1].
Colouring: TypeAlias = "Callable[[Complex], Floats]"

LIGHTNESS = (0.74, 0.90)
CHROMA = (0.05, 0.10)
# The smallest and largest angle of a neuron of the first layer, in full turns, and the ratio of the angles of
# successive layers.
TURN = (0.07, 0.22)
FADING = 0.8
# Any number of multiples of it, modulo 1, are spread evenly.
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
# The number of cells whose bits are unpacked at a time.
CELLS_AT_ONCE = 1 << 15


def by_pattern(complex: Complex) -> Floats:
    """Colours by activation pattern, float64 (cells, 3): hue from a hash of the pattern, lightness from the parity of
    its active neurons.

    A pattern has the same colour in all networks with the same layers.
    """
    return colours_of_patterns(complex.network, complex.patterns)


def colours_of_patterns(network: Network, patterns: NDArray[np.uint8]) -> Floats:
    """`by_pattern` for packed patterns, uint8 (cells, bytes): float64 (cells, 3)."""
    places = network.places
    bits = patterns.shape[1] * 8
    turns = np.zeros((bits, 2))
    turns[: network.bits] = turns_of([int(layer.sum()) for layer in places])
    odd = np.zeros(bits, np.uint8)
    odd[: network.bits] = np.concatenate([np.zeros(0, np.uint8), *map(oddness, places)])
    hues, parities = [np.zeros((0, 2))], [np.zeros(0, np.uint8)]
    for active in unpacked(patterns):
        hues.append(active.astype(np.float64) @ turns)
        parities.append((active * odd).sum(axis=1) % 2)
    hue, strength = np.concatenate(hues).T
    chroma = CHROMA[0] + (CHROMA[1] - CHROMA[0]) * (0.5 + 0.5 * np.cos(2.0 * np.pi * strength))
    angle = 2.0 * np.pi * hue
    lightness = np.where(np.concatenate(parities) == 0, *LIGHTNESS)
    return oklab_to_rgb(np.column_stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)]))


def turns_of(sizes: list[int]) -> Floats:
    """The angles by which each bit of a pattern changes the hue and the saturation, in full turns: float64 (bits, 2).

    sizes : the number of bits of each layer.
    """
    number = np.arange(sum(sizes))
    share = (GOLDEN * number) % 1.0
    sign = np.where((np.sqrt(2.0) * number) % 1.0 < 0.5, -1.0, 1.0)
    fading = np.repeat(FADING ** np.arange(len(sizes)), sizes)
    hue = sign * (TURN[0] + (TURN[1] - TURN[0]) * share) * fading
    return np.column_stack([hue, np.sqrt(3.0) * number % 1.0])


def unpacked(patterns: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The bits of packed patterns, some cells at a time: uint8 (some, 8 * bytes)."""
    for start in range(0, len(patterns), CELLS_AT_ONCE):
        yield np.unpackbits(patterns[start : start + CELLS_AT_ONCE], axis=1, bitorder="little")


def oddness(places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Whether each bit of a layer counts for the parity: those of neurons, and every other candidate of a switch.

    places : the number of bits of each neuron or switch.
    """
    if (places == 1).all():
        return np.ones(len(places), np.uint8)
    starts = np.repeat(np.cumsum(places) - places, places)
    return ((np.arange(int(places.sum())) - starts) % 2).astype(np.uint8)


def active_neurons(complex: Complex) -> Floats:
    """The number of active neurons on each cell, float64 (cells,); a switch counts as one."""
    return np.concatenate([np.zeros(0), *(bits.sum(axis=1, dtype=np.float64) for bits in unpacked(complex.patterns))])


def by_activity(complex: Complex) -> Floats:
    """Colours by the number of active neurons, from dark blue (few) to yellow (many): float64 (cells, 3)."""
    active = active_neurons(complex)
    low, high = active.min(), active.max()
    from matplotlib import colormaps

    return np.asarray(colormaps["cividis"]((active - low) / max(high - low, 1.0))[:, :3])


def oklab_to_rgb(lab: Floats) -> Floats:
    """OKLab colours as sRGB in [0, 1], both of shape (..., 3); clipped if a screen cannot show the colour."""
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
