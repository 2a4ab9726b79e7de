"""A bounded domain as one starting cell: in a chart in which each of its coordinates lies in [-1, 1].

Each coordinate is scaled by a power of two of its own, so that a domain in units of different size is as wide one way
as another: a cell knows one bound on the error of a corner for all coordinates. A coordinate that is far from zero, in
widths of the domain, is counted from a number near its middle, or all of the domain would stand in the last bits of a
float. Both are exact: corners and facets are whole numbers, and the chart's entries have few bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import fmpz

from creases.double_description import primitive
from creases.engine.problem import FIRST_WALL, Floats, IntegerPolytope
from creases.engine.proof.rational import Form, vertex_cell
from creases.engine.starts.chart import AnyStart
from creases.engine.starts.tiles import Tile, start_of
from creases.engine.starts.walls import near

__all__ = ["bounded_start", "root_tile"]


# A coordinate is far from zero if its middle is so many times half the domain's width. Nearer, it stays: a domain with
# a corner at zero keeps it there.
FAR = 64


def bounded_start(vertices: Floats | IntegerPolytope) -> AnyStart:
    """The starting cell of a bounded domain: float64 (v, d) corners, counter-clockwise, or a polytope."""
    return start_of(root_tile(vertices))


def root_tile(vertices: Floats | IntegerPolytope) -> Tile:
    """All of a bounded domain, in the chart u = 2^e v + middle, coordinate by coordinate."""
    if isinstance(vertices, IntegerPolytope):
        rays, walls, masks = vertices.rays, vertices.walls, vertices.masks
    else:
        cell = vertex_cell(vertices)
        rays, walls, count = tuple(cell.rays), tuple(cell.edges), len(cell.rays)
        # Edge i runs from corner i to the next; on a line it is the form that vanishes there.
        flat = len(rays[0]) == 2
        masks = tuple(1 << v if flat else 1 << v | 1 << (v - 1) % count for v in range(count))
    measured = [exponent_and_middle([Fraction(int(r[c]), int(r[-1])) for r in rays]) for c in range(len(rays[0]) - 1)]
    chart = np.diag([*(2.0**exponent for exponent, _ in measured), 1.0])
    chart[:-1, -1] = [float(middle) for _, middle in measured]
    return Tile(
        chart=chart,
        rays=moved_rays(rays, measured),
        masks=tuple(masks),
        facets=moved_forms(walls, measured),
        ids=(FIRST_WALL,) * len(walls),
        signs={},
    )


def exponent_and_middle(values: Sequence[Fraction]) -> tuple[int, Fraction]:
    """By which power of two the values of one coordinate at all corners are scaled, and from where they are counted."""
    low, high = min(values), max(values)
    middle = Fraction(0)
    if abs(low + high) >= FAR * (high - low):
        middle = near((low + high) / 2, high - low)
        if Fraction(float(middle)) != middle:
            middle = Fraction(0)
    return min(max(power_above(max(abs(low - middle), abs(high - middle))), -1022), 1023), middle


def power_above(value: Fraction) -> int:
    """The least exponent of a power of two that is no less than a positive number."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length() - 1
    while Fraction(2) ** exponent < value:
        exponent += 1
    return exponent


def moved_rays(rays: Sequence[Form], measured: Sequence[tuple[int, Fraction]]) -> tuple[Form, ...]:
    """Corners in the chart: v = (u - middle) / 2^e, times what makes all of them whole."""
    finest, coarsest = grid_of(measured)
    factors = [(int(middle * finest), fmpz(1) << coarsest - exponent) for exponent, middle in measured]
    scale = fmpz(finest) << coarsest
    return tuple(
        primitive(
            (
                *((fmpz(x) * finest - m * fmpz(r[-1])) * f for x, (m, f) in zip(r, factors, strict=False)),
                fmpz(r[-1]) * scale,
            )
        )
        for r in rays
    )


def moved_forms(forms: Sequence[Form], measured: Sequence[tuple[int, Fraction]]) -> tuple[Form, ...]:
    """Forms in the chart: g u + h = (2^e g) v + (g middle + h), times what makes all of them whole."""
    finest, _ = grid_of(measured)
    factors = [(int(middle * finest), int(Fraction(2) ** exponent * finest)) for exponent, middle in measured]
    return tuple(
        primitive(
            (
                *(fmpz(x) * f for x, (_, f) in zip(form, factors, strict=False)),
                sum((fmpz(x) * m for x, (m, _) in zip(form, factors, strict=False)), fmpz(form[-1]) * finest),
            )
        )
        for form in forms
    )


def grid_of(measured: Sequence[tuple[int, Fraction]]) -> tuple[int, int]:
    """A power of two that makes all middles and scales whole numbers, and the largest exponent of a scale, or zero."""
    exponents = [exponent for exponent, _ in measured]
    finest = max(1 << max(0, -min(exponents)), *(middle.denominator for _, middle in measured))
    return finest, max(0, *exponents)
