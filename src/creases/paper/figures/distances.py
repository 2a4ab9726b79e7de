"""Distance to the nearest boundary of a region, times N: the companion paper's figures of distances."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creases.paper.claims import FigureFinding, between, judged
from creases.paper.distance_picture import draw_distances
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import DistanceHistogram
from creases.paper.steps import AUTHORS_EPOCH, AUTHORS_STEPS, authors_epochs, steps_done
from creases.training import GaussianBiases, Initialisation

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

    from creases.paper.claims import Claim

__all__ = ["FIGURE"]

# Width and depth; those at the ends determine the exponent best.
FEW_NETWORKS = ((20, 3), (40, 3), (80, 3), (16, 4), (64, 4))
ENDS = ((20, 3), (80, 3), (16, 4), (64, 4))
ALL = (*((w, 3) for w in (20, 40, 60, 80)), *((w, 4) for w in (16, 32, 64, 128)), *((w, 5) for w in (25, 50, 75, 100)))
# The authors show the larger biases in one run, the smaller ones in twelve; we train as long only with the latter.
BIASES = LARGE, SMALL = (0.1, 1e-3)
KINDS = ("train", "test", "noise")
# The constants of the authors' guides; the upper one is 1.5 in one of their scripts and 2 in another one.
GUIDES, LEAST, MOST = (0.4, 1.5), 0.4, 2.0
SHORT, LONG = "short", "long"
AT_START, AFTER_FIRST, AFTER_LAST = "start", "the steps of the authors' epoch 1", "the steps of the authors' epoch 20"
STEPS = {AT_START: None, AFTER_FIRST: AUTHORS_EPOCH, AFTER_LAST: AUTHORS_STEPS}
WHY_CONSTANT = "ours: a factor of 1.5 is what a curve may rise or fall and be called roughly constant"


def exponent(when: str) -> Claim:
    """The distance is proportional to N^-1."""
    return between(-1.1, -0.9, "−1", steps=STEPS[when], why="ours: a tenth on either side of −1")


def guided(when: str) -> Claim:
    """The product is between the guides."""
    return between(LEAST, MOST, "between guides at 0.4 and 1.5, or 2", steps=STEPS[when])


def constant(when: str) -> Claim:
    """The product hardly changes during a run."""
    return between(1 / 1.5, 1.5, "roughly constant", steps=STEPS[when], why=WHY_CONSTANT)


def alike(when: str) -> Claim:
    """Noise is as far from boundaries as images are."""
    return between(1 / 1.5, 1.5, "for noise as for images", steps=STEPS[when], why=WHY_CONSTANT)


def exponential(when: str) -> Claim:
    """The distances of a network are exponentially distributed."""
    why = "ours: were boundaries met as the points of one Poisson process, the median would be ln 2 of the mean; 5 %"
    return between(0.95 * log(2), 1.05 * log(2), "0.693, were it exponential", steps=STEPS[when], why=why)


def lines(size: Size) -> list[TableLine]:
    """One experiment per network and standard deviation of the biases; for the small ones a few that are also long."""
    first, last = authors_epochs(size)
    theirs = (0, 0.25, 0.5, 1, 2, 4, 6, 8, 10, 15, 20) if last == 20 else (0, 0.25, 1, 4, first)
    short = (0, first) if size.rank == 0 else theirs
    seeds, points = tuple(range(size.pick(3, 12, 12))), size.pick(100, 500, 10_000)
    found = [
        line_of(size, widths, points, bias, short, seeds, SHORT)
        for bias in BIASES
        for widths in size.pick(ENDS, FEW_NETWORKS, ALL)
    ]
    if size.rank > 0 and last > 20:
        found += [line_of(size, widths, points, SMALL, (*theirs, 64, last), seeds[:6], LONG) for widths in ENDS]
    return found


def line_of(
    size: Size,
    shape: tuple[int, int],
    points: int,
    bias: float,
    moments: tuple[float, ...],
    seeds: tuple[int, ...],
    length: str,
) -> TableLine:
    """One line. shape : width and depth."""
    width, depth = shape
    start, measures = Initialisation(biases=GaussianBiases(bias)), (DistanceHistogram(points),)
    experiment = Experiment(size.images, (width,) * depth, measures, moments, initialisation=start, seeds=seeds)
    hidden = f"[{width}]{'⁰¹²³⁴⁵'[depth]}"
    return TableLine(experiment, {"hidden": hidden, "depth": depth, "bias": bias, "length": length})


def times_neurons(data: Data, measure: str = "distance") -> pandas.DataFrame:
    """For each run, moment and kind of points: the mean distance (or another statistic of the distances), and its
    product with N."""
    runs = data.runs(measure, ["hidden", "depth", "bias", "length", "domain", "epoch"])
    runs["product"] = runs["value"] * runs["neurons"]
    return runs


def draw(data: Data) -> Picture:
    """One row per scale of the biases: distance x N against epoch and accuracy, distance against N, the histogram."""
    runs = times_neurons(data)
    # Long runs if there are any, otherwise the short ones.
    longest = runs.groupby("bias")["epoch"].transform("max") == runs.groupby(["bias", "length"])["epoch"].transform(
        "max"
    )
    return draw_distances(data, runs[longest], BIASES, GUIDES)


class ClaimMoment(NamedTuple):
    """A moment of claims. lines : the lines whose runs are used. epoch : the epoch in our training. steps : the number
    of steps until then."""

    when: str
    lines: list[TableLine]
    epoch: float
    steps: float | None

    def of(self, runs: pandas.DataFrame, epoch: float | None = None) -> pandas.DataFrame:
        """The rows of these lines at this moment, or at another epoch."""
        labels = self.lines[0].labels
        mine = runs[(runs["bias"] == labels["bias"]) & (runs["length"] == labels["length"])]
        return mine[mine["epoch"] == (self.epoch if epoch is None else epoch)]


def moments(data: Data, bias: float) -> list[ClaimMoment]:
    """The start and the authors' epochs, if runs with these biases are measured there."""
    first, last = authors_epochs(data.size)
    found = []
    for when, epoch in ((AT_START, 0), (AFTER_FIRST, first), (AFTER_LAST, last)):
        mine = [line for line in data.lines if line.labels["bias"] == bias and epoch in line.experiment.moments]
        if mine:
            same = [line for line in mine if line.labels["length"] == mine[0].labels["length"]]
            found.append(ClaimMoment(when, same, float(epoch), steps_done(data, same[0], epoch) if epoch else None))
    return found


def per_seed(runs: pandas.DataFrame, number: Callable[[pandas.DataFrame], float]) -> list[float]:
    """A number computed from the rows of each seed; seeds for which it is NaN are left out."""
    values = [number(mine) for _, mine in runs.groupby("seed")]
    return [value for value in values if np.isfinite(value)]


def slope(runs: pandas.DataFrame) -> float:
    """The exponent of N in the distances of networks of one seed, with a constant for each depth; NaN for too few
    networks.

    Least squares of logarithms, after subtracting the mean over networks of the same depth.
    """
    some = runs[runs["value"] > 0]
    _, depth = np.unique(some["depth"].to_numpy(), return_inverse=True)
    N, d = (np.log(some[name].to_numpy(np.float64)) for name in ("neurons", "value"))
    N, d = (logs - (np.bincount(depth, logs) / np.bincount(depth))[depth] for logs in (N, d))
    spread = float(N @ N)
    return float(N @ d) / spread if spread > 0 else np.nan


def over(above: pandas.DataFrame, below: pandas.DataFrame, by: list[str]) -> pandas.DataFrame:
    """Rows of two tables that agree in `by` and the seed, with ratio, the quotient of the two values."""
    both = above.merge(below, on=[*by, "seed"], suffixes=("", "_below"))
    return both.assign(ratio=both["value"] / both["value_below"])


def typical(rows: pandas.DataFrame) -> float:
    """The geometric mean of the ratios of several networks."""
    return float(np.exp(np.log(rows["ratio"]).mean()))


def findings(data: Data) -> list[FigureFinding]:
    """The exponent of N; distance x N compared with the guides and during training; noise compared with images; the
    distribution."""
    runs, medians, found = times_neurons(data), times_neurons(data, "distance 50 %"), []
    for bias in BIASES:
        for moment in moments(data, bias):
            then, when, steps = moment.of(runs), moment.when, moment.steps
            name, of = f"biases {bias:g}, {when}", {kind: then[then["domain"] == kind] for kind in KINDS}
            for kind in KINDS:
                what = f"{name}, {kind}: exponent of N in the distance, at equal depth"
                found.append(judged(what, per_seed(of[kind], slope), exponent(when), steps=steps))
            found += of_networks(name, moment, runs[runs["domain"] == "test"])
            rows = over(of["noise"], of["test"], ["hidden"])
            what = f"{name}: distance from noise / from test images"
            found.append(judged(what, per_seed(rows, typical), alike(when), steps=steps))
            rows = over(moment.of(medians), of["test"], ["hidden", "domain"])
            what = f"{name}, test: median distance / mean"
            found.append(judged(what, per_seed(rows, typical), exponential(when), steps=steps))
    return found


def of_networks(name: str, moment: ClaimMoment, test: pandas.DataFrame) -> list[FigureFinding]:
    """For each network, distance x N at a moment, and divided by that at the start of the same run."""
    found, (when, lines, _, steps) = [], moment
    for line in lines:
        mine = test[test["hidden"] == line.labels["hidden"]]
        then, what = moment.of(mine), f"{name}, {line.labels['hidden']}, test"
        found.append(judged(f"{what}: distance × N", then["product"], guided(when), steps=steps))
        if when != AT_START:
            ratios = over(then, moment.of(mine, 0.0), ["hidden"])["ratio"]
            found.append(judged(f"{what}: distance × N / that at the start", ratios, constant(when), steps=steps))
    return found


FIGURE = Figure(
    name="distances",
    title="Distance to the nearest boundary",
    source="Hanin and Rolnick, ICML 2019, the figures of distances",
    claim="The mean distance from an input to the nearest boundary of a region, times the number of neurons, is "
    "roughly constant: over networks, through training, and for both images and noise.",
    regime="[20]³ to [80]³, [16]⁴ to [128]⁴ and [25]⁵ to [100]⁵; biases of standard deviation 0.001 (12 runs) and 0.1 "
    "(one run); 60,000 images, 20 epochs of 468 steps; distances from 10,000 points of each kind.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors use biases of standard deviation 0.1 and 0.001; we do not know which figure has which, so "
    "both are shown. Distances are to boundaries of activation regions, in pixels / 255. The guide lines are from "
    "their scripts: the lower is 0.4 / N, the upper 1.5 / N in one script and 2 / N in another. Noise has the mean "
    "and the standard deviation of the training images for each pixel. The numbers of steps of the authors' epochs 1 "
    "and 20 are 16 and 302 passes over 4,000 images, for the authors 1 and 20 over 60,000. All runs use the same "
    "points.",
)
