"""The open cells and the threads that work on them.

One thread begins with the whole starting cell. A thread that has nothing to do is given the cell that has waited
longest, and so is the largest, by one that has several; what a thread counts comes in the order of the cells before
what it gave away. So the result and its order are the same for every number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.chart import Start
from creases.engine.driving import Report, drive
from creases.engine.handing import Task, give, load
from creases.engine.oracle import Oracle
from creases.engine.problem import Problem
from creases.engine.start import workspace
from creases.engine.work import (
    BY_NEURON,
    DONE,
    EMIT,
    EXACT_CELLS,
    MORE,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    UNBOUNDED,
    WAITING,
    Work,
)

__all__ = ["Cells", "Stopped", "run"]

# Cells that are cut before a second thread is started; small domains end here.
ALONE = 3000
# Cells between two looks at progress and Ctrl-C: some milliseconds; and between two looks at threads without work.
BUDGET = 20_000
SHARED_BUDGET = 2000


class Stopped(Exception):
    """Raised inside a worker when another one failed or the user pressed Ctrl-C."""


class Cells(NamedTuple):
    """Finished cells as one block: what `cut.emit` wrote, in order."""

    reals: NDArray[np.float64]
    ints: NDArray[np.int64]


class Piece:
    """A part of the starting cell that one thread works on; `next` is the one that follows in the order of cells."""

    def __init__(self, task: Task | None) -> None:
        self.task = task
        self.next: Piece | None = None
        self.result: tuple[Work, Cells] | None = None


class Board:
    """Where threads without work wait, and others leave some for them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Piece] = []
        self._busy = self._idle = 0
        self.failure: BaseException | None = None
        self.wanted = False  # read without the lock: a look that comes late costs a millisecond

    def put(self, piece: Piece) -> None:
        """Leave a piece for whoever is without work."""
        with self._changed:
            self._waiting.append(piece)
            self._busy += 1
            self.wanted = self._idle > len(self._waiting)
            self._changed.notify()

    def take(self) -> Piece | None:
        """A piece to work on, when there is one; None when all is done, or something has failed."""
        with self._changed:
            self._idle += 1
            self.wanted = self._idle > len(self._waiting)
            while not self._waiting and self._busy and self.failure is None:
                self._changed.wait()
            self._idle -= 1
            self.wanted = self._idle > len(self._waiting)
            return self._waiting.pop() if self._waiting and self.failure is None else None

    def done(self) -> None:
        """A piece that was taken is finished."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Everyone is to stop."""
        with self._changed:
            self.failure = self.failure or error
            self._changed.notify_all()


def run(
    problem: Problem,
    start: Start,
    threads: int | None,
    by_neuron: bool,
    emit: bool,
    report: Report,
) -> Iterator[tuple[Work, Cells]]:
    """Cut one starting cell to the end; yield the workspaces that hold the sums, with their cells, in order."""

    def new_oracle() -> Oracle:  # a thread has its own
        return Oracle(problem, start.chart, start.walls)

    work = workspace(problem, start)
    work.state[BY_NEURON], work.state[EMIT] = by_neuron, emit
    oracle = new_oracle()
    workers = threads or os.cpu_count() or 1
    work, status = drive(work, oracle, ALONE, report)
    while status == MORE and workers == 1:
        work, status = drive(work, oracle, BUDGET, report)
    if status == DONE:
        yield work, written(work)
        return
    yield from work_together(work, oracle, new_oracle, workers, report)


def work_together(
    work: Work, oracle: Oracle, new_oracle: Callable[[], Oracle], workers: int, report: Report
) -> Iterator[tuple[Work, Cells]]:
    """Go on with several threads; yield all results in the order of the cells."""
    board, lock = Board(), threading.Lock()
    first = Piece(None)
    board.put(first)

    def found(regions: int) -> None:
        with lock:
            report(regions)

    def labour(mine: Work, oracle: Oracle) -> None:
        try:
            while (piece := board.take()) is not None:
                if piece.task is not None:
                    mine = load(cleared(mine), piece.task)
                    piece.task = None
                mine = finish(mine, oracle, piece, board, found)
                board.done()
        except BaseException as error:
            board.fail(error)

    def others() -> Iterator[threading.Thread]:
        for _ in range(workers - 1):
            yield threading.Thread(target=lambda: labour(fresh(work), new_oracle()), daemon=True)

    threads = [threading.Thread(target=labour, args=(work, oracle), daemon=True), *others()]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
    except BaseException as error:  # Ctrl-C
        board.fail(error)
        for thread in threads:
            thread.join()
        raise
    if board.failure is not None:
        raise board.failure
    piece: Piece | None = first
    while piece is not None:
        assert piece.result is not None  # no thread has failed
        yield piece.result
        piece = piece.next


def finish(work: Work, oracle: Oracle, piece: Piece, board: Board, found: Report) -> Work:
    """Work on a piece to its end, giving away what waits longest as long as others are without work."""
    status = MORE
    while status == MORE:
        if board.failure is not None:
            raise Stopped
        work, status = drive(work, oracle, SHARED_BUDGET, found)
        while status == MORE and board.wanted and work.state[WAITING] > 0:
            given = Piece(give(work))
            given.next, piece.next = piece.next, given
            board.put(given)
    piece.result = sums_of(work), written(work)
    return work


def fresh(work: Work) -> Work:
    """An empty workspace of a thread's own, of the same shape."""
    mine = work._replace(**{name: np.zeros_like(array) for name, array in work._asdict().items()})
    mine.layer_ints[:], mine.twins[:], mine.answers_nc[:] = work.layer_ints, work.twins, 2
    mine.state[:] = work.state
    return mine


def cleared(mine: Work) -> Work:
    """A thread's workspace with its sums at zero."""
    for slot in (UNBOUNDED, EXACT_CELLS, OUT_REALS_TOP, OUT_INTS_TOP):
        mine.state[slot] = 0
    mine.by_layer[:] = 0
    mine.by_neuron[:] = 0
    return mine


def sums_of(work: Work) -> Work:
    """The workspace with copies of its sums, so that its owner may go on."""
    return work._replace(state=work.state.copy(), by_layer=work.by_layer.copy(), by_neuron=work.by_neuron.copy())


def written(work: Work) -> Cells:
    """A copy of what the kernel wrote out; the output is then empty again."""
    cells = Cells(
        work.out_reals[: int(work.state[OUT_REALS_TOP])].copy(),
        work.out_ints[: int(work.state[OUT_INTS_TOP])].copy(),
    )
    work.state[OUT_REALS_TOP] = work.state[OUT_INTS_TOP] = 0
    return cells
