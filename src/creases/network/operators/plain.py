"""Operators without geometry: a dense matrix, a sparse one, a selection of values, elementwise multiplication and
division.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import Floats, Integers, Operator, as_finite, as_sparse, whole

__all__ = ["Dense", "Divide", "Scale", "Select", "Sparse"]

# A float is m * 2^e with |m| < 2^53. The powers of two that are normal floats are 2^-1022 to 2^1023.
MANTISSA, FINEST = 53, -1023


@dataclass(frozen=True, eq=False, repr=False)
class Dense(Operator):
    """A dense matrix: values -> weight @ values.

    weight : float64, shape (n_out, n_in), both at least 1. Read-only.
    Raises NetworkError if the weight is not a matrix, is empty, or has an entry that is not finite.
    """

    weight: Floats

    def __post_init__(self) -> None:
        weight = as_finite(self.weight, "Dense: weight")
        if weight.ndim != 2 or 0 in weight.shape:
            raise NetworkError(f"Dense: weight must have shape (n_out, n_in), both at least 1; got {weight.shape}.")
        object.__setattr__(self, "weight", weight)
        self._set_shapes((weight.shape[1],), (weight.shape[0],))

    @classmethod
    def of_checked(cls, weight: Floats) -> Dense:
        """The operator with this weight, without a check or a copy; it must be float64, in C order and read-only."""
        operator = cls.__new__(cls)
        object.__setattr__(operator, "weight", weight)
        operator._set_shapes((weight.shape[1],), (weight.shape[0],))
        return operator

    def _matrix(self) -> Floats:
        return self.weight

    def _apply(self, rows: Floats) -> Floats:
        return rows @ self.weight.T

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The weight."""
        return {"weight": self.weight}


@dataclass(frozen=True, eq=False, repr=False)
class Sparse(Operator):
    """A sparse matrix: values -> weight @ values.

    weight : any matrix or array of scipy.sparse, shape (n_out, n_in); stored as a read-only csr_array of float64.
    Raises NetworkError if it is not such a matrix, is empty, has an entry that is not finite, or stores an entry twice,
    since the sum of the two might be rounded.
    """

    weight: Any

    def __post_init__(self) -> None:
        from scipy.sparse import coo_array, issparse

        if not issparse(self.weight) or len(self.weight.shape) != 2:
            raise NetworkError(
                f"Sparse takes a matrix of scipy.sparse, got a {type(self.weight).__name__}. Of an array make "
                "Dense(...)."
            )
        shape = (int(self.weight.shape[0]), int(self.weight.shape[1]))
        if 0 in shape:
            raise NetworkError(f"Sparse: weight must have shape (n_out, n_in), both at least 1; got {shape}.")
        try:
            entries = coo_array(self.weight)
        except (ValueError, IndexError) as error:  # for example a csr_matrix with a column out of range
            raise NetworkError(f"Sparse: weight of shape {shape} is no matrix: {error}.") from error
        data = as_finite(entries.data, "Sparse: stored number ")
        rows, columns = (np.asarray(part, dtype=np.int64) for part in entries.coords)
        if len(data) and (rows.min() < 0 or columns.min() < 0 or rows.max() >= shape[0] or columns.max() >= shape[1]):
            raise NetworkError(f"Sparse: weight of shape {shape} names an entry outside of it.")
        order = np.lexsort((columns, rows))
        data, rows, columns = data[order], rows[order], columns[order]
        again = np.flatnonzero((np.diff(rows) == 0) & (np.diff(columns) == 0))
        if len(again):
            raise NetworkError(
                f"Sparse: weight names entry ({rows[again[0]]}, {columns[again[0]]}) twice, and adding the two might "
                "round. Add them yourself: weight.sum_duplicates()."
            )
        starts = np.searchsorted(rows, np.arange(shape[0] + 1))
        object.__setattr__(self, "weight", as_sparse(data, columns, starts, shape))
        self._set_shapes((shape[1],), (shape[0],))

    def _matrix(self) -> Any:
        return self.weight

    def _apply(self, rows: Floats) -> Floats:
        return np.ascontiguousarray((self.weight @ rows.T).T)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parts of a csr_array: data, column indices, and the start of each row."""
        kept = self.weight
        return {
            "data": kept.data,
            "indices": kept.indices.astype(np.int64),
            "starts": kept.indptr.astype(np.int64),
        }

    def settings(self) -> dict[str, Any]:
        """Its shape."""
        return {"shape": [self.n_out, self.n_in]}

    @classmethod
    def from_parts(cls, settings: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Operator:
        """The operator that has these `settings()` and `arrays()`."""
        from scipy.sparse import csr_array

        parts = tuple(np.array(arrays[name]) for name in ("data", "indices", "starts"))
        try:
            weight = csr_array(parts, shape=tuple(settings["shape"]))
            weight.check_format(full_check=True)
        except (ValueError, TypeError, IndexError) as error:
            raise NetworkError(f"Sparse: these are no parts of a csr_array: {error}") from error
        return cls(weight)


@dataclass(frozen=True, eq=False, repr=False)
class Select(Operator):
    """Selection: value i of the result is value indices[i] of the source; index -1 gives zero.

    Use it for slices, permutations, padding with zeros and copies. A concatenation is a level with one Select per
    source.

    indices : integers from -1 to n_in - 1, shape (n_out,), at least one. Stored as read-only int64.
    n_in : number of values of the source.
    Raises NetworkError if there is no index, or one is out of range or not an integer.
    """

    indices: Integers
    n_in: int

    def __post_init__(self) -> None:
        n_in = whole(self.n_in, "Select: n_in", 1)
        object.__setattr__(self, "indices", as_indices(self.indices, "Select: indices", -1, n_in))
        self._set_shapes((n_in,), (len(self.indices),))

    @classmethod
    def all(cls, n: int) -> Select:
        """The identity on n values."""
        return cls(np.arange(n), n)

    @property
    def is_identity(self) -> bool:
        """Whether the operator is the identity."""
        return self.n_in == self.n_out and bool((self.indices == np.arange(self.n_in)).all())

    def _matrix(self) -> Any:
        kept = self.indices >= 0
        starts = np.concatenate(([0], np.cumsum(kept)))
        return as_sparse(np.ones(int(starts[-1])), self.indices[kept], starts, (self.n_out, self.n_in))

    def _apply(self, rows: Floats) -> Floats:
        result = rows[:, self.indices]
        result[:, self.indices < 0] = 0.0
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The indices."""
        return {"indices": self.indices}

    def settings(self) -> dict[str, Any]:
        """The number of values of the source."""
        return {"n_in": self.n_in}


@dataclass(frozen=True, eq=False, repr=False)
class Scale(Operator):
    """Elementwise multiplication by constant factors.

    factors : one number, together with n; or float64, shape (n,). Stored as a read-only array of shape (n,).
    n : number of units; optional if factors is an array.
    Raises NetworkError if a factor is not finite, or if there are not n factors.
    """

    factors: Floats
    n: int | None = None

    def __post_init__(self) -> None:
        factors = one_a_unit(self.factors, self.n, "Scale", "factor")
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "n", len(factors))
        self._set_shapes((len(factors),), (len(factors),))

    def _matrix(self) -> Any:
        return diagonal(self.factors)

    def _apply(self, rows: Floats) -> Floats:
        return rows * self.factors

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The factors, one per unit."""
        return {"factors": self.factors}


@dataclass(frozen=True, eq=False, repr=False)
class Divide(Operator):
    """Elementwise division, exact: the reciprocal, which is rarely a float64, is never computed.

    A float is m * 2^e with an integer m, so `matrix` holds 2^-e with the sign of the number, and `divisors` holds |m|.

    numbers : one number, together with n; or float64, shape (n,). Stored as a read-only array of shape (n,).
    n : number of units; optional if numbers is an array.
    Raises NetworkError if a number is zero, not finite, or so small that 2^-e exceeds float64, or if there are not n
    numbers.
    """

    numbers: Floats
    n: int | None = None

    def __post_init__(self) -> None:
        numbers = one_a_unit(self.numbers, self.n, "Divide", "number")
        for wrong, said in ((numbers == 0.0, "nothing is divided by zero"), (finest_bits(numbers) < FINEST, TOO_FINE)):
            if wrong.any():
                place = int(np.flatnonzero(wrong)[0])
                raise NetworkError(f"Divide: numbers[{place}] is {numbers[place]}; {said}.")
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "n", len(numbers))
        self._set_shapes((len(numbers),), (len(numbers),))

    @cached_property
    def _parts(self) -> tuple[Floats, Integers]:
        """2^-e with the sign of each number, and |m|; e is 0 for integers below 2^53, and as small as possible for
        larger ones."""
        exponents = finest_bits(self.numbers)
        lengths = np.frexp(self.numbers)[1] - exponents
        exponents = exponents - np.clip(exponents, 0, MANTISSA - lengths)
        wholes = np.ldexp(np.abs(self.numbers), -exponents).astype(np.int64)
        wholes.setflags(write=False)
        return np.copysign(np.ldexp(1.0, -exponents), self.numbers), wholes

    @property
    def divisors(self) -> Integers:
        """|m| of each number m * 2^e, int64 (n,), less than 2^53."""
        return self._parts[1]

    def _matrix(self) -> Any:
        return diagonal(self._parts[0])

    def _apply(self, rows: Floats) -> Floats:
        return rows / self.numbers

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, one per unit."""
        return {"numbers": self.numbers}


TOO_FINE = "its last bit is below 2^-1023, so that what it is divided into leaves the range of float64"


def one_a_unit(values: ArrayLike, n: int | None, what: str, noun: str) -> Floats:
    """A number for each of n units, as a read-only float64 array (n,). Raises NetworkError if they are not finite or
    not n."""
    numbers = as_finite(values, f"{what}: {noun}s")
    if numbers.ndim == 0 and n is None:
        raise NetworkError(f"{what}: one {noun} for how many units? Give n: {what}({float(numbers)}, n).")
    units = len(numbers) if n is None else whole(n, f"{what}: n", 1)
    if numbers.ndim == 0:
        numbers = np.full(units, float(numbers))
        numbers.setflags(write=False)
    if numbers.shape != (units,) or units == 0:
        raise NetworkError(f"{what}: {noun}s must be one number or have shape ({units},), got shape {numbers.shape}.")
    return numbers


def diagonal(numbers: Floats) -> Any:
    """The sparse diagonal matrix with these numbers."""
    n = len(numbers)
    return as_sparse(np.array(numbers), np.arange(n), np.arange(n + 1), (n, n))


def finest_bits(numbers: Floats) -> Integers:
    """The exponent of each number's last bit, int64 (n,): the number is an odd integer times 2 to this power; 0 for
    zero."""
    mantissas, exponents = np.frexp(numbers)
    wholes = (np.abs(mantissas) * 2.0**MANTISSA).astype(np.int64)
    last = np.frexp((wholes & -wholes).astype(np.float64))[1]  # one more than the position of the last bit
    return np.where(wholes == 0, 0, exponents.astype(np.int64) - MANTISSA + last - 1)


def as_indices(values: ArrayLike | Sequence[int], name: str, least: int, end: int) -> Integers:
    """Integers from `least` to end - 1 as a read-only int64 array, at least one. Raises NetworkError otherwise."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise NetworkError(
            f"{name} must be a flat sequence of at least one whole number, got shape {array.shape} of {array.dtype}."
        )
    wrong = np.flatnonzero((array < least) | (array >= end))
    if len(wrong):
        raise NetworkError(f"{name}[{wrong[0]}] is {array[wrong[0]]}; allowed are {least} to {end - 1}.")
    result = np.array(array, dtype=np.int64)
    result.setflags(write=False)
    return result
