"""Networks whose sums stand where floats stop to hold them: at 2^53 units of their last place, and one unit beside.

A layer is exact while the absolute values that are added make at most 2^53 units (`proof.exact_layers`). Here they make
2^53, one unit less, one or some more, in one layer or by the product of two, with a bias or without, over skipped
layers, on domains whose size is a power of two or not. Rows come in pairs that differ by one unit: where a sum loses
it, two lines become one.
"""

from fractions import Fraction

import numpy as np

from fuzz.domains import Frame, Place, box, polygon, segment, space
from fuzz.floats import dot, one_of, rounded
from fuzz.layers import above, some_layer, standing_on
from fuzz.solids import cube, directions, simplex

LIMIT = 2**53
# 2^53 + 1 is 3 * 107 * 28059810762433: a product of whole numbers that is one unit above.
DIVISORS = (3, 3, 3, 107, 321, 2, 5, 7)
GRIDS = (0, 0, 0, 0, -7, 11, -250, 250, 200, -450, 450)
SIZES = (1.0, 1.0, 1.0, 1.5, 2.0, 0.75, 3.0, 2.0**20, 2.0**-20)

KINDS = {1: (cube, cube, segment, space), 2: (cube, cube, polygon, simplex, box, space, directions), 3: (cube, simplex)}
EXACT_KINDS = {1: (cube,), 2: (cube, cube, polygon, simplex), 3: (cube, cube, simplex)}


def plain(rng, n):
    return one_of(rng, ([0.0] * n, [0.0] * n, rng.integers(-3, 4, n).astype(float).tolist())), [one_of(rng, SIZES)] * n


def place_in(rng, kinds, frames):
    """A place of one, two or three dimensions."""
    while True:
        n, make = one_of(rng, (1, 1, 2, 2, 3)), one_of(rng, frames)
        frame = Frame(make.__name__, *make(rng, n))
        found = one_of(rng, kinds[n])(rng, frame)
        if found is not None:
            return Place(*found, frame)


def at_the_limit(rng):
    """(place, layers)."""
    bare = bool(rng.integers(3))  # nothing but what is needed for two lines that differ by one unit
    place = place_in(rng, EXACT_KINDS if bare else KINDS, (plain,))
    below = standing_on(place.corners, place.inner, [])
    grid, divisor = one_of(rng, GRIDS), one_of(rng, DIVISORS) if rng.integers(4) == 0 else None
    layers = [ground(rng, len(place.frame.centre), grid, divisor, bare)]
    scale = power_above(max(abs(x) for corner in place.corners for x in corner)) if len(place.corners) > 1 else 1
    forms = [[*(Fraction(x) * scale for x in row), Fraction(b)] for row, b in zip(*layers[0], strict=True)]
    size, unit = max(sum(map(abs, form)) for form in forms), finest(x for form in forms for x in form)
    below = above(layers[0], below, [])
    if rng.integers(4) == 0:  # handed on as it is: what stands above is coupled across it
        step = one_of(rng, (0, 0, 5, -9))
        width = len(layers[0][1])
        layers.append(([[2.0**step * (i == j) for i in range(width)] for j in range(width)], [0.0] * width))
        size, unit, below = size * Fraction(2) ** step, unit * Fraction(2) ** step, above(layers[-1], below, [])
    layers.append(pairs(rng, below, size, unit, divisor, bare))
    below = above(layers[-1], below, [])
    if rng.integers(2):
        layers.append(differences(rng, len(below.sizes), unit))
        below = above(layers[-1], below, [])
    if rng.integers(5) == 0:
        layers.append(some_layer(rng, "whole", below, int(rng.integers(1, 4)))[0])
    return place, layers


def finest(numbers):
    """The largest power of two that all are multiples of."""
    return min(Fraction(x.numerator & -x.numerator, x.denominator) for x in numbers if x)


def power_above(value):
    power = Fraction(1)
    while power < value:
        power *= 2
    while power / 2 >= value > 0:
        power /= 2
    return power


def ground(rng, n, grid, divisor, bare):
    """A first layer of small whole numbers times 2^grid, one row two or three times; or of whole numbers near
    2^53 / divisor. The copies come first."""
    rows, large = [], (LIMIT + one_of(rng, (0, 1, 1, -1))) // divisor if divisor else 1
    for _ in range(rng.integers(1, 4)):
        weights, bias = [0] * n, 0
        if rows and rng.integers(4) == 0:
            bias = 1
        elif bare:  # one entry alone is as large as its row
            weights[rng.integers(n)] = one_of(rng, (1, -1))
        else:
            weights, bias = rng.integers(-1, 2, n).tolist(), one_of(rng, (0, 0, 0, 1, -1))
            weights[rng.integers(n)] += 0 if any(weights) else 1
        rows += [(weights, bias)] * (1 if rows else int(rng.integers(2, 4)))
    factors = [(large - int(rng.integers(3)) if divisor else 1) for _ in rows]
    power = 2.0**grid
    return (
        [[float(w * factor) * power for w in weights] for (weights, _), factor in zip(rows, factors, strict=True)],
        [float(bias * factor) * power for (_, bias), factor in zip(rows, factors, strict=True)],
    )


def pairs(rng, below, size, unit, divisor, bare):
    """A layer at the limit: rows whose values may make 2^53 units of their grid, and others one unit beside them."""
    n, step = len(below.sizes), one_of(rng, (0, 0, 0, 4, -6))
    power = Fraction(2) ** step
    target = (LIMIT + one_of(rng, (1, 1, 1, 0, -1) if bare else (0, 1, 1, -1, 2, 3))) * unit * power
    bias = one_of(rng, (-1, -1, -1, -2) if bare else (0, -1, -1, -1, 1, -2, 3)) * unit * power
    # With the bias it is at the limit, or but for the bias.
    total = divisor or int((target - (0 if bare else one_of(rng, (0, abs(bias))))) / size / power)
    row = parts(rng, total, n) if divisor else spread(rng, total, n, bare)
    rows = [(row, bias)]
    for _ in range(1 if bare else rng.integers(1, 4)):
        row, bias = one_of(rng, rows)
        rows.append(beside(rng, list(row), bias, unit * power, bare))
    order = rng.permutation(len(rows)).tolist()
    weights = [[rounded(x * power) for x in rows[i][0]] for i in order]
    biases = [rounded(rows[i][1]) for i in order]
    for j, row in enumerate(weights):
        if rng.integers(6) == 0 and (there := rounded(-dot(row, one_of(rng, below.anchors)))) is not None:
            biases[j] = there
    return weights, biases


def spread(rng, total, n, bare):
    """Whole numbers with this sum of absolute values, all small but one of the first two, which are copies."""
    row = [int(one_of(rng, (0, 1, 1, 1, 2, -1) if i < 2 else (0, 0, 1, 2, -1))) for i in range(n)]
    if bare:
        row = [1, 1, *(0 for _ in row[2:])]
    main = int(rng.integers(min(n, 2)))
    row[main] = total - sum(map(abs, row)) + abs(row[main])
    return row if bare or rng.integers(4) else [-x for x in row]


def parts(rng, total, n):
    """Whole numbers, none negative, with this sum."""
    row = [0] * n
    for _ in range(3):
        share = int(rng.integers(total + 1)) if total > 3 else 1
        row[int(rng.integers(n))] += min(share, total - sum(row))
    row[int(rng.integers(n))] += total - sum(row)
    return row


def beside(rng, row, bias, unit, bare):
    """A row one unit away from another, or a multiple of it."""
    way, i, j = rng.integers(9), int(rng.integers(len(row))), int(rng.integers(len(row)))
    if bare:
        i = min((abs(x), k) for k, x in enumerate(row) if x)[1]
    if way < 4 or bare:  # most often towards zero, so that the layer as a whole stays at the limit
        row[i] -= 1 if row[i] > 0 else -1 if row[i] < 0 else 0
    elif way == 4:
        row[i] += one_of(rng, (1, -1))
    elif way == 5:
        row[i], row[j] = row[i] - 1, row[j] + 1
    elif way == 6:
        row, bias = [-x for x in row], -bias
    elif way == 7:
        row = [x // 2 for x in row]
    else:
        bias += one_of(rng, (1, -1)) * unit
    return row, bias


def differences(rng, n, unit):
    """What two neurons below differ by, which may be one unit."""
    weights = np.zeros((rng.integers(1, 4), n))
    for row in weights:
        row[rng.integers(n)] += 1.0
        row[rng.integers(n)] -= 1.0
    biases = [rounded(one_of(rng, (0, 0, -1, 1, Fraction(-1, 2))) * unit) for _ in weights]
    return weights.tolist(), biases
