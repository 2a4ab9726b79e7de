"""How many pieces planes make of a polytope, without building one: deletion and restriction.

Adding hyperplane j to an arrangement in a convex cell adds one piece for every piece that the earlier ones make of its
section with the cell, which is a cell of one dimension less (Zaslavsky 1975). A section's corners lie on the cell's
edges, so all that is needed of a row is its value at the corners: between two corners it is the weighted mean. Down to
an interval, which q different zeros cut into 1 + q. No coordinates are made.

Proved are the sign of every row at every corner of every section, and that the zeros on an interval differ; so d + 1
planes through one point are refused. With values g_u, g_v up to E, and a = |f_u|, b = |f_v| of opposite signs up to e,
the value at the zero of f is (b g_u + a g_v) / (a + b) up to E + (|g_u| + |g_v|) (e / (a + b - 2 e) + 8 u): the weight
b / (a + b) is off by e / (a* + b*) at most, and a* + b* >= a + b - 2 e. That difference is positive, since signs are
proved, and known up to a few units wherever the bound can prove anything: there e is less than a + b - 2 e, or the
bound were more than the values. The bounds' own rounding is relative (nothing underflows, see SMALLEST_VALUE).

Only for simple cells, in which two corners share an edge iff they share all but one of their facets.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import INFINITY, Floats, Ints
from creases.engine.proof.bounds import PROOFS, ROUND_UP, UNDERFLOW, UNIT
from creases.engine.state.cell_layout import (
    CELL,
    MOST_CHORDS,
    SECTION_BOUNDS,
    SECTION_COUNTS,
    SECTION_FROM,
    SECTION_MASKS,
    SECTION_SHARED,
    SECTION_TO,
)
from creases.engine.state.facet_masks import NO_PLACE, mask_words, place_of_facet
from creases.engine.state.network_layout import (
    ROWS,
)
from creases.engine.state.record import field
from creases.engine.state.row_layout import (
    FOLLOWS,
    HIGH,
    KIND,
    LOW,
    NEAREST,
    OPEN,
    STATUS,
    THRESHOLD,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    INT_ZERO,
    PLACES,
    SIMPLE,
    UNPROVED_COUNT,
)
from creases.engine.state.work import (
    SpaceWork,
)

__all__ = [
    "LARGEST_VALUE",
    "SMALLEST_VALUE",
    "count_pieces",
    "has_easy_facets",
    "infinity_bit",
    "pieces_and_far",
    "place_of_infinity",
]

# Values of the cell's rows that are let in. A value that is proved on a section is at least u times its row's largest
# there, so it shrinks by 2^-49 a level at most, with what the weight loses. Products of two values of any level are
# then above 2^-(2 (200 + 6 * 49)) > 2^-1000: neither they nor quotients overflow or lose anything to underflow.
SMALLEST_VALUE, LARGEST_VALUE = 2.0**-200, 2.0**460


@kernel
def count_pieces(work: SpaceWork, net: int, layer: int) -> tuple[int, int]:
    """Pieces that the crossing rows of the last layer make of the current cell, and how many reach infinity.

    UNPROVED_COUNT where a proof is missing, or the cell is not one for this room.
    """
    state, corners, rows = work.state, work.state[CORNERS], 0
    if not has_easy_facets(work):
        return UNPROVED_COUNT, 0
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] != OPEN or work.row_ints[KIND, i] == FOLLOWS:
            continue
        low, high, nearest = work.row_reals[i, LOW], work.row_reals[i, HIGH], work.row_reals[i, NEAREST]
        if rows == MOST_CHORDS or not (nearest > work.row_reals[i, THRESHOLD] and nearest > SMALLEST_VALUE):
            return UNPROVED_COUNT, 0
        if not (high < LARGEST_VALUE and -low < LARGEST_VALUE):
            return UNPROVED_COUNT, 0
        for v in range(corners):
            work.section_reals[0, rows, v] = work.values_nc[i, v]
        work.section_reals[0, SECTION_BOUNDS, rows] = work.row_reals[i, THRESHOLD]
        rows += 1
    for v in range(corners):
        work.section_ints[0, SECTION_MASKS, v] = work.masks[CELL, 0, v]
    return pieces_and_far(work.section_reals, work.section_ints, state[DIMENSION], rows, corners, infinity_bit(work))


@inlined
def has_easy_facets(work: SpaceWork) -> bool:
    """Whether the current cell is simple, and has no more facets than one word has bits: larger ones are cut first."""
    return work.state[SIMPLE] == 1 and mask_words(work.state[PLACES]) == 1


@kernel
def pieces_and_far(values: Floats, ints: Ints, d: int, rows: int, corners: int, infinity: int) -> tuple[int, int]:
    """Pieces of the cell at level 0, and how many of them reach infinity: those of its far facet."""
    total = pieces(values, ints, 0, d, rows, corners)
    if total == UNPROVED_COUNT or infinity == 0:
        return total, 0
    far = 0
    for v in range(corners):
        mask = ints[0, SECTION_MASKS, v]
        if mask & infinity:
            ints[1, SECTION_MASKS, far] = mask & ~infinity
            for i in range(rows):
                values[1, i, far] = values[0, i, v]
            far += 1
    for i in range(rows):
        values[1, SECTION_BOUNDS, i] = values[0, SECTION_BOUNDS, i]
    kept = keep_crossing(values, 1, rows, far)
    unbounded = pieces(values, ints, 1, d - 1, kept, far) if kept != UNPROVED_COUNT else UNPROVED_COUNT
    return (total, unbounded) if unbounded != UNPROVED_COUNT else (UNPROVED_COUNT, 0)


@kernel
def infinity_bit(work: SpaceWork) -> int:
    """The bit of the facet at infinity in the masks of a cell of `has_easy_facets`, 0 if it does not reach there."""
    place = place_of_infinity(work)
    return 0 if place == NO_PLACE else 1 << place


@inlined
def place_of_infinity(work: SpaceWork) -> int:
    """The place of the facet at infinity in the current cell, NO_PLACE if it does not reach there."""
    return place_of_facet(work, INT_ZERO) if work.facet_ints[0] == INFINITY else NO_PLACE


@kernel
def pieces(values: Floats, ints: Ints, first: int, d: int, rows: int, corners: int) -> int:
    """Pieces that the rows, all of which cross it, make of the d-dimensional cell at level `first`, or UNPROVED_COUNT.

    Depth first through sections of sections, without recursion, which Numba cannot keep in its cache.
    """
    total, level, crossing, section_corners, entered = 0, first, rows, corners, True
    while level >= first:
        if entered:
            entered = False
            if crossing < 2 or level - first + 1 == d:
                if crossing > 1 and not zeros_differ(values, level, crossing):
                    return UNPROVED_COUNT
                total += 1 + crossing
                level -= 1
                continue
            edges = list_edges(ints, level, section_corners)
            if edges == UNPROVED_COUNT:
                return UNPROVED_COUNT
            total += 2  # the whole, and the section by the first row, which no earlier one cuts
            ints[level, SECTION_COUNTS, 0], ints[level, SECTION_COUNTS, 1] = crossing, edges
            ints[level, SECTION_COUNTS, 2] = 1
        j = ints[level, SECTION_COUNTS, 2]
        if j == ints[level, SECTION_COUNTS, 0]:
            level -= 1
            continue
        ints[level, SECTION_COUNTS, 2] = j + 1
        section_corners = cut_section(values, ints, level, j, ints[level, SECTION_COUNTS, 1])
        crossing = (
            keep_crossing(values, level + 1, j, section_corners)
            if section_corners != UNPROVED_COUNT
            else UNPROVED_COUNT
        )
        if crossing == UNPROVED_COUNT:
            return UNPROVED_COUNT
        level, entered = level + 1, True
    return total


@kernel
def list_edges(ints: Ints, level: int, corners: int) -> int:
    """List the pairs of corners whose masks differ in one facet each, and what they share; returns how many.

    UNPROVED_COUNT if there is no room.
    """
    edges = 0
    for u in range(corners):
        if edges + corners - u > ints.shape[2]:
            return UNPROVED_COUNT
        mine = ints[level, SECTION_MASKS, u]
        for v in range(u + 1, corners):
            other = ints[level, SECTION_MASKS, v]
            once = (mine ^ other) & ((mine ^ other) - 1)
            ints[level, SECTION_FROM, edges], ints[level, SECTION_TO, edges] = u, v
            ints[level, SECTION_SHARED, edges] = mine & other
            edges += once & (once - 1) == 0
    return edges


@kernel
def cut_section(values: Floats, ints: Ints, level: int, j: int, edges: int) -> int:
    """Write the section by row j one level on: masks, values of the rows before j, and their bounds.

    Returns the number of its corners, UNPROVED_COUNT if there is no room for them.
    """
    corners, e = 0, values[level, SECTION_BOUNDS, j]
    for i in range(j):
        values[level + 1, SECTION_BOUNDS, i] = 0.0
    for edge in range(edges):
        u, v = ints[level, SECTION_FROM, edge], ints[level, SECTION_TO, edge]
        f_u, f_v = values[level, j, u], values[level, j, v]
        if (f_u > 0.0) == (f_v > 0.0):
            continue
        if corners == values.shape[2]:
            return UNPROVED_COUNT
        a, b = abs(f_u), abs(f_v)
        weight, away = 1.0 / (a + b), e / (a + b - 2.0 * e) + 8.0 * UNIT
        for i in range(j):
            g_u, g_v = values[level, i, u], values[level, i, v]
            values[level + 1, i, corners] = (b * g_u + a * g_v) * weight
            off = (abs(g_u) + abs(g_v)) * away
            values[level + 1, SECTION_BOUNDS, i] = max(values[level + 1, SECTION_BOUNDS, i], off)
        ints[level + 1, SECTION_MASKS, corners] = ints[level, SECTION_SHARED, edge]
        corners += 1
    for i in range(j):
        bound = (values[level, SECTION_BOUNDS, i] + values[level + 1, SECTION_BOUNDS, i]) * ROUND_UP + UNDERFLOW
        values[level + 1, SECTION_BOUNDS, i] = bound if PROOFS else 0.0
    return corners


@kernel
def keep_crossing(values: Floats, level: int, rows: int, corners: int) -> int:
    """Keep the rows that take both signs on a section; how many, or UNPROVED_COUNT if a sign is not proved."""
    kept = 0
    for i in range(rows):
        bound, above, below = values[level, SECTION_BOUNDS, i], 0, 0
        for v in range(corners):
            above += values[level, i, v] > bound
            below += values[level, i, v] < -bound
        if above + below < corners:
            return UNPROVED_COUNT
        if above and below:
            if kept < i:
                values[level, SECTION_BOUNDS, kept] = bound
                for v in range(corners):
                    values[level, kept, v] = values[level, i, v]
            kept += 1
    return kept


@kernel
def zeros_differ(values: Floats, level: int, rows: int) -> bool:
    """Whether the zeros of the rows on an interval are proved different (`walk.are_distinct` says how)."""
    for i in range(rows):
        low, high = place_of(values, level, i)
        for other in range(i):
            other_low, other_high = place_of(values, level, other)
            if not (low > other_high or high < other_low):
                return False
    return True


@kernel
def place_of(values: Floats, level: int, i: int) -> tuple[float, float]:
    """Between which parts of an interval the zero of a row lies (`chords.place_end`)."""
    a, b, e = abs(values[level, i, 0]), abs(values[level, i, 1]), values[level, SECTION_BOUNDS, i]
    return (a - e) / (a + b) * (1.0 - 8.0 * UNIT), (a + e) / (a + b) * (1.0 + 8.0 * UNIT)
