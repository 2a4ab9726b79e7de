"""What needs processes of its own: two threads, proofs switched off, peak memory, whole commands."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.child import Child, run_creases
from benchmarks.networks import WrongCount, on_square
from benchmarks.rows import Row, Target, costs, faster, missing, within

PROOFS_OFF = {"CREASES_PROOFS": "off"}


def rows(settings):
    """All of this theme."""
    yield two_threads(settings)
    yield from proofs(settings)
    yield from memory(settings)
    yield from streaming(settings)
    yield command(settings)
    if not settings.quick:
        yield compiling()


def widths(n):
    """Three hidden layers of n."""
    return [2, n, n, n, 1]


def right(answer, n):
    """Raise WrongCount unless a child's answer is the known count, certified; return it."""
    case = on_square(n, n, n)
    if answer["regions"] != case.regions or not answer["certified"]:
        raise WrongCount(f"{case.name} has {case.regions:,} regions, a child process answered {answer}")
    return answer


def two_threads(settings, n=256):
    """Counts a second of two threads over those of two processes with one thread each, in turns."""
    if (os.cpu_count() or 1) < 2:
        return missing(f"two threads, {n} x 3", "two processes", "not measured: one core")
    together, apart = [], []
    with Child() as first, Child() as second:
        for child, threads in ((first, 2), (first, 1), (second, 1)):
            right(child.count(widths(n), threads=threads), n)
        for _ in range(settings.runs):
            # As many counts as there are cores, either way.
            answer = right(first.count(widths(n), threads=2, warm=0, runs=2), n)
            together.append(sum(answer["seconds"]))
            start = time.perf_counter()
            for child in (first, second):
                child.ask(do="count", widths=widths(n), threads=1, warm=0, runs=1)
            for child in (first, second):
                right(child.answer(), n)
            apart.append(time.perf_counter() - start)
    ours, theirs = statistics.median(together), statistics.median(apart)
    note = "two counts either way"
    return Row(f"two threads, {n} x 3", "two processes", ours, theirs, "s", theirs / ours, Target(0.95, True), note)


def proofs(settings):
    """The same kernels with their proofs switched off, in a process of their own; it is for this table only."""
    for n in (128,) if settings.quick else (128, 256):
        name = f"count {n} x 3, proved"
        with Child() as proved, Child(**PROOFS_OFF) as unproved:
            right(proved.count(widths(n)), n)
            answer = unproved.count(widths(n))
            if answer["certified"]:
                yield missing(name, "proofs off", "not available: the engine has no such switch")
                return
            ours, theirs = [], []
            for _ in range(settings.runs):
                ours += right(proved.count(widths(n), warm=0), n)["seconds"]
                theirs += unproved.count(widths(n), warm=0)["seconds"]
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        note = f"unproved it counts {answer['regions']:,}"
        yield costs(name, "proofs off", ours, theirs, at_most=1.25, note=note)


def memory(settings):
    """Peak resident set of a fresh process that imports, loads the kernels and counts."""
    peaks = {}
    for n in (128, 512) if settings.quick else (64, 128, 256, 512):
        with Child() as child:
            peaks[n] = right(child.count(widths(n), warm=0), n)["peak_megabytes"]
    peers = (("regioncam_peer", "regioncam"), ("edge_subdivision", "edge subdivision (ours, numpy)"))
    for n in (128,) if settings.quick else (128, 256):
        for peer, name in peers[:1] if settings.quick else peers:
            with Child() as child:
                child.ask(do="peer", peer=peer, widths=widths(n))
                theirs = child.answer()["peak_megabytes"]
            yield faster(f"memory of count {n} x 3", name, peaks[n], theirs, unit="MB", note="whole process")
    note = "whole process; " + ", ".join(f"{n} x 3: {peak:.0f} MB" for n, peak in peaks.items())
    yield within("memory of count 512 x 3", peaks[512], 400, unit="MB", note=note)


# Widths, half the side of the box, and the regions in it, streamed to Parquet.
STREAMED = (([2, 128, 128, 128, 1], 1.0, 56_887), ([2, 512, 512, 512, 1], 1.0, 1_026_302))
# The same network in a small cube and in a large one, which has ten million regions: memory is flat.
FLAT = (([4, 72, 72, 1], 0.25), ([4, 72, 72, 1], 1.0))


def streaming(settings):
    """Peak resident set of a fresh process that writes all regions of a subdivision to Parquet."""

    def streamed(layers, half):
        with Child() as child:
            answer = child.stream(layers, half)
        if not answer["certified"]:
            raise WrongCount(f"{layers} is not certified: {answer}")
        return answer

    def note(answer):
        size, seconds = answer["file_megabytes"], answer["seconds"]
        return f"whole process; {answer['regions']:,} regions, {size:.0f} MB on disk, {seconds:.0f} s"

    for layers, half, regions in STREAMED[: 1 if settings.quick else None]:
        answer = streamed(layers, half)
        if answer["regions"] != regions:
            raise WrongCount(f"{layers} has {regions:,} regions, a child process answered {answer}")
        name = f"memory of {layers[1]} x {len(layers) - 2} streamed to Parquet"
        yield within(name, answer["peak_megabytes"], 500, unit="MB", note=note(answer))
    if not settings.quick:
        few, many = (streamed(*each) for each in FLAT)
        name = f"memory of {FLAT[1][0]} streamed to Parquet"
        against = f"a part of it, {few['regions']:,} regions"
        peaks = many["peak_megabytes"], few["peak_megabytes"]
        yield costs(name, against, *peaks, unit="MB", at_most=1.1, note=note(many))


def command(settings):
    """`creases count` of a small network, from the shell's call to its end."""
    case = on_square(16, 16)
    with tempfile.TemporaryDirectory() as folder:
        model = case.network.save(Path(folder) / "small.npz")
        seconds = []
        for _ in range(1 + settings.runs):
            spent, out = run_creases("count", str(model), "--box=-1:1,-1:1", "--json")
            found = json.loads(out)
            if found["regions"] != case.regions or not found["certified"]:
                raise WrongCount(f"{case.name} has {case.regions:,} regions, the command said {out}")
            seconds.append(spent)
    return within(f"creases count, {case.name}", statistics.median(seconds[1:]), 1.5, note="whole command, warm cache")


def compiling():
    """`creases warm` with an empty folder for compiled kernels."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, _ = run_creases("warm", CREASES_CACHE_DIR=folder)
    return within("creases warm, nothing compiled yet", seconds, 25, note="once an installation; 1 run")
