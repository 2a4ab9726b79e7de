"""The law of the spread of counts, fitted: CV^2 = coefficient n^2 part / width, where the part depends on the depth.

CV^2 = (standard deviation / mean)^2 over networks of one architecture; `creases.paper.fluctuations` explains what is
expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.paper.figure import Data
from creases.paper.fluctuations import relative_variances
from creases.paper.jackknife import pseudo_values
from creases.theory.maximum import zaslavsky

if TYPE_CHECKING:
    import pandas

__all__ = ["BY_DEPTH", "NAMES", "law", "ratios_to_hyperplanes", "shapes_of", "spreads", "table_of"]

Floats = NDArray[np.float64]

# The part of the depth in CV^2: for n = 1 the depth itself, otherwise `handed_up`.
BY_DEPTH: dict[int, str] = {1: "L", 2: "S", 3: "S", 4: "S"}
NAMES = {"L": "L / width", "L - 1": "(L - 1) / width", "S": "S"}


def table_of(data: Data, n: int, measure: str = "regions") -> pandas.DataFrame:
    """Networks with more than one layer as rows (width, depth), and the seeds that all of them have as columns."""
    rows = data.rows(measure, inputs=n)
    rows = rows[rows["depth"] > 1]
    return rows.pivot_table(index=["width", "depth"], columns="seed", values="value").dropna(axis=1)


def by_depth(kind: str, depths: Floats) -> Floats:
    """The part of the depth in CV^2 = coefficient n^2 part / width."""
    if kind == "L":
        return depths
    return depths - 1 if kind == "L - 1" else (depths - 1) * (2 * depths - 1) / (6 * depths)


def spreads(table: pandas.DataFrame, statistic: Callable[[Floats], Floats], size: int) -> Floats:
    """Pseudo-values over seeds, shape (seeds, size), of a statistic of the CV^2 of all networks."""
    seeds = list(table.columns)
    if len(seeds) == 0 or len(table) == 0:
        return np.empty((0, size))
    values = table.to_numpy(np.float64)

    def of(some: set[int]) -> Floats:
        kept = values[:, [seed in some for seed in seeds]]
        return statistic(relative_variances(kept))

    with np.errstate(divide="ignore", invalid="ignore"):
        return pseudo_values(seeds, of)


def shapes_of(table: pandas.DataFrame) -> tuple[Floats, Floats]:
    """Widths and depths of the rows."""
    widths, depths = (table.index.get_level_values(i).to_numpy(np.float64) for i in (0, 1))
    return widths, depths


def law(table: pandas.DataFrame, n: int) -> Floats:
    """Pseudo-values: exponents of the width and of the part of the depth; coefficients and scatters for all NAMES.

    A coefficient is the mean over networks of CV^2 / (n^2 part / width), and its scatter is the variance over networks
    of the logarithm of this ratio: a square, from which the jackknife removes the contribution of the noise in CV^2.
    """
    widths, depths = shapes_of(table)
    parts = [n**2 * by_depth(kind, depths) / widths for kind in NAMES]
    design = np.column_stack([np.ones(len(table)), np.log(widths), np.log(by_depth(BY_DEPTH[n], depths))])
    determined = len(table) and np.linalg.matrix_rank(design) == 3

    def statistic(cv2: Floats) -> Floats:
        logs = np.log(cv2)
        slopes = np.linalg.lstsq(design, logs, rcond=None)[0][1:] if determined else np.full(2, np.nan)
        scatters = [float((logs - np.log(part)).var()) for part in parts]
        return np.array([*slopes, *((cv2 / part).mean() for part in parts), *scatters])

    return spreads(table, statistic, 2 + 2 * len(NAMES))


def ratios_to_hyperplanes(table: pandas.DataFrame, n: int) -> Floats:
    """Counts divided by sum C(N, k), shape (networks, seeds)."""
    pairs = zip(*shapes_of(table), strict=True)
    hyperplanes = np.array([float(zaslavsky(int(width * depth), n)) for width, depth in pairs])
    return np.asarray(table.to_numpy(np.float64) / hyperplanes[:, None])
