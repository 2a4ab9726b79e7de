"""The number of activation patterns of the data themselves. New."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import task_of
from creases.paper.claims import FigureFinding, below, judged, noted
from creases.paper.curves import draw_curves, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Patterns
from creases.plot import new_figure

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {"[8]²": (8, 8), "[16]²": (16, 16), "[16]⁴": (16,) * 4, "[32]³": (32,) * 3, "[64]³": (64,) * 3}

# A statement on networks with unknown widths, so it is not a claim about these.
NEARLY_ALL = "above 0.99 (Sattelberg 2023, other networks)"
FEWER = below(0.0, "below 0: fewer at the end (ours)", why="ours: training makes examples share regions")


def lines(size: Size) -> list[TableLine]:
    """One experiment per network."""
    moments = size.pick((0, 1, 5, 10), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20))
    seeds = tuple(range(size.pick(3, 10, 10)))
    return [
        TableLine(Experiment(size.images, widths, (Patterns(),), moments, seeds=seeds), {"hidden": name})
        for name, widths in NETWORKS.items()
    ]


def shares(data: Data) -> pandas.DataFrame:
    """Patterns divided by examples, for each run, moment and part of the data."""
    task = task_of(data.size.images, 0)
    examples = {"train": len(task.train_inputs), "test": len(task.test_inputs)}
    runs = data.runs("patterns", ["hidden", "domain", "epoch"])
    runs["share"] = runs["value"] / runs["domain"].map(examples)
    return runs


def draw(data: Data) -> Picture:
    """The number of different patterns divided by the number of examples, for training and test data."""
    figure = new_figure(10.5, 3.6)
    runs = shares(data)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, part in zip(axes, ("train", "test"), strict=True):
        draw_curves(ax, runs[runs["domain"] == part], "hidden", NETWORKS, value="share", level=1.0)
        ax.set(title=f"{part}ing examples" if part == "train" else "examples of the test", ylim=(0, 1.05))
    axes[0].set_ylabel("different patterns / examples")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """The ratio for the test data at the start and at the end, and its change during training for the training
    examples."""
    runs = shares(data)
    found = []
    for name in NETWORKS:
        mine = runs[runs["hidden"] == name]
        ends = {
            part: {"start": some[some["epoch"] == 0], "end": last_of_each(some, ["hidden"])}
            for part, some in ((part, mine[mine["domain"] == part]) for part in ("train", "test"))
        }
        for moment, some in ends["test"].items():
            found.append(noted(f"{name}: patterns of the test / examples, {moment}", some["share"], NEARLY_ALL))
        for moment, some in ends["train"].items():
            found.append(noted(f"{name}: patterns of the training examples / examples, {moment}", some["share"]))
        start, end = (some.set_index("seed")["share"] for some in ends["train"].values())
        change = (end - start).dropna()
        found.append(judged(f"{name}: patterns of the training examples / examples, end less start", change, FEWER))
    return found


FIGURE = Figure(
    name="patterns",
    title="Activation patterns that the data visit",
    source="new; others found that few examples share a region (He 2021; Sattelberg 2023)",
    claim="Training makes examples share regions: fewer patterns are visited at the end than at the start. The number "
    "of patterns of the test set is noted for five networks, with the results of others.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="other networks on MNIST: fewer than 1 % of the test's examples share a region (Sattelberg 2023).",
    doubts="If patterns / examples is 1 - s, at most a fraction 2 s of the examples share a region, because two "
    "examples in one region have one pattern fewer. The widths of Sattelberg's networks are not known, so that result "
    "is not a claim about these networks. All runs have the same images; intervals are over weights and order only.",
)
