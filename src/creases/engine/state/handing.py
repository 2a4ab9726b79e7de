"""A waiting cell handed from one thread to another: its record on the stack, and its local network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creases.engine.problem import Floats, Ints
from creases.engine.state.cell_layout import (
    CELL_COLUMNS,
    FACET_TAIL,
)
from creases.engine.state.facet_masks import words_of_places
from creases.engine.state.growth import with_room
from creases.engine.state.network_layout import (
    BLOCK,
    FIELDS,
    HEADER,
    IDS,
    LOWEST,
    PAIR_COLUMNS,
    PAIR_IDS,
    PAIRS,
    PAIRS_AT,
    ROWS,
    SCRATCH,
    STRIDE,
)
from creases.engine.state.record import coupled_numbers
from creases.engine.state.slots import (
    ASKED,
    DEPTH,
    DIMENSION,
    HAVE,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    WAITING,
    WORDS,
)
from creases.engine.state.stack import (
    RECORD_CORNERS,
    RECORD_INTS_TOP,
    RECORD_NETWORK,
    RECORD_REALS_TOP,
    RECORD_ROWS,
    STACK_HEADER,
    TABLE_FACETS,
    TABLE_HEADER,
    TABLE_PLACES,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
)

__all__ = ["WaitingCell", "give", "load"]


class WaitingCell(NamedTuple):
    """One waiting cell.

    record_reals, record_ints : what `stack.push` wrote. reals, ints : its local network alone, from offset 0.
    facet_reals, facet_ints : in space, the facets that were kept when it was put there.
    """

    record_reals: Floats
    record_ints: Ints
    reals: Floats
    ints: Ints
    facet_reals: Floats
    facet_ints: Ints


def give(work: AnyWork) -> WaitingCell:
    """Take the cell that has waited longest off the bottom of the stack."""
    state, stack = work.state, work.stack_ints
    corners, rows = int(stack[RECORD_CORNERS]), int(stack[RECORD_ROWS])
    if isinstance(work, SpaceWork):
        d = int(state[DIMENSION])
        places, facets = int(stack[STACK_HEADER + TABLE_PLACES]), int(stack[STACK_HEADER + TABLE_FACETS])
        cell, width = TABLE_HEADER + places + words_of_places(places) * corners, corners * (d + 1)
        kept = work.facet_reals[: facets * (d + FACET_TAIL)].copy(), work.facet_ints[:facets].copy()
    else:
        cell, width, kept = 2 * corners, corners * CELL_COLUMNS, (np.zeros(0), np.zeros(0, np.int64))
    length = STACK_HEADER + cell + rows + int(state[WORDS]) + 1
    task = WaitingCell(
        work.stack_reals[:width].copy(), stack[:length].copy(), *network_of(work, int(stack[RECORD_NETWORK])), *kept
    )
    end, reals_end = int(state[STACK_INTS_TOP]), int(state[STACK_REALS_TOP])
    stack[: end - length] = stack[length:end].copy()
    work.stack_reals[: reals_end - width] = work.stack_reals[width:reals_end].copy()
    # The last number of each record says where it begins.
    end -= length
    state[STACK_INTS_TOP], state[STACK_REALS_TOP] = end, reals_end - width
    while end > 0:
        stack[end - 1] -= length
        end = int(stack[end - 1])
    state[WAITING] -= 1
    return task


def network_of(work: AnyWork, net: int) -> tuple[Floats, Ints]:
    """A local network on its own: copies of its rows and ids, and a record with their places from offset 0."""
    depth = int(work.state[DEPTH])
    record = work.ints[net : net + HEADER + FIELDS * depth].copy()
    blocks, lists, at, ids_at, wide = [], [], 0, record.size, coupled_numbers(work)
    for layer in range(int(record[LOWEST]), depth):
        base = HEADER + FIELDS * layer
        rows, block, ids = int(record[base + ROWS]), int(record[base + BLOCK]), int(record[base + IDS])
        size = rows * int(record[base + STRIDE])
        blocks.append(work.reals[block : block + size])
        lists.append(work.ints[ids : ids + rows])
        record[base + BLOCK], record[base + IDS] = at, ids_at
        at += size
        ids_at += rows
        pairs = int(record[base + PAIRS])
        if pairs:
            block, ids = int(record[base + PAIRS_AT]), int(record[base + PAIR_IDS])
            blocks.append(work.reals[block : block + pairs * wide])
            lists.append(work.ints[ids : ids + PAIR_COLUMNS * pairs])
            record[base + PAIRS_AT], record[base + PAIR_IDS] = at, ids_at
            at += pairs * wide
            ids_at += PAIR_COLUMNS * pairs
    return np.concatenate([np.zeros(0), *blocks]), np.concatenate([record, *lists])


def load(work: AnyWork, task: WaitingCell) -> AnyWork:
    """Put a task's cell on the empty stack of a workspace, with its local network; the workspace may have grown."""
    sizes = {
        "reals": task.reals.size + SCRATCH,
        "ints": task.ints.size,
        "stack_reals": task.record_reals.size,
        "stack_ints": task.record_ints.size,
    }
    if isinstance(work, SpaceWork):
        sizes |= {"facet_reals": task.facet_reals.size, "facet_ints": task.facet_ints.size}
    # Twice as much where there is not enough. The cell's corners count too: only the giver has grown for them.
    sizes = {name: 2 * size for name, size in sizes.items() if getattr(work, name).size < size}
    words = words_of_places(int(task.record_ints[STACK_HEADER + TABLE_PLACES])) if isinstance(work, SpaceWork) else 0
    work = with_room(work, corners=int(task.record_ints[RECORD_CORNERS]), words=words, **sizes)
    work.reals[: task.reals.size], work.ints[: task.ints.size] = task.reals, task.ints
    if isinstance(work, SpaceWork):
        work.facet_reals[: task.facet_reals.size] = task.facet_reals
        work.facet_ints[: task.facet_ints.size] = task.facet_ints
    work.stack_reals[: task.record_reals.size] = task.record_reals
    work.stack_ints[: task.record_ints.size] = task.record_ints
    work.stack_ints[[RECORD_NETWORK, RECORD_REALS_TOP, RECORD_INTS_TOP]] = 0, task.reals.size, task.ints.size
    work.stack_ints[task.record_ints.size - 1] = 0  # where the record begins
    state = work.state
    state[STACK_INTS_TOP], state[STACK_REALS_TOP] = task.record_ints.size, task.record_reals.size
    state[WAITING], state[HAVE], state[ASKED] = 1, 0, 0
    return work
