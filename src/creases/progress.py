"""Progress of long computations on stderr: regions so far, time, and the remaining time if it is known.

On a terminal it is a bar; in a file, lines at intervals, if progress was asked for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

__all__ = ["following"]

# Shorter computations show no bar unless it is asked for.
QUIET_SECONDS = 1.0
# Without a terminal, seconds until the first line, and between two lines; the last line is written at the end.
FIRST_LINE_SECONDS, LINE_SECONDS = 1.0, 10.0


class Display(Protocol):
    """The display of a follower's numbers."""

    def update(self, completed: int, regions: str, remark: str) -> None:
        """Show these."""

    def stop(self) -> None:
        """Finish the display."""


class Bar:
    """A progress bar, which is removed at the end."""

    def __init__(self, console: object, doing: str, total: int) -> None:
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
            TextColumn(doing),
            TextColumn("{task.fields[regions]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[remark]}"),
        ]
        if total > 1:
            columns[2:2] = [BarColumn(), MofNCompleteColumn()]
        self._bar = Progress(*columns, console=console, transient=True)  # type: ignore[arg-type]
        self._task = self._bar.add_task(doing, total=total, regions="", remark="")
        self._bar.start()

    def update(self, completed: int, regions: str, remark: str) -> None:
        """Show these."""
        self._bar.update(self._task, completed=completed, regions=regions, remark=remark)

    def stop(self) -> None:
        """Remove the bar."""
        self._bar.stop()


class Lines:
    """Progress as lines on stderr, every few seconds and at the end."""

    def __init__(self, doing: str, total: int, start: float) -> None:
        self._doing, self._total, self._start = doing, total, start
        self._next = start + FIRST_LINE_SECONDS
        self._said = ""

    def update(self, completed: int, regions: str, remark: str) -> None:
        """Write the numbers if enough time has passed since the last line."""
        done = f"{completed:,} of {self._total:,} done, " if self._total > 1 else ""
        self._said = f"{self._doing}: {done}{regions}"
        if time.perf_counter() >= self._next:
            self._write(f" so far, {remark}" if remark else " so far")
            self._next = time.perf_counter() + LINE_SECONDS

    def stop(self) -> None:
        """Write the final numbers and the time."""
        if self._said:
            self._write("")

    def _write(self, rest: str) -> None:
        seconds = time.perf_counter() - self._start
        taken = f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
        print(f"{self._said} in {taken}{rest}", file=sys.stderr, flush=True)


class Follower:
    """Collects regions found and shows them; made by `following`."""

    def __init__(self, wanted: bool | None, total: int, listener: Callable[[int], None] | None, doing: str) -> None:
        self._wanted, self._total, self._listener, self._doing = wanted, total, listener, doing
        self._start = time.perf_counter()
        self._display: Display | None = None
        self.regions = 0
        self.finished = 0
        self._remark = ""

    def found(self, regions: int) -> None:
        """Add the number of regions found since the last call."""
        self.regions += regions
        if self._listener is not None:
            self._listener(self.regions)
        self._show()

    def finish_one(self) -> None:
        """Mark one piece of work (a domain, for example) as done."""
        self.finish_some(1)

    def finish_some(self, count: int) -> None:
        """Mark several pieces of work as done."""
        self.finished += count
        self._show()

    def say(self, remark: str) -> None:
        """Show a remark after the time."""
        self._remark = remark
        self._show()

    def _show(self) -> None:
        if self._wanted is False or self._listener is not None:
            return
        if self._display is None:
            late = time.perf_counter() - self._start > QUIET_SECONDS
            if not (self._wanted or (late and sys.stderr.isatty())):
                return
            self._display = self._new_display()
        self._display.update(self.finished, f"{self.regions:,} regions", self._remark)

    def _new_display(self) -> Display:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal or console.is_jupyter:
            return Bar(console, self._doing, self._total)
        return Lines(self._doing, self._total, self._start)

    def stop(self) -> None:
        """Finish the display."""
        if self._display is not None:
            self._display.stop()


@contextmanager
def following(
    progress: bool | Callable[[int], None] | None, total: int, *, doing: str = "counting"
) -> Iterator[Follower]:
    """A context with a follower of `total` pieces of work; `doing` is the title of the bar.

    progress : True shows a bar on stderr (lines, if stderr is a file), None a bar if the work takes long and stderr is
        a terminal, False nothing. A function is called with the number of regions found so far.
    """
    listener = progress if callable(progress) else None
    follower = Follower(progress if isinstance(progress, bool) else None, total, listener, doing)
    try:
        yield follower
    finally:
        follower.stop()
