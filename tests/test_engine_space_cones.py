"""One proof for the charts of all cones of a space, against one proof for each; and counts of spaces by it."""

from itertools import product
from math import comb

import numpy as np
import pytest

from creases import Network, Space, count
from creases.engine.proof.rational import scaled
from creases.engine.starts.chart import far_directions, has_few_bits, is_simplex_in, masks_of_simplex
from creases.engine.starts.first_layer import FirstLayer, in_chart, rational_first
from creases.engine.starts.space_cones import CommonChart, common_chart, cones_in_space, is_proved
from creases.packing import as_problem
from networks import random_network


def layer_of(weight, bias):
    """(problem, rows, exact rows, forms, bounds) of a network with this first layer on all of space."""
    network = Network.from_arrays([weight, np.ones((1, len(bias)))], [bias, np.zeros(1)])
    problem = as_problem(network, Space(weight.shape[1]))
    first = FirstLayer(problem)
    return first.rows, rational_first(problem, first.rows), *first.forms


def weights(kind, rng, d):
    """A first layer: generic, of small whole numbers, of very different sizes, nearly dependent, or far out."""
    weight, bias = rng.standard_normal((d + 3, d)), rng.standard_normal(d + 3)
    if kind == "whole":
        return np.round(3 * weight) + 7 * np.eye(d + 3, d), np.round(3 * bias)
    if kind == "sizes":
        return weight * 10.0 ** rng.integers(-6, 7, (d + 3, 1)), bias
    if kind == "narrow":
        return weight[:1] + 10.0 ** -rng.integers(1, 9) * weight, bias
    return weight, bias * (10.0 ** rng.integers(3, 12) if kind == "far" else 1.0)


@pytest.mark.parametrize("kind", ["generic", "whole", "sizes", "narrow", "far"])
@pytest.mark.parametrize("d", [3, 4, 6])
def test_against_one_proof_for_each_cone(kind, d):
    """Where it proves anything, each cone is a bounded simplex in its chart, whose entries are exact."""
    rng, proved = np.random.default_rng([d, len(kind)]), 0
    for _ in range(6):
        rows, exact, forms, bounds = layer_of(*weights(kind, rng, d))
        common = common_chart(forms, rows, exact, far_directions(exact), has_few_bits(forms, bounds))
        proved += common is not None
        for start in cones_in_space(forms, bounds, rows, exact, has_few_bits(forms, bounds)):
            signs = list(start.signs.values())
            inward = [scaled(row, 1 if on else -1) for row, on in zip(exact, signs, strict=True)]
            assert start.masks == masks_of_simplex(d)
            assert is_simplex_in(start.chart, inward, start.masks)
            if common is None:
                continue
            turned = common.rays * np.where(signs, 1.0, -1.0)[:, None]
            assert np.array_equal(start.chart[:d, :d] + common.apex[:, None], turned.T)
            for one, other in zip(start.first, in_chart(forms, bounds, start.chart), strict=True):
                assert np.array_equal(one, other)
    assert proved > 0 or kind == "narrow"


def test_bad_input_rays_and_apices_that_are_off_prove_nothing():
    """Whatever leaves one of the cones unbounded, or turned over, is refused: each of the conditions is needed."""
    rng, refused, d = np.random.default_rng(0), 0, 3
    for _ in range(60):
        rows, exact, forms, bounds = layer_of(*weights("generic", rng, d))
        good = common_chart(forms, rows, exact, far_directions(exact), has_few_bits(forms, bounds))
        which, size = rng.integers(4), 2.0 ** rng.integers(-6, 6)
        rays, apex = good.rays.copy(), good.apex.copy()
        if which == 0:
            rays[rng.integers(d)] *= -1.0
        elif which == 1:
            rays = rays + size * np.round(8 * rng.standard_normal((d, d))) / 8
        elif which == 2:
            apex = apex + size * np.round(8 * rng.standard_normal(d)) / 8
        else:
            rays[rng.integers(d)] = rays[rng.integers(d)]
        tried = CommonChart(apex, rays)
        if is_proved(tried, exact):
            for signs in product((False, True), repeat=d):
                inward = [scaled(row, 1 if on else -1) for row, on in zip(exact, signs, strict=True)]
                assert is_simplex_in(tried.of(np.where(signs, 1.0, -1.0)), inward, masks_of_simplex(d))
        else:
            refused += 1
    assert 20 < refused < 60
    for bad in (np.nan, np.inf):
        assert not is_proved(CommonChart(np.full(3, bad), good.rays), exact)
        assert not is_proved(CommonChart(good.apex, np.where(np.eye(3), bad, good.rays)), exact)
    assert not is_proved(CommonChart(good.apex + 2.0**-60, good.rays + 2.0**40), exact)  # charts would be rounded


@pytest.mark.parametrize("d", [4, 5, 8])
def test_known_hyperplanes_in_general_position(d):
    """sum C(n, k) regions of one layer, of which C(n - 1, d) are bounded."""
    n = d + 2
    (weight, *_), (bias, *_) = random_network([d, n, 1], 0, 0.1)
    found = count(Network.from_arrays([weight], [bias], output_layer=False), Space(d))
    assert (found.regions, found.bounded) == (sum(comb(n, k) for k in range(d + 1)), comb(n - 1, d))
    assert (found.certified, found.exact_cells) == (True, 0)
