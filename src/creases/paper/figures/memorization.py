"""Memorised random labels and noise images: NeurIPS figure 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import Fewer, LabelNoise, OriginPlanes, PixelNoise, TaskChoice
from creases.paper.claims import Claim, FigureFinding, above, below, between, judged, noted
from creases.paper.curves import LEARNED, draw_curves, factor_finding, last_of_each, paired_ratio, paired_slope
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.steps import AUTHORS_HEART
from creases.plot import epoch_axis, new_figure

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
FRACTIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LABELS, IMAGES = "random labels", "noise images"

SMALL = between(0.5, 2.0, "a small factor", why="Ours: a factor of two to either side.")
# The figure's labels are random; noise images occur only in the companion paper, along lines.
SMALL_TOO = between(0.5, 2.0, "ours: a small factor", why="Ours: a factor of two to either side.")
FEWER = below(1.0, "not above 1: only learning noise takes more", steps=AUTHORS_HEART)
TAKES_MORE = above(1.0, "above 1: learning noise takes more", steps=AUTHORS_HEART)
RISES = above(0.0, "above 0: more noise, more regions", steps=AUTHORS_HEART)
BEYOND = above(1.0, "above 1: more noise, more regions", steps=AUTHORS_HEART)


def lines(size: Size) -> list[TableLine]:
    """One experiment per fraction of random labels, and one with noise in place of the images."""
    images = size.pick(Fewer(size.images, 1000), Fewer(size.images, 3000), size.images)
    moments = (0, 0.5, 2, 5, 10, 20, 50, 100, 200)
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(3, 10, 10)))

    def line(task: TaskChoice, noise: float, kind: str) -> TableLine:
        return TableLine(Experiment(task, WIDTHS, measures, moments, seeds=seeds), {"noise": noise, "kind": kind})

    fractions = size.pick((0.0, 0.4, 1.0), FRACTIONS, FRACTIONS)
    found = [line(LabelNoise(images, fraction), fraction, LABELS) for fraction in fractions]
    return [*found, line(PixelNoise(images), 1.0, IMAGES)]


def draw(data: Data) -> Picture:
    """Regions against epoch and against accuracy, for each fraction, and for noise images."""
    figure = new_figure(10.5, 3.6)
    epochs, accuracy, images = figure.subplots(1, 3, sharey=True)
    runs = data.growth(["noise", "kind"])
    labels = runs[runs["kind"] == LABELS]
    level = sum(WIDTHS) ** 2 / 2
    draw_curves(epochs, labels, "noise", FRACTIONS, value="value", sequence=True, level=level)
    means = labels.groupby(["noise", "epoch"])[["train_accuracy", "value"]].mean().reset_index()
    draw_curves(accuracy, means, "noise", FRACTIONS, at="train_accuracy", value="value", sequence=True, level=level)
    draw_curves(images, runs[runs["kind"] == IMAGES], "kind", [IMAGES], value="value", level=level)
    for ax, title in ((epochs, "random labels"), (accuracy, "against accuracy"), (images, "noise images")):
        ax.set_title(title, fontsize="medium")
        ax.set_ylim(bottom=0)
    for ax in (epochs, images):
        epoch_axis(ax, runs["epoch"].max())
    epochs.set_ylabel("regions in a plane (dotted: N²/2)")
    handles = epochs.get_legend_handles_labels()
    figure.legend(*handles, loc="outside right center", frameon=False, title="random labels")
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """Final counts exceed initial ones only by a small factor, if noise was memorised; with more noise, more."""
    runs = data.growth(["noise", "kind"])
    labels, images = runs[runs["kind"] == LABELS], runs[runs["kind"] == IMAGES]
    settings = [
        *((f"{noise:.0%} of labels random", labels[labels["noise"] == noise]) for noise in FRACTIONS),
        (IMAGES, images),
    ]
    steps = data.steps(data.lines[0])
    found = [
        factor_finding(mine, name, SMALL_TOO if name == IMAGES else SMALL, learned=True)
        for name, mine in settings
        if len(mine)
    ]
    found += [end_finding(mine, name, steps) for name, mine in settings if len(mine)]
    # The same seed gives the same initial weights for any labels.
    ends = last_of_each(labels, ["noise"])
    slopes = paired_slope(ends, "noise")
    many = ends["noise"].nunique()
    what = f"slope of log(count at the end / the first) on the fraction of random labels, over {many} fractions, a run"
    found.append(judged(what, slopes, RISES, steps=steps))
    what = "count at the end, all labels random / none, a run"
    found.append(judged(what, paired_ratio(ends, "noise", 1.0, 0.0), BEYOND, steps=steps))
    return found


def end_finding(runs: pandas.DataFrame, name: str, steps: int) -> FigureFinding:
    """The ratio of the final to the first count, judged if the labels are all true or all random, and were memorised.

    steps : the number of steps of the training.
    """
    end = last_of_each(runs, [])
    claim: Claim | None = {f"{0:.0%} of labels random": FEWER, f"{1:.0%} of labels random": TAKES_MORE}.get(name)
    accuracy = end["train_accuracy"].mean()
    what, more = f"{name}: count at the end / the first", f"; training accuracy {accuracy:.1%}"
    if claim is None or not accuracy >= LEARNED:
        return noted(what, end["factor"], more=more)
    return judged(what, end["factor"], claim, steps=steps, more=more)


FIGURE = Figure(
    name="memorization",
    title="Learning noise by heart",
    source="Hanin and Rolnick, NeurIPS 2019, figure 5",
    claim="Even a network that memorizes random labels has at most a small factor more regions than at "
    "initialization, far below the exponential maximum; it has more than a network that learns true labels.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="[32]³, 60,000 images of MNIST, six fractions of random labels, 468 steps of 128 an epoch, the number of "
    "epochs not known for certain (in a companion experiment on lines 200: 93,600 steps), 5 to 40 runs.",
    doubts=f"By heart is said where the training accuracy at the end is at least {LEARNED:.0%} in the mean. With 3,000 "
    "images (1,000 at smoke) there are 23 steps an epoch (7) where the authors have 468, and fewer labels to learn; "
    f"claims of more or fewer regions are about {AUTHORS_HEART:,} steps, and fewer steps do not refute them. The "
    "authors use images of noise along lines, not in planes. Planes pass through the origin and two of the training "
    "examples, so in the case of noise images through two of these; the authors' choice is not known. All runs have "
    "the same images and, except for noise images, the same planes; intervals are over weights, order and noise only.",
)
