"""The workspace of a cut: every array that the kernels touch, owned by Python, allocated outside the loop.

A cut holds one current cell, a stack of cells that wait, and an arena of local networks. Kernels allocate
nothing; when room runs out they stop at a safe point and say which array is full, Python grows it, and the
same kernel goes on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DONE", "FULL", "MORE", "UNPROVED_CELL", "Work", "allocate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What a kernel answers.
DONE, MORE, UNPROVED_CELL, FULL = 0, 1, 2, 3

# Slots of Work.state.
HAVE = 0  # 1 while there is a current cell
NETWORK = 1  # offset of the current cell's local network in `ints`
REALS_TOP = 2  # first free place of `reals`
INTS_TOP = 3  # first free place of `ints`
STACK_REALS_TOP = 4
STACK_INTS_TOP = 5
CORNERS = 6  # corners of the current cell
FRESH = 7  # 1 until the lowest layer has been looked at on the cell that the layers below left
ASKED = 8  # entries of `asks` that are answered (or wait for an answer)
DIMENSION = 9  # d
DEPTH = 10  # number of hidden layers
WORDS = 11  # words of a pattern
EXACT_CELLS = 12  # cells for which rational arithmetic was needed
UNBOUNDED = 13  # finished regions that reach infinity
BY_NEURON = 14  # 1 if `by_neuron` is wanted
EMIT = 15  # 1 if finished cells are written out, 0 if they are only counted
OUT_REALS_TOP = 16
OUT_INTS_TOP = 17
WAITING = 18  # cells on the stack
NEEDED = 19  # when FULL: how much room the array named by FULL_ARRAY needs
FULL_ARRAY = 20  # when FULL: index of the field of Work that must grow
STATE_SLOTS = 24

# A local network's record in `ints`: [LOWEST], then FIELDS numbers a layer.
LOWEST = 0
HEADER = 1
ROWS = 0  # open rows
FIRST = 1  # lowest layer whose open rows are columns of this layer's coupling
IDS = 2  # offset in `ints`: neuron of each row, within its layer
FORMS = 3  # offset in `reals`: forms_kn
ERRORS = 4  # offset in `reals`: errors_2n, the pairs (E_g, E_w)
SIZES = 5  # offset in `reals`: sizes_2n, |z*(x)| <= S_g max|x_c| + S_w
COUPLING = 6  # offset in `reals`: coupling_mn, one row for each open row m of layers FIRST ... l - 1
FIELDS = 7

# With more open rows than this in the last layer a cell is split first, so that pairs and triples stay few.
MOST_CHORDS = 12

# Status of a row on a cell.
OPEN, INACTIVE, ACTIVE = 0, 1, 2


class Work(NamedTuple):
    """All arrays of one cut. Axes: c corners of a cell, k = d + 1 coordinates, n rows of a layer, N neurons."""

    state: Ints  # (STATE_SLOTS,)
    widths: Ints  # (depth,)
    first_neuron: Ints  # (depth + 1,) number of neurons in the layers below
    infinity: Floats  # (k,) the form that is 1 on the domain's finite points and 0 at infinity
    reals: Floats  # arena of local networks
    ints: Ints
    temporary: Floats  # forms of substituted rows while a local network is built
    stack_reals: Floats
    stack_ints: Ints
    cell_reals: Floats  # (c, 2d + 4): corner (d), its error, the edge's form (k), its bounds (2)
    cell_ints: (
        Ints  # (c, 2): id of the edge (a neuron's number, or -1 - wall), 1 if the corner is at infinity
    )
    child_reals: Floats
    child_ints: Ints
    status_n: Ints  # rows of the lowest layer on the current cell
    kind_n: Ints  # scan: how a row meets the cell
    pattern: Ints  # (words,) bits of the neurons known to be active on the current cell
    values_cn: Floats  # scan: values at the corners
    low_n: Floats
    high_n: Floats
    nearest_n: Floats  # scan: smallest |value|
    threshold_n: Floats
    answers_cn: Ints  # signs that were decided outside; UNPROVED where none was
    asks: Ints  # (asks, 2): row and corner whose sign is wanted
    status_m: Ints  # (N,) localise: status of each open neuron
    place_m: Ints  # localise: a row's place in the new layer
    kept_n: Ints  # localise: rows that stay, then rows that are substituted
    start_l: Ints  # (depth + 1,) localise: place of each layer's open rows in one list
    plan_l: Ints  # (depth, PLAN) localise: sizes of the new layers
    relaxed_km: Floats  # (k, N) localise: the linear part of each relaxed activation
    radius_m: Floats  # (N,) localise: its radius
    gathered_n: Floats
    chord_rows: Ints  # (MOST_CHORDS,)
    chord_ends: Ints  # (MOST_CHORDS, 2) the edges on which a chord ends; d = 1: unused
    chord_low: Floats  # (MOST_CHORDS, 2) where on the edge, as an interval
    chord_high: Floats
    by_layer: Ints  # (depth,)
    by_neuron: Ints  # (N,)
    out_reals: Floats
    out_ints: Ints


# plan_l: what `plan` writes for each layer.
NEW_OPEN, NEW_ACTIVE, NEW_FIRST, SHARED, TEMPORARY, CHANGED = 0, 1, 2, 3, 4, 5
PLAN = 6


def allocate(widths: list[int], dimension: int, corners: int) -> Work:
    """An empty workspace for a network with these hidden widths on domains of this dimension.

    corners : how many corners a cell may have at first; the arrays grow when a cell has more.
    """
    k, depth, total, widest = dimension + 1, len(widths), sum(widths), max(widths)
    coupled = sum(a * b for a, b in zip(widths, widths[1:], strict=False))
    room = 2 * (coupled + total * (k + 4)) + 4096
    words = (total + 63) // 64
    columns = 2 * dimension + 4
    i8, f8 = np.int64, np.float64
    return Work(
        state=np.zeros(STATE_SLOTS, i8),
        widths=np.array(widths, i8),
        first_neuron=np.concatenate([[0], np.cumsum(widths)]).astype(i8),
        infinity=np.zeros(k, f8),
        reals=np.zeros(room, f8),
        ints=np.zeros(4096 + 64 * (FIELDS * depth + HEADER) + 8 * total, i8),
        temporary=np.zeros(room, f8),
        stack_reals=np.zeros(4096, f8),
        stack_ints=np.zeros(4096 + 64 * (widest + words), i8),
        cell_reals=np.zeros((corners, columns), f8),
        cell_ints=np.zeros((corners, 2), i8),
        child_reals=np.zeros((corners, columns), f8),
        child_ints=np.zeros((corners, 2), i8),
        status_n=np.zeros(widest, i8),
        kind_n=np.zeros(widest, i8),
        pattern=np.zeros(words, i8),
        values_cn=np.zeros((corners, widest), f8),
        low_n=np.zeros(widest, f8),
        high_n=np.zeros(widest, f8),
        nearest_n=np.zeros(widest, f8),
        threshold_n=np.zeros(widest, f8),
        answers_cn=np.full((corners, widest), 2, i8),
        asks=np.zeros((corners * widest, 2), i8),
        status_m=np.zeros(total, i8),
        place_m=np.zeros(total, i8),
        kept_n=np.zeros(widest, i8),
        start_l=np.zeros(depth + 1, i8),
        plan_l=np.zeros((depth, PLAN), i8),
        relaxed_km=np.zeros((k, total), f8),
        radius_m=np.zeros(total, f8),
        gathered_n=np.zeros(widest, f8),
        chord_rows=np.zeros(MOST_CHORDS, i8),
        chord_ends=np.zeros((MOST_CHORDS, 2), i8),
        chord_low=np.zeros((MOST_CHORDS, 2), f8),
        chord_high=np.zeros((MOST_CHORDS, 2), f8),
        by_layer=np.zeros(depth, i8),
        by_neuron=np.zeros(total, i8),
        out_reals=np.zeros(1, f8),
        out_ints=np.zeros(1, i8),
    )
