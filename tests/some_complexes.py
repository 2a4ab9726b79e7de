"""Complexes of many kinds for tests: of every dimension, bounded or not, graphs, degenerate."""

import functools

import numpy as np

import graph_cases
from creases import Box, Directions, Network, Plane, Polygon, Segment, Space, subdivide
from graph_networks import as_network

__all__ = ["CASES", "case", "complex_of", "graph"]


def chain(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def graph(seed, n_in):
    """A random network of levels that skip, with slopes, clips and switches."""
    return as_network(graph_cases.random_graph(np.random.default_rng([seed, n_in]), n_in, degenerate=True), n_in)


# Lines, planes and space in which the network is constant along some directions; and one that is constant.
STRIPS = chain([[[1.0, 2.0], [2.0, 4.0]]], [[0.5, 1.5]])
SHEETS = chain([[[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [-1.0, -2.0, 0.0]]], [[0.5, 1.5, 1.0]])
PRISMS = chain([[[1.0, 2.0, 0.0], [2.0, 4.0, 1.0]]], [[0.5, 1.0]])
CONSTANT = chain([[[0.0, 0.0]]], [[1.0]])

# Networks and domains by name; those that begin with "line" come in another order than they are found in.
CASES = {
    "segment": lambda: (Network.he([2, 8, 8, 1]), Segment([-1, -1], [2, 1])),
    "line": lambda: (Network.he([1, 8, 1]), Space(1)),
    "line of switches": lambda: (graph(3, 1), Box([-2], [2])),
    "square": lambda: (Network.he([2, 16, 16, 1]), Box([-1, -1], [1, 1])),
    "polygon in a plane": lambda: (
        Network.he([4, 12, 12, 1]),
        Polygon([[-1, -1], [2, -0.5], [0.5, 1.5]], plane=Plane([0, 1, 0, 0.5], [[1, 0, 2, 0], [0, 1, 0, 1]])),
    ),
    "plane": lambda: (Network.he([2, 12, 12, 1]), Space(2)),
    "line of strips": lambda: (STRIPS, Space(2)),
    "constant": lambda: (CONSTANT, Space(2)),
    "constant on a square": lambda: (CONSTANT, Box([-1, -1], [1, 1])),
    "cube": lambda: (Network.he([3, 8, 8, 1]), Box([-1] * 3, [1] * 3)),
    "whole numbers in a cube": lambda: (whole_numbers(3), Box([-1] * 3, [1] * 3)),
    "graph in a cube": lambda: (graph(5, 3), Box([-2] * 3, [2] * 3)),
    "space": lambda: (Network.he([3, 8, 1]), Space(3)),
    "sheets": lambda: (SHEETS, Space(3)),
    "prisms": lambda: (PRISMS, Space(3)),
    "directions": lambda: (Network.he([3, 8, 8, 1]), Directions(3)),
    "four dimensions": lambda: (Network.he([4, 6, 6, 1]), Box([-1] * 4, [1] * 4)),
}


def whole_numbers(n_in):
    """Many neurons that meet in lines and points, some of them equal or opposite."""
    rng = np.random.default_rng(7)
    layers = [rng.integers(-1, 2, shape).astype(float) for shape in ((6, n_in), (5, 6))]
    return chain(layers, [rng.integers(-1, 2, len(layer)).astype(float) for layer in layers])


def case(name):
    """The network and the domain of a name."""
    return CASES[name]()


@functools.cache
def complex_of(name):
    """The complex of a name; it is cut once."""
    return subdivide(*case(name))
