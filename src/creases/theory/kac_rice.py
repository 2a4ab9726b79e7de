"""The expected volume of boundaries in a box for a distribution of networks: the Kac-Rice formula, by Monte Carlo.

    E vol_{n - k}(B_k in K) = sum over sets of k neurons of the integral over K of E[ ||J|| rho(b_1) ... rho(b_k) ] dx.

J has the gradients of the k pre-activations at x as rows, ||J|| = sqrt(det J J^T), and rho(b_i) is the density of the
bias at the value at which the pre-activation vanishes, given everything else (Hanin and Rolnick 2019, Complexity of
Linear Regions, theorem 3.4, without the condition that a path to the output be open: the boundaries of all neurons
count).

A neuron at its threshold has activation zero. So if one neuron of a pair is in a lower layer, the upper one is
evaluated with the lower one's activation at zero. Whether the gradient of the lower neuron is passed on changes the
upper gradient only by a multiple of the lower one, and does not change the determinant.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.errors import NetworkError
from creases.network import Network
from creases.streams import stream
from creases.theory.arguments import as_chain, positive, whole
from creases.theory.constants import Estimate

__all__ = ["expected_stratum", "gaussian_density", "uniform_density"]

Floats = NDArray[np.float64]
Density = Callable[[Floats], Floats]

CHAINS_ONLY = (
    "what is held at zero, and handed on from there, is worked out layer by layer.",
    "For a graph measure it: the mean of creases.complex.boundary_length or crossings over networks that are drawn.",
)


def gaussian_density(sigma: float) -> Density:
    """The density of N(0, sigma^2) as a function of arrays. Raises NetworkError unless sigma is finite and above 0."""
    s = positive(sigma, "sigma")
    return lambda b: np.asarray(np.exp(-0.5 * (b / s) ** 2) / (np.sqrt(2.0 * np.pi) * s))


def uniform_density(length: float) -> Density:
    """The density of the uniform distribution on [-length / 2, length / 2] as a function of arrays. Errors as for
    `gaussian_density`.
    """
    whole_length = positive(length, "length")
    return lambda b: np.asarray((np.abs(b) <= whole_length / 2.0) / whole_length)


def expected_stratum(
    draw: Callable[[np.random.Generator], Network],
    density: Density,
    lower: ArrayLike,
    upper: ArrayLike,
    k: int,
    *,
    networks: int = 400,
    points: int = 20,
    seed: int = 0,
) -> Estimate:
    """Estimate the expected (n - k)-volume of the k-stratum in a box by the Kac-Rice formula, with its standard error.

    draw : a function that draws a network, a chain of dense layers with ReLU, with a given generator. Its biases are
        independent of each other and of the weights.
    density : the density of the biases. lower, upper : shape (n,), the corners of the box. k : 1 or 2, number of
        neurons that vanish, at most n.
    networks, points, seed : number of networks drawn, random points of the box for each, and seed.
    Returns an `Estimate`. Raises NetworkError if k is another number, the box is invalid, or a network has another
    number of inputs or is a graph.
    """
    low, high = as_floats(lower, "lower", NetworkError), as_floats(upper, "upper", NetworkError)
    finite = np.isfinite(low).all() and np.isfinite(high).all()
    if low.shape != high.shape or low.ndim != 1 or low.size == 0 or not (finite and (low < high).all()):
        raise NetworkError(f"lower and upper must be two finite corners of a box, got {lower!r} and {upper!r}.")
    if k not in (1, 2) or k > low.size:
        raise NetworkError(f"k must be 1 or 2, and at most the box's {low.size} dimensions; got {k!r}.")
    rng, count = stream("networks for Kac-Rice", seed), whole(networks, "networks", 2)
    means = []
    for _ in range(count):
        network = draw(rng)
        if network.n_in != low.size:
            raise NetworkError(f"The box has {low.size} dimensions, but {network!r} takes {network.n_in} inputs.")
        as_chain(network, "expected_stratum", *CHAINS_ONLY)
        x = rng.uniform(low, high, (whole(points, "points", 1), low.size))
        means.append(float((one(network, x, density) if k == 1 else two(network, x, density)).mean()))
    volume = float(np.prod(high - low))
    error = float(np.std(means, ddof=1) / np.sqrt(count) * volume)
    return Estimate(float(np.mean(means)) * volume, error, 0, f"{count} networks, {points} points each")


def layers_above(network: Network, begin: int, values: Floats, jacobian: Floats) -> list[tuple[Floats, Floats]]:
    """For each layer from `begin` on, W a (p, n_l), without the bias, and its gradients (p, n_l, n).

    values, jacobian : the activations of the layer below, and their derivative.
    """
    above = []
    for layer in network.hidden[begin:]:
        u, gradients = values @ layer.weight.T, layer.weight @ jacobian
        above.append((u, gradients))
        active = u + layer.bias > 0
        values, jacobian = np.where(active, u + layer.bias, 0.0), gradients * active[:, :, None]
    return above


def from_inputs(network: Network, x: Floats) -> list[tuple[Floats, Floats]]:
    """`layers_above`, starting from the inputs."""
    return layers_above(network, 0, x, np.broadcast_to(np.eye(x.shape[1]), (len(x), x.shape[1], x.shape[1])))


def one(network: Network, x: Floats, density: Density) -> Floats:
    """The integrand for k = 1 at points (p, n): sum over neurons of ||grad z|| rho(-W a)."""
    total = np.zeros(len(x))
    for u, gradients in from_inputs(network, x):
        total += (np.linalg.norm(gradients, axis=2) * density(-u)).sum(axis=1)
    return total


def two(network: Network, x: Floats, density: Density) -> Floats:
    """The integrand for k = 2 at points (p, n): sum over pairs of neurons."""
    total = np.zeros(len(x))
    layers = from_inputs(network, x)
    starts = list(accumulate(network.widths, initial=0))
    for layer, (u, gradients) in enumerate(layers):
        rho = density(-u)
        total += pairs_within(gradients, rho)
        if layer + 1 == len(layers) or starts[layer + 1] == starts[-1]:
            continue
        active = u + network.hidden[layer].bias > 0
        handed, slopes = np.where(active, u + network.hidden[layer].bias, 0.0), gradients * active[:, :, None]
        for i in range(u.shape[1]):
            values, jacobian = handed.copy(), slopes.copy()
            values[:, i], jacobian[:, i] = 0.0, 0.0
            for above, upper in layers_above(network, layer + 1, values, jacobian):
                areas = wedge(gradients[:, i, None, :], upper)
                total += rho[:, i] * (areas * density(-above)).sum(axis=1)
    return total


def pairs_within(gradients: Floats, rho: Floats) -> Floats:
    """Sum over pairs of one layer: gradients (p, m, n), densities (p, m)."""
    total = np.zeros(len(rho))
    for i in range(rho.shape[1] - 1):
        areas = wedge(gradients[:, i, None, :], gradients[:, i + 1 :])
        total += rho[:, i] * (areas * rho[:, i + 1 :]).sum(axis=1)
    return total


def wedge(first: Floats, second: Floats) -> Floats:
    """Areas of parallelograms: sqrt(|a|^2 |b|^2 - (a . b)^2) along the last axis."""
    product = (first * second).sum(axis=-1)
    squares = (first**2).sum(axis=-1) * (second**2).sum(axis=-1) - product**2
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
