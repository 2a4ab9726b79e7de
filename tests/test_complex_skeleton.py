"""Vertices and facets of a Complex against `reference.py`: in fractions, from the corners of each region there."""

import numpy as np
import pytest

import reference
from creases import Box, Dense, Directions, Level, Linear, Network, Plane, Polygon, Segment, Space, build, subdivide
from creases.errors import ComputationError
from engine_twins import amount
from networks import random_network, table

FLAT_KINDS = ("extreme", "nudged", "parallel")  # where floats hold no chart of a whole space, it is refused


def true_facets(region):
    """The facets of a region: the vectors on each wall that are on no larger one, without infinity."""
    vectors = {
        name: frozenset(ray.vector for ray in region.cone.rays if name in ray.tight) for name in region.cone.walls
    }
    largest = {mine for mine in vectors.values() if not any(mine < other for other in vectors.values())}
    infinity = frozenset(ray.vector for ray in region.cone.rays if not ray.vector[-1])
    return {mine for mine in largest if mine != infinity or not mine}


def expected(weights, biases, domain):
    """All vectors of all regions, and for each facet the patterns of the regions that have it."""
    vectors, facets = set(), {}
    for region in reference.regions(weights, biases, domain):
        pattern = tuple(bool(on) for layer in region.pattern for on in layer)
        vectors |= {ray.vector for ray in region.cone.rays}
        for facet in true_facets(region):
            facets.setdefault(facet, set()).add(pattern)
    return vectors, facets


def place_of(vector):
    """A vector as floats, and whether it is at infinity."""
    *u, w = map(int, vector)
    place = np.array([x / w for x in u]) if w else np.array(u, float) / np.linalg.norm(np.array(u, float))
    return place, not w


def found(cells):
    """The facets of a Complex as sets of vertices, with the patterns on either side."""
    bits = np.unpackbits(cells.patterns, axis=1, bitorder="little", count=cells.network.bits).astype(bool)
    patterns = [tuple(row) for row in bits.tolist()]
    facets = {}
    for i in range(len(cells.facets)):
        mine = frozenset(cells.facets.vertices[cells.facets.first[i] : cells.facets.first[i + 1]].tolist())
        assert mine not in facets
        facets[mine] = {patterns[cell] for cell in cells.facets.cells[i].tolist() if cell >= 0}
    return facets


def outlines(facets):
    """How many vertices each facet has, and the patterns on its sides."""
    return sorted((len(vertices), sorted(patterns)) for vertices, patterns in facets.items())


def are_apart(true):
    """Whether floats tell all vertices apart, which they know to 1e-9."""
    for far in (False, True):
        places = np.array([place for _, place, at in true if at == far])
        for i, place in enumerate(places):
            size = max(1.0, np.abs(place).max())
            if (np.abs(places[:i] - place).max(axis=1, initial=0.0) <= 4e-9 * size).any():
                return False
    return True


def check(cells, weights, biases, domain):
    """The same vertices, each once, and the same facets between the same regions."""
    vectors, facets = expected(weights, biases, domain)
    if len(cells.lineality):
        assert len(cells.facets) == len(facets)
        return 0
    assert len(cells.vertices) == len(vectors)
    try:
        true = [(vector, *place_of(vector)) for vector in sorted(vectors)]
    except OverflowError:  # beyond all floats
        assert outlines(found(cells)) == outlines(facets)
        return len(facets)
    number = {}
    for vector, place, far in true:
        same = np.flatnonzero(cells.vertices_at_infinity == far)
        off = np.abs(cells.vertices[same] - place).max(axis=1)
        number[vector] = int(same[off.argmin()])
        assert off.min() <= 1e-9 * max(1.0, np.abs(place).max())
    mine = found(cells)
    if len(set(number.values())) == len(number) and are_apart(true):
        assert mine == {frozenset(map(number.get, facet)): patterns for facet, patterns in facets.items()}
    else:  # vertices so near that floats do not tell them apart
        assert outlines(mine) == outlines(facets)
    return len(facets)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("whole", [False, True])
def test_against_reference_skeleton(d, whole):
    facets = 0
    for name, weights, biases in table(amount(40 if d < 3 else 24, 12), 170 + d, d):
        if whole and name in FLAT_KINDS:
            continue
        network = Network.from_arrays(weights, biases, output_layer=False)
        cells = subdivide(network, Space(d) if whole else Box([-1] * d, [1] * d), threads=1)
        facets += check(cells, weights, biases, reference.space(d) if whole else reference.box([-1] * d, [1] * d))
    assert facets > amount(50, 40)


def test_against_reference_skeleton_of_a_polygon_and_a_segment():
    corners = [[-1.0, -1.0], [2.0, 0.0], [1.0, 2.0], [-0.5, 1.5]]
    for _, weights, biases in table(amount(20, 8), 5, 2):
        network = Network.from_arrays(weights, biases, output_layer=False)
        check(subdivide(network, Polygon(corners), threads=1), weights, biases, reference.polygon(corners))
        path = subdivide(network, Segment(corners[0], corners[2]), threads=1)
        assert len(path.facets) == len(path) + 1
        assert path.facets.inner.sum() == len(path) - 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_against_reference_skeleton_of_directions(n):
    """The cones of a network without biases in all of space: what bounds them are the facets among directions."""
    for _, weights, biases in table(amount(16, 8), 90 + n, n):
        nothing = [[0.0] * len(bias) for bias in biases]
        network = Network.from_arrays(weights, biases, output_layer=False)
        try:
            cells = subdivide(network, Directions(n), threads=1)
        except ComputationError:
            continue
        _, facets = expected(weights, nothing, reference.space(n))
        assert len(cells.facets) == len(facets)
        assert sorted(map(sorted, found(cells).values())) == sorted(map(sorted, facets.values()))


def test_known_two_lines_in_a_square():
    """Nine vertices, twelve edges, four cells."""
    network = Network.from_arrays([np.eye(2)], [np.zeros(2)], output_layer=False)
    cells = subdivide(network, Box([-1, -1], [1, 1]))
    assert (len(cells.vertices), len(cells.facets), len(cells)) == (9, 12, 4)
    assert sorted(cells.vertices.tolist()) == sorted([x, y] for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0))
    assert cells.facets.inner.sum() == 4
    assert sorted(cells.facets.walls[cells.facets.inner].tolist()) == [0, 0, 1, 1]
    assert cells.is_bounded.all()


@pytest.mark.parametrize(
    ("domain", "faces"),
    [
        (Box([-1, -1], [1, 1]), [4, 4, 1]),
        (Box([-1] * 3, [1] * 3), [8, 12, 6, 1]),
        (Space(2), [0, 0, 1]),
        (Directions(2), [0, 0, 1]),
    ],
)
def test_known_networks_that_never_bend(domain, faces):
    """No neurons and no patterns: one cell, with the faces of the domain."""
    n = domain.slice.n_in
    cells = subdivide(Network.from_levels([Level({0: Dense(np.ones((1, n)))}, None, Linear())]), domain)
    assert cells.f_vector().tolist() == faces
    assert cells.linear_regions.tolist() == [0]
    assert cells.check(sample=None).complete


def test_known_planes_through_one_point():
    """Four planes in general position through zero: one vertex within, whatever the number of its facets."""
    weight = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 1.0, 1.0]]
    network = Network.from_arrays([weight], [[0.0] * 4], output_layer=False)
    cells = subdivide(network, Space(3))
    assert len(cells) == 14
    assert cells.vertices[~cells.vertices_at_infinity].tolist() == [[0.0, 0.0, 0.0]]
    assert len(cells.vertices) == 1 + 12  # and the directions of six lines
    assert len(cells.facets) == 24  # each plane is cut by three lines through one point
    assert not cells.is_bounded.any()


def test_known_strips_have_lines_in_them():
    network = Network.from_arrays([[[1.0, 1.0], [1.0, 1.0]]], [[0.0, -1.0]], output_layer=False)
    cells = subdivide(network, Space(2))
    assert np.abs(cells.lineality).round(12).tolist() == [[round(0.5**0.5, 12)] * 2]
    assert (len(cells), len(cells.facets)) == (3, 2)
    assert (cells.vertex_numbers == -1).sum() == 6


def test_known_constant_networks_have_no_facets():
    for d in (1, 2, 3):
        network = Network.from_arrays([np.zeros((2, d))], [[1.0, -1.0]], output_layer=False)
        cells = subdivide(network, Space(d))
        assert (len(cells), len(cells.facets), len(cells.vertices)) == (1, 0, 0)
        assert cells.lineality.shape == (d, d)
        box = subdivide(network, Box([-1] * d, [1] * d))
        assert (len(box), len(box.facets), len(box.vertices)) == (1, 2 * d, 2**d)


def test_known_a_switch_of_three_meets_in_one_vertex():
    """max(x, y, 0): three cells around zero, parted by three facets."""
    x = build.input(2)
    candidates = [build.dense(x, [row]) for row in ([1.0, 0.0], [0.0, 1.0], [0.0, 0.0])]
    cells = subdivide(build.network(build.maximum(*candidates)), Box([-1, -1], [1, 1]))
    assert (len(cells), int(cells.facets.inner.sum())) == (3, 3)
    middle = np.flatnonzero((cells.vertices == 0).all(axis=1))
    assert len(middle) == 1
    assert (cells.vertex_numbers == middle[0]).sum() == 3
    assert {cells.wall_name(wall)[:3] for wall in cells.facets.walls[cells.facets.inner]} == {("switch", "layer 1", 0)}


@pytest.mark.parametrize("seed", range(3))
def test_laws_euler_in_generic_networks(seed):
    network = Network.from_arrays(*random_network([2, 12, 12, 1], seed, 0.5))
    for domain in (Box([-1, -1], [1, 1]), Space(2), Plane([0, 0], [[1, 0.5], [0.25, 1]]).square(2)):
        cells = subdivide(network, domain)
        assert (~cells.vertices_at_infinity).sum() - len(cells.facets) + len(cells) == 1
        assert cells.facets.inner.sum() == (cells.facets.walls >= 0).sum()
        assert 2 * cells.facets.inner.sum() / len(cells) <= 4  # the mean degree of the dual graph


def test_laws_files_keep_the_skeleton(tmp_path):
    network = Network.from_arrays(*random_network([3, 6, 4, 1], 1, 0.5))
    cells = subdivide(network, Box([-1] * 3, [1] * 3))
    again = type(cells).load(cells.save(tmp_path / "cells.npz"))
    assert np.array_equal(again.vertices, cells.vertices)
    for mine, theirs in zip(again.facets, cells.facets, strict=True):
        assert np.array_equal(mine, theirs)
