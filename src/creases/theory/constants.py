"""The constants of the average-case bounds: C_grad of gradients, C_bias of biases, estimated or in closed form.

C_grad : sup over points x, neurons z and m <= n of (E ||grad z(x)||^m)^(1/m), E over the weights. A count in n
dimensions uses moments up to n only; no constant serves all m for Gaussian weights.
C_bias : the largest density of a bias given everything else, where biases are independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gamma, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.network import Network
from creases.theory.arguments import positive, whole
from creases.theory.distances import gradient_norms

__all__ = [
    "Estimate",
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

    value : the estimate. error : its standard error. m : the moment at which the largest was found, 0 where there are
    no moments. rests_on : what it was estimated from, in words.
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
    Correlated biases are out of reach: their joint density given the weights cannot be read off one network.
    Raises NetworkError if there are fewer than two different finite numbers.
    """
    values = np.asarray(biases, dtype=np.float64).ravel()
    if not np.isfinite(values).all() or np.unique(values).size < 2:
        raise NetworkError(
            "A density needs two different finite biases at least; equal ones (zero biases, say) have none."
        )
    rng = np.random.default_rng(seed)
    tops = []
    for _ in range(whole(resamples, "resamples", 2)):
        drawn = rng.choice(values, values.size)
        if np.unique(drawn).size > 1:
            tops.append(top_of_density(drawn))
    rests_on = f"{values.size} biases, Gaussian kernel density, {len(tops)} bootstrap samples"
    return Estimate(top_of_density(values), float(np.std(tops)), 0, rests_on)


def top_of_density(values: Floats) -> float:
    """The largest value of the kernel density estimate, looked for at the data and between."""
    from scipy.stats import gaussian_kde

    density = gaussian_kde(values)
    places = np.concatenate([values, np.linspace(values.min(), values.max(), 200)])
    return float(density(places).max())


def gradient_constant(network: Network, points: ArrayLike) -> Estimate:
    """C_grad of one network, whose weights are no longer random: the largest gradient norm of any neuron at any point.

    points : shape (p, n_in), where it is looked for; the true supremum is at least what is found.
    """
    norms = gradient_norms(network, points)
    return Estimate(float(norms.max()), 0.0, 0, f"{norms.reshape(-1, norms.shape[-1]).shape[0]} points of one network")


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
    """
    rng = np.random.default_rng(seed)
    count = whole(networks, "networks", 2)
    norms = np.array([gradient_norms(draw(rng), points) for _ in range(count)])
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
    moment = 2.0 ** (power / 2) * gamma((n + power) / 2) / gamma(n / 2)
    return float(sqrt(size) * moment ** (1.0 / power))
