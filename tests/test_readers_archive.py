"""`.npz` files that `Network.save` wrote, and ones that it did not."""

import io
import json
import zipfile

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, ModelFileError, NetworkError
from creases.network import Network, Normalisation
from creases.npz import check_npz

RNG = np.random.default_rng(3)


def network_of(output_layer=True, **options):
    shapes = [(6, 4), (5, 6), (3, 5)]
    weights, biases = [RNG.standard_normal(s) for s in shapes], [RNG.standard_normal(s[0]) for s in shapes]
    return Network.from_arrays(weights, biases, output_layer=output_layer, **options)


@pytest.mark.parametrize("output_layer", [True, False])
def test_laws_a_saved_network_comes_back(tmp_path, output_layer):
    norm = Normalisation(-np.ones(4), np.ones(4), np.zeros(4), np.full(4, 2.0), 0.5, 3.0)
    network = network_of(output_layer, input_shape=(2, 2), normalisation=norm, notes=["told", "twice"])
    again = creases.load(network.save(tmp_path / "net.npz"))
    assert again.sha256 == network.sha256
    assert repr(again) == repr(network)
    assert again.notes == network.notes
    assert again.input_shape == (2, 2)
    assert (again.output is None) != output_layer
    for name in ("minimum", "maximum", "mean", "range", "output_mean", "output_range", "applied"):
        assert np.array_equal(getattr(again.normalisation, name), getattr(norm, name))


@pytest.fixture
def altered(tmp_path):
    """The path of a saved network of which `change(arrays, header)` has altered the parts."""

    def alter(change, **options):
        path = network_of(**options).save(tmp_path / "net.npz")
        with np.load(path) as archive:
            arrays = dict(archive)
        header = json.loads(str(arrays["header"]))
        change(arrays, header)
        if "header" in arrays and arrays["header"].shape == ():
            arrays["header"] = np.array(json.dumps(header))
        np.savez_compressed(path, **arrays)
        return path

    return alter


def nudge(arrays, _header):
    arrays["weight_2"][0, 0] += 1e-12


def spoil(arrays, _header):
    arrays["bias_1"][2] = np.nan


NORM = {"normalisation": {"output_mean": 0.0, "output_range": 1.0, "applied": False}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (nudge, r"the sha256 of its arrays is .*\.\.\., not the one that it was saved with.*it was altered"),
        (spoil, r"layer 1 \(hidden\): bias\[2\] is nan; every weight must be finite"),
        (lambda a, h: a.pop("header"), "holds weights and no graph"),
        (lambda a, h: a.update(extra=np.ones(3)), "was not written by Network.save: it holds 'extra'"),
        (lambda a, h: a.pop("bias_2"), "lacks a weight or a bias: it holds bias_1, bias_3, header"),
        (lambda a, h: a.pop("weight_1"), "lacks a weight or a bias"),
        (lambda a, h: a.update(weight_1=np.ones((6, 4), complex)), "must hold real numbers, got dtype complex128"),
        (lambda a, h: a.update(weight_1=np.array(["a", "b"])), "must hold real numbers, got dtype <U1"),
        (lambda a, h: a.update(weight_1=np.ones((6, 5))), "it was altered|does not hold"),
        (lambda a, h: a.update(header=np.array([1, 2])), "the header is no JSON object|the header is not JSON"),
        (
            lambda a, h: h.update(format="creases-network-9"),
            "has format 'creases-network-9'; this version of Creases reads",
        ),
        (lambda a, h: h.update(output_layer="yes"), "the header's 'output_layer' is missing or of the wrong type"),
        (lambda a, h: h.pop("sha256"), "the header's 'sha256' is missing"),
        (lambda a, h: h.update(input_shape=[2.0, 2.0]), "the header's 'input_shape' is missing or of the wrong type"),
        (lambda a, h: h.update(input_shape=[-2, -2]), "the header's 'input_shape'"),
        (lambda a, h: h.update(input_shape=[7]), r"input_shape \(7,\) does not hold the 4 inputs"),
        (lambda a, h: h.update(notes=[1]), "the header's 'notes'"),
        (lambda a, h: h.update(NORM), r"the normalisation is incomplete \(\['minimum', 'maximum', 'mean', 'range'\]\)"),
        (lambda a, h: h.update(normalisation=3), "the normalisation is incomplete"),
    ],
)
def test_bad_input_archives(altered, change, text):
    with pytest.raises(CreasesError, match=text):
        creases.load(altered(change))


@pytest.mark.parametrize("change", [{"range": np.zeros(4)}, {"mean": np.ones(3)}, {"minimum": np.full(4, np.inf)}])
def test_bad_input_normalisations(altered, change):
    values = {"minimum": -np.ones(4), "maximum": np.ones(4), "mean": np.zeros(4), "range": np.ones(4), **change}

    def put(arrays, header):
        header.update(NORM)
        arrays.update({f"normalisation_{name}": value for name, value in values.items()})

    with pytest.raises(ModelFileError, match=r"must have 4 finite numbers each, with ranges above zero"):
        creases.load(altered(put))


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle in an .npz was run",)


def test_bad_input_pickles_are_not_run(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, header=np.array(Trap(), dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path) as archive:
        header = archive.read("header.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", header)
    with pytest.raises(ModelFileError, match=r"declares .* numbers of type object"):
        creases.load(path)


def npy(shape, dtype="<f8", body=b""):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue() + body


def test_bad_input_members_that_claim_more_than_they_hold(tmp_path):
    path = tmp_path / "net.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", npy((2**40,), body=bytes(64)))
    with pytest.raises(
        ModelFileError, match=r"header.npy declares \(1099511627776,\) numbers of type float64, 8796093"
    ):
        creases.load(path)
    # The directory claims 2 GiB for one compressed member.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", npy((8,), body=bytes(64)))
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start + 24 : start + 28] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"claims 2147483648 bytes, which cannot come from"):
        creases.load(path)


def test_bad_input_no_archive(tmp_path):
    path = tmp_path / "net.npz"
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ModelFileError, match=r"net.npz is truncated or damaged: BadZipFile: File is not a zip file"):
        creases.load(path)


def test_bad_input_empty_archive(tmp_path):
    np.savez(tmp_path / "net.npz")
    with pytest.raises(ModelFileError, match=r"lacks a header"):
        creases.load(tmp_path / "net.npz")


def test_bad_input_header_only(altered):
    def drop(arrays, _header):
        for name in list(arrays):
            if name != "header":
                arrays.pop(name)

    with pytest.raises(NetworkError, match=r"Got no layers"):
        creases.load(altered(drop))


def archive_of(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_bad_input_a_header_that_deflate_makes_large(tmp_path):
    """Four kilobytes here, four megabytes of blanks there."""
    text = "[" + " " * 2**20
    path = archive_of(tmp_path / "net.npz", {"header.npy": npy((), f"<U{len(text)}", text.encode("utf-32-le"))})
    assert path.stat().st_size < 2**14
    with pytest.raises(ModelFileError, match=r"header\.npy claims \d+ bytes; a header has 1048576 at most"):
        creases.load(path)


@pytest.mark.parametrize("name", ["header.npy", "weight_1.npy"])
@pytest.mark.parametrize("version", [2, 3])
def test_bad_input_descriptions_of_arrays_without_end(tmp_path, name, version, monkeypatch):
    """Versions 2 and 3 say their description's length in four bytes: numpy would read all of it before it looks."""
    size = 2**19
    data = b"\x93NUMPY" + bytes([version, 0]) + size.to_bytes(4, "little") + b" " * size
    members = {"header.npy": npy((), "<U2", "{}".encode("utf-32-le"))} | {name: data}
    path = archive_of(tmp_path / "net.npz", members)
    monkeypatch.setattr(np.lib.format, "read_array_header_2_0", lambda *_: pytest.fail("the description was read"))
    with pytest.raises(
        ModelFileError, match=rf"{name} has \.npy version \({version}, 0\); Network\.save writes \(1, 0\)"
    ):
        creases.load(path)


def test_bad_input_members_that_share_their_bytes(tmp_path):
    """Many members at one place of the file: each may be as large as deflate makes it."""
    body = npy((2**16,), body=bytes(2**19))
    path = archive_of(tmp_path / "net.npz", {f"weight_{i}.npy": body for i in range(1, 9)} | {"header.npy": npy((0,))})
    whole = path.read_bytes()
    directory = whole.index(b"PK\x01\x02")
    entries = whole[directory:].split(b"PK\x01\x02")[1:]
    # All entries of the directory name the first member's place; the others' bytes are cut out.
    first_end = whole.index(b"PK\x03\x04", 4)
    moved = b"".join(b"PK\x01\x02" + entry[:38] + (0).to_bytes(4, "little") + entry[42:] for entry in entries[:-1])
    end = entries[-1].index(b"PK\x05\x06")
    last = b"PK\x01\x02" + entries[-1][:end]
    tail = bytearray(entries[-1][end:])
    tail[12:16] = len(moved + last).to_bytes(4, "little")
    tail[16:20] = first_end.to_bytes(4, "little")
    path.write_bytes(whole[:first_end] + moved + last + bytes(tail))
    with pytest.raises(ModelFileError, match=r"its members share bytes"):
        creases.load(path)
    with pytest.raises(ValueError, match=r"its members share bytes"):
        check_npz(path, {})


def test_laws_notes_are_no_part_of_the_hash(tmp_path):
    plain, told = network_of(), Network.from_arrays([[[1.0]], [[2.0]]], [[0.0], [0.0]], notes=["a", "b"])
    again = creases.load(told.save(tmp_path / "net.npz"))
    assert again.notes == ("a", "b")
    assert again.sha256 == Network.from_arrays([[[1.0]], [[2.0]]], [[0.0], [0.0]]).sha256
    assert plain.notes == ()
