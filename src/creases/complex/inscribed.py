"""The largest ball in each cell: its radius, the inradius, and its centre, the Chebyshev centre.

The centre maximises the distance r to the nearest side, which is a linear program: maximise r such that n . y + s >= r
for every side's half-space n . y + s >= 0, |n| = 1. Hundreds of independent cells are combined into one program. Its
solution has an error up to the solver's tolerance, so the radius is measured again at the resulting centre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.half_spaces import half_spaces
from creases.complex.skeleton import sides_of
from creases.complex.volumes import bounded_cells, lengths_of
from creases.domain import Directions
from creases.lists import spans
from creases.memory import enough_memory

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Balls", "balls_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The approximate number of sides in a program: larger programs take longer than they save.
SIDES_AT_ONCE = 4096
# The tolerance of the solver, in units of each cell: the smallest that it accepts.
TOLERANCE = 1e-10
# The rounding error of a sum of d + 1 products of rounded numbers, in units of the last place of its terms.
ROUNDING = 16 * 2.0**-53
# A distance of this many units cannot be resolved in floats together with one unit.
FARTHEST = 1e15
# Directions span a space if the smallest eigenvalue of their Gram matrix is larger than this: each is known to 1e-9,
# and its square is lost. A cone that is that nearly flat, but is not flat, is left to its linear program, which is then
# unbounded.
LEAST_EIGENVALUE = 1e-12


class Balls(NamedTuple):
    """radii : float64 (cells,). centres : float64 (cells, d)."""

    radii: Floats
    centres: Floats


class HalfSpaces(NamedTuple):
    """Half-spaces of cells, those of cell i from first[i] on: normals @ y + slacks >= 0.

    normals : float64 (sides, d), of length one. slacks : float64 (sides,). rounding : float64 (sides,), the approximate
        errors of the slacks of half-spaces that are as accurate as possible.
    """

    first: Ints
    normals: Floats
    slacks: Floats
    rounding: Floats


def balls_of(complex: Complex) -> Balls:
    """The radii, in the units of input space, of balls inside the slice, and the centres in slice coordinates.

    A cell that contains balls of every size has an infinite radius and a NaN centre. In a strip or a rectangle, where
    several balls are the largest, the centre is that of one of them. If a cell is smaller than the rounding errors of
    its own sides, its radius is zero and its centre is the mean of its corners. Both are NaN if floats cannot represent
    them, or if the solver fails.
    """
    from creases.engine.answers.interior import middles

    if complex.dimension == 1:
        return Balls(complex.volumes / 2.0, complex.centroids)
    sides, chart = sides_of(complex)[0], lengths_of(complex)
    middle = middles(complex.first, complex.corners, complex.at_infinity)
    with enough_memory("Finding balls in all cells", "Subdivide a smaller domain."), np.errstate(all="ignore"):
        forms = half_spaces(complex)
        forms /= np.abs(forms).max(axis=1, initial=0.0)[:, None]
        owners = np.repeat(np.arange(len(complex)), np.diff(sides.first))
        terms = np.column_stack([forms[:, :-1] * middle[owners], forms[:, -1]])
        normals = np.linalg.solve(chart, forms[:, :-1].T).T  # for y = u @ chart, with lengths of input space
        lengths = np.sqrt(np.square(normals).sum(axis=1))
        rounding = ROUNDING * np.abs(terms).sum(axis=1)
        spaces = HalfSpaces(sides.first, normals / lengths[:, None], terms.sum(axis=1) / lengths, rounding / lengths)
        radii, shifts = largest_balls(spaces, have_no_largest(complex), owners)
        return Balls(radii, middle + np.linalg.solve(chart.T, shifts.T).T)


def have_no_largest(complex: Complex) -> Bools:
    """The cells that contain balls of every size, bool (cells,): those that are unbounded in d independent
    directions."""
    endless = ~bounded_cells(complex)
    if not endless.any() or isinstance(complex.domain, Directions):
        return endless
    chart = lengths_of(complex)
    rays = np.where(complex.at_infinity[:, None], complex.corners, 0.0) @ chart
    rays /= np.maximum(np.sqrt(np.square(rays).sum(axis=1)), np.finfo(float).tiny)[:, None]
    products = np.add.reduceat(rays[:, :, None] * rays[:, None, :], complex.first[:-1], axis=0)
    lines = complex.lineality @ chart
    endless[endless] = np.linalg.eigvalsh(products[endless] + lines.T @ lines)[:, 0] > LEAST_EIGENVALUE
    return endless


def largest_balls(spaces: HalfSpaces, without: Bools, owners: Ints) -> tuple[Floats, Floats]:
    """The radii and centres in coordinates with the lengths of input space, relative to the point at which the slacks
    are measured.

    without : cells that have no largest ball. owners : the cell of each side.
    """
    cells, d = len(without), spaces.normals.shape[1]
    held = np.isfinite(spaces.slacks) & np.isfinite(spaces.normals).all(axis=1)
    known = ~without & (np.bincount(owners[~held], minlength=cells) == 0)
    # Each program uses the distance from the point to the nearest side as its unit.
    units = nearest(owners, spaces.slacks, cells)
    left = np.flatnonzero(known & (nearest(owners, spaces.slacks - spaces.rounding, cells) > 0))
    radii, shifts = np.full(cells, np.nan), np.full((cells, d), np.nan)
    radii[known], shifts[known] = 0.0, 0.0
    part = np.cumsum(np.diff(spaces.first)[left]) // SIDES_AT_ONCE
    for some in np.split(left, np.flatnonzero(np.diff(part)) + 1):
        shifts[some] = solved(spaces, some, units) * units[some][:, None]
    distances = spaces.slacks + (spaces.normals * shifts[owners]).sum(axis=1)
    radii[left] = nearest(owners, distances, cells)[left]
    worse = left[radii[left] < units[left]]  # worse than the starting point
    radii[worse], shifts[worse] = units[worse], 0.0
    endless = without | np.isinf(shifts).any(axis=1)
    radii[endless], shifts[endless] = np.inf, np.nan
    return radii, shifts


def nearest(owners: Ints, distances: Floats, cells: int) -> Floats:
    """The smallest distance in each cell; NaN if one is NaN."""
    found = np.full(cells, np.inf)
    np.minimum.at(found, owners, distances)
    return found


def solved(spaces: HalfSpaces, cells: Ints, units: Floats) -> Floats:
    """The centres of some cells in their units, float64 (c, d), by one linear program, or if it fails by one per cell.
    Infinite if there is no largest ball, NaN if the solver fails."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    if not len(cells):
        return np.zeros((0, spaces.normals.shape[1]))
    counts = np.diff(spaces.first)[cells]
    rows, k = spans(spaces.first[cells], counts), spaces.normals.shape[1] + 1
    owners = np.repeat(np.arange(len(cells)), counts)
    matrix = np.column_stack([-spaces.normals[rows], np.ones(len(rows))])
    places = k * owners[:, None] + np.arange(k)
    blocks = csr_array(
        (matrix.ravel(), places.ravel(), k * np.arange(len(rows) + 1)), shape=(len(rows), k * len(cells))
    )
    goal = np.zeros((len(cells), k))
    goal[:, -1] = -1.0
    answer = linprog(
        goal.ravel(),
        A_ub=blocks,
        b_ub=np.minimum(spaces.slacks[rows] / units[cells][owners], FARTHEST),
        bounds=(None, None),
        method="highs-ds",
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    )
    if answer.status == 0:
        return np.asarray(answer.x.reshape(len(cells), k)[:, :-1])
    if len(cells) == 1:
        return np.full((1, k - 1), np.inf if answer.status == 3 else np.nan)
    half = len(cells) // 2
    return np.concatenate([solved(spaces, cells[:half], units), solved(spaces, cells[half:], units)])
