"""The loop of a cut: its stack, its budget, its arenas and its sums do not change what is counted."""

import numpy as np
import pytest

import reference
from creases.engine.answers.cell_table import cut_into_cells
from creases.engine.answers.tally import tally
from creases.engine.graph import Graph
from creases.engine.loop import frontier
from creases.engine.proof.sharing import shared_units
from creases.engine.proof.signs import UNPROVED
from creases.engine.proof.twins import twins_of
from creases.engine.starts.bounded import bounded_start
from creases.engine.starts.chart import RationalStart
from creases.engine.starts.first_layer import independent_rows
from creases.engine.starts.starting import starts
from creases.engine.starts.workshop import Workshop
from creases.engine.state.cell_layout import (
    CELL,
)
from creases.engine.state.growth import PER_CORNER, grown
from creases.engine.state.network_layout import (
    SCRATCH,
)
from creases.engine.state.row_layout import (
    STATUS,
)
from creases.engine.state.slots import (
    BY_NEURON,
    CORNERS,
    DEPTH,
    EMIT,
    FULL,
    FULL_ARRAY,
    HAVE,
    INTS_TOP,
    NEEDED,
    NETWORK,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    REALS_TOP,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    UNBOUNDED,
    UNPROVED_CELL,
    WAITING,
)
from creases.engine.state.stack import pop
from creases.engine.state.work import (
    Work,
    allocate,
)
from engine_states import INTERVAL, SQUARE, Cut, local_network, one_layer, park, problem_of
from engine_twins import amount
from networks import KINDS, as_lists, he, table

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # without the JIT


def quiet(regions):
    pass


def some_problems(count, seed, n_in=2):
    """Small networks of all kinds, on a square or an interval."""
    for name, weights, biases in table(count, seed, n_in):
        vertices = SQUARE if n_in == 2 else INTERVAL
        yield name, weights, biases, problem_of(weights, biases, np.zeros(n_in), np.eye(n_in), vertices)


def generic_problem(widths, d=2, seed=0, bias=0.1):
    weights, biases = as_lists(he(np.random.default_rng(seed), d, widths=widths, bias=bias))
    return problem_of(weights, biases, np.zeros(d), np.eye(d), SQUARE if d == 2 else INTERVAL)


def sums(work):
    return work.by_layer.tolist(), work.by_neuron.tolist(), int(work.state[UNBOUNDED])


# Budget.


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("emit", [0, 1])
def test_laws_the_budget_changes_nothing(d, emit):
    for name, _, _, problem in some_problems(amount(40, 20), 3, d):
        found = []
        for budget in (1, 2, 7, 10**6):
            cut = Cut(problem)
            cut.work.state[BY_NEURON], cut.work.state[EMIT] = 1, emit
            work = cut.finish(budget)
            written = work.out_reals[: int(work.state[OUT_REALS_TOP])].tolist() if emit else []
            found.append((sums(work), written, work.out_ints[: int(work.state[OUT_INTS_TOP])].tolist()))
        assert all(other == found[0] for other in found), name


@pytest.mark.parametrize("d", [1, 2])
def test_against_exact_sums_by_layer_and_neuron(d):
    """by_layer and by_neuron are the reference's, however cells are counted: as chords, or written out."""
    box = reference.box([-1] * d, [1] * d)
    for name, weights, biases, problem in some_problems(amount(20, 20), 11, d):
        expected = list(reference.layers(weights, biases, box))
        for emit, neurons in ((0, 0), (0, 1), (1, 1)):
            cut = Cut(problem)
            cut.work.state[BY_NEURON], cut.work.state[EMIT] = neurons, emit
            by_layer, by_neuron, _ = sums(cut.finish())
            assert by_layer == [len(regions) for regions, _ in expected], name
            assert by_neuron == [n * neurons for _, cutting in expected for n in cutting], name


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("neurons", [0, 1])
def test_laws_dead_neurons_need_no_rationals(d, neurons):
    """A neuron without weights and bias, in any layer above the first, is as good as none."""
    weights, biases = as_lists(he(np.random.default_rng(1), d, widths=(12, 11, 10), bias=0.3))
    found = []
    for dead in (False, True):
        if dead:
            for layer in (1, 2):
                weights[layer] = [*weights[layer], [0.0] * len(weights[layer][0])]
                biases[layer] = [*biases[layer], 0.0]
                if layer == 1:
                    weights[2] = [[*row, 1.0] for row in weights[2]]
        cut = Cut(problem_of(weights, biases, np.zeros(d), np.eye(d), SQUARE if d == 2 else INTERVAL))
        cut.work.state[BY_NEURON] = neurons
        statuses = list(cut.steps(10**6))
        assert UNPROVED_CELL not in statuses
        found.append(cut.work.by_layer.tolist())
    assert found[0] == found[1]


def test_laws_layers_above_change_nothing_below():
    problem = generic_problem((10, 9, 8, 7, 6))
    whole = Cut(problem).finish().by_layer.tolist()
    for depth in range(1, 5):
        below = problem._replace(graph=Graph(problem.graph.levels[:depth]))
        assert Cut(below).finish().by_layer.tolist() == whole[:depth]
    assert whole == sorted(whole)


def test_laws_written_cells_are_those_that_are_counted():
    for d in (1, 2):
        problem = generic_problem((12, 12, 12), d)
        counted = Cut(problem).finish()
        cut = Cut(problem)
        cut.work.state[EMIT] = 1
        work = cut.finish()
        assert work.by_layer.tolist() == counted.by_layer.tolist()
        numbers, at, cells, corners = work.out_ints[: int(work.state[OUT_INTS_TOP])].tolist(), 0, set(), 0
        while at < len(numbers):
            count = numbers[at]
            at += 1 + 2 * count + 1  # one word of pattern
            cells.add(numbers[at - 1])
            corners += count
        assert len(cells) == work.by_layer[-1]
        assert corners * (d + 1) == work.state[OUT_REALS_TOP]


# Arrays that are full.


def shrunk(work, name):
    """The workspace with one array (or those with an axis of corners) as small as what is in it."""
    state = work.state
    corners = int(state[CORNERS])
    keep = {
        "reals": int(state[REALS_TOP]) + SCRATCH,
        "ints": int(state[INTS_TOP]),
        "stack_reals": int(state[STACK_REALS_TOP]),
        "stack_ints": int(state[STACK_INTS_TOP]),
        "out_reals": 0,
        "out_ints": 0,
    }
    if name != "cell_reals":
        return work._replace(**{name: getattr(work, name)[: keep[name]].copy()})
    widest = work.row_ints.shape[1]
    return work._replace(
        cell_reals=work.cell_reals[:, :corners].copy(),
        cell_ints=work.cell_ints[:, :corners].copy(),
        values_nc=work.values_nc[:, :corners].copy(),
        answers_nc=work.answers_nc[:, :corners].copy(),
        asks=work.asks[: corners * widest].copy(),
    )


GROWING = ("reals", "ints", "stack_reals", "stack_ints", "cell_reals", "out_reals", "out_ints")


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("name", GROWING)
def test_laws_a_full_array_grows_and_nothing_is_lost(name, d):
    """Each array begins with no room at all; the kernel says which one is full, and ends with the same sums."""
    widths = (14, 12, 10) if d == 1 or name == "out_reals" else (8, 8, 8)
    problems = [generic_problem(widths, d, bias=0.5), *(p for *_, p in some_problems(20, 5, d))]
    grew = 0
    for problem in problems:
        expected, found = Cut(problem), Cut(problem)
        for cut in (expected, found):
            cut.work.state[EMIT] = cut.work.state[BY_NEURON] = 1
        found.work = shrunk(found.work, name)
        small = getattr(found.work, name).size
        assert sums(found.finish(3)) == sums(expected.finish(3))
        for written in ("out_reals", "out_ints"):
            assert (getattr(found.work, written)[:100] == getattr(expected.work, written)[:100]).all()
        grew += getattr(found.work, name).size > small
    assert grew > 0


def test_known_which_array_is_full():
    cut = Cut(generic_problem((6, 6)))
    cut.work = shrunk(cut.work, "stack_ints")
    assert (cut.work.state[HAVE], cut.work.state[WAITING]) == (1, 0)
    while park(cut.work) == FULL:
        assert Work._fields[int(cut.work.state[FULL_ARRAY])] == "stack_ints"
        cut.work = grown(cut.work)
    assert cut.work.state[HAVE] == 0


def test_laws_arrays_with_corners_grow_together():
    """What was in them stays in its place; a new corner has no answer."""
    cut = Cut(generic_problem((6, 9, 4)))
    rng, before = np.random.default_rng(0), cut.work
    names = [name for name in PER_CORNER if name in Work._fields]
    for name in names:
        array = getattr(before, name)
        array[:] = rng.integers(-1, 2, array.shape)
    before.state[FULL_ARRAY], before.state[NEEDED] = Work._fields.index("cell_reals"), 37
    after = grown(before)
    for name, array in before._asdict().items():
        new = getattr(after, name)
        if name in PER_CORNER:
            assert (new[tuple(slice(n) for n in array.shape)] == array).all(), name
        else:
            assert new is array, name
    new = allocate([6, 9, 4], 2, 37)
    assert all(getattr(after, name).shape == getattr(new, name).shape for name in Work._fields if name in PER_CORNER)
    assert (after.answers_nc[:, before.answers_nc.shape[1] :] == UNPROVED).all()
    assert (new.answers_nc == UNPROVED).all()
    corners = {
        name for name in Work._fields if getattr(new, name).shape != getattr(allocate([6, 9, 4], 2, 16), name).shape
    }
    assert corners == set(names)


# The stack.


def snapshot(work):
    """All that makes the current cell."""
    net = int(work.state[NETWORK])
    lowest, layers = local_network(work, net)
    corners, rows = int(work.state[CORNERS]), len(layers[lowest].ids) if lowest < work.state[DEPTH] else 0
    return (
        lowest,
        layers,
        work.cell_reals[CELL, :corners].tolist(),
        work.cell_ints[CELL, :corners].tolist(),
        work.row_ints[STATUS, :rows].tolist(),
        work.pattern.tolist(),
        work.state[[NETWORK, REALS_TOP, INTS_TOP]].tolist() if rows else [],
    )


@pytest.mark.parametrize("d", [1, 2])
def test_laws_park_and_pop_bring_the_cell_back(d):
    """Whatever the cell: parked, with rubbish left in its place, and taken back."""
    parked, deepest = 0, 0
    for seed in range(amount(6, 3)):
        cut = Cut(generic_problem((9, 8, 7), d, seed, bias=0.3))
        for _ in cut.steps(limit=60):
            work = cut.work
            if not work.state[HAVE]:
                continue
            before, waiting = snapshot(work), int(work.state[WAITING])
            tops = work.state[[STACK_REALS_TOP, STACK_INTS_TOP]].tolist()
            while park(work) == FULL:
                cut.work = work = grown(work)
            assert (work.state[HAVE], work.state[WAITING]) == (0, waiting + 1)
            for array in (work.cell_reals, work.cell_ints, work.row_ints, work.pattern):
                array[:] = -7
            pop(work)
            assert (work.state[HAVE], work.state[WAITING]) == (1, waiting)
            assert work.state[[STACK_REALS_TOP, STACK_INTS_TOP]].tolist() == tops
            assert snapshot(work) == before
            parked, deepest = parked + 1, max(deepest, waiting)
    assert parked > 30
    assert deepest >= 3


@pytest.mark.parametrize("d", [1, 2])
def test_laws_parking_after_every_step_changes_no_count(d):
    for seed in range(amount(4, 2)):
        problem = generic_problem((9, 8, 7), d, seed)
        cut = Cut(problem)
        for _ in cut.steps():
            if cut.work.state[HAVE]:
                while park(cut.work) == FULL:
                    cut.work = grown(cut.work)
        assert cut.work.by_layer.tolist() == Cut(problem).finish().by_layer.tolist()


@pytest.mark.parametrize("d", [1, 2])
def test_laws_memory_does_not_grow_with_the_count(d):
    """A cell taken off the stack gives back the arenas of the cells that went before it."""
    cut = Cut(generic_problem((14, 12, 10) if d == 2 else (30, 30, 30), d, bias=0.5))
    root, most, cells = int(cut.work.state[REALS_TOP]), 0, 0
    for _ in cut.steps():
        most, cells = max(most, int(cut.work.state[REALS_TOP])), cells + 1
    assert cells > 50
    assert most < 4 * root


# Whole planes and threads.


def test_against_exact_sums_on_whole_planes():
    space, asked = reference.space(2), 0
    for name, weights, biases, problem in some_problems(len(KINDS), 21):
        problem = problem._replace(vertices=None)
        if len(independent_rows(problem)) < 2:
            continue
        expected = list(reference.layers(weights, biases, space))
        by_layer, unbounded = np.zeros(len(biases), int), 0
        for start in starts(problem, Workshop()):
            if isinstance(start, RationalStart):
                break
            work = Cut(problem, start).finish(5)
            by_layer, unbounded = by_layer + work.by_layer, unbounded + int(work.state[UNBOUNDED])
        else:
            asked += 1
            assert by_layer.tolist() == [len(regions) for regions, _ in expected], name
            assert unbounded == sum(not region.bounded for region in expected[-1][0]), name
    assert asked > 10


@pytest.mark.jit
def test_laws_threads_change_nothing(handed_over):
    problem = generic_problem((40, 40, 40))
    found = []
    for threads in (1, 2, 5):
        found.append(tally(problem, threads=threads, by_neuron=True, report=quiet))
        assert bool(handed_over) == (threads > 1)
        handed_over.clear()
    assert found[0] == found[1] == found[2]
    alone = Cut(problem)
    alone.work.state[BY_NEURON] = 1
    assert alone.finish().by_layer.tolist() == found[0].by_layer
    assert alone.work.by_neuron.tolist() == [n for layer in found[0].by_neuron for n in layer]


@pytest.mark.jit
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_laws_threads_find_the_same_cells_in_the_same_order(d, whole, ties, handed_over):
    """One thread works through the stack, many on tasks of their own: every array of the table is the same."""
    rng = np.random.default_rng(d)
    widths = (40, 30, 20) if d == 2 else (150, 100, 100)
    weights, biases = as_lists(he(rng, d, widths=widths, bias=0.3))
    if ties:  # some neurons twice, and lines through one point
        weights[0][1::2], biases[0][1::2] = weights[0][::2], biases[0][::2]
        weights[0], biases[0] = np.rint(8 * np.array(weights[0])) / 8, np.rint(8 * np.array(biases[0])) / 8
    vertices = None if whole else SQUARE if d == 2 else INTERVAL
    problem = problem_of(weights, biases, np.zeros(d), np.eye(d), vertices)
    one = cut_into_cells(problem, threads=1, report=quiet)
    assert handed_over == []
    for threads in (2, 5):
        other = cut_into_cells(problem, threads=threads, report=quiet)
        assert handed_over
        handed_over.clear()
        for name in ("first", "corners", "at_infinity", "edges", "patterns"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert one.tally == other.tally
    counts = [tally(problem, threads=threads, by_neuron=False, report=quiet) for threads in (1, 2, 5)]
    assert counts[0] == counts[1] == counts[2]
    assert counts[0].by_layer == one.tally.by_layer


# What cuts share.


@pytest.mark.parametrize("d", [1, 2])
def test_laws_a_used_workspace_counts_as_a_new_one(d):
    """Networks of one shape one after the other, bounded and whole, whatever the one before has left behind."""
    workshop, for_whole_networks, used = Workshop(), Workshop(), set()
    for name, weights, biases, _ in some_problems(3 * len(KINDS), 29, d):
        weights, biases = of_shape(weights, biases, d, (7, 6, 5))
        for vertices in (SQUARE if d == 2 else INTERVAL, None):
            problem = problem_of(weights, biases, np.zeros(d), np.eye(d), vertices)
            for neurons in (True, False):
                alone = tally(problem, threads=1, by_neuron=neurons, report=quiet)
                assert tally(problem, threads=1, by_neuron=neurons, report=quiet, workshop=workshop) == alone, name
            if shared_units(problem.graph) is None:  # else there are fewer neurons, and another workspace
                spare = {"by_neuron": False, "workshop": for_whole_networks}
                assert tally(problem, threads=1, report=quiet, **spare).by_layer == alone.by_layer
        used |= {id(work.by_layer) for work in for_whole_networks._spare[d]}
    # A plane that turns out to be a line has one of its own.
    assert len(used) == 1


def of_shape(weights, biases, n_in, widths):
    """The network with its layers cut, or filled by repeating their rows and columns, to these widths."""
    sizes = [n_in, *widths]
    layers = [min(i, len(weights) - 1) for i in range(len(widths))]
    return (
        [np.resize(np.array(weights[i], float), (b, a)) for i, a, b in zip(layers, sizes, widths, strict=False)],
        [np.resize(np.array(biases[i], float), b) for i, b in zip(layers, widths, strict=True)],
    )


@pytest.mark.jit
def test_laws_threads_share_a_workshop(monkeypatch):
    monkeypatch.setattr(frontier, "ALONE", 100)
    workshop = Workshop()
    problems = [generic_problem((40, 40, 40), seed=seed) for seed in range(3)]
    alone = [tally(problem, threads=1, by_neuron=True, report=quiet) for problem in problems]
    for _ in range(2):
        assert [tally(p, threads=3, by_neuron=True, report=quiet, workshop=workshop) for p in problems] == alone
    # One for each thread at most, however many counts there were; a thread that comes late has nothing to do.
    assert 1 <= len(workshop._spare[2]) <= 3


def test_laws_a_workshop_knows_networks_and_domains_apart():
    """Twins belong to the graph that they were found in, a starting cell to its vertices."""
    workshop = Workshop()
    twice, once = one_layer([[1.0, 2.0, 3.0]] * 2), one_layer([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0]])
    for problem, expected in ((twice, [0, 1]), (once, [0, 0]), (twice, [0, 1])):
        assert twins_of(problem.graph).tolist() == expected
    for vertices in (SQUARE, SQUARE / 3, SQUARE[:3], SQUARE):
        assert np.array_equal(workshop.bounded_start(vertices).corners, bounded_start(vertices).corners)


# Numbers at the ends of what floats hold: each of these was counted wrongly once, or might be.

ENDS_OF_FLOATS = {
    "one zero twice, |h| 1e308 in one row": ([[[1e308], [1.0]]], [[0.0, 0.0]], 2),
    "one line twice, |h| 1e308 in one row": ([[[1e308, 0.0], [1.0, 0.0]]], [[0.0, 0.0]], 2),
    "the corner (1e-330, 0) is not the origin": (
        [[[1e200, 0.0], [0.0, 1e100], [1.0, 0.0], [1e150, 1e150]]],
        [[-1e-130, 0.0, 0.0, -5e-181]],
        10,
    ),
    "a product of couplings underflows": (
        [[[1e300], [0.0], [0.0]], [[1e-200, 0.0, 0.0]], [[1e-200]]],
        [[0.0, -1.0, -1.0], [1e100], [-1.5e-100]],
        3,
    ),
    "a product of couplings underflows, of provable sizes": (
        [[[1e290], [0.0], [0.0]], [[1e-200, 0.0, 0.0]], [[1e-200]]],
        [[0.0, -1.0, -1.0], [1e90], [-1.5e-110]],
        3,
    ),
    "products of a determinant underflow": (
        [[[1e-162, 0.0], [0.0, 5.4e-162], [0.0, 5.4e-162], [1e300, 0.0]], [[0.0, 0.0, 0.0, 0.0]]],
        [[-0.5e-162, -2.7e-162, -3.24e-162, -0.55e300], [1.0]],
        9,
    ),
    "a neuron above 1e305": ([[[1e308], [0.0], [0.0]], [[1e-306, 0.0, 0.0]]], [[0.0, -1.0, -1.0], [-50.0]], 3),
    "the smallest weight": ([[[5e-324]]], [[0.0]], 2),
}


@pytest.mark.parametrize("name", ENDS_OF_FLOATS)
def test_known_counts_at_the_ends_of_floats(name):
    weights, biases, regions = ENDS_OF_FLOATS[name]
    d = len(weights[0][0])
    vertices = SQUARE if d == 2 else INTERVAL
    problem = problem_of(weights, biases, np.zeros(d), np.eye(d), vertices)
    assert reference.count(weights, biases, reference.box([-1] * d, [1] * d)) == regions
    for emit in (0, 1):
        cut = Cut(problem)
        cut.work.state[EMIT] = emit
        assert cut.finish().by_layer[-1] == regions


@pytest.mark.parametrize("weight", [1.0, 1e300])
def test_known_counts_on_a_box_with_a_denormal_corner(weight):
    """x - 5e-324 is not negative anywhere on [5e-324, 4]."""
    problem = problem_of([[[weight]]], [[-5e-324]], [0.0], [[1.0]], np.array([[5e-324], [4.0]]))
    assert Cut(problem).finish().by_layer.tolist() == [1]
