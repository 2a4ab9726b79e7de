"""Processes that tests start: each of them ends, or the test fails."""

import os
import subprocess
import sys

# Seconds that a process may take; the slowest takes a tenth of it on two cores that nothing else uses.
LONGEST = 600


def python(program, *arguments, check=True, **environment):
    """The process of a program that a new interpreter has run, with what it printed.

    environment : variables that it has beside ours; None for one that it has not.
    """
    given = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=check,
        timeout=LONGEST,
        env={name: value for name, value in given.items() if value is not None},
    )
