"""The explorer on a classifier of digits, in a chromium without a window: what its still picture and its film show.

Needs chromium and the extras explore, data and dev.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import chromium
import numpy as np
from playwright.sync_api import Page
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import creases
from creases.explore.server import serve
from creases.explore.session import Entry, Session

# Seconds until the server listens, at most.
LONGEST = 60.0


def session() -> Session:
    """Digits of 8 x 8 pixels, a network in training, and the plane through a 0, a 1 and a 2."""
    digits = load_digits()
    inputs, labels = digits.data / 16, digits.target
    learner = MLPClassifier([24, 24, 24], learning_rate_init=0.002, random_state=0)
    entries = []
    for step in range(6):
        for _ in range(8):
            learner.partial_fit(inputs, labels, classes=np.arange(10))
        network = creases.load(learner)
        entries.append(Entry(f"epoch {8 * step + 8}", lambda network=network: network, step=8 * step + 8))
    return Session([Entry("digits.npz", entries[-1].load), *entries], inputs[:40], labels[:40])


@dataclass(frozen=True, eq=False)
class Explorer:
    """The page, open in a browser."""

    page: Page

    def state(self) -> dict[str, Any]:
        """What the page says that it shows."""
        return dict(self.page.evaluate("explorer.state()"))

    def settle(self, least: int = 200) -> None:
        """Wait until all that was asked for is there; least : milliseconds before the first look."""
        self.page.wait_for_timeout(least)
        chromium.until(self.page, "explorer.state().idle")


@contextmanager
def opened(shown: Session, width: int, height: int, **options: Any) -> Iterator[Explorer]:
    """The explorer of a session, in a page of so many pixels.

    options : of the page, as playwright has them. Ends the program if there is no chromium.
    """
    with chromium.started() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.goto(served(shown))
        explorer = Explorer(page)
        explorer.settle()
        yield explorer


def served(shown: Session) -> str:
    """The address of a session, which is served as long as this program runs."""
    ready, addresses = threading.Event(), list[str]()

    def listening(address: str) -> None:
        addresses.append(address)
        ready.set()

    threading.Thread(target=lambda: serve(shown, 0, listening), daemon=True).start()
    if not ready.wait(LONGEST):
        raise TimeoutError(f"The explorer's server does not listen after {LONGEST:.0f} s.")
    return addresses[0]
