"""The first local network of a graph, and what `localise` makes of it, keep the contract of `engine_contract`: two
slopes a neuron, linear levels, means, skips and switches, with slopes and weights of any size, and rows of zeros.

What a switch's candidates hand on is z of the winner, and nothing of the others.
"""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

from creases.engine.graph import Graph, Level, relu_slopes
from creases.engine.proof.bounds import UNDERFLOW
from creases.engine.proof.twins import twins_of
from creases.engine.rows.slopes import scale_row
from creases.engine.starts.graph_root import graph_root
from engine_contract import check, points_of
from engine_states import INTERVAL, SQUARE, Cut, cube, graph_problem
from engine_twins import amount, dot, exactly, some_float

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

SLOPES = (0.0, 1.0, 0.01, 3.0, -1.0)
WILD_SLOPES = (*SLOPES, 1e-300, 1e200)
POLYGON = np.array([[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]])


class Drawn:
    """The levels of a graph, drawn one after the other.

    values : of each level so far how many it hands on, candidates counted, and the switch of each, or None.
    wild : whether single weights, biases and slopes are of any size.
    """

    def __init__(self, rng, n_in, wild=False):
        self.rng, self.wild = rng, wild
        self.values, self.levels = [(n_in, None)], []

    def matrix(self, n, source):
        """What is above takes from all candidates of a switch alike."""
        m, groups = self.values[source]
        columns = m if groups is None else groups[-1] + 1
        matrix = self.rng.standard_normal((n, columns)) * np.sqrt(2 / columns)
        if self.rng.integers(4) == 0:
            matrix = self.rng.integers(-2, 3, (n, columns)).astype(float)
        return self.resized(matrix if groups is None else matrix[:, groups])

    def resized(self, numbers):
        if not self.wild:
            return numbers
        return numbers * self.rng.choice(
            [1.0, 1e-200, 1e200], (*numbers.shape[:1], *[1] * (numbers.ndim - 1)), p=[0.8, 0.1, 0.1]
        )

    def add(self, kind, n):
        rng, below = self.rng, len(self.levels)
        sources = [below]
        if below and rng.integers(2):
            sources.append(int(rng.integers(below)))
        matrices = [self.matrix(n, source) for source in sources]
        bias = self.resized(rng.standard_normal(n) * 0.3 * rng.integers(2))
        for i in range(n):
            way = rng.integers(12)
            if way == 0:  # a row of zeros
                for matrix in matrices:
                    matrix[i] = 0.0
                bias[i] *= rng.integers(2)
            if way == 1:  # one that keeps its sign, or loses its switch
                bias[i] = 9.0 * rng.choice([-1, 1])
            if way == 2:  # the same again, or its opposite
                other, turn = int(rng.integers(n)), float(rng.choice([-1, 1]))
                for matrix in matrices:
                    matrix[i] = turn * matrix[other]
                bias[i] = turn * bias[other]
            if way in (3, 4):  # a copy of one value: nothing is rounded there
                for source, matrix in zip(sources, matrices, strict=True):
                    matrix[i], below = 0.0, self.values[source][1]
                    if source == sources[-1]:
                        one = int(rng.integers(matrix.shape[1]))
                        places = [one] if below is None else [j for j, group in enumerate(below) if group == below[one]]
                        matrix[i, places] = rng.choice([-1.0, 1.0])
                bias[i] = 0.0
        slopes = groups = divisors = None
        if kind == "neurons":
            slopes = rng.choice(WILD_SLOPES if self.wild else SLOPES, (2, n))
            slopes[1, slopes[0] == slopes[1]] += 0.5
        if kind == "switches":
            slopes, groups = relu_slopes(n), np.sort(rng.integers(0, max(1, n // 3), n))
            groups = np.unique(groups, return_inverse=True)[1]
        if kind == "means":
            divisors = rng.integers(1, 5, n)
            if divisors.sum() % 2:  # as many bits as a float has, and quotients as large as before
                divisors = divisors * (2**50 + 1)
                matrices, bias = [matrix * 2.0**50 for matrix in matrices], bias * 2.0**50
        if rng.integers(3) == 0:
            matrices = [csr_array(matrix) for matrix in matrices]
        self.levels.append(Level(tuple(sources), tuple(matrices), bias, slopes, groups, divisors))
        self.values.append((n, None if groups is None else groups.tolist()))


def some_graph(rng, n_in, wild=False, largest=6):
    """Three to five levels, the last one of neurons or switches."""
    drawn = Drawn(rng, n_in, wild)
    kinds = rng.choice(
        ["neurons", "switches", "linear", "means"], int(rng.integers(2, 5)), p=[0.5, 0.3, 0.1, 0.1]
    ).tolist()
    for kind in [*kinds, str(rng.choice(["neurons", "switches"]))]:
        drawn.add(kind, int(rng.integers(2, largest + 1)))
    return Graph(tuple(drawn.levels))


def some_problem(rng, wild, largest=6, d=None):
    d = int(rng.choice([1, 2, 2, 2])) if d is None else d
    vertices = cube(3) if d == 3 else INTERVAL if d == 1 else (SQUARE, POLYGON)[rng.integers(2)]
    n_in = int(rng.integers(d, 4))
    basis = np.eye(d, n_in) if rng.integers(2) else rng.integers(-4, 5, (d, n_in)) / 4.0 + 3.0 * np.eye(d, n_in)
    return graph_problem(some_graph(rng, n_in, wild, largest), rng.standard_normal(n_in), basis, vertices)


def check_root(problem, rng, seen):
    """The rows that are left open keep the contract on the starting cell, and what is decided is true there."""
    cut = Cut(problem)
    root = graph_root(problem, cut.start, twins_of(problem.graph))
    layers, corners = cut.first, [(*exactly(corner[:-1]), 1) for corner in cut.start.corners]
    if cut.start.corners[:, -1].any():
        return
    for point in points_of(corners, rng, 6):
        z, reach, handed = cut.twin.values(point), max(map(abs, point[:-1])), []
        for layer, rows in enumerate(root.layers):
            units, active = rows.units.tolist(), root.active[layers[layer] : layers[layer + 1]].tolist()
            groups, values = cut.twin.kinks[layer][1], z[layer]
            for unit, on in enumerate(active):
                if unit in units:
                    continue
                rivals = (
                    [0]
                    if groups is None
                    else [values[j] for j, g in enumerate(groups) if g == groups[unit] and j != unit]
                )
                ahead = values[unit] - max(rivals) if rivals else 0
                assert ahead >= 0 if on else ahead <= 0
                seen["decided"] += 1
            matrices = {p: c if hasattr(c, "tolist") else c.toarray() for p, c in rows.couplings.items()}
            for i, unit in enumerate(units):
                numbers = [rows.forms[i], rows.errors[i], *(matrix[i] for matrix in matrices.values())]
                seen["rows"] += 1
                if all(np.isfinite(part).all() for part in numbers):
                    seen["finite"] += 1
                    local = dot(exactly(rows.forms[i]), point)
                    local += sum(dot(exactly(matrix[i]), handed[p]) for p, matrix in matrices.items())
                    error_g, error_w = exactly(rows.errors[i])
                    assert abs(values[unit] - local) <= error_g * reach + error_w, (layer, unit)
                if np.isfinite(rows.sizes[i]).all():
                    size_g, size_w = exactly(rows.sizes[i])
                    assert abs(values[unit]) <= size_g * reach + size_w, (layer, unit)
            whole = cut.twin.handed(layer, values, rather=units)
            seen["switches"] += groups is not None and bool(units)
            handed.append([whole[unit] for unit in units])


@pytest.mark.parametrize("wild", [False, True])
def test_against_exact_first_local_networks_of_graphs(wild):
    seen = Counter()
    for number in range(amount(160, 40)):
        rng = np.random.default_rng([number, wild])
        check_root(some_problem(rng, wild), rng, seen)
    assert seen["decided"] > 200, seen
    assert seen["switches"] > 50, seen
    assert seen["finite"] > (0.4 if wild else 0.999) * seen["rows"], seen


def test_against_exact_local_networks_of_graphs():
    seen = Counter()
    for number in range(amount(60, 24)):
        rng = np.random.default_rng([number, 5])
        check(some_problem(rng, False), rng, seen, 7)
    events = ("localised", "fewer rows", "substituted", "active", "inactive", "enclosed switches")
    assert all(seen[event] >= 5 for event in events), seen
    assert seen["finite"] == seen["rows"]


def test_against_exact_local_networks_of_graphs_with_numbers_of_any_size():
    seen = Counter()
    for number in range(amount(120, 36)):
        rng = np.random.default_rng([number, 6])
        check(some_problem(rng, True, 5), rng, seen, 4)
    assert all(seen[event] >= 5 for event in ("localised", "substituted")), seen
    assert seen["finite"] > 0.3 * seen["rows"], seen


def test_against_exact_local_networks_of_graphs_in_space():
    seen = Counter()
    for number in range(amount(16, 6)):
        rng = np.random.default_rng([number, 7])
        check(some_problem(rng, number % 3 == 0, 4, d=3), rng, seen, 5)
    assert seen["enclosed switches"] >= 5, seen


@pytest.mark.parametrize("between", ["slopes", "means", "sums"])
def test_against_exact_copies_of_what_is_rounded(between):
    """Candidates that copy what was rounded once, as it was multiplied by a slope or divided by three: a copy loses
    nothing itself, and so has nothing to hide that in. A sum of two is no copy."""
    seen = Counter()
    for number in range(amount(20, 10)):
        rng = np.random.default_rng(number)
        # Numbers of so many bits that a level of them is exact, but no product; the biases are the larger ones.
        numbers = rng.integers(2**44, 2**45, (4, 3)) * 2.0**-46
        inner, one = Level((0,), (numbers[:, :2],), numbers[:, 2] + 4.0), np.eye(4)
        groups = np.zeros(4, np.int64)
        if between == "slopes":
            rounding = Level((1,), (one,), np.zeros(4), np.array([[2.0] * 4, [0.3, 0.301, 0.299, 0.302]]))
            levels = [inner, rounding, Level((2,), (one,), np.zeros(4), relu_slopes(4), groups)]
        elif between == "sums":
            other = Level((0,), (-np.ldexp(numbers[:, :2], 30),), np.ldexp(numbers[:, 2], 30))
            levels = [inner, other, Level((1, 2), (one, one), np.zeros(4), relu_slopes(4), groups)]
        else:
            rounding = Level((1,), (one,), np.zeros(4), None, None, np.array([3, 5, 7, 3]))
            levels = [inner, rounding, Level((2,), (one,), np.zeros(4), relu_slopes(4), groups)]
        check_root(graph_problem(Graph(tuple(levels)), [0.0, 0.0], np.eye(2), SQUARE), rng, seen)
    assert seen["rows"] > 20, seen


@pytest.mark.parametrize("between", ["linear", "a slope"])
def test_against_exact_couplings_that_underflow(between):
    """Units of 1e200, times 1e-200 twice: no coupling is left, but what it stood for is."""
    seen = Counter()
    for number in range(4):
        rng = np.random.default_rng(number)
        large, small = 1e200 * rng.standard_normal((4, 2)), 1e-200 * rng.standard_normal((3, 4))
        bias, middle = np.zeros(3), None
        if between == "a slope":  # of units that are decided
            bias, middle = np.full(3, 99.0), np.array([[1e-200] * 3, [1.1e-200] * 3])
        above = (1e-200 if middle is None else 1.0) * rng.standard_normal((2, 3))
        levels = [
            Level((0,), (large,), np.zeros(4), relu_slopes(4)),
            Level((1,), (small,), bias, middle),
            Level((2,), (above,), np.zeros(2), relu_slopes(2)),
        ]
        problem = graph_problem(Graph(tuple(levels)), [0.0, 0.0], np.eye(2), SQUARE)
        check_root(problem, rng, seen)
        check(problem, rng, seen, 4, blur=False)
    assert seen["finite"] > 100, seen


def test_against_exact_couplings_that_underflow_as_a_cell_grows_small():
    """Couplings of 1e-30 to units of 1e200, of a row that is decided late, times a slope of 1e-300."""
    seen = Counter()
    for number in range(amount(40, 24)):
        rng = np.random.default_rng(number)
        slopes = [np.array([[below] * n, [1.0] * n]) for below, n in ((0.5, 4), (1e-300, 4), (0.0, 2))]
        matrices = [
            1e200 * rng.standard_normal((4, 2)),
            1e-30 * rng.standard_normal((4, 4)),
            1e150 * rng.standard_normal((2, 4)),
        ]
        # The last layer sees one row of the second, and nothing else that might hide what it has lost.
        matrices[2][:, 1:] = 0.0
        biases = [np.zeros(4), -1e170 * rng.uniform(0.5, 2.0, 4), 0.8e-130 * matrices[2][:, 0]]
        levels = [Level((i,), (matrices[i],), biases[i], slopes[i]) for i in range(3)]
        check(graph_problem(Graph(tuple(levels)), [0.0, 0.0], np.eye(2), SQUARE), rng, seen, 6, blur=False)
    assert seen["substituted"] > 1, seen


@pytest.mark.parametrize("widest", [3, 30, 150, 300])
@pytest.mark.parametrize("exact", [0, 1])
def test_against_exact_rows_times_a_slope(widest, exact):
    """A row times a slope is off by what its bounds say, where what it is coupled to is as large as its size allows.

    What underflowed couplings stood for is paid for elsewhere (`local.pay_for_couplings`).
    """
    rng, finite = np.random.default_rng([widest, exact]), 0
    for _ in range(amount(600, 200)):
        slope = float(rng.choice([0.01, 3.0, -1.0, 1e-300, 1e200, some_float(rng, 30)]))
        form = np.array([some_float(rng, widest) for _ in range(3)])
        errors = np.abs(form[1:]) * rng.choice([0.0, 2.0**-53, 0.1], 2)
        if exact:  # small whole numbers, whose products are exact
            form, errors, slope = rng.integers(-9, 10, 3).astype(float), np.zeros(2), float(rng.integers(-3, 4)) / 4
        sizes = (np.array([np.abs(form[:2]).sum(), abs(form[2])]) + errors) * (1 + 2.0**-40)
        sizes[sizes > 0] += UNDERFLOW  # as those of rows are that something comes into
        row = np.array([*form, *errors, *sizes])
        with np.errstate(all="ignore"):
            scale_row(row, 0, len(row), slope, exact)
        assert not np.isnan(row[3:]).any()
        if not np.isfinite(row).all():
            continue
        finite += 1
        true = [Fraction(slope) * x for x in exactly(form)]
        lost = [abs(x - y) for x, y in zip(true, exactly(row[:3]), strict=True)]
        for half, parts in ((0, slice(0, 2)), (1, slice(2, 3))):
            error, size = exactly(row[[3 + half, 5 + half]])
            assert sum(lost[parts]) + abs(Fraction(slope)) * Fraction(errors[half]) <= error
            assert abs(Fraction(slope)) * Fraction(sizes[half]) <= size
            assert not exact or error == 0
    assert finite > 50


def test_known_a_denormal_row_times_a_large_slope():
    form, slope = 1234567 * 5e-324, 1e200
    row = np.array([0.0, 0.0, form, 0.0, 0.0, 0.0, form])
    scale_row(row, 0, len(row), slope, 0)
    assert abs(Fraction(slope) * Fraction(form) - Fraction(row[2])) <= Fraction(row[4])


@pytest.mark.parametrize("slope", [0.01, 3.0, -1.0, 1e-300, 1e200])
@pytest.mark.parametrize("weight", [1e-200, 1.0, 1e200])
def test_against_exact_local_networks_of_one_slope(slope, weight):
    """What is substituted with one slope, below one weight: it is scaled, and may underflow or overflow."""
    seen = Counter()
    for number in range(amount(4, 2)):
        rng = np.random.default_rng(number)
        layers = [rng.standard_normal((5, 2)), weight * rng.standard_normal((4, 5)), rng.standard_normal((3, 4))]
        slopes = [np.array([[slope] * n, [1.0] * n]) for n in (5, 4, 3)]
        biases = [rng.standard_normal(5) * 2, np.zeros(4), weight * rng.standard_normal(3)]
        levels = [Level((i,), (layers[i],), biases[i], slopes[i]) for i in range(3)]
        check(graph_problem(Graph(tuple(levels)), [0.0, 0.0], np.eye(2), SQUARE), rng, seen, 6)
    assert seen["rows"], seen
