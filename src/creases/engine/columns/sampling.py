"""A lower estimate of how many units bend on a cell, from a few points in plain floats.

It decides whether to halve a cell before work begins that would be too much. No count depends on it.
"""

from __future__ import annotations

import numpy as np

from creases.engine.convolution import Convolution
from creases.engine.graph import INPUTS, Floats, Level, Matrix
from creases.engine.problem import Problem

__all__ = ["bending_at_least"]


def bending_at_least(problem: Problem, points: Floats) -> int:
    """The number of units that are active at some of the points and not at others. points : float64 (s, d)."""
    graph, bending = problem.graph, 0
    values: dict[int, Floats] = {INPUTS: problem.origin + points @ problem.basis}
    with np.errstate(all="ignore"):
        for number, level in enumerate(graph.levels, 1):
            sums = level.bias + sum(on_points(matrix, values[source]) for source, matrix in level.terms)
            if level.divisors is not None:
                sums = sums / level.divisors
            values[number] = sums
            if level.slopes is not None:
                active = active_at(level, sums)
                bending += int((active.any(axis=0) & ~active.all(axis=0)).sum())
                values[number] = sums * np.where(active, level.slopes[1], level.slopes[0])
            for source in graph.spent[number]:
                del values[source]
    return bending


def active_at(level: Level, sums: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which units are active at each point, bool (s, n)."""
    if level.groups is None:
        return np.asarray(sums > 0.0)
    firsts, inverse = np.unique(level.groups, return_index=True, return_inverse=True)[1:]
    largest = np.maximum.reduceat(sums, firsts, axis=1)
    return np.asarray(sums == largest[:, inverse])


def on_points(matrix: Matrix, values: Floats) -> Floats:
    """A matrix (n, m) times values (s, m), one row per point: float64 (s, n)."""
    if isinstance(matrix, Convolution):
        counts = matrix.geometry.counts
        seen = matrix.windows(matrix.images(values), counts)
        groups, terms = seen.shape[:2]
        products = (matrix.weight @ seen.reshape(groups, terms, -1)).reshape(-1, len(values), seen.shape[3])
        return np.ascontiguousarray(np.swapaxes(products, 0, 1)).reshape(len(values), -1)
    return np.ascontiguousarray(np.asarray(matrix @ values.T).T)
