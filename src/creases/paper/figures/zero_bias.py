"""Networks without biases compared with networks with biases: NeurIPS, appendix D."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.paper.choices import OriginPlanes
from creases.paper.claims import FigureFinding, always, between, judged, noted
from creases.paper.curves import draw_curves, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Measure, Regions, WithoutBiases
from creases.plot import new_figure
from creases.training import Initialisation, ZeroBiases

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

TRAINED = {"[20]³": (20,) * 3, "[32]³": (32,) * 3, "[16]⁶": (16,) * 6}
# Only at the start, with many seeds. The first four have the same depth, for an exponent of N.
UNTRAINED = {"[8]³": (8,) * 3, "[16]³": (16,) * 3, "[32]³": (32,) * 3, "[64]³": (64,) * 3, "[16]⁶": (16,) * 6}
GROWING, DEEP = ("[8]³", "[16]³", "[32]³", "[64]³"), "[16]⁶"
# Two of the trained networks, with the same depth.
PAIR = ("[20]³", "[32]³")
BIASED, FREE = "with biases", "without"
BIAS_WORDS = {BIASED: "with biases", FREE: "without biases"}
STARTS = {BIASED: Initialisation(), FREE: Initialisation(biases=ZeroBiases(), trained_biases=False)}
REGIONS, CONES = "regions", "regions without biases"

AT_START = between(0.9, 1.1, "about 1: N lines through the origin make 2N", why="ours: about is to a tenth")
END = between(0.8, 1.25, "about 1, in training too (ours)", why="ours: about is to a fifth, after training")
POWERS = {
    FREE: between(0.9, 1.1, "1: N^(n-1)", why="ours: a tenth of the one power that biases are worth"),
    BIASED: between(1.9, 2.1, "2: N^n", why="ours: a tenth of the one power that biases are worth"),
}
# With two sizes and few runs, the exponent only has to be nearer to this power than to the next.
POWERS_AT_THE_END = {
    FREE: between(0.5, 1.5, "1, in training too (ours)", why="ours: nearer to 1 than to 0 or 2"),
    BIASED: between(1.5, 2.5, "2, in training too (ours)", why="ours: nearer to 2 than to 1 or 3"),
}
NO_MORE = always("always (theorem: see zero_bias_map)", check=True)


def lines(size: Size) -> list[TableLine]:
    """Each network with biases, and without them from beginning to end; and more networks that are not trained."""
    moments = size.pick((0, 1, 5, 10), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20))
    planes, seeds = OriginPlanes(size.pick(2, 5, 5)), tuple(range(size.pick(3, 10, 10)))
    many = tuple(range(size.pick(20, 100, 400)))
    measures: dict[str, tuple[Measure, ...]] = {
        BIASED: (Regions(planes), WithoutBiases(planes)),
        FREE: (Regions(planes),),
    }
    found = [
        TableLine(
            Experiment(size.images, widths, measures[kind], moments, start, seeds=seeds),
            {"hidden": name, "biases": kind, "runs": "trained"},
        )
        for name, widths in TRAINED.items()
        for kind, start in STARTS.items()
    ]
    few = OriginPlanes(size.pick(1, 2, 5))
    return found + [
        TableLine(
            Experiment(size.images, widths, (Regions(few), WithoutBiases(few)), seeds=many),
            {"hidden": name, "biases": BIASED, "runs": "drawn"},
        )
        for name, widths in UNTRAINED.items()
    ]


def draw(data: Data) -> Picture:
    """Regions / N^2 with biases; regions / 2 N of networks without biases, and of the first networks after their biases
    are removed."""
    figure = new_figure(10.5, 3.6)
    biased, without, removed = figure.subplots(1, 3)
    runs = data.growth(["hidden", "biases"], runs="trained")
    draw_curves(biased, runs[runs["biases"] == BIASED], "hidden", TRAINED, level=0.5)
    cones, taken = runs[runs["biases"] == FREE].copy(), data.runs(CONES, ["hidden", "epoch"], runs="trained")
    for ax, some in ((without, cones), (removed, taken)):
        some["lines"] = some["value"] / (2 * some["neurons"])
        draw_curves(ax, some, "hidden", TRAINED, value="lines", level=1.0)
        ax.set(ylabel="regions / 2N", ylim=(0, None))
    biased.set(ylabel="regions / N²", ylim=(0, None))
    titles = {biased: "trained with biases", without: "trained without", removed: "trained with, counted without"}
    for ax, title in titles.items():
        ax.set_title(title, fontsize="medium")
    figure.legend(*biased.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """About 2 N cones in a plane through the origin, one power of N fewer than regions with biases, and never more."""
    return [*at_the_start(data), *through_training(data), *without_biases(data)]


def at_the_start(data: Data) -> list[FigureFinding]:
    """Networks that are not trained: cones compared with 2 N, and exponents of N without and with biases."""
    counts = {
        FREE: data.runs(CONES, ["hidden"], runs="drawn"),
        BIASED: data.runs(REGIONS, ["hidden"], runs="drawn"),
    }
    found = []
    for name in UNTRAINED:
        cones = counts[FREE][counts[FREE]["hidden"] == name]
        found.append(
            judged(f"{name}: cones in a plane / 2N at the start", cones["value"] / (2 * cones["neurons"]), AT_START)
        )
    planes = data.rows(CONES, hidden=DEEP, runs="drawn")
    apart = (planes["value"] / (2 * planes["neurons"]) - 1.0).abs().groupby(planes["seed"]).mean()
    more = "; 0 of one layer, whose neurons are lines"
    found.append(noted(f"{DEEP}: |cones / 2N - 1| in a plane at the start", apart, more=more))
    for kind, some in counts.items():
        powers = exponents(some[some["hidden"].isin(GROWING)])
        what = f"{BIAS_WORDS[kind]}, {GROWING[0]} to {GROWING[-1]}: exponent of N at the start"
        found.append(judged(what, powers, POWERS[kind]))
    return found


def through_training(data: Data) -> list[FigureFinding]:
    """Trained networks: cones compared with 2 N at the end, their maximum and minimum, and exponents of N."""
    runs = data.growth(["hidden", "biases"], runs="trained")
    ends = last_of_each(runs, ["hidden", "biases"])
    found = []
    for name in TRAINED:
        end = ends[(ends["hidden"] == name) & (ends["biases"] == FREE)]
        found.append(judged(f"{name}: cones in a plane / 2N at the end", end["value"] / (2 * end["neurons"]), END))
        factors = runs[(runs["hidden"] == name) & (runs["biases"] == FREE)].groupby("seed")["factor"]
        found.append(noted(f"{name}: most cones of a run / its first", factors.max()))
        found.append(noted(f"{name}: fewest cones of a run / its first", factors.min()))
    for kind, claim in POWERS_AT_THE_END.items():
        some = ends[(ends["biases"] == kind) & ends["hidden"].isin(PAIR)]
        what = f"{BIAS_WORDS[kind]}, {PAIR[0]} to {PAIR[1]}: exponent of N at the end"
        found.append(judged(what, exponents(some), claim))
    return found


def without_biases(data: Data) -> list[FigureFinding]:
    """Plane by plane: the same weights without their biases have no more regions. A run has the value 1 if this is
    always so."""
    cones = data.rows(CONES)
    places = ["experiment", "seed", "step", "domain"]
    regions = data.rows(REGIONS).set_index(places)["value"].reindex(cones.set_index(places).index).to_numpy()
    fewer, ratios = cones["value"] <= regions, cones["value"] / regions
    found = []
    for words, kind in (("at every moment", "trained"), ("at the start", "drawn")):
        mine = cones["runs"] == kind
        if not mine.any():
            continue
        runs = fewer[mine].groupby([cones[mine]["hidden"], cones[mine]["seed"]]).all()
        more = f"; {fewer[mine].sum():,} of {mine.sum():,} counts, at most {ratios[mine].max():.3g} times as many"
        what = f"a network without its biases has no more regions, {words}: part of the runs"
        found.append(judged(what, runs.astype(float), NO_MORE, more=more))
    return found


def exponents(runs: pandas.DataFrame) -> list[float]:
    """For each seed, the exponent of N in its counts, by least squares of the logarithms; only runs with several N have
    one."""
    found = []
    for _, mine in runs.groupby("seed"):
        if mine["neurons"].nunique() > 1 and (mine["value"] > 0).all():
            found.append(float(np.polyfit(np.log(mine["neurons"]), np.log(mine["value"]), 1)[0]))
    return found


FIGURE = Figure(
    name="zero_bias",
    title="Networks without biases",
    source="Hanin and Rolnick, NeurIPS 2019, appendix D; through training it is new",
    claim="Without biases the regions are cones. In a plane through the origin there are about 2N of them, as for N "
    "lines through the origin: one power of N fewer than with biases, also during training.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="a theorem on averages over random weights, for any fully connected network, without an experiment. The "
    "number 2N in a plane is ours.",
    doubts="The wording of the appendix is not known to us. For the same weights, removing the biases never increases "
    "the number of regions in a plane through the origin; this is a theorem (see zero_bias_map). The networks that "
    "are trained without biases have different weights. 2N is not a maximum for deep networks: a neuron of a later "
    "layer may be crossed more than twice on a circle. All runs have the same planes and images; intervals are over "
    "weights and order only.",
)
