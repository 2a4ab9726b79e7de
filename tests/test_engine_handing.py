"""Cells that threads hand to one another: nothing is lost on the way, and it does happen."""

import numpy as np
import pytest

import creases
from creases import Box, Directions, Network, Space, build
from creases.engine.answers.cell_table import cut_into_cells
from creases.engine.answers.tally import tally
from creases.engine.starts.workshop import Workshop
from creases.engine.state.handing import give, load
from creases.engine.state.slots import (
    BY_NEURON,
    WAITING,
    WORDS,
)
from engine_states import INTERVAL, SQUARE, Cut, problem_of
from networks import as_lists, he


def problem(d, widths, seed=0):
    weights, biases = as_lists(he(np.random.default_rng(seed), d, widths=widths, bias=0.3))
    return problem_of(weights, biases, np.zeros(d), np.eye(d), SQUARE if d == 2 else INTERVAL)


def quiet(_regions):
    pass


def sums(work):
    return work.by_layer.copy(), work.by_neuron.copy()


@pytest.mark.parametrize(("d", "widths"), [(1, (40, 30)), (2, (8, 7, 6))])
def test_laws_what_is_given_and_what_is_kept_add_up(d, widths):
    """After some steps one waiting cell goes to another workspace, and each finishes its own."""
    whole = tally(problem(d, widths), threads=1, by_neuron=True, report=quiet)
    handed = 0
    for steps in range(1, 60, 3):
        giver = Cut(problem(d, widths))
        giver.work.state[BY_NEURON] = 1
        for _ in giver.steps(limit=steps):
            pass
        if giver.work.state[WAITING] == 0:
            continue
        taker = Cut(problem(d, widths))
        taker.work = Workshop().take_like(giver.work)
        waiting = int(giver.work.state[WAITING])
        taker.work = load(taker.work, give(giver.work))
        assert (giver.work.state[WAITING], taker.work.state[WAITING]) == (waiting - 1, 1)
        giver.finish()
        taker.finish()
        total = [a + b for a, b in zip(sums(giver.work), sums(taker.work), strict=True)]
        assert total[0].tolist() == whole.by_layer
        assert total[1].tolist() == [n for layer in whole.by_neuron for n in layer]
        handed += 1
    assert handed > 5


def test_laws_the_cell_that_has_waited_longest_is_given():
    """It is the largest: its record is the first on the stack, and its pattern that of the first cell put there."""
    cut = Cut(problem(2, (12, 10)))
    first = None
    for _ in cut.steps(limit=30):
        waiting = int(cut.work.state[WAITING])
        if waiting and first is None:
            first = cut.work.stack_ints[: int(cut.work.state[WORDS]) + 60].copy()
        if waiting >= 3:
            break
    assert waiting >= 3
    task = give(cut.work)
    assert np.array_equal(task.record_ints[:3], first[:3])


@pytest.mark.jit
@pytest.mark.parametrize("answer", [tally, cut_into_cells])
def test_laws_cells_are_handed_over(answer, handed_over):
    """Without this, a test that threads change nothing would pass with a second thread that never works."""
    work = problem(2, (64, 64, 64))
    more = {"by_neuron": True} if answer is tally else {}
    alone = answer(work, threads=1, report=quiet, **more)
    assert handed_over == []
    together = answer(work, threads=3, report=quiet, **more)
    assert len(handed_over) > 2
    one, other = (found if answer is tally else found.tally for found in (alone, together))
    assert one == other
    if answer is cut_into_cells:
        assert all(np.array_equal(a, b) for a, b in zip(alone[:-1], together[:-1], strict=True))


def with_switches(n_in):
    """Neurons of two slopes, a switch of three, and a skip."""
    rng = np.random.default_rng(n_in)
    n = 90 if n_in == 2 else 18
    h = build.leaky_relu(build.dense(build.input(n_in), rng.normal(size=(n, n_in)), rng.normal(size=n) / 2), -0.5)
    top = build.maxout(build.dense(h, rng.normal(size=(n, n)) / 4, rng.normal(size=n)), 3)
    return build.network(build.relu(build.add(build.dense(top, rng.normal(size=(n, n // 3))), h)))


@pytest.mark.jit
@pytest.mark.parametrize(
    ("network", "domain"),
    [
        (Network.he([3, 24, 24, 1], seed=1, bias_std=0.3), Box([-1] * 3, [1] * 3)),
        (Network.he([3, 16, 16, 1], seed=1, bias_std=0.3), Space(3)),
        (Network.he([4, 20, 20, 1], seed=1, bias_std=0.0), Directions(4)),
        (with_switches(2), Box([-1] * 2, [1] * 2)),
        (with_switches(3), Box([-1] * 3, [1] * 3)),
    ],
    ids=["cube", "space", "directions", "switches", "switches in space"],
)
def test_laws_cells_are_handed_over_on_every_domain(network, domain, handed_over):
    alone = creases.count(network, domain, threads=1, by_neuron=True, progress=False)
    assert handed_over == []
    together = creases.count(network, domain, threads=3, by_neuron=True, progress=False)
    assert len(handed_over) > 2
    assert (together.by_layer, together.by_neuron) == (alone.by_layer, alone.by_neuron)
    assert (together.unbounded, together.certified) == (alone.unbounded, alone.certified)
