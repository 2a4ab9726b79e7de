"""Squares of the size that theorem 5 is about: sides s / (C_grad C_bias N), s from one on.

In larger squares the count stops growing with the side, all regions being met. T-hat, the smallest T of theorem 5, is
then 1 / side up to a factor: it measures the window. In units of C_grad C_bias the smallest T of a mean count is

    (n! count)^(1/n) / s,

whatever the constants are; theorem 5 with T = 2^5 C_grad C_bias says at most 32, the explicit bound less.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from creases.counting import count_many
from creases.domain import Box, Domain, Space
from creases.errors import NetworkError
from creases.network import Network
from creases.paper.measures import Measured, Measuring, some
from creases.streams import stream
from creases.theory.average import explicit_bound
from creases.theory.constants import bias_constant, largest_gradient
from creases.training import Task

__all__ = ["ALLOWED", "NaturalCubes", "NaturalSquares", "explicit_in_units", "t_in_units"]

# T of theorem 5 in units of C_grad C_bias (Tseran and Montúfar 2021).
ALLOWED = 32.0


@dataclass(frozen=True)
class NaturalCubes:
    """Cubes around the origin with sides of so many units; a domain is named by its number of units.

    unit : 1 / (C_grad C_bias N) of a law of networks. scales : the numbers.
    """

    unit: float
    scales: tuple[float, ...]

    def build(self, task: Task) -> dict[str, Domain]:
        """As `DomainChoice` says."""
        halves = {f"{scale:g}": np.full(task.n_in, scale * self.unit / 2) for scale in self.scales}
        return {name: Box(-half, half) for name, half in halves.items()}


@dataclass(frozen=True)
class NaturalSquares:
    """Regions in squares whose sides the network's own constants measure, around the origin and some examples.

    scales : sides times C_grad C_bias N. examples : how many training examples have squares around them.
    Rows "C_grad", the largest gradient on all regions of the plane; "C_bias", as `bias_constant` has it; and for each
    scale s "regions at s", a row a square. There is "C_grad" alone where no layer's biases have a density.
    """

    scales: tuple[float, ...]
    examples: int = 10

    def prepare(self, task: Task) -> Measuring:
        """As `Measure` says. Counts on one thread: the runs themselves are spread over the machine."""
        points = some(task.train_inputs, self.examples, stream("points for gradients", 0)).astype(np.float64)
        centres = {"origin": np.zeros(task.n_in)} | {f"example {i}": x for i, x in enumerate(points, start=1)}

        def measure(network: Network) -> list[Measured]:
            c_grad = largest_gradient(network, Space(task.n_in), threads=1).value
            rows = [Measured("C_grad", f"R^{task.n_in}", c_grad)]
            try:
                c_bias = bias_constant(network, resamples=2).value
            except NetworkError:  # no layer has biases with a density: they are zero, for example
                return rows
            rows.append(Measured("C_bias", "layers", c_bias))
            if c_grad == 0.0:
                return rows
            squares = []
            for scale in self.scales:
                half = scale / (c_grad * c_bias * network.neurons) / 2
                squares += [(f"regions at {scale:g}", name, Box(x - half, x + half)) for name, x in centres.items()]
            found = count_many(network, [square for _, _, square in squares], threads=1, progress=False)
            rows += [
                Measured(what, name, float(one.regions), one.certified)
                for (what, name, _), one in zip(squares, found, strict=True)
            ]
            return rows

        return measure


def t_in_units(count: float, scale: float, input_dim: int) -> float:
    """The smallest T of theorem 5 in units of C_grad C_bias. count : a mean. scale : of the cube's side."""
    return float((factorial(input_dim) * count) ** (1.0 / input_dim) / scale)


def explicit_in_units(neurons: int, scale: float, input_dim: int) -> float:
    """The explicit bound for a cube with a side of so many units; the constants cancel."""
    return float(explicit_bound(neurons, input_dim, scale / neurons, 1.0, 1.0))
