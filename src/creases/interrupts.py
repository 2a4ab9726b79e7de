"""Ctrl-C is handled between two steps, never within one, and only by this process, not by those that it starts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["children_undisturbed", "uninterrupted"]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A context manager that delays Ctrl-C until the end of its block.

    In a thread other than the main one, where Python raises no KeyboardInterrupt, it does nothing.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if held:
        previous(*held[-1])


@contextmanager
def children_undisturbed() -> Iterator[None]:
    """`uninterrupted`; in addition, threads and processes that are started in the block ignore Ctrl-C.

    A terminal sends Ctrl-C to all processes of a command, but only the main one should handle it and end the others.
    Threads inherit the signal mask, and so do processes that they start later. On systems without masks (Windows) the
    others do receive it.
    """
    with uninterrupted():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        from multiprocessing import resource_tracker

        # Python starts this helper together with its first process, and the helper inherits the mask of the starting
        # thread.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
