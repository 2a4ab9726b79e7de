"""Tiles cut in halves by walls that are no neurons, for work in pieces.

What is counted on the halves is put right by Euler's relation (`pieces`): the wall is counted too, and taken off. Any
wall does whose chart floats hold.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from flint import fmpq_mat, fmpz, fmpz_mat

from creases.double_description import bits_of, dot, primitive
from creases.engine.problem import FIRST_WALL, INFINITY, Floats
from creases.engine.proof.rational import Form, as_integers, nearest_float, scaled
from creases.engine.proof.rational_polytope import RationalPolytope
from creases.engine.starts.tiles import Tile, corners_on
from creases.rationals import whole

__all__ = ["PartedTile", "Parts", "halved", "sides_of_wall"]

Parts = tuple[Tile, Tile, Tile]

# The position of a wall is a multiple of a power of two that is at most this part of the tile's width.
FINEST_STEP = 64


class PartedTile(NamedTuple):
    """A tile divided by a wall: the parts below and above it, and its section with the wall; None for an empty one."""

    below: Tile | None
    above: Tile | None
    between: Tile | None


class Wall(NamedTuple):
    """The set where coordinate `axis` is `place` plus the sum of the slopes times the others; its own slope is zero."""

    axis: int
    slopes: tuple[Fraction, ...]
    place: Fraction


def halved(tile: Tile) -> Parts | None:
    """The halves below and above a wall across the tile's longest coordinate, and the wall, which has one dimension
    less.

    None if the wall's chart is not representable in floats.
    """
    j = tile.dimension
    extents = []
    for c in range(j):
        values = [Fraction(int(ray[c]), int(ray[-1])) for ray in tile.rays]
        extents.append((min(values), max(values)))
    axis = max(range(j), key=lambda c: (extents[c][1] - extents[c][0], -c))
    low, high = extents[axis]
    return parted(tile, Wall(axis, (Fraction(0),) * j, near((low + high) / 2, high - low)))


def near(value: Fraction, width: Fraction) -> Fraction:
    """A number with few bits near a value, in an interval of this width, which is not zero."""
    assert width > 0  # otherwise no step would be small enough
    step = width / FINEST_STEP
    power = Fraction(1)
    while power > step:
        power /= 2
    while power * 2 <= step:
        power *= 2
    return round(value / power) * power


def parted(tile: Tile, wall: Wall, number: int = FIRST_WALL) -> Parts | None:
    """The parts below and above a wall, whose id is `number`, and the wall itself.

    None if it does not cut the tile, or its chart is not representable in floats.
    """
    axis, factors = wall.axis, (*wall.slopes, wall.place)
    chart = chart_on(tile.chart, wall)
    row = [Fraction(c == axis) - factor for c, factor in enumerate(factors)]
    above: Form = tuple(map(fmpz, whole(row)))
    values = [dot(above, ray) for ray in tile.rays]
    if chart is None or not min(values) < 0 < max(values):
        return None
    cell = RationalPolytope(list(tile.rays), list(tile.masks), len(tile.facets))
    bit, ids = 1 << len(tile.facets), (*tile.ids, number)
    upper, lower = cell.part(above, values, 1), cell.part(above, values, -1)
    halves = [
        Tile(tile.chart, tuple(part.rays), tuple(part.masks), (*tile.facets, form), ids, tile.signs)
        for part, form in ((lower, scaled(above, -1)), (upper, above))
    ]
    on = [(ray, mask & ~bit) for ray, mask in zip(upper.rays, upper.masks, strict=True) if mask & bit]
    between = Tile(
        chart,
        tuple(primitive((*ray[:axis], *ray[axis + 1 :])) for ray, _ in on),
        tuple(mask for _, mask in on),
        tuple(on_wall(facet, wall) for facet in tile.facets),
        tile.ids,
        tile.signs,
    )
    return pruned(halves[0]), pruned(halves[1]), pruned(between)


def sides_of_wall(tile: Tile, above: Tile) -> PartedTile | None:
    """A tile in the same domain, divided by the wall that is the last facet of `above`, which has the full dimension.
    None if the chart of the section is not representable in floats.
    """
    k, j = len(above.chart), tile.dimension + 1
    (here, there), _ = as_integers(above.chart, tile.chart)
    row = fmpq_mat(fmpz_mat(1, k, list(above.facets[-1]))) * fmpq_mat(fmpz_mat(k, k, here)).inv()
    form = tuple((row * fmpq_mat(fmpz_mat(k, j, there))).numer_denom()[0].entries())
    values = [dot(form, ray) for ray in tile.rays]
    if not min(values) < 0 < max(values):
        return PartedTile(None, tile, None) if max(values) > 0 else PartedTile(tile, None, None)
    axis = max(range(j - 1), key=lambda c: (abs(form[c]), -c))
    if form[axis] == 0:
        return None
    slopes = [Fraction(-int(value), int(form[axis])) for value in form]
    slopes[axis] = Fraction(0)
    parts = parted(tile, Wall(axis, tuple(slopes[:-1]), slopes[-1]))
    if parts is None:
        return None
    lower, upper, between = parts
    return PartedTile(lower, upper, between) if form[axis] > 0 else PartedTile(upper, lower, between)


def chart_on(chart: Floats, wall: Wall) -> Floats | None:
    """The chart of a wall, in which its axis is combined from the other columns; None if it is not representable in
    floats."""
    factors = (*wall.slopes, wall.place)
    exact = [
        [Fraction(x) + factor * Fraction(row[wall.axis]) for x, factor in zip(row, factors, strict=True)]
        for row in chart.tolist()
    ]
    kept = [[*row[: wall.axis], *row[wall.axis + 1 :]] for row in exact]
    floats = np.array([list(map(nearest_float, row)) for row in kept])
    return floats if [list(map(Fraction, row)) for row in floats.tolist()] == kept else None


def on_wall(form: Form, wall: Wall) -> Form:
    """A form on the wall, in the other coordinates."""
    *factors, scale = whole([*wall.slopes, wall.place, 1])
    moved = tuple(value * scale + form[wall.axis] * factor for value, factor in zip(form, factors, strict=True))
    return primitive((*moved[: wall.axis], *moved[wall.axis + 1 :]))


def pruned(tile: Tile) -> Tile:
    """The tile with its true facets only: those whose corners are not all on another one (among equal ones, the first).
    Infinity is kept if a corner lies on it, because regions that reach infinity only there are unbounded too.
    """
    on = [frozenset(corners) for corners in corners_on(tile)]

    def is_true(i: int) -> bool:
        # A facet that contains all corners of another one contains its first corner.
        beside = bits_of(tile.masks[min(on[i])])
        return not any(on[i] < on[k] or (on[i] == on[k] and k < i) for k in beside)

    kept = [i for i, mine in enumerate(on) if mine and (tile.ids[i] == INFINITY or is_true(i))]
    places = {i: 1 << place for place, i in enumerate(kept)}
    masks = tuple(sum(places.get(i, 0) for i in bits_of(mask)) for mask in tile.masks)
    return tile._replace(masks=masks, facets=tuple(tile.facets[i] for i in kept), ids=tuple(tile.ids[i] for i in kept))
