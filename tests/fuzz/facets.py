"""Domains and cells with many corners and many facets: the engine's room for a cell grows, or another way is gone.

A polygon of hundreds of corners; polytopes of more than 62 walls; cells that get more than 62 facets, because a
neuron cuts off each of their corners; products of polygons, whose corners multiply. The networks on them are small.

Each family answers (place, layers, factors, most): the factors where the domain is a product, and after how many
cells the reference may stop.
"""

import numpy as np

from fuzz.domains import Frame, Place, is_convex, on_plane
from fuzz.floats import dot, one_of, rounded
from fuzz.layers import above, some_layer, standing_on
from fuzz.solids import exactly, half_spaces, hull, inside, mean, product, sphere_points

CORNERS = (33, 65, 129, 130, 257, 300, 513, 600)
PRODUCTS = ((3, 4), (5, 5), (4, 2, 3), (6, 6), (9, 9), (4, 4, 4), (5, 2, 5), (5, 5, 5), (9, 9, 9), (5, 5, 5, 5))
ROUND = Frame("round", [], [])
FEW = 40  # corners up to which a row may run anywhere: the reference compares pairs of corners


def many_corners(rng):
    """A polygon of many corners, in R^2 or inside a plane of R^3."""
    count = one_of(rng, CORNERS)
    turns = 2 * np.pi * (np.arange(count) + rng.uniform(0, 0.5, count)) / count
    vertices = np.column_stack([np.cos(turns), np.sin(turns)]).tolist()
    domain, corners = {"kind": "polygon", "vertices": vertices, "plane": None}, [exactly(v) for v in vertices]
    if rng.integers(3) == 0:
        basis = rng.integers(-3, 4, (2, 3)).astype(float)
        basis[:, :2] += 9 * np.eye(2)
        domain["plane"] = {"kind": "plane", "origin": rng.integers(-2, 3, 3).astype(float).tolist()}
        domain["plane"] |= {"basis": basis.tolist(), "basis_tail": np.zeros((2, 3)).tolist()}
        corners = [on_plane(domain["plane"], vertex) for vertex in vertices]
    place = Place(domain, corners, inside(rng, corners), ROUND)
    rows = [cutting_off(corners, v) for v in rng.permutation(count)[: rng.integers(4)]]
    return place, small_layers(rng, place, rows), [], 60


def many_facets(rng):
    """A polytope of R^3 of which most corners are cut off, or one that has more than 62 walls itself."""
    if rng.integers(2):
        factors = [whole_polygon(rng, int(rng.integers(20, 34))), [[-1.0], [1.0]]]
        domain, corners = half_spaces(factors), [exactly(v) for v in product(factors)[0]]
        cut = int(rng.integers(40, 2 * len(factors[0]) + 1)) if rng.integers(3) else int(rng.integers(4))
    else:
        factors, points = [], sphere_points(rng, int(rng.integers(30, 40)), 500)
        domain, corners = {"kind": "polytope", "points": points, "inside": None}, [exactly(v) for v in hull(points)[0]]
        domain |= {"normals": None, "offsets": None}
        cut = int(rng.integers(len(points) // 2, len(points))) if rng.integers(2) else int(rng.integers(4))
    place = Place(domain, corners, inside(rng, corners), ROUND)
    rows = [cutting_off(corners, v) for v in rng.permutation(len(corners))[:cut]]
    return place, small_layers(rng, place, rows), factors, 200


def products(rng):
    """A product of polygons and intervals in R^4 to R^8."""
    counts = one_of(rng, PRODUCTS)
    factors = [whole_polygon(rng, count) if count > 2 else [[-3.0], [2.0]] for count in counts]
    corners = [exactly(v) for v in product(factors)[0]]
    place = Place(half_spaces(factors), corners, inside(rng, corners[:: max(1, len(corners) // 16)]), ROUND)
    rows = [cutting_off(corners, v) for v in rng.permutation(len(corners))[: rng.integers(1, 4)]]
    layers = small_layers(rng, place, rows) if len(corners) <= FEW else [as_layer(rows)]
    return place, layers, factors, 60


def whole_polygon(rng, count):
    """A convex polygon with whole coordinates, counter-clockwise."""
    size = 8 if count < 6 else 100 * count
    while True:
        turns = 2 * np.pi * (np.arange(count) + rng.uniform(0, 0.3, count)) / count
        vertices = np.rint(size * np.column_stack([np.cos(turns), np.sin(turns)])).tolist()
        if is_convex(vertices):
            return vertices


def cutting_off(corners, v):
    """A row that is positive at one corner of a domain round its middle, and at no other."""
    middle = mean(corners)
    weights = [float(f"{float(x - m):.3e}") for x, m in zip(corners[v], middle, strict=True)]
    second, first = sorted(dot(weights, corner) for corner in corners)[-2:]
    return weights, rounded(-(3 * first + second) / 4)


def as_layer(rows):
    return [list(weights) for weights, _ in rows], [bias for _, bias in rows]


def small_layers(rng, place, rows):
    """The rows and one or two that run anywhere, then at most two small layers."""
    below = standing_on(place.corners[:: max(1, len(place.corners) // 16)], place.inner, [])
    family = one_of(rng, ("generic", "whole", "mixed", "cornered"))
    anywhere = some_layer(rng, family, below, int(rng.integers(1, 3)))[0] if len(rows) < 9 else ([], [])
    layers = [tuple(a + b for a, b in zip(as_layer(rows), anywhere, strict=True))]
    for _ in range(rng.integers(3)):
        below = above(layers[-1], below, [])
        layers.append(some_layer(rng, family, below, int(rng.integers(1, 3)))[0])
    return layers
