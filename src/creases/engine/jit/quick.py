"""Decides at which level of optimisation a kernel is compiled, and starts the process that compiles better code.

At LLVM's lowest level the main loop is compiled in two thirds of the time, and runs a quarter longer. A first count
waits for it, so a kernel that is marked `kernel.quick_first` is compiled at the lowest level where it is in no cache
yet, and kept in a folder of its own. Meanwhile a process in the background, at low priority, compiles all kernels at
the usual level, for later processes. Every other kernel is compiled at the usual level at once, and so is everything
inside `at_usual_level`: `creases warm` and the wheel.

A process in the background is started only for kernels that `warm` compiles, or it would be started again by each
process. A lock file in the folder sees to it that there is one at a time, and none for a day after one has failed.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["QUICK_FOLDER", "at_usual_level", "compile_in_background", "quick"]

# Inside the folder of kernels: the kernels of the lowest level, and the lock of the process in the background.
QUICK_FOLDER = "quick"
LOCK = "being-compiled"
# What the lock holds after a failure; before, it holds a token of the process that has it.
FAILED = "failed"
# A process that has held the lock for longer, in seconds, has been killed; one that failed is tried again after a day.
LONGEST = 900.0
AFTER_FAILURE = 86400.0
# The process in the background. It imports from where this one does, and from no working directory.
PROGRAM = """
import sys
sys.path[:] = {paths!r}
from pathlib import Path
lock = Path({lock!r})
def is_ours():
    return lock.exists() and lock.read_text() == {token!r}
try:
    import os
    if hasattr(os, "nice"):
        os.nice(10)
    from creases.engine.warm import warm
    warm(processes=1)
except BaseException:
    if is_ours():
        lock.write_text({failed!r})
    raise
if is_ours():
    lock.unlink()
"""


class Quick(threading.local):
    """Whether this thread compiles kernels that are marked `quick_first` at the lowest level."""

    allowed = True


quick = Quick()


@contextmanager
def at_usual_level() -> Iterator[None]:
    """Compile every kernel at the usual level in here."""
    before, quick.allowed = quick.allowed, False
    try:
        yield
    finally:
        quick.allowed = before


def compile_in_background(folder: Path) -> bool:
    """Start a process that compiles all kernels at the usual level, unless there is one; whether it was started.

    folder : of compiled kernels. The environment variable CREASES_BACKGROUND=0 forbids it.
    """
    lock, token = folder / LOCK, secrets.token_hex(8)
    if os.environ.get("CREASES_BACKGROUND") == "0" or not is_python(sys.executable) or not take_lock(lock, token):
        return False
    paths = [path for path in sys.path if path]
    program = PROGRAM.format(lock=str(lock), token=token, failed=FAILED, paths=paths)
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)
            | getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
        )
    except OSError:
        lock.unlink(missing_ok=True)
        return False
    # A process whose end nobody waits for stays in the system's table as long as this one lives.
    threading.Thread(target=process.wait, daemon=True).start()
    return True


def is_python(executable: str | None) -> bool:
    """Whether this program is an interpreter, and not an application with one inside."""
    return bool(executable) and not getattr(sys, "frozen", False) and Path(str(executable)).name.startswith("python")


def take_lock(lock: Path, token: str) -> bool:
    """Take the lock if it is free, or has been held for too long; whether it was taken. token : written into it."""
    with suppress(OSError):
        longest = AFTER_FAILURE if lock.read_bytes() == FAILED.encode() else LONGEST
        if time.time() - lock.stat().st_mtime > longest:
            lock.unlink()
    try:
        with lock.open("x", encoding="ascii") as file:
            file.write(token)
    except OSError:
        return False
    return True
