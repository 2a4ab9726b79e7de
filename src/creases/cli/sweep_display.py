"""The display of a sweep on stderr: what is running, what is left, and the expected time of completion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from creases.paper.experiment import Experiment
    from creases.paper.runs import RunResult

__all__ = ["SweepDisplay", "sweep_display"]

# The time between two updates: on a terminal the display is redrawn, elsewhere a line is written.
LINE_SECONDS = 30.0


class SweepDisplay:
    """A `Listener` of a sweep, with a bar on a terminal and lines at intervals elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.text import Text

        self._console = Console(stderr=True)
        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
        columns += [TimeElapsedColumn(), TextColumn("{task.fields[left]}")]
        self.bar = Progress(*columns, console=self._console)
        self._whole = self.bar.add_task("runs", total=None, left="")
        self._under_way = Text(style="dim", no_wrap=True, overflow="ellipsis")
        shown = Group(self.bar, self._under_way)
        self.live = Live(shown, console=self._console, transient=True, auto_refresh=self._console.is_terminal)
        self._running: dict[tuple[str, int], str] = {}
        self._begun = self._told = time.monotonic()
        self._cost = self._spent = 0.0
        self._ended = self._all = 0

    def planned(self, all_runs: int, there: int, cost: float) -> None:
        """See `Listener`."""
        self._begun, self._cost, self._ended, self._all = time.monotonic(), cost, there, all_runs
        self.bar.update(self._whole, total=all_runs, completed=there)
        if there:
            self._console.print(f"{there:,} of {all_runs:,} runs are in the store already", highlight=False)

    def began(self, experiment: Experiment, seed: int) -> None:
        """See `Listener`."""
        self._running[experiment.sha256, seed] = f"{list(experiment.widths)} seed {seed}"
        self._show()

    def ended(self, experiment: Experiment, seed: int, result: RunResult | None) -> None:
        """See `Listener`."""
        from creases.paper.sweep import cost_of

        self._running.pop((experiment.sha256, seed), None)
        self._ended += 1
        self._spent += cost_of(experiment)
        self.bar.update(self._whole, completed=self._ended)
        self._show()
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told > LINE_SECONDS:
            self._told = now
            self._console.print(f"{self._ended:,} of {self._all:,} runs; {self._left()}", highlight=False)

    def _show(self) -> None:
        self.bar.update(self._whole, left=self._left())
        self._under_way.plain = f"  given out: {'; '.join(self._running.values())}"

    def _left(self) -> str:
        """The expected time of completion, from the cost of the runs so far."""
        taken = time.monotonic() - self._begun
        if self._spent == 0 or taken < 2.0:
            return "how long it takes is not known yet"
        left = timedelta(seconds=round(taken * max(self._cost - self._spent, 0.0) / self._spent))
        return f"about {left} left, done at {datetime.now() + left:%H:%M}"


@contextmanager
def sweep_display() -> Iterator[SweepDisplay]:
    """A context with a display for a sweep."""
    display = SweepDisplay()
    if not display.live.console.is_terminal:
        yield display
        return
    with display.live:
        yield display
