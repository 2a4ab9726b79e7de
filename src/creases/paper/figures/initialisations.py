"""Other initialisations: does any of them escape N^2 / 2? New; the papers have He's weights and Gaussian biases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import Cube, OriginPlanes, RandomPoints
from creases.paper.curves import last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, judge, mean_sd, within
from creases.paper.measures import Constants, Regions
from creases.plot import new_figure
from creases.plot.figure import COLOURS, QUIET, tidy
from creases.theory.average import explicit_bound
from creases.training import (
    BandBiases,
    CorrelatedBiases,
    GaussianBiases,
    GlorotWeights,
    HeUniformWeights,
    HeWeights,
    Initialisation,
    LeCunWeights,
    OneSidedBiases,
    OrthogonalWeights,
    UniformBiases,
    ZeroBiases,
)

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
IMAGES, SQUARE = "planes of images", "square of two inputs"
HALF = 1.0  # of the square's side, in which the points are
STARTS = {
    "He": Initialisation(),
    "He, uniform": Initialisation(HeUniformWeights()),
    "Glorot": Initialisation(GlorotWeights()),
    "LeCun": Initialisation(LeCunWeights()),
    "orthogonal": Initialisation(OrthogonalWeights()),
    "biases sd 0.1": Initialisation(biases=GaussianBiases(0.1)),
    "biases sd 1": Initialisation(biases=GaussianBiases(1.0)),
    "biases uniform": Initialisation(biases=UniformBiases(0.1)),
    "biases zero": Initialisation(biases=ZeroBiases()),
    "biases all positive": Initialisation(biases=OneSidedBiases(0.1)),
    "biases all negative": Initialisation(biases=OneSidedBiases(-0.1)),
    "biases correlated 0.99": Initialisation(biases=CorrelatedBiases(0.1, 0.99)),
    "biases in the band": Initialisation(biases=BandBiases(0.01)),
    "weights x 4": Initialisation(HeWeights(4.0)),
}


def lines(size: Size) -> list[Line]:
    """Two experiments an initialisation: planes before and after training; a square, as in theorem 5."""
    moments = (0, float(size.pick(2, 20, 20)))
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(4, 10, 20)))
    square = (Regions(Cube(HALF)), Constants())
    return [
        line
        for name, start in STARTS.items()
        for line in (
            Line(
                Experiment(size.images, WIDTHS, measures, moments, start, seeds=seeds), {"start": name, "where": IMAGES}
            ),
            Line(
                Experiment(RandomPoints(200), WIDTHS, square, (0,), start, seeds=seeds),
                {"start": name, "where": SQUARE},
            ),
        )
    ]


def bounded(data: Data) -> pandas.DataFrame:
    """Per run on the square before training: regions, and share = regions / the explicit bound with the network's own
    constants, NaN where its biases have no density.
    """
    by = ["start", "epoch"]
    runs = data.runs("regions", by, where=SQUARE).set_index([*by, "seed"])
    for name in ("C_grad", "C_bias"):
        runs[name] = data.runs(name, by, where=SQUARE).set_index([*by, "seed"])["value"]
    runs = runs.reset_index()
    runs = runs[runs["epoch"] == 0]
    rows = zip(runs["value"], runs["neurons"], runs["C_grad"], runs["C_bias"], strict=True)
    runs["share"] = [
        value / float(explicit_bound(neurons, 2, 2 * HALF, grad, bias)) if grad > 0 and bias > 0 else float("nan")
        for value, neurons, grad, bias in rows
    ]
    return runs


def draw(data: Data) -> Picture:
    """Regions / N^2 of each run, at the start and after training; beside it regions / bound."""
    figure = new_figure(10.5, 5.0)
    ax, beside = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    runs, names = data.growth(["start"], where=IMAGES), list(STARTS)[::-1]
    for shift, colour, label, some in (
        (0.16, COLOURS[0], "at the start", runs[runs["epoch"] == 0]),
        (-0.16, COLOURS[1], "after training", last_of_each(runs[runs["epoch"] > 0], ["start"])),
    ):
        draw_runs(ax, some, "ratio", names, shift, colour, label)
    ax.axvline(0.5, color=QUIET, lw=1.0, ls=":")
    ax.set(xlabel="regions in a plane / N² (dotted: 1/2)", yticks=range(len(names)), yticklabels=names, xlim=(0, None))
    draw_runs(beside, bounded(data).dropna(subset=["share"]), "share", names, 0.0, COLOURS[2], "")
    beside.axvline(1.0, color=QUIET, lw=1.0, ls=":")
    beside.set(xscale="log", xlabel=f"regions in a square of side {2 * HALF:g} / bound (dotted: 1)")
    for one in (ax, beside):
        tidy(one)
        one.grid(axis="y", color="#eeeeee", lw=0.8)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
    return figure


def draw_runs(
    ax: Axes, runs: pandas.DataFrame, column: str, names: list[str], shift: float, colour: str, label: str
) -> None:
    """A dot a run, a bar the mean, on the row of its initialisation."""
    places = [names.index(name) + shift for name in runs["start"]]
    ax.plot(runs[column], places, "o", ms=4, alpha=0.5, color=colour, label=label)
    means = runs.groupby("start")[column].mean()
    ax.plot(means, [names.index(name) + shift for name in means.index], "|", ms=14, mew=2, color=colour)


def findings(data: Data) -> list[Finding]:
    """Each initialisation against N^2 / 2, and against the bound where theorem 5 speaks of it."""
    runs, square = data.growth(["start"], where=IMAGES), bounded(data)
    found = []
    for name in STARTS:
        mine = runs[(runs["start"] == name) & (runs["epoch"] == 0)]
        ends = last_of_each(runs[(runs["start"] == name) & (runs["epoch"] > 0)], ["start"])
        if mine.empty:
            continue
        for when, some in (("at the start", mine), ("after training", ends)):
            what, ratio = f"{name}: regions / N² {when}", some["ratio"]
            found.append(Finding(what, mean_sd(ratio), "at most about 1/2", within(ratio, 0.0, 0.75)))
    for name in STARTS:
        shares = square[square["start"] == name]["share"]
        what = f"{name}: regions in a square / bound with the network's constants"
        if len(shares) and shares.isna().all():
            found.append(
                Finding(what, "no C_bias: the biases have no density", "theorem 5 does not speak of it", NOTED)
            )
        elif len(shares):
            said, below = mean_sd(shares.dropna()), bool(shares.dropna().mean() <= 1)
            found.append(Finding(what, said, "at most 1 in the mean", judge(below, int(shares.notna().sum()))))
    return found


FIGURE = Figure(
    name="initialisations",
    title="Does any initialisation escape?",
    source="new: theorem 5 allows any law of weights and biases with bounded C_grad and C_bias",
    claim="No usual law of weights or biases has many more regions than N²/2 at the start, nor after training; to "
    "have more would take biases concentrated where pre-activations swing, or very large gradients.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="N²/2 in a whole plane is what the papers expect, not a bound that they prove. The bound is the one for a "
    "square (explicit_bound), at the start, with C_grad the largest gradient at 200 points and C_bias the top of a "
    "kernel density of a layer's biases: where biases depend on the weights (in the band) it is too small, and "
    "the test so the harder. In whole planes through the origin the scale of all biases changes nothing at the start: "
    "scaled by c they are the biases of the same network at c times the inputs.",
)
