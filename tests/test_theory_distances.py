"""Distances to the nearest boundary, against the walls of the point's region in the reference; gradients."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

import graph_cases
import networks
import reference
from creases import Network, Plane, Space, subdivide
from creases.complex.maps import affine_maps, gradient_norms_along_slice
from creases.domain.lengths import directions_of
from creases.errors import NetworkError
from creases.theory import boundary_distance, forms, gradient_norms
from engine_twins import determinant
from graph_networks import as_network

FAR = 1000  # half the side of the box that the reference cuts; the points are within 2
NORMS = (1, 2, np.inf)


def through(rays):
    """The form that vanishes on n rays of n + 1 coordinates: minors; zero where they are dependent."""
    rows = [list(ray) for ray in rays]
    return [(-1) ** i * determinant([row[:i] + row[i + 1 :] for row in rows]) for i in range(len(rows[0]))]


def facets(region, n):
    """Forms of the hyperplanes through the region's facets at neurons and switches, from its corners."""
    found = []
    for wall in region.cone.walls:
        if wall[0] in ("neuron", "switch"):
            corners = [ray.vector for ray in region.cone.rays if wall in ray.tight]
            forms = map(through, combinations(corners, n))
            found += [form for form in [next((form for form in forms if any(form[:-1])), None)] if form]
    return found


def exact_distances(levels, point):
    """By norm of the input the exact distance to the nearest facet of the point's region; None on a boundary."""
    n = len(point)
    at = [Fraction(x) for x in point]
    pattern = reference.graph_pattern_at(levels, at)
    found = reference.graph_regions(levels, reference.box([-FAR] * n, [FAR] * n))
    walls = facets(next(region for region in found if region.pattern == pattern), n)
    away = dict.fromkeys(NORMS, np.inf)
    for *slope, constant in walls:
        height = abs(sum((a * x for a, x in zip(slope, at, strict=True)), Fraction(constant)))
        lengths = {1: max(map(abs, slope)), 2: Fraction(sum(a * a for a in slope)), np.inf: sum(map(abs, slope))}
        for norm, length in lengths.items():
            distance = float(height**2 / length) ** 0.5 if norm == 2 else float(height / length)
            away[norm] = min(away[norm], distance)
    return away


KINDS = (
    networks.generic,
    networks.small_integers,
    networks.duplicates,
    networks.duplicates_across_layers,
    networks.zero_bias,
    networks.dead_neurons,
    networks.dead_layer,
    networks.zero_rows,
    networks.parallel,
    networks.width_one,
)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_against_exact_distances(n):
    """To the nearest facet of the region that fractions cut, degenerate networks too: dead, equal, constant neurons."""
    for name, weights, biases in networks.table(2 * len(KINDS), 5, n, KINDS):
        network = Network.from_arrays(weights, biases, output_layer=False)
        points = np.random.default_rng(n).integers(-15, 16, (2, n)) / 8 + 2.0**-20 / 3
        found = {norm: boundary_distance(network, points, norm=norm) for norm in NORMS}
        for i, point in enumerate(points.tolist()):
            for norm, exact in exact_distances(reference.chain(weights, biases), point).items():
                if exact < FAR / 2:
                    assert found[norm][i] == pytest.approx(exact, rel=1e-9), (name, norm)
                else:
                    assert found[norm][i] > FAR / 2, (name, norm)


@pytest.mark.parametrize("degenerate", [False, True])
@pytest.mark.parametrize("n", [1, 2])
def test_against_exact_distances_of_graphs(n, degenerate):
    """Residual sums, clips, switches, any slopes, ties: to the nearest facet of the point's region, or none."""
    for seed in range(60):
        rng = np.random.default_rng([seed, n, degenerate])
        levels = graph_cases.random_graph(rng, n, degenerate=degenerate, most_units=4)
        network = as_network(levels, n)
        points = rng.integers(-15, 16, (2, n)) / 8 + 2.0**-20 / 3
        found = {norm: boundary_distance(network, points, norm=norm) for norm in NORMS}
        for i, point in enumerate(points.tolist()):
            for norm, exact in exact_distances(levels, point).items():
                if exact < FAR / 2:
                    assert found[norm][i] == pytest.approx(exact, rel=1e-9), (seed, norm)
                else:
                    assert found[norm][i] > FAR / 2, (seed, norm)


def test_known_distances():
    network = Network.from_arrays([[[3.0, 4.0]]], [[-5.0]], output_layer=False)
    for norm, away in ((1, 1.25), (2, 1.0), (np.inf, 5 / 7)):
        assert boundary_distance(network, [0.0, 0.0], norm=norm) == pytest.approx(away)
    # The second neuron is dead and the third has no weights; above a layer that is off, all is constant.
    silent = Network.from_arrays(
        [[[1.0], [0.0], [0.0]], [[1.0, 1.0, 1.0]]], [[0.0, -1.0, 0.0], [0.0]], output_layer=False
    )
    assert boundary_distance(silent, [[-3.0], [2.0], [0.0]]).tolist() == [3.0, 2.0, 0.0]
    never = Network.from_arrays([np.zeros((2, 3))], [[1.0, 0.0]], output_layer=False)
    assert boundary_distance(never, np.zeros((2, 3))).tolist() == [np.inf, np.inf]
    assert boundary_distance(never, np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("n", [2, 5])
def test_known_distances_where_neurons_cancel(n):
    """k a + b - (k a + b) in a second layer is zero where all are active: no wall, whatever the inputs."""
    rng, seen = np.random.default_rng(0), 0
    for _ in range(50):
        first, second = rng.integers(-4, 5, (2, n)).astype(float)
        factor = float(rng.integers(2, 8))
        below = np.array([first, second, factor * first + second])
        network = Network.from_arrays([below, [[factor, 1.0, -1.0]]], [np.zeros(3), [0.0]], output_layer=False)
        points = rng.integers(-8, 9, (30, n)) + rng.integers(1, 4, (30, n)) / 8
        active = (points @ below.T > 0).all(axis=1)
        heights = points[active] @ below.T / np.linalg.norm(below, axis=1)
        assert np.allclose(boundary_distance(network, points[active]), heights.min(axis=1, initial=np.inf), rtol=1e-9)
        assert not gradient_norms(network, points[active])[:, 3].any()
        seen += active.sum()
    assert seen > 50


@pytest.mark.jit
def test_laws_distances_reach_the_nearest_edge():
    """To the nearest edge of a neuron of the cell that `subdivide` finds around the point."""
    network = Network.from_arrays(*networks.random_network([2, 8, 8, 1], 0, 0.5))
    cells = subdivide(network, Space(2))
    points = cells.interior_points
    found = boundary_distance(network, points)
    for i in range(0, len(cells), 7):
        cell = cells.cell(i)
        corners = cell.vertices
        if len(cell.rays):
            continue
        edges = np.roll(corners, -1, axis=0) - corners
        normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1)[:, None]
        assert found[i] == pytest.approx(((points[i] - corners) * normals).sum(axis=1).min(), rel=1e-6)


def test_laws_a_batch_is_its_points(monkeypatch):
    """In any shape, and however many are held at a time."""
    network = Network.from_arrays(*networks.random_network([5, 8, 8, 1], 0, 0.5))
    points = np.random.default_rng(0).standard_normal((50, 5))
    whole = boundary_distance(network, points), gradient_norms(network, points)
    monkeypatch.setattr(forms, "AT_A_TIME", 300)
    assert np.allclose(boundary_distance(network, points.reshape(10, 5, 5)).ravel(), whole[0], rtol=1e-12)
    norms = gradient_norms(network, points.reshape(10, 5, 5))
    assert norms.shape == (10, 5, 16)
    assert np.allclose(norms.reshape(50, 16), whole[1], rtol=1e-12)
    assert np.allclose(norms[..., :8], np.linalg.norm(network.hidden[0].weight, axis=1))


def test_laws_gradients_along_a_slice():
    """By differences along its directions; along all of space they are whole, and so they are after a rotation."""
    network = Network.from_arrays(*networks.random_network([4, 6, 6, 1], 0, 0.5))
    rng = np.random.default_rng(0)
    points, direction = rng.standard_normal((20, 4)), rng.standard_normal(4)
    step = 1e-7 * direction / np.linalg.norm(direction)
    above, below = (np.hstack(network.pre_activations(points + s)) for s in (step, -step))
    along = gradient_norms(network, points, along=[3.0 * direction])
    assert np.allclose(along, np.abs(above - below) / 2e-7, atol=1e-6)
    whole = gradient_norms(network, points)
    assert np.allclose(gradient_norms(network, points, along=rng.standard_normal((4, 4))), whole)
    assert (along <= whole + 1e-12).all()


@pytest.mark.parametrize("norm", [0, 3, "2", None])
def test_bad_input_norm(norm):
    with pytest.raises(NetworkError, match="norm must be 1, 2 or inf"):
        boundary_distance(Network.from_arrays([[[1.0]]], [[0.0]], output_layer=False), [[0.5]], norm=norm)


def test_known_directions_that_depend_on_one_another():
    """Only what they span counts: no direction that is none of theirs comes in, and of zero alone there is nothing."""
    network, point = Network.he([3, 4, 1], seed=0, bias_std=0.2), [[0.1, 0.2, 0.3]]
    one = gradient_norms(network, point, along=[[1, 0, 0]])
    for rows in ([[1, 0, 0], [2, 0, 0]], [[0, 0, 0], [3, 0, 0]], [[1, 0, 0]] * 5):
        assert gradient_norms(network, point, along=rows) == pytest.approx(one)
    assert not gradient_norms(network, point, along=[[0, 0, 0]]).any()
    space = [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 0]]
    assert gradient_norms(network, point, along=space) == pytest.approx(gradient_norms(network, point))


@pytest.mark.parametrize("bits", [1, 10, 30, 50])
def test_known_directions_that_are_nearly_parallel(bits):
    rows = [[1, 0.5, 0.75], [1, 0.5, 0.75 + 2.0**-bits]]
    network, point = Network.he([3, 4, 1], seed=0, bias_std=0.2), [[0.1, 0.2, 0.3]]
    expected = gradient_norms(network, point, along=[[1, 0.5, 0], [0, 0, 1]])
    assert gradient_norms(network, point, along=rows) == pytest.approx(expected, rel=1e-12)
    plane = Plane([0.125, 0, 0], rows)
    cells = subdivide(network, plane.square(2.0))
    upright = subdivide(network, Plane([0.125, 0, 0], [[1, 0.5, 0], [0, 0, 1]]).square(9.0))
    maps = affine_maps(cells).matrices[:, 0]
    along = maps @ directions_of(upright.domain.slice).T
    assert gradient_norms_along_slice(cells).frobenius == pytest.approx(np.hypot(*along.T), rel=1e-12)
