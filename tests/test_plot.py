"""Pictures: what is drawn is what was counted, neighbours can be told apart, and nothing global is touched."""

import subprocess
import sys
import time

import numpy as np
import pytest

from creases import Box, Line, MissingExtraError, ModelFileError, Network, Plane, Segment, Space, subdivide
from creases.errors import DomainError
from creases.plot import (
    Series,
    by_activity,
    by_pattern,
    new_figure,
    plot_complex,
    plot_history,
    plot_line,
    save_figure,
    window_of,
)
from creases.plot.colours import oklab_to_rgb
from networks import random_network

WINDOW = Box([-1, -1], [1, 1])


def he_network(widths):
    return Network.from_arrays(*random_network(widths, seed=0, bias=0.1))


@pytest.fixture(scope="module")
def folded():
    return subdivide(he_network([2, 16, 16, 1]), WINDOW)


def drawn(ax):
    """The polygons and colours of the picture."""
    (collection,) = ax.collections[:1]
    return [path.vertices[:-1] for path in collection.get_paths()], collection.get_facecolors()


def area(polygon):
    x, y = polygon.T
    return 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))


def test_laws_drawn_cells_are_all_cells_and_fill_the_window(folded):
    polygons, colours = drawn(plot_complex(folded))
    assert len(polygons) == len(colours) == len(folded) == 412
    assert sum(area(polygon) for polygon in polygons) == pytest.approx(4.0)


def test_laws_an_unbounded_complex_fills_any_window():
    whole = subdivide(he_network([2, 8, 8, 1]), Space(2))
    for window in (None, (-0.1, 0.1, -0.1, 0.1), (5.0, 9.0, -2.0, 2.0)):
        ax = plot_complex(whole, window=window)
        polygons, colours = drawn(ax)
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert sum(area(polygon) for polygon in polygons) == pytest.approx((right - left) * (high - low))
        assert len(polygons) == len(colours) <= len(whole)


def test_laws_neighbours_differ_in_lightness(folded):
    """Cells of different parity are told apart in grey print; facets join cells of different parity."""
    colours = by_pattern(folded)
    active = np.unpackbits(folded.patterns, axis=1).sum(axis=1) % 2
    grey = colours @ (0.2126, 0.7152, 0.0722)
    assert grey[active == 0].max() < grey[active == 1].min()


@pytest.mark.parametrize("colouring", [by_pattern, by_activity])
def test_laws_colours_are_colours(folded, colouring):
    colours = colouring(folded)
    assert colours.shape == (412, 3)
    assert (colours >= 0).all()
    assert (colours <= 1).all()


def test_known_oklab_of_white_and_black():
    assert oklab_to_rgb(np.array([[1.0, 0, 0], [0, 0, 0]])) == pytest.approx(np.array([[1, 1, 1], [0, 0, 0]]), abs=1e-4)


def test_known_points_are_on_top_and_in_the_usual_window():
    whole = subdivide(he_network([2, 8, 8, 1]), Space(2))
    far = np.array([[100.0, 50.0]])
    ax = plot_complex(whole, points=far)
    cells, marks = ax.collections
    assert marks.get_zorder() > cells.get_zorder()
    left, right, low, high = window_of(whole, far)
    assert left < 100 < right
    assert low < 50 < high
    assert right - left == pytest.approx(high - low)


def test_known_outputs_along_a_segment():
    network = he_network([3, 8, 8, 2])
    complex = subdivide(network, Segment([-1, -1, 0], [1, 1, 0.5]))
    ax = plot_line(complex)
    first = ax.lines[0]
    assert len(first.get_xdata()) == len(complex) + 1
    assert first.get_ydata()[0] == pytest.approx(network.forward([-1, -1, 0])[0])
    assert ax.get_xlim() == (0, 1)
    assert ax.get_xlabel() == "$u$"


def test_known_whole_line_shows_all_its_breaks():
    complex = subdivide(he_network([2, 8, 8, 1]), Line([0, 0], [1, 2]))
    low, high = plot_line(complex).get_xlim()
    ends = complex.intervals()
    finite = ends[np.isfinite(ends)]
    assert low < finite.min() < finite.max() < high


def test_known_axes_are_named_after_the_inputs_that_vary():
    network = he_network([3, 4, 1])
    ax = plot_complex(subdivide(network, Box([-1, 0, -1], [1, 0, 1])))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input 0", "input 2")
    assert plot_line(subdivide(network, Box([0, 0, -1], [0, 0, 1]))).get_xlabel() == "input 2"
    ax = plot_complex(subdivide(network, Plane.through([0, 0, 0], [1, 0, 0], [0, 1, 1]).square(1)))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$u_1$", "$u_2$")


def test_known_history_has_a_curve_a_kind_and_the_line_of_comparison():
    ax = plot_history([0, 1, 2], [Series("a", [[50, 60], [40, 50], [45, 55]]), Series("b", [30, 20, 25])], neurons=10)
    one, other, level = ax.lines
    assert one.get_ydata().tolist() == pytest.approx([0.55, 0.45, 0.5])
    assert other.get_ydata().tolist() == pytest.approx([0.3, 0.2, 0.25])
    assert level.get_ydata()[0] == 0.5
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "N² / 2"]


@pytest.mark.jit
def test_known_fast_for_many_cells(tmp_path):
    many = subdivide(he_network([2, 64, 64, 64, 64, 64, 1]), WINDOW)
    assert len(many) == 37723
    start = time.perf_counter()
    save_figure(plot_complex(many).figure, tmp_path / "many.png", dpi=100)
    assert time.perf_counter() - start < 15


def test_bad_input_dimensions(folded):
    line = subdivide(he_network([2, 4, 1]), Segment([-1, -1], [1, 1]))
    with pytest.raises(DomainError, match=r"draws domains of dimension two, got 1; for a line see plot_line"):
        plot_complex(line)
    with pytest.raises(DomainError, match=r"plot_line draws domains of dimension one, got 2; for a plane see"):
        plot_line(folded)


def test_bad_input_history():
    with pytest.raises(DomainError, match=r"'a' has 2 counts for 3 epochs"):
        plot_history([0, 1, 2], [Series("a", [1, 2])], neurons=10)


def test_bad_input_suffix(tmp_path):
    with pytest.raises(ModelFileError, match=r"Pictures are saved as .png, .pdf, .svg; 'a.jpg' needs one of these"):
        save_figure(new_figure(1, 1), tmp_path / "a.jpg")


def test_bad_input_without_matplotlib(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"Drawing needs .* 'matplotlib'.*pip install 'creases\[plot\]'"):
        new_figure(1, 1)


def test_house_pyplot_is_not_imported(tmp_path):
    program = (
        "import sys, creases.plot as plot; plot.save_figure(plot.new_figure(1, 1), sys.argv[1]);"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "empty.png")], check=True)
