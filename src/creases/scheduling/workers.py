"""How pieces are computed: by threads of this process, or by the workers of a Dask cluster. Both follow the same
plan.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from creases.engine.answers.pieces import Piece
from creases.errors import ComputationError
from creases.scheduling.piece import PieceResult, Shipped, count_piece, count_piece_of
from creases.scheduling.plan import Plan

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DaskWorkers", "ThreadWorkers", "Workers"]

# Pieces that are submitted in advance for each worker, so that no worker waits for the next one.
AHEAD = 3
# Times that a piece is submitted again after it, or its worker, has failed.
RETRIES = 3


class Workers(Protocol):
    """Anything that computes pieces."""

    @property
    def count(self) -> int:
        """The number of pieces that are computed at the same time."""

    def work(self, plan: Plan, pieces: Sequence[Piece]) -> Iterator[PieceResult]:
        """Count these pieces, and yield each result when it is finished."""


class ThreadWorkers:
    """Threads of this process; None means one per core."""

    def __init__(self, threads: int | None) -> None:
        self.count = threads or os.cpu_count() or 1

    def work(self, plan: Plan, pieces: Sequence[Piece]) -> Iterator[PieceResult]:
        """Count these pieces, and yield each result when it is finished. If the caller stops early, pieces in progress
        are abandoned."""
        divided, stopped = plan.divided, threading.Event()

        def report(_: int) -> None:  # called between two budgets of cells, every few milliseconds
            if stopped.is_set():
                raise CancelledError

        with ThreadPoolExecutor(self.count) as pool, ExitStack() as stack:
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            stack.callback(stopped.set)
            left = iter(pieces)
            running: set[Future[PieceResult]] = set()
            while True:
                free = 2 * self.count - len(running)
                running |= {pool.submit(count_piece, divided, piece, report) for piece in itertools.islice(left, free)}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()


class DaskWorkers:
    """The workers of a `dask.distributed` cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def count(self) -> int:
        """The total number of threads of all present workers."""
        return max(int(sum(self._client.nthreads().values())), 1)

    def executor(self) -> Executor:
        """The same workers, for any other work."""
        executor: Executor = self._client.get_executor(pure=False)
        return executor

    def work(self, plan: Plan, pieces: Sequence[Piece]) -> Iterator[PieceResult]:
        """Count these pieces, and yield each result when it is finished. A piece whose worker dies is given to another
        one.

        Raises ComputationError if a worker has another engine or other starting cells, or if a piece fails repeatedly.
        """
        from distributed import KilledWorker, as_completed

        client = self._client
        # A task rather than scattered data: if the worker that holds it dies, Dask computes it again.
        name = "-".join(map(str, plan.key.values()))
        shipped = client.submit(Shipped, name, plan.problem, plan.roots, pure=False)
        left = iter(pieces)

        def next_ones(how_many: int) -> list[Any]:
            return [
                client.submit(count_piece_of, shipped, piece, pure=False, retries=RETRIES)
                for piece in itertools.islice(left, how_many)
            ]

        running = as_completed(next_ones(AHEAD * self.count))
        for future in running:
            try:
                result: PieceResult = future.result()
            except CancelledError as error:
                raise ComputationError(
                    "The connection to the Dask scheduler is lost. Pieces that are done are in the journal, if there "
                    "is one; the same command goes on from there when there is a scheduler."
                ) from error
            except KilledWorker as error:
                raise ComputationError(
                    f"A piece of the count has failed on {RETRIES} workers, one after the other ({error}). Look at "
                    "their logs; the pieces that are done are in the journal, if there is one."
                ) from error
            check_result(plan, result)
            running.update(next_ones(max(AHEAD * self.count - running.count(), 1)))
            yield result


def check_result(plan: Plan, result: PieceResult) -> None:
    """Raise ComputationError unless a result was computed by the plan's engine, from the plan's starting cells."""
    engine, roots = str(plan.key["engine"]), str(plan.key["roots"])
    if result.engine != engine:
        raise ComputationError(
            f"The worker {result.worker} runs another engine (sources {result.engine}, here {engine}). "
            "Install the same versions of Creases, Numba, NumPy, python-flint and Python on all machines."
        )
    if result.roots != roots:
        raise ComputationError(
            f"The worker {result.worker} has cut its piece from other starting cells ({result.roots[:16]}, here "
            f"{roots[:16]}), so that the pieces do not fit together. Start the workers anew."
        )
