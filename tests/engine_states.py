"""Looking into a cut while it runs: the workspace between two calls of the kernel, read into fractions.

Unlike `engine_twins`, this module knows how the engine lays out its arrays.
"""

from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np

from creases.double_description import bits_of
from creases.engine.graph import Graph
from creases.engine.loop.claims import is_switch
from creases.engine.loop.cut import cut
from creases.engine.loop.oracle import Oracle, facets_at
from creases.engine.problem import IntegerPolytope, Problem
from creases.engine.rows.local import localise
from creases.engine.rows.scan import ask, cell_reach, forget_answers, scan_neurons
from creases.engine.rows.switches import scan_switches
from creases.engine.starts.bounded import bounded_start
from creases.engine.starts.starting import workspace
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import (
    CELL,
    CELL_COLUMNS,
    CHILD,
    CORNER_ERROR,
    EDGE,
)
from creases.engine.state.growth import grown
from creases.engine.state.network_layout import (
    BLOCK,
    COUPLED,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FIRST,
    HEADER,
    IDS,
    LOWEST,
    ONE,
    ROWS,
    SIZE_G,
    SIZE_W,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.row_layout import (
    EXACT,
    OPEN,
    RADIUS,
    RELAXED,
    RELAXED_IN_SPACE,
    STATUS,
)
from creases.engine.state.slots import (
    ASKED,
    CORNERS,
    CROSSING_ROWS,
    DEPTH,
    DIMENSION,
    DONE,
    FULL,
    HALF_PROVED_ROWS,
    HAVE,
    NETWORK,
    UNKNOWN_ROWS,
    UNPROVED_CELL,
)
from creases.engine.state.stack import no_room, push
from creases.engine.state.work import SpaceWork
from engine_twins import TwinGraph, TwinNetwork, cross, dot, exactly, meeting, sign

# Where a row keeps its form, by the number of its coordinates; in space they stand behind the fixed places.
FORM = {2: [X, ONE], 3: [X, Y, ONE], **{d + 1: [*range(COUPLED, COUPLED + d), ONE] for d in range(3, 9)}}
UP = 1 + 2.0**-40

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
INTERVAL = np.array([[-1.0], [1.0]])


def problem_of(weights, biases, origin, basis, vertices, tail=None):
    """A Problem from nested lists."""
    matrices = [
        np.array(weight, dtype=float).reshape(len(bias), -1) for weight, bias in zip(weights, biases, strict=True)
    ]
    graph = Graph.chain(matrices, [np.array(bias, dtype=float) for bias in biases])
    return graph_problem(graph, origin, basis, vertices, tail)


def graph_problem(graph, origin, basis, vertices, tail=None):
    """A Problem from a graph and nested lists."""
    basis = np.array(basis, dtype=float)
    return Problem(
        graph,
        np.array(origin, dtype=float),
        basis,
        np.zeros_like(basis) if tail is None else np.array(tail),
        vertices,
    )


def cube(d):
    """[-1, 1]^d in three dimensions and more."""
    rays = tuple((*corner, 1) for corner in product((-1, 1), repeat=d))
    walls = tuple((*(turn * (i == j) for j in range(d)), 1) for i in range(d) for turn in (1, -1))
    return IntegerPolytope(rays, walls, masks_of(rays, walls))


def corner_of_space(d):
    """The simplex of the origin and the unit vectors."""
    unit = np.eye(d, dtype=int).tolist()
    rays = ((*[0] * d, 1), *((*row, 1) for row in unit))
    walls = (*((*row, 0) for row in unit), (*[-1] * d, 1))
    return IntegerPolytope(rays, walls, masks_of(rays, walls))


def masks_of(rays, walls):
    """For each corner, bit i if it lies on wall i."""
    return tuple(sum(1 << i for i, wall in enumerate(walls) if not dot(wall, ray)) for ray in rays)


def one_layer(forms, vertices=SQUARE):
    """The problem whose neurons are these forms of the domain's own coordinates."""
    forms = np.array(forms, dtype=float)
    d = forms.shape[1] - 1
    return problem_of([forms[:, :d]], [forms[:, d]], np.zeros(d), np.eye(d), vertices)


def twin_of(problem, chart):
    """The twin of a problem's network in a chart."""
    place = problem.origin, problem.basis, problem.basis_tail, chart
    if problem.graph.is_chain:
        return TwinNetwork(problem.graph.weights, problem.graph.biases, *place)
    return TwinGraph(problem.graph.levels, *place)


class Cut:
    """One starting cell on its way: a workspace, its oracle, and the network's twin in the same chart."""

    def __init__(self, problem, start=None):
        self.problem, self.start = problem, start or bounded_start(problem.vertices)
        self.work = workspace(problem, self.start, Workshop())
        self.oracle = Oracle(problem, self.start.chart, self.start.walls)
        self.twin = twin_of(problem, self.start.chart)
        self.first = np.concatenate([[0], np.cumsum(problem.widths)]).tolist()

    def blur(self, rng, size):
        """Move the root network's forms by up to `size` of their largest number, and pay for it in their bounds."""
        self.work.layer_ints[:, EXACT] = 0
        for layer in range(len(self.problem.widths)):
            rows, form = block(self.work, 0, layer), FORM[len(self.start.chart)]
            known = np.isfinite(rows).all(axis=1)  # of one that overflowed nothing is known
            if not known.any():
                continue
            some = rows[known]
            before = some[:, form]
            after = before + size * np.abs(before).max(axis=1, keepdims=True) * rng.choice(
                [-1.0, 0.0, 1.0], before.shape
            )
            some[:, form] = after
            moved = np.abs(after - before) * UP
            pay(some, moved[:, :-1].sum(axis=1), moved[:, -1])
            rows[known] = some

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

    def pattern(self, work=None):
        """The bits of the current cell's pattern (or that of another workspace), one list a layer."""
        words = (self.work if work is None else work).pattern.tolist()
        bits = [bool(words[n >> 6] >> (n & 63) & 1) for n in range(self.first[-1])]
        return [bits[a:b] for a, b in zip(self.first, self.first[1:], strict=False)]

    def walls(self):
        """The inward forms of the domain's edges in the chart, by edge id."""
        if self.problem.vertices is None:
            return {-1: exactly(self.start.chart[-1])}
        if isinstance(self.problem.vertices, IntegerPolytope):
            axes = list(zip(*exactly(self.start.chart), strict=True))
            return {-2 - i: [dot(wall, axis) for axis in axes] for i, wall in enumerate(self.problem.vertices.walls)}
        points = [[x / Fraction(self.start.chart[0, 0]) for x in exactly(v)] for v in self.problem.vertices]
        if len(points[0]) == 1:
            (low,), (high,) = points
            return {-2: (Fraction(1), -low), -3: (Fraction(-1), high)}
        rays = [(*p, Fraction(1)) for p in points]
        return {-2 - i: cross(p, q) for i, (p, q) in enumerate(zip(rays, rays[1:] + rays[:1], strict=True))}

    def edge(self, number, forms):
        """The true inward form of an edge of the current cell, by its id. A wall between two candidates of N units,
        a and a + k, is called N (1 + k) + a."""
        if number < 0:
            return self.walls()[number]
        times, number = divmod(number, self.first[-1])
        layer = next(i for i, end in enumerate(self.first[1:]) if number < end)
        unit = number - self.first[layer]
        form = forms[layer][unit]
        if times:
            form = [x - y for x, y in zip(form, forms[layer][unit + times - 1], strict=True)]
        return form if self.pattern()[layer][unit] else [-x for x in form]

    def facets(self):
        """For each corner of the current cell in space the ids of the facets that it lies on."""
        work = self.work
        masks, ids = facets_at(work)
        return [[ids[i] for i in bits_of(mask)] for mask in masks]

    def true_corners(self, forms):
        """The current cell's corners as rays with last coordinate one, from its edges' names and the true forms."""
        if len(self.start.chart[0]) > 3:
            lists = self.facets()
            edges = {name: self.edge(name, forms) for names in lists for name in names}
            return [meeting([edges[name] for name in names]) for names in lists]
        names = self.work.cell_ints[CELL, : int(self.work.state[CORNERS]), 0].tolist()
        return corners_between([self.edge(number, forms) for number in names])


class Cell(Cut):
    """One cell, in floats and in fractions, and the rows of a layer, which can be set at will.

    corners : the true cell, a list of (corner, (inward form, id)) as in `engine_twins`; d = 1: the edge at the corner.
    rows, near : the true forms, and the floats for them, which are moved by up to `noise`.
    last : rows of a second layer, the last one (`set_last`).
    """

    def __init__(self, rows, start, walls=None, noise=0.0, rng=None, last=0):
        k = len(start.chart)
        weights, biases = [np.zeros((rows, k - 1))], [np.zeros(rows)]
        if last:
            weights, biases = [*weights, np.zeros((last, rows))], [*biases, np.zeros(last)]
        vertices = start.corners[:, :-1] * start.chart[0, 0]
        super().__init__(problem_of(weights, biases, np.zeros(k - 1), np.eye(k - 1), vertices), start)
        # Rows get names beyond the network's neurons.
        slopes = np.repeat([[0.0], [1.0], [1.0]], 128, axis=1)
        self.work = self.work._replace(twins=np.zeros(128, np.int64), slopes=slopes)
        self.work.layer_ints[:, EXACT] = 0
        self.rows, self.near, self.names = [[Fraction(0)] * k for _ in range(rows)], [[]] * rows, [0] * rows
        self.noise, self.rng = noise, rng
        self.next_name = rows  # rows get a new neuron's number each time: at most 63, as a pattern is one word
        walls = self.walls() if walls is None else walls
        names = self.work.cell_ints[CELL, : int(self.work.state[CORNERS]), 0].tolist()
        edges = [walls[name] for name in names]
        self.corners = list(zip(corners_between(edges), zip(edges, names, strict=True), strict=True))

    def set_row(self, i, true):
        """Row i is `true` (numbers): its floats are near, with bounds for what that loses."""
        true = [Fraction(x) for x in true]
        self.rows[i], self.near[i], self.names[i] = true, self.write(0, i, true), self.next_name
        self.work.ints[int(self.work.ints[HEADER + IDS]) + i] = self.next_name
        self.next_name += 1
        self.work.row_ints[STATUS, i] = OPEN

    def set_last(self, i, true, factors):
        """Row i of the last layer is coupled to the rows of the first, and on the cell it is `true` (numbers).

        Call it when the rows of the first layer are set and decided; factors: floats.
        """
        true = [Fraction(x) for x in true]
        for q, factor in enumerate(factors):
            if 1 in self.signs(q):
                assert -1 not in self.signs(q)
                true = [x - Fraction(factor) * y for x, y in zip(true, self.rows[q], strict=True)]
        self.write(1, i, true)
        block(self.work, 0, 1)[i, COUPLED:] = factors

    def write(self, layer, i, true):
        """Write floats near the true form into a row, with its bounds; returns the floats."""
        near = [float(x) for x in true]
        if self.noise and self.rng.integers(2):
            near = [x + self.noise * float(self.rng.uniform(-1, 1)) for x in near]
        lost = [abs(x - Fraction(y)) for x, y in zip(true, near, strict=True)]
        lost = [float(x) * UP + (5e-324 if x else 0.0) for x in lost]
        row = block(self.work, 0, layer)[i : i + 1]
        row[:] = 0.0
        row[0, FORM[len(near)]] = near
        row[0, [SIZE_G, SIZE_W]] = sum(map(abs, near[:-1])) * UP, abs(near[-1])
        pay(row, sum(lost[:-1]), lost[-1])
        return near

    def signs(self, i):
        """The true signs of row i at the true corners."""
        return [sign(dot(self.rows[i], corner)) for corner, _ in self.corners]

    def look(self):
        """Scan the rows; returns what `scan` counts."""
        scan(self.work, 0, 0, *cell_reach(self.work))
        return found_by_scan(self.work)

    def answer_asked(self):
        """Ask for every sign that is not proved, give the true ones, and scan again."""
        ask(self.work, 0, 0)
        for row, corner in self.work.asks[: int(self.work.state[ASKED])].tolist():
            self.work.answers_nc[row, corner] = self.signs(row)[corner]
        return self.look()

    def take_child(self, count, corners):
        """Go on with the child that a cut has written; `corners` is the true one."""
        self.work.cell_reals[CELL] = self.work.cell_reals[CHILD]
        self.work.cell_ints[CELL] = self.work.cell_ints[CHILD]
        self.work.state[CORNERS] = count
        forget_answers(self.work)
        self.corners = corners


def found_by_scan(work):
    """(crossing, half proved, unknown) rows, as `scan` counted them."""
    return tuple(work.state[[CROSSING_ROWS, HALF_PROVED_ROWS, UNKNOWN_ROWS]].tolist())


def copied(work):
    """A workspace of its own."""
    return work._replace(**{name: array.copy() for name, array in work._asdict().items()})


def scan(work, net, layer, reach, corner_error):
    """How the rows of the lowest layer meet the current cell, as `cut` asks: of neurons, or of switches."""
    (scan_switches if is_switch(work, layer) else scan_neurons)(work, net, layer, reach, corner_error)


def localised(work):
    """A copy of a workspace, scanned and localised; relaxations of layers that were not looked at are NaN."""
    work = copied(work)
    net = int(work.state[NETWORK])
    forget_answers(work)
    reach, corner_error = cell_reach(work)
    scan(work, net, int(work.ints[net + LOWEST]), reach, corner_error)
    work.open_reals[RELAXED : RADIUS + 1] = np.nan
    if isinstance(work, SpaceWork):
        work.open_forms[RELAXED_IN_SPACE] = np.nan
    while localise(work, reach + corner_error, corner_error) == FULL:
        work = grown(work)
    return work


def relaxed_rows(work, at, rows):
    """Relaxations of some open rows: a form and a radius each, float64 (rows, k + 1)."""
    d, some = int(work.state[DIMENSION]), slice(at, at + rows)
    if d < 3:
        return work.open_reals[[*(RELAXED + c for c in FORM[d + 1]), RADIUS], some].T
    return np.column_stack(
        [work.open_forms[RELAXED_IN_SPACE, :, some].T, work.open_reals[[RELAXED + ONE, RADIUS], some].T]
    )


def block(work, net, layer):
    """The rows of a layer of a local network, as they stand in `reals`: a view."""
    record = work.ints[net + HEADER + FIELDS * layer :][:FIELDS].tolist()
    size = record[ROWS] * record[STRIDE]
    return work.reals[record[BLOCK] : record[BLOCK] + size].reshape(record[ROWS], record[STRIDE])


def pay(rows, lost_g, lost_w):
    """Add to the bounds of some rows what their forms have been moved by; no size is below its form and error."""
    with np.errstate(over="ignore"):
        for error, size, lost in ((ERROR_G, SIZE_G, lost_g), (ERROR_W, SIZE_W, lost_w)):
            rows[:, error] = (rows[:, error] + lost) * UP
            rows[:, size] = (rows[:, size] + 2 * lost) * UP


def cell_at(reals, ints, corners, k):
    """[(corner, error, edge, edge's bounds, id, at infinity)] from arrays of cells; on a line y must be zero."""
    reals = reals.reshape(-1, CELL_COLUMNS)[:corners]
    assert k == 3 or not reals[:, [Y, EDGE + Y]].any()
    axes = FORM[k]
    return [
        (
            tuple(row[axes[:-1]].tolist()),
            float(row[CORNER_ERROR]),
            tuple(row[EDGE : EDGE + 3][axes].tolist()),
            tuple(row[EDGE + 3 :].tolist()),
            *whole,
        )
        for row, whole in zip(reals, ints.reshape(-1, 2)[:corners].tolist(), strict=True)
    ]


def corners_between(edges):
    """Corners, with last coordinate one, from a cell's inward edges."""
    if len(edges[0]) == 2:
        return [(-f[1] / f[0], Fraction(1)) for f in edges]
    rays = [cross(edges[i - 1], edges[i]) for i in range(len(edges))]
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
    coupled = COUPLED + (k - 1 if k > 3 else 0)
    columns = []
    for layer in range(lowest, int(work.state[DEPTH])):
        record = work.ints[net + HEADER + FIELDS * layer :][:FIELDS].tolist()
        rows, first = block(work, net, layer), max(record[FIRST], lowest)
        assert record[ROWS] == 0 or record[STRIDE] == coupled + sum(columns[first - lowest :])
        # On a line nothing is there, but what an infinite coupling makes of nothing.
        assert k > 2 or not rows[np.isfinite(rows).all(axis=1), Y].any()
        found[layer] = Layer(
            ids=work.ints[record[IDS] :][: record[ROWS]].tolist(),
            forms=rows[:, FORM[k]].tolist(),
            errors=rows[:, [ERROR_G, ERROR_W]].tolist(),
            sizes=rows[:, [SIZE_G, SIZE_W]].tolist(),
            first=first,
            coupling=rows[:, coupled:].T.tolist(),
            at=record[BLOCK],
        )
        columns.append(record[ROWS])
    return lowest, found


def park(work):
    """Put the current cell back on the stack. FULL if there is no room."""
    state, net = work.state, int(work.state[NETWORK])
    lowest, corners = int(work.ints[net + LOWEST]), int(work.state[CORNERS])
    rows = int(work.ints[net + HEADER + FIELDS * lowest + ROWS]) if lowest < state[DEPTH] else 0
    if no_room(work, 1, corners, rows) == FULL:
        return FULL
    work.cell_reals[CHILD, :corners], work.cell_ints[CHILD, :corners] = (
        work.cell_reals[CELL, :corners],
        work.cell_ints[CELL, :corners],
    )
    forget_answers(work)
    push(work, corners, rows)
    state[HAVE] = 0
    return DONE
