"""MNIST's own files: what is read, and what is refused by name."""

import gzip

import numpy as np
import pytest

from creases.training import TrainingError, idx_task, read_idx


def idx_bytes(array, kind=0x08):
    """An array of bytes as an idx file has it."""
    head = bytes([0, 0, kind, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    """Six training images of 2 x 3 pixels and two of the test, one file of the four packed."""
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 6), ("t10k", 2)):
        images, labels = rng.integers(0, 256, (count, 2, 3)), rng.integers(0, 10, count)
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    return tmp_path


def test_known_task(folder):
    task = idx_task(folder)
    assert (len(task.train_inputs), len(task.test_inputs), task.n_in, task.input_shape) == (6, 2, 6, (2, 3))
    raw = read_idx(folder / "train-images-idx3-ubyte")
    assert raw.shape == (6, 2, 3)
    assert np.array_equal(task.train_inputs, (raw.reshape(6, 6) / 255).astype(np.float32))
    assert np.array_equal(task.test_labels, read_idx(folder / "t10k-labels-idx1-ubyte.gz"))
    assert idx_task(folder).sha256 == task.sha256


def test_known_names_with_dots(folder):
    (folder / "train-images-idx3-ubyte").rename(folder / "train-images.idx3-ubyte")
    assert len(idx_task(folder).train_inputs) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], r"train-images-idx3-ubyte has 35 numbers where its head says 6 x 2 x 3 = 36"),
        (lambda data: data + b"\0", r"has 37 numbers where"),
        (lambda data: data[:6], r"has 0 numbers where its head says 0.* truncated"),
        (lambda data: b"", r"is not an idx file: it begins with nothing"),
        (lambda data: b"PK\3\4" + data[4:], r"is not an idx file: it begins with 50 4b 03 04"),
        (lambda data: data[:2] + b"\x0d" + data[3:], r"holds idx numbers of type 0x0d"),
        (lambda data: b"\x1f\x8b" + data, r"is damaged inside its gzip"),
        (lambda data: gzip.compress(data)[:-9], r"is damaged inside its gzip"),
        (lambda data: idx_bytes(np.zeros((6, 0, 3))), r"train-images-idx3-ubyte holds no pixels: .* 6 x 0 x 3"),
        (lambda data: idx_bytes(np.zeros((5, 2, 3))), r"has 5 images but .*train-labels.* 6 labels"),
        (lambda data: idx_bytes(np.zeros(6)), r"must have three axes and .* one; they have 1 and 1"),
    ],
)
def test_bad_input_images(folder, change, message):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(TrainingError, match=message):
        idx_task(folder)


def test_bad_input_labels(folder):
    path = folder / "train-labels-idx1-ubyte.gz"
    path.write_bytes(idx_bytes(np.array([0, 1, 11, 2, 3, 4])))
    with pytest.raises(TrainingError, match="label 2 is 11, and there are 10 classes, 0 to 9"):
        idx_task(folder)
    path.unlink()
    with pytest.raises(TrainingError, match=r"has no file train-labels-idx1-ubyte, nor train-labels-idx1-ubyte\.gz"):
        idx_task(folder)
