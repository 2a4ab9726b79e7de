"""A network as the engine knows it: levels of units, each of which takes from the inputs and from levels below it.

    z_l = (sum over sources p < l of matrix_{l,p} value_p + bias_l) / divisor_l,    value_l = kink(z_l)

Level 0 is the inputs. A kink is two slopes, below zero and above: (0, 1) for ReLU. A level without slopes is linear:
its values are its z, it has no walls and no place in the pattern. All others are layers.

A switch is a maximum over candidates, the units of a level with `groups`. A candidate's value is its z where it wins
and zero elsewhere, so what stands above takes from every candidate alike, and of the values of one switch one is there.
Thus a switch's pattern is one bit a candidate, and its slopes are those of ReLU.

What counts no region is left out: the levels that no layer takes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.convolution import Convolution

__all__ = [
    "COORDINATES",
    "INPUTS",
    "Doubts",
    "Floats",
    "Graph",
    "Level",
    "Matrix",
    "absolute",
    "is_sparse",
    "relu_slopes",
    "times",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = Any  # a float64 array (n, m), a csr_array of SciPy's, or a Convolution where the graph is large

# The numbers of what is no level: the inputs, and the homogeneous coordinates (u, 1) of the domain, from which only
# walls take (`whole_space`).
INPUTS, COORDINATES = 0, -1


class Doubts(NamedTuple):
    """How far off the numbers of a level may be from those of the network that is meant: it stands for the units of a
    larger one that are open on a tile, computed in double-double, of which the low parts are left out.

    matrices : for each source float64 (n, values of the source), bounds of the numbers that it is multiplied by; zero
    where those are exact. bias : float64 (n,).
    """

    sources: tuple[int, ...]
    matrices: tuple[Floats, ...]
    bias: Floats

    @property
    def is_exact(self) -> NDArray[np.bool_]:
        """For each unit whether its numbers are exact, bool (n,)."""
        exact: NDArray[np.bool_] = self.bias == 0.0
        for matrix in self.matrices:
            exact = exact & ~matrix.any(axis=1)
        return exact

    def of(self, source: int) -> Floats:
        """The bounds of the numbers by which a source is multiplied."""
        return self.matrices[self.sources.index(source)]


class Level(NamedTuple):
    """Units that stand side by side.

    sources : numbers of the levels that it takes from, 0 for the inputs, each once. matrices : one for each, float64
        (n, values of the source): an array, a csr_array or a Convolution.
    bias : float64 (n,). slopes : float64 (2, n), below zero and above, or None if the units are linear.
    groups : int64 (n,), the switch of each candidate, not decreasing; None if the units are no candidates.
    divisors : int64 (n,), at least one; None for ones. Only of linear levels.
    doubts : how far off its numbers may be; None if they are the network's own.
    """

    sources: tuple[int, ...]
    matrices: tuple[Matrix, ...]
    bias: Floats
    slopes: Floats | None = None
    groups: Ints | None = None
    divisors: Ints | None = None
    doubts: Doubts | None = None

    @property
    def terms(self) -> Iterable[tuple[int, Matrix]]:
        """Each source with its matrix."""
        return zip(self.sources, self.matrices, strict=True)


@dataclass(frozen=True, eq=False)
class Graph:
    """The levels of a network, first to last; level i is `levels[i - 1]`.

    precise : of one whose numbers are doubted, what gives the forms of a layer's units on a pattern in a chart, in
        double-double with bounds, of the network that is meant: (layer, pattern, chart) -> DoubledRows.
    """

    levels: tuple[Level, ...]
    precise: Any = None

    @classmethod
    def chain(cls, weights: Sequence[Floats], biases: Sequence[Floats]) -> Graph:
        """Dense layers with ReLU, one after the other: float64 (n_l, n_{l-1}) and (n_l,)."""
        levels = []
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            levels.append(Level((number,), (weight,), bias, relu_slopes(len(bias))))
        return cls(tuple(levels))

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The numbers of the levels that have neurons or candidates."""
        return tuple(i for i, level in enumerate(self.levels, 1) if level.slopes is not None)

    @cached_property
    def layer_of(self) -> dict[int, int]:
        """For the number of each such level, which layer it is, from 0."""
        return {level: layer for layer, level in enumerate(self.layers)}

    @cached_property
    def widths(self) -> list[int]:
        """Neurons or candidates of each layer."""
        return [len(self.levels[i - 1].bias) for i in self.layers]

    @cached_property
    def first_neurons(self) -> list[int]:
        """For each layer the neurons of all layers below it, and at last all there are."""
        return [0, *np.cumsum(self.widths, dtype=np.int64).tolist()]

    def layer(self, layer: int) -> Level:
        """The level that is this layer."""
        return self.levels[self.layers[layer] - 1]

    @cached_property
    def is_chain(self) -> bool:
        """Whether these are dense layers with ReLU, each of which takes from the one before it only."""
        return all(
            level.sources == (i,)
            and level.slopes is not None
            and level.groups is None
            and isinstance(level.matrices[0], np.ndarray)
            and level.doubts is None
            and not level.slopes[0].any()
            and bool((level.slopes[1] == 1.0).all())
            for i, level in enumerate(self.levels)
        )

    @cached_property
    def spent(self) -> dict[int, tuple[int, ...]]:
        """For each level the sources, 0 for the inputs, that no level above it takes from."""
        last = {source: number for number, level in enumerate(self.levels, 1) for source in level.sources}
        return {
            number: tuple(source for source in level.sources if last[source] == number)
            for number, level in enumerate(self.levels, 1)
        }

    @cached_property
    def is_large(self) -> bool:
        """Whether some of its matrices are too large to be written out."""
        return any(isinstance(matrix, Convolution) for level in self.levels for matrix in level.matrices)

    @cached_property
    def is_doubted(self) -> bool:
        """Whether its numbers are not the network's own, but near them."""
        return any(level.doubts is not None for level in self.levels)

    @cached_property
    def weights(self) -> tuple[Floats, ...]:
        """The matrices of a chain."""
        assert self.is_chain
        return tuple(level.matrices[0] for level in self.levels)

    @cached_property
    def biases(self) -> tuple[Floats, ...]:
        """The biases of a chain."""
        assert self.is_chain
        return tuple(level.bias for level in self.levels)


def relu_slopes(units: int) -> Floats:
    """The slopes of ReLU for so many units, float64 (2, units)."""
    slopes = np.zeros((2, units))
    slopes[1] = 1.0
    return slopes


def is_sparse(matrix: Matrix) -> bool:
    """Whether a matrix is one of SciPy's."""
    return not isinstance(matrix, (np.ndarray, Convolution))


def times(matrix: Matrix, values: Floats) -> Floats:
    """matrix @ values for float64 (m,) or (m, k), as an array."""
    return np.asarray(matrix @ values)


def absolute(matrix: Matrix) -> Matrix:
    """The matrix of absolute values."""
    return abs(matrix)


def entries_of(matrix: Matrix) -> list[tuple[int, int, float]]:
    """Row, column and number of each entry of a matrix. Of a sparse one as they are stored: zeros too, and an entry
    that is stored in parts several times."""
    if is_sparse(matrix):
        entries = matrix.tocoo()
        rows, columns, numbers = entries.row, entries.col, entries.data
    else:
        rows, columns = np.nonzero(matrix)
        numbers = matrix[rows, columns]
    return list(zip(rows.tolist(), columns.tolist(), numbers.tolist(), strict=True))
