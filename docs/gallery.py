"""Make every picture of docs/gallery.md: `python docs/gallery.py`, some seconds once the kernels are compiled.

The page itself is run, block by block, in the folder of its pictures; then these are written anew with fewer colours,
so that they are a third as large. Nothing is downloaded, and on one machine the same files come out. Names of .png and
.gif files on the command line are made smaller only: the picture of the README is that of `make demo`, made smaller.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from PIL import Image, ImageSequence

PAGE = Path(__file__).with_suffix(".md")
FOLDER = PAGE.with_suffix("")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]+\]\(gallery/([^)]+)\)")
# Colours of a picture, of all frames together of a moving one; dots across; and kilobytes of all.
COLOURS, WIDEST = 128, 1400
MOST = 480


def run(page: str) -> None:
    """Run the python blocks of the page in one namespace, in the folder of pictures."""
    FOLDER.mkdir(exist_ok=True)
    os.chdir(FOLDER)
    namespace = {"__name__": "__main__"}
    for i, code in enumerate(BLOCK.findall(page)):
        exec(compile(code, f"{PAGE.name}, block {i}", "exec"), namespace)


def shrink(path: Path) -> None:
    """Write a .png or .gif anew with few colours, the same in all frames, and none that dots of others stand for."""
    with Image.open(path) as picture:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(picture)]
        info = {name: picture.info[name] for name in ("dpi", "duration", "loop") if name in picture.info}
    if frames[0].width > WIDEST:
        size = WIDEST, frames[0].height * WIDEST // frames[0].width
        frames = [frame.resize(size, Image.Resampling.HAMMING) for frame in frames]
    wide, high = frames[0].size
    strip = Image.new("RGB", (wide, high * len(frames)))
    for i, frame in enumerate(frames):
        strip.paste(frame, (0, i * high))
    few = strip.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    first, *others = [few.crop((0, i * high, wide, (i + 1) * high)) for i in range(len(frames))]
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(path, optimize=True, **more, **info)


def main(files: list[str]) -> None:
    """Make the pictures of the page, or the given files smaller."""
    if files:
        for name in files:
            shrink(Path(name))
        return
    page = PAGE.read_text(encoding="utf-8")
    run(page)
    names, made = set(PICTURE.findall(page)), {path.name for path in FOLDER.iterdir()}
    if names != made:
        sys.exit(f"The page does not make {sorted(names - made)}, and does not show {sorted(made - names)}.")
    total = 0.0
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in (".png", ".gif"):
            shrink(path)
        size = path.stat().st_size / 1024
        total += size
        print(f"{path.name}: {size:.0f} KB")
    print(f"{total:.0f} KB in all")
    if total > MOST:
        sys.exit(f"That is more than {MOST} KB.")


if __name__ == "__main__":
    main(sys.argv[1:])
