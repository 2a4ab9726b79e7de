"""Corners that are not precise enough, again in double-double: in the domain's own coordinates, by Cramer's rule.

A corner is the intersection of two edges, and an edge is the zero set of a neuron's form on its cell's pattern. Cells
are in the order of the loop, depth first, so those with the same pattern up to a layer are consecutive: the forms of
the layers below are kept from one cell to the next, as far as the two patterns agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import FIRST_WALL, INFINITY, Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, or_infinite
from creases.engine.proof.doubled import DOUBLED_UNIT, DoubledForms, add, doubled_wall, multiply, two_product, two_sum
from creases.engine.proof.edges import RationalEdges

__all__ = ["DENORMAL", "SHARP", "Sharpener", "lost_in"]


# The largest error of a corner, relative to the size of the domain, or to the corner itself in a whole space: half of
# what `Complex` promises, so that later computations may round too.
SHARP = 5e-10
# A bound on the total loss of a few products or quotients by underflow.
DENORMAL = 2.0**-1072

# Columns of `layers`: the number of neurons in the layers below, the beginning of the layer's weights, and, as long as
# the layer's forms are those of the current pattern, the number of its active neurons.
NEURONS_BELOW, WEIGHTS_AT, ACTIVE_ROWS = 0, 1, 2
HI, LO, ERROR = 0, 1, 2


class DoubledNetwork(NamedTuple):
    """A network in double-double on one pattern. Axes: n neurons, k homogeneous coordinates."""

    weights: Floats  # all layers, one after the other
    biases: Floats  # (N,)
    layers: Ints  # (depth + 1, 3)
    given: Floats  # (3, n of the first layer, k): HI, LO, ERROR of its forms
    walls: Floats  # (3, 1 + walls, k): infinity, then the domain's own edges, inward
    pattern: Ints  # (words,)
    known: Ints  # (1,): the number of layers whose active rows are in `forms`, for `pattern`
    active: Ints  # (N,): for each layer, from its first neuron on, the active ones
    forms: Floats  # (3, N, k): their forms in the same places
    edges: Floats  # (3, 2, k): the two edges at a corner


class Sharpener:
    """Computes corners of a problem's cells in double-double."""

    def __init__(self, problem: Problem, exact: RationalEdges) -> None:
        widths, k = problem.widths, problem.dimension + 1
        total = sum(widths)
        first = DoubledForms(problem, np.eye(k)).forms(0, [])
        numbers = range(INFINITY, FIRST_WALL - exact.walls, -1)
        walls = [doubled_wall(exact.wall(number)) for number in numbers]
        layers = np.zeros((len(widths) + 1, 3), np.int64)
        layers[:, NEURONS_BELOW] = np.cumsum([0, *widths])
        layers[:, WEIGHTS_AT] = np.cumsum([0, *(weight.size for weight in problem.graph.weights)])
        self._forms = DoubledNetwork(
            weights=np.concatenate([weight.ravel() for weight in problem.graph.weights]),
            biases=np.concatenate(problem.graph.biases),
            layers=layers,
            given=np.stack(first),
            walls=np.stack([np.stack(part) for part in zip(*walls, strict=True)]),
            pattern=np.zeros((total + 63) // 64, np.int64),
            known=np.zeros(1, np.int64),
            active=np.zeros(total, np.int64),
            forms=np.zeros((3, total, k)),
            edges=np.zeros((3, 2, k)),
        )

    def sharpen(
        self,
        blurred: Ints,
        size: float,
        first: Ints,
        corners: Floats,
        at_infinity: NDArray[np.bool_],
        edges: Ints,
        patterns: Ints,
    ) -> int:
        """Write the corners again; afterwards the first rows of `blurred` are those that are still not precise enough.

        blurred : int64 (n, 2), corner and cell. size : as in `blocks.place_corners`. The other arguments are the cells'
            block. Returns the number of remaining rows.
        """
        return int(sharpen(self._forms, blurred, size, first, corners, at_infinity, edges, patterns))


@kernel
def sharpen(
    net: DoubledNetwork,
    blurred: Ints,
    size: float,
    first: Ints,
    corners_vd: Floats,
    at_infinity: NDArray[np.bool_],
    edges: Ints,
    patterns_cw: Ints,
) -> int:
    """See `Sharpener.sharpen`."""
    left = 0
    for i in range(blurred.shape[0]):
        v, cell = blurred[i, 0], blurred[i, 1]
        take_pattern(net, patterns_cw, cell)
        before = v - 1 if v > first[cell] else first[cell + 1] - 1
        write_edge(net, edges[before], 0)
        write_edge(net, edges[v], 1)
        if not place_corner_of_edges(net.edges, size, at_infinity[v], corners_vd, v):
            blurred[left, 0], blurred[left, 1] = v, cell
            left += 1
    return left


@inlined
def take_pattern(net: DoubledNetwork, patterns_cw: Ints, cell: int) -> None:
    """Change to a cell's pattern: the forms of layers above the lowest changed neuron become invalid."""
    for word in range(net.pattern.size):
        changed = net.pattern[word] ^ patterns_cw[cell, word]
        if changed != 0:
            bit = 0
            while not changed >> bit & 1:
                bit += 1
            layer = 0
            while net.layers[layer + 1, NEURONS_BELOW] <= 64 * word + bit:
                layer += 1
            net.known[0] = min(net.known[0], layer)
            break
    for word in range(net.pattern.size):
        net.pattern[word] = patterns_cw[cell, word]


@inlined
def write_edge(net: DoubledNetwork, number: int, place: int) -> None:
    """Write the inward form of an edge to `edges`."""
    if number < 0:
        copy_edge(net.walls, INFINITY - number, net.edges, place)  # infinity and the walls, counted down
        return
    layer = 0
    while net.layers[layer + 1, NEURONS_BELOW] <= number:
        layer += 1
    complete(net, layer)
    write_form(net, layer, number, net.edges, place)
    if not net.pattern[number >> 6] >> (number & 63) & 1:
        for c in range(net.edges.shape[2]):
            net.edges[HI, place, c] = -net.edges[HI, place, c]
            net.edges[LO, place, c] = -net.edges[LO, place, c]


@inlined
def copy_edge(source: Floats, i: int, target: Floats, place: int) -> None:
    """Copy a form."""
    for part in range(3):
        for c in range(target.shape[2]):
            target[part, place, c] = source[part, i, c]


@kernel
def complete(net: DoubledNetwork, layer: int) -> None:
    """Make sure that the active rows of all layers below `layer` are in `forms`."""
    for below in range(net.known[0], layer):
        begin, count = net.layers[below, NEURONS_BELOW], 0
        for neuron in range(begin, net.layers[below + 1, NEURONS_BELOW]):
            if net.pattern[neuron >> 6] >> (neuron & 63) & 1:
                net.active[begin + count] = neuron - begin
                write_form(net, below, neuron, net.forms, begin + count)
                count += 1
        net.layers[below, ACTIVE_ROWS] = count
        net.known[0] = below + 1


@kernel
def write_form(net: DoubledNetwork, layer: int, neuron: int, target: Floats, place: int) -> None:
    """Write a neuron's form to `target`, from the active rows of the layer below: each coordinate is a sum
    b + sum_m w_m (hi_m + lo_m) over m rows, with the bound of its error.

    The products w hi = p + e are exact (Dekker), and so are the sums s_i = s_(i-1) + p - q (Knuth); only c = sum of e +
    q + w lo is rounded, and in it no term takes part in more than m + 4 operations. With S = |b| + sum |p|,
    |e| <= u |p|, |w lo| <= 2 u |p| and |q| <= u |s_i| <= u S (1 + m u), all terms of c together are at most (m + 3) u S
    (1 + m u), and the error of c is below (m + 5)^2 u^2 S. To this are added sum |w| error_m, and a bound for
    underflow; a coordinate that is zero in all rows stays exactly zero. S and the sum of errors are rounded too, by at
    most m units, which ROUND_UP covers. A factor beyond 2^996 overflows when it is split, and leaves a NaN in the form;
    an overflow in the bound leaves infinity.
    """
    begin = net.layers[layer, NEURONS_BELOW]
    if layer == 0:
        copy_edge(net.given, neuron, target, place)
        return
    below = net.layers[layer - 1, NEURONS_BELOW]
    rows = net.layers[layer - 1, ACTIVE_ROWS]
    weights_at = net.layers[layer, WEIGHTS_AT] + (neuron - begin) * (begin - below)
    last = target.shape[2] - 1
    for c in range(last + 1):
        s = net.biases[neuron] if c == last else 0.0
        carry, size, error, touched = 0.0, abs(s), 0.0, 0.0
        for m in range(below, below + rows):
            w, hi = net.weights[weights_at + net.active[m]], net.forms[HI, m, c]
            p, e = two_product(w, hi)
            s, rest = two_sum(s, p)
            carry += rest + (e + w * net.forms[LO, m, c])
            size += abs(p)
            error += abs(w) * net.forms[ERROR, m, c]
            touched += abs(hi) + net.forms[ERROR, m, c]
        target[HI, place, c], target[LO, place, c] = two_sum(s, carry)
        bound = (error + (rows + 5.0) * (rows + 5.0) * UNIT * UNIT * size) * ROUND_UP
        target[ERROR, place, c] = or_infinite(bound + UNDERFLOW if touched > 0.0 else bound)


@inlined
def minor(edges: Floats, i: int, j: int) -> tuple[float, float]:
    """f_i g_j - f_j g_i of the two edges as a float, and a bound on its error.

    Four operations with results of at most the size of the two products; an error of an entry changes its product by
    the error times the other factor; and the float omits the sum's lower half.
    """
    p, p_lo = multiply(edges[HI, 0, i], edges[LO, 0, i], edges[HI, 1, j], edges[LO, 1, j])
    q, q_lo = multiply(edges[HI, 0, j], edges[LO, 0, j], edges[HI, 1, i], edges[LO, 1, i])
    hi, lo = add(p, p_lo, -q, -q_lo)
    bound = abs(lo) + 4.0 * DOUBLED_UNIT * (abs(p) + abs(q))
    touched = 0.0
    for first, second in ((i, j), (j, i)):
        f, g = abs(edges[HI, 0, first]), abs(edges[HI, 1, second])
        f_error, g_error = edges[ERROR, 0, first], edges[ERROR, 1, second]
        bound += ((f + f_error) * g_error + f_error * g) * ROUND_UP
        touched += min(f + f_error, g + g_error)  # zero only if one of the two is
    return hi, bound * ROUND_UP + UNDERFLOW if touched > 0.0 else bound * ROUND_UP


@kernel
def place_corner_of_edges(edges: Floats, size: float, far: bool, corners_vd: Floats, v: int) -> bool:
    """Write the corner between two edges. Returns whether it is precise enough.

    On a line the corner is the second edge's zero, or is at infinity, where the first edge's form increases. The bounds
    are those of `blocks.place_in_cone` and `blocks.place_direction`, with minors for U and W.

    Comparisons are written so that they are False for NaN. W - b with 0: a float exceeds a rounded sum only if it
    exceeds the sum. A bound with SHARP times a size: SHARP is half of what is promised, so that rounding does not
    matter.
    """
    if corners_vd.shape[1] == 1:
        return place_on_line(edges, size, far, corners_vd, v)
    x, x_error = minor(edges, 1, 2)
    y, y_error = minor(edges, 2, 0)
    if far:
        longest = max(abs(x), abs(y))
        if not (2.0 * (x_error + y_error) + 8.0 * UNIT * longest) * ROUND_UP < SHARP * longest:
            return False
        x, y = x / longest, y / longest
        length = np.sqrt(x * x + y * y)
        corners_vd[v, 0], corners_vd[v, 1] = x / length, y / length
        return longest < np.inf
    w, w_error = minor(edges, 0, 1)
    below = w - w_error * ROUND_UP
    if not below > 0.0:
        return False
    lost = lost_in(x, x_error) + lost_in(y, y_error)
    x, y = x / w, y / w
    corners_vd[v, 0], corners_vd[v, 1] = x, y
    most, both = max(abs(x), abs(y)), abs(x) + abs(y)
    worst = (both * w_error + x_error + y_error) / below + 2.0 * UNIT * both + lost
    return most < np.inf and worst * ROUND_UP <= SHARP * (size if size > 0.0 else most)


@inlined
def lost_in(value: float, error: float) -> float:
    """A bound on the loss of a quotient and its bound by underflow: zero if the value is exactly zero."""
    return DENORMAL if value != 0.0 or error != 0.0 else 0.0


@inlined
def place_on_line(edges: Floats, size: float, far: bool, corners_vd: Floats, v: int) -> bool:
    """`place_corner_of_edges` for d = 1."""
    row = 0 if far else 1
    slope = edges[HI, row, 0]
    slope_error = edges[ERROR, row, 0] + abs(edges[LO, row, 0])
    below = abs(slope) - slope_error * ROUND_UP
    if not below > 0.0:
        return False
    if far:
        corners_vd[v, 0] = 1.0 if slope > 0.0 else -1.0
        return True
    u = -edges[HI, row, 1] / slope
    corners_vd[v, 0] = u
    error = edges[ERROR, row, 1] + abs(edges[LO, row, 1])
    worst = (abs(u) * slope_error + error) / below + 2.0 * UNIT * abs(u) + lost_in(edges[HI, row, 1], error)
    return abs(u) < np.inf and worst * ROUND_UP <= SHARP * (size if size > 0.0 else abs(u))
