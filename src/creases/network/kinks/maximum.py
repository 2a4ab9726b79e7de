"""Switches: maxima over groups of units; the state of a switch is its winning candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import NetworkError
from creases.network.kinks.kink import Bools, Branch, Kink
from creases.network.operators.operator import Floats, Integers, whole

__all__ = ["Max"]


@dataclass(frozen=True, eq=False, repr=False)
class Max(Kink):
    """Maxima over groups of units, for max pooling, maxout and argmax. Each group is one switch and has one value.

    groups : at least one non-empty sequence of unit indices; groups may overlap and differ in size. Stored as a tuple
        of tuples. The candidates of a switch are the units of its group in this order; among equal ones the first wins.
    Raises NetworkError if there is no group, one is empty, or an index is negative or not an integer.
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
        """The number of candidates of each switch, int64 (switches,)."""
        return frozen(np.array([len(group) for group in self.groups], dtype=np.int64))

    @cached_property
    def starts(self) -> Integers:
        """The position in `units` of each switch's first candidate, int64 (switches,)."""
        return frozen(np.cumsum(self.sizes) - self.sizes)

    @property
    def positions(self) -> Integers:
        """The position of each of `units` in its group, int64 (sum of sizes,)."""
        return np.arange(len(self.units)) - np.repeat(self.starts, self.sizes)

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless every index is below n_units."""
        if (most := int(self.units.max())) >= n_units:
            raise NetworkError(f"Max names unit {most}; a level of {n_units} units has 0 to {n_units - 1}.")

    def n_values(self, n_units: int) -> int:
        """One per group."""
        return len(self.groups)

    def switches(self, n_units: int) -> int:
        """One per group."""
        return len(self.groups)

    def hyperplanes(self, n_units: int) -> int:
        """One for each pair of candidates of a switch."""
        return int((self.sizes * (self.sizes - 1) // 2).sum())

    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., switches)."""
        return np.asarray(np.maximum.reduceat(z[..., self.units], self.starts, axis=-1))

    def pattern(self, z: Floats) -> Integers:
        """The winner of each switch, int64 (..., switches): its position in the group, the lowest among equal ones."""
        candidates = z[..., self.units]
        largest = np.maximum.reduceat(candidates, self.starts, axis=-1)
        wins = ~(candidates < np.repeat(largest, self.sizes, axis=-1))
        return np.asarray(np.minimum.reduceat(np.where(wins, self.positions, len(self.units)), self.starts, axis=-1))

    def bits(self, pattern: NDArray[Any]) -> Bools:
        """One boolean per candidate, bool (..., sum of sizes), group after group: True for the winner."""
        return np.asarray(np.repeat(pattern, self.sizes, axis=-1) == self.positions)

    def of_bits(self, bits: Bools) -> Integers:
        """The position in its group of each switch's winner, int64 (..., switches).

        Raises NetworkError unless each switch has exactly one winner.
        """
        if (np.add.reduceat(bits, self.starts, axis=-1, dtype=np.int64) != 1).any():
            raise NetworkError(f"A pattern of {self!r} has one winner in each group, and these bits have not.")
        return np.asarray(np.add.reduceat(bits * self.positions, self.starts, axis=-1))

    def places(self, n_units: int) -> Integers:
        """The group size of each switch, int64 (switches,)."""
        return self.sizes

    def branch(self, pattern: NDArray[Any], n_units: int) -> Branch:
        """The map that selects the winners."""
        winners = np.asarray(pattern)
        if winners.dtype.kind not in "iu" or ((winners < 0) | (winners >= self.sizes)).any():
            raise NetworkError(f"A pattern of {self!r} holds a position in each group, whole numbers; got {winners}.")
        n = len(self.groups)
        return Branch(self.units[self.starts + winners], np.ones(n), np.zeros(n))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All candidates, group after group, and the sizes of the groups."""
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


def frozen(array: Integers) -> Integers:
    """The array, read-only."""
    array.setflags(write=False)
    return array
