"""Decision regions, boundaries and level sets: solids with known numbers, dense sampling, files, slices, bad input."""

import json

import numpy as np
import pytest

from creases import (
    Box,
    Directions,
    DomainError,
    Mesh,
    MissingExtraError,
    ModelFileError,
    Network,
    NetworkError,
    Plane,
    Polylines,
    Polytope,
    Segment,
    Simplex,
    Space,
    boundary_of,
    build,
    decision_boundary,
    decision_regions,
    level_set,
    sliced,
    subdivide,
)
from creases.complex import surfaces
from creases.complex.chains import rows_of
from creases.complex.surfaces import check_name
from networks import random_network

pytestmark = pytest.mark.jit
SQUARE = Box([-2, -2], [2, 2])
CUBE = Box([-4, -4, -4], [4, 4, 4])


def octahedron(n=3):
    """|x_1| + ... + |x_n|."""
    return build.network(build.dense(build.abs(build.input(n)), np.ones((1, n))))


def torus():
    """max(|max(|x|, |y|) - 2|, |z|): at 1/2 a square ring with a square hole."""
    x = build.abs(build.input(3))
    ring = build.abs(build.shift(build.maxout(build.take(x, [0, 1]), 2), [-2.0]))
    return build.network(build.maxout(build.concatenate([ring, build.take(x, [2])]), 2))


def two_solids():
    """The smaller of |x - (2, 0, 0)| and |x + (2, 0, 0)|, in the norm of the octahedron."""
    x = build.input(3)
    parts = [build.dense(build.abs(build.shift(x, [at, 0.0, 0.0])), np.ones((1, 3))) for at in (2.0, -2.0)]
    return build.network(build.scale(build.maxout(build.scale(build.concatenate(parts), -1.0), 2), -1.0))


def closed_network(seed, n=3):
    """A random network that grows in all directions, so that its level sets are closed."""
    x = build.input(n)
    weights, biases = random_network([n, 8, 6, 1], seed, 0.3)
    h = x
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        h = build.relu(build.dense(h, weight, bias))
    wide = build.dense(build.abs(x), np.full((1, n), 3.0))
    return build.network(build.add(build.dense(h, weights[-1], biases[-1]), wide))


def area(points):
    x, y = points.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


# Solids.


@pytest.mark.parametrize(
    "domain", [CUBE, Space(3), Simplex([[-9, -9, -9], [20, 0, 0], [0, 20, 0], [0, 0, 20]])], ids=repr
)
def test_known_octahedron(domain):
    mesh = level_set(octahedron(), domain, level=1.0)
    assert isinstance(mesh, Mesh)
    assert (len(mesh.vertices), len(mesh), mesh.components) == (6, 8, 1)
    assert (mesh.is_watertight, mesh.euler_characteristic) == (True, 2)
    assert mesh.area == pytest.approx(4 * 3**0.5)
    assert mesh.volume == pytest.approx(4 / 3)
    assert repr(mesh) == "Mesh(6 vertices, 8 triangles, watertight, area=6.9282)"
    assert sorted(map(tuple, mesh.vertices.round(9) + 0.0)) == sorted(map(tuple, [*np.eye(3), *-np.eye(3)]))
    assert (mesh.labels == [0, 1]).all()


def test_known_octahedron_inside_out():
    """Triangles are counter-clockwise as seen from where the output is larger: here that is inside."""
    network = build.network(build.dense(build.abs(build.input(3)), -np.ones((1, 3))))
    mesh = level_set(network, CUBE, level=-1.0)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(-4 / 3)


def test_known_torus():
    mesh = level_set(torus(), CUBE, level=0.5)
    assert (mesh.is_watertight, mesh.euler_characteristic, mesh.components) == (True, 0, 1)
    assert mesh.area == pytest.approx(64.0)
    assert mesh.volume == pytest.approx(16.0)


def test_known_two_solids():
    mesh = level_set(two_solids(), CUBE, level=1.0)
    assert (mesh.is_watertight, mesh.euler_characteristic, mesh.components) == (True, 4, 2)
    assert mesh.volume == pytest.approx(8 / 3)
    # Where they touch in one corner four triangles of each meet, but no edge has more than two.
    touching = level_set(two_solids(), CUBE, level=2.0)
    assert (touching.is_watertight, touching.euler_characteristic, touching.components) == (True, 3, 1)
    assert touching.volume == pytest.approx(2 * 8 * 4 / 3)


def test_known_open_mesh():
    mesh = level_set(octahedron(), Box([0, 0, 0], [2, 2, 2]), level=1.0)
    assert (len(mesh), mesh.is_watertight, mesh.euler_characteristic) == (1, False, 1)
    assert mesh.area == pytest.approx(3**0.5 / 2)
    empty = level_set(octahedron(), CUBE, level=-1.0)
    assert (len(empty), empty.is_watertight, empty.euler_characteristic, empty.area, empty.volume) == (
        0,
        False,
        0,
        0,
        0,
    )
    assert empty.components == 0


@pytest.mark.parametrize("seed", range(6))
def test_laws_closed_level_sets(seed):
    """Watertight, oriented, and around as much as the cells below the level fill, whatever the network."""
    network = closed_network(seed)
    cells = subdivide(network.with_level_set(1.5), CUBE)
    above = np.array([bool(cells.pattern(i)[-1][0]) for i in range(len(cells))])
    mesh = level_set(network, CUBE, level=1.5)
    assert len(mesh) > 20
    assert mesh.is_watertight
    assert mesh.euler_characteristic % 2 == 0
    assert mesh.volume == pytest.approx(cells.volumes[~above].sum(), rel=1e-9)
    np.testing.assert_allclose(network.forward(mesh.vertices)[:, 0], 1.5, atol=1e-9)
    again = boundary_of(cells, above)
    assert np.array_equal(again.triangles, mesh.triangles)
    # As many triangles as a bent hyperplane's pieces have, and as much area.
    bent = cells.bent_hyperplanes()
    assert len(np.unique(mesh.facets)) == bent.pieces[-1]
    assert mesh.area == pytest.approx(bent.volumes[-1])
    assert mesh.components == bent.components[-1]
    assert bent.is_bounded[-1]


@pytest.mark.parametrize("network", [octahedron(), torus(), two_solids(), closed_network(3)], ids=str)
def test_against_trimesh(network, tmp_path):
    trimesh = pytest.importorskip("trimesh", reason="trimesh, which reads meshes back, is not installed")
    mesh = level_set(network, CUBE, level=0.875)
    for suffix in surfaces.MESH_SUFFIXES:
        path = mesh.save(tmp_path / f"mesh{suffix}")
        read = trimesh.load(path, force="mesh")
        assert read.is_watertight == mesh.is_watertight is True
        assert read.is_winding_consistent
        assert read.euler_number == mesh.euler_characteristic
        assert read.area == pytest.approx(mesh.area, rel=1e-5)
        assert read.volume == pytest.approx(mesh.volume, rel=1e-5)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["mesh.obj", "mesh.ply", "mesh.stl"]


def test_against_meshio(monkeypatch, tmp_path):
    meshio = pytest.importorskip("meshio", reason="meshio, which writes where trimesh is missing, is not installed")
    found = surfaces.find_spec
    monkeypatch.setattr(surfaces, "find_spec", lambda name: None if name == "trimesh" else found(name))
    mesh = level_set(octahedron(), CUBE, level=1.0)
    for suffix in surfaces.MESH_SUFFIXES:
        read = meshio.read(mesh.save(tmp_path / f"mesh{suffix}"))
        triangles = read.cells_dict["triangle"]
        assert len(triangles) == 8
        corners = np.asarray(read.points)[triangles]
        assert sorted(map(tuple, corners.sum(axis=1).round(6))) == sorted(
            map(tuple, mesh.vertices[mesh.triangles].sum(axis=1).round(6))
        )


# Lines.


def test_known_diamond():
    lines = level_set(octahedron(2), SQUARE, level=1.0)
    assert isinstance(lines, Polylines)
    assert (len(lines), lines.closed.tolist(), lines.labels.tolist()) == (1, [True], [[0, 1]])
    assert lines.length == pytest.approx(4 * 2**0.5)
    # The lower label is on the left, here inside: it is gone round counter-clockwise.
    assert area(lines[0]) == pytest.approx(2.0)
    assert level_set(octahedron(2), SQUARE, level=3.0).closed.tolist() == [False] * 4
    assert lines[0] is not lines[-1]
    assert np.array_equal(lines[0], lines[-1])


def test_known_where_an_output_only_touches_a_level():
    x = build.input(2)
    touching = build.network(build.abs(build.take(x, [0])))
    assert len(level_set(touching, SQUARE)) == 0
    # Flat on one side: the border of where it is larger.
    flat = build.network(build.relu(build.take(x, [0])))
    lines = level_set(flat, SQUARE)
    assert (len(lines), lines.length) == (1, 4.0)
    assert (lines[0][:, 0] == 0).all()
    # Lower is on the left, to the west of it: the line goes up.
    assert lines[0][-1, 1] > lines[0][0, 1]


def test_known_lines_that_cross():
    """|x| = |y| is four lines that end where they cross."""
    network = build.network(build.dense(build.abs(build.input(2)), [[1.0, -1.0]]))
    lines = level_set(network, SQUARE)
    assert len(lines) == 4
    assert not lines.closed.any()
    np.testing.assert_allclose(lines.lengths, 2 * 2**0.5)


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_against_dense_sampling(seed):
    """Where neighbours on a grid have different classes the boundary is between them, and on either side of every
    line are the classes that it says."""
    network = Network.he([2, 10, 10, 4], seed=seed, bias_std=0.5)
    cells = subdivide(network.with_argmax(), SQUARE)
    lines, regions = decision_boundary(cells), decision_regions(cells)

    def class_of(points):
        return network.forward(points).argmax(axis=-1)

    starts = np.concatenate([lines[i] if lines.closed[i] else lines[i][:-1] for i in range(len(lines))])
    ends = np.concatenate(
        [np.roll(lines[i], -1, 0)[: len(lines[i]) - (not lines.closed[i])] for i in range(len(lines))]
    )
    owners = np.repeat(np.arange(len(lines)), np.diff(lines.first) - ~lines.closed)
    # Sides of each line.
    along = ends - starts
    long = np.linalg.norm(along, axis=1) > 1e-6
    left = np.column_stack([-along[:, 1], along[:, 0]]) / np.linalg.norm(along, axis=1)[:, None]
    middle = (starts + ends) / 2
    for side, column in ((1e-9, 0), (-1e-9, 1)):
        assert (class_of(middle + side * left)[long] == lines.labels[owners[long], column]).all()
    # Between points of a grid.
    axis = np.linspace(-2, 2, 201)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    classes = class_of(grid)
    differ = np.argwhere(classes[1:] != classes[:-1])
    places = (grid[1:] + grid[:-1])[tuple(differ.T)] / 2
    share = np.clip(((places[:, None] - starts) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-300), 0, 1)
    away = np.linalg.norm(places[:, None] - (starts + share[..., None] * along), axis=-1).min(axis=1)
    assert away.max() <= 0.5 * (axis[1] - axis[0]) + 1e-9
    # Areas of classes.
    for c in range(4):
        assert regions.volumes[regions.classes == c].sum() == pytest.approx(16 * (classes == c).mean(), abs=0.1)
    assert regions.volumes.sum() == pytest.approx(16)
    assert np.array_equal(class_of(cells.interior_points), regions.cell_classes)
    assert np.array_equal(regions.classes[regions.numbers], regions.cell_classes)
    assert lines.length == pytest.approx(sum(volume for volume, wall in walls_of(cells) if wall[0] == "switch"))
    assert regions.regions == len(regions.volumes) == len(regions.cells)
    assert regions.cells.sum() == len(cells)


def walls_of(cells):
    bent = cells.bent_hyperplanes()
    return [(volume, cells.wall_name(wall)) for volume, wall in zip(bent.volumes, bent.walls.tolist(), strict=True)]


def test_laws_decision_boundary_in_space():
    """On either side of every triangle are the classes that it says; three classes meet along lines."""
    network = Network.he([3, 8, 6, 3], seed=5, bias_std=0.5)
    box = Box([-2, -2, -2], [2, 2, 2])
    cells = subdivide(network.with_argmax(), box)
    mesh = decision_boundary(cells)
    assert not mesh.is_watertight
    corners = mesh.vertices[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    large = lengths[:, 0] > 1e-5
    assert large.mean() > 0.9
    for side, column in ((-1e-9, 0), (1e-9, 1)):
        points = corners.mean(axis=1) + side * normals / lengths
        assert (network.forward(points).argmax(axis=1) == mesh.labels[:, column])[large].all()
    switches = sum(volume for volume, wall in walls_of(cells) if wall[0] == "switch")
    assert mesh.area == pytest.approx(switches)
    assert decision_regions(cells).volumes.sum() == pytest.approx(64)


def test_known_decision_regions():
    """Outputs |x| + |y| and 1: the class of a diamond, and what is around it; on the whole plane too."""
    x = build.input(2)
    network = build.network(
        build.concatenate([build.dense(build.abs(x), [[1.0, 1.0]]), build.dense(x, [[0.0, 0.0]], [1.0])])
    )
    for domain, outside in ((SQUARE, 14.0), (Space(2), np.inf)):
        cells = subdivide(network.with_argmax(), domain)
        found = decision_regions(cells)
        assert sorted(zip(found.classes.tolist(), found.volumes.tolist(), found.cells.tolist(), strict=True)) == [
            (0, pytest.approx(outside), 4),
            (1, pytest.approx(2.0), 4),
        ]
        assert found.is_bounded.tolist() == [bool(np.isfinite(volume)) for volume in found.volumes]
        lines = decision_boundary(cells)
        assert (len(lines), lines.closed.tolist(), lines.labels.tolist()) == (1, [True], [[0, 1]])
        assert area(lines[0]) == pytest.approx(-2.0)  # the class 0 is outside, on the left


def test_known_classes_that_touch_in_a_corner():
    """x y > 0 as classes: |x + y| against |x - y|. Quadrants of one class meet in a corner, and are two regions."""
    x = build.input(2)
    network = build.network(build.abs(build.dense(x, [[1.0, 1.0], [1.0, -1.0]])))
    found = decision_regions(subdivide(network.with_argmax(), SQUARE))
    assert sorted(found.classes.tolist()) == [0, 0, 1, 1]
    np.testing.assert_allclose(found.volumes, 4.0)


def test_laws_slice_coordinates():
    """In a plane of many inputs points are in its coordinates; on them the two largest outputs are equal."""
    network = Network.he([20, 12, 3], seed=1, bias_std=0.5)
    rng = np.random.default_rng(0)
    plane = Plane.through(*rng.standard_normal((3, 20)))
    cells = subdivide(network.with_argmax(), plane.square(3.0))
    lines = decision_boundary(cells)
    assert len(lines)
    outputs = np.sort(network.forward(plane.slice.points(lines.points)), axis=-1)
    np.testing.assert_allclose(outputs[:, -1], outputs[:, -2], atol=1e-9)


# Slices of a complex.


def test_known_slices():
    cells = subdivide(octahedron().with_level_set(1.0), CUBE)
    for height, side in ((0.25, 0.75), (0.0, 1.0)):
        flat = sliced(cells, Plane([0, 0, height], [[1, 0, 0], [0, 1, 0]]))
        assert area(flat.domain.vertices) == pytest.approx(64)
        inside = [not flat.pattern(i)[-1][0] for i in range(len(flat))]
        assert flat.volumes[inside].sum() == pytest.approx(2 * side**2)
    assert sliced(subdivide(octahedron(), Space(3)), Plane([0, 0, 1], [[1, 0, 0], [0, 1, 0]])).regions == 4
    # A wall of the domain has cells too.
    assert sliced(cells, Plane([0, 0, 4], [[1, 0, 0], [0, 1, 0]])).regions == 4
    # A cube by the plane across its diagonal: a regular hexagon.
    hexagon = sliced(subdivide(octahedron(), CUBE), Plane([0, 0, 0], [[1, -1, 0], [0, 1, -1]]))
    assert len(hexagon.domain.vertices) == 6
    assert hexagon.volumes.sum() == pytest.approx(3 * 3**0.5 / 2 * 32)
    corner = sliced(
        subdivide(octahedron(), Polytope([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])),
        Plane([0, 0, 0.5], [[1, 0, 0], [0, 1, 0]]),
    )
    assert corner.volumes.sum() == pytest.approx(1 / 8)


def test_bad_input_slices():
    cells, flat = subdivide(octahedron(), CUBE), Plane([0, 0, 0], [[1, 0, 0], [0, 1, 0]])
    with pytest.raises(DomainError, match=r"does not go through the inside of Box\(n_in=3, dimension=3\)\. Move it"):
        sliced(cells, Plane([0, 0, 5], [[1, 0, 0], [0, 1, 0]]))
    with pytest.raises(DomainError, match="does not go through the inside"):
        sliced(cells, Plane([4, 4, 0], [[1, -1, 0], [0, 0, 1]]))  # along an edge of the cube
    with pytest.raises(DomainError, match="is sliced by a Plane in their space, got Plane"):
        sliced(cells, Plane([0, 0], [[1, 0], [0, 1]]))
    with pytest.raises(
        DomainError, match=r"is no Space, Box, Simplex or Polytope of three inputs\. Subdivide the network"
    ):
        sliced(subdivide(octahedron(), Box([-1, -1, 0], [1, 1, 0])), flat)


# Rows.


def test_known_rows():
    found = rows_of(np.array([3, -1, 4, -1, 2, 0, 6]))
    assert found.order.tolist() == [5, 0, 3, 1, 2, 4, 6]
    assert (found.first.tolist(), found.closed.tolist()) == ([0, 3, 4, 6, 7], [False, False, True, True])
    assert rows_of(np.zeros(0, np.int64)).first.tolist() == [0]


def test_laws_rows():
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(1, 40))
        after = rng.permutation(n)
        after[rng.random(n) < rng.choice([0.0, 0.2, 1.0])] = -1
        found = rows_of(after)
        assert sorted(found.order.tolist()) == list(range(n))
        for i, closed in enumerate(found.closed.tolist()):
            row = found.order[found.first[i] : found.first[i + 1]]
            assert after[row[:-1]].tolist() == row[1:].tolist()
            assert after[row[-1]] == (row[0] if closed else -1)
            assert not closed or row[0] == row.min()


# Files.


def test_known_geojson(tmp_path):
    network = Network.he([2, 10, 10, 3], seed=2, bias_std=0.5)
    lines = decision_boundary(subdivide(network.with_argmax(), SQUARE))
    found = json.loads(lines.save(tmp_path / "lines.geojson").read_text())
    assert found["type"] == "FeatureCollection"
    assert len(found["features"]) == len(lines)
    for i, feature in enumerate(found["features"]):
        points = np.array(feature["geometry"]["coordinates"])
        assert feature["geometry"]["type"] == "LineString"
        assert feature["properties"] == {
            "closed": bool(lines.closed[i]),
            "lower": int(lines.labels[i, 0]),
            "higher": int(lines.labels[i, 1]),
        }
        assert np.array_equal(points[: len(lines[i])], lines[i])
        assert len(points) == len(lines[i]) + lines.closed[i]
    ring = level_set(octahedron(2), SQUARE, level=1.0)
    points = json.loads(ring.save(tmp_path / "ring.geojson").read_text())["features"][0]["geometry"]["coordinates"]
    assert points[0] == points[-1]


def test_known_arrays_of_lines(tmp_path):
    lines = level_set(octahedron(2), SQUARE, level=3.0)
    with np.load(lines.save(tmp_path / "lines.npz"), allow_pickle=False) as data:
        for name in ("points", "first", "closed", "labels"):
            assert np.array_equal(data[name], getattr(lines, name))


# Bad input.


def test_bad_input_files(tmp_path, monkeypatch):
    lines, mesh = level_set(octahedron(2), SQUARE, level=1.0), level_set(octahedron(), CUBE, level=1.0)
    with pytest.raises(
        ModelFileError,
        match=r"A boundary in two dimensions is saved as \.geojson, \.npz; 'lines\.ply' needs one of these",
    ):
        lines.save(tmp_path / "lines.ply")
    with pytest.raises(ModelFileError, match=r"A mesh is saved as \.ply, \.stl, \.obj; 'mesh\.npz' needs one of these"):
        mesh.save(tmp_path / "mesh.npz")
    monkeypatch.setattr(surfaces, "find_spec", lambda name: None)
    with pytest.raises(
        MissingExtraError, match=r"Writing a mesh as \.ply needs the package 'trimesh'.*creases\[mesh\]"
    ):
        mesh.save(tmp_path / "mesh.ply")
    with pytest.raises(MissingExtraError, match="'trimesh'"):
        check_name(tmp_path / "mesh.obj", 3)
    assert check_name(tmp_path / "lines.npz", 2)
    assert not list(tmp_path.iterdir())


def test_bad_input_domains():
    for domain in (Segment([0, 0, 0], [1, 1, 1]), Directions(3), Box([0, 0, 0], [1, 0, 0])):
        with pytest.raises(DomainError, match="A level set is drawn in two or three dimensions"):
            level_set(octahedron(), domain)
    with pytest.raises(DomainError, match="lies in a space of 2 inputs"):
        level_set(octahedron(), SQUARE)
    steep = Network.from_arrays([[[1.0, 0.0, 0.0]]], [[0.0]], output_layer=False)
    for domain, network in ((Space(3), steep), (Space(3), Network.he([3, 4, 1], bias_std=0.5))):
        with pytest.raises(DomainError, match=r"The boundary reaches infinity on Space\(3\)\. Cut a bounded domain"):
            level_set(network, domain)
    with pytest.raises(DomainError, match="A boundary is drawn in two or three dimensions"):
        decision_boundary(subdivide(Network.he([4, 3, 2]).with_argmax(), Box([-1] * 4, [1] * 4)))
    with pytest.raises(DomainError, match="A boundary is drawn in two or three dimensions"):
        decision_boundary(subdivide(Network.he([3, 3, 2]).with_argmax(), Directions(3)))


def test_bad_input_labels_levels_and_networks():
    cells = subdivide(octahedron(2), SQUARE)
    for labels in ([0, 1], np.zeros(4), [["a"] * 4]):
        with pytest.raises(ValueError, match=r"labels must be whole numbers, .* of 4 cells; got shape \(.* of "):
            boundary_of(cells, labels)
    for made in (decision_regions, decision_boundary):
        with pytest.raises(NetworkError, match=r"does not end with a switch.*Subdivide network\.with_argmax\(\)"):
            made(cells)
        with pytest.raises(NetworkError, match=r"has one class, as its network has one output.*creases\.level_set"):
            made(subdivide(octahedron(2).with_argmax(), SQUARE))
    with pytest.raises(NetworkError, match="output must be from 0 to 0, as the network has 1; got 1"):
        level_set(octahedron(2), SQUARE, output=1)
    with pytest.raises(NetworkError, match="output must be a whole number"):
        level_set(octahedron(2), SQUARE, output=0.5)
    for level in (float("nan"), [1.0]):
        with pytest.raises(NetworkError, match="level must be one finite number"):
            level_set(octahedron(2), SQUARE, level=level)
    lines = level_set(octahedron(2), SQUARE, level=1.0)
    with pytest.raises(IndexError, match="line 1 of 1"):
        lines[1]
    with pytest.raises(ValueError, match="read-only"):
        lines.points[0] = 0


@pytest.mark.parametrize("rows", [[[0, 1], [1, 0], [-1, 0]], [[1, 0], [0, 1], [-1, 0]], [[1, 0], [-1, 0], [0, 1]]])
def test_known_three_classes_meet_on_the_border(rows):
    """Two lines end in a point of the border, and none of them goes on as the other, which parts other classes."""
    network = build.network(build.dense(build.input(2), rows)).with_argmax()
    lines = decision_boundary(subdivide(network, Box([-1, 0], [1, 1])))
    assert len(lines) == 2
    assert not lines.closed.any()
    middle = rows.index([0, 1])
    for i in range(2):
        assert len(lines[i]) == 2
        assert middle in lines.labels[i]
        (right,) = set(lines[i][:, 0]) - {0.0}
        other = rows.index([1, 0] if right > 0 else [-1, 0])
        assert lines.labels[i].tolist() == sorted([middle, other])
        one, two = lines[i]
        left = (one + two) / 2 + 1e-3 * np.array([one[1] - two[1], two[0] - one[0]])
        assert np.argmax(rows @ left) == lines.labels[i][0]


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 1, 0]])
def test_known_three_classes_meet_in_an_edge_of_the_border(order):
    """Each of both sheets is counter-clockwise as seen from its own higher class."""
    rows = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])[order]
    network = build.network(build.dense(build.input(3), rows)).with_argmax()
    mesh = decision_boundary(subdivide(network, Box([0, -1, -1], [1, 1, 1])))
    assert len(mesh) == 4
    assert len(np.unique(mesh.labels, axis=0)) == 2
    for triangle, labels in zip(mesh.triangles, mesh.labels, strict=True):
        a, b, c = mesh.vertices[triangle]
        towards = (a + b + c) / 3 + 1e-3 * np.cross(b - a, c - a)
        assert np.argmax(rows @ towards) == labels[1]


def test_known_a_line_that_touches_the_border_goes_on():
    diamond = level_set(octahedron(2), Box([-1, -1], [1, 1]), level=1.0)
    assert len(diamond) == 1
    assert diamond.closed.all()
    above = level_set(octahedron(2), Box([-1, 0], [1, 1]), level=1.0)
    assert len(above) == 1
    assert not above.closed.any()
    assert len(above[0]) == 3
