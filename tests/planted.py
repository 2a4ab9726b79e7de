"""Made-up data for the figures of the papers: what a figure would say of a world that is so, and of one that is not.

Nothing is trained and nothing counted. A world is a function that says what each run would have measured at each
moment; `data_in` puts it into the table that a store would give, so that a figure's findings are computed from it as
from real runs.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas

from creases.paper.claims import BROKEN, CHECK, DIFFERS, HOLDS, NOTED
from creases.paper.figure import SIZES, Data
from creases.paper.runs import COLUMNS
from engine_twins import LONG

# Of each line of a figure: so many runs decide as all of them do.
RUNS = None if LONG else 5

__all__ = ["Moment", "data_in", "jitter", "refuted", "verdicts"]


@dataclass(frozen=True)
class Moment:
    """Where a world is asked: a line of the figure, a seed, an epoch and the step of it."""

    line: object
    seed: int
    epoch: float
    step: int

    @property
    def labels(self):
        return self.line.labels

    @property
    def neurons(self):
        return self.line.experiment.neurons

    @property
    def first(self):
        return self.epoch == 0

    @property
    def last(self):
        return self.epoch == self.line.experiment.moments[-1]


class NoStore:
    """Stands in for a store: no costs, no networks."""

    def costs(self, experiments):
        names = ("experiment", "seed", "diverged", "training", "measuring", "versions", "worker", "finished")
        return pandas.DataFrame([], columns=list(names))

    def network(self, experiment, seed, epoch):
        from creases.paper.store import StoreError

        raise StoreError("no network")


def jitter(moment, spread=0.01):
    """A factor near 1 that a run has of its own, the same at all of its moments: runs of real data differ."""
    return 1.0 + spread * np.random.default_rng([moment.seed, 5]).standard_normal()


def with_runs(line, runs):
    """A line of a figure with at most so many seeds."""
    return line._replace(experiment=replace(line.experiment, seeds=line.experiment.seeds[:runs]))


def data_in(world, figure, size="laptop", runs=RUNS, train_accuracy=1.0, test_accuracy=0.9):
    """The `Data` of a figure in a world.

    world : takes a `Moment`, gives a list of (measure, domain, value), as `Measured` has them. size : a name or a Size.
    runs : at most so many seeds of each line; None for all. train_accuracy, test_accuracy : numbers, or functions
    of a `Moment`.
    """
    size = SIZES[size] if isinstance(size, str) else size
    lines = [with_runs(line, runs) for line in figure.lines(size)]
    rows, labels = [], []
    for line in lines:
        experiment, sha256, neurons = line.experiment, line.experiment.sha256, line.experiment.neurons
        for seed in experiment.seeds:
            for epoch in experiment.moments:
                moment = Moment(line, seed, epoch, round(1000 * epoch))
                well = [value(moment) if callable(value) else value for value in (train_accuracy, test_accuracy)]
                for measure, domain, value in world(moment):
                    rows.append((sha256, seed, moment.step, epoch, 0.1, *well, measure, domain, float(value)))
                    labels.append({**line.labels, "neurons": neurons})
    names = ["experiment", "seed", *COLUMNS[: COLUMNS.index("value") + 1]]
    table = pandas.DataFrame(rows, columns=names).assign(certified=True, seconds=0.0, network="")
    table = pandas.concat([table, pandas.DataFrame(labels)], axis=1)
    return Data(size, lines, table, table.iloc[:0], 0, NoStore())


def verdicts(world, figure, **given):
    """What the figure's findings say in a world: verdicts by what they are of, those that are noted left out."""
    found = figure.findings(data_in(world, figure, **given))
    assert len({finding.what for finding in found}) == len(found)
    return {finding.what: str(finding.verdict) for finding in found if finding.verdict != NOTED}


def refuted(figure, truth, lies, **given):
    """Check that every verdict of a figure holds in a true world, and differs in one of the false ones at least; and
    that every check is met and fails.

    truth : a world, as `data_in` takes it. lies : worlds by name. Returns which verdicts each lie refutes.
    """
    held = verdicts(truth, figure, **given)
    assert held
    assert {what for what, word in held.items() if word not in (HOLDS, CHECK)} == set()
    found = {}
    for name, lie in lies.items():
        said = verdicts(lie, figure, **given)
        assert set(said) == set(held), name
        found[name] = {what for what, word in said.items() if word in (DIFFERS, BROKEN)}
        assert found[name], f"{name} refutes nothing"
    never = set(held) - set().union(*found.values())
    assert never == set(), "no lie refutes these"
    return found
