"""The numbers of regions of certain networks with given widths: lower bounds on the maximum, by constructions.

Each is a chain of dense layers with ReLU. It is not known which networks with other levels have as many regions. The
bounds do not hold for each single network; its regions have to be counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from creases.theory.arguments import as_layers, whole
from creases.theory.maximum import central, zaslavsky

__all__ = ["arora_lower", "montufar_2014_lower", "one_dimensional_maximum", "pascanu_lower", "serra_lower"]


def pascanu_lower(widths: Iterable[int], input_dim: int) -> int:
    """A lower bound on the maximal number of regions: prod_{l < L} floor(n_l / n) sum_{j <= n} C(n_L, j).

    Some network of these widths has this number.
    widths : neurons of each hidden layer. input_dim : n.
    Returns an int of any size; 0, that is no statement, if a width other than the last is less than n.
    Raises NetworkError if an argument is not an integer in its range.
    Source: Pascanu, Montúfar and Bengio 2013, Theorem 1 (proof by folding each layer's cells onto each other).

    Examples
    --------
    >>> pascanu_lower([4, 4], 2)
    22
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    return prod(width // n for width in layers[:-1]) * zaslavsky(layers[-1], n)


def montufar_2014_lower(widths: Iterable[int], input_dim: int) -> int:
    """A lower bound on the maximal number of regions: prod_{l < L} floor(n_l / n)^n sum_{j <= n} C(n_L, j).

    Some network of these widths has this number. Arguments, errors and validity as for `pascanu_lower` (every width at
    least n).
    Source: Montúfar, Pascanu, Cho and Bengio 2014, Theorem 4.

    Examples
    --------
    >>> montufar_2014_lower([20, 20, 20], 2)
    2110000
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    return int(prod((width // n) ** n for width in layers[:-1])) * zaslavsky(layers[-1], n)


def arora_lower(directions: int, width: int, depth: int, input_dim: int) -> int:
    """The number of regions of the zonotope construction: 2 sum_{j < n} C(m - 1, j) w^(L - 1), an int of any size.

    directions : m; the first hidden layer has 2 m neurons. width : w, neurons of each further layer.
    depth : L, number of hidden layers. input_dim : n.
    Raises NetworkError if an argument is not an integer in its range.
    Source: Arora, Basu, Mianjy and Mukherjee 2018, Theorem 2.11; `constructions.zonotope` builds it.

    Examples
    --------
    >>> arora_lower(3, 2, 2, 2)
    12
    """
    m, w = whole(directions, "directions", 1), whole(width, "width", 1)
    return central(m, input_dim) * int(w ** (whole(depth, "depth", 1) - 1))


def serra_lower(widths: Iterable[int], input_dim: int) -> int:
    """A lower bound on the maximal number of regions: prod_{l < L} (floor(n_l / n) + 1)^n sum_{j <= n} C(n_L, j).

    Some network of these widths has this number. It is proved if every width is at least 3 n, and 0 (no statement) if
    one other than the last is not. Arguments and errors as for `pascanu_lower`.
    Source: Serra, Tjandraatmadja and Ramalingam 2018, Theorem 7.

    Examples
    --------
    >>> serra_lower([20, 20, 20], 2)
    3089251
    """
    layers, n = as_layers(widths), whole(input_dim, "input_dim", 1)
    if any(width < 3 * n for width in layers[:-1]):
        return 0
    return int(prod((width // n + 1) ** n for width in layers[:-1])) * zaslavsky(layers[-1], n)


def one_dimensional_maximum(widths: Iterable[int]) -> int:
    """The maximal number of pieces of a line: prod_l (n_l + 1), attained if every layer has at least three neurons.

    widths : neurons of each hidden layer. Raises NetworkError if there is no width, or one is not a positive integer.
    Source: Montúfar et al. 2014 and Serra et al. 2018; `constructions.zigzag` reaches it.

    Examples
    --------
    >>> one_dimensional_maximum([3, 4])
    20
    """
    return prod(width + 1 for width in as_layers(widths))
