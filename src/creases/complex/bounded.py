"""The values of a network in float64, with a bound on the error of each number.

A level's sum z = sum_p M_p a_p + b has at most n products, added in any order, so its error is at most gamma_n T, T =
sum_p |M_p| |a_p| + |b|, gamma_n = n u / (1 - n u), u = 2^-53 (Higham 2002, section 3.1), plus |M_p| E_p if the values
that it takes have errors up to E_p. A kink with slopes s and t multiplies an error by at most max(|s|, |t|), and by |s|
if its pattern is known. T and the bound are computed in floats too: each is enlarged by one millionth, far more than
their rounding errors. Products that underflow lose 2^-1075 each, and so do those of a bound: the bound adds 2^-1074,
the smallest float, for each of them, and for numbers that are multiplied by a weight before the multiplication.

A number that overflows has no bound: the bound is infinite or NaN, and every comparison with it is False.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.domain import Directions, Domain
from creases.network import Clip, Level, Max, Network
from creases.network.evaluation import last_uses

__all__ = ["LARGER", "LEAST_FLOAT", "UNIT", "Bounded", "BoundedNetwork"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNIT = 2.0**-53
LARGER = 1.0 + 1e-6
# The smallest positive float; half of it would be zero.
LEAST_FLOAT = 2.0**-1074


class Bounded(NamedTuple):
    """Numbers, and bounds on their errors, float64 of the same shape."""

    values: Floats
    errors: Floats

    def __sub__(self, other: Bounded) -> Bounded:
        """The difference; its own rounding error is one unit."""
        difference = self.values - other.values
        return Bounded(difference, (self.errors + other.errors + 2.0 * UNIT * np.abs(difference)) * LARGER)

    @property
    def is_positive(self) -> Bools:
        """Whether each true number is proved to be positive."""
        return np.asarray(self.values > self.errors)

    @property
    def is_negative(self) -> Bools:
        """Whether each true number is proved to be negative."""
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
    """A network on a domain. one : float64 (k,), the constant 1 as a form: its entry in each column.

    The columns of a form are those of the domain's d coordinates, and one for the constant; for directions only the
    first d.
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
        """The largest number of entries that one cell takes: the largest size of a level times the columns of a
        form."""
        widest = max(max(level.n_units, level.n_values) for level in self.network.levels)
        return self._columns * max(widest, self.network.n_in)

    def sums(self, number: int, below: dict[int, Bounded], one: Floats) -> Bounded:
        """z of level `number`. below : the values of its sources, (..., n). one : (...,), the constant 1 at each point
        or column."""
        level, magnitudes = self.network.levels[number - 1], self._magnitudes[number - 1]
        terms = sum(part.terms for part in magnitudes.values()) + 2 * len(magnitudes) + 2
        gamma = 2.0 * terms * UNIT
        constant = level.bias * one[..., None]
        values = level.linear([below[p].values if p in below else None for p in range(number)]) + constant
        errors = gamma * np.abs(constant) + 2.0 * terms * LEAST_FLOAT
        for p, part in magnitudes.items():
            errors = errors + part.apply(below[p].errors + gamma * np.abs(below[p].values) + LEAST_FLOAT)
        # When a sum overflows, its terms may be small compared with it, and their bound finite.
        return Bounded(values, np.where(np.isfinite(values), errors * LARGER, np.inf))

    def on_patterns(self, bits: Bools) -> Bounded:
        """The forms of the outputs on patterns, (cells, k, n_out). bits : bool (cells, bits)."""
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

        points, errors : float64 (n, d), in the domain's coordinates. one : float64 (n,), 1 for a point, 0 for a
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
        origin = self._frame.values[d:].sum(axis=0)  # for directions there is none
        gamma = 2.0 * (d + 3) * UNIT
        values = points @ frame + one[:, None] * origin
        bound = (errors + gamma * np.abs(points) + LEAST_FLOAT) @ (np.abs(frame) + tails)
        bound += (np.abs(points) + errors) @ tails
        bound += gamma * np.abs(one[:, None] * origin) + 2.0 * (d + 3) * LEAST_FLOAT
        return Bounded(values, np.where(np.isfinite(values), bound * LARGER, np.inf))


def on_branch(level: Level, z: Bounded, pattern: NDArray[Any], one: Floats) -> Bounded:
    """A level's values on known patterns. z : (cells, k, n_units). pattern : (cells, places)."""
    branch = level.kink.branch(pattern, level.n_units)
    values, errors = z
    if branch.units is not None:
        units = np.broadcast_to(np.atleast_2d(branch.units)[:, None], (len(pattern), z.values.shape[1], level.n_values))
        values, errors = (np.take_along_axis(part, units, axis=-1) for part in z)
    slopes = np.atleast_2d(branch.slopes)[:, None]
    scaled, offsets = values * slopes, np.atleast_2d(branch.offsets)[:, None] * one[:, None]
    lost = 2.0 * UNIT * (np.abs(scaled) + np.abs(offsets)) + 4.0 * LEAST_FLOAT
    # A slope of zero gives exactly zero, which must not be computed as zero times infinity.
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
