"""The settings of a training: plain values that determine every step."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from creases.training.errors import TrainingError
from creases.training.tasks import Task

if TYPE_CHECKING:
    import torch

__all__ = ["PAPER_EPOCHS", "SGD", "Adam", "Optimiser", "Settings"]

# The epochs at which the paper's curves have points (Hanin and Rolnick 2019, section 3.2); for `Settings.steps_at`.
PAPER_EPOCHS = (0, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 6, 8, 10, 15, 20)


class Optimiser(Protocol):
    """The protocol of optimisers: `build` returns a torch optimiser, and the repr contains all settings."""

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """A new torch optimiser of these parameters."""


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015).

    lr : learning rate, > 0. betas : decay rates of the two averages, each in [0, 1).
    weight_decay : decoupled weight decay, as in AdamW (Loshchilov and Hutter 2019), at least 0.
    Raises TrainingError if a number is out of its range.
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_rate(self.lr)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise TrainingError(f"betas must be two numbers in [0, 1), got {self.betas}.")
        check_decay(self.weight_decay)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """A new torch optimiser of these parameters."""
        import torch

        if self.weight_decay == 0:
            return torch.optim.Adam(parameters, lr=self.lr, betas=self.betas)
        return torch.optim.AdamW(parameters, lr=self.lr, betas=self.betas, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent.

    lr : learning rate, > 0. momentum : in [0, 1). weight_decay : at least 0.
    Raises TrainingError if a number is out of its range.
    """

    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_rate(self.lr)
        if not 0 <= self.momentum < 1:
            raise TrainingError(f"momentum must lie in [0, 1), got {self.momentum}.")
        check_decay(self.weight_decay)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """A new torch optimiser of these parameters."""
        import torch

        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)


def check_rate(lr: float) -> None:
    """Raise TrainingError unless the learning rate is finite and positive."""
    if not (isfinite(lr) and lr > 0):
        raise TrainingError(f"The learning rate must be finite and positive, got {lr}.")


def check_decay(weight_decay: float) -> None:
    """Raise TrainingError unless the weight decay is finite and not negative."""
    if not (isfinite(weight_decay) and weight_decay >= 0):
        raise TrainingError(f"weight_decay must be finite and at least 0, got {weight_decay}.")


@dataclass(frozen=True)
class Settings:
    """The settings of a training. The defaults are those of Hanin and Rolnick (2019), section 3.2.

    optimiser : `Adam(...)`, `SGD(...)`, or any object with the same `build`.
    batch_size : examples per step. An incomplete batch at the end of an epoch is skipped (468 steps of 128 from 60,000
        in the paper); a task smaller than a batch is one batch.
    epochs : integer, at least 0.
    seed : seed of the order of the examples, which changes every epoch.
    threads : number of torch threads during the training; results may depend on it in the last bit.
    Raises TrainingError if a number is out of its range.

    Examples
    --------
    >>> Settings(epochs=5, optimiser=SGD(lr=0.1))
    Settings(optimiser=SGD(lr=0.1, momentum=0.0, weight_decay=0.0), batch_size=128, epochs=5, seed=0, threads=1)
    """

    optimiser: Optimiser = field(default_factory=Adam)
    batch_size: int = 128
    epochs: int = 20
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("epochs", 0), ("seed", 0), ("threads", 1)):
            value = getattr(self, name)
            number = operator.index(value) if hasattr(value, "__index__") else -1
            if isinstance(value, bool) or number < least:
                raise TrainingError(f"{name} must be a whole number, at least {least}; got {value!r}.")
            object.__setattr__(self, name, number)
        if not callable(getattr(self.optimiser, "build", None)):
            raise TrainingError(f"optimiser must be Adam(...), SGD(...) or alike, got {self.optimiser!r}.")

    def steps_per_epoch(self, task: Task) -> int:
        """Optimiser steps in an epoch of this task, at least 1."""
        return max(1, len(task.train_inputs) // self.batch_size)

    def steps_at(self, epochs: Iterable[float], task: Task) -> list[int]:
        """The steps nearest to these epochs, sorted and without repetitions, for `every` of a `RegionTracker`.

        Examples
        --------
        >>> from creases.training import digits_task
        >>> Settings(batch_size=64).steps_at(PAPER_EPOCHS, digits_task())
        [0, 1, 3, 6, 11, 22, 44, 88, 132, 176, 220, 330, 440]
        """
        per_epoch = self.steps_per_epoch(task)
        return sorted({round(epoch * per_epoch) for epoch in epochs})
