"""Experiments as values: the task, the network, the training and the measurements.

    run(Experiment(Mnist(), (32, 32, 32), (Regions(OriginPlanes(5)),), moments=(0, 1, 20), seeds=range(10)))

gives a table with one row per measurement. An experiment is identified by the hash of its fields without the seeds. A
run is one experiment with one seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creases.paper.choices import TaskChoice
from creases.paper.measures import Measure
from creases.training import Adam, Initialisation, Optimiser, Settings, TrainingError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Experiment", "NetworkStart", "described"]

# It increases when the same values give other runs: 2 has independent streams of random numbers (`creases.streams`).
FORMAT = "creases-experiment-2"


class NetworkStart(Protocol):
    """The protocol of initial networks: an `Initialisation`, or a construction."""

    def build(self, widths: Sequence[int], seed: int, inputs: NDArray[np.float32] | None = None) -> nn.Sequential:
        """A torch chain; see `Initialisation.build`."""


@dataclass(frozen=True)
class Experiment:
    """An experiment: a training with measurements, repeated for several seeds.

    task : a choice of `creases.paper.choices`. widths : neurons of each hidden layer.
    measures : the measurements at each moment.
    moments : increasing epochs, each rounded to the nearest step. The training ends at the last one; if it is 0,
        nothing is trained.
    initialisation : the initial network. optimiser, batch_size : of the training.
    kept : epochs among the moments whose networks are kept as files.
    seeds : one run per seed. A seed determines the weights, the order of the examples, and the random numbers of the
        task.
    Raises TrainingError if a number is out of its range.
    """

    task: TaskChoice
    widths: tuple[int, ...]
    measures: tuple[Measure, ...]
    moments: tuple[float, ...] = (0.0,)
    initialisation: NetworkStart = field(default_factory=Initialisation)
    optimiser: Optimiser = field(default_factory=Adam)
    batch_size: int = 128
    kept: tuple[float, ...] = ()
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for name in ("widths", "measures", "moments", "kept", "seeds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        moments = self.moments
        if not moments or not all(isfinite(at) and at >= 0 for at in moments) or sorted(set(moments)) != list(moments):
            raise TrainingError(f"moments must be increasing epochs, at least 0, and one at least; got {moments}.")
        if moments[-1] != round(moments[-1]):
            raise TrainingError(f"A training ends with an epoch, so the last moment must be whole; got {moments[-1]}.")
        if not set(self.kept) <= set(moments):
            raise TrainingError(f"Networks are kept at moments only; {self.kept} are not all among {moments}.")
        if not self.measures or not self.seeds:
            raise TrainingError("An experiment needs something to measure, and a seed.")
        if not self.widths or min(self.widths) < 1:
            raise TrainingError(f"widths must be those of the hidden layers, each at least 1; got {self.widths}.")
        self.settings(self.seeds[0])

    @property
    def neurons(self) -> int:
        """N, the number of hidden neurons."""
        return sum(self.widths)

    @property
    def epochs(self) -> int:
        """Number of epochs of the training."""
        return round(self.moments[-1])

    def settings(self, seed: int) -> Settings:
        """The settings of the training of one run."""
        return Settings(self.optimiser, self.batch_size, self.epochs, seed)

    @cached_property
    def description(self) -> dict[str, Any]:
        """All fields except the seeds, as plain values for JSON."""
        said: dict[str, Any] = described(self)
        del said["seeds"]
        return {"format": FORMAT, **said}

    @cached_property
    def sha256(self) -> str:
        """Hash of the description, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.description, sort_keys=True).encode()).hexdigest()


def described(value: Any) -> Any:
    """A value as plain data for JSON. A dataclass becomes its name and the fields by which it is compared."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: described(getattr(value, one.name)) for one in fields(value) if one.compare}
        return {"kind": type(value).__name__, **named}
    if isinstance(value, Mapping):
        return {str(key): described(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [described(one) for one in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return float(value)
