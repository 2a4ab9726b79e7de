"""Progress on stderr for long work: regions so far, time, and what is left where that is known."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["following"]

# Work shorter than this shows no bar unless one is asked for.
QUIET_SECONDS = 1.0


class Follower:
    """Collects regions found and shows them; made by `following`."""

    def __init__(self, wanted: bool | None, total: int, listener: Callable[[int], None] | None, doing: str) -> None:
        self._wanted, self._total, self._listener, self._doing = wanted, total, listener, doing
        self._start = time.perf_counter()
        self._bar: object | None = None
        self.regions = 0
        self.finished = 0
        self._remark = ""

    def found(self, regions: int) -> None:
        """Regions found since the last call."""
        self.regions += regions
        if self._listener is not None:
            self._listener(self.regions)
        self._show()

    def finish_one(self) -> None:
        """One piece of work (a domain, say) is done."""
        self.finish_some(1)

    def finish_some(self, count: int) -> None:
        """So many pieces of work are done."""
        self.finished += count
        self._show()

    def say(self, remark: str) -> None:
        """A word to stand behind the time."""
        self._remark = remark
        self._show()

    def _show(self) -> None:
        if self._wanted is False or self._listener is not None:
            return
        if self._bar is None:
            late = time.perf_counter() - self._start > QUIET_SECONDS
            if not (self._wanted or (late and sys.stderr.isatty())):
                return
            self._bar = self._start_bar()
        self._bar.update(  # type: ignore[attr-defined]
            0, completed=self.finished, regions=f"{self.regions:,} regions", remark=self._remark
        )

    def _start_bar(self) -> object:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = [
            SpinnerColumn(),
            TextColumn(self._doing),
            TextColumn("{task.fields[regions]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[remark]}"),
        ]
        if self._total > 1:
            columns[2:2] = [BarColumn(), MofNCompleteColumn()]
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.add_task(self._doing, total=self._total, regions="", remark="")
        bar.start()
        return bar

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()  # type: ignore[attr-defined]


@contextmanager
def following(
    progress: bool | Callable[[int], None] | None, total: int, *, doing: str = "counting"
) -> Iterator[Follower]:
    """Follow `total` pieces of work; `doing` is the bar's word for it.

    progress : True shows a bar on stderr, None only where the work is long and stderr is a terminal, False
        none; a function is called with the regions found so far.
    """
    listener = progress if callable(progress) else None
    follower = Follower(progress if isinstance(progress, bool) else None, total, listener, doing)
    try:
        yield follower
    finally:
        follower.stop()
