"""Train a small classifier reproducibly, so that the same seeds give the same bits, and so that it can be interrupted
and resumed.

The order of the examples in epoch e is drawn from (seed, e) alone, so the training depends on no state of a random
generator. A step is either complete or not done at all; checkpoints hold the state between two steps. "The same bits"
assumes the same type of machine, the same torch version and the same `Settings.threads`.

At step 0, at steps at which the tracker counts, and at the end of an epoch, this happens in order: losses and
accuracies are measured, the checkpoint is written, the tracker counts. So the checkpoint is never older than the table
(unless `checkpoint_epochs` asks for fewer), and after kill -9 no count has to be repeated.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from creases.interrupts import uninterrupted
from creases.readers.torch.module import is_module
from creases.streams import stream
from creases.training.checkpoints import Folder
from creases.training.errors import DivergedError, TrainingError, need_torch
from creases.training.files import Row
from creases.training.history import History
from creases.training.settings import Settings
from creases.training.tasks import Task

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Tracker", "fit"]


class Tracker(Protocol):
    """The protocol of objects that `fit` notifies of every step, such as a `RegionTracker`.

    model : the module, or a function that returns the network. at : the current step.
    """

    at: int

    @property
    def model(self) -> object:
        """The module, or a function that returns the network."""

    def is_due(self, step: int) -> bool:
        """Whether it measures at this step."""

    def step(self, epoch: float | None = None) -> object:
        """Called after each step of the optimiser."""

    def resume_at(self, step: int, epoch: float | None = None) -> None:
        """Called after the model has been reset to its state after `step`."""


def fit(
    model: nn.Module,
    task: Task,
    settings: Settings | None = None,
    tracker: Tracker | None = None,
    checkpoints: str | os.PathLike[str] | None = None,
    *,
    checkpoint_epochs: int | None = None,
    on_epoch: Callable[[Row], object] | None = None,
    resume: bool = False,
) -> History:
    """Train `model` in place on `task` with softmax cross-entropy.

    model : a torch module from inputs of shape (b, n_in) to scores of shape (b, classes), on the CPU.
    settings : None means `Settings()`, the settings of Hanin and Rolnick (2019).
    tracker : a `RegionTracker` of this model, or another `Tracker`; its `step` is called after each optimiser step.
    checkpoints : a folder for checkpoints of step 0, the last step, and the steps at which the tracker counts (without
        a tracker, the end of each epoch); see `checkpoints.py`. Ctrl-C saves the current step and is raised again.
    checkpoint_epochs : save at the end of every so many epochs instead.
    on_epoch : called at the end of each epoch with its row of the history.
    resume : continue from the last checkpoint in the folder, if there is one, with bit for bit the same result as
        without interruption. Give the tracker its path and resume=True as well. `epochs` may be increased; the task and
        the other settings must be the same.
    Returns the `History`. The state of torch's global random generator, threads and modes is restored.
    Raises TrainingError if the arguments do not fit together or the folder belongs to another training, DivergedError
    if the loss is no longer finite, MissingExtraError if torch is not installed.
    """
    need_torch("Training")
    settings = settings or Settings()
    run = Run(model, task, settings, tracker, as_folder(checkpoints, resume), checkpoint_epochs, on_epoch)
    with reproducibly(model, settings):
        run.begin(resume)
        try:
            run.arrive()
            while run.step < run.last_step:
                run.advance()
                run.arrive()
        except KeyboardInterrupt:
            run.save()
            raise
        except DivergedError as error:
            error.history = run.history.rows
            raise
    return run.history


def as_folder(path: str | os.PathLike[str] | None, resume: bool) -> Folder | None:
    """The folder of checkpoints. Raises TrainingError if it contains some and `resume` is False."""
    if path is None:
        if resume:
            raise TrainingError("resume=True goes on from a checkpoint; give the folder: checkpoints=...")
        return None
    folder = Folder(path)
    if not resume and folder.steps():
        raise TrainingError(
            f"{folder.path} holds checkpoints up to step {folder.steps()[-1]}. Pass resume=True to go on from "
            "there, or another folder."
        )
    return folder


@contextmanager
def reproducibly(model: nn.Module, settings: Settings) -> Iterator[None]:
    """A context with torch's threads, algorithms and random numbers fixed; it restores the previous settings."""
    import torch

    training = {module: module.training for module in model.modules()}
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=[]):  # for a model with Dropout
        torch.manual_seed(settings.seed)
        torch.set_num_threads(settings.threads)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            torch.set_num_threads(threads)
            for module, was_training in training.items():
                module.training = was_training


class Run:
    """One training from its first to its last step; see `fit` for the arguments."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        settings: Settings,
        tracker: Tracker | None,
        folder: Folder | None,
        checkpoint_epochs: int | None,
        on_epoch: Callable[[Row], object] | None,
    ) -> None:
        # If the tracker's model is a function, its network cannot be compared with the model.
        if tracker is not None and tracker.model is not model and is_module(tracker.model):
            raise TrainingError("The tracker watches another model than the one that is trained.")
        if checkpoint_epochs is not None and checkpoint_epochs < 1:
            raise TrainingError(f"checkpoint_epochs must be at least 1, got {checkpoint_epochs}.")
        self.model, self.task, self.settings = model, task, settings
        self.tracker, self.folder, self.on_epoch = tracker, folder, on_epoch
        self.checkpoint_epochs = checkpoint_epochs
        self.train = as_tensors(model, task.train_inputs, task.train_labels)
        self.test = as_tensors(model, task.test_inputs, task.test_labels)
        check_scores(model, self.train[0][:1], task)
        self.optimiser = settings.optimiser.build(model.parameters())
        self.per_epoch = settings.steps_per_epoch(task)
        self.last_step = settings.epochs * self.per_epoch
        self.step = 0
        self.history = History()
        self._order = (-1, np.zeros(0, np.int64))  # (epoch, order of its examples)

    @property
    def epoch(self) -> float:
        """The number of epochs so far."""
        return self.step / self.per_epoch

    def begin(self, resume: bool) -> None:
        """Restore the last checkpoint, if `resume` is True and there is one."""
        state = self.folder.latest() if resume and self.folder is not None else None
        if state is not None:
            self.restore(state)
        if self.tracker is not None:
            if state is not None:
                self.tracker.resume_at(self.step, self.epoch)
            elif self.tracker.at != 0:
                raise TrainingError(
                    f"The tracker is at step {self.tracker.at} but the training begins at step 0. Make a new one."
                )

    def advance(self) -> None:
        """Take one step of the optimiser."""
        import torch

        epoch, place = divmod(self.step, self.per_epoch)
        if self._order[0] != epoch:
            rng = stream("order of examples", self.settings.seed, epoch)
            self._order = (epoch, rng.permutation(len(self.task.train_labels)))
        size = self.settings.batch_size
        chosen = torch.from_numpy(self._order[1][place * size : (place + 1) * size])
        inputs, labels = self.train
        self.model.train()
        with uninterrupted():
            loss = torch.nn.functional.cross_entropy(self.model(inputs[chosen]), labels[chosen])
            self.check_finite(float(loss.detach()))
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            self.step += 1

    def arrive(self) -> None:
        """After a step: measure, save and count, each if it is due."""
        at_end = self.step % self.per_epoch == 0
        counts = self.tracker is not None and self.tracker.is_due(self.step)
        row = None
        if (at_end or counts) and not any(row["step"] == self.step for row in self.history.rows):
            row = self.measure()
            self.history.rows.append(row)
        if self.is_saved_at(at_end, counts):
            self.save()
        if self.tracker is not None and self.tracker.at < self.step:
            self.tracker.step(self.epoch)
        if row is not None and at_end and self.step and self.on_epoch is not None:
            self.on_epoch(dict(row))

    def is_saved_at(self, at_end: bool, counts: bool) -> bool:
        """Whether this step gets a checkpoint."""
        if self.step in (0, self.last_step):
            return True
        if self.checkpoint_epochs is not None:
            return self.step % (self.checkpoint_epochs * self.per_epoch) == 0
        return counts if self.tracker is not None else at_end

    def measure(self) -> Row:
        """The row of the history for the present model."""
        loss, train_accuracy = self.evaluate(*self.train)
        test_accuracy = self.evaluate(*self.test)[1] if len(self.test[0]) else None
        self.check_finite(loss)
        return {
            "epoch": self.epoch,
            "step": self.step,
            "loss": loss,
            "train_accuracy": train_accuracy,
            "test_accuracy": test_accuracy,
        }

    def evaluate(self, inputs: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
        """Mean cross-entropy and accuracy."""
        import torch

        self.model.eval()
        with torch.no_grad():
            scores = self.model(inputs)
            loss = torch.nn.functional.cross_entropy(scores, labels)
            right = (scores.argmax(dim=1) == labels).sum()
        return float(loss), int(right) / len(labels)

    def check_finite(self, loss: float) -> None:
        """Raise DivergedError if the training has diverged."""
        if not isfinite(loss):
            raise DivergedError(
                f"The loss is {loss} at step {self.step}: the training has diverged. Lower the learning rate of "
                f"{self.settings.optimiser!r}."
            )

    def identity(self) -> dict[str, Any]:
        """The values that must be the same in a checkpoint and in the training that continues from it."""
        return {
            "task": self.task.sha256,
            "optimiser": repr(self.settings.optimiser),
            "batch_size": self.settings.batch_size,
            "seed": self.settings.seed,
            "threads": self.settings.threads,
        }

    def save(self) -> None:
        """Write the checkpoint of this step, if there is a folder for it."""
        import torch

        if self.folder is None:
            return
        state = {
            "identity": self.identity(),
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": torch.get_rng_state(),
            "history": self.history.rows,
        }
        with uninterrupted():
            self.folder.save(self.step, self.model, state)

    def restore(self, state: dict[str, Any]) -> None:
        """Return to the step of a checkpoint."""
        import torch

        mine, theirs = self.identity(), state["identity"]
        differing = [f"{key} was {theirs.get(key)}, is {mine[key]}" for key in mine if theirs.get(key) != mine[key]]
        if differing:
            raise TrainingError(f"The checkpoints are of another training: {'; '.join(differing)}.")
        if state["step"] > self.last_step:
            raise TrainingError(
                f"The checkpoints go to step {state['step']}, beyond the last step {self.last_step} of "
                f"{self.settings.epochs} epochs. Raise epochs, or take another folder."
            )
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise TrainingError(f"The checkpoints are of a model of another shape: {error}") from error
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["generator"])
        self.step = state["step"]
        self.history.rows = state["history"]


def as_tensors(model: nn.Module, inputs: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs in the model's own precision, and labels, as tensors."""
    import torch

    parameters = list(model.parameters())
    if not parameters or any(parameter.device.type != "cpu" for parameter in parameters):
        raise TrainingError(
            "fit trains models that have parameters, all of them on the CPU. On another device, write your own loop "
            "and call RegionTracker.step in it."
        )
    return torch.tensor(inputs, dtype=parameters[0].dtype), torch.tensor(labels)


def check_scores(model: nn.Module, inputs: torch.Tensor, task: Task) -> None:
    """Raise TrainingError unless the model accepts the task's inputs and gives one score per class."""
    import torch

    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            shape = tuple(model(inputs).shape)
    except RuntimeError as error:
        raise TrainingError(f"The model does not take the {task.n_in} inputs of {task!r}: {error}") from error
    finally:
        for module, was_training in training.items():
            module.training = was_training
    if shape != (1, task.classes):
        raise TrainingError(
            f"The model gives outputs of shape {shape} for one input; {task!r} needs (1, {task.classes}), a score a "
            "class."
        )
