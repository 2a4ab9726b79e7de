"""Arrange elements that follow one another into rows, all rows at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_NEXT", "Chains", "rows_of"]

Ints = NDArray[np.int64]
NO_NEXT = -1  # the successor of the last element of a row


class Chains(NamedTuple):
    """order : int64 (n,), the elements row after row. first : int64 (rows + 1,), the beginnings of the rows. closed :
    bool (rows,), whether the last element of a row is followed by its first. Rows are in the order of their lowest
    elements."""

    order: Ints
    first: Ints
    closed: NDArray[np.bool_]


def rows_of(after: Ints) -> Chains:
    """The rows of n elements, each of which has at most one successor and at most one predecessor.

    after : int64 (n,), the successor of each element, or NO_NEXT. A closed row begins with its lowest element.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(after)
    followed = np.flatnonzero(after != NO_NEXT)
    graph = coo_array((np.ones(len(followed), np.bool_), (followed, after[followed])), shape=(count, count))
    rows, labels = connected_components(graph, directed=False) if count else (0, after)
    _, lowest = np.unique(labels, return_index=True)
    rank = np.empty(rows, np.int64)
    rank[np.argsort(lowest)] = np.arange(rows)
    labels, lowest = rank[labels], np.sort(lowest)
    closed = np.ones(rows, np.bool_)
    closed[labels[after == NO_NEXT]] = False
    # Closed rows are cut before their lowest element, so that every row has an end. Then the distance to the end is
    # found by pointer doubling.
    cut = after.copy()
    cut[np.isin(after, lowest[closed])] = NO_NEXT
    steps, ahead = (cut != NO_NEXT).astype(np.int64), cut
    while (ahead != NO_NEXT).any():
        on = np.flatnonzero(ahead != NO_NEXT)
        steps[on] += steps[ahead[on]]
        further = np.full(count, NO_NEXT)
        further[on] = ahead[ahead[on]]
        ahead = further
    order = np.lexsort((-steps, labels))
    return Chains(order, np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=rows))]), closed)
