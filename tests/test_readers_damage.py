"""Damaged files: every truncation and thousands of flipped bytes give a network or one of our errors.

The readers are called directly, without the net below them in `load`, so that a slip in one of them shows.
"""

import gzip
import io
import re
import struct
import time
import zipfile
from functools import partial
from importlib import import_module

import numpy as np
import pytest

from creases.errors import CreasesError, ModelFileError
from creases.network import Network, Normalisation
from creases.readers import READERS, WEIGHTS_ONLY
from creases.readers.weights.answers import Answers
from creases.readers.weights.plain_arrays import read_plain
from keras_files import begin, dense, h5_bytes, keras_bytes, sequential

FLIPS = 400
# These are read by a process of their own, half a second each: fewer of them are damaged.
SLOW = (".h5", ".keras")
RNG = np.random.default_rng(11)
WEIGHTS = [RNG.standard_normal(shape).round(3) for shape in ((3, 2), (2, 3), (1, 2))]
BIASES = [RNG.standard_normal(shape).round(3) for shape in (3, 2, 1)]


def npz(folder):
    norm = Normalisation(-np.ones(2), np.ones(2), np.zeros(2), np.ones(2), 0.0, 2.0)
    network = Network.from_arrays(WEIGHTS, BIASES, normalisation=norm, notes=["a note"])
    return network.save(folder / "net.npz").read_bytes()


def nnet(_folder):
    numbers = [v for w, b in zip(WEIGHTS, BIASES, strict=True) for v in (*w.ravel(), *b)]
    header = "// text\n3,2,1,3,\n2,3,2,1,\n0,\n-1,-1,\n1,1,\n0,0,0,\n1,1,1,\n"
    return (header + "".join(f"{value},\n" for value in numbers)).encode()


def polar(_folder):
    numbers = [v for w, b in zip(WEIGHTS, BIASES, strict=True) for row, c in zip(w, b, strict=True) for v in (*row, c)]
    words = [2, 1, 2, 3, 2, "ReLU", "ReLU", "Affine", *numbers, 0.0, 1.0]
    return "\n".join(map(str, words)).encode()


def onnx(_folder):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    helper, arrays = onnx.helper, {}
    nodes = [helper.make_node("Flatten", ["x"], ["v0"])]
    for i, (weight, bias) in enumerate(zip(WEIGHTS, BIASES, strict=True)):
        arrays[f"W{i}"], arrays[f"B{i}"] = weight, bias
        nodes.append(helper.make_node("Gemm", [f"v{i}", f"W{i}", f"B{i}"], [f"z{i}"], transB=1))
        nodes.append(helper.make_node("Relu" if i < 2 else "Identity", [f"z{i}"], [f"v{i + 1}"]))
    value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, shape)  # noqa: E731
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "g", [value("x", ["N", 2])], [value("v3", ["N", 1])], tensors)
    return helper.make_model(graph).SerializeToString()


def onnx_gz(folder):
    return gzip.compress(onnx(folder), mtime=0)


def tensors():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pairs = zip(WEIGHTS, BIASES, strict=True)
    return {
        f"{2 * i}.{name}": torch.tensor(array)
        for i, pair in enumerate(pairs)
        for name, array in zip(("weight", "bias"), pair, strict=True)
    }


def pt(_folder, zipped=True):
    import torch

    stream = io.BytesIO()
    torch.save(tensors(), stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def pth(folder):
    """The older format. Torch names and sorts storages by where they are in memory: here it is by when they are met."""
    data = pt(folder, zipped=False)
    arrays = [array for pair in zip(WEIGHTS, BIASES, strict=True) for array in pair]
    keys = list(re.finditer(rb"X....([0-9]{9,20})", data, re.DOTALL))
    met = list(dict.fromkeys(key[1] for key in keys))
    places = [met.index(key[1]) for key in keys[-len(met) :]]  # as they are listed before their numbers
    stored = dict(zip(places, cut(data, [8 + array.nbytes for array in (arrays[i] for i in places)]), strict=True))
    parts, end = [], 0
    for i, key in enumerate(keys):
        place = met.index(key[1]) if i < len(keys) - len(met) else i - (len(keys) - len(met))
        parts += [data[end : key.start()], b"X" + struct.pack("<I", 12) + b"%012d" % place]
        end = key.end()
    rest = data[end : len(data) - sum(map(len, stored.values()))]
    return b"".join([*parts, rest, *(stored[i] for i in range(len(met)))])


def cut(data, sizes):
    """The last bytes of a file in pieces of these sizes."""
    ends = np.cumsum(sizes) + len(data) - sum(sizes)
    return [data[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def ckpt(_folder):
    """As Lightning writes them: weights among other things."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    stream = io.BytesIO()
    weights = {f"net.{name}": tensor for name, tensor in tensors().items()}
    torch.save({"epoch": 3, "state_dict": weights, "hyper_parameters": {"lr": 0.1}}, stream)
    return stream.getvalue()


def safetensors(_folder):
    import json

    header, body = {}, b""
    for i, pair in enumerate(zip(WEIGHTS, BIASES, strict=True)):
        for name, array in zip(("weight", "bias"), pair, strict=True):
            data = array.astype("<f8").tobytes()
            header[f"{i}.{name}"] = {
                "dtype": "F64",
                "shape": array.shape,
                "data_offsets": [len(body), len(body) + len(data)],
            }
            body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def pt2(_folder):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    layers = [torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)]
    module = torch.nn.Sequential(*layers).double()
    module.load_state_dict(tensors())
    stream = io.BytesIO()
    torch.export.save(torch.export.export(module, (torch.zeros(1, 2, dtype=torch.float64),)), stream)
    return stream.getvalue()


def keras_layers():
    pytest.importorskip("h5py", reason="h5py is not installed")
    pairs = zip(WEIGHTS, BIASES, strict=True)
    named = [dense(f"d{i}", w.T, b, "relu" if i < 2 else "linear") for i, (w, b) in enumerate(pairs)]
    return [begin(2), *named]


def keras(_folder):
    layers = keras_layers()
    return keras_bytes(sequential(*layers), layers)


def h5(_folder):
    layers = keras_layers()
    return h5_bytes(sequential(*layers), layers, {f"d{i}": ("kernel", "bias") for i in range(3)})


def policy(folder):
    """As stable-baselines3 writes them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("policy.pth"), pt(folder))
    return stream.getvalue()


MAKERS = {
    ".zip": policy,
    ".h5": h5,
    ".keras": keras,
    ".npz": npz,
    ".nnet": nnet,
    ".onnx": onnx,
    ".onnx.gz": onnx_gz,
    ".polar": polar,
    ".pt": pt,
    ".pth": pth,
    ".ckpt": ckpt,
    ".safetensors": safetensors,
    ".pt2": pt2,
}


@pytest.fixture(params=MAKERS)
def kind(request, tmp_path):
    """The reader of one kind of file, a file of that kind, and how often it is to be damaged."""
    if request.param in (".pt", ".pth", ".ckpt", ".pt2", ".zip"):
        pytest.importorskip("torch", reason="torch is not installed")
    module, name = READERS[request.param]
    reader = getattr(import_module(f"creases.readers.{module}"), name)
    told = {"answers": Answers(activation="relu")} if request.param in WEIGHTS_ONLY else {}
    return partial(reader, **told), MAKERS[request.param](tmp_path), FLIPS // 20 if request.param in SLOW else FLIPS


def survives(reader, data):
    """True if the reader made a network; any error but ours fails the test."""
    try:
        return isinstance(reader(data, "net"), Network)
    except CreasesError as error:
        told = str(error)
    assert told.startswith(("net", "layer ", "input_shape")), told
    return False


def test_known_the_undamaged_file_is_the_network(kind):
    reader, data, _ = kind
    network = reader(data, "net")
    assert network.sha256 == Network.from_arrays(WEIGHTS, BIASES).sha256


def test_laws_every_kind_of_file_is_damaged_here():
    assert set(MAKERS) == set(READERS)


@pytest.mark.parametrize("suffix", MAKERS)
def test_laws_a_file_is_the_same_whenever_it_is_made(suffix, tmp_path, monkeypatch):
    """Else the seeds below would not say which bytes are damaged, and a failure could not be seen again."""
    if suffix == ".pth":
        pytest.importorskip("torch", reason="torch is not installed")
    first, later = MAKERS[suffix](tmp_path), time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    assert MAKERS[suffix](tmp_path) == first


# Members as flipped bytes may describe them, each of which zipfile answers with an error of another kind.
CHANGES = {
    "offset": {"header_offset": 2**63},  # OverflowError
    "encrypted": {"flag_bits": 1},  # RuntimeError
    "method": {"compress_type": 99},  # NotImplementedError
    "lzma": {"compress_type": zipfile.ZIP_LZMA},  # LZMAError
    "deflate": {"compress_type": zipfile.ZIP_DEFLATED},  # zlib.error
    "size": {"compress_size": 3, "file_size": 3},  # BadZipFile
}


def redescribed(data, changes):
    """An archive whose directory says other things of its members than is so."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as archive:
        for member in old.infolist():
            archive.writestr(zipfile.ZipInfo(member.filename), old.read(member))
        for member in archive.filelist:
            for name, value in changes.items():
                setattr(member, name, value)
    return stream.getvalue()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("suffix", [".keras", ".npz", ".zip", ".pt2", "plain.npz"])
def test_bad_input_members_of_archives(suffix, change, tmp_path):
    if suffix in (".zip", ".pt2"):
        pytest.importorskip("torch", reason="torch is not installed")
    if suffix == "plain.npz":
        stream = io.BytesIO()
        np.savez(stream, **{"0.weight": np.ones((2, 2))})
        data, reader = stream.getvalue(), read_plain
    else:
        module, name = READERS[suffix]
        data, reader = MAKERS[suffix](tmp_path), getattr(import_module(f"creases.readers.{module}"), name)
    told = {"answers": Answers(activation="relu")} if suffix in (*WEIGHTS_ONLY, "plain.npz") else {}
    with pytest.raises(ModelFileError, match=r"^net.* (is truncated or damaged|claim|has compressed members)"):
        reader(redescribed(data, CHANGES[change]), "net", **told)


def test_bad_input_truncated_files(kind):
    reader, data, often = kind
    step = max(len(data) // often, 1)
    kept = [end for end in range(0, len(data) - 1, step) if survives(reader, data[:end])]
    assert all(end > 0.95 * len(data) for end in kept), "only the last digits of a text, or padding, may be missing"


def test_bad_input_truncated_files_say_so(kind):
    reader, data, _ = kind
    with pytest.raises(ModelFileError, match=r"truncated"):
        reader(data[: 2 * len(data) // 3], "net")


def test_bad_input_flipped_bytes(kind):
    reader, data, often = kind
    rng = np.random.default_rng(0)
    for _ in range(often):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        survives(reader, bytes(damaged))


def test_bad_input_inserted_and_repeated_bytes(kind):
    reader, data, often = kind
    rng = np.random.default_rng(1)
    for _ in range(often // 4):
        start, end = sorted(rng.integers(0, len(data), 2))
        survives(reader, data[:end] + data[start:end] + data[end:])
        survives(reader, data[:start] + data[end:])
        survives(reader, data[:start] + rng.bytes(9) + data[start:])


def test_bad_input_noise(kind):
    reader, data, _ = kind
    rng = np.random.default_rng(2)
    for size in (1, 7, 8, 100, 5000):
        assert not survives(reader, rng.bytes(size))
        assert not survives(reader, data[:4] + rng.bytes(size))
        assert not survives(reader, bytes(size))
