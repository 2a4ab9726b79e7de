"""Closed connected regions: the sets on which the network is one affine map, including lower-dimensional parts.

For the affine map g of a cell, the set {f = g} is closed. Its intersection with each cell is convex, hence connected;
and the parts in two cells are connected if and only if {f = g} meets a face that both cells have. An unbounded face, or
one that contains lines, is given by its vertices and directions: {f = g} meets it if zero is a combination of the
values of f - g there, with non-negative weights and a positive weight for at least one vertex that is not at infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from creases.complex.bounded import Bounded
from creases.complex.faces import Faces
from creases.complex.linear import Maps, components
from creases.complex.vertex_states import VertexStates
from creases.domain import Directions
from creases.double_description import dot, part
from creases.exact_network import Form
from creases.lists import spans

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["closed_connected", "has_zero"]

Ints = NDArray[np.int64]
Signs = NDArray[np.int8]
Bools = NDArray[np.bool_]


def closed_connected(complex: Complex, states: VertexStates) -> int:
    """The number of closed connected regions. A map that belongs to only one linear region gives exactly one."""
    regions, maps = complex.linear_regions, complex.affine_maps
    region_maps = maps[np.unique(regions, return_index=True)[1]]
    numbers, counts = np.unique(region_maps, return_counts=True)
    several = numbers[counts > 1]
    cones = isinstance(complex.domain, Directions)
    if not len(several) or (cones and len(complex.lineality)):
        return len(numbers)  # cones that contain lines all meet in these, where all maps are zero
    count = len(numbers) - len(several)
    differences = Differences(complex, states)
    for number in several.tolist():
        own = np.flatnonzero(maps == number)
        joined = components(len(complex), differences.meetings(own))
        count += len(np.unique(joined[own]))
    return count


class Differences:
    """The differences between a network and its maps on single cells, at the vertices of a complex."""

    def __init__(self, complex: Complex, states: VertexStates) -> None:
        self._complex, self._states = complex, states
        self._maps = Maps(complex)
        # A zero at infinity does not count.
        self._near = np.full(len(states.one), True) if isinstance(complex.domain, Directions) else states.one > 0.0
        self._outputs: dict[int, tuple[Any, list[Any]]] = {}

    def meetings(self, own: Ints) -> Ints:
        """Pairs of cells with a common face that {f = g} meets, int64 (pairs, 2). own : the cells whose map is g."""
        complex = self._complex
        signs = self.signs(own)
        pairs = []
        for k in range(complex.dimension):
            faces = complex.faces(k)
            met = np.flatnonzero(self.met(faces, signs, int(own[0])))
            begins = faces.cell_first[:-1][met]
            sizes = np.diff(faces.cell_first)[met]
            members = faces.cells[spans(begins, sizes)]
            pairs.append(np.column_stack([np.repeat(faces.cells[begins], sizes), members]))
        return np.concatenate(pairs)

    def signs(self, own: Ints) -> Signs:
        """The signs of f - g at the vertices, int8 (vertices, n_out). f - g is zero on the cells with the map g."""
        complex, states = self._complex, self._states
        forms = states.network.on_patterns(self._maps.bits(own[:1]))
        with np.errstate(all="ignore"):
            d = complex.dimension
            values = complex.vertices @ forms.values[0, :d] + states.one[:, None] * forms.values[0, d:].sum(axis=0)
            sizes = np.abs(complex.vertices) @ np.abs(forms.values[0, :d])
            sizes += states.one[:, None] * np.abs(forms.values[0, d:]).sum(axis=0)
            errors = (np.abs(complex.vertices) + states.errors) @ forms.errors[0, :d]
            errors += states.errors @ np.abs(forms.values[0, :d])
            errors += states.one[:, None] * forms.errors[0, d:].sum(axis=0) + 2.0 * (d + 4) * 2.0**-53 * sizes
            difference = states.outputs - Bounded(values, errors * (1.0 + 1e-6) + 2.0**-1060)
        signs_at = difference.is_positive.astype(np.int8) - difference.is_negative
        faces = complex.faces(d)
        inside = np.zeros(len(states.one), np.bool_)
        for cell in own.tolist():
            inside[faces.vertices[faces.first[cell] : faces.first[cell + 1]]] = True
        signs_at[inside] = 0
        doubtful = np.flatnonzero((signs_at == 0).any(axis=1) & ~inside)
        for vertex in doubtful.tolist():
            signs_at[vertex] = [(x > 0) - (x < 0) for x in self.exact(vertex, int(own[0]))]
        return signs_at.astype(np.int8)

    def exact(self, vertex: int, cell: int) -> list[Any]:
        """f - g at a vertex, as integers times a common positive number. cell : one whose map is g."""
        if vertex not in self._outputs:
            outputs = self._states.exact_outputs(np.array([vertex]))
            self._outputs[vertex] = outputs.denominator, [row[0] for row in outputs.rows]
        below, values = self._outputs[vertex]
        forms, ray = self._maps.rows(cell), self._states.geometry.vertex(vertex)
        return [
            forms.denominator * value - below * dot(form, ray) for value, form in zip(values, forms.rows, strict=True)
        ]

    def met(self, faces: Faces, signs: Signs, cell: int) -> Bools:
        """Which faces the set {f = g} meets, bool (faces,)."""
        some = np.flatnonzero(np.diff(faces.first))
        crossed = np.zeros(len(faces), np.bool_)
        if not len(some):
            return crossed
        starts, mine = faces.first[some], signs[faces.vertices]
        near = self._near[faces.vertices]
        zero = np.logical_or.reduceat(near[:, None] & (mine == 0), starts)
        both = np.logical_or.reduceat(mine > 0, starts) & np.logical_or.reduceat(mine < 0, starts)
        possible = (zero | both).all(axis=1)
        sure = np.logical_or.reduceat(near & (mine == 0).all(axis=1), starts)
        if signs.shape[1] == 1:
            sure |= possible
        crossed[some] = sure
        for i in some[possible & ~sure].tolist():
            vertices = faces.vertices[faces.first[i] : faces.first[i + 1]].tolist()
            crossed[i] = has_zero([self.exact(v, cell) for v in vertices], [bool(self._near[v]) for v in vertices])
        return crossed


def has_zero(values: Sequence[Sequence[Any]], near: Sequence[bool]) -> bool:
    """Whether zero is a combination of vectors with non-negative weights, one of them positive for some vector that is
    `near`.

    values : n vectors of m integers. The possible weights are a cone in R^n, cut by m hyperplanes through zero.
    """
    n = len(values)
    rays: list[Form] = [tuple(fmpz(int(i == j)) for j in range(n)) for i in range(n)]
    masks = [((1 << n) - 1) & ~(1 << i) for i in range(n)]
    bit = 1 << n
    for column in zip(*values, strict=True):
        for sign in (1, -1):
            form = [sign * fmpz(x) for x in column]
            rays, masks = part(rays, masks, [dot(form, ray) for ray in rays], bit)
            bit <<= 1
    return any(weight > 0 and own for ray in rays for weight, own in zip(ray, near, strict=True))
