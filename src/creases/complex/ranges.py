"""Extremes over a complex: of outputs, of gradients, and where they are taken.

An output is affine on each cell, so its extremes over a bounded domain are taken at vertices. Floats with bounds leave
a few vertices as candidates; these are compared in rationals, so the extremes are exact. Where a cell is unbounded, the
output grows without end if it grows along one of the directions, which is decided in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.bounded import LARGER, LEAST_FLOAT, UNIT
from creases.complex.faults import refuse_ball
from creases.domain import Directions
from creases.errors import DomainError, NetworkError

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.complex.vertex_states import VertexStates

__all__ = ["Extreme", "LipschitzConstant", "lipschitz_constant", "output_range", "output_ranges"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Vertices whose values are computed in rationals at one time, and numbers that are worked on at once.
EXACT_AT_ONCE = 64
AT_ONCE = 1 << 22


class Extreme(NamedTuple):
    """A minimum or a maximum of an output.

    value : float, the float64 nearest to it; infinite if the output has no bound.
    exact : Fraction, the value itself; None if it is infinite.
    vertex : int, a vertex at which it is taken, a row of `Complex.vertices`; a direction if it is infinite.
    """

    value: float
    exact: Fraction | None
    vertex: int


class LipschitzConstant(NamedTuple):
    """The smallest number L with |f(x) - f(y)| <= L |x - y| on a domain.

    value : float. cell : int, a cell whose gradient has this norm.
    """

    value: float
    cell: int


def output_range(complex: Complex, output: int = 0) -> tuple[Extreme, Extreme]:
    """The minimum and the maximum of an output on the domain, exactly.

    output : index of the output, from 0. On an open or whole space an infinite value means that there is no bound.
    Raises NetworkError if there is no such output; DomainError on a Ball, on `Directions`, and if every cell contains
    a line and there is more than one cell.

    Examples
    --------
    >>> from creases import Box, build, subdivide
    >>> bent = build.network(build.abs(build.input(1)))  # |x| on [-1, 2]
    >>> lowest, highest = output_range(subdivide(bent, Box([-1], [2])))
    >>> lowest.exact, highest.exact
    (Fraction(0, 1), Fraction(2, 1))
    """
    checked_output(complex, output)
    return ranges_of(complex, [output])[0]


def output_ranges(complex: Complex) -> list[tuple[Extreme, Extreme]]:
    """The minimum and the maximum of every output, as `output_range` has them."""
    return ranges_of(complex, range(complex.network.n_out))


def ranges_of(complex: Complex, outputs: Iterable[int]) -> list[tuple[Extreme, Extreme]]:
    """The extremes of some outputs."""
    from creases.complex.vertex_states import VertexStates

    refuse_ball(complex.domain, "Extremes")
    if isinstance(complex.domain, Directions) or len(complex.lineality):
        raise DomainError(f"Extremes are taken at vertices, and {complex!r} has none. Take a bounded domain, like Box.")
    states = VertexStates(complex)
    values, errors = states.outputs
    return [
        (
            extreme(complex, states, output, -1, -values[:, output], errors[:, output]),
            extreme(complex, states, output, 1, values[:, output], errors[:, output]),
        )
        for output in outputs
    ]


def extreme(complex: Complex, states: VertexStates, output: int, sign: int, values: Floats, errors: Floats) -> Extreme:
    """The largest of sign * output. values, errors : float64 (vertices,), of sign * output."""
    far = np.flatnonzero(complex.vertices_at_infinity)
    growing = far[values[far] > errors[far]]
    if not len(growing):
        doubtful = far[~(values[far] < -errors[far])]
        exact = exact_values_at(states, doubtful, output)
        growing = doubtful[[sign * value > 0 for value in exact]] if len(doubtful) else doubtful
    if len(growing):
        return Extreme(sign * np.inf, None, int(growing[0]))
    candidates = highest(np.flatnonzero(~complex.vertices_at_infinity), values, errors)
    tight, off = tight_values(complex, states, candidates, output)
    full = np.full(len(values), np.nan), np.full(len(values), np.nan)
    full[0][candidates], full[1][candidates] = sign * tight, off
    candidates = highest(candidates, *full)
    exact = exact_values_at(states, candidates, output)
    best = max(range(len(exact)), key=lambda i: sign * exact[i])
    return Extreme(float(exact[best]), exact[best], int(candidates[best]))


def highest(vertices: Ints, values: Floats, errors: Floats) -> Ints:
    """Those vertices that may have the largest value."""
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.nextafter(values[vertices] - errors[vertices], -np.inf)
        high = np.nextafter(values[vertices] + errors[vertices], np.inf)
    floor = np.where(np.isnan(low), -np.inf, low).max()
    return np.asarray(vertices[~(high < floor)])


def checked_output(complex: Complex, output: int) -> None:
    """Raise NetworkError if there is no such output."""
    if output not in range(complex.network.n_out):
        raise NetworkError(
            f"output must be from 0 to {complex.network.n_out - 1}, as the network has {complex.network.n_out}; got "
            f"{output!r}."
        )


def exact_values_at(states: VertexStates, vertices: Ints, output: int) -> list[Fraction]:
    """The values of an output at vertices, as fractions; along directions how it grows, up to a positive factor."""
    found = []
    for at in range(0, len(vertices), EXACT_AT_ONCE):
        some = vertices[at : at + EXACT_AT_ONCE]
        outputs = states.exact_outputs(some)
        for vertex, value in zip(some.tolist(), outputs.rows[output], strict=True):
            weight = int(states.geometry.vertex(vertex)[-1]) or 1
            found.append(Fraction(int(value), int(outputs.denominator) * weight))
    return found


def tight_values(complex: Complex, states: VertexStates, vertices: Ints, output: int) -> tuple[Floats, Floats]:
    """The values of an output at finite vertices, and bounds on their errors, float64 (vertices,) each.

    They come from the affine map of one cell of each vertex, so that what a vertex is off by is multiplied by one
    gradient, and not by the product of all absolute weights as in `VertexStates.outputs`.
    """
    network, cells = states.network, first_cells(complex)[vertices]
    values, errors = np.empty(len(vertices)), np.empty(len(vertices))
    step, count = max(1, AT_ONCE // network.width), complex.network.bits
    for at in range(0, len(vertices), step):
        some = slice(at, at + step)
        bits = np.unpackbits(complex.patterns[cells[some]], axis=1, bitorder="little", count=count).astype(np.bool_)
        form = network.on_patterns(bits)
        points = np.column_stack([complex.vertices[vertices[some]], np.ones(len(bits))])
        known, off = form.values[:, :, output], form.errors[:, :, output]
        moved = np.column_stack([states.errors[vertices[some]], np.zeros(len(bits))])
        with np.errstate(all="ignore"):
            values[some] = (known * points).sum(axis=1)
            # The form is off, the vertex is off, and d + 1 products are summed (Higham 2002, section 3.1).
            rounded = 2.0 * points.shape[1] * UNIT * np.abs(points)
            lost = off * (np.abs(points) + moved) + np.abs(known) * (moved + rounded)
            errors[some] = (lost.sum(axis=1) + 2.0 * points.shape[1] * LEAST_FLOAT) * LARGER
    return values, np.where(np.isfinite(values), errors, np.inf)


def first_cells(complex: Complex) -> Ints:
    """One cell of each vertex, int64 (vertices,)."""
    cells = np.empty(len(complex.vertices), np.int64)
    owners = np.repeat(np.arange(len(complex)), np.diff(complex.first))
    own = complex.vertex_numbers >= 0
    cells[complex.vertex_numbers[own]] = owners[own]
    return cells


def lipschitz_constant(complex: Complex) -> LipschitzConstant:
    """The Lipschitz constant of the network on the domain in the Euclidean norm, and a cell that has it.

    It is the largest spectral norm of the gradients along the domain's slice, in float64. A domain must be convex, as
    all domains but `Polyline` are.
    """
    from creases.complex.maps import gradient_norms_along_slice

    norms = gradient_norms_along_slice(complex).spectral
    cell = int(np.argmax(norms))
    return LipschitzConstant(float(norms[cell]), cell)
