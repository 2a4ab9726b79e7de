"""Distance to the nearest boundary of a region, times N: the companion paper's figures of distances."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING

import numpy as np

from creases.paper.claims import Finding, between, judged
from creases.paper.distance_picture import draw_distances
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Line, Size
from creases.paper.measures import DistanceHistogram
from creases.paper.regimes import EPOCH_1, EPOCH_20, authors_epochs, steps_at
from creases.training import GaussianBiases, Initialisation

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

    from creases.paper.claims import Claim

__all__ = ["FIGURE"]

FEW = ((20, 3), (40, 3), (80, 3), (16, 4), (64, 4))
# Width and depth.
ALL = (*((w, 3) for w in (20, 40, 60, 80)), *((w, 4) for w in (16, 32, 64, 128)), *((w, 5) for w in (25, 50, 75, 100)))
# The authors show the larger biases in one run, the smaller ones in twelve: only with these do we train as long.
BIASES = LARGE, SMALL = (0.1, 1e-3)
KINDS = ("train", "test", "noise")
# The constants of the authors' guides; the upper one is 1.5 in one of their scripts and 2 in another.
GUIDES, LEAST, MOST = (0.4, 1.5), 0.4, 2.0
START, FIRST, LAST = "start", "the authors' epoch 1", "the authors' epoch 20"
STEPS = {START: None, FIRST: EPOCH_1, LAST: EPOCH_20}
CONSTANT = "ours: a factor of 1.5 is what a curve may rise or fall and be called roughly constant"


def exponent(when: str) -> Claim:
    """The distance goes with the power -1 of N."""
    return between(-1.1, -0.9, "−1", steps=STEPS[when], why="ours: a tenth on either side of −1")


def guided(when: str) -> Claim:
    """The product lies between the guides."""
    return between(LEAST, MOST, "between guides at 0.4 and 1.5, or 2", steps=STEPS[when])


def constant(when: str) -> Claim:
    """The product hardly changes in a run."""
    return between(1 / 1.5, 1.5, "roughly constant", steps=STEPS[when], why=CONSTANT)


def alike(when: str) -> Claim:
    """Noise is as far from boundaries as images are."""
    return between(1 / 1.5, 1.5, "for noise as for images", steps=STEPS[when], why=CONSTANT)


def exponential(when: str) -> Claim:
    """The distances of a network have the exponential law."""
    why = "ours: were boundaries met as the points of one Poisson process, the median would be ln 2 of the mean; 5 %"
    return between(0.95 * log(2), 1.05 * log(2), "0.693, were it exponential", steps=STEPS[when], why=why)


def lines(size: Size) -> list[Line]:
    """One experiment a network and a standard deviation of the biases."""
    first, last = authors_epochs(size)
    measures = (DistanceHistogram(size.pick(100, 500, 10_000)),)
    short: tuple[float, ...] = (0, 0.25, 1, 4, 16)
    long: tuple[float, ...] = (*short, 64, 302)
    if (first, last) == (1, 20):
        short = long = (0, 0.25, 0.5, 1, 2, 4, 6, 8, 10, 15, 20)
    if size.rank == 0:
        short = long = (0, first)
    return [
        Line(
            Experiment(
                size.images,
                (width,) * depth,
                measures,
                long if bias == SMALL else short,
                initialisation=Initialisation(biases=GaussianBiases(bias)),
                seeds=tuple(range(size.pick(3, 4 if bias == SMALL else 8, 12))),
            ),
            {"hidden": f"[{width}]{'⁰¹²³⁴⁵'[depth]}", "depth": depth, "bias": bias},
        )
        for bias in BIASES
        for width, depth in size.pick(FEW, FEW, ALL)
    ]


def times_neurons(data: Data, measure: str = "distance") -> pandas.DataFrame:
    """Of each run, moment and kind of points: the mean distance (or another number of the distances), times N too."""
    runs = data.runs(measure, ["hidden", "depth", "bias", "domain", "epoch"])
    runs["product"] = runs["value"] * runs["neurons"]
    return runs


def draw(data: Data) -> Picture:
    """A row a scale of the biases: distance x N against epoch and accuracy, distance against N, the histogram."""
    return draw_distances(data, times_neurons(data), BIASES, GUIDES)


def moments(data: Data, bias: float) -> dict[str, tuple[float, float | None]]:
    """The start and the authors' epochs, where runs with these biases are measured: epoch here, steps until then."""
    mine = [line for line in data.lines if line.labels["bias"] == bias]
    first, last = authors_epochs(data.size)
    found: dict[str, tuple[float, float | None]] = {START: (0.0, None)}
    for when, epoch in ((FIRST, first), (LAST, last)):
        if mine and epoch in mine[0].experiment.moments:
            found[when] = (float(epoch), steps_at(data, mine[0], epoch))
    return found


def per_seed(runs: pandas.DataFrame, number: Callable[[pandas.DataFrame], float]) -> list[float]:
    """A number of the rows of each seed; seeds whose number is none are left out."""
    values = [number(mine) for _, mine in runs.groupby("seed")]
    return [value for value in values if np.isfinite(value)]


def slope(runs: pandas.DataFrame) -> float:
    """The exponent of N in the distances of networks of one seed, with a constant for each depth; NaN for too few.

    Least squares of logarithms, of what is left when the mean over networks of the same depth is taken away.
    """
    logs = runs[runs["value"] > 0].assign(N=lambda some: np.log(some["neurons"].astype(float)))
    logs["d"] = np.log(logs["value"])
    centred = logs[["N", "d"]] - logs.groupby("depth")[["N", "d"]].transform("mean")
    spread = float((centred["N"] ** 2).sum())
    return float((centred["N"] * centred["d"]).sum()) / spread if spread > 0 else np.nan


def over(above: pandas.DataFrame, below: pandas.DataFrame, by: list[str]) -> pandas.DataFrame:
    """Rows of two tables that agree in `by` and the seed, with ratio, the one value over the other."""
    both = above.merge(below, on=[*by, "seed"], suffixes=("", "_below"))
    return both.assign(ratio=both["value"] / both["value_below"])


def typical(rows: pandas.DataFrame) -> float:
    """The geometric mean of the ratios of several networks."""
    return float(np.exp(np.log(rows["ratio"]).mean()))


def findings(data: Data) -> list[Finding]:
    """The exponent of N; distance x N beside the guides and through training; noise beside images; the law."""
    runs, medians, found = times_neurons(data), times_neurons(data, "distance 50 %"), []
    for bias in BIASES:
        mine = runs[runs["bias"] == bias]
        test = mine[mine["domain"] == "test"]
        for when, (epoch, steps) in moments(data, bias).items():
            name, then = f"biases {bias:g}, {when}", mine[mine["epoch"] == epoch]
            for kind in KINDS:
                what = f"{name}, {kind}: exponent of N in the distance, at equal depth"
                found.append(judged(what, per_seed(then[then["domain"] == kind], slope), exponent(when), steps=steps))
            found += of_networks(data, bias, when, test, epoch, steps)
            of = {kind: then[then["domain"] == kind] for kind in KINDS}
            rows = over(of["noise"], of["test"], ["hidden"])
            what = f"{name}: distance from noise / from test images"
            found.append(judged(what, per_seed(rows, typical), alike(when), steps=steps))
            rows = over(
                medians[(medians["bias"] == bias) & (medians["epoch"] == epoch)], of["test"], ["hidden", "domain"]
            )
            what = f"{name}, test: median distance / mean"
            found.append(judged(what, per_seed(rows, typical), exponential(when), steps=steps))
    return found


def of_networks(
    data: Data, bias: float, when: str, test: pandas.DataFrame, epoch: float, steps: float | None
) -> list[Finding]:
    """For each network distance x N at a moment, and over that at the start."""
    found = []
    for line in data.lines:
        if line.labels["bias"] != bias:
            continue
        mine = test[test["hidden"] == line.labels["hidden"]]
        then, what = mine[mine["epoch"] == epoch], f"biases {bias:g}, {line.labels['hidden']}, {when}, test"
        found.append(judged(f"{what}: distance × N", then["product"], guided(when), steps=steps))
        if when != START:
            ratios = over(then, mine[mine["epoch"] == 0], ["hidden"])["ratio"]
            found.append(judged(f"{what}: distance × N / that at the start", ratios, constant(when), steps=steps))
    return found


FIGURE = Figure(
    name="distances",
    title="Distance to the nearest boundary",
    source="Hanin and Rolnick, ICML 2019, the figures of distances",
    claim="The mean distance from an input to the nearest boundary of a region, times the number of neurons, is "
    "roughly constant: over networks, through training, and for images as for noise.",
    regime="[20]³ to [80]³, [16]⁴ to [128]⁴ and [25]⁵ to [100]⁵; biases of standard deviation 0.001 (12 runs) and 0.1 "
    "(one run); 60,000 images, 20 epochs of 468 steps; distances from 10,000 points of each kind.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors show biases of standard deviation 0.1 and of 0.001; which figure has which is not known, so "
    "both are here. Distances are to boundaries of activation regions, in pixels / 255. The guides are read from their "
    "scripts, 1.5 / N in one and 2 / N in another. Noise has the mean and the standard deviation of the training "
    "images, pixel by pixel. All runs measure from the same points.",
)
