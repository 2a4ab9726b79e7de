"""The open cells of a starting cell, shared among threads.

One thread begins with the whole starting cell. A thread without work gets a cell from one that has several: the cell
that has waited longest, which is the largest. In the order of cells a thread's own results stand before those of the
cells it gave away. So the result and its order are the same for every number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from creases.engine.loop.drive import Report, drive
from creases.engine.loop.oracle import Oracle
from creases.engine.problem import Problem
from creases.engine.starts.chart import AnyStart
from creases.engine.starts.starting import workspace
from creases.engine.starts.workshop import Workshop
from creases.engine.state.handing import WaitingCell, give, load
from creases.engine.state.slots import (
    BY_NEURON,
    DONE,
    EMIT,
    EXACT_CELLS,
    MORE,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    UNBOUNDED,
    UNPROVED_SIGNS,
    WAITING,
)
from creases.engine.state.work import (
    AnyWork,
)

__all__ = ["CellKeeper", "Stopped", "run"]

# Cells that are cut before a second thread is started; small domains end here.
ALONE = 3000
# Cells between two looks at progress and Ctrl-C: some milliseconds; and between two looks at threads without work.
BUDGET = 20_000
SHARED_BUDGET = 2000
# Numbers that there is room for in the output, where cells are written out: enough for a budget of cells.
OUT_REALS, OUT_INTS = 10 * BUDGET, 16 * BUDGET


class CellKeeper(Protocol):
    """Makes blocks of the finished cells in a workspace's output."""

    def take(self, work: Any) -> Any:
        """The cells since the last time, as one block; the workspace's output is then empty again."""


class Stopped(Exception):
    """Raised in a thread when another one failed, or the user pressed Ctrl-C."""


class Share:
    """A part of the starting cell that one thread works on; `next` is the one that follows in the order of cells."""

    def __init__(self, task: WaitingCell | None) -> None:
        self.task = task
        self.next: Share | None = None
        self.sums: AnyWork | None = None
        self.blocks: list[Any] = []


class Board:
    """The shares that wait for a thread. Threads with several cells put some here; threads without work take them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Share] = []
        self._busy = self._idle = 0
        self.failure: BaseException | None = None
        self.wanted = False  # read without the lock: a look that comes late costs a millisecond

    def put(self, share: Share) -> None:
        """Leave a share for a thread without work."""
        with self._changed:
            self._waiting.append(share)
            self._busy += 1
            self.wanted = self._idle > len(self._waiting)
            self._changed.notify()

    def take(self) -> Share | None:
        """A share to work on, when there is one; None when all is done, or something has failed."""
        with self._changed:
            self._idle += 1
            self.wanted = self._idle > len(self._waiting)
            while not self._waiting and self._busy and self.failure is None:
                self._changed.wait()
            self._idle -= 1
            self.wanted = self._idle > len(self._waiting)
            return self._waiting.pop() if self._waiting and self.failure is None else None

    def done(self) -> None:
        """A share that was taken is finished."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Tell all threads to stop."""
        with self._changed:
            self.failure = self.failure or error
            self._changed.notify_all()


class Helpers(NamedTuple):
    """A thread's own helpers.

    oracle : answers the questions of the loop. keeper : makes blocks of finished cells; None if they are only counted.
    """

    oracle: Oracle
    keeper: CellKeeper | None


def run(
    problem: Problem,
    start: AnyStart,
    threads: int | None,
    by_neuron: bool,
    keep: Callable[[], CellKeeper] | None,
    report: Report,
    workshop: Workshop,
    most_open: int | None = None,
) -> Iterator[tuple[AnyWork, list[Any]]]:
    """Cut one starting cell to the end; yield the workspaces that hold the sums, with their cells, in order.

    keep : makes a `CellKeeper`, one for each thread; None if finished cells are only counted.
    workshop : lends the workspaces; those that are yielded return to it.
    most_open : how many units of a graph may be open on the cell, if it matters. Raises LargeRoot at once if more are.
    """

    def new_helpers() -> Helpers:  # a thread has its own
        return Helpers(Oracle(problem, start.chart, start.walls), None if keep is None else keep())

    work = workspace(problem, start, workshop, most_open)
    work.state[BY_NEURON], work.state[EMIT] = by_neuron, keep is not None
    if keep is not None:
        work = work._replace(out_reals=np.zeros(OUT_REALS), out_ints=np.zeros(OUT_INTS, np.int64))
    helpers = new_helpers()
    workers = threads or os.cpu_count() or 1
    work, status = drive(work, helpers.oracle, ALONE, report)
    blocks = taken(work, helpers.keeper)
    while status == MORE and workers == 1:
        work, status = drive(work, helpers.oracle, BUDGET, report)
        blocks += taken(work, helpers.keeper)
    if status == DONE:
        yield work, blocks
        workshop.give_back(work)
        return
    yield from work_together(work, helpers, new_helpers, workers, report, blocks, workshop)


def work_together(
    work: AnyWork,
    helpers: Helpers,
    new_helpers: Callable[[], Helpers],
    workers: int,
    report: Report,
    blocks: list[Any],
    workshop: Workshop,
) -> Iterator[tuple[AnyWork, list[Any]]]:
    """Go on with several threads; yield all results in the order of the cells, `blocks` first."""
    board, lock = Board(), threading.Lock()
    first = Share(None)
    first.blocks = blocks
    # The stack of `work` is the first share: its own thread takes it, however late that one starts.
    board.put(first)
    board.take()

    def tell(regions: int) -> None:
        if board.failure is not None:
            raise Stopped
        with lock:
            report(regions)

    def labour(mine: AnyWork, own: Helpers, share: Share | None) -> None:
        try:
            while share is not None:
                if share.task is not None:
                    mine = load(cleared(mine), share.task)
                    share.task = None
                mine = finish_share(mine, own, share, board, tell)
                board.done()
                share = board.take()
            workshop.give_back(mine)
        except BaseException as error:
            board.fail(error)

    def join_in() -> None:
        labour(workshop.take_like(work), new_helpers(), board.take())

    threads = [threading.Thread(target=labour, args=(work, helpers, first), daemon=True)]
    threads += [threading.Thread(target=join_in, daemon=True) for _ in range(workers - 1)]
    started: list[threading.Thread] = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
    except BaseException as error:  # Ctrl-C, or no room for one more thread
        board.fail(error)
        for thread in started:
            thread.join()
        raise
    if board.failure is not None:
        raise board.failure
    share: Share | None = first
    while share is not None:
        assert share.sums is not None  # no thread has failed
        yield share.sums, share.blocks
        share = share.next


def finish_share(work: AnyWork, helpers: Helpers, share: Share, board: Board, report: Report) -> AnyWork:
    """Work on a share to its end, and give the cells that have waited longest to threads without work."""
    status = MORE
    while status == MORE:
        if board.failure is not None:
            raise Stopped
        work, status = drive(work, helpers.oracle, SHARED_BUDGET, report)
        share.blocks += taken(work, helpers.keeper)
        while status == MORE and board.wanted and work.state[WAITING] > 0:
            given = Share(give(work))
            given.next, share.next = share.next, given
            board.put(given)
    share.sums = sums_of(work)
    return work


def cleared(mine: AnyWork) -> AnyWork:
    """A thread's workspace with its sums at zero."""
    for slot in (UNBOUNDED, EXACT_CELLS, UNPROVED_SIGNS, OUT_REALS_TOP, OUT_INTS_TOP):
        mine.state[slot] = 0
    mine.by_layer[:] = 0
    mine.by_neuron[:] = 0
    return mine


def sums_of(work: AnyWork) -> AnyWork:
    """The workspace with copies of its sums, so that its owner may go on."""
    return work._replace(state=work.state.copy(), by_layer=work.by_layer.copy(), by_neuron=work.by_neuron.copy())


def taken(work: AnyWork, keeper: CellKeeper | None) -> list[Any]:
    """The finished cells since the last call, as a list of one block; an empty list if there are none or no keeper."""
    return [keeper.take(work)] if keeper is not None and work.state[OUT_INTS_TOP] > 0 else []
