"""Signs that floats cannot prove by a bound because they are zero: three lines through one point, decided exactly.

Where three forms are exact (their bounds are zero, as in networks with small whole weights), the sign of one at the
corner between the two others is that of a determinant of nine floats. A sum of products of floats is a sum of floats
without error (Dekker's product, Knuth's sum), and such a sum is brought into a form that shows its sign (Shewchuk,
Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997).

Numba compiles this again into every kernel above it, so it is written as small loops.
"""

from __future__ import annotations

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Floats
from creases.engine.proof.doubled import two_product, two_sum
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO

__all__ = ["exact_sign_at_corner", "exact_sign_at_zero"]

# The scratch holds nine numbers, then the terms of the sum (a 3 x 3 determinant has 24), then the sum.
TERMS, SUM = 10, 36

# Products of three numbers between these neither overflow nor lose a bit to underflow: the lowest bit of a product of
# three floats stands at most 3 * 53 below its highest, so above 2^(-750 - 159), and 24 of them and what splits them
# (2^28 times a product of two) stay below 2^755. The numbers themselves are compared with the limits, nothing computed.
SMALLEST_FACTOR, LARGEST_FACTOR = 2.0**-250, 2.0**250


@kernel
def exact_sign_at_corner(scratch: Floats, at: int) -> int:
    """Sign of the form h where the lines of f and g meet: the sign of the determinant of the three, which are exact.

    scratch, at : f, g and h one after the other, three numbers each, and room (`work.SCRATCH`) behind them. f and g are
    inward forms of two edges in counter-clockwise order, so that their turn is positive.
    UNPROVED if a number is too large or too small.
    """
    for i in range(9):
        if not in_range(scratch[at + i]):
            return UNPROVED
    terms = at + TERMS
    for c in range(3):
        for turn in range(2):
            i, j = (c + 1 + turn) % 3, (c + 2 - turn) % 3
            hi, lo = two_product(scratch[at + i], scratch[at + 3 + j])
            h = scratch[at + 6 + c] if turn == 0 else -scratch[at + 6 + c]
            scratch[terms], scratch[terms + 1] = two_product(hi, h)
            scratch[terms + 2], scratch[terms + 3] = two_product(lo, h)
            terms += 4
    return sign_of_sum(scratch, at + TERMS, terms, at + SUM)


@kernel
def exact_sign_at_zero(scratch: Floats, at: int) -> int:
    """Sign of the form h at the zero of f on a line, both exact: that of (h1 f0 - h0 f1) / f0.

    scratch, at : f0, f1, h0, h1, and room behind them. UNPROVED if a number is too large or too small.
    """
    f0 = scratch[at]
    for i in range(4):
        if not in_range(scratch[at + i]):
            return UNPROVED
    terms = at + TERMS
    scratch[terms], scratch[terms + 1] = two_product(scratch[at + 3], f0)
    scratch[terms + 2], scratch[terms + 3] = two_product(-scratch[at + 2], scratch[at + 1])
    sign = sign_of_sum(scratch, terms, terms + 4, at + SUM)
    return sign if f0 > 0.0 else (-sign if f0 < 0.0 else UNPROVED)


@inlined
def in_range(x: float) -> bool:
    """Whether a number is zero or of a size whose products are exact. A NaN is not."""
    return x == 0.0 or SMALLEST_FACTOR <= abs(x) <= LARGEST_FACTOR


@inlined
def sign_of_sum(scratch: Floats, begin: int, end: int, at: int) -> int:
    """The sign of the sum of the numbers from `begin` to `end`, worked out at `at`.

    The numbers there sum to those that were added; they do not overlap, the smallest first, with no zeros among them,
    so the last one says the sign.
    """
    count = 0
    for term in range(begin, end):
        value, kept = scratch[term], 0
        for i in range(count):
            value, rest = two_sum(value, scratch[at + i])
            if rest != 0.0:
                scratch[at + kept] = rest
                kept += 1
        if value != 0.0:
            scratch[at + kept] = value
            kept += 1
        count = kept
    if count == 0:
        return ZERO
    return POSITIVE if scratch[at + count - 1] > 0.0 else NEGATIVE
