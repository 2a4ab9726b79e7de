"""Networks before training, by distribution of their weights and biases.

A distribution draws one layer with numpy's generator, in float64. A network is drawn layer by layer, the weights before
the biases, and each number is rounded once to float32. So a seed gives the same network on every machine, and
`Initialisation()` gives `he_network`, the initialisation of the papers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from creases.streams import stream
from creases.training.errors import TrainingError
from creases.training.networks import NORM_EPS, as_widths, chain_of

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "BandBiases",
    "BiasLaw",
    "CorrelatedBiases",
    "GaussianBiases",
    "GlorotWeights",
    "HeUniformWeights",
    "HeWeights",
    "Initialisation",
    "LeCunWeights",
    "OneSidedBiases",
    "OrthogonalWeights",
    "UniformBiases",
    "WeightLaw",
    "ZeroBiases",
]

Floats = NDArray[np.float64]


class WeightLaw(Protocol):
    """Draws the weights of one layer, float64 of shape (n_out, n_in)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """New weights."""


class BiasLaw(Protocol):
    """Draws the biases of one layer, float64 of shape (n_out,)."""

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases. reached : shape (examples, n_out), the pre-activations without biases at some inputs."""


@dataclass(frozen=True)
class HeWeights:
    """Weights N(0, scale^2 2 / fan-in) (He et al. 2015). scale : finite, at least 0."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        check_scale(self.scale, "scale")

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """New weights, float64 (n_out, n_in); see `WeightLaw`."""
        return rng.standard_normal((n_out, n_in)) * sqrt(2 / n_in) * self.scale


@dataclass(frozen=True)
class HeUniformWeights:
    """Uniform weights with mean 0 and the variance of He et al. 2015, 2 / fan-in."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """New weights, float64 (n_out, n_in); see `WeightLaw`."""
        return rng.uniform(-1.0, 1.0, (n_out, n_in)) * sqrt(6 / n_in)


@dataclass(frozen=True)
class GlorotWeights:
    """Weights N(0, 2 / (fan-in + fan-out)) (Glorot and Bengio 2010)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """New weights, float64 (n_out, n_in); see `WeightLaw`."""
        return rng.standard_normal((n_out, n_in)) * sqrt(2 / (n_in + n_out))


@dataclass(frozen=True)
class LeCunWeights:
    """Weights N(0, 1 / fan-in) (LeCun et al. 1998)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """New weights, float64 (n_out, n_in); see `WeightLaw`."""
        return rng.standard_normal((n_out, n_in)) * sqrt(1 / n_in)


@dataclass(frozen=True)
class OrthogonalWeights:
    """Weights sqrt(2) times a random matrix with orthonormal rows or columns (Saxe, McClelland and Ganguli 2014)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """New weights, float64 (n_out, n_in); see `WeightLaw`."""
        tall = rng.standard_normal((max(n_out, n_in), min(n_out, n_in)))
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diag(r))  # without these signs q is not uniformly distributed (Mezzadri 2007)
        return np.asarray(sqrt(2) * (q if n_out >= n_in else q.T))


@dataclass(frozen=True)
class GaussianBiases:
    """Independent biases N(0, std^2). std : finite, at least 0; 1e-3 in Hanin and Rolnick (2019)."""

    std: float = 1e-3

    def __post_init__(self) -> None:
        check_scale(self.std, "std")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases, float64 (n_out,); see `BiasLaw`."""
        return np.asarray(rng.standard_normal(reached.shape[1]) * self.std)


@dataclass(frozen=True)
class UniformBiases:
    """Independent biases, uniform on [-half_width, half_width]. half_width : finite, at least 0."""

    half_width: float

    def __post_init__(self) -> None:
        check_scale(self.half_width, "half_width")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases, float64 (n_out,); see `BiasLaw`."""
        return np.asarray(rng.uniform(-1.0, 1.0, reached.shape[1]) * self.half_width)


@dataclass(frozen=True)
class ZeroBiases:
    """Zero biases. The regions are cones, and theorem 5 of Hanin and Rolnick (2019) does not apply."""

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases, float64 (n_out,); see `BiasLaw`."""
        return np.zeros(reached.shape[1])


@dataclass(frozen=True)
class OneSidedBiases:
    """Independent biases of one sign: |N(0, std^2)| times the sign of `std`. std : finite, not 0."""

    std: float

    def __post_init__(self) -> None:
        check_scale(abs(self.std), "std")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases, float64 (n_out,); see `BiasLaw`."""
        return np.asarray(np.abs(rng.standard_normal(reached.shape[1])) * self.std)


@dataclass(frozen=True)
class CorrelatedBiases:
    """Biases N(0, std^2) with the same correlation, in [0, 1), between any two of a layer. C_bias grows as it
    approaches 1.
    """

    std: float
    correlation: float

    def __post_init__(self) -> None:
        check_scale(self.std, "std")
        if not 0 <= self.correlation < 1:
            raise TrainingError(f"correlation must be at least 0 and less than 1, got {self.correlation}.")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases, float64 (n_out,); see `BiasLaw`."""
        shared, own = rng.standard_normal(), rng.standard_normal(reached.shape[1])
        return np.asarray(self.std * (sqrt(self.correlation) * shared + sqrt(1 - self.correlation) * own))


@dataclass(frozen=True)
class BandBiases:
    """Biases at the median of the range of their pre-activation, with noise.

    The bias is minus the median of the neuron's pre-activation over the inputs, plus N(0, (noise sd)^2), where sd is
    the standard deviation of the pre-activation. Its density is high where the pre-activation crosses it, which is how
    a neuron could cut many regions (Hanin and Rolnick 2019, section 3.2).
    noise : finite, at least 0.
    """

    noise: float = 0.01

    def __post_init__(self) -> None:
        check_scale(self.noise, "noise")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """New biases, float64 (n_out,); see `BiasLaw`."""
        wobble = rng.standard_normal(reached.shape[1]) * self.noise * reached.std(axis=0)
        return np.asarray(wobble - np.median(reached, axis=0))


@dataclass(frozen=True)
class Initialisation:
    """The initialisation of a network: the distributions of its weights and biases, and whether biases are trained.

    weights, biases : distributions for every layer, also the output layer.
    trained_biases : False keeps the biases fixed (with `ZeroBiases`, at zero).
    batch_norm : True puts a BatchNorm1d before each ReLU, which is trained too. Counts use its running statistics. They
        are initialised, layer by layer, with the mean and variance on the inputs given to `build`, so that the network
        at step 0 is the one that is trained. With torch's initial values 0 and 1 it would be the network without batch
        norm.

    Examples
    --------
    >>> Initialisation(HeWeights(2.0), ZeroBiases()).build([2, 3, 1], seed=0)[0].bias.tolist()
    [0.0, 0.0, 0.0]
    """

    weights: WeightLaw = field(default_factory=HeWeights)
    biases: BiasLaw = field(default_factory=GaussianBiases)
    trained_biases: bool = True
    batch_norm: bool = False

    def build(self, widths: Sequence[int], seed: int, inputs: NDArray[np.float32] | None = None) -> nn.Sequential:
        """A torch chain in float32 on the CPU.

        widths : number of inputs, neurons of each hidden layer, number of outputs. seed : of all random numbers.
        inputs : shape (examples, n_in), for `BandBiases` and for the statistics of batch norm; None means 256 points of
            N(0, 1), the same for every seed.
        Raises TrainingError if the widths are invalid, MissingExtraError if torch is not installed.
        """
        sizes = as_widths(widths)
        rng = stream("network", seed)
        if inputs is None:
            inputs = stream("inputs for a law of biases", 0).standard_normal((256, sizes[0])).astype(np.float32)
        values = inputs.astype(np.float64)
        layers, statistics = [], []
        for n_in, n_out in pairwise(sizes):
            weight = self.weights.draw(rng, n_out, n_in)
            reached = values @ weight.T
            bias = self.biases.draw(rng, reached)
            layers.append((weight, bias))
            values = reached + bias
            if self.batch_norm:
                mean, variance = values.mean(axis=0), values.var(axis=0)
                statistics.append((mean, variance))
                values = (values - mean) / np.sqrt(variance + NORM_EPS)
            values = np.maximum(values, 0.0)
        model = chain_of(layers, statistics=statistics if self.batch_norm else None)
        if not self.trained_biases:
            for module in model:
                if hasattr(module, "in_features"):
                    module.bias.requires_grad_(False)
        return model


def check_scale(value: float, name: str) -> None:
    """Raise TrainingError unless the number is finite and not negative."""
    if not (isfinite(value) and value >= 0):
        raise TrainingError(f"{name} must be finite and at least 0, got {value}.")
