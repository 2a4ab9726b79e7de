"""Kernels at the limits of what they prove: at a bound, a unit to either side of it, and where numbers overflow."""

from fractions import Fraction
from math import inf, isfinite, isnan, nan

import numpy as np
import pytest

from creases import Line, Network, subdivide
from creases.double_description import bits_of
from creases.engine.answers.blocks import place_corners
from creases.engine.answers.sharp import place_corner_of_edges as place_sharp
from creases.engine.cells.arrangement import cut_section
from creases.engine.cells.corner import are_independent, place_corner
from creases.engine.cells.interval import zero_of
from creases.engine.graph import Graph
from creases.engine.problem import Problem
from creases.engine.proof.band import band
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW
from creases.engine.proof.doubled import multiply_rows, sign_at_corner, two_product
from creases.engine.proof.inside import proved_by_floats
from creases.engine.proof.signs import UNPROVED
from creases.engine.state.cell_layout import (
    MOST_CHORDS,
    SECTION_BOUNDS,
    SECTION_FROM,
    SECTION_MASKS,
    SECTION_TO,
)
from engine_twins import amount, dot, exactly


def neighbours(x):
    """A float, and those one unit below and above."""
    return [float(np.nextafter(x, -inf)), float(x), float(np.nextafter(x, inf))]


# The band around an undecided activation.

SLOPES = [(0.0, 1.0), (-1.0, 1.0), (0.01, 1.0), (2.0, -0.5), (0.25, 0.0), (1.0, 1.0)]


@pytest.mark.parametrize("widest", [0, 10, 300])
def test_against_exact_band(widest):
    """|kink(z) - s z - m| <= h at both ends and at 0, where it bends, up to what a radius pays for underflow."""
    rng = np.random.default_rng(widest)
    for _ in range(amount(3000, 300)):
        low, high = np.sort(rng.standard_normal(2) * 10.0 ** rng.uniform(-widest, widest, 2)).tolist()
        for a, b in ((low, high), (-abs(low), abs(high)), (-abs(low), 5e-324), (-5e-324, abs(high)), (0.0, abs(high))):
            below, above = SLOPES[int(rng.integers(len(SLOPES)))]
            slope, middle, half = band(a, b, below, above)
            if half == inf:
                assert max(abs(a), abs(b)) > 1e298
                continue
            for z in {a, b, min(max(a, 0.0), b)}:
                off = (
                    Fraction(above if z > 0 else below) * Fraction(z) - Fraction(slope) * Fraction(z) - Fraction(middle)
                )
                assert abs(off) <= Fraction(half) + Fraction(UNDERFLOW)


@pytest.mark.parametrize("low", [nan, -inf, -1.0, -0.0, 0.0, 1.0, inf])
@pytest.mark.parametrize("high", [nan, -inf, -1.0, 0.0, 1.0, inf])
def test_bad_input_band_of_bounds_that_are_not_finite(low, high):
    """A maximum that loses a NaN made a band of no height."""
    if isnan(low) or isnan(high) or low == -inf or high == inf:
        assert band(low, high, 0.0, 1.0) == (0.0, 0.0, inf)


# Double-double.


def test_against_exact_two_product_at_its_limits():
    """Exact from 2^-968 on and below 2^996; before, off by less than 2^-1070; beyond, not a number if not exact."""
    rng = np.random.default_rng(1)
    for _ in range(amount(2000, 300)):
        a, b = rng.uniform(1, 2, 2)
        for exponent in (-1074, -1022, -970, -969, -968, -967, 0, 900, 994, 995, 996, 997, 1022):
            split = int(rng.integers(-500, 500)) if exponent < 900 else exponent
            x, y = np.ldexp(a, split), np.ldexp(b, exponent - split)
            if abs(exponent - split) > 1000 or not (x and y):
                continue
            hi, lo = two_product(float(x), float(y))
            true = Fraction(float(x)) * Fraction(float(y))
            if true >= Fraction(2) ** -968 and x < 2.0**996:
                assert Fraction(hi) + Fraction(lo) == true
            elif not isfinite(lo):
                assert x >= 2.0**996
            else:
                assert abs(Fraction(hi) + Fraction(lo) - true) < Fraction(2) ** -1070


def test_bad_input_bounds_of_rows_that_overflow_are_infinite():
    """Not NaN, which the next layer's products and comparisons would have to look out for."""
    weight = np.array([[1e300, 1e300], [1.0, 0.0], [0.0, 0.0], [1e300, -1e300]])
    hi = np.array([[1e300, 1.0], [1e300, 0.0]])
    rows = hi, np.zeros((2, 2)), np.zeros((2, 2))
    once = [np.zeros((4, 2)) for _ in range(3)]
    multiply_rows(weight, *rows, *once)
    assert not np.isnan(once[2]).any()
    assert once[2][[0, 3], 0].tolist() == [inf, inf]
    twice = [np.zeros((1, 2)) for _ in range(3)]
    multiply_rows(np.array([[1.0, 1.0, 1.0, 1.0]]), *once, *twice)
    assert twice[2][0, 0] == inf
    edges = [np.vstack([part[0], part[0], part[0]])[:, [0, 1, 1]] for part in twice]
    assert sign_at_corner(*map(np.ascontiguousarray, edges)) == UNPROVED


# The zero of a form on a line.


def test_against_exact_zero_of_a_slope_near_its_bound():
    """The slope is its bound, or a unit more or less; the zero of any form within the bounds is near enough."""
    rng, proved = np.random.default_rng(2), 0
    for _ in range(amount(2000, 200)):
        slope, constant = (rng.uniform(1, 2, 2) * rng.choice([-1, 1], 2)).tolist()
        most = abs(slope) / ROUND_UP
        for error in [*neighbours(most), *neighbours(abs(slope)), *neighbours(most * (1 - 2.0**-20)), most / 2]:
            x, off = zero_of(slope, constant, error, 2.0**-30)
            if not off < inf:
                continue
            proved += 1
            for way in (-1, 1):
                for side in (-1, 1):
                    true = Fraction(slope) + way * Fraction(error)
                    assert true * Fraction(slope) > 0
                    zero = -(Fraction(constant) + side * Fraction(2) ** -30) / true
                    assert abs(zero - Fraction(x)) <= Fraction(off)
    assert proved > amount(2000, 200)


# Corners of more facets than dimensions.


def corner_of(rows, mask, wanted=0, rank=0):
    """(place, error, whether the rows of `wanted` are found to have this rank)."""
    d = rows.shape[1] - 1
    points, room = np.full((d + 1, 1), 7.0), np.zeros(4 * d * d + 4 * d)
    table = np.concatenate([rows, np.zeros((len(rows), 2))], axis=1).ravel()
    on = np.array([*bits_of(wanted), *bits_of(mask & ~wanted)], np.int64)  # those that are wanted come first
    place_corner(table, room, points, d, on, len(on), 0)
    found = are_independent(table, room, d, on, len(on), wanted.bit_count(), rank)
    return points[:d, 0].tolist(), float(points[d, 0]), bool(found)


# The first does not go through the corner 0; the second and the third, the fourth and the fifth are one plane each.
PLANES = np.array([[1.0, 0, 0, 5], [1, 1, 0, 0], [-2, -2, 0, 0], [0, 1, 1, 0], [0, 3, 3, 0], [1, 0, 1, 0]])


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-600, 2.0**-538, 1.0, 2.0**511, 2.0**512, 2.0**600, 2.0**1000])
def test_known_corner_of_facets_whose_lengths_under_or_overflow(scale):
    """Lengths below 2^-537 have squares that underflow, from 2^512 on they overflow: facet 0 was taken instead, which
    need not go through the corner."""
    for mask in (0b111110, 0b101010, 0b110100):
        rows = PLANES.copy()
        rows[1:] *= scale
        assert corner_of(rows, mask)[:2] == ([0.0] * 3, 0.0)
    rows = PLANES.copy()
    rows[3:5] *= scale  # and beside others
    assert corner_of(rows, 0b111110)[:2] == ([0.0] * 3, 0.0)
    assert corner_of(rows, 0b111110, 0b101010, 3)[2]
    assert not corner_of(rows, 0b111110, 0b011110, 3)[2]
    assert not corner_of(rows, 0b011110)[1] < inf


@pytest.mark.parametrize("bad", [nan, inf, -inf, 0.0])
def test_bad_input_facets_without_a_gradient_are_not_chosen(bad):
    rows = PLANES.copy()
    rows[[2, 4], :3] = bad
    assert corner_of(rows, 0b111110)[:2] == ([0.0] * 3, 0.0)
    rows[5, :3] = bad
    assert corner_of(rows, 0b111110)[1] == inf
    assert corner_of(rows, 0b101010)[1] == inf


# Corners that are given out.


@pytest.mark.parametrize("exponent", [-1020, -1000, -980, -970, -960])
def test_against_exact_corners_among_denormal_numbers(exponent):
    """A quotient that underflows is off by more than is promised, though all that bounds it underflows too."""
    rng = np.random.default_rng(-exponent)
    for _ in range(amount(200, 20)):
        chart = np.array([[np.ldexp(rng.uniform(0.5, 1), exponent), 0.0], [0.0, 2.0**60]])
        x = float(rng.uniform(0.5, 1))
        corners, blurred = np.empty((1, 1)), np.empty((1, 2), np.int64)
        first, at_infinity = np.array([0, 1]), np.array([False])
        left = place_corners(np.array([[x, 0.0]]), chart, 0.0, first, at_infinity, corners, blurred)
        true = Fraction(float(chart[0, 0])) * Fraction(x) / 2**60
        if not left:
            assert abs(Fraction(float(corners[0, 0])) - true) <= true / 10**9
        form = np.array([[float(chart[1, 1]), -float(chart[0, 0])]])
        edges = np.zeros((3, 2, 2))
        edges[0] = form
        corner = np.zeros((1, 1))
        if place_sharp(edges, 0.0, False, corner, 0):
            true = Fraction(float(chart[0, 0])) / 2**60
            assert abs(Fraction(float(corner[0, 0])) - true) <= true / 10**9
    assert exponent == -980 or left == (exponent < -980)  # there it depends on the numbers drawn


def test_known_corner_among_denormal_numbers_is_the_nearest_float():
    weights, biases = [[[2.0**60], [1.0]]], [[-0.7 * 2.0**-1010, -1.0]]
    cells = subdivide(Network.from_arrays(weights, biases, output_layer=False), Line([0.0], [1.0]))
    true = Fraction(0.7) * Fraction(2) ** -1070
    near = [abs(Fraction(float(x)) - true) for x in cells.corners[:, 0]]
    assert min(near) <= Fraction(2) ** -1075


# Sections.


def test_against_exact_values_on_a_section_where_signs_are_hardly_proved():
    """The row that cuts is known up to e, its values at two corners exceed e by a unit, or by much."""
    rng = np.random.default_rng(3)
    for _ in range(amount(2000, 100)):
        e = float(rng.uniform(0.5, 1))
        a, b = (float(rng.choice([*neighbours(e)[2:], e * 1.5, e * 4, e * 1e6])) for _ in range(2))
        g = rng.uniform(-1, 1, 2).tolist()
        values, ints = np.zeros((2, MOST_CHORDS + 1, MOST_CHORDS)), np.zeros((2, 5, 40), np.int64)
        values[0, 0, :2], values[0, 1, :2], values[0, SECTION_BOUNDS, 1] = g, [a, -b], e
        ints[0, SECTION_MASKS, :2] = 1, 2
        ints[0, SECTION_FROM, 0], ints[0, SECTION_TO, 0] = 0, 1
        assert cut_section(values, ints, 0, 1, 1) == 1
        bound, value = Fraction(float(values[1, SECTION_BOUNDS, 0])), Fraction(float(values[1, 0, 0]))
        if bound > max(map(abs, g)):
            continue  # proves nothing
        for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            p, q = Fraction(a) + x * Fraction(e), Fraction(b) + y * Fraction(e)
            true = (q * Fraction(g[0]) + p * Fraction(g[1])) / (p + q)
            assert abs(true - value) <= bound


# Points inside cells.


def test_against_exact_points_at_a_neurons_zero():
    """A neuron's value at the point is zero, a few units, or some more: the sign is proved only if it is right."""
    rng, proved = np.random.default_rng(4), 0
    samples = amount(400, 100)
    for _ in range(samples):
        n = int(rng.integers(1, 5))
        weight, point = rng.standard_normal((1, n)), rng.standard_normal((1, 2))
        basis = rng.standard_normal((2, n))
        inputs = [dot(exactly(point[0]), column) for column in zip(*exactly(basis), strict=True)]
        bias = -float(dot(exactly(weight[0]), inputs))
        for units in (0, 1, -1, 3, -3, 40, -40):
            moved = np.array([bias + units * float(np.spacing(bias))])
            problem = Problem(Graph.chain([weight], [moved]), np.zeros(n), basis, np.zeros((2, n)), None)
            true = dot(exactly(weight[0]), inputs) + Fraction(float(moved[0]))
            on = proved_by_floats(problem, np.append(point, [[1.0]], axis=1), np.array([[True]]))[0]
            off = proved_by_floats(problem, np.append(point, [[1.0]], axis=1), np.array([[False]]))[0]
            proved += on or off
            assert not (on and true <= 0)
            assert not (off and true >= 0)
    assert proved > samples / 2


@pytest.mark.parametrize("large", [1e200, 1.7e308])
def test_bad_input_points_are_not_proved_by_what_overflows(large):
    weights = (np.array([[large], [1.0]]), np.array([[large, 1.0], [0.0, 1.0]]))
    problem = Problem(
        Graph.chain(weights, (np.array([large, 1.0]), np.zeros(2))),
        np.zeros(1),
        np.ones((1, 1)),
        np.zeros((1, 1)),
        None,
    )
    bits = np.array([[True, True, True, True], [True, True, True, False]])
    assert not proved_by_floats(problem, np.array([[0.5, 1.0], [0.5, 1.0]]), bits)[1]
