"""Exact zeros in space: rows without rounding that vanish at a corner between facets without rounding.

Networks of small whole weights have forms that no bound surrounds (`exact_layers`), and corners at which many of them
meet. There a form is zero if the determinant of it and of d independent facets is. All entries of a row are whole
multiples of a power of two, so the determinant is a whole number once each row is divided by its own. It is zero if it
is zero modulo so many primes that their product exceeds its size, for which the product of the rows' sums of absolute
values is a bound. Modulo a prime nothing overflows and nothing rounds. A determinant that is not zero tells no sign:
that is left to others. The facets are chosen, and reduced one by one, modulo the first prime: d of them that are
independent modulo it are independent.
"""

from __future__ import annotations

import math

import numpy as np

from creases.engine.kernel import kernel
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import is_exact
from creases.engine.state.cell_layout import CELL, FACET_TAIL
from creases.engine.state.facet_masks import list_facets, mask_words
from creases.engine.state.network_layout import FORM, ONE
from creases.engine.state.slots import DIMENSION, PLACES
from creases.engine.state.work import SpaceWork

__all__ = ["is_exact_zero"]

# Primes just below 2^31: products of two residues fit into 62 bits. Each of them is above 2^30.99.
BELOW = (1, 19, 61, 69, 85, 99, 105, 151, 159, 171, 225, 249)
BELOW_TOO = (295, 325, 379, 399, 411, 469, 477, 511, 525, 571, 579, 589)
PRIMES = np.array([2**31 - less for less in (*BELOW, *BELOW_TOO)])
BITS_A_PRIME = 30.99
# Entries beyond these are left to others; and whole entries are below 2^62.
SMALLEST, LARGEST = 2.0**-900, 2.0**900
MOST_WHOLE_BITS = 62
# What `write_whole` answers where it writes nothing that counts.
NOT_WHOLE = -1.0


@kernel
def is_exact_zero(work: SpaceWork, at: int, v: int) -> bool:
    """Whether the exact row at `at` in `reals` is proved to vanish at corner v of the current cell."""
    d, wide = work.state[DIMENSION], work.state[DIMENSION] + FACET_TAIL
    facets = list_facets(work.slots, work.masks[CELL], mask_words(work.state[PLACES]), v, work.at_corner)
    whole, k = work.residues, work.state[DIMENSION] + 1
    size, chosen = 0.0, 0
    for i in range(facets):
        if chosen == d:
            break
        begin = work.at_corner[i] * wide
        if not is_exact(work.facet_reals[begin + k], work.facet_reals[begin + k + 1]):
            continue
        bits = write_whole(work.facet_reals, begin, d, begin + d, whole, chosen * k)
        if bits != NOT_WHOLE and reduce_row(whole, chosen, k, PRIMES[0]):
            chosen += 1
            size += bits
    if chosen < d:
        return False
    bits = write_whole(work.reals, at + FORM, d, at + ONE, whole, d * k)
    if bits == NOT_WHOLE or reduce_row(whole, d, k, PRIMES[0]):
        return False
    left = size + bits + 1.0 - BITS_A_PRIME
    for i in range(1, PRIMES.size):
        if left <= 0.0:
            return True
        if not is_singular(whole, k, PRIMES[i]):
            return False
        left -= BITS_A_PRIME
    return left <= 0.0


@kernel
def write_whole(numbers: Floats, begin: int, d: int, one: int, whole: Ints, target: int) -> float:
    """Write a form as whole numbers without a common factor of two: d numbers from `begin` on, and the one at `one`.

    Returns a bound on log2 of the sum of their sizes, at least 0; NOT_WHOLE if they are too large or too small, or
    no numbers. log2 and the sum round by less than a part in 10^10, which is added.
    """
    finest, coarsest = 2000, -2000
    for c in range(d + 1):
        value = abs(numbers[begin + c] if c < d else numbers[one])
        if value == 0.0:
            continue
        if not SMALLEST < value < LARGEST:  # NaN lands here
            return NOT_WHOLE
        mantissa, exponent = math.frexp(value)
        bits = np.int64(mantissa * 2.0**53)
        _, lowest = math.frexp(np.float64(bits & -bits))
        finest, coarsest = min(finest, exponent - 53 + lowest - 1), max(coarsest, exponent)
    if coarsest - finest > MOST_WHOLE_BITS:
        return NOT_WHOLE
    total = 0.0
    for c in range(d + 1):
        value = numbers[begin + c] if c < d else numbers[one]
        if value != 0.0:
            value = math.ldexp(value, -finest)
        whole[target + c] = np.int64(value)
        total += abs(value)
    return math.log2(max(total, 1.0)) * (1.0 + 1e-10) + 1e-10


@kernel
def is_singular(whole: Ints, k: int, prime: int) -> bool:
    """Whether the determinant of k rows is zero modulo a prime."""
    for row in range(k):  # noqa: SIM110 - kernels have no generators
        if not reduce_row(whole, row, k, prime):
            return True
    return False


@kernel
def reduce_row(whole: Ints, row: int, k: int, prime: int) -> bool:
    """Reduce row `row` of k whole numbers modulo a prime by the rows before it; False if nothing of it is left, because
    it depends on them.

    Reduced rows stand behind k rows. Those before this one are reduced already, and none is zero. Each is zero in the
    leading columns of all before it, so a row that is reduced by one after the other stays zero there. Rows are
    multiplied by numbers that are not zero instead of divided, which leaves the rank.
    """
    ours = (k + row) * k
    for c in range(k):
        whole[ours + c] = whole[row * k + c] % prime
    for before in range(row):
        theirs = (k + before) * k
        column = leading_column(whole, theirs, k)
        factor, first = whole[ours + column], whole[theirs + column]
        if factor != 0:
            for c in range(k):
                product = whole[ours + c] * first % prime
                whole[ours + c] = (product - whole[theirs + c] * factor % prime) % prime
    return leading_column(whole, ours, k) < k


@kernel
def leading_column(whole: Ints, at: int, k: int) -> int:
    """The first column in which a row is not zero; k if it is zero everywhere."""
    column = 0
    while column < k and whole[at + column] == 0:
        column += 1
    return column
