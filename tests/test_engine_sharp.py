"""Corners as they are stored: each within its bound of the true one, decided in fractions."""

from fractions import Fraction

import numpy as np
import pytest

from creases import Box, Line, Network, Plane, Polygon, Segment, Space, subdivide
from creases.engine.answers.blocks import Block, place_corners, rational_corner
from creases.engine.answers.doubled_layers import NEURONS_BELOW, STALE, doubled_layers, layer_of
from creases.engine.answers.sharp import KEY_HEADER, SHARP, Sharpener, write_keys
from creases.engine.proof.edges import RationalEdges
from creases.engine.state.output import read_cells
from creases.errors import ComputationError
from creases.packing import as_problem
from engine_states import twin_of
from engine_twins import amount, cross, dot, exactly, opposite, polygon_of
from networks import KINDS, random_network, table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

PROMISED = Fraction(1, 10**9)  # what the Complex says
LARGEST = Fraction(np.finfo(float).max)
POLYGON = Polygon([[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]])
FAR_BOX = Box([1000, -3], [1001, 5])
DOMAINS = {
    1: [Box([-1], [1]), Box([1e-3], [1e6]), Space(1)],
    2: [Box([-1, -1], [1, 1]), POLYGON, FAR_BOX, Space(2), Segment([-1, 0.75], [2, -0.3]), Line([0.3, 0.1], [1, -0.5])],
    3: [
        Plane.through([0.5, 0, -1], [1, 1, 0.25], [-1, 0.5, 1]),
        Plane([0, 0, 1], [[1, 0, 1], [0, 2, 1]]).square(2),
        Line([0, 0, 0], [1, 1, 0]),
    ],
}


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


class TrueCells:
    """The corners that a subdivision should have, from its patterns and edges alone."""

    def __init__(self, weights, biases, domain):
        problem = as_problem(hidden(weights, biases), domain)
        self.d = problem.dimension
        self.twin = twin_of(problem, np.eye(self.d + 1))
        self.walls = {-1: (*[0] * self.d, 1)}
        if problem.vertices is not None:
            if self.d == 1:
                (low,), (high,) = (exactly(vertex) for vertex in problem.vertices)
                forms = [(Fraction(1), -low), (Fraction(-1), high)]
            else:
                forms = [form for _, (form, _) in polygon_of(problem.vertices, range(len(problem.vertices)))]
            self.walls |= {-2 - i: form for i, form in enumerate(forms)}
        # Errors are parts of this, or of the corner itself where it is None.
        self.size = None if problem.vertices is None else Fraction(float(np.abs(problem.vertices).max()))

    def edges(self, cells, i):
        pattern = [layer.tolist() for layer in cells.pattern(i)]
        forms = [form for layer in self.twin.forms(pattern) for form in layer]
        bits = [on for layer in pattern for on in layer]
        numbers = cells.edges[cells.first[i] : cells.first[i + 1]].tolist()
        return [
            self.walls[number] if number < 0 else forms[number] if bits[number] else opposite(forms[number])
            for number in numbers
        ]

    def corners(self, edges):
        """Rays with w >= 0."""
        if self.d == 2:
            return [cross(edges[i - 1], edges[i]) for i in range(len(edges))]
        return [
            (-f[1] / f[0], Fraction(1)) if f[0] else ((1 if other[0] > 0 else -1), Fraction(0))
            for f, other in zip(edges, edges[::-1], strict=True)
        ]

    def deviation(self, stored, at_infinity, ray):
        """How far a stored corner is from a ray, in units of what errors are measured by."""
        stored = exactly(stored)
        if at_infinity:
            assert ray[-1] == 0
            assert abs(sum(x * x for x in stored) - 1) < Fraction(1, 10**15)
            length = Fraction(float(sum(x * x / max(map(abs, ray)) ** 2 for x in ray)) ** 0.5) * max(map(abs, ray))
            return max(abs(x - y / length) for x, y in zip(stored, ray, strict=False))
        assert ray[-1] > 0
        true = [x / Fraction(ray[-1]) for x in ray[:-1]]
        near = [min(max(x, -LARGEST), LARGEST) for x in true]  # beyond all floats the largest one is stored
        off = max(abs(x - y) for x, y in zip(stored, near, strict=True))
        size = self.size or max(map(abs, near))
        return off / size if off else Fraction(0)


def is_strip(edges):
    """A strip of the plane, or a whole line: where the network is constant along a direction. Its corners are free."""
    return edges[::2] == edges[1::2]


def check_stored(weights, biases, domain, limit=PROMISED):
    """Every stored corner is as near as is promised."""
    cells, true = subdivide(hidden(weights, biases), domain), TrueCells(weights, biases, domain)
    for i in range(len(cells)):
        rows, edges = range(cells.first[i], cells.first[i + 1]), true.edges(cells, i)
        if is_strip(edges):
            continue
        for v, ray in zip(rows, true.corners(edges), strict=True):
            assert true.deviation(cells.corners[v], cells.at_infinity[v], ray) <= limit


def cases(count, seed, n_in):
    return [pytest.param(w, b, id=name) for name, w, b in table(count, seed, n_in)]


@pytest.mark.parametrize(("weights", "biases"), [case for n_in in DOMAINS for case in cases(len(KINDS), 61, n_in)])
def test_against_exact_stored_corners(weights, biases):
    """All kinds of networks, those with numbers of all sizes too, on bounded domains and whole ones."""
    for domain in DOMAINS[len(weights[0][0])]:
        try:
            check_stored(weights, biases, domain)
        except ComputationError:  # floats hold no chart
            assert domain.vertices is None


@pytest.mark.parametrize(("widths", "seed"), [([2, 10, 10, 10], 0), ([2, 5, 5, 5, 5, 5, 5], 1), ([2, 30], 2)])
def test_against_exact_stored_corners_of_generic_networks(widths, seed):
    weights, biases = random_network(widths, seed, 0.3)
    for domain in DOMAINS[2] if amount(1, 0) else DOMAINS[2][:1]:
        check_stored(weights, biases, domain)


# Double-double and rationals, asked for every corner.


def block_of(cells):
    words = -(-cells.network.neurons // 64)
    patterns = np.zeros((len(cells), 8 * words), np.uint8)
    patterns[:, : cells.patterns.shape[1]] = cells.patterns
    corners = np.full(cells.corners.shape, np.nan)
    return Block(cells.first.copy(), corners, cells.at_infinity.copy(), cells.edges.copy(), patterns.view("<i8"))


def computed_again(weights, biases, domain):
    """(cells, true corners' finder, block with every corner from double-double, (corner, cell) pairs that it left)."""
    cells = subdivide(hidden(weights, biases), domain)
    true, problem, block = TrueCells(weights, biases, domain), as_problem(cells.network, domain), block_of(cells)
    pairs = np.column_stack([np.arange(len(cells.corners)), np.repeat(np.arange(len(cells)), np.diff(cells.first))])
    left = Sharpener(problem, RationalEdges.of(problem)).sharpen(pairs, float(true.size or 0), *block)
    return cells, true, block, [tuple(pair) for pair in left.tolist()]


@pytest.mark.parametrize("widths", [[2, 7, 6, 6], [2, 33, 40, 20]], ids=["one word", "two words"])
@pytest.mark.parametrize("domain", DOMAINS[2], ids=lambda domain: type(domain).__name__)
def test_against_exact_double_double_corners_of_generic_networks(domain, widths):
    """None is left over, and they are as sharp as floats are."""
    weights, biases = random_network(widths, 4, 0.3)
    if widths[1] > 7 and not amount(1, 0):
        pytest.skip("thousands of cells take minutes in plain Python")
    cells, true, block, left = computed_again(weights, biases, domain)
    assert left == []
    for i in range(0, len(cells), 1 + len(cells) // 100):
        for v, ray in zip(range(cells.first[i], cells.first[i + 1]), true.corners(true.edges(cells, i)), strict=True):
            assert true.deviation(block.corners[v], cells.at_infinity[v], ray) < Fraction(1, 10**15)


@pytest.mark.parametrize(("weights", "biases"), [case for n_in in (1, 2) for case in cases(len(KINDS), 62, n_in)])
def test_against_exact_double_double_and_rational_corners(weights, biases):
    """What double-double gives is within its bound; rationals give what it leaves, and the rest, to the last bit."""
    for domain in DOMAINS[len(weights[0][0])]:
        try:
            cells, true, block, left = computed_again(weights, biases, domain)
        except ComputationError:
            continue
        exact, rest = RationalEdges.of(as_problem(cells.network, domain)), dict(left)
        for i in range(len(cells)):
            edges = true.edges(cells, i)
            if is_strip(edges):
                continue
            for v, ray in zip(range(cells.first[i], cells.first[i + 1]), true.corners(edges), strict=True):
                if v not in rest:
                    assert true.deviation(block.corners[v], cells.at_infinity[v], ray) <= Fraction(SHARP)
                near = rational_corner(block, v, i, exact)
                assert true.deviation(near, cells.at_infinity[v], ray) <= Fraction(1, 10**15)


@pytest.mark.parametrize(("weights", "biases"), [case for n_in in (1, 2) for case in cases(2 * len(KINDS), 64, n_in)])
def test_against_exact_double_double_forms(weights, biases):
    """The forms that are kept of the layers below are within their bounds, however many patterns have passed."""
    domain = DOMAINS[len(weights[0][0])][0]
    problem = as_problem(hidden(weights, biases), domain)
    cells, sharpener = subdivide(hidden(weights, biases), domain), Sharpener(problem, RationalEdges.of(problem))
    block, net = block_of(cells), sharpener._layers
    twin = twin_of(problem, np.eye(problem.dimension + 1))
    for i in range(0, len(cells), 1 + len(cells) // 12):
        pairs = np.array([[v, i] for v in range(cells.first[i], cells.first[i + 1])])
        sharpener.sharpen(pairs, 1.0, *block)
        if net.layers[1, STALE]:  # after an overflow
            continue
        forms = twin.forms([layer.tolist() for layer in cells.pattern(i)])
        highest = max((layer_of(net, edge) for edge in block.edges[pairs[:, 0]].tolist() if edge >= 0), default=0)
        for layer in range(highest):
            begin = int(net.layers[layer, NEURONS_BELOW])
            for neuron, form in enumerate(forms[layer], begin):
                for c, true in enumerate(form):
                    high, low, error = net.forms[:, c, neuron].tolist()
                    if np.isfinite([high, low, error]).all():
                        assert abs(Fraction(high) + Fraction(low) - true) <= Fraction(error)
                    else:  # an overflow is no proof
                        assert not error < np.inf or not np.isfinite(high)


def keys_of(cells, problem):
    """What tells each corner's vertex from others."""
    layers, block = doubled_layers(problem, RationalEdges.of(problem)), block_of(cells)
    pairs = np.column_stack([np.arange(len(cells.corners)), np.repeat(np.arange(len(cells)), np.diff(cells.first))])
    keys = np.zeros((len(pairs), KEY_HEADER + layers.pattern.size), np.int64)
    write_keys(layers, pairs, block.first, block.at_infinity, block.edges, block.patterns, keys)
    return [tuple(key) for key in keys.tolist()]


@pytest.mark.parametrize(("weights", "biases"), [case for n_in in (1, 2) for case in cases(len(KINDS), 65, n_in)])
def test_laws_corners_with_one_key_are_one_point(weights, biases):
    """Lines that coincide, corners on lines, intervals and whole spaces: decided in fractions."""
    for domain in DOMAINS[len(weights[0][0])]:
        try:
            cells = subdivide(hidden(weights, biases), domain)
        except ComputationError:  # floats hold no chart
            continue
        true, points = TrueCells(weights, biases, domain), {}
        keys = keys_of(cells, as_problem(cells.network, domain))
        for i in range(len(cells)):
            edges = true.edges(cells, i)
            if is_strip(edges):
                continue
            rows = range(cells.first[i], cells.first[i + 1])
            for v, ray in zip(rows, true.corners(edges), strict=True):
                if not cells.at_infinity[v]:
                    point = tuple(x / Fraction(ray[-1]) for x in ray[:-1])
                    assert points.setdefault(keys[v], point) == point


def test_known_vertices_of_a_generic_network_have_one_key_each():
    """By Euler's relation, edges being counted from both sides; so each vertex is computed once."""
    weights, biases = random_network([2, 9, 9, 9], 3, 0.3)
    cells = subdivide(hidden(weights, biases), Box([-1, -1], [1, 1]))
    outer = int((cells.edges < 0).sum())
    vertices = (len(cells.edges) + outer) // 2 - len(cells) + 1
    assert len(set(keys_of(cells, as_problem(cells.network, cells.domain)))) == vertices


# From a chart to the domain.


def some_corners(rng, d, count, sizes):
    """What `output.emit` writes for `count` one-cornered cells: coordinates in a chart, errors, marks."""
    points = rng.uniform(-1, 1, (count, d)) * rng.choice([0.0, 1e-300, 1.0], (count, d), p=[0.1, 0.05, 0.85])
    reals = np.column_stack([points, rng.choice(sizes, count)])
    ints = np.zeros((count, 4), np.int64)
    ints[:, 0], ints[:, 2] = 1, rng.integers(2, size=count)
    return reals, ints


@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_bounds_from_a_chart(d):
    """Wherever in its error's box the true corner is, what is taken for known is within the bound."""
    rng, known = np.random.default_rng(63 + d), 0
    for turn in range(amount(300, 30)):
        bounded = turn % 2 == 0
        chart = rng.standard_normal((d + 1, d + 1)) * 10.0 ** rng.integers(-6, 7, (d + 1, d + 1))
        chart[-1] = [*[-1.0] * d, 1.0]
        size = 0.0
        if bounded:
            chart, size = np.diag([2.0 ** float(rng.integers(-1070, 1020))] * d + [1.0]), 0.0
            size = float(chart[0, 0] * rng.uniform(0.5, 1.0)) or float(chart[0, 0])
        reals, ints = some_corners(rng, d, 20, [0.0, 1e-16, 1e-13, 1e-10, 4e-10, 1e-3, np.inf])
        ints[:, 2] *= not bounded
        block = Block(
            np.empty(21, np.int64),
            np.empty((20, d)),
            np.empty(20, np.bool_),
            np.empty(20, np.int64),
            np.empty((20, 1), np.int64),
        )
        blurred = np.empty((20, 2), np.int64)
        read_cells(ints.ravel(), block.first, block.at_infinity, block.edges, block.patterns)
        left = place_corners(reals, chart, size, block.first, block.at_infinity, block.corners, blurred)
        assert block.first.tolist() == list(range(21))
        for i in sorted(set(range(20)) - set(blurred[:left, 0].tolist())):
            known += 1
            *point, error = exactly(reals[i])
            for shift in np.ndindex((2,) * d):
                true = [x + (2 * s - 1) * error for x, s in zip(point, shift, strict=True)]
                ray = [dot(row, [*true, 1]) for row in exactly(chart)]
                far = bool(block.at_infinity[i])
                if far:
                    ray[-1] = Fraction(0)
                helper = TrueCells.__new__(TrueCells)
                helper.d, helper.size = d, Fraction(size) or None
                assert helper.deviation(block.corners[i], far, ray) <= Fraction(SHARP)
    assert known > 20 * amount(300, 30) / 5


def test_known_corner_at_the_origin_is_exact():
    """Without biases all lines meet in the origin: no cell's corner there is a guess, and none needs rationals."""
    weights, biases = random_network([2, 6, 6], 0, 0.0)
    cells = subdivide(hidden(weights, biases), Space(2))
    assert (cells.corners[~cells.at_infinity] == 0).all()
    _, _, block, left = computed_again(weights, biases, Space(2))
    assert left == []
    assert np.array_equal(block.corners[~cells.at_infinity], cells.corners[~cells.at_infinity])


def test_known_direction_between_parallel_lines():
    """A cell between two parallel lines has its corner at infinity on these lines, not on the line at infinity."""
    weights = [[[1.0, 2.0], [1.0, 2.0], [0.3, -1.0]]]
    for biases in ([[0.0, -1.0, 0.1]], [[1.0, -1e9, 0.0]]):
        check_stored(weights, biases, Space(2), Fraction(1, 10**15))
        *_, left = computed_again(weights, biases, Space(2))
        assert left == []
