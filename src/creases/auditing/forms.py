"""The network on a domain in whole numbers: forms of a pattern, and patterns of points, straight from the weights.

Float weights are fractions whose denominators are powers of two. With one common denominator a layer, every
pre-activation is an integer over a positive number, and only the integer is kept: it has the same sign.
Points and forms are in homogeneous coordinates (u, w) of the domain, k = d + 1 integers: w > 0 is the point
u / w, w = 0 a direction.

A point is given here as rays (p, e, f): the point p + t e + t^2 f for a t > 0 smaller than anything else. The sign
of a form there is that of its first value that is not zero. With k independent rays no form but zero vanishes at
such a point; so it lies in the open region of its pattern, exactly, and "just across this edge" needs no distance.

This is a second arithmetic on purpose. It imports nothing that counts, and shares no line with what does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.domain import Domain, Polyline, Polytope, Simplex
from creases.domain.polytope import in_order
from creases.network import Network

__all__ = ["Bits", "ExactNetwork", "Form", "Point", "cross", "dot", "packed", "primitive", "unpacked"]

Form = tuple[Any, ...]  # k integers: an affine form, or a ray
Point = tuple[Form, ...]  # up to k rays, see above
Bits = bytes  # one byte a neuron, 0 or 1, through the layers

ZERO = fmpz(0)

# How many (layer, pattern below it) are remembered: neighbours share most of theirs.
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
    """A pattern as a row of `Complex.patterns`: neuron i is bit i % 8 of byte i // 8."""
    return np.packbits(np.frombuffer(bits, np.uint8), bitorder="little").tobytes()


def unpacked(row: NDArray[np.uint8], neurons: int) -> Bits:
    """The pattern of a row of `Complex.patterns`."""
    return np.unpackbits(row, bitorder="little", count=neurons).tobytes()


def over_one_denominator(*arrays: NDArray[np.float64]) -> tuple[list[list[int]], int]:
    """Arrays of floats as integers over one denominator: ([flat integers of each array], denominator)."""
    fractions = [[value.as_integer_ratio() for value in array.ravel().tolist()] for array in arrays]
    denominator = max((below for row in fractions for _, below in row), default=1)
    # All denominators are powers of two, so the largest is a multiple of the others.
    return [[above * (denominator // below) for above, below in row] for row in fractions], denominator


class ExactNetwork:
    """The hidden neurons of a network on a domain of one or two dimensions, exactly.

    widths, starts : neurons of each layer, and the number of the first neuron of each (and of one beyond).
    walls : the inward forms of a bounded domain's own edges, in the order of their ids -2, -3, ...; d = 1: its ends.
    """

    def __init__(self, network: Network, domain: Domain) -> None:
        sliced = domain.slice
        self.widths = network.widths
        self.starts = [0, *accumulate(network.widths)]
        self.dimension = sliced.dimension
        self.walls = walls_of(domain)
        k = self.dimension + 1
        (origin, head, tail), self._frame_scale = over_one_denominator(sliced.origin, sliced.basis, sliced.basis_tail)
        n = sliced.n_in
        columns = [[head[i * n + j] + tail[i * n + j] for j in range(n)] for i in range(self.dimension)]
        self._frame = fmpz_mat(n, k, [column[j] for j in range(n) for column in (*columns, origin)])
        self._layers = []
        for layer in network.hidden:
            (weight, bias), scale = over_one_denominator(layer.weight, layer.bias)
            constant = [value for b in bias for value in (*[0] * self.dimension, b)]
            entry = fmpz_mat(layer.n_out, layer.n_in, weight), fmpz_mat(layer.n_out, k, constant), fmpz(scale)
            self._layers.append(entry)
        self._remembered: OrderedDict[tuple[int, Bits], list[Form]] = OrderedDict()

    def forms(self, bits: Bits) -> list[Form]:
        """The forms of all neurons where the network has the pattern `bits`: N forms of k integers."""
        result: list[Form] = []
        below, scale = self._frame, fmpz(self._frame_scale)
        for layer, (weight, bias, denominator) in enumerate(self._layers):
            start, end = self.starts[layer], self.starts[layer + 1]
            key = (layer, bits[:start])
            rows = self._remembered.get(key)
            if rows is None:
                if layer > 0:
                    below = masked(result[self.starts[layer - 1] :], bits[self.starts[layer - 1] : start])
                rows = [tuple(row) for row in (weight * below + bias * scale).table()]
                self._remembered[key] = rows
                if len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)
            else:
                self._remembered.move_to_end(key)
            assert len(rows) == end - start
            result += rows
            scale = scale * denominator
        return result

    def patterns(self, points: Sequence[Point]) -> list[Bits]:
        """The pattern of the open region in which each point lies, by evaluating the network there.

        points : each of one or more rays, the first with w > 0; so many that no form but zero vanishes there.
        """
        if not points:
            return []
        k, rays = self.dimension + 1, [ray for point in points for ray in point]
        ends = list(accumulate(map(len, points)))
        spans = list(zip([0, *ends], ends, strict=False))
        columns = fmpz_mat(k, len(rays), [ray[c] for c in range(k) for ray in rays])
        found = [bytearray() for _ in points]
        values, scale = self._frame * columns, fmpz(self._frame_scale)
        for weight, bias, denominator in self._layers:
            rows = (weight * values + (bias * columns) * scale).table()
            for row in rows:
                for bits, (start, end) in zip(found, spans, strict=True):
                    active = first_sign(row[start:end]) > 0
                    bits.append(active)
                    if not active:
                        row[start:end] = [ZERO] * (end - start)
            values, scale = fmpz_mat(rows), scale * denominator
        return [bytes(bits) for bits in found]


def first_sign(values: Iterable[Any]) -> Any:
    """The first value that is not zero, or zero."""
    for value in values:
        if value:
            return value
    return ZERO


def masked(rows: Sequence[Form], active: Bits) -> fmpz_mat:
    """The forms as a matrix, those of inactive neurons as zeros."""
    zeros = (ZERO,) * len(rows[0])
    return fmpz_mat([list(row if on else zeros) for row, on in zip(rows, active, strict=True)])


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
