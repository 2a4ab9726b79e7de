"""Integrals of outputs over a complex: moments under the uniform distribution, and probabilities under a Gaussian one.

An output is affine on each cell, so its integral over a simplex is the mean of its values at the corners times the
volume, and the integral of a product of two is V / ((k + 1)(k + 2)) (sum_a f_a sum_b g_b + sum_a f_a g_a). Cells are
cut into simplices by their corners alone. All is float64: corners are within 1e-9 of the true ones
(`Complex.corners`), and nothing else is approximated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.faults import refuse_ball
from creases.complex.triangulation import simplex_volumes, simplices_of
from creases.complex.volumes import lengths_of
from creases.domain import Directions
from creases.errors import DomainError

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["Moments", "gaussian_probabilities", "moments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Moments(NamedTuple):
    """Moments of the outputs for inputs that are uniform on a domain.

    volume : the d-volume of the domain in the units of input space.
    mean : float64 (n_out,). covariance : float64 (n_out, n_out).
    """

    volume: float
    mean: Floats
    covariance: Floats


class Pieces(NamedTuple):
    """The simplices of all cells. corners : int64 (simplices, d + 1), rows of `Complex.vertices`. volumes : float64
    (simplices,), in the units of input space. cells : int64 (simplices,), the cell of each."""

    corners: Ints
    volumes: Floats
    cells: Ints


def check_bounded(complex: Complex) -> None:
    """Raise DomainError unless the domain is bounded and no Ball."""
    refuse_ball(complex.domain, "Integrals over cells")
    if isinstance(complex.domain, Directions) or complex.at_infinity.any() or len(complex.lineality):
        raise DomainError(
            f"{complex.domain!r} has no finite volume. Take a bounded domain, like Box or Plane.square; probabilities "
            "under a Gaussian distribution need none."
        )


def simplices_with_volumes(complex: Complex) -> Pieces:
    """The simplices that the cells of a bounded complex are cut into."""
    check_bounded(complex)
    if complex.dimension <= 2 and complex.is_flat:
        corners, cells = fans(complex)
    else:
        lattice = complex._lattice
        *_, last = simplices_of(lattice, [np.ones(len(level), np.bool_) for level in lattice.levels])
        corners, cells = last.vertices, last.owners
    places = complex.vertices @ lengths_of(complex)
    return Pieces(corners, simplex_volumes(places[corners]), cells)


def fans(complex: Complex) -> tuple[Ints, Ints]:
    """Intervals as they are, and polygons as triangles from their first corner on: vertices, and cells."""
    numbers, d = complex.vertex_numbers, complex.dimension
    sizes = np.diff(complex.first)
    many = sizes - d
    cells = np.repeat(np.arange(len(complex)), many)
    step = np.arange(len(cells)) - np.repeat(np.cumsum(many) - many, many)
    first = complex.first[cells]
    return np.column_stack([numbers[first], *(numbers[first + step + k] for k in range(1, d + 1))]), cells


def moments(complex: Complex) -> Moments:
    """The mean and the covariance of the outputs for inputs that are uniform on a bounded domain.

    Raises DomainError if the domain is not bounded, or is a Ball.

    Examples
    --------
    >>> from creases import Box, build, subdivide
    >>> bent = build.network(build.abs(build.input(1)))  # |x| on [-1, 1]
    >>> found = moments(subdivide(bent, Box([-1], [1])))
    >>> found.volume, found.mean, found.covariance.round(6)
    (2.0, array([0.5]), array([[0.083333]]))
    """
    pieces = simplices_with_volumes(complex)
    outputs = complex.network.forward(complex.domain.slice.points(complex.vertices))
    k = pieces.corners.shape[1]
    # About a value in the middle, so that a variance far smaller than the mean keeps its digits.
    middle = outputs.mean(axis=0)
    values = (outputs - middle)[pieces.corners]
    sums = values.sum(axis=1)
    volume = float(pieces.volumes.sum())
    mean = pieces.volumes @ sums / k / volume
    weighted = values * pieces.volumes[:, None, None]
    squares = sums.T @ (sums * pieces.volumes[:, None]) + np.einsum("sai,saj->ij", weighted, values)
    covariance = squares / (k * (k + 1)) / volume - np.outer(mean, mean)
    return Moments(volume, middle + mean, covariance)


def gaussian_probabilities(
    complex: Complex, mean: ArrayLike | None = None, covariance: ArrayLike | None = None
) -> Floats:
    """The probability of each cell if slice coordinates have a Gaussian distribution, float64 (cells,), d = 1 or 2.

    mean : (d,), zeros if None. covariance : (d, d), positive definite; the identity if None.
    On a line they are differences of the distribution function. In the plane a polygon is a sum of triangles from the
    mean, each of which is an angle and two values of Owen's function T (Owen 1956). Unbounded cells are allowed.
    Raises DomainError unless d is 1 or 2, on a Ball, on `Directions`, and if a line lies in every cell; ValueError if
    `mean` or `covariance` does not fit.

    Examples
    --------
    >>> from creases import Network, Space, subdivide
    >>> network = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    >>> gaussian_probabilities(subdivide(network, Space(2)))
    array([0.25, 0.25, 0.25, 0.25])
    """
    d = complex.dimension
    refuse_ball(complex.domain, "Probabilities of cells")
    if d > 2 or isinstance(complex.domain, Directions) or len(complex.lineality):
        raise DomainError(
            "Gaussian probabilities are computed on lines, and in planes whose cells contain no line; got "
            f"{complex!r}. Take a slice, or a Box."
        )
    centre = np.zeros(d) if mean is None else np.asarray(mean, np.float64)
    spread = np.eye(d) if covariance is None else np.asarray(covariance, np.float64)
    if centre.shape != (d,) or spread.shape != (d, d):
        raise ValueError(f"mean must be of shape ({d},) and covariance ({d}, {d}); got {centre.shape}, {spread.shape}.")
    try:
        root = np.linalg.cholesky(spread)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"covariance must be symmetric and positive definite; got {spread.tolist()}.") from error
    far = complex.at_infinity
    places = np.linalg.solve(root, (complex.corners - np.where(far[:, None], 0.0, centre)).T).T
    return of_intervals(complex.first, places, far) if d == 1 else of_polygons(complex.first, places, far)


def of_intervals(first: Ints, places: Floats, far: NDArray[np.bool_]) -> Floats:
    """Probabilities of intervals under the standard normal distribution."""
    from scipy.special import ndtr

    ends = np.sort(np.where(far, np.copysign(np.inf, places[:, 0]), places[:, 0]).reshape(-1, 2), axis=1)
    # Both ends on the right: the small tails are subtracted, and not numbers near one.
    right = ends[:, 0] > 0
    low, high = np.where(right, -ends[:, 1], ends[:, 0]), np.where(right, -ends[:, 0], ends[:, 1])
    return np.asarray(ndtr(high) - ndtr(low))


def of_polygons(first: Ints, places: Floats, far: NDArray[np.bool_]) -> Floats:
    """Probabilities of polygons, counter-clockwise, under the standard normal distribution of the plane."""
    after = np.arange(1, len(places) + 1)
    after[first[1:] - 1] = first[:-1]
    begin, end = places, places[after]
    step = np.where(far[after][:, None], end, end - begin)
    step = np.where(far[:, None], np.where(far[after][:, None], 0.0, -begin), step)
    # An edge at infinity is the angle between two directions; of a finite one's line the foot is nearest to the mean.
    near = np.where(far[:, None], end, begin)
    length = np.hypot(*step.T)
    along = step / np.where(length > 0.0, length, 1.0)[:, None]
    height = near[:, 0] * along[:, 1] - near[:, 1] * along[:, 0]
    starts = np.where(far, -np.inf, (begin * along).sum(axis=1))
    ends = np.where(far[after], np.inf, (end * along).sum(axis=1))
    infinite = far & far[after]
    return np.add.reduceat(np.where(infinite, angle(begin, end), triangles(height, starts, ends)), first[:-1])


def angle(begin: Floats, end: Floats) -> Floats:
    """The angle from one direction to another, counter-clockwise, as a part of the full turn."""
    across = begin[:, 0] * end[:, 1] - begin[:, 1] * end[:, 0]
    return np.asarray(np.arctan2(across, (begin * end).sum(axis=1)) / (2.0 * np.pi))


def triangles(height: Floats, starts: Floats, ends: Floats) -> Floats:
    """The signed probability of the triangle from the mean to a part of a line.

    height : the distance of the line from the mean, positive if the part is counter-clockwise about it. starts, ends :
    where the part begins and ends on the line, from the foot of the mean.
    """
    from scipy.special import owens_t

    distance = np.abs(height)
    with np.errstate(divide="ignore", invalid="ignore"):
        tangents = [np.where(distance > 0.0, at / distance, np.copysign(np.inf, at)) for at in (starts, ends)]
    parts = [np.arctan(tangent) / (2.0 * np.pi) - owens_t(distance, tangent) for tangent in tangents]
    return np.where(distance > 0.0, np.sign(height) * (parts[1] - parts[0]), 0.0)
