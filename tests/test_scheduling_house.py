"""What shapes a piece is in the hash that its result goes by: all sources of the kind, and the packages."""

import ast
import shutil
from pathlib import Path

import flint
import numpy
import pytest

import creases
from creases.engine import kernel as kernel_room
from creases.scheduling import sources
from creases.scheduling.sources import SHAPING, hash_of, shaping_hash

PACKAGE = Path(creases.__file__).parent
# They shape nothing: names and texts, and what prints, waits, writes files or asks for memory.
SHAPELESS = {
    "__init__.py",
    "errors.py",
    "files.py",
    "instructions.py",
    "interrupts.py",
    "memory.py",
    "notebooks.py",
    "progress.py",
    "version.py",
}


def shaping_files(package):
    places = [package / name for name in SHAPING]
    return [path for place in places for path in ([place] if place.suffix else sorted(place.rglob("*.py")))]


def test_house_the_hash_sees_every_file_that_shapes_a_piece(tmp_path):
    """A change of any one changes it; one of a page that only prints does not."""
    copy = tmp_path / "creases"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert hash_of(copy) == hash_of(PACKAGE) == shaping_hash()
    seen, files = {hash_of(copy)}, shaping_files(copy)
    assert len(files) > 80
    for path in files:
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        seen.add(hash_of(copy))
        path.write_bytes(before)
    assert len(seen) == 1 + len(files)
    for folder in ("engine/room", "domain/room/of/its/own"):
        (copy / folder).mkdir(parents=True)
        (copy / folder / "new.py").write_text("x = 1\n")
        assert hash_of(copy) not in seen
        (copy / folder / "new.py").unlink()
    (copy / "cli" / "app.py").write_text("x = 1\n")
    assert hash_of(copy) == shaping_hash()
    assert {"rationals.py", "domain/cone.py", "domain/polytope.py", "engine/starts/roots.py", "engine/kernel.py"} <= {
        path.relative_to(copy).as_posix() for path in files
    }


def test_house_what_shapes_a_piece_imports_nothing_else_that_does():
    """A source that joins them, from another folder say, has to be named beside them."""
    known = {path.relative_to(PACKAGE).as_posix() for path in shaping_files(PACKAGE)} | SHAPELESS
    for path in shaping_files(PACKAGE):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                place = PACKAGE.joinpath(*name.split(".")[1:])
                for file in (place.with_suffix(".py"), place / "__init__.py"):
                    if name.split(".")[0] == "creases" and file.exists():
                        assert file.relative_to(PACKAGE).as_posix() in known, f"{path} imports {name}"


@pytest.mark.parametrize(
    ("package", "name"), [(numpy, "__version__"), (flint, "__version__"), (flint, "__FLINT_VERSION__")]
)
def test_house_the_hash_sees_the_packages(monkeypatch, package, name):
    """A new NumPy makes other results, and leaves the folder of kernels, which took a minute, as it is."""
    before, kernels = hash_of(PACKAGE), kernel_room.source_hash()
    monkeypatch.setattr(package, name, "0.0")
    assert hash_of(PACKAGE) != before
    assert kernel_room.source_hash() == kernels


def test_house_the_hash_sees_what_is_compiled(monkeypatch):
    before = hash_of(PACKAGE)
    monkeypatch.setattr(sources, "source_hash", lambda: "0123456789abcdef")
    assert hash_of(PACKAGE) != before
