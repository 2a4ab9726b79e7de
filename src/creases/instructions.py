"""What a processor can do: the x86-64 levels, by which compiled kernels and bug reports are told apart."""

from __future__ import annotations

import platform

__all__ = ["LEVELS", "host_features", "instruction_set"]

# What a processor of each x86-64 level has beside that of the level before, as LLVM names it.
LEVELS = {
    "x86-64-v2": ("cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"),
    "x86-64-v3": ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"),
    "x86-64-v4": ("avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"),
}


def host_features() -> set[str]:
    """The features of this machine's processor, as LLVM names them; none where LLVM does not know."""
    import llvmlite.binding

    try:
        return {name for name, has in llvmlite.binding.get_host_cpu_features().items() if has}
    except RuntimeError:  # LLVM knows the features of some architectures only
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
