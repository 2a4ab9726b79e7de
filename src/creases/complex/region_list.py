"""All activation regions of a network on a domain of any dimension, without their facets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.domain import Domain
from creases.network import Network
from creases.version import __version__

__all__ = ["RegionList"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class RegionList:
    """The regions of a network on a domain of three dimensions or more, or on `Directions`, as `subdivide` found them.

    network, domain : what was cut.
    patterns : uint8 (regions, ceil(bits / 8)), as `Network.packed_pattern` has them: neuron i is bit i % 8 of byte
        i // 8, and a switch has a bit for each candidate; proved.
    rays : float64 (regions, d + 1), one through the inside of each region, in homogeneous coordinates of the domain's
        slice: (u, 1) is the point u, (u, 0) the direction u.
    inside : bool (regions,); True where the ray is proved to lie inside. A region may be too thin for floats.
    by_layer, certified, exact_cells, seconds, version : as in `Count`.
    """

    network: Network
    domain: Domain
    patterns: NDArray[np.uint8]
    rays: Floats
    inside: NDArray[np.bool_]
    by_layer: tuple[int, ...]
    certified: bool
    exact_cells: int
    seconds: float
    version: str = __version__

    def __len__(self) -> int:
        return len(self.patterns)

    def __repr__(self) -> str:
        return (
            f"RegionList({len(self):,} regions, {'certified' if self.certified else 'NOT certified'}, "
            f"{self.seconds:.3g} s, {self.domain!r}, network={self.network.sha256[:12]})"
        )

    @property
    def regions(self) -> int:
        """How many there are."""
        return len(self)

    def pattern(self, index: int) -> list[NDArray[Any]]:
        """The activation pattern of a region, one array a layer as `Network.pattern` gives them: bool for neurons, the
        place of the winner in its group, int64, for switches."""
        return self.network.unpacked_pattern(self.patterns[index])

    def affine_map(self, index: int) -> tuple[Floats, Floats]:
        """The affine map x -> matrix @ x + offset of the network on a region, as `Network.affine_map` gives it."""
        return self.network.affine_map_of(self.pattern(index))

    def inputs(self) -> Floats:
        """Inputs of the network on the rays, float64 (regions, n_in): points inside the regions, or directions."""
        return np.asarray(
            self.domain.slice.points(self.rays[:, :-1]) - (1.0 - self.rays[:, -1:]) * self.domain.slice.origin
        )
