"""Bounds on average counts, constructions and distances: against numbers in print, counts, and the reference."""

from fractions import Fraction
from itertools import pairwise
from math import prod

import numpy as np
import pytest

import reference
from creases import Box, Network, Segment, Space, count, subdivide
from creases.errors import NetworkError
from creases.theory import (
    boundary_distance,
    central,
    distance_lower,
    explicit_bound,
    folding,
    gradient_norms,
    line_bound,
    montufar_2014_lower,
    neurons_along,
    one_dimensional_maximum,
    perturb,
    petersen_zech_bound,
    sawtooth,
    serra_upper,
    smallest_t,
    strata_bound,
    t_of,
    theorem5_bound,
    zigzag,
    zonotope,
)
from networks import random_network


def gaussian_bias(sigma):
    """The largest density of N(0, sigma^2)."""
    return 1.0 / (np.sqrt(2.0 * np.pi) * sigma)


# Known values: worked out elsewhere for n = 2, [20]^3, sigma = 0.5; one C_grad gives all four of them.


@pytest.mark.parametrize(("side", "explicit", "theorem"), [(1.0, 1.05e4, 2.6e6), (8.0, 6.4e5, 1.7e8)])
def test_known_bounds_of_three_layers_of_twenty(side, explicit, theorem):
    c_grad, c_bias = 1.484, gaussian_bias(0.5)
    assert float(explicit_bound(60, 2, side, c_grad, c_bias)) == pytest.approx(explicit, rel=0.01)
    bound = theorem5_bound(60, 2, t_of(c_grad, c_bias), volume=side**2)
    assert float(bound) == pytest.approx(theorem, rel=0.03)


def test_known_small_cases():
    assert theorem5_bound(3, 5, 1e9, volume=7.0) == 8  # fewer neurons than dimensions
    assert theorem5_bound(60, 2, 1.0) == 1800
    assert explicit_bound(0, 3, 1.0, 1.0, 1.0) == 8
    assert strata_bound(10, 0, 1.0, 1.0) == 1
    assert strata_bound(10, 2, 1.0, 0.5) == 45
    assert strata_bound(2, 3, 1.0, 1.0) == 0
    assert line_bound(10, 0.0, 1.0, 1.0) == 1
    assert line_bound(10, 2.0, 1.0, 0.5) == 11
    assert petersen_zech_bound([4], 1.0, 1.0) == 5
    assert petersen_zech_bound([4, 6], 2.0, 4.0) == pytest.approx(5 + 0.5 * (1 + np.log(12)) * 6)
    assert smallest_t(1800, 60, 2) == 1.0
    assert smallest_t(1800, 60, 2, volume=4.0) == 0.5


def test_laws_of_the_bounds():
    for n in (1, 2, 3):
        bounds = [explicit_bound(20, n, side, 1.5, 0.4) for side in (0.1, 1.0, 10.0)]
        assert bounds == sorted(bounds)
        assert bounds[0] >= 2**n
        # For a side of 1 / (C_grad C_bias) and more, and N >= n, T = 4 C_grad C_bias is enough.
        side = 3.0 / (1.5 * 0.4)
        assert explicit_bound(20, n, side, 1.5, 0.4) <= theorem5_bound(20, n, 4 * 1.5 * 0.4, volume=side**n)
    assert float(explicit_bound(10_240, 10, 1e3, 1e3, 1e3)) > 1e100  # large, and still exact
    assert theorem5_bound(10_240, 400, 1e9) > 0


def test_laws_the_smallest_t_is_a_t():
    for regions in (1, 100, 12_345):
        t = smallest_t(regions, 60, 3, volume=2.0)
        assert float(theorem5_bound(60, 3, t, volume=2.0)) == pytest.approx(regions)


@pytest.mark.jit
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("bias", ["gaussian", "uniform"])
def test_laws_means_lie_below_the_bounds(n, bias):
    """He networks in cubes of several sides: the bounds hold, and are loose."""
    c_bias = gaussian_bias(0.5) if bias == "gaussian" else 1.0
    for side in (0.1, 1.0, 10.0):
        counts = []
        for seed in range(12):
            rng = np.random.default_rng([seed, n])
            layers = []
            for below, above in pairwise((n, 8, 8)):
                noise = rng.standard_normal(above) * 0.5 if bias == "gaussian" else rng.uniform(-0.5, 0.5, above)
                layers.append((rng.standard_normal((above, below)) * np.sqrt(2 / below), noise))
            network = Network.from_arrays(*zip(*layers, strict=True), output_layer=False)
            counts.append(count(network, Box([-side / 2] * n, [side / 2] * n), progress=False).regions)
        # E ||grad||^m at He initialisation, m <= 3: below 2.75^m (paper.md, 2.1).
        assert np.mean(counts) < float(explicit_bound(16, n, side, 2.75, c_bias))
        assert np.mean(counts) < float(theorem5_bound(16, n, t_of(2.75, c_bias), volume=max(side, 1.0) ** n))


# Constructions: each has the regions that its formula says.


@pytest.mark.jit
@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_known_sawtooth(depth):
    found = count(sawtooth(depth), Segment([0.0], [1.0]))
    assert (found.regions, found.certified) == (2**depth, True)


@pytest.mark.jit
@pytest.mark.parametrize("widths", [[3], [3, 4, 3], [5, 3, 6, 3], [20, 20, 20]])
def test_known_zigzag(widths):
    found = count(zigzag(widths), Space(1))
    assert found.regions == one_dimensional_maximum(widths) == serra_upper(widths, 1)


@pytest.mark.jit
@pytest.mark.parametrize(("directions", "widths", "n"), [(3, [3], 2), (5, [4], 2), (4, [3, 3], 3), (3, [5], 1)])
def test_known_zonotope(directions, widths, n):
    network = zonotope(directions, widths, n, np.random.default_rng(0))
    cones = central(directions, n) if n > 1 else 2
    assert count(network, Space(n)).regions == cones * prod(width + 1 for width in widths)


@pytest.mark.jit
@pytest.mark.parametrize(("widths", "n"), [([4, 4], 2), ([6, 5, 5], 2), ([7, 4, 6], 3), ([2, 3], 1), ([6, 2], 3)])
def test_known_folding(widths, n):
    network = folding(widths, n, np.random.default_rng(0))
    assert list(network.widths) == widths
    assert count(network, Box([0] * n, [1] * n)).regions == montufar_2014_lower(widths, n)


@pytest.mark.jit
def test_laws_noise_destroys_the_sawtooth():
    counts = {}
    for scale in (0.0, 1e-2, 0.1, 1.0):
        networks = [perturb(sawtooth(12), scale, np.random.default_rng(seed)) for seed in range(5)]
        counts[scale] = np.mean([count(network, Segment([0.0], [1.0]), progress=False).regions for network in networks])
    assert counts[0.0] == 4096
    assert counts[1.0] < 20 < counts[0.1] < 2000


# Distances.


def product(row, values):
    return sum((Fraction(w) * v for w, v in zip(row, values, strict=True)), Fraction(0))


def test_against_reference_distances():
    """Exactly the distance to the nearest wall of the point's own region."""
    weights, biases = random_network([2, 6, 5], 3, 0.5)
    network = Network.from_arrays(weights, biases, output_layer=False)
    rng = np.random.default_rng(0)
    points = rng.integers(-8, 9, (30, 2)) / 8 + 2.0**-20
    for point, found in zip(points, boundary_distance(network, points), strict=True):
        pattern = reference.pattern_at(weights, biases, point.tolist())
        values, best = [Fraction(x) for x in point.tolist()], None
        rows = [[Fraction(int(i == j)) for j in range(2)] for i in range(2)]
        for weight, bias, active in zip(weights, biases, pattern, strict=True):
            z = [product(row, values) + Fraction(b) for row, b in zip(weight, bias, strict=True)]
            slopes = [[product(row, [r[c] for r in rows]) for c in range(2)] for row in weight]
            for value, slope in zip(z, slopes, strict=True):
                square = sum(x * x for x in slope)
                if square:
                    away = float(value**2 / square) ** 0.5
                    best = away if best is None else min(best, away)
            values = [v if on else Fraction(0) for v, on in zip(z, active, strict=True)]
            rows = [r if on else [Fraction(0)] * 2 for r, on in zip(slopes, active, strict=True)]
        assert found == pytest.approx(best, rel=1e-9)


@pytest.mark.jit
def test_laws_distances_reach_the_nearest_edge():
    """To the nearest edge of a neuron of the cell that `subdivide` finds around the point."""
    network = Network.from_arrays(*random_network([2, 8, 8, 1], 0, 0.5))
    cells = subdivide(network, Space(2))
    points = cells.interior_points
    distances = boundary_distance(network, points)
    for i in range(0, len(cells), 7):
        cell = cells.cell(i)
        corners = cell.vertices
        if len(cell.rays):
            continue
        edges = np.roll(corners, -1, axis=0) - corners
        normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1)[:, None]
        assert distances[i] == pytest.approx(((points[i] - corners) * normals).sum(axis=1).min(), rel=1e-6)


def test_laws_norms_of_distances():
    network = Network.from_arrays(*random_network([5, 8, 8, 1], 0, 0.5))
    points = np.random.default_rng(0).standard_normal((50, 5))
    one, two, most = (boundary_distance(network, points, norm=norm) for norm in (1, 2, np.inf))
    assert (most <= two + 1e-12).all()
    assert (two <= one + 1e-12).all()
    norms = gradient_norms(network, points.reshape(10, 5, 5))
    assert norms.shape == (10, 5, 16)
    first = np.linalg.norm(network.hidden[0].weight, axis=1)
    assert np.allclose(norms[..., :8], first)


@pytest.mark.jit
def test_laws_mean_distance_lies_above_its_bound():
    """He networks, biases of standard deviation 0.5, uniform points of the unit square."""
    rng, far = np.random.default_rng(0), []
    for seed in range(30):
        network = Network.from_arrays(*random_network([2, 10, 10, 1], seed, 0.5))
        far.append(boundary_distance(network, rng.random((200, 2))).mean())
    bound = distance_lower(20, 2, 1.75, gaussian_bias(0.5))
    assert 0 < bound < np.mean(far)
    assert distance_lower(200, 2, 1.75, gaussian_bias(0.5)) == pytest.approx(bound / 10, rel=0.2)


# Bad input.


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: explicit_bound(10, 2, np.inf, 1.0, 1.0), "side must be a finite number above 0"),
        (lambda: explicit_bound(10, 0, 1.0, 1.0, 1.0), "input_dim"),
        (lambda: theorem5_bound(10, 2, -1.0), "t must be"),
        (lambda: theorem5_bound(10, 2, 1.0, volume=np.nan), "volume"),
        (lambda: t_of("a", 1.0), "c_grad"),
        (lambda: smallest_t(5, 1, 2), "at least input_dim"),
        (lambda: line_bound(3, -1.0, 1.0, 1.0), "length must be a finite number of at least 0"),
        (lambda: petersen_zech_bound([], 1.0, 1.0), "widths is empty"),
        (lambda: sawtooth(0), "depth"),
        (lambda: zigzag([3, 2]), r"widths\[1\] must be at least 3"),
        (lambda: folding([1, 4], 2, np.random.default_rng(0)), r"widths\[0\] must be at least input_dim = 2"),
        (lambda: perturb(sawtooth(1), np.nan, np.random.default_rng(0)), "scale"),
        (lambda: boundary_distance(sawtooth(1), [[0.5]], norm=3), "norm must be 1, 2 or inf"),
        (lambda: boundary_distance(sawtooth(1), [[0.5, 1.0]]), "shape"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(NetworkError, match=words):
        call()


# Neuron by neuron.


@pytest.mark.jit
def test_known_neurons_along_the_sawtooth():
    found = neurons_along(sawtooth(4), Segment([-1.0], [1.0]))
    assert [neuron.crossings for neuron in found] == [1, 1, 0, 2, 0, 4, 0, 8]
    last = found[-1]
    assert (last.lowest, last.highest, last.threshold) == (0.0, 1.0, 0.5)
    assert (last.variation, last.steepest, last.oscillations) == (8.0, 8.0, 8.0)
    assert last.slope_for(9, 1.0) == 8.0


@pytest.mark.jit
def test_laws_neurons_along_a_line():
    """No neuron crosses more often than it oscillates and once, nor outside its range."""
    network = Network.from_arrays(*random_network([3, 12, 12, 12, 1], 0, 0.3))
    segment = Segment([-2, 1, 0], [2, -1, 1])
    found = neurons_along(network, segment)
    assert len(found) == network.neurons
    length = np.linalg.norm([4, -2, 1])
    for neuron in found:
        assert neuron.steepest * length >= neuron.variation - 1e-9 >= neuron.highest - neuron.lowest - 2e-9
        if neuron.crossings:
            assert neuron.lowest <= neuron.threshold <= neuron.highest
    assert sum(neuron.crossings for neuron in found) == count(network, segment).regions - 1


# No network exceeds a bound.


@pytest.mark.jit
def test_laws_no_small_network_exceeds_an_upper_bound():
    """Ten thousand random networks, He and integer weights, on lines; a tenth as many in planes."""
    rng = np.random.default_rng(0)
    most = {}
    for sample in range(11_000):
        n = 1 if sample < 10_000 else 2
        widths = tuple(rng.integers(1, 5, rng.integers(1, 4)).tolist())
        layers = [
            (rng.standard_normal((b, a)), rng.standard_normal(b))
            if sample % 2
            else (rng.integers(-2, 3, (b, a)).astype(float), rng.integers(-2, 3, b).astype(float))
            for a, b in pairwise((n, *widths))
        ]
        network = Network.from_arrays(*zip(*layers, strict=True), output_layer=False)
        found = count(network, Space(n), threads=1, progress=False).regions
        most[n, widths] = max(most.get((n, widths), 0), found)
    assert len(most) > 100
    for (n, widths), regions in most.items():
        assert regions <= serra_upper(widths, n) <= 2 ** sum(widths)
