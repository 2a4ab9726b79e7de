"""The specification against closed forms, printed counts, and laws that hold for every network."""

from fractions import Fraction
from itertools import combinations
from math import comb, factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings

from engine_twins import determinant
from networks import networks, random_network, table
from reference import (
    affine,
    bounded_unbounded,
    box,
    by_layer,
    by_neuron,
    count,
    independent,
    path,
    pattern_at,
    polygon,
    regions,
    segment,
    simplex,
    space,
)

SQUARE = box([-1, -1], [1, 1])
HALF = Fraction(1, 2)


def cube(n):
    return box([-1] * n, [1] * n)


def many(number, seed, n_ins=(1, 2, 3)):
    """A test of (n_in, weights, biases), over the shared table."""
    cases = [
        pytest.param(n_in, weights, biases, id=name)
        for n_in in n_ins
        for name, weights, biases in table(number, seed, n_in)
    ]
    return pytest.mark.parametrize(("n_in", "weights", "biases"), cases)


def one_layer(n_in, neurons, seed, bias=1.0):
    weights, biases = random_network([n_in, neurons], seed, bias)
    return weights, biases


# Closed forms.


@pytest.mark.parametrize(("n_in", "neurons"), [(1, 1), (1, 9), (2, 1), (2, 2), (2, 12), (3, 2), (3, 8), (4, 6)])
def test_known_generic_arrangement(n_in, neurons):
    """Zaslavsky 1975: sum C(N, k) regions, of which C(N - 1, n) are bounded."""
    network = one_layer(n_in, neurons, seed=neurons)
    total = sum(comb(neurons, k) for k in range(n_in + 1))
    bounded = comb(neurons - 1, n_in)
    assert count(*network, space(n_in)) == total
    assert bounded_unbounded(*network, space(n_in)) == (bounded, total - bounded)


@pytest.mark.parametrize("neurons", [1, 2, 5, 10])
def test_known_unbounded_regions_of_lines(neurons):
    assert bounded_unbounded(*one_layer(2, neurons, seed=0), space(2))[1] == 2 * neurons


@pytest.mark.parametrize(("n_in", "neurons"), [(1, 3), (2, 1), (2, 9), (3, 8), (4, 6)])
def test_known_central_arrangement(n_in, neurons):
    network = one_layer(n_in, neurons, seed=n_in, bias=0.0)
    expected = 2 * sum(comb(neurons - 1, k) for k in range(n_in))
    assert count(*network, space(n_in)) == expected
    assert count(*network, cube(n_in)) == expected
    assert bounded_unbounded(*network, space(n_in)) == (0, expected)


def differences(n, constants):
    """The hyperplanes x_i - x_j = c in R^n, which all contain the direction (1, ..., 1)."""
    rows = [
        ([int(k == i) - int(k == j) for k in range(n)], -c) for i, j in combinations(range(n), 2) for c in constants
    ]
    return [[row for row, _ in rows]], [[bias for _, bias in rows]]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_known_braid_arrangements(n):
    """Braid, Shi and Catalan arrangements (Stanley, An Introduction to Hyperplane Arrangements)."""
    assert count(*differences(n, [0]), space(n)) == factorial(n)
    assert count(*differences(n, [0, 1]), space(n)) == (n + 1) ** (n - 1)
    assert count(*differences(n, [-1, 0, 1]), space(n)) == factorial(2 * n) // factorial(n + 1)
    assert count(*differences(n, [0]), cube(n)) == factorial(n)


@pytest.mark.parametrize("n", [2, 3])
def test_known_reflection_arrangement_b(n):
    """x_i = 0 and x_i = +-x_j: 2^n n! chambers, every hyperplane through corners of the cube."""
    units = [[int(k == i) for k in range(n)] for i in range(n)]
    rows = units + [
        [x + sign * y for x, y in zip(a, b, strict=True)] for a, b in combinations(units, 2) for sign in (1, -1)
    ]
    network = [rows], [[0] * len(rows)]
    assert count(*network, space(n)) == count(*network, cube(n)) == 2**n * factorial(n)


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_known_sawtooth(depth):
    """Telgarsky 2016: a tent of two neurons, composed with itself."""
    weights = [[[1], [1]]] + [[[2, -4], [2, -4]]] * (depth - 1)
    biases = [[0, -HALF]] * depth
    assert by_layer(weights, biases, segment([0], [1])) == [2 ** (k + 1) for k in range(depth)]
    # Neuron 1 never changes sign inside; neuron 2 cuts each tooth.
    assert by_neuron(weights, biases, segment([0], [1])) == [[0, 2**k] for k in range(depth)]
    assert bounded_unbounded(weights, biases, space(1))[1] == 2


@pytest.mark.parametrize("widths", [(3,), (3, 4), (4, 3, 5)])
def test_known_zigzag(widths):
    """Montufar et al. 2014: n neurons lay [0, 1] in n folds onto itself."""
    weights, biases, fold = [], [], [1]
    for n in widths:
        weights.append([[n * x for x in fold]] * n)
        biases.append([-k for k in range(n)])
        fold = [1, *(2 * (-1) ** k for k in range(1, n))]
    folds = [prod(widths[:depth]) for depth in range(1, len(widths) + 1)]
    assert by_layer(weights, biases, segment([0], [1])) == folds


@pytest.mark.parametrize(
    ("widths", "domain", "expected"),
    [
        ([2, 8, 8, 1], space(2), [37, 111]),
        ([2, 16, 16, 1], SQUARE, [126, 412]),
        ([2, 16, 16, 1], space(2), [137, 450]),
        ([3, 6, 6, 1], cube(3), [40, 187]),
        ([3, 8, 8, 1], cube(3), [90, 650]),
        ([3, 8, 8, 1], space(3), [93, 794]),
        pytest.param([2, 32, 32, 32, 1], SQUARE, [487, 1780, 3897], marks=pytest.mark.long),
        pytest.param([3, 16, 16, 1], cube(3), [592, 3524], marks=pytest.mark.long),
    ],
)
def test_known_random_networks(widths, domain, expected):
    weights, biases = random_network(widths, seed=0, bias=0.1)
    assert by_layer(weights[:-1], biases[:-1], domain) == expected


# Degenerate cases, by hand.


def test_known_duplicate_and_opposite_rows_cut_once():
    rows, bias = [[1, 2], [1, 2], [-1, -2], [3, 6], [2, -1]], [1, 1, -1, 3, 0]
    assert count([rows], [bias], space(2)) == 4
    assert by_neuron([rows], [bias], space(2)) == [[1, 1, 1, 1, 1]]
    # The same line again in the layer above: relu(z) - relu(-z) = z.
    assert by_layer([[[1, 2], [-1, -2]], [[1, -1], [1, 0]]], [[1, -1], [0, 0]], space(2)) == [2, 2]
    assert by_neuron([[[1, 2], [-1, -2]], [[1, -1], [1, 0]]], [[1, -1], [0, 0]], space(2))[1] == [0, 0]


def test_known_line_through_corners():
    assert count([[[1, 1]]], [[-2]], SQUARE) == 1  # touches (1, 1)
    assert count([[[1, -1]]], [[0]], SQUARE) == 2  # the diagonal
    assert count([[[1, 3]]], [[-2]], SQUARE) == 2  # through (-1, 1) and a wall
    assert count([[[1, 1], [1, -1], [2, 1]]], [[0, 0, 0]], SQUARE) == 6
    assert count([[[1, 1, 1]]], [[-3]], cube(3)) == 1
    assert count([[[1, 1, 0], [1, -1, 0], [1, 0, 1]]], [[0, 0, 0]], cube(3)) == 8


def test_known_walls_cut_nothing():
    (region,) = regions([[[1, 0], [-1, 0], [0, 1]]], [[-1, -1, -1]], SQUARE)
    assert region.pattern == ((False, False, False),)
    (region,) = regions([[[1, 0], [-1, 0], [0, 1]]], [[1, 1, 1]], SQUARE)
    assert region.pattern == ((True, True, True),)


def test_known_zero_rows():
    found = regions([[[0, 0], [0, 0], [0, 0]]], [[0, 1, -1]], space(2))
    assert [region.pattern for region in found] == [((False, True, False),)]


def test_known_dead_layer():
    weights, biases = [[[1, 0], [0, 1]], [[-1, -1]], [[1], [1], [5]]], [[0, 0], [0], [0, 1, -1]]
    found = regions(weights, biases, space(2))
    assert by_layer(weights, biases, space(2)) == [4, 4, 4]
    assert {region.pattern[1:] for region in found} == {((False,), (False, True, False))}


def test_known_segment_inside_a_bent_hyperplane():
    """The line of a neuron itself: inactive all along, and the neuron above sees a zero."""
    weights, biases = [[[1, 0], [0, 1]], [[1, 1]]], [[0, -HALF], [0]]
    found = regions(weights, biases, segment([0, 0], [0, 1]))
    assert {region.pattern for region in found} == {((False, False), (False,)), ((False, True), (True,))}
    assert by_neuron(weights, biases, segment([0, 0], [0, 1])) == [[0, 1], [0]]
    assert count(weights, biases, affine([0, 0], [[0, 1]], space(1))) == 2


def test_known_whole_space_without_vertices():
    """Rank one in R^3: slabs, of which none is bounded."""
    weights, biases = [[[1, 1, 0], [2, 2, 0], [-1, -1, 0]]], [[0, -2, 2]]
    assert bounded_unbounded(weights, biases, space(3)) == (0, 4)
    assert all(len(region.lines) == 2 for region in regions(weights, biases, space(3)))


def test_known_nearly_concurrent_lines():
    """Three lines through one point make 6 regions; one moved by the smallest float makes 7."""
    rows = [[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]
    assert count(rows, [[-0.5, -0.5, -1.0]], SQUARE) == 6
    assert count(rows, [[-0.5, -0.5, -1.0 + 2**-53]], SQUARE) == 7
    assert count(rows, [[0.0, 0.0, 5e-324]], SQUARE) == 7


def test_known_boxes():
    weights, biases = [[[1, 1, 1], [0, 0, 1]]], [[0, -1]]
    assert count(weights, biases, box([-1, -1, 1], [1, 1, 1])) == 2  # the face z = 1, inside the second plane
    assert count(weights, biases, box([0, 0, 0], [0, 0, 3])) == 2
    assert box([0, 2, 0], [1, 2, 1]).at((0, HALF)) == (0, 2, HALF)


def test_known_paths():
    weights, biases = [[[1, 0], [0, 1]]], [[0, 0]]
    assert path(weights, biases, [(1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1)]) == (5, 4)
    assert path(weights, biases, [(1, 1), (3, 2), (2, 5)]) == (1, 1)  # a corner inside a region
    assert path(weights, biases, [(1, 1), (-1, 1), (1, 1)]) == (3, 2)  # there and back
    # Corners on the boundary; along x = 0 the first neuron vanishes and so is inactive.
    assert path(weights, biases, [(1, 1), (0, 1), (0, 2), (-1, 2)]) == (2, 2)
    assert path(weights, biases, [(1, 1), (0, 1), (0, 2), (1, 2)]) == (3, 2)


# Laws.


def facets(face, walls):
    """The largest proper faces of a face, which is given as its set of vertices."""
    parts = {face & wall for wall in walls} - {face, frozenset()}
    return [part for part in parts if not any(part < other for other in parts)]


def faces(face, walls):
    """All faces of a bounded cell with their dimensions."""
    found, level = {}, {face}
    dimension = len(next(iter(face))) - 1
    while level:
        found.update(dict.fromkeys(level, dimension))
        level = {facet for face in level for facet in facets(face, walls)}
        dimension -= 1
    return found


def simplices(face, walls):
    """A triangulation: each facet away from the first vertex, joined to that vertex."""
    first = min(face)
    if len(face) == 1:
        return [[first]]
    return [[first, *rest] for facet in facets(face, walls) if first not in facet for rest in simplices(facet, walls)]


def cell(region):
    """(vertices, vertices of each wall) of a bounded region, vertices as (u, 1)."""
    vertices = dict(zip(region.cone.rays, region.rays, strict=True))
    walls = [
        frozenset(v for ray, v in vertices.items() if wall in ray.tight) for wall in sorted(region.cone.walls, key=str)
    ]
    return frozenset(vertices.values()), walls


@many(20, seed=1)
def test_laws_euler_and_volume(n_in, weights, biases):
    """The cells are a complex: faces meet in faces, the numbers alternate to 1, the volumes fill the box."""
    complex_, volume = {}, 0
    for region in regions(weights, biases, cube(n_in)):
        vertices, walls = cell(region)
        complex_.update(faces(vertices, walls))
        volume += sum(abs(determinant(corners)) for corners in simplices(vertices, walls))
    assert sum((-1) ** dimension for dimension in complex_.values()) == 1
    assert volume == 2**n_in * factorial(n_in)


@many(40, seed=2)
def test_laws_patterns(n_in, weights, biases):
    """Regions have different patterns, each that of its inner point, and random points find only these."""
    rng = np.random.default_rng(n_in)
    for domain in (cube(n_in), space(n_in), simplex(np.vstack([np.zeros(n_in), 2 * np.eye(n_in)]).tolist())):
        found = regions(weights, biases, domain)
        patterns = {region.pattern for region in found}
        assert len(patterns) == len(found)
        for region in found:
            assert pattern_at(weights, biases, domain.at(region.interior_point())) == region.pattern
        for point in rng.dirichlet(np.ones(n_in + 1), size=20)[:, 1:].tolist():
            # The random digits keep the point off every boundary; it lies in all three domains.
            assert pattern_at(weights, biases, point) in patterns


@many(20, seed=3)
def test_laws_regions_are_convex(n_in, weights, biases):
    """From a region's inner point to any of its vertices the pattern stays (Hanin and Rolnick, Lemma 4)."""
    domain = cube(n_in)
    for region in regions(weights, biases, domain):
        inside = (*region.interior_point(), 1)
        for vertex in region.rays:
            *between, w = (x + 9999 * y for x, y in zip(inside, vertex, strict=True))
            assert pattern_at(weights, biases, domain.at([x / w for x in between])) == region.pattern


@many(20, seed=4)
def test_laws_counts_agree(n_in, weights, biases):
    """Layers and neurons: a cut makes at least one region more, and only a cut does."""
    for domain in (cube(n_in), space(n_in)):
        layers, neurons = by_layer(weights, biases, domain), by_neuron(weights, biases, domain)
        assert layers[-1] == count(weights, biases, domain) == sum(bounded_unbounded(weights, biases, domain))
        for before, after, cutting in zip([1, *layers], layers, neurons, strict=False):
            assert max(cutting) <= after - before <= before * (2 ** len(cutting) - 1)
            assert max(cutting) <= before
            if n_in == 1:
                assert after - before <= sum(cutting)
    assert count(weights, biases, cube(n_in)) <= count(weights, biases, space(n_in))


@many(20, seed=5)
def test_laws_order_and_scale_of_neurons(n_in, weights, biases):
    """Neurons permuted and scaled by positive numbers: the same counts, permuted."""
    rng = np.random.default_rng(5)
    changed, order = [], np.arange(n_in)
    scale = np.array([Fraction(1)] * n_in)
    for weight, bias in zip(weights, biases, strict=True):
        rows = np.array([[Fraction(x) for x in row] for row in weight])[:, order] / scale[order]
        order = rng.permutation(len(bias))
        scale = np.array([Fraction(int(x), 3) for x in rng.integers(1, 9, len(bias))])
        constants = np.array([Fraction(x) for x in bias])
        changed.append(((rows * scale[:, None])[order].tolist(), (constants * scale)[order].tolist(), order))
    new_weights, new_biases, orders = zip(*changed, strict=True)
    for domain in (cube(n_in), space(n_in)):
        assert by_layer(new_weights, new_biases, domain) == by_layer(weights, biases, domain)
        neurons = by_neuron(weights, biases, domain)
        expected = [[cutting[j] for j in order] for cutting, order in zip(neurons, orders, strict=True)]
        assert by_neuron(new_weights, new_biases, domain) == expected


@many(20, seed=6)
def test_laws_coordinates_do_not_matter(n_in, weights, biases):
    """The same domain in other coordinates, and made by another constructor."""
    rng = np.random.default_rng(6)
    basis = (np.tril(rng.integers(-3, 4, (n_in, n_in)), -1) + np.eye(n_in) * 2).tolist()
    skew = affine(rng.standard_normal(n_in).tolist(), basis, space(n_in))
    assert by_layer(weights, biases, skew) == by_layer(weights, biases, space(n_in))
    if n_in == 1:
        assert by_layer(weights, biases, cube(1)) == by_layer(weights, biases, segment([1], [-1]))
    if n_in == 2:
        corners = [(1, -1), (1, 1), (-1, 1), (-1, -1)]
        assert by_layer(weights, biases, polygon(corners)) == by_layer(weights, biases, SQUARE)
        assert by_layer(weights, biases, polygon(corners[:3])) == by_layer(weights, biases, simplex(corners[:3]))


@many(20, seed=7)
def test_laws_zero_bias(n_in, weights, biases):
    """The zero-bias network's regions are the regions that hold a full-dimensional cone of directions."""
    found = regions(weights, biases, space(n_in))
    holding = 0
    for region in found:
        directions = [*region.lines, *(ray for ray in region.rays if ray[-1] == 0)]
        holding += any(independent(chosen) for chosen in combinations(directions, n_in))
    zero = [[0] * len(bias) for bias in biases]
    assert count(weights, zero, space(n_in)) == count(weights, zero, cube(n_in)) == holding


@many(20, seed=8)
def test_laws_paths(n_in, weights, biases):
    """A straight path with corners is its segment, and both ways are the same."""
    a, b = [-1] * n_in, [1, *[HALF] * (n_in - 1)]
    corners = [[(1 - t) * x + t * y for x, y in zip(a, b, strict=True)] for t in (0, Fraction(1, 3), HALF, 1)]
    expected = count(weights, biases, segment(a, b))
    assert path(weights, biases, corners) == path(weights, biases, corners[::-1]) == (expected, expected)


@many(20, seed=9, n_ins=(2, 3))
def test_laws_slices_meet_regions(n_in, weights, biases):
    """A generic line's patterns are patterns of the space."""
    line = affine([0.1234567, -0.7654321, 0.31415927][:n_in], [[0.27182818, 0.57721566, -0.4142135][:n_in]], space(1))
    everywhere = {region.pattern for region in regions(weights, biases, space(n_in))}
    assert {region.pattern for region in regions(weights, biases, line)} <= everywhere


@settings(deadline=None, max_examples=40)
@given(networks())
def test_laws_drawn_networks(network):
    """What the strategy draws is a network, and its rays keep every sign of their region."""
    for region in regions(*network, SQUARE):
        assert region.bounded
        assert pattern_at(*network, SQUARE.at(region.interior_point())) == region.pattern
        assert all(abs(x) <= 1 for ray in region.rays for x in ray)


def test_laws_table_is_the_same_every_time():
    assert table(25, seed=3) == table(40, seed=3)[:25]
    assert table(25, seed=3) != table(25, seed=4)


# Bad input.


@pytest.mark.parametrize(
    "vertices",
    [
        [(0, 0), (1, 0)],
        [(0, 0), (1, 0), (2, 0)],
        [(0, 0), (1, 0), (2, 0), (1, 1)],
        [(0, 0), (1, 1), (1, 0), (0, 1)],
        [(0, 0), (1, 0), (1, 1), (0, 0)],
        [(0, 0), (2, 0), (0.5, 0.5), (0, 2)],
    ],
)
def test_bad_input_polygon(vertices):
    with pytest.raises(ValueError, match="strictly convex"):
        polygon(vertices)


def test_bad_input_flat_domains():
    with pytest.raises(ValueError, match="affinely independent"):
        simplex([(0, 0), (1, 1), (2, 2)])
    with pytest.raises(ValueError, match="linearly independent"):
        segment([1, 2], [1, 2])
    with pytest.raises(ValueError, match="linearly independent"):
        affine([0, 0, 0], [[1, 2, 3], [2, 4, 6]], space(2))
    with pytest.raises(ValueError, match="lower <= upper"):
        box([0, 0], [0, 0])
    with pytest.raises(ValueError, match="lower <= upper"):
        box([0, 1], [1, 0])


def test_bad_input_shapes():
    with pytest.raises(ValueError, match="zip"):
        count([[[1, 2, 3]]], [[0]], SQUARE)
    with pytest.raises(ValueError, match="zip"):
        count([[[1, 2]]], [[0, 1]], SQUARE)
