"""The local network of a cell keeps its contract with the real one, in rationals, wherever a cut is interrupted.

At true points of the true cell: every open row equals the real pre-activation up to its bounds, every neuron that
was dropped has the sign that the pattern says, and relaxations enclose what they bound. What the kernels below
`localise` promise is tested on numbers that no network need have: `write_row`, `combine`, `relax_layer`.
"""

from collections import Counter

import numpy as np
import pytest

from creases.engine.starts.chart import RationalStart
from creases.engine.starts.first_layer import independent_rows
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from creases.engine.state.network_layout import (
    ERROR_W,
    ONE,
    SIZE_W,
)
from engine_contract import check
from engine_states import INTERVAL, SQUARE, Cut, local_network, problem_of
from engine_twins import amount
from networks import KINDS, as_lists, he, table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

POLYGON = np.array([[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]])


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
