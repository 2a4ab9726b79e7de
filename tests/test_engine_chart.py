"""Starting cells: the chart of a cone holds the true cone, or there is no chart."""

from fractions import Fraction

import numpy as np
import pytest

from creases.engine.proof.rational import scaled
from creases.engine.starts.bounded import bounded_start
from creases.engine.starts.chart import RationalStart, is_bounded_in
from creases.engine.starts.first_layer import independent_rows, rational_first
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from engine_states import corners_between, one_layer, problem_of
from engine_twins import amount, cross, determinant, dot, exactly, opposite, some_float

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

INFINITY = {2: (Fraction(-1), Fraction(1)), 3: (Fraction(-1), Fraction(-1), Fraction(1))}


def check_cone(problem, start):
    """In its chart the cone is the bounded cell between its edges, in order, and corners are as near as they say."""
    k = problem.dimension + 1
    chart = exactly(start.chart)
    forms = {}
    for row in start.signs:
        column = [*exactly(problem.graph.weights[0][row]), Fraction(float(problem.graph.biases[0][row]))]
        moved = [dot(column, axis) for axis in zip(*chart, strict=True)]
        forms[row] = tuple(moved) if start.signs[row] else opposite(moved)
    # The last coordinate of the domain is what is zero at infinity.
    assert tuple(chart[-1]) == INFINITY[k]
    edges = [INFINITY[k] if name < 0 else forms[name] for name in start.edge_ids]
    corners = corners_between(edges)
    if k == 2:
        assert corners[0][0] < corners[1][0]
        assert edges[0][0] > 0 > edges[1][0]
    else:
        assert determinant(corners) > 0  # counter-clockwise
    for i, corner in enumerate(corners):
        for j, edge in enumerate(edges):
            beside = i == j if k == 2 else i in (j, (j + 1) % 3)
            assert dot(edge, corner) == 0 if beside else dot(edge, corner) > 0
        *near, error = start.corners[i].tolist()
        if error < np.inf:
            assert max(abs(Fraction(x) - y) for x, y in zip(near, corner, strict=False)) <= Fraction(error)
        assert start.infinite[i] == (dot(INFINITY[k], corner) == 0)
    for edge, near, (error_g, error_w) in zip(edges, start.edges.tolist(), start.edge_bounds.tolist(), strict=True):
        lost = [abs(x - Fraction(y)) for x, y in zip(edge, near, strict=True)]
        assert sum(lost[:-1]) <= Fraction(error_g)
        assert lost[-1] <= Fraction(error_w)


def some_plane(rng, d, nearness):
    """A first layer; two of its rows nearly parallel, or numbers of any size."""
    forms = rng.standard_normal((4, d + 1))
    if nearness == "any size":
        return np.array([[some_float(rng) for _ in range(d + 1)] for _ in range(4)])
    if d == 2:
        forms[1:, :2] = rng.choice([-3.0, 0.7, 1e3], (3, 1)) * (forms[0, :2] + nearness * rng.standard_normal((3, 2)))
    return forms


@pytest.mark.parametrize("nearness", [1.0, 1e-8, 1e-13, 1e-15, 1e-16, 1e-17, "any size"])
@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_cones(d, nearness):
    rng, held, refused = np.random.default_rng(2), 0, 0
    for _ in range(amount(60, 25)):
        problem = one_layer(some_plane(rng, d, nearness), None)
        if len(independent_rows(problem)) < d:
            continue
        cells = list(starts(problem, Workshop()))
        assert len(cells) == 2**d
        assert len({tuple(cell.signs.items()) for cell in cells}) == 2**d
        for start in cells:
            if isinstance(start, RationalStart):
                refused += 1
            else:
                check_cone(problem, start)
                held += 1
    assert held + refused > amount(50, 20)
    assert held or nearness in (1e-15, 1e-16, 1e-17)
    if nearness in (1.0, 1e-8):
        assert refused == 0


def test_known_a_chart_that_rounding_turned_over_is_none():
    """Two far rays that agree but for rounding: it decides on which side of each other they are."""
    rows = [[1.5, -1.0, -1.0], [-1.0499999999999996, 0.6999999999999998, 0.35], [-4.500000000002196, 3.0, 0.0]]
    problem = one_layer(rows, None)
    for start in starts(problem, Workshop()):
        if not isinstance(start, RationalStart):
            check_cone(problem, start)
    # A good chart, and the same with its far rays changed over.
    problem = one_layer([[1.0, 0.25, 0.5], [0.5, -1.0, 0.25]], None)
    exact = rational_first(problem, [0, 1])
    turned = 0
    for start in starts(problem, Workshop()):
        names = start.edge_ids[:2]
        inward = [scaled(exact[name], 1 if start.signs[name] else -1) for name in names]
        assert is_bounded_in(start.chart, inward)
        assert not is_bounded_in(start.chart[:, [1, 0, 2]], inward)
        assert not is_bounded_in(start.chart, inward[::-1])
        assert not is_bounded_in(start.chart * np.array([-1.0, 1.0, 1.0]), inward)
        turned += 1
    assert turned == 4


@pytest.mark.parametrize("scale", [1.0, 0.3, 3e7, 1e300, 1.5e308, 1e-300, 5e-324])
def test_against_exact_bounded_starts(scale):
    """A polygon's corners, edges and bounds in its chart."""
    rng = np.random.default_rng(1)
    for _ in range(amount(20, 10)):
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 7))))
        vertices = np.column_stack([np.cos(angles), np.sin(angles)]) * scale
        rays = [(*exactly(v), Fraction(1)) for v in vertices]
        turns = [determinant([rays[i - 2], rays[i - 1], rays[i]]) for i in range(len(rays))]
        if min(turns) <= 0:
            continue
        start = bounded_start(vertices)
        sizes = exactly(start.chart.diagonal()[:2])  # each coordinate by its own
        assert (start.chart == np.diag([*map(float, sizes), 1.0])).all()
        corners = [(*(x / size for x, size in zip(ray, sizes, strict=False)), Fraction(1)) for ray in rays]
        assert [tuple(exactly(row)[:2]) for row in start.corners] == [corner[:2] for corner in corners]
        assert not start.corners[:, 2].any()
        assert np.abs(start.corners[:, :2]).max() < 2
        for i, (near, (error_g, error_w)) in enumerate(zip(start.edges, start.edge_bounds.tolist(), strict=True)):
            edge = cross(corners[i], corners[(i + 1) % len(corners)])
            wall = [Fraction(int(x)) for x in start.walls[i]]
            assert not any(cross(edge, wall))  # one line
            assert dot(edge, wall) > 0
            factor = max(map(abs, wall))
            lost = [abs(x / factor - Fraction(float(y))) for x, y in zip(wall, near, strict=True)]
            assert sum(lost[:-1]) <= Fraction(error_g)
            assert lost[-1] <= Fraction(error_w)
            assert start.edge_ids[i] == -2 - i


def test_known_a_whole_plane_on_a_slice():
    """The chart begins at the slice: rows times its basis are rounded, and that is in the bounds."""
    rng = np.random.default_rng(3)
    for _ in range(amount(20, 8)):
        weights, basis = rng.standard_normal((4, 3)), rng.standard_normal((2, 3))
        problem = problem_of([weights], [rng.standard_normal(4)], rng.standard_normal(3), basis, None)
        exact = rational_first(problem, range(4))
        for start in starts(problem, Workshop()):
            assert not isinstance(start, RationalStart)
            chart = exactly(start.chart)
            for row, near, (error_g, error_w) in zip(
                start.edge_ids[:2], start.edges, start.edge_bounds.tolist(), strict=False
            ):
                form = [Fraction(int(x)) for x in exact[row]]
                moved = [dot(form, axis) for axis in zip(*chart, strict=True)]
                # Exact forms are primitive integers: the scale is that of the largest entry.
                place = int(np.argmax(np.abs(near)))
                columns = [*exactly(problem.basis), exactly(problem.origin)]
                values = [dot(exactly(weights[row]), column) for column in columns]
                values[-1] += Fraction(float(problem.graph.biases[0][row]))
                true = [dot(values, axis) * (1 if start.signs[row] else -1) for axis in zip(*chart, strict=True)]
                assert abs(moved[place] * true[0]) == abs(moved[0] * true[place])
                lost = [abs(x - Fraction(float(y))) for x, y in zip(true, near, strict=True)]
                assert sum(lost[:-1]) <= Fraction(error_g)
                assert lost[-1] <= Fraction(error_w)
