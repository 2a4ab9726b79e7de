"""Counts by an engine whose words have room for three facets only: masks of several words in small networks too.

A program of its own, to be run without the JIT: how many facets a word has room for is compiled into the kernels.
Prints how many counts were right, how many words a cell had at most, and how often facets were numbered anew.
"""

import sys

from creases.engine.state import cell_layout

cell_layout.FACETS_A_WORD = 3  # before others take it from there

import numpy as np  # noqa: E402

import reference  # noqa: E402
from creases import Box, Network, Polytope, Space, count, count_in_pieces, subdivide  # noqa: E402
from creases.engine.cells import polytope  # noqa: E402
from creases.engine.state import stack  # noqa: E402
from networks import KINDS, table  # noqa: E402

# Three antiprism-like layers of planes: twelve walls that no two share.
NORMALS = [[x, y, z] for z in (-2, 1) for x, y in ((3, 1), (1, 3), (-2, 3), (-3, -1), (-1, -3), (2, -3))]


def domains(d):
    """Box, a polytope of twelve walls, all of space; each with its specification."""
    yield Box([-1] * d, [1] * d), reference.box([-1] * d, [1] * d)
    if d == 3:
        many = Polytope.where(NORMALS, [4] * 12)
        rays = [tuple(reference.Fraction(x, ray[-1]) for x in ray[:-1]) for ray in many.corners.rays]
        on = [{i for i in range(12) if mask >> i & 1} for mask in many.corners.masks]
        yield many, reference.polytope(rays, on)
    yield Space(d), reference.space(d)


def found(weights, biases, domain):
    """What the engine says: counts in two ways, in pieces, and the patterns that it lists."""
    network = Network.from_arrays(weights, biases, output_layer=False)
    alone, at_once = count(network, domain, by_neuron=True, threads=1), count(network, domain, threads=2)
    pieces, listed = count_in_pieces(network, domain, pieces=2, threads=1), subdivide(network, domain, threads=1)
    assert all(result.certified for result in (alone, at_once, pieces, listed))
    assert at_once.by_layer == pieces.by_layer == listed.by_layer == alone.by_layer, (weights, biases, domain)
    assert at_once.unbounded == pieces.unbounded == alone.unbounded, (weights, biases, domain)
    patterns = sorted(tuple(tuple(row.tolist()) for row in listed.pattern(i)) for i in range(len(listed)))
    listed.check()
    return alone.by_layer, [list(row) for row in alone.by_neuron], alone.unbounded, patterns


def check(weights, biases, domain, specification):
    layers = list(reference.layers(weights, biases, specification))
    regions = layers[-1][0]
    unbounded = sum(not region.bounded for region in regions) if isinstance(domain, Space) else None
    expected = tuple(len(some) for some, _ in layers), [cutting for _, cutting in layers], unbounded
    expected = *expected, sorted(region.pattern for region in regions)
    assert found(weights, biases, domain) == expected, (weights, biases, domain)


def main(kinds, seed, d):
    words, anew = [], []
    whole = polytope.number_anew

    def number_anew(work):
        before = int(work.state[stack.PLACES])
        whole(work)
        words.append(stack.mask_words(before))
        anew.append(work.state[stack.PLACES] < before)

    polytope.number_anew = stack.number_anew = number_anew
    np.seterr(all="ignore")
    kept = 0
    for kind in (kind for kind in KINDS if kind.__name__ in kinds):
        for _, weights, biases in table(1, seed, d, [kind]):
            for domain, specification in domains(d):
                check(weights, biases, domain, specification)
                kept += 1
    print(kept, max(words), sum(anew))


if __name__ == "__main__":
    main(sys.argv[1].split(","), int(sys.argv[2]), int(sys.argv[3]))
