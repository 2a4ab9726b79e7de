"""Squares in the size range of theorem 5: with sides s / (C_grad C_bias N), for s from one on.

In larger squares the count no longer grows with the side, because all regions are met. T-hat, the smallest T of theorem
5, is then 1 / side up to a factor: it measures the window. In units of C_grad C_bias, the smallest T of a mean count is

    (n! count)^(1/n) / s,

whatever the constants are; by theorem 5 with T = 2^5 C_grad C_bias it is at most 32, and by the explicit bound less.
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
    """Cubes around the origin with sides given in units; the name of a domain contains its number of units.

    unit : 1 / (C_grad C_bias N) of a distribution of networks. scales : the sides in this unit.
    """

    unit: float
    scales: tuple[float, ...]

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        halves = {f"{scale:g}": np.full(task.n_in, scale * self.unit / 2) for scale in self.scales}
        return {name: Box(-half, half) for name, half in halves.items()}


@dataclass(frozen=True)
class NaturalSquares:
    """Regions in squares around the origin and around some examples, with sides in units of the network's own
    constants.

    scales : sides times C_grad C_bias N. examples : the number of training examples with squares around them.
    Rows "C_grad", the largest gradient on all regions of the plane; "C_bias", from `bias_constant`; and for each scale
    s "regions at s", one row per square. Only "C_grad" if no layer has biases with a density.
    """

    scales: tuple[float, ...]
    examples: int = 10

    def prepare(self, task: Task) -> Measuring:
        """See `Measure`. Counts use one thread, because the runs are distributed over the cores."""
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
    """The smallest T of theorem 5 in units of C_grad C_bias. count : a mean. scale : the cube's side in units."""
    return float((factorial(input_dim) * count) ** (1.0 / input_dim) / scale)


def explicit_in_units(neurons: int, scale: float, input_dim: int) -> float:
    """The explicit bound for a cube with this side in units; the constants cancel."""
    return float(explicit_bound(neurons, input_dim, scale / neurons, 1.0, 1.0))
