"""Lattices as chains of ReLUs, of which many neurons are one function: copies, opposites, minima that meet again.

Half of them have a number that is off by a hair, so that what looks like one function is two (`engine/proof/sharing`).
"""

import numpy as np

from fuzz.floats import nudged, one_of
from fuzz.limits import KINDS, place_in, plain
from lattices import KINDS as FUNCTIONS
from lattices import lattice_chain

SHAPES = ((1, 2), (2, 2), (2, 2), (1, 4), (4, 1), (2, 4))


def lattice(rng):
    """(place, layers)."""
    place = place_in(rng, KINDS, (plain,))
    n_in = len(place.frame.centre)
    groups, slots = one_of(rng, SHAPES if n_in < 3 else SHAPES[:3])
    n = int(rng.integers(2, 5))
    layers = lattice_chain(rng, n, groups, slots, n_in, one_of(rng, FUNCTIONS))
    if rng.integers(2):
        matrix, _ = layers[rng.integers(len(layers))]
        rows, columns = np.nonzero(matrix)
        if rows.size:
            i = rng.integers(rows.size)
            matrix[rows[i], columns[i]] = nudged(rng, float(matrix[rows[i], columns[i]]))
    return place, [(matrix.tolist(), bias.tolist()) for matrix, bias in layers]
