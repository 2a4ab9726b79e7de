"""Runs of experiments: a network is initialised, trained and measured. A run is either complete or not stored at
all.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creases.errors import NetworkError
from creases.files import replace_file
from creases.network import Linear, Network, ReLU
from creases.paper.choices import task_of
from creases.paper.experiment import Experiment
from creases.paper.measures import Measured
from creases.readers import load
from creases.training import DivergedError, Task, fit
from creases.version import __version__

if TYPE_CHECKING:
    import pandas
    from torch import nn

__all__ = ["COLUMNS", "DIVERGED", "Kept", "MeasuredRow", "RunResult", "network_file", "run", "run_once", "save_network"]

DIVERGED = "diverged"


class MeasuredRow(NamedTuple):
    """One measurement.

    step, epoch : step and epoch of the training.
    loss, train_accuracy, test_accuracy : of the network at this step; None if nothing was trained, or there is no test
        set.
    measure, domain, value, certified : as in `Measured`; a run whose loss is no longer finite ends with a row
        "diverged", whose value is the step.
    seconds : time of all measurements at this step. network : its sha256.
    """

    step: int
    epoch: float
    loss: float | None
    train_accuracy: float | None
    test_accuracy: float | None
    measure: str
    domain: str
    value: float
    certified: bool | None
    seconds: float
    network: str


COLUMNS = MeasuredRow._fields


class Kept(NamedTuple):
    """A network that was kept as a file: its epoch and its hash."""

    epoch: float
    sha256: str


@dataclass(frozen=True)
class RunResult:
    """The result of a run: its measurements, networks and versions.

    experiment, seed : the run. rows : its measurements. kept : its networks, in files named by their hash.
    diverged : whether the loss was no longer finite. training, measuring : seconds spent on each.
    versions : versions of Creases, torch, numpy and Python. worker : host name and process id.
    """

    experiment: str
    seed: int
    rows: list[MeasuredRow]
    kept: list[Kept]
    diverged: bool
    training: float
    measuring: float
    versions: dict[str, str] = field(default_factory=dict)
    worker: str = ""


class Watch:
    """Measures a model at the moments of an experiment; a `Tracker` for `fit`."""

    def __init__(
        self,
        experiment: Experiment,
        model: nn.Module,
        task: Task,
        seed: int,
        folder: Path | None,
        stopped: Event | None,
    ) -> None:
        self.model, self.at, self._stopped = model, 0, stopped
        settings = experiment.settings(seed)
        per_epoch = settings.steps_per_epoch(task)
        self._due = set(settings.steps_at(experiment.moments, task))
        self._kept_at = {round(epoch * per_epoch): epoch for epoch in experiment.kept}
        self._folder = folder
        start = time.perf_counter()
        self._measures = [measure.prepare(task) for measure in experiment.measures]
        self.found: list[tuple[int, float, Measured, float, str]] = []
        self.kept: list[Kept] = []
        self.seconds = time.perf_counter() - start
        self._measure(0.0)

    def is_due(self, step: int) -> bool:
        """See `Tracker`."""
        return step in self._due

    def step(self, epoch: float | None = None) -> None:
        """See `Tracker`."""
        self.at += 1
        if self._stopped is not None and self._stopped.is_set():
            raise CancelledError
        if self.at in self._due:
            assert epoch is not None
            self._measure(epoch)

    def resume_at(self, step: int, epoch: float | None = None) -> None:
        """Not supported: a run is not continued after an interruption."""
        raise NotImplementedError

    def _measure(self, epoch: float) -> None:
        if self.at not in self._due:
            return
        start = time.perf_counter()
        try:
            network = folded(load(self.model))
        except NetworkError as error:  # the loss may still be finite when a weight is not
            raise DivergedError(str(error)) from error
        measured = [one for measure in self._measures for one in measure(network)]
        seconds = time.perf_counter() - start
        self.found += [(self.at, epoch, one, seconds, network.sha256) for one in measured]
        if self._folder is not None and self.at in self._kept_at:
            save_network(network, self._folder)
            self.kept.append(Kept(self._kept_at[self.at], network.sha256))
        self.seconds += time.perf_counter() - start


def run_once(experiment: Experiment, seed: int, folder: Path | None = None, stopped: Event | None = None) -> RunResult:
    """Make one run of an experiment and return its `RunResult`.

    folder : folder for the networks of `experiment.kept`; None keeps none.
    stopped : an event that cancels the run with CancelledError. A training that diverges has a result too: the rows
        until then, and a row "diverged".
    """
    task = task_of(experiment.task, seed)
    widths = [task.n_in, *experiment.widths, task.classes]
    model = experiment.initialisation.build(widths, seed, task.train_inputs)
    start = time.perf_counter()
    watch = Watch(experiment, model, task, seed, folder, stopped)
    history, diverged = [], False
    if experiment.epochs:
        try:
            history = fit(model, task, experiment.settings(seed), watch).rows
        except DivergedError as error:
            history, diverged = error.history, True
    whole = time.perf_counter() - start
    rows = as_rows(watch, history)
    if diverged:
        epoch = watch.at / experiment.settings(seed).steps_per_epoch(task)
        rows.append(MeasuredRow(watch.at, epoch, None, None, None, DIVERGED, "", float(watch.at), None, 0.0, ""))
    return RunResult(
        experiment.sha256,
        seed,
        rows,
        watch.kept,
        diverged,
        whole - watch.seconds,
        watch.seconds,
        versions(),
        f"{socket.gethostname()}:{os.getpid()}",
    )


def as_rows(watch: Watch, history: list[dict[str, Any]]) -> list[MeasuredRow]:
    """The measurements, each with the losses and accuracies at its step."""
    at = {row["step"]: row for row in history}
    rows = []
    for step, epoch, one, seconds, network in watch.found:
        then = at.get(step, {})
        well = (then.get("loss"), then.get("train_accuracy"), then.get("test_accuracy"))
        rows.append(
            MeasuredRow(step, epoch, *well, one.measure, one.domain, one.value, one.certified, seconds, network)
        )
    return rows


def versions() -> dict[str, str]:
    """The versions on which a result depends."""
    import torch

    return {
        "creases": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def folded(network: Network) -> Network:
    """A chain with batch norms as one without: they are folded into the weights, in float64, as in applications.

    The papers' experiments use chains. Raises NetworkError if each level does not take only the one before it.
    """
    if network.is_chain:
        return network
    weights, biases = [], []
    weight, bias = np.eye(network.n_in), np.zeros(network.n_in)
    for number, level in enumerate(network.levels, start=1):
        if list(level.sources) != [number - 1] or not isinstance(level.kink, ReLU | Linear):
            raise NetworkError(f"{network!r} is no chain of layers with ReLU and batch norms.")
        operator = level.sources[number - 1]
        weight, bias = operator.apply(weight.T).T, operator.apply(bias) + level.bias
        if isinstance(level.kink, ReLU):
            weights.append(weight)
            biases.append(bias)
            weight, bias = np.eye(level.n_values), np.zeros(level.n_values)
    has_output = isinstance(network.levels[-1].kink, Linear)
    if has_output:
        weights.append(weight)
        biases.append(bias)
    return Network.from_arrays(weights, biases, output_layer=has_output, input_shape=network.input_shape)


def network_file(folder: Path, sha256: str) -> Path:
    """The file of the network with this hash."""
    return folder / f"{sha256}.safetensors"


def save_network(network: Network, folder: Path) -> Path:
    """Save a network in the folder, completely or not at all; `creases.load` reads it. Raises SaveError if it cannot
    be written.
    """
    from safetensors.numpy import save

    path = network_file(folder, network.sha256)
    if path.exists():  # the name identifies the content
        return path
    folder.mkdir(parents=True, exist_ok=True)
    chain = [*network.hidden, *([network.output] if network.output else [])]
    arrays = {}
    for i, layer in enumerate(chain):
        for name, values in (("weight", layer.weight), ("bias", layer.bias)):
            single = values.astype(np.float32)
            # A folded BatchNorm is in float64; weights trained in float32 are stored as float32.
            arrays[f"{2 * i}.{name}"] = np.ascontiguousarray(single if (single == values).all() else values)
    # Into memory first: on a full disk safetensors raises an error of its own, which is not an OSError.
    content = save(arrays)
    replace_file(path, lambda partial: partial.write_bytes(content))
    return path


def run(experiment: Experiment, *, networks: str | Path | None = None) -> pandas.DataFrame:
    """Make all runs of an experiment in this process, one after the other, and return the measurements as a DataFrame.

    networks : a folder for the networks that are kept; None keeps none.
    The columns are experiment, seed, and `COLUMNS`. A training that diverges ends with a row "diverged". For many
    experiments, and to resume after an interruption, see `creases.paper.sweep`.
    """
    import pandas

    folder = None if networks is None else Path(networks)
    rows = []
    for seed in experiment.seeds:
        rows += [(experiment.sha256, seed, *row) for row in run_once(experiment, seed, folder).rows]
    return pandas.DataFrame(rows, columns=["experiment", "seed", *COLUMNS])
