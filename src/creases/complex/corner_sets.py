"""Faces of cells as sets of corners.

A face of a cell is what some of its sides have in common, so its corners are those that lie on all of these sides.
Which corners lie on which side is proved; no coordinate is looked at here. A set is a row of a sparse matrix of ones,
with a column for each of `Complex.corners`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.errors import ComputationError
from creases.streams import stream

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = [
    "FaceTable",
    "Incidence",
    "corners_of_cells",
    "faces_of",
    "incidence_of",
    "proper_subsets",
    "ridges_of_sides",
    "spans",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

# Cells that are looked at together: their faces and all that are compared with them take some kilobytes each.
CELLS_AT_ONCE = 1 << 14


class Incidence(NamedTuple):
    """Which corners lie on which sides, and what tells corners and sets apart.

    sides : csr (sides, corners). on_sides : the same turned round, csr (corners, sides).
    owners : int64 (sides,), the cell of each side.
    counts : int64 (corners,), 1 for a corner that makes a set a face: one that is not at infinity, or any of a
        sphere's.
    words : uint64 (corners,), random numbers.
    steps : how many dimensions a cell has more than a set of one corner.
    """

    sides: Any
    on_sides: Any
    owners: Ints
    counts: Ints
    words: Words
    steps: int


class FaceTable(NamedTuple):
    """All faces of one codimension, each once, and the cells around each.

    sets : csr (faces, corners), the corners of each face in the first of its cells.
    cells : int64, the cells around face i are cells[first[i] : first[i + 1]]. first : int64 (faces + 1,).
    on_border : bool (faces,), whether it lies in the border of the domain.
    """

    sets: Any
    first: Ints
    cells: Ints
    on_border: Bools

    def __len__(self) -> int:
        return len(self.on_border)


def rows_of_ones(first: Ints, columns: Ints, width: int) -> Any:
    """A sparse matrix of ones: of row i in the columns columns[first[i] : first[i + 1]]."""
    from scipy.sparse import csr_array

    # A copy: sorting is done in place, and the order in which a complex has its corners says something.
    parts = (np.ones(len(columns), np.int64), columns.copy(), first.copy())
    found = csr_array(parts, shape=(len(first) - 1, width))
    found.sort_indices()
    return found


def incidence_of(complex: Complex) -> Incidence:
    """The incidence of a complex's corners and sides."""
    from creases.domain import Directions

    given, corners = complex.sides, len(complex.corners)
    sides = rows_of_ones(given.corner_first, given.corners, corners)
    on_sides = sides.T.tocsr()
    on_sides.sort_indices()
    sphere = isinstance(complex.domain, Directions)
    counts = np.ones(corners, np.int64) if sphere else (~complex.at_infinity).astype(np.int64)
    return Incidence(
        sides,
        on_sides,
        np.repeat(np.arange(len(complex)), np.diff(given.first)),
        counts,
        stream("keys of corners", 0).integers(0, 2**64, corners, np.uint64),
        complex.dimension - len(complex.lineality) - int(sphere),
    )


def corners_of_cells(complex: Complex) -> Any:
    """The cells themselves as sets: csr (cells, corners)."""
    own = complex.vertex_numbers >= 0
    first = np.concatenate([[0], np.cumsum(own)])[complex.first]
    return rows_of_ones(first, np.flatnonzero(own), len(own))


def sums(values: NDArray[Any], sets: Any) -> NDArray[Any]:
    """The sum of values, one a corner, over each set; none of the sets is empty."""
    if not sets.shape[0]:
        return np.zeros(0, values.dtype)
    return np.asarray(np.add.reduceat(values[sets.indices], sets.indptr[:-1]))


def first_of_equal(owners: Ints, keys: Words) -> Ints:
    """The places of the first of those that have one owner and one key, ascending.

    Sums of random words of 64 bits stand for sets: that two of the few sets of one owner agree by chance is out of the
    question.
    """
    order = np.lexsort((keys, owners))
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(owners[order]) != 0) | (keys[order][1:] != keys[order][:-1])
    return np.sort(order[new])


def proper_subsets(sets: Any, incidence: Incidence) -> tuple[Any, Ints, Any]:
    """What faces have in common with sides on which they do not lie: subsets, of which set each, and how many corners
    each set has on each side, where it does not lie on it (csr, sets by sides).

    Each subset of a set comes once. Those that are no faces, being empty or at infinity, are left out.
    """
    common = sets @ incidence.on_sides
    rows = np.repeat(np.arange(sets.shape[0]), np.diff(common.indptr))
    common.data[common.data >= np.diff(sets.indptr)[rows]] = 0
    proper = common.data > 0
    parents, sides = rows[proper], common.indices[proper]
    common.eliminate_zeros()
    subsets = sets[parents].multiply(incidence.sides[sides]).tocsr()
    subsets.sort_indices()
    chosen = np.flatnonzero(sums(incidence.counts, subsets) > 0)
    subsets, parents = subsets[chosen], parents[chosen]
    chosen = first_of_equal(parents, sums(incidence.words, subsets))
    return subsets[chosen], parents[chosen], common


def largest_subsets(sets: Any, incidence: Incidence) -> tuple[Any, Ints]:
    """The faces of one dimension less than each set, and of which set each is one.

    They are the subsets that are in no other one: any lower face lies in one of one dimension more.
    """
    subsets, parents, common = proper_subsets(sets, incidence)
    if not subsets.shape[0]:
        return subsets, parents
    sizes = np.diff(subsets.indptr)
    around = subsets @ incidence.on_sides
    around.data = (around.data == np.repeat(sizes, np.diff(around.indptr))).astype(np.int64)
    around.eliminate_zeros()  # what is left are the sides on which a subset lies
    larger = around.multiply(common[parents]).tocsr()  # of which the side it comes from is one: no row is empty
    chosen = np.flatnonzero(np.maximum.reduceat(larger.data, larger.indptr[:-1]) <= sizes)
    return subsets[chosen], parents[chosen]


def ridges_of_sides(sides: Ints, incidence: Incidence) -> tuple[Any, Ints]:
    """The ridges of some sides, sets of corners, and the place in `sides` of each one's side."""
    found, places = [], [np.zeros(0, np.int64)]
    for begin in range(0, len(sides), CELLS_AT_ONCE):
        sets, parents = largest_subsets(incidence.sides[sides[begin : begin + CELLS_AT_ONCE]], incidence)
        found.append(sets)
        places.append(begin + parents)
    return stacked(found, incidence.sides.shape[1]), np.concatenate(places)


def stacked(parts: list[Any], width: int) -> Any:
    """Sets one after the other."""
    from scipy.sparse import vstack

    kept = [part for part in parts if part.shape[0]]
    return vstack(kept, format="csr") if kept else rows_of_ones(np.zeros(1, np.int64), np.zeros(0, np.int64), width)


def sets_of_cells(complex: Complex, incidence: Incidence, codimension: int) -> tuple[Any, Ints]:
    """The faces of one codimension (1 or more) of every cell, sets of corners, and the cell of each."""
    if codimension == incidence.steps:  # the corners themselves
        chosen = np.flatnonzero((complex.vertex_numbers >= 0) & (incidence.counts > 0))
        owners = np.repeat(np.arange(len(complex)), np.diff(complex.first))
        return rows_of_ones(np.arange(len(chosen) + 1), chosen, len(complex.corners)), owners[chosen]
    if codimension == 1:
        return incidence.sides, incidence.owners
    found, cells_of = [], [np.zeros(0, np.int64)]
    first = complex.sides.first
    for begin in range(0, len(complex), CELLS_AT_ONCE):
        some = slice(first[begin], first[min(begin + CELLS_AT_ONCE, len(complex))])
        sets, cells = incidence.sides[some], incidence.owners[some]
        for _ in range(codimension - 1):
            sets, parents = largest_subsets(sets, incidence)
            chosen = first_of_equal(cells[parents], sums(incidence.words, sets))
            sets, cells = sets[chosen], cells[parents[chosen]]
        found.append(sets)
        cells_of.append(cells)
    return stacked(found, len(complex.corners)), np.concatenate(cells_of)


def grouped_by_vertices(sets: Any, vertices: Ints) -> tuple[Ints, Ints]:
    """Which face each set is, of all cells together: the group of each, and the first set of each group.

    vertices : the vertex of each corner. Groups are numbered by their first sets.
    Raises ComputationError if two sets have one key and are not one: with 64 random bits that hardly happens.
    """
    count = sets.shape[0]
    first = sets.indptr.astype(np.int64)
    sizes = np.diff(first)
    ends, owners = vertices[sets.indices], np.repeat(np.arange(count), sizes)
    ends = ends[np.lexsort((ends, owners))]
    words = stream("keys of vertices in faces", 0).integers(0, 2**64, int(vertices.max(initial=-1)) + 1, np.uint64)
    keys = np.add.reduceat(words[ends], first[:-1]) if count else np.zeros(0, np.uint64)
    _, firsts, groups = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(firsts), np.int64)
    rank[np.argsort(firsts)] = np.arange(len(firsts))
    groups, firsts = rank[groups], np.sort(firsts)
    # What the keys say, looked at: each set has the vertices of the first of its group.
    leaders = firsts[groups]
    same = np.array_equal(sizes, sizes[leaders])
    if not same or not np.array_equal(ends, ends[spans(first[leaders], sizes)]):
        raise ComputationError("Two faces have one key and are not one: these are not the cells of a complex.")
    return groups, firsts


def spans(begins: Ints, sizes: Ints) -> Ints:
    """begins[0], begins[0] + 1, ... sizes[0] of them, then those of begins[1], and so on."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(begins - (ends - sizes), sizes))


def faces_of(complex: Complex, incidence: Incidence, codimension: int) -> FaceTable:
    """The faces of one codimension, from 1 to `incidence.steps`."""
    sets, cells = sets_of_cells(complex, incidence, codimension)
    groups, firsts = grouped_by_vertices(sets, complex.vertex_numbers)
    walls = np.flatnonzero(complex.sides.walls < 0)
    border = np.zeros(len(firsts), np.bool_)
    border[groups[lie_on(sets, walls, incidence)]] = True
    order = np.argsort(groups, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=len(firsts)))])
    return FaceTable(sets[firsts], first, cells[order], border)


def lie_on(sets: Any, sides: Ints, incidence: Incidence) -> Bools:
    """Whether each set lies on one of some sides, of its own cell."""
    common = sets @ incidence.on_sides[:, sides]
    rows = np.repeat(np.arange(sets.shape[0]), np.diff(common.indptr))
    found = np.zeros(sets.shape[0], np.bool_)
    found[rows[common.data == np.diff(sets.indptr)[rows]]] = True
    return found
