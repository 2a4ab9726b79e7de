"""How the count grows with the number of neurons, on all of R^n for n = 1 ... 4: the abstract's claim."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from creases.paper.choices import RandomPoints, WholeSpace
from creases.paper.claims import FigureFinding, between, equal_to, interval, judged, summary
from creases.paper.experiment import Experiment
from creases.paper.exponents import exponents
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.jackknife import estimated
from creases.paper.measures import Regions
from creases.plot import new_figure, plot_band
from creases.plot.figure import COLOURS, INK, QUIET, tidy
from creases.theory.maximum import hanin_rolnick_estimate, zaslavsky

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

DIMENSIONS = (1, 2, 3, 4)
# For each n, the numbers of neurons at each size.
NEURONS = {
    1: ((24, 48, 96, 192), (24, 48, 96, 192, 384), (24, 48, 96, 192, 384, 768)),
    2: ((24, 48, 96, 192), (24, 48, 96, 192, 384), (24, 48, 96, 192, 384, 768)),
    3: ((24, 48, 72), (24, 48, 72, 96, 144), (24, 48, 72, 96, 144, 192)),
    4: ((32, 48), (32, 48, 64, 96, 128, 192, 256), (32, 48, 64, 96, 128, 192, 256)),
}
# In R^4 a network of 256 neurons has 1.8e8 regions, which take two minutes on one core: large networks are counted with
# fewer seeds, and only up to this depth.
SEEDS_IN_FOUR = {96: 12, 128: 6, 192: 5, 256: 5}
DEEPEST_IN_FOUR = {96: 4, 128: 4, 192: 2, 256: 2}
# The number of seeds for networks with one hidden layer, whose counts do not vary.
FLAT_SEEDS = 3
DEPTHS = (1, 2, 3, 4, 6)
# The width of layers is at least this multiple of n: the theorem's constants grow with the sum of 1 / width, and layers
# that are not wider than the space map it into fewer dimensions.
LEAST_WIDTH = 4

# The claimed ranges for each n. Hyperplanes have exponents of 0.98 to 4.03 at these N, each within 0.04 of n.
NARROW = "narrow enough to tell n from n - 1/2 and n + 1/2"
EXPONENTS = {
    1: between(0.95, 1.05, "1", why=NARROW),
    2: between(1.9, 2.1, "2", why=NARROW),
    3: between(2.85, 3.15, "3", why=NARROW),
    4: between(3.8, 4.2, "4", why=NARROW),
}
REACH = "ours: about what 20 seeds, in R^4 five groups of seeds, can tell from 0"
BESIDE_HYPERPLANES = {
    n: between(-reach, reach, "0: as many as hyperplanes make, up to a factor", why=REACH)
    for n, reach in {1: 0.03, 2: 0.06, 3: 0.1, 4: 0.15}.items()
}
OF_DEPTH = {
    n: between(-reach, reach, "0: not the depth", why=REACH) for n, reach in {1: 0.06, 2: 0.1, 3: 0.15, 4: 0.25}.items()
}
PART = between(0.9, 1.1, "about 1", why="as near as N^n / n! is to what hyperplanes make for most N here")
FLAT = equal_to(1.0, "exactly 1 (Zaslavsky 1975)", check=True)


def lines(size: Size) -> list[TableLine]:
    """One experiment per number of inputs, neurons and depth, with the neurons spread evenly over the layers; nothing
    is trained."""
    return [
        TableLine(
            Experiment(
                RandomPoints(1, n_in=n),
                (neurons // depth,) * depth,
                (Regions(WholeSpace()),),
                seeds=tuple(range(seeds_of(size, n, neurons, depth))),
            ),
            {"inputs": n, "depth": depth},
        )
        for n in DIMENSIONS
        for neurons in size.pick(*NEURONS[n])
        for depth in DEPTHS
        if neurons % depth == 0 and neurons // depth >= LEAST_WIDTH * n and is_counted(n, neurons, depth)
    ]


def is_counted(n: int, neurons: int, depth: int) -> bool:
    """Whether the count is worth its time."""
    if depth == 1:
        return neurons <= (48 if n > 2 else 96)
    return n < 4 or depth <= DEEPEST_IN_FOUR.get(neurons, 4)


def seeds_of(size: Size, n: int, neurons: int, depth: int) -> int:
    """The number of networks."""
    if depth == 1:
        return FLAT_SEEDS
    return min(size.pick(8, 20, 50), SEEDS_IN_FOUR.get(neurons, 50) * size.pick(1, 1, 2) if n == 4 else 50)


def with_ratios(data: Data) -> pandas.DataFrame:
    """Counts of all runs, and their ratios to N^n / n! and to the number for N hyperplanes."""
    runs = data.runs("regions", ["inputs", "depth"])
    pairs = list(zip(runs["neurons"], runs["inputs"], strict=True))
    estimate, hyperplanes = cache(hanin_rolnick_estimate), cache(zaslavsky)
    runs["of estimate"] = runs["value"] / np.array([float(estimate(int(N), int(n))) for N, n in pairs])
    runs["of hyperplanes"] = runs["value"] / np.array([float(hyperplanes(int(N), int(n))) for N, n in pairs])
    return runs


def draw(data: Data) -> Picture:
    """Above, the counts for each n; below, the exponents and the ratios of counts to predictions."""
    figure = new_figure(10.5, 6.4)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.0, 1.1)).ravel()
    runs = with_ratios(data)
    panels = above.subplots(1, len(DIMENSIONS))
    for ax, n in zip(panels, DIMENSIONS, strict=True):
        draw_counts(ax, runs[runs["inputs"] == n], n)
    panels[0].set_ylabel("regions of Rⁿ")
    above.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    slopes, parts, estimate = below.subplots(1, 3)
    draw_exponents(slopes, runs)
    draw_parts(parts, runs, "of hyperplanes", "Σ C(N, k)")
    draw_parts(estimate, runs, "of estimate", "Nⁿ / n!")
    below.legend(*parts.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def draw_counts(ax: Axes, runs: pandas.DataFrame, n: int) -> None:
    """The counts for one n against N, with one band per depth, and the number for hyperplanes."""
    for i, depth in enumerate(sorted(runs["depth"].unique())):
        deep = runs[runs["depth"] == depth]
        plot_band(ax, deep["neurons"], deep["value"], label=f"depth {depth}", colour=COLOURS[i % len(COLOURS)])
    there = sorted(runs["neurons"].unique())
    ax.plot(there, [zaslavsky(int(N), n) for N in there], ":", color=INK, lw=1.2, label="Σ C(N, k)")
    ax.set(xscale="log", yscale="log", xlabel="N", xticks=there, xticklabels=there)
    ax.set_title(f"n = {n}", fontsize="medium")
    ax.minorticks_off()
    ax.tick_params(axis="x", labelsize="small")
    tidy(ax)


def draw_exponents(ax: Axes, runs: pandas.DataFrame) -> None:
    """The exponents of N of deep networks with their intervals, against n; and those of hyperplanes."""
    ax.plot(DIMENSIONS, DIMENSIONS, ":", color=QUIET, lw=1.0)
    for n in DIMENSIONS:
        mine = deep(runs[runs["inputs"] == n])
        found, ideal = exponents(mine)[:, 0], of_hyperplanes(mine, n)
        if len(found):
            low, high = interval(found) if len(found) > 1 else (found[0], found[0])
            middle = float(found.mean())
            ax.errorbar(
                [n], [middle], [[middle - low], [high - middle]], fmt="o", ms=5, capsize=4, color=COLOURS[n - 1]
            )
            ax.plot([n], [ideal], "_", ms=14, color=INK)
            ax.annotate(f"{middle:.2f}", (n, middle), (7, -11), textcoords="offset points", fontsize="small")
    ax.set(
        xlabel="number of inputs n", ylabel="fitted exponent of N", xticks=DIMENSIONS, xlim=(0.6, 4.6), ylim=(0.0, None)
    )
    ax.set_title("depth 2 and more; — hyperplanes", fontsize="small")
    tidy(ax)


def draw_parts(ax: Axes, runs: pandas.DataFrame, what: str, name: str) -> None:
    """A column of ratios against the depth, with one band for each n."""
    for n in DIMENSIONS:
        mine = runs[runs["inputs"] == n].groupby(["depth", "seed"])[what].mean().reset_index()
        plot_band(ax, mine["depth"], mine[what], label=f"n = {n}", colour=COLOURS[n - 1])
    ax.axhline(1.0, color=QUIET, lw=1.0, ls=":")
    ax.set(xlabel="depth", ylabel=f"regions / ({name})", xticks=sorted(runs["depth"].unique()), ylim=(0.0, None))
    tidy(ax)


def deep(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Without the networks with one hidden layer, which always have the same number as hyperplanes."""
    return runs[runs["depth"] > 1]


def of_hyperplanes(runs: pandas.DataFrame, n: int) -> float:
    """The exponent for hyperplanes, fitted to these N in the same way; NaN for too few."""
    ideal = exponents(runs.assign(value=[float(zaslavsky(int(N), n)) for N in runs["neurons"]]))
    return float(ideal[0, 0]) if len(ideal) else np.nan


def findings(data: Data) -> list[FigureFinding]:
    """The exponent of N is n, and that of the depth is 0; counts are about those of hyperplanes, for each depth."""
    runs = with_ratios(data)
    of_each = [(n, runs[runs["inputs"] == n]) for n in DIMENSIONS]
    slopes = [finding for n, mine in of_each for finding in of_exponents(deep(mine), n)]
    parts = [finding for n, mine in of_each for finding in of_parts(deep(mine), n)]
    flat = runs[runs["depth"] == 1]["of hyperplanes"]
    return [*slopes, *parts, judged("one hidden layer: regions / Σ C(N, k), every n and N", flat, FLAT)]


def of_exponents(runs: pandas.DataFrame, n: int) -> list[FigureFinding]:
    """The exponents of N and of the depth, for one n; that of N also divided by the one of hyperplanes."""
    of_neurons, of_depth = exponents(runs).T
    beside, _ = exponents(runs.assign(value=runs["of hyperplanes"])).T
    ideal = of_hyperplanes(runs, n)
    theirs = f"; {ideal:.3f} for as many hyperplanes" if np.isfinite(ideal) else ""
    at = f", N = {runs['neurons'].min()} to {runs['neurons'].max()}" if len(runs) else ""
    return [
        estimated(f"n = {n}: exponent of N{at}, depths from 2 on", of_neurons, EXPONENTS[n], form=".3f", more=theirs),
        estimated(f"n = {n}: exponent of N in regions / Σ C(N, k)", beside, BESIDE_HYPERPLANES[n], form=".3f"),
        estimated(f"n = {n}: exponent of the depth at equal N", of_depth, OF_DEPTH[n], form=".3f"),
    ]


def of_parts(runs: pandas.DataFrame, n: int) -> list[FigureFinding]:
    """Counts divided by the number for hyperplanes and by N^n / n!, for one n and each depth."""
    found = []
    for depth, mine in runs.groupby("depth"):
        means = mine.groupby("seed")[["of hyperplanes", "of estimate"]].mean()
        what = f"n = {n}, depth {depth}: regions / Σ C(N, k), mean over N"
        found.append(judged(what, means["of hyperplanes"], PART, more=f"; of Nⁿ/n! {summary(means['of estimate'])}"))
    return found


FIGURE = Figure(
    name="growth",
    title="Growth with the number of neurons",
    source="Hanin and Rolnick, NeurIPS 2019, abstract and theorem 5; no figure of theirs shows it",
    claim="At initialization the number of activation regions grows like N^n / n!, with N the number of neurons and n "
    "the number of inputs, and does not depend on the depth otherwise.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="no experiment of theirs: theorem 5 and the remark that follows it.",
    doubts="Exponents are fitted to networks of two and more layers; one hidden layer has exactly the number of "
    "hyperplanes. The theorem bounds densities in large cubes by a constant times N^n / n!; that the whole space has "
    "about this many regions is the authors' remark and our measurement. Numbers of neurons and depths are ours; "
    "layers have a width of at least 4 n. Networks whose layers are about as wide as n have fewer regions, with a "
    "larger spread. In R^4 there are few seeds for many neurons, so few groups of seeds, and wide intervals; there 96 "
    "and 128 neurons are counted in up to four layers, 192 and 256 in two layers only. Ranges of ratios to Σ C(N, k) "
    "were narrowed after an earlier report with the same networks, and are not blind.",
)
