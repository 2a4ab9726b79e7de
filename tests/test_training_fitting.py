"""Training: it learns, the same seeds give the same bits, and it can be stopped anywhere and go on."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass

import numpy as np
import pytest

import creases
from children import LONGEST
from creases.errors import MissingExtraError
from creases.training import (
    PAPER_EPOCHS,
    SGD,
    Adam,
    RegionTracker,
    Settings,
    TrainingError,
    digits_task,
    fit,
    he_network,
    planes_through_origin,
    random_points_task,
    read_rows,
    with_label_noise,
)

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

DIGITS = digits_task()
PLANE = planes_through_origin(DIGITS, 1)
SHORT = Settings(epochs=2)  # of 11 steps


def model_of(seed=0):
    return he_network([64, 8, 8, 10], seed=seed)


def hash_of(model):
    return creases.load(model).sha256


def trained(settings=SHORT, task=DIGITS, seed=0, **options):
    model = model_of(seed)
    history = fit(model, task, settings, **options)
    return model, history


def test_known_digits_are_learned():
    model = he_network([64, 32, 32, 10], seed=0)
    ends = []
    history = fit(model, DIGITS, Settings(epochs=60), on_epoch=ends.append)
    assert [row["epoch"] for row in history.rows] == list(range(61))
    assert history.last["train_accuracy"] > 0.97
    assert history.last["test_accuracy"] > 0.95
    assert history.rows[0]["loss"] == pytest.approx(np.log(10), abs=1.5)
    assert ends == history.table()[1:]


def test_known_settings_of_the_paper():
    settings = Settings()
    assert (settings.optimiser, settings.batch_size, settings.epochs) == (Adam(lr=1e-3), 128, 20)
    assert settings.steps_per_epoch(DIGITS) == 11  # 1,438 examples: 11 whole batches
    assert settings.steps_per_epoch(random_points_task(5)) == 1
    assert Settings(batch_size=44).steps_at(PAPER_EPOCHS, DIGITS)[:7] == [0, 1, 2, 4, 8, 16, 32]


def test_known_loss_and_accuracy():
    model, history = trained()
    network = creases.load(model)
    scores = network.forward(DIGITS.train_inputs)
    norms = np.log(np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)) + scores.max(axis=1)
    losses = norms - scores[np.arange(len(scores)), DIGITS.train_labels]
    assert history.last["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    right = network.forward(DIGITS.test_inputs).argmax(axis=1) == DIGITS.test_labels
    assert history.last["test_accuracy"] == pytest.approx(right.mean(), abs=1e-9)


def test_laws_random_points_are_learned_by_heart():
    task = random_points_task(30, seed=1)
    model = he_network([2, 32, 32, 2], seed=0)
    history = fit(model, task, Settings(optimiser=Adam(lr=1e-2), epochs=300, batch_size=30))
    assert history.last["train_accuracy"] > 0.9
    assert history.last["test_accuracy"] is None


@pytest.mark.parametrize("optimiser", [Adam(), SGD(lr=0.05, momentum=0.9)])
def test_laws_seeds_fix_every_bit(optimiser):
    settings = Settings(optimiser=optimiser, epochs=2)
    first, history = trained(settings)
    torch.manual_seed(12345)  # what torch drew before does not matter
    torch.rand(7)
    second, again = trained(settings)
    assert hash_of(first) == hash_of(second)
    assert history.rows == again.rows
    hashes = {
        hash_of(first),
        hash_of(trained(settings, seed=1)[0]),
        hash_of(trained(Settings(optimiser=optimiser, epochs=2, seed=1))[0]),
        hash_of(trained(settings, task=with_label_noise(DIGITS, 0.5))[0]),
    }
    assert len(hashes) == 4


def test_laws_the_callers_torch_is_left_alone():
    model = torch.nn.Sequential(*model_of()[:2], torch.nn.Dropout(0.5), *model_of()[2:])
    model.eval()
    model[2].train()
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    fit(model, DIGITS, Settings(epochs=1))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    assert [module.training for module in model] == [False, False, True, False, False, False]


def test_laws_a_tracker_changes_nothing_and_shares_the_moments(tmp_path):
    alone, history = trained()
    model = model_of()
    tracker = RegionTracker(model, PLANE, [0, 1, 5, 11, 22], threads=1)
    tracked = fit(model, DIGITS, SHORT, tracker, tmp_path)
    assert hash_of(model) == hash_of(alone)
    assert [row["step"] for row in tracked.rows] == [0, 1, 5, 11, 22]
    assert [row for row in tracked.rows if row["step"] % 11 == 0] == history.rows
    rows = tracker.table()
    assert [(row["step"], row["epoch"]) for row in rows] == [(s, s / 11) for s in (0, 1, 5, 11, 22)]
    for row in rows:  # the checkpoint of a count is the network that was counted
        network = creases.load(tmp_path / f"step_{row['step']:06d}.npz")
        assert network.sha256 == row["network"]
        assert creases.count(network, PLANE[0], threads=1).regions == row["regions"]
    assert sorted(file.name for file in tmp_path.glob("*.pt")) == ["step_000011.pt", "step_000022.pt"]
    assert not list(tmp_path.glob(".partial*"))


def test_laws_checkpoints_every_so_many_epochs(tmp_path):
    trained(Settings(epochs=5), checkpoints=tmp_path / "new" / "folder", checkpoint_epochs=2)
    names = sorted(file.stem for file in (tmp_path / "new" / "folder").glob("*.npz"))
    assert names == ["step_000000", "step_000022", "step_000044", "step_000055"]


@dataclass(frozen=True)
class Interrupting:
    """Adam that is met by Ctrl-C in the middle of a step, every weight but the first unmoved."""

    step: int

    def build(self, parameters):
        inner = Adam().build(parameters)
        taken, step = [0], inner.step

        def interrupted_step():
            taken[0] += 1
            if taken[0] == self.step:
                signal.raise_signal(signal.SIGINT)
            return step()

        inner.step = interrupted_step
        return inner

    def __repr__(self):
        return repr(Adam())  # for the checkpoint: the same training


@pytest.mark.parametrize("step", [1, 7, 11, 15])
def test_laws_ctrl_c_within_a_step_leaves_a_whole_one(tmp_path, step):
    whole, history = trained()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trained(Settings(optimiser=Interrupting(step), epochs=2), checkpoints=tmp_path)
    assert (tmp_path / f"step_{step:06d}.pt").exists()
    assert signal.getsignal(signal.SIGINT) is handler
    model, resumed = trained(checkpoints=tmp_path, resume=True)
    assert hash_of(model) == hash_of(whole)
    assert resumed.rows == history.rows


def test_laws_ctrl_c_within_a_count(tmp_path, monkeypatch):
    whole, history = trained()
    path, folder = tmp_path / "rows.jsonl", tmp_path / "checkpoints"
    import creases.training.tracker as home

    count_many, calls = home.count_many, []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:  # steps 0, 4, 8
            raise KeyboardInterrupt
        return count_many(*arguments, **options)

    monkeypatch.setattr(home, "count_many", interrupted)
    model = model_of()
    with pytest.raises(KeyboardInterrupt):
        fit(model, DIGITS, SHORT, RegionTracker(model, PLANE, 4, path=path, threads=1), folder)
    assert [row["step"] for row in read_rows(path)] == [0, 4]
    model = model_of()
    tracker = RegionTracker(model, PLANE, 4, path=path, resume=True, threads=1)
    resumed = fit(model, DIGITS, SHORT, tracker, folder, resume=True)
    assert [row["step"] for row in read_rows(path)] == [0, 4, 8, 12, 16, 20]
    assert len(calls) == 3 + 4  # nothing is counted twice
    assert hash_of(model) == hash_of(whole)
    assert [row for row in resumed.rows if row["step"] % 11 == 0] == history.rows


KILLED = """
import os, signal, sys
from test_training_fitting import *

def kill(rows):
    if rows[0]["step"] == 15:
        os.kill(os.getpid(), signal.SIGKILL)

model = model_of()
tracker = RegionTracker(model, PLANE, 5, path=sys.argv[1] + "/rows.jsonl", threads=1, on_count=kill)
fit(model, DIGITS, SHORT, tracker, sys.argv[1] + "/checkpoints")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_laws_kill_nine_loses_nothing(tmp_path):
    here = os.path.dirname(__file__)
    result = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=here, check=False, timeout=LONGEST)
    assert result.returncode == -signal.SIGKILL
    counted = read_rows(tmp_path / "rows.jsonl")
    assert [row["step"] for row in counted] == [0, 5, 10, 15]
    model, heard = model_of(), []
    tracker = RegionTracker(
        model, PLANE, 5, path=tmp_path / "rows.jsonl", resume=True, threads=1, on_count=heard.extend
    )
    resumed = fit(model, DIGITS, SHORT, tracker, tmp_path / "checkpoints", resume=True)
    assert [row["step"] for row in heard] == [20]
    assert tracker.table()[:4] == counted
    whole, history = trained()
    assert hash_of(model) == hash_of(whole)
    assert [row for row in resumed.rows if row["step"] % 11 == 0] == history.rows


def test_laws_more_epochs_go_on_where_fewer_ended(tmp_path):
    whole, history = trained(Settings(epochs=3))
    trained(Settings(epochs=1), checkpoints=tmp_path)
    model, resumed = trained(Settings(epochs=3), checkpoints=tmp_path, resume=True)
    assert hash_of(model) == hash_of(whole)
    assert resumed.rows == history.rows
    again, same = trained(Settings(epochs=3), checkpoints=tmp_path, resume=True)  # nothing left to do
    assert hash_of(again) == hash_of(whole)
    assert same.rows == history.rows


def test_laws_dropout_goes_on_too(tmp_path):
    def dropping():
        layers = model_of()
        return torch.nn.Sequential(*layers[:2], torch.nn.Dropout(0.3), *layers[2:])

    whole, parts = dropping(), dropping()
    fit(whole, DIGITS, SHORT)
    fit(parts, DIGITS, Settings(epochs=1), checkpoints=tmp_path)
    rest = dropping()
    fit(rest, DIGITS, SHORT, checkpoints=tmp_path, resume=True)
    assert hash_of(rest) == hash_of(whole)


def test_laws_history_on_the_disk(tmp_path):
    pandas = pytest.importorskip("pandas")
    _model, history = trained()
    frame = history.to_pandas()
    assert frame["step"].tolist() == [0, 11, 22]
    pandas.testing.assert_frame_equal(pandas.read_csv(history.save(tmp_path / "h.csv")), frame)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(lr=0), "learning rate must be finite and positive, got 0"),
        (lambda: SGD(lr=float("nan")), "learning rate must be finite and positive, got nan"),
        (lambda: SGD(momentum=1.0), r"momentum must lie in \[0, 1\), got 1.0"),
        (lambda: Adam(betas=(0.9, 1.0)), "betas must be two numbers"),
        (lambda: Settings(batch_size=0), "batch_size must be a whole number, at least 1; got 0"),
        (lambda: Settings(epochs=1.5), "epochs must be a whole number, at least 0; got 1.5"),
        (lambda: Settings(optimiser="adam"), r"must be Adam\(...\), SGD\(...\) or alike, got 'adam'"),
    ],
)
def test_bad_input_settings(make, message):
    with pytest.raises(TrainingError, match=message):
        make()


def test_bad_input_parts_that_do_not_fit(tmp_path):
    with pytest.raises(TrainingError, match="does not take the 64 inputs of Task"):
        fit(he_network([5, 3, 10]), DIGITS)
    with pytest.raises(TrainingError, match=r"outputs of shape \(1, 7\) .* needs \(1, 10\), a score a class"):
        fit(he_network([64, 3, 7]), DIGITS)
    with pytest.raises(TrainingError, match="have parameters, all of them on the CPU"):
        fit(torch.nn.Sequential(torch.nn.ReLU()), DIGITS)
    model = model_of()
    with pytest.raises(TrainingError, match="watches another model"):
        fit(model_of(), DIGITS, SHORT, RegionTracker(model, PLANE, [99]))
    tracker = RegionTracker(model, PLANE, [99])
    tracker.step()
    with pytest.raises(TrainingError, match="tracker is at step 1 but the training begins at step 0"):
        fit(model, DIGITS, SHORT, tracker)
    with pytest.raises(TrainingError, match="checkpoint_epochs must be at least 1, got 0"):
        trained(checkpoints=tmp_path, checkpoint_epochs=0)


def test_bad_input_divergence():
    with pytest.raises(TrainingError, match=r"has diverged\. Lower the learning rate of SGD\(lr=1e\+30"):
        trained(Settings(optimiser=SGD(lr=1e30), epochs=5))


def test_bad_input_checkpoints(tmp_path):
    with pytest.raises(TrainingError, match=r"resume=True goes on from a checkpoint; give the folder"):
        trained(resume=True)
    trained(checkpoints=tmp_path)
    with pytest.raises(TrainingError, match=r"holds checkpoints up to step 22\. Pass resume=True"):
        trained(checkpoints=tmp_path)
    with pytest.raises(TrainingError, match=r"of another training: .*seed was 0, is 1"):
        trained(Settings(epochs=2, seed=1), checkpoints=tmp_path, resume=True)
    with pytest.raises(TrainingError, match="of another training: task was"):
        trained(task=with_label_noise(DIGITS, 0.5), checkpoints=tmp_path, resume=True)
    with pytest.raises(TrainingError, match="beyond the last step 11 of 1 epochs"):
        trained(Settings(epochs=1), checkpoints=tmp_path, resume=True)
    with pytest.raises(TrainingError, match="of a model of another shape"):
        fit(he_network([64, 9, 8, 10]), DIGITS, SHORT, checkpoints=tmp_path, resume=True)
    last = tmp_path / "step_000022.pt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"step_000022\.pt cannot be read: .*Delete it to go on from the step"):
        trained(checkpoints=tmp_path, resume=True)
    last.unlink()
    assert trained(checkpoints=tmp_path, resume=True)[1].last["step"] == 22
    # The first format went with another order of examples: its steps could not be repeated.
    for former in ({"format": "other"}, {**torch.load(last, weights_only=False), "format": "creases-checkpoint-1"}, []):
        torch.save(former, last)
        with pytest.raises(
            TrainingError, match=r"not a checkpoint of this version of the program, .* bit for bit\. Choose"
        ):
            trained(checkpoints=tmp_path, resume=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be made a folder of checkpoints"):
        trained(checkpoints=tmp_path / "file")


def test_bad_input_missing_torch(monkeypatch):
    model = model_of()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'creases\[torch\]'"):
        fit(model, DIGITS)


def test_laws_resuming_from_nothing_begins_and_threads_are_welcome(tmp_path):
    results = []
    thread = threading.Thread(target=lambda: results.append(trained(checkpoints=tmp_path, resume=True)))
    thread.start()
    thread.join(LONGEST)
    assert hash_of(results[0][0]) == hash_of(trained()[0])
