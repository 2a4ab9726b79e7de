"""Networks as they are before training, by law: of the weights and of the biases.

A law draws one layer from numpy's generator, in float64; a network draws layer by layer, the weights before the biases,
and rounds each number once to float32. So a seed gives the same network on every machine, and `Initialisation()` is
`he_network`, the papers' own.
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
    """N(0, scale^2 2 / fan-in) (He et al. 2015). scale : finite, at least 0."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        check_scale(self.scale, "scale")

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """As `WeightLaw` says."""
        return rng.standard_normal((n_out, n_in)) * sqrt(2 / n_in) * self.scale


@dataclass(frozen=True)
class HeUniformWeights:
    """Uniform with He's variance, 2 / fan-in."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """As `WeightLaw` says."""
        return rng.uniform(-1.0, 1.0, (n_out, n_in)) * sqrt(6 / n_in)


@dataclass(frozen=True)
class GlorotWeights:
    """N(0, 2 / (fan-in + fan-out)) (Glorot and Bengio 2010)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """As `WeightLaw` says."""
        return rng.standard_normal((n_out, n_in)) * sqrt(2 / (n_in + n_out))


@dataclass(frozen=True)
class LeCunWeights:
    """N(0, 1 / fan-in) (LeCun et al. 1998)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """As `WeightLaw` says."""
        return rng.standard_normal((n_out, n_in)) * sqrt(1 / n_in)


@dataclass(frozen=True)
class OrthogonalWeights:
    """sqrt(2) times a random matrix with orthonormal rows or columns (Saxe, McClelland and Ganguli 2014)."""

    def draw(self, rng: np.random.Generator, n_out: int, n_in: int) -> Floats:
        """As `WeightLaw` says."""
        tall = rng.standard_normal((max(n_out, n_in), min(n_out, n_in)))
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diag(r))  # without it q is not uniform (Mezzadri 2007)
        return np.asarray(sqrt(2) * (q if n_out >= n_in else q.T))


@dataclass(frozen=True)
class GaussianBiases:
    """N(0, std^2), independent. std : finite, at least 0; the papers' is 1e-3."""

    std: float = 1e-3

    def __post_init__(self) -> None:
        check_scale(self.std, "std")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """As `BiasLaw` says."""
        return np.asarray(rng.standard_normal(reached.shape[1]) * self.std)


@dataclass(frozen=True)
class UniformBiases:
    """Uniform on [-half_width, half_width], independent. half_width : finite, at least 0."""

    half_width: float

    def __post_init__(self) -> None:
        check_scale(self.half_width, "half_width")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """As `BiasLaw` says."""
        return np.asarray(rng.uniform(-1.0, 1.0, reached.shape[1]) * self.half_width)


@dataclass(frozen=True)
class ZeroBiases:
    """All zero: the regions are cones, and theorem 5 does not speak of them."""

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """As `BiasLaw` says."""
        return np.zeros(reached.shape[1])


@dataclass(frozen=True)
class OneSidedBiases:
    """|N(0, std^2)| times the sign of `std`, independent: all of one sign. std : finite, not 0."""

    std: float

    def __post_init__(self) -> None:
        check_scale(abs(self.std), "std")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """As `BiasLaw` says."""
        return np.asarray(np.abs(rng.standard_normal(reached.shape[1])) * self.std)


@dataclass(frozen=True)
class CorrelatedBiases:
    """N(0, std^2) each, any two of a layer with this correlation in [0, 1): C_bias grows as it nears 1."""

    std: float
    correlation: float

    def __post_init__(self) -> None:
        check_scale(self.std, "std")
        if not 0 <= self.correlation < 1:
            raise TrainingError(f"correlation must be at least 0 and less than 1, got {self.correlation}.")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """As `BiasLaw` says."""
        shared, own = rng.standard_normal(), rng.standard_normal(reached.shape[1])
        return np.asarray(self.std * (sqrt(self.correlation) * shared + sqrt(1 - self.correlation) * own))


@dataclass(frozen=True)
class BandBiases:
    """Each bias in the middle of the band through which its pre-activation swings, with a little noise.

    The bias is minus the median of the neuron's pre-activation over the inputs, plus N(0, (noise sd)^2) with sd the
    standard deviation of the pre-activation there: the density of the bias is high just where it is crossed, which is
    how a neuron could cut often (Hanin and Rolnick 2019, section 3.2). noise : finite, at least 0.
    """

    noise: float = 0.01

    def __post_init__(self) -> None:
        check_scale(self.noise, "noise")

    def draw(self, rng: np.random.Generator, reached: Floats) -> Floats:
        """As `BiasLaw` says."""
        wobble = rng.standard_normal(reached.shape[1]) * self.noise * reached.std(axis=0)
        return np.asarray(wobble - np.median(reached, axis=0))


@dataclass(frozen=True)
class Initialisation:
    """How a network is made: the law of its weights, that of its biases, and what of it is trained.

    weights, biases : of every layer, the output too.
    trained_biases : False keeps the biases as they were drawn (with `ZeroBiases`, a zero-bias network for ever).
    batch_norm : True puts a BatchNorm1d before each ReLU, trained with the rest; counts see it as it stands.
        Its running mean and variance begin as those of the inputs that `build` is given, layer by layer, so that the
        network at step 0 is the one that a training sees. Torch's own, 0 and 1, would make it the network without.

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

        widths : inputs, neurons of each hidden layer, outputs. seed : of everything drawn.
        inputs : shape (examples, n_in), for laws that look at what the network will see and for the statistics of batch
            norm; None takes 256 points of N(0, 1), the same for every seed.
        Raises TrainingError on widths that are none, MissingExtraError if torch is not installed.
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
