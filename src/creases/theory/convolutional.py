"""The number of regions of one convolutional layer."""

from __future__ import annotations

from itertools import product
from math import comb, prod

from creases.errors import NetworkError
from creases.theory.arguments import whole

__all__ = ["xiong_one_layer"]


def xiong_one_layer(
    height: int, width: int, channels: int, kernel: tuple[int, int], filters: int, stride: int = 1
) -> int:
    """The maximal number of regions of one convolutional ReLU layer, attained by generic weights: sum over K of prod
    C(d_1, t_ij).

    For a single layer on the input only; `network_upper` is a bound for any network with convolutions.
    height, width, channels : of the input. kernel : height and width of a filter. filters : d_1, their number.
    stride : in both directions; there is no padding.
    The sum is over t in K = {t : sum_J t_ij <= number of inputs in the windows of J, for every set J of positions},
    with one number t_ij for each position of the filter. There is one condition per set of positions, so at most 12
    positions are allowed.
    Raises NetworkError if an argument is not an integer in its range, or there are more positions.
    Source: Xiong et al. 2020, "On the number of linear regions of convolutional neural networks", Theorem 2.

    Examples
    --------
    >>> xiong_one_layer(1, 1, 3, (1, 1), 4)  # one position sees all: `zaslavsky(4, 3)`
    15
    """
    try:
        tall, wide = kernel
    except TypeError as error:
        raise NetworkError(f"kernel must be (height, width), as in (3, 3); got {kernel!r}.") from error
    except ValueError as error:
        raise NetworkError(f"kernel must be (height, width), two numbers; got {kernel!r}.") from error
    rows, columns = whole(tall, "kernel[0]", 1), whole(wide, "kernel[1]", 1)
    h, w = whole(height, "height", rows), whole(width, "width", columns)
    c, d, step = whole(channels, "channels", 1), whole(filters, "filters", 1), whole(stride, "stride", 1)
    seen = [
        {(i + a, j + b, k) for a in range(rows) for b in range(columns) for k in range(c)}
        for i in range(0, h - rows + 1, step)
        for j in range(0, w - columns + 1, step)
    ]
    if len(seen) > 12:
        raise NetworkError(f"The filter has {len(seen)} positions; this sum is worked out for at most 12.")
    sets = [[p for p in range(len(seen)) if chosen >> p & 1] for chosen in range(1, 1 << len(seen))]
    limits = [(positions, len(set().union(*(seen[p] for p in positions)))) for positions in sets]
    total = 0
    for t in product(range(min(d, rows * columns * c) + 1), repeat=len(seen)):
        if all(sum(t[p] for p in positions) <= limit for positions, limit in limits):
            total += prod(comb(d, value) for value in t)
    return total
