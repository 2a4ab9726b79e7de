"""The sawtooth under noise: 2^L pieces, as long as its weights are exact. The companion paper's figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.paper.choices import RandomPoints, UnitSegment
from creases.paper.claims import FigureFinding, below, equal_to, judged, noted
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.sawtooth import ALMOST_NONE, SCALES, TYPICAL, least_noise, share_of_weight
from creases.paper.starts import Sawtooth
from creases.plot import new_figure
from creases.plot.figure import COLOURS, INK, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

# The scales of the noise for which the growth with the depth is drawn and judged.
SHOWN = (1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0)

EXACTLY_ONE = equal_to(1.0, "exactly 1 (Telgarsky 2015)", check=True)
# More than a tenth of a typical weight is not "a little noise", and is only noted.
LITTLE = 0.1 * TYPICAL
FEW = below(
    ALMOST_NONE,
    "almost none, where a little noise is as much as this",
    why="ours: almost all of the pieces are 99 in 100",
)
SLOW = below(
    2.0**0.5,
    "far below 2, where a little noise is as much as this",
    why="ours: half of the exponent, log 2 a layer, is gone",
)


def depths(size: Size) -> tuple[int, ...]:
    """The depths of the sawtooths."""
    return size.pick((4, 6, 8, 10, 12), (4, 6, 8, 10, 12, 14, 16), (4, 6, 8, 10, 12, 14, 16, 18))


def lines(size: Size) -> list[TableLine]:
    """One experiment per depth and scale of the noise. The task only determines the single input: nothing is
    trained."""
    seeds = range(size.pick(10, 50, 200))
    return [
        TableLine(
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
    """Pieces against the noise, with one curve per depth; and against the depth, with one curve per noise."""
    figure = new_figure(10.5, 3.9)
    left, right = figure.subplots(1, 2, sharey=True)
    runs = data.runs("regions", ["depth", "noise"])
    noisy = runs[runs["noise"] > 0]
    for i, depth in enumerate(sorted(runs["depth"].unique())):
        mine, colour = noisy[noisy["depth"] == depth], (*COLOURS, QUIET)[i % 7]
        # Dots, not bands: on this logarithmic axis a mean minus its standard deviation may not exist.
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
        right.plot(means.index, means, "o-", color=COLOURS[i % len(COLOURS)], ms=3.0, lw=1.4, label=f"noise {noise:g}")
    right.plot(there, 2.0 * there + 1, ":", color=INK, lw=1.2, label="N + 1")
    left.set(xscale="log", yscale="log", xlabel="standard deviation of the noise", ylabel="pieces on [0, 1]")
    right.set(xlabel="depth L (N = 2 L neurons)", xticks=there)
    left.set_ylim(bottom=0.8)
    for ax in (left, right):
        tidy(ax)
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """Without noise exactly 2^L pieces; with each scale of noise, the fraction that remains and its growth with L."""
    runs = data.runs("regions", ["depth", "noise"])
    runs["share"] = runs["value"] / 2.0 ** runs["depth"].astype(float)
    found = [judged("without noise: pieces / 2^L, all depths", runs[runs["noise"] == 0]["share"], EXACTLY_ONE)]
    deepest = runs[runs["depth"] == runs["depth"].max()]
    depth = f"L = {deepest['depth'].iloc[0]}" if len(deepest) else "the deepest"
    for noise in SCALES[1:]:
        mine = deepest[deepest["noise"] == noise]
        what = f"noise {noise:g} ({share_of_weight(noise)}), {depth}: share of the 2^L pieces that is left"
        per_neuron = (mine["value"] / (mine["neurons"] + 1)).mean()
        more = f"; {per_neuron:.3g} (N + 1) pieces" if len(mine) else ""
        share = mine["share"]
        found.append(judged(what, share, FEW, more=more) if noise <= LITTLE else noted(what, share, more=more))
    for noise in SHOWN:
        rates = growth(runs[runs["noise"] == noise])
        what = f"noise {noise:g}: pieces grow by this factor a layer"
        found.append(judged(what, rates, SLOW) if noise <= LITTLE else noted(what, rates))
    for level, words in ((0.5, "half"), (ALMOST_NONE, f"{ALMOST_NONE:.0%}")):
        found.append(noted(f"noise that leaves {words} of the 2^L pieces, on average", leaves(runs, level)))
    return found


def leaves(runs: pandas.DataFrame, level: float) -> str:
    """For each depth, the noise that leaves a fraction of the pieces, also relative to a weight, in words."""
    parts = []
    for depth, mine in runs.groupby("depth"):
        means = mine.groupby("noise")["share"].mean()
        noise = least_noise(list(means.index), list(means), level)
        said = f"{noise:.2g} ({share_of_weight(noise)})" if np.isfinite(noise) else "none of these"
        parts.append(f"L = {depth}: {said}")
    return "; ".join(parts) or "no runs"


def growth(runs: pandas.DataFrame) -> list[float]:
    """For each seed, the factor per layer of an exponential fitted to its pieces as a function of the depth."""
    rates = []
    for _, mine in runs.groupby("seed"):
        if mine["depth"].nunique() > 1:
            rates.append(float(np.exp(np.polyfit(mine["depth"].astype(float), np.log(mine["value"]), 1)[0])))
    return rates


FIGURE = Figure(
    name="sawtooth",
    title="The sawtooth under noise",
    source="Hanin and Rolnick, ICML 2019, the figure of the perturbed sawtooth",
    claim="A network of L layers of two neurons can fold [0, 1] into 2^L pieces; a small Gaussian noise on its "
    "weights and biases destroys almost all of them.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="a sawtooth network with Gaussian noise on weights and biases; its depth, the scale of the noise and the "
    "number of runs are not known.",
    doubts="Depths, scales of the noise and numbers of runs are ours, so every scale up to a tenth of the typical "
    "weight (the root mean square of 2 and 4) is judged, and larger noise is not considered small. The authors' "
    "sawtooth may have other weights, on which the same noise has another effect. Activation regions are counted: "
    "without noise, thresholds of neurons coincide with the ends of teeth, and with small noise they cut the teeth, "
    "so there are more than 2^L regions before there are fewer. For one seed, the noise is the same draw at all "
    "scales.",
)
