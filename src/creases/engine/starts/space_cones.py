"""The 2^d cones into which d independent neurons cut a whole space of three dimensions or more.

The chart of a cone has its apex and d far points s_i R_i, where s_i is the sign of neuron i on it: the same rays R_i in
all cones, up to sign. So one look proves all charts at once. Let the apex a and the R_i be floats whose sums and
differences are floats too, so that a chart is exactly (s_i R_i, 0) - (a, 1), and (a, 1). With f_j the exact forms, and
F_ji = f_j . R_i (linear parts), suppose that for all j

    F_jj > 0,      4 d sum_(k != j) |F_jk| <= F_jj,      4 d |f_j(a)| <= F_jj.

In the chart's coordinates u, and with t = 1 - sum u_i the form of infinity, f_j is F s u + t f(a). Divide row j by
F_jj, write I + E for F, e for f(a), and |.| for the largest entry. Where all f_j vanish, (I + E) s u = -t e; t = 0
would make u = 0, and no point; so |u| <= |t| |e| / (1 - |E|) <= |t| / (3 d), and sum u + t, the last coordinate, is t
(1 +- 1/3): the apex is on the right side of infinity. Where t and all f_j but f_i vanish, y = s u has |y_j| <= |E| |y|
for j != i, so |y| = |y_i| and the others add up to at most |y_i| / 4: the last coordinate, sum u, has the sign of s_i
y_i, and so has s_i f_i = s_i y_i (1 +- 1/4): far corner i is on the right side of its own facet. So the cone is a
bounded simplex in its chart, whatever its signs, and all is decided in whole numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat

from creases.engine.problem import INFINITY, Floats
from creases.engine.proof.rational import as_integers, meeting_ray
from creases.engine.proof.rational_polytope import rational_cone
from creases.engine.starts.chart import (
    GRID_BITS,
    RationalStart,
    SpaceStart,
    cone_start_in_space,
    corners_of_simplex,
    far_directions,
    in_some_chart,
    masks_of_simplex,
    on_grid,
    typical_distance,
)
from creases.engine.starts.first_layer import in_chart

__all__ = ["cones_in_space"]

# Bits of the entries of a row of the charts: one less than a float has, so that differences are floats.
BITS_OF_ENTRIES = 52
# Rows with a largest entry beyond these are left to charts of their own.
SMALLEST, LARGEST = 2.0**-900, 2.0**900


class CommonChart(NamedTuple):
    """What the charts of all cones have in common. apex : float64 (d,). rays : float64 (d, d), R_i is row i."""

    apex: Floats
    rays: Floats

    def of(self, turns: Floats) -> Floats:
        """The chart of the cone with these signs, 1.0 or -1.0: float64 (d + 1, d + 1)."""
        d = len(turns)
        chart = np.empty((d + 1, d + 1))
        chart[:d, :d] = self.rays.T * turns - self.apex[:, None]
        chart[:d, d], chart[d, :d], chart[d, d] = self.apex, -1.0, 1.0
        return chart


def cones_in_space(
    forms: Floats, bounds: Floats, rows: list[int], rational_rows: list[Any], few_bits: bool
) -> Iterator[SpaceStart | RationalStart]:
    """The cones. forms, bounds : the first layer (`first_layer_forms`). rows : the neurons, with their exact forms.
    few_bits : whether the first layer has few bits (`has_few_bits`)."""
    directions = far_directions(rational_rows)
    common = common_chart(forms, rows, rational_rows, directions, few_bits)
    for signs in itertools.product((False, True), repeat=len(rows)):
        if common is not None:
            start = start_of_cone(forms, bounds, rows, signs, common)
        else:
            alone = partial(cone_start_in_space, forms, bounds, rows, signs, rational_rows, directions)
            start = in_some_chart(alone, GRID_BITS if few_bits else 0)
        if start is None:
            yield RationalStart(rational_cone(rational_rows, signs), dict(zip(rows, signs, strict=True)))
        else:
            yield start


def common_chart(
    forms: Floats, rows: list[int], rational_rows: Sequence[Any], directions: Floats, few_bits: bool
) -> CommonChart | None:
    """Apex and rays of charts in which all cones are proved to be bounded; None if there is no such proof.

    few_bits : for a chart of few bits if there is one, so that the forms of a first layer of few bits stay exact.
    """
    tip = meeting_ray(rational_rows)
    try:
        apex = np.array([float(Fraction(int(value), int(tip[-1]))) for value in tip[:-1]])
    except OverflowError:
        return None
    length = typical_distance(np.delete(forms, rows, axis=0), apex)
    rays = directions * length
    chart = on_common_grid(apex, rays)
    if few_bits:
        coarse = CommonChart(on_grid(length, apex), on_grid(length, rays))
        chart = coarse if is_proved(coarse, rational_rows) else None
    return chart if chart is not None and is_proved(chart, rational_rows) else None


def on_common_grid(apex: Floats, rays: Floats) -> CommonChart | None:
    """Apex and rays rounded, coordinate by coordinate, to multiples of one power of two: of their largest entry 2^-52.

    So sums and differences of two are whole multiples below 2^53, and no float is rounded. None if numbers are too
    large or too small.
    """
    most = np.maximum(np.abs(apex), np.abs(rays).max(axis=0))
    if not ((most > SMALLEST) & (most < LARGEST)).all():  # NaN lands here
        return None
    steps = np.ldexp(1.0, np.frexp(most)[1] - BITS_OF_ENTRIES)
    return CommonChart(np.round(apex / steps) * steps, np.round(rays / steps) * steps)


def is_proved(chart: CommonChart, rational_rows: Sequence[Any]) -> bool:
    """Whether the conditions of the module's first lines hold, and the entries of charts are exact."""
    d = len(chart.apex)
    if not (np.isfinite(chart.apex).all() and np.isfinite(chart.rays).all()):
        return False
    for turn in (1.0, -1.0):
        if not is_difference(turn * chart.rays - chart.apex, turn * chart.rays, chart.apex):
            return False
    (rays, apex, one), _ = as_integers(chart.rays, chart.apex, np.ones(1))
    linear = fmpz_mat([list(row[:-1]) for row in rational_rows])
    products = linear * fmpz_mat(d, d, rays).transpose()
    values = linear * fmpz_mat(d, 1, apex)
    for j, row in enumerate(rational_rows):
        own = products[j, j]
        others = sum(abs(products[j, k]) for k in range(d) if k != j)
        if not (own > 0 and 4 * d * others <= own and 4 * d * abs(values[j, 0] + row[-1] * one[0]) <= own):
            return False
    return True


def is_difference(entries: Floats, one: Floats, other: Floats) -> bool:
    """Whether floats are exactly the differences of others: what Knuth's sum of two loses is zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        back = entries - one
        lost = (one - (entries - back)) + (-other - back)
    return bool((lost == 0.0).all())


def start_of_cone(
    forms: Floats, bounds: Floats, rows: list[int], signs: Sequence[bool], common: CommonChart
) -> SpaceStart | None:
    """The cone with these signs, in its chart; None if the first layer's forms overflow there."""
    d, turns = len(rows), np.where(signs, 1.0, -1.0)
    chart = common.of(turns)
    moved, moved_bounds = in_chart(forms, bounds, chart)
    infinity = np.append(-np.ones(d), 1.0)
    facets = np.vstack([infinity, moved[rows] * turns[:, None]])
    facet_bounds = np.vstack([[0.0, 0.0], moved_bounds[rows]])
    if not np.isfinite(facets).all():
        return None
    return SpaceStart(
        chart=chart,
        corners=corners_of_simplex(facets, facet_bounds),
        masks=masks_of_simplex(d),
        facets=facets,
        facet_bounds=facet_bounds,
        facet_ids=[INFINITY, *rows],
        walls=[],
        signs=dict(zip(rows, map(bool, signs), strict=True)),
        first=(moved, moved_bounds),
    )
