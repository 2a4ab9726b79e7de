"""The files of MNIST and of datasets in the same format (Fashion-MNIST, EMNIST): idx, plain or gzip.

A file contains four bytes (0, 0, type of the numbers, number of axes), the lengths of the axes as big-endian 32-bit
integers, then the numbers. Only unsigned bytes, the type of images and labels, are read. Before an array is made, the
length of the file is compared with its header. Source: LeCun, Cortes and Burges (1998), the MNIST database.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creases.training.errors import TrainingError
from creases.training.tasks import Task

__all__ = ["idx_task", "read_idx"]

UNSIGNED_BYTES = 0x08
MOST_AXES = 4
PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Read the array of an idx file of unsigned bytes, plain or gzip.

    Raises TrainingError if the file is missing, not an idx file, of another number type, or of another length than its
    header says.
    """
    path = Path(path)
    data = content(path)
    if len(data) < 4 or data[:2] != b"\0\0" or not 1 <= data[3] <= MOST_AXES:
        raise TrainingError(f"{path} is not an idx file: it begins with {data[:4].hex(' ') or 'nothing'}.")
    if data[2] != UNSIGNED_BYTES:
        raise TrainingError(f"{path} holds idx numbers of type 0x{data[2]:02x}; images and labels are of type 0x08.")
    begin = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, begin, 4))
    if len(data) < begin or len(data) - begin != math.prod(shape):
        raise TrainingError(
            f"{path} has {max(len(data) - begin, 0):,} numbers where its head says {' x '.join(map(str, shape))} = "
            f"{math.prod(shape):,}: it is truncated or damaged. Get it again."
        )
    return np.frombuffer(data, np.uint8, offset=begin).reshape(shape)


def content(path: Path) -> bytes:
    """All bytes of a file, uncompressed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}.") from error
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise TrainingError(f"{path} is damaged inside its gzip: {error}. Get it again.") from error


def idx_task(folder: str | os.PathLike[str], *, classes: int = 10) -> Task:
    """The task in a folder with the four files of MNIST or Fashion-MNIST, plain or gzip.

    folder : contains train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte
        (a dot in place of the dash before idx is accepted), each with or without .gz. The task has the name of the
        folder.
    classes : number of classes; labels lie in 0 ... classes - 1.
    Pixels are divided by 255. Training and test set are those of the files.
    Raises TrainingError, with the name of the file, if one is missing, damaged or empty, if the numbers of images and
    labels differ, or a label is out of range.
    """
    folder = Path(folder)
    parts = {}
    for part, prefix in PARTS.items():
        images_at = file_of(folder, f"{prefix}-images", "idx3-ubyte")
        labels_at = file_of(folder, f"{prefix}-labels", "idx1-ubyte")
        images, labels = read_idx(images_at), read_idx(labels_at)
        if images.ndim != 3 or labels.ndim != 1:
            raise TrainingError(
                f"{images_at} must have three axes and {labels_at} one; they have {images.ndim} and {labels.ndim}."
            )
        if len(images) != len(labels):
            raise TrainingError(f"{images_at} has {len(images):,} images but {labels_at} {len(labels):,} labels.")
        if images.size == 0:
            raise TrainingError(f"{images_at} holds no pixels: its head says {' x '.join(map(str, images.shape))}.")
        if labels.max() >= classes:
            where = int(np.argmax(labels >= classes))
            raise TrainingError(
                f"{labels_at}: label {where} is {labels[where]}, and there are {classes} classes, 0 to {classes - 1}."
            )
        parts[part] = (images, labels.astype(np.int64))
    shape = parts["train"][0].shape[1:]

    def inputs(part: str) -> NDArray[np.float32]:
        images = parts[part][0]
        return (images.reshape(len(images), -1) / 255).astype(np.float32)

    return Task(
        name=folder.resolve().name,
        train_inputs=inputs("train"),
        train_labels=parts["train"][1],
        test_inputs=inputs("test"),
        test_labels=parts["test"][1],
        classes=classes,
        input_shape=shape,
        seed=0,
        provenance=f"idx files of the folder {folder.resolve().name}, their own split; pixels / 255",
    )


def file_of(folder: Path, stem: str, ending: str) -> Path:
    """The file with this name, in one of its usual spellings."""
    names = [f"{stem}{dot}{ending}{packed}" for dot in "-." for packed in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise TrainingError(
        f"{folder} has no file {names[0]}, nor {names[1]}. Give the folder with the four files of MNIST, or of "
        "Fashion-MNIST."
    )
