"""One cell at a time: `scan`, `plane` and `line` against their twins in fractions.

Rows are true forms that floats hold only nearly; the cells are cut several times, so that their corners, too, are
known only up to their errors. What the engine proves must be true of the true rows and corners.
"""

from fractions import Fraction

import numpy as np
import pytest

from creases.engine.chart import bounded_start
from creases.engine.line import UNPROVED_ZEROS, count_zeros, cut_interval
from creases.engine.plane import INFINITY_WALL, UNPROVED_CHORDS, count_chords, cut_polygon, pieces_at_infinity
from creases.engine.scan import CROSSING, CROSSING_UNPROVED, UNKNOWN, proved_sign, sign_at
from creases.engine.signs import UNPROVED
from creases.engine.start import starts
from creases.engine.work import (
    ACTIVE,
    CELL,
    CHILD,
    CHORD_END,
    CHORD_HIGH,
    CHORD_LOW,
    CORNERS,
    INACTIVE,
    KIND,
    OPEN,
    STATUS,
)
from engine_states import INTERVAL, SQUARE, Cell, TwinNetwork, one_layer
from engine_twins import amount, clip, dot, opposite, pieces

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

ROWS = 8
POLYGON = np.array([[-1.0, -1.0], [2.0, -0.5], [0.5, 1.5], [-1.0, 1.0]])


def some_rational(rng):
    return Fraction(int(rng.integers(-(10**9), 10**9)), int(rng.integers(10**8, 10**9)))


def some_form(rng, cell, nearness=None):
    """A true form: whole numbers, thirds, or one through a corner of the cell or a point inside, missed by a little."""
    d = len(cell.corners[0][0]) - 1
    kind = rng.integers(5)
    if kind == 0:
        return [Fraction(int(x)) for x in rng.integers(-2, 3, d + 1)]
    form = [some_rational(rng) for _ in range(d + 1)]
    if kind < 3:
        corner = cell.corners[rng.integers(len(cell.corners))][0]
        miss = nearness if nearness is not None else Fraction(10) ** -int(rng.integers(10, 19))
        form[-1] = miss * int(rng.integers(-1, 2)) - dot(form[:-1], corner[:-1])
    return form


def check_scan(cell, counts):
    """Whatever a scan proved holds for the true signs at the true corners; returns the kinds of the open rows."""
    found = cell.work.row_ints[:, : len(cell.rows)].tolist()
    kinds = []
    for i, (status, kind) in enumerate(zip(found[STATUS], found[KIND], strict=True)):
        signs = cell.signs(i)
        above, below = 1 in signs, -1 in signs
        if status == ACTIVE:
            assert above
            assert not below
        elif status == INACTIVE:
            assert not above
        else:
            kinds.append(kind)
            assert kind == UNKNOWN or (above and below)
            proved = [sign_at(cell.work, i, v) for v in range(len(signs))]
            assert all(p in (s, UNPROVED) for p, s in zip(proved, signs, strict=True))
            assert (UNPROVED in proved) == (kind != CROSSING)
            if kind == CROSSING:
                assert [proved_sign(cell.work, i, v) for v in range(len(signs))] == signs
    assert counts == tuple(kinds.count(kind) for kind in (CROSSING, CROSSING_UNPROVED, UNKNOWN))
    return kinds


def crossing_rows(cell):
    statuses, kinds = cell.work.row_ints[[STATUS, KIND], : len(cell.rows)].tolist()
    return [i for i in range(len(cell.rows)) if statuses[i] == OPEN and kinds[i] == CROSSING]


def check_child(cell, count, corners, which=CHILD):
    """The cell that was written is the true one: as many corners, near the true ones, the same edges in order."""
    assert count == len(corners)
    for v, (corner, (_, name)) in enumerate(corners):
        *place, error = cell.work.cell_reals[which, v, : len(corner)].tolist()
        assert int(cell.work.cell_ints[which, v, 0]) == name
        if error < np.inf:
            assert max(abs(Fraction(x) - y) for x, y in zip(place, corner, strict=False)) <= Fraction(error)


def clip_interval(corners, form, name):
    """The part of an interval where a crossing form is positive."""
    (low, at_low), (high, at_high) = corners
    zero = ((-form[1] / form[0], Fraction(1)), (form, name))
    return [zero, (high, at_high)] if dot(form, high) > 0 else [(low, at_low), zero]


def go_on(cell, rng, row):
    """Cut both parts of the cell by a row, check them, and go on with one."""
    d, name = len(cell.corners[0][0]) - 1, cell.names[row]
    parts = []
    for side in (1.0, -1.0):
        form = cell.rows[row] if side > 0 else opposite(cell.rows[row])
        true = (clip if d == 2 else clip_interval)(cell.corners, form, name)
        count = (cut_polygon if d == 2 else cut_interval)(cell.work, 0, 0, row, side)
        check_child(cell, count, true)
        at = [edge_name for _, (_, edge_name) in true].index(name)
        edge = cell.work.cell_reals[CHILD, at, d + 1 :].tolist()
        assert edge[: d + 1] == [side * x for x in cell.near[row]]
        parts.append((side, true))
    side, true = parts[rng.integers(2)]
    count = (cut_polygon if d == 2 else cut_interval)(cell.work, 0, 0, row, side)
    cell.take_child(count, true)


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, INTERVAL], ids=["square", "polygon", "interval"])
def test_against_exact_scan_and_cut(vertices):
    """Cells cut up to six times by rows that are set anew each time; unproved signs are answered half of the time."""
    rng = np.random.default_rng(len(vertices))
    start, zeros, unproved, rows = bounded_start(vertices), 0, 0, 0
    for _ in range(amount(60, 40)):
        cell = Cell(ROWS, start, noise=float(rng.choice([0.0, 0.0, 1e-12, 1e-4])), rng=rng)
        for _ in range(6):
            for i in range(ROWS):
                cell.set_row(i, some_form(rng, cell))
            kinds = check_scan(cell, cell.look())
            rows += ROWS
            unproved += len(kinds) - kinds.count(CROSSING)
            if rng.integers(2):
                kinds = check_scan(cell, cell.answer_asked())
                assert set(kinds) <= {CROSSING}
            choice = crossing_rows(cell)
            if not choice:
                break
            # Lines through a corner first: they are the rare ones.
            row = max(choice, key=lambda i: (0 in cell.signs(i), rng.random()))
            zeros += 0 in cell.signs(row)
            go_on(cell, rng, row)
    assert 0.05 * rows < unproved < 0.6 * rows
    assert zeros > 10 or len(vertices) == 2


def test_laws_generic_rows_are_proved():
    rng, unproved = np.random.default_rng(4), 0
    for _ in range(30):
        cell = Cell(ROWS, bounded_start(SQUARE))
        for i in range(ROWS):
            cell.set_row(i, [some_rational(rng) for _ in range(3)])
        unproved += sum(cell.look()[1:])
    assert unproved == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(3))
def test_bad_input_a_form_that_overflowed_has_no_sign(bad, place):
    cell = Cell(1, bounded_start(SQUARE))
    for others in ([1.0, 0.5, 3.0], [0.0, 0.0, 0.0]):
        cell.set_row(0, others)
        cell.work.reals[place] = bad  # the root's first block: forms_kn with one row
        assert cell.look() == (0, 0, 1)
        assert cell.work.row_ints[STATUS, 0] == OPEN
        assert [sign_at(cell.work, 0, v) for v in range(4)] == [UNPROVED] * 4


def test_bad_input_a_value_that_overflows_has_no_sign():
    """At (1 + 2^-52, 1), h is next to nothing, but its first product overflows."""
    largest = float(np.finfo(float).max)
    cell = Cell(1, bounded_start(SQUARE))
    cell.set_row(0, [largest, 0.0, -largest])
    cell.work.cell_reals[CELL, :, 0] *= 1 + 2.0**-52
    counts = cell.look()
    assert counts == (0, 0, 1)
    assert sign_at(cell.work, 0, 1) == UNPROVED


# Chords and zeros.


def some_cell(rng, vertices, noise=0.0):
    """A cell that has been cut a few times by generic lines."""
    cell = Cell(ROWS, bounded_start(vertices), noise=noise, rng=rng)
    for _ in range(int(rng.integers(0, 4))):
        for i in range(ROWS):
            cell.set_row(i, some_form(rng, cell, Fraction(1, 10**3)))
        cell.look()
        if crossing_rows(cell):
            go_on(cell, rng, crossing_rows(cell)[0])
    return cell


def inner_point(cell, rng):
    weights = rng.integers(1, 1000, len(cell.corners)).tolist()
    return [dot(weights, column) / sum(weights) for column in zip(*(c for c, _ in cell.corners), strict=True)]


def through(rng, point, miss):
    form = [some_rational(rng) for _ in point]
    form[-1] = miss * int(rng.integers(-1, 2)) - dot(form[:-1], point[:-1])
    return form


def boundary_point(cell, rng):
    i = int(rng.integers(len(cell.corners)))
    (p, _), (q, _) = cell.corners[i - 1], cell.corners[i]
    t = Fraction(int(rng.integers(1, 100)), 101)
    return [t * x + (1 - t) * y for x, y in zip(p, q, strict=True)]


def check_places(cell, rows):
    """Where a row crosses an edge lies in the interval that was used to put it in order."""
    corners, ends = [corner for corner, _ in cell.corners], 2 if len(cell.corners[0][0]) == 3 else 1
    for q, row in enumerate(rows):
        for end in range(ends):
            v = int(cell.work.chord_ints[q, CHORD_END + end]) if ends == 2 else 0
            here, there = (abs(dot(row, corners[i % len(corners)])) for i in (v, v + 1))
            low, high = cell.work.chord_reals[q, [CHORD_LOW + end, CHORD_HIGH + end]].tolist()
            assert Fraction(low) <= here / (here + there) <= Fraction(high)


def check_count(cell):
    """The count of chords or zeros, if there is one, is that of the pieces by brute force; returns it."""
    flat = len(cell.corners[0][0]) == 2
    counts = cell.look()
    check_scan(cell, counts)
    if counts[1] + counts[2]:
        return None
    rows = [row for i, row in enumerate(cell.rows) if cell.work.row_ints[STATUS, i] == OPEN]
    found, infinite = (count_zeros if flat else count_chords)(cell.work, 0, 0)
    assert infinite == 0
    if found in (UNPROVED_CHORDS, UNPROVED_ZEROS):
        return None
    check_places(cell, rows)
    true = 1 + len({row[1] / row[0] for row in rows}) if flat else len(pieces(cell.corners, rows))
    assert found == true
    return found


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, INTERVAL], ids=["square", "polygon", "interval"])
def test_against_exact_counts_of_generic_rows(vertices):
    rng, proved, samples = np.random.default_rng(1), 0, amount(60, 40)
    for _ in range(samples):
        cell = some_cell(rng, vertices, float(rng.choice([0.0, 1e-12, 1e-6])))
        for i in range(ROWS):
            cell.set_row(i, through(rng, inner_point(cell, rng), 0))
        proved += check_count(cell) is not None
    assert proved > 0.9 * samples


@pytest.mark.parametrize("digits", [0, 3, 9, 12, 13, 14, 15, 16, 17, 20])
def test_against_exact_count_chords_that_nearly_meet(digits):
    """Three lines and more nearly through one point, inside or on an edge: refused, or right."""
    rng, proved, samples = np.random.default_rng(digits), 0, amount(40, 30)
    miss = Fraction(1, 10**digits) if digits else Fraction(0)
    for sample in range(samples):
        cell = some_cell(rng, (SQUARE, POLYGON)[sample % 2], float(miss) * float(rng.choice([0.0, 0.01, 1.0])))
        point = (inner_point if sample % 3 else boundary_point)(cell, rng)
        for i in range(ROWS):
            near = i < int(rng.integers(2, 6))
            cell.set_row(i, through(rng, point if near else inner_point(cell, rng), miss))
        if rng.integers(4) == 0:  # one line twice, or nearly
            factor = Fraction(int(rng.integers(1, 5)), 3)
            cell.set_row(0, [factor * (x + miss * int(rng.integers(-1, 2))) for x in cell.rows[1]])
        proved += check_count(cell) is not None
    if digits in (3, 9, 12):
        assert proved > 0.2 * samples
    if digits > 17:
        assert proved < 0.3 * samples


@pytest.mark.parametrize("digits", [0, 3, 9, 12, 14, 15, 16, 17, 20])
def test_against_exact_count_zeros_that_nearly_meet(digits):
    rng, proved, samples = np.random.default_rng(digits), 0, amount(60, 40)
    miss = Fraction(1, 10**digits) if digits else Fraction(0)
    for _ in range(samples):
        cell = some_cell(rng, INTERVAL, float(miss) * float(rng.choice([0.0, 0.01, 1.0])))
        point = inner_point(cell, rng)
        for i in range(ROWS):
            cell.set_row(i, through(rng, point if i < 2 else inner_point(cell, rng), miss))
        proved += check_count(cell) is not None
    assert proved > 0.2 * samples if digits in (3, 9, 12) else proved < samples


def test_against_exact_counts_of_huge_rows():
    """a + b overflows where t = a / (a + b) says where a chord ends."""
    for form, other in (([1e308, 0.0], [1.0, 0.0]), ([1e308, 0.0], [1e308, 1e307]), ([1.5e308, 0.0], [1.0, -0.25])):
        cell = Cell(2, bounded_start(INTERVAL))
        cell.set_row(0, form)
        cell.set_row(1, other)
        check_count(cell)
        cell = Cell(2, bounded_start(SQUARE))
        cell.set_row(0, [form[0], 0.0, form[1]])
        cell.set_row(1, [other[0], 0.0, other[1]])
        check_count(cell)


# Infinity.


def test_against_exact_pieces_at_infinity():
    """Cones of whole planes: a piece is unbounded if it has a corner, or an edge, on the wall at infinity."""
    rng, walls, points = np.random.default_rng(0), 0, 0
    for sample in range(amount(30, 20)):
        firsts = rng.integers(-2, 3, (2, 3)).astype(float) if sample % 2 else rng.standard_normal((2, 3))
        if abs(np.linalg.det(firsts[:, :2])) < 1e-3:
            continue
        problem = one_layer(firsts, None)
        for start in starts(problem):
            twin = TwinNetwork(*problem[:5], start.chart)
            forms = twin.forms([[True, True]])[0]
            edges = {j: form if start.signs[j] else opposite(form) for j, form in enumerate(forms)}
            infinity = [Fraction(-1), Fraction(-1), Fraction(1)]
            cell = Cell(ROWS, start, {**edges, INFINITY_WALL: infinity})
            for _ in range(4):
                for i in range(ROWS):
                    parallel = forms[int(rng.integers(2))]
                    row = some_form(rng, cell, 0) if rng.integers(2) else parallel
                    factor = Fraction(int(rng.integers(-20, 21)), 10)
                    cell.set_row(i, [x - factor * y for x, y in zip(row, infinity, strict=True)])
                cell.look()
                check_scan(cell, cell.answer_asked())
                rows = [cell.rows[i] for i in crossing_rows(cell)]
                reaching = [any(dot(infinity, c) == 0 for c, _ in piece) for piece in pieces(cell.corners, rows)]
                found, infinite = count_chords(cell.work, 0, 0)
                if found != UNPROVED_CHORDS:
                    assert (found, infinite) == (len(reaching), sum(reaching))
                whole = any(dot(infinity, c) == 0 for c, _ in cell.corners)
                assert pieces_at_infinity(cell.work, 0) == whole
                names = cell.work.cell_ints[CELL, : int(cell.work.state[CORNERS]), 0].tolist()
                walls += INFINITY_WALL in names
                points += whole and INFINITY_WALL not in names
                if not rows:
                    break
                go_on(cell, rng, crossing_rows(cell)[int(rng.integers(len(rows)))])
    assert walls > 10
    assert points > 3
