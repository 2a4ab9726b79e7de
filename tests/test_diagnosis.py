"""`creases doctor`: every extra is named, a missing one with the command that brings it, and nothing is compiled."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from children import python
from creases import compilation, diagnosis
from creases.instructions import LEVELS, instruction_set
from engine_twins import COMPILED

ROOT = Path(__file__).parents[1]


def doctor(*options, **environment):
    """What `creases doctor` prints."""
    program = "import sys; from creases.cli import run; sys.exit(run(['doctor', *sys.argv[1:]]))"
    found = python(program, *options, check=False, **environment)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


def test_known_every_extra_is_named():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(diagnosis.extras()) == set(wanted) - {"all", "bench", "dev", "docs", "tutorials"}
    assert re.search(r"torch \d", diagnosis.extras()["torch"])
    assert "missing" not in diagnosis.extras()["plot"]


def test_known_a_missing_extra_says_how_to_get_it(monkeypatch):
    there = metadata.version

    def version(name):
        if name in ("networkx", "pyarrow"):
            raise metadata.PackageNotFoundError(name)
        return there(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(diagnosis, "find_spec", lambda name: None if name in ("networkx", "pyarrow") else object())
    found = diagnosis.extras()
    assert found["graph"] == "missing networkx: pip install 'creases[graph]'"
    assert re.fullmatch(r"shapely \S+; missing pyarrow: pip install 'creases\[files\]'", found["files"])


def test_known_what_is_not_known_is_said(monkeypatch):
    """A processor whose features LLVM does not know, and source files that no package was installed of."""
    import llvmlite.binding

    def unknown(*given):
        raise RuntimeError("features are not known")

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", unknown)
    monkeypatch.setattr(metadata, "requires", missing)
    assert diagnosis.machine()["instruction set"]
    assert list(diagnosis.extras()) == ["not known"]


@pytest.mark.parametrize("level", LEVELS)
def test_known_instruction_sets(level):
    levels = list(LEVELS)
    features = {feature for each in levels[: levels.index(level) + 1] for feature in LEVELS[each]}
    assert instruction_set("x86_64", features) == level
    assert instruction_set("AMD64", features | {"amx-tile"}) == level
    below = features - {LEVELS[level][0]}
    assert instruction_set("x86_64", below) == ["x86-64", *levels][levels.index(level)]
    assert instruction_set("arm64", features) == "arm64"


@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_without_kernels_it_compiles_none(tmp_path):
    found = json.loads(doctor("--json", CREASES_CACHE_DIR=str(tmp_path)))
    assert list(found) == ["versions", "machine", "kernels", "extras"]
    assert found["versions"]["numpy"] == metadata.version("numpy")
    assert found["kernels"]["folder"].startswith(str(tmp_path))
    assert "creases warm" in found["kernels"]["state"]
    assert not list(tmp_path.rglob("*.nbc"))


@pytest.mark.parametrize("folder", [None, Path("kept")])
def test_known_kernels_of_a_wheel(monkeypatch, folder):
    monkeypatch.setattr(compilation, "shipped_kernels", lambda: 25)
    monkeypatch.setattr(compilation, "kernel_folder", lambda: folder)
    said = diagnosis.kernels()
    assert said["state"] == "25 came compiled with the package"
    assert said["folder"] == ("kept" if folder else "none can be written to, and none is needed")


def test_known_as_text():
    lines = doctor().splitlines()
    assert lines[0] == "versions:"
    assert any(re.fullmatch(r"  python +3\.\d+\.\d+.*", line) for line in lines)
    assert any(line.startswith("  instruction set") for line in lines)
