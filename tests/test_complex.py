"""Complex: what it tells of its cells, what is drawn of it, and that a file gives back what was saved."""

import dataclasses
import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from creases import (
    Ball,
    Box,
    Complex,
    Line,
    ModelFileError,
    Network,
    Plane,
    Polygon,
    Segment,
    Space,
    count,
    decision_regions,
    load,
    subdivide,
)
from creases.complex.complex import digest_of_archive
from networks import KINDS, random_network, table

SQUARE = Box([-1, -1], [1, 1])
HARD = ("extreme", "mixed_scales", "nudged", "parallel")
ARRAYS = ("first", "corners", "at_infinity", "edges", "patterns")


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


CROSS = hidden([[[1, 0], [0, 1]]], [[0, 0]])
DEEP = Network.from_arrays(*random_network([2, 9, 8, 3], 1, 0.3))


def area(polygon):
    x, y = polygon.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


# What it tells.


def test_known_quadrants():
    cells = subdivide(CROSS, SQUARE)
    assert (len(cells), cells.regions, cells.dimension, cells.by_layer) == (4, 4, 2, (4,))
    assert (cells.certified, cells.exact_cells) == (True, 0)
    assert cells.seconds > 0
    assert repr(cells) == f"Complex(4 regions, certified, {SQUARE!r}, network={CROSS.sha256[:12]})"
    found = {}
    for cell in cells:
        assert cell.rays.shape == (0, 2)
        right, top = cell.pattern[0].tolist()
        found[right, top] = sorted(map(tuple, cell.vertices.tolist()))
    for (right, top), corners in found.items():
        x, y = (-1, 1)[right], (-1, 1)[top]
        assert corners == sorted([(0, 0), (x, 0), (0, y), (x, y)])
    assert len(found) == 4


def test_known_quadrants_of_the_whole_plane():
    cells = subdivide(CROSS, Space(2))
    for cell in cells:
        (right, top), sign = cell.pattern[0].tolist(), (-1.0, 1.0)
        assert cell.vertices.tolist() == [[0, 0]]
        assert sorted(map(tuple, cell.rays.tolist())) == sorted([(sign[right], 0), (0, sign[top])])
        rows = slice(cells.first[cell.index], cells.first[cell.index + 1])
        # Neuron, neuron, and infinity between the two directions.
        assert sorted(cells.edges[rows].tolist()) == [-1, 0, 1]
        assert (cells.at_infinity[rows] & np.roll(cells.at_infinity[rows], -1)).tolist() == (
            cells.edges[rows] == -1
        ).tolist()


def test_laws_rays_are_unit_directions_of_the_cell():
    """From an interior point along a ray of its cell, the pattern stays."""
    cells = subdivide(DEEP, Space(2))
    assert any(len(cell.rays) == 2 for cell in cells)
    assert any(len(cell.rays) == 0 for cell in cells)
    for cell, point in zip(cells, cells.interior_points, strict=True):
        np.testing.assert_allclose(np.linalg.norm(cell.rays, axis=1), 1, rtol=1e-12)
        for ray in cell.rays:
            for far in (1.0, 1e3):
                assert np.array_equal(DEEP.packed_pattern(point + far * ray), cells.patterns[cell.index])


def test_laws_cells_patterns_and_maps():
    cells = subdivide(DEEP, SQUARE)
    for i, (cell, point) in enumerate(zip(cells, cells.interior_points, strict=True)):
        assert cell.index == i
        assert np.array_equal(DEEP.packed_pattern(point), cells.patterns[i])
        assert [p.tolist() for p in cells.pattern(i)] == [p.tolist() for p in DEEP.pattern(point)]
        assert [p.tolist() for p in cell.pattern] == [p.tolist() for p in cells.pattern(i)]
        matrix, offset = cells.affine_map(i)
        np.testing.assert_allclose(matrix @ point + offset, DEEP.forward(point), rtol=1e-9, atol=1e-12)
    # Continuous: at each corner all the cells around it give one value.
    for cell in cells:
        matrix, offset = cells.affine_map(cell.index)
        for corner in cell.vertices:
            np.testing.assert_allclose(matrix @ corner + offset, DEEP.forward(corner), rtol=1e-7, atol=1e-9)
    assert cells.cell(-1).index == len(cells) - 1
    assert len(np.unique(cells.patterns, axis=0)) == len(cells) == count(DEEP, SQUARE).regions


def test_known_constant_network():
    """One cell without corners, that is the whole plane or line."""
    constant = hidden([[[0, 0]], [[1.0]]], [[2], [-3]])
    cells = subdivide(constant, Space(2))
    assert (len(cells), cells.by_layer) == (1, (1, 1))
    assert [p.tolist() for p in cells.pattern(0)] == [[True], [False]]
    assert cells.cell(0).vertices.shape == (0, 2)
    assert cells.at_infinity.all()
    assert np.isfinite(cells.interior_points).all()
    assert [area(p) for p in cells.polygons([-1, 2, 0, 4])] == [12.0]
    line = subdivide(constant, Line([0, 0], [1, 1]))
    assert line.intervals().tolist() == [[-np.inf, np.inf]]
    assert [area(p) for p in subdivide(constant, SQUARE).polygons()] == [4.0]


def test_known_strips():
    """Along (1, 2) nothing changes: strips with two directions and no corner of their own."""
    network = hidden([[[2, -1], [-2, 1], [4, -2]]], [[0, 1, -6]])
    cells = subdivide(network, Space(2))
    assert len(cells) == count(network, Space(2)).unbounded == 4
    for cell in cells:
        along = [ray for ray in cell.rays.tolist() if abs(2 * ray[0] - ray[1]) < 1e-12]
        np.testing.assert_allclose(sorted(along), np.array([[-1, -2], [1, 2]]) / 5**0.5, rtol=1e-12)
        for vertex in cell.vertices:
            assert min(abs(2 * vertex[0] - vertex[1] - c) for c in (0, 1, 3)) < 1e-12


def test_known_what_a_complex_gives_prints_in_a_line():
    cells = subdivide(CROSS, SQUARE)
    assert repr(cells.facets) == "Facets(12 facets, 4 between two cells)"
    assert repr(cells.faces(0)) == "Faces(9 faces)"
    assert repr(cells.bent_hyperplanes()) == "BentHyperplanes(2 rows, 2 with pieces, 2 components)"
    classes = decision_regions(subdivide(Network.he([2, 3, 2], seed=0).with_argmax(), SQUARE))
    assert repr(classes).startswith(f"DecisionRegions({classes.regions} of ")
    assert "whole regions: those that meet the sphere" in subdivide(CROSS, Ball([0, 0], 1)).summary()


def test_bad_input_of_a_complex():
    cells, line = subdivide(CROSS, SQUARE), subdivide(CROSS, Segment([-1, 0.5], [1, 0.5]))
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"cell {index} of a complex of 4 cells"):
            cells.cell(index)
    with pytest.raises(ValueError, match=r"intervals\(\) needs a domain of dimension one; use polygons\(\)"):
        cells.intervals()
    with pytest.raises(ValueError, match=r"polygons\(\) needs a domain of dimension two; use intervals\(\)"):
        line.polygons()
    with pytest.raises(ValueError, match=r"polygons\(\) needs a domain of dimension two; use cell\(i\)\.vertices"):
        subdivide(Network.he([3, 3, 1]), Box([-1] * 3, [1] * 3)).polygons()
    for name in ARRAYS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(cells, name)[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        cells.first = None


# Windows.

WINDOWS = ([-1, 1, -1, 1], [-40, 30, -20, 50], [2, 3, 5, 5.5])


def check_windows(cells, windows=WINDOWS):
    for xmin, xmax, ymin, ymax in windows:
        polygons = cells.polygons([xmin, xmax, ymin, ymax])
        assert len(polygons) == len(cells)
        found = [area(polygon) for polygon in polygons if len(polygon)]
        assert min(found) >= -1e-9
        assert sum(found) == pytest.approx((xmax - xmin) * (ymax - ymin), rel=1e-9)
        for polygon in polygons:
            assert ((polygon >= np.array([xmin, ymin]) - 1e-9) & (polygon <= np.array([xmax, ymax]) + 1e-9)).all()


def cases(rounds, seed):
    """The table, without the networks along some direction of which nothing changes: they have strips (below)."""
    for name, weights, biases in table(rounds * len(KINDS), seed):
        if name.split("-")[0] not in HARD and np.linalg.matrix_rank(np.array(weights[0])) == 2:
            yield pytest.param(weights, biases, id=name)


@pytest.mark.parametrize(("weights", "biases"), list(cases(2, 41)))
def test_laws_windows_of_whole_planes(weights, biases):
    check_windows(subdivide(hidden(weights, biases), Space(2)))
    check_windows(subdivide(hidden(weights, biases), Plane([0.5, 0.25], [[1, 2], [-1, 1]])))


def test_laws_windows_of_a_square():
    """Outside the domain there is nothing to draw."""
    polygons = subdivide(DEEP, SQUARE).polygons([0, 5, -0.5, 5])
    assert sum(area(p) for p in polygons if len(p)) == pytest.approx(1.5)
    assert any(len(p) == 0 for p in polygons)
    assert sum(len(p) for p in subdivide(DEEP, SQUARE).polygons([2, 3, 2, 3])) == 0


@pytest.mark.parametrize("row", [[0, 1], [1, 1], [1, -1], [2, 1], [-1, 2]], ids=str)
@pytest.mark.parametrize("biases", [[0], [0.5], [0, 0.5], [0, 1, -3]], ids=str)
def test_laws_windows_of_strips(row, biases):
    check_windows(subdivide(hidden([[row] * len(biases)], [biases]), Space(2)), WINDOWS[:2])


@pytest.mark.parametrize(("row", "bias"), [([1, 0], 0), ([-1, 0], 0.5), ([0.2, -0.9], 0.8)], ids=str)
def test_laws_windows_of_upright_strips(row, bias):
    check_windows(subdivide(hidden([[row]], [[bias]]), Space(2)), WINDOWS[:2])


def test_known_usual_window():
    """Without a window only unbounded cells are clipped; every cell is drawn, and bounded ones whole."""
    cells = subdivide(DEEP, Space(2))
    for cell, polygon in zip(cells, cells.polygons(), strict=True):
        if not len(cell.rays):
            assert np.array_equal(polygon, cell.vertices)


# Files.

DOMAINS = [
    SQUARE,
    Space(2),
    Polygon([[-1, -1], [2, -0.5], [0.5, 1.5], [-1, 1]]),
    Plane.through([0.1, 1e9], [0.3, 0.7], [1, 1]).square(0.5),
    Segment([-1, -1], [0.1, 1]),
    Line([0.1, 0], [1, 0.3]),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=repr)
def test_laws_save_and_load(domain, tmp_path):
    cells = subdivide(DEEP, domain)
    path = cells.save(tmp_path / "cells.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["cells.npz"], "nothing else is left behind"
    again = Complex.load(str(path))
    for name in ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(cells, name))
        assert getattr(again, name).dtype == getattr(cells, name).dtype
    for name in ("by_layer", "certified", "exact_cells", "seconds", "version"):
        assert getattr(again, name) == getattr(cells, name)
    assert again.network.sha256 == DEEP.sha256
    assert again.network.n_out == 3
    assert again.domain.to_dict() == domain.to_dict()
    assert np.array_equal(again.interior_points, cells.interior_points)
    assert repr(again) == repr(cells)


def saved(tmp_path):
    path = subdivide(CROSS, SQUARE).save(tmp_path / "cells.npz")
    return path, path.read_bytes()


def test_bad_input_saved_name(tmp_path):
    with pytest.raises(ModelFileError, match=r"A complex is saved as \.npz, got 'cells\.csv'\. Rename it cells\.npz"):
        subdivide(CROSS, SQUARE).save(tmp_path / "cells.csv")


def test_bad_input_missing_file(tmp_path):
    with pytest.raises(
        ModelFileError, match=r"nowhere\.npz cannot be read as a saved complex: No such file. Check the path"
    ):
        Complex.load(tmp_path / "nowhere.npz")


def test_bad_input_truncated_file(tmp_path):
    path, data = saved(tmp_path)
    for length in (0, 1, 4, 30, len(data) // 3, len(data) // 2, len(data) - 30, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError, match="cannot be read as a saved complex"):
            Complex.load(path)


def test_bad_input_damaged_file(tmp_path):
    """A flipped byte is noticed, or changes nothing that is read."""
    path, data = saved(tmp_path)
    noticed = 0
    for at in range(0, len(data), 13):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            cells = Complex.load(path)
        except ModelFileError:
            noticed += 1
        else:
            assert cells.by_layer == (4,)
            assert cells.network.sha256 == CROSS.sha256
    assert noticed > len(data) / 13 / 2


def rewritten(data, sealed=True, **changes):
    """The archive with some arrays replaced, or taken out where the change is None; with its digest, if it can be."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays.update(changes)
    arrays = {name: array for name, array in arrays.items() if array is not None}
    if sealed and "header" in arrays and str(arrays["header"]).startswith("{"):
        header = arrays.pop("header")
        fields = json.loads(str(header))
        numbers = {name: array for name, array in arrays.items() if array.dtype != object}
        arrays["header"] = np.array(json.dumps({**fields, "digest": digest_of_archive(fields, numbers)}))
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_bad_input_other_archives(tmp_path):
    path, data = saved(tmp_path)
    header = json.loads(str(np.load(io.BytesIO(data))["header"]))
    for changes, message in [
        ({"weight_0": np.ones((2, 2))}, "is damaged: its network does not have the hash that was saved with it"),
        (
            {"header": np.array(json.dumps({**header, "format": "x"}))},
            r"is not a complex of this version \(creases-complex-2, ",
        ),
        ({"header": np.array("no json")}, "cannot be read as a saved complex"),
        ({"header": None}, "cannot be read as a saved complex: .*header"),
        ({"edges": None}, "does not describe the cells of a complex: .*edges"),
        ({"patterns": np.array([{}], dtype=object)}, "cannot be read as a saved complex: .*allow_pickle"),
    ]:
        path.write_bytes(rewritten(data, **changes))
        with pytest.raises(ModelFileError, match=message):
            Complex.load(path)
    path.write_bytes(CROSS.save(tmp_path / "net.npz").read_bytes())
    with pytest.raises(ModelFileError, match=r"holds a network, and no complex. Open it with creases\.load"):
        Complex.load(path)
    path, _ = saved(tmp_path)
    with pytest.raises(ModelFileError, match=r"holds regions, .* and no network. Open it with creases\.Complex\.load"):
        load(path)
    table = tmp_path / "cells.parquet"
    table.write_bytes(b"PAR1")
    with pytest.raises(ModelFileError, match=r"Only the \.npz of Complex\.save can be loaded again"):
        Complex.load(table)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(ModelFileError, match="cannot be read as a saved complex"):
        Complex.load(path)


def test_bad_input_altered_archives(tmp_path):
    """Each number that is saved, changed where nothing else tells: as a slip of the hand would, its checksums right."""
    path, data = saved(tmp_path)
    with np.load(io.BytesIO(data)) as archive:
        header = json.loads(str(archive["header"]))
        arrays = {name: archive[name] for name in ARRAYS}
    digest = r"does not agree with its digest: it is not as it was saved\. Put back a copy of it, or subdivide again"
    changes = [
        {name: array.astype(array.dtype) ^ 1} for name, array in arrays.items() if name not in ("first", "corners")
    ]
    changes.append({"corners": arrays["corners"] * (1 + 2**-52)})
    for name, value in (("by_layer", [5]), ("certified", False), ("exact_cells", 1), ("digest", ""), ("version", "9")):
        changes.append({"header": np.array(json.dumps({**header, name: value}))})
    del header["digest"]
    changes.append({"header": np.array(json.dumps(header))})
    for change in changes:
        path.write_bytes(rewritten(data, sealed=False, **change))
        with pytest.raises(ModelFileError, match=digest):
            Complex.load(path)


def test_bad_input_an_old_archive(tmp_path):
    path, data = saved(tmp_path)
    header = {**json.loads(str(np.load(io.BytesIO(data))["header"])), "format": "creases-complex-1"}
    path.write_bytes(rewritten(data, header=np.array(json.dumps(header))))
    with pytest.raises(ModelFileError, match=r"says 'creases-complex-1'\. Subdivide again and save, or open it with"):
        Complex.load(path)


def bomb(path, name, head, length):
    """An archive whose member begins so and goes on with zeros, packed a thousandfold."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{name}.npy", "w") as member:
        member.write(head)
        for _ in range(length >> 20):
            member.write(bytes(1 << 20))


def described(shape, kind):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "head", "length", "words"),
    [
        (
            "header",
            described((), "<U33554432"),
            128 << 20,
            "header claims 134,217,856 bytes, and may have 67,108,864 at",
        ),
        (
            "first",
            described((1 << 40,), "<i8"),
            1 << 20,
            "first declares 8,796,093,022,336 bytes with its header, and has",
        ),
        (
            "first",
            b"\x93NUMPY\x02\x00\xff\xff\xff\x7f",
            1 << 20,
            "member claims 2,147,483,647 bytes, and may have 10,000",
        ),
        ("first", b"nonsense", 1 << 20, "is no array in NumPy's format"),
    ],
)
def test_bad_input_archives_that_claim_much(tmp_path, name, head, length, words):
    """Refused before memory is taken for it: 128 MB of zeros have 128 kB packed."""
    path = tmp_path / "cells.npz"
    bomb(path, name, head, length)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=f"cannot be read as a saved complex: .*{words}"):
            Complex.load(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_bad_input_archives_of_false_sizes(tmp_path):
    """The directory of an archive may say anything too."""
    path, data = saved(tmp_path)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("patterns.npy").file_size
    at = data.rindex(b"patterns.npy") - 46  # its entry in the directory, where the size stands at 24
    assert data[at : at + 4] == b"PK\1\2"
    assert int.from_bytes(data[at + 24 : at + 28], "little") == size
    path.write_bytes(data[: at + 24] + (1 << 31).to_bytes(4, "little") + data[at + 28 :])
    with pytest.raises(ModelFileError, match=r"patterns claims 2,147,483,648 bytes, which cannot come from"):
        Complex.load(path)


@pytest.mark.parametrize(
    "change", ["no network", "no domain", "no by_layer", "other domain", "first", "edges", "patterns"]
)
def test_bad_input_inconsistent_archives(tmp_path, change):
    path, data = saved(tmp_path)
    header = json.loads(str(np.load(io.BytesIO(data))["header"]))
    if change.startswith("no "):
        del header[change[3:]]
    if change == "other domain":
        header["domain"] = {"kind": "segment"}
    arrays = {
        "first": {"first": np.array([0, 99])},
        "edges": {"edges": np.zeros(3, np.int64)},
        "patterns": {"patterns": np.zeros((1, 1), np.uint8)},
    }
    path.write_bytes(rewritten(data, header=np.array(json.dumps(header)), **arrays.get(change, {})))
    with pytest.raises(ModelFileError, match="cells"):
        Complex.load(path)
