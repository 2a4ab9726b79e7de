"""The base class of operators: an exact linear map from the values of one level to the units of another.

An operator never rounds when it is created. Its `matrix` contains the given numbers, and if the map divides (an
average), the integer divisors are kept separately in `divisors`. Only `apply` rounds; it is an evaluation in float64
and proves nothing.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats, first_not_finite
from creases.errors import NetworkError

__all__ = ["LARGEST_WHOLE", "Floats", "Integers", "Operator", "as_finite", "as_sides", "as_sparse", "whole"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Larger sizes, strides and indices are taken as mistakes.
LARGEST_WHOLE = 2**31 - 1


class Operator(ABC):
    """A linear map between the values of two levels, (matrix @ values) / divisors. Immutable.

    input_shape, output_shape : tuples of int, the shapes of the values; in `apply` both are flat, in C order.
    n_in, n_out : int, the products of these shapes.
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    n_in: int
    n_out: int

    def _set_shapes(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> None:
        for name, value in (
            ("input_shape", input_shape),
            ("output_shape", output_shape),
            ("n_in", math.prod(input_shape)),
            ("n_out", math.prod(output_shape)),
        ):
            object.__setattr__(self, name, value)

    @cached_property
    def matrix(self) -> Any:
        """The exact matrix, float64 (n_out, n_in), read-only: a numpy array for Dense, else a scipy.sparse.csr_array.

        It is built on first use, without additions or multiplications of stored numbers.
        """
        return self._matrix()

    @property
    def divisors(self) -> Integers | None:
        """The integers by which the rows of `matrix` are divided, int64 (n_out,); None if there is no division."""
        return None

    def apply(self, values: ArrayLike) -> Floats:
        """Apply the map in float64 to all points at once: (..., n_in) -> (..., n_out).

        Raises NetworkError if the last axis does not have length n_in.
        """
        array = np.asarray(values, dtype=np.float64)
        if array.ndim < 1 or array.shape[-1] != self.n_in:
            raise NetworkError(f"{self!r} takes values of shape (..., {self.n_in}), got shape {array.shape}.")
        result = self._apply(array.reshape(-1, self.n_in))
        return result.reshape(*array.shape[:-1], self.n_out)

    @abstractmethod
    def _matrix(self) -> Any: ...

    @abstractmethod
    def _apply(self, rows: Floats) -> Floats:
        """float64 (b, n_in) -> (b, n_out)."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its arrays by name, float64 or int64, for the hash and for files."""

    def settings(self) -> dict[str, Any]:
        """Its other parameters by name: integers, booleans and lists of them."""
        return {}

    @classmethod
    def from_parts(cls, settings: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Operator:
        """The operator with these `settings()` and `arrays()`. Raises NetworkError if they do not define one."""
        return cls(**settings, **arrays)

    def __reduce__(self) -> tuple[Callable[..., Operator], tuple[Any, ...]]:
        # Unpickling creates it again, so that it is checked and read-only, and without its matrix.
        return type(self).from_parts, (self.settings(), self.arrays())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({by(self.input_shape)} -> {by(self.output_shape)})"


def by(shape: Sequence[int]) -> str:
    """A shape in text: 3x32x32."""
    return "x".join(str(side) for side in shape) or "1"


def as_finite(values: ArrayLike, name: str) -> Floats:
    """`values` as a new read-only float64 array in C order. Raises NetworkError, with the position, if one is not
    finite."""
    array = as_floats(values, name, NetworkError)
    if wrong := first_not_finite(array, name):
        raise NetworkError(f"{wrong}; every number of a network must be finite.")
    array.setflags(write=False)
    return array


def whole(value: Any, name: str, least: int) -> int:
    """An integer of at least `least` and at most LARGEST_WHOLE. Raises NetworkError otherwise."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise NetworkError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    if value > LARGEST_WHOLE:
        raise NetworkError(f"{name} may be {LARGEST_WHOLE:,} at most, got {value:,}.")
    return int(value)


def as_sides(value: Any, name: str, sides: int, least: int) -> tuple[int, ...]:
    """One integer per side, given as one for all sides or as a sequence. Raises NetworkError otherwise."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return (whole(value, name, least),) * sides
    several = tuple(whole(number, name, least) for number in value)
    if len(several) != sides:
        raise NetworkError(f"{name} must be one number or {sides}, one a side; got {len(several)}: {several}.")
    return several


def as_input_shape(shape: Any, name: str, sides: int | None = None) -> tuple[int, ...]:
    """A shape (channels, *sides) as a tuple. Raises NetworkError if it is not one."""
    given = tuple(shape) if hasattr(shape, "__iter__") else (shape,)
    result = tuple(whole(side, name, 1) for side in given)
    if len(result) < 2 or (sides is not None and len(result) != sides + 1):
        wanted = "(channels, side, ...)" if sides is None else f"(channels, {', '.join(['side'] * sides)})"
        raise NetworkError(f"{name} must be {wanted}, got {result}.")
    return result


def as_sparse(data: Floats, indices: Integers, starts: Integers, shape: tuple[int, int]) -> Any:
    """A read-only scipy.sparse.csr_array without stored zeros; the columns of each row are sorted and unique."""
    from scipy.sparse import csr_array

    matrix = csr_array((data, indices, starts), shape=shape)
    if not data.all():
        matrix.eliminate_zeros()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    return matrix
