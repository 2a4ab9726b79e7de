"""Checks of a whole table of patterns, sampled or not: in integers, and one in floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "areas",
    "by_pattern",
    "by_ring",
    "by_run",
    "cuts_by_neuron",
    "first_double",
    "regions_by_layer",
    "stray_bits",
]

Patterns = NDArray[np.uint8]
Grouping = Callable[[Patterns, int], NDArray[np.int64]]


def beginnings(patterns: Patterns, bits: int) -> Patterns:
    """The first `bits` bits of each row, followed by zeros."""
    begun = patterns[:, : (bits + 7) // 8].copy()
    if bits % 8:
        begun[:, -1] &= (1 << bits % 8) - 1
    return begun


def as_keys(patterns: Patterns) -> NDArray[Any]:
    """Each row as one value that can be sorted."""
    return np.ascontiguousarray(patterns).view(np.dtype((np.void, patterns.shape[1]))).ravel()


def by_pattern(patterns: Patterns, bits: int) -> NDArray[np.int64]:
    """A number for each row, from 0: rows have the same number if their first `bits` bits are equal."""
    if bits == 0:
        return np.zeros(len(patterns), np.int64)
    return np.asarray(np.unique(as_keys(beginnings(patterns, bits)), return_inverse=True)[1].ravel())


def by_run(patterns: Patterns, bits: int) -> NDArray[np.int64]:
    """A number for each row, from 0: it increases where the first `bits` bits differ from those of the row before."""
    begun = beginnings(patterns, bits)
    return np.cumsum([0, *(begun[1:] != begun[:-1]).any(axis=1)])


def by_ring(patterns: Patterns, bits: int) -> NDArray[np.int64]:
    """Like `by_run` for cyclic rows: the last run may be a part of the first."""
    begun, numbers = beginnings(patterns, bits), by_run(patterns, bits)
    if (begun[0] == begun[-1]).all():
        numbers[numbers == numbers[-1]] = 0
    return numbers


def stray_bits(patterns: Patterns, bits: int) -> NDArray[np.int64]:
    """The rows in which a bit after the last neuron or candidate is set."""
    spare = bits % 8
    return np.flatnonzero(patterns[:, -1] >> spare) if spare else np.zeros(0, np.int64)


def first_double(patterns: Patterns) -> tuple[int, int] | None:
    """The indices of two equal rows, or None."""
    if not patterns.shape[1]:
        return (0, 1) if len(patterns) > 1 else None
    _, first, inverse = np.unique(as_keys(patterns), return_index=True, return_inverse=True)
    doubles = np.flatnonzero(first[inverse] != np.arange(len(patterns)))
    return None if not len(doubles) else (int(first[inverse[doubles[0]]]), int(doubles[0]))


def regions_by_layer(
    patterns: Patterns, sizes: Sequence[Sequence[int]], group: Grouping = by_pattern
) -> tuple[int, ...]:
    """The number of regions of the first 1, 2, ... layers: the number of their different patterns.

    sizes : for each layer, the number of bits of each of its neurons or switches.
    Each region of the first layers contains a region of all layers, so none is missed; and two regions never have the
    same pattern.
    """
    return tuple(int(group(patterns, end).max()) + 1 for end in accumulate(map(sum, sizes)))


def cuts_by_neuron(
    patterns: Patterns, sizes: Sequence[Sequence[int]], group: Grouping = by_pattern
) -> tuple[tuple[int, ...], ...]:
    """For each layer and neuron, the number of regions of the layers below that it cuts: those in which it has both
    signs.

    For each switch, those in which more than one candidate wins. sizes : as in `regions_by_layer`.
    """
    result, start = [], 0
    for layer in sizes:
        below = group(patterns, start)
        order = np.argsort(below, kind="stable")
        begins = np.flatnonzero(np.diff(below[order], prepend=-1))
        counts = []
        for size in layer:
            both = np.zeros(len(begins), np.bool_)
            for bit in range(start, start + size):
                on = (patterns[order, bit // 8] >> (bit % 8)) & 1
                both |= np.minimum.reduceat(on, begins) != np.maximum.reduceat(on, begins)
            counts.append(int(both.sum()))
            start += size
        result.append(tuple(counts))
    return tuple(result)


def areas(first: NDArray[np.int64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area of each bounded cell (d = 1: its length) from its corners in order, in floats and without a proof.

    first : int64 (cells + 1,). corners : float64 (corners, d), the rows of cell i from first[i] to first[i + 1].
    """
    after = np.arange(1, len(corners) + 1)
    after[first[1:] - 1] = first[:-1]
    if corners.shape[1] == 1:
        return np.asarray(corners[first[1:] - 1, 0] - corners[first[:-1], 0])
    # Relative to a corner of the cell; otherwise rounding would dominate in small cells far from the origin.
    local = corners - np.repeat(corners[first[:-1]], np.diff(first), axis=0)
    turns = local[:, 0] * local[after, 1] - local[after, 0] * local[:, 1]
    return np.asarray(np.add.reduceat(turns, first[:-1]) / 2)
