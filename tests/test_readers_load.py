"""`creases.load`: which reader a file goes to, and what is no file for it."""

import os
from pathlib import Path

import numpy as np
import pytest

import creases
from children import python
from creases.errors import CreasesError, ModelFileError, NotEnoughMemoryError, UnsupportedModelError
from creases.network import Network
from creases.readers import READERS

NETWORK = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])


def test_known_paths_of_every_kind(tmp_path):
    path = NETWORK.save(tmp_path / "net.npz")
    assert creases.load(str(path)).sha256 == creases.load(path).sha256 == NETWORK.sha256
    path.rename(tmp_path / "NET.NPZ")
    assert creases.load(tmp_path / "NET.NPZ").sha256 == NETWORK.sha256


def test_laws_optional_packages_are_not_imported_unless_needed(tmp_path):
    path = NETWORK.save(tmp_path / "net.npz")
    code = f"""
import sys, creases
creases.load({str(path)!r})
try:
    creases.load([1, 2])
except creases.CreasesError:
    pass
print(sorted(set(sys.modules) & {{"torch", "onnx", "safetensors", "numba", "flint"}}))
"""
    done = python(code)
    assert done.stdout.strip() == "[]"


def test_bad_input_missing_file(tmp_path):
    with pytest.raises(
        ModelFileError, match=r"There is no file .*nowhere\.nnet\. Check the path; relative ones start from"
    ):
        creases.load(tmp_path / "nowhere.nnet")


def test_bad_input_directory(tmp_path):
    with pytest.raises(ModelFileError, match=r"is a directory. Give the path of one file in it"):
        creases.load(tmp_path)


@pytest.mark.parametrize("name", ["net.tflite", "net", "net.nnet.txt"])
def test_bad_input_unknown_extension_lists_the_known(tmp_path, name):
    (tmp_path / name).write_text("1")
    known = r"known ones are \.npz, \.nnet, \.onnx, \.onnx\.gz, \.polar, \.pt, \.pth, \.ckpt, \.safetensors"
    with pytest.raises(ModelFileError, match=rf"{name} has extension '.*'; {known}"):
        creases.load(tmp_path / name)


@pytest.mark.parametrize("suffix", ["npz", "nnet", "onnx", "onnx.gz", "polar", "pt", "pth", "ckpt", "safetensors"])
def test_bad_input_empty_file(tmp_path, suffix):
    (tmp_path / f"net.{suffix}").write_bytes(b"")
    with pytest.raises(ModelFileError, match=rf"net.{suffix} is empty"):
        creases.load(tmp_path / f"net.{suffix}")


@pytest.mark.parametrize("source", [None, 3, [1.0], b"net.npz"])
def test_bad_input_other_objects(source):
    with pytest.raises(
        UnsupportedModelError,
        match=r"load takes the path of a file \(\.npz.* .* a model of Keras, or a fitted MLP.*, got a",
    ):
        creases.load(source)


@pytest.mark.parametrize("error", [RecursionError("deep"), UnicodeDecodeError("utf-8", b"x", 0, 1, "odd")])
def test_bad_input_what_no_reader_foresaw_is_still_our_error(tmp_path, monkeypatch, error):
    from creases.readers import polar

    def fail(_data, _source):
        raise error

    monkeypatch.setattr(polar, "read_polar", fail)
    (tmp_path / "net.polar").write_text("1")
    with pytest.raises(ModelFileError, match=rf"net\.polar cannot be read as \.polar; {type(error).__name__}"):
        creases.load(tmp_path / "net.polar")


def test_bad_input_paths_that_are_no_paths():
    with pytest.raises(CreasesError, match=r"cannot be opened|There is no file"):
        creases.load("net\0.npz")
    with pytest.raises(CreasesError, match=r"cannot be opened|There is no file"):
        creases.load("x" * 5000 + ".npz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_bad_input_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "net.npz")
    with pytest.raises(ModelFileError, match=r"net.npz is not a regular file"):
        creases.load(tmp_path / "net.npz")


@pytest.mark.parametrize("where", ["reading the file", "making its arrays"])
def test_bad_input_no_room_for_a_file(tmp_path, monkeypatch, where):
    path = NETWORK.save(tmp_path / "net.npz")

    def full(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr(*((Path, "read_bytes") if where == "reading the file" else (np, "load")), full)
    with pytest.raises(NotEnoughMemoryError, match=r"net\.npz has [0-9,]+ bytes, and reading it takes more memory"):
        creases.load(path)


def test_house_every_extension_is_documented():
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text()
    assert [suffix for suffix in READERS if f"`{suffix}`" not in page] == []
