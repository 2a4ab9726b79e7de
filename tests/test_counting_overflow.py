"""Whole counts of networks whose sizes and bounds overflow: what cannot be bounded is proved otherwise, never guessed.

A bound that should be infinite and became NaN was read as "no error", and a size that was NaN was lost in a maximum.
"""

import numpy as np
import pytest

import reference
from creases import Box, Line, Network, Polyline, Segment, Space, count, count_many, subdivide
from engine_twins import amount
from overflowing import LARGEST, SPLIT, overflowing, overflowing_couplings

# In the commit before, three networks of ten were counted wrong, and certified.
SEEDS = range(amount(8, 3))


def network_of(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def exactly(weights, biases):
    return [weight.tolist() for weight in weights], [bias.tolist() for bias in biases]


def bounded(n_in):
    return Box([-1.0] * n_in, [1.0] * n_in), reference.box([-1] * n_in, [1] * n_in)


def whole(n_in):
    return Space(n_in), reference.space(n_in)


def check(weights, biases, domain, specification):
    found = count(network_of(weights, biases), domain, threads=1)
    assert found.certified
    assert list(found.by_layer) == reference.by_layer(*exactly(weights, biases), specification)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("n_in", [1, 2, 3])
@pytest.mark.parametrize("kind", [bounded, whole])
def test_against_exact_a_neuron_too_large_for_a_bound(kind, n_in, depth, seed):
    """Substituted through one layer or two, in one to three dimensions, bounded or not."""
    weights, biases = overflowing(np.random.default_rng([seed, n_in, depth]), n_in, depth)
    check(weights, biases, *kind(n_in))


@pytest.mark.parametrize("seed", range(amount(24, 3)))
@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_a_coupling_to_a_layer_too_large_for_a_bound(n_in, seed):
    """The rounding of a coupling is paid for by the size of what it couples to, which is not known here."""
    weights, biases = overflowing_couplings(np.random.default_rng([seed, n_in, 4]), n_in)
    check(weights, biases, *bounded(n_in))


@pytest.mark.parametrize("large", [1e300, 1e307, LARGEST / 2, np.nextafter(LARGEST, 0), LARGEST])
@pytest.mark.parametrize("n_in", [1, 2])
def test_against_exact_at_the_largest_float(n_in, large):
    """One unit below the largest float, and well below: sizes are finite, infinite, or round to either."""
    for seed in range(amount(4, 2)):
        weights, biases = overflowing(np.random.default_rng([seed, n_in]), n_in, 3, large)
        check(weights, biases, *bounded(n_in))
        weights, biases = overflowing_couplings(np.random.default_rng([seed, n_in]), n_in, large)
        check(weights, biases, *bounded(n_in))


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_lines_through_a_neuron_too_large_for_a_bound(n_in, depth):
    """Swept together with lines that nothing is wrong with, along a path, and one by one."""
    for seed in range(amount(8, 2)):
        rng = np.random.default_rng([seed, n_in, depth])
        weights, biases = overflowing(rng, n_in, depth)
        net, lists = network_of(weights, biases), exactly(weights, biases)
        start, end = [-1.0] * n_in, [1.0] * n_in
        true = reference.by_layer(*lists, reference.segment(start, end))
        domains = [Segment(start, end), Line(start, end), Segment(end, start)]
        for found in [*count_many(net, domains), *(count(net, domain) for domain in domains)]:
            assert found.certified
            if isinstance(found.domain, Segment):
                assert list(found.by_layer) == true
        path = [start, [0.125] * n_in, end]
        found = count(net, Polyline(path))
        assert found.certified
        assert found.regions == reference.path(*lists, path)[0]


@pytest.mark.parametrize("seed", range(amount(9, 2)))
@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("n_in", [1, 2])
@pytest.mark.parametrize("kind", [bounded, whole])
def test_against_exact_cells_beside_a_neuron_too_large_for_a_bound(kind, n_in, depth, seed):
    """Patterns, interior points and corners: edges without a bound took part in signs that are called exact."""
    weights, biases = overflowing(np.random.default_rng([seed, n_in, depth]), n_in, depth)
    lists, (domain, specification) = exactly(weights, biases), kind(n_in)
    cells = subdivide(network_of(weights, biases), domain, threads=1)
    assert cells.certified
    patterns = [tuple(tuple(map(bool, layer)) for layer in cells.pattern(i)) for i in range(len(cells))]
    assert sorted(patterns) == sorted(region.pattern for region in reference.regions(*lists, specification))
    for i, pattern in enumerate(patterns):
        point = cells.exact_interior_points.get(i, cells.interior_points[i].tolist())
        assert reference.pattern_at(*lists, specification.at(tuple(point))) == pattern


def test_known_a_sum_that_floats_lose_beside_the_largest_float():
    """2^53 + 1 - 2^53 + (x + 2) - 2 is x + 1: no zero inside, though floats that add in order see one at 0."""
    weights = [[[0.0]] * 3 + [[1.0], [0.0]], [[SPLIT, 1.0, -SPLIT, 1.0, 0.0]], [[1.0]]]
    biases = [[1.0, 1.0, 1.0, 2.0, LARGEST], [0.0], [-2.0]]
    found = count(Network.from_arrays(weights, biases, output_layer=False), Box([-1.0], [1.0]))
    assert (found.by_layer, found.certified) == ((1, 1, 1), True)
