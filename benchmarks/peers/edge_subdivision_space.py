"""Edge subdivision (Berzins 2023) in the cube [-1, 1]^3: `edge_subdivision` with faces of two dimensions joined.

A numpy version of our own. An edge lies on two planes, so it has four faces (fewer on the cube's sides); each face
that a neuron cuts has two new vertices, which a new edge joins. Cells are counted from the vertices: one that lies on
three planes is a corner of eight cells (fewer on the sides), known by their signs. Float64, generic networks only.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from benchmarks.peers import edge_subdivision

SIDES = 6


class Skeleton(edge_subdivision.Skeleton):
    """Vertices and edges in [-1, 1]^3: points (v, 3), signs (v, 6 + neurons) int8, ends (e, 2), key random."""

    def __init__(self, neurons):
        self.points = np.array(list(product((-1.0, 1.0), repeat=3)))
        # Side 2 i is x_i = -1, side 2 i + 1 is x_i = 1; a corner lies on three of them.
        self.signs = np.zeros((8, SIDES + neurons), dtype=np.int8)
        for i in range(3):
            self.signs[:, 2 * i] = self.points[:, i] > 0
            self.signs[:, 2 * i + 1] = self.points[:, i] < 0
        pairs = [(a, b) for a in range(8) for b in range(a) if (self.points[a] != self.points[b]).sum() == 1]
        self.ends = np.array(pairs)
        self.key = np.random.default_rng(0).integers(-(2**62), 2**62, SIDES + neurons)

    def across(self, edges, new, column):
        """The new edge of each face: pairs of new vertices on edges of one face, (faces, 2)."""
        on = np.nonzero(edges[:, :column] == 0)[1].reshape(-1, 2)
        centre = edges @ self.key
        keys, vertices = [], []
        for which in range(2):
            plane = on[:, which]
            keys.append(centre + self.key[plane])
            vertices.append(new)
            inner = plane >= SIDES  # beyond a side of the cube there is no face
            keys.append((centre - self.key[plane])[inner])
            vertices.append(new[inner])
        order = np.argsort(np.concatenate(keys), kind="stable")
        return np.concatenate(vertices)[order].reshape(-1, 2)

    @property
    def cells(self):
        """Different cells at the vertices."""
        on = np.nonzero(self.signs == 0)[1].reshape(-1, 3)
        centre, found = self.signs @ self.key, []
        for turn in product((1, -1), repeat=3):
            inner = np.all([(sign > 0) | (on[:, i] >= SIDES) for i, sign in enumerate(turn)], axis=0)
            found.append((centre + sum(sign * self.key[on[:, i]] for i, sign in enumerate(turn)))[inner])
        return len(np.unique(np.concatenate(found)))


def count_in_cube(hidden):
    """Cells in [-1, 1]^3 of a network's hidden layers, a list of (weight, bias)."""
    skeleton = Skeleton(sum(len(bias) for _, bias in hidden))
    edge_subdivision.refine(skeleton, hidden, SIDES)
    return skeleton.cells
