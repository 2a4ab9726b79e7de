"""A starting cell in parts, cut by walls that are not neurons, for counts in pieces, which Euler's relation combines.

A region is convex, so a wall that meets it leaves a part on either side and one on the wall, and

    regions(whole) = regions(one half) + regions(other half) - regions of the whole that meet the wall,

and the same holds for unbounded regions. The last number is a count on the wall, which has one dimension less; the wall
may be cut too, and each of the three may be cut by different walls. On a wall a neuron's form may vanish although it
does not vanish in the parent: then the parent's regions end there and none meets that piece of the wall, which is
skipped (`Oracle.answer_vanishing`, and `count_point` in dimension zero).

A tile is exact: its corners and facets are integers, in a chart of floats whose columns span it. `walls` cuts a tile by
a wall.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from flint import fmpz

from creases.double_description import bits_of, dot, primitive
from creases.engine.problem import FIRST_WALL, INFINITY, Floats, Problem
from creases.engine.proof.bounds import ROUND_UP
from creases.engine.proof.rational import Form, cross, meeting_ray, nearest_point, scaled
from creases.engine.starts.chart import AnyStart, SpaceStart, Start, far_directions, nearest_quotient
from creases.engine.starts.first_layer import rational_first
from creases.engine.starts.scales import scaled_chart, scaled_exactly

__all__ = [
    "Tile",
    "cone_in_chart",
    "corners_on",
    "directions_in_chart",
    "nearest_forms",
    "places_of",
    "rounded",
    "start_of",
    "tile_of_cone",
    "tiles_of_directions",
]


# The number of bits per row to which a cone's chart is rounded, so that walls can add further bits.
CHART_BITS = 36


class Tile(NamedTuple):
    """A convex polytope of j dimensions in a domain of d.

    chart : float64 (d + 1, j + 1), exact: the domain's homogeneous coordinates are chart @ the tile's.
    rays : corners, as integers, the last one positive. masks : for each corner, bit i if it lies on facet i. facets :
        inward forms, as integers. ids : a neuron's number, INFINITY, or FIRST_WALL for any wall.
    signs : {neuron of the first layer: whether it is active} for those that determine the cell.
    """

    chart: Floats
    rays: tuple[Form, ...]
    masks: tuple[int, ...]
    facets: tuple[Form, ...]
    ids: tuple[int, ...]
    signs: dict[int, bool]

    @property
    def dimension(self) -> int:
        """j."""
        return self.chart.shape[1] - 1


def tile_of_cone(problem: Problem, start: AnyStart) -> Tile | None:
    """A cone of a whole space in its chart, which is rounded first; None if it is not a bounded simplex in the rounded
    chart."""
    return cone_in_chart(problem, start.signs, rounded(start.chart))  # -1 and 1 are unchanged


def cone_in_chart(problem: Problem, signs: dict[int, bool], chart: Floats) -> Tile | None:
    """The cone on which d independent neurons have these signs, in a chart, decided in integers. chart : float64 (d +
    1, d + 1), with integers in its last row. None if the cone is not a bounded simplex in it.
    """
    if not np.isfinite(chart).all():
        return None
    d = problem.dimension
    rows = rational_first(problem._replace(vertices=None), list(signs), chart)
    infinity = tuple(fmpz(int(value)) for value in chart[-1])
    facets = [infinity, *(scaled(row, 1 if on else -1) for row, on in zip(rows, signs.values(), strict=True))]
    whole = (1 << (d + 1)) - 1
    rays = corners_of_simplex(facets)
    if rays is None:
        return None
    masks = tuple(whole & ~(1 << i) for i in range(d + 1))
    return Tile(chart, tuple(rays), masks, tuple(map(primitive, facets)), (INFINITY, *signs), signs)


def tiles_of_directions(problem: Problem, cones: Sequence[dict[int, bool]], scales: Floats) -> list[Tile | None]:
    """For each choice of signs of d independent neurons their directions, in a chart of the cone's rays.

    scales : `scales.column_scales` of the first layer; rays are of one length in coordinates over these. None where
    floats hold no such chart.
    """
    directions = far_directions(scaled_exactly(rational_first(problem, list(cones[0])), scales))
    tiles = []
    for signs in cones:
        ends = np.zeros((len(signs) + 1, len(signs)))
        ends[:-1] = (directions * np.where(list(signs.values()), 1.0, -1.0)[:, None]).T
        chart = rounded(scaled_chart(np.column_stack([ends[:, :-1] - ends[:, -1:], ends[:, -1]]), scales))
        tiles.append(directions_in_chart(problem, signs, chart))
    return tiles


def directions_in_chart(problem: Problem, signs: dict[int, bool], chart: Floats) -> Tile | None:
    """The directions on which d independent neurons have these signs, in a chart, decided in integers. chart : float64
    (d + 1, d). Its last row is zero, which removes biases and everything that is not at infinity. None if the cone is
    not a bounded simplex in it.
    """
    d, moved = len(signs), rational_first(problem, list(signs), chart)
    facets = [scaled(row, 1 if on else -1) for row, on in zip(moved, signs.values(), strict=True)]
    corners = corners_of_simplex(facets)
    if corners is None:
        return None
    masks = tuple(((1 << d) - 1) & ~(1 << i) for i in range(d))
    return Tile(chart, tuple(corners), masks, tuple(map(primitive, facets)), tuple(signs), signs)


def corners_of_simplex(facets: list[Form]) -> list[Form] | None:
    """The corner opposite to each facet of a bounded simplex; None if there is no such simplex."""
    rays = []
    for i, facet in enumerate(facets):
        try:
            ray: Form = meeting_ray([*facets[:i], *facets[i + 1 :]]) if len(facets) > 1 else (fmpz(1),)
        except ValueError:
            return None
        if ray[-1] <= 0 or dot(facet, ray) <= 0:
            return None
        rays.append(ray)
    return rays


def rounded(chart: Floats) -> Floats:
    """A chart with each row rounded to CHART_BITS below its largest entry, so that sums of columns are exact.

    Steps are powers of two, so quotients and products are not rounded; the largest entry may overflow.
    """
    _, exponents = np.frexp(np.abs(chart).max(axis=1, keepdims=True))
    steps = np.ldexp(1.0, np.maximum(exponents - CHART_BITS, -1070))
    with np.errstate(over="ignore"):
        return np.asarray(np.round(chart / steps) * steps)


def start_of(tile: Tile) -> AnyStart:
    """The tile, of dimension at least one, as a starting cell for the kernels."""
    assert INFINITY not in tile.ids[1:]  # kernels expect it to be the first facet
    order, corners = list(range(len(tile.facets))), list(range(len(tile.rays)))
    if tile.dimension < 3:
        order, corners = around(tile)
    facets = [tile.facets[i] for i in order]
    ids = [FIRST_WALL - place if tile.ids[i] == FIRST_WALL else tile.ids[i] for place, i in enumerate(order)]
    points = places_of([tile.rays[v] for v in corners])
    forms, bounds = nearest_forms(facets)
    if tile.dimension < 3:
        far = [i for i, number in enumerate(tile.ids) if number == INFINITY]
        infinite = [any(tile.masks[v] >> i & 1 for i in far) for v in corners]
        return Start(tile.chart, forms, bounds, ids, points, infinite, facets, tile.signs)
    return SpaceStart(tile.chart, points, list(tile.masks), forms, bounds, ids, facets, tile.signs)


def places_of(rays: Sequence[Form]) -> Floats:
    """The floats nearest to corners, and their errors, float64 (v, d + 1)."""
    return np.array([[*point, worst] for point, worst in map(nearest_point, rays)])


def nearest_forms(forms: Sequence[Form]) -> tuple[Floats, Floats]:
    """Exact forms, each in units of its largest number, as floats (f, k), with the pairs (E_g, E_w), float64 (f, 2)."""
    sizes = [max(abs(value) for value in form) for form in forms]
    near = [[nearest_quotient(int(v), int(s)) for v in f] for f, s in zip(forms, sizes, strict=True)]
    lost = np.array([[loss for _, loss in row] for row in near])
    bounds = np.array([lost[:, :-1].sum(axis=1), lost[:, -1]]).T * ROUND_UP
    return np.array([[value for value, _ in row] for row in near]), bounds


def corners_on(tile: Tile) -> list[list[int]]:
    """For each facet, the corners on it."""
    on: list[list[int]] = [[] for _ in tile.facets]
    for v, mask in enumerate(tile.masks):
        for i in bits_of(mask):
            on[i].append(v)
    return on


def around(tile: Tile) -> tuple[list[int], list[int]]:
    """Facets and corners of a tile of one or two dimensions in the order of `Start`."""
    if tile.dimension == 1:
        corners = sorted(range(2), key=lambda v: Fraction(int(tile.rays[v][0]), int(tile.rays[v][1])))
        return [tile.masks[v].bit_length() - 1 for v in corners], corners
    begins: dict[int, tuple[int, int]] = {}
    for i, (facet, on) in enumerate(zip(tile.facets, corners_on(tile), strict=True)):
        if len(on) < 2:
            continue  # infinity, which the tile meets only in a corner
        p, q = on
        if dot(facet, cross(tile.rays[p], tile.rays[q])) < 0:
            p, q = q, p
        begins[p] = i, q
    edges, corners, v = [], [], min(begins)
    for _ in begins:
        edge, after = begins[v]
        edges.append(edge)
        corners.append(v)
        v = after
    return edges, corners
