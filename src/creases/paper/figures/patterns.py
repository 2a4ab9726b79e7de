"""How many activation patterns the data themselves visit. New."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import task_of
from creases.paper.curves import draw_curves, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, mean_sd, within
from creases.paper.measures import Patterns
from creases.plot import new_figure

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {"[8]²": (8, 8), "[16]²": (16, 16), "[16]⁴": (16,) * 4, "[32]³": (32,) * 3, "[64]³": (64,) * 3}
# Networks of fewer neurons are called very small; and what part of the examples is nearly every one.
VERY_SMALL, NEARLY_EVERY = 48, 0.9


def lines(size: Size) -> list[Line]:
    """One experiment a network."""
    moments = size.pick((0, 1, 5, 20), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20))
    seeds = tuple(range(size.pick(3, 10, 10)))
    return [
        Line(Experiment(size.images, widths, (Patterns(),), moments, seeds=seeds), {"hidden": name})
        for name, widths in NETWORKS.items()
    ]


def shares(data: Data) -> pandas.DataFrame:
    """Patterns over examples, for each run, moment and part of the data."""
    task = task_of(data.size.images, 0)
    examples = {"train": len(task.train_inputs), "test": len(task.test_inputs)}
    runs = data.runs("patterns", ["hidden", "domain", "epoch"])
    runs["share"] = runs["value"] / runs["domain"].map(examples)
    return runs


def draw(data: Data) -> Picture:
    """Different patterns as a part of the examples, for training and test."""
    figure = new_figure(10.5, 3.6)
    runs = shares(data)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, part in zip(axes, ("train", "test"), strict=True):
        draw_curves(ax, runs[runs["domain"] == part], "hidden", NETWORKS, value="share", level=1.0)
        ax.set(title=f"{part}ing examples" if part == "train" else "examples of the test", ylim=(0, 1.05))
    axes[0].set_ylabel("different patterns / examples")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def findings(data: Data) -> list[Finding]:
    """The share at the start and at the end; the smaller of the two is judged."""
    import pandas

    runs = shares(data)
    found = []
    for name in NETWORKS:
        for part, text, others in (
            ("train", "training examples", ""),
            ("test", "examples of the test", "above 0.99 (Sattelberg 2023, other networks)"),
        ):
            mine = runs[(runs["hidden"] == name) & (runs["domain"] == part)]
            if mine.empty:
                continue
            start, end = mine[mine["epoch"] == 0]["share"], last_of_each(mine, ["hidden"])["share"]
            said = f"{mean_sd(start)} at the start, {mean_sd(end)} at the end"
            smaller = pandas.concat([start, end]).groupby(mine["seed"]).min()
            small = sum(NETWORKS[name]) < VERY_SMALL
            verdict = NOTED if small else within(smaller, NEARLY_EVERY, 1.0)
            found.append(Finding(f"{name}: patterns of the {text} / examples", said, others, verdict))
    return found


FIGURE = Figure(
    name="patterns",
    title="Activation patterns that the data visit",
    source="new; others found that few examples share a region (He 2021; Sattelberg 2023)",
    claim="But for very small networks nearly every example lies in a region of its own, at the start and after "
    "training.",
    lines=lines,
    draw=draw,
    findings=findings,
)
