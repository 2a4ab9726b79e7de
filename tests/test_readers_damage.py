"""Damaged files: every truncation and thousands of flipped bytes give a network or one of our errors.

The readers are called directly, without the net below them in `load`, so that a slip in one of them shows.
"""

import io
import os
import time
import zipfile
import zlib
from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from children import python
from creases.errors import ModelFileError
from creases.network import Network
from creases.readers import READERS, WEIGHTS_ONLY
from creases.readers.keras import hdf5
from creases.readers.weights.answers import Answers
from creases.readers.weights.plain_arrays import read_plain
from damaged_files import BIASES, MAKERS, SECONDS, WEIGHTS, read_in_a_process, reader_of
from engine_twins import LONG

FILES = 300 if LONG else 120  # of each reader, at least


def needs(suffix):
    """Skip what cannot be read here."""
    if suffix in (".pt", ".pth", ".ckpt", ".pt2", ".zip"):
        pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(params=MAKERS)
def kind(request, tmp_path):
    """The reader of one kind of file, and a file of that kind."""
    needs(request.param)
    return reader_of(request.param), MAKERS[request.param](tmp_path)


@pytest.fixture(scope="module", params=MAKERS)
def damaged(request, tmp_path_factory):
    """What became of the damaged files of one kind."""
    needs(request.param)
    return read_in_a_process(request.param, MAKERS[request.param](tmp_path_factory.mktemp("undamaged")))


def test_known_the_undamaged_file_is_the_network(kind):
    reader, data = kind
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


def test_bad_input_truncated_files_say_so(kind):
    reader, data = kind
    with pytest.raises(ModelFileError, match=r"truncated"):
        reader(data[: 2 * len(data) // 3], "net")


def test_bad_input_damaged_files_give_a_network_or_an_error_of_ours(damaged):
    assert [file["slip"] for file in damaged if "slip" in file] == []
    told = [file["told"] for file in damaged if "told" in file]
    assert [text for text in told if not text.startswith(("net", "layer ", "input_shape"))] == []
    assert all(file["network"] for file in damaged if "network" in file)


def test_bad_input_damaged_files_are_many_and_most_are_refused(damaged):
    kinds = Counter(file["kind"] for file in damaged)
    assert sum(kinds[kind] for kind in ("flipped", "inserted", "left out", "repeated", "truncated")) >= FILES
    assert min(kinds[kind] for kind in ("flipped", "truncated")) >= FILES // 2
    assert sum("told" in file for file in damaged) > FILES // 2
    assert all("told" in file for file in damaged if file["kind"] == "noise")


def test_bad_input_truncated_files(damaged):
    kept = [file["left"] for file in damaged if file["kind"] == "truncated" and "network" in file]
    assert all(left > 0.95 for left in kept), "only the last digits of a text, or padding, may be missing"


def test_bad_input_damaged_files_run_no_code(damaged):
    assert [file["ran"] for file in damaged if file["ran"]] == []


def test_bad_input_damaged_files_take_their_seconds_and_no_more(damaged):
    """No test of speed: what a loop would not pass. Memory beyond 2 GB is a MemoryError there, a slip."""
    assert max(file["seconds"] for file in damaged) < SECONDS


# What is said above is said by limits that hold.


def answer(code):
    """What a process of its own prints, as a list of lines."""
    # With this folder's modules, whatever else is on the path.
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    program = f"import os, pickle, subprocess, damaged_files as d\n{code}"
    return python(program, PYTHONPATH=path).stdout.splitlines()


def test_laws_the_limit_on_memory_holds():
    found = answer("d.limit_memory()\nfor n in (10**9, 21 * 10**8): print(d.outcome(lambda *_: bytes(n), b''))")
    assert "'network': False" in found[0], "1 GB is within the limit; bytes are no network"
    assert "'slip': 'MemoryError" in found[1]


@pytest.mark.parametrize(
    ("act", "event"),
    [
        ("os.system('true')", "os.system"),
        ("subprocess.run(['true'])", "subprocess.Popen"),
        ("pickle.loads(pickle.dumps(os.getcwd))", "pickle.find_class"),
        ("open(os.devnull, 'w').close()", "open"),
        ("open(os.devnull).close()", None),
        ("subprocess.run(['true', str(d.hdf5.CHILD_PROGRAM)])", None),
    ],
)
def test_laws_what_a_file_might_run_is_seen(act, event):
    found = answer(f"ran = d.watched()\n{act}\nprint(*ran)")
    assert found[0].startswith(event) if event else found == [""]


def zeros_h5(path, numbers):
    """A file of megabytes that claims gigabytes, truly: one compressed chunk of zeros, again and again."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    rows = 2**20
    chunk = zlib.compress(bytes(8 * rows))
    with h5py.File(path, "w") as file:
        made = file.create_dataset("w", (numbers,), "f8", chunks=(rows,), compression="gzip")
        for start in range(0, numbers, rows):
            made.id.write_direct_chunk((start,), chunk)
    return path.read_bytes()


def test_bad_input_hdf5_that_unpacks_to_more_than_2_gb(tmp_path):
    with pytest.raises(ModelFileError, match=r"^net would take more than 2 GB of memory to read, beside its own size"):
        hdf5.opened(zeros_h5(tmp_path / "large.h5", 5 * 2**26), "net")  # 2.5 GiB
    assert hdf5.opened(zeros_h5(tmp_path / "small.h5", 2**22), "net").array("w").shape == (2**22,)
