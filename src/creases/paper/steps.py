"""The authors' length of training in optimiser steps, and the epochs with the same number of steps on other data.

They train 20 epochs on 60,000 images, 468 batches of 128 each: 9,360 steps. With fewer images an epoch has fewer steps,
so the same number of epochs is not the same training.
Source: Hanin and Rolnick, NeurIPS 2019, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from creases.paper.choices import Fewer, IdxFiles, LabelNoise, Mnist, PixelNoise, RandomPoints, TaskChoice, task_of
from creases.paper.figure import Data, Size, TableLine
from creases.training import PAPER_EPOCHS

__all__ = [
    "AUTHORS_EPOCH",
    "AUTHORS_HEART",
    "AUTHORS_MOMENTS",
    "AUTHORS_STEPS",
    "BATCH",
    "authors_epochs",
    "examples_of",
    "moments_at",
    "steps_done",
    "steps_per_epoch",
    "whole_epochs",
]

BATCH = 128
AUTHORS_EPOCH = 468
AUTHORS_STEPS = 20 * AUTHORS_EPOCH
# They memorise noise for 200 epochs, also for counts along lines; no figure is known to have a longer training.
AUTHORS_HEART = 200 * AUTHORS_EPOCH
# Whole epochs of 31 batches (4,000 images) with at least as many steps as their epochs 1 and 20: 496 and 9,362.
OF_FEWER = (16, 302)
# The steps at which the authors' curves have points.
AUTHORS_MOMENTS = tuple(round(epoch * AUTHORS_EPOCH) for epoch in PAPER_EPOCHS)


def examples_of(choice: TaskChoice) -> int:
    """The number of training examples of a task, which is created only if its choice does not contain the number."""
    match choice:
        case RandomPoints(points=points):
            return points
        case Fewer(examples=examples):
            return examples
        case LabelNoise(of=of) | PixelNoise(of=of):
            return examples_of(of)
        case Mnist():
            return 4000
        case _:
            return len(task_of(choice, 0).train_inputs)


def steps_per_epoch(choice: TaskChoice, batch: int = BATCH) -> int:
    """The number of batches in an epoch: an incomplete batch is left out, and a task smaller than a batch is one
    batch."""
    return max(examples_of(choice) // batch, 1)


def whole_epochs(steps: int, choice: TaskChoice) -> float:
    """The smallest number of whole epochs with at least this many steps."""
    return float(ceil(steps / steps_per_epoch(choice)))


def moments_at(steps: Sequence[int], choice: TaskChoice) -> tuple[float, ...]:
    """Moments of an experiment, in epochs, after these numbers of steps; the last is rounded up to a whole epoch.

    steps : increasing.

    Examples
    --------
    >>> moments_at((0, 62, 9360), Mnist())
    (0.0, 2.0, 302.0)
    """
    per_epoch = steps_per_epoch(choice)
    return (*(step / per_epoch for step in steps[:-1]), whole_epochs(steps[-1], choice))


def authors_epochs(size: Size) -> tuple[int, int]:
    """The epochs on this size's images with as many steps as the authors' epochs 1 and 20."""
    return (1, 20) if size.rank == 2 or isinstance(size.images, IdxFiles) else OF_FEWER


def steps_done(data: Data, line: TableLine, epoch: float) -> float:
    """The number of optimiser steps of a line's runs up to this epoch."""
    epochs = line.experiment.epochs
    return data.steps(line) * epoch / epochs if epochs else 0.0
