"""The commands: what they print and where, what they save, and how they fail."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from children import LONGEST
from creases import Count, Network, build
from networks import random_network

# One input, three breaks at -1, 0 and 1: four regions of the whole line.
HAT = Network.from_arrays([[[1.0], [1.0], [1.0]], [[1.0, -2.0, 1.0]]], [[1.0, 0.0, -1.0], [0.0]])
# Two inputs, three lines in general position: seven regions of the plane.
LINES = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [[1.0, 1.0, 1.0]]], [[0.0, 0.0, -1.0], [0.0]])


@pytest.fixture
def hat(tmp_path):
    return str(HAT.save(tmp_path / "hat.npz"))


@pytest.fixture
def lines(tmp_path):
    return str(LINES.save(tmp_path / "lines.npz"))


def test_known_counts_as_json(creases, hat, lines):
    for model, domain, regions in [
        (hat, [], 4),
        (hat, ["--segment", "-2", "-.5"], 2),
        (hat, ["--line", "0", "-3"], 4),
        (hat, ["--box", "-1:1"], 2),
        (lines, [], 7),
        (lines, ["--space"], 7),
        (lines, ["--square", "2"], 7),
        (lines, ["--polygon", "-2,-2 -1,-2 -1,-1"], 1),
        (lines, ["--segment", "-1,-1", "1,1"], 3),
        (lines, ["--polyline", "-1,-1 1,1 -1,-1"], 5),
        (lines, ["--plane", "origin", "1,0", "0,1", "--square", ".25"], 4),
    ]:
        code, out, err = creases("count", model, *domain, "--json")
        assert (code, err) == (0, ""), err
        found = json.loads(out)
        assert (found["regions"], found["certified"]) == (regions, True), domain


def test_known_count_for_people(creases, lines):
    code, out, err = creases("count", lines, "--by-neuron")
    assert (code, err) == (0, "")
    assert "lines.npz: Network(2 -> [3] -> 1, 3 neurons)" in out
    assert re.search(r"regions +7\n", re.sub(r" +\n", "\n", out))
    assert "1 bounded + 6 unbounded" in out
    assert "yes, every sign proved" in out
    assert "0.778 with N = 3 neurons" in out
    assert "cut by a neuron: least" in out


def test_known_pieces_of_a_path_for_people(creases, lines):
    _, out, _ = creases("count", lines, "--polyline", "-1,-1 1,1 -1,-1")
    assert "3 different regions along the path" in out


def test_known_count_is_saved_before_it_is_announced(creases, lines, tmp_path):
    path = tmp_path / "result.json"
    code, out, _ = creases("count", lines, "--box", "-2:2,-2:2", "--save", path)
    assert code == 0
    assert Count.from_dict(json.loads(path.read_text())).regions == 7
    assert out.endswith(f"saved to {path}\n")
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_known_info(creases, lines):
    _, out, _ = creases("info", lines)
    assert LINES.sha256 in out
    assert "hidden layers  1: 3" in out
    _, out, _ = creases("info", lines, "--json")
    found = json.loads(out)
    assert found["sha256"] == LINES.sha256
    assert found["theory"][1] == {"dimension": 2, "estimate": 4, "one_layer": 7, "maximum": 7}


def test_known_info_of_many_inputs(creases, tmp_path):
    model = Network.from_arrays([np.ones((2, 784))], [[0.0, 1.0]], output_layer=False, input_shape=(1, 28, 28))
    _, out, _ = creases("info", model.save(tmp_path / "wide.npz"))
    assert "784 of shape (1, 28, 28)" in out
    assert "none: every layer in the file is hidden" in out


def test_known_info_of_a_graph(creases, tmp_path, monkeypatch):
    """Levels with what they take, kind, shape and name; the bound of all, and what is left out."""
    monkeypatch.setenv("COLUMNS", "140")
    x = build.input(1, 2, 2)
    h = build.max_pool(build.relu(build.conv(x, np.ones((2, 1, 1, 1))), name="stem"), 2)
    path = build.network(build.dense(h, np.ones((3, 2)))).save(tmp_path / "graph.npz")
    code, out, err = creases("info", path)
    assert (code, err) == (0, "")
    for row in (
        "graph +3 levels, 2 of them layers with neurons or switches",
        "neurons +8",
        "switches +2",
        "outputs +3",
        r"1 +Conv\(1x2x2 -> 2x2x2\) of 0 +ReLU\(\) +2x2x2 +8 +stem",
        r"2 +Select\(8 -> 8\) of 1 +Max\(2 of 4\) +2 +2 +layer 2",
        "a plane +2 +- +- +592",
        r"hold for\s+chains of dense layers with ReLU\s+only",
        "switches have no threshold",
    ):
        assert re.search(row, out), row
    found = json.loads(creases("info", path, "--json")[1])
    assert (found["widths"], found["output_layer"]) == ([8, 2], True)
    assert found["layers"] == [
        {"name": "stem", "kind": "ReLU()", "neurons": 8, "switches": 0},
        {"name": "layer 2", "kind": "Max(2 of 4)", "neurons": 0, "switches": 2},
    ]
    assert found["levels"][1]["takes"] == {"1": "Select(8 -> 8)"}
    assert [level["layer"] for level in found["levels"]] == ["stem", "layer 2", None]
    assert found["theory"][1] == {"dimension": 2, "estimate": None, "one_layer": None, "maximum": 37 * 16}


def test_known_info_of_a_graph_says_which_levels_its_notes_name(creases, tmp_path, monkeypatch):
    """By the names of levels in quotes, by hidden layers' numbers, and the last as the output layer."""
    monkeypatch.setenv("COLUMNS", "140")
    h = build.abs(build.dense(build.input(2), np.ones((3, 2))), name="fold")
    h = build.shift(build.relu(build.dense(h, np.ones((2, 3))), name="fol"), [1.0, 2.0])
    notes = [
        "Abs node 'fold': a number is rounded.",
        "Read as a whole.",
        "Hidden layer 2 is a, then b, made one layer exactly.",
        "The output layer is c, then d, made one layer exactly.",
        "Hidden layer 9 is not there, and so is the node 'fo'.",
    ]
    path = build.network(build.dense(h, np.ones((1, 2))), notes=notes).save(tmp_path / "noted.npz")
    code, out, err = creases("info", path)
    assert (code, err) == (0, "")
    for row in (
        r"note 1 +Abs node 'fold': a number is rounded\.",
        r"note 5 +Hidden layer 9",
        r"level .* layer +notes",
        r"\n +1 .* Abs\(\) +3 +3 +fold +1 *\n",
        r"\n +2 .* ReLU\(\) +2 +2 +fol +3 *\n",
    ):
        assert re.search(row, out), row
    found = json.loads(creases("info", path, "--json")[1])
    assert found["notes"] == notes
    told = [level["notes"] for level in found["levels"]]
    assert told == [notes[:1], notes[2:3], *[[]] * (len(told) - 3), notes[3:4]]


def test_known_info_without_notes_has_no_column_for_them(creases, tmp_path):
    path = build.network(build.abs(build.dense(build.input(2), np.ones((3, 2))))).save(tmp_path / "plain.npz")
    _, out, _ = creases("info", path)
    assert "note" not in out
    assert json.loads(creases("info", path, "--json")[1])["levels"][0]["notes"] == []


def test_known_count_of_switches(creases, tmp_path):
    """N holds switches too, and the table says so."""
    network = build.network(build.maxout(build.dense(build.input(2), [[1, 0], [0, 1], [-1, -1]]), 3))
    code, out, err = creases("count", network.save(tmp_path / "best.npz"), "--square", "1", "--by-neuron")
    assert (code, err) == (0, "")
    assert re.search(r"regions / N\^2 +3 with N = 1 neurons and switches", out)
    assert "cut by one:" in out


def test_known_count_names_its_layers(creases, tmp_path):
    """The table has names where levels have them, and numbers where not; the word "layer" stands in its head alone."""
    h = build.relu(build.dense(build.input(2), [[1, 0], [0, 1], [1, 1]]), name="stem")
    path = build.network(build.relu(build.dense(h, [[1, 0, -1], [0, 1, -1]]))).save(tmp_path / "named.npz")
    code, out, err = creases("count", path, "--square", "1")
    assert (code, err) == (0, "")
    assert re.search(r"layer +neurons +regions after it", out)
    assert re.search(r"\bstem +3 +\d", out)
    assert re.search(r"^ *2 +2 +\d", out, re.MULTILINE)
    assert "layer 2" not in out


def test_known_networks_without_neurons(creases, tmp_path):
    """One region, with nothing to compare it with and no layer to show."""
    path = build.network(build.dense(build.input(2), [[1.0, 2.0]])).save(tmp_path / "affine.npz")
    code, out, err = creases("count", path, "--square", "1")
    assert (code, err) == (0, "")
    assert re.search(r"regions +1\b", out)
    assert "N^2" not in out
    assert "layer" not in out
    code, out, err = creases("info", path)
    assert (code, err) == (0, "")
    assert "1 level, 0 of them layers" in out
    picture = tmp_path / "affine.png"
    assert creases("draw", path, "--square", "1", "-o", picture)[1] == f"1 region drawn, saved to {picture}\n"


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_known_drawings(creases, lines, tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    code, out, err = creases("draw", lines, "-o", path, "--points", "0,0 .2,.2", "--window", "-1:1,-1:2")
    assert (code, err) == (0, "")
    assert "6 of 7 regions drawn, saved to" in out
    assert path.stat().st_size > 1000


def test_known_drawings_count_what_they_show(creases, lines, tmp_path, monkeypatch):
    """Three lines in general position: seven regions of the plane, and in the middle of one of them that one."""
    titles = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda ax, title, **look: titles.append(title))
    path = tmp_path / "picture.png"
    for window, said in (("-2:2,-2:2", "7 regions"), ("2:3,5:6", "1 of 7 regions")):
        _, out, _ = creases("draw", lines, "-o", path, "--window", window)
        assert out == f"{said} drawn, saved to {path}\n"
        assert titles.pop() == f"{Path(lines).name}: {said}"
    _, out, _ = creases("draw", lines, "-o", path, "--square", "3")
    assert out.startswith("7 regions drawn")
    _, out, _ = creases("draw", lines, "-o", path, "--segment", "0,-3", "0,3", "--window", "2.5:3")
    assert out.startswith("1 of ")


def test_known_points_by_class(creases, lines, tmp_path, monkeypatch):
    """Labels as words, and from files of numbers and of words."""
    seen = []
    marked = "creases.plot.regions.mark_points"
    monkeypatch.setattr(marked, lambda ax, marks, classes, *look: seen.append(classes) or [])
    np.save(tmp_path / "numbers.npy", np.array([[1], [0], [1]]))
    (tmp_path / "words.csv").write_text("cat\ndog\n\ncat\n")
    points = ["--points", "0,0 .2,.2 .1,0"]
    for labels, names in (("b a b", "ab"), (tmp_path / "numbers.npy", "01"), (tmp_path / "words.csv", ("cat", "dog"))):
        code, _, err = creases("draw", lines, "-o", tmp_path / "a.png", *points, "--labels", labels)
        assert (code, err) == (0, "")
        classes = seen.pop()
        assert [name for name, _ in classes] == list(names)
        assert sum(mine.sum() for _, mine in classes) == 3


def test_known_drawing_along_a_line(creases, hat, tmp_path):
    path = tmp_path / "line.png"
    code, out, err = creases("draw", hat, "-o", path)
    assert (code, err) == (0, "")
    assert "4 regions" in out
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    "word",
    ["pattern", "layer", "gradient", "class", "activity", "volume", "facets", "vertices", "bounded", "gradient_norm"],
)
def test_known_drawings_by_every_word(creases, lines, tmp_path, word):
    path = tmp_path / "a.png"
    code, out, err = creases("draw", lines, "-o", path, "--color-by", word, "--kinks", "--boundary", "--dpi", "40")
    assert (code, err) == (0, "")
    assert "regions drawn, saved to" in out
    assert path.stat().st_size > 1000


def test_known_papers(creases):
    _, out, _ = creases("cite")
    assert "Deep ReLU Networks Have Surprisingly Few Activation Patterns" in out
    assert "arXiv:1906.00904" in out
    _, out, _ = creases("cite", "--bibtex")
    assert out.count("@") == out.count("\n}") == 7
    assert out.count("{") == out.count("}")


def test_known_version_and_help(creases):
    from creases import __version__

    assert creases("--version")[:2] == (0, f"creases {__version__}\n")
    assert "Commands" in creases()[1]
    code, out, _ = creases("count", "--help")
    assert code == 0
    assert "creases count net.onnx --box -1:1,-1:1" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["count"], r"Missing argument 'MODEL'. See 'creases count --help'."),
        (["fold"], r"No such command 'fold'"),
        (["count", "none.onnx"], r"no file none.onnx"),
        (["count", "LINES", "--threads", "0"], r"Invalid value for '--threads'.*See 'creases count --help'."),
        (["count", "LINES", "--threads", "two"], r"Invalid value for '--threads'"),
        (["count", "LINES", "--square", "big"], r"Invalid value for '--square'"),
        (["count", "LINES", "--segment", "0,0"], r"Option '--segment' requires 2 arguments. The command's --help"),
        (["count", "LINES", "--box", "0:1,x:1"], r"--box: 'x' is not a number"),
        (["count", "LINES", "--space", "--square", "1"], r"Got --square and --space; give one domain"),
        (["count", "LINES", "--save", "none/result.json"], r"The folder none does not exist"),
        (["count", "LINES", "--save", "."], r"\. is a folder"),
        (["draw", "LINES"], r"Missing option '--output'"),
        (["draw", "LINES", "-o", "a.bmp"], r"Pictures are saved as .png, .pdf, .svg; 'a.bmp' needs one of these"),
        (["draw", "LINES", "-o", "a.png", "--segment", "0,0", "1,1", "--points", "0,0"], r"--points marks inputs on"),
        (["draw", "LINES", "-o", "a.png", "--labels", "a b"], r"--labels says of which class each of the --points is"),
        (["draw", "LINES", "-o", "a.png", "--points", "0,0", "--labels", "a b"], r"--labels: 2 labels for 1 points"),
        (["draw", "LINES", "-o", "a.png", "--points", "0,0", "--labels", "a.npy"], r"--labels: there is no file a.npy"),
        (["draw", "LINES", "-o", "a.png", "--color-by", "colour"], r"--color-by is one of pattern, .*; got 'colour'"),
        (["draw", "LINES", "-o", "a.png", "--window", "0:1"], r"--window: '0:1' must be 2 finite LOW:HIGH"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(creases, lines, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = creases(*(lines if argument == "LINES" else argument for argument in arguments))
    assert (code, out) == (2, "")
    assert re.search(message, err), err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_bad_input_file_that_may_not_be_read(creases, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "secret.npz")

    monkeypatch.setattr("creases.readers.read_file", refuse)
    code, _, err = creases("count", tmp_path / "secret.npz")
    assert code == 2
    assert "secret.npz" in err
    assert "Permission denied" in err


def test_bad_input_interrupt_says_stopped(creases, lines, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("creases.counting.count_many", interrupt)
    assert creases("count", lines) == (130, "", "stopped\n")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
def test_bad_input_ctrl_c_in_a_running_count(tmp_path):
    wide = Network.from_arrays(*random_network([2, *[400] * 12], seed=0, bias=0.1), output_layer=False)
    model = wide.save(tmp_path / "wide.npz")
    command = [sys.executable, "-c", "from creases.cli import main; main()", "count", str(model), "--threads", "2"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(4)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1] == "stopped"
    assert "Traceback" not in err


def test_known_reader_of_our_output_may_leave_early(lines):
    command = f'"{sys.executable}" -c "from creases.cli import main; main()" cite | head -n 1'
    finished = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, timeout=LONGEST)
    assert finished.stderr == ""
