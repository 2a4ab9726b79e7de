"""What is typed on the command line becomes the domain that it says, or one sentence that helps."""

import numpy as np
import pytest

from creases import Ball, Box, Line, Network, Plane, Polygon, Polyline, Segment, Space
from creases.cli.domains import as_domain, as_range, as_ranges
from creases.cli.options import DomainOptions
from creases.cli.points import read_point, read_points
from creases.errors import DomainError, ModelFileError


def network(n_in, input_shape=None):
    return Network.from_arrays([np.ones((3, n_in)), np.ones((1, 3))], [np.zeros(3), [0.0]], input_shape=input_shape)


def domain(n_in, **options):
    return as_domain(DomainOptions(**options), network(n_in))


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(12.0).reshape(4, 3))
    return path


def test_known_numbers_with_and_without_signs():
    assert read_point("-.5, 1e-3,+2", 3, "--segment").tolist() == [-0.5, 0.001, 2.0]
    assert read_point("origin", 4, "--plane").tolist() == [0, 0, 0, 0]


def test_known_rows_of_a_file(rows):
    assert read_point(f"{rows}:2", 3, "--segment").tolist() == [6, 7, 8]
    assert read_points(str(rows), 3, "--polyline").shape == (4, 3)
    assert read_points(f"{rows}:0 origin 1,1,1", 3, "--polyline").tolist() == [[0, 1, 2], [0, 0, 0], [1, 1, 1]]


def test_known_file_in_the_shape_of_an_input(tmp_path):
    np.save(tmp_path / "image.npy", np.arange(6, dtype=np.uint8).reshape(1, 2, 3))
    np.save(tmp_path / "images.npy", np.zeros((5, 1, 2, 3), dtype=np.float32))
    assert read_point(str(tmp_path / "image.npy"), 6, "--segment").tolist() == [0, 1, 2, 3, 4, 5]
    assert read_points(str(tmp_path / "images.npy"), 6, "--points").shape == (5, 6)


def test_known_csv_with_titles_comments_and_blank_lines(tmp_path):
    path = tmp_path / "my points.csv"
    path.write_text("x, y\n0,1  # first\n\n# a comment\n-2.5,3e1\n", encoding="utf-8")
    assert read_points(str(path), 2, "--polyline").tolist() == [[0, 1], [-2.5, 30]]


def test_known_domain_of_each_option(rows):
    assert repr(domain(2, segment=("-1,-1", "1,1"))) == repr(Segment([-1, -1], [1, 1]))
    assert isinstance(domain(2, line=("0,0", "-1,2")), Line)
    assert len(domain(3, polyline=str(rows)).segments) == 3
    assert isinstance(domain(3, polyline=str(rows)), Polyline)
    assert isinstance(domain(3, plane=("origin", "1,0,0", "0,1,0")), Plane)
    assert domain(2, square=4.0).upper.tolist() == [4, 4]
    assert domain(2, polygon="0,0 1,0 0,1").vertices.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert isinstance(domain(2, space=True), Space)


def test_known_square_and_polygon_in_a_plane():
    corners = ("0,0,1", "1,0,1", "0,1,1")
    assert domain(3, plane=corners, square=2.0).vertices.max() == 2
    triangle = domain(3, plane=corners, polygon="0,0 1,0 0,1")
    assert isinstance(triangle, Polygon)
    assert triangle.slice.points(triangle.vertices).tolist() == [[0, 0, 1], [1, 0, 1], [0, 1, 1]]


def test_known_balls():
    ball = domain(3, ball=("1,0,-1", "0.5"))
    assert isinstance(ball, Ball)
    assert (ball.center.tolist(), ball.radius, ball.inside) == ([1, 0, -1], 0.5, None)
    inside = domain(3, plane=("0,0,1", "1,0,1", "0,2,1"), ball=("origin", "2"))
    assert (inside.dimension, inside.slice.n_in, inside.radius) == (2, 3, 2)


def test_known_box_by_sides_and_by_file(tmp_path):
    box = domain(5, box="-.5:.5,-1:2,0,-3,0")
    assert isinstance(box, Box)
    assert box.lower.tolist() == [-0.5, -1, 0, -3, 0]
    assert box.upper.tolist() == [0.5, 2, 0, -3, 0]
    np.save(tmp_path / "bounds.npy", [[-1.0, 0, 0], [1.0, 1.0, 0]])
    assert domain(3, box=str(tmp_path / "bounds.npy")).upper.tolist() == [1, 1, 0]


def test_known_no_option_means_the_whole_space():
    assert domain(1).n == 1
    assert domain(2).n == 2


def test_known_ranges():
    assert as_range("-1:2", "--box") == (-1, 2)
    assert as_ranges("-1:1,0:2", 2, "--window") == [(-1, 1), (0, 2)]


@pytest.mark.parametrize(
    ("n_in", "options", "message"),
    [
        (3, {}, r"takes 3 inputs.*For example --segment 0,0,0 1,1,1, --box -1:1,-1:1,0, or --space; --help"),
        (64, {}, r"takes 64 inputs.*--segment a\.npy b\.npy, or --plane origin images\.npy:0"),
        (2, {"segment": ("0,0", "1,1"), "box": "0:1,0:1"}, r"Got --segment and --box; give one domain"),
        (2, {"square": 1.0, "polygon": "0,0 1,0 0,1"}, r"Got --square and --polygon"),
        (3, {"square": 1.0}, r"--square alone needs a network of two inputs, and this one takes 3. Add --plane"),
        (2, {"square": float("nan")}, r"--square needs a finite positive half-width, got nan"),
        (2, {"square": 0.0}, r"--square needs a finite positive half-width, got 0"),
        (3, {"square": 0.0, "space": True}, r"Got --square and --space; give one domain"),
        (2, {"square": -1.0}, r"--square needs a finite positive half-width, got -1"),
        (2, {"segment": ("0,0,0", "1,1")}, r"--segment: the point '0,0,0' has 3 coordinates, but 2 are needed"),
        (2, {"segment": ("a", "1,1")}, r"--segment: 'a' is not a number. Give numbers like 0.5,-1 or a .npy"),
        (2, {"segment": ("0,nan", "1,1")}, r"coordinate 1 = nan; every coordinate must be finite"),
        (2, {"segment": ("1,1", "1,1")}, r"needs two different points"),
        (2, {"line": ("1,1", "origin")}, r"direction is zero"),
        (3, {"plane": ("origin", "1,1,1", "2,2,2")}, r"three points in a line"),
        (2, {"polyline": " "}, r"--polyline: no points"),
        (2, {"polyline": "0,0"}, r"at least two points"),
        (2, {"polygon": "0,0 1,0 2,0"}, r"not strictly convex"),
        (2, {"ball": ("0,0,0", "1")}, r"--ball: the point '0,0,0' has 3 coordinates, but 2 are needed"),
        (2, {"ball": ("0,0", "r")}, r"--ball: 'r' is not a number"),
        (2, {"ball": ("0,0", "0")}, r"radius of a ball must be a finite positive number, got 0"),
        (
            2,
            {"ball": ("0,0", "1"), "space": True},
            r"Got --ball and --space; .* --square, --polygon, --ball or --circle",
        ),
        (2, {"box": "0:1"}, r"--box: '0:1' has 1 side, but the network takes 2 inputs"),
        (2, {"box": "0:1:2,0"}, r"--box: '0:1:2' is not a range. Write LOW:HIGH"),
        (2, {"box": "1:0,0:1"}, r"lower\[0\] = 1.0 > upper\[0\] = 0.0. Swap them"),
        (2, {"box": "0,0"}, r"Every side of the box"),
    ],
)
def test_bad_input_options(n_in, options, message):
    with pytest.raises(DomainError, match=message):
        domain(n_in, **options)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.npy", b"1,2,3", r"text.npy is not a .npy file of plain numbers"),
        ("cut.npy", None, r"cut.npy is not a .npy file of plain numbers"),
        ("objects.npy", None, r"objects.npy is not a .npy file of plain numbers"),
        ("complex.npy", None, r"must hold real numbers, got dtype complex128"),
        ("empty.csv", b"# nothing\n", r"empty.csv holds no points"),
        ("ragged.csv", b"1,2,3\n1,2\n", r"line 2: 2 numbers where the first point has 3"),
        ("word.csv", b"1,2,3\n1,two,3\n", r"line 2: 'two' is not a number"),
        ("bytes.csv", b"\xff\xfe\x00", r"bytes.csv is not text"),
    ],
)
def test_bad_input_files(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "cut.npy":
        np.save(path, np.zeros(3000))
        path.write_bytes(path.read_bytes()[:-8])
    elif name == "objects.npy":
        np.save(path, np.array([{}, {}, {}]), allow_pickle=True)
    else:
        np.save(path, np.zeros(3, dtype=complex))
    with pytest.raises(ModelFileError, match=message):
        read_points(str(path), 3, "--points")


def test_bad_input_a_header_that_claims_more_than_the_file_holds(tmp_path):
    path = tmp_path / "huge.npy"
    np.save(path, np.zeros(3))
    path.write_bytes(path.read_bytes().replace(b"(3,)", b"(3000000000000,)"))
    with pytest.raises(ModelFileError, match=r"not a .npy file of plain numbers"):
        read_points(str(path), 3, "--points")


def test_bad_input_rows(rows, tmp_path):
    with pytest.raises(DomainError, match=r"holds 4 points and one is needed. Choose one by its row: .*rows.npy:0 to"):
        read_point(str(rows), 3, "--segment")
    with pytest.raises(DomainError, match=r"rows 0 to 3, so 9 is past its end"):
        read_point(f"{rows}:9", 3, "--segment")
    with pytest.raises(DomainError, match=r"array of shape \(4, 3\); points of 5 coordinates need a shape like \(5,\)"):
        read_points(str(rows), 5, "--points")
    with pytest.raises(ModelFileError, match=r"--segment: there is no file .*none.npy"):
        read_point(str(tmp_path / "none.npy"), 3, "--segment")
    with pytest.raises(DomainError, match=r"holds 4 points; a box needs two rows"):
        domain(3, box=str(rows))


@pytest.mark.parametrize("text", ["-1:1", "1:-1,0:1", "0:inf,0:1", "0,0:1"])
def test_bad_input_window(text):
    with pytest.raises(DomainError, match=r"--window: .* must be 2 finite LOW:HIGH with LOW < HIGH, like -1:1,0:2"):
        as_ranges(text, 2, "--window")
