"""Bent hyperplanes and strata: the sets where neurons vanish, their volumes and their connected components.

Across a facet of a bent hyperplane its neuron changes its sign, and at a face of stratum k exactly k neurons do. A
switch counts as the number of its winners minus one. Signs and faces are proved; volumes are sums of floats. A neuron
that is zero without changing its sign, like -relu(x) - relu(-x) at 0, does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.faces import Faces, Lattice, Lists
from creases.complex.faults import refuse_ball
from creases.complex.triangulation import bounded_faces, face_volumes
from creases.domain import Directions
from creases.domain.volume import volume_of
from creases.lists import spans
from creases.network import Network

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["BentHyperplanes", "Strata", "bent_hyperplanes", "strata_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The largest number of bytes of patterns in one batch.
BYTES_AT_ONCE = 1 << 25


class BentHyperplanes(NamedTuple):
    """The bent hyperplanes of a complex: a row for each neuron, and one for each pair of candidates of a switch that
    win in adjacent cells.

    walls : int64 (w,), the wall numbers, as `Complex.wall_name` reads them; ascending, neurons first.
    pieces : int64 (w,), the number of facets inside the domain on which it lies.
    volumes : float64 (w,), the (d - 1)-volume of these facets in the units of input space: a number of points, a
        length, an area; infinite if a facet is unbounded or the volume exceeds float64.
    components : int64 (w,), the number of connected components, where facets are connected across common ridges (faces
        of dimension d - 2).
    bounded_components : int64 (w,), how many of these are bounded.
    first : int64 (w + 1,); the pieces of row i are facets[first[i] : first[i + 1]], rows of `Complex.facets`, in
        ascending order. A facet on which several neurons vanish is a piece of each.
    facets : int64, rows of `Complex.facets`. component_numbers : int64, the component of its row to which each of them
        belongs, from 0.
    """

    walls: Ints
    pieces: Ints
    volumes: Floats
    components: Ints
    bounded_components: Ints
    first: Ints
    facets: Ints
    component_numbers: Ints

    def __repr__(self) -> str:
        cut, parts = int((self.pieces > 0).sum()), int(self.components.sum())
        return f"BentHyperplanes({len(self.walls):,} rows, {cut:,} with pieces, {parts:,} components)"

    @property
    def is_bounded(self) -> Bools:
        """Whether each bent hyperplane is bounded, bool (w,); True if it is empty."""
        return np.asarray(self.components == self.bounded_components)


class Strata(NamedTuple):
    """The strata k = 0 ... d of a complex. Entry k of each array is about faces of dimension d - k.

    numbers : int64 (d + 1,), the number of faces inside the domain at which exactly k neurons vanish; entry 0 is the
        number of cells.
    volumes : float64 (d + 1,), the (d - k)-volume of these faces in the units of input space, infinite if a face is
        unbounded; for points (k = d) their number.
    other_numbers, other_volumes : the same for the faces of dimension d - k at which more than k neurons vanish; zero
        if the bent hyperplanes are in general position.
    volume : volume of the domain in the units of input space; infinite if it is unbounded or exceeds float64.

    On `Directions`, d is the dimension of the sphere, and faces are cones with infinite volume.
    """

    numbers: Ints
    volumes: Floats
    other_numbers: Ints
    other_volumes: Floats
    volume: float

    @property
    def per_volume(self) -> Floats:
        """Volumes of the strata per unit of the domain's volume, float64 (d + 1,); NaN if that volume is infinite,
        or zero in float64.
        """
        if not 0.0 < self.volume < np.inf:
            return np.full(len(self.volumes), np.nan)
        return self.volumes / self.volume


def bent_hyperplanes(complex: Complex) -> BentHyperplanes:
    """`Complex.bent_hyperplanes`."""
    refuse_ball(complex.domain, "Bent hyperplanes")
    facets, walls = changes_at_facets(complex)
    order = np.lexsort((facets, walls))
    facets, walls = facets[order], walls[order]
    kinds = np.union1d(neurons_of(complex.network), walls)
    rows = np.searchsorted(kinds, walls)
    pieces = np.bincount(rows, minlength=len(kinds))
    lattice, dimension = complex._lattice, complex.dimension - 1
    sizes = face_volumes(complex, lattice)[dimension][facets]
    # Not by the volumes, which are also infinite for bounded sets that exceed the range of floats.
    bounded = bounded_faces(complex, lattice)[dimension][facets]
    numbers, owners = components_of(rows, facets, ridges_of_facets(complex, lattice))
    open_ones = np.zeros(len(owners), np.bool_)
    if dimension:  # points are bounded, and for directions so is the origin
        np.logical_or.at(open_ones, numbers, ~bounded)
    components = np.bincount(owners, minlength=len(kinds))
    # For empty input bincount returns integers.
    volumes = np.bincount(rows, sizes, minlength=len(kinds)).astype(np.float64)
    first_numbers = np.cumsum(components) - components
    return BentHyperplanes(
        kinds,
        pieces,
        volumes,
        components,
        np.bincount(owners[~open_ones], minlength=len(kinds)),
        np.concatenate([[0], np.cumsum(pieces)]),
        facets,
        numbers - first_numbers[rows],
    )


def neurons_of(network: Network) -> Ints:
    """The bits of a pattern that belong to neurons rather than candidates of switches; these are their wall numbers."""
    places = np.concatenate([np.zeros(0, np.int64), *network.places])
    return np.asarray((np.cumsum(places) - places)[places == 1])


def changes_at_facets(complex: Complex) -> tuple[Ints, Ints]:
    """The changes across each inner facet, as pairs of facets and walls (numbered as for `Complex.wall_name`)."""
    inner = np.flatnonzero(complex.facets.inner)
    cells, patterns = complex.facets.cells[inner], complex.patterns
    facets, bits = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    step = max(BYTES_AT_ONCE // max(patterns.shape[1], 1), 1)
    for begin in range(0, len(inner), step):
        some = slice(begin, begin + step)
        changed = patterns[cells[some, 0]] ^ patterns[cells[some, 1]]
        at, byte = np.nonzero(changed)
        which, bit = np.nonzero(np.unpackbits(changed[at, byte][:, None], axis=1, bitorder="little"))
        facets.append(inner[some][at[which]])
        bits.append(8 * byte[which] + bit)
    return as_walls(complex.network, np.concatenate(facets), np.concatenate(bits))


def as_walls(network: Network, facets: Ints, bits: Ints) -> tuple[Ints, Ints]:
    """For each facet, the walls of the bits that change there: one bit for a neuron, two together for a switch."""
    places = np.concatenate([np.zeros(0, np.int64), *network.places])
    unit = np.repeat(np.arange(len(places)), places)[bits]
    single = places[unit] == 1
    order = np.lexsort((bits[~single], unit[~single], facets[~single]))
    pairs, where = bits[~single][order].reshape(-1, 2), facets[~single][order].reshape(-1, 2)[:, 0]
    walls = network.bits * (1 + pairs[:, 1] - pairs[:, 0]) + pairs[:, 0]
    return np.concatenate([facets[single], where]), np.concatenate([bits[single], walls])


def ridges_of_facets(complex: Complex, lattice: Lattice) -> Lists:
    """For each facet, the faces of one dimension less on its boundary. The origin of directions does not count."""
    ridges = lattice.boundaries[complex.dimension - 1]
    if isinstance(complex.domain, Directions) and complex.dimension - 2 == len(complex.lineality):
        return Lists(np.zeros_like(ridges.first), ridges.values[:0])
    return ridges


def components_of(rows: Ints, facets: Ints, ridges: Lists) -> tuple[Ints, Ints]:
    """The component of each piece, numbered through all rows in ascending order; and the row of each component.

    rows, facets : int64 (pieces,), the wall and the facet of each. ridges : of each facet.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(facets)
    if not count:
        return rows, rows
    # For each piece, the ridges of its facet; pieces of the same row are connected if they share one.
    many = np.diff(ridges.first)[facets]
    pieces = np.repeat(np.arange(count), many)
    mine = ridges.values[spans(ridges.first[facets], many)]
    shared = rows[pieces] * (int(ridges.values.max(initial=0)) + 1) + mine
    _, joint = np.unique(shared, return_inverse=True)
    total = count + int(joint.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(pieces), np.bool_), (pieces, count + joint)), shape=(total, total))
    labels = connected_components(graph, directed=False)[1][:count]
    # Rows are ascending, so components in the order of their first pieces are too.
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse], rows[np.sort(first)]


def strata_of(complex: Complex) -> Strata:
    """`Complex.strata`."""
    refuse_ball(complex.domain, "Strata")
    d, lattice = complex.dimension, complex._lattice
    # For directions, a cone has one dimension more than its part of the sphere.
    highest = d - isinstance(complex.domain, Directions)
    numbers, others = np.zeros((2, highest + 1), np.int64)
    volumes, other_volumes = np.zeros((2, highest + 1))
    volume = volume_of(complex.domain)
    # If the volume of the domain is not representable, that of the cells is what floats give.
    whole = float(complex.volumes.sum()) if volume is None else volume
    numbers[0], volumes[0] = len(complex), whole
    border, sizes = border_of(complex, lattice), face_volumes(complex, lattice)
    for k in range(1, highest + 1 - len(complex.lineality)):
        inside = np.flatnonzero(~border[d - k])
        exactly = vanishing_at(complex, lattice.levels[d - k], inside) == k
        mine = sizes[d - k][inside]
        numbers[k], others[k] = exactly.sum(), (~exactly).sum()
        volumes[k], other_volumes[k] = mine[exactly].sum(), mine[~exactly].sum()
    return Strata(numbers, volumes, others, other_volumes, whole)


def border_of(complex: Complex, lattice: Lattice) -> list[Bools]:
    """Whether each face of dimension less than d lies in the boundary of the domain, by dimension."""
    in_border = [np.zeros(len(level), np.bool_) for level in lattice.levels[:-1]]
    in_border[-1][:] = complex.facets.walls < 0
    for k in range(len(in_border) - 1, 0, -1):
        boundary, mine = lattice.boundaries[k], np.flatnonzero(in_border[k])
        in_border[k - 1][boundary.values[spans(boundary.first[mine], np.diff(boundary.first)[mine])]] = True
    return in_border


def vanishing_at(complex: Complex, faces: Faces, chosen: Ints) -> Ints:
    """The number of neurons that vanish at each chosen face, int64: those that change their sign among its cells."""
    places = np.concatenate([np.zeros(0, np.int64), *complex.network.places])
    starts, vanishing = np.cumsum(places) - places, np.zeros(len(chosen), np.int64)
    if not len(places):
        return vanishing
    sizes = np.diff(faces.cell_first)[chosen]
    step = max(BYTES_AT_ONCE // (8 * complex.network.bits * int(sizes.max(initial=1))), 1)
    for begin in range(0, len(chosen), step):
        some, of = chosen[begin : begin + step], sizes[begin : begin + step]
        first = np.cumsum(of) - of
        patterns = complex.patterns[faces.cells[spans(faces.cell_first[some], of)]]
        changing: Any = np.bitwise_or.reduceat(patterns, first) & ~np.bitwise_and.reduceat(patterns, first)
        bits = np.unpackbits(changing, axis=1, bitorder="little", count=complex.network.bits)
        units = np.add.reduceat(bits, starts, axis=1, dtype=np.int64)
        vanishing[begin : begin + step] = np.maximum(units - (places > 1), 0).sum(axis=1)
    return vanishing
