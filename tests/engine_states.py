"""Looking into a cut while it runs: the workspace between two calls of the kernel, read into fractions.

Unlike `engine_twins`, this module knows how the engine lays out its arrays.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from creases.engine.cut import cut
from creases.engine.frontier import grown
from creases.engine.oracle import Oracle
from creases.engine.problem import Problem
from creases.engine.start import bounded_start, workspace
from creases.engine.work import (
    CELL,
    CORNERS,
    COUPLING,
    DEPTH,
    DIMENSION,
    DONE,
    ERRORS,
    FIELDS,
    FIRST,
    FORMS,
    FULL,
    HEADER,
    IDS,
    LOWEST,
    NETWORK,
    ROWS,
    SIZES,
    UNPROVED_CELL,
)
from engine_twins import TwinNetwork, cross, exactly

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
INTERVAL = np.array([[-1.0], [1.0]])


def problem_of(weights, biases, origin, basis, vertices, tail=None):
    """A Problem from nested lists."""
    basis = np.array(basis, dtype=float)
    return Problem(
        tuple(
            np.array(weight, dtype=float).reshape(len(bias), -1) for weight, bias in zip(weights, biases, strict=True)
        ),
        tuple(np.array(bias, dtype=float) for bias in biases),
        np.array(origin, dtype=float),
        basis,
        np.zeros_like(basis) if tail is None else np.array(tail),
        vertices,
    )


def one_layer(forms, vertices=SQUARE):
    """The problem whose neurons are these forms of the domain's own coordinates."""
    forms = np.array(forms, dtype=float)
    d = forms.shape[1] - 1
    return problem_of([forms[:, :d]], [forms[:, d]], np.zeros(d), np.eye(d), vertices)


class Cut:
    """One starting cell on its way: a workspace, its oracle, and the network's twin in the same chart."""

    def __init__(self, problem, start=None):
        self.problem, self.start = problem, start or bounded_start(problem.vertices)
        self.work = workspace(problem, self.start)
        self.oracle = Oracle(problem, self.start.chart, self.start.walls)
        self.twin = TwinNetwork(*problem[:5], self.start.chart)
        self.first = np.concatenate([[0], np.cumsum(problem.widths)]).tolist()

    def steps(self, budget=1, limit=10**9):
        """Run the kernel, `budget` cells a call, until it is done; yield after every call that is not the last."""
        for _ in range(limit):
            status = cut(self.work, budget)
            if status == DONE:
                return
            if status == FULL:
                self.work = grown(self.work)
            else:
                yield status
            if status == UNPROVED_CELL:
                self.oracle.answer(self.work)

    def finish(self, budget=10**6):
        """Run to the end; returns the workspace."""
        for _ in self.steps(budget):
            pass
        return self.work

    def pattern(self):
        """The bits of the current cell's pattern, one list a layer."""
        words = self.work.pattern.tolist()
        bits = [bool(words[n >> 6] >> (n & 63) & 1) for n in range(self.first[-1])]
        return [bits[a:b] for a, b in zip(self.first, self.first[1:], strict=False)]

    def walls(self):
        """The inward forms of the domain's edges in the chart, by edge id."""
        if self.problem.vertices is None:
            return {-1: [*[Fraction(-1)] * (len(self.start.chart) - 1), Fraction(1)]}
        points = [[x / Fraction(self.start.chart[0, 0]) for x in exactly(v)] for v in self.problem.vertices]
        if len(points[0]) == 1:
            (low,), (high,) = points
            return {-2: (Fraction(1), -low), -3: (Fraction(-1), high)}
        rays = [(*p, Fraction(1)) for p in points]
        return {-2 - i: cross(p, q) for i, (p, q) in enumerate(zip(rays, rays[1:] + rays[:1], strict=True))}

    def true_corners(self, forms):
        """The current cell's corners as rays with last coordinate one, from its edges' names and the true forms."""
        corners, pattern, walls = int(self.work.state[CORNERS]), self.pattern(), self.walls()
        edges = []
        for number in self.work.cell_ints[CELL, :corners, 0].tolist():
            if number < 0:
                edges.append(walls[number])
            else:
                layer = next(i for i, end in enumerate(self.first[1:]) if number < end)
                neuron = number - self.first[layer]
                turn = 1 if pattern[layer][neuron] else -1
                edges.append([turn * x for x in forms[layer][neuron]])
        if len(edges[0]) == 2:
            rays = [(-f[1] / f[0], Fraction(1)) for f in edges]
        else:
            rays = [cross(edges[i - 1], edges[i]) for i in range(corners)]
        return [tuple(x / ray[-1] for x in ray) for ray in rays]


class Layer(NamedTuple):
    """The open rows of one layer of a local network; `coupling` has a row for each open row of first ... l - 1."""

    ids: list
    forms: list
    errors: list
    sizes: list
    first: int
    coupling: list
    at: int


def local_network(work, net=None):
    """(lowest open layer, {layer: Layer}) of the local network of the current cell."""
    net = int(work.state[NETWORK]) if net is None else net
    k, lowest, found = int(work.state[DIMENSION]) + 1, int(work.ints[net + LOWEST]), {}
    columns = []
    for layer in range(lowest, int(work.state[DEPTH])):
        record = work.ints[net + HEADER + FIELDS * layer :][:FIELDS]
        rows, first = int(record[ROWS]), max(int(record[FIRST]), lowest)
        coupled = sum(columns[first - lowest :])

        def block(name, height, rows=rows, record=record):
            at = int(record[name])
            return work.reals[at : at + height * rows].reshape(height, rows)

        found[layer] = Layer(
            ids=work.ints[record[IDS] :][:rows].tolist(),
            forms=block(FORMS, k).T.tolist(),
            errors=block(ERRORS, 2).T.tolist(),
            sizes=block(SIZES, 2).T.tolist(),
            first=first,
            coupling=block(COUPLING, coupled).tolist(),
            at=int(record[FORMS]),
        )
        columns.append(rows)
    return lowest, found
