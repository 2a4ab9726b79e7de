"""A path of segments: pieces along it, and the different regions that it meets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from creases.engine.cells import cut_into_cells
from creases.engine.driving import Report
from creases.engine.problem import Problem
from creases.engine.tally import Tally

__all__ = ["tally_path"]


def tally_path(problems: Sequence[Problem], *, threads: int | None, report: Report) -> tuple[Tally, int]:
    """Count along a path given as the problems of its segments, all of one network.

    Neighbouring pieces with one pattern are one piece, across a corner too. Returns the tally (by_layer: pieces
    that the layers up to each one make) and the number of different patterns.
    """
    tables = [cut_into_cells(problem, threads=threads, report=report) for problem in problems]
    widths = problems[0].widths
    packed = np.concatenate([table.patterns for table in tables])
    bits = np.unpackbits(packed, axis=1, bitorder="little", count=sum(widths)).astype(np.bool_)
    starts = np.concatenate([[0], np.cumsum(widths)])
    changes = bits[1:] != bits[:-1]
    by_layer, by_neuron = [], []
    for layer, width in enumerate(widths):
        by_layer.append(1 + int(changes[:, : starts[layer + 1]].any(axis=1).sum()))
        piece_below = np.concatenate([[0], np.cumsum(changes[:, : starts[layer]].any(axis=1))])
        by_neuron.append([cuts(bits[:, starts[layer] + j], piece_below) for j in range(width)])
    return (
        Tally(
            by_layer=by_layer,
            by_neuron=by_neuron,
            unbounded=None,
            exact_cells=sum(table.tally.exact_cells for table in tables),
            certified=all(table.tally.certified for table in tables),
        ),
        len(np.unique(packed, axis=0)),
    )


def cuts(active: NDArray[np.bool_], piece_below: NDArray[np.int64]) -> int:
    """In how many pieces of the layers below a neuron takes both signs."""
    changed = active[1:] != active[:-1]
    inside = piece_below[1:] == piece_below[:-1]
    return len(np.unique(piece_below[1:][changed & inside]))
