"""Switches in rationals: pairs of candidates as rows, who is taken out and why, what a claimed cell is clipped to, and
what a relaxed switch holds."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

import reference
from creases.engine.graph import Graph, Level, relu_slopes
from creases.engine.loop import cut as loop
from creases.engine.rows.pairs import subtract
from creases.engine.rows.relax_switches import exceeds
from creases.engine.rows.scan import cell_reach
from creases.engine.state.cell_layout import CELL, CORNER_ERROR
from creases.engine.state.growth import grown
from creases.engine.state.network_layout import (
    COUPLED,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FIRST_ROW,
    HEADER,
    LOWEST,
    ONE,
    PAIR_COLUMNS,
    PAIR_IDS,
    PAIRS,
    PAIRS_AT,
    SECOND_ROW,
    SIZE_G,
    SIZE_W,
)
from creases.engine.state.row_layout import (
    ACTIVE,
    CLAIMED,
    INACTIVE,
    KIND_OF_LAYER,
    OPEN,
    OPEN_STATUS,
    RADIUS,
    RELAXED,
    RELAXED_IN_SPACE,
    START,
    STATUS,
    SWITCH_LAYER,
)
from creases.engine.state.slots import (
    CORNERS,
    DEPTH,
    DIMENSION,
    EMPTY,
    FULL,
    HAVE,
    NETWORK,
    UNPROVED_CELL,
    WAITING,
)
from creases.engine.state.stack import pop
from creases.engine.state.work import allocate, allocate_in_space
from engine_contract import check, points_of
from engine_states import (
    FORM,
    INTERVAL,
    SQUARE,
    Cut,
    copied,
    cube,
    found_by_scan,
    graph_problem,
    local_network,
    localised,
    scan,
)
from engine_twins import amount, dot, exactly, some_float

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # without the JIT

VERTICES = {1: INTERVAL, 2: SQUARE, 3: cube(3)}


def switches(matrix, bias, groups, source=0):
    """A level of candidates."""
    matrix = np.array(matrix, dtype=float)
    return Level((source,), (matrix,), np.array(bias, dtype=float), relu_slopes(len(matrix)), np.array(groups))


def largest_of(forms, groups):
    """The problem of one layer whose candidates are these forms of the domain's own coordinates."""
    forms = np.array(forms, dtype=float)
    d = forms.shape[1] - 1
    level = switches(forms[:, :d], forms[:, d], groups)
    return graph_problem(Graph((level,)), np.zeros(d), np.eye(d), VERTICES[d])


def some_forms(rng, d, number):
    """Whole numbers, where much meets and some are equal; or anything, of like size or not."""
    if rng.integers(2):
        forms = rng.integers(-2, 3, (number, d + 1)).astype(float)
    else:
        forms = rng.standard_normal((number, d + 1)) * 10.0 ** rng.choice([0, 0, -8, 8], (number, 1))
    for i in range(number):
        if rng.integers(6) == 0:
            forms[i] = forms[int(rng.integers(number))]
    return forms


def states(cut):
    """Stop at every cell of a cut before anything is done with it, and after every turn of the loop."""
    while cut.work.state[HAVE] or cut.work.state[WAITING]:
        if not cut.work.state[HAVE]:
            pop(cut.work)
        yield cut.work
        status = loop.cut(cut.work, 1)
        if status == FULL:
            cut.work = grown(cut.work)
        if status == UNPROVED_CELL:
            cut.oracle.answer(cut.work)


def scanned(work):
    """A copy of a workspace, its lowest layer scanned."""
    work, net = copied(work), int(work.state[NETWORK])
    scan(work, net, int(work.ints[net + LOWEST]), *cell_reach(work))
    return work


def is_at_switch(work):
    lowest = local_network(work)[0]
    return lowest < work.state[DEPTH] and work.layer_ints[lowest, KIND_OF_LAYER] == SWITCH_LAYER


# Claims.


def true_parts(forms, groups):
    """{winner of each switch: the corners of the part of the domain where they win}, by cutting."""
    d = len(forms[0]) - 1
    rows, _ = reference.whole(forms)
    found = {(): reference.box([-1] * d, [1] * d).cone}
    for group in sorted(set(groups)):
        mine = [i for i, g in enumerate(groups) if g == group]
        found = {
            (*won, mine[i]): part
            for won, cone in found.items()
            for i, part in reference.winners([rows[j] for j in mine], cone, ("switch", 0, group))
        }
    return {
        won: {tuple(Fraction(x, ray.vector[-1]) for x in ray.vector) for ray in cone.rays}
        for won, cone in found.items()
    }


def check_parts(forms, groups):
    """Every cell that is decided is exactly the part where its candidates win, and there is one for each such part."""
    cut, found = Cut(largest_of(forms, groups)), {}
    assert (cut.start.chart == np.eye(len(forms[0]))).all()
    rows = [[Fraction(x) for x in row] for row in np.array(forms).tolist()]
    claimed = False
    for work in states(cut):
        if not is_at_switch(work):
            continue  # all is decided from the start
        again = scanned(work)
        claimed |= bool((work.row_ints[STATUS] == CLAIMED).any())
        if again.state[EMPTY] or any(found_by_scan(again)):
            continue
        ids = local_network(again)[1][0].ids
        pattern = cut.pattern(again)[0]
        won = tuple(i for i, on in enumerate(pattern) if on)
        assert {ids[i] for i in range(len(ids)) if again.row_ints[STATUS, i] == ACTIVE} <= set(won)
        corners = set(cut.true_corners([rows]))
        assert won not in found
        found[won] = corners
    true = true_parts(np.array(forms).tolist(), groups)
    if found or len(true) > 1:
        assert set(found) == set(true)
    for won, corners in found.items():
        assert true[won] <= corners  # all its extreme points, and nothing outside
        for corner in corners:
            for i in won:
                mine = [j for j, group in enumerate(groups) if group == groups[i]]
                assert dot(rows[i], corner) == max(dot(rows[j], corner) for j in mine)
    assert int(cut.work.by_layer[0]) == len(true)
    return len(true), claimed


@pytest.mark.parametrize("d", [1, 2, 3])
def test_against_exact_parts_of_one_switch(d):
    """A claimed cell is clipped to exactly where its candidate wins."""
    parts = claims = 0
    for seed in range(amount(60, (60, 30, 10)[d - 1], (30, 30, 10)[d - 1])):
        rng = np.random.default_rng([seed, d])
        number = int(rng.integers(2, 7))
        more, claimed = check_parts(some_forms(rng, d, number), [0] * number)
        parts, claims = parts + more, claims + claimed
    assert parts > 20
    assert claims > 3


def test_against_exact_parts_of_several_switches():
    for seed in range(amount(40, 15)):
        rng = np.random.default_rng([seed, 9])
        groups = np.sort(np.concatenate([[0, 1], rng.integers(0, 2, int(rng.integers(1, 5)))])).tolist()
        check_parts(some_forms(rng, 2, len(groups)), groups)


def test_known_parts():
    assert check_parts([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], [0] * 4) == (4, True)
    assert check_parts([[1, 0, 0], [-1, 0, 0], [0, 0, 0]], [0] * 3) == (2, True)  # zero is nowhere ahead
    assert check_parts([[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]], [0] * 4) == (2, False)  # equal ones
    assert check_parts([[1, 0, 0], [0, 0, -2], [0, 0, 0]], [0] * 3) == (2, False)  # one below all others


# Pairs, and who is taken out.


def pairs_at(work, lowest):
    """[(first row, second row, place in `reals`)] of the pairs of the lowest layer."""
    base = int(work.state[NETWORK]) + HEADER + FIELDS * lowest
    count, ids, at = (int(work.ints[base + name]) for name in (PAIRS, PAIR_IDS, PAIRS_AT))
    d = int(work.state[DIMENSION])
    wide = COUPLED + (d if d > 2 else 0)
    return [
        (*work.ints[ids + PAIR_COLUMNS * i :][[FIRST_ROW, SECOND_ROW]].tolist(), at + wide * i) for i in range(count)
    ]


def check_pairs(cut, work, rng, seen):
    """Pairs are differences up to their bounds; whoever is out, or has won, is so on all of the cell."""
    again = scanned(work)
    if again.state[EMPTY]:
        return
    lowest, layers = local_network(work)
    ids, d = layers[lowest].ids, int(work.state[DIMENSION])
    corners = cut.true_corners(cut.twin.forms(cut.pattern()))
    points = [*points_of(corners, rng, 3), *corners]
    values = [[cut.twin.values(point)[lowest][unit] for unit in ids] for point in points]
    statuses = again.row_ints[STATUS].tolist()
    pairs = pairs_at(work, lowest)
    groups = cut.twin.kinks[lowest][1]
    every = [(i, j) for j in range(len(ids)) for i in range(j) if groups[ids[i]] == groups[ids[j]]]
    assert [pair[:2] for pair in sorted(pairs)] == sorted(every)
    for r, (i, j, at) in enumerate(pairs, len(ids)):
        row = work.reals[at : at + COUPLED + d]
        error_g, error_w, size_g, size_w = exactly(row[[ERROR_G, ERROR_W, SIZE_G, SIZE_W]])
        for point, z in zip(points, values, strict=True):
            reach, true = max(map(abs, point[:-1])), z[j] - z[i]
            assert abs(true - dot(exactly(row[FORM[d + 1]]), point)) <= error_g * reach + error_w
            assert abs(true) <= size_g * reach + size_w
            assert statuses[r] != ACTIVE or true >= 0
            assert statuses[r] != INACTIVE or true <= 0
        seen["pairs"] += 1
    for j, unit in enumerate(ids):
        rivals = [i for i in range(len(ids)) if i != j and groups[ids[i]] == groups[unit]]
        if statuses[j] == INACTIVE:
            assert any(is_beaten([(z[j], z[i]) for z in values], i < j) for i in rivals)
            seen["out"] += 1
        if statuses[j] == ACTIVE:
            assert all(z[j] >= z[i] for z in values for i in rivals)
            seen["won"] += 1


def is_beaten(values, by_an_earlier_one):
    """Whether one candidate is nowhere ahead of another, at some points of a cell, and somewhere below it, or equal to
    an earlier one. values : pairs, its own and the other's."""
    if any(mine > other for mine, other in values):
        return False
    return by_an_earlier_one or any(mine < other for mine, other in values)


def pooled(rng, d, most=9):
    """Neurons with ReLU, and the largest of some of their activations, as in max pooling; then neurons again."""
    n, m = int(rng.integers(3, most)), int(rng.integers(4, most))
    first = Level((0,), (rng.standard_normal((n, d)),), 0.5 * rng.standard_normal(n), relu_slopes(n))
    chosen = np.zeros((m, n))
    chosen[np.arange(m), rng.integers(0, n, m)] = rng.choice([1.0, 1.0, 2.0], m)
    groups = np.unique(np.sort(rng.integers(0, 2, m)), return_inverse=True)[1]
    above = rng.standard_normal((3, groups[-1] + 1))[:, groups]
    levels = [first, switches(chosen, np.zeros(m), groups, 1)]
    levels.append(Level((2,), (above,), 0.3 * rng.standard_normal(3), relu_slopes(3)))
    return graph_problem(Graph(tuple(levels)), np.zeros(d), np.eye(d), VERTICES[d])


def mixed(rng, d, most=6):
    """The largest of anything, below neurons, or of sums of activations."""
    n, m = int(rng.integers(2, most)), int(rng.integers(3, most + 1))
    first = Level((0,), (rng.standard_normal((n, d)),), rng.standard_normal(n), relu_slopes(n))
    groups = np.unique(np.sort(rng.integers(0, 2, m)), return_inverse=True)[1]
    forms = some_forms(rng, n - 1, m)
    second = switches(forms, rng.integers(-1, 2, m), groups, 1)
    above = rng.standard_normal((3, groups[-1] + 1))[:, groups]
    levels = (first, second, Level((2,), (above,), 0.3 * rng.standard_normal(3), relu_slopes(3)))
    return graph_problem(Graph(levels), np.zeros(d), np.eye(d), VERTICES[d])


def sized(rng, d, most=6):
    """The largest of forms that differ in size: their differences are rounded."""
    return largest_of(some_forms(rng, d, most) * 10.0 ** rng.integers(-5, 6, (most, d + 1)), [0] * 3 + [1] * (most - 3))


def barely_exact(rng, d):
    """Forms of one whole number each, of 53 bits: they are exact, and what they differ by is not."""
    forms = np.zeros((6, d + 1))
    forms[np.arange(6), rng.integers(0, d + 1, 6)] = rng.choice([-1, 1], 6) * rng.integers(2**52, 2**53, 6)
    forms[1] = -forms[0] - (forms[0] != 0)
    return largest_of(forms, [0] * 6)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kind", [pooled, mixed, sized, barely_exact], ids=lambda kind: kind.__name__)
def test_against_exact_pairs_and_who_is_out(kind, d):
    seen = Counter()
    for seed in range(amount(16, 4 if d < 3 else 3, 4)):
        rng = np.random.default_rng([seed, d])
        cut = Cut(kind(rng, d))
        for number, work in enumerate(states(cut)):
            if is_at_switch(work):
                check_pairs(cut, work, rng, seen)
            if number == 14:
                break
    assert all(seen[event] > 3 for event in ("pairs", "out", "won")), seen


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_against_exact_differences_of_rows(d):
    """What a difference's own numbers lose is in its bounds, beside those of the two rows; zero bounds stay so."""
    rng, work = np.random.default_rng(d), allocate([4], d, 4) if d < 3 else allocate_in_space([4], d, 8)
    wide, lossless = COUPLED + (d if d > 2 else 0), 0
    for number in range(amount(400, 200)):
        rows = np.zeros((2, wide))
        for row in rows:
            row[FORM[d + 1]] = [some_float(rng, (2, 20, 150)[number % 3]) for _ in range(d + 1)]
            if number % 4 == 0:
                row[FORM[d + 1]] = rng.integers(-9, 10, d + 1)
            row[[ERROR_G, ERROR_W]] = np.abs(row[FORM[d + 1]][-2:]) * rng.choice([0.0, 1e-16])
            row[[SIZE_G, SIZE_W]] = np.abs(row[FORM[d + 1]][:-1]).sum() * 1.001, abs(row[ONE]) * 1.001
        work.reals[: 2 * wide] = rows.ravel()
        subtract(work, wide, 0, 2 * wide)
        first, second, found = (exactly(row) for row in (*rows, work.reals[2 * wide : 3 * wide]))
        lost = [abs(second[c] - first[c] - found[c]) for c in FORM[d + 1]]
        assert sum(lost[:-1]) + first[ERROR_G] + second[ERROR_G] <= found[ERROR_G]
        assert lost[-1] + first[ERROR_W] + second[ERROR_W] <= found[ERROR_W]
        assert first[SIZE_G] + second[SIZE_G] <= found[SIZE_G]
        assert first[SIZE_W] + second[SIZE_W] <= found[SIZE_W]
        if not any(lost) and not any(rows[:, [ERROR_G, ERROR_W]].ravel()):
            assert not found[ERROR_G] + found[ERROR_W]
            lossless += 1
    assert lossless > 3


# Relaxed switches.


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kind", [pooled, mixed], ids=lambda kind: kind.__name__)
def test_against_exact_relaxed_switches(kind, d):
    """They hold the true maximum, and whoever is taken out is beaten by one and the same other at all points."""
    seen = Counter()
    for seed in range(amount(16, 4 if d < 3 else 3, 4)):
        rng = np.random.default_rng([seed, d, 1])
        check(kind(rng, d), rng, seen, 6)
        cut = Cut(kind(rng, d))
        for number, work in enumerate(states(cut)):
            check_relaxed_out(cut, work, rng, seen)
            if number == 8:
                break
    assert seen["enclosed switches"] > 10, seen
    assert seen["relaxed out"] > 3, seen
    assert seen["relaxed open"] > 3, seen


def check_relaxed_out(cut, work, rng, seen):
    """Statuses of the candidates above the lowest layer, as `relax_switches` leaves them."""
    lowest, layers = local_network(work)
    if lowest >= work.state[DEPTH] or (work.row_ints[STATUS] == CLAIMED).any():
        return
    again = localised(work)
    points = points_of(cut.true_corners(cut.twin.forms(cut.pattern())), rng, 12)
    every = [cut.twin.values(point) for point in points]
    for layer, rows in layers.items():
        groups, at = cut.twin.kinks[layer][1], int(again.layer_ints[layer, START])
        if groups is None or layer == lowest:
            continue
        statuses = again.open_ints[OPEN_STATUS, at : at + len(rows.ids)].tolist()
        for j, unit in enumerate(rows.ids):
            rivals = [i for i, other in enumerate(rows.ids) if i != j and groups[other] == groups[unit]]
            if statuses[j] == INACTIVE:
                seen["relaxed out"] += 1
                pairs = [[(z[layer][unit], z[layer][rows.ids[i]]) for z in every] for i in rivals]
                assert any(is_beaten(values, i < j) for values, i in zip(pairs, rivals, strict=True))
            seen["relaxed open"] += statuses[j] == OPEN


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_against_exact_what_one_relaxed_row_exceeds_another_by(d):
    """No less than it is at any corner, radii and errors of corners included; and hardly more."""
    rng, vertices = np.random.default_rng(d), cube(d) if d > 2 else VERTICES[d]
    level = switches(np.eye(2, d), [0.0, 0.0], [0, 0])
    cut = Cut(graph_problem(Graph((level,)), np.zeros(d), np.eye(d), vertices))
    work, v = cut.work, int(cut.work.state[CORNERS])
    whole = work.points[CELL, :d, :v].T.copy() if d > 2 else work.cell_reals[CELL, :v, :d].copy()
    for _ in range(amount(200, 100)):
        corners, error = whole * rng.choice([1e-9, 0.1]) + rng.uniform(-0.9, 0.9, d), rng.choice([0.0, 1e-12])
        forms, radii = rng.standard_normal((2, d + 1)), rng.choice([0.0, 1e-3, 1e-15]) * rng.random(2)
        if rng.integers(2):  # differences cancel
            forms[1] = forms[0] + 1e-12 * forms[1]
        if d > 2:
            work.points[CELL, :d, :v], work.points[CELL, d, :v] = corners.T, error
            work.open_forms[RELAXED_IN_SPACE, :, :2] = forms[:, :-1].T
        else:
            work.cell_reals[CELL, :v, :d], work.cell_reals[CELL, :v, CORNER_ERROR] = corners, error
            work.open_reals[RELAXED : RELAXED + ONE, :2] = 0.0
            work.open_reals[RELAXED : RELAXED + d, :2] = forms[:, :-1].T
        work.open_reals[RELAXED + ONE, :2], work.open_reals[RADIUS, :2] = forms[:, -1], radii
        found = exceeds(work, 1, 0, *cell_reach(work))
        first, second = exactly(forms)
        gap = [y - x for x, y in zip(first, second, strict=True)]
        true = max(dot(gap, [*corner, Fraction(1)]) for corner in exactly(corners))
        true += sum(exactly(radii)) + Fraction(float(error)) * sum(map(abs, gap[:-1]))
        assert true <= Fraction(float(found)) <= true + Fraction(1, 10**5) * (sum(exactly(radii)) + Fraction(1, 10**5))


def test_laws_relaxed_switches_prove_what_is_plain():
    """In small cells nearly all switches of generic networks are decided."""
    won = total = 0
    for seed in range(amount(30, 10)):
        rng = np.random.default_rng(seed)
        n, m = 8, 9
        first = Level((0,), (rng.standard_normal((n, 2)),), rng.standard_normal(n), relu_slopes(n))
        second = switches(rng.standard_normal((m, n)), rng.standard_normal(m), np.repeat(np.arange(3), 3), 1)
        cut = Cut(graph_problem(Graph((first, second)), np.zeros(2), np.eye(2), SQUARE))
        cut.work.cell_reals[CELL, :4, :2] *= 1e-3
        cut.work.cell_reals[CELL, :4, :2] += rng.uniform(-0.9, 0.9, 2)
        lowest, layers = local_network(cut.work)
        if lowest or not layers[1].ids:
            continue
        work = localised(cut.work)
        at = int(work.layer_ints[1, START])
        statuses = work.open_ints[OPEN_STATUS, at : at + len(layers[1].ids)].tolist()
        won += statuses.count(ACTIVE)
        total += len({unit // 3 for unit in layers[1].ids})
    assert total > 10
    assert won > 0.8 * total


def test_known_candidates_that_are_zero():
    """Activations of neurons that are inactive: of candidates that are zero the first stays, the others are out."""
    first = Level((0,), (np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]]),), np.array([0.1, 0.2, 0.3, 0.0]), relu_slopes(4))
    second = switches(np.eye(4), np.zeros(4), [0] * 4, 1)
    cut = Cut(graph_problem(Graph((first, second)), np.zeros(2), np.eye(2), SQUARE))
    cut.work.cell_reals[CELL, :4, 0] = [-1.0, -0.5, -0.5, -1.0]  # the part where x < -0.5
    work = localised(cut.work)
    at = int(work.layer_ints[1, START])
    assert work.open_ints[OPEN_STATUS, at : at + 4].tolist() == [OPEN, INACTIVE, INACTIVE, OPEN]
