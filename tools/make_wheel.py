"""Write dist/creases-*.whl with all kernels compiled: make_wheel.py [FOLDER]

They are compiled for a common instruction set, in a cache of their own, and collected by a second process, which sees
the wheel's users' side: every kernel that Python calls is one that it found compiled.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Compile, collect, and build the wheel into the folder that is named, or dist/."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "compiled"
        level, processor = target()
        # The kernels of users: proofs on, indices unchecked, no entry points for tests, none of the package's.
        switches = ("NUMBA_BOUNDSCHECK", "NUMBA_DISABLE_JIT", "CREASES_CALLABLE", "CREASES_PROOFS")
        plain = {name: value for name, value in os.environ.items() if name not in switches}
        compiling = {
            **plain,
            "NUMBA_CPU_NAME": processor,
            "NUMBA_CPU_FEATURES": "",
            "CREASES_CACHE_DIR": str(Path(folder) / "cache"),
        }
        print(f"wheel: compiling kernels for {level} (a minute or two)", flush=True)
        for step in ("compile_kernels()", f"collect({str(compiled)!r}, {level!r})"):
            program = f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); from make_wheel import *; {step}"
            subprocess.run([sys.executable, "-c", program], env=compiling, check=True)
        size = sum(path.stat().st_size for path in compiled.iterdir())
        print(f"wheel: {len(list(compiled.glob('*.kernel')))} kernels, {size / 1e6:.1f} MB", flush=True)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run(
            [*command, "--wheel-dir", str(out), str(ROOT)], env={**plain, "CREASES_COMPILED": str(compiled)}, check=True
        )
    newest = max(out.glob("creases-*.whl"), key=lambda path: path.stat().st_mtime)
    print(f"wheel: {newest}")


def target() -> tuple[str, str]:
    """The instruction set that the wheel is for, and LLVM's name of it."""
    from creases.engine.jit.shipped import SHIPPED_FOR

    if platform.machine().lower() in ("x86_64", "amd64"):
        return SHIPPED_FOR, SHIPPED_FOR
    return platform.machine(), "generic"


def compile_kernels() -> None:
    """Compile all kernels into the cache of this process."""
    from creases.compilation import compile_kernels

    compile_kernels()


def collect(folder: str, level: str) -> None:
    """Write the kernels that Python calls, from the cache, into a folder."""
    from creases.engine.jit.shipped import key_of, write_shipped
    from creases.engine.kernel import KERNELS, source_hash
    from creases.engine.warm import warm

    warm()
    kernels = {}
    for dispatcher in KERNELS:
        numbas = dispatcher._cache.own
        for signature in dispatcher.signatures:
            where = numbas._index_key(signature, dispatcher.targetctx.codegen())
            payload = numbas._cache_file.load(where)
            key = key_of(dispatcher.py_func, signature)
            if payload is None or key in kernels:
                raise SystemExit(f"wheel: {key} is not in the cache, or there twice")
            kernels[key] = payload
    write_shipped(Path(folder), source_hash(), level, kernels)


if __name__ == "__main__":
    main()
