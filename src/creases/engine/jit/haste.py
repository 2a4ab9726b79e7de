"""A first count does not wait for the best machine code.

At LLVM's lowest level a kernel is compiled in two thirds of the time, and runs a quarter longer. So what a count has to
compile is compiled at that level, and kept in a folder of its own; meanwhile another process, at low priority, compiles
all kernels at the usual level for the processes to come. `creases warm`, and whatever else compiles ahead, does so at
the usual level at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["QUICK_FOLDER", "haste", "improve", "unhurried"]

# Inside the folder of kernels: those that were compiled in haste, and who is making the better ones.
QUICK_FOLDER = "quick"
LOCK = "being-compiled"
# In seconds: whoever has held the lock for longer is gone.
LONGEST = 900.0
# The other process; what it imports finds its own way to this package.
PROGRAM = """
import os
if hasattr(os, "nice"):
    os.nice(10)
from pathlib import Path
from creases.engine.warm import warm
try:
    warm(processes=1)
finally:
    Path({lock!r}).unlink(missing_ok=True)
"""


class Haste:
    """Whether what is compiled now is waited for."""

    wanted = True


haste = Haste()


@contextmanager
def unhurried() -> Iterator[None]:
    """Compile at the usual level in here."""
    before, haste.wanted = haste.wanted, False
    try:
        yield
    finally:
        haste.wanted = before


def improve(folder: Path) -> bool:
    """Begin to compile all kernels at the usual level in another process, if none does so yet; whether this one began.

    folder : of compiled kernels. The environment variable CREASES_BACKGROUND=0 forbids it.
    """
    lock = folder / LOCK
    if os.environ.get("CREASES_BACKGROUND") == "0" or not sys.executable or not taken(lock):
        return False
    paths = os.pathsep.join(filter(None, sys.path))
    quiet = subprocess.DEVNULL
    try:
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(lock=str(lock))],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )
    except OSError:
        lock.unlink(missing_ok=True)
        return False
    return True


def taken(lock: Path) -> bool:
    """Take a lock that nobody has, or that somebody has had for too long."""
    with suppress(OSError):
        if time.time() - lock.stat().st_mtime > LONGEST:
            lock.unlink()
    try:
        lock.touch(exist_ok=False)
    except OSError:
        return False
    return True
