"""The sawtooth under noise: 2^L pieces, until its numbers are not exact. The companion paper's figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.paper.choices import RandomPoints, UnitSegment
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, judge, mean_sd, within
from creases.paper.measures import Regions
from creases.paper.sawtooth import SCALES
from creases.paper.starts import Sawtooth
from creases.plot import new_figure
from creases.plot.figure import COLOURS, INK, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

# Scales of the noise, beside weights of 1, 2 and 4. At the one that is judged a fifth of the pieces is "almost none".
SHOWN = (1e-3, 1e-2, 0.1, 0.3, 1.0)
JUDGED, ALMOST_NONE = 0.1, 0.2


def depths(size: Size) -> tuple[int, ...]:
    """Those of the sawtooths."""
    return size.pick((4, 6, 8, 10), (4, 6, 8, 10, 12, 14), (4, 6, 8, 10, 12, 14, 16))


def lines(size: Size) -> list[Line]:
    """One experiment a depth and a scale of the noise. The task is there for its one input: nothing is trained."""
    seeds = range(size.pick(10, 50, 200))
    return [
        Line(
            Experiment(
                RandomPoints(1, n_in=1),
                (2,) * depth,
                (Regions(UnitSegment()),),
                initialisation=Sawtooth(noise),
                seeds=tuple(seeds) if noise else (0, 1, 2),
            ),
            {"depth": depth, "noise": noise},
        )
        for depth in depths(size)
        for noise in SCALES
    ]


def draw(data: Data) -> Picture:
    """Pieces against the noise, a curve a depth; and against the depth, a curve a noise."""
    figure = new_figure(10.5, 3.9)
    left, right = figure.subplots(1, 2, sharey=True)
    runs = data.runs("regions", ["depth", "noise"])
    noisy = runs[runs["noise"] > 0]
    for i, depth in enumerate(sorted(runs["depth"].unique())):
        mine, colour = noisy[noisy["depth"] == depth], (*COLOURS, QUIET)[i % 7]
        # Dots, not bands: on this axis a mean less its standard deviation may be nowhere.
        left.plot(mine["noise"], mine["value"], ".", color=colour, alpha=0.25, ms=4, mew=0)
        means = mine.groupby("noise")["value"].mean()
        left.plot(means.index, means, "o-", color=colour, ms=3.0, lw=1.4, label=f"L = {depth}")
        left.axhline(2.0**depth, color=colour, lw=0.9, ls="--")
    left.plot([], [], "--", color=QUIET, lw=0.9, label="2^L, without noise")
    there = np.array(sorted(runs["depth"].unique()))
    right.plot(there, 2.0**there, "--", color=QUIET, lw=1.0, label="2^L, without noise")
    for i, noise in enumerate(SHOWN):
        mine = noisy[noisy["noise"] == noise]
        means = mine.groupby("depth")["value"].mean()
        right.plot(means.index, means, "o-", color=COLOURS[i], ms=3.0, lw=1.4, label=f"noise {noise:g}")
    right.plot(there, 2.0 * there + 1, ":", color=INK, lw=1.2, label="N + 1")
    left.set(xscale="log", yscale="log", xlabel="standard deviation of the noise", ylabel="pieces on [0, 1]")
    right.set(xlabel="depth L (N = 2 L neurons)", xticks=there)
    left.set_ylim(bottom=0.8)
    for ax in (left, right):
        tidy(ax)
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def findings(data: Data) -> list[Finding]:
    """Without noise exactly 2^L pieces; with some of it, nearly none of them."""
    runs = data.runs("regions", ["depth", "noise"])
    runs["share"] = runs["value"] / 2.0 ** runs["depth"].astype(float)
    runs["a neuron"] = runs["value"] / (runs["neurons"] + 1)
    exact = runs[runs["noise"] == 0]
    found = [
        Finding(
            "without noise: pieces / 2^L, all depths",
            mean_sd(exact["share"]),
            "exactly 1",
            judge(bool((exact["share"] == 1).all()), len(exact)),
        )
    ]
    deepest = runs[runs["depth"] == runs["depth"].max()]
    for noise in SHOWN:
        mine = deepest[deepest["noise"] == noise]
        judged = noise == JUDGED
        found.append(
            Finding(
                f"noise {noise:g}, the deepest{depth_of(mine)}: share of the 2^L pieces that is left",
                mean_sd(mine["share"]),
                "almost none, if this noise is small" if judged else "",
                within(mine["share"], 0.0, ALMOST_NONE) if judged else NOTED,
            )
        )
        found.append(Finding(f"noise {noise:g}, the deepest: pieces / (N + 1)", mean_sd(mine["a neuron"]), "", NOTED))
    for noise in SHOWN:
        rates = growth(runs[runs["noise"] == noise])
        what = f"noise {noise:g}: pieces grow by this factor a layer"
        found.append(Finding(what, mean_sd(rates), "2 without noise", NOTED))
    return found


def depth_of(runs: pandas.DataFrame) -> str:
    """Which depth that is, in words."""
    return f" (L = {runs['depth'].iloc[0]})" if len(runs) else ""


def growth(runs: pandas.DataFrame) -> list[float]:
    """For each seed the factor a layer of an exponential fitted to its pieces through the depths."""
    rates = []
    for _, mine in runs.groupby("seed"):
        if mine["depth"].nunique() > 1:
            rates.append(float(np.exp(np.polyfit(mine["depth"].astype(float), np.log(mine["value"]), 1)[0])))
    return rates


FIGURE = Figure(
    name="sawtooth",
    title="The sawtooth under noise",
    source="Hanin and Rolnick, ICML 2019, the figure of the perturbed sawtooth",
    claim="A network of L layers of two neurons can fold [0, 1] into 2^L pieces; a little Gaussian noise on its "
    "weights and biases destroys almost all of them.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="Depths, scales of the noise and numbers of runs are ours: the authors' are not recovered. Their sawtooth "
    "may be written with other weights, to which the same noise does something else. What is counted are activation "
    "regions: without noise neurons at threshold touch the ends of teeth, with a little of it they cut them, so that "
    "there are more regions than 2^L before there are fewer.",
)
