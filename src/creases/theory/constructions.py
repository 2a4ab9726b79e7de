"""Networks whose number of regions is given by a formula: training does not find them, and noise destroys them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from creases.errors import NetworkError
from creases.network import Network
from creases.theory.arguments import as_chain, as_layers, positive, whole

__all__ = ["folding", "perturb", "sawtooth", "zigzag", "zonotope"]

Floats = NDArray[np.float64]

CHAINS_ONLY = (
    "a graph does not say which of its numbers are weights; the identity of a residual sum is none.",
    "For a graph draw the noise where its weights are, and build it anew with creases.build.",
)


def sawtooth(depth: int) -> Network:
    """Telgarsky's sawtooth: the tent map composed depth times, with 2^depth pieces on [0, 1] and two neurons per layer.

    Each layer is m(x) = 2 relu(x) - 4 relu(x - 1/2). All numbers are exact.
    depth : L, at least 1. Raises NetworkError otherwise.
    Source: Telgarsky 2015, "Representation benefits of deep feedforward networks".

    Examples
    --------
    >>> from creases import Segment, count
    >>> count(sawtooth(5), Segment([0.0], [1.0])).regions
    32
    """
    layers = whole(depth, "depth", 1)
    tent, first = np.array([[2.0, -4.0]]), np.ones((2, 1))
    weights = [first, *[first @ tent] * (layers - 1), tent]
    return Network.from_arrays(weights, [np.array([0.0, -0.5])] * layers + [np.zeros(1)])


def zigzag(widths: Iterable[int]) -> Network:
    """A network of one input with prod_l (n_l + 1) pieces on the line.

    widths : neurons of each hidden layer, at least three. Raises NetworkError if a layer has fewer than three neurons.
    Source: the maximum is that of `one_dimensional_maximum`; cf. Serra, Tjandraatmadja and Ramalingam 2018, theorem 7.

    Examples
    --------
    >>> from creases import Space, count
    >>> count(zigzag([3, 4, 3]), Space(1)).regions  # 4 * 5 * 4
    80
    """
    return Network.from_arrays(*zigzags(as_zigzag_layers(widths), np.ones((1, 1)), np.zeros(1)))


def zonotope(directions: int, widths: Iterable[int], input_dim: int, rng: np.random.Generator) -> Network:
    """The zonotope network: it has 2 sum_{j < n} C(m - 1, j) prod_{l >= 2} (n_l + 1) regions on R^n.

    The 2 m neurons of the first layer compute r = sum |<a_i, x>| for m random directions a_i, which grows from 0 to
    infinity along every ray. The layers above are a `zigzag` of r.
    directions : m. widths : neurons of the layers above, at least three each. input_dim : n. rng : the generator of the
        directions.
    Raises NetworkError if an argument is out of its range.
    Source: Arora, Basu, Mianjy and Mukherjee 2018, theorem 2.11, with n_l + 1 in place of their n_l (`arora_lower`).
    """
    m, n = whole(directions, "directions", 1), whole(input_dim, "input_dim", 1)
    normals = rng.standard_normal((m, n))
    above = as_zigzag_layers(widths)
    weights, biases = zigzags(above, np.ones((1, 2 * m)), np.zeros(1))
    return Network.from_arrays([np.vstack([normals, -normals]), *weights], [np.zeros(2 * m), *biases])


def as_zigzag_layers(widths: Iterable[int]) -> list[int]:
    """Hidden widths, each at least three. Raises NetworkError otherwise."""
    layers = as_layers(widths)
    for i, width in enumerate(layers):
        if width < 3:
            raise NetworkError(f"widths[{i}] must be at least 3 for a layer to fold a line n + 1 times; got {width}.")
    return layers


def zigzags(layers: Sequence[int], read: Floats, constant: Floats) -> tuple[list[Floats], list[Floats]]:
    """Weights and biases of the layers that fold the number read @ activations + constant, and those of the output."""
    weights, biases = [], []
    for width, above in pairwise((*layers, 1)):
        into, bias, out, offset = zigzag_layer(width, above + 1.0)
        weights.append(into @ read)
        biases.append(into @ constant + bias)
        read, constant = out, offset
    return [*weights, read], [*biases, constant]


def zigzag_layer(width: int, top: float) -> tuple[Floats, Floats, Floats, Floats]:
    """A layer that breaks at 1, 2, ..., n, as (weight, bias), and its readout, as (weight, offset).

    With t = `top`, the slopes are 2 t, -t, t, -t, ..., and the value at 1 is t. So each of the n + 1 pieces covers all
    of (0, t), where the layer above breaks, even if only (0, n + 1) reaches this layer. The change of slope at a break
    is the output weight of its neuron, whether it is active to the left or to the right. The third neuron is active to
    the left: its change of slope, -2 t, gives the slope 2 t left of all breaks.
    """
    breaks = np.arange(1.0, width + 1.0)
    slopes = top * np.array([2.0, *((-1.0) ** k for k in range(1, width + 1))])
    looks = np.ones(width)
    looks[2] = -1.0
    jumps = np.diff(slopes)
    offset = top - jumps[2] * (breaks[2] - breaks[0])
    return looks[:, None], -looks * breaks, jumps[None, :], np.array([offset])


def folding(widths: Iterable[int], input_dim: int, rng: np.random.Generator) -> Network:
    """The folding network of Montúfar et al.: it has prod_{l < L} floor(n_l / n)^n sum_{j <= n} C(n_L, j) regions on
    [0, 1]^n.

    Layer l < L folds each coordinate floor(n_l / n) times onto [0, 1]; surplus neurons are always inactive. The last
    layer is a random arrangement whose vertices all lie inside the cube.
    widths : neurons of each hidden layer. input_dim : n. rng : the generator of the last layer.
    Raises NetworkError if a width below the last is less than n, or an argument is out of its range.
    Source: Montúfar, Pascanu, Cho and Bengio 2014, theorem 4 (`montufar_2014_lower`).
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    weights, biases = [], []
    read = np.eye(n)
    for i, width in enumerate(layers[:-1]):
        if width < n:
            raise NetworkError(f"widths[{i}] must be at least input_dim = {n} to fold every coordinate; got {width}.")
        folds = width // n
        into, bias, out = np.zeros((width, n)), np.full(width, -1.0), np.zeros((n, width))
        for c in range(n):
            for j in range(folds):
                row = c * folds + j
                into[row, c] = folds * (1.0 if j == 0 else 2.0)
                bias[row] = -2.0 * j
                out[c, row] = (-1.0) ** j
        weights.append(into @ read)
        biases.append(bias)
        read = out
    normals, offsets = arrangement_in_cube(layers[-1], n, rng)
    weights.append(normals @ read)
    biases.append(offsets)
    return Network.from_arrays([*weights, np.ones((1, layers[-1]))], [*biases, np.zeros(1)])


def arrangement_in_cube(count: int, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Random hyperplanes normal . x + offset = 0 whose vertices all lie in (0, 1)^n, so that every region meets the
    cube."""
    normals, offsets = rng.standard_normal((count, n)), rng.standard_normal(count)
    corners = (
        [
            np.linalg.solve(normals[list(rows)], -offsets[list(rows)])
            for rows in combinations(range(count), min(n, count))
        ]
        if count >= n
        else []
    )
    furthest = max((float(np.abs(corner).max()) for corner in corners), default=1.0)
    shrunk = offsets / (2.5 * furthest)
    if count < n:  # there are no vertices: with hyperplanes near the centre, every region meets the cube
        shrunk = offsets * 0.0
    return normals, shrunk - normals @ np.full(n, 0.5)


def perturb(network: Network, scale: float, rng: np.random.Generator) -> Network:
    """The network with independent noise N(0, scale^2) added to every weight and bias, also of the output layer.

    network : a chain of dense layers with ReLU. rng : the generator of the noise.
    Raises NetworkError if the network is a graph, or scale is not finite and at least 0.
    Source: the companion paper's figure of the sawtooth under noise (Hanin and Rolnick 2019).
    """
    size = positive(scale, "scale", zero=True)
    chain = [*as_chain(network, "perturb", *CHAINS_ONLY), *([network.output] if network.output else [])]
    return Network.from_arrays(
        [layer.weight + size * rng.standard_normal(layer.weight.shape) for layer in chain],
        [layer.bias + size * rng.standard_normal(layer.bias.shape) for layer in chain],
        output_layer=network.output is not None,
        input_shape=network.input_shape,
        notes=network.notes,
    )
