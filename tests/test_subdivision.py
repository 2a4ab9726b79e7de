"""subdivide: the right corners, neighbours and patterns, and in each cell a point that is proved to lie inside."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

import reference
from creases import Box, Line, Network, Plane, Polygon, Segment, Space, audit, count, subdivide
from networks import KINDS, random_network, table

SQUARE = Box([-1, -1], [1, 1])
POLYGON = Polygon([[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]])
# Kinds with lines so nearly parallel, or numbers so large, that floats do not find where two lines meet.
HARD = ("extreme", "mixed_scales", "nudged", "parallel")


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def every_kind(rounds, seed, n_in=2, without=()):
    """A test of (weights, biases), over the shared table."""
    rows = table(rounds * len(KINDS), seed, n_in)
    cases = [pytest.param(w, b, id=name) for name, w, b in rows if name.split("-")[0] not in without]
    return pytest.mark.parametrize(("weights", "biases"), cases)


def corners_of(cells, i):
    return cells.corners[cells.first[i] : cells.first[i + 1]]


def areas(polygons):
    """Signed: positive where the corners go round counter-clockwise."""
    result = []
    for polygon in polygons:
        x, y = polygon.T
        result.append(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)
    return np.array(result)


def flat(pattern):
    return tuple(bool(on) for layer in pattern for on in layer)


# Corners.


def check_corners(weights, biases, domain, specification):
    """Each cell has the finite corners of the reference's region of its pattern, rounded."""
    cells = subdivide(hidden(weights, biases), domain)
    regions = reference.regions(weights, biases, specification)
    assert len(cells) == len(regions)
    by_pattern = {flat(region.pattern): region for region in regions}
    for i in range(len(cells)):
        region, found = by_pattern[flat(cells.pattern(i))], cells.cell(i).vertices
        if not region.lines:  # a strip has no corners; subdivide gives a point on either side
            true = np.array([[float(x) for x in ray[:-1]] for ray in region.rays if ray[-1]])
            assert len(found) == len(true)
            for corner in true:
                assert np.abs(found - corner).max(axis=1).min() <= 1e-9 * (1 + np.abs(corner).max())


@every_kind(2, seed=31, without=HARD)
def test_against_reference_corners(weights, biases):
    for domain in (SQUARE, POLYGON):
        check_corners(weights, biases, domain, reference.polygon(domain.vertices.tolist()))
    check_corners(weights, biases, Space(2), reference.space(2))


@every_kind(2, seed=32, without=HARD)
def test_laws_areas_add_up(weights, biases):
    for domain, area in [(SQUARE, 4.0), (POLYGON, 4.875), (Plane([1, 0], [[2, 1], [1, 1]]).square(0.5), 1.0)]:
        cells = subdivide(hidden(weights, biases), domain)
        found = areas(cells.polygons())
        assert (found > 0).all()
        assert found.sum() == pytest.approx(area, rel=1e-12)


@every_kind(2, seed=33, without=HARD)
def test_laws_cells_of_a_line_in_order(weights, biases):
    """One interval after the other, from one end to the other, as many as are counted."""
    for domain, ends in [(Segment([-1, 0.75], [2, -0.3]), (0, 1)), (Box([0.5, -3], [0.5, 2]), (-3, 2))]:
        cells = subdivide(hidden(weights, biases), domain)
        intervals = cells.intervals()
        assert len(intervals) == len(cells) == count(hidden(weights, biases), domain).regions
        assert (intervals[0, 0], intervals[-1, 1]) == ends
        np.testing.assert_allclose(intervals[1:, 0], intervals[:-1, 1], rtol=1e-12, atol=1e-12)
        assert (intervals[:, 0] <= intervals[:, 1]).all()


def test_known_cells_of_a_whole_line_in_order():
    cells = subdivide(hidden([[[1.0], [1.0]]], [[-3.0, -2.0]]), Line([0], [1]))
    assert cells.intervals().tolist() == [[-np.inf, 2], [2, 3], [3, np.inf]]
    assert [flat(cells.pattern(i)) for i in range(3)] == [(False, False), (False, True), (True, True)]


def test_laws_cells_of_a_whole_line_in_order():
    for seed in range(6):
        network = hidden(*random_network([3, 7, 7], seed, 0.5))
        for step in ([1, 2, 3], [-1, 0, 0.5]):
            intervals = subdivide(network, Line([seed, 0, -seed], step)).intervals()
            assert (intervals[0, 0], intervals[-1, 1]) == (-np.inf, np.inf)
            np.testing.assert_allclose(intervals[1:, 0], intervals[:-1, 1], rtol=1e-12)


IDENTITY, UP = [[1.0, 0], [0, 1.0]], 0.7000000000000001
HARD_CORNERS = {
    "nearly parallel lines": (
        ([IDENTITY, [[0.7, 0.2], [UP, 0.19999999999999998]]], [[2.0, 2.0], [-1.7999999999999998, -1.8]]),
        SQUARE,
    ),
    "products of 1e200": (
        ([[[1.0]], [[1e200], [-1e200]], [[1e200, 1]]], [[1], [-3e200, 1e200], [-1e200]]),
        Box([-5], [5]),
    ),
    "a corner at 1e8": (([[[1.0]], [[1.0]]], [[1.0], [-1e8]]), Space(1)),
    "a corner at 1e16": (([[[1.0]], [[1.0]]], [[1.0], [-1e16]]), Space(1)),
    "a corner at -1e18": (([IDENTITY, [[1.0, 1e-18]]], [[1.0, 1.0], [-1.0]]), Space(2)),
}


@pytest.mark.parametrize("name", HARD_CORNERS)
def test_against_reference_hard_corners(name):
    network, domain = HARD_CORNERS[name]
    n = domain.slice.dimension
    check_corners(
        *network, domain, reference.space(n) if isinstance(domain, Space) else reference.box(domain.lower, domain.upper)
    )


@pytest.mark.filterwarnings("error", "ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT
@pytest.mark.parametrize("size", [2.0**-900, 2.0**-600, 0.5, 2.0**600])
@pytest.mark.parametrize("row", [[1.0, 0.0], [0.0, -2.0], [3e-9, 1.0]])
def test_known_strips_far_out(row, size):
    """Three strips; a line between two of them may be beyond all floats, and the largest float says so."""
    cells = subdivide(hidden([[row, [size * x for x in row]]], [[1.0, 1e150]]), Space(2))
    assert len(cells) == 3
    zeros = [1 / Fraction(max(map(abs, row))), Fraction(1e150) / max(abs(Fraction(size * x)) for x in row)]
    sides = np.unique(np.abs(cells.corners[~cells.at_infinity]).max(axis=1))
    assert sides == pytest.approx(sorted(map(nearest_float, zeros)), rel=1e-9)
    assert audit(cells).agrees


# How cells meet.


def generic_window(widths, seed, half_width):
    return hidden(*random_network(widths, seed, 0.3)), Box([-half_width] * 2, [half_width] * 2)


WINDOWS = [((2, 9), 0, 1), ((2, 8, 8), 1, 1), ((2, 8, 8), 2, 3), ((2, 6, 6, 6), 3, 2), ((2, 5, 5, 5, 5), 4, 2)]
WINDOWS += [((2, 16, 16), seed, 1) for seed in range(5, 11)]


def vertices(cells):
    """Corners that are one point: a number for each corner, and how many there are."""
    pairs = cKDTree(cells.corners).query_pairs(1e-9, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(cells.corners),) * 2)
    number, label = connected_components(graph, directed=False)
    return label, number


def steps(cells):
    """(corner, next corner of the cell, corner before) for each corner."""
    for a, b in pairwise(cells.first.tolist()):
        for i in range(a, b):
            yield i, (i + 1 if i + 1 < b else a), (i - 1 if i > a else b - 1)


@pytest.mark.parametrize(("widths", "seed", "half_width"), WINDOWS)
def test_laws_crossings_and_components(widths, seed, half_width):
    """regions = 1 + interior crossings + half the boundary crossings + free components, each counted on the corners."""
    network, window = generic_window(widths, seed, half_width)
    cells = subdivide(network, window)
    label, number = vertices(cells)
    lines_at, cells_at = [set() for _ in range(number)], np.zeros(number, int)
    joined = []
    for i, after, before in steps(cells):
        lines_at[label[i]] |= {int(cells.edges[i]), int(cells.edges[before])}
        cells_at[label[i]] += 1
        if cells.edges[i] >= 0:
            joined.append((label[i], label[after]))
    walls = np.array([sum(line < 0 for line in lines) for lines in lines_at])
    # Every vertex lies on two lines and in all the cells around it: four inside, two at a wall, one in a corner.
    assert all(len(lines) == 2 for lines in lines_at)
    assert np.array_equal(cells_at, np.array([4, 2, 1])[walls])
    assert np.sum(walls == 2) == 4
    graph = coo_array((np.ones(len(joined)), np.array(joined).T), shape=(number, number))
    _, component = connected_components(graph, directed=False)
    free = set(component[walls == 0].tolist()) - set(component[walls == 1].tolist())
    # A component's lowest neurons have nothing to bend at, are straight, and reach the wall.
    assert not free
    interior, boundary = np.sum(walls == 0), np.sum(walls == 1)
    assert boundary % 2 == 0
    assert count(network, window).regions == len(cells) == 1 + interior + boundary // 2 + len(free)


@pytest.mark.parametrize(("widths", "seed", "half_width"), WINDOWS)
def test_laws_neighbours_differ_in_the_neuron_between_them(widths, seed, half_width):
    """An edge is part of two cells, one on either side of its neuron, or of the window's wall that it names."""
    network, window = generic_window(widths, seed, half_width)
    cells = subdivide(network, window)
    label, _ = vertices(cells)
    cell_of = np.repeat(np.arange(len(cells)), np.diff(cells.first))
    sides = {}
    for i, after, _ in steps(cells):
        sides.setdefault(frozenset((label[i], label[after])), []).append((int(cells.edges[i]), int(cell_of[i])))
        if cells.edges[i] < 0:
            axis, wall = [(1, -1), (0, 1), (1, 1), (0, -1)][-2 - cells.edges[i]]
            assert cells.corners[i, axis] == pytest.approx(wall * half_width, rel=1e-12)
            assert cells.corners[after, axis] == pytest.approx(wall * half_width, rel=1e-12)
    for (edge, cell), *others in sides.values():
        assert len(others) == (edge >= 0)
        if others:
            [(same_edge, other)] = others
            differing = np.flatnonzero(np.array(flat(cells.pattern(cell))) != np.array(flat(cells.pattern(other))))
            assert same_edge == edge == differing.tolist()[0]
            assert len(differing) == 1


# Interior points, decided in rationals.


def input_at(domain, u):
    """The input at slice coordinates u, exactly."""
    frame = domain.slice
    columns = zip(frame.origin.tolist(), frame.basis.T.tolist(), frame.basis_tail.T.tolist(), strict=True)
    return [
        Fraction(o) + sum(x * (Fraction(h) + Fraction(t)) for x, h, t in zip(u, head, tail, strict=True))
        for o, head, tail in columns
    ]


def nearest_float(x):
    largest = Fraction(np.finfo(float).max)
    return float(max(-largest, min(x, largest)))


def check_interior_points(weights, biases, domain):
    """At its interior point, each cell's pattern is the true one; return how many points had to be rational."""
    cells = subdivide(hidden(weights, biases), domain)
    assert cells.interior_points.shape == (len(cells), cells.dimension)
    for i, point in enumerate(cells.interior_points.tolist()):
        exact = cells.exact_interior_points.get(i)
        assert exact is None or [nearest_float(x) for x in exact] == point
        at = input_at(domain, [Fraction(x) for x in point] if exact is None else exact)
        assert flat(reference.pattern_at(weights, biases, at)) == flat(cells.pattern(i))
    assert set(cells.exact_interior_points) <= set(range(len(cells)))
    return len(cells.exact_interior_points)


@every_kind(2, seed=34)
def test_against_exact_interior_points(weights, biases):
    for domain in (SQUARE, POLYGON, Segment([-1, 0.75], [2, -0.3])):
        check_interior_points(weights, biases, domain)


@every_kind(2, seed=35, without=("extreme", "nudged", "parallel"))
def test_against_exact_interior_points_of_whole_spaces(weights, biases):
    for domain in (Space(2), Line([0.3, 0.1], [1, 0.7])):
        check_interior_points(weights, biases, domain)


@every_kind(1, seed=36, n_in=3, without=("extreme", "nudged", "parallel"))
def test_against_exact_interior_points_of_slices(weights, biases):
    points = np.random.default_rng(36).standard_normal((3, 3))
    for domain in (Plane.through(*points), Plane([0, 0, 1], [[1, 0, 1], [0, 2, 1]]).square(2)):
        check_interior_points(weights, biases, domain)


ONE = 1.0
NEXT = float(np.nextafter(1.0, 2))
NO_FLOAT_INSIDE = {
    "a strip of one ulp": ([[[1, 0], [1, 0]]], [[-ONE, -NEXT]], Box([0, 0], [2, 2])),
    "an interval of one ulp": ([[[1.0], [1.0]]], [[-ONE, -NEXT]], Box([0], [2])),
    "a slanted strip": ([[[1, 2.0**-60], [1, 2.0**-60]]], [[-ONE, -NEXT]], Box([0, -1], [2, 1])),
    "a triangle of 5e-324": ([[[1, 0], [0, 1], [1, 1]]], [[0, 0, -5e-324]], SQUARE),
    "far from the origin": ([[[1, 0], [1, 0]]], [[-(2.0**60), -(2.0**60) - 256]], Box([0, 0], [2.0**61, 1])),
    "between two layers": ([[[1, 0]], [[1], [1]]], [[0], [-ONE, -NEXT]], Box([0, 0], [2, 2])),
    "a strip of the whole plane": ([[[1, 0], [1, 0]]], [[-ONE, -NEXT]], Space(2)),
    "a cell of the whole plane": ([[[1, 0], [1, 0], [0, 1]]], [[-ONE, -NEXT, 0]], Space(2)),
    "an interval of a line": ([[[1.0], [1.0]]], [[-ONE, -NEXT]], Line([0], [1])),
}


@pytest.mark.parametrize("name", NO_FLOAT_INSIDE)
def test_known_rational_interior_point_where_no_float_is(name):
    weights, biases, domain = NO_FLOAT_INSIDE[name]
    assert check_interior_points(weights, biases, domain) >= 1


def test_known_interior_points_far_out():
    assert check_interior_points([[[1.0]], [[1.0]]], [[1.0], [-1e16]], Space(1)) == 0
    check_interior_points([IDENTITY, [[1.0, 1e-18]]], [[1.0, 1.0], [-1.0]], Space(2))


def test_known_interior_points_beyond_all_floats():
    for sign in (1.0, -1.0):  # a corner near sign * 1e400
        weights, biases = [[[sign * 1e-200]], [[1e-200]], [[1e-200]]], [[1e-200], [1e-200], [-1e-200]]
        assert check_interior_points(weights, biases, Space(1)) == 1
