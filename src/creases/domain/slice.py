"""The affine map of every domain: coordinates u in R^d -> origin + basis u in input space.

The basis of a segment is the difference of two points, which is not always a float64. But the difference of two floats
is exactly the sum of two floats (Knuth's TwoSum), so a slice stores a head and a tail, and the domain that is cut is
exactly the given one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.errors import DomainError
from creases.limits import MOST_DIMENSIONS
from creases.notebooks import panel, table
from creases.rationals import independent, whole

__all__ = ["MOST_DIMENSIONS", "Described", "Slice", "as_dimensions", "as_point", "difference"]

Floats = NDArray[np.float64]


def as_point(values: ArrayLike, name: str) -> Floats:
    """A point given flat or in the network's input shape, as a read-only float64 vector of shape (n_in,).

    Raises DomainError, with `name`, if a coordinate is not a finite real number or there are no coordinates.
    """
    point = as_floats(values, name, DomainError).ravel()
    if point.size == 0:
        raise DomainError(f"{name} is empty; a point needs at least one coordinate.")
    if not np.isfinite(point).all():
        i = int(np.argmin(np.isfinite(point)))
        raise DomainError(f"{name} has coordinate {i} = {point[i]}; every coordinate must be finite.")
    point.setflags(write=False)
    return point


def as_dimensions(n: Any, name: str) -> int:
    """A number of inputs as an int. Raises DomainError, with the name of the domain, unless it is an integer of at
    least 1."""
    whole = isinstance(n, (int, float, np.number)) and not isinstance(n, bool)
    if not (whole and np.isfinite(n) and int(n) == n and n >= 1):
        raise DomainError(f"{name} needs a whole number of dimensions, at least 1; got {n!r}.")
    return int(n)


def difference(end: Floats, start: Floats) -> tuple[Floats, Floats]:
    """end - start as (head, tail) with head + tail exact (Knuth, The Art of Computer Programming 2, 4.2.2).

    Raises DomainError if the difference overflows.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        head = end - start
        back = head - end
        tail = (end - (head - back)) - (start + back)
    if not (np.isfinite(head).all() and np.isfinite(tail).all()):
        raise DomainError("The points are so far apart that their difference overflows float64.")
    return head, tail


def check_independent(rows: list[list[Fraction]]) -> None:
    """Raise DomainError if the exact basis vectors are linearly dependent."""
    rank = len(independent([whole(row) for row in rows]))
    if rank == len(rows):
        return
    if len(rows) == 2:
        raise DomainError(
            "The two directions of the plane are parallel (three points in a line, or equal points). "
            "Choose points that are not collinear."
        )
    raise DomainError(
        f"The {len(rows)} basis vectors are linearly dependent; they span a subspace of {rank} dimensions. Leave out "
        "those that the others give."
    )


def are_axes(basis: Floats, tail: Floats) -> bool:
    """Whether each basis vector is parallel to a different coordinate axis."""
    if tail.any() or (np.count_nonzero(basis, axis=1) != 1).any():
        return False
    return bool((np.count_nonzero(basis, axis=0) <= 1).all())


class Described:
    """Equality of domains: those of one kind with the same numbers are equal."""

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Described) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict()))

    def _repr_html_(self) -> str:
        from creases.domain.described import rows_of

        return panel(type(self).__name__, table(rows_of(self)))


@dataclass(frozen=True, eq=False, repr=False)
class Slice:
    """The affine map u -> origin + sum_i u_i (basis[i] + basis_tail[i]) from R^d into input space.

    origin : float64, shape (n_in,).
    basis : float64, shape (d, n_in). The rows need not be orthonormal and are kept as given.
    basis_tail : float64, shape (d, n_in). The rounding errors of `basis`, so that the sum is more precise; zero for a
        basis that was given directly.
    Raises DomainError if the rows are linearly dependent, which is decided in rational arithmetic.
    """

    origin: Floats
    basis: Floats
    basis_tail: Floats

    def __post_init__(self) -> None:
        if self.basis.ndim != 2 or self.basis.shape[1] != self.origin.size:
            raise DomainError(
                f"The basis must have one row of {self.origin.size} coordinates a dimension, got {self.basis.shape}."
            )
        if len(self.basis) == 1:
            # A single vector is independent if it is not zero; the sum of two floats is zero if one is the negative of
            # the other.
            if not (self.basis != -self.basis_tail).any():
                raise DomainError("The direction is zero; a line needs two different points.")
        elif not are_axes(self.basis, self.basis_tail):
            check_independent(
                [
                    [Fraction(h) + Fraction(t) for h, t in zip(head, tail, strict=True)]
                    for head, tail in zip(self.basis.tolist(), self.basis_tail.tolist(), strict=True)
                ]
            )
        for array in (self.origin, self.basis, self.basis_tail):
            array.setflags(write=False)

    @property
    def dimension(self) -> int:
        """d, the number of coordinates u."""
        return int(self.basis.shape[0])

    @property
    def n_in(self) -> int:
        """Number of coordinates of input space."""
        return int(self.origin.size)

    def points(self, coordinates: ArrayLike) -> Floats:
        """The inputs, float64 (..., n_in), with slice coordinates u of shape (..., d)."""
        u = np.asarray(coordinates, dtype=np.float64)
        return np.asarray(self.origin + u @ self.basis + u @ self.basis_tail)

    def coordinates(self, points: ArrayLike) -> Floats:
        """The slice coordinates, float64 (..., d), of the points of the slice nearest to inputs (..., n_in)."""
        offsets = np.asarray(points, dtype=np.float64) - self.origin
        return np.asarray(np.linalg.lstsq(self.basis.T, offsets.reshape(-1, self.n_in).T, rcond=None)[0].T).reshape(
            *offsets.shape[:-1], self.dimension
        )

    @classmethod
    def identity(cls, n: int) -> Slice:
        """The identity of R^n as a slice."""
        return cls(np.zeros(n), np.eye(n), np.zeros((n, n)))
