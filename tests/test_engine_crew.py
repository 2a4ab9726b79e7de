"""Halves of large networks that are cut side by side: the same sums, errors that reach the caller, threads that end."""

import threading

import numpy as np
import pytest

import creases
from creases import build, lowering
from creases.domain import Plane, Segment
from creases.engine.answers import crew as crews
from creases.engine.answers import driver
from creases.engine.answers.crew import Crew
from creases.engine.graph import Graph


def crew_of(threads, report=lambda regions: None, say=lambda word: None):
    graph = Graph.chain((np.ones((2, 2)),), (np.zeros(2),))
    return Crew(graph, threads, 10, report, say)


def meeting(barrier):
    """Waits for others that do the same: only what runs side by side goes on."""

    def wait():
        barrier.wait(timeout=10)

    return wait


def test_known_as_many_run_side_by_side_as_there_are_threads():
    crew = crew_of(2)
    wait = meeting(threading.Barrier(2))
    assert crew.threads == 2
    busy = []
    crew.side_by_side(lambda: (wait(), busy.append(crew.threads), wait()), lambda: (wait(), wait()))
    assert busy == [1]
    assert crew.threads == 2
    # Four at once with four threads, the first two of which part again.
    crew, wait = crew_of(4), meeting(threading.Barrier(4))
    crew.side_by_side(*[lambda: crew.side_by_side(wait, wait)] * 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_known_without_a_thread_or_memory_one_follows_the_other(threads, monkeypatch):
    monkeypatch.setattr(crews, "free_memory", lambda: 10)
    crew, order = crew_of(threads), []
    crew.side_by_side(
        lambda: order.append(threading.current_thread()), lambda: order.append(threading.current_thread())
    )
    assert order == [threading.current_thread()] * 2


@pytest.mark.parametrize("aside", [False, True])
def test_bad_what_one_raises_ends_the_other(aside):
    """The other goes on until it reports; its own end is not what is raised."""
    crew = crew_of(2)
    begun = threading.Event()

    def fails():
        begun.wait(10)
        raise ValueError("numbers")

    def works():
        begun.set()
        while True:
            crew.report(1)

    with pytest.raises(ValueError, match="numbers"):
        crew.side_by_side(*((works, fails) if aside else (fails, works)))
    assert crew.threads == 2  # no thread is left


def test_bad_ctrl_c_ends_both():
    begun = threading.Event()

    def pressed():
        begun.wait(10)
        raise KeyboardInterrupt

    crew = crew_of(2)

    def works():
        begun.set()
        while True:
            crew.say("level 1")

    with pytest.raises(KeyboardInterrupt):
        crew.side_by_side(pressed, works)
    assert crew.threads == 2  # no thread is left


def test_known_memory_is_asked_for_by_all_that_have_begun(monkeypatch):
    """Two that have taken nothing yet leave all memory free, and still a third must not begin."""
    crew = crew_of(3)
    # Enough for two and a half.
    monkeypatch.setattr(crews, "free_memory", lambda: 5 * crew._needed // 2)
    order = []

    def parts_again():
        crew.side_by_side(lambda: order.append("first"), lambda: order.append("second"))

    wait = meeting(threading.Barrier(2))
    crew.side_by_side(lambda: (wait(), parts_again(), wait()), lambda: (wait(), wait()))
    assert order == ["first", "second"]
    assert crew.threads == 3
    monkeypatch.setattr(crews, "free_memory", lambda: 3 * crew._needed)
    wait = meeting(threading.Barrier(3))
    crew.side_by_side(lambda: crew.side_by_side(wait, wait), wait)


def network_of(seed):
    """A small residual network of convolutions, whose middle of the inputs is a random point."""
    rng = np.random.default_rng(seed)
    h = build.relu(build.conv(build.input(1, 5, 5), rng.normal(size=(3, 1, 3, 3)), rng.normal(size=3), padding=1))
    h = build.relu(build.add(h, build.conv(h, rng.normal(size=(3, 3, 3, 3)) / 3, rng.normal(size=3), padding=1)))
    return build.network(build.dense(build.flatten(h), rng.normal(size=(2, 75))))


@pytest.fixture
def halved(monkeypatch):
    """Networks are cut from operators, and halved again and again."""
    monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
    monkeypatch.setattr(driver, "MOST_SEEN", 8)
    monkeypatch.setattr(driver, "MOST_SEEN_ON_LINE", 8)


@pytest.mark.parametrize("seed", range(4))
def test_differential_any_number_of_threads_counts_the_same(seed, halved):
    points = np.random.default_rng(seed + 30).normal(size=(3, 25))
    for domain in (Segment(points[0], points[1]), Plane.through(*points).square(0.2)):
        # Fresh networks: what is kept of one is made by the threads that need it first.
        found = [creases.count(network_of(seed), domain, progress=False, threads=threads) for threads in (1, 2, 5)]
        assert len({(each.by_layer, each.certified) for each in found}) == 1
        assert found[0].regions > 20
        assert found[0].certified


def test_differential_against_rows_that_are_written_out(monkeypatch):
    points = np.random.default_rng(9).normal(size=(2, 25))
    wanted = creases.count(network_of(0), Segment(points[0], points[1]), progress=False)
    monkeypatch.setattr(lowering, "MOST_ENTRIES", -1)
    monkeypatch.setattr(driver, "MOST_SEEN_ON_LINE", 8)
    found = creases.count(network_of(0), Segment(points[0], points[1]), progress=False)
    assert (found.by_layer, found.certified) == (wanted.by_layer, True)


def test_known_points_between_halves_come_of_the_small_graph(halved, monkeypatch):
    """Only one at which a unit may vanish is looked at with the whole network again, and is not proved."""
    from creases.engine.answers import tally

    asked = []
    whole = tally.Totals.add_point

    def noted(self, tile):
        asked.append(tile)
        whole(self, tile)

    monkeypatch.setattr(tally.Totals, "add_point", noted)
    points = np.random.default_rng(9).normal(size=(2, 25))
    assert creases.count(network_of(0), Segment(points[0], points[1]), progress=False).certified
    assert not asked
    # A unit that is a coordinate vanishes in the middle of this segment.
    x = build.input(1, 5, 5)
    rng = np.random.default_rng(0)
    kernel = np.concatenate([np.zeros((1, 1, 3, 3)), rng.normal(size=(2, 1, 3, 3))])
    kernel[0, 0, 1, 1] = 1.0
    h = build.relu(build.conv(x, kernel, [0.0, 0.3, 0.2], padding=1))
    network = build.network(build.relu(build.dense(build.flatten(h), rng.normal(size=(30, 75)), np.ones(30))))
    ends = rng.normal(size=(2, 25))
    ends[1, 0] = -ends[0, 0]
    found = creases.count(network, Segment(ends[0], ends[1]), progress=False)
    assert asked
    assert not found.certified
    assert found.unproved_signs >= 1
