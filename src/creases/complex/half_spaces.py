"""The half-spaces whose intersection is a cell, one for each of its sides, none of them redundant.

For neurons and switches they are given by the affine functions on the cell, for the domain by its exact walls, rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.maps import branches_of, carried, frame_of
from creases.complex.skeleton import sides_of
from creases.domain import Directions
from creases.memory import enough_memory
from creases.network.kinks import Clip, Kink, Max
from creases.network.kinks.slopes import TwoSlopes
from creases.packing import as_problem

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.engine.answers.sides import Sides

__all__ = ["half_spaces"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The largest number of entries of a block: 32 MB.
AT_ONCE = 1 << 22


def half_spaces(complex: Complex) -> Floats:
    """For each of `complex.sides`, an affine function that is positive on its cell and zero on the side.

    Returns float64 (sides, d + 1): the function is row[:-1] @ u + row[-1] in slice coordinates u. For `Directions` the
    last number is zero. The coefficients are rounded and not normalised.
    """
    sides = sides_of(complex)[0]
    with enough_memory("Finding the half-spaces of all cells", "Subdivide a smaller domain."):
        functions = np.zeros((len(sides.walls), complex.dimension + 1))
        of_domain(complex, sides, functions)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            of_network(complex, sides, functions)
        if isinstance(complex.domain, Directions):
            functions[:, -1] = 0.0
    return functions


def of_domain(complex: Complex, sides: Sides, functions: Floats) -> None:
    """Fill in the half-spaces of the domain's own walls."""
    from creases.engine.problem import FIRST_WALL
    from creases.engine.proof.edges import RationalEdges
    from creases.engine.starts.tiles import nearest_forms

    own = np.flatnonzero(sides.walls < 0)
    if len(own):
        edges = RationalEdges.of(as_problem(complex.network, complex.domain))
        forms, _ = nearest_forms([edges.wall(FIRST_WALL - i) for i in range(edges.walls)])
        functions[own] = forms[FIRST_WALL - sides.walls[own]]


class Places(NamedTuple):
    """For each bit of a layer's pattern, the comparison: unit units[i] minus shifts[i] with zero, or with another
    candidate.

    units : int64 (bits,). shifts : float64 (bits,).
    """

    units: Ints
    shifts: Floats


def places_of(kink: Kink, n_units: int) -> Places:
    """The bits of a layer."""
    if isinstance(kink, Max):
        return Places(kink.units, np.zeros(len(kink.units)))
    if isinstance(kink, Clip):
        return Places(np.tile(np.arange(n_units), 2), kink.bounds(n_units).ravel())
    assert isinstance(kink, TwoSlopes)
    bent = np.flatnonzero(kink.bent(n_units))
    return Places(bent, np.zeros(len(bent)))


def of_network(complex: Complex, sides: Sides, functions: Floats) -> None:
    """Fill in the half-spaces of neurons and switches."""
    network, frame = complex.network, frame_of(complex)
    bits = network.bits
    if not bits:
        return
    layers = [network.levels[number - 1] for number in network.layers]
    places = [places_of(level.kink, level.n_units) for level in layers]
    begins = np.cumsum([0, *(len(place.units) for place in places)])
    widest = max(level.n_units + 2 * level.n_values for level in network.levels)
    size = max(1, AT_ONCE // (len(frame) * widest))
    for at in range(0, len(complex), size):
        end = min(at + size, len(complex))
        rows = np.arange(sides.first[at], sides.first[end])
        cells = np.repeat(np.arange(end - at), np.diff(sides.first[at : end + 1]))
        rows, cells = rows[sides.walls[rows] >= 0], cells[sides.walls[rows] >= 0]
        further, bit = np.divmod(sides.walls[rows], bits)
        layer_of = np.searchsorted(begins, bit, side="right") - 1
        patterns = complex.patterns[at:end]
        steps = (sums for level, sums, _ in carried(network, branches_of(network, patterns), frame) if level.is_layer)
        for layer, (sums, place) in enumerate(zip(steps, places, strict=True)):
            here = layer_of == layer
            one, other = bit[here] - begins[layer], further[here] - 1
            mine = np.where(len(sums) == 1, 0, cells[here])
            forms = sums[mine, :, place.units[one]]
            forms[:, -1] -= place.shifts[one]
            switched = np.flatnonzero(other >= 0)
            forms[switched] -= sums[mine[switched], :, place.units[(one + other)[switched]]]
            on = patterns[cells[here], bit[here] // 8] >> (bit[here] % 8).astype(np.uint8) & 1
            functions[rows[here]] = np.where(on[:, None] == 1, forms, -forms)
