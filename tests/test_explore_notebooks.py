"""The widget in real JupyterLab and marimo: servers on the loopback, and a chromium that runs the cells.

Skipped where these, a chromium or playwright are not installed: none of them is needed for anything else.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools import chromium

if not chromium.program():
    pytest.skip("there is no chromium to drive: apt-get install chromium", allow_module_level=True)
pytest.importorskip("anywidget")
pytest.importorskip("matplotlib")
pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.jit  # the same page with slow kernels says nothing more

# Seconds that a test may take altogether; it takes about 20 on two cores.
LONGEST = 300
SOURCES = Path(__file__).parent.parent / "src"
MAP = ".creases-explorer"
WIDGET = """import creases
network = creases.Network.he([2, 16, 16, 3], seed=0)
widget = creases.explore(network, creases.Box([-1, -1], [1, 1]), height=500)"""
# What the widget has cut last is what it shows: creases.count of the same rectangle.
THERE = """view = list(widget.session.views.values())[-1].view
found = creases.count(network, view.domain)
print("there", found.regions, found.certified)"""
MARIMO = f"""import marimo

app = marimo.App()

with app.setup:
    import marimo as mo
    import sys

    {WIDGET.replace(chr(10), chr(10) + " " * 4)}


@app.cell
def _():
    SHOWN
    return


@app.cell
def _():
    again = mo.ui.button(label="count there", value=0, on_click=lambda value: value + 1)
    again
    return (again,)


@app.cell
def _(again):
    if again.value:
        {THERE.replace(chr(10), chr(10) + " " * 8).replace("print(", "text = (")}
        mo.output.replace(mo.md(" ".join(map(str, text)) + f" of click {{again.value}}"))
    return
"""


def port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class Notebook:
    """A page with the widget in it, which has until `end` to do all that a test asks of it."""

    def __init__(self, page, end):
        self.page, self.end = page, end

    def left(self):
        """The seconds that are left; playwright waits no longer either."""
        left = self.end - time.monotonic()
        assert left > 0, f"not done after {LONGEST} s: {self.page.inner_text('body', timeout=5000)}"
        self.page.set_default_timeout(1000 * left)
        return left

    def pause(self, milliseconds=50):
        self.left()
        self.page.wait_for_timeout(milliseconds)

    def regions(self, other_than=None, which=0):
        """The certified number of regions in view, when it is there and another one."""
        explorer = self.page.locator(MAP).nth(which)
        while True:
            self.left()
            text = explorer.locator(".count").inner_text() if explorer.count() else ""
            found = re.search(r"([\d,]+) regions? in view\s+✓ certified", text)
            if found and not explorer.locator(".late").count() and int(found[1].replace(",", "")) != other_than:
                return int(found[1].replace(",", ""))
            self.pause()

    def scaled(self, amount, which=0):
        self.left()
        self.page.locator(f"{MAP} .overlay").nth(which).hover(position={"x": 150, "y": 150})
        self.page.mouse.wheel(0, amount)

    def ran(self, which):
        """The output of a JupyterLab cell that is run. (What is run before the kernel is ready is not run at all.)"""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(which)
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        while prompt.inner_text() == before:
            self.left()
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            for _ in range(20):
                self.pause(100)
                if prompt.inner_text() != before:
                    break
        while "*" in prompt.inner_text():
            self.pause()
        self.pause(300)
        output = cell.locator(".jp-OutputArea")
        return output.inner_text() if output.count() else ""


@contextmanager
def opened(command, alive, address, folder):
    """A page of a server that this command starts, in a chromium; settings and files stay in a folder."""
    end = time.monotonic() + LONGEST
    with (folder / "log").open("w") as log:
        own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        own |= {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "STATE", "DATA")}
        paths = os.pathsep.join(filter(None, [str(SOURCES), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, **own, "IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": paths}
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            while not answers(alive):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.2)
            with chromium.started() as browser:
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                notebook = Notebook(page, end)
                notebook.left()
                page.goto(address)
                yield notebook
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture
def lab(tmp_path):
    """JupyterLab with a notebook of cells."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")

    @contextmanager
    def notebook(*cells):
        (tmp_path / "work").mkdir()
        parts = [
            {
                "cell_type": "code",
                "id": f"cell{i}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": cell,
            }
            for i, cell in enumerate(cells)
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        whole = {"cells": parts, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / "work" / "there.ipynb").write_text(json.dumps(whole))
        number = port()
        options = [
            *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={number}"),
            *("--ServerApp.port_retries=0", "--IdentityProvider.token=token"),
            *(f"--ServerApp.root_dir={tmp_path / 'work'}", "--LabApp.news_url=None"),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        at = f"http://127.0.0.1:{number}"
        page_at = f"{at}/lab/tree/there.ipynb?token=token"
        with opened(["jupyterlab", *options], f"{at}/api/status?token=token", page_at, tmp_path) as shown:
            shown.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
            yield shown

    return notebook


def test_explore_notebooks_jupyterlab_counts_what_is_in_view(lab):
    with lab(f"{WIDGET}\nwidget", THERE) as shown:
        shown.ran(0)
        first = shown.regions()
        assert shown.ran(1).split() == ["there", str(first), "True"]
        shown.scaled(-400)
        then = shown.regions(other_than=first)
        assert shown.ran(1).split() == ["there", str(then), "True"]


def test_explore_notebooks_jupyterlab_keys_are_the_maps(lab):
    """JupyterLab inserts, cuts and restarts by single keys: none of that on the map."""
    with lab(f"{WIDGET}\nwidget", "1") as shown:
        shown.ran(0)
        shown.regions()
        shown.page.locator(f"{MAP} .overlay").click(position={"x": 150, "y": 150})
        for key in "axddii00":
            shown.page.keyboard.press(key)
        shown.page.wait_for_timeout(500)
        assert shown.page.locator(".jp-Notebook .jp-CodeCell").count() == 2
        assert shown.page.locator(".jp-Dialog").count() == 0
        assert shown.page.evaluate("document.activeElement.className") == "stage"
        shown.page.keyboard.press("l")
        shown.page.wait_for_selector(f"{MAP} .curve")


def test_explore_notebooks_jupyterlab_cells_run_again(lab):
    """A widget shown twice, and a cell that is run more often than a page may have maps: none goes blank."""
    with lab(f"{WIDGET}\nwidget", "widget", "creases.explore(network, height=300)") as shown:
        said = []
        shown.page.on("console", lambda message: said.append(message.text) if "WebGL" in message.text else None)
        shown.ran(0)
        first = shown.regions()
        shown.ran(1)
        assert shown.regions(which=1) == first
        shown.scaled(-400, which=1)
        shown.regions(other_than=first, which=1)
        assert shown.regions() == first
        for _ in range(18):
            shown.ran(2)
            shown.regions(which=2)
        lost = "[...document.querySelectorAll('canvas.cells')].map((one) => one.getContext('webgl2').isContextLost())"
        assert shown.page.evaluate(lost) == [False] * 3
        assert said == []


@pytest.mark.parametrize("shown", ["widget", "mo.ui.anywidget(widget)"])
@pytest.mark.parametrize("mode", ["run", "edit"])
def test_explore_notebooks_marimo_counts_what_is_in_view(tmp_path, mode, shown):
    pytest.importorskip("marimo", reason="marimo is not installed")
    (tmp_path / "there.py").write_text(MARIMO.replace("SHOWN", shown))
    number = port()
    at = f"http://127.0.0.1:{number}"
    command = [
        "marimo",
        "-q",
        mode,
        "there.py",
        "--headless",
        "--no-token",
        "--host",
        "127.0.0.1",
        "--port",
        str(number),
    ]
    with opened(command, f"{at}/health", at, tmp_path) as notebook:
        page = notebook.page
        if mode == "edit":
            page.wait_for_selector(".cm-content")
            page.wait_for_timeout(2000)
            page.keyboard.press("Control+Shift+r")  # run all

        def there(click):
            notebook.left()
            page.click("button:has-text('count there')")
            page.wait_for_selector(f"text=/^there \\d+ True of click {click}$/")
            return int(page.inner_text(f"text=/^there \\d+ True of click {click}$/").split()[1])

        first = notebook.regions()
        assert there(1) == first
        notebook.scaled(-400)
        then = notebook.regions(other_than=first)
        assert there(2) == then
