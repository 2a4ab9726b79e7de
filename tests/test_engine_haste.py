"""A first count compiles in haste; better code is made meanwhile, and taken as soon as it is there."""

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from creases.engine.jit import haste
from engine_twins import COMPILED

compiled_only = pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")

# A small kernel of the engine's, called from Python: is it compiled here, and where is it kept then?
ONE = """
import json, sys
from contextlib import nullcontext
from creases.engine.jit.haste import unhurried
from creases.engine.kernel import CACHE_FOLDER
from creases.engine.proof.bounds import flushes_to_zero
with unhurried() if "better" in sys.argv else nullcontext():
    flushes_to_zero(2.0**-1022)
folders = {path.relative_to(CACHE_FOLDER).parts[0] == "quick" for path in CACHE_FOLDER.rglob("*.nbc")}
print(json.dumps([sum(flushes_to_zero._cache_misses.values()), sorted(folders)]))
"""


@pytest.fixture
def said(tmp_path):
    """What a new process says, with a folder for kernels that starts empty."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", ONE, *arguments],
            env={**os.environ, "CREASES_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return run


@compiled_only
def test_known_haste_then_better(said):
    """Compiled in haste once; found by the next process; compiled again where there is no haste; then found there."""
    assert said() == [1, [True]]
    assert said() == [0, [True]]
    assert said("better") == [1, [False, True]]
    assert said("better") == [0, [False, True]]
    assert said() == [0, [False, True]]


@pytest.fixture
def begun(monkeypatch):
    """Processes that would have begun."""
    commands = []

    def begin(command, **more):
        commands.append((command, more))
        return SimpleNamespace(wait=lambda: 0)

    monkeypatch.setenv("CREASES_BACKGROUND", "1")
    monkeypatch.setattr(haste.subprocess, "Popen", begin)
    return commands


def test_known_one_process_improves(begun, tmp_path):
    """The first one that asks begins, at low priority and without a word; the others leave it to that one."""
    assert haste.improve(tmp_path)
    assert not haste.improve(tmp_path)
    ((command, more),) = begun
    assert command[0] == sys.executable
    assert "os.nice(10)" in command[2]
    assert more["stdout"] == more["stderr"] == subprocess.DEVNULL
    assert repr([path for path in sys.path if path]) in command[2]  # and no working directory


def test_known_a_process_that_fails_gives_its_lock_back(tmp_path):
    """Its lock only: one that another process has taken since is left alone."""
    lock = tmp_path / haste.LOCK
    for token, left in (("mine", False), ("another", True)):
        lock.write_text(token)
        program = haste.PROGRAM.format(lock=str(lock), token="mine", paths=[p for p in sys.path if "creases" not in p])
        program = program.replace("from creases.engine.warm import warm", "raise ImportError")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
        assert done.returncode == 1
        assert lock.exists() == left


@pytest.mark.parametrize(("name", "is_one"), [("/usr/bin/python3.11", True), ("/opt/app/viewer", False), ("", False)])
def test_known_what_is_an_interpreter(name, is_one, monkeypatch):
    assert haste.is_python(name) == is_one
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not haste.is_python(name)


def test_known_a_lock_that_is_too_old(begun, tmp_path):
    lock = tmp_path / haste.LOCK
    lock.touch()
    assert not haste.improve(tmp_path)
    long_ago = time.time() - 2 * haste.LONGEST
    os.utime(lock, (long_ago, long_ago))
    assert haste.improve(tmp_path)
    assert len(begun) == 1


def test_bad_input_no_other_process(begun, tmp_path, monkeypatch):
    """None where the user forbids it, where there is no interpreter, or no folder to write to; a lock is given back
    where the process does not begin."""
    assert not haste.improve(tmp_path / "none")
    monkeypatch.setenv("CREASES_BACKGROUND", "0")
    assert not haste.improve(tmp_path)
    monkeypatch.setenv("CREASES_BACKGROUND", "1")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "")
        assert not haste.improve(tmp_path)

    def fails(command, **more):
        raise OSError("no more processes")

    monkeypatch.setattr(haste.subprocess, "Popen", fails)
    assert not haste.improve(tmp_path)
    assert not list(tmp_path.iterdir())
    assert not begun


def test_laws_haste_is_as_before_after_an_error():
    assert haste.haste.wanted
    with pytest.raises(ZeroDivisionError), haste.unhurried():
        1 / (0 if not haste.haste.wanted else 1)
    assert haste.haste.wanted
