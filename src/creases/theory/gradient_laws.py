"""Moments of gradients of random networks with Gaussian weights, in closed form at every depth.

Take a point x and a direction u. Given the layers below, a neuron's slope along u is w . (J u), with J the Jacobian of
the layer below. The negatives of its weights and bias have the same distribution; they change the sign of the
pre-activation and not the length of its gradient. So the neuron is active with probability 1/2, independently of these
lengths. Hence a layer of width N multiplies ||J u||^2 by the variance of its weights times a chi-square variable of K
degrees of freedom, K binomial (N, 1/2), for any x and independently of the other layers. The direction of a gradient is
uniformly distributed, like that of the first layer's weights, so the moments of its length are those of a slope divided
by those of a coordinate of a random unit vector:

    E ||grad z||^m = v_1^(m/2) E chi_n^m  prod over layers j below that of z of  v_(j+1)^(m/2) E chi_K(j)^m.

This holds for chains of dense layers with ReLU. If a gradient is a sum over several paths, as in a residual network,
its terms are not independent. For other distributions `mean_gradient_constant` gives an estimate.

At m = 2 and He's variances v = 2 / fan-in each factor is 1, and the moment 2 in all layers. For the product see Hanin
and Nica 2018, "Products of many large random matrices and gradients in deep neural networks".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, fsum, lgamma, log, sqrt

from creases.errors import NetworkError
from creases.theory.arguments import as_layers, positive, whole

__all__ = ["first_layer_moment", "gaussian_gradient_constant", "gaussian_gradient_moments"]


def first_layer_moment(input_dim: int, m: int, *, variance: float | None = None) -> float:
    """The gradient moment (E ||grad z||^m)^(1/m) of a neuron of the first layer, for weights N(0, variance).

    input_dim : n. variance : None means He initialisation, 2 / n.
    It is the moment of the norm of a Gaussian vector: sqrt(variance) (2^(m/2) Gamma((n + m) / 2) / Gamma(n / 2))^(1/m).
    For He initialisation and m = 2 it is sqrt(2); the second moment is then 2 in every layer.

    Examples
    --------
    >>> round(first_layer_moment(5, 2), 6)
    1.414214
    """
    n, power = whole(input_dim, "input_dim", 1), whole(m, "m", 1)
    size = 2.0 / n if variance is None else positive(variance, "variance")
    return sqrt(size) * exp(log_chi_moment(n, power) / power)


def gaussian_gradient_moments(
    input_dim: int, widths: Iterable[int], m: int, *, variances: Sequence[float] | None = None
) -> list[float]:
    """The gradient moments (E ||grad z||^m)^(1/m) of the neurons of each hidden layer, exact at every point.

    input_dim : n. widths : neurons of each hidden layer of a chain with ReLU. m : the moment.
    variances : variances of the independent, normal weights of each layer; None means He initialisation, 2 / fan-in.
    Biases are independent, with any symmetric distribution without atoms. If some neurons are conditioned to be zero,
    as in the Kac-Rice formula, the moments are not larger.
    Returns one float per layer. Raises NetworkError if an argument is out of its range, or there is not one variance
    per layer.
    Source: derived above.

    Examples
    --------
    >>> [round(moment, 4) for moment in gaussian_gradient_moments(3, [16, 16], 3)]
    [1.5146, 1.5698]
    """
    n, layers, power = whole(input_dim, "input_dim", 1), as_layers(widths), whole(m, "m", 1)
    fans = [n, *layers[:-1]]
    given = [2.0 / fan for fan in fans] if variances is None else list(variances)
    if len(given) != len(layers):
        raise NetworkError(f"variances must hold one number a hidden layer, {len(layers)}; got {len(given)}.")
    logs, total = [], 0.0
    for i, size in enumerate(given):
        factor = log_chi_moment(n, power) if i == 0 else log_thinned_moment(layers[i - 1], power)
        total += power / 2 * log(positive(size, f"variances[{i}]")) + factor
        logs.append(total / power)
    return [exp(value) for value in logs]


def gaussian_gradient_constant(
    input_dim: int, widths: Iterable[int], *, moments: int | None = None, variances: Sequence[float] | None = None
) -> float:
    """C_grad of chains with ReLU and Gaussian weights, exact: the maximum of `gaussian_gradient_moments` over the
    layers.

    moments : the highest m; None means the input dimension, as for counts. The moments grow with m (Jensen), so the
        highest is the largest. Other arguments and errors as for `gaussian_gradient_moments`.

    Examples
    --------
    >>> round(gaussian_gradient_constant(2, [16, 16]), 6)  # sqrt 2
    1.414214
    """
    m = whole(input_dim, "input_dim", 1) if moments is None else whole(moments, "moments", 1)
    return max(gaussian_gradient_moments(input_dim, widths, m, variances=variances))


def log_chi_moment(freedom: int, m: int) -> float:
    """log E chi^m of a chi variable; in logarithms, because Gamma(172) overflows."""
    return m / 2 * log(2.0) + lgamma((freedom + m) / 2) - lgamma(freedom / 2)


def log_thinned_moment(width: int, m: int) -> float:
    """log E chi_K^m, with K binomial (width, 1/2): the number of active neurons. If none is active, the length is 0."""
    terms = [
        lgamma(width + 1) - lgamma(k + 1) - lgamma(width - k + 1) - width * log(2.0) + log_chi_moment(k, m)
        for k in range(1, width + 1)
    ]
    largest = max(terms)
    return largest + log(fsum(exp(term - largest) for term in terms))
