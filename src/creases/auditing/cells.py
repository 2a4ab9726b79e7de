"""The exact cell of a pattern, computed from scratch: the domain, cut by the open half-plane of every neuron, and for
every switch by that of the winner against each other candidate.

A cell is given by its inward forms, those of walls and neurons alike. In the plane, two forms that are not parallel
make a cone with three corners (a corner at infinity is treated like any other), and the others clip it one by one
(Sutherland and Hodgman 1974). If all forms are parallel, the cell is a strip, which is an interval across it. At the
end every form is evaluated at every corner: none may be negative, and each edge lies on a form that vanishes at both of
its ends. This verifies the corners independently of the clipping.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flint import fmpz

from creases.auditing.forms import Bits, ExactNetwork, Form, Point, cross, dot, primitive

__all__ = ["INFINITY", "ExactCell", "Facet", "cell_of", "just_across", "well_inside"]

INFINITY = -1
ZERO, ONE = fmpz(0), fmpz(1)
AT_INFINITY = frozenset({INFINITY})
Named = tuple[int, Form]  # an id (-2 - i for wall i; `ExactNetwork.bounds` numbers them differently) and an inward form


class Facet(NamedTuple):
    """A side of a cell that is not at infinity.

    form : inward, zero on the facet. point : a ray in its relative interior.
    ids : every wall, every neuron and every pair of candidates whose form vanishes on it.
    """

    form: Form
    point: Form
    ids: frozenset[int]

    @property
    def on_the_wall(self) -> bool:
        """Whether the facet is part of the domain's boundary."""
        return any(name < INFINITY for name in self.ids)


class ExactCell(NamedTuple):
    """A cell as `Complex` would store it, with integers instead of floats.

    corners : rays in order, counter-clockwise; d = 1: from left to right; w = 0 at infinity.
    edges : for each corner, the ids of the forms that vanish between it and the next corner (d = 1: at it).
    facets : the edges that are not at infinity. inside : a ray strictly inside.
    normal : for a strip, the direction across it, otherwise None. The corners of a strip are a direction, any point of
        the right side, the opposite direction, and any point of the left side (if a side is missing: a direction).
    """

    corners: list[Form]
    edges: list[frozenset[int]]
    facets: list[Facet]
    inside: Form
    normal: Form | None = None

    @property
    def unbounded(self) -> bool:
        """Whether the cell reaches infinity."""
        return any(corner[-1] == 0 for corner in self.corners)


def just_across(facet: Facet) -> Point:
    """A point across a facet, so near to it that nothing else lies between.

    It is given by two rays. Pre-activations are continuous, so on the facet a form of the cell across equals one of
    this cell's; it vanishes inside the facet only if it vanishes on all of it, and then the second ray, which leads
    away from the facet, decides.
    """
    return facet.point, (*(-value for value in facet.form[:-1]), ZERO)


def well_inside(ray: Form) -> Point:
    """A ray strictly inside a cell, as a point."""
    d = len(ray) - 1
    return (ray, *(tuple(ONE if c == axis else ZERO for c in range(d + 1)) for axis in range(d)))


def cell_of(network: ExactNetwork, bits: Bits) -> ExactCell | None:
    """The cell of a pattern, or None if no open set of the domain has this pattern."""
    bounds = network.bounds(bits)
    if bounds is None:
        return None
    named: list[Named] = [*((-2 - i, wall) for i, wall in enumerate(network.walls)), *bounds]
    if network.dimension == 1:
        return interval(named)
    starting = independent(named)
    return strip(named) if starting is None else polygon(named, *starting)


def independent(named: Sequence[Named]) -> tuple[Form, Form] | None:
    """Two forms of the plane that are not parallel, the second to the left of the first."""
    slanted = [form for _, form in named if form[0] or form[1]]
    for form in slanted:
        first = slanted[0]
        turn = first[0] * form[1] - first[1] * form[0]
        if turn:
            return (first, form) if turn > 0 else (form, first)
    return None


def polygon(named: Sequence[Named], f: Form, g: Form) -> ExactCell | None:
    """The cell of these forms in the plane; f and g are two of them, with g to the left of f."""
    sides = [f, g, (ZERO, ZERO, ONE)]
    corners = [primitive(cross(sides[i - 1], sides[i])) for i in range(3)]
    for _, form in named:
        values = [dot(form, corner) for corner in corners]
        if max(values) <= 0:
            return None
        if min(values) < 0:
            corners, sides = clip(corners, sides, form, values)
    count = len(corners)
    zeros: list[set[int]] = [set() for _ in corners]
    for name, form in named:
        values = [dot(form, corner) for corner in corners]
        assert min(values) >= 0 < max(values)
        for i, value in enumerate(values):
            if not value and not values[(i + 1) % count]:
                zeros[i].add(name)
    edges, facets = [], []
    for i, (corner, after) in enumerate(zip(corners, [*corners[1:], corners[0]], strict=True)):
        assert corner[2] >= 0
        if not corner[2] and not after[2]:
            edges.append(AT_INFINITY)
            continue
        assert zeros[i]
        edges.append(frozenset(zeros[i]))
        facets.append(Facet(primitive(sides[i]), total(corner, after), edges[-1]))
    return ExactCell(corners, edges, facets, total(*corners))


def clip(corners: list[Form], sides: list[Form], form: Form, values: list[Any]) -> tuple[list[Form], list[Form]]:
    """The part of a cell where a form with both signs is positive; side i runs from corner i to the next."""
    kept: list[tuple[Form, Form]] = []
    for i, (corner, side, value) in enumerate(zip(corners, sides, values, strict=True)):
        after = values[(i + 1) % len(values)]
        if value > 0:
            kept.append((corner, side))
            if after < 0:
                kept.append((primitive(cross(side, form)), form))
        elif value == 0:
            # The form has both signs, so one of the two neighbours is positive and the other negative.
            kept.append((corner, side if after > 0 else form))
        elif after > 0:
            kept.append((primitive(cross(form, side)), side))
    new_corners, new_sides = zip(*kept, strict=True)
    return list(new_corners), list(new_sides)


def total(*rays: Form) -> Form:
    """The sum of rays, which is strictly between them."""
    return tuple(sum(column, ZERO) for column in zip(*rays, strict=True))


def interval(named: Sequence[Named]) -> ExactCell | None:
    """The cell of these forms on the line, or None if there is none."""
    ends: list[Form | None] = [None, None]
    for _, (slope, constant) in named:
        if not slope:
            if constant < 0:
                return None
            continue
        side, zero = (0, (-constant, slope)) if slope > 0 else (1, (constant, -slope))
        end = ends[side]
        beyond = None if end is None else zero[0] * end[1] - end[0] * zero[1]
        if beyond is None or (beyond > 0 if side == 0 else beyond < 0):
            ends[side] = primitive(zero)
    low, high = ends
    if low is not None and high is not None and low[0] * high[1] >= high[0] * low[1]:
        return None
    corners, edges, facets = [], [], []
    for end, sign in ((low, ONE), (high, -ONE)):
        if end is None:
            corners.append((-sign, ZERO))
            edges.append(AT_INFINITY)
            continue
        corners.append(end)
        edges.append(frozenset(name for name, form in named if not dot(form, end)))
        facets.append(Facet((sign * end[1], -sign * end[0]), end, edges[-1]))
    inside = (ZERO, ONE) if low is None and high is None else total(*corners)
    return ExactCell(corners, edges, facets, inside)


def strip(named: Sequence[Named]) -> ExactCell | None:
    """The cell of parallel forms in the plane: an interval of the coordinate p x + q y across it, or None."""
    p, q = primitive(next((form[:2] for _, form in named if form[0] or form[1]), (ONE, ZERO)))
    pivot = 0 if p else 1
    across = interval([(name, (form[pivot] // (p, q)[pivot], form[2])) for name, form in named])
    if across is None:
        return None

    def lifted(ray: Form) -> Form:
        return (p * ray[0], q * ray[0], (p * p + q * q) * ray[1])

    facets = [Facet((p * form[0], q * form[0], form[1]), lifted(point), ids) for form, point, ids in across.facets]
    (low, high), (left, right) = map(lifted, across.corners), across.edges
    along = (-q, p, ZERO)
    corners = [tuple(-value for value in along), high, along, low]
    normal = (p, q, ZERO) if facets else None  # the whole plane has four directions, and no side
    return ExactCell(corners, [right, right, left, left], facets, lifted(across.inside), normal)
