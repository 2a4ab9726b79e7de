"""Inputs that are images, shown as images."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from creases.network import Network

__all__ = ["image_of", "image_shape"]

Floats = NDArray[np.float64]

# Flat inputs are taken for a square image only if there are data, and at least this many inputs.
LEAST_SIDE = 8
# Allowed side lengths of an image.
LONGEST_SIDE = 1024


def image_shape(network: Network, points: Floats | None) -> list[int] | None:
    """[channels, rows, columns] if inputs are images with one or three channels; otherwise None.

    They are if the network has such an input shape, or if there are data and the inputs form a square.
    """
    shape = network.input_shape
    if len(shape) == 3 and shape[0] in (1, 3) and max(shape) <= LONGEST_SIDE:
        return list(shape)
    if len(shape) == 2 and min(shape) > 1 and max(shape) <= LONGEST_SIDE:
        return [1, *shape]
    side = isqrt(network.n_in)
    if points is not None and side * side == network.n_in and LEAST_SIDE <= side <= LONGEST_SIDE:
        return [1, side, side]
    return None


def image_of(values: Floats, shape: list[int], points: Floats | None) -> NDArray[np.uint8]:
    """An input as uint8 (rows, columns, 3), on the scale of the data, or on its own if there are no data.

    values : float64 (n_in,).
    """
    low, high = (values.min(), values.max()) if points is None else (points.min(), points.max())
    scaled = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0).reshape(shape)
    picture = np.repeat(scaled, 3, axis=0) if shape[0] == 1 else scaled
    return np.round(255 * np.moveaxis(picture, 0, -1)).astype(np.uint8)
