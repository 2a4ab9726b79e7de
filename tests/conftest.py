"""Settings of all tests."""

import os
import signal
import time

# Tests call inlined kernels from Python: `engine.kernel` keeps them compiled only where this is set.
os.environ.setdefault("CREASES_CALLABLE", "1")
# What tests compile in new processes is thrown away: no better code is wanted later.
os.environ.setdefault("CREASES_BACKGROUND", "0")

import pytest
from hypothesis import settings

# A shell that runs us in the background has SIGINT ignored, for our children too: then no test of Ctrl-C can pass.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The first call of a kernel compiles it: no single example has a deadline. Long runs have more of them.
EXAMPLES = 100 if os.environ.get("CREASES_LONG") == "1" else 40
settings.register_profile("creases", settings(), deadline=None, max_examples=EXAMPLES)
settings.load_profile("creases")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, before the workers start: no test then waits for it, or meets the note about them."""
    if not hasattr(session.config, "workerinput"):
        from creases.compilation import compile_kernels

        compile_kernels()


@pytest.fixture
def free_memory_of(monkeypatch):
    """Gives, for a module that asks, a function that sets how much memory there seems to be, nothing negligible."""

    def of(module):
        def say(size):
            monkeypatch.setattr(module, "NEGLIGIBLE", 0)
            monkeypatch.setattr(module, "free_memory", lambda: size)

        return say

    return of


@pytest.fixture
def creases(capfd):
    """Run a command in this process: its exit code, and what it printed and said."""
    from creases import cli

    def run(*arguments):
        code = cli.run([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def handed_over(monkeypatch):
    """Threads that part a small count; the list gets how many cells waited each time that one was handed over."""
    from creases.engine.loop import frontier
    from creases.engine.state.slots import WAITING

    handed, give, drive = [], frontier.give, frontier.drive

    def noted(work):
        handed.append(int(work.state[WAITING]))
        return give(work)

    def slowly(*arguments):
        """The others have started, and wait, before the first thread has done half of its work."""
        time.sleep(0.001)
        return drive(*arguments)

    monkeypatch.setattr(frontier, "drive", slowly)
    monkeypatch.setattr(frontier, "give", noted)
    monkeypatch.setattr(frontier, "ALONE", 100)
    monkeypatch.setattr(frontier, "SHARED_BUDGET", 50)
    return handed
