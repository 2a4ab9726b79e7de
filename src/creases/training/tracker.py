"""Count the regions of a network during training, in a loop of your own.

    tracker = RegionTracker(model, creases.Plane.through(a, b, c), every=100)
    for inputs, labels in batches:
        ...
        optimiser.step()
        tracker.step()
    tracker.to_pandas()

Step 0, the initial network, is counted when the tracker is created, because before the first call of `step` the weights
have changed already. Hanin and Rolnick 2019, section 3.2, compare each later count with this one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.counting import count_many
from creases.domain import Domain
from creases.network import Network
from creases.packing import check_fit
from creases.readers import load
from creases.readers.torch.module import is_module
from creases.training.errors import TrainingError, need_torch
from creases.training.files import Row, as_frame, save_table
from creases.training.journal import RowJournal

if TYPE_CHECKING:
    import pandas
    from torch import nn

__all__ = ["COLUMNS", "RegionTracker"]

COLUMNS = (
    "step",
    "epoch",
    "domain",
    "name",
    "domain_repr",
    "regions",
    "neurons",
    "regions_per_neurons_squared",
    "by_layer",
    "certified",
    "exact_cells",
    "seconds",
    "network",
)


class RegionTracker:
    """Counts the activation regions of a model on given domains during training.

    model : a torch module that `creases.load` can read; or a function without arguments that returns the current
        network, as a Network (a chain or a graph, for example made with `creases.build` from the weights of another
        framework) or as such a module. It is read again for each count and never changed.
    domains : a domain, a list, or a dict of domains by name; all in the model's input space.
    every : an integer, to count at step 0 and every so many steps; or the steps at which to count, in any order.
    path : a file to which each count is appended before `step` returns, one JSON object per line; see `read_rows`. Rows
        survive kill -9.
    resume : continue with the file at `path` if it exists. Its counts are kept and not repeated.
    start : the current step of the model, if not 0. With `resume`, later rows are dropped.
    threads : number of threads for counting; None means all cores.
    on_count : a function that is called with the rows of each new count.

    The constructor counts the initial model if step 0 (or `start`) is among the steps. `table()` has one row per domain
    and count, with the columns

    step, epoch : the step and the epoch; the epoch is None unless it was given to `step`.
    domain, name, domain_repr : index of the domain, its name (its repr if it has none), its repr.
    regions, by_layer, certified, exact_cells, seconds : as in `creases.Count`; by_layer is a list.
    neurons, regions_per_neurons_squared : N, including the switches of a graph, and regions / N^2, about 1/2 at
        initialisation on a plane (Hanin and Rolnick 2019, figure 4); None for a network without neurons.
    network : sha256 of the network.

    Raises MissingExtraError if torch is not installed and the model is not a function; TrainingError if the model is
    neither a module nor a function, the function does not return a network, `every` has no step, or the file belongs to
    another tracker; DomainError if a domain does not fit the model.
    """

    def __init__(
        self,
        model: nn.Module | Callable[[], Network | nn.Module],
        domains: Domain | Iterable[Domain] | Mapping[str, Domain],
        every: int | Iterable[int] = 1,
        *,
        path: str | Path | None = None,
        resume: bool = False,
        start: int | None = None,
        threads: int | None = None,
        on_count: Callable[[list[Row]], object] | None = None,
    ) -> None:
        self.model = model
        self._read = reader_of(model)
        self.names, self.domains = as_domains(domains)
        self.every = as_steps(every)
        self.threads, self.on_count = threads, on_count
        network = self._read()
        for domain in self.domains:
            check_fit(network, domain)
        if resume and path is None:
            raise TrainingError("resume=True goes on with a file; give its path.")
        self.at = 0 if start is None else as_step(start, "start")
        self._rows: list[Row] = []
        self._journal: RowJournal | None = None
        if path is not None:
            header = {"names": list(self.names), "domains": [domain.to_dict() for domain in self.domains]}
            self._journal = RowJournal(path, header, resume=resume)
            self._rows = whole_counts(self._journal.rows, len(self.domains))
            if len(self._rows) < len(self._journal.rows):
                self._journal.replace(self._rows)
        if start is None:
            self._count_if_due(0.0, network)
        else:
            self.resume_at(self.at)

    def step(self, epoch: float | None = None) -> list[Row]:
        """Advance by one optimiser step, and count if it is one of the steps at which to count.

        epoch : float, for the table. Returns the new rows; an empty list if nothing was counted.
        """
        self.at += 1
        return self._count_if_due(epoch)

    def count(self, epoch: float | None = None) -> list[Row]:
        """Count at the current step, even if it is not one of the steps at which to count.

        Returns the new rows, or the existing rows if this step has been counted. Raises TrainingError if the existing
        rows are of other weights.
        """
        return self._count(epoch, self._read())

    def is_due(self, step: int) -> bool:
        """Whether `step` is one of the steps at which to count."""
        return step % self.every == 0 if isinstance(self.every, int) else step in self.every

    def resume_at(self, step: int, epoch: float | None = None) -> None:
        """Continue from `step`, after the model has been reset to its state there. Later rows are dropped.

        Counts if `step` is one of the steps at which to count and has no rows yet.
        """
        self.at = as_step(step, "step")
        kept = [row for row in self._rows if row["step"] <= step]
        if self._journal is not None and len(kept) < len(self._journal.rows):
            self._journal.replace(kept)
        self._rows = kept
        self._count_if_due(epoch)

    def table(self) -> list[Row]:
        """The rows so far, one per count and domain, as dicts with the keys `COLUMNS`."""
        return [dict(row) for row in self._rows]

    def to_pandas(self) -> pandas.DataFrame:
        """The rows so far as a DataFrame. Raises MissingExtraError if pandas is not installed."""
        return as_frame(self._rows, COLUMNS)

    def save(self, path: str | Path) -> Path:
        """Write the rows so far as .csv or .json. Raises TrainingError if the extension is another one."""
        return save_table(self._rows, COLUMNS, path)

    def __repr__(self) -> str:
        when = f"every {self.every} steps" if isinstance(self.every, int) else f"at {len(self.every)} steps"
        return f"RegionTracker({len(self.domains)} domains, {when}; at step {self.at}, {len(self._rows)} rows)"

    def _count_if_due(self, epoch: float | None, network: Network | None = None) -> list[Row]:
        return self._count(epoch, network or self._read()) if self.is_due(self.at) else []

    def _count(self, epoch: float | None, network: Network) -> list[Row]:
        there = [row for row in self._rows if row["step"] == self.at]
        if there:
            if there[0]["network"] != network.sha256:
                raise TrainingError(
                    f"Step {self.at} has been counted already, for other weights ({there[0]['network'][:12]}; the "
                    f"model is now {network.sha256[:12]}). If the model is at another step, say so with start=; "
                    "if the training did not repeat itself, drop the old rows with start= or resume_at(step), or "
                    "take another path."
                )
            return [dict(row) for row in there]
        counts = count_many(network, self.domains, threads=self.threads, progress=False)
        rows = [
            {
                "step": self.at,
                "epoch": epoch,
                "domain": i,
                "name": self.names[i],
                "domain_repr": repr(self.domains[i]),
                "regions": found.regions,
                "neurons": network.neurons,
                "regions_per_neurons_squared": found.regions / network.neurons**2 if network.neurons else None,
                "by_layer": list(found.by_layer),
                "certified": found.certified,
                "exact_cells": found.exact_cells,
                "seconds": found.seconds,
                "network": network.sha256,
            }
            for i, found in enumerate(counts)
        ]
        if self._journal is not None:
            self._journal.append(rows)  # on disk before the rows are passed on
        self._rows = sorted([*self._rows, *rows], key=lambda row: row["step"])
        if self.on_count is not None:
            self.on_count([dict(row) for row in rows])
        return [dict(row) for row in rows]


def reader_of(model: Any) -> Callable[[], Network]:
    """A function that returns the present network of the model."""
    if is_module(model):
        return lambda: load(model)
    if callable(model) and not isinstance(model, type):
        return lambda: given_by(model)
    if not isinstance(model, Network):
        need_torch("Tracking a model in training")
    raise TrainingError(
        "RegionTracker needs a torch.nn.Module, or a function without arguments that gives the network as it is now; "
        f"got a {type(model).__name__}. A network that does not change needs no tracker: "
        "creases.count(network, domain)."
    )


def given_by(function: Callable[[], Any]) -> Network:
    """The network that a function returns. Raises TrainingError if it is not a network or a module."""
    network = function()
    if isinstance(network, Network):
        return network
    if is_module(network):
        return load(network)
    raise TrainingError(
        "The function that RegionTracker was given must return a Network, as creases.build makes them, or a "
        f"torch.nn.Module; it returned a {type(network).__name__}."
    )


def as_domains(domains: Any) -> tuple[tuple[str, ...], tuple[Domain, ...]]:
    """Names and domains, in order."""
    if isinstance(domains, Mapping):
        names, values = [str(name) for name in domains], list(domains.values())
    else:
        values = [domains] if isinstance(domains, Domain) or not isinstance(domains, Iterable) else list(domains)
        names = [repr(domain) for domain in values]
    if not values:
        raise TrainingError("RegionTracker needs at least one domain to count on, got none.")
    return tuple(names), tuple(values)


def as_steps(every: int | Iterable[int]) -> int | frozenset[int]:
    """The number of steps between counts, or the steps to count at."""
    if isinstance(every, Iterable) and not isinstance(every, str):
        steps = frozenset(as_step(step, "every") for step in every)
        if not steps:
            raise TrainingError("every is empty; give the steps at which to count, or a number of steps.")
        return steps
    number = as_step(every, "every")
    if number == 0:
        raise TrainingError("every must be at least 1 step, or a sequence of steps such as [0, 10, 100]; got 0.")
    return number


def as_step(value: Any, name: str) -> int:
    """A number of steps, as an int. Raises TrainingError if it is not one."""
    try:
        step = operator.index(value)
    except TypeError:
        step = -1
    if step < 0 or isinstance(value, bool):
        raise TrainingError(f"{name} must be a whole number of steps, at least 0, or hold such; got {value!r}.")
    return step


def whole_counts(rows: list[Row], domains: int) -> list[Row]:
    """The rows of steps that have one row per domain; other steps are counted again."""
    per_step: dict[int, int] = {}
    for row in rows:
        per_step[row["step"]] = per_step.get(row["step"], 0) + 1
    return [row for row in rows if per_step[row["step"]] == domains]
