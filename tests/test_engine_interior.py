"""Points inside cells: each lies strictly inside, whether floats found it or rationals did; where no float lies inside
a cell a rational point is given, and nowhere else."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from creases.engine.answers.cell_table import cut_into_cells
from creases.engine.answers.interior import interior_points, middles, proved_behind, proved_within
from creases.engine.problem import IntegerPolytope
from engine_states import INTERVAL, SQUARE, cube, one_layer, problem_of, twin_of
from engine_twins import amount, cross, dot, exactly, sign
from networks import as_lists, he, table

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # without the JIT

POLYGON = np.array([[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]])
FIELDS = ("first", "corners", "at_infinity", "edges", "patterns")


def cells_of(problem):
    """The arrays of a problem's cells."""
    found = cut_into_cells(problem, threads=1, report=lambda _: None)
    return {name: getattr(found, name) for name in FIELDS}


def found_points(problem, cells):
    return interior_points(problem, *(cells[name] for name in FIELDS))


def bits_at(patterns, cell, widths):
    """The pattern of a cell, one list of bits a layer."""
    bits = [bool(patterns[cell, n >> 3] >> (n & 7) & 1) for n in range(sum(widths))]
    ends = np.cumsum([0, *widths]).tolist()
    return [bits[a:b] for a, b in pairwise(ends)]


def walls_of(problem):
    """Inward forms of the domain's walls."""
    if problem.vertices is None:
        return []
    if isinstance(problem.vertices, IntegerPolytope):
        return problem.vertices.walls
    if problem.dimension == 1:
        (low,), (high,) = exactly(problem.vertices)
        return [(1, -low), (-1, high)]
    rays = [(*point, Fraction(1)) for point in exactly(problem.vertices)]
    return [cross(p, q) for p, q in zip(rays, rays[1:] + rays[:1], strict=True)]


def is_inside(problem, point, bits):
    """Whether a rational point is strictly inside the cell with this pattern: no neuron that is anything there is zero,
    and each has its sign."""
    ray = [*point, Fraction(1)]
    if not all(dot(wall, ray) > 0 for wall in walls_of(problem)):
        return False
    twin = twin_of(problem, np.eye(problem.dimension + 1))
    forms, values = twin.forms(bits), twin.values(ray)
    return all(
        sign(value) == (1 if on else -1) or not (any(form) or on)
        for layer in zip(forms, values, bits, strict=True)
        for form, value, on in zip(*layer, strict=True)
    )


def nearest(number):
    """The nearest float, the largest one beyond."""
    try:
        return float(number)
    except OverflowError:
        return float(np.copysign(np.finfo(float).max, 1 if number > 0 else -1))


def check(problem, cells=None):
    """All points, and those that are rational, are inside; returns how many are rational."""
    cells = cells_of(problem) if cells is None else cells
    points, rational = found_points(problem, cells)
    assert points.shape == (len(cells["first"]) - 1, problem.dimension)
    for i, point in enumerate(points.tolist()):
        bits = bits_at(cells["patterns"], i, problem.widths)
        if i in rational:
            assert is_inside(problem, rational[i], bits)
            assert point == [nearest(x) for x in rational[i]]
            assert not is_inside(problem, exactly(point), bits)
        else:
            assert is_inside(problem, exactly(point), bits)
    assert set(rational) <= set(range(len(points)))
    return len(rational)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("whole", [False, True])
def test_against_exact_interior_points(d, whole):
    """In generic cells floats are found: no rational is given where it is not needed."""
    for seed in range(amount(10, 4)):
        weights, biases = as_lists(he(np.random.default_rng([seed, d]), d, widths=(5, 4), bias=0.5))
        domain = None if whole else INTERVAL if d == 1 else (SQUARE, POLYGON)[seed % 2]
        assert check(problem_of(weights, biases, [0.0] * d, np.eye(d), domain)) == 0


@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_interior_points_of_degenerate_cells(d):
    for _, weights, biases in table(amount(60, 30), 13, d):
        for domain in (INTERVAL if d == 1 else SQUARE, None):
            check(problem_of(weights, biases, [0.0] * d, np.eye(d), domain))


@pytest.mark.parametrize("whole", [False, True])
def test_known_interior_points_of_slivers_on_a_line(whole):
    """Between 0.5 and the next float there is none: of the three cells the one between has a rational point."""
    next_float = np.nextafter(0.5, 1.0)
    problem = one_layer([[1.0, -0.5], [1.0, -next_float]], None if whole else INTERVAL)
    assert check(problem) == 1
    _, rational = found_points(problem, cells_of(problem))
    assert Fraction(0.5) < rational[1][0] < Fraction(next_float)
    assert check(one_layer([[1.0, -0.5], [1.0, -np.nextafter(next_float, 1.0)]], None if whole else INTERVAL)) == 0


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("turn", [False, True])
def test_known_interior_points_of_slivers_in_the_plane(whole, turn):
    """Between two parallel lines that are two floats apart, or less, with or without others across."""
    low, high = 0.75, np.nextafter(0.75, 1.0)
    first, second = [[0.0, 1.0, -low], [0.0, 1.0, -high]] if turn else [[1.0, 0.0, -low], [1.0, 0.0, -high]]
    across = [[1.0, 0.25, 0.0], [-1.0, 1.0, 0.25]] if turn else [[0.25, 1.0, 0.0], [1.0, -1.0, 0.25]]
    for more, slivers in ((across[:1], 2), (across, 3)):
        assert check(one_layer([first, second, *more], None if whole else POLYGON)) == slivers


def test_known_interior_points_of_slanted_slivers():
    """Lines x = 3 y and x = 3 y + 2^-60, which hardly any float lies between."""
    problem = one_layer([[1.0, -3.0, 0.0], [1.0, -3.0, -(2.0**-60)], [1.0, 1.0, -0.7]], SQUARE)
    cells = cells_of(problem)
    assert len(cells["first"]) - 1 == 6
    assert check(problem, cells) <= 2


@pytest.mark.parametrize("form", [[1.0, 0.0], [0.0, 1.0], [1.0, 2.0], [3.0, -1.0]])
@pytest.mark.parametrize("bias", [0.0, 1.0, 1e30])
def test_known_interior_points_of_strips(form, bias):
    """A plane that is constant along one direction is cut into strips, which have no corners."""
    rows = [[*form, 0.0], [*form, -bias - 1.0], [*(-2.0 * x for x in form), 0.3]]
    problem = one_layer(rows, None)
    assert len(cells_of(problem)["first"]) - 1 == 4
    assert check(problem) == 0


@pytest.mark.parametrize("form", [[1.0, 0.0], [0.0, 1.0]])
def test_known_interior_points_of_strips_without_a_float(form):
    high = np.nextafter(0.75, 1.0)
    assert check(one_layer([[*form, -0.75], [*form, -high]], None)) == 1


@pytest.mark.parametrize("domain", ["square", "plane", "interval", "line", "strips"])
def test_laws_no_guess_is_taken_on_trust(domain):
    """Corners that are wrong, not finite, or of other cells: the points lie inside nevertheless."""
    rng, d = np.random.default_rng(1), 1 if domain in ("interval", "line") else 2
    rows = rng.standard_normal((5, d + 1)) * [*[1.0] * d, 0.3]
    if domain == "strips":
        rows[:, :d] = rng.standard_normal((5, 1)) * [1.0, 0.5]
    problem = one_layer(rows, {"square": SQUARE, "interval": INTERVAL}.get(domain))
    cells = cells_of(problem)
    size = cells["corners"].shape
    for wrong in (
        np.zeros(size),
        np.full(size, 5.0),
        np.full(size, np.nan),
        np.full(size, np.inf),
        cells["corners"][::-1],
    ):
        assert check(problem, {**cells, "corners": wrong.copy()}) == 0


def test_known_middles():
    """The mean of finite corners; from there along the far directions, by the size of the largest of them."""
    corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [1.0, 1.0], [3.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    far = np.array([False, False, False, False, False, True, True])
    found = middles(np.array([0, 3, 7]), corners, far)
    assert np.allclose(found, [[4 / 3, 2 / 3], [2.0 + 3.0, 0.5 + 3.0]])


def test_against_exact_points_behind_walls_of_many_digits():
    """Points on a wall, as near as floats are: what is proved of them is true."""
    rng, proved = np.random.default_rng(4), 0
    for _ in range(amount(400, 200)):
        wall = [int(x) * 1009 + 1 for x in rng.integers(-(10**17), 10**17, 4)]
        points = rng.uniform(-1, 1, (20, 3))
        points[:, 2] = [float(-dot(wall[:2] + wall[3:], [*exactly(point[:2]), 1]) / wall[2]) for point in points]
        points[10:, 2] += np.sign(wall[2]) * 1e-9 * (1 + np.abs(points[10:, 2]))
        said = proved_behind([wall], points)
        assert all(dot(wall, [*exactly(point), 1]) > 0 for point in points[said])
        proved += said.sum()
    assert proved > 0.3 * 20 * amount(400, 200)


# What floats prove of a domain's own walls.


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, POLYGON / 3 + 0.1, POLYGON * 1e-300, POLYGON * 1e100 + 1e103])
def test_against_exact_points_within_a_polygon(vertices):
    """Nothing is proved of a point that is not strictly inside; points well inside are."""
    rng, inside = np.random.default_rng(0), [[*exactly(v), Fraction(1)] for v in vertices]
    walls = [cross(p, q) for p, q in zip(inside, inside[1:] + inside[:1], strict=True)]
    points = []
    for _ in range(amount(2000, 1000)):
        i, t = int(rng.integers(len(vertices))), rng.random()
        edge = t * vertices[i] + (1 - t) * vertices[i - 1]
        middle = vertices.mean(axis=0)
        points.append(edge + (middle - edge) * rng.choice([0.0, 1e-17, 1e-16, -1e-16, 1e-14, 0.3, -0.3, 1.0]))
    points = np.array([*points, *vertices])
    proved = proved_within(vertices, points)
    true = [all(dot(wall, [*exactly(point), Fraction(1)]) > 0 for wall in walls) for point in points]
    assert all(is_true or not said for said, is_true in zip(proved, true, strict=True))
    assert proved.sum() > (0.7 * sum(true) - 60 if np.abs(vertices).max() > 1e-200 else -1)


@pytest.mark.parametrize("walls", [cube(3).walls, ((1, 10**40, -(10**40)), (-(10**30), 1, 10**31), (0, -1, 3))])
def test_against_exact_points_behind_walls(walls):
    """The same of walls in whole numbers that no float holds."""
    rng, d = np.random.default_rng(0), len(walls[0]) - 1
    points = rng.choice([-1.0, 1.0, 1.0 - 2.0**-53, 0.5, 0.0, 2.0, 1.0 + 2.0**-52, 2.9], (400, d))
    points += rng.choice([0.0, 1e-17, 0.1], (400, d))
    proved = proved_behind(walls, points)
    true = [all(dot(wall, [*exactly(point), Fraction(1)]) > 0 for wall in walls) for point in points]
    assert all(is_true or not said for said, is_true in zip(proved, true, strict=True))
    assert proved.sum() > 0.5 * sum(true) > 0
