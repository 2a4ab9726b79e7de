"""Lists of cells against `reference.py`: patterns in every dimension, and rays that lie where they are said to."""

from fractions import Fraction

import numpy as np
import pytest

import reference
from creases.engine.answers.listing import list_cells
from creases.engine.problem import IntegerPolytope, Problem
from creases.engine.state.pattern import bits_of_bytes, bits_of_words, bytes_of_bits, bytes_of_words
from engine_states import INTERVAL, SQUARE, problem_of
from engine_twins import amount
from networks import table


def quiet(_regions):
    pass


def cube(d):
    """[-1, 1]^d as the engine takes it."""
    if d < 3:
        return SQUARE if d == 2 else INTERVAL
    rays = [(*(2 * (i >> c & 1) - 1 for c in range(d)), 1) for i in range(2**d)]
    walls = [(*(sign * (c == axis) for c in range(d)), 1) for axis in range(d) for sign in (1, -1)]
    masks = [
        sum(1 << w for w, wall in enumerate(walls) if sum(a * b for a, b in zip(wall, ray, strict=True)) == 0)
        for ray in rays
    ]
    return IntegerPolytope(tuple(rays), tuple(walls), tuple(masks))


def flat(pattern):
    return tuple(bool(on) for layer in pattern for on in layer)


def check_rays(problem: Problem, cells, weights, biases):
    """Every ray that is said to be inside has its cell's pattern there, in fractions. Returns how many are."""
    bits = bits_of_bytes(cells.patterns, sum(problem.widths))
    for pattern, ray, inside in zip(bits.tolist(), cells.rays.tolist(), cells.inside.tolist(), strict=True):
        if inside:
            point = [Fraction(x) / Fraction(ray[-1]) for x in ray[:-1]]
            assert flat(reference.pattern_at(weights, biases, point)) == tuple(pattern)
    return int(cells.inside.sum())


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("whole", [False, True])
def test_against_reference_patterns(d, whole):
    listed = inside = 0
    for name, weights, biases in table(amount(24, 8), 70 + d, d):
        if name in ("extreme", "nudged", "parallel"):  # where floats hold no chart, the list is refused
            continue
        box = reference.space(d) if whole else reference.box([-1] * d, [1] * d)
        regions = reference.regions(weights, biases, box)
        problem = problem_of(weights, biases, np.zeros(d), np.eye(d), None if whole else cube(d))
        cells = list_cells(problem, threads=1, report=quiet)
        found = set(map(tuple, bits_of_bytes(cells.patterns, sum(problem.widths)).tolist()))
        assert len(found) == len(cells.patterns) == len(regions), name
        assert found == {flat(region.pattern) for region in regions}, name
        listed += len(regions)
        inside += check_rays(problem, cells, weights, biases)
    assert inside > 0.9 * listed > 0


@pytest.mark.parametrize("directions", [False, True])
def test_known_lists_of_constant_networks(directions):
    """One cell, whatever the space: each neuron has the sign of its bias, or none among directions."""
    problem = problem_of([[[0, 0, 0]] * 3], [[1, -1, 0]], np.zeros(3), np.eye(3), None)._replace(directions=directions)
    cells = list_cells(problem, threads=1, report=quiet)
    assert bits_of_bytes(cells.patterns, 3).tolist() == [[not directions, False, False]]
    assert cells.inside.all()
    assert cells.tally.by_layer == [1]


def test_known_rays_have_zeros_along_what_is_divided_out():
    """Two neurons that see the second coordinate only: three strips of R^3."""
    problem = problem_of([[[0, 1, 0], [0, -1, 0]]], [[-1, -2]], np.zeros(3), np.eye(3), None)
    cells = list_cells(problem, threads=1, report=quiet)
    assert cells.rays[:, [0, 2]].tolist() == [[0, 0]] * 3
    assert sorted(x[1] > 1 for x in cells.rays.tolist()) == [False, False, True]
    assert (cells.tally.by_layer, cells.tally.unbounded) == ([3], 3)


@pytest.mark.parametrize("neurons", [1, 7, 8, 9, 63, 64, 65, 200])
def test_laws_packed_patterns(neurons):
    """Words, bytes and bits hold one pattern, and each comes back."""
    rng = np.random.default_rng(neurons)
    bits = rng.random((5, neurons)) < 0.5
    words = np.zeros((5, (neurons + 63) // 64), np.int64)
    for cell, neuron in zip(*np.nonzero(bits), strict=True):
        words[cell, neuron >> 6] |= np.int64(np.uint64(1) << np.uint64(neuron & 63))
    packed = bytes_of_words(words, neurons)
    assert packed.shape == (5, (neurons + 7) // 8)
    assert np.array_equal(packed, bytes_of_bits(bits))
    assert np.array_equal(bits_of_bytes(packed, neurons), bits)
    assert np.array_equal(bits_of_words(words[0])[:neurons], bits[0])
