"""How a local network lies in `Work.ints` and `Work.reals`: its record, its rows, its pairs."""

from __future__ import annotations

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
PAIRS_AT = 7  # offset in `reals`: the second candidate less the first, a row without couplings
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

# Free places at the end of `reals`, for `ties`.
SCRATCH = 64
