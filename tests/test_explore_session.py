"""What a page can ask, and what it is told where it asks for what there is not."""

import json
import struct
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

import creases
from creases.errors import DomainError
from creases.explore import cells
from creases.explore import session as sessions
from creases.explore.answers import Answer, Superseded
from creases.explore.cells import Cut
from creases.explore.planes import plane_of, plane_of_domain
from creases.explore.session import Entry, Session

pytest.importorskip("matplotlib")

NETWORK = creases.Network.he([2, 16, 16, 3], seed=0)
IN_IMAGES = creases.Network.he([64, 16, 16, 4], seed=0)
IMAGES = np.random.default_rng(0).random((12, 64))


def view(**other):
    return {"plane": 1, "centre": [0.25, 0.0], "half": [1.0, 0.5], "network": 0, "pane": "0", "turn": 1, **other}


def unpacked(data):
    """An answer as the page reads it."""
    (length,) = struct.unpack("<I", data[:4])
    facts = json.loads(data[4 : 4 + length])
    kinds = {"Float32Array": "f4", "Float64Array": "f8", "Uint8Array": "u1", "Uint32Array": "u4", "Int32Array": "i4"}
    arrays = {
        one["name"]: np.frombuffer(data, kinds[one["kind"]], one["length"], 4 + length + one["at"])
        for one in facts["arrays"]
    }
    return facts, arrays


def test_explore_session_view_is_what_count_counts():
    facts, arrays = unpacked(Session([NETWORK]).answer("view", view()).as_bytes())
    there = creases.count(NETWORK, creases.Box([-0.75, -0.5], [1.25, 0.5]))
    assert (facts["regions"], facts["by_layer"]) == (there.regions, list(there.by_layer))
    assert facts["certified"]
    assert len(arrays["first"]) - 1 == facts["cells"] == there.regions
    assert len(arrays["corners"]) == 2 * len(arrays["walls"]) == 2 * arrays["first"][-1]


def test_explore_session_polygons_fill_the_view():
    _, arrays = unpacked(Session([NETWORK]).answer("view", view()).as_bytes())
    corners, area = arrays["corners"].reshape(-1, 2).astype(np.float64), 0.0
    for begin, end in zip(arrays["first"][:-1], arrays["first"][1:], strict=True):
        x, y = corners[begin:end].T
        area += 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert area == pytest.approx(2.0 * 1.0, rel=1e-5)  # in half widths: 2 wide, 1 high


@pytest.mark.parametrize("color_by", ["pattern", "layer", "gradient", "class", "activity"])
def test_explore_session_colours(color_by):
    facts, arrays = unpacked(Session([NETWORK]).answer("view", view(color_by=color_by, boundary=True)).as_bytes())
    assert len(arrays["colours"]) == 3 * facts["cells"]
    assert (facts["legend"] is None) == (color_by == "pattern")
    assert len(arrays["boundary"]) % 4 == 0
    if color_by == "class":
        assert len(arrays["finer_colours"]) == 3 * (len(arrays["finer_first"]) - 1) >= 3 * facts["cells"]


def test_explore_session_too_many_cells_are_a_picture_with_their_count(monkeypatch):
    monkeypatch.setattr(sessions, "MOST_CELLS", 10)
    facts, arrays = unpacked(Session([NETWORK]).answer("view", view(pixels=64)).as_bytes())
    assert facts["regions"] == creases.count(NETWORK, creases.Box([-0.75, -0.5], [1.25, 0.5])).regions > 10
    assert facts["picture"] == [64, 32]
    assert len(arrays["pixels"]) == 64 * 32 * 3
    assert "more than 10 regions" in facts["why"]


def test_explore_session_picture_of_a_slow_network_is_coarse(monkeypatch):
    monkeypatch.setattr(sessions, "MOST_CELLS", 10)
    monkeypatch.setattr(cells, "PICTURE_SECONDS", 0.0)
    monkeypatch.setattr(cells, "LEAST_PIXELS", 32)
    facts, arrays = unpacked(Session([NETWORK]).answer("view", view(pixels=64)).as_bytes())
    assert facts["picture"] == [8, 4]
    assert len(arrays["pixels"]) == 8 * 4 * 3
    assert facts["regions"] > 10


def test_explore_session_picture_is_given_up_for_a_newer_view(monkeypatch):
    """A picture that would take hours ends where another view is asked for."""
    monkeypatch.setattr(sessions, "MOST_CELLS", 10)
    monkeypatch.setattr(cells, "NUMBERS_AT_ONCE", 1)
    session, colours_at = Session([NETWORK]), cells.colours_at

    def asked_meanwhile(*arguments):
        session.announce("view", {"pane": "0", "turn": 2})
        return colours_at(*arguments)

    monkeypatch.setattr(cells, "colours_at", asked_meanwhile)
    with pytest.raises(Superseded):
        session.answer("view", view(pixels=64))


@pytest.mark.parametrize(("name", "most"), [("MOST_PATTERNS", 1), ("MOST_KEPT", 1), ("MOST_VIEWS", 2)])
def test_explore_session_keeps_two_views_of_many_cells(monkeypatch, name, most):
    monkeypatch.setattr(sessions, name, most)
    session = Session([NETWORK])
    numbers = [session.answer("view", view(half=[1.0, half])).facts["view"] for half in (0.5, 0.6, 0.7)]
    assert list(session.views) == numbers[1:]


def test_explore_session_stopped_cuts_nothing_more():
    session = Session([NETWORK])
    session.stop()
    with pytest.raises(Superseded, match="being stopped"):
        session.answer("view", view())


def test_explore_session_picture_has_the_colours_of_the_cells(monkeypatch):
    session = Session([NETWORK])
    _, cells = unpacked(session.answer("view", view()).as_bytes())
    monkeypatch.setattr(sessions, "MOST_CELLS", 10)
    _, picture = unpacked(session.answer("view", view(pixels=80, half=[1.0, 0.5001])).as_bytes())
    drawn = {tuple(colour) for colour in cells["colours"].reshape(-1, 3).tolist()}
    assert {tuple(colour) for colour in picture["pixels"].reshape(-1, 3).tolist()} <= drawn


def test_explore_session_cell_says_what_the_complex_says():
    session = Session([NETWORK])
    found = session.answer("view", view()).facts
    facts = session.answer("cell", {"view": found["view"], "cell": 3}).facts
    cells = creases.subdivide(NETWORK, creases.Box([-0.75, -0.5], [1.25, 0.5]))
    same = [
        i for i in range(len(cells)) if "".join(str(int(b)) for b in cells.pattern(i)[0]) == facts["layers"][0]["bits"]
    ]
    same = [i for i in same if "".join(str(int(b)) for b in cells.pattern(i)[1]) == facts["layers"][1]["bits"]]
    (i,) = same
    assert facts["area"] == pytest.approx(cells.volumes[i], rel=1e-6)
    assert facts["gradient"] == pytest.approx(cells.gradient_norms[i])
    assert facts["gradient_in_plane"] == pytest.approx(cells.gradient_norms[i])
    matrix, offset = cells.affine_map(i)
    assert np.allclose(facts["matrix"], matrix)
    assert np.allclose(facts["offset"], matrix @ [0.25, 0.0] + offset)
    assert sum(one["cell"] >= 0 for one in facts["neighbours"]) == cells.adjacency()[[i]].sum()


def test_explore_session_line():
    given = {**view(), "from": [-0.5, 0.0], "to": [0.5, 0.25]}
    facts, arrays = unpacked(Session([NETWORK]).answer("line", given).as_bytes())
    there = creases.subdivide(NETWORK, creases.Segment([-0.25, 0.0], [0.75, 0.25]))
    assert facts["regions"] == len(there) == len(arrays["t"]) - 1
    assert np.allclose(arrays["t"][:-1], there.intervals()[:, 0])
    ends = NETWORK.forward([[-0.25, 0.0], [0.75, 0.25]])
    assert np.allclose(arrays["values"].reshape(-1, 3)[[0, -1]], ends)
    assert arrays["layers"][0] == arrays["layers"][-1] == 0 < arrays["layers"][1:-1].min()


def test_explore_session_planes():
    session = Session([IN_IMAGES], IMAGES, list("aabbccddeeff"))
    hello = session.answer("hello", {})
    assert hello.facts["kinds"] == ["points", "origin", "random", "coordinates"]
    assert hello.facts["image"] == [1, 8, 8]
    for given in (
        {"kind": "points", "rows": [3, 1, 2]},
        {"kind": "origin", "rows": [4, 5]},
        {"kind": "random", "seed": 3},
        {"kind": "coordinates", "inputs": [1, 9], "row": 2},
    ):
        plane = session.answer("plane", given)
        for place, row in zip(plane.facts["anchors"], plane.facts["rows"], strict=True):
            expected = np.zeros(64) if row < 0 else IMAGES[row]
            chosen = session.planes[plane.facts["plane"]].plane
            assert np.allclose(chosen.slice.points(place), expected)
        asked = {"plane": plane.facts["plane"], "centre": plane.facts["centre"], "half": [plane.facts["half"]] * 2}
        assert session.answer("view", view(**asked, turn=plane.facts["plane"])).facts["certified"]


def test_explore_session_image():
    session = Session([IN_IMAGES], IMAGES)
    pixels = session.answer("image", {"row": 3}).arrays["pixels"]
    scaled = (IMAGES[3] - IMAGES.min()) / (IMAGES.max() - IMAGES.min())
    assert np.allclose(pixels[:, :, 0] / 255, scaled.reshape(8, 8), atol=0.01)
    at_centre = session.answer("image", {**view(), "at": [0.0, 0.0]}).arrays["pixels"]
    assert at_centre.shape == (8, 8, 3)


@pytest.mark.parametrize("form", ["png", "svg", "pdf", "csv", "geojson"])
def test_explore_session_files(form):
    answer = Session([NETWORK]).answer("file", view(form=form, color_by="gradient", kinks=True))
    regions = creases.count(NETWORK, creases.Box([-0.75, -0.5], [1.25, 0.5])).regions
    assert answer.facts["name"] == f"network.{form}"
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "csv": b"# centre 0.25", "geojson": b'{"type"'}
    assert answer.content.startswith(begins[form])
    if form == "csv":
        assert len(answer.content.splitlines()) == 2 + regions
    if form == "geojson":
        assert len(json.loads(answer.content)["features"]) == regions


@pytest.mark.parametrize("half", [[1.0, 0.5], [1e-12, 1e-12]])
@pytest.mark.parametrize("color_by", ["pattern", "gradient", "class"])
def test_explore_session_python_makes_the_same_picture(half, color_by, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    NETWORK.save("net.npz")
    session = Session([Entry("net", lambda: NETWORK, code="creases.load('net.npz')")])
    given = view(half=half, color_by=color_by, kinks=True, boundary=True)
    text = session.answer("python", given).facts["python"]
    names = {}
    exec(compile(text, "shown", "exec"), names)
    assert len(names["cells"]) == session.answer("view", given).facts["regions"]
    assert (tmp_path / "view.png").read_bytes().startswith(b"\x89PNG")


def test_explore_session_python_of_a_plane_through_points(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    IN_IMAGES.save("net.npz")
    np.save("points.npy", IMAGES)
    entry = Entry("net", lambda: IN_IMAGES, code="creases.load('net.npz')")
    session = Session([entry], IMAGES, points_code="np.load('points.npy')")
    given = view(half=[1.0, 1.0], marks=True)
    names = {}
    exec(compile(session.answer("python", given).facts["python"], "shown", "exec"), names)
    assert len(names["cells"]) == session.answer("view", given).facts["regions"]


def test_explore_session_newer_views_supersede_older_ones():
    session = Session([NETWORK])
    session.answer("view", view(turn=5))
    with pytest.raises(Superseded):
        session.answer("view", view(turn=4))
    session.answer("view", view(turn=4, pane="1"))  # of another pane


def test_explore_session_a_cut_ends_when_a_newer_view_comes():
    large = creases.Network.he([2, 256, 256, 256, 1], seed=0)  # 1.5 million regions
    session = Session([large])
    caught = []

    def ask():
        try:
            session.answer("view", view(half=[2.0, 2.0], turn=1))
        except Superseded as error:
            caught.append(error)

    older = threading.Thread(target=ask)
    older.start()
    time.sleep(0.1)
    session.answer("view", view(half=[0.001, 0.001], turn=2))
    older.join(20)
    assert len(caught) == 1


def test_explore_session_keeps_a_few_views_only():
    session = Session([NETWORK])
    for turn in range(30):
        session.answer("view", view(turn=turn, half=[1.0 + turn / 64, 0.5]))
    assert len(session.views) == sessions.MOST_VIEWS
    with pytest.raises(DomainError, match="not kept any more"):
        session.answer("cell", {"view": 1, "cell": 0})


@pytest.mark.parametrize(
    ("question", "given", "said"),
    [
        ("fold", {}, "A question is one of hello"),
        ("view", [], "an object with names"),
        ("view", view(plane=77), "not kept any more"),
        ("view", view(half=[0.0, 1.0]), "finite numbers from"),
        ("view", view(half=[float("inf"), 1.0]), "two finite numbers"),
        ("view", view(half=[float("nan"), 1.0]), "two finite numbers"),
        ("view", view(half=[True, 1.0]), "two finite numbers"),
        ("view", view(half=[1.0]), "two numbers each"),
        ("view", view(centre=["0", 1]), "A coordinate is"),
        ("view", view(centre=[["1e5", 0], 1]), "A coordinate is"),
        ("view", view(centre=[["1", -5000], 1]), "an exponent is a whole number"),
        ("view", view(color_by="taste"), "Colours tell one of"),
        ("view", view(network=4), "network is a whole number from 0 to 0"),
        ("view", view(turn=-1), "turn is a whole number"),
        ("cell", {"view": 99, "cell": 0}, "not kept any more"),
        ("cell", {"view": [], "cell": 0}, "not kept any more"),
        ("line", {**view(), "from": [0, 0], "to": [float("nan"), 0]}, "to is a place in view"),
        ("line", {**view(), "from": [0, 0], "to": [0, 0]}, "different points"),
        ("image", {"row": 0}, "are no pictures"),
        ("plane", {"kind": "points", "rows": [0, 1, 2]}, "none were given"),
        ("plane", {"kind": "sphere"}, "A plane is one of"),
        ("plane", {"kind": "coordinates", "inputs": [0, 0]}, "two different inputs"),
        ("plane", {"kind": "coordinates", "inputs": [0, 7]}, "an input is a whole number from 0 to 1"),
        ("file", view(form="exe"), "saved as one of"),
    ],
)
def test_explore_session_bad_questions(question, given, said):
    with pytest.raises(DomainError, match=said):
        Session([NETWORK]).answer(question, given)


def test_explore_session_bad_cell_number():
    session = Session([NETWORK])
    number = session.answer("view", view()).facts["view"]
    for cell in (-1, 10**6, True, "3", None):
        with pytest.raises(DomainError, match="This view has cells 0 to"):
            session.answer("cell", {"view": number, "cell": cell})


def test_explore_session_coordinates_finer_than_floats():
    session = Session([NETWORK])
    found = session.answer("view", view(centre=[[str(2**300 + 1), -302], ["-1", -600]], half=[1e-30, 1e-30]))
    assert found.facts["certified"]
    kept = session.views[found.facts["view"]].view
    assert kept.centre == (Fraction(2**300 + 1, 2**302), Fraction(-1, 2**600))


def test_explore_session_of_networks_that_do_not_fit():
    with pytest.raises(DomainError, match="at least one network"):
        Session([])
    with pytest.raises(DomainError, match="has one input, and so no plane"):
        Session([creases.Network.he([1, 4, 1])])
    with pytest.raises(creases.NetworkError, match="Points must have shape"):
        Session([NETWORK], np.zeros((4, 3)))
    with pytest.raises(DomainError, match="One label is needed for each point"):
        Session([NETWORK], np.zeros((4, 2)), ["a"])
    both = Session([NETWORK, IN_IMAGES])
    with pytest.raises(DomainError, match="only networks of the same inputs"):
        both.answer("view", view(network=1))


def test_explore_plane_of_domain():
    box = creases.Box([0.0, 1.0], [2.0, 2.0])
    chosen = plane_of_domain(NETWORK, box)
    assert (chosen.centre, chosen.half) == ((1.0, 1.5), 1.0)
    with pytest.raises(DomainError, match="The explorer shows planes"):
        plane_of_domain(NETWORK, creases.Segment([0.0, 0.0], [1.0, 1.0]))
    with pytest.raises(DomainError, match=r"lies in a space of 2 inputs, but .* takes 64"):
        plane_of_domain(IN_IMAGES, box)


def test_explore_plane_of_collinear_points():
    points = np.outer(np.arange(4.0), np.ones(64))
    with pytest.raises(DomainError, match="lie in a line"):
        plane_of(IN_IMAGES, points, {"kind": "points", "rows": [0, 1, 2]})
    with pytest.raises(DomainError, match="3 different rows"):
        plane_of(IN_IMAGES, points, {"kind": "points", "rows": [0, 1, 1]})


def test_explore_answer_of_arrays_of_all_kinds():
    arrays = {kind: np.arange(5).astype(kind) for kind in ("f4", "f8", "u1", "u4", "i4")}
    facts, found = unpacked(Answer({"said": "é"}, arrays, b"file").as_bytes())
    assert facts["said"] == "é"
    assert all((found[kind] == arrays[kind]).all() for kind in arrays)
    assert found["content"].tobytes() == b"file"


def test_explore_session_forgets_planes_but_the_first():
    session = Session([IN_IMAGES], IMAGES)
    for seed in range(sessions.MOST_PLANES + 5):
        session.answer("plane", {"kind": "random", "seed": seed})
    assert len(session.planes) == sessions.MOST_PLANES
    assert session.answer("hello", {}).facts["plane"]["plane"] == 1


def test_explore_session_near_and_far_are_cut_alike():
    """A view of its own domain, and the same one around its centre: equal polygons, colours, maps and areas."""
    plane = creases.Plane.through(*np.random.default_rng(1).random((3, 64)))
    session = Session(
        [IN_IMAGES], plane=plane_of_domain(IN_IMAGES, plane.polygon([[-1, -1], [2, -1], [2, 2], [-1, 2]]))
    )
    asked = {"plane": 1, "centre": [0.25, 0.5], "half": [0.75, 0.5], "color_by": "gradient"}
    near = session._view(asked)
    direct = session.views[near.facts["view"]]
    around = Cut(IN_IMAGES, direct.view, direct.view.subdivide(IN_IMAGES))
    assert direct.is_direct
    assert not around.is_direct
    order = [np.lexsort(cut.complex.patterns.T) for cut in (direct, around)]
    assert (direct.complex.patterns[order[0]] == around.complex.patterns[order[1]]).all()
    assert np.allclose(direct.gradients[order[0]], around.gradients[order[1]])
    one, other = direct.cell(int(order[0][5])), around.cell(int(order[1][5]))
    for name in ("matrix", "offset", "area", "gradient_in_plane", "gradient", "layer_of_birth"):
        assert np.allclose(one[name], other[name]), name
    arrays = [cut.arrays("class", True)[0] for cut in (direct, around)]
    for name in ("corners", "finer_corners", "boundary"):
        assert arrays[0][name].shape == arrays[1][name].shape
        assert np.allclose(np.sort(arrays[0][name].ravel()), np.sort(arrays[1][name].ravel()), atol=1e-5)


def test_explore_session_classes_of_many_cells_are_those_of_their_middles(monkeypatch):
    monkeypatch.setattr(cells, "MOST_CUT", 10)
    session = Session([NETWORK])
    answer = session.answer("view", view(color_by="class"))
    assert "finer_first" not in answer.arrays
    assert "classes are those of their middles" in answer.facts["why"]
    cut = session.views[answer.facts["view"]]
    means = [cut.complex.cell(i).vertices.mean(axis=0) for i in range(len(cut.complex))]
    assert (cut.coarse_classes == NETWORK.forward(means).argmax(axis=1)).all()
    assert answer.arrays["boundary"].ndim == 3


def test_known_layers_beyond_255_keep_their_numbers():
    """A chain of 258 layers that hand one input on; the last of them bends in view."""
    x = creases.build.input(2)
    for _ in range(257):
        x = creases.build.relu(creases.build.shift(x, [1.0, 1.0]))
    network = creases.build.network(creases.build.relu(creases.build.shift(x, [-257.0, -257.0])))
    session = Session([network])
    plane = session.answer("hello", {}).facts["plane"]["plane"]
    given = {"plane": plane, "centre": [0.0, 0.0], "half": [0.5, 0.5], "turn": 1}
    answer = session.answer("view", given)
    assert answer.facts["regions"] == 4
    assert set(answer.arrays["layers"].tolist()) == {0, 258}
