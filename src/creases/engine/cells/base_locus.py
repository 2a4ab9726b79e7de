"""Corners at which whole layers vanish, known without arithmetic.

Where a layer has `a` active neurons, every neuron above it is on the cell a sum of these `a` forms and a constant: of
r = a + 1 forms in homogeneous coordinates, in which the constant is the form of infinity; of r = a if the layers above
have no biases. They all vanish where the r forms do, in the base locus of this linear system. With few active neurons
cells of all of R^d reach the locus, far out, and every row above has an exact zero there, which no bound on floats can
prove; so it is at the origin of a network without biases, whose neurons are sums of the d coordinates. But infinity,
a facet of a layer above and one of an active neuron of the layer itself are such sums too: where r of them meet that
are independent, the whole system vanishes. The facets of a corner that has only d are independent; of more, floats
choose d and prove that they are. Nothing else is rounded: forms are counted, and weights and biases asked whether they
are zero. Where a layer takes from others than the one before it, or has other kinks than ReLU, only the inputs' base
locus is known.
"""

from __future__ import annotations

from creases.engine.cells.corner import are_independent
from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.problem import INFINITY, Ints
from creases.engine.proof.signs import ZERO
from creases.engine.state.cell_layout import (
    CELL,
)
from creases.engine.state.facet_masks import list_facets, mask_words
from creases.engine.state.network_layout import (
    FIRST_ROW,
    IDS,
    ROWS,
    SECOND_ROW,
)
from creases.engine.state.record import field, pair_at
from creases.engine.state.row_layout import (
    CONSTANT,
    FIRST_NEURON,
    KIND_OF_LAYER,
    SWITCH_LAYER,
)
from creases.engine.state.slots import (
    ASKED,
    COORDINATE_COUNT,
    CORNERS,
    DIMENSION,
    MOST_CANDIDATES,
    NETWORK,
    PLACES,
    PLAIN_CHAIN,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["answer_in_base_locus"]

NO_EDGE = -(2**62)  # none at all
NO_NEURON = -1


@kernel
def answer_in_base_locus_in_space(work: SpaceWork, layer: int, begin: int) -> int:
    """Answer the signs of rows of `layer` that are asked from place `begin` of `asks` on, where the corner lies in the
    base locus of a layer below; how many are left. All rows of the layers below are decided on the cell.
    """
    left = 0
    for a in range(begin, work.state[ASKED]):
        row, v = work.asks[a, 0], work.asks[a, 1]
        if (work.state[MOST_CANDIDATES] and both_vanish(work, layer, row, v)) or in_base_locus(work, layer, v):
            work.answers_nc[row, v] = ZERO
        else:
            left += 1
    return left


@kernel
def in_base_locus(work: SpaceWork, layer: int, v: int) -> bool:
    """Whether all rows of `layer` are proved to vanish at corner v of the current cell."""
    d, on = work.state[DIMENSION], work.at_corner
    facets = list_facets(work.slots, work.masks[CELL], mask_words(work.state[PLACES]), v, on)
    for below in range(-1, layer if work.state[PLAIN_CHAIN] else 0):
        constant = has_constant(work.layer_ints, below, layer)
        rank = constant + forms_of(work.state, work.pattern, work.layer_ints, below)
        if rank > d:
            continue
        sums = 0
        for i in range(facets):  # those that are sums come first
            if is_sum(work.pattern, work.layer_ints, work.facet_ints[on[i]], below, constant):
                on[i], on[sums] = on[sums], on[i]
                sums += 1
        if sums < rank:
            continue
        if facets == d or are_independent(work.facet_reals, work.sums, d, on, facets, sums, rank):
            return True
    return False


@kernel
def answer_in_base_locus_in_plane(work: Work, layer: int, begin: int) -> int:
    """`answer_in_base_locus_in_space` for a line or a plane, where a corner lies on d edges, which are independent."""
    left = 0
    for a in range(begin, work.state[ASKED]):
        row, v = work.asks[a, 0], work.asks[a, 1]
        one, other = work.cell_ints[CELL, v, 0], NO_EDGE
        if work.state[DIMENSION] == 2:
            other = work.cell_ints[CELL, v - 1 if v > 0 else work.state[CORNERS] - 1, 0]
        proved = work.state[MOST_CANDIDATES] > 0 and both_vanish_at(work, layer, row, one, other)
        for below in range(-1, layer if work.state[PLAIN_CHAIN] else 0):
            constant = has_constant(work.layer_ints, below, layer)
            sums = int(is_sum(work.pattern, work.layer_ints, one, below, constant))
            sums += int(is_sum(work.pattern, work.layer_ints, other, below, constant))
            proved = proved or sums >= constant + forms_of(work.state, work.pattern, work.layer_ints, below)
        if proved:
            work.answers_nc[row, v] = ZERO
        else:
            left += 1
    return left


answer_in_base_locus = by_domain(answer_in_base_locus_in_plane, answer_in_base_locus_in_space)


# A pair of candidates that are activations of two neurons, both active: it vanishes where these two do.


@inlined
def neurons_of_pair(work: AnyWork, layer: int, row: int) -> tuple[int, int]:
    """The two neurons of such a pair; NO_NEURON twice for any other row."""
    net = work.state[NETWORK]
    if work.layer_ints[layer, KIND_OF_LAYER] != SWITCH_LAYER or row < work.ints[field(net, layer, ROWS)]:
        return NO_NEURON, NO_NEURON
    place, ids = pair_at(work, net, layer, row), work.ints[field(net, layer, IDS)]
    first = work.layer_ints[layer, FIRST_NEURON]
    p = work.twins[first + work.ints[ids + work.ints[place + FIRST_ROW]]] - 1
    q = work.twins[first + work.ints[ids + work.ints[place + SECOND_ROW]]] - 1
    return (p, q) if p >= 0 and q >= 0 else (NO_NEURON, NO_NEURON)


@inlined
def both_vanish_at(work: Work, layer: int, row: int, one: int, other: int) -> bool:
    """Whether the corner between two edges is where both neurons of a pair vanish."""
    p, q = neurons_of_pair(work, layer, row)
    return p != NO_NEURON and ((p == one and q == other) or (p == other and q == one))


@inlined
def both_vanish(work: SpaceWork, layer: int, row: int, v: int) -> bool:
    """Whether corner v lies on the facets of both neurons of a pair."""
    p, q = neurons_of_pair(work, layer, row)
    if p == NO_NEURON:
        return False
    found, words = 0, mask_words(work.state[PLACES])
    for i in range(list_facets(work.slots, work.masks[CELL], words, v, work.at_corner)):
        facet = work.facet_ints[work.at_corner[i]]
        found |= (1 if facet == p else 0) | (2 if facet == q else 0)
    return found == 3


# Of a layer `below`, where -1 stands for the inputs.


@kernel
def has_constant(layer_ints: Ints, below: int, layer: int) -> int:
    """1 if a neuron of `layer` may have a constant beside the forms of the layer `below`."""
    for between in range(below + 1, layer + 1):
        if layer_ints[between, CONSTANT]:
            return 1
    return 0


@kernel
def forms_of(state: Ints, pattern: Ints, layer_ints: Ints, below: int) -> int:
    """How many forms every neuron above a layer is a sum of on the current cell, but for a constant."""
    if below < 0:
        return state[COORDINATE_COUNT]
    active = 0
    for neuron in range(layer_ints[below, FIRST_NEURON], layer_ints[below + 1, FIRST_NEURON]):
        active += pattern[neuron >> 6] >> (neuron & 63) & 1
    return active


@kernel
def is_sum(pattern: Ints, layer_ints: Ints, facet: int, below: int, constant: int) -> bool:
    """Whether a facet's form is such a sum: infinity's, a neuron's above the layer, an active one's of the layer."""
    if facet == INFINITY:
        return constant == 1
    if facet >= layer_ints[below + 1, FIRST_NEURON]:
        return True
    active = facet >= 0 and pattern[facet >> 6] >> (facet & 63) & 1 == 1
    return active and facet >= layer_ints[max(below, 0), FIRST_NEURON]
