"""A starting cell as bounds and relaxations of the first local network use it: its corners and its size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creases.engine.problem import Floats, Problem
from creases.engine.starts.chart import AnyStart

__all__ = ["RootCell", "cell_of", "point_cell"]


# The largest number of corners that are used for samples.
MOST_SAMPLES = 8


class RootCell(NamedTuple):
    """The starting cell. points : float64 (k, v), corners in homogeneous coordinates. reach : the largest coordinate.
    off : the largest error of a corner. on_wall : whether it lies on a wall of a larger domain, so that a row may
        vanish on it and not around it. terms : the largest number of terms of a sum, whose rounding `Relaxed` covers in
        advance."""

    points: Floats
    reach: float
    off: float
    chart: Floats
    on_wall: bool
    terms: int

    @property
    def infinity(self) -> Floats:
        """The form that is one on finite points, float64 (k,)."""
        return self.chart[-1]

    @property
    def samples(self) -> Floats:
        """Some of its corners, the mean of all, and points halfway to it: float64 (s, d), in the domain's
        coordinates."""
        mean = self.points.mean(axis=1, keepdims=True)
        corners = self.points[:, :: -(-self.points.shape[1] // MOST_SAMPLES)]
        rays = self.chart @ np.hstack([corners, mean, 0.5 * (corners + mean)])
        return np.ascontiguousarray((rays[:-1] / rays[-1]).T)


def cell_of(problem: Problem, start: AnyStart) -> RootCell:
    """The starting cell in the form in which signs are decided on it."""
    k, corners = start.chart.shape[1], start.corners
    return RootCell(
        points=np.vstack([corners[:, : k - 1].T, np.ones(len(corners))]),
        reach=float(np.abs(corners[:, : k - 1]).max()),
        off=float(corners[:, k - 1].max()),
        chart=start.chart,
        on_wall=len(problem.frame.T) > k,
        terms=sum(problem.graph.widths),
    )


def point_cell(problem: Problem, chart: Floats) -> RootCell:
    """A point as a cell of dimension zero. chart : float64 (d + 1, 1), its homogeneous coordinates."""
    return RootCell(
        points=np.ones((1, 1)), reach=0.0, off=0.0, chart=chart, on_wall=True, terms=sum(problem.graph.widths)
    )
