"""The constants of the bounds on averages: C_grad for gradients and C_bias for biases, estimated or exact.

C_grad : sup over points x, neurons z and m <= n of (E ||grad z(x)||^m)^(1/m), E over the weights. A count in n
    dimensions uses moments up to n only; no constant holds for all m with Gaussian weights, for which `gradient_laws`
    gives it in closed form. For one network, whose weights are not random, it is the largest gradient.
C_bias : the largest density of a bias given everything else, for independent biases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import pi, prod, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.domain import Domain
from creases.domain.lengths import directions_of
from creases.errors import NetworkError
from creases.network import Clip, Level, Max, Network
from creases.streams import stream
from creases.subdivision import subdivide
from creases.theory.arguments import as_layers, positive, whole
from creases.theory.distances import gradient_norms
from creases.theory.forms import Walk, bent, unpacked

__all__ = [
    "Estimate",
    "bias_constant",
    "bias_constant_excess",
    "empirical_bias_density",
    "gaussian_bias_density",
    "gradient_constant",
    "largest_gradient",
    "mean_gradient_constant",
    "uniform_bias_density",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A constant, estimated from samples or computed exactly.

    value : the estimate.
    error : its standard error; 0 if it is exact up to rounding, NaN for a lower bound whose distance to the true value
        is unknown.
    m : the moment at which the largest value was attained, 0 if it does not involve moments.
    rests_on : a description of the data from which it was estimated.
    kind : "estimate", "lower bound" or "exact".
    """

    value: float
    error: float
    m: int
    rests_on: str
    kind: str = "estimate"

    def __float__(self) -> float:
        return self.value


def gaussian_bias_density(sigma: float) -> float:
    """C_bias of independent biases N(0, sigma^2), exactly: 1 / (sqrt(2 pi) sigma)."""
    return 1.0 / (sqrt(2.0 * pi) * positive(sigma, "sigma"))


def uniform_bias_density(length: float) -> float:
    """C_bias of independent biases that are uniform on an interval of this length, exactly: 1 / length."""
    return 1.0 / positive(length, "length")


def empirical_bias_density(biases: ArrayLike, *, resamples: int = 100, seed: int = 0) -> Estimate:
    """Estimate C_bias of biases that are independent draws from one distribution: the maximum of a kernel density
    estimate.

    biases : at least two different numbers, of any shape. resamples, seed : of the bootstrap for the standard error.
    The kernel smooths: for a Gaussian the maximum is too low by a fraction of 1 - 1 / sqrt(1 + n^(-2/5)), which is 3 %
    for 1,000 biases and 15 % for 10. The standard error does not include this.
    Correlated biases are not covered, because their joint density given the weights cannot be estimated from one
    network.
    Returns an `Estimate`. Raises NetworkError if there are not at least two different finite numbers, or if more than a
    tenth of them (and more than two) are equal, because such a distribution has no density.
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
    """The maximum of the kernel density estimate, within 0.1 %: a histogram convolved with the kernel.

    The width of a bin is a sixteenth of the kernel's standard deviation, which is Scott's n^(-1/5) times the data's.
    Each value is divided between the two nearest bins. Without the histogram, 100 samples of 4,000 biases took 50 s.
    """
    width = float(values.std(ddof=1)) * values.size**-0.2
    places = (values - values.min()) * (16.0 / width)
    bins = places.astype(np.int64)
    right = places - bins
    heights = np.bincount(bins, 1.0 - right, bins.max() + 2) + np.bincount(bins + 1, right, bins.max() + 2)
    kernel = np.exp(-0.5 * (np.arange(-96, 97) / 16.0) ** 2)
    return float(np.convolve(heights, kernel).max() / (values.size * width * sqrt(2.0 * pi)))


def bias_constant(network: Network, *, resamples: int = 100, seed: int = 0) -> Estimate:
    """Estimate C_bias of one network: the largest `empirical_bias_density` of its layers.

    Each layer is treated as a sample of one distribution. The layers are not pooled, because the density of a mixture
    hides a narrow component.
    The maximum of noisy densities is biased upwards, which the standard error does not include: if all layers have the
    same normal distribution, on average by 8 % for two layers of 16, by 15 % for three, by 8 % for three of 32 and by 6
    % for three of 64 (`bias_constant_excess`).
    network : any network, a chain or a graph. For a graph, the biases are those of the levels with neurons or switches:
        of neurons, of clipped units (one for their two neurons), and of all candidates of switches.
    Layers whose units share biases, such as convolutions, are skipped: repeated values have no joint density.
    resamples, seed : of the bootstrap for the standard error.
    Returns an `Estimate`. Raises NetworkError if no layer has biases with a density, for example if all are zero.
    """
    best: Estimate | None = None
    for number, name in zip(network.layers, network.layer_names, strict=True):
        level = network.levels[number - 1]
        biases = level.bias[of_walls(level)]
        if np.unique(biases, return_counts=True)[1].min() > 1:
            continue
        try:
            density = empirical_bias_density(biases, resamples=resamples, seed=seed)
        except NetworkError:
            continue
        if best is None or density.value > best.value:
            best = Estimate(density.value, density.error, 0, f"{name}: {density.rests_on}")
    if best is None:
        raise NetworkError("No layer has biases with a density: in each there are fewer than two, or many are equal.")
    return best


def of_walls(level: Level) -> NDArray[np.int64]:
    """The units of a layer whose sums form walls: neurons, units with a clip, candidates of switches."""
    if isinstance(level.kink, Max):
        return np.unique(level.kink.units)
    return np.arange(level.n_units) if isinstance(level.kink, Clip) else bent(level)


def bias_constant_excess(widths: Iterable[int], *, networks: int = 1000, seed: int = 0) -> Estimate:
    """The relative bias of `bias_constant` if the biases of all layers are independent N(0, s^2); it does not depend on
    s.

    widths : neurons of each hidden layer, at least two, of a chain or of any network whose neurons do not share biases.
    networks, seed : number of networks drawn, and seed.
    Returns an `Estimate`. It is negative if smoothing lowers the densities by more than the maximum raises them.
    Raises NetworkError if an argument is out of its range.
    """
    layers, count = as_layers(widths), whole(networks, "networks", 2)
    if min(layers) < 2:
        raise NetworkError(f"widths must have two neurons at least in each layer, for a density; got {layers}.")
    rng = stream("biases for C_bias", seed)
    tops = [max(top_of_density(rng.standard_normal(width)) for width in layers) for _ in range(count)]
    excess = np.array(tops) / gaussian_bias_density(1.0) - 1.0
    error = float(excess.std(ddof=1) / sqrt(count))
    return Estimate(float(excess.mean()), error, 0, f"{count} networks with normal biases")


def gradient_constant(network: Network, points: ArrayLike, *, along: ArrayLike | None = None) -> Estimate:
    """A lower bound on C_grad of one network: the largest gradient norm of any neuron at some points.

    network : any network, a chain or a graph; see `gradient_norms` for clips and switches.
    points : shape (p, n_in). along : as for `gradient_norms`, for counts on a slice.
    The network is fixed, so all moments are equal and m is 0. There is no standard error: the points do not show how
    much larger the supremum is, and a bootstrap of a maximum is not consistent. `largest_gradient` computes the
    supremum.
    Returns an `Estimate`. Raises NetworkError if there is no point, or as `gradient_norms` does.
    """
    norms = as_table(gradient_norms(network, points, along=along))
    if not len(norms):
        raise NetworkError("points is empty; give one at least at which gradients are looked at.")
    return Estimate(
        float(norms.max(initial=0.0)), float("nan"), 0, f"{len(norms)} points of one network", "lower bound"
    )


def as_table(norms: Floats) -> Floats:
    """Norms of shape (..., N) as (points, N), also for N = 0."""
    return norms.reshape(prod(norms.shape[:-1]), norms.shape[-1])


def largest_gradient(network: Network, domain: Domain, *, threads: int | None = None) -> Estimate:
    """C_grad of one network on a domain: the largest norm of any neuron's gradient on any region of the domain.

    network : any network, a chain or a graph; see `gradient_norms` for clips and switches.
    domain : any domain for `subdivide`; `Space(n_in)` gives the supremum over all inputs. Gradients are those of the
        network restricted to the domain's slice.
    threads : as for `subdivide`.
    The list of regions is proved to be complete; norms are computed in float64.
    Returns an `Estimate`. Raises the errors of `subdivide`: DomainError if it cannot subdivide the domain,
    NotEnoughMemoryError if there are too many regions.

    Examples
    --------
    >>> from creases import Box
    >>> steep = Network.from_arrays([[[1.0]], [[3.0]]], [[0.0], [-6.0]], output_layer=False)
    >>> largest_gradient(steep, Box([-1.0], [1.0])).value
    3.0
    """
    cells = subdivide(network, domain, threads=threads, progress=False)
    walk, largest = Walk(network, directions_of(domain.slice)), 0.0
    step = walk.at_a_time
    for begin in range(0, len(cells), step):
        for forms in walk.on(unpacked(network, cells.patterns[begin : begin + step])):
            largest = max(largest, float(forms.neuron_lengths().max(initial=0.0)))
    return Estimate(largest, 0.0, 0, f"all {len(cells):,} regions of one network on the domain", "exact")


def mean_gradient_constant(
    draw: Callable[[np.random.Generator], Network],
    points: ArrayLike,
    moments: int,
    *,
    networks: int = 400,
    seed: int = 0,
) -> Estimate:
    """Estimate C_grad of a distribution of networks: the maximum over m <= moments, neurons and points of (E ||grad
    z||^m)^(1/m).

    draw : a function that draws a network, a chain or a graph, with a given generator. points : shape (p, n_in).
    moments : the highest m, that is the dimension n of the counts. The expression grows with m (Jensen), so m is
        `moments`.
    networks, seed : number of networks drawn, at least 4, and seed.
    The maximum of noisy means would be about two standard errors too large (1.8 to 2.2 for He networks of two and three
    layers of 16 to 20, ten points and 200 networks). Therefore the neuron and the point are selected on one half of the
    networks, and the moment is estimated on the other half. This is unbiased for this neuron and point, hence on
    average at most the maximum: a lower bound with a standard error.
    Returns an `Estimate`. Raises NetworkError if an argument is out of its range, or the networks have different
    numbers of neurons.
    See also `gaussian_gradient_constant`, which is exact for Gaussian weights.
    """
    rng, m = stream("networks for C_grad", seed), whole(moments, "moments", 1)
    count = whole(networks, "networks", 4)
    drawn = [as_table(gradient_norms(network, points)) for network in map(draw, [rng] * count)]
    if len({norms.shape for norms in drawn}) > 1 or not drawn[0].size:
        raise NetworkError("The law must draw networks of one number of neurons, and points must hold one at least.")
    powers = np.array(drawn).reshape(count, -1) ** m
    chosen, others = powers[: count // 2], powers[count // 2 :]
    there = others[:, int(chosen.mean(axis=0).argmax())]
    mean, error = float(there.mean()), float(there.std(ddof=1) / sqrt(len(there)))
    value = mean ** (1.0 / m)
    return Estimate(
        value,
        error / (m * mean) * value if mean > 0 else 0.0,
        m,
        f"{len(others)} networks where {len(chosen)} others are steepest, of {drawn[0].size} neurons and points",
    )
