"""Windows that slide over an image: their positions, their entries, and which entries are in the padding.

Along one side of length L, tap t of window o is at position o * stride + t * dilation - before; positions outside 0 ...
L - 1 are padding. Convolutions, average pools and max pools differ only in what they compute from these entries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import LARGEST_WHOLE, Integers, as_sides, whole

__all__ = ["Windows", "as_padding", "at"]

Sides = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Windows:
    """Windows over the sides of an image; every tuple has one entry per side.

    sides, kernel, stride, dilation : integers of at least 1.
    padding : pairs (before, after).
    counts : the number of windows along each side.
    """

    sides: Sides
    kernel: Sides
    stride: Sides
    padding: Pairs
    dilation: Sides
    counts: Sides

    @classmethod
    def over(
        cls, sides: Sides, kernel: Sides, stride: Sides, padding: Pairs, dilation: Sides, name: str, ceil: bool = False
    ) -> Windows:
        """As many windows as fit; with `ceil`, one more may extend beyond the padding if it begins before its end
        (torch).

        Raises NetworkError, with `name`, if no window fits, or if there are far too many.
        """
        counts = []
        for side, taps, step, (before, after), gap in zip(sides, kernel, stride, padding, dilation, strict=True):
            reach = gap * (taps - 1) + 1
            room = side + before + after - reach
            if room < 0:
                raise NetworkError(
                    f"{name}: a kernel of {taps} (dilation {gap}, so {reach} wide) does not fit into a side of {side} "
                    f"with padding ({before}, {after}), {side + before + after} in all. Give more padding or a smaller "
                    "kernel."
                )
            count = (-(-room // step) if ceil else room // step) + 1
            if ceil and (count - 1) * step >= side + before:
                count -= 1
            counts.append(count)
        if math.prod(counts) > LARGEST_WHOLE:
            raise NetworkError(f"{name}: {math.prod(counts):,} windows fit; {LARGEST_WHOLE:,} are allowed at most.")
        return cls(sides, kernel, stride, padding, dilation, tuple(counts))

    def taps(self) -> list[Sides]:
        """All taps of the kernel, in C order."""
        return list(product(*(range(taps) for taps in self.kernel)))

    def at(self, tap: Sides) -> tuple[Any, ...]:
        """Slices of the padded image: the entries of all windows at one tap."""
        return tuple(
            slice(t * gap, t * gap + step * (count - 1) + 1, step)
            for t, gap, step, count in zip(tap, self.dilation, self.stride, self.counts, strict=True)
        )

    @property
    def lengths(self) -> Sides:
        """The length of each side of the padded image, up to the last entry in a window."""
        return tuple(
            step * (count - 1) + gap * (taps - 1) + 1
            for step, count, gap, taps in zip(self.stride, self.counts, self.dilation, self.kernel, strict=True)
        )

    def padded(self, images: NDArray[Any]) -> NDArray[Any]:
        """Images (b, c, *sides) of any dtype with zeros around them, (b, c, *lengths).

        Entries that are in no window are cut off.
        """
        result = np.zeros((*images.shape[:2], *self.lengths), images.dtype)
        here, there = [], []
        for side, (before, _after), length in zip(self.sides, self.padding, self.lengths, strict=True):
            kept = max(min(side, length - before), 0)
            here.append(slice(before, before + kept))
            there.append(slice(0, kept))
        result[at(*here)] = images[at(*there)]
        return result

    def places(self) -> Integers:
        """The entries of each window, int64 (windows, taps): indices into the flat image, ascending; -1 for padding."""
        result = np.zeros((1, 1), dtype=np.int64)
        for side, taps, step, (before, _after), gap, count in zip(
            self.sides, self.kernel, self.stride, self.padding, self.dilation, self.counts, strict=True
        ):
            along = np.arange(count)[:, None] * step + np.arange(taps) * gap - before
            along[(along < 0) | (along >= side)] = -1
            joint = result[:, None, :, None] * side + along[None, :, None, :]
            joint[(result[:, None, :, None] < 0) | (along[None, :, None, :] < 0)] = -1
            result = joint.reshape(result.shape[0] * count, result.shape[1] * taps)
        return result

    def sizes(self, with_padding: bool) -> Integers:
        """The number of entries of each window, int64 (windows,), with or without the padding, and never with entries
        beyond it."""
        result = np.ones(1, dtype=np.int64)
        for side, taps, step, (before, after), count in zip(
            self.sides, self.kernel, self.stride, self.padding, self.counts, strict=True
        ):
            first = np.arange(count) * step - before
            end = np.minimum(first + taps, side + after)
            if not with_padding:
                first, end = np.maximum(first, 0), np.minimum(end, side)
            result = np.multiply.outer(result, (end - first).astype(np.int64)).reshape(-1)
        return result

    def fewer(self, counts: Sides) -> Windows:
        """The windows with the first `counts` positions along each side."""
        return replace(self, counts=tuple(counts))

    @property
    def n_windows(self) -> int:
        """The number of windows."""
        return math.prod(self.counts)


def at(*last: Any) -> Any:
    """An index of the last axes."""
    return (..., *last)


def as_padding(value: Any, name: str, sides: int) -> Pairs:
    """Pairs (before, after), one per side, from a single number, one per side, or pairs. Raises NetworkError if one is
    negative."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return ((whole(value, name, 0),) * 2,) * sides
    pairs = []
    for entry in value:
        pair = as_sides(entry, name, 2, 0)
        pairs.append((pair[0], pair[1]))
    if len(pairs) != sides:
        raise NetworkError(
            f"{name} must be one number, {sides} (one a side), or {sides} pairs (before, after); got {value!r}."
        )
    return tuple(pairs)
