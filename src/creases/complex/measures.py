"""The length and the points of the strata of a Complex, in the units of input space."""

from __future__ import annotations

import numpy as np

from creases.complex.complex import Complex
from creases.complex.faults import refuse_ball
from creases.errors import ComputationError, DomainError

__all__ = ["boundary_length", "crossings"]


def boundary_length(complex: Complex) -> float:
    """The length of the stratum k = 1 on a bounded piece of a plane: the set where a neuron vanishes.

    Each edge bounds two cells, and half its length is counted in each. On a line the stratum is a set of points: see
    `crossings`. Raises DomainError unless the domain is bounded, has two dimensions and is not a Ball.
    """
    check(complex, 2)
    after = following(complex)
    edges = (complex.corners[after] - complex.corners)[complex.edges >= 0]
    return float(np.linalg.norm(edges @ complex.domain.slice.basis, axis=1).sum() / 2.0)


def crossings(complex: Complex) -> int:
    """The number of points of the stratum k = d, at which as many neurons vanish as the domain has dimensions.

    On a line these are the ends of cells at neurons, with two cells each; in a plane, the corners between two neurons'
    edges, with four cells each. Raises DomainError unless the domain is bounded and not a Ball; ComputationError if
    more than two neurons, or three candidates of a switch, meet in a point.
    """
    check(complex, complex.dimension)
    own = complex.edges >= 0
    if complex.dimension == 1:
        return int(own.sum()) // 2
    before = np.empty_like(complex.edges)
    before[following(complex)] = complex.edges
    inside = own & (before >= 0)
    pairs, places = np.sort(np.stack([before[inside], complex.edges[inside]]), axis=0), complex.corners[inside]
    if (heaps(pairs, places) % 4).any():
        raise ComputationError(
            "More than two neurons vanish in one point of this complex, so its corners do not come in fours; or three "
            "candidates of a switch are equal there. Move the biases a little, or count on a line."
        )
    return int(inside.sum()) // 4


def heaps(pairs: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The number of corners at each point: four if two neurons meet, two for each pair if three do.

    pairs : (2, c), the neurons at a corner, in order. places : (c, 2). Stored corners are within 1e-9 of the true ones,
        relative to the largest coordinate; corners of one pair that are closer are the same point.
    """
    across = places @ np.array([1.0, 0.6180339887])  # along it, different points are rarely equal
    order = np.lexsort((across, *pairs))
    near = 1e-8 * np.abs(places).max(initial=0.0)
    new = (np.diff(pairs[:, order], axis=1) != 0).any(axis=0) | (np.diff(across[order]) > near)
    return np.diff(np.concatenate([[0], np.flatnonzero(new) + 1, [len(across)]]))


def following(complex: Complex) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each corner, the next one around its cell."""
    after = np.arange(1, len(complex.corners) + 1)
    after[complex.first[1:] - 1] = complex.first[:-1]
    return after


def check(complex: Complex, dimension: int) -> None:
    """Raise DomainError unless the complex is bounded, has one or two dimensions, has this dimension, and is not on a
    Ball."""
    refuse_ball(complex.domain, "Measures of boundaries")
    if complex.dimension != dimension or not complex.is_flat or complex.at_infinity.any():
        raise DomainError(
            f"{complex.domain!r} is no bounded domain of {min(dimension, 2)} dimensions. Cut a square or a segment; "
            "Complex.strata() measures in more dimensions."
        )
