"""Many runs on one or several machines, with one store: only missing runs are done, and none is done twice."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from creases.paper.choices import TaskChoice
from creases.paper.experiment import Experiment
from creases.paper.runs import RunResult, run_once
from creases.paper.store import STALE_SECONDS, Store, StoreError, Unit
from creases.scheduling.cluster import check_address, dask_workers
from creases.training import TrainingError
from creases.training.errors import need_torch

__all__ = ["Listener", "RunPool", "Summary", "crew_of", "sweep"]

# Seconds between renewals of this process's claims, and between checks of the runs of other processes.
RENEW_SECONDS, LOOK_SECONDS = STALE_SECONDS / 6, 0.5
AHEAD = 1  # runs that are submitted in advance for each worker


class RunPool(NamedTuple):
    """A pool of workers for runs.

    executor : as in the standard library. size : number of concurrent runs. stopped : an event that is set when a sweep
        is cancelled, to stop runs in this process.
    """

    executor: Executor
    size: int
    stopped: threading.Event | None = None


class Listener(Protocol):
    """The protocol of objects that are notified of the progress of a sweep."""

    def planned(self, all_runs: int, there: int, cost: float) -> None:
        """Called with the number of runs, how many of them are in the store, and the others' approximate cost in
        seconds."""

    def began(self, experiment: Experiment, seed: int) -> None:
        """Called when a run was submitted."""

    def ended(self, experiment: Experiment, seed: int, result: RunResult | None) -> None:
        """Called when a run is in the store; the result is None if another process did it."""


class Silent:
    """A `Listener` without output."""

    def planned(self, all_runs: int, there: int, cost: float) -> None:
        """See `Listener`."""

    def began(self, experiment: Experiment, seed: int) -> None:
        """See `Listener`."""

    def ended(self, experiment: Experiment, seed: int, result: RunResult | None) -> None:
        """See `Listener`."""


@dataclass
class Summary:
    """The result of a sweep.

    done : runs of this process. there : runs that were in the store. elsewhere : runs that another process did
        meanwhile. diverged : those of `done` that diverged. training, measuring : seconds of `done`. failed : one
        message per failed run.
    """

    done: int = 0
    there: int = 0
    elsewhere: int = 0
    diverged: int = 0
    training: float = 0.0
    measuring: float = 0.0
    failed: list[str] = field(default_factory=list)


@contextmanager
def crew_of(*, threads: int | None = None, workers: int | None = None, cluster: str | None = None) -> Iterator[RunPool]:
    """Workers for a sweep: those of the Dask cluster at an address, this many local processes, or threads of this
    process."""
    if cluster is None and workers is None:
        count = threads or 1
        with one_torch_thread(), ThreadPoolExecutor(count) as pool:
            yield RunPool(pool, count, threading.Event())
        return
    check_address(cluster)
    with dask_workers(cluster, workers) as dask:
        yield RunPool(dask.executor(), dask.count)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """A context in which torch computes on one thread and deterministically, whichever run begins or ends."""
    need_torch("Training")
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


def sweep(experiments: Iterable[Experiment], store: Store, crew: RunPool, listener: Listener | None = None) -> Summary:
    """Do all runs of these experiments that are not in the store, and wait for those that other processes have claimed.

    The most expensive runs begin first, so that no long run is left at the end. Failed runs are reported at the end;
    the others continue. Raises StoreError if the store, or the folder of networks, cannot be written; its contents are
    safe.
    """
    return Sweep(experiments, store, crew, listener or Silent()).work()


class Sweep:
    """The runs to do, those in progress, and those of other processes."""

    def __init__(self, experiments: Iterable[Experiment], store: Store, crew: RunPool, listener: Listener) -> None:
        self.store, self.crew, self.listener, self.summary = store, crew, listener, Summary()
        self.by_hash = {experiment.sha256: experiment for experiment in experiments}
        seeds: dict[Unit, None] = {}
        for experiment in experiments:
            seeds.update(dict.fromkeys((experiment.sha256, seed) for seed in experiment.seeds))
        there = store.done()
        self.summary.there = sum(unit in there for unit in seeds)
        missing = [unit for unit in seeds if unit not in there]
        self.open = sorted(missing, key=lambda unit: -cost_of(self.by_hash[unit[0]]))
        self.running: dict[Future[RunResult], Unit] = {}
        self.elsewhere: list[Unit] = []
        listener.planned(len(seeds), self.summary.there, sum(cost_of(self.by_hash[unit[0]]) for unit in missing))

    def work(self) -> Summary:
        """Do all runs."""
        with renewing(self.store) as check:
            try:
                while self.open or self.running or self.elsewhere:
                    self.give_out()
                    if self.running:
                        finished, _ = wait(self.running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
                        for future in finished:
                            self.take_in(future)
                    else:
                        time.sleep(LOOK_SECONDS)
                    check()
                    self.look_elsewhere()
            finally:
                if self.crew.stopped is not None and self.running:
                    self.crew.stopped.set()
                for future in self.running:
                    future.cancel()
        return self.summary

    def give_out(self) -> None:
        """Claim runs and submit them to free workers."""
        while self.open and len(self.running) < self.crew.size * (1 + AHEAD):
            unit = self.open.pop(0)
            if not self.store.claim(unit):
                self.elsewhere.append(unit)
                continue
            experiment = self.by_hash[unit[0]]
            self.listener.began(experiment, unit[1])
            folder = self.store.networks.resolve()
            future = self.crew.executor.submit(run_once, experiment, unit[1], folder, self.crew.stopped)
            self.running[future] = unit

    def take_in(self, future: Future[RunResult]) -> None:
        """Commit a finished run."""
        unit = self.running.pop(future)
        experiment, seed = self.by_hash[unit[0]], unit[1]
        try:
            result = future.result()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error.strerror or error
            raise StoreError(
                f"A network could not be written into {self.store.networks}: {reason}. Free some "
                "space, see that you may write there, or give another folder. Runs that are in the store are safe; the "
                "same command then goes on."
            ) from error
        except Exception as error:
            self.store.give_back(unit)
            self.summary.failed.append(f"{experiment.widths} seed {seed}: {type(error).__name__}: {error}")
            self.listener.ended(experiment, seed, None)
            if isinstance(error, TrainingError | ImportError) and self.summary.done == 0:
                raise  # all runs would fail: the data or a package are missing
            return
        if self.store.add(experiment, result):
            self.summary.done += 1
            self.summary.diverged += result.diverged
            self.summary.training += result.training
            self.summary.measuring += result.measuring
        else:
            self.summary.elsewhere += 1
        self.listener.ended(experiment, seed, result)

    def look_elsewhere(self) -> None:
        """Check the runs of other processes; runs that they have released are available again."""
        if not self.elsewhere or self.open:
            return
        there = self.store.done()
        for unit in self.elsewhere:
            if unit in there:
                self.summary.elsewhere += 1
                self.listener.ended(self.by_hash[unit[0]], unit[1], None)
        waiting = [unit for unit in self.elsewhere if unit not in there]
        self.open, self.elsewhere = waiting, []  # they can be claimed if their process has died
        if waiting and not self.running:
            time.sleep(LOOK_SECONDS)


@contextmanager
def renewing(store: Store) -> Iterator[Callable[[], None]]:
    """Renew the claims of this process in the background; the function raises errors that occurred there."""
    stopped, wrong = threading.Event(), list[Exception]()

    def renew() -> None:
        while not stopped.wait(RENEW_SECONDS):
            try:
                store.renew()
            except Exception as error:
                wrong.append(error)
                return

    def check() -> None:
        if wrong:
            raise wrong[0]

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield check
    finally:
        stopped.set()
        thread.join()


def cost_of(experiment: Experiment) -> float:
    """The approximate time of a run on one core in seconds, from its steps and the regions in planes that it will
    count."""
    steps = experiment.epochs * max(1, about_examples(experiment.task) // experiment.batch_size)
    return 0.05 + 0.0025 * steps + 6e-7 * len(experiment.moments) * experiment.neurons**2


def about_examples(task: TaskChoice) -> int:
    """The approximate number of training examples, without creating the task."""
    for name in ("points", "examples"):
        if hasattr(task, name):
            return int(getattr(task, name))
    return about_examples(task.of) if hasattr(task, "of") else 4000
