"""The content of a bug report: versions, the machine, compiled kernels, optional packages. Nothing is compiled."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from creases.instructions import instruction_set
from creases.memory import as_bytes, free_memory
from creases.version import __version__

__all__ = ["diagnosis"]

# The packages of every installation.
CORE = ("numpy", "scipy", "numba", "llvmlite", "python-flint", "threadpoolctl", "safetensors", "typer", "rich")
# Extras that are left out: combinations of others, and those that only developers need.
OTHERS = ("all", "bench", "dev", "docs", "tutorials")
# Import names of packages, if they differ.
MODULES = {"scikit-learn": "sklearn"}
# A requirement of an extra, "torch>=2.10; extra == 'torch'", which begins with the name of the package.
OF_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")
NAME = re.compile(r"[\w.-]+")


def diagnosis() -> dict[str, dict[str, str]]:
    """Names and values in sections, in the order in which they are read: versions, machine, kernels, extras.

    Examples
    --------
    >>> list(diagnosis())
    ['versions', 'machine', 'kernels', 'extras']
    """
    return {"versions": versions(), "machine": machine(), "kernels": kernels(), "extras": extras()}


def versions() -> dict[str, str]:
    """The versions of Creases, Python and the required packages."""
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    return {"creases": __version__, "python": python, **{name: version_of(name) or "missing" for name in CORE}}


def version_of(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, str]:
    """System, processor, cores, memory, and the library that multiplies matrices."""
    import llvmlite.binding
    import numpy  # noqa: F401  # so that its BLAS library is loaded and can be detected
    from threadpoolctl import threadpool_info

    processor = f"{platform.machine()} ({llvmlite.binding.get_host_cpu_name()})"
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = free_memory()
    pools = [
        f"{pool['internal_api']} {pool['version']}, threads: {pool['num_threads']}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return {
        "system": platform.platform(),
        "processor": processor,
        "instruction set": instruction_set(),
        "cores": f"{usable} of {os.cpu_count()}",
        "free memory": "not known" if free is None else as_bytes(free),
        "BLAS": "; ".join(dict.fromkeys(pools)) or "not known",
    }


def kernels() -> dict[str, str]:
    """Whether kernels were installed with the package, or where they are stored, and whether a count would find them
    there."""
    from creases.compilation import kernel_folder, must_compile, shipped_kernels

    folder: Any = kernel_folder()
    shipped = shipped_kernels()
    if shipped:
        where = "none can be written to, and none is needed" if folder is None else str(folder)
        return {"folder": where, "state": f"{shipped} came compiled with the package"}
    if folder is None:
        return {"folder": "none can be written to: set CREASES_CACHE_DIR", "state": "compiled afresh in each process"}
    kept = list(folder.rglob("*.nbc"))
    size = sum(path.stat().st_size for path in kept)
    if not kept:
        state = "to be compiled by the first count, or by `creases warm`"
    else:
        whole = "not all that counts in planes and space need" if must_compile() else "for planes and space"
        state = f"{len(kept)} compiled, {as_bytes(size)}: {whole}"
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        state = "not compiled: NUMBA_DISABLE_JIT is set, and counts are very slow"
    return {"folder": str(folder), "state": state}


def extras() -> dict[str, str]:
    """For each extra, the versions of its packages, or how to install it."""
    wanted: dict[str, list[str]] = {}
    try:
        requirements = metadata.requires("creases") or []
    except metadata.PackageNotFoundError:  # run from a folder of source files
        return {"not known": "creases is not installed as a package: pip install it, or run from a clone's .venv"}
    for requirement in requirements:
        extra, name = OF_EXTRA.search(requirement), NAME.match(requirement)
        if extra and name and extra[1] not in OTHERS and name[0] != "creases":
            wanted.setdefault(extra[1], []).append(name[0])
    return {extra: told(extra, packages) for extra, packages in sorted(wanted.items())}


def told(extra: str, packages: list[str]) -> str:
    """The versions of an extra's packages; if some are missing, the command that installs them."""
    by_package = {package: version_of(package) for package in packages}
    missing = [
        package
        for package, version in by_package.items()
        if version is None and find_spec(MODULES.get(package, package.replace("-", "_"))) is None
    ]
    there = ", ".join(f"{package} {version}" for package, version in by_package.items() if package not in missing)
    if not missing:
        return there
    return f"{there + '; ' if there else ''}missing {', '.join(missing)}: pip install 'creases[{extra}]'"
