"""Lines swept together: against `reference.py`, against the ordinary way, and the bounds against fractions."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from creases import Box, Count, Line, Network, Plane, Polygon, Polyline, Segment, Space, count, count_many
from creases.engine.answers.tally import tally
from creases.engine.lines.sweep import write_first
from creases.engine.lines.table import CONSTANT_ERRORS, CONSTANTS, LOWER, MOST_ROWS, SLOPE_ERRORS, SLOPES, room
from creases.engine.lines.together import (
    MOST_TOGETHER,
    first_products,
    lines_together,
    prepared,
    scaled_layers,
    sweep_together,
)
from creases.packing import as_lines, as_problem
from engine_twins import amount
from networks import KINDS, as_lists, he, networks, random_network, table

# Called from Python through a kernel of its own; an inlined one is compiled for no call but that.
write_rows = write_first


def lines_through(rng, number, n_in, generic):
    """(origin, end) pairs of different points: in quarters, where zeros meet ends and each other, or generic."""
    while number:
        a, b = rng.standard_normal((2, n_in)) if generic else rng.integers(-4, 5, (2, n_in)) / 4
        if (a != b).any():
            yield a, b
            number -= 1


def swept(weights, biases, domains):
    """What the sweep alone says: regions after each layer, or None where it proves nothing."""
    weights = [
        np.array(weight, dtype=float).reshape(len(bias), -1) for weight, bias in zip(weights, biases, strict=True)
    ]
    found = sweep_together(
        prepared(weights, [np.array(bias, dtype=float) for bias in biases]),
        *as_lines(domains, np.empty((2, len(domains), weights[0].shape[1]))),
    )
    return [tuple(row) if row[-1] > 0 else None for row in found.tolist()]


def plain(result: Count):
    """A count without what may differ: the time, and the digest, which holds it."""
    return {key: value for key, value in result.to_dict().items() if key not in ("seconds", "digest")}


# Against the specification.


def check_lines(weights, biases, pairs):
    """Each segment and each whole line through two points; returns (proved, asked)."""
    domains, expected = [], []
    for a, b in pairs:
        step = (b if b.any() else b + 1.0).tolist()
        domains += [Segment(a, b), Line(a, step)]
        expected += [reference.segment(a, b), reference.affine(a, [step], reference.space(1))]
    found = count_many(Network.from_arrays(weights, biases, output_layer=False), domains)
    answers = swept(weights, biases, domains)
    for domain, specification, one, alone in zip(domains, expected, found, answers, strict=True):
        truth = tuple(reference.by_layer(weights, biases, specification))
        assert one.by_layer == truth, f"{domain} of {weights}, {biases}"
        assert alone in (None, truth), f"{domain} of {weights}, {biases}"
        assert one.certified
        if isinstance(domain, Line):
            assert (one.bounded, one.unbounded) == reference.bounded_unbounded(weights, biases, specification)
    return sum(alone is not None for alone in answers), len(answers)


@pytest.mark.parametrize("n_in", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_exact_lines_of_every_kind(kind, n_in):
    for seed in range(amount(4, 1)):
        rng = np.random.default_rng([seed, n_in, 77])
        for _, weights, biases in table(2, seed, n_in, [kind]):
            check_lines(weights, biases, lines_through(rng, 3, n_in, seed % 2 == 1))


@given(networks(n_in=2), st.integers(0, 2**32 - 1), st.booleans())
def test_against_exact_lines(network, seed, generic):
    check_lines(*network, lines_through(np.random.default_rng(seed), 2, 2, generic))


@pytest.mark.parametrize("widths", [(1,), (2, 1), (1, 2), (7, 9), (8, 16), (33, 5), (12,)])
def test_against_exact_generic_lines_are_swept(widths):
    """Of generic networks nearly all lines are proved, at every width and whatever the scale of points."""
    rng = np.random.default_rng(5)
    proved = asked = 0
    for scale in (1e-6, 1.0, 1e6):
        weights, biases = as_lists(he(rng, 3, widths, 1.0 * scale))
        pairs = [(scale * a, scale * b) for a, b in lines_through(rng, amount(6, 2), 3, True)]
        some, all_ = check_lines(weights, biases, pairs)
        proved, asked = proved + some, asked + all_
    assert proved == asked


# Against the ordinary way.


@pytest.mark.jit
@pytest.mark.parametrize(
    "widths", [[784, 100, 100, 10], [20, 130, 70, 1], [5, 64, 128, 1], [6, 300, 1], [2, 256, 256, 1]]
)
def test_laws_the_sweep_is_the_cut(widths):
    network = Network.from_arrays(*random_network([*widths, 1], 0, 0.1))
    rng = np.random.default_rng(1)
    pairs = list(lines_through(rng, 4, widths[0], True))
    domains = [Segment(a, b) for a, b in pairs] + [Line(a, b) for a, b in pairs]
    weights, biases = [layer.weight for layer in network.hidden], [layer.bias for layer in network.hidden]
    for domain, found in zip(domains, swept(weights, biases, domains), strict=True):
        cut = tally(as_problem(network, domain), threads=1, by_neuron=True, report=lambda regions: None)
        assert found == tuple(cut.by_layer)


def test_laws_count_many_is_count_one_by_one():
    """Kinds of domains and depths of networks mixed, in any order, whatever the number of threads."""
    rng = np.random.default_rng(2)
    nets = [Network.from_arrays(*random_network([2, *widths, 1], 3, 0.3)) for widths in ((9,), (8, 7), (5, 4, 3))]
    triangle = [[-1.0, -1.0], [1.0, -1.0], [0.0, 1.0]]
    domains = [
        *(Segment(a, b) for a, b in lines_through(rng, 5, 2, True)),
        Polyline(triangle),
        *(Line(a, b) for a, b in lines_through(rng, 5, 2, True)),
        Box([-1, -1], [1, 1]),
        Box([-1, 0.5], [1, 0.5]),
        Plane([0, 0], [[1, 0], [0, 1]]),
        Space(2),
        Polygon(triangle),
        *(Segment(a, b) for a, b in lines_through(rng, 5, 2, False)),
    ]
    pairs = [(nets[i % 3] if i % 2 else nets[1], domain) for i, domain in enumerate(domains)]
    for threads in (1, 2):
        for networks_, domains_ in ((nets[1], domains), (nets, domains[0]), tuple(zip(*pairs, strict=True))):
            many = count_many(networks_, domains_, threads=threads)
            nets_ = [networks_] * len(many) if isinstance(networks_, Network) else networks_
            list_ = domains_ if isinstance(domains_, list | tuple) else [domains_] * len(many)
            one_by_one = [count(net, domain, threads=1) for net, domain in zip(nets_, list_, strict=True)]
            assert [plain(found) for found in many] == [plain(found) for found in one_by_one]
            assert all(found.seconds > 0 for found in many)


def test_laws_more_lines_than_a_block():
    network = Network.from_arrays(*random_network([3, 6, 5, 1], 1, 0.5))
    rng = np.random.default_rng(4)
    domains = [Segment(a, b) for a, b in lines_through(rng, 150, 3, True)]
    seen = []
    many = count_many(network, domains, progress=seen.append)
    assert [found.domain for found in many] == domains
    assert seen[-1] == sum(found.regions for found in many)
    assert [found.regions for found in many[::40]] == [count(network, domain).regions for domain in domains[::40]]


# The first layer's forms and their bounds.


def true_forms(weight, bias, origin, head, tail):
    step = [Fraction(h) + Fraction(t) for h, t in zip(head, tail, strict=True)]
    for row, b in zip(weight, bias, strict=True):
        row = [Fraction(w) for w in row]
        yield (
            sum(w * s for w, s in zip(row, step, strict=True)),
            sum(w * Fraction(o) for w, o in zip(row, origin, strict=True)) + Fraction(b),
        )


def rows_of(shared, products, line):
    """Slopes, constants and their errors, as the kernel writes them into its table."""
    lows = int(shared.plan[0, 0])
    write_rows(shared.reals, shared.first_an, *products, line, lows)
    places = [LOWER + which * room(lows + 3) for which in (SLOPES, CONSTANTS, SLOPE_ERRORS, CONSTANT_ERRORS)]
    return [shared.reals[place : place + lows] for place in places]


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-10, 1.0, 1e10, 1e150])
@pytest.mark.parametrize("other", [1e-160, 1.0, 1e150])
def test_against_exact_first_rows_bounds(scale, other):
    rng = np.random.default_rng(6)
    for n_in in (1, 3, 40):
        weight, bias = rng.standard_normal((5, n_in)) * other, rng.standard_normal(5) * scale * other
        pairs = [(scale * a, scale * b) for a, b in lines_through(rng, 4, n_in, True)]
        domains = [Segment(a, b) for a, b in pairs]
        shared = prepared([weight], [bias])
        products = first_products(shared, *as_lines(domains, np.empty((2, len(domains), n_in)))[:2])
        for i, domain in enumerate(domains):
            cut = domain.slice
            slopes, constants, slope_errors, constant_errors = rows_of(shared, products, i)
            truth = true_forms(weight, bias, cut.origin, cut.basis[0], cut.basis_tail[0])
            for q, (slope, constant) in enumerate(truth):
                for value, error, true in (
                    (slopes[q], slope_errors[q], slope),
                    (constants[q], constant_errors[q], constant),
                ):
                    assert not np.isfinite(error) or not np.isfinite(value) or abs(Fraction(value) - true) <= error
            if 1e-100 < scale < 1e100 and 1e-100 < other < 1e100:
                assert (slope_errors < 1e-12 * np.linalg.norm(weight, axis=1) * scale * np.sqrt(n_in)).all()


def test_against_exact_tails_are_small():
    """The sweep takes for granted that a direction's tail is what rounding took from it."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        a, b = rng.standard_normal((2, 6)) * 10.0 ** rng.integers(-20, 20, (2, 6))
        cut = Segment(a, b).slice
        assert (np.abs(cut.basis_tail) <= 2.0**-53 * np.abs(cut.basis)).all()


# What is swept together.


def test_known_lines_together():
    """Small networks by the block; large ones by less, so that Ctrl-C is heard; the largest are cut."""
    assert lines_together([5]) == lines_together([100, 100]) == MOST_TOGETHER
    assert 1 <= lines_together([512, 512, 512]) < MOST_TOGETHER
    assert lines_together([3000, 3000, 3000]) == 0


@pytest.mark.parametrize("scale", [1e-60, 1e-3, 1.0, 1e100])
def test_laws_scaled_layers_are_the_network(scale):
    """Multiplied rows have the signs of the given ones, norms below one, and no couplings to what was left out."""
    rng = np.random.default_rng(8)
    layers = [(weight * scale, bias * scale) for weight, bias in he(rng, 2, (6, 5, 4, 3), 0.5)]
    layers[1][0][2], layers[1][1][2] = 0.0, -1.0  # a row that is never active
    weights, biases = zip(*layers, strict=True)
    scaled = list(scaled_layers(weights, biases))
    assert [len(bias) for _, bias, _ in scaled] == [6, 4, 4, 3]
    assert scaled[1][2].tolist() == [0, 1, 3, 4]
    for weight, _, _ in scaled[1:]:
        assert (np.linalg.norm(weight, axis=1) <= 1.0).all()
        assert (np.linalg.norm(weight, axis=1) > 0.999).all()
    for _ in range(20):
        given = new = [Fraction(value) for value in rng.standard_normal(2)]
        for (weight, bias), (new_weight, new_bias, _) in zip(layers, scaled, strict=True):
            given, new = evaluated(weight, bias, given), evaluated(new_weight, new_bias, new)
            kept = given if len(given) == len(new) else given[:2] + given[3:]
            assert [value > 0 for value in kept] == [value > 0 for value in new]


def evaluated(weight, bias, values):
    """One layer and its ReLU in fractions."""
    return [
        max(sum(Fraction(w) * value for w, value in zip(row, values, strict=True)) + Fraction(b), Fraction(0))
        for row, b in zip(weight, bias, strict=True)
    ]


@pytest.mark.jit
@pytest.mark.parametrize("bias", [np.finfo(float).max, -np.finfo(float).max])
def test_known_a_bias_that_overflows_when_its_row_is_scaled(bias):
    """No warning reaches the user: the bound is infinite, and the line is cut."""
    network = Network.from_arrays([[[1.0]], [[0.5]], [[1.0]]], [[0.0], [bias], [-1.0]], output_layer=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = count(network, Segment([-1], [1]))
    assert found.certified
    assert found.by_layer == (2, 2, 2)


def test_known_layers_too_wide_to_be_swept():
    """Sixteen bits count a row's changes: a layer with more rows is cut, and its zeros are all there."""
    rows = MOST_ROWS + 1
    assert lines_together([1, MOST_ROWS]) > 0
    assert lines_together([1, rows]) == 0
    assert lines_together([rows]) == 0
    zeros = 1.0 + (np.arange(rows) + 0.5) / rows
    wide = Network.from_arrays([[[-1.0]], np.ones((rows, 1))], [[3.0], -zeros], output_layer=False)
    found = count(wide, Segment([0.5], [3.5]))
    assert (found.by_layer, found.certified) == ((2, rows + 2), True)
