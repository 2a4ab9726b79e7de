"""Check a complex independently of the code that found its cells and connected them.

For all cells at once: lists that fit one another, no pattern twice, the connections between cells and between faces
(the diamond property of the face lattice, Euler's relation), and volumes that add up. For some or all cells and facets,
in rationals (`exact_checks`): each corner from the walls through it, the signs of all neurons at the corners and at the
interior point, and the patterns on both sides of a facet, by evaluating the network there. On a Ball, other laws hold
for the faces that meet it (`ball_checks`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.complex.ball_checks import check_faces_in_ball, check_volumes_of_ball
from creases.complex.exact_checks import ExactChecks
from creases.complex.faces import Lattice
from creases.complex.faults import CORNER_TOLERANCE, not_right, size_of
from creases.complex.skeleton import NO_CELL
from creases.complex.triangulation import bounded_faces, simplices_of
from creases.domain import Ball, Box, Directions, Domain, Simplex
from creases.errors import NetworkError, NotEnoughMemoryError
from creases.exact_network import walls_of
from creases.streams import stream

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Check", "check_complex"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Volumes are summed in floats, from corners whose errors are up to CORNER_TOLERANCE of the domain's size.
VOLUME_TOLERANCE = 1e-7
MOST_VOLUME_DIMENSIONS = 4


@dataclass(frozen=True, repr=False)
class Check:
    """The result of `Complex.check`, which raises an error if a check fails.

    cells, facets : their numbers. f_vector : numbers of faces of dimension 0 to d.
    euler : the alternating sum of the f_vector, which has no meaning on a Ball.
    volume_error : relative difference between the sum of the cells' volumes and the volume of the domain; None if it
        was not computed, for unbounded domains, in more than four dimensions, and on a Ball.
    exact_cells, exact_facets : numbers of those that were checked in rational arithmetic.
    corner_error : the largest distance of a stored corner of these cells from the true one, relative to the size of the
        domain, or to the corner itself if the domain is unbounded.
    """

    cells: int
    facets: int
    f_vector: tuple[int, ...]
    euler: int
    volume_error: float | None
    exact_cells: int
    exact_facets: int
    corner_error: float

    @property
    def complete(self) -> bool:
        """Whether all cells and all facets were checked in rational arithmetic."""
        return self.exact_cells == self.cells and self.exact_facets == self.facets

    def __repr__(self) -> str:
        faces = ", ".join(f"{count:,}" for count in self.f_vector)
        volume = "" if self.volume_error is None else f", volumes {self.volume_error:.1g} off"
        return (
            f"Check({self.cells:,} cells, {self.facets:,} facets, faces ({faces}), Euler {self.euler}{volume}; in "
            f"rationals {self.exact_cells:,} cells and {self.exact_facets:,} facets, corners {self.corner_error:.1g} "
            "off)"
        )


def check_complex(complex: Complex, sample: int | None, seed: int) -> Check:
    """`Complex.check`."""
    if sample is not None and sample < 0:
        raise ValueError(f"sample is a number of cells, or None for all, got {sample}.")
    check_lists(complex)
    check_patterns(complex)
    lattice = lattice_of(complex)
    check_facets(complex)
    check_places(complex)
    check_diamonds(lattice)
    f_vector = tuple(len(level) for level in lattice.levels)
    euler = sum((-1) ** k * count for k, count in enumerate(f_vector))
    if isinstance(complex.domain, Ball):
        check_faces_in_ball(complex, lattice)
    else:
        check_euler(complex, f_vector, euler)
    volume_error = check_volumes(complex, lattice)
    random = stream("checked cells", seed)
    exact = ExactChecks(complex)
    cells, facets = (chosen(random, count, sample) for count in (len(complex), len(complex.facets)))
    corner_error = max((exact.check_cell(cell) for cell in cells.tolist()), default=0.0)
    for facet in facets.tolist():
        exact.check_facet(facet)
    return Check(
        cells=len(complex),
        facets=len(complex.facets),
        f_vector=f_vector,
        euler=euler,
        volume_error=volume_error,
        exact_cells=len(cells),
        exact_facets=len(facets),
        corner_error=corner_error,
    )


def lattice_of(complex: Complex) -> Lattice:
    """The faces of a complex. Any error while connecting its cells becomes an error of the check."""
    try:
        return complex._lattice
    except NotEnoughMemoryError:
        raise
    except Exception as error:
        raise not_right(f"its cells cannot be put together ({error!r})") from error


def chosen(random: np.random.Generator, count: int, sample: int | None) -> Ints:
    """A random sample of the indices below `count`, in order; all of them if `sample` is None."""
    if sample is None or sample >= count:
        return np.arange(count)
    return np.sort(random.choice(count, sample, replace=False))


def check_euler(complex: Complex, f_vector: tuple[int, ...], euler: int) -> None:
    """Check Euler's relation: the faces have the Euler characteristic of the domain, without faces at infinity."""
    expected = 1 if is_bounded(complex.domain) else (-1) ** complex.dimension
    if euler != expected:
        raise not_right(f"its faces {f_vector} have the Euler characteristic {euler}, and its domain has {expected}")


def is_bounded(domain: Domain) -> bool:
    """Whether a domain is bounded; directions are treated as a whole space of cones."""
    return isinstance(domain, Box) or domain.vertices is not None  # type: ignore[union-attr]


def check_lists(complex: Complex) -> None:
    """Check the lists of corners and sides: they are consecutive, and their walls exist."""
    from creases.engine.problem import FIRST_WALL, INFINITY

    first, corners = complex.first, complex.corners
    if len(first) < 2 or first[0] != 0 or (np.diff(first) < 1).any() or first[-1] != len(corners):
        raise not_right("the cells' corners are not listed one after the other")
    if corners.shape[1] != complex.domain.slice.dimension:
        raise not_right(f"corners have {corners.shape[1]} coordinates, and {complex.domain!r} has others")
    if not np.isfinite(corners).all():
        corner = int(np.argmin(np.isfinite(corners).all(axis=1)))
        raise not_right(f"corner {corner} has a coordinate that is not finite")
    far = complex.at_infinity
    lengths = np.linalg.norm(corners[far], axis=1)
    if (np.abs(lengths - 1.0) > CORNER_TOLERANCE).any():
        corner = int(np.flatnonzero(far)[np.argmax(np.abs(lengths - 1.0))])
        raise not_right(f"corner {corner} is a direction that has not length one")
    if isinstance(complex.domain, Directions) and not far.all():
        raise not_right(f"corner {int(np.argmin(far))} of directions is not at infinity")
    if is_bounded(complex.domain) and far.any():
        raise not_right(f"corner {int(np.argmax(far))} is at infinity, and {complex.domain!r} is bounded")
    walls = complex.edges if complex.is_flat else complex.given.sides.walls  # type: ignore[union-attr]
    own = len(walls_of(complex.domain))
    for wall in np.unique(walls).tolist():
        try:
            complex.wall_name(wall)
        except IndexError as error:
            raise not_right(str(error)) from error
        if wall <= FIRST_WALL - own or (wall == INFINITY and not complex.is_flat):
            name = complex.wall_name(wall)
            raise not_right(f"a side is named {name}, and {complex.domain!r} has {own} walls of its own")


def check_patterns(complex: Complex) -> None:
    """Check the patterns: one for each cell, all different, with one winner for each switch."""
    patterns, network = complex.patterns, complex.network
    width = (network.bits + 7) // 8
    if patterns.shape != (len(complex), width):
        raise not_right(f"patterns have shape {patterns.shape}, not ({len(complex)}, {width})")
    spare = np.unpackbits(patterns, axis=1, bitorder="little")[:, network.bits :]
    if spare.any():
        raise not_right(f"the pattern of cell {int(np.argmax(spare.any(axis=1)))} has a bit beyond the last")
    rows, firsts, counts = np.unique(patterns, axis=0, return_index=True, return_counts=True)
    if len(rows) < len(patterns):
        raise not_right(f"cell {int(firsts[np.argmax(counts > 1)])} and another have one pattern")
    try:
        for cell in range(len(complex) if network.bits > network.neurons else 0):
            complex.pattern(cell)
    except NetworkError as error:
        raise not_right(f"cell {cell} has no pattern: {error}") from error
    if complex.by_layer and complex.by_layer[-1] != len(complex):
        raise not_right(f"there are {len(complex)} cells, and the last layer is said to have {complex.by_layer[-1]}")
    check_layers(complex)


def check_layers(complex: Complex) -> None:
    """Check `by_layer`: there are as many regions after each layer as different patterns up to it."""
    ends = np.cumsum([int(places.sum()) for places in complex.network.places], dtype=np.int64)
    if len(complex.by_layer) != len(ends):
        raise not_right(f"by_layer has {len(complex.by_layer)} numbers, and the network has {len(ends)} layers")
    for layer, (end, said) in enumerate(zip(ends.tolist(), complex.by_layer, strict=True), 1):
        part = complex.patterns[:, : (end + 7) // 8].copy()
        if end % 8:
            part[:, -1] &= (1 << end % 8) - 1
        there = len(np.unique(part, axis=0))
        if there != said:
            raise not_right(f"there are {there} patterns up to layer {layer}, and by_layer says {said}")


def check_facets(complex: Complex) -> None:
    """Check the facets: each side is one facet, which has two cells or lies on the boundary of the domain."""
    facets, sides, of_sides = complex.facets, complex.sides, complex.side_facets
    counts = np.bincount(of_sides, minlength=len(facets))
    if len(of_sides) != len(sides.walls) or len(counts) != len(facets) or ((counts < 1) | (counts > 2)).any():
        raise not_right("a facet is not the side of one or two cells")
    owners = np.repeat(np.arange(len(complex)), np.diff(sides.first))
    # Across a facet of a complex on a ball there may be a cell that does not meet the ball (`ball_checks`).
    closed = not isinstance(complex.domain, Ball)
    expected = np.full((len(facets), 2), NO_CELL)
    order = np.lexsort((owners, of_sides))
    begins = np.cumsum(counts) - counts
    expected[:, 0] = owners[order][begins]
    expected[counts == 2, 1] = owners[order][begins[counts == 2] + 1]
    for what, wrong in (
        ("has other cells than those that have it as a side", (facets.cells != expected).any(axis=1)),
        ("is a side of one cell twice", expected[:, 0] == expected[:, 1]),
        ("is a wall of a neuron or switch, and has one cell", (facets.walls >= 0) & (counts == 1) & closed),
        ("is a wall of the domain, and has two cells", (facets.walls < 0) & (counts == 2)),
    ):
        if wrong.any():
            raise not_right(f"facet {int(np.argmax(wrong))} {what}")


def check_places(complex: Complex) -> None:
    """Check that corners that are the same vertex have the same coordinates."""
    numbers = complex.vertex_numbers
    own = numbers >= 0
    places, stored = complex.vertices[numbers[own]], complex.corners[own]
    if (complex.vertices_at_infinity[numbers[own]] != complex.at_infinity[own]).any():
        raise not_right("a corner at infinity and one that is not are one vertex")
    if len(complex.lineality):
        return  # a stored point represents all points that differ by the lineality directions
    sizes = np.full(len(stored), size_of(complex.domain))
    if np.isnan(sizes).any():
        sizes = np.abs(places).max(axis=1, initial=0.0)
    apart = np.abs(places - stored).max(axis=1, initial=0.0) > 2.0 * CORNER_TOLERANCE * sizes
    if apart.any():
        raise not_right(f"corner {int(np.flatnonzero(own)[np.argmax(apart)])} is not where its vertex is")


def check_diamonds(lattice: Lattice) -> None:
    """Check the diamond property: if a face lies on the boundary of one that has two dimensions more, exactly two faces
    lie between them."""
    from creases.complex.faces import incidence_of

    for k in range(2, len(lattice.levels)):
        above, below = (incidence_of(lattice, j).astype(np.int64) for j in (k, k - 1))
        between = (above @ below).tocoo()
        wrong = between.data != 2
        if wrong.any():
            i = int(np.argmax(wrong))
            raise not_right(
                f"face {between.row[i]} of dimension {k} has face {between.col[i]} of dimension {k - 2}, and "
                f"{between.data[i]} faces lie between them, not two"
            )


def check_volumes(complex: Complex, lattice: Lattice) -> float | None:
    """The relative difference between the sum of the cells' volumes and the domain's; None if it is not computed."""
    if not is_bounded(complex.domain) or complex.dimension > MOST_VOLUME_DIMENSIONS:
        return None
    whole_volume, extents = volume_of_domain(complex.domain)
    corners = complex.vertices - complex.vertices.min(axis=0)
    with np.errstate(all="ignore"):
        *_, (vertices, _) = simplices_of(lattice, bounded_faces(complex, lattice))
        simplices = corners[vertices]
        edges = (simplices[:, 1:] - simplices[:, :1]) / extents
        total = float(np.abs(np.linalg.det(edges)).sum()) / math.factorial(complex.dimension)
        error = abs(total / whole_volume - 1.0)
        # The possible effect of corner errors, on all walls together.
        allowed = VOLUME_TOLERANCE + 8.0 * CORNER_TOLERANCE * float((size_of(complex.domain) / extents).sum())
        if isinstance(complex.domain, Ball):
            if allowed < 1.0:
                check_volumes_of_ball(complex.domain, total, whole_volume, extents, allowed)
            return None
    if not error <= allowed and allowed < 1.0:
        raise not_right(f"the cells' volumes add up to {total / whole_volume:.9g} of the domain's")
    return error


def volume_of_domain(domain: Domain) -> tuple[float, Floats]:
    """The volume of a bounded domain relative to its bounding box, and the sides of that box, in its own
    coordinates."""
    if isinstance(domain, Box):
        free = domain.lower < domain.upper
        return 1.0, domain.upper[free] - domain.lower[free]
    vertices: Floats = domain.vertices  # type: ignore[union-attr, assignment]
    extents = np.ptp(vertices, axis=0)
    places = (vertices - vertices.min(axis=0)) / extents
    d = places.shape[1]
    if d == 1:
        return 1.0, extents
    if d == 2:
        x, y = places.T
        return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2.0, extents
    if isinstance(domain, Simplex):
        return abs(float(np.linalg.det(places[1:] - places[0]))) / math.factorial(d), extents
    from scipy.spatial import ConvexHull

    return float(ConvexHull(places).volume), extents
