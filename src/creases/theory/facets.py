"""The number of facets of an input's region in the full input space: the number of its walls that are not redundant.

The region of a point is the set where all heights h_i + g_i . y keep their signs. A wall is a facet if and only if some
points beyond it satisfy all other constraints. This is a linear program for each wall, and it can be kept small by
using facets only (Clarkson 1994, More output-sensitive geometric algorithms). If no point beyond a wall satisfies the
constraints of the facets found so far, the wall is redundant. Otherwise, the first wall on the way from the input to
such a point is a facet that had not been found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import ComputationError, NetworkError
from creases.memory import enough_memory
from creases.network import Network
from creases.theory.arguments import whole
from creases.theory.distances import LESS, as_rows
from creases.theory.forms import Walk, all_directions

__all__ = ["region_facets"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = tuple[Floats, Floats]  # unit normals (w, k) and distances (w,): the region is where normals @ y + distances >= 0

# Walls are equal if their normals and distances differ by less than this, in units of the distance.
EQUAL = 1e-9
# A wall is a facet if the region without it extends this far beyond it, in units of the distance to the nearest wall.
LEFT = 1e-7
# A linear program searches up to this distance beyond a wall, so that it is bounded.
BEYOND = 1.0
# Solvers and their tolerances, in the order in which they are tried, because a solver may fail.
SOLVERS = (("highs-ds", 1e-9), ("highs-ds", 1e-7), ("highs-ipm", 1e-8))


def region_facets(network: Network, points: ArrayLike, *, processes: int | None = None) -> Ints:
    """The number of facets of each point's activation region, as a polyhedron in the full input space.

    network : any network, a chain or a graph. Facets lie on walls of neurons, clips and switches; walls that coincide
        count once. A region that is the whole space has no facets.
    points : shape (..., n_in) or (..., *input_shape).
    processes : number of processes that share the points; None means the current one only. Processes are started with
        "spawn", so scripts must guard their main part.
    Returns int64 (...). The linear programs are solved in floating-point arithmetic by HiGHS, so the numbers are not
    certified: a facet may be missed if it extends beyond the other walls by less than 1e-7 of the distance to the
    nearest wall, and walls that nearly coincide may be counted once. If the regions can be listed, `Complex.sides` has
    proved facets.
    Raises NetworkError if the points do not fit the network, if one lies on a wall, or if processes is not a positive
    integer; NotEnoughMemoryError if the derivatives do not fit into memory; ComputationError if a linear program is not
    solved.
    Source: Clarkson 1994 for the linear programs.

    Examples
    --------
    >>> walls = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> network = Network.from_arrays([walls], [[1.0, -1.0, 1.0, 9.0]], output_layer=False)
    >>> region_facets(network, [[0.0, 0.0], [5.0, 0.0]])
    array([3, 2])
    """
    flat, shape = as_rows(network, points)
    count = None if processes is None else whole(processes, "processes", 1)
    with enough_memory("Facets of regions", LESS):
        rows = walls_at(network, flat)
        if count is None or count == 1 or len(flat) < 2:
            counts = [facets_of(some) for some in rows]
        else:
            # A fork would copy the threads of compiled kernels in an invalid state.
            with ProcessPoolExecutor(count, get_context("spawn")) as pool:
                counts = list(pool.map(facets_of, rows, chunksize=max(1, len(flat) // (8 * count))))
    return np.array(counts, np.int64).reshape(shape)


def walls_at(network: Network, points: Floats) -> Iterator[Rows]:
    """The walls of each point's region, without repetitions."""
    walk = Walk(network, all_directions(network, euclidean=True))
    k = len(walk.directions)
    for begin in range(0, len(points), walk.at_a_time):
        some = points[begin : begin + walk.at_a_time]
        normals, distances = [np.zeros((len(some), 0, k))], [np.zeros((len(some), 0))]
        for forms in walk.at(some):
            for heights, gradients, lengths in forms.walls():
                with np.errstate(divide="ignore", invalid="ignore"):
                    away = np.where(lengths > 0, np.abs(heights) / lengths, np.inf)
                    units = gradients / lengths[:, None, :] * np.where(heights < 0, -1.0, 1.0)[:, None, :]
                normals.append(np.swapaxes(np.broadcast_to(units, (len(some), k, heights.shape[1])), 1, 2))
                distances.append(away)
        for i, (mine, away) in enumerate(zip(np.concatenate(normals, 1), np.concatenate(distances, 1), strict=True)):
            if (away == 0).any():
                raise NetworkError(
                    f"Point {begin + i} lies on a boundary, so it is in no region. Move it a little, or leave it out."
                )
            yield each_once(mine[np.isfinite(away)], away[np.isfinite(away)])


def each_once(normals: Floats, distances: Floats) -> Rows:
    """The walls, nearest first, without repetitions."""
    order = np.argsort(distances, kind="stable")
    normals, distances = normals[order], distances[order]
    kept: list[int] = []
    for i in range(len(distances)):
        first = int(np.searchsorted(distances, distances[i] * (1.0 - EQUAL)))
        near = kept[bisect_left(kept, first) :]
        if not (np.abs(normals[i] - normals[near]).max(axis=1) <= EQUAL).any():
            kept.append(i)
    return normals[kept], distances[kept]


def facets_of(rows: Rows) -> int:
    """The number of facets among the walls around zero, which are sorted by distance."""
    normals, distances = rows
    if not len(distances):
        return 0
    distances = distances / distances[0]
    is_facet = np.zeros(len(distances), np.bool_)
    is_facet[0] = True  # the foot of the perpendicular to the nearest wall lies on no other wall
    open_walls = list(range(1, len(distances)))
    while open_walls:
        wall = open_walls[-1]
        place = beyond(normals, distances, np.flatnonzero(is_facet), wall)
        if place is None:
            open_walls.pop()
            continue
        first = first_on_the_way(normals, distances, place)
        if first is None or is_facet[first]:  # rounding made this undecidable: compare the wall with all others
            others = np.delete(np.arange(len(distances)), wall)
            is_facet[wall] = beyond(normals, distances, others, wall) is not None
            open_walls.pop()
        else:
            is_facet[first] = True
            open_walls.remove(first)
    return int(is_facet.sum())


def first_on_the_way(normals: Floats, distances: Floats, place: Floats) -> int | None:
    """The first wall on the way from zero to a point; None if there are several, which need not be facets."""
    along = normals @ place
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(along < 0, distances / -along, np.inf)
    first = int(shares.argmin())
    return first if (shares <= shares[first] * (1.0 + LEFT)).sum() == 1 else None


def beyond(normals: Floats, distances: Floats, others: Ints, wall: int) -> Floats | None:
    """A point beyond a wall, by at most one unit, that satisfies the constraints of the other walls; None if there is
    none."""
    from scipy.optimize import linprog

    rows = np.append(others, wall)
    for method, tolerance in SOLVERS:
        answer = linprog(
            normals[wall],
            A_ub=-normals[rows],
            b_ub=distances[rows] + np.where(rows == wall, BEYOND, 0.0),
            bounds=(None, None),
            method=method,
            options={"primal_feasibility_tolerance": tolerance, "dual_feasibility_tolerance": tolerance},
        )
        if answer.status == 0:
            return np.asarray(answer.x) if answer.fun + distances[wall] < -LEFT else None
    raise ComputationError(f"HiGHS did not solve a program for a facet: {answer.message}")
