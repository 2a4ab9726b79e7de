"""From arrays to the first cells: the starting cells of a domain, and a workspace with the root network in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from creases.engine.bounds import ROUND_UP, UNDERFLOW
from creases.engine.chart import ExactStart, Start, cone_start
from creases.engine.exact import cone_cells
from creases.engine.exactness import exact_layers
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
)
from creases.engine.workshop import Workshop

__all__ = ["starts", "workspace"]

Floats = NDArray[np.float64]


def starts(problem: Problem, workshop: Workshop) -> Iterator[Start | ExactStart]:
    """The starting cells of a domain; a whole space must have as many independent rows as dimensions."""
    if problem.vertices is not None:
        yield workshop.bounded_start(problem.vertices)
        return
    rows = independent_rows(problem)
    exact_rows = exact_first(problem, rows)
    first, bounds = first_forms(problem)
    for cell, signs in cone_cells(exact_rows):
        start = cone_start(first, bounds, rows, signs, exact_rows)
        yield start if start is not None else ExactStart(cell, dict(zip(rows, signs, strict=True)))


def workspace(problem: Problem, start: Start, workshop: Workshop) -> Work:
    """A workspace of the workshop's with the root network in place and the starting cell on the stack."""
    d, widths = problem.dimension, problem.widths
    n_edges = len(start.edges)
    work = workshop.take(widths, d, max(16, 2 * n_edges))
    state = work.state
    first, bounds = first_forms(problem)
    forms, pairs = in_chart(first, bounds, start.chart)
    with np.errstate(over="ignore", invalid="ignore"):
        root_network(work, problem, start.chart[-1], forms, pairs)
    work.layer_ints[:-1, EXACT] = exact_layers(forms, pairs, problem.weights, problem.biases)
    work.twins[:] = workshop.twins(problem)
    axes = [X, ONE] if d == 1 else [X, Y, ONE]
    places = [*axes[:-1], CORNER_ERROR, *(EDGE + c for c in axes), EDGE_G, EDGE_W]
    work.cell_reals[CHILD, :n_edges, places] = np.concatenate([start.corners, start.edges, start.edge_bounds], axis=1).T
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
        sizes = np.empty((rows, 2))
        if layer == 0:
            forms_nk, errors, coupling = forms, bounds, np.zeros((rows, 0))
        else:
            forms_nk, coupling = problem.biases[layer][:, None] * infinity, problem.weights[layer]
            errors = np.zeros((rows, 2))  # the form of infinity has entries 0, 1 and -1 only
        absolute = np.abs(forms_nk)
        sizes[:, 0], sizes[:, 1] = absolute[:, :d].sum(axis=1), absolute[:, d]
        if layer:
            sizes += np.abs(coupling) @ below
        sizes = (sizes + errors) * ROUND_UP
        sizes[sizes > 0] += UNDERFLOW
        # A product of two tiny numbers may underflow to an exact zero, which would be taken for one.
        if layer and below.any() and not sizes.all():
            sizes[np.outer(np.any(coupling, axis=1), np.any(below, axis=0))] += UNDERFLOW
        base, stride = HEADER + FIELDS * layer, COUPLED + coupling.shape[1]
        work.ints[base + ROWS] = rows
        work.ints[base + FIRST] = max(layer - 1, 0)
        work.ints[base + IDS] = ids_at
        work.ints[ids_at : ids_at + rows] = np.arange(rows)
        ids_at += rows
        work.ints[base + BLOCK], work.ints[base + STRIDE] = at, stride
        block = work.reals[at : at + rows * stride].reshape(rows, stride)
        block[:, X : X + d], block[:, ONE] = forms_nk[:, :d], forms_nk[:, d]
        block[:, X + d : ONE] = 0.0
        block[:, ERROR_G : ERROR_W + 1], block[:, SIZE_G : SIZE_W + 1] = errors, sizes
        block[:, COUPLED:] = coupling
        at += block.size
        below = sizes
    state[NETWORK], state[REALS_TOP], state[INTS_TOP] = record, at, ids_at
