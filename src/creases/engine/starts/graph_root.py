"""The first local network of a graph: level by level, over the corners of a starting cell.

A chain's first local network is the chain itself. That of a graph has no linear units, and only those neurons that are
not proved to have one sign on the starting cell: decided units are substituted at once, as `local` does later on
smaller cells, with the same bounds. So its size is the number of undecided units, whatever the size of the network.

    z_l = forms_l (x, 1) + sum over open units q below of couplings_lq kink(z_q)     up to the rows' bounds.

The rounding error of a level that adds m products per number is gamma(m + 3) times the sum of the products' sizes, for
forms and for couplings (times the sizes of the coupled units), because a row's size is at least that of its form and
its couplings together (`substitution`). A row that copies one unit of another level is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from creases.engine.graph import COORDINATES, INPUTS, Level, Matrix, absolute, is_sparse, times
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.band import bands
from creases.engine.proof.bounds import LARGEST_PROVED, ROUND_UP, UNDERFLOW, UNIT, all_or_infinite
from creases.engine.proof.exact_layers import exact_levels
from creases.engine.proof.twins import NOTHING
from creases.engine.starts.cell import RootCell, cell_of
from creases.engine.starts.chart import AnyStart, LargeRoot
from creases.engine.starts.first_layer import first_forms, in_chart

__all__ = [
    "Decided",
    "GraphRoot",
    "OpenRows",
    "Relaxed",
    "Rows",
    "decide",
    "decide_switches",
    "doubtful",
    "graph_root",
    "tied",
    "vanish",
    "with_sizes",
]

Bools = NDArray[np.bool_]

# The largest number of entries when candidates are compared in pairs.
COMPARED = 1 << 22


class OpenRows(NamedTuple):
    """The units of one layer that are open on the starting cell.

    units : int64 (m,). forms : float64 (m, k). errors, sizes : float64 (m, 2), the pairs of `local`.
    couplings : for each layer below to which they are coupled, by its number among the layers, a matrix (m, its open
        units).
    """

    units: Ints
    forms: Floats
    errors: Floats
    sizes: Floats
    couplings: dict[int, Matrix]


class GraphRoot(NamedTuple):
    """The first local network.

    active : bool (N,), the units that are active on the whole cell.
    exact : for each layer, whether its rows are exact (`exact_layers`).
    """

    layers: list[OpenRows]
    active: Bools
    exact: list[bool]


class Rows(NamedTuple):
    """A level's rows, of its sums or of its values; the arrays as in `OpenRows`."""

    forms: Floats
    errors: Floats
    sizes: Floats
    couplings: dict[int, Matrix]


class Relaxed(NamedTuple):
    """Open units of a layer as bands between two parallel hyperplanes: |kink(z) - forms (x, 1)| <= radii on the cell.

    forms : float64 (m, k). radii : float64 (m,). sizes : float64 (m, 2), of their values.
    """

    forms: Floats
    radii: Floats
    sizes: Floats


def graph_root(problem: Problem, start: AnyStart, twins: Ints, most_open: int | None = None) -> GraphRoot:
    """The first local network of a problem's graph on a starting cell.

    twins : of all units (`twins_of`). most_open : the largest allowed number of open units, if there is a limit.
    Raises LargeRoot as soon as there are more.
    """
    return root_on(problem, cell_of(problem, start), start.signs, twins, most_open)


def are_decided_at(problem: Problem, point: RootCell, twins: Ints) -> bool:
    """Whether every unit of a problem's graph has a nonzero sign at a point on a wall, or is constant around it.

    point : see `point_cell`.
    """
    return all(not len(rows.units) for rows in root_on(problem, point, {}, twins).layers)


def root_on(
    problem: Problem, cell: RootCell, known: dict[int, bool], twins: Ints, most_open: int | None = None
) -> GraphRoot:
    """`graph_root` for a cell. known : the signs of units of the first layer that determine it."""
    graph = problem.graph
    signs, open_layers = np.zeros(sum(graph.widths), np.int64), list[OpenRows]()
    values: dict[int, Rows] = {}
    relaxed: dict[int, Relaxed] = {}
    with np.errstate(all="ignore"):
        inputs = {
            number: in_chart(*doubted(level, *first_forms(problem, matrix, level.bias)), cell.chart)
            for number, level in enumerate(graph.levels, 1)
            for source, matrix in level.terms
            if source == INPUTS
        }
        steady = bool(np.isin(cell.infinity, (0.0, 1.0, -1.0)).all())
        exact = exact_levels(graph, inputs) if steady else [False] * len(graph.levels)
        for number, level in enumerate(graph.levels, 1):
            rows = summed(level, inputs.get(number), values, relaxed, cell, exact[number - 1])
            if level.slopes is None:
                values[number] = rows
                continue
            layer = graph.layer_of[number]
            first, end = graph.first_neurons[layer], graph.first_neurons[layer + 1]
            # A row may vanish on a wall and not around it.
            nothing = np.zeros(end - first, np.bool_) if cell.on_wall else vanish(rows)
            if level.groups is None:
                made = decide(level, rows, relaxed, known if layer == 0 else {}, nothing, cell)
            else:
                out = tied(level.groups, twins[first:end], signs, nothing)
                made = decide_switches(level.groups, rows, relaxed, out, cell)
            values[number] = handed_on(rows, made.factors, made.left, layer, made.band.sizes, relaxed)
            relaxed[layer], signs[first:end] = made.band, made.signs
            open_layers.append(open_rows(rows, made.left))
            still_open = sum(len(rows.units) for rows in open_layers)
            if most_open is not None and still_open > most_open:
                raise LargeRoot(layer, still_open)
    return GraphRoot(open_layers, signs > 0, [exact[number - 1] for number in graph.layers])


def summed(
    level: Level,
    inputs: tuple[Floats, Floats] | None,
    values: dict[int, Rows],
    relaxed: dict[int, Relaxed],
    cell: RootCell,
    exact: bool,
) -> Rows:
    """The rows of a level's sums. inputs : the forms from the inputs and their bounds, including the biases."""
    n, d = len(level.bias), len(cell.infinity) - 1
    if inputs is not None:
        forms, errors = inputs[0].copy(), inputs[1].copy()
    else:
        forms = level.bias[:, None] * cell.infinity
        errors = np.zeros((n, 2))
        if not np.isin(cell.infinity, (0.0, 1.0, -1.0)).all():
            errors = UNIT * ROUND_UP * pairs(forms, d)
            errors[level.bias != 0] += UNDERFLOW
    weight, terms = pairs(forms, d), np.full(n, float(inputs is not None) + 3.0)
    copies = (level.bias == 0) & np.full(n, inputs is None)
    couplings: dict[int, Matrix] = {}
    count = np.zeros(n)
    for source, matrix in level.terms:
        if source == INPUTS:
            continue
        if source == COORDINATES:  # one for each wall, whose unit has no other term, so nothing is rounded
            chosen = matrix.any(axis=1)
            forms[chosen], errors[chosen] = matrix[chosen] @ cell.chart, 0.0
            weight[chosen], copies = pairs(forms, d)[chosen], copies | chosen
            continue
        below, sizes = values[source], absolute(matrix)
        forms = forms + times(matrix, below.forms)
        errors = errors + all_or_infinite(times(sizes, below.errors))
        if level.doubts is not None:
            errors = errors + doubtful(level.doubts.of(source), below.sizes)
        weight = weight + all_or_infinite(times(sizes, below.sizes))
        # A product of two tiny numbers may underflow to zero, which would be taken for an exact zero.
        weight = weight + np.where(times(nonzero_in(matrix), (below.sizes > 0).astype(float)) > 0, UNDERFLOW, 0.0)
        for layer, coupling in below.couplings.items():
            product = matrix @ coupling
            couplings[layer] = couplings[layer] + product if layer in couplings else product
        entries = matrix.data if is_sparse(matrix) else matrix
        nonzero = np.diff(matrix.indptr) if is_sparse(matrix) else np.count_nonzero(matrix, axis=1)
        count = count + nonzero
        copies = copies & ((np.abs(entries) == 1.0).all() or row_all(matrix))
    copies = copies & (count <= 1)
    if not exact:
        rounding = np.where(copies, 0.0, UNIT * ROUND_UP * (terms + count))[:, None]
        errors = (errors + rounding * weight) * ROUND_UP
        errors = errors + np.where((weight > 0) & ~copies[:, None], UNDERFLOW, 0.0)
        errors = errors + lost_in_couplings(couplings, relaxed, ~copies)
    if level.divisors is not None:
        forms, errors, couplings = divided(forms, errors, couplings, level.divisors, weight, exact)
        errors = errors + lost_in_couplings(couplings, relaxed, np.full(n, not exact))
    return with_sizes(forms, errors, couplings, relaxed, d)


def doubtful(doubts: Floats, sizes: Floats) -> Floats:
    """The errors due to doubts of couplings (n, m) to values of these sizes (m, 2); a product of the two may
    underflow."""
    met = (doubts != 0.0).astype(np.float64) @ (sizes > 0.0) > 0.0
    bounds: Floats = all_or_infinite(doubts @ sizes) * ROUND_UP + UNDERFLOW * met
    return bounds


def doubted(level: Level, forms: Floats, bounds: Floats) -> tuple[Floats, Floats]:
    """Forms of the inputs and bounds on their entries, including the level's doubts."""
    if level.doubts is None:
        return forms, bounds
    return forms, (bounds + np.column_stack([level.doubts.of(INPUTS), level.doubts.bias])) * ROUND_UP


def nonzero_in(matrix: Matrix) -> Matrix:
    """One where a matrix has an entry that is not zero."""
    return (matrix != 0).astype(np.float64)


def lost_in_couplings(couplings: dict[int, Matrix], relaxed: dict[int, Relaxed], some: Bools) -> Floats:
    """The errors of some rows due to couplings that have underflowed, each multiplied by the size of the coupled
    unit."""
    lost = np.zeros((len(some), 2))
    for layer, coupling in couplings.items():
        if coupling.shape[1]:
            lost[some] += all_or_infinite(4.0 * UNDERFLOW * relaxed[layer].sizes.sum(axis=0))
    return lost


def row_all(matrix: Matrix) -> Bools:
    """For each row, whether all its nonzero entries are 1 or -1."""
    if is_sparse(matrix):
        other = csr_array((np.abs(matrix.data) != 1.0, matrix.indices, matrix.indptr), shape=matrix.shape)
        units_only: Bools = np.asarray(other.sum(axis=1)) == 0
        return units_only
    return np.asarray(((matrix == 0) | (np.abs(matrix) == 1.0)).all(axis=1))


def divided(
    forms: Floats, errors: Floats, couplings: dict[int, Matrix], divisors: Ints, weight: Floats, exact: bool
) -> tuple[Floats, Floats, dict[int, Matrix]]:
    """Rows divided by integers: a quotient has one rounding error."""
    factors = 1.0 / divisors.astype(np.float64)  # rounded once, each product once more
    lost = np.zeros_like(errors) if exact else (3.0 * UNIT * weight + UNDERFLOW * (weight > 0)) * factors[:, None]
    errors = (errors * factors[:, None] + lost) * ROUND_UP
    return forms * factors[:, None], errors, {layer: scaled(c, factors) for layer, c in couplings.items()}


def with_sizes(
    forms: Floats, errors: Floats, couplings: dict[int, Matrix], relaxed: dict[int, Relaxed], d: int
) -> Rows:
    """Rows with their sizes: |z| <= S_g max |x_c| + S_w on the cell."""
    sizes = pairs(forms, d) + errors
    for layer, coupling in couplings.items():
        sizes = sizes + all_or_infinite(times(absolute(coupling), relaxed[layer].sizes))
    sizes = sizes * ROUND_UP
    sizes = np.where(sizes > 0, sizes + UNDERFLOW, sizes)
    finite = np.isfinite(forms.sum(axis=1, keepdims=True))
    errors, sizes = np.where(finite, errors, np.inf), np.where(finite, sizes, np.inf)
    return Rows(forms, all_or_infinite(errors), all_or_infinite(sizes), couplings)


class Decided(NamedTuple):
    """The decisions for a layer on the cell.

    left : int64 (m,), the open units. factors : float64 (n,), the slopes of the others; zero for open ones.
    signs : int64 (n,), 1 for active, -1 for inactive, 0 for open. band : the open units, relaxed.
    """

    left: Ints
    factors: Floats
    signs: Ints
    band: Relaxed


def decide(
    level: Level, rows: Rows, relaxed: dict[int, Relaxed], known: dict[int, bool], nothing: Bools, cell: RootCell
) -> Decided:
    """Decide the neurons of a layer.

    known : units whose sign follows from the cell's own walls. nothing : bool (n,), units that are known to be zero on
        the cell, and on the cell of which it is a wall.
    """
    assert level.slopes is not None
    linear, radii = relax(rows, relaxed, cell)
    low, high = ends(linear, radii, cell)
    on, off = (low > 0) & (high < LARGEST_PROVED), (high < 0) & (low > -LARGEST_PROVED)
    off |= nothing
    for unit, active in known.items():
        on[unit], off[unit] = active, not active
    left = np.flatnonzero(~(on | off))
    factors = np.where(on, level.slopes[1], np.where(off, level.slopes[0], 0.0))
    steep = np.abs(level.slopes).max(axis=0)[left]
    slopes, middles, halves = bands(low[left], high[left], level.slopes[0, left], level.slopes[1, left])
    bent = slopes[:, None] * linear[left]
    size = np.abs(bent[:, :-1]).sum(axis=1) * cell.reach + np.abs(bent[:, -1])
    bent[:, -1] += middles
    rounding = UNIT * ROUND_UP * (cell.terms + 2 * len(cell.infinity) + 16)
    radius = (
        np.abs(slopes) * radii[left] + halves + rounding * (size + np.abs(middles) + halves)
    ) * ROUND_UP + UNDERFLOW
    radius = np.where(np.isnan(radius), np.inf, radius)
    band = Relaxed(bent, radius, all_or_infinite(steepened(rows.sizes[left], steep)))
    return Decided(left, factors, on.astype(np.int64) - off, band)


def steepened(sizes: Floats, steep: Floats) -> Floats:
    """Sizes (n, 2) times the larger slope; nonzero sizes remain nonzero."""
    return sizes * steep[:, None] * ROUND_UP + np.where(sizes > 0, UNDERFLOW, 0.0)


def vanish(rows: Rows) -> Bools:
    """Which rows are exactly zero on the whole cell."""
    nothing: Bools = np.asarray(~rows.forms.any(axis=1) & ~rows.errors.any(axis=1))
    for coupling in rows.couplings.values():
        nothing[np.asarray(absolute(coupling).sum(axis=1)).ravel() != 0] = False
    return nothing


def open_rows(rows: Rows, left: Ints) -> OpenRows:
    """The rows of the units that are left open."""
    couplings = {below: coupling[left] for below, coupling in rows.couplings.items()}
    return OpenRows(left, rows.forms[left], rows.errors[left], rows.sizes[left], couplings)


def decide_switches(groups: Ints, rows: Rows, relaxed: dict[int, Relaxed], out: Bools, cell: RootCell) -> Decided:
    """`decide` for a layer of switches, with the rules of `switches.relax_switches`: a candidate below another one is
    out.

    out : candidates that are out without arithmetic (`tied`).
    """
    linear, radii = relax(rows, relaxed, cell)
    out, chosen, halves = out.copy(), np.zeros(len(groups), np.bool_), np.zeros(len(groups))
    left = np.flatnonzero(~out)
    firsts, sizes = np.unique(groups[left], return_index=True, return_counts=True)[1:]
    for m in sorted(set(sizes.tolist()) - {1}):
        windows = left[firsts[sizes == m][:, None] + np.arange(m)]
        at_once = max(1, COMPARED // (m * m * (cell.points.size + 4)))
        for some in np.split(windows, range(at_once, len(windows), at_once)):
            above = exceeding(linear[some], radii[some], cell)
            for j in range(m):
                # A candidate that is out is below one that is not, and then this one is below that one too.
                out[some[:, j]] = ((above[:, j] < 0.0) & ~out[some]).any(axis=1)
            # The largest excess of other remaining candidates over a candidate.
            stay = ~out[some]
            worst = np.where(stay[:, :, None], np.maximum(above, 0.0), 0.0).max(axis=1)
            # A remaining candidate is chosen even if every bound overflows: the others have infinite excesses.
            best = np.argmin(np.where(stay, np.minimum(worst, np.finfo(np.float64).max), np.inf), axis=1)
            places = np.arange(len(some)), best
            several = stay.sum(axis=1) > 1
            chosen[some[places][several]] = True
            halves[some[places]] = 0.5 * worst[places] * ROUND_UP
    alone = np.bincount(groups[~out], minlength=int(groups[-1]) + 1)[groups] == 1
    on = ~out & alone
    open_units = np.flatnonzero(~out & ~alone)
    band = middle_of_switches(linear[open_units], radii[open_units], chosen[open_units], halves[open_units], cell)
    return Decided(
        open_units, on.astype(np.float64), on.astype(np.int64) - out, band._replace(sizes=rows.sizes[open_units])
    )


def middle_of_switches(linear: Floats, radii: Floats, chosen: Bools, halves: Floats, cell: RootCell) -> Relaxed:
    """Open candidates, relaxed: the chosen one of each switch is its form plus half of the largest excess over it; the
    others are zero."""
    forms = np.where(chosen[:, None], linear, 0.0)
    forms[:, -1] += np.where(chosen & np.isfinite(halves), halves, 0.0)
    lost = 2.0 * UNIT * (np.abs(linear[:, -1]) + halves)
    radii = np.where(chosen, (radii + halves + lost) * ROUND_UP + UNDERFLOW, 0.0)
    size = np.abs(forms[:, :-1]).sum(axis=1) * cell.reach + np.abs(forms[:, -1])
    rounding = UNIT * ROUND_UP * (cell.terms + 2 * len(cell.infinity) + 16)
    return Relaxed(forms, all_or_infinite((radii + rounding * size) * ROUND_UP), np.zeros((len(forms), 2)))


def tied(groups: Ints, twins: Ints, signs: Ints, nothing: Bools) -> Bools:
    """Candidates of switches that are out because they are zero and another is zero too, or active.

    twins : 1 + the ReLU neuron of whose activation a candidate is a positive multiple, NOTHING, or 0 (`twins_of`).
    signs : of the neurons of the layers below, 1 for active, -1 for inactive, 0 for one that is open.
    nothing : bool (n,), candidates that are known to be zero on the cell, and on the cell of which it is a wall. As in
        `switches.status_of_activations`, the first one remains if several candidates are zero.
    """
    sign = np.where(twins > 0, signs[twins - 1], 0)
    zero = (sign < 0) | (twins == NOTHING) | nothing
    beaten = np.zeros(int(groups[-1]) + 1, np.bool_)
    beaten[groups[sign > 0]] = True
    first = np.zeros(len(groups), np.bool_)
    first[np.flatnonzero(zero)[np.unique(groups[zero], return_index=True)[1]]] = True
    out: Bools = zero & (beaten[groups] | ~first)
    return out


def exceeding(linear: Floats, radii: Floats, cell: RootCell) -> Floats:
    """The largest possible excess of row j over row i on the cell, for m rows of each of s switches; negative if it is
    below.

    linear : float64 (s, m, k). radii : float64 (s, m). Returns float64 (s, m, m) [switch, j, i]; zero where i is j.
    """
    switches, m = radii.shape
    excess = np.empty((switches, m, m))
    at_once = max(1, COMPARED // (switches * m * (cell.points.size + 4)))
    for begin in range(0, m, at_once):
        some = slice(begin, begin + at_once)
        gaps = linear[:, some, None] - linear[:, None, :]
        most = (gaps @ cell.points).max(axis=3)
        gradient = np.abs(gaps[..., :-1]).sum(axis=3)
        size = gradient * cell.reach + np.abs(gaps[..., -1])
        slack = radii[:, some, None] + radii[:, None, :] + gradient * cell.off
        slack += 2.0 * (len(cell.infinity) + 3) * UNIT * size
        excess[:, some] = most + slack * ROUND_UP + UNDERFLOW
    excess = np.where(np.isfinite(excess), excess, np.inf)
    excess[:, np.arange(excess.shape[1]), np.arange(excess.shape[1])] = 0.0
    return excess


def handed_on(
    rows: Rows, factors: Floats, left: Ints, layer: int, open_sizes: Floats, relaxed: dict[int, Relaxed]
) -> Rows:
    """A layer's values: decided units times their slopes, and for open ones the units themselves.

    open_sizes : float64 (m, 2), the sizes of the values of the open units.
    """
    n, exact = len(factors), np.isin(factors, (0.0, 1.0, -1.0))
    forms = np.where((factors != 0.0)[:, None], factors[:, None] * rows.forms, 0.0)
    sizes = np.where((factors != 0.0)[:, None], steepened(rows.sizes, np.abs(factors)), 0.0)
    sizes[left] = open_sizes
    errors = np.where((factors != 0.0)[:, None], np.abs(factors)[:, None] * rows.errors, 0.0)
    lost = np.where(exact[:, None], 0.0, 2.0 * UNIT * sizes + UNDERFLOW)
    couplings = {below: scaled(coupling, factors) for below, coupling in rows.couplings.items()}
    units = csr_array((np.ones(len(left)), (left, np.arange(len(left)))), shape=(n, len(left)))
    grown = np.where(exact[:, None], errors, (errors + lost) * ROUND_UP)
    grown = grown + lost_in_couplings(rows.couplings, relaxed, ~exact)
    return Rows(forms, all_or_infinite(grown), all_or_infinite(sizes), {**couplings, layer: units})


def scaled(matrix: Matrix, factors: Floats) -> Matrix:
    """A matrix whose rows are multiplied by factors; a row times zero is zero."""
    if is_sparse(matrix):
        return csr_array(
            (matrix.data * np.repeat(factors, np.diff(matrix.indptr)), matrix.indices, matrix.indptr),
            shape=matrix.shape,
        )
    return np.where((factors != 0.0)[:, None], factors[:, None] * matrix, 0.0)


def relax(rows: Rows, relaxed: dict[int, Relaxed], cell: RootCell) -> tuple[Floats, Floats]:
    """Linear forms of the rows' sums (n, k), and radii (n,): |z - form (x, 1)| <= radius on the cell."""
    linear = rows.forms.copy()
    count = 4 + sum(coupling.shape[1] for coupling in rows.couplings.values())
    own = np.abs(rows.forms[:, :-1]).sum(axis=1) * cell.reach + np.abs(rows.forms[:, -1])
    radii = rows.errors[:, 0] * (cell.reach + cell.off) + rows.errors[:, 1] + UNIT * ROUND_UP * count * own
    for layer, coupling in rows.couplings.items():
        linear += times(coupling, relaxed[layer].forms)
        radii = radii + times(absolute(coupling), relaxed[layer].radii)
    return linear, np.where(np.isnan(radii), np.inf, radii * ROUND_UP + UNDERFLOW)


def ends(linear: Floats, radii: Floats, cell: RootCell) -> tuple[Floats, Floats]:
    """The smallest and the largest possible value of the rows on the cell, as in `relax.bound`."""
    at_corners = linear @ cell.points
    gradient = np.abs(linear[:, :-1]).sum(axis=1)
    size = gradient * cell.reach + np.abs(linear[:, -1])
    slack = (radii + gradient * cell.off + 2.0 * (len(cell.infinity) + 2) * UNIT * size) * ROUND_UP + UNDERFLOW
    low, high = at_corners.min(axis=1) - slack, at_corners.max(axis=1) + slack
    known = np.isfinite(low) & np.isfinite(high)
    return np.where(known, low, -np.inf), np.where(known, high, np.inf)


def pairs(forms: Floats, d: int) -> Floats:
    """The sums of the sizes of the coordinates and of the constant, float64 (n, 2)."""
    sizes: Any = np.abs(forms)
    return np.stack([sizes[:, :d].sum(axis=1), sizes[:, d]], axis=1)
