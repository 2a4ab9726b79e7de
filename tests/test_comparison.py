"""Two networks on one domain: equal or not, extremes, integrals, classes; each by a second way."""

from fractions import Fraction

import numpy as np
import pytest

from creases import Ball, Box, Directions, Network, Plane, Space, build, compare, disagreement, subdivide
from creases.complex.ranges import lipschitz_constant, output_range, output_ranges
from creases.errors import DomainError, NetworkError
from creases.network.joining import combination_of, difference_of, signed_difference, with_signs
from some_complexes import complex_of, graph

SQUARE = Box([-1, -1], [1, 1])


def permuted_and_scaled(network, seed=0):
    """The same function: hidden neurons in another order, each multiplied by a power of two and divided above."""
    rng = np.random.default_rng(seed)
    weights = [layer.weight.copy() for layer in (*network.hidden, network.output)]
    biases = [layer.bias.copy() for layer in (*network.hidden, network.output)]
    for layer in range(len(weights) - 1):
        order = rng.permutation(len(biases[layer]))
        scale = 2.0 ** rng.integers(-3, 4, len(order))
        weights[layer], biases[layer] = weights[layer][order] * scale[:, None], biases[layer][order] * scale
        weights[layer + 1] = weights[layer + 1][:, order] / scale
    return Network.from_arrays(weights, biases)


@pytest.mark.parametrize("widths", [[1, 6, 1], [2, 8, 8, 2], [3, 5, 5, 1]])
def test_a_permuted_and_scaled_copy_is_equal(widths):
    network = Network.he(widths)
    for domain in (Box([-1] * widths[0], [1] * widths[0]), Space(widths[0])):
        found = compare(network, permuted_and_scaled(network), domain)
        assert found.certified
        assert found.equal
        assert found.witness is None
    found = compare(network, permuted_and_scaled(network), Box([-1] * widths[0], [1] * widths[0]))
    assert all(each.exact == 0 for each in (*found.minimum, *found.maximum))
    assert not found.integral.any()


@pytest.mark.parametrize("same_biases", [True, False])
def test_two_chains_are_one_chain_or_a_graph(same_biases):
    """Chains of one depth are laid side by side, unless output biases differ by what is no float; both ways agree."""
    rng = np.random.default_rng(1)
    f, g = Network.he([2, 6, 5, 2]), Network.he([2, 4, 7, 2], seed=3)
    if same_biases:
        weights = [layer.weight for layer in (*g.hidden, g.output)]
        g = Network.from_arrays(weights, [*(layer.bias for layer in g.hidden), f.output.bias])
    else:
        g = Network.from_arrays(
            [layer.weight for layer in (*g.hidden, g.output)],
            [*(layer.bias for layer in g.hidden), f.output.bias + 1e-30 + rng.uniform(1e3, 2e3, 2)],
        )
    joined, graph_of_both = signed_difference(f, g), with_signs(difference_of(f, g))
    assert joined.is_chain == same_biases
    one, other = subdivide(joined, SQUARE), subdivide(graph_of_both, SQUARE)
    assert len(one) == len(other)
    assert one.volumes.sum() == pytest.approx(other.volumes.sum())
    points = rng.uniform(-1, 1, (50, 2))
    assert joined.forward(points) == pytest.approx(f.forward(points) - g.forward(points), abs=1e-10)
    found = [[(low.exact, high.exact) for low, high in output_ranges(cells)] for cells in (one, other)]
    assert found[0] == found[1]


def test_the_last_bit_of_a_weight_is_a_difference():
    network = Network.he([2, 8, 8, 1])
    weights = [layer.weight.copy() for layer in (*network.hidden, network.output)]
    weights[1][3, 2] = np.nextafter(weights[1][3, 2], np.inf)
    other = Network.from_arrays(weights, [layer.bias for layer in (*network.hidden, network.output)])
    found = compare(network, other, SQUARE)
    assert not found.equal
    assert found.certified
    assert 0.0 < found.largest_difference < 1e-14


def test_a_difference_far_from_the_origin_is_found():
    """Equal but where x > 10^6."""
    x = build.input(1)
    f = build.network(build.relu(x))
    g = build.network(build.add(build.relu(x), build.relu(build.shift(x, [-1e6]))))
    assert compare(f, g, Box([-1], [1e6])).equal
    found = compare(f, g, Space(1))
    assert not found.equal
    assert found.minimum[0].value == -np.inf
    assert found.maximum[0].exact == 0
    assert found.witness[0] > 1e6
    assert found.largest_difference == np.inf


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_extremes_and_integrals_against_points(seed, n_in):
    f, g = graph(seed, n_in), graph(seed + 50, n_in)
    if f.n_out != g.n_out:
        f, g = (build_one(network) for network in (f, g))
    domain = Box([-2] * n_in, [2] * n_in)
    found = compare(f, g, domain)
    points = np.random.default_rng(seed).uniform(-2, 2, (20_000, n_in))
    differences = f.forward(points) - g.forward(points)
    for output in range(f.n_out):
        low, high = found.minimum[output], found.maximum[output]
        size = 1.0 + np.abs(differences).max()
        assert (differences[:, output] >= low.value - 1e-9 * size).all()
        assert (differences[:, output] <= high.value + 1e-9 * size).all()
        for extreme in (low, high):
            point = found.complex.domain.slice.points(found.complex.vertices[extreme.vertex])
            at = (f.forward(point) - g.forward(point))[output]
            assert at == pytest.approx(float(extreme.exact), abs=1e-6 * size)
    estimate, error = np.abs(differences).mean(axis=0) * 4**n_in, np.abs(differences).std(axis=0) * 4**n_in / 141.0
    assert (np.abs(found.integral - estimate) <= 6 * error + 1e-9).all()
    at = np.abs(f.forward(found.witness) - g.forward(found.witness)).max() if not found.equal else 0.0
    assert at == pytest.approx(found.largest_difference, abs=1e-6 * (1 + at))


def build_one(network):
    """The first output of a network."""
    return combination_of(network, np.arange(network.n_out) == 0)


def test_the_refinement_has_the_walls_of_both():
    f, g = Network.he([2, 7, 7, 1]), Network.he([2, 6, 1], seed=1)
    refined = compare(f, g, SQUARE).complex
    points = np.random.default_rng(0).uniform(-1, 1, (3000, 2))
    cells = refined.locate(points)
    own = {
        tuple(np.concatenate([*f.pattern(p), *g.pattern(p), f.forward(p) > g.forward(p)])): i
        for p, i in zip(points, cells, strict=True)
    }
    assert len(own) == len(set(cells.tolist()))
    refined.check()


def test_classes_that_differ():
    """relu(x) against 0 has class 0 everywhere, as of equal outputs the first wins; against 1/2 only where x >= 1/2."""
    f = Network.from_arrays([[[1.0], [0.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0], [0.0, 0.0]])
    g = Network.from_arrays([[[1.0], [0.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.5], [0.0, 0.0]])
    found = disagreement(f, g, Box([-1], [1]))
    assert found.volume == pytest.approx(1.5)
    assert found.share == pytest.approx(0.75)
    assert found.volumes.tolist() == [[0.5, 1.5], [0.0, 0.0]]


@pytest.mark.parametrize("seed", range(3))
def test_classes_that_differ_against_points(seed):
    f, g = Network.he([2, 8, 8, 3], seed=seed), Network.he([2, 8, 4], seed=seed + 9)
    found = disagreement(f, g, SQUARE)
    points = np.random.default_rng(seed).uniform(-1, 1, (40_000, 2))
    one, other = f.forward(points).argmax(axis=1), g.forward(points).argmax(axis=1)
    assert found.share == pytest.approx((one != other).mean(), abs=0.015)
    assert found.volumes.sum() == pytest.approx(4.0)
    table = np.zeros((3, 4))
    np.add.at(table, (one, other), 4.0 / len(points))
    assert found.volumes == pytest.approx(table, abs=0.06)


@pytest.mark.parametrize("name", ["segment", "square", "polygon in a plane", "cube", "whole numbers in a cube"])
def test_the_range_is_taken_at_a_vertex(name):
    cells = complex_of(name)
    outputs = cells.network.forward(cells.domain.slice.points(cells.vertices))
    for output in range(cells.network.n_out):
        low, high = output_range(cells, output)
        assert float(low.exact) == pytest.approx(outputs[:, output].min(), abs=1e-8)
        assert float(high.exact) == pytest.approx(outputs[:, output].max(), abs=1e-8)
        assert outputs[low.vertex, output] == pytest.approx(low.value, abs=1e-8)


def test_ranges_of_whole_spaces():
    lowest, highest = output_range(subdivide(build.network(build.abs(build.input(1))), Space(1)))
    assert lowest.exact == Fraction(0)
    assert (highest.value, highest.exact) == (np.inf, None)
    flat = build.network(build.clip(build.input(1), -1.0, 2.0))
    assert [each.exact for each in output_range(subdivide(flat, Space(1)))] == [-1, 2]


def test_the_lipschitz_constant():
    bent = Network.from_arrays([[[3.0, 4.0]], [[2.0]]], [[0.0], [0.0]])
    assert lipschitz_constant(subdivide(bent, SQUARE)).value == pytest.approx(10.0)
    across = Plane([0, 0], [[1, 0], [0, 1]])
    found = lipschitz_constant(subdivide(bent, across.square(1)))
    assert found.value == pytest.approx(10.0)
    assert found.cell in (0, 1)


def test_bad_input():
    f = Network.he([2, 4, 1])
    with pytest.raises(NetworkError, match="they must have as many"):
        compare(f, Network.he([3, 4, 1]), SQUARE)
    with pytest.raises(NetworkError, match=r"has 1 outputs and .* has 2: they must"):
        compare(f, Network.he([2, 4, 2]), SQUARE)
    with pytest.raises(DomainError, match="Comparisons have no meaning on Ball"):
        compare(f, f, Ball([0, 0], 1.0))
    with pytest.raises(DomainError, match="has directions"):
        compare(f, f, Directions(2))
    with pytest.raises(DomainError, match="no finite volume"):
        disagreement(Network.he([2, 4, 2]), Network.he([2, 4, 2], seed=1), Space(2))
    with pytest.raises(NetworkError, match="output must be from 0 to 0"):
        output_range(complex_of("square"), 3)
