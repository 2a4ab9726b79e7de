"""The site: that it builds strictly, loads nothing from elsewhere, and has every public name on a page of the API."""

import importlib
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import creases
from children import LONGEST

pytest.importorskip("mkdocs", reason="the site needs the extra docs")
pytest.importorskip("material", reason="the site needs the extra docs")
pytest.importorskip("mkdocstrings", reason="the site needs the extra docs")

ROOT = Path(__file__).parent.parent
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)=["']?(?:https?:)?//"""
    r"""|@import|url\(["']?https?:"""
)


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hooks = module_of(ROOT / "tools" / "site" / "hooks.py")
docstrings = module_of(ROOT / "tools" / "site" / "docstrings.py")
report = module_of(ROOT / "tools" / "site" / "report.py")
REPORT = ROOT / "docs" / "report"


def build(*options, cwd=ROOT):
    paths = os.pathsep.join([str(ROOT / "src"), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", *options],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": paths},
        timeout=LONGEST,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built from what is committed, its pictures too."""
    folder = tmp_path_factory.mktemp("site")
    done = build("--site-dir", str(folder))
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_house_site_has_every_page_of_its_navigation(site):
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8").split("\nnav:")[1]
    named = re.findall(r"^ *- (?:[^#\n]*: )?([\w/-]+\.md)$", navigation, re.MULTILINE)
    assert len(named) > 35
    for page in named:
        assert (site / page).with_suffix(".html").is_file(), page


def test_house_site_loads_nothing_from_elsewhere(site):
    """It is opened from a folder, without a network and without a server."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 35
    for page in pages:
        # Canonical addresses and links that a reader may follow are not loaded.
        for found in LOADED.finditer(page.read_text("utf-8")):
            pytest.fail(f"{page.name} loads {found[0]}")
    index = (site / "index.html").read_text("utf-8")
    assert "unpkg" not in index
    assert "iframe-worker.js" in index
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?https?:", sheet.read_text("utf-8")), sheet.name


def test_house_site_shows_every_public_name(site):
    for room in hooks.ROOMS:
        page = (site / "api" / f"{room}.html").read_text("utf-8")
        names = hooks.names_of(room)
        assert names
        for module, name in names:
            assert f'id="{module}.{name}"' in page, name
            assert hooks.first_sentence(module, name)  # an error where there is no docstring


def test_house_site_has_all_names_of_creases_and_of_its_rooms():
    shown = {id(getattr(importlib.import_module(m), n)) for room in hooks.ROOMS for m, n in hooks.names_of(room)}
    for name in creases.__all__:
        thing = getattr(creases, name)
        if name != "__version__" and not inspect.ismodule(thing):
            assert id(thing) in shown, name
    pages = {module for _, modules in hooks.ROOMS.values() for module in modules}
    for room in creases._ROOMS:
        assert f"creases.{room}" in pages or room == "paper"  # which has its names in modules
        module = importlib.import_module(f"creases.{room}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            assert inspect.ismodule(thing) or id(thing) in shown, f"{room}.{name}"


def test_house_every_question_leads_to_a_function():
    page = (ROOT / "docs" / "which.md").read_text("utf-8")
    rows = [line.split(" | ", 1)[1] for line in page.splitlines() if line.startswith("| ") and "| ---" not in line]
    found = [match for row in rows for match in hooks.CODE.finditer(row)]
    assert len(found) > 60
    assert [match[0] for match in found if hooks.target_of(match[1]) is None] == []


def test_house_gallery_shows_twenty_pictures_and_all_are_there():
    page = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(gallery/([^)]+)\)", page)
    assert len(pictures) >= 20
    others = re.findall(r"!\[[^\]]+\]\(gallery/([^)]+)\)", (ROOT / "docs" / "definitions.md").read_text("utf-8"))
    assert {*pictures, *others} == {path.name for path in (ROOT / "docs" / "gallery").iterdir()}


def test_house_gallery_links_what_its_examples_use(site):
    page = (site / "gallery.html").read_text("utf-8")
    for name in ("plot.plot_complex", "creases.subdivide", "plot.plot_exploded", "creases.level_set"):
        assert re.search(rf'<a [^>]*href="api/[^"]+"[^>]*><code>{name}</code></a>', page), name


def test_house_site_shows_the_report_whole(site):
    """Every figure, number and verdict of the stored report, how it was made, and no picture that is not there."""
    from html import unescape

    page = (site / "report.html").read_text("utf-8")
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    stored = json.loads((REPORT / "report.json").read_text("utf-8"))
    assert set(stored["figures"]) == {path.stem for path in REPORT.glob("*.svg")}
    assert f"<code>{stored['command']}</code>" in page
    assert all(version in words for version in stored["versions"])
    assert all(" ".join(text.split()) in words for text in (stored["convention"], stored["chance"], *stored["data"]))
    for name, figure in stored["figures"].items():
        assert f'src="report/{name}.svg"' in page
        assert (site / "report" / f"{name}.svg").is_file()
        assert f'id="{name}"' in page
        assert figure["command"] in words
        for what, one in figure["findings"].items():
            told = " ".join(f"{what} {one['measured']} {one['authors']}".split())
            assert told in words, (name, what)
        assert all(" ".join(line.split()) in words for line in figure["settings"])
    shown = re.findall(r'class="verdict ([a-z-]+)"', page)
    said = [one["verdict"] for figure in stored["figures"].values() for one in figure["findings"].values()]
    assert [word.replace("-", " ") for word in shown] == said
    assert not list(site.rglob("report.json"))
    assert 'href="report.html"' in (site / "papers.html").read_text("utf-8")


def test_house_report_has_all_figures():
    from creases.paper.figures import FIGURES

    stored = json.loads((REPORT / "report.json").read_text("utf-8"))
    assert list(stored["figures"]) == list(FIGURES)
    assert all(figure["missing"] == 0 and figure["settings"] for figure in stored["figures"].values())
    assert set(report.WORDS) >= {
        one["verdict"] for figure in stored["figures"].values() for one in figure["findings"].values()
    } - {"noted"}
    assert sum(path.stat().st_size for path in REPORT.iterdir()) < 4_000_000


def test_bad_input_a_report_without_a_picture_stops_the_build(tmp_path):
    from mkdocs.exceptions import PluginError

    (tmp_path / "report.json").write_text('{"figures": {"counts": {}}}', "utf-8")
    with pytest.raises(PluginError, match="docs/report has no picture of counts"):
        report.page(tmp_path)


@pytest.mark.parametrize("size", ["smoke", "laptop"])
def test_known_a_report_is_kept_whole(tmp_path, size):
    """Its numbers and pictures, in place of those of the report before; size laptop for the page in words too."""
    tool = module_of(ROOT / "tools" / "make_papers_docs.py")
    given, docs = tmp_path / "given", tmp_path / "docs"
    given.mkdir()
    (docs / "report").mkdir(parents=True)
    (docs / "report" / "old.svg").write_text("<svg/>", "utf-8")
    (given / "report.json").write_text(json.dumps({"size": size, "figures": {"counts": {}}}), "utf-8")
    with pytest.raises(SystemExit, match=r"is not whole: it has no counts\.svg"):
        tool.take(given, docs)
    assert (docs / "report" / "old.svg").is_file()
    for name in ("counts.svg", "report.md", "report.html"):
        (given / name).write_text(name, "utf-8")
    tool.take(given, docs)
    assert {path.name for path in (docs / "report").iterdir()} == {"report.json", "counts.svg"}
    kept = {path.name for path in docs.iterdir()} - {"report"}
    assert kept == ({"laptop.json", "laptop.md", "counts.svg"} if size == "laptop" else set())


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("# A\n\n[gone](gone.md)\n", "gone.md"),
        ("# A\n\n[nowhere](index.md#nowhere)\n", "nowhere"),
        ("# A\n\n[`creases.fold`][creases.fold]\n\n::: creases.fold\n", "creases.fold"),
    ],
)
def test_bad_input_broken_links_and_names_fail_the_build(tmp_path, page, said):
    import yaml

    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    del config["nav"], config["hooks"], config["theme"], config["extra_css"]
    config["plugins"] = [plugin for plugin in config["plugins"] if plugin not in ("offline", "search")]
    handler = config["plugins"][1]["mkdocstrings"]["handlers"]["python"]
    handler["paths"] = [str(ROOT / "src")]
    handler["options"]["extensions"] = [str(ROOT / "tools" / "site" / "docstrings.py")]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(page, "utf-8")
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config), "utf-8")
    done = build("--site-dir", str(tmp_path / "site"), cwd=tmp_path)
    assert done.returncode != 0
    assert said in done.stderr


def test_bad_input_a_name_without_a_docstring_stops_the_build(monkeypatch):
    from mkdocs.exceptions import PluginError

    monkeypatch.setattr(creases.domain.Box, "__doc__", None)
    with pytest.raises(PluginError, match=r"creases\.domain\.Box has no docstring"):
        hooks.api_page("domain")


def test_known_docstrings_become_lists():
    text = "Cuts.\n\na, b : the two\n    of them. c : a third, which\ngoes on.\nRaises DomainError.\n"
    text += "\nExamples\n--------\n>>> 1\n1"
    assert docstrings.as_markdown(text).splitlines() == [
        "Cuts.",
        "",
        "- **`a, b`**: the two of them.",
        "- **`c`**: a third, which goes on.",
        "",
        "Raises DomainError.",
        "",
        "Examples",
        "--------",
        ">>> 1",
        "1",
    ]


NOTEBOOKS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_house_tutorials_hold_what_they_printed(path):
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"]) or (
        path.stem == "theorem"  # which has tables
    )
    assert path.stat().st_size < 400 * 1024


# Three frameworks are imported by the one on training, which takes half a minute.
RUN = [pytest.param(path, marks=[pytest.mark.long] if path.stem == "training" else []) for path in NOTEBOOKS]


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_house_tutorials_run(path):
    """From the first cell to the last, without an error."""
    pytest.importorskip("nbclient", reason="notebooks need the extra docs")
    pytest.importorskip("ipykernel", reason="notebooks need the extra docs")
    if path.stem == "training":
        pytest.importorskip("pytorch_lightning", reason="this tutorial needs the extra tutorials")
        pytest.importorskip("transformers", reason="this tutorial needs the extra tutorials")
    run = module_of(ROOT / "tools" / "run_notebooks.py")
    cells = [cell for cell in run.executed(path).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)


def test_house_there_are_three_tutorials():
    assert [path.stem for path in NOTEBOOKS] == ["digits", "theorem", "training"]
