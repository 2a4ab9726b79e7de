"""Activation regions in planes through training, over N^2: NeurIPS figure 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, mean_sd, within
from creases.paper.measures import Regions
from creases.plot import new_figure, plot_band
from creases.plot.figure import COLOURS, QUIET, tidy
from creases.training import PAPER_EPOCHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {
    "[16]⁴": (16,) * 4,
    "[32]⁴": (32,) * 4,
    "[64]⁴": (64,) * 4,
    "[20]³": (20,) * 3,
    "[40]³": (40,) * 3,
    "[60]³": (60,) * 3,
    "[80]³": (80,) * 3,
}


def lines(size: Size) -> list[Line]:
    """One experiment a network."""
    seeds, planes = range(size.pick(3, 10, 10)), size.pick(2, 5, 5)
    return [
        Line(
            Experiment(size.images, widths, (Regions(OriginPlanes(planes)),), PAPER_EPOCHS, seeds=tuple(seeds)),
            {"hidden": name},
        )
        for name, widths in NETWORKS.items()
    ]


def draw(data: Data) -> Picture:
    """Regions / N^2: the first half epoch, the whole training, and against accuracy."""
    figure = new_figure(10.5, 3.4)
    early, whole, accuracy = figure.subplots(1, 3, sharey=True)
    runs = data.runs("regions", ["hidden", "epoch"])
    runs["ratio"] = runs["value"] / runs["neurons"] ** 2
    for i, name in enumerate(NETWORKS):
        mine = runs[runs["hidden"] == name]
        style = {"label": name, "colour": (*COLOURS, QUIET)[i], "style": "o-" if name.endswith("³") else "s--"}
        first = mine[mine["epoch"] <= 0.55]
        plot_band(early, first["epoch"], first["ratio"], **style)
        plot_band(whole, mine["epoch"], mine["ratio"], **style)
        means = mine.groupby("epoch")[["train_accuracy", "ratio"]].mean()
        accuracy.plot(means["train_accuracy"], means["ratio"], style["style"], ms=3, lw=1.2, color=style["colour"])
    for ax, title in ((early, "the first half epoch"), (whole, "the whole training"), (accuracy, "against accuracy")):
        finish(ax, title)
    early.set_ylabel("regions / N²")
    accuracy.set_xlabel("training accuracy")
    figure.legend(*whole.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def finish(ax: Axes, title: str) -> None:
    """Title, level and frame."""
    ax.axhline(0.5, color=QUIET, lw=1.0, ls=":")
    ax.set_title(title, fontsize="medium")
    ax.set(xlabel="epoch", ylim=(0.0, None))
    tidy(ax)


def findings(data: Data) -> list[Finding]:
    """At the start about N^2 / 2 whatever the depth; later within a small factor of it."""
    runs = data.runs("regions", ["hidden", "epoch"])
    runs["ratio"] = runs["value"] / runs["neurons"] ** 2
    found = []
    for name in NETWORKS:
        mine = runs[runs["hidden"] == name]
        start = mine[mine["epoch"] == 0]["ratio"]
        found.append(
            Finding(f"{name}: regions / N² at the start", mean_sd(start), "about 1/2", within(start, 0.4, 0.65))
        )
        first = mine[mine["epoch"] == 0].set_index("seed")["value"]
        top = mine.groupby("seed")["value"].max() / first
        found.append(
            Finding(
                f"{name}: largest count of a run / its first", mean_sd(top), "a small factor", within(top, 1.0, 3.0)
            )
        )
    costs = data.costs([line for line in data.lines if line.labels["hidden"] == "[64]⁴"])
    if len(costs):
        mine = data.rows("regions", hidden="[64]⁴")
        each, steps = len(mine) / max(mine["seed"].nunique(), 1), mine["step"].max()
        said = f"{each:.0f} counts {costs['measuring'].mean():.2g} s, training of {steps:,} steps "
        said += f"{costs['training'].mean():.2g} s"
        theirs = "their trainings are of 9,360 steps"
        found.append(Finding("[64]⁴: a run on one thread", said, theirs, NOTED))
    return found


FIGURE = Figure(
    name="counts",
    title="Regions in planes through training",
    source="Hanin and Rolnick, NeurIPS 2019, figure 4",
    claim="The number of activation regions in a plane begins near N²/2 whatever the depth, and stays within a small "
    "factor of that through training.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The planes pass through the origin and two training examples; with biases of standard deviation 0.001 most "
    "of their regions lie near the origin, far from the data. The authors count in a square of forty times the data's "
    "size, we in the whole plane.",
)
