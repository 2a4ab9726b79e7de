"""The sawtooth under noise: a construction with 2^depth pieces, and how few are left when its numbers are not exact.

The companion paper's figure: Gaussian noise on weights and biases destroys almost all pieces. Very little noise adds
some first: without it half of the neurons only touch zero, in every trough, and with it they cross it there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creases.counting import count
from creases.domain import Segment
from creases.streams import stream
from creases.theory.constructions import perturb, sawtooth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SCALES", "Curve", "collapse", "plot_collapse"]

SCALES = (0.0, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)


class Curve(NamedTuple):
    """Pieces on [0, 1] under noise.

    depth : of the sawtooth. scales : of the noise. counts : a row a scale, a column a seed.
    """

    depth: int
    scales: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


def collapse(
    depth: int, seeds: int, scales: Sequence[float] = SCALES, *, done: Callable[[], None] = lambda: None
) -> Curve:
    """Count the sawtooth of this depth with noise of each scale, seeds 0 ... seeds - 1; every count is certified."""
    whole, unit, rows = sawtooth(depth), Segment(np.zeros(1), np.ones(1)), []
    for scale in scales:
        row = []
        for seed in range(seeds):
            found = count(perturb(whole, scale, stream("noise on a construction", seed)), unit, progress=False)
            assert found.certified
            row.append(found.regions)
            done()
        rows.append(tuple(row))
    return Curve(depth, tuple(scales), tuple(rows))


def plot_collapse(curve: Curve, ax: Axes | None = None) -> Axes:
    """Draw the pieces that are left against the noise: each seed a dot, the mean a line, 2^depth and N + 1 beside."""
    from creases.plot.figure import COLOURS, QUIET, axes_of, tidy

    ax = axes_of(ax, 6.0, 4.0)
    noisy = [(scale, row) for scale, row in zip(curve.scales, curve.counts, strict=True) if scale > 0]
    scales = np.array([scale for scale, _ in noisy])
    counts = np.array([row for _, row in noisy], dtype=np.float64)
    ax.plot(np.repeat(scales, counts.shape[1]), counts.ravel(), ".", color=COLOURS[0], alpha=0.35, ms=5)
    ax.plot(scales, counts.mean(axis=1), "o-", color=COLOURS[0], ms=4, label="mean")
    neurons = 2 * curve.depth
    whole = f"without noise: 2^{curve.depth} = {2**curve.depth:,}"
    ax.axhline(2.0**curve.depth, color=QUIET, lw=1.0, ls="--", label=whole)
    ax.axhline(neurons + 1.0, color=QUIET, lw=1.0, ls=":", label=f"#neurons + 1 = {neurons + 1}")
    ax.set(xscale="log", yscale="log", xlabel="standard deviation of the noise", ylabel="pieces on [0, 1]")
    ax.legend(frameon=False, fontsize="small")
    tidy(ax)
    return ax
