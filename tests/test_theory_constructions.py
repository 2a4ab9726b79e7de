"""Constructions have the regions that their formulas say, until noise moves them; neurons along a line."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest

from creases import Box, Line, Network, Segment, Space, count
from creases.errors import DomainError, NetworkError
from creases.theory import (
    central,
    folding,
    montufar_2014_lower,
    neurons_along,
    one_dimensional_maximum,
    perturb,
    sawtooth,
    serra_upper,
    zigzag,
    zonotope,
)
from networks import random_network

# Constructions: each has the regions that its formula says.


@pytest.mark.jit
@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_known_sawtooth(depth):
    found = count(sawtooth(depth), Segment([0.0], [1.0]))
    assert (found.regions, found.certified) == (2**depth, True)


@pytest.mark.jit
@pytest.mark.parametrize("widths", [[3], [3, 4, 3], [5, 3, 6, 3], [20, 20, 20]])
def test_known_zigzag(widths):
    found = count(zigzag(widths), Space(1))
    assert found.certified
    assert found.regions == one_dimensional_maximum(widths) == serra_upper(widths, 1)


@pytest.mark.jit
@pytest.mark.parametrize(("directions", "widths", "n"), [(3, [3], 2), (5, [4], 2), (4, [3, 3], 3), (3, [5], 1)])
def test_known_zonotope(directions, widths, n):
    network = zonotope(directions, widths, n, np.random.default_rng(0))
    cones = central(directions, n) if n > 1 else 2
    found = count(network, Space(n))
    assert (found.regions, found.certified) == (cones * prod(width + 1 for width in widths), True)


@pytest.mark.jit
@pytest.mark.parametrize(("widths", "n"), [([4, 4], 2), ([6, 5, 5], 2), ([7, 4, 6], 3), ([2, 3], 1), ([6, 2], 3)])
def test_known_folding(widths, n):
    network = folding(widths, n, np.random.default_rng(0))
    assert list(network.widths) == widths
    found = count(network, Box([0] * n, [1] * n))
    assert (found.regions, found.certified) == (montufar_2014_lower(widths, n), True)


@pytest.mark.jit
def test_laws_noise_destroys_the_sawtooth():
    """Little noise adds pieces first: a neuron that only touches zero in every trough then crosses it in some."""
    means = []
    for scale in (0.0, 1e-3, 3e-2, 0.1, 0.3, 1.0):
        noisy = [perturb(sawtooth(12), scale, np.random.default_rng(seed)) for seed in range(3)]
        means.append(np.mean([count(network, Segment([0.0], [1.0]), progress=False).regions for network in noisy]))
    assert means[0] == 4096 < means[1] < 8192
    assert means[1:] == sorted(means[1:], reverse=True)
    assert means[-1] < 20 < means[-3] < 2000


def test_laws_noise_is_of_its_scale():
    """On every weight and bias, the output's too, and none where the scale is zero."""
    network = sawtooth(200)
    still, noisy = (perturb(network, scale, np.random.default_rng(0)) for scale in (0.0, 0.5))
    assert still.sha256 == network.sha256
    chains = [[*n.hidden, n.output] for n in (network, noisy)]
    moves = np.concatenate(
        [(b - a).ravel() for x, y in zip(*chains, strict=True) for a, b in ((x.weight, y.weight), (x.bias, y.bias))]
    )
    assert moves.size > 1000
    assert (moves != 0).all()
    assert np.std(moves) == pytest.approx(0.5, rel=0.1)


# Neuron by neuron.


@pytest.mark.jit
def test_known_neurons_along_the_sawtooth():
    found = neurons_along(sawtooth(4), Segment([-1.0], [1.0]))
    assert [neuron.crossings for neuron in found] == [1, 1, 0, 2, 0, 4, 0, 8]
    last = found[-1]
    assert (last.lowest, last.highest, last.threshold) == (0.0, 1.0, 0.5)
    assert (last.variation, last.steepest, last.oscillations) == (8.0, 8.0, 8.0)
    assert last.turns == (0.0, 1.0) * 4 + (0.0,)
    assert last.slope_for(9, 1.0) == 8.0
    assert last.slope_for(0, 1.0) == last.slope_for(1, 1.0) == 0.0
    assert last.thresholds_for(8) == [(0.0, 1.0)]
    assert last.thresholds_for(9) == []


@pytest.mark.jit
def test_laws_neurons_along_a_line():
    """No neuron crosses more often than it oscillates and once, nor outside its range."""
    network = Network.from_arrays(*random_network([3, 12, 12, 12, 1], 0, 0.3))
    segment = Segment([-2, 1, 0], [2, -1, 1])
    found = neurons_along(network, segment)
    assert len(found) == network.neurons
    length = np.linalg.norm([4, -2, 1])
    for neuron in found:
        assert neuron.steepest * length >= neuron.variation - 1e-9 >= neuron.highest - neuron.lowest - 2e-9
        if neuron.crossings:
            assert neuron.lowest <= neuron.threshold <= neuron.highest
    assert sum(neuron.crossings for neuron in found) == count(network, segment).regions - 1


@pytest.mark.jit
def test_laws_what_more_crossings_would_need():
    """Thresholds cross as often as the network with that bias does; in the mean over them, `oscillations` times."""
    layers = [(np.array(w), np.array(b)) for w, b in zip(*random_network([1, 12, 12, 6], 3, 0.6), strict=True)]
    segment, seen = Segment([-2.0], [2.0]), 0
    network = Network.from_arrays(*zip(*layers, strict=True), output_layer=False)
    for neuron in neurons_along(network, segment)[24:]:
        total, k = 0.0, 1
        while bands := neuron.thresholds_for(k):
            assert all(low < high for low, high in bands)
            assert all(a[1] < b[0] for a, b in pairwise(bands))
            total += sum(high - low for low, high in bands)
            for low, high in bands:  # at a threshold in the middle of it the engine finds so many
                moved = layers[2][1].copy()
                moved[neuron.neuron] = -(low + 0.381966 * (high - low))
                other = Network.from_arrays(
                    [w for w, _ in layers], [layers[0][1], layers[1][1], moved], output_layer=False
                )
                found = neurons_along(other, segment)[24 + neuron.neuron]
                assert found.crossings >= k
                assert found.turns == pytest.approx(neuron.turns)
                seen = max(seen, k)
            k += 1
        assert total == pytest.approx(neuron.variation)  # Banach's indicatrix
        inside = neuron.lowest < neuron.threshold < neuron.highest
        within = [low < neuron.threshold < high for low, high in neuron.thresholds_for(max(neuron.crossings, 1))]
        assert any(within) == (inside and neuron.crossings > 0)
        assert not any(low < neuron.threshold < high for low, high in neuron.thresholds_for(neuron.crossings + 1))
    assert seen >= 3


@pytest.mark.jit
def test_known_neurons_that_rest():
    """A dead neuron has no range and is crossed nowhere, whatever its threshold; one that is constant in parts once."""
    network = Network.from_arrays([[[0.0], [1.0]], [[1.0, 1.0]]], [[1.0, 0.0], [-1.5]], output_layer=False)
    dead, _, upper = neurons_along(network, Segment([-1.0], [1.0]))
    assert (dead.crossings, dead.lowest, dead.highest, dead.variation, dead.steepest) == (0, 0.0, 0.0, 0.0, 0.0)
    assert (dead.oscillations, dead.thresholds_for(1), dead.turns) == (0.0, [], (0.0, 0.0))
    assert (upper.crossings, upper.turns, upper.thresholds_for(1)) == (1, (1.0, 2.0), [(1.0, 2.0)])


@pytest.mark.jit
def test_bad_input_neurons():
    network = sawtooth(2)
    with pytest.raises(DomainError, match="lies in a space of 2 inputs"):
        neurons_along(network, Segment([0, 0], [1, 1]))
    for domain in (Box([0.0], [1.0]), Line([0.0], [1.0])):
        with pytest.raises(DomainError, match="followed along a Segment"):
            neurons_along(network, domain)
    neuron = neurons_along(network, Segment([0.0], [1.0]))[0]
    with pytest.raises(NetworkError, match="crossings must be a whole number, at least 1; got 0"):
        neuron.thresholds_for(0)
    with pytest.raises(NetworkError, match="crossings must be a whole number, at least 0; got -1"):
        neuron.slope_for(-1, 1.0)
    with pytest.raises(NetworkError, match="length must be a finite number above 0; got 0"):
        neuron.slope_for(2, 0)
