"""The theory of graphs: a chain written as one has its numbers; residual, abs and maxout networks by brute force."""

from itertools import groupby

import numpy as np
import pytest
from scipy.sparse import csr_array

import graph_cases
import networks
import reference
from creases import Box, Segment, Space, build, count, subdivide, theory
from creases.errors import DomainError, NetworkError
from creases.network import Abs, Clip, Conv, Dense, LeakyReLU, Level, Linear, Max, Network, ReLU, Sparse
from engine_twins import LONG
from graph_networks import as_network

LINE = Segment([-2.0, -1.5], [2.0, 2.5])


def chain(widths=(2, 5, 4, 1), seed=0):
    return Network.from_arrays(*networks.random_network(list(widths), seed, 0.5))


def by_sparse(network):
    """The same levels, with sparse matrices above the first."""
    first, *others = network.levels
    above = [
        Level({source: Sparse(csr_array(operator.matrix))}, level.bias, level.kink)
        for level in others
        for source, operator in level.sources.items()
    ]
    return Network.from_levels([first, *above])


def by_linear(network):
    """The same sums in levels of their own, and each kink on an identity above."""
    levels = []
    for level in network.levels:
        (operator,) = level.sources.values()
        levels.append(Level({len(levels): operator}, level.bias, Linear()))
        levels.append(Level({len(levels): Dense(np.eye(level.n_units))}, None, level.kink))
    return Network.from_levels(levels)


def by_slopes(network):
    """The same with leaky units of slope 0, and a linear unit put into every layer."""
    levels = []
    for level in network.levels:
        (operator,) = level.sources.values()
        n, m = level.n_units, operator.n_in
        if isinstance(level.kink, ReLU):
            matrix = np.zeros((n + 1, m + bool(levels)))
            matrix[1:, bool(levels) :] = operator.matrix
            matrix[0] = 1.0
            bias, kink = np.concatenate([[0.25], level.bias]), LeakyReLU(np.array([1.0, *[0.0] * n]))
        else:
            matrix, bias, kink = np.column_stack([np.zeros(n), operator.matrix]), level.bias, level.kink
        levels.append(Level({len(levels): Dense(matrix)}, bias, kink))
    return Network.from_levels(levels)


WRITINGS = (by_sparse, by_linear, by_slopes)


@pytest.mark.parametrize("written", WRITINGS)
def test_laws_a_chain_written_as_a_graph(written):
    """The chain's numbers to 1e-12: distances, gradients, C_grad, C_bias, neurons along a line."""
    network = chain()
    graph = written(network)
    assert network.is_chain
    assert not graph.is_chain
    points = np.random.default_rng(0).uniform(-2, 2, (40, 2))

    def same(f, **options):
        return np.allclose(f(graph, points, **options), f(network, points, **options), rtol=1e-12, atol=0)

    assert all(same(theory.boundary_distance, norm=norm) for norm in (1, 2, np.inf))
    assert same(theory.gradient_norms)
    assert same(theory.gradient_norms, along=[[1.0, 2.0]])
    for domain in (LINE, Box([-1, -1], [1, 1])):
        found, expected = (theory.largest_gradient(which, domain) for which in (graph, network))
        assert found.value == pytest.approx(expected.value, rel=1e-12)
        assert found.rests_on == expected.rests_on
    found, expected = (theory.gradient_constant(which, points).value for which in (graph, network))
    assert found == pytest.approx(expected, rel=1e-12)
    alike = zip(theory.neurons_along(graph, LINE), theory.neurons_along(network, LINE), strict=True)
    for found, expected in alike:
        assert found[:3] == expected[:3]
        assert found[8] == pytest.approx(expected[8], rel=1e-12, abs=1e-12) or written is by_linear
        assert found[6:8] == pytest.approx(expected[6:8], rel=1e-12)
        assert found.oscillations == pytest.approx(expected.oscillations, rel=1e-9)
    if written is not by_linear:  # there the biases stand in levels without neurons
        assert theory.bias_constant(graph).value == theory.bias_constant(network).value


def test_laws_a_law_of_graphs():
    """The same draws, written as graphs."""
    points = [[0.3, -0.2], [1.0, 0.5]]

    def draw(rng):
        return Network.he([2, 6, 6, 1], seed=int(rng.integers(1000)), bias_std=0.5)

    found = theory.mean_gradient_constant(lambda rng: by_sparse(draw(rng)), points, 2, networks=20)
    expected = theory.mean_gradient_constant(draw, points, 2, networks=20)
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert found.m == expected.m == 2


# Residual networks, against the reference.


def residual(rng, n_in):
    """Levels of the reference: relu, then relu of a residual sum, then another one that takes the input too."""
    n = 3

    def draw(m):
        return (rng.integers(-8, 9, (n, m)) / 4).tolist()

    def bias():
        return (rng.integers(-8, 9, n) / 8).tolist()

    eye = np.eye(n).tolist()
    return [
        reference.Level({0: draw(n_in)}, bias(), reference.relu(n)),
        reference.Level({1: draw(n)}, bias(), reference.relu(n)),
        reference.Level({1: eye, 2: draw(n)}, bias(), reference.linear(n)),
        reference.Level({0: draw(n_in), 3: draw(n)}, bias(), reference.relu(n)),
    ]


def exact_gradients(levels, domain):
    """Of each neuron the exact gradients on the regions of the levels below it, as Fractions."""
    for number, level in enumerate(levels, start=1):
        if any(below != above for below, above in level.kink.pairs):
            upto = [*levels[: number - 1], level._replace(kink=reference.linear(len(level.bias)))]
            pieces = reference.graph_pieces(upto, domain)
            yield from ([forms[j][:-1] for _, forms in pieces] for j in range(len(level.bias)))


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_against_exact_largest_gradient_of_residual_networks(n, seed):
    levels = residual(np.random.default_rng([seed, n]), n)
    squares = [
        max(sum(x * x for x in form) for form in forms)
        for forms in exact_gradients(levels, reference.box([-1] * n, [1] * n))
    ]
    found = theory.largest_gradient(as_network(levels, n), Box([-1.0] * n, [1.0] * n))
    assert found.value == pytest.approx(float(max(squares)) ** 0.5, rel=1e-12)
    # Points of all regions see as much.
    cells = subdivide(as_network(levels, n), Box([-1.0] * n, [1.0] * n))
    points = cells.domain.slice.points(cells.interior_points)
    norms = theory.gradient_norms(as_network(levels, n), points)
    assert norms.max(axis=0) == pytest.approx([float(square) ** 0.5 for square in squares], rel=1e-12)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("degenerate", [False, True])
def test_against_exact_upper_bound(n, degenerate):
    """No layer has more regions than the bound for the levels up to it; for whole spaces and lines in them."""
    for seed in range(40 if LONG else 20):
        levels = graph_cases.random_graph(np.random.default_rng([seed, n]), n, degenerate=degenerate)
        network = as_network(levels, n)
        found = reference.graph_by_layer(levels, reference.space(n))
        for number, regions in zip(network.layers, found, strict=True):
            upto = Network.from_levels(network.levels[:number], n_in=n)
            assert regions <= theory.network_upper(upto) <= theory.network_patterns(upto)
        line = reference.segment([-3] * n, [2] * (n - 1) + [1])
        assert reference.graph_count(levels, line) <= theory.network_upper(network, 1)


def test_known_upper_bounds():
    """Montúfar's of chains, of maxout where states do not tell more; a sum of sources has the dimensions of both."""
    for widths in ([4, 4], [20, 20, 20], [5, 1, 7], [3]):
        for n in (1, 2, 3):
            network = Network.he([n, *widths, 1])
            assert theory.network_upper(network) == theory.montufar_2017_upper(widths, n)
            assert theory.network_patterns(network) == theory.trivial(sum(widths))
            assert theory.network_upper(network, 1) == theory.montufar_2017_upper(widths, 1)
            leaky = [Level(level.sources, level.bias, LeakyReLU(0.1)) for level in network.levels]
            assert theory.network_upper(Network.from_levels(leaky[:-1])) == theory.montufar_2017_upper(widths, n)
    for n, widths in ((1, [4, 4]), (2, [5, 5])):
        x = build.input(n)
        for width in widths:
            x = build.maxout(build.dense(x, np.ones((3 * width, x.shape[0]))), 3)
        assert theory.network_upper(build.network(x)) == theory.maxout_upper(widths, 3, n)
    narrow = Level({0: Dense(np.ones((1, 3)))}, None, ReLU())
    above = Level({1: Dense(np.ones((4, 1)))}, None, ReLU())
    both = Level({0: Dense(np.ones((4, 3))), 1: Dense(np.ones((4, 1)))}, None, ReLU())
    assert theory.network_upper(Network.from_levels([narrow, above])) == 2 * 5
    assert theory.network_upper(Network.from_levels([narrow, both])) == 2 * theory.zaslavsky(4, 3)
    clip = Network.from_levels([Level({0: Dense([[1.0], [2.0]])}, None, Clip(0.0, 1.0))])
    assert (theory.network_upper(clip), theory.network_patterns(clip)) == (5, 9)
    assert theory.network_upper(Network.from_levels([Level({0: Dense([[1.0]])}, None, Linear())])) == 1


# Abs networks fold: the tent map, in one unit a layer.


def folds(depth):
    """x -> |x|, then a -> |2 a - 1| over and over: boundaries are the multiples of 2^(1 - depth) inside (-1, 1)."""
    levels = [Level({0: Dense([[1.0]])}, None, Abs())]
    levels += [Level({i: Dense([[2.0]])}, [-1.0], Abs()) for i in range(1, depth)]
    return Network.from_levels(levels)


def test_known_abs_networks():
    network, step = folds(5), 2.0**-4
    points = np.random.default_rng(0).uniform(-1, 1, (50, 1))
    nearest = np.abs(points / step - np.clip(np.round(points / step), -15, 15)) * step
    assert theory.boundary_distance(network, points) == pytest.approx(nearest.ravel(), abs=1e-14)
    assert theory.boundary_distance(network, [[0.5]]).tolist() == [0.0]
    assert theory.gradient_norms(network, points).tolist() == [[1.0, 2.0, 4.0, 8.0, 16.0]] * 50
    assert theory.largest_gradient(network, Box([-1.0], [1.0])).value == 16.0
    segment = Segment([-1.0], [1.0 + step / 3])
    found = theory.neurons_along(network, segment)
    assert [neuron.crossings for neuron in found] == [1, 2, 4, 8, 16]
    assert [neuron.threshold for neuron in found] == [0.0, 1.0, 1.0, 1.0, 1.0]
    assert sum(neuron.crossings for neuron in found) + 1 == count(network, segment).regions
    assert theory.switches_along(network, segment) == []
    assert theory.network_upper(network) == 2**5 == count(network, Space(1)).regions


# Maxout units, clips.


def largest(forms, biases, n_in=1):
    return Network.from_levels([Level({0: Dense(forms)}, biases, Max([range(len(biases))]))], n_in=n_in)


def test_known_maxout_units():
    """max(-x, 1, x) has walls at -1 and 1; max(-x, 0, x) at 0, where the candidate in the middle wins nowhere."""
    plateau = largest([[-1.0], [0.0], [1.0]], [0.0, 1.0, 0.0])
    assert theory.boundary_distance(plateau, [[0.0], [0.75], [3.0], [-2.5], [1.0]]).tolist() == [1, 0.25, 2, 1.5, 0]
    assert theory.gradient_norms(plateau, [[0.0], [3.0]]).tolist() == [[1.0], [1.0]]  # the longest of its candidates
    assert theory.switches_along(plateau, Segment([-2.0], [2.0])) == [theory.SwitchOnLine(0, 0, (0, 1, 2))]
    assert theory.switches_along(plateau, Segment([2.0], [0.0]))[0].winners == (2, 1)
    assert theory.switches_along(plateau, Segment([2.0], [0.0]))[0].changes == 1
    assert theory.neurons_along(plateau, Segment([-2.0], [2.0])) == []
    peak = largest([[-1.0], [0.0], [1.0]], [0.0, 0.0, 0.0])
    assert theory.boundary_distance(peak, [[0.5], [-3.0]]).tolist() == [0.5, 3.0]
    never = largest([[1.0], [1.0]], [0.0, -1.0])
    assert theory.boundary_distance(never, [[0.0], [7.0]]).tolist() == [np.inf, np.inf]


def test_known_equal_candidates_have_no_wall():
    """Sums in another order differ by rounding, and are one candidate."""
    x = build.input(3)
    weight = np.array([[0.1, 0.7, -0.3]])
    total = build.add(*(build.dense(x, weight * np.eye(3)[i]) for i in range(3)))
    network = build.network(build.maximum(total, build.dense(x, weight), build.dense(x, [[0.0, 0.0, 1.0]])))
    points = np.random.default_rng(0).standard_normal((200, 3))
    normal = weight[0] - [0.0, 0.0, 1.0]
    exact = np.abs(points @ normal) / np.linalg.norm(normal)
    assert theory.boundary_distance(network, points) == pytest.approx(exact, rel=1e-9)


def test_known_walls_of_slight_gradients():
    """What cancels but for one part in 2^41 is a wall; what cancels altogether is none, and neither is rounding."""
    x = build.input(1)
    steep = build.dense(x, [[2.0**41], [2.0**41 - 1]])
    network = build.network(build.relu(build.dense(steep, [[1.0, -1.0]], [-0.5])))
    assert theory.boundary_distance(network, [[0.0], [1.5]]).tolist() == [0.5, 1.0]
    tenths = build.dense(x, [[0.1], [0.2], [0.3]])
    network = build.network(build.relu(build.dense(tenths, [[1.0, 1.0, -1.0]], [1.0])))
    assert 0.1 + 0.2 - 0.3 != 0
    assert theory.boundary_distance(network, [[0.0]]).tolist() == [np.inf]


@pytest.mark.parametrize("size", [1e-250, 1e250])
def test_known_walls_of_gradients_whose_squares_are_no_floats(size):
    network = Network.from_levels([Level({0: Dense([[3.0 * size, 4.0 * size]])}, [10.0 * size], ReLU())])
    assert theory.boundary_distance(network, [[0.0, 0.0]]) == pytest.approx([2.0])


def test_known_clips():
    """Both walls of a unit, from all sides; both of its neurons have its gradient."""
    network = Network.from_levels([Level({0: Dense([[2.0]])}, [1.0], Clip(0.0, 3.0))])
    points = [[-1.0], [0.0], [0.75], [2.0]]  # walls at -1/2 and 1
    assert theory.boundary_distance(network, points).tolist() == [0.5, 0.5, 0.25, 1.0]
    assert theory.gradient_norms(network, points).tolist() == [[2.0, 2.0]] * 4
    low, high = theory.neurons_along(network, Segment([-1.0], [0.0]))
    assert (low.crossings, low.threshold, high.crossings, high.threshold) == (1, -1.0, 0, 2.0)
    assert (low.lowest, low.highest, low.variation) == (-2.0, 0.0, 2.0)


@pytest.mark.parametrize("seed", range(6))
def test_against_exact_crossings_along_lines(seed):
    """Neurons by the signs of their pre-activations, switches by their winners, from region to region in fractions."""
    rng = np.random.default_rng(seed)
    levels = graph_cases.random_graph(rng, 2, degenerate=False)
    network, (a, b) = as_network(levels, 2), rng.uniform(-3, 3, (2, 2)).tolist()
    found = sorted(reference.graph_regions(levels, reference.segment(a, b)), key=reference.Region.interior_point)
    neurons = {(neuron.layer, neuron.neuron): neuron for neuron in theory.neurons_along(network, Segment(a, b))}
    switches = {(switch.layer, switch.switch): switch for switch in theory.switches_along(network, Segment(a, b))}
    for layer, states in enumerate(found[0].pattern):
        for i in range(len(states)):
            passed = [state for state, _ in groupby(region.pattern[layer][i] for region in found)]
            if network.levels[network.layers[layer] - 1].switches:
                assert switches.pop((layer, i)).winners == tuple(passed)
            else:
                assert neurons.pop((layer, i)).crossings == len(passed) - 1
    assert not neurons
    assert not switches


def test_known_networks_without_neurons():
    network = Network.from_levels([Level({0: Dense([[1.0, 2.0]])}, None, Linear())])
    assert theory.boundary_distance(network, [[0.0, 0.0]]).tolist() == [np.inf]
    assert theory.gradient_norms(network, [[0.0, 0.0]]).shape == (1, 0)
    assert theory.gradient_constant(network, [[0.0, 0.0]]).value == 0.0
    with pytest.raises(NetworkError, match="No layer has biases with a density"):
        theory.bias_constant(network)


# Tables, and what is not known of graphs.


def test_known_table_of_a_residual_network():
    """The estimates of its neurons, its own bound, and one sentence on what is left out."""
    network = as_network(residual(np.random.default_rng(0), 2), 2)
    table = theory.bounds(network)
    assert table["N^n / n!"] == theory.bounds([9], 2)["N^n / n!"]
    assert table["no network has more"] == theory.network_upper(network) == theory.zaslavsky(3, 2) ** 3
    assert "some network has" not in {row.name for row in table}
    assert len(table.notes) == 1
    assert "they hold for chains of dense layers with ReLU only: what some networks reach" in str(table)
    assert table.to_dict()["notes"] == table.notes
    assert theory.bounds(chain()).notes == theory.bounds([3], 2).notes == []
    found = count(network, Box([-1, -1], [1, 1]))
    beside = theory.compare(found, network)
    assert beside["no network has more"] == theory.network_upper(network, 2)
    assert beside["C_grad"] == theory.largest_gradient(network, found.domain).value
    assert beside["explicit bound"] >= found.regions
    assert beside.notes == table.notes


def test_known_tables_of_switches_clips_and_convolutions():
    unit = largest([[-1.0], [0.0], [1.0]], [0.0, 1.0, 0.0])
    table = theory.compare(count(unit, Segment([-2.0], [2.0])), unit)
    assert [row.name for row in table] == ["regions", "no network has more"]
    assert "switches have no threshold" in table.notes[1]
    clip = Network.from_levels([Level({0: Dense(np.eye(2))}, [0.1, 0.3], Clip(0.0, 1.0))])
    assert {row.kind for row in theory.bounds(clip)} == {"upper bound"}
    assert "two neurons of a clip" in theory.bounds(clip).notes[1]
    shared = Network.from_levels([Level({0: Conv(np.ones((2, 1, 2)), (1, 5))}, [0.1] * 4 + [0.3] * 4, ReLU())])
    assert "those of a convolution are shared" in theory.bounds(shared).notes[1]
    with pytest.raises(NetworkError, match="No layer has biases with a density"):
        theory.bias_constant(shared)


GRAPH = largest([[1.0], [2.0]], [0.0, 1.0])
CHAINS = {
    "expected_stratum": lambda: theory.expected_stratum(lambda rng: GRAPH, abs, [0.0], [1.0], 1),
    "zero_bias_map": lambda: theory.zero_bias_map(GRAPH),
    "unbounded_cones": lambda: theory.unbounded_cones(GRAPH),
    "has_full_recession_cone": lambda: theory.has_full_recession_cone(GRAPH, [[True]]),
    "perturb": lambda: theory.perturb(GRAPH, 1.0, np.random.default_rng(0)),
}


@pytest.mark.parametrize("name", sorted(CHAINS))
def test_bad_input_graphs_where_chains_are_meant(name):
    """Which function, which network, why, and what to use instead."""
    with pytest.raises(
        NetworkError, match=rf"^{name} is for chains of dense layers with ReLU, .* is none: .*\. For a "
    ):
        CHAINS[name]()


def test_bad_input_networks_where_widths_are_meant():
    for function in (theory.serra_upper, theory.montufar_2014_lower, theory.hinz_upper):
        with pytest.raises(NetworkError, match=r"got Network\(1 -> \[1\].*for a graph use theory\.network_upper"):
            function(GRAPH, 2)
    with pytest.raises(NetworkError, match=r"Give them: widths=\[5, 4\]"):
        theory.one_dimensional_maximum(chain())


def test_bad_input_segments():
    for function in (theory.neurons_along, theory.switches_along):
        with pytest.raises(DomainError, match="followed along a Segment"):
            function(GRAPH, Space(1))
        with pytest.raises(DomainError, match="lies in a space of 2 inputs"):
            function(GRAPH, LINE)


def test_bad_input_points_of_graphs():
    with pytest.raises(NetworkError, match=r"Points must have shape"):
        theory.boundary_distance(GRAPH, [[0.0, 1.0]])
    with pytest.raises(NetworkError, match="along must hold finite directions"):
        theory.gradient_norms(GRAPH, [[0.0]], along=[1.0])
