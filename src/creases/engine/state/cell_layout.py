"""How a cell lies in the workspace: corners and edges, chords, facets, sections."""

from __future__ import annotations

from creases.limits import MOST_DIMENSIONS

# With more open rows than this in the last layer a cell is split first, so that pairs and triples stay few.
MOST_CHORDS = 12

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


# In space: a facet is the d coordinates of its form, the constant and the pair of bounds.
FACET_TAIL = 3

# A cell's facets are bits of its corners' masks, so many in a word (`facet_masks`).
FACETS_A_WORD = 62

# Sections of a cell, one dimension less a level (`arrangement`): the rows of section_ints, and the row of section_reals
# that holds bounds.
SECTION_MASKS, SECTION_FROM, SECTION_TO, SECTION_SHARED = 0, 1, 2, 3
SECTION_COUNTS = 4  # its rows, its edges, and the row whose section is next
SECTION_BOUNDS = MOST_CHORDS
# Edges of a simple cell: d / 2 a corner, and room to list one more corner's.
EDGES_A_CORNER = MOST_DIMENSIONS // 2 + 1
