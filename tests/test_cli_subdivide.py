"""`creases subdivide` and `creases stats`: what they write and print, and how they fail."""

import json
import sys

import numpy as np
import pytest

from creases import Complex, Network

# Two inputs, three lines in general position: seven regions of the plane.
LINES = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [[1.0, 1.0, 1.0]]], [[0.0, 0.0, -1.0], [0.0]])
NO_PYARROW = "pyarrow is not installed: pip install 'creases[files]'"


@pytest.fixture
def lines(tmp_path):
    return LINES.save(tmp_path / "lines.npz")


@pytest.fixture
def cube(tmp_path):
    return Network.from_arrays([np.eye(3)], [np.zeros(3)], output_layer=False).save(tmp_path / "cube.npz")


def test_known_subdivide_and_stats(creases, lines, tmp_path):
    path = tmp_path / "regions.npz"
    code, out, err = creases("subdivide", lines, "--square", 2, "-o", path)
    assert (code, out, err) == (0, f"7 regions, certified, saved to {path}\n", "")
    assert len(Complex.load(path)) == 7
    code, out, err = creases("stats", path, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    # Each line is cut in three by the others; 3 + 6 crossings with the square, 4 corners of it.
    assert [found[name] for name in ("regions", "bounded", "unbounded")] == [7, 7, 0]
    assert [found[name] for name in ("facets", "inner_facets")] == [19, 9]
    assert [found[name] for name in ("vertices", "vertices_at_infinity")] == [13, 0]
    assert (found["by_layer"], found["born_in_layer"], found["certified"]) == ([7], [0, 7], True)
    assert found["network"] == LINES.sha256
    assert found["volume"]["total"] == pytest.approx(16)
    assert list(found["volume"]) == ["least", "5 %", "median", "95 %", "largest", "total"]
    assert found["gradient_norm"]["least"] == 0.0


def test_known_stats_of_a_network(creases, lines, cube):
    found = json.loads(creases("stats", lines, "--json")[1])
    assert [found[name] for name in ("regions", "bounded", "unbounded")] == [7, 1, 6]
    assert [found[name] for name in ("facets", "inner_facets")] == [9, 9]
    assert [found[name] for name in ("vertices", "vertices_at_infinity")] == [3, 6]
    found = json.loads(creases("stats", cube, "--box", "-1:1,-1:1,-1:1", "--json")[1])
    assert [found[name] for name in ("regions", "facets", "inner_facets", "vertices")] == [8, 36, 12, 27]


def test_known_stats_for_people(creases, lines):
    code, out, err = creases("stats", lines, "--square", 2)
    assert (code, err) == (0, "")
    assert "7" in out


def test_known_a_ball_is_said_to_clip_nothing(creases, lines, tmp_path):
    out = creases("subdivide", lines, "--ball", "0,0", 1, "-o", tmp_path / "ball.geojson")[1]
    assert out.endswith("\nregions are whole: those that meet the sphere are not clipped by it\n")


def test_known_files(creases, lines, cube, tmp_path):
    for model, domain, name in [
        (lines, ["--square", 2], "a.geojson"),
        (lines, ["--square", 2], "a.vtu"),
        (cube, ["--box", "-1:1,-1:1,-1:1"], "b.vtu"),
    ]:
        path = tmp_path / name
        code, out, err = creases("subdivide", model, *domain, "-o", path)
        assert (code, err) == (0, "")
        assert out.endswith(f"regions, certified, saved to {path}\n")
    assert len(json.loads((tmp_path / "a.geojson").read_text())["features"]) == 7


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_known_parquet(creases, lines, tmp_path, stream):
    parquet = pytest.importorskip("pyarrow.parquet", reason=NO_PYARROW)
    path = tmp_path / "regions.parquet"
    code, out, err = creases("subdivide", lines, "--square", 2, "-o", path, *stream)
    assert (code, out, err) == (0, f"7 regions, certified, saved to {path}\n", "")
    read = parquet.read_table(path)
    assert read.num_rows == 7
    assert ("neighbours" in read.column_names) == (not stream)


def test_known_window(creases, lines, tmp_path):
    """A part of the plane; and without --window it is said that regions without an end are clipped."""
    path = tmp_path / "part.geojson"
    code, out, _ = creases("subdivide", lines, "--window", "-2:-1,-2:-1", "-o", path)
    assert code == 0
    (feature,) = json.loads(path.read_text())["features"]
    assert sorted(feature["geometry"]["coordinates"][0][:-1]) == [[-2, -2], [-2, -1], [-1, -2], [-1, -1]]
    assert out == f"7 regions, certified, saved to {path}\nwhat is outside of the window is left out\n"
    out = creases("subdivide", lines, "-o", path)[1]
    assert out.endswith("regions without an end are clipped to where most corners are; --window chooses another part\n")
    assert len(json.loads(path.read_text())["features"]) == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a.csv"], "'a.csv' does not say what to write. Give it one of these endings: .npz"),
        (["-o", "none/a.npz"], "The folder none does not exist. Make it first"),
        (["--segment", "0,0", "1,1", "-o", "a.geojson"], "A .geojson file holds cells of dimension 2"),
        (["--directions", "-o", "a.vtu"], "are directions. Save them as .npz or .parquet"),
        (["--polyline", "0,0 1,1 0,1", "-o", "a.npz"], "Give one --segment A B of it a file of its own"),
        (["--square", "1", "--window", "0:1,0:1", "-o", "a.npz"], "--window clips the polygons of a plane"),
        (["--segment", "0,0", "1,1", "--window", "0:1", "-o", "a.npz"], "--window clips the polygons of a plane"),
        (["--window", "0:1", "-o", "a.vtu"], "--window: '0:1' must be 2 finite LOW:HIGH"),
        (["--stream", "-o", "a.vtu"], "--stream writes a .parquet file, and this is a.vtu"),
        (["--square", "1"], "Missing option '--output'"),
    ],
)
def test_bad_input(creases, lines, arguments, said, tmp_path, monkeypatch):
    """One sentence, before anything is cut, and nothing is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("creases.subdivision.subdivide", None)
    code, out, err = creases("subdivide", lines, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["lines.npz"]


def test_bad_input_streams(creases, lines, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason=NO_PYARROW)
    monkeypatch.chdir(tmp_path)
    code, _, err = creases("subdivide", lines, "--stream", "--threads", 2, "-o", "a.parquet")
    assert (code, "--stream is the work of one thread, got --threads 2" in err) == (2, True)
    code, _, err = creases("subdivide", lines, "--line", "0,0", "1,0", "--stream", "-o", "a.parquet")
    assert (code, "Pieces that have no end" in err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.npz"]


def test_bad_input_space_without_an_end(creases, cube, tmp_path):
    code, _, err = creases("subdivide", cube, "--space", "-o", tmp_path / "a.vtu")
    assert (code, "Cut the Box that is to be seen" in err) == (2, True)


def test_bad_input_parquet_without_pyarrow(creases, tmp_path, monkeypatch):
    """Said at once: not even the network is read."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = creases("subdivide", "not there.onnx", "-o", tmp_path / "a.parquet")
    assert code == 2
    assert "Writing a .parquet file needs the package 'pyarrow'. Install it with: pip install 'creases[files]'" in err


def test_bad_input_stats(creases, lines, tmp_path):
    saved = tmp_path / "regions.npz"
    creases("subdivide", lines, "--square", 2, "-o", saved)
    code, _, err = creases("stats", saved, "--square", 3)
    assert code == 2
    assert "regions.npz holds regions that were found on a domain, and --square gives another" in err
    saved.write_bytes(saved.read_bytes()[:-200])
    assert creases("stats", saved)[0] == 2
    assert creases("stats", tmp_path / "none.npz")[0] == 2
    code, _, err = creases("stats", tmp_path / "regions.parquet")
    assert (code, "Regions are read from .npz files only, got regions.parquet" in err) == (2, True)
    code, _, err = creases("stats", lines, "--polyline", "0,0 1,1 0,1")
    assert (code, "Give one --segment A B of it" in err) == (2, True)
