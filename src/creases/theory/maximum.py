"""Maximal numbers of regions, as integers of any size.

One layer is a hyperplane arrangement, which Zaslavsky's theorem counts exactly. For several layers, the upper bounds
are computed layer by layer: if only n - j neurons of a layer are active on a region, the image of the region has at
most n - j dimensions, so the next layer cuts less. All bounds hold for the whole input space; for the regions on a
slice of dimension d, replace the input dimension by d. All count activation regions of hidden neurons. Functions of
widths are for chains, in which a layer takes only the layer before it. Numbers that certain networks attain are in
`attained`, upper bounds for graphs in `graphs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb, factorial, prod

from creases.errors import NetworkError
from creases.theory.arguments import as_layers, whole

__all__ = [
    "central",
    "faces",
    "hanin_rolnick_estimate",
    "hinz_upper",
    "maxout_upper",
    "montufar_2017_upper",
    "raghu_order",
    "serra_upper",
    "trivial",
    "zaslavsky",
]


def trivial(neurons: int) -> int:
    """The trivial upper bound 2^N, the number of patterns of N neurons.

    neurons : at least 0. Raises NetworkError otherwise.

    Examples
    --------
    >>> trivial(10)
    1024
    """
    return 1 << whole(neurons, "neurons", 0)


def zaslavsky(neurons: int, input_dim: int, *, rank: int | None = None) -> int:
    """The number of regions of N hyperplanes in general position in R^n: C(N, 0) + C(N, 1) + ... + C(N, n).

    neurons : number N of hyperplanes, at least 0. input_dim : n, at least 1.
    rank : rank of the normals if it is below n; the sum then ends at this index. None for full rank.
    Returns an int of any size: the exact count for one generic hidden layer, and the maximum for any.
    Raises NetworkError if an argument is not an integer in its range.
    Source: Schläfli 1901 for general position; Zaslavsky 1975, "Facing up to arrangements", Theorem A.

    See Also
    --------
    central : hyperplanes that all pass through the origin.
    serra_upper : more than one hidden layer.

    Examples
    --------
    >>> zaslavsky(3, 2)
    7
    >>> zaslavsky(60, 3)
    36051
    """
    count, n = whole(neurons, "neurons", 0), whole(input_dim, "input_dim", 1)
    most = n if rank is None else min(whole(rank, "rank", 0), n)
    return sum(comb(count, k) for k in range(min(most, count) + 1))


def central(neurons: int, input_dim: int) -> int:
    """The number of regions of N central hyperplanes in general position: 2 (C(N-1, 0) + ... + C(N-1, n-1)).

    neurons : number N of hyperplanes, at least 0; for N = 0 there is one region. input_dim : n, at least 1.
    Returns an int of any size: the exact count for one generic hidden layer with zero biases.
    Raises NetworkError if an argument is not an integer in its range.
    Source: Schläfli 1901; Zaslavsky 1975, Theorem A, for central arrangements (Cover 1965 for n points).

    Examples
    --------
    >>> central(60, 2)
    120
    >>> central(40, 3)
    1562
    """
    count, n = whole(neurons, "neurons", 0), whole(input_dim, "input_dim", 1)
    if count == 0:
        return 1
    return 2 * sum(comb(count - 1, k) for k in range(min(n, count)))


def faces(neurons: int, input_dim: int, k: int) -> int:
    """The number of k-dimensional faces of N hyperplanes in general position in R^n: C(N, n - k) sum_{j <= k} C(N - n +
    k, j).

    Any n - k hyperplanes meet in a k-dimensional flat, which the others cut in general position. So k = n gives
    `zaslavsky`, k = 0 the C(N, n) vertices, and the alternating sum over k is (-1)^n.
    neurons : N, at least 0. input_dim : n, at least 1. k : 0 ... n. Returns an int of any size, 0 if N < n - k.
    Raises NetworkError if an argument is not an integer in its range.
    Source: Zaslavsky 1975, section 5.

    Examples
    --------
    >>> [faces(3, 2, k) for k in range(3)]  # three lines: 3 crossings, 9 edges, 7 pieces
    [3, 9, 7]
    """
    count, n = whole(neurons, "neurons", 0), whole(input_dim, "input_dim", 1)
    dimension = whole(k, "k", 0)
    if dimension > n:
        raise NetworkError(f"k must be at most input_dim = {n}, got {dimension}.")
    meeting = n - dimension
    if count < meeting:
        return 0
    return comb(count, meeting) * sum(comb(count - meeting, j) for j in range(dimension + 1))


def montufar_2017_upper(widths: Iterable[int], input_dim: int) -> int:
    """An upper bound: prod_l sum_{j <= d_l} C(n_l, j), d_l = min(n, n_1, ..., n_l).

    widths : neurons of each hidden layer of a chain. input_dim : n.
    Only hyperplanes are counted, so it holds for any two slopes: ReLU, leaky ReLU, absolute value. `network_upper` is
    the generalisation to graphs.
    Returns an int of any size. Raises NetworkError if an argument is not an integer in its range.
    Source: Montúfar 2017, "Notes on the number of linear regions of deep neural networks".

    Examples
    --------
    >>> montufar_2017_upper([4, 4], 3)
    225
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    dimensions = accumulate(layers, min, initial=n)
    next(dimensions)
    return prod(sum(comb(width, j) for j in range(d + 1)) for width, d in zip(layers, dimensions, strict=True))


def serra_upper(widths: Iterable[int], input_dim: int, *, ranks: Sequence[int] | None = None) -> int:
    """An upper bound on the regions of any chain of ReLU layers of these widths.

    Not for graphs or other activations, because it uses that an inactive neuron has output zero; for these there is
    `network_upper`.
    widths : neurons of each hidden layer, first to last, each at least 1; without the output layer.
    input_dim : n, at least 1.
    ranks : ranks of the weight matrices, if known to be lower than full; a layer of rank r cuts in at most r
        dimensions.
    Returns an int of any size. For one layer it is `zaslavsky`; for one input and layers of three neurons
    or more it is attained, as the product of (width + 1).
    Raises NetworkError if an argument is not an integer in its range, or there is no layer.
    Source: Serra, Tjandraatmadja and Ramalingam 2018, "Bounding and counting linear regions of deep neural
    networks", Theorem 1: the sum of the products of C(n_l, j_l) over all (j_1, ..., j_L) with
    0 <= j_l <= min(n, n_1 - j_1, ..., n_{l-1} - j_{l-1}, n_l). Here by recursion on d, the dimensions left
    when layer l is reached: R_{L+1}(d) = 1, and R_l(d) is the sum over j <= min(d, n_l) of
    C(n_l, j) R_{l+1}(min(d, n_l - j)).

    Examples
    --------
    >>> serra_upper([3, 3], 2)
    40
    >>> serra_upper([20, 20, 20], 1) == 21**3
    True
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    most = layers if ranks is None else [whole(rank, f"ranks[{i}]", 0) for i, rank in enumerate(ranks)]
    if len(most) != len(layers):
        raise NetworkError(f"ranks must hold one number a layer, {len(layers)}; got {len(most)}.")
    deepest = min(n, max(layers))
    # The last layers first, so that the recursion depth does not grow with the network's depth.
    above: dict[int, int] = dict.fromkeys(range(deepest + 1), 1)
    for width, rank in zip(reversed(layers), reversed(most), strict=True):
        above = {d: serra_layer(width, min(d, rank), d, above) for d in above}
    return above[deepest]


def serra_layer(width: int, most: int, d: int, above: dict[int, int]) -> int:
    """R_l(d) from R_{l+1}. most : the largest number of dimensions in which the layer cuts."""
    return sum(comb(width, j) * above[min(d, width - j)] for j in range(min(most, width) + 1))


def hinz_upper(widths: Iterable[int], input_dim: int) -> int:
    """An upper bound by histograms of the dimensions of regions, propagated layer by layer.

    A region of dimension d becomes C(n_l, j) regions of dimension min(d, n_l - j) for each j <= min(d, n_l). With this
    transition (that of Serra et al.) the bound equals `serra_upper`.
    Arguments and errors as for `serra_upper`; also for chains of ReLU only.
    Source: Hinz and van de Geer 2019, "A framework for the construction of upper bounds on the number of affine linear
    regions of ReLU feed-forward neural networks".

    Examples
    --------
    >>> hinz_upper([4, 3, 2], 2)
    275
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    histogram = {min(n, max(layers)): 1}
    for width in layers:
        pushed: dict[int, int] = {}
        for d, regions in histogram.items():
            for j in range(min(d, width) + 1):
                left = min(d, width - j)
                pushed[left] = pushed.get(left, 0) + regions * comb(width, j)
        histogram = pushed
    return sum(histogram.values())


def raghu_order(width: int, depth: int, input_dim: int) -> int:
    """The order of an upper bound for L layers of equal width: k^(L n), without its constant factor.

    width : k. depth : L, hidden layers of a chain of ReLU. input_dim : n.
    Raises NetworkError if an argument is not an integer in its range.
    Source: Raghu et al. 2017, Theorem 1: O(k^(L n)) for ReLU, O((2 k)^(L n)) for hard tanh.

    Examples
    --------
    >>> raghu_order(10, 2, 2)
    10000
    """
    return int(whole(width, "width", 1) ** (whole(depth, "depth", 1) * whole(input_dim, "input_dim", 1)))


def maxout_upper(widths: Iterable[int], pieces: int, input_dim: int) -> int:
    """An upper bound for maxout networks: prod_l sum_{j <= d_l} C(k (k - 1) n_l / 2, j), d_l = min(n, n_1, ..., n_l).

    For chains of maxout layers; `network_upper` is for any graph of switches, and is at most this.
    pieces : k, the number of affine functions of each unit, at least 1. For k = 2 the bound is `montufar_2017_upper`;
        other arguments and errors as there.
    Source: Montúfar 2017; each pair of a unit's functions is equal on one hyperplane.

    Examples
    --------
    >>> maxout_upper([4, 4], 2, 3) == montufar_2017_upper([4, 4], 3)
    True
    """
    layers, n, k = as_layers(widths), whole(input_dim, "input_dim", 1), whole(pieces, "pieces", 1)
    dimensions = accumulate(layers, min, initial=n)
    next(dimensions)
    pairs = k * (k - 1) // 2
    return prod(sum(comb(pairs * width, j) for j in range(d + 1)) for width, d in zip(layers, dimensions, strict=True))


def hanin_rolnick_estimate(neurons: int, input_dim: int) -> Fraction:
    """A heuristic estimate of the expected number of regions of a random network on R^n: N^n / n!.

    neurons : number N of hidden neurons in all layers, at least 0.
    input_dim : n, number of inputs, or dimension of the slice, at least 1.
    Returns a Fraction; float() rounds it once.
    Raises NetworkError if an argument is not an integer in its range.

    It applies to neurons with separate thresholds and independent weights, in a chain or a graph, but not to switches.
    It is a heuristic and not a bound: Hanin and Rolnick 2019 give it for the whole space in the remark after Theorem 5,
    independent of depth. Theorem 5 itself is about large cubes and has (T N)^n / n! with a constant T > 1. For one
    generic layer it is the leading term of `zaslavsky`.

    Examples
    --------
    >>> print(hanin_rolnick_estimate(96, 2))  # three layers of 32, on a plane
    4608
    """
    count, n = whole(neurons, "neurons", 0), whole(input_dim, "input_dim", 1)
    return Fraction(count**n, factorial(n))
