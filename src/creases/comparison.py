"""Two networks on one domain: where they differ, by how much, and whether they are equal.

Both are levels of one network whose outputs are the differences; its regions are the common refinement of the regions
of both. Two more neurons for each output cut them where a difference is zero, so that each region has one sign, proved
like all others: the networks are equal exactly if no such neuron is active anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex import Complex
from creases.complex.decisions import last_bits
from creases.complex.faults import refuse_ball
from creases.complex.integrals import simplices_with_volumes
from creases.complex.ranges import Extreme, output_ranges
from creases.domain import Directions, Domain
from creases.errors import DomainError
from creases.network import Network
from creases.network.joining import signed_difference, with_two_classes
from creases.notebooks import panel, table
from creases.packing import check_fit
from creases.subdivision import subdivide
from creases.version import __version__

__all__ = ["Comparison", "Disagreement", "compare", "disagreement"]

Floats = NDArray[np.float64]
Progress = bool | Callable[[int], None] | None


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """How two networks f and g differ on a domain.

    equal : whether f = g on all of the domain, proved if `certified`.
    regions : number of regions of the common refinement, cut where an output of f and of g are equal.
    certified : True only if every sign was proved.
    complex : these regions; the outputs of its network are f - g.
    seconds : wall time of the subdivision. networks : sha256 of f and of g. version : version of Creases.
    """

    equal: bool
    regions: int
    certified: bool
    complex: Complex = field(repr=False)
    seconds: float
    networks: tuple[str, str]
    version: str = __version__

    @cached_property
    def _ranges(self) -> list[tuple[Extreme, Extreme]]:
        return output_ranges(self.complex)

    @property
    def minimum(self) -> tuple[Extreme, ...]:
        """The minimum of each output's f - g, with a vertex of `complex` where it is taken, exactly."""
        return tuple(low for low, _ in self._ranges)

    @property
    def maximum(self) -> tuple[Extreme, ...]:
        """The maximum of each output's f - g, likewise."""
        return tuple(high for _, high in self._ranges)

    @property
    def largest_difference(self) -> float:
        """The largest |f - g| of any output on the domain; infinite if there is no bound."""
        return max(abs(each.value) for pair in self._ranges for each in pair)

    @property
    def witness(self) -> Floats | None:
        """A point where f and g differ most, float64 (n_in,), rounded; None if they are equal. If the difference has no
        bound, a point inside a region where they differ.
        """
        if self.equal:
            return None
        extremes = [each for pair in self._ranges for each in pair]
        most = max(extremes, key=lambda each: np.inf if each.exact is None else abs(each.exact))
        sliced = self.complex.domain.slice
        if most.exact is not None:
            return np.asarray(sliced.points(self.complex.vertices[most.vertex]))
        cell = int(np.flatnonzero(self._differs)[0])
        return np.asarray(sliced.points(self.complex.interior_points[cell]))

    @property
    def _differs(self) -> NDArray[np.bool_]:
        return np.asarray(sign_bits(self.complex).any(axis=1))

    @cached_property
    def integral(self) -> Floats:
        """The integral of |f - g| over a bounded domain, one for each output, float64 (n_out,).

        Raises DomainError if the domain is not bounded.
        """
        pieces = simplices_with_volumes(self.complex)
        differences = self.complex.network.forward(self.complex.domain.slice.points(self.complex.vertices))
        # A difference has one sign on each simplex; where it is proved to be zero, rounding is not added up.
        signs, n = sign_bits(self.complex), self.complex.network.n_out
        differs = (signs[:, :n] | signs[:, n:])[pieces.cells]
        means = np.where(differs, np.abs(differences)[pieces.corners].mean(axis=1), 0.0)
        return np.asarray(pieces.volumes @ means)

    def __repr__(self) -> str:
        certified = "certified" if self.certified else "NOT certified"
        said = "equal" if self.equal else "not equal"
        return f"Comparison({said}, {self.regions:,} regions, {certified}, {self.complex.domain!r})"

    def _repr_html_(self) -> str:
        rows = [
            ("regions of the common refinement", f"{self.regions:,}"),
            ("certified", "yes, every sign is proved" if self.certified else "NO"),
            ("domain", repr(self.complex.domain)),
            ("networks", ", ".join(name[:12] for name in self.networks)),
        ]
        return panel("equal" if self.equal else "not equal", table(rows))


def compare(
    f: Network, g: Network, domain: Domain, *, threads: int | None = None, progress: Progress = None
) -> Comparison:
    """Compare two networks on a domain: equal or not, extremes of f - g, the integral of |f - g|.

    f, g : networks with as many inputs and outputs. threads, progress : as for `creases.subdivide`.
    Raises NetworkError if their sizes differ; DomainError if the domain does not fit, or is a Ball or `Directions`;
    NotEnoughMemoryError as `subdivide` does.

    Examples
    --------
    >>> from creases import Box, Network
    >>> f = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])  # |x|
    >>> g = Network.from_arrays([[[2.0], [-3.0]], [[0.5, 1.0]]], [[0.0, 0.0], [0.0]])  # x, or -3 x
    >>> found = compare(f, g, Box([-1], [1]))
    >>> found.equal, found.minimum[0].exact, found.integral
    (False, Fraction(-2, 1), array([1.]))
    """
    refuse_ball(domain, "Comparisons")
    if isinstance(domain, Directions):
        raise DomainError(f"Networks are compared on points, and {domain!r} has directions. Take a Space or a Box.")
    start = time.perf_counter()
    joined = signed_difference(f, g)
    check_fit(joined, domain)
    cells = subdivide(joined, domain, threads=threads, progress=progress)
    seconds = time.perf_counter() - start
    equal = not sign_bits(cells).any()
    return Comparison(equal, len(cells), cells.certified, cells, seconds, (f.sha256, g.sha256))


def sign_bits(complex: Complex) -> NDArray[np.bool_]:
    """Which differences are positive on each cell, and then which are negative, bool (cells, 2 n_out)."""
    return last_bits(complex, 2 * complex.network.n_out)


class Disagreement(NamedTuple):
    """Where two classifiers give different classes.

    volume : float, the d-volume of the part of the domain where their classes differ, in units of input space.
    share : float, its part of the domain.
    volumes : float64 (classes of f, classes of g), the volume for each pair of classes.
    cells : bool (cells,), whether the classes differ on each cell. complex : the regions, each of which has one class
        of each network.
    """

    volume: float
    share: float
    volumes: Floats
    cells: NDArray[np.bool_]
    complex: Complex

    def __repr__(self) -> str:
        return f"Disagreement({self.share:.3%} of the domain, {int(self.cells.sum()):,} of {len(self.cells):,} regions)"


def disagreement(
    f: Network, g: Network, domain: Domain, *, threads: int | None = None, progress: Progress = None
) -> Disagreement:
    """The part of a bounded domain where two classifiers give different classes.

    A class is the largest output, the lowest index among equal ones. threads, progress : as for `creases.subdivide`.
    Raises NetworkError if the networks have different numbers of inputs; DomainError if the domain does not fit or is
    not bounded.
    """
    joined = with_two_classes(f, g)
    check_fit(joined, domain)
    cells: Any = subdivide(joined, domain, threads=threads, progress=progress)
    winners = last_bits(cells, f.n_out + g.n_out)
    one, other = winners[:, : f.n_out].argmax(axis=1), winners[:, f.n_out :].argmax(axis=1)
    volumes = np.zeros((f.n_out, g.n_out))
    np.add.at(volumes, (one, other), cells.volumes)
    if not np.isfinite(volumes).all():
        raise DomainError(f"{domain!r} has no finite volume. Take a bounded domain, like Box or Plane.square.")
    differ = one != other
    volume = float(cells.volumes[differ].sum())
    return Disagreement(volume, volume / float(volumes.sum()), volumes, differ, cells)
