"""Exact zeros in space: rows without rounding that vanish at a corner between facets without rounding.

Networks of small whole weights have forms that no bound surrounds (`exact_layers`), and corners at which many of them
meet. There a form is zero if the determinant of it and of d independent facets is. All entries of a row are whole
multiples of a power of two, so the determinant is a whole number once each row is divided by its own. It is zero if it
is zero modulo so many primes that their product exceeds its size, for which the product of the rows' sums of absolute
values is a bound. Modulo a prime nothing overflows and nothing rounds. A determinant that is not zero tells no sign:
that is left to others.
"""

from __future__ import annotations

import math

import numpy as np

from creases.engine.kernel import kernel
from creases.engine.problem import Floats, Ints
from creases.engine.proof.bounds import is_exact
from creases.engine.state.cell_layout import CELL, FACET_TAIL, MOST_FACETS
from creases.engine.state.network_layout import FORM, ONE
from creases.engine.state.slots import DIMENSION
from creases.engine.state.work import SpaceWork

__all__ = ["is_exact_zero"]

# Primes just below 2^31: products of two residues fit into 62 bits. Each of them is above 2^30.99.
BELOW = (1, 19, 61, 69, 85, 99, 105, 151, 159, 171, 225, 249)
BELOW_TOO = (295, 325, 379, 399, 411, 469, 477, 511, 525, 571, 579, 589)
PRIMES = np.array([2**31 - less for less in (*BELOW, *BELOW_TOO)])
BITS_A_PRIME = 30.99
# Entries beyond these are left to others; and whole entries are below 2^62.
SMALLEST, LARGEST = 2.0**-900, 2.0**900
MOST_BITS = 62


@kernel
def is_exact_zero(work: SpaceWork, at: int, v: int) -> bool:
    """Whether the exact row at `at` in `reals` is proved to vanish at corner v of the current cell."""
    d, mask, wide = work.state[DIMENSION], work.masks[CELL, v], work.state[DIMENSION] + FACET_TAIL
    whole, k = work.residues, work.state[DIMENSION] + 1
    size, square, chosen = 0.0, (d + 1) * (d + 1), 0
    for place in range(MOST_FACETS):
        if chosen == d or mask >> place & 1 == 0:
            continue
        begin = work.slots[place] * wide
        if not is_exact(work.facet_reals[begin + k], work.facet_reals[begin + k + 1]):
            continue
        bits = write_whole(work.facet_reals, begin, d, begin + d, whole, chosen * k)
        if bits < 0.0:
            continue
        if rank_with(whole, square, k, chosen + 1) > chosen:
            chosen += 1
            size += bits
    if chosen < d:
        return False
    bits = write_whole(work.reals, at + FORM, d, at + ONE, whole, d * k)
    if bits < 0.0:
        return False
    left = size + bits + 1.0
    for i in range(PRIMES.size):
        if left <= 0.0:
            return True
        if not is_singular(whole, square, k, PRIMES[i]):
            return False
        left -= BITS_A_PRIME
    return left <= 0.0


@kernel
def write_whole(numbers: Floats, begin: int, d: int, one: int, whole: Ints, target: int) -> float:
    """Write a form as whole numbers without a common factor of two: d numbers from `begin` on, and the one at `one`.

    Returns a bound on log2 of the sum of their sizes, at least 0; -1.0 if they are too large or too small, or no
    numbers. log2 and the sum round by less than a part in 10^10, which is added.
    """
    finest, coarsest = 2000, -2000
    for c in range(d + 1):
        value = abs(numbers[begin + c] if c < d else numbers[one])
        if value == 0.0:
            continue
        if not SMALLEST < value < LARGEST:  # NaN lands here
            return -1.0
        mantissa, exponent = math.frexp(value)
        bits = np.int64(mantissa * 2.0**53)
        _, lowest = math.frexp(np.float64(bits & -bits))
        finest, coarsest = min(finest, exponent - 53 + lowest - 1), max(coarsest, exponent)
    if coarsest - finest > MOST_BITS:
        return -1.0
    total = 0.0
    for c in range(d + 1):
        value = numbers[begin + c] if c < d else numbers[one]
        if value != 0.0:
            value = math.ldexp(value, -finest)
        whole[target + c] = np.int64(value)
        total += abs(value)
    return math.log2(max(total, 1.0)) * (1.0 + 1e-10) + 1e-10


@kernel
def rank_with(whole: Ints, room: int, k: int, rows: int) -> int:
    """The rank of the first rows modulo the first prime: as many of them at least are independent."""
    return eliminated(whole, room, k, rows, PRIMES[0])


@kernel
def is_singular(whole: Ints, room: int, k: int, prime: int) -> bool:
    """Whether the determinant of k rows is zero modulo a prime."""
    return eliminated(whole, room, k, k, prime) < k


@kernel
def eliminated(whole: Ints, room: int, k: int, rows: int, prime: int) -> int:
    """The rank modulo a prime of some rows of k whole numbers; worked out behind `room`.

    Rows are multiplied by numbers that are not zero instead of divided, which leaves the rank.
    """
    for i in range(rows * k):
        whole[room + i] = whole[i] % prime
    rank = 0
    for column in range(k):
        pivot = -1
        for row in range(rank, rows):
            if whole[room + row * k + column] != 0:
                pivot = row
                break
        if pivot < 0:
            continue
        for c in range(k):
            kept = whole[room + rank * k + c]
            whole[room + rank * k + c] = whole[room + pivot * k + c]
            whole[room + pivot * k + c] = kept
        first = whole[room + rank * k + column]
        for row in range(rank + 1, rows):
            factor = whole[room + row * k + column]
            if factor != 0:
                for c in range(column, k):
                    product = whole[room + row * k + c] * first % prime
                    whole[room + row * k + c] = (product - whole[room + rank * k + c] * factor % prime) % prime
        rank += 1
        if rank == rows:
            break
    return rank
