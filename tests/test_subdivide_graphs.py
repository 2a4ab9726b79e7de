"""Subdivisions of graphs: regions, corners, patterns and maps against the specification, on every kind of domain."""

import json
from fractions import Fraction

import numpy as np
import pytest

import graph_cases
import reference
from creases import (
    Box,
    Complex,
    Directions,
    Line,
    ModelFileError,
    Network,
    Polygon,
    Polyline,
    Segment,
    Space,
    count,
    subdivide,
)
from creases.auditing.points import corners_of
from creases.complex.archive import FORMATS, digest_of_archive
from creases.complex.measures import boundary_length, crossings
from creases.domain import domain_from_dict
from creases.network import Abs, Dense, LeakyReLU, Level, Linear, Max, ReLU, Select
from graph_networks import as_network, packed

SQUARE = Box([-1, -1], [1, 1])


def case_of(seed):
    """The levels, the domain and its specification of a seed; all kinds of domains, directions too."""
    rng = np.random.default_rng(seed)
    n_in = int(rng.integers(1, 5))
    levels = graph_cases.random_graph(rng, n_in, degenerate=bool(rng.integers(2)))
    kinds = [*graph_cases.DOMAINS[n_in]]
    if not any(isinstance(level.kink, reference.Clip) for level in levels):
        kinds.append("directions")
    kind = kinds[rng.integers(len(kinds))]
    if kind == "directions":
        return graph_cases.without_biases(levels), Directions(n_in), reference.space(n_in)
    place = graph_cases.random_domain(rng, n_in, kind)
    return levels, domain_from_dict(place.data), place.specification


def points_of(cells):
    """A rational point or direction inside each cell."""
    return [
        cells.exact_interior_points.get(i) or tuple(map(Fraction, point))
        for i, point in enumerate(cells.interior_points.tolist())
    ]


def area(corners):
    if corners.shape[1] == 1:
        return abs(corners[-1, 0] - corners[0, 0])
    x, y = corners.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def volumes(cells):
    if cells.dimension == 1:
        ends = cells.intervals()
        # In the order of the line; where twins cross, each side may have computed the corner from another one's row.
        np.testing.assert_allclose(ends[1:, 0], ends[:-1, 1], rtol=0, atol=1e-12)
        return ends[:, 1] - ends[:, 0]
    return np.array([area(polygon) for polygon in cells.polygons()])


def check(levels, domain, specification):
    """Everything that a subdivision says is what the specification says."""
    network = as_network(levels, domain.slice.n_in)
    pieces = reference.graph_pieces(levels, specification)
    outputs = {packed(network, region.pattern): forms for region, forms in pieces}
    cells = subdivide(network, domain, threads=1)
    found = [row.tobytes() for row in cells.patterns]
    assert len(set(found)) == len(found)
    assert set(found) == set(outputs)
    assert cells.by_layer == tuple(reference.graph_by_layer(levels, specification))
    assert cells.certified
    points = points_of(cells)
    for i, point in enumerate(points):
        x = specification.at(point)
        assert packed(network, reference.graph_pattern_at(levels, x)) == found[i]
        matrix, offset = cells.affine_map(i)
        value = matrix @ np.array([float(c) for c in x]) + offset
        true = [float(reference.dot(form, (*point, 1))) for form in outputs[found[i]]]
        np.testing.assert_allclose(value, true, rtol=1e-8, atol=1e-8 * max(1.0, *map(abs, true)))
    if not cells.is_flat:
        return cells
    far = np.logical_or.reduceat(cells.at_infinity, cells.first[:-1])
    unbounded = {packed(network, region.pattern) for region, _ in pieces if not region.bounded}
    assert {pattern for pattern, infinite in zip(found, far, strict=True) if infinite} == unbounded
    if not far.any():
        np.testing.assert_allclose(volumes(cells).sum(), area(corners_of(domain)), rtol=1e-9)
    for edge in np.unique(cells.edges).tolist():
        kind, *_ = cells.wall_name(edge)
        assert kind in ("neuron", "switch", "infinity", "domain")
    return cells


@pytest.mark.parametrize("part", range(8))
def test_against_reference_subdivide(part):
    for seed in range(8):
        check(*case_of([7, part, seed]))


@pytest.mark.long
@pytest.mark.parametrize("part", range(30))
def test_against_reference_subdivide_table(part):
    for seed in range(100):
        check(*case_of([8, part, seed]))


# Whole spaces that the first layer does not cut into cones.

SKIPPED = {
    "half-planes": [
        reference.Level({0: [[1.0, 1.0]]}, [0.0], reference.linear(1)),
        reference.Level({0: [[0.0, -1.0]], 1: [[1.0]]}, [-0.25], reference.relu(1)),
    ],
    "strips": [
        reference.Level({0: [[1.0, 1.0]]}, [0.0], reference.linear(1)),
        reference.Level({0: [[0.0, -1.0], [0.0, -1.0]], 1: [[1.0], [1.0]]}, [-0.25, 1.0], reference.relu(2)),
    ],
    "the plane": [
        reference.Level({0: [[1.0, 1.0]]}, [0.0], reference.linear(1)),
        reference.Level({0: [[-1.0, -1.0]], 1: [[1.0]]}, [0.0], reference.relu(1)),
    ],
    "a wall where one is drawn": [
        reference.Level({0: [[1.0, 0.0]]}, [0.0], reference.relu(1)),
        reference.Level({0: [[0.0, 1.0], [1.0, 1.0]], 1: [[0.0], [1.0]]}, [0.0, -1.0], reference.relu(2)),
    ],
    "a switch first": [
        reference.Level({0: [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]}, [0.0, 0.25, -0.5], reference.Max([[0, 1, 2]])),
        reference.Level({0: [[1.0, 2.0]], 1: [[-1.0]]}, [0.5], reference.Slopes([(-1, 1)])),
    ],
    "a switch on the walls": [
        reference.Level({0: [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]}, [0.0, 0.0, 0.0], reference.Max([[0, 1], [2, 1]])),
    ],
}


@pytest.mark.parametrize("name", SKIPPED)
def test_against_reference_whole_planes_with_walls(name):
    cells = check(SKIPPED[name], Space(2), reference.space(2))
    assert cells.polygons(window=(-3, 3, -3, 3))
    np.testing.assert_allclose(sum(area(p) for p in cells.polygons(window=(-3, 3, -3, 3)) if len(p)), 36, rtol=1e-9)


def test_known_half_planes():
    """relu((x + y) - y - 1/4): two half-planes, each with its side, two directions along it, and one away from it."""
    cells = subdivide(as_network(SKIPPED["half-planes"], 2), Space(2))
    assert np.diff(cells.first).tolist() == [4, 4]
    assert sorted(set(cells.edges.tolist())) == [-1, 0]
    sides = cells.corners[~cells.at_infinity]
    np.testing.assert_allclose(sides, [[0.25, 0.0], [0.25, 0.0]], atol=1e-15)
    for cell in cells:
        assert cell.rays.shape == (3, 2)


def test_known_line_with_a_wall_drawn():
    """The first layer does not see the input: where the wall at zero is drawn, nothing is."""
    levels = [
        Level({0: Dense([[0.0]])}, [1.0], ReLU()),
        Level({0: Dense([[1.0], [-1.0]]), 1: Dense([[0.0], [1.0]])}, [1.0, 1.0], ReLU()),
    ]
    cells = subdivide(Network.from_levels(levels), Line([0.0], [1.0]))
    np.testing.assert_array_equal(cells.intervals(), [[-np.inf, -1], [-1, 2], [2, np.inf]])
    assert cells.edges.tolist() == [-1, 1, 1, 2, 2, -1]


def test_known_directions_of_a_switch():
    """max(x, y, -x - y) has three cones, each once, with a direction inside."""
    network = Network.from_levels([Level({0: Dense([[1.0, 0], [0, 1], [-1, -1]])}, None, Max([[0, 1, 2]]))])
    found = subdivide(network, Directions(2))
    assert sorted(found.pattern(i)[0].tolist() for i in range(len(found))) == [[0], [1], [2]]
    for i, x in enumerate(found.interior_points):
        assert network.pattern(x)[0].tolist() == found.pattern(i)[0].tolist()


def test_known_a_maximum_alone_parts_space():
    """All walls of max(x, y, z) contain the line x = y = z, along which it grows; so do its three regions."""
    network = Network.from_levels([Level({0: Dense(np.eye(3))}, None, Max([[0, 1, 2]]))])
    assert count(network, Space(3)).regions == 3
    assert len(subdivide(network, Box([-1] * 3, [1] * 3)).facets) == 3 + 9
    for domain in (Space(3), Directions(3)):
        cells = subdivide(network, domain)
        assert sorted(cells.pattern(i)[0].tolist() for i in range(3)) == [[0], [1], [2]]
        np.testing.assert_allclose(np.abs(cells.lineality), [[3**-0.5] * 3])
        assert cells.check(sample=None).complete
        assert (len(cells.facets), cells.facets.inner.all(), cells.is_bounded.any()) == (3, True, False)
        assert int(cells.linear_regions.max()) + 1 == 3
        assert cells.locate(np.eye(3) + 5.0).tolist() == [
            next(j for j in range(3) if cells.pattern(j)[0][0] == i) for i in range(3)
        ]


def test_known_a_maximum_of_two_parts_space():
    """max(x + y, y) = y + relu(x) in three dimensions: two half-spaces, and two lines in each."""
    network = Network.from_levels([Level({0: Dense([[1.0, 1, 0], [0, 1, 0]])}, None, Max([[0, 1]]))])
    cells = subdivide(network, Space(3))
    assert (len(cells), len(cells.facets), cells.lineality.shape) == (2, 1, (2, 3))
    assert cells.check(sample=None).complete
    above = Level({0: Dense([[0.0, 1, 0]]), 1: Dense([[-1.0]])}, [-1.0], ReLU())
    both = Network.from_levels([*network.levels, above])  # relu(-relu(x) - 1): never
    assert len(subdivide(both, Space(3))) == 2
    assert count(both, Space(3)).regions == 2


# No layer at all.

PLAIN = Network.from_levels([Level({0: Dense([[2.0, 1.0, 0.5]])}, [0.5], Linear())])


@pytest.mark.parametrize(
    ("domain", "corners"),
    [
        (Segment([0, 0, 0], [1, 2, 0]), 2),
        (Line([0, 0, 0], [1, 0, 1]), 2),
        (Polyline([[0, 0, 0], [1, 0, 0], [1, 1, 0]]), None),
        (Box([-1, -1, 0], [1, 1, 0]), 4),
        (Box([-1, -1, -1], [1, 1, 1]), 8),
        (Space(3), 6),
        (Directions(3), 6),
    ],
)
def test_known_networks_without_layers_are_one_region(domain, corners):
    assert count(PLAIN, domain).regions == 1
    if isinstance(domain, Polyline):
        return
    cells = subdivide(PLAIN, domain)
    assert (len(cells), cells.by_layer, cells.certified, cells.pattern(0)) == (1, (), True, [])
    matrix, offset = cells.affine_map(0)
    assert (matrix.tolist(), offset.tolist()) == ([[2.0, 1.0, 0.5]], [0.5])
    assert cells.corners.shape == (corners, domain.slice.dimension)
    assert len(cells.interior_points) == 1


def test_known_polygon_without_layers():
    plain = Network.from_levels([Level({0: Dense([[1.0, 1.0]])}, None, LeakyReLU(1.0))])
    polygon = Polygon([[0, 0], [2, 0], [1, 3]])
    cells = subdivide(plain, polygon)
    np.testing.assert_array_equal(cells.corners, polygon.vertices)
    assert [cells.wall_name(edge) for edge in cells.edges] == [("domain", 0), ("domain", 1), ("domain", 2)]
    assert (boundary_length(cells), crossings(cells)) == (0.0, 0)


# What else a complex of a graph tells.


def maxout():
    """Two neurons, and the largest of x + y bent, y bent less the first, and 2 y."""
    levels = [
        Level({0: Dense([[1.0, 0.0], [0.0, 1.0]])}, [0.25, 0.0], ReLU(), "bends"),
        Level(
            {1: Dense([[1.0, 1.0], [-1.0, 1.0], [0.0, 0.0]]), 0: Dense([[0.0, 0.0], [0.0, 0.5], [0.5, 2.0]])},
            [0.0, 0.1, 0.2],
            Max([[0, 1, 2]]),
            "best",
        ),
        Level({2: Dense([[1.0], [2.0]])}, None, Linear()),
    ]
    return Network.from_levels(levels)


def test_known_names_of_walls():
    cells = subdivide(maxout(), SQUARE)
    names = {cells.wall_name(edge) for edge in cells.edges.tolist()}
    assert {name[0] for name in names} == {"neuron", "switch", "domain"}
    assert ("neuron", "bends", 0) in names
    assert {name for name in names if name[0] == "switch"} <= {
        ("switch", "best", 0, one, other) for one, other in ((0, 1), (0, 2), (1, 2))
    }
    for cell in cells:
        for edge in cells.edges[cells.first[cell.index] : cells.first[cell.index + 1]].tolist():
            kind, *rest = cells.wall_name(edge)
            if kind == "switch":
                assert cell.pattern[1][0] in rest[2:]
    for wrong in (5, 9, 5 * 4 + 2, 5 * 2, 1000):
        with pytest.raises(IndexError, match=f"no wall with the number {wrong}"):
            cells.wall_name(wrong)


def test_laws_measures_of_a_graph():
    """|x| has one crease; max of three forms has a corner of three."""
    crease = Network.from_levels([Level({0: Dense([[1.0, 0.0]])}, None, Abs())])
    assert boundary_length(subdivide(crease, SQUARE)) == pytest.approx(2.0)
    three = Network.from_levels([Level({0: Dense([[1.0, 0], [0, 1], [-1, -1]])}, None, Max([[0, 1, 2]]))])
    with pytest.raises(Exception, match="three candidates of a switch"):
        crossings(subdivide(three, SQUARE))


def test_laws_save_and_load(tmp_path):
    cells = subdivide(maxout(), SQUARE)
    again = Complex.load(cells.save(tmp_path / "cells.npz"))
    assert again.network.sha256 == cells.network.sha256
    assert again.network.layer_names == ("bends", "best")
    for name in ("first", "corners", "at_infinity", "edges", "patterns"):
        np.testing.assert_array_equal(getattr(again, name), getattr(cells, name))
    assert [p.tolist() for p in again.pattern(3)] == [p.tolist() for p in cells.pattern(3)]
    empty = subdivide(Network.from_levels([Level({0: Select.all(2)}, None, Linear())]), SQUARE)
    assert len(Complex.load(empty.save(tmp_path / "empty.npz"))) == 1


def without(name):
    return lambda header, arrays: arrays.pop(name)


def put(name, value):
    return lambda header, arrays: arrays.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (without("levels"), "levels"),
        (put("levels", np.frombuffer(b"[{", np.uint8)), "cannot be read"),
        (put("levels", np.frombuffer(b"[]", np.uint8)), "list of at least one"),
        (without("level_1_bias"), "lacks a part"),
        (put("level_9_bias", np.zeros(2)), "no level has the array"),
        (put("level_1_bias", np.ones(2)), "does not have the hash"),
        (put("patterns", np.zeros((3, 1), np.uint8)), "digest"),
        (lambda header, arrays: header.update(format="creases-complex-2"), "cannot be read"),
        (lambda header, arrays: header.update(format="creases-complex-graph-9"), "not a complex of this version"),
    ],
)
def test_bad_input_files(tmp_path, change, text):
    path = subdivide(maxout(), SQUARE).save(tmp_path / "cells.npz")
    with np.load(path) as data:
        arrays = {name: data[name] for name in data.files}
    header = json.loads(str(arrays.pop("header")))
    assert header["format"] == FORMATS[False, True]
    assert header["digest"] == digest_of_archive(header, arrays)
    change(header, arrays)
    np.savez_compressed(path, header=np.array(json.dumps(header)), **arrays)
    with pytest.raises(ModelFileError, match=text):
        Complex.load(path)


def test_laws_plots_of_graphs(tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    from creases.plot import by_activity, plot_complex, plot_line
    from creases.plot.colours import by_pattern

    cells = subdivide(maxout(), SQUARE)
    assert by_pattern(cells).shape == (len(cells), 3)
    assert len(np.unique(by_pattern(cells).round(6), axis=0)) == len(cells)
    for colouring in (by_pattern, by_activity):
        plot_complex(cells, color_by=colouring)
    plot_complex(subdivide(as_network(SKIPPED["strips"], 2), Space(2)))
    plot_complex(subdivide(as_network(SKIPPED["the plane"], 2), Space(2)))
    plot_line(subdivide(maxout(), Segment([-1, -1], [1, 0.5])))
    plot_line(subdivide(Network.from_levels([Level({0: Select.all(2)}, None, Linear())]), Line([0, 0], [1, 0])))


@pytest.mark.parametrize("seed", range(12))
def test_against_reference_paths(seed):
    """Along a path, where pieces are told by their order."""
    rng = np.random.default_rng([11, seed])
    n_in = int(rng.integers(1, 4))
    levels = graph_cases.random_graph(rng, n_in, degenerate=bool(seed % 2))
    points = (rng.integers(-8, 9, (4, n_in)) / 4 + np.arange(4)[:, None] / 64).tolist()
    found = count(as_network(levels, n_in), Polyline(points), by_neuron=True)
    assert (found.regions, found.distinct) == reference.graph_path(levels, points)
