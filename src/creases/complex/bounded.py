"""What a network computes in float64, with a bound on how far each number is from the true one.

A level's sum z = sum_p M_p a_p + b is n products at most, added in any order, so it is off by no more than
gamma_n T, T = sum_p |M_p| |a_p| + |b|, gamma_n = n u / (1 - n u), u = 2^-53 (Higham 2002, section 3.1); and by
|M_p| E_p where the values that it takes are off by E_p. A kink whose slopes are s and t hands an error on times
max(|s|, |t|), and times |s| where its pattern is known. T and the bound are themselves computed in floats: each is made
larger by one millionth, far more than what they lose. Products that underflow lose 2^-1075 each, those of a bound too:
it takes 2^-1074, the least float, for each, and for what is multiplied by a weight before it is multiplied.

A number that overflows has no bound: that is infinite or not a number, and no comparison with it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.domain import Directions, Domain
from creases.network import Clip, Level, Max, Network
from creases.network.evaluation import last_uses

__all__ = ["LEAST_FLOAT", "Bounded", "BoundedNetwork"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNIT = 2.0**-53
LARGER = 1.0 + 1e-6
# The least float: half of it would be zero.
LEAST_FLOAT = 2.0**-1074


class Bounded(NamedTuple):
    """Numbers, and how far each may be from the true one, float64 of one shape."""

    values: Floats
    errors: Floats

    def __sub__(self, other: Bounded) -> Bounded:
        """The difference, whose own rounding is one unit."""
        difference = self.values - other.values
        return Bounded(difference, (self.errors + other.errors + 2.0 * UNIT * np.abs(difference)) * LARGER)

    @property
    def is_positive(self) -> Bools:
        """Where the true numbers are proved to be positive."""
        return np.asarray(self.values > self.errors)

    @property
    def is_negative(self) -> Bools:
        """Where they are proved to be negative."""
        return np.asarray(self.values < -self.errors)


class Magnitudes:
    """The absolute values of an operator's matrix."""

    def __init__(self, operator: Any) -> None:
        self._matrix, self._divisors = abs(operator.matrix), operator.divisors
        dense = isinstance(self._matrix, np.ndarray)
        self.terms = operator.n_in if dense else int(np.diff(self._matrix.indptr).max(initial=0))

    def apply(self, values: Floats) -> Floats:
        """|M| values, (..., n_in) -> (..., n_out)."""
        rows = values.reshape(-1, values.shape[-1])
        products = np.asarray((self._matrix @ rows.T).T)
        if self._divisors is not None:
            products = products / self._divisors
        return products.reshape(*values.shape[:-1], products.shape[-1])


class BoundedNetwork:
    """A network on a domain. one : float64 (k,), what the constant 1 is in each column of a form.

    A form's columns are those of the domain's d coordinates, and one for what is constant; of directions the first
    d only.
    """

    def __init__(self, network: Network, domain: Domain) -> None:
        self.network = network
        sliced, directions = domain.slice, isinstance(domain, Directions)
        rows = [sliced.basis] if directions else [sliced.basis, sliced.origin[None]]
        tails = [sliced.basis_tail] if directions else [sliced.basis_tail, np.zeros((1, sliced.n_in))]
        self._frame = Bounded(np.concatenate(rows), np.abs(np.concatenate(tails)))
        self._columns = len(self._frame.values)
        self._one = np.zeros(self._columns)
        if not directions:
            self._one[-1] = 1.0
        self._magnitudes = [
            {p: Magnitudes(operator) for p, operator in level.sources.items()} for level in network.levels
        ]

    @property
    def width(self) -> int:
        """The most numbers that a level has, times the columns of a form: what one cell takes."""
        widest = max(max(level.n_units, level.n_values) for level in self.network.levels)
        return self._columns * max(widest, self.network.n_in)

    def sums(self, number: int, below: dict[int, Bounded], one: Floats) -> Bounded:
        """z of level `number`. below : the values that it takes, (..., n). one : (...,), what the constant 1 is."""
        level, magnitudes = self.network.levels[number - 1], self._magnitudes[number - 1]
        terms = sum(part.terms for part in magnitudes.values()) + 2 * len(magnitudes) + 2
        gamma = 2.0 * terms * UNIT
        constant = level.bias * one[..., None]
        values = level.linear([below[p].values if p in below else None for p in range(number)]) + constant
        errors = gamma * np.abs(constant) + 2.0 * terms * LEAST_FLOAT
        for p, part in magnitudes.items():
            errors = errors + part.apply(below[p].errors + gamma * np.abs(below[p].values) + LEAST_FLOAT)
        # On the way to an infinite sum its terms may be small beside it, and their bound finite.
        return Bounded(values, np.where(np.isfinite(values), errors * LARGER, np.inf))

    def on_patterns(self, bits: Bools) -> Bounded:
        """The outputs' forms on patterns, (cells, k, n_out). bits : bool (cells, bits)."""
        known = {0: Bounded(*(np.broadcast_to(part, (len(bits), *part.shape)) for part in self._frame))}
        at = 0
        with np.errstate(all="ignore"):
            for number, unneeded in enumerate(last_uses(self.network.levels), 1):
                level = self.network.levels[number - 1]
                z = self.sums(number, known, self._one)
                places = int(level.kink.places(level.n_units).sum())
                known[number] = on_branch(level, z, level.kink.of_bits(bits[:, at : at + places]), self._one)
                at += places
                for source in unneeded:
                    del known[source]
        return known[number]

    def at(self, points: Floats, errors: Floats, one: Floats) -> Iterator[tuple[Level, Bounded, Bounded]]:
        """Each level with its sums and values at points.

        points, errors : float64 (n, d), in the domain's coordinates. one : float64 (n,), 1 of a point, 0 of a
        direction.
        """
        with np.errstate(all="ignore"):
            known = {0: self.inputs(points, errors, one)}
            for number, unneeded in enumerate(last_uses(self.network.levels), 1):
                level = self.network.levels[number - 1]
                z = self.sums(number, known, one)
                known[number] = bent(level, z, one)
                yield level, z, known[number]
                for source in unneeded:
                    del known[source]

    def inputs(self, points: Floats, errors: Floats, one: Floats) -> Bounded:
        """The inputs of the network at points."""
        d = points.shape[1]
        frame, tails = self._frame.values[:d], self._frame.errors[:d]
        origin = self._frame.values[d:].sum(axis=0)  # of directions there is none
        gamma = 2.0 * (d + 3) * UNIT
        values = points @ frame + one[:, None] * origin
        bound = (errors + gamma * np.abs(points) + LEAST_FLOAT) @ (np.abs(frame) + tails)
        bound += (np.abs(points) + errors) @ tails
        bound += gamma * np.abs(one[:, None] * origin) + 2.0 * (d + 3) * LEAST_FLOAT
        return Bounded(values, np.where(np.isfinite(values), bound * LARGER, np.inf))


def on_branch(level: Level, z: Bounded, pattern: NDArray[Any], one: Floats) -> Bounded:
    """A level's values where its pattern is known. z : (cells, k, n_units). pattern : (cells, places)."""
    branch = level.kink.branch(pattern, level.n_units)
    values, errors = z
    if branch.units is not None:
        units = np.broadcast_to(np.atleast_2d(branch.units)[:, None], (len(pattern), z.values.shape[1], level.n_values))
        values, errors = (np.take_along_axis(part, units, axis=-1) for part in z)
    slopes = np.atleast_2d(branch.slopes)[:, None]
    scaled, offsets = values * slopes, np.atleast_2d(branch.offsets)[:, None] * one[:, None]
    lost = 2.0 * UNIT * (np.abs(scaled) + np.abs(offsets)) + 4.0 * LEAST_FLOAT
    # What a slope of zero leaves is exact, and it is not to be zero times infinity.
    errors = np.where(slopes == 0.0, 0.0, errors * np.abs(slopes)) + lost
    return Bounded(np.where(slopes == 0.0, 0.0, scaled) + offsets, errors * LARGER)


def bent(level: Level, z: Bounded, one: Floats) -> Bounded:
    """A level's values. z : (n, n_units)."""
    kink = level.kink
    if isinstance(kink, Max):
        return Bounded(kink.apply(z.values), np.maximum.reduceat(z.errors[..., kink.units], kink.starts, axis=-1))
    if isinstance(kink, Clip):
        low, high = (bound * one[:, None] for bound in kink.bounds(level.n_units))
        return Bounded(np.minimum(np.maximum(z.values, low), high), z.errors)
    below, above = kink.slopes(level.n_units)
    steepest = np.maximum(np.abs(below), np.abs(above))
    values = z.values * np.where(z.values > 0.0, above, below)
    return Bounded(values, (z.errors * steepest + 2.0 * UNIT * np.abs(values) + 4.0 * LEAST_FLOAT) * LARGER)
