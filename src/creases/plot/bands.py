"""Curves with bands: the mean over runs, one standard deviation shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from creases.errors import DomainError
from creases.plot.figure import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["epoch_axis", "plot_band"]

# The possible ticks of an axis of epochs.
EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
MOST_MARKS = 7


def plot_band(
    ax: Axes, at: ArrayLike, values: ArrayLike, *, label: str | None = None, colour: str = COLOURS[0], style: str = "o-"
) -> None:
    """Plot the mean of `values` against `at`, with a band of one standard deviation where several values have the same
    position.

    at, values : shape (m,), positions and values in any order; values at the same position are repeated runs.
    label, colour, style : as matplotlib takes them.
    Raises DomainError if `at` and `values` have different lengths.
    """
    places, numbers = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if places.shape != numbers.shape or places.ndim != 1:
        raise DomainError(f"plot_band needs as many values as places, got shapes {numbers.shape} and {places.shape}.")
    there = np.unique(places)
    groups = [numbers[places == place] for place in there]
    mean = np.array([group.mean() for group in groups])
    spread = np.array([group.std(ddof=1) if group.size > 1 else 0.0 for group in groups])
    ax.fill_between(there, mean - spread, mean + spread, color=colour, alpha=0.18, lw=0)
    ax.plot(there, mean, style, ms=3.0, lw=1.4, color=colour, label=label)


def epoch_axis(ax: Axes, last: float) -> None:
    """Set the x axis to epochs from 0 to `last`: linear up to epoch 1, logarithmic from there."""
    marks = [epoch for epoch in EPOCHS if epoch <= last]
    if len(marks) > MOST_MARKS:
        marks = [epoch for epoch in marks if str(epoch)[0] in "01"]
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlabel="epoch", xlim=(0, None))
    ax.set_xticks(marks, labels=[str(epoch) for epoch in marks])
    ax.set_xticks([], minor=True)
