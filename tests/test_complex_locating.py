"""The cells of points and along segments: as patterns say, and by the definition in fractions, on walls too."""

import gc
import pickle
import weakref
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import reference
from complex_cases import case_of, hidden
from creases import (
    Abs,
    Box,
    Clip,
    Dense,
    Directions,
    DomainError,
    Level,
    Line,
    Linear,
    Network,
    Plane,
    Polygon,
    Segment,
    Select,
    Space,
    subdivide,
)
from creases.complex import locating
from engine_twins import determinant, seeds
from graph_networks import packed
from networks import KINDS, random_network, table

SQUARE = Box([-1, -1], [1, 1])
DIAGONALS = hidden([[[1.0, 1.0], [1.0, -1.0]]], [[0.0, 0.0]])
DEEP = Network.from_arrays(*random_network([2, 9, 8, 3], 1, 0.3))


@pytest.mark.parametrize("seed", seeds(60, 24))
def test_laws_graphs(seed):
    """Interior points are in their cells, and others where their exact patterns say."""
    levels, cells = case_of(seed)
    inside = [i for i in range(len(cells)) if i not in cells.exact_interior_points]
    assert cells.locate(cells.interior_points[inside]).tolist() == inside
    rng = np.random.default_rng(seed)
    points = cells.interior_points[rng.integers(len(cells), size=30)]
    points = points + rng.standard_normal(points.shape) * 10.0 ** rng.integers(-6, 1, (30, 1))
    found, sliced = cells.locate(points), cells.domain.slice
    if isinstance(cells.domain, (Space, Line, Plane, Directions)):
        assert (found >= 0).mean() > 0.9
    if np.array_equal(sliced.basis, np.eye(sliced.n_in)) and not sliced.origin.any():  # whose inputs are exact
        for point, cell in zip(points[found >= 0].tolist(), found[found >= 0].tolist(), strict=True):
            exact = packed(cells.network, reference.graph_pattern_at(levels, point))
            assert exact == cells.patterns[cell].tobytes()


@pytest.mark.parametrize("widths", [[1, 9, 8, 1], [2, 9, 8, 1], [3, 7, 6, 2], [4, 6, 5, 1]])
def test_laws_every_point_of_the_domain_has_a_cell(widths):
    n = widths[0]
    network = Network.from_arrays(*random_network(widths, 3, 0.3))
    cells = subdivide(network, Box([-1] * n, [1] * n))
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (3000, n))
    found, inside = cells.locate(points), (np.abs(points) < 1).all(axis=1)
    assert (found[~inside] == -1).all()
    assert np.array_equal(network.packed_pattern(points[inside]), cells.patterns[found[inside]])


def facets_of(region):
    """The inward forms of a region's facets, whole numbers, by its exact corners."""
    for wall in sorted(set().union(*(ray.tight for ray in region.cone.rays)), key=str):
        off = next((ray.vector for ray in region.cone.rays if wall not in ray.tight), None)
        chosen = []
        for ray in region.cone.rays:
            if wall in ray.tight and reference.independent([*chosen, ray.vector]):
                chosen.append(ray.vector)
        if off is None or len(chosen) < len(off) - 1:
            continue  # touches the region in less than a facet
        form = [(-1) ** i * determinant([(*row[:i], *row[i + 1 :]) for row in chosen]) for i in range(len(off))]
        yield form if reference.dot(form, off) > 0 else [-x for x in form]


GRID = [-1.25, -1.0, -0.75, -0.5, 0.0, 0.25, 0.5, 1.0]
EXACT = [kind for kind in KINDS if kind.__name__ not in ("extreme", "mixed_scales", "generic")]


@pytest.mark.parametrize(
    ("weights", "biases", "n"),
    [pytest.param(w, b, n, id=name) for n in (1, 2, 3) for name, w, b in table(len(EXACT), 61, n, EXACT)],
)
def test_against_exact_points_of_a_grid(weights, biases, n):
    """Many on walls, corners and the boundary of the domain; in a region strictly or in none, by its exact corners."""
    cells = subdivide(hidden(weights, biases), Box([-1] * n, [1] * n), threads=1)
    points = np.array(list(product(GRID if n < 3 else GRID[1::2], repeat=n)))
    points = np.vstack([points, points + np.random.default_rng(n).choice([-1e-16, 0, 1e-16], points.shape)])
    found, exact = cells.locate(points), [(*map(Fraction, point), 1) for point in points.tolist()]
    numbers = {tuple(on for layer in cells.pattern(i) for on in layer.tolist()): i for i in range(len(cells))}
    expected = np.full(len(points), -1)
    for region in reference.regions(weights, biases, reference.box([-1] * n, [1] * n)):
        cell, forms = numbers[tuple(on for layer in region.pattern for on in layer)], list(facets_of(region))
        for i, point in enumerate(exact):
            if all(reference.dot(form, point) > 0 for form in forms):
                assert expected[i] == -1
                expected[i] = cell
    assert found.tolist() == expected.tolist()


def test_known_points_of_the_diagonals():
    cells = subdivide(DIAGONALS, SQUARE)
    middles = [[0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]]
    found = cells.locate(middles)
    assert sorted(found) == [0, 1, 2, 3]
    assert np.array_equal(cells.patterns[found], DIAGONALS.packed_pattern(middles))
    nowhere = [[0, 0], [0.5, 0.5], [-0.25, 0.25], [1, 0], [1, 1], [2, 0.5], [0, 1.25]]
    assert (cells.locate(nowhere) == -1).all()
    # As near to a wall as floats go.
    above = np.nextafter(0.5, 1)
    assert cells.locate([[above, 0.5], [0.5, above]]).tolist() == found[:2].tolist()


def test_known_an_axis_and_the_origin():
    """Where a coordinate is zero nothing comes into a neuron, but it does all around."""
    network = hidden([[[1.0, 0.0]]], [[0.0]])
    for domain in (SQUARE, Space(2), Plane([0, 0], [[1, 0], [0, 1]]).square(1)):
        cells = subdivide(network, domain)
        assert cells.locate([[0, 0.5], [0, 0], [0.0, -1e-300]]).tolist() == [-1, -1, -1]
        sides = cells.locate([[0.5, 0], [-0.5, 0], [5e-324, 0]])
        assert sorted(sides[:2]) == [0, 1]
        assert sides[0] == sides[2]


def test_known_a_neuron_that_vanishes_on_whole_cells(monkeypatch):
    """3 relu(x) - relu(3 x) is zero, in floats only nearly: every point has a cell, and rationals see few of them."""
    row = (np.array([3.1, 5.3]) * 2.0**-6).round(5) * 2.0**40 // 1 / 2.0**40
    network = hidden([[row, 3 * row, [1.0, -1.0]], [[3.0, -1.0, 0.0], [-3.0, 1.0, 0.0]]], [[0.0, 0.0, 0.1], [0.0, 0.0]])
    cells = subdivide(network, SQUARE)
    assert not any(cells.pattern(i)[1].any() for i in range(len(cells)))
    points = np.random.default_rng(0).uniform(-1, 1, (4000, 2))
    patterns, looked = network.packed_pattern(points), []
    found_before = locating.Locator._number_at

    def look(locator, place):
        looked.append(place)
        return found_before(locator, place)

    monkeypatch.setattr(locating.Locator, "_number_at", look)
    found = cells.locate(points)
    assert (patterns != cells.patterns[found]).any()
    assert (found >= 0).all()
    assert 0 < len(looked) < 40


def test_laws_blocks_do_not_show(monkeypatch):
    cells = subdivide(DEEP, SQUARE)
    points = np.random.default_rng(1).uniform(-1, 1, (40, 2))
    whole = cells.locate(points)
    monkeypatch.setattr(locating, "POINTS_AT_ONCE", 7)
    assert cells.locate(points).tolist() == whole.tolist()
    assert cells.locate(points[:0]).tolist() == []


def test_laws_complexes_are_copied_and_let_go():
    """What locates is no part of a complex, and does not keep it."""
    cells = subdivide(DEEP, SQUARE)
    found = cells.locate([[0.25, 0.5]]).tolist()
    assert pickle.loads(pickle.dumps(cells)).locate([[0.25, 0.5]]).tolist() == found
    gone = weakref.ref(cells)
    del cells
    gc.collect()
    assert gone() is None


def test_known_directions():
    """A direction stands for all its positive multiples; that a clip is there changes nothing far out but signs."""
    cells = subdivide(DIAGONALS, Directions(2))
    found = cells.locate([[3, 1], [1e-9, 1e9], [1, 1], [0, 0]])
    assert (found[:2] >= 0).all()
    assert found[0] != found[1]
    assert found[2:].tolist() == [-1, -1]
    clipped = Network.from_levels([Level({0: Dense([[1.0, 1.0], [1.0, -1.0]])}, [1.0, 0.0], Clip(-1, 1))])
    cells = subdivide(clipped, Directions(2))
    assert len(cells) == 4
    assert sorted(cells.locate([[3, 1], [-3, 1], [1, 3], [1, -3]])) == [0, 1, 2, 3]
    assert cells.locate(cells.interior_points).tolist() == [0, 1, 2, 3]


def test_known_no_neurons():
    network = Network.from_levels([Level({0: Dense([[1.0, 2.0]])}, [0.5], Linear())])
    for domain in (SQUARE, Space(2)):
        assert subdivide(network, domain).locate([[0.5, 0.25], [0, 0]]).tolist() == [0, 0]


# Along segments.


def check_along(cells, ends):
    """The pieces of the network on the segment, one after the other, each in the cell of its middle."""
    found = cells.along(ends)
    a, b = np.asarray(ends, float)
    pieces = subdivide(cells.network, Segment(*cells.domain.slice.points([a, b])))
    assert len(found.cells) == len(pieces) == len(found.breaks) - 1
    assert (found.breaks[0], found.breaks[-1]) == (0.0, 1.0)
    assert (np.diff(found.breaks) >= 0).all()
    middles = (found.breaks[1:] + found.breaks[:-1])[:, None] / 2
    own = found.cells >= 0
    assert cells.locate(a + middles * (b - a))[own].tolist() == found.cells[own].tolist()
    assert np.array_equal(cells.patterns[found.cells[own]], pieces.patterns[own])
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_laws_along(n):
    network = Network.from_arrays(*random_network([n, 8, 7, 1], 2, 0.3))
    rng = np.random.default_rng(n)
    for domain in (Box([-1] * n, [1] * n), Space(n)):
        cells = subdivide(network, domain)
        for _ in range(4):
            found = check_along(cells, rng.uniform(-1, 1, (2, n)))
            assert (found.cells >= 0).all()
            assert len(set(found.cells.tolist())) == len(found.cells)  # cells are convex
            # Neighbours on the way share a facet.
            pairs = {tuple(pair) for pair in cells.facets.cells.tolist()}
            assert {tuple(sorted(pair)) for pair in zip(found.cells, found.cells[1:], strict=False)} <= pairs


def test_laws_along_in_a_slice():
    rng = np.random.default_rng(3)
    network = Network.from_arrays(*random_network([6, 8, 7, 1], 2, 0.3))
    plane = Plane(rng.standard_normal(6), rng.standard_normal((2, 6)))
    cells = subdivide(network, plane.square(1))
    ends = rng.uniform(-1, 1, (2, 2))
    found = check_along(cells, ends)
    assert len(found.cells) > 3
    segment = Segment(*plane.slice.points(ends))
    assert cells.along(segment).cells.tolist() == found.cells.tolist()


def test_known_along_the_diagonals():
    cells = subdivide(DIAGONALS, SQUARE)
    found = cells.along([[-1, 0.25], [1, 0.25]])
    assert np.array_equal(found.cells, cells.locate([[-0.5, 0.25], [0, 0.25], [0.5, 0.25]]))
    assert found.breaks == pytest.approx([0, 0.375, 0.625, 1])
    assert cells.along(Segment([1, 0.25], [-1, 0.25])).cells.tolist() == found.cells[::-1].tolist()
    # Inside walls there is no cell.
    assert cells.along([[-1, -1], [1, 1]]).cells.tolist() == [-1, -1]
    boundary = cells.along([[-1, 1], [1, 1]])
    assert boundary.cells.tolist() == [-1]


@pytest.mark.parametrize("seed", range(0, 60, 2))
def test_laws_along_in_graphs(seed):
    """From one interior point to another."""
    _, cells = case_of(seed)
    if isinstance(cells.domain, Directions) or len(cells) < 2:
        return
    ends = cells.interior_points[[0, -1]]
    found = cells.along(ends)
    assert (found.cells[0], found.cells[-1]) == (0, len(cells) - 1)


def test_known_a_switch_on_the_way():
    """|x| + a residual sum of x, and the larger of it and 1/2."""
    from creases import Max

    network = Network.from_levels(
        [
            Level({0: Dense([[1.0]])}, None, Abs()),
            Level({1: Select.all(1), 0: Select.all(1)}, None, Linear()),
            Level({2: Dense([[1.0], [0.0]])}, [0.0, 0.5], Max([[0, 1]])),
        ]
    )
    cells = subdivide(network, Box([-1], [1]))
    assert cells.intervals().tolist() == [[-1, 0], [0, 0.25], [0.25, 1]]
    assert cells.locate([[-0.5], [0.125], [0.5], [0.0], [0.25], [1.0]]).tolist() == [0, 1, 2, -1, -1, -1]
    assert cells.along([[1.0], [-1.0]]).cells.tolist() == [2, 1, 0]


# Bad input.


def test_bad_input_points():
    cells = subdivide(DEEP, SQUARE)
    for wrong in ([0.0, 0.0], [[0.0]], [[0.0, 0.0, 0.0]], 1.0):
        with pytest.raises(DomainError, match=r"shape \(n, 2\), in slice coordinates"):
            cells.locate(wrong)
    with pytest.raises(DomainError, match="not finite"):
        cells.locate([[0.0, np.nan]])


def test_bad_input_segments():
    cells = subdivide(DEEP, SQUARE)
    with pytest.raises(DomainError, match=r"The segment's end lies outside of Box"):
        cells.along([[0, 0], [2, 0]])
    with pytest.raises(DomainError, match=r"The segment's start lies outside"):
        cells.along(Segment([0, -2], [0, 0]))
    for wrong in ([[0, 0]], [[0, 0], [0, 0]], [[0, 0], [1, 0], [1, 1]]):
        with pytest.raises(DomainError, match="two different points"):
            cells.along(wrong)
    with pytest.raises(DomainError, match="lies in another space"):
        cells.along(Segment([0, 0, 0], [1, 0, 0]))
    with pytest.raises(DomainError, match="No segment lies in a domain of directions"):
        subdivide(DEEP, Directions(2)).along([[0, 1], [1, 0]])
    flat = Polygon([[0, 0], [1, 0], [0, 1]], Plane([0, 0, 0], [[1, 0, 0], [0, 1, 0]]))
    cells = subdivide(hidden([[[1.0, 1.0, 1.0]]], [[-0.25]]), flat)
    with pytest.raises(DomainError, match="does not lie in the slice"):
        cells.along(Segment([0, 0, 0], [0.5, 0.25, 1e-3]))
    assert len(cells.along(Segment([0, 0, 0], [0.5, 0.25, 0])).cells) == 2


def test_against_exact_pieces_between_two_floats():
    """Between its two neurons the segment has a cell of its own, in which there is no float at all."""
    steep = np.array([[2.0**53 - 1], [1.5 * 2.0**52 + 1]])
    for turned in (1.0, -1.0):
        network = hidden([turned * steep], [-turned * np.array([2.0**52, 1.5 * 2.0**51 + 1])])
        cells = subdivide(network, Box([0], [1]))
        assert len(cells) == 3
        assert cells.along([[0.0], [1.0]]).cells.tolist() == [0, 1, 2]
        assert cells.along([[1.0], [0.0]]).cells.tolist() == [2, 1, 0]


def test_against_exact_pieces_on_a_diagonal_wall():
    """The wall 3 y = x, which no float but zero meets; on it and beside it."""
    network = hidden([[[1.0, -3.0], [1.0, 0.0]]], [[0.0, -0.25]])
    cells = subdivide(network, SQUARE)
    assert cells.along([[-0.75, -0.25], [0.75, 0.25]]).cells.tolist() == [-1, -1]
    beside = cells.along([[-0.75, -0.25], [0.75, np.nextafter(0.25, 1)]])
    assert (beside.cells >= 0).all()
    assert len(set(beside.cells.tolist())) == 2


def test_against_exact_points_whose_inputs_floats_do_not_hold():
    network = hidden([[[1.0, -1.0, 0.0]]], [[0.0]])
    plane = Plane([0, 0, 0], [[16.0, 0.0, 0.0], [0.0, 16.0, 1.0]])
    points = [[1e308, 0.0], [0.0, 1e308], [1e308, 1e308], [1e308, np.nextafter(1e308, 0)]]
    whole = subdivide(network, plane)
    found = whole.locate(points).tolist()
    assert found[2] == -1
    assert [bool(whole.pattern(cell)[0][0]) for cell in (found[0], found[1], found[3])] == [True, False, True]
    assert subdivide(network, plane.square(1.0)).locate(points).tolist() == [-1] * 4
