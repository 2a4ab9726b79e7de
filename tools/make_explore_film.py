"""Take the film of the README: the explorer moved, scaled by powers of ten, pointed at and coloured, as a GIF.

Needs chromium and the extras explore, data and dev.  python tools/make_explore_film.py

Gestures are those of a hand: one finger moves, two scale, the mouse asks. Each frame waits for its own count, so the
number in it is the exact count of what it shows. Fingers and pointer, which a screenshot leaves out, are drawn into it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path
from typing import Any

from explorer_page import Explorer, opened, session
from PIL import Image, ImageDraw

FILM = Path(__file__).parent.parent / "docs" / "explore.gif"
WIDE, HIGH = 840, 500
# Milliseconds of a frame that moves; of one that is to be read; and of the first.
MOVING, READ, FIRST = 70, 900, 1000
COLOURS = 128
MOST = 2_500_000
# In the plane's coordinates: three neurons vanish within a thousandth of this point, and leave a triangle between them.
SMALL = (-3.041025280532228, -0.5217598549145572)
# Where the pinch is taken, and how far two fingers come: pixels of each finger from their middle.
NEAR, FAR, TURNED = 10, 190, 0.9
POINTER = ((0, 0), (0, 17), (4, 13.2), (6.8, 19.6), (9.6, 18.4), (6.9, 12.2), (12.4, 12.2))


class Film:
    """Frames of the explorer while a hand is at it.

    frames, durations : what was taken, and how many milliseconds each is shown. fingers, pointer : where fingers and
    mouse are on the page; None for a mouse that is not shown.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self.touch = explorer.page.context.new_cdp_session(explorer.page)
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []
        self.fingers: list[tuple[float, float]] = []
        self.pointer: tuple[float, float] | None = None

    def take(self, milliseconds: int = MOVING) -> None:
        """A frame that is shown so long."""
        self.explorer.settle(20)
        shot = Image.open(io.BytesIO(self.explorer.page.screenshot())).convert("RGBA")
        self.frames.append(marked(shot, self.fingers, self.pointer))
        self.durations.append(milliseconds)

    def hold(self, fingers: list[tuple[float, float]]) -> None:
        """Put fingers to these places, or lift them all."""
        kind = "touchEnd" if not fingers else "touchMove" if self.fingers else "touchStart"
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(fingers)]
        self.touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.fingers = fingers

    def point(self, x: float, y: float) -> None:
        """Move the mouse there."""
        self.explorer.page.mouse.move(x, y)
        self.pointer = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the plane is on the page."""
        px, py = self.explorer.page.evaluate(f"explorer.pixel({x!r}, {y!r})")
        return px, py

    def save(self, path: Path) -> None:
        """Write all frames with the same few colours, which are those of all of them."""
        strip = Image.new("RGB", (WIDE, HIGH * len(self.frames)))
        for i, frame in enumerate(self.frames):
            strip.paste(frame, (0, i * HIGH))
        few = strip.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        first, *others = [few.crop((0, i * HIGH, WIDE, (i + 1) * HIGH)) for i in range(len(self.frames))]
        first.save(path, save_all=True, append_images=others, duration=self.durations, loop=0, optimize=True)


def marked(shot: Image.Image, fingers: list[tuple[float, float]], pointer: tuple[float, float] | None) -> Image.Image:
    """A screenshot with fingers as discs and the mouse as an arrow, drawn four times as large and made smaller."""
    times = 4
    over = Image.new("RGBA", (shot.width * times, shot.height * times))
    pen = ImageDraw.Draw(over)
    for x, y in fingers:
        box = [times * (x - 15), times * (y - 15), times * (x + 15), times * (y + 15)]
        pen.ellipse(box, fill=(30, 30, 30, 130), outline=(255, 255, 255, 255), width=2 * times)
    if pointer is not None:
        arrow = [(times * (pointer[0] + x), times * (pointer[1] + y)) for x, y in POINTER]
        pen.polygon(arrow, fill=(0, 0, 0, 255), outline=(255, 255, 255, 255), width=times)
    return Image.alpha_composite(shot, over.resize(shot.size, Image.Resampling.BOX)).convert("RGB")


def eased(frames: int) -> Iterator[float]:
    """From 0 to 1, slow at both ends."""
    return (0.5 - 0.5 * cos(pi * i / frames) for i in range(1, frames + 1))


def pan(film: Film, start: tuple[float, float], by: tuple[float, float], frames: int) -> None:
    """Move the view with one finger."""
    film.hold([start])
    film.take()
    for part in eased(frames):
        film.hold([(start[0] + part * by[0], start[1] + part * by[1])])
        film.take()
    film.hold([])


def pinch(film: Film, centre: tuple[float, float], frames: int, times: float = FAR / NEAR) -> None:
    """Scale the view around a place with two fingers."""
    for i, part in enumerate([0.0, *eased(frames)]):
        far = NEAR * times**part
        dx, dy = far * cos(TURNED), far * sin(TURNED)
        film.hold([(centre[0] - dx, centre[1] - dy), (centre[0] + dx, centre[1] + dy)])
        if i != 1:  # the first step is so small that nobody sees it
            film.take()
    film.hold([])


def hover(film: Film, places: list[tuple[float, float]], frames: int) -> None:
    """Move the mouse from where it is through these places, and rest at each."""
    for place in places:
        x, y = film.pointer or place
        for part in eased(frames):
            film.point(x + part * (place[0] - x), y + part * (place[1] - y))
            film.take()
        film.durations[-1] = READ


def told(film: Film) -> str:
    """What the last frame says, for who makes the film."""
    state: dict[str, Any] = film.explorer.state()
    shown = state["panes"][0]
    return f"{2 * state['half'][0]:.3g} wide: {shown['regions']:,} regions, certified: {shown['certified']}"


def main() -> None:
    """Serve, act, and save."""
    with opened(session(), WIDE, HIGH, has_touch=True) as explorer:
        film, page = Film(explorer), explorer.page
        for _ in range(2):
            page.click("button[title='zoom out']")
            explorer.settle()
        page.mouse.move(WIDE - 4, HIGH - 4)
        film.take(FIRST)
        print(told(film))

        middle = ((WIDE - 320) / 2, HIGH / 2)
        x, y = film.place(*SMALL)
        pan(film, (380.0, 400.0), (middle[0] - x, middle[1] - y), 9)
        for _ in range(3):
            pinch(film, film.place(*SMALL), 10)
            film.take(READ // 2)
            print(told(film))
        film.durations[-1] = READ

        film.pointer = (WIDE - 150.0, 300.0)
        button = page.locator("button[title='the first view']").bounding_box()
        assert button is not None
        hover(film, [(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)], 3)
        film.durations[-1] = MOVING
        page.click("button[title='the first view']")
        film.take(READ // 2)
        print(told(film))
        film.point(430.0, 330.0)
        hover(film, [(400.0, 300.0), (450.0, 120.0)], 6)

        colours = page.locator("select[aria-label='What colours tell']")
        box = colours.bounding_box()
        assert box is not None
        hover(film, [(box["x"] + box["width"] - 20, box["y"] + box["height"] / 2)], 4)
        film.durations[-1] = MOVING
        for colour in ("gradient", "class"):
            colours.select_option(colour)
            film.take(READ)
        film.save(FILM)
    size, seconds = FILM.stat().st_size, sum(film.durations) / 1000
    print(f"{FILM.name} written: {len(film.frames)} frames, {seconds:.1f} seconds, {size / 1000:,.0f} KB")
    if size > MOST:
        raise SystemExit(f"That is more than {MOST / 1000:,.0f} KB.")


if __name__ == "__main__":
    main()
