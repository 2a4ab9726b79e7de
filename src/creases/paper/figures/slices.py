"""The regions in a square around three images, at three moments of training: the companion paper's figure 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import PictureSquare, task_of
from creases.paper.claims import FigureFinding, between, judged, noted
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.steps import AUTHORS_EPOCH, AUTHORS_STEPS, authors_epochs, steps_done
from creases.paper.store import StoreError
from creases.plot import new_figure, plot_complex
from creases.training import picture_square

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

    from creases.network import Network
    from creases.paper.claims import Claim

__all__ = ["FIGURE"]

WIDTHS = (64,) * 3
NAME = "[64]³"
# Dots per inch; thousands of cells are stored as pixels.
FINE = 220

# N² / 2 is about the whole plane, and so not a claim here.
AT_START = between(0.15, 0.25, "a picture", why="ours: 0.20 in each of seeds 100 to 102, which are not among these")
OURS = "ours: less than twice or half is of one order, and is what the eye sees in the authors' pictures"
AT_EPOCH_1 = between(0.5, 2.0, "of one order", steps=AUTHORS_EPOCH, why=OURS)
AT_EPOCH_20 = between(0.5, 2.0, "of one order", steps=AUTHORS_STEPS, why=OURS)


def lines(size: Size) -> list[TableLine]:
    """One network on the images; the networks that are drawn are saved."""
    first, last = authors_epochs(size)
    # The same epochs as the authors', and epochs with the same number of steps.
    moments = tuple(sorted({0, 1, first} if size.rank == 0 else {0, 1, first, 20, last}))
    seeds, measures = tuple(range(size.pick(3, 5, 10))), (Regions(PictureSquare()),)
    experiment = Experiment(size.images, WIDTHS, measures, moments, kept=(0, first, moments[-1]), seeds=seeds)
    return [TableLine(experiment, {"hidden": NAME})]


def kept(data: Data, line: TableLine) -> list[Network]:
    """The networks of the first run that has all of them; [] if there is none."""
    for seed in line.experiment.seeds:
        try:
            return [data.network(line, seed, epoch) for epoch in drawn(line)]
        except StoreError:
            continue
    return []


def drawn(line: TableLine) -> list[float]:
    """The epochs of the picture."""
    return sorted(set(line.experiment.kept))


def draw(data: Data) -> Picture:
    """One square per moment, with the three images as dots."""
    from creases.subdivision import subdivide_flat

    line = data.lines[0]
    figure = new_figure(10.5, 4.0)
    figure.set_dpi(FINE)
    networks = kept(data, line)
    if not networks:
        figure.text(0.5, 0.5, "No run in the store has kept its networks.", ha="center")
        return figure
    square = picture_square(task_of(line.experiment.task, 0), PictureSquare().labels)
    axes = figure.subplots(1, len(networks), sharey=True)
    for ax, epoch, network in zip(axes, drawn(line), networks, strict=True):
        cells = subdivide_flat(network, square.domain, threads=1, progress=False)
        plot_complex(cells, ax, points=square.points)
        ax.collections[0].set_rasterized(True)
        when = f"{steps_done(data, line, epoch):,.0f} steps" if epoch else "at the start"
        ax.set_title(f"{when}: {len(cells):,} regions", fontsize="medium")
        ax.set(xlabel="$u_1$ (pixels / 255)", ylabel="$u_2$ (pixels / 255)" if epoch == 0 else "")
    return figure


def findings(data: Data) -> list[FigureFinding]:
    """The number of regions in the square at each moment, and divided by that at the start."""
    (line,) = data.lines
    runs = data.runs("regions", ["hidden", "epoch"])
    runs["ratio"] = runs["value"] / runs["neurons"] ** 2
    start = runs[runs["epoch"] == 0].set_index("seed")
    found = [
        noted(f"{NAME}, start: regions in the square", start["value"], form=".4g"),
        judged(f"{NAME}, start: regions in the square / N²", start["ratio"], AT_START),
    ]
    first, last = authors_epochs(data.size)
    claims: dict[float, tuple[str, Claim]] = {
        first: ("the authors' epoch 1", AT_EPOCH_1),
        last: ("the authors' epoch 20", AT_EPOCH_20),
    }
    for epoch in line.experiment.moments[1:]:
        mine = runs[runs["epoch"] == epoch].set_index("seed")
        factor, steps = (mine["value"] / start["value"]).dropna(), steps_done(data, line, epoch)
        when = f"{NAME}, {steps:,.0f} steps"
        if epoch in claims:
            name, claim = claims[epoch]
            found.append(judged(f"{when} ({name}): regions / those at the start", factor, claim, steps=steps))
        else:
            found.append(noted(f"{when} (our epoch {epoch:g}): regions / those at the start", factor))
    return found


FIGURE = Figure(
    name="slices",
    title="Regions in a slice of the input space through training",
    source="Hanin and Rolnick, ICML 2019, figure 1",
    claim="In a square around three images the regions change their shape through training, and their number stays of "
    "the same order of magnitude.",
    regime="[64]³; 60,000 images; the start, epoch 1 and epoch 20 (468 and 9,360 steps of 128); one network.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The network [64]³ and the moments (the start, epoch 1 and epoch 20) are from memory; the biases are those "
    "of the other experiments (standard deviation 0.001). On 4,000 images an epoch is 31 steps, so the authors' "
    "epochs 1 and 20 correspond to our epochs 16 and 302, with the same number of steps. All runs have the same "
    "square. The range at the start was fixed before the runs.",
)
