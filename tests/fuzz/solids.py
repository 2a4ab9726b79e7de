"""Domains of three dimensions, and of directions: each takes (rng, frame) and answers like the kinds of `domains`."""

from fractions import Fraction

import numpy as np

import reference


def some_t(rng, n):
    """A point of [-1, 1]^n: whole quarters, or anything."""
    return (rng.integers(-4, 5, n) / 4 if rng.integers(2) else rng.uniform(-1, 1, n)).tolist()


def exactly(point):
    return [Fraction(x) for x in point]


def mean(points):
    return [sum(column, Fraction(0)) / len(points) for column in zip(*points, strict=True)]


def inside(rng, corners):
    """Points inside a convex domain: the middle of all corners, and of some."""
    some = [[corners[i] for i in rng.permutation(len(corners))[:count]] for count in (2, 3, 4)]
    return [mean(corners), *map(mean, some)]


def cube(rng, frame):
    """A box all of whose sides are free."""
    n = len(frame.centre)
    lower, upper = frame.point([-1.0] * n), frame.point([1.0] * n)
    if not all(a < b for a, b in zip(lower, upper, strict=True)):
        return None
    corners = [exactly(upper[i] if number >> i & 1 else lower[i] for i in range(n)) for number in range(1 << n)]
    return {"kind": "box", "lower": lower, "upper": upper}, corners, inside(rng, corners)


def simplex(rng, frame):
    n = len(frame.centre)
    vertices = [frame.point(some_t(rng, n)) for _ in range(n + 1)]
    if not reference.independent([(*vertex, 1) for vertex in vertices]):
        return None
    corners = [exactly(vertex) for vertex in vertices]
    return {"kind": "simplex", "vertices": vertices, "inside": None}, corners, inside(rng, corners)


def subspace(rng, frame):
    """A whole space in coordinates of its own, or a subspace of one dimension less."""
    n = len(frame.centre)
    origin = frame.point(some_t(rng, n))
    rows = range(n if n < 2 or rng.integers(2) else n - 1)
    basis = [[s * x for s, x in zip(frame.size, some_t(rng, n), strict=True)] for _ in rows]
    if not reference.independent(basis):
        return None
    ends = [[Fraction(o) + Fraction(x) for o, x in zip(origin, row, strict=True)] for row in basis]
    inner = [exactly(origin), *ends, mean([exactly(origin), *ends])]
    return {"kind": "subspace", "origin": origin, "basis": basis}, inner[:1], inner


def directions(rng, frame):
    """All directions, on which a network counts as if it had no biases."""
    n = len(frame.centre)
    some = [[s * x for s, x in zip(frame.size, some_t(rng, n), strict=True)] for _ in range(3)]
    inner = [[Fraction(0)] * n, *map(exactly, some)]
    return {"kind": "directions", "n": n}, inner[:1], inner


def sphere_points(rng, count, size):
    """Points of R^3 with whole coordinates, near a sphere."""
    points = rng.standard_normal((count, 3))
    points = np.rint(points / np.linalg.norm(points, axis=1)[:, None] * size)
    return np.unique(points, axis=0).tolist()


def hull(points):
    """The convex hull of points of R^3 as `reference.polytope` takes it: corners, and the walls through each.

    All planes through three points, those that leave no point outside; whole numbers.
    """
    (*rows,), _ = reference.whole(points)
    walls = set()
    for i, p in enumerate(rows):
        for j, q in enumerate(rows[:i]):
            for r in rows[:j]:
                a, b = ([y - x for x, y in zip(p, end, strict=True)] for end in (q, r))
                normal = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
                if not any(normal):
                    continue
                height = reference.dot(normal, p)
                sides = [reference.dot(normal, x) - height for x in rows]
                if min(sides) >= 0 or max(sides) <= 0:
                    walls.add(frozenset(v for v, side in enumerate(sides) if side == 0))
    # A plane that meets the hull in an edge only holds no three points that are not on one line, so all are facets.
    names = list(walls)
    tights = [{w for w, wall in enumerate(names) if v in wall} for v in range(len(rows))]
    corners = [v for v, tight in enumerate(tights) if len(tight) > 2]
    return [points[v] for v in corners], [tights[v] for v in corners]


def product(factors):
    """The product of polygons and intervals, each a list of vertices in order, as `reference.polytope` takes it."""
    vertices, tights = [()], [frozenset()]
    for number, factor in enumerate(factors):
        count = len(factor)
        # Edge v of a polygon goes from vertex v to the next; an interval's ends are its walls.
        before = 1 if len(factor[0]) == 2 else 0
        walls = [frozenset({(number, v), (number, (v - before) % count)}) for v in range(count)]
        vertices = [(*vertex, *more) for vertex in vertices for more in factor]
        tights = [tight | walls[v] for tight in tights for v in range(count)]
    return vertices, tights


def half_spaces(factors):
    """The product of polygons (counter-clockwise) and intervals as {u : normals @ u <= offsets}, exact for small
    whole numbers."""
    d = sum(len(factor[0]) for factor in factors)
    normals, offsets, at = [], [], 0
    for factor in factors:
        for v, p in enumerate(factor):
            row = [0.0] * d
            if len(p) == 1:
                row[at] = 1.0 if p == max(factor) else -1.0
            else:
                q = factor[(v + 1) % len(factor)]
                row[at], row[at + 1] = q[1] - p[1], p[0] - q[0]
            normals.append(row)
            offsets.append(sum(x * y for x, y in zip(row[at:], p, strict=False)))
        at += len(factor[0])
    return {"kind": "polytope", "points": None, "inside": None, "normals": normals, "offsets": offsets}
