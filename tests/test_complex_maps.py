"""Affine maps, gradient norms and half-spaces of all cells at once: as those of one cell, and as the network itself."""

import numpy as np
import pytest
from scipy.sparse import random_array

from complex_cases import case_of, corners_of, hidden
from creases import (
    AveragePool,
    Box,
    Conv,
    Dense,
    Directions,
    Level,
    Linear,
    Max,
    Network,
    NetworkError,
    Plane,
    ReLU,
    Segment,
    Select,
    Sparse,
    subdivide,
)
from creases.complex import maps
from creases.complex.half_spaces import half_spaces
from creases.complex.skeleton import sides_of
from networks import random_network

SQUARE = Box([-1, -1], [1, 1])


def check_maps(cells):
    """Each map is that of its pattern, and takes an interior point where the network does."""
    network, sliced = cells.network, cells.domain.slice
    found, restricted = maps.affine_maps(cells), maps.affine_maps_in_slice(cells)
    assert found.matrices.shape == (len(cells), network.n_out, network.n_in)
    assert restricted.matrices.shape == (len(cells), network.n_out, cells.dimension)
    size = 1 + np.abs(found.matrices).max() + np.abs(found.offsets).max()
    for i in range(len(cells)):
        matrix, offset = cells.affine_map(i)
        np.testing.assert_allclose(found.matrices[i], matrix, rtol=1e-9, atol=1e-12 * size)
        np.testing.assert_allclose(found.offsets[i], offset, rtol=1e-9, atol=1e-12 * size)
    np.testing.assert_allclose(restricted.matrices, found.matrices @ sliced.basis.T, rtol=1e-9, atol=1e-12 * size)
    if not isinstance(cells.domain, Directions):
        points = cells.interior_points
        outputs = (restricted.matrices @ points[:, :, None])[..., 0] + restricted.offsets
        scale = 1e-11 * size * (1 + np.abs(points).max())
        np.testing.assert_allclose(outputs, network.forward(sliced.points(points)), rtol=1e-9, atol=scale)


@pytest.mark.parametrize("seed", range(60))
def test_laws_maps_of_graphs(seed):
    check_maps(case_of(seed)[1])


@pytest.mark.parametrize("widths", [[2, 8, 7, 1], [2, 8, 7, 5], [1, 9, 2], [3, 5, 4, 4]])
def test_laws_maps_of_chains(widths):
    network = Network.from_arrays(*random_network(widths, 3, 0.3))
    check_maps(subdivide(network, Box([-1] * widths[0], [1] * widths[0])))


def test_laws_maps_on_a_slice():
    rng = np.random.default_rng(0)
    for n_out in (1, 9):
        network = Network.from_arrays(*random_network([6, 7, 5, n_out], 1, 0.3))
        check_maps(subdivide(network, Plane(rng.standard_normal(6), rng.standard_normal((2, 6))).square(1.5)))
        check_maps(subdivide(network, Segment(*rng.standard_normal((2, 6)))))


def test_laws_blocks_do_not_show(monkeypatch):
    cells = subdivide(Network.from_arrays(*random_network([2, 9, 8, 3], 1, 0.3)), SQUARE)
    whole, spaces = maps.affine_maps(cells), half_spaces(cells)
    monkeypatch.setattr(maps, "AT_ONCE", 1)
    monkeypatch.setattr("creases.complex.half_spaces.AT_ONCE", 1)
    assert len(list(maps.map_blocks(cells.network, cells.patterns))) == len(cells)
    for one, other in zip(whole, maps.affine_maps(cells), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(spaces, half_spaces(cells), rtol=1e-12, atol=1e-14)


def images(n_out):
    """A network of convolutions, a pool, a residual sum, overlapping groups of a switch, and a sparse end."""
    rng = np.random.default_rng(4)
    first = Conv(rng.standard_normal((2, 1, 2, 2)), (1, 4, 4))
    second = Conv(rng.standard_normal((2, 2, 3, 3)), first.output_shape, padding=1)
    pool = AveragePool(2, (2, 3, 3), stride=1)
    sparse = random_array((n_out, 4), density=0.8, rng=rng)
    return Network.from_levels(
        [
            Level({0: first}, rng.standard_normal(first.n_out), ReLU()),
            Level({1: Select.all(18), 0: Select(np.arange(18) % 16, 16)}, None, Linear()),
            Level({1: second, 2: Select.all(18)}, None, ReLU()),
            Level({3: pool}, None, Max([[0, 1, 2], [2, 3], [4, 5, 6, 7], [7]])),
            Level({4: Sparse(sparse)}, None, Linear()),
        ]
    )


@pytest.mark.parametrize("largest", [0, 1 << 24], ids=["from the inputs", "from the outputs"])
@pytest.mark.parametrize("n_out", [1, 3])
def test_laws_maps_of_convolutions(monkeypatch, largest, n_out):
    monkeypatch.setattr(maps, "LARGEST_MATRIX", largest)
    rng, network = np.random.default_rng(5), images(n_out)
    check_maps(subdivide(network, Plane(rng.standard_normal(16), rng.standard_normal((2, 16))).square(1)))


def test_known_a_level_that_nobody_takes():
    """Levels above that leave out the inputs: the network is constant, and so is its map."""
    network = Network.from_levels(
        [
            Level({0: Dense([[1.0, 2.0]])}, [0.5], ReLU()),
            Level({1: Dense([[0.0], [0.0], [0.0], [0.0]])}, None, Linear()),
        ]
    )
    cells = subdivide(network, SQUARE)
    assert len(cells) == 2
    assert not maps.affine_maps(cells).matrices.any()


def test_known_some_cells():
    cells = subdivide(Network.from_arrays([[[1.0], [-1.0]], [[1.0, 2.0]]], [[0.0, 0.0], [0.5]]), Box([-1], [1]))
    for chosen, slopes in ([1, 0], [1.0, -2.0]), (1, [1.0]), ([], []):
        found = maps.affine_maps(cells, np.array(chosen, int))
        assert found.matrices[:, 0, 0].tolist() == slopes
        assert found.offsets[:, 0].tolist() == [0.5] * len(slopes)
    with pytest.raises(IndexError):
        maps.affine_maps(cells, [2])


def test_bad_input_patterns():
    network = Network.from_levels([Level({0: Dense(np.eye(2))}, None, Max([[0, 1]]))])
    with pytest.raises(NetworkError, match="one winner in each group"):
        list(maps.map_blocks(network, np.array([[3]], np.uint8)))


# Gradient norms.


@pytest.mark.parametrize("widths", [[3, 7, 6, 1], [3, 7, 6, 2], [3, 7, 6, 5]])
def test_against_numpy_norms(widths):
    rng = np.random.default_rng(2)
    network = Network.from_arrays(*random_network(widths, 3, 0.3))
    for domain in (Box([-1] * 3, [1] * 3), Plane(rng.standard_normal(3), rng.standard_normal((2, 3))).square(1)):
        cells = subdivide(network, domain)
        orthonormal = np.linalg.qr(domain.slice.basis.T)[0]
        found, along = maps.gradient_norms(cells), maps.gradient_norms_along_slice(cells)
        for i in range(len(cells)):
            matrix = cells.affine_map(i)[0]
            for norms, own in ((found, matrix), (along, matrix @ orthonormal)):
                assert norms.frobenius[i] == pytest.approx(np.linalg.norm(own), rel=1e-9, abs=1e-12)
                assert norms.spectral[i] == pytest.approx(np.linalg.norm(own, 2), rel=1e-9, abs=1e-12)
        assert (cells.gradient_norms == found.frobenius).all()
        assert (along.spectral <= found.spectral * (1 + 1e-9)).all()


def test_known_norms_of_large_and_small_numbers():
    """3 and 4 make 5, where the squares leave the range of float64 too."""
    for size in (1e-200, 1.0, 1e200):
        cells = subdivide(Network.from_arrays([[[3 * size, 4 * size]], [[1.0]]], [[0.0], [0.0]]), SQUARE)
        norms = maps.gradient_norms(cells)
        assert sorted(norms.frobenius / size) == pytest.approx([0.0, 5.0])
        assert sorted(norms.spectral / size) == pytest.approx([0.0, 5.0])


def test_known_the_slope_along_a_segment():
    """x + y rises by sqrt(2) a unit along the diagonal, however the segment is given, and by 1 along an axis."""
    network = Network.from_arrays([[[1.0, 1.0]], [[1.0]]], [[9.0], [0.0]])
    for end, slope in ([5, 5], 2**0.5), ([3, 0], 1.0), ([1, -1], 0.0):
        cells = subdivide(network, Segment([0, 0], end))
        assert maps.gradient_norms_along_slice(cells).frobenius == pytest.approx([slope], abs=1e-15)
        assert cells.gradient_norms == pytest.approx([2**0.5])


# Half-spaces.


@pytest.mark.parametrize("seed", range(60))
def test_laws_half_spaces(seed):
    """Zero at the corners of their side, and not negative at the others; positive at the interior point."""
    cells = case_of(seed)[1]
    sides, found = sides_of(cells)[0], half_spaces(cells)
    assert found.shape == (len(sides.walls), cells.dimension + 1)
    lengths = np.linalg.norm(found[:, :-1], axis=1)
    assert (lengths > 0).all()
    found = found / lengths[:, None]
    last = 0.0 if isinstance(cells.domain, Directions) else 1.0
    for i in range(len(cells)):
        corners, far = corners_of(cells, i)
        own = found[sides.first[i] : sides.first[i + 1]]
        values = own[:, :-1] @ corners.T + np.outer(own[:, -1], ~far)
        near = 1e-8 * (1 + np.abs(corners).max(initial=0))
        assert values.min(initial=0) > -near
        assert (own[:, :-1] @ cells.interior_points[i] + last * own[:, -1]).min(initial=1) > 0
        for side, row in zip(range(sides.first[i], sides.first[i + 1]), values, strict=True):
            on = sides.corners[sides.corner_first[side] : sides.corner_first[side + 1]] - cells.first[i]
            assert np.abs(row[on]).max(initial=0) < near


def test_known_half_spaces_of_a_constant():
    assert half_spaces(subdivide(hidden([[[0.0, 0.0]]], [[1.0]]), Box([0, 0], [2, 1]))).shape == (4, 3)
