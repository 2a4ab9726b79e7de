"""The engine's kernels are compiled once for a machine: say so when it happens, or do it ahead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["compile_kernels", "kernel_folder", "say_if_compiling"]


# A process says it once.
_said: list[bool] = []


def say_if_compiling(progress: bool | Callable[[int], None] | None) -> None:
    """On the very first count of an installation, say on stderr why it takes so long. `progress` False: silence."""
    from creases.engine.kernel import must_compile

    if progress is not False and must_compile() and not _said:
        _said.append(True)
        print("creases: compiling its kernels, once (about a minute); `creases warm` does it ahead.", file=sys.stderr)


def compile_kernels() -> float:
    """Compile what is not compiled yet; returns the seconds it took."""
    from creases.engine.warm import warm

    return warm()


def kernel_folder() -> Path | None:
    """Where compiled kernels are kept; None if no folder for them can be written to."""
    from creases.engine.kernel import CACHE_FOLDER

    return CACHE_FOLDER
