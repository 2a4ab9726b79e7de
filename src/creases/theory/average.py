"""Bounds on average counts of random networks, from given constants C_grad and C_bias.

C_grad bounds the moments of every neuron's gradient norm, sup_x E ||grad z(x)||^m <= C_grad^m for m up to the input
dimension; C_bias bounds the density of the biases given everything else, sup rho <= C_bias^k for any k of them. N is
the number of hidden neurons, n the input dimension. The results derived here hold for neurons with two slopes under
these two conditions: for chains and graphs, also with clips, whose two neurons never vanish together, but not for
switches or units that share weights or biases. Fractions neither overflow nor round; float() gives a float.

Sources: Hanin and Rolnick 2019, "Deep ReLU Networks Have Surprisingly Few Activation Patterns" (theorem 5) and
"Complexity of Linear Regions in Deep Networks"; derivations are written out where the papers give no constant.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import comb, exp, factorial, lgamma, log, log1p, pi

from creases.errors import NetworkError
from creases.theory.arguments import as_layers, positive, whole

__all__ = [
    "distance_lower",
    "explicit_bound",
    "line_bound",
    "petersen_zech_bound",
    "smallest_side",
    "smallest_t",
    "strata_bound",
    "t_of",
    "theorem5_bound",
    "zero_bias_bound",
]


def t_of(c_grad: float, c_bias: float) -> float:
    """The constant T = 2^5 C_grad C_bias that later work uses in theorem 5.

    Raises NetworkError if an argument is not finite and above 0, or their product exceeds float64.
    Source: Tseran and Montúfar 2021, for cubes of side at least about 1 / (2 C_grad C_bias); by `smallest_side` a
    fifteenth of 1 / (C_grad C_bias) is sufficient.
    """
    return positive(32 * constants(c_grad, c_bias), "32 c_grad c_bias")


def smallest_side(t: float, c_grad: float, c_bias: float) -> float:
    """The smallest side delta_0 for which theorem 5 holds with this T, for N >= n: 2 / (T - 2 C_grad C_bias).

    It follows from `explicit_bound` with y = side C_grad C_bias. As C(N, k) <= N^k / k! <= N^n / n! for k <= n <= N,
    that bound is at most (2 (1 + y) N)^n / n!, which is at most (T side N)^n / n! if 2 (1 + y) <= T side.
    t : T. c_grad, c_bias : the constants of the distribution of networks.
    Raises NetworkError if an argument is out of its range, or t is not above 2 c_grad c_bias.

    Examples
    --------
    >>> smallest_side(32.0, 1.0, 1.0) * 15
    1.0
    """
    factor, product = Fraction(positive(t, "t")), constants(c_grad, c_bias)
    if factor <= 2 * product:
        raise NetworkError(f"t must be above 2 c_grad c_bias = {float(2 * product):g} for any side; got {t!r}.")
    return positive(2 / (factor - 2 * product), "2 / (t - 2 c_grad c_bias)")


def theorem5_bound(neurons: int, input_dim: int, t: float, *, volume: float = 1.0) -> Fraction:
    """The bound of theorem 5 on the expected number of regions in a large cube: (T N)^n / n! times its volume if N >=
    n, and 2^N if N < n.

    neurons : N. input_dim : n. t : T, for example `t_of(c_grad, c_bias)`. volume : of the cube, whose side must be at
        least `smallest_side`.
    The theorem divides by the volume. In its second case the bound 2^N holds for the count itself, for any volume.
    Returns a Fraction. Raises NetworkError if an argument is out of its range.
    Source: Hanin and Rolnick 2019, theorem 5.

    Examples
    --------
    >>> float(theorem5_bound(60, 2, 1.0))
    1800.0
    """
    count, n = whole(neurons, "neurons", 0), whole(input_dim, "input_dim", 1)
    factor, size = Fraction(positive(t, "t")), Fraction(positive(volume, "volume"))
    if count < n:
        return Fraction(1 << count)
    return size * (factor * count) ** n / factorial(n)


def explicit_bound(neurons: int, input_dim: int, side: float, c_grad: float, c_bias: float) -> Fraction:
    """An upper bound on the expected number of regions in a cube of any side s: 2^n sum_{k <= n} C(n, k) C(N, k) (s
    C_grad C_bias)^k.

    The closure of a region within the cube is a polytope and has a vertex, which lies inside a k-dimensional face of
    the cube and at which k neurons vanish; at most 2^k patterns occur near it. The cube has C(n, k) 2^(n - k) such
    faces, and each has on average at most C(N, k) (C_grad C_bias)^k such points per unit of k-volume (Kac-Rice formula,
    with the inequalities of Hadamard and Hölder). The condition on moments is conditional on the k biases being at
    their thresholds.
    neurons : N. input_dim : n. side : s. c_grad, c_bias : the constants of the distribution of networks.
    Returns a Fraction. Raises NetworkError if an argument is out of its range.

    Examples
    --------
    >>> float(explicit_bound(3, 1, 2.0, 1.0, 0.5))  # a segment: 2 (1 + 3)
    8.0
    """
    count, n = whole(neurons, "neurons", 0), whole(input_dim, "input_dim", 1)
    density = Fraction(positive(side, "side")) * constants(c_grad, c_bias)
    total: Fraction = sum((comb(n, k) * comb(count, k) * density**k for k in range(n + 1)), Fraction(0))
    return (1 << n) * total


def zero_bias_bound(neurons: int, input_dim: int, c_grad: float, c_zero: float) -> Fraction:
    """An upper bound on the expected number of regions without biases: 2 n times `explicit_bound` for side 2 in n - 1
    dimensions.

    The regions are cones, and each meets the surface of the cube [-1, 1]^n, whose 2 n faces are (n - 1)-dimensional
    cubes. On them the pre-activations have densities although there are no biases, and `explicit_bound` holds with its
    condition on biases applied to pre-activations. The bound is of order N^(n - 1), not N^n.
    neurons : N. input_dim : n. c_grad : c_grad^k bounds the mean product of the gradient norms of any k <= n - 1
        neurons where they vanish.
    c_zero : replaces C_bias; c_zero^k bounds the joint density at 0 of any k <= n - 1 pre-activations at each point of
        the surface. For one layer with weights N(0, v), c_zero = `gaussian_bias_density(sqrt(v))`, as the points have
        norm at least 1, and c_grad = `first_layer_moment(n, n - 1, variance=v)` satisfy these conditions. For deeper
        networks no closed form is known; at He initialisation the pre-activations of every layer have on average the
        variance of the first layer.
    Returns a Fraction. Raises NetworkError if an argument is out of its range.
    Source: derived here. Hanin and Rolnick 2019 (appendix D) give the order. By `zero_bias.zero_bias_map`, a network
    has at most as many regions without its biases as with them.

    Examples
    --------
    >>> float(zero_bias_bound(9, 1, 1.0, 1.0))  # a line has two directions
    2.0
    """
    n = whole(input_dim, "input_dim", 1)
    if n == 1:
        whole(neurons, "neurons", 0)
        positive(c_grad, "c_grad"), positive(c_zero, "c_zero")
        return Fraction(2)
    return 2 * n * explicit_bound(neurons, n - 1, 2.0, c_grad, positive(c_zero, "c_zero"))


def strata_bound(neurons: int, k: int, c_grad: float, c_bias: float) -> Fraction:
    """An upper bound on the expected (n - k)-volume of the k-stratum per unit of volume: C(N, k) (2 C_grad C_bias)^k.

    neurons : N. k : number of neurons that vanish, at least 0. c_grad, c_bias : the constants of the distribution of
        networks.
    Returns a Fraction, 0 for k > N. Raises NetworkError if an argument is out of its range.
    Source: Hanin and Rolnick 2019 (Complexity of Linear Regions), corollary of theorem 3.4.
    """
    count, number = whole(neurons, "neurons", 0), whole(k, "k", 0)
    density: Fraction = (2 * constants(c_grad, c_bias)) ** number
    return comb(count, number) * density


def line_bound(neurons: int, length: float, c_grad: float, c_bias: float) -> Fraction:
    """An upper bound on the expected number of pieces of a segment, in any input dimension: 1 + N C_grad C_bias length.

    Each zero of a neuron adds one piece. By the Kac-Rice formula the expected number of zeros is the integral of E |d z
    / d x| rho(z), at most C_grad C_bias per unit of length and neuron.
    neurons : N. length : of the segment. c_grad, c_bias : the constants of the distribution of networks.
    Returns a Fraction. Raises NetworkError if an argument is out of its range.
    """
    count = whole(neurons, "neurons", 0)
    return 1 + count * constants(c_grad, c_bias) * Fraction(positive(length, "length", zero=True))


def distance_lower(neurons: int, input_dim: int, c_grad: float, c_bias: float) -> float:
    """A lower bound on the expected distance from a uniformly random point of [0, 1]^n to the nearest boundary.

    The nearest boundary point lies inside a flat piece of a stratum of k neurons, and the segment to it is normal to
    that piece. So the points within distance e have volume at most sum_k omega_k e^k vol(stratum k), where omega_k is
    the volume of the k-dimensional unit ball and the strata are bounded by `strata_bound` on the cube enlarged by e.
    The expected distance is at least e (1 - that volume), maximised over e. It decreases like 1 / (C_grad C_bias N), as
    Hanin and Rolnick 2019 prove.
    neurons : N. input_dim : n. c_grad, c_bias : the constants of the distribution of networks.
    Raises NetworkError if an argument is out of its range.
    """
    count, n = whole(neurons, "neurons", 1), whole(input_dim, "input_dim", 1)
    furthest = 1 / (4 * constants(c_grad, c_bias) * count)  # beyond it the stratum k = 1 may cover the cube
    largest = positive(furthest, "1 / (4 c_grad c_bias neurons)")
    best = 0.0
    for step in range(1000):
        scale = 0.98**step
        widening = n * log1p(2.0 * largest * scale)
        if widening < 700.0:  # exp would overflow, and 1 - volume would not be positive
            volume = tubes(scale / 2.0, min(n, count)) * exp(widening)
            best = max(best, largest * scale * (1.0 - volume))
    return best


def tubes(x: float, most: int) -> float:
    """sum_{k <= most} omega_k x^k / k!, where C(N, k) <= N^k / k! and x = e N 2 C_grad C_bias, which is at most 1 /
    2."""
    total, k = 0.0, 0
    while k < most:
        k += 1
        # omega_k = pi^(k / 2) / Gamma(k / 2 + 1); in logarithms, because gamma and factorials overflow.
        term = exp(k * log(x) + k / 2 * log(pi) - lgamma(k / 2 + 1) - lgamma(k + 1))
        total += term
        if term < 1e-20:  # each is less than half of the one before, from k = 2 on
            break
    return total


def petersen_zech_bound(widths: Iterable[int], derivative: float, spread: float) -> float:
    """An upper bound on the expected number of pieces of a segment of length one, for independent uniform biases and
    fixed weights.

    widths : d_1 ... d_L, of a chain of dense layers with ReLU.
    derivative : C, a bound on the inner derivatives. spread : delta; biases are uniform on [-delta / 2, delta / 2].
    The bound is 1 + d_1 + (C / delta) (1 + (L - 1) ln(2 width)) sum_{j >= 2} d_j.
    Raises NetworkError if an argument is out of its range.
    Source: Petersen and Zech 2024, "Mathematical Theory of Deep Learning", theorem 6.9.
    """
    layers = as_layers(widths)
    factor = positive(derivative, "derivative") / positive(spread, "spread")
    return 1 + layers[0] + factor * (1 + (len(layers) - 1) * log(2 * max(layers))) * sum(layers[1:])


def smallest_t(regions: int, neurons: int, input_dim: int, *, volume: float = 1.0) -> float:
    """T-hat: the smallest T with regions <= (T N)^n / n! times the volume.

    It is informative about the network in cubes of a side of about 1 / (C_grad C_bias N) to 1 / (C_grad C_bias). In
    much larger cubes, which meet all regions, it is about 1 / side for N^n / n! regions, and depends on the window
    only.
    regions : the count. neurons : N. input_dim : n. volume : of the domain.
    Raises NetworkError if an argument is out of its range, or there are fewer neurons than dimensions, for which
    theorem 5 has no T.

    Examples
    --------
    >>> smallest_t(1800, 60, 2)
    1.0
    """
    count, n = whole(neurons, "neurons", 1), whole(input_dim, "input_dim", 1)
    total = whole(regions, "regions", 1)
    whole(count, "neurons (at least input_dim, for theorem 5 to have a T)", n)
    size = positive(volume, "volume")
    try:
        return float((total * factorial(n) / size) ** (1.0 / n) / count)
    except OverflowError:  # integers beyond the range of floats
        power = (log(total) + lgamma(n + 1) - log(size)) / n - log(count)
    if power > 700.0:
        raise NetworkError("So many regions take a T of e^700 and more, beyond floats.")
    return exp(power)


def constants(c_grad: float, c_bias: float) -> Fraction:
    """C_grad C_bias, exactly."""
    return Fraction(positive(c_grad, "c_grad")) * Fraction(positive(c_bias, "c_bias"))
