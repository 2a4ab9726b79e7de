"""The regions in a square around three images, at three moments of training: the companion paper's figure 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import PictureSquare, task_of
from creases.paper.experiment import Experiment
from creases.paper.figure import NOTED, Data, Figure, Finding, Line, Size, mean_sd, within
from creases.paper.measures import Regions
from creases.paper.store import StoreError
from creases.plot import new_figure, plot_complex
from creases.training import picture_square

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

    from creases.network import Network

__all__ = ["FIGURE"]

WIDTHS = (64,) * 3
MOMENTS = (0, 1, 20)
# Dots to the inch; thousands of cells are kept as pixels.
FINE = 220


def lines(size: Size) -> list[Line]:
    """One network on the images; kept are those that are drawn."""
    seeds = tuple(range(size.pick(3, 10, 10)))
    measures = (Regions(PictureSquare()),)
    return [Line(Experiment(size.images, WIDTHS, measures, MOMENTS, kept=MOMENTS, seeds=seeds), {"hidden": "[64]³"})]


def kept(data: Data, line: Line) -> list[Network]:
    """The networks of the first run that has them all; [] if there is none."""
    for seed in line.experiment.seeds:
        try:
            return [data.network(line, seed, epoch) for epoch in MOMENTS]
        except StoreError:
            continue
    return []


def draw(data: Data) -> Picture:
    """A square a moment, with the three images as dots."""
    from creases.subdivision import subdivide_flat

    figure = new_figure(10.5, 4.0)
    figure.set_dpi(FINE)
    networks = kept(data, data.lines[0])
    if not networks:
        figure.text(0.5, 0.5, "No run in the store has kept its networks.", ha="center")
        return figure
    square = picture_square(task_of(data.lines[0].experiment.task, 0), PictureSquare().labels)
    axes = figure.subplots(1, len(MOMENTS), sharey=True)
    for ax, epoch, network in zip(axes, MOMENTS, networks, strict=True):
        cells = subdivide_flat(network, square.domain, threads=1, progress=False)
        plot_complex(cells, ax, points=square.points)
        ax.collections[0].set_rasterized(True)
        when = f"epoch {epoch}" if epoch else "at the start"
        ax.set_title(f"{when}: {len(cells):,} regions", fontsize="medium")
        ax.set(xlabel="$u_1$ (pixels / 255)", ylabel="$u_2$ (pixels / 255)" if epoch == 0 else "")
    return figure


def findings(data: Data) -> list[Finding]:
    """How many regions the square has at each moment, and beside the start."""
    runs, found = data.runs("regions", ["hidden", "epoch"]), []
    first = runs[runs["epoch"] == 0].set_index("seed")["value"]
    for epoch in MOMENTS:
        mine = runs[runs["epoch"] == epoch].set_index("seed")
        what = f"[64]³, {f'epoch {epoch}' if epoch else 'start'}: regions in the square"
        measured = f"{mean_sd(mine['value'], '.4g')}; / N²: {mean_sd(mine['value'] / mine['neurons'] ** 2)}"
        found.append(Finding(what, measured, "", NOTED))
        if epoch:
            factor = (mine["value"] / first).dropna()
            what = f"[64]³, epoch {epoch}: regions / those at the start"
            found.append(Finding(what, mean_sd(factor), "of one order", within(factor, 0.2, 5.0)))
    return found


FIGURE = Figure(
    name="slices",
    title="Regions in a slice of the input space through training",
    source="Hanin and Rolnick, ICML 2019, figure 1",
    claim="In a square around three images the regions change their shape through training, and their number stays of "
    "one order.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="That the network is [64]³ and that the moments are the start, epoch 1 and epoch 20 is from memory, with "
    "the biases of the other experiments (standard deviation 0.001). The authors train on 60,000 images: their epoch "
    "1 is 468 steps, ours on 4,000 is 31.",
)
