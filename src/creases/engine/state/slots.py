"""What a kernel answers, and the slots of `Work.state`."""

from __future__ import annotations

from typing import Any

import numpy as np

# Numba compiles a kernel once more for every literal that is handed to it; these are constants, but no literals.
INT_ZERO: Any = np.int64(0)
INT_ONE: Any = np.int64(1)
NO: Any = np.bool_(False)

# Answers of a kernel.
DONE, MORE, UNPROVED_CELL, FULL, VANISHING_ROW = 0, 1, 2, 3, 4

# The count of a cell's last layer where a proof is missing.
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
SCANNED = 21  # 1 if the lowest layer's rows are scanned already on the current cell; the results of `scan` are then in
CROSSING_ROWS, HALF_PROVED_ROWS, UNKNOWN_ROWS, FOLLOWING_ROWS, BEST_ROW = 22, 23, 24, 25, 26
FACETS_TOP = 27  # facets that are kept, in space
PLAIN_CHAIN = 31  # 1 if each layer takes from the one before it only, and all kinks are ReLU
WALL = 28  # 1 if the starting cell lies on a wall of a larger domain: a row may vanish on it that does not there
VANISHED = 29  # 1 if on a wall `scan` has found a row that may vanish on the current cell
COORDINATE_COUNT = 30  # of the domain: the forms of which those of the first layer are sums, but for a constant
EMPTY = 32  # 1 if by `scan` the claimed candidate wins nowhere on the current cell
HOW_TO_SPLIT = 33  # by BEST_ROW: SPLIT, CLIP or CLAIM
MOST_CANDIDATES = 34  # of one switch
UNPROVED_SIGNS = 35  # signs that were read off numbers near the network's own, and not proved
PLACES = 36  # in space, of the current cell's facets: those in `slots`
SIMPLE = 37  # in space, 1 if every corner of the current cell lies on d facets only
STATE_SLOTS = 38

# BEST_ROW where no row is proved to split the cell.
NO_ROW = -1

# HOW_TO_SPLIT: both sides go on; the one side goes on where the claimed candidate exceeds the other, the other is left;
# a copy of the cell goes on for each candidate of a switch, which claims it.
SPLIT, CLIP, CLAIM = 0, 1, 2
