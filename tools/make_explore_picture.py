"""Take the picture of docs/explore.md: a classifier of digits in the explorer, in a chromium without a window.

Needs chromium and the extras explore, data and dev.  python tools/make_explore_picture.py
"""

from __future__ import annotations

import io
import shutil
import threading
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import creases
from creases.explore.server import serve
from creases.explore.session import Entry, Session

PICTURE = Path(__file__).parent.parent / "docs" / "explore.png"
SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]


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


def main() -> None:
    """Serve, look, and save."""
    ready, addresses = threading.Event(), []
    shown = session()
    threading.Thread(
        target=lambda: serve(shown, 0, lambda address: (addresses.append(address), ready.set())), daemon=True
    ).start()
    ready.wait()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=SOFTWARE)
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.goto(addresses[0])

        def settle() -> None:
            page.wait_for_timeout(200)
            while not page.evaluate("explorer.state().idle"):
                page.wait_for_timeout(50)

        settle()
        page.locator("select[aria-label='Data points']").select_option("pictures")
        page.locator("select[aria-label='What colours tell']").select_option("class")
        page.check("text=function along a line")
        settle()
        page.mouse.click(420, 160)
        settle()
        page.wait_for_timeout(500)
        shot = page.screenshot()
        browser.close()
    # Few colours: a third of the size, and no difference that one sees.
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE.name} written")


if __name__ == "__main__":
    main()
