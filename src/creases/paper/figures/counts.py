"""Activation regions in planes during training, divided by N^2: NeurIPS figure 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import OriginPlanes
from creases.paper.claims import FigureFinding, above, below, between, judged, noted
from creases.paper.curves import at_epoch, factor_finding, last_of_each, paired_ratio
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.steps import AUTHORS_EPOCH, AUTHORS_MOMENTS, AUTHORS_STEPS, moments_at, steps_per_epoch
from creases.plot import epoch_axis, new_figure, plot_band
from creases.plot.figure import COLOURS, QUIET, tidy
from creases.training import PAPER_EPOCHS

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {
    "[16]⁴": (16,) * 4,
    "[32]⁴": (32,) * 4,
    "[64]⁴": (64,) * 4,
    "[20]³": (20,) * 3,
    "[40]³": (40,) * 3,
    "[60]³": (60,) * 3,
    "[80]³": (80,) * 3,
}
# Trained for as many steps as the authors' networks: the smallest of figure 4, and the network of their figures 5 and
# 6.
LONG = {"[16]⁴": (16,) * 4, "[32]³": (32,) * 3}
# Networks with nearly equal N, of four layers and of three.
SAME_NEURONS = (("[16]⁴", "[20]³"), ("[32]⁴", "[40]³"), ("[64]⁴", "[80]³"))
SHORT, AS_LONG_AS_THE_AUTHORS = "20 epochs", "the authors' steps"
DIP = AUTHORS_EPOCH // 2  # steps in the half epoch that the authors show enlarged

AT_START = between(0.4, 0.6, "about 1/2", why="Ours: a fifth to either side.")
SMALL = between(0.5, 2.0, "a small factor", why="Ours: a factor of two to either side.")
SAME = between(
    0.8, 1.25, "1: the depth does not matter", why="Ours: a count in proportion to the depth would give 1.33."
)
DIPS = below(1.0, "below 1: it dips early", steps=DIP)
RECOVERS = above(1.0, "above 1: it recovers", steps=AUTHORS_STEPS)


def lines(size: Size) -> list[TableLine]:
    """One experiment per network over 20 epochs; two over as many steps as the authors' training, if epochs are
    shorter."""
    seeds, measures = tuple(range(size.pick(3, 10, 10))), (Regions(OriginPlanes(size.pick(2, 5, 5))),)

    def line(name: str, widths: tuple[int, ...], moments: tuple[float, ...], training: str) -> TableLine:
        experiment = Experiment(size.images, widths, measures, moments, seeds=seeds)
        return TableLine(experiment, {"hidden": name, "training": training})

    found = [line(name, widths, PAPER_EPOCHS, SHORT) for name, widths in NETWORKS.items()]
    steps = tuple(step for step in AUTHORS_MOMENTS if step <= size.pick(AUTHORS_EPOCH, AUTHORS_STEPS, AUTHORS_STEPS))
    long = moments_at(steps, size.images)
    return [
        *found,
        *(
            line(name, LONG[name], long, AS_LONG_AS_THE_AUTHORS)
            for name in size.pick(("[32]³",), tuple(LONG), ("[32]³",))
        ),
    ]


def draw(data: Data) -> Picture:
    """Regions / N^2 over 20 epochs, the first of them enlarged, and over the authors' steps; bands of one standard
    deviation."""
    figure = new_figure(10.5, 3.4)
    early, whole, long = figure.subplots(1, 3, sharey=True)
    runs = data.growth(["hidden", "training"])
    for i, name in enumerate((*NETWORKS, "[32]³")):
        colour = (*COLOURS, QUIET, "#444444")[i]
        style = {"label": name, "colour": colour, "style": "o-" if name.endswith("³") else "s--"}
        mine = runs[(runs["hidden"] == name) & (runs["training"] == SHORT)]
        first = mine[mine["epoch"] <= 1]
        plot_band(early, first["epoch"], first["ratio"], **style)
        plot_band(whole, mine["epoch"], mine["ratio"], **style)
        rest = runs[(runs["hidden"] == name) & (runs["training"] == AS_LONG_AS_THE_AUTHORS)]
        plot_band(long, rest["epoch"], rest["ratio"], **style)
    finish(early, "the first epoch")
    finish(whole, "20 epochs")
    finish(long, "as many steps as the authors'")
    epoch_axis(long, max(runs["epoch"].max(), 1.0))
    early.set_ylabel("regions / N²")
    figure.legend(*whole.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def finish(ax: Axes, title: str) -> None:
    """Title, level and frame."""
    ax.axhline(0.5, color=QUIET, lw=1.0, ls=":")
    ax.set_title(title, fontsize="medium")
    ax.set(xlabel="epoch", ylim=(0.0, None))
    tidy(ax)


def findings(data: Data) -> list[FigureFinding]:
    """About N^2 / 2 at the start for any depth; later within a small factor of it; and the shape of the curve."""
    runs = data.growth(["hidden", "training"])
    short = runs[runs["training"] == SHORT]
    starts = at_epoch(short, 0.0)
    found = [
        judged(f"{name}: regions / N² at the start", starts[starts["hidden"] == name]["ratio"], AT_START)
        for name in NETWORKS
    ]
    for deep, shallow in SAME_NEURONS:
        # The first random numbers of a seed are the same in both, so the runs are compared in pairs.
        ratios = paired_ratio(starts, "hidden", deep, shallow, "ratio")
        found.append(judged(f"regions / N² at the start, {deep} / {shallow}", ratios, SAME))
    for line in data.lines:
        name, training = line.labels["hidden"], line.labels["training"]
        mine = runs[(runs["hidden"] == name) & (runs["training"] == training)]
        found += shape(data, line, mine, name if training == SHORT else f"{name} over {data.steps(line):,} steps")
    return [*found, *cost(data)]


def shape(data: Data, line: TableLine, runs: pandas.DataFrame, name: str) -> list[FigureFinding]:
    """Findings on the curve of one network, at moments that are fixed in advance; its recovery only if it is long
    enough."""
    per_epoch = steps_per_epoch(line.experiment.task)
    dip_epoch = next((at for at in line.experiment.moments if round(at * per_epoch) >= DIP), line.experiment.epochs)
    dip_steps = round(dip_epoch * per_epoch)
    early, dip, end = at_epoch(runs, 1 / 8), at_epoch(runs, dip_epoch), last_of_each(runs, [])
    found = [factor_finding(runs, name, SMALL)]
    if line.labels["training"] == SHORT:
        found.append(noted(f"{name}: count at epoch 1/8 (step {round(per_epoch / 8)}) / the first", early["factor"]))
    found.append(judged(f"{name}: count at step {dip_steps} / the first", dip["factor"], DIPS, steps=dip_steps))
    found.append(judged(f"{name}: count at the end / the first", end["factor"], SMALL))
    if line.labels["training"] == AS_LONG_AS_THE_AUTHORS or data.steps(line) >= AUTHORS_STEPS:
        recovery = (end.set_index("seed")["value"] / dip.set_index("seed")["value"]).dropna()
        what = f"{name}: count at the end / at step {dip_steps}"
        found.append(judged(what, recovery, RECOVERS, steps=data.steps(line)))
    return found


def cost(data: Data) -> list[FigureFinding]:
    """The time of a run of the largest network."""
    costs = data.costs([line for line in data.lines if line.labels["hidden"] == "[64]⁴"])
    if not len(costs):
        return []
    mine = data.rows("regions", hidden="[64]⁴")
    each, steps = len(mine) / max(mine["seed"].nunique(), 1), mine["step"].max()
    said = f"{each:.0f} counts {costs['measuring'].mean():.2g} s, training of {steps:,} steps "
    said += f"{costs['training'].mean():.2g} s"
    return [noted("[64]⁴: a run on one thread", said, f"their trainings are of {AUTHORS_STEPS:,} steps")]


FIGURE = Figure(
    name="counts",
    title="Regions in planes through training",
    source="Hanin and Rolnick, NeurIPS 2019, figure 4",
    claim="The number of activation regions in a plane is near N²/2 at initialization for any depth, dips early in "
    "training and recovers, and stays within a small factor of the first count.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="[16]⁴ to [80]³, 60,000 images of MNIST, 9,360 steps of 128 (20 epochs), mean of 5 planes, 10 runs.",
    doubts=f"An epoch of 4,000 images has 31 steps where the authors' has {AUTHORS_EPOCH}, so 20 epochs are 620 "
    f"steps. The shape is judged at step {DIP}, half an epoch of theirs, and over their number of steps for two "
    "networks, which see 4,000 images 302 times. The number of steps is then equal, but not the number of images: a "
    "recovery that needs more images would not be seen. The planes pass through the origin and two training examples; "
    "with biases of standard deviation 0.001 most of their regions lie near the origin, far from the data. The "
    "authors count in a square of forty times the size of the data, we count on the whole plane. All runs have the "
    "same planes and images; intervals are over weights and order only.",
)
