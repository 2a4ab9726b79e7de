"""The loop is compiled quickly at first; better code is made meanwhile, and taken as soon as it is there."""

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from types import SimpleNamespace

import numba
import pytest
from numba.core.codegen import JITCPUCodegen

from children import python
from creases.engine.jit import quick
from creases.engine.jit.compiler import KernelCompiler, QuickFirstCompiler
from creases.engine.kernel import KERNELS as KERNELS_OF_ENGINE
from creases.engine.loop.cut import cut
from engine_twins import COMPILED

compiled_only = pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")

# Two kernels, of which the first is compiled quickly at first; a module has a place in Numba's caches.
KERNELS = """
from creases.engine.kernel import kernel, quick_first

@quick_first
def loop(number):
    return number + 2

@kernel
def other(number):
    return 2 * number
"""
# Is each of them compiled here, and where is it kept then?
CALLS = """
import json, sys
from contextlib import nullcontext
import some_kernels
from creases.engine.jit.quick import at_usual_level
from creases.engine.kernel import CACHE_FOLDER
with at_usual_level() if "usual" in sys.argv else nullcontext():
    assert some_kernels.loop(1) == 3 and some_kernels.other(1) == 2
both = some_kernels.loop, some_kernels.other
files = CACHE_FOLDER.rglob("*.nbc")
kept = {(str(path.relative_to(CACHE_FOLDER).parts[0] == "quick"), path.name[:17]) for path in files}
print(json.dumps([[sum(one._cache_misses.values()) for one in both], sorted(kept)]))
"""
QUICK_LOOP, LOOP, OTHER = ["True", "some_kernels.loop"], ["False", "some_kernels.loop"], ["False", "some_kernels.othe"]


@pytest.fixture
def said(tmp_path):
    """What a new process says, with a folder for kernels that starts empty."""
    (tmp_path / "some_kernels.py").write_text(KERNELS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    def run(*arguments):
        done = python(CALLS, *arguments, CREASES_CACHE_DIR=str(tmp_path / "cache"), PYTHONPATH=path)
        return json.loads(done.stdout)

    return run


@compiled_only
def test_known_quick_code_first_then_better(said):
    """A kernel that is marked is compiled quickly once, and found by the next process; it is compiled again where that
    is not allowed, and then found by all. One that is not marked is compiled at the usual level at once."""
    assert said() == [[1, 1], [OTHER, QUICK_LOOP]]
    assert said() == [[0, 0], [OTHER, QUICK_LOOP]]
    assert said("usual") == [[1, 0], [LOOP, OTHER, QUICK_LOOP]]
    assert said("usual") == [[0, 0], [LOOP, OTHER, QUICK_LOOP]]
    assert said() == [[0, 0], [LOOP, OTHER, QUICK_LOOP]]


@compiled_only
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("allowed", [True, False])
def test_known_the_level_of_each_kernel(monkeypatch, marked, allowed):
    """LLVM's lowest level for a kernel that is marked, where it is allowed; the first level for all others."""
    levels = []

    def noted(codegen, **options):
        levels.extend([options["opt"]] if [*options] == ["opt"] else [])  # Numba's own modules have more options
        return make(codegen, **options)

    make = JITCPUCodegen._module_pass_manager
    monkeypatch.setattr(JITCPUCodegen, "_module_pass_manager", noted)
    with nullcontext() if allowed else quick.at_usual_level():
        numba.njit(pipeline_class=QuickFirstCompiler if marked else KernelCompiler)(lambda number: number + 1)(1)
    assert levels == [0 if marked and allowed else 1]


@compiled_only
def test_house_warm_reaches_every_kernel_that_is_quick_first():
    """Or the process in the background would be started again and again: here it is the loop alone."""
    assert [one for one in KERNELS_OF_ENGINE if one._cache.quick_first] == [cut]


@pytest.fixture
def begun(monkeypatch):
    """Processes that would have begun."""
    commands = []

    def begin(command, **more):
        commands.append((command, more))
        return SimpleNamespace(wait=lambda: 0)

    monkeypatch.setenv("CREASES_BACKGROUND", "1")
    monkeypatch.setattr(quick.subprocess, "Popen", begin)
    return commands


def test_known_one_process_improves(begun, tmp_path):
    """The first one that asks begins, at low priority and without a word; the others leave it to that one."""
    assert quick.compile_in_background(tmp_path)
    assert not quick.compile_in_background(tmp_path)
    ((command, more),) = begun
    assert command[0] == sys.executable
    assert "os.nice(10)" in command[2]
    assert more["stdout"] == more["stderr"] == subprocess.DEVNULL
    assert repr([path for path in sys.path if path]) in command[2]  # and no working directory


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("holder", ["mine", "another"])
def test_known_the_lock_when_a_process_ends(tmp_path, request, fails, holder):
    """It is given back, or says that the process failed, and then no other is started for a day; but a lock that
    another process has taken since is left alone."""
    lock = tmp_path / quick.LOCK
    lock.write_text(holder)
    paths = [path for path in sys.path if "creases" not in path]
    program = quick.PROGRAM.format(lock=str(lock), token="mine", failed=quick.FAILED, paths=paths)
    line = "from creases.engine.warm import warm"
    assert line in program
    program = program.replace(line, "raise ImportError" if fails else "warm = dict")
    done = python(program, check=False)
    assert done.returncode == (1 if fails else 0)
    if holder == "another":
        assert lock.read_text() == "another"
        return
    assert (lock.read_text() == quick.FAILED) if fails else not lock.exists()
    request.getfixturevalue("begun")
    assert quick.compile_in_background(tmp_path) == (not fails)
    if fails:
        for seconds, again in ((2 * quick.LONGEST, False), (2 * quick.AFTER_FAILURE, True)):
            set_age(lock, seconds)
            assert quick.compile_in_background(tmp_path) == again


def set_age(path, seconds):
    """Make a file as old as that."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.parametrize(("name", "is_one"), [("/usr/bin/python3.11", True), ("/opt/app/viewer", False), ("", False)])
def test_known_what_is_an_interpreter(name, is_one, monkeypatch):
    assert quick.is_python(name) == is_one
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not quick.is_python(name)


def test_known_a_lock_that_is_too_old(begun, tmp_path):
    lock = tmp_path / quick.LOCK
    lock.write_bytes(b"\xff")  # whatever it holds
    assert not quick.compile_in_background(tmp_path)
    set_age(lock, 2 * quick.LONGEST)
    assert quick.compile_in_background(tmp_path)
    assert len(begun) == 1


def test_bad_input_no_other_process(begun, tmp_path, monkeypatch):
    """None where the user forbids it, where there is no interpreter, or no folder to write to; a lock is given back
    where the process does not begin."""
    assert not quick.compile_in_background(tmp_path / "none")
    monkeypatch.setenv("CREASES_BACKGROUND", "0")
    assert not quick.compile_in_background(tmp_path)
    monkeypatch.setenv("CREASES_BACKGROUND", "1")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "")
        assert not quick.compile_in_background(tmp_path)

    def fails(command, **more):
        raise OSError("no more processes")

    monkeypatch.setattr(quick.subprocess, "Popen", fails)
    assert not quick.compile_in_background(tmp_path)
    assert not list(tmp_path.iterdir())
    assert not begun


def test_laws_quick_is_as_before_after_an_error():
    assert quick.quick.allowed
    with pytest.raises(ZeroDivisionError), quick.at_usual_level():
        1 / (0 if not quick.quick.allowed else 1)
    assert quick.quick.allowed
