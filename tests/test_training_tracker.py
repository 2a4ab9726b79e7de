"""RegionTracker in a loop of one's own: the right counts at the right steps, and no row lost."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import creases
from children import LONGEST, python
from creases import build
from creases.errors import DomainError, MissingExtraError, NetworkError
from creases.training import (
    RegionTracker,
    Settings,
    TrainingError,
    digits_task,
    fit,
    he_network,
    plane_through_origin_and,
    read_rows,
)
from creases.training.tracker import COLUMNS

torch = pytest.importorskip("torch")

SQUARE = creases.Box([-1, -1], [1, 1])
LINE = creases.Segment([-1, -1], [1, 1])


def model_of(seed=0):
    return he_network([2, 6, 6, 1], seed=seed, bias_std=0.3)


def train(model, tracker, steps):
    """A loop as anyone would write it: gradient descent on a fixed batch. Returns the networks, step 0 first."""
    inputs = torch.linspace(-1, 1, 40).reshape(20, 2)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    networks = [creases.load(model)]
    for _ in range(steps):
        optimiser.zero_grad()
        (model(inputs) - inputs.prod(dim=1, keepdim=True)).square().mean().backward()
        optimiser.step()
        tracker.step()
        networks.append(creases.load(model))
    return networks


def without_seconds(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_laws_twenty_counts_through_a_training():
    model = model_of()
    tracker = RegionTracker(model, {"square": SQUARE, "diagonal": LINE}, threads=1)
    networks = train(model, tracker, 20)
    rows = tracker.table()
    assert [(row["step"], row["domain"]) for row in rows] == [(step, d) for step in range(21) for d in (0, 1)]
    assert len({row["network"] for row in rows}) == 21
    for row in rows:
        network = networks[row["step"]]
        found = creases.count(network, (SQUARE, LINE)[row["domain"]], threads=1)
        assert tuple(row) == COLUMNS
        assert row["network"] == network.sha256
        assert row["regions"] == found.regions
        assert row["by_layer"] == list(found.by_layer)
        assert row["by_layer"][-1] == row["regions"]
        assert row["certified"] is True
        assert row["neurons"] == 12
        assert row["regions_per_neurons_squared"] == row["regions"] / 144
        assert row["seconds"] >= 0
        assert row["name"] == ("square", "diagonal")[row["domain"]]
        assert row["domain_repr"] == repr((SQUARE, LINE)[row["domain"]])


def test_laws_tracking_changes_nothing():
    class Silent:
        def step(self):
            pass

    alone, watched = model_of(), model_of()
    train(alone, Silent(), 5)
    before = torch.get_rng_state()
    train(watched, RegionTracker(watched, SQUARE, threads=1), 5)
    assert torch.equal(before, torch.get_rng_state())
    assert creases.load(alone).sha256 == creases.load(watched).sha256
    assert watched.training


@pytest.mark.parametrize(("every", "steps"), [(3, [0, 3, 6]), ([5, 1, 1], [1, 5]), (range(0, 8, 7), [0, 7]), (9, [0])])
def test_laws_counts_are_made_when_they_are_due(every, steps):
    model = model_of()
    tracker = RegionTracker(model, SQUARE, every, threads=1)
    train(model, tracker, 7)
    assert [row["step"] for row in tracker.table()] == steps
    assert tracker.at == 7
    assert repr(tracker).startswith("RegionTracker(1 domains, ")
    assert repr(tracker).endswith(f"; at step 7, {len(steps)} rows)")


def test_laws_step_tells_what_it_counted():
    heard = []
    tracker = RegionTracker(model_of(), SQUARE, 2, threads=1, on_count=heard.append)
    assert tracker.step(epoch=0.5) == []
    (row,) = tracker.step(epoch=1.0)
    assert (row["step"], row["epoch"]) == (2, 1.0)
    assert [rows[0]["step"] for rows in heard] == [0, 2]
    assert tracker.count() == [row]  # not counted twice
    tracker.step()
    assert tracker.count()[0]["step"] == 3  # whatever is due
    row["regions"] = -1
    assert all(row["regions"] > 0 for row in tracker.table())


def test_laws_training_mode_and_dropout_are_read_as_in_evaluation():
    first, relu, last = torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    tracker = RegionTracker(torch.nn.Sequential(first, relu, torch.nn.Dropout(0.5), last), SQUARE, threads=1)
    assert tracker.table()[0]["network"] == creases.load(torch.nn.Sequential(first, relu, last)).sha256


def test_laws_tables_on_the_disk(tmp_path):
    model = model_of()
    tracker = RegionTracker(model, [SQUARE, LINE], 2, threads=1)
    train(model, tracker, 4)
    assert json.loads(tracker.save(tmp_path / "t.json").read_text()) == tracker.table()
    pandas = pytest.importorskip("pandas")
    frame = tracker.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert frame["regions"].tolist() == [row["regions"] for row in tracker.table()]
    written = pandas.read_csv(tracker.save(tmp_path / "t.csv"))
    assert written["regions"].tolist() == frame["regions"].tolist()
    assert [json.loads(text) for text in written["by_layer"]] == frame["by_layer"].tolist()
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["t.csv", "t.json"]


def test_laws_rows_are_on_the_disk_before_they_are_announced(tmp_path):
    path = tmp_path / "rows.jsonl"
    model = model_of()
    seen = []
    tracker = RegionTracker(
        model, [SQUARE, LINE], threads=1, path=path, on_count=lambda rows: seen.append(read_rows(path)[-2:] == rows)
    )
    train(model, tracker, 3)
    assert seen == [True] * 4
    assert read_rows(path) == tracker.table()


KILLED = """
import os, signal, sys
from test_training_tracker import LINE, SQUARE, RegionTracker, model_of, train

def kill(rows):
    if rows[0]["step"] == 3:
        os.kill(os.getpid(), signal.SIGKILL)

model = model_of()
train(model, RegionTracker(model, [SQUARE, LINE], threads=1, path=sys.argv[1], on_count=kill), 9)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_laws_kill_nine_loses_nothing(tmp_path):
    path = tmp_path / "rows.jsonl"
    here = os.path.dirname(__file__)
    result = subprocess.run([sys.executable, "-c", KILLED, path], cwd=here, check=False, timeout=LONGEST)
    assert result.returncode == -signal.SIGKILL
    lost = read_rows(path)
    assert [row["step"] for row in lost] == [0, 0, 1, 1, 2, 2, 3, 3]
    # A torn line and a count with one domain of two: what a kill within a write may leave.
    with path.open("a") as file:
        file.write(json.dumps({**lost[-1], "step": 4}) + '\n{"step": 4, "regi')
    model = model_of()
    heard = []
    tracker = RegionTracker(model, [SQUARE, LINE], threads=1, path=path, resume=True, on_count=heard.extend)
    train(model, tracker, 6)
    assert [row["step"] for row in heard] == [4, 4, 5, 5, 6, 6]  # the others were kept, with their times
    assert tracker.table()[:8] == lost
    assert read_rows(path) == tracker.table()
    reference = model_of()
    undisturbed = RegionTracker(reference, [SQUARE, LINE], threads=1)
    train(reference, undisturbed, 6)
    assert without_seconds(tracker.table()) == without_seconds(undisturbed.table())


def test_laws_going_on_from_a_step(tmp_path):
    path = tmp_path / "rows.jsonl"
    model = model_of()
    train(model, RegionTracker(model, SQUARE, threads=1, path=path), 5)
    kept = read_rows(path)[:3]
    halfway = model_of()
    train(halfway, RegionTracker(halfway, SQUARE, threads=1), 2)
    tracker = RegionTracker(halfway, SQUARE, threads=1, path=path, resume=True, start=2)
    assert tracker.table() == read_rows(path) == kept
    tracker.step()
    assert [row["step"] for row in read_rows(path)] == [0, 1, 2, 3]


class Residual:
    """Not torch's: weights that are moved in a loop, and the network that they make now, on four inputs."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.weights = [self.rng.standard_normal(shape) for shape in ((5, 4), (5, 5), (6, 5))]

    def step(self):
        for weight in self.weights:
            weight += 0.05 * self.rng.standard_normal(weight.shape)

    def __call__(self):
        first, second, third = self.weights
        h = build.relu(build.dense(build.input(4), first, np.full(5, 0.3)))
        h = build.relu(build.add(h, build.dense(h, second, np.full(5, -0.2))))
        return build.network(build.maxout(build.dense(h, third), 3))


PLANES = {
    "origin": plane_through_origin_and([1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, -1.0]),
    "three": creases.Plane.through([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]),
    "line": creases.Segment([-2, -2, -2, -2], [2, 2, 2, 3]),
}


def test_laws_a_graph_is_tracked(tmp_path):
    """Through a function: counts on planes at each step, the file after each count, going on with it, tables."""
    model, path, networks = Residual(), tmp_path / "rows.jsonl", []
    tracker = RegionTracker(model, PLANES, [0, 2, 3], threads=1, path=path)
    for step in range(1, 4):
        networks.append(model())
        model.step()
        rows = tracker.step(epoch=step / 2)
        assert len(rows) == (3 if step in (2, 3) else 0)
        assert read_rows(path) == tracker.table()
    networks.append(model())
    rows = tracker.table()
    assert [(row["step"], row["name"]) for row in rows] == [(step, name) for step in (0, 2, 3) for name in PLANES]
    for row in rows:
        network = networks[row["step"]]
        found = creases.count(network, PLANES[row["name"]], threads=1)
        assert not network.is_chain
        assert tuple(row) == COLUMNS
        assert (row["network"], row["regions"], row["by_layer"]) == (network.sha256, found.regions, [*found.by_layer])
        assert row["certified"] is True
        assert len(row["by_layer"]) == 3
        assert row["neurons"] == 12  # ten and two switches
        assert row["regions_per_neurons_squared"] == row["regions"] / 144
    # Killed after step 2, and begun again: nothing is counted twice, and the rest is as it was.
    again = Residual()
    again.step()
    again.step()
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(path.read_text().splitlines(keepends=True)[:7]) + '{"step": 3, "tor')
    resumed = RegionTracker(again, PLANES, [0, 2, 3], threads=1, path=cut, resume=True, start=2)
    assert resumed.table() == rows[:6]
    again.step()
    resumed.step(epoch=1.5)
    assert without_seconds(resumed.table()) == without_seconds(read_rows(cut)) == without_seconds(rows)
    assert tracker.save(tmp_path / "rows.csv").read_text().count("\n") == 10
    assert tracker.to_pandas()["neurons"].tolist() == [12] * 9


def test_laws_a_function_is_its_module():
    """Whether it gives the module or the network that is read from it; `fit` takes it too."""
    tables = []
    for given in (lambda model: model, lambda model: lambda: model, lambda model: lambda: creases.load(model)):
        model = model_of()
        tracker = RegionTracker(given(model), SQUARE, threads=1)
        train(model, tracker, 3)
        tables.append(without_seconds(tracker.table()))
    assert tables[0] == tables[1] == tables[2]
    task = digits_task()
    watched = he_network([64, 4, 10], bias_std=0.1)
    line = creases.Segment([0.0] * 64, [1.0] * 64)
    tracker = RegionTracker(lambda: creases.load(watched).with_argmax(), line, [0, 11], threads=1)
    fit(watched, task, Settings(epochs=1), tracker)
    assert [row["step"] for row in tracker.table()] == [0, 11]
    assert {row["neurons"] for row in tracker.table()} == {5}


def test_known_a_network_without_neurons():
    line = build.network(build.dense(build.input(2), [[1.0, 2.0]]))
    (row,) = RegionTracker(lambda: line, SQUARE, threads=1).table()
    assert (row["regions"], row["by_layer"], row["regions_per_neurons_squared"]) == (1, [], None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: 7, "must return a Network, .* or a torch.nn.Module; it returned a int"),
        ("net.onnx", "needs a torch.nn.Module, or a function without arguments .*; got a str"),
        (torch.nn.Linear, "got a type"),
    ],
)
def test_bad_input_functions(model, message):
    with pytest.raises(TrainingError, match=message):
        RegionTracker(model, SQUARE)


def test_bad_input_model():
    with pytest.raises(
        TrainingError, match=r"needs a torch.nn.Module, or a function .*; got a Network\. .*creases\.count"
    ):
        RegionTracker(creases.load(model_of()), SQUARE)
    model = model_of()
    model[0].weight.data[0, 0] = float("nan")
    with pytest.raises(NetworkError, match="must be finite"):
        RegionTracker(model, SQUARE)


@pytest.mark.parametrize(
    ("every", "message"),
    [
        (0, r"at least 1 step, or a sequence of steps such as \[0, 10, 100\]; got 0"),
        (-1, "whole number of steps, at least 0, or hold such; got -1"),
        (0.5, "got 0.5"),
        (True, "got True"),
        ("ten", "got 'ten'"),
        ([], "every is empty"),
        ([1, -2], "got -2"),
    ],
)
def test_bad_input_every(every, message):
    with pytest.raises(TrainingError, match=message):
        RegionTracker(model_of(), SQUARE, every)


def test_bad_input_domains():
    with pytest.raises(DomainError, match=r"lies in a space of 3 inputs, but .* takes 2"):
        RegionTracker(model_of(), [SQUARE, creases.Segment([0, 0, 0], [1, 1, 1])], [100])  # before any is counted
    with pytest.raises(TrainingError, match="at least one domain to count on, got none"):
        RegionTracker(model_of(), [])
    with pytest.raises(DomainError, match="got int"):
        RegionTracker(model_of(), 7)


def test_bad_input_files(tmp_path):
    path = tmp_path / "rows.jsonl"
    model = model_of()
    train(model, RegionTracker(model, SQUARE, threads=1, path=path), 2)
    before = path.read_text()
    with pytest.raises(TrainingError, match=r"rows.jsonl exists\. Pass resume=True"):
        RegionTracker(model_of(), SQUARE, path=path)
    with pytest.raises(TrainingError, match="resume=True goes on with a file; give its path"):
        RegionTracker(model_of(), SQUARE, resume=True)
    with pytest.raises(TrainingError, match=r"rows of something else \(names, domains differ\)"):
        RegionTracker(model_of(), LINE, path=path, resume=True)
    with pytest.raises(TrainingError, match=r"Step 0 has been counted already, for other weights"):
        RegionTracker(model_of(seed=1), SQUARE, path=path, resume=True)
    assert path.read_text() == before
    path.write_text(before.replace("regions", 'reg"ions', 1))
    with pytest.raises(TrainingError, match="line 2, is not what a tracker writes"):
        read_rows(path)
    with pytest.raises(TrainingError, match="cannot be read"):
        read_rows(tmp_path / "none.jsonl")
    with pytest.raises(TrainingError, match=r"saved as \.csv or \.json, got 't.xlsx'"):
        RegionTracker(model_of(), SQUARE, threads=1).save(tmp_path / "t.xlsx")


def test_bad_input_missing_packages(monkeypatch):
    tracker = RegionTracker(model_of(), SQUARE, threads=1)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'creases\[pandas\]'"):
        tracker.to_pandas()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'creases\[torch\]'"):
        RegionTracker(None, SQUARE)
    with pytest.raises(MissingExtraError, match=r"Training needs the package 'torch'"):
        he_network([2, 3, 1])


def test_house_import_brings_in_nothing_optional():
    code = (
        "import sys; from creases.training import RegionTracker, digits_task; import creases.theory;"
        "print([m for m in ('torch', 'sklearn', 'mlxtend', 'pandas', 'numba', 'matplotlib') if m in sys.modules])"
    )
    result = python(code)
    assert result.stdout.strip() == "[]"
