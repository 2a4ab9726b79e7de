"""One row of a local network written anew: inactive units below drop out, active ones are substituted.

Rounding: with m substituted rows p of forms B_p, couplings A_p, bounds e_p and sizes S_p, fl(B + sum_p a_p B_p)
differs from the exact sum by at most gamma(m + 2) (|B| + sum_p |a_p| |B_p|), the couplings likewise. A size S is kept
no less than |B| + sum_q |A_q| S_q of its row, so relu(z*_q) <= S_q on the cell. Together:
gamma (|B| + sum_q |A_q| S_q) for what was there, and sum_p |a_p| (e_p + gamma S_p) for what came in. The sums may be
added in any order.

Bounds and sizes are sums of numbers that are not negative, so their own rounding is relative and ROUND_UP pays for it,
and none of them is compared with anything here. Where a size overflows the sums make NaN of it (0 * inf: a coupling of
zero, a layer with no open row). A row is written with infinity in place of a NaN, once, so that whoever reads it may
say `> 0.0` or take a maximum, which would lose a NaN: rows that a network begins with are (`starting`), and so are all
that are made of rows.
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, reordered
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import PROOFS, ROUND_UP, UNDERFLOW, gamma, or_infinite
from creases.engine.rows.rows_in_space import add_forms_in_space, copy_form_in_space, form_size_in_space
from creases.engine.state.network_layout import (
    ERROR_G,
    ERROR_W,
    ONE,
    SIZE_G,
    SIZE_W,
    X,
    Y,
)
from creases.engine.state.record import coupled
from creases.engine.state.row_layout import (
    ACTIVE_AT,
    ACTIVE_COLUMNS,
    ACTIVE_ERRORS,
    ACTIVE_FORM,
    ACTIVE_ROW,
    ACTIVE_SHIFT,
    ACTIVE_SIZES,
    ACTIVE_START,
    EXACT,
    MOST_G,
    MOST_W,
    OPEN_ROW,
    OPEN_START,
    START,
)
from creases.engine.state.work import (
    AnyWork,
    Work,
)

__all__ = ["write_row"]


@inlined
def write_row(work: AnyWork, layer: int, first: int, new_first: int, source: int, at: int) -> None:
    """Write the row that stands at `source` in `reals` to `at`, with the stable units below it substituted.

    first, new_first : the lowest layers that the old and the new row are coupled to.
    """
    reals, layers, most = work.reals, work.layer_ints, work.layer_reals
    column = source + coupled(work) - layers[first, START]  # of open row q, less q
    shift = layers[new_first, OPEN_START]
    coupling = at + coupled(work) - shift  # of the open row that stays at place j, less j
    error_g, error_w = reals[source + ERROR_G], reals[source + ERROR_W]
    size_g, size_w = form_size(work, source)
    most_g = most_w = 0.0
    for j in range(shift, layers[first, OPEN_START]):
        reals[coupling + j] = 0.0
    for below in range(first, layer):
        total = keep_open(
            reals, work.open_ints, column, coupling, layers[below, OPEN_START], layers[below + 1, OPEN_START]
        )
        size_g += total * most[below, MOST_G]
        size_w += total * most[below, MOST_W]
        most_g, most_w = max(most_g, most[below, MOST_G]), max(most_w, most[below, MOST_W])
    begin, end = layers[first, ACTIVE_START], layers[layer, ACTIVE_START]
    if not sees_any(reals, work.open_ints, column, begin, end):
        copy_form(work, source, at)  # the row of a dead neuron stays exact, and so does its zero
    elif not PROOFS:
        add_forms(work, source, at, column, begin, end)
        add_couplings(work, column, coupling, begin, end)
    else:
        rounding = 0.0 if layers[layer, EXACT] else gamma(2 + layers[layer, START] - layers[first, START])
        more = add_forms(work, source, at, column, begin, end)
        error_g = (error_g + more[0] + rounding * (size_g + more[2])) * ROUND_UP
        error_w = (error_w + more[1] + rounding * (size_w + more[3])) * ROUND_UP
        add_couplings(work, column, coupling, begin, end)
        size_g, size_w = form_size(work, at)
        for below in range(new_first, layer):
            places = layers[below + 1, OPEN_START] - layers[below, OPEN_START]
            total = size_of(reals, coupling + layers[below, OPEN_START], places)
            size_g += total * most[below, MOST_G]
            size_w += total * most[below, MOST_W]
            # A coupling that underflowed is multiplied by the size of what it couples to.
            if not layers[layer, EXACT]:
                error_g += UNDERFLOW * places * most[below, MOST_G]
                error_w += UNDERFLOW * places * most[below, MOST_W]
            most_g, most_w = max(most_g, most[below, MOST_G]), max(most_w, most[below, MOST_W])
        # Products may have underflowed wherever something above zero was multiplied; zero bounds stay zero.
        if not layers[layer, EXACT]:
            error_g += UNDERFLOW if most_g > 0.0 or size_g > 0.0 or error_g > 0.0 else 0.0
            error_w += UNDERFLOW if most_w > 0.0 or size_w > 0.0 or error_w > 0.0 else 0.0
    if not PROOFS:
        error_g = error_w = size_g = size_w = most_g = most_w = 0.0
    reals[at + ERROR_G], reals[at + ERROR_W] = or_infinite(error_g), or_infinite(error_w)
    reals[at + SIZE_G] = or_infinite((size_g + error_g) * ROUND_UP + (UNDERFLOW if most_g > 0.0 else 0.0))
    reals[at + SIZE_W] = or_infinite((size_w + error_w) * ROUND_UP + (UNDERFLOW if most_w > 0.0 else 0.0))


@inlined
def sees_any(reals: Floats, open_ints: Ints, column: int, begin: int, end: int) -> bool:
    """Whether a row is coupled to any of the rows to substitute."""
    j = begin
    while j < end and reals[column + open_ints[ACTIVE_ROW, j]] == 0.0:
        j += 1
    return j < end


@reordered
def keep_open(reals: Floats, open_ints: Ints, column: int, coupling: int, begin: int, end: int) -> float:
    """Copy the couplings to rows that stay, at places begin ... end - 1; returns the sum of their sizes."""
    total = 0.0
    for j in range(begin, end):
        factor = reals[column + open_ints[OPEN_ROW, j]]
        reals[coupling + j] = factor
        total += abs(factor)
    return total


@reordered
def add_active(
    reals: Floats, open_ints: Ints, open_reals: Floats, column: int, begin: int, end: int
) -> tuple[float, float, float, float, float, float, float]:
    """Sum of couplings times forms of the rows to substitute, and of |coupling| times errors (2) and sizes (2)."""
    x = y = one = error_g = error_w = size_g = size_w = 0.0
    for j in range(begin, end):
        factor = reals[column + open_ints[ACTIVE_ROW, j]]
        x += factor * open_reals[ACTIVE_FORM, j]
        y += factor * open_reals[ACTIVE_FORM + 1, j]
        one += factor * open_reals[ACTIVE_FORM + 2, j]
        error_g += abs(factor) * open_reals[ACTIVE_ERRORS, j]
        error_w += abs(factor) * open_reals[ACTIVE_ERRORS + 1, j]
        size_g += abs(factor) * open_reals[ACTIVE_SIZES, j]
        size_w += abs(factor) * open_reals[ACTIVE_SIZES + 1, j]
    return x, y, one, error_g, error_w, size_g, size_w


@inlined
def form_size_in_plane(work: Work, at: int) -> tuple[float, float]:
    """Sum of |x_c| and |constant| of the form at `at`."""
    return abs(work.reals[at + X]) + abs(work.reals[at + Y]), abs(work.reals[at + ONE])


form_size = by_domain(form_size_in_plane, form_size_in_space)


@inlined
def copy_form_in_plane(work: Work, source: int, at: int) -> None:
    """Copy the form at `source` to `at`."""
    reals = work.reals
    reals[at + X], reals[at + Y], reals[at + ONE] = reals[source + X], reals[source + Y], reals[source + ONE]


copy_form = by_domain(copy_form_in_plane, copy_form_in_space)


@inlined
def add_forms_in_plane(
    work: Work, source: int, at: int, column: int, begin: int, end: int
) -> tuple[float, float, float, float]:
    """Write to `at` the form at `source` with the rows to substitute added; returns what their errors (2) and
    sizes (2) add."""
    reals = work.reals
    x, y, one, error_g, error_w, size_g, size_w = add_active(reals, work.open_ints, work.open_reals, column, begin, end)
    reals[at + X], reals[at + Y] = reals[source + X] + x, reals[source + Y] + y
    reals[at + ONE] = reals[source + ONE] + one
    return error_g, error_w, size_g, size_w


add_forms = by_domain(add_forms_in_plane, add_forms_in_space)


@inlined
def add_couplings(work: AnyWork, column: int, coupling: int, begin: int, end: int) -> None:
    """What the rows to substitute are coupled to, the row is coupled to now."""
    reals, open_ints = work.reals, work.open_ints
    for j in range(begin, end):
        places = open_ints[ACTIVE_COLUMNS, j]
        if places:
            factor = reals[column + open_ints[ACTIVE_ROW, j]]
            source, target = open_ints[ACTIVE_AT, j] + coupled(work), coupling + open_ints[ACTIVE_SHIFT, j]
            for c in range(places):
                reals[target + c] += factor * reals[source + c]


@reordered
def size_of(reals: Floats, at: int, places: int) -> float:
    """Sum of the sizes of some couplings."""
    total = 0.0
    for c in range(places):
        total += abs(reals[at + c])
    return total
