"""Networks without biases beside those with: NeurIPS, appendix D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.curves import draw_curves, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, judge, mean_sd, within
from creases.paper.measures import Measure, Regions, WithoutBiases
from creases.plot import new_figure
from creases.training import Initialisation, ZeroBiases

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {"[20]³": (20,) * 3, "[32]³": (32,) * 3, "[16]⁶": (16,) * 6}
BIASED, FREE = "with biases", "without"
STARTS = {BIASED: Initialisation(), FREE: Initialisation(biases=ZeroBiases(), trained_biases=False)}


def lines(size: Size) -> list[Line]:
    """Each network with biases, and without them from beginning to end."""
    moments = size.pick((0, 1, 5, 10), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20))
    planes, seeds = OriginPlanes(size.pick(2, 5, 5)), tuple(range(size.pick(3, 10, 10)))
    measures: dict[str, tuple[Measure, ...]] = {
        BIASED: (Regions(planes), WithoutBiases(planes)),
        FREE: (Regions(planes),),
    }
    return [
        Line(
            Experiment(size.images, widths, measures[kind], moments, start, seeds=seeds),
            {"hidden": name, "biases": kind},
        )
        for name, widths in NETWORKS.items()
        for kind, start in STARTS.items()
    ]


def draw(data: Data) -> Picture:
    """Regions / N^2 with biases; regions / 2 N of networks that have none, and of the first without theirs."""
    figure = new_figure(10.5, 3.6)
    biased, without, removed = figure.subplots(1, 3)
    runs = data.growth(["hidden", "biases"])
    draw_curves(biased, runs[runs["biases"] == BIASED], "hidden", NETWORKS, level=0.5)
    cones, taken = runs[runs["biases"] == FREE].copy(), data.runs("regions without biases", ["hidden", "epoch"])
    for ax, some in ((without, cones), (removed, taken)):
        some["lines"] = some["value"] / (2 * some["neurons"])
        draw_curves(ax, some, "hidden", NETWORKS, value="lines", level=1.0)
        ax.set(ylabel="regions / 2N", ylim=(0, None))
    biased.set(ylabel="regions / N²", ylim=(0, None))
    titles = {biased: "trained with biases", without: "trained without", removed: "trained with, counted without"}
    for ax, title in titles.items():
        ax.set_title(title, fontsize="medium")
    figure.legend(*biased.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def findings(data: Data) -> list[Finding]:
    """About 2 N cones in a plane through the origin at the start, and never more than with biases."""
    runs = data.growth(["hidden", "biases"])
    both = data.rows("regions without biases").copy()
    planes = ["experiment", "seed", "step", "domain"]
    both["with"] = data.rows("regions").set_index(planes)["value"].reindex(both.set_index(planes).index).to_numpy()
    found = []
    for name in NETWORKS:
        cones = runs[(runs["hidden"] == name) & (runs["biases"] == FREE)]
        for moment, some in (("start", cones[cones["epoch"] == 0]), ("end", last_of_each(cones, ["hidden", "biases"]))):
            ratio = some["value"] / (2 * some["neurons"])
            if len(ratio):
                what = f"{name}: cones in a plane / 2N at the {moment}"
                said, verdict = ("about 1", within(ratio, 0.8, 1.2)) if moment == "start" else ("", NOTED)
                found.append(Finding(what, mean_sd(ratio), said, verdict))
        if len(cones):
            top = cones.groupby("seed")["factor"].max()
            what = f"{name}: most cones of a run / its first"
            found.append(Finding(what, mean_sd(top), "a small factor", within(top, 1, 3)))
        mine = both[both["hidden"] == name]
        if len(mine):
            fewer, most = int((mine["value"] <= mine["with"]).sum()), float((mine["value"] / mine["with"]).max())
            said = f"in {fewer:,} of {len(mine):,} counts; at most {most:.3g} times as many"
            what = f"{name}: without its biases a network has no more regions"
            found.append(Finding(what, said, "always (theorem)", judge(fewer == len(mine), mine["seed"].nunique())))
    return found


FIGURE = Figure(
    name="zero_bias",
    title="Networks without biases",
    source="Hanin and Rolnick, NeurIPS 2019, appendix D; through training it is new",
    claim="Without biases the regions are cones, in a plane through the origin about the 2N that N lines through it "
    "make: one power of N fewer than with biases, in training too.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The wording of the appendix is not known to us. That taking the biases away never makes more regions in a "
    "plane through the origin is a theorem (see zero_bias_map), for the same weights; the networks that are trained "
    "without biases have weights of their own. 2N is no maximum of a deep network: a neuron of a later layer may be "
    "crossed more than twice on a circle.",
)
