"""Networks without biases beside those with: NeurIPS, appendix D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.curves import draw_curves
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, judge, mean_sd, within
from creases.paper.measures import Regions
from creases.plot import new_figure
from creases.training import Initialisation, ZeroBiases

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {"[20]³": (20,) * 3, "[32]³": (32,) * 3, "[16]⁶": (16,) * 6}
STARTS = {"with biases": Initialisation(), "without": Initialisation(biases=ZeroBiases(), trained_biases=False)}


def lines(size: Size) -> list[Line]:
    """Each network with biases, and without them from beginning to end."""
    moments = size.pick((0, 1, 5, 10), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20), (0, 1 / 8, 1 / 2, 1, 2, 5, 10, 20))
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(3, 10, 10)))
    return [
        Line(Experiment(size.images, widths, measures, moments, start, seeds=seeds), {"hidden": name, "biases": kind})
        for name, widths in NETWORKS.items()
        for kind, start in STARTS.items()
    ]


def draw(data: Data) -> Picture:
    """Regions / N^2 with biases; regions / 2 N without."""
    figure = new_figure(10.5, 3.6)
    biased, without = figure.subplots(1, 2)
    runs = data.growth(["hidden", "biases"])
    draw_curves(biased, runs[runs["biases"] == "with biases"], "hidden", NETWORKS, level=0.5)
    cones = runs[runs["biases"] == "without"].copy()
    cones["lines"] = cones["value"] / (2 * cones["neurons"])
    draw_curves(without, cones, "hidden", NETWORKS, value="lines", level=1.0)
    biased.set(ylabel="regions / N²", ylim=(0, None), title="with biases")
    without.set(ylabel="regions / 2N", ylim=(0, None), title="without biases")
    without.legend(frameon=False)
    return figure


def findings(data: Data) -> list[Finding]:
    """About 2 N cones in a plane through the origin at the start, and never more than with biases."""
    runs = data.growth(["hidden", "biases"])
    found = []
    for name in NETWORKS:
        cones = runs[(runs["hidden"] == name) & (runs["biases"] == "without")]
        both = runs[(runs["hidden"] == name) & (runs["biases"] == "with biases")]
        start, first = cones[cones["epoch"] == 0].set_index("seed"), both[both["epoch"] == 0].set_index("seed")
        if start.empty:
            continue
        ratio = start["value"] / (2 * start["neurons"])
        found.append(
            Finding(f"{name}: cones in a plane / 2N at the start", mean_sd(ratio), "about 1", within(ratio, 0.8, 1.2))
        )
        top = cones.groupby("seed")["factor"].max()
        found.append(
            Finding(f"{name}: most cones of a run / its first", mean_sd(top), "a small factor", within(top, 1, 3))
        )
        shared = start.index.intersection(first.index)
        fewer = bool((start.loc[shared, "value"] <= first.loc[shared, "value"]).all())
        said = f"{mean_sd(start.loc[shared, 'value'], ',.0f')} against {mean_sd(first.loc[shared, 'value'], ',.0f')}"
        found.append(
            Finding(f"{name}: cones, and regions of the same weights", said, "fewer", judge(fewer, len(shared)))
        )
    return found


FIGURE = Figure(
    name="zero_bias",
    title="Networks without biases",
    source="Hanin and Rolnick, NeurIPS 2019, appendix D; through training it is new",
    claim="Without biases the regions are cones, about 2N in a plane through the origin where N hyperplanes would "
    "have 2N: "
    "one power of N fewer than with biases, in training too.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The wording of the appendix is not known to us; that cones are never more than the regions of the same "
    "weights "
    "with biases is a theorem (see zero_bias_map).",
)
