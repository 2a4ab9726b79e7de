"""A chromium without a window, for the tests of the explorer and for its pictures: where it is, and how it starts.

WebGL runs in software, so that every machine draws the same.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What distributions call it.
NAMES = ("chromium", "chromium-browser")
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
# Seconds that a page may take for anything: ten times what the slowest takes.
LONGEST = 120.0


def program() -> str:
    """The chromium that CREASES_CHROMIUM names, else the one on the path; empty if there is none."""
    return os.environ.get("CREASES_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")


@contextmanager
def started() -> Iterator[Browser]:
    """A browser, closed at the end. Ends the program if there is no chromium."""
    if not program():
        raise SystemExit("There is no chromium on the path. Install one, or say where it is in CREASES_CHROMIUM.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def until(page: Page, condition: str, seconds: float = LONGEST) -> None:
    """Wait for a condition of the page, a script; TimeoutError if it does not come about.

    (Playwright's own way is a script that the explorer's policy forbids.)
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        if time.monotonic() > end:
            state = page.evaluate("window.explorer && explorer.state()")
            raise TimeoutError(f"After {seconds:.0f} s the page still has no {condition}: it is {state}.")
        page.wait_for_timeout(20)
