"""The specification: activation regions of a piecewise-linear network on a domain, in rational arithmetic.

Slow, short, and sharing nothing with creases. A cell is a cone in homogeneous coordinates (u, w), w >= 0,
kept as its generators and cut by one neuron after the other with the double description method (Motzkin,
Raiffa, Thompson and Thrall 1953; with lines as in Fukuda and Prodon 1996). It decides:

* Regions are open relative to the domain: a neuron cuts a cell iff its pre-activation takes both strict
  signs there. Cells are convex, so their generators tell (Hanin and Rolnick 2019, Lemma 4).
* A neuron is active on a region iff its pre-activation is positive there; one that vanishes identically is
  inactive and cuts nothing. A linear unit, of two equal slopes, is no neuron.
* A switch has one winner on a region: the candidate that is nowhere less than another one, the first of those
  that are identically equal. It cuts only where winners change. A neuron is the switch between 0 and z.

A network is a list of levels, numbered from 1; level 0 is the input. Where a question takes weights and biases
instead, they are those of the HIDDEN layers of a chain of ReLUs. Numbers are ints, floats (taken exactly) or
Fractions, in nested lists.
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
    walls: frozenset  # their names: ("wall", ...) and "infinity"; ("neuron" or "switch", level, which, candidates)


class Domain(NamedTuple):
    inputs: tuple  # one affine form of (u, w) for each input of the network
    cone: Cone

    def at(self, u):
        """The input with coordinates u."""
        return tuple(dot(form, (*map(Fraction, u), 1)) for form in self.inputs)


class Region(NamedTuple):
    pattern: tuple  # one tuple a layer: a bool for each neuron, or the winner of each switch
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


def times(factor, vector):
    return tuple(factor * x for x in vector)


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


# Networks. A kink says what becomes of the sums z of a level: `at` a point, and by `choices` between affine forms.
# There each value has a list of (state, candidate, value): the state is this one where this candidate is the largest.


class Level(NamedTuple):
    sources: dict  # {number of an earlier level: matrix}, a row for each unit of this one
    bias: list
    kink: tuple  # Slopes, Clip or Max

    # z = sum of matrix @ (values of the source) + bias


class Slopes(NamedTuple):
    pairs: list  # (below, above) for each unit: its value is below * z for z < 0 and above * z for z > 0
    cut_by = "neuron"

    def at(self, z):
        values = [Fraction(below if x < 0 else above) * x for x, (below, above) in zip(z, self.pairs, strict=True)]
        return values, tuple(x > 0 for x, (below, above) in zip(z, self.pairs, strict=True) if below != above)

    def whole(self):
        """With integer slopes; and the positive number that the values are multiplied by."""
        pairs, factor = whole(self.pairs)
        return Slopes(pairs), factor

    def choices(self, z):
        return [
            [(False, times(0, form), times(below, form)), (True, form, times(above, form))]
            if below != above
            else [(None, form, times(above, form))]
            for form, (below, above) in zip(z, self.pairs, strict=True)
        ]


class Clip(NamedTuple):
    low: list  # low < high: numbers, or one for each unit
    high: list

    def bounds(self, n):
        return [[Fraction(x) for x in (bound if hasattr(bound, "__len__") else [bound] * n)] for bound in self]

    def at(self, z):
        low, high = self.bounds(len(z))
        above = [x > a for x, a in zip(z, low, strict=True)] + [x > b for x, b in zip(z, high, strict=True)]
        return [min(max(x, a), b) for x, a, b in zip(z, low, high, strict=True)], tuple(above)


class Max(NamedTuple):
    groups: list  # units that are candidates, for each value of the level
    cut_by = "switch"

    def at(self, z):
        groups = [[z[unit] for unit in group] for group in self.groups]
        return [max(group) for group in groups], tuple(group.index(max(group)) for group in groups)

    def whole(self):
        return self, 1

    def choices(self, z):
        return [[(i, z[unit], z[unit]) for i, unit in enumerate(group)] for group in self.groups]


def relu(n):
    return Slopes([(0, 1)] * n)


def linear(n):
    return Slopes([(1, 1)] * n)


def chain(weights, biases):
    """The levels of a chain of ReLU layers."""
    layers = zip(weights, biases, strict=True)
    return [Level({depth: weight}, bias, relu(len(bias))) for depth, (weight, bias) in enumerate(layers)]


def without_clips(levels):
    """(number, level) with each clip as low + relu(z - low) - relu(z - high): a layer of ReLUs and a linear level."""
    for number, level in enumerate(levels, start=1):
        if isinstance(level.kink, Clip):
            n = len(level.bias)
            low, high = level.kink.bounds(n)
            bias = [Fraction(b) - bound for bounds in (low, high) for b, bound in zip(level.bias, bounds, strict=True)]
            sums = {p: [*matrix, *matrix] for p, matrix in level.sources.items()}
            difference = [(*row, *times(-1, row)) for row in unit(n)]
            yield ("clip", number), Level(sums, bias, relu(2 * n))
            yield number, Level({("clip", number): difference}, low, linear(n))
        else:
            yield number, level


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


def sides(form, cone):
    """Whether the form is negative somewhere on the cone, and whether it is positive: its generators decide."""
    if any(dot(form, line) for line in cone.lines):
        return True, True
    heights = [dot(form, ray.vector) for ray in cone.rays]
    return min(heights) < 0, max(heights) > 0


def cuts(form, cone):
    """Whether the form takes both strict signs on the cone."""
    return all(sides(form, cone))


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


def winners(forms, cone, name):
    """Yield (i, the part of the cone where form i is the largest, the first of equal ones) if it has an inside."""
    for i in range(len(forms)):
        part = where_largest(i, forms, cone, name)
        if part:
            yield i, part
        if part is cone:
            return  # the largest everywhere


def where_largest(i, forms, cone, name):
    """That part, or None."""
    for j, other in enumerate(forms):
        form = tuple(x - y for x, y in zip(forms[i], other, strict=True))
        less, more = sides(form, cone) if i != j else (False, True)
        if less and more:
            cone = half(cone, form, (*name, *sorted((i, j))))
        elif less or (not more and j < i):
            return None
    return cone


def cuttings(levels, domain):
    """Yield (cells, scale, cutting) after each level.

    cells : (region, values) each; values[p] are the affine forms of level p there, those of this level times `scale`.
    cutting : for each neuron or switch of the level, how many of the regions below have more than one of its states.
    """
    # One positive factor a level keeps all forms integer: it changes no sign and no winner.
    inputs, scale = whole(domain.inputs)
    w = unit(len(inputs[0]))[-1]
    scales, cells = {0: scale}, [(Region((), domain.cone), {0: inputs})]
    for number, level in without_clips(levels):
        rows, scale = whole(
            [*(Fraction(x) / scales[p] for p, row in zip(level.sources, rows, strict=True) for x in row), bias]
            for *rows, bias in zip(*level.sources.values(), level.bias, strict=True)
        )
        kink, factor = level.kink.whole()
        scales[number] = scale * factor
        below, cells, turns = cells, [], []
        for region, known in below:
            columns = list(zip(*(form for p in level.sources for form in known[p]), w, strict=True))
            z = [tuple(dot(row, column) for column in columns) for row in rows]
            pieces = [((), (), region.cone)]
            for j, choices in enumerate(kink.choices(z)):
                candidates = [form for _, form, _ in choices]
                pieces = [
                    ((*states, choices[i][0]), (*values, choices[i][2]), part)
                    for states, values, cone in pieces
                    for i, part in winners(candidates, cone, (kink.cut_by, number, j))
                ]
            layers = [tuple(state for state in states if state is not None) for states, _, _ in pieces]
            turns.append([len(set(states)) > 1 for states in zip(*layers, strict=True)])
            for layer, (_, values, cone) in zip(layers, pieces, strict=True):
                pattern = (*region.pattern, layer) if layer else region.pattern
                cells.append((Region(pattern, cone), {**known, number: values}))
        yield cells, scales[number], [sum(turned) for turned in zip(*turns, strict=True)]


# Questions about networks as graphs. A layer is a level with neurons or switches.


def graph_layers(levels, domain):
    """Yield (regions, cutting) after each layer: cutting[j] of the regions below it are cut by neuron or switch j."""
    for cells, _, cutting in cuttings(levels, domain):
        if cutting:
            yield [region for region, _ in cells], cutting


def graph_regions(levels, domain):
    """The activation regions of the network restricted to the domain."""
    *_, (cells, _, _) = cuttings(levels, domain)
    return [region for region, _ in cells]


def graph_pieces(levels, domain):
    """(region, outputs): the network's outputs on each region, as affine forms of (u, w)."""
    *_, (cells, scale, _) = cuttings(levels, domain)
    return [
        (region, [tuple(Fraction(x) / scale for x in form) for form in list(values.values())[-1]])
        for region, values in cells
    ]


def graph_count(levels, domain):
    return len(graph_regions(levels, domain))


def graph_by_layer(levels, domain):
    """The number of regions after each layer."""
    return [len(found) for found, _ in graph_layers(levels, domain)]


def graph_by_neuron(levels, domain):
    """For each neuron or switch of each layer, how many of the regions of the levels below it cuts."""
    return [cutting for _, cutting in graph_layers(levels, domain)]


def graph_bounded_unbounded(levels, domain):
    found = [region.bounded for region in graph_regions(levels, domain)]
    return found.count(True), found.count(False)


def graph_path(levels, points):
    """(regions, distinct): pieces along a path, one across a corner where the pattern stays; and patterns."""
    patterns = []
    for a, b in pairwise(points):
        found = graph_regions(levels, segment(a, b))
        patterns += [region.pattern for region in sorted(found, key=Region.interior_point)]
    return len(list(groupby(patterns))), len(set(patterns))


def at_point(levels, point):
    """(outputs, pattern) at one input, by definition: without forms, scales or cells."""
    values, pattern = [[Fraction(x) for x in point]], ()
    for level in levels:
        z = [
            sum(
                (dot(map(Fraction, row), values[p]) for p, row in zip(level.sources, rows, strict=True)), Fraction(bias)
            )
            for *rows, bias in zip(*level.sources.values(), level.bias, strict=True)
        ]
        outputs, states = level.kink.at(z)
        values.append(outputs)
        pattern = (*pattern, states) if states else pattern
    return values[-1], pattern


def graph_forward(levels, point):
    """The values of the last level at one input."""
    return at_point(levels, point)[0]


def graph_pattern_at(levels, point):
    """The pattern at one input: which pre-activations are strictly positive, and the first largest candidates."""
    return at_point(levels, point)[1]


# The same questions about chains of ReLU layers.


def of_chain(question):
    """The question with (weights, biases) in the place of the levels."""

    def asked(weights, biases, where):
        return question(chain(weights, biases), where)

    asked.__doc__ = question.__doc__
    return asked


layers = of_chain(graph_layers)
regions = of_chain(graph_regions)
count = of_chain(graph_count)
by_layer = of_chain(graph_by_layer)
by_neuron = of_chain(graph_by_neuron)
bounded_unbounded = of_chain(graph_bounded_unbounded)
path = of_chain(graph_path)
pattern_at = of_chain(graph_pattern_at)
