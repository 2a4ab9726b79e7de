"""One unit for all units that are the same function: a network with less in it, and the same regions.

Networks that people write down, and not train, say the same thing many times. A lattice is a tournament of minima and
maxima of affine functions, min(x, y) = (relu(x + y) - relu(-x - y) - relu(y - x) - relu(x - y)) / 2, in which the same
pairs meet again and again. Here every unit is written over the units that are kept:

* a linear unit that is a multiple of another unit, or of a linear one's sum, is that multiple;
* a neuron with ReLU whose sum is a positive multiple c of a kept neuron's is c times that neuron, whatever layers the
  two are in; for a negative multiple, relu(-z) = relu(z) - z. A sum that is constant everywhere makes a constant.

So min(x, y) becomes x - relu(x - y), and what stands above sees that it is the same minimum. All this is done with
floats that are exact, or not at all. A neuron that goes has the zero set of one that stays, in its own layer or below,
or none; where the one that stays is zero identically on a cell of the layers below, so is the other. So the cells of
the layers up to any one are the same.
"""

from __future__ import annotations

from fractions import Fraction
from math import frexp
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from creases.engine.convolution import Convolution
from creases.engine.graph import INPUTS, Floats, Graph, Level, Matrix, entries_of, is_sparse
from creases.engine.proof.twins import twins_of

__all__ = ["Shared", "shared_units"]

# A sum of units times numbers, by the places of the units in the list of what is kept.
Terms = dict[int, float]

# Networks with more numbers are left as they are: each is looked at in Python, in a microsecond or two.
MOST_ENTRIES = 1 << 20
# Where only one number in so many is not zero, copies are not looked for first: that takes longer.
HOLLOW = 8
# With more than this part of the neurons left the network is not worth another shape; and with more than that a chain
# is not worth to be none, whose first local network costs more (`starting`).
WORTH, WORTH_NO_CHAIN = 0.75, 0.6
# Products of numbers between these neither overflow nor underflow.
SMALLEST, LARGEST = 2.0**-500, 2.0**500
# Matrices of a graph with at most so many numbers are arrays: SciPy takes longer for its first entry than they for all.
SMALL_MATRIX = 1 << 14


class Shared(NamedTuple):
    """A graph in which no two neurons are known to be multiples of each other.

    layers : for each layer of the whole graph how many layers of this one have its neurons and those below.
    """

    graph: Graph
    layers: list[int]


class Unit(NamedTuple):
    """A unit that is kept: its sum over others.

    number : of its level in the whole graph; 0 for an input. bends : whether it is a neuron. slopes : below, above.
    """

    number: int
    bends: bool
    terms: Terms
    bias: float
    slopes: tuple[float, float]


class Value(NamedTuple):
    """What a unit hands on, over those that are kept."""

    terms: Terms
    constant: float


class InexactError(ArithmeticError):
    """A number that is wanted is no float."""


# For each graph that is in use.
known: WeakKeyDictionary[Graph, Shared | None] = WeakKeyDictionary()


def shared_units(graph: Graph) -> Shared | None:
    """The graph with one unit for all that are the same function; None if it is not known to be much smaller."""
    if graph not in known:
        known[graph] = find_shared(graph) if is_plain(graph) and is_promising(graph) else None
    return known[graph]


def is_plain(graph: Graph) -> bool:
    """Whether a graph has only what is looked at here."""
    return all(
        level.groups is None
        and level.divisors is None
        and level.doubts is None
        and min(level.sources, default=INPUTS) >= INPUTS
        and not any(isinstance(matrix, Convolution) for matrix in level.matrices)
        for level in graph.levels
    )


def is_promising(graph: Graph) -> bool:
    """Whether there are copies in a graph, or arrays of which nearly all is zero; and not too much in it."""
    arrays = [matrix for level in graph.levels for matrix in level.matrices if not is_sparse(matrix)]
    entries = sum(map(np.count_nonzero, arrays))
    others = sum(matrix.nnz for level in graph.levels for matrix in level.matrices if is_sparse(matrix))
    hollow = not others and HOLLOW * entries <= sum(matrix.size for matrix in arrays)
    return entries + others <= MOST_ENTRIES and bool(hollow or twins_of(graph).any())


def find_shared(graph: Graph) -> Shared | None:
    """`shared_units`."""
    sharing = Sharing()
    try:
        for number, level in enumerate(graph.levels, 1):
            sharing.add_level(number, level)
    except InexactError:
        return None
    kept = needed(sharing.units)
    bent = [unit.number for unit in kept.values() if unit.bends]
    if not bent or graph.layers[0] not in bent:
        return None
    new, numbers = graph_of(kept, graph.is_chain)
    if len(bent) > (WORTH if new.is_chain or not graph.is_chain else WORTH_NO_CHAIN) * graph.first_neurons[-1]:
        return None
    with_neurons = [numbers[level - 1] for level in new.layers]
    return Shared(new, [sum(number <= layer for number in with_neurons) for layer in graph.layers])


class Sharing:
    """The units that are kept, as levels are added, and what every unit of the levels is, written over them."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self._values: dict[int, list[Value]] = {}
        # By their sums, divided by their first numbers: rounded quotients of multiples are equal.
        self._bent: dict[tuple[object, ...], list[int]] = {}
        self._straight: dict[tuple[object, ...], list[int]] = {}

    def add_level(self, number: int, level: Level) -> None:
        """Look at each unit of a level. Raises InexactError."""
        if INPUTS in level.sources and INPUTS not in self._values:
            self._values[INPUTS] = [
                Value({self.keep(Unit(0, False, {}, 0.0, (1.0, 1.0))): 1.0}, 0.0)
                for _ in range(level.matrices[level.sources.index(INPUTS)].shape[1])
            ]
        sums = [Value({}, float(bias)) for bias in level.bias]
        for source, matrix in level.terms:
            below = self._values[source]
            for row, column, factor in entries_of(matrix):
                sums[row] = plus(sums[row], below[column], factor)
        if level.slopes is None:
            self._values[number] = [self.straight(number, total) for total in sums]
        else:
            slopes = level.slopes.T.tolist()
            self._values[number] = [
                self.bent(number, total, (below, above)) for total, (below, above) in zip(sums, slopes, strict=True)
            ]

    def keep(self, unit: Unit) -> int:
        """Put a unit among those that are kept; its place."""
        self.units.append(unit)
        return len(self.units) - 1

    def straight(self, number: int, total: Value) -> Value:
        """A linear unit with this sum."""
        if len(total.terms) <= 1 and (not total.terms or total.constant == 0.0):
            return total
        place, factor = self.found(self._straight, total)
        if place is None:
            place, factor = self.keep(Unit(number, False, *total, (1.0, 1.0))), 1.0
            self._straight.setdefault(shape_of(total), []).append(place)
        return Value({place: factor}, 0.0)

    def bent(self, number: int, total: Value, slopes: tuple[float, float]) -> Value:
        """A neuron with this sum."""
        if not total.terms:
            return Value({}, times(total.constant, slopes[total.constant > 0.0]))
        if slopes != (0.0, 1.0):
            return Value({self.keep(Unit(number, True, *total, slopes)): 1.0}, 0.0)
        place, factor = self.found(self._bent, total)
        if place is None:
            place = self.keep(Unit(number, True, *total, slopes))
            self._bent.setdefault(shape_of(total), []).append(place)
            return Value({place: 1.0}, 0.0)
        above = Value({place: abs(factor)}, 0.0)
        return above if factor > 0.0 else plus(above, self.sum_of(place), factor)

    def sum_of(self, place: int) -> Value:
        """The sum of a kept neuron: written out if that is short, so that it may cancel; else a linear unit's."""
        unit = self.units[place]
        short = len(unit.terms) <= 2 and unit.bias == 0.0
        if short and all(abs(factor) == 1.0 and self.units[i].number > 0 for i, factor in unit.terms.items()):
            return Value(unit.terms, 0.0)
        return self.straight(unit.number, Value(unit.terms, unit.bias))

    def found(self, table: dict[tuple[object, ...], list[int]], total: Value) -> tuple[int | None, float]:
        """A kept unit whose sum this is a multiple of, and the factor, a float; None where there is none."""
        for place in table.get(shape_of(total), ()):
            factor = factor_between(self.units[place], total)
            if factor:
                return place, factor
        return None, 0.0


def shape_of(total: Value) -> tuple[object, ...]:
    """What all multiples of a sum have in common, whatever rounds."""
    places = sorted(total.terms)
    lead = total.terms[places[0]]
    return *places, *(total.terms[i] / lead for i in places), total.constant / lead


def factor_between(unit: Unit, total: Value) -> float:
    """The float by which a kept unit's sum is multiplied in `total`, of the same shape; 0.0 if there is none."""
    pairs = [(total.terms[i], own) for i, own in unit.terms.items()]
    pairs.append((total.constant, unit.bias))
    factor = pairs[0][0] / pairs[0][1]
    if abs(factor) == 1.0:
        return factor if all(new == factor * own for new, own in pairs) else 0.0
    exact = Fraction(factor) if SMALLEST < abs(factor) < LARGEST else Fraction(0)
    return factor if exact and all(Fraction(new) == exact * Fraction(own) for new, own in pairs) else 0.0


def plus(total: Value, more: Value, factor: float) -> Value:
    """total + factor * more, exactly; `total` is changed. Raises InexactError."""
    terms = total.terms
    for place, each in more.terms.items():
        new = add(terms.get(place, 0.0), times(factor, each))
        if new:
            terms[place] = new
        else:
            terms.pop(place, None)
    if more.constant == 0.0:
        return total
    return Value(terms, add(total.constant, times(factor, more.constant)))


def times(one: float, other: float) -> float:
    """The product of two floats. Raises InexactError if it is none."""
    product = one * other
    if product == 0.0 and (one == 0.0 or other == 0.0):
        return 0.0
    if not (SMALLEST < abs(one) < LARGEST and SMALLEST < abs(other) < LARGEST):
        raise InexactError
    short = abs(frexp(one)[0]) == 0.5 or abs(frexp(other)[0]) == 0.5  # a power of two
    if not short and Fraction(product) != Fraction(one) * Fraction(other):
        raise InexactError
    return product


def add(one: float, other: float) -> float:
    """The sum of two floats. Raises InexactError if it is none."""
    total = one + other
    back = total - one
    if (one - (total - back)) + (other - back) != 0.0:  # what Knuth's sum leaves; a NaN is not zero
        raise InexactError
    return total


def needed(units: list[Unit]) -> dict[int, Unit]:
    """The inputs, the neurons, and what these are made of, by their places."""
    wanted = {place for place, unit in enumerate(units) if unit.number == INPUTS}
    for place in range(len(units) - 1, -1, -1):
        if place in wanted or units[place].bends:
            wanted |= {place, *units[place].terms}
    return {place: units[place] for place in sorted(wanted)}


def graph_of(kept: dict[int, Unit], dense: bool) -> tuple[Graph, list[int]]:
    """The graph of units; and the number in the whole graph of each of its levels. dense : whether its matrices are
    arrays all."""
    by_level: dict[tuple[int, bool], list[int]] = {}
    for place, unit in kept.items():
        by_level.setdefault((unit.number, unit.bends), []).append(place)
    names = sorted(by_level)  # of one number what is linear first: neurons take from it
    where = {place: (new, i) for new, name in enumerate(names) for i, place in enumerate(by_level[name])}
    assert names[0] == (0, False)  # the inputs
    sizes = [len(by_level[name]) for name in names]
    levels = [level_of([kept[place] for place in by_level[name]], where, sizes, name[1], dense) for name in names[1:]]
    return Graph(tuple(levels)), [number for number, _ in names[1:]]


def level_of(units: list[Unit], where: dict[int, tuple[int, int]], sizes: list[int], bends: bool, dense: bool) -> Level:
    """A level of units. where : level and index of every kept unit. sizes : of the levels."""
    entries: dict[int, tuple[list[int], list[int], list[float]]] = {}
    for row, unit in enumerate(units):
        for place, factor in unit.terms.items():
            source, column = where[place]
            rows, columns, numbers = entries.setdefault(source, ([], [], []))
            rows.append(row)
            columns.append(column)
            numbers.append(factor)
    sources = tuple(sorted(entries))
    matrices = tuple(matrix_of(*entries[source], (len(units), sizes[source]), dense) for source in sources)
    slopes = np.array([unit.slopes for unit in units]).T.copy() if bends else None
    return Level(sources, matrices, np.array([unit.bias for unit in units]), slopes)


def matrix_of(rows: list[int], columns: list[int], numbers: list[float], shape: tuple[int, int], dense: bool) -> Matrix:
    """The matrix with these entries."""
    if dense or shape[0] * shape[1] <= SMALL_MATRIX:
        matrix: Floats = np.zeros(shape)
        matrix[rows, columns] = numbers
        return matrix
    from scipy.sparse import csr_array  # which small networks do without

    return csr_array((numbers, (rows, columns)), shape=shape)
