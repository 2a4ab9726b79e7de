"""The matrices of a graph in the form in which columns are multiplied by them: sliced, or sparse, with their norms.
They are computed once per graph.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from creases.engine.columns.norms import norm_of_scaled
from creases.engine.columns.sliced import SlicedMatrix
from creases.engine.columns.sparse import SparseMatrix
from creases.engine.graph import INPUTS, Graph, is_sparse

__all__ = ["Prepared", "prepared"]

Prepared = SlicedMatrix | SparseMatrix

# For each graph in use, by the number of the level. Threads share it, and one of them computes missing entries.
known: WeakKeyDictionary[Graph, dict[int, tuple[Prepared, ...]]] = WeakKeyDictionary()
lock = threading.Lock()


def prepared(graph: Graph, number: int) -> tuple[Prepared, ...]:
    """The matrices of a level, in the order of its sources, with their norms."""
    with lock:
        return prepared_alone(graph, number)


def prepared_alone(graph: Graph, number: int) -> tuple[Prepared, ...]:
    """`prepared`, called by only one thread at a time."""
    levels = known.setdefault(graph, {})
    if number not in levels:
        level = graph.levels[number - 1]
        made = tuple(SparseMatrix(each) if is_sparse(each) else SlicedMatrix(each) for each in level.matrices)
        for source, matrix in zip(level.sources, made, strict=True):
            if isinstance(matrix, SlicedMatrix):
                _ = matrix.norm
            elif (inner := product_of(graph, source)) is not None and (factors := matrix.diagonal) is not None:
                matrix.norm_after = norm_of_scaled(factors, inner.matrix)
        levels[number] = made
    return levels[number]


def product_of(graph: Graph, number: int) -> SlicedMatrix | None:
    """The matrix of a level that is the product with a single matrix, plus a bias; None for other levels, and for the
    inputs."""
    if number == INPUTS:
        return None
    level = graph.levels[number - 1]
    if level.slopes is not None or level.divisors is not None or len(level.matrices) > 1:
        return None
    (matrix,) = prepared_alone(graph, number)
    return matrix if isinstance(matrix, SlicedMatrix) else None
