"""The kernels of three dimensions and more, one by one, against twins in fractions."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

import reference
from creases.engine.cells.arrangement import pieces_and_far
from creases.engine.cells.corner import place_corner
from creases.engine.proof.rational import meeting_ray
from creases.engine.state.cell_layout import (
    CELL,
    MOST_CHORDS,
    SECTION_BOUNDS,
    SECTION_MASKS,
)
from creases.engine.state.facet_masks import (
    NO_PLACE,
    count_bits,
    count_facets,
    free_place,
    list_facets,
    lowest_bit,
    number_anew,
    place_of_facet,
    words_of_places,
)
from creases.engine.state.growth import with_room
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    PLACES,
    UNPROVED_COUNT,
)
from creases.engine.state.work import allocate_in_space
from engine_twins import amount

# Corners.


def true_corner(rows):
    """Where d exact forms meet, by elimination in fractions; None if they are dependent."""
    d = len(rows[0]) - 1
    matrix = [[Fraction(x) for x in row] for row in rows]
    for column in range(d):
        pivot = next((i for i in range(column, len(matrix)) if matrix[i][column]), None)
        if pivot is None:
            return None
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        matrix[column] = [x / matrix[column][column] for x in matrix[column]]
        for i in range(len(matrix)):
            if i != column:
                factor = matrix[i][column]
                matrix[i] = [x - factor * y for x, y in zip(matrix[i], matrix[column], strict=True)]
    return [-row[-1] for row in matrix[:d]]


def corner_of(rows, bounds, d):
    """What the kernel makes of these facets: coordinates and error."""
    points = np.full((d + 1, 1), 7.0)
    room = np.zeros(4 * d * d + 4 * d)
    table = np.concatenate([rows, bounds], axis=1).ravel()
    place_corner(table, room, points, d, np.arange(len(rows)), len(rows), 0)
    return points[:d, 0], points[d, 0]


@pytest.mark.parametrize("d", [3, 4, 5, 8])
@pytest.mark.parametrize("nearness", [1.0, 1e-6, 1e-13, 0.0])
def test_against_exact_corners(d, nearness):
    """Facets in general position, nearly dependent, or blurred: the true corner is as near as the error says."""
    proved = 0
    for seed in range(amount(30, 8)):
        rng = np.random.default_rng([seed, d])
        rows = rng.standard_normal((d, d + 1))
        rows[1] = rows[0] + nearness * rows[1]
        blur = float(rng.choice([0.0, 2.0**-40]))
        true = [[Fraction(x) + Fraction(blur) * int(rng.integers(-1, 2)) for x in row] for row in rows.tolist()]
        bounds = np.full((d, 2), blur) * [d, 1]
        point, error = corner_of(rows, bounds, d)
        corner = true_corner(true)
        if corner is None or not error < np.inf:
            continue
        proved += 1
        assert max(abs(Fraction(x) - y) for x, y in zip(point.tolist(), corner, strict=True)) <= Fraction(error)
        assert nearness < 1.0 or blur or error < 1e-10
    assert (proved > 0) == (nearness > 1e-12) or nearness == 1e-13


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-160, 1e150, 1e300])
def test_against_exact_corners_at_the_ends_of_floats(scale):
    """A facet that is hardly one: no NaN is taken for a proof."""
    rows = np.array([[0.0, -1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [scale, -2.0, 2.0, 4.0]])
    with np.errstate(over="ignore"):
        ways = [np.where(np.isfinite(wide), wide, 1.0) for wide in (rows, rows * scale, rows / scale)]
    for way in ways:
        with np.errstate(all="ignore"):
            point, error = corner_of(way, np.zeros((3, 2)), 3)
        corner = true_corner(way.tolist())
        if error < np.inf and corner is not None:
            assert max(abs(Fraction(x) - y) for x, y in zip(point.tolist(), corner, strict=True)) <= Fraction(error)


def test_against_exact_corners_of_more_facets():
    """Of many facets through one point the most independent ones are taken."""
    for seed in range(amount(30, 10)):
        rng = np.random.default_rng(seed)
        corner = rng.integers(-4, 5, 3) / 4
        normals = rng.integers(-3, 4, (6, 3)).astype(float)
        if np.linalg.matrix_rank(normals) < 3 or not normals.any(axis=1).all():
            continue
        rows = np.column_stack([normals, -normals @ corner])
        point, error = corner_of(rows, np.zeros((6, 2)), 3)
        assert error < 1e-12
        assert np.abs(point - corner).max() <= error


def test_against_exact_meeting_rays():
    for seed in range(30):
        rows = np.random.default_rng(seed).integers(-5, 6, (4, 5)).tolist()
        corner = true_corner(rows)
        if corner is None:
            continue
        ray = meeting_ray(rows)
        assert [Fraction(int(x), int(ray[-1])) for x in ray[:-1]] == corner
    with pytest.raises(ValueError, match="dimension 2"):
        meeting_ray([[1, 0, 0, 0], [2, 0, 0, 0], [0, 1, 0, 0]])


# Masks.


def test_known_bits():
    for place in range(62):
        assert lowest_bit(1 << place) == place
        assert lowest_bit((1 << 61) | 1 << place) == place
    assert [count_bits(mask) for mask in (0, 1, 6, (1 << 62) - 1)] == [0, 1, 2, 62]
    assert [words_of_places(places) for places in (0, 1, 62, 63, 124, 125)] == [1, 1, 1, 2, 2, 3]


def cell_on(lists):
    """A workspace whose current cell has corners on these places; the facet of place i is 1000 + i."""
    places = 1 + max(map(max, lists))
    words = words_of_places(places)
    work = with_room(allocate_in_space([4], 3, 8), corners=len(lists), words=words)
    work.state[[DIMENSION, CORNERS, PLACES]] = 3, len(lists), places
    work.slots[:places] = 1000 + np.arange(places)
    for v, on in enumerate(lists):
        for place in on:
            work.masks[CELL, place // 62, v] |= 1 << place % 62
    return work


def listed(work):
    words = words_of_places(int(work.state[PLACES]))
    sizes = [list_facets(work.slots, work.masks[CELL], words, v, work.at_corner) for v in range(work.state[CORNERS])]
    assert sizes == [count_facets(work.masks[CELL], words, v) for v in range(len(sizes))]
    return [
        work.at_corner[: list_facets(work.slots, work.masks[CELL], words, v, work.at_corner)].tolist()
        for v in range(len(sizes))
    ]


def test_laws_masks_of_several_words():
    """Facets of corners as they were put there; and the same ones when they are numbered anew."""
    rng = np.random.default_rng(0)
    for most, count in ((40, 5), (62, 30), (63, 30), (130, 50), (250, 6), (250, 200)):
        places = sorted(rng.choice(most, min(count, most), replace=False).tolist())
        lists = [sorted(rng.choice(places, 4, replace=False).tolist()) for _ in range(len(places))]
        work, used = cell_on(lists), sorted({place for on in lists for place in on})
        expected = [[1000 + place for place in on] for on in lists]
        assert listed(work) == expected
        words = words_of_places(int(work.state[PLACES]))
        free = free_place(work.masks[CELL], words, len(lists))
        assert free == next(place for place in range(62 * words + 1) if place not in used)
        for place in range(most):
            assert place_of_facet(work, 1000 + place) == (place if place in used else NO_PLACE)
        number_anew(work)
        assert listed(work) == expected
        if words_of_places(len(used) + 1) < words:
            assert work.state[PLACES] == len(used)
            assert place_of_facet(work, 1000 + used[-1]) == len(used) - 1
        else:
            assert work.state[PLACES] == 1 + used[-1]


# Pieces.


class Cell:
    """A cube, or a simplex one of whose facets is infinity, with planes through it, as `arrangement` wants them."""

    def __init__(self, d, planes, simplex=False):
        self.d, self.planes = d, planes
        if simplex:
            self.corners = np.vstack([np.zeros(d), np.eye(d)])
            self.masks = [((1 << (d + 1)) - 1) & ~(1 << i) for i in range(d + 1)]
        else:
            self.corners = np.array(list(product((-1.0, 1.0), repeat=d)))
            self.masks = [sum(1 << (2 * i + (x > 0)) for i, x in enumerate(corner)) for corner in self.corners.tolist()]

    def count(self, bound=0.0, infinity=0):
        room = 64
        values, ints = np.zeros((self.d, MOST_CHORDS + 1, room)), np.zeros((self.d, 5, 5 * room), np.int64)
        for i, plane in enumerate(self.planes):
            values[0, i, : len(self.corners)] = self.corners @ plane[:-1] + plane[-1]
            values[0, SECTION_BOUNDS, i] = bound
        ints[0, SECTION_MASKS, : len(self.masks)] = self.masks
        return pieces_and_far(values, ints, self.d, len(self.planes), len(self.masks), infinity)

    def truth(self, domain):
        """Regions of the planes as neurons of one layer."""
        rows = [[Fraction(x) for x in plane] for plane in self.planes.tolist()]
        return len(reference.regions([[row[:-1] for row in rows]], [[row[-1] for row in rows]], domain))


def crossing_planes(rng, d, number, corners, integers):
    """Planes that cross the cell and touch none of its corners."""
    planes = []
    while len(planes) < number:
        plane = (rng.integers(-8, 9, d + 1) / 8 if integers else rng.standard_normal(d + 1)) * [*[1.0] * d, 0.5]
        values = corners @ plane[:-1] + plane[-1]
        if np.abs(values).min() > 1e-3 and values.min() < 0 < values.max():
            planes.append(plane)
    return np.array(planes)


@pytest.mark.parametrize("d", [2, 3, 4, 5])
@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("simplex", [False, True])
def test_against_exact_pieces(d, integers, simplex):
    """Planes in general position are all counted; where d + 1 may share a point the answer is right or refused."""
    proved = refused = 0
    for seed in range(amount(12, 4)):
        rng = np.random.default_rng([seed, d])
        corners = Cell(d, None, simplex).corners
        cell = Cell(d, crossing_planes(rng, d, int(rng.integers(1, 6 if d < 4 else 5)), corners, integers), simplex)
        domain = reference.simplex(corners.astype(int).tolist()) if simplex else reference.box([-1] * d, [1] * d)
        found, far = cell.count(2.0**-50)
        if found == UNPROVED_COUNT:
            refused += 1
            continue
        proved += 1
        assert (found, far) == (cell.truth(domain), 0)
    assert proved
    assert integers or not refused


@pytest.mark.parametrize("d", [3, 4])
def test_against_exact_pieces_at_infinity(d):
    """The facet of a simplex that does not hold its first corner is infinity: the pieces that have a part of it."""
    for seed in range(amount(10, 4)):
        rng = np.random.default_rng([seed, d])
        corners = Cell(d, None, True).corners
        cell = Cell(d, crossing_planes(rng, d, 4, corners, False), True)
        found, far = cell.count(2.0**-50, infinity=1)
        assert found == cell.truth(reference.simplex(corners.astype(int).tolist()))
        # The far facet has coordinates of its own: its last corner, and steps from there.
        rows = [[Fraction(x) for x in plane] for plane in cell.planes.tolist()]
        inner = [[*(row[c] - row[d - 1] for c in range(d - 1)), row[d - 1] + row[-1]] for row in rows]
        facet = reference.simplex([[0] * (d - 1), *np.eye(d - 1, dtype=int).tolist()])
        weights, biases = [[row[:-1] for row in inner]], [[row[-1] for row in inner]]
        assert far == len(reference.regions(weights, biases, facet))


def test_known_pieces():
    """Planes x = 0, y = 0, z = 0 make eight pieces of a cube; moved apart in parallel, four; through one line, six."""
    axes = np.column_stack([np.eye(3), np.zeros(3)])
    assert Cell(3, axes).count() == (8, 0)
    parallel = np.array([[1, 0, 0, shift] for shift in (-0.5, 0.0, 0.5)])
    assert Cell(3, parallel).count() == (4, 0)
    pencil = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1.0, 0.5, 0, 0]])
    assert Cell(3, pencil).count()[0] == UNPROVED_COUNT  # three zeros agree on every section
    assert Cell(3, axes[:0]).count() == (1, 0)


@pytest.mark.parametrize("bound", [1e-9, 1e-3, 0.1])
def test_laws_bounds_cover_the_rows(bound):
    """Rows moved by up to their bound at each corner are counted alike, wherever something is proved."""
    proved = 0
    for seed in range(amount(30, 10)):
        rng = np.random.default_rng(seed)
        corners = Cell(3, None).corners
        planes = crossing_planes(rng, 3, 4, corners, False)
        found, _ = Cell(3, planes).count(bound)
        if found == UNPROVED_COUNT:
            continue
        proved += 1
        for _ in range(3):
            moved = planes + bound / 4 * rng.uniform(-1, 1, planes.shape)
            assert Cell(3, moved).truth(reference.box([-1] * 3, [1] * 3)) == found
    assert proved or bound == 0.1


def test_laws_a_bound_that_grows_refuses():
    """What is proved with a large bound is proved with a small one too, and is the same."""
    for seed in range(amount(20, 5)):
        rng = np.random.default_rng(seed)
        planes = crossing_planes(rng, 3, 4, Cell(3, None).corners, True)
        answers = [Cell(3, planes).count(bound)[0] for bound in (0.0, 1e-12, 1e-6, 1e-2)]
        for small, large in combinations(answers, 2):
            assert large in (small, UNPROVED_COUNT)
