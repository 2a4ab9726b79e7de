"""The workspace of a cut: every array that the kernels touch, owned by Python, allocated outside the loop.

A cut holds one current cell, a stack of cells that wait, and an arena of local networks. Kernels allocate
nothing; when room runs out they stop at a safe point and say which array is full, Python grows it, and the
same kernel goes on.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.jit.workspace_type import passed_by_pointer
from creases.engine.problem import Floats, Ints
from creases.engine.state.cell_layout import (
    CELL_COLUMNS,
    CHORD_COLUMNS,
    EDGES_A_CORNER,
    FACET_TAIL,
    FACETS_A_WORD,
    MOST_CHORDS,
)
from creases.engine.state.network_layout import (
    COUPLED,
    FIELDS,
    HEADER,
    SCRATCH,
)
from creases.engine.state.row_layout import (
    FIRST_NEURON,
    LAYER_COLUMNS,
)
from creases.engine.state.slots import (
    DEPTH,
    DIMENSION,
    STATE_SLOTS,
    WORDS,
)

Signs = NDArray[np.int8]

__all__ = ["AnyWork", "SpaceWork", "Work", "allocate", "allocate_in_space"]


class Work(NamedTuple):
    """All arrays of one cut. Axes: c corners of a cell, n rows of a layer, m open rows.

    They are few, because each one makes every kernel slower to compile; what is alike shares an array.
    """

    state: Ints  # (STATE_SLOTS,)
    layer_ints: Ints  # (depth + 1, LAYER_COLUMNS)
    layer_reals: Floats  # (depth + 1, 2)
    reals: Floats  # arena of local networks
    ints: Ints
    stack_reals: Floats
    stack_ints: Ints
    cell_reals: Floats  # (2, c, CELL_COLUMNS) the cell and its child
    cell_ints: Ints  # (2, c, 2): id of the edge (a neuron's number, or -1 - wall), 1 if the corner is at infinity
    pattern: Ints  # (words,) bits of the neurons known to be active on the current cell
    row_ints: Ints  # (3, n)
    row_reals: Floats  # (n, 4)
    values_nc: Floats  # values of the lowest layer's rows at the corners
    answers_nc: Ints  # signs that were decided outside; UNPROVED where none was asked
    asks: Ints  # (asks, 2): row and corner whose sign is wanted
    open_ints: Ints  # (6, m)
    open_reals: Floats  # (11, m)
    chord_ints: Ints  # (MOST_CHORDS, 2)
    chord_reals: Floats  # (MOST_CHORDS, CHORD_COLUMNS)
    by_layer: Ints  # (depth,)
    by_neuron: Ints  # (N,)
    # (N,) 1 + the neuron of the same layer that this one is a multiple of, negative if of its opposite; or 0. Of a
    # candidate 1 + the neuron with ReLU, of any layer, whose activation it is a positive multiple of; or 0.
    twins: Ints
    slopes: Floats  # (3, N)
    switches: Ints  # (N,) of a candidate the first one of its switch
    signs: Signs  # of the weights of a chain; see `rows.sums`
    out_reals: Floats
    out_ints: Ints


class SpaceWork(NamedTuple):
    """All arrays of one cut in three dimensions or more. Axes: v corners of a cell; the others are those of `Work`,
    and so are the fields up to stack_ints, whose places the kernels of both know."""

    state: Ints
    layer_ints: Ints
    layer_reals: Floats
    reals: Floats
    ints: Ints
    stack_reals: Floats
    stack_ints: Ints
    points: Floats  # (2, d + 1, v) corners of the cell and its child, the last row their errors
    masks: Ints  # (2, words, v) bits of the facets that a corner lies on (`facet_masks`)
    slots: Ints  # (62 words,) the kept facet of each bit
    at_corner: Ints  # (62 words,) the kept facets of one corner
    facet_reals: Floats  # facets one after the other, d + FACET_TAIL numbers each
    facet_ints: Ints  # their ids: a neuron's number, INFINITY, or FIRST_WALL - i for a wall
    sides: Ints  # (v,) signs of the splitting row at the corners
    edges: Ints  # (v, 2) corners between which the splitting row cuts an edge
    pattern: Ints
    row_ints: Ints
    row_reals: Floats
    values_nc: Floats
    answers_nc: Ints
    asks: Ints
    open_ints: Ints
    open_reals: Floats
    open_forms: Floats  # (2, d, m) coordinates of relaxed forms, and of rows to substitute
    factors: Floats  # (m,) couplings to the rows to substitute
    row_values: Floats  # (v,) values of one relaxed row at the corners
    sums: Floats  # (4 d^2 + 4 d,) room for one small matrix and its inverse
    section_reals: Floats  # (d, MOST_CHORDS + 1, v) values of crossing rows on sections, and their bounds
    residues: Ints  # (2 (d + 1)^2,) a small matrix in whole numbers, and reduced modulo a prime
    section_ints: Ints  # (d, 5, EDGES_A_CORNER v) masks of a section's corners, and its edges
    by_layer: Ints
    by_neuron: Ints
    twins: Ints
    slopes: Floats
    switches: Ints
    signs: Signs
    out_reals: Floats
    out_ints: Ints


AnyWork = Work | SpaceWork
passed_by_pointer(Work)
passed_by_pointer(SpaceWork)

# Places of arrays that may be too small among the fields of a workspace, for FULL_ARRAY. Of space some stand elsewhere.
REALS_FIELD, INTS_FIELD = Work._fields.index("reals"), Work._fields.index("ints")
STACK_REALS_FIELD, STACK_INTS_FIELD = Work._fields.index("stack_reals"), Work._fields.index("stack_ints")
CORNERS_FIELD, POINTS_FIELD = Work._fields.index("cell_reals"), SpaceWork._fields.index("points")
MASKS_FIELD = SpaceWork._fields.index("masks")
FACET_REALS_FIELD, FACET_INTS_FIELD = SpaceWork._fields.index("facet_reals"), SpaceWork._fields.index("facet_ints")
OUT_REALS_FIELD, OUT_INTS_FIELD = Work._fields.index("out_reals"), Work._fields.index("out_ints")
SPACE_OUT_REALS_FIELD, SPACE_OUT_INTS_FIELD = SpaceWork._fields.index("out_reals"), SpaceWork._fields.index("out_ints")


def allocate(widths: list[int], dimension: int, corners: int, rows: list[int] | None = None) -> Work:
    """An empty workspace for a network with these widths of layers on domains of this dimension.

    corners : how many corners a cell may have at first; the arrays grow when a cell has more.
    rows : how many rows of each layer a local network has at most; its width, if it is not given.
    """
    rows = widths if rows is None else rows
    depth, neurons, total, widest = len(widths), sum(widths), max(sum(rows), 1), max([*rows, 1])
    room = arena_numbers(rows)
    words = (neurons + 63) // 64
    i8, f8 = np.int64, np.float64
    work = Work(
        state=np.zeros(STATE_SLOTS, i8),
        layer_ints=np.zeros((depth + 1, LAYER_COLUMNS), i8),
        layer_reals=np.zeros((depth + 1, 2), f8),
        reals=np.zeros(room, f8),
        ints=np.zeros(4096 + 64 * (FIELDS * depth + HEADER) + 8 * total, i8),
        stack_reals=np.zeros(4096, f8),
        stack_ints=np.zeros(4096 + 64 * (widest + words), i8),
        cell_reals=np.zeros((2, corners, CELL_COLUMNS), f8),
        cell_ints=np.zeros((2, corners, 2), i8),
        pattern=np.zeros(words, i8),
        row_ints=np.zeros((3, widest), i8),
        row_reals=np.zeros((widest, 4), f8),
        values_nc=np.zeros((widest, corners), f8),
        answers_nc=np.full((widest, corners), 2, i8),
        asks=np.zeros((corners * widest, 2), i8),
        open_ints=np.zeros((6, total), i8),
        open_reals=np.zeros((11, total), f8),
        chord_ints=np.zeros((MOST_CHORDS, 2), i8),
        chord_reals=np.zeros((MOST_CHORDS, CHORD_COLUMNS), f8),
        by_layer=np.zeros(depth, i8),
        by_neuron=np.zeros(neurons, i8),
        twins=np.zeros(neurons, i8),
        slopes=np.zeros((3, neurons), f8),
        switches=np.zeros(neurons, i8),
        signs=np.zeros(1, np.int8),
        out_reals=np.zeros(1, f8),
        out_ints=np.zeros(1, i8),
    )
    label(work, widths, dimension)
    return work


def arena_numbers(rows: list[int]) -> int:
    """How many numbers a new workspace has for local networks of a chain, of which each layer has so many rows."""
    coupled = sum(a * b for a, b in itertools.pairwise(rows))
    return 2 * (coupled + max(sum(rows), 1) * COUPLED) + 4096 + SCRATCH


def label(work: Work | SpaceWork, widths: list[int], dimension: int) -> None:
    """Write into a new workspace what it is for."""
    work.layer_ints[:, FIRST_NEURON] = np.concatenate([[0], np.cumsum(widths)])
    state = work.state
    state[DIMENSION], state[DEPTH], state[WORDS] = dimension, len(widths), len(work.pattern)


def allocate_in_space(widths: list[int], dimension: int, corners: int, rows: list[int] | None = None) -> SpaceWork:
    """`allocate` for three dimensions or more."""
    rows = widths if rows is None else rows
    flat, d = allocate(widths, 2, 1, rows), dimension
    total, widest, corners = max(sum(rows), 1), max([*rows, 1]), max(corners, MOST_CHORDS)
    i8, f8 = np.int64, np.float64
    shared = {name: getattr(flat, name) for name in SpaceWork._fields if name in Work._fields}
    work = SpaceWork(
        **{
            **shared,
            "reals": np.zeros(flat.reals.size + 2 * total * d, f8),
            "stack_ints": np.zeros(4096 + 64 * (widest + len(flat.pattern) + FACETS_A_WORD), i8),
            "points": np.zeros((2, d + 1, corners), f8),
            "masks": np.zeros((2, 1, corners), i8),
            "slots": np.zeros(FACETS_A_WORD, i8),
            "at_corner": np.zeros(FACETS_A_WORD, i8),
            "facet_reals": np.zeros(256 * (d + FACET_TAIL), f8),
            "facet_ints": np.zeros(256, i8),
            "sides": np.zeros(corners, i8),
            "edges": np.zeros((corners, 2), i8),
            "values_nc": np.zeros((widest, corners), f8),
            "answers_nc": np.full((widest, corners), 2, i8),
            "asks": np.zeros((corners * widest, 2), i8),
            "open_forms": np.zeros((2, d, total), f8),
            "factors": np.zeros(total, f8),
            "row_values": np.zeros(corners, f8),
            "sums": np.zeros(4 * d * d + 4 * d, f8),
            "section_reals": np.zeros((d, MOST_CHORDS + 1, corners), f8),
            "residues": np.zeros(2 * (d + 1) * (d + 1), i8),
            "section_ints": np.zeros((d, 5, EDGES_A_CORNER * corners), i8),
        }
    )
    label(work, widths, dimension)
    return work
