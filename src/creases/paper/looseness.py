"""How loose the bounds on averages are: mean counts in cubes compared with the explicit bound and theorem 5.

He networks with Gaussian or uniform biases, in cubes around the origin. Both constants of the distribution are exact:
C_grad by `gaussian_gradient_constant`, C_bias by the density. The sides are s / (C_grad C_bias N): theorem 5 applies
from s of about one, and when all regions are met, a larger side only divides the same count by a larger volume.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from creases.counting import count
from creases.domain import Box
from creases.network import Network
from creases.paper.claims import Numbers, Verdict, below
from creases.paper.natural import ALLOWED, explicit_in_units, t_in_units
from creases.streams import stream
from creases.theory.average import t_of, theorem5_bound
from creases.theory.constants import gaussian_bias_density, uniform_bias_density
from creases.theory.gradient_laws import gaussian_gradient_constant

__all__ = ["LAWS", "SCALES", "TABLE_HEADER", "Loose", "as_markdown", "line_of", "looseness"]

WIDTHS, SIGMA, LENGTH = (16, 16), 0.5, 1.0
# Sides of the cubes, multiplied by C_grad C_bias N.
SCALES = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
TABLE_HEADER = (
    "n",
    "biases",
    "s",
    "side",
    "mean count",
    "95 % of the mean",
    "explicit / mean",
    "theorem 5 / mean",
    "smallest T",
    "verdict",
)


class Loose(NamedTuple):
    """One line: the counts in a cube, and the bounds on their mean.

    scale : s. side : s / (C_grad C_bias N). counts : mean, standard deviation over networks, 95 % interval of the mean.
    smallest_t : T-hat of the mean in units of C_grad C_bias; by theorem 5 it is at most 32. verdict : whether the mean
        is below the bound of theorem 5, that is, whether its T-hat is below 32.
    """

    input_dim: int
    biases: str
    scale: float
    side: float
    counts: Numbers
    explicit: float
    theorem5: float
    smallest_t: float
    c_grad: float
    c_bias: float
    verdict: Verdict

    def cells(self) -> list[str]:
        """As text, in the order of TABLE_HEADER."""
        return [
            str(self.input_dim),
            self.biases,
            f"{self.scale:g}",
            f"{self.side:.3g}",
            f"{self.counts.mean:.4g}",
            f"[{self.counts.low:.4g}, {self.counts.high:.4g}]",
            f"{self.explicit / self.counts.mean:.3g}",
            f"{self.theorem5 / self.counts.mean:.3g}",
            f"{self.smallest_t:.3g}",
            str(self.verdict),
        ]


def drawing(input_dim: int, biases: str) -> Callable[[np.random.Generator], Network]:
    """A function that draws networks with He weights and biases of this kind."""

    def draw(rng: np.random.Generator) -> Network:
        weights, offsets = [], []
        for below_it, above_it in pairwise((input_dim, *WIDTHS)):
            weights.append(rng.standard_normal((above_it, below_it)) * np.sqrt(2 / below_it))
            normal, flat = rng.standard_normal(above_it) * SIGMA, rng.uniform(-LENGTH / 2, LENGTH / 2, above_it)
            offsets.append(normal if biases == "Gaussian" else flat)
        return Network.from_arrays(weights, offsets, output_layer=False)

    return draw


LAWS = {"Gaussian": gaussian_bias_density(SIGMA), "uniform": uniform_bias_density(LENGTH)}


def looseness(
    seeds: int, dimensions: Sequence[int] = (1, 2, 3), *, done: Callable[[], None] = lambda: None
) -> list[Loose]:
    """Counts over seeds 0 ... seeds - 1 in cubes of the sides SCALES. done : called after each network."""
    found = []
    for n in dimensions:
        for biases in LAWS:
            draw, counts = drawing(n, biases), np.empty((seeds, len(SCALES)))
            for seed in range(seeds):
                network = draw(stream("networks in cubes", seed))
                for column, scale in enumerate(SCALES):
                    half = np.full(n, scale * unit_of(n, biases) / 2)
                    result = count(network, Box(-half, half), progress=False)
                    assert result.certified
                    counts[seed, column] = result.regions
                done()
            found += [line_of(n, biases, scale, counts[:, i]) for i, scale in enumerate(SCALES)]
    return found


def unit_of(input_dim: int, biases: str) -> float:
    """1 / (C_grad C_bias N) of a distribution."""
    return 1.0 / (gaussian_gradient_constant(input_dim, WIDTHS) * LAWS[biases] * sum(WIDTHS))


def line_of(input_dim: int, biases: str, scale: float, counts: ArrayLike) -> Loose:
    """The line for these counts, one per network, in cubes of this scale."""
    c_grad, c_bias, neurons = gaussian_gradient_constant(input_dim, WIDTHS), LAWS[biases], sum(WIDTHS)
    side, numbers = scale * unit_of(input_dim, biases), Numbers.of(counts)
    theorem = float(theorem5_bound(neurons, input_dim, t_of(c_grad, c_bias), volume=side**input_dim))
    claim = below(theorem, f"a T of {ALLOWED:g} C_grad C_bias is enough", check=True)
    return Loose(
        input_dim,
        biases,
        scale,
        side,
        numbers,
        explicit_in_units(neurons, scale, input_dim),
        theorem,
        t_in_units(numbers.mean, scale, input_dim),
        c_grad,
        c_bias,
        claim.verdict(counts),
    )


def as_markdown(lines: Sequence[Loose]) -> str:
    """The table of the documentation."""
    numbers = ("n", "s", "side", "mean count", "explicit / mean", "theorem 5 / mean", "smallest T")
    rows = [
        f"| {' | '.join(TABLE_HEADER)} |",
        f"| {' | '.join('---:' if name in numbers else '---' for name in TABLE_HEADER)} |",
    ]
    return "\n".join(rows + [f"| {' | '.join(line.cells())} |" for line in lines])
