"""Pictures as wide as a column, 3.3 inches: no text is cut off by the edge or lies on other text, or is too small."""

import itertools

import numpy as np
import pytest

from creases import Box, Line, Network, Plane, Segment, Space, subdivide
from creases.cli.draw import title_of
from creases.plot import (
    Column,
    Series,
    animate,
    by_pattern,
    house_style,
    plot_boundary,
    plot_complex,
    plot_cut_away,
    plot_exploded,
    plot_histogram,
    plot_history,
    plot_kinks,
    plot_line,
    plot_surface,
)

SQUARE = Box([-1.0, -1.0], [1.0, 1.0])
CUBE = Box([-1.0, -1.0, -1.0], [1.0, 1.0, 1.0])
WORDS = ["pattern", "layer", "gradient", "class", "activity", "volume", "facets", "vertices", "bounded"]
POINTS = np.random.default_rng(0).uniform(-0.9, 0.9, (12, 2))
# Points: what a reader of a printed page can read.
LEAST_LETTERS = 6.5


def cells_of(widths, domain, seed=0):
    return subdivide(Network.he(widths, seed=seed, bias_std=0.4), domain)


@pytest.fixture(scope="module")
def flat():
    return cells_of([2, 12, 12, 3], SQUARE)


@pytest.fixture(scope="module")
def solid():
    return cells_of([3, 6, 4, 2], CUBE)


@pytest.fixture(scope="module")
def line():
    return cells_of([2, 8, 8, 10], Segment([-1.0, -0.4], [1.0, 0.5]))


@pytest.fixture
def drawn_texts(monkeypatch):
    """Gives what is written in a figure, of all that is drawn and not empty: the text, its four corners in pixels,
    float64 (4, 2), in their order around it, and its size in points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    found, draw = [], Text.draw

    def noted(self, renderer, *args, **options):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), corners_of(self, renderer), self.get_fontsize()))
        return draw(self, renderer, *args, **options)

    def of(figure):
        canvas = FigureCanvasAgg(figure)
        figure.draw_without_rendering()
        with monkeypatch.context() as patch:
            patch.setattr(Text, "draw", noted)
            found.clear()
            canvas.draw()
        return list(found)

    return of


def corners_of(text, renderer):
    """Its box turns with it: the middle is that of the upright box around it."""
    upright, angle = text.get_window_extent(renderer), text.get_rotation()
    text.set_rotation(0)
    level = text.get_window_extent(renderer)
    text.set_rotation(angle)
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * level.width / 2
    across = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))]) * level.height / 2
    middle = np.array([upright.x0 + upright.x1, upright.y0 + upright.y1]) / 2
    return middle + np.array([along + across, across - along, -along - across, along - across])


def are_apart(one, other):
    """Whether two rectangles have an edge with one on either side of it, but for a pixel."""
    for corners in (one, other):
        for edge in corners[1:3] - corners[:2]:
            a, b = one @ edge / np.linalg.norm(edge), other @ edge / np.linalg.norm(edge)
            if a.max() <= b.min() + 1 or b.max() <= a.min() + 1:
                return True
    return False


def check(texts, figure):
    assert texts, "nothing is written"
    size = figure.bbox.size
    for text, corners, points in texts:
        inside = (corners > -0.5).all() and (corners < size + 0.5).all()
        assert inside, f"{text!r} is cut off: {corners} in a figure of {size} pixels"
        assert points >= LEAST_LETTERS, f"{text!r} is too small: {points} points"
    for (text, one, _), (other_text, other, _) in itertools.combinations(texts, 2):
        assert are_apart(one, other), f"{text!r} lies on {other_text!r}: {one}, {other}"


def name_of(color_by):
    """The same in every process, unlike where a function stands in memory."""
    return color_by if isinstance(color_by, str) else getattr(color_by, "__name__", "column")


@pytest.mark.parametrize("color_by", [*WORDS, by_pattern, Column(np.arange(1.0), "a")], ids=name_of)
def test_laws_text_of_regions(flat, drawn_texts, color_by):
    if isinstance(color_by, Column):
        color_by = Column(np.linspace(-1e-7, 1.0, len(flat)) * 1e6, "a long name of what was measured", "unit of it")
    ax = plot_complex(flat, color_by=color_by, boundary=True, kinks=True, points=POINTS, labels=np.arange(12) % 3)
    assert ax.figure.get_figwidth() == 3.3
    check(drawn_texts(ax.figure), ax.figure)


@pytest.mark.parametrize("window", [(-1000.5, 1000.5, -300.0, 300.0), (0.0, 1e-5, 0.0, 3e-5), (1e6, 1e6 + 1, 0, 1)])
def test_laws_text_of_windows(drawn_texts, window):
    cells = cells_of([2, 8, 8, 1], Space(2))
    for ax in (plot_complex(cells, window=window), plot_complex(cells, window=window, color_by="volume")):
        check(drawn_texts(ax.figure), ax.figure)


@pytest.mark.parametrize("classes", [2, 7, 24])
def test_laws_text_of_legends(flat, drawn_texts, classes):
    points = np.random.default_rng(1).uniform(-1, 1, (classes, 2))
    names = [f"a class with number {i}" for i in range(classes)]
    ax = plot_complex(flat, points=points, labels=names, kinks=True)
    check(drawn_texts(ax.figure), ax.figure)


@pytest.mark.parametrize("depth", [1, 3, 12])
def test_laws_text_of_kinks_and_boundaries(drawn_texts, depth):
    cells = cells_of([2, *[5] * depth, 1], SQUARE)
    for ax in (plot_kinks(cells), plot_boundary(cells), plot_boundary(cells, level=0.125)):
        check(drawn_texts(ax.figure), ax.figure)


@pytest.mark.parametrize("function", [None, 0, [1, 2], lambda y: y[:, 1] - y[:, 0]], ids=["all", "one", "two", "own"])
@pytest.mark.parametrize("color_by", ["pattern", "layer", "gradient", "volume"])
def test_laws_text_of_lines(line, drawn_texts, function, color_by):
    ax = plot_line(line, function=function, breaks=True, color_by=color_by)
    check(drawn_texts(ax.figure), ax.figure)


@pytest.mark.parametrize(
    "domain",
    [Line([0.0, 0.0], [1.0, 2.0]), Plane([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]).square(2.0), Box([0, -1], [0, 1])],
    ids=["line", "plane", "one input"],
)
def test_laws_text_of_other_domains(drawn_texts, domain):
    cells = cells_of([2, 8, 8, 2], domain)
    ax = (plot_line if cells.dimension == 1 else plot_complex)(cells)
    check(drawn_texts(ax.figure), ax.figure)


@pytest.mark.parametrize("color_by", WORDS)
def test_laws_text_of_solids_and_surfaces(flat, solid, drawn_texts, color_by):
    for ax in (plot_surface(flat, color_by=color_by), plot_cut_away(solid, color_by=color_by)):
        check(drawn_texts(ax.figure), ax.figure)
    if color_by != "pattern":  # an exploded view has no axes
        figure = plot_exploded(solid, color_by=color_by).figure
        check(drawn_texts(figure), figure)


@pytest.mark.parametrize("column", WORDS[1:])
def test_laws_text_of_histograms(flat, drawn_texts, column):
    figure = plot_histogram(flat, column).figure
    check(drawn_texts(figure), figure)


def test_laws_text_of_histories(drawn_texts):
    figure = plot_history([0, 1, 2], [Series("a", [[5, 6], [4, 5], [4, 5]]), Series("b", [3, 2, 2])], 4).figure
    assert figure.get_figwidth() == 3.3
    check(drawn_texts(figure), figure)


@pytest.mark.parametrize("color_by", ["pattern", "class", "gradient"])
def test_laws_text_of_moving_pictures(tmp_path, drawn_texts, monkeypatch, color_by):
    """Of all frames, whose parts stand where they stood in the first; the legend and the title among them."""
    from matplotlib.animation import PillowWriter

    networks = [Network.he([2, 8, 8, 3], seed=seed, bias_std=0.4) for seed in range(3)]
    seen = []

    def look(self, **options):
        seen.append(drawn_texts(self.fig))
        check(seen[-1], self.fig)
        return grab(self, **options)

    grab = PillowWriter.grab_frame
    monkeypatch.setattr(PillowWriter, "grab_frame", look)
    animate(
        networks, SQUARE, tmp_path / "a.gif", color_by=color_by, boundary=True, points=POINTS, labels=np.arange(12) % 3
    )
    assert len(seen) == 3
    assert all(any("regions" in text for text, _, _ in texts) for texts in seen)


@pytest.mark.parametrize("name", ["net.onnx", "a_model_whose_name_is_of_some_length.safetensors"])
@pytest.mark.parametrize("said", ["7 regions", "302,406 regions", "123,456,789 of 1,234,567,890 regions"])
@pytest.mark.parametrize("color_by", ["pattern", "gradient"])
def test_laws_text_of_titles(flat, line, drawn_texts, name, said, color_by):
    """What `creases draw` writes above a picture."""
    for ax in (plot_complex(flat, color_by=color_by), plot_line(line, color_by=color_by)):
        with house_style():
            ax.set_title(title_of(name, said))
        check(drawn_texts(ax.figure), ax.figure)


def test_house_the_check_sees_what_it_must(drawn_texts):
    from creases.plot import new_figure

    figure = new_figure(3.3, 2.0)
    figure.text(0.9, 0.5, "beyond the edge")
    with pytest.raises(AssertionError, match="is cut off"):
        check(drawn_texts(figure), figure)
    figure = new_figure(3.3, 2.0)
    figure.text(0.1, 0.5, "one")
    figure.text(0.1, 0.52, "other")
    with pytest.raises(AssertionError, match="lies on"):
        check(drawn_texts(figure), figure)
