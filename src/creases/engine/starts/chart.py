"""Charts: coordinates in which a starting cell is bounded.

A bounded domain is scaled by powers of two into [-1, 1]^d (`bounded`). A whole line, plane or space is first cut by d
independent neurons of the first layer into 2^d cones (true walls, so nothing is counted twice), and each cone is given
in the chart whose last coordinate is one on the simplex of its apex and its d rays: infinity is a facet like any other,
and its form, 1 - sum of coordinates, replaces the constant 1 that multiplies the biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

import numpy as np
from flint import fmpz

from creases.double_description import dot
from creases.engine.cells.corner import place_opposite_corners
from creases.engine.cells.interval import zero_of
from creases.engine.problem import INFINITY, Floats
from creases.engine.proof.bounds import UNIT, meeting_point
from creases.engine.proof.exact_layers import largest_row
from creases.engine.proof.rational import RationalCell, as_integers, cross, meeting_ray, rational_corners, scaled
from creases.engine.proof.rational_polytope import RationalPolytope
from creases.engine.starts.first_layer import in_chart, steady_product

# A row of the first layer is short if its entries are at most this many units of its last bit; and the number of bits
# of a coarse chart's grid.
FEW_UNITS = 2**24
GRID_BITS = 10
# In the plane rows may be longer, up to 2^37 units; the grid is then coarser, so that rows in the chart have about this
# many bits, and sums of some of them are floats.
BITS_IN_CHART, FEWEST_GRID_BITS = 41, 4

__all__ = [
    "GRID_BITS",
    "AnyStart",
    "LargeRoot",
    "RationalStart",
    "SpaceStart",
    "Start",
    "bits_of_grid",
    "cone_start",
    "cone_start_in_space",
    "corners_of_simplex",
    "far_directions",
    "has_few_bits",
    "in_some_chart",
    "masks_of_simplex",
    "on_grid",
    "typical_distance",
]


class Start(NamedTuple):
    """One starting cell.

    chart : float64 (k, k); the domain's homogeneous coordinates are chart @ the cell's.
    edges : inward forms of the cell's edges, float64 (c, k), counter-clockwise; for d = 1 edge i vanishes at corner i.
    edge_bounds : float64 (c, 2), the pairs (E_g, E_w) of `bounds`.
    edge_ids : a neuron's number, INFINITY, or FIRST_WALL - i for wall i of the domain.
    corners : float64 (c, d + 1): coordinates and error.
    infinite : for each corner, whether it is at infinity.
    walls : the exact forms of the domain's own edges, by -2 - edge id.
    signs : {neuron of the first layer: whether it is active} for those that determine the cell.
    """

    chart: Floats
    edges: Floats
    edge_bounds: Floats
    edge_ids: list[int]
    corners: Floats
    infinite: list[bool]
    walls: list[Any]
    signs: dict[int, bool]


class RationalStart(NamedTuple):
    """A starting cone whose numbers are too large or too small for a chart in floats; it is cut in rationals only."""

    cell: RationalCell | RationalPolytope
    signs: dict[int, bool]


class SpaceStart(NamedTuple):
    """One starting cell of three dimensions or more.

    chart : float64 (k, k), as in `Start`. corners : float64 (v, d + 1), coordinates and error.
    masks : for each corner, the bits of the facets on which it lies.
    facets : forms of the facets, float64 (f, k); facet_bounds : float64 (f, 2); facet_ids : as `edge_ids` of `Start`;
    infinity is the first one, if it is a facet. walls, signs : as in `Start`. first : the network's first layer in the
    chart (`in_chart`), if it was computed for the cell's own facets.
    """

    chart: Floats
    corners: Floats
    masks: list[int]
    facets: Floats
    facet_bounds: Floats
    facet_ids: list[int]
    walls: list[Any]
    signs: dict[int, bool]
    first: tuple[Floats, Floats] | None = None


AnyStart = Start | SpaceStart
Cone = TypeVar("Cone", Start, SpaceStart)


class LargeRoot(Exception):
    """More units of a graph are open on a starting cell than allowed: it has to be halved first (`driver`).

    layer : the layer at which this was known. open : the number of open units up to and including this layer.
    is_seen : whether they were only observed to bend at a few points (`columns.sampling`).
    """

    def __init__(self, layer: int, open: int, is_seen: bool = False) -> None:
        super().__init__(layer, open)
        self.layer, self.open, self.is_seen = layer, open, is_seen

    def is_less_than(self, above: LargeRoot | None, part: float) -> bool:
        """Whether halving the cell with the error `above` made progress: to a later layer, or to a smaller fraction of
        as many units."""
        if above is None or self.is_seen != above.is_seen:
            return True
        return self.layer > above.layer or self.open < part * above.open


def in_some_chart(start_in: Callable[[int], Cone | None], grid: int) -> Cone | None:
    """A cone's start in a coarse chart where the first layer has few bits and that chart bounds the cone, else in a
    fine one; None if no chart bounds it.

    start_in : the start in a chart with so many bits, or in a fine one for 0. grid : the bits of a coarse one, or 0.
    """
    return (start_in(grid) if grid else None) or start_in(0)


def far_directions(rational_rows: Sequence[Any]) -> Floats:
    """For each of d independent forms, the direction in which it increases and the others are constant: float64 (d, d),
    unit rows.

    Computed in integers and correctly rounded, so the result is the same on every processor.
    """
    gradients = [row[:-1] for row in rational_rows]
    directions = np.empty((len(gradients), len(gradients)))
    for i, form in enumerate(gradients):
        ray = meeting_ray([*gradients[:i], *gradients[i + 1 :]]) if len(gradients) > 1 else (fmpz(1),)
        longest = max(abs(int(value)) for value in ray) * (1 if dot(form, ray) > 0 else -1)
        direction = [int(value) / longest for value in ray]
        length = math.sqrt(math.fsum(x * x for x in direction))
        directions[i] = [x / length for x in direction]
    return directions


def cone_start_in_space(
    forms: Floats,
    bounds: Floats,
    rows: Sequence[int],
    signs: Sequence[bool],
    rational_rows: Sequence[Any],
    directions: Floats,
    grid: int,
) -> SpaceStart | None:
    """`cone_start` for at least three dimensions: the simplex of the cone's apex and its d rays.

    directions : the `far_directions` of `rational_rows`.
    """
    d = len(rows)
    inward = [scaled(row, 1 if on else -1) for row, on in zip(rational_rows, signs, strict=True)]
    turned = forms[list(rows)] * np.where(signs, 1.0, -1.0)[:, None]
    with np.errstate(all="ignore"):
        tip = meeting_ray(inward)
        try:
            apex = np.array([float(Fraction(int(value), int(tip[-1]))) for value in tip[:-1]])
        except OverflowError:
            return None
        length = typical_distance(np.delete(forms, rows, axis=0), apex)
        rays = directions * np.where(signs, length, -length)[:, None]
        if grid:
            apex, rays = on_grid(length, apex, grid), on_grid(length, rays, grid)
        end = np.append(apex, 1.0)
        chart = np.column_stack([*(np.append(ray, 0.0) - end for ray in rays), end])
    moved, moved_bounds = in_chart(turned, bounds[list(rows)], chart)
    infinity = np.append(-np.ones(d), 1.0)
    facets, facet_bounds = np.vstack([infinity, moved]), np.vstack([[0.0, 0.0], moved_bounds])
    masks = masks_of_simplex(d)
    if not (np.isfinite(chart).all() and np.isfinite(facets).all() and is_simplex_in(chart, inward, masks)):
        return None
    return SpaceStart(
        chart=chart,
        corners=corners_of_simplex(facets, facet_bounds),
        masks=masks,
        facets=facets,
        facet_bounds=facet_bounds,
        facet_ids=[-1, *rows],
        walls=[],
        signs=dict(zip(rows, map(bool, signs), strict=True)),
    )


def is_simplex_in(chart: Floats, inward: Sequence[Any], masks: Sequence[int]) -> bool:
    """Whether the cone of these exact inward forms is, in the chart, a bounded simplex with these corners.

    Decided in integers: the chart's floats, which must be finite, are taken exactly.
    """
    k = len(chart)
    (entries,), _ = as_integers(chart)
    moved = [tuple(sum((f[r] * entries[r * k + c] for r in range(k)), fmpz(0)) for c in range(k)) for f in inward]
    facets = [(*(fmpz(-1),) * (k - 1), fmpz(1)), *moved]
    for mask in masks:
        on = [facet for i, facet in enumerate(facets) if mask >> i & 1]
        (off,) = [facet for i, facet in enumerate(facets) if not mask >> i & 1]
        try:
            corner = meeting_ray(on)
        except ValueError:
            return False
        if corner[-1] <= 0 or dot(off, corner) <= 0:
            return False
    return True


def masks_of_simplex(d: int) -> list[int]:
    """The masks of a cone's corners: facet 0 is infinity; the apex, corner 0, lies on all others, and far corner i on
    all but that of neuron i."""
    whole = (1 << (d + 1)) - 1
    return [whole & ~(1 << i) for i in range(d + 1)]


def corners_of_simplex(facets: Floats, facet_bounds: Floats) -> Floats:
    """The corners of `masks_of_simplex`, with their errors (`corner`)."""
    d = facets.shape[1] - 1
    points, room = np.zeros((d + 1, d + 1)), np.zeros(4 * d * d + 4 * d)
    place_opposite_corners(np.concatenate([facets, facet_bounds], axis=1).ravel(), room, points, d, np.arange(d))
    return np.ascontiguousarray(points.T)


def nearest_quotient(value: int, scale: int) -> tuple[float, float]:
    """The float nearest to value / scale, at most one in size, and a bound on its error: zero if it is exact.

    Whether it is exact is decided in integers. Half a unit of the last place is at most u |near|, which is a product
    with a power of two and not rounded, or 2^-1075 for a denormal number.
    """
    near = value / scale  # Python rounds the quotient of integers correctly
    numerator, denominator = near.as_integer_ratio()
    exact = numerator * scale == value * denominator
    return near, 0.0 if exact else abs(near) * UNIT + 2.0**-1074


def typical_distance(forms: Floats, apex: Floats) -> float:
    """The length at which a chart places the ends of its rays: the median distance from the apex to other zero sets.

    It is not much shorter than the distance of the apex from the origin; otherwise rounding would change the rays too
    much. Nothing depends on it: any chart in which the cone is proved to be bounded is valid.
    """
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(forms[:, :-1], axis=1)
        distances = np.abs(steady_product(forms[:, :-1], apex) + forms[:, -1]) / norms
    usable = distances[np.isfinite(distances) & (distances > 0)]
    length = float(np.median(usable)) if usable.size else 1.0
    return max(length, 1e-4 * float(np.abs(apex).max()), 2.0**-500)


def has_few_bits(forms: Floats, bounds: Floats) -> bool:
    """Whether a first layer's numbers are exact, and so short that its forms in a coarse chart are exact too.

    It proves nothing: which layers are exact is asked of the chart that was made (`exact_layers`).
    """
    units, _ = largest_row(forms) if not bounds.any() and np.isfinite(forms).all() else (FEW_UNITS + 1, 0)
    return units <= FEW_UNITS


def bits_of_grid(forms: Floats, bounds: Floats) -> int:
    """The bits of a coarse chart's grid in the plane, or 0 if a first layer's numbers are not exact, or too long for
    one; like `has_few_bits` it proves nothing."""
    if bounds.any() or not np.isfinite(forms).all():
        return 0
    bits = min(GRID_BITS, BITS_IN_CHART - largest_row(forms)[0].bit_length())
    return bits if bits >= FEWEST_GRID_BITS else 0


def on_grid(length: float, numbers: Floats, bits: int = GRID_BITS) -> Floats:
    """Numbers rounded to a grid of a length divided by a power of two: a chart need not have its corners exactly at the
    cone's."""
    step = np.ldexp(1.0, int(np.frexp(length)[1]) - bits)
    with np.errstate(all="ignore"):
        rounded = np.round(numbers / step) * step
    return np.where(np.isfinite(rounded), rounded, numbers)


def cone_start(
    forms: Floats,
    bounds: Floats,
    rows: Sequence[int],
    signs: Sequence[bool],
    rational_rows: Sequence[Any],
    grid: int,
) -> Start | None:
    """The cone on which the neurons `rows` of the first layer have `signs`, in its own chart.

    forms, bounds : the first layer in the domain's coordinates, float64 (n, k) and bounds of the entries.
    rational_rows : the exact forms of `rows` in the domain's coordinates.
    grid : the bits of a coarse chart's numbers, or 0 for a fine chart (`bits_of_grid`).
    Returns None if the cone is not bounded in the chart (decided in rationals): a narrow cone may not be in one of few
    bits, and of numbers that are too large or too small floats hold no chart at all.
    """
    d = len(rows)
    inward = [scaled(row, 1 if on else -1) for row, on in zip(rational_rows, signs, strict=True)]
    order = [1, 0] if d == 2 and cross(*inward)[2] < 0 else list(range(d))
    inward, neurons = [inward[i] for i in order], [rows[i] for i in order]
    (tip,) = rational_corners(inward) if d == 1 else [cross(*inward)]
    try:
        apex = np.array([float(Fraction(int(tip[c]), int(tip[-1]))) for c in range(d)])
    except OverflowError:
        return None
    turned = np.array([forms[rows[i]] * (1.0 if signs[i] else -1.0) for i in order])
    length = typical_distance(np.delete(forms, rows, axis=0), apex)
    with np.errstate(all="ignore"):
        units = turned[:, :-1] / np.abs(turned[:, :-1]).max(axis=1)[:, None]
        units = units / np.linalg.norm(units, axis=1)[:, None] * length
    if grid:
        apex, units = on_grid(length, apex, grid), on_grid(length, units, grid)
    if d == 1:
        rays = [np.array([units[0, 0], 0.0])]
    else:
        f, g = units
        rays = [np.array([g[1], -g[0], 0.0]), np.array([-f[1], f[0], 0.0])]
    end = np.append(apex, 1.0)
    # Columns: apex + x (ray_1 - apex) + y (ray_2 - apex); the last row is the form that is 1 on finite points.
    with np.errstate(over="ignore"):  # a chart that is not finite is rejected
        chart = np.column_stack([*(ray - end for ray in rays), end])
    moved, moved_bounds = in_chart(turned, bounds[neurons], chart)
    infinity = np.append(-np.ones(d), 1.0)
    edges, edge_bounds = np.vstack([moved, infinity]), np.vstack([moved_bounds, [0.0, 0.0]])
    if not (np.isfinite(chart).all() and np.isfinite(edges).all() and is_bounded_in(chart, inward)):
        return None
    return Start(
        chart=chart,
        edges=edges,
        edge_bounds=edge_bounds,
        edge_ids=[*neurons, INFINITY],
        corners=corners_of(edges, edge_bounds),
        infinite=[True, False, True] if d == 2 else [False, True],
        walls=[],
        signs={rows[i]: bool(signs[i]) for i in range(d)},
    )


def is_bounded_in(chart: Floats, inward: Sequence[Any]) -> bool:
    """Whether the cone of these exact inward forms has, in the chart, corners that are all finite and in order.

    Decided in integers: the chart's floats, which must be finite, are taken exactly.
    """
    k = len(chart)
    (entries,), _ = as_integers(chart)
    moved = [tuple(sum((f[r] * entries[r * k + c] for r in range(k)), fmpz(0)) for c in range(k)) for f in inward]
    edges = [*moved, (*(fmpz(-1),) * (k - 1), fmpz(1))]
    corners = rational_corners(edges)
    if k == 2:
        return edges[0][0] > 0 and edges[1][0] < 0 and corners[0][0] < corners[0][1]
    # Rounding may have reversed the orientation of the chart; the corners are then those of the opposite triangle, in
    # the same order.
    return all(corner[2] > 0 for corner in corners) and dot(edges[2], corners[1]) > 0


def corners_of(edges: Floats, edge_bounds: Floats) -> Floats:
    """The corners between successive edges, with their errors."""
    if edges.shape[1] == 2:
        return np.array([zero_of(*edge, *bound) for edge, bound in zip(edges, edge_bounds, strict=True)])
    return np.array(
        [meeting_point(*edges[i - 1], *edge_bounds[i - 1], *edges[i], *edge_bounds[i]) for i in range(len(edges))]
    )
