"""The workspace of a cut: every array that the kernels touch, owned by Python, allocated outside the loop.

A cut holds one current cell, a stack of cells that wait, and an arena of local networks. Kernels allocate
nothing; when room runs out they stop at a safe point and say which array is full, Python grows it, and the
same kernel goes on.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from creases.engine.problem import Floats, Ints

__all__ = [
    "DONE",
    "FULL",
    "MORE",
    "UNPROVED_CELL",
    "AnyWork",
    "SpaceWork",
    "Work",
    "allocate",
    "allocate_in_space",
]


# Numba compiles a kernel once more for every literal that is handed to it; these are constants, but no literals.
INT_ZERO: Any = np.int64(0)
INT_ONE: Any = np.int64(1)
NO: Any = np.bool_(False)

# What a kernel answers.
DONE, MORE, UNPROVED_CELL, FULL, CROWDED_CELL, VANISHING_ROW = 0, 1, 2, 3, 4, 5

# What counting a cell's last layer answers where a proof is missing.
UNPROVED_COUNT = -1

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
SCANNED = 21  # 1 if the lowest layer's rows are scanned already on the current cell; what `scan` found is then in
CROSSING_ROWS, HALF_PROVED_ROWS, UNKNOWN_ROWS, FOLLOWING_ROWS, BEST_ROW = 22, 23, 24, 25, 26
FACETS_TOP = 27  # facets that are kept, in space
PLAIN_CHAIN = 31  # 1 if each layer takes from the one before it only, and all kinks are ReLU
WALL = 28  # 1 if the starting cell lies on a wall of a larger domain: a row may vanish on it that does not there
VANISHED = 29  # 1 if on a wall `scan` has found a row that may vanish on the current cell
COORDINATES = 30  # of the domain: the forms of which those of the first layer are sums, but for a constant
EMPTY = 32  # 1 if `scan` has found that the current cell has no part where the claimed candidate wins
HOW_TO_SPLIT = 33  # by BEST_ROW: SPLIT, CLIP or CLAIM
MOST_CANDIDATES = 34  # of one switch
STATE_SLOTS = 35

# HOW_TO_SPLIT: both sides go on; the one side goes on where the claimed candidate exceeds the other, the other is left;
# a copy of the cell goes on for each candidate of a switch, which claims it.
SPLIT, CLIP, CLAIM = 0, 1, 2


# A local network's record in `ints`: [LOWEST], then FIELDS numbers a layer.
LOWEST = 0
HEADER = 1
ROWS = 0  # open rows
FIRST = 1  # lowest layer whose open rows are columns of this layer's coupling
IDS = 2  # offset in `ints`: neuron of each row, within its layer
BLOCK = 3  # offset in `reals`: the rows, one after the other
STRIDE = 4  # numbers a row
# Of a lowest layer of switches: pairs of its rows that are open, rows that stand behind these in `row_ints`.
PAIRS = 5
PAIR_IDS = 6  # offset in `ints`: PAIR_COLUMNS numbers a pair
PAIRS_AT = 7  # offset in `reals`: what the second candidate exceeds the first by, a row without couplings
FIELDS = 8

# Of a pair of candidates of one switch: the two rows, the first before the second, and the name of the wall between
# them.
FIRST_ROW, SECOND_ROW, WALL_NAME = 0, 1, 2
PAIR_COLUMNS = 3

# A row in `reals`: its form, the pair of bounds (E_g, E_w), the pair (S_g, S_w) with |z*(x)| <= S_g max|x_c| + S_w,
# and one coupling for each open row of layers FIRST ... l - 1. On a line the second coordinate is always zero.
X, Y, ONE = 0, 1, 2
ERROR_G, ERROR_W = 3, 4
SIZE_G, SIZE_W = 5, 6
COUPLED = 7

# In space, where a cell has three dimensions or more, X and Y are not used: d coordinates stand behind the fixed
# places, and the couplings behind these.
FORM = 7
MOST_DIMENSIONS = 8

# Free places at the end of `reals`, for `ties`.
SCRATCH = 64

# With more open rows than this in the last layer a cell is split first, so that pairs and triples stay few.
MOST_CHORDS = 12

# Status of a row on a cell.
OPEN, INACTIVE, ACTIVE = 0, 1, 2
# Of a pair: one of the two has lost already. Of a candidate: the cell is to be clipped to where it wins its switch.
MOOT, CLAIMED = 3, 4

# Columns of layer_ints.
FIRST_NEURON = 0  # neurons in the layers below
# While a local network is built: places of the layer in the lists of all open rows of the old one (START), of those
# that stay (OPEN_START) and of those to substitute (ACTIVE_START); and what the new record will say.
START = 1
OPEN_START = 2
ACTIVE_START = 3
NEW_FIRST = 4
CHANGED = 5  # 1 if a row does not stay
EXACT = 6  # 1 if all sums and products of the layer's rows are exact, whatever the pattern
CONSTANT = 7  # 1 if some form of the layer may have a constant of its own
KIND_OF_LAYER = 8  # what the layer's kinks are
LAYER_COLUMNS = 9

# KIND_OF_LAYER.
RELU_LAYER = 0
SLOPED_LAYER = 1  # neurons of two slopes each
SWITCH_LAYER = 2  # candidates of switches

# Rows of `slopes`: what a unit's pre-activation is multiplied by where it is inactive and where it is active, and the
# larger absolute value of the two.
BELOW, ABOVE, STEEPEST = 0, 1, 2

# KIND: how an open row meets the cell.
CROSSING = 0  # cuts it, and its sign at every corner is proved
CROSSING_UNPROVED = 1  # cuts it, but some corner's sign is not proved
UNKNOWN = 2  # not proved either way
FOLLOWS = 3  # a multiple of another row that is open on the cell: it has no line of its own

# Rows of row_ints and columns of row_reals: one entry for each row of the lowest layer.
STATUS, KIND, KEPT = 0, 1, 2
LOW, HIGH, NEAREST, THRESHOLD = 0, 1, 2, 3

# Columns of layer_reals: the largest (S_g, S_w) of a layer's rows in the new local network.
MOST_G, MOST_W = 0, 1

# Rows of open_ints. One entry for each open row of the old local network:
OPEN_STATUS = 0
OPEN_ROW = 1  # for each that stays: which it is
# for each to substitute: which it is, where its row begins in `reals`, the first open row that it is coupled to, and
# how many there are.
ACTIVE_ROW, ACTIVE_AT, ACTIVE_SHIFT, ACTIVE_COLUMNS = 2, 3, 4, 5

# Rows of open_reals. For each open row of the old local network the linear part of its relaxed activation and its
# radius; for each row to substitute its form, bounds and sizes.
RELAXED, RADIUS = 0, 3
ACTIVE_FORM, ACTIVE_ERRORS, ACTIVE_SIZES = 4, 7, 9

# Planes of cell_reals and cell_ints, and the columns of cell_reals: a corner, its error, and the inward form of the
# edge that begins there, with its bounds.
CELL, CHILD = 0, 1
CORNER_ERROR = 2
EDGE = 3
EDGE_G, EDGE_W = 6, 7
CELL_COLUMNS = 8

# Columns of chord_ints (the edges of the two ends) and chord_reals: where on these edges the ends lie (low and high
# of either end, two columns each), the chord's form and its bounds.
CHORD_END = 0
CHORD_LOW, CHORD_HIGH, CHORD_FORM, CHORD_BOUNDS = 0, 2, 4, 7
CHORD_COLUMNS = 9


# In space: planes of open_forms; a facet is the d coordinates of its form, the constant and the pair of bounds.
RELAXED_IN_SPACE, ACTIVE_IN_SPACE = 0, 1
FACET_TAIL = 3

# A cell's facets are bits of its corners' masks; `slots` says which facet each bit is, and SIMPLE whether every corner
# lies on d facets only.
MOST_FACETS = 62
SIMPLE, SLOTS = 62, 63

# Sections of a cell, one dimension less a level (`arrangement`): the rows of section_ints, and the row of section_reals
# that holds bounds.
SECTION_MASKS, SECTION_FROM, SECTION_TO, SECTION_SHARED = 0, 1, 2, 3
SECTION_COUNTS = 4  # its rows, its edges, and the row whose section is next
SECTION_BOUNDS = MOST_CHORDS
# Edges of a simple cell: d / 2 a corner, and room to list one more corner's.
EDGES_A_CORNER = MOST_DIMENSIONS // 2 + 1


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
    masks: Ints  # (2, v) bits of the facets that a corner lies on
    slots: Ints  # (SLOTS,) the facet of each bit; see SIMPLE
    facet_reals: Floats  # facets one after the other, d + FACET_TAIL numbers each
    facet_ints: Ints  # their ids: a neuron's number, -1 for infinity, -2 - wall
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
    section_ints: Ints  # (d, 5, EDGES_A_CORNER v) masks of a section's corners, and its edges
    by_layer: Ints
    by_neuron: Ints
    twins: Ints
    slopes: Floats
    switches: Ints
    out_reals: Floats
    out_ints: Ints


AnyWork = Work | SpaceWork


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
            "stack_ints": np.zeros(4096 + 64 * (widest + len(flat.pattern) + SLOTS), i8),
            "points": np.zeros((2, d + 1, corners), f8),
            "masks": np.zeros((2, corners), i8),
            "slots": np.zeros(SLOTS, i8),
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
            "section_ints": np.zeros((d, 5, EDGES_A_CORNER * corners), i8),
        }
    )
    label(work, widths, dimension)
    return work
