"""Whole spaces of three and four dimensions: do random networks there have as many regions as hyperplanes in general
position?

The paper counts in planes. Here He networks are counted on all of R^n, where N hyperplanes in general position have
sum_k C(N, k) regions, and on the sphere of directions, where N central ones have 2 sum_{k<n} C(N - 1, k).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.counting import count
from creases.domain import Directions, Space
from creases.network import Network
from creases.paper.claims import Numbers
from creases.paper.fluctuations import relative_variance
from creases.paper.jackknife import pseudo_values
from creases.streams import stream
from creases.theory.maximum import central, zaslavsky

__all__ = ["CASES", "Mean", "as_markdown", "he_network_of", "mean_counts", "with_interval"]

# Inputs and hidden widths.
CASES: tuple[tuple[int, tuple[int, ...]], ...] = (
    (3, (10, 10)),
    (3, (20, 20)),
    (3, (10,) * 4),
    (4, (8, 8)),
    (4, (12, 12)),
    (4, (16, 16)),
)
# Multiplying all biases by a factor scales the whole space, and does not change the count.
BIAS = 0.1


class Mean(NamedTuple):
    """Counts of one architecture over seeds, with the number for hyperplanes.

    n_in, widths : the architecture. domain : "R^n" or "directions". counts : one per seed.
    hyperplanes : regions of as many hyperplanes in general position (central ones for directions).
    """

    n_in: int
    widths: tuple[int, ...]
    domain: str
    counts: tuple[int, ...]
    hyperplanes: int

    @property
    def mean(self) -> float:
        """The mean count."""
        return statistics.fmean(self.counts)

    @property
    def deviation(self) -> float:
        """Standard deviation over the seeds; 0 for one seed."""
        return statistics.stdev(self.counts) if len(self.counts) > 1 else 0.0

    @property
    def ratio(self) -> Numbers:
        """Counts divided by the number for hyperplanes, over seeds."""
        return Numbers.of(np.array(self.counts, dtype=np.float64) / self.hyperplanes)

    @property
    def variation(self) -> Numbers:
        """Standard deviation / mean of the count, over groups of seeds; its interval is the jackknife's."""
        values = np.array(self.counts, dtype=np.float64)
        seeds = range(len(values))

        def of(some: set[int]) -> NDArray[np.float64]:
            return np.array([relative_variance(values[sorted(some)]) ** 0.5])

        return Numbers.of(pseudo_values(seeds, of)[:, 0])


def he_network_of(n_in: int, widths: Sequence[int], seed: int) -> Network:
    """A float64 network at He initialisation: weights N(0, 2 / fan-in), biases N(0, BIAS^2), one output."""
    rng = stream("network", seed)
    weights, biases = [], []
    for below, above in pairwise((n_in, *widths, 1)):
        weights.append(rng.standard_normal((above, below)) * np.sqrt(2 / below))
        biases.append(rng.standard_normal(above) * BIAS)
    return Network.from_arrays(weights, biases)


def mean_counts(
    seeds: int, cases: Sequence[tuple[int, Sequence[int]]] = CASES, *, done: Callable[[], None] = lambda: None
) -> list[Mean]:
    """Count networks with seeds 0 ... seeds - 1 of each case, on the whole space and on its directions.

    done : called after each network. All counts are certified; an uncertified one would be an error of the engine.
    """
    found = []
    for n_in, widths in cases:
        networks = [he_network_of(n_in, widths, seed) for seed in range(seeds)]
        spaces, directions = [], []
        for network in networks:
            spaces.append(count(network, Space(n_in), progress=False))
            directions.append(count(network, Directions(n_in), progress=False))
            done()
        assert all(result.certified for result in spaces + directions)
        neurons = sum(widths)
        for name, results, hyperplanes in (
            (f"R^{n_in}", spaces, zaslavsky(neurons, n_in)),
            ("directions", directions, central(neurons, n_in)),
        ):
            counts = tuple(result.regions for result in results)
            found.append(Mean(n_in, tuple(widths), name, counts, hyperplanes))
    return found


def as_markdown(means: Sequence[Mean]) -> str:
    """The table of the documentation."""
    lines = [
        "| inputs | hidden | domain | seeds | mean count ± sd | hyperplanes | mean / hyperplanes | sd / mean |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in means:
        cells = [
            str(row.n_in),
            ", ".join(map(str, row.widths)),
            row.domain,
            str(len(row.counts)),
            f"{row.mean:,.1f} ± {row.deviation:,.1f}",
            f"{row.hyperplanes:,}",
            with_interval(row.ratio),
            with_interval(row.variation),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_interval(numbers: Numbers) -> str:
    """An estimate with its 95 % interval; only the estimate if there is one run."""
    if numbers.runs < 2:
        return "" if np.isnan(numbers.mean) else f"{numbers.mean:.3f}"
    return f"{numbers.mean:.3f} [{numbers.low:.3f}, {numbers.high:.3f}]"
