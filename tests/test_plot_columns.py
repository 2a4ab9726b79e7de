"""What colours mean is what the complex itself says, under the same names; and a picture's file is always the same."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from creases import Box, Network, Plane, Space, subdivide
from creases.complex.decisions import classes_of
from creases.complex.table import COLUMNS, columns_of
from creases.errors import DomainError
from creases.plot import by_pattern, plot_boundary, plot_complex, plot_histogram, plot_line, plot_surface, save_figure
from creases.plot.boundary import boundary_in, classes_of_cells, with_boundary
from creases.plot.columns import COLOURINGS, column_of
from creases.plot.figure import most_columns
from creases.plot.histogram import bins_of
from creases.plot.shades import CLASSES, class_colours, layer_colours

ROOT = Path(__file__).parent.parent
SQUARE = Box([-1.0, -1.0], [1.0, 1.0])
WINDOW = (-1.0, 1.0, -1.0, 1.0)


@pytest.fixture(scope="module")
def flat():
    return subdivide(Network.he([2, 10, 10, 3], seed=0, bias_std=0.4), SQUARE)


@pytest.mark.parametrize(
    "cells",
    [
        subdivide(Network.he([2, 6, 6, 3], seed=1, bias_std=0.4), SQUARE),
        subdivide(Network.he([2, 6, 6, 1], seed=1, bias_std=0.4), Space(2)),
        subdivide(Network.he([3, 5, 4, 2], seed=1, bias_std=0.4), Box([-1] * 3, [1] * 3)),
        subdivide(Network.he([9, 6, 6, 4], seed=1, bias_std=0.4), Plane.through(*np.eye(9)[:3]).square(2.0)),
        subdivide(Network.he([3, 6, 6, 2], seed=1, bias_std=0.4), Box([0, -1, 0], [0, 1, 0])),
    ],
    ids=["square", "whole plane", "cube", "slice", "line"],
)
def test_laws_columns_are_those_of_the_table(cells):
    table = columns_of(cells)
    assert set(COLUMNS) == set(table)
    for name, values in table.items():
        drawn = column_of(cells, name).numbers
        signs = name == "class" and cells.network.n_out == 1  # 1 above zero, where the table has a sign
        assert np.array_equal(drawn, np.maximum(values, 0) if signs else values), name
    assert np.array_equal(column_of(cells, "gradient").numbers, cells.gradient_norms)
    assert np.array_equal(column_of(cells, "layer").numbers, table["layer_of_birth"])


# What eyes without one kind of cone make of linear red, green and blue (Machado, Oliveira and Fernandes 2009).
EYES = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_LMS = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
TO_LAB = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])


def least_difference(colours, eyes):
    """Between two of some colours, in OKLab, where a difference of 0.02 is just seen; colours float64 (n, 3)."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(np.clip(linear @ np.transpose(eyes), 0.0, 1.0) @ TO_LMS.T) @ TO_LAB.T
    return np.linalg.norm(lab[:, None] - lab[None], axis=2)[np.triu_indices(len(colours), 1)].min()


@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_laws_colours_are_told_apart_by_all_eyes(eyes):
    """Curves, classes and their pale grounds, and layers."""
    assert least_difference(np.array([to_rgb(colour) for colour in CLASSES]), eyes) > 0.06
    assert least_difference(class_colours(len(CLASSES)), eyes) > 0.035
    assert least_difference(layer_colours(8), eyes) > 0.05


@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_laws_neighbours_by_pattern_are_told_apart_by_all_eyes(flat, eyes):
    colours = by_pattern(flat)
    pairs = flat.facets.cells[flat.facets.inner]
    assert min(least_difference(colours[pair], eyes) for pair in pairs) > 0.06


def test_laws_a_region_keeps_its_colour_through_training(flat):
    """A step of training moves walls; what has the pattern it had has the colour it had."""
    before = {pattern.tobytes(): colour for pattern, colour in zip(flat.patterns, by_pattern(flat), strict=True)}
    network, rng = flat.network, np.random.default_rng(0)
    layers = [*network.hidden, network.output]
    moved = Network.from_arrays(
        [layer.weight + rng.normal(0, 0.02, layer.weight.shape) for layer in layers],
        [layer.bias + rng.normal(0, 0.02, layer.bias.shape) for layer in layers],
    )
    after = subdivide(moved, SQUARE)
    kept = [
        (before[pattern.tobytes()], colour)
        for pattern, colour in zip(after.patterns, by_pattern(after), strict=True)
        if pattern.tobytes() in before
    ]
    assert len(kept) > len(flat) / 2
    assert all(np.array_equal(*pair) for pair in kept)


def test_known_titles(flat):
    one = subdivide(Network.he([2, 4, 1], seed=0), SQUARE)
    assert column_of(one, "gradient").title == "gradient norm (output / input)"
    assert column_of(flat, "gradient").title == "gradient norm, Frobenius (output / input)"
    assert column_of(flat, "volume").title == "area (input²)"
    assert column_of(flat, "diameters").title == "diameters"
    bar = plot_complex(flat, color_by="gradient").child_axes[0]
    assert bar.get_ylabel() == "gradient norm, Frobenius\n(output / input)"
    assert plot_complex(flat, color_by="volume").child_axes[0].get_ylabel() == "area (input²)"


def test_bad_input_words(flat):
    with pytest.raises(DomainError, match=r"color_by is a word \(pattern, layer, .*bounded\).*; got 'areas'"):
        plot_complex(flat, color_by="areas")
    assert all(len(column_of(flat, word).numbers) == len(flat) for word in COLOURINGS)


def segments(pieces):
    """Pieces as a set, whatever their order and direction."""
    return {tuple(sorted(map(tuple, piece.round(9).tolist()))) for piece in pieces}


@pytest.mark.parametrize("n_out", [1, 3])
def test_laws_the_boundary_of_a_network_that_has_one_is_its_own(n_out, monkeypatch):
    """Nothing is subdivided again, and it is what the network without it has."""
    network = Network.he([2, 10, 10, n_out], seed=1, bias_std=0.4)
    plain = with_boundary(subdivide(network, SQUARE))
    own = subdivide(network.with_argmax() if n_out > 1 else network.with_level_set(), SQUARE)
    monkeypatch.setattr("creases.subdivision.subdivide_flat", None)
    finer = with_boundary(own)
    assert finer is own
    pieces = segments(boundary_in(finer, WINDOW))
    assert pieces
    assert pieces == segments(boundary_in(plain, WINDOW))
    (drawn,) = plot_boundary(own).collections
    assert segments(np.array(drawn.get_segments())) == pieces
    if n_out > 1:
        assert np.array_equal(classes_of_cells(finer), classes_of(own))
        assert np.array_equal(column_of(own, "class").numbers, classes_of(own))
        assert column_of(own, "class").most == 2
        plot_complex(own, color_by="class", boundary=True)


def test_known_another_level_is_cut_anew():
    """Of a network with its own level set the level is one of what that gives: relu of the output."""
    network = Network.from_arrays([[[1.0, 0.0]], [[1.0]]], [[0.0], [-0.25]])  # relu(x) - 1 / 4
    own = subdivide(network.with_level_set(), SQUARE)
    for level, at in ((0.0, 0.25), (0.5, 0.75)):
        pieces = boundary_in(with_boundary(own, level), WINDOW)
        assert np.unique(pieces[..., 0]).tolist() == [at]
    with pytest.raises(DomainError, match=r"level is a finite value of a network's one output; got nan and 1 outputs"):
        plot_boundary(own, level=np.nan)


def test_known_a_classifier_of_two_classes_has_the_lower_one_where_they_tie():
    network = Network.from_arrays([[[1.0, 0.0]], [[1.0], [0.0]]], [[0.0], [0.0, 0.0]])  # relu(x) against 0
    assert set(column_of(subdivide(network.with_argmax(), SQUARE), "class").numbers.tolist()) == {0}


def test_known_columns_of_legends():
    assert most_columns(["decision boundary", "0", "1", "2"], 3.3) == 4
    assert most_columns(["a name that is as long as a line of a column of a page"] * 3, 3.3) == 1
    assert most_columns(["0"], 0.1) == 1


def test_known_whole_numbers_have_a_bin_each(flat):
    edges, logarithmic = bins_of(np.array([3.0, 3.0, 5.0]), 30)
    assert (edges.tolist(), logarithmic) == ([2.5, 3.5, 4.5, 5.5], False)
    assert len(bins_of(np.array([0.0, 50.0]), 30)[0]) == 31
    assert len(bins_of(np.array([0.0, 0.5]), 30)[0]) == 31
    (bars,) = plot_histogram(flat, "facets").patches
    values, edges, _ = bars.get_data()
    assert values.sum() == len(flat)
    facets = columns_of(flat)["facets"]
    assert values.tolist() == np.bincount(facets)[facets.min() :].tolist()


def test_laws_surfaces_are_as_high_as_the_network(flat):
    from creases.plot.surface import heights_of

    points = np.concatenate([flat.corners, flat.corners[::-1]])
    assert heights_of(flat, points, 2) == pytest.approx(flat.network.forward(points)[:, 2], abs=1e-12)
    assert len(heights_of(flat, points[:0], 0)) == 0
    assert plot_surface(flat, output=2).get_zlabel() == "output 2"


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_laws_the_same_picture_is_the_same_file(flat, tmp_path, suffix):
    """And says not when it was made."""
    files = [save_figure(plot_complex(flat, boundary=True), tmp_path / f"{i}{suffix}").read_bytes() for i in range(2)]
    assert files[0] == files[1]
    assert b"CreationDate" not in files[0]
    assert b"dc:date" not in files[0]
    if suffix == ".svg":
        assert b">input 0</text>" in files[0]


def test_known_a_segment_is_measured_from_its_start():
    cells = subdivide(Network.he([2, 6, 1], seed=0), Box([0, -1], [0, 1]))
    assert plot_line(cells).get_xlabel() == "input 1"


def test_house_the_gallery_shows_what_there_is_and_stays_small():
    page = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("gallery.md", "definitions.md"))
    shown = set(re.findall(r"!\[[^\]]+\]\(gallery/([^)]+)\)", page))
    files = list((ROOT / "docs" / "gallery").iterdir())
    assert shown == {path.name for path in files}
    assert all(f'"{name}"' in page for name in shown)  # made by the page, not by hand
    pictures = [*files, *(ROOT / "docs").glob("*.png"), *(ROOT / "docs").glob("*.svg")]
    assert sum(path.stat().st_size for path in pictures) < 1_500_000
