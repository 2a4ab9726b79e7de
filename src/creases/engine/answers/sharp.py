"""Corners that are not precise enough, again in double-double: in the domain's own coordinates, by Cramer's rule.

A corner is where the forms of two edges meet, and an edge is a neuron on its cell's pattern (`doubled_layers`). In the
plane cells around a vertex have one corner in common: it is computed for the first of them.

Let cells A and B have a finite corner between edges i and j, i of no higher layer than j, and let their patterns agree
on all layers below j's but for i and j themselves. Then f_i is one form on both, and f_j^A - f_j^B is a multiple of
f_i: below j nothing differs but what i hands on, a multiple of f_i. So both pairs of lines meet in the same point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.doubled_layers import (
    ERROR,
    HI,
    LO,
    NEURONS_BELOW,
    DoubledLayers,
    begin_anew,
    doubled_layers,
    layer_of,
    write_edge,
)
from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT
from creases.engine.proof.doubled import DOUBLED_UNIT, add, multiply
from creases.engine.proof.edges import RationalEdges

__all__ = ["DENORMAL", "SHARP", "Sharpener", "lost_in"]


# The largest error of a corner, relative to the size of the domain, or to the corner itself in a whole space: half of
# what `Complex` promises, so that later computations may round too.
SHARP = 5e-10
# A bound on the total loss of a few products or quotients by underflow.
DENORMAL = 2.0**-1072

# Of a vertex: its two edges, and the corner's own number where it shares it with none; the pattern's words follow.
KEY_HEADER = 3


class Sharpener:
    """Computes corners of a problem's cells in double-double."""

    def __init__(self, problem: Problem, exact: RationalEdges) -> None:
        self._layers = doubled_layers(problem, exact)

    def sharpen(
        self,
        blurred: Ints,
        size: float,
        first: Ints,
        corners: Floats,
        at_infinity: NDArray[np.bool_],
        edges: Ints,
        patterns: Ints,
    ) -> Ints:
        """Write the corners anew; returns those that are still not known well enough.

        blurred : int64 (n, 2), corner and cell. size : as in `blocks.place_corners`. The rest is the cells' block.
        """
        keys = np.zeros((len(blurred), KEY_HEADER + self._layers.pattern.size), np.int64)
        write_keys(self._layers, blurred, first, at_infinity, edges, patterns, keys)
        seen: dict[bytes, int] = {}
        names = keys.view(f"V{keys.itemsize * keys.shape[1]}").ravel().tolist()
        leaders = np.array([seen.setdefault(name, i) for i, name in enumerate(names)], np.int64)
        known = np.zeros(len(blurred), np.bool_)
        sharpen(self._layers, blurred, leaders, size, first, corners, at_infinity, edges, patterns, known)
        return blurred[~known]


@inlined
def edge_before(first: Ints, v: int, cell: int) -> int:
    """The corner of a cell before corner v, where the edge to it begins."""
    return v - 1 if v > first[cell] else first[cell + 1] - 1


@kernel
def write_keys(
    net: DoubledLayers,
    blurred: Ints,
    first: Ints,
    at_infinity: NDArray[np.bool_],
    edges: Ints,
    patterns_cw: Ints,
    keys: Ints,
) -> None:
    """Write what tells the vertex of each corner from others: corners with one key are one point.

    An end of a line at infinity is told from the other by the cell alone, and so is a corner of an interval.
    """
    in_plane = net.edges.shape[2] == 3
    for i in range(blurred.shape[0]):
        v, cell = blurred[i, 0], blurred[i, 1]
        one, other = edges[edge_before(first, v, cell)], edges[v]
        low, high = min(one, other), max(one, other)
        keys[i, 0], keys[i, 1] = low, high
        if at_infinity[v] or not in_plane:
            keys[i, 2] = v + 1
        end = net.layers[layer_of(net, high), NEURONS_BELOW] if high >= 0 else 0
        for word in range(patterns_cw.shape[1]):
            if 64 * word < end:
                bits = patterns_cw[cell, word]
                if end < 64 * (word + 1):
                    bits &= (1 << (end & 63)) - 1
                for edge in (low, high):
                    if edge >= 0 and edge >> 6 == word:
                        bits &= ~(1 << (edge & 63))
                keys[i, KEY_HEADER + word] = bits


@kernel
def sharpen(
    net: DoubledLayers,
    blurred: Ints,
    leaders: Ints,
    size: float,
    first: Ints,
    corners_vd: Floats,
    at_infinity: NDArray[np.bool_],
    edges: Ints,
    patterns_cw: Ints,
    known: NDArray[np.bool_],
) -> None:
    """See `Sharpener.sharpen`. leaders : for each corner the first one with its key. known : the output."""
    for i in range(blurred.shape[0]):
        v, cell = blurred[i, 0], blurred[i, 1]
        if leaders[i] < i and known[leaders[i]]:
            for c in range(corners_vd.shape[1]):
                corners_vd[v, c] = corners_vd[blurred[leaders[i], 0], c]
            known[i] = True
            continue
        for word in range(net.pattern.size):
            net.pattern[word] = patterns_cw[cell, word]
        write_edge(net, edges[edge_before(first, v, cell)], 0)
        write_edge(net, edges[v], 1)
        known[i] = place_corner_of_edges(net.edges, size, at_infinity[v], corners_vd, v)
        if not known[i]:
            begin_anew(net)  # an overflow would stay in the sums


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
