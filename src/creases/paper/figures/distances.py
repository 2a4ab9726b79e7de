"""Distance to the nearest boundary of a region, times N: the companion paper's figures of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.paper.curves import last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, interval, mean_sd, within
from creases.paper.measures import Distances
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, INK, QUIET, tidy
from creases.training import GaussianBiases, Initialisation

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

FEW = ((20, 3), (40, 3), (80, 3), (16, 4), (64, 4))
# Width and depth.
ALL = (*((w, 3) for w in (20, 40, 60, 80)), *((w, 4) for w in (16, 32, 64, 128)), *((w, 5) for w in (25, 50, 75, 100)))
BIASES = (0.1, 1e-3)
KINDS = {"train": COLOURS[0], "test": COLOURS[1], "noise": COLOURS[2]}
DEPTHS = {3: (COLOURS[0], "o-"), 4: (COLOURS[1], "s--"), 5: (COLOURS[2], "^:")}
GUIDES = (0.4, 1.5)
# The upper one is 1.5 in one script and 2 in another.
CLAIMED = (0.4, 2.0)


def lines(size: Size) -> list[Line]:
    """One experiment a network and a standard deviation of the biases."""
    seeds, measures = tuple(range(size.pick(3, 10, 12))), (Distances(size.pick(100, 500, 10_000)),)
    moments = size.pick((0, 0.5, 1, 4), (0, 0.25, 1, 2, 5, 10), (0, 0.25, 0.5, 1, 2, 4, 6, 8, 10, 15, 20))
    return [
        Line(
            Experiment(
                size.images,
                (width,) * depth,
                measures,
                moments,
                initialisation=Initialisation(biases=GaussianBiases(bias)),
                seeds=seeds,
            ),
            {"hidden": name_of(width, depth), "depth": depth, "bias": bias},
        )
        for bias in BIASES
        for width, depth in size.pick(FEW, FEW, ALL)
    ]


def name_of(width: int, depth: int) -> str:
    """As [20]³."""
    return f"[{width}]{'⁰¹²³⁴⁵'[depth]}"


def times_neurons(data: Data) -> pandas.DataFrame:
    """Mean distances of each run and moment from points of each kind, times N too."""
    runs = data.runs("distance", ["hidden", "depth", "bias", "domain", "epoch"])
    runs["product"] = runs["value"] * runs["neurons"]
    return runs


def draw(data: Data) -> Picture:
    """A row a scale of the biases: distance x N against epoch and accuracy, distance against N."""
    figure = new_figure(10.5, 6.6)
    axes = figure.subplots(2, 3, sharey="col")
    runs = times_neurons(data)
    for row, bias in zip(axes, BIASES, strict=True):
        mine = runs[runs["bias"] == bias]
        for (depth, _, _), one in mine[mine["domain"] == "test"].groupby(["depth", "neurons", "hidden"]):
            colour, style = DEPTHS[int(depth)]
            plot_band(row[0], one["epoch"], one["product"], colour=colour, style=style)
            means = one.dropna(subset=["test_accuracy"]).groupby("epoch")[["test_accuracy", "product"]].mean()
            row[1].plot(means["test_accuracy"], means["product"], style, ms=3, lw=1.2, color=colour)
        against_neurons(row[2], mine)
        row[0].set(ylabel=f"distance × N\n(biases of sd {bias:g}, test images)")
        epoch_axis(row[0], mine["epoch"].max())
        row[1].set(xlabel="test accuracy")
        for ax in row[:2]:
            ax.axhspan(*GUIDES, color=QUIET, alpha=0.12, lw=0)
            ax.set_ylim(0.0, None)
        for ax in row:
            tidy(ax)
    for depth in sorted(runs["depth"].unique()):
        axes[0, 0].plot([], [], DEPTHS[int(depth)][1], color=DEPTHS[int(depth)][0], ms=3, label=f"depth {depth}")
    axes[0, 0].fill_between([], [], [], color=QUIET, alpha=0.12, lw=0, label="0.4 to 1.5")
    handles, names = axes[0, 0].get_legend_handles_labels()
    more, others = axes[0, 2].get_legend_handles_labels()
    figure.legend(handles + more, names + others, loc="outside right center", frameon=False, fontsize="small")
    return figure


def against_neurons(ax: Axes, runs: pandas.DataFrame) -> None:
    """Distance against N: hollow at the start, full at the end; guides 0.4 / N and 1.5 / N."""
    for kind, colour in KINDS.items():
        mine = runs[runs["domain"] == kind]
        for some, face, when in ((at_start(mine), "white", "start"), (at_end(mine), colour, "end")):
            means = some.groupby("neurons")["value"].mean()
            ax.plot(means.index, means, "o", ms=4.5, color=colour, mfc=face, label=f"{kind}, {when}")
    there = np.array(sorted(runs["neurons"].unique()), dtype=np.float64)
    for factor, style in zip(GUIDES, (":", "--"), strict=True):
        ax.plot(there, factor / there, style, color=INK, lw=1.0, label=f"{factor:g} / N")
    ticks = [N for N in (60, 120, 240, 480) if len(there) and there.min() / 1.2 < N < there.max() * 1.2]
    ax.set(xscale="log", yscale="log", xlabel="number of neurons N", ylabel="distance (pixels / 255)")
    ax.set_xticks(ticks, labels=[str(N) for N in ticks])
    ax.set_xticks([], minor=True)
    ax.set_yticks([1e-3, 3e-3, 1e-2, 3e-2], labels=["0.001", "0.003", "0.01", "0.03"])
    ax.set_yticks([], minor=True)


def at_start(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Of these, what was measured before training."""
    return runs[runs["epoch"] == 0]


def at_end(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Of these, what was measured last in each run."""
    return last_of_each(runs[runs["epoch"] > 0], ["hidden", "bias", "domain"])


def slopes(runs: pandas.DataFrame) -> list[float]:
    """For each seed the exponent of N in its distances."""
    found = []
    for _, mine in runs[runs["value"] > 0].groupby("seed"):
        if mine["neurons"].nunique() > 1:
            found.append(float(np.polyfit(np.log(mine["neurons"].astype(float)), np.log(mine["value"]), 1)[0]))
    return found


def findings(data: Data) -> list[Finding]:
    """Distances fall like 1 / N, with a factor between the guides, for each network and kind of points."""
    runs, found = times_neurons(data), []
    for bias in BIASES:
        of_bias = runs[runs["bias"] == bias]
        for when, some in (("start", at_start(of_bias)), ("end", at_end(of_bias))):
            for kind in KINDS:
                exponents = slopes(some[some["domain"] == kind])
                what = f"biases {bias:g}, {when}, {kind}: exponent of N in the distance"
                low, high = interval(exponents)
                measured = mean_sd(exponents) + (f", 95 % {low:.2f} to {high:.2f}" if len(exponents) > 1 else "")
                found.append(Finding(what, measured, "−1", within(exponents, -1.25, -0.75)))
        for hidden in of_bias.sort_values(["depth", "neurons"])["hidden"].unique():
            mine = of_bias[(of_bias["hidden"] == hidden) & (of_bias["domain"] == "test")]
            for when, some in (("start", at_start(mine)), ("end", at_end(mine))):
                what = f"biases {bias:g}, {hidden}, {when}, test: distance × N"
                product = some["product"]
                found.append(Finding(what, mean_sd(product), "guides at 0.4 and 1.5 or 2", within(product, *CLAIMED)))
    return found


FIGURE = Figure(
    name="distances",
    title="Distance to the nearest boundary",
    source="Hanin and Rolnick, ICML 2019, the figures of distances",
    claim="The mean distance from an input to the nearest boundary of a region, times the number of neurons, is "
    "roughly constant: over networks, through training, and for images as for noise.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors show biases of standard deviation 0.1 and of 0.001; which figure has which is not known, so "
    "both are here. Distances are to boundaries of activation regions, in pixels / 255. The guides are read from their "
    "scripts, 1.5 / N in one and 2 / N in another.",
)
