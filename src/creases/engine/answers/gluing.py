"""Connect cells: which of their corners are the same vertex, and which of their sides are the same facet.

Each cell has corners and sides of its own. Let S be the set of walls on which a corner of a cell lies, together with
the signs of all neurons that are not in S. A second cell with the same S and the same of these signs has the same
corner: the two have the same forms where S vanishes, so in both the corner is the set where S vanishes and no other
form has the wrong sign. No coordinates are compared.

Corners that this leaves distinct may still be the same vertex, if more walls than necessary meet there. A vertex at
which d neurons meet has 2^d cells around it; if a group has this many, it is complete. The other corners are compared:
those whose distance exceeds their errors are different, and all others are decided in rationals.

The regions of a network meet along whole facets. So two sides are the same facet if and only if they have the same
vertices; and all facets have two cells, except those on the boundary of the domain.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from creases.engine.answers.sharp import SHARP
from creases.engine.answers.sides import Sides
from creases.engine.kernel import kernel
from creases.engine.problem import Floats, Ints, Problem
from creases.engine.proof.edges import RationalEdges
from creases.engine.proof.twins import twins_of
from creases.engine.state.pattern import bits_of_bytes
from creases.errors import ComputationError
from creases.lists import spans
from creases.streams import stream

__all__ = ["Glue", "glued", "sort_lists"]

Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

# Corners have errors up to SHARP each, so vertices that are farther apart than this are different.
APART = 4.0 * SHARP
NO_CELL = -1
# A free entry of the table of `grouped`.
NO_GROUP = -1


class Glue(NamedTuple):
    """The connections between cells.

    vertices : int64 (corners,), the vertex of each corner; numbered by the first corner of each.
    first_corners : int64 (vertices,), that corner.
    facets : int64 (sides,), the facet of each side; numbered by the first side of each.
    first_sides : int64 (facets,), that side.
    cells : int64 (facets, 2), the cells on both sides, the lower number first; -1 for none.
    """

    vertices: Ints
    first_corners: Ints
    facets: Ints
    first_sides: Ints
    cells: Ints


class GluedCells(NamedTuple):
    """The cells to connect, with look-up tables.

    first, corners, at_infinity, patterns : as in `cell_table.CellTable`. sides : their sides. owners : the cell of each
        corner. side_first, corner_sides : the sides on which each corner lies.
    """

    first: Ints
    corners: Floats
    at_infinity: Bools
    patterns: NDArray[np.uint8]
    sides: Sides
    owners: Ints
    side_first: Ints
    corner_sides: Ints


def glued(
    problem: Problem,
    first: Ints,
    corners: Floats,
    at_infinity: Bools,
    patterns: NDArray[np.uint8],
    sides: Sides,
    lines: int,
) -> Glue:
    """The connections between the cells of a table.

    The arrays are those of a `cell_table.CellTable`. lines : the number of independent directions in which every cell
        contains lines.
    Raises ComputationError if the cells do not fit together.
    """
    table = table_of(first, corners, at_infinity, patterns, sides)
    vertices, first_corners = vertices_of(problem, table, lines)
    facets, first_sides, cells = facets_of(table, vertices, len(first_corners))
    return Glue(vertices, first_corners, facets, first_sides, cells)


def table_of(first: Ints, corners: Floats, at_infinity: Bools, patterns: NDArray[np.uint8], sides: Sides) -> GluedCells:
    """The table with its look-up tables."""
    side_first, corner_sides = np.zeros(len(corners) + 1, np.int64), np.empty(len(sides.corners), np.int64)
    turn_round(sides.corner_first, sides.corners, side_first, corner_sides)
    owners = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return GluedCells(first, corners, at_infinity, patterns, sides, owners, side_first, corner_sides)


@kernel
def turn_round(corner_first: Ints, corners: Ints, side_first: Ints, corner_sides: Ints) -> None:
    """Convert the corners on each side to the sides on which each corner lies; `side_first` must be zero."""
    for i in range(corners.size):
        side_first[corners[i] + 1] += 1
    for v in range(side_first.size - 1):
        side_first[v + 1] += side_first[v]
    for side in range(corner_first.size - 1):
        for i in range(corner_first[side], corner_first[side + 1]):
            corner_sides[side_first[corners[i]]] = side
            side_first[corners[i]] += 1
    for v in range(side_first.size - 1, 0, -1):
        side_first[v] = side_first[v - 1]
    side_first[0] = 0


def vertices_of(problem: Problem, table: GluedCells, lines: int) -> tuple[Ints, Ints]:
    """The vertex of each corner, numbered by their first corners; and these."""
    total = sum(problem.widths)
    members = Members.of(problem)
    random = stream("keys of bits", 0).integers(0, 2**64, (2, 8 * table.patterns.shape[1]), np.uint64)
    hashes = pattern_hashes(table.patterns, random)
    keys = np.empty((2, len(table.corners)), np.uint64)
    expected = np.empty(len(table.corners), np.int64)
    known = stream("keys of walls", 0).integers(0, 2**64, (2, total), np.uint64)
    lists = (table.owners, table.side_first, table.corner_sides, table.sides.walls)
    places = (*members, table.at_infinity)
    walls, far = problem.frame.shape[1] - 1 - lines, 0 if problem.directions else 1
    with np.errstate(over="ignore"):
        hash_corners(*lists, table.patterns, *places, random, known, hashes, total, walls, far, keys, expected)
    groups, firsts = grouped(keys)
    if not all_alike(*lists, words_of(table.patterns), *places, total, firsts[groups]):
        raise ComputationError("Two corners have one key of 128 bits and are not one vertex.")
    complete = np.bincount(groups, minlength=len(firsts)) == expected[firsts]
    if not complete.all():
        joined = np.arange(len(firsts))
        open_groups = np.flatnonzero(~complete)
        joined[open_groups] = open_groups[joined_exactly(problem, table, firsts[open_groups])]
        groups, firsts = renumbered(joined[groups])
    return groups, firsts


class Members(NamedTuple):
    """Neurons that vanish together, because one is a multiple of the other: for each bit of a pattern, the bits of its
    group, others[first[bit] : first[bit + 1]]."""

    first: Ints
    others: Ints

    @classmethod
    def of(cls, problem: Problem) -> Members:
        """The groups of a problem's units."""
        twins = twins_of(problem.graph)
        own = np.arange(len(twins))
        switches = np.array([level.groups is not None for level in layers_of(problem)], np.bool_)
        alone = np.repeat(switches, np.array(problem.widths, np.int64))
        leader = np.where((twins == 0) | alone, own, np.abs(twins) - 1)
        while not np.array_equal(leader, leader[leader]):
            leader = leader[leader]
        order = np.argsort(leader, kind="stable")
        sizes = np.bincount(leader, minlength=len(own))
        begins = np.cumsum(sizes) - sizes
        return cls(np.concatenate([[0], np.cumsum(sizes[leader])]), order[spans(begins[leader], sizes[leader])])


def layers_of(problem: Problem) -> Iterable[Any]:
    """The level of each layer."""
    return (problem.graph.layer(layer) for layer in range(len(problem.widths)))


def pattern_hashes(patterns: NDArray[np.uint8], random: Words) -> Words:
    """For each cell and both hashes, the sum of the random numbers of the set bits of its pattern: uint64 (2,
    cells)."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.uint64)
    parts = random.reshape(2, patterns.shape[1], 8)
    sums = np.ascontiguousarray(np.einsum("hyb,vb->yvh", parts, bits))
    hashes = np.zeros((2, len(patterns)), np.uint64)
    add_hashes(patterns, sums, hashes)
    return hashes


@kernel
def add_hashes(patterns: NDArray[np.uint8], sums: Words, hashes: Words) -> None:
    """Write the hashes of each cell's pattern: sums over its bytes.

    sums : uint64 (bytes, 256, 2). hashes : uint64 (2, cells), the output.
    """
    for cell in range(patterns.shape[0]):
        one = other = np.uint64(0)
        for byte in range(patterns.shape[1]):
            value = patterns[cell, byte]
            one += sums[byte, value, 0]
            other += sums[byte, value, 1]
        hashes[0, cell] = one
        hashes[1, cell] = other


def words_of(patterns: NDArray[np.uint8]) -> Words:
    """Patterns as words of 64 bits, uint64 (cells, ceil(bytes / 8)): bit i is bit i % 64 of word i // 64."""
    cells, width = patterns.shape
    padded = np.zeros((cells, -(-width // 8) * 8), np.uint8)
    padded[:, :width] = patterns
    return padded.view("<u8").astype(np.uint64, copy=False)


@kernel
def bit_of(patterns: NDArray[np.uint8], cell: int, bit: int) -> int:
    """One bit of a cell's pattern."""
    return patterns[cell, bit >> 3] >> (bit & 7) & 1


@kernel
def hash_corners(
    owners: Ints,
    side_first: Ints,
    corner_sides: Ints,
    walls: Ints,
    patterns: NDArray[np.uint8],
    first: Ints,
    others: Ints,
    at_infinity: Bools,
    random: Words,
    known: Words,
    hashes: Words,
    total: int,
    needed: int,
    fewer: int,
    keys: Words,
    expected: Ints,
) -> None:
    """Write two hashes of each corner's walls and of the signs of all other neurons; and the number of cells around a
    corner that lies on exactly as many walls as necessary, or 0 for other corners, for which it is not known.

    known : uint64 (2, total), random numbers of the walls of neurons, which occur repeatedly. needed : the necessary
        number of walls, and `fewer` at infinity. keys : uint64 (2, corners). expected : int64 (corners,).
    """
    for v in range(owners.size):
        cell = owners[v]
        cells = 1
        key, other = hashes[0, cell], hashes[1, cell]
        for i in range(side_first[v], side_first[v + 1]):
            wall = walls[corner_sides[i]]
            if 0 <= wall < total:
                key += known[0, wall]
                other += known[1, wall]
            else:
                key += scrambled(wall, 0)
                other += scrambled(wall, 1)
            if wall < 0:
                continue
            cells *= 2
            switched = wall >= total
            one = wall % total if switched else wall
            # A product with the bit instead of a branch, which could not be predicted, since half of all bits are set.
            for j in range(first[one], first[one + 1]):
                bit = np.uint64(bit_of(patterns, cell, others[j]))
                key -= bit * random[0, others[j]]
                other -= bit * random[1, others[j]]
            if switched:
                winner = one + wall // total - 1
                bit = np.uint64(bit_of(patterns, cell, winner))
                key -= bit * random[0, winner]
                other -= bit * random[1, winner]
        keys[0, v] = key + np.uint64(1 if at_infinity[v] else 0)
        keys[1, v] = other + np.uint64(1 if at_infinity[v] else 0)
        enough = needed - (fewer if at_infinity[v] else 0)
        expected[v] = cells if side_first[v + 1] - side_first[v] == enough else 0


@kernel
def scrambled(wall: int, salt: int) -> Any:
    """A pseudo-random number from two numbers (Steele, Lea and Flood 2014)."""
    mixed = np.uint64(wall + 2**40 + salt) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@kernel
def masked(wall: int, word: int, first: Ints, others: Ints, total: int) -> Any:
    """The bits of one word of a pattern that belong to the neurons that vanish on a wall."""
    bits = np.uint64(0)
    if wall < 0:
        return bits
    one = wall
    if wall >= total:
        one = wall % total
        other = one + wall // total - 1
        if other >> 6 == word:
            bits |= np.uint64(1) << np.uint64(other & 63)
    for j in range(first[one], first[one + 1]):
        if others[j] >> 6 == word:
            bits |= np.uint64(1) << np.uint64(others[j] & 63)
    return bits


@kernel
def all_alike(
    owners: Ints,
    side_first: Ints,
    corner_sides: Ints,
    walls: Ints,
    words: Words,
    first: Ints,
    others: Ints,
    at_infinity: Bools,
    total: int,
    leaders: Ints,
) -> bool:
    """Whether each corner lies on the same walls as its leader, and all other neurons have the same signs there, which
    verifies the hashes. words : the patterns, from `words_of`."""
    for v in range(owners.size):
        u = leaders[v]
        if u == v:
            continue
        count = side_first[v + 1] - side_first[v]
        if at_infinity[u] != at_infinity[v] or side_first[u + 1] - side_first[u] != count:
            return False
        for i in range(side_first[v], side_first[v + 1]):
            same = 0
            for j in range(side_first[u], side_first[u + 1]):
                same += walls[corner_sides[i]] == walls[corner_sides[j]]
            if same != 1:
                return False
        for word in range(words.shape[1]):
            changed = words[owners[u], word] ^ words[owners[v], word]
            if changed == 0:
                continue
            for i in range(side_first[v], side_first[v + 1]):
                changed &= ~masked(walls[corner_sides[i]], word, first, others, total)
            if changed != 0:
                return False
    return True


def grouped(keys: Words) -> tuple[Ints, Ints]:
    """Columns with equal keys: the group of each, and the first column of each group, in this order. keys : uint64 (2,
    n)."""
    n = keys.shape[1]
    groups, firsts = np.empty(n, np.int64), np.empty(n, np.int64)
    # 32-bit numbers: the table is accessed at random, and half of it fits into a cache where all of it does not.
    places = np.full(1 << max(2 * n - 1, 1).bit_length(), NO_GROUP, np.int32 if n < 2**31 else np.int64)
    count = group_keys(keys, places, groups, firsts)
    return groups, firsts[:count].copy()


@kernel
def group_keys(keys: Words, places: Ints, groups: Ints, firsts: Ints) -> int:
    """`grouped`; returns the number of groups. places : a table of 2^m > n entries, all NO_GROUP."""
    count, mask = 0, np.uint64(places.size - 1)
    for i in range(groups.size):
        at = keys[0, i] & mask
        while True:
            group = places[at]
            if group == NO_GROUP:
                places[at] = groups[i] = count
                firsts[count] = i
                count += 1
                break
            if keys[0, firsts[group]] == keys[0, i] and keys[1, firsts[group]] == keys[1, i]:
                groups[i] = group
                break
            at = (at + np.uint64(1)) & mask
    return count


def renumbered(groups: Ints) -> tuple[Ints, Ints]:
    """Groups in the order of their first members; and these."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse], np.sort(first)


def joined_exactly(problem: Problem, table: GluedCells, corners: Ints) -> Ints:
    """For each of some corners, the first of them that is the same vertex, which may be itself."""
    leaders = np.arange(len(corners))
    edges, total, k = RationalEdges.of(problem), sum(problem.widths), problem.frame.shape[1]
    for cluster in clusters(problem, table, corners):
        known: dict[Any, int] = {}
        for i in sorted(cluster.tolist()):
            corner = int(corners[i])
            pattern = edges.pattern(bits_of_bytes(table.patterns[table.owners[corner]][None], total)[0])
            here = slice(table.side_first[corner], table.side_first[corner + 1])
            forms = [edges.edge(int(wall), pattern)[:k] for wall in table.sides.walls[table.corner_sides[here]]]
            if table.at_infinity[corner] and not problem.directions:
                forms.append(edges.forms.infinity)
            leaders[i] = known.setdefault(flat_of(forms), i)
    return leaders


def flat_of(forms: list[Any]) -> tuple[int, ...]:
    """A value that is equal for two lists of forms if and only if they vanish in the same places: integers.

    The reduced row echelon form is the same for all lists with the same span, as fractions; here with a common
    denominator.
    """
    reduced, divisor, rank = fmpz_mat([list(form) for form in forms]).rref()
    entries = [int(divisor), *(int(value) for row in reduced.table()[:rank] for value in row)]
    common = math.gcd(*entries) * (1 if entries[0] > 0 else -1)
    return tuple(value // common for value in entries)


def clusters(problem: Problem, table: GluedCells, corners: Ints) -> list[Ints]:
    """Sets of at least two of some corners that may be the same vertex, by their positions: indices into `corners`.

    Positions have errors up to SHARP of the size of the domain, or of a corner's own size if the domain has none.
    """
    places = table.corners[corners]
    far = table.at_infinity[corners]
    candidates: list[Ints] = []
    for chosen in (np.flatnonzero(~far), np.flatnonzero(far)):
        sizes = np.abs(places[chosen]).max(axis=1, initial=0.0)
        fixed = problem.size if problem.size > 0.0 and not far[chosen].any() else None
        parts = [chosen] if fixed is not None else apart(chosen, sizes, sizes, None)
        while parts:
            part = parts.pop()
            size = float(np.abs(places[part]).max()) if fixed is None else fixed
            pieces = [part]
            for axis in range(places.shape[1]):
                pieces = [piece for each in pieces for piece in apart(each, places[each, axis], None, size)]
            if [len(piece) for piece in pieces] == [len(part)]:
                candidates.append(part)
            else:  # single corners have been left out
                parts += pieces
    return candidates


def apart(numbers: Ints, values: Floats, sizes: Floats | None, size: float | None) -> list[Ints]:
    """Numbers, divided where the values that belong to them are apart; single ones are left out.

    sizes : for each, the size relative to which its error is measured; size : a common one.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    scale = sizes[order][1:] if sizes is not None else size
    with np.errstate(over="ignore", invalid="ignore"):
        cut = np.flatnonzero(np.diff(ordered) > APART * np.asarray(scale)) + 1
    return [part for part in np.split(numbers[order], cut) if len(part) > 1]


def facets_of(table: GluedCells, vertices: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """The facet of each side, the first side of each facet, and the cells of each: int64 (facets, 2).

    vertices : the vertex of each corner, of `count` vertices.
    """
    sides = table.sides
    random = stream("keys of vertices", 0).integers(0, 2**64, (2, count), np.uint64)
    keys = np.zeros((2, len(sides.walls)), np.uint64)
    with np.errstate(over="ignore"):
        hash_sides(sides.corner_first, sides.corners, vertices, random, keys)
    facets, first_sides = grouped(keys)
    if not all_same(sides.corner_first, sides.corners, vertices, first_sides[facets]):
        raise ComputationError("Two sides have one key of 128 bits and are not one facet.")
    cells = np.full((len(first_sides), 2), NO_CELL)
    if not write_cells(sides.first, facets, cells):
        raise ComputationError("A facet has more than two cells: these are not the regions of one network.")
    return facets, first_sides, cells


@kernel
def write_cells(first: Ints, facets: Ints, cells: Ints) -> bool:
    """Write the cells of each facet, int64 (facets, 2), initially NO_CELL, in ascending order; returns whether none has
    more than two. first : the beginnings of the cells' sides. facets : the facet of each side."""
    for cell in range(first.size - 1):
        for side in range(first[cell], first[cell + 1]):
            facet = facets[side]
            if cells[facet, 0] == NO_CELL:
                cells[facet, 0] = cell
            elif cells[facet, 1] == NO_CELL:
                cells[facet, 1] = cell
            else:
                return False
    return True


@kernel
def hash_sides(corner_first: Ints, corners: Ints, vertices: Ints, random: Words, keys: Words) -> None:
    """Write two hashes of the vertices on each side. keys : uint64 (2, sides), zeros before."""
    for side in range(corner_first.size - 1):
        for i in range(corner_first[side], corner_first[side + 1]):
            keys[0, side] += random[0, vertices[corners[i]]]
            keys[1, side] += random[1, vertices[corners[i]]]


@kernel
def all_same(corner_first: Ints, corners: Ints, vertices: Ints, leaders: Ints) -> bool:
    """Whether each side has the vertices of its leader, as equal hashes suggest. A cell has each vertex once."""
    for side in range(leaders.size):
        leader = leaders[side]
        if leader == side:
            continue
        if corner_first[side + 1] - corner_first[side] != corner_first[leader + 1] - corner_first[leader]:
            return False
        for i in range(corner_first[side], corner_first[side + 1]):
            shared = False
            for j in range(corner_first[leader], corner_first[leader + 1]):
                shared = shared or vertices[corners[i]] == vertices[corners[j]]
            if not shared:
                return False
    return True


@kernel
def sort_lists(first: Ints, values: Ints) -> None:
    """Sort each of many short lists in place; list i is values[first[i] : first[i + 1]]."""
    for i in range(first.size - 1):
        for j in range(first[i] + 1, first[i + 1]):
            value, k = values[j], j
            while k > first[i] and values[k - 1] > value:
                values[k] = values[k - 1]
                k -= 1
            values[k] = value
