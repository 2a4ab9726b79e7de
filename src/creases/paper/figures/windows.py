"""The distribution of the regions over a plane: counts in squares of many sizes, at the origin and around images."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from creases.paper.choices import ExamplePlanes, OriginPlanes
from creases.paper.claims import FigureFinding, between, judged, noted
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.squares import ExampleSquares, OriginSquares, half_width_of
from creases.paper.steps import AUTHORS_EPOCH, AUTHORS_STEPS, authors_epochs, steps_done
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, INK, QUIET, tidy
from creases.training import GaussianBiases, Initialisation

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    from creases.paper.claims import Claim

__all__ = ["FIGURE"]

NETWORKS = {"[20]³": (20,) * 3, "[32]³": (32,) * 3}
BIASES = SMALL, LARGE = (1e-3, 0.1)
# Kinds of planes, which are the first words of their domains' names; and the names of initial and training runs.
ORIGIN, EXAMPLE = "origin", "example"
UNTRAINED, TRAINED = "untrained", "trained"
# In units of 1.25 norms of the larger example around the origin, and of 1.25 circumradii around three examples.
AT_ORIGIN, AT_EXAMPLES = (1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 20.0), (0.1, 1.0, 3.0, 20.0)
NEAR, DATA = 1e-2, 1.0
# Windows whose counts are followed during training.
FOLLOWED = {
    "whole planes through the origin": (ORIGIN, inf),
    "whole planes through three images": (EXAMPLE, inf),
    "squares of a hundredth of the data's size around the origin": (ORIGIN, NEAR),
    "squares of the data's size around the origin": (ORIGIN, DATA),
    "squares around three images": (EXAMPLE, DATA),
}

HALF = between(0.45, 0.55, "about 1/2", why="ours: a tenth on either side of 1/2")
AS_MANY = between(0.9, 1.1, "planes of either kind", why="ours: a tenth on either side of 1")
SHARE = between(0.73, 0.83, "", why="ours: 0.78 in ten networks [20]³ counted before these, 0.05 on either side")
LAW = between(
    0.99,
    1.01,
    "1, but for rounding",
    why="a theorem: biases c times as large make the same regions c times as large",
    check=True,
)


def kept_up(steps: int | None) -> Claim:
    """Training changes a count by less than a factor of two."""
    why = "ours: less than twice or half, asked of each window; the authors say it of whole planes"
    return between(0.5, 2.0, "a small factor", steps=steps, why=why)


def lines(size: Size) -> list[TableLine]:
    """For each network and scale of the biases: many that are not trained, and fewer that are."""
    first, last = authors_epochs(size)
    planes = size.pick(2, 5, 5)
    measures = (
        Regions(OriginPlanes(planes)),
        Regions(OriginSquares(AT_ORIGIN, planes)),
        Regions(ExamplePlanes(planes)),
        Regions(ExampleSquares(AT_EXAMPLES, planes)),
    )
    long = (0, 0.25, 1, 4, 20, 100, last) if last > 20 else (0, 0.25, 1, 4, 10, 20)
    found = []
    for hidden, widths in NETWORKS.items():
        for bias in BIASES:
            start = Initialisation(biases=GaussianBiases(bias))
            labels = {"hidden": hidden, "bias": bias}
            seeds = tuple(range(size.pick(6, 40, 40)))
            experiment = Experiment(size.images, widths, measures, (0,), initialisation=start, seeds=seeds)
            found.append(TableLine(experiment, {**labels, "role": UNTRAINED}))
            # The small biases are those of the authors, and with these we train as long as they do.
            moments = (0, 1, first) if size.rank == 0 else long if bias == SMALL else (0, 0.25, 1, 4, 20)
            seeds = tuple(range(size.pick(3, 6 if bias == SMALL else 10, 10)))
            experiment = Experiment(size.images, widths, measures, moments, initialisation=start, seeds=seeds)
            found.append(TableLine(experiment, {**labels, "role": TRAINED}))
    return found


def by_window(data: Data) -> pandas.DataFrame:
    """For each run, moment, kind of plane and half-width, the mean over planes of regions / N², as ratio."""
    rows = data.rows("regions")
    rows = rows.assign(
        kind=rows["domain"].astype(str).str.partition(" ")[0],
        half=rows["domain"].astype(str).map(half_width_of),
        ratio=rows["value"] / rows["neurons"] ** 2,
    )
    keys = ["hidden", "bias", "role", "kind", "half", "epoch", "seed"]
    return rows.groupby(keys)["ratio"].mean().reset_index()


def draw(data: Data) -> Picture:
    """One row per network: against the half-width around the origin and around images; during training, divided by the
    start."""
    figure = new_figure(10.5, 6.6)
    axes = figure.subplots(len(NETWORKS), 3)
    runs = by_window(data)
    for row, hidden in zip(axes, NETWORKS, strict=True):
        mine = runs[runs["hidden"] == hidden]
        for ax, kind in zip(row, (ORIGIN, EXAMPLE), strict=False):
            against_window(ax, mine[mine["kind"] == kind])
        row[0].set(ylabel=f"{hidden}: regions / N²")
        trained = mine[(mine["role"] == TRAINED) & (mine["bias"] == SMALL)]
        for i, (name, (kind, half)) in enumerate(FOLLOWED.items()):
            some = factors(trained[(trained["kind"] == kind) & (trained["half"] == half)])
            plot_band(row[2], some["epoch"], some["factor"], label=name, colour=(INK, *COLOURS[2:])[i], style="s-")
        epoch_axis(row[2], max([0.0, *trained["epoch"]]))
        row[2].axhline(1.0, color=QUIET, lw=1.0, ls=":")
        row[2].set(ylabel="regions / those at the start", ylim=(0, None))
        for ax in row:
            tidy(ax)
    axes[0, 0].set_title("squares around the origin", fontsize="medium")
    axes[0, 1].set_title("squares around three images", fontsize="medium")
    axes[0, 2].set_title("through training (biases of sd 0.001)", fontsize="medium")
    axes[-1, 0].set_xlabel("half-width / (1.25 data norms)")
    axes[-1, 1].set_xlabel("half-width / (1.25 circumradii)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    more, others = axes[0, 2].get_legend_handles_labels()
    figure.legend(handles + more, names + others, loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    return figure


def against_window(ax: Axes, runs: pandas.DataFrame) -> None:
    """Regions / N² against the half-width, at the start and at the end; whole planes as dotted lines."""
    for colour, bias in zip(COLOURS, BIASES, strict=False):
        for role, style, face, when in (
            (UNTRAINED, "o--", "white", "at the start"),
            (TRAINED, "o-", colour, "trained"),
        ):
            mine = runs[(runs["bias"] == bias) & (runs["role"] == role)]
            mine = mine[mine["epoch"] == mine["epoch"].max()]
            some = mine[mine["half"] < inf]
            plot_band(ax, some["half"], some["ratio"], colour=colour, style=style, label=f"biases {bias:g}, {when}")
            ax.lines[-1].set_markerfacecolor(face)
            whole = mine[mine["half"] == inf]["ratio"]
            if len(whole):
                ax.axhline(whole.mean(), color=colour, lw=0.9, ls=":" if role == UNTRAINED else "-", alpha=0.6)
    ax.set(xscale="log", ylim=(0, None), xlabel="half-width")


def factors(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Rows with factor, the count divided by that at the start of the same run and window."""
    start = runs[runs["epoch"] == 0][["seed", "kind", "half", "ratio"]]
    both = runs.merge(start, on=["seed", "kind", "half"], suffixes=("", "_start"))
    return both.assign(factor=both["ratio"] / both["ratio_start"])


def ratios(runs: pandas.DataFrame, kind: str, half: float) -> pandas.Series[float]:
    """Regions / N² in the windows of this kind and half-width, by seed."""
    return runs[(runs["kind"] == kind) & (runs["half"] == half)].set_index("seed")["ratio"]


def over(above: pandas.Series[float], below: pandas.Series[float]) -> pandas.Series[float]:
    """The quotient, for the seeds of both."""
    return (above / below).dropna()


def findings(data: Data) -> list[FigureFinding]:
    """Whole planes, fractions near the origin and around images, the scaling law, and the changes during training by
    window."""
    runs, found = by_window(data), []
    start = runs[runs["role"] == UNTRAINED]
    for hidden in NETWORKS:
        for bias in BIASES:
            found += at_start(
                f"{hidden}, biases {bias:g}, start", start[(start["hidden"] == hidden) & (start["bias"] == bias)]
            )
        small, large = (start[(start["hidden"] == hidden) & (start["bias"] == bias)] for bias in BIASES)
        found.append(
            judged(
                f"{hidden}, start: regions in squares of half-width 1, biases 0.1 / half-width 0.01, biases 0.001",
                over(ratios(large, ORIGIN, DATA), ratios(small, ORIGIN, NEAR)),
                LAW,
                form=".4g",
            )
        )
    for line in data.lines:
        if line.labels["role"] == TRAINED:
            found += trained(data, line, runs)
    return found


def at_start(name: str, runs: pandas.DataFrame) -> list[FigureFinding]:
    """Findings on networks that are not trained: whole planes of both kinds, and the fractions in the windows."""
    whole, through = ratios(runs, ORIGIN, inf), ratios(runs, EXAMPLE, inf)
    near, what = (
        over(ratios(runs, ORIGIN, NEAR), whole),
        f"{name}: share of the square of half-width {NEAR:g} at the origin",
    )
    # A whole plane through the origin has the same regions at both scales of the biases, so it is judged once.
    of_origin = [judged(f"{name}: regions / N² in whole planes through the origin", whole, HALF)]
    return [
        *(of_origin if f"biases {SMALL:g}," in name else []),
        judged(f"{name}: regions / N² in whole planes through three images", through, HALF),
        judged(f"{name}: planes through three images / through the origin", over(through, whole), AS_MANY),
        judged(what, near, SHARE) if f"biases {SMALL:g}," in name else noted(what, near),
        *shares(name, runs),
    ]


def shares(name: str, runs: pandas.DataFrame) -> list[FigureFinding]:
    """The fraction of a whole plane's regions that meets windows of other sizes."""
    found = []
    for kind, windows, where in (
        (ORIGIN, (0.1, DATA), "at the origin"),
        (EXAMPLE, (DATA,), "around three images"),
    ):
        for half in windows:
            part = over(ratios(runs, kind, half), ratios(runs, kind, inf))
            found.append(noted(f"{name}: share of the square of half-width {half:g} {where}", part))
    return found


def trained(data: Data, line: TableLine, runs: pandas.DataFrame) -> list[FigureFinding]:
    """Findings on networks at the end of training: each followed window divided by its start, and the fractions."""
    hidden, bias, end = line.labels["hidden"], line.labels["bias"], line.experiment.moments[-1]
    mine = runs[(runs["role"] == TRAINED) & (runs["hidden"] == hidden) & (runs["bias"] == bias)]
    first, last = mine[mine["epoch"] == 0], mine[mine["epoch"] == end]
    steps, found = steps_done(data, line, end), []
    claim = kept_up(AUTHORS_STEPS if bias == SMALL else AUTHORS_EPOCH)
    name = f"{hidden}, biases {bias:g}, {steps:,.0f} steps"
    for window, (kind, half) in FOLLOWED.items():
        factor = over(ratios(last, kind, half), ratios(first, kind, half))
        found.append(judged(f"{name}: regions in {window} / at the start", factor, claim, steps=steps))
    near = over(ratios(last, ORIGIN, NEAR), ratios(last, ORIGIN, inf))
    found.append(noted(f"{name}: share of the square of half-width {NEAR:g} at the origin", near))
    return found + shares(name, last)


FIGURE = Figure(
    name="windows",
    title="Where the regions of a plane lie",
    source="new; in the planes of Hanin and Rolnick, NeurIPS 2019",
    claim="Whole planes through the origin and through three images have about N²/2 regions, and training changes "
    "that by a small factor. At the start, with biases of standard deviation 0.001, four fifths of the regions of a "
    "plane through the origin meet a square around it whose half-width is 1.25 % of a data norm. We extend this to "
    "squares of every size; that claim is ours.",
    regime="whole planes, as squares of 20 times 1.25 data norms; biases of standard deviation 0.001; 60,000 images, "
    "20 epochs of 468 steps; 5 planes, 10 runs. Smaller squares are ours.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="Squares around the origin have half-widths in units of 1.25 norms of the plane's larger image: the square "
    "of size 1 contains both. Squares around three images are centred at their circumcentre, in units of 1.25 "
    "circumradii: the square of size 1 is the one in the papers' figures. A region is counted in each square that it "
    "meets. Growing biases spread regions too, so a decrease in a square does not show another effect of training. "
    "The number of steps of the authors' 20 epochs is 302 passes over 4,000 images. All runs have the same planes.",
)
