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

from creases.engine.bounds import flushes_to_zero
from creases.engine.cut import STACK_HEADER, cut, park
from creases.engine.exact import ExactForms, ExactTally, count_below
from creases.engine.oracle import Oracle
from creases.engine.problem import Problem
from creases.engine.signs import UNPROVED
from creases.engine.start import ExactStart, Start, exact_first, independent_rows, restricted, starts, workspace
from creases.engine.work import (
    BY_NEURON,
    DONE,
    EMIT,
    EXACT_CELLS,
    FULL,
    FULL_ARRAY,
    HAVE,
    INTS_TOP,
    MORE,
    NEEDED,
    OUT_INTS_TOP,
    OUT_REALS_TOP,
    REALS_TOP,
    STACK_INTS_TOP,
    STACK_REALS_TOP,
    UNBOUNDED,
    UNPROVED_CELL,
    WAITING,
    Work,
)

__all__ = ["Cells", "Stopped", "Tally", "Totals", "exact_forms", "run", "tally"]

Report = Callable[[int], None]

# Cells that are cut before the work is shared out; small domains end here.
ALONE = 3000
# Rounds in which every waiting cell is split once more, so that the tasks are many and small.
ROUNDS = 3
# Cells between two looks at progress and Ctrl-C: some milliseconds.
BUDGET = 20_000


class Stopped(Exception):
    """Raised inside a worker when another one failed or the user pressed Ctrl-C."""


class Tally(NamedTuple):
    """What a cut found.

    by_layer : regions after each hidden layer. by_neuron : for each layer and neuron, the regions of the layer
    below that it cuts. unbounded : regions that reach infinity, None on a bounded domain.
    exact_cells : cells for which rationals were needed. certified : True if every sign was proved.
    """

    by_layer: list[int]
    by_neuron: list[list[int]]
    unbounded: int | None
    exact_cells: int
    certified: bool


class Cells(NamedTuple):
    """Finished cells as one block: what `cut.emit` wrote, in order."""

    reals: NDArray[np.float64]
    ints: NDArray[np.int64]


class Task(NamedTuple):
    """One waiting cell: its record on the stack, and the arenas that its local network lives in."""

    reals: NDArray[np.float64]
    ints: NDArray[np.int64]


def tally(problem: Problem, *, threads: int | None, by_neuron: bool, report: Report) -> Tally:
    """Count the cells of a problem; every sign that decides something is proved.

    threads : how many threads to use, None for one a core. report : called with regions found since the last call.
    """
    if problem.vertices is None and len(independent_rows(problem)) < problem.dimension:
        return tally_low_rank(problem, threads=threads, by_neuron=by_neuron, report=report)
    total = Totals(problem.widths)
    for start in starts(problem):
        if isinstance(start, ExactStart):
            total.add_exact(exact_forms(problem), start)
            continue
        for work, _ in run(problem, start, threads, by_neuron, False, report):
            if work is not None:
                total.add(work)
    if problem.vertices is None and by_neuron:
        # The cones share the first layer: a neuron cuts the whole space once, if it is not constant there.
        rows = exact_first(problem, range(problem.widths[0]))
        total.by_neuron[: problem.widths[0]] = [any(value != 0 for value in row[:-1]) for row in rows]
    return total.result(problem)


class Totals:
    """Sums over workspaces."""

    def __init__(self, widths: list[int]) -> None:
        self.by_layer = np.zeros(len(widths), dtype=np.int64)
        self.by_neuron = np.zeros(sum(widths), dtype=np.int64)
        self.unbounded = self.exact_cells = 0

    def add(self, work: Work) -> None:
        """Add what a finished workspace counted."""
        self.by_layer += work.by_layer
        self.by_neuron += work.by_neuron
        self.unbounded += int(work.state[UNBOUNDED])
        self.exact_cells += int(work.state[EXACT_CELLS])

    def add_exact(self, forms: ExactForms, start: ExactStart) -> None:
        """Cut a cell that floats cannot hold in rational arithmetic alone, and add what it counts."""
        exact = ExactTally(forms.widths)
        count_below(forms, start.cell, 0, start.signs, [], exact)
        self.by_layer += np.array(exact.by_layer)
        self.by_neuron += np.array([value for row in exact.by_neuron for value in row])
        self.unbounded += exact.unbounded
        self.exact_cells += exact.by_layer[-1]

    def result(self, problem: Problem) -> Tally:
        """The tally of all that was added."""
        splits = np.cumsum(problem.widths)[:-1]
        return Tally(
            by_layer=self.by_layer.tolist(),
            by_neuron=[part.tolist() for part in np.split(self.by_neuron, splits)],
            unbounded=None if problem.vertices is not None else self.unbounded,
            exact_cells=self.exact_cells,
            certified=True,
        )


def tally_low_rank(problem: Problem, *, threads: int | None, by_neuron: bool, report: Report) -> Tally:
    """A whole space along some direction of which the network is constant: that direction is divided out."""
    across = restricted(problem)
    if across is None:
        report(1)
        return Tally([1] * len(problem.widths), [[0] * width for width in problem.widths], 1, 0, True)
    found = tally(across, threads=threads, by_neuron=by_neuron, report=report)
    return found._replace(unbounded=found.by_layer[-1])


def exact_forms(problem: Problem, chart: NDArray[np.float64] | None = None) -> ExactForms:
    """The exact forms of a problem's neurons, in a chart."""
    return ExactForms(problem.weights, problem.biases, problem.origin, problem.basis, problem.basis_tail, chart)


def run(
    problem: Problem,
    start: Start,
    threads: int | None,
    by_neuron: bool,
    emit: bool,
    report: Report,
) -> Iterator[tuple[Work | None, Cells]]:
    """Cut one starting cell to the end; yield the workspaces that hold the sums, with their cells, in order."""

    def new_oracle() -> Oracle:  # a thread has its own
        return Oracle(problem, start.chart, start.walls)

    work = workspace(problem, start)
    work.state[BY_NEURON], work.state[EMIT] = by_neuron, emit
    oracle = new_oracle()
    work, status = drive(work, oracle, ALONE, report)
    if status == DONE:
        yield work, written(work)
        return
    first = written(work)
    work, items = share_out(work, oracle, report)
    yield sums_of(work), first
    yield from work_together(work, items, new_oracle, threads, report)


def drive(work: Work, oracle: Oracle, budget: int, report: Report) -> tuple[Work, int]:
    """Run the loop for about `budget` cells, answering its questions and growing its arrays. DONE or MORE."""
    if flushes_to_zero(2.0**-1022):
        from creases.errors import ComputationError

        raise ComputationError(
            "This thread flushes denormal numbers to zero, so no sign can be proved. Something in the process "
            "(a library built with -ffast-math, or torch.set_flush_denormal(True)) has switched that on; switch it off."
        )
    before = int(work.by_layer[-1])
    while True:
        status = int(cut(work, budget))
        if status == UNPROVED_CELL:
            oracle.answer(work)
        elif status == FULL:
            work = grown(work)
        else:
            report(int(work.by_layer[-1]) - before)
            return work, status


# Arrays with an axis of corners grow together: the axis, and what fills the new part.
PER_CORNER = {
    "cell_reals": (1, 0),
    "cell_ints": (1, 0),
    "values_cn": (0, 0),
    "answers_cn": (0, UNPROVED),
    "asks": (0, 0),
}


def grown(work: Work) -> Work:
    """The workspace with the array that was full made larger."""
    name, needed = Work._fields[int(work.state[FULL_ARRAY])], int(work.state[NEEDED])
    if name in PER_CORNER:
        more = needed - work.cell_reals.shape[1]
        larger = {}
        for field, (axis, fill) in PER_CORNER.items():
            old = getattr(work, field)
            pads = [(0, 0)] * old.ndim
            pads[axis] = (0, more * (work.row_ints.shape[1] if field == "asks" else 1))
            larger[field] = np.pad(old, pads, constant_values=fill)
        return work._replace(**larger)
    old = getattr(work, name)
    new = np.zeros(max(needed, 2 * old.size), old.dtype)
    new[: old.size] = old
    return work._replace(**{name: new})


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


def share_out(work: Work, oracle: Oracle, report: Report) -> tuple[Work, list[Task | Cells]]:
    """Split what waits into tasks: `ROUNDS` times, every waiting cell is cut until it is two or finished.

    Returns tasks and cells that were finished meanwhile, in the order in which one thread would come to them.
    """
    work = parked(work)
    highest = [int(work.state[REALS_TOP]), int(work.state[INTS_TOP])]
    items: list[Task | Cells] = [*waiting_cells(work)]
    for _ in range(ROUNDS):
        finer: list[Task | Cells] = []
        for item in items:
            if isinstance(item, Cells):
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
            finer += [written(work), *waiting_cells(work)]
            work.state[REALS_TOP], work.state[INTS_TOP] = highest
        items = finer
    return work, items


def work_together(
    work: Work, items: list[Task | Cells], new_oracle: Callable[[], Oracle], threads: int | None, report: Report
) -> Iterator[tuple[Work | None, Cells]]:
    """Run the tasks on a pool of threads; yield all results in the order of the items."""
    tasks = [item for item in items if isinstance(item, Task)]
    workers = min(threads or os.cpu_count() or 1, max(len(tasks), 1))
    local, lock, stop = threading.local(), threading.Lock(), threading.Event()

    def found(regions: int) -> None:
        with lock:
            report(regions)

    def perform(task: Task) -> tuple[Work, Cells]:
        if not hasattr(local, "oracle"):
            local.oracle, local.work = new_oracle(), copied(work)
        mine = load(cleared(local.work, work), task)
        status = MORE
        while status == MORE:
            if stop.is_set():
                raise Stopped
            mine, status = drive(mine, local.oracle, BUDGET, found)
        local.work = mine
        return sums_of(mine), written(mine)

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
        yield (None, item) if isinstance(item, Cells) else futures[id(item)].result()


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


def written(work: Work) -> Cells:
    """A copy of what the kernel wrote out; the output is then empty again."""
    cells = Cells(
        work.out_reals[: int(work.state[OUT_REALS_TOP])].copy(),
        work.out_ints[: int(work.state[OUT_INTS_TOP])].copy(),
    )
    work.state[OUT_REALS_TOP] = work.state[OUT_INTS_TOP] = 0
    return cells


assert STACK_HEADER == 6  # `load` knows where the tops stand in a record
