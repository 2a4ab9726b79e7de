"""Closed paths: pieces around, against the specification; audits; what is said of them."""

from itertools import pairwise

import numpy as np
import pytest

import graph_cases
import reference
from creases import Box, Count, DomainError, Network, Polyline, audit, count, count_many, subdivide
from creases.auditing.tables import by_ring
from creases.domain import domain_from_dict
from creases.domain.volume import volume_of
from graph_networks import as_network
from networks import KINDS, random_network, table

SQUARE = [[-1, -1], [1, -1], [1, 1], [-1, 1]]
CROSS = Network.from_arrays([[[1, 0], [0, 1]]], [[0, 0]], output_layer=False)


def around(levels, points):
    """(pieces, distinct) of the closed path, by the specification."""
    patterns = []
    for a, b in pairwise([*points, points[0]]):
        found = reference.graph_regions(levels, reference.segment(a, b))
        patterns += [region.pattern for region in sorted(found, key=reference.Region.interior_point)]
    borders = sum(patterns[i] != patterns[i - 1] for i in range(len(patterns)))
    return max(borders, 1), len(set(patterns))


def dense(weights, biases):
    """Hidden layers as levels of the specification."""
    return [
        reference.Level({i: weight}, bias, reference.relu(len(bias)))
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True))
    ]


def test_known_paths_around_a_cross():
    for points, regions, distinct in [
        (SQUARE, 4, 4),
        ([[1, 0], [0, 1], [-1, 0], [0, -1]], 4, 4),  # every corner on a line
        ([[1, 1], [2, 1], [1, 2]], 1, 1),
        ([[1, 1], [-1, 1], [-1, 2], [1, 2]], 2, 2),
        ([[0, 1], [2, 1], [2, 2], [0, 2]], 2, 2),  # along a line, where its neuron is inactive
        ([[1, 1], [-1, 1]], 2, 2),  # there and back
        ([[0, 0], [1, 1], [1, -1]], 2, 2),
    ]:
        found = count(CROSS, Polyline(points, closed=True))
        assert (found.regions, found.distinct, found.certified) == (regions, distinct, True), points
        assert found.by_layer == (regions,)
    opened = count(CROSS, Polyline([*SQUARE, SQUARE[0]]))
    assert opened.regions == 5
    assert opened.distinct == 4


def test_known_pieces_around_polygons_of_many_corners():
    """Around a circle's polygon there are two zeros of each line through it, wherever the path begins."""
    network = Network.he([2, 9, 1], seed=1, bias_std=0.01)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    for shift in range(0, 40, 7):
        assert count(network, Polyline(np.roll(points, shift, axis=0), closed=True)).regions == 18


@pytest.mark.parametrize(("weights", "biases"), [pytest.param(w, b, id=name) for name, w, b in table(len(KINDS), 3)])
def test_against_reference_of_all_kinds(weights, biases):
    """Paths with corners on walls, from every corner on."""
    n = len(weights[0][0])
    rng = np.random.default_rng(n)
    points = (rng.integers(-2, 3, (4, n)) / 2 + np.arange(4)[:, None] / 64).tolist()
    network, levels = Network.from_arrays(weights, biases, output_layer=False), dense(weights, biases)
    for shift in range(2):
        path = points[shift:] + points[:shift]
        for corners in (path, path[:3]):
            found = count(network, Polyline(corners, closed=True))
            assert (found.regions, found.distinct) == around(levels, corners)


@pytest.mark.parametrize("seed", range(6))
def test_against_reference_of_graphs(seed):
    rng = np.random.default_rng([9, seed])
    levels = graph_cases.random_graph(rng, 2, degenerate=bool(seed % 2))
    points = (rng.integers(-4, 5, (4, 2)) / 4 + np.arange(4)[:, None] / 64).tolist()
    found = count(as_network(levels, 2), Polyline(points, closed=True))
    assert (found.regions, found.distinct) == around(levels, points)


def test_laws_audits(tmp_path):
    """An audit recounts it in rationals, layer by layer, and a count of the open path does not pass for it."""
    network = Network.from_arrays(*random_network([2, 6, 5, 1], 3, 0.5))
    for path in (Polyline(SQUARE, closed=True), Polyline([[2, 2], [2.25, 2], [2, 2.25]], closed=True)):
        found = count(network, path)
        again = Count.from_dict(found.to_dict())
        assert again.domain == path
        assert audit(again, network).agrees
    wrong = Count.from_dict(count(network, Polyline([*SQUARE, SQUARE[0]])).to_dict())
    object.__setattr__(wrong, "domain", Polyline(SQUARE, closed=True))
    assert not audit(wrong, network).agrees


def test_known_rings_of_rows():
    rows = np.array([[1], [1], [2], [3], [1]], np.uint8)
    assert by_ring(rows, 8).tolist() == [0, 0, 1, 2, 0]
    assert by_ring(rows, 1).tolist() == [0, 0, 1, 0, 0]
    assert by_ring(rows[:2], 8).tolist() == [0, 0]


def test_known_what_is_said_of_closed_paths():
    path = Polyline(SQUARE, closed=True)
    assert repr(path) == "Polyline(n_in=2, segments=4, length=8, closed)"
    assert volume_of(path) == path.length == 8.0
    assert Polyline(SQUARE).length == 6.0
    assert path.to_dict() == {"kind": "polyline", "points": path.points.tolist(), "closed": True}
    assert "closed" not in Polyline(SQUARE).to_dict()
    assert domain_from_dict(path.to_dict()) == path != Polyline(SQUARE)
    both = count_many(CROSS, [path, Polyline(SQUARE)])
    assert [found.regions for found in both] == [4, 4]
    cells = [subdivide(CROSS, segment) for segment in path.segments]
    assert sum(map(len, cells)) == 8
    assert count(CROSS, path).per_volume == 0.5
    assert len(subdivide(CROSS, Box([-1, -1], [1, 1]))) == 4


def test_bad_input_closed_paths():
    with pytest.raises(DomainError, match=r"goes back to its first point by itself\. Leave out the last one"):
        Polyline([*SQUARE, SQUARE[0]], closed=True)
    with pytest.raises(DomainError, match="closed must be True or False, got 1"):
        Polyline(SQUARE, closed=1)
    with pytest.raises(DomainError, match="counted on open paths only"):
        count(CROSS, Polyline(SQUARE, closed=True), by_neuron=True)
