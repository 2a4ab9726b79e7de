"""How many regions there can be at most, in whole numbers, and the estimate for a random network.

One layer is a hyperplane arrangement, which Zaslavsky's theorem counts exactly. For more layers Serra,
Tjandraatmadja and Ramalingam bound the count layer by layer: a region on which only n - j neurons of a layer
are active leaves that layer with at most n - j dimensions, so the next layer cuts less. All of these hold for
the whole input space R^n; for the regions met by a slice of dimension d, put d in the place of n_in.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from fractions import Fraction
from math import comb, factorial

from creases.errors import NetworkError

__all__ = ["central", "hanin_rolnick_estimate", "serra_upper", "zaslavsky"]


def zaslavsky(n_in: int, neurons: int) -> int:
    """The pieces of R^n_in cut by hyperplanes in general position: C(N, 0) + C(N, 1) + ... + C(N, n_in).

    n_in : number of inputs, at least 1.
    neurons : number N of hyperplanes, at least 0.
    Returns an int of any size: the exact count of one generic hidden layer, and the maximum for any.
    Raises NetworkError if an argument is not a whole number in its range.
    Source: Schläfli 1901 for general position; Zaslavsky 1975, "Facing up to arrangements", Theorem A.

    See Also
    --------
    central : hyperplanes that all pass through the origin.
    serra_upper : more than one hidden layer.

    Examples
    --------
    >>> zaslavsky(2, 3)
    7
    >>> zaslavsky(3, 60)
    36051
    """
    n, count = whole(n_in, "n_in", 1), whole(neurons, "neurons", 0)
    return sum(comb(count, k) for k in range(min(n, count) + 1))


def central(n_in: int, neurons: int) -> int:
    """The pieces of R^n cut by generic hyperplanes through 0: 2 (C(N-1, 0) + ... + C(N-1, n-1)), n = n_in.

    n_in : number of inputs, at least 1.
    neurons : number N of hyperplanes, at least 0; without any there is one piece.
    Returns an int of any size: the exact count of one generic hidden layer with zero biases.
    Raises NetworkError if an argument is not a whole number in its range.
    Source: Schläfli 1901; Zaslavsky 1975, Theorem A, for central arrangements (Cover 1965 for n points).

    Examples
    --------
    >>> central(2, 60)
    120
    >>> central(3, 40)
    1562
    """
    n, count = whole(n_in, "n_in", 1), whole(neurons, "neurons", 0)
    if count == 0:
        return 1
    return 2 * sum(comb(count - 1, k) for k in range(min(n, count)))


def serra_upper(n_in: int, widths: Iterable[int]) -> int:
    """An upper bound on the regions of any network with these hidden layers.

    n_in : number of inputs, at least 1.
    widths : neurons of each hidden layer, first to last, each at least 1; the output layer does not count.
    Returns an int of any size. For one layer it is `zaslavsky`; for one input and layers of three neurons
    or more it is attained, as the product of (width + 1).
    Raises NetworkError if an argument is not a whole number in its range, or there is no layer.
    Source: Serra, Tjandraatmadja and Ramalingam 2018, "Bounding and counting linear regions of deep neural
    networks", Theorem 1: the sum of the products of C(n_l, j_l) over all (j_1, ..., j_L) with
    0 <= j_l <= min(n_in, n_1 - j_1, ..., n_{l-1} - j_{l-1}, n_l). Here by recursion on d, the dimensions left
    when layer l is reached: R_{L+1}(d) = 1, and R_l(d) is the sum over j <= min(d, n_l) of
    C(n_l, j) R_{l+1}(min(d, n_l - j)).

    Examples
    --------
    >>> serra_upper(2, [3, 3])
    40
    >>> serra_upper(1, [20, 20, 20]) == 21**3
    True
    """
    n = whole(n_in, "n_in", 1)
    layers = [whole(width, f"widths[{i}]", 1) for i, width in enumerate(widths)]
    if not layers:
        raise NetworkError("widths is empty; give the neurons of each hidden layer, as in [32, 32, 32].")
    # Layers at the end first, so that no recursion is deeper than one layer, however deep the network is.
    above: dict[int, int] = dict.fromkeys(range(min(n, max(layers)) + 1), 1)
    for width in reversed(layers):
        above = {d: _serra_layer(width, d, above) for d in above}
    return above[min(n, max(layers))]


def _serra_layer(width: int, d: int, above: dict[int, int]) -> int:
    """R_l(d) from R_{l+1}."""
    return sum(comb(width, j) * above[min(d, width - j)] for j in range(min(d, width) + 1))


def hanin_rolnick_estimate(n_in: int, neurons: int) -> Fraction:
    """About how many regions a random network is expected to have in all of R^n: N^n / n!, n = n_in.

    n_in : number of inputs, or dimensions of the slice that is cut, at least 1.
    neurons : number N of hidden neurons in all layers, at least 0.
    Returns a Fraction; float() rounds it once.
    Raises NetworkError if an argument is not a whole number in its range.

    This is a heuristic and not a bound: Hanin and Rolnick 2019 offer it for the whole space in the remark
    that follows Theorem 5, where depth plays no part. Theorem 5 itself speaks of large cubes and has
    (T N)^n / n! with a constant T > 1. For one generic layer it is the leading term of `zaslavsky`.

    Examples
    --------
    >>> print(hanin_rolnick_estimate(2, 96))  # three layers of 32, on a plane
    4608
    """
    n, count = whole(n_in, "n_in", 1), whole(neurons, "neurons", 0)
    return Fraction(count**n, factorial(n))


def whole(value: int, name: str, least: int) -> int:
    """The argument as an int; NetworkError, naming it, unless it is a whole number of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise NetworkError(f"{name} must be a whole number, at least {least}; got {value!r}.")
    return number
