"""Inputs in other units: columns of the first layer, and the domain with them, scaled and counted from elsewhere."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import reference
from creases import Box, Directions, Network, Plane, Space, Subspace, count, subdivide
from creases.double_description import bits_of, dot
from creases.engine.problem import FIRST_WALL
from creases.engine.starts.bounded import root_tile
from creases.engine.starts.scales import column_scales
from creases.packing import as_problem
from engine_twins import amount, exactly
from networks import KINDS, as_lists, he, random_network, table, whole

SIZES = {2: (6, 4), 3: (5, 3), 4: (4, 2)}


def hidden(weights, biases):
    return Network.from_arrays(weights, biases, output_layer=False)


def with_columns(weights, factors):
    """The network whose first layer's columns are multiplied; exact for powers of two."""
    return [np.array(weights[0]) * np.asarray(factors, dtype=float), *weights[1:]]


def facts(network, domain):
    """All that a count says of the regions; how many cells needed rationals."""
    found = count(network, domain, by_neuron=True, threads=1)
    assert found.certified
    return (found.by_layer, found.by_neuron, found.bounded, found.unbounded), found.exact_cells


def box(half):
    return Box(-np.asarray(half, dtype=float), half)


# The same function in other units.


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@settings(max_examples=amount(40, 10), deadline=None)
@given(data=st.data())
def test_laws_units_of_inputs(d, data):
    """Powers of two, on boxes, whole spaces, and all directions."""
    kind = data.draw(st.sampled_from(KINDS))
    weights, biases = as_lists(kind(np.random.default_rng(data.draw(st.integers(0, 2**32))), d))
    factors = 2.0 ** np.array(data.draw(st.lists(st.integers(-300, 300), min_size=d, max_size=d)))
    its_weights = with_columns(weights, 1 / factors)
    assume((its_weights[0] * factors == np.array(weights[0])).all())  # some kinds have the smallest floats there are
    plain, scaled = hidden(weights, biases), hidden(its_weights, biases)
    domains = [(box(np.ones(d)), box(factors)), (Space(d), Space(d))]
    if d > 1:
        domains.append((Directions(d), Directions(d)))
    for domain, its_own in domains:
        assert facts(scaled, its_own)[0] == facts(plain, domain)[0]


@pytest.mark.parametrize("d", [2, 3, 4])
@settings(max_examples=amount(20, 6), deadline=None)
@given(data=st.data())
def test_laws_units_that_are_no_powers_of_two(d, data):
    """Whole numbers, so that weights times powers of three are exact; the box is as many times narrower."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    weights, biases = as_lists(whole(rng, d, widths=SIZES[d]))
    factors = 3.0 ** np.array(data.draw(st.lists(st.integers(0, 25), min_size=d, max_size=d)))
    plain, scaled = hidden(weights, biases), hidden(with_columns(weights, factors), biases)
    assert facts(scaled, Space(d))[0] == facts(plain, Space(d))[0]
    assert facts(scaled, box(np.ones(d)))[0] == facts(plain, box(factors))[0]


@settings(max_examples=amount(20, 6), deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(-100, 100), min_size=3, max_size=3))
def test_laws_units_of_slices(seed, exponents):
    """A basis of long and short vectors spans the same plane, and the same space of three dimensions."""
    rng = np.random.default_rng(seed)
    network = hidden(*as_lists(he(rng, 5, widths=(8, 5))))
    origin, basis = rng.standard_normal(5), rng.standard_normal((3, 5))
    longer = basis * 2.0 ** np.array(exponents)[:, None]
    assert facts(network, Subspace(origin, longer))[0] == facts(network, Subspace(origin, basis))[0]
    assert facts(network, Plane(origin, longer[:2]))[0] == facts(network, Plane(origin, basis[:2]))[0]


@pytest.mark.parametrize("d", [2, 3])
def test_laws_corners_are_in_the_units_of_the_user(d):
    """Corners of regions, times the scale; bit by bit where a box is cut."""
    weights, biases = random_network([d, 8, 6, 1], 3, 0.1)
    factors = 2.0 ** np.array([-20, 15, 3])[:d]
    plain = Network.from_arrays(weights, biases)
    scaled = Network.from_arrays(with_columns(weights, 1 / factors), biases)
    for domain, its_own in ((box(np.ones(d)), box(factors)), (Space(d), Space(d))):
        cells, moved = subdivide(plain, domain, threads=1), subdivide(scaled, its_own, threads=1)
        assert len(cells) == len(moved)
        assert moved.check()
        here, there = corners_by_pattern(cells, factors), corners_by_pattern(moved, np.ones(d))
        assert here.keys() == there.keys()
        for pattern, corners in here.items():
            if isinstance(domain, Box):
                assert np.array_equal(there[pattern], corners)
            else:
                assert np.allclose(there[pattern] / factors, corners / factors, rtol=1e-8, atol=1e-9)


def corners_by_pattern(cells, factors):
    """For each pattern the finite corners of its cell times the factors, in the order of their coordinates."""
    found = {}
    for i in range(len(cells)):
        some = slice(cells.first[i], cells.first[i + 1])
        corners = cells.corners[some][~cells.at_infinity[some]] * factors
        found[bytes(cells.patterns[i])] = corners[np.lexsort(corners.T)]
    return found


# Units do not cost rationals.


@pytest.mark.jit
@pytest.mark.parametrize("d", [2, 3, 4])
def test_known_that_raw_units_need_no_rationals(d):
    """Millimetres beside light years: as many cells in rationals as in units of one size, none."""
    weights, biases = random_network([d, 12, 8, 1], 1, 0.1)
    units = np.array([1e-6, 1e6, 1.0, 3e3])[:d]
    raw = Network.from_arrays(with_columns(weights, 1 / units), biases)
    assert [facts(raw, domain)[1] for domain in (Space(d), box(units), Directions(d))] == [0, 0, 0]
    for centre in (1e3, 1e6, 1e9):
        middle = units * np.array([0, centre, centre, -centre])[:d]
        moved = np.array(biases[0]) - np.array(raw.hidden[0].weight) @ middle
        away = Network.from_arrays([layer.weight for layer in (*raw.hidden, raw.output)], [moved, *biases[1:]])
        assert facts(away, Box(middle - units, middle + units))[1] == 0


# Against the specification.


@pytest.mark.parametrize("d", [1, 2, 3])
def test_against_reference_far_from_zero(d):
    """Boxes in units of all sizes, about points far from zero, where half of the neurons pass; also through corners."""
    rng = np.random.default_rng(d)
    for _, weights, biases in table(amount(2 * len(KINDS), len(KINDS) // 2), 5, d):
        units = 2.0 ** rng.integers(-20, 21, d)
        middle = units * rng.choice([0.0, 1.0, 100.0, 2.0**20, 2.0**33 + 1, -(2.0**50)], d)
        first = np.array(weights[0]) / units
        at = [[Fraction(x) for x in row] for row in first.tolist()]
        moved = [
            float(Fraction(b) - sum(w * Fraction(x) for w, x in zip(row, middle.tolist(), strict=True)))
            for b, row in zip(biases[0], at, strict=True)
        ]
        weights, biases = [first.tolist(), *weights[1:]], [moved, *biases[1:]]
        low, high = middle - units, middle + units
        layers = list(reference.layers(weights, biases, reference.box(low.tolist(), high.tolist())))
        (by_layer, by_neuron, *_), _ = facts(hidden(weights, biases), Box(low, high))
        assert by_layer == tuple(len(regions) for regions, _ in layers), (weights, biases, low, high)
        assert [list(row) for row in by_neuron] == [cutting for _, cutting in layers]


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_against_exact_tiles_of_boxes_anywhere(d):
    """The chart is exact, and so are corners and facets in it; coordinates lie in [-1, 1]."""
    rng, moved = np.random.default_rng(d), 0
    for _ in range(amount(40, 10)):
        half = 2.0 ** rng.integers(-60, 61, d) * rng.uniform(0.5, 1.0, d)
        low = half * rng.choice([-1.0, 0.0, 1e4, -1e11, 1e15], d)
        high = low + 2 * half
        if (low >= high).any():
            continue
        vertices = as_problem(hidden([np.ones((1, d))], [[0.0]]), Box(low, high)).vertices
        tile = root_tile(vertices)
        moved += bool(tile.chart[:-1, -1].any())
        chart = [exactly(row) for row in tile.chart]
        points = {
            tuple(sum(a * Fraction(int(x), int(ray[-1])) for a, x in zip(row, ray, strict=True)) for row in chart[:-1])
            for ray in tile.rays
        }
        corners = set(np.ndindex(*(2,) * d))
        assert points == {tuple(Fraction((low, high)[c][i]) for i, c in enumerate(corner)) for corner in corners}
        assert all(abs(x) <= ray[-1] for ray in tile.rays for x in ray[:-1])
        assert tile.ids == (FIRST_WALL,) * len(tile.facets)
        for ray, mask in zip(tile.rays, tile.masks, strict=True):
            on = set(bits_of(mask))
            for i, facet in enumerate(tile.facets):
                assert (dot(facet, ray) == 0) if i in on else (dot(facet, ray) > 0)
    assert moved


@given(st.integers(0, 2**32), st.lists(st.integers(-400, 400), min_size=3, max_size=3))
def test_laws_scales_follow_the_columns(seed, exponents):
    """Columns times powers of two have the old scales over these, all over the least."""
    rng = np.random.default_rng(seed)
    forms = rng.standard_normal((9, 4)) * (rng.random((9, 4)) < 0.8)
    forms[0] = 1.0
    steps = 2.0 ** np.array([-40, 0, 30])  # so that they are scaled before and after
    grown = 2.0 ** (40 * np.sign(exponents) + np.array(exponents) // 4)
    before, after = (column_scales(forms * np.append(factors, 1.0)) for factors in (steps, steps * grown))
    ratio = after * grown / before
    assert before.max() >= 2.0**60
    assert (ratio == ratio[0]).all() or np.ptp(np.log2(steps * grown)) < 10  # then they may be alike
    assert after.min() == before.min() == 1.0


def test_known_scales_of_columns_that_are_alike_or_unseen():
    forms = np.random.default_rng(0).standard_normal((30, 4))
    assert (column_scales(forms) == 1.0).all()
    unseen, huge = forms.copy(), forms.copy()
    unseen[:, 1] = 0.0
    huge[:, 0], huge[0, 1] = 1e300, 1e-300
    assert (column_scales(unseen) == 1.0).all()
    huge[1, 1] = 1e300  # overflows where its column is brought to the size of the first
    huge[2:, 1] = 1e-5
    assert (column_scales(huge) == 1.0).all()
