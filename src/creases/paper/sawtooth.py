"""The sawtooth under noise: a construction with 2^depth pieces, and how many remain when its weights are perturbed.

The companion paper's figure: a little Gaussian noise on weights and biases destroys almost all pieces. "A little" and
"almost all" are defined here, before anything is counted: noise is compared with the weights to which it is added, and
almost all means 99 in 100. Very little noise adds pieces first: without it, half of the neurons only touch zero in
every trough, and with it they cross zero there.
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

__all__ = ["ALMOST_NONE", "SCALES", "TYPICAL", "Curve", "collapse", "least_noise", "plot_collapse", "share_of_weight"]

# Standard deviations of the noise.
SCALES = (0.0, 1e-3, 3e-3, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
# The root mean square of the weights 2 and -4 of every layer except the first, with which noise is compared.
TYPICAL = 10.0**0.5
# Less than this fraction of 2^depth pieces counts as almost none.
ALMOST_NONE = 0.01


class Curve(NamedTuple):
    """Pieces on [0, 1] under noise.

    depth : that of the sawtooth. scales : those of the noise. counts : one row per scale, one column per seed.
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


def share_of_weight(noise: float) -> str:
    """Noise relative to the typical weight, in words: "0.95 % of a weight"."""
    return f"{100 * noise / TYPICAL:.2g} % of a weight"


def least_noise(scales: Sequence[float], shares: Sequence[float], level: float) -> float:
    """The smallest noise that leaves less than a fraction of the pieces; NaN if even the largest noise leaves more.

    scales : increasing; a scale of 0 is left out. shares : the mean fraction of 2^depth at each scale. level : the
        fraction. Between two scales, the fraction is interpolated as a power of the noise.
    """
    known = [(scale, share) for scale, share in zip(scales, shares, strict=True) if scale > 0]
    more = [i for i, (_, share) in enumerate(known) if not share < level]
    if not more:
        return known[0][0] if known else np.nan
    if more[-1] == len(known) - 1:
        return np.nan
    (low, above), (high, below) = known[more[-1]], known[more[-1] + 1]
    if not below > 0:
        return high
    part = np.log(above / level) / np.log(above / below)
    return float(low * (high / low) ** part)


def plot_collapse(curve: Curve, ax: Axes | None = None) -> Axes:
    """Draw the remaining pieces against the noise: a dot for each seed, a line for the mean, and levels at 2^depth and
    N + 1."""
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
