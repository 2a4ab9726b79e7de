"""A path is counted by its flips: against `reference.py`, against patterns written out, and joints where they hurt."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from creases import Network, Polyline, Segment, count, count_many
from creases.engine.answers import path as paths
from creases.engine.answers.cell_table import cut_into_cells
from creases.packing import as_problem
from engine_twins import amount
from networks import KINDS, networks, random_network, table


def written_out(network, path):
    """(by_layer, by_neuron, distinct) from the patterns of all cells of all segments, each segment cut."""
    tables = [
        cut_into_cells(as_problem(network, segment), threads=1, report=lambda regions: None)
        for segment in path.segments
    ]
    widths = [len(layer.bias) for layer in network.hidden]
    packed = np.concatenate([table.patterns for table in tables])
    patterns = np.unpackbits(packed, axis=1, bitorder="little", count=sum(widths))
    layers = np.split(patterns, np.cumsum(widths)[:-1], axis=1)
    by_layer, by_neuron = [], []
    piece_below = [0] * len(patterns)
    for layer in layers:
        by_neuron.append(
            [
                sum(
                    len({row[j] for row, piece in zip(layer, piece_below, strict=True) if piece == one}) > 1
                    for one in set(piece_below)
                )
                for j in range(layer.shape[1])
            ]
        )
        seen, piece = [], 0
        for i in range(len(patterns)):
            changed = i and (piece_below[i] != piece_below[i - 1] or (layer[i] != layer[i - 1]).any())
            piece += bool(changed)
            seen.append(piece)
        piece_below = seen
        by_layer.append(piece + 1)
    return tuple(by_layer), tuple(map(tuple, by_neuron)), len(set(map(bytes, patterns)))


def check(network, points):
    """One path in three ways; returns how many of its segments were swept."""
    path = Polyline(points)
    weights = [layer.weight.tolist() for layer in network.hidden]
    biases = [layer.bias.tolist() for layer in network.hidden]
    found = count(network, path, by_neuron=True)
    assert found.certified
    assert (found.by_layer, found.by_neuron, found.distinct) == written_out(network, path)
    assert (found.regions, found.distinct) == reference.path(weights, biases, [list(map(float, p)) for p in points])
    problems = [as_problem(network, segment) for segment in path.segments]
    starts = np.cumsum([0, *problems[0].widths])
    swept = paths.swept_flips(problems, starts, lambda regions: None)
    return sum(one is not None for one in swept), len(swept)


def walk_of(rng, number, n_in, generic):
    """Points of which neighbours differ: generic ones, or of quarters, where joints lie on kinks."""
    points = [rng.standard_normal(n_in) if generic else rng.integers(-4, 5, n_in) / 4]
    while len(points) < number:
        point = rng.standard_normal(n_in) if generic else rng.integers(-4, 5, n_in) / 4
        if (point != points[-1]).any():
            points.append(point)
    return points


@pytest.mark.parametrize("n_in", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_against_exact_paths_of_every_kind(kind, n_in):
    """A walk there and back again."""
    for seed in range(amount(3, 1)):
        rng = np.random.default_rng([seed, n_in, 16])
        for _, weights, biases in table(amount(2, 1), seed, n_in, [kind]):
            points = walk_of(rng, amount(4, 3), n_in, seed % 2 == 1)
            check(Network.from_arrays(weights, biases, output_layer=False), [*points, *points[-2::-1]])


@given(networks(n_in=2), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=amount(100, 10))
def test_against_exact_paths(network, seed, generic):
    points = walk_of(np.random.default_rng(seed), 5, 2, generic)
    again = [] if (points[-1] == points[1]).all() else [points[1], points[2]]
    check(Network.from_arrays(*network, output_layer=False), [*points, *again])


def test_laws_swept_and_cut_segments_meet():
    """Joints on kinks in the middle of a generic path: some segments are swept, some cut, in every order."""
    network = Network.from_arrays(*random_network([2, 7, 6, 5, 1], 4, 0.3))
    for seed in range(amount(12, 4)):
        rng = np.random.default_rng([seed, 23])
        points = walk_of(rng, 7, 2, True)
        for i in rng.permutation(6)[:2].tolist():
            row, bias = network.hidden[0].weight[0], network.hidden[0].bias[0]
            # On the first neuron's line, as near as floats come: the sweep does not tell the side.
            points[i] = points[i] - (row @ points[i] + bias) / (row @ row) * row
        swept, segments = check(network, points)
        assert 0 < swept < segments


def test_laws_there_and_back_again():
    """Every region of the way back was met on the way there."""
    network = Network.from_arrays(*random_network([6, 20, 20, 1], 0, 0.1))
    points = walk_of(np.random.default_rng(3), 9, 6, True)
    there, both = count(network, Polyline(points)), count(network, Polyline([*points, *points[-2::-1]]))
    assert both.distinct == there.distinct
    assert both.regions == 2 * there.regions - 1


def test_laws_a_corner_that_is_no_corner():
    """A segment cut at any of its points, met again or not, has the pieces of the whole."""
    network = Network.from_arrays(*random_network([3, 12, 12, 1], 1, 0.2))
    a, b = np.zeros(3), np.array([1.0, -2.0, 0.5])
    whole = count(network, Segment(a, b))
    # Halves and quarters of these are floats, so that all of them are on the segment.
    path = count(network, Polyline([a, b / 4, b / 2, 3 * b / 4, b]))
    assert (path.regions, path.by_layer, path.distinct) == (whole.regions, whole.by_layer, whole.regions)


@pytest.mark.parametrize("chunk", [1, 2, 7, 4096])
@pytest.mark.parametrize("room", [1, 1 << 14])
def test_laws_sums_decide_nothing(chunk, room, monkeypatch):
    """With one random number for all neurons nearly all sums agree: patterns then decide. And room for flips grows."""
    network = Network.from_arrays(*random_network([2, 9, 8, 1], 5, 0.2))
    points = walk_of(np.random.default_rng(9), 12, 2, True)
    path = Polyline([*points, *points[3:7]])
    expected = count(network, path)
    assert expected.distinct < expected.regions
    monkeypatch.setattr(paths, "PATTERNS_AT_ONCE", chunk)
    monkeypatch.setattr(paths, "FLIPS", room)

    class Same:
        def integers(self, low, high, size, dtype):
            return np.ones(size, dtype)

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Same())
    found = count(network, path)
    assert (found.regions, found.distinct, found.by_layer) == (expected.regions, expected.distinct, expected.by_layer)


@pytest.mark.jit
def test_known_a_long_path_is_as_fast_as_its_segments():
    """A thousand segments, made and counted: it took 23 seconds when each was cut, twice what their sweep takes now."""
    network = Network.he([784, 256, 256, 256, 10], seed=0)
    points = np.random.default_rng(0).random((1001, 784))
    count(network, Polyline(points[:3]))  # kernels are loaded
    start = time.process_time()  # of this process alone, whatever else the machine does
    found = count(network, Polyline(points))
    seconds = time.process_time() - start
    start = time.process_time()
    segments = count_many(network, [Segment(a, b) for a, b in pairwise(points)])
    assert found.regions == sum(one.regions for one in segments) - 999
    assert seconds < 3 * (time.process_time() - start) + 0.5
