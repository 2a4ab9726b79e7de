"""Reading and marking what the workspace keeps: a local network's record, a pattern's bits, what is full."""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined
from creases.engine.work import (
    COUPLED,
    DIMENSION,
    FIELDS,
    FORM,
    FULL,
    FULL_ARRAY,
    HEADER,
    NEEDED,
    Ints,
    SpaceWork,
    Work,
)

__all__ = ["coupled", "field", "mark_active", "need"]


@inlined
def field(net: int, layer: int, name: int) -> int:
    """Where a layer's field stands in `ints`, in the local network recorded at `net`."""
    return net + HEADER + FIELDS * layer + name


@inlined
def coupled_in_plane(work: Work) -> int:
    """Where a row's couplings begin: how many numbers come before them."""
    return COUPLED


@inlined
def coupled_in_space(work: SpaceWork) -> int:
    """Where a row's couplings begin: behind the coordinates of its form."""
    return FORM + work.state[DIMENSION]


coupled = by_domain(coupled_in_plane, coupled_in_space)


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
