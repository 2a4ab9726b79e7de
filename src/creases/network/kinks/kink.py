"""The nonlinearity of a unit with the sum z: two slopes, a clip, or a maximum over several units.

Every kink is continuous and piecewise linear, and the input space is cut only where a kink bends. A unit with two
different slopes is a neuron, a clip is two neurons on one sum, a maximum over several candidates is a switch. A unit
with two equal slopes is linear: it is not a neuron and not part of the pattern.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import Floats, Integers, as_finite, whole

__all__ = ["Bools", "Branch", "Kink", "check_length", "number_or_one_a_unit", "said", "two"]

Bools = NDArray[np.bool_]


class Branch(NamedTuple):
    """A kink on one pattern: value i is slopes[i] * z[units[i]] + offsets[i].

    units : int64, or None where value i is that of unit i; slopes, offsets : float64. All have shape (n_values,); of
        several patterns (..., n_values), or (n_values,) of what does not depend on them.
    """

    units: Integers | None
    slopes: Floats
    offsets: Floats


class Kink(ABC):
    """The nonlinearity of a level, applied to the sums z of its n units, float64 (..., n). Immutable."""

    def check(self, n_units: int) -> None:
        """Raise NetworkError unless it fits a level of n_units units."""
        whole(n_units, "n_units", 1)

    def n_values(self, n_units: int) -> int:
        """Number of values of a level with n_units units: one per unit, or one per switch."""
        return n_units

    def neurons(self, n_units: int) -> int:
        """Number of neurons: units whose two slopes differ; two per unit of a clip."""
        return 0

    def switches(self, n_units: int) -> int:
        """Number of switches."""
        return 0

    def hyperplanes(self, n_units: int) -> int:
        """The maximal number of hyperplanes that cut a region of the levels below: one per neuron."""
        return self.neurons(n_units)

    def slopes(self, n_units: int) -> Floats:
        """The slopes below and above zero, float64 (2, n_units).

        Raises NetworkError for a Clip or a Max, which are not defined by two slopes.
        """
        raise NetworkError(f"{self!r} has no two slopes; only ReLU, LeakyReLU, Abs and Linear have.")

    @abstractmethod
    def apply(self, z: Floats) -> Floats:
        """The values, float64 (..., n_values), of sums (..., n_units)."""

    @abstractmethod
    def pattern(self, z: Floats) -> NDArray[Any]:
        """The pattern of sums z, computed in float64: bool (..., neurons) for neurons, int64 (..., switches) for
        switches.
        """

    def bits(self, pattern: NDArray[Any]) -> Bools:
        """A pattern as booleans; a switch has one per candidate, True for the winner."""
        return pattern

    def of_bits(self, bits: Bools) -> NDArray[Any]:
        """The pattern that has these `bits`."""
        return bits

    def places(self, n_units: int) -> Integers:
        """Number of `bits` of each neuron or switch, int64 (neurons + switches,): 1 for a neuron, one per candidate
        of a switch.
        """
        return np.ones(self.neurons(n_units), dtype=np.int64)

    @abstractmethod
    def branch(self, pattern: NDArray[Any], n_units: int) -> Branch:
        """The affine map from sums to values on a pattern, shape (..., neurons) or (..., switches)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its arrays by name, float64 or int64, for the hash and for files."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Kink:
        """The kink with these `arrays()`. Raises NetworkError if they do not define one."""
        return cls(**arrays)

    def __reduce__(self) -> tuple[Callable[..., Kink], tuple[Any, ...]]:
        return type(self).from_arrays, (self.arrays(),)


def two(first: float | Floats, second: float | Floats, n_units: int) -> Floats:
    """Two numbers, or two per unit, as float64 (2, n_units)."""
    result = np.empty((2, n_units))
    result[0], result[1] = first, second
    return result


def number_or_one_a_unit(values: ArrayLike, name: str) -> float | Floats:
    """A float, or a read-only float64 array of shape (n,). Raises NetworkError if one is not finite."""
    array = as_finite(values, name)
    if array.ndim > 1 or array.size == 0:
        raise NetworkError(f"{name} must be one number or one a unit, got shape {array.shape}.")
    return float(array) if array.ndim == 0 else array


def check_length(values: float | Floats, name: str, n_units: int) -> None:
    """Raise NetworkError unless there is a single number, or one per unit."""
    if isinstance(values, np.ndarray) and len(values) != n_units:
        raise NetworkError(f"{name} must be one number or one a unit, {n_units} here; got {len(values)}.")


def said(values: float | Floats, what: str) -> str:
    """A number, or how many numbers there are, for a repr."""
    return f"{len(values)} {what}" if isinstance(values, np.ndarray) else f"{values:g}"
