"""The workspace of a cut: every array that the kernels touch, owned by Python, allocated outside the loop.

A cut holds one current cell, a stack of cells that wait, and an arena of local networks. Kernels allocate
nothing; when room runs out they stop at a safe point and say which array is full, Python grows it, and the
same kernel goes on.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DONE", "FULL", "MORE", "UNPROVED_CELL", "Floats", "Ints", "Work", "allocate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Numba compiles a kernel once more for every literal that is handed to it; these are constants, but no literals.
INT_ZERO: Any = np.int64(0)
INT_ONE: Any = np.int64(1)
NO: Any = np.bool_(False)
YES: Any = np.bool_(True)

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


# Columns of layer_ints. The first six are what `local.plan` writes for each layer of the new local network.
NEW_OPEN = 0  # rows that stay
NEW_ACTIVE = 1  # rows to substitute
NEW_FIRST = 2
SHARED = 3  # 1 if the layer is taken over as it is
TEMPORARY = 4  # offset of the substituted rows' forms in `temporary`
CHANGED = 5  # 1 if a row does not stay
START = 6  # place of the layer's rows in one list of all open rows
FIRST_NEURON = 7  # neurons in the layers below
LAYER_COLUMNS = 8

# Rows of row_ints and row_reals: one entry for each row of the lowest layer (or of the layer in work).
STATUS, KIND, KEPT = 0, 1, 2
LOW, HIGH, NEAREST, THRESHOLD, GATHERED = 0, 1, 2, 3, 4

# Rows of open_ints: one entry for each open row of the local network.
OPEN_STATUS, PLACE = 0, 1

# Planes of cell_reals and cell_ints.
CELL, CHILD = 0, 1

# Columns of chord_ints (the edges of the two ends) and chord_reals: where on these edges the ends lie (low and high
# of either end, two columns each), the chord's form (k) and its bounds (2).
CHORD_END = 0
CHORD_LOW, CHORD_HIGH, CHORD_FORM, CHORD_BOUNDS = 0, 2, 4, 7
CHORD_COLUMNS = 9


class Work(NamedTuple):
    """All arrays of one cut. Axes: c corners of a cell, k = d + 1 coordinates, n rows of a layer, m open rows.

    They are few, because each one makes every kernel slower to compile; what is alike shares an array.
    """

    state: Ints  # (STATE_SLOTS,)
    layer_ints: Ints  # (depth + 1, LAYER_COLUMNS)
    reals: Floats  # arena of local networks
    ints: Ints
    temporary: Floats  # forms of substituted rows while a local network is built
    stack_reals: Floats
    stack_ints: Ints
    cell_reals: Floats  # (2, c, 2d + 4) the cell and its child: corner (d), its error, edge form (k), its bounds (2)
    cell_ints: Ints  # (2, c, 2): id of the edge (a neuron's number, or -1 - wall), 1 if the corner is at infinity
    pattern: Ints  # (words,) bits of the neurons known to be active on the current cell
    row_ints: Ints  # (3, n)
    row_reals: Floats  # (5, n)
    values_cn: Floats  # values of the lowest layer's rows at the corners
    answers_cn: Ints  # signs that were decided outside; UNPROVED where none was asked
    asks: Ints  # (asks, 2): row and corner whose sign is wanted
    open_ints: Ints  # (2, m)
    relaxed_km: Floats  # (k + 1, m): linear part of each relaxed activation (k), and its radius
    meeting_c: Floats  # (c,) values of one row of the last layer at the corners
    chord_ints: Ints  # (MOST_CHORDS, 2)
    chord_reals: Floats  # (MOST_CHORDS, CHORD_COLUMNS)
    by_layer: Ints  # (depth,)
    by_neuron: Ints  # (N,)
    out_reals: Floats
    out_ints: Ints


def allocate(widths: list[int], dimension: int, corners: int) -> Work:
    """An empty workspace for a network with these hidden widths on domains of this dimension.

    corners : how many corners a cell may have at first; the arrays grow when a cell has more.
    """
    k, depth, total, widest = dimension + 1, len(widths), sum(widths), max(widths)
    coupled = sum(a * b for a, b in itertools.pairwise(widths))
    room = 2 * (coupled + total * (k + 4)) + 4096
    words = (total + 63) // 64
    columns = 2 * dimension + 4
    i8, f8 = np.int64, np.float64
    work = Work(
        state=np.zeros(STATE_SLOTS, i8),
        layer_ints=np.zeros((depth + 1, LAYER_COLUMNS), i8),
        reals=np.zeros(room, f8),
        ints=np.zeros(4096 + 64 * (FIELDS * depth + HEADER) + 8 * total, i8),
        temporary=np.zeros(room, f8),
        stack_reals=np.zeros(4096, f8),
        stack_ints=np.zeros(4096 + 64 * (widest + words), i8),
        cell_reals=np.zeros((2, corners, columns), f8),
        cell_ints=np.zeros((2, corners, 2), i8),
        pattern=np.zeros(words, i8),
        row_ints=np.zeros((3, widest), i8),
        row_reals=np.zeros((5, widest), f8),
        values_cn=np.zeros((corners, widest), f8),
        answers_cn=np.full((corners, widest), 2, i8),
        asks=np.zeros((corners * widest, 2), i8),
        open_ints=np.zeros((2, total), i8),
        relaxed_km=np.zeros((k + 1, total), f8),
        meeting_c=np.zeros(corners, f8),
        chord_ints=np.zeros((MOST_CHORDS, 2), i8),
        chord_reals=np.zeros((MOST_CHORDS, CHORD_COLUMNS), f8),
        by_layer=np.zeros(depth, i8),
        by_neuron=np.zeros(total, i8),
        out_reals=np.zeros(1, f8),
        out_ints=np.zeros(1, i8),
    )
    work.layer_ints[:, FIRST_NEURON] = np.concatenate([[0], np.cumsum(widths)])
    state = work.state
    state[DIMENSION], state[DEPTH], state[WORDS] = dimension, depth, words
    return work
