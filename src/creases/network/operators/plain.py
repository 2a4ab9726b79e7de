"""Operators without geometry: a dense matrix, a sparse one, a selection of values, a scale of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import Floats, Integers, Operator, as_finite, as_sparse, whole

__all__ = ["Dense", "Scale", "Select", "Sparse"]


@dataclass(frozen=True, eq=False, repr=False)
class Dense(Operator):
    """A matrix: values -> weight @ values.

    weight : float64, shape (n_out, n_in), both at least 1. Read-only.
    Raises NetworkError if it is no matrix, is empty, or holds a number that is not finite.
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
        """The operator of a weight that is already checked, float64, C order and read-only: it is not copied."""
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

    weight : any matrix or array of scipy.sparse, shape (n_out, n_in); kept as a read-only csr_array of float64.
    Raises NetworkError if it is none, is empty, holds a number that is not finite, or names an entry twice: adding the
    two might round.
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
        except (ValueError, IndexError) as error:  # a csr_matrix, say, that names a column it has not
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
        """The parts of a csr_array: its numbers, their columns, and where each row starts."""
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
    """Values of the source, in any order: value i of the result is value indices[i] of the source; -1 gives zero.

    A slice, a permutation, padding with zeros, a copy; a concatenation is a level with one Select for each source.

    indices : whole numbers from -1 to n_in - 1, shape (n_out,), at least one. Kept as read-only int64.
    n_in : number of values of the source.
    Raises NetworkError if an index is out of range or no whole number, or there is none.
    """

    indices: Integers
    n_in: int

    def __post_init__(self) -> None:
        n_in = whole(self.n_in, "Select: n_in", 1)
        object.__setattr__(self, "indices", as_indices(self.indices, "Select: indices", -1, n_in))
        self._set_shapes((n_in,), (len(self.indices),))

    @classmethod
    def all(cls, n: int) -> Select:
        """The identity: a copy of n values."""
        return cls(np.arange(n), n)

    @property
    def is_identity(self) -> bool:
        """Whether it is a copy of all values in their order."""
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
    """Each value times a number of its own.

    factors : a number, with n; or float64, shape (n,), one a unit. Kept as a read-only array of shape (n,).
    n : number of units; may be left out where factors has one a unit.
    Raises NetworkError if a factor is not finite, or their number is not n.
    """

    factors: Floats
    n: int | None = None

    def __post_init__(self) -> None:
        factors = as_finite(self.factors, "Scale: factors")
        if factors.ndim == 0 and self.n is None:
            raise NetworkError(f"Scale: one factor for how many units? Give n: Scale({float(factors)}, n).")
        n = len(factors) if self.n is None else whole(self.n, "Scale: n", 1)
        if factors.ndim == 0:
            factors = np.full(n, float(factors))
            factors.setflags(write=False)
        if factors.shape != (n,) or n == 0:
            raise NetworkError(f"Scale: factors must be one number or have shape ({n},), got shape {factors.shape}.")
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "n", n)
        self._set_shapes((n,), (n,))

    def _matrix(self) -> Any:
        return as_sparse(np.array(self.factors), np.arange(self.n_in), np.arange(self.n_in + 1), (self.n_in, self.n_in))

    def _apply(self, rows: Floats) -> Floats:
        return rows * self.factors

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The factors, one a unit."""
        return {"factors": self.factors}


def as_indices(values: ArrayLike | Sequence[int], name: str, least: int, end: int) -> Integers:
    """Whole numbers from `least` to end - 1 as a read-only int64 array, at least one; NetworkError otherwise."""
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
