"""What is known of rows, of layers and of open rows: the columns of the arrays that say it."""

from __future__ import annotations

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
SIGNS = 9  # where the signs of the layer's weights begin (`rows.sums`), or NO_SIGNS
LAYER_COLUMNS = 10

NO_SIGNS = -1

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

# In space: planes of open_forms.
RELAXED_IN_SPACE, ACTIVE_IN_SPACE = 0, 1
