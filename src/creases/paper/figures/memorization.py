"""Random labels and noise images, learned by heart: NeurIPS figure 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import LabelNoise, OriginPlanes, PixelNoise
from creases.paper.curves import draw_curves, factor_findings, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, judge, mean_sd
from creases.paper.measures import Regions
from creases.plot import epoch_axis, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
FRACTIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LABELS, IMAGES = "random labels", "noise images"


def lines(size: Size) -> list[Line]:
    """One experiment a fraction of random labels, and one with noise in the place of the images."""
    epochs = size.pick(100, 400, 50)
    early = (0, 0.5, 2, 5, 10, 20)
    moments = (*early, *(at for at in (50, 100, 200, 400) if at <= epochs))
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(3, 5, 10)))
    fractions = size.pick((0.0, 0.4, 1.0), FRACTIONS, FRACTIONS)
    found = [
        Line(
            Experiment(LabelNoise(size.images, fraction), WIDTHS, measures, moments, seeds=seeds),
            {"noise": fraction, "kind": LABELS},
        )
        for fraction in fractions
    ]
    noise = Experiment(PixelNoise(size.images), WIDTHS, measures, moments, seeds=seeds)
    return [*found, Line(noise, {"noise": 1.0, "kind": IMAGES})]


def draw(data: Data) -> Picture:
    """Regions against epoch and against accuracy, for each fraction; noise images beside."""
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


def findings(data: Data) -> list[Finding]:
    """Counts exceed those at the start by a small factor only; more noise that is learned, more regions."""
    runs = data.growth(["noise", "kind"])
    labels, images = runs[runs["kind"] == LABELS], runs[runs["kind"] == IMAGES]
    small = "above the start only when noise is learned, by a small factor"
    found = factor_findings(labels, "noise", FRACTIONS, 4.0, small, "{:.0%} of labels random")
    found += factor_findings(images, "kind", [IMAGES], 4.0, small)
    ends = last_of_each(labels, ["noise"])
    if len(ends):
        means = ends.groupby("noise")["value"].mean()
        most, least = means.index.max(), means.index.min()
        more = ends[ends["noise"] == most]["value"]
        found.append(
            Finding(
                f"regions at the end, {most:g} of labels random / {least:g}",
                f"{means[most] / means[least]:.3g} ({mean_sd(more, ',.0f')})",
                "more noise, more regions",
                judge(bool(means[most] > means[least]) and most > least, len(more)),
            )
        )
    return found


FIGURE = Figure(
    name="memorization",
    title="Learning noise by heart",
    source="Hanin and Rolnick, NeurIPS 2019, figure 5",
    claim="Even a network that memorizes random labels or noise has only a small factor more regions than it began "
    "with, "
    "nothing like the exponential maximum.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors' number of epochs is not known for certain. With 4,000 images there are 31 steps an epoch "
    "where "
    "they have 468, so noise is learned in the more epochs; the accuracy that was reached is said.",
)
