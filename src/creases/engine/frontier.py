"""The open cells and the threads that work on them.

The first cells are cut here; when there are more than one thread's worth, the waiting cells become tasks.
The tasks are the same for every number of threads, so the result and its order are too.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.engine.blocks import Block, Keeper
from creases.engine.chart import Start
from creases.engine.driving import Report, drive, grown
from creases.engine.oracle import Oracle
from creases.engine.problem import Problem
from creases.engine.stack import park
from creases.engine.start import workspace
from creases.engine.work import (
    BY_NEURON,
    DONE,
    EMIT,
    EXACT_CELLS,
    FULL,
    HAVE,
    INTS_TOP,
    MORE,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    REALS_TOP,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    UNBOUNDED,
    WAITING,
    Work,
)

__all__ = ["Stopped", "run"]

# Cells that are cut before the work is shared out; small domains end here.
ALONE = 3000
# Rounds in which every waiting cell is split once more, so that the tasks are many and small.
ROUNDS = 3
# Cells between two looks at progress and Ctrl-C: some milliseconds.
BUDGET = 20_000
# Numbers that there is room for in the output, where cells are written out: what a budget of cells needs.
OUT_REALS, OUT_INTS = 10 * BUDGET, 16 * BUDGET


class Stopped(Exception):
    """Raised inside a worker when another one failed or the user pressed Ctrl-C."""


class Task(NamedTuple):
    """One waiting cell: its record on the stack, and the arenas that its local network lives in."""

    reals: NDArray[np.float64]
    ints: NDArray[np.int64]


def run(
    problem: Problem,
    start: Start,
    threads: int | None,
    by_neuron: bool,
    keep: bool,
    report: Report,
) -> Iterator[tuple[Work | None, list[Block]]]:
    """Cut one starting cell to the end; yield the workspaces that hold the sums, with their cells, in order.

    keep : whether the cells are wanted.
    """

    def new_helpers() -> tuple[Oracle, Keeper | None]:  # a thread has its own
        return Oracle(problem, start.chart, start.walls), Keeper(problem, start) if keep else None

    work = workspace(problem, start)
    work.state[BY_NEURON], work.state[EMIT] = by_neuron, keep
    if keep:
        work = work._replace(out_reals=np.zeros(OUT_REALS), out_ints=np.zeros(OUT_INTS, np.int64))
    oracle, keeper = new_helpers()
    work, status = drive(work, oracle, ALONE, report)
    workers = threads or os.cpu_count() or 1
    while status == MORE and workers == 1:  # the order in which a single thread comes to the cells is that of the tasks
        yield None, taken(work, keeper)
        work, status = drive(work, oracle, BUDGET, report)
    first = taken(work, keeper)
    if status == DONE:
        yield work, first
        return
    work, items = share_out(work, oracle, keeper, report)
    yield sums_of(work), first
    yield from work_together(work, items, new_helpers, workers, report)


def waiting_cells(work: Work) -> list[Task]:
    """Take all cells off the stack, in the order in which the loop would go on with them."""
    tasks = []
    end = int(work.state[STACK_INTS_TOP])
    reals_end = int(work.state[STACK_REALS_TOP])
    columns = work.cell_reals.shape[2]
    while end > 0:
        begin = int(work.stack_ints[end - 1])
        reals_begin = reals_end - int(work.stack_ints[begin]) * columns
        tasks.append(Task(work.stack_reals[reals_begin:reals_end].copy(), work.stack_ints[begin:end].copy()))
        end, reals_end = begin, reals_begin
    work.state[STACK_INTS_TOP] = work.state[STACK_REALS_TOP] = work.state[WAITING] = 0
    return tasks


def load(work: Work, task: Task) -> Work:
    """Put a task's cell on the (empty) stack; what stands in the arenas now stays."""
    while work.stack_ints.size < task.ints.size:
        work = work._replace(stack_ints=np.zeros(2 * work.stack_ints.size, np.int64))
    while work.stack_reals.size < task.reals.size:
        work = work._replace(stack_reals=np.zeros(2 * work.stack_reals.size, np.float64))
    work.stack_ints[: task.ints.size] = task.ints
    work.stack_ints[2], work.stack_ints[3] = work.state[REALS_TOP], work.state[INTS_TOP]
    work.stack_ints[task.ints.size - 1] = 0
    work.stack_reals[: task.reals.size] = task.reals
    work.state[STACK_INTS_TOP], work.state[STACK_REALS_TOP] = task.ints.size, task.reals.size
    work.state[WAITING], work.state[HAVE] = 1, 0
    return work


def parked(work: Work) -> Work:
    """The workspace with its current cell put back on the stack."""
    while work.state[HAVE] and park(work) == FULL:
        work = grown(work)
    return work


def share_out(work: Work, oracle: Oracle, keeper: Keeper | None, report: Report) -> tuple[Work, list[Task | Block]]:
    """Split what waits into tasks: `ROUNDS` times, every waiting cell is cut until it is two or finished.

    Returns tasks and cells that were finished meanwhile, in the order in which one thread would come to them.
    """
    work = parked(work)
    highest = [int(work.state[REALS_TOP]), int(work.state[INTS_TOP])]
    items: list[Task | Block] = [*waiting_cells(work)]
    for _ in range(ROUNDS):
        finer: list[Task | Block] = []
        for item in items:
            if isinstance(item, Block):
                finer.append(item)
                continue
            work = load(work, item)
            status = MORE
            while status == MORE and int(work.state[WAITING]) + int(work.state[HAVE]) < 2:
                work, status = drive(work, oracle, 1, report)
            # A split leaves a cell waiting and a current one, on local networks that no later task may overwrite.
            work = parked(work)
            tops = work.state[REALS_TOP], work.state[INTS_TOP]
            highest = [max(a, int(b)) for a, b in zip(highest, tops, strict=True)]
            finer += [*taken(work, keeper), *waiting_cells(work)]
            work.state[REALS_TOP], work.state[INTS_TOP] = highest
        items = finer
    return work, items


def work_together(
    work: Work,
    items: list[Task | Block],
    new_helpers: Callable[[], tuple[Oracle, Keeper | None]],
    workers: int,
    report: Report,
) -> Iterator[tuple[Work | None, list[Block]]]:
    """Run the tasks on a pool of threads; yield all results in the order of the items."""
    tasks = [item for item in items if isinstance(item, Task)]
    workers = min(workers, max(len(tasks), 1))
    local, lock, stop = threading.local(), threading.Lock(), threading.Event()

    def found(regions: int) -> None:
        with lock:
            report(regions)

    def perform(task: Task) -> tuple[Work, list[Block]]:
        if not hasattr(local, "oracle"):
            local.oracle, local.keeper = new_helpers()
            local.work = copied(work)
        mine, blocks = load(cleared(local.work, work), task), []
        status = MORE
        while status == MORE:
            if stop.is_set():
                raise Stopped
            mine, status = drive(mine, local.oracle, BUDGET, found)
            blocks += taken(mine, local.keeper)
        local.work = mine
        return sums_of(mine), blocks

    with ThreadPoolExecutor(workers) as pool:
        # The cells that have waited longest are the largest: they go first, so that no thread is left alone at the end.
        futures = {id(task): pool.submit(perform, task) for task in reversed(tasks)}
        try:
            pending = set(futures.values())
            while pending:
                done, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BaseException:
            stop.set()
            for future in futures.values():
                future.cancel()
            raise
    for item in items:
        yield (None, [item]) if isinstance(item, Block) else futures[id(item)].result()


def copied(work: Work) -> Work:
    """A workspace of a thread's own, with the shared local networks in it."""
    return work._replace(**{name: array.copy() for name, array in work._asdict().items()})


def cleared(mine: Work, shared: Work) -> Work:
    """A thread's workspace with its sums at zero and its arenas back at the shared part."""
    mine.state[:] = shared.state
    for slot in (
        UNBOUNDED,
        EXACT_CELLS,
        OUT_REALS_TOP,
        OUT_INTS_TOP,
        STACK_INTS_TOP,
        STACK_REALS_TOP,
        WAITING,
        HAVE,
    ):
        mine.state[slot] = 0
    mine.by_layer[:] = 0
    mine.by_neuron[:] = 0
    return mine


def sums_of(work: Work) -> Work:
    """The workspace with copies of its sums, so that its owner may go on."""
    return work._replace(state=work.state.copy(), by_layer=work.by_layer.copy(), by_neuron=work.by_neuron.copy())


def taken(work: Work, keeper: Keeper | None) -> list[Block]:
    """What the kernel wrote out since the last time, if it is wanted and there is any."""
    return [keeper.take(work)] if keeper is not None and work.state[OUT_INTS_TOP] > 0 else []
