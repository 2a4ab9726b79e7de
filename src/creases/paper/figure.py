"""Figures of the papers: experiments, a claim, a picture, and findings that are computed from the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from creases.paper.choices import Digits, IdxFiles, Mnist, TaskChoice, task_of
from creases.paper.claims import FigureFinding
from creases.paper.experiment import Experiment
from creases.paper.runs import DIVERGED

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

    from creases.network import Network
    from creases.paper.store import Store, Unit

__all__ = ["SIZES", "Data", "Figure", "Size", "TableLine", "chosen", "data_of", "last_step", "units_of"]

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """The size of the experiments: smoke (minutes), laptop (an hour) or paper (the authors' numbers).

    name : name of the size. rank : 0, 1 or 2. images, small : the tasks with many and with few pixels.
    """

    name: str
    rank: int
    images: TaskChoice = field(default_factory=Mnist)
    small: TaskChoice = field(default_factory=Digits)

    @property
    def options(self) -> str:
        """The options of the command line for this size."""
        return f"--size {self.name} --data DIR" if isinstance(self.images, IdxFiles) else f"--size {self.name}"

    def pick(self, smoke: T, laptop: T, paper: T) -> T:
        """The one of three that belongs to this size."""
        return (smoke, laptop, paper)[self.rank]


SIZES = {name: Size(name, rank) for rank, name in enumerate(("smoke", "laptop", "paper"))}


class TableLine(NamedTuple):
    """An experiment of a figure, with labels, which become columns of its table."""

    experiment: Experiment
    labels: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Data:
    """The data for a figure in a store.

    size : the requested size. lines : those of the figure. table : one row per measurement, with the columns of
        `Store.table`, the labels of the figure, and neurons (N). It contains the rows of diverged runs up to the
        divergence. missing : runs that are not in the store. diverged : one row per diverged run.
    """

    size: Size
    lines: Sequence[TableLine]
    table: pandas.DataFrame
    diverged: pandas.DataFrame
    missing: int
    store: Store

    def rows(self, measure: str, **labels: Any) -> pandas.DataFrame:
        """The rows of one measure with these values in other columns."""
        chosen = self.table[self.table["measure"] == measure]
        for name, value in labels.items():
            chosen = chosen[chosen[name] == value]
        return chosen

    def runs(self, measure: str, by: Sequence[str], **labels: Any) -> pandas.DataFrame:
        """For each run and `by`, the mean of a measure over its domains (5 planes, for example): columns by, seed,
        neurons, value, train_accuracy, test_accuracy. The spread over runs is then one over independent values.
        """
        keys = list(dict.fromkeys([*by, "seed", "neurons"]))
        numbers = ["value", "train_accuracy", "test_accuracy"]
        return self.rows(measure, **labels).groupby(keys, sort=True, dropna=False)[numbers].mean().reset_index()

    def growth(self, by: Sequence[str], **labels: Any) -> pandas.DataFrame:
        """`runs` of regions by these labels and the epoch, with ratio = regions / N^2 and factor = regions / the
        initial regions of the same run.
        """
        runs = self.runs("regions", [*by, "epoch"], **labels)
        runs["ratio"] = runs["value"] / runs["neurons"] ** 2
        first = runs.sort_values("epoch").groupby([*by, "seed"])["value"].transform("first")
        runs["factor"] = runs["value"] / first
        return runs

    def costs(self, lines: Sequence[TableLine] | None = None) -> pandas.DataFrame:
        """One row per run of these lines, by default of all, as in `Store.costs`."""
        some = self.lines if lines is None else lines
        return chosen(self.store.costs(line.experiment.sha256 for line in some), some)

    def steps(self, line: TableLine) -> int:
        """The number of optimiser steps in the training of each run of a line."""
        return last_step(line.experiment)

    def network(self, line: TableLine, seed: int, epoch: float) -> Network:
        """A network that was saved by a run. Raises StoreError if it is missing."""
        return self.store.network(line.experiment.sha256, seed, epoch)


@dataclass(frozen=True)
class Figure:
    """One figure. Everything that its report says comes from here and from the data.

    name : for the command line. title : of the report's section. source : which figure of which paper, or "new".
    claim : in a sentence. regime : in which the authors found it, in words: networks, data, steps of training, runs;
    "" where the figure is ours alone. doubts : where the recipe is uncertain, "" if it is not.
    lines : the experiments of a size. draw : the picture. findings : the numbers, with verdicts.
    """

    name: str
    title: str
    source: str
    claim: str
    lines: Callable[[Size], list[TableLine]]
    draw: Callable[[Data], Picture]
    findings: Callable[[Data], list[FigureFinding]]
    regime: str = ""
    doubts: str = ""


def last_step(experiment: Experiment) -> int:
    """The number of optimiser steps in the whole training, 0 without training."""
    if experiment.epochs == 0:
        return 0
    seed = experiment.seeds[0]
    return experiment.epochs * experiment.settings(seed).steps_per_epoch(task_of(experiment.task, seed))


def units_of(lines: Iterable[TableLine]) -> set[Unit]:
    """The runs that these lines require."""
    return {(line.experiment.sha256, seed) for line in lines for seed in line.experiment.seeds}


def chosen(table: pandas.DataFrame, lines: Iterable[TableLine]) -> pandas.DataFrame:
    """The rows of the runs that these lines require; another size may have stored more seeds."""
    units = units_of(lines)
    return table[np.array([unit in units for unit in zip(table["experiment"], table["seed"], strict=True)], dtype=bool)]


def data_of(figure: Figure, size: Size, store: Store) -> Data:
    """The data of a store for a figure at a size."""
    lines = figure.lines(size)
    labels = {line.experiment.sha256: line for line in lines}
    table = chosen(store.table(labels), lines).copy()
    for name in dict.fromkeys(name for line in lines for name in line.labels):
        table[name] = [labels[sha256].labels.get(name) for sha256 in table["experiment"]]
    table["neurons"] = [labels[sha256].experiment.neurons for sha256 in table["experiment"]]
    missing = len(units_of(lines) - store.done())
    broke = table["measure"] == DIVERGED
    return Data(size, lines, table[~broke], table[broke], missing, store)
