"""A first count does not wait for the best machine code.

At LLVM's lowest level a kernel is compiled in two thirds of the time, and runs a quarter longer. So what a count has to
compile is compiled at that level, and kept in a folder of its own; meanwhile another process, at low priority, compiles
all kernels at the usual level for the processes to come. `creases warm`, and whatever else compiles ahead, does so at
the usual level at once.
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

__all__ = ["QUICK_FOLDER", "haste", "improve", "unhurried"]

# Inside the folder of kernels: those that were compiled in haste, and who is making the better ones.
QUICK_FOLDER = "quick"
LOCK = "being-compiled"
# In seconds: whoever has held the lock for longer is gone.
LONGEST = 900.0
# The other process. It imports from where this one does, and from no working directory.
PROGRAM = """
import sys
sys.path[:] = {paths!r}
from pathlib import Path
lock = Path({lock!r})
try:
    import os
    if hasattr(os, "nice"):
        os.nice(10)
    from creases.engine.warm import warm
    warm(processes=1)
finally:
    if lock.exists() and lock.read_text() == {token!r}:
        lock.unlink()
"""


class Haste(threading.local):
    """Whether what this thread compiles now is waited for."""

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
    lock, token = folder / LOCK, secrets.token_hex(8)
    if os.environ.get("CREASES_BACKGROUND") == "0" or not is_python(sys.executable) or not taken(lock, token):
        return False
    program = PROGRAM.format(lock=str(lock), token=token, paths=[path for path in sys.path if path])
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
    # Somebody has to take note of its end, or it stays in the system's table as long as this process lives.
    threading.Thread(target=process.wait, daemon=True).start()
    return True


def is_python(executable: str | None) -> bool:
    """Whether this program is an interpreter, and not an application with one inside."""
    return bool(executable) and not getattr(sys, "frozen", False) and Path(str(executable)).name.startswith("python")


def taken(lock: Path, token: str) -> bool:
    """Take a lock that nobody has, or that somebody has had for too long. token : what says whose it is."""
    with suppress(OSError):
        if time.time() - lock.stat().st_mtime > LONGEST:
            lock.unlink()
    try:
        with lock.open("x", encoding="ascii") as file:
            file.write(token)
    except OSError:
        return False
    return True
