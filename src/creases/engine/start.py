"""From arrays to the first cells: the chart, the first layer's forms with their bounds, the root network.

Every starting cell is a bounded cell of a chart. A bounded domain is scaled by a power of two into [-1, 1]^d. A
whole line or plane is first cut by d independent neurons of the first layer into 2^d cones (true walls, so
nothing is counted twice), and each cone is seen in the chart whose last coordinate is one on the simplex of
its apex and its d far rays: infinity is an edge like any other, and its form, 1 - sum of coordinates, takes the
place of the constant 1 that multiplies the biases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from creases.engine.bounds import ROUND_UP, UNDERFLOW, UNIT, meeting_point
from creases.engine.cut import push
from creases.engine.exact import ExactCell, ExactForms, as_integers, cone_cells, cross, exact_corners, scaled
from creases.engine.line import zero_of
from creases.engine.problem import Problem
from creases.engine.work import (
    ACTIVE,
    CHILD,
    COUPLING,
    ERRORS,
    FIELDS,
    FIRST,
    FORMS,
    FRESH,
    HEADER,
    IDS,
    INACTIVE,
    INTS_TOP,
    LOWEST,
    NETWORK,
    REALS_TOP,
    ROWS,
    SIZES,
    STATUS,
    Work,
    allocate,
)

__all__ = [
    "ExactStart",
    "Start",
    "bounded_start",
    "exact_first",
    "independent_rows",
    "restricted",
    "starts",
    "workspace",
]

Floats = NDArray[np.float64]


class Start(NamedTuple):
    """One starting cell.

    chart : float64 (k, k); the domain's homogeneous coordinates are chart @ the cell's.
    edges : inward forms of the cell's edges, float64 (c, k), counter-clockwise; for d = 1 edge i vanishes at corner i.
    edge_bounds : float64 (c, 2), the pairs (E_g, E_w) of `bounds`.
    edge_ids : a neuron's number, or -1 - wall.
    corners : float64 (c, d + 1): coordinates and error.
    infinite : for each corner, whether it is at infinity.
    walls : the exact forms of edges that are not neurons, by -1 - edge id; wall 0 is infinity where there is one.
    signs : {neuron of the first layer: is it active} for those that made the cell.
    """

    chart: Floats
    edges: Floats
    edge_bounds: Floats
    edge_ids: list[int]
    corners: Floats
    infinite: list[bool]
    walls: list[Any]
    signs: dict[int, bool]


class ExactStart(NamedTuple):
    """A starting cone whose numbers are too large or too small for a chart in floats; rationals cut it whole."""

    cell: ExactCell
    signs: dict[int, bool]


def first_forms(problem: Problem) -> tuple[Floats, Floats]:
    """Forms of the first layer in the domain's coordinates and bounds on their entries, float64 (n, d + 1) each.

    A coordinate along one input times a power of two is exact; other entries lose gamma(n_in + 2) at most.
    """
    weight, bias = problem.weights[0], problem.biases[0]
    n_in = weight.shape[1]
    rounding = (n_in + 2) * UNIT * ROUND_UP
    with np.errstate(over="ignore", invalid="ignore"):
        columns = [weight @ row for row in problem.basis]
        bounds = []
        for head, tail in zip(problem.basis, problem.basis_tail, strict=True):
            sizes = np.abs(weight) @ np.abs(head)
            exact = not tail.any() and np.count_nonzero(head) == 1 and abs(np.frexp(head[head != 0][0])[0]) == 0.5
            bounds.append(
                0.0 * sizes if exact else (rounding * sizes + np.abs(weight) @ np.abs(tail)) * ROUND_UP + UNDERFLOW
            )
        constant = weight @ problem.origin + bias
        sizes = np.abs(weight) @ np.abs(problem.origin) + np.abs(bias)
        bounds.append(rounding * sizes + UNDERFLOW if problem.origin.any() else 0.0 * sizes)
    return np.column_stack([*columns, constant]), np.column_stack(bounds)


def in_chart(forms: Floats, bounds: Floats, chart: Floats) -> tuple[Floats, Floats]:
    """Forms (n, k) and the pairs (E_g, E_w) (n, 2) in a chart, rounding of the product included."""
    d = forms.shape[1] - 1
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        moved, grown = forms @ chart, bounds @ np.abs(chart)
        sizes = np.abs(forms) @ np.abs(chart)
        # A diagonal chart holds powers of two, whose products are exact unless they underflow.
        if not np.array_equal(chart, np.diag(np.diag(chart))):
            grown = (grown + (d + 3) * UNIT * sizes) * ROUND_UP
        touched = (forms != 0).astype(float) @ (chart != 0) > 0
        lost = (touched & (sizes < 2.0**-900)) | ((bounds > 0).astype(float) @ (chart != 0) > 0) | (grown > 0)
        grown = np.where(lost, grown + UNDERFLOW, grown)
    return moved, np.column_stack([grown[:, :d].sum(axis=1) * ROUND_UP, grown[:, d]])


def exact_first(problem: Problem, rows: Sequence[int]) -> list[Any]:
    """The exact forms of some neurons of the first layer, in the domain's coordinates."""
    weight, bias = problem.weights[0][list(rows)], problem.biases[0][list(rows)]
    return ExactForms([weight], [bias], problem.origin, problem.basis, problem.basis_tail).forms(0, [])


def independent_rows(problem: Problem) -> list[int]:
    """As many neurons of the first layer as its rank on the domain, with linear parts proved independent.

    The largest one and the one that crosses it most squarely: they make the best chart.
    """
    forms, bounds = first_forms(problem)
    with np.errstate(all="ignore"):
        if problem.dimension == 1:
            best = int(np.argmax(np.abs(forms[:, 0])))
            if abs(forms[best, 0]) > bounds[best, 0]:
                return [best]
        else:
            sizes = np.abs(forms[:, :2]).max(axis=1)
            a = int(np.argmax(sizes))
            turns = forms[a, 0] * forms[:, 1] - forms[a, 1] * forms[:, 0]
            b = int(np.argmax(np.nan_to_num(np.abs(turns) / sizes)))
            moved = 2.0 * (np.abs(forms[a, :2]).max() + bounds[a, :2].max()) * bounds[b, :2].max()
            moved += 2.0 * sizes[b] * bounds[a, :2].max() + 8.0 * UNIT * sizes[a] * sizes[b]
            if abs(turns[b]) > moved * ROUND_UP + UNDERFLOW:
                return [a, b]
    return independent_in_rationals(exact_first(problem, range(len(forms))))


def independent_in_rationals(rows: Sequence[Any]) -> list[int]:
    """`independent_rows` decided in rationals."""
    nonzero = [i for i, row in enumerate(rows) if any(value != 0 for value in row[:-1])]
    if not nonzero or len(rows[0]) == 2:
        return nonzero[:1]
    f = rows[nonzero[0]]
    for b in nonzero[1:]:
        if f[0] * rows[b][1] != f[1] * rows[b][0]:
            return [nonzero[0], b]
    return nonzero[:1]


def restricted(problem: Problem) -> Problem | None:
    """A whole plane on which the first layer has rank one, as the whole line across it; None if the rank is zero.

    Along the other direction the network is constant: that direction is divided out.
    """
    rows = exact_first(problem, range(problem.widths[0]))
    for c in range(problem.dimension):
        if any(row[c] != 0 for row in rows):
            return problem._replace(basis=problem.basis[c : c + 1], basis_tail=problem.basis_tail[c : c + 1])
    return None


def bounded_start(vertices: Floats) -> Start:
    """The starting cell of a bounded domain with these corners (float64 (v, d), counter-clockwise for d = 2)."""
    d = vertices.shape[1]
    scale = 2.0 ** int(np.ceil(np.log2(np.abs(vertices).max())))
    corners = vertices / scale
    (flat,), exponent = as_integers(corners)
    one = 1 << max(exponent, 0)
    lift = 1 << max(-exponent, 0)
    rays = [(*(v * lift for v in flat[i * d : (i + 1) * d]), one) for i in range(len(corners))]
    if d == 1:
        walls: list[Any] = [(one, -rays[0][0]), (-one, rays[1][0])]
        scales = [one, one]
    else:
        walls = [cross(p, q) for p, q in zip(rays, rays[1:] + rays[:1], strict=True)]
        scales = [max(abs(value) for value in wall) for wall in walls]
    exact = [[Fraction(int(v), int(s)) for v in wall] for wall, s in zip(walls, scales, strict=True)]
    edges = np.array([[float(value) for value in wall] for wall in exact])
    rounded = [[abs(float(v)) * UNIT * (Fraction(float(v)) != v) for v in wall] for wall in exact]
    bounds = np.array([[sum(row[:-1]), row[-1]] for row in rounded]) * ROUND_UP
    ids = [-2 - i for i in range(len(walls))]
    return Start(
        chart=np.diag([scale] * d + [1.0]),
        edges=edges,
        edge_bounds=bounds,
        edge_ids=ids,
        corners=np.column_stack([corners, np.zeros(len(corners))]),
        infinite=[False] * len(corners),
        walls=[None, *walls],
        signs={},
    )


def typical_distance(forms: Floats, apex: Floats) -> float:
    """The length at which a chart draws its far rays: the median distance from the apex to other zero sets.

    Not much shorter than the apex is far from the origin, or rounding would blur the rays.
    """
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(forms[:, :-1], axis=1)
        distances = np.abs(forms[:, :-1] @ apex + forms[:, -1]) / norms
    usable = distances[np.isfinite(distances) & (distances > 0)]
    length = float(np.median(usable)) if usable.size else 1.0
    return max(length, 1e-4 * float(np.abs(apex).max()), 2.0**-500)


def cone_start(
    forms: Floats, bounds: Floats, rows: Sequence[int], signs: Sequence[bool], exact_rows: Sequence[Any]
) -> Start | None:
    """The cone on which the neurons `rows` of the first layer have `signs`, in its own chart.

    forms, bounds : the first layer in the domain's coordinates, float64 (n, k) and bounds of the entries.
    exact_rows : the exact forms of `rows` in the domain's coordinates.
    Returns None if numbers are so large or small that floats hold no chart in which the cone is bounded
    (decided in rationals).
    """
    d = len(rows)
    inward = [scaled(row, 1 if on else -1) for row, on in zip(exact_rows, signs, strict=True)]
    order = [1, 0] if d == 2 and cross(*inward)[2] < 0 else list(range(d))
    inward, neurons = [inward[i] for i in order], [rows[i] for i in order]
    (tip,) = exact_corners(inward) if d == 1 else [cross(*inward)]
    try:
        apex = np.array([float(Fraction(int(tip[c]), int(tip[-1]))) for c in range(d)])
    except OverflowError:
        return None
    turned = np.array([forms[rows[i]] * (1.0 if signs[i] else -1.0) for i in order])
    length = typical_distance(np.delete(forms, rows, axis=0), apex)
    with np.errstate(all="ignore"):
        units = turned[:, :-1] / np.abs(turned[:, :-1]).max(axis=1)[:, None]
        units = units / np.linalg.norm(units, axis=1)[:, None] * length
    if d == 1:
        rays = [np.array([units[0, 0], 0.0])]
    else:
        f, g = units
        rays = [np.array([g[1], -g[0], 0.0]), np.array([-f[1], f[0], 0.0])]
    end = np.append(apex, 1.0)
    # Columns: apex + x (ray_1 - apex) + y (ray_2 - apex); the last row is the form that is 1 on finite points.
    chart = np.column_stack([*(ray - end for ray in rays), end])
    moved, moved_bounds = in_chart(turned, bounds[neurons], chart)
    infinity = np.append(-np.ones(d), 1.0)
    edges, edge_bounds = np.vstack([moved, infinity]), np.vstack([moved_bounds, [0.0, 0.0]])
    if not (np.isfinite(chart).all() and np.isfinite(edges).all() and is_bounded_in(chart, inward)):
        return None
    return Start(
        chart=chart,
        edges=edges,
        edge_bounds=edge_bounds,
        edge_ids=[*neurons, -1],
        corners=corners_of(edges, edge_bounds),
        infinite=[True, False, True] if d == 2 else [False, True],
        walls=[infinity],
        signs={rows[i]: bool(signs[i]) for i in range(d)},
    )


def is_bounded_in(chart: Floats, inward: Sequence[Any]) -> bool:
    """Whether the cone of these exact inward forms has, in the chart, corners that are all finite and in order."""
    k = len(chart)
    (entries,), _ = as_integers(chart)
    moved = [tuple(sum((f[r] * entries[r * k + c] for r in range(k)), fmpz(0)) for c in range(k)) for f in inward]
    edges = [*moved, (*(fmpz(-1),) * (k - 1), fmpz(1))]
    corners = exact_corners(edges)
    if k == 2:
        return edges[0][0] > 0 and edges[1][0] < 0 and corners[0][0] < corners[0][1]
    return all(corner[2] > 0 for corner in corners)


def corners_of(edges: Floats, edge_bounds: Floats) -> Floats:
    """The corners between neighbouring edges, with their errors."""
    if edges.shape[1] == 2:
        return np.array([zero_of(*edge, *bound) for edge, bound in zip(edges, edge_bounds, strict=True)])
    return np.array(
        [meeting_point(*edges[i - 1], *edge_bounds[i - 1], *edges[i], *edge_bounds[i]) for i in range(len(edges))]
    )


def starts(problem: Problem) -> Iterator[Start | ExactStart]:
    """The starting cells of a domain; a whole space must have as many independent rows as dimensions."""
    if problem.vertices is not None:
        yield bounded_start(problem.vertices)
        return
    rows = independent_rows(problem)
    exact_rows = exact_first(problem, rows)
    first, bounds = first_forms(problem)
    for cell, signs in cone_cells(exact_rows):
        start = cone_start(first, bounds, rows, signs, exact_rows)
        yield start if start is not None else ExactStart(cell, dict(zip(rows, signs, strict=True)))


def workspace(problem: Problem, start: Start) -> Work:
    """A workspace with the root network in place and the starting cell on the stack."""
    d, widths = problem.dimension, problem.widths
    n_edges = len(start.edges)
    work = allocate(widths, d, max(16, 2 * n_edges))
    state = work.state
    first, bounds = first_forms(problem)
    root_network(work, problem, start.chart[-1], *in_chart(first, bounds, start.chart))
    work.cell_reals[CHILD, :n_edges] = np.column_stack([start.corners, start.edges, start.edge_bounds])
    work.cell_ints[CHILD, :n_edges, 0] = start.edge_ids
    work.cell_ints[CHILD, :n_edges, 1] = start.infinite
    for neuron, active in start.signs.items():
        work.row_ints[STATUS, neuron] = ACTIVE if active else INACTIVE
        if active:
            work.pattern[neuron >> 6] |= np.int64(np.uint64(1) << np.uint64(neuron & 63))
    # The first layer of a cone is shared by all cones, so its neurons are tallied outside (frontier.py).
    state[FRESH] = 0 if start.signs else 1
    push(work, n_edges, widths[0])
    return work


def root_network(work: Work, problem: Problem, infinity: Floats, forms: Floats, bounds: Floats) -> None:
    """Write the whole network as the first local network: nothing skipped, every coefficient above exact."""
    state, widths = work.state, problem.widths
    d = problem.dimension
    record, at = 0, 0
    ids_at = HEADER + FIELDS * len(widths)
    work.ints[record + LOWEST] = 0
    below = np.zeros((0, 2))
    for layer, rows in enumerate(widths):
        with np.errstate(over="ignore", invalid="ignore"):
            if layer == 0:
                forms_nk, errors, coupling = forms, bounds, np.zeros((0, rows))
                sizes = np.column_stack([np.abs(forms[:, :d]).sum(axis=1), np.abs(forms[:, d])])
            else:
                bias, coupling = problem.biases[layer], problem.weights[layer].T
                forms_nk, errors = bias[:, None] * infinity[None, :], np.zeros((rows, 2))
                # Exact: the form of infinity has entries 0, 1 and -1 only.
                sizes = np.column_stack([np.abs(forms_nk[:, :d]).sum(axis=1), np.abs(forms_nk[:, d])])
                sizes = sizes + np.abs(coupling.T) @ below
            sizes = (sizes + errors) * ROUND_UP
            sizes = np.where(sizes > 0, sizes + UNDERFLOW, sizes)
        # A product of two tiny numbers may underflow to an exact zero, which would be taken for one.
        if layer and below.any():
            reached = (np.abs(coupling.T).sum(axis=1) > 0)[:, None] & np.any(below > 0, axis=0)[None, :]
            sizes = np.where(reached, sizes + UNDERFLOW, sizes)
        base = HEADER + FIELDS * layer
        work.ints[base + ROWS] = rows
        work.ints[base + FIRST] = max(layer - 1, 0)
        work.ints[base + IDS] = ids_at
        work.ints[ids_at : ids_at + rows] = np.arange(rows)
        ids_at += rows
        for name, block in ((FORMS, forms_nk.T), (ERRORS, errors.T), (SIZES, sizes.T), (COUPLING, coupling)):
            work.ints[base + name] = at
            work.reals[at : at + block.size] = np.ascontiguousarray(block).ravel()
            at += block.size
        below = sizes
    state[NETWORK], state[REALS_TOP], state[INTS_TOP] = record, at, ids_at
