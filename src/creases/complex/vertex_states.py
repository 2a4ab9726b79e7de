"""The state of every neuron and every candidate of a switch at each vertex of a complex, proved.

Floats with bounds decide most states. If they do not, the walls on which a corner lies may: there the neuron vanishes,
or the two candidates are equal and both the largest. The remaining states are decided in rationals, vertex by vertex.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.bounded import LEAST_FLOAT, Bounded, BoundedNetwork
from creases.complex.exact_geometry import ExactGeometry
from creases.complex.faults import CORNER_TOLERANCE, size_of
from creases.exact_levels import ExactRows
from creases.network import Clip, Level, Max

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["VertexStates"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# The largest number of entries in one batch, and of points in one batch in rationals.
AT_ONCE = 1 << 22
EXACT_AT_ONCE = 64


class VertexStates:
    """Signs and values at the vertices of a complex.

    geometry : its exact corners, in integers.
    """

    def __init__(self, complex: Complex) -> None:
        self._complex = complex
        self.geometry = ExactGeometry(complex)
        self.network = BoundedNetwork(complex.network, complex.domain)
        self.one = (~complex.vertices_at_infinity).astype(np.float64)
        size = size_of(complex.domain)
        sizes = np.abs(complex.vertices).max(axis=1, initial=0.0) if np.isnan(size) else np.full(len(self.one), size)
        sizes = np.where(self.one > 0.0, sizes, 1.0)
        # Twice the tolerance: a vertex stored as the nearest float may have a slightly larger error. The nearest float
        # may be zero.
        errors = 2.0 * CORNER_TOLERANCE * sizes + LEAST_FLOAT
        self.errors = np.repeat(errors[:, None], complex.dimension, axis=1)

    @cached_property
    def outputs(self) -> Bounded:
        """The network's outputs at the vertices, float64 (vertices, n_out); for directions, their growth."""
        return self._found[1]

    @cached_property
    def states(self) -> Bools:
        """bool (vertices, bits): whether a neuron is positive, and whether a candidate is the largest of its switch, or
        equal to the largest."""
        states, decided = self._found[0]
        states, decided = states.copy(), decided.copy()
        self.note_walls(states, decided)
        doubtful = np.flatnonzero(~decided.all(axis=1))
        for at in range(0, len(doubtful), EXACT_AT_ONCE):
            some = doubtful[at : at + EXACT_AT_ONCE]
            states[some] = self.exact_states(some)
        return states

    @cached_property
    def _found(self) -> tuple[tuple[Bools, Bools], Bounded]:
        """States, which of them are decided, and outputs, in floats."""
        parts = [part for some in self.batches() for part in [self.in_floats(some)]]
        if not parts:
            nothing = np.zeros((0, self._complex.network.bits), np.bool_)
            empty = np.zeros((0, self._complex.network.n_out))
            return (nothing, nothing), Bounded(empty, empty)
        states, decided, values, errors = (np.concatenate(column) for column in zip(*parts, strict=True))
        return (states, decided), Bounded(values, errors)

    def batches(self) -> Iterator[slice]:
        """The vertices in batches."""
        step = max(1, AT_ONCE // self.network.width)
        return (slice(at, at + step) for at in range(0, len(self.one), step))

    def in_floats(self, some: slice) -> tuple[Bools, Bools, Floats, Floats]:
        """The states of some vertices, which of them are decided, and the outputs with their bounds."""
        states, decided = [], []
        one = self.one[some]
        outputs = Bounded(np.zeros((0, 0)), np.zeros((0, 0)))
        for level, z, values in self.network.at(self._complex.vertices[some], self.errors[some], one):
            outputs = values
            if level.is_layer:
                above, below = signs_of(level, z, one)
                states.append(above)
                decided.append(above | below)
        nothing = np.zeros((len(one), 0), np.bool_)
        return np.hstack([nothing, *states]), np.hstack([nothing, *decided]), *outputs

    def note_walls(self, states: Bools, decided: Bools) -> None:
        """Fill in the states that are known because a corner lies on a wall."""
        sides, bits = self._complex.sides, self._complex.network.bits
        walls = np.repeat(sides.walls, np.diff(sides.corner_first))
        vertices = self._complex.vertex_numbers[sides.corners]
        own = walls >= 0
        walls, vertices = walls[own], vertices[own]
        neuron = walls < bits
        states[vertices[neuron], walls[neuron]] = False
        decided[vertices[neuron], walls[neuron]] = True
        further, first = np.divmod(walls[~neuron], bits)
        for bit in (first, first + further - 1):
            states[vertices[~neuron], bit] = True
            decided[vertices[~neuron], bit] = True

    def exact_states(self, vertices: Ints) -> Bools:
        """States in rationals, bool (n, bits)."""
        rays = [self.geometry.vertex(vertex) for vertex in vertices.tolist()]
        _, values = self.geometry.network.at([(ray,) for ray in rays])
        states = [np.zeros((len(rays), 0), np.bool_)]
        one = [ray[-1] for ray in rays]
        for number, sums in values.sums:
            states.append(exact_signs(self._complex.network.levels[number - 1], sums, one))
        return np.hstack(states)

    def exact_outputs(self, vertices: Ints) -> ExactRows:
        """Outputs in rationals, with one column per vertex."""
        rays = [self.geometry.vertex(vertex) for vertex in vertices.tolist()]
        return self.geometry.network.at([(ray,) for ray in rays])[1].outputs


def signs_of(level: Level, z: Bounded, one: Floats) -> tuple[Bools, Bools]:
    """For each bit of a level, whether its state is proved to be True, and whether it is proved to be False."""
    kink = level.kink
    if isinstance(kink, Max):
        return largest_of(kink, z)
    if isinstance(kink, Clip):
        bounds = kink.bounds(level.n_units)
        beyond = [z - Bounded(bound * one[:, None], np.zeros_like(z.errors)) for bound in bounds]
        return np.hstack([part.is_positive for part in beyond]), np.hstack([part.is_negative for part in beyond])
    below, above = kink.slopes(level.n_units)
    bent = below != above
    some = Bounded(z.values[:, bent], z.errors[:, bent])
    return some.is_positive, some.is_negative


def largest_of(kink: Max, z: Bounded) -> tuple[Bools, Bools]:
    """Which candidates are proved to be larger than all others of their switch, and which to be smaller than another
    one."""
    low, high = (z.values - z.errors)[:, kink.units], (z.values + z.errors)[:, kink.units]
    # Rounding of these two must not affect the result.
    low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    floor = np.repeat(np.maximum.reduceat(low, kink.starts, axis=1), kink.sizes, axis=1)
    smaller = high < floor
    others = np.add.reduceat(~smaller, kink.starts, axis=1, dtype=np.int64)
    return ~smaller & np.repeat(others == 1, kink.sizes, axis=1), smaller


def exact_signs(level: Level, sums: ExactRows, one: list[Any]) -> Bools:
    """The states of a level's bits, bool (n, bits), from sums in integers, with one column for each of n points."""
    kink = level.kink
    if isinstance(kink, Max):
        groups = [[sums.rows[unit] for unit in group] for group in kink.groups]
        best = [[max(column) for column in zip(*group, strict=True)] for group in groups]
        rows = [
            [x == y for x, y in zip(row, top, strict=True)]
            for group, top in zip(groups, best, strict=True)
            for row in group
        ]
        return np.array(rows, np.bool_).T
    if isinstance(kink, Clip):
        rows = []
        for bound in kink.bounds(level.n_units).tolist():
            for row, number in zip(sums.rows, bound, strict=True):
                above, below = number.as_integer_ratio()
                rows.append([below * z > above * sums.denominator * w for z, w in zip(row, one, strict=True)])
        return np.array(rows, np.bool_).T
    low, high = kink.slopes(level.n_units)
    return np.array([[z > 0 for z in sums.rows[unit]] for unit in np.flatnonzero(low != high)], np.bool_).T
