"""The spread of counts and gradients over He networks: what is measured, and the laws for both.

Gradients. Let Z = ||J u||^2, J the Jacobian of the last hidden layer at a point, u a unit vector. At He initialisation
with symmetric biases, a layer of width w multiplies ||J u||^2 by (2 / fan-in) sum_{i <= w} xi_i g_i^2, with g_i normal
and xi_i Bernoulli(1/2), all independent, also of other layers, because changing the signs of a row and its bias does
not change g_i^2. Hence log Z is nearly normal with variance sum_l (E xi g^4 / (E xi g^2)^2 - 1) / w_l = 5 sum_l 1 /
w_l, and every moment of Z is a product over layers. That Z is nearly log-normal, with a variance given by the sum of
reciprocal widths, is known (Hanin 2018, "Which neural net architectures give rise to exploding and vanishing
gradients?"; Hanin and Nica 2018, "Products of many large random matrices and gradients in deep neural networks"); the
numbers for ReLU and He weights are computed here from the law above.

Counts. Every neuron above layer j acts on the image of the input space under layer j. If each layer changed the number
of cuts of all neurons above it by an independent factor with relative variance c / width, the relative variance of the
number of cuts would be c sum_j (share of the neurons above layer j)^2 / w_j; with L equal widths c (L - 1)(2 L - 1) /
(6 L w). A count in n dimensions involves n cuts at a time, so it has n^2 times this variance. This is our heuristic and
not a theorem.
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
        """See `Measure`."""
        point = task.train_inputs[0].astype(np.float64)

        def measure(network: Network) -> list[Measured]:
            derivative = np.eye(network.n_in)[0]
            for layer, active in zip(network.hidden, network.pattern(point), strict=True):
                derivative = np.where(active, layer.weight @ derivative, 0.0)
            return [Measured("squared gradient", "first example", float(derivative @ derivative))]

        return measure


def relative_variance(values: Floats) -> float:
    """CV^2 = variance / mean^2 of values of shape (runs,); NaN for fewer than two."""
    return float(relative_variances(values[None])[0])


def relative_variances(values: Floats) -> Floats:
    """CV^2 of each row, shape (rows, runs) -> (rows,)."""
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    return np.asarray(values.var(axis=1, ddof=1) / values.mean(axis=1) ** 2)


def handed_up(widths: Sequence[int]) -> float:
    """sum_j (share of the neurons above layer j)^2 / w_j, as above; 0 for one layer.

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
    """E (sum_{i <= width} xi_i g_i^2)^power: the mean, over the number k of active neurons, of moments of chi^2 with k
    degrees of freedom."""
    moments = (exp(lgamma(k / 2 + power) - lgamma(k / 2)) for k in range(1, width + 1))
    return float(sum(comb(width, k) * moment for k, moment in enumerate(moments, start=1)) * 2.0 ** (power - width))


def log_gradient_law(widths: Sequence[int]) -> tuple[float, float]:
    """The exact mean and variance of log(Z / E Z), over networks in which every layer has an active neuron."""
    layers = [log_layer_law(width) for width in widths]
    return sum(mean for mean, _ in layers), sum(variance for _, variance in layers)


@cache
def log_layer_law(width: int) -> tuple[float, float]:
    """The contribution of one layer to the mean and variance in `log_gradient_law`."""
    heads = np.arange(1, width + 1)
    chance = np.array([comb(width, k) for k in heads.tolist()]) / (2.0**width - 1.0)
    means = digamma(heads / 2) + np.log(2.0)
    first = float(chance @ means)
    return first - float(np.log(width / 2)), float(chance @ (polygamma(1, heads / 2) + means**2)) - first**2
