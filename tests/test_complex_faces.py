"""Faces of every dimension: closed forms, Euler's relation, and all faces of small networks in fractions."""

from math import comb

import numpy as np
import pytest

import reference
from complex_reference import Complex as TrueComplex
from creases import Box, Directions, Line, Network, Plane, Polygon, Segment, Simplex, Space, Subspace, subdivide
from creases.domain import domain_from_dict
from graph_cases import DOMAINS, random_domain, random_graph
from graph_networks import as_network, packed
from networks import random_network, table


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def arrangement(n, d, seed=0):
    """n hyperplanes of R^d in general position."""
    rng = np.random.default_rng(seed)
    return hidden([rng.standard_normal((n, d))], [rng.standard_normal(n)])


def euler(f_vector):
    return sum((-1) ** k * int(count) for k, count in enumerate(f_vector))


# Closed forms.


@pytest.mark.parametrize(("n", "d"), [(1, 1), (7, 1), (2, 2), (9, 2), (2, 3), (7, 3), (3, 4), (6, 4), (6, 5)])
def test_known_arrangements_in_general_position(n, d):
    """f_k = C(n, d - k) sum_{j <= k} C(n - d + k, j); none below where all n hyperplanes meet."""
    found = subdivide(arrangement(n, d), Space(d)).f_vector()
    expected = [
        comb(n, d - k) * sum(comb(n - d + k, j) for j in range(k + 1)) if n >= d - k else 0 for k in range(d + 1)
    ]
    assert found.tolist() == expected
    assert euler(found) == (-1) ** d


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_known_faces_of_a_cube_and_a_simplex(d):
    nothing = hidden([np.zeros((1, d))], [[1.0]])
    cube = subdivide(nothing, Box([-1] * d, [2] * d))
    assert cube.f_vector().tolist() == [comb(d, k) * 2 ** (d - k) for k in range(d + 1)]
    corners = [[0.0] * d, *np.eye(d).tolist()]
    assert subdivide(nothing, Simplex(corners)).f_vector().tolist() == [comb(d + 1, k + 1) for k in range(d + 1)]
    assert subdivide(nothing, Space(d)).f_vector().tolist() == [0] * d + [1]


@pytest.mark.parametrize("d", [2, 3, 4])
def test_known_coordinate_hyperplanes(d):
    """Of the cube with all coordinate hyperplanes: two intervals a coordinate, each with three points."""
    cells = subdivide(hidden([np.eye(d)], [np.zeros(d)]), Box([-1] * d, [1] * d))
    assert cells.f_vector().tolist() == [comb(d, k) * 2**k * 3 ** (d - k) for k in range(d + 1)]
    whole = subdivide(hidden([np.eye(d)], [np.zeros(d)]), Space(d))
    cones = subdivide(hidden([np.eye(d)], [np.zeros(d)]), Directions(d))
    expected = [comb(d, k) * 2**k for k in range(d + 1)]
    assert whole.f_vector().tolist() == cones.f_vector().tolist() == expected
    assert cones.faces(0).vertices.tolist() == []
    assert cones.faces(0).cells.tolist() == list(range(2**d))


def test_known_an_apex_on_many_facets():
    """A pyramid over an octagon is no simple polytope: eight facets meet in one vertex."""
    angles = np.arange(8) * np.pi / 4
    rows = np.column_stack([np.cos(angles), np.sin(angles), np.full(8, 1.0)])
    # Inside all eight forms 1 - z - (x cos + y sin), with z > 0: a cell of nine walls.
    cells = subdivide(hidden([np.vstack([-rows, [[0, 0, 1.0]]])], [[1.0] * 8 + [0.0]]), Space(3))
    faces, bounded = cells.faces(2), np.flatnonzero(cells.is_bounded)
    pyramid = [i for i in bounded if cells.pattern(i)[0].all()]
    assert len(pyramid) == 1
    boundary = cells.incidence(3)[[pyramid[0]]].indices
    assert sorted(np.diff(faces.first)[boundary].tolist()) == [3] * 8 + [8]
    edges = cells.incidence(2)[boundary].sum(axis=0)
    assert (edges == 2).sum() == 16
    assert euler(cells.f_vector()) == -1


def test_known_lines_in_every_cell():
    """Two parallel walls in space: three slabs, two planes, nothing else."""
    cells = subdivide(hidden([[[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]]], [[0.0, 1.0]]), Space(3))
    assert cells.f_vector().tolist() == [0, 0, 2, 3]
    cells = subdivide(hidden([[[1.0, 2.0, 0.0], [0.0, 1.0, 0.0]]], [[0.0, 1.0]]), Space(3))
    assert cells.f_vector().tolist() == [0, 1, 4, 4]
    assert np.diff(cells.faces(1).cell_first).tolist() == [4]
    # Of directions the line is one face of the cones.
    cones = subdivide(hidden([[[1.0, 2.0, 0.0], [0.0, 1.0, 0.0]]], [[0.0, 1.0]]), Directions(3))
    assert cones.f_vector().tolist() == [0, 1, 4, 4]
    assert subdivide(hidden([[[1.0, 2.0]]], [[1.0]]), Directions(2)).f_vector().tolist() == [0, 1, 2]


# Laws.

NETWORKS = [
    pytest.param(Network.from_arrays(*random_network([4, 9, 7, 2], 3, 0.5)), id="generic"),
    pytest.param(hidden(*table(1, 5, 4, kinds=(table.__globals__["concurrent"],))[0][1:]), id="concurrent"),
]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "domain",
    [
        Segment([0.1, 0, 0, 0], [1, 1, 0.5, 0]),
        Line([0.1, 0, 0, 0.2], [1, 1, 0.5, 0]),
        Polygon([[-1, -1], [2, -0.5], [0.5, 1.5]], Plane([0, 0, 0, 0], [[1, 0, 0, 1], [0, 1, 1, 0]])),
        Plane([0, 0, 0, 0.5], [[1, 0, 0, 1], [0, 1, 1, 0]]),
        Subspace([0, 0, 0, 0.5], [[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]]),
        Box([-1, -1, -1, 0.5], [1, 1, 1, 0.5]),
        Directions(4),
    ],
    ids=repr,
)
def test_laws_faces_fit_together(network, domain):
    cells = subdivide(network, domain)
    d = cells.dimension
    bounded = not cells.at_infinity.any()
    assert euler(cells.f_vector()) == (1 if bounded else (-1) ** d)
    for k in range(d + 1):
        faces = cells.faces(k)
        lists = [tuple(faces.vertices[a:b]) for a, b in zip(faces.first, faces.first[1:], strict=False)]
        assert len(set(lists)) == len(lists) == cells.f_vector()[k]
        assert all(list(mine) == sorted(set(mine)) for mine in lists)
        if k:
            boundary, below = cells.incidence(k), cells.faces(k - 1)
            assert boundary.shape == (len(faces), len(below))
            for i in range(0, len(faces), 1 + len(faces) // 50):
                for j in boundary[[i]].indices:
                    assert set(below.vertices[below.first[j] : below.first[j + 1]]) < set(lists[i])
                    mine = faces.cells[faces.cell_first[i] : faces.cell_first[i + 1]]
                    assert set(mine) <= set(below.cells[below.cell_first[j] : below.cell_first[j + 1]])
            # Every face is bounded by those of its vertices that are in it.
            if k > 1:
                assert set(((boundary.astype(int)) @ cells.incidence(k - 1).astype(int)).data) == {2}
    assert np.array_equal(cells.faces(d).cells, np.arange(len(cells)))
    facets = cells.faces(d - 1)
    assert np.array_equal(facets.first, cells.facets.first)
    assert np.array_equal(facets.vertices, cells.facets.vertices)
    assert np.array_equal(np.diff(facets.cell_first), (cells.facets.cells >= 0).sum(axis=1))
    if not isinstance(domain, Directions):
        assert np.array_equal(cells.faces(0).vertices, np.flatnonzero(~cells.vertices_at_infinity))


def test_laws_threads_change_no_number():
    network = Network.from_arrays(*random_network([3, 10, 8, 1], 2, 0.5))
    one, two = (subdivide(network, Box([-1] * 3, [1] * 3), threads=threads) for threads in (1, 2))
    for k in range(4):
        for mine, theirs in zip(one.faces(k), two.faces(k), strict=True):
            assert np.array_equal(mine, theirs)


# All faces, in fractions.


def compare(network, domain, levels, specification):
    """The same faces, told by their dimension and the patterns of the cells that have them."""
    cells, true = subdivide(network, domain), TrueComplex(levels, specification)
    assert cells.f_vector().tolist() == true.f_vector()
    names = [packed(network, pattern) for pattern in true.patterns]
    expected = sorted((k, sorted(names[cell] for cell in mine), len(face)) for face, (k, mine) in true.faces.items())
    found = []
    for k in range(cells.dimension + 1):
        faces = cells.faces(k)
        for i in range(len(faces)):
            mine = faces.cells[faces.cell_first[i] : faces.cell_first[i + 1]]
            vertices = int(faces.first[i + 1] - faces.first[i])
            found.append((k, sorted(cells.patterns[cell].tobytes() for cell in mine), vertices))
    if len(cells.lineality):  # where lines lie, corners stand for what is parallel to them, and are counted otherwise
        expected, found = ([(k, mine) for k, mine, _ in rows] for rows in (expected, found))
    assert sorted(found) == sorted(expected)
    return len(found)


@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_faces_of_chains(n_in):
    faces = 0
    for i, (name, weights, biases) in enumerate(table(20 if n_in < 3 else 12, 61, n_in)):
        levels = reference.chain(weights, biases)
        size = sum(map(len, biases))
        if i % 2 or name.split("-")[0] in ("extreme", "nudged", "parallel", "mixed_scales") or size > 12:
            domain, specification = Box([-1] * n_in, [1] * n_in), reference.box([-1] * n_in, [1] * n_in)
        else:
            domain, specification = Space(n_in), reference.space(n_in)
        if n_in == 3 and size > 11:
            continue
        faces += compare(hidden(weights, biases), domain, levels, specification)
    assert faces > 100


@pytest.mark.parametrize("seed", range(24))
def test_against_exact_faces_of_graphs(seed):
    rng = np.random.default_rng([812, seed])
    n_in = int(rng.integers(1, 4))
    levels = random_graph(rng, n_in, degenerate=bool(seed % 2), most_units=4)
    network = as_network(levels, n_in)
    if not network.bits:
        pytest.skip("nothing bends in it")
    kinds = DOMAINS[n_in]
    place = random_domain(rng, n_in, kinds[int(rng.integers(len(kinds)))])
    if reference.graph_count(levels, place.specification) > 120:
        pytest.skip("too large for fractions")
    compare(network, domain_from_dict(place.data), levels, place.specification)


def test_bad_input_dimensions():
    cells = subdivide(hidden([[[1.0, 0.0]]], [[0.0]]), Space(2))
    for wrong in (-1, 3, 0.5):
        with pytest.raises(ValueError, match=rf"has faces of dimension 0 to 2, got {wrong}"):
            cells.faces(wrong)
    with pytest.raises(ValueError, match="has faces of dimension 1 to 2, got 0"):
        cells.incidence(0)
