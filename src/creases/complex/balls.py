"""The largest ball in each cell: its radius, the inradius, and its centre, the Chebyshev centre.

The centre has the largest distance r to the nearest side, which is a linear program: r is largest where every side's
half-space n . y + s >= 0, |n| = 1, holds with r to spare. Hundreds of cells are put into one program, side by side. A
program may be off by what its solver allows, so the radius is measured again at the centre that it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.half_spaces import half_spaces
from creases.complex.skeleton import sides_of
from creases.complex.volumes import bounded_cells, lengths_of
from creases.memory import enough_memory

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Balls", "balls_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Sides of a program, about: larger ones take longer than they save.
SIDES_AT_ONCE = 4096
# What the solver may be off, in units of each cell: the least that it takes.
TOLERANCE = 1e-10
# Directions that are known to 1e-9 each span a space if no more nearly parallel than this.
FLAT = 1e-8


class Balls(NamedTuple):
    """radii : float64 (cells,). centres : float64 (cells, d)."""

    radii: Floats
    centres: Floats


class HalfSpaces(NamedTuple):
    """Half-spaces of cells, those of cell i from first[i] on: normals @ y + slacks >= 0.

    normals : float64 (sides, d), of length one. slacks : float64 (sides,).
    """

    first: Ints
    normals: Floats
    slacks: Floats


def balls_of(complex: Complex) -> Balls:
    """The radii in the units of input space, of balls inside the slice, and the centres in slice coordinates.

    A cell in which balls of every size lie has the radius infinity and a centre that is not a number. In a strip, or a
    rectangle, where several balls are the largest, the centre is one of them. A radius is zero, and its centre the
    mean of the corners, where the cell is smaller than the rounding errors of its own sides; both are not a number
    where floats do not hold these at all.
    """
    from creases.engine.answers.interior import middles

    sides, chart = sides_of(complex)[0], lengths_of(complex)
    middle = middles(complex.first, complex.corners, complex.at_infinity)
    with enough_memory("Finding balls in all cells", "Subdivide a smaller domain."), np.errstate(all="ignore"):
        forms = half_spaces(complex)
        forms /= np.abs(forms).max(axis=1, initial=0.0)[:, None]
        owners = np.repeat(np.arange(len(complex)), np.diff(sides.first))
        slacks = (forms[:, :-1] * middle[owners]).sum(axis=1) + forms[:, -1]
        normals = np.linalg.solve(chart, forms[:, :-1].T).T  # of y = u @ chart, which has the lengths of input space
        lengths = np.sqrt(np.square(normals).sum(axis=1))
        spaces = HalfSpaces(sides.first, normals / lengths[:, None], slacks / lengths)
        radii, shifts = largest_balls(spaces, have_no_largest(complex), owners)
        return Balls(radii, middle + np.linalg.solve(chart.T, shifts.T).T)


def have_no_largest(complex: Complex) -> Bools:
    """The cells in which balls of every size lie, bool (cells,): those that are unbounded in d independent ways."""
    found, d = ~bounded_cells(complex), complex.dimension
    if not found.any():
        return found
    # Sums of squares of the directions: all of d eigenvalues are positive if they span the space.
    rays = np.where(complex.at_infinity[:, None], complex.corners, 0.0) @ lengths_of(complex)
    rays /= np.maximum(np.sqrt(np.square(rays).sum(axis=1)), np.finfo(float).tiny)[:, None]
    lines = complex.lineality @ lengths_of(complex)
    cells = np.flatnonzero(found)
    for cell in cells.tolist():
        own = rays[complex.first[cell] : complex.first[cell + 1]]
        found[cell] = np.linalg.matrix_rank(np.vstack([own, lines]), tol=FLAT) == d
    return found


def largest_balls(spaces: HalfSpaces, without: Bools, owners: Ints) -> tuple[Floats, Floats]:
    """The radii and centres, in coordinates with the lengths of input space, from the point of the slacks on.

    without : cells that have no largest ball. owners : the cell of each side.
    """
    cells, d = len(without), spaces.normals.shape[1]
    held = np.isfinite(spaces.slacks) & np.isfinite(spaces.normals).all(axis=1)
    left = np.flatnonzero(~without & (np.bincount(owners[~held], minlength=cells) == 0))
    # In units of the distance from the point to the nearest side; of the sides if it is lost to rounding.
    least = extreme(np.minimum, owners, spaces.slacks, np.full(cells, np.inf))
    most = extreme(np.maximum, owners, spaces.slacks, np.zeros(cells))
    units = np.where(least > 0, least, np.where(most > 0, most, 1.0))
    shifts = np.full((cells, d), np.nan)
    part = np.cumsum(np.diff(spaces.first)[left]) // SIDES_AT_ONCE
    for some in np.split(left, np.flatnonzero(np.diff(part)) + 1):
        shifts[some] = solved(spaces, some, units) * units[some][:, None]
    endless = without | np.isinf(shifts).any(axis=1)
    distances = spaces.slacks + (spaces.normals * shifts[owners]).sum(axis=1)
    radii = extreme(np.minimum, owners, distances, np.full(cells, np.inf))
    # No worse than the point that it began with.
    stay = radii < np.maximum(least, 0.0)
    shifts[stay], radii[stay] = 0.0, np.maximum(least, 0.0)[stay]
    radii[endless], shifts[endless] = np.inf, np.nan
    return radii, shifts


def extreme(function: np.ufunc, owners: Ints, values: Floats, start: Floats) -> Floats:
    """The smallest or largest value of each owner; a value that is not a number stays."""
    function.at(start, owners, values)
    return start


def solved(spaces: HalfSpaces, cells: Ints, units: Floats) -> Floats:
    """The centres of some cells in their units, float64 (c, d), by one linear program; if that is not solved, by one a
    cell. Infinite where there is no largest ball, not a number where the solver gives up."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    from creases.engine.answers.sides import spans

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
        b_ub=spaces.slacks[rows] / units[cells][owners],
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
