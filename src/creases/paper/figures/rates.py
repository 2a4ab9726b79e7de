"""Learning rates, scales, optimisers: NeurIPS figure 6, and further settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.claims import FigureFinding, above, between, judged, noted
from creases.paper.curves import at_epoch, draw_curves, factor_finding, last_of_each, paired_ratio
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.steps import AUTHORS_EPOCH, AUTHORS_MOMENTS, AUTHORS_STEPS, moments_at
from creases.plot import epoch_axis, new_figure
from creases.training import SGD, Adam, GaussianBiases, HeWeights, Initialisation, Optimiser

if TYPE_CHECKING:
    import pandas
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
OWN = "the papers'"
# The papers' own setting in each sweep; learning rates are compared in longer runs, in which it has runs of its own.
SWEEPS = {
    RATE: ([f"{rate:g}" for rate in RATES], "0.001"),
    WEIGHTS: ([f"{scale:g}" for scale in SCALES], "1"),
    BIASES: ([f"{std:g}" for std in DEVIATIONS], "0.001"),
    HOW: (list(TRAININGS), "Adam"),
}

# The authors' claim has only an upper end: with a rate at which the network dies there are few regions.
SMALL = between(0.1, 2.0, "never more than a small multiple", why="Ours: twice; below a tenth nothing was counted.")
MOST = above(1.0, "above 1: 0.001 has the most", steps=AUTHORS_STEPS)
FAILS = between(0.05, 0.5, "learning fails (0.1 is chance)", steps=AUTHORS_STEPS, why="Ours: a half is not learned.")
NORM_STARTS = above(1.0, "above 1: more with batch norm (ours)")
NORM_STAYS = between(0.5, 1.0, "ours: it does not grow", why="Ours, from runs of other seeds: about 0.9.")


def lines(size: Size) -> list[TableLine]:
    """One experiment per setting. Rates are compared over the authors' number of steps; the papers' own setting is in
    all sweeps."""
    most = size.pick(AUTHORS_EPOCH, AUTHORS_STEPS, AUTHORS_STEPS)
    long = moments_at([step for step in AUTHORS_MOMENTS if step <= most], size.images)
    short = (0, 1 / 8, 1 / 2, 1, 2, 4, 6, 10, *size.pick((), (20,), (20,)))
    measures, seeds = (Regions(OriginPlanes(size.pick(2, 5, 5))),), tuple(range(size.pick(3, 5, 10)))

    def line(
        sweep: str, value: float | str, start: Initialisation, how: Optimiser, moments: tuple[float, ...] = short
    ) -> TableLine:
        experiment = Experiment(size.images, WIDTHS, measures, moments, start, how, seeds=seeds)
        return TableLine(experiment, {"sweep": sweep, "setting": f"{value:g}" if isinstance(value, float) else value})

    own = Initialisation()
    rates = size.pick((1e-5, 1e-3, 1e-2), RATES, RATES)
    scales, deviations = size.pick((0.5, 2.0), SCALES, SCALES), size.pick((0.1, 1.0), DEVIATIONS, DEVIATIONS)
    found = [line(RATE, rate, own, Adam(rate), long) for rate in rates]
    found += [line(WEIGHTS, scale, Initialisation(HeWeights(scale)), Adam()) for scale in scales if scale != 1.0]
    found += [
        line(BIASES, std, Initialisation(biases=GaussianBiases(std)), Adam()) for std in deviations if std != 1e-3
    ]
    found += [
        line(HOW, name, Initialisation(batch_norm=norm), how)
        for name, (how, norm) in TRAININGS.items()
        if name != "Adam"
    ]
    return [line(OWN, "Adam", own, Adam()), *found]


def draw(data: Data) -> Picture:
    """Regions / N^2 during training, with one panel per sweep; bands of one standard deviation over runs."""
    figure = new_figure(10.5, 6.4)
    runs = data.growth(["sweep", "setting"])
    for ax, (sweep, (order, own)) in zip(figure.subplots(2, 2).ravel(), SWEEPS.items(), strict=True):
        mine = runs[runs["sweep"].isin([sweep] if sweep == RATE else [sweep, OWN])].copy()
        mine.loc[mine["sweep"] == OWN, "setting"] = own
        draw_curves(ax, mine, "setting", order, sequence=sweep != HOW, level=0.5)
        if sweep == RATE:
            epoch_axis(ax, max(mine["epoch"].max(), 1.0))
        ax.set(ylabel="regions / N²", ylim=(0, None))
        ax.legend(title=sweep, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """No setting has more than a small multiple of its initial regions; the learning rate with the most; batch norm."""
    runs = data.growth(["sweep", "setting"])
    found = []
    for line in data.lines:
        sweep, setting = line.labels["sweep"], line.labels["setting"]
        mine = runs[(runs["sweep"] == sweep) & (runs["setting"] == setting)]
        name = setting if sweep == HOW else f"{sweep} {setting}"
        found.append(factor_finding(mine, f"{name}, {data.steps(line):,} steps", SMALL))
    return [*found, *rate_findings(data, runs), *norm_findings(runs)]


def rate_findings(data: Data, runs: pandas.DataFrame) -> list[FigureFinding]:
    """The rate 0.001 compared with each of the others, seed by seed; none of them is selected by these data."""
    ends = last_of_each(runs[runs["sweep"] == RATE], ["setting"])
    found = []
    for line in data.lines:
        rate, steps = line.labels["setting"], data.steps(line)
        if line.labels["sweep"] != RATE:
            continue
        mine = ends[ends["setting"] == rate]
        if rate == "0.01":
            what = f"learning rate {rate}: training accuracy at the end"
            found.append(judged(what, mine["train_accuracy"], FAILS, steps=steps))
        if rate != "0.001":
            ratios = paired_ratio(ends, "setting", "0.001", rate)
            what = f"count at the end, rate 0.001 / rate {rate}, a run"
            found.append(judged(what, ratios, MOST, steps=steps))
    return found


def norm_findings(runs: pandas.DataFrame) -> list[FigureFinding]:
    """Batch norm compared with the papers' own training, both in evaluation mode."""
    starts = at_epoch(runs[runs["sweep"].isin([HOW, OWN])], 0.0)
    normed = runs[(runs["sweep"] == HOW) & (runs["setting"] == "batch norm")]
    return [
        noted("batch norm: regions / N² at the start", at_epoch(normed, 0.0)["ratio"]),
        judged(
            "count at the start, with batch norm / without, a run",
            paired_ratio(starts, "setting", "batch norm", "Adam"),
            NORM_STARTS,
        ),
        judged("batch norm: count at the end / the first", last_of_each(normed, [])["factor"], NORM_STAYS),
    ]


FIGURE = Figure(
    name="rates",
    title="Learning rates, scales and optimisers",
    source="Hanin and Rolnick, NeurIPS 2019, figure 6; bias scale, optimiser, weight decay and batch norm are new",
    claim="For all learning rates and scales of the initial weights, the count never exceeds a small multiple of the "
    "first; a learning rate of 0.001 has the most regions; at 0.01 learning fails.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="[32]³, 60,000 images of MNIST, 9,360 steps of 128 (20 epochs), mean of 5 planes; the number of runs is "
    "not known.",
    doubts="The authors' scales are not known. Learning rates are compared over the authors' number of steps, which "
    "are 302 epochs of 4,000 images; other settings over 620 steps. Networks with batch norm are counted in "
    "evaluation mode, folded into the weights, and begin with the statistics of the training examples. In whole "
    "planes through the origin a common scale of all biases does not change the counts at the start, and a scale of "
    "all weights is equivalent to a scale of the biases that differs between layers. All runs have the same planes "
    "and images; intervals are over weights and order only.",
)
