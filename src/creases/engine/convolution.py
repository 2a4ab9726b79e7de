"""A convolution as the engine knows it where its matrix is too large to be written out.

    values (b, n_in)  ->  images with zeros around them (b, channels, *lengths)
                      ->  windows (groups, terms, b, w)  ->  weight (groups, outputs, terms) @ windows

An image that is zero but for a part has results that are zero but for a box of windows, and only those are made: what
an open unit adds to the levels next above it is local.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Convolution"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Convolution:
    """The matrix (n_out, n_in) of a convolution, which is applied and not written out.

    kernel : float64 (groups, outputs, inputs, *taps), of one group each.
    geometry : where the windows stand over the image's sides: its `sides`, `kernel`, `stride`, `dilation` and `counts`
        of windows, one number a side; `padded`, `taps()` and `at(tap)`, what every window has at a tap; and `fewer`,
        the same with other counts.
    """

    kernel: Floats
    geometry: Any

    @cached_property
    def weight(self) -> Floats:
        """The kernel as one matrix a group, float64 (groups, outputs, terms)."""
        groups, outputs = self.kernel.shape[:2]
        return np.ascontiguousarray(self.kernel.reshape(groups, outputs, -1))

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return int(self.kernel.shape[0] * self.kernel.shape[2])

    @property
    def shape(self) -> tuple[int, int]:
        """(n_out, n_in)."""
        groups, outputs = self.kernel.shape[:2]
        return groups * outputs * math.prod(self.geometry.counts), self.channels * math.prod(self.geometry.sides)

    @cached_property
    def overlap(self) -> int:
        """How many windows a value stands in, at most: taps t and t' meet it if (t - t') dilation is a multiple of the
        stride."""
        sides = zip(self.kernel.shape[3:], self.geometry.stride, self.geometry.dilation, strict=True)
        return math.prod(-(-taps // (step // math.gcd(step, gap))) for taps, step, gap in sides)

    def spread(self, some: Bools) -> Bools:
        """Where the result may have numbers that are not zero, bool (b, n_out), if values have them there (b, n_in)."""
        groups, outputs, inputs = self.kernel.shape[:3]
        by_group = some.reshape(len(some), groups, inputs, *self.geometry.sides)
        seen = self.geometry.padded(np.logical_or.reduce(by_group, 2))
        reached = np.zeros((len(some), groups, *self.geometry.counts), np.bool_)
        for tap in self.geometry.taps():
            reached |= seen[(..., *self.geometry.at(tap))]
        return np.repeat(reached, outputs, axis=1).reshape(len(some), -1)

    def images(self, values: Floats) -> Floats:
        """Values (b, n_in) as images with zeros around them, float64 (b, channels, *lengths)."""
        padded: Floats = self.geometry.padded(values.reshape(len(values), self.channels, *self.geometry.sides))
        return padded

    def boxes(self, images: Floats) -> tuple[Ints, Ints]:
        """The windows of each image that see anything but zeros, from first to before end: int64 (b, sides) each."""
        some = np.logical_or.reduce(images != 0.0, axis=1)
        geometry = self.geometry
        first, end = np.zeros((2, len(images), some.ndim - 1), np.int64)
        for side, (step, gap, taps, count) in enumerate(
            zip(geometry.stride, geometry.dilation, geometry.kernel, geometry.counts, strict=True)
        ):
            along = np.logical_or.reduce(
                np.moveaxis(some, side + 1, 1).reshape(*some.shape[:1], some.shape[side + 1], -1), 2
            )
            low, high = along.argmax(axis=1), along.shape[1] - 1 - along[:, ::-1].argmax(axis=1)
            first[:, side] = np.clip(-(-(low - gap * (taps - 1)) // step), 0, count - 1)
            end[:, side] = np.clip(high // step, first[:, side], count - 1) + 1
        return first, end

    def cropped(self, images: Floats, first: Ints, counts: Sequence[int]) -> Floats:
        """The part of each image that so many windows see, from its first one on: float64 (b, channels, *lengths)."""
        lengths = self.geometry.fewer(counts).lengths
        parts = np.empty((*images.shape[:2], *lengths))
        for image, part, begin in zip(images, parts, (first * np.array(self.geometry.stride)).tolist(), strict=True):
            part[:] = image[(slice(None), *(slice(a, a + n) for a, n in zip(begin, lengths, strict=True)))]
        return parts

    def windows(self, images: Floats, counts: Sequence[int]) -> Floats:
        """What so many windows along each side see of images: float64 (groups, inputs * taps, b, windows), in the order
        of the kernel's inputs and taps; exact copies."""
        geometry = self.geometry.fewer(counts)
        groups, inputs, taps = len(self.kernel), self.kernel.shape[2], geometry.taps()
        seen = np.empty((groups, inputs, len(taps), len(images), *counts))
        for place, tap in enumerate(taps):
            here = images[(..., *geometry.at(tap))].reshape(len(images), groups, inputs, *counts)
            seen[:, :, place] = np.moveaxis(here, 0, 2)
        return seen.reshape(groups, inputs * len(taps), len(images), math.prod(counts))
