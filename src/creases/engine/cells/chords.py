"""The last layer in the plane: the pieces into which chords cut a convex polygon, none of them built.

A convex polygon cut by q chords, no three through one point, has 1 + q + (crossings inside) pieces, and two chords
cross inside iff their ends alternate around the boundary.
"""

from __future__ import annotations

from creases.engine.cells.polygon import form
from creases.engine.kernel import inlined, kernel
from creases.engine.problem import INFINITY, Floats, Ints
from creases.engine.proof.bounds import ROUND_UP, UNIT, meeting_point, sign_threshold
from creases.engine.proof.signs import UNPROVED
from creases.engine.state.cell_layout import (
    CELL,
    CHORD_BOUNDS,
    CHORD_END,
    CHORD_FORM,
    CHORD_HIGH,
    CHORD_LOW,
)
from creases.engine.state.network_layout import (
    BLOCK,
    ROWS,
    STRIDE,
)
from creases.engine.state.record import field
from creases.engine.state.row_layout import (
    FOLLOWS,
    KIND,
    NEAREST,
    OPEN,
    STATUS,
    THRESHOLD,
)
from creases.engine.state.slots import (
    CORNERS,
    INT_ONE,
    INT_ZERO,
    UNPROVED_COUNT,
)
from creases.engine.state.work import (
    Work,
)

__all__ = ["count_chords", "note_chord", "pieces_at_infinity", "pieces_of_chords", "place_end"]


@kernel
def count_chords(work: Work, net: int, layer: int) -> tuple[int, int]:
    """Pieces into which the open rows of the last layer (at most MOST_CHORDS) cut the current polygon.

    No piece is built. Every open row crosses the cell with proved signs.

    A convex polygon cut by q chords, no three through one point, has 1 + q + (crossings inside) pieces, and two
    chords cross inside iff their ends alternate around the boundary. Proved here: the order of two ends on one
    edge (their places t are kept as intervals), and that no three chords that cross pairwise share a point.
    Returns the pieces and how many of them reach infinity; UNPROVED_COUNT where a proof is missing.
    """
    chords = INT_ZERO
    block, stride = work.ints[field(net, layer, BLOCK)], work.ints[field(net, layer, STRIDE)]
    for i in range(work.ints[field(net, layer, ROWS)]):
        if work.row_ints[STATUS, i] != OPEN or work.row_ints[KIND, i] == FOLLOWS:
            continue
        if not work.row_reals[i, NEAREST] > work.row_reals[i, THRESHOLD]:
            return UNPROVED_COUNT, 0  # a corner lies on the line, or only just not
        f0, f1, f2, f_g, f_w = form(work, block + i * stride)
        note_chord(work, chords, f0, f1, f2, f_g, f_w)
        place_ends(work, i, chords)
        chords += 1
    return pieces_of_chords(work.chord_ints, work.chord_reals, chords), pieces_at_infinity(work, chords)


@inlined
def note_chord(work: Work, q: int, f0: float, f1: float, f2: float, f_g: float, f_w: float) -> None:
    """Keep the form and the bounds of chord q."""
    chord_reals = work.chord_reals
    chord_reals[q, CHORD_FORM], chord_reals[q, CHORD_FORM + 1], chord_reals[q, CHORD_FORM + 2] = f0, f1, f2
    chord_reals[q, CHORD_BOUNDS], chord_reals[q, CHORD_BOUNDS + 1] = f_g, f_w


@kernel
def pieces_of_chords(chord_ints: Ints, chord_reals: Floats, chords: int) -> int:
    """Pieces of a polygon from its chords; UNPROVED_COUNT where a proof is missing."""
    crossings = 0
    for a in range(chords):
        for b in range(a):
            answer = do_cross(chord_ints, chord_reals, a, b)
            if answer == UNPROVED:
                return UNPROVED_COUNT
            crossings += answer
            for c in range(b if answer == 1 else 0):
                concurrent = (
                    do_cross(chord_ints, chord_reals, a, c) == 1 and do_cross(chord_ints, chord_reals, b, c) == 1
                )
                if concurrent and not proved_apart(chord_reals, a, b, c):
                    return UNPROVED_COUNT
    return 1 + chords + crossings


@inlined
def place_ends(work: Work, row: int, q: int) -> None:
    """The two edges that a row crosses, in order, and where on them."""
    corners, e = work.state[CORNERS], work.row_reals[row, THRESHOLD]
    end = 0
    for v in range(corners):
        here = work.values_nc[row, v]
        there = work.values_nc[row, v + 1 if v + 1 < corners else 0]
        if (here > 0.0) != (there > 0.0) and end < 2:  # proved signs change twice; others must not write elsewhere
            place_end(work, q, end, v, abs(here), abs(there), e)
            end += 1


@inlined
def place_end(work: Work, q: int, end: int, edge: int, a: float, b: float, e: float) -> None:
    """Where chord q leaves the cell through an edge: t in [low, high] from the edge's corner to the next.

    With a = |h(v)| and b = |h(v')| of opposite signs, both known up to e, t = a / (a + b) grows with a and falls
    with b: it lies between (a - e) / (a + b) and (a + e) / (a + b); 8 u pay for rounding: that of the difference, of
    the sum, of the quotient and of the product with 1 -+ 8 u, one each. Nothing over- or underflows: values with a
    finite bound are below 2^1021 (`bounds.sign_threshold`), and an end is used only where a and b exceed e, which is
    more than u of the larger of them. Places are compared by <, so that two that may be equal are not told apart.
    """
    work.chord_ints[q, CHORD_END + end] = edge
    work.chord_reals[q, CHORD_LOW + end] = (a - e) / (a + b) * (1.0 - 8.0 * UNIT)
    work.chord_reals[q, CHORD_HIGH + end] = (a + e) / (a + b) * (1.0 + 8.0 * UNIT)


@inlined
def is_beyond(chord_ints: Ints, chord_reals: Floats, a: int, end_a: int, b: int, end_b: int) -> int:
    """1 if end_b of chord b comes after end_a of chord a around the boundary, 0 if before, UNPROVED if not known."""
    edge_a, edge_b = chord_ints[a, CHORD_END + end_a], chord_ints[b, CHORD_END + end_b]
    if edge_a != edge_b:
        return 1 if edge_b > edge_a else 0
    if chord_reals[b, CHORD_LOW + end_b] > chord_reals[a, CHORD_HIGH + end_a]:
        return 1
    if chord_reals[b, CHORD_HIGH + end_b] < chord_reals[a, CHORD_LOW + end_a]:
        return 0
    return UNPROVED


@kernel
def do_cross(chord_ints: Ints, chord_reals: Floats, a: int, b: int) -> int:
    """1 if chords a and b cross inside the cell, 0 if not, UNPROVED if the order of two ends is not proved."""
    inside = 0
    for end in range(2):
        after_first = is_beyond(chord_ints, chord_reals, a, INT_ZERO, b, end)
        after_second = is_beyond(chord_ints, chord_reals, a, INT_ONE, b, end)
        if after_first == UNPROVED or after_second == UNPROVED:
            return UNPROVED
        inside += after_first == 1 and after_second == 0
    return 1 if inside == 1 else 0


@kernel
def proved_apart(chord_reals: Floats, a: int, b: int, c: int) -> bool:
    """True if it is proved that chord c does not pass through the point where chords a and b meet in the cell."""
    f0, f1, f2, f_g, f_w = chord(chord_reals, a)
    g0, g1, g2, g_g, g_w = chord(chord_reals, b)
    h0, h1, h2, h_g, h_w = chord(chord_reals, c)
    if f0 * g1 - f1 * g0 < 0.0:  # meeting_point wants the forms in the order that makes this positive
        g0, g1, g2 = -g0, -g1, -g2
    x, y, error = meeting_point(f0, f1, f2, f_g, f_w, g0, g1, g2, g_g, g_w)
    bound = sign_threshold(abs(h0) + abs(h1), abs(h2), h_g, h_w, max(abs(x), abs(y)), error)
    return abs(h0 * x + h1 * y + h2) > bound * ROUND_UP


@inlined
def chord(chord_reals: Floats, q: int) -> tuple[float, float, float, float, float]:
    """The form and the bounds of chord q."""
    return (
        chord_reals[q, CHORD_FORM],
        chord_reals[q, CHORD_FORM + 1],
        chord_reals[q, CHORD_FORM + 2],
        chord_reals[q, CHORD_BOUNDS],
        chord_reals[q, CHORD_BOUNDS + 1],
    )


@inlined
def pieces_at_infinity(work: Work, chords: int) -> int:
    """How many of a cell's pieces reach infinity: none, one, or one more than the chords that end on its far edge."""
    infinite = 0
    for v in range(work.state[CORNERS]):
        if work.cell_ints[CELL, v, 0] == INFINITY:
            infinite = 1
            for q in range(chords):
                infinite += (work.chord_ints[q, CHORD_END] == v) + (work.chord_ints[q, CHORD_END + 1] == v)
            return infinite
        # One point at infinity without an edge there: parallel sides. No chord passes through a corner.
        infinite = max(infinite, work.cell_ints[CELL, v, 1])
    return infinite
