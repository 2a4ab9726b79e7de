"""The forms of a network's neurons in double-double, pattern after pattern: what changed is added, nothing else.

A layer's forms are sums over the active neurons below. Patterns come in the order of the loop, depth first, and most
differ from the one before in a few neurons. So the sums of the layers are kept, for all of their neurons, and a neuron
below that has become active, or is no more, is added to the sums above it, or taken off. Its own sums must have stayed;
where they have moved, those above begin anew. A bound is kept for every number, so that it does not matter how many
patterns have passed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import FIRST_WALL, INFINITY, Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, or_infinite
from creases.engine.proof.doubled import DoubledForms, doubled_wall, two_product, two_sum
from creases.engine.proof.edges import RationalEdges

__all__ = [
    "ERROR",
    "HI",
    "LO",
    "NEURONS_BELOW",
    "STALE",
    "DoubledLayers",
    "begin_anew",
    "doubled_layers",
    "layer_of",
    "write_edge",
]

# Columns of `layers`: neurons in the layers below, where the layer's weights begin, and whether its sums are of forms
# that are not those of the layer below any more.
NEURONS_BELOW, WEIGHTS_AT, STALE = 0, 1, 2
HI, LO, ERROR = 0, 1, 2

# What the five operations of one bound lose, and this factor's own: fewer than 16 units.
STEP_UP = 1.0 + 2.0**-49


class DoubledLayers(NamedTuple):
    """A network in double-double. Axes: n neurons of a layer, m of the one below, k homogeneous coordinates."""

    weights: Floats  # of all layers but the first, one after the other, transposed: (m, n)
    biases: Floats  # (N,)
    layers: Ints  # (depth + 1, 3)
    walls: Floats  # (3, 1 + walls, k): infinity, then the domain's own edges, inward
    pattern: Ints  # (words,): at hand
    summed: Ints  # (words,): the neurons of which the layer above holds the sum
    forms: Floats  # (3, k, N): HI, LO, ERROR of all neurons where `summed` are active; of the last layer nothing
    active: Ints  # (N,): the active neurons below an edge
    factors: Floats  # (N,): its weights for them
    edges: Floats  # (3, 2, k): the two edges at a corner


def doubled_layers(problem: Problem, exact: RationalEdges) -> DoubledLayers:
    """The layers of a problem's chain, on a pattern where no neuron is active."""
    widths, k = problem.widths, problem.dimension + 1
    total, above = sum(widths), problem.graph.weights[1:]
    walls = [doubled_wall(exact.wall(number)) for number in range(INFINITY, FIRST_WALL - exact.walls, -1)]
    layers = np.zeros((len(widths) + 1, 3), np.int64)
    layers[:, NEURONS_BELOW] = np.cumsum([0, *widths])
    layers[1:, WEIGHTS_AT] = np.cumsum([0, *(weight.size for weight in above)])
    layers[1:, STALE] = 1
    forms = np.zeros((3, k, total))
    forms[:, :, : widths[0]] = np.stack(DoubledForms(problem, np.eye(k)).forms(0, [])).transpose(0, 2, 1)
    return DoubledLayers(
        weights=np.concatenate([np.zeros(0), *(weight.T.ravel() for weight in above)]),
        biases=np.concatenate(problem.graph.biases),
        layers=layers,
        walls=np.stack([np.stack(part) for part in zip(*walls, strict=True)]),
        pattern=np.zeros((total + 63) // 64, np.int64),
        summed=np.zeros((total + 63) // 64, np.int64),
        forms=forms,
        active=np.zeros(total, np.int64),
        factors=np.zeros(total),
        edges=np.zeros((3, 2, k)),
    )


@inlined
def layer_of(net: DoubledLayers, number: int) -> int:
    """The layer of a neuron."""
    layer = 0
    while net.layers[layer + 1, NEURONS_BELOW] <= number:
        layer += 1
    return layer


@inlined
def is_active(pattern: Ints, neuron: int) -> bool:
    """A neuron's bit."""
    return pattern[neuron >> 6] >> (neuron & 63) & 1 == 1


@inlined
def begin_anew(net: DoubledLayers) -> None:
    """Let the next edge add up all sums again."""
    for layer in range(1, net.layers.shape[0]):
        net.layers[layer, STALE] = 1


@kernel
def write_edge(net: DoubledLayers, number: int, place: int) -> None:
    """Write the inward form of an edge of a cell with the pattern at hand to `edges`."""
    if number < 0:
        for part in range(3):
            for c in range(net.edges.shape[2]):
                net.edges[part, place, c] = net.walls[part, INFINITY - number, c]  # counted down
        return
    layer = layer_of(net, number)
    if layer == 0:
        for part in range(3):
            for c in range(net.edges.shape[2]):
                net.edges[part, place, c] = net.forms[part, c, number]
    else:
        follow(net, layer)
        write_row(net, layer, number, place)
    if not is_active(net.pattern, number):
        for c in range(net.edges.shape[2]):
            net.edges[HI, place, c] = -net.edges[HI, place, c]
            net.edges[LO, place, c] = -net.edges[LO, place, c]


@kernel
def follow(net: DoubledLayers, layer: int) -> None:
    """See to it that the sums of all layers below `layer` are those of the pattern at hand."""
    for above in range(1, layer):
        below, begin = net.layers[above - 1, NEURONS_BELOW], net.layers[above, NEURONS_BELOW]
        width, weights_at = net.layers[above + 1, NEURONS_BELOW] - begin, net.layers[above, WEIGHTS_AT]
        moved = net.layers[above, STALE] == 1
        if moved:
            empty(net, above)
        for m in range(below, begin):
            active = is_active(net.pattern, m)
            if active != is_active(net.summed, m):
                at = weights_at + (m - below) * width
                for c in range(net.forms.shape[1]):
                    hi, lo, error = net.forms[HI, c, m], net.forms[LO, c, m], net.forms[ERROR, c, m]
                    if not (hi == 0.0 and error == 0.0):
                        if not active:
                            hi, lo = -hi, -lo
                        add_products(
                            net.weights[at : at + width],
                            hi,
                            lo,
                            error,
                            net.forms[HI, c, begin : begin + width],
                            net.forms[LO, c, begin : begin + width],
                            net.forms[ERROR, c, begin : begin + width],
                        )
                net.summed[m >> 6] ^= 1 << (m & 63)
                moved = True
        net.layers[above, STALE] = 0
        if moved:
            net.layers[above + 1, STALE] = 1


@inlined
def empty(net: DoubledLayers, layer: int) -> None:
    """Leave a layer's biases alone in its sums."""
    last = net.forms.shape[1] - 1
    for n in range(net.layers[layer, NEURONS_BELOW], net.layers[layer + 1, NEURONS_BELOW]):
        for c in range(last + 1):
            net.forms[HI, c, n] = net.biases[n] if c == last else 0.0
            net.forms[LO, c, n] = net.forms[ERROR, c, n] = 0.0
    for m in range(net.layers[layer - 1, NEURONS_BELOW], net.layers[layer, NEURONS_BELOW]):
        net.summed[m >> 6] &= ~(1 << (m & 63))


@kernel
def add_products(
    weights: Floats, hi: float, lo: float, error: float, sums: Floats, rests: Floats, errors: Floats
) -> None:
    """Add a number hi + lo, known up to `error`, times a weight to each of some sums s + l with their bounds.

    s + p = t + r and w hi = p + e are exact (Knuth, Dekker), and so is what is stored of t + fl(l + r + e + w lo). Of
    these small terms |l| <= u |s|, |r| <= u (|s| + |p|)(1 + u), and |e| and |w lo| are at most u |p| (1 + u): hi + lo
    and s + l are sums that were rounded to hi and s. Four roundings lose at most u^2 (|p| + 2 |p| + (|s| + 3 |p|) +
    (2 |s| + 3 |p|)) (1 + 8 u), and 10 u^2 (|s| + |p|) is an upper bound. To that come |w| error, and what underflows:
    nothing is added where hi and its error are zero (`follow`), so exact zeros stay. What overflows leaves a NaN in the
    sum, or in its bound.
    """
    for n in range(weights.size):
        w, s = weights[n], sums[n]
        p, e = two_product(w, hi)
        t, r = two_sum(s, p)
        sums[n], rests[n] = two_sum(t, rests[n] + (r + (e + w * lo)))
        lost = errors[n] + (abs(w) * error + 10.0 * UNIT * UNIT * (abs(s) + abs(p)))
        errors[n] = lost * STEP_UP + UNDERFLOW


@inlined
def write_row(net: DoubledLayers, layer: int, neuron: int, place: int) -> None:
    """Write a neuron's form to `edges`, from the sums of the layer below: each coordinate is a sum
    b + sum_m w_m (hi_m + lo_m) over m rows, with the bound of its error.

    The products w hi = p + e are exact (Dekker), and so are the sums s_i = s_(i-1) + p - q (Knuth); what is rounded is
    c = sum of e + q + w lo, in which no term takes part in more than m + 4 operations. With S = |b| + sum |p|,
    |e| <= u |p|, |w lo| <= 2 u |p| and |q| <= u |s_i| <= u S (1 + m u), all terms of c together are at most
    (m + 3) u S (1 + m u), and c is off by less than (m + 5)^2 u^2 S. To that come sum |w| error_m, and what
    underflowed; a coordinate that is zero in all rows stays exactly zero. S and the sum of errors are rounded too, by m
    units at most, which ROUND_UP covers. A factor beyond 2^996 overflows as it is split, and leaves a NaN in the form;
    what overflows in the bound leaves infinity.
    """
    below, begin = net.layers[layer - 1, NEURONS_BELOW], net.layers[layer, NEURONS_BELOW]
    at, width = net.layers[layer, WEIGHTS_AT] + neuron - begin, net.layers[layer + 1, NEURONS_BELOW] - begin
    rows = 0
    for m in range(below, begin):
        if is_active(net.pattern, m):
            net.active[rows], net.factors[rows] = m, net.weights[at + (m - below) * width]
            rows += 1
    last = net.edges.shape[2] - 1
    for c in range(last + 1):
        s = net.biases[neuron] if c == last else 0.0
        carry, size, error, touched = 0.0, abs(s), 0.0, 0.0
        for i in range(rows):
            m, w = net.active[i], net.factors[i]
            hi = net.forms[HI, c, m]
            p, e = two_product(w, hi)
            s, rest = two_sum(s, p)
            carry += rest + (e + w * net.forms[LO, c, m])
            size += abs(p)
            error += abs(w) * net.forms[ERROR, c, m]
            touched += abs(hi) + net.forms[ERROR, c, m]
        net.edges[HI, place, c], net.edges[LO, place, c] = two_sum(s, carry)
        bound = (error + (rows + 5.0) * (rows + 5.0) * UNIT * UNIT * size) * ROUND_UP
        net.edges[ERROR, place, c] = or_infinite(bound + UNDERFLOW if touched > 0.0 else bound)
