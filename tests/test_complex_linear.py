"""Linear regions and affine maps: constructed networks, and small ones in fractions."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import coo_array

import reference
from complex_reference import Complex as TrueComplex
from creases import (
    Box,
    Directions,
    Line,
    Network,
    NetworkError,
    Plane,
    Polygon,
    Segment,
    Space,
    build,
    count_linear_regions,
    load,
    subdivide,
)
from creases.complex.bounded import Bounded, BoundedNetwork
from creases.complex.linear import Maps, clusters, components
from creases.complex.maps import affine_maps
from creases.domain import domain_from_dict
from creases.errors import DomainError
from creases.exact_network import ExactNetwork, unpacked
from engine_twins import LONG, seeds
from graph_cases import DOMAINS, random_domain, random_graph
from graph_networks import as_network, packed
from networks import random_network, table
from shared_networks import shared

SQUARE = Box([-1, -1], [1, 1])


def numbers(network, domain):
    found = count_linear_regions(network, domain)
    assert found.certified
    assert found.affine_maps <= found.linear_regions <= found.activation_regions
    return found.linear_regions, found.affine_maps, found.activation_regions


# Constructed.


def test_known_a_ramp_in_the_square():
    """relu(x) - relu(x): four cells of one map, and two that bend."""
    weights = [[[1, 0], [1, 0], [0, 1]], [[1, -1, 0]]]
    network = Network.from_arrays(weights, [[0, 0, 0], [0]])
    assert numbers(network, SQUARE) == (1, 1, 4)
    network = Network.from_arrays([weights[0], [[1, -1, 2]]], [[0, 0, 0], [0]])
    assert numbers(network, SQUARE) == (2, 2, 4)


def test_known_regions_that_touch_in_a_corner():
    """relu(x) + relu(y) - relu(x + y): zero where x and y are both negative, or both positive."""
    network = Network.from_arrays([[[1, 0], [0, 1], [1, 1]], [[1, 1, -1]]], [[0, 0, 0], [0]])
    assert numbers(network, Space(2)) == (6, 5, 6)
    assert numbers(network, Directions(2)) == (6, 5, 6)
    # x y of one sign: the two quadrants meet in zero alone, and on a line through them in nothing.
    assert numbers(network, Line([0.0, 0.0], [1.0, 1.0])) == (1, 1, 2)
    assert numbers(network, Line([0.5, -0.5], [1.0, 1.0])) == (4, 3, 4)


def test_known_a_region_that_is_not_convex():
    """min(0, max(x, y)) is zero on three quadrants, of which each is cut by other neurons."""
    first = [[1, 0], [0, 1], [1, -1], [-1, 0], [0, -1]]
    # max(x, y) = y + relu(x - y); relu of minus that, with the sign changed.
    second = [[0, -1, -1, 0, 1], [0, 0, 0, 1, 1]]
    network = Network.from_arrays([first, second, [[-1, 0]]], [[0] * 5, [0, -0.5], [0]])
    cells = subdivide(network, SQUARE)
    zero = [i for i in range(len(cells)) if not cells.affine_map(i)[0].any()]
    assert len(zero) > 4
    assert len(set(cells.linear_regions[zero].tolist())) == 1
    assert numbers(network, SQUARE)[:2] == (3, 3)
    true = TrueComplex(levels_of(network), reference.box([-1, -1], [1, 1]))
    parts = true.linear_regions()
    assert sorted(true.is_convex(part) for part in parts) == [False, True, True]


def levels_of(network):
    """A chain as the reference takes it."""
    levels = reference.chain(
        *zip(*((layer.weight.tolist(), layer.bias.tolist()) for layer in network.hidden), strict=True)
    )
    output = network.output
    if output is not None:
        kink = reference.linear(output.n_out)
        levels.append(reference.Level({len(levels): output.weight.tolist()}, output.bias.tolist(), kink))
    return levels


def test_known_a_ring():
    """A linear region with a hole: zero around a pyramid, 1 - |x| - |y| where it is positive."""
    x = build.input(2)
    size = build.dense(build.abs(x), [[1.0, 1.0]])
    network = build.network(build.relu(build.dense(size, [[-1.0]], [1.0])))
    found = numbers(network, Box([-2, -2], [2, 2]))
    assert found == (5, 5, 8)


def test_known_dead_layers_leave_one_region():
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((9, 2)), -np.abs(rng.standard_normal((3, 9))), rng.standard_normal((2, 3))]
    network = Network.from_arrays(weights, [np.zeros(9), -np.ones(3), np.ones(2)])
    assert numbers(network, SQUARE) == (1, 1, 18)


def test_known_generic_networks_lose_nothing():
    """Of a random network whose last layer is never dead, every facet bends it."""
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal((8, 2)), rng.standard_normal((8, 8)), rng.standard_normal((8, 8))]
    levels = [build.input(2)]
    for weight in weights[:2]:
        levels.append(build.leaky_relu(build.dense(levels[-1], weight, rng.standard_normal(8)), 0.1))
    network = build.network(build.dense(levels[-1], weights[2]))
    cells = subdivide(network, SQUARE)
    assert len(cells) > 60
    assert np.array_equal(cells.linear_regions, np.arange(len(cells)))
    assert np.array_equal(cells.affine_maps, np.arange(len(cells)))
    assert np.array_equal(cells.jumps, cells.facets.inner)


def test_known_the_domain_decides():
    """relu(x + y) - relu(x - y) does not bend along y = 0: two neurons that vanish together, and cancel."""
    network = Network.from_arrays([[[1, 1], [1, -1]], [[1, -1]]], [[0, 0], [0]])
    assert numbers(network, SQUARE) == (4, 4, 4)
    assert numbers(network, Segment([-1, 0], [1, 0])) == (1, 1, 2)
    assert numbers(network, Segment([-1, 0.25], [1, 0.25])) == (3, 3, 3)


def test_known_clips_and_switches():
    x = build.input(2)
    clip = build.network(build.clip(x, -0.5, 0.5))
    assert numbers(clip, SQUARE) == (9, 9, 9)
    # The sum of the two clips is constant in four corners, two of which have one value.
    summed = build.network(build.dense(build.clip(x, -0.5, 0.5), [[1.0, 1.0]]))
    assert numbers(summed, SQUARE) == (9, 8, 9)
    parts = [build.dense(x, [row]) for row in ([1.0, 0.0], [-1.0, 0.0], [0.0, 0.0])]
    assert numbers(build.network(build.maximum(*parts)), SQUARE) == (2, 2, 2)
    # A switch whose winner is not asked.
    silent = build.network(build.dense(build.maximum(*parts), [[0.0]]))
    assert numbers(silent, SQUARE) == (1, 1, 2)


def test_known_many_outputs():
    """One of many outputs bends: more than are compared in floats one by one."""
    weights = np.zeros((30, 3))
    weights[17, 2] = 1e-3
    network = Network.from_arrays([[[1, 0], [0, 1], [1, 1]], weights], [[0, 0, 0], np.arange(30.0)])
    assert numbers(network, SQUARE) == (2, 2, 6)


def test_known_a_tiny_jump_is_one():
    """Maps that differ in the last place of a number, or below all of its places."""
    for small in (2.0**-52, 2.0**-60, 1e-300, 2.0**-1074):
        network = Network.from_arrays([[[1.0], [1.0], [-1.0]], [[1.0, small, -1.0]]], [[0.0] * 3, [0.0]])
        wide = Network.from_arrays([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.0] * 2, [small]])
        assert numbers(network, Segment([-1.0], [1.0]))[:2] == (2, 2)
        assert numbers(wide, Segment([-1.0], [1.0]))[:2] == (1, 1)


def test_known_numbers_beyond_floats():
    """Products that overflow have no bound, and rationals decide."""
    for scale in (1e200, 1e-200):
        weights = [[[scale], [-scale]], [[scale, scale], [scale, 0.0]], [[1.0, -1.0]]]
        network = Network.from_arrays(weights, [[0.0, 0.0], [0.0, 0.0], [0.0]])
        # The first unit above is scale^2 |u|, the second its right half; what is left bends once.
        assert numbers(network, Segment([-1.0], [1.0]))[:2] == (2, 2)


def test_bad_input_of_a_count():
    network = Network.from_arrays([[[1.0, 0.0]], [[1.0]]], [[0.0], [0.0]])
    with pytest.raises(DomainError, match="lies in a space of 3 inputs"):
        count_linear_regions(network, Space(3))
    with pytest.raises((DomainError, NetworkError)):
        count_linear_regions(network, "everything")


def test_known_what_a_count_says():
    network = Network.from_arrays([[[1.0, 0.0]], [[1.0]]], [[0.0], [0.0]])
    found = count_linear_regions(network, SQUARE, threads=1)
    assert repr(found).startswith("LinearCount(2 linear regions, 2 affine maps, 2 activation regions, certified, ")
    assert (found.domain, found.network) == (SQUARE, network.sha256)


# In fractions.


def compare(network, domain, levels, specification):
    """The same linear regions, cell by cell, and as many maps."""
    cells, true = subdivide(network, domain), TrueComplex(levels, specification)
    names = {packed(network, pattern): cell for cell, pattern in enumerate(true.patterns)}
    order = [names[row.tobytes()] for row in cells.patterns]
    found = {}
    for cell, region in zip(order, cells.linear_regions.tolist(), strict=True):
        found.setdefault(region, set()).add(cell)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, true.linear_regions()))
    # Numbered by their first cells.
    assert [min(np.flatnonzero(cells.linear_regions == r)) for r in found] == sorted(
        min(np.flatnonzero(cells.linear_regions == r)) for r in found
    )
    maps = [true.outputs[cell] for cell in order]
    for one, other in pairwise(range(len(maps))):
        assert (maps[one] == maps[other]) == (cells.affine_maps[one] == cells.affine_maps[other])
    assert len(set(maps)) == cells.affine_maps.max() + 1
    inner = np.flatnonzero(cells.facets.inner)
    for i, (one, other) in zip(inner, cells.facets.cells[inner].tolist(), strict=True):
        assert cells.jumps[i] == (maps[one] != maps[other])
    assert not cells.jumps[~cells.facets.inner].any()
    return len(maps) - len(found)


@pytest.mark.parametrize("n_in", [1, 2, 3])
def test_against_exact_linear_regions_of_chains(n_in):
    """With an output layer of small whole numbers, so that much cancels."""
    merged = 0
    for i, (name, weights, biases) in enumerate(table(60 if n_in < 3 and LONG else 20, 77, n_in)):
        if name.split("-")[0] in ("extreme", "mixed_scales", "nudged") and i % 2:
            continue  # those in a box only
        rng = np.random.default_rng(i)
        outputs = int(rng.integers(1, 3))
        last = rng.integers(-1, 2, (outputs, len(biases[-1]))).astype(float).tolist()
        if sum(map(len, biases)) > (14 if n_in < 3 else 10):
            continue
        network = Network.from_arrays([*weights, last], [*biases, [0.0] * outputs])
        flat = name.split("-")[0] == "parallel"
        domain, specification = (
            (Space(n_in), reference.space(n_in)) if i % 2 and not flat else (Box([-1] * n_in, [1] * n_in), None)
        )
        merged += compare(network, domain, levels_of(network), specification or reference.box([-1] * n_in, [1] * n_in))
    assert merged > (20 if LONG else 5)


@pytest.mark.parametrize("seed", seeds(60, 24))
def test_against_exact_linear_regions_of_graphs(seed):
    rng = np.random.default_rng([814, seed])
    n_in = int(rng.integers(1, 4))
    levels = random_graph(rng, n_in, degenerate=seed % 3 > 0, most_units=4)
    network = as_network(levels, n_in)
    if not network.bits:
        pytest.skip("nothing bends in it")
    place = random_domain(rng, n_in, DOMAINS[n_in][int(rng.integers(len(DOMAINS[n_in])))])
    if reference.graph_count(levels, place.specification) > 100:
        pytest.skip("too large for fractions")
    compare(network, domain_from_dict(place.data), levels, place.specification)


@pytest.mark.parametrize("seed", range(6))
def test_laws_floats_and_rationals_say_the_same(seed):
    """Bounds hold the true forms; maps that floats tell apart are different, those that structure joins are equal."""
    rng = np.random.default_rng(seed)
    network = as_network(random_graph(rng, 2, degenerate=bool(seed % 2), most_units=6), 2)
    cells = subdivide(network, (SQUARE, Space(2), Plane([0.3, 1e3], [[1, 2], [-1, 1e-3]]))[seed % 3])
    maps, exact = Maps(cells), ExactNetwork(network, cells.domain)
    bounded = BoundedNetwork(network, cells.domain)
    near = bounded.on_patterns(maps.bits(slice(None)))
    for cell in range(len(cells)):
        rows = exact.outputs(unpacked(cells.patterns[cell], network.bits))
        for j, row in enumerate(rows.rows):
            for c, value in enumerate(row):
                true = Fraction(int(value), int(rows.denominator))
                off = abs(Fraction(float(near.values[cell, c, j])) - true)
                assert off <= Fraction(float(near.errors[cell, c, j]))
    pairs = rng.integers(len(cells), size=(200, 2))
    apart, equal = maps.are_apart(pairs), maps.are_equal_by_structure(pairs)
    same = np.array([maps.exact(one) == maps.exact(other) for one, other in pairs.tolist()])
    assert not (apart & same).any()
    assert not (equal & ~same).any()


def test_laws_floats_decide_nearly_all_of_a_generic_network():
    """Rationals are the last resort: of a random network of two layers no facet needs them."""
    cells = subdivide(Network.from_arrays(*random_network([2, 20, 20, 1], 1, 0.5)), SQUARE)
    maps = Maps(cells)
    pairs = cells.facets.cells[cells.facets.inner]
    left = pairs[~maps.are_apart(pairs)]
    assert maps.are_equal_by_structure(left).mean() > 0.95 if len(left) else True
    assert len(left) < 0.2 * len(pairs)


def test_known_clusters():
    """Rows whose intervals meet, in every column; numbers without a bound meet all."""
    values = np.array([[0.0, 1.0], [0.1, 1.0], [0.1, 5.0], [9.0, 0.0], [np.inf, 1.0]])
    errors = np.array([[0.06, 0.0], [0.06, 0.0], [0.06, 0.0], [0.1, 0.0], [0.0, 0.0]])
    found = sorted(sorted(group.tolist()) for group in clusters(Bounded(values, errors)))
    assert found == [[0, 1, 4]]
    assert components(5, np.array([[3, 1], [4, 3]])).tolist() == [0, 1, 2, 1, 1]


# A network of others.


def forward(network, point):
    """The first output in fractions, by the definition of the levels."""
    values = [[Fraction(x) for x in point]]
    for level in network.levels:
        z = [Fraction(b) for b in level.bias.tolist()]
        for source, operator in level.sources.items():
            matrix = coo_array(operator.matrix)
            for i, j, weight in zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True):
                z[i] += Fraction(weight) * values[source][j]
        below, above = level.kink.slopes(level.n_units).tolist()
        values.append([Fraction(a if x > 0 else b) * x for x, a, b in zip(z, above, below, strict=True)])
    return values[-1][0]


def test_known_a_lattice_network_of_others():
    """589 activation regions, 7 linear regions, 6 maps; and the same from the maps alone.

    The network is continuous, so inside each cell of the lines where two of its maps are equal it is one of them: the
    one whose value it has at a point inside. What hangs together of these cells are the linear regions.
    """
    network = load(shared("tll_n2_N8_0.onnx"))
    cells = subdivide(network, Space(2))
    assert len(cells) == 589
    assert (int(cells.linear_regions.max()) + 1, int(cells.affine_maps.max()) + 1) == (7, 6)
    firsts = np.unique(cells.affine_maps, return_index=True)[1]
    maps = []
    for first in firsts.tolist():
        rows = ExactNetwork(network, Space(2)).outputs(unpacked(cells.patterns[first], network.bits))
        maps.append([Fraction(int(value), int(rows.denominator)) for value in rows.rows[0]])
    differences = [[x - y for x, y in zip(a, b, strict=True)] for i, a in enumerate(maps) for b in maps[:i]]
    # Floats of lines are enough: a cell of them that is nearly one of these has a point of one map.
    lines = np.array(differences, dtype=np.float64)
    lines /= np.abs(lines).max(axis=1, keepdims=True)
    around = subdivide(Network.from_arrays([lines[:, :2]], [lines[:, 2]], output_layer=False), Space(2))
    assert len(around) > 60
    winners = []
    for cell in range(len(around)):
        u = [Fraction(x) for x in around.interior_points[cell].tolist()]
        value = forward(network, u)
        mine = [k for k, (a, b, c) in enumerate(maps) if a * u[0] + b * u[1] + c == value]
        assert len(mine) == 1
        winners += mine
    winners = np.array(winners)
    pairs = around.facets.cells[around.facets.inner]
    assert components(len(around), pairs[winners[pairs[:, 0]] == winners[pairs[:, 1]]]).max() + 1 == 7
    assert len(set(winners.tolist())) == 6


def test_known_polygons_and_planes():
    """The same numbers on a slice, in its own coordinates."""
    network = Network.from_arrays([[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 1, 0]]], [[0, 0, 0], [0]])
    plane = Plane([0, 0, 0.5], [[1, 0, 1], [0, 1, 0]])
    assert numbers(network, plane) == (4, 4, 6)
    assert numbers(network, Polygon([[-1, -1], [1, -1], [1, 1], [-1, 1]], plane)) == (4, 4, 6)


def test_known_products_that_underflow():
    """Both sides of 0 have one slope; of one, 3 times the least float is halved on the way, which floats round."""
    weights = [
        [[1.0], [-1.0]],
        [[3 * 2.0**-1074, 0.0], [0.0, 3 * 2.0**-60]],
        [[0.5, 0.0], [0.0, 0.5]],
        [[2.0**1000, -(2.0**-14)]],
    ]
    network = Network.from_arrays(weights, [[0.0] * 2] * 3 + [[0.0]])
    assert numbers(network, Segment([-1.0], [1.0])) == (1, 1, 2)


def test_laws_bounds_hold_where_numbers_underflow():
    rng = np.random.default_rng(0)
    for _ in range(50):
        sizes = 2.0 ** rng.integers(-560, -500, 3)
        weights = [
            size * rng.standard_normal(shape) for size, shape in zip(sizes, [(5, 2), (5, 5), (3, 5)], strict=True)
        ]
        weights[1] *= 2.0**-20
        network = Network.from_arrays(weights, [sizes[0] * rng.standard_normal(5), np.zeros(5), np.zeros(3)])
        bits = rng.random((4, network.bits)) < 0.5
        exact = ExactNetwork(network, SQUARE)
        found = BoundedNetwork(network, SQUARE).on_patterns(bits)
        for cell, row in enumerate(bits):
            rows = exact.outputs(row.tobytes())
            for j, form in enumerate(rows.rows):
                for c, value in enumerate(form):
                    true = Fraction(int(value), int(rows.denominator))
                    off = abs(true - Fraction(found.values[cell, c, j]))
                    assert off <= Fraction(found.errors[cell, c, j])


def test_known_maps_of_no_cells():
    cells = subdivide(Network.from_arrays(*random_network([2, 4, 3], 0, 0.3)), SQUARE)
    found = affine_maps(cells, [])
    assert found.matrices.shape == (0, 3, 2)
    assert found.offsets.shape == (0, 3)
