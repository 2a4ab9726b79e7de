"""Bounds on average counts and distances: against numbers in print, what they are derived from, and counts."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from creases import Box, Directions, Network, Segment, Space, count
from creases.theory import (
    boundary_distance,
    central,
    distance_lower,
    explicit_bound,
    first_layer_moment,
    gaussian_bias_density,
    line_bound,
    mean_gradient_constant,
    petersen_zech_bound,
    smallest_side,
    smallest_t,
    strata_bound,
    t_of,
    theorem5_bound,
    zero_bias_bound,
)
from networks import random_network
from test_theory_table import he_law


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


@pytest.mark.jit
@pytest.mark.parametrize(("side", "mean"), [(1.0, 478), (8.0, 1627)])
def test_known_means_of_three_layers_of_twenty(side, mean):
    """The counts in print beside those bounds, within four standard errors; and the C_grad that they were made with."""
    draw = he_law(2, (20, 20, 20))
    square = Box([-side / 2] * 2, [side / 2] * 2)
    counts = [count(draw(np.random.default_rng(seed)), square, progress=False).regions for seed in range(60)]
    assert abs(np.mean(counts) - mean) < 4 * np.std(counts, ddof=1) / np.sqrt(len(counts)) + 0.02 * mean
    estimate = mean_gradient_constant(draw, np.random.default_rng(0).uniform(-0.5, 0.5, (5, 2)), 2, networks=100)
    assert np.sqrt(2.0) - 3 * estimate.error < estimate.value < 1.484 + 4 * estimate.error


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


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize(("c_grad", "c_bias"), [(1.5, 0.4), (3.0, 2.0), (0.1, 0.01)])
def test_laws_theorem_5_follows_from_the_smallest_side_on(n, c_grad, c_bias):
    """Exactly: from the side that is said on the explicit bound lies below theorem 5's, and well below it does not."""
    for neurons in (n, n + 1, 5 * n, 300 * n):
        for factor in (2.5, 4.0, 32.0):
            t = factor * c_grad * c_bias
            side = smallest_side(t, c_grad, c_bias)
            for longer in (1.0 + 1e-9, 2.0, 100.0):
                explicit = explicit_bound(neurons, n, side * longer, c_grad, c_bias)
                assert explicit <= theorem5_bound(neurons, n, t, volume=(side * longer) ** n) * (1 + Fraction(1, 10**9))
    side = smallest_side(t_of(c_grad, c_bias), c_grad, c_bias)
    assert side == pytest.approx(1 / (15 * c_grad * c_bias))
    few, short = n, side / 100
    bound = theorem5_bound(few, n, t_of(c_grad, c_bias), volume=short**n)
    assert explicit_bound(few, n, short, c_grad, c_bias) > bound


def test_known_tau_two_to_the_fifth():
    assert t_of(1.5, 0.25) == 2**5 * 1.5 * 0.25
    assert theorem5_bound(10, 3, t_of(1.0, 1.0)) == Fraction(320**3, 6)
    assert theorem5_bound(3, 3, 2.0, volume=5.0) == Fraction(5 * 6**3, 6)  # N = n is the first case


# Zero biases.


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_laws_one_layer_without_biases_lies_below_its_bound(n):
    """Of one layer both constants are known: the central count, of order N^(n - 1), lies below, and not by orders."""
    c_grad = first_layer_moment(n, max(n - 1, 1))
    c_zero = gaussian_bias_density(np.sqrt(2 / n))
    for neurons in (1, n, 50, 5000):
        bound = zero_bias_bound(neurons, n, c_grad, c_zero)
        assert central(neurons, n) <= bound
    ratios = [float(zero_bias_bound(m, n, c_grad, c_zero) / central(m, n)) for m in (10**4, 10**6)]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.01)  # the same order
    assert n > 2 or ratios[1] < 4.01


@pytest.mark.jit
@pytest.mark.parametrize(("n", "widths"), [(2, (12, 12, 12)), (3, (8, 8))])
def test_laws_deep_networks_without_biases_lie_below_their_bound(n, widths):
    """And below the same network with biases, one by one; a bound of order N^n does not say that."""
    c_grad, c_zero, counts = first_layer_moment(n, n - 1), gaussian_bias_density(np.sqrt(2 / n)), []
    draw = he_law(n, widths)
    for seed in range(12):
        network = draw(np.random.default_rng(seed))
        counts.append(count(network.without_biases(), Directions(n), progress=False).regions)
        assert counts[-1] <= count(network, Space(n), progress=False).regions
    assert np.mean(counts) < zero_bias_bound(sum(widths), n, c_grad, c_zero)


@pytest.mark.jit
def test_laws_points_on_the_surface_that_the_zero_bias_bound_counts():
    """Two dimensions: zeros on the four sides of the square, a side of 2 and neuron at most 2 C_grad C_zero each."""
    c_grad, c_zero, zeros = first_layer_moment(2, 1), gaussian_bias_density(1.0), []
    for seed in range(40):
        network = he_law(2, (12, 12))(np.random.default_rng(seed)).without_biases()
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        sides = [Segment(a, b) for a, b in pairwise(corners)]
        zeros.append(sum(count(network, side, progress=False).regions - 1 for side in sides))
    assert np.mean(zeros) + 3 * np.std(zeros) / np.sqrt(len(zeros)) < 4 * 24 * 2 * c_grad * c_zero


# Lines.


@pytest.mark.jit
def test_laws_pieces_of_a_segment_lie_below_the_bounds_on_lines():
    """Biases are drawn anew, weights are not: Petersen and Zech's bound; both are: the bound on lines, in any space."""
    rng, widths, spread = np.random.default_rng(0), (10, 10, 10), 2.0
    weights = [rng.standard_normal((above, below)) * np.sqrt(2 / below) for below, above in pairwise((1, *widths))]
    steep, derivative = np.ones((1, 1)), 0.0
    for weight in weights:  # whichever neurons are active
        steep = np.abs(weight) @ steep
        derivative = max(derivative, float(steep.max()))
    pieces = []
    for _ in range(60):
        biases = [rng.uniform(-spread / 2, spread / 2, width) for width in widths]
        network = Network.from_arrays(weights, biases, output_layer=False)
        pieces.append(count(network, Segment([0.0], [1.0]), progress=False).regions)
    assert 2 < np.mean(pieces) < petersen_zech_bound(widths, derivative, spread)
    draw, long = he_law(3, (15, 15)), np.sqrt(4 + 1 + 1)
    counts = [
        count(draw(np.random.default_rng(seed)), Segment([-1, 0, 1], [1, 1, 0]), progress=False).regions
        for seed in range(60)
    ]
    bound = float(line_bound(30, long, first_layer_moment(3, 1), gaussian_bias(0.5)))
    assert 0.2 * bound < np.mean(counts) < bound


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


# Distances.


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


def test_known_distances_of_wide_networks():
    """As N grows the bound is an absolute constant over C_grad C_bias N: 1 / 16 on a line, which has k = 1 only."""
    for n in (1, 2, 10, 784):
        constant = distance_lower(10**8, n, 4.0, 0.25) * 10**8
        assert 0.053 < constant <= 1 / 16 * (1 + 1e-9)
        assert distance_lower(10**8, n, 8.0, 0.5) * 4 * 10**8 == pytest.approx(constant, rel=1e-3)
    assert distance_lower(10**8, 1, 1.0, 1.0) * 10**8 == pytest.approx(1 / 16, rel=1e-3)
    # In a plane, where pi x^2 / 2 is added to the 2 x: the best x by calculus, of x (1 - 2 x - pi x^2 / 2).
    x = (np.sqrt(16 + 6 * np.pi) - 4) / (3 * np.pi)
    assert distance_lower(10**8, 2, 1.0, 1.0) * 10**8 == pytest.approx(
        x * (1 - 2 * x - np.pi * x * x / 2) / 2, rel=1e-3
    )
    # Few neurons, small constants and many dimensions: less, and still something.
    assert 1e-3 < distance_lower(1, 784, 1e-3, 1e-3) < 0.02
