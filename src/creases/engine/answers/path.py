"""A path of segments: the pieces along it, and the different regions that it meets.

A path is stored as its flips: the neurons that change their sign at each border between two pieces. Patterns themselves
would take a thousand times the memory and time. Segments are swept together. The sweep proves that no neuron is zero at
a segment's ends, so the pieces on both sides of a joint have the same pattern. A segment with an unproved sign is cut
into cells, whose patterns show which neurons flip, also at joints between two such segments.

A neuron that the sweep leaves out is never active and never cuts, or is constant and in the last layer: it does not
flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.answers.cell_table import CellTable, cut_into_cells
from creases.engine.answers.tally import Tally
from creases.engine.graph import Graph
from creases.engine.lines.table import BITS
from creases.engine.lines.together import lines_together, prepared, sweep_together
from creases.engine.loop.drive import Report
from creases.engine.problem import Ints, Problem
from creases.engine.starts.workshop import Workshop
from creases.engine.state.pattern import bits_of_bytes, bytes_of_bits
from creases.streams import stream

__all__ = ["tally_path"]

Bools = NDArray[np.bool_]

# The initial room for flips, which grows if a block of segments needs more.
FLIPS = 1 << 14
# The number of patterns that are written out at a time.
PATTERNS_AT_ONCE = 1 << 12


class Flips(NamedTuple):
    """The neurons that change their sign along a path, and where.

    at : int64, the border, from 0 to borders - 1, not decreasing. neuron : int64, counted through all layers.
    borders : the number of borders; at a border within a piece, such as a joint, nothing flips.
    """

    at: Ints
    neuron: Ints
    borders: int


def tally_path(
    problems: Sequence[Problem], *, threads: int | None, report: Report, workshop: Workshop | None = None
) -> tuple[Tally, int]:
    """Count along a path given as the problems of its segments, all of one network, each from 0 to 1.

    Adjacent pieces with the same pattern are one piece, also across a corner. Returns the tally (by_layer: the number
    of pieces by the layers up to each one) and the number of different patterns.
    """
    widths = problems[0].widths
    starts = np.cumsum([0, *widths])
    swept = swept_flips(problems, starts, report)
    workshop = workshop or Workshop()
    tables = {
        i: cut_into_cells(problem, threads=threads, report=report, workshop=workshop)
        for i, (problem, neurons) in enumerate(zip(problems, swept, strict=True))
        if neurons is None
    }
    flips = join_tables(swept, tables, int(starts[-1]))
    by_layer, by_neuron = counted(flips, starts, first_units(problems[0].graph))
    tally = Tally(
        by_layer=by_layer,
        by_neuron=by_neuron,
        unbounded=None,
        exact_cells=sum(table.tally.exact_cells for table in tables.values()),
        certified=all(table.tally.certified for table in tables.values()),
    )
    return tally, distinct_patterns(flips, int(starts[-1]))


def swept_flips(problems: Sequence[Problem], starts: Ints, report: Report) -> list[Ints | None]:
    """For each segment, the neurons that change their sign along it, in order; None if the segment has to be cut."""
    graph = problems[0].graph
    together = lines_together(graph.widths) if graph.levels and graph.is_chain else 0
    if not together:
        return [None] * len(problems)
    weights, biases = graph.weights, graph.biases
    shared, neurons_of = prepared(weights, biases), list[Ints | None]()
    flips = np.empty(FLIPS, np.int64)
    ends = np.array([[0.0, 1.0]] * together)
    for begin in range(0, len(problems), together):
        some = problems[begin : begin + together]
        origins = np.array([problem.origin for problem in some])
        directions = np.concatenate([problem.basis for problem in some])
        pieces = sweep_together(shared, origins, directions, ends[: len(some)], flips)[:, -1]
        needed = int((pieces[pieces > 0] - 1).sum())
        if needed > len(flips):
            flips = np.empty(2 * needed, np.int64)
            pieces = sweep_together(shared, origins, directions, ends[: len(some)], flips)[:, -1]
        report(int(pieces[pieces > 0].sum()))
        layers, rows = flips[:needed] >> BITS, flips[:needed] & ((1 << BITS) - 1)
        neurons = np.concatenate([start + kept for start, kept in zip(starts[:-1], shared.rows, strict=True)])
        firsts = np.cumsum([0, *(len(kept) for kept in shared.rows)])
        parts = np.split(neurons[firsts[layers] + rows], np.cumsum(pieces[pieces > 0] - 1)[:-1])
        given = iter(parts)
        neurons_of += [next(given) if count > 0 else None for count in pieces.tolist()]
    return neurons_of


def join_tables(swept: Sequence[Ints | None], tables: dict[int, CellTable], neurons: int) -> Flips:
    """The flips of the whole path: those of its segments, and those at joints between two segments that were cut."""
    at, neuron, border = list[Ints](), list[Ints](), 0
    last: Bools | None = None  # the pattern at the end of the previous segment, if that was cut
    for i, one in enumerate(swept):
        if one is not None:
            at.append(border + np.arange(len(one)))
            neuron.append(one)
            border, last = border + len(one) + 1, None
            continue
        bits = bits_of_bytes(tables[i].patterns, neurons)
        # The previous joint is the first border here: nothing flips there if the previous segment was swept.
        before = bits[:1] if last is None else last[None]
        where, which = np.nonzero(np.concatenate([before, bits[:-1]]) != bits)
        at.append(border - 1 + where)
        neuron.append(which)
        border, last = border + len(bits), bits[-1]
    return Flips(np.concatenate(at), np.concatenate(neuron), border - 1)


def first_units(graph: Graph) -> Ints:
    """For each unit, the unit itself or the first candidate of its switch."""
    units = [np.zeros(0, np.int64)]
    for layer, first in enumerate(graph.first_neurons[:-1]):
        groups, own = graph.layer(layer).groups, np.arange(graph.widths[layer])
        units.append(first + (own if groups is None else np.searchsorted(groups, groups)))
    return np.concatenate(units)


def counted(flips: Flips, starts: Ints, units: Ints) -> tuple[list[int], list[list[int]]]:
    """The number of pieces after each layer; and for each neuron, the pieces of the layers below in which it has both
    signs.

    For each switch, at its first candidate, those in which more than one candidate wins. units : see `first_units`.
    """
    layers = np.searchsorted(starts, flips.neuron, "right") - 1
    lowest = np.full(flips.borders, len(starts), np.int64)  # the lowest layer that flips at a border
    np.minimum.at(lowest, flips.at, layers)
    by_layer, by_neuron = [], []
    for layer in range(len(starts) - 1):
        by_layer.append(1 + int((lowest <= layer).sum()))
        inside = (layers == layer) & (lowest[flips.at] == layer)
        piece_below = np.cumsum(lowest < layer)[flips.at[inside]]
        cuts = np.unique((units[flips.neuron[inside]] - starts[layer]) * (flips.borders + 1) + piece_below)
        width = int(starts[layer + 1] - starts[layer])
        by_neuron.append(np.bincount(cuts // (flips.borders + 1), minlength=width).tolist())
    return by_layer, by_neuron


def distinct_patterns(flips: Flips, neurons: int) -> int:
    """The number of different patterns of the pieces.

    Each neuron has a random number, and each piece the sum (without carries) of those that have flipped an odd number
    of times since the start. Patterns with different sums are different; those with equal sums are compared.
    """
    keys = stream("keys of patterns", 0).integers(0, 1 << 64, neurons, dtype=np.uint64)
    last = np.flatnonzero(np.append(flips.at[1:] != flips.at[:-1], [True] * (len(flips.at) > 0)))
    sums = np.append(np.zeros(1, np.uint64), np.bitwise_xor.accumulate(keys[flips.neuron])[last])
    _, group, sizes = np.unique(sums, return_inverse=True, return_counts=True)
    alike = np.flatnonzero(sizes[group] > 1)
    if not len(alike):
        return len(sizes)
    patterns = patterns_of(flips, last, neurons, alike)
    order = np.argsort(group[alike], kind="stable")
    together = group[alike][order[1:]] == group[alike][order[:-1]]
    if (patterns[order[1:]] == patterns[order[:-1]])[together].all():
        return len(sizes)
    return int((sizes == 1).sum()) + len(np.unique(patterns, axis=0))


def patterns_of(flips: Flips, last: Ints, neurons: int, pieces: Ints) -> NDArray[np.uint8]:
    """The patterns of some pieces (int64, increasing), relative to that of the first piece: uint8, one bit per neuron.

    last : for each piece except the first, its last flip.
    """
    packed, now = list[NDArray[np.uint8]](), np.zeros(neurons, np.bool_)
    ends = np.append(0, last + 1)[pieces]
    for begin in range(0, len(ends), PATTERNS_AT_ONCE):
        some, first = ends[begin : begin + PATTERNS_AT_ONCE], int(ends[begin - 1]) if begin else 0
        # Each piece's row: how often each neuron has flipped since the previous row.
        rows = np.repeat(np.arange(len(some)), np.diff(some, prepend=first))
        times = np.bincount(rows * neurons + flips.neuron[first : some[-1]], minlength=len(some) * neurons)
        bits = (times & 1).astype(np.bool_).reshape(len(some), neurons)
        bits[0] ^= now
        np.bitwise_xor.accumulate(bits, axis=0, out=bits)
        now = bits[-1].copy()
        packed.append(bytes_of_bits(bits))
    return np.concatenate(packed)
