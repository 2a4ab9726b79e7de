"""The rational engine (`proof.rational`) against Python's fractions and the reference, which share nothing with it."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import fmpz

import reference
from creases import Network, Polygon, subdivide
from creases.double_description import dot, primitive
from creases.engine.answers.rational_count import RationalTally, count_below
from creases.engine.graph import Graph
from creases.engine.proof.rational import (
    RationalCell,
    as_integers,
    clip,
    cone_cells,
    cross,
    rational_corners,
    scaled,
    vertex_cell,
)
from creases.engine.proof.rational_forms import RationalForms
from engine_states import INTERVAL, SQUARE
from engine_twins import TwinNetwork, amount, sign, some_float
from networks import table

POLYGON = np.array([[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]])


def numbers(form):
    return tuple(Fraction(int(x)) for x in form)


def ratio(found, true):
    """The one positive factor between two vectors that should be parallel."""
    (factor,) = {a / b for a, b in zip(found, true, strict=True) if b}
    assert factor > 0
    assert all((a == 0) == (b == 0) for a, b in zip(found, true, strict=True))
    return factor


# Floats as integers.


@pytest.mark.parametrize("widest", [0, 3, 300])
def test_against_exact_as_integers(widest):
    rng = np.random.default_rng(widest)
    for _ in range(100):
        arrays = [
            np.array([[some_float(rng, widest) for _ in range(columns)] for _ in range(2)])
            for columns in rng.integers(1, 5, rng.integers(1, 4))
        ]
        lists, exponent = as_integers(*arrays)
        unit = Fraction(2) ** -exponent
        for array, found in zip(arrays, lists, strict=True):
            assert [value * unit for value in found] == [Fraction(x) for x in array.ravel().tolist()]
        odd = [value for found in lists for value in found if value % 2]
        assert odd or not any(map(any, lists))  # the exponent is as small as it can be


def test_known_as_integers():
    assert as_integers(np.array([0.0, -0.0])) == ([[0, 0]], 0)
    assert as_integers(np.array([0.75, -3.0]), np.array([2.0])) == ([[3, -12], [8]], 2)
    assert as_integers(np.array([8.0, 24.0])) == ([[1, 3]], -3)
    assert as_integers(np.array([5e-324, 1.0])) == ([[1, 2**1074]], 1074)
    largest = float(np.finfo(float).max)
    assert as_integers(np.array([largest, -(2.0**971)])) == ([[2**53 - 1, -1]], -971)
    powers = 2.0 ** np.arange(-1074, 1024)
    for power in powers.tolist():
        assert as_integers(np.array([power, 3 * power if power < 1e307 else power]))[0][0][0] == 1


# Forms.


def some_chart(rng, k):
    """A chart whose last row is the form of a cone's infinity, or that of a bounded cell."""
    if rng.integers(2):
        return np.diag([2.0 ** int(rng.integers(-3, 4))] * (k - 1) + [1.0])
    return np.vstack([rng.standard_normal((k - 1, k)), [*[-1.0] * (k - 1), 1.0]])


def chain_of(weights, biases):
    return Graph.chain([np.array(weight) for weight in weights], [np.array(bias) for bias in biases])


@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_forms_on_random_charts(n_in):
    """All forms of a layer are the true ones, up to one positive factor, for every kind of network and any pattern."""
    for i, (name, weights, biases) in enumerate(table(amount(60, 40), 31, n_in)):
        rng = np.random.default_rng([i, n_in])
        d = 1 + i % min(n_in, 2)
        origin, basis = rng.standard_normal(n_in) * rng.integers(2), rng.standard_normal((d, n_in))
        tail, chart = rng.standard_normal((d, n_in)) * 1e-17 * rng.integers(2), some_chart(rng, d + 1)
        arrays = [[np.array(part, dtype=float) for part in parts] for parts in (weights, biases)]
        pattern = [rng.integers(0, 2, len(bias)).astype(bool) for bias in biases]
        truth = TwinNetwork(weights, biases, origin, basis, tail, chart).forms(pattern)
        exact = RationalForms(Graph.chain(*arrays), origin, basis, tail, chart)
        for layer, rows in enumerate(truth):
            found = exact.forms(layer, pattern)
            assert len(found) == len(rows)
            flat_found, flat_true = [[x for row in part for x in row] for part in (map(numbers, found), rows)]
            assert not any(flat_true) or ratio(flat_found, flat_true), name
            assert any(flat_true) or not any(flat_found), name
            assert exact.forms(layer, pattern) is found  # kept
        ray = [Fraction(int(x), 7) for x in rng.integers(-9, 10, d + 1)]
        one = sum(Fraction(float(x)) * y for x, y in zip(chart[-1], ray, strict=True))
        assert sign(sum(Fraction(int(x)) * y for x, y in zip(exact.infinity, ray, strict=True))) == sign(one)


def test_against_exact_forms_at_rational_points():
    """Where a point has the pattern, the forms' signs there are those of the reference's forward pass."""
    for i, (_, weights, biases) in enumerate(table(amount(40, 20), 41, 2)):
        rng = np.random.default_rng(i)
        forms = RationalForms(chain_of(weights, biases), *identity(2))
        point = [Fraction(int(x), 12) for x in rng.integers(-20, 21, 2)]
        pattern = reference.pattern_at(weights, biases, point)
        below = [np.array(bits) for bits in pattern]
        for layer, bits in enumerate(pattern):
            values = [
                sum(a * b for a, b in zip(numbers(f), [*point, 1], strict=True)) for f in forms.forms(layer, below)
            ]
            assert tuple(value > 0 for value in values) == bits


def identity(d):
    return np.zeros(d), np.eye(d), np.zeros((d, d))


# Cells.


def check_cell(cell):
    """Rays and edges belong together, and every ray lies on the inner side of every edge."""
    k = len(cell.rays[0])
    for i, (ray, edge) in enumerate(zip(cell.rays, cell.edges, strict=True)):
        assert dot(edge, ray) == 0
        if k == 3:
            after = cell.rays[(i + 1) % len(cell.rays)]
            assert dot(edge, after) == 0
            assert any(cross(ray, after))
        assert all(dot(edge, other) >= 0 for other in cell.rays)
        assert ray[-1] >= 0
        assert any(dot(edge, other) > 0 for other in cell.rays)


def test_known_cross_dot_and_primitive():
    f, g = tuple(map(fmpz, (1, 2, 3))), tuple(map(fmpz, (4, 5, 6)))
    assert cross(f, g) == (-3, 6, -3)
    assert dot(f, g) == 32
    assert scaled(f, -2) == (-2, -4, -6)
    assert primitive(tuple(map(fmpz, (4, -6, 0)))) == (2, -3, 0)
    assert primitive((0, 0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, POLYGON * 2.0**-40, INTERVAL, INTERVAL * 96.0])
def test_known_vertex_cells(vertices):
    cell = vertex_cell(vertices)
    check_cell(cell)
    found = [[Fraction(int(x), int(ray[-1])) for x in ray[:-1]] for ray in cell.rays]
    assert found == [[Fraction(x) for x in vertex] for vertex in vertices.tolist()]
    corners = rational_corners(cell.edges)
    assert all(ratio(numbers(a), numbers(b)) for a, b in zip(corners, cell.rays, strict=True))


def some_forms(rng, count, k):
    return [tuple(fmpz(int(x)) for x in row) for row in rng.integers(-9, 10, (count, k))]


@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_cone_cells(d):
    """2^d cones with the signs they say; together they hold every point once."""
    rng, asked = np.random.default_rng(d), 0
    for _ in range(amount(60, 40)):
        forms = some_forms(rng, d, d + 1)
        if (forms[0][0] if d == 1 else cross(*forms)[2]) == 0:
            continue
        asked += 1
        cells = cone_cells(forms)
        assert sorted(signs for _, signs in cells) == sorted(product([False, True], repeat=d))
        for cell, signs in cells:
            check_cell(cell)
            assert sum(ray[-1] == 0 for ray in cell.rays) == d
            assert (*(fmpz(0),) * d, fmpz(1)) in cell.edges
            for form, on in zip(forms, signs, strict=True):
                values = [dot(form, ray) for ray in cell.rays]
                assert (min(values) >= 0 and max(values) > 0) if on else (max(values) <= 0 and min(values) < 0)
    assert asked > 20


def area(cell):
    """Twice the area of a bounded cell; its length on a line."""
    points = [[Fraction(int(x), int(ray[-1])) for x in ray[:-1]] for ray in cell.rays]
    if len(points[0]) == 1:
        return points[1][0] - points[0][0]
    return sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(points, points[1:] + points[:1], strict=True))


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, INTERVAL])
def test_against_exact_clip(vertices):
    """Both parts are cells on their side of the form, their areas add up, and their interior points are inside."""
    rng, through_corners = np.random.default_rng(len(vertices)), 0
    for _ in range(amount(60, 30)):
        cell = vertex_cell(vertices)
        for _ in range(6):
            (form,) = some_forms(rng, 1, len(cell.rays[0]))
            if rng.integers(3) == 0 and len(form) == 3:
                ray = cell.rays[rng.integers(len(cell.rays))]
                form = (ray[2] * form[0], ray[2] * form[1], -form[0] * ray[0] - form[1] * ray[1])
            values = [dot(form, ray) for ray in cell.rays]
            if not max(values) > 0 > min(values):
                continue
            through_corners += 0 in values
            above = clip(cell, form, values)
            below = clip(cell, scaled(form, -1), [-value for value in values])
            for part, turn in ((above, 1), (below, -1)):
                check_cell(part)
                assert all(turn * dot(form, ray) >= 0 for ray in part.rays)
                assert len(set(map(numbers, part.rays))) == len(part.rays)
                total = [sum(map(Fraction, coordinates)) for coordinates in zip(*map(numbers, part.rays), strict=True)]
                inside = [value / total[-1] for value in total]
                assert all(sum(x * y for x, y in zip(numbers(e), inside, strict=True)) > 0 for e in part.edges)
            assert area(above) + area(below) == area(cell)
            cell = above if rng.integers(2) else below
    assert through_corners > 5 or len(vertices) == 2


# Counts.


def count_in_rationals(weights, biases, vertices, d):
    """(by_layer, by_neuron, unbounded) of a bounded cell, or of all of R^d cut into cones; None if it has no cones."""
    forms = RationalForms(chain_of(weights, biases), *identity(d))
    tally = RationalTally(forms.widths)
    if vertices is not None:
        count_below(forms, vertex_cell(vertices), 0, {}, [], tally)
        return tally
    rows = forms.forms(0, [])
    for chosen in product(range(len(rows)), repeat=d):
        if (rows[chosen[0]][0] if d == 1 else cross(*(rows[j] for j in chosen))[2]) != 0:
            for cell, signs in cone_cells([rows[j] for j in chosen]):
                count_below(forms, cell, 0, dict(zip(chosen, signs, strict=True)), [], tally)
            return tally
    return None


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("bounded", [True, False])
def test_against_exact_counts_of_every_kind(d, bounded):
    asked = 0
    specification = reference.box([-1] * d, [1] * d) if bounded else reference.space(d)
    for name, weights, biases in table(amount(40, 20), 51, d):
        found = count_in_rationals(weights, biases, (INTERVAL if d == 1 else SQUARE) if bounded else None, d)
        if found is None:
            continue
        asked += 1
        expected = list(reference.layers(weights, biases, specification))
        assert found.by_layer == [len(regions) for regions, _ in expected], name
        unbounded = sum(not region.bounded for region in expected[-1][0])
        assert found.unbounded == unbounded, name
        # Cones share the first layer, which is cut outside.
        first = 0 if bounded else 1
        assert found.by_neuron[first:] == [cutting for _, cutting in expected][first:], name
    assert asked > 12


def test_known_count_of_a_triangle_cut_through_its_corners():
    cell = RationalCell(*vertex_cell(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])))
    weights, biases = [[[1.0, -1.0], [1.0, 2.0], [1.0, 1.0]]], [[0.0, -2.0, -2.0]]
    forms = RationalForms(chain_of(weights, biases), *identity(2))
    tally = RationalTally([3])
    count_below(forms, cell, 0, {}, [], tally)
    # Two lines through corners meet inside; the third runs along an edge.
    assert (tally.by_layer, tally.by_neuron) == ([4], [[1, 1, 0]])


# Points inside.


def test_known_interior_point_of_a_sliver_along_a_wall():
    """Neurons nearly along the polygon's walls: a point with a cell's pattern may lie outside of the polygon."""
    vertices = [
        [-0.5856723754338853, -2.8120379472561416],
        [3.0772728562507394, -1.0724124766901921],
        [3.114173531192973, -0.9599894827932043],
        [3.1221327174811284, -0.9334710726082671],
    ]
    weights = [
        [-0.17396254705659497, 0.3662945231684625],
        [-0.1739625472305575, 0.3662945231684625],
        [-0.011242299389698784, 0.003690067494223337],
        [-0.011242299400941085, 0.003690067494223337],
        [-0.0026518410184937172, 0.0007959186288155617],
        [-0.0026518410211455582, 0.0007959186288155617],
        [0.18785668746478745, -0.3707805092915014],
    ]
    biases = [
        0.9281490408506454,
        0.9281490408506454,
        0.03855289717439827,
        0.038552897174398186,
        0.009022366621537692,
        0.009022366621527308,
        -0.9326263898420192,
    ]
    cells = subdivide(Network.from_arrays([weights], [biases], output_layer=False), Polygon(vertices))
    walls = vertex_cell(np.array(vertices)).edges
    for i, point in enumerate(cells.interior_points.tolist()):
        inside = [*cells.exact_interior_points.get(i, map(Fraction, point)), 1]
        assert all(sum(a * b for a, b in zip(numbers(wall), inside, strict=True)) > 0 for wall in walls)
