"""A network's levels as the engine takes them: neurons with two slopes, candidates of switches, and linear units.

Nothing is multiplied, folded or rounded on the way. A clip is two neurons on one sum,

    clip(z, low, high) = low + relu(z - low) - relu(z - high),

with linear units for the sum and for what it hands on, so that low and high meet z in the engine's own arithmetic,
which is exact where it must be. A unit whose two slopes are equal is linear. A switch's candidates are the units of its
groups, group after group; one that is in two groups stands there twice. An average is a sum of a linear level, divided
by a whole number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from creases.engine.graph import Floats, Graph, Level, Matrix, relu_slopes

__all__ = ["lowered"]

Indices = NDArray[np.int64]


class Part(NamedTuple):
    """Some of a network's level: unit i of the engine's level adds its value to value `places[i]`; None for i
    itself.
    """

    level: int
    places: Indices | None


class Lowering:
    """The engine's levels as they are made, one after the other."""

    def __init__(self) -> None:
        self.levels: list[Level] = []

    def add(self, level: Level) -> int:
        """Put a level on top; returns its number."""
        self.levels.append(level)
        return len(self.levels)

    def linear(self, sources: Sequence[tuple[int, Matrix]], bias: Floats, divisors: Indices | None = None) -> int:
        """A level of linear units; returns its number."""
        return self.add(Level(*split(sources), bias, divisors=divisors))


def lowered(levels: Sequence[Any]) -> Graph:
    """The graph of a network's levels (`network.levels`), without those that nothing that cuts takes from."""
    made = Lowering()
    parts: dict[int, list[Part]] = {0: [Part(0, None)]}
    for number, level in enumerate(levels, 1):
        parts[number] = put(made, level, sources_of(made, level, parts))
    return Graph(needed(made.levels))


def sources_of(made: Lowering, level: Any, parts: dict[int, list[Part]]) -> list[tuple[int, Matrix]]:
    """What a level takes: numbers of the engine's levels with a matrix each."""
    found = []
    for source, operator in level.sources.items():
        taken = [(part.level, on_units(operator.matrix, part.places)) for part in parts[source]]
        if operator.divisors is None:
            found += taken
        else:
            n = operator.n_out
            found.append((made.linear(taken, np.zeros(n), np.asarray(operator.divisors, np.int64)), identity(n)))
    return found


def put(made: Lowering, level: Any, sources: list[tuple[int, Matrix]]) -> list[Part]:
    """The engine's levels of one level of a network; returns what hands on its values."""
    kink, name = level.kink, type(level.kink).__name__
    if name == "Max":
        sizes = [len(group) for group in kink.groups]
        flat = np.concatenate([np.asarray(group, np.int64) for group in kink.groups])
        groups = np.repeat(np.arange(len(sizes)), sizes)
        number = made.add(Level(*split(rows(sources, flat)), level.bias[flat], relu_slopes(len(flat)), groups))
        return [Part(number, groups)]
    if name == "Clip":
        return [Part(put_clip(made, level, sources), None)]
    below, above = kink.slopes(len(level.bias))
    bent = np.flatnonzero(below != above)
    straight = np.flatnonzero(below == above)
    found = []
    if len(bent):
        whole = len(bent) == len(below)
        some = sources if whole else rows(sources, bent)
        number = made.add(Level(*split(some), level.bias[bent], np.stack([below[bent], above[bent]])))
        found.append(Part(number, None if whole else bent))
    if len(straight):
        whole = len(straight) == len(below)
        number = made.linear(sources if whole else rows(sources, straight), level.bias[straight])
        factors = above[straight]
        if (factors != 1.0).any():
            places = np.arange(len(factors))
            scale = csr_array((factors, (places, places)), shape=(len(factors), len(factors)))
            number = made.linear([(number, scale)], np.zeros(len(factors)))
        found.append(Part(number, None if whole else straight))
    return found


def put_clip(made: Lowering, level: Any, sources: list[tuple[int, Matrix]]) -> int:
    """A clip's sums, its neurons (z - low of all units, then z - high of all), and its values; returns their number."""
    n = len(level.bias)
    low, high = (np.broadcast_to(np.asarray(bound, np.float64), (n,)) for bound in (level.kink.low, level.kink.high))
    sums, one = made.linear(sources, level.bias), identity(n)
    twice = csr_array(vstack([one, one]))
    neurons = made.add(Level((sums,), (twice,), -np.concatenate([low, high]), relu_slopes(2 * n)))
    return made.linear([(neurons, csr_array(hstack([one, -one])))], low.copy())


def identity(n: int) -> Matrix:
    """The sparse identity."""
    return csr_array(eye_array(n))


def split(sources: Sequence[tuple[int, Matrix]]) -> tuple[tuple[int, ...], tuple[Matrix, ...]]:
    """The numbers and the matrices of some sources."""
    return tuple(source for source, _ in sources), tuple(matrix for _, matrix in sources)


def rows(sources: Sequence[tuple[int, Matrix]], units: Indices) -> list[tuple[int, Matrix]]:
    """The sources of some units only; a unit may be named twice."""
    return [(source, matrix[units]) for source, matrix in sources]


def on_units(matrix: Matrix, places: Indices | None) -> Matrix:
    """A matrix on a level's values as one on the units that add up to them."""
    if places is None:
        return matrix
    return matrix[:, places]


def needed(levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels that are layers, or that one takes from, numbered anew."""
    wanted: set[int] = set()
    for number in range(len(levels), 0, -1):
        if number in wanted or levels[number - 1].slopes is not None:
            wanted |= {number, *levels[number - 1].sources}
    names = {0: 0, **{number: i for i, number in enumerate(sorted(wanted - {0}), 1)}}
    return tuple(
        levels[number - 1]._replace(sources=tuple(names[source] for source in levels[number - 1].sources))
        for number in sorted(wanted - {0})
    )
