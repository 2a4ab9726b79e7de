"""What a figure of the papers is: experiments, a claim, a picture, and findings that are computed from the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.paper.choices import Digits, IdxFiles, Mnist, TaskChoice
from creases.paper.experiment import Experiment
from creases.paper.runs import DIVERGED

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

    from creases.network import Network
    from creases.paper.store import Store, Unit

__all__ = [
    "DIFFERS",
    "HOLDS",
    "NOTED",
    "SIZES",
    "TOO_FEW",
    "Data",
    "Figure",
    "Finding",
    "Line",
    "Size",
    "Verdict",
    "above",
    "chosen",
    "data_of",
    "interval",
    "judge",
    "mean_sd",
    "units_of",
    "within",
]

T = TypeVar("T")
Floats = NDArray[np.float64]

# Verdicts. NOTED: a number that no claim speaks of.
HOLDS, DIFFERS, TOO_FEW, NOTED = "holds", "differs", "too few runs", "noted"
# Fewer runs than this decide nothing.
LEAST_RUNS = 3


@dataclass(frozen=True)
class Size:
    """How much is done: smoke (minutes), laptop (an hour) or paper (the authors' own numbers).

    name : of the size. rank : 0, 1 or 2. images, small : the tasks with many and with few pixels.
    """

    name: str
    rank: int
    images: TaskChoice = field(default_factory=Mnist)
    small: TaskChoice = field(default_factory=Digits)

    @property
    def options(self) -> str:
        """Of the command line that asks for it."""
        return f"--size {self.name} --data DIR" if isinstance(self.images, IdxFiles) else f"--size {self.name}"

    def pick(self, smoke: T, laptop: T, paper: T) -> T:
        """The one of three that belongs to this size."""
        return (smoke, laptop, paper)[self.rank]


SIZES = {name: Size(name, rank) for rank, name in enumerate(("smoke", "laptop", "paper"))}


class Line(NamedTuple):
    """An experiment as a figure sees it: with labels, which become columns of its table."""

    experiment: Experiment
    labels: Mapping[str, Any]


class Finding(NamedTuple):
    """One number of the report. what : in words. measured : with its spread. authors : theirs, or what theory says;
    "" if neither speaks of it. verdict : HOLDS, DIFFERS, TOO_FEW or NOTED.
    """

    what: str
    measured: str
    authors: str
    verdict: str


@dataclass(frozen=True, eq=False)
class Data:
    """What there is for a figure in a store.

    size : asked for. lines : the figure's. table : a row a measurement, columns as in `Store.table`, the labels of the
    figure, and neurons (N). Rows of runs that diverged are in it until then. missing : runs that are not in the store.
    diverged : a row a run that broke off.
    """

    size: Size
    lines: Sequence[Line]
    table: pandas.DataFrame
    diverged: pandas.DataFrame
    missing: int
    store: Store

    def rows(self, measure: str, **labels: Any) -> pandas.DataFrame:
        """The rows of one measure and with these values in other columns."""
        chosen = self.table[self.table["measure"] == measure]
        for name, value in labels.items():
            chosen = chosen[chosen[name] == value]
        return chosen

    def runs(self, measure: str, by: Sequence[str], **labels: Any) -> pandas.DataFrame:
        """Per run and `by`, the mean of a measure over its domains (5 planes, say): columns by, seed, neurons, value,
        train_accuracy, test_accuracy. What is then spread over runs is spread over independent things.
        """
        keys = list(dict.fromkeys([*by, "seed", "neurons"]))
        numbers = ["value", "train_accuracy", "test_accuracy"]
        return self.rows(measure, **labels).groupby(keys, sort=True, dropna=False)[numbers].mean().reset_index()

    def growth(self, by: Sequence[str], **labels: Any) -> pandas.DataFrame:
        """`runs` of regions by these labels and the epoch, with ratio = regions / N^2 and factor = regions / those that
        the same run began with.
        """
        runs = self.runs("regions", [*by, "epoch"], **labels)
        runs["ratio"] = runs["value"] / runs["neurons"] ** 2
        first = runs.sort_values("epoch").groupby([*by, "seed"])["value"].transform("first")
        runs["factor"] = runs["value"] / first
        return runs

    def costs(self, lines: Sequence[Line] | None = None) -> pandas.DataFrame:
        """A row a run of these lines, of all by default, as `Store.costs` says."""
        some = self.lines if lines is None else lines
        return chosen(self.store.costs(line.experiment.sha256 for line in some), some)

    def network(self, line: Line, seed: int, epoch: float) -> Network:
        """The network that a run kept. Raises StoreError if it is not there."""
        return self.store.network(line.experiment.sha256, seed, epoch)


@dataclass(frozen=True)
class Figure:
    """One figure. Everything that its report says comes from here and from the data.

    name : for the command line. title : of the report's section. source : which figure of which paper, or "new".
    claim : in a sentence. doubts : where the recipe is uncertain, "" if it is not.
    lines : the experiments of a size. draw : the picture. findings : the numbers, with verdicts.
    """

    name: str
    title: str
    source: str
    claim: str
    lines: Callable[[Size], list[Line]]
    draw: Callable[[Data], Picture]
    findings: Callable[[Data], list[Finding]]
    doubts: str = ""


def units_of(lines: Iterable[Line]) -> set[Unit]:
    """The runs that these lines ask for."""
    return {(line.experiment.sha256, seed) for line in lines for seed in line.experiment.seeds}


def chosen(table: pandas.DataFrame, lines: Iterable[Line]) -> pandas.DataFrame:
    """The rows of the runs that these lines ask for: another size may have put more seeds into the store."""
    units = units_of(lines)
    return table[np.array([unit in units for unit in zip(table["experiment"], table["seed"], strict=True)], dtype=bool)]


def data_of(figure: Figure, size: Size, store: Store) -> Data:
    """What a store has for a figure at a size."""
    lines = figure.lines(size)
    labels = {line.experiment.sha256: line for line in lines}
    table = chosen(store.table(labels), lines).copy()
    for name in dict.fromkeys(name for line in lines for name in line.labels):
        table[name] = [labels[sha256].labels.get(name) for sha256 in table["experiment"]]
    table["neurons"] = [labels[sha256].experiment.neurons for sha256 in table["experiment"]]
    missing = len(units_of(lines) - store.done())
    broke = table["measure"] == DIVERGED
    return Data(size, lines, table[~broke], table[broke], missing, store)


def mean_sd(values: ArrayLike, form: str = ".3g") -> str:
    """Mean, standard deviation over runs and their number, as text."""
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return "no runs"
    if array.size == 1:
        return f"{array[0]:{form}} (1 run)"
    mean, spread = array.mean(), array.std(ddof=1)
    if spread <= 1e-12 * abs(mean):  # the rounding of equal values
        spread = 0.0
    return f"{mean:{form}} ± {spread:{form}} ({array.size} runs)"


def interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval for the mean; infinite for fewer than two values."""
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    if array.size < 2:
        return (-np.inf, np.inf)
    reach = float(t.ppf((1 + confidence) / 2, array.size - 1)) * array.std(ddof=1) / np.sqrt(array.size)
    return (float(array.mean() - reach), float(array.mean() + reach))


class Verdict(str):
    """One of the words, and the rule by which it was found: the range that is claimed, in words."""

    rule: str

    def __new__(cls, word: str, rule: str) -> Verdict:
        """The word with its rule; equal to the word alone."""
        made = super().__new__(cls, word)
        made.rule = rule
        return made


def within(values: ArrayLike, low: float, high: float) -> Verdict:
    """Verdict on "the mean lies in [low, high]": HOLDS or DIFFERS where its 95 % interval says so, or the mean does and
    the interval is no wider than the claim; else, or with fewer than three runs, TOO_FEW.
    """
    return Verdict(word_within(np.asarray(values, dtype=np.float64), low, high), f"{low:.3g} to {high:.3g}")


def word_within(array: Floats, low: float, high: float) -> str:
    """The word of `within`."""
    if array.size < LEAST_RUNS or not np.isfinite(array).all():
        return TOO_FEW
    left, right = interval(array)
    if low <= left and right <= high:
        return HOLDS
    if right < low or left > high:
        return DIFFERS
    if right - left > high - low:
        return TOO_FEW
    return HOLDS if low <= array.mean() <= high else DIFFERS


def above(values: ArrayLike, level: float) -> Verdict:
    """Verdict on "the mean lies above the level": HOLDS or DIFFERS where its 95 % interval lies on one side; else, or
    with fewer than three runs, TOO_FEW. For "below", give the negatives of both.
    """
    rule = f"above {level:.3g}" if level >= 0 else f"below {-level:.3g}"
    array = np.asarray(values, dtype=np.float64)
    if array.size < LEAST_RUNS or not np.isfinite(array).all():
        return Verdict(TOO_FEW, rule)
    left, right = interval(array)
    return Verdict(HOLDS if left > level else DIFFERS if right <= level else TOO_FEW, rule)


def judge(holds: bool, runs: int) -> str:
    """Verdict on a claim that is true or false of the data of so many runs."""
    if runs < LEAST_RUNS:
        return TOO_FEW
    return HOLDS if holds else DIFFERS
