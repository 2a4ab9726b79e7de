"""What is said while kernels are compiled: each kind once, nothing where they are loaded, and never a thing untrue."""

import io
import os
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from numba.core import event
from rich.errors import LiveError

from children import LONGEST
from creases import Box, Network, Segment, compilation, count
from creases.compilation import LINES, LOOP, SPACE, kind_of, say_if_compiling, share_done
from engine_twins import COMPILED


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """As in a process that has compiled nothing yet, and has a folder for kernels."""
    monkeypatch.setattr(compilation, "announcer", compilation.Announcer())
    monkeypatch.setattr(compilation, "kernel_folder", lambda: tmp_path)
    return monkeypatch


def compiles(module, *fields):
    """Numba's event that a function of this module, of arguments with these fields, is compiled."""
    types = tuple(SimpleNamespace(fields=some) for some in fields)
    dispatcher = SimpleNamespace(py_func=SimpleNamespace(__module__=module))
    return event.trigger_event("numba:compile", data={"dispatcher": dispatcher, "args": types})


def test_known_each_kind_is_said_once(fresh, capsys):
    say_if_compiling(None)
    for _ in range(2):
        with compiles("creases.engine.lines.sweep", ()), compiles("creases.engine.lines.table", ()):
            pass
        with (
            compiles("creases.engine.loop.cut", ("state", "by_layer")),
            compiles("creases.engine.rows.scan", ("state",)),
        ):
            pass
        with compiles("creases.engine.answers.sharp", ()):
            pass
        with compiles("creases.engine.proof.bounds", ()):  # a small one, which is there in a moment
            pass
        # What the loop in space calls is no loop of the plane.
        with compiles("creases.engine.loop.cut", ("state", "points")), compiles("creases.engine.proof.bounds", ()):
            pass
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "creases: compiling its kernels for lines, once (some seconds); `creases warm` does it ahead.",
        "creases: compiling its kernels, once (about a quarter of a minute); `creases warm` does it ahead.",
        "creases: compiling its kernels for the corners of regions, once (some seconds); `creases warm` does it ahead.",
        "creases: compiling its kernels for three dimensions and more, once (about a quarter of a minute); "
        "`creases warm` does it ahead.",
    ]


def test_known_silence(fresh, capsys):
    """Where it is asked for; where a user's own functions are compiled; where nothing is."""
    say_if_compiling(None)
    with compiles("their.own.module", ()):
        pass
    say_if_compiling(False)
    with compiles("creases.engine.loop.cut", ("points",)):
        pass
    assert capsys.readouterr() == ("", "")


def test_known_no_folder_no_once(fresh, capsys):
    fresh.setattr(compilation, "kernel_folder", lambda: None)
    say_if_compiling(True)
    with compiles("creases.engine.loop.cut", ("points",)):
        pass
    assert capsys.readouterr().err == (
        "creases: compiling its kernels for three dimensions and more (about a quarter of a minute).\n"
    )


def test_known_ahead_is_one_line(fresh, capsys):
    def warm():
        for fields in (("state",), ("state", "points")):
            with compiles("creases.engine.loop.cut", fields):
                pass
        return 1.0

    fresh.setattr("creases.engine.warm.warm", warm)
    say_if_compiling(None)
    compilation.compile_kernels()
    assert capsys.readouterr().err == "creases: compiling its kernels, once (about half a minute).\n"


@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_kinds_of_the_kernels_themselves():
    from creases.engine.lines.sweep import sweep
    from creases.engine.loop.cut import cut

    network = Network.he([3, 4, 1], seed=0)
    for domain in (Segment([0, 0, 0], [1, 1, 1]), Box([-1, -1, 0], [1, 1, 0]), Box([-1] * 3, [1] * 3)):
        count(network, domain)
    assert sorted(kind_of("creases.engine.loop.cut", types) for types in cut.signatures) == [LOOP, SPACE]
    assert [kind_of("creases.engine.lines.sweep", types) for types in sweep.signatures] == [LINES]


@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_half_compiled_is_not_compiled(tmp_path, monkeypatch):
    """Workers begin with all kernels: where the loop in space is missing, each of them would compile it for itself."""
    from creases.engine import warm
    from creases.engine.loop.cut import cut

    monkeypatch.setattr(cut, "overloads", {})
    monkeypatch.setattr(cut._cache, "_shipped", None)
    monkeypatch.setattr(cut._cache.own, "_cache_path", str(tmp_path))
    monkeypatch.setattr(warm, "CACHE_FOLDER", tmp_path)
    assert warm.must_compile()
    (tmp_path / "cut.cut-94.py311.1.nbc").touch()
    assert warm.must_compile()
    (tmp_path / "cut.cut-94.py311.2.nbc").touch()
    assert not warm.must_compile()


def test_laws_what_is_done_grows_and_never_ends_before_its_end():
    """Functions are read at any speed, and LLVM may take any time: the bar goes on, and is full only at the end."""
    for functions in (41, 191):
        shares = [share_done(read, functions, 0.1 * read, 0.0) for read in range(functions)]
        shares += [share_done(functions - 1, functions, 0.1 * functions, since) for since in np.arange(0.0, 90.0, 0.3)]
        assert shares == sorted(shares)
        assert shares[0] == 0.0
        assert 0.9 < shares[-1] < 1.0
    # Fewer functions than expected, then silence: LLVM has begun.
    assert share_done(170, 191, 20.0, 8.0) > share_done(170, 191, 20.0, 0.0)


def test_known_a_bar_is_shown_on_a_terminal(fresh, monkeypatch):
    """Fed by each function that is read, taken away at the end, and left out where another bar is on the screen."""
    meters = []

    class Noted:
        def __init__(self, functions):
            self.functions, self.read, self.stopped = functions, 0, False
            meters.append(self)

        def read_one(self):
            self.read += 1

        def stop(self):
            self.stopped = True

    monkeypatch.setattr(compilation, "Meter", Noted)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True, write=len, flush=lambda: None))
    say_if_compiling(None)
    with compiles("creases.engine.loop.cut", ("state",)):
        for _ in range(3):
            with compiles("creases.engine.rows.scan", ("state",)):
                pass
        assert not meters[0].stopped
    assert [(each.functions, each.read, each.stopped) for each in meters] == [(compilation.FUNCTIONS[LOOP], 3, True)]

    def busy(functions):
        raise LiveError("another bar is there")

    monkeypatch.setattr(compilation, "Meter", busy)
    with compiles("creases.engine.loop.cut", ("state", "points")):
        pass
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with compiles("creases.engine.answers.sharp", ()):
        pass
    assert len(meters) == 1


def test_known_the_bar_itself(monkeypatch):
    """It draws itself while nothing else happens."""
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(compilation, "TICK", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    meter = compilation.Meter(10)
    for _ in range(9):
        meter.read_one()
    time.sleep(0.2)
    meter.stop()
    assert "compiling" in screen.getvalue()
    assert re.search(r"(7|8|9)\d%", screen.getvalue())


PROGRAM = """
import creases
network = creases.Network.he([3, 4, 1], seed=0)
creases.count(network, creases.Segment([0.1, 0.2, 0.3], [1, -1, 0.5]))
print("line")
creases.count(network, creases.Box([-1, -1, 0], [1, 1, 0]))
print("plane")
creases.count(network, creases.Box([-1, -1, -1], [1, 1, 1]))
print("space")
"""


@pytest.mark.jit
@pytest.mark.long
@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_a_new_installation(tmp_path):
    """With an empty folder each of three counts says that it compiles; in the next process none does."""
    environment = {**os.environ, "CREASES_CACHE_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            env=environment,
            timeout=LONGEST,
        ).stdout.splitlines()
        for _ in range(2)
    ]
    said = [line.split(" (")[0] for line in runs[0]]
    assert said == [
        "creases: compiling its kernels for lines, once",
        "line",
        "creases: compiling its kernels, once",
        "plane",
        "creases: compiling its kernels for three dimensions and more, once",
        "space",
    ]
    assert runs[1] == ["line", "plane", "space"]
