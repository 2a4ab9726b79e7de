"""Polytopes of one and two dimensions whose corners floats do not hold, against the specification."""

from fractions import Fraction

import numpy as np
import pytest

import reference
from creases import Network, Polytope, Segment, Simplex, Subspace, audit, count, count_in_pieces, count_many, subdivide
from creases.domain.polytope import in_order
from networks import KINDS, table

THIRD = Fraction(1, 3)
# x, y >= -1/3 and x + y <= 30/7.
TRIANGLE = Polytope.where([[-3.0, 0.0], [0.0, -3.0], [7.0, 7.0]], [1.0, 1.0, 30.0])
CORNERS = [(-THIRD, -THIRD), (Fraction(30, 7) + THIRD, -THIRD), (-THIRD, Fraction(30, 7) + THIRD)]
INTERVAL = Polytope.where([[-3.0], [7.0]], [1.0, 30.0])
ENDS = [(-THIRD,), (Fraction(30, 7),)]


def compare(weights, biases, domain, specification):
    network = Network.from_arrays(weights, biases, output_layer=False)
    layers = list(reference.layers(weights, biases, specification))
    found = count(network, domain, by_neuron=True, threads=1)
    assert found.by_layer == tuple(len(regions) for regions, _ in layers), (weights, biases)
    assert [list(row) for row in found.by_neuron] == [cutting for _, cutting in layers]
    assert found.certified
    listed = subdivide(network, domain, threads=1)
    others = [count_many(network, [domain, domain])[1], count_in_pieces(network, domain, pieces=4, threads=1), listed]
    assert {other.by_layer for other in others} == {found.by_layer}
    for cell, point in zip(listed, listed.interior_points, strict=True):
        u = listed.exact_interior_points.get(cell.index, tuple(map(Fraction, point.tolist())))
        assert all(sum(x * y for x, y in zip(wall, (*u, 1), strict=True)) > 0 for wall in domain.corners.walls)
        assert [row.tolist() for row in cell.pattern] == [list(row) for row in reference.pattern_at(weights, biases, u)]
    return listed


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_reference_flat_polytopes(kind):
    for _, weights, biases in table(1, 5, 2, [kind]):
        compare(weights, biases, TRIANGLE, reference.polygon(CORNERS))
    for _, weights, biases in table(1, 5, 1, [kind]):
        compare(weights, biases, INTERVAL, reference.polytope(ENDS, [{"low"}, {"high"}]))


@pytest.mark.parametrize("seed", range(3))
def test_laws_flat_polytopes_have_exact_corners(seed):
    """The domain's own corners are cells' corners too, as near as `Complex` says; edges are named in order."""
    (_, weights, biases), *_ = table(1, seed, 2, [KINDS[0]])
    listed = compare(weights, biases, TRIANGLE, reference.polygon(CORNERS))
    for wall in range(3):
        on = listed.corners[listed.edges == -2 - wall]
        form = np.array(in_order(TRIANGLE.corners).walls[wall], float)
        assert len(on)
        assert np.abs(on @ form[:2] + form[2]).max() < 1e-7
    assert audit(listed).agrees


def test_known_flat_polytopes_in_a_subspace():
    """A simplex has float corners; half-spaces in a subspace need not."""
    weights, biases = [[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]], [[0.0, 0.0]]
    network = Network.from_arrays(weights, biases, output_layer=False)
    inside = Subspace([0.0, 0.0, 0.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    thirds = Polytope.where([[-3.0, 0.0], [0.0, -3.0], [7.0, 7.0]], [1.0, 1.0, 30.0], inside)
    assert count(network, thirds).by_layer == (4,)
    flat = Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output_layer=False)
    clockwise = Simplex([[-1.0, -1.0], [-1.0, 3.0], [3.0, -1.0]])
    assert count(flat, clockwise).by_layer == (4,)
    assert audit(subdivide(flat, clockwise)).agrees
    line = Network.from_arrays([[[1.0], [2.0]]], [[0.0, -8.5]], output_layer=False)
    assert [found.regions for found in count_many(line, [INTERVAL, Segment([0.0], [1.0]), INTERVAL])] == [3, 1, 3]


def test_known_order_of_corners():
    """Counter-clockwise, wall i from corner i on; by whole numbers, where floats cannot tell two corners apart."""
    near = Polytope.where(
        [[-1.0, 0.0], [0.0, -1.0], [1.0, 2.0**-60], [1.0, 2.0**-61], [0.0, 1.0]], [1.0, 1.0, 1.0, 1.0, 1.0]
    )
    rays, walls, masks = in_order(near.corners)
    for i, wall in enumerate(walls):
        values = [sum(x * y for x, y in zip(wall, ray, strict=True)) for ray in rays]
        assert [v for v, value in enumerate(values) if value == 0] == sorted({i, (i + 1) % len(rays)})
        assert all(masks[v] >> i & 1 == (value == 0) for v, value in enumerate(values))
