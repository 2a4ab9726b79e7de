"""Local networks of cells in three and four dimensions keep their contract (`engine_contract`): on a cube, a simplex,
and the cones of a whole space, for generic networks, degenerate ones, and numbers of any size."""

from collections import Counter

import numpy as np
import pytest

from creases.engine.starts.chart import RationalStart
from creases.engine.starts.first_layer import independent_rows
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from engine_contract import check
from engine_states import corner_of_space, cube, problem_of
from engine_twins import amount
from networks import KINDS, as_lists, he, table
from test_engine_local import resized

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT


def in_space(rng, d, weights, biases):
    """A network of d inputs on a cube, or a simplex, that lies anywhere."""
    vertices = cube(d) if rng.integers(2) else corner_of_space(d)
    plain = rng.integers(2)
    basis = np.eye(d) if plain else rng.integers(-4, 5, (d, d)) / 4.0 + 3.0 * np.eye(d)
    return problem_of(weights, biases, rng.standard_normal(d) * (1 - plain), basis, vertices)


@pytest.mark.parametrize("d", [3, 4])
def test_against_exact_local_networks_in_space(d):
    seen = Counter()
    for number in range(amount(16, 8)):
        rng = np.random.default_rng([number, d])
        widths = rng.integers(3, 7, int(rng.integers(3, 5))).tolist()
        weights, biases = as_lists(he(rng, d, widths=widths, bias=float(rng.choice([0.1, 0.5]))))
        if number % 3 == 0:  # then what is substituted cancels
            biases[1:] = [[0.0] * len(bias) for bias in biases[1:]]
        if number % 3 == 1:  # what keeps one sign here is above what does not, and is skipped
            biases[1] = [5.0 + 3.0 * bias for bias in biases[1]]
        check(in_space(rng, d, weights, biases), rng, seen, 16 - 2 * d)
    events = ("localised", "fewer rows", "substituted", "skipping", "active", "inactive")
    assert all(seen[event] >= 2 for event in events), seen
    assert seen["finite"] == seen["rows"]  # nothing overflows here


@pytest.mark.parametrize("d", [3, 4])
def test_against_exact_local_networks_in_space_with_numbers_of_any_size(d):
    seen = Counter()
    few = 16 if d == 3 else 6
    for number in range(amount(40, few, few)):
        rng = np.random.default_rng([number, d, 1])
        weights, biases = as_lists(he(rng, d, widths=rng.integers(2, 5, 3).tolist(), bias=0.5))
        check(in_space(rng, d, *resized(rng, weights, biases)), rng, seen, 4)
    assert all(seen[event] >= 3 for event in ("localised", "substituted")), seen
    assert seen["finite"] > 0.5 * seen["rows"]


@pytest.mark.parametrize("d", [3, 4])
def test_against_exact_local_networks_in_space_of_rows_that_cancel(d):
    """Nothing is rounded but the substitution: at the cell's middle, the origin, E_w alone must pay for it."""
    seen = Counter()
    for number in range(amount(12, 5)):
        rng = np.random.default_rng([number, d, 2])
        weights = [rng.standard_normal((6, d)), rng.standard_normal((5, 6)), rng.standard_normal((3, 5))]
        biases = [3.0 + 10.0 * rng.random(6), np.zeros(5), np.zeros(3)]
        check(problem_of(weights, biases, [0.0] * d, np.eye(d), cube(d)), rng, seen, 3, blur=False)
    assert seen["substituted"] > 1, seen


@pytest.mark.parametrize("d", [3, 4])
def test_against_exact_local_networks_in_space_over_denormal_forms(d):
    """Forms of 2^-1040 are substituted with couplings of 2^1000: the bound of their rounding must not underflow."""
    seen = Counter()
    for number in range(amount(10, 4)):
        rng = np.random.default_rng([number, d, 3])
        gradients = rng.integers(-(2**30), 2**30, (4, d)) * 5e-324
        above = rng.standard_normal((2, 4)) * 2.0**1000
        problem = problem_of([gradients, above], [[2.0**33 * 5e-324] * 4, [0.0, 0.0]], [0.0] * d, np.eye(d), cube(d))
        check(problem, rng, seen, 4)
    assert seen["substituted"] > 2, seen


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_exact_local_networks_in_space_of_every_kind(kind):
    """On a cube, and on some cones of the whole space."""
    seen = Counter()
    for number, (_, weights, biases) in enumerate(table(amount(3, 1, 1), seed=5, n_in=3, kinds=[kind])):
        rng = np.random.default_rng([number, 4])
        problem = problem_of(weights, biases, [0.0] * 3, np.eye(3), cube(3))
        check(problem, rng, seen, 4)
        whole = problem._replace(vertices=None)
        if len(independent_rows(whole)) == 3:
            for start in list(starts(whole, Workshop()))[:: amount(1, 3, 3)]:
                if not isinstance(start, RationalStart):
                    check(whole, rng, seen, 2, start)
    assert seen["rows"] > 10, seen
