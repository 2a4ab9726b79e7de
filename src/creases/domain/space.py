"""The whole input space R^n."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from creases.domain.slice import Described, Slice, as_dimensions

__all__ = ["Space"]


@dataclass(frozen=True, eq=False, repr=False)
class Space(Described):
    """The whole input space R^n.

    n : number of inputs, at least 1.
    """

    n: int
    slice: Slice = field(init=False)
    vertices: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", as_dimensions(self.n, "Space"))
        object.__setattr__(self, "slice", Slice.identity(self.n))

    def __repr__(self) -> str:
        return f"Space({self.n})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {"kind": "space", "n": self.n}
