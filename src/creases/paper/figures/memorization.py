"""Random labels and noise images, learned by heart: NeurIPS figure 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import Fewer, LabelNoise, OriginPlanes, PixelNoise
from creases.paper.curves import draw_curves, factor_findings, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, above, mean_sd
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
    epochs = size.pick(200, 400, 50)
    images = size.pick(Fewer(size.images, 1000), size.images, size.images)
    early = (0, 0.5, 2, 5, 10, 20)
    moments = (*early, *(at for at in (50, 100, 200, 400) if at <= epochs))
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(3, 5, 10)))
    fractions = size.pick((0.0, 0.4, 1.0), FRACTIONS, FRACTIONS)
    found = [
        Line(
            Experiment(LabelNoise(images, fraction), WIDTHS, measures, moments, seeds=seeds),
            {"noise": fraction, "kind": LABELS},
        )
        for fraction in fractions
    ]
    noise = Experiment(PixelNoise(images), WIDTHS, measures, moments, seeds=seeds)
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
    """Counts exceed those at the start by a small factor only, at the end where noise was learned; more noise, more."""
    runs = data.growth(["noise", "kind"])
    labels, images = runs[runs["kind"] == LABELS], runs[runs["kind"] == IMAGES]
    found = factor_findings(labels, "noise", FRACTIONS, 4.0, "a small factor", "{:.0%} of labels random")
    found += factor_findings(images, "kind", [IMAGES], 4.0, "a small factor")
    ends = last_of_each(labels, ["noise"])
    for name, factors in [
        *((f"{noise:.0%} of labels random", ends[ends["noise"] == noise]["factor"]) for noise in FRACTIONS),
        (IMAGES, last_of_each(images, ["kind"])["factor"]),
    ]:
        if len(factors):
            clean = name.startswith("0%")
            verdict = above(-factors, -1.0) if clean else above(factors, 1.0)
            what, authors = f"{name}: regions at the end / at the start", "at most 1" if clean else "above 1"
            found.append(Finding(what, mean_sd(factors), f"{authors} (only learning noise takes more)", verdict))
    # The same seed begins with the same weights, whatever the labels.
    table = ends.pivot_table(index="seed", columns="noise", values="value")
    if table.shape[1] > 1:
        least, most = table.columns.min(), table.columns.max()
        ratios = (table[most] / table[least]).dropna()
        what = f"regions at the end, {most:.0%} of labels random / {least:.0%}"
        found.append(Finding(what, mean_sd(ratios), "more noise, more regions", above(ratios, 1.0)))
    return found


FIGURE = Figure(
    name="memorization",
    title="Learning noise by heart",
    source="Hanin and Rolnick, NeurIPS 2019, figure 5",
    claim="Even a network that memorizes random labels or noise has only a small factor more regions than it began "
    "with, nothing like the exponential maximum.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors' number of epochs is not known for certain. With 4,000 images (1,000 at smoke) there are 31 "
    "steps "
    "an epoch (7) where they have 468, so noise is learned in the more epochs; the accuracy that was reached is said. "
    "Planes pass through the origin and two of the examples that are learned, so with noise images through two of "
    "those: "
    "what the authors took is not known.",
)
