"""How counts and gradients spread over He networks: what is measured, and the laws of either.

Gradients. Let Z = ||J u||^2, J the Jacobian of the last hidden layer at a point, u a unit vector. At He initialisation
with symmetric biases a layer of width w multiplies ||J u||^2 by (2 / fan-in) sum_{i <= w} xi_i g_i^2, with g_i normal
and xi_i fair coins, all independent, of other layers too: the sign of a row and its bias can be turned without changing
g_i^2. Hence log Z is nearly normal with a variance of sum_l (E xi g^4 / (E xi g^2)^2 - 1) / w_l = 5 sum_l 1 / w_l, and
every moment of Z is a product over layers. That Z is nearly log-normal and that the sum of reciprocal widths decides is
theirs (Hanin 2018, "Which neural net architectures give rise to exploding and vanishing gradients?"; Hanin and Nica
2018, "Products of many large random matrices and gradients in deep neural networks"); the numbers for ReLU and He
weights are worked out here from the law above.

Counts. Every neuron above layer j sees what layer j has made of the input space. If each layer changed the number of
cuts of all neurons above it by a factor of its own, of relative variance c / width, the relative variance of the number
of cuts would be c sum_j (share of the neurons above layer j)^2 / w_j; with L equal widths c (L - 1)(2 L - 1) / (6 L w).
A count in n dimensions takes cuts n at a time: n^2 times that. This is an account of ours, no theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, exp, lgamma

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from creases.network import Network
from creases.paper.measures import Measured, Measuring
from creases.training import Task

__all__ = [
    "SquaredGradient",
    "gradient_relative_variance",
    "handed_up",
    "log_gradient_law",
    "relative_variance",
    "relative_variances",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SquaredGradient:
    """||J u||^2 of the last hidden layer after its ReLU, u along the first input, at the first training example."""

    def prepare(self, task: Task) -> Measuring:
        """As `Measure` says."""
        point = task.train_inputs[0].astype(np.float64)

        def measure(network: Network) -> list[Measured]:
            derivative = np.eye(network.n_in)[0]
            for layer, active in zip(network.hidden, network.pattern(point), strict=True):
                derivative = np.where(active, layer.weight @ derivative, 0.0)
            return [Measured("squared gradient", "first example", float(derivative @ derivative))]

        return measure


def relative_variance(values: Floats) -> float:
    """CV^2 = variance / mean^2 of shape (runs,); NaN for fewer than two."""
    return float(relative_variances(values[None])[0])


def relative_variances(values: Floats) -> Floats:
    """CV^2 of each row, shape (rows, runs): (rows,)."""
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    return np.asarray(values.var(axis=1, ddof=1) / values.mean(axis=1) ** 2)


def handed_up(widths: Sequence[int]) -> float:
    """sum_j (share of the neurons above layer j)^2 / w_j: see above. 0 for one layer.

    Examples
    --------
    >>> handed_up((16, 16))  # half of the neurons lie above layer 1
    0.015625
    """
    above = sum(widths) - np.cumsum(widths)
    return float(np.sum((above / sum(widths)) ** 2 / np.array(widths)))


def gradient_relative_variance(widths: Sequence[int], n: int) -> float:
    """CV^2 of ||J u||^n = Z^(n/2) over networks with hidden layers of these widths, exactly."""
    ratio = 1.0
    for width in widths:
        ratio *= layer_moment(width, n) / layer_moment(width, n / 2) ** 2
    return ratio - 1.0


@cache
def layer_moment(width: int, power: float) -> float:
    """E (sum_{i <= width} xi_i g_i^2)^power: a mean over k, the number of heads, of moments of chi^2 with k degrees."""
    moments = (exp(lgamma(k / 2 + power) - lgamma(k / 2)) for k in range(1, width + 1))
    return float(sum(comb(width, k) * moment for k, moment in enumerate(moments, start=1)) * 2.0 ** (power - width))


def log_gradient_law(widths: Sequence[int]) -> tuple[float, float]:
    """Mean and variance of log(Z / E Z), exactly, over networks in which no layer is all off."""
    layers = [log_layer_law(width) for width in widths]
    return sum(mean for mean, _ in layers), sum(variance for _, variance in layers)


@cache
def log_layer_law(width: int) -> tuple[float, float]:
    """What one layer adds to mean and variance of `log_gradient_law`."""
    heads = np.arange(1, width + 1)
    chance = np.array([comb(width, k) for k in heads.tolist()]) / (2.0**width - 1.0)
    means = digamma(heads / 2) + np.log(2.0)
    first = float(chance @ means)
    return first - float(np.log(width / 2)), float(chance @ (polygamma(1, heads / 2) + means**2)) - first**2
