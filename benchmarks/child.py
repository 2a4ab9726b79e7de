"""Works in fresh processes: what needs its own memory, its own environment, or a second process at the same time.

`python -m benchmarks.child` answers requests, one JSON line each, with one JSON line each. A `Child` is such a
process as its parent sees it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def peak_megabytes():
    """The largest resident set that this process has had, in MB (10^6 bytes).

    On Linux it is read from /proc: getrusage's figure starts, in a child, at the size of the process that made it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")) / 1e6
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def answer_count(request):
    """Count a random network on [-1, 1]^2, `runs` times after `warm` runs."""
    import creases
    from benchmarks.networks import SQUARE, as_network, random_layers
    from benchmarks.timing import timed

    network = as_network(random_layers(request["widths"]))

    def work():
        nonlocal found
        found = creases.count(network, SQUARE, threads=request["threads"], progress=False)

    found = None
    for _ in range(request["warm"]):
        work()
    seconds = [timed(work) for _ in range(request["runs"])]
    return {"seconds": seconds, "regions": found.regions, "certified": found.certified}


def answer_peer(request):
    """Count a random network on [-1, 1]^2 with another program, once."""
    from importlib import import_module

    from benchmarks.networks import random_layers

    peer = import_module(f"benchmarks.peers.{request['peer']}")
    return {"regions": peer.count_on_square(random_layers(request["widths"])[:-1])}


def answer_stream(request):
    """Write the regions of a random network on [-half, half]^d into a Parquet file that is thrown away."""
    import tempfile

    import creases
    from benchmarks.networks import as_network, random_layers

    network, d = as_network(random_layers(request["widths"])), request["widths"][0]
    domain = creases.Box([-request["half"]] * d, [request["half"]] * d)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.parquet"
        start = time.perf_counter()
        found = creases.subdivide_to_parquet(network, domain, path, progress=False)
        seconds = time.perf_counter() - start
        size = path.stat().st_size / 1e6
    told = {"seconds": seconds, "regions": found.regions, "certified": found.certified}
    return {**told, "file_megabytes": size}


def main():
    """Answer requests until there are no more."""
    # Answers only, on the true stdout: what a peer prints goes to stderr.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"count": answer_count, "peer": answer_peer, "stream": answer_stream}[request["do"]](request)
        print(json.dumps({**answer, "peak_megabytes": peak_megabytes()}), file=out, flush=True)


class Child:
    """A process that works on request; use it in a `with` block."""

    def __init__(self, **environment):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()

    def ask(self, **request):
        """Send a request, and do not wait."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self):
        """The answer to the request before."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a child process of the benchmarks ended without an answer")
        return json.loads(line)

    def count(self, widths, *, threads=1, warm=1, runs=1):
        """Count a random network there; what `answer_count` returns, and its peak memory."""
        self.ask(do="count", widths=widths, threads=threads, warm=warm, runs=runs)
        return self.answer()

    def stream(self, widths, half=1.0):
        """Stream the regions of a random network to a file there; what `answer_stream` returns, and peak memory."""
        self.ask(do="stream", widths=widths, half=half)
        return self.answer()


def run_creases(*arguments, **environment):
    """(seconds, stdout) of one `creases` command in a process of its own, start to end."""
    command = [sys.executable, "-c", "from creases.cli import main; main()", *arguments]
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"creases {' '.join(arguments)} failed: {done.stderr.strip()}")
    return seconds, done.stdout


if __name__ == "__main__":
    main()
