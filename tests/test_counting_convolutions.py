"""Convolutions, residual sums and max pooling: trained networks of others in planes through their inputs."""

from functools import cache

import numpy as np
import pytest

import creases
import reference
from engine_twins import amount
from graph_networks import as_network
from shared_networks import shared

# The table of shared/networks/README.md, whole: file, seed, half-width, regions after each layer.
IN_A_PLANE = [
    ("cifar_base_kw", 0, 0.01, (29, 31, 31)),
    ("cifar_base_kw", 0, 0.05, (582, 710, 710)),
    ("cifar_base_kw", 1, 0.03, (302, 338, 338)),
    ("cifar_resnet_2b", 0, 0.003, (13, 49, 73, 73, 88, 88)),
    ("cifar_resnet_2b", 0, 0.02, (504, 1708, 2147, 2194, 2659, 2659)),
    ("cifar_resnet_2b", 1, 0.01, (198, 389, 454, 476, 548, 575)),
    ("verivital_convnet_maxpool", 0, 0.003, (75, 80)),
    ("verivital_convnet_maxpool", 0, 0.02, (2279, 2692)),
    ("verivital_convnet_maxpool", 1, 0.01, (495, 585)),
    ("marabou_cnn_max_mnist3", 0, 0.003, (10, 28, 28, 30)),
    ("marabou_cnn_max_mnist3", 0, 0.02, (650, 2004, 2060, 2122)),
    ("marabou_tinytaxinet", 0, 0.5, (7, 11, 22)),
    ("mnist_relu_9_200", 0, 0.02, (2, 2, 8, 18, 29, 44, 65, 78, 78)),
    ("mnist_relu_9_200", 1, 0.1, (9, 56, 236, 595, 981, 1310, 1571, 1824, 1850)),
]


@cache
def network_of(name):
    """The network of a shared file."""
    pytest.importorskip("onnx")
    return creases.load(shared(name))


def square_of(n_in, seed, half, middle=1 / 3):
    """The square of this half-width around u = (middle, middle) in the plane through three uniform inputs."""
    a, b, c = np.random.default_rng(seed).random((3, n_in))
    low, high = middle - half, middle + half
    return creases.Plane(a, [b - a, c - a]).polygon([[low, low], [high, low], [high, high], [low, high]])


@pytest.mark.parametrize("name", sorted({row[0] for row in IN_A_PLANE} | {"tll_n2_N8_0"}))
def test_against_onnx_forward(name):
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    network, model = network_of(f"{name}.onnx"), onnx.load(shared(f"{name}.onnx"))
    weights = {tensor.name for tensor in model.graph.initializer}
    (given,) = [each for each in model.graph.input if each.name not in weights]
    shape = [side.dim_value for side in given.type.tensor_type.shape.dim[1:]]
    evaluator = ReferenceEvaluator(model)
    inputs = np.random.default_rng(0).random((3, network.n_in))
    theirs = [evaluator.run(None, {given.name: x.reshape(1, *shape).astype(np.float32)})[0].ravel() for x in inputs]
    # They compute in float32.
    np.testing.assert_allclose(network.forward(inputs), theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize(("name", "seed", "half", "by_layer"), IN_A_PLANE)
def test_known_in_a_plane(name, seed, half, by_layer):
    network = network_of(f"{name}.onnx")
    found = creases.count(network, square_of(network.n_in, seed, half))
    assert found.by_layer == by_layer
    assert found.certified
    assert found.exact_cells == 0


def test_known_lattice():
    """Sums directly behind sums, and exact ties everywhere."""
    found = creases.count(network_of("tll_n2_N8_0.onnx"), creases.Space(2))
    assert (found.regions, found.certified) == (589, True)


@pytest.mark.long
def test_known_base_kw_in_a_large_square():
    network = network_of("cifar_base_kw.onnx")
    a, b, c = np.random.default_rng(0).random((3, network.n_in))
    found = creases.count(network, creases.Plane.through(a, b, c).square(1.0))
    assert (found.by_layer, found.certified) == ((229407, 346746, 356186), True)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_against_exact_pools_behind_relu(d):
    """Windows that share neurons, many of them dead: zero is equal to zero there, and no wall."""
    n, windows = (8, [range(4), range(4, 8), [0, 7, 2]]) if d < 3 else (6, [range(3), range(3, 6), [0, 5, 2]])
    windows = [list(window) for window in windows]
    for seed in range(amount(24, 6)):
        rng = np.random.default_rng([d, seed])
        if seed % 2:
            weight, bias, top = rng.integers(-2, 3, (n, d)), rng.integers(-3, 1, n), rng.integers(-2, 3, (3, 3))
        else:
            weight, bias, top = rng.standard_normal((n, d)), rng.standard_normal(n) - 0.7, rng.standard_normal((3, 3))
        levels = [
            reference.Level({0: (1.0 * weight).tolist()}, (1.0 * bias).tolist(), reference.relu(n)),
            reference.Level({1: np.eye(n).tolist()}, [0.0] * n, reference.Max(windows)),
            reference.Level(
                {2: (1.0 * top).tolist()}, rng.integers(-1, 2, 3).astype(float).tolist(), reference.relu(3)
            ),
        ]
        wanted = tuple(reference.graph_by_layer(levels, reference.box([-1.5] * d, [1.5] * d)))
        found = creases.count(as_network(levels, d), creases.Box([-1.5] * d, [1.5] * d), threads=1, progress=False)
        assert (found.by_layer, found.certified) == (wanted, True), seed
