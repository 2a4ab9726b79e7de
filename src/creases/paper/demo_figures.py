"""The two pictures of the demo: the count during training, and the regions in one plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from creases.plot import Series, new_figure, plot_complex, plot_history
from creases.plot.figure import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from creases.complex import Complex

__all__ = ["curve_figure", "regions_figure"]


def curve_figure(epochs: ArrayLike, series: Sequence[Series], widths: Sequence[int], most: int) -> Figure:
    """Regions / N^2 in the first epoch, during training, and compared with the largest number that the depth allows.

    epochs : shape (moments,). series : counts of each kind of plane. widths : the hidden layers.
    most : an upper bound on the regions in a plane of any network of these widths.
    """
    neurons = sum(widths)
    figure = new_figure(11.0, 3.8)
    early, whole, beside = figure.subplots(1, 3, width_ratios=(1.0, 1.6, 1.1))
    at = np.asarray(epochs)
    first = at <= 1.0
    plot_history(at[first], [Series(s.name, np.asarray(s.counts)[first]) for s in series], neurons, early)
    plot_history(at, series, neurons, whole)
    top = max(early.get_ylim()[1], whole.get_ylim()[1])
    early.set(ylim=(0, top))
    whole.set(ylim=(0, top))
    early.set_title("the first epoch", fontsize="medium")
    whole.set_title(f"regions in planes, hidden layers {list(widths)}, N = {neurons}", fontsize="medium")
    plot_history(at, series, 1, beside, level=neurons**2 / 2)
    beside.axhline(most, color=INK, lw=1.2)
    write_at(beside, neurons**2 / 2, f"N² / 2 = {neurons**2 / 2:,.0f}")
    write_at(beside, most, f"most that the depth allows: {most:,}")
    beside.set(yscale="log", ylim=(neurons, 10.0 * most), ylabel="regions")
    beside.set_title("what the depth would allow", fontsize="medium")
    for ax in (early, beside):  # one legend for all three
        if legend := ax.get_legend():
            legend.remove()
    return figure


def write_at(ax: Axes, height: float, text: str) -> None:
    """A line of text above a level, at the right."""
    ax.annotate(
        text,
        (1.0, height),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize="small",
    )


def regions_figure(complexes: Sequence[tuple[str, Complex]], points: ArrayLike, labels: Sequence[str]) -> Figure:
    """The regions of one plane at several moments, with the data points in it marked and named.

    complexes : a title and the regions of the plane, for each moment. points : shape (m, 2), in the plane's own
    coordinates. labels : a name for each point.
    """
    marks = np.asarray(points)
    figure = new_figure(4.2 * len(complexes), 4.7)
    axes = figure.subplots(1, len(complexes), squeeze=False)[0]
    for ax, (title, complex) in zip(axes, complexes, strict=True):
        plot_complex(complex, ax, points=marks)
        ax.set_title(title, fontsize="medium")
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
        name_points(ax, marks, labels)
    return figure


def name_points(ax: Axes, points: ArrayLike, labels: Sequence[str]) -> None:
    """Write the label of each point beside it, on its own background."""
    for (x, y), label in zip(np.asarray(points).tolist(), labels, strict=True):
        ax.annotate(
            label,
            (x, y),
            xytext=(7, 7),
            textcoords="offset points",
            fontsize="small",
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
            zorder=4,
        )
