"""Local measures of data sets: decision distances, facets of regions, local complexity by two definitions."""

from math import exp, pi, sqrt

import numpy as np
import pytest

import graph_cases
from creases import Box, Network, Space, build, decision_regions, subdivide
from creases.errors import NetworkError
from creases.theory import (
    boundary_distance,
    decision_distance,
    humayun_local_complexity,
    patel_local_complexity,
    region_facets,
)
from graph_networks import as_network


def hidden(weights, biases):
    return Network.from_arrays([weights], [biases], output_layer=False)


GRID = hidden(
    [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]], [1.0, 0.0, -1.0, 1.0, 0.0, -1.0]
)

# Decision distances.


def test_known_decision_distances_within_the_region():
    """One line between two classes, z_0 - z_1 = 3 x + 4 y - 5 where both neurons are open."""
    network = Network.from_arrays([np.eye(2).tolist(), [[3.0, 4.0], [0.0, 0.0]]], [[100.0, 100.0], [-705.0, 0.0]])
    found = decision_distance(network, [[0.0, 0.0], [3.0, 4.0], [1.0, 0.5]])
    assert np.allclose(found.lower, [1, 4, 0])
    assert found.exact.all()
    assert np.array_equal(found.lower, found.upper)
    assert decision_distance(network, np.zeros((2, 3, 2))).lower.shape == (2, 3)
    assert decision_distance(network, [0.0, 0.0]).lower.shape == ()


def test_known_a_boundary_that_turns_towards_the_point():
    """The foot on the hyperplane lies in the region, and another piece of the boundary is nearer: not exact."""
    # y - 4 + 8 relu(x - 1) >= 0: from the origin the line y = 4 is 4 away, and the steep one beyond x = 1 less.
    network = Network.from_arrays([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 8.0]]], [[50.0, -1.0], [-54.0]])
    found = decision_distance(network, [[0.0, 0.0]])
    true = 12 / sqrt(65)  # of the line 8 x + y = 12, whose foot (96, 12) / 65 is beyond x = 1
    assert not found.exact[0]
    assert found.lower[0] == 1
    assert found.lower[0] < true < found.upper[0] <= 4 + 1e-9
    # A point of the other class on the way to the foot finds it.
    with_other = decision_distance(network, [[0.0, 0.0], [96 / 65 * 1.0001, 12 / 65 * 1.0001]])
    assert with_other.upper[0] == pytest.approx(true, rel=1e-6)


def test_known_one_class():
    constant = Network.from_arrays([[[1.0, 0.0]], [[1.0], [2.0]]], [[0.0], [0.0, 1.0]])
    found = decision_distance(constant, [[1.0, 1.0], [-1.0, 0.0]])
    assert np.isinf(found.upper).all()
    assert found.lower[1] == 1  # to the neuron
    assert not found.exact[1]
    nothing = Network.from_arrays([[[0.0, 0.0]], [[1.0], [1.0]]], [[1.0], [0.0, 1.0]])
    found = decision_distance(nothing, [[1.0, 1.0]])
    assert np.isinf(found.lower).all()
    assert found.exact.all()


def exact_distances(network, points, half):
    """To the decision boundary in a square, from the facets between classes of its complex."""
    cells = subdivide(
        network.with_argmax() if network.n_out > 1 else network.with_level_set(), Box([-half] * 2, [half] * 2)
    )
    classes = (
        decision_regions(cells).cell_classes
        if network.n_out > 1
        else cells.patterns[:, -1] >> (cells.network.bits - 1) % 8 & 1
    )
    facets = cells.facets
    apart = facets.inner & (classes[facets.cells[:, 0]] != classes[facets.cells[:, 1]])
    ends = cells.vertices[facets.vertices.reshape(-1, 2)[apart]]
    steps = ends[:, 1] - ends[:, 0]
    found = []
    for point in points:
        away = point - ends[:, 0]
        share = np.clip((away * steps).sum(axis=1) / (steps**2).sum(axis=1), 0, 1)
        found.append(np.linalg.norm(away - share[:, None] * steps, axis=1).min(initial=np.inf))
    return np.array(found)


@pytest.mark.parametrize("n_out", [1, 3])
def test_against_exact_decision_boundaries(n_out):
    exact = close = 0
    for seed in range(8):
        network = Network.he([2, 12, 12, n_out], seed=seed, bias_std=0.5)
        points = np.random.default_rng(seed).uniform(-1, 1, (60, 2))
        true, found = exact_distances(network, points, 6.0), decision_distance(network, points)
        near = true < 5  # the square holds all that is so near
        assert (found.lower <= true * (1 + 1e-9) + 1e-12)[near].all()
        assert (found.upper >= true * (1 - 1e-9) - 1e-12)[near].all()
        assert np.allclose(found.lower[found.exact & near], true[found.exact & near], rtol=1e-8, atol=1e-12)
        assert (found.lower[found.exact] == found.upper[found.exact]).all()
        assert (boundary_distance(network, points)[~found.exact] == found.lower[~found.exact]).all()
        exact += int((found.exact & near).sum())
        close += int((found.upper < 1.5 * true)[~found.exact & near].sum())
    assert exact > 10
    assert close > 150


def test_laws_decision_distances_of_graphs():
    for seed in range(12):
        rng = np.random.default_rng([seed, 3])
        network = as_network(graph_cases.random_graph(rng, 2, degenerate=False, most_units=4), 2)
        points = rng.uniform(-1, 1, (20, 2))
        true, found = exact_distances(network, points, 8.0), decision_distance(network, points)
        near = true < 7
        assert (found.lower <= true * (1 + 1e-9) + 1e-12)[near].all()
        assert (found.upper >= true * (1 - 1e-9) - 1e-12)[near].all()


# Facets.


def test_known_facets():
    assert region_facets(GRID, [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [-7.0, 0.5]]).tolist() == [4, 3, 2, 3]
    assert region_facets(hidden([[1.0, 2.0, 3.0]], [0.5]), [[1.0, 1.0, 1.0]]).tolist() == [1]
    lines = hidden([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]], [1.0, 2.0, 1.0])  # two of them one
    assert region_facets(lines, [[0.0, 0.0], [3.0, 0.0]]).tolist() == [2, 1]
    assert region_facets(hidden([[0.0, 0.0]], [1.0]), [[1.0, 1.0]]).tolist() == [0]
    corner = hidden([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, 0.0])  # touches the quadrant in a point
    assert region_facets(corner, [[1.0, 2.0], [-1.0, 2.0]]).tolist() == [2, 2]
    assert region_facets(GRID, np.full((2, 1, 2), 0.5)).shape == (2, 1)
    assert region_facets(GRID, np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize("n", [5, 12])
def test_known_facets_of_cubes_and_cross_polytopes(n):
    cube = hidden(np.concatenate([np.eye(n), np.eye(n)]).tolist(), [1.0] * n + [-1.0] * n)
    assert region_facets(cube, [[0.25] * n]).tolist() == [2 * n]
    if n == 5:
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n)).reshape(n, -1).T
        cross = hidden(signs.tolist(), [1.0] * len(signs))
        assert region_facets(cross, [[0.0] * n]).tolist() == [2**n]


@pytest.mark.parametrize("n", [2, 3])
def test_against_exact_facets_of_the_complex(n):
    for seed in range(6):
        network = Network.he([n, 9, 7, 1], seed=seed, bias_std=0.5)
        cells = subdivide(network, Space(n))
        some = np.arange(0, len(cells), 4 if n == 2 else 40)
        expected = np.diff(cells.sides.first)[some]
        if cells.is_flat:  # sides at infinity are no facets
            far = np.add.reduceat(cells.sides.walls == -1, cells.sides.first[:-1])
            expected = expected - far[some]
        inside = cells.inradii[some] > 1e-6
        found = region_facets(network, cells.interior_points[some][inside])
        assert np.array_equal(found, expected[inside])


def test_laws_facets_of_degenerate_chains_and_graphs():
    """Every kind of network, degenerate too: as many as the complex has in a square around them, and no more."""
    done = 0
    for i in range(24):
        rng = np.random.default_rng([i, 4])
        network = as_network(graph_cases.random_graph(rng, 2, degenerate=bool(i % 2), most_units=4), 2)
        if not network.bits:
            continue
        cells = subdivide(network, Space(2))
        if len(cells.lineality) or not len(cells.vertices):
            continue
        good = np.flatnonzero(cells.inradii > 1e-5)
        walls = np.add.reduceat(cells.sides.walls >= 0, cells.sides.first[:-1])
        assert np.array_equal(region_facets(network, cells.interior_points[good]), walls[good])
        done += len(good)
    assert done > 60


def test_against_exact_programs_one_a_wall():
    """In more dimensions: of each wall whether all others leave something beyond it."""
    from creases.theory.facets import beyond, facets_of, walls_at

    for seed, n in enumerate((3, 5, 8, 3)):
        network = Network.he([n, 16, 16, 1], seed=seed, bias_std=0.3)
        for normals, distances in walls_at(network, np.random.default_rng(seed).standard_normal((2, n))):
            away, every = distances / distances[0], np.arange(len(distances))
            expected = sum(beyond(normals, away, np.delete(every, i), i) is not None for i in every)
            assert facets_of((normals, distances)) == expected


def test_laws_facets_in_processes():
    network = Network.he([6, 10, 10, 1], seed=3, bias_std=0.3)
    points = np.random.default_rng(0).standard_normal((6, 6))
    assert np.array_equal(region_facets(network, points, processes=2), region_facets(network, points))


def test_bad_input_facets():
    with pytest.raises(NetworkError, match=r"Point 1 lies on a boundary, so it is in no region\. Move it a little"):
        region_facets(GRID, [[0.5, 0.5], [0.0, 0.5]])
    with pytest.raises(NetworkError, match="processes must be a whole number, at least 1; got 0"):
        region_facets(GRID, [[0.5, 0.5]], processes=0)
    with pytest.raises(NetworkError, match=r"Points must have shape"):
        region_facets(GRID, [[0.5, 0.5, 0.5]])


# Cross-polytopes.


def test_known_cross_polytopes():
    assert humayun_local_complexity(GRID, [[0.5, 0.5], [0.0, 0.5], [0.0, 0.0], [9.0, 9.0]], 0.25).tolist() == [
        [0],
        [1],
        [2],
        [0],
    ]
    deep = Network.from_arrays([[[1.0]], [[1.0], [1.0]]], [[0.0], [-1.0, -5.0]], output_layer=False)
    assert humayun_local_complexity(deep, [[0.0], [1.0], [5.0]], 0.5).tolist() == [[1, 0], [0, 1], [0, 1]]
    assert humayun_local_complexity(deep, 1.0 * np.ones((3, 2, 1)), 2.0).shape == (3, 2, 2)


def test_known_cross_polytopes_of_graphs():
    x = build.input(1)
    clip = build.network(build.dense(build.clip(x, -1, 1), [[1.0]]))
    assert humayun_local_complexity(clip, [[1.0], [0.0]], 0.5).tolist() == [[1], [0]]
    assert humayun_local_complexity(clip, [[0.0]], 1.5).tolist() == [[2]]
    most = build.network(build.maximum(x, build.dense(x, [[-1.0]])))
    assert humayun_local_complexity(most, [[0.25], [2.0]], 0.5).tolist() == [[1], [0]]


def test_laws_cross_polytopes():
    network = Network.he([40, 20, 20, 1], seed=0, bias_std=0.2)
    points = np.random.default_rng(1).standard_normal((30, 40))
    small, large = (humayun_local_complexity(network, points, r) for r in (0.01, 0.5))
    assert small.sum() < large.sum()
    assert (large <= 20).all()
    few, many = (humayun_local_complexity(network, points, 0.5, d, seed=2) for d in (2, 40))
    assert few.sum() < many.sum()
    assert np.array_equal(many, humayun_local_complexity(network, points, 0.5, 40, seed=2))
    # What all of a region around a point has: no sign changes nearer than its boundary.
    away = boundary_distance(network, points)
    for point, distance in zip(points[:5], away[:5], strict=True):
        assert humayun_local_complexity(network, point, distance * 0.999).sum() == 0


def test_bad_input_decision_distances():
    with pytest.raises(NetworkError, match=r"Points must have shape"):
        decision_distance(GRID, [[0.0, 0.0, 0.0]])


def test_bad_input_cross_polytopes():
    for radius in (0, -1.0, np.nan, np.inf):
        with pytest.raises(NetworkError, match="radius must be a finite number above 0"):
            humayun_local_complexity(GRID, [[0.0, 0.0]], radius)
    with pytest.raises(NetworkError, match=r"directions must be at most 2, as many as are orthogonal .* got 3"):
        humayun_local_complexity(GRID, [[0.0, 0.0]], 1, 3)
    with pytest.raises(NetworkError, match="directions must be a whole number, at least 1; got 0"):
        humayun_local_complexity(GRID, [[0.0, 0.0]], 1, 0)


# Densities.


def test_known_density_of_one_layer():
    """A line at a distance: |w| times the normal density of its pre-activation."""
    network = Network.from_arrays([[[3.0, 4.0], [1.0, 0.0]], [[1.0, 0.0]]], [[-5.0, 0.0], [0.0]])
    found = patel_local_complexity(network, [[0.0, 0.0], [1.0, 0.5]], 2.0)
    expected = [5 * exp(-0.5 * 2.5**2) / (sqrt(2 * pi) * 2), 5 / (sqrt(2 * pi) * 2)]
    assert np.allclose(found.values, expected)  # the second neuron reaches no output
    assert np.allclose(found.errors, 0)
    assert found.mean == pytest.approx(np.mean(expected))


def test_known_density_of_a_clip():
    x = build.input(1)
    clip = build.network(build.dense(build.clip(build.dense(x, [[2.0]]), -1, 1), [[1.0]]))
    expected = 2 * (exp(-0.5 * 1.5**2) + exp(-0.5 * 0.5**2)) / sqrt(2 * pi)
    assert patel_local_complexity(clip, [[0.25]], 1.0).values == pytest.approx([expected])


def test_known_density_of_two_layers():
    """relu(relu(x + e) - 1 + f): the second has the density of f where the first is open, which e decides."""
    network = Network.from_arrays([[[1.0]], [[1.0]], [[1.0]]], [[0.0], [-1.0], [0.0]])
    found = patel_local_complexity(network, [[1.0]], 0.5, samples=4000)
    rng = np.random.default_rng(0)
    e, f = 0.5 * rng.standard_normal((2, 400_000))
    normal = lambda t: np.exp(-0.5 * (t / 0.5) ** 2) / (sqrt(2 * pi) * 0.5)  # noqa: E731
    first = normal(1.0) * (f > 1).mean()  # on its own boundary the first hands on zero
    second = ((1 + e > 0) * normal(np.maximum(1 + e, 0) - 1)).mean()
    assert abs(found.values[0] - first - second) < 5 * found.errors[0] + 1e-3
    assert 0 < found.errors[0] < 0.02


def test_laws_density_is_that_of_boundaries():
    """Its integral along a segment is the mean number of jumps of the gradient there, over the noise."""
    weights, biases = [[[1.0], [-2.0]], [[1.0, 0.5], [0.75, -1.0]], [[1.0, 0.875]]], [[0.0, 0.5], [-0.25, 0.125], [0.0]]
    sigma, draws, rng = 0.25, 2000, np.random.default_rng(2)
    places = (np.arange(400) + 0.5) / 200 - 1
    network = Network.from_arrays(weights, biases)
    found = 2 * patel_local_complexity(network, places[:, None], sigma, samples=200, seed=1).mean
    counts = []
    for _ in range(draws):
        noise = [sigma * rng.standard_normal(2), sigma * rng.standard_normal(2), 0.0]
        moved = Network.from_arrays(weights, [np.array(b) + e for b, e in zip(biases, noise, strict=True)])
        counts.append(int(subdivide(moved, Box([-1], [1])).jumps.sum()))
    assert abs(found - np.mean(counts)) < 4 * np.std(counts) / np.sqrt(draws)


def test_laws_density_of_chains_and_graphs():
    for seed in range(8):
        rng = np.random.default_rng([seed, 5])
        network = as_network(graph_cases.random_graph(rng, 2, degenerate=False, most_units=4), 2)
        try:
            found = patel_local_complexity(network, rng.standard_normal((5, 2)), 0.5, samples=3)
        except NetworkError as error:
            assert "has switches" in str(error)  # noqa: PT017
            continue
        assert (found.values >= 0).all()
        assert np.isfinite(found.values).all()


def test_bad_input_densities():
    x = build.input(1)
    most = build.network(build.maximum(x, build.dense(x, [[-1.0]])))
    with pytest.raises(NetworkError, match="has switches, which have no threshold to which noise could be added"):
        patel_local_complexity(most, [[0.0]], 1.0)
    with pytest.raises(NetworkError, match="sigma must be a finite number above 0"):
        patel_local_complexity(GRID, [[0.0, 0.0]], 0.0)
    with pytest.raises(NetworkError, match="samples must be a whole number, at least 2; got 1"):
        patel_local_complexity(GRID, [[0.0, 0.0]], 1.0, samples=1)
    assert np.isnan(patel_local_complexity(GRID, np.zeros((0, 2)), 1.0).mean)
