"""Edge subdivision (Berzins, Polyhedral Complex Extraction from ReLU Networks using Edge Subdivision, ICML 2023).

A numpy version of our own, for the plane and [-1, 1]^2: the paper's code is not used. The skeleton is refined by one
neuron after the other, without cells:

* a vertex carries the signs of all neurons and of the square's sides; an edge's signs are those of its two ends
  together, with one zero, of the line that it lies on;
* an edge whose ends take both signs of the neuron is split, its new vertex found by linear interpolation;
* the two new vertices of a face are joined by a new edge. A face is known by its signs: an edge's, with the zero
  replaced by either sign. Keys are random sums of the signs, modulo 2^64.

Faces are counted by Euler's relation, F = E - V + 1. Float64, generic networks only; signs are not proved.
"""

from __future__ import annotations

import numpy as np


class Skeleton:
    """Vertices and edges in [-1, 1]^2, with room for the signs of `neurons` neurons.

    points (v, 2), signs (v, 4 + neurons) int8, ends (e, 2), key (4 + neurons,) random.
    """

    def __init__(self, neurons):
        self.points = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        # Sides y = -1, x = 1, y = 1, x = -1; a corner lies on two of them, and inside of the others.
        self.signs = np.zeros((4, 4 + neurons), dtype=np.int8)
        for v in range(4):
            self.signs[v, [(v + 1) % 4, (v + 2) % 4]] = 1
        self.ends = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
        self.key = np.random.default_rng(0).integers(-(2**62), 2**62, 4 + neurons)

    @property
    def faces(self):
        """Faces inside of the square."""
        return len(self.ends) - len(self.points) + 1

    def split_by(self, column, values):
        """Refine by a neuron, given the values of its whole layer at the vertices; return them at the new ones too.

        column : of `signs`. values : (v, n); column 0 is the neuron's.
        """
        z = values[:, 0]
        self.signs[:, column] = np.sign(z)
        a, b = self.ends.T
        split = np.flatnonzero(self.signs[a, column] * self.signs[b, column] < 0)
        if not split.size:
            return values
        a, b = a[split], b[split]
        t = (z[a] / (z[a] - z[b]))[:, None]
        new = len(self.points) + np.arange(split.size)
        self.points = np.concatenate([self.points, (1 - t) * self.points[a] + t * self.points[b]])
        values = np.concatenate([values, (1 - t) * values[a] + t * values[b]])
        values[new, 0] = 0.0
        edges = np.sign(self.signs[a] + self.signs[b])
        edges[:, column] = 0
        self.signs = np.concatenate([self.signs, edges])
        halves = np.stack([new, b], axis=1)
        self.ends[split, 1] = new
        self.ends = np.concatenate([self.ends, halves, self.across(edges, new, column)])
        return values

    def across(self, edges, new, column):
        """The new edge of each face: pairs of new vertices on edges of one face, (faces, 2)."""
        # The line that an edge lies on is its one zero; the neuron's own column and those to come do not count.
        on = np.argmin(np.abs(edges[:, :column]), axis=1)
        centre = edges @ self.key
        above, below = centre + self.key[on], centre - self.key[on]
        inner = on >= 4  # beyond a side of the square there is no face
        keys, vertices = np.concatenate([above, below[inner]]), np.concatenate([new, new[inner]])
        order = np.argsort(keys, kind="stable")
        return vertices[order].reshape(-1, 2)


def count_on_square(hidden):
    """Faces on [-1, 1]^2 of a network's hidden layers, a list of (weight, bias)."""
    skeleton = Skeleton(sum(len(bias) for _, bias in hidden))
    refine(skeleton, hidden, sides=4)
    return skeleton.faces


def refine(skeleton, hidden, sides):
    """Split a skeleton by one neuron after the other; its first `sides` columns are those of the domain."""
    column = sides
    for depth, (_, bias) in enumerate(hidden, start=1):
        values = pre_activations(hidden[:depth], skeleton.points)
        for _ in bias:
            values = skeleton.split_by(column, values)[:, 1:]
            column += 1


def pre_activations(hidden, points):
    """The last layer's pre-activations at points, (v, n)."""
    *below, (weight, bias) = hidden
    for w, b in below:
        points = np.maximum(points @ w.T + b, 0.0)
    return points @ weight.T + bias
