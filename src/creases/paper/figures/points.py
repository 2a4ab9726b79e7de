"""Random points with random labels: NeurIPS, appendix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import RandomPoints, WholeSpace
from creases.paper.claims import FigureFinding, above, between, judged, noted
from creases.paper.curves import LEARNED, at_epoch, draw_curves, factor_finding, last_of_each, paired_slope
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.steps import moments_at, steps_per_epoch, whole_epochs
from creases.plot import new_figure, plot_band

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

WIDTHS = (32, 32, 32)
POINTS = (10, 30, 100, 1000)
STEPS = (0, 10, 50, 100, 200, 500, 1000, 2000, 4000, 7000, 14000)

SMALL = between(0.5, 2.0, "a small factor, about the line N²/2 = 4,608", why="Ours: a factor of two to either side.")
RISES = above(0.0, "above 0: more points, more regions")


def lines(size: Size) -> list[TableLine]:
    """One experiment per number of points, all with the same number of steps; measured also after equal epochs."""
    last, seeds = size.pick(1400, 14000, 14000), tuple(range(size.pick(3, 8, 10)))
    chosen = size.pick((10, 100, 1000), POINTS, POINTS)
    common = shared_epochs(last, chosen)
    found = []
    for points in chosen:
        task = RandomPoints(points)
        moments = moments_at([*(step for step in STEPS if step < last), last], task)
        moments = tuple(sorted({*moments, min(common, moments[-1])}))
        experiment = Experiment(task, WIDTHS, (Regions(WholeSpace()),), moments, seeds=seeds)
        found.append(TableLine(experiment, {"points": points, "per_epoch": steps_per_epoch(task)}))
    return found


def shared_epochs(steps: int, points: tuple[int, ...]) -> float:
    """The largest number of epochs that all have completed after this many steps, which is that of the largest number
    of points."""
    return whole_epochs(steps, RandomPoints(max(points)))


def draw(data: Data) -> Picture:
    """Regions of the whole plane against steps; at the end against the number of points, by both comparisons;
    accuracy."""
    figure = new_figure(10.5, 3.6)
    steps, ends, learned = figure.subplots(1, 3)
    runs, level = grown(data), sum(WIDTHS) ** 2 / 2
    draw_curves(steps, runs, "points", POINTS, at="steps", value="value", sequence=True, level=level)
    steps.set_xscale("symlog", linthresh=10)
    steps.set(ylabel="regions of the plane (dotted: N²/2)", xlim=(0, None), ylim=(0, None))
    steps.legend(title="points", frameon=False, fontsize="small")
    for rows, label, style in (
        (last_of_each(runs, ["points"]), "equal steps", "o-"),
        (equal(runs), "equal epochs", "s--"),
    ):
        colour = {"o-": "#2d6a9f", "s--": "#777777"}[style]
        plot_band(ends, rows["points"], rows["value"], label=label, colour=colour, style=style)
        plot_band(learned, rows["points"], rows["train_accuracy"], label=label, colour=colour, style=style)
    ends.axhline(level, color="#777777", lw=1.0, ls=":")
    ends.set(xscale="log", xlabel="points", ylabel="regions at the end", ylim=(0, None))
    ends.legend(frameon=False, fontsize="small")
    learned.set(xscale="log", xlabel="points", ylabel="training accuracy", ylim=(0, 1.05))
    for ax in (ends, learned):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def grown(data: Data) -> pandas.DataFrame:
    """Counts during training, with the number of steps."""
    runs = data.growth(["points", "per_epoch"])
    return runs.assign(steps=runs["epoch"] * runs["per_epoch"])


def equal(runs: pandas.DataFrame) -> pandas.DataFrame:
    """One row per run, after the same number of epochs for all: that of the largest number of points."""
    import pandas

    if runs.empty:
        return runs
    common = runs[runs["points"] == runs["points"].max()]["epoch"].max()
    return pandas.concat([at_epoch(mine, common) for _, mine in runs.groupby("points")])


def findings(data: Data) -> list[FigureFinding]:
    """Small factors if the points were memorised, and the dependence of the count on their number, seed by seed.

    The claim is about memorisation: it is judged over the numbers of points that were memorised, and the slope over all
    of them is noted.
    """
    runs = grown(data)
    found = []
    for points in POINTS:
        mine = runs[runs["points"] == points]
        if len(mine):
            found.append(factor_finding(mine, f"{points:,} points", SMALL, learned=True))
    ends, steps = last_of_each(runs, ["points"]), max(data.steps(line) for line in data.lines)
    accuracy = ends.groupby("points")["train_accuracy"].mean()
    learned = sorted(accuracy[accuracy >= LEARNED].index)
    for least in (min(POINTS), 30):
        what = f"slope of log(count / the first) on log10(points) from {least} on, a run, at equal steps ({steps:,})"
        some = ends[(ends["points"] >= least) & ends["points"].isin(learned)]
        more = f"; of {', '.join(f'{points:,}' for points in learned if points >= least)} points"
        slopes = paired_slope(some, "points", logarithm=True)
        found.append(judged(f"{what}, learned by heart", slopes, RISES, more=more))
        slopes = paired_slope(ends[ends["points"] >= least], "points", logarithm=True)
        found.append(noted(f"{what}, learned or not", slopes))
    slopes = paired_slope(equal(runs), "points", logarithm=True)
    epochs = runs[runs["points"] == runs["points"].max()]["epoch"].max()
    what = f"the same slope from {min(POINTS)} on, a run, at equal epochs ({epochs:,.0f})"
    return [*found, noted(what, slopes, "with more points an epoch has more steps")]


FIGURE = Figure(
    name="points",
    title="Random points with random labels",
    source="Hanin and Rolnick, NeurIPS 2019, appendix",
    claim="Memorizing random points in the plane needs a few more regions than at initialization, more for more "
    "points.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="[32]³, about 2,000 epochs; numbers of points, batches and runs not known.",
    doubts="The authors have such an experiment; its details are not certain. Here points are uniform in [-1, 1]², "
    "with one batch per epoch up to 128 points, then batches of 128. All numbers of points have the same number of "
    "steps; results for the same number of epochs are noted. By heart is said where the training accuracy at the end "
    f"is at least {LEARNED:.0%} in the mean. The claim is about memorizing, so slopes over numbers of points that are "
    "learned by heart are judged, and slopes over all are noted; this was decided after the runs.",
)
