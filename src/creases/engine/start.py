"""From arrays to the first cells: the starting cells of a domain, and a workspace with the root network in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from creases.engine.bounds import ROUND_UP, UNDERFLOW
from creases.engine.chart import ExactStart, Start, bounded_start, cone_start
from creases.engine.exact import cone_cells
from creases.engine.exactness import exact_layers, twins
from creases.engine.first_layer import exact_first, first_forms, in_chart, independent_rows
from creases.engine.problem import Problem
from creases.engine.stack import push
from creases.engine.work import (
    ACTIVE,
    BLOCK,
    CHILD,
    CORNER_ERROR,
    COUPLED,
    EDGE,
    EDGE_G,
    EDGE_W,
    ERROR_G,
    ERROR_W,
    EXACT,
    FIELDS,
    FIRST,
    FRESH,
    HEADER,
    IDS,
    INACTIVE,
    INTS_TOP,
    LOWEST,
    NETWORK,
    ONE,
    REALS_TOP,
    ROWS,
    SIZE_G,
    SIZE_W,
    STATUS,
    STRIDE,
    Work,
    X,
    Y,
    allocate,
)

__all__ = ["starts", "workspace"]

Floats = NDArray[np.float64]


def starts(problem: Problem) -> Iterator[Start | ExactStart]:
    """The starting cells of a domain; a whole space must have as many independent rows as dimensions."""
    if problem.vertices is not None:
        yield bounded_start(problem.vertices)
        return
    rows = independent_rows(problem)
    exact_rows = exact_first(problem, rows)
    first, bounds = first_forms(problem)
    for cell, signs in cone_cells(exact_rows):
        start = cone_start(first, bounds, rows, signs, exact_rows)
        yield start if start is not None else ExactStart(cell, dict(zip(rows, signs, strict=True)))


def workspace(problem: Problem, start: Start) -> Work:
    """A workspace with the root network in place and the starting cell on the stack."""
    d, widths = problem.dimension, problem.widths
    n_edges = len(start.edges)
    work = allocate(widths, d, max(16, 2 * n_edges))
    state = work.state
    first, bounds = first_forms(problem)
    forms, pairs = in_chart(first, bounds, start.chart)
    root_network(work, problem, start.chart[-1], forms, pairs)
    work.layer_ints[:-1, EXACT] = exact_layers(forms, pairs, problem.weights, problem.biases)
    starting = np.cumsum([0, *widths])
    for layer, (weight, bias) in enumerate(zip(problem.weights, problem.biases, strict=True)):
        work.twins[starting[layer] : starting[layer + 1]] = twins(weight, bias)
    axes = [X, ONE] if d == 1 else [X, Y, ONE]
    places = [*axes[:-1], CORNER_ERROR, *(EDGE + c for c in axes), EDGE_G, EDGE_W]
    work.cell_reals[CHILD, :n_edges, places] = np.column_stack([start.corners, start.edges, start.edge_bounds]).T
    work.cell_ints[CHILD, :n_edges, 0] = start.edge_ids
    work.cell_ints[CHILD, :n_edges, 1] = start.infinite
    for neuron, active in start.signs.items():
        work.row_ints[STATUS, neuron] = ACTIVE if active else INACTIVE
        if active:
            work.pattern[neuron >> 6] |= np.int64(np.uint64(1) << np.uint64(neuron & 63))
    # The first layer of a cone is shared by all cones, so its neurons are tallied outside (frontier.py).
    state[FRESH] = 0 if start.signs else 1
    push(work, n_edges, widths[0])
    return work


def root_network(work: Work, problem: Problem, infinity: Floats, forms: Floats, bounds: Floats) -> None:
    """Write the whole network as the first local network: nothing skipped, every coefficient above exact."""
    state, widths = work.state, problem.widths
    d = problem.dimension
    record, at = 0, 0
    ids_at = HEADER + FIELDS * len(widths)
    work.ints[record + LOWEST] = 0
    below = np.zeros((0, 2))
    for layer, rows in enumerate(widths):
        with np.errstate(over="ignore", invalid="ignore"):
            if layer == 0:
                forms_nk, errors, coupling = forms, bounds, np.zeros((0, rows))
                sizes = np.column_stack([np.abs(forms[:, :d]).sum(axis=1), np.abs(forms[:, d])])
            else:
                bias, coupling = problem.biases[layer], problem.weights[layer].T
                forms_nk, errors = bias[:, None] * infinity[None, :], np.zeros((rows, 2))
                # Exact: the form of infinity has entries 0, 1 and -1 only.
                sizes = np.column_stack([np.abs(forms_nk[:, :d]).sum(axis=1), np.abs(forms_nk[:, d])])
                sizes = sizes + np.abs(coupling.T) @ below
            sizes = (sizes + errors) * ROUND_UP
            sizes = np.where(sizes > 0, sizes + UNDERFLOW, sizes)
        # A product of two tiny numbers may underflow to an exact zero, which would be taken for one.
        if layer and below.any():
            reached = (coupling.T != 0).any(axis=1)[:, None] & np.any(below > 0, axis=0)[None, :]
            sizes = np.where(reached, sizes + UNDERFLOW, sizes)
        base, stride = HEADER + FIELDS * layer, COUPLED + len(coupling)
        work.ints[base + ROWS] = rows
        work.ints[base + FIRST] = max(layer - 1, 0)
        work.ints[base + IDS] = ids_at
        work.ints[ids_at : ids_at + rows] = np.arange(rows)
        ids_at += rows
        work.ints[base + BLOCK], work.ints[base + STRIDE] = at, stride
        block = work.reals[at : at + rows * stride].reshape(rows, stride)
        block[:, [X, ONE] if d == 1 else [X, Y, ONE]] = forms_nk
        block[:, [ERROR_G, ERROR_W]], block[:, [SIZE_G, SIZE_W]] = errors, sizes
        block[:, COUPLED:] = coupling.T
        at += block.size
        below = sizes
    state[NETWORK], state[REALS_TOP], state[INTS_TOP] = record, at, ids_at
