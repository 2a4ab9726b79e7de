"""A partition of the plane and the function over it, at initialization: NeurIPS figure 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creases.paper.choices import RandomPoints, WholeSpace
from creases.paper.claims import FigureFinding, between, judged, noted
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.measures import Regions
from creases.paper.store import StoreError
from creases.plot import new_figure, plot_complex, plot_surface
from creases.theory.maximum import hanin_rolnick_estimate, zaslavsky

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

    from creases.complex import Complex

__all__ = ["FIGURE"]

WIDTHS = (8,) * 5
NEURONS = sum(WIDTHS)
# The fraction of the corners that is in the picture.
SEEN = 0.75

HALF = float(hanin_rolnick_estimate(NEURONS, 2))
COUNT = between(0.9, 1.1, f"about 1: N²/2 = {HALF:g}", why="ours: about is to a tenth")
# Between the smallest and the largest coefficient of the law, 0.055 and 0.079 times n² (L - 1) / width, with a margin
# of a third.
SPREAD = between(
    0.055 * 2 / 3 * 4 * (len(WIDTHS) - 1) / WIDTHS[0],
    0.079 * 4 / 3 * 4 * (len(WIDTHS) - 1) / WIDTHS[0],
    "",
    why="ours: 0.055 to 0.079 times n² (L - 1) / width in networks of other widths and depths, and a third either way",
)


def lines(size: Size) -> list[TableLine]:
    """One network with many seeds. It has two inputs, and is not trained."""
    seeds = range(size.pick(200, 1000, 1000))
    experiment = Experiment(RandomPoints(1), WIDTHS, (Regions(WholeSpace()),), kept=(0.0,), seeds=tuple(seeds))
    return [TableLine(experiment, {"hidden": "[8]⁵"})]


def cells_of(data: Data) -> Complex | None:
    """The partition of the first network in the store; None if there is none."""
    from creases.domain import Space
    from creases.subdivision import subdivide_flat

    for line in data.lines:
        for seed in line.experiment.seeds:
            try:
                network = data.network(line, seed, 0.0)
            except StoreError:
                continue
            return subdivide_flat(network, Space(2), threads=1, progress=False)
    return None


def draw(data: Data) -> Picture:
    """Left, the regions around the origin; right, the first output over the same square, in the same colours."""
    figure = new_figure(10.5, 4.8)
    cells = cells_of(data)
    if cells is None:
        figure.text(0.5, 0.5, "No network was kept in the store.", ha="center")
        return figure
    left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
    window = around(cells)
    plot_complex(cells, left, window=window)
    left.set_title("activation regions", fontsize="medium")
    plot_surface(cells, right, window=window)
    right.set_title("the function over them", fontsize="medium")
    for ax in (left, right):
        ax.ticklabel_format(axis="both", style="sci", scilimits=(-2, 3))
    return figure


def around(cells: Complex) -> tuple[float, float, float, float]:
    """A square around the median of the corners that contains most of them, so that the small cells are visible."""
    corners = cells.corners[~cells.at_infinity]
    if len(corners) == 0:
        return (-1.0, 1.0, -1.0, 1.0)
    middle = np.median(corners, axis=0)
    half = float(np.quantile(np.abs(corners - middle).max(axis=1), SEEN)) or 1.0
    return (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)


def findings(data: Data) -> list[FigureFinding]:
    """The number of regions of the whole plane, compared with N²/2 and with the same number of lines; and its
    spread."""
    regions = data.runs("regions", ["hidden"])["value"]
    return [
        judged("[8]⁵: regions of the plane / (N²/2)", regions / HALF, COUNT),
        judged("[8]⁵: (standard deviation / mean)² of the regions over networks", squared_deviations(regions), SPREAD),
        noted("[8]⁵: regions of the plane", regions, f"N²/2 = {HALF:g}", form=".4g"),
        noted(
            f"[8]⁵: regions / those of {NEURONS} lines in general position",
            regions / zaslavsky(NEURONS, 2),
            "1 for one hidden layer",
        ),
    ]


def squared_deviations(counts: pandas.Series) -> pandas.Series:
    """For each run, the square of its deviation from the mean, relative to the mean: their mean is the variance /
    mean².

    Empty for fewer than two runs.
    """
    runs = len(counts)
    return (counts / counts.mean() - 1.0) ** 2 * runs / (runs - 1) if runs > 1 else counts[:0]


FIGURE = Figure(
    name="partition",
    title="The partition of the plane and the function over it",
    source="Hanin and Rolnick, NeurIPS 2019, figure 2",
    claim="At initialization a deep network cuts the plane of its inputs into convex polygons, about N²/2 of them, and "
    "is affine on each.",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="a picture of one network at initialization, five layers of eight neurons, biases N(0, 0.001²); the number "
    "N²/2 is what they expect of any network in a plane.",
    doubts="Depth, width and the scale of the biases are the authors'; their window and seed are not known. The "
    "picture shows the part of the plane with most corners, near the origin because the biases are small; counts are "
    "on the whole plane. Some of these networks were in an earlier report, so the ranges are not blind.",
)
