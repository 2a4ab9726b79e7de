"""Volumes and centroids of polytopes from the corners on their sides, for many at once.

A cell is cut into simplices by pulling vertices (Cohen and Hickey 1979): a face is the union of the joins of its first
corner with those of its facets that do not contain this corner. So its k-vector, k! times its volume times the unit
k-vector of its space, is a sum of wedge products with those of its facets. Every face is measured once, and only the
corners are needed. A face is identified by the corners on it, which are those that its sides have in common.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.lists import spans

if TYPE_CHECKING:
    from creases.engine.answers.sides import Sides

__all__ = ["CellSizes", "polytopes", "scaled", "wedge"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

WORD = 64


class CellSizes(NamedTuple):
    """volumes : float64 (cells,). centroids : float64 (cells, d)."""

    volumes: Floats
    centroids: Floats


class BlockFaces(NamedTuple):
    """Faces of one dimension, of several cells.

    cells : int64 (faces,), indices into the block. masks : uint64 (faces, words), the corners on each, by their indices
        in the cell. anchors : int64 (faces,), the first corner on each.
    """

    cells: Ints
    masks: Words
    anchors: Ints


class FaceLayer(NamedTuple):
    """Faces, and their incidences with those of one dimension more: parents and children are pairs of indices, int64
    (pairs,), in the order of the parents."""

    faces: BlockFaces
    parents: Ints
    children: Ints


def polytopes(first: Ints, corners: Floats, sides: Sides, cells: Ints) -> CellSizes:
    """Volumes and centroids, in slice coordinates, of bounded cells of at least two dimensions."""
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
    return CellSizes(totals / math.factorial(d) * scales**d, origins + centroids * scales[:, None])


def layers_of(first: Ints, starts: Ints, sides: Sides, cells: Ints, d: int) -> list[FaceLayer]:
    """The faces of dimension d - 1, d - 2, ... 1 that occur in the simplices of cells.

    starts : the beginnings of the cells' corners in the block.
    """
    counts, side_counts = np.diff(first)[cells], np.diff(sides.first)[cells]
    side_masks = masks_of(first, sides, cells, words=-(-int(counts.max()) // WORD))
    side_starts = np.cumsum(side_counts) - side_counts
    everything = np.zeros((len(cells), side_masks.shape[1]), np.uint64)
    for word in range(everything.shape[1]):
        bits = np.clip(counts - WORD * word, 0, WORD).astype(np.uint64)
        full = bits == WORD
        everything[:, word] = np.where(full, ~np.uint64(0), (np.uint64(1) << np.where(full, 0, bits)) - np.uint64(1))
    faces, layers = BlockFaces(np.arange(len(cells)), everything, starts), []
    for _ in range(d - 1):
        layers.append(facets_without_anchor(faces, side_masks, side_starts, side_counts, starts))
        faces = layers[-1].faces
    return layers


def masks_of(first: Ints, sides: Sides, cells: Ints, words: int) -> Words:
    """The corners on each side of cells, as bits: uint64 (sides, words)."""
    own = spans(sides.first[cells], np.diff(sides.first)[cells])
    sizes = np.diff(sides.corner_first)[own]
    owners = np.repeat(np.repeat(first[cells], np.diff(sides.first)[cells]), sizes)
    places = sides.corners[spans(sides.corner_first[own], sizes)] - owners
    masks = np.zeros((len(own), words), np.uint64)
    bits = np.uint64(1) << (places % WORD).astype(np.uint64)
    np.bitwise_or.at(masks, (np.repeat(np.arange(len(own)), sizes), places // WORD), bits)
    return masks


def facets_without_anchor(
    faces: BlockFaces, side_masks: Words, side_starts: Ints, side_counts: Ints, starts: Ints
) -> FaceLayer:
    """The intersections of faces with the sides that do not contain their first corners, if they have at least two
    corners.

    All facets of a face that do not contain its first corner are among these. Sets of smaller dimension contribute
    nothing: a face loses at least one dimension at every step, so they have none left when the others are edges.
    """
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
    # Several sides of a cell may meet a face in the same corners, if more walls than necessary meet there.
    pairs = np.unique(parents * len(order) + children)
    chosen = order[new]
    words, bits = lowest(masks[chosen])
    anchors = starts[cells[chosen]] + WORD * words + places_of(bits)
    return FaceLayer(BlockFaces(cells[chosen], masks[chosen], anchors), pairs // len(order), pairs % len(order))


def lowest(masks: Words) -> tuple[Ints, Words]:
    """The word with the first set bit, int64 (n,), and that bit alone, uint64 (n,)."""
    words = (masks != 0).argmax(axis=1)
    values = masks[np.arange(len(masks)), words]
    return words, values & (~values + np.uint64(1))


def places_of(bits: Words) -> Ints:
    """The index of each single bit in its word, int64."""
    return (np.frexp(bits.astype(np.float64))[1] - 1).astype(np.int64)


def measured(places: Floats, starts: Ints, layers: list[FaceLayer], cells: int) -> tuple[Floats, Floats]:
    """d! times the volume of each cell, and its centroid.

    places : float64 (corners, d), the corners of the cells of a block. starts : the first corner of each cell.
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
        # All products of a face are parallel; the longest one is the most accurate.
        best = np.zeros(len(anchors))
        np.maximum.at(best, parents, each)
        longest = np.flatnonzero(each == best[parents])
        vectors = np.zeros((len(anchors), products.shape[1]))
        scale = sizes[parents[longest]] / np.where(each[longest] > 0, each[longest], 1.0)
        vectors[parents[longest]] = products[longest] * scale[:, None]
        centroids[~(sizes > 0)] = 0.0
    return sizes, centroids


def wedge(vectors: Floats, others: Floats, k: int) -> Floats:
    """The wedge products of vectors of R^d with (k - 1)-vectors: float64 (n, d) and (n, C(d, k - 1)) -> (n, C(d,
    k))."""
    one, rest = wedge_table(vectors.shape[1], k)
    product = np.zeros((len(vectors), len(one)))
    for j in range(k):
        term = vectors[:, one[:, j]] * others[:, rest[:, j]]
        product += -term if j % 2 else term
    return product


@lru_cache
def wedge_table(d: int, k: int) -> tuple[Ints, Ints]:
    """For each k-subset of d axes, in order: its elements, and for each the index of the remaining ones among the (k -
    1)-subsets; int64 (C(d, k), k) each."""
    below = {axes: place for place, axes in enumerate(combinations(range(d), k - 1))}
    sets = list(combinations(range(d), k))
    rest = [[below[axes[:j] + axes[j + 1 :]] for j in range(k)] for axes in sets]
    return np.array(sets, np.int64), np.array(rest, np.int64)


def scaled(places: Floats, starts: Ints, counts: Ints) -> Floats:
    """Divide the corners of each cell in place by its largest coordinate, so that products of several lengths stay in
    the range of float64; returns the divisors, float64 (cells,)."""
    scales = np.maximum.reduceat(np.abs(places).max(axis=1), starts)
    scales[~(scales > 0.0)] = 1.0
    places /= np.repeat(scales, counts)[:, None]
    return np.asarray(scales)
