"""Kernels that come compiled in a wheel: used where all fits, compiled as ever where anything does not."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from children import LONGEST
from creases import instructions
from creases.engine import kernel
from creases.engine.jit import shipped
from creases.engine.jit.shipped import KernelCache, key_of, open_shipped, write_shipped
from engine_twins import COMPILED

ROOT = Path(__file__).parents[1]
LEVEL = instructions.instruction_set()
SOURCES = "the hash of the sources"


@pytest.fixture(autouse=True)
def _compiled(monkeypatch):
    """What is opened does not depend on how this process compiles."""
    for name, value in (("DISABLE_JIT", 0), ("CPU_NAME", None), ("CPU_FEATURES", None)):
        monkeypatch.setattr(shipped.settings, name, value)


def some_kernel(x):
    """Stands for a kernel of the engine."""


@pytest.fixture
def folder(tmp_path):
    """Two kernels, as a wheel has them."""
    kernels = {key_of(some_kernel, ("int64",)): ["the first", 1], key_of(some_kernel, ("float64",)): ["the second", 2]}
    write_shipped(tmp_path / "compiled", SOURCES, LEVEL, kernels)
    return tmp_path / "compiled"


def changed(folder, **values):
    listed = json.loads((folder / "kernels.json").read_text())
    (folder / "kernels.json").write_text(json.dumps({**listed, **values}))


def test_known_what_was_written_is_there(folder):
    opened = open_shipped(folder, SOURCES)
    assert len(opened.entries) == 2
    assert opened.payload(some_kernel, ("float64",)) == ["the second", 2]
    assert opened.payload(some_kernel, ("int32",)) is None
    assert opened.payload(test_known_what_was_written_is_there, ("float64",)) is None
    cache = KernelCache(some_kernel, opened, kernel.NullCache())
    assert cache.has(("int64",))
    assert not cache.has(("int32",))
    assert cache.ships(some_kernel) == 2
    assert KernelCache(some_kernel, None, kernel.NullCache()).ships(some_kernel) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"sources": "of another engine"},
        {"llvmlite": "0.1.2"},
        {"triple": "riscv64-unknown-linux-gnu"},
        {"instruction_set": "x86-64-v9"},
        {"instruction_set": None},
        {"kernels": [1, 2]},
        {"kernels": {"name": ["file"]}},
        {"kernels": {"name": ["../other.kernel", "00"]}},
    ],
    ids=str,
)
def test_known_what_does_not_fit_is_not_opened(folder, other):
    changed(folder, **other)
    assert open_shipped(folder, SOURCES) is None


def test_known_without_a_folder_or_a_list(tmp_path, folder):
    assert open_shipped(tmp_path / "none", SOURCES) is None
    for text in ("", "[]", "{", "{}"):
        (folder / "kernels.json").write_text(text)
        assert open_shipped(folder, SOURCES) is None


def test_known_a_processor_below_the_level_compiles(folder, monkeypatch):
    monkeypatch.setattr(shipped, "instruction_set", lambda: "x86-64-v2")
    changed(folder, instruction_set="x86-64-v3")
    assert open_shipped(folder, SOURCES) is None
    monkeypatch.setattr(shipped, "instruction_set", lambda: "x86-64-v4")
    assert open_shipped(folder, SOURCES) is not None


@pytest.mark.parametrize(("name", "value"), [("DISABLE_JIT", 1), ("CPU_NAME", "generic"), ("CPU_FEATURES", "+avx")])
def test_known_who_tells_numba_what_to_do_gets_it(folder, monkeypatch, name, value):
    monkeypatch.setattr(shipped.settings, name, value)
    assert open_shipped(folder, SOURCES) is None


def test_bad_a_file_that_is_not_the_one_of_the_list(folder, monkeypatch):
    """Nothing of it is unpickled."""
    opened = open_shipped(folder, SOURCES)
    monkeypatch.setattr(shipped.pickle, "loads", lambda content: pytest.fail("it was opened"))
    for path in folder.glob("*.kernel"):
        path.write_bytes(path.read_bytes()[:-1])
    assert opened.payload(some_kernel, ("float64",)) is None
    for path in folder.glob("*.kernel"):
        path.unlink()
    assert opened.payload(some_kernel, ("float64",)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
@pytest.mark.parametrize("what", ["", "000.kernel"])
def test_bad_what_everyone_may_write_is_not_opened(folder, what):
    (folder / what).chmod(0o777)
    assert open_shipped(folder, SOURCES) is None


@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_a_kernel_of_the_engine(tmp_path, monkeypatch):
    """It leaves the cache it was compiled into, and is loaded from a folder as from a wheel, by a new dispatcher."""
    from creases.engine.answers.gluing import sort_lists

    first, values = np.array([0, 3]), np.array([5, 4, 6])
    sort_lists(first, values)
    (signature,) = sort_lists.signatures
    numbas = sort_lists._cache.own
    payload = numbas._cache_file.load(numbas._index_key(signature, sort_lists.targetctx.codegen()))
    write_shipped(tmp_path / "compiled", SOURCES, LEVEL, {key_of(sort_lists.py_func, signature): payload})
    monkeypatch.setattr(kernel, "SHIPPED", open_shipped(tmp_path / "compiled", SOURCES))
    monkeypatch.setattr(kernel, "CACHE_FOLDER", None)
    monkeypatch.setattr(kernel, "KERNELS", [])
    again = kernel.kernel(sort_lists.py_func)
    values[:] = 9, 7, 8
    again(first, values)
    assert values.tolist() == [7, 8, 9]
    assert sum(again.stats.cache_hits.values()) == 1


EVERYTHING = """
import json, sys
import creases
from creases import Ball, Box, Circle, Directions, Line, Network, Segment, Space, build, count, subdivide
from creases.engine.kernel import KERNELS, SHIPPED
answers = []
for n_in in (1, 2, 3, 4):
    box, space = Box([-1] * n_in, [1] * n_in), Space(n_in)
    line = Segment([-1] * n_in, [1.0, *[0.5] * (n_in - 1)])
    network, zero = (Network.he([n_in, 6, 6, 1], bias_std=bias, seed=1) for bias in (0.1, 0.0))
    x = build.leaky_relu(build.dense(build.input(n_in), [[1.0 + i + j for j in range(n_in)] for i in range(6)]), 0.2)
    graph = build.network(build.relu(build.dense(build.maxout(x, 3), [[1.0, 2.0], [1.0, -1.0]], [0.1, 0.2])))
    for model in (network, zero, graph):
        for domain in (box, space, line, Line([0] * n_in, [1] * n_in)):
            cells = subdivide(model, domain, progress=False)
            answers += [count(model, domain, by_neuron=True, progress=False).by_layer, len(cells.facets)]
    answers.append(count(zero, Directions(n_in), progress=False).regions)
answers.append(count(network, Ball([0] * 4, 0.5), progress=False).regions)
answers.append(count(Network.he([2, 6, 1], bias_std=0.1), Circle([0, 0], 0.5), progress=False).regions)
compiled = [(k.py_func.__qualname__, str(s)) for k in KERNELS for s in k.signatures if not k._cache.has(s)]
print(json.dumps([answers, compiled, SHIPPED is not None, creases.__file__]))
"""


@pytest.mark.long
@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_a_wheel(tmp_path):
    """From `make wheel` to the first count: nothing is compiled, and all is as it is here. With another llvmlite than
    the wheel's, said by the list, the same is counted by kernels that are compiled."""
    make = [sys.executable, str(ROOT / "tools" / "make_wheel.py"), str(tmp_path / "dist")]
    subprocess.run(make, check=True, timeout=2 * LONGEST)  # with all kernels
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert "none-any" not in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    switches = ("CREASES_CALLABLE", "NUMBA_BOUNDSCHECK")
    plain = {name: value for name, value in os.environ.items() if name not in switches}
    plain |= {"PYTHONPATH": str(tmp_path / "site"), "CREASES_CACHE_DIR": str(tmp_path / "cache")}

    def answers(**more):
        command = [sys.executable, "-P", "-c", EVERYTHING]
        done = subprocess.run(
            command,
            env={**plain, **more},
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            timeout=LONGEST,
        )
        said, compiled, fits, where = json.loads(done.stdout)
        assert Path(where).is_relative_to(more.get("PYTHONPATH", tmp_path))
        return said, compiled, fits, done.stderr

    shipped_, compiled, fits, said = answers()
    assert (compiled, fits, said) == ([], True, "")
    assert not list((tmp_path / "cache").rglob("*.nbc"))
    own, _, fits, _ = answers(PYTHONPATH=str(ROOT / "src"), CREASES_CACHE_DIR=os.environ.get("CREASES_CACHE_DIR", ""))
    assert (own, fits) == (shipped_, False)

    changed(tmp_path / "site" / "creases" / "compiled", llvmlite="0.1.2")
    line = "import creases; n = creases.Network.he([2, 6, 1], seed=1); print(creases.count(n, creases.Segment([-1, 0],"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{line} [1, 0.5])).regions)"],
        env=plain,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        timeout=LONGEST,
    )
    assert int(done.stdout) > 1
    assert "compiling its kernels for lines" in done.stderr
    assert list((tmp_path / "cache").rglob("*.nbc"))
