"""Measurements of a network during its training, as plain values.

`prepare` does the work that is common to all moments, such as drawing planes, and returns a function from networks to
numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from creases.counting import count_many
from creases.domain import Domain
from creases.errors import NetworkError
from creases.network import Network
from creases.paper.choices import DomainChoice
from creases.streams import stream
from creases.theory.constants import bias_constant, gradient_constant
from creases.theory.distances import boundary_distance
from creases.training import Task

__all__ = [
    "BINS",
    "Constants",
    "DistanceHistogram",
    "Distances",
    "Measure",
    "Measured",
    "Measuring",
    "Patterns",
    "Regions",
    "WithoutBiases",
    "bin_name",
]

# The fractions of the points that are nearer to a boundary than the measured quantiles.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Lower ends of the bins of log10(distance x N), which have equal widths; the first and the last also contain all values
# beyond them.
BINS = tuple(-2.5 + 0.25 * i for i in range(17))


class Measured(NamedTuple):
    """One number. measure : its name. domain : name of the domain. certified : for counts, whether every sign was
    proved.
    """

    measure: str
    domain: str
    value: float
    certified: bool | None = None


Measuring = Callable[[Network], list[Measured]]


class Measure(Protocol):
    """The protocol of measurements."""

    def prepare(self, task: Task) -> Measuring:
        """A function that measures networks on this task."""


@dataclass(frozen=True)
class Regions:
    """Numbers of activation regions on domains; one row "regions" per domain."""

    domains: DomainChoice

    def prepare(self, task: Task) -> Measuring:
        """See `Measure`. Counts use one thread, because the runs are already distributed over the cores."""
        named = self.domains.build(task)
        return lambda network: counted(network, named, "regions")


@dataclass(frozen=True)
class WithoutBiases:
    """Numbers of activation regions of the network with all biases set to zero; one row "regions without biases" per
    domain.

    On domains that are cones, such as planes through the origin and whole spaces, there are at most as many as for the
    network itself, for any biases: `zero_bias_map` is injective.
    """

    domains: DomainChoice

    def prepare(self, task: Task) -> Measuring:
        """See `Measure`. Counts use one thread, as in `Regions`."""
        named = self.domains.build(task)
        return lambda network: counted(network.without_biases(), named, "regions without biases")


@dataclass(frozen=True)
class Distances:
    """Euclidean distances to the nearest boundary of a region, from training examples, test examples and noise.

    points : number of points of each kind. The rows are "distance" (the mean), "distance 5 %" ... "distance 95 %"
        (quantiles) and "log distance" (the mean of the natural logarithm). The domain is "train", "test" or "noise";
        noise has, for each pixel, the mean and the standard deviation of the training examples. Points on a boundary
        have distance 0 and are left out of the logarithm.
    Source: Hanin and Rolnick 2019 (the companion paper), section on the distance to the nearest boundary.
    """

    points: int = 1000

    def prepare(self, task: Task) -> Measuring:
        """See `Measure`."""
        rng = stream("points for distances", 0)
        mean, spread = task.train_inputs.mean(axis=0), task.train_inputs.std(axis=0)
        kinds = {"train": some(task.train_inputs, self.points, rng), "test": some(task.test_inputs, self.points, rng)}
        kinds["noise"] = mean + spread * rng.standard_normal((self.points, task.n_in))

        def measure(network: Network) -> list[Measured]:
            rows = []
            for name, points in kinds.items():
                if len(points) == 0:
                    continue
                # The runs are distributed over the cores, so threads of BLAS would only slow each other down.
                with threadpool_limits(1, user_api="blas"):
                    distances = boundary_distance(network, points)
                distances = distances[np.isfinite(distances)]  # infinite if the network has no boundary
                if len(distances):
                    rows += self.rows(name, distances, network.neurons)
            return rows

        return measure

    def rows(self, name: str, distances: NDArray[np.float64], neurons: int) -> list[Measured]:
        """The rows for the distances of one kind of points, at least one."""
        rows = [Measured("distance", name, float(distances.mean()))]
        for share, value in zip(QUANTILES, np.quantile(distances, QUANTILES).tolist(), strict=True):
            rows.append(Measured(f"distance {100 * share:g} %", name, value))
        if (distances > 0).any():
            rows.append(Measured("log distance", name, float(np.log(distances[distances > 0]).mean())))
        return rows


@dataclass(frozen=True)
class DistanceHistogram(Distances):
    """`Distances` with a histogram of log10(distance x N), where N is the number of hidden neurons.

    Rows named by `bin_name` have the fraction of the points in each of `BINS`; an empty bin has no row.
    """

    def rows(self, name: str, distances: NDArray[np.float64], neurons: int) -> list[Measured]:
        """As `Distances.rows`, with the histogram."""
        with np.errstate(divide="ignore"):
            logarithms = np.log10(distances * neurons)  # minus infinity on a boundary, which goes into the first bin
        at = np.clip(np.searchsorted(BINS, logarithms, side="right") - 1, 0, None)
        shares = np.bincount(at, minlength=len(BINS)) / len(distances)
        return super().rows(name, distances, neurons) + [
            Measured(bin_name(low), name, share) for low, share in zip(BINS, shares.tolist(), strict=True) if share > 0
        ]


def bin_name(low: float) -> str:
    """The name of the rows of the bin that begins at `low`."""
    return f"share of log10(distance x N) from {low:g}"


@dataclass(frozen=True)
class Patterns:
    """The numbers of different activation patterns of the training examples and of the test examples."""

    def prepare(self, task: Task) -> Measuring:
        """See `Measure`."""

        def measure(network: Network) -> list[Measured]:
            rows = []
            for name, points in (("train", task.train_inputs), ("test", task.test_inputs)):
                if len(points):
                    visited = np.unique(network.packed_pattern(points.astype(np.float64)), axis=0)
                    rows.append(Measured("patterns", name, float(len(visited))))
            return rows

        return measure


@dataclass(frozen=True)
class Constants:
    """The constants C_grad, a lower bound from training examples, and C_bias of the network: rows "C_grad" and
    "C_bias".

    points : number of examples. The constants of theorem 5 (Hanin and Rolnick 2019) are those of a distribution of
        networks; for one trained network they are for orientation only.
    """

    points: int = 200

    def prepare(self, task: Task) -> Measuring:
        """See `Measure`."""
        points = some(task.train_inputs, self.points, stream("points for gradients", 0)).astype(np.float64)

        def measure(network: Network) -> list[Measured]:
            rows = [Measured("C_grad", "train", gradient_constant(network, points).value)]
            with suppress(NetworkError):  # no layer has biases with a density: they are zero, for example
                rows.append(Measured("C_bias", "train", bias_constant(network).value))
            return rows

        return measure


def counted(network: Network, named: dict[str, Domain], measure: str) -> list[Measured]:
    """The activation regions on each domain, as rows of this measure."""
    counts = count_many(network, list(named.values()), threads=1, progress=False)
    return [
        Measured(measure, name, float(found.regions), found.certified)
        for name, found in zip(named, counts, strict=True)
    ]


def some(points: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """At most `count` of the points, drawn without replacement."""
    return points[rng.permutation(len(points))[:count]]
