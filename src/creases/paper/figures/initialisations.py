"""Other initialisations: does any of them give more than N^2 / 2? New; the papers use He's weights and Gaussian
biases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes, RandomPoints
from creases.paper.claims import Claim, FigureFinding, above, below, between, judged, noted
from creases.paper.curves import last_of_each, paired_ratio
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.law_constants import constants_of
from creases.paper.measures import Regions
from creases.paper.natural import NaturalCubes, explicit_in_units
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
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
IMAGES, SQUARE = "planes of images", "squares of two inputs"
# Sides of the squares, multiplied by C_grad C_bias N, with the constants of the distribution.
SCALES = (8.0, 64.0, 512.0)
SHARE = "regions / explicit bound with the law's constants, largest over squares"
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
# Distributions of weights. The others are distributions of biases, only some of which are claimed to give more regions.
OF_WEIGHTS = ("He, uniform", "Glorot", "LeCun", "orthogonal", "weights x 4")
RAISING = ("biases all negative", "biases in the band")
# In planes through the origin these have the same regions as He's, up to the scale of all biases.
SCALED = ("biases sd 0.1", "biases sd 1")

HALF = between(0.4, 0.6, "about 1/2", why="ours: a fifth about it")
LIKE_HE = between(2 / 3, 1.5, "about 1 for laws of weights (ours)", why="ours: half as many again, or a third fewer")
ABOVE_ONE = above(1.0, "ours: above 1", why="ours, written after the runs")
SAME = between(
    0.99,
    1.01,
    "1: all biases times c are those of the same network at c times the inputs",
    why="an identity, but for rounding",
    check=True,
)
# For layers of equal width both distributions have the same variance, except in the first layer, whose weights are a
# multiple.
AS_GLOROT = between(
    0.99,
    1.01,
    "1: weights of the first layer times c, at inputs over c",
    why="an identity, but for rounding",
    check=True,
)
CONES = between(0.9, 1.1, "about 1: zero biases leave cones, 2 N of them", why="ours: a tenth about it")
BOUNDED = below(1.0, "below 1: the mean, as derived for every law with such constants", check=True)


def lines(size: Size) -> list[TableLine]:
    """Two experiments per initialisation: planes before and after training; squares, as in theorem 5, before."""
    moments, seeds = (0, float(size.pick(2, 20, 20))), tuple(range(size.pick(4, 10, 20)))
    planes = (Regions(OriginPlanes(size.pick(2, 5, 5))),)
    found = []
    for name, start in STARTS.items():
        learned = Experiment(size.images, WIDTHS, planes, moments, start, seeds=seeds)
        found.append(TableLine(learned, {"start": name, "where": IMAGES}))
        known = constants_of(start, 2, WIDTHS)
        if known is not None:
            squares = (Regions(NaturalCubes(known.unit(sum(WIDTHS)), SCALES)),)
            drawn = Experiment(RandomPoints(200), WIDTHS, squares, (0,), start, seeds=seeds)
            found.append(TableLine(drawn, {"start": name, "where": SQUARE}))
    return found


def bounded(data: Data) -> pandas.DataFrame:
    """For each run before training, regions divided by the explicit bound with the constants of the distribution: the
    largest ratio over squares."""
    runs = data.runs("regions", ["start", "domain"], where=SQUARE)
    scales = runs["domain"].astype(float)
    runs["share"] = runs["value"] / [
        explicit_in_units(neurons, scale, 2) for neurons, scale in zip(runs["neurons"], scales, strict=True)
    ]
    return runs.groupby(["start", "seed"])["share"].max().reset_index()


def draw(data: Data) -> Picture:
    """Regions / N^2 of each run, at the start and after training; and regions / bound."""
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
    draw_runs(beside, bounded(data), "share", names, 0.0, COLOURS[2], "")
    beside.axvline(1.0, color=QUIET, lw=1.0, ls=":")
    beside.set(xscale="log", xlabel="regions in a square / bound, largest (dotted: 1)")
    for one in (ax, beside):
        tidy(one)
        one.grid(axis="y", color="#eeeeee", lw=0.8)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
    return figure


def draw_runs(
    ax: Axes, runs: pandas.DataFrame, column: str, names: list[str], shift: float, colour: str, label: str
) -> None:
    """A dot for each run and a bar for the mean, in the row of its initialisation."""
    places = [names.index(name) + shift for name in runs["start"]]
    ax.plot(runs[column], places, "o", ms=4, alpha=0.5, color=colour, label=label)
    means = runs.groupby("start")[column].mean()
    ax.plot(means, [names.index(name) + shift for name in means.index], "|", ms=14, mew=2, color=colour)


def findings(data: Data) -> list[FigureFinding]:
    """Each initialisation compared with He's with the same seed, and with the bound if theorem 5 applies."""
    runs, squares = data.growth(["start"], where=IMAGES), bounded(data)
    first = runs[runs["epoch"] == 0]
    found = at_the_start(first)
    ends = last_of_each(runs[runs["epoch"] > 0], ["start"])
    for name in STARTS:
        mine = ends[ends["start"] == name]["ratio"]
        if name == "He":
            found.append(noted("He: regions / N² after training", mine))
        else:
            found.append(beside_he(ends, name, "after training", claim_of(name)))
    for name in STARTS:
        if name in SCALED or name == "LeCun":  # in their own units the same as He and Glorot
            continue
        what, shares = f"{name}: {SHARE}", squares[squares["start"] == name]["share"]
        if constants_of(STARTS[name], 2, WIDTHS) is None:
            found.append(noted(what, "no C_bias: the density of a bias has no bound", "theorem 5 does not speak of it"))
        else:
            found.append(judged(what, shares, BOUNDED))
    return found


def at_the_start(first: pandas.DataFrame) -> list[FigureFinding]:
    """He's distribution compared with N^2 / 2; the others compared with He's; zero biases compared with the number of
    cones."""
    he = first[first["start"] == "He"]
    found = [judged("He: regions / N² at the start", he["ratio"], HALF)]
    for name in STARTS:
        if name == "biases zero":
            mine = first[first["start"] == name]
            found.append(judged(f"{name}: regions / 2 N at the start", mine["value"] / (2 * mine["neurons"]), CONES))
        elif name == "LeCun":
            ratios = paired_ratio(first, "start", name, "Glorot")
            found.append(judged(f"{name}: regions / Glorot's of the same seed, at the start", ratios, AS_GLOROT))
        elif name != "He":
            found.append(beside_he(first, name, "at the start", SAME if name in SCALED else claim_of(name)))
    means = first.groupby("start")["ratio"].mean()
    said = f"{means.idxmax()}, {means.max():.3g} in the mean" if len(means) else "no runs"
    return [*found, noted("most regions / N² at the start of any law", said)]


def claim_of(name: str) -> Claim | None:
    """The claim on the regions for a distribution divided by those for He's; None for distributions of biases that are
    only noted."""
    return LIKE_HE if name in OF_WEIGHTS else ABOVE_ONE if name in RAISING else None


def beside_he(runs: pandas.DataFrame, name: str, when: str, claim: Claim | None) -> FigureFinding:
    """The regions for one initialisation divided by those for He's, seed by seed: runs with the same seed share as many
    random numbers as possible."""
    mean = runs[runs["start"] == name]["ratio"].mean()
    ratios = paired_ratio(runs, "start", name, "He")
    what, more = f"{name}: regions / He's of the same seed, {when}", f"; {mean:.3g} N² in the mean"
    return noted(what, ratios, more=more) if claim is None else judged(what, ratios, claim, more=more)


FIGURE = Figure(
    name="initialisations",
    title="Does any initialisation escape?",
    source="new: theorem 5 allows any law of weights and biases with bounded C_grad and C_bias",
    claim="The usual distributions of weights have about as many regions as He's, N²/2 in a plane, at the start and "
    "after training. Distributions of biases can change the count: without biases the regions are cones, and with "
    "biases that are all negative, or in the middle of the band in which pre-activations vary, there are more than "
    "with He's. In squares of the size of theorem 5, the mean of every distribution with known constants stays below "
    "the explicit bound.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="N²/2 in a whole plane is what the papers expect, not a bound that they prove. The bound is the one for a "
    "square (explicit_bound), with the constants of the distribution, not of a network: C_grad in closed form for "
    "moments up to 2 (an upper bound if biases have one sign), C_bias the largest density of a bias given all other "
    "numbers. Biases in the band depend on the weights, and have no C_bias. The squares lie around the origin; their "
    "sides are 8, 64 and 512 times 1 / (C_grad C_bias N). For a given seed, He's, Glorot's and LeCun's weights are "
    "the same normal numbers up to scale; uniform and orthogonal weights have only the task and the planes in common "
    "with them. The claim that negative biases and those in the band have more regions was written after the runs; "
    "other distributions of biases are noted. All runs have the same planes and images; intervals are over weights, "
    "biases and order only.",
)
