"""Reading and marking what the workspace keeps: a local network's record, a pattern's bits, what is full."""

from __future__ import annotations

from creases.engine.kernel import inlined
from creases.engine.work import (
    FIELDS,
    FULL,
    FULL_ARRAY,
    HEADER,
    NEEDED,
    Ints,
)

__all__ = ["field", "mark_active", "need"]


@inlined
def field(net: int, layer: int, name: int) -> int:
    """Where a layer's field stands in `ints`, in the local network recorded at `net`."""
    return net + HEADER + FIELDS * layer + name


@inlined
def need(state: Ints, array: int, room: int) -> int:
    """Say that an array of Work (by its place among the fields) needs `room` entries."""
    state[FULL_ARRAY] = array
    state[NEEDED] = room
    return FULL


@inlined
def mark_active(pattern: Ints, neuron: int) -> None:
    """Set a neuron's bit."""
    pattern[neuron >> 6] |= 1 << (neuron & 63)
