"""Exponents of a growth, count = c N^a depth^b, with intervals by the jackknife over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.paper.jackknife import pseudo_values

if TYPE_CHECKING:
    import pandas

__all__ = ["exponents"]

Floats = NDArray[np.float64]


def exponents(runs: pandas.DataFrame) -> Floats:
    """The exponents of N and of the depth in count = c N^a depth^b: pseudo-values, shape (blocks, 2) (`pseudo_values`).

    runs : columns neurons, depth, seed and value, with one row per run; layers of equal width. Architectures may have
        different numbers of seeds; the number of blocks is the smallest of these.
    The exponents are fitted by weighted least squares to the logarithms of the mean counts of architectures. The
    relative variance of a mean over m seeds is proportional to (depth - 1) depth / (N m), as the figure of fluctuations
    shows, and the weights are its inverse; they are all equal if a depth is one. The logarithm of a mean is too small
    by half the relative variance of that mean; the jackknife removes this bias to first order.
    If all depths are equal, the second column is NaN; if there is only one number of neurons, there are no rows.
    """
    shapes = [shape for shape, _ in runs.groupby(["neurons", "depth"])]
    if len({neurons for neurons, _ in shapes}) < 2:
        return np.empty((0, 2))
    values = [dict(zip(mine["seed"], mine["value"], strict=True)) for _, mine in runs.groupby(["neurons", "depth"])]
    neurons, depths = np.array(shapes, dtype=np.float64).T
    columns = [np.ones(len(shapes)), np.log(neurons), np.log(depths)]
    design = np.column_stack(columns if len(np.unique(depths)) > 1 else columns[:2])

    def fit(seeds: set[int]) -> Floats:
        counts = np.array([len(seeds & set(some)) for some in values], dtype=np.float64)
        if not counts.all():
            return np.full(2, np.nan)
        means = np.array([sum(value for seed, value in some.items() if seed in seeds) for some in values]) / counts
        weights = np.ones(len(means)) if depths.min() < 2 else neurons * counts / (depths * (depths - 1))
        roots = np.sqrt(weights)
        found = np.linalg.lstsq(design * roots[:, None], np.log(means) * roots, rcond=None)[0]
        return np.array([found[1], found[2] if len(found) > 2 else np.nan])

    return pseudo_values(sorted(set(runs["seed"])), fit, min(map(len, values)))
