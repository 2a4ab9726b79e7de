"""The engine against `reference.py`, which shares nothing with it: counts, patterns and where regions end."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from creases import Box, Line, Network, Plane, Polygon, Polyline, Segment, Space, count, subdivide
from creases.errors import ComputationError
from engine_twins import seeds
from networks import KINDS, as_lists, networks, table

# The table: 100 rounds of 20 networks, one of each kind. `make test` does the first rounds, `make test-all` all.
ROUNDS, SHORT_ROUNDS = 100, 8
INPUTS = (2, 3, 2, 1)


class Question(NamedTuple):
    """One domain, for creases and for the reference."""

    name: str
    domain: object
    specification: reference.Domain


class Answer(NamedTuple):
    by_layer: tuple
    by_neuron: tuple
    bounded: int
    unbounded: int
    patterns: list


def reference_answer(weights, biases, specification):
    found = list(reference.layers(weights, biases, specification))
    regions = found[-1][0]
    bounded = sum(region.bounded for region in regions)
    return Answer(
        tuple(len(cells) for cells, _ in found),
        tuple(tuple(cutting) for _, cutting in found),
        bounded,
        len(regions) - bounded,
        sorted(flat(region.pattern) for region in regions),
    )


def flat(pattern):
    return tuple(bool(on) for layer in pattern for on in layer)


def engine_answer(network, domain):
    """What `count` answers; `subdivide`, which answers most of it again, must agree."""
    found = count(network, domain, by_neuron=True, threads=1)
    assert found.certified
    assert found.regions == found.by_layer[-1]
    whole = found.unbounded is not None
    assert whole == isinstance(domain, Space | Line | Plane)
    try:
        cells = subdivide(network, domain, threads=1)
    except ComputationError:  # refusing is allowed where the lines of a whole space are nearly parallel or 1e200 away
        assert whole
        patterns = None
    else:
        assert cells.certified
        assert cells.by_layer == found.by_layer
        patterns = sorted(flat(cells.pattern(i)) for i in range(len(cells)))
        reaching = sum(cells.at_infinity[a:b].any() for a, b in zip(cells.first, cells.first[1:], strict=False))
        assert reaching == (found.unbounded or 0)
    return Answer(
        found.by_layer,
        found.by_neuron,
        found.bounded if whole else found.regions,
        found.unbounded if whole else 0,
        patterns,
    )


def check(weights, biases, questions):
    """Assert that all answers agree; return how often `subdivide` refused to answer."""
    network = Network.from_arrays(weights, biases, output_layer=False)
    refused = 0
    for question in questions:
        expected = reference_answer(weights, biases, question.specification)
        found = engine_answer(network, question.domain)
        if found.patterns is None:
            expected = expected._replace(patterns=None)
            refused += 1
        assert found == expected, f"{question.name} of {weights}, {biases}"
    return refused


def check_path(weights, biases, points):
    found = count(Network.from_arrays(weights, biases, output_layer=False), Polyline(points))
    assert (found.regions, found.distinct) == reference.path(weights, biases, points), f"{weights}, {biases}, {points}"


# Domains. Coordinates are quarters, where lines meet vertices and walls, or generic.


def coordinates(rng, size, generic):
    return rng.standard_normal(size) if generic else rng.integers(-4, 5, size) / 4


def different_points(rng, number, n_in, generic):
    """Points of which neighbours differ."""
    points = [coordinates(rng, n_in, generic).tolist()]
    while len(points) < number:
        point = coordinates(rng, n_in, generic).tolist()
        if point != points[-1]:
            points.append(point)
    return points


def some_basis(rng, n_in, generic):
    while True:
        basis = coordinates(rng, (2, n_in), generic).tolist()
        if reference.independent(basis):
            return basis


def on_line(rng, n_in, generic):
    a, b = different_points(rng, 2, n_in, generic)
    yield Question("segment", Segment(a, b), reference.segment(a, b))
    step = b if any(b) else [1.0] * n_in
    yield Question("line", Line(a, step), reference.affine(a, [step], reference.space(1)))


def in_one_input(rng, generic):
    yield Question("interval", Box([-1], [1]), reference.box([-1], [1]))
    yield Question("whole R", Space(1), reference.space(1))
    yield from on_line(rng, 1, generic)


POLYGON = [[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]]


def in_two_inputs(rng, generic):
    yield Question("box", Box([-1, -1], [1, 1]), reference.box([-1, -1], [1, 1]))
    yield Question("whole R^2", Space(2), reference.space(2))
    yield Question("polygon", Polygon(POLYGON), reference.polygon(POLYGON))
    yield Question("flat box", Box([-1, 0.5], [1, 0.5]), reference.box([-1, 0.5], [1, 0.5]))
    yield from on_line(rng, 2, generic)
    yield from on_plane(rng, 2, generic)


def in_three_inputs(rng, generic):
    yield Question("flat box", Box([-1, 0.5, -1], [1, 0.5, 1]), reference.box([-1, 0.5, -1], [1, 0.5, 1]))
    yield from on_line(rng, 3, generic)
    yield from on_plane(rng, 3, generic)
    a, b, c = coordinates(rng, 3, generic).tolist(), *some_basis(rng, 3, generic)
    steps = [[reference.Fraction(x) - reference.Fraction(y) for x, y in zip(p, a, strict=True)] for p in (b, c)]
    if reference.independent(steps):
        specification = reference.affine(a, steps, reference.space(2))
        yield Question("plane through three points", Plane.through(a, b, c), specification)


def on_plane(rng, n_in, generic):
    origin, basis = coordinates(rng, n_in, generic).tolist(), some_basis(rng, n_in, generic)
    plane = Plane(origin, basis)
    yield Question("plane", plane, reference.affine(origin, basis, reference.space(2)))
    inner = reference.affine(origin, basis, reference.polygon(POLYGON))
    yield Question("polygon of a plane", plane.polygon(POLYGON), inner)
    inner = reference.affine(origin, basis, reference.box([-2, -2], [2, 2]))
    yield Question("square of a plane", plane.square(2), inner)


QUESTIONS = {
    1: in_one_input,
    2: in_two_inputs,
    3: in_three_inputs,
}


@pytest.mark.parametrize("number", seeds(ROUNDS, SHORT_ROUNDS))
def test_against_reference_table(number):
    n_in, refused = INPUTS[number % len(INPUTS)], 0
    for i, (name, weights, biases) in enumerate(table(len(KINDS), seed=number, n_in=n_in)):
        rng = np.random.default_rng([number, i, 77])
        generic = bool((number // len(INPUTS) + i) % 2)
        questions = list(QUESTIONS[n_in](rng, generic))
        refused += check(weights, biases, [q._replace(name=f"{q.name} of {name}") for q in questions])
        check_path(weights, biases, different_points(rng, 4, n_in, generic))
    assert refused <= 6  # of some 200 answers


@pytest.mark.parametrize("seed", range(6))
def test_against_reference_lines_through_one_point_in_every_cell(seed):
    """In each cell of a generic layer, the sum of two rows above meets them where they meet: what floats cannot see."""
    rng = np.random.default_rng([seed, 5])
    first = rng.standard_normal((4, 2)), 0.3 * rng.standard_normal(4)
    rows, constants = rng.integers(-3, 4, (2, 4)).astype(float), rng.integers(-1, 2, 2) / 4
    mix = np.array([[1, 0], [0, 1], [1, 1], [1, -1]])
    third = rng.integers(-2, 3, (2, 4)).astype(float)
    layers = [first, (mix @ rows, mix @ constants), (np.vstack([third, third.sum(axis=0)]), np.zeros(3))]
    weights, biases = as_lists(layers)
    check(weights, biases, [question for question in in_two_inputs(rng, generic=True) if "line" not in question.name])


# Drawn by Hypothesis: whole-numbered domains, so that failures shrink to something readable.

small = st.integers(-2, 2).map(float)


def points(n_in):
    return st.lists(small, min_size=n_in, max_size=n_in)


@st.composite
def drawn(draw, n_ins=(1, 2, 3)):
    """A network and one question about it."""
    n_in = draw(st.sampled_from(n_ins))
    weights, biases = draw(networks(n_in))
    origin, step = draw(points(n_in)), draw(points(n_in).filter(any))
    choices = [
        Question("line", Line(origin, step), reference.affine(origin, [step], reference.space(1))),
    ]
    end = [a + b for a, b in zip(origin, step, strict=True)]
    choices.append(Question("segment", Segment(origin, end), reference.segment(origin, end)))
    other = draw(points(n_in))
    if reference.independent([step, other]):
        plane = Plane(origin, [step, other])
        triangle = [[0, 0], [1, 0], [0, 1]]
        specification = reference.affine(origin, [step, other], reference.polygon(triangle))
        choices.append(Question("triangle", plane.polygon(triangle), specification))
        choices.append(Question("plane", plane, reference.affine(origin, [step, other], reference.space(2))))
    if n_in <= 2:
        choices.append(Question("box", Box([-1] * n_in, [1] * n_in), reference.box([-1] * n_in, [1] * n_in)))
        choices.append(Question("whole space", Space(n_in), reference.space(n_in)))
    return weights, biases, draw(st.sampled_from(choices))


@given(drawn())
@settings(max_examples=60)
def test_against_reference_drawn(case):
    weights, biases, question = case
    check(weights, biases, [question])


@pytest.mark.long
@given(drawn())
@settings(max_examples=2000)
def test_against_reference_many_drawn(case):
    weights, biases, question = case
    check(weights, biases, [question])


@given(networks(2), st.lists(points(2), min_size=2, max_size=5))
@settings(max_examples=30)
def test_against_reference_drawn_paths(network, corners):
    corners = [a for a, b in zip(corners, [None, *corners], strict=False) if a != b]
    if len(corners) > 1:
        check_path(*network, corners)
