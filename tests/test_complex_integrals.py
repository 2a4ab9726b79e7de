"""Moments and Gaussian probabilities: closed forms, and a second way for each."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from creases import Box, Network, build, subdivide
from creases.complex.integrals import gaussian_probabilities, moments, simplices_with_volumes
from creases.errors import DomainError
from some_complexes import complex_of


@pytest.mark.parametrize(
    "name", ["segment", "square", "polygon in a plane", "cube", "graph in a cube", "whole numbers in a cube"]
)
def test_simplices_fill_the_cells(name):
    cells = complex_of(name)
    pieces = simplices_with_volumes(cells)
    sums = np.bincount(pieces.cells, pieces.volumes, len(cells))
    assert sums == pytest.approx(cells.volumes, rel=1e-6, abs=1e-9 * cells.volumes.max())


@pytest.mark.parametrize("name", ["segment", "square", "polygon in a plane", "cube", "graph in a cube"])
def test_moments_against_those_of_cells(name):
    """The mean of an affine function is its value at the centroid; the variance by points."""
    cells = complex_of(name)
    found = moments(cells)
    centres = cells.network.forward(cells.domain.slice.points(cells.centroids))
    assert found.volume == pytest.approx(cells.volumes.sum())
    assert found.mean == pytest.approx(cells.volumes @ centres / cells.volumes.sum(), rel=1e-6, abs=1e-9)
    rng = np.random.default_rng(0)
    pieces = simplices_with_volumes(cells)
    chosen = rng.choice(len(pieces.volumes), 40_000, p=pieces.volumes / pieces.volumes.sum())
    weights = rng.dirichlet(np.ones(pieces.corners.shape[1]), len(chosen))
    points = np.einsum("sa,sad->sd", weights, cells.vertices[pieces.corners[chosen]])
    outputs = cells.network.forward(cells.domain.slice.points(points))
    spread = np.atleast_2d(np.cov(outputs.T))
    assert found.covariance == pytest.approx(spread, rel=0.06, abs=0.02 * np.abs(spread).max())


def test_moments_of_known_functions():
    """x on [0, 1] has the variance 1/12, and a constant beside it none."""
    x = build.input(1)
    line = build.network(build.concatenate([build.relu(x), build.scale(x, 0.0)]))
    found = moments(subdivide(line, Box([0], [1])))
    assert found.mean == pytest.approx([0.5, 0.0])
    assert found.covariance == pytest.approx(np.array([[1 / 12, 0.0], [0.0, 0.0]]), abs=1e-15)


def test_a_small_variance_beside_a_large_mean_keeps_its_digits():
    shifted = build.network(build.shift(build.relu(build.input(1)), [1e8]))
    found = moments(subdivide(shifted, Box([0], [1])))
    assert found.covariance[0, 0] == pytest.approx(1 / 12, rel=1e-6)


@pytest.mark.parametrize("name", ["line", "plane"])
def test_probabilities_of_a_whole_space_add_up_to_one(name):
    cells = complex_of(name)
    d = cells.dimension
    mean, root = np.arange(1.0, d + 1), np.eye(d) + 0.3
    each = gaussian_probabilities(cells, mean, root @ root.T)
    assert (each >= -1e-15).all()
    assert each.sum() == pytest.approx(1.0, abs=1e-12)
    points = np.random.default_rng(0).multivariate_normal(mean, root @ root.T, 20_000)
    shares = np.bincount(cells.locate(points), minlength=len(cells)) / len(points)
    assert each == pytest.approx(shares, abs=0.015)


def test_probabilities_on_a_line():
    cells = subdivide(Network.he([1, 8, 1]), Box([-3], [40]))
    ends = cells.intervals()
    each = gaussian_probabilities(cells, [0.5], [[4.0]])
    assert each == pytest.approx(norm.cdf(ends[:, 1], 0.5, 2.0) - norm.cdf(ends[:, 0], 0.5, 2.0), abs=1e-14)


def test_small_tails_keep_their_digits():
    cells = subdivide(Network.from_arrays([[[1.0]]], [[-11.0]], output_layer=False), Box([10], [12]))
    assert gaussian_probabilities(cells) == pytest.approx(
        [norm.sf(10) - norm.sf(11), norm.sf(11) - norm.sf(12)], rel=1e-12
    )


@pytest.mark.parametrize("low", [(-1.0, -1.0), (0.0, 0.0), (0.5, -2.0), (-3.0, 1.0)])
def test_probabilities_of_rectangles(low):
    low = np.array(low)
    high = low + np.array([1.0, 2.0])
    one = Network.from_arrays([[[1.0, 0.0]]], [[-low[0] - 0.25]], output_layer=False)
    cells = subdivide(one, Box(low, high))
    covariance = np.array([[1.0, 0.4], [0.4, 2.0]])
    normal = multivariate_normal([0.2, -0.1], covariance)
    expected = normal.cdf(high, lower_limit=low)
    assert gaussian_probabilities(cells, [0.2, -0.1], covariance).sum() == pytest.approx(expected, abs=1e-7)


def test_bad_input():
    with pytest.raises(DomainError, match="has no finite volume"):
        moments(complex_of("plane"))
    with pytest.raises(DomainError, match="on lines, and in planes"):
        gaussian_probabilities(complex_of("cube"))
    with pytest.raises(ValueError, match="positive definite"):
        gaussian_probabilities(complex_of("square"), None, [[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="must be of shape"):
        gaussian_probabilities(complex_of("square"), [0.0])
