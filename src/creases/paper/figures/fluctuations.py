"""The spread of the count over networks at He initialisation: its mean hardly depends on the depth, its spread does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.paper.choices import RandomPoints, WholeSpace
from creases.paper.claims import (
    NOTED,
    FigureFinding,
    Numbers,
    Verdict,
    below,
    between,
    equal_to,
    interval,
    judged,
    noted,
)
from creases.paper.experiment import Experiment
from creases.paper.figure import Data, Figure, Size, TableLine
from creases.paper.fluctuations import (
    SquaredGradient,
    gradient_relative_variance,
    handed_up,
    log_gradient_law,
    relative_variance,
    relative_variances,
)
from creases.paper.jackknife import as_text, estimated, pseudo_values
from creases.paper.measures import Regions
from creases.paper.spread_law import BY_DEPTH, NAMES, law, ratios_to_hyperplanes, shapes_of, spreads, table_of
from creases.plot import new_figure
from creases.plot.figure import COLOURS, MARKERS, QUIET, tidy
from creases.theory.maximum import zaslavsky

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["FIGURE"]

Floats = NDArray[np.float64]

DIMENSIONS = (1, 2, 3, 4)
# (width, depth) for each n at each size; layers of equal width, at least 4 n wide. [16]^2 is in all of them.
SMALL = {
    1: [(w, L) for w in (8, 16, 32) for L in (2, 4, 8)],
    2: [(w, L) for w in (8, 16) for L in (2, 4, 8)],
    3: [(16, 2), (16, 4), (32, 2)],
    4: [(16, 2), (16, 3), (24, 2)],
}
LARGE = {
    1: [(w, L) for w in (8, 16, 32, 64) for L in (2, 4, 8)],
    2: [*((w, L) for w in (8, 16, 32) for L in (2, 4, 8)), (64, 2), (64, 4)],
    3: [(16, 2), (16, 4), (16, 8), (32, 2), (32, 4), (64, 2)],
    4: [(16, 2), (16, 3), (16, 4), (32, 2)],
}
# Networks with one hidden layer, whose counts do not vary, and their number.
FLAT_WIDTH, FLAT_SEEDS = 16, 10
# A network is shallow for its width if depth / width is at most the first number, and deep if it is at least the
# second.
SHALLOW, DEEP = 1 / 8, 1 / 2

OURS = "ours, from networks with other seeds (1000 and on)"
COEFFICIENTS = {
    1: between(0.05, 0.11, "0.06 to 0.10", why=OURS),
    2: between(0.17, 0.28, "0.18 to 0.26", why=OURS),
    3: between(0.12, 0.21, "0.14 to 0.19", why=OURS),
    4: between(0.09, 0.18, "0.10 to 0.17", why=OURS),
}
# The precision of exponents with 200 and 400 seeds; half of the claimed exponent, and zero, are outside.
REACH = {1: 0.2, 2: 0.2, 3: 0.35, 4: 0.45}
WIDTH_POWER = {
    n: between(-1 - reach, -1 + reach, "-1", why="the neurons of a layer add up independent things")
    for n, reach in REACH.items()
}
DEPTH_POWER = {
    n: between(1 - reach, 1 + reach, "1", why="one law with one coefficient for all depths")
    for n, reach in REACH.items()
}
INPUTS_RATIO = between(0.8, 1.7, "less than the 2 that taking cuts n at a time would have", why=OURS)
GRADIENTS = between(0.9, 1.1, "1: log Z is a sum over layers, Hanin and Nica 2018", check=True)
BESIDE_GRADIENTS = between(
    0.001, 0.1, "below a tenth: an average over all of R^n, no single point", why="ours, written after the runs"
)
SHALLOW_MEAN = between(0.97, 1.03, "1, whatever the depth", why="a mean that hardly knows the depth")
DEEP_MEAN = below(1.0, "below 1: a deficit", why=OURS)
# For each n, the part of the depth, of two, whose coefficient depends less on the network.
BETTER = {1: ("L", "L - 1"), 2: ("S", "L")}
BETTER_CLAIM = below(0.0, "below 0: it is the better part", why=OURS)
FLAT = equal_to(1.0, "exactly 1 (Zaslavsky 1975)", check=True)


def lines(size: Size) -> list[TableLine]:
    """One experiment per number of inputs, width and depth; nothing is trained."""
    found = []
    for n in DIMENSIONS:
        seeds = size.pick(24, 400 if n <= 2 else 200, 1000 if n <= 2 else 400)
        for width, depth in [(FLAT_WIDTH, 1), *size.pick(SMALL, LARGE, LARGE)[n]]:
            some = FLAT_SEEDS if depth == 1 else seeds
            one = Experiment(
                RandomPoints(1, n_in=n),
                (width,) * depth,
                (Regions(WholeSpace()), SquaredGradient()),
                seeds=tuple(range(some)),
            )
            found.append(TableLine(one, {"inputs": n, "width": width, "depth": depth}))
    return found


def findings(data: Data) -> list[FigureFinding]:
    """The law for each n, the exponent of n, gradients of the same networks, means, and one layer."""
    found = []
    for n in DIMENSIONS:
        table = table_of(data, n)
        found += [*of_law(table, n), *of_means(table, n)]
    return [*found, of_inputs(data), *of_gradients(data), of_flat(data)]


def of_law(table: pandas.DataFrame, n: int) -> list[FigureFinding]:
    """Exponents, coefficients and scatters for one n."""
    values, best = law(table, n), list(NAMES).index(BY_DEPTH[n])
    coefficients, scatters = values[:, 2 : 2 + len(NAMES)], values[:, 2 + len(NAMES) :]
    name = NAMES[BY_DEPTH[n]]
    others = "; ".join(
        f"by n² {label}: {as_text(coefficients[:, i], short=True)}"
        for i, label in enumerate(NAMES.values())
        if i != best
    )
    apart = "; ".join(
        f"by {label}: {as_text(scatters[:, i], '.3f', short=True)}" for i, label in enumerate(NAMES.values())
    )
    part = "L" if n == 1 else "(L - 1)(2 L - 1) / (6 L)"
    found = [
        estimated(f"n = {n}: exponent of the width in CV² at equal depth", values[:, 0], WIDTH_POWER[n]),
        estimated(f"n = {n}: exponent of {part} in CV² at equal width", values[:, 1], DEPTH_POWER[n]),
        estimated(f"n = {n}: CV² / (n² {name}), mean over networks", coefficients[:, best], COEFFICIENTS[n]),
        noted(f"n = {n}: the same by other parts of the depth", others),
        noted(f"n = {n}: scatter (variance over networks of log CV² / part)", apart),
    ]
    if n in BETTER:
        one, other = (list(NAMES).index(kind) for kind in BETTER[n])
        what = f"n = {n}: scatter by {' less scatter by '.join(NAMES[kind] for kind in BETTER[n])}"
        found.append(estimated(what, scatters[:, one] - scatters[:, other], BETTER_CLAIM))
    return found


def of_means(table: pandas.DataFrame, n: int) -> list[FigureFinding]:
    """Counts divided by sum C(N, k): for networks shallow for their width together, and for each that is deep for
    it."""
    widths, depths = shapes_of(table)
    ratios = ratios_to_hyperplanes(table, n)
    shallow = ratios[depths / widths <= SHALLOW]
    mean = shallow.mean(axis=0) if len(shallow) else np.empty(0)
    found = [judged(f"n = {n}: regions / Σ C(N, k), mean of networks with L / width up to 1/8", mean, SHALLOW_MEAN)]
    deep = depths / widths >= min(DEEP, max(depths / widths, default=DEEP))
    for at in np.flatnonzero(deep):
        what = f"n = {n}: regions / Σ C(N, k), [{widths[at]:.0f}]^{depths[at]:.0f}, deep for its width"
        spread = f"; CV {relative_variance(ratios[at]) ** 0.5:.2f}" if ratios.shape[1] > 1 else ""
        found.append(
            judged(what, ratios[at], DEEP_MEAN, more=spread) if n == 2 else noted(what, ratios[at], more=spread)
        )
    return found


def of_inputs(data: Data) -> FigureFinding:
    """The exponent of n in CV^2, over the networks that are counted for every n."""
    tables = {n: table_of(data, n) for n in DIMENSIONS}
    tables = {n: table for n, table in tables.items() if len(table)}
    common = sorted(set.intersection(*(set(table.index) for table in tables.values()))) if tables else []
    what = "exponent of n in CV² at equal width and depth"
    if len(tables) < 3 or not common:
        return estimated(what, np.empty(0), INPUTS_RATIO)
    seeds = sorted(set.intersection(*(set(table.columns) for table in tables.values())))
    chosen = [tables[n].loc[common, seeds].to_numpy(np.float64) for n in tables]

    def slope(some: set[int]) -> Floats:
        kept = [seed in some for seed in seeds]
        logs = [np.log(relative_variances(values[:, kept])).mean() for values in chosen]
        return np.polyfit(np.log(list(tables)), logs, 1)[:1] if np.isfinite(logs).all() else np.full(1, np.nan)

    with np.errstate(divide="ignore", invalid="ignore"):
        values = pseudo_values(seeds, slope)[:, 0] if seeds else np.empty(0)
    names = ", ".join(f"[{width}]^{depth}" for width, depth in common)
    return estimated(what, values, INPUTS_RATIO, more=f"; {names}, n = {min(tables)} to {max(tables)}")


def of_gradients(data: Data) -> list[FigureFinding]:
    """Squared gradients of the same networks compared with their law, and their spread compared with that of counts."""
    scores, found = dict[int, list[float]](), []
    for n in DIMENSIONS:
        for (width, depth), row in table_of(data, n, "squared gradient").iterrows():
            mean, variance = log_gradient_law((width,) * depth)
            for seed, value in row[row > 0].items():
                scores.setdefault(seed, []).append((np.log(value * n / width) - mean) ** 2 / variance)
    what = "gradients: (log Z - its mean)² / its variance, both of the law, mean over networks and n"
    found.append(judged(what, [float(np.mean(some)) for some in scores.values()], GRADIENTS))
    tables = {n: table_of(data, n) for n in DIMENSIONS}
    found += [beside_gradients(table, n) for n, table in tables.items()]
    return [*found, *ends_beside_gradients(tables)]


def beside_gradients(table: pandas.DataFrame, n: int) -> FigureFinding:
    """CV^2 of counts divided by that of ||J u||^n, which is a volume like a count, for one n."""
    values = parts_of_gradients(table, n)
    parts = values.mean(axis=0) if len(values) > 1 else np.empty(0)
    more = (
        f"; 1/{1 / parts.max():.0f} to 1/{1 / parts.min():.0f} by network" if len(parts) and (parts > 0).all() else ""
    )
    what = f"n = {n}: CV² of counts / CV² of ‖J u‖^n by its law, mean over networks"
    mean = values.mean(axis=1) if len(table) else np.empty(0)
    return estimated(what, mean, BESIDE_GRADIENTS, more=more)


def parts_of_gradients(table: pandas.DataFrame, n: int) -> Floats:
    """Pseudo-values, shape (seeds, networks), of CV^2 of counts divided by the exact one of ||J u||^n."""
    theirs = np.array([gradient_relative_variance((int(w),) * int(L), n) for w, L in table.index])
    return spreads(table, lambda cv2: cv2 / theirs, len(table))


def ends_beside_gradients(tables: dict[int, pandas.DataFrame]) -> list[FigureFinding]:
    """For any n, the networks with the largest and the smallest ratio of CV^2 to that of gradients."""
    parts = [
        (f"; n = {n}, [{width}]^{depth}", column)
        for n, table in tables.items()
        for (width, depth), column in zip(table.index, parts_of_gradients(table, n).T, strict=True)
        if len(column) > 1
    ]
    parts.sort(key=lambda part: -float(part[1].mean()))
    found = []
    for word, where, values in (
        (word, *parts[at]) if parts else (word, "", np.empty(0)) for word, at in (("largest", 0), ("least", -1))
    ):
        what = f"CV² of counts / CV² of ‖J u‖^n by its law, {word} of any network"
        numbers = Numbers.of(values)
        found.append(FigureFinding(what, as_text(values, short=True) + where, "", Verdict(NOTED), numbers))
    return found


def of_flat(data: Data) -> FigureFinding:
    """Networks with one hidden layer: no variance."""
    rows = data.table[(data.table["measure"] == "regions") & (data.table["depth"] == 1)]
    ratios = [row.value / zaslavsky(int(row.neurons), int(row.inputs)) for row in rows.itertuples()]
    return judged("one hidden layer: regions / Σ C(N, k), every n", ratios, FLAT)


def draw(data: Data) -> Picture:
    """CV^2 against depth / width beside gradients; its coefficient against the depth; the mean."""
    figure = new_figure(10.5, 4.0)
    spread, collapse, mean = figure.subplots(1, 3)
    for n in DIMENSIONS:
        table = table_of(data, n)
        if len(table):
            draw_spread(spread, table, n)
            draw_collapse(collapse, table, n)
            draw_mean(mean, table, n)
    spread.set(xscale="log", yscale="log", xlabel="(L - 1) / width", ylabel="CV² of the regions of Rⁿ")
    spread.set_ylim(None, 1e3)
    spread.secondary_yaxis("right", functions=(np.sqrt, np.square)).set_ylabel("CV")
    spread.set_title("• counts, + ‖J u‖ⁿ at a point (law)", fontsize="small")
    collapse.set(xlabel="depth L", ylabel="CV² / (n² S),  S = (L - 1)(2 L - 1) / (6 L width)", ylim=(0.0, 1.0))
    collapse.set_title("marks: ○ narrowest … ◇ widest", fontsize="small")
    mean.axhline(1.0, color=QUIET, lw=1.0, ls=":")
    mean.set(xscale="log", xlabel="L / width", ylabel="mean regions / Σ C(N, k)")
    for ax in (spread, collapse, mean):
        tidy(ax)
    figure.legend(*spread.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def draw_spread(ax: Axes, table: pandas.DataFrame, n: int) -> None:
    """CV^2 of every network with its interval, and the exact one of its gradients."""
    widths, depths = shapes_of(table)
    at = (depths - 1) / widths
    bars(ax, at, spreads(table, lambda cv2: cv2, len(table)), n, [MARKERS[0]] * len(table), f"n = {n}")
    theirs = [gradient_relative_variance((int(w),) * int(L), n) for w, L in zip(widths, depths, strict=True)]
    ax.plot(at, theirs, "+", ms=5, color=COLOURS[n - 1])


def draw_collapse(ax: Axes, table: pandas.DataFrame, n: int) -> None:
    """CV^2 / (n^2 S) of every network, with one mark per width."""
    widths, depths = shapes_of(table)
    parts = np.array([n**2 * handed_up([int(w)] * int(L)) for w, L in zip(widths, depths, strict=True)])
    order = {width: MARKERS[i % len(MARKERS)] for i, width in enumerate(np.unique(widths))}
    marks = [order[width] for width in widths]
    # Side by side, so that marks for the same depth do not overlap.
    bars(ax, depths * (1 + 0.02 * (n - 2.5)), spreads(table, lambda cv2: cv2 / parts, len(table)), n, marks)


def draw_mean(ax: Axes, table: pandas.DataFrame, n: int) -> None:
    """The mean count of every network divided by sum C(N, k)."""
    widths, depths = shapes_of(table)
    bars(ax, depths / widths, ratios_to_hyperplanes(table, n).T, n, [MARKERS[0]] * len(table))


def bars(ax: Axes, at: Floats, values: Floats, n: int, marks: Sequence[str], label: str | None = None) -> None:
    """Means of columns, shape (runs, places), with 95 % intervals."""
    for i, (x, column) in enumerate(zip(at, values.T, strict=True)):
        middle = float(column.mean()) if len(column) else np.nan
        low, high = interval(column) if len(column) > 1 else (middle, middle)
        if np.isfinite([middle, low, high]).all():
            reach = [[middle - max(low, 1e-9)], [high - middle]]
            ax.errorbar([x], [middle], reach, fmt=marks[i], ms=4, lw=1.0, color=COLOURS[n - 1], label=label)
            label = None


FIGURE = Figure(
    name="fluctuations",
    title="Fluctuations of the count over networks",
    source="new: Hanin and Rolnick (NeurIPS 2019) show means with a band; Hanin and Nica (2018) have gradients",
    claim="At He initialisation the mean number of regions of R^n hardly depends on the depth, but its spread does. "
    "The relative variance over networks, CV² = (sd / mean)², is roughly proportional to the depth over the width, is "
    "less than a tenth of that of the gradients of the same networks, and grows with n by less than n².",
    lines=lines,
    draw=draw,
    findings=findings,
    regime="no such experiment; Hanin and Nica study log ‖J u‖² at one point, for which they find a normal "
    "distribution with a variance proportional to the sum of 1 / width.",
    doubts="Intervals of CV² are by the jackknife over seeds, which all networks of one n share. Ranges of "
    "coefficients were written down after looking at networks with seeds from 1000 on; the runs have seeds from 0 on. "
    "The claim about n, the range of CV² beside that of gradients, and that networks with L / width from 1/2 on are "
    "deep for their width, were written after the runs. The CV² of gradients grows exponentially in L / width; only "
    "the variance of log ‖J u‖² is proportional to the sum of 1 / width. Layers are of equal width, at least 4 n. We "
    "write CV² = c n² (depth part) / width. The depth part is L for n = 1 and (L - 1)(2 L - 1) / (6 L) for n > 1; S = "
    "(L - 1)(2 L - 1) / (6 L width) is the latter over the width. S is the sum over layers j of (share of the neurons "
    "above j)² / width, the effect of independent relative changes by each layer on the neurons above it: a "
    "heuristic, not a theorem. Whether S describes CV² better than L / width is judged for n = 2; compared with (L - "
    "1) / width it is not shown to be better.",
)
