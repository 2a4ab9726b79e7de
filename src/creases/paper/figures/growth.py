"""How the count grows with the number of neurons, on all of R^n for n = 1 ... 4: the abstract's claim."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from creases.paper.choices import RandomPoints, WholeSpace
from creases.paper.experiment import Experiment
from creases.paper.exponents import as_text, exponents
from creases.paper.figure import Data, Figure, Finding, Line, Size, interval, mean_sd, within
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
# For each n the numbers of neurons at each size.
NEURONS = {
    1: ((24, 48, 96, 192), (24, 48, 96, 192, 384), (24, 48, 96, 192, 384, 768)),
    2: ((24, 48, 96, 192), (24, 48, 96, 192, 384), (24, 48, 96, 192, 384, 768)),
    3: ((24, 48, 72), (24, 48, 72, 96), (24, 48, 72, 96, 144)),
    4: ((32, 48), (32, 48, 64), (32, 48, 64, 96)),
}
DEPTHS = (1, 2, 3, 4, 6)
# Layers are at least this many times n: the theorem's constants grow with the sum of 1 / width, and layers no wider
# than the space fold it into fewer dimensions.
LEAST_WIDTH = 4


def lines(size: Size) -> list[Line]:
    """One experiment for inputs, neurons and depth, the neurons spread evenly over the layers; nothing is trained."""
    seeds = range(size.pick(8, 20, 50))
    return [
        Line(
            Experiment(
                RandomPoints(1, n_in=n), (neurons // depth,) * depth, (Regions(WholeSpace()),), seeds=tuple(seeds)
            ),
            {"inputs": n, "depth": depth},
        )
        for n in DIMENSIONS
        for neurons in size.pick(*NEURONS[n])
        for depth in DEPTHS
        if neurons % depth == 0 and neurons // depth >= LEAST_WIDTH * n
    ]


def with_ratios(data: Data) -> pandas.DataFrame:
    """Counts of all runs, and what part they are of N^n / n! and of what N hyperplanes make."""
    runs = data.runs("regions", ["inputs", "depth"])
    pairs = list(zip(runs["neurons"], runs["inputs"], strict=True))
    estimate, hyperplanes = cache(hanin_rolnick_estimate), cache(zaslavsky)
    runs["of estimate"] = runs["value"] / np.array([float(estimate(int(N), int(n))) for N, n in pairs])
    runs["of hyperplanes"] = runs["value"] / np.array([float(hyperplanes(int(N), int(n))) for N, n in pairs])
    return runs


def draw(data: Data) -> Picture:
    """Above the counts for each n; below the exponents, and the counts as parts of what is predicted."""
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
    """The counts for one n against N, a band a depth, and what hyperplanes make."""
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
    """The exponents of N with their intervals, against n."""
    ax.plot(DIMENSIONS, DIMENSIONS, ":", color=QUIET, lw=1.0)
    for n in DIMENSIONS:
        found = exponents(runs[runs["inputs"] == n])[:, 0]
        if len(found):
            low, high = interval(found) if len(found) > 1 else (found[0], found[0])
            middle = float(found.mean())
            ax.errorbar(
                [n], [middle], [[middle - low], [high - middle]], fmt="o", ms=5, capsize=4, color=COLOURS[n - 1]
            )
            ax.annotate(f"{middle:.2f}", (n, middle), (7, -11), textcoords="offset points", fontsize="small")
    ax.set(
        xlabel="number of inputs n", ylabel="fitted exponent of N", xticks=DIMENSIONS, xlim=(0.6, 4.6), ylim=(0.0, None)
    )
    tidy(ax)


def draw_parts(ax: Axes, runs: pandas.DataFrame, what: str, name: str) -> None:
    """A column of ratios against the depth, a band for each n."""
    for n in DIMENSIONS:
        mine = runs[runs["inputs"] == n].groupby(["depth", "seed"])[what].mean().reset_index()
        plot_band(ax, mine["depth"], mine[what], label=f"n = {n}", colour=COLOURS[n - 1])
    ax.axhline(1.0, color=QUIET, lw=1.0, ls=":")
    ax.set(xlabel="depth", ylabel=f"regions / ({name})", xticks=sorted(runs["depth"].unique()), ylim=(0.0, None))
    tidy(ax)


def findings(data: Data) -> list[Finding]:
    """The exponent of N is n, that of the depth 0; counts are about those of hyperplanes, for each depth."""
    runs = with_ratios(data)
    of_each = [(n, runs[runs["inputs"] == n]) for n in DIMENSIONS]
    slopes = [finding for n, mine in of_each for finding in of_exponents(mine, n)]
    return slopes + [finding for n, mine in of_each for finding in of_parts(mine, n)]


def of_exponents(runs: pandas.DataFrame, n: int) -> list[Finding]:
    """Of N and of the depth, for one n."""
    of_neurons, of_depth = exponents(runs).T
    ideal = exponents(runs.assign(value=[zaslavsky(int(N), n) for N in runs["neurons"]]))[:1, 0]
    theirs = "".join([str(n), *(f"; {slope:.3f} for hyperplanes" for slope in ideal)])
    return [
        Finding(f"n = {n}: exponent of N", as_text(of_neurons), theirs, within(of_neurons, n - 0.2, n + 0.2)),
        Finding(f"n = {n}: exponent of the depth at equal N", as_text(of_depth), "0", within(of_depth, -0.2, 0.2)),
    ]


def of_parts(runs: pandas.DataFrame, n: int) -> list[Finding]:
    """Counts as parts of what hyperplanes make and of N^n / n!, for one n and each depth."""
    found = []
    for depth, mine in runs.groupby("depth"):
        means = mine.groupby("seed")[["of hyperplanes", "of estimate"]].mean()
        parts, estimate = means["of hyperplanes"], means["of estimate"]
        what = f"n = {n}, depth {depth}: regions / Σ C(N, k), mean over N"
        both = f"{mean_sd(parts)}; of Nⁿ/n! {mean_sd(estimate)}"
        found.append(Finding(what, both, "about 1", within(parts, 0.7, 1.4)))
    return found


FIGURE = Figure(
    name="growth",
    title="Growth with the number of neurons",
    source="Hanin and Rolnick, NeurIPS 2019, abstract and theorem 5; no figure of theirs shows it",
    claim="At initialization the number of activation regions grows like N^n / n!, with the number N of neurons to the "
    "power of the number n of inputs, and does not depend on the depth otherwise.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The theorem bounds densities in large cubes by a constant times N^n / n!; that the whole space has about "
    "this many regions is the authors' remark and our measurement. Numbers of neurons and depths are ours; layers are "
    "at least 4 n wide. Layers about as wide as the space leave fewer regions, and spread more.",
)
