"""Progress of long counts: it grows to the answer, can be stopped, and stays off stdout."""

import _thread
import re
import threading
import time

import pytest

from creases import Box, Network, Polyline, Segment, Space, count, count_many, subdivide
from creases import progress as showing
from creases.engine.loop import frontier
from networks import random_network

SQUARE = Box([-1, -1], [1, 1])
SMALL = Network.from_arrays(*random_network([2, 8, 1], 0, 0.1))
# Large enough to be shared out among threads and to report many times.
LARGE = Network.from_arrays(*random_network([2, 64, 64, 64, 1], 0, 0.1))
# So large that a single thread, which looks up every 20,000 cells, reports many times.
LARGER = Network.from_arrays(*random_network([2, 256, 256, 256, 1], 0, 0.1))


@pytest.fixture
def often(monkeypatch):
    """A single thread looks up every 500 cells, so that LARGE is enough."""
    monkeypatch.setattr(frontier, "BUDGET", 500)


class Stop:
    """A listener that acts once: at its first call, at its third, or at the first that comes from a worker thread."""

    def __init__(self, action, when):
        self.action, self.when, self.calls, self.acted = action, when, 0, False

    def __call__(self, regions):
        self.calls += 1
        in_worker = threading.current_thread() is not threading.main_thread()
        if not self.acted and {"first": True, "third": self.calls > 2, "in worker": in_worker}[self.when]:
            self.acted = True
            self.action()


def grows(seen):
    return all(isinstance(regions, int) for regions in seen) and sorted(seen) == seen


@pytest.mark.jit
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("door", [count, subdivide])
def test_laws_numbers_grow_to_the_answer(door, threads, often):
    seen = []
    found = door(LARGE, SQUARE, threads=threads, progress=seen.append)
    assert len(seen) > 5
    assert grows(seen)
    assert seen[-1] == found.regions == 14353


@pytest.mark.jit
def test_laws_a_single_thread_reports_on_the_way():
    seen = []
    found = count(LARGER, SQUARE, threads=1, progress=seen.append)
    assert len(seen) > 5
    assert grows(seen)
    assert seen[-1] == found.regions == 262431


@pytest.mark.parametrize(
    "domain", [SQUARE, Space(2), Segment([-1, 0], [1, 0.5]), Polyline([[-1, 0], [1, 0], [0, 1]])], ids=repr
)
def test_laws_small_counts_report_too(domain):
    seen = []
    found = count(SMALL, domain, progress=seen.append)
    assert seen
    assert grows(seen)
    # A path is told piece by piece: a corner inside a region is not known yet.
    assert found.regions <= seen[-1] <= found.regions + 1


@pytest.mark.jit
def test_laws_degenerate_counts_report_on_the_way():
    """Cells that need rationals are the slow ones: of them most of all, one wants to know."""
    depth = 13
    sawtooth = Network.from_arrays(
        [[[1], [1]]] + [[[2, -4], [2, -4]]] * (depth - 1), [[0, -0.5]] * depth, output_layer=False
    )
    seen = []
    assert count(sawtooth, Segment([0], [1]), progress=seen.append).regions == 2**depth
    assert len(seen) > 3


def test_laws_one_sum_for_many_counts():
    seen = []
    found = count_many([SMALL, SMALL], [SQUARE, Space(2)], progress=seen.append)
    assert grows(seen)
    assert seen[-1] == sum(one.regions for one in found)


def all_threads_end(before):
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    return threading.active_count() == before


@pytest.mark.jit
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the listener is broken")], ids=repr)
@pytest.mark.parametrize(("threads", "when"), [(1, "first"), (1, "third"), (2, "first"), (2, "in worker")])
@pytest.mark.parametrize("door", [count, subdivide])
def test_laws_stopped_by_the_listener(door, threads, when, error, often):
    """The very error comes out, no thread goes on, and the next count is right."""

    def fail():
        raise error

    before = threading.active_count()
    with pytest.raises(type(error)) as caught:
        door(LARGE, SQUARE, threads=threads, progress=Stop(fail, when))
    assert caught.value is error
    assert all_threads_end(before)
    assert door(LARGE, SQUARE, threads=threads).regions == 14353


@pytest.mark.jit
@pytest.mark.parametrize(("threads", "when"), [(1, "third"), (2, "first"), (2, "in worker")])
def test_laws_stopped_by_ctrl_c(threads, when, often):
    """As the terminal does it: a signal to the main thread, whatever that is waiting for."""
    before = threading.active_count()
    stop = Stop(_thread.interrupt_main, when)
    with pytest.raises(KeyboardInterrupt):
        count(LARGE, SQUARE, threads=threads, progress=stop)
    assert stop.acted
    assert all_threads_end(before)


@pytest.mark.parametrize("progress", [None, False])
def test_known_silent(progress, capsys):
    count(SMALL, SQUARE, progress=progress)
    assert capsys.readouterr() == ("", "")


def test_known_lines_in_a_file(capsys, monkeypatch):
    """Where stderr is no terminal, progress that is asked for is lines: at the end, and on the way."""
    found = count_many(SMALL, [SQUARE, Space(2)], progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    regions = sum(one.regions for one in found)
    assert re.fullmatch(rf"counting: 2 of 2 done, {regions:,} regions in \d+\.\d s\n", err)
    monkeypatch.setattr(showing, "FIRST_LINE_SECONDS", 0.0)
    monkeypatch.setattr(showing, "LINE_SECONDS", 0.0)
    with showing.following(True, 3) as follower:
        follower.found(5)
        follower.say("about 2 s left")
        follower.finish_one()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"counting: 0 of 3 done, 5 regions in \d\.\d s so far", lines[0])
    assert re.fullmatch(r"counting: 1 of 3 done, 5 regions in \d\.\d s so far, about 2 s left", lines[2])
    assert re.fullmatch(r"counting: 1 of 3 done, 5 regions in \d\.\d s", lines[3])


def test_known_lines_are_seconds_apart(capsys, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(showing.time, "perf_counter", lambda: next(clock))
    with showing.following(True, 1) as follower:
        for _ in range(100):
            follower.found(1)
    assert 5 < len(capsys.readouterr().err.splitlines()) < 30


def test_known_bar_on_stderr(capsys, monkeypatch):
    """A bar that is asked for is on stderr only."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal
    monkeypatch.setenv("COLUMNS", "100")
    found = count_many(SMALL, [SQUARE, Space(2)], progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "counting" in err
    assert f"{sum(one.regions for one in found)} regions" in err
    assert "2/2" in err
