"""The matrices of a graph as columns are multiplied by them: sliced, or sparse, with their norms. Made once a graph."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from creases.engine.columns.sliced import SlicedMatrix
from creases.engine.columns.sparse import SparseMatrix
from creases.engine.graph import Graph, is_sparse

__all__ = ["Prepared", "prepared"]

Prepared = SlicedMatrix | SparseMatrix

# Of each graph that is in use, by the number of the level. Threads share it; one of them makes what is not there yet.
known: WeakKeyDictionary[Graph, dict[int, tuple[Prepared, ...]]] = WeakKeyDictionary()
lock = threading.Lock()


def prepared(graph: Graph, number: int) -> tuple[Prepared, ...]:
    """The matrices of a level, in the order of its sources, with their norms."""
    with lock:
        levels = known.setdefault(graph, {})
        if number not in levels:
            matrices = graph.levels[number - 1].matrices
            made = tuple(SparseMatrix(each) if is_sparse(each) else SlicedMatrix(each) for each in matrices)
            for matrix in made:
                _ = matrix.norm
            levels[number] = made
        return levels[number]
