"""Compile every kernel ahead, so that the first count of a new process does not wait for it."""

from __future__ import annotations

import time

import numpy as np

from creases.engine.cells import cut_into_cells
from creases.engine.chart import bounded_start
from creases.engine.cut import cut
from creases.engine.edges import ExactEdges
from creases.engine.lines import prepared, sweep_together
from creases.engine.problem import Problem
from creases.engine.sharp import Sharpener
from creases.engine.stack import park
from creases.engine.start import workspace
from creases.engine.tally import tally

__all__ = ["warm"]


def warm() -> float:
    """Compile what is not in the cache yet; returns the seconds that took.

    Two small networks with coincident neurons reach every kernel, those behind a tie included.
    """
    start = time.perf_counter()
    rows = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 2.0], [0.25, 0.5]])
    biases = np.array([0.0, 0.0, 0.0, 0.5])
    above = np.array([[1.0, -1.0, 0.5, 0.5], [1.0, 1.0, 0.0, -1.0]])
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    for d in (1, 2):
        problem = Problem(
            weights=(np.ascontiguousarray(rows[:, :d]), above),
            biases=(biases, np.array([0.0, 0.1])),
            origin=np.zeros(d),
            basis=np.eye(d),
            basis_tail=np.zeros((d, d)),
            vertices=square if d == 2 else square[:2, :1] * np.array([[1.0], [-1.0]]),
        )
        for vertices in (problem.vertices, None):
            domain = problem._replace(vertices=vertices)
            tally(domain, threads=1, by_neuron=True, report=ignore)
            cut_into_cells(domain, threads=1, report=ignore)
    # Only ill-conditioned corners are computed in double-double.
    none = np.empty(0, np.int64), np.empty((0, d)), np.empty(0, np.bool_), np.empty(0, np.int64)
    Sharpener(problem, ExactEdges.of(problem)).sharpen(
        np.empty((0, 2), np.int64), 1.0, *none, np.empty((0, 1), np.int64)
    )
    ends = np.array([[-1.0, 1.0]])
    sweep_together(prepared([rows, above], [biases, above[:, 0]]), np.ones((1, 2)), np.ones((1, 2)), ends)
    # Only counts too large to warm up with put a cell back on the stack.
    work = workspace(problem, bounded_start(square[:, :d]))
    cut(work, 1)
    park(work)
    return time.perf_counter() - start


def ignore(regions: int) -> None:
    """A progress report that nobody reads."""
