"""One row of a local network written anew: what is inactive below drops out, what is active is substituted.

Rounding: with m substituted rows p of forms B_p, couplings A_p, bounds e_p and sizes S_p, fl(B + sum_p a_p B_p)
differs from the exact sum by at most gamma(m + 2) (|B| + sum_p |a_p| |B_p|), the couplings likewise, and
relu(z*_q) <= S_q on the cell. Together: gamma (|B| + sum_q |A_q| S_q) for what was there, and
sum_p |a_p| (e_p + gamma S_p) for what came in.
"""

from __future__ import annotations

from creases.engine.bounds import ROUND_UP, UNDERFLOW, gamma
from creases.engine.kernel import inlined
from creases.engine.work import (
    ACTIVE_AT,
    ACTIVE_COLUMNS,
    ACTIVE_ROW,
    ACTIVE_SHIFT,
    ACTIVE_START,
    COUPLED,
    ERROR_G,
    ERROR_W,
    ONE,
    OPEN_AT,
    OPEN_ROW,
    OPEN_START,
    SIZE_G,
    SIZE_W,
    START,
    Floats,
    Ints,
    Work,
    X,
    Y,
)

__all__ = ["copy_row", "write_row"]


@inlined
def copy_row(work: Work, source: int, target: int) -> None:
    """Copy an affine row from `reals` to `temporary`."""
    for c in range(COUPLED):
        work.temporary[target + c] = work.reals[source + c]


@inlined
def write_row(work: Work, net: int, layer: int, first: int, new_first: int, source: int, at: int, own: bool) -> None:
    """Write the row that stands at `source` in `reals` to `at` in `reals` (own) or `temporary`.

    first, new_first : the lowest layers that the old and the new row are coupled to.
    """
    layers = work.layer_ints
    begin, end = layers[first, START], layers[layer, START]
    open_begin, open_end = layers[first, OPEN_START], layers[layer, OPEN_START]
    active_begin, active_end = layers[first, ACTIVE_START], layers[layer, ACTIVE_START]
    shift = layers[new_first, OPEN_START]
    # One target array: Numba compiles the body once for each.
    write_to(
        work.reals,
        work.temporary,
        work.open_ints,
        source,
        source + COUPLED - begin,
        work.reals if own else work.temporary,
        at,
        shift,
        open_begin,
        open_end,
        active_begin,
        active_end,
        gamma(2 + end - begin),
    )


@inlined
def write_to(
    reals: Floats,
    temporary: Floats,
    open_ints: Ints,
    source: int,
    column: int,
    target: Floats,
    at: int,
    shift: int,
    open_begin: int,
    open_end: int,
    active_begin: int,
    active_end: int,
    rounding: float,
) -> None:
    """The body of `write_row`; column : where the coupling to open row q stands, less q."""
    x, y, one = reals[source + X], reals[source + Y], reals[source + ONE]
    error_g, error_w = reals[source + ERROR_G], reals[source + ERROR_W]
    size_g, size_w = abs(x) + abs(y), abs(one)
    coupling = at + COUPLED - shift
    for j in range(shift, open_begin):
        target[coupling + j] = 0.0
    below_g = below_w = 0.0
    for j in range(open_begin, open_end):
        factor, below = reals[column + open_ints[OPEN_ROW, j]], open_ints[OPEN_AT, j]
        target[coupling + j] = factor
        below_g += reals[below + SIZE_G]
        below_w += reals[below + SIZE_W]
        size_g += abs(factor) * reals[below + SIZE_G]
        size_w += abs(factor) * reals[below + SIZE_W]
    touched_g, touched_w = below_g > 0.0, below_w > 0.0
    if active_end > active_begin:
        kept_g, kept_w = size_g, size_w
        for j in range(active_begin, active_end):
            factor, below = reals[column + open_ints[ACTIVE_ROW, j]], open_ints[ACTIVE_AT, j]
            x += factor * temporary[below + X]
            y += factor * temporary[below + Y]
            one += factor * temporary[below + ONE]
            more_g = temporary[below + ERROR_G] + rounding * temporary[below + SIZE_G]
            more_w = temporary[below + ERROR_W] + rounding * temporary[below + SIZE_W]
            # The product with the size may have underflowed, and the factor may be large.
            if temporary[below + SIZE_G] > 0.0:
                more_g += UNDERFLOW
            if temporary[below + SIZE_W] > 0.0:
                more_w += UNDERFLOW
            touched_g, touched_w = touched_g or more_g > 0.0, touched_w or more_w > 0.0
            error_g += abs(factor) * more_g
            error_w += abs(factor) * more_w
            slot = coupling + open_ints[ACTIVE_SHIFT, j]
            for c in range(open_ints[ACTIVE_COLUMNS, j]):
                target[slot + c] += factor * temporary[below + COUPLED + c]
        error_g = (error_g + rounding * kept_g) * ROUND_UP + (UNDERFLOW if touched_g or kept_g > 0.0 else 0.0)
        error_w = (error_w + rounding * kept_w) * ROUND_UP + (UNDERFLOW if touched_w or kept_w > 0.0 else 0.0)
        size_g, size_w = abs(x) + abs(y), abs(one)
        below_g = below_w = 0.0
        for j in range(shift, open_end):
            below = open_ints[OPEN_AT, j]
            below_g += reals[below + SIZE_G]
            below_w += reals[below + SIZE_W]
            size_g += abs(target[coupling + j]) * reals[below + SIZE_G]
            size_w += abs(target[coupling + j]) * reals[below + SIZE_W]
        # A coupling that underflowed is multiplied by the size of what it couples to.
        error_g += UNDERFLOW * below_g
        error_w += UNDERFLOW * below_w
    target[at + X], target[at + Y], target[at + ONE] = x, y, one
    target[at + ERROR_G], target[at + ERROR_W] = error_g, error_w
    target[at + SIZE_G] = (size_g + error_g) * ROUND_UP + (UNDERFLOW if touched_g else 0.0)
    target[at + SIZE_W] = (size_w + error_w) * ROUND_UP + (UNDERFLOW if touched_w else 0.0)
