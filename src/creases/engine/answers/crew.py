"""Halves of a large network's cells, cut at the same time.

Creating a tile's small graph takes nearly all of the time, and most of that is not a product of matrices that BLAS
would distribute over cores. So two halves are given to two threads, each with BLAS on one thread, as long as there are
threads and memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from creases.engine.graph import Graph
from creases.engine.loop.drive import Report
from creases.engine.loop.frontier import Stopped
from creases.memory import free_memory

__all__ = ["Crew"]

# The largest number of entries in the columns of a tile, for each unit of the widest level and each open unit: the
# factor, the product, and the copy with its own units, high and low parts.
COLUMN_COPIES = 6


class Crew:
    """The threads of one count of a large network.

    threads : the largest number of threads. most_open : about how many units are open on a tile.
    report, say : as for `driver.cut_domain` and `Workshop`; those of the crew may be called by all threads.
    """

    def __init__(self, graph: Graph, threads: int, most_open: int, report: Report, say: Callable[[str], None]) -> None:
        self._all, self._report, self._say = threads, report, say
        self._needed = 8 * COLUMN_COPIES * most_open * max(len(level.bias) for level in graph.levels)
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._busy = 1

    @property
    def threads(self) -> int:
        """The number of threads for cutting a cell: all, as long as only one cell is being cut."""
        return self._all if self._busy == 1 else 1

    def report(self, regions: int) -> None:
        """Report regions; here a thread is stopped if the others are to end."""
        self._go_on()
        with self._lock:
            self._report(regions)

    def say(self, word: str) -> None:
        """Name the step that begins; here too a thread is stopped if the others are to end."""
        self._go_on()
        with self._lock:
            self._say(word)

    def side_by_side(self, one: Callable[[], None], other: Callable[[], None]) -> None:
        """Run both functions, at the same time if there are a thread and memory for it, otherwise one after the
        other."""
        if not self._take():
            one()
            other()
            return
        failures: list[BaseException] = []

        def aside() -> None:
            try:
                other()
            except BaseException as error:
                failures.append(error)
                self._stopped.set()
            finally:
                self._give_back()

        thread = threading.Thread(target=aside, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # another thread cannot be started
            self._give_back()
            one()
            other()
            return
        try:
            one()
            while thread.is_alive():
                thread.join(0.1)
        except BaseException as error:  # Ctrl-C too
            self._stopped.set()
            thread.join()
            if isinstance(error, Stopped) and failures:
                raise failures[0] from None
            raise
        if failures:
            raise failures[0]

    def _take(self) -> bool:
        """Reserve one more thread; returns whether this was possible."""
        with self._lock:
            free = free_memory()
            # Running threads may not have allocated their memory yet, so there must be enough for all.
            if self._busy >= self._all or (free is not None and free < (self._busy + 1) * self._needed):
                return False
            self._busy += 1
            return True

    def _give_back(self) -> None:
        with self._lock:
            self._busy -= 1

    def _go_on(self) -> None:
        """Raise Stopped if the threads are to end."""
        if self._stopped.is_set():
            raise Stopped
