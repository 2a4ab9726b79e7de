"""How loose the average-case bounds are: mean counts in cubes beside the explicit bound and theorem 5.

He networks with Gaussian or uniform biases, in cubes around the origin; C_grad is estimated for the law itself, and
C_bias is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from creases.counting import count
from creases.domain import Box
from creases.network import Network
from creases.streams import stream
from creases.theory.average import explicit_bound, t_of, theorem5_bound
from creases.theory.constants import gaussian_bias_density, mean_gradient_constant, uniform_bias_density

__all__ = ["LAWS", "SIDES", "Loose", "as_markdown", "looseness"]

WIDTHS, SIGMA, LENGTH = (16, 16), 0.5, 1.0
SIDES = (0.1, 1.0, 10.0)


class Loose(NamedTuple):
    """One line: mean count in a cube, and the bounds. error : standard error of the mean."""

    input_dim: int
    biases: str
    side: float
    mean: float
    error: float
    explicit: float
    theorem5: float
    c_grad: float
    c_bias: float


def drawing(input_dim: int, biases: str) -> Callable[[np.random.Generator], Network]:
    """Draws networks of the law: He weights, biases of the kind that is named."""

    def draw(rng: np.random.Generator) -> Network:
        weights, offsets = [], []
        for below, above in pairwise((input_dim, *WIDTHS)):
            weights.append(rng.standard_normal((above, below)) * np.sqrt(2 / below))
            normal, flat = rng.standard_normal(above) * SIGMA, rng.uniform(-LENGTH / 2, LENGTH / 2, above)
            offsets.append(normal if biases == "Gaussian" else flat)
        return Network.from_arrays(weights, offsets, output_layer=False)

    return draw


LAWS = {"Gaussian": gaussian_bias_density(SIGMA), "uniform": uniform_bias_density(LENGTH)}


def looseness(
    seeds: int, dimensions: Sequence[int] = (1, 2, 3), *, done: Callable[[], None] = lambda: None
) -> list[Loose]:
    """Mean counts over seeds 0 ... seeds - 1 in cubes of the sides SIDES. done : called after each network."""
    found, neurons = [], sum(WIDTHS)
    for n in dimensions:
        for biases, c_bias in LAWS.items():
            draw = drawing(n, biases)
            points = stream("points in cubes", 0).uniform(-5.0, 5.0, (10, n))
            c_grad = mean_gradient_constant(draw, points, n, networks=max(seeds, 2)).value
            counts = np.empty((seeds, len(SIDES)))
            for seed in range(seeds):
                network = draw(stream("networks in cubes", seed))
                for column, side in enumerate(SIDES):
                    cube = Box(np.full(n, -side / 2), np.full(n, side / 2))
                    result = count(network, cube, progress=False)
                    assert result.certified
                    counts[seed, column] = result.regions
                done()
            for column, side in enumerate(SIDES):
                values = counts[:, column]
                explicit = float(explicit_bound(neurons, n, side, c_grad, c_bias))
                theorem = float(theorem5_bound(neurons, n, t_of(c_grad, c_bias), volume=side**n))
                error = float(values.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else 0.0
                found.append(Loose(n, biases, side, float(values.mean()), error, explicit, theorem, c_grad, c_bias))
    return found


def as_markdown(lines: Sequence[Loose]) -> str:
    """The table of the documentation."""
    rows = [
        "| n | biases | side | mean count | explicit bound | / mean | theorem 5 | / mean | C_grad | C_bias |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for line in lines:
        cells = [
            str(line.input_dim),
            line.biases,
            f"{line.side:g}",
            f"{line.mean:.4g} ± {line.error:.2g}",
            f"{line.explicit:.3g}",
            f"{line.explicit / line.mean:.3g}",
            f"{line.theorem5:.3g}",
            f"{line.theorem5 / line.mean:.3g}",
            f"{line.c_grad:.3f}",
            f"{line.c_bias:.3f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
