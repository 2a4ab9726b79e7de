"""Files of cells: what is written is what is read back, in every dimension, and a file is there whole or not at all."""

import json
import sys
from itertools import chain, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from creases import Box, Complex, Network, subdivide
from creases.complex.births import layers_of_birth, layers_of_walls
from creases.complex.exports.polyhedra import corners_around
from creases.domain import domain_from_dict
from creases.errors import ComputationError, DomainError, MissingExtraError, ModelFileError, SaveError
from full_disks import no_file_above
from networks import KINDS, table
from some_complexes import CASES, complex_of, graph

PLANES = ["square", "polygon in a plane", "plane", "line of strips", "constant", "constant on a square"]
SOLIDS = ["cube", "whole numbers in a cube", "graph in a cube"]
NO_PYARROW = "pyarrow is not installed: pip install 'creases[files]'"
NO_SHAPELY = "shapely is not installed: pip install 'creases[files]'"
NO_MESHIO = "meshio is not installed: pip install meshio"
NO_VTK = "vtk is not installed: pip install vtk"


def read_parquet(path):
    """The rows of a table, as lists by column, and what its metadata says."""
    parquet = pytest.importorskip("pyarrow.parquet", reason=NO_PYARROW)
    read = parquet.read_table(path)
    return read.to_pydict(), json.loads(read.schema.metadata[b"creases"])


def run_together(lists):
    return list(chain.from_iterable(lists))


# The layer of birth.


def born_by_patterns(complex):
    """The layer of birth from patterns alone: after which no other cell has the same signs so far."""
    ends = np.cumsum([int(places.sum()) for places in complex.network.places])
    bits = np.unpackbits(complex.patterns, axis=1, bitorder="little")
    born = np.full(len(complex), complex.network.depth)
    for layer in reversed(range(1, complex.network.depth)):
        _, of, many = np.unique(bits[:, : ends[layer - 1]], axis=0, return_inverse=True, return_counts=True)
        born[many[np.ravel(of)] == 1] = layer
    return born if len(complex) > 1 else np.zeros(1, np.int64)


def check_births(complex):
    born = layers_of_birth(complex.network, complex.sides.first, complex.sides.walls)
    assert born.tolist() == born_by_patterns(complex).tolist()
    return born


@pytest.mark.parametrize("name", CASES)
def test_against_patterns_birth(name):
    check_births(complex_of(name))


@pytest.mark.parametrize(("n_in", "rounds"), [(2, 3), (3, 1)])
def test_against_patterns_birth_of_every_kind(n_in, rounds):
    domain, seen = Box([-1] * n_in, [1] * n_in), set()
    for _, weights, biases in table(rounds * len(KINDS), 61, n_in):
        seen |= set(check_births(subdivide(Network.from_arrays(weights, biases, output_layer=False), domain)).tolist())
    assert {1, 2, 3} <= seen


def test_against_patterns_birth_in_graphs():
    for seed in range(12):
        check_births(subdivide(graph(seed, 2), Box([-2, -2], [2, 2])))


def test_known_layers_of_walls():
    """Of five bits three in the first layer; from 5 on a wall is between two candidates, n % 5 the first."""
    network = Network.he([2, 3, 2, 1])
    assert layers_of_walls(network, np.array([-1, -2, -7, 0, 2, 3, 4, 5, 8])).tolist() == [0, 0, 0, 1, 1, 2, 2, 1, 2]
    assert layers_of_walls(Network.he([2, 3, 1]), np.zeros(0, np.int64)).tolist() == []


# Parquet.


@pytest.mark.parametrize("name", CASES)
def test_laws_parquet_holds_the_cells(name, tmp_path):
    complex = complex_of(name)
    path = tmp_path / "cells.parquet"
    pytest.importorskip("pyarrow", reason=NO_PYARROW)
    assert complex.to_parquet(path) == path
    rows, facts = read_parquet(path)
    assert rows["cell"] == list(range(len(complex)))
    assert [*rows["pattern"]] == [row.tobytes() for row in complex.patterns]
    assert rows["bounded"] == complex.is_bounded.tolist()
    assert run_together(rows["corners"]) == complex.corners.tolist()
    assert [len(cell) for cell in rows["corners"]] == np.diff(complex.first).tolist()
    assert run_together(rows["at_infinity"]) == complex.at_infinity.tolist()
    assert run_together(rows["walls"]) == complex.sides.walls.tolist()
    assert rows["layer_of_birth"] == born_by_patterns(complex).tolist()
    check_sides(complex, rows)
    check_neighbours(complex, rows)
    assert facts["network"] == complex.network.sha256
    assert domain_from_dict(facts["domain"]) == complex.domain
    assert facts["by_layer"] == list(complex.by_layer)
    assert (facts["regions"], facts["certified"], facts["version"]) == (len(complex), True, complex.version)
    assert facts["lineality"] == complex.lineality.tolist()
    assert sum(facts["bits_by_layer"]) == complex.network.bits
    assert facts["layers"] == list(complex.network.layer_names)


def check_sides(complex, rows):
    """Each side has the corners that `Complex.sides` gives it, counted within the cell."""
    sides = complex.sides
    for cell in range(len(complex)):
        mine = range(sides.first[cell], sides.first[cell + 1])
        assert rows["side_corners"][cell] == [
            (sides.corners[sides.corner_first[j] : sides.corner_first[j + 1]] - complex.first[cell]).tolist()
            for j in mine
        ]


def check_neighbours(complex, rows):
    """Neighbours know each other, by walls of one layer, and an edge of the domain has none."""
    for cell, (walls, neighbours) in enumerate(zip(rows["walls"], rows["neighbours"], strict=True)):
        assert len(walls) == len(neighbours)
        for wall, other in zip(walls, neighbours, strict=True):
            assert (other < 0) == (wall < 0)
            assert other < 0 or (other != cell and cell in rows["neighbours"][other])
            assert other < 0 or rows["pattern"][cell] != rows["pattern"][other]
    inner = int(complex.facets.inner.sum())
    assert sum(other >= 0 for neighbours in rows["neighbours"] for other in neighbours) == 2 * inner


def test_known_parquet_of_many_blocks(tmp_path, monkeypatch):
    """Written in row groups of a few cells: the same table, whose cells are counted through."""
    from creases.complex.exports import parquet

    arrow = pytest.importorskip("pyarrow.parquet", reason=NO_PYARROW)
    complex = complex_of("cube")
    whole = complex.to_parquet(tmp_path / "whole.parquet")
    monkeypatch.setattr(parquet, "CELLS_AT_ONCE", 17)
    monkeypatch.setattr(parquet, "MOST_ROWS", 40)
    parts = complex.to_parquet(tmp_path / "parts.parquet")
    assert arrow.read_table(parts).equals(arrow.read_table(whole))
    groups = arrow.ParquetFile(parts).metadata
    assert {groups.row_group(i).num_rows for i in range(groups.num_row_groups - 1)} == {51}


def test_known_parquet_without_neighbours(tmp_path, monkeypatch):
    """The cells are not put together for it."""
    from creases.complex import complex as module

    pytest.importorskip("pyarrow", reason=NO_PYARROW)
    monkeypatch.setattr(module, "skeleton_of", None)
    complex = subdivide(Network.he([2, 4, 1]), Box([-1, -1], [1, 1]))
    rows, facts = read_parquet(complex.to_parquet(tmp_path / "cells.parquet", neighbours=False))
    assert "neighbours" not in rows
    assert facts["neighbours"] is False
    assert len(rows["walls"]) == len(complex)


def test_known_parquet_as_a_frame(tmp_path):
    """pandas reads it as it is."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: pip install 'creases[pandas]'")
    pytest.importorskip("pyarrow", reason=NO_PYARROW)
    frame = pandas.read_parquet(complex_of("square").to_parquet(tmp_path / "cells.parquet"))
    assert frame.groupby("layer_of_birth").cell.count().to_dict() == {1: 38, 2: 374}


# GeoJSON and shapely.


def area(ring):
    x, y = np.array(ring).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


def features(path):
    read = json.loads(path.read_text())
    assert read["type"] == "FeatureCollection"
    return read["features"], read["creases"]


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("window", [None, (-0.5, 0.25, -0.25, 0.125)])
def test_laws_geojson_holds_the_polygons(name, window, tmp_path):
    complex = complex_of(name)
    found, facts = features(complex.to_geojson(tmp_path / "cells.geojson", window))
    polygons = complex.polygons(window)
    seen = [cell for cell, polygon in enumerate(polygons) if len(polygon) > 2]
    assert [feature["properties"]["cell"] for feature in found] == seen == [feature["id"] for feature in found]
    born = born_by_patterns(complex)
    for feature, cell in zip(found, seen, strict=True):
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert ring[:-1] == polygons[cell].tolist()
        assert area(ring) >= 0  # counter-clockwise
        assert feature["properties"]["layer_of_birth"] == born[cell]
        assert feature["properties"]["bounded"] == complex.is_bounded[cell]
    if window is not None and name != "polygon in a plane":
        total = sum(area(feature["geometry"]["coordinates"][0]) for feature in found)
        assert total == pytest.approx(0.75 * 0.375, rel=1e-12)
    assert facts["network"] == complex.network.sha256
    assert domain_from_dict(facts["domain"]) == complex.domain


def test_known_geojson_of_nothing(tmp_path):
    """A window beside the domain: no features, and JSON all the same."""
    found, facts = features(complex_of("square").to_geojson(tmp_path / "none.geojson", (5, 6, 5, 6)))
    assert (found, facts["regions"]) == ([], 412)


@pytest.mark.parametrize("name", PLANES)
def test_laws_shapely(name):
    shapely = pytest.importorskip("shapely", reason=NO_SHAPELY)
    complex, window = complex_of(name), (-0.5, 0.25, -0.25, 0.125)
    polygons = complex.to_shapely(window)
    assert len(polygons) == len(complex)
    for polygon, corners in zip(polygons, complex.polygons(window), strict=True):
        assert polygon.is_empty == (len(corners) < 3)
        assert polygon.is_empty or shapely.get_coordinates(polygon)[:-1].tolist() == corners.tolist()
    if name != "polygon in a plane":
        assert shapely.union_all(polygons).area == pytest.approx(0.75 * 0.375, rel=1e-9)
        assert sum(polygon.area for polygon in polygons) == pytest.approx(0.75 * 0.375, rel=1e-12)


def test_known_shapely_finds_the_cell_of_a_point():
    shapely = pytest.importorskip("shapely", reason=NO_SHAPELY)
    complex = complex_of("square")
    points = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    place, cells = shapely.STRtree(complex.to_shapely()).query(shapely.points(points), predicate="within")
    assert sorted(place) == list(range(50))
    assert (complex.patterns[cells] == complex.network.packed_pattern(points[place])).all()


# VTK.


def read_vtu(path):
    """The arrays of a .vtu file by name, and what its comment says, by the rules of the format."""
    raw = path.read_bytes()
    head, rest = raw.split(b'<AppendedData encoding="raw">\n_', 1)
    data, end = rest.rsplit(b"\n</AppendedData>", 1)
    root = ElementTree.fromstring(head + b"</VTKFile>")
    assert end.strip() == b"</VTKFile>"
    assert (root.get("header_type"), root.get("byte_order")) == ("UInt64", "LittleEndian")
    found = {}
    for array in root.iter("DataArray"):
        at = int(array.get("offset"))
        size = int.from_bytes(data[at : at + 8], "little")
        kind = {"Float64": "<f8", "Int64": "<i8", "Int32": "<i4", "UInt8": "u1"}[array.get("type")]
        values = np.frombuffer(data[at + 8 : at + 8 + size], kind)
        wide = array.get("NumberOfComponents")
        found[array.get("Name")] = values if wide is None else values.reshape(-1, int(wide))
        last = at + 8 + size
    assert last == len(data)
    piece = next(root.iter("Piece"))
    assert int(piece.get("NumberOfPoints")) == len(found["points"])
    assert int(piece.get("NumberOfCells")) == len(found["offsets"]) == len(found["cell"]) == len(found["types"])
    told = raw.split(b"<!--", 1)[1].split(b"-->", 1)[0]
    assert b"--" not in told
    return found, json.loads(told)


def faces_of(found, cell):
    """The points of each face of a polyhedron."""
    end = found["faceoffsets"][cell]
    at = found["faceoffsets"][cell - 1] if cell else 0
    faces = []
    count = found["faces"][at]
    at += 1
    for _ in range(count):
        size = found["faces"][at]
        faces.append(found["faces"][at + 1 : at + 1 + size].tolist())
        at += 1 + size
    assert at == end
    return faces


@pytest.mark.parametrize("name", SOLIDS)
def test_laws_polyhedra_are_closed(name, tmp_path):
    """Each edge of a cell has two faces, which go along it one way and the other; Euler; volumes add up."""
    complex = complex_of(name)
    found, facts = read_vtu(complex.to_vtu(tmp_path / "cells.vtu"))
    assert set(found["types"]) == {42}
    assert found["points"].tolist() == complex.vertices.tolist()
    assert found["connectivity"].tolist() == complex.vertex_numbers.tolist()
    assert found["offsets"].tolist() == complex.first[1:].tolist()
    assert found["layer_of_birth"].tolist() == born_by_patterns(complex).tolist()
    assert found["cell"].tolist() == list(range(len(complex)))
    total = 0.0
    for cell in range(len(complex)):
        faces = faces_of(found, cell)
        edges = [(a, b) for face in faces for a, b in zip(face, [*face[1:], face[0]], strict=True)]
        assert len(set(edges)) == len(edges)
        assert {(b, a) for a, b in edges} == set(edges)
        corners = set(complex.vertex_numbers[complex.first[cell] : complex.first[cell + 1]].tolist())
        assert {a for a, _ in edges} == corners
        assert len(corners) - len(edges) // 2 + len(faces) == 2
        volume = volume_of(found["points"], faces)
        assert volume > 0  # the faces look outward
        total += volume
    sides = complex.domain.upper - complex.domain.lower
    assert total == pytest.approx(np.prod(sides), rel=1e-9)
    assert facts["by_layer"] == list(complex.by_layer)


def volume_of(points, faces):
    """By the divergence theorem, over triangles that fan out from each face's first corner."""
    origin = points[faces[0][0]]
    return sum(
        np.linalg.det([points[face[0]] - origin, points[a] - origin, points[b] - origin]) / 6
        for face in faces
        for a, b in pairwise(face[1:])
    )


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("window", [None, (-0.5, 0.25, -0.25, 0.125)])
def test_laws_vtu_of_polygons(name, window, tmp_path):
    complex = complex_of(name)
    found, _ = read_vtu(complex.to_vtu(tmp_path / "cells.vtu", window))
    assert set(found["types"]) == {7}
    polygons = [polygon for polygon in complex.polygons(window) if len(polygon) > 2]
    read = [found["points"][ids] for ids in np.split(found["connectivity"], found["offsets"][:-1])]
    assert len(read) == len(polygons)
    for one, other in zip(read, polygons, strict=True):
        assert not one[:, 2].any()
        # A vertex has the coordinates that its first cell knows it by.
        np.testing.assert_allclose(one[:, :2], other, rtol=0, atol=1e-8)
    assert (found["layer_of_birth"] == born_by_patterns(complex)[found["cell"]]).all()
    if window is None and complex.is_bounded.all():
        assert len(found["points"]) == len(complex.vertices)


def test_against_meshio(tmp_path):
    """The format as another program reads it. Of polyhedra it reads those of one number of corners."""
    meshio = pytest.importorskip("meshio", reason=NO_MESHIO)
    complex = complex_of("square")
    read = meshio.read(complex.to_vtu(tmp_path / "cells.vtu"))
    rows = [row for block in read.cells for row in block.data.tolist()]
    assert rows == [ids.tolist() for ids in np.split(complex.vertex_numbers, complex.first[1:-1])]
    assert np.concatenate(read.cell_data["cell"]).tolist() == list(range(len(complex)))
    boxes = subdivide(Network.from_arrays([np.eye(3)], [np.zeros(3)], output_layer=False), Box([-1] * 3, [1] * 3))
    read = meshio.read(boxes.to_vtu(tmp_path / "boxes.vtu"))
    assert [(block.type, len(block)) for block in read.cells] == [("polyhedron8", 8)]
    assert {len(cell) for cell in read.cells[0].data} == {6}
    assert read.points.tolist() == boxes.vertices.tolist()


def test_against_vtk(tmp_path):
    """The format as VTK reads it, which ParaView does."""
    xml = pytest.importorskip("vtkmodules.vtkIOXML", reason=NO_VTK)
    complex = complex_of("cube")
    reader = xml.vtkXMLUnstructuredGridReader()
    reader.SetFileName(str(complex.to_vtu(tmp_path / "cells.vtu")))
    reader.Update()
    grid = reader.GetOutput()
    assert (grid.GetNumberOfCells(), grid.GetNumberOfPoints()) == (len(complex), len(complex.vertices))
    faces = [grid.GetCell(cell).GetNumberOfFaces() for cell in range(len(complex))]
    assert faces == np.diff(complex.sides.first).tolist()
    assert grid.GetCellData().GetArray("layer_of_birth").GetValue(3) == born_by_patterns(complex)[3]


def test_bad_input_sides_that_are_no_polygons():
    complex = complex_of("cube")
    corners = complex.sides.corners.copy()
    corners[1] = corners[0]
    with pytest.raises(ComputationError, match="make no polygon"):
        corners_around(complex.sides._replace(corners=corners))


# The front door, and what goes wrong.


def test_known_export_by_suffix(tmp_path):
    complex = complex_of("square")
    assert len(Complex.load(complex.export(tmp_path / "a.npz"))) == 412
    assert len(features(complex.export(tmp_path / "a.geojson"))[0]) == 412
    assert len(read_vtu(complex.export(tmp_path / "a.vtu"))[0]["cell"]) == 412
    pytest.importorskip("pyarrow", reason=NO_PYARROW)
    assert len(read_parquet(complex.export(str(tmp_path / "a.parquet")))[0]["cell"]) == 412


def test_bad_input_suffix(tmp_path):
    for name in ("cells.csv", "cells"):
        with pytest.raises(ModelFileError, match=rf"'{name}' does not say what to write.*\.npz .*\.parquet .*\.vtu"):
            complex_of("square").export(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("cube", "to_geojson", r"A \.geojson file holds cells of dimension 2, and those of Box.* have dimension 3"),
        (
            "segment",
            "to_vtu",
            r"A \.vtu file holds cells of dimension 2 or 3, .* have dimension 1\. Save them as \.npz",
        ),
        ("four dimensions", "to_vtu", "have dimension 4"),
        ("cube", "to_geojson", r"have dimension 3\. Save them as \.vtu, \.npz or \.parquet"),
        ("directions", "to_vtu", r"those of Directions\(3\) are directions"),
        ("space", "to_vtu", r"Space\(3\) has cells without an end.* Cut the Box"),
        ("sheets", "to_vtu", "without an end"),
    ],
)
def test_bad_input_dimension(name, how, said, tmp_path):
    with pytest.raises(DomainError, match=said):
        getattr(complex_of(name), how)(tmp_path / "cells")
    assert list(tmp_path.iterdir()) == []


def test_bad_input_the_name_of_another_form(tmp_path):
    for how, wrong, right in [
        ("to_geojson", "cells.npz", ".geojson"),
        ("to_vtu", "cells.parquet", ".vtu"),
        ("to_parquet", "cells.vtu", ".parquet"),
    ]:
        with pytest.raises(ModelFileError, match=rf"{wrong} would hold a \{right} file\. Rename it cells\{right}"):
            getattr(complex_of("square"), how)(tmp_path / wrong)
    assert list(tmp_path.iterdir()) == []


def test_bad_input_shapely_of_space():
    with pytest.raises(DomainError, match="A list of polygons holds cells of dimension 2"):
        complex_of("cube").to_shapely()


@pytest.mark.parametrize("window", [(0, 1), (1, 0, 0, 1), (0, 1, 0, np.inf), (0, 1, 2, 2)])
def test_bad_input_window(window, tmp_path):
    for how in ("to_geojson", "to_vtu"):
        with pytest.raises(DomainError, match=r"A window is \(xmin, xmax, ymin, ymax\), finite"):
            getattr(complex_of("square"), how)(tmp_path / "cells", window)
    with pytest.raises(DomainError, match="A window clips polygons"):
        complex_of("cube").to_vtu(tmp_path / "cells", (0, 1, 0, 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("package", "form"), [("pyarrow", "to_parquet"), ("shapely", "to_shapely")])
def test_bad_input_missing_package(package, form, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    given = (tmp_path / "cells",) if form == "to_parquet" else ()
    with pytest.raises(MissingExtraError, match=rf"needs the package '{package}'.*pip install 'creases\[files\]'"):
        getattr(complex_of("square"), form)(*given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["parquet", "geojson", "vtu"])
def test_bad_input_full_disk(suffix, tmp_path):
    """What was there stays, and nothing is left beside it."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow", reason=NO_PYARROW)
    path = tmp_path / f"cells.{suffix}"
    path.write_text("old")
    complex = complex_of("square")
    with (
        no_file_above(2000),
        pytest.raises(SaveError, match=r"could not be written: .* What was there before is as it"),
    ):
        complex.export(path)
    assert path.read_text() == "old"
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
    with pytest.raises(SaveError, match="Make its folder first"):
        complex.export(tmp_path / "none" / path.name)


def test_bad_input_cells_that_do_not_fit_together(tmp_path, monkeypatch):
    """An error in the midst of the work leaves no file."""
    from creases.complex.exports import parquet

    pytest.importorskip("pyarrow", reason=NO_PYARROW)

    def fails(self):
        raise ComputationError("planted")

    monkeypatch.setattr(parquet.CellFile, "flush", fails)
    with pytest.raises(ComputationError, match="planted"):
        complex_of("square").to_parquet(tmp_path / "cells.parquet")
    assert list(tmp_path.iterdir()) == []
