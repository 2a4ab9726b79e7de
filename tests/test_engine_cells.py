"""One cell at a time: `scan`, `polygon`, `interval`, `chords` and `last_in_plane` against their twins in fractions.

Rows are true forms that floats hold only nearly; the cells are cut several times, so that their corners, too, are
known only up to their errors. What the engine proves must be true of the true rows and corners.
"""

from fractions import Fraction

import numpy as np
import pytest

from creases.engine.cells.chords import count_chords, pieces_at_infinity
from creases.engine.cells.interval import count_zeros, cut_interval, halve_interval
from creases.engine.cells.last_in_plane import affine_row, count_last
from creases.engine.cells.polygon import cut_polygon, halve_polygon
from creases.engine.problem import INFINITY
from creases.engine.proof.bounds import gamma
from creases.engine.proof.signs import UNPROVED
from creases.engine.rows.local import localise
from creases.engine.rows.scan import (
    CROSSING,
    CROSSING_UNPROVED,
    UNKNOWN,
    cell_reach,
    forget_answers,
    proved_sign,
    sign_at,
)
from creases.engine.starts.bounded import bounded_start
from creases.engine.starts.chart import RationalStart
from creases.engine.starts.first_layer import independent_rows
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import (
    CELL,
    CELL_COLUMNS,
    CHILD,
    CHORD_END,
    CHORD_HIGH,
    CHORD_LOW,
    MOST_CHORDS,
)
from creases.engine.state.growth import grown
from creases.engine.state.network_layout import (
    COUPLED,
    ERROR_G,
    ERROR_W,
    LOWEST,
    ONE,
    X,
)
from creases.engine.state.record import row_at
from creases.engine.state.row_layout import (
    ACTIVE,
    INACTIVE,
    KEPT,
    KIND,
    NEAREST,
    OPEN,
    STATUS,
    THRESHOLD,
)
from creases.engine.state.slots import (
    BY_NEURON,
    CORNERS,
    DEPTH,
    DIMENSION,
    FULL,
    NETWORK,
    UNBOUNDED,
    UNPROVED_COUNT,
)
from creases.engine.state.stack import STACK_HEADER
from engine_states import (
    FORM,
    INTERVAL,
    SQUARE,
    Cell,
    Cut,
    block,
    cell_at,
    copied,
    found_by_scan,
    one_layer,
    pay,
    problem_of,
    scan,
    twin_of,
)
from engine_twins import amount, clip, dot, exactly, opposite, pieces, some_float
from networks import as_lists, he, table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT

ROWS, LAST = 8, 6
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
            at = row_at(cell.work, 0, 0, i)
            proved = [sign_at(cell.work, i, at, v) for v in range(len(signs))]
            assert all(p in (s, UNPROVED) for p, s in zip(proved, signs, strict=True))
            assert (UNPROVED in proved) == (kind != CROSSING)
            if kind == CROSSING:
                assert [proved_sign(cell.work, i, at, v) for v in range(len(signs))] == signs
    assert counts == tuple(kinds.count(kind) for kind in (CROSSING, CROSSING_UNPROVED, UNKNOWN))
    return kinds


def crossing_rows(cell):
    statuses, kinds = cell.work.row_ints[[STATUS, KIND], : len(cell.rows)].tolist()
    return [i for i in range(len(cell.rows)) if statuses[i] == OPEN and kinds[i] == CROSSING]


def check_child(cell, count, corners, which=CHILD):
    """The cell that was written is the true one: as many corners, near the true ones, the same edges in order."""
    assert count == len(corners)
    found = cell_at(cell.work.cell_reals[which], cell.work.cell_ints[which], count, len(corners[0][0]))
    check_near(found, corners)


def check_near(found, corners):
    """Corners as they were written, and the true ones: as near as they say, on the same edges."""
    for (place, error, _, _, number, _), (corner, (_, name)) in zip(found, corners, strict=True):
        assert number == name
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
    parts = {}
    for side in (1.0, -1.0):
        form = cell.rows[row] if side > 0 else opposite(cell.rows[row])
        true = (clip if d == 2 else clip_interval)(cell.corners, form, name)
        count = (cut_polygon if d == 2 else cut_interval)(cell.work, 0, 0, row, side)
        check_child(cell, count, true)
        at = [edge_name for _, (_, edge_name) in true].index(name)
        found = cell_at(cell.work.cell_reals[CHILD], cell.work.cell_ints[CHILD], count, d + 1)
        assert found[at][2] == tuple(side * x for x in cell.near[row])
        parts[side] = count, true, found
    check_halves(cell, row, parts)
    side = (1.0, -1.0)[rng.integers(2)]
    count = (cut_polygon if d == 2 else cut_interval)(cell.work, 0, 0, row, side)
    cell.take_child(count, parts[side][1])


def check_halves(cell, row, parts):
    """Both sides written at once are what they are one by one: {side: (corners, true cell, cell)}; d = 2: turned."""
    work, k = cell.work, len(cell.corners[0][0])
    before = work.cell_reals[CELL].copy(), work.cell_ints[CELL].copy()
    for first in (1.0,) if k == 3 else (1.0, -1.0):
        for array in (work.cell_reals[CHILD], work.cell_ints[CHILD], work.stack_reals, work.stack_ints):
            array[:] = -77
        at, ints_at = CELL_COLUMNS * 3, STACK_HEADER + 5
        if k == 2:
            halve_interval(work, 0, 0, row, first, at, ints_at)
            counts = 2, 2
        elif not work.row_reals[row, NEAREST] > work.row_reals[row, THRESHOLD]:
            return  # a corner on the line, or only just not: the loop takes `cut_polygon`
        else:
            child = halve_polygon(work, 0, 0, row, at, ints_at)
            counts = child, int(work.state[CORNERS]) + 4 - child
        ends = at + CELL_COLUMNS * counts[1], ints_at + 2 * counts[1]
        sides = (
            (first, work.cell_reals[CHILD], work.cell_ints[CHILD]),
            (-first, work.stack_reals[at : ends[0]], work.stack_ints[ints_at : ends[1]]),
        )
        for count, (side, reals, ints) in zip(counts, sides, strict=True):
            _, true, one_by_one = parts[side]
            found = cell_at(reals, ints, count, k)
            turn = [corner[4] for corner in one_by_one].index(found[0][4])
            assert k == 3 or turn == 0
            assert found == [*one_by_one[turn:], *one_by_one[:turn]]
            check_near(found, [*true[turn:], *true[:turn]])
        # Nothing else was written.
        for array, begin, end in ((work.stack_reals, at, ends[0]), (work.stack_ints, ints_at, ends[1])):
            assert (array[:begin] == -77).all()
            assert (array[end:] == -77).all()
        assert (work.cell_reals[CHILD, counts[0] :] == -77).all()
        assert (work.cell_reals[CELL] == before[0]).all()
        assert (work.cell_ints[CELL] == before[1]).all()


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, INTERVAL], ids=["square", "polygon", "interval"])
def test_against_exact_scan_and_cut(vertices):
    """Cells cut up to six times by rows that are set anew each time; unproved signs are answered half of the time."""
    rng = np.random.default_rng(len(vertices))
    start, zeros, halved, unproved, rows = bounded_start(vertices), 0, 0, 0, 0
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
            halved += bool(cell.work.row_reals[row, NEAREST] > cell.work.row_reals[row, THRESHOLD])
            go_on(cell, rng, row)
    assert 0.05 * rows < unproved < 0.6 * rows
    assert zeros > 10 or len(vertices) == 2
    assert halved > 30  # so many times both sides were written at once


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
        cell.work.reals[place] = bad  # the root's first row
        assert cell.look() == (0, 0, 1)
        assert cell.work.row_ints[STATUS, 0] == OPEN
        assert [sign_at(cell.work, 0, row_at(cell.work, 0, 0, 0), v) for v in range(4)] == [UNPROVED] * 4


def test_bad_input_a_value_that_overflows_has_no_sign():
    """At (1 + 2^-52, 1), h is next to nothing, but its first product overflows."""
    largest = float(np.finfo(float).max)
    cell = Cell(1, bounded_start(SQUARE))
    cell.set_row(0, [largest, 0.0, -largest])
    cell.work.cell_reals[CELL, :, 0] *= 1 + 2.0**-52
    counts = cell.look()
    assert counts == (0, 0, 1)
    assert sign_at(cell.work, 0, row_at(cell.work, 0, 0, 0), 1) == UNPROVED


# Chords and zeros.


def some_cell(rng, vertices, noise=0.0, last=0):
    """A cell that has been cut a few times by generic lines."""
    cell = Cell(ROWS, bounded_start(vertices), noise=noise, rng=rng, last=last)
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
    if found in (UNPROVED_COUNT, UNPROVED_COUNT):
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


# The last layer, counted without a network of its own.


def decide(cell, rng, sizes=(0,), touching=True):
    """Set the rows of the first layer so that each keeps one sign on the cell; some touch it."""
    for i in range(len(cell.rows)):
        form = some_form(rng, cell)
        values = [dot(form, corner) for corner, _ in cell.corners]
        beyond = Fraction(int(rng.integers(0 if touching else 1, 20)), 20)
        form[-1] += beyond - min(values) if rng.integers(2) else -beyond - max(values)
        size = Fraction(2) ** int(rng.choice(sizes))
        cell.set_row(i, [size * x for x in form])


def some_factors(cell, rng):
    return [0.0 if rng.integers(4) == 0 else float(x) for x in rng.standard_normal(len(cell.rows))]


def reached(cell):
    """The cell's rows of the first layer looked at, every sign answered."""
    if any(cell.look()):
        assert cell.answer_asked() == (0, 0, 0)
    return cell_reach(cell.work)


def ordinary_count(work):
    """What the loop would count with a local network of the cell's own; None where that is not proved either."""
    reach, corner_error = cell_reach(work)
    forget_answers(work)
    while localise(work, reach + corner_error, corner_error) == FULL:
        work = grown(work)
    net = int(work.state[NETWORK])
    layer = int(work.ints[net + LOWEST])
    if layer == work.state[DEPTH]:
        return 1
    scan(work, net, layer, reach, corner_error)
    crossing, half_proved, unknown = found_by_scan(work)
    if half_proved or unknown or crossing > MOST_CHORDS:
        return None
    pieces, _ = (count_zeros if work.state[DIMENSION] == 1 else count_chords)(work, net, layer)
    return None if pieces == UNPROVED_COUNT else pieces


def check_last(cell, rows):
    """The count of the last layer, if there is one, is that of the pieces by brute force, and the ordinary one.

    rows : the true forms of its rows on the cell. Returns the count.
    """
    work, flat = cell.work, len(cell.corners[0][0]) == 2
    reach = reached(cell)
    kept = [array.copy() for array in (work.reals, work.ints, work.row_ints[[STATUS, KIND]], work.row_reals)]
    found, infinite = count_last(work, 0, 0, *reach)
    # If nothing was counted, the loop goes on with what the scan has left.
    for before, after in zip(kept, (work.reals, work.ints, work.row_ints[[STATUS, KIND]], work.row_reals), strict=True):
        assert (before == after).all()
    if found == UNPROVED_COUNT:
        return None
    values = [[dot(row, corner) for corner, _ in cell.corners] for row in rows]
    crossing = [row for row, at in zip(rows, values, strict=True) if min(at) < 0 < max(at)]
    check_places(cell, crossing)
    if flat:
        true = 1 + len({row[1] / row[0] for row in crossing})
    else:
        parts = pieces(cell.corners, crossing)
        true = len(parts)
        if cell.start.infinite[0]:
            infinity = [Fraction(-1), Fraction(-1), Fraction(1)]
            assert infinite == sum(any(dot(infinity, c) == 0 for c, _ in part) for part in parts)
    assert found == true
    assert ordinary_count(copied(work)) in (found, None)
    return found


def set_last_rows(cell, rng, rows):
    """The last layer's rows are these on the cell, by way of the rows below."""
    for i, row in enumerate(rows):
        cell.set_last(i, row, some_factors(cell, rng))


@pytest.mark.parametrize("vertices", [SQUARE, POLYGON, INTERVAL], ids=["square", "polygon", "interval"])
def test_against_exact_count_last_of_generic_rows(vertices):
    rng, proved, samples = np.random.default_rng(1), 0, amount(80, 40)
    for _ in range(samples):
        cell = some_cell(rng, vertices, float(rng.choice([0.0, 1e-12, 1e-7])), last=LAST)
        decide(cell, rng)
        # Some cross the cell, some do not.
        lift = [int(rng.integers(-1, 2)) * 9 for _ in range(LAST)]
        rows = [through(rng, inner_point(cell, rng), 0) for _ in range(LAST)]
        rows = [[*row[:-1], row[-1] + abs(row[0]) * up] for row, up in zip(rows, lift, strict=True)]
        set_last_rows(cell, rng, rows)
        proved += check_last(cell, rows) is not None
    assert proved > 0.9 * samples


@pytest.mark.parametrize("digits", [0, 3, 9, 12, 13, 14, 15, 16, 17, 20])
@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_count_last_of_rows_that_nearly_meet(digits, d):
    """Zeros, or three chords, nearly in one point, inside or on an edge, or nearly one line twice."""
    rng, proved, samples = np.random.default_rng(digits), 0, amount(40, 25)
    miss = Fraction(1, 10**digits) if digits else Fraction(0)
    for sample in range(samples):
        noise = float(miss) * float(rng.choice([0.0, 0.01, 1.0]))
        cell = some_cell(rng, INTERVAL if d == 1 else (SQUARE, POLYGON)[sample % 2], noise, last=LAST)
        decide(cell, rng, touching=False)
        point = (boundary_point if sample % 3 == 0 and d == 2 else inner_point)(cell, rng)
        near = int(rng.integers(2, 5))
        rows = [through(rng, point if i < near else inner_point(cell, rng), miss) for i in range(LAST)]
        if rng.integers(4) == 0:
            factor = Fraction(int(rng.integers(1, 5)), 3)
            rows[0] = [factor * (x + miss * int(rng.integers(-1, 2))) for x in rows[1]]
        set_last_rows(cell, rng, rows)
        proved += check_last(cell, rows) is not None
    if digits in (3, 9, 12):
        assert proved > 0.2 * samples
    if digits > 17:
        assert proved < 0.5 * samples


@pytest.mark.parametrize("vertices", [SQUARE, INTERVAL], ids=["square", "interval"])
def test_against_exact_count_last_of_rows_of_any_size(vertices):
    """Layers and rows times powers of two: the same chords, unless their numbers underflow or overflow."""
    rng, proved, samples = np.random.default_rng(2), 0, amount(60, 30)
    for sample in range(samples):
        # What a determinant is made of, two factors as they are here, may not underflow if it is to prove anything.
        wild = sample % 3 == 0
        cell = some_cell(rng, vertices, last=LAST)
        decide(cell, rng, (-1060 if wild else 0, -900, -300, -60, 0, 60, 300, 900), touching=False)
        rows = []
        for i in range(LAST):
            size = int(rng.choice([-1000, -900, 0, 500, 900] if wild else [-400, -60, 0, 300]))
            rows.append([Fraction(2) ** size * x for x in through(rng, inner_point(cell, rng), 0)])
            # What comes from below is as large as the row, or next to nothing.
            exponents = [size - int(np.frexp(max(map(abs, near)))[1]) for near in cell.near]
            exponents = [int(rng.choice([exponent, exponent - 900], p=[0.9, 0.1])) for exponent in exponents]
            factors = np.ldexp(some_factors(cell, rng), np.minimum(exponents, 1000))
            cell.set_last(i, rows[-1], factors.tolist())
        proved += check_last(cell, rows) is not None and not wild
    assert proved > 0.8 * samples * 2 / 3


@pytest.mark.parametrize("widest", [3, 30, 100, 170])
@pytest.mark.parametrize("vertices", [SQUARE, INTERVAL], ids=["square", "interval"])
def test_against_exact_count_last_of_rows_that_cancel(vertices, widest):
    """What comes from below is taken away again, up to rounding; products underflow and overflow."""
    rng = np.random.default_rng(widest)
    sizes = [size for size in (-1030, -900, -300, -60, 0, 0, 0, 60, 300, 900) if abs(size) <= 7 * widest]
    for sample in range(amount(60, 30)):
        cell = some_cell(rng, vertices, last=LAST)
        decide(cell, rng, sizes)
        rows = []
        for i in range(1 + sample % LAST):
            factors = [some_float(rng, widest) for _ in cell.rows]
            active = [(Fraction(factors[q]), row) for q, row in enumerate(cell.rows) if 1 in cell.signs(q)]
            above = [sum((a * row[c] for a, row in active), Fraction(0)) for c in range(len(cell.corners[0][0]))]
            base = [Fraction(some_float(rng, widest)) for _ in above]
            if rng.integers(4):
                base = [-x * (1 + Fraction(int(rng.integers(-2, 3)), 2**52)) for x in above]
                left = [x + y for x, y in zip(base, above, strict=True)]
                base[-1] -= dot(left, inner_point(cell, rng))  # so that the line goes through the cell
            if max(map(abs, base)) > 10**300:
                base = [Fraction(1)] * len(base)
            rows.append([Fraction(float(x)) + y for x, y in zip(base, above, strict=True)])
            cell.set_last(i, rows[-1], factors)
        check_last(cell, rows)


@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_count_last_without_biases(d):
    """All rows vanish in the origin, which is a corner of the cell, or inside it."""
    rng, proved = np.random.default_rng(d), 0
    vertices = (SQUARE, POLYGON) if d == 2 else (INTERVAL, INTERVAL)
    for sample in range(amount(120, 30)):
        cell = Cell(ROWS, bounded_start(vertices[sample % 2]), last=LAST)
        for _ in range(sample % 4):
            for i in range(ROWS):
                cell.set_row(i, [*(some_rational(rng) for _ in range(d)), 0])
            cell.look()
            cell.answer_asked()
            if crossing_rows(cell):
                go_on(cell, rng, crossing_rows(cell)[0])
        at_origin = [0] * d in [list(corner[:-1]) for corner, _ in cell.corners]
        for i in range(ROWS):
            form = [*(some_rational(rng) for _ in range(d)), Fraction(0)]
            cell.set_row(i, form)
            if not at_origin or {1, -1} <= set(cell.signs(i)):
                cell.set_row(i, [0] * (d + 1))
        rows = [[*(some_rational(rng) for _ in range(d)), Fraction(0)] for _ in range(LAST)]
        set_last_rows(cell, rng, rows)
        for i in range(int(rng.integers(0, LAST))):
            rows[i] = [Fraction(0)] * d + [Fraction(1)]
            cell.set_last(i, rows[i], [0.0] * ROWS)
        proved += check_last(cell, rows) is not None
    assert proved > amount(6, 1) * (d - 1)


@pytest.mark.parametrize("vertices", [SQUARE, INTERVAL], ids=["square", "interval"])
def test_against_exact_count_last_of_dead_rows(vertices):
    """A row that nothing comes into and that is zero cuts nothing; one that is not known, or is not zero, may."""
    rng, proved, samples = np.random.default_rng(6), 0, amount(60, 30)
    for sample in range(samples):
        cell = some_cell(rng, vertices, last=LAST)
        decide(cell, rng)
        rows = [through(rng, inner_point(cell, rng), 0) for _ in range(LAST)]
        set_last_rows(cell, rng, rows)
        nothing = [Fraction(0)] * len(rows[0])
        for i in range(int(rng.integers(1, LAST))):
            rows[i] = nothing
            # What is inactive does not come in.
            cell.set_last(i, nothing, [0.0 if 1 in cell.signs(q) else float(rng.integers(2)) for q in range(ROWS)])
        proved += check_last(cell, rows) is not None
        if sample % 2:
            work, reach = cell.work, reached(cell)
            place = [X, ONE, ERROR_G, ERROR_W][sample // 2 % 4]
            block(work, 0, 1)[0, place] = np.nan if sample % 3 else 1e-300
            pieces, _ = count_last(work, 0, 0, *reach)
            assert pieces == UNPROVED_COUNT or (place == ONE and sample % 3 == 0)
    assert proved > 0.9 * samples


@pytest.mark.parametrize("vertices", [SQUARE, INTERVAL], ids=["square", "interval"])
@pytest.mark.parametrize("crossing", [MOST_CHORDS - 1, MOST_CHORDS, MOST_CHORDS + 1, MOST_CHORDS + 3])
def test_known_count_last_of_as_many_chords_as_there_is_room_for(vertices, crossing):
    rng = np.random.default_rng(crossing)
    cell = Cell(ROWS, bounded_start(vertices), last=MOST_CHORDS + 3)
    decide(cell, rng)
    rows = [through(rng, inner_point(cell, rng), 0) for _ in range(crossing)]
    rows += [[*row[:-1], row[-1] + 99] for row in rows[: MOST_CHORDS + 3 - crossing]]
    set_last_rows(cell, rng, [rows[i] for i in rng.permutation(len(rows))])
    work, reach = cell.work, reached(cell)
    work.chord_reals[:] = work.chord_ints[:] = 0
    found, _ = count_last(work, 0, 0, *reach)
    if crossing > MOST_CHORDS:
        assert found == UNPROVED_COUNT
    else:
        flat = len(vertices) == 2
        assert found == (1 + crossing if flat else len(pieces(cell.corners, rows[:crossing])))


def test_against_exact_affine_row():
    """The form of a row of the last layer holds its law whatever the rows below are, within their bounds."""
    rng, finite = np.random.default_rng(3), 0
    for sample in range(amount(1500, 600)):
        k, below, widest = 2 + sample % 2, int(rng.integers(1, 7)), float(rng.choice([3, 30, 150, 300]))
        cell = Cell(below, bounded_start(SQUARE if k == 3 else INTERVAL), last=1)
        rows = [block(cell.work, 0, layer) for layer in (0, 1)]
        for array in rows:
            array[:, FORM[k]] = [[some_float(rng, widest) for _ in range(k)] for _ in array]
            array[:, COUPLED:] = [[some_float(rng, widest) for _ in range(array.shape[1] - COUPLED)] for _ in array]
            if rng.integers(2):
                array[:, FORM[k][:-1]] = 0.0
            if rng.integers(3) == 0:
                array[:, FORM[k][-1]] = 0.0
            form = array[:, FORM[k]]
            lost = np.abs(form) * rng.choice([0.0, 2.0**-53, 1e-3], form.shape)
            pay(array, lost[:, :-1].sum(axis=1), lost[:, -1])
            for size, error, parts in ((5, 3, form[:, :-1]), (6, 4, form[:, -1:])):
                array[:, size] = (np.abs(parts).sum(axis=1) + array[:, error]) * (1 + 2.0**-20)
        active = np.flatnonzero(rng.integers(2, size=below))
        cell.work.row_ints[KEPT, : len(active)] = active
        strides = [array.shape[1] for array in rows]
        found = affine_row(cell.work, below * strides[0], 0, strides[0], len(active), gamma(2 + below))
        if not np.isfinite(found).all():
            continue
        finite += 1
        axes = [0, 1, 2]
        exact = exactly(rows[1][0, axes])
        error_g, error_w = exactly(rows[1][0, 3:5])
        for q in active.tolist():
            factor = Fraction(float(rows[1][0, COUPLED + q]))
            exact = [x + factor * y for x, y in zip(exact, exactly(rows[0][q, axes]), strict=True)]
            error_g += abs(factor) * Fraction(float(rows[0][q, 3]))
            error_w += abs(factor) * Fraction(float(rows[0][q, 4]))
        lost = [abs(x - Fraction(y)) for x, y in zip(exact, found, strict=False)]
        assert lost[0] + lost[1] + error_g <= Fraction(found[3]), sample
        assert lost[2] + error_w <= Fraction(found[4]), sample
        # A bound that is zero stays zero: so lines that meet in the origin are known to.
        if not rows[0][active, 6].any() and not rows[1][0, 6]:
            assert found[4] == 0.0
    assert finite > 300


def test_laws_affine_row_is_sharp():
    rng = np.random.default_rng(4)
    for _ in range(amount(50, 20)):
        cell = Cell(ROWS, bounded_start(SQUARE), last=1)
        for i in range(ROWS):
            cell.set_row(i, rng.standard_normal(3).tolist())
        block(cell.work, 0, 1)[0] = [*rng.standard_normal(3), 0, 0, 0, 0, *rng.standard_normal(ROWS)]
        cell.work.row_ints[KEPT, :ROWS] = range(ROWS)
        *_, error_g, error_w = affine_row(cell.work, ROWS * COUPLED, 0, COUPLED, ROWS, gamma(2 + ROWS))
        assert 0 < error_g < 1e-13
        assert 0 < error_w < 1e-13


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("whole", [False, True])
def test_laws_counting_the_last_layer_ahead_changes_no_count(d, whole):
    """With neurons' own counts wanted, every cell goes the ordinary way; the sums are the same."""
    generic = [as_lists(he(np.random.default_rng(i), d, widths=(9, 8, 7), bias=0.3)) for i in range(amount(6, 2))]
    for weights, biases in [*(case[1:] for case in table(amount(120, 20), 17, d)), *generic]:
        vertices = INTERVAL if d == 1 else SQUARE
        problem = problem_of(weights, biases, np.zeros(d), np.eye(d), None if whole else vertices)
        if whole and len(independent_rows(problem)) < d:
            continue
        for start in starts(problem, Workshop()) if whole else [None]:
            if isinstance(start, RationalStart):
                continue
            found = []
            for by_neuron in (0, 1):
                cut = Cut(problem, start)
                cut.work.state[BY_NEURON] = by_neuron
                work = cut.finish()
                found.append((work.by_layer.tolist(), int(work.state[UNBOUNDED])))
            assert found[0] == found[1]


# Infinity.


def test_against_exact_pieces_at_infinity():
    """Cones of whole planes: a piece is unbounded if it has a corner, or an edge, on the wall at infinity."""
    rng, walls, points, lasts = np.random.default_rng(0), 0, 0, []
    for sample in range(amount(30, 20)):
        firsts = rng.integers(-2, 3, (2, 3)).astype(float) if sample % 2 else rng.standard_normal((2, 3))
        if abs(np.linalg.det(firsts[:, :2])) < 1e-3:
            continue
        problem = one_layer(firsts, None)
        for start in starts(problem, Workshop()):
            twin = twin_of(problem, start.chart)
            forms = twin.forms([[True, True]])[0]
            edges = {j: form if start.signs[j] else opposite(form) for j, form in enumerate(forms)}
            infinity = [Fraction(-1), Fraction(-1), Fraction(1)]
            cell = Cell(ROWS, start, {**edges, INFINITY: infinity}, last=LAST)
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
                if found != UNPROVED_COUNT:
                    assert (found, infinite) == (len(reaching), sum(reaching))
                whole = any(dot(infinity, c) == 0 for c, _ in cell.corners)
                assert pieces_at_infinity(cell.work, 0) == whole
                names = cell.work.cell_ints[CELL, : int(cell.work.state[CORNERS]), 0].tolist()
                walls += INFINITY in names
                points += whole and INFINITY not in names
                if not rows:
                    break
                go_on(cell, rng, crossing_rows(cell)[int(rng.integers(len(rows)))])
            decide(cell, rng)
            rows = [through(rng, inner_point(cell, rng), 0) for _ in range(LAST)]
            set_last_rows(cell, rng, rows)
            lasts.append(check_last(cell, rows) is not None)
    assert walls > 10
    assert points > 3
    assert sum(lasts) > 0.9 * len(lasts)
