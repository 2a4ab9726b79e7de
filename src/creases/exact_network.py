"""A network on a domain in integers: the forms of a pattern, and the patterns and values of points, from the weights.

Float weights are fractions whose denominators are powers of two. With one common denominator per level
(`exact_levels`), every pre-activation is an integer divided by a positive number, and has the integer's sign.

Points and forms are in homogeneous coordinates (u, w) of the domain, k = d + 1 integers: w > 0 is the point u / w, w =
0 a direction.

A point is given here as rays (p, e, f): the point p + t e + t^2 f for an arbitrarily small t > 0. The sign of a form
there is that of its first nonzero value. With k independent rays, only forms that are identically zero vanish at such a
point, so it lies in the open region of its pattern, exactly, and "just across this edge" needs no distance.

This is deliberately a second implementation of the arithmetic, independent of the one that counts and cuts
(`engine.proof`). It is used by checks and audits, and for questions about finished cells that were not decided during
the cut.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.domain import Ball, Box, Directions, Domain, Polyline, Polytope, Simplex
from creases.domain.polytope import corners_of_box, in_order
from creases.exact_levels import Bits, ExactLevel, ExactRows, Row, over_one_denominator
from creases.network import Network

__all__ = ["ExactNetwork", "ExactValues", "Form", "Point", "cross", "packed", "primitive", "unpacked", "walls_of"]

Form = tuple[Any, ...]  # k integers: an affine form or a ray
Point = tuple[Form, ...]  # up to k rays, see above

# The number of cached pairs (level, pattern below it): adjacent cells share most of theirs.
REMEMBERED = 512


class ExactValues(NamedTuple):
    """The values of a network at points, with one column per ray.

    sums : the number and the sums of every level with neurons or switches. outputs : the values of the last level.
    """

    sums: list[tuple[int, ExactRows]]
    outputs: ExactRows


def cross(f: Form, g: Form) -> Form:
    """The ray at which two forms of three coordinates both vanish."""
    return (f[1] * g[2] - f[2] * g[1], f[2] * g[0] - f[0] * g[2], f[0] * g[1] - f[1] * g[0])


def primitive(form: Form) -> Form:
    """The form divided by the common factor of its integers; zero stays zero."""
    divisor = fmpz(0)
    for value in form:
        divisor = divisor.gcd(fmpz(value))
    return form if divisor <= 1 else tuple(value // divisor for value in form)


def packed(bits: Bits) -> bytes:
    """A pattern as a row of `Complex.patterns`: bit i is bit i % 8 of byte i // 8."""
    return np.packbits(np.frombuffer(bits, np.uint8), bitorder="little").tobytes()


def unpacked(row: NDArray[np.uint8], neurons: int) -> Bits:
    """The pattern in a row of `Complex.patterns`."""
    return np.unpackbits(row, bitorder="little", count=neurons).tobytes()


class ExactNetwork:
    """The neurons and switches of a network on a domain, exactly.

    sizes : for each layer, the number of bits of each of its neurons or switches.
    starts : the number of the first bit of each layer, and the total number of bits.
    walls : the inward forms of a bounded domain's own walls, in the order of their ids -2, -3, ...
    On directions, biases count as zero, and the last entry of each form is zero.
    """

    def __init__(self, network: Network, domain: Domain) -> None:
        sliced = domain.slice
        self.dimension = sliced.dimension
        self.walls = walls_of(domain)
        k = self.dimension + 1
        (origin, head, tail), scale = over_one_denominator(sliced.origin, sliced.basis, sliced.basis_tail)
        n = sliced.n_in
        columns = [[head[i * n + j] + tail[i * n + j] for j in range(n)] for i in range(self.dimension)]
        frame = [tuple(fmpz(column[j]) for column in (*columns, origin)) for j in range(n)]
        self._inputs = ExactRows(list[Row](frame), scale)
        # On directions, only linear parts count.
        constant = -1 if isinstance(domain, Directions) else k - 1
        self._one: Row = tuple(fmpz(int(i == constant)) for i in range(k))
        self._levels = [ExactLevel(level) for level in network.levels]
        self.sizes = [level.bend.sizes for level in self._levels if level.bend.sizes]
        # The number of the first bit of every level, and the total number of bits.
        self._firsts = [0, *accumulate(sum(level.bend.sizes) for level in self._levels)]
        self.starts = [0, *accumulate(map(sum, self.sizes))]
        self._remembered: OrderedDict[tuple[int, Bits], ExactRows] = OrderedDict()

    @property
    def bits(self) -> int:
        """The number of bits of a pattern."""
        return self.starts[-1]

    def sums(self, bits: Bits) -> Iterator[tuple[int, ExactRows]]:
        """The number of every level with neurons or switches, and the forms of its sums on the pattern `bits`."""
        known = {0: self._inputs}
        for number, level in enumerate(self._levels, 1):
            rows = self._sums(number, bits, known)
            if level.bend.sizes:
                yield number, rows

    def outputs(self, bits: Bits) -> ExactRows:
        """The network's outputs on the pattern `bits`, as forms."""
        known = {0: self._inputs}
        last = len(self._levels)
        for number in range(1, last + 1):
            self._sums(number, bits, known)
        return self._values(last, bits, known)

    def _sums(self, number: int, bits: Bits, known: dict[int, ExactRows]) -> ExactRows:
        """The forms of a level's sums. known : the values of the levels below, which are computed when needed."""
        key = (number, bits[: self._firsts[number - 1]])
        rows = self._remembered.get(key)
        if rows is not None:
            self._remembered.move_to_end(key)
            return rows
        level = self._levels[number - 1]
        rows = level.sums([self._values(source, bits, known) for source in level.sources], self._one)
        self._remembered[key] = rows
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return rows

    def _values(self, number: int, bits: Bits, known: dict[int, ExactRows]) -> ExactRows:
        """The forms of a level's values."""
        if number not in known:
            below = self._sums(number, bits, known)
            bend = self._levels[number - 1].bend
            known[number] = bend.values(below, self._one, self.part(bits, number))
        return known[number]

    def part(self, bits: Bits, number: int) -> Bits:
        """The bits of one level."""
        return bits[self._firsts[number - 1] : self._firsts[number]]

    def first_bit(self, number: int) -> int:
        """The number of the first bit of a level."""
        return self._firsts[number - 1]

    def bounds(self, bits: Bits) -> list[tuple[int, Form]] | None:
        """The forms that may bound the region of a pattern, with the ids of their neurons and pairs of candidates; they
        are positive inside.

        None if no open set has the pattern.
        """
        forms: list[tuple[int, Form]] = []
        for number, rows in self.sums(bits):
            mine, first = self.part(bits, number), self._firsts[number - 1]
            walls = self._levels[number - 1].bend.walls(rows, self._one, mine)
            if walls is None:
                return None
            for one, other, form, may_vanish in walls:
                if any(form):
                    forms.append((self.bits * (1 + other - one) * (one != other) + first + one, tuple(form)))
                elif not may_vanish:
                    return None
        return forms

    def first_forms(self) -> list[Form]:
        """The forms of the first layer's neurons, or the differences between consecutive candidates of a switch."""
        number, rows = next(self.sums(bytes(self.bits)), (0, ExactRows([], 1)))
        if not number:
            return []
        bend = self._levels[number - 1].bend
        bits = bend.bits(rows, self._one)
        return [tuple(wall.form) for wall in bend.walls(rows, self._one, bits) or ()]

    def patterns(self, points: Sequence[Point]) -> list[Bits]:
        """The pattern of the open region in which each point lies, by evaluating the network there.

        points : each has one or more rays, the first with w > 0; the rays must be so many that only zero forms vanish
            there.
        """
        return self.at(points)[0] if points else []

    def at(self, points: Sequence[Point]) -> tuple[list[Bits], ExactValues]:
        """The patterns of at least one point, and the values of the network at the rays of all points."""
        k, rays = self.dimension + 1, [ray for point in points for ray in point]
        ends = list(accumulate(map(len, points)))
        spans = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        columns = fmpz_mat(k, len(rays), [ray[c] for c in range(k) for ray in rays])
        one = tuple(ray[-1] for ray in rays)
        inputs: list[Row] = [*(fmpz_mat([list(row) for row in self._inputs.rows]) * columns).table()]
        known, patterns = [ExactRows(inputs, self._inputs.denominator)], [bytearray() for _ in points]
        kept = []
        for number, level in enumerate(self._levels, 1):
            sums = level.sums([known[source] for source in level.sources], one)
            if level.bend.sizes:
                kept.append((number, sums))
            parts = []
            for bits, span in zip(patterns, spans, strict=True):
                mine = ExactRows([row[span] for row in sums.rows], sums.denominator)
                state = level.bend.bits(mine, one[span])
                bits += state
                parts.append(level.bend.values(mine, one[span], state))
            rows = [list(chain.from_iterable(row)) for row in zip(*(part.rows for part in parts), strict=True)]
            known.append(ExactRows(list[Row](rows), parts[0].denominator))
        return [bytes(bits) for bits in patterns], ExactValues(kept, known[-1])


def walls_of(domain: Domain) -> list[Form]:
    """The inward forms of a domain's walls in the order of their ids; empty if it is unbounded, or a path.

    In one or two dimensions this is the order of its corners; for a box of higher dimension, the lower and the upper
    wall of each coordinate. For a ball they are the walls of the polytope around it.
    """
    if isinstance(domain, (Simplex, Polytope, Ball)):  # their corners may not be floats
        corners_of = in_order(domain.corners) if domain.dimension < 3 else domain.corners
        return [tuple(map(fmpz, wall)) for wall in corners_of.walls]
    if isinstance(domain, Box) and domain.dimension > 2:
        free = domain.lower < domain.upper
        return [tuple(map(fmpz, wall)) for wall in corners_of_box(domain.lower[free], domain.upper[free]).walls]
    vertices = None if isinstance(domain, (Polyline, Directions)) else domain.vertices
    if vertices is None:
        return []
    (flat,), w = over_one_denominator(vertices)
    d = vertices.shape[1]
    corners = [(*(fmpz(value) for value in flat[i : i + d]), fmpz(w)) for i in range(0, len(flat), d)]
    if d == 1:
        (low, _), (high, _) = corners
        return [(fmpz(w), -low), (fmpz(-w), high)]
    return [primitive(cross(p, q)) for p, q in zip(corners, [*corners[1:], corners[0]], strict=True)]
