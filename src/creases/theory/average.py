"""What is expected of a random network: bounds on average counts, with the constants C_grad and C_bias given.

C_grad bounds the moments of every neuron's gradient norm, sup_x E ||grad z(x)||^m <= C_grad^m for m up to the input
dimension; C_bias the density of the biases given everything else, sup rho <= C_bias^k for any k of them. N is the
number of hidden neurons, n the input dimension. What is derived here needs neurons with two slopes and these two
conditions: it holds of chains and of graphs, of clips too, whose two neurons never vanish together, but not of switches
nor where units share weights or biases. Fractions neither overflow nor round; float() gives a float.

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
    """The constant T = 2^5 C_grad C_bias that later work puts into theorem 5.

    Raises NetworkError if an argument is not finite and above 0, or their product is not for floats.
    Source: Tseran and Montúfar 2021, who use it for cubes of side at least about 1 / (2 C_grad C_bias); `smallest_side`
    derives a fifteenth of 1 / (C_grad C_bias).
    """
    return positive(32 * constants(c_grad, c_bias), "32 c_grad c_bias")


def smallest_side(t: float, c_grad: float, c_bias: float) -> float:
    """delta_0: the side from which on theorem 5 holds with this T, for N >= n: 2 / (T - 2 C_grad C_bias).

    From `explicit_bound`, with y = side C_grad C_bias: C(N, k) <= N^k / k! <= N^n / n! for k <= n <= N, so that the
    bound is at most (2 (1 + y) N)^n / n!, which is no more than (T side N)^n / n! where 2 (1 + y) <= T side.
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
    """Expected regions that meet a large cube: (T N)^n / n! times its volume if N >= n, and 2^N if N < n.

    t : T, for example `t_of(c_grad, c_bias)`. volume : of the cube, whose side must be `smallest_side` at least.
    The theorem divides by the volume; in its second case the bound 2^N holds for the count itself, whatever the volume.
    Raises NetworkError if an argument is out of its range.
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
    """Expected regions that meet a cube of any side s: 2^n sum_{k <= n} C(n, k) C(N, k) (s C_grad C_bias)^k.

    The closure of a region within the cube is a polytope and has a vertex, inside a face of k dimensions of the cube
    where k neurons vanish; near it there are at most 2^k patterns. The cube has C(n, k) 2^(n - k) such faces, and on
    each there are at most C(N, k) (C_grad C_bias)^k such points a unit of k-volume (Kac and Rice's formula, with
    Hadamard's and Hölder's inequalities). The condition on moments is read with the k biases at their thresholds.
    Raises NetworkError if an argument is out of its range.

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
    """Expected regions of a network without biases: 2 n times `explicit_bound` for a side of 2 in n - 1 dimensions.

    Regions are cones, and every one meets the surface of the cube [-1, 1]^n, whose 2 n faces are cubes of n - 1
    dimensions. There pre-activations have densities although biases have none: `explicit_bound` holds with its
    condition on biases read for pre-activations. So it is of order N^(n - 1), not N^n.
    c_zero : in the place of C_bias; c_zero^k bounds the joint density at 0 of any k <= n - 1 pre-activations at each
        point of the surface, and c_grad^k the mean product of their gradients' lengths where they vanish. For one layer
        of weights N(0, v) c_zero = `gaussian_bias_density(sqrt(v))`, as points have length 1 at least, and c_grad =
        `first_layer_moment(n, n - 1, variance=v)` will do. For deeper ones no closed form is known; at He
        initialisation pre-activations have the first layer's variance in every layer, in the mean.
    Raises NetworkError if an argument is out of its range.
    Source: derived here. Hanin and Rolnick 2019 (appendix D) have the order; `zero_bias.zero_bias_map` shows that a
    network has no more regions without its biases than with them.

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
    """Expected (n - k)-volume of the points where k neurons vanish, a unit of volume: C(N, k) (2 C_grad C_bias)^k.

    k : at least 0; at most N neurons can vanish. Raises NetworkError if an argument is out of its range.
    Source: Hanin and Rolnick 2019 (Complexity of Linear Regions), corollary of theorem 3.4.
    """
    count, number = whole(neurons, "neurons", 0), whole(k, "k", 0)
    density: Fraction = (2 * constants(c_grad, c_bias)) ** number
    return comb(count, number) * density


def line_bound(neurons: int, length: float, c_grad: float, c_bias: float) -> Fraction:
    """Expected pieces of a segment, of any input dimension: 1 + N C_grad C_bias length.

    A piece more than one for each zero of a neuron, of which Kac and Rice's formula expects the integral of
    E |d z / d x| rho(z), at most C_grad C_bias a unit of length and neuron.
    Raises NetworkError if an argument is out of its range.
    """
    count = whole(neurons, "neurons", 0)
    return 1 + count * constants(c_grad, c_bias) * Fraction(positive(length, "length", zero=True))


def distance_lower(neurons: int, input_dim: int, c_grad: float, c_bias: float) -> float:
    """At least how far a point drawn uniformly from [0, 1]^n is expected to be from the nearest boundary.

    The nearest boundary point lies inside a flat piece of some stratum of k neurons, and the way there is normal to it;
    so points within e fill at most sum_k omega_k e^k vol(stratum k), omega_k being the volume of the unit ball of k
    dimensions, and strata are bounded by `strata_bound` on the cube widened by e. The distance is then expected to be
    at least e (1 - that volume), for the best e. It falls as 1 / (C_grad C_bias N), as the papers prove.
    Raises NetworkError if an argument is out of its range.
    """
    count, n = whole(neurons, "neurons", 1), whole(input_dim, "input_dim", 1)
    furthest = 1 / (4 * constants(c_grad, c_bias) * count)  # beyond it the stratum k = 1 alone may fill the cube
    largest = positive(furthest, "1 / (4 c_grad c_bias neurons)")
    best = 0.0
    for step in range(1000):
        scale = 0.98**step
        widening = n * log1p(2.0 * largest * scale)
        if widening < 700.0:  # exp holds no more, and then nothing is left of 1 - volume
            volume = tubes(scale / 2.0, min(n, count)) * exp(widening)
            best = max(best, largest * scale * (1.0 - volume))
    return best


def tubes(x: float, most: int) -> float:
    """sum_{k <= most} omega_k x^k / k!, where C(N, k) <= N^k / k! and x = e N 2 C_grad C_bias, at most 1 / 2."""
    total, k = 0.0, 0
    while k < most:
        k += 1
        # omega_k = pi^(k / 2) / Gamma(k / 2 + 1); in logarithms, as neither gamma nor factorials fit into floats.
        term = exp(k * log(x) + k / 2 * log(pi) - lgamma(k / 2 + 1) - lgamma(k + 1))
        total += term
        if term < 1e-20:  # each is less than half of the one before, from k = 2 on
            break
    return total


def petersen_zech_bound(widths: Iterable[int], derivative: float, spread: float) -> float:
    """Expected pieces of a segment of length one, biases uniform and independent, weights fixed.

    widths : d_1 ... d_L, of a chain of dense layers with ReLU: the theorem goes up from one layer to the next.
    derivative : C, a bound on the inner derivatives. spread : delta, biases being uniform in
    [-delta / 2, delta / 2]. The bound is 1 + d_1 + (C / delta) (1 + (L - 1) ln(2 width)) sum_{j >= 2} d_j.
    Raises NetworkError if an argument is out of its range.
    Source: Petersen and Zech 2024, "Mathematical Theory of Deep Learning", theorem 6.9.
    """
    layers = as_layers(widths)
    factor = positive(derivative, "derivative") / positive(spread, "spread")
    return 1 + layers[0] + factor * (1 + (len(layers) - 1) * log(2 * max(layers))) * sum(layers[1:])


def smallest_t(regions: int, neurons: int, input_dim: int, *, volume: float = 1.0) -> float:
    """T-hat: the smallest T with regions <= (T N)^n / n! times the volume.

    It says something of a network in cubes whose side is some 1 / (C_grad C_bias N) to 1 / (C_grad C_bias). In much
    larger ones, where all regions are met, it is about 1 / side for N^n / n! regions, and measures the window.
    Raises NetworkError if an argument is out of its range, or there are fewer neurons than dimensions (theorem 5 then
    has no T).

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
    except OverflowError:  # whole numbers that no float holds
        power = (log(total) + lgamma(n + 1) - log(size)) / n - log(count)
    if power > 700.0:
        raise NetworkError("So many regions take a T of e^700 and more, beyond floats.")
    return exp(power)


def constants(c_grad: float, c_bias: float) -> Fraction:
    """C_grad C_bias, exactly."""
    return Fraction(positive(c_grad, "c_grad")) * Fraction(positive(c_bias, "c_bias"))
