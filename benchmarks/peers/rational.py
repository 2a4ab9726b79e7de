"""Rational arithmetic from beginning to end: the engine's own fallback for a whole count, and the tests' reference."""

from __future__ import annotations

import sys

import numpy as np

import creases
from benchmarks.networks import ROOT

CORNERS = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]


def count_on_square(hidden):
    """Regions on [-1, 1]^2 of the hidden layers, by the engine's rational arithmetic alone."""
    from creases.engine.answers.rational_count import RationalTally, count_below
    from creases.engine.proof.rational import vertex_cell
    from creases.engine.proof.rational_forms import RationalForms
    from creases.packing import graph_of

    network = creases.Network.from_arrays([w for w, _ in hidden], [b for _, b in hidden], output_layer=False)
    forms = RationalForms(graph_of(network), np.zeros(2), np.eye(2), np.zeros((2, 2)))
    tally = RationalTally(forms.widths)
    count_below(forms, vertex_cell(np.array(CORNERS)), 0, {}, [], tally)
    return tally.by_layer[-1]


def reference_on_square(hidden):
    """The same by tests/reference.py, which shares nothing with the engine."""
    tests = str(ROOT / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    import reference

    weights, biases = [w.tolist() for w, _ in hidden], [b.tolist() for _, b in hidden]
    return reference.count(weights, biases, reference.box([-1, -1], [1, 1]))
