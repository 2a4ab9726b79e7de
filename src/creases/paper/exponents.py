"""Exponents of a growth, count = c N^a depth^b, with their intervals: the jackknife over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.paper.figure import interval

if TYPE_CHECKING:
    import pandas

__all__ = ["as_text", "exponents"]


def exponents(runs: pandas.DataFrame) -> NDArray[np.float64]:
    """Of N and of the depth in count = c N^a depth^b, fitted to the logarithms of means over seeds: shape (seeds, 2).

    runs : columns neurons, depth, seed and value, a row a run.

    A row is a pseudo-value of the jackknife over seeds (Tukey 1958): their mean is the estimate, and Student's interval
    for that mean is its interval. Only seeds are taken that every architecture has; without depths that differ the
    second column is NaN, and there is no row where one number of neurons is all there is.
    """
    table = runs.pivot_table(index=["neurons", "depth"], columns="seed", values="value").dropna(axis=1)
    neurons, depths = (table.index.get_level_values(i).to_numpy(np.float64) for i in (0, 1))
    seeds = table.shape[1]
    if seeds == 0 or len(np.unique(neurons)) < 2:
        return np.empty((0, 2))
    columns = [np.ones(len(table)), np.log(neurons), np.log(depths)]
    design = np.column_stack(columns if len(np.unique(depths)) > 1 else columns[:2])

    def fit(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.linalg.lstsq(design, np.log(values.mean(axis=1)), rcond=None)[0]
        return np.array([found[1], found[2] if len(found) > 2 else np.nan])

    values = table.to_numpy(np.float64)
    whole = fit(values)
    if seeds == 1:
        return whole[None, :]
    without = np.array([fit(np.delete(values, i, axis=1)) for i in range(seeds)])
    return np.asarray(seeds * whole - (seeds - 1) * without)


def as_text(values: NDArray[np.float64]) -> str:
    """One exponent's pseudo-values as an estimate with its interval, in words."""
    if len(values) == 0 or not np.isfinite(values).all():
        return "too little to fit"
    low, high = interval(values)
    if len(values) == 1:
        return f"{values[0]:.3f} (1 run)"
    return f"{values.mean():.3f}, 95 % interval {low:.3f} to {high:.3f} ({len(values)} runs)"
