"""Take the picture of docs/explore.md: a classifier of digits in the explorer, in a chromium without a window.

Needs chromium and the extras explore, data and dev.  python tools/make_explore_picture.py
"""

from __future__ import annotations

import io
from pathlib import Path

from explorer_page import opened, session
from PIL import Image

PICTURE = Path(__file__).parent.parent / "docs" / "explore.png"


def main() -> None:
    """Serve, look, and save."""
    with opened(session(), 1280, 760) as explorer:
        page = explorer.page
        page.locator("select[aria-label='Data points']").select_option("pictures")
        page.locator("select[aria-label='What colours tell']").select_option("class")
        page.check("text=function along a line")
        explorer.settle()
        page.mouse.click(420, 160)
        explorer.settle()
        page.wait_for_timeout(500)
        shot = page.screenshot()
    # Few colours: a third of the size, and no difference that one sees.
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE.name} written")


if __name__ == "__main__":
    main()
