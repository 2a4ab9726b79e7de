"""Linear regions: cells that are connected across facets at which the gradient does not jump.

A linear region is a connected component of the set of inputs near which the gradient is constant (Hanin and Rolnick
2019, section 2), here for the network restricted to the domain; on a Ball, cells are connected across facets that meet
it. Across a facet, the affine map changes by a multiple of the facet's form, so the gradient jumps if and only if the
two cells' maps differ. This is decided in three steps, and each decision is a proof:

* floats with bounds (`bounded`): maps that differ by more than their errors are different;
* structure: if no change of a slope or winner reaches an output through nonzero weights and slopes, the maps are equal.
  Let J be the units that change. The maps differ by the contributions of the paths from the inputs to the outputs
  through J. After the last unit of J on a path, all slopes are the same on both sides, and their product with the
  weights is zero;
* rationals (`creases.exact_network`): the two maps in integers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.balls import facets_in_ball
from creases.complex.bounded import Bounded, BoundedNetwork
from creases.domain import Ball
from creases.exact_levels import ExactRows
from creases.exact_network import ExactNetwork, unpacked
from creases.network import Network
from creases.streams import stream

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["LinearRegions", "Maps", "linear_regions_of"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# The largest number of entries in one batch.
AT_ONCE = 1 << 22
# The largest number of outputs that are compared in floats; for more, this many random sums of all outputs are
# compared.
MOST_OUTPUTS = 4


class LinearRegions(NamedTuple):
    """Linear regions and affine maps of a complex.

    regions : int64 (cells,), the linear region of each cell, numbered by their first cells.
    maps : int64 (cells,), the affine map on each cell, numbered likewise: equal numbers are equal maps.
    jumps : bool (facets,), whether there are cells on both sides of each of the `facets`, with different maps.
    """

    regions: Ints
    maps: Ints
    jumps: Bools


def linear_regions_of(complex: Complex) -> LinearRegions:
    """The linear regions of a complex."""
    maps = Maps(complex)
    facets = complex.facets
    inner = np.flatnonzero(facets.inner)
    pairs = facets.cells[inner]
    different = maps.are_apart(pairs)
    doubtful = np.flatnonzero(~different)
    doubtful = doubtful[~maps.are_equal_by_structure(pairs[doubtful])]
    open_pairs = np.zeros(len(pairs), np.bool_)
    open_pairs[doubtful] = True
    # Cells that are already known to be connected have one map, so few maps are computed in rationals.
    regions = components(len(complex), pairs[~different & ~open_pairs])
    for i in doubtful.tolist():
        one, other = pairs[i].tolist()
        if regions[one] != regions[other]:
            different[i] = maps.exact(one) != maps.exact(other)
    jumps = np.zeros(len(facets), np.bool_)
    jumps[inner] = different
    joined = ~different
    if isinstance(complex.domain, Ball):  # facets outside of the sphere do not connect cells inside
        joined &= facets_in_ball(complex)[inner]
    regions = components(len(complex), pairs[joined])
    _, firsts = np.unique(regions, return_index=True)
    return LinearRegions(regions, maps.classes(firsts)[regions], jumps)


def components(count: int, pairs: Ints) -> Ints:
    """The connected components of a graph on `count` nodes, numbered by their first nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return renumbered(labels)


def renumbered(labels: Any) -> Ints:
    """Labels, renumbered in the order of their first occurrence."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


class Maps:
    """The affine maps of a complex's cells: in floats with bounds, by structure, and in integers."""

    def __init__(self, complex: Complex) -> None:
        self._complex = complex
        self._network, self._patterns = complex.network, complex.patterns
        self._exact: dict[int, Hashable] = {}

    def bits(self, cells: Any) -> Bools:
        """The patterns of some cells, bool (n, bits)."""
        bits = self._network.bits
        return np.unpackbits(self._patterns[cells], axis=1, bitorder="little", count=bits).astype(np.bool_)

    @cached_property
    def near(self) -> Bounded:
        """Numbers with bounds, float64 (cells, m), which are equal for cells with equal maps."""
        bounded, count = BoundedNetwork(self._network, self._complex.domain), len(self._patterns)
        blocks = []
        step = max(1, AT_ONCE // bounded.width)
        for at in range(0, count, step):
            forms = bounded.on_patterns(self.bits(slice(at, at + step)))
            blocks.append(Bounded(*(part.reshape(len(part), -1) for part in few_outputs(forms))))
        return Bounded(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))

    def are_apart(self, pairs: Ints) -> Bools:
        """Which pairs of cells are proved by floats to have different maps. pairs : int64 (n, 2)."""
        apart = np.zeros(len(pairs), np.bool_)
        step = max(1, AT_ONCE // max(self.near.values.shape[1], 1))
        for at in range(0, len(pairs), step):
            one, other = (Bounded(*(part[ends] for part in self.near)) for ends in pairs[at : at + step].T)
            with np.errstate(all="ignore"):
                change = one - other
                apart[at : at + step] = (change.is_positive | change.is_negative).any(axis=1)
        return apart

    def are_equal_by_structure(self, pairs: Ints) -> Bools:
        """Which pairs of cells are proved to have equal maps because nothing that changes reaches an output."""
        equal = np.zeros(len(pairs), np.bool_)
        reach = Reach(self._network)
        step = max(1, AT_ONCE // reach.width)
        for at in range(0, len(pairs), step):
            one, other = (self.bits(ends) for ends in pairs[at : at + step].T)
            equal[at : at + step] = ~reach.reached(one, other)
        return equal

    @cached_property
    def network(self) -> ExactNetwork:
        """The network in integers."""
        return ExactNetwork(self._network, self._complex.domain)

    def rows(self, cell: int) -> ExactRows:
        """The forms of the outputs on a cell, in integers."""
        return self.network.outputs(unpacked(self._patterns[cell], self._network.bits))

    def exact(self, cell: int) -> Hashable:
        """A value that is equal for two cells if and only if their maps are: fractions of integers."""
        if cell not in self._exact:
            self._exact[cell] = reduced(self.rows(cell))
        return self._exact[cell]

    def classes(self, cells: Ints) -> Ints:
        """Classes of cells with equal maps, int64 (n,), numbered by the first of each; decided in floats as far as
        possible."""
        labels = np.arange(len(cells))
        for group in clusters(Bounded(*(part[cells] for part in self.near))):
            known: dict[Hashable, int] = {}
            for i in group.tolist():
                labels[i] = known.setdefault(self.exact(int(cells[i])), i)
        return renumbered(labels)


def reduced(rows: ExactRows) -> Hashable:
    """Rows with a common denominator, without a common factor."""
    numbers = [int(value) for row in rows.rows for value in row]
    common = gcd(int(rows.denominator), *numbers)
    return (int(rows.denominator) // common, *(number // common for number in numbers))


def few_outputs(forms: Bounded) -> Bounded:
    """Forms of at most MOST_OUTPUTS outputs, float64 (cells, k, m); for more outputs, random sums, which are equal if
    all outputs are."""
    n = forms.values.shape[-1]
    if n <= MOST_OUTPUTS:
        return forms
    random = stream("sums of outputs", 0).standard_normal((n, MOST_OUTPUTS))
    gamma = 2.0 * (n + 2) * 2.0**-53
    with np.errstate(all="ignore"):
        errors = (forms.errors + gamma * np.abs(forms.values)) @ np.abs(random) * (1.0 + 1e-6) + n * 2.0**-1070
        return Bounded(forms.values @ random, errors)


def clusters(numbers: Bounded) -> Iterator[Ints]:
    """Sets of at least two rows that may be equal, because no column separates them. numbers : float64 (n, m).

    A row with a number that has no bound may be equal to any other row.
    """
    waiting = [(np.arange(len(numbers.values)), 0)]
    while waiting:
        group, passed = waiting.pop()
        columns = numbers.values.shape[1]
        if len(group) < 2:
            continue
        if passed == columns:
            yield group
            continue
        for column in range(columns):
            parts = parted(group, Bounded(numbers.values[group, column], numbers.errors[group, column]))
            if len(parts) > 1:
                waiting += [(part, 0) for part in parts]
                break
        else:
            waiting.append((group, columns))


def parted(group: Ints, numbers: Bounded) -> list[Ints]:
    """A set of rows, divided where there is a gap between the intervals around their numbers."""
    known = np.isfinite(numbers.values) & np.isfinite(numbers.errors)
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.where(known, numbers.values - numbers.errors, -np.inf)
        high = np.where(known, numbers.values + numbers.errors, np.inf)
    low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate(high[order])
    return np.split(group[order], np.flatnonzero(low[order][1:] > reach[:-1]) + 1)


class Reach:
    """Which changes of patterns reach an output, through nonzero weights and slopes."""

    def __init__(self, network: Network) -> None:
        self._levels = network.levels
        self._weights = [
            {p: (operator.matrix != 0).astype(np.float32) for p, operator in level.sources.items()}
            for level in network.levels
        ]

    @property
    def width(self) -> int:
        """The number of entries that one pattern takes."""
        return sum(level.n_units + level.n_values for level in self._levels)

    def reached(self, one: Bools, other: Bools) -> Bools:
        """Whether a difference between two patterns reaches an output, for each pair. one, other : bool (n, bits)."""
        branches = [self._branches(one), self._branches(other)]
        count, top = len(one), len(self._levels)
        reach: dict[int, Bools] = {top: np.ones((count, self._levels[-1].n_values), np.bool_)}
        reaches = np.zeros(count, np.bool_)
        for number in range(top, 0, -1):
            mine = reach.pop(number, None)
            if mine is None:
                continue
            level, (units, slopes, offsets), changed = (
                self._levels[number - 1],
                *(part[number - 1] for part in branches),
            )
            differs = (units != changed[0]) | (slopes != changed[1]) | (offsets != changed[2])
            reaches |= (mine & differs).any(axis=1)
            needed = np.zeros((count, level.n_units), np.bool_)
            rows, values = np.nonzero(mine & (slopes != 0.0))
            needed[rows, units[rows, values]] = True
            for source, weights in self._weights[number - 1].items():
                if source:
                    below = np.asarray((weights.T @ needed.T.astype(np.float32)).T) > 0.0
                    reach[source] = reach[source] | below if source in reach else below
        return reaches

    def _branches(self, bits: Bools) -> list[tuple[Ints, Floats, Floats]]:
        """For each level, the unit, the slope and the offset of each value, (n, n_values) each."""
        branches, at = [], 0
        for level in self._levels:
            places = int(level.kink.places(level.n_units).sum())
            branch = level.kink.branch(level.kink.of_bits(bits[:, at : at + places]), level.n_units)
            at += places
            units = np.arange(level.n_values) if branch.units is None else branch.units
            shape = (len(bits), level.n_values)
            parts = (np.broadcast_to(np.asarray(part), shape) for part in (units, branch.slopes, branch.offsets))
            branches.append(tuple(parts))
        return branches  # type: ignore[return-value]
