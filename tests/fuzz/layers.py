"""Layers whose zero sets nearly coincide, nearly meet in one point, nearly touch a corner, or nearly cancel.

Every row is placed by the exact values that the layers below take at chosen input points ("anchors"), so it does
what its name says at any scale and any depth; its bias is rounded once, then perhaps nudged. A family is how often
each way of making a row is used. `rescaled` then multiplies neurons and layers by factors up to 1e150 and down to
denormals, leaving the function's zero sets where they are but for rounding.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from fuzz.floats import DENORMAL_SCALES, FACTORS, LARGEST, SCALES, SMALLEST, dot, nudged, one_of, relative, rounded


class Below(NamedTuple):
    """What a layer stands on."""

    corners: list  # exact values of the layer below at the domain's corners
    inner: list  # and at other anchors
    sizes: list  # about how large each input is
    copies: list  # (i, j, factor): neuron j of the layer below was made as factor times neuron i

    @property
    def anchors(self):
        return self.corners + self.inner


class Draw(NamedTuple):
    """What the rows of one layer have in common."""

    style: object  # makes a direction
    nudge: bool
    favourite: list  # the anchor through which most lines go


# Directions.


def signs(rng, n):
    return rng.integers(-1, 2, n).astype(float)


def whole(rng, n):
    return rng.integers(-3, 4, n).astype(float)


def halves(rng, n):
    return rng.integers(-3, 4, n) / 2


def normal(rng, n):
    return rng.standard_normal(n)


def spread(rng, n):
    return rng.standard_normal(n) * 10.0 ** rng.choice([-8, -4, 0, 4, 8], n)


STYLES = (signs, whole, halves, normal, normal, spread)


def direction(rng, draw, below):
    """Weights of a row, not all zero; on a coin, as long as the inputs are short."""
    n = len(below.sizes)
    weights = draw.style(rng, n)
    weights[rng.integers(n)] += 0.0 if weights.any() else 1.0
    if rng.integers(2) and all(SMALLEST < size < LARGEST for size in below.sizes):
        weights = weights / [2.0 ** np.rint(np.log2(size)) for size in below.sizes]
    return weights.tolist()


def vanishing_at(rng, draw, weights, point):
    """The row with these weights and a bias that makes it vanish at the point, or miss it by a hair."""
    size = rounded(sum((abs(Fraction(w) * x) for w, x in zip(weights, point, strict=True)), Fraction(0)))
    bias = rounded(-dot(weights, point))
    if size is None or bias is None or not size < LARGEST:
        return weights, 0.0
    return weights, nudged(rng, bias, size or abs(weights[0])) if draw.nudge else bias


# Rows. Each takes (rng, draw, below, rows), rows being the earlier (weights, bias) of the layer.


def free(rng, draw, below, rows):
    """A line across the domain."""
    return vanishing_at(rng, draw._replace(nudge=False), direction(rng, draw, below), one_of(rng, below.inner))


def through(rng, draw, below, rows):
    """A line through the anchor that most others go through, or nearly."""
    return vanishing_at(rng, draw, direction(rng, draw, below), draw.favourite)


def cornered(rng, draw, below, rows):
    """A line through a corner of the domain, or nearly."""
    return vanishing_at(rng, draw, direction(rng, draw, below), one_of(rng, below.corners))


def joining(rng, draw, below, rows):
    """A line through two anchors, so perhaps along a wall of the domain, or nearly (for more inputs: in those two)."""
    if len(below.sizes) < 2:
        return cornered(rng, draw, below, rows)
    i, j = rng.permutation(len(below.sizes))[:2].tolist()
    p, q = one_of(rng, below.anchors), one_of(rng, below.anchors)
    a, b = p[j] - q[j], q[i] - p[i]
    scale = max(abs(a), abs(b)) or 1
    weights = [0.0] * len(below.sizes)
    weights[i], weights[j] = float(a / scale), float(b / scale)
    return vanishing_at(rng, draw, weights, p)


def copied(rng, draw, below, rows):
    """An earlier row of the layer, perhaps turned round or scaled, or nearly."""
    if not rows:
        return free(rng, draw, below, rows)
    weights, bias = one_of(rng, rows)
    factor = one_of(rng, FACTORS)
    values = [rounded(Fraction(x) * Fraction(factor)) for x in (*weights, bias)]
    if None in values:
        return weights, bias
    if draw.nudge:
        values = [nudged(rng, x) for x in values]
    return values[:-1], values[-1]


def parallel(rng, draw, below, rows):
    """The direction of an earlier row, or nearly, through an anchor."""
    if not rows:
        return free(rng, draw, below, rows)
    return vanishing_at(rng, draw, copied(rng, draw, below, rows)[0], one_of(rng, below.anchors))


def summed(rng, draw, below, rows):
    """A combination of two earlier rows: it goes through where they meet, or nearly, in every cell."""
    if len(rows) < 2:
        return free(rng, draw, below, rows)
    (first, b), (second, c) = (rows[i] for i in rng.permutation(len(rows))[:2])
    p, q = (Fraction(one_of(rng, FACTORS)) for _ in range(2))
    pairs = zip((*first, b), (*second, c), strict=True)
    values = [rounded(p * Fraction(x) + q * Fraction(y)) for x, y in pairs]
    if None in values:
        return first, b
    if draw.nudge:
        values = [nudged(rng, x) for x in values]
    return values[:-1], values[-1]


def touching(rng, draw, below, rows):
    """A row that is negative on the domain but for one anchor (or positive), or nearly: dead, or a corner cut off."""
    weights = direction(rng, draw, below)
    point = max(below.anchors, key=lambda anchor: dot(weights, anchor))
    if rng.integers(3) == 0:
        weights = [-w for w in weights]
    return vanishing_at(rng, draw, weights, point)


def dead(rng, draw, below, rows):
    """Never positive, where inputs are not: with bias 0, zero wherever they vanish."""
    weights = direction(rng, draw, below)
    return [-abs(w) for w in weights], -abs(weights[0]) if rng.integers(2) else 0.0


def zero(rng, draw, below, rows):
    return [0.0] * len(below.sizes), one_of(rng, (0.0, 1.0, -1.0, 5e-324, -5e-324))


def cancelling(rng, draw, below, rows):
    """The difference of two neurons below that are (nearly) multiples of each other."""
    if not below.copies:
        return summed(rng, draw, below, rows)
    i, j, factor = one_of(rng, below.copies)
    weights = [0.0] * len(below.sizes)
    other = rounded(1 / Fraction(factor))
    weights[i], weights[j] = 1.0, nudged(rng, -abs(other) if rng.integers(4) else abs(other))
    if rng.integers(3) == 0:
        weights[rng.integers(len(weights))] += relative(rng)
    if rng.integers(3) == 0:
        return vanishing_at(rng, draw, weights, one_of(rng, below.anchors))
    return weights, float(one_of(rng, (0.0, 0.0, 1.0, -1.0))) * relative(rng) * below.sizes[i]


def passed(rng, draw, below, rows):
    """A neuron below handed on, perhaps turned round or scaled, without a bias."""
    weights = [0.0] * len(below.sizes)
    weights[rng.integers(len(weights))] = float(one_of(rng, (1.0, 1.0, 1.0, -1.0, 0.5, 3.0, 0.1)))
    return weights, 0.0


def pruned(rng, draw, below, rows):
    """A direction of which one or two weights are left, with a bias or without."""
    weights = direction(rng, draw, below)
    kept = rng.permutation(len(weights))[: int(rng.integers(1, 3))].tolist()
    weights = [w if i in kept else 0.0 for i, w in enumerate(weights)]
    bias = float(one_of(rng, (0.0, 0.0, 1.0, -1.0))) * float(rng.random()) * max(below.sizes)
    return weights, bias if np.isfinite(bias) else 0.0


def streamed(rng, draw, below, rows):
    """An earlier row of the layer, taken from neurons that are multiples of those it takes from: the same function."""
    if not rows or not below.copies:
        return free(rng, draw, below, rows)
    weights, bias = one_of(rng, rows)
    weights = list(weights)
    for i, j, factor in below.copies:
        if Fraction(factor) > 0 and weights[i] != 0.0 and weights[j] == 0.0:
            moved = rounded(Fraction(weights[i]) / Fraction(factor))
            if moved is not None:
                weights[i], weights[j] = 0.0, moved
    return weights, bias


# Families: how often each way of making a row is used, and whether it is nudged.

FAMILIES = {
    "generic": {free: 1},
    "coincident": {copied: 5, through: 1, free: 2},
    "concurrent": {through: 5, summed: 3, free: 1},
    "cornered": {cornered: 4, joining: 2, touching: 2, free: 2},
    "parallel": {parallel: 5, copied: 1, free: 2},
    "cancelling": {cancelling: 3, copied: 3, free: 2},
    "whole": {through: 2, cornered: 2, joining: 1, free: 2, copied: 1, summed: 2, zero: 1},
    "zero_bias": {free: 3, copied: 1, summed: 1},
    "dead": {touching: 3, dead: 2, zero: 1, free: 4},
    "sawtooth": {free: 2, copied: 1},
    "pass-through": {passed: 4, pruned: 2, free: 2},
    "pruned": {pruned: 4, passed: 1, free: 1},
    "twin streams": {copied: 3, streamed: 4, free: 2},
    "mixed": dict.fromkeys((free, through, cornered, joining, copied, parallel, summed), 1)
    | dict.fromkeys((touching, dead, zero, cancelling, passed, streamed), 1),
}
EXACT = ("whole", "zero_bias", "pass-through", "twin streams")  # never nudged: true ties

DEPTHS = (1, 1, 2, 2, 2, 3, 3, 4)
WIDEST = {1: 8, 2: 7, 3: 5, 4: 4}
WIDENED = 8  # one layer in so many has twice the width: more lines in one cell than the engine takes at once


def some_layers(rng, family, place):
    """Layers [(weights, bias)], nested lists of floats, whose lines are drawn around the place's anchors."""
    depth = one_of(rng, DEPTHS)
    below = standing_on(place.corners, place.inner, [])
    layers = []
    if family == "sawtooth":
        for tooth in teeth(rng, place, depth):
            layers.append(tooth)
            below = above(tooth, below, [])
        depth = 1
    for _ in range(depth):
        width = int(rng.integers(1, WIDEST[depth] + 1)) * (1 if rng.integers(WIDENED) else 2)
        layer, copies = some_layer(rng, family, below, width)
        layers.append(layer)
        below = above(layer, below, copies)
    return layers


def some_layer(rng, family, below, width):
    """(weights, bias) of one layer, and which of its rows were made as multiples of others."""
    ways = FAMILIES[family]
    chances = np.array(list(ways.values()), dtype=float)
    draw = Draw(
        style=one_of(rng, STYLES[:3] if family == "whole" else STYLES),
        nudge=family not in EXACT and bool(rng.integers(5)),
        favourite=one_of(rng, below.anchors),
    )
    rows = []
    for _ in range(width):
        way = list(ways)[rng.choice(len(ways), p=chances / chances.sum())]
        weights, bias = way(rng, draw, below, rows)
        rows.append((weights, 0.0 if family == "zero_bias" else bias))
    copies = [found for j in range(width) for i in range(j) if (found := multiple(rows, i, j))]
    return ([list(weights) for weights, _ in rows], [bias for _, bias in rows]), copies


def multiple(rows, i, j):
    """(i, j, factor) if row j is factor times row i but for some last places, else None."""
    first, second = ([*weights, bias] for weights, bias in (rows[i], rows[j]))
    at = int(np.argmax(np.abs(first)))
    if not (SMALLEST < abs(first[at]) < LARGEST and SMALLEST < abs(second[at]) < LARGEST):
        return None
    factor = second[at] / first[at]
    near = SMALLEST < abs(factor) < LARGEST and np.allclose(np.array(first) * factor, second, rtol=1e-9, atol=0)
    return (i, j, factor) if near else None


def teeth(rng, place, depth):
    """Telgarsky's tents along one direction of the domain, some numbers nudged."""
    p, q = one_of(rng, place.corners), one_of(rng, place.inner)
    span = [b - a for a, b in zip(p, q, strict=True)]
    length = dot(span, span)
    weights = [rounded(x / length) for x in span] if length else [1.0] * len(span)
    if None in weights or not max(map(abs, weights)) < LARGEST:
        weights = [1.0] * len(span)
    bias = rounded(-dot(weights, p)) or 0.0
    layers = [([weights, list(weights)], [bias, bias - 0.5])]
    layers += [([[2.0, -4.0], [2.0, -4.0]], [0.0, -0.5]) for _ in range(depth - 1)]
    if rng.integers(2):
        layers = [
            ([[nudged(rng, w) for w in row] for row in rows], [nudged(rng, b, 1.0) for b in bias])
            for rows, bias in layers
        ]
    return layers


def standing_on(corners, inner, copies):
    points = [*corners, *inner]
    largest = [max(abs(point[i]) for point in points) for i in range(len(points[0]))]
    return Below(corners, inner, [rounded(x) if x else 1.0 for x in largest], copies)


def above(layer, below, copies):
    """What the next layer stands on, in rationals."""
    rows, bias = layer

    def values(point):
        return [max(dot(row, point) + Fraction(b), Fraction(0)) for row, b in zip(rows, bias, strict=True)]

    found = standing_on([values(p) for p in below.corners], [values(p) for p in below.inner], copies)
    return found._replace(sizes=[np.inf if size is None else size for size in found.sizes])


# Scales.


def rescaled(rng, layers):
    """The layers with some neurons and some whole layers multiplied by large or small numbers; and what was done."""
    done = []
    if rng.integers(3) == 0:
        layers, done = scaled_neurons(rng, layers), [*done, "neurons scaled"]
    if rng.integers(3) == 0:
        layers, done = scaled_layers(rng, layers, SCALES), [*done, "layers scaled"]
    elif rng.integers(6) == 0:
        layers, done = scaled_layers(rng, layers, DENORMAL_SCALES), [*done, "denormal layers"]
    return layers, done or ["not scaled"]


def scaled_neurons(rng, layers):
    """Rows times positive factors, and the columns above divided by them."""
    layers = [([list(row) for row in rows], list(bias)) for rows, bias in layers]
    for layer, (rows, bias) in enumerate(layers):
        for j in range(len(rows)):
            factor = Fraction(one_of(rng, SCALES)) if rng.integers(2) else Fraction(1)
            changed = [rounded(Fraction(x) * factor) for x in (*rows[j], bias[j])]
            column = (
                [rounded(Fraction(row[j]) / factor) for row in layers[layer + 1][0]] if layer + 1 < len(layers) else []
            )
            if None not in changed and None not in column:
                rows[j], bias[j] = changed[:-1], changed[-1]
                for i, value in enumerate(column):
                    layers[layer + 1][0][i][j] = value
    return layers


def scaled_layers(rng, layers, scales):
    """Whole layers times factors; the biases above take part, so that all zero sets stay where they were."""
    total, result = Fraction(1), []
    for rows, bias in layers:
        factor = Fraction(one_of(rng, scales)) if rng.integers(3) else Fraction(1)
        changed = [[rounded(Fraction(w) * factor) for w in row] for row in rows]
        moved = [rounded(Fraction(b) * total * factor) for b in bias]
        if any(x is None for row in changed for x in row) or None in moved:
            result.append((rows, [rounded(Fraction(b) * total) or 0.0 for b in bias]))
        else:
            total *= factor
            result.append((changed, moved))
    return result
