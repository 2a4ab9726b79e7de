"""Regions along lines during training, divided by N: the companion paper's counts in one dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import Fewer, LabelNoise, OriginLines, PixelNoise
from creases.paper.claims import FigureFinding, always, between, judged, noted
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.steps import AUTHORS_EPOCH, AUTHORS_HEART, authors_epochs, steps_done
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

ONE_LAYER, OURS = "[60]", "[32]³"
NETWORKS = {ONE_LAYER: (60,), "[20]³": (20,) * 3, OURS: (32,) * 3, "[80]³": (80,) * 3, "[16]⁴": (16,) * 4}
# The tasks. Few images are memorised with any labels; the same images with true labels are compared.
TRUE, FEW, LABELS, PIXELS = "true labels", "few images", "random labels", "noise images"
# From this training accuracy on, examples count as memorised.
LEARNED = 0.99

AT_START = between(0.9, 1.1, "about 1", why="ours: a tenth on either side of 1")
WHY = "ours: a quarter on either side of 1"
TRAINED = between(0.75, 1.25, "in the vicinity of 1", steps=AUTHORS_EPOCH, why=f"{WHY}; from their epoch 1 on")
BY_HEART = between(0.75, 1.25, "in the vicinity of 1", steps=AUTHORS_HEART, why=WHY)
BESIDE = between(0.8, 1.25, "no more for noise", steps=AUTHORS_HEART, why="ours: a fifth fewer, a quarter more")
HYPERPLANES = always("N + 1: N hyperplanes meet a line once each", why="a theorem", check=True)


def lines(size: Size) -> list[TableLine]:
    """Networks on the images, and one of them on few images, on random labels and on noise."""
    seeds, measures = tuple(range(size.pick(3, 10, 40))), (Regions(OriginLines(size.pick(25, 100, 100))),)
    first, last = authors_epochs(size)
    moments = size.pick((0, 0.25, 1, 4, first), (0, 0.25, 1, 2, 5, first, 30), (0, 1, 2, 5, 10, 20, 50, 100, 200))
    found = []
    for name, widths in NETWORKS.items():
        # One network is trained as long as the authors' networks, in fewer runs.
        longer = size.rank == 1 and name == OURS and last > moments[-1]
        when, some = ((*moments, 100, last), seeds[:5]) if longer else (moments, seeds)
        experiment = Experiment(size.images, widths, measures, when, seeds=some)
        found.append(TableLine(experiment, {"hidden": name, "learned": TRUE}))
    few = size.images if size.rank == 2 else Fewer(size.images, 1000)
    moments = size.pick((0, 2, 20, 100), (0, 2, 5, 20, 50, 100, 200), moments)
    for learned, task in ((FEW, few), (LABELS, LabelNoise(few, 1.0)), (PIXELS, PixelNoise(few))):
        if learned != FEW or size.rank < 2:
            experiment = Experiment(task, NETWORKS[OURS], measures, moments, seeds=seeds)
            found.append(TableLine(experiment, {"hidden": OURS, "learned": learned}))
    return found


def with_ratio(data: Data) -> pandas.DataFrame:
    """For each run and moment, the mean over lines of regions / N."""
    runs = data.runs("regions", ["hidden", "learned", "epoch"])
    runs["ratio"] = runs["value"] / runs["neurons"]
    return runs


def draw(data: Data) -> Picture:
    """Networks on true labels; then the tasks that one of them memorises, against epoch and accuracy."""
    figure = new_figure(10.5, 4.1)
    networks, tasks, accuracy = figure.subplots(1, 3, sharey=True)
    runs = with_ratio(data)
    for i, name in enumerate(NETWORKS):
        mine = runs[(runs["hidden"] == name) & (runs["learned"] == TRUE)]
        plot_band(networks, mine["epoch"], mine["ratio"], label=name, colour=COLOURS[i])
    for i, learned in enumerate(dict.fromkeys(line.labels["learned"] for line in data.lines)):
        mine = runs[(runs["hidden"] == OURS) & (runs["learned"] == learned)]
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
        ax.legend(frameon=False, fontsize="small", loc="lower left")
    networks.set(ylabel="regions on a line / N", ylim=(0.0, None))
    accuracy.set_xlabel("training accuracy")
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """About N regions on a line at fixed moments; also after noise was memorised; and the excess over N + 1."""
    runs, found = with_ratio(data), []
    for line in data.lines:
        hidden, learned = line.labels["hidden"], line.labels["learned"]
        mine = runs[(runs["hidden"] == hidden) & (runs["learned"] == learned)]
        if hidden == ONE_LAYER:  # always N + 1: see `crossings`
            continue
        if learned != LABELS:  # for those, networks and lines are those of true labels
            found.append(judged(f"{hidden}, {learned}, start: regions / N", ratios(mine, 0), AT_START))
        end, name = line.experiment.moments[-1], f"{hidden}, {learned}"
        if learned != TRUE:
            found += by_heart(name, mine, end, steps_done(data, line, end), claimed=learned != FEW)
            continue
        for epoch in dict.fromkeys((1, authors_epochs(data.size)[0], end)):
            if epoch in line.experiment.moments:
                steps, values = steps_done(data, line, epoch), ratios(mine, epoch)
                what = f"{name}, {steps:,.0f} steps: regions / N"
                early = steps < AUTHORS_EPOCH
                found.append(noted(what, values) if early else judged(what, values, TRAINED, steps=steps))
    return found + beside_true(data, runs) + crossings(data)


def ratios(runs: pandas.DataFrame, epoch: float) -> pandas.Series[float]:
    """Regions / N at a moment, by seed."""
    return runs[runs["epoch"] == epoch].set_index("seed")["ratio"]


def by_heart(name: str, runs: pandas.DataFrame, end: float, steps: float, *, claimed: bool) -> list[FigureFinding]:
    """The training accuracy at the end, after this many steps; and the regions, judged only if all examples were
    memorised.

    claimed : whether the authors train on this task; few images with their own labels are our comparison, and are only
        noted.
    """
    accuracy = runs[runs["epoch"] == end]["train_accuracy"].dropna()
    # The tests of the report, and an incomplete store, have no accuracies.
    learned = len(accuracy) == 0 or accuracy.mean() >= LEARNED
    word = "learned by heart" if learned else "not learned"
    found = [noted(f"{name}, end: training accuracy", accuracy, form=".3f", more=f": {word}" if len(accuracy) else "")]
    what, values = f"{name}, end: regions / N", ratios(runs, end)
    if not learned:
        return [*found, noted(f"{what}, {word}", values)]
    return [*found, judged(what, values, BY_HEART, steps=steps) if claimed else noted(what, values)]


def beside_true(data: Data, runs: pandas.DataFrame) -> list[FigureFinding]:
    """The ratio of noise to true labels at the end, after as many steps on as many images, run by run."""
    found, of = [], {line.labels["learned"]: line for line in data.lines if line.labels["hidden"] == OURS}
    base = of.get(FEW, of.get(TRUE))
    for learned in (LABELS, PIXELS):
        if base is not None and learned in of:
            end = of[learned].experiment.moments[-1]
            some, others = (
                ratios(runs[(runs["hidden"] == OURS) & (runs["learned"] == name)], end)
                for name in (learned, base.labels["learned"])
            )
            what = f"{OURS}, end: regions with {learned} / with true labels, after as many steps"
            found.append(judged(what, (some / others).dropna(), BESIDE, steps=steps_done(data, of[learned], end)))
    return found


def crossings(data: Data) -> list[FigureFinding]:
    """One layer has N + 1 regions on every line; how far deeper networks exceed this."""
    found, counts = [], data.rows("regions")
    for hidden, mine in counts.groupby("hidden"):
        neurons = int(mine["neurons"].iloc[0])
        if hidden == ONE_LAYER:
            equal = (mine["value"] == neurons + 1).groupby(mine["seed"]).all().astype(float)
            found.append(judged(f"{hidden}: runs with N + 1 regions on each line, always", equal, HYPERPLANES))
            continue
        most, above = mine["value"].max() / (neurons + 1), (mine["value"] > neurons + 1).mean()
        what = f"{hidden}: the most regions of any line / (N + 1); share of lines with more than N + 1"
        found.append(noted(what, f"{most:.3g}; {100 * above:.3g} % of {len(mine):,}"))
    return found


FIGURE = Figure(
    name="lines",
    title="Regions along lines through training",
    source="Hanin and Rolnick, ICML 2019, counts along lines",
    claim="Along a line through the origin and an image there are about N regions, at initialization and through "
    "training, also if labels or images are noise and are learned by heart.",
    regime="[32]³ and others; 60,000 images, 20 epochs of 468 steps, with noise 200; lines through the origin and 100 "
    "test images; 40 runs.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors' networks for this figure are known for [32]³ only. With noise images there is no test set, "
    "and lines go through training images. With biases of standard deviation 0.001 most of the regions lie near the "
    "origin, far from the image. Noise is learned by heart from 1,000 images, and compared with the same 1,000 with "
    "true labels: an epoch has 7 steps, the authors' has 468. Claims about noise at the end are about "
    f"{AUTHORS_HEART:,} steps: fewer steps can confirm them, but not refute them. The numbers of steps of the authors' "
    "epochs 1 and 20 are 16 and 302 passes over 4,000 images. All runs have the same lines.",
)
