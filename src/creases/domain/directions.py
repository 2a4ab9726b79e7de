"""The sphere of directions of R^n: on it the regions are the cones of a network far from the origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from creases.domain.slice import Described, Slice, as_dimensions

__all__ = ["Directions"]


@dataclass(frozen=True, eq=False, repr=False)
class Directions(Described):
    """All directions of R^n: the sphere S^(n-1).

    n : number of inputs, at least 1. Counts need n <= 9, that is a sphere of at most eight dimensions.

    A network without biases is scale equivariant, so its regions are open cones, and the sphere has as many regions as
    any ball around the origin. For a network with biases the regions are those of `network.without_biases()`: far from
    the origin a pre-activation has the sign of its linear part (Hanin and Rolnick 2019, appendix D).
    """

    n: int
    slice: Slice = field(init=False)
    vertices: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", as_dimensions(self.n, "Directions"))
        object.__setattr__(self, "slice", Slice.identity(self.n))

    @property
    def dimension(self) -> int:
        """n - 1, the dimension of the sphere."""
        return self.n - 1

    def __repr__(self) -> str:
        return f"Directions({self.n})"

    def to_dict(self) -> dict[str, Any]:
        """The domain as plain numbers for JSON; `domain_from_dict` is the inverse."""
        return {"kind": "directions", "n": self.n}
