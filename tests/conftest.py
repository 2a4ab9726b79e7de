"""Settings of all tests."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

# Tests call inlined kernels from Python: `engine.kernel` keeps them compiled only where this is set.
os.environ.setdefault("CREASES_CALLABLE", "1")
# What tests compile in new processes is thrown away: no better code is wanted later.
os.environ.setdefault("CREASES_BACKGROUND", "0")

import pytest
from _pytest.assertion import rewrite
from hypothesis import settings

# A shell that runs us in the background has SIGINT ignored, for our children too: then no test of Ctrl-C can pass.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The first call of a kernel compiles it: no single example has a deadline. Long runs have more of them.
EXAMPLES = 100 if os.environ.get("CREASES_LONG") == "1" else 40
settings.register_profile("creases", settings(), deadline=None, max_examples=EXAMPLES)
settings.load_profile("creases")


def pytest_sessionstart(session: pytest.Session) -> None:
    """What every worker needs is made once, before the workers start: the kernels, and the compiled tests.

    No test then waits for kernels, or meets the note about them. They are compiled by two processes, and this one ends
    before the other one does: meanwhile it reads the tests.
    """
    if not hasattr(session.config, "workerinput"):
        from creases.compilation import compile_kernels

        reading = threading.Thread(target=rewrite_asserts, args=(session.config,))
        whole_suite = session.config.args_source is pytest.Config.ArgsSource.TESTPATHS
        if whole_suite:
            reading.start()
        compile_kernels()
        if whole_suite:
            reading.join(600)


def rewrite_asserts(config: pytest.Config) -> None:
    """Compile all tests, their asserts rewritten, as pytest does when it imports them; left to pytest if that fails.

    In a new clone every worker would do it for itself, all of them at once, in a quarter of a minute each. pytest has
    no public name for it.
    """
    if sys.dont_write_bytecode:
        return
    try:
        state = config.stash[rewrite.assertstate_key]
        for path in Path(__file__).parent.glob("test_*.py"):
            folder = rewrite.get_cache_dir(path)
            compiled = folder / f"{path.stem}{rewrite.PYC_TAIL}"
            if rewrite._read_pyc(path, compiled) is None and rewrite.try_makedirs(folder):
                status, code = rewrite._rewrite_test(path, config)
                rewrite._write_pyc(state, code, status, compiled)
    except (AttributeError, KeyError, TypeError, OSError, SyntaxError):
        return


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

    handed, give, drive_on = [], frontier.give, frontier.drive_on

    def noted(work):
        handed.append(int(work.state[WAITING]))
        return give(work)

    def slowly(*arguments):
        """The others have started, and wait, before the first thread has done half of its work."""
        time.sleep(0.001)
        return drive_on(*arguments)

    monkeypatch.setattr(frontier, "drive_on", slowly)
    monkeypatch.setattr(frontier, "give", noted)
    monkeypatch.setattr(frontier, "ALONE", 100)
    monkeypatch.setattr(frontier, "SHARED_BUDGET", 50)
    return handed
