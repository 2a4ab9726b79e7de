"""The count beside what theory says with the constants of the network as it is. New."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creases.paper.choices import Cube, Principal
from creases.paper.curves import draw_curves, last_of_each
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Finding, Line, Size, judge, mean_sd
from creases.paper.measures import Constants, Regions
from creases.plot import new_figure
from creases.theory.average import explicit_bound, smallest_t, t_of

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

NETWORKS = {"[16]²": (16, 16), "[16]³": (16,) * 3, "[32]³": (32,) * 3}
HALF, DIMENSION = 2.0, 2  # principal components have variance one: most of the data lie in the square
COUNT, ESTIMATE, BOUND = "regions counted", "N² / 2", "bound with its constants"


def lines(size: Size) -> list[Line]:
    """One experiment a network, on two principal components of the small task."""
    moments = size.pick((0, 1, 5, 20), (0, 1, 2, 5, 10, 20, 50), (0, 1, 2, 5, 10, 20, 50))
    task, measures = Principal(size.small, DIMENSION), (Regions(Cube(HALF)), Constants())
    seeds = tuple(range(size.pick(3, 10, 20)))
    return [
        Line(Experiment(task, widths, measures, moments, seeds=seeds, batch_size=32), {"hidden": name})
        for name, widths in NETWORKS.items()
    ]


def compared(data: Data) -> pandas.DataFrame:
    """Per run and moment: regions, C_grad, C_bias, the explicit bound with them, T, and the smallest T that holds."""
    runs = data.runs("regions", ["hidden", "epoch"]).set_index(["hidden", "epoch", "seed"])
    for name in ("C_grad", "C_bias"):
        runs[name] = data.runs(name, ["hidden", "epoch"]).set_index(["hidden", "epoch", "seed"])["value"]
    runs = runs.dropna(subset=["value", "C_grad", "C_bias"]).reset_index()
    side, volume = 2 * HALF, (2 * HALF) ** DIMENSION
    rows = list(zip(runs["value"], runs["neurons"], runs["C_grad"], runs["C_bias"], strict=True))
    runs["bound"] = [float(explicit_bound(n, DIMENSION, side, grad, bias)) for _, n, grad, bias in rows]
    runs["T"] = [t_of(grad, bias) for _, _, grad, bias in rows]
    runs["smallest"] = [smallest_t(int(value), n, DIMENSION, volume=volume) for value, n, _, _ in rows]
    return runs


def draw(data: Data) -> Picture:
    """Count, N^2 / 2 and the bound; the constants; T beside the smallest T."""
    figure = new_figure(10.5, 3.8)
    bounds, constants, ts = figure.subplots(1, 3)
    runs = compared(data)
    largest = runs[runs["hidden"] == list(NETWORKS)[-1]].copy()
    for i, (label, column) in enumerate({COUNT: "value", BOUND: "bound"}.items()):
        largest["kind"] = label
        draw_curves(bounds, largest, "kind", [None] * i + [label], value=column)
    bounds.axhline(sum(NETWORKS["[32]³"]) ** 2 / 2, color="#777777", lw=1.0, ls=":", label=ESTIMATE)
    bounds.set(yscale="log", title="[32]³", ylabel=f"regions in a square of side {2 * HALF:g}")
    bounds.legend(frameon=False, fontsize="small")
    runs["product"] = runs["C_grad"] * runs["C_bias"]
    draw_curves(constants, runs, "hidden", NETWORKS, value="product")
    constants.set(yscale="log", ylabel="C_grad C_bias", title="the networks' constants")
    constants.legend(frameon=False, fontsize="small")
    runs["loose"] = runs["T"] / runs["smallest"]
    draw_curves(ts, runs, "hidden", NETWORKS, value="loose", level=1.0)
    ts.set(yscale="log", ylabel="2⁵ C_grad C_bias / smallest T", title="how loose")
    return figure


def findings(data: Data) -> list[Finding]:
    """The bounds hold with the constants of the trained network, and how loose they are."""
    runs = compared(data)
    found = []
    for name in NETWORKS:
        mine = runs[runs["hidden"] == name]
        if mine.empty:
            continue
        start, end = mine[mine["epoch"] == 0], last_of_each(mine, ["hidden"])
        below, number = bool((mine["value"] <= mine["bound"]).all()), int(mine["seed"].nunique())
        said = f"bound / count {mean_sd(start['bound'] / start['value'])} at the start, "
        said += f"{mean_sd(end['bound'] / end['value'])} at the end"
        found.append(
            Finding(
                f"{name}: every count below the explicit bound", said, "the mean, at the start", judge(below, number)
            )
        )
        said = f"{mean_sd(start['smallest'])} at the start, {mean_sd(end['smallest'])} at the end; "
        said += f"2⁵ C_grad C_bias {mean_sd(end['T'])}"
        less = bool((mine["smallest"] <= mine["T"]).all())
        found.append(
            Finding(f"{name}: the smallest T of every run", said, "at most 2⁵ C_grad C_bias", judge(less, number))
        )
    return found


FIGURE = Figure(
    name="theory",
    title="Beside the theory, with the networks' own constants",
    source="new: theorem 5 of NeurIPS 2019 with constants estimated through training",
    claim="The count stays far below what theorem 5 allows with the network's own C_grad and C_bias, before training "
    "and after it.",
    lines=lines,
    draw=draw,
    findings=findings,
    doubts="The theorem speaks of the mean over a law of networks at the start. C_grad is the largest gradient at "
    "training examples and C_bias the top of a kernel density of the biases of a layer, the largest of all layers, as "
    "if they were independent draws.",
)
