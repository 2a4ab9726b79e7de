"""Tables of polytopes against `reference.py`: the patterns of all cells, their corners and what bounds them."""

from fractions import Fraction

import numpy as np
import pytest

import reference
from creases.engine.answers.polytope_table import cut_into_polytopes
from creases.engine.problem import IntegerPolytope
from creases.engine.state.pattern import bits_of_bytes, bits_of_words, bytes_of_bits, bytes_of_words
from engine_states import problem_of
from engine_twins import amount
from networks import table


def quiet(_regions):
    pass


def cube(d):
    """[-1, 1]^d as the engine takes it."""
    rays = [(*(2 * (i >> c & 1) - 1 for c in range(d)), 1) for i in range(2**d)]
    walls = [(*(sign * (c == axis) for c in range(d)), 1) for axis in range(d) for sign in (1, -1)]
    masks = [
        sum(1 << w for w, wall in enumerate(walls) if sum(a * b for a, b in zip(wall, ray, strict=True)) == 0)
        for ray in rays
    ]
    return IntegerPolytope(tuple(rays), tuple(walls), tuple(masks))


def flat(pattern):
    return tuple(bool(on) for layer in pattern for on in layer)


def corners_of(table, cell):
    """The finite corners of a cell and its directions: whether at infinity, and where."""
    rows = slice(table.first[cell], table.first[cell + 1])
    return list(zip(table.at_infinity[rows].tolist(), table.corners[rows].tolist(), strict=True))


def true_corners(region):
    """`corners_of`, by the reference."""
    found = []
    for *place, w in region.rays:
        place, length = list(map(Fraction, place)), 1.0
        if not w:  # whole numbers that may be beyond floats
            longest = max(map(abs, place))
            place = [x / longest for x in place]
            length = float(sum(x * x for x in place)) ** 0.5
        found.append((not w, [nearest(x) / length for x in place]))
    return found


def nearest(number):
    """The nearest float, the largest one beyond."""
    try:
        return float(number)
    except OverflowError:
        return float(np.copysign(np.finfo(float).max, 1 if number > 0 else -1))


def are_alike(one, other):
    """Whether each corner of one is one of the other, to seven digits of its size, and as many."""
    if len(one) != len(other):
        return False
    return all(any(is_like(corner, there) for there in other) for corner in one) and all(
        any(is_like(corner, there) for there in one) for corner in other
    )


def is_like(corner, other):
    (far, place), (also_far, there) = corner, other
    size = max(1.0, *map(abs, place))
    return far == also_far and all(abs(x / size - y / size) < 1e-7 for x, y in zip(place, there, strict=True))


@pytest.mark.parametrize("d", [3, 4])
@pytest.mark.parametrize("whole", [False, True])
def test_against_reference_polytopes(d, whole):
    """Every cell has its pattern and its corners, in rationals; on each side lie the corners that its wall has."""
    cells = 0
    for name, weights, biases in table(amount(24 if d == 3 else 8, 6), 70 + d, d):
        if name in ("extreme", "nudged", "parallel"):  # where floats hold no chart, it is refused
            continue
        box = reference.space(d) if whole else reference.box([-1] * d, [1] * d)
        regions = {flat(region.pattern): region for region in reference.regions(weights, biases, box)}
        problem = problem_of(weights, biases, np.zeros(d), np.eye(d), None if whole else cube(d))
        found = cut_into_polytopes(problem, threads=1, report=quiet)
        patterns = list(map(tuple, bits_of_bytes(found.patterns, sum(problem.widths)).tolist()))
        assert len(set(patterns)) == len(patterns) == len(regions), name
        assert set(patterns) == set(regions), name
        for cell, pattern in enumerate(patterns):
            lines = regions[pattern].lines
            assert len(lines) == len(found.lineality), name
            if not lines:
                assert are_alike(corners_of(found, cell), true_corners(regions[pattern])), name
        cells += len(patterns)
    assert cells > 25


@pytest.mark.parametrize("directions", [False, True])
def test_known_tables_of_constant_networks(directions):
    """One cell, whatever the space: each neuron has the sign of its bias, or none among directions."""
    problem = problem_of([[[0, 0, 0]] * 3], [[1, -1, 0]], np.zeros(3), np.eye(3), None)._replace(directions=directions)
    found = cut_into_polytopes(problem, threads=1, report=quiet)
    assert bits_of_bytes(found.patterns, 3).tolist() == [[not directions, False, False]]
    assert found.lineality.tolist() == np.eye(3).tolist()
    assert found.tally.by_layer == [1]


def test_known_corners_have_zeros_along_what_is_divided_out():
    """Two neurons that see the second coordinate only: three slabs of R^3."""
    problem = problem_of([[[0, 1, 0], [0, -1, 0]]], [[-1, -2]], np.zeros(3), np.eye(3), None)
    found = cut_into_polytopes(problem, threads=1, report=quiet)
    assert not found.corners[:, [0, 2]].any()
    assert sorted(found.corners[~found.at_infinity, 1].tolist()) == [-2, -2, 1, 1]
    assert np.abs(found.lineality[:, 1]).tolist() == [0, 0]
    assert (found.tally.by_layer, found.tally.unbounded) == ([3], 3)


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
