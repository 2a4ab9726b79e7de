"""Where d facets meet: a corner of a polytope with a bound on its error that has no memory of the past.

The corner solves A x + w = 0, the rows of A and w being the facets' forms. However x was found, and with B any matrix
of floats (here: the computed inverse), the true corner x* has

    x - x* = B A (x - x*) + (I - B A) (x - x*),      |a_i . (x - x*)| <= |a_i . x + w_i| + E_g (|x| + |x - x*|) + E_w,

the second because the true form h*_i vanishes at x*, up to what the row's pair of bounds says. So with
r = max_c sum |I - B A| and g = max_c sum_i |B_ci| E_g,i the largest error e of a coordinate obeys

    e (1 - r - g)  <=  max_c sum_i |B_ci| ( |a_i . x + w_i| + E_g,i |x| + E_w,i ),

and residuals enter with their rounding, d + 3 units of |a| . |x| + |w|. A corner of more than d facets takes the d
that elimination with full pivoting finds most independent.

What is compared: 1 - r - g with 2^-20. Both r and g are sums of at most d (d + 1) numbers that are not negative, which
ROUND_UP covers, so 1 - r - g is known up to a unit, that is up to 2^-33 of itself; and ROUND_UP on the quotient pays
for that. All else that is wrong, overflows first, makes r, g or a residual infinite or NaN, and then nothing is proved.
"""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import PROOFS, ROUND_UP, UNDERFLOW, UNIT
from creases.engine.state.cell_layout import (
    FACET_TAIL,
)

__all__ = ["are_independent", "place_corner", "place_opposite_corners"]

# Stands for where a facet begins, if there is none to choose.
NO_FACET = -1


@kernel
def place_corner(facet_reals: Floats, sums: Floats, points: Floats, d: int, on: Ints, facets: int, v: int) -> None:
    """Write the corner where some kept facets meet to column v of `points` (d + 1, corners): coordinates and error.

    sums : room for 4 d^2 + 4 d numbers. on : int64 (facets,) or longer, the facets.
    """
    if facets == 3 and d == 3:
        place_corner_of_three(facet_reals, points, on[0] * 6, on[1] * 6, on[2] * 6, v)
        if points[d, v] < np.inf:
            return
        # Products of three small or large gradients under- or overflow; quotients below need not.
    chosen, independent = 4 * d * d, True
    if facets == d:
        for i in range(d):
            sums[chosen + i] = on[i] * (d + FACET_TAIL)
    else:
        independent = choose_rows(facet_reals, sums, d, on, facets, 0, 0)
    error = meeting_of_chosen(facet_reals, sums, d) if independent else np.inf
    for c in range(d):
        points[c, v] = sums[chosen + d + c] if error < np.inf else 0.0
    points[d, v] = error


@kernel
def place_opposite_corners(facet_reals: Floats, sums: Floats, points: Floats, d: int, on: Ints) -> None:
    """Write the corners of a simplex, each opposite to one of its d + 1 facets. on : int64 (d,), room."""
    for v in range(d + 1):
        for i in range(d):
            on[i] = i if i < v else i + 1
        place_corner(facet_reals, sums, points, d, on, d, v)


@kernel
def are_independent(facet_reals: Floats, sums: Floats, d: int, on: Ints, facets: int, wanted: int, rank: int) -> bool:
    """Whether floats prove that among the first `wanted` of a corner's facets there are `rank` independent ones."""
    return (
        choose_rows(facet_reals, sums, d, on, facets, wanted, rank) and meeting_of_chosen(facet_reals, sums, d) < np.inf
    )


@kernel
def meeting_of_chosen(facet_reals: Floats, sums: Floats, d: int) -> float:
    """Where the d chosen facets meet, to `sums` behind the choice; returns the bound on its error. If it is finite the
    facets are independent: B A = I up to less than one, whatever the true A is.
    """
    matrix, inverse, chosen = 0, d * d, 4 * d * d
    for i in range(d):
        at = int(sums[chosen + i])
        for c in range(d):
            sums[matrix + i * d + c] = facet_reals[at + c]
            sums[inverse + i * d + c] = 1.0 if i == c else 0.0
    if not invert(sums, matrix, inverse, d):
        return np.inf
    solution = chosen + d
    for c in range(d):
        value = 0.0
        for i in range(d):
            value -= sums[inverse + c * d + i] * facet_reals[int(sums[chosen + i]) + d]
        sums[solution + c] = value
    refine(facet_reals, sums, inverse, chosen, solution, d)
    return error_of(facet_reals, sums, inverse, chosen, solution, d) if PROOFS else 0.0


@kernel
def place_corner_of_three(facet_reals: Floats, points: Floats, f: int, g: int, h: int, v: int) -> None:
    """`place_corner` where three facets meet, which begin at f, g and h: the same bound, with the inverse by cross
    products, in registers.

    The columns of the inverse are b_i = (a_j x a_k) / det; what is lost in them is in I - B A, which is computed.
    """
    f0, f1, f2, f3 = facet_reals[f], facet_reals[f + 1], facet_reals[f + 2], facet_reals[f + 3]
    g0, g1, g2, g3 = facet_reals[g], facet_reals[g + 1], facet_reals[g + 2], facet_reals[g + 3]
    h0, h1, h2, h3 = facet_reals[h], facet_reals[h + 1], facet_reals[h + 2], facet_reals[h + 3]
    p0, p1, p2 = cross(g0, g1, g2, h0, h1, h2)
    q0, q1, q2 = cross(h0, h1, h2, f0, f1, f2)
    r0, r1, r2 = cross(f0, f1, f2, g0, g1, g2)
    one = 1.0 / (f0 * p0 + f1 * p1 + f2 * p2)
    p0, p1, p2, q0, q1, q2 = p0 * one, p1 * one, p2 * one, q0 * one, q1 * one, q2 * one
    r0, r1, r2 = r0 * one, r1 * one, r2 * one
    x, y, z = -(p0 * f3 + q0 * g3 + r0 * h3), -(p1 * f3 + q1 * g3 + r1 * h3), -(p2 * f3 + q2 * g3 + r2 * h3)
    size = max(abs(x), abs(y), abs(z))
    error = 0.0
    if PROOFS:
        f_left = residual(f0, f1, f2, f3, facet_reals[f + 4], facet_reals[f + 5], x, y, z, size)
        g_left = residual(g0, g1, g2, g3, facet_reals[g + 4], facet_reals[g + 5], x, y, z, size)
        h_left = residual(h0, h1, h2, h3, facet_reals[h + 4], facet_reals[h + 5], x, y, z, size)
        f_g, g_g, h_g = facet_reals[f + 4], facet_reals[g + 4], facet_reals[h + 4]
        away = max(
            off(p0, q0, r0, f0, g0, h0, 1.0) + off(p0, q0, r0, f1, g1, h1, 0.0) + off(p0, q0, r0, f2, g2, h2, 0.0),
            off(p1, q1, r1, f0, g0, h0, 0.0) + off(p1, q1, r1, f1, g1, h1, 1.0) + off(p1, q1, r1, f2, g2, h2, 0.0),
            off(p2, q2, r2, f0, g0, h0, 0.0) + off(p2, q2, r2, f1, g1, h1, 0.0) + off(p2, q2, r2, f2, g2, h2, 1.0),
        )
        p, q, r = max(abs(p0), abs(p1), abs(p2)), max(abs(q0), abs(q1), abs(q2)), max(abs(r0), abs(r1), abs(r2))
        above, below = p * f_left + q * g_left + r * h_left, p * f_g + q * g_g + r * h_g
        trusted = 1.0 - (away + below) * ROUND_UP
        # The products above may have underflowed: what is left of a facet says whether the corner is exact.
        error = above / trusted * ROUND_UP + (UNDERFLOW if f_left > 0.0 or g_left > 0.0 or h_left > 0.0 else 0.0)
        # A maximum may lose a NaN, a sum does not.
        total = x + y + z + p0 + p1 + p2 + q0 + q1 + q2 + r0 + r1 + r2 + away + above
        if not (trusted > 2.0**-20 and abs(total) < np.inf and error < np.inf):
            error = np.inf
    known = error < np.inf
    points[0, v], points[1, v], points[2, v] = x if known else 0.0, y if known else 0.0, z if known else 0.0
    points[3, v] = error


@inlined
def cross(a0: float, a1: float, a2: float, b0: float, b1: float, b2: float) -> tuple[float, float, float]:
    """The cross product."""
    return a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0


@inlined
def residual(
    f0: float, f1: float, f2: float, f3: float, f_g: float, f_w: float, x: float, y: float, z: float, size: float
) -> float:
    """What a facet's true form may be at the computed corner: its value, rounding and bounds; 6 units for d = 3."""
    a, b, c = f0 * x, f1 * y, f2 * z
    left = abs(a + b + c + f3) + 6.0 * UNIT * (abs(a) + abs(b) + abs(c) + abs(f3)) + f_g * size + f_w
    return left * ROUND_UP + (UNDERFLOW if size > 0.0 or f3 != 0.0 else 0.0)


@inlined
def off(p: float, q: float, r: float, f: float, g: float, h: float, one: float) -> float:
    """One entry of I - B A in size, with its rounding."""
    a, b, c = p * f, q * g, r * h
    return abs(one - a - b - c) + 6.0 * UNIT * (1.0 + abs(a) + abs(b) + abs(c))


@kernel
def choose_rows(facet_reals: Floats, sums: Floats, d: int, on: Ints, facets: int, wanted: int, rank: int) -> bool:
    """Choose d facets of a corner that lies on more: where they begin goes behind the matrices in `sums`. False if
    there are no d that floats find independent; those that it finds are still to be proved so (`meeting_of_chosen`).

    wanted, rank : the first `rank` of them are chosen among so many of the first facets.

    Orthogonalise: of the rows left take the one that is longest, each in units of its own length, once its part along
    those that were taken is gone. A row is divided by its largest entry before it is squared, so that a length is at
    least one and at most d whatever its size; one with no gradient, or with one that is not finite, is no choice.
    """
    wide, chosen, taken = d + FACET_TAIL, 4 * d * d, 2 * d * d
    for i in range(d):
        best, best_at = 0.0, NO_FACET
        for k in range(wanted if i < rank else facets):
            at = on[k] * wide
            length = scale_row(facet_reals, sums, at, d)
            left = 0.0
            for c in range(d):
                value = part_left(sums, taken, i, c, d)
                left += value * value
            if left / length > best:  # NaN is not: a row without a length
                best, best_at = left / length, at
        if best_at == NO_FACET:
            return False
        sums[chosen + i] = best_at
        scale_row(facet_reals, sums, best_at, d)
        norm = 0.0
        for c in range(d):
            value = part_left(sums, taken, i, c, d)
            sums[taken + i * d + c] = value
            norm += value * value
        norm = np.sqrt(norm)
        for c in range(d):
            sums[taken + i * d + c] /= norm
    return True


@kernel
def scale_row(facet_reals: Floats, sums: Floats, at: int, d: int) -> float:
    """Write a facet's gradient to `sums`, behind the vectors that were taken, divided by its largest entry; returns the
    square of its length then, NaN if it has none."""
    row, most, length = 3 * d * d, 0.0, 0.0
    for c in range(d):
        most = max(most, abs(facet_reals[at + c]))
    for c in range(d):
        value = facet_reals[at + c] / most  # 0 / 0, or inf / inf, or NaN itself, which the maximum may have lost
        sums[row + c] = value
        length += value * value
    return length


@kernel
def part_left(sums: Floats, taken: int, i: int, c: int, d: int) -> float:
    """Coordinate c of the scaled gradient (`scale_row`) without its part along the i unit vectors that were taken."""
    row = 3 * d * d
    value = sums[row + c]
    for k in range(i):
        inner = 0.0
        for b in range(d):
            inner += sums[taken + k * d + b] * sums[row + b]
        value -= inner * sums[taken + k * d + c]
    return value


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
    residual, exact = solution + d, True
    for i in range(d):
        at = int(sums[chosen + i])
        value, total = facet_reals[at + d], abs(facet_reals[at + d])
        for c in range(d):
            product = facet_reals[at + c] * sums[solution + c]
            value += product
            total += abs(product)
        left = abs(value) + (d + 3.0) * UNIT * total + facet_reals[at + d + 1] * size + facet_reals[at + d + 2]
        sums[residual + i] = left * ROUND_UP + (UNDERFLOW if size > 0.0 or facet_reals[at + d] != 0.0 else 0.0)
        exact = exact and sums[residual + i] == 0.0
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
    if not exact:  # `most` may have underflowed
        error += UNDERFLOW
    return error if error < np.inf else np.inf
