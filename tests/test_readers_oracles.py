"""An oracle for each reader: other programs, or a dozen lines of NumPy, compute what the same file says.

At random points and at points on kinks of the first level, which are found from the numbers that were written and not
from what was read. ONNX operators, torch modules and Keras layers have oracles of their own beside their readers.
"""

import io
import itertools
import json
import struct
import zipfile

import numpy as np
import pytest

import creases
from creases.readers import READERS, WEIGHTS_ONLY
from damaged_files import BIASES, MAKERS, WEIGHTS
from kink_points import projected

RNG = np.random.default_rng(8)
RANDOM = RNG.standard_normal((40, 2)) * 2
POINTS = np.concatenate([RANDOM, projected(RANDOM, WEIGHTS[0], BIASES[0])])


def through(layers, points):
    """ReLU between dense layers, (n_out, n_in) each: NumPy alone."""
    for i, (weight, bias) in enumerate(layers):
        points = (np.maximum(points, 0) if i else points) @ np.asarray(weight).T + np.asarray(bias)
    return points


# What other programs make of the file, or NumPy of its bytes.


def npz(data):
    arrays = np.load(io.BytesIO(data))
    return lambda x: through([(arrays[f"weight_{i}"], arrays[f"bias_{i}"]) for i in (1, 2, 3)], x)


def table(numbers, sizes, by_neuron):
    """Layers from numbers in a row: a neuron's weights and its bias, or all weights and all biases."""
    layers, rest = [], np.array(numbers, dtype=float)
    for n_in, n_out in itertools.pairwise(sizes):
        here, rest = rest[: n_out * (n_in + 1)], rest[n_out * (n_in + 1) :]
        if by_neuron:
            rows = here.reshape(n_out, n_in + 1)
            layers.append((rows[:, :-1], rows[:, -1]))
        else:
            layers.append((here[: n_out * n_in].reshape(n_out, n_in), here[n_out * n_in :]))
    return layers, rest


def nnet(data):
    lines = [line.rstrip(",") for line in data.decode().splitlines() if not line.startswith("//")]
    layers, rest = table([float(word) for line in lines[7:] for word in line.split(",")], [2, 3, 2, 1], False)
    assert not len(rest)
    return lambda x: through(layers, x)


def polar(data):
    words = data.decode().split()
    assert words[:8] == ["2", "1", "2", "3", "2", "ReLU", "ReLU", "Affine"]
    layers, (offset, factor) = table(words[8:], [2, 3, 2, 1], True)
    return lambda x: (through(layers, x) - offset) * factor


def onnx(data):
    package = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = package.InferenceSession(data, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def onnx_gz(data):
    import gzip

    return onnx(gzip.decompress(data))


def of_state_dict(tensors):
    """torch's own layers, filled by torch's own loader."""
    import torch

    layers = [torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)]
    module = torch.nn.Sequential(*layers).double()
    module.load_state_dict(tensors)
    return lambda x: module(torch.from_numpy(x)).detach().numpy()


def pt(data):
    import torch

    return of_state_dict(torch.load(io.BytesIO(data), weights_only=True))


def ckpt(data):
    import torch

    weights = torch.load(io.BytesIO(data), weights_only=True)["state_dict"]
    return of_state_dict({name.removeprefix("net."): tensor for name, tensor in weights.items()})


def policy(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return pt(archive.read("policy.pth"))


def safetensors(data):
    """As its definition has it: the length of a JSON text, the text, the numbers."""
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]

    def array(name):
        start, end = header[name]["data_offsets"]
        return np.frombuffer(body[start:end]).reshape(header[name]["shape"])

    return lambda x: through([(array(f"{i}.weight"), array(f"{i}.bias")) for i in range(3)], x)


def pt2(data):
    import torch

    module = torch.export.load(io.BytesIO(data)).module()
    return lambda x: np.concatenate([module(torch.from_numpy(row[None])).detach().numpy() for row in x])


def h5(data):
    """Its datasets by h5py: kernels are (n_in, n_out)."""
    import h5py

    with h5py.File(io.BytesIO(data)) as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    kernels = [next(value for name, value in found.items() if f"d{i}" in name and "kernel" in name) for i in range(3)]
    biases = [next(value for name, value in found.items() if f"d{i}" in name and "bias" in name) for i in range(3)]
    return lambda x: through([(k.T, b) for k, b in zip(kernels, biases, strict=True)], x)


def keras(data):
    import h5py

    with zipfile.ZipFile(io.BytesIO(data)) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        names = ["dense", "dense_1", "dense_2"]
        layers = [(file[f"layers/{name}/vars/0"][()].T, file[f"layers/{name}/vars/1"][()]) for name in names]
    return lambda x: through(layers, x)


ORACLES = {
    ".npz": npz,
    ".nnet": nnet,
    ".polar": polar,
    ".onnx": onnx,
    ".onnx.gz": onnx_gz,
    ".pt": pt,
    ".pth": pt,
    ".ckpt": ckpt,
    ".zip": policy,
    ".safetensors": safetensors,
    ".pt2": pt2,
    ".h5": h5,
    ".keras": keras,
}


def agree(network, oracle, points=POINTS):
    """To the rounding of float64, at points that are where they ought to be."""
    z = network.pre_activations(points)[0]
    kinks = np.abs(z[len(points) // 2 :]).min(axis=1)
    assert (kinks < 1e-14 * np.abs(z).max()).all(), "the second half of the points is on kinks of the first level"
    assert (np.abs(z[: len(points) // 2]).min(axis=1) > 1e-6).all()
    wanted = np.asarray(oracle(points)).reshape(len(points), -1)
    assert np.ptp(wanted) > 0.1, "an oracle that says one thing everywhere is none"
    np.testing.assert_allclose(
        network.forward(points), wanted, rtol=0, atol=1e-14 * np.abs(wanted).max() * len(WEIGHTS)
    )


def test_laws_every_kind_of_file_has_an_oracle():
    assert set(ORACLES) == set(READERS)


@pytest.mark.parametrize("suffix", ORACLES)
def test_against_an_oracle_each_kind_of_file(suffix, tmp_path):
    if suffix in (".pt", ".pth", ".ckpt", ".pt2", ".zip"):
        pytest.importorskip("torch", reason="torch is not installed")
    data = MAKERS[suffix](tmp_path)
    path = tmp_path / f"read{suffix}"
    path.write_bytes(data)
    told = {"activation": "relu"} if suffix in WEIGHTS_ONLY else {}
    agree(creases.load(path, **told), ORACLES[suffix](data))


@pytest.mark.parametrize("named", [True, False])
def test_against_numpy_plain_arrays(named, tmp_path):
    pairs = zip(WEIGHTS, BIASES, strict=True)
    names = [(f"{i}.weight", f"{i}.bias") if named else (f"W{i}", f"B{i}") for i in range(3)]
    arrays = {
        name: array for both, pair in zip(names, pairs, strict=True) for name, array in zip(both, pair, strict=True)
    }
    np.savez(tmp_path / "plain.npz", **arrays)
    told = {} if named else {"order": [name for both in names for name in both]}
    network = creases.load(tmp_path / "plain.npz", activation="relu", **told)
    agree(network, lambda x: through(zip(WEIGHTS, BIASES, strict=True), x))


def test_against_numpy_nested_arrays():
    tree = {f"Dense_{i}": {"kernel": w.T, "bias": b} for i, (w, b) in enumerate(zip(WEIGHTS, BIASES, strict=True))}
    network = creases.load({"params": tree}, activation="relu")
    agree(network, lambda x: through(zip(WEIGHTS, BIASES, strict=True), x))


def test_against_torch_state_dicts_in_memory():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensors = {
        f"{2 * i}.{name}": torch.tensor(array)
        for i, pair in enumerate(zip(WEIGHTS, BIASES, strict=True))
        for name, array in zip(("weight", "bias"), pair, strict=True)
    }
    agree(creases.load(tensors, activation="relu"), of_state_dict(tensors))


def test_against_scikit_learn():
    neural = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed")
    model = neural.MLPRegressor(hidden_layer_sizes=(3, 2), random_state=0, max_iter=1)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(RANDOM, RANDOM.sum(axis=1))
    model.coefs_, model.intercepts_ = [weight.T for weight in WEIGHTS], BIASES
    agree(creases.load(model), model.predict)
