"""The page in a real browser: gestures, counts in view, and nothing on the console.

Needs a chromium (Debian's package, or where CREASES_CHROMIUM says) and playwright for Python; else the tests are
skipped. WebGL runs in software, so times here are no measure of what a graphics card does.
"""

import json
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

import creases
from creases.explore import server
from creases.explore.session import Entry, Session
from tools import chromium
from tools.chromium import until

if not chromium.program():
    pytest.skip("there is no chromium to drive: apt-get install chromium", allow_module_level=True)
pytest.importorskip("uvicorn")
pytest.importorskip("matplotlib")
pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.jit  # the same page with slow kernels says nothing more

NETWORK = creases.Network.he([2, 16, 16, 16, 3], seed=0)
LATER = creases.Network.he([2, 16, 16, 16, 3], seed=1)
IN_IMAGES = creases.Network.he([64, 16, 16, 4], seed=0)
RNG = np.random.default_rng(0)
POINTS, IMAGES = RNG.uniform(-1, 1, (40, 2)), RNG.random((20, 64))


@pytest.fixture(scope="module")
def browser():
    with chromium.started() as found:
        yield found


@pytest.fixture
def opened(browser):
    """Opens the page of a session; afterwards the console must be empty."""
    import uvicorn

    servers, threads, said = [], [], []

    def page_of(session, **options):
        ready, addresses, made = threading.Event(), [], uvicorn.Server

        class Quiet(made):
            def __init__(self, config):
                super().__init__(config)
                servers.append(self)

            def install_signal_handlers(self):
                """Signals are the tests' own."""

        def run():
            uvicorn.Server = Quiet
            try:
                server.serve(session, 0, lambda address: (addresses.append(address), ready.set()))
            finally:
                uvicorn.Server = made

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        assert ready.wait(20)
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 720}, **options})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if not is_own(request.url, addresses[0]) else None)
        page.goto(addresses[0])
        settled(page)
        return page

    yield page_of
    for one in servers:
        one.should_exit = True
    for thread in threads:
        thread.join(20)
    assert said == []


def is_own(url, address):
    return url.startswith((address, "data:", "blob:"))


def settled(page):
    """The state of the page when all that was asked for is there."""
    until(page, "window.explorer !== undefined && explorer.state().idle")
    page.wait_for_timeout(120)
    until(page, "explorer.state().idle")
    return page.evaluate("explorer.state()")


def box_of(state):
    """What is in view, as a domain of the network."""
    (x, y), (w, h) = (
        [Fraction(int(digits)) * Fraction(2) ** e for digits, e in state["asked"]["centre"]],
        state["half"],
    )
    ends = [x - Fraction(w), y - Fraction(h), x + Fraction(w), y + Fraction(h)]
    assert all(Fraction(float(end)) == end for end in ends)
    return creases.Box([float(end) for end in ends[:2]], [float(end) for end in ends[2:]])


def is_counted(state, network=NETWORK, pane=0):
    shown, there = state["panes"][pane], creases.count(network, box_of(state))
    return (shown["regions"], shown["certified"]) == (there.regions, True) and not state["error"]


def test_explore_browser_counts_what_is_in_view(opened):
    page = opened(Session([NETWORK], POINTS, RNG.integers(0, 3, 40)))
    first = settled(page)
    assert is_counted(first)
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(500, 380, steps=5)
    page.mouse.up()
    moved = settled(page)
    assert moved["asked"]["centre"] != first["asked"]["centre"]
    assert moved["half"] == first["half"]
    assert is_counted(moved)
    page.mouse.wheel(0, -500)
    zoomed = settled(page)
    assert zoomed["half"][0] < 0.6 * moved["half"][0]
    assert is_counted(zoomed)
    page.mouse.dblclick(200, 200)
    assert is_counted(settled(page))
    shown = page.inner_text(".count")
    assert f"{settled(page)['panes'][0]['regions']:,} regions in view" in shown.replace("\n", " ")
    assert "certified" in shown


def test_explore_browser_keys(opened):
    page = opened(Session([NETWORK], POINTS))
    first = settled(page)
    page.focus(".stage")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    state = settled(page)
    assert state["half"][0] == pytest.approx(first["half"][0] / 2, rel=1e-4)
    assert is_counted(state)
    page.keyboard.press("Enter")
    assert settled(page)["pinned"]
    page.keyboard.press("Escape")
    assert not settled(page)["pinned"]
    page.keyboard.press("0")
    assert settled(page)["asked"] == first["asked"]
    colours = set()
    for _ in range(5):
        page.keyboard.press("c")
        state = settled(page)
        assert is_counted(state)
        colours.add(state["colour"])
    assert len(colours) == 5
    for key in "kkbpl":
        page.keyboard.press(key)
    assert settled(page)["line"]["regions"] > 1
    assert page.is_visible(".curve")


def test_explore_browser_zooms_below_floats(opened):
    """Into a corner of two neurons of the first layer, to 1e-16 of the start: as many regions as rationals say."""
    import reference

    network = creases.Network.he([2, 8, 8, 1], seed=0, bias_std=0.3)
    page = opened(Session([network]))
    (a, b), (c, d) = [[Fraction(x) for x in row] for row in network.levels[0].sources[0].matrix[:2].tolist()]
    e, f = (Fraction(-x) for x in network.levels[0].bias[:2].tolist())
    corner = [(e * d - b * f) / (a * d - b * c), (a * f - e * c) / (a * d - b * c)]
    digits = [[str(round(value * 2**200)), -200] for value in corner]
    page.evaluate(f"explorer.lookAt({json.dumps(digits[0])}, {json.dumps(digits[1])}, 1e-16)")
    state = settled(page)
    centre = [Fraction(int(whole)) * Fraction(2) ** exponent for whole, exponent in state["asked"]["centre"]]
    w, h = map(Fraction, state["half"])
    weights = [level.sources[i].matrix.tolist() for i, level in enumerate(network.levels[:-1])]
    biases = [level.bias.tolist() for level in network.levels[:-1]]
    domain = reference.affine(centre, [[1, 0], [0, 1]], reference.box([-w, -h], [w, h]))
    assert state["panes"][0]["regions"] == reference.count(weights, biases, domain) >= 4
    page.mouse.move(400, 300)
    page.mouse.wheel(0, 700)
    assert settled(page)["panes"][0]["certified"]


def test_explore_browser_hover_and_pin(opened):
    page = opened(Session([NETWORK]))
    page.mouse.move(300, 300)
    page.mouse.move(301, 300)
    until(page, "explorer.state().cell !== null")
    found = settled(page)["cell"]
    x, y = page.evaluate("[...explorer.centre(), ...explorer.state().half]")[:2]
    w = settled(page)["half"][0]
    wide, high = page.evaluate(
        "[document.querySelector('.pane').clientWidth, document.querySelector('.pane').clientHeight]"
    )
    place = [x + w * (2 * 301 / wide - 1), y + w * (high - 600) / wide]
    pattern = ["".join(str(int(bit)) for bit in layer) for layer in NETWORK.pattern(place)]
    assert [layer["bits"] for layer in found["layers"]] == pattern
    page.mouse.click(301, 300)
    page.mouse.move(700, 500)
    assert settled(page)["cell"]["cell"] == found["cell"]
    page.click("text=neighbours")
    page.click(".card details button >> nth=0")
    assert settled(page)["cell"]["cell"] in [one["cell"] for one in found["neighbours"]]


def test_explore_browser_planes_of_images(opened):
    page = opened(Session([IN_IMAGES], IMAGES, RNG.integers(0, 4, 20)))
    assert settled(page)["plane"]["kind"] == "points"
    kinds = page.locator("select[aria-label='Kind of plane']")
    for kind in ("origin", "random", "coordinates", "points"):
        kinds.select_option(kind)
        page.click("button[title='Show this plane']")
        until(page, f"explorer.state().plane.kind === '{kind}'")
        state = settled(page)
        assert state["panes"][0]["certified"]
        assert not state["error"]
    before = settled(page)["plane"]["plane"]
    rows, anchors = settled(page)["plane"]["rows"], settled(page)["plane"]["anchors"]
    # A point that is dropped on another of the data takes it.
    places = creases.explore.plane_of(IN_IMAGES, IMAGES, {"kind": "points", "rows": rows}).plane.slice.coordinates(
        IMAGES
    )
    other = next(i for i in range(20) if i not in rows)
    start = page.evaluate(f"explorer.pixel({anchors[0][0]}, {anchors[0][1]})")
    end = page.evaluate(f"explorer.pixel({places[other][0]}, {places[other][1]})")
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    until(page, f"explorer.state().plane.plane !== {before}")
    assert len(set(settled(page)["plane"]["rows"]) & set(rows)) == 2


def test_explore_browser_film_and_side_by_side(opened):
    entries = [
        Entry("trained", lambda: LATER),
        *(Entry(f"step {i}", lambda i=i: (NETWORK, LATER)[i], step=i) for i in range(2)),
    ]
    page = opened(Session(entries))
    page.check("text=side by side")
    state = settled(page)
    assert is_counted(state, LATER, 0)
    page.locator("select[aria-label='Network beside']").select_option("1")
    state = settled(page)
    assert is_counted(state, LATER, 0)
    assert is_counted(state, NETWORK, 1)
    page.mouse.move(200, 300)
    page.mouse.wheel(0, -300)
    state = settled(page)
    assert is_counted(state, LATER, 0)
    assert is_counted(state, NETWORK, 1)
    page.uncheck("text=side by side")
    page.locator("input[type=range]").fill("0")
    assert is_counted(settled(page), NETWORK)
    page.click("button[title='Play the film']")
    until(page, "explorer.state().networks[0] === 2")
    assert is_counted(settled(page), LATER)


def test_explore_browser_two_fingers(opened):
    page = opened(Session([NETWORK]), has_touch=True)
    before = settled(page)
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *places):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (300, 300), (400, 300))
    for i in range(1, 6):
        fingers("touchMove", (300 - 20 * i, 300), (400 + 20 * i, 300))
    fingers("touchEnd")
    after = settled(page)
    assert after["half"][0] == pytest.approx(before["half"][0] / 3, rel=0.1)
    assert is_counted(after)


def test_explore_browser_saves(opened, tmp_path):
    page = opened(Session([NETWORK]))
    regions = settled(page)["panes"][0]["regions"]
    for form in ("PNG", "SVG", "PDF", "CSV", "GeoJSON"):
        with page.expect_download() as download:
            page.click(f"button:text-is('{form}')")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.suffix == f".{form.lower()}"
        if form == "CSV":
            assert len(path.read_text().splitlines()) == regions + 2
    page.click("button:text-is('Python')")
    page.wait_for_selector("dialog pre")
    assert "creases.subdivide(network" in page.inner_text("dialog pre")
    page.click("dialog button:text-is('Close')")


def test_explore_browser_newest_view_wins(opened):
    """A storm of moves ends with the cells of the last view, and with no more than a few questions kept."""
    page = opened(Session([NETWORK]))
    page.mouse.move(400, 300)
    start = time.monotonic()
    while time.monotonic() - start < 2:
        page.mouse.wheel(0, float(RNG.integers(-200, 200)))
    assert is_counted(settled(page))


def test_explore_browser_widget(browser, tmp_path):
    """The widget's bundle, with a model that talks to a session as anywidget's does."""
    import base64
    from importlib.resources import files

    session = Session([NETWORK])
    page, said = browser.new_page(viewport={"width": 900, "height": 700}), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    def answered(question, given):
        facts, data = session.answer(question, given).packed()
        return {"facts": facts, "data": base64.b64encode(data).decode()}

    page.expose_function("answered", answered)
    page.set_content("<link rel='icon' href='data:,'><main></main>")
    static = files("creases.explore").joinpath("static")
    page.add_style_tag(content=static.joinpath("explore.css").read_text())
    script = base64.b64encode(static.joinpath("widget.js").read_bytes()).decode()
    page.evaluate(
        """async (script) => {
          const { default: widget } = await import(`data:text/javascript;base64,${script}`);
          let heard = null;
          const model = {
            get: () => 500,
            on: (_, callback) => { heard = callback; },
            send: async ({ number, question, given }) => {
              const { facts, data } = await window.answered(question, given);
              const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
              const odd = new Uint8Array(bytes.length + 3);
              odd.set(bytes, 3);
              heard({ number, facts }, [new DataView(odd.buffer, 3)]);
            },
          };
          widget.render({ model, el: document.querySelector("main") });
        }""",
        script,
    )
    end = time.monotonic() + 60
    while "regions in view" not in page.inner_text("main"):
        assert time.monotonic() < end, page.inner_text("main")
        page.wait_for_timeout(50)
    assert said == []
    assert page.evaluate("document.querySelector('.creases-explorer').clientHeight") == 500
    page.close()


def test_explore_browser_widget_asks_for_the_newest_view_only(browser):
    """Two places show one model and hear all answers; a slow kernel is asked for the newest view, not for all."""
    import base64
    from importlib.resources import files

    session, asked = Session([NETWORK]), []
    page = browser.new_page(viewport={"width": 900, "height": 1000})

    def answered(question, given):
        asked.append(question)
        facts, data = session.answer(question, given).packed()
        return {"facts": facts, "data": base64.b64encode(data).decode()}

    page.expose_function("answered", answered)
    page.set_content("<link rel='icon' href='data:,'><main></main><main></main>")
    static = files("creases.explore").joinpath("static")
    page.add_style_tag(content=static.joinpath("explore.css").read_text())
    page.evaluate(
        """async (script) => {
          const { default: widget } = await import(`data:text/javascript;base64,${script}`);
          const heard = new Set();
          window.heard = heard;
          let last = Promise.resolve();
          const model = {
            get: () => 400,
            on: (_, callback) => heard.add(callback),
            off: (_, callback) => heard.delete(callback),
            send: ({ number, question, given }) => {
              last = last.then(async () => {
                await new Promise((done) => setTimeout(done, question === "view" ? 300 : 0));
                const { facts, data } = await window.answered(question, given);
                const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
                for (const callback of heard) callback({ number, facts }, [new DataView(bytes.buffer)]);
              });
            },
          };
          window.ends = [...document.querySelectorAll("main")].map((el) => widget.render({ model, el }));
        }""",
        base64.b64encode(static.joinpath("widget.js").read_bytes()).decode(),
    )

    def places():
        late = page.locator(".late").count()
        return [one.split("\n")[0] for one in page.locator(".big").all_inner_texts()] if not late else []

    def all_there(number):
        end = time.monotonic() + 60
        while len(places()) < number:
            assert time.monotonic() < end, page.inner_text("body")
            page.wait_for_timeout(50)
        return places()

    first = all_there(2)
    assert first[0] == first[1]
    asked.clear()
    page.locator(".overlay").first.hover(position={"x": 150, "y": 100})
    for _ in range(30):
        page.mouse.wheel(0, -20)
    page.wait_for_timeout(500)
    then = all_there(2)
    assert then[0] != first[0]
    assert then[1] == first[1]
    assert asked.count("view") < 20
    page.evaluate("window.ends.forEach((end) => end())")
    assert page.evaluate("window.heard.size") == 0
    lost = "[...document.querySelectorAll('canvas.cells')].map((one) => one.getContext('webgl2').isContextLost())"
    assert page.evaluate(lost) == [True, True]
    page.close()


def test_explore_browser_mouse_draws_no_cells_again(opened):
    """The mouse over cells that stay draws an outline only: software needs a second for a hundred thousand cells."""
    page = opened(Session([NETWORK]))
    page.evaluate(
        """() => {
          window.drawn = 0;
          const gl = document.querySelector("canvas.cells").getContext("webgl2");
          const elements = gl.drawElements.bind(gl);
          gl.drawElements = (...given) => { window.drawn += 1; elements(...given); };
        }"""
    )
    for x in range(300, 500, 10):
        page.mouse.move(x, 300)
    settled(page)
    assert page.evaluate("window.drawn") == 0
    page.mouse.wheel(0, -100)
    settled(page)
    assert page.evaluate("window.drawn") > 0
