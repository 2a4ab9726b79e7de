"""The one Numba decorator of the engine, and the folder where compiled kernels are kept.

Numba's cache watches one file: edit a helper in another, or upgrade a package, and stale machine code would
run on, silently. So the folder's name holds a hash of all engine sources and of Numba's own version; of what else
shapes a count, but is not compiled, a hash stands elsewhere, and leaves the folder as it is. Cache
files are pickles, so the folder is the user's own (mode 0700, owner checked); where it cannot be had,
kernels are compiled afresh in each process, with a notice. Kernels that came with the package (`shipped`) are looked
for first.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numba
from numba.core import config
from numba.core.caching import NullCache

from creases.engine.jit.compiler import KernelCompiler, QuickFirstCompiler
from creases.engine.jit.linking import with_entry_points
from creases.engine.jit.shipped import FOLDER, KernelCache, open_shipped
from creases.engine.jit.signatures import choose

__all__ = [
    "CACHE_FOLDER",
    "KERNELS",
    "SHIPPED",
    "add_sources",
    "by_domain",
    "inlined",
    "kernel",
    "quick_first",
    "reordered",
    "source_hash",
]

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")

# Environment variables that change what is compiled. CREASES_CALLABLE is none: it adds entry points for Python, and
# kernels that have one anyway are the same with it and without; so tests run the very kernels that users run.
SWITCHES = ("CREASES_PROOFS",)

# Numba makes these at run time, so its type stubs do not know them.
settings: Any = config


def source_hash() -> str:
    """Hash of every engine source, of Numba's version and of the switches that change what it compiles."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    add_sources(digest, folder, folder.rglob("*.py"))
    switches = [settings.BOUNDSCHECK, *(os.environ.get(name) for name in SWITCHES)]
    digest.update(f"{numba.__version__}|{sys.version_info[:2]}|{switches}".encode())
    return digest.hexdigest()[:16]


def add_sources(digest: Any, folder: Path, paths: Iterable[Path]) -> None:
    """Add files below a folder to a hash, each with its place there and its length."""
    for place, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        content = path.read_bytes()
        digest.update(f"{place}|{len(content)}|".encode())
        digest.update(content)


def user_cache_home() -> Path:
    """The user's own cache folder; the environment variable CREASES_CACHE_DIR overrides it."""
    own = os.environ.get("CREASES_CACHE_DIR")
    if own:
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "creases"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "creases"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "creases"


def private_folder(sources: str) -> Path | None:
    """A folder that only this user can write to, or None (with a notice) where there is none.

    sources : the hash that its name holds.
    """
    try:
        folder = user_cache_home() / f"kernels-{sources}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o022):
            raise PermissionError(f"{folder} can be written to by others")
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder} is read-only")
    except (OSError, RuntimeError) as error:
        warnings.warn(
            f"Creases cannot keep compiled kernels ({error}); each process compiles them afresh, which takes "
            "some seconds. Set CREASES_CACHE_DIR to a folder of your own.",
            stacklevel=2,
        )
        return None
    return folder


SOURCES = source_hash()
SHIPPED = open_shipped(FOLDER, SOURCES)
CACHE_FOLDER = private_folder(SOURCES)
# All kernels that have a cache, as Numba's dispatchers.
KERNELS: list[Any] = []

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}

# An inlined kernel lives on in the kernels that it is copied into, and is not cached itself. Tests call them, and want
# them cached.
CALLABLE = os.environ.get("CREASES_CALLABLE") == "1"
INLINING: dict[str, Any] = {"forceinline": True, "cache": CALLABLE and CACHE_FOLDER is not None}


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers: cached, without the GIL, no fastmath, no exceptions on 0 / 0."""
    return compiled(function)


def quick_first(function: F) -> F:
    """A kernel that takes long to compile and that a first count waits for: code that is compiled quickly comes first,
    and better code from a process in the background (`jit.quick`).

    That process compiles what `warm` does, so `warm` must reach the kernel with every kind of arguments it takes.
    """
    return compiled(function, QuickFirstCompiler)


def inlined(function: F) -> F:
    """A kernel that is always copied into its callers.

    A workspace has many arrays, and handing them all to a small function costs more than the function's work.
    """
    return compiled(function, **INLINING)


def reordered(function: F) -> F:
    """An inlined kernel whose sums may be added in any order, and fused, so that they are added four at a time.

    Only for plain sums whose bound holds for every order (`bounds`: gamma(m)); it takes nothing else on trust: no
    NaN, no infinity, no zero is assumed away.
    """
    return compiled(function, fastmath={"reassoc", "contract"}, **INLINING)


def by_domain(
    in_plane: Callable[Concatenate[Any, P], R], in_space: Callable[Concatenate[Any, P], R]
) -> Callable[Concatenate[Any, P], R]:
    """The kernel that does `in_plane` for the workspace of a line or a plane, `in_space` for that of a polytope.

    Which one is known when a kernel is compiled: the two workspaces are two types, and only the second has `points`.
    """

    plane: Any = in_plane
    space: Any = in_space

    def choice(work, *args):  # type: ignore[no-untyped-def]
        return (space if hasattr(work, "points") else plane)(work, *args)

    if not settings.DISABLE_JIT:
        choose(choice, lambda work: space if "points" in work.fields else plane)
    choice.__doc__ = in_plane.__doc__
    made: Any = choice
    return made


def compiled(function: F, compiler: type[KernelCompiler] = KernelCompiler, **more: Any) -> F:
    """`function` as a Numba dispatcher with the engine's options.

    Without Numba's run-time (`_nrt=False`) a kernel cannot allocate, and counts no references to arrays, which
    it would do atomically, for every array of a workspace, at every call: that halved the time of a cell.
    """
    # Numba reads the folder from its global configuration while it decorates.
    before = settings.CACHE_DIR
    try:
        settings.CACHE_DIR = "" if CACHE_FOLDER is None else str(CACHE_FOLDER)
        options = {**OPTIONS, "cache": CACHE_FOLDER is not None, **more}
        options["pipeline_class"] = compiler
        dispatcher: Any = numba.njit(**options)(function)
    finally:
        settings.CACHE_DIR = before
    if not settings.DISABLE_JIT:
        own, folder = (dispatcher._cache, CACHE_FOLDER) if options["cache"] else (NullCache(), None)
        dispatcher._cache = KernelCache(function, SHIPPED, own, folder, compiler.quick_first)
        with_entry_points(dispatcher)
        if "forceinline" not in more:
            KERNELS.append(dispatcher)
    return dispatcher
