"""The levels of a network in integers: their sums, and what a kink makes of these, column by column.

Float weights are fractions whose denominators are powers of two, and an average is a sum divided by an integer. The
numbers of each level have one positive denominator, which does not affect signs. A kink is applied to sums given in
several columns: the k columns of a form, or one column per ray of a point (`exact_network`). Each unit has a state
there: whether it is above its threshold, or which candidate is the largest; the state determines the values of the
level.

The bits of a state: one per neuron; two per unit of a clip (first z > low for all units, then z > high); one per
candidate of a switch, group after group. The number of a wall is the bit of its neuron, or, for two candidates with
bits a < b of one switch, N (1 + b - a) + a, with N bits in total.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from creases.network import Clip, Kink, Level, Max, Operator

__all__ = ["Bits", "ExactLevel", "ExactRows", "ExactWall", "Row", "over_one_denominator"]

Row = Sequence[Any]  # integers, one per column
Bits = bytes  # one byte a bit, 0 or 1
ZERO = fmpz(0)


class ExactRows(NamedTuple):
    """Rows of integers with one positive denominator."""

    rows: list[Row]
    denominator: int


class ExactWall(NamedTuple):
    """A wall of a state: `form` is positive inside. one, other : its bits, which are the same for a neuron.

    may_vanish : whether the state is also correct where the form vanishes identically.
    """

    one: int
    other: int
    form: Row
    may_vanish: bool


def over_one_denominator(*arrays: NDArray[np.float64]) -> tuple[list[list[int]], int]:
    """Arrays of floats as integers with a common denominator: ([flat integers of each array], denominator)."""
    fractions = [[value.as_integer_ratio() for value in array.ravel().tolist()] for array in arrays]
    denominator = max((below for row in fractions for _, below in row), default=1)
    # All denominators are powers of two, so the largest one is a common denominator.
    return [[above * (denominator // below) for above, below in row] for row in fractions], denominator


class ExactMatrix:
    """The matrix of an operator as integers with a common denominator."""

    def __init__(self, operator: Operator) -> None:
        matrix, divisors = operator.matrix, operator.divisors
        self.dense: fmpz_mat | None = None
        if isinstance(matrix, np.ndarray):
            (flat,), self.denominator = over_one_denominator(matrix)
            entries = [flat[i : i + matrix.shape[1]] for i in range(0, len(flat), matrix.shape[1])]
            self._rows = [list(enumerate(row)) for row in entries] if divisors is not None else []
            self.dense = fmpz_mat(entries) if divisors is None else None
        else:
            (flat,), self.denominator = over_one_denominator(matrix.data)
            ends, columns = matrix.indptr.tolist(), matrix.indices.tolist()
            self._rows = [list(zip(columns[a:b], flat[a:b], strict=True)) for a, b in pairwise(ends)]
        if divisors is not None:
            whole = math.lcm(*divisors.tolist())
            self._rows = [
                [(column, entry * (whole // divisor)) for column, entry in row]
                for row, divisor in zip(self._rows, divisors.tolist(), strict=True)
            ]
            self.denominator *= whole

    def times(self, rows: list[Row]) -> list[Row]:
        """The product of the matrix with rows."""
        if self.dense is not None:
            table: list[Row] = [*(self.dense * fmpz_mat([list(row) for row in rows])).table()]
            return table
        products: list[Row] = []
        for entries in self._rows:
            total: Row = [ZERO] * len(rows[0])
            for column, entry in entries:
                total = [a + entry * b for a, b in zip(total, rows[column], strict=True)]
            products.append(total)
        return products


class Bend(Protocol):
    """The exact kink of a level.

    sizes : the number of bits of each neuron or switch.
    """

    sizes: list[int]

    def walls(self, sums: ExactRows, one: Row, bits: Bits) -> Iterator[ExactWall] | None:
        """All walls that may bound the state `bits`, or None if no point has this state. one : the row of the constant
        1."""

    def bits(self, sums: ExactRows, one: Row) -> Bits:
        """The state at a point: the columns are its rays, and the first value that is not zero decides."""

    def values(self, sums: ExactRows, one: Row, bits: Bits) -> ExactRows:
        """The values of the level in the state `bits`."""


class ExactSlopes:
    """Two slopes per unit; units with two different slopes are neurons."""

    def __init__(self, below: NDArray[np.float64], above: NDArray[np.float64]) -> None:
        self._neurons = np.flatnonzero(below != above).tolist()
        (self._below, self._above), self._denominator = over_one_denominator(below, above)
        self.sizes = [1] * len(self._neurons)

    def walls(self, sums: ExactRows, one: Row, bits: Bits) -> Iterator[ExactWall] | None:
        """Each neuron's own form."""
        forms = [sums.rows[unit] for unit in self._neurons]
        return (ExactWall(i, i, signed(form, on), not on) for i, (form, on) in enumerate(zip(forms, bits, strict=True)))

    def bits(self, sums: ExactRows, one: Row) -> Bits:
        """Which neurons are above zero."""
        return bytes(first_sign(sums.rows[unit]) > 0 for unit in self._neurons)

    def values(self, sums: ExactRows, one: Row, bits: Bits) -> ExactRows:
        """Each sum times its slope."""
        slopes = list(self._above)
        for unit, on in zip(self._neurons, bits, strict=True):
            if not on:
                slopes[unit] = self._below[unit]
        rows = [times(slope, row) for slope, row in zip(slopes, sums.rows, strict=True)]
        return ExactRows(rows, sums.denominator * self._denominator)


class ExactClip:
    """low + relu(z - low) - relu(z - high)."""

    def __init__(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        (self._low, self._high), self._denominator = over_one_denominator(low, high)
        self.sizes = [1] * (2 * len(low))

    def beyond(self, sums: ExactRows, one: Row) -> ExactRows:
        """z - low of all units, then z - high."""
        bounds = [times(bound * sums.denominator, one) for bound in (*self._low, *self._high)]
        scaled = [times(self._denominator, row) for row in (*sums.rows, *sums.rows)]
        rows = [less(z, bound) for z, bound in zip(scaled, bounds, strict=True)]
        return ExactRows(rows, sums.denominator * self._denominator)

    def walls(self, sums: ExactRows, one: Row, bits: Bits) -> Iterator[ExactWall] | None:
        """Both bounds of each unit."""
        forms = self.beyond(sums, one).rows
        return (ExactWall(i, i, signed(form, on), not on) for i, (form, on) in enumerate(zip(forms, bits, strict=True)))

    def bits(self, sums: ExactRows, one: Row) -> Bits:
        """Which units are above their bounds."""
        return bytes(first_sign(row) > 0 for row in self.beyond(sums, one).rows)

    def values(self, sums: ExactRows, one: Row, bits: Bits) -> ExactRows:
        """low, z or high."""
        rows, denominator = self.beyond(sums, one)
        n, kept = len(self._low), []
        for i, low in enumerate(self._low):
            value: Row = times(low * sums.denominator, one)
            if bits[i]:
                value = more(value, rows[i])
            if bits[n + i]:
                value = less(value, rows[n + i])
            kept.append(value)
        return ExactRows(kept, denominator)


class ExactMax:
    """The largest candidate of each group, the first among equal ones."""

    def __init__(self, groups: Sequence[Sequence[int]]) -> None:
        self._groups = groups
        self.sizes = [len(group) for group in groups]
        self._firsts = [0, *accumulate(self.sizes)]

    def winners(self, bits: Bits) -> list[int] | None:
        """The index of each group's winner, or None if a group does not have exactly one."""
        places = []
        for first, size in zip(self._firsts, self.sizes, strict=False):
            mine = bits[first : first + size]
            if sum(mine) != 1:
                return None
            places.append(mine.index(1))
        return places

    def walls(self, sums: ExactRows, one: Row, bits: Bits) -> Iterator[ExactWall] | None:
        """The differences between each winner and the others of its group."""
        winners = self.winners(bits)
        return None if winners is None else self.against(sums, winners)

    def against(self, sums: ExactRows, winners: list[int]) -> Iterator[ExactWall]:
        """`walls` for these winners."""
        for group, first, winner in zip(self._groups, self._firsts, winners, strict=False):
            for i, unit in enumerate(group):
                if i != winner:
                    form = less(sums.rows[group[winner]], sums.rows[unit])
                    yield ExactWall(first + min(i, winner), first + max(i, winner), form, winner < i)

    def bits(self, sums: ExactRows, one: Row) -> Bits:
        """The winners."""
        marks = bytearray()
        for group in self._groups:
            best = 0
            for i in range(1, len(group)):
                if first_sign(less(sums.rows[group[i]], sums.rows[group[best]])) > 0:
                    best = i
            marks += bytes(i == best for i in range(len(group)))
        return bytes(marks)

    def values(self, sums: ExactRows, one: Row, bits: Bits) -> ExactRows:
        """The winners' sums."""
        winners = self.winners(bits)
        assert winners is not None
        rows = [sums.rows[group[winner]] for group, winner in zip(self._groups, winners, strict=True)]
        return ExactRows(rows, sums.denominator)


def exact_bend(kink: Kink, n: int) -> Bend:
    """The exact kink of n units."""
    if isinstance(kink, Max):
        return ExactMax(kink.groups)
    if isinstance(kink, Clip):
        low, high = (np.broadcast_to(np.asarray(bound, np.float64), (n,)) for bound in (kink.low, kink.high))
        return ExactClip(low, high)
    below, above = kink.slopes(n)
    return ExactSlopes(below, above)


class ExactLevel:
    """One level. sources : the numbers of its source levels, 0 for the inputs."""

    def __init__(self, level: Level) -> None:
        self.sources = tuple(level.sources)
        self._matrices = [ExactMatrix(operator) for operator in level.sources.values()]
        (self._bias,), self._bias_denominator = over_one_denominator(level.bias)
        self.bend = exact_bend(level.kink, level.n_units)

    def sums(self, values: Sequence[ExactRows], one: Row) -> ExactRows:
        """The sums z, from the values of its sources."""
        pairs = list(zip(self._matrices, values, strict=True))
        denominators = [matrix.denominator * rows.denominator for matrix, rows in pairs]
        whole = math.lcm(self._bias_denominator, *denominators)
        share = whole // self._bias_denominator
        total: list[Row] = [times(bias * share, one) for bias in self._bias]
        for (matrix, below), denominator in zip(pairs, denominators, strict=True):
            factor = whole // denominator
            products = matrix.times(below.rows)
            if factor != 1:
                products = [times(factor, row) for row in products]
            total = [more(a, b) for a, b in zip(total, products, strict=True)]
        return ExactRows(total, whole)


def times(factor: int, row: Row) -> Row:
    """A multiple of a row."""
    if factor == 1:
        return row
    return [factor * value for value in row] if factor else [ZERO] * len(row)


def more(row: Row, other: Row) -> Row:
    """The sum of two rows."""
    return [a + b for a, b in zip(row, other, strict=True)]


def less(row: Row, other: Row) -> Row:
    """The difference of two rows."""
    return [a - b for a, b in zip(row, other, strict=True)]


def signed(row: Row, positive: int) -> Row:
    """The row, or its negative."""
    return row if positive else [-value for value in row]


def first_sign(values: Iterable[Any]) -> Any:
    """The first value that is not zero, or zero."""
    for value in values:
        if value:
            return value
    return ZERO
