"""Bent hyperplanes and strata: arrangements with known faces, deep networks, degenerate ones, sizes of faces."""

from math import comb, pi

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from creases import Box, Directions, Network, Plane, Segment, Simplex, Space, build, subdivide
from creases.complex import strata, triangulation
from creases.complex.faces import lattice_of
from creases.complex.measures import boundary_length, crossings
from creases.complex.triangulation import face_volumes
from creases.errors import NetworkError
from creases.theory import compare_strata, faces, strata_bound
from networks import KINDS, random_network, table

pytestmark = pytest.mark.jit
SQUARE = Box([-1, -1], [1, 1])
CUBE = Box([-1, -1, -1], [1, 1, 1])


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def deep(n_in, widths, seed, bias=0.3):
    return Network.from_arrays(*random_network([n_in, *widths, 1], seed, bias))


def alternating(strata):
    numbers = strata.numbers + strata.other_numbers
    return int((numbers * (-1) ** np.arange(len(numbers))).sum())


# Known numbers.


@pytest.mark.parametrize(("d", "neurons"), [(1, 4), (2, 1), (2, 7), (3, 2), (3, 6), (4, 6), (5, 5)])
def test_known_faces_of_hyperplanes_in_general_position(d, neurons):
    network = Network.he([d, neurons, 1], seed=d, bias_std=0.5)
    cells = subdivide(network, Space(d))
    found = cells.strata()
    expected = [faces(neurons, d, d - k) if neurons >= k else 0 for k in range(min(d, neurons) + 1)]
    assert found.numbers[: len(expected)].tolist() == expected
    assert not found.numbers[len(expected) :].any()
    assert not found.other_numbers.any()
    assert np.isinf(found.volumes[: min(d, neurons + 1)]).all()
    assert np.isnan(found.per_volume).all()
    bent = cells.bent_hyperplanes()
    assert bent.walls.tolist() == list(range(neurons))
    assert bent.pieces.sum() == found.numbers[1]
    assert (bent.components == 1).all()
    assert (bent.is_bounded == (d == 1)).all()


def test_known_cross():
    cells = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0.5]]), SQUARE)
    bent, strata = cells.bent_hyperplanes(), cells.strata()
    assert (bent.pieces.tolist(), bent.components.tolist()) == ([2, 2], [1, 1])
    np.testing.assert_allclose(bent.volumes, [2, 2])
    assert strata.numbers.tolist() == [4, 4, 1]
    np.testing.assert_allclose(strata.volumes, [4, 4, 1])
    np.testing.assert_allclose(strata.per_volume, [1, 1, 0.25])
    # In a plane of more inputs whose basis is skew and not of length one, sizes are those of the inputs.
    plane = Plane([0, 0, 0], [[2, 0, 1], [0, 2, 2]])
    wide = subdivide(hidden([[[0.5, 0, 0], [0, 0.5, 0]]], [[0, 0]]), plane.square(1.0))
    np.testing.assert_allclose(wide.bent_hyperplanes().volumes, [2 * 8**0.5, 2 * 5**0.5])
    np.testing.assert_allclose(wide.strata().volumes, [4 * (5 * 8 - 4) ** 0.5, 2 * 8**0.5 + 2 * 5**0.5, 1])
    np.testing.assert_allclose(wide.volumes, 6.0)


def rings():
    """|x| + |y| - 1, a closed bent hyperplane, and ||x| - 2| - 1, four parallel ones, of the third layer."""
    x = build.input(2)
    first = build.abs(x)
    second = build.abs(build.dense(first, [[1.0, 0.0], [0.0, 1.0]], [-2.0, 0.0]))
    h = build.concatenate([build.dense(first, [[1.0, 1.0]], [-1.0]), build.dense(second, [[1.0, 0.0]], [-1.0])])
    return build.network(build.relu(h))


def test_known_components():
    cells = subdivide(rings(), Space(2))
    named = {cells.wall_name(wall): i for i, wall in enumerate(cells.bent_hyperplanes().walls.tolist())}
    last = cells.network.layer_names[-1]
    bent = cells.bent_hyperplanes()
    ring, strips = named["neuron", last, 0], named["neuron", last, 1]
    assert (bent.components[ring], bent.bounded_components[ring], bent.is_bounded[ring]) == (1, 1, True)
    assert bent.volumes[ring] == pytest.approx(4 * 2**0.5)
    assert (bent.components[strips], bent.bounded_components[strips], bent.is_bounded[strips]) == (4, 0, False)
    # Pieces of one component stand together: here all with one x.
    mine = slice(bent.first[strips], bent.first[strips + 1])
    ends = cells.facets.first[bent.facets[mine]]
    places = cells.vertices[cells.facets.vertices[ends]]
    for number in range(4):
        finite = places[(bent.component_numbers[mine] == number) & (np.abs(places).max(axis=1) > 1)]
        assert len(np.unique(finite[finite[:, 0] ** 2 > 0.9, 0].round(9))) <= 2


def test_known_cones_that_touch_in_a_point():
    """|z| = |x| + |y|: two cones with one point in common, and no ridge."""
    x = build.input(3)
    network = build.network(build.relu(build.dense(build.abs(x), [[-1.0, -1.0, 1.0]])))
    cells = subdivide(network, CUBE)
    bent = cells.bent_hyperplanes()
    assert bent.pieces.tolist()[-1] == 8
    assert bent.components.tolist() == [1, 1, 1, 2]
    assert bent.volumes[-1] == pytest.approx(4 * 3**0.5)


def test_known_switch():
    """max(x, y, 0): three half-lines from the origin, where two conditions hold."""
    x = build.input(2)
    network = build.network(build.maxout(build.dense(x, [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), 3))
    cells = subdivide(network, SQUARE)
    bent, strata = cells.bent_hyperplanes(), cells.strata()
    assert [cells.wall_name(wall)[3:] for wall in bent.walls.tolist()] == [(0, 1), (1, 2), (0, 2)]
    np.testing.assert_allclose(bent.volumes, [2**0.5, 1, 1])
    assert (strata.numbers.tolist(), strata.other_numbers.tolist()) == ([3, 3, 1], [0, 0, 0])


def test_known_degenerate_points_and_lines():
    star = subdivide(hidden([[[1, 0], [0, 1], [1, 1]]], [[0, 0, 0]]), SQUARE).strata()
    assert (star.numbers.tolist(), star.other_numbers.tolist()) == ([6, 6, 0], [0, 0, 1])
    twins = subdivide(hidden([[[1, 0], [-2, 0], [0, 1]]], [[0, 0, 0]]), SQUARE)
    strata, bent = twins.strata(), twins.bent_hyperplanes()
    assert (strata.numbers.tolist(), strata.other_numbers.tolist()) == ([4, 2, 0], [0, 2, 1])
    np.testing.assert_allclose(strata.volumes, [4, 2, 0])
    np.testing.assert_allclose(strata.other_volumes, [0, 2, 1])
    assert bent.pieces.tolist() == [2, 2, 2]
    np.testing.assert_allclose(bent.volumes, 2.0)
    # A point on the border of the domain, at which a cell touches it with one corner only, is not inside.
    fan = subdivide(hidden([[[1, 0], [1, 1], [1, -1]]], [[0, 1, -1]]), SQUARE).strata()
    assert fan.numbers[2] + fan.other_numbers[2] == 0


def test_known_constant_network():
    for domain in (SQUARE, Space(2), CUBE, Space(3), Segment([0, 0], [1, 1])):
        n = domain.slice.n_in
        cells = subdivide(hidden([np.zeros((2, n))], [[1, -1]]), domain)
        bent, strata = cells.bent_hyperplanes(), cells.strata()
        assert (bent.pieces.tolist(), bent.components.tolist(), bent.is_bounded.tolist()) == (
            [0, 0],
            [0, 0],
            [True] * 2,
        )
        assert strata.numbers.tolist() == [1] + [0] * domain.slice.dimension
        assert strata.volumes[0] == pytest.approx(strata.volume)


def test_known_parallel_hyperplanes():
    """Along some directions nothing changes: faces are whole planes."""
    cells = subdivide(hidden([[[1, 1, 0], [2, 2, 0]]], [[0, 1]]), Space(3))
    assert cells.strata().numbers.tolist() == [3, 2, 0, 0]
    assert np.isinf(cells.strata().volumes[:2]).all()
    bent = cells.bent_hyperplanes()
    assert (bent.components.tolist(), bent.is_bounded.tolist()) == ([1, 1], [False, False])


@pytest.mark.parametrize("neurons", [3, 6])
def test_known_great_circles(neurons):
    """N planes through zero cut the sphere into N (N - 1) + 2 faces, 2 N (N - 1) edges and N (N - 1) points."""
    cells = subdivide(Network.he([3, neurons, 1], seed=1), Directions(3))
    points = neurons * (neurons - 1)
    found = cells.strata()
    assert found.numbers.tolist() == [points + 2, 2 * points, points]
    assert not found.other_numbers.any()
    bent = cells.bent_hyperplanes()
    assert (bent.pieces.tolist(), bent.components.tolist()) == ([2 * (neurons - 1)] * neurons, [1] * neurons)
    circle = subdivide(Network.he([2, neurons, 1], seed=1), Directions(2)).strata()
    assert circle.numbers.tolist() == [2 * neurons, 2 * neurons]


def test_laws_random_lines():
    """Lines x . u(angle) = p, angle and |p| < R uniform: in area A their mean length is A / (2 R) a line, and two cross
    within it with probability A / (2 pi R^2) (Crofton)."""
    lines, radius, found = 12, 0.75, []
    for seed in range(120):
        rng = np.random.default_rng([5, seed])
        angles, p = rng.uniform(0, pi, lines), rng.uniform(-radius, radius, lines)
        weight = np.column_stack([np.cos(angles), np.sin(angles)])
        cells = subdivide(hidden([weight], [-p - weight @ [0.5, 0.5]]), Box([0, 0], [1, 1]))
        strata = cells.strata()
        assert len(cells) == strata.numbers[0]
        found.append((strata.volumes[1], strata.numbers[2]))
    means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    expected = np.array([lines / (2 * radius), comb(lines, 2) / (2 * pi * radius**2)])
    assert (np.abs(means - expected) < 3 * errors).all(), (means, expected, errors)


# Laws.


@pytest.mark.parametrize(("d", "widths"), [(1, (8, 6)), (2, (8, 8, 6)), (3, (6, 5)), (4, (5, 4))])
@pytest.mark.parametrize("seed", range(2))
def test_laws_deep_networks(d, widths, seed):
    """In general position: 2^k cells around a face; Euler's relation; what facets and vertices say by themselves."""
    network = deep(d, widths, seed)
    cells = subdivide(network, Space(d))
    whole = cells.strata()
    assert alternating(whole) == 1
    assert not whole.other_numbers.any()
    inner = int(cells.facets.inner.sum())
    assert whole.numbers[1] == inner == cells.bent_hyperplanes().pieces.sum()
    assert whole.numbers[-1] == (~cells.vertices_at_infinity).sum()
    for k in range(1, d + 1):
        around = np.diff(cells.faces(d - k).cell_first)
        assert (around == 2**k).all()
    box = subdivide(network, Box([-1] * d, [1] * d))
    strata, bent = box.strata(), box.bent_hyperplanes()
    assert strata.volumes[0] == 2.0**d == pytest.approx(box.volumes.sum())
    assert bent.volumes.sum() == pytest.approx(strata.volumes[1])
    assert (strata.numbers <= whole.numbers).all()
    assert (bent.components <= bent.pieces).all()
    assert ((bent.components > 0) == (bent.pieces > 0)).all()
    assert bent.is_bounded.all()


@pytest.mark.parametrize("seed", range(4))
def test_laws_agree_with_measures_of_corners(seed):
    cells = subdivide(deep(2, (12, 10), seed, 0.5), SQUARE)
    strata = cells.strata()
    assert strata.volumes[1] == pytest.approx(boundary_length(cells))
    assert strata.numbers[2] == crossings(cells)


@pytest.mark.parametrize(
    ("weights", "biases"), [pytest.param(w, b, id=name) for name, w, b in table(2 * len(KINDS), 7)]
)
def test_laws_euler_of_degenerate_networks(weights, biases):
    """Of every kind of degeneracy, in one to three dimensions; volumes of cells add up."""
    n = len(weights[0][0])
    if n > 3:
        pytest.skip("more than three inputs")
    network = hidden(weights, biases)
    for domain in (Space(n), Box([-1] * n, [1] * n)):
        try:
            cells = subdivide(network, domain)
        except RuntimeError:  # floats hold no chart of some whole spaces
            continue
        if isinstance(domain, Space):
            assert alternating(cells.strata()) == 1
        else:
            np.testing.assert_allclose(cells.volumes.sum(), 2.0**n, rtol=1e-9)
            cells.bent_hyperplanes()


def test_laws_measuring_changes_nothing():
    cells = subdivide(deep(2, (6, 6), 1), SQUARE)
    before = [np.array(array) for array in (*cells.sides, *cells.facets, cells.corners, cells.vertex_numbers)]
    cells.strata(), cells.bent_hyperplanes(), cells.volumes
    after = (*cells.sides, *cells.facets, cells.corners, cells.vertex_numbers)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


# Sizes, against convex hulls.


@pytest.mark.parametrize(
    ("d", "domain"),
    [
        (2, Space(2)),
        (3, CUBE),
        (3, Simplex([[0, 0, 0], [1, 0, 0], [0.2, 1, 0], [0.3, 0.3, 1.5]])),
        (4, Box([-1] * 4, [1] * 4)),
        (5, Box([-1] * 5, [1] * 5)),
    ],
)
def test_against_convex_hulls(d, domain):
    network = deep(d, (4, 3), d)
    for one in (network, network.without_biases()):  # cells that are pyramids, with many facets at zero
        cells = subdivide(one, domain)
        for cell, volume in zip(cells, cells.volumes, strict=True):
            true = np.inf if len(cell.rays) else ConvexHull(cell.vertices).volume
            assert volume == pytest.approx(true, rel=1e-9)


@pytest.mark.parametrize("d", [3, 4])
def test_against_convex_hulls_of_faces(d):
    cells = subdivide(deep(d, (5, 3), d), Box([-1] * d, [1] * d))
    volumes = face_volumes(cells, lattice_of(cells))
    for k in range(1, d):
        found = cells.faces(d - k)
        for i, size in enumerate(volumes[d - k].tolist()):
            points = cells.vertices[found.vertices[found.first[i] : found.first[i + 1]]]
            _, _, axes = np.linalg.svd(points - points.mean(axis=0))
            flat = (points - points[0]) @ axes[: d - k].T
            true = np.ptp(flat) if d - k == 1 else ConvexHull(flat).volume
            assert size == pytest.approx(true, rel=1e-6)


def test_known_volumes_of_faces():
    cells = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0]]), SQUARE)
    volumes = face_volumes(cells, lattice_of(cells))
    assert [each.tolist() for each in volumes] == [[1.0] * 9, [1.0] * 12, [1.0] * 4]
    wedges = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0]]), Space(2))
    assert [each.tolist() for each in face_volumes(wedges, lattice_of(wedges))] == [[1.0], [np.inf] * 4, [np.inf] * 4]
    strips = subdivide(hidden([[[1, 0], [2, 0]]], [[0, 1]]), Space(2))
    assert [each.tolist() for each in face_volumes(strips, lattice_of(strips))] == [[], [np.inf] * 2, [np.inf] * 3]


# Beside the theory.


def test_laws_beside_the_bound():
    network = Network.he([2, 20, 20, 1], seed=3, bias_std=0.5)
    cells = subdivide(network, SQUARE)
    found = compare_strata(cells)
    measured, bounds = found.rows[0::2], found.rows[1::2]
    np.testing.assert_allclose([row.value for row in measured], cells.strata().per_volume[1:])
    assert [row.kind for row in bounds] == ["bound on a mean"] * 2
    assert bounds[1].value / bounds[0].value ** 2 == pytest.approx(comb(40, 2) / 40**2)
    assert bounds[0].value == pytest.approx(float(strata_bound(40, 1, 1.0, bounds[0].value / 80)))
    assert measured[0].value < bounds[0].value
    without = compare_strata(subdivide(network.without_biases(), SQUARE))
    assert len(without) == 2
    assert "Left out: bounds on means" in without.notes[0]
    with pytest.raises(NetworkError, match=r"Space\(2\) is unbounded, or .*its strata have no volume a unit"):
        compare_strata(subdivide(network, Space(2)))


def test_laws_parts_that_are_looked_at_together(monkeypatch):
    """Whatever is looked at at one time, the result is the same."""
    cells = subdivide(deep(3, (6, 5), 2), CUBE)
    whole = (*cells.strata(), *cells.bent_hyperplanes(), cells.volumes)
    monkeypatch.setattr(triangulation, "AT_ONCE", 5)
    monkeypatch.setattr(strata, "BYTES_AT_ONCE", 200)
    again = (*cells.strata(), *cells.bent_hyperplanes(), cells.volumes)
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("d", "size"), [(2, 1e308), (3, 1e200), (3, 1e308)])
def test_known_pieces_too_large_for_floats_are_bounded(d, size):
    network = Network.from_arrays(*random_network([d, 4, 1], 0, 0.3))
    bent = subdivide(network, Box([-size] * d, [size] * d)).bent_hyperplanes()
    assert bent.is_bounded.all()
    assert np.isinf(bent.volumes).any()
    assert not np.isnan(bent.volumes).any()
    assert (bent.bounded_components == 1).all()
