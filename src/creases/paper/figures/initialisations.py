"""Other initialisations: does any of them escape N^2 / 2? New; the papers have He's weights and Gaussian biases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.curves import last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, mean_sd, within
from creases.paper.measures import Regions
from creases.plot import new_figure
from creases.plot.figure import COLOURS, QUIET, tidy
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
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
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
    """One experiment an initialisation: the start, and after some training."""
    moments = (0, float(size.pick(2, 20, 20)))
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(4, 10, 20)))
    return [
        Line(Experiment(size.images, WIDTHS, measures, moments, start, seeds=seeds), {"start": name})
        for name, start in STARTS.items()
    ]


def draw(data: Data) -> Picture:
    """Regions / N^2 of each run, at the start and after training."""
    figure = new_figure(10.5, 5.0)
    ax = figure.add_subplot()
    runs, names = data.growth(["start"]), list(STARTS)[::-1]
    for shift, colour, label, some in (
        (0.16, COLOURS[0], "at the start", runs[runs["epoch"] == 0]),
        (-0.16, COLOURS[1], "after training", last_of_each(runs[runs["epoch"] > 0], ["start"])),
    ):
        places = [names.index(name) + shift for name in some["start"]]
        ax.plot(some["ratio"], places, "o", ms=4, alpha=0.5, color=colour, label=label)
        means = some.groupby("start")["ratio"].mean()
        ax.plot(means, [names.index(name) + shift for name in means.index], "|", ms=14, mew=2, color=colour)
    ax.axvline(0.5, color=QUIET, lw=1.0, ls=":")
    ax.set(xlabel="regions in a plane / N² (dotted: 1/2)", yticks=range(len(names)), yticklabels=names, xlim=(0, None))
    tidy(ax)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def findings(data: Data) -> list[Finding]:
    """Each initialisation against N^2 / 2."""
    runs = data.growth(["start"])
    found = []
    for name in STARTS:
        mine = runs[(runs["start"] == name) & (runs["epoch"] == 0)]
        ends = last_of_each(runs[(runs["start"] == name) & (runs["epoch"] > 0)], ["start"])
        if mine.empty:
            continue
        said = f"{mean_sd(mine['ratio'])}; after training {mean_sd(ends['ratio'])}"
        found.append(
            Finding(f"{name}: regions / N² at the start", said, "at most about 1/2", within(mine["ratio"], 0.0, 0.75))
        )
    return found


FIGURE = Figure(
    name="initialisations",
    title="Does any initialisation escape?",
    source="new: theorem 5 allows any law of weights and biases with bounded C_grad and C_bias",
    claim="No usual law of weights or biases has many more regions than N²/2 at the start, nor after training; to "
    "have more "
    "would take biases concentrated where pre-activations swing, or very large gradients.",
    lines=lines,
    draw=draw,
    findings=findings,
)
