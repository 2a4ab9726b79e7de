"""`creases boundary` and `--loop`: what they print, write, and refuse."""

import json
import re

import numpy as np
import pytest

from creases import Network, build
from creases.complex import surfaces

pytestmark = pytest.mark.jit


@pytest.fixture
def shape(tmp_path):
    return build.network(build.dense(build.abs(build.input(3)), np.ones((1, 3)))).save(tmp_path / "shape.npz")


@pytest.fixture
def classifier(tmp_path):
    x = build.input(2)
    outputs = [build.dense(build.abs(x), [[1.0, 1.0]]), build.dense(x, [[0.0, 0.0]], [1.0])]
    return build.network(build.concatenate(outputs)).save(tmp_path / "net.npz")


def test_known_mesh(creases, shape, tmp_path):
    pytest.importorskip("trimesh", reason="trimesh, which writes meshes, is not installed")
    path = tmp_path / "mesh.ply"
    code, out, err = creases("boundary", shape, "--box", "-2:2,-2:2,-2:2", "--level", "1", "-o", path)
    assert (code, err) == (0, "")
    for row in ("output 0 > 1", "triangles", "6.9282", "watertight", "yes", "Euler characteristic", f"saved to {path}"):
        assert row in out
    assert path.read_bytes().startswith(b"ply")


def test_known_lines(creases, classifier, tmp_path):
    path = tmp_path / "lines.geojson"
    code, out, _ = creases("boundary", classifier, "--square", "2", "-o", path, "--json")
    assert code == 0
    said = json.loads(out)
    assert (said["boundary_of"], said["decision_regions"], said["lines"], said["closed"]) == ("classes", 2, 1, 1)
    assert said["length"] == pytest.approx(4 * 2**0.5)
    assert len(json.loads(path.read_text())["features"]) == 1
    code, out, _ = creases("boundary", classifier, "--square", "2", "--output-index", "0", "--level", "0.5", "-o", path)
    assert "output 0 > 0.5" in out
    assert "2.82843" in out
    # Of one output, or where an output is named, the level is zero.
    line = Network.from_arrays([[[1.0, 0.0]], [[1.0]]], [[1.0], [-1.0]]).save(tmp_path / "line.npz")
    code, out, _ = creases("boundary", line, "--square", "2", "-o", tmp_path / "line.npz.npz")
    assert re.search(r"output 0 > 0 *\n", out)


def test_known_no_boundary_is_said(creases, classifier, shape, tmp_path):
    for model, domain, level, of in [
        (classifier, ["--square", "0.25"], [], "classes"),
        (shape, ["--box", "-1:1,-1:1,0"], ["--level", "9"], "output 0 > 9"),
    ]:
        code, out, _ = creases("boundary", model, *domain, *level, "-o", tmp_path / "none.geojson")
        assert code == 0
        assert f"There is no boundary of {of} on this domain" in " ".join(out.split())


def test_known_loop(creases, classifier):
    code, out, _ = creases("count", classifier, "--loop", "-1,-1 1,-1 1,1 -1,1", "--json")
    found = json.loads(out)
    assert (code, found["regions"], found["domain"]["closed"]) == (0, 4, True)


def test_bad_input(creases, shape, classifier, tmp_path, monkeypatch):
    for arguments, message in [
        ((shape, "--box", "-1:1,-1:1,-1:1", "-o", tmp_path / "lines.geojson"), "A mesh is saved as .ply, .stl, .obj"),
        (
            (shape, "--box", "-1:1,-1:1,0", "-o", tmp_path / "mesh.ply"),
            "A boundary in two dimensions is saved as .geojson",
        ),
        (
            (shape, "--segment", "0,0,0", "1,1,1", "-o", tmp_path / "mesh.ply"),
            "this domain has 1. Cut a slice: --plane",
        ),
        ((classifier, "-o", tmp_path / "lines.npz", "--output-index", "1"), "1 line"),
        (
            (classifier, "--square", "2", "-o", tmp_path / "lines.npz", "--output-index", "2"),
            "output must be from 0 to 1",
        ),
        ((classifier, "--square", "2", "-o", tmp_path / "no" / "lines.npz"), "does not exist"),
    ]:
        code, out, err = creases("boundary", *arguments)
        if message == "1 line":  # nothing crosses: an empty file is an answer
            assert (code, "lines" in out) == (0, True)
            continue
        assert (code, out) == (2, "")
        assert message in err
        assert len(err.splitlines()) == 1
    monkeypatch.setattr(surfaces, "find_spec", lambda name: None)
    code, _, err = creases("boundary", shape, "--box", "-1:1,-1:1,-1:1", "-o", tmp_path / "mesh.ply")
    assert code == 2
    assert "pip install 'creases[mesh]'" in err
    assert not (tmp_path / "mesh.ply").exists()
