"""Views: a rectangle of a plane cut around its own centre has the regions that it has where it lies."""

from fractions import Fraction

import numpy as np
import pytest

import creases
import reference
from creases.errors import DomainError
from creases.explore.view import View, float_parts

INPUTS = creases.Plane([0, 0], [[1, 0], [0, 1]])


def small_network(seed=0):
    return creases.Network.he([2, 8, 8, 1], seed=seed, bias_std=0.3)


def hidden(network):
    """The weights and biases of the hidden layers, as the reference takes them."""
    levels = network.levels[:-1]
    return [level.sources[i].matrix.tolist() for i, level in enumerate(levels)], [
        level.bias.tolist() for level in levels
    ]


def count_in_rationals(network, centre, half):
    """By the slow program in fractions, which takes the centre as it is."""
    w, h = map(Fraction, half)
    domain = reference.affine(centre, [[1, 0], [0, 1]], reference.box([-w, -h], [w, h]))
    return reference.count(*hidden(network), domain)


def corner_of_cells(network):
    """A place where two neurons of the first layer vanish, as a rational."""
    (a, b), (c, d) = [[Fraction(x) for x in row] for row in network.levels[0].sources[0].matrix[:2].tolist()]
    e, f = (Fraction(-x) for x in network.levels[0].bias[:2].tolist())
    determinant = a * d - b * c
    return [(e * d - b * f) / determinant, (a * f - e * c) / determinant]


def dyadic(value, bits):
    """The nearest whole multiple of 2^-bits."""
    return Fraction(round(value * 2**bits), 2**bits)


@pytest.mark.parametrize(("centre", "half"), [((0, 0), (1, 1)), ((0.125, -0.25), (0.5, 0.375)), ((3, 2), (4, 1))])
def test_explore_view_counts_what_count_counts(centre, half):
    network = creases.Network.he([2, 24, 24, 24, 1], seed=1)
    view = View.of(INPUTS, centre, half)
    (x, y), (w, h) = centre, half
    there = creases.count(network, creases.Box([x - w, y - h], [x + w, y + h]))
    here = view.count(network)
    assert (here.regions, here.by_layer, here.certified) == (there.regions, there.by_layer, True)
    assert len(view.subdivide(network)) == there.regions


def test_explore_view_of_a_plane_in_many_inputs():
    rng = np.random.default_rng(0)
    network = creases.Network.he([30, 16, 16, 3], seed=0)
    plane = creases.Plane.through(*rng.random((3, 30)))  # its basis has a tail: differences of floats are no floats
    view = View.of(plane, (0.25, 0.5), (0.75, 0.5))
    there = creases.count(network, view.domain)
    assert (view.count(network).regions, view.count(network).certified) == (there.regions, True)


def test_explore_view_has_the_patterns_of_the_network():
    network, view = small_network(), View.of(INPUTS, (0.5, 0.25), (0.5, 0.5))
    cells = view.subdivide(network)
    inputs = view.inputs(cells.interior_points)
    assert (network.packed_pattern(inputs) == cells.patterns).all()


@pytest.mark.parametrize("exponent", [9, 14, 40])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_explore_view_at_great_depth_against_rationals(exponent, seed):
    """Around a corner, far below what a float can tell from it, there are the regions that rationals say."""
    network = small_network(seed)
    half = (10.0**-exponent, 0.5 * 10.0**-exponent)
    centre = [dyadic(value, 4 * exponent + 40) for value in corner_of_cells(network)]
    found = View.of(INPUTS, centre, half).count(network)
    assert found.regions == count_in_rationals(network, centre, half) >= 4
    assert found.certified


def test_explore_view_at_great_depth_in_another_base():
    """The network with its first biases moved to the centre, where that is exact, has the same regions around zero."""
    weights = [[[1.0, 2.0], [3.0, -1.0], [1.0, -1.0]], [[1.0, -1.0, 2.0], [2.0, 1.0, -1.0]]]
    centre, half = (0.75, 0.25), (1e-14, 1e-14)
    biases = [[-1.25, -2.0, -0.5], [0.0, 0.0]]
    moved = [
        [value + row[0] * 0.75 + row[1] * 0.25 for row, value in zip(weights[0], biases[0], strict=True)],
        biases[1],
    ]
    network = creases.Network.from_arrays(weights, biases, output_layer=False)
    rebased = creases.Network.from_arrays(weights, moved, output_layer=False)
    assert moved[0] == [0.0, 0.0, 0.0]
    there = creases.count(rebased, creases.Box([-1e-14, -1e-14], [1e-14, 1e-14]))
    assert View.of(INPUTS, centre, half).count(network).regions == there.regions > 4


def test_explore_view_domain_is_none_where_floats_are_too_coarse():
    assert View.of(INPUTS, (0.5, 0.5), (0.25, 0.25)).domain == creases.Box([0.25, 0.25], [0.75, 0.75])
    assert View.of(INPUTS, (1, 1), (1e-12, 1e-12)).domain is None
    assert View.of(INPUTS, (1 + Fraction(1, 2**80), 1), (1, 1)).domain is None


def test_explore_view_float_parts_are_exact():
    value = Fraction(2**200 + 2**90 + 1, 2**180)
    assert sum(map(Fraction, float_parts(value))) == value
    assert float_parts(Fraction(0)) == []


@pytest.mark.parametrize(
    ("centre", "half", "said"),
    [
        ((0, 0), (0, 1), "as wide and as high as two finite numbers"),
        ((0, 0), (np.nan, 1), "as wide and as high as two finite numbers"),
        ((0, 0), (np.inf, 1), "as wide and as high as two finite numbers"),
        ((0, 0), (1, 1e-5), "times as long as it is wide"),
        ((np.nan, 0), (1, 1), "The centre of a view is two finite numbers"),
        ((0, np.inf), (1, 1), "The centre of a view is two finite numbers"),
        ((0, 0, 0), (1, 1), "two coordinates, got 3"),
        ((Fraction(1, 3), 0), (1, 1), "a whole multiple of 2"),
        ((Fraction(10) ** 400, 0), (1, 1), "is at most 1e\\+100"),
    ],
)
def test_explore_view_bad_input(centre, half, said):
    with pytest.raises(DomainError, match=said):
        View.of(INPUTS, centre, half)


def test_explore_view_of_another_space():
    view = View.of(INPUTS, (0, 0), (1, 1))
    with pytest.raises(DomainError, match=r"lies in a space of 2 inputs, but .* takes 3"):
        view.count(creases.Network.he([3, 4, 1]))
