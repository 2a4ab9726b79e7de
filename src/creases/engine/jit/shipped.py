"""Kernels that come compiled with an installed package, for a common instruction set.

Numba's own cache knows them by the name of the processor and the time of a source file, so that no other machine finds
them. Here they are known by the hash of the engine's sources (which has Numba's and Python's versions in it), the
version of llvmlite, the platform and an x86-64 level. Where all of these fit, a kernel is loaded; where one does not,
or a file is not what the list says, it is compiled as without them. They lie inside the package, beside the sources,
and are trusted as those are, unless everyone can write to them: a payload is a pickle.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import stat
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import llvmlite.binding
from numba.core import config
from numba.core.caching import FunctionCache, NullCache, _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from creases.engine.jit.linking import PartLibrary
from creases.engine.jit.quick import QUICK_FOLDER, compile_in_background, quick
from creases.instructions import LEVELS, instruction_set

__all__ = ["FOLDER", "SHIPPED_FOR", "KernelCache", "ShippedKernels", "open_shipped", "write_shipped"]

# In a wheel; a clone has none.
FOLDER = Path(__file__).parents[2] / "compiled"
LIST = "kernels.json"
# What wheels are compiled for on x86-64: every processor since about 2015. LLVM knows the levels by these names.
SHIPPED_FOR = "x86-64-v3"
# Numba makes these at run time, so its type stubs do not know them.
settings: Any = config
as_pickle: Any = dumps


class KernelFile(NamedTuple):
    """A compiled kernel: the name of its file, and the SHA-256 of what is in it."""

    file: str
    sha256: str


class ShippedKernels(NamedTuple):
    """The kernels in a folder; entries are by the kernel's name and its arguments' types."""

    folder: Path
    entries: dict[str, KernelFile]

    def payload(self, function: Any, signature: Any) -> Any:
        """What Numba makes a kernel of again; None if it is not there, or not as the list says."""
        entry = self.entries.get(key_of(function, signature))
        if entry is None:
            return None
        try:
            content = (self.folder / entry.file).read_bytes()
        except OSError:
            return None
        # A file that was cut short, or exchanged, is not opened.
        return pickle.loads(content) if hashlib.sha256(content).hexdigest() == entry.sha256 else None


class KernelCache(_Cache):
    """A kernel's cache: what came with the package first, then `own`, Numba's cache in the user's folder, then what was
    compiled at the lowest level (`quick`).

    folder : the user's folder, None where kernels are not kept. quick_first : whether it is marked so.
    """

    def __init__(
        self,
        function: Any,
        shipped: ShippedKernels | None,
        own: Any,
        folder: Path | None = None,
        quick_first: bool = False,
    ) -> None:
        self._function, self._shipped, self.own, self._folder = function, shipped, own, folder
        self.quick_first = quick_first

    @cached_property
    def quick(self) -> Any:
        """Numba's cache of kernels of the lowest level: made where it is needed, because it takes a moment."""
        return cache_in(self._folder / QUICK_FOLDER, self._function) if self._folder is not None else NullCache()

    @property
    def is_quick(self) -> bool:
        """Whether this thread takes a kernel of the lowest level, and compiles one if there is none."""
        return self.quick_first and quick.allowed

    @property
    def cache_path(self) -> Any:
        """The user's folder."""
        return self.own.cache_path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel for these types; None if it must be compiled."""
        payload = None if self._shipped is None else self._shipped.payload(self._function, sig)
        if payload is None:
            kept = self.own.load_overload(sig, target_context)
            if kept is None and self.is_quick:
                kept = self.quick.load_overload(sig, target_context)
                if kept is not None and self._folder is not None:
                    compile_in_background(self._folder)  # the process that was to do it is at work, or was killed
            return kept
        target_context.refresh()
        result: Any = CompileResult
        return result._rebuild(target_context, *payload)

    def has(self, signature: Any) -> bool:
        """Whether the package has it."""
        return self._shipped is not None and key_of(self._function, signature) in self._shipped.entries

    def ships(self, function: Any) -> int:
        """For how many kinds of arguments the package has a kernel."""
        name = name_of(function) + "("
        return 0 if self._shipped is None else sum(key.startswith(name) for key in self._shipped.entries)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled in the user's folder; a part has no machine code of its own."""
        if isinstance(data.library, PartLibrary):
            return
        if not self.is_quick:
            self.own.save_overload(sig, data)
            return
        self.quick.save_overload(sig, data)
        if self._folder is not None:
            compile_in_background(self._folder)

    def enable(self) -> None:
        """Numba asks for this."""
        self.own.enable()

    def disable(self) -> None:
        """Numba asks for this."""
        self.own.disable()

    def flush(self) -> None:
        """Forget what is in the user's folder."""
        self.own.flush()


def cache_in(folder: Path, function: Any) -> Any:
    """Numba's cache of a function in a folder, which Numba reads from its global configuration."""
    before = settings.CACHE_DIR
    try:
        settings.CACHE_DIR = str(folder)
        return FunctionCache(function)  # type: ignore[no-untyped-call]
    finally:
        settings.CACHE_DIR = before


def name_of(function: Any) -> str:
    """A kernel's name, with its module's."""
    return f"{function.__module__}.{function.__qualname__}"


def key_of(function: Any, signature: Any) -> str:
    """Under which a kernel is listed: its name and the types of its arguments, as Numba writes them."""
    return f"{name_of(function)}{signature}"


def platform_of(level: str) -> dict[str, str]:
    """What a compiled kernel depends on beside the sources."""
    return {
        "llvmlite": str(llvmlite.__version__),
        "triple": str(llvmlite.binding.get_process_triple()),
        "instruction_set": level,
    }


def runs_on_this_machine(level: str) -> bool:
    """Whether this machine's processor is of an x86-64 level, or above it."""
    levels = ["x86-64", *LEVELS]
    own = instruction_set()
    return own in levels and level in levels and levels.index(own) >= levels.index(level)


def open_shipped(folder: Path, sources: str) -> ShippedKernels | None:
    """The kernels in a folder, if they are of these sources and run here; None without reading more if they do not.

    sources : what `kernel.source_hash` says. A user who tells Numba for which processor to compile gets that.
    """
    if settings.DISABLE_JIT or settings.CPU_NAME or settings.CPU_FEATURES:
        return None
    try:
        listed = json.loads((folder / LIST).read_bytes())
        entries = {key: KernelFile(*entry) for key, entry in listed["kernels"].items()}
        level = listed["instruction_set"]
        fits = listed["sources"] == sources and all(listed[what] == is_ for what, is_ in platform_of(level).items())
        others_write = any(
            stat.S_IMODE(path.stat().st_mode) & 0o002 for path in (folder, *map(folder.joinpath, file_names(entries)))
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return ShippedKernels(folder, entries) if fits and not others_write and runs_on_this_machine(level) else None


def file_names(entries: dict[str, KernelFile]) -> list[str]:
    """The names of files, each of a file in the folder itself. Raises ValueError if one is not."""
    names = [entry.file for entry in entries.values()]
    if any(Path(name).name != name for name in names):
        raise ValueError("a file of another folder")
    return names


def write_shipped(folder: Path, sources: str, level: str, kernels: dict[str, Any]) -> None:
    """Write kernels into a new folder, and their list last.

    kernels : payloads of Numba's caches, by `key_of`.
    """
    folder.mkdir(parents=True)
    entries = {}
    for number, (key, payload) in enumerate(sorted(kernels.items(), key=lambda item: item[0])):
        content = as_pickle(payload)
        name = f"{number:03}.kernel"
        (folder / name).write_bytes(content)
        entries[key] = KernelFile(name, hashlib.sha256(content).hexdigest())
    listed = {"sources": sources, **platform_of(level), "kernels": entries}
    (folder / LIST).write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
