"""From arrays to the first cells: the starting cells of a domain, and a workspace with the root network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.engine.graph import Level, is_sparse
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.bounds import ROUND_UP, all_or_infinite
from creases.engine.proof.doubled import DoubledForms
from creases.engine.proof.exact_layers import exact_layers
from creases.engine.proof.rational import cone_cells
from creases.engine.proof.rational_polytope import rational_cone, rational_directions
from creases.engine.proof.twins import twins_of
from creases.engine.rows.pairs import write_pairs
from creases.engine.rows.sums import write_signs
from creases.engine.starts.chain_root import is_signs, root_network
from creases.engine.starts.chart import (
    AnyStart,
    Cone,
    RationalStart,
    SpaceStart,
    Start,
    bits_of_grid,
    cone_start,
    has_few_bits,
    in_some_chart,
)
from creases.engine.starts.first_layer import in_chart, rational_first
from creases.engine.starts.scales import column_scales, scaled_chart, scaled_exactly, scaled_forms
from creases.engine.starts.space_cones import cones_in_space
from creases.engine.starts.tiles import Tile, tiles_of_directions
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import (
    CELL,
    CORNER_ERROR,
    EDGE,
    EDGE_G,
    EDGE_W,
    FACET_TAIL,
    FACETS_A_WORD,
)
from creases.engine.state.facet_masks import WHOLE_WORD, words_of_places
from creases.engine.state.first_network import begin_network, lowest_layer, write_first_rows
from creases.engine.state.growth import check_room, with_room
from creases.engine.state.network_layout import (
    FIELDS,
    HEADER,
    ONE,
    PAIR_COLUMNS,
    SCRATCH,
    X,
    Y,
)
from creases.engine.state.pattern import set_active
from creases.engine.state.record import coupled_numbers
from creases.engine.state.row_layout import (
    ABOVE,
    ACTIVE,
    BELOW,
    CONSTANT,
    EXACT,
    INACTIVE,
    KIND_OF_LAYER,
    NO_SIGNS,
    RELU_LAYER,
    SIGNS,
    SLOPED_LAYER,
    STATUS,
    STEEPEST,
    SWITCH_LAYER,
)
from creases.engine.state.slots import (
    COORDINATE_COUNT,
    CORNERS,
    FACETS_TOP,
    FRESH,
    HAVE,
    MOST_CANDIDATES,
    PLACES,
    PLAIN_CHAIN,
    SIMPLE,
    WALL,
)
from creases.engine.state.work import (
    AnyWork,
)

if TYPE_CHECKING:
    from creases.engine.starts.graph_root import GraphRoot

__all__ = ["cone_of_directions", "cones", "cones_of_directions", "starts", "workspace"]


# The initial room for corners beyond a cell's first ones; if a cell gets more, the loop asks for room.
MOST_NEW_CORNERS = 512


def starts(problem: Problem, workshop: Workshop) -> Iterator[AnyStart | RationalStart | Tile]:
    """The starting cells of a domain; a whole space must have as many independent rows as dimensions."""
    if problem.directions:
        yield from cones_of_directions(problem, workshop.first_layer(problem).rows, workshop.first_layer(problem).forms)
        return
    if problem.vertices is not None:
        yield workshop.bounded_start(problem.vertices)
        return
    first = workshop.first_layer(problem)
    yield from cones(problem, first.rows, first.forms)


def cones(
    problem: Problem, rows: list[int], first: tuple[Floats, Floats]
) -> Iterator[Start | SpaceStart | RationalStart]:
    """The cones into which d independent neurons cut a whole space, each in a chart chosen in coordinates in which the
    neurons' columns have similar size (`scales`). first : `first_forms`, with any product."""
    exact, scales = rational_first(problem, rows), column_scales(first[0])
    measured, rational_rows = scaled_forms(*first, scales), scaled_exactly(exact, scales)
    if problem.dimension > 2:
        for start in cones_in_space(*measured, rows, rational_rows, has_few_bits(*measured)):
            space = None if isinstance(start, RationalStart) else in_user_units(start, scales)
            yield space or RationalStart(rational_cone(exact, tuple(start.signs.values())), start.signs)
        return
    grid = bits_of_grid(*measured)
    for cell, signs in cone_cells(exact):
        plane = partial(cone_start, *measured, rows, signs, rational_rows)
        flat = in_user_units(in_some_chart(plane, grid), scales)
        yield flat or RationalStart(cell, dict(zip(rows, signs, strict=True)))


def in_user_units(start: Cone | None, scales: Floats) -> Cone | None:
    """A cone's start with its chart in the domain's own coordinates; None if that overflows."""
    if start is None:
        return None
    chart = scaled_chart(start.chart, scales)
    return start._replace(chart=chart) if np.isfinite(chart).all() else None


def cones_of_directions(
    problem: Problem, rows: list[int], first: tuple[Floats, Floats]
) -> Iterator[Tile | RationalStart]:
    """The cones into which d independent neurons cut all directions. first : as for `cones`."""
    every = [dict(zip(rows, signs, strict=True)) for signs in itertools.product((False, True), repeat=len(rows))]
    for known, tile in zip(every, tiles_of_directions(problem, every, column_scales(first[0])), strict=True):
        yield tile if tile is not None else cone_of_directions(problem, known)


def cone_of_directions(problem: Problem, known: dict[int, bool]) -> RationalStart:
    """The directions of the cone in which the neurons have the signs `known`, in rationals."""
    return RationalStart(rational_directions(rational_first(problem, list(known)), list(known.values())), known)


def workspace(problem: Problem, start: AnyStart, workshop: Workshop, most_open: int | None = None) -> AnyWork:
    """A workspace from the workshop with the root network; the current cell is the starting cell.

    most_open : the largest allowed number of open units of a graph on the starting cell, if there is a limit. Raises
        LargeRoot if there are more.
    """
    if problem.graph.is_chain:
        work = chain_workspace(problem, start, workshop)
    else:
        work = graph_workspace(problem, start, workshop, most_open)
    state = work.state
    work.twins[:] = twins_of(problem.graph)
    if isinstance(start, SpaceStart):
        place_polytope(work, start)
    else:
        place_polygon(work, start)
    state[WALL] = is_wall(problem, start)
    state[COORDINATE_COUNT] = problem.dimension
    if start.chart[-1].any():  # among directions there are no constants
        work.layer_ints[:-1, CONSTANT] = workshop.first_layer(problem).constants
    # The first layer of a cone is shared by all cones, so its neurons are tallied outside (tally).
    state[FRESH] = 0 if start.signs and lowest_layer(work) == 0 else 1
    state[CORNERS], state[HAVE] = len(start.corners), 1
    return work


def is_wall(problem: Problem, start: AnyStart) -> bool:
    """Whether a starting cell has fewer dimensions than its domain."""
    return bool(start.chart.shape[1] < problem.frame.shape[1])


def taken(problem: Problem, start: AnyStart, workshop: Workshop, rows: list[int]) -> AnyWork:
    """A workspace for a starting cell. rows : the largest numbers of open rows of each layer on it."""
    corners = len(start.corners)
    room = max(16, corners + min(corners, MOST_NEW_CORNERS))
    work = workshop.take(problem.widths, start.chart.shape[1] - 1, room, rows)
    work.layer_ints[:, SIGNS] = NO_SIGNS
    if isinstance(start, SpaceStart):
        facets = len(start.facets)
        numbers = facets * (start.chart.shape[1] - 1 + FACET_TAIL)
        work = with_room(work, words=words_of_places(facets), facet_reals=numbers, facet_ints=facets)
    return work


def chain_workspace(problem: Problem, start: AnyStart, workshop: Workshop) -> AnyWork:
    """A workspace in which a chain's first local network is the chain itself."""
    work = taken(problem, start, workshop, problem.widths)
    if isinstance(start, SpaceStart) and start.first is not None:
        forms, pairs = start.first
    else:
        forms, pairs = in_chart(*workshop.first_layer(problem).forms, start.chart)
    if problem.vertices is not None and start.chart[:-1, -1].any() and pairs.any():
        forms, pairs = nearest_first(problem, start.chart)
    with np.errstate(over="ignore", invalid="ignore"):  # without the JIT, Python warns
        root_network(work, problem, start.chart[-1], forms, pairs)
    if is_signs(start.chart[-1]):
        work.layer_ints[:-1, EXACT] = exact_layers(problem.graph, {1: (forms, pairs)})
    work.slopes[BELOW], work.slopes[ABOVE:] = 0.0, 1.0
    work.state[PLAIN_CHAIN] = 1
    if not is_wall(problem, start):
        work = write_signs(work, problem.graph, bool(start.chart[-1].any()))
    note_known(work, start)
    return work


def note_known(work: AnyWork, start: AnyStart) -> None:
    """Set the status of the neurons that bound the starting cell; all rows of the first layer must be there."""
    for neuron, active in start.signs.items():
        work.row_ints[STATUS, neuron] = ACTIVE if active else INACTIVE
        if active:
            set_active(work.pattern, neuron)


def graph_workspace(problem: Problem, start: AnyStart, workshop: Workshop, most_open: int | None) -> AnyWork:
    """A workspace with the first local network of a graph (`graph_root`)."""
    from creases.engine.starts.exact_root import exact_root  # imports SciPy, which chains do not need
    from creases.engine.starts.graph_root import graph_root

    twins, graph = twins_of(problem.graph), problem.graph
    whole = exact_root(problem, start)
    root = whole or graph_root(problem, start, twins, most_open)
    pairs = [pairs_of(graph.layer(layer), rows.units) for layer, rows in enumerate(root.layers)]
    rows = [len(layer.units) + more for layer, more in zip(root.layers, pairs, strict=True)]
    work = write_graph_root(taken(problem, start, workshop, rows), root, max(pairs))
    work.layer_ints[:-1, EXACT] = root.exact
    slopes = [each for level in graph.levels if (each := level.slopes) is not None]
    work.slopes[: ABOVE + 1] = np.concatenate(slopes, axis=1)
    work.slopes[STEEPEST] = np.abs(work.slopes[: ABOVE + 1]).max(axis=0)
    for layer in range(problem.depth):
        first, groups = graph.first_neurons[layer], graph.layer(layer).groups
        plain = not slopes[layer][0].any() and (slopes[layer][1] == 1.0).all()
        work.layer_ints[layer, KIND_OF_LAYER] = RELU_LAYER if plain else SLOPED_LAYER
        if groups is not None:
            work.layer_ints[layer, KIND_OF_LAYER] = SWITCH_LAYER
            work.switches[first : first + len(groups)] = first + np.searchsorted(groups, groups)
            work.state[MOST_CANDIDATES] = max(work.state[MOST_CANDIDATES], np.bincount(groups).max())
    for unit in np.flatnonzero(root.active).tolist():
        set_active(work.pattern, unit)
    if whole is not None:
        note_known(work, start)
    lowest = lowest_layer(work)
    if lowest < problem.depth and graph.layer(lowest).groups is not None:
        write_pairs(work, 0, lowest)
    return work


def pairs_of(level: Level, units: Ints) -> int:
    """The number of pairs of candidates of one switch among some units of a level."""
    if level.groups is None:
        return 0
    _, sizes = np.unique(level.groups[units], return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def nearest_first(problem: Problem, chart: Floats) -> tuple[Floats, Floats]:
    """The first layer's forms in a chart with the pairs of their bounds, as `in_chart`, but from double-double: where
    a domain far from zero is counted from its middle, most of a bias and of what it is added to cancels."""
    hi, lo, error = DoubledForms(problem, chart).forms(0, [])
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.abs(lo) + error
        pairs = np.stack([lost[:, :-1].sum(axis=1) * ROUND_UP, lost[:, -1] * ROUND_UP], axis=1)
    return hi, all_or_infinite(pairs)


def place_polygon(work: Any, start: Start) -> None:
    """Make the starting cell of a line or a plane the current one."""
    n_edges, axes = len(start.edges), [X, ONE] if start.chart.shape[1] == 2 else [X, Y, ONE]
    places = [*axes[:-1], CORNER_ERROR, *(EDGE + c for c in axes), EDGE_G, EDGE_W]
    work.cell_reals[CELL, :n_edges, places] = np.concatenate([start.corners, start.edges, start.edge_bounds], axis=1).T
    work.cell_ints[CELL, :n_edges, 0] = start.edge_ids
    work.cell_ints[CELL, :n_edges, 1] = start.infinite


def place_polytope(work: Any, start: SpaceStart) -> None:
    """Make the starting cell of a polytope the current one."""
    corners, facets = len(start.corners), len(start.facets)
    d = start.chart.shape[1] - 1
    work.points[CELL, :, :corners] = start.corners.T
    for word in range(words_of_places(facets)):
        work.masks[CELL, word, :corners] = [mask >> FACETS_A_WORD * word & WHOLE_WORD for mask in start.masks]
    work.slots[:facets] = np.arange(facets)
    rows = np.concatenate([start.facets, start.facet_bounds], axis=1)
    work.facet_reals[: rows.size], work.facet_ints[:facets] = rows.ravel(), start.facet_ids
    work.state[PLACES] = work.state[FACETS_TOP] = facets
    work.state[SIMPLE] = all(mask.bit_count() == d for mask in start.masks)


def write_graph_root(work: AnyWork, root: GraphRoot, pairs: int) -> AnyWork:
    """Write the open rows of a graph as the first local network; the workspace may have grown.

    pairs : the number of pairs of candidates for which there must be room. A layer has couplings to all open units from
        the lowest layer to which it is coupled up to the layer before it.
    """
    depth, counts = len(root.layers), [len(layer.units) for layer in root.layers]
    wide = coupled_numbers(work)
    firsts = [max(0, min([*rows.couplings, layer - 1])) for layer, rows in enumerate(root.layers)]
    columns = [sum(counts[first:layer]) for layer, first in enumerate(firsts)]
    size = sum(count * (wide + more) for count, more in zip(counts, columns, strict=True))
    reals = 2 * (size + pairs * wide) + 4096 + SCRATCH
    ints = 4 * (HEADER + FIELDS * depth + sum(counts) + PAIR_COLUMNS * pairs)
    if reals > work.reals.size or ints > work.ints.size:
        check_room(reals + ints, counts)
    work = with_room(work, reals=reals, ints=ints)
    lowest = next((layer for layer, count in enumerate(counts) if count), depth)
    begin_network(work, lowest)
    work.by_layer[:lowest] += 1
    for layer, rows in enumerate(root.layers):
        couplings = write_first_rows(
            work, layer, rows.units, firsts[layer], columns[layer], rows.forms, rows.errors, rows.sizes
        )
        column = 0
        for below in range(firsts[layer], layer):
            coupling = rows.couplings.get(below)
            if coupling is not None:
                dense = coupling.toarray() if is_sparse(coupling) else coupling
                couplings[:, column : column + counts[below]] = dense
            column += counts[below]
    return work
