"""A network's levels in the form of the engine: neurons with two slopes, candidates of switches, and linear units.

Nothing is multiplied, folded or rounded. A clip is two neurons on one sum,

    clip(z, low, high) = low + relu(z - low) - relu(z - high),

with linear units for the sum and for its value, so that low and high are combined with z in the engine's own
arithmetic, which is exact where necessary. A unit with two equal slopes is linear. The candidates of a switch are the
units of its group, group after group; a unit in two groups occurs twice. An average is the sum of a linear level,
divided by an integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from creases.engine.convolution import Convolution
from creases.engine.graph import Floats, Graph, Level, Matrix, relu_slopes

__all__ = ["lowered"]

# The largest total number of entries of a network's convolutions if they are written out as sparse matrices, which take
# twelve bytes per entry.
MOST_ENTRIES = 1 << 24

Indices = NDArray[np.int64]


class Part(NamedTuple):
    """A part of a network's level: unit i of the engine's level is added to value `places[i]`, or to value i if
    `places` is None.
    """

    level: int
    places: Indices | None


class Lowering:
    """The engine's levels so far."""

    def __init__(self, large: bool = False) -> None:
        """large : whether convolutions are not written out."""
        self.levels: list[Level] = []
        self.large = large

    def matrix(self, operator: Any) -> Matrix:
        """The matrix of an operator, written out or not."""
        if self.large and type(operator).__name__ == "Conv":
            return Convolution(operator.kernel, operator.windows)
        return operator.matrix

    def add(self, level: Level) -> int:
        """Add a level at the top; returns its number."""
        self.levels.append(level)
        return len(self.levels)

    def linear(self, sources: Sequence[tuple[int, Matrix]], bias: Floats, divisors: Indices | None = None) -> int:
        """Add a level of linear units; returns its number."""
        return self.add(Level(*split(sources), bias, divisors=divisors))

    def values(self, parts: Sequence[Part], n: int) -> int:
        """Combine parts into one level that has all values of a network's level, in order; returns its number."""
        if len(parts) == 1 and parts[0].places is None:
            return parts[0].level
        sources = [(part.level, on_units(identity(n), part.places)) for part in parts]
        return self.linear(sources, np.zeros(n))


def entries_of(level: Any) -> int:
    """The number of entries of the matrices of a level's convolutions."""
    convolutions = [each for each in level.sources.values() if type(each).__name__ == "Conv"]
    return sum(each.n_out * int(np.prod(each.weight.shape[1:])) for each in convolutions)


def lowered(levels: Sequence[Any]) -> Graph:
    """The graph of a network's levels (`network.levels`), without levels on which no neuron or switch depends.

    Convolutions are written out as sparse matrices, unless these would have more than MOST_ENTRIES entries in total.
    """
    made = Lowering(sum(map(entries_of, levels)) > MOST_ENTRIES)
    parts: dict[int, list[Part]] = {0: [Part(0, None)]}
    for number, level in enumerate(levels, 1):
        parts[number] = put(made, level, sources_of(made, level, parts))
    return Graph(needed(made.levels))


def sources_of(made: Lowering, level: Any, parts: dict[int, list[Part]]) -> list[tuple[int, Matrix]]:
    """The sources of a level: numbers of the engine's levels, with one matrix each."""
    sources = []
    for source, operator in level.sources.items():
        matrix = made.matrix(operator)
        if isinstance(matrix, Convolution):
            sources.append((made.values(parts[source], operator.n_in), matrix))
            continue
        taken = [(part.level, on_units(matrix, part.places)) for part in parts[source]]
        if operator.divisors is None:
            sources += taken
        else:
            n = operator.n_out
            sources.append((made.linear(taken, np.zeros(n), np.asarray(operator.divisors, np.int64)), identity(n)))
    return sources


def put(made: Lowering, level: Any, sources: list[tuple[int, Matrix]]) -> list[Part]:
    """Add the engine's levels for one level of a network; returns the parts that have its values."""
    kink, name, bias = level.kink, type(level.kink).__name__, level.bias
    if any(isinstance(matrix, Convolution) for _, matrix in sources) and not is_whole(kink, len(bias)):
        # Only some of its units, or some of them twice: the sums become a level first.
        sums = made.linear(sources, bias)
        sources, bias = [(sums, identity(len(bias)))], np.zeros(len(bias))
    if name == "Max":
        sizes = [len(group) for group in kink.groups]
        flat = np.concatenate([np.asarray(group, np.int64) for group in kink.groups])
        groups = np.repeat(np.arange(len(sizes)), sizes)
        number = made.add(Level(*split(rows(sources, flat)), bias[flat], relu_slopes(len(flat)), groups))
        return [Part(number, groups)]
    if name == "Clip":
        return [Part(put_clip(made, kink, sources, bias), None)]
    below, above = kink.slopes(len(bias))
    bent = np.flatnonzero(below != above)
    straight = np.flatnonzero(below == above)
    numbers = []
    if len(bent):
        whole = len(bent) == len(below)
        some = sources if whole else rows(sources, bent)
        number = made.add(Level(*split(some), bias[bent], np.stack([below[bent], above[bent]])))
        numbers.append(Part(number, None if whole else bent))
    if len(straight):
        whole = len(straight) == len(below)
        number = made.linear(sources if whole else rows(sources, straight), bias[straight])
        factors = above[straight]
        if (factors != 1.0).any():
            places = np.arange(len(factors))
            scale = csr_array((factors, (places, places)), shape=(len(factors), len(factors)))
            number = made.linear([(number, scale)], np.zeros(len(factors)))
        numbers.append(Part(number, None if whole else straight))
    return numbers


def is_whole(kink: Any, n: int) -> bool:
    """Whether all n units of a level bend, or none does, each of them once."""
    if type(kink).__name__ in ("Max", "Clip"):
        return False
    below, above = kink.slopes(n)
    return bool((below == above).all() or (below != above).all())


def put_clip(made: Lowering, kink: Any, sources: list[tuple[int, Matrix]], bias: Floats) -> int:
    """Add a clip's sums, its neurons (z - low of all units, then z - high of all), and its values; returns the number
    of the last."""
    n = len(bias)
    low, high = (np.broadcast_to(np.asarray(bound, np.float64), (n,)) for bound in (kink.low, kink.high))
    sums, one = made.linear(sources, bias), identity(n)
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
    """The sources restricted to some units; a unit may occur twice."""
    return [(source, matrix[units]) for source, matrix in sources]


def on_units(matrix: Matrix, places: Indices | None) -> Matrix:
    """A matrix on a level's values, converted to one on the units whose sums these values are."""
    if places is None:
        return matrix
    return matrix[:, places]


def needed(levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels that are layers, or on which one depends, renumbered."""
    wanted: set[int] = set()
    for number in range(len(levels), 0, -1):
        if number in wanted or levels[number - 1].slopes is not None:
            wanted |= {number, *levels[number - 1].sources}
    names = {0: 0, **{number: i for i, number in enumerate(sorted(wanted - {0}), 1)}}
    return tuple(
        levels[number - 1]._replace(sources=tuple(names[source] for source in levels[number - 1].sources))
        for number in sorted(wanted - {0})
    )
