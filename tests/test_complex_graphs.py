"""The dual graph and the adjacency of cells."""

import sys

import numpy as np
import pytest

from creases import Box, Directions, MissingExtraError, Network, Segment, Space, subdivide
from networks import random_network, table

networkx = pytest.importorskip("networkx")


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def test_known_four_quadrants():
    cells = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0]]), Box([-1, -1], [1, 1]))
    graph = cells.dual_graph()
    assert networkx.is_isomorphic(graph, networkx.cycle_graph(4))
    for one, other, data in graph.edges(data=True):
        assert set(data) == {"facet", "wall"}
        assert cells.facets.cells[data["facet"]].tolist() == sorted([one, other])
        assert cells.facets.walls[data["facet"]] == data["wall"]
        # Across a wall of neuron i its bit changes and no other does.
        assert cells.patterns[one, 0] ^ cells.patterns[other, 0] == 1 << data["wall"]


@pytest.mark.parametrize(
    ("domain", "shape"),
    [
        (Segment([-1, -0.5], [1, 0.5]), networkx.path_graph(2)),
        (Space(2), networkx.cycle_graph(4)),
        (Directions(2), networkx.cycle_graph(4)),
    ],
    ids=["segment", "plane", "directions"],
)
def test_known_shapes(domain, shape):
    cells = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0]]), domain)
    assert networkx.is_isomorphic(cells.dual_graph(), shape)
    alone = subdivide(hidden([[[0.0, 0.0]]], [[1.0]]), domain)
    assert (alone.dual_graph().number_of_nodes(), alone.dual_graph().number_of_edges()) == (1, 0)
    assert alone.adjacency().shape == (1, 1)
    assert alone.adjacency().nnz == 0


def test_known_the_cube_of_signs():
    """All coordinate hyperplanes of R^4: the dual graph is a cube."""
    cells = subdivide(hidden([np.eye(4)], [np.zeros(4)]), Space(4))
    assert networkx.is_isomorphic(cells.dual_graph(), networkx.hypercube_graph(4))


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_laws_mean_degree_of_generic_networks(d):
    """At most 2 d neighbours a cell in the mean (Gaines and Bi 2026); and the graph hangs together."""
    widths = {1: [20, 20], 2: [16, 12], 3: [9, 7], 4: [6, 5]}[d]
    for seed in range(3):
        network = Network.from_arrays(*random_network([d, *widths, 1], seed, 0.5))
        for domain in (Space(d), Box([-1] * d, [1] * d)):
            cells = subdivide(network, domain)
            adjacency = cells.adjacency()
            assert d * 0.5 < adjacency.sum() / len(cells) <= 2 * d
            assert networkx.is_connected(cells.dual_graph())


def test_laws_adjacency_is_the_graph():
    for i, (_, weights, biases) in enumerate(table(20, 8, 2)):
        cells = subdivide(hidden(weights, biases), Box([-1, -1], [1, 1]))
        adjacency = cells.adjacency()
        assert adjacency.dtype == bool
        assert adjacency.shape == (len(cells),) * 2
        assert (adjacency != adjacency.T).nnz == 0
        assert not adjacency.diagonal().any()
        assert adjacency.nnz == 2 * cells.facets.inner.sum()
        theirs = networkx.to_scipy_sparse_array(cells.dual_graph(), nodelist=range(len(cells)), weight=None)
        assert (theirs.astype(bool) != adjacency).nnz == 0, i


def test_bad_input_without_networkx(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    cells = subdivide(hidden([[[1, 0], [0, 1]]], [[0, 0]]), Space(2))
    with pytest.raises(MissingExtraError, match=r"A dual graph needs the package 'networkx'.*creases\[graph\]"):
        cells.dual_graph()
    assert cells.adjacency().nnz == 8
