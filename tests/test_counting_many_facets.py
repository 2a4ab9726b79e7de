"""More facets than a word of a mask has bits: regions and domains, against the specification and known numbers."""

import os
import subprocess
import sys
from math import comb

import numpy as np
import pytest

import reference
from children import LONGEST
from creases import Box, Network, Polygon, Polytope, Space, build, count, count_in_pieces, subdivide
from creases.engine.state.cell_layout import (
    FACETS_A_WORD,
)
from creases.streaming import stream_cells
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
    ("kinds", "seed", "d"),
    [
        ("generic,along_walls", 1, 3),
        pytest.param("small_integers,concurrent,zero_bias,duplicates", 1, 3, marks=pytest.mark.long),
        pytest.param("generic,small_integers", 1, 4, marks=pytest.mark.long),
    ],
)
def test_against_reference_with_three_facets_a_word(kinds, seed, d):
    """Layers, neurons, what is unbounded, pieces and lists, degenerate networks too (`few_facets`)."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", os.path.join(TESTS, "few_facets.py"), kinds, str(seed), str(d)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join([TESTS, *sys.path])},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stderr
    kept, words, anew = map(int, done.stdout.split())
    assert kept == (3 if d == 3 else 2) * len(kinds.split(","))
    assert words > 2
    assert anew > 0


@pytest.mark.jit
def test_known_hyperplanes_tangent_to_a_sphere():
    """General position: 1 + n + C(n, 2) + C(n, 3) regions, of which one has n facets."""
    n = 130
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
    assert np.diff(listed.sides.first).max() == n  # of the region in the middle
    own = listed.facets.walls >= 0
    assert np.array_equal(own, listed.facets.inner)


@pytest.mark.jit
def test_laws_layers_above_a_crowded_region():
    """With a second layer the region of many facets is crossed; its pieces have few again."""
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
    assert len(domain.corners.walls) == n > FACETS_A_WORD
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


def axes(d):
    """A network whose neurons are the first two coordinates."""
    return Network.from_arrays([np.eye(2, d)], [np.zeros(2)], output_layer=False)


def test_known_a_domain_thinner_than_floats_can_tell():
    """Sixty-two sides and a height of 2^-106."""
    angles, most = 2 * np.pi * np.arange(62) / 62, 2.0**53
    sides = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(62)])
    normals = [*sides, [0, 0, -(most - 1)], [0, 0, most]]
    thin = Polytope.where(normals, [*[1.0] * 62, -(most - 2), most - 1])
    assert count(axes(3), thin).by_layer == (4,)


def test_known_a_domain_whose_walls_all_meet():
    """The dual of a cyclic polytope: any two of its 64 facets meet."""
    angles = 2 * np.pi * np.arange(64) / 64
    normals = np.column_stack([np.cos(angles), np.sin(angles), np.cos(2 * angles), np.sin(2 * angles)])
    whole = Polytope.where(np.round(normals * 4096) / 4096, np.ones(64))
    assert len(whole.corners.rays) == 1908
    found = count(axes(4), whole)
    assert (found.by_layer, found.certified) == ((4,), True)


def test_laws_many_walls_in_four_dimensions():
    """Two hundred walls: the regions of the polytope are those of its two parts, but for those that the cut parts."""
    normals = np.round(tangents(200, 4) * 2**10)
    bounds = np.full(200, 2.0**10)
    network = Network.from_arrays(*random_network([4, 6, 3, 1], 0, 0.3))
    whole = Polytope.where(normals, bounds)
    assert len(whole.corners.walls) > 3 * FACETS_A_WORD
    cut = np.array([1.0, 2.0, 0.0, -1.0])
    halves = [Polytope.where(np.vstack([normals, side * cut]), np.append(bounds, 0.0)) for side in (1, -1)]
    found = subdivide(network, whole)
    assert found.by_layer == count(network, whole).by_layer
    patterns = {pattern.tobytes() for pattern in found.patterns}
    parts = [subdivide(network, half) for half in halves]
    assert patterns == {pattern.tobytes() for part in parts for pattern in part.patterns}
    assert sum(part.volumes.sum() for part in parts) == pytest.approx(found.volumes.sum(), rel=1e-9)
    found.check()


def test_known_streams_where_cells_have_many_facets():
    """They were refused where such cells had to be parted."""
    domain, network = ball(90)[0], Network.from_arrays(*random_network([3, 7, 4, 1], 0, 0.3))
    handed = []
    counted = stream_cells(network, domain, handed.append)
    listed = subdivide(network, domain)
    assert counted.by_layer == listed.by_layer
    assert sum(map(len, handed)) == len(listed)


def test_known_a_switch_whose_candidate_wins_on_many_facets():
    """max(0, <a, x> - 1) over tangent planes: zero wins on the polytope that they bound, and each wins behind it."""
    n = 80
    rows, bias = np.vstack([np.zeros(3), tangents(n)]), np.append(0.0, -np.ones(n))
    x = build.input(3)
    network = build.network(build.dense(build.maxout(build.dense(x, rows, bias), n + 1), np.ones((1, 1))))
    cube = Box([-2] * 3, [2] * 3)
    found, listed = count(network, cube, by_neuron=True), subdivide(network, cube)
    assert (found.regions, len(listed), found.by_neuron, found.certified) == (n + 1, n + 1, ((1,),), True)
    assert np.diff(listed.sides.first).max() == n
    listed.check()


@pytest.mark.parametrize("n", [63, 1000, 4096])
def test_known_polygons_of_many_corners(n):
    """Chords that cross inside: 1 + 4 + the pairs that cross (three lines through the middle meet once)."""
    angles = 2 * np.pi * (np.arange(n) + 0.25) / n
    polygon = Polygon(np.column_stack([np.cos(angles), np.sin(angles)]))
    rows = np.array([[1.0, 0.0], [0.3, 1.0], [-0.7, 1.0], [1.0, 1e-3]])
    network = Network.from_arrays([rows], [np.array([0.0, 0.0, 0.0, -0.5])], output_layer=False)
    found, listed = count(network, polygon), subdivide(network, polygon)
    # Six sectors; the last line crosses two of the other chords inside, and so three sectors.
    assert (found.by_layer, found.certified) == ((9,), True)
    assert len(listed) == 9
    assert listed.volumes.sum() == pytest.approx(n / 2 * np.sin(2 * np.pi / n))
    listed.check()


def test_known_corners_of_many_half_spaces():
    """Three walls meet at each corner of a generic polytope in space: 2 n - 4 corners."""
    made, _ = ball(120)
    assert len(made.corners.rays) == 2 * len(made.corners.walls) - 4
