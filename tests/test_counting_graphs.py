"""Counts of networks that are graphs, against the reference; and the laws that they obey."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array

import reference
from creases import (
    Box,
    Clip,
    Dense,
    Directions,
    Level,
    Linear,
    Max,
    Network,
    Plane,
    ReLU,
    Scale,
    Segment,
    Select,
    Slopes,
    Space,
    Sparse,
    build,
    count,
    count_in_pieces,
    count_many,
)
from creases.domain import domain_from_dict
from creases.engine.answers import driver
from creases.engine.answers.driver import halves_of
from creases.engine.starts.roots import Roots, choose_roots
from creases.errors import ComputationError
from creases.packing import as_problem
from engine_twins import COMPILED, LONG, amount
from graph_cases import DOMAINS, random_domain, random_graph, without_biases
from graph_networks import as_network, with_divisions

SQUARE = Box([-1.0, -1.0], [1.0, 1.0])
# Cases a number of inputs: with `LONG` three thousand in all.
CASES = amount(750, 14, 20)
OF_CONES = ("relu", "leaky", "slopes", "abs", "max", "linear")


def counted(network, domain, **options):
    return count(network, domain, threads=1, progress=False, **options)


def specified(levels, place):
    """What the reference says: regions by layer, by neuron, and on infinite domains how many are unbounded."""
    by_neuron = tuple(tuple(map(int, row)) for row in reference.graph_by_neuron(levels, place))
    return tuple(reference.graph_by_layer(levels, place)), by_neuron, reference.graph_bounded_unbounded(levels, place)


# Against the reference.


@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_against_exact_counts_of_random_graphs(n_in):
    """Half of them degenerate: whole weights, copies, opposites, zero biases, dead units, ties, equal slopes."""
    kinds = dict.fromkeys(DOMAINS[n_in], 0)
    # Four inputs are slow: every kind of domain, degenerate and not.
    for i in range(CASES if LONG or n_in < 4 else 2 * len(kinds)):
        rng = np.random.default_rng([71, n_in, i])
        levels = random_graph(rng, n_in, degenerate=bool(i % 2))
        place = random_domain(rng, n_in, DOMAINS[n_in][i // 2 % len(DOMAINS[n_in])])
        network, domain = as_network(levels, n_in), domain_from_dict(place.data)
        found = counted(network, domain, by_neuron=True)
        by_layer, by_neuron, (bounded, unbounded) = specified(levels, place.specification)
        assert found.certified
        assert (found.by_layer, found.by_neuron) == (by_layer, by_neuron), (i, place.name)
        assert found.unbounded in (None, unbounded), (i, place.name)
        assert found.bounded in (None, bounded), (i, place.name)
        kinds[place.name] += 1
    assert all(kinds.values())


@pytest.mark.parametrize("n_in", [5, 6, 7, 8])
def test_against_exact_counts_in_up_to_eight_dimensions(n_in):
    """Few neurons, as the rationals cut each region by each of them; every kind of domain, degenerate and not."""
    regions = []
    for i in range(amount(24, 6, 6)):
        rng = np.random.default_rng([78, n_in, i])
        levels = random_graph(rng, n_in, degenerate=bool(i % 2), most_units=4)
        place = random_domain(rng, n_in, DOMAINS[n_in][i // 2 % len(DOMAINS[n_in])])
        found = counted(as_network(levels, n_in), domain_from_dict(place.data), by_neuron=True)
        by_layer, by_neuron, (_, unbounded) = specified(levels, place.specification)
        assert found.certified
        assert (found.by_layer, found.by_neuron) == (by_layer, by_neuron), (i, place.name)
        assert found.unbounded in (None, unbounded), (i, place.name)
        regions.append(found.regions)
    assert max(regions) > 4


@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_against_exact_counts_of_directions(n_in):
    """The cones of a network without biases are the regions of all of space, as the reference counts them."""
    for i in range(CASES // 8 if n_in < 4 else amount(24, 2, 6)):
        rng = np.random.default_rng([72, n_in, i])
        levels = without_biases(random_graph(rng, n_in, degenerate=bool(i % 2), kinks=OF_CONES))
        network, space = as_network(levels, n_in), reference.space(n_in)
        by_layer, by_neuron, _ = specified(levels, space)
        found = counted(network, Directions(n_in), by_neuron=True)
        assert (found.by_layer, found.by_neuron) == (by_layer, by_neuron), i
        assert counted(network, Space(n_in)).by_layer == by_layer, i


@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_against_exact_counts_in_pieces(n_in):
    for i in range(amount(24, 6) if n_in < 4 else amount(12, 2)):
        rng = np.random.default_rng([73, n_in, i])
        levels = random_graph(rng, n_in, degenerate=bool(i % 2))
        place = random_domain(rng, n_in, "box")
        network, domain = as_network(levels, n_in), domain_from_dict(place.data)
        found = count_in_pieces(network, domain, pieces=8, threads=1, progress=False)
        assert found.by_layer == tuple(reference.graph_by_layer(levels, place.specification)), i


@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_counts_of_whole_spaces_in_pieces(n_in):
    """A space that the first layer does not cut into bounded cones is one piece."""
    whole = set()
    for i in range(amount(24, 6)):
        rng = np.random.default_rng([77, n_in, i])
        levels = random_graph(rng, n_in, degenerate=bool(i % 2))
        place = random_domain(rng, n_in, "space")
        network = as_network(levels, n_in)
        found = count_in_pieces(network, domain_from_dict(place.data), pieces=8, threads=1, progress=False)
        assert found.by_layer == tuple(reference.graph_by_layer(levels, place.specification)), i
        assert found.unbounded == reference.graph_bounded_unbounded(levels, place.specification)[1], i
        whole.add(choose_roots(as_problem(network, Space(n_in))) == Roots(tuple(range(n_in)), (), ()))
    assert whole == {False, True}


@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_against_exact_counts_of_domains_that_are_halved(monkeypatch, n_in):
    """A cell on which more than three units are open is halved, and so are its halves; walls are taken off."""
    halved = []
    monkeypatch.setattr(driver, "MOST_OPEN", 3)
    monkeypatch.setattr(driver, "MOST_HALVINGS", 3 if n_in < 3 else 2)
    monkeypatch.setattr(driver, "halves_of", lambda *given: halved.append(halves_of(*given)) or halved[-1])
    for i in range(amount(96, 16, 8) if n_in < 4 else 4):
        rng = np.random.default_rng([75, n_in, i])
        levels = random_graph(rng, n_in, degenerate=bool(i % 2))
        place = random_domain(rng, n_in, DOMAINS[n_in][i // 2 % len(DOMAINS[n_in])])
        found = counted(as_network(levels, n_in), domain_from_dict(place.data))
        by_layer, _, (_, unbounded) = specified(levels, place.specification)
        assert found.by_layer == by_layer, (i, place.name)
        assert found.unbounded in (None, unbounded), (i, place.name)
    assert any(parts is not None for parts in halved)


DIVISORS = (0.1, -0.1, 3.0, 0.25, -1.0, 0.229, 0.3081, 128.0, 49.0, 1e5, float(np.float32(0.2023)))


def divisors(rng, spread):
    """Draws numbers to divide by: often equal ones, often of 53 bits, times 2 to -spread to spread."""

    def draw(n):
        if rng.integers(3) == 0:
            return np.full(n, DIVISORS[rng.integers(len(DIVISORS))])
        some = rng.choice(DIVISORS, n) if rng.integers(2) else rng.uniform(0.5, 2.0, n)
        return np.ldexp(some, rng.integers(-spread, spread + 1, n))

    return draw


@pytest.mark.parametrize("spread", [0, 60])
@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_against_exact_counts_of_graphs_that_divide(n_in, spread):
    """Every value is divided by a float of its own, which no factor does: in rationals, in doubles and in pairs."""
    refused = 0
    for i in range(amount(120, 8, 8)):
        rng = np.random.default_rng([76, n_in, spread, i])
        levels = random_graph(rng, n_in, degenerate=bool(i % 2))
        specification, network = with_divisions(levels, n_in, divisors(rng, spread))
        place = random_domain(rng, n_in, DOMAINS[n_in][i // 2 % len(DOMAINS[n_in])])
        try:
            found = counted(network, domain_from_dict(place.data), by_neuron=True)
        except ComputationError:  # refused: no wall can be drawn between numbers so far apart
            assert (spread, place.name) == (60, "space")
            refused += 1
            continue
        by_layer, by_neuron, (_, unbounded) = specified(specification, place.specification)
        assert found.certified
        assert (found.by_layer, found.by_neuron) == (by_layer, by_neuron), (i, place.name)
        assert found.unbounded in (None, unbounded), (i, place.name)
    assert refused <= 1


@pytest.mark.parametrize("divisor", [0.1, 0.3, -7.0, 0.229, 1e100, 1e-100])
def test_known_lines_that_meet_in_one_point_still_do_when_divided(divisor):
    """Eight lines through one point, whose equations hold no float that is right: 16 regions, not 37."""
    weight = np.array([[np.cos(t), np.sin(t)] for t in 0.1 + np.arange(8) / 3])
    centred = build.shift(build.divide(build.input(2), divisor), [-0.1, -0.7])
    network = build.network(build.relu(build.dense(build.divide(centred, [divisor, divisor * 3]), weight)))
    for domain in (Space(2), Plane([0.0, 0.0], [[1.0, 0.0], [0.25, 3.0]])):
        found = counted(network, domain)
        assert (found.regions, found.certified) == (16, True)


@pytest.mark.parametrize("number", [1.0 / 3.0, np.nextafter(1.0 / 3.0, 1.0)])
def test_known_a_third_is_no_float(number):
    """(1 + x) / 3 is one of the two floats beside a third a hair away from x = 0; a factor has it elsewhere."""
    third = build.divide(build.shift(build.input(1), [1.0]), 3.0)
    network = build.network(build.relu(build.shift(third, [-number])))
    bend = float(3 * Fraction(number) - 1)
    assert 2.0**-55 < abs(bend) < 2.0**-52
    assert counted(network, Segment([bend - 2.0**-60], [bend + 2.0**-60])).regions == 2
    assert counted(network, Segment([bend + 2.0**-60], [bend + 2.0**-58])).regions == 1


def test_known_hyperplanes_that_are_one_are_not_halved_without_end(monkeypatch):
    """Whatever half is taken, a half of it meets all of them. (Products of the weights are no floats, or it would be
    seen before that the four are one.)"""
    cells = []
    monkeypatch.setattr(driver, "MOST_OPEN", 3)
    monkeypatch.setattr(driver, "halves_of", lambda *given: cells.append(given) or halves_of(*given))
    rows = np.array([[0.7, 0.9]] * 4)
    network = Network.from_levels(
        [Level({0: Scale(np.array([0.1, 0.3]))}, None, Linear()), Level({1: Dense(rows)}, [0.01] * 4, ReLU())], n_in=2
    )
    assert counted(network, SQUARE).by_layer == (2,)
    assert 0 < len(cells) < 100


@pytest.mark.skipif(not COMPILED, reason="some seconds as plain Python")
def test_laws_threads_count_the_same(handed_over):
    """Cells are handed over with their pairs and claims."""
    rng = np.random.default_rng(74)
    weight, above = rng.standard_normal((192, 2)), rng.standard_normal((64, 64))
    levels = [
        Level({0: Dense(weight)}, rng.standard_normal(192), Max.of(192, 3)),
        Level({1: Dense(above)}, rng.standard_normal(64), Slopes(-0.5, 1.0)),
        Level({2: Dense(rng.standard_normal((64, 64)))}, rng.standard_normal(64), Max.of(64, 4)),
    ]
    network = Network.from_levels(levels, n_in=2)
    alone = counted(network, SQUARE)
    assert handed_over == []
    for threads in (2, 3):
        assert count(network, SQUARE, threads=threads, progress=False).by_layer == alone.by_layer
        assert len(handed_over) > 2
        handed_over.clear()


# Switches.


@pytest.mark.parametrize("candidates", range(3, 10))
def test_against_exact_switches_draw_no_false_walls(candidates):
    """A maximum of many forms parts the square as its upper envelope is parted; a tournament never into less."""
    for i in range(amount(30, 6, 8)):
        rng = np.random.default_rng([75, candidates, i])
        forms = rng.integers(-3, 4, (candidates, 3)).astype(float) if i % 2 else rng.standard_normal((candidates, 3))
        weight, bias = forms[:, :2], forms[:, 2]
        network = Network.from_levels([Level({0: Dense(weight)}, bias, Max([range(candidates)]))], n_in=2)
        winners = winning(weight, bias)
        assert counted(network, SQUARE).regions == len(winners), i
        assert counted(tournament(weight, bias), SQUARE).regions >= len(winners), i


def winning(weight, bias):
    """The candidates that are the largest somewhere on the square, by the reference's cones; of ties the first."""
    square = reference.box([-1, -1], [1, 1])
    kink = reference.Max([list(range(len(bias)))])
    levels = [reference.Level({0: weight.tolist()}, bias.tolist(), kink)]
    return {region.pattern for region in reference.graph_regions(levels, square)}


def tournament(weight, bias):
    """The same maximum as b + relu(a - b), two by two."""
    levels, numbers = [Level({0: Dense(weight)}, bias, Linear())], len(bias)
    at = 1
    while numbers > 1:
        pairs = numbers // 2
        first, second = np.arange(0, 2 * pairs, 2), np.arange(1, 2 * pairs, 2)
        less = np.zeros((pairs, numbers))
        less[np.arange(pairs), first], less[np.arange(pairs), second] = 1.0, -1.0
        levels.append(Level({at: Dense(less)}, None, ReLU()))
        rest = [*second, *range(2 * pairs, numbers)]
        ahead = np.eye(len(rest), pairs)
        levels.append(Level({at: Select(rest, numbers), at + 1: Dense(ahead)}, None, Linear()))
        at, numbers = at + 2, len(rest)
    return Network.from_levels(levels, n_in=2)


def test_known_maximum_with_candidates_that_never_win():
    weight = np.array([[1.0], [-1.0], [0.0], [0.0]])
    network = Network.from_levels([Level({0: Dense(weight)}, [0.0, 0.0, 3.0, 3.0], Max([range(4)]))], n_in=1)
    assert counted(network, Segment([-1.0], [1.0])).regions == 1
    found = counted(network, Segment([-5.0], [5.0]), by_neuron=True)
    assert (found.regions, found.by_neuron) == (3, ((1,),))


def test_laws_maximum_of_two_is_a_neuron():
    """max(a, b) = b + relu(a - b)."""
    rng = np.random.default_rng(76)
    for _ in range(amount(12, 4)):
        weight, bias, top = rng.standard_normal((12, 2)), rng.standard_normal(12), rng.standard_normal((8, 6))
        switches = Network.from_levels(
            [Level({0: Dense(weight)}, bias, Max.of(12, 2)), Level({1: Dense(top)}, None, ReLU())], n_in=2
        )
        less = np.kron(np.eye(6), [[1.0, -1.0]])
        neurons = Network.from_levels(
            [
                Level({0: Dense(weight)}, bias, Linear()),
                Level({1: Dense(less)}, None, ReLU()),
                Level({1: Select(range(1, 12, 2), 12), 2: Select(range(6), 6)}, None, Linear()),
                Level({3: Dense(top)}, None, ReLU()),
            ],
            n_in=2,
        )
        assert counted(switches, SQUARE).by_layer == counted(neurons, SQUARE).by_layer


def test_laws_order_of_candidates_does_not_matter():
    rng = np.random.default_rng(77)
    for _ in range(amount(8, 3)):
        weight, bias, top = rng.standard_normal((9, 3)), rng.standard_normal(9), rng.standard_normal((5, 3))

        def of(order, weight=weight, bias=bias, top=top):
            groups = [[3 * group + int(place) for place in order] for group in range(3)]
            return Network.from_levels(
                [Level({0: Dense(weight)}, bias, Max(groups)), Level({1: Dense(top)}, None, ReLU())], n_in=3
            )

        cube = Box([-1.0] * 3, [1.0] * 3)
        assert len({counted(of(order), cube).by_layer for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2])}) == 1


def test_laws_relu_before_a_maximum_parts_nothing_where_all_are_zero():
    weight = np.array([[1.0, 0.0], [0.0, 1.0]])
    network = Network.from_levels(
        [Level({0: Dense(weight)}, None, ReLU()), Level({1: Select(range(2), 2)}, None, Max([[0, 1]]))], n_in=2
    )
    # Four quadrants, of which the first is parted along its diagonal.
    assert counted(network, Space(2)).by_layer == (4, 5)
    assert counted(network, SQUARE).by_layer == (4, 5)


def test_known_a_maximum_over_bounds_that_overflow():
    """All that is left of a switch may be bounded by infinity: then one of those is handed on, not one that is out."""
    large, far = 1e308, 2.0**40
    above = [[far], [far], [0.0]]
    tiny = csr_array([[0.0], [0.0], [100 * far / large]])
    levels = [
        Level({0: Dense([[1.5 * large]])}, [-large], ReLU()),
        Level({0: Dense(above), 1: Sparse(tiny)}, [-10 * far, 5 * far, 0.0], Max([[0, 1, 2]])),
        Level({2: Sparse(csr_array([[1.0]]))}, [-20 * far], ReLU()),
    ]
    result = counted(Network.from_levels(levels, n_in=1), Box([-1.0], [1.0]))
    assert result.by_layer == (2, 3, 4)
    assert result.certified


def test_known_decision_regions_of_a_classifier():
    """Three classes that meet in a point: three regions, and none is cut by a neuron."""
    angles = 2 * np.pi * np.arange(3) / 3
    outputs = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    network = Network.from_levels([Level({0: Dense(outputs)}, None, Linear())], n_in=2).with_argmax()
    assert counted(network, SQUARE).regions == 3
    assert counted(network, Space(2)).unbounded == 3


# Laws of graphs.


def chain_and_graph(rng, widths):
    """One network as a chain, and with each weight as a linear level of its own."""
    weights = [rng.standard_normal((n, m)) for m, n in pairwise(widths)]
    biases = [rng.standard_normal(n) * 0.3 for n in widths[1:]]
    levels = []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        levels.append(Level({2 * number: Dense(weight)}, None, Linear()))
        levels.append(Level({2 * number + 1: Scale(np.ones(len(bias)))}, bias, ReLU()))
    return Network.from_arrays(weights, biases, output_layer=False), Network.from_levels(levels, n_in=widths[0])


@pytest.mark.parametrize("widths", [[1, 9, 9, 9], [2, 12, 12, 8], [3, 7, 7], [4, 6, 5]])
@pytest.mark.parametrize("bounded", [True, False])
def test_laws_a_chain_written_as_a_graph_counts_the_same(widths, bounded):
    n = widths[0]
    domain = Box([-1.0] * n, [1.0] * n) if bounded else Space(n)
    chain, graph = chain_and_graph(np.random.default_rng(n), widths)
    assert chain.is_chain
    assert not graph.is_chain
    one, other = (counted(network, domain, by_neuron=True) for network in (chain, graph))
    assert (one.by_layer, one.by_neuron, one.unbounded) == (other.by_layer, other.by_neuron, other.unbounded)


def test_laws_equal_slopes_are_linear():
    rng = np.random.default_rng(78)
    weight, top = rng.standard_normal((6, 2)), rng.standard_normal((7, 6))
    mixed = Slopes([0.5, 1.0, 0.0, 2.0, 0.25, 0.0], [0.5, 1.0, 1.0, 2.0, 1.0, 0.0])
    network = Network.from_levels(
        [Level({0: Dense(weight)}, None, mixed), Level({1: Dense(top)}, np.ones(7), ReLU())], n_in=2
    )
    # The first level has two neurons; its linear units reach the second level as they are.
    assert network.widths == (2, 7)
    specification = reference.Slopes(np.stack(mixed.slopes(6), axis=1).tolist())
    levels = [
        reference.Level({0: weight.tolist()}, [0.0] * 6, specification),
        reference.Level({1: top.tolist()}, [1.0] * 7, reference.relu(7)),
    ]
    assert counted(network, SQUARE).by_layer == tuple(reference.graph_by_layer(levels, reference.box([-1, -1], [1, 1])))


def test_laws_a_clip_is_its_two_neurons():
    rng = np.random.default_rng(79)
    weight, bias, top = rng.standard_normal((6, 2)), rng.standard_normal(6), rng.standard_normal((7, 6))
    clipped = Network.from_levels(
        [Level({0: Dense(weight)}, bias, Clip(-0.5, 0.75)), Level({1: Dense(top)}, None, ReLU())], n_in=2
    )
    both = np.concatenate([weight, weight])
    pair = Network.from_levels(
        [
            Level({0: Dense(both)}, np.concatenate([bias + 0.5, bias - 0.75]), ReLU()),
            Level({1: Dense(np.concatenate([top, -top], axis=1))}, top.sum(axis=1) * -0.5, ReLU()),
        ],
        n_in=2,
    )
    # The second one's biases are rounded, which moves no wall past another here.
    assert counted(clipped, SQUARE).by_layer == counted(pair, SQUARE).by_layer


def test_laws_a_batch_norm_that_folds_exactly_counts_as_the_folded_chain():
    """Factors are powers of two and numbers are quarters, so that no product is rounded."""
    for seed in range(amount(12, 4)):
        rng = np.random.default_rng([79, seed])
        weights = [rng.integers(-8, 9, shape) / 4 for shape in ((7, 2), (6, 7))]
        factors = [np.ldexp(rng.choice([-1.0, 1.0], n), rng.integers(-2, 3, n)) for n in (7, 6)]
        shifts = [rng.integers(-8, 9, n) / 4 for n in (7, 6)]
        h = build.input(2)
        for weight, factor, shift in zip(weights, factors, shifts, strict=True):
            h = build.relu(build.shift(build.scale(build.dense(h, weight), factor), shift))
        folded = [factor[:, None] * weight for factor, weight in zip(factors, weights, strict=True)]
        chain = Network.from_arrays(folded, shifts, output_layer=False)
        for domain in (SQUARE, Space(2)):
            found, wanted = counted(build.network(h), domain, by_neuron=True), counted(chain, domain, by_neuron=True)
            assert found.regions == wanted.regions > 5
            assert [row for row in found.by_neuron if row] == list(wanted.by_neuron)


def test_laws_two_copies_side_by_side_count_as_one():
    rng = np.random.default_rng(80)
    weight, bias, above = rng.standard_normal((8, 2)), rng.standard_normal(8), rng.standard_normal((8, 8))
    one = [Level({0: Dense(weight)}, bias, ReLU()), Level({1: Dense(above)}, None, ReLU())]
    two = [
        *one,
        Level({0: Dense(weight)}, bias, ReLU()),
        Level({3: Dense(above)}, None, ReLU()),
        Level({2: Select(range(8), 8), 4: Scale(-1.0, 8)}, None, ReLU()),
    ]
    single, double = (
        counted(Network.from_levels(one, n_in=2), SQUARE),
        counted(Network.from_levels(two, n_in=2), SQUARE),
    )
    # Their difference is zero: nothing is left to cut.
    assert double.by_layer == (*single.by_layer, *(single.by_layer[-1],) * 3)


def test_laws_a_residual_block_of_zero_weights_adds_nothing():
    rng = np.random.default_rng(81)
    weight, bias, top = rng.standard_normal((8, 2)), rng.standard_normal(8), rng.standard_normal((6, 8))
    plain = [Level({0: Dense(weight)}, bias, ReLU()), Level({1: Dense(top)}, None, ReLU())]
    block = [
        plain[0],
        Level({1: Dense(np.zeros((8, 8)))}, None, ReLU()),
        Level({1: Select(range(8), 8), 2: Dense(np.zeros((8, 8)))}, None, ReLU()),
        Level({3: Dense(top)}, None, ReLU()),
    ]
    first, last = counted(Network.from_levels(plain, n_in=2), SQUARE).by_layer
    assert counted(Network.from_levels(block, n_in=2), SQUARE).by_layer == (first, first, first, last)


def test_laws_a_double_negation_changes_nothing():
    rng = np.random.default_rng(82)
    weight, bias, top = rng.standard_normal((8, 3)), rng.standard_normal(8), rng.standard_normal((6, 8))
    plain = [Level({0: Dense(weight)}, bias, ReLU()), Level({1: Dense(top)}, None, ReLU())]
    twin = [
        Level({0: Dense(-weight)}, -bias, Linear()),
        Level({1: Scale(-1.0, 8)}, None, ReLU()),
        Level({2: Scale(-1.0, 8)}, None, Linear()),
        Level({3: Dense(-top)}, None, ReLU()),
    ]
    cube = Box([-1.0] * 3, [1.0] * 3)
    one, other = (counted(Network.from_levels(levels, n_in=3), cube, by_neuron=True) for levels in (plain, twin))
    assert (one.by_layer, one.by_neuron) == (other.by_layer, other.by_neuron)


@pytest.mark.parametrize("depth", [1, 4, 9])
def test_known_folds_of_absolute_values(depth):
    """|2 x| - 1 again and again folds [-1, 1] into 2^depth pieces."""
    levels = []
    for number in range(depth):
        levels.append(
            Level({2 * number: Dense([[2.0 if number else 1.0]])}, [-1.0 if number else 0.0], Slopes(-1.0, 1.0))
        )
        levels.append(Level({2 * number + 1: Scale(1.0, 1)}, None, Linear()))
    network = Network.from_levels(levels, n_in=1)
    assert counted(network, Segment([-1.0], [1.0])).by_layer == tuple(2 ** (number + 1) for number in range(depth))


# Domains, and what a graph may be.


def test_known_a_network_without_kinks_is_one_region():
    network = Network.from_levels([Level({0: Dense(np.eye(2))}, None, Linear())], n_in=2)
    found = counted(network, SQUARE)
    assert (found.regions, found.by_layer, found.unbounded) == (1, (), None)
    found = counted(network, Space(2))
    assert (found.regions, found.bounded, found.unbounded) == (1, 0, 1)
    assert count_in_pieces(network, SQUARE, progress=False).regions == 1


def test_known_a_level_that_sees_what_the_first_layer_does_not():
    """relu(x), then relu(y + relu(x)): in the plane the first layer has one direction only."""
    levels = [
        Level({0: Dense([[1.0, 0.0]])}, None, ReLU()),
        Level({0: Dense([[0.0, 1.0]]), 1: Dense([[1.0]])}, None, ReLU()),
    ]
    found = counted(Network.from_levels(levels, n_in=2), Space(2), by_neuron=True)
    assert (found.by_layer, found.unbounded, found.by_neuron) == ((2, 4), 4, ((1,), (2,)))


def test_laws_lines_of_graphs_one_by_one_and_together():
    rng = np.random.default_rng(83)
    levels = random_graph(rng, 2, degenerate=False)
    network = as_network(levels, 2)
    lines = [Segment(a, b) for a, b in zip(rng.standard_normal((6, 2)), rng.standard_normal((6, 2)), strict=True)]
    together = count_many(network, lines, progress=False)
    assert [found.by_layer for found in together] == [counted(network, line).by_layer for line in lines]


@pytest.mark.skipif(not COMPILED, reason="some seconds as plain Python")
def test_laws_a_slice_may_be_turned():
    rng = np.random.default_rng(84)
    levels = random_graph(rng, 3, degenerate=False)
    network = as_network(levels, 3)
    points = rng.standard_normal((3, 3))
    found = {counted(network, Plane.through(*points[list(order)])).regions for order in ([0, 1, 2], [2, 0, 1])}
    assert len(found) == 1
