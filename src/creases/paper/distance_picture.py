"""The picture of the distances to the nearest boundary: during training, as a function of N, and as a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.paper.figure import Data
from creases.paper.measures import BINS, bin_name
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, INK, QUIET, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["draw_distances", "exponential_shares", "shares_in_bins"]

Floats = NDArray[np.float64]

KINDS = {"train": COLOURS[0], "test": COLOURS[1], "noise": COLOURS[2]}
DEPTHS = {3: (COLOURS[0], "o-"), 4: (COLOURS[1], "s--"), 5: (COLOURS[2], "^:")}
# The distance between the lower ends of bins.
WIDTH = BINS[1] - BINS[0]


def draw_distances(data: Data, runs: pandas.DataFrame, biases: Sequence[float], guides: tuple[float, float]) -> Picture:
    """One row per scale of the biases: distance x N against epoch and accuracy, distance against N, the histogram.

    runs : one row per run, moment and kind of points; columns hidden, depth, bias, domain, epoch, seed, neurons, value
    (the mean distance), product (times N) and test_accuracy. guides : factors c of curves c / N.
    """
    figure = new_figure(10.5, 6.2)
    axes = figure.subplots(2, 4, sharey="col")
    for row, bias in zip(axes, biases, strict=True):
        mine = runs[runs["bias"] == bias]
        for (depth, _, _), one in mine[mine["domain"] == "test"].groupby(["depth", "neurons", "hidden"]):
            colour, style = DEPTHS[int(depth)]
            plot_band(row[0], one["epoch"], one["product"], colour=colour, style=style)
            means = one.dropna(subset=["test_accuracy"]).groupby("epoch")[["test_accuracy", "product"]].mean()
            row[1].plot(means["test_accuracy"], means["product"], style, ms=3, lw=1.2, color=colour)
        against_neurons(row[2], mine, guides)
        histogram(row[3], data, mine, bias)
        row[0].set(ylabel=f"distance × N\n(biases of sd {bias:g}, test images)")
        epoch_axis(row[0], mine["epoch"].max())
        row[1].set(xlabel="test accuracy")
        for ax in row[:2]:
            ax.axhspan(*guides, color=QUIET, alpha=0.12, lw=0)
            ax.set_ylim(0.0, None)
        for ax in row:
            tidy(ax)
    for depth in sorted(runs["depth"].unique()):
        axes[0, 0].plot([], [], DEPTHS[int(depth)][1], color=DEPTHS[int(depth)][0], ms=3, label=f"depth {depth}")
    axes[0, 0].fill_between([], [], [], color=QUIET, alpha=0.12, lw=0, label=f"{guides[0]:g} to {guides[1]:g}")
    entries = [ax.get_legend_handles_labels() for ax in (axes[0, 0], axes[0, 2], axes[0, 3])]
    handles = [handle for some, _ in entries for handle in some]
    names = [name for _, some in entries for name in some]
    figure.legend(handles, names, loc="outside lower center", ncols=5, frameon=False, fontsize="small")
    return figure


def against_neurons(ax: Axes, runs: pandas.DataFrame, guides: tuple[float, float]) -> None:
    """Distance against N, with hollow marks at the start and full ones at the end, and the guides."""
    for kind, colour in KINDS.items():
        mine = runs[runs["domain"] == kind]
        for epoch, face, when in ((0.0, "white", "start"), (mine["epoch"].max(), colour, "end")):
            means = mine[mine["epoch"] == epoch].groupby("neurons")["value"].mean()
            ax.plot(means.index, means, "o", ms=4.5, color=colour, mfc=face, label=f"{kind}, {when}")
    there = np.array(sorted(runs["neurons"].unique()), dtype=np.float64)
    for factor, style in zip(guides, (":", "--"), strict=True):
        ax.plot(there, factor / there, style, color=INK, lw=1.0, label=f"{factor:g} / N")
    ticks = [N for N in (60, 120, 240, 480) if len(there) and there.min() / 1.2 < N < there.max() * 1.2]
    ax.set(xscale="log", yscale="log", xlabel="number of neurons N", ylabel="distance (pixels / 255)")
    ax.set_xticks(ticks, labels=[str(N) for N in ticks])
    ax.set_xticks([], minor=True)
    ax.set_yticks([1e-3, 3e-3, 1e-2, 3e-2], labels=["0.001", "0.003", "0.01", "0.03"])
    ax.set_yticks([], minor=True)


def histogram(ax: Axes, data: Data, runs: pandas.DataFrame, bias: float) -> None:
    """Fractions of test images in bins of log10(distance x N), for all networks together, compared with the exponential
    distribution."""
    test = runs[runs["domain"] == "test"]
    for epoch, style, when in ((0.0, "--", "start"), (test["epoch"].max(), "-", "end")):
        then = test[test["epoch"] == epoch]
        shares = shares_in_bins(data, then, epoch)
        if shares.any():
            ax.stairs(shares, [*BINS, BINS[-1] + WIDTH], ls=style, color=KINDS["test"], lw=1.4, label=f"shares, {when}")
            law = np.mean([exponential_shares(mean) for mean in then["product"]], axis=0)
            centres = np.array(BINS) + WIDTH / 2
            ax.plot(centres, law, style, color=INK, lw=1.0, label=f"exponential laws, {when}")
    ax.set(xlabel="$\\log_{10}$(distance × N)", ylabel="share of test images", ylim=(0, None))


def shares_in_bins(data: Data, runs: pandas.DataFrame, epoch: float) -> Floats:
    """The mean over these runs of the fraction of test images in each bin; zero if a bin is empty.

    runs : columns hidden, bias, length and seed, with one row per run.
    """
    found, keys = np.zeros(len(BINS)), ["hidden", "bias", "length", "seed"]
    for i, low in enumerate(BINS):
        rows = data.rows(bin_name(low), domain="test", epoch=epoch)
        if len(rows) and len(runs):
            found[i] = rows.merge(runs[keys], on=keys)["value"].sum() / len(runs)
    return found


def exponential_shares(mean: float) -> Floats:
    """The fraction in each bin if distance x N had the exponential distribution with this mean."""
    edges = np.array([0.0, *(10.0**low for low in BINS[1:]), np.inf])
    return np.asarray(np.diff(-np.exp(-edges / mean)))
