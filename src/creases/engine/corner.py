"""Where d facets meet: a corner of a polytope with a bound on its error that has no memory of the past.

The corner solves A x + w = 0, the rows of A and w being the facets' forms. However x was found, and with B any matrix
of floats (here: the computed inverse), the true corner x* has

    x - x* = B A (x - x*) + (I - B A) (x - x*),      |a_i . (x - x*)| <= |a_i . x + w_i| + E_g (|x| + |x - x*|) + E_w,

the second because the true form h*_i vanishes at x*, up to what the row's pair of bounds says. So with
r = max_c sum |I - B A| and g = max_c sum_i |B_ci| E_g,i the largest error e of a coordinate obeys

    e (1 - r - g)  <=  max_c sum_i |B_ci| ( |a_i . x + w_i| + E_g,i |x| + E_w,i ),

and residuals enter with their rounding, d + 3 units of |a| . |x| + |w|. A corner of more than d facets takes the d
that elimination with full pivoting finds most independent.
"""

from __future__ import annotations

import numpy as np

from creases.engine.bounds import PROOFS, ROUND_UP, UNDERFLOW, UNIT
from creases.engine.kernel import kernel
from creases.engine.work import (
    FACET_TAIL,
    Floats,
    Ints,
)

__all__ = ["place_corner"]


@kernel
def place_corner(
    slots: Ints, facet_reals: Floats, sums: Floats, points: Floats, d: int, mask: int, simple: bool, v: int
) -> None:
    """Write the corner on the facets of `mask` to column v of `points` (d + 1, corners): coordinates and error.

    sums : room for 4 d^2 + 4 d numbers.
    """
    wide, rest = d + FACET_TAIL, mask
    matrix, inverse, chosen = 0, d * d, 4 * d * d
    if simple:
        for i in range(d):
            sums[chosen + i] = slots[lowest_bit(rest)] * wide
            rest &= rest - 1
    else:
        choose_rows(slots, facet_reals, sums, d, mask)
    for i in range(d):
        at = int(sums[chosen + i])
        for c in range(d):
            sums[matrix + i * d + c] = facet_reals[at + c]
            sums[inverse + i * d + c] = 1.0 if i == c else 0.0
    if not invert(sums, matrix, inverse, d):
        points[d, v] = np.inf
        return
    solution = chosen + d
    for c in range(d):
        value = 0.0
        for i in range(d):
            value -= sums[inverse + c * d + i] * facet_reals[int(sums[chosen + i]) + d]
        sums[solution + c] = value
    refine(facet_reals, sums, inverse, chosen, solution, d)
    error = error_of(facet_reals, sums, inverse, chosen, solution, d) if PROOFS else 0.0
    for c in range(d):
        points[c, v] = sums[solution + c] if error < np.inf else 0.0
    points[d, v] = error


@kernel
def lowest_bit(mask: int) -> int:
    """The place of the lowest bit that is set; the mask is not zero."""
    place, rest = 0, mask
    for step in (32, 16, 8, 4, 2, 1):
        if rest & ((1 << step) - 1) == 0:
            rest >>= step
            place += step
    return place


@kernel
def choose_rows(slots: Ints, facet_reals: Floats, sums: Floats, d: int, mask: int) -> None:
    """Choose d facets of a corner that lies on more: where they begin goes behind the matrices in `sums`.

    Orthogonalise: of the rows left take the one that is longest, each in units of its own length, once its part along
    those that were taken is gone.
    """
    wide, chosen, taken = d + FACET_TAIL, 4 * d * d, 2 * d * d
    for i in range(d):
        best, best_at = -1.0, 0
        rest = mask
        while rest:
            at = slots[lowest_bit(rest)] * wide
            rest &= rest - 1
            length = left = 0.0
            for c in range(d):
                length += facet_reals[at + c] * facet_reals[at + c]
            for c in range(d):
                value = facet_reals[at + c]
                for k in range(i):
                    inner = 0.0
                    for b in range(d):
                        inner += sums[taken + k * d + b] * facet_reals[at + b]
                    value -= inner * sums[taken + k * d + c]
                left += value * value
            if length > 0.0 and left / length > best:
                best, best_at = left / length, at
        sums[chosen + i] = best_at
        norm = 0.0
        for c in range(d):
            value = facet_reals[best_at + c]
            for k in range(i):
                inner = 0.0
                for b in range(d):
                    inner += sums[taken + k * d + b] * facet_reals[best_at + b]
                value -= inner * sums[taken + k * d + c]
            sums[taken + i * d + c] = value
            norm += value * value
        norm = np.sqrt(norm)
        for c in range(d):
            sums[taken + i * d + c] /= norm


@kernel
def invert(sums: Floats, matrix: int, inverse: int, d: int) -> bool:
    """Gauss and Jordan with partial pivoting; the matrix is lost, the identity at `inverse` becomes its inverse."""
    for column in range(d):
        pivot, most = column, abs(sums[matrix + column * d + column])
        for i in range(column + 1, d):
            size = abs(sums[matrix + i * d + column])
            if size > most:
                pivot, most = i, size
        if not most > 0.0:
            return False
        for c in range(d):
            here, there = matrix + column * d + c, matrix + pivot * d + c
            sums[here], sums[there] = sums[there], sums[here]
            here, there = inverse + column * d + c, inverse + pivot * d + c
            sums[here], sums[there] = sums[there], sums[here]
        factor = 1.0 / sums[matrix + column * d + column]
        for c in range(d):
            sums[matrix + column * d + c] *= factor
            sums[inverse + column * d + c] *= factor
        for i in range(d):
            factor = sums[matrix + i * d + column]
            if i != column and factor != 0.0:
                for c in range(d):
                    sums[matrix + i * d + c] -= factor * sums[matrix + column * d + c]
                    sums[inverse + i * d + c] -= factor * sums[inverse + column * d + c]
    return True


@kernel
def refine(facet_reals: Floats, sums: Floats, inverse: int, chosen: int, solution: int, d: int) -> None:
    """One Newton step: x -= B (A x + w)."""
    residual = solution + d
    for i in range(d):
        at = int(sums[chosen + i])
        value = facet_reals[at + d]
        for c in range(d):
            value += facet_reals[at + c] * sums[solution + c]
        sums[residual + i] = value
    for c in range(d):
        for i in range(d):
            sums[solution + c] -= sums[inverse + c * d + i] * sums[residual + i]


@kernel
def error_of(facet_reals: Floats, sums: Floats, inverse: int, chosen: int, solution: int, d: int) -> float:
    """The bound of the module's first lines; infinity if it is no proof."""
    size = 0.0
    for c in range(d):
        # Each number is looked at by itself: a maximum may lose a NaN.
        if not abs(sums[solution + c]) < np.inf:
            return np.inf
        size = max(size, abs(sums[solution + c]))
    residual = solution + d
    for i in range(d):
        at = int(sums[chosen + i])
        value, total = facet_reals[at + d], abs(facet_reals[at + d])
        for c in range(d):
            product = facet_reals[at + c] * sums[solution + c]
            value += product
            total += abs(product)
        left = abs(value) + (d + 3.0) * UNIT * total + facet_reals[at + d + 1] * size + facet_reals[at + d + 2]
        sums[residual + i] = left * ROUND_UP + (UNDERFLOW if size > 0.0 or facet_reals[at + d] != 0.0 else 0.0)
    most = away = grown = 0.0
    for c in range(d):
        above = below = 0.0
        for i in range(d):
            factor = abs(sums[inverse + c * d + i])
            above += factor * sums[residual + i]
            below += factor * facet_reals[int(sums[chosen + i]) + d + 1]
        off = 0.0
        for b in range(d):
            value, total = (1.0 if b == c else 0.0), 1.0
            for i in range(d):
                product = sums[inverse + c * d + i] * facet_reals[int(sums[chosen + i]) + b]
                value -= product
                total += abs(product)
            off += abs(value) + (d + 3.0) * UNIT * total
        if not above + below + off < np.inf:
            return np.inf
        most, away, grown = max(most, above), max(away, off), max(grown, below)
    trusted = 1.0 - (away + grown) * ROUND_UP
    if not trusted > 2.0**-20:
        return np.inf
    error = most / trusted * ROUND_UP
    if most > 0.0:
        error += UNDERFLOW
    return error if error < np.inf else np.inf
