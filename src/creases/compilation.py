"""The engine's kernels are compiled once per machine: this module reports when it happens, or compiles them in advance.

Numba sends an event when it begins to compile a function that is not in its cache. So nothing is reported if kernels
are loaded, and there is another report when a count needs kernels that no previous count needed. On a terminal, a bar
shows how much is left: Numba first reads one function after another, about the same number each time; then LLVM
compiles all of them together, and reports nothing until it has finished.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["compile_kernels", "kernel_folder", "must_compile", "say_if_compiling", "shipped_kernels"]

# Kinds of kernels that are compiled at different times: their purpose, and about how long it takes.
ALL, LINES, LOOP, SPACE, CELLS = "all", "lines", "loop", "space", "cells"
ROOM_WORDS = {
    ALL: ("", "about half a minute"),
    LINES: (" for lines", "some seconds"),
    LOOP: ("", "about a quarter of a minute"),
    SPACE: (" for three dimensions and more", "about a quarter of a minute"),
    CELLS: (" for the corners of regions", "some seconds"),
}


# For each kind with a noticeable time: about how many functions Numba reads.
FUNCTIONS = {LINES: 41, LOOP: 191, SPACE: 221, CELLS: 10}
# The share of the time in which Numba reads them; LLVM takes the rest.
READING = 0.7
# The time between two updates of the bar, in seconds.
TICK = 0.2


def share_done(read: int, functions: int, reading: float, since: float) -> float:
    """The estimated progress of a compilation, in [0, 1), from the time of its first part.

    read, functions : the number of functions read so far, and their total. reading : seconds until the last one was
        read. since : seconds after that.
    """
    # The last one is the kernel itself, which is read when LLVM has finished. A long time without events is LLVM's,
    # too.
    if read < functions - 1 and since < max(0.1 * reading, 2 * TICK):
        return min(READING * read / functions, READING)
    return READING + (1 - READING) * min(since / max(reading * (1 - READING) / READING, TICK), 0.97)


class Meter:
    """A progress bar on the terminal while a kernel is compiled, drawn by a separate thread."""

    def __init__(self, functions: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        self._functions, self._read = functions, 0
        self._start = self._last = time.perf_counter()
        columns = (TextColumn("compiling"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
        self._task = self._bar.add_task("compiling", total=1.0)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._bar.start()
        self._thread.start()

    def read_one(self) -> None:
        """Record that Numba has read one more function."""
        self._read += 1
        self._last = time.perf_counter()

    def stop(self) -> None:
        """Remove the bar, because the compilation is finished."""
        self._done.set()
        self._thread.join()
        self._bar.stop()

    def _draw(self) -> None:
        while not self._done.wait(TICK):
            since = time.perf_counter() - self._last
            share = share_done(self._read, self._functions, self._last - self._start, since)
            self._bar.update(self._task, completed=share, refresh=True)


def meter_of(kind: str) -> Meter | None:
    """A bar for kernels of a kind; None if there is no terminal, or another bar is on it."""
    from rich.errors import LiveError

    if not sys.stderr.isatty():
        return None
    try:
        return Meter(FUNCTIONS[kind])
    except LiveError:
        return None


class Announcer:
    """Reports which kernels are compiled, each kind once per process."""

    def __init__(self) -> None:
        self.wanted = self.all_at_once = False
        self._said: set[str] = set()
        self._thread = threading.local()

    def begin(self, dispatcher: Any, types: tuple[Any, ...]) -> None:
        """Record that a function is about to be compiled; the functions that it calls follow inside."""
        depth = getattr(self._thread, "depth", 0)
        self._thread.depth = depth + 1
        if depth == 0 and self.wanted and dispatcher.py_func.__module__.startswith("creases.engine."):
            kind = kind_of(dispatcher.py_func.__module__, types)
            if kind is not None:
                self._say(ALL if self.all_at_once else kind)
                self._thread.meter = meter_of(kind)

    def end(self) -> None:
        """Record that its compilation is finished."""
        self._thread.depth = max(getattr(self._thread, "depth", 0) - 1, 0)
        meter = getattr(self._thread, "meter", None)
        if meter is not None and self._thread.depth > 0:
            meter.read_one()
        elif meter is not None:
            meter.stop()
            self._thread.meter = None

    def _say(self, kind: str) -> None:
        if kind in self._said or ALL in self._said:
            return
        self._said.add(kind)
        what, time = ROOM_WORDS[kind]
        kept = "" if kernel_folder() is None else ", once"
        ahead = "" if kind == ALL or not kept else "; `creases warm` does it ahead"
        print(f"creases: compiling its kernels{what}{kept} ({time}){ahead}.", file=sys.stderr)


announcer = Announcer()


@cache
def listen() -> None:
    """Register the announcer with Numba, once per process."""
    from numba.core import event

    class Listener(event.Listener):
        """A listener for Numba's events."""

        def on_start(self, event: Any) -> None:
            """Called when Numba begins to compile."""
            announcer.begin(event.data["dispatcher"], event.data["args"])

        def on_end(self, event: Any) -> None:
            """Called when Numba has finished."""
            announcer.end()

    event.register("numba:compile", Listener())  # type: ignore[no-untyped-call]


def kind_of(module: str, types: tuple[Any, ...]) -> str | None:
    """The purpose of an engine function that is called from Python; None if its compilation is short."""
    fields = {name for one in types for name in getattr(one, "fields", ())}
    if "points" in fields:  # the workspace for polytopes
        return SPACE
    if "state" in fields:  # the workspace for lines and planes
        return LOOP
    kinds = {"sweep": LINES, **dict.fromkeys(("sharp", "doubled", "doubled_layers", "blocks", "output"), CELLS)}
    return kinds.get(module.rpartition(".")[2])


def say_if_compiling(progress: bool | Callable[[int], None] | None) -> None:
    """From now on, report compilations on stderr, once for each kind of kernels, unless `progress` is False."""
    announcer.wanted = progress is not False
    if announcer.wanted:
        listen()


def compile_kernels() -> float:
    """Compile all kernels that are not compiled yet; returns the time in seconds."""
    from creases.engine.warm import warm

    announcer.all_at_once = True
    try:
        return warm()
    finally:
        announcer.all_at_once = False


def kernel_folder() -> Path | None:
    """The folder of compiled kernels; None if it cannot be written to."""
    from creases.engine.kernel import CACHE_FOLDER

    return CACHE_FOLDER


def shipped_kernels() -> int:
    """The number of compiled kernels in the package that fit this machine, Python and Numba."""
    from creases.engine.kernel import SHIPPED

    return 0 if SHIPPED is None else len(SHIPPED.entries)


def must_compile() -> bool:
    """Whether a count in a plane or in space has kernels to compile first."""
    from creases.engine.warm import must_compile

    return must_compile()
