"""Another machine, which chooses other starting cells; and networks and whole domains to try it on."""

import sys
from contextlib import contextmanager

import numpy as np

from creases import Directions, Line, Network, Space, Subspace
from creases.engine.starts.first_layer import rational_first
from creases.rationals import independent


def last_rows(problem, first=None):
    """`independent_rows` as some other machine may choose them: the last ones, rather than the largest."""
    rows = rational_first(problem, range(problem.widths[0]))
    return sorted(len(rows) - 1 - place for place in independent(row[:-1] for row in reversed(rows)))


@contextmanager
def elsewhere():
    """A block in which this process chooses as that machine does."""
    places = [(name, module) for name, module in sys.modules.items() if name.startswith("creases.engine.")]
    here = {module: module.independent_rows for _, module in places if hasattr(module, "independent_rows")}
    try:
        for module in here:
            module.independent_rows = last_rows
        yield
    finally:
        for module, chosen in here.items():
            module.independent_rows = chosen


def network_of(d, rank, seed):
    """Hidden layers of 6 and 4 on d inputs; the first one has this rank."""
    rng = np.random.default_rng(seed)
    first = rng.integers(-3, 4, (6, rank)) @ rng.integers(-2, 3, (rank, d)) if rank < d else rng.standard_normal((6, d))
    layers = [(first, rng.standard_normal(6)), (rng.standard_normal((4, 6)), rng.standard_normal(4))]
    return Network.from_arrays(*zip(*layers, strict=True), output_layer=False)


def whole_spaces(d):
    """Whole domains of d inputs, and one slice of more."""
    rng = np.random.default_rng(d)
    found = [Space(d), Subspace(np.zeros(d), np.eye(d) + rng.integers(0, 2, (d, d)) * np.tri(d, k=-1)), Directions(d)]
    return [*found, Line([0.25], [2.0])] if d == 1 else found


# Inputs, rank of the first layer, seed.
CASES = [(d, rank, seed) for d in (1, 2, 3, 4) for rank in range(max(d - 1, 1), d + 1) for seed in (0, 1)]
