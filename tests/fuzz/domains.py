"""Where the networks are cut: a domain as plain data, the points of it that lines should nearly meet (and `solids`).

A domain is a dict as `creases.domain.domain_from_dict` reads it. `specification` says the same to the reference.
A frame is a centre and a size for each input: points are centre + t * size with t in [-1, 1], rounded once.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

import reference
from fuzz.floats import nudged, one_of, relative
from fuzz.solids import cube, directions, exactly, hull, product, simplex, some_t, subspace

FEWER = 100


class Frame(NamedTuple):
    name: str
    centre: list
    size: list

    def point(self, t):
        return [float(Fraction(c) + Fraction(s) * Fraction(x)) for c, s, x in zip(*self[1:], t, strict=True)]


class Place(NamedTuple):
    domain: dict
    corners: list  # exact input points
    inner: list  # exact input points inside the domain, or on a wall of it
    frame: Frame


# Frames.


def unit(rng, n):
    return one_of(rng, ([0.0] * n, rng.integers(-3, 4, n).astype(float).tolist())), [1.0] * n


def far_off(rng, n):
    """Some last places wide, 1e6 or 1e12 from the origin."""
    centre = float(one_of(rng, (1e6, 1e12, -1e6, 3e9)))
    return [centre] * n, [float(np.spacing(abs(centre)) * 2.0 ** rng.integers(2, 12))] * n


def tiny(rng, n):
    return [float(rng.integers(2))] * n, [one_of(rng, (1e-12, 2.0**-40, 3e-13))] * n


def large_or_small(rng, n):
    return [0.0] * n, [one_of(rng, (1e12, 1e150, 1e-150, 2.0**-498, 2.0**498))] * n


def denormal(rng, n):
    return [0.0] * n, [2.0**-1072 * 2.0 ** rng.integers(0, 40)] * n


def stretched(rng, n):
    return [0.0] * n, [one_of(rng, (1e-12, 1.0, 1e12, 2.0**-60)) for _ in range(n)]


FRAMES = (unit, unit, unit, far_off, tiny, large_or_small, denormal, stretched)


# Kinds. Each takes (rng, frame), and answers (domain, corners, inner), or None where the numbers allow no domain.


def segment(rng, frame):
    n = len(frame.centre)
    a, b = frame.point(some_t(rng, n)), frame.point(some_t(rng, n))
    if rng.integers(4) == 0:  # two neighbouring floats
        b = [float(np.nextafter(x, one_of(rng, (-np.inf, np.inf)))) for x in a]
    if a == b:
        return None
    inner = [between(a, b, t) for t in (0.5, rng.uniform(), rng.uniform())]
    return {"kind": "segment", "start": a, "end": b}, [exactly(a), exactly(b)], inner


def line(rng, frame):
    n = len(frame.centre)
    a = frame.point(some_t(rng, n))
    direction = [s * x for s, x in zip(frame.size, some_t(rng, n), strict=True)]
    if not any(direction):
        return None
    inner = [[Fraction(x) + t * Fraction(d) for x, d in zip(a, direction, strict=True)] for t in (0, 1, -1, 2)]
    return {"kind": "line", "point": a, "direction": direction}, inner[:1], inner


def box(rng, frame):
    """A box of one or two free sides; some a last place wide."""
    n = len(frame.centre)
    free = sorted(rng.permutation(n)[: min(n, 2 if rng.integers(4) else 1)].tolist())
    lower, upper = frame.point([-1.0] * n), frame.point([1.0] * n)
    for i in range(n):
        if rng.integers(6) == 0:
            upper[i] = float(np.nextafter(lower[i], np.inf))
        if i not in free:
            upper[i] = lower[i]
    if not all(lower[i] < upper[i] for i in free):
        return None
    corners = [lower]
    for i in free:
        corners += [[*corner[:i], upper[i], *corner[i + 1 :]] for corner in corners]
    inner = [between(*rng.permutation(corners)[:2].tolist(), one_of(rng, (0.5, rng.uniform()))) for _ in range(4)]
    return {"kind": "box", "lower": lower, "upper": upper}, [exactly(corner) for corner in corners], inner


def space(rng, frame):
    n = len(frame.centre)
    inner = [exactly(frame.point(some_t(rng, n))) for _ in range(4)]
    return {"kind": "space", "n": n}, inner[:1], inner


def plane(rng, frame):
    """A plane whose two directions may be nearly parallel."""
    n = len(frame.centre)
    origin = frame.point(some_t(rng, n))
    first, second = ([s * x for s, x in zip(frame.size, some_t(rng, n), strict=True)] for _ in range(2))
    tail = [[0.0] * n, [0.0] * n]
    if rng.integers(6) == 0:
        second = [nudged(rng, x) for x in first]
    elif rng.integers(3) == 0:  # exactly through three points: differences that one float does not hold
        ends = [frame.point(some_t(rng, n)) for _ in range(2)]
        exact = [[Fraction(y) - Fraction(x) for x, y in zip(origin, end, strict=True)] for end in ends]
        first, second = ([float(x) for x in row] for row in exact)
        tail = [[float(x - Fraction(float(x))) for x in row] for row in exact]
    domain = {"kind": "plane", "origin": origin, "basis": [first, second], "basis_tail": tail}
    if not reference.independent(exact_basis(domain)):
        return None
    inner = [on_plane(domain, u) for u in ((0, 0), (1, 0), (0, 1), some_t(rng, 2))]
    return domain, inner[:1], inner


def polygon(rng, frame):
    """A convex polygon of R^2, or in the coordinates of a plane; some are slivers."""
    n = len(frame.centre)
    vertices = convex(rng)
    if n == 2 and rng.integers(4):
        vertices = [frame.point(vertex) for vertex in vertices]
        if not is_convex(vertices):
            return None
        corners = [exactly(vertex) for vertex in vertices]
        domain = {"kind": "polygon", "vertices": vertices, "plane": None}
    else:
        under = plane(rng, frame)
        if under is None:
            return None
        corners = [on_plane(under[0], vertex) for vertex in vertices]
        domain = {"kind": "polygon", "vertices": vertices, "plane": under[0]}
    walls = [between(corners[i - 1], corners[i], one_of(rng, (0.5, rng.uniform()))) for i in range(2)]
    return domain, corners, [*walls, between(corners[0], walls[1], 0.5), between(corners[1], walls[0], rng.uniform())]


def convex(rng):
    """Three to six vertices in strictly convex position around the origin, in order."""
    while True:
        if rng.integers(3) == 0:  # the third vertex is a hair's breadth from the line of the others
            vertices = [[-1.0, -1.0], [1.0, 1.0], [0.0, relative(rng)]]
        else:
            turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
            vertices = np.column_stack([np.cos(turns), np.sin(turns)])
            vertices = (np.rint(vertices * 8) / 8 if rng.integers(2) else vertices).tolist()
        if is_convex(vertices):
            return vertices


def is_convex(vertices):
    try:
        reference.polygon(vertices)
    except ValueError:
        return False
    return True


KINDS = {
    1: (segment, line, box, space),
    2: (segment, line, box, box, polygon, polygon, space, plane, directions),
    3: (segment, line, box, box, plane, plane, polygon, polygon, cube, simplex, space, subspace, directions),
}


def some_place(rng, n_in):
    """A domain in a space of n_in inputs."""
    while True:
        make = one_of(rng, FRAMES)
        frame = Frame(make.__name__, *make(rng, n_in))
        found = one_of(rng, KINDS[n_in])(rng, frame)
        if found is not None:
            return Place(*found, frame)


# The same in rationals.


def between(a, b, t):
    return [Fraction(x) + Fraction(t) * (Fraction(y) - Fraction(x)) for x, y in zip(a, b, strict=True)]


def exact_basis(domain):
    pairs = zip(domain["basis"], domain["basis_tail"], strict=True)
    return [[Fraction(h) + Fraction(t) for h, t in zip(head, tail, strict=True)] for head, tail in pairs]


def on_plane(domain, u):
    columns = zip(domain["origin"], *exact_basis(domain), strict=True)
    return [Fraction(o) + Fraction(u[0]) * a + Fraction(u[1]) * b for o, a, b in columns]


def specification(domain, factors=()):
    """The domain in the reference's words. factors : those of a polytope that is a product."""
    match domain["kind"]:
        case "segment":
            return reference.segment(domain["start"], domain["end"])
        case "line":
            return reference.affine(domain["point"], [domain["direction"]], reference.space(1))
        case "box":
            return reference.box(domain["lower"], domain["upper"])
        case "space" | "directions":
            return reference.space(domain["n"])
        case "plane":
            return reference.affine(domain["origin"], exact_basis(domain), reference.space(2))
        case "subspace":
            return reference.affine(domain["origin"], domain["basis"], reference.space(len(domain["basis"])))
        case "polygon":
            inner, under = polygon_of(domain["vertices"]), domain["plane"]
            return reference.affine(under["origin"], exact_basis(under), inner) if under else inner
        case "simplex":
            return reference.simplex(domain["vertices"])
        case "polytope":
            return reference.polytope(*(product(factors) if factors else hull(domain["points"])))
    raise ValueError(f"unknown kind of domain {domain['kind']!r}")


def polygon_of(vertices):
    """A polygon; one of so many vertices that checking it would take a while was made convex."""
    if len(vertices) < FEWER:
        return reference.polygon(vertices)
    return reference.polytope(vertices, [{i, (i - 1) % len(vertices)} for i in range(len(vertices))])


def is_whole(domain):
    """Whether the domain reaches infinity."""
    return domain["kind"] in ("line", "plane", "space", "subspace")
