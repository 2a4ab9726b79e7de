"""Local complexity around inputs, by the two definitions in the literature.

Humayun, Balestriero and Baraniuk (2024, Deep networks always grok and here is why) count, layer by layer, the units
whose sign differs among the vertices x + r u_i and x - r u_i of a cross-polytope around x, with orthonormal u_i. This
is roughly the number of walls of the layer within distance r.

Patel and Montúfar (2024, On the local complexity of linear regions in deep ReLU networks) define it as the expected
density of boundaries if all biases have noise N(0, sigma^2):

    LC = E over x and noise of  sum over neurons z of  |grad z(x)| rho_z(z(x)) 1{z is good at x}

where rho_z is the density at zero of a neuron's pre-activation due to its own noise. A neuron is good at x if a path of
active neurons leads from it to an output, so that its boundary is one of the function.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.memory import enough_memory
from creases.network import Clip, Level, Linear, Network
from creases.network.operators import Operator
from creases.streams import stream
from creases.theory.arguments import positive, whole
from creases.theory.distances import LESS, as_rows
from creases.theory.forms import Walk, all_directions, bent
from creases.theory.graphs import has_switches

__all__ = ["LocalComplexity", "humayun_local_complexity", "patel_local_complexity"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Default number of directions of a cross-polytope, as in the paper's experiments.
DIRECTIONS = 25
# The largest numbers of entries in memory at a time: of patterns at vertices, and of values above neurons on their
# boundaries.
AT_A_TIME = 10_000_000


def humayun_local_complexity(
    network: Network, points: ArrayLike, radius: float, directions: int | None = None, *, seed: int = 0
) -> Ints:
    """For each layer, the number of neurons that change their state among the vertices of a cross-polytope around each
    point.

    network : any network, a chain or a graph. The two neurons of a clip count separately; a switch counts once, if the
        vertices have different winners.
    points : shape (..., n_in) or (..., *input_shape). radius : r > 0, in the units of the network's inputs.
    directions : number of orthonormal directions of the polytope, at most n_in; None means the smaller of 25 and n_in.
        They are drawn uniformly with `seed`, and are the same for all points.
    Returns int64 (..., layers). Signs are computed in floating-point arithmetic; changes between the vertices are not
    detected.
    Raises NetworkError if the points do not fit the network, or another argument is out of its range.
    Source: Humayun, Balestriero and Baraniuk 2024.

    Examples
    --------
    >>> lines = Network.from_arrays([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], [[0.0, -3.0, 0.0]], output_layer=False)
    >>> humayun_local_complexity(lines, [[0.0, 0.0], [3.0, 9.0]], 0.5)
    array([[2],
           [1]])
    """
    flat, shape = as_rows(network, points)
    reach, n = positive(radius, "radius"), network.n_in
    count = min(DIRECTIONS, n) if directions is None else whole(directions, "directions", 1)
    if count > n:
        raise NetworkError(f"directions must be at most {n}, as many as are orthogonal to one another; got {count}.")
    draw = stream("directions of cross-polytopes", seed).standard_normal((n, count))
    axes, triangle = np.linalg.qr(draw)
    # Without these signs the distribution would not be uniform.
    steps = reach * (axes * np.sign(np.diag(triangle))).T
    steps = np.concatenate([steps, -steps])
    changing = np.zeros((len(flat), network.depth), np.int64)
    step = max(1, AT_A_TIME // (len(steps) * max(network.neurons, n)))
    for begin in range(0, len(flat), step):
        some = slice(begin, begin + step)
        patterns = network.pattern(flat[some, None, :] + steps)
        for layer, states in enumerate(patterns):
            changing[some, layer] = (states != states[:, :1]).any(axis=1).sum(axis=1)
    return changing.reshape(*shape, network.depth)


class LocalComplexity(NamedTuple):
    """Local complexity by bias noise.

    values : float64 (...), for each point the area of boundaries per volume, in inverse units of the inputs.
    errors : float64 (...), their standard errors, from the draws of the noise.
    """

    values: Floats
    errors: Floats

    @property
    def mean(self) -> float:
        """The mean over all points, LC in Patel and Montúfar (2024); NaN if there are none."""
        return float(self.values.mean()) if self.values.size else float("nan")


def patel_local_complexity(
    network: Network, points: ArrayLike, sigma: float, *, samples: int = 16, seed: int = 0
) -> LocalComplexity:
    """The expected density of boundaries at each point if independent noise N(0, sigma^2) is added to the biases of all
    neurons.

    network : a chain or a graph without switches, which have no threshold. The two boundaries of a clip share one
        noise. The units of a convolution have separate noises, although they share a bias.
    points : shape (..., n_in) or (..., *input_shape). sigma : standard deviation, positive, in the units of
        pre-activations.
    samples : number of draws of the noise, at least two, with `seed`. A neuron's own noise is integrated in closed
        form, so for one layer errors are zero up to rounding. Each draw evaluates the layers above once for each
        neuron, with that neuron on its boundary.
    Returns a `LocalComplexity`. Raises NetworkError if there are switches, the points do not fit the network, or an
    argument is out of its range; NotEnoughMemoryError if the derivatives do not fit into memory.
    Source: Patel and Montúfar 2024; the density is that of Hanin and Rolnick 2019, theorem 6.

    Examples
    --------
    >>> network = Network.from_arrays([[[3.0, 4.0]], [[1.0]]], [[0.0], [0.0]])
    >>> patel_local_complexity(network, [[0.0, 0.0]], 1.0).values.round(4)  # 5 / sqrt(2 pi)
    array([1.9947])
    """
    flat, shape = as_rows(network, points)
    width, count = positive(sigma, "sigma"), whole(samples, "samples", 2)
    if has_switches(network):
        raise NetworkError(f"{network!r} has switches, which have no threshold to which noise could be added.")
    random = stream("noise of local complexity", seed)
    densities_at = np.empty((count, len(flat)))
    with enough_memory("Local complexity", LESS):
        directions, widest = all_directions(network, euclidean=True), max(level.n_units for level in network.levels)
        for draw in range(count):
            noise = [width * random.standard_normal(level.n_units) * noisy(level) for level in network.levels]
            moved = with_noise(network, noise)
            walk = Walk(moved, directions)
            step = max(1, min(walk.at_a_time, AT_A_TIME // (widest * max(widest, network.n_in))))
            for begin in range(0, len(flat), step):
                some = slice(begin, begin + step)
                densities_at[draw, some] = densities(moved, walk, flat[some], noise, width)
    values, errors = densities_at.mean(axis=0), densities_at.std(axis=0, ddof=1) / sqrt(count)
    return LocalComplexity(values.reshape(shape), errors.reshape(shape))


def noisy(level: Level) -> Floats:
    """1.0 for units whose bias has noise (neurons and units with a clip), 0.0 for others."""
    noise = np.zeros(level.n_units)
    if isinstance(level.kink, Clip):
        noise[:] = 1.0
    elif level.is_layer:
        noise[bent(level)] = 1.0
    return noise


def with_noise(network: Network, noise: list[Floats]) -> Network:
    """The same network with noise added to its biases."""
    levels = [
        Level(level.sources, level.bias + extra, level.kink, level.name)
        for level, extra in zip(network.levels, noise, strict=True)
    ]
    return Network.from_levels(levels, n_in=network.n_in)


def densities(network: Network, walk: Walk, points: Floats, noise: list[Floats], sigma: float) -> Floats:
    """The sum over neurons of |grad z| rho(z) 1{good} at each point.

    network : the network with noise. noise : the noise, by level.
    """
    values, sums, layers = [points], np.zeros(len(points)), walk.at(points)
    for number, level in enumerate(network.levels, 1):
        z = level.sums(values)
        values.append(level.kink.apply(z))
        if not level.is_layer:
            continue
        units = np.flatnonzero(noisy(level))
        bounds = level.kink.bounds(level.n_units) if isinstance(level.kink, Clip) else [np.zeros(level.n_units)]
        for bound, (heights, _, lengths) in zip(bounds, next(layers).walls(), strict=True):
            # The unit's own noise is subtracted; its density is evaluated at the noise that would make z zero.
            away = (heights - noise[number - 1][units]) / sigma
            good = are_good(network, values, z, number, units, bound)
            sums += (lengths * np.exp(-0.5 * away * away) * good).sum(axis=1)
    return sums / (sqrt(2.0 * pi) * sigma)


def are_good(network: Network, values: list[Floats], z: Floats, number: int, units: Ints, bound: Floats) -> Bools:
    """Whether each unit of a level is good at each point if its own bias puts it on its boundary: bool (p, units).

    values : the values of levels 0 to number. z : float64 (p, n), the sums of level `number`. bound : float64 (n,), the
        sums on the boundary.
    """
    count, n = len(z), len(units)
    moved = np.repeat(z[:, None], n, axis=1)
    moved[:, np.arange(n), units] = bound[units]
    taken = {source for level in network.levels[number:] for source in level.sources}
    below: list[Floats | None] = [
        np.repeat(one, n, axis=0) if source in taken else None for source, one in enumerate(values)
    ]
    below[number] = network.levels[number - 1].kink.apply(moved.reshape(count * n, -1))
    reached = {number: np.tile(np.eye(z.shape[1], dtype=np.bool_)[units], (count, 1))}
    for later, level in enumerate(network.levels[number:], number + 1):
        sums = level.sums(below)
        below.append(level.kink.apply(sums))
        reached[later] = open_units(level, sums) & np.logical_or.reduce(
            [passed_on(operator, reached[source]) for source, operator in level.sources.items() if source in reached]
            or [np.zeros(sums.shape, np.bool_)]
        )
    return np.asarray(reached[len(network.levels)].any(axis=1).reshape(count, n))


def open_units(level: Level, sums: Floats) -> Bools:
    """Whether a change of each unit's sum changes its value: bool, (p, n) or (n,)."""
    if isinstance(level.kink, Linear):
        return np.ones(level.n_units, np.bool_)
    pattern = level.kink.pattern(sums) if level.is_layer else np.zeros((1, 0), np.bool_)
    return np.asarray(level.kink.branch(pattern, level.n_units).slopes != 0)


def passed_on(operator: Operator, reached: Bools) -> Bools:
    """The outputs of an operator that depend on inputs marked in `reached`, bool (p, n_in): bool (p, n_out)."""
    return np.asarray((abs(operator.matrix) @ reached.T.astype(np.float64)).T > 0)
