"""A whole affine subspace of input space, of any dimension."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.arrays import as_floats
from creases.domain.slice import Described, Slice, as_point
from creases.errors import DomainError

__all__ = ["Subspace"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Subspace(Described):
    """The whole affine subspace u -> origin + sum_i u_i basis_i of the input space.

    origin : shape (n_in,) or the network's input shape.
    basis : shape (d, n_in); the rows need not be orthonormal and are kept as given.
    Raises DomainError if a coordinate is not finite, the shapes differ, or the rows are linearly dependent.

    Examples
    --------
    >>> Subspace([0, 0, 0, 0], [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]])
    Subspace(n_in=4, dimension=3)
    """

    origin: Floats
    basis: Floats
    slice: Slice = field(init=False)
    vertices: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        origin = as_point(self.origin, "origin")
        basis = as_floats(self.basis, "basis", DomainError)
        if basis.ndim < 2 or not len(basis):
            raise DomainError(f"The basis of a subspace has one row a dimension, got an array of shape {basis.shape}.")
        basis = np.ascontiguousarray(basis.reshape(len(basis), -1))
        if basis.shape[1] != origin.size:
            raise DomainError(
                f"Subspace needs an origin and a basis of one space, got {origin.size} and {basis.shape[1]} "
                "coordinates."
            )
        if not np.isfinite(basis).all():
            raise DomainError("A basis vector of the subspace has a coordinate that is not finite.")
        sliced = Slice(origin, basis, np.zeros_like(basis))
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "basis", sliced.basis)
        object.__setattr__(self, "slice", sliced)

    @property
    def dimension(self) -> int:
        """d, the number of basis vectors."""
        return self.slice.dimension

    def __repr__(self) -> str:
        return f"Subspace(n_in={self.origin.size}, dimension={self.dimension})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {"kind": "subspace", "origin": self.origin.tolist(), "basis": self.basis.tolist()}
