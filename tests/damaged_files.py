"""Files of every reader, damaged in a thousand ways, and read in a process of their own within limits.

Decides what a damaged file may cost: no memory beyond 2 GB, no more than 10 s, and no code of its own. The process is
run as a script, one for many files: it reads the undamaged file first, which imports what its reader needs, takes 2 GB
more as its limit from there on, and writes what became of each file as JSON. The readers are called directly, without
the net below them in `load`, so that a slip in one of them shows.

HDF5 is read by a process of its own a file, half a second each. Here that process is forked, with its imports done, and
runs the same script with the same limits; a few files go the real way. The library loops on a dozen of these files: the
first is stopped when its time is over, the others sooner.
"""

import gzip
import io
import json
import os
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import time
import zipfile
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from creases.errors import CreasesError
from creases.network import Network, Normalisation
from creases.readers import READERS, WEIGHTS_ONLY
from creases.readers.keras import hdf5, hdf5_child
from creases.readers.weights.answers import Answers
from keras_files import begin, dense, h5_bytes, keras_bytes, sequential

__all__ = ["BIASES", "MAKERS", "MEMORY", "SECONDS", "WEIGHTS", "damages", "read_in_a_process", "reader_of"]

MEMORY = 2 * 10**9  # bytes beyond what imports take
SECONDS = 10.0
# As `engine_twins` says; that one imports Numba, which the processes here do not need.
LONG = os.environ.get("CREASES_LONG") == "1"
# Files of each kind of damage.
OFTEN, SLOW = (400, {".h5": 150}) if LONG else (150, {".h5": 60})
REAL = 10 if LONG else 4  # files whose HDF5 goes the real way
LOOPED = 0.3  # seconds, after the first file on which HDF5 loops
# Events of Python's audit that no reader has a reason for; those of threads and imports are not among them.
SUSPECT = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn", "socket.connect", "pickle.find_class")

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


def reader_of(suffix):
    """The reader of files with this suffix, told what its files do not say."""
    module, name = READERS[suffix]
    told = {"answers": Answers(activation="relu")} if suffix in WEIGHTS_ONLY else {}
    return partial(getattr(import_module(f"creases.readers.{module}"), name), **told)


# Damage.


def damages(data, often):
    """Damaged files, each with the kind of its damage and, of truncated ones, what is left of it."""
    yield from truncated(data, often)
    yield from flipped(data, often)
    yield from repeated(data, often)
    yield from noise(data)


def truncated(data, often):
    for end in range(0, len(data) - 1, max(len(data) // often, 1)):
        yield "truncated", end / len(data), data[:end]


def flipped(data, often):
    rng = np.random.default_rng(0)
    for _ in range(often):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        yield "flipped", None, bytes(damaged)


def repeated(data, often):
    rng = np.random.default_rng(1)
    for _ in range(often // 4):
        start, end = sorted(rng.integers(0, len(data), 2))
        yield "repeated", None, data[:end] + data[start:end] + data[end:]
        yield "left out", None, data[:start] + data[end:]
        yield "inserted", None, data[:start] + rng.bytes(9) + data[start:]


def noise(data):
    rng = np.random.default_rng(2)
    for size in (1, 7, 8, 100, 5000):
        yield "noise", None, rng.bytes(size)
        yield "noise", None, data[:4] + rng.bytes(size)
        yield "noise", None, bytes(size)


# The process.


def read_in_a_process(suffix, data):
    """What became of a file's damages, one dict each: kind, left, seconds, and "network" or "told" or "slip".

    A slip is an error that is none of ours: MemoryError where more than MEMORY was asked for.
    """
    command = [sys.executable, __file__, suffix]
    found = subprocess.run(command, input=data, capture_output=True, timeout=300, check=False)
    assert found.returncode == 0, found.stderr.decode()[-2000:]
    return json.loads(found.stdout)


def main(suffix):
    """Read stdin, the undamaged file; write what became of its damages."""
    data, reader = sys.stdin.buffer.read(), reader_of(suffix)
    reader(data, "net")
    real = subprocess.run
    import h5py  # noqa: F401  # for the forked ones

    limit_memory()
    files, found, ran = list(damages(data, SLOW.get(suffix, OFTEN))), [], watched()
    for number, (kind, left, damaged) in enumerate(files):
        hdf5.subprocess.run = forked if number % (len(files) // REAL) else real
        found.append({"kind": kind, "left": left, **outcome(reader, damaged), "ran": list(ran)})
        ran.clear()
        if found[-1]["seconds"] > hdf5.SECONDS:
            hdf5.SECONDS = LOOPED
    sys.stdout.write(json.dumps(found))


def watched():
    """A list that from now on takes the name of every event by which code of a file would show."""
    ran = []

    def hear(event, args):
        writes = (
            event == "open" and isinstance(args[0], str) and isinstance(args[1], str) and set(args[1]) & set("wax+")
        )
        strange = event == "subprocess.Popen" and str(hdf5.CHILD_PROGRAM) not in map(str, args[1])
        if event in SUSPECT or writes or strange:
            ran.append(f"{event} {args}")

    sys.addaudithook(hear)
    return ran


def limit_memory(most=MEMORY):
    """Let no more be taken than is now and `most` bytes; soft, so that a process within can have a limit of its own."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + most, resource.RLIM_INFINITY))


def outcome(reader, data):
    """What one file becomes, and how long it takes."""
    start = time.perf_counter()
    try:
        network = reader(data, "net")
        told = {"network": isinstance(network, Network)}
    except CreasesError as error:
        told = {"told": str(error)}
    except BaseException as error:  # any other is what the test is to find
        told = {"slip": f"{type(error).__name__}: {error}"}
    return {"seconds": time.perf_counter() - start, **told}


def forked(command, *, input, timeout, **_options):
    """subprocess.run for the script of HDF5: the same script in a fork of this process, where h5py is imported."""
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reads)
            sys.argv[:] = command[2:]
            sys.stdin = io.TextIOWrapper(io.BytesIO(input))
            sys.stdout = os.fdopen(writes, "w")
            hdf5_child.main()
        finally:
            os._exit(0)
    os.close(writes)
    told, end = b"", time.monotonic() + timeout
    try:
        while True:
            if not select.select([reads], [], [], max(end - time.monotonic(), 0.0))[0]:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(command, timeout)
            part = os.read(reads, 1 << 20)
            if not part:
                return subprocess.CompletedProcess(command, 0, told, b"")
            told += part
    finally:
        os.close(reads)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
