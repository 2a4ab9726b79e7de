"""A cell with more facets than it has room for, in the middle of a cut.

The loop stops before the cut that would make it one. Facets that only touch the cell are left out; where that is not
enough, a wall that is no neuron parts it (`walls`), and both parts go on the stack, where the loop, or another
thread, goes on with them as with any cell. By Euler's relation (`pieces`) they count too much by the count of the wall
as a domain of its own, one dimension down: regions of the cell's own layer and those above, and what neurons above it
cut. The layers below were counted before.
"""

from __future__ import annotations

import threading
from typing import Any

from creases.engine.loop.oracle import Oracle, facets_at
from creases.engine.problem import FIRST_WALL, INFINITY
from creases.engine.proof.signs import UNPROVED
from creases.engine.starts.tiles import Tile, nearest_forms, places_of
from creases.engine.starts.walls import parted_somehow
from creases.engine.state.cell_layout import (
    CHILD,
    FACET_TAIL,
    MOST_FACETS,
    SIMPLE,
)
from creases.engine.state.first_network import rows_of_lowest
from creases.engine.state.growth import grown, with_room
from creases.engine.state.network_layout import (
    LOWEST,
)
from creases.engine.state.row_layout import (
    CLAIMED,
    FIRST_NEURON,
    STATUS,
)
from creases.engine.state.slots import (
    ASKED,
    DIMENSION,
    EXACT_CELLS,
    FACETS_TOP,
    FULL,
    HAVE,
    NETWORK,
    UNBOUNDED,
    UNPROVED_SIGNS,
)
from creases.engine.state.stack import push
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
)
from creases.errors import ComputationError

__all__ = ["part_crowded", "signed", "take_off"]

# Walls are numbered one after the other, by whichever thread draws one; until then it has a name that no facet has.
numbering = threading.Lock()
UNNUMBERED = -(2**62)


def part_crowded(work: SpaceWork, oracle: Oracle) -> tuple[SpaceWork, list[Tile]]:
    """Put the current cell on the stack in parts that have room for one facet more.

    Returns the workspace, which may have grown, and the walls between the parts as domains: each has parted one part,
    so what it has is taken off once. Raises ComputationError if no wall is found.
    """
    refuse_claimed(work)
    if oracle.is_doubted:  # its facets are elsewhere
        work.state[UNPROVED_SIGNS] += 1
    tile, (_, ids) = oracle.tile_of(work), facets_at(work)
    places = {number: int(work.slots[bit]) for bit, number in ids.items()}
    parts: list[Tile] = []
    walls: list[Tile] = []
    waiting = [(tile, 0)]
    while waiting:
        part, deep = waiting.pop()
        if len(part.facets) < MOST_FACETS:
            parts.append(part)
            continue
        *halves, between = parted_somehow(part, MOST_FACETS - 1, UNNUMBERED, deep)
        walls.append(between._replace(ids=tuple(n if n == INFINITY else FIRST_WALL for n in between.ids)))
        for half in reversed(halves):  # the wall is the last facet of both; each has its own inward form of it
            number = numbered(oracle, half.facets[-1])
            waiting.append((half._replace(ids=(*half.ids[:-1], number)), deep + 1))
            places[number] = int(work.state[FACETS_TOP])
            work = keep_facet(work, half.facets[-1], number)
    for row, corner in work.asks[: int(work.state[ASKED])].tolist():
        work.answers_nc[row, corner] = UNPROVED
    work.state[ASKED] = 0
    for part in parts:
        work = put(work, part, places)
    work.state[HAVE] = 0
    work.state[EXACT_CELLS] += 1
    return work, walls


def numbered(oracle: Oracle, form: Any) -> int:
    """The id of a new wall with this inward form."""
    with numbering:
        oracle.walls.append(form)
        return FIRST_WALL - len(oracle.walls) + 1


def keep_facet(work: SpaceWork, form: Any, number: int) -> SpaceWork:
    """Write a facet behind those that are kept."""
    top, wide = int(work.state[FACETS_TOP]), int(work.state[DIMENSION]) + FACET_TAIL
    if top == work.facet_ints.size:
        work = with_room(work, facet_ints=max(256, 2 * top))
    if (top + 1) * wide > work.facet_reals.size:
        work = with_room(work, facet_reals=2 * (top + 1) * wide)
    (values,), (bounds,) = nearest_forms([form])
    work.facet_reals[top * wide : (top + 1) * wide] = [*values, *bounds]
    work.facet_ints[top] = number
    work.state[FACETS_TOP] = top + 1
    return work


def put(work: SpaceWork, part: Tile, places: dict[int, int]) -> SpaceWork:
    """Put a part of the current cell on the stack. places : where facets are kept, by their ids."""
    corners = len(part.rays)
    if corners > work.points.shape[2]:
        work = with_room(work, corners=2 * corners)
    work.points[CHILD, :, :corners] = places_of(part.rays).T
    work.masks[CHILD, :corners] = part.masks
    work.slots[: len(part.ids)] = [places[number] for number in part.ids]
    work.slots[SIMPLE] = all(mask.bit_count() == part.dimension for mask in part.masks)
    rows = rows_of_lowest(work)
    while push(work, corners, rows) == FULL:
        work = grown(work)
    return work


def refuse_claimed(work: SpaceWork) -> None:
    """Raises ComputationError for a cell that is being clipped to where a candidate wins: walls in it would be longer
    than in the part that is left."""
    if (work.row_ints[STATUS, : rows_of_lowest(work)] == CLAIMED).any():
        raise ComputationError(
            f"A region has more than {MOST_FACETS} facets where a maximum of several is decided; a cell has no room "
            "for them. Cut a smaller domain, or a slice of fewer dimensions."
        )


def take_off(work: AnyWork, wall: AnyWork) -> None:
    """Subtract the counts of the wall that has parted the current cell, which were counted from the inputs on."""
    layer = int(work.ints[work.state[NETWORK] + LOWEST])
    work.by_layer[layer:] -= wall.by_layer[layer:]
    above = int(work.layer_ints[layer + 1, FIRST_NEURON])
    work.by_neuron[above:] -= wall.by_neuron[above:]
    work.state[UNBOUNDED] -= wall.state[UNBOUNDED]
    work.state[EXACT_CELLS] += wall.state[EXACT_CELLS]
    work.state[UNPROVED_SIGNS] += wall.state[UNPROVED_SIGNS]


def signed(work: AnyWork, sign: int) -> AnyWork:
    """The sums of a part of a domain as they count: 1 or -1 times."""
    if sign > 0:
        return work
    state = work.state.copy()
    state[UNBOUNDED] *= -1
    return work._replace(state=state, by_layer=-work.by_layer, by_neuron=-work.by_neuron)
