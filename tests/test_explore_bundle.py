"""The bundle in the package is that of the sources in `explorer/`: `make explorer` writes their hash into it."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "src" / "creases" / "explore" / "static"


def hash_of_sources():
    """As `explorer/build.mjs` computes it."""
    folder = ROOT / "explorer"
    names = [f"src/{path.name}" for path in sorted((folder / "src").iterdir())]
    digest = hashlib.sha256()
    for name in [*names, "build.mjs", "package-lock.json"]:
        digest.update(f"{name}\n".encode())
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", ["page.html", "page.js", "widget.js", "explore.css"])
def test_explore_bundle_is_made_of_the_sources(name):
    text = (STATIC / name).read_text(encoding="utf-8")
    written = re.search(r"made of sources ([0-9a-f]{64}) by 'make explorer'", text)
    assert written, f"{name} does not say what it is made of"
    assert written[1] == hash_of_sources(), "the sources have changed: run `make explorer` and commit what it writes"


@pytest.mark.parametrize("name", ["page.html", "page.js", "widget.js", "explore.css"])
def test_explore_bundle_loads_nothing_from_elsewhere(name):
    text = (STATIC / name).read_text(encoding="utf-8")
    # The name of SVG's elements is an address that nobody fetches.
    assert set(re.findall(r"https?://[^\s\"'`)]+", text)) <= {"http://www.w3.org/2000/svg"}
