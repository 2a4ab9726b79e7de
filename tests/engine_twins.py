"""Slow twins of the engine's kernels, in rational arithmetic. They share nothing with the engine.

A point of a domain of dimension d is a ray (x_1, ..., x_d, w) with w > 0, or w = 0 at infinity; a form is a row of
d + 1 numbers. Numbers are ints, floats (taken exactly) or Fractions.
"""

import os
from fractions import Fraction
from functools import reduce
from math import lcm

import numba
import pytest

COMPILED = not numba.config.DISABLE_JIT
# `make test-long` sets it; everyday runs draw a third as much.
LONG = os.environ.get("CREASES_LONG") == "1"


def amount(compiled, plain, everyday=None):
    """How many samples to draw: kernels as plain Python are a hundred times slower.

    everyday : how many in runs that are not long, a third if not given; fewer where the twins take most of the time.
    """
    if not COMPILED:
        return plain
    if LONG:
        return compiled
    return max((compiled + 2) // 3, min(plain, compiled)) if everyday is None else everyday


def seeds(number, everyday):
    """range(number) for `parametrize`: of random networks, the first so many every day, and the others in long runs."""
    return [pytest.param(seed, marks=() if seed < everyday else pytest.mark.long) for seed in range(number)]


def exactly(values):
    """Floats, or nested sequences and arrays of them, as Fractions."""
    return [exactly(value) for value in values] if hasattr(values, "__len__") else Fraction(float(values))


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def sign(value):
    return (value > 0) - (value < 0)


def cross(f, g):
    """Where two lines of the plane meet, as a ray; the line through two points, as a form."""
    return (f[1] * g[2] - f[2] * g[1], f[2] * g[0] - f[0] * g[2], f[0] * g[1] - f[1] * g[0])


def determinant(rows):
    """Of a square matrix, by elimination; 1 of one without rows."""
    rows, product = [[Fraction(x) for x in row] for row in rows], Fraction(1)
    for i in range(len(rows)):
        pivot = next((j for j in range(i, len(rows)) if rows[j][i]), None)
        if pivot is None:
            return Fraction(0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        product *= rows[i][i] * (1 if pivot == i else -1)
        for row in rows[i + 1 :]:
            factor = row[i] / rows[i][i]
            row[:] = [a - factor * b for a, b in zip(row, rows[i], strict=True)]
    return product


def some_float(rng, widest=150):
    """A float of any size up to 10^widest: tiny, huge, whole, denormal or zero."""
    kind = rng.integers(12)
    if kind == 0:
        return 0.0
    if kind == 1:
        return float(rng.integers(-3, 4))
    if kind == 2:
        return float(rng.choice([-1, 1]) * rng.integers(1, 2**20)) * 5e-324
    size = 10.0 ** rng.uniform(-widest, widest) if kind < 7 else 10.0 ** rng.uniform(-3, 3)
    return float(rng.choice([-1, 1]) * rng.uniform(1, 2) * size)


# Cells. A polygon is a list of (corner, edge): the edge, an inward form with a name, runs from its corner to the next.


def clip(polygon, form, name):
    """The part of a convex polygon where the form is positive; empty if there is none with an inside."""
    values = [dot(form, corner) for corner, _ in polygon]
    if max(values) <= 0:
        return []
    result = []
    for i, (corner, (edge, edge_name)) in enumerate(polygon):
        here, after, before = values[i], values[(i + 1) % len(values)], values[i - 1]
        if here > 0:
            result.append((corner, (edge, edge_name)))
            if after < 0:
                result.append((unit(cross(edge, form)), (form, name)))
        elif here < 0:
            if after > 0:
                result.append((unit(cross(form, edge)), (edge, edge_name)))
        elif after > 0:
            result.append((corner, (edge, edge_name)))
        elif before > 0:
            result.append((corner, (form, name)))
    return result


def unit(ray):
    """The same ray with last coordinate one; a direction stays as it is."""
    return tuple(Fraction(x) / (abs(ray[-1]) if ray[-1] else 1) for x in ray)


def polygon_of(vertices, names):
    """The polygon with these vertices, counter-clockwise."""
    rays = [(*exactly(v), Fraction(1)) for v in vertices]
    edges = [cross(p, q) for p, q in zip(rays, rays[1:] + rays[:1], strict=True)]
    return list(zip(rays, zip(edges, names, strict=True), strict=True))


def opposite(form):
    return tuple(-x for x in form)


def pieces(polygon, forms):
    """The pieces into which lines cut a polygon, by cutting every piece with every line."""
    found = [polygon]
    for form in forms:
        parts = [(clip(piece, form, "line"), clip(piece, opposite(form), "line"), piece) for piece in found]
        found = []
        for above, below, piece in parts:
            found += [above, below] if above and below else [piece]
    return found


# Networks.


def whole(rows):
    """Rows of numbers times the smallest positive number that makes all of them integers, and that number."""
    rows = [[Fraction(x) for x in row] for row in rows]
    factor = reduce(lcm, (x.denominator for row in rows for x in row), 1)
    return [[int(x * factor) for x in row] for row in rows], factor


class TwinNetwork:
    """A network on a slice, seen in a chart: the pre-activations at the rays of the chart."""

    def __init__(self, weights, biases, origin, basis, basis_tail, chart):
        chart = exactly(chart)
        columns = [exactly(origin)]
        for head, tail in zip(exactly(basis), exactly(basis_tail), strict=True):
            columns.insert(-1, [a + b for a, b in zip(head, tail, strict=True)])
        # Inputs, and last the form that is one on finite points, as forms of the chart's rays.
        self.inputs = [[dot(row, axis) for axis in zip(*chart, strict=True)] for row in zip(*columns, strict=True)]
        self.inputs.append(chart[-1])
        self.layers = [
            whole([*map(float, row), float(b)] for row, b in zip(weight, bias, strict=True))
            for weight, bias in zip(weights, biases, strict=True)
        ]

    @property
    def kinks(self):
        """As in `TwinGraph`: slopes and switches of each layer."""
        return [([(Fraction(0), Fraction(1))] * len(rows), None) for rows, _ in self.layers]

    def handed(self, layer, z, on=None, rather=()):
        """As in `TwinGraph`: what a layer hands on."""
        return [max(value, Fraction(0)) for value in z]

    def values(self, ray, pattern=None):
        """z of every neuron at a ray (times its w), layer by layer; relu by `pattern` where one is given."""
        (a,), factor = whole([[dot(form, ray) for form in self.inputs]])
        scale, result = Fraction(1, factor), []
        for layer, (rows, factor) in enumerate(self.layers):
            z = [sum(x * y for x, y in zip(row, a, strict=True)) for row in rows]
            scale /= factor
            result.append([value * scale for value in z])
            on = [value > 0 for value in z] if pattern is None else pattern[layer]
            a = [*(value if active else 0 for value, active in zip(z, on, strict=True)), a[-1] * factor]
        return result

    def forms(self, pattern):
        """The forms of all neurons, layer by layer, where the pattern is `pattern`."""
        k = len(self.inputs[0])
        columns = [self.values([int(i == c) for i in range(k)], pattern) for c in range(k)]
        return [list(zip(*parts, strict=True)) for parts in zip(*columns, strict=True)]


class TwinGraph:
    """A graph of levels on a slice, seen in a chart; what `TwinNetwork` is to a chain.

    levels : what has sources, matrices, bias, slopes, groups and divisors, as the engine's levels do.
    """

    def __init__(self, levels, origin, basis, basis_tail, chart):
        self.inputs = TwinNetwork([], [], origin, basis, basis_tail, chart).inputs
        self.levels = []
        for level in levels:
            matrices = [matrix if hasattr(matrix, "tolist") else matrix.toarray() for matrix in level.matrices]
            sources = [
                (source, [[(j, Fraction(x)) for j, x in enumerate(row) if x] for row in matrix.tolist()])
                for source, matrix in zip(level.sources, matrices, strict=True)
            ]
            slopes = None if level.slopes is None else list(zip(*exactly(level.slopes), strict=True))
            groups = None if level.groups is None else level.groups.tolist()
            divisors = [1] * len(level.bias) if level.divisors is None else level.divisors.tolist()
            self.levels.append((sources, exactly(level.bias), slopes, groups, divisors))
        self.kinks = [(slopes, groups) for _, _, slopes, groups, _ in self.levels if slopes is not None]

    def values(self, ray, pattern=None):
        """z of every unit of a layer at a ray (times its w); what is handed on by `pattern` where one is given."""
        *inputs, w = [dot(form, ray) for form in self.inputs]
        known, result = [inputs], []
        for sources, bias, slopes, _, divisors in self.levels:
            z = [
                (b * w + sum(x * known[source][j] for source, rows in sources for j, x in rows[i])) / divisors[i]
                for i, b in enumerate(bias)
            ]
            if slopes is not None:
                layer, on = len(result), None if pattern is None else pattern[len(result)]
                result.append(z)
                z = self.handed(layer, z, on=on)
            known.append(z)
        return result

    def handed(self, layer, z, on=None, rather=()):
        """What a layer's units hand on: z times a slope; of a switch z of its winner, and zero of the others.

        on : bits that say the sides, and the winners. rather : of candidates that are equal, those to take first.
        """
        slopes, groups = self.kinks[layer]
        if groups is None:
            on = [value > 0 for value in z] if on is None else on
            return [value * pair[bool(side)] for value, pair, side in zip(z, slopes, on, strict=True)]
        if on is None:
            best = {}
            for i, group in enumerate(groups):
                best[group] = max(best.get(group, (z[i], False, -i)), (z[i], i in rather, -i))
            on = [-best[group][2] == i for i, group in enumerate(groups)]
        return [value if side else Fraction(0) for value, side in zip(z, on, strict=True)]

    forms = TwinNetwork.forms


def meeting(forms):
    """Where d hyperplanes or more meet in one point, with last coordinate one."""
    rows, d = [list(form) for form in forms], len(forms[0]) - 1
    for c in range(d):
        pivot = next(i for i in range(c, len(rows)) if rows[i][c])
        rows[c], rows[pivot] = rows[pivot], rows[c]
        rows[c] = [Fraction(x) / rows[c][c] for x in rows[c]]
        for i, row in enumerate(rows):
            if i != c and row[c]:
                rows[i] = [x - row[c] * y for x, y in zip(row, rows[c], strict=True)]
    assert not any(map(any, rows[d:]))
    return (*(-row[-1] for row in rows[:d]), Fraction(1))
