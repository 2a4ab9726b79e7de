"""More facets than a cell has room for: regions and domains, against the specification and known numbers."""

import os
import subprocess
import sys
from math import comb

import numpy as np
import pytest

import reference
from children import LONGEST
from creases import Box, Network, Polytope, Space, count, count_in_pieces, subdivide
from creases.double_description import dot
from creases.engine.starts.bounded import bounded_start, root_tile
from creases.engine.starts.tiles import CrowdedStart
from creases.engine.starts.walls import divided, roomy, tile_in_chart
from creases.engine.state.cell_layout import (
    MOST_FACETS,
)
from creases.errors import ComputationError
from creases.packing import as_problem
from networks import random_network

TESTS = os.path.dirname(__file__)


def tangents(n, d=3, seed=0):
    """Outward normals of n random hyperplanes tangent to the unit sphere."""
    normals = np.random.default_rng(seed).standard_normal((n, d))
    return normals / np.linalg.norm(normals, axis=1)[:, None]


def ball(n):
    """A polytope with n walls tangent to a sphere, exactly: its corners and walls for the specification too."""
    made = Polytope.where(np.round(tangents(n) * 2**20), np.full(n, 2.0**20))
    rays = [tuple(reference.Fraction(x, ray[-1]) for x in ray[:-1]) for ray in made.corners.rays]
    on = [{i for i in range(len(made.corners.walls)) if mask >> i & 1} for mask in made.corners.masks]
    return made, reference.polytope(rays, on)


@pytest.mark.parametrize(
    ("kinds", "seed"),
    [("generic,along_walls", 1), pytest.param("small_integers,concurrent", 1, marks=pytest.mark.long)],
)
def test_against_reference_with_room_for_eight_facets(kinds, seed):
    """Layers, neurons, what is unbounded, pieces and lists, degenerate networks too (`few_facets`)."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", os.path.join(TESTS, "few_facets.py"), kinds, str(seed)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join([TESTS, *sys.path])},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stderr
    kept, refused, crowded, parted = map(int, done.stdout.split())
    assert (kept, refused) == (6, 0)
    assert crowded >= parted > 0


@pytest.mark.jit
def test_known_hyperplanes_tangent_to_a_sphere():
    """General position: 1 + n + C(n, 2) + C(n, 3) regions, of which one has n facets."""
    n = 100
    network = Network.from_arrays([tangents(n)], [-np.ones(n)], output_layer=False)
    whole = count(network, Space(3), by_neuron=True)
    assert whole.by_layer == (1 + n + comb(n, 2) + comb(n, 3),)
    assert (whole.bounded, whole.certified, whole.by_neuron) == (comb(n - 1, 3), True, ((1,) * n,))
    cube = Box([-1.25] * 3, [1.25] * 3)
    found = [count(network, cube, threads=threads).by_layer for threads in (1, 2)]
    assert found == [found[0]] * 2 == [count_in_pieces(network, cube, pieces=8).by_layer] * 2
    listed = subdivide(network, cube)
    assert listed.by_layer == found[0] == (len({pattern.tobytes() for pattern in listed.patterns}),) == (len(listed),)
    assert not listed.exact_interior_points
    assert np.diff(listed.sides.first).max() == n  # of the region in the middle, which walls had parted
    own = listed.facets.walls >= 0
    assert np.array_equal(own, listed.facets.inner)


@pytest.mark.jit
def test_laws_layers_above_a_crowded_region():
    """With a second layer the crowded region is parted before it is crossed; small pieces of it never are."""
    normals = tangents(80)
    above = random_network([80, 6, 1], 1, 0.3)
    weights, biases = [normals, np.asarray(above[0][0])], [-np.ones(80), np.asarray(above[1][0])]
    network, cube = Network.from_arrays(weights, biases, output_layer=False), Box([-1.5] * 3, [1.5] * 3)
    found = count(network, cube, by_neuron=True, threads=1)
    at_once, pieces = count(network, cube, threads=2), count_in_pieces(network, cube, pieces=64)
    assert found.by_layer == at_once.by_layer == pieces.by_layer
    assert found.certified
    assert len(subdivide(network, cube)) == found.regions


@pytest.mark.jit
@pytest.mark.parametrize("n", [63, 80])
def test_against_reference_domains_of_many_walls(n):
    domain, specification = ball(n)
    assert len(domain.corners.walls) == n > MOST_FACETS
    weights, biases = random_network([3, 4, 3], 0, 0.3)
    weights, biases = [np.asarray(w).tolist() for w in weights], [np.asarray(b).tolist() for b in biases]
    network = Network.from_arrays(weights, biases, output_layer=False)
    layers = list(reference.layers(weights, biases, specification))
    found = count(network, domain, by_neuron=True)
    assert found.by_layer == tuple(len(regions) for regions, _ in layers)
    assert found.certified
    assert [list(row) for row in found.by_neuron] == [cutting for _, cutting in layers]
    assert count(network, domain).by_layer == count_in_pieces(network, domain, pieces=5).by_layer == found.by_layer
    listed = subdivide(network, domain)
    patterns = sorted(tuple(tuple(row.tolist()) for row in listed.pattern(i)) for i in range(len(listed)))
    assert patterns == sorted(region.pattern for region in layers[-1][0])


def test_known_parts_of_a_tile_have_room():
    """Signs add up to one, and so do the parts at any point; a long prism is parted along its length."""
    angles = 2 * np.pi * np.arange(90) / 90
    circle = np.round(np.column_stack([np.cos(angles), np.sin(angles)]) * 1024) / 1024
    prism = Polytope(np.vstack([np.column_stack([circle, np.full(90, z)]) for z in (-64.0, 64.0)]))
    for domain in (prism, ball(70)[0]):
        problem = as_problem(Network.from_arrays(*random_network([3, 5, 1], 0, 0.1)), domain)
        assert isinstance(bounded_start(problem.vertices), CrowdedStart)
        parts = list(roomy(root_tile(problem.vertices)))
        assert sum(sign for sign, _ in parts) == 1
        assert all(tile.dimension < 3 or len(tile.facets) <= MOST_FACETS for _, tile in parts)
        assert all(tile.dimension == (3 if sign > 0 else 2) for sign, tile in parts)


def test_laws_a_tile_in_another_chart():
    tile = root_tile(as_problem(Network.from_arrays(*random_network([3, 5, 1], 0, 0.1)), ball(20)[0]).vertices)
    chart = tile.chart @ np.array([[1, 0.25, 0, 0], [0, 2, 0.125, 0], [0, 0, 1, 0], [0, 0.0625, 0, 1]])
    moved = tile_in_chart(tile, chart)
    assert moved.masks == tile.masks
    for facet, before in zip(moved.facets, tile.facets, strict=True):
        assert [dot(facet, ray) > 0 for ray in moved.rays] == [dot(before, ray) > 0 for ray in tile.rays]
    assert tile_in_chart(moved, tile.chart).rays == tile.rays


def axes(d):
    """A network whose neurons are the first two coordinates."""
    return Network.from_arrays([np.eye(2, d)], [np.zeros(2)], output_layer=False)


def test_known_a_domain_thinner_than_floats_can_tell():
    """Sixty-two sides and a height of 2^-106: the middle between two equal floats was sought without end."""
    angles, most = 2 * np.pi * np.arange(62) / 62, 2.0**53
    sides = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(62)])
    normals = [*sides, [0, 0, -(most - 1)], [0, 0, most]]
    thin = Polytope.where(normals, [*[1.0] * 62, -(most - 2), most - 1])
    assert count(axes(3), thin).by_layer == (4,)


@pytest.mark.long
def test_known_a_domain_whose_walls_all_meet():
    """The dual of a cyclic polytope: no wall leaves fewer than its 64 facets on either side, but several do."""
    angles = 2 * np.pi * np.arange(64) / 64
    normals = np.column_stack([np.cos(angles), np.sin(angles), np.cos(2 * angles), np.sin(2 * angles)])
    whole = Polytope.where(np.round(normals * 4096) / 4096, np.ones(64))
    assert len(whole.corners.rays) == 1908
    found = count(axes(4), whole)
    assert (found.by_layer, found.certified) == ((4,), True)


def test_bad_input_no_wall_parts_a_tile():
    """No wall leaves four facets on either side, and none is drawn where its chart is not to be had."""
    tile = root_tile(as_problem(Network.from_arrays(*random_network([3, 5, 1], 0, 0.1)), ball(20)[0]).vertices)
    assert max(len(part.facets) for part in divided(tile, 4)[:2]) > 4
    with pytest.raises(ComputationError, match=r"has 70 facets; a cell has room for 62.* Cut a smaller domain"):
        list(roomy(root_of_flat(70)))


def root_of_flat(n):
    """A tile whose chart has no bits left for a wall's."""
    tile = root_tile(as_problem(Network.from_arrays(*random_network([3, 5, 1], 0, 0.1)), ball(n)[0]).vertices)
    return tile._replace(chart=np.zeros_like(tile.chart))


def test_known_corners_of_many_half_spaces():
    """Three walls meet at each corner of a generic polytope in space: 2 n - 4 corners."""
    made, _ = ball(120)
    assert len(made.corners.rays) == 2 * len(made.corners.walls) - 4
