"""How time is measured: warm, in turns, medians of five, BLAS held to one thread.

What is compared is run in turns in one process, so that a machine that slows down slows both down. What takes
seconds is measured fewer times, once at the least: it gets `budget` seconds. The number of runs goes with the result.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from threadpoolctl import threadpool_limits

# A first run longer than this is a measurement, not only a warm-up: the kernels are compiled and loaded by then.
SLOW = 1.0

# A run shorter than this is repeated within one measurement, and its time divided.
SHORT = 0.03

# Seconds of everything that was timed in this process.
SPENT = {"wall": 0.0, "cpu": 0.0}


@dataclass
class Sample:
    """The seconds that one program took, run by run."""

    runs: list[float] = field(default_factory=list)

    @property
    def median(self):
        """The median of the runs, in seconds."""
        return statistics.median(self.runs)

    @property
    def few(self):
        """How many runs there were, where they are fewer than five; else nothing."""
        runs = len(self.runs)
        return "" if runs >= 5 else f"{runs} run{'s' * (runs > 1)}"

    def __repr__(self):
        return f"{self.median:.4g} s ({len(self.runs)} runs, {min(self.runs):.4g} to {max(self.runs):.4g})"


def timed(work: Callable[[], object], repeat: int = 1) -> float:
    """Seconds of one run, BLAS on one thread; the mean of some where `repeat` is more than one."""
    with threadpool_limits(1, user_api="blas"):
        start, start_cpu = time.perf_counter(), time.process_time()
        for _ in range(repeat):
            work()
        seconds = time.perf_counter() - start
    SPENT["wall"] += seconds
    SPENT["cpu"] += time.process_time() - start_cpu
    return seconds / repeat


def share_of_core():
    """Processor time over wall time of all that was timed here: well below one, others had the machine meanwhile."""
    return SPENT["cpu"] / SPENT["wall"] if SPENT["wall"] else 1.0


def in_turns(*works: Callable[[], object], runs: int = 5, budget: float = 60.0) -> list[Sample]:
    """Run each work once to warm it up, then all of them in turns; one Sample a work.

    runs : how many measurements of each. budget : seconds after which a work gets no further run.
    """
    samples = [Sample() for _ in works]
    spent = [timed(work) for work in works]
    repeats = [math.ceil(SHORT / seconds) for seconds in spent]
    for sample, seconds in zip(samples, spent, strict=True):
        if seconds > SLOW:
            sample.runs.append(seconds)
    for _ in range(runs):
        for i, (work, sample) in enumerate(zip(works, samples, strict=True)):
            if len(sample.runs) >= runs or (sample.runs and spent[i] > budget):
                continue
            sample.runs.append(timed(work, repeats[i]))
            spent[i] += sample.runs[-1] * repeats[i]
    return samples
