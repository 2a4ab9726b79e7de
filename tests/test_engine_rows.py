"""Rows of a local network, one at a time: what is written for one, and how it is bounded, in rationals.

`test_engine_local` looks at rows that real networks lead to. Here their numbers are anything, and the true rows are
anything that the bounds allow.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from creases.engine.proof.bounds import UNDERFLOW, gamma
from creases.engine.rows.local import note_active
from creases.engine.rows.relax import combine
from creases.engine.rows.scan import cell_reach
from creases.engine.rows.substitution import write_row
from creases.engine.state.cell_layout import (
    CELL,
    CORNER_ERROR,
)
from creases.engine.state.network_layout import (
    COUPLED,
    ERROR_G,
    ERROR_W,
    ONE,
    SIZE_G,
    SIZE_W,
    X,
    Y,
)
from creases.engine.state.row_layout import (
    ACTIVE,
    ACTIVE_START,
    INACTIVE,
    MOST_G,
    MOST_W,
    OPEN,
    OPEN_ROW,
    OPEN_START,
    OPEN_STATUS,
    RADIUS,
    RELAXED,
    START,
)
from creases.engine.state.slots import (
    CORNERS,
)
from creases.engine.state.work import (
    allocate,
)
from engine_states import FORM, INTERVAL, SQUARE, Cut, block, localised, problem_of
from engine_twins import amount, dot, exactly, some_float

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

UP = 1 + 2.0**-40


def some_number(rng, widest):
    return float(rng.standard_normal()) if widest == 0 else some_float(rng, widest)


def some_part(rng, size):
    """A bound of what a number of this size may have lost: nothing, its rounding, or a large part of it."""
    return 0.0 if rng.integers(3) == 0 else abs(size) * float(rng.choice([2.0**-53, 1e-3, 0.5])) * UP


def absolute(numbers):
    return sum(map(abs, numbers), 0)


# A row written anew.


class Rows:
    """A row over one to three layers of rows that stay, drop out or are substituted, as `write_row` finds them.

    below : for every row q of these layers, in order: (layer, status, form, errors, sizes, couplings to the rows that
    stay). For a row that stays only the sizes matter. form, errors, couplings : the row itself.
    """

    def __init__(self, rng, widest, homogeneous, underflow=False):
        self.rng, self.widest, self.homogeneous, self.underflow = rng, widest, homogeneous, underflow
        depth = int(rng.integers(1, 4))
        self.layer, self.first = depth, int(rng.integers(0, depth + 1)) if rng.integers(4) == 0 else 0
        counts = rng.integers(1, 5, depth).tolist()
        self.work = allocate([*counts, 1], 2, 4)
        self.work.reals[:] = -77.0
        self.at = 1000  # where the row is written; what is read stands before it
        self.below, self.stay, self.new_firsts, self.top = [], [], [], 0
        layers, listed = self.work.layer_ints, 0
        chances = [[0.4, 0.4, 0.2], [0.8, 0.1, 0.1], [0.0, 1.0, 0.0]][rng.integers(3)]
        for layer in range(depth):
            self.new_firsts.append(int(rng.integers(0, layer + 1)))
            shift = layers[self.new_firsts[layer], OPEN_START]
            columns, staying = len(self.stay) - shift, []
            for _ in range(counts[layer]):
                status = int(rng.choice([OPEN, ACTIVE, INACTIVE], p=chances))
                q = len(self.below)
                form, errors, sizes, couplings = self.some_row(self.stay[shift:])
                if underflow and status == OPEN:
                    sizes = (2.0**900, 2.0**900)
                self.below.append((layer, status, form, errors, sizes, couplings))
                if status == OPEN:
                    staying.append(q)
                if status == ACTIVE:
                    place = self.put([*form, *errors, *sizes, *couplings])
                    note_active(self.work, listed, q, place, int(shift), int(columns))
                    listed += 1
            self.stay += staying
            layers[layer + 1, START] = len(self.below)
            layers[layer + 1, OPEN_START], layers[layer + 1, ACTIVE_START] = len(self.stay), listed
            kept = [row[4] for row in self.below if row[0] == layer and row[1] != INACTIVE] or [(0.0, 0.0)]
            self.work.layer_reals[layer, [MOST_G, MOST_W]] = np.max(kept, axis=0)
        self.work.open_ints[OPEN_ROW, : len(self.stay)] = self.stay
        begin = layers[self.first, START]
        self.form, self.errors, _, self.couplings = self.some_row(range(begin, len(self.below)))
        self.source = self.put([*self.form, *self.errors, np.nan, np.nan, *self.couplings])
        self.coupled = self.below[begin:]
        if underflow:  # the row itself sees only what is substituted
            seen = [row[1] == ACTIVE for row in self.coupled]
            self.couplings = [factor * on for factor, on in zip(self.couplings, seen, strict=True)]
            self.work.reals[self.source + COUPLED : self.top] = self.couplings
        substituted = [self.new_firsts[layer] for layer, status, *_ in self.coupled if status == ACTIVE]
        self.new_first = min([self.first, *substituted])
        self.places = self.stay[layers[self.new_first, OPEN_START] :]

    def some_row(self, coupled):
        """(form, errors, sizes, couplings) of a row coupled to these rows."""
        rng = self.rng
        form = [some_number(rng, self.widest) for _ in range(3)]
        couplings = [some_number(rng, self.widest) for _ in coupled]
        errors = [some_part(rng, absolute(form[:2])), some_part(rng, form[2])]
        if self.underflow:  # tiny numbers all around, but for the sizes of what is coupled to
            form, errors = [0.0, 0.0, 0.0], [0.0, 0.0]
            couplings = [float(np.ldexp(rng.uniform(-1, 1), -int(rng.integers(520, 560)))) for _ in coupled]
        if self.homogeneous:
            form[2] = errors[1] = 0.0
        sizes = np.array([absolute(form[:2]) + errors[0], abs(form[2]) + errors[1]])
        with np.errstate(all="ignore"):
            for factor, q in zip(couplings, coupled, strict=True):
                sizes = sizes + abs(factor) * np.array(self.below[q][4])
        sizes = np.where(sizes > 0, sizes * UP + 1e-320, sizes)  # no larger than it must be
        return form, errors, tuple(sizes.tolist()), couplings

    def put(self, numbers):
        place, self.top = self.top, self.top + len(numbers)
        self.work.reals[place : self.top] = numbers
        assert self.top <= self.at
        return place

    def write(self):
        """The row as it is written: (form, errors, sizes, couplings). Nothing else may be."""
        before = self.work.reals.copy()
        write_row(self.work, self.layer, self.first, self.new_first, self.source, self.at)
        end = self.at + COUPLED + len(self.places)
        elsewhere = [np.delete(reals, range(self.at, end)) for reals in (before, self.work.reals)]
        assert np.array_equal(*elsewhere, equal_nan=True)
        row = self.work.reals[self.at : end].tolist()
        return [row[X], row[Y], row[ONE]], [row[ERROR_G], row[ERROR_W]], [row[SIZE_G], row[SIZE_W]], row[COUPLED:]

    def true(self):
        """What it should be: the exact form, the exact couplings by q, and the errors that come in with the rows."""
        form, errors = exactly(self.form), exactly(self.errors)
        couplings = dict.fromkeys(self.places, Fraction(0))
        for factor, q in zip(self.couplings, range(len(self.below) - len(self.coupled), len(self.below)), strict=True):
            layer, status, other, lost, _, others = self.below[q]
            factor = Fraction(factor)
            if status == OPEN:
                couplings[q] += factor
            if status == ACTIVE:
                form = [x + factor * Fraction(y) for x, y in zip(form, other, strict=True)]
                errors = [x + abs(factor) * Fraction(y) for x, y in zip(errors, lost, strict=True)]
                shift = self.work.layer_ints[self.new_firsts[layer], OPEN_START]
                for column, place in zip(others, self.stay[shift:], strict=False):
                    couplings[place] += factor * Fraction(column)
        return form, errors, couplings


@pytest.mark.parametrize(
    ("widest", "homogeneous", "underflow"),
    [(widest, homogeneous, False) for widest in (0, 3, 30, 150, 300) for homogeneous in (False, True)]
    + [(0, False, True)],
)
def test_against_exact_write_row(widest, homogeneous, underflow):
    """|z* - (form (x, 1) + sum coupling relu(z*))| and |z*| are what the row says, for all z* that the rows allow.

    Both are sums over coordinates and over the rows that stay, each of which may be as large as its size and no more.
    """
    rng, finite, substituted, skipping = np.random.default_rng([widest, homogeneous]), 0, 0, 0
    samples = amount(1500, 300)
    for _ in range(samples):
        rows = Rows(rng, widest, homogeneous, underflow)
        with np.errstate(all="ignore"):
            form, errors, sizes, couplings = rows.write()
        if not np.isfinite([*form, *errors, *couplings]).all():
            continue
        finite += 1
        true_form, true_errors, true_couplings = rows.true()
        lost = [abs(x - Fraction(y)) for x, y in zip(true_form, form, strict=True)]
        moved = [abs(true_couplings[q] - Fraction(c)) for q, c in zip(rows.places, couplings, strict=True)]
        for half, parts in ((0, slice(0, 2)), (1, slice(2, 3))):
            below = [rows.below[q][4][half] for q in rows.places]
            if not np.isfinite(below).all():
                continue
            below = exactly(below)
            assert sum(lost[parts]) + dot(moved, below) + true_errors[half] <= Fraction(errors[half])
            if np.isfinite(sizes[half]):
                whole = absolute(exactly(form[parts])) + dot(map(abs, exactly(couplings)), below)
                assert whole + Fraction(errors[half]) <= Fraction(sizes[half])
        if homogeneous:
            assert form[2] == errors[1] == sizes[1] == 0.0  # zero bounds stay zero
        substitutes = any(status == ACTIVE for _, status, *_ in rows.coupled)
        if not substitutes:
            assert (form, errors) == (rows.form, rows.errors)
        substituted += substitutes
        skipping += rows.new_first < rows.first
    assert finite > 0.1 * samples
    assert substituted > 0.05 * samples
    assert skipping > 0


def test_laws_write_row_keeps_what_nothing_comes_into():
    """A row whose couplings to all that is substituted are zero, such as a dead neuron's, stays as exact as it is."""
    rng, substituting = np.random.default_rng(5), 0
    for _ in range(amount(300, 100)):
        rows = Rows(rng, int(rng.choice([0, 30])), False)
        seen = [row[1] != ACTIVE for row in rows.coupled]
        rows.couplings = [factor * on for factor, on in zip(rows.couplings, seen, strict=True)]
        rows.work.reals[rows.source + COUPLED : rows.top] = rows.couplings
        if rng.integers(2):
            rows.form, rows.errors = [0.0] * 3, [0.0] * 2
            rows.work.reals[rows.source : rows.source + 5] = 0.0
        form, errors, _, couplings = rows.write()
        assert (form, errors) == (rows.form, rows.errors)
        assert exactly(couplings) == [rows.true()[2][q] for q in rows.places]
        substituting += not all(seen)
    assert substituting > 20


def test_laws_write_row_is_sharp():
    """On numbers of one size its error is some roundings of theirs."""
    rng = np.random.default_rng(8)
    for _ in range(amount(300, 100)):
        rows = Rows(rng, 0, False)
        _, errors, sizes, _ = rows.write()
        for error, true, size in zip(errors, rows.true()[1], sizes, strict=True):
            assert error - float(true) * (1 + 1e-5) <= 1e-12 * (1 + size + absolute(rows.couplings))


def test_laws_sums_in_any_order_are_within_gamma():
    """`combine` is compiled with leave to add in any order."""
    rng = np.random.default_rng(9)
    for _ in range(amount(400, 100)):
        count, at, begin = (int(rng.integers(n)) for n in (40, 5, 5))
        widest = int(rng.choice([0, 3, 140]))
        work = allocate([50], 2, 4)
        work.reals[:200] = [some_number(rng, widest) for _ in range(200)]
        work.open_reals[RELAXED : RADIUS + 1] = [[some_number(rng, widest) for _ in range(50)] for _ in range(4)]
        work.open_reals[RADIUS] = np.abs(work.open_reals[RADIUS])
        found = combine(work.reals, work.open_reals, at, begin, begin + count)
        factors = exactly(work.reals[at : at + count])
        for c, sum_found in enumerate(found):
            parts = exactly(work.open_reals[RELAXED + c, begin : begin + count])
            true = dot(factors if c < 3 else map(abs, factors), parts)
            size = dot(map(abs, factors), map(abs, parts))
            assert abs(true - Fraction(sum_found)) <= Fraction(gamma(count)) * size + Fraction(UNDERFLOW)
            assert size or sum_found == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_input_sums_in_any_order_hide_nothing(bad):
    work = allocate([20], 2, 4)
    work.reals[:20] = 1.0
    work.open_reals[:] = 1.0
    for place in (0, 3, 16):
        work.reals[place] = bad
        assert not np.isfinite(combine(work.reals, work.open_reals, 0, 0, 17)).any()
        work.reals[place] = 1.0
        work.open_reals[RELAXED + 1, place] = bad
        found = combine(work.reals, work.open_reals, 0, 0, 17)
        assert not np.isfinite(found[1])
        assert (found[0], found[2], found[3]) == (17.0, 17.0, 17.0)
        work.open_reals[RELAXED + 1, place] = 1.0


# Bounds over a cell.


class Bounded:
    """A network whose rows are known only up to bounds, on a cell whose corners are known only up to theirs."""

    def __init__(self, rng, d, widest):
        widths, steady = rng.integers(1, 12, int(rng.integers(2, 5))).tolist(), rng.integers(2)
        weights, biases = [], []
        for columns, rows in itertools.pairwise([d, *widths]):
            weights.append(np.array([[some_number(rng, widest) for _ in range(columns)] for _ in range(rows)]))
            biases.append(np.array([some_number(rng, widest) for _ in range(rows)]))
            if steady:  # so that most of the layer keeps one sign
                biases[-1] += rng.choice([-4.0, 4.0], rows) * np.abs(weights[-1]).sum(axis=1)
        vertices = SQUARE if d == 2 else INTERVAL
        self.d, self.cut = d, Cut(problem_of(weights, biases, [0.0] * d, np.eye(d), vertices))
        self.rng = rng
        self.blur()
        self.move()

    def blur(self):
        """Errors of any size in every row, and sizes that are true for them."""
        below = np.zeros((0, 2))
        with np.errstate(all="ignore"):
            for layer in range(len(self.cut.problem.widths)):
                rows = block(self.cut.work, 0, layer)
                form = rows[:, [X, Y, ONE]]
                lost = np.abs(form) * self.rng.choice([0.0, 2.0**-53, 1e-6, 0.1], form.shape) * UP
                rows[:, ERROR_G], rows[:, ERROR_W] = lost[:, 0] + lost[:, 1], lost[:, 2]
                sizes = np.column_stack([np.abs(form[:, :2]).sum(axis=1), np.abs(form[:, 2])])
                sizes = sizes + rows[:, [ERROR_G, ERROR_W]] + np.abs(rows[:, COUPLED:]) @ below
                below = sizes * UP + 1e-300
                rows[:, [SIZE_G, SIZE_W]] = below

    def move(self):
        """A small or large cell, somewhere in the square; the errors of its corners."""
        work, corners = self.cut.work, int(self.cut.work.state[CORNERS])
        size, error = self.rng.choice([1.0, 0.1, 1e-3]), self.rng.choice([0.0, 1e-16, 1e-3])
        places = [X, Y][: self.d]
        middle = self.rng.uniform(-1, 1, self.d) * (1 - size)
        work.cell_reals[CELL, :corners, places] = (middle + size * work.cell_reals[CELL, :corners, : self.d]).T
        work.cell_reals[CELL, :corners, CORNER_ERROR] = error
        self.corners = exactly(work.cell_reals[CELL, :corners, : self.d])
        self.error = Fraction(float(error))

    def points(self, count):
        """Points of true cells: corners as far off as they may be, and points between them."""
        for _ in range(count):
            moved = [[x + self.error * int(self.rng.integers(-1, 2)) for x in corner] for corner in self.corners]
            weights = self.rng.integers(0, 3, len(moved)).tolist() if self.rng.integers(2) else [0] * len(moved)
            if not any(weights):
                weights[self.rng.integers(len(moved))] = 1
            yield [dot(weights, column) / sum(weights) for column in zip(*moved, strict=True)] + [Fraction(1)]

    def ranges(self, point):
        """For each layer the (lowest, highest) that each true pre-activation can be at a point."""
        reach, below, result = max(map(abs, point[:-1])), [], []
        for layer in range(len(self.cut.problem.widths)):
            ends = []
            for row in block(self.cut.work, 0, layer):
                form, couplings = exactly(row[FORM[self.d + 1]]), exactly(row[COUPLED:])
                middle = dot(form, point)
                error = Fraction(float(row[ERROR_G])) * reach + Fraction(float(row[ERROR_W]))
                low = dot(couplings, [a if c > 0 else b for c, (a, b) in zip(couplings, below, strict=True)])
                high = dot(couplings, [b if c > 0 else a for c, (a, b) in zip(couplings, below, strict=True)])
                ends.append((middle + low - error, middle + high + error))
            result.append(ends)
            below = [(max(low, Fraction(0)), max(high, Fraction(0))) for low, high in ends]
        return result


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("widest", [0, 3, 30, 150])
def test_against_exact_relaxations_of_rows_at_the_ends_of_their_bounds(widest, d):
    """Whatever the rows are within their bounds: a status is their true sign, and relu is within the relaxation."""
    rng, seen = np.random.default_rng([widest, d]), {OPEN: 0, ACTIVE: 0, INACTIVE: 0, "sharp": 0, "above": 0}
    for _ in range(amount(150, 40)):
        cell = Bounded(rng, d, widest)
        if not np.isfinite(cell.cut.work.reals).all():
            continue
        work = localised(cell.cut.work)
        for point in cell.points(4):
            for layer, ends in enumerate(cell.ranges(point)):
                start = int(work.layer_ints[layer, START])
                for q, (low, high) in enumerate(ends, start):
                    status = int(work.open_ints[OPEN_STATUS, q])
                    assert status != ACTIVE or low >= 0
                    assert status != INACTIVE or high <= 0
                    seen[status] += 1
                    if status == INACTIVE:
                        continue
                    relaxed = work.open_reals[RELAXED : RADIUS + 1, q]
                    if np.isfinite(relaxed).all():
                        *linear, radius = exactly(relaxed)
                        middle = dot([linear[c] for c in FORM[d + 1]], point)
                        for end in (low, high):
                            assert abs(max(end, Fraction(0)) - middle) <= radius
                        seen["sharp"] += radius < 2 * (high - low) + 1
                        seen["above"] += layer > 1
    assert min(seen.values()) > 20, seen


def test_laws_relaxations_prove_what_is_plain():
    """In a small cell most rows of generic networks are stable, and are found to be."""
    stable = rows = 0
    for seed in range(amount(40, 10)):
        rng = np.random.default_rng(seed)
        widths = [2, 12, 12, 12]
        weights = [rng.standard_normal((n, m)) * (2 / m) ** 0.5 for m, n in itertools.pairwise(widths)]
        cut = Cut(problem_of(weights, [0.1 * rng.standard_normal(12) for _ in weights], [0.0, 0.0], np.eye(2), SQUARE))
        cut.work.cell_reals[CELL, :4, :2] *= 1e-3
        cut.work.cell_reals[CELL, :4, :2] += rng.uniform(-0.9, 0.9, 2)
        assert cell_reach(cut.work)[1] == 0.0
        work = localised(cut.work)
        stable += int((work.open_ints[OPEN_STATUS] != OPEN).sum())
        rows += 36
    assert stable > 0.9 * rows
