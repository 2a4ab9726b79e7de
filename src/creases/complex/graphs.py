"""The dual graph of a complex: a node for each cell, an edge for each facet between two cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creases.errors import require_extra

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["adjacency_of", "dual_graph_of"]


def adjacency_of(complex: Complex) -> Any:
    """Which cells share a facet: a symmetric scipy.sparse.csr_array of bool, (cells, cells)."""
    from scipy.sparse import csr_array

    count, first = len(complex), complex.sides.first
    # The facets of a cell are consecutive, so only the cells across them have to be sorted.
    ends, inner = complex.facets.cells, complex.facets.inner[complex.side_facets]
    beyond = (ends[:, 0] + ends[:, 1])[complex.side_facets] - np.repeat(np.arange(count), np.diff(first))
    rows = np.concatenate([[0], np.cumsum(inner)])[first]
    found = csr_array((np.ones(rows[-1], np.bool_), beyond[inner], rows), shape=(count, count))
    found.sort_indices()
    return found


def dual_graph_of(complex: Complex) -> Any:
    """The dual graph as a networkx.Graph, nodes 0 to cells - 1.

    Edges have the attributes `facet`, the number of the facet, and `wall`, its wall. Two cells share at most one facet.
    Raises MissingExtraError if networkx is not installed.
    """
    try:
        from networkx import Graph
    except ImportError as error:
        raise require_extra("networkx", "graph", "A dual graph") from error
    graph = Graph()
    graph.add_nodes_from(range(len(complex)))
    facets = complex.facets
    inner = np.flatnonzero(facets.inner)
    columns = (*facets.cells[inner].T.tolist(), inner.tolist(), facets.walls[inner].tolist())
    graph.add_edges_from((one, other, {"facet": i, "wall": wall}) for one, other, i, wall in zip(*columns, strict=True))
    return graph
