"""Random points of a domain, exactly: uniform if it is bounded, near and far if it is not.

In an unbounded domain each coordinate is a Cauchy number times the median distance from the slice's origin to the zero
sets of the first layer. So half of the points lie where most regions are, and the others farther out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from creases.auditing.cells import well_inside
from creases.auditing.corners import as_float
from creases.auditing.forms import ExactNetwork, Form, Point
from creases.domain import Domain, Polyline, Polytope, Simplex
from creases.domain.polytope import in_order
from creases.exact_levels import over_one_denominator

__all__ = ["corners_of", "middle", "random_points"]

# Barycentric coordinates are integers whose sum is this number.
FINE = 2**40


def corners_of(domain: Domain) -> NDArray[np.float64] | None:
    """A domain's corners in its own coordinates, in order and rounded, shape (v, d); None if it is unbounded.

    A path has no corners of its own.
    """
    if isinstance(domain, (Simplex, Polytope)):
        return np.array([[as_float(x, ray[-1]) for x in ray[:-1]] for ray in in_order(domain.corners).rays])
    return None if isinstance(domain, Polyline) else domain.vertices


def middle(vertices: NDArray[np.float64] | None, dimension: int) -> Point:
    """A point strictly inside the domain with these corners (None: unbounded), in an open region."""
    if vertices is None:
        return well_inside((*[fmpz(0)] * dimension, fmpz(1)))
    return well_inside(combination(vertices, [1] * len(vertices)))


def random_points(
    network: ExactNetwork, vertices: NDArray[np.float64] | None, count: int, rng: np.random.Generator
) -> Iterator[Point]:
    """`count` points strictly inside the domain with these corners (None: unbounded)."""
    if vertices is None:
        scale = typical_distance(network)
        for _ in range(count):
            u = np.clip(scale * rng.standard_cauchy(network.dimension), -1e300, 1e300)
            (flat,), w = over_one_denominator(u)
            yield well_inside((*map(fmpz, flat), fmpz(w)))
        return
    # A convex polygon is divided into triangles at its first corner; a segment is a single simplex.
    d = network.dimension
    simplices = [vertices] if d == 1 else [vertices[[0, i, i + 1]] for i in range(1, len(vertices) - 1)]
    sizes = np.array([abs(np.linalg.det((simplex[1:] - simplex[0]) / np.abs(vertices).max())) for simplex in simplices])
    for i in rng.choice(len(simplices), size=count, p=sizes / sizes.sum()):
        # The gaps between sorted uniform numbers are uniform in a simplex; none is zero, so the point is in the
        # interior.
        marks = np.sort(rng.integers(1, FINE, size=d) + np.arange(d))
        gaps = np.diff(marks, prepend=0, append=FINE + d)
        yield well_inside(combination(simplices[i], np.maximum(gaps, 1).tolist()))


def combination(vertices: NDArray[np.float64], weights: list[int]) -> Form:
    """A weighted mean of points, as a ray."""
    (flat,), w = over_one_denominator(vertices)
    d = vertices.shape[1]
    total = [sum((fmpz(flat[i * d + c]) * weight for i, weight in enumerate(weights)), fmpz(0)) for c in range(d)]
    return (*total, fmpz(w) * sum(weights))


def typical_distance(network: ExactNetwork) -> float:
    """The median distance from the origin to the zero sets of the first layer; one if there are none."""
    distances = []
    for *gradient, constant in network.first_forms():
        length = math.isqrt(sum(int(value) ** 2 for value in gradient))
        if length and constant:
            distances.append(as_float(abs(constant), length))
    return float(np.median(distances)) if distances else 1.0
