"""The whole input space R^n."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from creases.domain.slice import Described, Slice
from creases.errors import DomainError

__all__ = ["Space"]


@dataclass(frozen=True, eq=False, repr=False)
class Space(Described):
    """All of R^n, in its own coordinates.

    n : number of inputs, at least 1.
    """

    n: int
    slice: Slice = field(init=False)
    vertices: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        whole = isinstance(self.n, (int, float, np.number)) and not isinstance(self.n, bool)
        if not (whole and np.isfinite(self.n) and int(self.n) == self.n and self.n >= 1):
            raise DomainError(f"Space needs a whole number of dimensions, at least 1; got {self.n!r}.")
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "slice", Slice.identity(self.n))

    def __repr__(self) -> str:
        return f"Space({self.n})"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        return {"kind": "space", "n": self.n}
