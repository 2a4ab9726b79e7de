"""Regions along lines through training, over N: the companion paper's counts in one dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import LabelNoise, OriginLines, PixelNoise
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, mean_sd, within
from creases.paper.measures import Regions
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {"[60]": (60,), "[20]³": (20,) * 3, "[32]³": (32,) * 3, "[80]³": (80,) * 3, "[16]⁴": (16,) * 4}
# What [32]³ learns by heart.
TRUE, LABELS, PIXELS = "true labels", "random labels", "noise images"


def lines(size: Size) -> list[Line]:
    """Networks on the images, and one of them on random labels and on noise."""
    seeds, measures = tuple(range(size.pick(3, 10, 40))), (Regions(OriginLines(size.pick(25, 100, 100))),)
    moments = size.pick((0, 0.25, 1, 4, 12), (0, 0.25, 1, 2, 5, 10, 30), (0, 1, 2, 5, 10, 20, 50, 100, 200))
    found = [
        Line(
            Experiment(size.images, widths, measures, moments, seeds=seeds),
            {"hidden": name, "learned": TRUE},
        )
        for name, widths in NETWORKS.items()
    ]
    for learned, task in ((LABELS, LabelNoise(size.images, 1.0)), (PIXELS, PixelNoise(size.images))):
        experiment = Experiment(task, NETWORKS["[32]³"], measures, moments, seeds=seeds)
        found.append(Line(experiment, {"hidden": "[32]³", "learned": learned}))
    return found


def with_ratio(data: Data) -> pandas.DataFrame:
    """For each run and moment the mean over lines of regions / N."""
    runs = data.runs("regions", ["hidden", "learned", "epoch"])
    runs["ratio"] = runs["value"] / runs["neurons"]
    return runs


def draw(data: Data) -> Picture:
    """Networks on true labels; then what one of them learns by heart, against epoch and accuracy."""
    figure = new_figure(10.5, 4.1)
    networks, tasks, accuracy = figure.subplots(1, 3, sharey=True)
    runs = with_ratio(data)
    for i, name in enumerate(NETWORKS):
        mine = runs[(runs["hidden"] == name) & (runs["learned"] == TRUE)]
        plot_band(networks, mine["epoch"], mine["ratio"], label=name, colour=COLOURS[i])
    for i, learned in enumerate((TRUE, LABELS, PIXELS)):
        mine = runs[(runs["hidden"] == "[32]³") & (runs["learned"] == learned)]
        plot_band(tasks, mine["epoch"], mine["ratio"], label=learned, colour=COLOURS[i], style="s-")
        means = mine.dropna(subset=["train_accuracy"]).groupby("epoch")[["train_accuracy", "ratio"]].mean()
        accuracy.plot(means["train_accuracy"], means["ratio"], "s-", ms=3, lw=1.2, color=COLOURS[i])
    titles = ("networks, true labels", "[32]³: what it learns", "[32]³: against accuracy")
    for ax, title in zip((networks, tasks, accuracy), titles, strict=True):
        ax.axhline(1.0, color=QUIET, lw=1.0, ls=":")
        ax.set_title(title, fontsize="medium")
        tidy(ax)
    for ax in (networks, tasks):
        epoch_axis(ax, runs["epoch"].max())
        ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)
    networks.set(ylabel="regions on a line / N", ylim=(0.0, None))
    accuracy.set_xlabel("training accuracy")
    return figure


def findings(data: Data) -> list[Finding]:
    """About N regions on a line, at the start and all the way, for each network and task."""
    runs, found = with_ratio(data), []
    for line in data.lines:
        hidden, learned = line.labels["hidden"], line.labels["learned"]
        mine = runs[(runs["hidden"] == hidden) & (runs["learned"] == learned)]
        name = f"{hidden}, {learned}"
        start = mine[mine["epoch"] == 0]["ratio"]
        found.append(Finding(f"{name}: regions / N at the start", mean_sd(start), "about 1", within(start, 0.8, 1.2)))
        by_run = mine.sort_values("epoch").groupby("seed")["ratio"]
        for what, values in (("smallest", by_run.min()), ("largest", by_run.max())):
            found.append(
                Finding(
                    f"{name}: {what} of a run through training",
                    mean_sd(values),
                    "in the vicinity of 1",
                    within(values, 0.5, 2.0),
                )
            )
        if learned != TRUE:
            last = mine.dropna(subset=["train_accuracy"]).sort_values("epoch").groupby("seed")["train_accuracy"].last()
            found.append(Finding(f"{name}: training accuracy at the end", mean_sd(last, ".2f"), "1", NOTED))
    counts = data.rows("regions")
    for hidden, mine in counts.groupby("hidden"):
        neurons = int(mine["neurons"].iloc[0])
        most, above = mine["value"].max() / (neurons + 1), (mine["value"] > neurons + 1).mean()
        theirs = "1 and 0: a neuron cuts a line once" if hidden == "[60]" else ""
        what = f"{hidden}: the most regions of any line / (N + 1); share of lines with more than N + 1"
        found.append(Finding(what, f"{most:.3g}; {100 * above:.3g} % of {len(mine):,}", theirs, NOTED))
    return found


FIGURE = Figure(
    name="lines",
    title="Regions along lines through training",
    source="Hanin and Rolnick, ICML 2019, counts along lines",
    claim="Along a line through the origin and an image there are about N regions, at initialization and through "
    "training, also where labels or images are noise and are learned by heart.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors' networks for this figure are known for [32]³ only. Where the images are noise there is no "
    "test set, and lines go through images that are learned. With biases of standard deviation 0.001 most of the "
    "regions lie near the origin, far from the image.",
)
