"""Stored corners compared with exact ones: equal in number and order, close enough, and each edge on an existing
line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.auditing.cells import INFINITY, ExactCell
from creases.auditing.forms import Form

__all__ = ["TOLERANCE", "Comparison", "compare", "size_of"]

# The largest allowed distance of a stored corner from the exact one, relative to the size of the domain. Corners are
# computed in floats from rounded forms; a wrong corner is off by far more.
TOLERANCE = 1e-9
LARGEST_FLOAT = sys.float_info.max


class Comparison(NamedTuple):
    """For one cell: the largest deviation of a corner, relative to the size, and what is wrong, or None."""

    deviation: float
    wrong: str | None


def as_float(above: Any, below: Any) -> float:
    """The float nearest to a fraction, or the largest float if the fraction exceeds it."""
    try:
        return int(above) / int(below)
    except OverflowError:
        return LARGEST_FLOAT if (above > 0) == (below > 0) else -LARGEST_FLOAT


def place(ray: Form) -> NDArray[np.float64]:
    """A ray as `Complex.corners` stores it: a point, or a direction of length one."""
    *u, w = ray
    if w:
        return np.array([as_float(value, w) for value in u])
    longest = max(abs(value) for value in u)
    direction = np.array([as_float(value, longest) for value in u])
    return np.asarray(direction / np.linalg.norm(direction))


def size_of(cell: ExactCell, vertices: NDArray[np.float64] | None) -> float:
    """The length relative to which deviations are measured: the largest coordinate of the domain's corners.

    For an unbounded domain it is the largest coordinate of the cell's own corners, at least one.
    """
    if vertices is not None:
        return float(np.abs(vertices).max())
    return max([1.0, *(float(np.abs(place(ray)).max()) for ray in cell.corners if ray[-1])])


def compare(
    cell: ExactCell,
    corners: NDArray[np.float64],
    at_infinity: NDArray[np.bool_],
    edges: NDArray[np.int64],
    size: float,
    bits: int,
) -> Comparison:
    """Compare a cell's v stored rows (see `Complex`) with the exact cell; they may begin at any corner.

    bits : the number of bits of a pattern, which determines the meaning of ids.
    """
    count = len(cell.corners)
    if len(corners) != count:
        return Comparison(0.0, f"{len(corners)} corners are stored where the exact cell has {count}")
    infinite = np.array([not ray[-1] for ray in cell.corners])
    exact = np.array([place(ray) for ray in cell.corners])
    results = []
    for turn in range(count if corners.shape[1] == 2 else 1):
        order = np.roll(np.arange(count), turn)
        with np.errstate(all="ignore"):  # anything beyond the largest float is too far
            if cell.normal is None:
                distances = np.abs(corners[order] - exact).max(axis=1)
            else:
                distances = strip_distances(cell, exact, corners[order], infinite)
        distances = np.where(infinite, distances, distances / size)
        distances[(at_infinity[order] != infinite) | ~np.isfinite(distances)] = np.inf
        lost = [i for i in range(count) if int(edges[order[i]]) not in cell.edges[i]]
        results.append((not distances.max() <= TOLERANCE, len(lost), distances.max(), distances, order, lost))
    # All corners of a tiny cell may be close to one another: then the edges show at which corner the rows begin.
    moved, _, deviation, distances, order, lost = min(results, key=lambda result: result[:3])
    if moved:
        return Comparison(float(deviation), told(distances, order, at_infinity, infinite))
    if lost:
        stored, true = int(edges[order[lost[0]]]), sorted(cell.edges[lost[0]], reverse=True)
        known = f"the edge from corner {order[lost[0]]} is stored as {named(stored, bits)}"
        wrong = f"{known}, but there it is {named(true[0], bits)}"
        return Comparison(float(deviation), wrong)
    return Comparison(float(deviation), None)


def told(
    distances: NDArray[np.float64],
    order: NDArray[np.int64],
    at_infinity: NDArray[np.bool_],
    infinite: NDArray[np.bool_],
) -> str:
    """The corner with the largest deviation, in words."""
    worst = int(np.argmax(distances))
    corner = int(order[worst])
    if at_infinity[corner] != infinite[worst]:
        stored, true = ("at infinity", "finite") if at_infinity[corner] else ("finite", "at infinity")
        return f"corner {corner} is stored as {stored}, but the exact one is {true}"
    if infinite[worst]:
        return f"the direction of corner {corner} is {distances[worst]:.2g} off, and {TOLERANCE:g} is allowed"
    return f"corner {corner} lies {distances[worst]:.2g} from the exact one, and {TOLERANCE:g} is allowed"


def strip_distances(
    cell: ExactCell, exact: NDArray[np.float64], corners: NDArray[np.float64], infinite: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The distances of a strip's stored directions and side points from the exact directions and sides.

    A side may be given by any of its points, and a missing side by any direction towards it. If all points of a side
    exceed the largest float, none can be stored, and the distance is the largest float.
    """
    normal = place(cell.normal) if cell.normal is not None else exact[1]
    distances = np.abs(corners - exact).max(axis=1)
    for i, outward in ((1, 1.0), (3, -1.0)):
        if infinite[i]:
            distances[i] = 0.0 if outward * float(corners[i] @ normal) > 0 else np.inf
        elif np.abs(exact[i]).max() == LARGEST_FLOAT:
            distances[i] = 0.0 if np.abs(corners[i]).max() == LARGEST_FLOAT else np.inf
        else:
            distances[i] = abs(float((corners[i] - exact[i]) @ normal))
    return np.asarray(distances)


def on_what(ids: Iterable[int], bits: int) -> str:
    """The ids of an edge in words."""
    neurons = ", ".join(f"{name:,}" for name in sorted(ids) if name < bits)
    pairs = [named(name, bits) for name in sorted(ids) if name >= bits]
    return " and ".join([*([f"neuron {neurons}"] if neurons else []), *pairs])


def named(name: int, bits: int) -> str:
    """One id of an edge in words. bits : the number of bits of a pattern."""
    if name == INFINITY:
        return "infinity"
    if name >= bits > 0:
        further, one = divmod(name, bits)
        return f"candidates {one} and {one + further - 1}"
    return f"neuron {name}" if name >= 0 else f"edge {-2 - name} of the domain"
