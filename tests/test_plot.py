"""Pictures: what is drawn is what was counted, neighbours can be told apart, and nothing global is touched."""

import sys
import time

import numpy as np
import pytest

from children import python
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
    regions_drawn,
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


@pytest.mark.parametrize("colours_of", [by_pattern, by_activity])
def test_laws_colours_are_colours(folded, colours_of):
    colours = colours_of(folded)
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
    # In the units of the inputs: this segment is sqrt(4 + 4 + 1/4) long.
    assert ax.get_xlim() == pytest.approx((0, 8.25**0.5))
    assert ax.get_xlabel() == "distance from the start (input units)"


def test_known_whole_line_shows_all_its_breaks():
    complex = subdivide(he_network([2, 8, 8, 1]), Line([0, 0], [1, 2]))
    low, high = plot_line(complex).get_xlim()
    ends = complex.intervals() * 5**0.5
    finite = ends[np.isfinite(ends)]
    assert low < finite.min() < finite.max() < high


def test_known_axes_are_named_after_the_inputs_that_vary():
    network = he_network([3, 4, 1])
    ax = plot_complex(subdivide(network, Box([-1, 0, -1], [1, 0, 1])))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input 0", "input 2")
    assert plot_line(subdivide(network, Box([0, 0, -1], [0, 0, 1]))).get_xlabel() == "input 2"
    ax = plot_complex(subdivide(network, Plane.through([0, 0, 0], [1, 0, 0], [0, 1, 1]).square(1)))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$u_1$", "$u_2$")


@pytest.mark.parametrize("sign", [1, -1])
def test_known_a_line_along_one_input_shows_its_values(sign):
    """The axis has the values of input 1 from left to right, whichever way the segment runs."""
    network = he_network([3, 8, 8, 1])
    complex = subdivide(network, Segment([0.5, 2.0 - sign, -1], [0.5, 2.0 + sign, -1]))
    ax = plot_line(complex)
    assert ax.get_xlabel() == "input 1"
    assert ax.get_xlim() == (1.0, 3.0)
    assert regions_drawn(ax) == len(complex)
    at, values = ax.lines[0].get_data()
    for x, value in zip(at, values, strict=True):
        assert network.forward([0.5, x, -1])[0] == pytest.approx(value)


def test_known_ten_outputs_are_told_apart():
    """No two curves have one colour and one dash; the legend names them all, beside the axes or in them."""
    complex = subdivide(he_network([3, 8, 10]), Segment([-1, -1, 0], [1, 1, 0.5]))
    ax = plot_line(complex)
    curves = ax.lines[:10]
    assert len({(curve.get_color(), str(curve._unscaled_dash_pattern)) for curve in curves}) == 10
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [f"output {i}" for i in range(10)]
    left, right = new_figure(8, 3).subplots(1, 2)
    for other in (left, right):
        plot_line(complex, other)
        assert len(other.get_legend().get_texts()) == 10
    assert not left.figure.legends


def test_known_window_is_in_the_axis_own_units_and_counts_its_regions():
    complex = subdivide(he_network([3, 16, 16, 1]), Segment([-1, -1, 0], [1, 1, 0.5]))
    ends = complex.intervals() * 8.25**0.5
    middle = float(ends[len(ends) // 2].mean())
    ax = plot_line(complex, window=(middle - 0.3, middle + 0.3))
    assert ax.get_xlim() == pytest.approx((middle - 0.3, middle + 0.3))
    inside = ((ends[:, 0] < middle + 0.3) & (ends[:, 1] > middle - 0.3)).sum()
    assert 0 < regions_drawn(ax) == inside < len(complex)


def test_known_points_by_class():
    complex = subdivide(he_network([2, 8, 8, 1]), WINDOW)
    points = np.random.default_rng(0).uniform(-1, 1, (14, 2))
    ax = plot_complex(complex, points=points, labels=np.arange(14) % 7)
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list("0123456")
    marks = ax.collections[1:]
    assert np.concatenate([one.get_offsets() for one in marks]).shape == (14, 2)
    assert np.array_equal(marks[3].get_offsets(), points[[3, 10]])
    looks = {(tuple(one.get_facecolors()[0]), len(one.get_paths()[0].vertices)) for one in marks}
    assert len(looks) == 7  # more than there are colours
    words = plot_complex(complex, points=points[:3], labels=["dog", "cat", "dog"]).figure.legends[0]
    assert [text.get_text() for text in words.get_texts()] == ["cat", "dog"]
    beside = new_figure(8, 4).subplots(1, 2)[1]
    plot_complex(complex, beside, points=points[:3], labels=["dog", "cat", "dog"])
    assert [text.get_text() for text in beside.get_legend().get_texts()] == ["cat", "dog"]
    assert plot_complex(complex, points=points).figure.legends == []


def test_bad_input_classes():
    complex = subdivide(he_network([2, 4, 1]), WINDOW)
    points = np.zeros((30, 2))
    with pytest.raises(DomainError, match=r"labels needs one label for each of the 30 points, got .* shape \(29,\)"):
        plot_complex(complex, points=points, labels=range(29))
    with pytest.raises(DomainError, match=r"one label for each of the 0 points"):
        plot_complex(complex, labels=[1])
    with pytest.raises(DomainError, match=r"labels has 30 classes, and no more than 24 can be told apart"):
        plot_complex(complex, points=points, labels=range(30))


def test_known_a_window_counts_what_is_drawn(folded):
    """Cells that only touch the frame are not drawn; Euler's relation for the rest is `Complex.polygons`' own."""
    assert regions_drawn(plot_complex(folded)) == len(folded)
    quarters = [(-1, 0, -1, 0), (-1, 0, 0, 1), (0, 1, -1, 0), (0, 1, 0, 1)]
    drawn = [regions_drawn(plot_complex(folded, window=window)) for window in quarters]
    assert all(0 < count < len(folded) for count in drawn)
    assert sum(drawn) > len(folded)  # those across the axes are in more than one
    square = subdivide(Network.from_arrays([[[1.0, 0.0]]], [[0.0]], output_layer=False), WINDOW)
    assert regions_drawn(plot_complex(square, window=(0, 1, -1, 1))) == 1  # the other cell shares the frame
    assert regions_drawn(plot_complex(square, window=(-0.5, 1, -1, 1))) == 2


@pytest.mark.parametrize("fonttype", [3, 42])
def test_known_pdfs_have_fonts_that_can_be_edited(tmp_path, fonttype):
    """Type 42, whatever the user's own settings are; and these are as they were."""
    import matplotlib

    figure = new_figure(2, 1)
    figure.text(0.1, 0.5, "letters")
    with matplotlib.rc_context({"pdf.fonttype": fonttype}):
        before = dict(matplotlib.rcParams)
        pdf = save_figure(figure, tmp_path / "a.pdf").read_bytes()
        assert dict(matplotlib.rcParams) == before
    assert b"/Subtype /CIDFontType2" in pdf
    assert b"/Subtype /Type3" not in pdf


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


def test_bad_input_what_is_drawn_of_what():
    network = he_network([3, 4, 1])
    plane = subdivide(network, Plane.through([0, 0, 0], [1, 0, 0], [0, 1, 1]).square(1))
    with pytest.raises(DomainError, match=r"of shape \(4, 3\). Of inputs complex.domain.slice.coordinates"):
        plot_complex(plane, points=np.zeros((4, 3)))
    with pytest.raises(DomainError, match=r"window must be \(xmin, xmax, ymin, ymax\), finite and in this order; got"):
        plot_complex(plane, window=(0, 1))
    with pytest.raises(DomainError, match=r"window must be \(xmin, xmax, ymin, ymax\)"):
        plot_complex(plane, window=(0, 1, 1, 0))
    with pytest.raises(DomainError, match=r"window must be \(left, right\)"):
        plot_line(subdivide(network, Segment([0, 0, 0], [1, 0, 0])), window=(1, 0))
    with pytest.raises(DomainError, match=r"draws what creases.subdivide\(network, domain\) returns; got Network"):
        plot_complex(network)
    with pytest.raises(DomainError, match=r"dimension two, got Box.*; subdivide a slice, like Segment"):
        plot_complex(subdivide(network, Box([-1] * 3, [1] * 3)))


def test_known_axes_are_saved_with_their_figure(folded, tmp_path):
    assert save_figure(plot_complex(folded), tmp_path / "a.png", dpi=30).stat().st_size > 1000


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
    python(program, tmp_path / "empty.png")
