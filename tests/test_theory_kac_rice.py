"""Expected strata by Kac and Rice's formula against the measured ones of subdivisions, and what is measured."""

from math import erf, sqrt

import numpy as np
import pytest

from creases import Box, DomainError, Line, Network, Plane, Segment, Space, count, subdivide
from creases.complex.measures import boundary_length, crossings
from creases.errors import ComputationError, NetworkError
from creases.theory import expected_stratum, gaussian_bias_density, gaussian_density, strata_bound, uniform_density
from networks import random_network
from test_theory_table import he_law

SQUARE = Box([-1, -1], [1, 1])


# Measures.


@pytest.mark.jit
def test_known_measures_of_a_cross():
    cross = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.5]], output_layer=False)
    cells = subdivide(cross, SQUARE)
    assert boundary_length(cells) == pytest.approx(4.0)
    assert crossings(cells) == 1
    # The same in a plane of a larger space, whose basis is twice as long.
    wide = Network.from_arrays([[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]], [[0.0, 0.5]], output_layer=False)
    plane = Plane([0, 0, 0], [[2, 0, 0], [0, 2, 0]])
    assert boundary_length(subdivide(wide, plane.square(1.0))) == pytest.approx(8.0)


@pytest.mark.jit
def test_laws_pieces_by_crossings():
    """In a convex window regions = 1 + crossings inside + ends on its border / 2, if nothing floats freely inside."""
    for seed in range(10):
        network = Network.from_arrays(*random_network([2, 12, 1], seed, 0.5))
        cells = subdivide(network, SQUARE)
        sides = zip(SQUARE.vertices, np.roll(SQUARE.vertices, -1, 0), strict=True)
        ends = sum(count(network, Segment(a, b)).regions - 1 for a, b in sides)
        assert len(cells) == 1 + crossings(cells) + ends // 2
    segment = Segment([-1, 0], [1, 1])
    assert crossings(subdivide(network, segment)) == count(network, segment).regions - 1


def test_bad_input_measures():
    network = Network.from_arrays(*random_network([2, 4, 1], 0, 0.5))
    with pytest.raises(DomainError, match="no bounded domain"):
        boundary_length(subdivide(network, Space(2)))
    with pytest.raises(DomainError, match="no bounded domain"):
        boundary_length(subdivide(network, Segment([0, 0], [1, 1])))
    with pytest.raises(DomainError, match="no bounded domain"):
        crossings(subdivide(network, Line([0, 0], [1, 1])))
    star = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]], [[0.0, 0.0, 0.0]], output_layer=False)
    with pytest.raises(ComputationError, match="More than two neurons"):
        crossings(subdivide(star, SQUARE))
    # Two points in which three meet have twelve corners, a multiple of four; but each pair of neurons has two in each.
    stars = Network.from_arrays([[[1, 0], [0, 1], [1, 1], [0, 1], [1, 1]]], [[0, 0, 0, -0.5, -0.5]], output_layer=False)
    with pytest.raises(ComputationError, match="More than two neurons"):
        crossings(subdivide(stars, SQUARE))


@pytest.mark.jit
def test_laws_crossings_of_hyperplanes():
    """N lines in general position cross C(N, 2) times; on a segment there is one less than pieces."""
    for neurons in (1, 2, 15, 40):
        network = Network.he([2, neurons, 1], seed=neurons, bias_std=0.01)
        assert crossings(subdivide(network, Box([-1e3, -1e3], [1e3, 1e3]))) == neurons * (neurons - 1) // 2
        segment = Segment([-9, 0], [9, 1])
        assert crossings(subdivide(network, segment)) == count(network, segment).regions - 1


# The formula.


def fixed(weights):
    """A law whose weights are as given; biases are N(0, 1)."""

    def draw(rng):
        return Network.from_arrays(weights, [rng.standard_normal(len(w)) for w in weights], output_layer=False)

    return draw


def test_known_strata_in_space():
    """Planes and lines in the cube of side 2, worked out by hand: normals are known, biases alone are drawn."""
    inside = erf(1 / sqrt(2))  # the chance that |b| < 1
    options = {"networks": 4000, "points": 5}
    one = expected_stratum(fixed([[[1.0, 0.0, 0.0]]]), gaussian_density(1.0), [-1] * 3, [1] * 3, 1, **options)
    assert abs(one.value - 4 * inside) < 4 * one.error + 1e-12
    # x = a and y = b: a line of length 2 where both are inside.
    two = expected_stratum(fixed([[[1.0, 0, 0], [0, 1.0, 0]]]), gaussian_density(1.0), [-1] * 3, [1] * 3, 2, **options)
    assert abs(two.value - 2 * inside**2) < 4 * two.error
    # x = a and 3 x + 4 y = b, so y = (b - 3 a) / 4: numbers drawn say how often that is inside.
    a, b = np.random.default_rng(0).standard_normal((2, 200_000))
    slanted = fixed([[[1.0, 0, 0], [3.0, 4.0, 0]]])
    found = expected_stratum(slanted, gaussian_density(1.0), [-1] * 3, [1] * 3, 2, **options)
    assert abs(found.value - 2 * np.mean((np.abs(a) < 1) & (np.abs(b - 3 * a) < 4))) < 4 * found.error + 0.01
    # A second layer's 2 relu(x + a) + relu(y + c) + d: where x = -a only relu(y + c) is left of it, where y = -c only
    # 2 relu(x + a), and each meets -d once if d < 0.
    a, c, d = np.random.default_rng(1).standard_normal((3, 200_000))
    folded = fixed([[[1.0, 0, 0], [0, 1.0, 0]], [[2.0, 1.0]]])
    found = expected_stratum(folded, gaussian_density(1.0), [-1] * 3, [1] * 3, 2, **options)
    on_x, on_y = np.mean((d < 0) & (np.abs(-d - c) < 1)), np.mean((d < 0) & (np.abs(-d / 2 - a) < 1))
    lines = 2 * inside**2 + 2 * inside * on_x + 2 * inside * on_y
    assert abs(found.value - lines) < 4 * found.error + 0.01


@pytest.mark.jit
@pytest.mark.parametrize("widths", [(10, 10), (20, 20, 20)])
def test_laws_formula_and_measures_agree(widths):
    """Within three standard errors: length of the boundary and number of crossings, He networks in the plane."""
    draw = he_law(2, widths)
    lengths, points = [], []
    for seed in range(150):
        cells = subdivide(draw(np.random.default_rng([1, seed])), SQUARE)
        lengths.append(boundary_length(cells))
        points.append(crossings(cells))
    for k, measured, options in ((1, lengths, {}), (2, points, {"networks": 200, "points": 10})):
        formula = expected_stratum(draw, gaussian_density(0.5), [-1, -1], [1, 1], k, **options)
        error = np.hypot(formula.error, np.std(measured, ddof=1) / np.sqrt(len(measured)))
        assert abs(formula.value - np.mean(measured)) < 3 * error, (k, formula, np.mean(measured))
        # And below the bound of the corollary, with moments of He networks.
        assert formula.value < 4 * float(strata_bound(sum(widths), k, 2.0, gaussian_bias_density(0.5)))


@pytest.mark.jit
def test_laws_formula_on_a_segment():
    """Zeros of neurons in one dimension, biases uniform."""

    def draw(rng):
        weights = [rng.standard_normal((8, 1)) * np.sqrt(2), rng.standard_normal((8, 8)) * 0.5]
        return Network.from_arrays(weights, [rng.uniform(-0.5, 0.5, 8) for _ in range(2)], output_layer=False)

    zeros = [
        count(draw(np.random.default_rng([2, seed])), Segment([-1], [1]), progress=False).regions - 1
        for seed in range(400)
    ]
    formula = expected_stratum(draw, uniform_density(1.0), [-1], [1], 1)
    assert abs(formula.value - np.mean(zeros)) < 3 * np.hypot(formula.error, np.std(zeros) / 20)


@pytest.mark.parametrize(
    ("lower", "upper", "k", "words"),
    [
        ([-1], [1], 2, "k must be 1 or 2"),
        ([0], [0], 1, "corners of a box"),
        ([0, 0], [1], 1, "box"),
        ([0], [1], 3, "k must"),
    ],
)
def test_bad_input(lower, upper, k, words):
    with pytest.raises(NetworkError, match=words):
        expected_stratum(he_law(len(lower), (3,)), gaussian_density(1.0), lower, upper, k)
