"""Make every picture of docs/gallery.md and docs/definitions.md: `python docs/gallery.py`, half a minute once the
kernels are compiled.

The pages themselves are run, block by block, in the folder of the pictures, or in the one of `--folder`; then these are
written anew with fewer colours, so that they are a third as large. Nothing is downloaded, and on one machine the same
files come out. Names of .png and .gif files on the command line are made smaller only: the picture of the README is
that of `make demo`, made smaller.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from PIL import Image, ImageSequence

HERE = Path(__file__).resolve().parent
PAGES = (HERE / "gallery.md", HERE / "definitions.md")
FOLDER = HERE / "gallery"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]+\]\(gallery/([^)]+)\)")
# Colours of a picture, of all frames together of a moving one; dots across; and kilobytes of all.
COLOURS, WIDEST = 128, 1400
MOST = 1200


def run(page: Path) -> None:
    """Run the python blocks of a page in one namespace, in this folder."""
    namespace = {"__name__": "__main__"}
    for i, code in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
        exec(compile(code, f"{page.name}, block {i}", "exec"), namespace)


def make(folder: Path) -> None:
    """Make all pictures in a folder. Ends the program if they are not those that the pages show."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    for page in PAGES:
        run(page)
    names = {name for page in PAGES for name in PICTURE.findall(page.read_text(encoding="utf-8"))}
    made = {path.name for path in folder.iterdir()}
    if names != made:
        sys.exit(f"The pages do not make {sorted(names - made)}, and do not show {sorted(made - names)}.")


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
    """Make the pictures of the pages, or the given files smaller."""
    if files and files[0] != "--folder":
        for name in files:
            shrink(Path(name))
        return
    folder = Path(files[1]).resolve() if files else FOLDER
    make(folder)
    total = 0.0
    for path in sorted(folder.iterdir()):
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
