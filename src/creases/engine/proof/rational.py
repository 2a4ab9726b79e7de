"""Rational arithmetic: where floats cannot prove a sign, this file decides it.

Float weights are dyadic rationals m 2^e, so every affine form of the network on a domain is, up to one
positive factor a level, a vector of integers; signs do not see the factor (`rational_forms`). All arithmetic
here is on Python-Flint integers. Homogeneous coordinates of the domain (k = d + 1) need no
division either: in the plane (k = 3) the vertex between two edges is the cross product of their forms, and
its sign under a third form is a 3 x 3 determinant.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import numpy as np
from flint import fmpz, fmpz_mat

from creases.double_description import dot, primitive
from creases.engine.problem import Floats
from creases.engine.proof.bounds import UNIT

__all__ = [
    "Cuttable",
    "Form",
    "RationalCell",
    "as_integers",
    "cone_cells",
    "cross",
    "meeting_ray",
    "nearest_float",
    "nearest_point",
    "rational_corners",
    "scaled",
    "value_at",
    "vertex_cell",
]

Form = tuple[Any, ...]  # k integers; the affine form's coefficients in homogeneous coordinates


def as_integers(*arrays: Floats) -> tuple[list[list[Any]], int]:
    """Float arrays as integers with one common exponent e: entry = integer * 2^-e, e as small as it can be.

    arrays : any number of float64 arrays, finite.
    Returns (one flat list of Python integers an array, e >= any value that keeps all of them whole).
    """
    mantissas, exponents = [], []
    for array in arrays:
        fraction, exponent = np.frexp(np.asarray(array, dtype=np.float64).ravel())
        mantissas.append((fraction * 2.0**53).astype(np.int64))
        exponents.append(exponent.astype(np.int64) - 53)
    m, e = np.concatenate(mantissas), np.concatenate(exponents)
    trailing = np.zeros_like(m)
    nonzero = m != 0
    # The lowest set bit of a mantissa is a power of two; frexp says which without rounding, a logarithm might not.
    trailing[nonzero] = np.frexp((m[nonzero] & -m[nonzero]).astype(np.float64))[1] - 1
    lowest = int((e + trailing)[nonzero].min()) if nonzero.any() else 0
    whole = [
        0 if not value else (int(value) << shift if shift >= 0 else int(value) >> -shift)
        for value, shift in zip(m.tolist(), (e - lowest).tolist(), strict=True)
    ]
    result, start = [], 0
    for array in arrays:
        result.append(whole[start : start + array.size])
        start += array.size
    return result, -lowest


def cross(f: Form, g: Form) -> Form:
    """The cross product of two forms (or rays) with three coordinates: where both vanish."""
    return (f[1] * g[2] - f[2] * g[1], f[2] * g[0] - f[0] * g[2], f[0] * g[1] - f[1] * g[0])


def nearest_float(value: Fraction) -> float:
    """The float nearest to a rational; the largest finite one where it is beyond."""
    try:
        return float(value)
    except OverflowError:
        return float(np.copysign(np.finfo(np.float64).max, 1 if value > 0 else -1))


def scaled(form: Form, factor: int) -> Form:
    """A form times an integer."""
    return tuple(factor * value for value in form)


class RationalCell(NamedTuple):
    """A convex cell of dimension 1 or 2 as a pointed cone.

    rays : homogeneous coordinates, counter-clockwise for d = 2.
    edges : inward forms; d = 2: edges[i] runs from rays[i] to rays[i + 1]; d = 1: edges[i] vanishes at rays[i].
    """

    rays: list[Form]
    edges: list[Form]

    def part(self, form: Form, values: list[Any], sign: int) -> RationalCell:
        """The part on which a form has this sign; `values` are its values at the rays."""
        return clip(self, scaled(form, sign), [sign * value for value in values])


class Cuttable(Protocol):
    """A cell that a form cuts in two: of one or two dimensions here, of more in `rational_polytope`."""

    @property
    def rays(self) -> list[Form]:
        """Corners in homogeneous coordinates."""

    def part(self, form: Form, values: list[Any], sign: int) -> Cuttable:
        """The part on which a form has this sign; `values` are its values at the rays."""


def vertex_cell(vertices: Floats) -> RationalCell:
    """The bounded cell with these corners (float64, shape (v, d)), counter-clockwise for d = 2."""
    flat, exponent = as_integers(np.asarray(vertices, dtype=np.float64))
    d = vertices.shape[1]
    w, factor = fmpz(1) << max(exponent, 0), 1 << max(-exponent, 0)
    rays = [(*(fmpz(value * factor) for value in flat[0][i * d : (i + 1) * d]), w) for i in range(len(vertices))]
    if d == 1:
        low, high = rays
        return RationalCell(rays, [(low[1], -low[0]), (-high[1], high[0])])
    return RationalCell(rays, [cross(p, q) for p, q in zip(rays, rays[1:] + rays[:1], strict=True)])


def cone_cells(independent: Sequence[Form]) -> list[tuple[RationalCell, tuple[bool, ...]]]:
    """The cones into which d independent forms cut all of R^d, each with the signs of the forms on it.

    The forms' zero sets are true walls, so nothing is counted twice.
    """
    d = len(independent)
    cells = []
    infinity = (*(fmpz(0),) * d, fmpz(1))
    for number in range(1 << d):
        signs = tuple(bool(number >> i & 1) for i in range(d))
        walls = [scaled(f, 1 if on else -1) for f, on in zip(independent, signs, strict=True)]
        if d == 1:
            (f,) = walls
            apex = (-f[1], f[0]) if f[0] > 0 else (f[1], -f[0])
            far = (fmpz(1), fmpz(0)) if f[0] > 0 else (fmpz(-1), fmpz(0))
            cells.append((RationalCell([apex, far], [f, infinity]), signs))
            continue
        f, g = walls
        edges = [f, g, infinity] if dot(cross(f, g), infinity) > 0 else [g, f, infinity]
        rays = [primitive(cross(edges[i - 1], edges[i])) for i in range(3)]
        cells.append((RationalCell(rays, edges), signs))
    return cells


def clip(cell: RationalCell, form: Form, values: list[Any]) -> RationalCell:
    """The part of the cell where the form is positive; `values` are the form's values at the rays."""
    if len(form) == 2:
        low, high = cell.rays
        zero = (-form[1], form[0]) if form[0] > 0 else (form[1], -form[0])
        keep_high = values[1] > 0
        return RationalCell(
            [zero, high] if keep_high else [low, zero],
            [form, cell.edges[1]] if keep_high else [cell.edges[0], form],
        )
    rays: list[Form] = []
    edges: list[Form] = []
    for i, (ray, edge, value) in enumerate(zip(cell.rays, cell.edges, values, strict=True)):
        after = values[(i + 1) % len(values)]
        if value > 0 or (value == 0 and after > 0):
            rays.append(ray)
            edges.append(edge)
            if after < 0:
                rays.append(primitive(cross(edge, form)))
                edges.append(form)
        elif value == 0:
            if values[i - 1] > 0:
                rays.append(ray)
                edges.append(form)
        elif after > 0:
            rays.append(primitive(cross(form, edge)))
            edges.append(edge)
    return RationalCell(rays, edges)


def rational_corners(edges: list[Any]) -> list[Any]:
    """Corners of a cell from its exact inward edges: rays with positive last coordinate."""
    if len(edges[0]) == 2:
        return [(-f[1], f[0]) if f[0] > 0 else (f[1], -f[0]) for f in edges]
    return [cross(edges[i - 1], edges[i]) for i in range(len(edges))]


def meeting_ray(forms: Sequence[Form]) -> Form:
    """The ray at which forms of rank d vanish, in k = d + 1 homogeneous coordinates; its last one is positive, or zero.

    Raises ValueError if their rank is another.
    """
    k = len(forms[0])
    null, rank = fmpz_mat([list(form) for form in forms]).nullspace()
    if rank != 1:
        raise ValueError(f"{len(forms)} forms in {k} coordinates vanish on a space of dimension {rank}, not on a ray")
    ray = tuple(null[i, 0] for i in range(k))
    return primitive(scaled(ray, -1) if ray[-1] < 0 else ray)


def nearest_point(ray: Form) -> tuple[list[float], float]:
    """The floats nearest to a finite point's coordinates, and a bound on what they lose.

    Half a unit of the last place, below 2 u |x|, or below 2^-1070 for a denormal; zero only if integers say so.
    """
    *values, one = map(int, ray)
    near = [value / one for value in values]  # integers are divided to the nearest float
    parts = [x.as_integer_ratio() for x in near]
    exact = [top * one == value * bottom for (top, bottom), value in zip(parts, values, strict=True)]
    lost = [2.0 * UNIT * abs(x) + 2.0**-1070 for x, known in zip(near, exact, strict=True) if not known]
    return near, max(lost, default=0.0)


def value_at(form: Sequence[Any], ray: list[Fraction]) -> Fraction:
    """The value of an exact form at an exact ray."""
    return sum((int(x) * y for x, y in zip(form, ray, strict=True)), Fraction(0))
