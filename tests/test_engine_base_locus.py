"""Where layers above a narrow one vanish: known in the loop, never by rationals, and never taken for granted."""

from fractions import Fraction

import numpy as np
import pytest

import reference
from creases import Directions, Network, Space, Subspace, count
from engine_twins import seeds
from networks import as_lists, he

# Hidden layers of which few neurons are active at a time.
NARROW = {1: (3, 2, 3, 2), 2: (3, 3, 2, 3), 3: (4, 3, 3), 4: (5, 3, 3)}


def both(weights, biases, domain, specification):
    """The engine's count by layers and neurons, with the reference's; and the cells that took rationals."""
    found = count(Network.from_arrays(weights, biases, output_layer=False), domain, by_neuron=True, threads=1)
    layers = list(reference.layers(weights, biases, specification))
    assert found.certified
    assert found.by_layer == tuple(len(regions) for regions, _ in layers)
    assert [list(row) for row in found.by_neuron] == [cutting for _, cutting in layers]
    if found.unbounded is not None:
        assert found.unbounded == sum(not region.bounded for region in layers[-1][0])
    return found.exact_cells


@pytest.mark.parametrize("d", NARROW)
@pytest.mark.parametrize("seed", seeds(20, 3))
def test_against_reference_narrow_layers(d, seed):
    """Whole spaces and directions, with biases and without, and not one cell in rationals."""
    weights, biases = as_lists(he(np.random.default_rng(seed), d, NARROW[d], 0.5))
    assert both(weights, biases, Space(d), reference.space(d)) == 0
    central = [[0.0] * len(row) for row in biases]
    for domain in (Space(d), Directions(d)):
        assert both(weights, central, domain, reference.space(d)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_against_reference_beside_the_origin(seed):
    """Without biases, but on a slice that does not hold the origin: its neurons have constants all the same."""
    weights, biases = as_lists(he(np.random.default_rng(seed), 5, (4, 3, 3), 0.5))
    rng = np.random.default_rng(seed)
    origin, basis = rng.integers(1, 8, 5) / 4, rng.integers(-4, 5, (3, 5)) / 4
    rows = [list(map(Fraction, row)) for row in basis.tolist()]
    whole = reference.affine(list(map(Fraction, origin.tolist())), rows, reference.space(3))
    both(weights, [[0.0] * len(row) for row in biases], Subspace(origin, basis), whole)


@pytest.mark.parametrize("d", [2, 3, 4])
@pytest.mark.parametrize("nudge", [2.0**-52, -(2.0**-52), 0.0])
def test_against_reference_dependent_facets(d, nudge):
    """x = 1, x = 2 and infinity are three sums of three forms and meet far out; but they do not make out their system.

    The last row is 5 - nudge y far out, too little for a bound on floats.
    """
    rest = [0.0] * (d - 2)
    first = [[float(i == j) for j in range(d)] for i in range(d)]
    second = [[1.0, 0.0, *rest], [1.0, 0.0, *rest], [0.0, 1.0, *rest], [0.0, 1.0 + nudge, *rest]]
    weights = [first, second, [[0.0, 0.0, 1.0, -1.0]]]
    biases = [[0.0] * d, [-1.0, -2.0, 1.0, 1.0], [5.0]]
    both(weights, biases, Space(d), reference.space(d))


def first_layer(d, neurons):
    """Random weights, so that no corner is exact in floats, and no biases."""
    return as_lists(he(np.random.default_rng(5), d, (neurons,), 0.0))[0]


NUDGES = [2.0**-80, -(2.0**-80), 0.0]


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("nudge", NUDGES)
def test_against_reference_nearly_without_biases(d, nudge):
    """At the origin the second layer has its bias for a value, too little for a bound on floats."""
    weights = [*first_layer(d, d), [[-1.0] + [0.0] * (d - 1)]]
    both(weights, [[0.0] * d, [nudge]], Space(d), reference.space(d))


@pytest.mark.parametrize("nudge", NUDGES)
def test_against_reference_nearly_through_the_origin(nudge):
    """Without biases, on a slice that passes the origin at this distance."""
    origin, basis = np.array([1.0, 0.0, 0.0, nudge]), np.eye(3, 4)
    whole = reference.affine([Fraction(x) for x in origin.tolist()], basis.astype(int).tolist(), reference.space(3))
    both(first_layer(4, 5), [[0.0] * 5], Subspace(origin, basis), whole)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("nudge", [2.0**-52, -(2.0**-52), 0.0])
def test_against_reference_nearly_one_facet(d, nudge):
    """Two hyperplanes p = q and p = (1 + nudge) q are all but one far out, and infinity is no sum of p and q."""
    second = [[1.0, -1.0], [1.0, -1.0 - nudge]]
    both([*first_layer(d, 2), second], [[0.0] * 2, [0.0] * 2], Space(d), reference.space(d))
