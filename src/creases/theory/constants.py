"""The constants of the average-case bounds: C_grad of gradients, C_bias of biases, estimated or in closed form.

C_grad : sup over points x, neurons z and m <= n of (E ||grad z(x)||^m)^(1/m), E over the weights. A count in n
dimensions uses moments up to n only; no constant serves all m for Gaussian weights.
C_bias : the largest density of a bias given everything else, where biases are independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.errors import NetworkError
from creases.network import Network
from creases.streams import stream
from creases.theory.arguments import positive, whole
from creases.theory.distances import gradient_norms

__all__ = [
    "Estimate",
    "bias_constant",
    "empirical_bias_density",
    "first_layer_moment",
    "gaussian_bias_density",
    "gradient_constant",
    "mean_gradient_constant",
    "uniform_bias_density",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A constant that was estimated.

    value : the estimate. error : its standard error. m : the moment at which the largest was found, 0 where moments
    play no part. rests_on : what it was estimated from, in words.
    """

    value: float
    error: float
    m: int
    rests_on: str

    def __float__(self) -> float:
        return self.value


def gaussian_bias_density(sigma: float) -> float:
    """C_bias of independent biases N(0, sigma^2): 1 / (sqrt(2 pi) sigma)."""
    return 1.0 / (sqrt(2.0 * pi) * positive(sigma, "sigma"))


def uniform_bias_density(length: float) -> float:
    """C_bias of independent biases that are uniform on an interval of this length: 1 / length."""
    return 1.0 / positive(length, "length")


def empirical_bias_density(biases: ArrayLike, *, resamples: int = 100, seed: int = 0) -> Estimate:
    """C_bias of a set of biases taken for independent draws of one law: the top of a kernel density estimate.

    biases : two different numbers at least, of any shape. resamples : of the bootstrap that gives the standard error.
    The kernel smooths: a Gaussian top comes out too low by 1 - 1 / sqrt(1 + n^(-2/5)) of it, which is 3 % for 1,000
    biases and 15 % for 10, and which the standard error does not contain.
    Correlated biases are out of reach: their joint density given the weights cannot be read off one network.
    Raises NetworkError if they are not two different finite numbers at least, or if more than a tenth of them (and more
    than two) are equal: a law with such a value has no density.
    Source: Scott 1992, for the width of the kernel.
    """
    values = as_floats(biases, "biases", NetworkError).ravel()
    with np.errstate(over="ignore"):
        spread = float(np.ptp(values)) if values.size else 0.0
    if not np.isfinite(values).all() or spread == 0.0:
        raise NetworkError(
            "A density needs two different finite biases at least; equal ones (zero biases, say) have none."
        )
    if not np.finfo(np.float64).tiny < spread < np.inf:
        raise NetworkError(f"The biases spread over {spread:g}, of which floats hold no density. Scale them first.")
    equal = int(np.unique(values, return_counts=True)[1].max())
    if equal > max(2, values.size / 10):
        raise NetworkError(f"{equal} of {values.size} biases are equal: a law with such a value has no density.")
    rng = stream("resampling of biases", seed)
    places = (values - values.min()) / spread
    tops = []
    for _ in range(whole(resamples, "resamples", 2)):
        drawn = rng.choice(places, places.size)
        if np.ptp(drawn) > 0:
            tops.append(top_of_density(drawn) / spread)
    rests_on = f"{values.size} biases, Gaussian kernel density, {len(tops)} bootstrap samples"
    return Estimate(top_of_density(places) / spread, float(np.std(tops)), 0, rests_on)


def top_of_density(values: Floats) -> float:
    """The largest value of the kernel density estimate, within 0.1 %: a histogram convolved with the kernel.

    Bins are a sixteenth of the kernel's standard deviation, Scott's n^(-1/5) of the data's, and a value is shared
    between the two that it lies between. Kernel by kernel, 100 samples of 4,000 biases took 50 s.
    """
    width = float(values.std(ddof=1)) * values.size**-0.2
    places = (values - values.min()) * (16.0 / width)
    bins = places.astype(np.int64)
    right = places - bins
    heights = np.bincount(bins, 1.0 - right, bins.max() + 2) + np.bincount(bins + 1, right, bins.max() + 2)
    kernel = np.exp(-0.5 * (np.arange(-96, 97) / 16.0) ** 2)
    return float(np.convolve(heights, kernel).max() / (values.size * width * sqrt(2.0 * pi)))


def bias_constant(network: Network, *, resamples: int = 100, seed: int = 0) -> Estimate:
    """C_bias of one network: the largest of its layers' `empirical_bias_density`, a layer being taken for one law.

    Not of all biases at once: layers have laws of their own, and the density of a mixture hides a narrow one.
    Raises NetworkError if no layer has biases of which a density can be estimated.
    """
    best: Estimate | None = None
    for number, layer in enumerate(network.hidden, start=1):
        try:
            found = empirical_bias_density(layer.bias, resamples=resamples, seed=seed)
        except NetworkError:
            continue
        if best is None or found.value > best.value:
            best = Estimate(found.value, found.error, 0, f"layer {number}: {found.rests_on}")
    if best is None:
        raise NetworkError("No layer has biases with a density: in each there are fewer than two, or many are equal.")
    return best


def gradient_constant(network: Network, points: ArrayLike, *, along: ArrayLike | None = None) -> Estimate:
    """C_grad of one network, whose weights are no longer random: the largest gradient norm of any neuron at any point.

    points : shape (p, n_in), where it is looked for; the true supremum is at least what is found. along : as for
    `gradient_norms`, for counts on a slice.
    Every moment of what is not random is the same, so m is 0. The standard error is that of the largest of p points:
    its deviation over samples of p drawn from these with replacement (zero where the steepest region has many).
    Raises NetworkError if there is no point, or as `gradient_norms` does.
    """
    norms = gradient_norms(network, points, along=along).reshape(-1, network.neurons)
    if not len(norms):
        raise NetworkError("points is empty; give one at least at which gradients are looked at.")
    largest = np.sort(norms.max(axis=1))
    # The largest of a sample is among the k smallest with probability (k / p)^p.
    chances = np.diff((np.arange(len(largest) + 1) / len(largest)) ** len(largest))
    mean = float((chances * largest).sum())
    error = sqrt(max(float((chances * (largest - mean) ** 2).sum()), 0.0))
    return Estimate(float(largest[-1]), error, 0, f"{len(norms)} points of one network")


def mean_gradient_constant(
    draw: Callable[[np.random.Generator], Network],
    points: ArrayLike,
    moments: int,
    *,
    networks: int = 200,
    seed: int = 0,
) -> Estimate:
    """C_grad of a law of networks: max over m <= moments, neurons and points of the m-th moment's m-th root.

    draw : makes a network of the law from a generator. points : shape (p, n_in). moments : the dimension n of counts.
    Taking the largest of noisy means errs upwards, by about the standard error that is given.
    Raises NetworkError if an argument is out of its range, or the networks have different numbers of neurons.
    """
    rng = stream("networks for C_grad", seed)
    count = whole(networks, "networks", 2)
    drawn = [gradient_norms(network, points).reshape(-1, network.neurons) for network in map(draw, [rng] * count)]
    if len({norms.shape for norms in drawn}) > 1 or not drawn[0].size:
        raise NetworkError("The law must draw networks of one number of neurons, and points must hold one at least.")
    norms = np.array(drawn)
    best = Estimate(0.0, 0.0, 0, "")
    for m in range(1, whole(moments, "moments", 1) + 1):
        powers = norms**m
        means = powers.mean(axis=0)
        place = int(means.argmax())
        mean = float(means.ravel()[place])
        error = float(powers.reshape(count, -1)[:, place].std(ddof=1) / sqrt(count))
        value = mean ** (1.0 / m)
        if value > best.value:
            spread = error / (m * mean) * value if mean > 0 else 0.0
            best = Estimate(value, spread, m, f"{count} networks, {norms.shape[1]} points, moments up to {moments}")
    return best


def first_layer_moment(input_dim: int, m: int, *, variance: float | None = None) -> float:
    """(E ||grad z||^m)^(1/m) of a neuron of the first layer with weights N(0, variance), 2 / n at He initialisation.

    The norm is that of a Gaussian vector: sqrt(variance) (2^(m/2) Gamma((n + m) / 2) / Gamma(n / 2))^(1/m). At m = 2 it
    is sqrt(2), and at He initialisation the second moment is 2 in every layer.

    Examples
    --------
    >>> round(first_layer_moment(5, 2), 6)
    1.414214
    """
    n, power = whole(input_dim, "input_dim", 1), whole(m, "m", 1)
    size = 2.0 / n if variance is None else positive(variance, "variance")
    moment = power / 2 * log(2.0) + lgamma((n + power) / 2) - lgamma(n / 2)  # its logarithm: gamma(172) is too large
    return sqrt(size) * exp(moment / power)
