"""Entries near the largest float, where sizes overflow and true values stay tame.

A bound that overflows is infinite; multiplied by a zero it is a NaN, and a NaN must not be read as "exact". Beside
neurons of ordinary size stand monsters: a bias near the largest float, or weights whose product with those of the
next layer is beyond it. Above them stand zeros, or numbers so small that little is left. What the others do cancels:
T - T with T so large that a float loses all that is added in between.
"""

import numpy as np

from fuzz.domains import box, line, plane, polygon, segment, space
from fuzz.floats import dot, one_of, rounded
from fuzz.layers import above, standing_on
from fuzz.limits import place_in, plain
from fuzz.solids import cube, directions, simplex, subspace

LARGEST = 1.7976931348623157e308
MONSTERS = (LARGEST, LARGEST, 1e308, 2.0**1023, 1e300, 1e200, 1e160, 1e155)
LARGE = (2.0**53, 2.0**53, 2.0**54, 2.0**60, 1e17, 1e100, 2.0**200, 1e300)
LITTLE = (0.0, 0.0, 0.0, 0.0, 5e-324, 1e-308, 1e-200)

KINDS = {
    1: (cube, segment, line, space, directions),
    2: (cube, box, polygon, simplex, segment, line, space, plane, directions),
    3: (cube, simplex, space, subspace, plane, directions, polygon),
}


def enormous(rng, n):
    """Inputs of very different sizes, some near the largest float."""
    return [0.0] * n, [one_of(rng, (1e300, 1.0, 1.0, 1e-300, 1e154)) for _ in range(n)]


def with_monsters(rng):
    """(place, layers)."""
    place = place_in(rng, KINDS, (plain, plain, plain, enormous))
    below = standing_on(place.corners, place.inner, [])
    bare = bool(rng.integers(2))  # one monster, one layer that cancels above it, and one that sees what is left
    depth = 3 if bare else one_of(rng, (2, 3, 3, 4))
    layers, monsters, equal = [], [], []
    for level in range(depth):
        last = level == depth - 1
        rows = ground(rng, below, bare) if level == 0 else cancelling(rng, below, monsters, equal, last)
        count = int(level == 0) if bare else 0 if last and rng.integers(2) else int(rng.integers(3))
        found = [monster(rng, below, monsters, bare) for _ in range(count)]
        order = rng.permutation(len(rows) + len(found)).tolist()
        layer = [[*rows, *found][i] for i in order]
        monsters = [place for place, i in enumerate(order) if i >= len(rows)]
        equal = [(i, j) for j in range(len(layer)) for i in range(j) if layer[i] == layer[j] and i not in monsters]
        layers.append(([list(weights) for weights, _ in layer], [bias for _, bias in layer]))
        below = above(layers[-1], below, [])
    return place, layers


def ground(rng, below, bare):
    """Constants and small whole rows, scaled to the inputs; each may come twice or thrice."""
    rows, n = [], len(below.sizes)
    scales = [2.0 ** -np.clip(np.rint(np.log2(size)), -1000, 1000) for size in below.sizes]
    for count in (one_of(rng, (2, 3, 3)), *one_of(rng, ((1,), (1,), (1, 2)))):
        weights, bias = [0.0] * n, float(rng.integers(1, 3))
        if rows or rng.integers(4 - 2 * bare):
            weights = rng.integers(-2, 3, n).astype(float)
            weights[rng.integers(n)] += 0.0 if weights.any() else 1.0
            weights, bias = (weights * scales).tolist(), float(one_of(rng, (0, 1, 2, 3, -1)))
        rows += [(weights, bias)] * count
    return rows


def cancelling(rng, below, monsters, equal, last):
    """Rows T a - T b + what is left, where the neurons a and b below are equal; and small rows."""
    rows, n = [], len(below.sizes)
    usual = [i for i in range(n) if i not in monsters]
    for _ in range(rng.integers(1, 3)):
        weights = [0.0] * n
        for i in usual:
            weights[i] = float(one_of(rng, (0, 1, 1, 1, -1, 2)))
        if equal and not last:
            i, j = one_of(rng, equal)
            large = one_of(rng, LARGE)
            weights[i], weights[j] = (large, -large) if rng.integers(2) else (-large, large)
        for i in monsters:
            weights[i] = one_of(rng, LITTLE)
        there = rounded(-dot(weights, one_of(rng, below.anchors)))
        bias = there if there is not None and rng.integers(2) else float(one_of(rng, (0, 0, 0, 1, -1, -2, -3)))
        rows.append((weights, bias))
    return rows


def monster(rng, below, monsters, bare):
    """A neuron whose size is beyond the largest float, or nearly: by its bias, by its weights, or together with those
    of a monster below. On a coin it is dead."""
    n, large = len(below.sizes), LARGEST if bare and rng.integers(4) else one_of(rng, MONSTERS)
    sign = one_of(rng, (1.0, -1.0))
    if rng.integers(2):
        return [0.0] * n, sign * large
    weights = [0.0] * n
    for i in monsters or range(n) if rng.integers(2) else [int(rng.integers(n))]:
        weights[i] = sign * large
    return weights, float(one_of(rng, (0.0, 0.0, sign * large, -1.0)))
