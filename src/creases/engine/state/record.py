"""Reading and marking a workspace's entries: a local network's record, a pattern's bits, the array that is full."""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined
from creases.engine.problem import Ints
from creases.engine.proof.bounds import LARGEST_PROVED
from creases.engine.state.network_layout import (
    BLOCK,
    COUPLED,
    FIELDS,
    FORM,
    HEADER,
    IDS,
    PAIR_COLUMNS,
    PAIR_IDS,
    PAIRS,
    PAIRS_AT,
    ROWS,
    STRIDE,
    WALL_NAME,
)
from creases.engine.state.row_layout import (
    ACTIVE,
    CROSSING,
    FIRST_NEURON,
    HIGH,
    INACTIVE,
    KIND,
    LOW,
    NEAREST,
    OPEN,
    THRESHOLD,
)
from creases.engine.state.slots import (
    DIMENSION,
    FULL,
    FULL_ARRAY,
    NEEDED,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = [
    "UNSETTLED",
    "all_rows",
    "coupled",
    "coupled_numbers",
    "field",
    "mark_active",
    "mark_inactive",
    "name_of_row",
    "need",
    "neuron_of",
    "pair_at",
    "row_at",
    "status_of_values",
]

# No status: `status_of_values` does not know.
UNSETTLED = -1


@inlined
def field(net: int, layer: int, name: int) -> int:
    """Where a layer's field stands in `ints`, in the local network recorded at `net`."""
    return net + HEADER + FIELDS * layer + name


@inlined
def all_rows(work: AnyWork, net: int, layer: int) -> int:
    """Rows of a lowest layer that have a status: its own, and the pairs behind them."""
    return work.ints[field(net, layer, ROWS)] + work.ints[field(net, layer, PAIRS)]


@inlined
def row_at(work: AnyWork, net: int, layer: int, row: int) -> int:
    """Where a row of a local network, or a pair, begins in `reals`."""
    rows = work.ints[field(net, layer, ROWS)]
    if row < rows:
        return work.ints[field(net, layer, BLOCK)] + row * work.ints[field(net, layer, STRIDE)]
    return work.ints[field(net, layer, PAIRS_AT)] + (row - rows) * coupled(work)


@inlined
def neuron_of(work: AnyWork, net: int, layer: int, row: int) -> int:
    """The number of a row's neuron, counted through all layers."""
    return work.layer_ints[layer, FIRST_NEURON] + work.ints[work.ints[field(net, layer, IDS)] + row]


@inlined
def pair_at(work: AnyWork, net: int, layer: int, row: int) -> int:
    """Where the numbers of a pair begin in `ints`; `row` counts the layer's own rows too."""
    return work.ints[field(net, layer, PAIR_IDS)] + PAIR_COLUMNS * (row - work.ints[field(net, layer, ROWS)])


@inlined
def name_of_row(work: AnyWork, net: int, layer: int, row: int) -> int:
    """What the wall of a row of the lowest layer is called: a neuron's number, or that of a pair (`wall_between`)."""
    if row >= work.ints[field(net, layer, ROWS)]:
        return work.ints[pair_at(work, net, layer, row) + WALL_NAME]
    return neuron_of(work, net, layer, row)


@inlined
def coupled_in_plane(work: Work) -> int:
    """Where a row's couplings begin: how many numbers come before them."""
    return COUPLED


@inlined
def coupled_in_space(work: SpaceWork) -> int:
    """Where a row's couplings begin: behind the coordinates of its form."""
    return FORM + work.state[DIMENSION]


coupled = by_domain(coupled_in_plane, coupled_in_space)


def coupled_numbers(work: AnyWork) -> int:
    """`coupled`, where no kernel runs."""
    d = int(work.state[DIMENSION])
    return COUPLED if d < 3 else FORM + d


@inlined
def need(state: Ints, array: int, room: int) -> int:
    """Say that an array of Work (by its place among the fields) needs `room` entries."""
    state[FULL_ARRAY] = array
    state[NEEDED] = room
    return FULL


@inlined
def status_of_values(work: AnyWork, i: int, low: float, high: float, nearest: float, bound: float) -> int:
    """Status of an affine row by its values at the corners, UNSETTLED where the common bound does not tell.

    What `scan` wants to know of row i is kept. A bound that is finite says that no value overflowed
    (`bounds.sign_threshold`), so low, high and nearest have lost no NaN; any other bound makes all comparisons false.
    """
    work.row_reals[i, LOW], work.row_reals[i, HIGH] = low, high
    work.row_reals[i, NEAREST], work.row_reals[i, THRESHOLD] = nearest, bound
    work.row_ints[KIND, i] = CROSSING
    if low > bound and high < LARGEST_PROVED:
        return ACTIVE
    if high < -bound and low > -LARGEST_PROVED:
        return INACTIVE
    return OPEN if low < -bound and high > bound and nearest > bound else UNSETTLED


@inlined
def mark_active(pattern: Ints, neuron: int) -> None:
    """Set a neuron's bit."""
    pattern[neuron >> 6] |= 1 << (neuron & 63)


@inlined
def mark_inactive(pattern: Ints, neuron: int) -> None:
    """Clear a neuron's bit."""
    pattern[neuron >> 6] &= ~(1 << (neuron & 63))
