"""Simplices handed to GUDHI, which computes homology over the field of two elements."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import require_extra

__all__ = ["betti_numbers", "filtered_tree", "simplex_tree"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def new_tree() -> Any:
    """An empty simplex tree. Raises MissingExtraError without GUDHI."""
    try:
        from gudhi import SimplexTree
    except ImportError as error:
        raise require_extra("gudhi", "topology", "Homology") from error
    return SimplexTree()


def simplex_tree(simplices: list[Ints]) -> Any:
    """The tree of some simplices, int64 (simplices, k + 1) for each k, with all their faces."""
    tree = new_tree()
    for some in simplices:
        if len(some):
            tree.insert_batch(np.ascontiguousarray(some.T.astype(np.int32)), np.zeros(len(some)))
    return tree


def betti_numbers(simplices: list[Ints], dimension: int) -> tuple[int, ...]:
    """The Betti numbers 0 to `dimension` of the simplices with all their faces."""
    tree = simplex_tree(simplices)
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    numbers = tree.betti_numbers()
    return tuple(int(numbers[k]) if k < len(numbers) else 0 for k in range(dimension + 1))


def filtered_tree(simplices: list[Ints], ranks: Floats) -> Any:
    """The tree of some simplices and their faces, each of which enters with the last of its vertices.

    ranks : float64 (vertices,), when each vertex enters.
    """
    tree = new_tree()
    size = max((some.shape[1] for some in simplices if len(some)), default=0)
    for k in range(1, size + 1):  # faces first: what is inserted again keeps its lower rank
        for some in simplices:
            if not len(some) or some.shape[1] < k:
                continue
            for places in combinations(range(some.shape[1]), k):
                part = some[:, places]
                tree.insert_batch(np.ascontiguousarray(part.T.astype(np.int32)), ranks[part].max(axis=1))
    return tree
