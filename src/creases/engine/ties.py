"""Signs that floats cannot prove by a bound because they are zero: three lines through one point, decided exactly.

Where three forms are exact (their bounds are zero, as in networks with small whole weights), the sign of one at the
corner between the two others is that of a determinant of nine floats. A sum of products of floats is a sum of floats
without error (Dekker's product, Knuth's sum), and such a sum is brought into a form that shows its sign (Shewchuk,
Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997).
"""

from __future__ import annotations

from creases.engine.doubled import two_product, two_sum
from creases.engine.kernel import kernel
from creases.engine.signs import NEGATIVE, POSITIVE, UNPROVED, ZERO
from creases.engine.work import Floats

__all__ = ["exact_sign_at_corner", "exact_sign_at_zero"]

# Products of three numbers between these neither overflow nor lose a bit to underflow: the lowest bit of a product of
# three floats stands 3 * 53 below its highest.
SMALLEST, LARGEST = 2.0**-250, 2.0**250


@kernel
def exact_sign_at_corner(
    scratch: Floats,
    at: int,
    f0: float,
    f1: float,
    f2: float,
    g0: float,
    g1: float,
    g2: float,
    h0: float,
    h1: float,
    h2: float,
) -> int:
    """Sign of the form h where the lines of f and g meet: the sign of the determinant of the three, which are exact.

    f, g : inward forms of two edges in counter-clockwise order, so that their turn is positive.
    scratch, at : SCRATCH free places; an expansion has 24 terms at most. UNPROVED if a number is too large or small.
    """
    if not (in_range(f0, f1, f2) and in_range(g0, g1, g2) and in_range(h0, h1, h2)):
        return UNPROVED
    terms = add_minor(scratch, at, 0, f1, g2, f2, g1, h0)
    terms = add_minor(scratch, at, terms, f2, g0, f0, g2, h1)
    terms = add_minor(scratch, at, terms, f0, g1, f1, g0, h2)
    return sign_of_sum(scratch, at, terms)


@kernel
def exact_sign_at_zero(scratch: Floats, at: int, f0: float, f1: float, h0: float, h1: float) -> int:
    """Sign of the form h at the zero of f on a line, both exact: that of (h1 f0 - h0 f1) / f0."""
    if not (in_range(f0, f1, 1.0) and in_range(h0, h1, 1.0)) or f0 == 0.0:
        return UNPROVED
    hi, lo = two_product(h1, f0)
    terms = grow(scratch, at, grow(scratch, at, 0, lo), hi)
    hi, lo = two_product(-h0, f1)
    terms = grow(scratch, at, grow(scratch, at, terms, lo), hi)
    sign = sign_of_sum(scratch, at, terms)
    return sign if f0 > 0.0 else -sign


@kernel
def in_range(x: float, y: float, z: float) -> bool:
    """Whether three numbers are zero or of a size whose products are exact. A NaN is not."""
    largest = max(abs(x), abs(y), abs(z))
    small = (x == 0.0 or abs(x) >= SMALLEST) and (y == 0.0 or abs(y) >= SMALLEST) and (z == 0.0 or abs(z) >= SMALLEST)
    return largest <= LARGEST and small and x == x and y == y and z == z


@kernel
def add_minor(scratch: Floats, at: int, terms: int, a: float, b: float, c: float, d: float, h: float) -> int:
    """Add (a b - c d) h to an expansion; returns its number of terms."""
    if h == 0.0:
        return terms
    for sign, first, second in ((1.0, a, b), (-1.0, c, d)):
        hi, lo = two_product(sign * first, second)
        top, rest = two_product(hi, h)
        terms = grow(scratch, at, grow(scratch, at, terms, rest), top)
        top, rest = two_product(lo, h)
        terms = grow(scratch, at, grow(scratch, at, terms, rest), top)
    return terms


@kernel
def grow(scratch: Floats, at: int, terms: int, value: float) -> int:
    """Add a float to an expansion: numbers that do not overlap, smallest first, with no zeros among them."""
    kept = 0
    for i in range(terms):
        value, rest = two_sum(value, scratch[at + i])
        if rest != 0.0:
            scratch[at + kept] = rest
            kept += 1
    if value != 0.0:
        scratch[at + kept] = value
        kept += 1
    return kept


@kernel
def sign_of_sum(scratch: Floats, at: int, terms: int) -> int:
    """The sign of an expansion is that of its largest number, the last one."""
    if terms == 0:
        return ZERO
    return POSITIVE if scratch[at + terms - 1] > 0.0 else NEGATIVE
