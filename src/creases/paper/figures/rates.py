"""Learning rates, scales, optimisers: NeurIPS figure 6, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.curves import draw_curves, factor_findings, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, above, mean_sd, within
from creases.paper.measures import Regions
from creases.plot import new_figure
from creases.training import SGD, Adam, GaussianBiases, HeWeights, Initialisation, Optimiser

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
RATE, WEIGHTS, BIASES, HOW = "learning rate", "weights times", "bias sd", "how it is trained"
RATES, SCALES, DEVIATIONS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1), (0.25, 0.5, 1.0, 2.0, 4.0), (1e-6, 1e-3, 0.1, 1.0)
TRAININGS: dict[str, tuple[Optimiser, bool]] = {
    "Adam": (Adam(), False),
    "SGD 0.1": (SGD(0.1), False),
    "SGD 0.05, momentum 0.9": (SGD(0.05, 0.9), False),
    "weight decay 0.1": (Adam(weight_decay=0.1), False),
    "batch norm": (Adam(), True),
}


def lines(size: Size) -> list[Line]:
    """One experiment a setting; the papers' own is part of all four sweeps, and is run once."""
    moments = size.pick(
        (0, 0.5, 2, 5, 10), (0, 1 / 8, 1 / 2, 1, 2, 4, 6, 10, 20), (0, 1 / 8, 1 / 2, 1, 2, 4, 6, 10, 20)
    )
    measures, seeds = (Regions(OriginPlanes(size.pick(1, 5, 5))),), tuple(range(size.pick(3, 5, 10)))

    def line(sweep: str, value: float | str, start: Initialisation, how: Optimiser) -> Line:
        experiment = Experiment(size.images, WIDTHS, measures, moments, start, how, seeds=seeds)
        return Line(experiment, {"sweep": sweep, "setting": f"{value:g}" if isinstance(value, float) else value})

    own = Initialisation()
    rates = size.pick((1e-4, 1e-2, 1e-1), RATES, RATES)
    scales, deviations = size.pick((0.5, 2.0), SCALES, SCALES), size.pick((0.1, 1.0), DEVIATIONS, DEVIATIONS)
    found = [line(RATE, rate, own, Adam(rate)) for rate in rates if rate != 1e-3]
    found += [line(WEIGHTS, scale, Initialisation(HeWeights(scale)), Adam()) for scale in scales if scale != 1.0]
    found += [
        line(BIASES, std, Initialisation(biases=GaussianBiases(std)), Adam()) for std in deviations if std != 1e-3
    ]
    found += [
        line(HOW, name, Initialisation(batch_norm=norm), how)
        for name, (how, norm) in TRAININGS.items()
        if name != "Adam"
    ]
    return [line("the papers'", "Adam", own, Adam()), *found]


SWEEPS = {
    RATE: ([f"{rate:g}" for rate in RATES], "0.001"),
    WEIGHTS: ([f"{scale:g}" for scale in SCALES], "1"),
    BIASES: ([f"{std:g}" for std in DEVIATIONS], "0.001"),
    HOW: (list(TRAININGS), "Adam"),
}


def draw(data: Data) -> Picture:
    """Regions / N^2 through training, a panel a sweep."""
    figure = new_figure(10.5, 6.4)
    runs = data.growth(["sweep", "setting"])
    for ax, (sweep, (order, own)) in zip(figure.subplots(2, 2).ravel(), SWEEPS.items(), strict=True):
        mine = runs[runs["sweep"].isin([sweep, "the papers'"])].copy()
        mine.loc[mine["sweep"] == "the papers'", "setting"] = own
        draw_curves(ax, mine, "setting", order, sequence=sweep != HOW, level=0.5)
        ax.set(ylabel="regions / N²", ylim=(0, None))
        ax.legend(title=sweep, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def findings(data: Data) -> list[Finding]:
    """No setting has more than a small multiple of what it began with; which learning rate has the most."""
    runs = data.growth(["sweep", "setting"])
    found = []
    for sweep in ("the papers'", *SWEEPS):
        mine = runs[runs["sweep"] == sweep].copy()
        if mine.empty:
            continue
        mine["setting"] = sweep + " " + mine["setting"] if sweep != HOW else mine["setting"]
        order = list(dict.fromkeys(mine["setting"]))
        found += factor_findings(mine, "setting", order, 4.0, "never more than a small multiple")
    chosen = runs[runs["sweep"].isin([RATE, "the papers'"])].copy()
    chosen.loc[chosen["sweep"] == "the papers'", "setting"] = "0.001"
    ends = last_of_each(chosen, ["setting"])
    table = ends.pivot_table(index="seed", columns="setting", values="value")  # a seed has the same first weights
    if "0.001" in table and table.shape[1] > 1:
        best = str(table.drop(columns="0.001").mean().idxmax())
        ratios = (table["0.001"] / table[best]).dropna()
        what = f"regions at the end, rate 0.001 / rate {best}, which has the most of the others"
        found.append(Finding(what, mean_sd(ratios), "above 1: most at 0.001", above(ratios, 1.0)))
    accuracy = ends[ends["setting"] == "0.01"]["train_accuracy"]
    if len(accuracy):
        what = "learning rate 0.01: training accuracy at the end"
        found.append(Finding(what, mean_sd(accuracy), "learning fails (0.1 is chance)", within(accuracy, 0.0, 0.5)))
    return found


FIGURE = Figure(
    name="rates",
    title="Learning rates, scales and optimisers",
    source="Hanin and Rolnick, NeurIPS 2019, figure 6; bias scale, optimiser, weight decay and batch norm are new",
    claim="Whatever the learning rate or the scale of the initial weights, the count never exceeds a small multiple "
    "of the first; a rate of 0.001 has the most regions.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The authors' scales are not known; batch norm is counted folded into the weights, as a network in use has "
    "it. In whole planes through the origin the scale of all biases changes nothing at the start, and that of all "
    "weights is one of the biases, which differs from layer to layer.",
)
