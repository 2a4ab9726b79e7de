"""Regions of whole spaces of two, three and four dimensions during training; the papers count only in planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import Principal, RandomPoints, WholeSpace
from creases.paper.claims import FigureFinding, between, judged
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, QUIET, tidy
from creases.theory.maximum import zaslavsky

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

DIMENSIONS = (2, 3, 4)
IMAGES, POINTS = "images, principal components", "random points, random labels"
POINTS_LEARNED = 100
NAMES = {(12, 12, 12): "[12]³", (16, 16, 16): "[16]³", (20, 20, 20): "[20]³"}

OURS = "ours: a small factor is at most 2, and a count that falls to half of its start is no recovery"
AT_START = between(0.75, 1.25, "about 1", why="ten networks whose counts spread by 0.2 to 0.4 of their mean")
# Without the first moment, where the ratio is 1 by construction, and the last, which is judged separately.
PEAK = between(0.5, 2.0, "a small factor, in planes", why=OURS)
END = between(0.5, 2.0, "a small factor, in planes", why=OURS)


def lines(size: Size) -> list[TableLine]:
    """One experiment per number of inputs, task and network. An epoch of the points has four steps."""
    seeds = tuple(range(size.pick(3, 10, 20)))
    networks = size.pick([(16,) * 3], [(12,) * 3, (16,) * 3], [(12,) * 3, (16,) * 3, (20,) * 3])
    images = size.pick((0, 2, 10, 30), (0, 2, 5, 10, 20, 50), (0, 1, 2, 5, 10, 20, 50, 100, 200))
    points = size.pick((0, 10, 50, 200), (0, 10, 30, 100, 300), (0, 3, 10, 30, 100, 250, 500, 1000))
    return [
        TableLine(
            Experiment(task, widths, (Regions(WholeSpace()),), moments, batch_size=batch, seeds=seeds),
            {"hidden": NAMES[widths], "inputs": n, "task": name},
        )
        for widths in networks
        for n in DIMENSIONS
        for name, task, moments, batch in (
            (IMAGES, Principal(size.small, n), images, 128),
            (POINTS, RandomPoints(POINTS_LEARNED, n_in=n), points, 25),
        )
    ]


def with_ratios(data: Data) -> pandas.DataFrame:
    """Counts of all runs at all moments, divided by the run's first count and by the number for N hyperplanes."""
    keys = ["hidden", "inputs", "task"]
    runs = data.runs("regions", [*keys, "epoch"])
    first = runs[runs["epoch"] == 0].set_index([*keys, "seed"])["value"].rename("first")
    runs = runs.join(first, on=[*keys, "seed"])
    runs["of first"] = runs["value"] / runs["first"]
    hyperplanes = [zaslavsky(int(N), int(n)) for N, n in zip(runs["neurons"], runs["inputs"], strict=True)]
    runs["of hyperplanes"] = runs["value"] / hyperplanes
    return runs


def draw(data: Data) -> Picture:
    """One column per task: counts divided by the first above, divided by those of hyperplanes below; then accuracy."""
    figure = new_figure(10.5, 6.0)
    axes = figure.subplots(2, 3, sharey="row", width_ratios=(1.0, 1.0, 0.8))
    runs = with_ratios(data)
    styles = dict(zip(NAMES.values(), ("o-", "s--", "^:"), strict=True))
    for row, (what, name) in enumerate(
        (("of first", "regions / at the start"), ("of hyperplanes", "regions / Σ C(N, k)"))
    ):
        for column, task in enumerate((IMAGES, POINTS)):
            ax = axes[row, column]
            for (hidden, n), mine in runs[runs["task"] == task].groupby(["hidden", "inputs"]):
                label, colour = f"{hidden}, n = {n}", COLOURS[int(n) - 2]
                plot_band(ax, mine["epoch"], mine[what], label=label, colour=colour, style=styles[hidden])
                means = mine.dropna(subset=["train_accuracy"]).groupby("epoch")[["train_accuracy", what]].mean()
                marker = styles[hidden][0] if task == IMAGES else styles[hidden]
                full = {"mfc": "white"} if task == POINTS else {}
                axes[row, 2].plot(means["train_accuracy"], means[what], marker, ms=3.5, lw=0.9, color=colour, **full)
            epoch_axis(ax, runs[runs["task"] == task]["epoch"].max())
            ax.set_title(task if row == 0 else "", fontsize="medium")
        axes[row, 0].set_ylabel(name)
        axes[row, 2].set(xlabel="training accuracy")
        for ax in axes[row]:
            ax.axhline(1.0, color=QUIET, lw=1.0, ls=":")
            ax.set_ylim(0.0, None)
            tidy(ax)
    axes[0, 2].set_title("images (full), points (hollow)", fontsize="medium")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """For each network and n, the initial count compared with hyperplanes; for each task, the largest and the last
    count compared with it."""
    runs, found = with_ratios(data), []
    for (hidden, n), mine in runs[runs["epoch"] == 0].groupby(["hidden", "inputs"]):
        # In runs with the same seed both tasks have the same initial hidden layers, so they are not two samples.
        start = mine.groupby("seed")["of hyperplanes"].mean()
        found.append(judged(f"{hidden}, n = {n}: regions / Σ C(N, k) at the start", start, AT_START))
    for (hidden, task, n), mine in runs.dropna(subset=["of first"]).groupby(["hidden", "task", "inputs"]):
        found += of_training(f"{hidden}, n = {n}, {task}", mine[mine["epoch"] > 0])
    return found


def of_training(name: str, runs: pandas.DataFrame) -> list[FigureFinding]:
    """Counts divided by the initial ones: at the moment, before the end, with the largest mean, and at the end."""
    before, end = runs[runs["epoch"] < runs["epoch"].max()], runs[runs["epoch"] == runs["epoch"].max()]
    if not len(before):
        return []
    at = before.groupby("epoch")["of first"].mean().idxmax()
    top = before[before["epoch"] == at]["of first"]
    learned = f"; training accuracy {end['train_accuracy'].mean():.2f}" if end["train_accuracy"].notna().any() else ""
    return [
        judged(f"{name}: largest mean before the end of count / first", top, PEAK, more=f"; at epoch {at:g}"),
        judged(f"{name}: count at the end / first", end["of first"], END, more=learned),
    ]


FIGURE = Figure(
    name="spaces",
    title="Whole spaces of two, three and four dimensions through training",
    source="new: the papers count in planes and along lines",
    claim="On all of the input space, of up to four dimensions, the number of regions is near Σ C(N, k) at "
    "initialization and stays within a small factor of it through training, as in planes.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="no experiment of theirs in more than planes.",
    doubts="The authors have no such figure. Images are projected to their first principal components, each of "
    "variance one; random points are uniform in [-1, 1]^n, and differ between runs. The largest mean is the maximum "
    "over the fixed moments between start and end, so it is slightly too large by chance. Ranges at the start were "
    "narrowed after an earlier report with the same untrained networks, and are not blind. Runs with the same network "
    "and n begin with the same hidden layers for every task.",
)
