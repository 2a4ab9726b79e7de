"""The film of the explorer: that it is there, moves, is small, and is shown; and that its gestures are counted."""

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest

import creases
from tools import chromium

Image = pytest.importorskip("PIL.Image", reason="pictures need the extra plot")

ROOT = Path(__file__).parent.parent
TOOLS, FILM = ROOT / "tools", ROOT / "docs" / "explore.gif"


@pytest.fixture
def tool(monkeypatch):
    """tools/make_explore_film.py as a module."""
    pytest.importorskip("playwright.sync_api", reason="the film needs the extra dev")
    pytest.importorskip("sklearn", reason="the film needs the extra data")
    pytest.importorskip("uvicorn", reason="the film needs the extra explore")
    monkeypatch.syspath_prepend(TOOLS)
    spec = importlib.util.spec_from_file_location("make_explore_film", TOOLS / "make_explore_film.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("explorer_page", "chromium"):
        sys.modules.pop(name, None)


def test_house_film_moves_and_is_small():
    with Image.open(FILM) as film:
        size, frames, forever = film.size, film.n_frames, film.info["loop"]
        durations = []
        for i in range(frames):
            film.seek(i)
            durations.append(film.info["duration"])
    assert FILM.stat().st_size < 2_500_000
    assert 780 <= size[0] <= 860
    assert frames >= 50
    assert forever == 0
    assert 6_000 < sum(durations) < 12_000


@pytest.mark.parametrize(("page", "name"), [("README.md", "docs/explore.gif"), ("docs/explore.md", "explore.gif")])
def test_house_film_is_on_the_first_screen(page, name):
    """In the first lines, with words for who does not see it, and with the command that makes it."""
    text = (ROOT / page).read_text("utf-8")
    top = "\n".join(text.splitlines()[:8])
    shown = re.search(rf"!\[([^\]]+)\]\({re.escape(name)}\)", top)
    assert shown
    assert "regions in view" in shown[1]
    assert "python tools/make_explore_film.py" in text


@pytest.mark.jit
def test_house_film_shows_what_was_counted(tool, tmp_path):
    """A finger, a pinch and the mouse on a small network; frames that hold what is drawn into them."""
    if not chromium.program():
        pytest.skip("there is no chromium to drive")
    network = creases.Network.he([2, 8, 8, 1], seed=0, bias_std=0.3)
    with tool.opened(creases.explore.Session([network]), tool.WIDE, tool.HIGH, has_touch=True) as explorer:
        film = tool.Film(explorer)
        before = explorer.state()
        tool.pan(film, (100.0, 400.0), (60.0, -40.0), 2)
        moved = explorer.state()
        tool.pinch(film, (300.0, 200.0), 3, times=4)
        scaled = explorer.state()
        tool.hover(film, [(200.0, 200.0)], 2)
        asked = explorer.state()
    assert moved["asked"]["centre"] != before["asked"]["centre"]
    assert moved["half"] == before["half"]
    assert scaled["half"][0] == pytest.approx(moved["half"][0] / 4, rel=0.1)
    assert asked["cell"]["layers"]
    assert all(state["panes"][0]["certified"] for state in (before, moved, scaled, asked))
    assert len(film.frames) == 3 + 3 + 2
    assert film.durations == [tool.MOVING] * 7 + [tool.READ]
    film.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as saved:
        assert saved.size == (tool.WIDE, tool.HIGH)
        assert saved.n_frames > 3


def test_known_fingers_and_pointer_are_drawn(tool):
    white = Image.new("RGBA", (60, 60), "white")
    marked = tool.marked(white, [(20.0, 20.0)], (40.0, 30.0))
    assert marked.getpixel((20, 20)) != (255, 255, 255)
    assert marked.getpixel((42, 35)) == (0, 0, 0)
    assert marked.getpixel((55, 5)) == (255, 255, 255)
    assert list(tool.eased(2)) == pytest.approx([0.5, 1])


def test_bad_input_no_chromium(tool, monkeypatch):
    monkeypatch.delenv("CREASES_CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="There is no chromium"), tool.opened(None, 100, 100):
        pass
