"""The first count after an installation: a new virtual environment, the wheel of `make wheel`, empty caches.

    python -m benchmarks.first_count              five times; --wheel FILE for one that is built already

Prints the seconds of the whole command `creases count` for a network of three hidden layers of 64 in the square: from
the wheel's own kernels, each time with an empty cache; and once where they do not fit (their list says another version
of llvmlite), so that the command compiles what it needs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.networks import WrongCount, on_square

ROOT = Path(__file__).parents[1]
RUNS = 5


def main():
    """Install, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="a wheel that is built already")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wheel = wanted.wheel or built(place / "dist")
        about = describe()
        print(", ".join(f"{name}: {value}" for name, value in about.items()))
        print(f"wheel: {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB", flush=True)
        command = installed(wheel.resolve(), place / "venv")
        case = on_square(64, 64, 64)
        model = case.network.save(place / "network.npz")
        seconds = [counted(command, model, case, place / f"cache-{i}") for i in range(RUNS)]
        shown = ", ".join(f"{each:.2f}" for each in seconds)
        print(f"from the wheel: median {statistics.median(seconds):.2f} s of {shown}", flush=True)
        for listed in (place / "venv").rglob("compiled/kernels.json"):
            listed.write_text(json.dumps({**json.loads(listed.read_text()), "llvmlite": "another"}))
        cache = place / "cache-other"
        print(f"with another llvmlite, compiling: {counted(command, model, case, cache):.1f} s", flush=True)
        print(f"and once more, compiled: {counted(command, model, case, cache):.2f} s")


def built(folder):
    """A wheel with kernels, as `make wheel` builds it."""
    subprocess.run([sys.executable, str(ROOT / "tools" / "make_wheel.py"), str(folder)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel, folder):
    """The command of a new environment that has the wheel and what it always needs."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    constraints = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints, str(wheel)],
        check=True,
    )
    return folder / "bin" / "creases"


def counted(command, model, case, cache):
    """Seconds of one whole command with its kernels kept in a folder. Raises WrongCount if it says something else."""
    switches = ("CREASES_CALLABLE", "NUMBA_BOUNDSCHECK", "NUMBA_DISABLE_JIT", "PYTHONPATH")
    plain = {name: value for name, value in os.environ.items() if name not in switches}
    start = time.perf_counter()
    done = subprocess.run(
        [str(command), "count", str(model), "--box=-1:1,-1:1", "--json"],
        env={**plain, "CREASES_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
        cwd=cache.parent,
    )
    seconds = time.perf_counter() - start
    found = json.loads(done.stdout)
    if found["regions"] != case.regions or not found["certified"]:
        raise WrongCount(f"{case.name} has {case.regions:,} regions, the command said {done.stdout}")
    return seconds


if __name__ == "__main__":
    main()
