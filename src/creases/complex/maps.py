"""The affine maps of a network on all cells, and norms of their gradients.

On a cell every kink is an affine map, so the network is a product of matrices. It is multiplied from the inputs
upwards, with a column for each coordinate, or from the outputs downwards, with a row for each output, depending on
which has fewer. All computations are in float64, and nothing is proved. Cells are processed in blocks, so memory is
bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.domain.lengths import directions_of
from creases.memory import enough_memory
from creases.network import Network
from creases.network.evaluation import last_uses
from creases.network.kinks import Branch
from creases.network.levels import Level
from creases.network.operators import Conv, ConvTranspose, Operator

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = [
    "AffineMaps",
    "GradientNorms",
    "affine_maps",
    "affine_maps_in_slice",
    "branches_of",
    "gradient_norms",
    "gradient_norms_along_slice",
    "map_blocks",
    "norms_of",
]

Floats = NDArray[np.float64]
Branches = Sequence[Branch]

# The largest number of entries of a block, over all arrays in memory at the same time: 64 MB.
AT_ONCE = 1 << 23
# The matrix of a convolution is not computed if it has more entries than this: 200 MB.
LARGEST_MATRIX = 1 << 24
REMEDY = "Ask for the maps of some cells only, or for `map_blocks`, or subdivide a smaller domain."


class AffineMaps(NamedTuple):
    """The affine maps x -> matrices[i] @ x + offsets[i] of cells.

    matrices : float64 (cells, n_out, n), where n is the number of inputs or of slice coordinates.
    offsets : float64 (cells, n_out).
    """

    matrices: Floats
    offsets: Floats


class GradientNorms(NamedTuple):
    """Norms of the matrices of affine maps, in units of outputs per unit of inputs.

    frobenius : float64 (cells,), the Frobenius norm, the root of the sum of all squared derivatives.
    spectral : float64 (cells,), the spectral norm, the largest singular value. For one output they are equal.
    """

    frobenius: Floats
    spectral: Floats


def affine_maps(complex: Complex, cells: ArrayLike | None = None) -> AffineMaps:
    """The affine maps of the network on cells, from inputs to outputs, as in `Complex.affine_map`.

    cells : int (c,), numbers of cells; None for all.
    Raises NotEnoughMemoryError if the maps do not fit into memory.

    Examples
    --------
    >>> from creases import Box, Network, subdivide
    >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 2.0]]], [[0.0, 0.0], [0.5]])
    >>> maps = affine_maps(subdivide(network, Box([-1], [1])))
    >>> maps.matrices[:, 0, 0], maps.offsets[:, 0]
    (array([-2.,  1.]), array([0.5, 0.5]))
    """
    return joined(complex.network, chosen(complex, cells), None)


def affine_maps_in_slice(complex: Complex, cells: ArrayLike | None = None) -> AffineMaps:
    """The affine maps from slice coordinates to outputs; matrices are float64 (c, n_out, d). Arguments as for
    `affine_maps`.
    """
    return joined(complex.network, chosen(complex, cells), frame_of(complex))


def gradient_norms(complex: Complex) -> GradientNorms:
    """The norms of the matrices of `affine_maps`. Memory does not grow with the number of inputs."""
    return norms_of(maps.matrices for maps in map_blocks(complex.network, complex.patterns))


def gradient_norms_along_slice(complex: Complex) -> GradientNorms:
    """The norms of the gradients of the network restricted to the domain's slice, per unit of length in input space."""
    frame = np.vstack([directions_of(complex.domain.slice), complex.domain.slice.origin])
    return norms_of(maps.matrices for maps in map_blocks(complex.network, complex.patterns, frame))


def chosen(complex: Complex, cells: ArrayLike | None) -> NDArray[np.uint8]:
    """The patterns of some cells, as packed rows."""
    if cells is None:
        return complex.patterns
    numbers = np.asarray(cells)
    # NumPy takes an empty list as floats.
    return np.atleast_2d(complex.patterns[numbers if numbers.size else np.zeros(0, np.int64)])


def frame_of(complex: Complex) -> Floats:
    """The basis of the domain's slice, followed by its origin: float64 (d + 1, n_in)."""
    sliced = complex.domain.slice
    return np.vstack([sliced.basis, sliced.origin])


def joined(network: Network, patterns: NDArray[np.uint8], frame: Floats | None) -> AffineMaps:
    """The maps of all blocks in one object."""
    n = network.n_in if frame is None else len(frame) - 1
    with enough_memory("Putting the affine maps of all cells together", REMEDY):
        matrices, offsets = np.empty((len(patterns), network.n_out, n)), np.empty((len(patterns), network.n_out))
        at = 0
        for maps in map_blocks(network, patterns, frame):
            end = at + len(maps.offsets)
            matrices[at:end], offsets[at:end] = maps
            at = end
    return AffineMaps(matrices, offsets)


def map_blocks(network: Network, patterns: NDArray[np.uint8], frame: Floats | None = None) -> Iterator[AffineMaps]:
    """The affine maps of cells with these packed patterns, in order, as an iterator over blocks of cells.

    patterns : uint8 (cells, ceil(bits / 8)).
    frame : float64 (k + 1, n_in); the maps then take k coordinates c of the input sum_i c[i] frame[i] + frame[k]. None
        for the inputs themselves.
    Raises NetworkError if a pattern does not fit the network.
    """
    columns = network.n_in + 1 if frame is None else len(frame)
    back = network.n_out < columns and not any(
        entries_of(operator) > LARGEST_MATRIX for level in network.levels for operator in level.sources.values()
    )
    widest = max(level.n_units + 2 * level.n_values for level in network.levels)
    each = network.n_out * widest if back else columns * widest
    size = max(1, AT_ONCE // (each + sum(level.n_values for level in network.levels)))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for at in range(0, len(patterns), size):
            branches = branches_of(network, patterns[at : at + size])
            count = len(patterns[at : at + size])
            if back:
                yield from_outputs(network, branches, count, frame)
            else:
                yield from_inputs(network, branches, count, frame)


def branches_of(network: Network, patterns: NDArray[np.uint8]) -> list[Branch]:
    """The affine map of each level's kink on packed patterns, with one entry per cell, or one for all if they agree."""
    bits = np.unpackbits(patterns, axis=1, bitorder="little", count=network.bits).astype(np.bool_)
    places = iter(network.places)
    branches, at = [], 0
    for level in network.levels:
        here = bits[:, :0]
        if level.is_layer:
            end = at + int(next(places).sum())
            here, at = bits[:, at:end], end
        branches.append(level.kink.branch(level.kink.of_bits(here) if level.is_layer else here, level.n_units))
    return branches


def carried(network: Network, branches: Branches, frame: Floats) -> Iterator[tuple[Level, Floats, Floats]]:
    """Each level with its sums and its values as affine functions, in order.

    frame : float64 (k + 1, n_in), as for `map_blocks`. Yields float64 (cells, k + 1, n_units) and (cells, k + 1,
        n_values), the constant last; with one cell only as long as all cells have the same.
    """
    values = frame[None]
    forms: list[Floats | None] = [values]
    for level, branch, unneeded in zip(network.levels, branches, last_uses(network.levels), strict=True):
        sums = level.linear(forms)
        sums[:, -1] += level.bias
        taken = (
            sums if branch.units is None else np.take_along_axis(sums, np.atleast_2d(branch.units)[:, None, :], axis=2)
        )
        values = taken * branch.slopes[..., None, :]
        values[:, -1] += branch.offsets
        forms.append(values)
        for source in unneeded:
            forms[source] = None
        yield level, sums, values


def from_inputs(network: Network, branches: Branches, count: int, frame: Floats | None) -> AffineMaps:
    """The maps with a column for each coordinate and the constant last, propagated upwards."""
    values = np.zeros(0)
    for _, _, latest in carried(network, branches, np.eye(network.n_in + 1, network.n_in) if frame is None else frame):
        values = latest
    values = np.broadcast_to(values, (count, *values.shape[1:]))
    return AffineMaps(np.ascontiguousarray(np.swapaxes(values[:, :-1], 1, 2)), values[:, -1].copy())


def from_outputs(network: Network, branches: Branches, count: int, frame: Floats | None) -> AffineMaps:
    """The maps with a row for each output, propagated downwards."""
    levels, n_out = network.levels, network.n_out
    rows = {len(levels): np.eye(n_out)[None]}  # by level, over its values: (1 or cells, n_out, n_values)
    offsets = np.zeros((count, n_out))
    for number in range(len(levels), 0, -1):
        if number not in rows:  # no later level takes it
            continue
        level, branch, above = levels[number - 1], branches[number - 1], rows.pop(number)
        offsets += (above @ branch.offsets[..., None])[..., 0]
        below = above * branch.slopes[..., None, :]
        if branch.units is not None:
            below = at_units(below, np.atleast_2d(branch.units), level)
        offsets += below @ level.bias
        for source, operator in level.sources.items():
            part = transposed(operator, below)
            rows[source] = rows[source] + part if source in rows else part
    matrices = rows.get(0, np.zeros((1, n_out, network.n_in)))
    if frame is not None:
        offsets += matrices @ frame[-1]
        matrices = matrices @ frame[:-1].T
    return AffineMaps(np.array(np.broadcast_to(matrices, (count, *matrices.shape[1:]))), offsets)


def at_units(rows: Floats, units: NDArray[np.int64], level: Level) -> Floats:
    """Rows over the values of a level, converted to rows over its units; each value is that of one unit.

    rows : float64 (1 or cells, n_out, n_values). units : int64 (cells, n_values). Several values may have the same
        unit.
    """
    cells = len(units)
    spread = np.zeros((cells, level.n_units, rows.shape[1]))
    turned = np.broadcast_to(np.swapaxes(rows, 1, 2), (cells, rows.shape[2], rows.shape[1]))
    np.add.at(spread, (np.arange(cells)[:, None], units), turned)
    return np.swapaxes(spread, 1, 2)


def transposed(operator: Operator, rows: Floats) -> Floats:
    """rows @ (the operator's matrix): float64 (..., n_out) -> (..., n_in)."""
    flat = rows.reshape(-1, operator.n_out)
    if operator.divisors is not None:
        flat = flat / operator.divisors
    matrix = operator.matrix
    found = flat @ matrix if isinstance(matrix, np.ndarray) else np.asarray((matrix.T @ flat.T).T)
    return np.asarray(found.reshape(*rows.shape[:-1], operator.n_in))


def entries_of(operator: Operator) -> int:
    """The number of entries of a convolution's matrix; 0 for another operator, whose matrix is no larger than the
    operator."""
    if not isinstance(operator, (Conv, ConvTranspose)):
        return 0
    places = operator.n_out if isinstance(operator, Conv) else operator.n_in
    return int(places * (operator.weight.size // operator.weight.shape[0]))


def norms_of(blocks: Iterator[Floats]) -> GradientNorms:
    """The norms of matrices given as blocks, float64 (cells, n_out, n) each."""
    norms: list[tuple[Floats, Floats]] = []
    for matrices in blocks:
        # The entries are divided by the largest, so that squares stay in the range of float64.
        size = np.abs(matrices).max(axis=(1, 2), initial=0.0)
        with np.errstate(invalid="ignore", over="ignore"):
            near = matrices / np.where((size > 0) & np.isfinite(size), size, 1.0)[:, None, None]
            frobenius = size * np.sqrt(np.square(near).sum(axis=(1, 2)))
            norms.append((frobenius, size * largest_singular(near) if min(near.shape[1:]) > 1 else frobenius))
    if not norms:
        return GradientNorms(np.zeros(0), np.zeros(0))
    return GradientNorms(*(np.concatenate(parts) for parts in zip(*norms, strict=True)))


def largest_singular(matrices: Floats) -> Floats:
    """The largest singular value of each matrix: the square root of the largest eigenvalue of the smaller of its two
    products with its transpose, which is accurate for the largest one."""
    turned = np.swapaxes(matrices, 1, 2)
    products = matrices @ turned if matrices.shape[1] <= matrices.shape[2] else turned @ matrices
    good = np.isfinite(products).all(axis=(1, 2))
    found = np.full(len(products), np.nan)
    found[good] = np.sqrt(np.maximum(np.linalg.eigvalsh(products[good])[:, -1], 0.0))
    return found
