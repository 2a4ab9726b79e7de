"""Network: what it computes, that it cannot change, and that its hash is the same everywhere."""

import dataclasses
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import creases
import reference
from creases import Network
from creases.network import Normalisation
from networks import integer_networks, random_network, table
from shared_networks import shared

TENT = ([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])


def plain_forward(weights, biases, point, hidden):
    """One neuron after the other."""
    values, pre_activations = [float(x) for x in point], []
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        z = [sum(w * x for w, x in zip(row, values, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
        if i < hidden:
            pre_activations.append(z)
            values = [max(x, 0.0) for x in z]
        else:
            values = z
    return values, pre_activations


def small_network(seed, output_layer=True, widths=(3, 5, 4, 2)):
    weights, biases = random_network(widths, seed, 0.5)
    return weights, biases, Network.from_arrays(weights, biases, output_layer=output_layer)


# What it computes.


@pytest.mark.parametrize("output_layer", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_known_forward_is_the_plain_loop(seed, output_layer):
    weights, biases, network = small_network(seed, output_layer)
    points = np.random.default_rng(seed).standard_normal((4, 5, 3))
    outputs, pre_activations = network.forward(points), network.pre_activations(points)
    assert outputs.shape == (4, 5, 2)
    assert [z.shape for z in pre_activations] == [(4, 5, n) for n in network.widths]
    for index in np.ndindex(4, 5):
        values, z = plain_forward(weights, biases, points[index], network.depth)
        np.testing.assert_allclose(outputs[index], values, rtol=1e-12, atol=1e-14)
        for ours, theirs in zip(pre_activations, z, strict=True):
            np.testing.assert_allclose(ours[index], theirs, rtol=1e-12, atol=1e-14)


def test_known_tent():
    """|x|, by hand."""
    network = Network.from_arrays(*TENT)
    assert network.forward([[-3.0], [0.0], [2.5]]).tolist() == [[3.0], [0.0], [2.5]]
    assert [z.tolist() for z in network.pre_activations([-3.0])] == [[-3.0, 3.0]]
    # At zero neither neuron is active: strictly positive means active.
    assert network.pattern([[-3.0], [0.0], [2.5]])[0].tolist() == [[False, True], [False, False], [True, False]]
    assert network.packed_pattern([[-3.0], [0.0], [2.5]]).tolist() == [[2], [0], [1]]
    matrix, offset = network.affine_map([-3.0])
    assert (matrix.tolist(), offset.tolist()) == ([[-1.0]], [0.0])


@given(integer_networks(2), st.tuples(st.integers(-8, 8), st.integers(-8, 8)))
def test_against_exact_pattern(network, point):
    """Where floats are exact (small whole numbers) the float pattern is the rational one."""
    pattern = Network.from_arrays(*network, output_layer=False).pattern(point)
    assert [tuple(layer.tolist()) for layer in pattern] == list(reference.pattern_at(*network, point))


@pytest.mark.parametrize("widths", [(2, 3, 3, 1), (2, 8, 1), (2, 7, 10, 1), (2, 60, 9, 1)])
def test_laws_packed_pattern(widths):
    """Neuron i of the chain is bit i % 8 of byte i // 8."""
    _, _, network = small_network(1, widths=widths)
    points = np.random.default_rng(1).standard_normal((3, 6, 2))
    packed, pattern = network.packed_pattern(points), network.pattern(points)
    assert packed.dtype == np.uint8
    assert packed.shape == (3, 6, -(-network.neurons // 8))
    flat = np.concatenate(pattern, axis=-1)
    for i in range(network.neurons):
        assert np.array_equal((packed[..., i // 8] >> (i % 8)) & 1, flat[..., i])
    spare = np.unpackbits(packed, axis=-1, bitorder="little")[..., network.neurons :]
    assert not spare.any()


@pytest.mark.parametrize("output_layer", [True, False])
def test_laws_affine_map_is_the_network_nearby(output_layer):
    _, _, network = small_network(3, output_layer)
    rng = np.random.default_rng(3)
    for point in rng.standard_normal((20, 3)):
        matrix, offset = network.affine_map(point)
        assert matrix.shape == (2, 3)
        near = point + 1e-9 * rng.standard_normal((10, 3))
        assert np.array_equal(network.packed_pattern(near), np.tile(network.packed_pattern(point), (10, 1)))
        for x in [point, *near]:
            np.testing.assert_allclose(matrix @ x + offset, network.forward(x), rtol=1e-9, atol=1e-12)
        again = network.affine_map_of(network.pattern(point))
        assert np.array_equal(again[0], matrix)
        assert np.array_equal(again[1], offset)


# What it is.


def test_known_sizes_and_repr():
    _, _, network = small_network(0)
    assert (network.n_in, network.n_out, network.depth, network.widths, network.neurons) == (3, 2, 2, (5, 4), 9)
    assert repr(network) == "Network(3 -> [5, 4] -> 2, 9 neurons)"
    assert repr(network.hidden[0]) == "DenseLayer(3 -> 5)"
    _, _, network = small_network(0, output_layer=False)
    assert (network.n_out, network.depth, network.widths, network.output) == (2, 3, (5, 4, 2), None)
    assert repr(network) == "Network(3 -> [5, 4, 2], 11 neurons)"


def test_known_input_shape():
    """Points come flat or in the network's own shape."""
    weights, biases = random_network([12, 5, 2], 0, 0.1)
    network = Network.from_arrays(weights, biases, input_shape=(1, 3, 4))
    assert repr(network) == "Network(12 -> [5] -> 2, 5 neurons, input_shape=(1, 3, 4))"
    images = np.random.default_rng(0).standard_normal((7, 1, 3, 4))
    expected = network.forward(images.reshape(7, 12))
    assert np.array_equal(network.forward(images), expected)
    np.testing.assert_allclose(network.forward(images[2]), expected[2], rtol=1e-12)
    assert network.forward(images.reshape(7, 1, 1, 3, 4)).shape == (7, 1, 2)
    assert [p.shape for p in network.pattern(images)] == [(7, 5)]
    assert network.affine_map(images[0])[0].shape == (2, 12)
    assert network.points(np.zeros((0, 12))).shape == (0, 12)
    # The shape is how users see an input, not part of the function.
    assert network.sha256 == Network.from_arrays(weights, biases).sha256


def test_known_last_axis_wins():
    """A batch that fits both ways is read as flat points."""
    network = Network.from_arrays(*random_network([4, 3, 1], 0, 0.1), input_shape=(4, 1))
    assert network.forward(np.ones((4, 4))).shape == (4, 1)
    assert network.forward(np.ones((4, 1))).shape == (1,)


def test_laws_nothing_can_change():
    weights, biases = [np.ones((2, 1)), np.ones((1, 2))], [np.zeros(2), np.zeros(1)]
    network = Network.from_arrays(weights, biases)
    weights[0][0, 0] = biases[0][0] = 7.0
    assert network.hidden[0].weight.tolist() == [[1.0], [1.0]]
    assert network.hidden[0].bias.tolist() == [0.0, 0.0]
    for array in (network.hidden[0].weight, network.hidden[0].bias, network.output.weight, network.output.bias):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    for owner, name in [(network, "hidden"), (network, "sha256"), (network.hidden[0], "weight")]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(owner, name, None)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.int64, np.bool_])
def test_laws_smaller_numbers_widen_without_loss(dtype):
    rng = np.random.default_rng(0)
    weights = [(4 * rng.standard_normal(shape)).astype(dtype) for shape in [(5, 2), (1, 5)]]
    biases = [(4 * rng.standard_normal(n)).astype(dtype) for n in (5, 1)]
    network = Network.from_arrays(weights, biases)
    for layer, weight, bias in zip([*network.hidden, network.output], weights, biases, strict=True):
        assert layer.weight.dtype == layer.bias.dtype == np.float64
        assert np.array_equal(layer.weight.astype(dtype), weight)
        assert np.array_equal(layer.bias, bias.astype(np.float64))
    assert network.sha256 == Network.from_arrays([w.tolist() for w in weights], [b.tolist() for b in biases]).sha256


def test_laws_memory_order_does_not_matter():
    weights, biases = random_network([4, 6, 3], 1, 0.1)
    network = Network.from_arrays(weights, biases)
    transposed = [np.asfortranarray(weight) for weight in weights]
    strided = [np.repeat(np.array(weight), 2, axis=1)[:, ::2] for weight in weights]
    swapped = [np.array(weight).astype(">f8") for weight in weights]
    for other in (transposed, strided, swapped):
        found = Network.from_arrays(other, biases)
        assert found.sha256 == network.sha256
        assert found.hidden[0].weight.flags.c_contiguous


# Its hash.


def test_known_hash():
    """Little-endian float64 bytes in C order: this number must be the same on every platform and in every version."""
    network = Network.from_arrays(*TENT)
    data = b"creases-network-1|1 hidden"
    data += b"|2,1|" + struct.pack("<4d", 1.0, -1.0, 0.0, 0.0)
    data += b"|1,2|" + struct.pack("<3d", 1.0, 1.0, 0.0)
    assert network.sha256 == hashlib.sha256(data).hexdigest()
    assert network.sha256 == "c70217288c2e238ac521cd5b532304aa22bee5df10a704a7032a033037024849"


def test_laws_hash_tells_networks_apart():
    weights, biases = TENT
    variants = [
        Network.from_arrays(weights, biases),
        Network.from_arrays(weights, biases, output_layer=False),
        Network.from_arrays([[[1.0], [np.nextafter(-1.0, 0)]], weights[1]], biases),
        Network.from_arrays(weights, [[0.0, 5e-324], [0.0]]),
        Network.from_arrays(weights[:1], biases[:1], output_layer=False),
        Network.from_arrays([[[1.0, -1.0]], [[1.0], [1.0]]], [[0.0], [0.0, 0.0]]),
    ]
    assert len({network.sha256 for network in variants}) == len(variants)
    negative_zero = Network.from_arrays(weights, [[-0.0, 0.0], [-0.0]])
    assert negative_zero.sha256 == variants[0].sha256
    assert not np.signbit(negative_zero.hidden[0].bias).any()


# On disk.


@pytest.mark.parametrize("output_layer", [True, False])
def test_laws_save_and_load(tmp_path, output_layer):
    weights, biases = random_network([6, 5, 4], 2, 0.1)
    weights[0][0][0], biases[0][0] = 5e-324, 1e308
    normalisation = Normalisation(*np.arange(24.0).reshape(4, 6), output_mean=0.1, output_range=3.0)
    network = Network.from_arrays(
        weights,
        biases,
        output_layer=output_layer,
        input_shape=(2, 3),
        normalisation=normalisation,
        notes=["BatchNorm1d folded"],
    )
    path = network.save(tmp_path / "net.npz")
    assert path == tmp_path / "net.npz"
    again = creases.load(str(path))
    assert again.sha256 == network.sha256
    assert repr(again) == repr(network)
    assert again.input_shape == (2, 3)
    assert again.notes == ("BatchNorm1d folded",)
    for name in ("minimum", "maximum", "mean", "range"):
        assert np.array_equal(getattr(again.normalisation, name), getattr(normalisation, name))
    assert (again.normalisation.output_mean, again.normalisation.output_range) == (0.1, 3.0)
    assert again.normalisation.applied is False


def test_laws_save_and_load_every_kind(tmp_path):
    for name, weights, biases in table(20, seed=1):
        network = Network.from_arrays(weights, biases, output_layer=False)
        assert creases.load(network.save(tmp_path / f"{name}.npz")).sha256 == network.sha256


def test_known_shared_network_keeps_its_normalisation():
    network = creases.load(shared("acasxu_1_1.nnet"))
    assert repr(network) == "Network(5 -> [50, 50, 50, 50, 50, 50] -> 5, 300 neurons)"
    assert network.normalisation.mean.shape == (5,)
    assert not network.normalisation.applied
