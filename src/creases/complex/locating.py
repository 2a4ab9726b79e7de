"""The cells in which points lie, and the cells that a segment meets, by proof.

The pattern of a point in floats gives the cell that may contain it, by a look-up. Running error bounds then prove that
all its signs are correct; if they do not, near a wall or where a neuron vanishes on a whole cell, the exact walls of
the cell decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.complex.skeleton import NO_CELL, sides_of
from creases.domain import Directions, Segment
from creases.errors import DomainError, NetworkError
from creases.network import Network
from creases.packing import as_problem

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Along", "Locator", "along", "locator_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

locators: WeakKeyDictionary[Complex, Locator] = WeakKeyDictionary()

INSIDE, ON, OUTSIDE, UNPROVED = 1, 0, -1, 2
POINTS_AT_ONCE = 4096


class Along(NamedTuple):
    """The cells that a segment meets, in order.

    cells : int64 (pieces,), numbers of cells; -1 for a piece that lies in a wall.
    breaks : float64 (pieces + 1,), the ends of the pieces along the segment, from 0.0 at its start to 1.0 at its end.
    """

    cells: Ints
    breaks: Floats


class Locator:
    """Finds the cells of points. It stores a table of all patterns, and the exact walls of cells that were needed."""

    def __init__(self, complex: Complex) -> None:
        from creases.engine.problem import FIRST_WALL
        from creases.engine.proof.edges import RationalEdges

        # Not the complex itself, which would then never be released (`locator_of`).
        self._domain, self._patterns, self._bits = complex.domain, complex.patterns, complex.network.bits
        self._problem = as_problem(complex.network, complex.domain)
        self._sides = sides_of(complex)[0]
        self._numbers = {key: number for number, key in enumerate(keys_of(complex.patterns))}
        self._edges = RationalEdges.of(self._problem)
        self._domain_walls = [self._edges.wall(FIRST_WALL - i) for i in range(self._edges.walls)]
        directions = isinstance(complex.domain, Directions)
        self._network = without_biases(complex.network) if directions else complex.network
        self._last = 0.0 if directions else 1.0  # the last homogeneous coordinate

    def locate(self, points: ArrayLike) -> Ints:
        """`Complex.locate`."""
        places = self.checked(points)
        found = [self._some(places[at : at + POINTS_AT_ONCE]) for at in range(0, len(places), POINTS_AT_ONCE)]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def checked(self, points: ArrayLike) -> Floats:
        """Points as float64 (n, d). Raises DomainError on another shape, or a number that is not finite."""
        places, d = as_floats(points, "Points", DomainError), self._domain.slice.dimension
        if places.ndim != 2 or places.shape[1] != d:
            raise DomainError(
                f"Points of {self._domain!r} have shape (n, {d}), in slice coordinates; got shape "
                f"{places.shape}. Of inputs, complex.domain.slice.coordinates(inputs) gives them."
            )
        if not np.isfinite(places).all():
            raise DomainError("A point has a coordinate that is not finite.")
        return places

    def in_domain(self, places: Floats) -> NDArray[np.int8]:
        """INSIDE, ON the boundary or OUTSIDE of the domain, int8 (points,)."""
        return where(self._domain_walls, places, self._last)

    def _some(self, places: Floats) -> Ints:
        from creases.engine.proof.inside import proved_by_floats
        from creases.engine.state.pattern import bits_of_bytes

        patterns = np.zeros((len(places), self._patterns.shape[1]), np.uint8)
        if self._network is not None:
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):
                inputs = self._domain.slice.points(places)
                held = np.isfinite(inputs).all(axis=1)  # inputs that overflow are left to rationals
                patterns[held] = self._network.packed_pattern(inputs[held])
        keys = keys_of(patterns)
        guesses = np.array([self._numbers.get(key, NO_CELL) for key in keys], np.int64)
        rays = np.column_stack([places, np.full(len(places), self._last)])
        proved = proved_by_floats(self._problem, rays, bits_of_bytes(patterns, self._bits))
        # At a coordinate of zero, the bounds ignore the numbers that it multiplies, also in its neighbourhood.
        proved &= (places != 0.0).all(axis=1)
        inside = self.in_domain(places) == INSIDE
        left = np.flatnonzero(inside & ~proved)
        cells = np.where(inside & proved, guesses, NO_CELL)
        if len(left):
            cells[left] = self._exactly(places[left], guesses[left], [keys[i] for i in left.tolist()])
        return cells

    def _exactly(self, places: Floats, guesses: Ints, keys: Sequence[bytes]) -> Ints:
        """The cells of points for which floats prove none. Points with the same pattern in floats are probably in the
        same cell, so the exact cell of one of them is tried for the others."""
        cells, guesses = np.full(len(places), NO_CELL), guesses.copy()
        known: dict[bytes, int] = {}
        groups = np.array([known.setdefault(key, len(known)) for key in keys])
        open_, tried_last = np.ones(len(places), np.bool_), np.zeros(0, np.int64)
        while True:
            for cell in np.unique(guesses[open_ & (guesses != NO_CELL)]).tolist():
                tried = np.flatnonzero(open_ & (guesses == cell))
                signs = where(self._walls(cell), places[tried], self._last)
                cells[tried[signs == INSIDE]] = cell
                open_[tried[signs != OUTSIDE]] = False  # a point on a wall lies in no cell
            open_[tried_last] = False  # their exact patterns are those of the cells that were tried, or of no cell
            left = np.flatnonzero(open_)
            if not len(left):
                return cells
            _, firsts, members = np.unique(groups[left], return_index=True, return_inverse=True)
            numbers = np.array([self._number_at(places[left[first]]) for first in firsts.tolist()], np.int64)
            guesses[left], tried_last = numbers[members], left[firsts]

    def of_pieces(self, patterns: Bytes, ends: Floats) -> Ints:
        """The cells of the pieces of a segment with these patterns; -1 for pieces that lie in a wall.

        A piece lies in the closed cell with its pattern, where no form has the wrong sign: in its interior, or entirely
        in a wall.
        ends : float64 (2, d), of the segment; a form that is zero at both is zero all along.
        """
        cells = np.array([self._numbers.get(key, NO_CELL) for key in keys_of(patterns)], np.int64)
        for piece in np.flatnonzero(cells != NO_CELL).tolist():
            signs = (signs_at(self._walls(int(cells[piece])), end, self._last) for end in ends)
            if (0, 0) in zip(*signs, strict=True):
                cells[piece] = NO_CELL
        return cells

    def _walls(self, cell: int) -> list[Any]:
        """The exact inward forms of a cell's sides."""
        from creases.engine.state.pattern import bits_of_bytes

        sides, patterns = self._sides, self._patterns[cell : cell + 1]
        pattern = self._edges.pattern(bits_of_bytes(patterns, self._bits)[0])
        walls = sides.walls[sides.first[cell] : sides.first[cell + 1]].tolist()
        return [self._edges.edge(wall, pattern) for wall in walls]

    def _number_at(self, place: Floats) -> int:
        """The cell with the exact pattern at a point, which need not be inside of it; -1 if there is none."""
        from creases.engine.proof.rational import value_at
        from creases.engine.proof.rational_forms import decided
        from creases.engine.state.pattern import bytes_of_bits

        ray = [*map(Fraction, place.tolist()), Fraction(self._last)]
        pattern: list[Bools] = []
        for layer in range(self._problem.depth):
            forms = self._edges.forms.forms(layer, pattern)
            pattern.append(decided(self._problem.graph.layer(layer), [value_at(form, ray) for form in forms]))
        bits = np.concatenate([np.zeros(0, np.bool_), *pattern])
        return self._numbers.get(keys_of(bytes_of_bits(bits[None]))[0], NO_CELL)


def locator_of(complex: Complex) -> Locator:
    """The locator of a complex, cached. It is stored outside of the complex, because its rationals cannot be pickled
    or copied.
    """
    if complex not in locators:
        locators[complex] = Locator(complex)
    return locators[complex]


def without_biases(network: Network) -> Network | None:
    """The network whose patterns are those of directions. None if there is a clip; rational arithmetic is used then."""
    try:
        return network.without_biases()
    except NetworkError:
        return None


def keys_of(patterns: Bytes) -> list[bytes]:
    """Each pattern as bytes."""
    width = patterns.shape[1]
    if not width:
        return [b""] * len(patterns)
    whole: list[bytes] = np.ascontiguousarray(patterns).view(f"V{width}").ravel().tolist()
    return whole


def where(forms: Sequence[Any], places: Floats, last: float) -> NDArray[np.int8]:
    """INSIDE where all exact forms are positive, OUTSIDE where one is negative, else ON: int8 (points,).

    last : the homogeneous coordinate of all points, 1.0, or 0.0 of directions.
    """
    from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT
    from creases.engine.starts.tiles import nearest_forms

    if not len(forms) or not len(places):
        return np.full(len(places), INSIDE, np.int8)
    near, bounds = nearest_forms(forms)
    rays = np.column_stack([places, np.full(len(places), last)])
    with np.errstate(all="ignore"):  # a number that overflows proves nothing
        values = rays @ near.T
        # Each of the k products has an error of one unit, and their sum of k - 1 more, relative to the sizes; the forms
        # have errors up to their bounds.
        lost = (rays.shape[1] + 1) * UNIT * (np.abs(rays) @ np.abs(near).T)
        lost += np.abs(places).max(axis=1, initial=0.0)[:, None] * bounds[:, 0] + abs(last) * bounds[:, 1]
        lost = lost * ROUND_UP + UNDERFLOW
        inside, outside = (values > lost).all(axis=1), (values < -lost).any(axis=1)
    places_of = np.where(inside, INSIDE, np.where(outside, OUTSIDE, UNPROVED)).astype(np.int8)
    for i in np.flatnonzero(places_of == UNPROVED).tolist():
        places_of[i] = min(signs_at(forms, places[i], last))
    return places_of


def signs_at(forms: Sequence[Any], place: Floats, last: float) -> Iterator[int]:
    """The signs of exact forms at a point."""
    from creases.engine.proof.rational import value_at

    ray = [*map(Fraction, place.tolist()), Fraction(last)]
    for form in forms:
        value = value_at(form, ray)
        yield (value > 0) - (value < 0)


def along(complex: Complex, segment: Segment | ArrayLike) -> Along:
    """`Complex.along`."""
    from creases.engine.answers.cell_table import cut_into_cells

    if isinstance(complex.domain, Directions):
        raise DomainError("No segment lies in a domain of directions. Cut a Space, or count on the segment itself.")
    locator = locator_of(complex)
    ends = ends_of(complex, locator, segment)
    for name, sign in zip(("start", "end"), locator.in_domain(ends).tolist(), strict=True):
        if sign == OUTSIDE:
            raise DomainError(
                f"The segment's {name} lies outside of {complex.domain!r}. Give the part that lies inside, or cut a "
                "larger domain."
            )
    inputs = complex.domain.slice.points(ends)
    table = cut_into_cells(as_problem(complex.network, Segment(*inputs)), threads=1, report=lambda regions: None)
    # Each is rounded separately, so two of them may be out of order.
    breaks = np.maximum.accumulate(np.append(table.corners[::2, 0], 1.0))
    if are_exact(complex, ends, inputs):
        return Along(locator.of_pieces(table.patterns, ends), breaks)
    middles = ((breaks[1:] + breaks[:-1]) / 2.0)[:, None]
    # In this way both coordinates of a diagonal are rounded equally.
    return Along(locator.locate(ends[0] * (1.0 - middles) + ends[1] * middles), breaks)


def are_exact(complex: Complex, places: Floats, inputs: Floats) -> bool:
    """Whether these inputs are exactly those of places in slice coordinates, without rounding."""
    sliced = complex.domain.slice
    rows = [*sliced.basis.T.tolist()], [*sliced.basis_tail.T.tolist()]
    for place, point in zip(places.tolist(), inputs.tolist(), strict=True):
        coordinates = [*map(Fraction, place)]
        for origin, heads, tails, given in zip(sliced.origin.tolist(), *rows, point, strict=True):
            basis = (Fraction(head) + Fraction(tail) for head, tail in zip(heads, tails, strict=True))
            if Fraction(origin) + sum(map(mul, coordinates, basis)) != given:
                return False
    return True


def ends_of(complex: Complex, locator: Locator, segment: Segment | ArrayLike) -> Floats:
    """The two ends in slice coordinates, float64 (2, d)."""
    if isinstance(segment, Segment):
        inputs, sliced = np.array([segment.start, segment.end]), complex.domain.slice
        if inputs.shape[1] != sliced.n_in:
            raise DomainError(f"{segment!r} lies in another space than {complex.domain!r}, of {sliced.n_in} inputs.")
        ends = locator.checked(sliced.coordinates(inputs))
        if np.abs(sliced.points(ends) - inputs).max() > 1e-9 * np.abs(inputs).max():
            raise DomainError(f"{segment!r} does not lie in the slice of {complex.domain!r}. Count on it by itself.")
    else:
        ends = locator.checked(segment)
    if len(ends) != 2 or (ends[0] == ends[1]).all():
        raise DomainError(f"A segment is given by two different points, shape (2, d); got {len(ends)} points.")
    return ends
