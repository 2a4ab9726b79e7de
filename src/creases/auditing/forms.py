"""The network on a domain in whole numbers: forms of a pattern, and patterns of points, straight from the weights.

Float weights are fractions whose denominators are powers of two. With one common denominator a level (`levels`), every
pre-activation is an integer over a positive number, and the integer has its sign.
Points and forms are in homogeneous coordinates (u, w) of the domain, k = d + 1 integers: w > 0 is the point
u / w, w = 0 a direction.

A point is given here as rays (p, e, f): the point p + t e + t^2 f for a t > 0 smaller than anything else. The sign
of a form there is that of its first value that is not zero. With k independent rays no form but zero vanishes at
such a point; so it lies in the open region of its pattern, exactly, and "just across this edge" needs no distance.

This is a second arithmetic on purpose. It imports nothing that counts, and shares no line with what does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.auditing.levels import Bits, ExactLevel, Row, Rows, over_one_denominator
from creases.domain import Domain, Polyline, Polytope, Simplex
from creases.domain.polytope import in_order
from creases.network import Network

__all__ = ["Bits", "ExactNetwork", "Form", "Point", "cross", "dot", "packed", "primitive", "unpacked"]

Form = tuple[Any, ...]  # k integers: an affine form, or a ray
Point = tuple[Form, ...]  # up to k rays, see above

# How many (level, pattern below it) are remembered: neighbours share most of theirs.
REMEMBERED = 512


def dot(form: Form, ray: Form) -> Any:
    """The form's value at a ray."""
    if len(form) == 3:  # written out: most of the time of an audit is spent here
        return form[0] * ray[0] + form[1] * ray[1] + form[2] * ray[2]
    return form[0] * ray[0] + form[1] * ray[1]


def cross(f: Form, g: Form) -> Form:
    """Where two forms of three coordinates vanish both."""
    return (f[1] * g[2] - f[2] * g[1], f[2] * g[0] - f[0] * g[2], f[0] * g[1] - f[1] * g[0])


def primitive(form: Form) -> Form:
    """The form without the common factor of its integers; zero stays zero."""
    divisor = fmpz(0)
    for value in form:
        divisor = divisor.gcd(fmpz(value))
    return form if divisor <= 1 else tuple(value // divisor for value in form)


def packed(bits: Bits) -> bytes:
    """A pattern as a row of `Complex.patterns`: bit i is bit i % 8 of byte i // 8."""
    return np.packbits(np.frombuffer(bits, np.uint8), bitorder="little").tobytes()


def unpacked(row: NDArray[np.uint8], neurons: int) -> Bits:
    """The pattern of a row of `Complex.patterns`."""
    return np.unpackbits(row, bitorder="little", count=neurons).tobytes()


class ExactNetwork:
    """The neurons and switches of a network on a domain of one or two dimensions, exactly.

    sizes : for each layer how many bits each of its neurons or switches has.
    starts : the number of the first bit of each layer, and of one beyond.
    walls : the inward forms of a bounded domain's own edges, in the order of their ids -2, -3, ...; d = 1: its ends.
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
        self._inputs = Rows(list[Row](frame), scale)
        self._one: Row = tuple(fmpz(int(i == k - 1)) for i in range(k))
        self._levels = [ExactLevel(level) for level in network.levels]
        self.sizes = [level.bend.sizes for level in self._levels if level.bend.sizes]
        # Of every level the number of its first bit, and of one beyond.
        self._firsts = [0, *accumulate(sum(level.bend.sizes) for level in self._levels)]
        self.starts = [0, *accumulate(map(sum, self.sizes))]
        self._remembered: OrderedDict[tuple[int, Bits], Rows] = OrderedDict()

    @property
    def bits(self) -> int:
        """How many bits a pattern has."""
        return self.starts[-1]

    def sums(self, bits: Bits) -> Iterator[tuple[int, Rows]]:
        """For every level with neurons or switches its number, and the forms of its sums on the pattern `bits`."""
        known = {0: self._inputs}
        found: dict[int, Rows] = {}

        def values(number: int) -> Rows:
            if number not in known:
                level, below = self._levels[number - 1], found[number]
                known[number] = level.bend.values(below, self._one, self.part(bits, number))
            return known[number]

        for number, level in enumerate(self._levels, 1):
            key = (number, bits[: self._firsts[number - 1]])
            rows = self._remembered.get(key)
            if rows is None:
                rows = level.sums([values(source) for source in level.sources], self._one)
                self._remembered[key] = rows
                if len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)
            else:
                self._remembered.move_to_end(key)
            found[number] = rows
            if level.bend.sizes:
                yield number, rows

    def part(self, bits: Bits, number: int) -> Bits:
        """The bits of one level."""
        return bits[self._firsts[number - 1] : self._firsts[number]]

    def bounds(self, bits: Bits) -> list[tuple[int, Form]] | None:
        """What may bound the region of a pattern: the ids of neurons and of pairs of candidates, and inward forms.

        None if no open set has the pattern.
        """
        found: list[tuple[int, Form]] = []
        for number, rows in self.sums(bits):
            mine, first = self.part(bits, number), self._firsts[number - 1]
            walls = self._levels[number - 1].bend.walls(rows, self._one, mine)
            if walls is None:
                return None
            for one, other, form, may_vanish in walls:
                if any(form):
                    found.append((self.bits * (1 + other - one) * (one != other) + first + one, tuple(form)))
                elif not may_vanish:
                    return None
        return found

    def first_forms(self) -> list[Form]:
        """The forms of the first layer's neurons, or what candidates of a switch next to one another differ by."""
        number, rows = next(self.sums(bytes(self.bits)), (0, Rows([], 1)))
        if not number:
            return []
        bend = self._levels[number - 1].bend
        bits = bend.bits(rows, self._one)
        return [tuple(wall.form) for wall in bend.walls(rows, self._one, bits) or ()]

    def patterns(self, points: Sequence[Point]) -> list[Bits]:
        """The pattern of the open region in which each point lies, by evaluating the network there.

        points : each of one or more rays, the first with w > 0; so many that no form but zero vanishes there.
        """
        if not points:
            return []
        k, rays = self.dimension + 1, [ray for point in points for ray in point]
        ends = list(accumulate(map(len, points)))
        spans = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        columns = fmpz_mat(k, len(rays), [ray[c] for c in range(k) for ray in rays])
        one = tuple(ray[-1] for ray in rays)
        inputs: list[Row] = [*(fmpz_mat([list(row) for row in self._inputs.rows]) * columns).table()]
        known, found = [Rows(inputs, self._inputs.denominator)], [bytearray() for _ in points]
        for level in self._levels:
            sums = level.sums([known[source] for source in level.sources], one)
            parts = []
            for bits, span in zip(found, spans, strict=True):
                mine = Rows([row[span] for row in sums.rows], sums.denominator)
                state = level.bend.bits(mine, one[span])
                bits += state
                parts.append(level.bend.values(mine, one[span], state))
            rows = [list(chain.from_iterable(row)) for row in zip(*(part.rows for part in parts), strict=True)]
            known.append(Rows(list[Row](rows), parts[0].denominator))
        return [bytes(bits) for bits in found]


def walls_of(domain: Domain) -> list[Form]:
    """The inward forms of a domain's edges in the order of its corners; none if it is unbounded, or a path."""
    if isinstance(domain, (Simplex, Polytope)):  # whose corners floats need not hold
        return [tuple(map(fmpz, wall)) for wall in in_order(domain.corners).walls]
    vertices = None if isinstance(domain, Polyline) else domain.vertices
    if vertices is None:
        return []
    (flat,), w = over_one_denominator(vertices)
    d = vertices.shape[1]
    corners = [(*(fmpz(value) for value in flat[i : i + d]), fmpz(w)) for i in range(0, len(flat), d)]
    if d == 1:
        (low, _), (high, _) = corners
        return [(fmpz(w), -low), (fmpz(-w), high)]
    return [primitive(cross(p, q)) for p, q in zip(corners, [*corners[1:], corners[0]], strict=True)]
