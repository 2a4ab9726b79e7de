"""How much memory this process may still allocate, and errors that say if it is not enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from creases.errors import NotEnoughMemoryError

__all__ = ["as_bytes", "enough_memory", "free_memory"]

# Limits of a container: version 2 of Linux control groups, then version 1.
GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)


def free_memory() -> int | None:
    """Bytes that this process may still allocate, including swap; None if the system does not report it.

    It is the minimum of the free memory of the machine, of its container, and of the limits of the process.
    """
    found = [machine(), *(group(*names) for names in GROUPS), limited()]
    known = [value for value in found if value is not None]
    return max(min(known), 0) if known else None


def machine() -> int | None:
    """Free memory of the machine."""
    said = numbers("/proc/meminfo")
    if "MemAvailable" not in said:
        return None
    return 1024 * (said["MemAvailable"] + said.get("SwapFree", 0))


def group(limit: str, used: str, stat: str) -> int | None:
    """Free memory of the control group; cached files count as free."""
    try:
        most, taken = (int(Path(name).read_text()) for name in (limit, used))
    except (OSError, ValueError):  # missing, or "max"
        return None
    kept = numbers(stat)
    files = kept.get("active_file", 0) + kept.get("inactive_file", 0)
    return most - taken + files


def limited() -> int | None:
    """Free memory under the limit on the process's address space."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY:
            return None
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None
    return most - taken


def numbers(path: str) -> dict[str, int]:
    """The lines of a system file that consist of a name and a number."""
    try:
        text = Path(path).read_text()
    except OSError:
        return {}
    return {name: int(value) for name, value in re.findall(r"^(\w+):? +(\d+)", text, re.MULTILINE)}


def as_bytes(count: int) -> str:
    """A number of bytes as readable text.

    Examples
    --------
    >>> as_bytes(2_300_000_000), as_bytes(512_000)
    ('2.3 GB', '0.51 MB')
    """
    unit, name = (10**9, "GB") if count >= 10**9 else (10**6, "MB")
    return f"{count / unit:,.2g} {name}" if count < 10 * unit else f"{count / unit:,.0f} {name}"


@contextmanager
def enough_memory(doing: str, remedy: str) -> Iterator[None]:
    """A context manager that turns out-of-memory errors of NumPy and of the system into NotEnoughMemoryError.

    doing : the subject of the message, such as "A count". remedy : a sentence that says what to do.
    """
    try:
        yield
    except NotEnoughMemoryError:
        raise
    except MemoryError as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise NotEnoughMemoryError(f"{doing} has run out of memory{f' ({said})' if said else ''}. {remedy}") from error
    except RuntimeError as error:
        if "start new thread" not in str(error):
            raise
        raise NotEnoughMemoryError(f"{doing} has no memory to start a thread. {remedy} Or give threads=1.") from error
