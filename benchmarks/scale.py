"""One large count, in pieces, killed on the way and resumed: `python -m benchmarks.scale`.

The command line counts a network of shared/networks/README.md's recipe with a journal; its whole process group is
killed with -9 after a while, and the same command goes on. Printed are what the journal and the last run say.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.networks import as_network, random_layers


def main():
    """Count, kill, resume, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", default="4,256,256,1", help="widths of the network, input and output too")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-after", type=float, default=240.0, help="seconds until the first run is killed")
    parser.add_argument("--journal", type=Path, default=None)
    options = parser.parse_args()
    widths = [int(width) for width in options.widths.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        model, saved = Path(folder) / "network.npz", Path(folder) / "count.json"
        as_network(random_layers(widths)).save(model)
        journal = options.journal or Path(folder) / "runs.db"
        box = ",".join(["-1:1"] * widths[0])
        creases = Path(sys.executable).with_name("creases")
        command = [creases, "count", model, "--box", box, "--journal", journal]
        command += ["--workers", str(options.workers), "--json", "--save", saved]
        killed = run(command, options.kill_after)
        done = pieces_in(journal)
        print(f"killed after {killed:.0f} s with {done[0]} pieces done", flush=True)
        resumed = run(command, None)
        report(json.loads(saved.read_text()), done, pieces_in(journal), killed, resumed, options.workers)


def run(command, kill_after):
    """Run a command in a process group of its own, to its end or until it is killed; the seconds it took."""
    start = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command], start_new_session=True, stdout=subprocess.DEVNULL
    ) as process:
        try:
            if process.wait(kill_after) != 0:
                raise SystemExit(f"the count ended with {process.returncode}")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return time.perf_counter() - start


def pieces_in(journal):
    """Pieces done, and the seconds that they took, by the journal."""
    with sqlite3.connect(journal) as connection:
        number, seconds = connection.execute("select count(*), sum(seconds) from pieces").fetchone()
    return int(number), float(seconds or 0.0)


def report(count, before, after, killed, resumed, workers):
    """What it took, and what more would take."""
    regions, (pieces, seconds) = count["regions"], after
    rate = regions / seconds  # of one worker, while it counts
    busy = (seconds - before[1]) / (resumed * workers)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"regions {regions:,}, by layer {count['by_layer']}, certified {count['certified']}")
    print(f"pieces {pieces:,}, {before[0]:,} of them before the kill; cells in rationals {count['exact_cells']}")
    print(f"seconds {killed:,.0f} + {resumed:,.0f}; regions a second {regions / (killed + resumed):,.0f}")
    print(f"worker seconds {seconds:,.0f}; {rate:,.0f} regions a second and worker; workers busy {busy:.1%}")
    print(f"largest process {most:,.0f} MB")
    for more in (10**10, 10**11):
        for cores in (16, 256):
            print(f"{more:.0e} regions on {cores} such cores: {more / rate / cores / 60:,.1f} minutes")


if __name__ == "__main__":
    main()
