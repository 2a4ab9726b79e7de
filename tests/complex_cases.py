"""Complexes for the tests of what is measured on them: chains of every kind and graphs, on every kind of domain."""

from fractions import Fraction
from functools import lru_cache

import numpy as np

import graph_cases
import reference
from creases import Directions, Network, subdivide
from creases.domain import domain_from_dict
from graph_networks import as_network

__all__ = ["case_of", "corners_of", "exact_points", "hidden"]


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


@lru_cache(maxsize=64)
def case_of(seed):
    """(levels, complex) of a seed: graphs with every kink, generic ones and of small whole numbers."""
    rng = np.random.default_rng([seed, 20])
    n_in = int(rng.integers(1, 5))
    levels = graph_cases.random_graph(rng, n_in, degenerate=bool(rng.integers(2)))
    clips = any(isinstance(level.kink, reference.Clip) for level in levels)
    kinds = [*graph_cases.DOMAINS[n_in], *([] if clips else ["directions"])]
    kind = kinds[rng.integers(len(kinds))]
    if kind == "directions":
        levels, domain = graph_cases.without_biases(levels), Directions(n_in)
    else:
        domain = domain_from_dict(graph_cases.random_domain(rng, n_in, kind).data)
    return levels, subdivide(as_network(levels, n_in), domain, threads=1)


def corners_of(cells, i):
    """The corners of a cell, and whether they are at infinity."""
    rows = slice(cells.first[i], cells.first[i + 1])
    return cells.corners[rows], cells.at_infinity[rows]


def exact_points(cells):
    """A rational point strictly inside each cell."""
    return [
        cells.exact_interior_points.get(i) or tuple(map(Fraction, point))
        for i, point in enumerate(cells.interior_points.tolist())
    ]
