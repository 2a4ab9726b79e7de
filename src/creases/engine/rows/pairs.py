"""Pairs of candidates of one switch, as rows: the second less the first.

Pairs are written when a layer of switches is the lowest that is open: its rows are affine then.

ReLU below a maximum, as in max pooling, makes ties that need no arithmetic. Of two candidates that are activations of
one neuron each, one that is inactive is zero: below one that is active, and equal to another that is inactive. Where
both are active and both vanish, so does their difference (`base_locus`).
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.proof.bounds import ROUND_UP, or_infinite
from creases.engine.proof.doubled import two_sum
from creases.engine.proof.twins import NOTHING
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    FIRST_ROW,
    FORM,
    IDS,
    ONE,
    PAIR_COLUMNS,
    PAIR_IDS,
    PAIRS,
    PAIRS_AT,
    ROWS,
    SECOND_ROW,
    SIZE_G,
    SIZE_W,
    STRIDE,
    WALL_NAME,
    X,
    Y,
)
from creases.engine.state.record import coupled, field
from creases.engine.state.row_layout import (
    ACTIVE,
    FIRST_NEURON,
    INACTIVE,
    OPEN,
    STATUS,
)
from creases.engine.state.slots import (
    DIMENSION,
    INTS_TOP,
    REALS_TOP,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["end_of_switch", "write_pairs"]


@inlined
def end_of_switch(work: AnyWork, net: int, layer: int, row: int) -> int:
    """The first row behind those of the same switch as `row`, in a layer of a local network."""
    rows, ids, first = work.ints[field(net, layer, ROWS)], work.ints[field(net, layer, IDS)], 0
    first = work.layer_ints[layer, FIRST_NEURON]
    switch, end = work.switches[first + work.ints[ids + row]], row + 1
    while end < rows and work.switches[first + work.ints[ids + end]] == switch:
        end += 1
    return end


@kernel
def write_pairs(work: AnyWork, net: int, layer: int) -> None:
    """Write the pairs of a layer of switches that is the lowest now; there is room (`local.make_room`)."""
    ints, state, wide = work.ints, work.state, coupled(work)
    rows, ids = ints[field(net, layer, ROWS)], ints[field(net, layer, IDS)]
    block, stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    first, units = work.layer_ints[layer, FIRST_NEURON], work.switches.size
    at, place = state[REALS_TOP], state[INTS_TOP]
    ints[field(net, layer, PAIRS_AT)], ints[field(net, layer, PAIR_IDS)] = at, place
    pairs = 0
    for i in range(rows):
        one = first + ints[ids + i]
        for j in range(i + 1, end_of_switch(work, net, layer, i)):
            other = first + ints[ids + j]
            subtract(work, block + j * stride, block + i * stride, at)
            ints[place + FIRST_ROW], ints[place + SECOND_ROW] = i, j
            # As `edges.wall_between` reads it; a neuron's number is less than `units`.
            ints[place + WALL_NAME] = units * (1 + other - one) + one
            work.row_ints[STATUS, rows + pairs] = status_of_activations(work, one, other)
            at += wide
            place += PAIR_COLUMNS
            pairs += 1
    ints[field(net, layer, PAIRS)] = pairs
    state[REALS_TOP], state[INTS_TOP] = at, place


@inlined
def status_of_activations(work: AnyWork, one: int, other: int) -> int:
    """Status of a pair of candidates if both are zero everywhere, or activations of neurons with ReLU, of which one is
    inactive; else OPEN.
    """
    if work.twins[one] == 0 or work.twins[other] == 0:
        return OPEN
    p_active, q_active = is_active_twin(work, work.twins[one]), is_active_twin(work, work.twins[other])
    if p_active and q_active:
        return OPEN
    return ACTIVE if q_active else INACTIVE


@inlined
def is_active_twin(work: AnyWork, twin: int) -> bool:
    """Whether the neuron of a candidate that is an activation is active; not where it is zero everywhere."""
    neuron = max(twin - 1, 0)
    return twin != NOTHING and work.pattern[neuron >> 6] >> (neuron & 63) & 1 != 0


@inlined
def subtract_in_plane(work: Work, row: int, less: int, at: int) -> None:
    """Write to `at` the form of one row less that of another, with its bounds: what a difference loses is a float."""
    reals = work.reals
    reals[at + X], lost_x = two_sum(reals[row + X], -reals[less + X])
    reals[at + Y], lost_y = two_sum(reals[row + Y], -reals[less + Y])
    add_bounds(work, row, less, at, abs(lost_x) + abs(lost_y))


@inlined
def subtract_in_space(work: SpaceWork, row: int, less: int, at: int) -> None:
    """Write to `at` the form of one row less that of another, with its bounds: what a difference loses is a float."""
    reals, lost = work.reals, 0.0
    for c in range(FORM, FORM + work.state[DIMENSION]):
        reals[at + c], more = two_sum(reals[row + c], -reals[less + c])
        lost += abs(more)
    add_bounds(work, row, less, at, lost)


subtract = by_domain(subtract_in_plane, subtract_in_space)


@inlined
def add_bounds(work: AnyWork, row: int, less: int, at: int, lost: float) -> None:
    """The constant and the bounds of a difference; `lost` is what its coordinates have lost. Sums of nothing are
    zero.
    """
    reals = work.reals
    reals[at + ONE], more = two_sum(reals[row + ONE], -reals[less + ONE])
    reals[at + ERROR_G] = or_infinite((reals[row + ERROR_G] + reals[less + ERROR_G] + lost) * ROUND_UP)
    reals[at + ERROR_W] = or_infinite((reals[row + ERROR_W] + reals[less + ERROR_W] + abs(more)) * ROUND_UP)
    reals[at + SIZE_G] = or_infinite((reals[row + SIZE_G] + reals[less + SIZE_G]) * ROUND_UP)
    reals[at + SIZE_W] = or_infinite((reals[row + SIZE_W] + reals[less + SIZE_W]) * ROUND_UP)
