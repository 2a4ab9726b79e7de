"""C_grad and C_bias of initialisations, where they are known: for squares, that is, for moments up to 2.

If the entries of a weight matrix are independent with mean 0 and variance v, or the matrix is orthogonal with random
signs, a row w has E (w . u)^2 = v ||u||^2. So in each layer the second moment of gradients is multiplied by width x v x
the probability of being active. That probability is 1/2, for any length of the gradient, if the distribution of the
biases is symmetric (`creases.theory.gradient_laws`), smaller if they are negative, and at most 1 in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from creases.theory.constants import gaussian_bias_density, uniform_bias_density
from creases.training import (
    CorrelatedBiases,
    GaussianBiases,
    GlorotWeights,
    HeUniformWeights,
    HeWeights,
    Initialisation,
    LeCunWeights,
    OneSidedBiases,
    OrthogonalWeights,
    UniformBiases,
)
from creases.training.initialisations import BiasLaw, WeightLaw

__all__ = ["LawConstants", "constants_of"]


class LawConstants(NamedTuple):
    """The constants of a distribution of networks.

    c_grad : for moments up to 2; exact, or an upper bound if biases have one sign. c_bias : the largest density of a
        bias given all other numbers.
    """

    c_grad: float
    c_bias: float

    def unit(self, neurons: int) -> float:
        """1 / (C_grad C_bias N), in which theorem 5 measures the sides of cubes."""
        return 1.0 / (self.c_grad * self.c_bias * neurons)


def constants_of(start: Initialisation, n_in: int, widths: Sequence[int]) -> LawConstants | None:
    """The constants of a distribution for hidden layers of these widths; None if the density of its biases is not
    bounded: for zero biases, and for biases in a band that depends on the weights.
    """
    c_bias = density_of(start.biases)
    if c_bias is None:
        return None
    active = 1.0 if isinstance(start.biases, OneSidedBiases) and start.biases.std > 0 else 0.5
    largest = moment = 0.0
    for i, (below, above) in enumerate(pairwise((n_in, *widths))):
        variance = variance_of(start.weights, below, above)
        moment = n_in * variance if i == 0 else moment * active * below * variance
        largest = max(largest, moment)
    return LawConstants(sqrt(largest), c_bias)


def variance_of(law: WeightLaw, n_in: int, n_out: int) -> float:
    """The variance of one weight. Raises TypeError for an unknown distribution."""
    if isinstance(law, HeWeights):
        return law.scale**2 * 2.0 / n_in
    if isinstance(law, HeUniformWeights):
        return 2.0 / n_in
    if isinstance(law, GlorotWeights):
        return 2.0 / (n_in + n_out)
    if isinstance(law, LeCunWeights):
        return 1.0 / n_in
    if isinstance(law, OrthogonalWeights):
        return 2.0 / max(n_in, n_out)  # rows or columns have length sqrt(2)
    raise TypeError(f"The variance of {law!r} is not known.")


def density_of(law: BiasLaw) -> float | None:
    """The largest density of a bias given everything else; None if it has no bound."""
    if isinstance(law, GaussianBiases):
        return gaussian_bias_density(law.std)
    if isinstance(law, UniformBiases):
        return uniform_bias_density(2.0 * law.half_width)
    if isinstance(law, OneSidedBiases):
        return 2.0 * gaussian_bias_density(abs(law.std))
    if isinstance(law, CorrelatedBiases):  # given the common part, they are independent with the remaining variance
        return gaussian_bias_density(law.std * sqrt(1.0 - law.correlation))
    return None
