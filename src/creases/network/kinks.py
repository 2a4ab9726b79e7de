"""What a unit does to its sum z: two slopes, a clip, or a maximum over several units.

Every kink is continuous and piecewise linear. Where it bends is all that cuts the input space: a unit whose two slopes
differ is a neuron, a clip is two neurons on one sum, a maximum over several candidates is a switch. A unit whose two
slopes are equal is linear: no neuron, no place in the pattern.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import Floats, Integers, as_finite, whole

__all__ = ["KINKS", "Abs", "Clip", "Kink", "LeakyReLU", "Linear", "Max", "Piece", "ReLU"]

Bools = NDArray[np.bool_]


class Piece(NamedTuple):
    """A kink on one pattern: value i is slopes[i] * z[units[i]] + offsets[i].

    units : int64, or None where value i is that of unit i; slopes, offsets : float64; all of shape (n_values,).
    """

    units: Integers | None
    slopes: Floats
    offsets: Floats


class Kink(ABC):
    """What a level does to its n units' sums z, float64 (..., n). Nothing in it can change."""

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless it fits a level of so many units."""
        whole(n_units, "n_units", 1)

    def n_values(self, n_units: int) -> int:
        """How many values a level of so many units has: one a unit, or one a switch."""
        return n_units

    def neurons(self, n_units: int) -> int:
        """How many neurons: units whose two slopes differ; two a unit of a clip."""
        return 0

    def switches(self, n_units: int) -> int:
        """How many switches."""
        return 0

    def slopes(self, n_units: int) -> Floats:
        """The slopes below and above zero, float64 (2, n_units).

        Raises NetworkError for a Clip and a Max, which are not given by two slopes.
        """
        raise NetworkError(f"{self!r} has no two slopes; only ReLU, LeakyReLU, Abs and Linear have.")

    @abstractmethod
    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_values), of sums (..., n_units)."""

    @abstractmethod
    def pattern(self, z: Floats) -> NDArray[Any]:
        """The pattern in float64: bool (..., neurons) of neurons, int64 (..., switches) of switches."""

    def bits(self, pattern: NDArray[Any]) -> Bools:
        """A pattern as truth values: of a switch one for each candidate, True for the winner."""
        return pattern

    @abstractmethod
    def piece(self, pattern: NDArray[Any], n_units: int) -> Piece:
        """The affine map from sums to values on one pattern, shape (neurons,) or (switches,)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its numbers by name, for the hash and for files: float64 or int64."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Kink:
        """The kink that has these `arrays()`. Raises NetworkError if there is none."""
        return cls(**arrays)

    def __reduce__(self) -> tuple[Callable[..., Kink], tuple[Any, ...]]:
        return type(self).from_arrays, (self.arrays(),)


class TwoSlopes(Kink):
    """A kink at zero: the slope below it, the slope above it."""

    def bent(self, n_units: int) -> Bools:
        """Which units are neurons, bool (n_units,)."""
        below, above = self.slopes(n_units)
        return np.asarray(below != above)

    def neurons(self, n_units: int) -> int:
        """How many units have two different slopes."""
        return int(self.bent(n_units).sum())

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        below, above = self.slopes(z.shape[-1])
        return np.asarray(z * np.where(z > 0.0, above, below))

    def pattern(self, z: Floats) -> Bools:
        """Which neurons have z > 0, bool (..., neurons)."""
        bent = self.bent(z.shape[-1])
        return z > 0.0 if bent.all() else z[..., bent] > 0.0

    def piece(self, pattern: NDArray[Any], n_units: int) -> Piece:
        """The slopes of one pattern."""
        below, above = self.slopes(n_units)
        chosen = np.array(above)
        bent = np.flatnonzero(below != above)
        chosen[bent] = np.where(pattern, above[bent], below[bent])
        return Piece(None, chosen, np.zeros(n_units))


@dataclass(frozen=True)
class ReLU(TwoSlopes):
    """max(z, 0)."""

    def slopes(self, n_units: int) -> Floats:
        """0 below, 1 above."""
        return two(0.0, 1.0, n_units)

    # What follows says nothing new: a chain is evaluated at every step of training.
    def bent(self, n_units: int) -> Bools:
        """All."""
        return np.ones(n_units, dtype=bool)

    def neurons(self, n_units: int) -> int:
        """All."""
        return n_units

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return np.maximum(z, 0.0)

    def pattern(self, z: Floats) -> Bools:
        """Which neurons have z > 0, bool (..., n_units)."""
        return z > 0.0

    def piece(self, pattern: NDArray[Any], n_units: int) -> Piece:
        """1 where active, 0 elsewhere."""
        return Piece(None, np.asarray(pattern, dtype=np.float64), np.zeros(n_units))


@dataclass(frozen=True)
class Abs(TwoSlopes):
    """|z|."""

    def slopes(self, n_units: int) -> Floats:
        """-1 below, 1 above."""
        return two(-1.0, 1.0, n_units)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return np.abs(z)


@dataclass(frozen=True)
class Linear(TwoSlopes):
    """z as it is: no neuron, no switch."""

    def slopes(self, n_units: int) -> Floats:
        """1 and 1."""
        return two(1.0, 1.0, n_units)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return z


@dataclass(frozen=True, eq=False, repr=False)
class LeakyReLU(TwoSlopes):
    """z above zero, slope * z below; with one slope a unit it is a PReLU.

    slope : a number, or float64 of shape (n_units,), read-only. 0 is a ReLU, -1 the absolute value; a unit of slope 1
        is linear.
    Raises NetworkError if a slope is not finite.
    """

    slope: float | Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", number_or_one_a_unit(self.slope, "LeakyReLU: slope"))

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless there is one slope, or one a unit."""
        check_length(self.slope, "LeakyReLU: slope", n_units)

    def slopes(self, n_units: int) -> Floats:
        """`slope` below, 1 above."""
        return two(self.slope, 1.0, n_units)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The slope, or slopes."""
        return {"slope": np.asarray(self.slope, dtype=np.float64)}

    def __repr__(self) -> str:
        return f"LeakyReLU({said(self.slope, 'slopes')})"


@dataclass(frozen=True, eq=False, repr=False)
class Clip(Kink):
    """min(max(z, low), high): two neurons a unit, z > low and z > high.

    low, high : numbers, or float64 of shape (n_units,), read-only; finite, low < high in every unit.
    Raises NetworkError otherwise.
    """

    low: float | Floats
    high: float | Floats

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, number_or_one_a_unit(getattr(self, name), f"Clip: {name}"))
        low, high = np.asarray(self.low), np.asarray(self.high)
        if low.ndim and high.ndim and low.shape != high.shape:
            raise NetworkError(f"Clip: low has {len(low)} numbers and high {len(high)}; give one a unit of each.")
        if not (low < high).all():
            raise NetworkError(f"Clip needs low < high in every unit, got low={self.low} and high={self.high}.")

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless there is one low and one high, or one a unit."""
        check_length(self.low, "Clip: low", n_units)
        check_length(self.high, "Clip: high", n_units)

    def neurons(self, n_units: int) -> int:
        """Two a unit."""
        return 2 * n_units

    def bounds(self, n_units: int) -> Floats:
        """low and high of each unit, float64 (2, n_units)."""
        return two(self.low, self.high, n_units)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_units)."""
        return np.asarray(np.clip(z, self.low, self.high))

    def pattern(self, z: Floats) -> Bools:
        """bool (..., 2 n_units): first z > low of every unit, then z > high of every unit."""
        return np.concatenate((z > self.low, z > self.high), axis=-1)

    def piece(self, pattern: NDArray[Any], n_units: int) -> Piece:
        """Slope 1 between the bounds; the bound itself, with slope 0, beyond them."""
        low, high = self.bounds(n_units)
        above_low, above_high = np.asarray(pattern, dtype=bool).reshape(2, n_units)
        offsets = np.where(above_high, high, np.where(above_low, 0.0, low))
        return Piece(None, (above_low & ~above_high).astype(np.float64), offsets)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """low and high."""
        return {name: np.asarray(getattr(self, name), dtype=np.float64) for name in ("low", "high")}

    def __repr__(self) -> str:
        return f"Clip({said(self.low, 'numbers')}, {said(self.high, 'numbers')})"


@dataclass(frozen=True, eq=False, repr=False)
class Max(Kink):
    """Maxima over groups of units: one switch, and one value, a group. Max pooling, maxout, argmax.

    groups : sequences of unit indices, none empty, at least one; they may overlap and differ in size. Kept as a tuple
        of tuples. The candidates of a switch are its group's units in this order; among equal ones the first wins.
    Raises NetworkError if there is no group, one is empty, or an index is negative or no whole number.
    """

    groups: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        given = self.groups
        if not isinstance(given, (Sequence, np.ndarray)) or not len(given):
            raise NetworkError(f"Max needs at least one group of units, [[0, 1], [2, 3]] for instance; got {given!r}.")
        groups = []
        for number, group in enumerate(given):
            if not isinstance(group, (Sequence, np.ndarray)) or not len(group):
                raise NetworkError(f"Max: group {number} has no candidates; every group needs at least one unit.")
            groups.append(tuple(whole(unit, f"Max: a unit of group {number}", 0) for unit in group))
        object.__setattr__(self, "groups", tuple(groups))

    @classmethod
    def of(cls, n_units: int, size: int) -> Max:
        """Maxout: groups of `size` consecutive units. Raises NetworkError unless size divides n_units."""
        n, k = whole(n_units, "Max.of: n_units", 1), whole(size, "Max.of: size", 1)
        if n % k:
            raise NetworkError(f"Max.of: groups of {k} do not divide {n} units.")
        return cls(tuple(tuple(range(first, first + k)) for first in range(0, n, k)))

    @cached_property
    def units(self) -> Integers:
        """The candidates of all switches, group after group, int64 (sum of sizes,)."""
        return frozen(np.array([unit for group in self.groups for unit in group], dtype=np.int64))

    @cached_property
    def sizes(self) -> Integers:
        """How many candidates each switch has, int64 (switches,)."""
        return frozen(np.array([len(group) for group in self.groups], dtype=np.int64))

    @cached_property
    def starts(self) -> Integers:
        """Where each switch's candidates begin in `units`, int64 (switches,)."""
        return frozen(np.cumsum(self.sizes) - self.sizes)

    @property
    def positions(self) -> Integers:
        """The position of each of `units` in its group."""
        return np.arange(len(self.units)) - np.repeat(self.starts, self.sizes)

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless every index is that of a unit."""
        if (most := int(self.units.max())) >= n_units:
            raise NetworkError(f"Max names unit {most}; a level of {n_units} units has 0 to {n_units - 1}.")

    def n_values(self, n_units: int) -> int:
        """One a group."""
        return len(self.groups)

    def switches(self, n_units: int) -> int:
        """One a group."""
        return len(self.groups)

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., switches)."""
        return np.asarray(np.maximum.reduceat(z[..., self.units], self.starts, axis=-1))

    def pattern(self, z: Floats) -> Integers:
        """Which candidate of each switch wins, int64 (..., switches): its position in the group, lowest among equal."""
        candidates = z[..., self.units]
        largest = np.maximum.reduceat(candidates, self.starts, axis=-1)
        wins = ~(candidates < np.repeat(largest, self.sizes, axis=-1))
        return np.asarray(np.minimum.reduceat(np.where(wins, self.positions, len(self.units)), self.starts, axis=-1))

    def bits(self, pattern: NDArray[Any]) -> Bools:
        """One truth value for each candidate, bool (..., sum of sizes), group after group: True for the winner."""
        return np.asarray(np.repeat(pattern, self.sizes, axis=-1) == self.positions)

    def piece(self, pattern: NDArray[Any], n_units: int) -> Piece:
        """The winners themselves."""
        winners = np.asarray(pattern)
        if winners.dtype.kind not in "iu" or ((winners < 0) | (winners >= self.sizes)).any():
            raise NetworkError(f"A pattern of {self!r} holds a position in each group, whole numbers; got {winners}.")
        n = len(self.groups)
        return Piece(self.units[self.starts + winners], np.ones(n), np.zeros(n))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All candidates, group after group, and how many each group has."""
        return {
            "units": np.concatenate([np.array(group, dtype=np.int64) for group in self.groups]),
            "sizes": self.sizes,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Kink:
        """The kink that has these `arrays()`."""
        units, sizes = arrays["units"], arrays["sizes"]
        if units.ndim != 1 or sizes.ndim != 1 or (sizes < 1).any() or sizes.sum() != len(units):
            raise NetworkError("Max: the sizes of its groups do not fit its units.")
        return cls(tuple(tuple(group.tolist()) for group in np.split(units, np.cumsum(sizes)[:-1])))

    def __repr__(self) -> str:
        sizes = sorted(set(self.sizes.tolist()))
        of = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        return f"Max({len(self.groups)} of {of})"


# By the name that files and hashes know them by.
KINKS: dict[str, type[Kink]] = {kind.__name__: kind for kind in (Abs, Clip, LeakyReLU, Linear, Max, ReLU)}


def frozen(array: Integers) -> Integers:
    """The array, read-only."""
    array.setflags(write=False)
    return array


def two(first: float | Floats, second: float | Floats, n_units: int) -> Floats:
    """Two numbers, or two a unit, as float64 (2, n_units)."""
    result = np.empty((2, n_units))
    result[0], result[1] = first, second
    return result


def number_or_one_a_unit(values: ArrayLike, name: str) -> float | Floats:
    """A float, or a read-only float64 array of shape (n,); NetworkError otherwise."""
    array = as_finite(values, name)
    if array.ndim > 1 or array.size == 0:
        raise NetworkError(f"{name} must be one number or one a unit, got shape {array.shape}.")
    return float(array) if array.ndim == 0 else array


def check_length(values: float | Floats, name: str, n_units: int) -> None:
    """Raise NetworkError unless there is one number, or one a unit."""
    if isinstance(values, np.ndarray) and len(values) != n_units:
        raise NetworkError(f"{name} must be one number or one a unit, {n_units} here; got {len(values)}.")


def said(values: float | Floats, what: str) -> str:
    """A number, or how many there are."""
    return f"{len(values)} {what}" if isinstance(values, np.ndarray) else f"{values:g}"
