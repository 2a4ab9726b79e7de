"""The specification: activation regions of a ReLU network on a domain, in rational arithmetic.

Slow, short, and sharing nothing with creases. A cell is a cone in homogeneous coordinates (u, w), w >= 0,
kept as its generators and cut by one neuron after the other with the double description method (Motzkin,
Raiffa, Thompson and Thrall 1953; with lines as in Fukuda and Prodon 1996). It decides:

* Regions are open relative to the domain: a neuron cuts a cell iff its pre-activation takes both strict
  signs there. Cells are convex, so their generators tell (Hanin and Rolnick 2019, Lemma 4).
* A neuron is active on a region iff its pre-activation is positive there; one that vanishes identically is
  inactive and cuts nothing.

Weights and biases are those of the HIDDEN layers, nested lists of ints, floats (taken exactly) or Fractions.
"""

from fractions import Fraction
from itertools import groupby, pairwise, product
from math import gcd, lcm
from typing import NamedTuple


class Ray(NamedTuple):
    vector: tuple  # (u, w), integers without a common factor
    tight: frozenset  # the names of the cone's walls that it lies on


class Cone(NamedTuple):
    lines: tuple  # vectors along which the cone is infinite both ways; they lie on all walls
    rays: tuple
    walls: frozenset


class Domain(NamedTuple):
    inputs: tuple  # one affine form of (u, w) for each input of the network
    cone: Cone

    def at(self, u):
        """The input with coordinates u."""
        return tuple(dot(form, (*map(Fraction, u), 1)) for form in self.inputs)


class Region(NamedTuple):
    pattern: tuple  # one tuple of bools a layer
    cone: Cone

    @property
    def lines(self):
        return [tuple(map(Fraction, line)) for line in self.cone.lines]

    @property
    def rays(self):
        """Vertices as (u, 1), directions as (u, 0)."""
        return [tuple(Fraction(x, ray.vector[-1] or 1) for x in ray.vector) for ray in self.cone.rays]

    @property
    def bounded(self):
        return not self.cone.lines and all(ray.vector[-1] for ray in self.cone.rays)

    def interior_point(self):
        """A point u strictly inside, in the domain's coordinates."""
        *u, w = map(sum, zip(*self.rays, strict=True))
        return tuple(x / w for x in u)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def whole(rows):
    """The rows times the smallest positive number that makes all of them integers, and that number."""
    rows = [[Fraction(x) for x in row] for row in rows]
    factor = lcm(*(x.denominator for row in rows for x in row))
    return [tuple(int(x * factor) for x in row) for row in rows], factor


def primitive(vector):
    """The shortest integer vector in the same direction."""
    (vector,), _ = whole([vector])
    return tuple(x // gcd(*vector) for x in vector)


def independent(rows):
    """Whether the rows are linearly independent, by elimination."""
    rows = [[Fraction(x) for x in row] for row in rows]
    while rows:
        first = rows.pop()
        i = next((i for i, x in enumerate(first) if x), None)
        if i is None:
            return False
        rows = [[x - row[i] / first[i] * y for x, y in zip(row, first, strict=True)] for row in rows]
    return True


# Domains. A polytope is its vertices and, for each, the names of the walls through it.


def unit(k):
    return [tuple(int(i == j) for j in range(k)) for i in range(k)]


def polytope(vertices, tights):
    tights = [frozenset(("wall", name) for name in tight) for tight in tights]
    rays = tuple(Ray(primitive((*v, 1)), tight) for v, tight in zip(vertices, tights, strict=True))
    return Domain(tuple(unit(len(vertices[0]) + 1)[:-1]), Cone((), rays, frozenset().union(*tights)))


def space(n):
    """All of R^n. Its one wall is infinity, w = 0."""
    *lines, origin = unit(n + 1)
    return Domain(tuple(lines), Cone(tuple(lines), (Ray(origin, frozenset()),), frozenset({"infinity"})))


def simplex(vertices):
    """n + 1 affinely independent vertices in R^n; wall i is opposite to vertex i."""
    if not independent([(*v, 1) for v in vertices]):
        raise ValueError("the vertices of a simplex must be affinely independent")
    names = set(range(len(vertices)))
    return polytope(vertices, [names - {i} for i in range(len(vertices))])


def polygon(vertices):
    """A convex polygon in R^2, its vertices in order, either way round; wall i joins vertex i to the next."""
    v = [tuple(map(Fraction, vertex)) for vertex in vertices]
    turns = [
        (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        for p, q in zip(v, v[1:] + v[:1], strict=True)
        for r in v
        if r not in (p, q)
    ]
    if len(set(v)) < max(3, len(v)) or not (min(turns) > 0 or max(turns) < 0):
        raise ValueError("the vertices of a polygon must go once round a strictly convex one")
    return polytope(v, [{i, (i - 1) % len(v)} for i in range(len(v))])


def affine(origin, basis, inner):
    """The domain `inner` of R^d under u -> origin + sum u_i basis_i; its coordinates are those of `inner`."""
    if not independent(basis):
        raise ValueError("the basis must be linearly independent")
    w = unit(len(inner.inputs[0]))[-1]
    by_coordinate = list(zip(*inner.inputs, w, strict=True))
    inputs = []
    for column in zip(*basis, origin, strict=True):
        column = [Fraction(x) for x in column]
        inputs.append(tuple(dot(column, entries) for entries in by_coordinate))
    return Domain(tuple(inputs), inner.cone)


def segment(a, b):
    """From a to b in any R^n; its coordinate u runs from 0 to 1."""
    step = [Fraction(y) - Fraction(x) for x, y in zip(a, b, strict=True)]
    return affine(a, [step], polytope([(0,), (1,)], [{"start"}, {"end"}]))


def box(lower, upper):
    """lower <= x <= upper; the coordinates u are the x_i with lower_i < upper_i, the others stay fixed."""
    free = [i for i, (x, y) in enumerate(zip(lower, upper, strict=True)) if x < y]
    if not free or any(x > y for x, y in zip(lower, upper, strict=True)):
        raise ValueError("a box needs lower <= upper, and < somewhere")
    corners = list(product(*((lower[i], upper[i]) for i in free)))
    inner = polytope(corners, [set(enumerate(corner)) for corner in corners])
    origin = [0 if i in free else x for i, x in enumerate(lower)]
    return affine(origin, [unit(len(lower))[i] for i in free], inner)


# Cutting.


def cuts(form, cone):
    """Whether the form takes both strict signs on the cone: its generators decide."""
    signs = [dot(form, ray.vector) for ray in cone.rays]
    return any(dot(form, line) for line in cone.lines) or min(signs) < 0 < max(signs)


def half(cone, form, wall):
    """The part of the cone where form >= 0. The form must cut the cone; it becomes its wall of that name."""

    def slide(vector, along):
        # Along a line of the cone, to form = 0; the factor is positive.
        height, slope = dot(form, vector), dot(form, along)
        return primitive([slope * x - height * y for x, y in zip(vector, along, strict=True)])

    line = next((line for line in cone.lines if dot(form, line)), None)
    if line is not None:
        up = line if dot(form, line) > 0 else tuple(-x for x in line)
        lines = tuple(slide(other, up) for other in cone.lines if other is not line)
        rays = [Ray(slide(ray.vector, up), ray.tight | {wall}) for ray in cone.rays]
        return Cone(lines, (*rays, Ray(up, cone.walls)), cone.walls | {wall})
    value = {ray: dot(form, ray.vector) for ray in cone.rays}
    rays = [ray for ray in cone.rays if value[ray] > 0]
    rays += [Ray(ray.vector, ray.tight | {wall}) for ray in cone.rays if value[ray] == 0]
    for p, q in product(cone.rays, cone.rays):
        # The smallest face with p and q is where their common walls meet: an edge iff it has no third ray.
        shared = p.tight & q.tight
        if value[p] > 0 > value[q] and not any(shared <= r.tight for r in cone.rays if r not in (p, q)):
            vector = primitive([value[p] * y - value[q] * x for x, y in zip(p.vector, q.vector, strict=True)])
            rays.append(Ray(vector, shared | {wall}))
    return Cone(cone.lines, tuple(rays), cone.walls | {wall})


def split(piece, form, wall):
    """The piece, or its two parts, each with one more sign in its pattern."""
    signs, cone = piece
    if cuts(form, cone):
        opposite = tuple(-x for x in form)
        return [((*signs, False), half(cone, opposite, wall)), ((*signs, True), half(cone, form, wall))]
    return [((*signs, any(dot(form, ray.vector) > 0 for ray in cone.rays)), cone)]


def layers(weights, biases, domain):
    """Yield (regions, cutting) after each layer: cutting[j] of the regions below it are cut by neuron j."""
    # One positive factor a layer keeps all forms integer: it changes no sign and commutes with ReLU.
    inputs, scale = whole(domain.inputs)
    w = unit(len(inputs[0]))[-1]
    cells = [(Region((), domain.cone), inputs)]
    for depth, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        rows, factor = whole([*row, Fraction(b) * scale] for row, b in zip(weight, bias, strict=True))
        scale *= factor
        below, cells, cutting = cells, [], [0] * len(rows)
        for (pattern, cone), outputs in below:
            columns = list(zip(*outputs, w, strict=True))
            forms = [tuple(dot(row, column) for column in columns) for row in rows]
            pieces = [((), cone)]
            for j, form in enumerate(forms):
                cutting[j] += cuts(form, cone)
                pieces = [part for piece in pieces for part in split(piece, form, ("neuron", depth, j))]
            for signs, piece in pieces:
                active = [form if on else (0,) * len(w) for on, form in zip(signs, forms, strict=True)]
                cells.append((Region((*pattern, signs), piece), active))
        yield [region for region, _ in cells], cutting


# Questions.


def regions(weights, biases, domain):
    """The activation regions of the network restricted to the domain."""
    return list(layers(weights, biases, domain))[-1][0]


def count(weights, biases, domain):
    return len(regions(weights, biases, domain))


def by_layer(weights, biases, domain):
    """The number of regions after each hidden layer."""
    return [len(found) for found, _ in layers(weights, biases, domain)]


def by_neuron(weights, biases, domain):
    """For each neuron, how many of the regions of the layers below it cuts."""
    return [cutting for _, cutting in layers(weights, biases, domain)]


def bounded_unbounded(weights, biases, domain):
    found = [region.bounded for region in regions(weights, biases, domain)]
    return found.count(True), found.count(False)


def path(weights, biases, points):
    """(regions, distinct): pieces along a path, one across a corner where the pattern stays; and patterns."""
    patterns = []
    for a, b in pairwise(points):
        found = regions(weights, biases, segment(a, b))
        patterns += [region.pattern for region in sorted(found, key=Region.interior_point)]
    return len(list(groupby(patterns))), len(set(patterns))


def pattern_at(weights, biases, point):
    """The pattern at one input: which pre-activations are strictly positive."""
    values, pattern = [Fraction(x) for x in point], ()
    for weight, bias in zip(weights, biases, strict=True):
        z = [dot(map(Fraction, row), values) + Fraction(b) for row, b in zip(weight, bias, strict=True)]
        values, pattern = [max(x, 0) for x in z], (*pattern, tuple(x > 0 for x in z))
    return pattern
