"""A count in pieces: two Dask workers against two independent processes, and pieces against the whole."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

from benchmarks.networks import WrongCount, checked, in_cube
from benchmarks.rows import costs, faster
from creases.engine.answers.pieces import Divided
from creases.scheduling.cluster import dask_workers
from creases.scheduling.piece import count_piece
from creases.scheduling.plan import Plan


def rows(settings):
    """All of this theme."""
    case = in_cube(4, 64, 64)
    plan = Plan.of(case.network, case.domain, 32)
    runs = 1 if settings.quick else settings.runs
    together, apart = [], []
    spawn = multiprocessing.get_context("spawn")
    with dask_workers(None, 2) as workers, ProcessPoolExecutor(2, mp_context=spawn) as pool:
        halves = [plan.pieces[0::2], plan.pieces[1::2]]
        for _ in range(runs + 1):  # the first time is for warming up
            start = time.perf_counter()
            check(list(workers.work(plan, plan.pieces)), case)
            together.append(time.perf_counter() - start)
            start = time.perf_counter()
            found = pool.map(count_parts, [plan.problem] * 2, [plan.roots] * 2, halves)
            check([result for results in found for result in results], case)
            apart.append(time.perf_counter() - start)
    ours, theirs = statistics.median(together[1:]), statistics.median(apart[1:])
    name = f"{len(plan.pieces)} pieces of {case.name}"
    yield faster(name + ", two Dask workers", "two processes", ours, theirs, at_least=0.9)
    seconds = [result.seconds for result in count_parts(plan.problem, plan.roots, plan.pieces)]
    start = time.perf_counter()
    checked(case)
    yield costs(name, "the whole", sum(seconds), time.perf_counter() - start)


def count_parts(problem, roots, parts):
    """Count some pieces, one after the other."""
    divided = Divided(problem, roots)
    return [count_piece(divided, part) for part in parts]


def check(results, case):
    """Raise WrongCount unless the pieces add up to the known count."""
    total = sum(result.piece.sign * result.by_layer[-1] for result in results)
    if total != case.regions or not all(result.certified for result in results):
        raise WrongCount(f"{case.name} has {case.regions:,} regions, in pieces {total:,}")
