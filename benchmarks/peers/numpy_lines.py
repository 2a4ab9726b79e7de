"""Interval splitting in vectorised numpy, all lines at once: our own, float64, signs not proved.

On a line every neuron of the first layer is affine, t -> a t + b; its zero splits the line. On each interval between
zeros the active neurons are known from its middle, so the next layer is affine there again. Intervals of all lines
stand in one array, each with its line's number; the last layer's zeros are only counted.
"""

from __future__ import annotations

import numpy as np


def count_on_lines(hidden, points, directions, low=-np.inf, high=np.inf):
    """Regions of a network's hidden layers on each line t -> point + t direction, low < t < high; (lines,).

    points, directions : (lines, n_in).
    """
    lines = len(points)
    slope, offset = directions, points
    line, low, high = np.arange(lines), np.full(lines, low), np.full(lines, high)
    for weight, bias in hidden[:-1]:
        slope, offset = slope @ weight.T, offset @ weight.T + bias
        zeros, parent = zeros_inside(slope, offset, low, high)
        line, low, high, parent = split(line, low, high, zeros, parent)
        middle = middles(low, high)[:, None]
        slope, offset = slope[parent], offset[parent]
        active = slope * middle + offset > 0
        slope, offset = slope * active, offset * active
    weight, bias = hidden[-1]
    _, parent = zeros_inside(slope @ weight.T, offset @ weight.T + bias, low, high)
    return np.bincount(line, minlength=lines) + np.bincount(line[parent], minlength=lines)


def zeros_inside(slope, offset, low, high):
    """(zeros, interval) of all neurons strictly inside of their interval."""
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = -offset / slope
    inside = (zeros > low[:, None]) & (zeros < high[:, None])
    return zeros[inside], np.nonzero(inside)[0]


def split(line, low, high, zeros, parent):
    """Intervals (line, low, high, parent) after the zeros have split them, in order along each line."""
    # An interval's pieces begin at its own low end and at its zeros, in order.
    starts = np.concatenate([low, zeros])
    parents = np.concatenate([np.arange(len(low)), parent])
    order = np.lexsort((starts, parents))
    starts, parents = starts[order], parents[order]
    ends = np.append(starts[1:], np.inf)
    last = np.append(parents[1:] != parents[:-1], True)
    return line[parents], starts, np.where(last, high[parents], ends), parents


def middles(low, high):
    """A number strictly inside of each interval, the infinite ones too."""
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (low + high)
    middle = np.where(np.isinf(low), high - 1.0, middle)
    middle = np.where(np.isinf(high), low + 1.0, middle)
    return np.where(np.isinf(low) & np.isinf(high), 0.0, middle)
