"""Many cases in several processes, each within a time limit, added up.

A running kernel hears no signal, so a case that does not end is ended from outside: the process that works on it
is killed and another takes its place.
"""

import itertools
import multiprocessing
import signal
import time
from collections import Counter
from multiprocessing.connection import wait

from fuzz.cases import family_of, make
from fuzz.checking import FAILURES, Outcome, check

LIMIT = 60.0  # seconds for creases on one case: the slowest needs half a second, but a busy machine may stall
REFERENCE_LIMIT = 300.0
STARTING = 300.0  # for a process to begin, or to end
READY, DECIDED = "ready", "decided"

# The tags of a case are its family, kind of domain and frame; from here on, how it was scaled.
SCALED = 3


class Totals:
    """What was found so far, over all and by tag."""

    def __init__(self):
        self.cases = self.cells = self.exact = self.subdivided = self.refused = 0
        self.kinds = Counter()
        self.reference_seconds = self.seconds = 0.0
        self.by_tag = {}  # (place among the case's tags, tag): Counter of cases, cells, exact cells, failures
        self.start = time.perf_counter()

    @property
    def failures(self):
        return sum(self.kinds[kind] for kind in FAILURES)

    def add(self, outcome):
        self.cases += 1
        self.cells += outcome.cells
        self.exact += outcome.exact
        self.subdivided += outcome.case.subdivide
        self.refused += outcome.refused
        self.kinds[outcome.kind] += 1
        self.reference_seconds += outcome.reference_seconds
        self.seconds += outcome.seconds
        found = {"cases": 1, "cells": outcome.cells, "exact": outcome.exact, "failures": outcome.kind in FAILURES}
        for place, tag in enumerate(outcome.case.tags):
            self.by_tag.setdefault((min(place, SCALED), tag), Counter()).update(found)

    def line(self):
        """One line: how far it is."""
        found = ", ".join(f"{self.kinds[kind]:,} {kind}" for kind in FAILURES if kind == "wrong" or self.kinds[kind])
        seconds = time.perf_counter() - self.start
        return (
            f"{self.cells:,} cells in {self.cases:,} cases: {found}; "
            f"exact {self.exact / max(self.cells, 1):.0%}; {seconds:.0f} s, {self.cells / seconds:,.0f} cells/s"
        )

    def table(self):
        """The summary, a line for each family, kind of domain, frame and scaling."""
        yield f"{'':18}{'cases':>9}{'cells':>10}{'exact':>8}{'failures':>10}"
        for (_, tag), found in sorted(self.by_tag.items()):
            share = found["exact"] / max(found["cells"], 1)
            yield f"{tag:18}{found['cases']:>9,}{found['cells']:>10,}{share:>8.0%}{found['failures']:>10,}"
        yield (
            f"subdivided {self.subdivided:,} cases, {self.refused:,} of them refused; undecided by the reference: "
            + (f"{self.kinds['undecided']:,} cases")
        )
        yield f"seconds in the reference {self.reference_seconds:,.0f}, in creases {self.seconds:,.0f}"


def outcomes(seed, processes, first=0, limit=LIMIT, families=None):
    """The outcomes of cases first, first + 1, ... without end, in the order in which they come.

    processes : 0 works in this process, without a time limit. families : only cases of these.
    """
    numbers = (number for number in itertools.count(first) if not families or family_of(number) in families)
    if processes == 0:
        yield from (check(make(seed, number)) for number in numbers)
        return
    workers = []
    try:
        for _ in range(processes):
            workers.append(Worker(seed))
            workers[-1].give(next(numbers))
        while True:
            wait([worker.connection for worker in workers], timeout=1)
            for worker in workers:
                outcome = worker.outcome(limit)
                if outcome is not None:
                    worker.give(next(numbers))
                    yield outcome
    finally:
        for worker in workers:
            worker.stop()


class Worker:
    """A process that checks one case at a time."""

    def __init__(self, seed):
        self.seed = seed
        self.launch()

    def launch(self):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=answer, args=(theirs, self.seed), daemon=True)
        self.process.start()
        theirs.close()
        if not self.connection.poll(STARTING):
            raise TimeoutError(f"a process has not begun after {STARTING:.0f} s")
        self.connection.recv()  # READY: no clock runs while it imports

    def give(self, number):
        self.number, self.decided, self.since = number, False, time.monotonic()
        self.connection.send(number)

    def outcome(self, limit):
        """The Outcome if there is one; a hung or dead process gives one too, and is replaced."""
        try:
            while self.connection.poll():
                message = self.connection.recv()
                if message != DECIDED:
                    return message
                self.decided, self.since = True, time.monotonic()
        except (EOFError, ConnectionError):
            return self.replaced("crash", f"the process ended with exit code {self.exit_code()}")
        if time.monotonic() - self.since > (limit if self.decided else REFERENCE_LIMIT):
            kind = "hang" if self.decided else "undecided"
            return self.replaced(kind, f"no answer within {limit if self.decided else REFERENCE_LIMIT:.0f} s")
        return None

    def exit_code(self):
        self.process.join(5)
        return self.process.exitcode

    def replaced(self, kind, message):
        self.stop()
        self.launch()
        return Outcome(make(self.seed, self.number), kind, message)

    def stop(self):
        self.process.kill()
        self.process.join(STARTING)
        self.connection.close()


def answer(connection, seed):
    """What a worker does: numbers in, outcomes out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started it
    connection.send(READY)
    while True:
        try:
            number = connection.recv()
        except (EOFError, ConnectionError):
            return
        connection.send(check(make(seed, number), decided=lambda: connection.send(DECIDED)))
