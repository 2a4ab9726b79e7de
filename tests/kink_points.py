"""Points on kinks of the first level: a reader may have a kink wrong and be right on one side of it."""

import numpy as np

__all__ = ["projected", "with_kinks"]


def projected(points, weight, bias):
    """Each point moved to the nearest one of a hyperplane weight[i] x + bias[i] = 0, one neuron after the other."""
    unit = np.arange(len(points)) % len(weight)
    rows = weight[unit]
    over = (rows * points).sum(axis=1) + bias[unit]
    return points - (over / (rows**2).sum(axis=1))[:, None] * rows


def with_kinks(network, points):
    """The points, and after them as many on the way between two of them, where a unit of the first layer is zero.

    For networks whose first layer is no matrix; of a network without a kink the points alone.
    """
    if not network.depth:
        return points
    far = points[::-1] + 0.5
    at, beyond = (network.pre_activations(side)[0] for side in (points, far))
    unit = np.arange(len(points)) % at.shape[1]
    first, second = (z[np.arange(len(points)), unit] for z in (at, beyond))
    with np.errstate(all="ignore"):
        found = points + (first / (first - second))[:, None] * (far - points)
    return np.concatenate([points, found[np.isfinite(found).all(axis=1) & (first != second)]])
