"""The instruction set of a processor: its x86-64 level, by which compiled kernels and bug reports are distinguished."""

from __future__ import annotations

import platform

__all__ = ["LEVELS", "host_features", "instruction_set"]

# The features that each x86-64 level adds to the one before, as LLVM names them.
LEVELS = {
    "x86-64-v2": ("cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"),
    "x86-64-v3": ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"),
    "x86-64-v4": ("avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"),
}


def host_features() -> set[str]:
    """The features of this machine's processor, as LLVM names them; empty if LLVM does not know them."""
    import llvmlite.binding

    try:
        return {name for name, has in llvmlite.binding.get_host_cpu_features().items() if has}
    except RuntimeError:  # LLVM knows the features of only some architectures
        return set()


def instruction_set(architecture: str | None = None, features: set[str] | None = None) -> str:
    """The highest x86-64 level all of whose features, and those of the levels below, a processor has; of other
    architectures their name.

    architecture, features : of the processor, as `platform.machine()` and LLVM name them; None for this machine's.

    Examples
    --------
    >>> instruction_set("aarch64", {"neon"})
    'aarch64'
    >>> instruction_set("x86_64", {"sse4.2"})
    'x86-64'
    """
    architecture = platform.machine() if architecture is None else architecture
    if architecture.lower() not in ("x86_64", "amd64"):
        return architecture
    features = host_features() if features is None else features
    highest = "x86-64"
    for level, needed in LEVELS.items():
        if not features.issuperset(needed):
            break
        highest = level
    return highest
