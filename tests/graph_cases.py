"""Networks as graphs, and domains, for the tests: generic ones, and degenerate ones of small whole numbers.

`random_graph` draws levels for `reference.py`, all numbers Python floats. Each level takes from the one below and at
times from others, or from others alone. Sizes are such that the rationals count most cases in some tenths of a second.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

import reference
from fuzz.domains import specification
from fuzz.floats import one_of

SLOPES = (0.0, 1.0, -1.0, 0.01, 0.25, -0.5, 2.0)

# How many neurons a network has at most, by its inputs; a switch of k counts as k - 1 of them, a clip as two.
MOST_NEURONS = {1: 30, 2: 22, 3: 15, 4: 12, 5: 8, 6: 6, 7: 4, 8: 3}


class Draw(NamedTuple):
    """What the levels are drawn with."""

    rng: np.random.Generator
    degenerate: bool

    def matrix(self, n, m):
        if self.degenerate:
            return self.rng.integers(-2, 3, (n, m)).astype(float)
        return self.rng.standard_normal((n, m)) * np.sqrt(2 / m)

    def bias(self, n):
        if self.degenerate:
            zero = self.often(0.25)  # for the whole level
            return self.rng.integers(-2, 3, n) * (0.0 if zero else 1.0)
        return self.rng.standard_normal(n) * 0.5

    def often(self, share):
        return self.rng.random() < share


# Kinks: each is a function of (draw, units) to a kink of the reference; `size` says how many neurons it is.


def relu(draw, n):
    return reference.relu(n)


def leaky(draw, n):
    """Slopes (a, 1): one a for all units, or one for each. Some are 1."""
    slopes = [one_of(draw.rng, SLOPES)] * n if draw.often(0.5) else [one_of(draw.rng, SLOPES) for _ in range(n)]
    return reference.Slopes([(slope, 1.0) for slope in slopes])


def slopes(draw, n):
    """Any two slopes; often equal ones."""
    pairs = [(one_of(draw.rng, SLOPES), one_of(draw.rng, SLOPES)) for _ in range(n)]
    return reference.Slopes([(below, below) if draw.often(0.15) else (below, above) for below, above in pairs])


def absolute(draw, n):
    return reference.Slopes([(-1.0, 1.0)] * n)


def clip(draw, n):
    """One pair of bounds for all units, or one for each."""
    low = draw.rng.integers(-1, 1, n).astype(float) if draw.degenerate else draw.rng.uniform(-1, 0.2, n)
    high = low + (draw.rng.integers(1, 3, n) if draw.degenerate else draw.rng.uniform(0.1, 1.5, n))
    return reference.Clip(float(low[0]), float(high[0])) if draw.often(0.5) else reference.Clip(*map(list, (low, high)))


def largest(draw, n):
    """A few groups of 2 to 4 of at least two units; they may overlap."""
    groups = [draw.rng.permutation(n)[: draw.rng.integers(2, 5)].tolist() for _ in range(max(1, n // 3))]
    return reference.Max(groups)


def linear(draw, n):
    return reference.linear(n)


KINKS = {
    "relu": relu,
    "leaky": leaky,
    "slopes": slopes,
    "abs": absolute,
    "clip": clip,
    "max": largest,
    "linear": linear,
}


def size(kink, units):
    """How many neurons: what a level costs."""
    if isinstance(kink, reference.Max):
        return sum(len(group) - 1 for group in kink.groups)
    if isinstance(kink, reference.Clip):
        return 2 * units
    return sum(below != above for below, above in kink.pairs)


def values(level):
    """How many values the level has for those above."""
    return len(level.kink.groups if isinstance(level.kink, reference.Max) else level.bias)


def random_graph(rng, n_in, *, degenerate, most_units=6, kinks=tuple(KINKS)):
    """Two to five levels of one to `most_units` units, with kinks of these names; the same for the same rng."""
    draw, levels, widths, left = Draw(rng, degenerate), [], [n_in], MOST_NEURONS[n_in]
    for number in range(1, rng.integers(2, 6) + 1):
        name = one_of(rng, kinks)
        n = int(rng.integers(2 if name == "max" else 1, max(2, most_units) + 1))
        sources = some_sources(draw, number, widths)
        residual = number - 1 in sources and len(sources) > 1 and draw.often(0.6)
        if residual:  # an identity carries the other source
            other = min(sources)
            n = max(widths[other], 2) if name == "max" else widths[other]
        matrices = {p: draw.matrix(n, widths[p]) for p in sources}
        if residual:
            matrices[other] = np.eye(n, widths[other])
        bias = draw.bias(n)
        if degenerate:
            spoil(draw, matrices, bias, may_die=name in ("relu", "max"))
        kink = KINKS[name](draw, n)
        if size(kink, n) > left:
            kink = reference.linear(n)
        left -= size(kink, n)
        # Adding 0.0 makes -0.0 a plain zero.
        plain = {p: (matrix + 0.0).tolist() for p, matrix in matrices.items()}
        levels.append(reference.Level(plain, (bias + 0.0).tolist(), kink))
        widths.append(values(levels[-1]))
    return levels


def some_sources(draw, number, widths):
    """The level below; often with another one, at times with all, and at times another one alone."""
    below, others = number - 1, list(range(number - 1))
    if not others or draw.often(0.45):
        return [below]
    if draw.often(0.15):
        return [one_of(draw.rng, others)]
    return [*others, below] if draw.often(0.2) else [one_of(draw.rng, others), below]


def spoil(draw, matrices, bias, may_die):
    """Make some units copies or opposites of others, constant, or dead: never active, or never a winner."""
    rows = range(len(bias))
    for j in rows:
        way, other = int(draw.rng.integers(12)), one_of(draw.rng, rows)
        if way in (0, 1):  # a copy or a multiple, and among candidates a tie
            factor = one_of(draw.rng, (1.0, 1.0, -1.0, 2.0, -2.0))
            for matrix in matrices.values():
                matrix[j] = matrix[other] * factor
            bias[j] = bias[other] * factor
        elif way == 2:  # a row of zeros
            for matrix in matrices.values():
                matrix[j] = 0.0
        elif way == 3 and may_die:  # with other kinks so large a value would drown what is above
            bias[j] = -1000.0


def without_biases(levels):
    """The same network with all biases zero: its regions are cones. A clip has bounds, so there is none for it."""
    if any(isinstance(level.kink, reference.Clip) for level in levels):
        raise ValueError("a clip is not positively homogeneous; draw the graph with other kinks")
    return [level._replace(bias=[0.0] * len(level.bias)) for level in levels]


# Domains.


class Place(NamedTuple):
    name: str
    data: dict  # as `creases.domain.domain_from_dict` reads it
    specification: reference.Domain


DOMAINS = {
    1: ("segment", "line", "box", "space"),
    2: ("segment", "line", "box", "space", "polygon", "plane slice", "polygon of a plane"),
    3: ("segment", "line", "box", "space", "simplex", "plane slice", "polygon of a plane"),
    4: ("segment", "line", "box", "space", "simplex", "plane slice", "polygon of a plane"),
    **dict.fromkeys((5, 6, 7), ("box", "space", "simplex")),
    8: ("space", "simplex"),  # the rationals take 256 corners of a box some seconds
}

# Strictly convex.
POLYGONS = (
    [[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]],
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
    [[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
)


def random_domain(rng, n_in, kind):
    """A domain of one of the kinds in DOMAINS[n_in]. Coordinates are quarters, where walls meet, or anything."""
    quarters = bool(rng.integers(2))

    def points(number):
        """Rows of which the steps from the first are independent."""
        while True:
            found = (rng.integers(-4, 5, (number, n_in)) / 4 if quarters else rng.uniform(-1, 1, (number, n_in))) + 0.0
            if reference.independent([(*row, 1) for row in found.tolist()]):
                return found.tolist()

    def plane():
        while True:
            origin, *basis = (rng.integers(-4, 5, (3, n_in)) / 4 if quarters else rng.uniform(-1, 1, (3, n_in))) + 0.0
            basis = [row.tolist() for row in basis]
            if reference.independent(basis):
                tail = [[0.0] * n_in] * 2
                return {"kind": "plane", "origin": origin.tolist(), "basis": basis, "basis_tail": tail}

    match kind:
        case "segment":
            start, end = points(2)
            data = {"kind": "segment", "start": start, "end": end}
        case "line":
            start, end = points(2)
            step = [float(Fraction(b) - Fraction(a)) for a, b in zip(start, end, strict=True)]
            data = {"kind": "line", "point": start, "direction": step}
        case "box":
            size = 1.0 if quarters else float(rng.uniform(0.5, 2))
            data = {"kind": "box", "lower": [-size] * n_in, "upper": [size] * n_in}
        case "space":
            data = {"kind": "space", "n": n_in}
        case "simplex":
            data = {"kind": "simplex", "vertices": points(n_in + 1), "inside": None}
        case "plane slice":
            data = plane()
        case "polygon":
            data = {"kind": "polygon", "vertices": one_of(rng, POLYGONS), "plane": None}
        case "polygon of a plane":
            data = {"kind": "polygon", "vertices": one_of(rng, POLYGONS), "plane": plane()}
        case _:
            raise ValueError(f"unknown kind of domain {kind!r}; known are {DOMAINS[n_in]}")
    return Place(kind, data, specification(data))
