"""Count the linear regions of a network on a domain."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from creases.domain import Domain
from creases.network import Network
from creases.notebooks import panel, table
from creases.subdivision import subdivide
from creases.version import __version__

__all__ = ["LinearCount", "count_linear_regions"]


@dataclass(frozen=True, repr=False)
class LinearCount:
    """The numbers of linear regions and of affine maps of a network on a domain.

    linear_regions : connected components of the inputs near which the gradient of the network, restricted to the
        domain, is constant (Hanin and Rolnick 2019, section 2).
    affine_maps : number of different affine maps, at most linear_regions, since two linear regions may have the same
        map.
    activation_regions : as `creases.count` counts them; at least linear_regions.
    certified : True only if every sign, and every equality or difference of maps, was proved.
    seconds : wall time in seconds.
    domain : the domain. network : sha256 of the network. version : version of Creases that made the count.
    """

    linear_regions: int
    affine_maps: int
    activation_regions: int
    certified: bool
    seconds: float
    domain: Domain
    network: str
    version: str = __version__

    def __repr__(self) -> str:
        certified = "certified" if self.certified else "NOT certified"
        return (
            f"LinearCount({self.linear_regions:,} linear regions, {self.affine_maps:,} affine maps, "
            f"{self.activation_regions:,} activation regions, {certified}, {self.seconds:.3g} s, {self.domain!r}, "
            f"network={self.network[:12]})"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("affine maps", f"{self.affine_maps:,}"),
            ("activation regions", f"{self.activation_regions:,}"),
            ("certified", "yes, every sign is proved" if self.certified else "NO"),
            ("domain", repr(self.domain)),
            ("network", self.network[:12]),
            ("time", f"{self.seconds:.3g} s"),
        ]
        return panel(f"{self.linear_regions:,} linear regions", table(rows))


def count_linear_regions(
    network: Network,
    domain: Domain,
    *,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> LinearCount:
    """Count the linear regions of `network` on `domain`, and its different affine maps.

    A linear region is a connected set on which the gradient is constant (Hanin and Rolnick 2019, section 2). It is a
    union of activation regions and parts of their facets, so the activation regions are listed first
    (`creases.subdivide`), which takes memory. `Complex.linear_regions` gives the linear region of each activation
    region.
    The arguments are those of `subdivide`. Returns a `LinearCount`.
    Raises DomainError and NotEnoughMemoryError as `subdivide` does.

    Examples
    --------
    >>> from creases import Network, Segment
    >>> network = Network.from_arrays([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.0, -1.0], [0.0]])
    >>> found = count_linear_regions(network, Segment([-1.0], [2.0]))
    >>> found.linear_regions, found.affine_maps, found.activation_regions
    (3, 3, 3)
    """
    start = time.perf_counter()
    cells = subdivide(network, domain, threads=threads, progress=progress)
    return LinearCount(
        linear_regions=int(cells.linear_regions.max()) + 1,
        affine_maps=int(cells.affine_maps.max()) + 1,
        activation_regions=len(cells),
        certified=cells.certified,
        seconds=time.perf_counter() - start,
        domain=domain,
        network=network.sha256,
    )
