"""Counts that are known: in print, by closed form, or counted once in rationals by a program that is not ours."""

import json
from fractions import Fraction
from itertools import combinations, permutations
from math import comb, factorial, prod

import numpy as np
import pytest

import creases
from creases import Box, Count, Line, Network, Plane, Polygon, Polyline, Segment, Space, count
from networks import random_network
from shared_networks import shared

# The tables of shared/networks/README.md, whole: file or widths, domain, regions, regions after each layer.
FILES = [
    ("marabou_fc1.onnx", Box([-4, -4], [4, 4]), (174, 625, 875)),
    ("marabou_fc1.onnx", Box([-1, -1], [1, 1]), (25, 43, 71)),
    ("jr_inverted_pendulum.polar", Box([-1, -1], [1, 1]), (321, 1252)),
    ("jr_inverted_pendulum.polar", Box([-4, -4], [4, 4]), (323, 1269)),
    ("hcas_pra0_tau00.nnet", Box([-0.5, -0.5, 0], [0.5, 0.5, 0]), (143, 730, 1697, 3426, 4753)),
    ("hcas_pra1_tau05.nnet", Box([-0.5, -0.5, 0.25], [0.5, 0.5, 0.25]), (222, 871, 1818, 2673, 3614)),
    ("vertcas_pra01.nnet", Box([-0.5, 0, 0, -0.5], [0.5, 0, 0, 0.5]), (333, 1415, 3714, 8220, 13617, 23781)),
    ("acasxu_1_1.nnet", Box([-0.5, -0.5, 0, 0, 0], [0.5, 0.5, 0, 0, 0]), (568, 2434, 8409, 18379, 33087, 51005)),
]
TEN_LAYERS = (487, 1780, 3897, 7030, 12162, 17800, 22662, 27169, 30998, 35038)
FIVE_LAYERS = (1949, 6671, 14353, 23467, 37723)
RANDOM = [
    ((2, 16, 16, 1), 412, (126, 412)),
    ((2, 32, 32, 32, 1), 3897, TEN_LAYERS[:3]),
    ((2, 64, 64, 64, 1), 14353, FIVE_LAYERS[:3]),
    ((2, 128, 128, 128, 1), 56887, (7663, 27312, 56887)),
    ((2, 256, 256, 256, 1), 262431, (30569, 119787, 262431)),
    ((2, 512, 512, 512, 1), 1026302, ()),
    ((2, 64, 64, 64, 64, 64, 1), 37723, FIVE_LAYERS),
    ((2, *[32] * 10, 1), 35038, TEN_LAYERS),
    # The layers are drawn in order, so the first ten of these twenty are the network above.
    ((2, *[32] * 20, 1), 71732, TEN_LAYERS),
]
# Above this many regions a count without compiled kernels takes minutes.
FAST_ENGINE = 2000


def large(regions):
    return pytest.mark.jit if regions > FAST_ENGINE else ()


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


@pytest.mark.parametrize(
    ("file", "domain", "by_layer"),
    [pytest.param(*row, id=f"{row[0]}-{row[2][-1]}", marks=large(row[2][-1])) for row in FILES],
)
def test_known_files(file, domain, by_layer):
    if file.endswith(".onnx"):
        pytest.importorskip("onnx")
    found = count(creases.load(shared(file)), domain)
    assert (found.regions, found.by_layer, found.certified) == (by_layer[-1], by_layer, True)


@pytest.mark.parametrize(
    ("widths", "regions", "by_layer"),
    [pytest.param(*row, id=f"{len(row[0]) - 2}x{row[0][1]}", marks=large(row[1])) for row in RANDOM],
)
def test_known_random_networks(widths, regions, by_layer):
    found = count(Network.from_arrays(*random_network(widths, 0, 0.1)), Box([-1, -1], [1, 1]))
    assert found.regions == found.by_layer[-1] == regions
    assert found.by_layer[: len(by_layer)] == by_layer
    assert len(found.by_layer) == len(widths) - 2
    assert found.certified


@pytest.mark.parametrize(("width", "regions"), [(8, 111), (16, 450)])
def test_known_whole_space(width, regions):
    found = count(Network.from_arrays(*random_network([2, width, width, 1], 0, 0.1)), Space(2))
    assert (found.regions, found.by_layer[-1], found.certified) == (regions, regions, True)
    assert found.bounded + found.unbounded == regions


# At initialization: the table of shared/paper.md, section 3.2; mean and standard deviation of its ten seeds.


@pytest.mark.jit
@pytest.mark.parametrize(
    ("widths", "mean", "deviation"), [([20] * 3, 1937, 314), ([32] * 3, 4971, 375), ([16] * 4, 2022, 316)]
)
def test_known_mean_at_initialization(widths, mean, deviation):
    counts = []
    for seed in range(10):
        weights, biases = random_network([2, *widths], seed, bias=1e-3)
        # The first layer of 784 inputs of variance 2 / 784, on a plane in units of the usual norm of a digit;
        # the recipe has drawn it with variance 2 / 2.
        weights[0] = (np.array(weights[0]) * (np.sqrt(2 / 784) * 11.5)).tolist()
        counts.append(count(hidden(weights, biases), Box([-20, -20], [20, 20])).regions)
    error = np.std(counts, ddof=1) / np.sqrt(len(counts))
    assert abs(np.mean(counts) - mean) < 3.5 * np.hypot(error, deviation / np.sqrt(10))


# Closed forms.


@pytest.mark.parametrize(("n_in", "neurons"), [(1, 1), (1, 9), (2, 1), (2, 2), (2, 3), (2, 12), (2, 40)])
def test_known_generic_arrangement(n_in, neurons):
    """Zaslavsky 1975: sum C(N, k) regions, of which C(N - 1, n) are bounded."""
    found = count(hidden(*random_network([n_in, neurons], neurons, 1.0)), Space(n_in))
    assert found.regions == sum(comb(neurons, k) for k in range(n_in + 1))
    assert found.bounded == comb(neurons - 1, n_in)
    assert found.unbounded == found.regions - found.bounded


@pytest.mark.parametrize("neurons", [1, 2, 9, 33])
def test_known_lines_through_the_origin(neurons):
    network = hidden(*random_network([2, neurons], neurons, 0.0))
    assert count(network, Box([-1, -1], [1, 1])).regions == 2 * neurons
    assert count(network, Polygon([[0, 0], [1, 0], [0, 1]])).regions <= 2 * neurons
    found = count(network, Space(2))
    assert (found.regions, found.bounded, found.unbounded) == (2 * neurons, 0, 2 * neurons)


@pytest.mark.parametrize("depth", [1, 2, 5, 8, 12])
def test_known_sawtooth(depth):
    """Telgarsky 2016: a tent of two neurons, composed with itself, has 2^L pieces on [0, 1]."""
    network = hidden([[[1], [1]]] + [[[2, -4], [2, -4]]] * (depth - 1), [[0, -0.5]] * depth)
    found = count(network, Segment([0], [1]), by_neuron=True)
    assert found.by_layer == tuple(2 ** (k + 1) for k in range(depth))
    # Neuron 1 never changes sign inside; neuron 2 cuts each tooth.
    assert found.by_neuron == tuple((0, 2**k) for k in range(depth))
    assert found.certified


@pytest.mark.parametrize("widths", [(1,), (3,), (3, 4), (2, 3, 4), (2, 2, 2, 2)])
def test_known_zigzag(widths):
    """Montufar et al. 2014: n neurons lay [0, 1] in n folds onto itself."""
    weights, biases, fold = [], [], [1]
    for n in widths:
        weights.append([[n * x for x in fold]] * n)
        biases.append([-k for k in range(n)])
        fold = [1, *(2 * (-1) ** k for k in range(1, n))]
    found = count(hidden(weights, biases), Segment([0], [1]))
    assert found.by_layer == tuple(prod(widths[:depth]) for depth in range(1, len(widths) + 1))


def differences(n, constants):
    """The hyperplanes x_i - x_j = c in R^n, all of which contain the direction (1, ..., 1)."""
    rows = [
        ([int(k == i) - int(k == j) for k in range(n)], -c) for i, j in combinations(range(n), 2) for c in constants
    ]
    return hidden([[row for row, _ in rows]], [[bias for _, bias in rows]])


@pytest.mark.parametrize(("constants", "regions"), [([0], 6), ([0, 1], 16), ([-1, 0, 1], factorial(6) // factorial(4))])
def test_known_braid_arrangements(constants, regions):
    """Braid, Shi and Catalan in R^3 (Stanley, An Introduction to Hyperplane Arrangements), cut across (1, 1, 1)."""
    network = differences(3, constants)
    across = Plane([0, 0, 0], [[1, -1, 0], [0, 1, -1]])
    assert count(network, across).regions == regions
    # Not orthogonal to (1, 1, 1), nor through the origin; and a plane that contains (1, 1, 1), where strips remain.
    assert count(network, Plane([5, -3, 0.5], [[1, 2, 4], [3, 0, -1]])).regions == regions
    found = count(network, Plane([0, 0, 0], [[1, 1, 1], [1, 0, 0]]))
    assert (found.regions, found.unbounded) == (1 + len(constants), 1 + len(constants))


def test_known_reflection_arrangement_b2():
    """x = 0, y = 0 and x = +-y: 8 chambers, every line through a corner or a side's middle."""
    network = hidden([[[1, 0], [0, 1], [1, 1], [1, -1]]], [[0, 0, 0, 0]])
    assert count(network, Space(2)).regions == count(network, Box([-1, -1], [1, 1])).regions == 8
    assert count(network, Box([0, 0], [1, 1])).regions == 2
    assert count(network, Polygon([[0, 0], [1, 0], [1, 1]])).regions == 1
    assert count(network, Line([0, 0], [1, 0])).regions == 2
    assert count(network, Line([0, 1], [1, 0])).regions == 4


def test_known_grid():
    """Integer lines cut a square into a grid; walls and lines along walls cut nothing."""
    ks = range(6)
    network = hidden([[[1, 0]] * 6 + [[0, 1]] * 6], [[-k for k in ks] * 2])
    assert count(network, Box([0, 0], [5, 5])).regions == 25
    assert count(network, Box([-1, 0], [5, 5])).regions == 30
    found = count(network, Space(2), by_neuron=True)
    assert (found.regions, found.bounded, found.unbounded) == (49, 25, 24)
    assert found.by_neuron == ((1,) * 12,)


def test_known_lines_so_nearly_parallel_that_rounding_turned_their_cone_over():
    """Three lines whose directions agree to sixteen digits: 1 + 3 + 3 regions, one of them bounded."""
    weights = [[[1.5, -1.0], [-1.0499999999999996, 0.6999999999999998], [-4.500000000002196, 3.0]]]
    found = count(hidden(weights, [[-1.0, 0.35, 0.0]]), Space(2), by_neuron=True)
    assert (found.regions, found.bounded, found.unbounded) == (7, 1, 6)
    assert found.by_neuron == ((1, 1, 1),)
    assert found.certified


def test_known_nearly_concurrent_lines():
    """Three lines through one point make 6 regions; moved by one unit in the last place, 7."""
    for nudge, regions in [(0.0, 6), (2.0**-52, 7), (-(2.0**-52), 7), (1e-300, 7), (5e-324, 7)]:
        network = hidden([[[1, 0], [0, 1], [1, 1]]], [[0, 0, nudge]])
        assert count(network, Box([-1, -1], [1, 1])).regions == regions
        assert count(network, Space(2)).regions == regions


@pytest.mark.parametrize("seed", range(8))
def test_known_lines_through_a_point_of_any_slice(seed):
    """Sums of rows meet where the rows do, on a slice on which all the products cancel but for one part in 10^6."""
    rng = np.random.default_rng(seed)
    a, b = np.kron(rng.integers(-9, 10, (2, 4)), [1, -1])
    rows = np.array([a, b, a + b, a - b, 2 * a + b])
    biases = rows @ rng.integers(-3, 4, 8) * 2.0**-20
    plane = Plane.through(*np.repeat(rng.standard_normal((3, 4)), 2, axis=1) + 1e-6 * rng.standard_normal((3, 8)))
    found = count(hidden([rows], [biases]), plane)
    assert (found.regions, found.bounded) == (10, 0)
    # A first layer that is active near the origin: there the second sees the same lines.
    deep = hidden([np.eye(8), rows], [[50.0] * 8, biases - 50 * rows.sum(axis=1)])
    assert count(deep, plane.square(4)).regions == count(hidden([rows], [biases]), plane.square(4)).regions


@pytest.mark.parametrize("seed", range(8))
def test_known_one_zero_on_a_diagonal(seed):
    """Where all coordinates agree, all orders of a row are one function."""
    rng = np.random.default_rng(seed)
    start, end, zero = rng.standard_normal(3)
    rows = np.array(list(permutations(rng.integers(1, 9, 4) / 8)))
    network = hidden([rows], [np.full(24, -zero)])
    at = Fraction(float(zero)) / Fraction(float(rows[0].sum()))
    inside = min(Fraction(float(start)), Fraction(float(end))) < at < max(Fraction(float(start)), Fraction(float(end)))
    assert count(network, Segment([start] * 4, [end] * 4)).regions == (2 if inside else 1)
    found = count(network, Line([start] * 4, [end - start] * 4), by_neuron=True)
    assert (found.regions, found.by_neuron) == (2, ((1,) * 24,))


def test_known_paths():
    """A region entered twice is two pieces and one region."""
    network = hidden([[[1, 0]]], [[0]])
    found = count(network, Polyline([[1, 0], [-1, 0], [-1, 1], [1, 1]]))
    assert (found.regions, found.distinct, found.by_layer) == (3, 2, (3,))
    found = count(network, Polyline([[1, 0], [2, 0], [1, 1]]))
    assert (found.regions, found.distinct) == (1, 1)
    # Along the line itself the neuron vanishes identically: inactive, as on the left.
    found = count(network, Polyline([[0, 0], [0, 1], [-1, 1], [1, 1]]))
    assert (found.regions, found.distinct) == (2, 2)


# What a count says.


def test_known_answer_reads_well_and_round_trips(tmp_path):
    network = hidden([[[1, 0], [0, 1]]], [[0, 0]])
    found = count(network, Space(2), by_neuron=True)
    text = repr(found)
    assert text.startswith("Count(4 regions, by_layer=(4), 0 bounded + 4 unbounded, certified, exact_cells=0, ")
    assert text.endswith(f" s, Space(2), network={network.sha256[:12]})")
    assert found.seconds > 0
    data = json.loads(found.to_json(tmp_path / "count.json"))
    assert json.loads((tmp_path / "count.json").read_text()) == data
    assert data["regions"] == 4
    assert data["by_neuron"] == [[1, 1]]
    assert data["domain"] == {"kind": "space", "n": 2}
    assert data["network"] == network.sha256
    again = Count.from_dict(data)
    assert again.to_dict() == data
    assert again.by_layer == found.by_layer
    assert isinstance(again.domain, Space)


def test_known_fields_by_domain():
    """What a domain has no use for is None."""
    network = hidden([[[1, 0], [0, 1]]], [[0, 0]])
    box = count(network, Box([-1, -1], [1, 1]))
    assert (box.bounded, box.unbounded, box.by_neuron, box.distinct) == (None, None, None, None)
    path = count(network, Polyline([[-1, -1], [1, 1]]), by_neuron=True)
    assert (path.bounded, path.unbounded, path.by_neuron, path.distinct) == (None, None, ((1, 1),), 2)
    line = count(network, Line([1, 0], [1, 1]))
    assert (line.regions, line.bounded, line.unbounded, line.distinct) == (3, 1, 2, None)
    assert "distinct" in repr(path)
    assert "bounded" not in repr(box)
