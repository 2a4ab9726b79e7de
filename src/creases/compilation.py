"""The engine's kernels are compiled once for a machine: say so when it happens, or do it ahead.

Numba tells when it begins to compile a function that it has not found in its cache. So what is said is true: nothing
where kernels are loaded, and once more where a count needs kernels that no count has needed before.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["compile_kernels", "kernel_folder", "must_compile", "say_if_compiling"]

# Kinds of kernels that are compiled at different times: what they are for, and how long that takes, about.
ALL, LINES, LOOP, SPACE, CELLS = "all", "lines", "loop", "space", "cells"
ROOM_WORDS = {
    ALL: ("", "about a minute"),
    LINES: (" for lines", "some seconds"),
    LOOP: ("", "about half a minute"),
    SPACE: (" for three dimensions and more", "about half a minute"),
    CELLS: (" for the corners of regions", "some seconds"),
}


class Announcer:
    """Says what is compiled, each kind once a process."""

    def __init__(self) -> None:
        self.wanted = self.all_at_once = False
        self._said: set[str] = set()
        self._thread = threading.local()

    def begin(self, dispatcher: Any, types: tuple[Any, ...]) -> None:
        """A function is about to be compiled; those that it calls follow inside."""
        depth = getattr(self._thread, "depth", 0)
        self._thread.depth = depth + 1
        if depth == 0 and self.wanted and dispatcher.py_func.__module__.startswith("creases.engine."):
            kind = kind_of(dispatcher.py_func.__module__, types)
            if kind is not None:
                self._say(ALL if self.all_at_once else kind)

    def end(self) -> None:
        """It is compiled."""
        self._thread.depth = max(getattr(self._thread, "depth", 0) - 1, 0)

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
    """Have Numba tell the announcer; once a process."""
    from numba.core import event

    class Listener(event.Listener):
        """Numba's own kind of listener."""

        def on_start(self, event: Any) -> None:
            """Numba begins to compile."""
            announcer.begin(event.data["dispatcher"], event.data["args"])

        def on_end(self, event: Any) -> None:
            """It has compiled."""
            announcer.end()

    event.register("numba:compile", Listener())  # type: ignore[no-untyped-call]


def kind_of(module: str, types: tuple[Any, ...]) -> str | None:
    """Of a function of the engine that is called from Python, what it is for; None if it is compiled in a moment."""
    fields = {name for one in types for name in getattr(one, "fields", ())}
    if "points" in fields:  # the workspace of a polytope
        return SPACE
    if "state" in fields:  # that of a line or a plane
        return LOOP
    kinds = {"sweep": LINES, **dict.fromkeys(("sharp", "doubled", "blocks", "output"), CELLS)}
    return kinds.get(module.rpartition(".")[2])


def say_if_compiling(progress: bool | Callable[[int], None] | None) -> None:
    """From here on say on stderr, once for each kind of kernels, why a count takes so long; nothing if `progress` is
    False."""
    announcer.wanted = progress is not False
    if announcer.wanted:
        listen()


def compile_kernels() -> float:
    """Compile what is not compiled yet; returns the seconds it took."""
    from creases.engine.warm import warm

    announcer.all_at_once = True
    try:
        return warm()
    finally:
        announcer.all_at_once = False


def kernel_folder() -> Path | None:
    """Where compiled kernels are kept; None if no folder for them can be written to."""
    from creases.engine.kernel import CACHE_FOLDER

    return CACHE_FOLDER


def must_compile() -> bool:
    """Whether a count in a plane or in space has kernels to compile first."""
    from creases.engine.warm import must_compile

    return must_compile()
