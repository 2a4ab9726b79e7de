"""Double-double arithmetic (`proof.doubled`) against fractions: what it calls exact is, what it bounds it bounds."""

from fractions import Fraction
from itertools import product
from math import isfinite

import numpy as np
import pytest

from creases.engine.graph import Graph, Level, relu_slopes
from creases.engine.problem import Problem
from creases.engine.proof.doubled import (
    DoubledForms,
    add,
    doubled,
    edge_sign,
    multiply,
    multiply_rows,
    sign_at_corner,
    two_product,
    two_sum,
)
from creases.engine.proof.signs import NEGATIVE, POSITIVE, UNPROVED
from engine_twins import TwinNetwork, amount, determinant, exactly, opposite, sign, some_float
from networks import table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

TINIEST = Fraction(2) ** -1074


def parts_sum(parts):
    return sum(Fraction(part) for part in parts)


def some_double_double(rng, widest=150):
    """A number with about 106 digits as hi + lo, lo at most half a unit in the last place of hi."""
    hi = some_float(rng, widest)
    return hi, hi * float(rng.uniform(-1, 1)) * 2.0**-54 if rng.integers(4) else 0.0


# The exact operations.


@pytest.mark.parametrize("widest", [3, 30, 300])
def test_against_exact_two_sum(widest):
    rng = np.random.default_rng(widest)
    for _ in range(amount(3000, 1000)):
        a = some_float(rng, widest)
        b = -a * float(rng.uniform(0.9, 1.1)) if rng.integers(3) == 0 else some_float(rng, widest)
        hi, lo = two_sum(a, b)
        assert hi == a + b
        assert Fraction(hi) + Fraction(lo) == Fraction(a) + Fraction(b)


def test_known_two_sum_that_overflows_is_not_a_number():
    largest = np.finfo(float).max
    for a, b in ((largest, largest), (-largest, -largest), (largest, largest / 2)):
        assert not all(map(isfinite, two_sum(float(a), float(b))))
    # Here only an intermediate result could overflow.
    hi, lo = two_sum(float(largest), -float(largest) / 3)
    assert Fraction(hi) + Fraction(lo) == Fraction(float(largest)) - Fraction(float(largest) / 3)


@pytest.mark.parametrize("widest", [3, 30, 140, 300])
def test_against_exact_two_product(widest):
    """Exact; where it underflows, wrong by some of the tiniest numbers; where it overflows, not a number."""
    rng, exact = np.random.default_rng(widest), 0
    samples = amount(3000, 1000)
    for _ in range(samples):
        a, b = some_float(rng, widest), some_float(rng, widest)
        parts = two_product(a, b)
        true = Fraction(a) * Fraction(b)
        if not all(map(isfinite, parts)):
            assert max(abs(true), abs(a), abs(b)) > Fraction(2) ** 990
        elif abs(true) > Fraction(2) ** -960 or true == 0:
            exact += 1
            assert parts_sum(parts) == true
        else:
            assert abs(parts_sum(parts) - true) <= 8 * TINIEST
    assert exact > samples / 2


# Sums and products of double-doubles.


def test_against_exact_add_and_multiply():
    rng = np.random.default_rng(3)
    for _ in range(amount(3000, 1000)):
        a, b = some_double_double(rng, 100), some_double_double(rng, 100)
        if rng.integers(3) == 0:
            b = (-a[0], some_double_double(rng, 1)[1] * a[0] * 2.0**-30)
        for operation, true, units in (
            (add, parts_sum(a) + parts_sum(b), 104),
            (multiply, parts_sum(a) * parts_sum(b), 102),
        ):
            hi, lo = operation(*a, *b)
            assert abs(Fraction(hi) + Fraction(lo) - true) <= abs(true) / 2**units + 16 * TINIEST
            assert hi == hi + lo  # again a double-double


@pytest.mark.parametrize("widest", [2, 30, 140])
def test_against_exact_multiply_rows(widest):
    """The bounds hold for every true input that its own bounds allow."""
    rng = np.random.default_rng(widest)
    for _ in range(amount(60, 20)):
        n, m, k = rng.integers(1, 6, 3).tolist()
        weight = np.array([[some_float(rng, widest) for _ in range(m)] for _ in range(n)])
        hi, lo = np.array([[some_double_double(rng, widest) for _ in range(k)] for _ in range(m)]).transpose(2, 0, 1)
        error = np.abs(hi) * rng.choice([0.0, 2.0**-100, 2.0**-90], hi.shape)
        if rng.integers(2):
            hi[rng.integers(m)] = lo[rng.integers(m)] = error[rng.integers(m)] = 0.0
            lo[hi == 0.0] = 0.0
        start = np.array([[some_float(rng, widest) for _ in range(k)] for _ in range(n)]) * rng.integers(2)
        result = start.copy(), np.zeros_like(start), np.zeros_like(start)
        multiply_rows(weight, *map(np.ascontiguousarray, (hi, lo, error)), *result)
        ends = rng.choice([-1, 0, 1], error.shape)
        for i, c in product(range(n), range(k)):
            true = Fraction(start[i, c])
            for j in range(m):
                x = Fraction(hi[j, c]) + Fraction(lo[j, c]) + int(ends[j, c]) * Fraction(error[j, c])
                true += Fraction(weight[i, j]) * x
            found = [float(part[i, c]) for part in result]
            if all(map(isfinite, found)):
                assert abs(parts_sum(found[:2]) - true) <= Fraction(found[2])
            else:
                assert widest > 100


def test_against_exact_doubled():
    rng = np.random.default_rng(6)
    values = [Fraction(int(a), int(b)) for a, b in rng.integers(1, 2**62, (200, 2))]
    values += [Fraction(some_float(rng)) / 3 for _ in range(200)]
    values += [Fraction(some_float(rng, 30)) + Fraction(some_float(rng, 30)) / 2**60 for _ in range(200)]
    values += [Fraction(0), Fraction(1, 10**330), Fraction(1, 3 * 10**320), Fraction(-(10**300), 3)]
    hi, lo, error = doubled(values)
    for value, near, rest, bound in zip(values, hi.tolist(), lo.tolist(), error.tolist(), strict=True):
        lost = abs(value - Fraction(near) - Fraction(rest))
        assert near == float(value)
        assert lost <= Fraction(bound)
        assert (bound == 0.0) == (lost == 0)
        if abs(value) > Fraction(1, 10**250):
            assert bound <= abs(value) * Fraction(1, 2**105)


# Signs.


def some_entry(rng):
    return Fraction(int(rng.integers(-(2**50), 2**50)), int(rng.integers(1, 2**40)) * 2 + 1)


def nearly_singular(rng, d, relative):
    """Rows of which the last is a combination of the others, up to about this relative size; exact if it is zero."""
    rows = [[some_entry(rng) for _ in range(d + 1)] for _ in range(d)]
    if d == 2 and determinant([*rows, [0, 0, 1]]) < 0:
        rows[1] = list(opposite(rows[1]))
    factors = [Fraction(int(rng.integers(-5, 6)), 3) or Fraction(1) for _ in rows]
    last = [sum(f * x for f, x in zip(factors, column, strict=True)) for column in zip(*rows, strict=True)]
    tiny = Fraction(10) ** relative if relative is not None else Fraction(0)
    return [*rows, [x + tiny * some_entry(rng) for x in last]]


def true_sign(rows):
    if len(rows) == 3:
        return sign(determinant(rows))
    (f0, f1), (h0, h1) = rows
    return sign((h1 * f0 - h0 * f1) / f0)


def relative_size(rows):
    """|determinant| over the sum of its terms' absolute values."""
    if len(rows) == 2:
        (f0, f1), (h0, h1) = rows
        return abs(h1 * f0 - h0 * f1) / (abs(h1 * f0) + abs(h0 * f1))
    terms = [abs(rows[0][i] * rows[1][j] * rows[2][3 - i - j]) for i, j in product(range(3), repeat=2) if i != j]
    return abs(determinant(rows)) / sum(terms)


def stacked(rows):
    return [np.ascontiguousarray(np.vstack(part)) for part in zip(*map(doubled, rows), strict=True)]


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("relative", [0, -10, -16, -20, -23, -25, -27, -28, -29, -31, -33, None])
def test_against_exact_sign_at_corner(d, relative):
    """Never wrong, never a guess; mostly proved where the determinant is above 1e-25 of its terms."""
    rng = np.random.default_rng([d, abs(relative or 99)])
    asked = proved = 0
    for _ in range(amount(100, 50)):
        rows = nearly_singular(rng, d, relative)
        found, true = sign_at_corner(*stacked(rows)), true_sign(rows)
        assert found in (true, UNPROVED)
        if true == 0:
            assert found == UNPROVED
        elif relative_size(rows) > Fraction(1, 10**25):
            asked += 1
            proved += found != UNPROVED
    if relative is None:
        assert asked == 0
    elif relative >= -23:
        assert asked > 40
    assert proved >= 0.98 * asked


@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_sign_at_corner_with_errors(d):
    """Whatever sign is proved holds for all rows within the bounds of the entries."""
    rng, proved = np.random.default_rng(d), 0
    for _ in range(amount(400, 150)):
        hi, lo, error = stacked(nearly_singular(rng, d, int(rng.integers(-24, -3))))
        row = int(rng.integers(d + 1))
        error[row] += np.abs(hi[row]) * 10.0 ** float(rng.integers(-26, -4))
        found = sign_at_corner(hi, lo, error)
        if found == UNPROVED:
            continue
        proved += 1
        near = [[Fraction(a) + Fraction(b) for a, b in zip(*parts, strict=True)] for parts in zip(hi, lo, strict=True)]
        for ends in product((-1, 0, 1), repeat=d + 1):  # the determinant is linear in this row: its ends decide
            true = [list(values) for values in near]
            true[row] = [x + s * Fraction(e) for x, s, e in zip(near[row], ends, error[row].tolist(), strict=True)]
            assert true_sign(true) == found
    assert proved > 40


def sign_of_edges(rows):
    *edges, row = map(doubled, rows)
    return edge_sign(edges, row)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("widest", [30, 90, 160, 300])
def test_against_exact_edge_sign_of_any_size(d, widest):
    """Rows and entries of very different sizes: products underflow and overflow."""
    rng, proved = np.random.default_rng([d, widest]), 0
    samples = amount(400, 200)
    for _ in range(samples):
        rows = exactly([[some_float(rng, widest) for _ in range(d + 1)] for _ in range(d + 1)])
        if (d == 1 and rows[0][0] != 0) or (d == 2 and determinant([*rows[:2], [0, 0, 1]]) > 0):
            found = sign_of_edges(rows)
            assert found in (true_sign(rows), UNPROVED), rows
            proved += found != UNPROVED
    assert proved > samples / 10


def test_against_exact_edge_sign_with_products_that_underflow():
    """f0 g1 underflows, and f0 g1 h2 is the largest term."""
    rows = exactly([[1e-170, 1e-100, 0.0], [0.0, 1e-170, 1e-100], [-1e150, 0.0, 1e300]])
    assert true_sign(rows) == 1
    assert sign_of_edges(rows) in (POSITIVE, UNPROVED)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_input_sign_at_corner_proves_nothing(d, bad):
    good = stacked([[1, 2, 3], [-1, 5, 2], [2, 0, 7]] if d == 2 else [[3, 1], [1, 2]])
    assert sign_at_corner(*good) == POSITIVE
    assert sign_at_corner(good[0] * np.array([*[[1.0]] * d, [-1.0]]), *good[1:]) == NEGATIVE
    for row, column in product(range(d + 1), repeat=2):
        hi, lo, error = (part.copy() for part in good)
        hi[row, column] = bad
        assert sign_at_corner(hi, lo, error) == UNPROVED
        error[row, column], hi[row, column] = abs(bad), 1.0
        assert sign_at_corner(hi, lo, error) == UNPROVED


# Forms of networks.


def test_against_exact_doubled_forms():
    """hi + lo is the true form up to its bound, on slices that need their tails, for every kind of network."""
    sharp = asked = 0
    for i, (name, weights, biases) in enumerate(table(amount(60, 20), seed=5, n_in=3)):
        rng = np.random.default_rng(i)
        d = 1 + i % 2
        origin, ends = rng.standard_normal(3), rng.standard_normal((d, 3))
        basis = ends - origin
        back = basis - ends
        tail = (ends - (basis - back)) - (origin + back)
        if i % 4 == 3:  # a tail as a user may give it, no smaller than the head
            tail = rng.standard_normal((d, 3))
        chart = np.vstack([rng.standard_normal((d, d + 1)), [[*[-1.0] * d, 1.0]]])
        arrays = [np.array(weight) for weight in weights], [np.array(bias) for bias in biases]
        problem = Problem(Graph.chain(arrays[0], arrays[1]), origin, basis, tail, None)
        pattern = [rng.integers(0, 2, len(bias)).astype(bool) for bias in biases]
        truth = TwinNetwork(weights, biases, origin, basis, tail, chart).forms(pattern)
        forms = DoubledForms(problem, chart)
        for layer, rows in enumerate(truth):
            found = forms.forms(layer, pattern)
            for true, *parts in zip(rows, *found, strict=True):
                for value, hi, lo, error in zip(true, *map(np.ndarray.tolist, parts), strict=True):
                    if all(map(isfinite, (hi, lo, error))):
                        assert abs(value - Fraction(hi) - Fraction(lo)) <= Fraction(error), name
                        asked += 1
                        sharp += error <= 1e-26 * max(map(abs, true))
                    else:
                        assert name.startswith("extreme")
    assert sharp > 0.8 * asked


def test_against_exact_doubled_forms_that_are_divided():
    """Quotients by whole numbers of up to 53 bits: hi + lo is true up to its bound, which is some 1e-30 of it."""
    rng = np.random.default_rng(3)
    for _ in range(amount(20, 5)):
        weight, bias = rng.standard_normal((4, 2)), rng.standard_normal(4)
        divisors = np.array([3, 2**53 - 1, 3602879701896397, int(rng.integers(2, 2**53))])
        levels = (
            Level((0,), (weight,), bias, divisors=divisors),
            Level((1,), (np.eye(4),), np.zeros(4), relu_slopes(4)),
        )
        problem = Problem(Graph(levels), np.zeros(2), np.eye(2), np.zeros((2, 2)), None)
        found = DoubledForms(problem, np.eye(3)).forms(0, [])
        rows = np.column_stack([weight, bias]).tolist()
        for row, divisor, *parts in zip(rows, divisors.tolist(), *map(np.ndarray.tolist, found), strict=True):
            for entry, hi, lo, error in zip(row, *parts, strict=True):
                true = Fraction(entry) / divisor
                assert abs(true - Fraction(hi) - Fraction(lo)) <= Fraction(error) <= abs(true) / 10**28
