"""The local network of a cell keeps its contract with the real one, in rationals, wherever a cut is interrupted.

At true points of the true cell: every open row equals the real pre-activation up to its bounds, every neuron that
was dropped has the sign that the pattern says, and relaxations enclose what they bound. What the kernels below
`localise` promise is tested on numbers that no network need have: `write_row`, `combine`, `relax_layer`.
"""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from creases.engine.rows.scan import cell_reach
from creases.engine.rows.switches import scan
from creases.engine.starts.chart import RationalStart
from creases.engine.starts.first_layer import independent_rows
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from creases.engine.state.network_layout import (
    ERROR_W,
    ONE,
    SIZE_W,
)
from creases.engine.state.row_layout import (
    ACTIVE,
    INACTIVE,
    KIND,
    OPEN,
    OPEN_STATUS,
    RADIUS,
    RELAXED,
    START,
    STATUS,
    THRESHOLD,
)
from creases.engine.state.slots import (
    BEST_ROW,
    CORNERS,
    DEPTH,
    HAVE,
    NETWORK,
    SCANNED,
)
from engine_states import FORM, INTERVAL, SQUARE, Cut, copied, found_by_scan, local_network, localised, problem_of
from engine_twins import amount, dot
from networks import KINDS, as_lists, he, table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

POLYGON = np.array([[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]])


def points_of(corners, rng, count):
    """The corners' mean, some corners, and some points between, as rays with last coordinate one."""
    weights = [[1] * len(corners)]
    while len(weights) < count:
        row = rng.integers(0, 2**16, len(corners)) * (rng.random(len(corners)) < 0.5)
        weights.append(row.tolist() if row.any() else [int(i == 0) for i in range(len(corners))])
    return [tuple(dot(row, column) / sum(row) for column in zip(*corners, strict=True)) for row in weights]


def relu(value):
    return max(value, Fraction(0))


def check_scanned(work, seen):
    """If `localise` says that the new lowest rows are scanned, a scan finds what it has left."""
    net, lowest = int(work.state[NETWORK]), local_network(work)[0]
    if not work.state[SCANNED] or lowest == work.state[DEPTH]:
        return
    seen["scanned"] += 1
    rows, corners = len(local_network(work)[1][lowest].ids), int(work.state[CORNERS])
    assert (work.row_ints[STATUS, :rows] == OPEN).all()
    again = copied(work)
    for array in (again.row_reals, again.values_nc, again.row_ints[KIND]):
        array[:] = -77
    reach, corner_error = cell_reach(again)
    scan(again, net, lowest, reach, corner_error)
    same = [(again.row_reals[:rows, :3], work.row_reals[:rows, :3])]
    same += [(array.values_nc[:rows, :corners] for array in (again, work))]
    assert all(np.array_equal(*pair, equal_nan=True) for pair in same)
    assert found_by_scan(again) == found_by_scan(work)
    assert again.state[BEST_ROW] == work.state[BEST_ROW]
    assert (again.row_ints[[STATUS, KIND], :rows] == work.row_ints[[STATUS, KIND], :rows]).all()
    # `localise` is told a reach that covers the true corners: its threshold is the larger one, and decides no sign.
    thresholds = again.row_reals[:rows, THRESHOLD], work.row_reals[:rows, THRESHOLD]
    assert (thresholds[0] == thresholds[1] if corner_error == 0.0 else thresholds[0] <= thresholds[1]).all()


class Checker:
    """Checks a cut between two calls of the kernel, and counts what it has seen happen."""

    def __init__(self, cut, rng, seen):
        self.cut, self.rng, self.seen = cut, rng, seen
        self.before = 0, local_network(cut.work)[1]

    def check(self):
        work = self.cut.work
        if not work.state[HAVE]:
            return
        pattern = self.cut.pattern()
        corners = self.cut.true_corners(self.cut.twin.forms(pattern))
        points = points_of(corners, self.rng, 3)
        values = [self.cut.twin.values(point) for point in points]
        lowest, layers = local_network(work)
        self.look_for_events(lowest, layers)
        statuses = work.row_ints[STATUS].tolist()
        for point, z in zip(points, values, strict=True):
            self.check_rows(lowest, layers, point, z)
            self.check_dropped(lowest, layers, statuses, pattern, z)
        if lowest < int(work.state[DEPTH]):
            self.check_localised(lowest, layers, points, values)

    def check_rows(self, lowest, layers, point, z):
        """|z* - [forms (x, 1) + sum coupling relu(z*)]| <= E_g max|x_c| + E_w and |z*| <= S_g max|x_c| + S_w."""
        reach = max(map(abs, point[:-1]))
        open_below = {}
        for layer, rows in layers.items():
            below = [value for p in range(rows.first, layer) for value in open_below[p]]
            for i, neuron in enumerate(rows.ids):
                true = z[layer][neuron]
                coupling = [column[i] for column in rows.coupling]
                self.seen["rows"] += 1
                # A number that overflowed says nothing.
                if np.isfinite([*rows.forms[i], *rows.errors[i], *coupling]).all():
                    local = dot(map(Fraction, [*rows.forms[i], *coupling]), [*point, *below])
                    error_g, error_w = map(Fraction, rows.errors[i])
                    assert abs(true - local) <= error_g * reach + error_w, (layer, neuron)
                if np.isfinite(rows.sizes[i]).all():
                    size_g, size_w = map(Fraction, rows.sizes[i])
                    assert abs(true) <= size_g * reach + size_w, (layer, neuron)
            open_below[layer] = [relu(z[layer][neuron]) for neuron in rows.ids]

    def check_dropped(self, lowest, layers, statuses, pattern, z):
        """A neuron without an open row has its pattern's sign, up to zeros on the cell's boundary."""
        for layer, bits in enumerate(pattern):
            rows = layers[layer].ids if layer in layers else []
            undecided = [n for i, n in enumerate(rows) if layer > lowest or statuses[i] == OPEN]
            for neuron, on in enumerate(bits):
                if neuron not in undecided:
                    assert z[layer][neuron] >= 0 if on else z[layer][neuron] <= 0, (layer, neuron)

    def check_localised(self, lowest, layers, points, values):
        """A copy of the state, localised here and now, keeps the contract too, and so does all that led to it."""
        work = localised(self.cut.work)
        self.check_relaxed(work, lowest, layers, points, values)
        new_lowest, new_layers = local_network(work)
        pattern, statuses = self.cut.pattern(work), work.row_ints[STATUS].tolist()
        for point, z in zip(points, values, strict=True):
            self.check_rows(new_lowest, new_layers, point, z)
            self.check_dropped(new_lowest, new_layers, statuses, pattern, z)
        check_scanned(work, self.seen)

    def check_relaxed(self, work, lowest, layers, points, values):
        """relu(z*) = linear part (x, 1) up to the radius, and statuses are true signs."""
        axes = FORM[len(points[0])]
        for layer, rows in layers.items():
            at = int(work.layer_ints[layer, START])
            relaxed = work.open_reals[RELAXED : RADIUS + 1, at : at + len(rows.ids)].T
            self.seen["horizon"] += bool(rows.ids) and bool(np.isnan(relaxed).all())  # not looked at
            for i, neuron in enumerate(rows.ids):
                status = int(work.open_ints[OPEN_STATUS, at + i])
                linear, radius = relaxed[i, axes].tolist(), float(relaxed[i, RADIUS])
                for point, z in zip(points, values, strict=True):
                    true = z[layer][neuron]
                    if status == INACTIVE:
                        assert true <= 0
                        assert not any([*linear, radius])
                        self.seen["inactive"] += 1
                        continue
                    assert true >= 0 or status == OPEN
                    self.seen["active"] += status == ACTIVE
                    if np.isfinite([*linear, radius]).all():
                        assert abs(relu(true) - dot(map(Fraction, linear), point)) <= Fraction(radius)
                        self.seen["enclosed"] += 1

    def look_for_events(self, lowest, layers):
        net = int(self.cut.work.state[NETWORK])
        if self.before is not None and net > self.before[0]:
            self.seen["localised"] += 1
            for layer, rows in layers.items():
                old = self.before[1].get(layer)
                if old is None or not rows.ids:
                    continue
                self.seen["shared"] += old.at == rows.at
                self.seen["fewer rows"] += len(rows.ids) < len(old.ids)
                self.seen["substituted"] += layer > 0 and sum(map(sum, rows.errors)) > sum(map(sum, old.errors))
                skipping = sum(len(layers[p].ids) for p in range(rows.first, layer - 1))
                self.seen["skipping"] += any(any(column) for column in rows.coupling[:skipping])
        self.before = net, layers


def check(problem, rng, seen, states, start=None, blur=True):
    """Check up to `states` states of the cut of a problem, some at the beginning and some deep in it."""
    cut = Cut(problem, start)
    if blur and rng.integers(2):
        cut.blur(rng, float(rng.choice([1e-12, 1e-6, 1e-3])))
    checker = Checker(cut, rng, seen)
    for i, _ in enumerate(cut.steps(limit=3 * states)):
        if i < states / 3 or rng.random() < 0.33:
            checker.check()
        else:
            checker.before = None
    return cut


def some_slice(rng, n_in, d):
    basis = rng.standard_normal((d, n_in)) if rng.integers(2) else rng.integers(-4, 5, (d, n_in)) / 4.0
    if np.linalg.matrix_rank(basis) < d:
        basis = np.eye(d, n_in)
    return rng.standard_normal(n_in) * rng.integers(2), basis


def deep_network(rng, n_in, largest):
    """Depth and width up to `largest`."""
    depth, width = rng.integers(2, largest + 1, 2).tolist()
    widths = [int(rng.integers(max(1, width - 3), width + 1)) for _ in range(depth)]
    weights, biases = as_lists(he(rng, n_in, widths=widths, bias=float(rng.choice([0.1, 0.5]))))
    if rng.integers(3) == 0:  # then what is substituted cancels
        biases[1:] = [[0.0] * len(bias) for bias in biases[1:]]
    return weights, biases


def resized(rng, weights, biases):
    """Layers, or single numbers, times powers of two up to 2^1000: products underflow and overflow."""
    if rng.integers(2):
        sizes = rng.choice([-1000, -900, -500, 0, 500, 900, 1000], len(weights)).tolist()
        totals = np.clip(np.cumsum(sizes), -1074, 1020).tolist()
        weights = [np.ldexp(weight, size) for weight, size in zip(weights, sizes, strict=True)]
        biases = [np.ldexp(bias, total) for bias, total in zip(biases, totals, strict=True)]
    else:
        weights, biases = (
            [np.ldexp(part, rng.choice([-1000, -60, -20, 0, 0, 0, 20, 60, 900], np.shape(part))) for part in parts]
            for parts in (weights, biases)
        )
    return [np.clip(part, -1e308, 1e308) for part in weights], [np.clip(part, -1e308, 1e308) for part in biases]


def some_deep_problem(rng, largest, resize):
    d = 1 + int(rng.integers(3) > 0)
    n_in = int(rng.integers(d, 4))
    weights, biases = deep_network(rng, n_in, largest)
    if resize:
        weights, biases = resized(rng, weights, biases)
    origin, basis = some_slice(rng, n_in, d)
    return problem_of(weights, biases, origin, basis, INTERVAL if d == 1 else (SQUARE, POLYGON)[rng.integers(2)])


def test_against_exact_local_networks_of_deep_networks():
    seen = Counter()
    for number in range(amount(40, 30)):
        rng = np.random.default_rng([number, 3])
        check(some_deep_problem(rng, 12, False), rng, seen, 8)
    events = ("localised", "fewer rows", "substituted", "shared", "skipping", "horizon", "active", "inactive")
    assert all(seen[event] >= amount(15, 5) for event in events), seen


def test_against_exact_local_networks_with_numbers_of_any_size():
    seen = Counter()
    for number in range(amount(120, 80)):
        rng = np.random.default_rng([number, 4])
        check(some_deep_problem(rng, 5, True), rng, seen, 5)
    assert all(seen[event] >= amount(20, 10) for event in ("localised", "substituted")), seen


def test_against_exact_local_networks_over_denormal_forms():
    """Forms of 2^-1040 are substituted with couplings of 2^1000: the bound of their rounding must not underflow."""
    seen = Counter()
    for number in range(10):
        rng, d = np.random.default_rng(number), 1 + number % 2
        gradients = rng.integers(-(2**30), 2**30, (4, d)) * 5e-324
        biases = np.array([2.0**33 * 5e-324] * 4)
        above = rng.standard_normal((2, 4)) * 2.0**1000
        vertices = INTERVAL if d == 1 else SQUARE
        check(problem_of([gradients, above], [biases, [0.0, 0.0]], [0.0] * d, np.eye(d), vertices), rng, seen, 6)
    assert seen["substituted"] > 5


def test_against_exact_local_networks_of_rows_that_cancel():
    """Nothing is rounded but the substitution: at the cell's middle, the origin, E_w alone must pay for it."""
    seen = Counter()
    for number in range(30):
        rng, d = np.random.default_rng(number), 1 + number % 2
        weights = [rng.standard_normal((8, d)), rng.standard_normal((6, 8)), rng.standard_normal((4, 6))]
        biases = [3.0 + 10.0 * rng.random(8), np.zeros(6), np.zeros(4)]
        problem = problem_of(weights, biases, [0.0] * d, np.eye(d), INTERVAL if d == 1 else SQUARE)
        check(problem, rng, seen, 4, blur=False)
    assert seen["substituted"] > 10


@pytest.mark.parametrize("shift", [-5e-4, 5e-4])
@pytest.mark.parametrize("turn", [-1.0, 1.0])
def test_known_neuron_that_cuts_only_between_a_corner_and_where_floats_put_it(shift, turn):
    """x = 0 is known up to 5e-4; the layer above is cut at 3e-4, on one side or the other of that corner."""
    zero = 0.6 * shift
    problem = problem_of(
        [[[1.0], [1.0]], [[0.0, turn]]], [[0.0, 2.0], [-turn * (2.0 + zero)]], [0.0], [[1.0]], INTERVAL
    )
    cut = Cut(problem)
    _, layers = local_network(cut.work)
    first_row = layers[0].at
    cut.work.reals[first_row + ONE] -= shift
    cut.work.reals[first_row + ERROR_W] += abs(shift)
    cut.work.reals[first_row + SIZE_W] += 2 * abs(shift)
    assert cut.finish().by_layer.tolist() == [2, 3]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_exact_local_networks_of_every_kind(kind):
    """On a square, and on the cones of the whole plane."""
    seen = Counter()
    for number, (_, weights, biases) in enumerate(table(amount(6, 4), seed=9, n_in=2, kinds=[kind])):
        rng = np.random.default_rng([number, 2])
        problem = problem_of(weights, biases, [0.0, 0.0], np.eye(2), SQUARE)
        check(problem, rng, seen, 8)
        whole = problem._replace(vertices=None)
        if len(independent_rows(whole)) == 2:
            for start in starts(whole, Workshop()):
                if not isinstance(start, RationalStart):
                    check(whole, rng, seen, 4, start)
    assert seen["rows"] > amount(100, 20), seen
