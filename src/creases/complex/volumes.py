"""How large cells are: volumes, centroids and diameters, for all cells at once.

An interval and a polygon have closed forms. In three dimensions and more a cell is cut into simplices by pulling
vertices (Cohen and Hickey 1979): a face is its first corner joined to those of its own facets on which this corner does
not lie. So its k-vector, k! times its volume times the k-vector of its space, is a sum of wedge products with those of
its facets; every face is measured once, and no number is needed but the corners. Faces are known by the corners on
them: they are what sides have in common.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex.skeleton import sides_of

if TYPE_CHECKING:
    from creases.complex.complex import Complex
    from creases.engine.answers.sides import Sides

__all__ = ["Sizes", "bounded_cells", "diameters", "facets_per_cell", "lengths_of", "sizes_of", "stretch_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

# Numbers of a block at most: cells of a block are chosen so that its arrays have about as many.
AT_ONCE = 1 << 22
WORD = 64


class Sizes(NamedTuple):
    """volumes : float64 (cells,). centroids : float64 (cells, d)."""

    volumes: Floats
    centroids: Floats


def bounded_cells(complex: Complex) -> Bools:
    """Whether each cell is bounded, bool (cells,)."""
    return complex.is_bounded & (len(complex.lineality) == 0)


def facets_per_cell(complex: Complex) -> Ints:
    """How many facets each cell has, int64 (cells,); infinity is none."""
    return np.diff(sides_of(complex)[0].first)


def lengths_of(complex: Complex) -> Floats:
    """A matrix that slice coordinates are multiplied by to have the lengths of input space: float64 (d, d), so that
    u @ matrix is as long as u @ basis."""
    return np.asarray(np.linalg.qr(complex.domain.slice.basis.T)[1].T)


def stretch_of(complex: Complex) -> float:
    """How many times larger d-volumes are in input space than in slice coordinates: sqrt(det(basis basis^T))."""
    return abs(float(np.prod(np.diag(lengths_of(complex)))))


def sizes_of(complex: Complex) -> Sizes:
    """Volumes in the units of input space, and centroids in slice coordinates.

    Of a cell that is not bounded, or whose volume is beyond float64, the volume is infinite, and of the first the
    centroid not a number. A corner is off by 1e-9 of the largest coordinate at most (see `Complex.corners`), mostly by
    rounding; where a cell is so thin that its volume is lost to that, its centroid is the mean of its corners.
    """
    volumes, centroids = np.full(len(complex), np.inf), np.full((len(complex), complex.dimension), np.nan)
    bounded = np.flatnonzero(bounded_cells(complex))
    with np.errstate(all="ignore"):  # corners of 1e200 have volumes beyond float64
        if complex.dimension == 1 or (complex.dimension == 2 and complex.is_flat):
            measure = intervals if complex.dimension == 1 else polygons
            found = measure(complex.first, np.where(complex.at_infinity[:, None], 0.0, complex.corners))
            volumes[bounded], centroids[bounded] = found.volumes[bounded], found.centroids[bounded]
        elif len(bounded):
            sides = sides_of(complex)[0]
            for cells in blocks(complex.first, sides, bounded, complex.dimension):
                volumes[cells], centroids[cells] = polytopes(complex.first, complex.corners, sides, cells)
        volumes *= stretch_of(complex)
        volumes[np.isnan(volumes)] = np.inf  # corners as far as floats go
    return Sizes(volumes, centroids)


def intervals(first: Ints, corners: Floats) -> Sizes:
    """Lengths and middles of intervals. Their ends are rounded one by one, and may have changed places."""
    one, other = corners[first[:-1]], corners[first[1:] - 1]
    return Sizes(np.abs(other - one)[:, 0], one + (other - one) / 2)


def polygons(first: Ints, corners: Floats) -> Sizes:
    """Areas and centroids of polygons whose corners come in order."""
    starts, counts = first[:-1], np.diff(first)
    places = corners - np.repeat(corners[starts], counts, axis=0)
    scales = scaled(places, starts, counts)
    after = np.arange(1, len(corners) + 1)
    after[first[1:] - 1] = starts
    # Triangles from the first corner on, each twice its area.
    double = places[:, 0] * places[after, 1] - places[:, 1] * places[after, 0]
    total = np.add.reduceat(double, starts)
    moments = np.add.reduceat((places + places[after]) * double[:, None], starts, axis=0)
    middles = np.add.reduceat(places, starts, axis=0) / counts[:, None]
    solid = total > 0
    centroids = np.where(solid[:, None], moments / (3.0 * np.where(solid, total, 1.0))[:, None], middles)
    return Sizes(scales * (scales * np.maximum(total, 0.0)) / 2.0, corners[starts] + centroids * scales[:, None])


def scaled(places: Floats, starts: Ints, counts: Ints) -> Floats:
    """Divide the corners of each cell by the largest coordinate of any, so that products of several lengths stay in the
    range of float64; returns these, float64 (cells,)."""
    scales = np.maximum.reduceat(np.abs(places).max(axis=1), starts)
    scales[~(scales > 0.0)] = 1.0
    places /= np.repeat(scales, counts)[:, None]
    return np.asarray(scales)


def blocks(first: Ints, sides: Sides, cells: Ints, dimension: int) -> list[Ints]:
    """Cells in parts that are measured at once. There are about as many faces as sides times corners; of a few sides
    too, with many numbers each."""
    numbers = np.diff(first)[cells] * np.diff(sides.first)[cells] * math.comb(dimension, dimension // 2)
    part = np.cumsum(numbers) // AT_ONCE
    return np.split(cells, np.flatnonzero(np.diff(part)) + 1)


class Faces(NamedTuple):
    """Faces of one dimension, of several cells.

    cells : int64 (faces,), places in the block. masks : uint64 (faces, words), the corners on each, by their places in
    the cell. anchors : int64 (faces,), the first corner on each.
    """

    cells: Ints
    masks: Words
    anchors: Ints


class Layer(NamedTuple):
    """Faces with what joins them to those of one dimension more: parents and children are pairs of places, int64
    (pairs,), in the order of the parents."""

    faces: Faces
    parents: Ints
    children: Ints


def polytopes(first: Ints, corners: Floats, sides: Sides, cells: Ints) -> Sizes:
    """Volumes and centroids, in slice coordinates, of bounded cells of two dimensions or more."""
    from creases.engine.answers.sides import spans

    d, counts = corners.shape[1], np.diff(first)[cells]
    own = spans(first[cells], counts)
    starts = np.cumsum(counts) - counts
    origins = corners[first[cells]]
    places = corners[own] - np.repeat(origins, counts, axis=0)
    scales = scaled(places, starts, counts)
    layers = layers_of(first, starts, sides, cells, d)
    totals, centroids = measured(places, starts, layers, len(cells))
    middles = np.add.reduceat(places, starts, axis=0) / counts[:, None]
    centroids = np.where((totals > 0)[:, None], centroids, middles)
    return Sizes(totals / math.factorial(d) * scales**d, origins + centroids * scales[:, None])


def layers_of(first: Ints, starts: Ints, sides: Sides, cells: Ints, d: int) -> list[Layer]:
    """The faces of d - 1, d - 2, ... 1 dimensions that the simplices of cells have in them.

    starts : where the corners of each cell begin in the block.
    """
    counts, side_counts = np.diff(first)[cells], np.diff(sides.first)[cells]
    side_masks = masks_of(first, sides, cells, words=-(-int(counts.max()) // WORD))
    side_starts = np.cumsum(side_counts) - side_counts
    everything = np.zeros((len(cells), side_masks.shape[1]), np.uint64)
    for word in range(everything.shape[1]):
        bits = np.clip(counts - WORD * word, 0, WORD).astype(np.uint64)
        full = bits == WORD
        everything[:, word] = np.where(full, ~np.uint64(0), (np.uint64(1) << np.where(full, 0, bits)) - np.uint64(1))
    faces, layers = Faces(np.arange(len(cells)), everything, starts), []
    for _ in range(d - 1):
        layers.append(facets_without_anchor(faces, side_masks, side_starts, side_counts, starts))
        faces = layers[-1].faces
    return layers


def masks_of(first: Ints, sides: Sides, cells: Ints, words: int) -> Words:
    """The corners on each side of cells, as bits: uint64 (sides, words)."""
    from creases.engine.answers.sides import spans

    own = spans(sides.first[cells], np.diff(sides.first)[cells])
    sizes = np.diff(sides.corner_first)[own]
    owners = np.repeat(np.repeat(first[cells], np.diff(sides.first)[cells]), sizes)
    places = sides.corners[spans(sides.corner_first[own], sizes)] - owners
    masks = np.zeros((len(own), words), np.uint64)
    bits = np.uint64(1) << (places % WORD).astype(np.uint64)
    np.bitwise_or.at(masks, (np.repeat(np.arange(len(own)), sizes), places // WORD), bits)
    return masks


def facets_without_anchor(faces: Faces, side_masks: Words, side_starts: Ints, side_counts: Ints, starts: Ints) -> Layer:
    """What faces have in common with the sides on which their first corners do not lie: two corners or more.

    All facets of a face are among these. What has fewer dimensions than a facet comes to nothing: a face loses one
    dimension at least at every step, so it has none left when the others are edges.
    """
    from creases.engine.answers.sides import spans

    many = side_counts[faces.cells]
    parents = np.repeat(np.arange(len(many)), many)
    met = spans(side_starts[faces.cells], many)
    words, bits = lowest(faces.masks)
    without = (side_masks[met, words[parents]] & bits[parents]) == 0
    parents, met = parents[without], met[without]
    masks = faces.masks[parents] & side_masks[met]
    some = masks != 0
    several = (some.sum(axis=1) > 1) | ((masks & (masks - some)) != 0).any(axis=1)
    parents, masks = parents[several], masks[several]
    cells = faces.cells[parents]
    order = np.lexsort((*masks.T, cells))
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(cells[order]) != 0) | (masks[order[1:]] != masks[order[:-1]]).any(axis=1)
    children = np.empty(len(order), np.int64)
    children[order] = np.cumsum(new) - 1
    # Sides of a cell may meet a face in the same corners, where more walls meet than need be.
    pairs = np.unique(parents * len(order) + children)
    chosen = order[new]
    words, bits = lowest(masks[chosen])
    anchors = starts[cells[chosen]] + WORD * words + places_of(bits)
    return Layer(Faces(cells[chosen], masks[chosen], anchors), pairs // len(order), pairs % len(order))


def lowest(masks: Words) -> tuple[Ints, Words]:
    """The word with the first bit that is set, int64 (n,), and that bit alone, uint64 (n,)."""
    words = (masks != 0).argmax(axis=1)
    values = masks[np.arange(len(masks)), words]
    return words, values & (~values + np.uint64(1))


def places_of(bits: Words) -> Ints:
    """Which bit of a word each is, int64."""
    return (np.frexp(bits.astype(np.float64))[1] - 1).astype(np.int64)


def measured(places: Floats, starts: Ints, layers: list[Layer], cells: int) -> tuple[Floats, Floats]:
    """d! times the volume of each cell, and its centroid.

    places : float64 (corners, d), of the cells of a block. starts : the first corner of each.
    """
    d = places.shape[1]
    edges = layers[-1].faces
    words, bits = lowest(edges.masks)
    rest = edges.masks.copy()
    rest[np.arange(len(rest)), words] ^= bits
    words, bits = lowest(rest)
    ends = places[starts[edges.cells] + WORD * words + places_of(bits)]
    vectors, centroids = ends - places[edges.anchors], (ends + places[edges.anchors]) / 2.0
    sizes: Floats = np.zeros(cells)
    for k in range(2, d + 1):
        layer = layers[d - k]
        anchors = layers[d - k - 1].faces.anchors if k < d else starts
        parents, children = layer.parents, layer.children
        apexes = places[anchors]
        arms = places[layer.faces.anchors[children]] - apexes[parents]
        products = wedge(arms, vectors[children], k)
        each = np.sqrt(np.square(products).sum(axis=1))
        sizes = np.bincount(parents, each, len(anchors)).astype(np.float64)
        middles = (centroids[children] * k + apexes[parents]) / (k + 1.0) * each[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            centroids = np.column_stack([np.bincount(parents, x, len(anchors)) for x in middles.T]) / sizes[:, None]
        # All products of a face are parallel; the longest one is known best.
        best = np.zeros(len(anchors))
        np.maximum.at(best, parents, each)
        longest = np.flatnonzero(each == best[parents])
        vectors = np.zeros((len(anchors), products.shape[1]))
        scale = sizes[parents[longest]] / np.where(each[longest] > 0, each[longest], 1.0)
        vectors[parents[longest]] = products[longest] * scale[:, None]
        centroids[~(sizes > 0)] = 0.0
    return sizes, centroids


def wedge(vectors: Floats, others: Floats, k: int) -> Floats:
    """Vectors of R^d wedged with (k - 1)-vectors: float64 (n, d) and (n, C(d, k - 1)) -> (n, C(d, k))."""
    one, rest = wedge_table(vectors.shape[1], k)
    found = np.zeros((len(vectors), len(one)))
    for j in range(k):
        term = vectors[:, one[:, j]] * others[:, rest[:, j]]
        found += -term if j % 2 else term
    return found


@lru_cache
def wedge_table(d: int, k: int) -> tuple[Ints, Ints]:
    """For each k of d axes, in order, each of them and the place of the others among the sets of k - 1: int64
    (C(d, k), k) each."""
    below = {axes: place for place, axes in enumerate(combinations(range(d), k - 1))}
    sets = list(combinations(range(d), k))
    rest = [[below[axes[:j] + axes[j + 1 :]] for j in range(k)] for axes in sets]
    return np.array(sets, np.int64), np.array(rest, np.int64)


def diameters(complex: Complex) -> Floats:
    """The largest distance between two points of each cell, float64 (cells,), in the units of input space; infinite if
    the cell is not bounded."""
    found = np.full(len(complex), np.inf)
    places, counts = complex.corners @ lengths_of(complex), np.diff(complex.first)
    bounded = bounded_cells(complex)
    with np.errstate(over="ignore", invalid="ignore"):
        for count in np.unique(counts[bounded]).tolist():
            cells = np.flatnonzero(bounded & (counts == count))
            size = max(1, AT_ONCE // (count * count))
            for at in range(0, len(cells), size):
                some = cells[at : at + size]
                own = places[complex.first[some][:, None] + np.arange(count)]
                found[some] = largest_distances(own)
    found[np.isnan(found)] = np.inf
    return found


def largest_distances(places: Floats) -> Floats:
    """The largest distance between two of n points, for each of many: float64 (many, n, d) -> (many,)."""
    scale = np.abs(places - places[:, :1]).max(axis=(1, 2))
    near = (places - places[:, :1]) / np.where(scale > 0, scale, 1.0)[:, None, None]
    squares = np.zeros((len(places), places.shape[1], places.shape[1]))
    for axis in range(places.shape[2]):
        squares += np.square(near[:, :, None, axis] - near[:, None, :, axis])
    return np.asarray(scale * np.sqrt(squares.max(axis=(1, 2))))
