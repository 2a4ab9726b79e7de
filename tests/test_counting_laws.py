"""Laws that hold for every network, by operations that are exact in floats: no answer is known, all must agree."""

import os
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import creases
import reference
from creases import Box, Line, Network, Plane, Polygon, Polyline, Segment, Space, count, count_many, subdivide
from creases.engine.loop import frontier
from creases.theory import zaslavsky
from networks import KINDS, generic, networks, random_network, table, through
from shared_networks import shared

SQUARE = Box([-1, -1], [1, 1])
POLYGON = [[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]]


def every_kind(rounds, seed, n_in=2):
    """A test of (weights, biases), over the shared table."""
    cases = [pytest.param(w, b, id=name) for name, w, b in table(rounds * len(KINDS), seed, n_in)]
    return pytest.mark.parametrize(("weights", "biases"), cases)


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def facts(network, domain):
    """All that a count says of the regions."""
    found = count(network, domain, by_neuron=True, threads=1)
    assert found.certified
    return found.by_layer, found.by_neuron, found.bounded, found.unbounded


def arrays(weights, biases):
    return [np.array(weight) for weight in weights], [np.array(bias) for bias in biases]


def patterns_of(cells):
    return {cells.patterns[i].tobytes() for i in range(len(cells))}


def packed(pattern):
    """A pattern of the reference as `Complex.patterns` packs it."""
    return np.packbits(np.concatenate([np.array(layer, dtype=bool) for layer in pattern]), bitorder="little").tobytes()


# Networks that are the same function, or nearly so.


@every_kind(2, seed=11)
@pytest.mark.parametrize("domain", [SQUARE, Space(2)], ids=repr)
def test_laws_order_of_neurons(weights, biases, domain):
    weights, biases = arrays(weights, biases)
    rng = np.random.default_rng(len(biases))
    by_layer, by_neuron, *ends = facts(hidden(weights, biases), domain)
    orders = [rng.permutation(len(bias)) for bias in biases]
    for layer, order in enumerate(orders):
        weights[layer], biases[layer] = weights[layer][order], biases[layer][order]
        if layer + 1 < len(weights):
            weights[layer + 1] = weights[layer + 1][:, order]
    moved = tuple(tuple(row[j] for j in order) for row, order in zip(by_neuron, orders, strict=True))
    assert facts(hidden(weights, biases), domain) == (by_layer, moved, *ends)


@every_kind(2, seed=12)
@pytest.mark.parametrize("domain", [SQUARE, Space(2)], ids=repr)
def test_laws_scale_of_neurons(weights, biases, domain):
    expected = facts(hidden(weights, biases), domain)
    weights, biases = arrays(weights, biases)
    rng = np.random.default_rng(len(biases))
    for layer, bias in enumerate(biases):
        factor = 2.0 ** rng.integers(-12, 13, len(bias))
        weights[layer], biases[layer] = weights[layer] * factor[:, None], bias * factor
        if layer + 1 < len(weights):
            weights[layer + 1] = weights[layer + 1] / factor
    assert facts(hidden(weights, biases), domain) == expected


@every_kind(2, seed=13)
def test_laws_duplicated_neurons(weights, biases):
    """A copy, an opposite and a multiple of a neuron cut where the neuron cuts."""
    weights, biases = arrays(weights, biases)
    rng = np.random.default_rng(len(biases))
    for domain in (SQUARE, Space(2)):
        by_layer, by_neuron, *ends = facts(hidden(weights, biases), domain)
        layer = int(rng.integers(len(biases)))
        neuron = int(rng.integers(len(biases[layer])))
        more, above = [w.copy() for w in weights], [b.copy() for b in biases]
        factors = np.array([1.0, -1.0, -0.25])
        more[layer] = np.vstack([more[layer], factors[:, None] * more[layer][neuron]])
        above[layer] = np.append(above[layer], factors * above[layer][neuron])
        if layer + 1 < len(more):
            more[layer + 1] = np.hstack([more[layer + 1], np.zeros((len(more[layer + 1]), 3))])
        rows = list(by_neuron)
        rows[layer] = (*rows[layer], *[rows[layer][neuron]] * 3)
        assert facts(hidden(more, above), domain) == (by_layer, tuple(rows), *ends)


@every_kind(2, seed=14)
def test_laws_biases_scale_the_whole_space(weights, biases):
    """x -> 2^k x maps the network to the one with all biases times 2^k."""
    expected = facts(hidden(weights, biases), Space(2))
    for factor in (2.0**-40, 2.0**7):
        scaled = [(np.array(bias) * factor).tolist() for bias in biases]
        assert facts(hidden(weights, scaled), Space(2)) == expected


@every_kind(2, seed=15)
def test_laws_zero_bias(weights, biases):
    """Without biases all regions are cones; every one of them is a region far out of the network with biases."""
    central = hidden(weights, [[0.0] * len(bias) for bias in biases])
    by_layer, by_neuron, bounded, unbounded = facts(central, Space(2))
    assert facts(central, SQUARE)[:2] == (by_layer, by_neuron)
    assert facts(central, Polygon([[-5, -1], [0, -1], [0, 0.25]]))[0] <= by_layer
    assert (bounded, unbounded) == (0, by_layer[-1])
    assert by_layer[-1] <= count(hidden(weights, biases), Space(2)).unbounded


@every_kind(2, seed=16)
def test_laws_layers_below(weights, biases):
    """`by_layer` is what the network cut off after each layer counts; no layer takes regions away."""
    for domain in (SQUARE, Space(2), Segment([-1, -1], [1, 0.5])):
        by_layer, by_neuron, *_ = facts(hidden(weights, biases), domain)
        assert sorted(by_layer) == list(by_layer)
        for depth in range(1, len(weights)):
            below = facts(hidden(weights[:depth], biases[:depth]), domain)
            assert below[:2] == (by_layer[:depth], by_neuron[:depth])


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
@settings(max_examples=25)
def test_laws_one_layer_is_zaslavskys_number(seed, neurons):
    weights, biases = random_network([2, neurons], seed, 1.0)
    assert count(hidden(weights, biases), Space(2)).regions == zaslavsky(neurons, 2)
    assert count(hidden(weights, biases), Line([0, 0], [1, 1])).regions == zaslavsky(neurons, 1)


# Coordinates do not matter.

UNIMODULAR = ([[0, 1], [1, 0]], [[1, 1], [0, 1]], [[2, 1], [1, 1]], [[-1, 0], [3, 1]], [[5, 2], [-3, -1]])


@every_kind(2, seed=17)
def test_laws_basis_of_the_plane(weights, biases):
    """R^2 in another basis of the integers, about another origin."""
    network = hidden(weights, biases)
    expected = facts(network, Space(2))
    for i, basis in enumerate(UNIMODULAR):
        assert facts(network, Plane([i, -0.5 * i], basis)) == expected
    for basis in UNIMODULAR[1:3]:
        # u such that u @ basis are the corners of the polygon: whole multiples of quarters, exact.
        inverse = np.round(np.linalg.inv(np.array(basis, dtype=float)))
        corners = np.array(POLYGON) @ inverse
        assert facts(network, Plane([0, 0], basis).polygon(corners)) == facts(network, Polygon(POLYGON))


@every_kind(2, seed=18, n_in=3)
def test_laws_basis_of_a_slice(weights, biases):
    network, origin, rows = hidden(weights, biases), np.array([0.5, -1, 0.25]), np.array([[1.0, 0, -1], [0.5, 2, 1]])
    expected = facts(network, Plane(origin, rows))
    for basis in UNIMODULAR:
        assert facts(network, Plane(origin + rows[0] - 2 * rows[1], basis @ rows)) == expected
    assert facts(network, Plane.through(origin, origin + rows[0], origin + rows[1])) == expected
    shifted = Plane(origin + rows[0], rows).polygon(np.array(POLYGON) - [1, 0])
    assert facts(network, shifted) == facts(network, Plane(origin, rows).polygon(POLYGON))


@every_kind(2, seed=19)
def test_laws_orientation(weights, biases):
    """A segment backwards, a line backwards, a polygon the other way round or from another corner."""
    network = hidden(weights, biases)
    a, b = [-1.0, 0.75], [2.0, -0.3]
    assert facts(network, Segment(a, b)) == facts(network, Segment(b, a))
    assert facts(network, Line(a, b)) == facts(network, Line(a, [-4 * x for x in b]))
    expected = facts(network, Polygon(POLYGON))
    assert facts(network, Polygon(POLYGON[::-1])) == expected
    assert facts(network, Polygon(POLYGON[2:] + POLYGON[:2])) == expected
    assert facts(network, Plane([0, 0], [[1, 0], [0, 1]]).square(1)) == facts(network, SQUARE)
    there, back = count(network, Polyline([a, b, [0, 0]])), count(network, Polyline([[0, 0], b, a]))
    assert (there.regions, there.distinct, there.by_layer) == (back.regions, back.distinct, back.by_layer)


# Parts and wholes.


@every_kind(2, seed=20)
def test_laws_larger_domains_have_no_fewer_regions(weights, biases):
    network = hidden(weights, biases)
    small, large, all_of_it = (count(network, d).by_layer for d in (SQUARE, Box([-2, -1], [3, 2]), Space(2)))
    assert all(a <= b <= c for a, b, c in zip(small, large, all_of_it, strict=True))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_laws_a_square_cut_in_two(seed):
    """The regions that meet the diagonal are in both halves; they are its own, one each."""
    weights, biases = zip(*generic(np.random.default_rng(seed), 2), strict=True)
    network = hidden(weights, biases)
    halves = [Polygon([[-1, -1], [1, -1], [1, 1]]), Polygon([[-1, -1], [1, 1], [-1, 1]])]
    left, right, wall, both = count_many(network, [*halves, Segment([-1, -1], [1, 1]), SQUARE])
    for a, b, w, all_of_it in zip(left.by_layer, right.by_layer, wall.by_layer, both.by_layer, strict=True):
        assert a + b - w == all_of_it


@every_kind(2, seed=21)
def test_laws_a_line_of_a_plane(weights, biases):
    """Cells are convex: each that a line meets gives one piece of the line, with its pattern."""
    network, rng = hidden(weights, biases), np.random.default_rng(3)
    square, plane = patterns_of(subdivide(network, SQUARE)), count(network, Space(2))
    for _ in range(5):
        a, b = rng.uniform(-1, 1, (2, 2))
        pieces = subdivide(network, Segment(a, b))
        assert len(patterns_of(pieces)) == len(pieces) == count(network, Segment(a, b)).regions
        assert patterns_of(pieces) <= square
        line = count(network, Line(a, b - a))
        assert len(pieces) <= line.regions <= plane.regions


def test_laws_a_line_of_a_plane_in_many_dimensions():
    weights, biases = random_network([30, 12, 12, 1], 5, 0.1)
    network, rng = Network.from_arrays(weights, biases), np.random.default_rng(5)
    plane = Plane(rng.standard_normal(30), rng.integers(-3, 4, (2, 30)))
    cells = patterns_of(subdivide(network, plane))
    for step in ([1, 0], [0, 1], [1, -1], [3, 2]):
        # The point is that of the plane, exactly, and so is the direction: whole numbers.
        pieces = subdivide(network, Line(plane.origin, np.array(step) @ plane.basis))
        assert len(patterns_of(pieces)) == len(pieces)
        assert patterns_of(pieces) <= cells


@every_kind(2, seed=22)
def test_laws_sampled_patterns_are_counted(weights, biases):
    """The pattern at a random point, decided in rationals, is that of a cell."""
    known = patterns_of(subdivide(hidden(weights, biases), SQUARE))
    for point in np.random.default_rng(8).uniform(-1, 1, (25, 2)).tolist():
        assert packed(reference.pattern_at(weights, biases, point)) in known


def test_laws_sampled_patterns_of_a_slice_are_counted():
    weights, biases = random_network([6, 10, 10, 8], 2, 0.3)
    rng = np.random.default_rng(2)
    plane = Plane.through(*rng.standard_normal((3, 6)))
    known = patterns_of(subdivide(hidden(weights, biases), plane))
    for u in rng.uniform(-3, 3, (200, 2)).tolist():
        point = [
            Fraction(o) + sum(Fraction(t) * (Fraction(h) + Fraction(r)) for t, h, r in zip(u, head, rest, strict=True))
            for o, head, rest in zip(plane.origin, plane.basis.T, plane.basis_tail.T, strict=True)
        ]
        assert packed(reference.pattern_at(weights, biases, point)) in known


@pytest.mark.jit
def test_laws_sampled_patterns_of_a_trained_network_are_counted():
    network = creases.load(shared("vertcas_pra01.nnet"))
    cells = subdivide(network, Box([-0.5, 0, 0, -0.5], [0.5, 0, 0, 0.5]))
    known = patterns_of(cells)
    assert len(known) == len(cells) == 23781
    weights, biases = zip(*((layer.weight.tolist(), layer.bias.tolist()) for layer in network.hidden), strict=True)
    for x, y in np.random.default_rng(9).uniform(-0.5, 0.5, (15, 2)).tolist():
        assert packed(reference.pattern_at(weights, biases, [x, 0, 0, y])) in known


@given(networks(2), st.tuples(*[st.integers(-6, 6).map(lambda x: x / 4)] * 4))
@settings(max_examples=40)
def test_laws_drawn_networks(network, ends):
    """Several of the laws above, on networks that shrink."""
    a, b, here = list(ends[:2]), list(ends[2:]), hidden(*network)
    expected = facts(here, Space(2))
    assert facts(here, Plane(a, [[2, 1], [1, 1]])) == expected
    doubled = [[2 * x for x in bias] for bias in network[1]]
    assert facts(hidden(network[0], doubled), Space(2)) == expected
    if a != b:
        assert facts(here, Segment(a, b)) == facts(here, Segment(b, a))


# One answer, however it is asked for.


def with_triple_points(widths, seed):
    """Generic but for the first lines, which go through three points: some signs are exactly zero."""
    weights, biases = arrays(*random_network(widths, seed, 0.1))
    lines = through(np.random.default_rng(seed), [[0.25, 0.5], [-0.5, 0.25], [1, 1]], 24, size=5)
    weights[0][:24], biases[0][:24] = lines
    return hidden(weights, biases)


MANY_CELLS = {
    "generic box": (hidden(*random_network([2, 64, 64, 64], 0, 0.1)), SQUARE),
    "generic plane": (hidden(*random_network([2, 64, 64, 64], 1, 0.1)), Space(2)),
    "triple points box": (with_triple_points([2, 112, 112, 80], 3), SQUARE),
    "triple points plane": (with_triple_points([2, 112, 112, 80], 4), Space(2)),
}


@pytest.mark.jit
@pytest.mark.parametrize("name", MANY_CELLS)
def test_laws_threads(name, monkeypatch):
    """The same for every number of threads: counts, exact cells, and every array of a Complex in its order."""
    shared_out = []
    together = frontier.work_together
    monkeypatch.setattr(frontier, "work_together", lambda *args: shared_out.append(args[3]) or together(*args))
    network, domain = MANY_CELLS[name]
    counts = [count(network, domain, by_neuron=True, threads=threads) for threads in (1, 2, 3, None)]
    assert len({(c.by_layer, c.by_neuron, c.bounded, c.unbounded, c.exact_cells) for c in counts}) == 1
    first, *others = [subdivide(network, domain, threads=threads) for threads in (1, 2, 3)]
    # One thread works alone.
    assert set(shared_out) == {2, 3, os.cpu_count() or 1} - {1}, "the work is too small to be shared out"
    assert first.by_layer == counts[0].by_layer
    # In the box the rows are exact, and ties are decided in the kernel.
    assert (first.exact_cells > 0) == (name == "triple points plane")
    for other in others:
        assert (other.by_layer, other.exact_cells) == (first.by_layer, first.exact_cells)
        for array in ("first", "corners", "at_infinity", "edges", "patterns"):
            assert np.array_equal(getattr(other, array), getattr(first, array)), array


def test_laws_count_many():
    """One network on many domains, many networks on one, and pair by pair: each as if it were counted alone."""
    nets = [hidden(weights, biases) for _, weights, biases in table(6, seed=23)]
    domains = [SQUARE, Space(2), Line([0, 0], [1, 2]), Polygon(POLYGON), Segment([0, 0], [1, 1]), Polyline(POLYGON)]
    expected = [[count(net, domain, by_neuron=True) for domain in domains] for net in nets]
    for found, alone in [
        (count_many(nets[0], domains, by_neuron=True), expected[0]),
        (count_many(nets, SQUARE, by_neuron=True), [row[0] for row in expected]),
        (count_many(nets, domains, by_neuron=True), [expected[i][i] for i in range(6)]),
        (count_many([nets[2]], (domains[1],), by_neuron=True, threads=2), [expected[2][1]]),
    ]:
        assert len(found) == len(alone)
        for one, other in zip(found, alone, strict=True):
            assert one.to_dict() == replace(other, seconds=one.seconds).to_dict()
    assert count_many(nets[0], []) == []
