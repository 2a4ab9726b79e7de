"""The affine map of each cell of a complex, computed for many cells at a time.

Level by level from the input, a pattern determines the branch of every kink on a cell, and this branch can be evaluated
anywhere, also outside of the cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.network import Level

__all__ = ["walls_between"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# The largest number of entries of one level in memory.
NUMBERS_AT_ONCE = 1 << 22


class Step(NamedTuple):
    """The result of one level for some rows on some cells.

    sums : float64 (1 or cells, rows, n_units), the level's z. values : after the branch of the kink.
    bits : bool (cells, bits), the part of the cells' patterns that belongs to this level.
    """

    level: Level
    sums: Floats
    values: Floats
    bits: NDArray[np.bool_]


def walls_between(complex: Complex, eye: Floats) -> Ints:
    """The number of neurons of each layer that separate each cell from a point, int64 (cells, layers).

    eye : float64 (d,), in slice coordinates. A neuron separates them if its affine form on the cell has another sign at
        the point; a switch, if another candidate wins there. If one cell hides a part of another one from the eye, the
        hidden cell has the larger number in the first layer in which the numbers differ: a line of sight crosses a
        hyperplane of that layer at most once, as long as the pattern of the layers below is the same.
    """
    point = complex.domain.slice.points(eye)[None]
    counts = [np.zeros((0, complex.network.depth), np.int64)]
    for cells in parts_of(complex, 1):
        layers = []
        for step in through_levels(complex, point, cells, biases=True):
            if step.level.is_layer:
                at_eye = step.level.kink.bits(step.level.kink.pattern(step.sums[:, 0]))
                layers.append((at_eye != step.bits).sum(axis=1))
        counts.append(np.stack(layers, axis=1) if layers else np.zeros((len(step.bits), 0), np.int64))
    return np.concatenate(counts)


def parts_of(complex: Complex, rows: int) -> Iterator[slice]:
    """The cells in parts that fit into memory. rows : the number of rows for each cell."""
    network = complex.network
    widest = max([network.n_in, *(max(level.n_units, level.n_values) for level in network.levels)])
    some = max(1, NUMBERS_AT_ONCE // (rows * widest))
    return (slice(start, start + some) for start in range(0, len(complex), some))


def through_levels(complex: Complex, rows: Floats, cells: slice, biases: bool) -> Iterator[Step]:
    """Propagate rows, float64 (rows, n_in), through the affine maps of some cells, one step per level.

    biases : True for points, to propagate values; False for directions, to propagate derivatives.
    """
    from creases.network.evaluation import last_uses

    network = complex.network
    bits = np.unpackbits(complex.patterns[cells], axis=1, bitorder="little", count=network.bits).astype(np.bool_)
    ends = np.cumsum([0, *(int(places.sum()) for places in network.places)])
    layers = pairwise(ends)
    # The first levels are the same on all cells: their results have a leading axis of length one.
    values: list[Floats | None] = [rows[None]]
    for level, unneeded in zip(network.levels, last_uses(network.levels), strict=True):
        sums = level.sums(values) if biases else level.linear(values)
        begin, end = next(layers) if level.is_layer else (0, 0)
        own = bits[:, begin:end]
        pattern = level.kink.of_bits(own) if level.is_layer else np.zeros((1, 0), np.bool_)
        branch = level.kink.branch(pattern, level.n_units)
        latest = chosen(sums, branch.units) * one_a_cell(branch.slopes)
        if biases:
            latest = latest + one_a_cell(branch.offsets)
        values.append(latest)
        for source in unneeded:
            values[source] = None
        yield Step(level, sums, latest, own)


def one_a_cell(numbers: Floats) -> Floats:
    """The numbers of a branch, ([cells,] n_values), in a shape that broadcasts with rows of cells."""
    return numbers if numbers.ndim == 1 else numbers[:, None]


def chosen(sums: Floats, units: NDArray[np.int64] | None) -> Floats:
    """The sums of the units that give the values. sums : float64 (1 or cells, rows, n_units); units : int64 ([cells,]
    n_values)."""
    if units is None:
        return sums
    if units.ndim == 1:
        return sums[..., units]
    return np.take_along_axis(np.broadcast_to(sums, (len(units), *sums.shape[1:])), units[:, None], axis=2)
