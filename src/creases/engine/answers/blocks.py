"""The loop's output as blocks of cells: corners in the domain's coordinates, each within a fixed bound.

The loop gives a corner in its cell's chart, with a bound on its error (`bounds.meeting_point`, `interval.zero_of`).
Here it is converted to the domain's coordinates. If its error may then exceed `SHARP`, it is computed again: in
double-double (`sharp`), and if that is not precise enough, in rationals.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.sharp import DENORMAL, SHARP, Sharpener, lost_in
from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNIT
from creases.engine.proof.edges import RationalEdges
from creases.engine.proof.rational import cross, nearest_float
from creases.engine.starts.chart import Start
from creases.engine.state.output import take_cells
from creases.engine.state.pattern import bits_of_words
from creases.engine.state.work import (
    Work,
)

__all__ = ["Block", "CornerKeeper", "place_corners"]


# The largest power of two: a corner beyond it is rounded to the nearest float only from rationals.
LARGEST_POWER = 2.0**1023


class Block(NamedTuple):
    """Cells in order; the fields are those of `cell_table.CellTable`, but patterns are int64 (cells, words)."""

    first: Ints
    corners: Floats
    at_infinity: NDArray[np.bool_]
    edges: Ints
    patterns: Ints


class CornerKeeper:
    """Makes blocks of the cells that the loop writes on one starting cell. Each thread has its own."""

    def __init__(self, problem: Problem, start: Start) -> None:
        self._problem, self._chart = problem, start.chart
        self._size = problem.size
        self._exact: RationalEdges | None = None
        self._sharpener: Sharpener | None = None

    def take(self, work: Work) -> Block:
        """The cells that the loop has written since the last call; its output is empty afterwards."""
        cells = take_cells(work)
        count = len(cells.edges)
        block = Block(
            cells.first, np.empty((count, cells.corners.shape[1] - 1)), cells.at_infinity, cells.edges, cells.patterns
        )
        blurred = np.empty((count, 2), np.int64)
        left = place_corners(
            cells.corners, self._chart, self._size, block.first, block.at_infinity, block.corners, blurred
        )
        if left:
            self.sharpen(block, blurred[:left])
        return block

    def sharpen(self, block: Block, blurred: Ints) -> None:
        """Compute the corners again that are not precise enough; `blurred` has (corner, cell) of each."""
        if self._exact is None:
            self._exact = RationalEdges.of(self._problem)
            self._sharpener = Sharpener(self._problem, self._exact) if self._problem.graph.is_chain else None
        if self._sharpener is not None:
            blurred = self._sharpener.sharpen(blurred, self._size, *block)
        for corner, cell in blurred.tolist():
            block.corners[corner] = rational_corner(block, corner, cell, self._exact)


@kernel
def place_corners(
    written_ve: Floats,
    chart: Floats,
    size: float,
    first: Ints,
    at_infinity: NDArray[np.bool_],
    corners_vd: Floats,
    blurred: Ints,
) -> int:
    """Write corners in the domain's coordinates.

    written_ve : float64 (corners, d + 1), coordinates in the chart and their error. size : the largest coordinate of a
        bounded domain, by which errors are measured; 0 for a whole space.
    blurred : int64 (corners, 2), output: corner and cell where the error may be larger than `SHARP`. Returns their
        number.
    """
    left = 0
    for cell in range(first.shape[0] - 1):
        for v in range(first[cell], first[cell + 1]):
            if size > 0.0:
                known = place_scaled(written_ve, chart, size, corners_vd, v)
            elif at_infinity[v]:
                known = place_direction(written_ve, chart, corners_vd, v)
            else:
                known = place_in_cone(written_ve, chart, corners_vd, v)
            if not known:
                blurred[left, 0], blurred[left, 1] = v, cell
                left += 1
    return left


@inlined
def place_scaled(written_ve: Floats, chart: Floats, size: float, corners_vd: Floats, v: int) -> bool:
    """Write a corner of a bounded domain, in whose chart coordinate c is scale x + middle, the scale a power of two
    and the middle mostly zero. Returns whether it is precise enough.

    fl(scale x) = scale x, or off by at most 2^-1075 if it underflows; a sum with a middle is off by u |sum| more. So
    the error is at most scale e + u |sum| + 2^-1075. Where a coordinate's scale is less than the domain's size, e is
    measured by the scale.
    """
    d = corners_vd.shape[1]
    error = written_ve[v, d]
    known = error * ROUND_UP <= SHARP
    for c in range(d):
        scale, middle = chart[c, c], chart[c, d]
        corners_vd[v, c] = scale * written_ve[v, c] + middle
        rounded = UNIT * abs(corners_vd[v, c]) if middle != 0.0 else 0.0
        known = known and (scale * error + rounded + DENORMAL) * ROUND_UP <= SHARP * size
        known = known and abs(corners_vd[v, c]) <= LARGEST_POWER
    return known


@inlined
def corner_in_chart(written_ve: Floats, v: int, chart: Floats, row: int) -> tuple[float, float]:
    """One homogeneous coordinate of a corner in the domain, and a bound on its error.

    The coordinate is sum chart_i x_i + chart_d. Its d + 1 terms, added in any order, lose gamma(d + 1) of the sum
    of absolute values, of which (d + 2) u is an upper bound; the corner's error e moves it by e sum |chart_i| at most.
    Exact zeros remain exact: the bound for underflow is added only if there is a product.
    """
    d = chart.shape[1] - 1
    value, error = chart[row, d], written_ve[v, d]
    moved, sizes, lost = 0.0, abs(value), 0.0
    for i in range(d):
        term = chart[row, i] * written_ve[v, i]
        value += term
        sizes += abs(term)
        moved += abs(chart[row, i])
        if chart[row, i] != 0.0 and (written_ve[v, i] != 0.0 or error != 0.0):
            lost = DENORMAL
    return value, (moved * error + (d + 2.0) * UNIT * sizes + lost) * ROUND_UP


@inlined
def place_in_cone(written_ve: Floats, chart: Floats, corners_vd: Floats, v: int) -> bool:
    """Write a finite corner of a whole space, given in a cone's chart. Returns whether it is precise enough.

    For u = U / W, with the errors of U and W bounded by a and b, true values starred and W* >= W - b > 0:
    |u - u*| = |u (W* - W) - (U* - U)| / W* <= (|u| b + a) / (W - b). The quotient's rounding adds u |u|; a bound for
    underflow is added if there is a value, because `SHARP * most` may underflow too.
    """
    w, w_error = corner_in_chart(written_ve, v, chart, corners_vd.shape[1])
    below = w - w_error * ROUND_UP
    if not below > 0.0:
        return False
    most = worst = 0.0
    for c in range(corners_vd.shape[1]):
        value, error = corner_in_chart(written_ve, v, chart, c)
        u = value / w
        corners_vd[v, c] = u
        most = max(most, abs(u))
        # A sum, not a maximum, which might ignore a NaN.
        worst += (abs(u) * w_error + error) / below + 2.0 * UNIT * abs(u)
        worst += lost_in(value, error)
    return most <= LARGEST_POWER and worst * ROUND_UP <= SHARP * most


@inlined
def place_direction(written_ve: Floats, chart: Floats, corners_vd: Floats, v: int) -> bool:
    """Write a corner at infinity as a direction of length one. Returns whether it is precise enough.

    Two directions U and U* with |U - U*| <= a have |U / |U| - U* / |U*|| <= 2 a / |U|, lengths being Euclidean. The
    vector is divided by its largest coordinate before it is squared; at most d + 3 roundings follow.
    """
    d = corners_vd.shape[1]
    longest = total = off = 0.0
    for c in range(d):
        corners_vd[v, c], error = corner_in_chart(written_ve, v, chart, c)
        longest = max(longest, abs(corners_vd[v, c]))
        off += error
    if not (2.0 * off + (d + 6.0) * UNIT * longest) * ROUND_UP < SHARP * longest:
        return False
    for c in range(d):
        corners_vd[v, c] /= longest
        total += corners_vd[v, c] * corners_vd[v, c]
    length = np.sqrt(total)
    for c in range(d):
        corners_vd[v, c] /= length
    return longest <= LARGEST_POWER


def rational_corner(block: Block, corner: int, cell: int, exact: RationalEdges) -> Floats:
    """The floats nearest to a corner of a cell, or to its direction, in the domain's coordinates."""
    bits = bits_of_words(block.patterns[cell])
    pattern = exact.pattern(bits)
    begin, end = int(block.first[cell]), int(block.first[cell + 1])
    before = corner - 1 if corner > begin else end - 1
    f, g = (exact.edge(int(block.edges[i]), pattern) for i in (before, corner))
    if len(g) == 2:
        if block.at_infinity[corner]:  # the interval's other end is a zero, and its form increases in this direction
            return np.array([1.0 if f[0] > 0 else -1.0])
        return np.array([nearest_float(Fraction(-int(g[1]), int(g[0])))])
    *u, w = cross(f, g)
    if not block.at_infinity[corner]:
        return np.array([nearest_float(Fraction(int(value), int(w))) for value in u])
    longest = max(abs(int(value)) for value in u)
    direction = np.array([int(value) / longest for value in u])
    return np.asarray(direction / np.linalg.norm(direction))
