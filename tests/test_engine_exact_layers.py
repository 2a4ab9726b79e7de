"""Layers without rounding: at the limits of what is exact, where one unit more is certified to be what it is not."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from scipy.sparse import csr_array

from creases import Box, Line, Network, Segment, count, count_in_pieces, subdivide
from creases.engine.graph import Graph
from creases.engine.proof.exact_layers import (
    COARSEST,
    FINEST,
    MOST_UNITS,
    exact_layers,
    finest_bit,
    fits,
    has_many_bits,
    largest_row,
)
from creases.engine.proof.rational import as_integers
from creases.engine.proof.twins import twins, twins_of_sparse
from engine_twins import exactly
from front_doors import check_all_doors, cube

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

LARGEST, TINIEST = float(np.finfo(np.float64).max), 5e-324
T = 2.0**53


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("scale", [1.0, 2.0**-899, 2.0**-900, 2.0**846, 2.0**847])
def test_against_exact_counts_where_sums_are_just_floats(d, more, scale):
    """Two copies of x enter with 2^53 + `more` in one row and one less in the next: their zeros differ by 2^-106."""
    first = np.eye(d)[[0, 0, *range(1, d)]]
    row = [T, 1.0] if more == 1 else [T - 1 + more, 1.0]
    second = np.zeros((2, d + 1))
    second[0, :2], second[1, 0] = row, row[0]
    biases = [np.zeros(d + 1), np.full(2, -scale)]
    check_all_doors([first, scale * second], biases, *cube(d))


def test_known_count_where_a_row_is_one_more_than_a_float():
    """On x > 0 the zeros 1 / (2^53 + 1) and 1 / 2^53 differ."""
    network = Network.from_arrays([[[1], [1]], [[T, 1], [T, 0]]], [[0, 0], [-1, -1]], output_layer=False)
    for domain in (Box([-1], [1]), Segment([-1], [1]), Line([0], [1])):
        found = count(network, domain)
        assert (found.regions, found.certified) == (4, True)
    assert count_in_pieces(network, Box([-1], [1]), pieces=4, threads=1).regions == 4
    assert len(subdivide(network, Box([-1], [1]))) == 4


@pytest.mark.parametrize("grid", [FINEST, FINEST + 1, -53, 0, 53, COARSEST - 54, COARSEST - 53, COARSEST])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_known_sizes_that_fit(grid, more):
    """2^53 units and no more, of a grid above 2^-900, and all below 2^900."""
    units = MOST_UNITS + more
    parts = [float(2**52), float(2**52 + more)]
    assert sum(map(int, parts)) == units
    size = largest_row(np.ldexp([parts, [1.0, 0.0]], grid))
    assert size == (units if grid > FINEST else 2 * MOST_UNITS, grid)
    assert fits(size) == (more <= 0 and grid > FINEST and units << max(grid, 0) < 1 << COARSEST)


def exact_of_chain(forms, bounds, weights, biases):
    return exact_layers(Graph.chain(weights, biases), {1: (forms, bounds)})


@pytest.mark.parametrize("numbers", [[1.0, LARGEST], [TINIEST, 1.0], [inf, 1.0], [nan, 1.0], [LARGEST, LARGEST]])
def test_known_sizes_beyond_all_units_fit_nothing(numbers):
    assert not fits(largest_row(np.array([[0.0, 0.0], numbers])))


def test_known_size_of_nothing():
    assert fits(largest_row(np.zeros((2, 3))))
    assert exact_of_chain(np.zeros((1, 2)), np.zeros((1, 2)), (np.zeros((1, 1)),) * 2, (np.zeros(1),) * 2) == [True] * 2


@pytest.mark.parametrize("power", [-1074, -1073, -1023, -1022, -1021, -900, -53, -52, -1, 0, 1, 52, 53, 1000, 1023])
def test_known_finest_bit(power):
    """Also of numbers that are denormal, or have all bits."""
    assert finest_bit(np.array([0.0, -(2.0**power), 2.0 ** min(power + 40, 1023)])) == power
    if power <= 971:
        assert finest_bit(np.array([(2.0**53 - 1) * 2.0**power])) == power
        assert as_integers(np.array([(2.0**53 - 1) * 2.0**power])) == ([[2**53 - 1]], -power)


# Sums and products of sizes that are one more than a float holds: 321 * 28059810762433 = 2^53 + 1.
FACTOR, COFACTOR = 321.0, 28059810762433.0


@pytest.mark.parametrize(
    ("forms", "weight", "bias"),
    [
        ([[0.0, T], [1.0, 0.0]], [[1.0, 0.0]], [1.0]),  # + bias
        ([[COFACTOR, 0.0]], [[FACTOR]], [0.0]),  # factor * size
        ([[T, 0.0], [1.0, 0.0]], [[1.0, 1.0]], [0.0]),  # the sum over a row
        ([[1.0, 0.0], [1.0, 0.0]], [[T, 1.0]], [0.0]),
    ],
    ids=["bias", "product", "forms", "row"],
)
def test_against_exact_layers_one_unit_beyond_a_float(forms, weight, bias):
    """The true form has an entry of 2^53 + 1; with one unit less it is a float, and its layer may be called exact."""
    forms, weight, bias = np.array(forms), np.array(weight), np.array(bias)
    true = [
        sum((Fraction(w) * x for w, x in zip(exactly(weight[0]), column, strict=True)), Fraction(bias[0]) * c)
        for c, column in enumerate(zip(*exactly(forms), strict=True))
    ]
    assert 2**53 + 1 in true
    weights, biases = (np.eye(len(forms)), weight), (np.zeros(len(forms)), bias)
    assert not exact_of_chain(forms, np.zeros((len(forms), 2)), weights, biases)[1]


def test_known_layers_that_just_fit():
    one, none = np.ones(1), np.zeros((1, 2))
    for size in (T - 2, T - 1):
        forms, weights = np.array([[0.0, size]]), (np.eye(1), np.eye(1))
        assert exact_of_chain(forms, none, weights, (np.zeros(1), one)) == [True, True]
    assert exact_of_chain(np.array([[0.0, T]]), none, weights, (np.zeros(1), one)) == [True, False]
    # Couplings that skip a layer are products too: T itself, then twice as much, which is a float nevertheless.
    deep = (np.eye(1), np.full((1, 1), T / 2), np.full((1, 1), 2.0), np.full((1, 1), 2.0))
    tiny = np.array([[2.0**-60, 0.0]])
    assert exact_of_chain(tiny, none, deep, (np.zeros(1),) * 4) == [True] * 4
    deep = (np.eye(1), np.full((1, 2), T / 2 - 1).T, np.array([[1.0, 1.0], [1.0, 2.0]]), np.ones((1, 2)))
    assert exact_of_chain(tiny, none, deep, tuple(np.zeros(len(w)) for w in deep)) == [True, True, False, False]


def test_laws_zero_bounds_only_are_exact():
    forms, layers = np.eye(2), ((np.eye(2),) * 2, (np.zeros(2),) * 2)
    for bound in (nan, inf, TINIEST):
        assert exact_of_chain(forms, np.array([[0.0, 0.0], [0.0, bound]]), *layers) == [False, False]
    assert exact_of_chain(forms, np.zeros((2, 2)), *layers) == [True, True]


def test_laws_twins_of_sparse_rows():
    """Those of the same rows written out, in one matrix or in two side by side."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        weight = rng.integers(-1, 2, (12, 5)) * rng.choice([1.0, 0.1, -3.0], (12, 1))
        bias = rng.integers(-1, 2, 12) * rng.choice([1.0, 0.1, -3.0], 12)
        weight[6:9], bias[6:9] = weight[:3] * [[2.0], [-0.5], [1.0]], bias[:3] * [2.0, -0.5, 1.0]
        wanted = twins(weight, bias).tolist()
        assert any(wanted)
        assert twins_of_sparse([csr_array(weight)], bias).tolist() == wanted
        assert twins_of_sparse([csr_array(weight[:, :2]), weight[:, 2:]], bias).tolist() == wanted


def test_laws_numbers_of_many_bits_do_not_fit():
    """The quick answer is that of `largest_row`, where some number has a fraction; whole numbers are left to it."""
    rng, said = np.random.default_rng(9), {False: 0, True: 0}
    extremes = [0.0, 2.0**-1074, 2.0**-1022, 1.0, np.nextafter(1.0, 2), 2.0**53, 2.0**53 + 2, 2.0**1023, -(2.0**-500)]
    for _ in range(2000):
        numbers = rng.choice([*extremes, *np.round(rng.standard_normal(9) * 2.0**20) * 2.0 ** rng.integers(-60, 3)], 4)
        many = has_many_bits(numbers.tolist())
        said[many] += 1
        if many or (numbers % 1.0 != 0.0).any():
            finest = max(Fraction(x).denominator for x in numbers.tolist())
            assert many == any(abs(Fraction(x)) * finest > MOST_UNITS for x in numbers.tolist())
        if many:
            assert not fits(largest_row(numbers.reshape(-1, 1)))
    assert min(said.values()) > 200
