"""The pieces into which the cells of a plane divide a circle.

The cells are those that meet the open disc. For a cell C let f be the squared distance from the center minus the
squared radius. C is convex, and so is its intersection with the disc. The boundary of the intersection alternates
between arcs of the circle inside C and parts of the boundary of C. So the circle has one arc inside C for each part of
the boundary of C on which f is not negative, if f is positive somewhere on it. A circle that only touches a wall, or
passes through a corner and returns to the same cell, is not divided there.

An arc ends on a side of C where f changes its sign, or in a corner where f is zero. f is convex along a side: between
two corners at which it is not negative, it either becomes negative or not. The sign of f at a corner, and whether it
becomes negative along a side, are proved in floats, with the bound of `balls.Hulls`, or decided in rationals.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.balls import ball_of, hulls_of, is_beyond, lengths_of, steps_from
from creases.complex.births import layers_of_walls
from creases.complex.nearest import Metric, Point, plain
from creases.errors import ComputationError

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Pieces", "pieces_of_circle"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Signs = NDArray[np.int8]

# Signs of f; UNKNOWN if floats do not decide.
NEGATIVE, POSITIVE, UNKNOWN = -1, 1, 2


class Pieces(NamedTuple):
    """The pieces of a circle.

    by_layer : for each layer, the number of pieces by the regions of the layers up to it. pieces : the number by all
        layers.
    distinct : the number of different cells that the circle meets. exact : the number of signs that were decided in
        rationals.
    """

    by_layer: tuple[int, ...]
    pieces: int
    distinct: int
    exact: int


class Around(NamedTuple):
    """The sides of polygons, each from a corner to the next, one after the other.

    owners : int64, the cell of each side. before, after : int64, the previous and the next side. vertices : int64, the
        vertex at which it begins. facets : int64, the facet that it is. walls : int64.
    """

    owners: Ints
    before: Ints
    after: Ints
    vertices: Ints
    facets: Ints
    walls: Ints


def pieces_of_circle(complex: Complex) -> Pieces:
    """The pieces of the circle around the disc of a complex, whose domain is a Ball of two dimensions."""
    around, signs = around_cells(complex), CircleSigns(complex)
    at = signs.at_vertices()
    near = at[around.vertices]
    ends = (near >= 0) & (near[around.after] >= 0)
    dips = signs.dips(np.unique(around.facets[ends & (around.walls >= 0)]), at)
    linked = ends & ~dips[around.facets]
    # A part of the boundary on which f is zero, in a single corner, is not an arc.
    going = (near > 0) | ((near == 0) & (linked | linked[around.before]))
    last = np.flatnonzero(going & ~linked)
    first = np.flatnonzero(going & ~linked[around.before])
    whole = np.setdiff1d(around.owners[near > 0], around.owners[last])
    layers = layers_of_ends(complex, around, near, first, last)
    depth = complex.network.depth
    total = len(last) + len(whole)
    breaks = np.bincount(layers, minlength=depth + 1).cumsum()
    if breaks[-1] != 2 * len(last) or (len(last) and len(whole)) or len(whole) > 1 or not total:
        raise ComputationError("The pieces of a circle do not follow one another: these are not the cells of a plane.")
    distinct = len(np.unique(around.owners[last])) + len(whole)
    return Pieces(tuple(np.maximum(breaks[1:] // 2, 1).tolist()), total, distinct, signs.exact)


def around_cells(complex: Complex) -> Around:
    """The sides of the cells of a bounded complex in the plane."""
    first, count = complex.first, len(complex.corners)
    after = np.arange(1, count + 1)
    after[first[1:] - 1] = first[:-1]
    before = np.empty(count, np.int64)
    before[after] = np.arange(count)
    owners = np.repeat(np.arange(len(complex)), np.diff(first))
    return Around(owners, before, after, complex.vertex_numbers, complex.side_facets, complex.edges)


def layers_of_ends(complex: Complex, around: Around, near: Signs, first: Ints, last: Ints) -> Ints:
    """For each end of an arc, the first layer that separates it from the next arc, int64, two ends per break.

    first, last : the corners at which parts of boundaries begin and end. On a side it is the layer of its wall; in a
        corner, the first layer in which the patterns of the two cells whose arcs end there differ.
    """
    sides = np.concatenate([around.before[first[near[first] > 0]], last[near[last] > 0]])
    layers = layers_of_walls(complex.network, around.walls[sides])
    corners = np.concatenate([first[near[first] == 0], last[near[last] == 0]])
    order = corners[np.argsort(around.vertices[corners], kind="stable")]
    if len(order) % 2 or (around.vertices[order[::2]] != around.vertices[order[1::2]]).any():
        raise ComputationError("An arc of a circle ends in a corner, and no other goes on from there.")
    if not len(order):  # a network without kinks has no bits either
        return layers
    cells = around.owners[order]
    differ = complex.patterns[cells[::2]] ^ complex.patterns[cells[1::2]]
    bits = np.unpackbits(differ, axis=1, bitorder="little").argmax(axis=1)
    return np.concatenate([layers, np.repeat(layers_of_walls(complex.network, bits), 2)])


class CircleSigns:
    """The signs of f at vertices and along facets. exact : the number of signs that floats did not decide."""

    def __init__(self, complex: Complex) -> None:
        from creases.complex.exact_geometry import ExactGeometry

        self._complex, self._geometry = complex, ExactGeometry(complex)
        ball = ball_of(complex)
        hulls = hulls_of(ball, complex.vertices, np.arange(len(complex.vertices) + 1))
        self._places, self._slack = hulls.points, hulls.slack
        self._center = [Fraction(value) for value in ball.center.tolist()]
        self._metric, self._square = Metric(ball.gram), Fraction(ball.radius) ** 2
        self.exact = 0

    def at_vertices(self) -> Signs:
        """The sign of f at each vertex, int8 (vertices,)."""
        signs = np.full(len(self._places), UNKNOWN, np.int8)
        with np.errstate(all="ignore"):  # what is no number proves nothing
            lengths = lengths_of(self._places)
            signs[lengths > 1.0 + self._slack] = POSITIVE
            signs[lengths < 1.0 - self._slack] = NEGATIVE
        for vertex in np.flatnonzero(signs == UNKNOWN).tolist():
            self.exact += 1
            step = self._step(vertex)
            value = plain(step, self._metric.lowered(step)) - self._square
            signs[vertex] = (value > 0) - (value < 0)
        return signs

    def dips(self, facets: Ints, at: Signs) -> Bools:
        """Whether f is negative somewhere along each facet, bool (all facets,); False for facets other than these.

        facets : int64, those with two ends at which f is not negative. at : int8 (vertices,), the sign of f.
        """
        dipping = np.zeros(len(self._complex.facets), np.bool_)
        ends = self._complex.facets.vertices.reshape(-1, 2)[facets]
        one, other = (self._places[ends[:, i]] for i in (0, 1))
        steps = other - one
        with np.errstate(all="ignore"):
            share = -np.einsum("ij,ij->i", one, steps) / np.einsum("ij,ij->i", steps, steps)
            nearest = one + np.clip(np.nan_to_num(share), 0.0, 1.0)[:, None] * steps
            lengths = lengths_of(nearest)
            least = np.minimum(np.einsum("ij,ij->i", one, nearest), np.einsum("ij,ij->i", other, nearest))
            below, beyond = lengths + self._slack < 1.0, is_beyond(least, lengths, self._slack)
        dipping[facets[below]] = True
        for i in np.flatnonzero(~below & ~beyond).tolist():
            self.exact += 1
            dipping[facets[i]] = self._dips_exactly(*ends[i].tolist())
        return dipping

    def _dips_exactly(self, one: int, other: int) -> bool:
        start, end = self._step(one), self._step(other)
        step = [b - a for a, b in zip(start, end, strict=True)]
        lowered = self._metric.lowered(step)
        slope, square = plain(start, lowered), plain(step, lowered)
        if slope >= 0 or slope + square <= 0:  # the minimum of f is at an end
            return False
        value = plain(start, self._metric.lowered(start)) - self._square
        return value * square < slope * slope

    def _step(self, vertex: int) -> Point:
        """The step from the center to a vertex."""
        return steps_from(self._center, self._geometry.vertex(vertex))
