"""Random points with random labels: NeurIPS, appendix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import RandomPoints, WholeSpace
from creases.paper.curves import draw_curves, factor_findings, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, judge
from creases.paper.measures import Regions
from creases.plot import epoch_axis, new_figure, plot_band

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
POINTS = (10, 30, 100, 300, 1000)
MOMENTS = (0, 10, 50, 100, 200, 500, 1000, 2000)


def lines(size: Size) -> list[Line]:
    """One experiment a number of points."""
    last = size.pick(500, 2000, 2000)
    moments, seeds = tuple(at for at in MOMENTS if at <= last), tuple(range(size.pick(3, 10, 10)))
    return [
        Line(
            Experiment(RandomPoints(points), WIDTHS, (Regions(WholeSpace()),), moments, seeds=seeds), {"points": points}
        )
        for points in size.pick((10, 100, 300), POINTS, POINTS)
    ]


def draw(data: Data) -> Picture:
    """Regions of the whole plane against epochs; at the end against the number of points."""
    figure = new_figure(10.5, 3.6)
    epochs, ends, learned = figure.subplots(1, 3)
    runs, level = data.growth(["points"]), sum(WIDTHS) ** 2 / 2
    draw_curves(epochs, runs, "points", POINTS, value="value", sequence=True, level=level)
    epoch_axis(epochs, runs["epoch"].max())
    epochs.set(ylabel="regions of the plane (dotted: N²/2)", ylim=(0, None))
    epochs.legend(title="points", frameon=False, fontsize="small")
    last = last_of_each(runs, ["points"])
    plot_band(ends, last["points"], last["value"])
    ends.axhline(level, color="#777777", lw=1.0, ls=":")
    ends.set(xscale="log", xlabel="points", ylabel="regions at the end", ylim=(0, None))
    plot_band(learned, last["points"], last["train_accuracy"])
    learned.set(xscale="log", xlabel="points", ylabel="accuracy at the end", ylim=(0, 1.05))
    for ax in (ends, learned):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def findings(data: Data) -> list[Finding]:
    """Small factors, and how the count grows with the number of points."""
    runs = data.growth(["points"])
    found = factor_findings(runs, "points", POINTS, 4.0, "a small factor, about the line N²/2 = 4,608", "{} points")
    last = last_of_each(runs, ["points"])
    if last["points"].nunique() > 1:
        from scipy.stats import spearmanr

        rank, chance = spearmanr(last["points"], last["value"])
        fewest = int(last.groupby("points")["seed"].nunique().min())
        verdict = judge(bool(rank > 0), fewest if chance < 0.05 else 0)
        said = f"rank correlation {rank:.2f} (p = {chance:.1g})"
        found.append(Finding("regions at the end rise with the points", said, "more points, more regions", verdict))
    return found


FIGURE = Figure(
    name="points",
    title="Random points with random labels",
    source="Hanin and Rolnick, NeurIPS 2019, appendix",
    claim="Memorizing random points in the plane takes a few more regions than the network began with, more for more "
    "points.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="That there is such an experiment is known; its details ([32]³, about 2,000 epochs, points in a square) "
    "are not certain. Points are uniform in [-1, 1]² here, one batch an epoch up to 128 points.",
)
