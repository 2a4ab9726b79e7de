"""The first local network of a cut, as Python writes it: layer after layer, before the loop begins."""

from __future__ import annotations

from creases.engine.problem import Floats, Ints
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FIRST,
    FORM,
    HEADER,
    IDS,
    LOWEST,
    ONE,
    PAIRS,
    ROWS,
    SIZE_G,
    SIZE_W,
    STRIDE,
    X,
)
from creases.engine.state.record import coupled_numbers
from creases.engine.state.slots import DEPTH, DIMENSION, INTS_TOP, NETWORK, REALS_TOP
from creases.engine.state.work import AnyWork

__all__ = ["begin_network", "lowest_layer", "rows_of_lowest", "write_first_rows"]


def begin_network(work: AnyWork, lowest: int) -> None:
    """Begin the record of the first local network. lowest : its lowest layer with open rows."""
    work.ints[LOWEST] = lowest
    work.state[NETWORK] = work.state[REALS_TOP] = 0
    work.state[INTS_TOP] = HEADER + FIELDS * work.state[DEPTH]


def write_first_rows(
    work: AnyWork, layer: int, units: Ints, first: int, columns: int, forms: Floats, bounds: Floats, sizes: Floats
) -> Floats:
    """Write the next layer's open rows; returns their couplings, float64 (rows, columns), which are zero, to be filled.

    units : int64 (rows,), the open ones. first : the lowest layer whose open rows are columns. forms : float64 (rows,
    k). bounds, sizes : float64 (rows, 2), the pairs of `local`. There must be room.
    """
    state, d, rows, wide = work.state, int(work.state[DIMENSION]), len(units), coupled_numbers(work)
    at, ids, stride = int(state[REALS_TOP]), int(state[INTS_TOP]), wide + columns
    base = HEADER + FIELDS * layer
    for name, value in ((ROWS, rows), (FIRST, first), (IDS, ids), (BLOCK, at), (STRIDE, stride), (PAIRS, 0)):
        work.ints[base + name] = value
    work.ints[ids : ids + rows] = units
    block = work.reals[at : at + rows * stride].reshape(rows, stride)
    block[:] = 0.0
    place = X if d < 3 else FORM
    block[:, place : place + d], block[:, ONE] = forms[:, :d], forms[:, d]
    block[:, ERROR_G : ERROR_W + 1], block[:, SIZE_G : SIZE_W + 1] = bounds, sizes
    state[REALS_TOP], state[INTS_TOP] = at + block.size, ids + rows
    return block[:, wide:]


def lowest_layer(work: AnyWork) -> int:
    """The lowest layer of the current local network that has open rows; the depth if none has."""
    return int(work.ints[work.state[NETWORK] + LOWEST])


def rows_of_lowest(work: AnyWork) -> int:
    """Rows of that layer that have a status: its own, and the pairs behind them."""
    lowest = lowest_layer(work)
    if lowest == work.state[DEPTH]:
        return 0
    base = int(work.state[NETWORK]) + HEADER + FIELDS * lowest
    return int(work.ints[base + ROWS] + work.ints[base + PAIRS])
